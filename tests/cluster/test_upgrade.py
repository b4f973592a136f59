"""pg_upgrade: from the same version, and from every older one on this machine that has the
extension."""

import os
import subprocess
from pathlib import Path

import pytest

from many_entries import SPENT, VALUE_OF, by_chain, declare, make_budget_and_token, make_entries
from server import Server
from standby import as_server

NEW = os.environ.get("PG_CONFIG") or "pg_config"
TABLES = {"audit_log": "seq", "lineage": "seq", "journal": "number", "run_key": "run_id"}


def asked(pg_config, what):
    done = subprocess.run([pg_config, what], capture_output=True, text=True, check=True)
    return done.stdout.strip()


def major(pg_config):
    return int(asked(pg_config, "--version").split()[1].split(".")[0])


def olds():
    """The versions to come from, with their pg_config."""
    found = {
        major(path): str(path)
        for path in sorted(Path("/usr/lib/postgresql").glob("*/bin/pg_config"))
        if (Path(asked(path, "--sharedir")) / "extension" / "confiture.control").exists()
    }
    return {**{v: path for v, path in found.items() if v < major(NEW)}, major(NEW): NEW}


class Upgraded:
    """A server whose data folder a newer one takes over."""

    def __init__(self, old):
        self.server = Server("upgrade", environment={"PG_CONFIG": old})
        self.bindir = Path(asked(NEW, "--bindir"))
        # Its user may make a folder there and nowhere else.
        self.data = self.server.folder / "keys" / "new"
        self.is_new = False

    def upgrade(self):
        server, old = self.server, self.server.folder / "data"
        conf = (old / "postgresql.conf").read_text(encoding="utf-8")
        as_server(server.bindir, "pg_ctl", "-D", old, "-m", "fast", "-w", "stop")
        # As the old one has none before 18.
        bare = major(NEW) >= 18 and major(server.bindir / "pg_config") < 18
        more = ["--no-data-checksums"] if bare else []
        as_server(
            self.bindir, "initdb", "-D", self.data, "-U", "postgres", "--encoding=UTF8",
            "--locale=C.UTF-8", "--auth-local=trust", "--no-sync", *more,
        )
        try:
            as_server(
                self.bindir, "pg_upgrade", "-b", server.bindir, "-B", self.bindir, "-d", old,
                "-D", self.data, "-U", "postgres", "-s", server.folder / "socket",
                folder=server.folder / "keys",
            )
        except AssertionError as error:
            logs = self.data.glob("pg_upgrade_output.d/*/log/*.log")
            raise AssertionError("\n".join([str(error), *(log.read_text() for log in logs)]))
        with open(self.data / "postgresql.conf", "a", encoding="utf-8") as settings:
            settings.write(conf[conf.index("\nport = ") :])
        as_server(
            self.bindir, "pg_ctl", "-D", self.data, "-l", server.folder / "log", "-w", "start"
        )
        self.is_new = True

    def stop(self):
        if self.is_new:
            as_server(self.bindir, "pg_ctl", "-D", self.data, "-m", "fast", "-w", "stop")
        self.server.stop()


def content(db):
    return {
        table: db.column(f"SELECT t::text FROM confiture.{table} AS t ORDER BY {key}")
        for table, key in TABLES.items()
    }


def forget_versions_of_columns(db):
    """Some builds of 15 note a version, pg_attver, with each column; no other server knows what
    that is, so that no table of theirs can be upgraded as it is."""
    db.execute("SET allow_system_table_mods = on")
    db.execute(
        "UPDATE pg_attribute SET attoptions = NULL WHERE attoptions::text LIKE '{pg_attver=%}'"
    )


@pytest.mark.parametrize("version", olds())
def test_the_ledger_goes_through_pg_upgrade(version):
    there = Upgraded(olds()[version])
    try:
        db = there.server.create_database()
        make_entries(db)
        token = make_budget_and_token(db)
        note = db.value("SELECT confiture.export_anchor()")
        before, said = content(db), by_chain(db)
        pseudonym = db.value("SELECT anon_email('ada@mail.example')")
        forget_versions_of_columns(db)
        db.connection.close()
        there.upgrade()

        db.connection = there.server.connect(db.name)
        assert db.connection.info.server_version // 10000 == major(NEW)
        assert content(db) == before
        assert by_chain(db) == said, "the count of the journal came along, too"
        anchored = db.column("SELECT check_code FROM confiture.verify_ledger(ARRAY[%s])", [note])
        assert set(anchored) == {"OK", "W01"}
        assert db.value("SELECT anon_email('ada@mail.example')") == pseudonym
        assert db.rows(SPENT) == [(2, 1)]
        assert db.value(VALUE_OF, [token]) == "ada"

        declare(db)
        db.execute("SELECT anon_fpe_decrypt('12345678')")
        db.execute("SELECT confiture.rotate_key('masking')")
        db.sync()
        assert "INCARNATION" in db.events(), "another cluster has another identifier"
        assert {code for code, *_ in by_chain(db)} == {"OK", "W01", "W02"}
        db.refused("42501", "UPDATE confiture.lineage SET nulls = 0")
        db.connection.close()
    finally:
        there.stop()
