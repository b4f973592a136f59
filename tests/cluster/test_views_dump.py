"""Masked views in dumps and on standbys: they come back, and mask as before."""

import pytest

from samples import make_small

READ = "SELECT * FROM {}.people ORDER BY id"


@pytest.fixture
def views(db):
    """A view and a materialized one."""
    make_small(db)
    db.rows("SELECT * FROM confiture.create_masked_views('small', 'prod', 'seen')")
    db.rows("SELECT * FROM confiture.create_masked_views('small', 'prod', 'kept',"
            " '{\"materialized\": true}')")
    return db


def test_a_restored_dump_masks_as_before(views, server):
    # A column that was dropped is not in the dump: the others get other numbers.
    views.execute("ALTER TABLE prod.people ADD COLUMN x integer")
    views.execute("DROP VIEW seen.people; DROP MATERIALIZED VIEW kept.people")
    views.execute("ALTER TABLE prod.people RENAME COLUMN email TO old;"
                  "ALTER TABLE prod.people ADD COLUMN email text;"
                  "UPDATE prod.people SET email = old;"
                  "ALTER TABLE prod.people DROP COLUMN old, DROP COLUMN x")
    views.rows("SELECT * FROM confiture.create_masked_views('small', 'prod', 'seen')")
    views.rows("SELECT * FROM confiture.create_masked_views('small', 'prod', 'kept',"
               " '{\"materialized\": true}')")
    reader = views.role("reader")
    views.execute(f"GRANT USAGE ON SCHEMA seen TO {reader};"
                  f"GRANT SELECT ON seen.people TO {reader}")
    dump = server.run("pg_dump", "--create", views.name).stdout
    copy = f"{views.name}_copy"
    restored = server.create_database(copy, extension=False)
    server.psql(copy, "-f", "-", stdin=dump.replace(f"DATABASE {views.name}", f"DATABASE {copy}")
                .replace(f"CREATE DATABASE {copy}", "-- ")
                .replace(f"\\connect {views.name}", "-- "))
    for schema in ["seen", "kept"]:
        assert restored.rows(READ.format(schema)) == views.rows(READ.format(schema))
    assert restored.session(reader).rows(READ.format("seen")) == views.rows(READ.format("seen"))
    # Numbers go on where they were.
    restored.rows("SELECT * FROM confiture.create_masked_views('small', 'prod', 'more')")
    assert restored.value("SELECT count(DISTINCT id) FROM confiture.masked_view") == 3
    restored.drop()


def test_the_extension_goes_with_its_views_only(views):
    views.execute("SET confiture.allow_drop = on")
    report = views.refused("2BP01", "DROP EXTENSION confiture")
    assert "view seen.people" in report.message_detail
    assert len(views.rows(READ.format("seen"))) == 3
