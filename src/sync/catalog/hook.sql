-- $1: schema, $2: name, $3: who registered it. The function of that name that takes one jsonb, as
-- the caller sees it.
--
-- Whom the caller trusts is read from the memberships themselves: a superuser passes every
-- pg_has_role, and a membership without SET, INHERIT and ADMIN (16 and later) lets nobody become
-- anything. The columns of these have other names and numbers in each version.
WITH RECURSIVE trusted AS (
  SELECT r.oid FROM pg_catalog.pg_roles r WHERE r.rolname = current_user
  UNION
  SELECT m.member
    FROM trusted t
    JOIN pg_catalog.pg_auth_members m ON m.roleid = t.oid
   CROSS JOIN LATERAL (SELECT pg_catalog.to_jsonb(m)) AS x (membership)
   WHERE m.admin_option
      OR coalesce((x.membership ->> 'set_option')::boolean, true)
      OR coalesce((x.membership ->> 'inherit_option')::boolean, true)
)
SELECT pg_catalog.jsonb_build_object(
         'oid', p.oid::pg_catalog.int8,
         'fits', p.prokind = 'f' AND NOT p.proretset
                 AND p.prorettype = 'pg_catalog.jsonb'::pg_catalog.regtype::pg_catalog.oid,
         'definer', p.prosecdef,
         'owner', pg_catalog.pg_get_userbyid(p.proowner),
         'owner_trusted', p.proowner IN (SELECT t.oid FROM trusted t)
                 OR EXISTS (SELECT FROM pg_catalog.pg_roles r
                             WHERE r.oid = p.proowner AND r.rolsuper),
         'callable', pg_catalog.has_schema_privilege(n.oid, 'USAGE')
                 AND pg_catalog.has_function_privilege(p.oid, 'EXECUTE'),
         'registrar_trusted', EXISTS (SELECT FROM pg_catalog.pg_roles r
                 WHERE r.rolname = $3
                   AND (r.rolsuper OR r.oid IN (SELECT t.oid FROM trusted t))),
         'definition', CASE WHEN p.prokind = 'f' THEN pg_catalog.encode(pg_catalog.sha256(
                 pg_catalog.convert_to(pg_catalog.pg_get_functiondef(p.oid), 'UTF8')), 'hex') END)
  FROM pg_catalog.pg_proc p
  JOIN pg_catalog.pg_namespace n ON n.oid = p.pronamespace
 WHERE n.nspname = $1 AND p.proname = $2 AND p.pronargs = 1
   AND p.proargtypes[0] = 'pg_catalog.jsonb'::pg_catalog.regtype::pg_catalog.oid
