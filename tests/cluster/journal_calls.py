"""What the tests of the journal ask of it, and how they get past its guards."""

REVEAL = "SELECT anon_fpe_decrypt('12345678')"

GUARDS = [
    "journal_append_only_row",
    "journal_append_only_statement",
    "journal_append_only_truncate",
    "journal_insert_row",
    "journal_insert_statement",
]


def tamper(db, *statements):
    """What only a superuser can do, and must not be able to hide."""
    for guard in GUARDS:
        db.execute(f"ALTER TABLE confiture.journal DISABLE TRIGGER {guard}")
    for statement in statements:
        db.execute(statement)
    for guard in GUARDS:
        db.execute(f"ALTER TABLE confiture.journal ENABLE ALWAYS TRIGGER {guard}")


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
