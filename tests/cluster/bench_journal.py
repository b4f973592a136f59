"""Measures records of the journal, beside plain INSERTs on the same disk: see tools/bench."""

import statistics

from server import Server

SECONDS = 4
ROUNDS = 5

RECORD = "SELECT anon_fpe_decrypt('12345678');"
SCRIPTS = {
    "one record each (`anon_fpe_decrypt`)": RECORD,
    "one record each, rolled back": f"BEGIN;\n{RECORD}\nROLLBACK;",
    "one `INSERT` of such a row and COMMIT each, the reference": (
        "INSERT INTO plain (number, at, event, user_name, session_user_name, hostname,"
        " application_name, backend_pid, transaction_id, about, amount, key_name, key_version,"
        " canon_version, signature) VALUES (1, now(), 'REVEALED', current_user, session_user,"
        " '[local]', 'pgbench', pg_backend_pid(), 1, 'anon_fpe_decrypt', 1, 'masking', 1, 1,"
        " '\\x0000000000000000000000000000000000000000000000000000000000000000');"
    ),
    "the same value masked (`anon_fpe`): no record": "SELECT anon_fpe('12345678');",
}


def main():
    """All of it."""
    # A crash must find everything: that is what is paid for.
    server = Server("bench", "fsync=on", "full_page_writes=on", "max_wal_size=4GB")
    try:
        db = server.create_database()
        db.execute("CREATE TABLE plain (LIKE confiture.journal)")
        paths = {}
        for number, (what, script) in enumerate(SCRIPTS.items()):
            paths[what] = server.folder / f"script{number}"
            paths[what].write_text(script)
        print(f"| transactions per second, median of {ROUNDS} times {SECONDS} s | 1 client | 8 clients |")
        print("|---|---|---|")
        found = {(what, clients): [] for what in SCRIPTS for clients in (1, 8)}
        # In turn, so that a noisy moment hits all of them.
        for _ in range(ROUNDS):
            for what, clients in found:
                found[what, clients].append(server.per_second(db.name, paths[what], clients, SECONDS))
        for what in SCRIPTS:
            one, many = (statistics.median(found[what, clients]) for clients in (1, 8))
            print(f"| {what} | {one:,.0f} | {many:,.0f} |")
        rows = db.value("SELECT count(*) FROM confiture.journal")
        last = db.value("SELECT last_value FROM confiture.journal_count")
        assert rows == last, (rows, last)
        size = db.value("SELECT pg_relation_size('confiture.journal')") / rows
        begun = db.value("SELECT clock_timestamp()")
        codes = db.findings()
        took = (db.value("SELECT clock_timestamp()") - begun).total_seconds()
        assert "OK" in codes, codes
        print()
        print("| what it costs | |")
        print("|---|---|")
        print(f"| bytes of a record, with its share of the page | {size:,.0f} |")
        print(f"| records verified per second | {rows / took:,.0f} |")
        fold = "SELECT confiture.rotate_key('salt-bench')"
        db.execute("SELECT confiture.create_key('salt-bench')")
        times = []
        for _ in range(30):
            db.execute(RECORD)
            begun = db.value("SELECT clock_timestamp()")
            db.execute(fold)
            times.append((db.value("SELECT clock_timestamp()") - begun).total_seconds() * 1000)
        print(
            f"| an act on a key behind {rows:,} records, in ms (median of 30) |"
            f" {statistics.median(times):.1f} |"
        )
        db.drop()
    finally:
        server.stop()


main()
