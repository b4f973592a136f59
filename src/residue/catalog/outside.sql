-- What no look from inside the database reaches: kind, object, what it is, what ends it.
SELECT 'wal', 'pg_wal',
       pg_catalog.format('what was written before the masking is in it until it is recycled; archiving is %s',
                         pg_catalog.current_setting('archive_mode')),
       'CHECKPOINT; -- and delete what was archived before the masking'
UNION ALL
SELECT 'standby', r.slot_name::pg_catalog.text,
       pg_catalog.format('a %s slot keeps write-ahead log for somebody who may have the originals',
                         r.slot_type), NULL
  FROM pg_catalog.pg_replication_slots r
UNION ALL
SELECT 'backup', 'backups', 'those made before the masking hold the originals, in this place and others',
       NULL
UNION ALL
SELECT 'log', 'server log',
       pg_catalog.format('statements with values may stand in it; log_statement is %s, log_min_duration_statement %s',
                         pg_catalog.current_setting('log_statement'),
                         pg_catalog.current_setting('log_min_duration_statement')), NULL
