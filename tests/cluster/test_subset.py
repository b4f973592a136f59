"""Subsets along foreign keys, limits, declared foreign keys, excluded tables."""

import json

import pytest

from samples import keep_all, make_partitioned, profile

SHOP = """
    CREATE SCHEMA prod;
    CREATE TABLE prod.country (code text PRIMARY KEY);
    CREATE TABLE prod.customer (id int PRIMARY KEY, country text REFERENCES prod.country,
      email text UNIQUE, referred_by int REFERENCES prod.customer);
    CREATE TABLE prod.product (id int PRIMARY KEY, name text);
    CREATE TABLE prod.review (id int PRIMARY KEY, product int REFERENCES prod.product);
    CREATE TABLE prod.orders (id int PRIMARY KEY, customer int REFERENCES prod.customer);
    CREATE TABLE prod.item (orders int REFERENCES prod.orders, line int,
      product int NOT NULL REFERENCES prod.product, PRIMARY KEY (orders, line));
    CREATE TABLE prod.setting (name text PRIMARY KEY);
    INSERT INTO prod.country VALUES ('FR'), ('DE'), ('PT');
    INSERT INTO prod.customer VALUES
      (1, 'FR', 'a@mail.example', NULL), (2, 'DE', 'b@mail.example', 1),
      (3, 'FR', 'c@mail.example', 2), (4, 'PT', 'd@mail.example', NULL),
      (5, NULL, 'e@mail.example', 4);
    INSERT INTO prod.product SELECT i, 'p' || i FROM generate_series(1, 6) i;
    INSERT INTO prod.review SELECT i, i FROM generate_series(1, 6) i;
    INSERT INTO prod.orders VALUES (10, 1), (20, 2), (30, 3), (40, 4), (50, NULL);
    INSERT INTO prod.item VALUES (10, 1, 1), (10, 2, 2), (20, 1, 3), (30, 1, 4),
      (40, 1, 5), (50, 1, 6);
    INSERT INTO prod.setting VALUES ('theme')"""

TABLES = {
    "customer": {"email": "mail"},
    **{name: keep_all() for name in ("country", "product", "review", "orders", "item", "setting")},
}
FRENCH = {"customer": [["country", "=", "FR"]]}


def ids(db, table, column="id"):
    """What of a table was copied."""
    return db.column(f"SELECT {column} FROM staging.{table} ORDER BY 1")


def with_body(**bodies):
    """The tables of the shop, with more under some of them."""
    return {name: {**_full(body), **bodies.get(name, {})} for name, body in TABLES.items()}


def _full(body):
    if "preserve" in body:
        return body
    rules = [{"column": column, "strategy": strategy} for column, strategy in body.items()]
    return {"rules": rules, **keep_all()}


def test_a_subset_has_the_seeds_what_refers_to_them_and_what_they_refer_to(db):
    db.execute(SHOP)
    db.load(profile(TABLES, subset=FRENCH))
    db.sync(options='{"subset_unreached": "empty"}')
    # 1 and 3 are French; 2 refers to 1 and comes with it, 4 and 5 are of nobody.
    assert ids(db, "customer") == [1, 2, 3]
    assert ids(db, "orders") == [10, 20, 30]
    assert db.rows("SELECT orders, line FROM staging.item ORDER BY 1, 2") == [
        (10, 1),
        (10, 2),
        (20, 1),
        (30, 1),
    ]
    # Upwards only what is needed: no product of other orders, and no other country.
    assert ids(db, "product") == [1, 2, 3, 4]
    assert ids(db, "country", "code") == ["DE", "FR"]
    # What is pulled in upwards brings nothing that refers to it.
    assert ids(db, "review") == []
    before = db.content("staging")
    db.sync(options='{"subset_unreached": "empty"}')
    assert db.content("staging") == before


def test_tables_that_a_subset_does_not_reach_are_whole_or_empty(db):
    db.execute(SHOP)
    db.load(profile(TABLES, subset=FRENCH))
    db.sync()
    # Reviews refer to products, which are only reached upwards: whole, and so all products come.
    assert ids(db, "review") == ids(db, "product") == [1, 2, 3, 4, 5, 6]
    assert ids(db, "setting", "name") == ["theme"]
    db.sync(options='{"subset_unreached": "empty"}')
    assert ids(db, "review") == ids(db, "setting", "name") == []
    assert ids(db, "product") == [1, 2, 3, 4]
    db.sync_refused("22023", options='{"subset_unreached": "drop"}')


def test_what_a_condition_leaves_out_stays_out_with_all_that_refers_to_it(db):
    db.execute(SHOP)
    tables = with_body(
        orders={"where": [["id", "<>", 20]]}, customer={"where": [["id", "<>", 2]]}
    )
    db.load(profile(tables, subset=FRENCH))
    db.sync(options='{"subset_unreached": "empty"}')
    # 3 was referred by 2, who must not come.
    assert ids(db, "customer") == [1] and ids(db, "orders") == [10]
    assert ids(db, "product") == [1, 2]


def test_a_limit_takes_the_first_rows_and_what_belongs_to_them(db):
    db.execute(SHOP)
    db.load(profile(with_body(customer={"limit": 2}, item={"limit": 3})))
    db.sync()
    assert ids(db, "customer") == [1, 2]
    # The order of nobody refers to nothing that is cut.
    assert ids(db, "orders") == [10, 20, 50]
    assert db.rows("SELECT orders, line FROM staging.item ORDER BY 1, 2") == [
        (10, 1),
        (10, 2),
        (20, 1),
    ]
    assert ids(db, "product") == [1, 2, 3, 4, 5, 6] and ids(db, "setting", "name") == ["theme"]
    before = db.content("staging")
    db.sync()
    assert db.content("staging") == before


def test_a_limit_of_a_subset_counts_what_was_chosen(db):
    db.execute(SHOP)
    db.load(profile(with_body(customer={"limit": 2}), subset=FRENCH))
    db.sync(options='{"subset_unreached": "empty"}')
    assert ids(db, "customer") == [1, 2] and ids(db, "orders") == [10, 20]
    db.load(profile(with_body(orders={"limit": 0}), subset=FRENCH, version="2"))
    db.sync(options='{"subset_unreached": "empty"}')
    assert ids(db, "customer") == [1, 2, 3]
    assert ids(db, "orders") == ids(db, "item", "orders") == []


def test_a_limit_needs_a_primary_key(db):
    db.execute("CREATE SCHEMA prod; CREATE TABLE prod.t (a int)")
    db.load(profile({"t": {**keep_all(), "limit": 5}}))
    report = db.plan_refused("42P17")
    assert "primary key" in report.message_primary


def test_cycles_and_self_references_end(db):
    db.execute("""
        CREATE SCHEMA prod;
        CREATE TABLE prod.team (id int PRIMARY KEY, head int);
        CREATE TABLE prod.person (id int PRIMARY KEY, boss int REFERENCES prod.person,
          team int REFERENCES prod.team, email text);
        INSERT INTO prod.team SELECT i, i FROM generate_series(1, 40) i;
        INSERT INTO prod.person SELECT i, nullif(i - 1, 0), (i + 9) / 10, i || '@mail.example'
          FROM generate_series(1, 400) i;
        ALTER TABLE prod.team ADD FOREIGN KEY (head) REFERENCES prod.person""")
    db.load(
        profile(
            {"person": {"email": "mail"}, "team": keep_all()},
            subset={"person": [["id", "=", 395]]},
        )
    )
    db.sync()
    # Downwards to those below; upwards to every boss of a boss.
    assert db.value("SELECT count(*) FROM staging.person") == 400
    assert db.value("SELECT count(*) FROM staging.team") == 40
    db.execute("UPDATE prod.person SET boss = id WHERE id = 301; UPDATE prod.team SET head = NULL")
    db.sync()
    assert ids(db, "person") == list(range(301, 401))
    assert ids(db, "team") == list(range(31, 41))


def test_composite_keys_with_nulls_among_them(db):
    db.execute("""
        CREATE SCHEMA prod;
        CREATE TABLE prod.account (shop int, no int, PRIMARY KEY (shop, no));
        CREATE TABLE prod.full_visit (id int PRIMARY KEY, shop int, no int,
          FOREIGN KEY (shop, no) REFERENCES prod.account MATCH FULL);
        CREATE TABLE prod.visit (id int PRIMARY KEY, shop int, no int,
          FOREIGN KEY (no, shop) REFERENCES prod.account (no, shop));
        INSERT INTO prod.account SELECT a, b FROM generate_series(1, 3) a, generate_series(1, 3) b;
        INSERT INTO prod.full_visit VALUES (1, 1, 1), (2, 2, 2), (3, NULL, NULL);
        INSERT INTO prod.visit VALUES (1, 1, 1), (2, 2, 1), (3, 1, NULL), (4, NULL, 77)""")
    tables = {name: keep_all() for name in ("account", "full_visit", "visit")}
    db.load(profile(tables, subset={"account": [["shop", "=", 1]]}))
    db.sync()
    assert db.value("SELECT count(*) FROM staging.account") == 3
    assert ids(db, "full_visit") == ids(db, "visit") == [1]
    db.load(profile(tables, subset={"visit": [["id", "in", [2, 4]]]}, version="2"))
    db.sync(options='{"subset_unreached": "empty"}')
    assert db.rows("SELECT shop, no FROM staging.account") == [(2, 1)]
    limited = {**tables, "account": {**keep_all(), "limit": 1}}
    db.load(profile(limited, version="3"))
    db.sync()
    assert ids(db, "full_visit") == [1, 3] and ids(db, "visit") == [1, 3, 4]


def test_partitioned_tables(db):
    make_partitioned(db)
    db.load(
        profile({"a": keep_all(), "b": {"email": "mail"}}, subset={"a": [["id", "<=", 20]]})
    )
    db.sync()
    # In both partitions rows lie at the same place; they are told apart.
    assert ids(db, "a") == list(range(1, 21)) and ids(db, "b") == list(range(101, 121))


DECLARED = {
    "table": "orders",
    "columns": ["user_email"],
    "references": "users",
    "referenced_columns": ["email"],
}

USERS = """
    CREATE SCHEMA prod;
    CREATE TABLE prod.users (id int PRIMARY KEY, email text);
    CREATE TABLE prod.orders (id int PRIMARY KEY, user_email text);
    INSERT INTO prod.users SELECT i, i || '@mail.example' FROM generate_series(1, 5) i;
    INSERT INTO prod.users VALUES (9, '3@mail.example');
    INSERT INTO prod.orders SELECT i, i || '@mail.example' FROM generate_series(1, 7) i;
    INSERT INTO prod.orders VALUES (8, NULL)"""


def test_a_declared_key_takes_part(db):
    db.execute(USERS)
    tables = {"users": {"email": "mail"}, "orders": {"user_email": "mail"}}
    db.load(profile(tables, foreign_keys=[DECLARED], subset={"users": [["id", "=", 3]]}))
    db.sync()
    assert ids(db, "orders") == [3]
    # An order refers to everybody of that address.
    assert ids(db, "users") == [3, 9]
    joined = "staging.orders JOIN staging.users ON user_email = email"
    assert db.value(f"SELECT count(*) FROM {joined}") == 2
    # A limit cuts what refers to nothing but cut rows.
    limited = {**tables, "users": {**_full(tables["users"]), "limit": 3}}
    db.load(profile(limited, foreign_keys=[DECLARED], version="2"))
    db.sync()
    assert ids(db, "users") == [1, 2, 3] and ids(db, "orders") == [1, 2, 3, 6, 7, 8]


def test_orphans_of_a_declared_key_are_counted_on_both_sides(db):
    db.execute(USERS)
    tables = {"users": {"email": "mail"}, "orders": {"user_email": "mail"}}
    db.load(profile(tables, foreign_keys=[DECLARED]))
    db.sync()
    found = db.rows(
        "SELECT passed, table_name, column_name, numbers FROM confiture.verification"
        " WHERE check_name = 'orphans of a declared foreign key'"
    )
    counts = {"source": 2, "target": 2, "constraint": None}
    assert found == [(True, "orders", "user_email", counts)]


@pytest.mark.parametrize(
    ("body", "why"),
    [
        ({"user_email": "hash"}, "not masked alike"),
        (keep_all(), "not masked alike"),
        ([{"column": "user_email", "strategy": "mail", "seed": 3}], "not masked alike"),
    ],
)
def test_a_declared_pair_must_be_masked_alike(db, body, why):
    db.execute(USERS)
    tables = {"users": {"email": "mail"}, "orders": body}
    db.load(profile(tables, foreign_keys=[DECLARED], coverage="copy"))
    report = db.plan_refused("22023")
    assert why in report.message_primary and "declared" in report.message_primary


def test_a_declared_key_must_be_one(db):
    db.execute(USERS)
    tables = {"users": {"email": "mail"}, "orders": {"user_email": "mail"}}
    for i, (change, sqlstate) in enumerate(
        [({"columns": ["email"]}, "42703"), ({"columns": ["id"]}, "42804")]
    ):
        keys = [{**DECLARED, **change}]
        db.load(profile(tables, foreign_keys=keys, version=str(i)))
        db.plan_refused(sqlstate)


def test_excluded_tables_must_be_there_and_others_are_noted(db):
    db.execute(SHOP)
    tables = {name: TABLES[name] for name in ("customer", "country")}
    excluded = [{"table": "setting", "why": "not needed"}]
    db.load(profile(tables, exclude_tables=excluded))
    db.sync()
    assert db.rows(
        "SELECT details -> 'tables_excluded', details -> 'tables_unnamed'"
        " FROM confiture.audit_log WHERE event = 'COMPLETED'"
    ) == [(1, 4)]
    told = db.rows("SELECT message FROM confiture.plan_warnings('small', 'prod', 'staging')"
                   " WHERE id = 'tables_not_named'")
    assert told == [(
        '4 tables of schema "prod" are neither in the profile nor excluded, and not copied: '
        "item, orders, product, review",
    )]
    db.load(profile(tables, exclude_tables=[{"table": "settin", "why": "x"}], version="2"))
    assert 'Did you mean "setting"?' in db.plan_refused("42P01").message_hint


def test_the_plan_says_how_many_rows_to_expect(db):
    db.execute(SHOP)
    db.execute("ANALYZE")
    db.load(profile(TABLES, subset=FRENCH))
    notices = []
    db.connection.add_notice_handler(lambda notice: notices.append(notice.message_primary))
    db.plan()
    said = "to be copied are about 2 of 5 rows of customer"
    assert any(note.startswith(said) for note in notices)


def test_nothing_planted_takes_part(db):
    """Tables named like those of the choice, operators in public: the run knows its own."""
    db.execute(SHOP)
    db.execute("""
        CREATE FUNCTION public.no(text, text) RETURNS boolean LANGUAGE sql AS 'SELECT false';
        CREATE OPERATOR public.= (FUNCTION = public.no, LEFTARG = text, RIGHTARG = text);
        SET search_path = public, pg_catalog;
        CREATE TEMP TABLE confiture_kept (t tid, round int)""")
    db.load(profile(TABLES, subset=FRENCH))
    db.sync()
    assert ids(db, "customer") == [1, 2, 3]
    leftover = "SELECT count(*) FROM pg_catalog.pg_class WHERE relname LIKE 'confiture\\_%\\_%\\_%'"
    assert db.value(f"{leftover} AND relpersistence = 't'") == 0


def test_hostile_names(db):
    name = 'a"b\\c\'d $tag$ é'
    quoted = '"' + name.replace('"', '""') + '"'
    db.execute(f"""
        CREATE SCHEMA prod;
        CREATE TABLE prod.{quoted} ({quoted} int PRIMARY KEY, s int, k int);
        CREATE TABLE prod.child (id int PRIMARY KEY, {quoted} int REFERENCES prod.{quoted});
        INSERT INTO prod.{quoted} VALUES (1, 1, 1), (2, 2, 2);
        INSERT INTO prod.child VALUES (1, 1), (2, 2), (3, NULL)""")
    # In a profile a period parts schema and table, so the name is quoted there too.
    key = quoted
    db.load(
        profile({key: keep_all(), "child": keep_all()}, subset={key: [[name, "=", 2]]})
    )
    db.sync()
    assert ids(db, "child") == [2]


def test_a_role_without_temporary_tables_is_told(db):
    db.execute(SHOP)
    db.load(profile(TABLES, subset=FRENCH))
    db.execute(f"""
        REVOKE TEMPORARY ON DATABASE "{db.name}" FROM PUBLIC;
        CREATE ROLE "op_{db.name}" LOGIN;
        SELECT confiture.grant_access('operator', 'op_{db.name}');
        GRANT USAGE ON SCHEMA prod TO "op_{db.name}";
        GRANT SELECT ON ALL TABLES IN SCHEMA prod TO "op_{db.name}";
        GRANT CREATE ON DATABASE "{db.name}" TO "op_{db.name}" """)
    other = db.session(f"op_{db.name}")
    report = other.plan_refused("42501")
    assert "TEMPORARY" in report.message_hint
    db.execute(f'GRANT TEMPORARY ON DATABASE "{db.name}" TO "op_{db.name}"')
    other.sync()
    assert ids(db, "customer") == [1, 2, 3]


def test_a_subset_inside_a_transaction(db):
    db.execute(SHOP)
    db.load(profile(TABLES, subset=FRENCH))
    db.execute("BEGIN")
    options = json.dumps({"in_transaction": True})
    db.sync(options=options)
    db.sync(options=options)
    db.execute("COMMIT")
    assert ids(db, "customer") == [1, 2, 3]


def test_a_subset_of_a_foreign_source(db):
    if not db.server.has("postgres_fdw"):
        pytest.skip("this PostgreSQL comes without postgres_fdw")
    environment = db.server.environment
    db.execute(SHOP)
    db.execute(f"""
        CREATE EXTENSION postgres_fdw;
        CREATE SERVER back FOREIGN DATA WRAPPER postgres_fdw
          OPTIONS (dbname '{db.name}', host '{environment["PGHOST"]}',
                   port '{environment["PGPORT"]}');
        CREATE USER MAPPING FOR postgres SERVER back OPTIONS (user 'postgres');
        CREATE SCHEMA remote;
        IMPORT FOREIGN SCHEMA prod LIMIT TO (customer, orders) FROM SERVER back INTO remote""")
    key = {
        "table": "orders",
        "columns": "customer",
        "references": "customer",
        "referenced_columns": "id",
    }
    tables = {"customer": {"email": "mail"}, "orders": keep_all()}
    db.load(profile(tables, foreign_keys=[key], subset=FRENCH))
    db.sync(source="remote")
    assert ids(db, "customer") == [1, 3] and ids(db, "orders") == [10, 30]
