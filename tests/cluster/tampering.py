"""What only a superuser can do to the ledger, and must not be able to hide."""

from contextlib import contextmanager

COMMANDERS = (
    "SELECT t.evtname FROM pg_event_trigger t JOIN pg_proc p ON p.oid = t.evtfoid"
    " WHERE p.proname = '_definition_guard'"
)
TABLES = (
    "SELECT DISTINCT c.oid::regclass::text FROM pg_trigger t JOIN pg_class c ON c.oid = t.tgrelid"
    " JOIN pg_proc p ON p.oid = t.tgfoid WHERE p.proname = '_ledger_guard'"
)


@contextmanager
def commands_unguarded(db):
    """The event triggers off, as after no call of disarm(): nothing is on record."""
    names = db.column(COMMANDERS)
    assert names
    for name in names:
        db.execute(f"ALTER EVENT TRIGGER {name} DISABLE")
    yield
    for name in names:
        db.execute(f"ALTER EVENT TRIGGER {name} ENABLE ALWAYS")


@contextmanager
def unguarded(db):
    """Every guard off, and put back exactly as it was."""
    with commands_unguarded(db):
        for table in db.column(TABLES):
            db.execute(f"ALTER TABLE {table} DISABLE TRIGGER USER")
        yield
        for table in db.column(TABLES):
            for trigger in db.column(
                "SELECT tgname FROM pg_trigger WHERE tgrelid = %s::regclass AND NOT tgisinternal",
                [table],
            ):
                db.execute(f"ALTER TABLE {table} ENABLE ALWAYS TRIGGER {trigger}")


def tamper(db, statement):
    """Does something with every guard off."""
    with unguarded(db):
        db.execute(statement)
