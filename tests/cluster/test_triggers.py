"""Triggers on target tables: refused, fired or skipped, as the caller says."""

import psycopg
import pytest

from samples import make_small

NOTE_DOWN = """
CREATE TABLE noted (at text);
CREATE FUNCTION note_down() RETURNS trigger LANGUAGE plpgsql
  AS $$ BEGIN INSERT INTO public.noted VALUES (TG_OP || ' ' || TG_LEVEL); RETURN NEW; END $$;
CREATE TRIGGER note_rows BEFORE INSERT ON staging.people FOR EACH ROW EXECUTE FUNCTION note_down();
"""


@pytest.fixture
def watched(db):
    """A target table that was refreshed once and then got a trigger."""
    make_small(db)
    db.sync()
    db.execute(NOTE_DOWN)
    return db


def test_a_trigger_on_the_target_stops_the_run_unless_told_otherwise(watched):
    before = watched.content("staging")
    report = watched.sync_refused({"55000", "22023", "0A000"})
    assert "note_rows" in " ".join(filter(None, [report.message_primary, report.message_detail]))
    watched.sync_refused({"55000", "22023", "0A000"}, options='{"triggers": "refuse"}')
    assert watched.content("staging") == before
    assert watched.events() == ["KEY_CREATED", "STARTED", "COMPLETED"]
    assert watched.rows("SELECT * FROM noted") == []


def test_fire_runs_the_trigger_for_every_row(watched):
    watched.sync(options='{"triggers": "fire"}')
    assert watched.column("SELECT at FROM noted") == ["INSERT ROW"] * 3


def test_skip_runs_none_and_leaves_the_trigger_enabled(watched):
    watched.sync(options='{"triggers": "skip"}')
    assert watched.rows("SELECT * FROM noted") == []
    assert watched.value("SELECT tgenabled FROM pg_trigger WHERE tgname = 'note_rows'") in (
        "O",
        b"O",
    )
    watched.execute("INSERT INTO staging.people VALUES (50, 'x', NULL)")
    assert watched.column("SELECT at FROM noted") == ["INSERT ROW"]


def test_a_trigger_that_fails_takes_the_run_back_without_its_words(watched):
    watched.execute(
        "CREATE OR REPLACE FUNCTION note_down() RETURNS trigger LANGUAGE plpgsql"
        " AS $$ BEGIN RAISE EXCEPTION 'row is %', NEW; END $$"
    )
    before = watched.content("staging")
    report = watched.sync_refused("P0001", options='{"triggers": "fire"}')
    text = " ".join(filter(None, [report.message_primary, report.message_detail, report.context]))
    assert "likes jam" not in text
    assert watched.content("staging") == before
    assert watched.events()[-2:] == ["STARTED", "FAILED"]


def test_a_trigger_that_drops_rows_is_noticed(watched):
    watched.execute(
        "CREATE OR REPLACE FUNCTION note_down() RETURNS trigger LANGUAGE plpgsql"
        " AS $$ BEGIN RETURN CASE WHEN NEW.id <> 2 THEN NEW END; END $$"
    )
    before = watched.content("staging")
    try:
        watched.sync(options='{"triggers": "fire"}')
    except psycopg.Error:
        assert watched.content("staging") == before
        assert watched.events()[-1] == "FAILED"
    else:
        raise AssertionError("two of three rows arrived, and the run called itself complete")


def test_triggers_of_the_source_are_not_taken_along(db):
    make_small(db)
    db.execute(
        "CREATE FUNCTION stop() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NULL; END'"
    )
    db.execute(
        "CREATE TRIGGER stop BEFORE INSERT ON prod.people FOR EACH ROW EXECUTE FUNCTION stop()"
    )
    db.sync()
    assert db.value("SELECT count(*) FROM staging.people") == 3
    assert (
        db.value(
            "SELECT count(*) FROM pg_trigger"
            " WHERE tgrelid = 'staging.people'::regclass AND NOT tgisinternal"
        )
        == 0
    )


def test_fire_runs_what_a_trigger_put_off_before_keys_are_added(watched):
    watched.execute(
        "CREATE CONSTRAINT TRIGGER later AFTER INSERT ON staging.people"
        " DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION note_down()"
    )
    watched.sync(options='{"triggers": "fire"}')
    assert watched.column("SELECT at FROM noted") == ["INSERT ROW"] * 6


WRITES = {
    "the original of another row": (
        "NEW.email := (SELECT email FROM prod.people WHERE id = NEW.id % 3 + 1)",
        "no value survived",
    ),
    "its own original in a text": (
        "NEW.note := 'was ' || (SELECT email FROM prod.people WHERE id = NEW.id)",
        "no text holds an identifier of its row",
    ),
}


@pytest.mark.parametrize("what", WRITES)
def test_what_a_trigger_writes_is_checked(watched, what):
    does, check = WRITES[what]
    watched.execute(
        "CREATE OR REPLACE FUNCTION note_down() RETURNS trigger LANGUAGE plpgsql"
        f" AS $$ BEGIN {does}; RETURN NEW; END $$"
    )
    before = watched.content("staging")
    report = watched.sync_refused("23000", options='{"triggers": "fire"}')
    assert check in report.message_detail and "mail.example" not in report.message_detail
    assert watched.content("staging") == before


def test_what_triggers_change_is_on_record(watched):
    watched.execute(
        "CREATE OR REPLACE FUNCTION note_down() RETURNS trigger LANGUAGE plpgsql"
        " AS $$ BEGIN IF NEW.id > 1 THEN NEW.note := 'made up'; END IF; RETURN NEW; END $$"
    )
    watched.sync(options='{"triggers": "fire"}')
    assert watched.rows(
        "SELECT column_name, numbers FROM confiture.verification"
        " WHERE check_name = 'values that triggers changed'"
    ) == [("note", {"rows": 2})]
