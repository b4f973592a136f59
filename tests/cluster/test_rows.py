"""Masks that look beside their value: arrays, other columns of the row, other rows, defaults."""

from samples import keep_all, profile

import pytest


@pytest.fixture(autouse=True)
def shop(db):
    """One table with what the tests need."""
    db.execute("CREATE SCHEMA prod")
    db.execute("CREATE TYPE prod.mood AS ENUM ('happy', 'sad', 'calm')")
    db.execute("CREATE DOMAIN prod.address AS text CHECK (VALUE LIKE '%@%')")
    db.execute("CREATE EXTENSION IF NOT EXISTS citext")
    db.execute(
        "CREATE TABLE prod.t (id integer PRIMARY KEY, code text UNIQUE, email prod.address,"
        " mails text[], numbers integer[], grid integer[], nick citext, born date, city text,"
        " zip text, state text DEFAULT 'new', mood prod.mood)"
    )
    db.execute(
        "INSERT INTO prod.t SELECT i, 'c' || i, 'p' || i || '@mail.example',"
        " ARRAY['a' || i || '@mail.example', NULL, 'p' || i || '@mail.example'],"
        " ARRAY[i, NULL, i + 1], ARRAY[[i, 1], [2, i]], 'Nick' || i, date '2000-01-01' + i,"
        " 'city ' || i % 50, 'zip ' || i % 50, 'old', (enum_range(NULL::prod.mood))[i % 3 + 1]"
        " FROM generate_series(1, 500) AS i"
    )


def run(db, rules, strategies):
    """Runs a profile with these rules."""
    rest = keep_all()
    db.load(profile({"t": {"rules": rules, **rest}}, strategies=strategies))
    # The columns of these rows hold each other's values, and only some are masked at a time.
    db.sync(options='{"leak_scan": "off"}')


def test_arrays_are_masked_element_by_element(db):
    run(
        db,
        [
            {"column": "mails", "strategy": "mail"},
            {"column": "email", "strategy": "mail"},
            {"column": "numbers", "strategy": "hash"},
            {"column": "grid", "strategy": "hash"},
        ],
        {},
    )
    assert db.value(
        "SELECT bool_and(mails[3] = email AND mails[2] IS NULL AND cardinality(mails) = 3"
        " AND mails[1] = anon_email('a' || id || '@mail.example')) FROM staging.t"
    )
    assert db.value(
        "SELECT bool_and(t.numbers = ARRAY[anon_hash(s.numbers[1]), NULL, anon_hash(s.numbers[3])])"
        " FROM staging.t JOIN prod.t s USING (id)"
    )
    assert db.value(
        "SELECT bool_and(array_dims(t.grid) = '[1:2][1:2]' AND t.grid[1][1] = t.grid[2][2]"
        " AND t.grid[1][2] = anon_hash(1)) FROM staging.t"
    )


def test_apply_masks_arrays_and_domains_by_hand(db):
    assert db.value(
        "SELECT anon_apply('email', ARRAY['a@b.example', NULL]) ="
        " ARRAY[anon_email('a@b.example'), NULL]"
    )
    assert db.value("SELECT anon_apply('hash', '{}'::integer[]) = '{}'")
    assert db.value(
        "SELECT anon_apply('hash', '[0:1]={1,2}'::integer[])::text LIKE '[0:1]={%'"
    )
    assert db.value(
        "SELECT anon_apply('email', 'a@b.example'::prod.address) = anon_email('a@b.example')"
    )
    assert db.value(
        """SELECT anon_apply('hash', 'a'::text, '{"length": 32}', 7)"""
        " = anon_hash('a', 7, length => 32)"
    )
    db.refused("22023", "SELECT anon_apply('hsah', 'a'::text)")
    db.refused("42804", "SELECT anon_apply('email', 1)")
    db.refused("42804", "SELECT anon_apply('hash', point '(1,1)')")


def test_shuffled_columns_keep_their_values_and_their_partners(db):
    run(
        db,
        [
            {"column": "city", "strategy": "place"},
            {"column": "zip", "strategy": "place"},
            {"column": "born", "strategy": "alone"},
            {"column": "mood", "strategy": "alone"},
            {"column": "code", "strategy": "alone"},
        ],
        {"place": {"type": "shuffle", "config": {"group": "home"}}, "alone": {"type": "shuffle"}},
    )
    for column in ("city", "zip", "born", "mood::text", "code"):
        ask = f"SELECT md5(string_agg({column}::text, ',' ORDER BY {column})) FROM {{}}.t"
        assert db.value(ask.format("staging")) == db.value(ask.format("prod")), column
    assert db.value(
        "SELECT bool_and(replace(city, 'city', 'zip') = zip) FROM staging.t"
    ), "a group moves together"
    moved = db.value(
        "SELECT count(*) FROM staging.t JOIN prod.t s USING (id) WHERE t.born <> s.born"
    )
    assert moved > 450
    together = db.value(
        "SELECT count(*) FROM staging.t WHERE born = date '2000-01-01' + substr(code, 2)::integer"
    )
    assert together < 50, "columns of no group move apart"


def test_shuffled_columns_stay_unique_where_they_move_together(db):
    db.execute("ALTER TABLE prod.t ADD UNIQUE (id, city)")
    together = {"s": {"type": "shuffle", "config": {"group": "g"}}}
    rules = [{"column": "code", "strategy": "s"}, {"column": "born", "strategy": "s"}]
    run(db, rules, together)
    assert db.value("SELECT count(DISTINCT code) FROM staging.t") == 500
    rules = [{"column": "city", "strategy": "s"}]
    db.load(profile({"t": {"rules": rules, **keep_all()}}, strategies=together, version="2"))
    report = db.plan_refused("22023")
    assert "city" in report.message_primary, "its partner in the index stays behind"


def test_a_default_takes_the_place_of_every_value(db):
    run(db, [{"column": "state", "strategy": "fresh"}], {"fresh": {"type": "default"}})
    assert db.column("SELECT DISTINCT state FROM staging.t") == ["new"]


def test_a_default_that_is_not_there_is_refused(db):
    db.execute("ALTER TABLE prod.t ALTER city SET NOT NULL")
    rules = [{"column": "city", "strategy": "fresh"}]
    db.load(
        profile({"t": {"rules": rules, **keep_all()}}, strategies={"fresh": {"type": "default"}})
    )
    db.sync_refused("42P17")


def test_domains_and_citext_are_masked_as_texts(db):
    rules = [{"column": "email", "strategy": "mail"}, {"column": "nick", "strategy": "hash"}]
    run(db, rules, {})
    assert db.value(
        "SELECT bool_and(t.email = anon_email(s.email) AND t.nick = anon_hash(lower(s.nick::text)))"
        " FROM staging.t JOIN prod.t s USING (id)"
    )


def test_a_parameter_without_meaning_for_the_type_is_refused(db):
    rules = [{"column": "numbers", "strategy": "hash", "options": {"prefix": "x"}}]
    db.load(profile({"t": {"rules": rules, **keep_all()}}))
    report = db.sync_refused("22023")
    assert "prefix" in report.message_primary
