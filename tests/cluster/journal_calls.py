"""What the tests of the journal ask of it, and how they get past its guards."""

from tampering import unguarded

REVEAL = "SELECT anon_fpe_decrypt('12345678')"


def tamper(db, *statements):
    """Does something with every guard off."""
    with unguarded(db):
        for statement in statements:
            db.execute(statement)


def numbers(db):
    """The numbers of the records in the order in which they lie in the table."""
    return db.column("SELECT number FROM confiture.journal")


def count(db):
    """How many records were counted."""
    return db.value("SELECT CASE WHEN is_called THEN last_value ELSE 0 END FROM confiture.journal_count")


def journal(db):
    """What verify_ledger says of the journal, as {code: (status, from, to)}."""
    rows = db.rows(
        "SELECT check_code, status, seq_from, seq_to FROM confiture.verify_ledger()"
        " WHERE chain = 'journal'"
    )
    return {row[0]: row[1:] for row in rows}


def is_right(db, last):
    """Every record from 1 is there, in order, signed, counted, and nothing else is found."""
    assert numbers(db) == list(range(1, last + 1))
    assert count(db) == last
    assert set(journal(db)) <= {"W01"}
    assert "OK" in db.findings()


def disable_event_triggers(db):
    """A superuser can, and then alters what they stand before."""
    for trigger in db.column(
        "SELECT evtname FROM pg_event_trigger WHERE evtname LIKE 'confiture%%'"
    ):
        db.execute(f"ALTER EVENT TRIGGER {trigger} DISABLE")
