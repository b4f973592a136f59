"""Detection has the rights of its caller, says what it could not read, and runs nobody's code."""

import pytest


@pytest.fixture
def weak(db):
    """An operator who may read one table of two."""
    db.execute("CREATE SCHEMA s")
    db.execute("CREATE TABLE s.open (field text)")
    db.execute("CREATE TABLE s.shut (field text, email text)")
    for table in ("open", "shut"):
        db.execute(
            f"INSERT INTO s.{table} (field) SELECT 'u' || i || '@mail.example'"
            " FROM generate_series(1, 30) i"
        )
    db.execute("ANALYZE")
    db.execute("CREATE ROLE weak LOGIN")
    db.execute("SELECT confiture.grant_access('operator', 'weak')")
    db.execute("GRANT USAGE ON SCHEMA s TO weak")
    db.execute("GRANT SELECT ON s.open TO weak")
    yield db
    db.execute("DROP OWNED BY weak")
    db.execute("DROP ROLE weak")


def seen(db, *arguments):
    """{(table, column): (category, why)} as the operator sees it."""
    db.execute("SET ROLE weak")
    try:
        asked = ", ".join(["'s'", *map(str, arguments)])
        rows = db.rows(
            f"SELECT table_name, column_name, category, why FROM confiture.detect({asked})"
        )
        return {(row[0], row[1]): (row[2], row[3]) for row in rows}
    finally:
        db.execute("RESET ROLE")


def test_what_may_not_be_read_is_judged_by_its_name_and_says_so(weak):
    db = weak
    found = seen(db, 1000, True)
    assert found["open", "field"][0] == "email"
    assert found["shut", "field"] == (None, "values not looked into: permission denied")
    assert found["shut", "email"][0] == "email"
    assert "permission denied" in found["shut", "email"][1]
    # Statistics follow the same rights.
    assert seen(db, 0, True)["shut", "field"][0] is None


def test_row_level_security_is_said_and_its_policies_are_not_run(weak):
    db = weak
    db.execute(
        "CREATE FUNCTION s.spy() RETURNS boolean LANGUAGE plpgsql AS"
        " $$ BEGIN RAISE EXCEPTION 'policy ran'; END $$"
    )
    db.execute("ALTER TABLE s.open ENABLE ROW LEVEL SECURITY")
    db.execute("CREATE POLICY p ON s.open USING (s.spy())")
    found = seen(db, 1000, True)
    assert found["open", "field"] == (
        None, "values not looked into: row-level security hides rows",
    )


def test_a_role_without_the_right_is_refused(weak):
    db = weak
    db.execute("REVOKE USAGE ON SCHEMA s FROM weak")
    db.execute("SET ROLE weak")
    report = db.refused("42501", "SELECT * FROM confiture.detect('s')")
    db.execute("RESET ROLE")
    assert 'schema "s"' in report.message_primary
    db.execute("CREATE ROLE nobody_at_all")
    db.execute("SET ROLE nobody_at_all")
    db.refused("42501", "SELECT * FROM confiture.detect('s')")
    db.execute("RESET ROLE")
    db.execute("DROP ROLE nobody_at_all")


def test_the_suggestion_leaves_out_what_may_not_be_read(weak):
    db = weak
    db.execute("SET ROLE weak")
    text = db.value("SELECT confiture.suggest_profile('s')")
    db.execute("RESET ROLE")
    assert "# left out: shut, which you may not read" in text and "  open:\n" in text


def test_planted_code_takes_no_part(db):
    db.execute("CREATE SCHEMA s")
    db.execute("CREATE ROLE planter LOGIN")
    db.execute("GRANT ALL ON SCHEMA s TO planter")
    db.execute("GRANT CREATE ON SCHEMA public TO planter")
    db.execute("CREATE TABLE public.ran (who text)")
    db.execute("GRANT INSERT ON public.ran TO PUBLIC")
    db.execute("SET ROLE planter")
    db.execute(
        "CREATE FUNCTION s.trap() RETURNS text LANGUAGE plpgsql AS"
        " $$ BEGIN INSERT INTO public.ran VALUES (current_user); RETURN 'x'; END $$"
    )
    db.execute("CREATE TYPE s.pair AS (email text, b text)")
    db.execute(
        "CREATE FUNCTION s.cast_trap(s.pair) RETURNS text LANGUAGE sql AS $$ SELECT s.trap() $$"
    )
    db.execute("CREATE CAST (s.pair AS text) WITH FUNCTION s.cast_trap(s.pair) AS IMPLICIT")
    db.execute("CREATE DOMAIN s.word AS text")
    db.execute("CREATE TABLE s.t (a s.pair, b s.word, c text, d s.word[], e s.pair[])")
    db.execute("INSERT INTO s.t VALUES (('a@b.example', 'y'), 'z', 'c', '{q}', NULL)")
    near = {"concat": "text", "substr": "text, integer, integer", "unnest": "text[]"}
    for name, argument in near.items():
        db.execute(
            f"CREATE FUNCTION public.{name}({argument}) RETURNS text LANGUAGE sql AS"
            " $$ SELECT s.trap() $$"
        )
    db.execute("CREATE VIEW s.pg_stats AS SELECT s.trap() AS schemaname")
    db.execute("CREATE VIEW s.v AS SELECT s.trap() AS email")
    db.execute("RESET ROLE")
    db.execute("SET search_path = s, public, pg_catalog")
    db.execute("CREATE TEMP VIEW pg_stats AS SELECT 1 AS x")
    found = db.column("SELECT column_name FROM confiture.detect('s', 1000, true)")
    assert "a" in found and "email" not in found
    db.value("SELECT confiture.suggest_profile('s')")
    assert db.value("SELECT count(*) FROM public.ran") == 0
    db.execute("RESET search_path")
    db.execute("DROP VIEW pg_temp.pg_stats")
    db.execute("DROP OWNED BY planter CASCADE")
    db.execute("DROP ROLE planter")


def test_a_table_that_cannot_be_read_does_not_stop_the_others(db):
    db.execute("CREATE SCHEMA s")
    db.execute("CREATE TABLE s.good (field text)")
    db.execute(
        "INSERT INTO s.good SELECT 'u' || i || '@mail.example' FROM generate_series(1, 30) i"
    )
    if not db.server.has("postgres_fdw"):
        pytest.skip("the server has no postgres_fdw")
    db.execute("CREATE EXTENSION postgres_fdw")
    db.execute("CREATE SERVER away FOREIGN DATA WRAPPER postgres_fdw OPTIONS (host '/nowhere')")
    db.execute("CREATE USER MAPPING FOR CURRENT_USER SERVER away")
    db.execute("CREATE FOREIGN TABLE s.far (field text) SERVER away")
    rows = db.rows("SELECT table_name, category, why FROM confiture.detect('s', 1000, true)")
    found = {row[0]: row[1:] for row in rows}
    assert found["good"][0] == "email"
    assert "not looked into" in found["far"][1]


def test_a_cancel_is_a_cancel(db):
    db.execute("CREATE SCHEMA s")
    db.execute("CREATE TABLE s.t (field text)")
    with db.server.connect(db.name) as other:
        other.autocommit = False
        other.execute("LOCK TABLE s.t")
        db.execute("SET statement_timeout = '500ms'")
        db.refused("57014", "SELECT * FROM confiture.detect('s')")
