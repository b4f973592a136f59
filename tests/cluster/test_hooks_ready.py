"""The hooks that come with the extension, the page on hooks, and hooks in a dump."""

import json

import pytest

import doc_blocks
from hook_functions import AFTER, BEFORE, make_hook, names, register, seen, set_up
from samples import keep_all, make_small, profile
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


def test_the_scan_vetoes_values_that_look_personal_where_the_profile_lets_them_through(hooked):
    hooked.execute(
        """
        CREATE TABLE prod.orders (id integer PRIMARY KEY, reference text, contact text,
                                  extra jsonb, product_name text, doubled text
                                  GENERATED ALWAYS AS (contact || contact) STORED);
        INSERT INTO prod.orders (id, reference, contact, extra, product_name)
        SELECT i, 'R-' || i, 'person' || i || '@mail.example',
               jsonb_build_object('k', 'person' || i || '@mail.example'), 'chair'
          FROM generate_series(1, 200) AS i"""
    )
    hooked.load(profile({"people": {"email": "mail"}, "orders": keep_all()}, version="2"))
    hooked.sync()

    def scan(settings="{}"):
        register(hooked, BEFORE, "confiture.hook_scan_source", "small", settings=settings)

    scan()
    before = hooked.content("staging")
    report = hooked.sync_refused("09000")
    assert report.message_detail == (
        'Its reason: values of "orders"."contact" look like email (0.97); '
        'values of "orders"."extra" look like document (0.95)'
    )
    assert hooked.content("staging") == before
    # What is masked, generated, or called like something personal is no problem.
    assert "people" not in report.message_detail and "doubled" not in report.message_detail
    scan('{"allow": {"orders": ["extra"]}}')
    report = hooked.sync_refused("09000")
    assert "extra" not in report.message_detail
    scan('{"min_confidence": 0.99}')
    hooked.sync()
    scan('{"allow": {"orders": ["extra", "contact"]}}')
    hooked.sync()


def test_the_scan_stops_where_it_cannot_look(hooked):
    """A hook that looks at nothing and says yes would be worse than none."""
    reader = hooked.role("reader")
    hooked.execute(f"GRANT USAGE ON SCHEMA prod TO {reader}")
    hooked.execute(f"SELECT confiture.grant_access('operator', '{reader}')")
    hooked.execute(
        "CREATE TABLE prod.notes (id integer, line text); ALTER TABLE prod.notes"
        " ENABLE ROW LEVEL SECURITY; INSERT INTO prod.notes VALUES (1, 'ada@post.example')"
    )
    session = hooked.session(reader)

    def asked():
        context = {
            "source": "prod",
            "tables": ["people", "notes"],
            "profile": {"name": "small", "version": "1"},
        }
        answer = session.value("SELECT confiture.hook_scan_source(%s)", [json.dumps(context)])
        return answer and answer["veto"]

    denied = 'table "{}" cannot be looked into: permission denied'
    assert asked() == "; ".join([denied.format("people"), denied.format("notes")])
    hooked.execute(f"GRANT SELECT ON ALL TABLES IN SCHEMA prod TO {reader}")
    assert asked() == 'table "notes" cannot be looked into: row-level security hides rows'
    hooked.execute("ALTER TABLE prod.notes DISABLE ROW LEVEL SECURITY")
    assert asked() == 'values of "notes"."line" look like email (0.97)'
    session.refused("42704", "SELECT confiture.hook_scan_source(%s)", [
        '{"source": "prod", "tables": [], "profile": {"name": "small", "version": "9"}}'
    ])
    session.refused("22023", "SELECT confiture.hook_scan_source('{\"source\": \"prod\"}')")


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
