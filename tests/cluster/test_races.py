"""Between the check and the load: what a weaker role swaps in meanwhile is not run either."""

import pytest

from samples import make_people, profile
from test_concurrency import Background, wait_until
from test_hostile import mallory as mallory_fixture
from test_hostile import people_of, ran

CALL = "CALL confiture.sync('small', 'prod', 'staging', '{\"triggers\": \"fire\"}')"

mallory = mallory_fixture


class Pause:
    """A superuser's run that was checked and now waits for its turn at the ledger."""

    def __init__(self, db):
        self.db = db
        self.holder = db.session(autocommit=False)
        self.holder.execute("SELECT * FROM confiture.ledger_head FOR UPDATE")
        self.runner = db.session()
        self.run = Background(lambda: self.runner.execute(CALL))
        wait_until(self.is_blocked)

    def is_blocked(self):
        """Whether the run waits for the ledger."""
        return self.db.value("SELECT cardinality(pg_blocking_pids(%s)) > 0", [self.runner.pid()])

    def end(self):
        """Lets the run go on; the SQLSTATE it ended with, None where it went through."""
        self.holder.connection.rollback()
        error = self.run.result()
        return error.sqlstate if error else None


@pytest.fixture
def of_mallory(db, mallory):
    """Her schema, synced once by the superuser while it was harmless."""
    people_of(mallory)
    db.load(profile({"people": {"email": "mail"}}))
    db.sync()
    return db


SWAPS = {
    "view": """
        DROP TABLE prod.people;
        CREATE VIEW prod.people AS SELECT 1 AS id, evil.text('x') AS email, 'x'::text AS
            note""",
    "row security": """
        ALTER TABLE prod.people ENABLE ROW LEVEL SECURITY;
        ALTER TABLE prod.people FORCE ROW LEVEL SECURITY;
        CREATE POLICY p ON prod.people USING (evil.yes(note))""",
    "domain": """
        CREATE DOMAIN prod.d AS text CHECK (evil.yes(VALUE));
        ALTER TABLE prod.people ALTER note TYPE prod.d""",
    "cast": """
        CREATE DOMAIN prod.d AS text CHECK (evil.yes(VALUE));
        CREATE TYPE prod.m AS ENUM ('x');
        CREATE FUNCTION evil.m(prod.m) RETURNS text LANGUAGE plpgsql IMMUTABLE AS
            $$ BEGIN PERFORM evil.note();
        RETURN 'x';
        END $$;
        CREATE CAST (prod.m AS text) WITH FUNCTION evil.m(prod.m) AS IMPLICIT;
        ALTER TABLE prod.people ALTER note TYPE prod.m USING 'x'""",
}


@pytest.mark.parametrize("swap", SWAPS)
def test_a_source_that_is_swapped_after_the_check(of_mallory, mallory, swap):
    pause = Pause(of_mallory)
    mallory.execute(SWAPS[swap])
    pause.end()
    assert not ran(of_mallory)


@pytest.mark.parametrize("swap", SWAPS)
def test_a_new_target_is_made_like_the_source_that_was_checked(of_mallory, mallory, swap):
    of_mallory.execute("DROP SCHEMA staging CASCADE")
    pause = Pause(of_mallory)
    mallory.execute(SWAPS[swap])
    pause.end()
    assert not ran(of_mallory)


@pytest.mark.parametrize(
    "plant",
    [
        "ALTER TABLE prod.people ALTER note SET DEFAULT evil.text('x')",
        "ALTER TABLE prod.people ADD CHECK (evil.yes(note))",
        "CREATE INDEX ON prod.people (evil.text(note))",
    ],
    ids=["default", "check", "index"],
)
def test_code_that_is_planted_in_the_source_after_the_check(of_mallory, mallory, plant):
    of_mallory.execute("DROP SCHEMA staging CASCADE")
    pause = Pause(of_mallory)
    mallory.execute(plant)
    pause.end()
    assert not ran(of_mallory)
    # Nor may it lie in wait in the superuser's own table.
    if of_mallory.content("staging"):
        of_mallory.execute("INSERT INTO staging.people VALUES (77, 'z@mail.example', DEFAULT)")
        assert not ran(of_mallory)


def test_a_source_whose_owner_holds_it_locked_and_swaps_it(of_mallory, mallory):
    # No ledger to hold here: she makes the run wait at her own table.
    mallory.connection.autocommit = False
    mallory.execute("LOCK TABLE prod.people IN ACCESS EXCLUSIVE MODE")
    runner = of_mallory.session()
    run = Background(lambda: runner.execute(CALL))
    ask = "SELECT cardinality(pg_blocking_pids(%s)) > 0"
    wait_until(lambda: of_mallory.value(ask, [runner.pid()]))
    mallory.execute(SWAPS["view"])
    mallory.connection.commit()
    run.result()
    assert not ran(of_mallory)


def test_a_trigger_that_is_planted_on_the_target_after_the_check(db, mallory):
    make_people(db)
    db.load(profile({"people": {"email": "mail"}}))
    db.sync()
    db.execute(f"GRANT USAGE ON SCHEMA staging TO {mallory.role}")
    db.execute(f"GRANT TRIGGER ON staging.people TO {mallory.role}")
    before = db.content("staging")
    pause = Pause(db)
    mallory.execute(
        "CREATE TRIGGER t BEFORE INSERT ON staging.people FOR EACH ROW"
        " EXECUTE FUNCTION evil.trigger()"
    )
    assert pause.end() == "42501"
    assert not ran(db)
    assert db.content("staging") == before
    assert db.events()[-1] == "FAILED"
