"""What a controller declares, and the reports made of it: versions, rights, escaping."""

import json
import re

import pages
import pytest

from samples import make_small

REGULATIONS = ["gdpr", "ccpa", "pipeda", "lgpd", "pipl", "privacy_act", "popia"]
HOSTILE = "x\"'><img src=x onerror=alert(1)>|\u202e[y](javascript:z) `${7*7}`"

SMALL = """
valid_from: 2026-01-01
organisations:
  shop: {role: controller, legal_name: Shop Ltd., contact: a@shop.example}
activities:
  orders: {name: Orders, purpose: Selling, subjects: [customers]}
columns:
  mail:
    {activity: orders, table: prod.people, columns: [email], category: contact,
     sensitivity: ordinary}
retention_rules:
  all: {category: all, max: 2 years, table: prod.visits, column: at}
"""


def load(db, yaml):
    """Loads a document."""
    return db.value("SELECT confiture.load_controller(%s)", [yaml])


def fields(db, regulation, day=None, variant=None):
    """{field: (status, value, note)} of a report."""
    rows = db.rows(
        "SELECT field, status, value, note FROM confiture.compliance_fields(%s, %s, NULL, %s)",
        [regulation, day, variant],
    )
    return {field: (status, value, note) for field, status, value, note in rows}


def report(db, regulation, form="json", day=None):
    """A report."""
    return db.value("SELECT confiture.compliance_report(%s, %s, %s)", [regulation, form, day])


def test_a_new_version_closes_the_old_one_and_changes_nothing(db):
    assert load(db, SMALL) == "4 facts declared, 0 known before"
    assert load(db, SMALL) == "0 facts declared, 4 known before"
    changed = SMALL.replace("Selling", "Selling jam").replace("2026-01-01", "2026-02-01", 1)
    # Every fact of the document holds from another day on.
    assert load(db, changed) == "4 facts declared, 0 known before"
    versions = db.rows(
        "SELECT fields ->> 'purpose', valid_from::text FROM confiture.controller_fact"
        " WHERE kind = 'activity' ORDER BY number"
    )
    assert versions == [("Selling", "2026-01-01"), ("Selling jam", "2026-02-01")]
    purposes = [
        fields(db, "gdpr", day)["gdpr.30.1.b"][1][0]["purpose"]
        for day in ["2026-01-31", "2026-02-01"]
    ]
    assert purposes == ["Selling", "Selling jam"]
    assert fields(db, "gdpr", "2025-12-31")["gdpr.30.1.b"][0] == "missing"


def test_single_facts_are_declared_and_withdrawn(db):
    declare = "SELECT confiture.declare_fact('measure', 'm', %s, '2026-01-01')"
    measure = json.dumps({"kind": "training", "description": "every year"})
    assert db.value(declare, [measure]) is True
    assert db.value(declare, [measure]) is False
    assert fields(db, "popia", "2026-01-02")["popia.reg4.1.e"][0] == "declared"
    withdraw = "SELECT confiture.withdraw_fact('measure', 'm', '2026-03-01')"
    assert [db.value(withdraw), db.value(withdraw)] == [True, False]
    assert fields(db, "popia", "2026-02-28")["popia.reg4.1.e"][0] == "declared"
    assert fields(db, "popia", "2026-03-01")["popia.reg4.1.e"][0] == "missing"
    db.refused("42704", "SELECT confiture.withdraw_fact('measure', 'other')")
    db.refused("22023", "SELECT confiture.declare_fact('king', 'k', '{}')")
    db.refused("22P02", "SELECT confiture.declare_fact('measure', 'k', '{\"kindd\": 1}')")
    db.refused("22023", "SELECT confiture.declare_fact('measure', 'm', %s, 'infinity')", [measure])


def test_a_fact_that_names_what_nobody_declared_is_refused(db):
    error = db.refused("22023", "SELECT confiture.load_controller(%s)", [
        "columns:\n  c: {activity: none, table: a.b, columns: x}\n"
    ])
    assert 'there is no activity "none" at line 2' in error.message_primary
    assert db.value("SELECT count(*) FROM confiture.controller_fact") == 0


def test_days_that_no_law_reaches_are_refused(db):
    for yaml in [
        "incidents: {i: {known_at: '3026-03-01T12:00:00Z'}}",
        "incidents: {i: {known_at: '1899-12-31T12:00:00Z'}}",
        "valid_from: 2201-01-01\nmeasures: {m: {kind: training, description: x}}",
        "assessments: {a: {kind: dpia, date: 9999-01-01}}",
    ]:
        error = db.refused("22023", "SELECT confiture.load_controller(%s)", [yaml])
        assert "day is out of range" in error.message_primary
        assert error.message_hint == "Days and moments are those of the years 1900 to 2200."
    declare = "SELECT confiture.declare_fact('incident', 'i', %s, %s)"
    error = db.refused("22023", declare, ['{"known_at": "3026-03-01T12:00:00Z"}', None])
    assert "1900 to 2200" in error.message_hint
    known = '{"known_at": "2026-03-01T12:00:00Z"}'
    for day in ["2201-01-01", "1899-12-31", "0044-03-15 BC", "-infinity"]:
        assert "1900 to 2200" in db.refused("22023", declare, [known, day]).message_hint
    assert db.value("SELECT count(*) FROM confiture.controller_fact") == 0


def test_no_stored_fact_breaks_a_report(db):
    """As another version of the library, or a superuser, may have stored them."""
    make_small(db)
    db.sync()
    load(db, SMALL)
    db.execute("""
        INSERT INTO confiture.controller_fact (kind, id, fields, valid_from, entered_by) VALUES
          ('incident', 'far', '{"known_at": "3026-03-01T12:00:00Z", "jurisdictions": ["EU"]}',
           '2026-01-01', 'x'),
          ('incident', 'odd', '{"known_at": 7, "occurred_from": "soon", "tables": ["a"],
           "authority_notified_at": {"EU": [1]}, "subjects_affected": "many"}', '2026-01-01', 'x'),
          ('incident', 'eternal', '{"known_at": "infinity", "occurred_from": "-infinity",
           "tables": ["staging.people"]}', '2026-01-01', 'x'),
          ('retention_rule', 'long', '{"category": 3, "max": "9999 years", "min": "moon",
           "table": "prod.people", "column": "id"}', '2026-01-01', 'x'),
          ('retention_rule', 'odd', '{"table": "x", "column": ""}', '2026-01-01', 'x'),
          ('rights_request', 'r', '{"right": 1, "received_on": "0000-99-99"}', '2026-01-01', 'x'),
          ('consent_source', 'c', '{"table": "", "given_column": "x"}', '2026-01-01', 'x'),
          ('measure', 'm', '[1]', '2026-01-01', 'x'),
          ('columns', 'c', '{"table": "p", "columns": {"a": 1}, "activity": 1}', '2026-01-01', 'x'),
          ('organisation', 'o', '"text"', '2026-01-01', 'x'),
          ('king', 'k', '{}', '2026-01-01', 'x')
    """)
    for regulation in REGULATIONS:
        for form in ["json", "markdown", "html"]:
            assert report(db, regulation, form)
    assert len(db.rows("SELECT * FROM confiture.compliance_coverage()")) == 7
    for call in ["matrix", "gaps", "conflicts", "minimum"]:
        assert db.rows(f"SELECT * FROM confiture.compliance_{call}()")
    assert db.rows("SELECT * FROM confiture.retention_overdue()")
    for incident in ["far", "odd", "eternal"]:
        rows = db.rows("SELECT status, due, note FROM confiture.incident_deadlines(%s)", [incident])
        assert {row[:2] for row in rows} == {("unknown", None)}
        assert all("known_at" in row[2] for row in rows)


def test_a_rule_without_an_end_counts_nothing_and_says_so(db):
    make_small(db)
    db.execute("CREATE TABLE prod.visits (at timestamptz)")
    db.execute("INSERT INTO prod.visits VALUES ('1950-05-06'), (now())")
    load(db, SMALL.replace("max: 2 years", "min: 2 years"))
    ask = "SELECT longest, oldest, overdue, problem FROM confiture.retention_overdue()"
    why = "the rule has no max, so that no row is too old"
    assert db.rows(ask) == [(None, "1950-05-06", None, why)]
    assert fields(db, "gdpr")["gdpr.30.1.f.overdue"][1] == [{
        "rule": "all", "oldest_row": "1950-05-06", "overdue_rows": f"not counted: {why}",
        "not_read": None,
    }]
    # The longest time that can be declared is counted.
    load(db, SMALL.replace("2 years", "833 years"))
    assert db.rows(ask) == [("833 years", "1950-05-06", 0, None)]


def test_metrics_of_requests_do_not_tell_of_few(db):
    requests = "".join(
        f"  r{number}: {{right: delete, received_on: 2025-05-01, responded_on: 2025-05-11,"
        f" jurisdiction: US-CA, decision: {decision}{basis}}}\n"
        for number, (decision, basis) in enumerate(
            [("complied", "")] * 31 + [("complied_in_part", "")] * 14
            + [("denied", ", denial_basis: exempt")] * 9
        )
    )
    load(db, f"valid_from: 2026-01-01\nrights_requests:\n{requests}"
             "  k: {right: know, received_on: 2025-06-01, jurisdiction: US-CA,"
             " responded_on: 2025-06-09, decision: complied}\n")
    found = fields(db, "ccpa", "2026-03-31")
    counts = found["ccpa.7102.a.1"][1]
    # 54 less 31 and 14 would be 9.
    assert counts["delete"] == {
        "received": 54, "complied": 31, "complied_in_part": "left out", "denied": "below 10",
    }
    assert set(counts["know"].values()) == {"below 10"}
    days = found["ccpa.7102.a.1.F"][1]
    assert days["delete"] == {"responses": 54, "median": "10.0", "mean": "10.0"}
    assert days["know"] == {
        "responses": "below 10", "median": "left out", "mean": "left out",
    }
    assert found["ccpa.7102.a.2"][1]["exempt"] == "below 10"
    assert "below 10 are not published" in found["ccpa.7102.a.1"][2]


def test_rights_to_limit_and_consents_are_asked_for_where_their_law_does(db):
    make_small(db)
    load(db, """
activities: {a: {name: A, sold_or_shared: false, published: false, legal_basis: contract}}
columns: {c: {activity: a, table: prod.people, columns: [email], sensitivity: sensitive}}
""")
    # Sensitive data are limited although none are sold, and want a consent of their own although no
    # activity rests on consent.
    found = fields(db, "ccpa")
    assert found["ccpa.120"][0] == "not_applicable"
    assert found["ccpa.121"][0] == "missing"
    assert fields(db, "pipl")["pipl.29"][0] == "missing"


def test_versions_of_facts_are_added_and_never_changed(db):
    load(db, SMALL)
    for change in [
        "UPDATE confiture.controller_fact SET fields = '{}'",
        "UPDATE confiture.controller_fact SET fields = '{}' WHERE false",
        "DELETE FROM confiture.controller_fact",
        "TRUNCATE confiture.controller_fact",
    ]:
        error = db.refused("42501", change)
        assert error.message_primary == "versions of declared facts are never changed"
        assert "confiture.withdraw_fact" in error.message_hint
        db.refused("42501", f"SET session_replication_role = replica; {change}")
        db.execute("RESET session_replication_role")
    assert load(db, SMALL) == "0 facts declared, 4 known before"


def test_a_dump_keeps_what_is_declared(db, server):
    load(db, SMALL)
    dump = server.run("pg_dump", "--no-owner", database=db.name).stdout
    other = server.create_database(extension=False)
    try:
        server.psql(other.name, "-v", "ON_ERROR_STOP=1", "-f", "-", stdin=dump)
        assert load(other, SMALL) == "0 facts declared, 4 known before"
        assert load(other, SMALL.replace("Selling", "Jam")) == "1 fact declared, 3 known before"
        other.refused("42501", "DELETE FROM confiture.controller_fact")
    finally:
        other.drop()


def test_publications_and_who_reads_everything_are_seen(db):
    make_small(db)
    db.execute("CREATE TABLE prod.plain (n int)")
    reader, member = db.role("reader"), db.role("member")
    db.execute(f"GRANT pg_read_all_data TO {reader}; GRANT {reader} TO {member}")
    db.execute("CREATE PUBLICATION everything FOR ALL TABLES")
    db.execute("CREATE PUBLICATION one FOR TABLE prod.plain")
    in_schemas = db.value("SELECT current_setting('server_version_num')::int") >= 150000
    if in_schemas:
        db.execute("CREATE PUBLICATION schemas FOR TABLES IN SCHEMA prod")
    ways = fields(db, "gdpr")["gdpr.30.1.d.hints"][1]
    leads = {way["name"]: way["leads_to"] for way in ways["ways_out"]}
    personal = int(leads["everything"].split()[-4])
    assert leads["everything"].startswith("every table: ") and personal > 0
    assert leads["one"] == "some tables: 1 now, 0 with personal columns"
    if in_schemas:
        count = db.value("SELECT count(*) FROM pg_tables WHERE schemaname = 'prod'")
        assert leads["schemas"] == (
            f"every table of prod: {count} now, {personal} with personal columns"
        )
    roles = {role["role"]: role["tables"] for role in ways["roles_that_read_personal_tables"]}
    assert roles[reader] == roles[member] > 0
    assert "pg_read_all_data" not in roles
    found = fields(db, "pipl")["pipl.51.4"][1]["found"]
    assert {reader, member} <= set(found["roles_that_read"])
    assert any(text.startswith("everything: every table") for text in found["published"])
    controls = db.value(
        "SELECT controls FROM confiture.compliance_matrix(ARRAY['EU'])"
        " WHERE requirement = 'GDPR-30-1'"
    )
    [recipients] = [of for of in controls if of["control"] == "C-RECIPIENTS"]
    ways = recipients["evidence"][0]["value"]["ways_out_in_the_catalog"]
    assert any(way.startswith("publication everything: every table") for way in ways)


MEASURE = """'measure', 'a', '{"kind": "audit", "description": "x"}'"""
SAYS_NOTHING = [
    "load_controller(NULL)", "load_controller('')", "load_controller('[1]')",
    "load_controller(repeat('a', 2000000))",
    "export_controller('infinity')", "export_controller('1899-12-31')",
    "suggest_controller(NULL)", "suggest_controller('no id')", "suggest_controller('')",
    "suggest_controller('a', '{}')", "suggest_controller('a', '{NULL}')",
    "suggest_controller('a', ARRAY[repeat('x', 64)])",
    "declare_fact(NULL, 'a', '{}')", "declare_fact('king', 'a', '{}')",
    "declare_fact('measure', NULL, '{}')", "declare_fact('measure', 'a b', '{}')",
    "declare_fact('measure', 'a', NULL)", "declare_fact('measure', 'a', '{\"king\": 1}')",
    "declare_fact('measure', 'a', '{\"kind\": \"king\", \"description\": \"x\"}')",
    f"declare_fact({MEASURE}, 'infinity')",
    f"declare_fact({MEASURE}, NULL, '3026-01-01')",
    "withdraw_fact(NULL, 'a')", "withdraw_fact('king', 'a')", "withdraw_fact('measure', NULL)",
    "withdraw_fact('measure', 'a')", "withdraw_fact('measure', 'a', '-infinity')",
    "compliance_report(NULL)", "compliance_report('hipaa')", "compliance_report('GDPR')",
    "compliance_report('gdpr', NULL)", "compliance_report('gdpr', 'pdf')",
    "compliance_report('gdpr', 'json', 'infinity')",
    "compliance_report('gdpr', 'json', '3026-01-01')",
    "compliance_report('gdpr', scope => '{}')", "compliance_report('gdpr', scope => '{NULL}')",
    "compliance_report('gdpr', scope => '{\"\"}')", "compliance_report('gdpr', variant => 'AU')",
    "compliance_report('privacy_act', variant => 'UK')",
    "compliance_report('privacy_act', variant => 'US')",
    "issue_compliance_report(NULL)", "issue_compliance_report('hipaa')",
    "issue_compliance_report('gdpr', NULL)", "issue_compliance_report('gdpr', 'pdf')",
    "issue_compliance_report('gdpr', 'json', '0044-03-15 BC')",
    "compliance_fields(NULL)", "compliance_fields('hipaa')",
    "compliance_fields('gdpr', 'infinity')", "compliance_fields('gdpr', scope => '{}')",
    "compliance_coverage('hipaa')", "compliance_coverage(variant => 'UK')",
    "compliance_coverage(as_of => 'infinity')", "compliance_coverage(scope => '{}')",
    "retention_overdue('infinity')", "retention_overdue('1899-12-31')",
    "load_rules(NULL)", "load_rules('')", "load_rules('rules: x')",
    "compliance_matrix('{}')", "compliance_matrix('{NULL}')", "compliance_matrix('{XX}')",
    "compliance_matrix(as_of => '3026-01-01')", "compliance_matrix(include_proposed => NULL)",
    "compliance_gaps('{}')", "compliance_gaps('{XX}')", "compliance_gaps(as_of => 'infinity')",
    "compliance_conflicts('{}')", "compliance_conflicts('{XX}')",
    "compliance_conflicts(as_of => '1899-12-31')",
    "compliance_minimum('{}')", "compliance_minimum('{XX}')",
    "compliance_minimum(as_of => '-infinity')",
    "incident_deadlines(NULL)", "incident_deadlines('none')",
    "decide_conflict(NULL, '*', 'a', 'b', '2099-12-31')",
    "decide_conflict('X99', '*', 'a', 'b', '2099-12-31')",
    "decide_conflict('X01', NULL, 'a', 'b', '2099-12-31')",
    "decide_conflict('X01', '', 'a', 'b', '2099-12-31')",
    "decide_conflict('X01', '*', repeat('a', 5000), 'b', '2099-12-31')",
    "decide_conflict('X01', '*', 'a', E'b\\x07', '2099-12-31')",
    "decide_conflict('X01', '*', 'a', 'b', NULL)",
    "decide_conflict('X01', '*', 'a', 'b', 'infinity')",
    "decide_conflict('X01', '*', 'a', 'b', '3026-01-01')",
    "decide_conflict('X01', '*', 'a', 'b', '2001-01-01')",
]


def test_arguments_that_say_nothing_are_refused_with_what_to_do(db):
    for call in SAYS_NOTHING:
        error = db.refused(("22023", "22P02", "42704"), f"SELECT * FROM confiture.{call}")
        assert error.message_hint, (call, error.message_primary)
    assert not db.rows("SELECT 1 FROM confiture.controller_fact")


def test_declared_facts_are_on_record_without_what_they_say(db):
    load(db, SMALL)
    event, details = db.rows("SELECT event, details FROM confiture.get_audit_log(1)")[0]
    assert event == "CONTROLLER_DECLARED"
    assert details["facts"] == {
        "activity": 1, "columns": 1, "organisation": 1, "retention_rule": 1,
    }
    assert len(details["sha256"]) == 64
    assert "Selling" not in json.dumps(details)
    assert db.value("SELECT status FROM confiture.verify_ledger() WHERE check_code = 'OK'") == "ok"


def test_nothing_is_declared_where_nobody_declared_anything(db):
    make_small(db)
    for regulation in REGULATIONS:
        found = fields(db, regulation)
        assert not [name for name, (status, *_) in found.items() if status == "declared"]
        for name, (status, value, note) in found.items():
            if status == "missing":
                # The record of processing says of each letter that it is not there.
                assert note and (not value or not any(value["found"].values())), name
    assert fields(db, "gdpr")["gdpr.30.1.b"][0] == "missing"
    # A processor's record is asked for or not: nobody has said.
    assert fields(db, "gdpr")["gdpr.30.2.a.processor"][0] == "missing"


def test_laws_begin_on_their_day(db):
    load(db, SMALL)
    assert fields(db, "privacy_act", "2026-12-09")["au.1.7"][0] == "not_applicable"
    assert fields(db, "privacy_act", "2026-12-10")["au.1.7"][0] == "missing"
    assert fields(db, "privacy_act", "2026-04-30", "NZ")["nz.3a"][0] == "not_applicable"
    assert fields(db, "privacy_act", "2026-05-01", "NZ")["nz.3a"][0] == "missing"


def test_the_notice_of_a_federal_agency_is_for_one(db):
    call = "SELECT count(*) FROM confiture.compliance_fields('privacy_act', variant => 'US')"
    db.refused("22023", call)
    load(db, "organisations: {a: {role: controller, legal_name: Agency, sector: us_federal}}")
    assert db.value(call) == 11
    db.refused("22023", "SELECT confiture.compliance_report('privacy_act', variant => 'UK')")
    db.refused("22023", "SELECT confiture.compliance_report('gdpr', variant => 'AU')")
    db.refused("22023", "SELECT confiture.compliance_report('hipaa')")
    db.refused("22023", "SELECT confiture.compliance_report('gdpr', 'pdf')")
    db.refused("22023", "SELECT confiture.compliance_report('gdpr', scope => '{}')")


def test_rows_past_their_time_are_counted_and_their_values_are_not_shown(db):
    make_small(db)
    db.execute("CREATE TABLE prod.visits (id int, at timestamptz, note text)")
    db.execute(
        "INSERT INTO prod.visits VALUES (1, '2023-05-06', 'a'), (2, '2023-06-07', 'b'),"
        " (3, now(), 'c')"
    )
    load(db, SMALL)
    status, value, _ = fields(db, "gdpr")["gdpr.30.1.f.overdue"]
    assert status == "evidenced"
    assert value == [{
        "rule": "all", "oldest_row": "2023-05-06", "overdue_rows": 2, "not_read": None,
    }]
    assert db.rows("SELECT rule, oldest, overdue, problem FROM confiture.retention_overdue()") == [
        ("all", "2023-05-06", 2, None)
    ]
    # Policies that hide rows, and columns of other types, are said and not read.
    for change, reason in [
        ("ALTER TABLE prod.visits ALTER at TYPE text", "holds neither days nor moments"),
        ("ALTER TABLE prod.visits DROP at", "no such column"),
        ("DROP TABLE prod.visits; CREATE VIEW prod.visits AS SELECT now() AS at",
         "no such plain table"),
    ]:
        db.execute(change)
        status, _, note = fields(db, "gdpr")["gdpr.30.1.f.overdue"]
        assert status == "missing" and reason in note, change


def test_reports_show_what_became_of_columns(db):
    make_small(db)
    db.sync()
    load(db, SMALL)
    found = json.loads(report(db, "gdpr"))
    columns = {(of["schema"], of["column"]): of for of in found["columns"]}
    assert columns["prod", "email"]["state"] == "intact"
    assert columns["prod", "email"]["declared_by"] == "mail"
    assert columns["staging", "email"]["state"] == "pseudonymised"
    assert columns["staging", "email"]["strategy"].startswith("email ")
    assert found["ledger"]["status"] == "ok"
    assert found["rules"]["text_checked_on"] is None
    assert found["draft"] is True and found["missing"]
    assert "compliant" not in json.dumps(found)
    coverage = found["coverage"]
    statuses = [field["status"] for section in found["sections"] for field in section["fields"]]
    for status in ["evidenced", "declared", "missing", "stale", "not_applicable"]:
        assert coverage[status] == statuses.count(status)


def test_the_ledger_shows_what_protected_data_when_they_were_lost(db):
    make_small(db)
    before = db.value("SELECT to_char(now() AT TIME ZONE 'UTC', 'YYYY-MM-DD\"T\"HH24:MI:SS\"Z\"')")
    db.execute("SELECT pg_sleep(1.1)")
    db.sync()
    db.execute("SELECT pg_sleep(1.1)")
    after = db.value("SELECT to_char(now() AT TIME ZONE 'UTC', 'YYYY-MM-DD\"T\"HH24:MI:SS\"Z\"')")
    load(db, f"""
incidents:
  early: {{known_at: '{before}', occurred_from: '{before}', tables: [staging.people]}}
  late: {{known_at: '{after}', occurred_from: '{after}', tables: [staging.people]}}
""")
    status, value, _ = fields(db, "lgpd")["lgpd.48.3"]
    assert status == "evidenced"
    assert value["early"]["masked_before"] == []
    assert "staging.people.email" in value["early"]["readable"]
    [masked] = value["late"]["masked_before"]
    assert masked["column"] == "staging.people.email"
    assert masked["standing"] == "pseudonymised" and masked["strategy"].startswith("email ")
    assert "staging.people.email" not in value["late"]["readable"]


def test_issued_reports_are_on_record(db):
    load(db, SMALL)
    text = db.value("SELECT confiture.issue_compliance_report('popia', 'markdown', '2026-03-01')")
    event, details = db.rows("SELECT event, details FROM confiture.get_audit_log(1)")[0]
    assert event == "REPORT"
    assert details["regulation"] == "popia" and details["as_of"] == "2026-03-01"
    digest = db.value("SELECT encode(sha256(convert_to(%s, 'UTF8')), 'hex')", [text])
    assert details["sha256"] == digest


def test_an_auditor_makes_every_report_and_reads_no_value(db):
    make_small(db)
    db.execute("CREATE TABLE prod.visits (at timestamptz)")
    db.sync()
    load(db, SMALL)
    auditor = db.role("auditor")
    db.execute("SELECT confiture.grant_access('auditor', %s)", [auditor])
    session = db.session(auditor)
    for regulation in REGULATIONS:
        for form in ["json", "markdown", "html"]:
            text = session.value(
                "SELECT confiture.issue_compliance_report(%s, %s)", [regulation, form]
            )
            assert len(text) > 2000
            assert "mail.example" not in text and "allergic" not in text
    status, _, note = session.rows(
        "SELECT status, value, note FROM confiture.compliance_fields('gdpr')"
        " WHERE field = 'gdpr.30.1.f.overdue'"
    )[0]
    assert status == "missing" and "may not read the column" in note
    for call in ["load_controller('{}')", "withdraw_fact('measure', 'x')"]:
        session.refused("42501", f"SELECT confiture.{call}")
    session.refused("42501", "SELECT count(*) FROM prod.people")
    session.refused("42501", "DELETE FROM confiture.controller_fact")


def test_an_officer_declares_and_reports(db):
    officer = db.role("officer")
    db.execute("SELECT confiture.grant_access('officer', %s)", [officer])
    session = db.session(officer)
    assert "4 facts declared" in session.value("SELECT confiture.load_controller(%s)", [SMALL])
    assert session.value("SELECT confiture.compliance_report('gdpr')")
    session.refused("42501", "UPDATE confiture.controller_fact SET id = 'x'")
    session.refused("42501", "INSERT INTO confiture.controller_fact (kind, id, valid_from,"
                             " entered_by) VALUES ('measure', 'x', now(), 'x')")
    assert set(db.column("SELECT entered_by FROM confiture.controller_fact")) == {officer}


def test_suggestions_can_be_declared(db):
    make_small(db)
    load(db, "activities: {a: {name: A}}")
    yaml = db.value("SELECT confiture.suggest_controller('a', '{prod}')")
    assert "table: \"prod.people\"" in yaml
    assert "2 facts declared" in load(db, yaml)
    assert db.value("SELECT confiture.suggest_controller('a', '{prod}')") == "columns: {}\n"


def quoted(name):
    """A name for a statement."""
    return '"' + name.replace('"', '""') + '"'


# What means something to pages, to readers of JSON, or to nobody's eyes.
ODD = [
    "\t\n\xa0\xad\u200b\u202a\u202e\u2028\u2066\ufeff\ufffe",
    "]]></style></svg></title><script>alert(1)</script><!--",
    "&#x3c;script&#x3e; javascript:alert(1) {{C:gdpr.30.1.a}}",
    "\n# head\n---\n| a | b |\n`${x}` **b** [c](d) \\| \\",
    "\U0001F468\u200d\U0001F469 \U000e0041",
]
UNSEEN = re.compile("[\x00-\x09\x0b-\x1f\x7f-\x9f\xad\u200b-\u200f\u2028-\u202e\u2066\ufeff]")


def test_odd_texts_and_names_are_shown_and_come_back(db):
    for number, text in enumerate(ODD):
        said = f"x{text}"
        for kind, declared in [
            ("organisation", {"role": "controller", "legal_name": said, "contact": said}),
            ("activity", {"name": said, "purpose": said, "subjects": [said]}),
            ("measure", {"kind": "training", "description": said}),
            ("recipient", {"name": said, "category": said, "country": said}),
        ]:
            db.value(
                "SELECT confiture.declare_fact(%s, %s, %s)",
                [kind, f"n{number}", json.dumps(declared)],
            )
        name = quoted(f"{text[:30]}{number} email")
        db.execute(f"CREATE SCHEMA {name}; CREATE TABLE {name}.{name} ({name} text)")
    # Names with control characters can be seen, and not be declared.
    db.execute('CREATE TABLE public."a.b" (email text)')
    db.execute('CREATE TABLE public.c ("e\x07 email" text, " email" text)')
    for regulation in REGULATIONS:
        json.loads(report(db, regulation))
        for form in ["json", "markdown", "html"]:
            text = report(db, regulation, form)
            assert not UNSEEN.search(text), (regulation, form)
            assert form != "html" or not re.search("<script|<img|onerror=", text)
            assert form != "markdown" or not re.search("^(# head|---)", text, re.M)
    load(db, "activities: {a: {name: A}}")
    suggested = db.value("SELECT confiture.suggest_controller('a')")
    assert suggested.count("# cannot be declared: ") == 5
    assert "facts declared" in load(db, suggested)
    assert db.value("SELECT confiture.suggest_controller('a')").endswith("columns: {}\n")
    exported = db.value("SELECT confiture.export_controller()")
    assert load(db, exported).startswith("0 facts declared")
    # What no document can say is not declared in another way either.
    declare = "SELECT confiture.declare_fact('activity', 'x', %s)"
    error = db.refused("22023", declare, [json.dumps({"name": "a\x07"})])
    assert "must not contain control characters" in error.message_primary


@pytest.fixture
def hostile(db):
    """Names and facts that mean something to HTML and Markdown."""
    schema, table, column = HOSTILE[:20], HOSTILE[:40], HOSTILE + " email"
    db.execute(f"CREATE SCHEMA {quoted(schema)}")
    name = f"{quoted(schema)}.{quoted(table)}"
    db.execute(f"CREATE TABLE {name} (id int, {quoted(column[:60])} text)")
    text, other = json.dumps(HOSTILE), json.dumps("no." + HOSTILE.replace(".", ""))
    load(db, f"""
organisations: {{a: {{role: controller, legal_name: {text}, contact: {text}}}}}
activities: {{a: {{name: {text}, purpose: {text}, subjects: [{text}]}}}}
measures: {{a: {{kind: training, description: {text}}}}}
recipients: {{a: {{name: {text}, category: {text}, country: {text}}}}}
columns: {{a: {{activity: a, table: {other}, columns: [{text}]}}}}
""")
    return db


def test_hostile_names_mean_nothing_to_markdown(hostile):
    for regulation in REGULATIONS:
        text = report(hostile, regulation, "markdown")
        assert "\u202e" not in text
        assert "<img" not in text
        # Punctuation behind a backslash is itself.
        assert not re.search(r"(?<!\\)\]\(|(?<!\\)`\$", text)


@pytest.mark.parametrize("regulation", REGULATIONS)
def test_hostile_names_mean_nothing_to_a_browser(hostile, chromium, tmp_path, regulation):
    page = tmp_path / f"{regulation}.html"
    page.write_text(report(hostile, regulation, "html"), encoding="utf-8")
    pages.loads_nothing(chromium, page)
    ids = chromium.value("[...document.querySelectorAll('[id]')].map(e => e.id)")
    assert len(ids) == len(set(ids))
    links = chromium.value("[...document.links].map(e => e.getAttribute('href').slice(1))")
    assert set(links) <= set(ids)
    pages.cells_are_whole(chromium)
    # What a reader of screens needs: one title, headings without gaps, pictures with names.
    assert chromium.value("document.querySelectorAll('h1').length") == 1
    heads = "[...document.querySelectorAll('h1,h2,h3')]"
    levels = chromium.value(f"{heads}.map(e => +e.tagName[1])")
    assert all(b - a <= 1 for a, b in zip(levels, levels[1:], strict=False))
    unnamed = chromium.value(
        "[...document.querySelectorAll('svg')].filter(e => e.getAttribute('role') != 'img'"
        " || !(e.getAttribute('aria-label') || e.getAttribute('aria-labelledby'))).length"
    )
    assert unnamed == 0
    pages.can_be_read(chromium)
    pages.is_reached_by_keyboard(chromium)


@pytest.mark.parametrize("yaml", [
    "!!python/object/apply:os.system ['x']",
    "organisations: &a [*a]",
    "organisations: {a: {role: controller, legal_name: x}}\norganisations: {}",
    "activities: {a: {name: \"a\\0b\"}}",
    "activities: {'a; DROP TABLE x': {name: x}}",
    "activities:\n" + "".join(f"  {'[' * 70}\n" for _ in range(1)),
    "measures: {a: {kind: training, description: " + "x" * 5000 + "}}",
])
def test_hostile_documents_are_refused_with_a_state(db, yaml):
    with pytest.raises(Exception) as error:
        load(db, yaml)
    assert error.value.sqlstate in {"22P02", "22023"}, error.value
    assert db.value("SELECT count(*) FROM confiture.controller_fact") == 0


def test_code_of_a_table_s_owner_does_not_run_for_a_report(db):
    """Planning a query evaluates constants in the expressions of its tables' indexes and checks."""
    owner = db.role("owner")
    db.execute(f"CREATE SCHEMA theirs AUTHORIZATION {owner}")
    session = db.session(owner)
    session.execute("""
        CREATE TABLE theirs.hit (who text);
        CREATE FUNCTION theirs.note() RETURNS int LANGUAGE plpgsql AS
          $$ BEGIN INSERT INTO theirs.hit VALUES (current_user); RETURN 1; END $$;
        CREATE FUNCTION theirs.one(int) RETURNS int IMMUTABLE LANGUAGE plpgsql AS
          $$ BEGIN RETURN theirs.note(); END $$;
        CREATE TABLE theirs.visits (at timestamptz, given timestamptz);
        INSERT INTO theirs.visits VALUES (now(), now());
        CREATE INDEX ON theirs.visits (at) WHERE theirs.one(1) > 0;
        CREATE TABLE theirs.plain (at timestamptz);
        CREATE INDEX ON theirs.plain (date_trunc('day', at AT TIME ZONE 'UTC'));
        CREATE TABLE theirs.parts (at timestamptz) PARTITION BY RANGE (at);
        CREATE TABLE theirs.part PARTITION OF theirs.parts DEFAULT;
        ALTER TABLE theirs.part ADD CHECK (theirs.one(2) > 0);
    """)
    session.execute("DELETE FROM theirs.hit")
    load(db, """
activities: {a: {name: A}}
retention_rules:
  index: {category: a, max: 1 year, table: theirs.visits, column: at}
  check: {category: b, max: 1 year, table: theirs.parts, column: at}
  plain: {category: c, max: 1 year, table: theirs.plain, column: at}
consent_sources: {c: {activity: a, table: theirs.visits, given_column: given}}
""")
    ask = "SELECT rule, problem FROM confiture.retention_overdue()"
    why = "its indexes, statistics or checks call functions of another role"
    assert dict(db.rows(ask)) == {"index": why, "check": why, "plain": None}
    for regulation in REGULATIONS:
        assert report(db, regulation)
    assert db.rows("SELECT * FROM theirs.hit") == []
    # Its owner has nothing to fear of himself.
    db.execute(f"SELECT confiture.grant_access('auditor', '{owner}')")
    assert dict(session.rows(ask)) == {"index": None, "check": None, "plain": None}


def test_planted_objects_take_no_part(db):
    make_small(db)
    db.execute("CREATE TABLE prod.visits (at timestamptz)")
    load(db, SMALL)
    db.execute("""
        CREATE SCHEMA evil;
        CREATE TABLE evil.hit (at text);
        CREATE FUNCTION evil.lt(timestamptz, timestamp) RETURNS boolean LANGUAGE plpgsql AS
          $$ BEGIN INSERT INTO evil.hit VALUES ('lt'); RETURN true; END $$;
        CREATE OPERATOR evil.< (LEFTARG = timestamptz, RIGHTARG = timestamp, FUNCTION = evil.lt);
        CREATE FUNCTION evil.to_char(timestamptz, text) RETURNS text LANGUAGE sql AS
          $$ INSERT INTO evil.hit VALUES ('to_char'); SELECT '' $$;
        CREATE FUNCTION evil.count(text) RETURNS text LANGUAGE sql AS
          $$ INSERT INTO evil.hit VALUES ('count'); SELECT '' $$;
    """)
    db.execute("SET search_path = evil, pg_catalog")
    assert report(db, "gdpr")
    assert db.value("SELECT pg_catalog.count(*) FROM evil.hit") == 0
    db.execute("RESET search_path")
