"""What a session knows of the ledger's definition is never older than the catalog: it has just
appended, found the definition good, and then somebody changes it."""

import pytest

from definitions import DEFINITIONS
from samples import make_small
from tampering import commands_unguarded

APPEND = "SELECT confiture.rotate_key('masking')"

# A superuser's hand in the catalogs themselves: no command runs, no event trigger fires.
BY_HAND = {
    "say that a table has no triggers": (
        "UPDATE pg_class SET relhastriggers = false WHERE oid = 'confiture.audit_log'::regclass"
    ),
    "a trigger off": "UPDATE pg_trigger SET tgenabled = 'D' WHERE tgname = 'audit_log_append_only_row'",
    "a trigger gone": "DELETE FROM pg_trigger WHERE tgname = 'lineage_append_only_insert'",
    "a trigger of another function": "UPDATE pg_trigger SET tgfoid = 'confiture._journal_guard'::regproc"
    " WHERE tgname = 'audit_log_append_only_insert'",
    "an event trigger off": "UPDATE pg_event_trigger SET evtenabled = 'D'"
    " WHERE evtname = 'confiture_definition_end'",
    "another owner": "UPDATE pg_class SET relowner = 'pg_monitor'::regrole"
    " WHERE oid = 'confiture.audit_log'::regclass",
    "row-level security": "UPDATE pg_class SET relrowsecurity = true"
    " WHERE oid = 'confiture.audit_log'::regclass",
    "nulls": "UPDATE pg_attribute SET attnotnull = false"
    " WHERE attrelid = 'confiture.audit_log'::regclass AND attname = 'user_name'",
    "another source": "UPDATE pg_proc SET prosrc = 'anchor_key_wrapper'"
    " WHERE oid = 'confiture._ledger_guard'::regproc",
    "another library": "UPDATE pg_proc SET probin = '/tmp/x'"
    " WHERE oid = 'confiture._definition_guard'::regproc",
    "a setting": "UPDATE pg_proc SET proconfig = '{search_path=x}'"
    " WHERE oid = 'confiture.get_audit_log'::regproc",
    "no member": "DELETE FROM pg_depend WHERE deptype = 'e' AND classid = 'pg_class'::regclass"
    " AND objid = 'confiture.audit_log'::regclass",
    "a function that is no member": "DELETE FROM pg_depend WHERE deptype = 'e'"
    " AND classid = 'pg_proc'::regclass AND objid = 'confiture._ledger_guard'::regproc",
    "an event trigger that is no member": "DELETE FROM pg_depend WHERE deptype = 'e'"
    " AND classid = 'pg_event_trigger'::regclass AND objid ="
    " (SELECT oid FROM pg_event_trigger WHERE evtname = 'confiture_definition_drop')",
    "a child": "INSERT INTO pg_inherits SELECT 'own.mine'::regclass,"
    " 'confiture.audit_log'::regclass, 1, false",
    "a policy": "INSERT INTO pg_policy SELECT 999999, 'p', 'confiture.lineage'::regclass, '*', true,"
    " '{0}', NULL, NULL",
    "a rule": "UPDATE pg_rewrite SET ev_class = 'confiture.audit_log'::regclass"
    " WHERE ev_class = 'own.shown'::regclass",
    "a default": "UPDATE pg_attrdef SET adrelid = 'confiture.run_key'::regclass, adnum = 2"
    " WHERE adrelid = 'own.mine'::regclass",
    "no index": "UPDATE pg_index SET indisvalid = false"
    " WHERE indexrelid = 'confiture.audit_log_pkey'::regclass",
    "no constraint": "DELETE FROM pg_constraint WHERE conname = 'audit_log_seq_check'",
    "rights": "UPDATE pg_class SET relacl = relacl || '{=w/postgres}'"
    " WHERE oid = 'confiture.audit_log'::regclass",
    "rights on a column": "UPDATE pg_attribute SET attacl = '{=w/postgres}'"
    " WHERE attrelid = 'confiture.audit_log'::regclass AND attname = 'seq'",
    "rights on the schema": "UPDATE pg_namespace SET nspacl = nspacl || '{=C/postgres}'"
    " WHERE nspname = 'confiture'",
    "another version": "UPDATE pg_extension SET extversion = '9' WHERE extname = 'confiture'",
}


@pytest.fixture
def db(db):
    """A session that has appended, another one that has, and things to put in their way."""
    make_small(db)
    db.execute(
        "CREATE SCHEMA own; CREATE TABLE own.mine (a integer DEFAULT 1);"
        "CREATE VIEW own.shown AS SELECT 1 AS x"
    )
    db.other = db.session()
    for session in (db, db.other):
        for _ in range(2):
            session.execute(APPEND)
    return db


def refused(session):
    return session.refused({"XX001", "55000"}, APPEND)


@pytest.mark.parametrize("attempt", DEFINITIONS)
def test_a_session_that_has_appended_finds_what_it_changes_itself(db, attempt):
    statement, _ = DEFINITIONS[attempt]
    db.execute("BEGIN")
    with commands_unguarded(db):
        db.execute(statement)
    refused(db)
    db.execute("ROLLBACK")
    db.execute(APPEND)


@pytest.mark.parametrize("attempt", DEFINITIONS)
def test_a_session_that_has_appended_finds_what_another_changes(db, attempt):
    statement, _ = DEFINITIONS[attempt]
    with commands_unguarded(db):
        db.execute(statement)
    refused(db.other)
    refused(db.session())


@pytest.mark.parametrize("attempt", BY_HAND)
def test_a_session_that_has_appended_finds_what_is_written_into_the_catalogs(db, attempt):
    statement = BY_HAND[attempt]
    db.execute("BEGIN")
    assert db.execute(statement).rowcount == 1
    refused(db)
    db.execute("ROLLBACK")
    db.execute(APPEND)
    db.other.execute(APPEND)
    # And committed, by another session, in the middle of a transaction of this one.
    db.other.execute("BEGIN")
    db.other.execute("SELECT confiture.installation_id()")
    db.execute(statement)
    refused(db.other)
    db.other.execute("ROLLBACK")


def test_an_owner_that_is_no_superuser_any_more_is_found(server):
    db = server.create_database(extension=False)
    boss, other = f"boss_{db.name}", f"other_{db.name}"
    db.execute(f"CREATE ROLE {boss} LOGIN SUPERUSER; CREATE ROLE {other} LOGIN SUPERUSER")
    try:
        db.session(boss).execute("CREATE EXTENSION confiture")
        with commands_unguarded(db):
            db.execute(f"ALTER TABLE confiture.audit_log OWNER TO {other}")
        db.make_key()
        db.execute(APPEND)
        db.execute(APPEND)
        db.execute(f"ALTER ROLE {other} NOSUPERUSER")
        refused(db)
    finally:
        db.drop()


def test_savepoints_and_what_is_undone_are_followed(db):
    db.execute("BEGIN")
    db.execute(APPEND)
    db.execute("SAVEPOINT s")
    with commands_unguarded(db):
        db.execute("ALTER TABLE confiture.audit_log ADD COLUMN note text")
    db.execute("SAVEPOINT t")
    refused(db)
    db.execute("ROLLBACK TO t")
    refused(db)
    db.execute("ROLLBACK TO s")
    db.execute(APPEND)
    db.execute("COMMIT")
    assert "OK" in db.findings()
