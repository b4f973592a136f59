"""Rows that violate a constraint of the target: all is taken back, and no value is printed."""

import pytest

from samples import fill_people, make_small, profile
from server import parts

# Nothing else in these tests looks like it, so it can be searched for.
VALUE = "recognisable-4711"


@pytest.fixture
def db(db):
    """A target that was refreshed once."""
    make_small(db)
    db.sync()
    return db


def fails(db, sqlstate, constraint):
    """The run fails with the condition of the constraint, which it names, and changes nothing."""
    db.notices.clear()
    before, events = db.content("staging"), db.events()
    report = db.sync_refused(sqlstate)
    text = f"{parts(report)} {db.notices}"
    assert VALUE not in text
    assert "people" in text and constraint in text
    assert db.content("staging") == before
    assert db.events() == [*events, "STARTED", "FAILED"]
    entry = db.value("SELECT row_to_json(a)::text FROM confiture.get_audit_log(1) AS a")
    assert VALUE not in entry and sqlstate in entry
    assert VALUE not in db.server.log()


def test_a_check(db):
    db.execute("ALTER TABLE staging.people ADD CONSTRAINT note_is_short CHECK (length(note) < 17)")
    fill_people(db, [(4, "d@mail.example", VALUE)])
    fails(db, "23514", "note_is_short")


def test_a_check_of_a_domain(db):
    db.execute("DROP SCHEMA staging CASCADE")
    db.execute("CREATE DOMAIN prod.short AS text")
    db.execute("ALTER TABLE prod.people ALTER note TYPE prod.short")
    db.sync()
    db.execute("ALTER DOMAIN staging.short ADD CONSTRAINT short_enough CHECK (length(VALUE) < 17)")
    before = db.content("staging")
    fill_people(db, [(4, "d@mail.example", VALUE)])
    report = db.sync_refused("23514")
    assert VALUE not in f"{report.message_primary} {report.message_detail} {report.context}"
    assert db.content("staging") == before
    assert db.events()[-1] == "FAILED"


def test_an_unchecked_check_of_a_domain_stays_unchecked(db):
    db.execute("DROP SCHEMA staging CASCADE")
    db.execute("CREATE DOMAIN prod.short AS text")
    db.execute("ALTER TABLE prod.people ALTER note TYPE prod.short")
    fill_people(db, [(4, "d@mail.example", VALUE)])
    # The source holds what its own domain forbids by now, and so may the copy; twice, as the
    # second run finds the check there.
    db.execute(
        "ALTER DOMAIN prod.short ADD CONSTRAINT short_enough CHECK (length(VALUE) < 17) NOT VALID"
    )
    for _ in range(2):
        db.sync()
        assert db.value(
            "SELECT NOT convalidated FROM pg_constraint WHERE contypid = 'staging.short'::regtype"
        )


def test_not_null(db):
    db.execute("DELETE FROM prod.people WHERE note IS NULL")
    db.sync()
    db.execute("ALTER TABLE staging.people ALTER note SET NOT NULL")
    fill_people(db, [(4, VALUE + "@mail.example", None)])
    fails(db, "23502", "note")


def test_a_unique_index(db):
    db.execute("CREATE UNIQUE INDEX notes_differ ON staging.people (note)")
    fill_people(db, [(4, "d@mail.example", VALUE), (5, "e@mail.example", VALUE)])
    fails(db, "23505", "notes_differ")


def test_a_unique_constraint(db):
    db.execute("ALTER TABLE staging.people ADD CONSTRAINT notes_differ UNIQUE (note) DEFERRABLE")
    fill_people(db, [(4, "d@mail.example", VALUE), (5, "e@mail.example", VALUE)])
    fails(db, "23505", "notes_differ")


def test_an_exclusion_constraint(db):
    db.execute(
        "ALTER TABLE staging.people ADD CONSTRAINT notes_differ EXCLUDE USING hash (note WITH =)"
    )
    fill_people(db, [(4, "d@mail.example", VALUE), (5, "e@mail.example", VALUE)])
    fails(db, "23P01", "notes_differ")


def test_a_foreign_key(db):
    db.execute("CREATE TABLE staging.kinds (note text PRIMARY KEY)")
    db.execute("INSERT INTO staging.kinds VALUES ('likes jam'), ('allergic to nuts')")
    db.execute(
        "ALTER TABLE staging.people ADD CONSTRAINT note_is_known FOREIGN KEY (note)"
        " REFERENCES staging.kinds"
    )
    fill_people(db, [(4, "d@mail.example", VALUE)])
    fails(db, "23503", "note_is_known")
    assert db.value("SELECT convalidated FROM pg_constraint WHERE conname = 'note_is_known'")


def test_a_value_too_long_for_its_column(db):
    db.execute("ALTER TABLE staging.people ALTER note TYPE varchar(16)")
    fill_people(db, [(4, "d@mail.example", VALUE)])
    before = db.content("staging")
    report = db.sync_refused({"22001", "42804"})
    assert VALUE not in f"{report.message_primary} {report.message_detail} {report.context}"
    assert db.content("staging") == before


def test_pseudonyms_that_collide(db):
    # Spellings of one address are one address to the strategy, and two to the unique index.
    db.execute("CREATE UNIQUE INDEX one_account ON prod.people (email)")
    db.execute("DROP SCHEMA staging CASCADE")
    fill_people(
        db, [(4, VALUE + "@mail.example", None), (5, VALUE.upper() + "@mail.example", None)]
    )
    report = db.sync_refused("23505")
    text = f"{report.message_primary} {report.message_detail} {report.context}"
    assert VALUE not in text.lower() and "people" in text
    assert db.content("staging") == {}
    assert db.events()[-1] == "FAILED"


def test_a_failed_run_leaves_no_new_schema_table_type_or_sequence(db):
    db.execute("CREATE SCHEMA shop")
    db.execute("CREATE TYPE shop.mood AS ENUM ('good')")
    db.execute("CREATE TABLE shop.a (id serial PRIMARY KEY, mood shop.mood, email text UNIQUE)")
    db.execute(
        "INSERT INTO shop.a (mood, email) VALUES ('good', 'x@y.example'), ('good', 'X@Y.example')"
    )
    db.load(profile({"a": {"email": "mail"}}, name="shop"))
    db.sync_refused("23505", profile="shop", source="shop", target="fresh")
    assert not db.value("SELECT EXISTS (SELECT FROM pg_namespace WHERE nspname = 'fresh')")


def test_the_run_after_a_failed_one_works(db):
    db.execute("ALTER TABLE staging.people ADD CONSTRAINT note_is_short CHECK (length(note) < 17)")
    fill_people(db, [(4, "d@mail.example", VALUE)])
    fails(db, "23514", "note_is_short")
    db.execute("DELETE FROM prod.people WHERE id = 4")
    db.sync()
    assert db.events()[-2:] == ["STARTED", "COMPLETED"]
