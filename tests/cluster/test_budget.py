"""Budgets of differential privacy: spent by every answer, and given back by nothing."""

import threading
from decimal import Decimal

import psycopg
import pytest

COUNT = "SELECT anon_dp_count(id, {}) FROM people"


def ready(db, limit="10", name="research"):
    """A budget, a table, and a session that may charge it."""
    db.execute("SELECT anon_dp_budget_create(%s, %s)", [name, limit])
    db.execute("SELECT anon_dp_budget_grant(%s, session_user::text)", [name])
    db.execute(f"SET confiture.dp_budget = '{name}'")
    db.execute(
        "CREATE TABLE IF NOT EXISTS people AS"
        " SELECT i AS id, i % 100 AS age FROM generate_series(1, 1000) i"
    )


@pytest.fixture(name="spent")
def _spent(db):
    """Looks at what was spent."""
    ready(db)

    def spent(session=db):
        return session.value("SELECT epsilon_spent FROM anon_dp_budget_status('research')")

    return spent


def ask(session, epsilon="1"):
    return session.value(COUNT.format(epsilon))


def test_an_answer_is_charged_and_on_record(db, spent):
    assert abs(ask(db) - 1000) < 60
    assert spent() == 1
    assert db.rows("SELECT event, about, domain, amount FROM confiture.journal") == [
        ("CHARGED", "anon_dp_count", "research", 1_000_000)
    ]
    names = "epsilon_limit, epsilon_recorded, epsilon_unrecorded, epsilon_left, charges"
    row = db.rows(f"SELECT {names} FROM anon_dp_budget_status('research')")[0]
    assert row == (10, 1, 0, 9, 1)
    assert "charged with epsilon 1" in db.server.log()


def test_rollback_gives_nothing_back(db, spent):
    db.execute("BEGIN")
    ask(db)
    db.execute("ROLLBACK")
    assert spent() == 1
    db.execute("BEGIN; SAVEPOINT s")
    ask(db)
    db.execute("ROLLBACK TO s; COMMIT")
    assert spent() == 2
    db.execute(
        f"DO $$ BEGIN BEGIN PERFORM ({COUNT.format('1')}); RAISE 'no'; EXCEPTION WHEN"
        " OTHERS THEN NULL; END; END $$"
    )
    assert spent() == 3
    rolled_back = db.value("SELECT epsilon_rolled_back FROM anon_dp_budget_status('research')")
    assert rolled_back >= 1


def test_a_prepared_transaction_gives_nothing_back(private_server):
    db = private_server("max_prepared_transactions=5").create_database()
    ready(db)
    db.execute("BEGIN")
    ask(db)
    db.execute("PREPARE TRANSACTION 'p'")
    db.execute("ROLLBACK PREPARED 'p'")
    assert db.value("SELECT epsilon_spent FROM anon_dp_budget_status('research')") == 1


def test_a_cancel_and_a_timeout_give_nothing_back(db, spent):
    db.execute("SET statement_timeout = '300ms'")
    db.refused("57014", f"SELECT ({COUNT.format('1')}), pg_sleep(5)")
    assert spent() == 1
    db.execute("SET statement_timeout = 0")


def test_a_snapshot_sees_the_meter_as_it_is_now(db, spent):
    other = db.session()
    other.execute("BEGIN ISOLATION LEVEL REPEATABLE READ; SELECT 1 FROM people")
    ask(db)
    assert spent(other) == 1
    db.execute("SELECT anon_dp_budget_raise('research', 20, 'more')")
    other.execute("SET confiture.dp_budget = 'research'")
    for _ in range(12):
        ask(other)
    other.execute("ROLLBACK")
    assert spent() == 13


def test_nothing_is_answered_beyond_the_limit(db, spent):
    ask(db, "9.5")
    report = db.refused("53400", COUNT.format("0.6"))
    assert report.message_detail == "0.6 was asked for, 0.5 is left. Nothing was charged."
    ask(db, "0.5")
    db.refused("53400", COUNT.format("0.000001"))
    assert spent() == 10
    assert db.column("SELECT event FROM confiture.journal ORDER BY number") == [
        "CHARGED", "DENIED", "CHARGED", "DENIED",
    ]


def test_sixteen_sessions_share_one_budget_exactly(db):
    ready(db, "1")
    answers = []

    def work():
        session = db.session()
        session.execute("SET confiture.dp_budget = 'research'")
        for _ in range(10):
            try:
                session.value("SELECT anon_dp_count(id, 0.01) FROM people WHERE id < 5")
                answers.append(1)
            except psycopg.errors.ConfigurationLimitExceeded:
                pass

    threads = [threading.Thread(target=work) for _ in range(16)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(answers) == 100
    row = db.rows("SELECT epsilon_spent, charges FROM anon_dp_budget_status('research')")
    assert row == [(1, 100)]


def test_read_only_transactions_are_refused(db, spent):
    db.execute("BEGIN READ ONLY")
    assert "READ WRITE" in db.refused("25006", COUNT.format("1")).message_hint
    db.execute("ROLLBACK")
    assert spent() == 0


def test_a_budget_must_be_chosen_and_be_there(db, spent):
    db.execute("RESET confiture.dp_budget")
    for source in ("people", "people WHERE false"):
        report = db.refused("55000", f"SELECT anon_dp_count(id, 1) FROM {source}")
        assert "confiture.dp_budget" in report.message_hint
    db.execute("SET confiture.dp_budget = 'nobody'")
    db.refused("42704", COUNT.format("1"))
    assert spent() == 0


def test_who_was_not_let_in_is_denied_on_record(db, spent):
    clerk = db.role("clerk")
    db.execute(f"GRANT SELECT ON people TO {clerk}")
    session = db.session(clerk)
    session.execute("SET confiture.dp_budget = 'research'")
    session.refused("42501", COUNT.format("1"))
    db.execute("SELECT confiture.grant_access('analyst', %s)", [clerk])
    session.refused("42501", COUNT.format("1"))
    assert db.rows("SELECT event, user_name FROM confiture.journal") == [("DENIED", clerk)]
    db.execute("SELECT anon_dp_budget_grant('research', %s, 2)", [clerk])
    ask(session, "1.5")
    report = session.refused("53400", COUNT.format("0.6"))
    assert report.message_primary == (
        f'the share of role "{clerk}" in privacy budget "research" is exhausted'
    )
    assert spent() == Decimal("1.5")
    # Others have what is left.
    ask(db, "1")
    db.execute("SELECT anon_dp_budget_revoke('research', %s)", [clerk])
    session.refused("42501", COUNT.format("0.1"))
    # What a role has spent is not forgotten when it is let in again.
    db.execute("SELECT anon_dp_budget_grant('research', %s, 2)", [clerk])
    session.refused("53400", COUNT.format("0.6"))
    ask(session, "0.5")


def test_a_share_is_that_of_all_members(db, spent):
    team, one, two = db.role("team"), db.role("one"), db.role("two")
    db.execute(f"GRANT {team} TO {one}, {two}; GRANT SELECT ON people TO {team}")
    for role in (team, one, two):
        db.execute("SELECT confiture.grant_access('analyst', %s)", [role])
    db.execute("SELECT anon_dp_budget_grant('research', %s, 2)", [team])
    for role in (one, two):
        session = db.session(role)
        session.execute("SET confiture.dp_budget = 'research'")
        ask(session)
    session.refused("53400", COUNT.format("1"))


def test_a_definer_function_does_not_lend_its_owners_share(db, spent):
    clerk = db.role("clerk")
    db.execute("CREATE FUNCTION ask() RETURNS bigint LANGUAGE sql SECURITY DEFINER AS"
               " 'SELECT anon_dp_count(id, 1) FROM people'")
    session = db.session(clerk)
    session.execute("SET confiture.dp_budget = 'research'")
    session.refused("42501", "SELECT ask()")
    assert spent() == 0


def test_a_change_of_this_transaction_does_not_count_yet(db, spent):
    ask(db, "9.5")
    db.execute("BEGIN; SELECT anon_dp_budget_raise('research', 100, 'once')")
    assert "Commit" in db.refused("55000", COUNT.format("5")).message_hint
    db.execute("ROLLBACK")
    db.execute("SELECT anon_dp_budget_create('next', 1)")
    db.execute("BEGIN; SELECT anon_dp_budget_grant('next', session_user::text);"
               " SET confiture.dp_budget = 'next'")
    db.refused("55000", COUNT.format("1"))
    db.execute("ROLLBACK")
    assert spent() == Decimal("9.5")


def test_acts_on_budgets_are_on_the_ledger(db, spent):
    db.execute("SELECT anon_dp_budget_raise('research', 12.5, 'board decision 7')")
    db.execute("SELECT anon_dp_budget_retire('research', 'the study ended')")
    db.refused("55000", COUNT.format("1"))
    db.refused("55000", "SELECT anon_dp_budget_raise('research', 20, 'again')")
    db.refused("55000", "SELECT anon_dp_budget_retire('research', 'again')")
    rows = db.rows("SELECT event, details FROM confiture.audit_log"
                   " WHERE event LIKE 'BUDGET%' ORDER BY seq")
    assert [event for event, _ in rows] == [
        "BUDGET_CREATED", "BUDGET_GRANTED", "BUDGET_RAISED", "BUDGET_RETIRED",
    ]
    assert rows[2][1] == {
        "budget": "research", "reason": "board decision 7",
        "epsilon_limit": ["10", "12.5"], "delta_limit": ["0", "0"],
    }


def test_a_budget_is_never_lowered_nor_made_anew(db, spent):
    db.refused("42710", "SELECT anon_dp_budget_create('research', 1)")
    for limit in ("10", "9", "0"):
        db.refused("22023", "SELECT anon_dp_budget_raise('research', %s, 'x')", [limit])
    db.refused("22023", "SELECT anon_dp_budget_raise('research', 11, ' ')")
    for limit in ("0", "-1", "NaN", "Infinity", "0.0000001", "1e30"):
        db.refused("22023", "SELECT anon_dp_budget_create('other', %s)", [limit])
    for name in ("", " x", "x" * 64):
        db.refused("22023", "SELECT anon_dp_budget_create(%s, 1)", [name])
    db.refused("22023", "SELECT anon_dp_budget_create('other', 1, 1)")
    assert db.value("SELECT count(*) FROM anon_dp_budget_status()") == 1


def test_a_meter_on_which_somebody_has_rights_is_not_used(db, spent):
    clerk = db.role("clerk")
    meter = db.value("SELECT 'confiture.dp_meter_' || epsilon_meter FROM confiture.dp_budget")
    db.execute(f"GRANT UPDATE ON SEQUENCE {meter} TO {clerk}")
    db.refused("42P17", COUNT.format("1"))
    db.execute(f"REVOKE UPDATE ON SEQUENCE {meter} FROM {clerk}")
    db.execute(f"ALTER SEQUENCE {meter} OWNER TO {clerk}")
    db.refused("42P17", COUNT.format("1"))


def report(db, name="research", delta=1e-6):
    rows = db.rows("SELECT accounting, epsilon, delta FROM anon_dp_budget_report(%s, %s)", [name, delta])
    return {accounting: tuple(rest) for accounting, *rest in rows}


def test_three_ways_of_accounting_are_reported(db, spent):
    for _ in range(10):
        ask(db, "0.1")
    found = report(db)
    assert {accounting: delta for accounting, (_, delta) in found.items()} == {
        "basic": 0, "KOV": 1e-6, "zCDP": 1e-6}
    report_of = {accounting: epsilon for accounting, (epsilon, _) in found.items()}
    assert report_of["basic"] == pytest.approx(1)
    assert report_of["KOV"] == pytest.approx(1)
    assert report_of["zCDP"] == pytest.approx(1.712, abs=1e-3)
    db.refused("22023", "SELECT * FROM anon_dp_budget_report('research', 0)")


def test_what_was_spent_of_delta_is_in_every_bound(db):
    ready(db)
    db.execute("SELECT anon_dp_budget_create('loose', 10, 0.5);"
               " SELECT anon_dp_budget_grant('loose', session_user::text);"
               " SELECT anon_dp_register('people', 'people', 'id', 'loose', '{\"age\": {\"keys\": null}}')")
    for _ in range(2):
        db.execute("SELECT anon_dp_release('people', '[{\"count\": \"*\"}]', 1, '{age}', delta => 0.25)")
    found = report(db, "loose")
    assert found["basic"] == (pytest.approx(2), pytest.approx(0.5))
    assert found["KOV"][1] == found["zCDP"][1] == pytest.approx(0.500001)
    db.execute("SELECT anon_dp_budget_raise('loose', 10, 'more', 0.99)")
    db.execute("SELECT anon_dp_release('people', '[{\"count\": \"*\"}]', 1, '{age}', delta => 0.49)")
    # Above all that there is, it promises nothing.
    assert report(db, "loose", 0.9)["KOV"][1] == 1


def meter(db, name="research"):
    return db.value("SELECT 'confiture.dp_meter_' || epsilon_meter FROM confiture.dp_budget"
                    " WHERE name = %s", [name])


def test_what_no_record_knows_is_in_every_bound(db, spent):
    # As a server leaves it that stops between meter and record.
    ask(db, "0.5")
    db.execute(f"SELECT setval('{meter(db)}', 2500000)")
    found = report(db)
    assert found["basic"][0] == pytest.approx(2.5)
    assert found["zCDP"][0] > report(db)["KOV"][0] >= 2.4
    row = db.rows("SELECT epsilon_spent, epsilon_recorded, epsilon_unrecorded, epsilon_left FROM"
                  " anon_dp_budget_status('research')")
    assert row == [(Decimal("2.5"), Decimal("0.5"), 2, Decimal("7.5"))]


@pytest.mark.parametrize("turn", [
    "SELECT setval('{}', 0, false)", "SELECT setval('{}', 1000000)", "ALTER SEQUENCE {} RESTART",
])
@pytest.mark.parametrize("same", [True, False])
def test_a_meter_that_is_turned_back_gives_nothing(db, spent, turn, same):
    ask(db, "8")
    db.execute(turn.format(meter(db)))
    row = db.rows("SELECT epsilon_unrecorded < 0, epsilon_left FROM anon_dp_budget_status('research')")
    assert row == [(True, 2)]
    session = db if same else db.session()
    session.execute("SET confiture.dp_budget = 'research'")
    session.refused("53400", COUNT.format("2.1"))
    ask(session, "2")
    assert spent() == 10
    # One that is set forward is believed.
    db.execute(f"SELECT nextval('{meter(db)}')")
    assert spent() == Decimal("10.000001")


def test_a_session_that_has_seen_less_asks_again_when_a_meter_is_turned_back(db, spent):
    ask(db, "1")
    other = db.session()
    other.execute("SET confiture.dp_budget = 'research'")
    ask(other, "7")
    db.execute(f"SELECT setval('{meter(db)}', 0, false)")
    db.refused("53400", COUNT.format("2.1"))
    ask(db, "2")
    assert spent() == 10


def test_a_retired_budget_is_not_made_anew(db, spent):
    ask(db, "4")
    db.execute("SELECT anon_dp_budget_retire('research', 'over')")
    db.refused("42710", "SELECT anon_dp_budget_create('research', 10)")
    db.refused("55000", COUNT.format("1"))
    assert spent() == 4


def test_the_journal_is_counted_once(db, spent):
    """However long it has become: what was counted is kept, also when its records are pruned."""
    db.execute("SET synchronous_commit = off; SELECT anon_dp_budget_raise('research', 1000, 'more')")
    db.execute("CREATE TABLE many AS SELECT generate_series(1, 1200) AS who")
    db.execute("SELECT anon_dp_count(who, 0.01) FROM many GROUP BY who")
    db.execute("BEGIN; SELECT anon_dp_count(who, 0.02) FROM many WHERE who < 6 GROUP BY who; ROLLBACK")
    names = "epsilon_spent, epsilon_recorded, epsilon_rolled_back, charges"
    status = f"SELECT {names} FROM anon_dp_budget_status('research')"
    true = (Decimal("12.1"), Decimal("12.1"), Decimal("0.1"), 1205)
    # A look that may not write counts all of it, and so does one whose own end is not known.
    db.execute("BEGIN READ ONLY")
    assert db.rows(status) == [true]
    db.execute("ROLLBACK")
    assert db.value("SELECT count(*) FROM confiture.dp_tally") == 0
    db.execute("BEGIN")
    assert db.rows(status) == [true]
    db.execute("ROLLBACK")
    assert db.value("SELECT count(*) FROM confiture.dp_tally") == 0
    assert db.rows(status) == [true]
    assert db.rows("SELECT epsilon, charges, rolled_back, counted_to FROM confiture.dp_tally ORDER BY 1"
                   ) == [(0, 0, 0, 1205), (10_000, 1200, 0, 1205), (20_000, 5, 5, 1205)]
    ask(db, "0.5")
    assert db.rows(status) == [(Decimal("12.6"), Decimal("12.6"), Decimal("0.1"), 1206)]
    assert report(db)["basic"][0] == pytest.approx(12.6)
    # What is in the tally is not read again.
    db.execute("SELECT confiture.disarm('a test')")
    db.execute("ALTER TABLE confiture.journal DISABLE TRIGGER USER;"
               " DELETE FROM confiture.journal WHERE number <= 1205")
    assert db.rows(status) == [(Decimal("12.6"), Decimal("12.6"), Decimal("0.1"), 1206)]


def test_the_end_of_a_transaction_is_waited_for(db, spent):
    db.execute("SELECT anon_dp_budget_raise('research', 1000, 'more');"
               " CREATE TABLE many AS SELECT generate_series(1, 1200) AS who")
    db.execute("SELECT anon_dp_count(who, 0.01) FROM many WHERE who <= 3 GROUP BY who")
    other = db.session()
    other.execute("SET confiture.dp_budget = 'research'; BEGIN; CREATE TEMP TABLE t (a integer)")
    ask(other, "2")
    db.execute("SELECT anon_dp_count(who, 0.01) FROM many GROUP BY who")
    status = "SELECT epsilon_recorded, epsilon_rolled_back FROM anon_dp_budget_status('research')"
    assert db.rows(status) == [(Decimal("14.03"), 0)]
    assert set(db.column("SELECT counted_to FROM confiture.dp_tally")) == {3}
    other.execute("ROLLBACK")
    assert db.rows(status) == [(Decimal("14.03"), 2)]
    assert db.value("SELECT max(counted_to) FROM confiture.dp_tally") == 1204


def test_a_budget_goes_through_a_dump_with_what_was_spent(db, bare, spent, tmp_path):
    ask(db, "4")
    path = tmp_path / "dump.sql"
    path.write_text(db.server.run("pg_dump", database=db.name).stdout, encoding="utf-8")
    bare.psql("-v", "ON_ERROR_STOP=1", "-f", path)
    bare.execute("SET confiture.dp_budget = 'research'")
    row = bare.rows("SELECT epsilon_spent, charges FROM anon_dp_budget_status('research')")
    assert row == [(4, 1)]
    ask(bare, "6")
    bare.refused("53400", COUNT.format("1"))


def test_a_restore_without_its_meters_is_not_fresh(db, bare, spent, tmp_path):
    ask(db, "9")
    path = tmp_path / "dump.sql"
    dump = db.server.run("pg_dump", database=db.name).stdout
    lines = [line for line in dump.splitlines() if not ("setval" in line and "dp_meter" in line)]
    assert len(lines) < len(dump.splitlines())
    path.write_text("\n".join(lines), encoding="utf-8")
    bare.psql("-v", "ON_ERROR_STOP=1", "-f", path)
    bare.execute("SET confiture.dp_budget = 'research'")
    bare.refused("53400", COUNT.format("1.5"))
    ask(bare, "1")
    assert spent(bare) == 10
    bare.execute(f"DROP SEQUENCE {meter(bare)}")
    bare.refused("42P17", COUNT.format("0.1"))


def test_records_of_another_server_are_counted_once_too(db, private_server, spent, tmp_path):
    # Its transactions have numbers that the new one has not come to yet.
    db.execute("SET synchronous_commit = off; SELECT anon_dp_budget_raise('research', 1000, 'more')")
    db.execute(
        "CREATE TABLE few (a integer); DO $$ BEGIN FOR i IN 1..100000 LOOP BEGIN"
        " INSERT INTO few VALUES (1); EXCEPTION WHEN OTHERS THEN NULL; END; END LOOP; END $$"
    )
    db.execute("SELECT anon_dp_count(g, 0.01) FROM generate_series(1, 1200) AS g GROUP BY g")
    path = tmp_path / "dump.sql"
    path.write_text(db.server.run("pg_dump", database=db.name).stdout, encoding="utf-8")
    other = private_server().create_database(extension=False)
    other.psql("-v", "ON_ERROR_STOP=1", "-f", path)
    assert other.value("SELECT max(transaction_id) FROM confiture.journal") > other.value(
        "SELECT pg_current_xact_id()::text::bigint"
    )
    for _ in range(2):
        assert spent(other) == 12
    assert other.value("SELECT max(counted_to) FROM confiture.dp_tally") == 1200


def test_removing_the_extension_takes_cascade_where_budgets_are(db, spent):
    ask(db)
    db.execute("SET confiture.allow_drop = on")
    db.refused("2BP01", "DROP EXTENSION confiture")
    assert spent() == 1
    db.execute("DROP EXTENSION confiture CASCADE")
    # What comes after it in the session is another budget, though its meter has the same name.
    db.execute("CREATE EXTENSION confiture")
    db.make_key()
    ready(db, "1")
    ask(db, "1")
    db.execute("DROP EXTENSION confiture CASCADE")
    assert db.value("SELECT count(*) FROM pg_class WHERE relname LIKE 'dp\\_meter%'") == 0
