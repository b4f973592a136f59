-- sync: what runs made, and what they did.

SELECT confiture._script_path(true);

CREATE TABLE confiture.target_table (
  schema_name text NOT NULL,
  table_name text NOT NULL,
  made_by text NOT NULL,
  made_at timestamptz NOT NULL DEFAULT pg_catalog.clock_timestamp(),
  CONSTRAINT target_table_pkey PRIMARY KEY (schema_name, table_name)
);
COMMENT ON TABLE confiture.target_table IS 'Tables that runs made or took over: only those are emptied by a run';

-- In this database a table is known by its number, whatever it is called and whatever takes its name.
-- No dump carries these rows: what a dump brings is known by name until the next command, which gives
-- it its number.
CREATE TABLE confiture.table_number (
  registry text NOT NULL,
  schema_name text NOT NULL,
  table_name text NOT NULL,
  relation oid NOT NULL,
  CONSTRAINT table_number_pkey PRIMARY KEY (registry, relation),
  CONSTRAINT table_number_registry_check CHECK (registry IN ('made', 'masked'))
);
COMMENT ON TABLE confiture.table_number IS 'Numbers of the tables that runs made or masked in place; in no dump';

CREATE VIEW confiture.run_report AS
  SELECT e.run_id, e.profile_name, e.profile_version, e.source_schema, e.target_schema,
         s."timestamp" AS started_at, e."timestamp" AS finished_at,
         r.key AS table_name, r.value::bigint AS rows,
         pg_catalog.round((e.details -> 'milliseconds' ->> r.key)::numeric / 1000::numeric, 3) AS seconds,
         pg_catalog.round(r.value::numeric * 1000::numeric
           / nullif((e.details -> 'milliseconds' ->> r.key)::numeric, 0::numeric)) AS rows_per_second
    FROM ONLY confiture.audit_log e
    CROSS JOIN LATERAL pg_catalog.jsonb_each_text(e.rows_anonymized) r
    LEFT JOIN ONLY confiture.audit_log s ON s.run_id = e.run_id AND s.event = 'STARTED'
   WHERE e.event = 'COMPLETED'
   ORDER BY e.seq DESC, r.key;
COMMENT ON VIEW confiture.run_report IS 'Completed runs by table, newest first';

CREATE VIEW confiture.verification AS
  SELECT e.run_id, e.seq, e.event, e.profile_name, e.target_schema,
         c.number::integer AS number,
         -- Runs of before this was written had passed every check that is on record.
         coalesce((c.entry ->> 'passed')::boolean, e.verification_passed) AS passed,
         c.entry ->> 'check' AS check_name, c.entry ->> 'table' AS table_name,
         c.entry ->> 'column' AS column_name,
         c.entry - ARRAY['passed', 'check', 'table', 'column'] AS numbers
    FROM ONLY confiture.audit_log e
    CROSS JOIN LATERAL pg_catalog.jsonb_array_elements(e.verification_report)
               WITH ORDINALITY AS c (entry, number)
   WHERE e.event IN ('COMPLETED', 'FAILED') AND pg_catalog.jsonb_typeof(e.verification_report) = 'array'
   ORDER BY e.seq DESC, c.number;
COMMENT ON VIEW confiture.verification IS 'The checks of runs, newest first, with what they found';
CREATE TABLE confiture.hook (
  phase text NOT NULL,
  schema_name text NOT NULL,
  function_name text NOT NULL,
  profile_name text NOT NULL DEFAULT '',
  position integer NOT NULL,
  settings jsonb NOT NULL DEFAULT '{}',
  registered_by text NOT NULL,
  registered_at timestamptz NOT NULL DEFAULT pg_catalog.clock_timestamp(),
  CONSTRAINT hook_pkey PRIMARY KEY (phase, schema_name, function_name, profile_name),
  CONSTRAINT hook_phase_check CHECK (phase IN (
    'BEFORE_ANONYMIZATION', 'AFTER_ANONYMIZATION', 'ON_ANONYMIZATION_ERROR'))
);
COMMENT ON TABLE confiture.hook IS 'Functions that runs call';
COMMENT ON COLUMN confiture.hook.profile_name IS 'The profile whose runs call it; empty for all profiles';

CREATE VIEW confiture.hooks AS
  SELECT phase, position, pg_catalog.format('%I.%I', schema_name, function_name) AS function,
         nullif(profile_name, '') AS profile, settings, registered_by, registered_at
    FROM ONLY confiture.hook
   ORDER BY CASE phase WHEN 'BEFORE_ANONYMIZATION' THEN 1 WHEN 'AFTER_ANONYMIZATION' THEN 2
            ELSE 3 END, position, schema_name COLLATE "C", function_name COLLATE "C",
            profile_name COLLATE "C";
COMMENT ON VIEW confiture.hooks IS 'Functions that runs call, in the order in which they are called';

-- Whether a run that has no end is still going is said by the lock on its target, which the server
-- takes away with its session: held by its process, and by the run that began last on that target.
-- The lock is numbered by the hash of the target's name (frame.rs), and its class is 0xC0F1.
CREATE VIEW confiture.runs AS
  WITH begun AS (
    SELECT s.run_id, s.origin, s.profile_name, s.profile_version, s.source_schema,
           s.target_schema, s.user_name, s.backend_pid, s.backend_start,
           s."timestamp" AS started_at, false AS in_transaction
      FROM ONLY confiture.audit_log s
     WHERE s.event = 'STARTED' AND s.run_id IS NOT NULL
    UNION ALL
    SELECT j.about::uuid, 'run', c.profile_name, c.profile_version, c.source_schema, j.domain,
           j.user_name, j.backend_pid, NULL, j.at, true
      FROM ONLY confiture.journal j
      LEFT JOIN ONLY confiture.audit_log c ON c.run_id = j.about::uuid AND c.event = 'COMPLETED'
     WHERE j.event = 'STARTED'
  ), ended AS (
    SELECT e.run_id, e.event, e."timestamp" AS ended_at, e.details ->> 'phase' AS phase,
           e.details ->> 'sqlstate' AS sqlstate
      FROM ONLY confiture.audit_log e
     WHERE e.event IN ('COMPLETED', 'FAILED') AND e.run_id IS NOT NULL
    UNION ALL
    SELECT j.about::uuid, j.event, j.at, pg_catalog.substr(j.reason, 15),
           pg_catalog.substr(j.reason, 1, 5)
      FROM ONLY confiture.journal j WHERE j.event = 'FAILED'
  ), going AS (
    SELECT l.pid, l.classid, l.objid
      FROM pg_catalog.pg_locks l
      JOIN pg_catalog.pg_database d ON d.oid = l.database
     WHERE l.locktype = 'advisory' AND l.granted AND d.datname = pg_catalog.current_database()
       AND l.objsubid::integer & 65535 = x'C0F1'::integer
  )
  SELECT b.run_id, b.origin, b.profile_name, b.profile_version, b.source_schema, b.target_schema,
         b.user_name, b.in_transaction,
         CASE WHEN e.event = 'COMPLETED' THEN 'completed'
              WHEN e.event = 'FAILED' THEN 'failed'
              WHEN b.origin = 'run' AND EXISTS (
                     SELECT FROM going g
                      WHERE g.pid = b.backend_pid
                        AND g.classid::bigint = n.high AND g.objid::bigint = n.low)
                   AND NOT EXISTS (
                     SELECT FROM begun later
                      WHERE later.target_schema = b.target_schema AND later.origin = 'run'
                        AND later.started_at > b.started_at) THEN 'running'
              WHEN b.origin <> 'run' AND EXISTS (
                     SELECT FROM pg_catalog.pg_stat_activity a
                      WHERE a.pid = b.backend_pid
                        AND coalesce(a.backend_start = b.backend_start, true)) THEN 'running'
              -- Locks of the primary are not seen there.
              WHEN pg_catalog.pg_is_in_recovery() THEN 'unknown'
              ELSE 'interrupted' END AS state,
         b.started_at, e.ended_at, e.phase, e.sqlstate
    FROM begun b
    LEFT JOIN ended e ON e.run_id = b.run_id
   CROSS JOIN LATERAL (SELECT pg_catalog.sha256(pg_catalog.convert_to(b.target_schema, 'UTF8')))
              AS h (hash)
   CROSS JOIN LATERAL (SELECT
     ('x' || pg_catalog.encode(pg_catalog.substr(h.hash, 1, 4), 'hex'))::bit(32)::bigint,
     ('x' || pg_catalog.encode(pg_catalog.substr(h.hash, 5, 4), 'hex'))::bit(32)::bigint)
              AS n (high, low)
   ORDER BY b.started_at DESC;
COMMENT ON VIEW confiture.runs IS 'Every run: whether it is running, completed, failed or interrupted, newest first';

CREATE VIEW confiture.run_history AS
  SELECT e.run_id, e.profile_name, e.profile_version, e.source_schema, e.target_schema, e.user_name,
         e.details ->> 'mode' AS mode, pg_catalog.lower(e.event) AS state, e."timestamp" AS ended_at,
         pg_catalog.cardinality(e.tables_synced) AS tables, r.rows,
         p.milliseconds / 1000::numeric AS seconds,
         pg_catalog.round(r.rows * 1000::numeric / nullif(p.milliseconds, 0::numeric)) AS rows_per_second,
         e.details -> 'phases' AS milliseconds_by_phase,
         e.details ->> 'phase' AS failed_in, e.details ->> 'sqlstate' AS sqlstate
    FROM ONLY confiture.audit_log e
    LEFT JOIN LATERAL (SELECT pg_catalog.sum(n.value::numeric) AS rows
                         FROM pg_catalog.jsonb_each_text(e.rows_anonymized) n) r ON true
    LEFT JOIN LATERAL (SELECT pg_catalog.sum(n.value::numeric) AS milliseconds
                         FROM pg_catalog.jsonb_each_text(e.details -> 'phases') n) p ON true
   WHERE e.event IN ('COMPLETED', 'FAILED') AND e.origin = 'run'
   ORDER BY e.seq DESC;
COMMENT ON VIEW confiture.run_history IS 'Runs that are over, newest first: rows, seconds, and the milliseconds of each phase';

CREATE VIEW confiture.run_columns AS
  SELECT e.run_id, e.profile_name, e."timestamp" AS ended_at, t.key AS table_name, c.key AS column_name,
         pg_catalog.split_part(e.strategies_applied -> t.key ->> c.key, '/', 1) AS strategy,
         (c.value ->> 'calls')::bigint AS calls, (c.value ->> 'ns')::bigint AS nanoseconds_per_call,
         coalesce((c.value ->> 'redrawn')::bigint, 0::bigint) AS redrawn,
         coalesce((e.details -> 'cached' -> 'columns' -> t.key -> c.key ->> 'hits')::bigint, 0::bigint)
           AS cache_hits
    FROM ONLY confiture.audit_log e
    CROSS JOIN LATERAL pg_catalog.jsonb_each(CASE pg_catalog.jsonb_typeof(e.details -> 'columns')
                                               WHEN 'object' THEN e.details -> 'columns' END) t
    CROSS JOIN LATERAL pg_catalog.jsonb_each(t.value) c
   WHERE e.event = 'COMPLETED' AND e.origin = 'run'
   ORDER BY e.seq DESC, t.key, c.key;
COMMENT ON VIEW confiture.run_columns IS 'What the masks of each column have cost, run by run, newest first';

CREATE VIEW confiture.stat_strategies AS
  SELECT coalesce(d.strategy, f.strategy) AS strategy, coalesce(d.runs, 0::bigint) AS runs,
         coalesce(d.calls, 0::numeric) AS calls, d.nanoseconds_per_call,
         coalesce(d.redrawn, 0::numeric) AS redrawn, coalesce(d.cache_hits, 0::numeric) AS cache_hits,
         coalesce(f.errors, 0::bigint) AS errors
    FROM (SELECT w.strategy, pg_catalog.count(DISTINCT w.run_id) AS runs, pg_catalog.sum(w.calls) AS calls,
                 pg_catalog.round(pg_catalog.sum(w.calls::numeric * w.nanoseconds_per_call::numeric)
                   / nullif(pg_catalog.sum(w.calls) FILTER (WHERE w.nanoseconds_per_call IS NOT NULL),
                            0::numeric)) AS nanoseconds_per_call,
                 pg_catalog.sum(w.redrawn) AS redrawn, pg_catalog.sum(w.cache_hits) AS cache_hits
            FROM confiture.run_columns w GROUP BY w.strategy) d
    FULL JOIN (SELECT pg_catalog.split_part(e.strategies_applied -> (e.details ->> 'table')
                                              ->> (e.details ->> 'column'), '/', 1) AS strategy,
                      pg_catalog.count(*) AS errors
                 FROM ONLY confiture.audit_log e
                WHERE e.event = 'FAILED'
                  AND e.strategies_applied -> (e.details ->> 'table') ? (e.details ->> 'column')
                GROUP BY 1) f ON f.strategy = d.strategy
   ORDER BY 1;
COMMENT ON VIEW confiture.stat_strategies IS 'What the masks of each strategy have cost, over all runs on record';

CREATE VIEW confiture.sync_progress AS
  SELECT p.*, w.workers
    FROM confiture._sync_progress() p
   CROSS JOIN LATERAL (
    SELECT coalesce(pg_catalog.array_agg(
             a.pid || ' ' || CASE WHEN a.wait_event IS NULL THEN 'working'
                                  ELSE 'waiting: ' || a.wait_event END ORDER BY a.pid), '{}') AS workers
      FROM pg_catalog.pg_stat_activity a WHERE a.leader_pid = p.pid) w;
COMMENT ON VIEW confiture.sync_progress IS 'The runs of this database that go on, and how far each is';

SELECT confiture._script_path(false);
