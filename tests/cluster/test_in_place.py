"""A schema masked where it stands: nothing of the originals is left, everything else stays."""

import pytest

from relation_files import files_with
from samples import PEOPLE, keep_all, make_people, make_small, profile, small

ORIGINALS = [row[1] for row in PEOPLE]


@pytest.fixture
def db(db):
    """A database that says of itself that it is a copy."""
    db.execute("SET confiture.allow_in_place = on")
    return db


def call(options="{}", name="small", schema="prod"):
    return "CALL confiture.mask_in_place(%s, %s, %s)", [name, schema, options]


def mask(db, *arguments, **more):
    db.execute(*call(*arguments, **more))


def masked(db, schema="prod"):
    return dict(db.rows(f"SELECT id, email FROM {schema}.people ORDER BY id"))


def test_values_are_those_of_a_run_into_another_schema(db):
    make_small(db)
    db.sync()
    expected = masked(db, "staging")
    mask(db, '{"was_source": true}')
    assert masked(db) == expected
    assert db.rows("SELECT id, note FROM prod.people ORDER BY id") == [
        (row[0], row[2]) for row in PEOPLE
    ]


def test_it_is_on_record_with_a_lineage_that_the_table_bears_out(db):
    make_small(db)
    mask(db)
    assert db.events() == ["KEY_CREATED", "STARTED", "COMPLETED"]
    details, source, target, report = db.rows(
        "SELECT details, source_schema, target_schema, verification_report"
        " FROM confiture.audit_log WHERE event = 'COMPLETED'"
    )[0]
    assert details["mode"] == "in_place" and (source, target) == ("prod", "prod")
    assert {"rows", "nulls kept", "no value survived", "lineage covers every row"} <= {
        check["check"] for check in report
    }
    run = db.value("SELECT run_id FROM confiture.audit_log WHERE event = 'COMPLETED'")
    data = "SELECT confiture.verify_lineage_data(%s, 'people', 'email')"
    assert db.value(data, [run]) == "match"
    assert db.findings().keys() == {"OK", "W01"}
    db.execute("UPDATE prod.people SET email = 'x@mail.example' WHERE id = 1")
    assert db.value(data, [run]) == "differs"


def test_no_file_of_the_database_holds_an_original(db):
    """Heap, TOAST, indexes and statistics; what an UPDATE leaves there is seen for comparison."""
    body, other = "ORIGINAL-" + "x1y2z3" * 2000, "ORIGINAL-INDEXED"
    make_people(db)
    db.execute("ALTER TABLE prod.people ADD bio text, ADD code text")
    db.execute("ALTER TABLE prod.people ALTER bio SET STORAGE EXTERNAL")
    db.execute("UPDATE prod.people SET bio = %s, code = %s || id", [body, other])
    db.execute("CREATE INDEX people_code ON prod.people (lower(code))")
    db.execute("CREATE STATISTICS prod.both ON email, code FROM prod.people")
    db.execute("INSERT INTO prod.people SELECT i, 'common@mail.example', NULL, NULL, 'common'"
               " FROM generate_series(10, 200) i")
    db.execute("VACUUM FULL prod.people")
    db.execute("ANALYZE prod.people")
    values = [*ORIGINALS, body[:500], other, other.lower(), "common@mail.example"]
    before = files_with(db, *values)
    assert {"prod.people", "prod.people_code", "pg_statistic"} <= before
    assert any(name.startswith("pg_toast.") for name in before)
    db.execute("CREATE TABLE prod.updated AS TABLE prod.people")
    db.execute("UPDATE prod.updated SET email = 'masked', code = 'm', bio = 'm'")
    assert "prod.updated" in files_with(db, *ORIGINALS)
    db.execute("DROP TABLE prod.updated")

    columns = {"email": "mail", "bio": "redact", "code": "hash"}
    db.load(profile({"people": columns}))
    mask(db)
    # The samples of the planner went; their old rows are the only thing left, in the catalog.
    assert files_with(db, *values) <= {"pg_statistic", "pg_statistic_ext_data"}
    assert not db.value(
        "SELECT count(*) FROM pg_stats WHERE schemaname = 'prod'"
        " AND most_common_vals::text || histogram_bounds::text ~ 'ORIGINAL|common'"
    )
    db.execute("VACUUM FULL pg_catalog.pg_statistic")
    db.execute("VACUUM FULL pg_catalog.pg_statistic_ext_data")
    assert files_with(db, *values) == set()
    assert db.value("SELECT count(*) FROM prod.people") == 194


def test_samples_go_also_where_analyze_makes_no_new_ones(db):
    make_small(db)
    db.execute("ANALYZE prod.people")
    db.execute("ALTER TABLE prod.people ALTER email SET STATISTICS 0")
    stored = "SELECT count(*) FROM pg_stats WHERE schemaname = 'prod' AND attname = 'email'"
    assert db.value(stored) == 1
    mask(db)
    assert db.value(stored) == 0


def test_whatever_depends_on_the_table_stays(db):
    """Views, keys, generated and identity columns, comments, grants, triggers, policies."""
    reader = db.role("reader")
    make_small(db)
    db.execute("""
      ALTER TABLE prod.people ADD loud text GENERATED ALWAYS AS (upper(email)) STORED,
        ADD n integer GENERATED ALWAYS AS IDENTITY, ADD CHECK (email <> '');
      CREATE UNIQUE INDEX people_email ON prod.people (lower(email));
      COMMENT ON COLUMN prod.people.email IS 'where to write to';
      CREATE TABLE prod.orders (id integer PRIMARY KEY, buyer integer REFERENCES prod.people);
      INSERT INTO prod.orders VALUES (7, 1), (8, NULL);
      CREATE VIEW prod.addresses AS SELECT email, loud FROM prod.people;
      CREATE FUNCTION prod.no() RETURNS trigger LANGUAGE plpgsql AS
        $$BEGIN RAISE 'a trigger has fired'; END$$;
      CREATE TRIGGER people_no BEFORE INSERT OR UPDATE OF email ON prod.people
        FOR EACH ROW EXECUTE FUNCTION prod.no();
      ALTER TABLE prod.people ENABLE ALWAYS TRIGGER people_no;
      CREATE POLICY own ON prod.people USING (email <> 'x');
      ALTER TABLE prod.people REPLICA IDENTITY USING INDEX people_pkey;
    """)
    db.execute(f"GRANT USAGE ON SCHEMA prod TO {reader}")
    db.execute(f"GRANT SELECT ON prod.people, prod.addresses TO {reader}")
    db.load(profile({"people": {"email": "mail"}, "orders": keep_all()}, version="2"))
    before = definition(db)
    mask(db)
    assert definition(db) == before
    assert not set(masked(db).values()) & set(ORIGINALS)
    assert db.rows("SELECT DISTINCT loud = upper(email) FROM prod.people") == [(True,)]
    assert db.rows("SELECT n FROM prod.people ORDER BY id") == [(1,), (2,), (3,)]
    assert db.session(reader).value("SELECT count(*) FROM prod.addresses") == 3
    db.refused("23503", "INSERT INTO prod.orders VALUES (9, 99)")
    db.refused("P0001", "INSERT INTO prod.people (id, email) VALUES (9, 'a@mail.example')")
    db.execute("ALTER TABLE prod.people DISABLE TRIGGER people_no")
    db.execute("INSERT INTO prod.people (id, email) VALUES (9, 'a@mail.example')")
    # The refused row took a number.
    assert db.value("SELECT n FROM prod.people WHERE id = 9") == 5


def definition(db):
    """Everything the catalog says about the tables of the schema."""
    return (
        db.rows("SELECT oid, relname, relkind, relacl, relreplident, relchecks FROM pg_class"
                " WHERE relnamespace = 'prod'::regnamespace AND relkind IN ('r', 'v') ORDER BY 1"),
        db.rows("SELECT conname, convalidated, pg_get_constraintdef(oid) FROM pg_constraint"
                " WHERE connamespace = 'prod'::regnamespace ORDER BY conname"),
        db.rows("SELECT indexdef FROM pg_indexes WHERE schemaname = 'prod' ORDER BY indexname"),
        db.rows("SELECT tgname, tgenabled, pg_get_triggerdef(oid) FROM pg_trigger"
                " WHERE NOT tgisinternal ORDER BY 1"),
        db.rows("SELECT polname FROM pg_policy"),
        db.value("SELECT col_description('prod.people'::regclass, 2)"),
    )


def test_partitions_are_rewritten_each_in_its_place(db):
    db.execute("""
      CREATE SCHEMA prod;
      CREATE TABLE prod.people (id integer, email text, region text) PARTITION BY LIST (region);
      CREATE TABLE prod.people_fr PARTITION OF prod.people FOR VALUES IN ('fr');
      CREATE TABLE prod.people_rest PARTITION OF prod.people DEFAULT;
      INSERT INTO prod.people
        VALUES (1, 'first@mail.example', 'fr'), (2, 'second@mail.example', 'de');
    """)
    db.load(small())
    mask(db)
    assert files_with(db, "first@mail.example", "second@mail.example") == set()
    assert db.rows("SELECT tableoid::regclass::text, id FROM prod.people ORDER BY id") == [
        ("prod.people_fr", 1),
        ("prod.people_rest", 2),
    ]
    marked = db.column("SELECT table_name FROM confiture.masked_in_place ORDER BY 1")
    assert marked == ["people", "people_fr", "people_rest"]


def test_excluded_columns_and_shuffled_ones(db):
    make_people(db)
    body = {
        "rules": [{"column": "email", "strategy": "mix"}],
        "exclude": [{"column": "note", "why": "nobody needs it"}],
        "preserve": [{"column": "id", "why": "key"}],
    }
    db.load(profile({"people": body}, strategies={"mix": {"type": "shuffle"}}))
    mask(db)
    assert db.column("SELECT note FROM prod.people") == [None] * 3
    assert sorted(masked(db).values()) == sorted(ORIGINALS)
    assert files_with(db, "likes jam", "allergic to nuts") == set()


def test_references_masked_alike_still_hold(db):
    make_people(db)
    db.execute("""
      ALTER TABLE prod.people ADD UNIQUE (email);
      CREATE TABLE prod.letters (id integer, email text REFERENCES prod.people (email));
      INSERT INTO prod.letters SELECT id, email FROM prod.people;
      CREATE TABLE prod.old (email text);
      INSERT INTO prod.old VALUES ('gone@mail.example');
      ALTER TABLE prod.old ADD FOREIGN KEY (email) REFERENCES prod.people (email) NOT VALID;
    """)
    tables = dict.fromkeys(["people", "letters", "old"], {"email": "mail"})
    db.load(profile(tables))
    mask(db)
    assert db.value("SELECT count(*) FROM prod.letters JOIN prod.people USING (id, email)") == 3
    assert db.column("SELECT convalidated FROM pg_constraint WHERE conname ~ '^old'") == [False]
    report = db.value(
        "SELECT verification_report FROM confiture.audit_log WHERE event = 'COMPLETED'"
    )
    orphans = [check for check in report if check["check"].startswith("orphans")]
    assert [(check["source"], check["target"]) for check in orphans] == [(1, 1)]


def test_tokens_of_the_vault_replace_values_in_place(db):
    make_people(db)
    db.execute("SELECT confiture.create_domain('mails')")
    strategies = {"token": {"type": "tokenize", "config": {"domain": "mails"}}}
    db.load(profile({"people": {"email": "token"}}, strategies=strategies))
    mask(db)
    assert not set(masked(db).values()) & set(ORIGINALS)
    assert db.value("SELECT count(*) FROM confiture.token") == 3


# What keeps it from happening.
def test_where_it_is_not_allowed_nothing_happens(db):
    make_small(db)
    db.execute("SET confiture.allow_in_place = off")
    before = db.content("prod")
    refused = db.refused("55000", *call())
    assert "confiture.allow_in_place" in refused.message_hint
    assert db.content("prod") == before and db.events() == ["KEY_CREATED"]


def test_the_owner_of_the_tables_cannot_allow_it_to_himself(db):
    make_small(db)
    owner = operator(db)
    db.execute(f"ALTER SCHEMA prod OWNER TO {owner}; ALTER TABLE prod.people OWNER TO {owner}")
    session = db.session(owner)
    # Before the library is there, the server takes any setting; with it, this one goes.
    session.execute("SET confiture.allow_in_place = on")
    session.refused("55000", *call())
    session.refused("42501", "SET confiture.allow_in_place = on")


def operator(db):
    role = db.role("operator")
    db.execute("SELECT confiture.grant_access('operator', %s)", [role])
    return role


def test_a_dry_run_says_what_would_be_rewritten_wherever_it_is_called(db):
    make_small(db)
    db.execute("SET confiture.allow_in_place = off")
    before = db.content("prod")
    mask(db, '{"dry_run": true}')
    (notice,) = [n["message_primary"] for n in db.notices if "would" in n["message_primary"]]
    assert notice.startswith('would rewrite table "prod.people", ')
    assert notice.endswith("with its indexes: 1 column (email)")
    assert db.content("prod") == before and db.events() == ["KEY_CREATED"]


def test_a_schema_that_runs_read_is_not_masked_by_mistake(db):
    make_small(db)
    db.sync()
    before = db.content("prod")
    assert "was_source" in db.refused("55000", *call()).message_hint
    assert db.content("prod") == before


@pytest.mark.parametrize(
    "renaming",
    [
        "SELECT 1",
        "ALTER TABLE prod.people RENAME TO persons; ALTER TABLE prod.persons RENAME TO people",
        "ALTER INDEX prod.people RENAME TO persons; ALTER INDEX prod.persons RENAME TO people",
        "ALTER SCHEMA prod RENAME TO other; ALTER SCHEMA other RENAME TO prod",
        "CREATE SCHEMA other; ALTER TABLE prod.people SET SCHEMA other;"
        " ALTER TABLE other.people SET SCHEMA prod",
        "SET session_replication_role = replica; ALTER TABLE prod.people RENAME TO persons;"
        " ALTER TABLE prod.persons RENAME TO people; RESET session_replication_role",
    ],
)
def test_what_is_masked_is_not_masked_again(db, renaming):
    make_small(db)
    mask(db)
    before = db.content("prod")
    db.execute(renaming)
    refused = db.refused("55000", *call())
    assert "masked in place before" in refused.message_primary
    assert db.content("prod") == before


def test_a_dump_keeps_the_mark(db, server):
    make_small(db)
    mask(db)
    dump = server.run("pg_dump", "--no-owner", database=db.name).stdout
    copy = server.create_database(extension=False)
    server.psql(copy.name, stdin=dump)
    copy.execute("SET confiture.allow_in_place = on")
    assert "masked in place before" in copy.refused("55000", *call()).message_primary
    copy.drop()


def test_the_mark_ends_with_the_table(db):
    make_small(db)
    mask(db)
    db.execute("DROP TABLE prod.people")
    assert db.rows("SELECT * FROM confiture.masked_in_place") == []
    db.execute("DROP SCHEMA prod")
    make_people(db)
    mask(db)
    assert not set(masked(db).values()) & set(ORIGINALS)
    db.execute("DROP SCHEMA prod CASCADE")
    assert db.rows("SELECT * FROM confiture.masked_in_place") == []


def test_a_table_that_takes_a_masked_ones_name_is_masked(db):
    make_small(db)
    mask(db)
    db.execute("ALTER TABLE prod.people RENAME TO old")
    db.execute("CREATE TABLE prod.people (id integer PRIMARY KEY, email text NOT NULL, note text)")
    db.execute("INSERT INTO prod.people VALUES (1, 'new@mail.example', NULL)")
    mask(db)
    assert masked(db)[1] != "new@mail.example"
    assert db.column("SELECT table_name FROM confiture.masked_in_place ORDER BY 1") == [
        "old",
        "people",
    ]


def test_what_a_run_made_is_masked_already(db):
    make_small(db)
    db.sync()
    before = db.content("staging")
    refused = db.refused("55000", *call(schema="staging"))
    assert "made by a run" in refused.message_primary
    assert db.content("staging") == before


REFUSED = {
    "a condition": (
        "22023",
        "",
        {"people": {"rules": [{"column": "email", "strategy": "mail"}], **keep_all(),
                    "where": [["id", ">=", 2]]}},
    ),
    "nothing to mask": ("22023", "", {"people": keep_all()}),
    "referred to from outside": (
        "55000",
        "CREATE TABLE prod.orders (buyer integer REFERENCES prod.people)",
        {"people": {"email": "mail"}},
    ),
    "a reference that would break": (
        "22023",
        "CREATE TABLE prod.known (email text PRIMARY KEY);"
        "INSERT INTO prod.known SELECT email FROM prod.people;"
        "ALTER TABLE prod.people ADD FOREIGN KEY (email) REFERENCES prod.known",
        {"people": {"email": "mail"}},
    ),
    "a rule": (
        "42P17",
        "CREATE RULE none AS ON INSERT TO prod.people DO INSTEAD NOTHING",
        {"people": {"email": "mail"}},
    ),
    "inheritance": (
        "0A000",
        "CREATE TABLE prod.child () INHERITS (prod.people)",
        {"people": {"email": "mail"}},
    ),
    "a foreign table": (
        "0A000",
        "CREATE EXTENSION file_fdw; CREATE SERVER files FOREIGN DATA WRAPPER file_fdw;"
        "CREATE FOREIGN TABLE prod.far (email text) SERVER files OPTIONS (filename '/dev/null')",
        {"far": {"email": "mail"}},
    ),
    "an undecided column": (
        "55000",
        "ALTER TABLE prod.people ADD phone text",
        {"people": [{"column": "email", "strategy": "mail"}]},
    ),
}


@pytest.mark.parametrize("what", REFUSED)
def test_what_cannot_be_done_is_said_before_a_row_is_read(db, what):
    sqlstate, setup, tables = REFUSED[what]
    make_people(db)
    if setup:
        db.execute(setup)
    db.load(profile(tables))
    before = db.content("prod")
    db.refused(sqlstate, *call())
    assert db.content("prod") == before and db.events() == ["KEY_CREATED"]


def test_code_of_a_weaker_role_is_not_run(db):
    make_small(db)
    hostile = db.role("hostile")
    db.execute(f"""
      ALTER SCHEMA prod OWNER TO {hostile};
      ALTER TABLE prod.people OWNER TO {hostile};
      SET ROLE {hostile};
      CREATE FUNCTION prod.f(text) RETURNS text LANGUAGE plpgsql IMMUTABLE AS
        $$BEGIN RAISE 'code has run as %', current_user; END$$;
      RESET ROLE;
    """)
    db.execute("CREATE INDEX ON prod.people (prod.f(email)) WHERE id > 100")
    db.refused("42501", *call())


def test_who_does_not_own_the_table_cannot_mask_it(db):
    make_small(db)
    role = operator(db)
    db.execute(f"GRANT USAGE, CREATE ON SCHEMA prod TO {role}")
    db.execute(f"GRANT SELECT, INSERT, DELETE, TRUNCATE ON prod.people TO {role}")
    db.execute(f'ALTER ROLE "{role}" SET confiture.allow_in_place = on')
    session = db.session(role)
    session.refused("42501", *call())
    db.execute(f"ALTER SCHEMA prod OWNER TO {role}; ALTER TABLE prod.people OWNER TO {role}")
    session.execute(*call())
    assert not set(masked(db).values()) & set(ORIGINALS)
    (by,) = db.column("SELECT masked_by FROM confiture.masked_in_place")
    assert by == role


# All or nothing.


def test_a_failure_leaves_everything_as_it_was(db):
    make_small(db)
    db.execute("ALTER TABLE prod.people ADD CHECK (email NOT LIKE '%@example.%')")
    before, marks = definition(db), "SELECT count(*) FROM confiture.masked_in_place"
    content = db.content("prod")
    refused = db.refused("23514", *call())
    assert "mail.example" not in str(refused.message_primary) + str(refused.message_detail)
    assert db.content("prod") == content and definition(db) == before
    assert db.events()[1:] == ["STARTED", "FAILED"] and db.value(marks) == 0
    assert db.column("SELECT relname FROM pg_class WHERE relname ~ 'confiture_masked'") == []


def test_in_a_transaction_it_goes_with_it(db):
    make_small(db)
    db.execute("BEGIN")
    db.refused("25001", *call())
    db.execute("ROLLBACK")
    before = db.content("prod")
    db.execute("BEGIN")
    mask(db, '{"in_transaction": true}')
    assert not set(masked(db).values()) & set(ORIGINALS)
    db.execute("ROLLBACK")
    assert db.content("prod") == before
    assert db.rows("SELECT * FROM confiture.masked_in_place") == []
    db.execute("BEGIN")
    mask(db, '{"in_transaction": true}')
    db.execute("COMMIT")
    assert not set(masked(db).values()) & set(ORIGINALS)


def test_materialized_views_are_named(db):
    make_small(db)
    db.execute("CREATE VIEW prod.v AS SELECT email FROM prod.people")
    db.execute('CREATE MATERIALIZED VIEW prod."Mails" AS SELECT email FROM prod.v')
    mask(db)
    (warning,) = [n for n in db.notices if "materialized" in n["message_primary"]]
    assert warning["message_hint"] == 'Run: REFRESH MATERIALIZED VIEW prod."Mails";'


def test_hostile_names(db):
    name, column = 'we"ird $t$ \\ Ünï', "co\"l'umn"
    schema = 'sc"hema'
    db.execute(f'CREATE SCHEMA "{schema.replace(chr(34), chr(34) * 2)}"')
    table = f'"{schema.replace(chr(34), chr(34) * 2)}"."{name.replace(chr(34), chr(34) * 2)}"'
    quoted = f'"{column.replace(chr(34), chr(34) * 2)}"'
    db.execute(f"CREATE TABLE {table} (id integer PRIMARY KEY, {quoted} text)")
    db.execute(f"INSERT INTO {table} VALUES (1, 'ORIGINAL')")
    db.execute("CREATE TEMPORARY TABLE people (id integer)")
    body = {"rules": [{"column": column, "strategy": "hash"}], **keep_all()}
    db.load(profile({f'"{name.replace(chr(34), chr(34) * 2)}"': body}))
    mask(db, schema=schema)
    assert db.value(f"SELECT {quoted} FROM {table}") != "ORIGINAL"
