"""Hooks: called at their moments, in their order, with what they need to know; and their vetoes."""

import hashlib
import json

import pytest

from hook_functions import (
    AFTER,
    BEFORE,
    ON_ERROR,
    calls,
    make_hook,
    names,
    of_run,
    register,
    seen,
    set_up,
)
from samples import make_small, small


@pytest.fixture(name="hooked")
def _hooked(db):
    """The small profile, and a schema for hooks."""
    make_small(db)
    set_up(db)
    return db


def entry(db, event):
    """Profile and details of the newest entry of an event."""
    return db.rows(
        "SELECT profile_name, details FROM confiture.audit_log WHERE event = %s"
        " ORDER BY seq DESC LIMIT 1",
        [event],
    )[0]


def test_hooks_are_called_at_their_moments_in_their_order(hooked):
    for name in ("early", "late", "named", "after", "alarm"):
        make_hook(hooked, name)
    register(hooked, BEFORE, "app.late", position=200)
    register(hooked, BEFORE, "app.named")
    register(hooked, BEFORE, "app.early", position=-1)
    register(hooked, AFTER, "app.after")
    register(hooked, ON_ERROR, "app.alarm")
    hooked.sync()
    assert names(hooked) == ["early", "named", "late", "after"]
    before, after = seen(hooked)[0], seen(hooked)[-1]
    run = hooked.value("SELECT run_id::text FROM confiture.audit_log WHERE event = 'STARTED'")
    assert before == {
        "run_id": run,
        "phase": BEFORE,
        "profile": {"name": "small", "version": "1"},
        "source": "prod",
        "target": "staging",
        "tables": ["people"],
        "in_transaction": False,
        "metadata": {},
        "settings": {},
    }
    more = {"phase": AFTER, "counts": {"people": 3}, "last_run": None}
    assert after == {**before, **more}
    hooked.sync()
    assert seen(hooked, "after")[1]["last_run"] == {"run_id": run, "counts": {"people": 3}}


def test_before_nothing_is_read_and_after_everything_is_there_and_not_committed(hooked):
    hooked.execute("CREATE TABLE app.looked (name text, there boolean, entries bigint)")
    look = (
        "INSERT INTO app.looked SELECT '{}', to_regclass('staging.people') IS NOT NULL,"
        " (SELECT count(*) FROM confiture.audit_log WHERE event = '{}'); RETURN NULL;"
    )
    make_hook(hooked, "before", look.format("before", "STARTED"))
    make_hook(hooked, "after", look.format("after", "COMPLETED"))
    register(hooked, BEFORE, "app.before")
    register(hooked, AFTER, "app.after")
    hooked.sync()
    looked = hooked.rows("SELECT * FROM app.looked ORDER BY name DESC")
    # The run is on record before the first hook is called, its end only after the last one.
    assert looked == [("before", False, 1), ("after", True, 0)]


def test_hooks_hand_on_metadata_and_know_their_settings(hooked):
    make_hook(
        hooked, "first", """RETURN '{"metadata": {"ticket": "T-1", "step": 1}}';"""
    )
    make_hook(hooked, "second", """RETURN '{"metadata": {"step": 2}, "veto": null}';""")
    make_hook(hooked, "last", "RETURN '{}';")
    register(hooked, BEFORE, "app.first", position=1, settings='{"who": "first"}')
    register(hooked, BEFORE, "app.second", position=2)
    register(hooked, AFTER, "app.last", settings='{"deep": {"list": [1, 2.5, null]}}')
    hooked.sync()
    contexts = seen(hooked)
    assert [context["metadata"] for context in contexts] == [
        {},
        {"ticket": "T-1", "step": 1},
        {"ticket": "T-1", "step": 2},
    ]
    assert contexts[0]["settings"] == {"who": "first"}
    assert contexts[2]["settings"] == {"deep": {"list": [1, 2.5, None]}}
    # What hooks say is theirs: nothing of it is on the ledger.
    log = hooked.column("SELECT to_jsonb(e)::text FROM confiture.audit_log e")
    assert not [line for line in log if "T-1" in line]


def test_a_hook_of_a_profile_is_called_in_its_runs_only(hooked):
    hooked.load(small(name="other"))
    make_hook(hooked, "mine")
    make_hook(hooked, "every")
    register(hooked, BEFORE, "app.mine", profile="small")
    register(hooked, BEFORE, "app.every")
    hooked.sync("other", target="elsewhere")
    assert names(hooked) == ["every"]
    hooked.sync()
    assert names(hooked) == ["every", "every", "mine"]


@pytest.mark.parametrize(("phase", "word"), [(BEFORE, "before"), (AFTER, "after")])
def test_a_veto_stops_the_run_and_changes_nothing(hooked, phase, word):
    hooked.sync()
    before = hooked.content("staging")
    hooked.execute("UPDATE prod.people SET note = 'new'")
    make_hook(hooked, word, """RETURN '{"veto": "the moon is full"}';""")
    register(hooked, phase, f"app.{word}")
    report = hooked.sync_refused("09000")
    assert report.message_primary == f'hook "app"."{word}" vetoed the run'
    assert report.message_detail == "Its reason: the moon is full"
    assert hooked.content("staging") == before
    # What it did goes with the run; that it was called is on record, without its reason.
    assert calls(hooked) == 1 and seen(hooked) == []
    assert hooked.events()[-2:] == ["STARTED", "FAILED"]
    assert of_run(hooked, "FAILED") == [(phase, f'"app"."{word}"', "vetoed")]
    _, details = entry(hooked, "FAILED")
    assert details["hook"] == f'"app"."{word}"' and details["sqlstate"] == "09000"
    assert "moon" not in json.dumps(details)
    hooked.execute("SELECT confiture.unregister_hook(%s, %s)", [phase, f"app.{word}"])
    hooked.sync()
    assert hooked.value("SELECT DISTINCT note FROM staging.people") == "new"


def test_what_a_hook_raises_stops_the_run_and_its_words_stay_out(hooked):
    make_hook(hooked, "loud", "RAISE 'ann.lee@mail.example' USING ERRCODE = '22012';")
    make_hook(hooked, "behind")
    register(hooked, AFTER, "app.loud", position=1)
    register(hooked, AFTER, "app.behind", position=2)
    report = hooked.sync_refused("22012")
    assert report.message_primary == 'run failed while running hook "app"."loud"'
    assert "mail.example" not in str(report.message_detail)
    assert of_run(hooked, "FAILED") == [
        (AFTER, '"app"."loud"', "failed"),
        (AFTER, '"app"."behind"', "not called"),
    ]
    assert hooked.content("staging") == {}


@pytest.mark.parametrize(
    "answer", ["[]", "true", '{"vote": "no"}', '{"veto": 1}', '{"metadata": "x"}']
)
def test_an_answer_that_is_none_stops_the_run(hooked, answer):
    make_hook(hooked, "odd", f"RETURN '{answer}';")
    register(hooked, BEFORE, "app.odd")
    report = hooked.sync_refused("22023")
    assert "no answer that a run knows" in report.message_primary
    assert of_run(hooked, "FAILED") == [(BEFORE, '"app"."odd"', "failed")]


def test_metadata_has_a_bound(hooked):
    make_hook(
        hooked,
        "much",
        "RETURN jsonb_build_object('metadata', jsonb_build_object('x', repeat('x', 70000)));",
    )
    register(hooked, BEFORE, "app.much")
    hooked.sync_refused("54000")


def test_after_a_failure_each_hook_is_called_for_itself_and_the_error_stays_that_of_the_run(hooked):
    hooked.execute("ALTER TABLE prod.people ADD CHECK (email NOT LIKE 'user%')")
    make_hook(hooked, "first", """RETURN '{"metadata": {"page": 7}}';""")
    make_hook(hooked, "broken", "RAISE 'ann.lee@mail.example';")
    make_hook(hooked, "last")
    register(hooked, BEFORE, "app.first")
    register(hooked, ON_ERROR, "app.broken", position=1)
    register(hooked, ON_ERROR, "app.last", position=2)
    report = hooked.sync_refused("23514")
    assert "people_email_check" in report.message_primary
    # It committed what it noted, after FAILED; the other one is a warning without its words.
    assert names(hooked) == ["last"]
    (context,) = seen(hooked, "last")
    assert context["phase"] == ON_ERROR and context["metadata"] == {"page": 7}
    assert context["error"] == {
        "sqlstate": "23514",
        "phase": "loading",
        "table": "people",
        "column": "email",
        "constraint": "people_email_check",
    }
    warnings = [n for n in hooked.notices if n["severity_nonlocalized"] == "WARNING"]
    assert [n["message_primary"] for n in warnings] == [
        'hook "app"."broken" failed after the run had failed: SQLSTATE P0001'
    ]
    assert "mail.example" not in str(warnings)
    assert hooked.events()[-2:] == ["STARTED", "FAILED"]
    assert of_run(hooked, "FAILED") == [
        (BEFORE, '"app"."first"', "ok"),
        (ON_ERROR, '"app"."broken"', "not called"),
        (ON_ERROR, '"app"."last"', "not called"),
    ]


def test_a_hook_of_a_failure_that_puts_off_what_fails_does_not_hide_the_error(hooked):
    hooked.execute(
        "CREATE TABLE app.parent (id int PRIMARY KEY); CREATE TABLE app.child (id int"
        " REFERENCES app.parent DEFERRABLE INITIALLY DEFERRED)"
    )
    make_hook(hooked, "veto", """RETURN '{"veto": "no"}';""")
    make_hook(hooked, "orphan", "INSERT INTO app.child VALUES (1); RETURN NULL;")
    register(hooked, BEFORE, "app.veto")
    register(hooked, ON_ERROR, "app.orphan")
    hooked.sync_refused("09000")
    assert "23503" in str(hooked.notices)
    assert hooked.rows("SELECT * FROM app.child") == []


def test_a_hook_after_the_checks_that_puts_off_what_fails_takes_the_run_back(hooked):
    hooked.execute(
        "CREATE TABLE app.parent (id int PRIMARY KEY); CREATE TABLE app.child (id int"
        " REFERENCES app.parent DEFERRABLE INITIALLY DEFERRED)"
    )
    make_hook(hooked, "orphan", "INSERT INTO app.child VALUES (1); RETURN NULL;")
    register(hooked, AFTER, "app.orphan")
    hooked.sync_refused("23503")
    assert hooked.events()[-1] == "FAILED" and hooked.content("staging") == {}


@pytest.mark.parametrize(
    "change",
    ["CREATE INDEX ON staging.people (note)", "ALTER TABLE staging.people ADD UNIQUE (note)"],
)
def test_a_hook_that_changes_the_target_after_the_plan_is_noticed(hooked, change):
    hooked.sync()
    make_hook(hooked, "meddle", f"{change}; RETURN NULL;")
    register(hooked, BEFORE, "app.meddle")
    report = hooked.sync_refused("55000")
    assert "changed since it was planned" in report.message_primary
    assert hooked.value("SELECT count(*) FROM staging.people") == 3
    assert hooked.value("SELECT count(*) FROM pg_indexes WHERE schemaname = 'staging'") == 1


def test_a_hook_leaves_no_setting_and_no_role_behind(hooked):
    role = hooked.role("weak")
    make_hook(
        hooked,
        "wander",
        f"SET search_path = app, prod; SET role = {role}; SET statement_timeout = '1min';"
        " RETURN NULL;",
    )
    make_hook(
        hooked,
        "look",
        "INSERT INTO app.seen (name, who) SELECT current_setting('search_path'), current_user;"
        " RETURN NULL;",
    )
    register(hooked, BEFORE, "app.wander", position=1)
    register(hooked, BEFORE, "app.look", position=2)
    hooked.sync()
    who = hooked.rows("SELECT name, who FROM app.seen WHERE name NOT IN ('wander', 'look')")
    assert who == [("pg_catalog, pg_temp", "postgres")]
    assert hooked.value("SHOW statement_timeout") == "2min"
    assert hooked.value("SELECT current_user") == "postgres"


def test_a_hook_cannot_commit_nor_start_a_run(hooked):
    make_hook(hooked, "commit", "COMMIT; RETURN NULL;")
    register(hooked, BEFORE, "app.commit")
    hooked.sync_refused("2D000")
    make_hook(
        hooked,
        "commit",
        "CALL confiture.sync('small', 'prod', 'staging', '{\"in_transaction\": true}');"
        " RETURN NULL;",
    )
    hooked.sync_refused("55000")
    make_hook(hooked, "commit", "PERFORM confiture.begin_run('a', 'b', 'c'); RETURN NULL;")
    hooked.sync_refused("55000")
    assert hooked.events()[2:] == ["STARTED", "FAILED"] * 3


def test_the_definition_of_a_hook_that_ran_is_on_record(hooked):
    make_hook(hooked, "mine")
    register(hooked, BEFORE, "app.mine", profile="small", position=7)
    hooked.sync()
    text = hooked.value("SELECT pg_get_functiondef('app.mine'::regproc)")
    _, details = entry(hooked, "COMPLETED")
    assert details["hooks"] == [
        {
            "phase": BEFORE,
            "function": '"app"."mine"',
            "profile": "small",
            "position": 7,
            "outcome": "ok",
            "definition_sha256": hashlib.sha256(text.encode()).hexdigest(),
        }
    ]
    # Named before the run too: also one that is killed says what it would have called.
    assert of_run(hooked, "STARTED") == [(BEFORE, '"app"."mine"', "not called")]
    assert hooked.findings()["OK"][0] == "ok"


def test_registering_is_an_act_on_record_and_shown(hooked):
    make_hook(hooked, "mine")
    register(hooked, "before_anonymization", "app.mine(jsonb)", settings='{"pin": "1234"}')
    profile, details = entry(hooked, "HOOK_REGISTERED")
    assert profile is None and details["function"] == '"app"."mine"'
    assert details["position"] == 100 and details["phase"] == BEFORE
    # What others are told may be anything: only a digest of it is kept for good.
    assert "1234" not in json.dumps(details) and len(details["settings_sha256"]) == 64
    # Again: another position and other settings, not a second one.
    register(hooked, BEFORE, " App . Mine ", position=5)
    shown = (
        "SELECT phase, position, function, profile, settings, registered_by FROM confiture.hooks"
    )
    assert hooked.rows(shown) == [(BEFORE, 5, "app.mine", None, {}, "postgres")]
    register(hooked, AFTER, "confiture.hook_row_limits", "small", settings='{"min_rows": 1}')
    profile, details = entry(hooked, "HOOK_REGISTERED")
    assert profile == "small" and details["settings"] == {"min_rows": 1}
    hooked.execute("SELECT confiture.unregister_hook(%s, 'app.mine')", [BEFORE])
    profile, details = entry(hooked, "HOOK_UNREGISTERED")
    assert details == {"phase": BEFORE, "function": '"app"."mine"'}
    assert hooked.column("SELECT function FROM confiture.hooks") == ["confiture.hook_row_limits"]
    hooked.refused("42704", "SELECT confiture.unregister_hook(%s, 'app.mine')", [BEFORE])
    assert hooked.findings()["OK"][0] == "ok"


def test_a_hook_that_was_registered_before_the_first_key_is_in_the_first_entry(server):
    db = server.create_database(key=False)
    try:
        set_up(db)
        make_hook(db, "mine")
        register(db, BEFORE, "app.mine")
        assert db.all_events() == []
        db.make_key()
        _, details = entry(db, "KEY_CREATED")
        assert details["found"]["hooks"] == ["app.mine"]
    finally:
        db.drop()


@pytest.mark.parametrize(
    ("arguments", "sqlstate"),
    [
        ("'DURING', 'app.mine'", "22023"),
        ("NULL, 'app.mine'", "22023"),
        ("'AFTER_ANONYMIZATION', NULL", "22023"),
        ("'AFTER_ANONYMIZATION', 'mine'", "22023"),
        ("'AFTER_ANONYMIZATION', 'app.mine(text)'", "22023"),
        ("'AFTER_ANONYMIZATION', 'app.nobody'", "42883"),
        ("'AFTER_ANONYMIZATION', 'nowhere.mine'", "42883"),
        ("'AFTER_ANONYMIZATION', 'app.mine', 'no_profile'", "42704"),
        ("'AFTER_ANONYMIZATION', 'app.mine', NULL, NULL", "22023"),
        ("'AFTER_ANONYMIZATION', 'app.mine', NULL, 1, '[]'", "22023"),
        ("'AFTER_ANONYMIZATION', 'app.mine', NULL, 1, NULL", "22023"),
        ("'AFTER_ANONYMIZATION', 'app.text_in'", "42883"),
        ("'AFTER_ANONYMIZATION', 'app.text_out'", "42P17"),
        ("'AFTER_ANONYMIZATION', 'app.many'", "42P17"),
        ("'AFTER_ANONYMIZATION', 'app.procedure'", "42P17"),
        ("'AFTER_ANONYMIZATION', 'app.total'", "42P17"),
        ("'AFTER_ANONYMIZATION', 'app.more'", "42883"),
        ("'AFTER_ANONYMIZATION', 'app.definer'", "42501"),
        (f"'{BEFORE}', 'confiture.hook_row_limits', NULL, 1, '{{\"min_rows\": 1}}'", "22023"),
        ("'AFTER_ANONYMIZATION', 'confiture.hook_row_limits'", "22023"),
        ("'AFTER_ANONYMIZATION', 'confiture.hook_analyze', NULL, 1, '{\"table\": 1}'", "22023"),
    ],
)
def test_what_cannot_be_a_hook_is_refused(hooked, arguments, sqlstate):
    make_hook(hooked, "mine")
    make_hook(hooked, "definer", options="SECURITY DEFINER")
    hooked.execute(
        """
        CREATE FUNCTION app.text_in(text) RETURNS jsonb LANGUAGE sql AS 'SELECT NULL::jsonb';
        CREATE FUNCTION app.text_out(jsonb) RETURNS text LANGUAGE sql AS 'SELECT NULL::text';
        CREATE FUNCTION app.many(jsonb) RETURNS SETOF jsonb LANGUAGE sql AS 'SELECT $1';
        CREATE FUNCTION app.more(jsonb, int DEFAULT 1) RETURNS jsonb LANGUAGE sql AS 'SELECT $1';
        CREATE PROCEDURE app.procedure(jsonb) LANGUAGE sql AS 'SELECT $1';
        CREATE FUNCTION app.keep(jsonb, jsonb) RETURNS jsonb LANGUAGE sql AS 'SELECT $2';
        CREATE AGGREGATE app.total(jsonb) (SFUNC = app.keep, STYPE = jsonb)"""
    )
    hooked.refused(sqlstate, f"SELECT confiture.register_hook({arguments})")
    assert hooked.rows("SELECT * FROM confiture.hooks") == []
    assert "HOOK_REGISTERED" not in hooked.all_events()


@pytest.mark.parametrize("language", ["sql", "sql with SET", "sql, stable", "plpgsql, strict"])
def test_a_hook_may_be_written_as_any_function(hooked, language):
    body = {
        "sql": "LANGUAGE sql AS $$ INSERT INTO app.seen (name, context) VALUES ('x', $1);"
        " SELECT jsonb_build_object('metadata', jsonb_build_object('n', 1)) $$",
        "sql with SET": "LANGUAGE sql SET search_path = app AS $$ INSERT INTO seen (name)"
        " VALUES ('x'); SELECT '{}'::jsonb $$",
        "sql, stable": "LANGUAGE sql STABLE AS"
        " $$ SELECT CASE WHEN count(*) > 0 THEN '{\"veto\": \"seen\"}'::jsonb END FROM app.seen $$",
        "plpgsql, strict": "LANGUAGE plpgsql STRICT AS"
        " $$ BEGIN INSERT INTO app.seen (name) VALUES ('x'); RETURN NULL; END $$",
    }[language]
    hooked.execute(f"CREATE FUNCTION app.h(context jsonb) RETURNS jsonb {body}")
    register(hooked, AFTER, "app.h")
    hooked.sync()
    assert len(names(hooked)) == (0 if language == "sql, stable" else 1)


def test_names_of_hooks_are_names_whatever_is_in_them(hooked):
    name = 'O\'Brien "; DROP SCHEMA app; -- \n$$ é'
    quoted = '"' + name.replace('"', '""') + '"'
    hooked.execute(
        f"CREATE SCHEMA {quoted}; CREATE FUNCTION {quoted}.{quoted}(jsonb) RETURNS jsonb"
        " LANGUAGE sql AS $h$ INSERT INTO app.seen (name) VALUES ('odd'); SELECT NULL::jsonb $h$"
    )
    register(hooked, BEFORE, f"{quoted}.{quoted}(jsonb)")
    hooked.sync()
    assert names(hooked) == ["odd"]
    assert hooked.value("SELECT function FROM confiture.hooks").endswith('é"')
    # One line of the log each, whatever is in a name.
    ours = [line for line in hooked.server.log().splitlines() if "confiture run=" in line]
    lines = [line for line in ours if "Brien" in line]
    assert len(lines) == 1 and "outcome=ok" in lines[0]
    hooked.execute("SELECT confiture.unregister_hook(%s, %s)", [BEFORE, f"{quoted}.{quoted}"])


def test_the_plan_names_hooks_and_refuses_what_would_not_be_called(hooked):
    make_hook(hooked, "mine")
    register(hooked, BEFORE, "app.mine", position=3)
    hooked.plan()
    assert [n["message_primary"] for n in hooked.notices] == [
        'hook "app"."mine" is called in phase BEFORE_ANONYMIZATION, position 3'
    ]
    hooked.execute("DROP FUNCTION app.mine")
    hooked.plan_refused("42883")
    # Before anything is on record.
    hooked.sync_refused("42883")
    assert hooked.events()[-1] != "STARTED"
    # Nothing is lost: whoever makes it again has it called again.
    make_hook(hooked, "mine")
    hooked.sync()
    assert names(hooked) == ["mine"]


def test_inside_a_transaction_hooks_are_part_of_it(hooked):
    make_hook(hooked, "before")
    register(hooked, BEFORE, "app.before")
    hooked.execute("BEGIN")
    hooked.sync(options='{"in_transaction": true}')
    hooked.execute("ROLLBACK")
    assert calls(hooked) == 1 and names(hooked) == []
    hooked.execute("BEGIN")
    hooked.sync(options='{"in_transaction": true}')
    hooked.execute("COMMIT")
    assert seen(hooked)[0]["in_transaction"] is True
    assert of_run(hooked, "COMPLETED") == [(BEFORE, '"app"."before"', "ok")]


def test_a_canceled_run_calls_the_hooks_of_its_failure(hooked):
    make_hook(hooked, "slow", "PERFORM pg_sleep(60); RETURN NULL;")
    make_hook(hooked, "alarm")
    register(hooked, BEFORE, "app.slow")
    register(hooked, ON_ERROR, "app.alarm")
    session = hooked.session()
    session.execute("SET statement_timeout = '300ms'")
    session.sync_refused("57014")
    (context,) = seen(hooked)
    assert context["error"]["sqlstate"] == "57014"
    assert context["error"]["hook"] == '"app"."slow"'
