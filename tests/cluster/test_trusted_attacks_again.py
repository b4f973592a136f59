"""Code of a weaker role where somebody else's rights hold, or where nobody holds code back any more."""

import psycopg
import pytest

from samples import make_small, profile
from test_compliance import load
from test_escalation import HeldLoad
from test_hostile import mallory as mallory_fixture
from test_hostile import people_of
from trusted_plants import DIFFERENCE, make_owner, was_called

mallory = mallory_fixture

# Whoever runs it as a superuser makes its owner one.
DEEP = """
CREATE FUNCTION evil.deep() RETURNS void LANGUAGE plpgsql AS $$
BEGIN
  PERFORM evil.note();
  IF (SELECT rolsuper FROM pg_roles WHERE rolname = current_user)
  THEN EXECUTE 'ALTER ROLE {role} SUPERUSER'; END IF;
END $$;
CREATE FUNCTION evil.late() RETURNS trigger LANGUAGE plpgsql AS
  $$ BEGIN PERFORM evil.deep(); RETURN NULL; END $$;
CREATE OR REPLACE FUNCTION evil.text(v text) RETURNS text LANGUAGE plpgsql IMMUTABLE AS
  $$ BEGIN PERFORM evil.deep(); RETURN coalesce(v, 'x'); END $$;
"""


def plant(mallory, sql):
    mallory.execute(DEEP.format(role=mallory.role) + sql)


def check(db, mallory):
    """Nothing of hers has run as somebody stronger."""
    assert db.value("SELECT rolsuper FROM pg_roles WHERE rolname = %s", [mallory.role]) is False


def another_superuser(db):
    name = db.role("dba")
    db.execute(f'ALTER ROLE "{name}" SUPERUSER')
    return name


@pytest.mark.parametrize("constant", [
    "CREATE INDEX ON prod.people ((note || evil.text('x')))",
    "CREATE STATISTICS prod.s ON (evil.text('x') || note), id FROM prod.people",
])
@pytest.mark.parametrize("ask", [
    "SELECT * FROM confiture.refresh_masked_views('seen')",
    "SELECT * FROM confiture.create_masked_views('small', 'prod', 'seen', '{\"materialized\": true}')",
])
def test_what_a_superuser_owns_is_filled_by_another_with_no_code_of_the_table(db, mallory, constant, ask):
    people_of(mallory)
    db.load(profile({"people": {"email": "mail"}}))
    db.rows("SELECT * FROM confiture.create_masked_views('small', 'prod', 'seen', '{\"materialized\": true}')")
    # Her own session may run it, here, as herself.
    plant(mallory, f"ANALYZE prod.people; {constant}")
    other = db.session(another_superuser(db))
    other.refused("42501", ask)
    check(db, mallory)


def test_an_index_of_a_target_of_another_superuser_is_built_with_no_code_of_the_schema(db, mallory):
    db.execute(f"CREATE SCHEMA app AUTHORIZATION {mallory.role};"
               "CREATE FUNCTION app.fine(text) RETURNS text LANGUAGE sql IMMUTABLE AS 'SELECT upper($1)'")
    make_small(db)
    db.execute("CREATE INDEX ON prod.people (app.fine(note))")
    db.sync()
    name = another_superuser(db)
    db.execute(f'ALTER SCHEMA staging OWNER TO "{name}"; ALTER TABLE staging.people OWNER TO "{name}"')
    held = HeldLoad(db)
    plant(mallory, """
        ALTER SCHEMA app RENAME TO app_was; CREATE SCHEMA app;
        CREATE FUNCTION app.fine(v text) RETURNS text LANGUAGE plpgsql IMMUTABLE AS
          $$ BEGIN PERFORM evil.deep(); RETURN upper(v); END $$""")
    error = held.let_go()
    assert error is not None and error.sqlstate == "42501"
    check(db, mallory)


LEAVES = {
    "partition": """
        CREATE TABLE prod.pp (id int, note text) PARTITION BY LIST (id);
        CREATE TABLE prod.leaf PARTITION OF prod.pp DEFAULT;
        INSERT INTO prod.pp VALUES (1, 'a'), (2, 'b');
        CREATE CONSTRAINT TRIGGER t AFTER DELETE ON prod.leaf DEFERRABLE INITIALLY DEFERRED
          FOR EACH ROW EXECUTE FUNCTION evil.late()""",
    "inherits": """
        CREATE TABLE prod.pp (id int, note text); CREATE TABLE prod.leaf () INHERITS (prod.pp);
        INSERT INTO prod.leaf VALUES (1, 'a'), (2, 'b');
        CREATE CONSTRAINT TRIGGER t AFTER DELETE ON prod.leaf DEFERRABLE INITIALLY DEFERRED
          FOR EACH ROW EXECUTE FUNCTION evil.late()""",
    "refers": """
        CREATE TABLE prod.pp (id int PRIMARY KEY, note text); INSERT INTO prod.pp VALUES (1, 'a'), (2, 'b');
        CREATE TABLE evil.c (x int REFERENCES prod.pp ON DELETE CASCADE) PARTITION BY LIST (x);
        CREATE TABLE evil.leaf PARTITION OF evil.c DEFAULT; INSERT INTO evil.c VALUES (1), (2);
        CREATE CONSTRAINT TRIGGER t AFTER DELETE ON evil.leaf DEFERRABLE INITIALLY DEFERRED
          FOR EACH ROW EXECUTE FUNCTION evil.late()""",
    "checked at the end": """
        CREATE TABLE prod.pp (id int PRIMARY KEY, note text); INSERT INTO prod.pp VALUES (1, 'a'), (2, 'b');
        CREATE TABLE evil.q (who text);
        CREATE CONSTRAINT TRIGGER t AFTER INSERT ON evil.q DEFERRABLE INITIALLY DEFERRED
          FOR EACH ROW EXECUTE FUNCTION evil.late();
        CREATE FUNCTION evil.im(i integer) RETURNS integer LANGUAGE plpgsql IMMUTABLE AS
          $$ BEGIN IF session_user <> current_user THEN PERFORM evil.put(); END IF; RETURN i; END $$;
        CREATE FUNCTION evil.put() RETURNS void LANGUAGE sql AS
          'INSERT INTO evil.q VALUES (session_user)';
        CREATE TABLE evil.child (x int REFERENCES prod.pp DEFERRABLE INITIALLY DEFERRED);
        CREATE INDEX ON evil.child ((x + evil.im(1)))""",
}


@pytest.mark.parametrize("where", LEAVES)
def test_no_row_is_suppressed_where_code_of_others_waits_for_the_end(db, mallory, where):
    people_of(mallory)
    plant(mallory, LEAVES[where])
    report = db.refused("42501", "SELECT * FROM anon_suppress_below_k('prod.pp', '{note}', 2, false)")
    assert "belongs to role" in report.message_detail
    check(db, mallory)
    assert db.value("SELECT count(*) FROM prod.pp") == 2


def test_rows_are_suppressed_by_who_owns_all_of_it(db, mallory):
    people_of(mallory)
    plant(mallory, LEAVES["partition"])
    # A dry run deletes nothing, whoever asks.
    ask = "SELECT suppressed FROM anon_suppress_below_k('prod.pp', '{note}', 2)"
    assert db.value(ask) == 2
    db.execute("DROP TABLE prod.pp; CREATE TABLE prod.pp (id int, note text);"
               " INSERT INTO prod.pp VALUES (1, 'a'), (2, 'b')")
    assert db.value(ask.replace("2)", "2, false)")) == 2


def test_a_range_type_in_the_condition_of_an_index_is_not_asked(db):
    """What the session has looked up before, when nobody held anything back, is kept by the server."""
    make_small(db)
    owner = make_owner(db, schemas=("prod",))
    owner.execute(DIFFERENCE + """
      CREATE TABLE theirs.visits (at date, r theirs.r);
      INSERT INTO theirs.visits SELECT '2020-01-01'::date + i, theirs.r(i, i + 3) FROM generate_series(1, 5000) i;
      CREATE INDEX ON theirs.visits (r) WHERE at > '-infinity' OR r && '[17.5,33.25)'::theirs.r;
      ANALYZE theirs.visits""")
    owner.connection.commit()
    load(db, "retention_rules:\n  old: {category: a, max: 1 year, table: theirs.visits, column: at}\n")
    session = db.session()
    session.rows("SELECT * FROM theirs.visits LIMIT 1")
    try:
        session.rows("SELECT rule, overdue, problem FROM confiture.retention_overdue()")
    except psycopg.Error as error:
        assert error.sqlstate == "42501"
    assert not was_called(db)
