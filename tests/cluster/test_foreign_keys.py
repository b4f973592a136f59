"""Foreign keys between tables of a run: order, cycles, and the same pseudonym on both sides."""

import pytest

from samples import keep_all, make_partitioned, profile


def orphans(db, child, column, parent):
    """How many rows of the child point to nothing."""
    return db.value(
        f"SELECT count(*) FROM staging.{child} c LEFT JOIN staging.{parent} p ON p.id = c.{column}"
        f" WHERE c.{column} IS NOT NULL AND p.id IS NULL"
    )


def foreign_keys(db, schema):
    """Definitions of a schema's foreign keys, with its name taken out."""
    found = db.rows(
        "SELECT conname, convalidated, pg_get_constraintdef(oid) FROM pg_constraint"
        f" WHERE contype = 'f' AND connamespace = '{schema}'::regnamespace"
        " AND conparentid = 0 ORDER BY conname"
    )
    return [(name, valid, text.replace(f"{schema}.", "")) for name, valid, text in found]


def test_tables_are_filled_whatever_their_order_in_the_profile(db):
    db.execute("""
        CREATE SCHEMA prod;
        CREATE TABLE prod.a (id int PRIMARY KEY, email text);
        CREATE TABLE prod.b (id int PRIMARY KEY,
          a int NOT NULL REFERENCES prod.a ON DELETE CASCADE);
        CREATE TABLE prod.c (id int PRIMARY KEY,
          b int NOT NULL REFERENCES prod.b ON UPDATE RESTRICT);
        INSERT INTO prod.a SELECT i, i || '@mail.example' FROM generate_series(1, 50) i;
        INSERT INTO prod.b SELECT i, i FROM generate_series(1, 50) i;
        INSERT INTO prod.c SELECT i, i FROM generate_series(1, 50) i""")
    db.load(profile({"c": keep_all(), "a": {"email": "mail"}, "b": keep_all()}))
    db.sync()
    db.sync()
    assert foreign_keys(db, "staging") == foreign_keys(db, "prod")
    assert orphans(db, "b", "a", "a") == orphans(db, "c", "b", "b") == 0
    db.refused("23503", "INSERT INTO staging.b VALUES (99, 99)")


def test_a_self_reference(db):
    db.execute("""
        CREATE SCHEMA prod;
        CREATE TABLE prod.staff (id int PRIMARY KEY, email text, boss int REFERENCES prod.staff);
        INSERT INTO prod.staff VALUES (3, 'c@mail.example', NULL);
        INSERT INTO prod.staff SELECT i, i || '@mail.example', 3 FROM generate_series(4, 40) i;
        INSERT INTO prod.staff VALUES (1, 'a@mail.example', 1)""")
    db.load(profile({"staff": {"email": "mail"}}))
    db.sync()
    db.sync()
    assert db.rows("SELECT id, boss FROM staging.staff ORDER BY id") == db.rows(
        "SELECT id, boss FROM prod.staff ORDER BY id"
    )
    assert foreign_keys(db, "staging") == foreign_keys(db, "prod")


def test_a_cycle(db):
    db.execute("""
        CREATE SCHEMA prod;
        CREATE TABLE prod.team (id int PRIMARY KEY, head int NOT NULL);
        CREATE TABLE prod.person (id int PRIMARY KEY,
          team int NOT NULL REFERENCES prod.team, email text);
        ALTER TABLE prod.team ADD FOREIGN KEY (head) REFERENCES prod.person
          DEFERRABLE INITIALLY DEFERRED;
        BEGIN;
        INSERT INTO prod.team VALUES (1, 10), (2, 20);
        INSERT INTO prod.person VALUES (10, 2, 'a@mail.example'), (20, 1, 'b@mail.example');
        COMMIT""")
    db.load(profile({"team": keep_all(), "person": {"email": "mail"}}))
    db.sync()
    db.sync()
    assert foreign_keys(db, "staging") == foreign_keys(db, "prod")
    assert orphans(db, "team", "head", "person") == 0


NATURAL = """
    CREATE SCHEMA prod;
    CREATE TABLE prod.account (email text PRIMARY KEY, note text);
    CREATE TABLE prod.visit (id int PRIMARY KEY, email text REFERENCES prod.account);
    INSERT INTO prod.account SELECT i || '@mail.example', 'n' FROM generate_series(1, 30) i;
    INSERT INTO prod.visit SELECT i, i || '@mail.example' FROM generate_series(1, 30) i;
    INSERT INTO prod.visit VALUES (99, NULL)"""


def test_a_masked_key_and_its_reference_stay_joined(db):
    db.execute(NATURAL)
    db.load(profile({"account": {"email": "mail"}, "visit": {"email": "mail"}}))
    db.sync()
    assert db.value("SELECT count(*) FROM staging.visit JOIN staging.account USING (email)") == 30
    assert foreign_keys(db, "staging") == foreign_keys(db, "prod")


@pytest.mark.parametrize(
    "other",
    [
        [{"column": "email", "strategy": "hash"}],
        [{"column": "email", "strategy": "mail", "seed": 7}],
        [{"column": "email", "strategy": "mail", "options": {"hash_length": 24}}],
        [],
    ],
    ids=["strategy", "seed", "parameter", "not masked"],
)
@pytest.mark.parametrize("turned", [False, True], ids=["on the reference", "on the key"])
def test_a_pair_that_would_not_match_is_refused(db, other, turned):
    db.execute(NATURAL)
    one, two = [{"column": "email", "strategy": "mail"}], other
    if turned:
        one, two = two, one
    db.load(
        profile(
            {"account": {"rules": one, **keep_all()}, "visit": {"rules": two, **keep_all()}},
            coverage="copy",
        )
    )
    report = db.sync_refused({"42804", "55000", "22023", "42P17"})
    assert "email" in " ".join(filter(None, [report.message_primary, report.message_detail]))
    assert db.content("staging") == {} and db.events() == ["KEY_CREATED"]


def test_a_composite_key(db):
    db.execute("""
        CREATE SCHEMA prod;
        CREATE TABLE prod.account (shop int, email text, PRIMARY KEY (shop, email));
        CREATE TABLE prod.visit (id int PRIMARY KEY, email text, shop int,
          CONSTRAINT visit_account FOREIGN KEY (shop, email)
          REFERENCES prod.account (shop, email) MATCH FULL);
        INSERT INTO prod.account SELECT i % 3, i || '@mail.example' FROM generate_series(1, 30) i;
        INSERT INTO prod.visit SELECT i, i || '@mail.example', i % 3 FROM generate_series(1, 30) i;
        INSERT INTO prod.visit VALUES (99, NULL, NULL)""")
    db.load(profile({"account": {"email": "mail"}, "visit": {"email": "mail"}}))
    db.sync()
    db.sync()
    assert (
        db.value("SELECT count(*) FROM staging.visit JOIN staging.account USING (shop, email)")
        == 30
    )
    assert foreign_keys(db, "staging") == foreign_keys(db, "prod")


def test_an_integer_key_that_is_masked_on_both_sides(db):
    db.execute("""
        CREATE SCHEMA prod;
        CREATE TABLE prod.person (number bigint PRIMARY KEY);
        CREATE TABLE prod.card (id int PRIMARY KEY, number bigint REFERENCES prod.person);
        INSERT INTO prod.person SELECT 1000000 + i FROM generate_series(1, 30) i;
        INSERT INTO prod.card SELECT i, 1000000 + i FROM generate_series(1, 30) i""")
    rules = {"rules": [{"column": "number", "strategy": "hash"}]}
    db.load(profile({"person": rules, "card": {**rules, **keep_all()}}))
    db.sync()
    assert db.value("SELECT count(*) FROM staging.card JOIN staging.person USING (number)") == 30
    assert (
        db.rows("SELECT number FROM staging.person INTERSECT SELECT number FROM prod.person") == []
    )


def test_a_reference_that_was_never_validated_stays_so_with_its_orphans(db):
    db.execute("""
        CREATE SCHEMA prod;
        CREATE TABLE prod.a (id int PRIMARY KEY);
        CREATE TABLE prod.b (id int PRIMARY KEY, a int);
        INSERT INTO prod.a VALUES (1);
        INSERT INTO prod.b VALUES (1, 1), (2, 77);
        ALTER TABLE prod.b ADD CONSTRAINT b_a FOREIGN KEY (a) REFERENCES prod.a NOT VALID""")
    db.load(profile({"a": keep_all(), "b": keep_all()}))
    db.sync()
    db.sync()
    assert foreign_keys(db, "staging") == foreign_keys(db, "prod")
    assert orphans(db, "b", "a", "a") == 1
    db.refused("23503", "INSERT INTO staging.b VALUES (3, 78)")


def test_a_reference_to_a_table_that_is_not_synced_is_said_and_not_carried_over_to_prod(db):
    db.execute("""
        CREATE SCHEMA prod;
        CREATE TABLE prod.a (id int PRIMARY KEY);
        CREATE TABLE prod.b (id int PRIMARY KEY, a int REFERENCES prod.a);
        INSERT INTO prod.a VALUES (1);
        INSERT INTO prod.b VALUES (1, 1)""")
    db.load(profile({"b": keep_all()}))
    db.sync()
    # No foreign key of the copy may hold on to a row of the original.
    assert (
        db.value(
            "SELECT count(*) FROM pg_constraint WHERE conrelid = 'staging.b'::regclass"
            " AND contype = 'f'"
        )
        == 0
    )
    assert db.value("SELECT count(*) FROM staging.b") == 1


def test_a_reference_between_partitioned_tables(db):
    make_partitioned(db)
    db.load(profile({"a": keep_all(), "b": {"email": "mail"}}))
    db.sync()
    db.sync()
    assert foreign_keys(db, "staging") == foreign_keys(db, "prod")
    for table in ("a1", "a2", "b1", "b2"):
        assert db.value(f"SELECT count(*) FROM staging.{table}") == db.value(
            f"SELECT count(*) FROM prod.{table}"
        )


def test_equal_values_get_equal_pseudonyms_across_tables_columns_and_runs(db):
    db.execute("""
        CREATE SCHEMA prod;
        CREATE TABLE prod.a (email text);
        CREATE TABLE prod.b (contact varchar(80));
        INSERT INTO prod.a VALUES ('same@mail.example'), ('Other@mail.example');
        INSERT INTO prod.b VALUES (' SAME@mail.example '), ('third@mail.example')""")
    db.load(
        profile(
            {
                "a": {"rules": [{"column": "email", "strategy": "mail"}]},
                "b": {"rules": [{"column": "contact", "strategy": "mail"}]},
            }
        )
    )
    db.sync()
    shared = db.column("SELECT email FROM staging.a INTERSECT SELECT contact FROM staging.b")
    assert len(shared) == 1
    db.sync()
    assert (
        db.column("SELECT email FROM staging.a INTERSECT SELECT contact FROM staging.b") == shared
    )
