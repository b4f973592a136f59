"""Measures every mask over a million rows beside its references, and those that grow with their
value over long ones, in one run: see tools/bench.

Each figure is a query over one table that calls one function per row, without workers. All take
turns, so that a noisy moment hits all of them; the fastest of the turns counts, less the fastest
bare scan of the same column. Ratios are what can be compared between machines.
"""

import os
import time

from server import Server

ROWS = int(os.environ.get("ROWS", "1000000"))
ROUNDS = int(os.environ.get("ROUNDS", "3"))

TABLE = """
CREATE TABLE bench AS
  SELECT i AS id,
         'person' || i || '@mail.example' AS email,
         'First' || i % 5000 || ' Family' || i % 20000 AS person,
         '4' || lpad((i::bigint * 7919 % 1000000000000000)::text, 15, '0') AS digits,
         '+49 30 ' || lpad((i * 37 % 10000000)::text, 7, '0') AS phone,
         (i * 13 % 200000) AS salary,
         date '1950-01-01' + (i * 31 % 25000) AS born,
         timestamp '2020-01-01' + i * interval '61 seconds' AS seen,
         ((i * 7 % 1000000) / 100.0)::numeric(12, 2) AS amount,
         ('10.' || i % 256 || '.' || i / 256 % 256 || '.' || i / 65536 % 256)::inet AS ip,
         md5(i::text)::uuid AS ref,
         'https://www.shop.example/item/' || i AS url,
         48 + (i % 1000) / 500.0 AS latitude
    FROM generate_series(1, {rows}) AS i
"""

HMAC = "encode(hmac(email, 'a key of thirty-two bytes, secret', 'sha256'), 'hex')"

# What is asked of them (the ratio to pgcrypto's HMAC), and nothing where they get figures alone.
MASKS = [
    ("anon_hash(email)", "email", 0.4),
    ("anon_email(email)", "email", 0.35),
    ("anon_fpe(digits)", "digits", 0.7),
    ("anon_dp_noise(salary, 1.0, 1.0)", "salary", 0.35),
]


def candidates(db):
    """Every mask there is, called as its own example says but with a column of the table."""
    there = db.column("SELECT DISTINCT proname::text FROM pg_proc WHERE proname LIKE 'anon\\_%'")
    others = [(call, column, None if name in ALONE else 1.0) for name, call, column in OTHERS]
    return [mask for mask in [*MASKS, *others] if mask[0].split("(")[0] in there]


OTHERS = [
    ("anon_phone", "anon_phone(phone)", "phone"),
    ("anon_redact", "anon_redact(email)", "email"),
    ("anon_mask", "anon_mask(email, keep => 'email_domain')", "email"),
    ("anon_salted_hash", "anon_salted_hash(email, salt => 'bench')", "email"),
    ("anon_dp_noise_sticky", "anon_dp_noise_sticky(salary, 1.0, 1.0, row_key => email)", "salary"),
    ("anon_dp_choice", "anon_dp_choice('a'::text, 1.0, domain => ARRAY['a', 'b', 'c'])", "email"),
    ("anon_name", "anon_name(person)", "person"),
    ("anon_username", "anon_username(person)", "person"),
    ("anon_company", "anon_company(person)", "person"),
    ("anon_job", "anon_job(person)", "person"),
    ("anon_national_id", "anon_national_id('123-45-6789', country => 'us')", "person"),
    ("anon_address", "anon_address(person)", "person"),
    ("anon_geo", "anon_geo(latitude, 'latitude')", "latitude"),
    ("anon_ip", "anon_ip(ip)", "ip"),
    ("anon_mac", "anon_mac('08:00:2b:01:02:03'::macaddr)", "ip"),
    ("anon_url", "anon_url(url)", "url"),
    ("anon_user_agent", "anon_user_agent(url)", "url"),
    ("anon_uuid", "anon_uuid(ref)", "ref"),
    ("anon_credit_card", "anon_credit_card('4111111111111111'::text)", "digits"),
    ("anon_iban", "anon_iban('DE89370400440532013000')", "digits"),
    ("anon_date_shift", "anon_date_shift(born, entity => email)", "born"),
    ("anon_noise", "anon_noise(amount, ratio => 0.1)", "amount"),
    ("anon_round", "anon_round(amount, 10)", "amount"),
    ("anon_generalize", "anon_generalize(born, unit => 'month')", "born"),
    ("anon_choice", "anon_choice(person, ARRAY['red', 'green', 'blue'])", "person"),
    ("anon_constant", "anon_constant(person, 'x')", "person"),
    ("anon_null", "anon_null(person)", "person"),
    ("anon_lorem", "anon_lorem(url)", "url"),
    ("anon_text", "anon_text('Call ' || phone || ' or write to ' || email)", "phone"),
    (
        "anon_json",
        "anon_json(jsonb_build_object('email', email, 'id', id),"
        """ paths => '{"$.email": "email", "$.id": "keep"}')""",
        "email",
    ),
]
ALONE = {"anon_lorem", "anon_text", "anon_json"}


# Calls whose time grows with the value, or is long on purpose, on values of a known length: column
# and rows, so that each takes about as long.
LONG = [
    ("anon_fpe(digits)", "digits", 20000),
    ("anon_lorem(prose)", "prose", 20000),
    ("anon_text(prose)", "prose", 2000),
    ("""anon_json(document, paths => '{"$.email": "email", "$.id": "keep"}')""", "document", 20000),
    ("anon_salted_hash(email, salt => 'bench', algorithm => 'argon2id')", "email", 20),
]

LONG_TABLE = """
CREATE TABLE long AS
  SELECT 'person' || i || '@mail.example' AS email,
         lpad((i::bigint * 7919)::text, 80, '7') AS digits,
         repeat('Call +49 30 ' || lpad((i * 37 % 10000000)::text, 7, '0') || ' or write to person'
                || i || '@mail.example soon. ', 16) AS prose,
         jsonb_build_object('email', 'p' || i || '@mail.example', 'id', i,
                            'note', repeat('y', 900)) AS document
    FROM generate_series(1, 20000) AS i
"""


def long_values(db):
    """The calls of LONG and the reference, in the same turns."""
    db.execute(LONG_TABLE)
    db.execute("VACUUM ANALYZE long")
    calls = [(HMAC, "email", 20000), *LONG]
    best = {}
    for _ in range(ROUNDS):
        for call, column, rows in calls:
            for what in (column, call):
                begun = time.perf_counter()
                db.execute(f"SELECT count({what}) FROM (SELECT * FROM long LIMIT {rows}) AS t")
                key = (call, what == call)
                best[key] = min(time.perf_counter() - begun, best.get(key, 1e9))
    print()
    print("| call | bytes | µs per value | MB/s |")
    print("|---|---|---|---|")
    for call, column, rows in calls:
        size = float(db.value(f"SELECT avg(octet_length({column}::text)) FROM long"))
        micros = (best[call, True] - best[call, False]) / rows * 1e6
        print(f"| `{call}` | {size:.0f} | {micros:.1f} | {size / micros:.3g} |")


def main():
    """All of it."""
    server = Server("bench")
    try:
        db = server.create_database()
        db.execute("CREATE EXTENSION IF NOT EXISTS pgcrypto")
        db.execute("SELECT confiture.create_key('salt-bench')")
        db.execute(TABLE.format(rows=ROWS))
        db.execute("VACUUM ANALYZE bench")
        db.execute("SET max_parallel_workers_per_gather = 0")
        db.execute("SET statement_timeout = 0")
        masks = candidates(db)
        queries = {HMAC: "email"}
        crate = "tests.bench_crate_fpe(digits)"
        if db.value("SELECT to_regproc('tests.bench_crate_fpe') IS NOT NULL"):
            queries[crate] = "digits"
        queries |= {call: column for call, column, _ in masks}
        columns = sorted(set(queries.values()))
        queries |= {column: column for column in columns}
        best = {}
        for _ in range(ROUNDS):
            for call in queries:
                begun = time.perf_counter()
                db.execute(f"SELECT count({call}) FROM bench")
                seconds = time.perf_counter() - begun
                best[call] = min(seconds, best.get(call, seconds))
        net = {call: (best[call] - best[column]) / ROWS * 1e9 for call, column in queries.items()}
        reference = net[HMAC]
        print(f"{ROWS} rows, the fastest of {ROUNDS} turns, less the bare scan; one session, one core.")
        print()
        print("| call | ns per row | × pgcrypto | asked |")
        print("|---|---|---|---|")
        print(f"| pgcrypto `{HMAC.split('(')[0]}(hmac(…))`, the reference | {reference:.0f} | 1.00 | |")
        for call, _, most in masks:
            limit = "" if most is None else f"≤ {most}"
            print(f"| `{call}` | {net[call]:.0f} | {net[call] / reference:.2f} | {limit} |")
        if crate in net:
            print(f"| FF1 of crate `fpe`, 16 digits | {net[crate]:.0f} | {net[crate] / reference:.2f} | |")
            print()
            print(f"`anon_fpe` / crate `fpe`: {net['anon_fpe(digits)'] / net[crate]:.2f} (asked ≤ 0.2)")
        long_values(db)
        db.drop()
    finally:
        server.stop()


main()
