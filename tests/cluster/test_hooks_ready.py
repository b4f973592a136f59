"""The hooks that come with the extension, the page on hooks, and hooks in a dump."""

import pytest

import doc_blocks
from hook_functions import AFTER, BEFORE, make_hook, names, register, seen, set_up
from samples import make_small
from server import ROOT


@pytest.fixture(name="hooked")
def _hooked(db):
    """The small profile, and a schema for hooks."""
    make_small(db)
    set_up(db)
    return db


def test_row_limits_veto_a_run_that_writes_too_little_or_too_much(hooked):
    def limit(settings):
        register(hooked, AFTER, "confiture.hook_row_limits", "small", settings=settings)

    limit('{"min_rows": 4}')
    report = hooked.sync_refused("09000")
    assert report.message_detail == 'Its reason: table "people" has 3 rows, fewer than 4'
    assert hooked.content("staging") == {}
    limit('{"max_rows": 2}')
    hooked.sync_refused("09000")
    limit('{"max_change_percent": 10}')
    # The first run has nothing to be compared with.
    hooked.sync()
    hooked.execute("DELETE FROM prod.people WHERE id = 3")
    report = hooked.sync_refused("09000")
    assert "after 3 in the last run" in report.message_detail
    assert hooked.value("SELECT count(*) FROM staging.people") == 3
    limit('{"max_change_percent": 40}')
    hooked.sync()
    assert hooked.value("SELECT count(*) FROM staging.people") == 2


def test_materialized_views_are_refreshed_those_that_others_read_first(hooked):
    hooked.sync()
    hooked.execute(
        """
        CREATE MATERIALIZED VIEW staging.z_base AS SELECT id, note FROM staging.people;
        CREATE VIEW staging.between AS SELECT note FROM staging.z_base;
        CREATE MATERIALIZED VIEW staging.a_top AS SELECT DISTINCT note FROM staging.between;
        CREATE MATERIALIZED VIEW app.own AS SELECT max(note) AS note FROM staging.people"""
    )
    make_hook(hooked, "look")
    register(hooked, AFTER, "confiture.hook_refresh_materialized_views", position=1)
    register(hooked, AFTER, "app.look", position=2)
    hooked.execute("UPDATE prod.people SET note = 'new'")
    hooked.sync()
    assert hooked.column("SELECT note FROM staging.a_top") == ["new"]
    assert seen(hooked)[0]["metadata"] == {"refreshed": ["z_base", "a_top"]}
    assert hooked.value("SELECT note FROM app.own") != "new"
    register(
        hooked,
        AFTER,
        "confiture.hook_refresh_materialized_views",
        settings='{"schema": "app", "views": ["own"]}',
    )
    hooked.sync()
    assert hooked.value("SELECT note FROM app.own") == "new"
    hooked.execute("DROP MATERIALIZED VIEW app.own")
    hooked.sync_refused("42P01")


def test_analyze_counts_the_source_before_and_other_tables_after(hooked):
    hooked.execute("CREATE TABLE app.other AS SELECT generate_series(1, 100) AS i")
    register(hooked, BEFORE, "confiture.hook_analyze")
    register(hooked, AFTER, "confiture.hook_analyze", settings='{"schema": "app"}')
    rows = "SELECT reltuples FROM pg_class WHERE oid = %s::regclass"
    assert hooked.value(rows, ["prod.people"]) == -1
    hooked.sync()
    assert hooked.value(rows, ["prod.people"]) == 3
    assert hooked.value(rows, ["app.other"]) == 100


def test_hooks_come_with_a_dump(hooked):
    make_hook(hooked, "mine")
    register(hooked, BEFORE, "app.mine", settings='{"a": 1}')
    dump = hooked.server.run("pg_dump", hooked.name).stdout
    other = hooked.server.create_database(extension=False)
    try:
        hooked.server.psql(other.name, "-f", "-", stdin=dump)
        assert other.column("SELECT settings FROM confiture.hooks") == [{"a": 1}]
        other.sync()
        assert names(other) == ["mine"]
    finally:
        other.drop()


def test_the_page_on_hooks_runs(hooked):
    hooked.sync()
    for block in doc_blocks.read(ROOT / "docs" / "hooks.md"):
        done = hooked.psql("-P", "footer=off", "-f", "-", stdin=block.sql, check=False)
        place = f"docs/hooks.md line {block.line}: {done.stderr}"
        fails = "-- fails" in block.sql
        assert (done.returncode != 0) == fails, place
        if block.shown:
            printed = (done.stderr if fails else done.stdout).strip().splitlines()
            assert len(printed) == len(block.shown.strip().splitlines()), f"{place}{printed}"
