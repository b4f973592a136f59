"""A column that comes to a watched table is noticed, whoever makes it and however."""

import pytest

from samples import make_people, profile

BODY = {
    "rules": [{"column": "email", "strategy": "mail"}],
    "preserve": [{"column": name, "why": "nothing personal"} for name in ("id", "note")],
}


@pytest.fixture
def db(db):
    """A table whose columns are all decided."""
    make_people(db)
    db.load(profile({"people": BODY}, coverage="copy"))
    return db


def watch(db, mode="mark", name="small", schema="prod"):
    db.execute("SELECT confiture.watch(%s, %s, %s)", [name, schema, mode])


def undecided(db):
    return db.rows(
        "SELECT table_name, column_name, event FROM confiture.undecided_column ORDER BY 1, 2"
    )


COMMANDS = {
    "ALTER TABLE prod.people ADD phone text": ("people", "phone", "added"),
    "ALTER TABLE prod.people RENAME email TO mail": ("people", "mail", "added"),
    "ALTER VIEW prod.people RENAME COLUMN email TO mail": ("people", "mail", "added"),
    "ALTER TABLE prod.people ALTER email TYPE varchar(90)": ("people", "email", "type altered"),
    "DROP TABLE prod.people; CREATE TABLE prod.people (id integer, phone text)": (
        "people", "phone", "added",
    ),
    "DROP TABLE prod.people; CREATE TABLE prod.people AS SELECT 1 AS id, 'x' AS phone": (
        "people", "phone", "added",
    ),
    "DROP TABLE prod.people; SELECT 1 AS id, 'x' AS phone INTO prod.people": (
        "people", "phone", "added",
    ),
    "ALTER TABLE prod.people RENAME TO old;"
    " CREATE TABLE prod.new (id integer, phone text); ALTER TABLE prod.new RENAME TO people": (
        "people", "phone", "added",
    ),
    "DROP SCHEMA prod CASCADE; CREATE SCHEMA prod CREATE TABLE people (id integer, phone text)": (
        "people", "phone", "added",
    ),
    "ALTER SCHEMA prod RENAME TO old; CREATE SCHEMA other;"
    " CREATE TABLE other.people (id integer, phone text); ALTER SCHEMA other RENAME TO prod": (
        "people", "phone", "added",
    ),
    "DO $$ BEGIN ALTER TABLE prod.people ADD phone text; END $$": ("people", "phone", "added"),
    "SET session_replication_role = replica; ALTER TABLE prod.people ADD phone text": (
        "people", "phone", "added",
    ),
    "ALTER SCHEMA prod RENAME TO other; ALTER TABLE other.people ADD phone text;"
    " ALTER SCHEMA other RENAME TO prod": ("people", "phone", "added"),
    "ALTER MATERIALIZED VIEW prod.people RENAME COLUMN email TO mail": (
        "people", "mail", "added",
    ),
    "ALTER TABLE prod.people RENAME TO old; CREATE TABLE prod.new (id integer, phone text);"
    " ALTER INDEX prod.new RENAME TO people": ("people", "phone", "added"),
    "CREATE TABLE prod.parent (id integer NOT NULL); ALTER TABLE prod.people INHERIT prod.parent;"
    " ALTER TABLE prod.parent ADD phone text": ("people", "phone", "added"),
    "DROP TABLE prod.people; CREATE TYPE prod.person AS (id integer, email text, note text);"
    " CREATE TABLE prod.people OF prod.person;"
    " ALTER TYPE prod.person ADD ATTRIBUTE phone text CASCADE": ("people", "phone", "added"),
    "ALTER TABLE prod.people DROP email; ALTER TABLE prod.people ADD email varchar(90)": (
        "people", "email", "type altered",
    ),
    "ALTER TABLE prod.people RENAME TO old; ALTER TABLE prod.old ALTER email TYPE varchar(90);"
    " ALTER TABLE prod.old RENAME TO people": ("people", "email", "type altered"),
    "CREATE SCHEMA other; ALTER TABLE prod.people SET SCHEMA other; CREATE TABLE other.new"
    " (id integer, phone text); ALTER TABLE other.new SET SCHEMA prod;"
    " ALTER TABLE prod.new RENAME TO people": ("people", "phone", "added"),
}


@pytest.mark.parametrize("command", COMMANDS)
def test_a_column_that_comes_is_marked(db, command):
    watch(db)
    assert undecided(db) == []
    db.execute(command)
    assert undecided(db) == [COMMANDS[command]]
    (warning,) = [n for n in db.notices if n["severity"] == "WARNING"]
    assert COMMANDS[command][1] in warning["message_primary"]


@pytest.mark.parametrize("command", COMMANDS)
def test_where_it_is_enforced_the_command_is_refused(db, command):
    watch(db, "enforce")
    before = db.content("prod")
    db.execute("BEGIN")
    refused = db.refused("55000", command)
    db.execute("ROLLBACK")
    table, column, event = COMMANDS[command]
    if event == "added":
        pasted = f"  {table}:\n    preserve:\n      - {{column: {column}, why: …}}\n"
        assert pasted in refused.message_hint
    assert db.content("prod") == before and undecided(db) == []


@pytest.mark.parametrize(
    "command",
    [
        "ALTER TABLE prod.people ADD loud text GENERATED ALWAYS AS (upper(email)) STORED",
        "ALTER TABLE prod.people ALTER email SET DEFAULT 'x'",
        "CREATE INDEX ON prod.people (email)",
        "CREATE TABLE prod.other (phone text)",
        "CREATE TABLE people (phone text)",
        "CREATE TEMPORARY TABLE people (phone text)",
        "CREATE VIEW prod.v AS SELECT email AS phone FROM prod.people",
        "ALTER TABLE prod.people DROP COLUMN note",
    ],
)
def test_other_commands_go_through(db, command):
    watch(db, "enforce")
    db.execute(command)
    assert undecided(db) == []


def test_a_later_version_decides(db):
    watch(db)
    db.execute("ALTER TABLE prod.people ADD phone text, ALTER email TYPE varchar(90)")
    assert [row[1] for row in undecided(db)] == ["email", "phone"]
    decided = {**BODY, "preserve": [*BODY["preserve"], {"column": "phone", "why": "made up"}]}
    db.load(profile({"people": decided}, version="2", coverage="copy"))
    assert undecided(db) == []
    # Out of use, it decides no longer.
    db.execute("SELECT confiture.retire_profile('small', '2')")
    assert [row[1] for row in undecided(db)] == ["email", "phone"]
    db.execute("ALTER TABLE prod.people DROP COLUMN phone")
    assert [row[1] for row in undecided(db)] == ["email"]


def test_what_was_undecided_before_is_on_the_list_and_stops_no_command(db):
    db.execute("ALTER TABLE prod.people ADD phone text")
    watch(db, "enforce")
    assert undecided(db) == [("people", "phone", "present")]
    db.execute("ALTER TABLE prod.people ALTER note SET DEFAULT 'x'")
    db.refused("55000", "ALTER TABLE prod.people ADD fax text")


def test_a_run_is_refused_that_would_copy_it(db):
    db.execute("ALTER TABLE prod.people ADD phone text")
    watch(db)
    db.sync()
    watch(db, "enforce")
    refused = db.sync_refused("55000")
    assert "prod.people.phone" in refused.message_primary
    assert "{column: phone, why: …}" in refused.message_hint
    assert db.value("SELECT confiture.unwatch('small', 'prod')") is True
    db.sync()


UNSEEN = {
    "ALTER TABLE prod.people ADD phone text": ("phone", "nothing about"),
    "ALTER TABLE prod.people ALTER email TYPE varchar(90)": ("email", "another type"),
}


@pytest.mark.parametrize("command", UNSEEN)
def test_a_run_trusts_the_catalog_and_not_the_list(db, command):
    """What no event trigger has seen: they may be disabled."""
    column, reason = UNSEEN[command]
    watch(db, "enforce")
    db.execute("ALTER EVENT TRIGGER confiture_watch_columns DISABLE")
    db.execute(command)
    db.execute("ALTER EVENT TRIGGER confiture_watch_columns ENABLE ALWAYS")
    assert undecided(db) == []
    for refused in (
        db.sync_refused("55000"),
        db.refused("55000", "SELECT * FROM confiture.plan('small', 'prod', 'staging')"),
        db.refused("55000", "SELECT * FROM confiture.preview('small', 'prod', 'people')"),
    ):
        assert f"prod.people.{column}" in refused.message_primary
        assert reason in refused.message_primary
    # A version that is loaded was made for what is there then.
    decided = {**BODY, "preserve": [*BODY["preserve"], {"column": "phone", "why": "made up"}]}
    if column != "phone":
        decided = BODY
    db.load(profile({"people": decided}, version="2", coverage="copy"))
    db.sync()
    assert undecided(db) == []


def test_a_run_notes_what_no_command_was_seen_to_do(db):
    db.load(profile({"people": {"email": "mail"}}, version="2", coverage="copy"))
    watch(db, "enforce")
    db.execute("ALTER EVENT TRIGGER confiture_watch_columns DISABLE")
    db.execute("ALTER TABLE prod.people ADD phone text")
    db.execute("ALTER EVENT TRIGGER confiture_watch_columns ENABLE ALWAYS")
    # Decided by a star.
    db.sync()
    known = "SELECT column_name FROM confiture.watched_column WHERE event = 'added'"
    assert db.column(known) == ["phone"]


def test_a_type_that_was_altered_stays_so_when_its_column_goes_and_comes(db):
    watch(db)
    db.execute("ALTER TABLE prod.people ALTER note TYPE varchar(90)")
    db.execute("ALTER TABLE prod.people DROP note")
    assert undecided(db) == []
    db.execute("ALTER TABLE prod.people ADD note varchar(90)")
    assert undecided(db) == [("people", "note", "type altered")]
    db.load(profile({"people": BODY}, version="2", coverage="copy"))
    assert undecided(db) == []


def test_types_and_extensions_take_columns_with_them(db):
    db.execute("CREATE TYPE prod.mood AS ENUM ('x'); ALTER TABLE prod.people ALTER note TYPE"
               " prod.mood USING NULL, ALTER email TYPE prod.mood[] USING '{}'")
    watch(db)
    db.execute("ALTER TYPE prod.mood RENAME TO temper")
    assert undecided(db) == [
        ("people", "email", "type altered"), ("people", "note", "type altered"),
    ]


def test_while_its_schema_is_called_otherwise_a_watch_is_ended_by_who_began_it(db):
    watch(db, "enforce")
    operator, owner = db.role("operator"), db.role("owner")
    for role in (operator, owner):
        db.execute("SELECT confiture.grant_access('operator', %s)", [role])
    db.execute("ALTER SCHEMA prod RENAME TO other")
    end = "SELECT confiture.unwatch('small', 'prod')"
    db.session(operator).refused("42501", end)
    assert db.value(end) is True
    db.execute(f"ALTER SCHEMA other RENAME TO prod; ALTER SCHEMA prod OWNER TO {owner}")
    session = db.session(owner)
    session.execute("SELECT confiture.watch('small', 'prod', 'enforce')")
    db.execute("ALTER SCHEMA prod RENAME TO other")
    db.session(operator).refused("42501", end)
    assert session.value(end) is True
    # What is not there can be ended by anybody, and is not.
    assert db.session(operator).value(end) is False


def test_it_works_for_every_role_and_gives_it_nothing(db):
    watch(db)
    owner = db.role("owner")
    db.execute(f"ALTER SCHEMA prod OWNER TO {owner}; ALTER TABLE prod.people OWNER TO {owner}")
    session = db.session(owner)
    session.execute("ALTER TABLE prod.people ADD phone text")
    assert db.column("SELECT noticed_by FROM confiture.undecided_column") == [owner]
    for table in ("watched", "watched_column", "undecided_column"):
        session.refused("42501", f"SELECT * FROM confiture.{table}")
    session.refused("42501", "SELECT confiture._watch_columns()")
    db.execute(f"GRANT USAGE ON SCHEMA confiture TO {owner}")
    session.refused("42501", "DELETE FROM confiture.watched")


def test_only_the_owner_of_a_schema_may_have_it_watched(db):
    operator = db.role("operator")
    db.execute("SELECT confiture.grant_access('operator', %s)", [operator])
    session = db.session(operator)
    session.refused("42501", "SELECT confiture.watch('small', 'prod')")
    db.execute(f"ALTER SCHEMA prod OWNER TO {operator}")
    session.execute("SELECT confiture.watch('small', 'prod')")
    session.refused("22023", "SELECT confiture.watch('small', 'prod', 'loudly')")
    session.refused("42704", "SELECT confiture.watch('none', 'prod')")
    session.refused("3F000", "SELECT confiture.watch('small', 'nowhere')")
    assert session.value("SELECT confiture.unwatch('small', 'prod')") is True
    assert session.value("SELECT confiture.unwatch('small', 'prod')") is False


def test_planted_objects_take_no_part(db):
    watch(db)
    planter = db.role("planter")
    db.execute(f"GRANT CREATE ON SCHEMA public TO {planter}")
    session = db.session(planter)
    session.execute("""
      CREATE TEMPORARY TABLE watched (mode text);
      CREATE TEMPORARY TABLE pg_class (oid oid);
      CREATE FUNCTION public.pg_event_trigger_ddl_commands() RETURNS SETOF record LANGUAGE plpgsql
        AS $$BEGIN RAISE 'planted code has run'; END$$;
    """)
    session.execute("SET search_path = pg_temp, public, pg_catalog")
    session.execute("CREATE TEMPORARY TABLE mine (x integer)")


def test_hostile_names(db):
    db.execute('ALTER TABLE prod.people ADD "a\'b""c: {$t$}" text')
    watch(db)
    assert undecided(db) == [("people", "a'b\"c: {$t$}", "present")]
    watch(db, "enforce")
    refused = db.refused("55000", 'ALTER TABLE prod.people ADD "x: y\n" text')
    assert '"x: y\\n"' in refused.message_hint


def test_a_dump_keeps_the_watch(db, server):
    watch(db, "enforce")
    dump = server.run("pg_dump", "--no-owner", database=db.name).stdout
    copy = server.create_database(extension=False)
    server.psql(copy.name, stdin=dump)
    copy.refused("55000", "ALTER TABLE prod.people ADD phone text")
    copy.drop()


def test_a_watch_is_on_record(db):
    watch(db, "enforce")
    assert db.value("SELECT confiture.unwatch('small', 'prod')")
    assert not db.value("SELECT confiture.unwatch('small', 'prod')")
    entries = db.rows(
        "SELECT event, profile_name, source_schema, details FROM confiture.audit_log"
        " WHERE event ~ 'WATCH' ORDER BY seq"
    )
    assert entries == [
        ("WATCH_STARTED", "small", "prod", {"mode": "enforce"}),
        ("WATCH_ENDED", "small", "prod", None),
    ]
    assert db.findings()["OK"][0] == "ok"


def test_tables_of_an_imported_schema_are_noticed(db):
    if not db.server.has("postgres_fdw"):
        pytest.skip("this PostgreSQL comes without postgres_fdw")
    watch(db)
    db.execute("DROP TABLE prod.people; CREATE SCHEMA away;"
               "CREATE TABLE away.people (id integer, phone text); CREATE EXTENSION postgres_fdw")
    environment = db.server.environment
    db.execute(
        "CREATE SERVER back FOREIGN DATA WRAPPER postgres_fdw OPTIONS"
        f" (dbname '{db.name}', host '{environment['PGHOST']}', port '{environment['PGPORT']}');"
        "CREATE USER MAPPING FOR postgres SERVER back OPTIONS (user 'postgres')"
    )
    db.execute("IMPORT FOREIGN SCHEMA away FROM SERVER back INTO prod")
    assert undecided(db) == [("people", "phone", "added")]
