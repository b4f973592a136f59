"""Columns whose type or collation holds different texts to be equal: what a run reads and refuses."""

import psycopg
import pytest
from samples import keep_all, profile

MASKS = {
    "name": {"type": "name"},
    "card": {"type": "credit_card"},
    "cards": {"type": "fpe", "config": {"keep_prefix": 6, "preserve_luhn": True}},
    "job": {"type": "job"},
    "letters": {"type": "fpe", "config": {"alphabet": "alpha"}},
    "mix": {"type": "shuffle"},
}


def load(db, tables, version="1"):
    bodies = {table: {"rules": rules, **keep_all()} for table, rules in tables.items()}
    db.load(profile(bodies, strategies=MASKS, version=version))


def masked(column, strategy, **inputs):
    return {"column": column, "strategy": strategy, **inputs}


@pytest.fixture
def citext(db):
    if not db.server.has("citext"):
        pytest.skip("this PostgreSQL comes without citext")
    db.execute("CREATE SCHEMA prod; CREATE EXTENSION citext")
    return db


@pytest.fixture
def loose(db):
    """Texts that are equal whatever their case, by a collation of the schema."""
    try:
        db.execute(
            "CREATE COLLATION public.loose"
            " (provider = icu, locale = 'und-u-ks-level2', deterministic = false)"
        )
    except psycopg.errors.FeatureNotSupported:
        pytest.skip("this PostgreSQL comes without ICU")
    db.execute("CREATE SCHEMA prod")
    return db


@pytest.mark.parametrize("collation", ["", 'COLLATE "C"'])
def test_an_entity_of_citext_is_one_whatever_its_case(citext, collation):
    db = citext
    db.execute("CREATE DOMAIN prod.nick AS citext")
    db.execute(
        f"CREATE TABLE prod.t (id int PRIMARY KEY, e text, nick citext {collation}, alias prod.nick,"
        " plain text)"
    )
    db.execute(
        "INSERT INTO prod.t VALUES (1, 'x', 'Bob', 'Bob', 'Bob'), (2, 'y', 'bob', 'bob', 'bob'),"
        " (3, 'z', '\u00c4da', '\u00c4da', '\u00c4da'), (4, 'w', '\u00e4dA', '\u00e4dA', '\u00e4dA')"
    )
    for version, (column, same) in enumerate([("nick", True), ("alias", True), ("plain", False)], 1):
        load(db, {"t": [masked("e", "name", entity=column)]}, str(version))
        db.sync()
        rows = db.column("SELECT e FROM staging.t ORDER BY id")
        assert (rows[0] == rows[1], rows[2] == rows[3]) == (same, same), column
        # The same by hand, where its type is written away.
        if same:
            call = f"anon_name(e, entity => lower({column}::text COLLATE \"default\"))"
            assert rows == db.column(f"SELECT {call} FROM prod.t ORDER BY id")


def test_an_entity_is_not_told_apart_by_an_index_over_its_text(citext):
    db = citext
    db.execute("CREATE TABLE prod.t (id int PRIMARY KEY, e text UNIQUE, nick citext)")
    db.execute('CREATE UNIQUE INDEX ON prod.t ((nick::text COLLATE "C"))')
    db.execute("INSERT INTO prod.t VALUES (1, 'x', 'Bob'), (2, 'y', 'bob')")
    load(db, {"t": [masked("e", "mail", entity="nick")]})
    report = db.plan_refused("22023")
    assert 'the entity, column "nick"' in report.message_detail
    db.execute("DELETE FROM prod.t WHERE id = 2; CREATE UNIQUE INDEX ON prod.t (nick)")
    db.sync()


def test_a_domain_over_citext_is_told_apart_without_case(citext):
    db = citext
    db.execute("CREATE DOMAIN prod.nick AS citext")
    db.execute("CREATE TABLE prod.t (id int PRIMARY KEY, e prod.nick UNIQUE)")
    load(db, {"t": [masked("e", "letters")]})
    assert "without regard to case" in db.plan_refused("22023").message_detail


def test_uniqueness_that_rests_on_an_entity_is_refused_by_its_name(db):
    db.execute("CREATE SCHEMA prod; CREATE TABLE prod.t (id int PRIMARY KEY, e text UNIQUE, who text)")
    load(db, {"t": [masked("e", "mail", entity="who")]})
    report = db.plan_refused("22023")
    assert 'the entity, column "who", and not on the value' in report.message_detail
    assert report.message_hint.startswith("Name an entity that is unique itself, or no entity;")
    load(db, {"t": [masked("e", "job", entity="who")]}, "2")
    report = db.plan_refused("22023")
    assert 'or no entity and "keep_unique: true";' in report.message_hint
    db.execute("CREATE UNIQUE INDEX ON prod.t (who)")
    load(db, {"t": [masked("e", "mail", entity="who")]}, "3")
    db.plan()


def test_unique_card_numbers_are_told_the_way_out(db):
    db.execute("CREATE SCHEMA prod; CREATE TABLE prod.t (id int PRIMARY KEY, e text UNIQUE)")
    db.execute("INSERT INTO prod.t VALUES (1, '4111111111111111'), (2, '4111-1111-1111-1111')")
    load(db, {"t": [masked("e", "card")]})
    hint = db.plan_refused("22023").message_hint
    assert 'Use fpe with "preserve_luhn: true" and "keep_prefix: 6"' in hint
    load(db, {"t": [masked("e", "cards")]}, "2")
    db.sync()
    made = db.column("SELECT e FROM staging.t ORDER BY id")
    assert made[0][:6] == "411111" and made[1].replace("-", "") == made[0] != "4111111111111111"


def test_a_unique_column_of_a_loose_collation_is_refused_with_the_reason(loose):
    db = loose
    db.execute("CREATE TABLE prod.t (id int PRIMARY KEY, e text COLLATE public.loose UNIQUE)")
    db.execute("INSERT INTO prod.t VALUES (1, 'Bob'), (2, 'Ada')")
    load(db, {"t": [masked("e", "hash")]})
    report = db.plan_refused("22023")
    assert "by a nondeterministic collation" in report.message_detail
    assert report.message_hint.startswith("Use shuffle")
    load(db, {"t": [masked("e", "mix")]}, "2")
    db.sync()
    assert set(db.column("SELECT e FROM staging.t")) == {"Bob", "Ada"}


def test_a_reference_to_a_column_of_a_loose_collation_is_refused(loose):
    db = loose
    if db.server.version >= 18:
        pytest.skip("this PostgreSQL refuses such a reference itself")
    db.execute(
        "CREATE TABLE prod.t (id int PRIMARY KEY, e text COLLATE public.loose);"
        'CREATE UNIQUE INDEX by_bytes ON prod.t (e COLLATE "C");'
        "CREATE TABLE prod.u (id int PRIMARY KEY, e text COLLATE public.loose REFERENCES prod.t (e))"
    )
    db.execute("INSERT INTO prod.t VALUES (1, 'Bob'); INSERT INTO prod.u VALUES (1, 'bob')")
    load(db, {"t": [masked("e", "hash")], "u": [masked("e", "hash")]})
    report = db.plan_refused("22023")
    assert report.message_primary == (
        'foreign key "u_e_fkey" of table "prod.u" may not hold for masked column "e"'
    )
    assert "nondeterministic collation" in report.message_detail
    assert "Bob" not in report.message_detail
    # A reference from such a column to an ordinary one is compared as that one compares.
    db.execute("ALTER TABLE prod.u DROP CONSTRAINT u_e_fkey; UPDATE prod.u SET e = 'Bob'")
    db.execute("ALTER TABLE prod.t ALTER e TYPE text COLLATE \"C\"")
    db.execute("ALTER TABLE prod.u ADD FOREIGN KEY (e) REFERENCES prod.t (e)")
    db.sync()
    assert db.value("SELECT count(*) FROM staging.u JOIN staging.t USING (id) WHERE u.e = t.e COLLATE \"C\"") == 1
