"""Throw-away servers (made by tools/cluster), databases on them and sessions of those."""

import os
import re
import shlex
import subprocess
from pathlib import Path

import psycopg
import pytest

ROOT = Path(__file__).resolve().parents[2]
CLUSTER = ROOT / "tools" / "cluster"
# Each worker of a run has servers of its own.
WORKER = os.environ.get("PYTEST_XDIST_WORKER", "")
PREFIX = (os.environ.get("CONFITURE_TEST_PREFIX") or f"t{os.getpid()}-") + WORKER

# A session that hangs is a failure and must not hold up the rest.
LONGEST = "120s"


class Server:
    """One server of its own, reached by the socket in its folder."""

    def __init__(self, name, *settings, environment=None, key_file=True):
        self.name = PREFIX + name
        self.folder = Path(_tool("dir", self.name).stdout.strip())
        self.key_file = self.folder / "keys" / "confiture.key"
        self.log_file = self.folder / "log"
        settings = ["fsync=off", "full_page_writes=off", "max_connections=60", *settings]
        if key_file:
            settings.append(f"confiture.key_file={self.key_file}")
        # Whoever runs the tests may have seeds set; here they are for one server.
        inherited = {
            k: v for k, v in os.environ.items() if not k.startswith(("ANONYMIZATION", "CONFITURE"))
        }
        _tool("start", self.name, *settings, env={**inherited, **(environment or {})})
        self.environment = {**os.environ, **_exports(self.folder / "env")}
        self.bindir = Path(_choice(self.folder / "choices", "bindir"))
        self.environment["PATH"] = f"{self.bindir}:{os.environ['PATH']}"
        self.environment["PGOPTIONS"] = f"-c statement_timeout={LONGEST}"
        self.environment["PGCLIENTENCODING"] = "UTF8"
        self._databases = 0
        self._key_made = False
        self._template = None
        with self.connect("postgres") as connection:
            self.version = connection.info.server_version // 10000

    def connect(self, database, user="postgres", autocommit=True, **parameters):
        """A plain psycopg connection."""
        return psycopg.connect(
            host=self.environment["PGHOST"],
            port=self.environment["PGPORT"],
            dbname=database,
            user=user,
            autocommit=autocommit,
            options=f"-c statement_timeout={LONGEST}",
            **parameters,
        )

    def create_database(self, name=None, options="", extension=True, key=True):
        """A fresh database, with the extension and a masking key unless told otherwise."""
        self._databases += 1
        name = name or f"d{self._databases}"
        # The first is as users make it.
        is_copied = extension and not options and self._databases > 1
        if is_copied:
            options = f"TEMPLATE {self._installed()}"
        with self.connect("postgres") as connection:
            connection.execute(f'CREATE DATABASE "{name}" {options}')
        database = Database(self, name)
        if not is_copied:
            database.set_up(extension)
        if extension and key:
            database.make_key()
        return database

    def _installed(self):
        """The name of a database with the extension and without an id, which comes with its first use."""
        if self._template is None:
            with self.connect("postgres") as connection:
                connection.execute("CREATE DATABASE installed")
            template = Database(self, "installed")
            template.set_up(extension=True)
            template.connection.close()
            self._template = template.name
        return self._template

    def run(self, program, *arguments, database=None, stdin=None, check=True, user=None):
        """Runs one of the server's own client programs, or any other, with the connection set."""
        environment = dict(self.environment)
        if database:
            environment["PGDATABASE"] = database
        if user:
            environment["PGUSER"] = user
        done = subprocess.run(
            [str(program), *map(str, arguments)],
            env=environment,
            input=stdin,
            capture_output=True,
            text=True,
            check=False,
        )
        if check and done.returncode != 0:
            raise AssertionError(
                f"{program} ended with {done.returncode}:\n{done.stdout}\n{done.stderr}"
            )
        return done

    def per_second(self, database, script, clients=1, seconds=4):
        """Transactions per second that pgbench counts, all of which went through."""
        done = self.run(
            "pgbench", "-n", "-M", "prepared", "-c", clients, "-j", min(clients, 2), "-T", seconds,
            "-f", script, database,
        )
        failed = re.search(r"number of failed transactions: (\d+)", done.stdout)
        assert failed is None or failed[1] == "0", done.stdout
        return float(re.search(r"tps = ([0-9.]+) ", done.stdout)[1])

    def psql(self, database, *arguments, **more):
        """psql without start-up file that stops at the first error."""
        return self.run(
            "psql", "-X", "-q", "-v", "ON_ERROR_STOP=1", *arguments, database=database, **more
        )

    def log(self):
        """The server's log so far."""
        return self.log_file.read_text(encoding="utf-8", errors="replace")

    def in_log(self, texts):
        """Which of many texts the server's log holds: all are looked for at once."""
        patterns = "\n".join(texts)
        found = subprocess.run(
            ["grep", "--only-matching", "--fixed-strings", "--text", "-f", "-", self.log_file],
            input=patterns,
            env={"LC_ALL": "C"},
            text=True,
            capture_output=True,
            check=False,
        )
        assert found.returncode in (0, 1), found.stderr
        return sorted(set(found.stdout.splitlines()))

    def has(self, extension):
        """Whether an extension of the server's own distribution can be installed."""
        with self.connect("postgres") as connection:
            found = connection.execute(
                "SELECT FROM pg_available_extensions WHERE name = %s", [extension]
            )
            return found.rowcount == 1

    def key_file_is_there(self):
        """Asked of the server: the folder is its own, and closed to whoever runs the tests."""
        if not self._key_made:
            with self.connect("postgres") as connection:
                self._key_made = connection.execute(
                    "SELECT (pg_stat_file(%s, true)).size IS NOT NULL", [str(self.key_file)]
                ).fetchone()[0]
        return self._key_made

    def stop(self):
        """Stops the server and removes its folder."""
        _tool("stop", self.name)


class Session:
    """A connection with the few calls that the tests are written in."""

    def __init__(self, connection):
        self.connection = connection
        self.notices = []
        # What a notice says is gone after the call, so it is noted down here.
        connection.add_notice_handler(lambda notice: self.notices.append(parts(notice)))

    def execute(self, sql, parameters=None):
        """Runs a statement."""
        return self.connection.execute(sql, parameters)

    def rows(self, sql, parameters=None):
        """All rows, as tuples."""
        return self.execute(sql, parameters).fetchall()

    def column(self, sql, parameters=None):
        """The first column of all rows."""
        return [row[0] for row in self.rows(sql, parameters)]

    def value(self, sql, parameters=None):
        """The first column of the only row."""
        rows = self.rows(sql, parameters)
        assert len(rows) == 1, f"{len(rows)} rows instead of one: {sql}"
        return rows[0][0]

    def refused(self, sqlstate, sql, parameters=None):
        """Runs what must fail with this SQLSTATE (or one of these) and returns the report."""
        expected = {sqlstate} if isinstance(sqlstate, str) else set(sqlstate)
        try:
            self.execute(sql, parameters)
        except psycopg.Error as error:
            report = error.diag
            parts = (report.sqlstate, report.message_primary, report.message_detail)
            got = " | ".join(str(part) for part in (*parts, report.message_hint))
            assert report.sqlstate in expected, f"expected {sorted(expected)}, got {got}"
            return report
        raise AssertionError(f"expected {sorted(expected)}, but it went through: {sql}")

    def load(self, profile):
        """Loads a profile."""
        return self.value("SELECT confiture.load_profile(%s)", [profile])

    def sync(self, profile="small", source="prod", target="staging", options="{}"):
        """Runs a sync."""
        self.execute(*_call(profile, source, target, options))

    def attempt(self, profile="small", source="prod", target="staging", options="{}"):
        """Runs a sync that may fail; returns the SQLSTATE, None where it went through."""
        try:
            self.sync(profile, source, target, options)
        except psycopg.Error as error:
            return error.diag.sqlstate
        return None

    def sync_refused(
        self, sqlstate, profile="small", source="prod", target="staging", options="{}"
    ):
        """Runs a sync that must fail."""
        return self.refused(sqlstate, *_call(profile, source, target, options))

    def plan(self, profile="small", source="prod", target="staging", options="{}"):
        """The dry run: {(table, column): row as a dictionary}."""
        rows = self.execute(
            "SELECT * FROM confiture.plan(%s, %s, %s, %s)", [profile, source, target, options]
        )
        names = [column.name for column in rows.description]
        rows = [dict(zip(names, row, strict=True)) for row in rows]
        return {(row["table_name"], row["column_name"]): row for row in rows}

    def plan_refused(
        self, sqlstate, profile="small", source="prod", target="staging", options="{}"
    ):
        """A dry run that must fail."""
        return self.refused(
            sqlstate,
            "SELECT * FROM confiture.plan(%s, %s, %s, %s)",
            [profile, source, target, options],
        )

    def events(self):
        """The events of the audit log, oldest first, but for what a test is set up with."""
        setup = {"PROFILE_LOADED", "ACCESS_GRANTED"}
        return [event for event in self.all_events() if event not in setup]

    def all_events(self):
        """The events of the audit log, oldest first."""
        return self.column("SELECT event FROM confiture.audit_log ORDER BY seq")

    def findings(self):
        """What verify_ledger says, as {code: (status, seq_from, seq_to)}."""
        rows = self.rows(
            "SELECT check_code, status, seq_from, seq_to FROM confiture.verify_ledger()"
        )
        return {row[0]: row[1:] for row in rows}

    def content(self, schema):
        """What a schema holds: {relation: digest of its rows}; {} where the schema is not there."""
        tables = self.column(
            "SELECT format('%%I.%%I', n.nspname, c.relname) FROM pg_class c"
            " JOIN pg_namespace n ON n.oid = c.relnamespace"
            " WHERE n.nspname = %s AND c.relkind IN ('r', 'p', 'f') ORDER BY 1",
            [schema],
        )
        # As JSON, which has an order of its own: two tables may have their columns in another one.
        row = 'to_jsonb(t)::text COLLATE "C"'
        sorted_rows = f"string_agg({row}, E'\\n' ORDER BY {row})"
        digest = f"SELECT md5(coalesce({sorted_rows}, '')) FROM {{}} AS t"
        return {table: self.value(digest.format(table)) for table in tables}

    def pid(self):
        """Process id of the backend."""
        return self.connection.info.backend_pid


class Database(Session):
    """A database, and a superuser's session in it."""

    def __init__(self, server, name):
        super().__init__(server.connect(name))
        self.server = server
        self.name = name
        self._others = []

    def set_up(self, extension):
        """Gives a database that was made from nothing the extension, or readies it for that."""
        # Until 14, PUBLIC may create in a fresh database, and the extension refuses to go there.
        if self.server.version < 15:
            self.execute("REVOKE CREATE ON SCHEMA public FROM PUBLIC")
        if extension:
            self.execute("CREATE EXTENSION confiture")

    def session(self, user="postgres", **parameters):
        """Another session."""
        session = Session(self.server.connect(self.name, user=user, **parameters))
        self._others.append(session)
        return session

    def configure(self, **settings):
        """Sets settings of the extension for the whole server; returns a session that sees them.

        None takes one back.
        """
        self.execute("LOAD 'confiture'")
        for name, value in settings.items():
            if value is None:
                self.execute(f"ALTER SYSTEM RESET confiture.{name}")
            else:
                quoted = str(value).replace("'", "''")
                self.execute(f"ALTER SYSTEM SET confiture.{name} = '{quoted}'")
        self.execute("SELECT pg_reload_conf()")
        given = {name: str(value) for name, value in settings.items() if value is not None}
        for _ in range(200):
            session = self.session()
            session.execute("LOAD 'confiture'")
            seen = {n: session.value(f"SELECT current_setting('confiture.{n}')") for n in given}
            if seen == given:
                return session
            session.execute("SELECT pg_sleep(0.02)")
        raise AssertionError("the server did not take up the setting")

    def drop(self):
        """Ends its sessions and drops it: a test leaves no disk used."""
        for session in [self, *self._others]:
            session.connection.close()
        with self.server.connect("postgres") as connection:
            connection.execute(f'DROP DATABASE "{self.name}" WITH (FORCE)')

    def psql(self, *arguments, **more):
        """psql in this database."""
        return self.server.psql(self.name, *arguments, **more)

    def needs_xml(self):
        """Skips the test where the server was built without libxml."""
        try:
            self.value("SELECT '<a/>'::xml::text")
        except psycopg.errors.FeatureNotSupported:
            pytest.skip("this server reads no xml")

    def make_key(self):
        """The masking key, and once per server the file that wraps it."""
        if not self.server.key_file_is_there():
            self.execute("SELECT confiture.init_key_file()")
        self.execute("SELECT confiture.create_key('masking')")

    def role(self, stem):
        """A new login role; roles belong to the server, so the name is made unique."""
        name = f"{stem}_{self.name}"
        self.execute(f'CREATE ROLE "{name}" LOGIN')
        return name


def parts(report):
    """Every part of an error or a notice, by name."""
    names = [name for name in dir(report) if not name.startswith("_")]
    return {name: getattr(report, name) for name in names}


def _call(profile, source, target, options):
    return "CALL confiture.sync(%s, source => %s, target => %s, options => %s)", [
        profile,
        source,
        target,
        options,
    ]


def _tool(*arguments, env=None):
    done = subprocess.run(
        [str(CLUSTER), *arguments], capture_output=True, text=True, check=False, env=env
    )
    assert done.returncode == 0, f"tools/cluster {' '.join(arguments)}:\n{done.stderr}"
    return done


def _exports(path):
    """The variables of an env file: lines of `export NAME='value'`."""
    lines = shlex.split(path.read_text(), comments=True)
    return dict(word.split("=", 1) for word in lines if "=" in word)


def _choice(path, name):
    lines = dict(line.split("=", 1) for line in path.read_text().splitlines())
    return lines[name]
