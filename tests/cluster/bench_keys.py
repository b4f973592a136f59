"""Measures keys in use, in one run, each figure beside its reference: see tools/bench."""

import http.client
import json
import statistics
import time
from urllib.parse import urlsplit

import bao_server
from server import Server

ROUNDS = 300


def median(call, rounds=ROUNDS):
    """Median of the milliseconds that a call takes."""
    times = []
    for _ in range(rounds):
        begun = time.perf_counter()
        call()
        times.append((time.perf_counter() - begun) * 1000)
    return statistics.median(times)


def in_turn(*calls, rounds=ROUNDS):
    """Medians of calls that take turns, so that a noisy moment hits all of them."""
    times = [[] for _ in calls]
    for _ in range(rounds):
        for place, call in enumerate(calls):
            begun = time.perf_counter()
            call()
            times[place].append((time.perf_counter() - begun) * 1000)
    return [statistics.median(one) for one in times]


def nanoseconds(db):
    """What a call costs inside a backend, seven times a million calls."""
    calls = 1_000_000
    print("| in one backend | ns per call (median of 7) |")
    print("|---|---|")
    for what, query in {
        "asking for a key that is open": f"SELECT tests.bench_key_use({calls})",
        "what each row adds for it": f"SELECT tests.bench_call_site({calls})",
        "masking a value of 23 bytes (`hash`), the reference": (
            f"SELECT tests.bench_mask('person-0001@mail.example', {calls})"
        ),
    }.items():
        print(f"| {what} | {statistics.median(db.value(query) for _ in range(7)):.1f} |")


def cold(server):
    """A statement that must ask OpenBao, beside the same request sent by hand."""
    bao = bao_server.Bao()
    try:
        bao.mount()
        bao.make_key()
        token = bao.token(bao.allow("bench"))
        db = server.create_database()
        path = server.folder / "keys" / "token"
        db.execute(f"COPY (SELECT '{token}') TO PROGRAM 'umask 077; cat > {path}'")
        db.execute(
            "ALTER SYSTEM SET confiture.key_vault ="
            f" 'address={bao.address} key=confiture token_file={path}'"
        )
        db.execute("SELECT pg_reload_conf()")
        time.sleep(1)
        session = db.session()
        session.execute("CALL confiture.rewrap_keys('vault')")
        warm, cool = db.session(), db.session()
        cool.execute("SET confiture.key_cache_ttl = 0")
        where = urlsplit(bao.address)
        wrapped = session.value(
            "SELECT convert_from(wrapped, 'UTF8') FROM confiture.key_version"
        )
        # The same work for the server: decryption fails at the associated data, after the look-up.
        body = json.dumps({"ciphertext": wrapped, "associated_data": "eA=="})

        def by_hand():
            connection = http.client.HTTPConnection(where.hostname, where.port)
            connection.request(
                "POST", "/v1/transit/decrypt/confiture", body, {"X-Vault-Token": token}
            )
            connection.getresponse().read()
            connection.close()

        for call in (by_hand, lambda: warm.value("SELECT anon_hash('x')")):
            median(call, 20)
        trip, with_key, without = in_turn(
            by_hand,
            lambda: warm.value("SELECT anon_hash('x')"),
            lambda: cool.value("SELECT anon_hash('x')"),
        )
        redacted = median(lambda: warm.value("SELECT anon_redact('x')"))
        print()
        print(f"| one statement from a client | ms (median of {ROUNDS}) |")
        print("|---|---|")
        print(f"| `SELECT anon_redact('x')`: no key | {redacted:.3f} |")
        print(f"| `SELECT anon_hash('x')`: key open | {with_key:.3f} |")
        print(f"| `SELECT anon_hash('x')`: key asked from OpenBao | {without:.3f} |")
        print(f"| the same request to OpenBao by hand (a new connection too) | {trip:.3f} |")
        print(f"| cold − warm − round trip | {without - with_key - trip:+.3f} |")
        db.drop()
    finally:
        bao.stop()


def main():
    """All of it."""
    server = Server("bench")
    try:
        db = server.create_database()
        nanoseconds(db)
        db.drop()
        cold(server)
    finally:
        server.stop()


main()
