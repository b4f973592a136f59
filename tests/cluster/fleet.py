"""Three servers of their own, and a fourth of the auditor: what the tests of many servers share."""

import re
import subprocess
import threading
from pathlib import Path

from server import ROOT

HERE = ROOT / "examples" / "sharded"
# What wraps the masking key on its way: the same on all shards, for the transport.
KEK = "00112233445566778899aabbccddeeff" * 2


class Fleet:
    """The servers, and the script that speaks to them."""

    def __init__(self, make, folder, names=("shard1", "shard2", "shard3")):
        self.servers = [make(environment={"CONFITURE_KEK": KEK}) for _ in names]
        self.shards = [server.create_database(name="shop", key=False) for server in self.servers]
        for shard in self.shards:
            shard.execute("SELECT confiture.init_key_file()")
        self.office = make(key_file=False)
        self.auditor = self.office.create_database(name="audit", extension=False)
        self.list = folder / "shards"
        lines = [f"{name} {place(shard)}" for name, shard in zip(names, self.shards, strict=True)]
        self.list.write_text("# the shards\n" + "\n".join(lines) + "\n", encoding="utf-8")

    def script(self, command, status=0, **more):
        """Runs the script of the example; returns what it printed."""
        environment = {
            **self.office.environment, "SHARDS": str(self.list), "AUDITOR": place(self.auditor), **more
        }
        done = subprocess.run(
            [HERE / "sharded", command], env=environment, capture_output=True, text=True, check=False
        )
        assert done.returncode == status, f"{done.returncode}:\n{done.stdout}\n{done.stderr}"
        return done

    def found(self, servers=None, **more):
        """What verify_fleet says, as the example asks it: dictionaries."""
        given = servers or "(SELECT jsonb_agg(to_jsonb(f) ORDER BY f.server) FROM fleet f)"
        more = {
            "profile": "'shop'",
            "expected": "(SELECT array_agg(log) FROM member)",
            "within": "interval '1 hour'",
            **more,
        }
        named = ", ".join(f"{name} => {value}" for name, value in more.items())
        rows = self.auditor.execute(f"SELECT * FROM confiture.verify_fleet({given}, {named})")
        names = [column.name for column in rows.description]
        return [dict(zip(names, row, strict=True)) for row in rows]

    def of_set(self, **more):
        """The status of the set, and what it does not have in common: (status, [codes])."""
        rows = [row for row in self.found(**more) if row["server"] is None]
        return rows[0]["status"], [f"{row['check_code']} {row['status']}" for row in rows[1:]]

    def server(self, name, **more):
        """What is said of one server: [(code, status)], without warnings."""
        return [
            (row["check_code"], row["status"])
            for row in self.found(**more)
            if row["server"] == name and row["status"] != "warn"
        ]

    def sync(self, number, profile="shop"):
        """A run on one shard, and its anchor at the auditor's."""
        shard = self.shards[number - 1]
        shard.sync(profile)
        anchor = shard.value("SELECT confiture.export_anchor()")
        self.auditor.execute(
            "UPDATE fleet SET anchors = array_append(anchors, %s) WHERE server = %s", [anchor, f"shard{number}"]
        )

    def peak(self, servers):
        """The most that a session has in memory of its own for these servers, in KiB, and what is said
        of them: [(status, detail, entries)]."""
        session = self.auditor.session()
        session.execute("SET statement_timeout = 0")
        seen, done = [], threading.Event()
        watch = threading.Thread(target=sample, args=(session.pid(), seen, done))
        watch.start()
        rows = session.rows(
            "SELECT status, detail, facts ->> 'entries' FROM confiture.verify_fleet(%s)"
            " WHERE check_code = 'SERVER'", [servers]
        )
        done.set()
        watch.join()
        return max(seen), rows


def sample(pid, seen, done):
    """Notes what a process has in memory of its own, in KiB, until told to end."""
    while not done.is_set():
        status = Path(f"/proc/{pid}/status").read_text(encoding="ascii")
        seen.append(int(re.search(r"RssAnon:\s+(\d+)", status)[1]))
        done.wait(0.005)


def place(database):
    """How libpq reaches a database."""
    environment = database.server.environment
    return (
        f"host={environment['PGHOST']} port={environment['PGPORT']} dbname={database.name}"
        " user=postgres"
    )
