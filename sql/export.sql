-- export: the ledger as lines that hold every stored field, for whoever checks it elsewhere.

SELECT confiture._script_path(true);

-- Each entry of the audit log comes after the lineage and the records that it covers, so that a
-- reader holds them against it as they go by. What no entry covers comes last. Where something was
-- pruned, the entry that says so comes first, as chain "pruned", and in its place again.
CREATE FUNCTION confiture.export_ledger(until bigint DEFAULT NULL)
  RETURNS SETOF text
  LANGUAGE sql STABLE PARALLEL SAFE
  SET search_path = pg_catalog, pg_temp
  -- A policy that would hide entries is an error, not a shorter log.
  SET row_security = off
AS $$
  SELECT o.line
    FROM (
      SELECT a.place, 3 AS kind, a.seq AS number,
             (SELECT row_to_json(r)::text FROM (
                SELECT a.chain, a.seq, a.id, a.log_id, a.event, a.origin,
                       (extract(epoch FROM a."timestamp") * 1000000)::bigint - 946684800000000 AS "timestamp",
                       a.user_name, a.session_user_name, a.hostname, a.application_name,
                       a.system_user_name, a.backend_pid,
                       (extract(epoch FROM a.backend_start) * 1000000)::bigint - 946684800000000 AS backend_start,
                       a.transaction_id, a.system_identifier, a.timeline_id, a.server_version,
                       a.extension_version, a.source_database, a.target_database, a.run_id,
                       a.source_schema, a.target_schema, a.profile_name, a.profile_version,
                       encode(a.profile_hash, 'hex') AS profile_hash, a.tables_synced,
                       a.rows_anonymized, a.strategies_applied, a.verification_passed,
                       a.verification_report, a.details, a.lineage_first, a.lineage_last,
                       encode(a.lineage_root, 'hex') AS lineage_root, a.journal_last,
                       encode(a.journal_root, 'hex') AS journal_root, a.key_name, a.key_version,
                       a.canon_version,
                       encode(a.previous_entry_hash, 'hex') AS previous_entry_hash,
                       encode(a.entry_hash, 'hex') AS entry_hash,
                       encode(a.signature, 'hex') AS signature) r) AS line
        FROM (SELECT 'audit' AS chain, e.seq AS place, e.*
                FROM ONLY confiture.audit_log e
               WHERE until IS NULL OR e.seq <= until
              UNION ALL
              SELECT 'pruned', 0, e.*
                FROM ONLY confiture.audit_log e
               WHERE e.seq = (SELECT max(p.seq) FROM ONLY confiture.audit_log p
                               WHERE p.event = 'PRUNED')) a
      UNION ALL
      SELECT l.place, 1, l.at, l.line
        FROM (SELECT min(m.entry) OVER (ORDER BY m.at DESC, m.entry IS NULL
                                        ROWS UNBOUNDED PRECEDING) AS place,
                     m.at, m.line
                FROM (SELECT a.lineage_last AS at, a.seq AS entry, NULL AS line
                        FROM ONLY confiture.audit_log a WHERE a.lineage_last IS NOT NULL
                      UNION ALL
                      SELECT s.seq, NULL,
                             (SELECT row_to_json(r)::text FROM (
                                SELECT 'lineage' AS chain, s.seq, s.log_id, s.run_id, s.origin,
                                       (extract(epoch FROM s."timestamp") * 1000000)::bigint - 946684800000000 AS "timestamp",
                                       s.source_schema, s.schema_name, s.table_name, s.column_name,
                                       s.rows_seen, s.rows_changed, s.rows_unchanged, s.nulls,
                                       encode(s.original_hash, 'hex') AS original_hash,
                                       encode(s.anonymized_hash, 'hex') AS anonymized_hash,
                                       s.commitment, s.row_binding, s.strategy, s.strategy_version,
                                       encode(s.strategy_params_hash, 'hex') AS strategy_params_hash,
                                       s.reversible, s.run_key_id, s.key_name, s.key_version,
                                       s.canon_version,
                                       encode(s.previous_entry_hash, 'hex') AS previous_entry_hash,
                                       encode(s.entry_hash, 'hex') AS entry_hash,
                                       encode(s.signature, 'hex') AS signature) r)
                        FROM ONLY confiture.lineage s
                       WHERE until IS NULL
                          OR s.seq <= (SELECT max(e.lineage_last) FROM ONLY confiture.audit_log e
                                        WHERE e.seq <= until)) m) l
       WHERE l.line IS NOT NULL
      UNION ALL
      SELECT j.place, 2, j.at, j.line
        FROM (SELECT min(m.entry) OVER (ORDER BY m.at DESC, m.entry IS NULL
                                        ROWS UNBOUNDED PRECEDING) AS place,
                     m.at, m.line
                FROM (SELECT a.journal_last AS at, a.seq AS entry, NULL AS line
                        FROM ONLY confiture.audit_log a
                      UNION ALL
                      SELECT s.number, NULL,
                             (SELECT row_to_json(r)::text FROM (
                                SELECT 'journal' AS chain, b.log_id, s.number,
                                       (extract(epoch FROM s.at) * 1000000)::bigint - 946684800000000 AS at,
                                       s.event, s.user_name, s.session_user_name, s.hostname,
                                       s.application_name, s.backend_pid, s.transaction_id,
                                       s.about, s.domain, s.reason, s.amount, s.key_name,
                                       s.key_version, s.canon_version,
                                       encode(s.signature, 'hex') AS signature) r)
                        FROM ONLY confiture.journal s
                        -- A record holds the log it belongs to in its hash only.
                        LEFT JOIN (SELECT f.log_id FROM ONLY confiture.audit_log f
                                    ORDER BY f.seq LIMIT 1) b ON true
                       WHERE until IS NULL
                          OR s.number <= (SELECT max(e.journal_last) FROM ONLY confiture.audit_log e
                                           WHERE e.seq <= until)) m) j
       WHERE j.line IS NOT NULL) o
   ORDER BY o.place NULLS LAST, o.kind, o.number
$$;
COMMENT ON FUNCTION confiture.export_ledger(bigint) IS 'Every field of audit log, lineage and journal as lines of JSON, in the order in which they are checked, up to an entry if one is given';

SELECT confiture._script_path(false);
