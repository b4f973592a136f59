"""The example of two servers: no raw value crosses, seen in the bytes and in the log of production.

`CONFITURE_WRITE=1` puts the output of this run into the page.
"""

import os
import re
import shutil
import socket
import tempfile
import threading
from pathlib import Path

import pytest

from server import ROOT

HERE = ROOT / "examples" / "two-servers"
RAW = [b"secret.example", b"Secret Name"]


class Recorder:
    """Stands between two servers and keeps every byte that passes."""

    def __init__(self, folder, target):
        self.target = target
        self.crossed = bytearray()
        self.lock = threading.Lock()
        self.folder = folder
        self.listener = socket.socket(socket.AF_UNIX)
        self.listener.bind(str(folder / ".s.PGSQL.5999"))
        os.chmod(folder / ".s.PGSQL.5999", 0o777)
        self.listener.listen()
        threading.Thread(target=self.accept, daemon=True).start()

    def accept(self):
        """Until nobody listens any more."""
        while True:
            try:
                near, _ = self.listener.accept()
            except OSError:
                return
            far = socket.socket(socket.AF_UNIX)
            far.connect(self.target)
            for one, other in [(near, far), (far, near)]:
                threading.Thread(target=self.pass_on, args=(one, other), daemon=True).start()

    def pass_on(self, one, other):
        """Until one side hangs up."""
        try:
            while data := one.recv(65536):
                with self.lock:
                    self.crossed += data
                other.sendall(data)
            other.shutdown(socket.SHUT_WR)
        except OSError:
            pass


@pytest.fixture
def recorder(private_server):
    """Production behind a recorder, and staging."""
    prod = private_server("log_statement=all", "log_line_prefix=%u|")
    staging = private_server(key_file=False)
    if not staging.has("postgres_fdw"):
        pytest.skip("the server was built without postgres_fdw")
    environment = prod.environment
    target = f"{environment['PGHOST']}/.s.PGSQL.{environment['PGPORT']}"
    folder = Path(tempfile.mkdtemp(prefix="confiture-recorder."))
    # The server of staging is somebody else.
    folder.chmod(0o755)
    recorder = Recorder(folder, target)
    recorder.prod, recorder.staging = prod, staging
    recorder.here = prod.create_database(name="shop")
    recorder.there = staging.create_database(name="shop", extension=False)
    yield recorder
    recorder.listener.close()
    shutil.rmtree(folder)


def test_no_raw_row_crosses_from_production_to_staging(recorder):
    profile = (HERE / "profile.yaml").read_text(encoding="utf-8")
    made = recorder.here.psql("-v", f"profile={profile}", "-f", HERE / "prod.sql")
    filled = recorder.there.psql(
        "-v", f"host={recorder.folder}", "-v", "port=5999", "-v", "dbname=shop",
        "-f", HERE / "staging.sql",
    )
    printed = "\n".join(
        ["On production:", *lines(made.stdout), "", "On staging:", *lines(filled.stdout), "",
         "What was refused:",
         *[re.sub(r"^psql:\S+ ", "", line)
           for line in filled.stderr.splitlines() if "ERROR" in line]])

    # What crossed: rows did, and no raw value.
    crossed = bytes(recorder.crossed)
    a_pseudonym = recorder.there.value("SELECT email FROM shop.customers WHERE id = 77").encode()
    assert a_pseudonym in crossed and len(crossed) > 100_000
    for raw in RAW:
        assert raw not in crossed
    # What production was asked: the views, and once the table, in vain.
    # Further lines of a statement begin with a tab.
    log = recorder.prod.log().replace("\n\t", " ")
    asked = [line for line in log.splitlines() if line.startswith("staging_reader|")]
    fetched = [line for line in asked if re.search("DECLARE .* FROM masked[.]", line)]
    assert len(fetched) == 2, asked
    # Refused before it was run: in the log as the statement of an error.
    assert not any(re.search("LOG:.* prod[.]", line) for line in asked), asked
    assert [line for line in asked if " prod." in line] == [
        "staging_reader|STATEMENT:  DECLARE c1 CURSOR FOR SELECT count(*) FROM prod.customers"
    ]
    # What staging holds, in whatever table: nothing of it.
    dump = recorder.staging.run("pg_dump", "shop").stdout.encode()
    assert a_pseudonym in dump and not any(raw in dump for raw in RAW)
    assert recorder.there.value(
        "SELECT count(*) FROM shop.orders o JOIN shop.customers c ON c.email = o.customer_email"
    ) == 2000

    page = HERE / "README.md"
    text = page.read_text(encoding="utf-8")
    if os.environ.get("CONFITURE_WRITE"):
        block = f"```text\n{printed}\n```"
        page.write_text(re.sub(r"(?s)```text\n.*?```", lambda _: block, text), encoding="utf-8")
        return
    assert re.search(r"(?s)```text\n(.*?)\n```", text)[1] == printed


def lines(text):
    """What psql printed, line by line."""
    return [line.rstrip() for line in text.strip("\n").splitlines()]
