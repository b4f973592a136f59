"""Values drawn again where a constraint refuses what their mask wrote."""

import hashlib
import struct

import pytest

from samples import keep_all, profile

ROWS = 2000


def shop(db, columns, values, *, rows=ROWS, schema="prod", before=""):
    db.execute(
        f"CREATE SCHEMA {schema}; {before}"
        f"CREATE TABLE {schema}.t (id integer PRIMARY KEY, {columns});"
        f"INSERT INTO {schema}.t SELECT i, {values} FROM generate_series(1, {rows}) AS i"
    )


def masked(db, strategy, column="c", version="1", **more):
    db.load(
        profile(
            {"t": {"rules": [{"column": column, "strategy": "m", **more}], **keep_all()}},
            strategies={"m": strategy},
            version=version,
        )
    )


def report(db):
    """The check of the newest entry that says how often values were drawn again."""
    checks = db.value("SELECT verification_report FROM confiture.get_audit_log(1)")
    return [check for check in checks if check["check"] == "values redrawn"]


def redrawn_seed(seed, attempt):
    fields = (b"confiture/redraw/v1", struct.pack(">q", seed), struct.pack(">I", attempt))
    digest = hashlib.sha256(b"".join(struct.pack(">I", len(f)) + f for f in fields)).digest()
    return struct.unpack(">q", digest[:8])[0]


def test_a_check_is_satisfied_and_equal_values_share_a_pseudonym(db):
    shop(db, "c text CHECK (c ~ '^[a-e]')", "'a' || i % 100")
    masked(db, {"type": "hash"})
    db.sync()
    rows = "prod.t p JOIN staging.t s USING (id)"
    assert db.value("SELECT count(DISTINCT c) FROM staging.t") == 100
    assert db.value("SELECT count(*) FROM staging.t WHERE c !~ '^[a-e]'") == 0
    assert db.value(f"SELECT count(DISTINCT (p.c, s.c)) FROM {rows}") == 100
    [check] = report(db)
    assert (check["table"], check["column"], check["values"]) == ("t", "c", ROWS)
    # 5 of 16 digits are accepted: 2.2 further draws for each value, on average.
    assert 500_000 < check["per_million"] < 850_000
    assert 1.2 * ROWS < check["attempts"] < 4 * ROWS
    first = db.content("staging")
    db.sync()
    assert db.content("staging") == first


def test_a_value_that_is_accepted_is_that_of_a_statement_and_others_follow_the_seed(db):
    shop(db, "c text CHECK (c ~ '^[0-7]')", "i % 8 || 'a' || i")
    db.load(
        profile(
            {"t": {"rules": [{"column": "c", "strategy": "m"}], **keep_all()}},
            strategies={"m": {"type": "hash", "seed": 7}},
            coverage="copy",
        )
    )
    db.sync()
    seeds = [7, *(redrawn_seed(7, attempt) for attempt in range(1, 21))]
    calls = ", ".join(f"anon_hash(p.c, seed => {seed})" for seed in seeds)
    expected = (
        f"SELECT p.id, (SELECT d FROM unnest(ARRAY[{calls}]) WITH ORDINALITY AS u (d, k)"
        " WHERE d ~ '^[0-7]' ORDER BY k LIMIT 1) FROM prod.t p ORDER BY id"
    )
    assert db.rows("SELECT id, c FROM staging.t ORDER BY id") == db.rows(expected)
    by_hand = (
        "SELECT count(*) FROM prod.t p JOIN staging.t s USING (id)"
        " WHERE s.c = anon_hash(p.c, seed => 7)"
    )
    assert 0.4 * ROWS < db.value(by_hand) < 0.6 * ROWS


def test_without_a_check_nothing_is_drawn_again(db):
    shop(db, "c text, d text CHECK (d <> '')", "'a' || i, 'd'")
    masked(db, {"type": "hash"})
    db.sync()
    assert report(db) == []
    by_hand = "SELECT bool_and(s.c = anon_hash(p.c)) FROM prod.t p JOIN staging.t s USING (id)"
    assert db.value(by_hand)


def test_a_cipher_walks_and_stays_one_to_one_over_all_that_is_accepted(db):
    """Every number below 500000 is taken: were one lost, two would meet."""
    shop(
        db,
        "c text UNIQUE CHECK (c < '500000')",
        "lpad((i - 1)::text, 6, '0')",
        rows=500_000,
    )
    masked(db, {"type": "fpe"})
    db.sync(options='{"lineage": "off"}')
    assert db.value("SELECT count(DISTINCT c) FROM staging.t") == 500_000
    assert db.value("SELECT max(c) FROM staging.t") == "499999"
    [check] = report(db)
    # Half of all codes are accepted.
    assert 400_000 < check["per_million"] < 600_000
    walk = (
        "WITH RECURSIVE walk (id, c) AS (SELECT id, anon_fpe(c) FROM prod.t WHERE id <= 200"
        " UNION ALL SELECT id, anon_fpe(c) FROM walk WHERE c >= '500000')"
        " SELECT bool_and(w.c = s.c) FROM walk w JOIN staging.t s USING (id) WHERE w.c < '500000'"
    )
    assert db.value(walk)


def test_checks_of_a_domain_and_of_the_one_below_it(db):
    shop(
        db,
        "c prod.even_letter",
        "'a' || 2 * i",
        before=(
            "CREATE DOMAIN prod.letter AS varchar(40) CHECK (VALUE ~ '^[a-f]');"
            "CREATE DOMAIN prod.even_letter AS prod.letter CHECK (VALUE ~ '[02468]$');"
        ),
    )
    masked(db, {"type": "hash", "config": {"length": 40}})
    db.sync()
    assert db.value("SELECT bool_and(c::text ~ '^[a-f].*[02468]$') FROM staging.t")
    assert report(db)[0]["redrawn"] > ROWS // 2


def test_both_ends_of_a_reference_are_drawn_alike(db):
    db.execute(
        "CREATE SCHEMA prod;"
        "CREATE TABLE prod.a (c text PRIMARY KEY CHECK (c ~ '^[0-9]'));"
        "CREATE TABLE prod.b (c varchar(200) REFERENCES prod.a CHECK (c ~ '[a-f]$'));"
        "CREATE TABLE prod.c (c text REFERENCES prod.a);"
        "INSERT INTO prod.a SELECT i || 'f' FROM generate_series(1, 1000) AS i;"
        "INSERT INTO prod.b SELECT c FROM prod.a; INSERT INTO prod.c SELECT c FROM prod.a"
    )
    db.load(profile({name: {"c": "hash"} for name in "abc"}))
    db.sync()
    assert db.value("SELECT count(*) FROM staging.a JOIN staging.b USING (c)") == 1000
    assert db.value("SELECT count(*) FROM staging.a JOIN staging.c USING (c)") == 1000
    assert db.value("SELECT bool_and(c ~ '^[0-9].*[a-f]$') FROM staging.c")


def test_what_is_never_accepted_ends_the_run_with_the_names(db):
    shop(db, "c text CONSTRAINT only_x CHECK (c = 'x')", "'x'", rows=3)
    masked(db, {"type": "hash"})
    said = db.sync_refused("23514")
    assert said.message_primary == (
        'run failed while loading table "staging.t": strategy "m" finds no value for column "c"'
        ' of table "t" that constraint "only_x" accepts'
    )
    assert said.message_detail == "It has drawn 257 times."
    details = db.value("SELECT details FROM confiture.get_audit_log(1)")
    assert (details["sqlstate"], details["column"], details["table"]) == ("23514", "c", "t")
    assert db.content("staging") == {}


def test_noise_with_a_budget_is_not_drawn_until_it_suits(db):
    """The run fails where one value is refused, as it did before."""
    shop(db, "c integer CHECK (c BETWEEN 49 AND 51)", "50", rows=500)
    masked(db, {"type": "dp_noise", "config": {"epsilon": 0.1, "sensitivity": 1}})
    assert "refuses a row" in db.sync_refused("23514").message_primary


def test_a_value_is_judged_as_the_column_stores_it(db):
    shop(
        db,
        "c numeric(10, 0) CHECK (c % 2 = 0)",
        "1000 + 2 * i",
    )
    masked(db, {"type": "noise", "config": {"ratio": 0.5}})
    db.sync()
    assert db.value("SELECT bool_and(c % 2 = 0) FROM staging.t")


def test_arrays_and_checks_over_several_columns_are_left_to_the_server(db):
    shop(db, "c text[] CHECK (c[1] ~ '^[0-9]')", "ARRAY[i::text]", rows=50)
    masked(db, {"type": "hash"})
    assert "refuses a row" in db.sync_refused("23514").message_primary


def test_a_check_is_code_of_its_owner_and_trusted_first(db):
    """A check that calls a function of a weaker role is refused before a value meets it."""
    weak = db.role("weak")
    db.execute(
        f'CREATE SCHEMA prod; GRANT CREATE, USAGE ON SCHEMA prod TO "{weak}";'
        f'SET ROLE "{weak}";'
        "CREATE FUNCTION prod.f(t text) RETURNS boolean LANGUAGE plpgsql AS"
        " $$ BEGIN RAISE NOTICE 'ran as %', current_user; RETURN true; END $$;"
        "CREATE TABLE prod.t (id integer PRIMARY KEY, c text CHECK (prod.f(c)));"
        "INSERT INTO prod.t VALUES (1, 'x'); RESET ROLE"
    )
    masked(db, {"type": "hash"})
    db.notices.clear()
    db.sync_refused("42501")
    assert not any("ran as" in notice["message_primary"] for notice in db.notices)


RAISES = {
    "of a table": ("", "c text CONSTRAINT odd CHECK (1 / (length(c) - 40) <> 7)",
                   "ALTER TABLE prod.t DROP CONSTRAINT odd"),
    "of a domain": ("CREATE DOMAIN prod.d AS text CHECK (VALUE <> '')"
                    " CONSTRAINT odd CHECK (1 / (length(VALUE) - 40) <> 7);", "c prod.d",
                    "ALTER DOMAIN prod.d DROP CONSTRAINT odd"),
}


@pytest.mark.parametrize("where", RAISES)
def test_a_check_that_raises_an_error_is_named_and_leaves_nothing(db, where):
    before, column, away = RAISES[where]
    shop(db, column, "'a' || i", rows=10, before=before)
    masked(db, {"type": "hash", "config": {"length": 40}})
    said = db.sync_refused("22012")
    assert said.message_primary == (
        'run failed while loading table "staging.t": constraint "odd" of column "c" raises an error'
    )
    details = db.value("SELECT details FROM confiture.get_audit_log(1)")
    named = [details[word] for word in ("sqlstate", "table", "column", "constraint")]
    assert named == ["22012", "t", "c", "odd"]
    assert db.content("staging") == {}
    said = db.refused("22012", "SELECT * FROM confiture.preview('small', 'prod', 't')")
    assert 'constraint "odd" of column "c" raises an error' in said.message_primary
    # What fails for another reason later is not put down to it.
    db.execute(away + "; ALTER TABLE prod.t ADD CONSTRAINT joint CHECK (c || id ~ '^a')")
    assert "refuses a row" in db.sync_refused("23514").message_primary
    db.execute("ALTER TABLE prod.t DROP CONSTRAINT joint")
    db.sync()


def test_partitions_and_existing_targets(db):
    db.execute(
        "CREATE SCHEMA prod;"
        "CREATE TABLE prod.t (id integer, c text CHECK (c ~ '^[0-9]'), PRIMARY KEY (id))"
        " PARTITION BY RANGE (id);"
        "CREATE TABLE prod.t1 PARTITION OF prod.t FOR VALUES FROM (1) TO (100);"
        "CREATE TABLE prod.t2 PARTITION OF prod.t FOR VALUES FROM (100) TO (1000);"
        "INSERT INTO prod.t SELECT i, '1' FROM generate_series(1, 500) AS i"
    )
    masked(db, {"type": "hash"})
    db.sync()
    db.execute("TRUNCATE staging.t; ALTER TABLE staging.t ADD CONSTRAINT more CHECK (c ~ '[a-f]$')")
    db.sync()
    assert db.value("SELECT bool_and(c ~ '^[0-9].*[a-f]$') FROM staging.t")
