"""Commands that change the definition of the ledger, and what verification says of each."""

LIE = "CREATE FUNCTION own.lie() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END'"

# What changes the definition, and what verification says of it once the event triggers were off.
DEFINITIONS = {
    "disable a trigger": (
        "ALTER TABLE confiture.audit_log DISABLE TRIGGER audit_log_append_only_row",
        "Trigger audit_log_append_only_row on audit_log is disabled.",
    ),
    "disable triggers": (
        "ALTER TABLE confiture.ledger_head DISABLE TRIGGER USER",
        "Trigger ledger_head_append_only_update on ledger_head is disabled.",
    ),
    "disable for a replica": (
        "ALTER TABLE confiture.audit_log ENABLE REPLICA TRIGGER audit_log_append_only_row",
        "Trigger audit_log_append_only_row on audit_log does not fire always.",
    ),
    "drop a trigger": (
        "DROP TRIGGER audit_log_append_only_row ON confiture.audit_log",
        "Trigger audit_log_append_only_row on audit_log is missing.",
    ),
    "a trigger of another kind": (
        "DROP TRIGGER audit_log_append_only_truncate ON confiture.audit_log;"
        " CREATE TRIGGER audit_log_append_only_truncate AFTER TRUNCATE ON confiture.audit_log"
        " FOR EACH STATEMENT EXECUTE FUNCTION confiture._ledger_guard();"
        " ALTER TABLE confiture.audit_log ENABLE ALWAYS TRIGGER audit_log_append_only_truncate",
        "Definition of trigger audit_log_append_only_truncate on audit_log was changed.",
    ),
    "rename a trigger": (
        "ALTER TRIGGER audit_log_append_only_row ON confiture.audit_log RENAME TO x",
        "Trigger audit_log_append_only_row on audit_log is missing.",
    ),
    "plant a trigger": (
        f"{LIE}; CREATE TRIGGER a BEFORE INSERT ON confiture.audit_log"
        " FOR EACH ROW EXECUTE FUNCTION own.lie()",
        "Trigger a on audit_log does not belong there.",
    ),
    "change a type": (
        "ALTER TABLE confiture.audit_log ALTER COLUMN server_version TYPE bigint",
        'Column server_version of audit_log is "number',
    ),
    "drop a column": (
        "ALTER TABLE confiture.audit_log DROP COLUMN hostname",
        "Column hostname of audit_log is missing.",
    ),
    "drop a column of the head": (
        "ALTER TABLE confiture.ledger_head DROP COLUMN updated_at",
        "Column number 5 of ledger_head was dropped.",
    ),
    "add a column": (
        "ALTER TABLE confiture.audit_log ADD COLUMN note text",
        "Column note of audit_log does not belong there.",
    ),
    "rename a column": (
        "ALTER TABLE confiture.audit_log RENAME COLUMN hostname TO host",
        "Column hostname of audit_log is missing.",
    ),
    "allow nulls": (
        "ALTER TABLE confiture.audit_log ALTER COLUMN user_name DROP NOT NULL",
        'Column user_name of audit_log is "number',
    ),
    "set a default": (
        "ALTER TABLE confiture.audit_log ALTER COLUMN user_name SET DEFAULT 'x'",
        "Column user_name of audit_log is",
    ),
    "add a constraint": (
        "ALTER TABLE confiture.audit_log ADD CONSTRAINT no CHECK (false) NOT VALID",
        "Constraint no of audit_log does not belong there.",
    ),
    "drop a constraint": (
        "ALTER TABLE confiture.audit_log DROP CONSTRAINT audit_log_previous_entry_hash_key",
        "Constraint audit_log_previous_entry_hash_key of audit_log is missing.",
    ),
    "rename a constraint": (
        "ALTER TABLE confiture.audit_log RENAME CONSTRAINT audit_log_seq_check TO x",
        "Constraint audit_log_seq_check of audit_log is missing.",
    ),
    "put a closer function beside": (
        "CREATE FUNCTION confiture.get_audit_log() RETURNS SETOF confiture.audit_log"
        " LANGUAGE sql AS 'SELECT * FROM confiture.audit_log'",
        "Function get_audit_log() does not belong there.",
    ),
    "add an index": (
        "CREATE UNIQUE INDEX one_run ON confiture.audit_log ((seq * 2))",
        "Index one_run of audit_log does not belong there.",
    ),
    "rename an index": (
        "ALTER INDEX confiture.audit_log_id_key RENAME TO x",
        "Index audit_log_id_key of audit_log is missing.",
    ),
    "refer to it": (
        "CREATE TABLE own.t (seq bigint REFERENCES confiture.audit_log)",
        "Foreign key t_seq_fkey of table own.t refers to audit_log.",
    ),
    "replace the guard": (
        "CREATE OR REPLACE FUNCTION confiture._ledger_guard() RETURNS trigger LANGUAGE plpgsql"
        " AS 'BEGIN RETURN OLD; END'",
        'Function _ledger_guard() is "returns trigger, language plpgsql',
    ),
    "rename the guard": (
        "ALTER FUNCTION confiture._ledger_guard() RENAME TO x",
        "Function _ledger_guard() is missing.",
    ),
    "replace the verification": (
        "CREATE OR REPLACE FUNCTION confiture.audit_entry_json(id uuid) RETURNS jsonb"
        " LANGUAGE sql AS $$ SELECT '{}'::jsonb $$",
        "Function audit_entry_json(id uuid) was changed.",
    ),
    "have a function do less unless asked": (
        "DO $$ BEGIN EXECUTE replace(pg_get_functiondef("
        "'confiture.export_ledger(bigint)'::regprocedure), 'DEFAULT NULL::bigint', 'DEFAULT 1');"
        " END $$",
        "Function export_ledger(until bigint DEFAULT ",
    ),
    "give a function a path": (
        "ALTER FUNCTION confiture.get_audit_log(integer) SET search_path = own",
        "Function get_audit_log(",
    ),
    "inherit from it": (
        "CREATE TABLE own.child () INHERITS (confiture.audit_log)",
        "Table own.child inherits from audit_log.",
    ),
    "inherit from it afterwards": (
        "CREATE TABLE own.child (LIKE confiture.audit_log INCLUDING ALL);"
        " ALTER TABLE own.child INHERIT confiture.audit_log",
        "Table own.child inherits from audit_log.",
    ),
    "have it inherit": (
        "CREATE TABLE own.parent (); ALTER TABLE confiture.audit_log INHERIT own.parent",
        "Table audit_log inherits from own.parent.",
    ),
    "swallow by a rule": (
        "CREATE RULE r AS ON INSERT TO confiture.audit_log DO INSTEAD NOTHING",
        "There is a rule r on audit_log.",
    ),
    "swallow lineage by a rule": (
        "CREATE RULE r AS ON INSERT TO confiture.lineage DO INSTEAD NOTHING",
        "There is a rule r on lineage.",
    ),
    "disable the guards of the keys of runs": (
        "ALTER TABLE confiture.run_key DISABLE TRIGGER run_key_guard_row",
        "Trigger run_key_guard_row on run_key is disabled.",
    ),
    "hide rows": (
        "ALTER TABLE confiture.audit_log ENABLE ROW LEVEL SECURITY",
        'Row-level security of audit_log is "on" instead of "off".',
    ),
    "hide rows by a policy": (
        "CREATE POLICY p ON confiture.audit_log USING (seq <> 2)",
        "There is a policy p on audit_log.",
    ),
    "rename the table": (
        "ALTER TABLE confiture.audit_log RENAME TO old",
        "Table audit_log is missing.",
    ),
    "rename it and put a twin in its place": (
        "ALTER TABLE confiture.audit_log RENAME TO old;"
        " CREATE TABLE confiture.audit_log (LIKE confiture.old INCLUDING ALL)",
        "Table confiture.audit_log is not the one of the extension.",
    ),
    "move the table": (
        "ALTER TABLE confiture.ledger_head SET SCHEMA own",
        'Table ledger_head is "ordinary, permanent, in schema own"',
    ),
    "give it up": (
        "ALTER EXTENSION confiture DROP TABLE confiture.audit_log",
        "Table confiture.audit_log is not the one of the extension.",
    ),
    "give a guard up": (
        "ALTER EXTENSION confiture DROP FUNCTION confiture._ledger_guard()",
        "Function _ledger_guard() is",
    ),
    "forget it in a crash": (
        "ALTER TABLE confiture.ledger_head SET UNLOGGED",
        'Table ledger_head is "ordinary, unlogged',
    ),
    "let others write": (
        "GRANT INSERT ON confiture.audit_log TO public",
        "Role public has INSERT on table audit_log.",
    ),
    "let others write a column": (
        "GRANT UPDATE (user_name) ON confiture.audit_log TO public",
        "Role public has UPDATE on column user_name of table audit_log.",
    ),
    "let others plant": (
        "GRANT CREATE ON SCHEMA confiture TO public",
        "Role public has CREATE on schema confiture.",
    ),
}
