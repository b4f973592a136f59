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


def test_a_reference_across_two_profiles_whose_keys_differ_is_said_and_left_behind(db):
    # A profile pins the version of its key, so only two of them can mask a pair by two versions.
    db.execute("""
        CREATE SCHEMA prod;
        CREATE TABLE prod.a (email text PRIMARY KEY);
        CREATE TABLE prod.b (id int PRIMARY KEY, email text REFERENCES prod.a);
        INSERT INTO prod.a SELECT i || '@x.example' FROM generate_series(1, 9) i;
        INSERT INTO prod.b SELECT i, i || '@x.example' FROM generate_series(1, 9) i""")
    db.load(profile({"a": {"email": "mail"}}, name="first"))
    db.sync("first")
    db.execute("SELECT confiture.rotate_key('masking')")
    db.load(profile({"b": {"email": "mail"}}, name="second"))
    warned = db.column("SELECT id FROM confiture.plan_warnings('second', 'prod', 'staging')")
    assert "foreign_key_left_behind" in warned
    db.sync("second")
    joined = "SELECT count(*) FROM staging.a JOIN staging.b USING (email)"
    assert foreign_keys(db, "staging") == [] and db.value(joined) == 0
    # One profile for both has one version for both.
    db.load(profile({"a": {"email": "mail"}, "b": {"email": "mail"}}, name="both"))
    db.sync("both")
    assert db.value(joined) == 9


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


@pytest.mark.parametrize("turned", [False, True], ids=["on the reference", "on the key"])
def test_a_generated_column_refers_only_where_what_it_reads_is_kept(db, turned):
    one = "id int PRIMARY KEY, v text, g text GENERATED ALWAYS AS (lower(v)) STORED UNIQUE"
    two = "id int PRIMARY KEY, g text UNIQUE"
    if turned:
        one, two = two, one
    db.execute(f"CREATE SCHEMA prod; CREATE TABLE prod.p ({two}); CREATE TABLE prod.t ({one})")
    for table in ("p", "t"):
        column = "v" if (table == "t") != turned else "g"
        db.execute(
            f"INSERT INTO prod.{table} (id, {column})"
            " SELECT i, 'v' || i FROM generate_series(1, 30) AS i"
        )
    db.execute("ALTER TABLE prod.t ADD CONSTRAINT t_p FOREIGN KEY (g) REFERENCES prod.p (g)")
    computed, plain = ("p", "t") if turned else ("t", "p")
    db.load(profile({computed: {"v": "hash"}, plain: keep_all()}))
    report = db.plan_refused("22023")
    assert 'columns "g" and "g" of foreign key "t_p"' in report.message_primary
    assert "generated" in report.message_hint
    db.load(profile({computed: {"v": "hash"}, plain: {"g": "hash"}}, version="2"))
    db.plan_refused("22023")
    db.load(profile({computed: keep_all(), plain: keep_all()}, version="3"))
    db.sync()
    assert foreign_keys(db, "staging") == foreign_keys(db, "prod")


PARTS = """
    CREATE SCHEMA prod;
    CREATE TABLE prod.{referred} (id int PRIMARY KEY, email text UNIQUE);
    CREATE TABLE prod.t (id int, p int, email text, PRIMARY KEY (id)) PARTITION BY RANGE (id);
    CREATE TABLE prod.t1 PARTITION OF prod.t FOR VALUES FROM (1) TO (50);
    CREATE TABLE prod.t2 PARTITION OF prod.t DEFAULT PARTITION BY RANGE (id);
    CREATE TABLE prod.t21 PARTITION OF prod.t2 DEFAULT;
    INSERT INTO prod.{referred} SELECT i, i || '@mail.example' FROM generate_series(1, 60) i;
    INSERT INTO prod.t SELECT i, i, i || '@mail.example' FROM generate_series(1, 120) i"""


@pytest.mark.parametrize("valid", ["", " NOT VALID"])
def test_a_reference_of_one_partition_is_carried_over_and_checked(db, valid):
    db.execute(PARTS.format(referred="p"))
    db.execute(
        "DELETE FROM prod.t WHERE id BETWEEN 55 AND 90;"
        "ALTER TABLE prod.t1 ADD CONSTRAINT first FOREIGN KEY (email)"
        f" REFERENCES prod.p (email){valid}"
    )
    masked = {"email": "mail"}
    db.load(profile({"t": keep_all(), "p": masked}))
    assert '"first"' in db.plan_refused("22023").message_primary
    db.load(profile({"t": masked, "p": masked}, version="2"))
    for _ in range(2):
        db.sync()
        assert foreign_keys(db, "staging") == foreign_keys(db, "prod")
    # A target of before has it not: then the rows of that partition are looked at.
    db.execute("ALTER TABLE staging.t1 DROP CONSTRAINT first")
    db.sync()
    unchecked = (
        "SELECT passed, numbers::text FROM confiture.verification WHERE run_id ="
        " (SELECT run_id FROM confiture.get_audit_log(1)) AND check_name LIKE 'orphans%'"
    )
    [(passed, numbers)] = db.rows(unchecked)
    assert passed and '"source": 0' in numbers and '"target": 0' in numbers


def test_a_reference_to_one_partition_is_carried_over(db):
    db.execute(PARTS.format(referred="other"))
    db.execute(
        "CREATE TABLE prod.p (id int PRIMARY KEY, one int REFERENCES prod.t1 (id),"
        " two int REFERENCES prod.t21 (id));"
        "INSERT INTO prod.p SELECT i, i, 60 + i FROM generate_series(1, 40) i"
    )
    db.load(profile({"p": keep_all(), "t": {"email": "mail"}}))
    for _ in range(2):
        db.sync()
        assert foreign_keys(db, "staging") == foreign_keys(db, "prod")
    said = db.rows("SELECT confiture.plan_warnings('small', 'prod', 'staging')::text")
    assert "foreign_key_left_behind" not in str(said)


def test_a_reference_of_a_partition_that_leads_elsewhere_is_said(db):
    db.execute(PARTS.format(referred="p"))
    db.execute("DELETE FROM prod.t WHERE id > 60")
    db.execute("ALTER TABLE prod.t21 ADD CONSTRAINT far FOREIGN KEY (p) REFERENCES prod.p (id)")
    db.load(profile({"t": keep_all()}))
    said = str(db.rows("SELECT confiture.plan_warnings('small', 'prod', 'staging')::text"))
    assert "foreign_key_left_behind" in said and "far" in said and "prod.t21" in said
    db.sync()
    assert foreign_keys(db, "staging") == []


def test_subsets_follow_a_reference_of_one_partition(db):
    db.execute(PARTS.format(referred="p"))
    db.execute("ALTER TABLE prod.t1 ADD CONSTRAINT first FOREIGN KEY (p) REFERENCES prod.p (id)")
    tables = {"t": keep_all(), "p": {"email": "mail"}}
    db.load(profile(tables, subset={"t": [["id", "<", 10]]}))
    db.sync()
    assert foreign_keys(db, "staging") == foreign_keys(db, "prod")
    assert db.value("SELECT count(*) FROM staging.t") == 9
    assert db.value("SELECT count(*) FROM staging.p") == 9
