"""A key provider that does not behave: no statement waits longer than it may, or cannot be stopped."""

import socket
import threading
import time
from pathlib import Path

import psycopg
import pytest

MARK = "S3CRET-of-the-provider"


class Misbehaving:
    """A server on this machine that answers every connection in one way."""

    def __init__(self, answer):
        self._answer = answer
        self._socket = socket.create_server(("127.0.0.1", 0))
        self.port = self._socket.getsockname()[1]
        self.calls = 0
        self._open = []
        threading.Thread(target=self._serve, daemon=True).start()

    def _serve(self):
        while True:
            try:
                connection, _ = self._socket.accept()
            except OSError:
                return
            self.calls += 1
            # Kept open: a closed connection would be an answer too.
            self._open.append(connection)
            threading.Thread(target=self._run, args=[connection], daemon=True).start()

    def _run(self, connection):
        try:
            self._answer(connection)
        except OSError:
            pass

    def stop(self):
        """Closes every connection."""
        for connection in [self._socket, *self._open]:
            connection.close()


def silent(connection):
    """Reads and says nothing."""
    while connection.recv(65536):
        pass


def slowly(connection):
    """One byte of an answer every 100 ms."""
    connection.recv(65536)
    connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 5000\r\n\r\n")
    while True:
        connection.sendall(b"x")
        time.sleep(0.1)


def says(text):
    """A whole answer, then the end."""

    def answer(connection):
        connection.recv(65536)
        connection.sendall(text)
        connection.shutdown(socket.SHUT_WR)

    return answer


def document(status, body):
    """An answer of HTTP."""
    head = f"HTTP/1.1 {status}\r\nContent-Type: application/json\r\nContent-Length: {len(body)}\r\n"
    return f"{head}\r\n{body}".encode()


@pytest.fixture(scope="module")
def home(private_server):
    """A server whose keys a file wraps, and that knows a vault beside it."""
    return private_server()


@pytest.fixture
def provider(home):
    """Points the vault provider to a misbehaving server; returns a session that sees it."""
    database = home.create_database()
    token = home.folder / "keys" / "token"
    database.execute(f"COPY (SELECT 'a-token') TO PROGRAM 'umask 077; cat > {token}'")
    servers = []

    def point(answer=None, address=None, options=""):
        if answer:
            servers.append(Misbehaving(answer))
            address = f"http://127.0.0.1:{servers[-1].port}"
        setting = f"address={address} key=kek token_file={token} {options}".strip()
        return database.configure(key_vault=setting)

    point.servers = servers
    point.database = database
    yield point
    for server in servers:
        server.stop()
    database.execute("ALTER SYSTEM RESET confiture.key_vault")
    database.execute("SELECT pg_reload_conf()")
    database.drop()


CALL = "CALL confiture.rewrap_keys('vault')"


def timed(call):
    """What a call raised, and after how many seconds."""
    begun = time.monotonic()
    with pytest.raises(psycopg.Error) as caught:
        call()
    return caught.value.diag, time.monotonic() - begun


def clean(report):
    """No part of an answer is in any part of a report."""
    parts = (report.message_primary, report.message_detail, report.message_hint, report.context)
    assert MARK not in " ".join(part or "" for part in parts)


@pytest.mark.parametrize("answer", [silent, slowly], ids=["silent", "slow"])
def test_a_call_ends_at_its_deadline_which_can_be_set(provider, answer):
    session = provider(answer)
    report, seconds = timed(lambda: session.execute(CALL))
    assert report.sqlstate == "08001" and "3000 ms" in report.message_detail
    assert 2.5 < seconds < 4.5
    session.execute("SET confiture.key_request_timeout = '700ms'")
    report, seconds = timed(lambda: session.execute(CALL))
    assert report.sqlstate == "08001" and "700 ms" in report.message_detail
    assert 0.5 < seconds < 2


@pytest.mark.parametrize("answer", [silent, slowly], ids=["silent", "slow"])
def test_a_call_is_canceled_in_less_than_half_a_second(provider, answer):
    session = provider(answer)
    session.execute("SET confiture.key_request_timeout = '60s'")
    canceled = []

    def cancel():
        time.sleep(0.7)
        canceled.append(time.monotonic())
        provider.database.execute("SELECT pg_cancel_backend(%s)", [session.pid()])

    thread = threading.Thread(target=cancel)
    thread.start()
    report, _ = timed(lambda: session.execute(CALL))
    late = time.monotonic() - canceled[0]
    thread.join()
    assert report.sqlstate == "57014" and "user request" in report.message_primary
    assert late < 0.5
    # The session goes on.
    assert session.value("SELECT anon_email('x')")


def test_a_statement_timeout_is_kept_too(provider):
    session = provider(silent)
    session.execute("SET statement_timeout = '500ms'")
    report, seconds = timed(lambda: session.execute(CALL))
    assert report.sqlstate == "57014" and "statement timeout" in report.message_primary
    assert seconds < 1.5


def test_a_session_in_a_call_can_be_terminated(provider):
    session = provider(silent)
    session.execute("SET confiture.key_request_timeout = '60s'")
    thread = threading.Timer(
        0.5, lambda: provider.database.execute(f"SELECT pg_terminate_backend({session.pid()})")
    )
    thread.start()
    begun = time.monotonic()
    with pytest.raises(psycopg.OperationalError):
        session.execute(CALL)
    assert time.monotonic() - begun < 1.5
    thread.join()


def test_a_backend_has_one_thread_during_a_call_and_after_it(provider):
    session = provider(silent)
    tasks = Path(f"/proc/{session.pid()}/task")
    counts = []

    def watch():
        for _ in range(40):
            counts.append(len(list(tasks.iterdir())))
            time.sleep(0.02)

    watcher = threading.Thread(target=watch)
    session.execute("SET confiture.key_request_timeout = '600ms'")
    watcher.start()
    timed(lambda: session.execute(CALL))
    watcher.join()
    assert set(counts) == {1} and len(list(tasks.iterdir())) == 1


@pytest.mark.parametrize(
    ("answer", "sqlstate"),
    [
        (document("500 Oops", MARK), "58000"),
        (document("429 Slow Down", MARK), "53000"),
        (document("200 OK", MARK), "08P01"),
        (document("200 OK", f'{{"data": {{"ciphertext": "{MARK}"}}}}'), "08P01"),
        (document("200 OK", MARK * 5000), "08P01"),
        (document("301 Moved", MARK).replace(b"\r\n", b"\r\nLocation: http://127.0.0.1:1/\r\n", 1),
         "55000"),
        (f"{MARK} is no HTTP\r\n\r\n".encode(), "08P01"),
        (b"", {"08001", "08P01"}),
    ],
    ids=["500", "429", "no JSON", "other JSON", "too long", "redirect", "no HTTP", "nothing"],
)
def test_nonsense_has_an_error_that_shows_none_of_it(provider, answer, sqlstate):
    session = provider(says(answer))
    report = session.refused(sqlstate, CALL)
    clean(report)
    clean_log = provider.database.server.log()
    assert MARK not in clean_log
    problem = session.value("SELECT confiture.provider_problem('vault')")
    assert problem and MARK not in problem


def test_a_busy_provider_is_asked_again_and_a_refusing_one_is_not(provider):
    session = provider(says(document("503 Busy", "{}")))
    session.refused({"55000", "58000"}, CALL)
    assert provider.servers[-1].calls == 3
    session = provider(says(document("403 No", "{}")))
    session.refused({"42501", "28000"}, CALL)
    assert provider.servers[-1].calls <= 3


def test_a_provider_that_is_not_there_is_said_at_once(provider):
    session = provider(address="http://127.0.0.1:1")
    report, seconds = timed(lambda: session.execute(CALL))
    assert report.sqlstate == "08001" and "refused" in report.message_detail
    assert seconds < 1
    session = provider(address="https://no-such-host.invalid:8200")
    report = session.refused("08001", CALL)
    assert "could not be resolved" in report.message_detail
    # With an address, no name is looked up.
    session = provider(address="https://no-such-host.invalid:1", options="hostaddr=127.0.0.1")
    report = session.refused("08001", CALL)
    assert "refused" in report.message_detail


def test_plain_http_stays_on_this_machine(provider):
    report = provider(address="http://vault.example:8200").refused("22023", CALL)
    assert "Plain HTTP" in report.message_detail


def test_a_warm_session_does_not_notice_that_the_provider_is_down(provider):
    # Wrapped by a file, asked for by a session that knows nothing but its memory.
    session = provider(silent)
    before = session.value("SELECT anon_email('x')")
    calls = provider.servers[-1].calls
    for _ in range(20):
        assert session.value("SELECT anon_email('x')") == before
    assert provider.servers[-1].calls == calls


def test_the_status_of_keys_tells_what_is_wrong_and_waits_once(provider):
    session = provider(silent)
    session.execute("SELECT confiture.rotate_key('masking')")
    session.execute("SET session_replication_role = replica")
    session.execute("UPDATE confiture.key_version SET provider = 'vault'")
    session.execute("SET confiture.key_request_timeout = '500ms'")
    begun = time.monotonic()
    rows = session.rows("SELECT reachable, problem FROM confiture.key_status")
    assert time.monotonic() - begun < 1.4
    assert [reachable for reachable, _ in rows] == [False, False]
    assert all("500 ms" in problem for _, problem in rows)
