"""A physical standby of a throw-away server, in its folder, and what a crash takes."""

import os
import shlex
import signal
import subprocess
import tempfile
import time

import psycopg

from server import CLUSTER

USER = "postgres"


def as_server(bindir, *command, folder="/"):
    """Runs a program of a server as the user who owns it."""
    command = [str(bindir / command[0]), *map(str, command[1:])]
    if os.geteuid() == 0:
        command = ["runuser", "-u", USER, "--", *command]
    # A file, not a pipe: what is started here would hold a pipe open.
    with tempfile.TemporaryFile("w+", encoding="utf-8") as said:
        done = subprocess.run(command, cwd=folder, stdout=said, stderr=said, check=False)
        said.seek(0)
        assert done.returncode == 0, f"{shlex.join(command)}:\n{said.read()}"


class Standby:
    """Follows its primary; reached by the same folder under the next port."""

    def __init__(self, primary, *settings, name="standby"):
        self.primary = primary
        self.port = int(primary.environment["PGPORT"]) + 1
        parent = primary.folder / name
        parent.mkdir(mode=0o700)
        if os.geteuid() == 0:
            subprocess.run(["chown", USER, str(parent)], check=True)
        self.data = parent / "data"
        socket = primary.environment["PGHOST"]
        as_server(
            primary.bindir, "pg_basebackup", "-D", self.data, "-R", "-X", "stream", "-c", "fast",
            "-h", socket, "-p", primary.environment["PGPORT"], "-U", "postgres",
        )
        with open(self.data / "postgresql.conf", "a", encoding="utf-8") as conf:
            conf.write(f"\nport = {self.port}\n")
            for setting in settings:
                conf.write(f"{setting}\n")
        as_server(
            primary.bindir, "pg_ctl", "-D", self.data, "-l", parent / "log", "-w", "-t", "60", "start"
        )

    def connect(self, database):
        """A plain psycopg connection."""
        return psycopg.connect(
            host=self.primary.environment["PGHOST"],
            port=self.port,
            dbname=database,
            user="postgres",
            autocommit=True,
        )

    def stop(self):
        """Stops it; its folder goes with the primary's."""
        as_server(self.primary.bindir, "pg_ctl", "-D", self.data, "-m", "immediate", "-w", "stop")


def processes(server):
    """The postmaster's process id and those of its children by kind."""
    with server.connect("postgres") as connection:
        children = connection.execute("SELECT pid, backend_type FROM pg_stat_activity").fetchall()
    lines = (server.folder / "data" / "postmaster.pid").read_text().splitlines()
    return int(lines[0]), dict(children)


# Of a server that writes to the disk. Who wakes seldom holds no lock when it is stopped.
DURABLE = ("fsync=on", "full_page_writes=on", "wal_writer_delay=10s")


def stop_the_writer(server):
    """Nobody but a session itself can bring what it wrote to the disk from now on."""
    postmaster, children = processes(server)
    writer = next(pid for pid, kind in children.items() if kind == "walwriter")
    os.kill(writer, signal.SIGSTOP)
    return [postmaster, *children]


def kill(pids):
    """Ends processes at once, the postmaster first, and waits until they are gone."""
    for pid in pids:
        try:
            os.kill(pid, signal.SIGKILL)
        except ProcessLookupError:
            pass
    for pid in pids:
        for _ in range(500):
            if not _is_running(pid):
                break
            time.sleep(0.02)


def _is_running(pid):
    try:
        with open(f"/proc/{pid}/stat", encoding="utf-8") as stat:
            return stat.read().rpartition(")")[2].split()[0] != "Z"
    except (FileNotFoundError, ProcessLookupError):
        return False


def start_again(server):
    """Starts a server whose processes are gone."""
    # Where nobody collects ended processes, their ids still look like those of a running server.
    (server.folder / "data" / "postmaster.pid").unlink()
    for lock in (server.folder / "socket").glob(".s.PGSQL.*"):
        lock.unlink()
    done = subprocess.run(
        [str(CLUSTER), "start", server.name], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
