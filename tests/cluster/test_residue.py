"""What masking leaves behind is found, wherever it lies, and goes by what is said to clear it."""

import pytest

from relation_files import files_with
from samples import make_people, make_small, profile, small

ORIGINAL = "ORIGINAL@mail.example"
LONG = "ORIGINAL-" + "a1b2c3" * 2000
OUTSIDE = {"write-ahead log", "backup", "server log", "standby"}


@pytest.fixture
def db(db):
    """A database that says of itself that it is a copy, with a table of originals."""
    db.execute("SET confiture.allow_in_place = on")
    make_people(db)
    db.execute("ALTER TABLE prod.people ADD bio text, ADD tags text[]")
    db.execute("ALTER TABLE prod.people ALTER bio SET STORAGE EXTERNAL")
    db.execute("INSERT INTO prod.people SELECT i, 'x' || i || %s, NULL, %s, ARRAY[%s]"
               " FROM generate_series(10, 60) i", [ORIGINAL, LONG, ORIGINAL])
    db.execute("VACUUM FULL prod.people")
    for catalog in ("pg_statistic", "pg_statistic_ext_data"):
        db.execute(f"VACUUM FULL pg_catalog.{catalog}")
    return db


def check(db, schema="prod"):
    """The findings but for what is outside: {(kind, object, column): (severity, clear)}."""
    rows = db.rows(
        "SELECT kind, object, column_name, severity, how_to_clear, finding"
        " FROM confiture.residue_check(%s)",
        [schema],
    )
    assert ORIGINAL not in str(rows) and LONG[:40] not in str(rows)
    return {tuple(row[:3]): (row[3], row[4]) for row in rows if row[0] not in OUTSIDE}


def kinds(db, schema="prod"):
    """The kinds of findings, without that of the catalog: the server analyzes when it likes."""
    return {kind for kind, _, _ in check(db, schema)} - {"catalog"}


def clear(db, kind):
    """Does what is said to clear the findings of a kind."""
    statements = {clear for (found, *_), (_, clear) in check(db).items() if found == kind}
    assert statements
    for statement in statements:
        db.execute(statement)


UPDATE = "UPDATE prod.people SET email = 'm' || id, bio = 'm', tags = ARRAY['m']"


def test_a_clean_schema_has_no_findings_but_what_is_outside(db):
    assert kinds(db) == set()
    rows = db.rows("SELECT kind, severity FROM confiture.residue_check()")
    assert {row[0] for row in rows} <= OUTSIDE | {"catalog"}
    assert {row[1] for row in rows if row[0] in OUTSIDE} == {"note"}


@pytest.mark.parametrize("vacuum", [None, "VACUUM prod.people"])
def test_old_versions_in_heap_and_toast(db, vacuum):
    db.execute(UPDATE)
    if vacuum:
        # The rows go, and their bytes stay in the pages.
        db.execute(vacuum)
    left = files_with(db, ORIGINAL, LONG[:40])
    found = check(db)
    assert "prod.people" in left and found[("heap", "prod.people", None)][0] == "found"
    if not vacuum:
        # Its pages at the end VACUUM gives back.
        assert any(name.startswith("pg_toast.") for name in left)
        assert found[("toast", "prod.people", None)][0] == "found"
    clear(db, "heap")
    assert not {"heap", "toast"} & kinds(db)
    assert not files_with(db, ORIGINAL, LONG[:40])


def test_deleted_rows_are_found_too(db):
    db.execute("DELETE FROM prod.people WHERE id > 9")
    assert "heap" in kinds(db)


def test_values_of_dropped_columns(db):
    db.execute("ALTER TABLE prod.people ADD ssn text, ADD scan text")
    db.execute("ALTER TABLE prod.people ALTER scan SET STORAGE EXTERNAL")
    db.execute("UPDATE prod.people SET ssn = 'SSN-' || id || '-12345678', scan = %s WHERE id > 40",
               ["SCAN-" + "d4e5f6" * 1000])
    db.execute("VACUUM FULL prod.people")
    assert kinds(db) == set()
    db.execute("ALTER TABLE prod.people DROP ssn, DROP scan")
    db.execute("VACUUM prod.people")
    assert {"prod.people"} < files_with(db, "SSN-50-12345678", "SCAN-d4e5f6")
    finding = db.value("SELECT finding FROM confiture.residue_check('prod')"
                       " WHERE kind = 'heap' AND severity = 'found'")
    assert finding == "20 rows with values of dropped columns"
    # Rows that never had one are not accused.
    db.execute("CREATE TABLE prod.bare (a integer, b text, c text)")
    db.execute("ALTER TABLE prod.bare DROP b")
    db.execute("INSERT INTO prod.bare SELECT 1, 'x' FROM generate_series(1, 9)")
    assert ("heap", "prod.bare", None) not in check(db)
    clear(db, "heap")
    assert kinds(db) == set()
    assert not files_with(db, "SSN-50-12345678", "SCAN-d4e5f6")


def test_values_for_rows_older_than_a_column(db):
    db.execute("ALTER TABLE prod.people ADD owner text DEFAULT 'ORIGINAL-OWNER'")
    assert check(db)[("missing value", "prod.people", "owner")][0] == "check"
    clear(db, "missing value")
    assert "missing value" not in kinds(db)
    db.load(profile({"people": {"email": "mail", "bio": "redact", "tags": "hash",
                                "owner": "hash"}}))
    db.execute("CALL confiture.mask_in_place('small', 'prod')")
    assert "missing value" not in kinds(db)
    # What another tool would have left: the column was masked, and there it is.
    db.execute("ALTER TABLE prod.people DROP owner")
    db.execute("ALTER TABLE prod.people ADD owner text DEFAULT 'ORIGINAL-OWNER'")
    assert check(db)[("missing value", "prod.people", "owner")][0] == "found"
    clear(db, "missing value")
    assert "missing value" not in kinds(db)
    assert check(db)[("catalog", "pg_catalog.pg_attribute", None)][0] == "check"


def test_samples_of_expressions_are_judged_by_what_wrote_them(db):
    """Not by the counter of changes, which is brought up to date after the ANALYZE of a run."""
    db.execute("CREATE INDEX people_up ON prod.people (upper(email))")
    db.execute("CREATE STATISTICS prod.low ON lower(email) FROM prod.people")
    # Until the server's own counter says so.
    db.execute("ALTER TABLE prod.people SET (autovacuum_enabled = off)")
    changes = "SELECT pg_stat_get_mod_since_analyze('prod.people'::regclass)"
    sampled = {("expression statistics", "prod.low", None),
               ("expression statistics", "prod.people_up", None)}
    db.execute("BEGIN")
    db.execute(UPDATE)
    db.execute("ANALYZE prod.people")
    db.execute("COMMIT")
    db.execute("VACUUM FULL prod.people")
    db.execute("SELECT pg_sleep(1.1)")
    assert db.session().value(changes) > 0
    assert not sampled & check(db).keys()
    # One statement that no plain sample shows, and no counter after a crash.
    db.execute("UPDATE prod.people SET note = note || 'x', email = email WHERE id < 12")
    db.execute("SELECT pg_stat_reset()")
    assert db.value(changes) == 0
    assert sampled <= check(db).keys()
    db.execute("ANALYZE prod.people")
    assert not sampled & check(db).keys()
    db.load(profile({"people": {"email": "mail", "bio": "redact", "tags": "hash"}}))
    db.execute("CALL confiture.mask_in_place('small', 'prod')")
    db.execute("SELECT pg_sleep(1.1)")
    other = db.session()
    assert other.value(changes) > 0
    assert other.value("SELECT count(*) FROM confiture.residue_check('prod')"
                       " WHERE kind = 'expression statistics'") == 0


def test_a_table_with_current_rows_only_is_not_accused(db):
    db.execute("CREATE TABLE prod.filled AS SELECT i, 'v' || i AS v FROM generate_series(1, 999) i")
    db.execute("INSERT INTO prod.filled SELECT i, 'w' FROM generate_series(1, 5000) i")
    assert kinds(db) == set()


def test_samples_of_values_in_statistics(db):
    db.execute("ANALYZE prod.people")
    assert "statistics" not in kinds(db)
    db.execute(UPDATE)
    found = check(db)
    for column in ("email", "tags"):
        assert found[("statistics", "prod.people", column)][0] == "found"
    assert ("statistics", "prod.people", "id") not in found
    assert "pg_statistic" in files_with(db, ORIGINAL)
    clear(db, "statistics")
    assert "statistics" not in kinds(db)
    # The old rows of the catalog itself are still there.
    assert check(db)[("catalog", "pg_catalog.pg_statistic", None)][0] == "check"
    assert "pg_statistic" in files_with(db, ORIGINAL)
    clear(db, "catalog")
    assert "pg_statistic" not in files_with(db, ORIGINAL)


def test_samples_in_statistics_of_several_columns_and_of_expressions(db):
    db.execute("CREATE STATISTICS prod.pair (mcv) ON email, note FROM prod.people")
    db.execute("CREATE STATISTICS prod.low ON lower(email) FROM prod.people")
    db.execute("CREATE INDEX people_up ON prod.people (upper(email))")
    db.execute("INSERT INTO prod.people SELECT i, %s, 'n' FROM generate_series(100, 200) i",
               [ORIGINAL])
    db.execute("ANALYZE prod.people")
    assert kinds(db) == set()
    db.execute(UPDATE)
    found = check(db)
    assert found[("extended statistics", "prod.pair", "email")][0] == "found"
    expressions = {object for kind, object, _ in found if kind == "expression statistics"}
    assert expressions == {"prod.low", "prod.people_up"}
    clear(db, "extended statistics")
    assert not {"extended statistics", "expression statistics"} & kinds(db)


def test_after_masking_in_place_nothing_but_the_catalog_is_left(db):
    db.execute("CREATE INDEX people_up ON prod.people (upper(email))")
    db.execute("CREATE STATISTICS prod.pair (mcv) ON email, note FROM prod.people")
    db.execute("ANALYZE prod.people")
    db.execute("UPDATE prod.people SET note = 'changed'")
    columns = {"email": "mail", "bio": "redact", "tags": "hash"}
    db.load(profile({"people": columns}))
    db.execute("CALL confiture.mask_in_place('small', 'prod')")
    assert kinds(db) == set() and ("catalog", "pg_catalog.pg_statistic", None) in check(db)
    clear(db, "catalog")
    assert files_with(db, ORIGINAL, LONG[:40], ORIGINAL.upper()) == set()


def test_materialized_views_that_were_filled_before(db):
    db.execute("CREATE VIEW prod.v AS SELECT email FROM prod.people")
    db.execute("CREATE MATERIALIZED VIEW prod.mails AS SELECT email FROM prod.v")
    db.execute("CREATE UNIQUE INDEX ON prod.mails (email)")
    # Who masked by hand may have refreshed it or not: that is to be judged.
    assert check(db)[("materialized view", "prod.mails", None)][0] == "check"
    db.load(profile({"people": {"email": "mail", "bio": "redact", "tags": "hash"}}))
    db.execute("CALL confiture.mask_in_place('small', 'prod')")
    assert check(db)[("materialized view", "prod.mails", None)][0] == "found"
    assert "prod.mails" in files_with(db, ORIGINAL)
    # Rights and comments make no other file of it.
    db.execute("GRANT SELECT ON prod.mails TO PUBLIC")
    db.execute("REFRESH MATERIALIZED VIEW CONCURRENTLY prod.mails")
    assert "prod.mails" in files_with(db, ORIGINAL)
    assert check(db)[("materialized view", "prod.mails", None)][0] == "found"
    clear(db, "materialized view")
    assert "materialized view" not in kinds(db)
    assert "prod.mails" not in files_with(db, ORIGINAL)


CHANGES = {
    "VACUUM FULL prod.mails": "prod.mails",
    "ALTER MATERIALIZED VIEW prod.mails RENAME TO others": "prod.others",
    "ALTER SCHEMA prod RENAME TO old; ALTER SCHEMA old RENAME TO prod": "prod.mails",
    "CLUSTER prod.mails USING mails_email": "prod.mails",
    "REFRESH MATERIALIZED VIEW CONCURRENTLY prod.mails": "prod.mails",
}


@pytest.mark.parametrize("command", CHANGES)
def test_a_materialized_view_holds_originals_until_it_is_refreshed(db, command):
    view = CHANGES[command]
    db.execute("CREATE MATERIALIZED VIEW prod.mails AS SELECT email FROM prod.people")
    db.execute("CREATE UNIQUE INDEX mails_email ON prod.mails (email)")
    db.load(profile({"people": {"email": "mail", "bio": "redact", "tags": "hash"}}))
    db.execute("CALL confiture.mask_in_place('small', 'prod')")
    db.execute(command)
    assert check(db)[("materialized view", view, None)][0] == "found"
    clear(db, "materialized view")
    assert kinds(db) == set()
    assert files_with(db, ORIGINAL) <= {"pg_statistic"}


def test_a_materialized_view_over_another_one_is_not_clean_before_it(db):
    db.execute("CREATE MATERIALIZED VIEW prod.below AS SELECT email FROM prod.people")
    db.execute("CREATE MATERIALIZED VIEW prod.above AS SELECT email FROM prod.below")
    db.load(profile({"people": {"email": "mail", "bio": "redact", "tags": "hash"}}))
    db.execute("CALL confiture.mask_in_place('small', 'prod')")
    db.execute("REFRESH MATERIALIZED VIEW prod.above")
    db.execute("CREATE MATERIALIZED VIEW prod.later AS SELECT email FROM prod.below")
    found = check(db)
    for view in ("below", "above"):
        assert found[("materialized view", f"prod.{view}", None)][0] == "found"
    assert found[("materialized view", "prod.later", None)][0] == "check"
    for view in ("below", "above", "later"):
        db.execute(f"REFRESH MATERIALIZED VIEW prod.{view}")
    assert kinds(db) == set()


def test_a_materialized_view_over_a_function_is_to_be_judged(db):
    db.execute("""
      CREATE FUNCTION prod.mails() RETURNS SETOF text LANGUAGE plpgsql AS
        $$BEGIN RETURN QUERY SELECT email FROM prod.people; END$$;
      CREATE MATERIALIZED VIEW prod.by_function AS SELECT m FROM prod.mails() AS m;
    """)
    db.load(profile({"people": {"email": "mail", "bio": "redact", "tags": "hash"}}))
    db.execute("CALL confiture.mask_in_place('small', 'prod')")
    assert check(db)[("materialized view", "prod.by_function", None)][0] == "check"
    clear(db, "materialized view")
    assert kinds(db) == set()


def test_rows_that_came_after_the_masking_are_looked_for_too(db):
    db.load(profile({"people": {"email": "mail", "bio": "redact", "tags": "hash"}}))
    db.execute("CALL confiture.mask_in_place('small', 'prod')")
    db.execute("INSERT INTO prod.people (id, email) VALUES (999, %s)", [ORIGINAL])
    db.execute("DELETE FROM prod.people WHERE id = 999")
    assert "prod.people" in files_with(db, ORIGINAL)
    assert check(db)[("heap", "prod.people", None)][0] == "check"
    clear(db, "heap")
    assert kinds(db) == set()


def test_copies_and_detached_partitions(db):
    db.execute("""
      CREATE SCHEMA parts;
      CREATE TABLE parts.log (email text, region text) PARTITION BY LIST (region);
      CREATE TABLE parts.log_fr PARTITION OF parts.log FOR VALUES IN ('fr');
      CREATE TABLE parts.log_de PARTITION OF parts.log FOR VALUES IN ('de');
      INSERT INTO parts.log VALUES ('a@mail.example', 'fr'), ('b@mail.example', 'de');
      ALTER TABLE parts.log DETACH PARTITION parts.log_de;
      CREATE TABLE parts.other (email integer);
    """)
    db.load(profile({"log": {"email": "mail"}}, name="parts"))
    db.execute("CALL confiture.mask_in_place('parts', 'parts')")
    copies = {object for kind, object, _ in check(db, "parts") if kind == "copy"}
    assert "parts.log_de" in copies and "parts.other" not in copies
    # What was masked as a partition stays masked when it is detached.
    db.execute("ALTER TABLE parts.log DETACH PARTITION parts.log_fr")
    copies = {object for kind, object, _ in check(db, "parts") if kind == "copy"}
    assert "parts.log_fr" not in copies


def test_large_objects(db):
    db.execute("ALTER TABLE prod.people ADD picture oid")
    assert "large object" not in kinds(db)
    db.execute("UPDATE prod.people SET picture = lo_from_bytea(0, 'ORIGINAL') WHERE id = 1")
    assert check(db)[("large object", "prod.people", "picture")][0] == "check"
    clear(db, "large object")
    assert "large object" not in kinds(db)


def test_sessions_that_keep_old_versions(db):
    db.execute("SET search_path = public")
    other = db.session()
    other.execute("BEGIN ISOLATION LEVEL REPEATABLE READ")
    other.value("SELECT count(*) FROM pg_class")
    assert "held by" not in kinds(db)
    db.execute(UPDATE)
    held = {object for kind, object, _ in check(db) if kind == "held by"}
    assert held == {f"session {other.pid()}"}
    # They stay in the new files while somebody may still see them.
    clear(db, "heap")
    assert "heap" in kinds(db)
    clear(db, "held by")
    clear(db, "heap")
    assert not {"heap", "held by"} & kinds(db)


def test_who_may_not_look_is_told(db):
    role = db.role("curious")
    db.execute("SELECT confiture.grant_access('operator', %s)", [role])
    db.execute(UPDATE)
    session = db.session(role)
    rows = session.rows("SELECT kind, severity FROM confiture.residue_check('prod')")
    assert ("table", "check") in rows and not {"heap", "toast"} & {row[0] for row in rows}


def test_planted_objects_take_no_part(db):
    role = db.role("planter")
    db.execute(f"GRANT ALL ON SCHEMA prod TO {role}")
    session = db.session(role)
    session.execute("""
      CREATE FUNCTION prod.format(text, text) RETURNS text LANGUAGE plpgsql AS
        $$BEGIN RAISE 'planted code has run'; END$$;
      CREATE FUNCTION prod.eq(text, text) RETURNS boolean LANGUAGE plpgsql AS
        $$BEGIN RAISE 'planted code has run'; END$$;
      CREATE OPERATOR prod.= (LEFTARG = text, RIGHTARG = text, FUNCTION = prod.eq);
    """)
    db.execute("ANALYZE prod.people")
    db.execute(UPDATE)
    db.execute("SET search_path = prod, pg_catalog")
    assert "statistics" in kinds(db)


def test_an_unknown_schema_is_an_error(db):
    db.refused("3F000", "SELECT * FROM confiture.residue_check('nowhere')")


def test_hostile_names(db):
    db.execute('CREATE SCHEMA "s\'x"')
    db.execute('CREATE TABLE "s\'x"."t""%s" ("c %I" text)')
    db.execute('INSERT INTO "s\'x"."t""%s" SELECT \'ORIGINAL\' || i FROM generate_series(1, 9) i')
    db.execute('ANALYZE "s\'x"."t""%s"')
    db.execute('UPDATE "s\'x"."t""%s" SET "c %I" = \'m\'')
    found = {key: clear for key, (_, clear) in check(db, "s'x").items()}
    object = '"s\'x"."t""%s"'
    assert found[("heap", object, None)] == f"VACUUM FULL {object};"
    assert ("statistics", object, "c %I") in found


def test_what_a_run_made_was_never_anything_else(db):
    db.execute("DROP SCHEMA prod CASCADE")
    make_small(db)
    db.load(small(version="2"))
    db.sync()
    db.sync()
    assert kinds(db, "staging") == set()
