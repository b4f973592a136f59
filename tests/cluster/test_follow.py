"""The lists of tables that runs made or masked follow the tables, and nothing else."""

import pytest

from samples import keep_all, make_small, profile

MASKED = "SELECT schema_name || '.' || table_name FROM confiture.masked_in_place ORDER BY 1"
MADE = "SELECT schema_name || '.' || table_name FROM confiture.target_table ORDER BY 1"
NUMBERS = (
    "SELECT registry || ' ' || t.schema_name || '.' || t.table_name FROM confiture.table_number t"
    " JOIN pg_class c ON c.oid = t.relation AND c.relname = t.table_name"
    " JOIN pg_namespace n ON n.oid = c.relnamespace AND n.nspname = t.schema_name ORDER BY 1"
)
CALL = "CALL confiture.mask_in_place('typed', 'typed')"
TYPED = profile({"a": {"email": "mail"}, "b": {"email": "mail"}}, name="typed")


@pytest.fixture
def db(db):
    """A database that says of itself that it is a copy."""
    db.execute("SET confiture.allow_in_place = on")
    return db


def make_typed(db):
    db.execute("""
      CREATE SCHEMA typed;
      CREATE TYPE typed.ty AS (id bigint, email text);
      CREATE TABLE typed.a OF typed.ty;
      CREATE TABLE typed.b OF typed.ty;
      INSERT INTO typed.a VALUES (1, 'one@mail.example');
      INSERT INTO typed.b VALUES (2, 'two@mail.example');
    """)
    db.load(TYPED)


def mask_typed(db):
    make_typed(db)
    db.execute(CALL)
    assert db.column(MASKED) == ["typed.a", "typed.b"]


@pytest.mark.parametrize("orphans", [1, 2])
def test_a_mark_whose_table_has_gone_goes_to_no_other_table(db, orphans):
    mask_typed(db)
    db.execute("CREATE SCHEMA appx; CREATE TABLE appx.t (a integer)")
    if orphans == 1:
        db.execute("DROP TABLE typed.b")
    db.execute("DROP TYPE typed.ty CASCADE")
    assert db.column(MASKED) == []
    somebody = db.role("somebody")
    db.execute(f"ALTER SCHEMA appx OWNER TO {somebody}; ALTER TABLE appx.t OWNER TO {somebody}")
    db.session(somebody).execute("ALTER TABLE appx.t ADD b integer")
    assert db.column(MASKED) == [] and db.column(NUMBERS) == []


def unseen(db, commands):
    """Commands that no event trigger of ours sees."""
    for event in ("start", "end"):
        db.execute(f"ALTER EVENT TRIGGER confiture_follow_{event} DISABLE")
    db.execute(commands)
    for event in ("start", "end"):
        db.execute(f"ALTER EVENT TRIGGER confiture_follow_{event} ENABLE ALWAYS")


def test_what_was_not_seen_moves_no_mark_and_stops_no_command(db):
    mask_typed(db)
    db.execute("CREATE SCHEMA appx; CREATE TABLE appx.t (a integer)")
    unseen(db, "DROP TYPE typed.ty CASCADE")
    assert db.column(MASKED) == ["typed.a", "typed.b"]
    db.execute("ALTER TABLE appx.t ADD b integer")
    assert db.column(MASKED) == []
    assert not [n for n in db.notices if "lists of tables" in n["message_primary"]]


def test_tables_that_change_their_names_unseen_keep_their_own_marks(db):
    mask_typed(db)
    unseen(db, "ALTER TABLE typed.a RENAME TO c; ALTER TABLE typed.b RENAME TO a;"
               " ALTER TABLE typed.c RENAME TO b")
    runs = "SELECT t.relation::regclass::text FROM confiture.table_number t ORDER BY t.relation"
    assert db.column(runs) == ["typed.b", "typed.a"]
    assert "masked in place before" in db.refused("55000", CALL).message_primary
    db.execute("CREATE TABLE typed.other (a integer)")
    assert db.column(NUMBERS) == ["masked typed.a", "masked typed.b"]
    assert not [n for n in db.notices if "lists of tables" in n["message_primary"]]


def test_a_table_that_takes_a_name_unseen_takes_no_mark(db):
    mask_typed(db)
    unseen(db, "DROP TABLE typed.a; CREATE TABLE typed.a OF typed.ty;"
               " INSERT INTO typed.a VALUES (3, 'three@mail.example'); DROP TABLE typed.b;"
               " CREATE TABLE typed.b OF typed.ty")
    db.execute(CALL)
    assert db.value("SELECT email FROM typed.a") != "three@mail.example"
    assert db.column(NUMBERS) == ["masked typed.a", "masked typed.b"]


def test_numbers_are_of_one_database(db, server):
    mask_typed(db)
    db.load(profile({"a": keep_all(), "b": keep_all()}, name="copy"))
    db.execute("CREATE SCHEMA raw; CREATE TABLE raw.a (id bigint, email text);"
               "CREATE TABLE raw.b (LIKE raw.a)")
    db.execute("CALL confiture.sync('copy', 'raw', 'made')")
    dump = server.run("pg_dump", "--no-owner", database=db.name).stdout
    assert "table_number (" not in dump.replace("CREATE", "")
    copy = server.create_database(extension=False)
    server.psql(copy.name, stdin=dump)
    numbers = ["made made.a", "made made.b", "masked typed.a", "masked typed.b"]
    copy.execute("SET confiture.allow_in_place = on")
    # The first command that says what a table is called now begins with what it was called then.
    copy.execute("ALTER TABLE typed.a RENAME TO z")
    assert copy.column(MASKED) == ["typed.b", "typed.z"]
    assert copy.column(NUMBERS) == [*numbers[:2], "masked typed.b", "masked typed.z"]
    assert copy.column(MADE) == ["made.a", "made.b"]
    copy.drop()


def test_what_is_restored_without_its_tables_is_forgotten(db):
    make_small(db)
    db.execute("CALL confiture.mask_in_place('small', 'prod')")
    unseen(db, "TRUNCATE confiture.table_number; DROP TABLE prod.people")
    db.execute("CREATE SCHEMA other")
    assert db.column(MASKED) == []


def test_two_sessions_after_a_restore_do_not_wait_for_each_other(db):
    make_small(db)
    db.execute("CALL confiture.mask_in_place('small', 'prod')")
    db.execute("CREATE SCHEMA other")
    db.execute("TRUNCATE confiture.table_number")
    db.execute("BEGIN")
    db.execute("CREATE TABLE other.one (a integer)")
    session = db.session()
    session.execute("SET lock_timeout = '2s'")
    session.execute("ALTER TABLE prod.people RENAME TO persons")
    db.execute("COMMIT")
    db.execute("CREATE TABLE other.two (a integer)")
    assert db.column(NUMBERS) == ["masked prod.persons"] and db.column(MASKED) == ["prod.persons"]


@pytest.mark.parametrize("level", ["REPEATABLE READ", "SERIALIZABLE"])
def test_a_transaction_with_an_older_snapshot_alters_what_it_likes(db, level):
    make_small(db)
    session = db.session()
    session.execute(f"BEGIN ISOLATION LEVEL {level}")
    session.value("SELECT count(*) FROM pg_class")
    db.execute("CALL confiture.mask_in_place('small', 'prod')")
    session.execute("CREATE TABLE prod.other (a integer)")
    session.execute("ALTER TABLE prod.people RENAME TO persons")
    session.execute("COMMIT")
    db.execute("CREATE TABLE prod.another (a integer)")
    assert db.column(MASKED) == ["prod.persons"]


def test_a_target_that_went_with_its_type_is_nobodys(db):
    make_typed(db)
    db.execute("CREATE SCHEMA made; CREATE TYPE made.ty AS (id bigint, email text);"
               "CREATE TABLE made.a OF made.ty; CREATE TABLE made.b OF made.ty")
    run = """CALL confiture.sync('typed', 'typed', 'made', '{"adopt": true}')"""
    db.execute(run)
    assert db.column(MADE) == ["made.a", "made.b"]
    db.execute("DROP TYPE made.ty CASCADE")
    assert db.column(MADE) == []
    db.execute("CREATE TABLE made.a (id bigint, email text);"
               "INSERT INTO made.a VALUES (9, 'a stranger')")
    db.refused("55000", "CALL confiture.sync('typed', 'typed', 'made')")
    assert db.column("SELECT email FROM made.a") == ["a stranger"]


def test_a_target_whose_name_was_taken_unseen_is_nobodys(db):
    make_typed(db)
    db.execute("CALL confiture.sync('typed', 'typed', 'made')")
    unseen(db, "DROP TABLE made.a; CREATE TABLE made.a (id bigint, email text);"
               "INSERT INTO made.a VALUES (9, 'a stranger')")
    db.refused("55000", "CALL confiture.sync('typed', 'typed', 'made')")
    assert db.column("SELECT email FROM made.a") == ["a stranger"]


def test_whoever_gives_a_command_gets_nothing_by_it(db):
    make_small(db)
    db.execute("CALL confiture.mask_in_place('small', 'prod')")
    owner = db.role("owner")
    db.execute(f"ALTER SCHEMA prod OWNER TO {owner}; ALTER TABLE prod.people OWNER TO {owner};"
               f"GRANT CREATE ON DATABASE {db.name} TO {owner}")
    session = db.session(owner)
    session.execute("""
      CREATE TEMPORARY TABLE pg_class (oid oid);
      CREATE TEMPORARY TABLE masked_in_place (schema_name text, table_name text);
      SET search_path = pg_temp, prod, pg_catalog;
      ALTER TABLE prod.people RENAME TO persons;
      ALTER SCHEMA prod RENAME TO other;
    """)
    assert db.column(MASKED) == ["other.persons"]
    for table in ("masked_in_place", "table_number", "unrefreshed_view", "target_table"):
        session.refused("42501", f"SELECT * FROM confiture.{table}")
    session.refused("42501", "SELECT confiture._follow_tables()")
