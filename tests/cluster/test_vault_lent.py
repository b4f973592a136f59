"""Rights that somebody lends or borrows: what the vault gives to whom, whoever's code asks."""

import pytest

from test_vault import REVEAL, WHY, _vault, records, reveal, tokens  # noqa: F401

PLANT = """
    CREATE TABLE lent.loot (v text);
    CREATE TABLE lent.t (token text);
    CREATE FUNCTION lent.take(x text) RETURNS text LANGUAGE plpgsql AS $$
      BEGIN
        BEGIN INSERT INTO lent.loot VALUES (confiture.reveal(x, 'mail', 'innocent'));
        EXCEPTION WHEN insufficient_privilege THEN NULL; END;
        RETURN x;
      END $$;
    CREATE FUNCTION lent.f(x text) RETURNS text LANGUAGE plpgsql IMMUTABLE AS
      $$ BEGIN RETURN lent.take(x); END $$;
    CREATE INDEX ON lent.t (lent.f(token));
    CREATE MATERIALIZED VIEW lent.view AS SELECT lent.take(token) AS v FROM lent.t WITH NO DATA;
    CREATE FUNCTION lent.definer(x text) RETURNS text LANGUAGE sql SECURITY DEFINER AS
      $$ SELECT lent.take(x) $$;
"""


@pytest.fixture(name="planted")
def _planted(vault):
    """Code of a role that may have back the tokens of another domain, not of this one."""
    name = vault.role("planter")
    vault.execute(
        f'CREATE SCHEMA lent AUTHORIZATION "{name}"; GRANT USAGE ON SCHEMA lent TO PUBLIC'
    )
    vault.execute("SELECT confiture.grant_access('revealer', %s, 'drawn')", [name])
    vault.planter = vault.session(user=name)
    vault.planter.execute(PLANT)
    vault.token = tokens(vault, ["lovelace@work.example"])[0]
    vault.planter.execute("INSERT INTO lent.t VALUES (%s)", [vault.token])
    return vault


@pytest.mark.parametrize(
    "maintained",
    ["REINDEX TABLE lent.t", "ANALYZE lent.t", "REFRESH MATERIALIZED VIEW lent.view"],
)
def test_code_that_runs_for_maintenance_is_given_nothing(planted, maintained):
    planted.execute("SELECT confiture.grant_access('revealer', session_user::text, 'mail')")
    assert reveal(planted, planted.token) == "lovelace@work.example"
    before = len(records(planted))
    planted.execute(maintained)
    assert planted.value("SELECT count(*) FROM lent.loot") == 0
    assert {record[0] for record in records(planted)[before:]} == {"DENIED"}


def test_the_owner_of_a_function_is_given_nothing_by_who_calls_it(planted):
    planted.clerk.execute("SELECT lent.definer(%s)", [planted.token])
    assert planted.value("SELECT count(*) FROM lent.loot") == 0
    assert records(planted)[-1][:2] == ("DENIED", planted.clerk_name)
    assert reveal(planted.clerk, planted.token) == "lovelace@work.example"


def test_a_right_that_may_still_be_rolled_back_does_not_count(vault):
    token = tokens(vault, ["lovelace@work.example"])[0]
    give = "SELECT confiture.grant_access('revealer', session_user::text, 'mail')"
    vault.execute("BEGIN")
    vault.execute(give)
    vault.execute("SAVEPOINT s")
    vault.refused("42501", REVEAL, [token, "mail", WHY])
    vault.execute("ROLLBACK TO s; COMMIT")
    assert reveal(vault, token) == "lovelace@work.example"


def test_a_call_site_does_not_keep_the_right_of_another_role(vault):
    one, two = tokens(vault, ["a", "b"])
    other = vault.role("other")
    # In this order: from PostgreSQL 16 on a grant keeps what the role had when it was made.
    vault.execute(f'ALTER ROLE "{other}" NOINHERIT; GRANT "{vault.clerk_name}" TO "{other}"')
    vault.execute(
        "CREATE FUNCTION back(x text) RETURNS text LANGUAGE plpgsql AS"
        f" $$ BEGIN RETURN anon_detokenize(x, 'mail', '{WHY}'); END $$"
    )
    session = vault.session(user=other)
    session.refused(
        "42501",
        f"BEGIN; SET LOCAL ROLE \"{vault.clerk_name}\"; DO $$ BEGIN PERFORM back('{one}'),"
        f" back('{one}'); END $$; RESET ROLE; DO $$ BEGIN PERFORM back('{two}'); END $$",
    )


def test_a_domain_that_was_rolled_back_makes_no_tokens(db):
    db.execute(
        "CREATE FUNCTION tk(v text) RETURNS text LANGUAGE plpgsql AS"
        " $$ BEGIN RETURN anon_tokenize(v, 'x'); END $$; CREATE TABLE made (t text)"
    )
    db.execute(
        "DO $$ BEGIN"
        "  BEGIN PERFORM confiture.create_domain('x'); PERFORM tk('ada'); RAISE EXCEPTION 'no';"
        "  EXCEPTION WHEN raise_exception THEN NULL; END;"
        "  PERFORM confiture.create_domain('x'); INSERT INTO made VALUES (tk('ada')); END $$"
    )
    assert db.column("SELECT t FROM made") == tokens(db, ["ada"], "x")
    db.execute("SELECT confiture.rotate_key('masking')")
    db.execute("CALL confiture.rewrap_tokens('x')")
    db.execute("SELECT confiture.destroy_key_version('masking', 1)")


def test_tokens_are_not_made_in_a_parallel_plan(db):
    db.execute(
        "SELECT confiture.create_domain('mail'); CREATE TABLE t AS SELECT 'v' || i AS v"
        " FROM generate_series(1, 1000) i; ALTER TABLE t SET (parallel_workers = 2)"
    )
    db.execute(
        "CREATE FUNCTION tk(v text) RETURNS text LANGUAGE plpgsql PARALLEL SAFE AS"
        " $$ BEGIN RETURN anon_tokenize(v, 'mail'); END $$"
    )
    for name in ("parallel_setup_cost", "parallel_tuple_cost", "min_parallel_table_scan_size"):
        db.execute(f"SET {name} = 0")
    db.refused("25000", "SELECT count(tk(v)) FROM t")
