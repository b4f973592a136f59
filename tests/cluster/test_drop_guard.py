"""What would drop the ledger is refused while it has entries: evidence does not go by accident."""

import pytest

from samples import make_small, small


@pytest.fixture
def used(db):
    """A database whose ledger has entries."""
    make_small(db)
    db.sync()
    return db


def is_there(db):
    """Whether the ledger stands, with its entries."""
    return (
        db.value("SELECT to_regclass('confiture.audit_log') IS NOT NULL")
        and db.events()[:3] == ["KEY_CREATED", "STARTED", "COMPLETED"]
    )


DROPS = [
    "DROP EXTENSION confiture",
    "DROP EXTENSION confiture CASCADE",
    "DROP EXTENSION IF EXISTS confiture",
    "DROP EXTENSION plpgsql, confiture CASCADE",
    "DROP SCHEMA confiture CASCADE",
    "DROP SCHEMA public CASCADE",
    'DROP SCHEMA "public" CASCADE',
    "DROP SCHEMA other, public CASCADE",
    "DROP SCHEMA IF EXISTS confiture CASCADE",
    "DO $$ BEGIN DROP EXTENSION confiture; END $$",
    "DO $$ BEGIN EXECUTE 'DROP SCHEMA public CASCADE'; END $$",
]


@pytest.mark.parametrize("drop", DROPS)
@pytest.mark.parametrize("role", ["origin", "replica"])
def test_a_command_that_takes_the_ledger_along_is_refused(used, drop, role):
    used.execute("CREATE SCHEMA other")
    used.execute(f"SET session_replication_role = {role}")
    report = used.refused("55000", drop)
    assert "allow_drop" in report.message_hint
    assert "confiture.export_ledger()" in report.message_hint
    assert is_there(used)


@pytest.mark.parametrize("drop", DROPS)
def test_a_superuser_who_says_so_drops_it(used, drop):
    used.execute("CREATE SCHEMA other")
    used.execute("SET confiture.allow_drop = on")
    if "DROP SCHEMA" in drop and "confiture" in drop:
        # Past the guard PostgreSQL has its own word: the schema belongs to the extension.
        used.refused("2BP01", drop)
        drop = "DROP EXTENSION confiture"
    used.execute(drop.replace("plpgsql, ", ""))
    assert used.value("SELECT to_regclass('confiture.audit_log') IS NULL")


def test_drop_owned_by_the_owner_is_refused(bare):
    # The owner is a superuser of its own: the first one's objects can never be dropped.
    boss = f"boss_{bare.name}"
    bare.execute(f"CREATE ROLE {boss} LOGIN SUPERUSER")
    session = bare.session(boss)
    session.execute("CREATE EXTENSION confiture")
    bare.make_key()
    make_small(bare)
    bare.sync()
    for drop in (
        f"DROP OWNED BY {boss}",
        "DROP OWNED BY CURRENT_USER",
        f"DROP OWNED BY {boss} CASCADE",
    ):
        session.refused("55000", drop)
    assert is_there(bare)
    bare.execute(f"DROP OWNED BY {bare.role('somebody')}")
    session.execute("SET confiture.allow_drop = on")
    session.execute(f"DROP OWNED BY {boss} CASCADE")
    assert bare.value("SELECT to_regclass('confiture.audit_log') IS NULL")


def test_other_drops_are_nobodys_business(used):
    used.execute("CREATE SCHEMA other CREATE TABLE t ()")
    used.execute("CREATE EXTENSION IF NOT EXISTS plpgsql")
    # Nothing of the extension is written in it.
    used.execute("DROP EXTENSION plpgsql CASCADE")
    used.execute("DROP SCHEMA other CASCADE")
    used.execute("DROP SCHEMA staging CASCADE")
    used.refused("2BP01", "DROP SCHEMA public")
    assert is_there(used)


def test_single_objects_of_the_extension_cannot_be_dropped(used):
    for drop in (
        "TABLE confiture.audit_log",
        "TABLE confiture.audit_log CASCADE",
        "EVENT TRIGGER confiture_drop_guard",
        "FUNCTION confiture._ledger_guard() CASCADE",
    ):
        used.refused("2BP01", f"DROP {drop}")
    assert is_there(used)


def test_a_key_that_was_made_is_entry_enough(db):
    assert db.events() == ["KEY_CREATED"]
    for drop in ("DROP EXTENSION confiture", "DROP SCHEMA public CASCADE"):
        assert "allow_drop" in db.refused("55000", drop).message_hint
    assert db.events() == ["KEY_CREATED"]
    assert db.value("SELECT anon_email('x') IS NOT NULL")


def test_without_entries_it_can_be_dropped_and_made_again(bare):
    bare.execute("CREATE EXTENSION confiture")
    # A profile leaves no entry.
    make_small(bare)
    assert bare.events() == []
    bare.execute("DROP EXTENSION confiture")
    assert bare.column("SELECT nspname FROM pg_namespace WHERE nspname = 'confiture'") == []
    assert bare.column("SELECT evtname FROM pg_event_trigger") == []
    bare.execute("CREATE EXTENSION confiture")
    bare.make_key()
    bare.load(small())
    bare.sync()
    assert is_there(bare)


def test_only_a_superuser_may_say_so(used):
    stranger = used.session(used.role("stranger"))
    used.execute(
        f"SELECT confiture.grant_access('masker', '{stranger.value('SELECT current_user')}')"
    )
    stranger.execute("SELECT anon_redact('x')")
    stranger.refused("42501", "SET confiture.allow_drop = on")
