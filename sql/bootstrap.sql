-- bootstrap: what must hold before anything is created.

DO $check$
DECLARE
  -- CREATE EXTENSION puts the schema of the masks first in the search path.
  here pg_catalog.name := pg_catalog.current_schema();
BEGIN
  IF pg_catalog.getdatabaseencoding() OPERATOR(pg_catalog.<>) 'UTF8' THEN
    RAISE EXCEPTION 'confiture needs a database with encoding UTF8'
      USING ERRCODE = 'feature_not_supported';
  END IF;
  -- Anyone who may create in the schema of the masks could plant a closer overload of one.
  IF EXISTS (
    SELECT FROM pg_catalog.pg_namespace n
      CROSS JOIN LATERAL pg_catalog.aclexplode(
        coalesce(n.nspacl, pg_catalog.acldefault('n', n.nspowner))) a
     WHERE n.nspname OPERATOR(pg_catalog.=) here
       AND a.grantee OPERATOR(pg_catalog.=) 0
       AND a.privilege_type OPERATOR(pg_catalog.=) 'CREATE'
  ) THEN
    RAISE EXCEPTION 'schema "%" lets everybody create objects', here
      USING ERRCODE = 'object_not_in_prerequisite_state',
            DETAIL = 'A function planted there could take the place of a mask.',
            HINT = pg_catalog.format('Run REVOKE CREATE ON SCHEMA %I FROM PUBLIC, or install with CREATE EXTENSION confiture SCHEMA another_one.', here);
  END IF;
END
$check$;

-- Plain: a schema of that name that exists already is an error, not something to adopt.
CREATE SCHEMA confiture;
COMMENT ON SCHEMA confiture IS 'confiture: profiles, runs, keys and the ledger';

-- The script runs with the schema of the masks in front, where others may have planted operators
-- that fit better than the server's own. What is not made there is made without it.
CREATE FUNCTION confiture._script_path(safe boolean) RETURNS text LANGUAGE sql AS $path$
  SELECT pg_catalog.set_config('search_path',
           CASE WHEN safe THEN 'pg_catalog, pg_temp'
                ELSE pg_catalog.concat(pg_catalog.quote_ident(n.nspname), ', pg_temp') END, true)
    FROM pg_catalog.pg_extension e
    JOIN pg_catalog.pg_namespace n ON n.oid OPERATOR(pg_catalog.=) e.extnamespace
   WHERE e.extname OPERATOR(pg_catalog.=) 'confiture'::pg_catalog.name
$path$;
