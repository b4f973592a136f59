-- The beginning of queries that ask whom the caller trusts.
WITH RECURSIVE trusted AS (
  -- Whom the caller trusts: itself, superusers, and roles that are members of it already.
  SELECT r.oid
    FROM pg_catalog.pg_roles r
   CROSS JOIN (SELECT m.oid FROM pg_catalog.pg_roles m WHERE m.rolname = current_user) me
   WHERE r.oid = me.oid OR r.rolsuper OR pg_catalog.pg_has_role(r.oid, me.oid, 'MEMBER')
)
