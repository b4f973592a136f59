"""Measures, releases, declared runs and looks for residue: nothing of a table's owner runs as the reader."""

import pytest

from samples import profile
from test_dp_release import COLUMNS, register
from test_dp_release import _asking as asking_fixture
from test_hostile import mallory as mallory_fixture
from test_hostile import people_of, ran

mallory = mallory_fixture
asking = asking_fixture

# Immutable by its word, so that the server calls it while it plans.
CONSTANTS = {
    "index": "CREATE INDEX ON prod.people ((note || evil.text('x')))",
    "statistics": "CREATE STATISTICS prod.s ON (evil.text('x') || note), id FROM prod.people",
    "partial index": "CREATE INDEX ON prod.people (id) WHERE evil.yes('x')",
    "view": "ALTER TABLE prod.people RENAME TO was;"
            "CREATE VIEW prod.people AS SELECT id, email, note FROM prod.was WHERE evil.yes(note)",
}
MEASURES = [
    "SELECT anon_k_anonymity('prod.people', '{note}')",
    "SELECT anon_l_diversity('prod.people', '{note}', 'email')",
    "SELECT anon_t_closeness('prod.people', '{note}', 'email')",
    "SELECT anon_privacy_report('prod.people', '{note}', '{email}')",
    "SELECT * FROM anon_suppress_below_k('prod.people', '{note}', 2)",
]


@pytest.mark.parametrize("ask", MEASURES)
@pytest.mark.parametrize("constant", CONSTANTS)
def test_what_is_measured_runs_nothing_of_its_owner(db, mallory, constant, ask):
    people_of(mallory)
    mallory.execute("ANALYZE prod.people;" + CONSTANTS[constant])
    db.execute("SELECT setval('evil.ran', 1, false)")
    if (constant, ask) == ("view", MEASURES[-1]):
        db.refused("42809", ask)
        return
    db.refused("42501", ask)
    assert not ran(db)
    # Its owner is told.
    db.execute("SELECT confiture.grant_access('operator', %s)", [mallory.role])
    mallory.rows(ask)


@pytest.mark.parametrize("when", [
    "TRIGGER t BEFORE DELETE ON prod.people",
    "CONSTRAINT TRIGGER t AFTER DELETE ON prod.people DEFERRABLE INITIALLY DEFERRED",
])
def test_rows_are_suppressed_with_no_trigger_of_their_owner(db, mallory, when):
    people_of(mallory)
    mallory.execute(f"CREATE {when} FOR EACH ROW EXECUTE FUNCTION evil.trigger()")
    db.refused("42501", "SELECT * FROM anon_suppress_below_k('prod.people', '{note}', 2, false)")
    assert not ran(db) and db.value("SELECT count(*) FROM evil.caught") == 0


def test_a_rule_of_a_table_does_nothing_for_who_suppresses_rows(db, mallory):
    people_of(mallory)
    mallory.execute("CREATE SEQUENCE evil.called; CREATE RULE r AS ON DELETE TO prod.people DO ALSO"
                    " SELECT nextval('evil.called')")
    db.refused("42501", "SELECT * FROM anon_suppress_below_k('prod.people', '{note}', 2, false)")
    assert not db.value("SELECT is_called FROM evil.called")


def test_a_policy_of_a_table_does_nothing_for_its_reader(db, mallory):
    people_of(mallory)
    reader = db.role("reader")
    mallory.execute(f"CREATE SEQUENCE evil.called; GRANT ALL ON SEQUENCE evil.called TO PUBLIC;"
                    f"GRANT USAGE ON SCHEMA prod TO {reader}; GRANT SELECT ON prod.people TO {reader};"
                    "ALTER TABLE prod.people ENABLE ROW LEVEL SECURITY;"
                    "CREATE POLICY p ON prod.people USING (nextval('evil.called') > 0)")
    db.session(reader).refused("42501", "SELECT anon_k_anonymity('prod.people', '{note}')")
    assert not db.value("SELECT is_called FROM evil.called")


def test_the_end_of_a_declared_run_runs_nothing_of_the_target(db, mallory):
    people_of(mallory)
    mallory.execute("CREATE INDEX ON prod.people ((note || evil.text('x')))")
    session = db.session(autocommit=False)
    session.execute("SELECT confiture.begin_run('x', 'src', 'prod')")
    session.execute("SELECT confiture.track('people', 'email', '1', 'a'::text, 'b'::text)")
    db.execute("SELECT setval('evil.ran', 1, false)")
    session.refused("42501", "SELECT confiture.end_run()")
    session.connection.rollback()
    assert not ran(db)


def test_one_table_stops_no_look_for_residue(db, mallory):
    people_of(mallory)
    db.execute("CREATE TABLE public.fine AS SELECT 'same'::text AS word FROM generate_series(1, 99); ANALYZE public.fine;"
               "UPDATE public.fine SET word = 'other'")
    mallory.execute("INSERT INTO prod.people SELECT i, 'same@mail.example', 'n' FROM generate_series(10, 99) i;"
                    "ANALYZE prod.people; CREATE INDEX ON prod.people ((note || evil.text('x')))")
    db.execute("SELECT setval('evil.ran', 1, false)")
    found = db.rows("SELECT object, kind, finding FROM confiture.residue_check()")
    assert ("prod.people", "statistics",
            "were not looked at: code of another role would run with your rights") in found
    assert ("public.fine", "statistics", "1 of 1 sampled value are in no row of the table") in [
        (object, kind, finding.replace("values", "value")) for object, kind, finding in found]
    assert not ran(db)


PLANT = """
CREATE TABLE theirs.q (who text);
CREATE FUNCTION theirs.pwn() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
  IF current_setting('is_superuser') = 'on' THEN EXECUTE 'ALTER ROLE {role} SUPERUSER'; END IF;
  RETURN NULL; END $$;
CREATE CONSTRAINT TRIGGER t AFTER INSERT ON theirs.q DEFERRABLE INITIALLY DEFERRED
  FOR EACH ROW EXECUTE FUNCTION theirs.pwn();
CREATE FUNCTION theirs.vol() RETURNS void LANGUAGE plpgsql AS $$ BEGIN
  IF current_user <> session_user THEN INSERT INTO theirs.q VALUES (current_user || '/' || session_user); END IF;
  END $$;
CREATE FUNCTION theirs.im(i integer) RETURNS integer LANGUAGE plpgsql IMMUTABLE AS
  $$ BEGIN PERFORM theirs.vol(); RETURN i; END $$;
CREATE INDEX ON app.orders ((age + theirs.im(1)));
"""


@pytest.mark.parametrize("ask", [
    "SELECT measure FROM anon_dp_release('hers', '[{\"count\": \"*\"}]', 1)",
    "SELECT anon_dp_release_count('hers', 1)",
])
@pytest.mark.parametrize("who", ["analyst", "superuser"])
def test_a_release_leaves_nothing_of_the_owner_for_the_end_of_the_transaction(asking, who, ask):
    db = asking.admin
    role = db.role("owner")
    db.execute(f"CREATE SCHEMA theirs AUTHORIZATION {role}; GRANT USAGE, CREATE ON SCHEMA app TO {role};"
               f"ALTER TABLE app.orders OWNER TO {role}")
    register(db, COLUMNS, name="hers")
    db.session(role).execute(PLANT.replace("{role}", role))
    db.execute("SELECT anon_dp_budget_grant('research', current_user)")
    session = asking if who == "analyst" else db.session()
    try:
        session.rows(ask)
    except Exception as error:  # what the owner did is an error of his
        assert error.sqlstate in ("42501", "55000"), error
    assert not db.value("SELECT rolsuper FROM pg_roles WHERE rolname = %s", [role])
    assert db.value("SELECT count(*) FROM theirs.q") == 0


def test_a_release_of_a_table_with_code_of_its_owner(asking):
    db = asking.admin
    role = db.role("owner")
    db.execute(f"CREATE SCHEMA theirs AUTHORIZATION {role}; GRANT USAGE, CREATE ON SCHEMA app TO {role};"
               f"ALTER TABLE app.orders OWNER TO {role}")
    register(db, COLUMNS, name="hers")
    db.session(role).execute("CREATE FUNCTION theirs.im(i integer) RETURNS integer LANGUAGE sql IMMUTABLE AS 'SELECT i';"
                             "CREATE INDEX ON app.orders ((age + theirs.im(1)))")
    assert asking.rows("SELECT measure FROM anon_dp_release('hers', '[{\"count\": \"*\"}]', 1)")


def test_measures_of_who_trusts_the_owner(db, mallory):
    people_of(mallory)
    mallory.execute(CONSTANTS["index"])
    db.execute(f"CREATE ROLE reader_{mallory.role}; GRANT reader_{mallory.role} TO {mallory.role};"
               f"GRANT USAGE ON SCHEMA prod TO reader_{mallory.role}; GRANT SELECT ON prod.people TO reader_{mallory.role}")
    db.execute("SELECT confiture.grant_access('operator', %s)", [f"reader_{mallory.role}"])
    try:
        session = db.session(mallory.role)
        session.execute(f"SET ROLE reader_{mallory.role}")
        # Whoever owns the function may become the reader anyway.
        assert session.value("SELECT anon_k_anonymity('prod.people', '{note}')") is not None
    finally:
        mallory.execute("RESET ROLE")
        db.execute(f"DROP OWNED BY reader_{mallory.role}; DROP ROLE reader_{mallory.role}")
    db.execute("CREATE EXTENSION citext")
    db.execute("CREATE TABLE public.words AS SELECT 'a'::citext AS w, 'b'::text AS t FROM generate_series(1, 5);"
               "CREATE INDEX ON public.words (lower(w::text)); ANALYZE public.words")
    assert db.value("SELECT anon_k_anonymity('public.words', '{w}')") == 5
    db.load(profile({"people": {"email": "mail"}}))
