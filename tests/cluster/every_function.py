"""Every function, procedure and aggregate of the extension, as the catalog has them, and a small world
in which a benign call of each finds something to do."""

import json

from samples import make_people, small

# What stands in messages by name: of profiles, tables, options, and words that are one of a list.
NAMES = {
    "activity", "algorithm", "alphabet", "anchors", "attribute", "brand", "budget", "canonical",
    "column", "column_name", "columns", "compatible", "compatible_function", "conflict", "context",
    "country", "dataset", "direction", "distance", "domain", "fields", "filter", "find", "format",
    "function", "gender", "group_by", "hierarchies", "id", "incident", "jurisdictions", "keep",
    "keep_class", "kek_ref", "kind", "locale", "measures", "method", "mode", "name", "namespace",
    "on_error", "on_miss", "on_name", "options", "params", "part", "path", "paths", "phase",
    "profile", "prefix", "provider", "purpose", "quasi_identifiers", "regulation", "role",
    "role_name", "salt", "schema", "schema_name", "scope", "sensitive", "servers", "settings",
    "policy", "small_domain", "source", "strategy", "style", "table", "table_name", "target",
    "topic", "unit",
    "unit_column", "unlisted", "value_type", "variant", "version", "yaml",
}  # fmt: skip

FUNCTIONS = """
    SELECT p.oid, p.oid::regprocedure::text, quote_ident(n.nspname) || '.' || quote_ident(p.proname),
           p.proname::text, p.prokind::text, p.proretset, format_type(p.prorettype, NULL),
           p.proparallel = 'u' OR p.prosecdef,
           ARRAY(SELECT coalesce(p.proargnames[a.n], '') FROM generate_series(1, p.pronargs) AS a (n)),
           ARRAY(SELECT format_type(a.t, NULL)
                   FROM unnest(p.proargtypes::oid[]) WITH ORDINALITY AS a (t, n) ORDER BY a.n),
           ARRAY(SELECT pg_get_function_arg_default(p.oid, a.n)
                   FROM generate_series(1, p.pronargs) AS a (n))
      FROM pg_depend d JOIN pg_proc p ON p.oid = d.objid JOIN pg_namespace n ON n.oid = p.pronamespace
     WHERE d.classid = 'pg_proc'::regclass AND d.refclassid = 'pg_extension'::regclass
       AND d.deptype = 'e'
       AND d.refobjid = (SELECT oid FROM pg_extension WHERE extname = 'confiture')
     ORDER BY 2"""

# Values that a mask takes, by type, and what else is given by the type alone.
ORDINARY = {
    "smallint": "7", "integer": "1", "bigint": "7", "numeric": "7", "real": "7",
    "double precision": "1", "boolean": "false", "text": "'4111111111111111'", "name": "'x'",
    "json": "'{}'", "jsonb": "'{}'", "bytea": "'\\x00ff'", "date": "'2019-03-04'",
    "timestamp without time zone": "'2019-03-04'", "timestamp with time zone": "'2019-03-04'",
    "interval": "'1 day'", "uuid": "'2f1b5a8e-0c3d-4a61-9a5e-6a1f0d7c9b11'", "inet": "'192.0.2.1'",
    "cidr": "'192.0.2.0/24'", "macaddr": "'08:00:2b:01:02:03'", "text[]": "'{x}'", "name[]": "'{note}'",
    "macaddr8": "'08:00:2b:01:02:03:04:05'", "oid": "'prod.people'::regclass", "tid": "'(0,1)'",
    "regclass": "'prod.people'", "uuid[]": "NULL", "internal": "NULL", '"any"': "'x'::text",
    "anyelement": "'x'::text", "anyenum": "'sad'::world.mood",
}  # fmt: skip

# By the name of an argument, where its type alone says too little.
NAMED = {
    "activity": "'orders'", "budget": "'research'", "sensitive": "'email'", "before": "'-infinity'", "choices": "NULL",
    "column": "'email'", "column_name": "'email'", "country": "'us'",
    "dataset": "'people'", "decision": "'x'", "delta": "0.001", "domain": "'people'",
    "epsilon": "0.001", "epsilon_limit": "9", "format": "'json'", "function": "'world.hook'", "lower": "0", "upper": "9", "q": "0.5", "conflict": "'X01'",
    "incident": "'i'", "k": "1", "kind": "'measure'", "kek_ref": "NULL", "mode": "'mark'",
    "name": "'spare'", "part": "'latitude'", "phase": "'AFTER_ANONYMIZATION'", "population":
    "'prod.people'", "profile": "'small'", "provider": "'file'", "reason": "'test'", "row_key": "NULL",
    "regulation": "'gdpr'", "rel": "'prod.people'", "role": "'postgres'", "role_name": "'postgres'",
    "run": "'{run}'", "sample": "'prod.people'", "schema": "'prod'", "schema_name": "'staging'",
    "seq": "1", "source": "'prod'", "strategy": "'hash'", "subject": "'s'", "subjects": "NULL",
    "table": "'people'", "table_name": "'people'", "target": "'staging'", "token": "'{token}'",
    "tokens": "ARRAY['{token}']", "unit_column": "'id'", "value_type": "'text'", "version": "'1'",
    "step": "7", "pairs": "'{\"7\": \"8\"}'",
}  # fmt: skip

YAML = "valid_from: 2026-01-01\nmeasures: {m: {kind: training, description: every year}}"
RULES = """
rules: mars
version: "1"
title: Mars
author: nobody
calendars: [{code: MARS, title: Mars, zone: UTC, weekend: [sunday]}]
instruments: [{code: M-LAW, title: Law of Mars, jurisdiction: MARS, citation: Law 1}]
requirements:
- {id: M-1, instrument: M-LAW, cite: s. 1, title: Keep it, kind: record, origin: knowledge,
   mappings: [{control: C-ROPA, rel: superset, rationale: The record has every operation}]}
"""

LABEL = "SECURITY LABEL FOR anon ON COLUMN prod.people.email IS 'MASKED WITH FUNCTION anon.fake_email()';"
GREENMASK = """
dump: {transformation: [{schema: prod, name: people, transformers: [{name: SetNull, params: {column: note}}]}]}
"""

# By function and argument, where one name means several things.
OF = {
    ("anon_dp_budget_create", "name"): "'fresh'",
    ("anon_dp_budget_grant", "name"): "'research'",
    ("anon_dp_budget_report", "name"): "'research'",
    ("anon_dp_budget_retire", "name"): "'research'",
    ("anon_dp_budget_revoke", "name"): "'research'",
    ("anon_dp_budget_raise", "name"): "'research'",
    ("anon_dp_release_avg", "column_name"): "'id'",
    ("anon_dp_release_quantile", "column_name"): "'id'",
    ("anon_dp_release_sum", "column_name"): "'id'",
    ("anon_dp_budget_raise", "epsilon_limit"): "99999",
    ("anon_dp_register", "columns"): """'{"id": {"lower": 0, "upper": 9}}'""",
    ("anon_dp_register", "dataset"): "'again'",
    ("anon_dp_release", "measures"): """'[{"count": "*"}]'""",
    ("create_domain", "name"): "'fresh'",
    ("create_domain", "format"): "'base32'",
    ("create_key", "name"): "'fresh'",
    ("create_masked_views", "target"): "'fresh'",
    ("decide_conflict", "expires"): "'2099-12-31'",
    ("decide_conflict", "scope"): "'*'",
    ("declare_fact", "fields"): """'{"kind": "training", "description": "x"}'""",
    ("destroy_key_version", "version"): "1",
    ("detect", "sample"): "10",
    ("drop_masked_views", "target"): "'masked'",
    ("grant_access", "domain"): "NULL",
    ("grant_access", "kind"): "'auditor'",
    ("import_anon_labels", "dump"): "$d$" + LABEL + "$d$",
    ("import_anon_labels", "policy"): "'anon'",
    ("import_anon_report", "dump"): "$d$" + LABEL + "$d$",
    ("import_anon_report", "policy"): "'anon'",
    ("import_greenmask", "config"): "$y$" + GREENMASK + "$y$",
    ("import_greenmask_report", "config"): "$y$" + GREENMASK + "$y$",
    ("lineage_report", "format"): "'markdown'",
    ("load_controller", "yaml"): "$y$" + YAML + "$y$",
    ("load_profile", "yaml"): "$y$" + small(version="2") + "$y$",
    ("load_rules", "yaml"): "$y$" + RULES + "$y$",
    ("mask_in_place", "schema"): "'copy'",
    ("mask_replication", "target"): "'staging'",
    ("prune_ledger", "dry_run"): "true",
    ("refresh_masked_views", "target"): "'masked'",
    ("retire_profile", "name"): "'small'",
    ("revoke_access", "domain"): "NULL",
    ("revoke_access", "kind"): "'auditor'",
    ("share_key", "name"): "'masking'",
    ("share_key", "version"): "1",
    ("suggest_profile", "sample"): "10",
    ("validate_profile", "yaml"): "$y$" + small() + "$y$",
    ("verify_fleet", "servers"): "'[]'",
    ("verify_lineage_row", "row_key"): "'{1}'",
    ("withdraw_fact", "id"): "'m'",
}  # fmt: skip

# What a function wants to have happened in its transaction.
BEFORE = {
    name: "SELECT confiture.begin_run('by hand', 'prod', 'staging')"
    for name in ("track", "end_run", "fail_run")
} | {"unmask_replication": "SELECT confiture.mask_replication('small', 'staging')"}


class Function:
    """One of them, and how it is called."""

    def __init__(self, row, world):
        (self.oid, self.shown, self.path, self.name, self.kind, self.is_set, self.returns,
         self.writes, self.names, self.types, self.defaults) = row  # fmt: skip
        # A strategy as a function: it writes nothing, and there is one for each type.
        takes_value = self.names[:1] == ["value"]
        self.is_mask = takes_value and (not self.writes or self.name.endswith("_decrypt"))
        self.benign = [self._benign(place, world) for place in range(len(self.types))]

    def _benign(self, place, world):
        name, kind = self.names[place], self.types[place]
        if (self.name, name) in OF:
            text = OF[self.name, name]
        elif self.defaults[place] is not None:
            return self.defaults[place]
        elif name in NAMED and kind not in ("anyenum", "anyelement"):
            text = NAMED[name]
        else:
            text = ORDINARY[kind]
        for what, found in world.items():
            text = text.replace(f"{{{what}}}", str(found))
        return text if kind in ('"any"', "anyelement", "anyenum") else f"({text})::{kind}"

    def call(self, arguments):
        """The statement, its arguments as SQL."""
        call = f"{self.path}({', '.join(arguments)})"
        if self.kind == "p":
            return f"CALL {call}"
        if self.kind == "a":
            return f"SELECT {call} FROM pg_catalog.generate_series(1, 3)"
        if self.returns in ("trigger", "event_trigger", "internal") or not self.is_set:
            return f"SELECT {call}"
        return f"SELECT * FROM {call}"

    def with_one(self, place, kind):
        """The statement with one argument as a parameter of a type."""
        return self.call([*self.benign[:place], f"$1::{kind}", *self.benign[place + 1 :]])


def make_world(db):
    """Something of everything there is, and what in it is found by an id."""
    make_people(db)
    db.load(small())
    db.execute("""
        CREATE SCHEMA world;
        CREATE TYPE world.pair AS (a integer, b text);
        CREATE TYPE world.mood AS ENUM ('sad', 'glad');
        CREATE DOMAIN world.short AS text CHECK (length(VALUE) < 9);
        CREATE SEQUENCE world.numbers;
        CREATE TABLE world.parts (id integer, note text) PARTITION BY RANGE (id);
        CREATE FUNCTION world.hook(context jsonb) RETURNS jsonb LANGUAGE sql AS 'SELECT ''{}''::jsonb';
        CREATE SCHEMA copy CREATE TABLE people (id integer PRIMARY KEY, email text, note text);
        INSERT INTO copy.people SELECT * FROM prod.people;
        SELECT confiture.create_key('spare'), confiture.create_domain('people');
        SELECT confiture.rotate_key('spare');
        SELECT confiture.create_key('salt-people');
        SELECT anon_dp_budget_create('research', 99998);
        SELECT anon_dp_budget_grant('research', 'postgres');
        SELECT confiture.grant_access('revealer', 'postgres', 'people');
        SELECT confiture.tokenize_batch('people', '{b}', '{s}');
        SELECT confiture.register_hook('AFTER_ANONYMIZATION', 'world.hook');
        SELECT anon_dp_register('people', 'prod.people', 'id', 'research',
                                '{"id": {"lower": 0, "upper": 9}}')""")
    db.execute("SELECT confiture.load_controller(%s)", [YAML])
    incident = json.dumps({"known_at": "2026-03-01T12:00:00Z", "jurisdictions": ["EU"]})
    db.execute("SELECT confiture.declare_fact('incident', 'i', %s)", [incident])
    db.sync(options='{"lineage_rows": true}')
    db.execute("SELECT confiture.create_masked_views('small', 'prod', 'masked')")
    return {
        "run": db.value("SELECT run_id FROM confiture.lineage LIMIT 1"),
        "token": db.value("SELECT (confiture.tokenize_batch('people', '{a}'))[1]"),
    }


def functions(db, world):
    """All of them."""
    return [Function(row, world) for row in db.rows(FUNCTIONS)]


def grant_everything(db, role):
    """Every kind of access, and every function beside: what a role can have that is no superuser."""
    for kind in ("masker", "operator", "revealer", "auditor", "analyst", "officer", "admin"):
        db.execute("SELECT confiture.grant_access(%s, %s)", [kind, role])
    db.execute("SELECT confiture.grant_access('revealer', %s, 'people')", [role])
    db.execute("SELECT anon_dp_budget_grant('research', %s)", [role])
    named = db.column(f"""
        SELECT format('%s(%s)', f.path, pg_get_function_identity_arguments(f.oid))
          FROM ({FUNCTIONS}) AS f (oid, shown, path, name, kind, is_set, returns, writes, names, types, defaults)
    """)
    schemas = "confiture, public, prod, staging, masked, copy, world"
    db.execute(f"GRANT EXECUTE ON ROUTINE {', '.join(named)} TO {role}")
    db.execute(f"GRANT USAGE ON SCHEMA {schemas} TO {role}")
    db.execute(f"GRANT SELECT ON ALL TABLES IN SCHEMA {schemas} TO {role}")
    db.execute(f"GRANT CREATE ON DATABASE {db.name} TO {role}")
