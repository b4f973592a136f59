-- Loads what the controller declares, and makes seven reports of it.
--
--   psql -v controller_file=controller.yaml -f reports.sql

\set ON_ERROR_STOP on
\set QUIET on
\pset footer off

\set controller_text `cat :'controller_file'`
SELECT confiture.load_controller(:'controller_text') AS declared;
SELECT DISTINCT status AS ledger FROM confiture.record_verification() WHERE check_code = 'OK';

\pset format unaligned
\pset tuples_only on
SELECT confiture.issue_compliance_report('gdpr', 'html') \g gdpr.html
SELECT confiture.issue_compliance_report('ccpa', 'html') \g ccpa.html
SELECT confiture.issue_compliance_report('pipeda', 'html') \g pipeda.html
SELECT confiture.issue_compliance_report('lgpd', 'html') \g lgpd.html
SELECT confiture.issue_compliance_report('pipl', 'html') \g pipl.html
SELECT confiture.issue_compliance_report('privacy_act', 'html') \g privacy_act.html
SELECT confiture.issue_compliance_report('popia', 'html') \g popia.html
\pset format aligned
\pset tuples_only off

SELECT regulation, asked, evidenced, declared, missing, stale, not_applicable, percent
  FROM confiture.compliance_coverage() ORDER BY regulation;
