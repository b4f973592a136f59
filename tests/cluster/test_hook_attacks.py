"""Hooks of those who would gain rights by them: refused, and never called."""

import json

import pytest

from hook_functions import AFTER, BEFORE, calls, make_hook, names, register, set_up
from samples import make_small
from test_concurrency import Background, wait_until
from test_hostile import mallory as mallory_fixture
from test_hostile import ran

mallory = mallory_fixture

HERS = (
    "CREATE FUNCTION {} (context jsonb) RETURNS jsonb LANGUAGE plpgsql {} AS"
    " $$ BEGIN PERFORM evil.note(); RETURN NULL; END $$"
)
WAIT = "PERFORM pg_advisory_xact_lock_shared(42); RETURN NULL;"


@pytest.fixture(name="hooked")
def _hooked(db, mallory):
    """The small profile, a schema for hooks, and a stranger who may use both and may register."""
    make_small(db)
    set_up(db)
    db.execute(f"GRANT USAGE, CREATE ON SCHEMA app TO {mallory.role}")
    db.execute(f"SELECT confiture.grant_access('operator', '{mallory.role}')")
    return db


def refused(db, sqlstate="42501"):
    """A run is refused, before it is on record, and nothing of hers was called."""
    report = db.sync_refused(sqlstate)
    assert not ran(db)
    assert "STARTED" not in db.all_events() and db.content("staging") == {}
    return report


def test_a_hook_of_a_weaker_role_is_not_called_by_a_stronger_one(hooked, mallory):
    mallory.execute(HERS.format("app.hers", ""))
    register(mallory, BEFORE, "app.hers")
    report = refused(hooked)
    assert report.message_primary == 'hook "app"."hers" would run with your rights'
    assert mallory.role in report.message_detail
    # Nor is it registered by somebody whose rights it would have.
    hooked.refused("42501", "SELECT confiture.register_hook(%s, 'app.hers')", [BEFORE])


def test_a_hook_that_changed_hands_is_not_called(hooked, mallory):
    make_hook(hooked, "fine")
    register(hooked, BEFORE, "app.fine")
    hooked.sync()
    hooked.execute("DROP SCHEMA staging CASCADE")
    hooked.execute(f"ALTER FUNCTION app.fine(jsonb) OWNER TO {mallory.role}")
    hooked.sync_refused("42501")
    assert calls(hooked) == 1


def test_a_hook_that_was_put_in_the_place_of_another_is_not_called(hooked, mallory):
    hooked.execute(f"CREATE SCHEMA lent AUTHORIZATION {mallory.role}")
    make_hook(hooked, "fine", schema="lent")
    register(hooked, BEFORE, "lent.fine")
    # As the owner of the schema she may.
    mallory.execute("DROP FUNCTION lent.fine(jsonb)")
    mallory.execute(HERS.format("lent.fine", ""))
    refused(hooked)


@pytest.mark.parametrize("swap", ["another", "gone", "definer", "owner"])
def test_a_hook_that_is_swapped_while_the_run_goes_on_is_not_called(hooked, mallory, swap):
    hooked.execute(f"CREATE SCHEMA lent AUTHORIZATION {mallory.role}")
    make_hook(hooked, "wait", WAIT)
    make_hook(hooked, "fine", schema="lent")
    register(hooked, BEFORE, "app.wait", position=1)
    register(hooked, BEFORE, "lent.fine", position=2)
    holder = hooked.session(autocommit=False)
    holder.execute("SELECT pg_advisory_xact_lock(42)")
    runner = hooked.session()
    run = Background(runner.sync)
    waits = "SELECT cardinality(pg_blocking_pids(%s)) > 0"
    wait_until(lambda: hooked.value(waits, [runner.pid()]))
    if swap in ("another", "gone"):
        mallory.execute("DROP FUNCTION lent.fine(jsonb)")
    if swap == "another":
        mallory.execute(HERS.format("lent.fine", ""))
    if swap == "definer":
        hooked.execute("ALTER FUNCTION lent.fine(jsonb) SECURITY DEFINER")
    if swap == "owner":
        hooked.execute(f"ALTER FUNCTION lent.fine(jsonb) OWNER TO {mallory.role}")
    holder.connection.rollback()
    assert run.result().sqlstate == ("42883" if swap == "gone" else "42501")
    assert not ran(hooked) and calls(hooked) == 1
    assert hooked.events()[-1] == "FAILED" and hooked.content("staging") == {}


def test_a_hook_of_a_role_that_may_become_the_caller_is_called(hooked, mallory):
    # The caller is no superuser, and she could act as it anyway.
    chief = hooked.role("chief")
    hooked.execute(f"SELECT confiture.grant_access('operator', '{chief}')")
    hooked.execute(
        f"GRANT USAGE ON SCHEMA prod, app, evil TO {chief}; GRANT SELECT ON prod.people TO {chief};"
        f" GRANT CREATE ON DATABASE {hooked.name} TO {chief};"
        f" GRANT ALL ON app.seen, app.calls, app.seen_number_seq TO {chief}, {mallory.role}"
    )
    make_hook(mallory, "hers")
    register(mallory, BEFORE, "app.hers")
    session = hooked.session(chief)
    session.sync_refused("42501")
    hooked.execute(f"GRANT {chief} TO {mallory.role}")
    session.sync()
    assert hooked.rows("SELECT name, who FROM app.seen") == [("hers", chief)]


def test_a_membership_by_which_nobody_becomes_anybody_is_no_trust(hooked, mallory):
    if hooked.server.version < 16:
        pytest.skip("memberships have no SET and INHERIT before PostgreSQL 16")
    chief = hooked.role("chief")
    hooked.execute(f"SELECT confiture.grant_access('operator', '{chief}')")
    hooked.execute(
        f"GRANT USAGE ON SCHEMA prod, app TO {chief}; GRANT SELECT ON prod.people TO {chief};"
        f" GRANT CREATE ON DATABASE {hooked.name} TO {chief};"
        f" GRANT {chief} TO {mallory.role} WITH SET FALSE, INHERIT FALSE"
    )
    mallory.execute(HERS.format("app.hers", ""))
    register(mallory, BEFORE, "app.hers")
    hooked.session(chief).sync_refused("42501")
    assert not ran(hooked)


def test_a_superuser_does_not_trust_whoever_it_could_become(hooked, mallory):
    # A superuser passes every question whether it has a role; that is the wrong way round.
    assert hooked.value("SELECT pg_has_role(%s, 'MEMBER')", [mallory.role])
    mallory.execute(HERS.format("app.hers", ""))
    register(mallory, BEFORE, "app.hers")
    refused(hooked)


def test_a_function_of_somebody_trusted_is_not_called_for_whoever_chose_it(hooked, mallory):
    # It does what its argument says, which is no harm as long as everybody calls it for himself.
    make_hook(hooked, "obey", "EXECUTE context #>> '{settings,do}'; RETURN NULL;")
    hooked.execute(f"GRANT ALL ON app.seen, app.calls, app.seen_number_seq TO {mallory.role}")
    order = json.dumps({"do": f"ALTER ROLE {mallory.role} SUPERUSER"})
    register(mallory, BEFORE, "app.obey", settings=order)
    report = refused(hooked)
    assert report.message_primary == f'hook "app"."obey" was registered by role "{mallory.role}"'
    assert not hooked.value("SELECT rolsuper FROM pg_roles WHERE rolname = %s", [mallory.role])
    # Nor when it is registered by somebody whose name nobody bears any more.
    hooked.execute("UPDATE confiture.hook SET registered_by = 'gone'")
    refused(hooked)
    register(hooked, BEFORE, "app.obey", settings='{"do": "SELECT 1"}')
    hooked.sync()


def test_those_of_ours_may_be_registered_by_somebody_who_is_not_trusted(hooked, mallory):
    limits = '{"min_rows": 4}'
    register(mallory, AFTER, "confiture.hook_row_limits", settings=limits)
    hooked.sync_refused("09000")


def test_what_a_stranger_has_refreshed_and_analyzed_runs_with_his_rights(hooked, mallory):
    mallory.execute(
        "CREATE MATERIALIZED VIEW app.hers AS SELECT evil.text('x') AS x;"
        "CREATE TABLE app.her_table AS SELECT 'x'::text AS x FROM generate_series(1, 10);"
        "CREATE INDEX ON app.her_table (evil.text(x))"
    )
    register(
        mallory, AFTER, "confiture.hook_refresh_materialized_views", settings='{"schema": "app"}'
    )
    tables = '{"schema": "app", "tables": ["her_table"]}'
    register(mallory, AFTER, "confiture.hook_analyze", settings=tables)
    hooked.sync()
    done = "SELECT reltuples FROM pg_class WHERE oid = 'app.her_table'::regclass"
    assert hooked.value(done) == 10
    assert not ran(hooked)


def test_limits_are_taken_off_by_whoever_put_them_on_and_by_nobody_else(hooked, mallory):
    officer = hooked.role("officer")
    hooked.execute(f"SELECT confiture.grant_access('admin', '{officer}')")
    session = hooked.session(officer)
    register(hooked, AFTER, "confiture.hook_row_limits", "small", settings='{"min_rows": 1}')
    act = f"SELECT confiture.unregister_hook('{AFTER}', 'confiture.hook_row_limits', 'small')"
    more = """'small', 1, '{"min_rows": 0}'"""
    again = act.replace("unregister", "register").replace("'small'", more)
    hooked.execute(f"UPDATE confiture.hook SET registered_by = '{officer}'")
    for attempt in (act, again):
        report = mallory.refused("42501", attempt)
        assert report.message_detail == f'It was registered by role "{officer}".'
    # Of a role that has gone, the owner of the extension is the heir.
    hooked.execute("UPDATE confiture.hook SET registered_by = 'gone'")
    session.refused("42501", act)
    hooked.execute(f"UPDATE confiture.hook SET registered_by = '{officer}'")
    session.execute(act)
    assert hooked.rows("SELECT * FROM confiture.hooks") == []


def test_a_hook_that_became_a_definer_is_not_called(hooked):
    make_hook(hooked, "fine")
    register(hooked, BEFORE, "app.fine")
    hooked.execute("ALTER FUNCTION app.fine(jsonb) SECURITY DEFINER")
    report = hooked.sync_refused("42501")
    assert "SECURITY DEFINER" in report.message_primary and calls(hooked) == 0


def test_a_hook_that_the_caller_may_not_call_is_not_called_for_it(hooked, mallory):
    make_hook(hooked, "secret")
    hooked.execute("REVOKE ALL ON FUNCTION app.secret(jsonb) FROM PUBLIC")
    hooked.execute(
        f"GRANT USAGE ON SCHEMA prod TO {mallory.role};"
        f" GRANT SELECT ON prod.people TO {mallory.role}"
    )
    register(hooked, BEFORE, "app.secret")
    report = mallory.sync_refused("42501")
    assert report.message_primary == 'permission denied for hook "app"."secret"'
    assert calls(hooked) == 0


def test_names_in_a_hook_mean_nothing_that_was_planted(hooked):
    # Neither in public nor in the schema of the function: only what is named with its schema.
    hooked.execute(
        "CREATE TABLE public.planted (x int); CREATE TABLE app.planted (x int);"
        "CREATE FUNCTION public.lower(text) RETURNS text LANGUAGE sql AS $$ SELECT 'planted' $$"
    )
    make_hook(hooked, "loose", "INSERT INTO planted VALUES (1); RETURN NULL;")
    register(hooked, BEFORE, "app.loose")
    hooked.execute("SET search_path = public, app, pg_catalog")
    hooked.sync_refused("42P01")
    make_hook(
        hooked, "loose", "INSERT INTO app.seen (name) VALUES (lower('FINE')); RETURN NULL;"
    )
    hooked.sync()
    assert "fine" in names(hooked) and "planted" not in names(hooked)


def test_a_function_planted_in_public_is_no_hook_of_ours(hooked, mallory):
    hooked.execute(f"GRANT CREATE ON SCHEMA public TO {mallory.role}")
    mallory.execute(HERS.format("public.hook_row_limits", ""))
    hooked.refused(
        "42501", "SELECT confiture.register_hook(%s, 'public.hook_row_limits')", [BEFORE]
    )
    hooked.refused("22023", "SELECT confiture.register_hook(%s, 'hook_row_limits')", [BEFORE])


def test_only_who_runs_or_administers_registers_and_nobody_writes_the_list(hooked, mallory):
    make_hook(hooked, "fine")
    act = f"SELECT confiture.register_hook('{BEFORE}', 'app.fine')"
    for kind, may in [("masker", False), ("auditor", False), ("admin", True), ("operator", True)]:
        role = hooked.role(kind)
        hooked.execute(f"SELECT confiture.grant_access('{kind}', '{role}')")
        hooked.execute(f"GRANT USAGE ON SCHEMA app TO {role}")
        session = hooked.session(role)
        if may:
            session.execute(act)
            assert session.value("SELECT registered_by FROM confiture.hooks") == role
            hooked.execute("DELETE FROM confiture.hook")
        else:
            session.refused("42501", act)
        session.refused("42501", "DELETE FROM confiture.hook")
        session.refused("42501", "UPDATE confiture.hooks SET position = 1")
        session.refused("42501", "SELECT * FROM confiture.hook")
    assert hooked.all_events().count("HOOK_REGISTERED") == 2


def test_the_hooks_of_ours_do_no_more_than_their_caller_may(hooked, mallory):
    hooked.execute("CREATE MATERIALIZED VIEW app.theirs AS SELECT 1 AS x")
    hooked.execute("CREATE TABLE app.closed (x int)")
    context = '{"phase": "AFTER_ANONYMIZATION", "source": "app", "target": "app", "tables": []}'
    mallory.refused(
        "42501", "SELECT confiture.hook_refresh_materialized_views(%s)", [context]
    )
    named = context.replace('"tables": []', '"tables": [], "settings": {"tables": ["closed"]}')
    mallory.refused("42501", "SELECT confiture.hook_analyze(%s)", [named])


def test_a_view_that_reads_itself_ends_as_an_error(hooked):
    hooked.execute(
        "CREATE VIEW app.one AS SELECT 1 AS x; CREATE VIEW app.two AS SELECT x FROM app.one;"
        "CREATE MATERIALIZED VIEW app.m AS SELECT x FROM app.two;"
        "CREATE OR REPLACE VIEW app.one AS SELECT x FROM app.two"
    )
    context = '{"phase": "AFTER_ANONYMIZATION", "target": "app"}'
    hooked.refused(
        "42P17", "SELECT confiture.hook_refresh_materialized_views(%s)", [context]
    )


def test_what_was_chosen_by_the_owner_of_a_definer_function_is_not_trusted(hooked, mallory):
    """Whoever calls her function did not choose the hook that it registers."""
    make_hook(hooked, "obey", "EXECUTE context #>> '{settings,do}'; RETURN NULL;")
    hooked.execute(f"GRANT ALL ON app.seen, app.calls, app.seen_number_seq TO {mallory.role}")
    mallory.execute(
        "CREATE FUNCTION app.helpful() RETURNS void LANGUAGE sql SECURITY DEFINER AS"
        f" $$ SELECT confiture.register_hook('{BEFORE}', 'app.obey', NULL, 1, '{{\"do\": \"x\"}}') $$"
    )
    hooked.execute("SELECT app.helpful()")
    assert hooked.column("SELECT registered_by FROM confiture.hooks") == [mallory.role]
    refused(hooked)
    user, details = hooked.rows(
        "SELECT user_name, details FROM confiture.audit_log WHERE event = 'HOOK_REGISTERED'"
    )[0]
    assert user == "postgres" and details["with_rights_of"] == mallory.role


MAINTAINED = {
    "an index that is analyzed": (
        "CREATE TABLE app.t (i int); INSERT INTO app.t VALUES (1);"
        "CREATE INDEX ON app.t (app.act(i))",
        "ANALYZE app.t",
    ),
    "a materialized view that is refreshed": (
        "CREATE MATERIALIZED VIEW app.m AS SELECT app.act(1) AS i WITH NO DATA",
        "REFRESH MATERIALIZED VIEW app.m",
    ),
}


@pytest.mark.parametrize("what", MAINTAINED)
def test_no_act_is_put_on_record_as_that_of_whoever_maintains_an_object(hooked, mallory, what):
    make_hook(hooked, "obey")
    made, maintained = MAINTAINED[what]
    acts = {
        "hook": f"confiture.register_hook('{BEFORE}', 'app.obey')",
        "profile": "confiture.retire_profile('small', '1')",
    }
    for act in acts.values():
        mallory.execute(
            "CREATE OR REPLACE FUNCTION app.act(i int) RETURNS int LANGUAGE plpgsql IMMUTABLE AS"
            " $$ BEGIN IF current_setting('app.armed', true) = 'on' THEN"
            f" PERFORM {act}; END IF; RETURN i; END $$"
        )
        mallory.execute(f"DROP TABLE IF EXISTS app.t; DROP MATERIALIZED VIEW IF EXISTS app.m; {made}")
        events = hooked.all_events()
        hooked.execute("SET app.armed = on")
        report = hooked.refused("42501", maintained)
        assert "maintenance" in report.message_primary
        hooked.execute("RESET app.armed")
        assert hooked.all_events() == events
    assert hooked.column("SELECT function FROM confiture.hooks") == []
