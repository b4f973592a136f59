"""Measures the vault beside plain tables of the same width and indexes: see tools/bench."""

import statistics

from server import Server

ROWS = 200_000
BATCH = 20_000
ROUNDS = 3
SECONDS = 4

# A value as long as a usual address, sealed as the vault seals it.
PLAIN = """
    CREATE TABLE plain (LIKE confiture.token INCLUDING DEFAULTS);
    ALTER TABLE plain ADD PRIMARY KEY (domain, handle), ADD UNIQUE (domain, reference);
    CREATE INDEX ON plain (subject) WHERE subject IS NOT NULL;
    CREATE INDEX ON plain (expires_at) WHERE expires_at IS NOT NULL;
    CREATE TABLE readymade AS
      SELECT 1 AS domain, 1 AS key_version, sha256(('h' || i)::bytea) AS long, i
        FROM generate_series(1, {rows}) i
"""
FILL = """
    INSERT INTO plain (domain, key_version, handle, reference, salt, key_name, payload)
    SELECT domain, key_version, substr(long, 1, 16), substr(long, 17, 16), '\\x0000', 'masking',
           long || substr(long, 1, 21) FROM readymade WHERE i > {low} AND i <= {high}
"""
MAKE = """
    SELECT cardinality(
             confiture.tokenize_batch('{domain}', array_agg('person.' || i || '@work.example')))
      FROM generate_series({low} + 1, {high}) i
"""
JOIN = """
    SELECT count(r.i)
      FROM (SELECT sha256(('h' || i)::bytea) AS long FROM generate_series(1, {rows}) i) v
      JOIN plain p ON p.domain = 1 AND p.handle = substr(v.long, 1, 16)
      LEFT JOIN readymade r ON false
"""


def seconds(db, sql):
    """How long a statement took, its commit included."""
    begun = db.value("SELECT clock_timestamp()")
    db.execute(sql)
    return (db.value("SELECT clock_timestamp()") - begun).total_seconds()


def batches():
    return [(low, low + BATCH) for low in range(0, ROWS, BATCH)]


def main():
    """All of it, in turn, so that a noisy moment hits everybody."""
    server = Server("bench", "fsync=on", "full_page_writes=on", "max_wal_size=4GB")
    try:
        db = server.create_database()
        db.execute("SET statement_timeout = 0")
        db.execute(PLAIN.format(rows=ROWS))
        new, old = {"plain": [], "vault": []}, {"plain": [], "vault": []}
        for number in range(ROUNDS):
            domain = f"d{number}"
            db.execute("SELECT confiture.create_domain(%s)", [domain])
            db.execute("TRUNCATE plain")
            for low, high in batches():
                new["plain"].append(seconds(db, FILL.format(low=low, high=high)))
                new["vault"].append(seconds(db, MAKE.format(domain=domain, low=low, high=high)))
            db.execute("ANALYZE plain; ANALYZE confiture.token")
            old["plain"].append(seconds(db, JOIN.format(rows=ROWS)))
            old["vault"].append(
                sum(
                    seconds(db, MAKE.format(domain=domain, low=low, high=high))
                    for low, high in batches()
                )
            )
        print("| vault | rows per second | ratio | asked |")
        print("|---|---|---|---|")
        made, plain = (
            BATCH / statistics.median(new["vault"]),
            BATCH / statistics.median(new["plain"]),
        )
        print(
            f"| new tokens, {BATCH:,} to a batch, durable | {made:,.0f}"
            f" | {made / plain:.2f} | ≥ 0.6 |"
        )
        print(f"| bare INSERT … SELECT of such rows | {plain:,.0f} | | |")
        found, joined = (
            ROWS / statistics.median(old["vault"]),
            ROWS / statistics.median(old["plain"]),
        )
        print(f"| tokens that are there | {found:,.0f} | {found / joined:.2f} | ≥ 0.5 |")
        print(f"| bare join of as many | {joined:,.0f} | | |")
        db.execute("SELECT confiture.grant_access('revealer', session_user::text, 'd0')")
        token = db.value("SELECT (confiture.tokenize_batch('d0', '{person.1@work.example}'))[1]")
        db.execute("CREATE TABLE one (at timestamptz, text text)")
        scripts = {
            "reveal": f"SELECT confiture.reveal('{token}', 'd0', 'bench');",
            "commit": "INSERT INTO one VALUES (now(), 'as long as a record of the journal');",
        }
        rates = {what: [] for what in scripts}
        for what, script in scripts.items():
            (server.folder / what).write_text(script)
        for _ in range(5):
            for what in scripts:
                rates[what].append(server.per_second(db.name, server.folder / what, seconds=SECONDS))
        reveals, commits = (statistics.median(rates[what]) for what in ("reveal", "commit"))
        print(
            f"| reveals, one client | {reveals:,.0f}"
            f" | {commits / reveals:.2f} × the time | ≤ 1.5 × |"
        )
        print(f"| one INSERT and COMMIT each | {commits:,.0f} | | |")
        print("| the predecessor: tokens made, durable | 244 | | |")
        print("| the predecessor: tokens given back, durable | 220 to 298 | | |")
    finally:
        server.stop()


if __name__ == "__main__":
    main()
