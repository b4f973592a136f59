-- The last entry up to $1 behind which no run is astride: begun at or before it, and ended after
-- it, or still going in a session that is there. A run without an end whose session is gone is none.
WITH run AS (
  SELECT e.run_id,
         min(e.seq) FILTER (WHERE e.event = 'STARTED') AS first,
         max(e.seq) FILTER (WHERE e.event IN ('COMPLETED', 'FAILED')) AS last,
         bool_or(e.event = 'STARTED' AND EXISTS (
           SELECT FROM pg_catalog.pg_stat_activity a
            WHERE a.pid = e.backend_pid
              AND (a.backend_start = e.backend_start OR a.backend_start IS NULL))) AS is_going
    FROM ONLY confiture.audit_log e
   WHERE e.run_id IS NOT NULL AND e.event IN ('STARTED', 'COMPLETED', 'FAILED')
   GROUP BY e.run_id
), turn AS (
  SELECT r.first AS seq, 1 AS runs FROM run r
   WHERE r.first IS NOT NULL AND (r.last > r.first OR r.last IS NULL AND r.is_going)
  UNION ALL
  SELECT r.last, -1 FROM run r WHERE r.last > r.first
)
SELECT max(o.seq)
  FROM (SELECT e.seq, sum(coalesce(t.runs, 0)) OVER (ORDER BY e.seq) AS astride
          FROM ONLY confiture.audit_log e LEFT JOIN turn t ON t.seq = e.seq) o
 WHERE o.astride = 0 AND o.seq <= $1
