"""Random statements against everything that the extension has: no crash, no assertion, no internal error.

    python run_sqlsmith.py SECONDS
"""

import collections
import re
import subprocess
import sys
import time

import every_function
from server import Server

# What ends a session or a server where nobody asked for it.
ENDS = re.compile("PANIC:|FATAL:|TRAP:|was terminated by signal|server process .* exited")
# Random statements of a superuser end sessions, and sqlsmith is ended while one runs.
MEANT = re.compile("FATAL:  (57P01: terminating connection due|08006: connection to client lost)")
# What would write to disks, end the server, or wait: no fault of it would be one of the extension.
TAKEN = """
    DO $$
    DECLARE f record;
    BEGIN
      FOR f IN SELECT p.oid::regprocedure AS shown FROM pg_proc p
                WHERE p.pronamespace = 'pg_catalog'::regnamespace
                  AND p.proname ~ '^(pg_(terminate|cancel|reload|rotate|promote|switch|sleep|wal|start|stop|backup|create|drop|replication|logical|file|read|ls|stat_file|advisory|try_advisory|import|log_backend)|lo_|dblink|query_to|table_to|cursor_to|schema_to|database_to|binary_upgrade|brin|gin_clean|setval|nextval)'
      LOOP EXECUTE format('REVOKE EXECUTE ON ROUTINE %s FROM PUBLIC', f.shown); END LOOP;
    END $$"""


def smith(server, user, seconds, seed):
    """Lets it run; how many statements went through and failed, by its own count."""
    database = server.database
    folder = server.environment["PGHOST"]
    target = f"host={folder} port={server.environment['PGPORT']} dbname={database} user={user}"
    process = subprocess.Popen(
        ["sqlsmith", f"--target={target}", "--verbose", "--exclude-catalog", f"--seed={seed}"],
        stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip
    try:
        _, said = process.communicate(timeout=seconds)
    except subprocess.TimeoutExpired:
        process.terminate()
        _, said = process.communicate()
    counts = re.findall(r"queries: (\d+)", said)
    return int(counts[-1]) if counts else 0, said


def main():
    """Both roles, and what the log says then."""
    seconds = int(sys.argv[1])
    server = Server("sqlsmith", "log_error_verbosity=verbose", "log_min_messages=error",
                    "log_min_error_statement=panic")
    try:
        db = server.create_database()
        server.database = db.name
        every_function.make_world(db)
        role = db.role("smith")
        every_function.grant_everything(db, role)
        db.execute(TAKEN)
        before = db.value("SELECT pg_postmaster_start_time()")
        for user in (role, "postgres"):
            seed = time.time_ns() % 1_000_000
            count, said = smith(server, user, seconds, seed)
            print(f"{user}: {count} statements in {seconds} s, seed {seed}", flush=True)
            if count == 0:
                print(said[-2000:])
        log = server.log().splitlines()
        states = collections.Counter(re.findall(r"ERROR:  ([0-9A-Z]{5}):", "\n".join(log)))
        print("errors by SQLSTATE:", dict(states.most_common()))
        ends = [line for line in log if ENDS.search(line) and not MEANT.search(line)]
        internal = internal_errors(log)
        db.connection.close()
        with server.connect(db.name) as connection:
            after = connection.execute("SELECT pg_postmaster_start_time()").fetchone()[0]
            verified = connection.execute("SELECT check_code, status FROM confiture.verify_ledger()").fetchall()
        print("ledger:", verified)
        for line in [*ends, *internal]:
            print(line)
        return 1 if ends or internal or before != after else 0
    finally:
        server.stop()


def internal_errors(log):
    """Internal errors that this library raised, not the server."""
    found = []
    for at, line in enumerate(log):
        if "ERROR:  XX000:" not in line:
            continue
        # What is said of it ends with where it was raised: the server's files end in .c.
        rest = "\n".join(log[at : at + 20])
        place = re.search(r"LOCATION:  .*?, (\S+):\d+", rest)
        rest = rest[: place.end()] if place else rest
        if place is None or not place[1].endswith(".c") or "confiture" in rest or "anon_" in rest:
            found.append(rest)
    return found


if __name__ == "__main__":
    sys.exit(main())
