"""Masked views: what they show, what they are made of, and what becomes of them."""

import pytest

from samples import keep_all, profile

TABLES = """
    CREATE SCHEMA prod;
    CREATE TYPE prod.mood AS ENUM ('good', 'bad');
    CREATE DOMAIN prod.address AS text CHECK (VALUE ~ '@');
    CREATE TABLE prod.people (
      id integer PRIMARY KEY, email text NOT NULL UNIQUE, phone varchar(40), code char(12),
      born date, score numeric(8,2), tags text[], mail prod.address, mood prod.mood,
      note text, gone text, secret integer, label text COLLATE "C",
      short text GENERATED ALWAYS AS (left(email, 4)) STORED,
      logged timestamptz(0));
    INSERT INTO prod.people VALUES
      (1, 'ann@mail.example', '+33 6 12 34 56 78', 'abc', '1980-02-29', 12.5, '{a,b}',
       'ann@x.example', 'good', 'likes jam', 'x', 7, 'L1', DEFAULT, '2024-01-01'),
      (2, 'bob@mail.example', NULL, NULL, NULL, NULL, '{c,NULL}', NULL, NULL, NULL, NULL, NULL,
       NULL, DEFAULT, NULL);
    CREATE TABLE prod.orders (id integer PRIMARY KEY, email text REFERENCES prod.people (email),
                              placed date)
"""
RULES = {
    "people": {
        "rules": [
            {"column": "email", "strategy": "mail"},
            {"column": "phone", "strategy": "phone"},
            {"column": "code", "strategy": "short"},
            {"column": "born", "strategy": "shift", "entity": "id"},
            {"column": "tags", "strategy": "hash"},
            {"column": "mail", "strategy": "mail"},
            {"column": "mood", "strategy": "choose"},
            {"column": "note", "strategy": "redact"},
            {"column": "secret", "strategy": "nothing"},
            {"column": "label", "strategy": "salted"},
            {"column": "score", "strategy": "zero"},
        ],
        "exclude": [{"column": "gone", "why": "of no use"}],
        **keep_all(),
    },
    "orders": {"rules": [{"column": "email", "strategy": "mail"}], **keep_all()},
}
STRATEGIES = {
    "short": {"type": "hash", "config": {"length": 12}},
    "shift": {"type": "date_shift"},
    "choose": {"type": "choice", "config": {"choices": ["good", "bad"]}},
    "nothing": {"type": "null"},
    "salted": {"type": "salted_hash"},
    "zero": {"type": "redact"},
}
EVERYTHING = profile(RULES, name="all", strategies=STRATEGIES)
COLUMNS = (
    "SELECT attname, format_type(atttypid, atttypmod), attcollation FROM pg_attribute"
    " WHERE attrelid = %s::regclass AND attnum > 0 AND NOT attisdropped ORDER BY attnum"
)
CREATE = "SELECT * FROM confiture.create_masked_views(%s, 'prod', %s, %s)"


@pytest.fixture
def people(db):
    """Tables of many types and a profile that masks most of their columns."""
    db.execute(TABLES)
    db.load(EVERYTHING)
    return db


@pytest.fixture
def views(people):
    """The same, with views that a reader may read who may nothing else."""
    people.rows(CREATE, ["all", "seen", "{}"])
    reader = people.role("reader")
    people.execute(f"GRANT USAGE ON SCHEMA seen TO {reader}")
    people.execute(f"GRANT SELECT ON ALL TABLES IN SCHEMA seen TO {reader}")
    people.reader = people.session(reader)
    people.reader.role = reader
    return people


def test_a_view_shows_what_a_run_writes(views):
    views.sync("all")
    for table in ["people", "orders"]:
        columns = views.column(COLUMNS, [f"prod.{table}"])
        assert columns == views.column(COLUMNS, [f"seen.{table}"])
        shown = views.rows(f"SELECT t::text FROM (SELECT * FROM seen.{table} ORDER BY id) AS t")
        assert shown == views.rows(
            f"SELECT t::text FROM (SELECT * FROM staging.{table} ORDER BY id) AS t"
        )
    row = views.rows("SELECT * FROM seen.people ORDER BY id")[0]
    first = dict(zip(columns_of(views), row, strict=True))
    assert first["email"] != "ann@mail.example" and first["short"] == first["email"][:4]
    assert first["gone"] is None and first["secret"] is None and first["id"] == 1


def columns_of(db):
    """The names of the columns of the view."""
    return db.column(COLUMNS, ["seen.people"])


def test_a_view_has_the_columns_and_types_of_its_table(views):
    for table in ["people", "orders"]:
        assert views.rows(COLUMNS, [f"prod.{table}"]) == views.rows(COLUMNS, [f"seen.{table}"])
    assert views.value(
        "SELECT reloptions FROM pg_class WHERE oid = 'seen.people'::regclass"
    ) == ["security_barrier=true"]


def test_a_reader_sees_masked_values_and_no_others(views):
    reader = views.reader
    assert reader.rows("SELECT * FROM seen.people ORDER BY id") == views.rows(
        "SELECT * FROM seen.people ORDER BY id"
    )
    reader.refused("42501", "SELECT * FROM prod.people")
    reader.refused("42501", "SELECT anon_email('ann@mail.example')")
    for table in ["masked_view", "masked_column", "key_version", "profile"]:
        reader.refused("42501", f"SELECT * FROM confiture.{table}")
    # A function that tells what it is given sees nothing but what the view shows.
    reader.execute("CREATE FUNCTION pg_temp.tell(text) RETURNS boolean LANGUAGE plpgsql COST 0.0001"
                   " AS $$BEGIN RAISE NOTICE 'told %', $1; RETURN true; END$$")
    reader.rows("SELECT id FROM seen.people WHERE pg_temp.tell(email) AND pg_temp.tell(note)")
    told = [notice["message_primary"] for notice in reader.notices]
    assert told and not any("mail.example" in line or "jam" in line for line in told)


def test_a_run_and_a_view_of_partitions_agree(db):
    db.execute(
        "CREATE SCHEMA prod;"
        "CREATE TABLE prod.people (id integer, email text) PARTITION BY RANGE (id);"
        "CREATE TABLE prod.low PARTITION OF prod.people FOR VALUES FROM (0) TO (10);"
        # Its columns stand at other places.
        "CREATE TABLE prod.high (x integer, email text, id integer);"
        "ALTER TABLE prod.high DROP COLUMN x;"
        "ALTER TABLE prod.people ATTACH PARTITION prod.high FOR VALUES FROM (10) TO (20);"
        "INSERT INTO prod.people VALUES (1, 'a@x.example'), (11, 'b@x.example')"
    )
    db.load(profile({"people": {"email": "mail"}}))
    db.rows(CREATE, ["small", "seen", "{}"])
    db.sync()
    assert db.rows("SELECT * FROM seen.people ORDER BY id") == db.rows(
        "SELECT * FROM staging.people ORDER BY id"
    )


def test_what_is_not_read_is_not_masked(views):
    plan = "\n".join(views.reader.column(
        "EXPLAIN (VERBOSE, COSTS OFF) SELECT count(*) FROM seen.people"))
    assert "_mask_row" not in plan
    views.execute("SET enable_seqscan = off")
    plan = "\n".join(views.column(
        "EXPLAIN (VERBOSE, COSTS OFF) SELECT id, email FROM seen.people WHERE id = 1"))
    assert "people_pkey" in plan and plan.count("_mask_row") == 1, plan


def test_a_view_cannot_be_written_through(views):
    for statement in ["DELETE FROM seen.people", "UPDATE seen.people SET id = 3",
                      "INSERT INTO seen.people (id) VALUES (9)"]:
        views.refused("55000", statement)


def redacted(name):
    """The rules, with another strategy for one column of `people`."""
    rules = [
        rule | ({"strategy": "redact"} if rule["column"] == name else {})
        for rule in RULES["people"]["rules"]
    ]
    return RULES | {"people": RULES["people"] | {"rules": rules}}


def give_away(views):
    """A view gets another owner, who may read what it reads."""
    other = views.role("other")
    views.execute(f"GRANT USAGE ON SCHEMA prod TO {other}; GRANT SELECT ON prod.people TO {other};"
                  f"ALTER VIEW seen.people OWNER TO {other}")


def phone(views):
    return views.value("SELECT phone FROM seen.people WHERE id = 1")


def load(views, version, tables):
    """Loads a version; the warnings and notices about views."""
    views.notices.clear()
    views.load(profile(tables, name="all", version=version, strategies=STRATEGIES))
    return [n for n in views.notices if "masked view" in n["message_primary"]]


def test_views_follow_their_profile(views):
    before = phone(views)
    (notice,) = load(views, "2", redacted("phone"))
    assert notice["message_primary"] == 'masked views of schema "seen" follow profile "all"'
    assert views.reader.value("SELECT phone FROM seen.people WHERE id = 1") == "[REDACTED]"
    assert views.column("SELECT profile_version FROM confiture.masked_views") == ["2", "2"]
    assert load(views, "2", redacted("phone")) == []
    # Out of use again, the version before decides.
    views.execute("SELECT confiture.retire_profile('all', '2')")
    assert phone(views) == before
    assert views.findings()["OK"][0] == "ok"


def test_views_of_others_and_filled_ones_go_on_and_a_warning_says_so(views):
    before = phone(views)
    give_away(views)
    (warning,) = load(views, "2", redacted("phone"))
    assert warning["severity"] == "WARNING" and "'seen'" in warning["message_hint"]
    assert "belong to another role" in warning["message_hint"] and phone(views) == before
    views.execute("SELECT confiture.drop_masked_views('seen')")
    views.rows(CREATE, ["all", "seen", '{"materialized": true}'])
    (warning,) = load(views, "3", redacted("email"))
    assert "materialized" in warning["message_hint"]


def test_views_that_cannot_be_made_anew_do_not_stop_a_profile(views):
    (before,) = set(views.column("SELECT profile_version FROM confiture.masked_views"))
    views.execute("CREATE VIEW public.over AS SELECT id FROM seen.orders")
    (warning,) = load(views, "2", {"people": RULES["people"]})
    assert "2BP01" in warning["message_hint"]
    versions = views.column("SELECT profile_version FROM confiture.masked_views")
    assert set(versions) == {before}
    # Nor does somebody who is reading them.
    views.execute("DROP VIEW public.over")
    reader = views.session()
    reader.execute("BEGIN; SELECT count(email) FROM seen.people")
    (warning,) = load(views, "3", redacted("phone"))
    assert "55P03" in warning["message_hint"]
    reader.execute("ROLLBACK")
    assert len(views.rows("SELECT * FROM confiture.refresh_masked_views('seen')")) == 2
    assert phone(views) == "[REDACTED]"


def test_views_are_made_anew_where_they_are(views):
    views.execute("CREATE VIEW public.over AS SELECT id, email FROM seen.people")
    before = views.rows("SELECT * FROM seen.people ORDER BY id")
    changed = redacted("phone")
    give_away(views)
    views.load(profile(changed, name="all", version="2", strategies=STRATEGIES))
    assert views.rows("SELECT * FROM seen.people ORDER BY id") == before, "until they are asked to"
    assert views.rows("SELECT * FROM confiture.refresh_masked_views('seen')") == [
        ("people", "replaced", 11), ("orders", "replaced", 1)]
    assert views.value("SELECT phone FROM seen.people WHERE id = 1") == "[REDACTED]"
    assert views.reader.value("SELECT phone FROM seen.people WHERE id = 1") == "[REDACTED]"
    assert views.column("SELECT profile_version FROM confiture.masked_views") == ["2", "2"]
    assert len(views.rows("SELECT * FROM public.over")) == 2


def test_a_new_column_of_the_table_comes_with_the_next_making(views):
    views.execute("ALTER TABLE prod.orders ADD COLUMN fresh text DEFAULT 'new'")
    assert len(views.rows(COLUMNS, ["seen.orders"])) == 3
    assert views.rows("SELECT * FROM seen.orders") == []
    assert ("orders", "replaced", 1) in views.rows(CREATE, ["all", "seen", "{}"])
    assert [row[0] for row in views.rows(COLUMNS, ["seen.orders"])][-1] == "fresh"
    # Rows that were there before have the default, which lies in no row.
    views.execute("ALTER TABLE prod.people ADD COLUMN more text DEFAULT 'more@x.example'")
    rules = RULES["people"]["rules"] + [{"column": "more", "strategy": "mail"}]
    views.load(profile(RULES | {"people": RULES["people"] | {"rules": rules}}, name="all",
                       version="2", strategies=STRATEGIES))
    views.rows(CREATE, ["all", "seen", "{}"])
    views.sync("all")
    assert views.value("SELECT more FROM seen.people WHERE id = 1") == views.value(
        "SELECT more FROM staging.people WHERE id = 1")


def test_what_a_view_masks_is_not_dropped_from_under_it(views):
    views.refused("2BP01", "ALTER TABLE prod.people DROP COLUMN phone")
    views.refused("2BP01", "DROP TABLE prod.orders")
    views.execute("DROP TABLE prod.orders CASCADE")
    assert views.column("SELECT view_name FROM confiture.masked_views") == ["people"]
    assert views.value("SELECT count(DISTINCT view_id) FROM confiture.masked_column") == 1
    views.execute("DROP VIEW seen.people")
    assert views.value("SELECT count(*) FROM confiture.masked_column") == 0


@pytest.mark.parametrize("rename, what", [
    ("ALTER TABLE prod.people RENAME COLUMN email TO address", 'column "email"'),
    ("ALTER TABLE prod.people RENAME TO persons", "has lost its table"),
    ("ALTER SCHEMA prod RENAME TO production", "has lost its table"),
])
def test_what_is_renamed_is_not_masked_by_guess(views, rename, what):
    views.reader.rows("SELECT email FROM seen.people")
    views.execute(rename)
    report = views.reader.refused("55000", "SELECT email FROM seen.people")
    assert what in report.message_primary and "create_masked_views" in report.message_hint


def test_views_that_are_not_wanted_are_dropped(views):
    views.load(profile({"people": RULES["people"]}, name="all", version="2",
                       strategies=STRATEGIES))
    views.rows(CREATE, ["all", "seen", "{}"])
    assert views.column("SELECT view_name FROM confiture.masked_views") == ["people"]
    assert views.value("SELECT to_regclass('seen.orders')") is None
    assert views.column("SELECT confiture.drop_masked_views('seen')") == ["people"]
    assert views.value("SELECT to_regclass('seen.people')") is None
    views.refused("42704", "SELECT confiture.drop_masked_views('seen')")
    assert views.events()[-3:] == ["VIEWS_CREATED", "VIEWS_CREATED", "VIEWS_DROPPED"]
    assert views.findings()["OK"][0] == "ok"


def test_a_stranger_of_that_name_is_left_alone(people):
    people.execute("CREATE SCHEMA seen; CREATE VIEW seen.people AS SELECT 1 AS id")
    assert "no masked view" in people.refused("42710", CREATE, ["all", "seen", "{}"]).message_detail
    assert people.rows("SELECT * FROM seen.people") == [(1,)]
    assert people.value("SELECT count(*) FROM confiture.masked_view") == 0


REFUSED = [
    ({"rules": [{"column": "email", "strategy": "mail"}], "where": [["id", ">", 1]]}, "leave out"),
    ({"rules": [{"column": "secret", "strategy": "blur"}]}, "draws anew"),
    ({"rules": [{"column": "note", "strategy": "mix"}]}, "whole table"),
    ({"rules": [{"column": "secret", "strategy": "default"}]}, "no defaults"),
    ({"rules": [{"column": "born", "strategy": "shift", "entity": "logged"}]},
     "settings"),
    ({"rules": [{"column": "note", "strategy": "token"}]}, "vault"),
]


@pytest.mark.parametrize("body, what", REFUSED, ids=[what for _, what in REFUSED])
def test_what_a_view_cannot_mask_is_refused(people, body, what):
    more = {
        "blur": {"type": "dp_noise", "config": {"epsilon": 1, "sensitivity": 1}},
        "mix": {"type": "shuffle"},
        "default": {"type": "default"},
        "token": {"type": "tokenize", "config": {"domain": "d"}},
    }
    people.execute("SELECT confiture.create_domain('d')")
    people.load(profile({"people": {**body, **keep_all()}}, strategies=STRATEGIES | more))
    report = people.refused("0A000", CREATE, ["small", "seen", "{}"])
    assert what in f"{report.message_primary} {report.message_detail}"
    assert report.message_hint
    assert people.value("SELECT to_regnamespace('seen')") is None
    if "materialized" in report.message_hint:
        people.rows(CREATE, ["small", "seen", '{"materialized": true}'])
    else:
        people.refused("0A000", CREATE, ["small", "seen", '{"materialized": true}'])


def test_materialized_views_mask_once(people):
    people.rows(CREATE, ["all", "kept", '{"materialized": true}'])
    people.sync("all")
    read = "SELECT t::text FROM (SELECT * FROM {}.people ORDER BY id) AS t"
    assert people.rows(read.format("kept")) == people.rows(read.format("staging"))
    assert people.rows(COLUMNS, ["prod.people"]) == people.rows(COLUMNS, ["kept.people"])
    reader = people.role("reader")
    people.execute(f"GRANT USAGE ON SCHEMA kept TO {reader};"
                   f"GRANT SELECT ON kept.people TO {reader}")
    assert people.session(reader).rows(read.format("kept")) == people.rows(read.format("staging"))
    people.execute("UPDATE prod.people SET email = 'eve@x.example' WHERE id = 2")
    assert people.rows(read.format("kept")) == people.rows(read.format("staging"))
    assert ("people", "refreshed", 11) in people.rows(
        "SELECT * FROM confiture.refresh_masked_views('kept')")
    assert people.rows(read.format("kept")) != people.rows(read.format("staging"))
    people.execute("REFRESH MATERIALIZED VIEW kept.people")
    # To views that mask at every reading, and back.
    assert ("people", "replaced", 11) in people.rows(CREATE, ["all", "kept", "{}"])
    assert len(people.session(reader).rows(read.format("kept"))) == 2


def test_settings_of_a_reader_change_nothing(views):
    read = "SELECT (to_jsonb(p) - 'logged')::text FROM seen.people p ORDER BY 1"
    shown = views.rows(read)
    reader = views.reader
    for setting in ["DateStyle = 'SQL, DMY'", "TimeZone = 'Asia/Tokyo'", "extra_float_digits = -15",
                    "search_path = pg_temp, public", "bytea_output = 'escape'",
                    "row_security = off", "quote_all_identifiers = on"]:
        reader.execute(f"SET {setting}")
    assert reader.rows(read) == shown


def test_a_view_is_read_on_a_cursor_and_in_plpgsql(views):
    reader = views.reader
    shown = reader.column("SELECT email FROM seen.people ORDER BY id")
    reader.execute("BEGIN")
    reader.execute("DECLARE c CURSOR FOR SELECT email FROM seen.people ORDER BY id")
    assert reader.column("FETCH ALL FROM c") == shown
    reader.execute("COMMIT")
    reader.execute(
        "CREATE FUNCTION pg_temp.look(n integer) RETURNS text LANGUAGE plpgsql AS"
        " $$BEGIN RETURN (SELECT email FROM seen.people WHERE id = n); END$$")
    assert reader.column("SELECT pg_temp.look(n) FROM generate_series(1, 2) n") == shown


def test_a_statement_that_writes_what_it_reads_masked_has_no_workers(views):
    views.execute("INSERT INTO prod.people (id, email) SELECT i, 'p' || i || '@mail.example'"
                  " FROM generate_series(10, 20000) i; ANALYZE prod.people")
    shown = views.column("SELECT email FROM seen.people ORDER BY 1")
    # A session that has looked nothing up yet.
    session = views.session()
    for setting in ["parallel_setup_cost = 0", "parallel_tuple_cost = 0",
                    "min_parallel_table_scan_size = 0"]:
        session.execute(f"SET {setting}")
    session.execute("CREATE TABLE public.copy AS SELECT email FROM seen.people")
    assert session.column("SELECT email FROM public.copy ORDER BY 1") == shown
    session = views.session()
    session.execute("SET parallel_setup_cost = 0; SET min_parallel_table_scan_size = 0")
    session.rows(CREATE, ["all", "kept", '{"materialized": true}'])
    assert session.column("SELECT email FROM kept.people ORDER BY 1") == shown


def test_a_transaction_that_is_older_than_its_profile_reads_nothing_wrong(views):
    reader = views.reader
    reader.execute("BEGIN ISOLATION LEVEL REPEATABLE READ")
    reader.rows("SELECT FROM pg_class")
    views.execute("ALTER TABLE prod.people ADD COLUMN last integer")
    views.rows(CREATE, ["all", "seen", "{}"])
    read = "SELECT email FROM seen.people ORDER BY id"
    assert reader.column(read) == views.column(read)
    views.load(profile(RULES, name="all", version="2", strategies=STRATEGIES, description="other"))
    reader.execute("COMMIT; BEGIN ISOLATION LEVEL REPEATABLE READ")
    reader.rows("SELECT FROM pg_class")
    views.load(profile(RULES, name="all", version="3", strategies=STRATEGIES, description="third"))
    views.rows(CREATE, ["all", "seen", "{}"])
    report = reader.refused("42704", read)
    assert "does not exist" in report.message_primary
    reader.execute("ROLLBACK")
    assert reader.column(read) == views.column(read)


def test_hostile_names_are_masked_too(db):
    schema, table, column = 'pr"od\\', "t'a$b$", 'c"; DROP TABLE x; --'
    quoted = ['"{}"'.format(name.replace('"', '""')) for name in (schema, table, column)]
    db.execute(
        f"CREATE SCHEMA {quoted[0]};"
        f"CREATE TABLE {quoted[0]}.{quoted[1]} (id integer PRIMARY KEY, {quoted[2]} text);"
        f"INSERT INTO {quoted[0]}.{quoted[1]} VALUES (1, 'a@x.example')".replace("%", "%%"))
    db.load(profile({table: {column: "mail"}}))
    for options in ["{}", '{"materialized": true}']:
        db.rows("SELECT * FROM confiture.create_masked_views('small', %s, %s, %s)",
                [schema, "se'en", options])
        shown = db.value(f"""SELECT {quoted[2]} FROM "se'en".{quoted[1]}""")
        assert shown.endswith("@example.com") and "x.example" not in shown
    assert db.column("SELECT confiture.drop_masked_views('se''en')") == [table]
