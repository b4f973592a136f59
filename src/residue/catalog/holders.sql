-- Who keeps old versions of rows, and what ends it.
SELECT pg_catalog.format('session %s', s.pid),
       pg_catalog.format('SELECT pg_terminate_backend(%s);', s.pid)
  FROM pg_catalog.pg_stat_activity s
 WHERE s.backend_xmin IS NOT NULL AND s.pid <> pg_catalog.pg_backend_pid()
   AND s.datname = pg_catalog.current_database()
UNION ALL
SELECT pg_catalog.format('prepared transaction %L', p.gid),
       pg_catalog.format('ROLLBACK PREPARED %L; -- or COMMIT PREPARED', p.gid)
  FROM pg_catalog.pg_prepared_xacts p WHERE p.database = pg_catalog.current_database()
UNION ALL
SELECT pg_catalog.format('replication slot %I', r.slot_name),
       pg_catalog.format('SELECT pg_drop_replication_slot(%L);', r.slot_name)
  FROM pg_catalog.pg_replication_slots r
 WHERE r.xmin IS NOT NULL OR r.catalog_xmin IS NOT NULL
 ORDER BY 1
