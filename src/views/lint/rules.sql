-- The rules that name relations in any way: of a whole row beside a column the server keeps the column
-- alone.
-- $1: relations.
SELECT w.oid::bigint, w.ev_class::bigint, w.ev_type::text, n.rels,
       w.ev_action::text || ' ' || w.ev_qual::text
  FROM (SELECT d.objid, pg_catalog.array_agg(DISTINCT d.refobjid::bigint) AS rels
          FROM (SELECT DISTINCT u.rel::pg_catalog.oid AS oid FROM pg_catalog.unnest($1::bigint[]) AS u (rel)) r
          JOIN pg_catalog.pg_depend d
            ON d.classid = 'pg_catalog.pg_rewrite'::pg_catalog.regclass
           AND d.refclassid = 'pg_catalog.pg_class'::pg_catalog.regclass AND d.refobjid = r.oid
         GROUP BY d.objid) n
  JOIN pg_catalog.pg_rewrite w ON w.oid = n.objid
