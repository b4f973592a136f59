"""The vault when the server is killed, on a standby, and for who looks without the right to."""

import threading
import time

import psycopg
import pytest

from standby import DURABLE, Standby, kill, start_again, stop_the_writer
from test_vault import REVEAL, WHY, _vault, reveal, tokens  # noqa: F401

HOLD = "SELECT pg_advisory_lock(1)"

# A function that waits in the middle of a statement, after what it was given was computed.
WAIT = """
CREATE FUNCTION public.wait(given text) RETURNS text LANGUAGE plpgsql VOLATILE AS $$
BEGIN PERFORM pg_advisory_lock_shared(1); RETURN given; END $$
"""


@pytest.fixture(name="own")
def _own(private_server):
    """A server of its own that writes to the disk, with a domain and who may reveal."""
    server = private_server(*DURABLE)
    db = server.create_database()
    db.execute("SELECT confiture.create_domain('mail')")
    db.execute("SELECT confiture.create_domain('few', reveals_per_hour => 100)")
    db.execute(WAIT)
    for domain in ("mail", "few"):
        db.execute("SELECT confiture.grant_access('revealer', session_user::text, %s)", [domain])
    yield db


def records(session):
    return session.rows("SELECT event, amount FROM confiture.journal ORDER BY number")


def answered_or_waiting(session, sql, parameters):
    """Runs a statement in a thread; what comes of it stands in the list."""
    found = []

    def work():
        try:
            found.append(session.value(sql, parameters))
        except psycopg.Error as error:
            found.append(error)

    thread = threading.Thread(target=work, daemon=True)
    thread.start()
    return thread, found


# Where the server is killed: the statement, whether a value was computed by then, and whether it
# was answered.
STEPS = {
    "before the token is looked up": ("SELECT confiture.reveal(public.wait(%s), 'mail', %s)", 0),
    "the value is computed, and not answered": (
        "SELECT public.wait(confiture.reveal(%s, 'mail', %s))",
        1,
    ),
    "the value is computed in a limited domain": (
        "SELECT public.wait(confiture.reveal(%s, 'few', %s))",
        1,
    ),
    "row by row, and not answered": ("SELECT public.wait(anon_detokenize(%s, 'mail', %s))", 1),
    "in a batch, and not answered": (
        "SELECT public.wait(value) FROM confiture.reveal_batch(ARRAY[%s], 'mail', %s)",
        1,
    ),
}


@pytest.mark.parametrize("step", STEPS)
def test_the_record_is_there_whenever_the_value_could_have_left(own, step):
    sql, recorded = STEPS[step]
    domain = "few" if "'few'" in sql else "mail"
    (token,) = tokens(own, ["ada"], domain)
    own.execute(HOLD)
    session = own.session()
    session.execute("SET statement_timeout = 0")
    session.execute("BEGIN")
    pids = stop_the_writer(own.server)
    thread, found = answered_or_waiting(session, sql, [token, WHY])
    waiting = "SELECT wait_event FROM pg_stat_activity WHERE pid = %s"
    for _ in range(500):
        if own.value(waiting, [session.pid()]) == "advisory":
            break
        time.sleep(0.02)
    else:
        raise AssertionError("it does not wait")
    kill([*pids, session.pid(), own.pid()])
    thread.join(10)
    assert found and isinstance(found[0], psycopg.Error)
    start_again(own.server)
    after = own.session()
    assert records(after) == [("REVEALED", 1)] * recorded
    assert reveal(after, token, domain) == "ada", "the token was committed"
    assert after.findings().keys() <= {"OK", "W01", "W08"}


@pytest.mark.parametrize(
    "sql", ["SELECT confiture.reveal(%s, 'mail', %s)", "SELECT anon_detokenize(%s, 'mail', %s)"]
)
def test_what_was_answered_is_on_record_although_its_transaction_never_ended(own, sql):
    (token,) = tokens(own, ["ada"])
    own.execute("CHECKPOINT")
    session = own.session()
    session.execute("BEGIN")
    session.execute("CREATE TABLE never_committed ()")
    pids = stop_the_writer(own.server)
    assert session.value(sql, [token, WHY]) == "ada"
    kill([*pids, session.pid(), own.pid()])
    start_again(own.server)
    after = own.session()
    assert records(after) == [("REVEALED", 1)]
    assert after.value("SELECT to_regclass('never_committed') IS NULL")


@pytest.mark.parametrize("delay", [0.05, 0.12, 0.31, 0.5])
def test_what_was_answered_when_the_server_was_killed_at_any_moment_is_on_record(own, delay):
    """Six sessions reveal without a pause, so that some are at every step when it happens."""
    (token,) = tokens(own, ["ada"])
    sessions, answered = [own.session() for _ in range(6)], [[] for _ in range(6)]
    pids = [session.pid() for session in sessions]

    def work(session, reasons):
        try:
            for number in range(100_000):
                reason = f"{id(session)} {number}"
                assert session.value(REVEAL, [token, "mail", reason]) == "ada"
                reasons.append(reason)
        except psycopg.Error:
            pass

    threads = [
        threading.Thread(target=work, args=pair, daemon=True) for pair in zip(sessions, answered)
    ]
    for thread in threads:
        thread.start()
    time.sleep(delay)
    kill([*stop_the_writer(own.server), *pids, own.pid()])
    for thread in threads:
        thread.join(10)
    start_again(own.server)
    after = own.session()
    given = {reason for reasons in answered for reason in reasons}
    kept = set(after.column("SELECT reason FROM confiture.journal WHERE event = 'REVEALED'"))
    assert given and given <= kept
    # Of each session one more at most: on disk, and not answered any more.
    assert len(kept) <= len(given) + len(sessions)
    assert reveal(after, token) == "ada"
    assert after.findings().keys() <= {"OK", "W01", "W08"}


def test_a_denial_that_was_answered_is_on_record_too(own):
    own.execute("SELECT confiture.revoke_access('revealer', session_user::text, 'mail')")
    session = own.session()
    session.execute("BEGIN")
    pids = stop_the_writer(own.server)
    session.refused("42501", REVEAL, ["tok_0", "mail", WHY])
    kill([*pids, session.pid(), own.pid()])
    start_again(own.server)
    assert own.session().column("SELECT event FROM confiture.journal") == ["DENIED"]


def test_tokens_of_a_committed_transaction_survive_and_others_do_not(own):
    kept = tokens(own, ["ada", "bob"])
    own.execute("CREATE SCHEMA prod; CREATE TABLE prod.people (email text)")
    own.execute("INSERT INTO prod.people SELECT 'p' || i FROM generate_series(1, 500) i")
    own.load(
        "name: small\nversion: '1'\nstrategies: {mail: {type: tokenize, config: {domain: mail}}}\n"
        "tables: {people: {rules: [{column: email, strategy: mail}]}}\n"
    )
    own.sync()
    session = own.session()
    session.execute("BEGIN")
    lost = tokens(session, ["cleo"])
    pids = stop_the_writer(own.server)
    kill([*pids, session.pid(), own.pid()])
    start_again(own.server)
    after = own.session()
    assert [reveal(after, token) for token in kept] == ["ada", "bob"]
    after.refused("42704", REVEAL, [lost[0], "mail", WHY])
    call = (
        "SELECT count(value) FROM confiture.reveal_batch("
        "(SELECT array_agg(email) FROM staging.people), 'mail', %s)"
    )
    assert after.value(call, [WHY]) == 500
    assert tokens(after, ["cleo"]) == lost, "made of the value again"


def test_a_standby_neither_makes_nor_reveals_and_shows_no_more(private_server):
    server = private_server("wal_level=replica")
    db = server.create_database()
    db.execute("SELECT confiture.create_domain('mail')")
    db.execute("SELECT confiture.grant_access('revealer', session_user::text, 'mail')")
    (token,) = tokens(db, ["ada"])
    standby = Standby(server)
    try:
        with standby.connect(db.name) as connection:
            for sql, parameters in (
                (REVEAL, [token, "mail", WHY]),
                ("SELECT * FROM confiture.reveal_batch(ARRAY[%s], 'mail', %s)", [token, WHY]),
                ("SELECT anon_detokenize(%s, 'mail', %s)", [token, WHY]),
                ("SELECT confiture.tokenize_batch('mail', ARRAY[%s])", ["ada"]),
                ("SELECT anon_tokenize(%s, 'mail')", ["ada"]),
                ("SELECT confiture.forget_subject('mail', %s)", ["1"]),
                ("SELECT confiture.create_domain(%s)", ["other"]),
            ):
                with pytest.raises(psycopg.Error) as refused:
                    connection.execute(sql, parameters)
                assert refused.value.diag.sqlstate == "25006", sql
                assert token not in str(refused.value)
    finally:
        standby.stop()


@pytest.fixture(name="stranger")
def _stranger(vault):
    """A role that was given nothing but what its work needs: masking."""
    name = vault.role("stranger")
    vault.execute("SELECT confiture.grant_access('masker', %s)", [name])
    vault.stranger_name = name
    return vault.session(user=name)


def test_who_has_no_right_learns_nothing_by_plans_statistics_or_catalogs(vault, stranger):
    (token,) = tokens(vault, ["ada.lovelace@secret.example"], subjects=["patient-7"])
    vault.execute("ANALYZE confiture.token; ANALYZE confiture.token_subject")
    stored = vault.rows("SELECT handle, reference, payload, salt FROM confiture.token")[0]
    seen = []
    # Plans: of calls, which are refused, and of tables, which are closed.
    for analyze in ("", "ANALYZE, "):
        call = f"EXPLAIN ({analyze}VERBOSE) SELECT confiture.reveal(%s, 'mail', 'why')"
        try:
            seen += stranger.column(call, [token])
        except psycopg.Error as error:
            assert error.diag.sqlstate == "42501"
    for table in ("token", "token_subject", "token_domain", "token_access"):
        stranger.refused("42501", f"EXPLAIN ANALYZE SELECT * FROM confiture.{table}")
        stranger.refused("42501", f"SELECT count(*) FROM confiture.{table}")
        stranger.refused("42501", f"COPY confiture.{table} TO STDOUT")
        stranger.refused("42501", f"SELECT count(*) FROM ONLY confiture.{table} WHERE false")
    # Statistics, and what psql asks for \d+.
    assert stranger.rows("SELECT * FROM pg_stats WHERE schemaname = 'confiture'") == []
    stranger.refused("42501", "SELECT * FROM pg_statistic")
    seen += stranger.column(
        "SELECT concat_ws(' ', c.relname, c.reltuples, a.attname,"
        " format_type(a.atttypid, a.atttypmod),"
        " pg_get_expr(d.adbin, d.adrelid), obj_description(c.oid)) FROM pg_class c"
        " JOIN pg_attribute a ON a.attrelid = c.oid LEFT JOIN pg_attrdef d"
        " ON (d.adrelid, d.adnum) = (a.attrelid, a.attnum)"
        " WHERE c.relnamespace = 'confiture'::regnamespace"
    )
    seen += [
        row[0]
        for row in stranger.rows("SELECT query FROM pg_stat_activity WHERE pid <> pg_backend_pid()")
        if row[0]
    ]
    text = "\n".join(map(str, seen))
    for secret in ("ada.lovelace", "patient-7", *(bytes(part).hex() for part in stored)):
        assert secret not in text
    # Errors of a plan that meets the rows are none: EXPLAIN ANALYZE of a refusal is a refusal.
    for notice in stranger.notices:
        assert token not in str(notice)


def test_tokens_that_are_there_are_refused_like_those_that_are_not(vault):
    """Who may not is refused before a token is looked up: words and record are equal, but for the
    number and the time."""
    (token,) = tokens(vault, ["ada"])
    other = vault.session(user=vault.role("other"))
    vault.execute("SELECT confiture.create_domain('theirs')")
    name = other.value("SELECT session_user")
    vault.execute("SELECT confiture.grant_access('revealer', %s, 'theirs')", [name])
    for call in (
        REVEAL,
        "SELECT anon_detokenize(%s, %s, %s)",
        "SELECT * FROM confiture.reveal_batch(ARRAY[%s], %s, %s)",
    ):
        said = []
        for asked in (token, "tok_" + "0" * 26, "", "x" * 5000):
            report = other.refused("42501", call, [asked, "mail", WHY])
            said.append(
                (report.message_primary, report.message_detail, report.message_hint, report.context)
            )
        assert len(set(said)) == 1
    left = vault.rows(
        "SELECT DISTINCT event, user_name, about, domain, reason, amount FROM confiture.journal"
    )
    assert left == [("DENIED", name, "", "mail", WHY, None)]


def test_stolen_tables_without_the_keys_give_nothing(vault, private_server, tmp_path):
    """The dump on a server of the thief's: he is a superuser there, and has no key file."""
    made = tokens(vault, ["ada.lovelace", "bob"], subjects=["7", None])
    path = tmp_path / "dump"
    path.write_text(vault.server.run("pg_dump", database=vault.name).stdout, encoding="utf-8")
    text = path.read_text(encoding="utf-8")
    for secret in ("ada.lovelace", *made, b"ada.lovelace".hex()):
        assert secret not in text
    thief = private_server()
    stolen = thief.create_database(key=False)
    stolen.execute("DROP EXTENSION confiture")
    for name in ("clerk", "postgres"):
        if name != "postgres":
            stolen.execute(f'CREATE ROLE "{vault.clerk_name}" LOGIN')
    stolen.psql("-f", path)
    session = stolen.session()
    session.execute("SELECT confiture.init_key_file()")
    session = stolen.session()
    for token in made:
        try:
            session.execute("SELECT confiture.grant_access('revealer', session_user::text, 'mail')")
        except psycopg.Error as error:
            assert error.diag.sqlstate in ("55000", "XX001")
        report = session.refused(["55000", "XX001", "42501"], REVEAL, [token, "mail", WHY])
        assert "ada" not in str(report.message_primary)
    session.refused(["55000", "XX001"], "SELECT confiture.tokenize_batch('mail', '{ada.lovelace}')")
