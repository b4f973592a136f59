-- custody: the state of every key, for whoever answers for them.

SELECT confiture._script_path(true);

CREATE VIEW confiture.key_status AS
  SELECT k.name, k.purpose, v.version, v.state, v.provider, v.kek_ref, v.kek_version,
         pg_catalog.now() - v.created_at AS age,
         CASE WHEN p.provider IS NOT NULL THEN p.problem IS NULL END AS reachable, p.problem,
         coalesce(l.entries, 0) AS ledger_entries, coalesce(u.profiles, '{}') AS profiles,
         v.created_at, v.created_by, v.wrapped_at, v.retired_at, v.destroyed_at
    FROM ONLY confiture.key k
    JOIN ONLY confiture.key_version v ON v.key_name = k.name
    -- Each service is asked once, however many keys it wraps; of keys held here each one is looked for.
    LEFT JOIN (SELECT w.provider, w.kek_ref, confiture.provider_problem(w.provider, w.kek_ref) AS problem
                 FROM (SELECT DISTINCT provider,
                              CASE WHEN provider IN ('file', 'env') THEN kek_ref END AS kek_ref
                         FROM ONLY confiture.key_version WHERE state <> 'destroyed') w) p
      ON p.provider = v.provider AND v.state <> 'destroyed'
     AND (p.kek_ref IS NULL OR p.kek_ref = v.kek_ref)
    LEFT JOIN (SELECT key_name, key_version, count(*) AS entries
                 FROM ONLY confiture.audit_log GROUP BY key_name, key_version) l
      ON l.key_name = v.key_name AND l.key_version = v.version
    LEFT JOIN (SELECT key_name, key_version,
                      pg_catalog.array_agg(name || ' ' || version ORDER BY id) AS profiles
                 FROM ONLY confiture.profile WHERE retired_at IS NULL
                GROUP BY key_name, key_version) u
      ON u.key_name = v.key_name AND u.key_version = v.version;
COMMENT ON VIEW confiture.key_status IS 'Keys and their versions: where they are wrapped, whether the provider answers now, and what refers to them';

SELECT confiture._script_path(false);
