"""The lint of access: one case for each way around a mask, and what closes it."""

import pytest

from samples import make_small, profile

LINT = "SELECT severity, path, object, column_name, detail, remedy FROM confiture.lint_access(%s)"


@pytest.fixture
def views(db):
    """One view, and a role that may read it and nothing else."""
    make_small(db)
    db.rows("SELECT * FROM confiture.create_masked_views('small', 'prod', 'seen')")
    db.analyst = db.role("analyst")
    db.execute(f"GRANT USAGE ON SCHEMA seen TO {db.analyst};"
               f"GRANT SELECT ON seen.people TO {db.analyst}")
    return db


def ways(db, role=None):
    """{path: (severity, object, column, detail, remedy)}"""
    rows = db.rows(LINT, [role or db.analyst])
    return {row[1]: (row[0], *row[2:]) for row in rows}


@pytest.fixture
def base(db):
    """A table with a masked, an excluded and a generated column, its view, and who may read it."""
    db.execute("""
        CREATE SCHEMA l;
        CREATE TABLE l.base (id integer, email text UNIQUE, ssn text,
          email_lower text GENERATED ALWAYS AS (lower(email)) STORED, note text);
        INSERT INTO l.base (id, email, ssn, note) VALUES (1, 'ann@mail.example', '1-2', 'x');
        CREATE TABLE l.other (email text)""")
    db.load(BASE)
    db.rows("SELECT * FROM confiture.create_masked_views('small', 'l', 'lm')")
    db.analyst = db.role("analyst")
    db.execute(f"GRANT USAGE ON SCHEMA l, lm TO {db.analyst};"
               f"GRANT SELECT ON lm.base TO {db.analyst}")
    yield db
    db.execute(f"REASSIGN OWNED BY {db.analyst} TO postgres;"
               f"ALTER DATABASE {db.name} OWNER TO postgres")


BASE = profile({"base": {
    "rules": [{"column": "email", "strategy": "mail"}],
    "exclude": [{"column": "ssn", "why": "nobody's business"}],
    "preserve": [{"column": "id", "why": "key"}, {"column": "note", "why": "nothing personal"}],
}})


def test_a_reader_of_the_view_alone_has_no_other_way(views):
    assert ways(views) == {}


def test_null_tests_masks_and_columns_of_others_are_no_ways(base):
    base.execute(f"""
        CREATE VIEW lm.has AS SELECT id, email IS NOT NULL AS has FROM l.base;
        CREATE VIEW lm.ids AS SELECT b.id, o.email FROM l.base b, l.other o;
        CREATE VIEW lm.masked AS SELECT * FROM lm.base;
        GRANT SELECT (id, note) ON l.base TO {base.analyst};
        GRANT SELECT ON l.other, lm.has, lm.ids, lm.masked TO {base.analyst}""")
    assert ways(base) == {}
    base.execute("CREATE VIEW lm.few AS SELECT id FROM l.base WHERE email LIKE 'a%';"
                 f"GRANT SELECT ON lm.few TO {base.analyst}")
    assert ways(base)["view"][1] == "lm.few"


def test_masked_views_of_every_kind_are_no_ways(db):
    db.execute("""
        CREATE SCHEMA l;
        CREATE TABLE l.one (id integer, email text, note text,
          all_of_it text GENERATED ALWAYS AS (email || note) STORED);
        CREATE TABLE l.two (id integer, email text, note text)""")
    db.load(profile({
        "one": {"email": "mail", "note": "redact"},
        "two": {"rules": [{"column": "email", "strategy": "mail", "entity": "id"},
                          {"column": "note", "strategy": "redact"}],
                "preserve": [{"column": "id", "why": "key"}],
                "where": [["email", "<>", "x"]]}}))
    db.load(profile({"one": {"email": "mail", "note": "redact"}}, name="plain"))
    db.rows("SELECT * FROM confiture.create_masked_views('plain', 'l', 'seen')")
    db.rows("SELECT * FROM confiture.create_masked_views("
            "'small', 'l', 'kept', '{\"materialized\": true}')")
    role = db.role("analyst")
    db.execute(f"GRANT USAGE ON SCHEMA seen, kept TO {role};"
               f"GRANT SELECT ON seen.one, kept.one, kept.two TO {role}")
    assert ways(db, role) == {}


# What is granted, the path that is found, its severity, and whether the remedy can be run.
CASES = [
    ("GRANT SELECT ON prod.people TO {role}; GRANT USAGE ON SCHEMA prod TO {role}",
     "table grant", "high", True),
    ("GRANT SELECT ON prod.people TO {role}", "table grant", "low", True),
    ("GRANT SELECT (email) ON prod.people TO {role}; GRANT USAGE ON SCHEMA prod TO {role}",
     "column grant", "high", True),
    ("GRANT SELECT ON prod.people TO PUBLIC; GRANT USAGE ON SCHEMA prod TO PUBLIC",
     "table grant", "high", True),
    ("ALTER TABLE prod.people OWNER TO {role}", "owner", "high", False),
    ("ALTER ROLE {role} SUPERUSER", "superuser", "high", True),
    ("ALTER ROLE {role} REPLICATION", "replication", "high", True),
    ("ALTER ROLE {role} CREATEROLE", "createrole", None, True),
    ("ALTER ROLE {role} BYPASSRLS; ALTER TABLE prod.people ENABLE ROW LEVEL SECURITY",
     "bypassrls", "medium", True),
    ("GRANT pg_read_all_data TO {role}", "predefined role", "high", True),
    ("GRANT pg_read_server_files TO {role}", "predefined role", "high", True),
    ("GRANT pg_execute_server_program TO {role}", "predefined role", "high", True),
    ("GRANT EXECUTE ON FUNCTION pg_read_file(text) TO {role}", "file function", "high", True),
    ("GRANT INSERT ON prod.people TO {role}", "chosen input", "medium", True),
    ("GRANT UPDATE ON prod.people TO {role}", "chosen input", "medium", True),
    ("GRANT SELECT ON pg_catalog.pg_statistic TO {role}", "pg_stats", "high", True),
    ("CREATE VIEW seen.raw AS SELECT email FROM prod.people; GRANT SELECT ON seen.raw TO {role}",
     "view", "high", True),
    ("CREATE VIEW prod.raw AS SELECT p FROM prod.people p; GRANT SELECT ON prod.raw TO {role}",
     "view", "low", True),
    ("CREATE VIEW prod.one AS SELECT email FROM prod.people;"
     "CREATE VIEW seen.two AS SELECT * FROM prod.one; GRANT SELECT ON seen.two TO {role}",
     "view", "high", True),
    ("CREATE MATERIALIZED VIEW seen.copy AS SELECT email FROM prod.people;"
     "GRANT SELECT ON seen.copy TO {role}", "materialized view", "high", True),
    ("CREATE FUNCTION seen.leak() RETURNS text LANGUAGE sql SECURITY DEFINER"
     " AS 'SELECT email FROM prod.people LIMIT 1'", "function", "medium", True),
    ("SELECT confiture.grant_access('masker', '{role}')", "mask", "medium", True),
    ("CREATE PUBLICATION p_{role} FOR TABLE prod.people; ALTER ROLE {role} REPLICATION",
     "publication", "high", True),
    ("CREATE EXTENSION postgres_fdw; CREATE SERVER me FOREIGN DATA WRAPPER postgres_fdw;"
     "CREATE FOREIGN TABLE seen.far (email text) SERVER me"
     " OPTIONS (schema_name 'prod', table_name 'people'); GRANT SELECT ON seen.far TO {role}",
     "foreign table", "medium", True),
    ("CREATE EXTENSION postgres_fdw; CREATE SERVER me FOREIGN DATA WRAPPER postgres_fdw;"
     "GRANT USAGE ON FOREIGN SERVER me TO {role}", "foreign server", "low", True),
    ("GRANT SELECT ON pg_catalog.pg_statistic_ext_data TO {role}", "pg_stats", "high", True),
    ("GRANT pg_monitor TO {role}", "predefined role", "medium", True),
    ("GRANT pg_write_all_data TO {role}", "chosen input", "medium", True),
    ("GRANT INSERT (email) ON prod.people TO {role}", "chosen input", "medium", True),
    ("GRANT UPDATE (email) ON prod.people TO {role}", "chosen input", "medium", True),
    ("CREATE VIEW seen.raw AS SELECT * FROM prod.people; GRANT INSERT ON seen.raw TO {role}",
     "chosen input", "medium", True),
    ("CREATE VIEW seen.raw AS SELECT * FROM prod.people;"
     "GRANT UPDATE (email) ON seen.raw TO {role}", "chosen input", "medium", True),
    ("CREATE TABLE seen.t (email text); CREATE RULE ru AS ON INSERT TO seen.t DO ALSO"
     " INSERT INTO prod.people (email) VALUES (NEW.email); GRANT INSERT ON seen.t TO {role}",
     "chosen input", "medium", True),
    ("GRANT TRIGGER ON prod.people TO {role}", "trigger", "high", True),
    ("GRANT EXECUTE ON FUNCTION confiture.preview TO {role}", "mask", "medium", True),
    ("SELECT confiture.grant_access('revealer', '{role}')", "reveal", "high", True),
    ("GRANT EXECUTE ON FUNCTION anon_detokenize TO {role}", "reveal", "high", True),
    ("ALTER DEFAULT PRIVILEGES IN SCHEMA prod GRANT SELECT ON TABLES TO {role};"
     "GRANT USAGE ON SCHEMA prod TO {role}", "default privileges", "medium", True),
    ("ALTER DEFAULT PRIVILEGES GRANT SELECT ON TABLES TO {role} WITH GRANT OPTION",
     "default privileges", "low", True),
    ("ALTER DEFAULT PRIVILEGES IN SCHEMA prod GRANT SELECT ON TABLES TO PUBLIC",
     "default privileges", "low", True),
]


@pytest.mark.parametrize("given, path, severity, can_run", CASES)
def test_every_way_is_found_and_closed(views, given, path, severity, can_run):
    is_closed(views, given, path, severity, can_run)
    views.execute(f"ALTER ROLE {views.analyst} NOSUPERUSER NOREPLICATION NOCREATEROLE NOBYPASSRLS")


def is_closed(db, given, path, severity, can_run, shown=None):
    """Gives the way, which is found, and does what closes it, until it is gone."""
    db.execute(given.replace("{role}", db.analyst).replace("{db}", db.name))
    found = ways(db)
    assert path in found, found
    assert severity in (None, found[path][0]), found
    assert shown in (None, found[path][1]), found
    before = len(db.rows(LINT, [db.analyst]))
    while can_run and path in (found := ways(db)):
        db.execute(found[path][4])
        left = len(db.rows(LINT, [db.analyst]))
        assert left < before, found
        before = left


PARENT = "CREATE TABLE l.par (email text); ALTER TABLE l.base INHERIT l.par;"
FAR = ("CREATE EXTENSION postgres_fdw; CREATE SERVER me FOREIGN DATA WRAPPER postgres_fdw;"
       "CREATE FOREIGN TABLE lm.far (id integer, mail text OPTIONS (column_name 'email')) SERVER me"
       " OPTIONS (schema_name 'l', table_name 'base');")
# Code of the role, which others run.
CODE = ("CREATE FUNCTION l.f(text) RETURNS boolean LANGUAGE sql IMMUTABLE AS 'SELECT true';"
        "ALTER FUNCTION l.f(text) OWNER TO {role};")
GIVEN = ("CREATE FUNCTION l.f() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END';"
         "ALTER FUNCTION l.f() OWNER TO {role};")
REPLACED = "CREATE OR REPLACE VIEW lm.base AS SELECT id, email, ssn, email_lower, note FROM l.base"
RENAMED = ("ALTER VIEW lm.base RENAME TO base_old;"
           "CREATE VIEW lm.base AS SELECT id, email FROM l.base; GRANT SELECT ON lm.base TO {role}")

# The same, of the table with an excluded and a generated column; and the object that is named.
BASE_CASES = [
    ("GRANT SELECT (ssn) ON l.base TO {role}", "column grant", "high", "l.base"),
    ("GRANT SELECT (email_lower) ON l.base TO {role}", "column grant", "high", "l.base"),
    ("CREATE VIEW lm.lower AS SELECT email_lower FROM l.base; GRANT SELECT ON lm.lower TO {role}",
     "view", "high", "lm.lower"),
    ("CREATE VIEW lm.ssn AS SELECT x.ssn FROM l.base x; GRANT SELECT ON lm.ssn TO {role}",
     "view", "high", "lm.ssn"),
    ("CREATE VIEW lm.joined AS SELECT j.email FROM (l.base b JOIN l.other o USING (email)) AS j;"
     "GRANT SELECT ON lm.joined TO {role}", "view", "high", "lm.joined"),
    (REPLACED, "view", "high", "lm.base"),
    (REPLACED, "stale view", "medium", "lm.base"),
    (RENAMED, "view", "high", "lm.base"),
    ("CREATE MATERIALIZED VIEW lm.copy AS SELECT email_lower FROM l.base;"
     "GRANT SELECT ON lm.copy TO {role}", "materialized view", "high", "lm.copy"),
    (PARENT + "GRANT SELECT ON l.par TO {role}", "table grant", "high", "l.par"),
    (PARENT + "GRANT SELECT (email) ON l.par TO {role}", "column grant", "high", "l.par"),
    (PARENT + "CREATE VIEW lm.par AS TABLE l.par; GRANT SELECT ON lm.par TO {role}",
     "view", "high", "lm.par"),
    (PARENT + "GRANT UPDATE ON l.par TO {role}", "chosen input", "medium", "l.par"),
    ("CREATE VIEW l.vv AS SELECT email FROM l.base; CREATE FUNCTION l.sd() RETURNS text"
     " LANGUAGE sql SECURITY DEFINER AS 'SELECT email FROM l.vv'", "function", "medium", "l.sd()"),
    ("CREATE TABLE l.t2 (n integer); CREATE RULE ru AS ON INSERT TO l.t2 DO INSTEAD"
     " SELECT email FROM l.base; GRANT INSERT ON l.t2 TO {role}", "rule", "high", "l.t2"),
    ("CREATE VIEW l.vv AS SELECT email FROM l.base; CREATE TABLE l.t2 (n integer);"
     "CREATE RULE ru AS ON DELETE TO l.t2 DO INSTEAD SELECT email FROM l.vv;"
     "GRANT DELETE ON l.t2 TO {role}", "rule", "high", "l.t2"),
    ("GRANT SELECT ON l.base TO pg_database_owner; ALTER DATABASE {db} OWNER TO {role}",
     "table grant", "high", "l.base"),
    (FAR + "GRANT SELECT ON lm.far TO {role}", "foreign table", "medium", "lm.far"),
    (FAR + "GRANT SELECT (mail) ON lm.far TO {role}", "foreign table", "medium", "lm.far"),
    (FAR + "CREATE VIEW lm.near AS TABLE lm.far; GRANT SELECT ON lm.near TO {role}",
     "view", "medium", "lm.near"),
    ("GRANT REFERENCES (email) ON l.base TO {role}", "foreign key", "medium", "l.base"),
    ("GRANT REFERENCES (ssn) ON l.base TO {role}", "foreign key", "low", "l.base"),
    ("GRANT REFERENCES ON l.base TO {role}", "foreign key", "medium", "l.base"),
    ("CREATE TABLE l.child (email text REFERENCES l.base (email));"
     "GRANT INSERT ON l.child TO {role}", "foreign key", "medium", "l.child"),
    ("CREATE TABLE l.child (email text REFERENCES l.base (email));"
     "ALTER TABLE l.child OWNER TO {role}", "foreign key", "medium", "l.child"),
    (GIVEN + "CREATE TRIGGER given BEFORE INSERT ON l.base FOR EACH ROW EXECUTE FUNCTION l.f()",
     "trigger", "high", "l.base"),
    (CODE + "CREATE POLICY p ON l.base USING (l.f(email))", "code", "high", "l.base"),
    (CODE + "ALTER TABLE l.base ADD CHECK (l.f(email))", "code", "high", "l.base"),
    (CODE + "CREATE INDEX ON l.base (l.f(email))", "code", "high", "l.base"),
    (CODE + "ALTER TABLE l.base ALTER ssn SET DEFAULT l.f('x')", "code", "high", "l.base"),
    (CODE + "ALTER TABLE l.base ADD g boolean GENERATED ALWAYS AS (l.f(email)) STORED",
     "code", "high", "l.base"),
    (CODE + "CREATE VIEW l.vv AS SELECT l.f(email) FROM l.base", "code", "high", "l.vv"),
    ("CREATE PUBLICATION p_{role} FOR TABLE l.base", "publication", "low", None),
]


@pytest.mark.parametrize("given, path, severity, shown", BASE_CASES)
def test_every_way_around_a_view_is_found_and_closed(base, given, path, severity, shown):
    is_closed(base, given, path, severity, True, shown)


def test_views_with_the_rights_of_their_reader_pass_others_on(base):
    if base.server.version < 15:
        pytest.skip("there is no security_invoker before 15")
    base.execute("CREATE VIEW l.si WITH (security_invoker = true) AS SELECT id, email FROM l.base;"
                 f"GRANT SELECT ON l.si TO {base.analyst}")
    assert ways(base) == {}
    is_closed(base, "CREATE MATERIALIZED VIEW l.simv AS TABLE l.si;"
              "GRANT SELECT ON l.simv TO {role}", "materialized view", "high", True, "l.simv")
    is_closed(base, "CREATE VIEW l.siv AS TABLE l.si; GRANT SELECT ON l.siv TO {role}",
              "view", "high", True, "l.siv")


def test_views_that_are_hard_to_read_are_read_or_counted(base):
    deep = " || ".join(["note"] * 2000)
    views = {
        '"{:x"': """SELECT email AS ":varno", '} ( :relid 0 \\' AS "b\\ {c" FROM l.base ":rtekind\"""",
        '"(y"': "SELECT (SELECT b.ssn) AS one FROM l.base b",
        "w": "WITH c AS (SELECT b FROM l.base b) SELECT (c.b).email AS of FROM c",
        "g": "SELECT email_lower, count(*) FROM l.base GROUP BY email_lower",
        "o": "SELECT id FROM l.base ORDER BY ssn",
        "l": "SELECT x.e FROM l.base b, LATERAL (SELECT b.email AS e) x",
        "u": "SELECT note FROM l.base UNION SELECT ssn FROM l.base",
        "r": "SELECT b.id, b AS all_of_it FROM l.base b",
        # It is not followed, and so counts as a reading of all that it names.
        "deep": f"SELECT {deep} AS d FROM l.base",
    }
    for name, select in views.items():
        base.execute(f"CREATE VIEW lm.{name} AS {select};"
                     f"GRANT SELECT ON lm.{name} TO {base.analyst}")
        found = ways(base)
        assert set(found) == {"view"} and found["view"][1] == f"lm.{name}", name
        base.execute(found["view"][4] + f"; DROP VIEW lm.{name}")


def test_functions_are_told_by_words_and_by_what_the_server_knows(base):
    weak = base.role("weak")
    definer = "RETURNS text LANGUAGE sql SECURITY DEFINER"
    base.execute(f"""
        CREATE FUNCTION l.based() {definer} AS $$SELECT 'database' || 'baseline'$$;
        CREATE FUNCTION l.weak() {definer} AS $$SELECT 'base'$$;
        ALTER FUNCTION l.weak() OWNER TO {weak};
        CREATE VIEW l.vv AS SELECT email FROM l.base""")
    # Whose owner may not read the table gives it to nobody.
    assert ways(base) == {}
    is_closed(base, f"CREATE FUNCTION l.atomic() {definer}"
              " BEGIN ATOMIC SELECT email FROM l.vv; END", "function", "medium", True)
    for body in ("EXECUTE $q$SELECT email FROM l.base$q$",
                 "EXECUTE E'TABLE\\nbase'", "EXECUTE 'TABLE \"l\".\"base\"'"):
        is_closed(base, f"CREATE OR REPLACE FUNCTION l.dynamic() RETURNS void LANGUAGE plpgsql"
                  f" SECURITY DEFINER AS $$BEGIN {body}; END$$;"
                  " GRANT EXECUTE ON FUNCTION l.dynamic TO PUBLIC",
                  "function", "medium", True, "l.dynamic()")
    # One row for each, whatever it mentions.
    base.execute(f"CREATE FUNCTION l.both() {definer} AS"
                 " 'SELECT v.email FROM l.vv v, l.base'")
    found = [row for row in base.rows(LINT, [base.analyst]) if row[1] == "function"]
    assert len(found) == 1 and "l.base, l.vv" in found[0][4]


def test_what_was_renamed_is_named_and_looked_at(base):
    base.execute("ALTER TABLE l.base RENAME COLUMN email TO mail;"
                 "ALTER TABLE l.base RENAME COLUMN ssn TO social")
    found = ways(base)
    assert set(found) == {"stale view"}
    assert 'l.base has no column "email", "ssn"' in found["stale view"][3]
    base.execute(f"GRANT SELECT (mail) ON l.base TO {base.analyst}")
    assert ways(base)["column grant"][2] == "mail"
    base.execute("ALTER TABLE l.base RENAME TO people")
    found = ways(base)
    assert "table l.base is not there" in found["stale view"][3]
    assert found["column grant"][1:3] == ("l.people", "mail")
    base.execute(f"REVOKE SELECT (mail) ON l.people FROM {base.analyst}")
    base.execute("ALTER TABLE l.people RENAME TO base")
    base.load(BASE.replace('"email", "strategy"', '"mail", "strategy"')
              .replace('"ssn"', '"social"').replace('"version": "1"', '"version": "2"'))
    base.execute(found["stale view"][4].split("then ")[1])
    assert ways(base) == {}


def test_default_privileges_count_where_a_table_may_be_made_and_read(base):
    """Those of other schemas, of other roles, of other objects and without SELECT are no way."""
    other = base.role("other")
    base.execute(f"""
        ALTER DEFAULT PRIVILEGES IN SCHEMA lm GRANT SELECT ON TABLES TO {base.analyst};
        ALTER DEFAULT PRIVILEGES IN SCHEMA l GRANT INSERT ON TABLES TO {base.analyst};
        ALTER DEFAULT PRIVILEGES IN SCHEMA l GRANT SELECT ON SEQUENCES TO {base.analyst};
        ALTER DEFAULT PRIVILEGES FOR ROLE {other} GRANT SELECT ON TABLES TO {base.analyst}""")
    assert ways(base) == {}
    base.execute(f"GRANT CREATE ON SCHEMA l TO {other}")
    found = ways(base)
    assert list(found) == ["default privileges"], found
    assert other in found["default privileges"][3]
    # What it says will happen does.
    base.execute(f"GRANT USAGE ON SCHEMA l TO {other}; SET ROLE {other};"
                 "CREATE TABLE l.again (email text); RESET ROLE")
    assert base.session(base.analyst).rows("SELECT * FROM l.again") == []
    base.execute(found["default privileges"][4])
    assert ways(base) == {}
    base.execute("DROP TABLE l.again")


def test_a_schema_that_is_not_there_is_an_error_and_one_without_masks_is_said(base):
    base.refused("3F000", "SELECT * FROM confiture.lint_access('postgres', 'nonexistent')")
    notices = []
    base.connection.add_notice_handler(lambda notice: notices.append(notice.message_primary))
    assert base.rows("SELECT * FROM confiture.lint_access('postgres', 'public')") == []
    assert notices == ['no masked column of schema "public" is known: nothing was looked for']


def test_five_hundred_tables_take_seconds(db):
    columns = ", ".join(f"c{number} text" for number in range(12))
    db.execute(f"""
        CREATE SCHEMA l;
        DO $$BEGIN FOR i IN 0..499 LOOP
          EXECUTE format('CREATE TABLE l.t%s (id integer PRIMARY KEY, email text, {columns})', i);
          EXECUTE format('CREATE FUNCTION l.f%s() RETURNS text LANGUAGE sql SECURITY DEFINER'
                         ' AS ''SELECT email FROM l.t%s LIMIT 1''', i, i);
        END LOOP; END$$""")
    db.load(profile({f"t{number}": {"email": "mail"} for number in range(500)}))
    db.rows("SELECT * FROM confiture.create_masked_views('small', 'l', 'lm')")
    role = db.role("analyst")
    # The server stops what takes longer.
    db.execute("SET statement_timeout = '20s'")
    for source in (None, "l"):
        found = db.column("SELECT path FROM confiture.lint_access(%s, %s)", [role, source])
        assert found == ["function"] * 500


def test_what_a_role_reaches_as_a_member_is_found(views):
    one, two = views.role("one"), views.role("two")
    views.execute(f"GRANT SELECT ON prod.people TO {two}; GRANT {two} TO {one};"
                  f"GRANT USAGE ON SCHEMA prod TO {two}")
    # Rights that are not inherited are taken by SET ROLE.
    views.execute(f"ALTER ROLE {views.analyst} NOINHERIT; GRANT {one} TO {views.analyst}")
    severity, shown, _, detail, remedy = ways(views)["table grant"]
    assert severity == "high" and shown == "prod.people"
    assert detail.endswith(f"as a member of role {two}")
    assert remedy == f"REVOKE SELECT ON prod.people FROM {two}"


def test_what_was_given_on_and_what_is_reached_through_others_is_taken(views):
    one, two = views.role("one"), views.role("two")
    views.execute(f"GRANT USAGE ON SCHEMA prod, seen TO {one}, {two}, {views.analyst};"
                  f"GRANT SELECT ON prod.people TO {one} WITH GRANT OPTION;"
                  f"GRANT INSERT (email) ON prod.people TO {one} WITH GRANT OPTION;"
                  f"CREATE VIEW seen.raw AS TABLE prod.people;"
                  f"GRANT SELECT ON seen.raw TO {one} WITH GRANT OPTION;"
                  f"SET ROLE {one};"
                  f"GRANT SELECT ON prod.people TO {views.analyst} WITH GRANT OPTION;"
                  f"GRANT INSERT (email) ON prod.people TO {views.analyst};"
                  f"GRANT SELECT ON seen.raw TO {views.analyst};"
                  f"SET ROLE {views.analyst}; GRANT SELECT ON prod.people TO {two}; RESET ROLE")
    assert set(ways(views)) == {"table grant", "chosen input", "view"}
    for *_, remedy in ways(views).values():
        views.execute(remedy)
    assert ways(views) == {}
    views.execute(f"GRANT pg_read_all_data TO {two}; GRANT {two} TO {one};"
                  f"GRANT {one} TO {views.analyst}")
    views.execute(ways(views)["predefined role"][4])
    assert ways(views) == {}


def test_partitions_are_tables_of_their_own(db):
    db.execute("CREATE SCHEMA prod; CREATE TABLE prod.people (id integer, email text)"
               " PARTITION BY RANGE (id);"
               "CREATE TABLE prod.part PARTITION OF prod.people DEFAULT")
    db.load(profile({"people": {"email": "mail"}}))
    db.rows("SELECT * FROM confiture.create_masked_views('small', 'prod', 'seen')")
    role = db.role("analyst")
    db.execute(f"GRANT SELECT ON prod.part TO {role}; GRANT USAGE ON SCHEMA prod TO {role}")
    assert ways(db, role)["table grant"][1] == "prod.part"


def test_a_profile_without_views_is_looked_at_too(db):
    make_small(db)
    role = db.role("analyst")
    db.execute(f"GRANT SELECT ON prod.people TO {role}; GRANT USAGE ON SCHEMA prod TO {role}")
    assert ways(db, role) == {}
    found = db.rows("SELECT path, object FROM confiture.lint_access(%s, 'prod')", [role])
    assert found == [("table grant", "prod.people")]
    db.refused("42704", "SELECT * FROM confiture.lint_access('nobody')")


def test_an_auditor_may_ask(views):
    auditor = views.role("auditor")
    views.execute(f"SELECT confiture.grant_access('auditor', '{auditor}');"
                  f"GRANT SELECT ON prod.people TO {views.analyst}")
    session = views.session(auditor)
    assert "table grant" in session.column(
        "SELECT path FROM confiture.lint_access(%s)", [views.analyst])
    views.session(views.analyst).refused(
        "42501", "SELECT * FROM confiture.lint_access(%s)", [views.analyst])


def test_names_with_quotes_give_remedies_that_run(db):
    db.execute('CREATE SCHEMA "pr""od"; CREATE TABLE "pr""od"."t\'a" (id integer, "e\\""m" text)')
    db.load(profile({"t'a": {'e\\"m': "mail"}}))
    db.rows("SELECT * FROM confiture.create_masked_views('small', 'pr\"od', 'seen')")
    role = db.role("analyst")
    db.execute(f'GRANT SELECT ("e\\""m") ON "pr""od"."t\'a" TO {role}')
    db.execute(ways(db, role)["column grant"][4])
    assert ways(db, role) == {}
