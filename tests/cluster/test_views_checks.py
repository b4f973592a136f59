"""Code of types in masked views: whose it is, and as whom it runs."""

import pytest

from samples import keep_all, profile

CREATE = "SELECT * FROM confiture.create_masked_views('small', 'prod', 'seen', %s)"
MASKED = {"rules": [{"column": "c", "strategy": "mail"}], **keep_all()}
FIXED = {"rules": [{"column": "c", "strategy": "fixed"}], **keep_all()}
EXCLUDED = {"exclude": [{"column": "c", "why": "of no use"}], **keep_all()}
TABLE = "CREATE TABLE prod.t (id integer, c h.d); INSERT INTO prod.t (id) VALUES (1)"
STRATEGIES = {"fixed": {"type": "redact", "config": {"replacement": "x@y.example"}}}


@pytest.fixture
def app(db):
    """A role that owns a schema for types, whose functions note down as whom they run."""
    role = db.role("app")
    db.execute(f"""
        CREATE SCHEMA prod; CREATE SCHEMA h AUTHORIZATION {role};
        CREATE TABLE public.ran (who text); GRANT INSERT, SELECT ON public.ran TO PUBLIC""")
    session = db.session(role)
    session.role = role
    session.execute("""
        CREATE FUNCTION h.evil(anyelement) RETURNS boolean LANGUAGE plpgsql
        AS $$BEGIN INSERT INTO public.ran VALUES (current_user); RETURN true; END$$""")
    return session


def load(db, body, table=TABLE):
    db.execute(table)
    db.load(profile({"t": body}, strategies=STRATEGIES))


@pytest.mark.parametrize("body", [MASKED, FIXED, EXCLUDED], ids=["masked", "constant", "excluded"])
@pytest.mark.parametrize("domain", [
    "CREATE DOMAIN h.d AS text",
    "CREATE DOMAIN h.d AS text CHECK (h.evil(VALUE))",
])
def test_checks_of_weaker_roles_are_not_run_by_readers(db, app, body, domain):
    app.execute(domain)
    load(db, body)
    db.execute("TRUNCATE public.ran")
    report = db.refused("0A000", CREATE, ["{}"])
    assert 'column "c"' in report.message_primary
    assert f'belongs to role "{app.role}"' in report.message_detail
    assert "superuser" in report.message_hint
    assert db.column("SELECT who FROM public.ran") == [], "while it was tried, too"
    db.refused("42501", CREATE, ['{"materialized": true}'])
    assert db.column("SELECT who FROM public.ran") == []
    assert db.value("SELECT to_regnamespace('seen')") is None
    # Given to a superuser, who takes the check away, nobody can add one.
    db.execute("ALTER DOMAIN h.d OWNER TO CURRENT_USER;"
               "ALTER DOMAIN h.d DROP CONSTRAINT IF EXISTS d_check")
    db.rows(CREATE, ["{}"])
    app.refused("42501", "ALTER DOMAIN h.d ADD CHECK (h.evil(VALUE))")
    db.rows("TABLE seen.t")
    assert db.column("SELECT who FROM public.ran") == []


@pytest.mark.parametrize("make, column", [
    ("CREATE DOMAIN h.d AS text", "h.d[]"),
    ("CREATE DOMAIN h.d AS text; CREATE TYPE h.pair AS (a integer, b h.d)", "h.pair"),
    ("CREATE DOMAIN h.d AS text; CREATE TYPE h.pair AS (a integer, b h.d)", "h.pair[]"),
    ("CREATE DOMAIN h.d AS integer; CREATE TYPE h.span AS RANGE (subtype = h.d)", "h.span"),
    ("CREATE TYPE h.span AS RANGE (subtype = text)", "h.span"),
    ("CREATE DOMAIN h.d AS text; CREATE DOMAIN h.more AS h.d", "h.more"),
    ("CREATE TYPE h.pair AS (a integer, b text); CREATE DOMAIN h.d AS h.pair", "h.d"),
])
def test_domains_inside_other_types_are_found(db, app, make, column):
    app.execute(make)
    load(db, EXCLUDED, f"CREATE TABLE prod.t (id integer, c {column})")
    db.refused("0A000", CREATE, ["{}"])


def test_a_domain_of_a_superuser_may_not_use_what_others_can_change(db, app):
    app.execute("""
        CREATE DOMAIN h.own AS text;
        CREATE FUNCTION h.same(text, text) RETURNS boolean LANGUAGE plpgsql
          AS $$BEGIN INSERT INTO public.ran VALUES (current_user); RETURN true; END$$;
        CREATE OPERATOR h.=== (LEFTARG = text, RIGHTARG = text, FUNCTION = h.same)""")
    load(db, MASKED, "CREATE DOMAIN prod.d AS text; CREATE TABLE prod.t (id integer, c prod.d)")
    for check, used in [("h.evil(VALUE)", "function h.evil(anyelement)"),
                        ("VALUE OPERATOR(h.===) 'x'", "function h.same(text,text)"),
                        ("VALUE::h.own IS NOT NULL", "type h.own")]:
        db.execute(f"ALTER DOMAIN prod.d ADD CONSTRAINT k CHECK ({check})")
        detail = db.refused("0A000", CREATE, ["{}"]).message_detail
        assert used in detail and app.role in detail
        db.refused("42501", CREATE, ['{"materialized": true}'])
        db.execute("ALTER DOMAIN prod.d DROP CONSTRAINT k")
    db.execute("ALTER DOMAIN prod.d ADD CONSTRAINT k CHECK (VALUE ~ '@' AND length(VALUE) < 99)")
    db.rows(CREATE, ["{}"])
    db.rows(CREATE, ['{"materialized": true}'])
    assert db.column("SELECT who FROM public.ran") == []


def test_a_column_that_is_shown_as_it_is_runs_no_check(db, app):
    app.execute("CREATE DOMAIN h.d AS text")
    load(db, {"rules": [{"column": "email", "strategy": "mail"}], **keep_all()},
         "CREATE TABLE prod.t (id integer, c h.d, many h.d[], email text);"
         "INSERT INTO prod.t VALUES (1, 'a', '{b}', 'ann@mail.example')")
    db.rows(CREATE, ["{}"])
    app.execute("ALTER DOMAIN h.d ADD CHECK (h.evil(VALUE)) NOT VALID")
    db.execute("TRUNCATE public.ran")
    assert db.rows("SELECT id, c, many::text FROM seen.t") == [(1, "a", "{b}")]
    assert db.column("SELECT who FROM public.ran") == []


def test_a_policy_of_the_table_runs_as_whoever_reads_its_view(db, app):
    """What the server does with every view of a table with policies; the page says so."""
    app.execute("CREATE TABLE h.t (id integer, email text);"
                "INSERT INTO h.t VALUES (1, 'a@x.example')")
    db.load(profile({"t": {"email": "mail"}}))
    reader = db.role("reader")
    op = db.role("op")
    db.execute(f"SELECT confiture.grant_access('operator', '{op}');"
               f"GRANT USAGE ON SCHEMA h TO {op}; GRANT SELECT ON h.t TO {op};"
               f"CREATE SCHEMA seen AUTHORIZATION {op}; GRANT USAGE ON SCHEMA seen, h TO {reader}")
    session = db.session(op)
    session.rows("SELECT * FROM confiture.create_masked_views('small', 'h', 'seen')")
    session.execute(f"GRANT SELECT ON seen.t TO {reader}")
    app.execute("ALTER TABLE h.t ENABLE ROW LEVEL SECURITY;"
                "CREATE POLICY p ON h.t USING (h.evil(id))")
    db.session(reader).rows("SELECT id FROM seen.t")
    assert set(db.column("SELECT who FROM public.ran")) == {reader}


def test_a_constant_is_not_tried_on_a_type_of_others(db, app):
    app.execute("CREATE DOMAIN h.d AS integer CHECK (h.evil(VALUE))")
    load(db, {"rules": [{"column": "c", "strategy": "redact"}], **keep_all()})
    db.execute("TRUNCATE public.ran")
    db.refused("0A000", CREATE, ["{}"])
    db.refused("42501", CREATE, ['{"materialized": true}'])
    assert db.column("SELECT who FROM public.ran") == []
    # What is no value of the type is found still.
    db.execute("ALTER DOMAIN h.d OWNER TO CURRENT_USER; ALTER DOMAIN h.d DROP CONSTRAINT d_check;"
               "ALTER DOMAIN h.d ADD CHECK (VALUE > 9)")
    report = db.refused("22023", CREATE, ["{}"])
    assert "replacement" in report.message_primary
