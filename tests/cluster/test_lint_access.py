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


def test_a_reader_of_the_view_alone_has_no_other_way(views):
    assert ways(views) == {}


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
     " AS 'SELECT email FROM prod.people LIMIT 1'", "function", "medium", False),
    ("SELECT confiture.grant_access('masker', '{role}')", "mask", "medium", False),
    ("CREATE PUBLICATION p_{role} FOR TABLE prod.people; ALTER ROLE {role} REPLICATION",
     "publication", "high", False),
    ("CREATE EXTENSION postgres_fdw; CREATE SERVER me FOREIGN DATA WRAPPER postgres_fdw;"
     "CREATE FOREIGN TABLE seen.far (email text) SERVER me"
     " OPTIONS (schema_name 'prod', table_name 'people'); GRANT SELECT ON seen.far TO {role}",
     "foreign table", "medium", True),
    ("CREATE EXTENSION postgres_fdw; CREATE SERVER me FOREIGN DATA WRAPPER postgres_fdw;"
     "GRANT USAGE ON FOREIGN SERVER me TO {role}", "foreign server", "low", True),
]


@pytest.mark.parametrize("given, path, severity, can_run", CASES)
def test_every_way_is_found_and_closed(views, given, path, severity, can_run):
    views.execute(given.replace("{role}", views.analyst).replace("%", "%%"))
    found = ways(views)
    assert path in found, found
    assert severity in (None, found[path][0]), found
    if can_run:
        views.execute(found[path][4])
        assert path not in ways(views)
    views.execute(f"ALTER ROLE {views.analyst} NOSUPERUSER NOREPLICATION NOCREATEROLE NOBYPASSRLS")


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
