"""Runs that tokenize: the vault's tokens, made before the copy, on record, the same as by hand."""

import re
import threading
from pathlib import Path

import psycopg
import pytest

from standby import Standby

WHY = "ticket 4711"

PROFILE = """
name: small
version: "{version}"
coverage: copy
strategies:
  mail: {{type: tokenize, config: {{domain: {domain}{more}}}}}
tables:
  people: {{rules: [{{column: email, strategy: mail{subject}}}]}}
{tables}
"""


def profile(domain="mail", more="", subject="", tables="", version="1"):
    return PROFILE.format(domain=domain, more=more, subject=subject, tables=tables, version=version)


ORDERS = "  orders: {rules: [{column: email, strategy: mail}]}"


@pytest.fixture(name="shop")
def _shop(db):
    """People with unique addresses, orders that refer to them, and two domains."""
    db.execute(
        "CREATE SCHEMA prod; CREATE SCHEMA staging;"
        "CREATE TABLE prod.people (id int PRIMARY KEY, email text UNIQUE, whose int);"
        "CREATE TABLE prod.orders (id int PRIMARY KEY, email varchar(40) REFERENCES"
        " prod.people (email));"
        "INSERT INTO prod.people SELECT i, 'p' || i || '@x.example', i / 3"
        " FROM generate_series(1, 3000) i;"
        "INSERT INTO prod.people VALUES (0, NULL, NULL);"
        "INSERT INTO prod.orders SELECT i, 'p' || i % 500 + 1 || '@x.example'"
        " FROM generate_series(1, 2000) i; INSERT INTO prod.orders VALUES (0, NULL)"
    )
    db.execute("SELECT confiture.create_domain('mail')")
    db.execute("SELECT confiture.create_domain('drawn', deterministic => false)")
    for domain in ("mail", "drawn"):
        db.execute("SELECT confiture.grant_access('revealer', session_user::text, %s)", [domain])
    return db


def tokens(db, values, domain="mail", subjects=None):
    call = "SELECT confiture.tokenize_batch(%s, %s, %s)"
    return db.value(call, [domain, values, subjects])


def made(db):
    return db.rows(
        "SELECT details ->> 'domain', (details ->> 'tokens')::int FROM confiture.audit_log"
        " WHERE event = 'TOKENIZED' ORDER BY seq"
    )


def pairs(db, table="people", column="email"):
    """{original: what stands in the target}, by the primary key."""
    return dict(
        db.rows(
            f"SELECT p.{column}, s.{column} FROM prod.{table} p JOIN staging.{table} s USING (id)"
        )
    )


@pytest.mark.parametrize("lineage", ["off", "blake3", "hmac-sha256"])
@pytest.mark.parametrize("domain", ["mail", "drawn"])
def test_a_run_writes_the_tokens_that_a_batch_gives(shop, domain, lineage):
    before = tokens(shop, ["p7@x.example", "elsewhere"], domain)
    shop.load(profile(domain, tables=ORDERS))
    shop.sync(options=f'{{"lineage": "{lineage}"}}')
    found = pairs(shop)
    assert len(found) == 3001 and found.pop(None) is None
    assert len(set(found.values())) == 3000 and found["p7@x.example"] == before[0]
    assert tokens(shop, list(found), domain) == list(found.values())
    assert pairs(shop, "orders").items() <= {**found, None: None}.items()
    # One entry of the run for all that it made, and that it is complete follows.
    assert made(shop) == [(domain, 2), (domain, 2999)]
    assert shop.events()[-2:] == ["TOKENIZED", "COMPLETED"]
    assert (
        shop.value(
            "SELECT count(DISTINCT run_id) FROM confiture.audit_log"
            " WHERE event IN ('STARTED', 'COMPLETED')"
            " OR seq = (SELECT max(seq) - 1 FROM confiture.audit_log)"
        )
        == 1
    )
    assert shop.findings().keys() == {"OK", "W01"}
    value = shop.value("SELECT confiture.reveal(%s, %s, %s)", [found["p9@x.example"], domain, WHY])
    assert value == "p9@x.example"
    listed = "SELECT DISTINCT strategy, strategy_version, reversible FROM confiture.lineage"
    assert shop.rows(listed) == [("tokenize", 1, True)]
    # Again: all of them are there, and nothing is on record beside the run.
    shop.sync()
    assert pairs(shop).items() >= found.items() and len(made(shop)) == 2
    assert shop.value("SELECT count(*) FROM pg_class WHERE relname LIKE 'confiture_tokens%'") == 0


def test_row_by_row_gives_the_same(shop):
    shop.load(profile())
    shop.sync()
    by_hand = "SELECT count(*) FROM prod.people p JOIN staging.people s USING (id)"
    wrong = f"{by_hand} WHERE s.email IS DISTINCT FROM anon_tokenize(p.email, 'mail')"
    assert shop.value(wrong) == 0
    assert made(shop) == [("mail", 3000)]


def test_values_have_subjects(shop):
    shop.execute("UPDATE prod.people SET whose = NULL WHERE id = 5")
    tokens(shop, ["p9@x.example"], subjects=["3"])
    shop.load(profile(subject=", subject: whose"))
    shop.sync()
    found = pairs(shop)
    assert tokens(shop, ["p9@x.example", "p5@x.example"], subjects=["3", None]) == [
        found["p9@x.example"],
        found["p5@x.example"],
    ]
    assert made(shop) == [("mail", 1), ("mail", 2999)]
    assert shop.value("SELECT confiture.forget_subject('mail', '3')") == 3
    ask = "SELECT confiture.reveal(%s, 'mail', %s)"
    shop.refused("55000", ask, [found["p10@x.example"], WHY])
    assert shop.value(ask, [found["p12@x.example"], WHY]) == "p12@x.example"
    # In the next refresh they have others.
    shop.sync()
    assert pairs(shop)["p10@x.example"] != found["p10@x.example"]
    assert pairs(shop)["p12@x.example"] == found["p12@x.example"]


@pytest.mark.parametrize("end", ["COMMIT", "ROLLBACK"])
def test_inside_a_transaction_of_the_callers(shop, end):
    shop.load(profile(tables=ORDERS))
    shop.execute("BEGIN")
    tokens(shop, ["mine"])
    shop.sync(options='{"in_transaction": true}')
    shop.sync(options='{"in_transaction": true}')
    found = pairs(shop)
    shop.execute(end)
    count = shop.value("SELECT count(*) FROM confiture.token")
    if end == "COMMIT":
        assert count == 3001 and pairs(shop) == found
        assert made(shop) == [("mail", 3000), ("mail", 1)]
    else:
        assert count == 0 and made(shop) == []
    assert shop.findings().keys() == {"OK", "W01"}


def test_a_run_that_fails_makes_none(shop):
    shop.load(profile(tables=ORDERS))
    shop.execute("INSERT INTO prod.people VALUES (-1, ' ', 0)")
    report = shop.sync_refused("22000")
    assert 'column "email"' in report.message_primary
    assert "blank" in report.message_detail and "on_error" in report.message_hint
    assert shop.value("SELECT count(*) FROM confiture.token") == 0 and made(shop) == []
    assert shop.events()[-1] == "FAILED"
    shop.execute("UPDATE prod.people SET email = repeat('x', 10001) WHERE id = -1")
    report = shop.sync_refused("22000")
    assert "10001 characters" in report.message_detail and "xxx" not in str(report.message_detail)


@pytest.mark.parametrize(("word", "becomes"), [("null", None), ("redact", "[REDACTED]")])
def test_what_becomes_of_values_that_get_no_token(shop, word, becomes):
    shop.execute("INSERT INTO prod.people VALUES (-1, ' ', 0), (-2, repeat('x', 10001), 0)")
    shop.execute("ALTER TABLE prod.people DROP CONSTRAINT people_email_key CASCADE")
    shop.load(profile(more=f', on_error: "{word}"'))
    shop.sync()
    found = shop.column("SELECT email FROM staging.people WHERE id < 0")
    assert found == [becomes, becomes]
    assert made(shop) == [("mail", 3000)]
    assert shop.value("SELECT count(*) FROM staging.people WHERE email LIKE 'tok\\_%'") == 3000


def test_cards_keep_their_form_and_those_that_were_drawn_again_are_found(shop):
    shop.execute("SELECT confiture.create_domain('cards', 'digits')")
    shop.execute(
        "CREATE TABLE prod.cards (id int PRIMARY KEY, card varchar(6) UNIQUE);"
        "INSERT INTO prod.cards SELECT i, lpad(i::text, 6, '0') FROM generate_series(1, 30000) i"
    )
    shop.load(
        "name: small\nversion: '1'\ncoverage: copy\n"
        "strategies: {card: {type: tokenize, config: {domain: cards}}}\n"
        "tables: {cards: {rules: [{column: card, strategy: card}]}}\n"
    )
    shop.sync()
    assert shop.value("SELECT count(DISTINCT card) FROM staging.cards") == 30_000
    again = shop.value("SELECT count(*) FROM confiture.token WHERE salt <> '\\x0000'")
    assert again > 300, "of 30 000 in 900 000 some met"
    found = pairs(shop, "cards", "card")
    assert tokens(shop, list(found), "cards") == list(found.values())
    shop.execute("INSERT INTO prod.cards VALUES (0, '12x')")
    assert "digits" in shop.sync_refused("22000").message_detail


def test_types_of_texts_and_only_they(shop):
    types = {"char(30)": "a", "varchar(30)": "b", "name": "c", "public.word": "d"}
    if shop.server.has("citext"):
        shop.execute("CREATE EXTENSION citext SCHEMA public")
        types["public.citext"] = "e"
    shop.execute("CREATE DOMAIN public.word AS text CHECK (length(VALUE) < 50)")
    columns = ", ".join(f"{name} {of}" for of, name in types.items())
    values = ", ".join(["'Ada'"] * len(types))
    shop.execute(
        f"CREATE TABLE prod.kinds (id int, {columns}, list text[], n int, short varchar(29))"
    )
    shop.execute(f"INSERT INTO prod.kinds VALUES (1, {values}, '{{Ada}}', 1, 'Ada')")
    rules = ", ".join(f"{{column: {name}, strategy: mail}}" for name in types.values())
    shop.load(profile(tables=f"  kinds: {{rules: [{rules}]}}"))
    shop.sync()
    ada, small = tokens(shop, ["Ada", "ada"])
    row = shop.rows(f"SELECT {', '.join(types.values())} FROM staging.kinds")[0]
    assert list(row[:4]) == [ada] * 4
    # What is equal has one token: that of the value in small letters.
    assert list(row[4:]) == [small] * (len(types) - 4)
    for version, (column, code, words) in enumerate(
        [
            ("list", "42804", "whole values"),
            ("n", "42804", None),
            ("short", "22023", "30 characters"),
        ],
        start=2,
    ):
        rules = f"  kinds: {{rules: [{{column: {column}, strategy: mail}}]}}"
        shop.load(profile(tables=rules, version=version))
        report = shop.plan_refused(code)
        assert words is None or words in report.message_detail, report.message_detail


def test_a_filter_a_shuffle_and_names_that_are_taken(shop):
    shop.execute(
        'CREATE TABLE prod."T" (id int PRIMARY KEY, "confiture token 1" text, "from" text, t1 text)'
    )
    shop.execute(
        "INSERT INTO prod.\"T\" SELECT i, 'a' || i, 'b' || i, 'c' || i"
        " FROM generate_series(1, 50) i"
    )
    shop.load(
        "name: small\nversion: '1'\ncoverage: copy\n"
        "strategies:\n  one: {type: tokenize, config: {domain: mail}}\n"
        "  two: {type: tokenize, config: {domain: drawn}}\n  mixed: {type: shuffle}\n"
        'tables:\n  "T":\n    where: [[id, ">", 10]]\n    rules:\n'
        "      - {column: confiture token 1, strategy: one}\n"
        "      - {column: from, strategy: two}\n      - {column: t1, strategy: mixed}\n"
    )
    shop.sync()
    for column, domain, letter in (("confiture token 1", "mail", "a"), ("from", "drawn", "b")):
        found = shop.column(f'SELECT "{column}" FROM staging."T" ORDER BY id')
        assert found == tokens(shop, [f"{letter}{i}" for i in range(11, 51)], domain)
    assert sorted(shop.column('SELECT t1 FROM staging."T"')) == sorted(
        f"c{i}" for i in range(11, 51)
    )
    assert sorted(made(shop)) == [("drawn", 40), ("mail", 40)]


@pytest.mark.parametrize("rows", ["false", "true"])
def test_partitions_and_hashes_of_rows(shop, rows):
    shop.execute(
        "CREATE TABLE prod.parts (id int, day date, email text) PARTITION BY RANGE (day);"
        "CREATE TABLE prod.first PARTITION OF prod.parts"
        " FOR VALUES FROM ('2024-01-01') TO ('2025-01-01');"
        "CREATE TABLE prod.rest PARTITION OF prod.parts DEFAULT;"
        "INSERT INTO prod.parts SELECT i, date '2024-12-01' + i, 'p' || i % 40 || '@x.example'"
        " FROM generate_series(1, 100) i"
    )
    shop.load(profile(tables="  parts: {rules: [{column: email, strategy: mail}]}"))
    shop.sync(options=f'{{"lineage_rows": {rows}}}')
    wrong = (
        "SELECT count(*) FROM prod.parts p JOIN staging.parts s USING (id)"
        " WHERE s.email IS DISTINCT FROM anon_tokenize(p.email, 'mail')"
    )
    assert shop.value(wrong) == 0 and shop.value("SELECT count(*) FROM staging.parts") == 100
    run = shop.value("SELECT run_id FROM confiture.audit_log WHERE event = 'COMPLETED'")
    data = "SELECT confiture.verify_lineage_data(%s, %s, 'email')"
    for table in ("people", "parts"):
        assert shop.value(data, [run, table]) == "match"


def test_what_a_plan_refuses_before_a_row_is_read(shop):
    shop.load(profile("nowhere"))
    report = shop.plan_refused("42704")
    assert "nowhere" in report.message_primary and "create_domain" in report.message_hint
    shop.sync_refused("42704")
    shop.load(profile(version="2"))
    role = shop.role("op")
    shop.execute(
        f'GRANT USAGE ON SCHEMA prod TO "{role}";'
        f' GRANT SELECT ON ALL TABLES IN SCHEMA prod TO "{role}"'
    )
    shop.execute(f'ALTER SCHEMA staging OWNER TO "{role}"')
    shop.execute("SELECT confiture.grant_access('operator', %s)", [role])
    session = shop.session(user=role)
    assert session.plan()
    shop.execute(
        f'REVOKE EXECUTE ON FUNCTION confiture.tokenize_batch(text, text[], text[]) FROM "{role}"'
    )
    report = session.plan_refused("42501")
    assert "tokens" in report.message_primary and "grant_access" in report.message_hint
    session.sync_refused("42501")
    shop.execute(
        f'GRANT EXECUTE ON FUNCTION confiture.tokenize_batch(text, text[], text[]) TO "{role}"'
    )
    session.sync()
    assert session.value("SELECT count(DISTINCT email) FROM staging.people") == 3000
    session.refused("42501", "SELECT * FROM confiture.token")
    shop.execute(f'REVOKE TEMPORARY ON DATABASE "{shop.name}" FROM PUBLIC')
    assert "TEMPORARY" in session.sync_refused("42501").message_hint


def test_what_a_profile_refuses_when_it_is_loaded(shop):
    for config in ("", ", config: {domain: ' x'}", ", config: {domain: 5}", ", config: {token: a}"):
        document = profile().replace(", config: {domain: mail}", config)
        shop.refused("22023", "SELECT confiture.load_profile(%s)", [document])
    inside = "{type: json, config: {paths: {'$.a': {type: tokenize, config: {domain: mail}}}}}"
    document = profile().replace("{type: tokenize, config: {domain: mail}}", inside)
    report = shop.refused("22023", "SELECT confiture.load_profile(%s)", [document])
    assert "whole columns" in report.message_hint
    report = shop.refused(
        "55000", "SELECT anon_apply('tokenize', 'a'::text, '{\"domain\": \"mail\"}')"
    )
    assert "anon_tokenize" in report.message_hint


def test_foreign_keys_ask_for_the_same_domain(shop):
    other = "  orders: {rules: [{column: email, strategy: other}]}"
    document = profile(tables=other).replace(
        "strategies:", "strategies:\n  other: {type: tokenize, config: {domain: drawn}}"
    )
    shop.load(document)
    shop.plan_refused("22023")
    shop.load(profile(subject=", subject: whose", tables=ORDERS, version="2"))
    shop.plan_refused("22023")


def test_the_list_says_what_holds(shop):
    row = shop.rows(
        "SELECT is_deterministic, is_injective, is_reversible, keeps_length, is_keyed, accepts,"
        " inputs"
        " FROM confiture.strategies WHERE name = 'tokenize'"
    )
    assert row == [(True, True, True, False, True, ["text"], ["subject"])]
    ask = "SELECT reason FROM confiture.validate_value('tokenize', '{\"domain\": \"mail\"}', %s)"
    assert shop.column(ask, ["ada"]) == [] and shop.column(ask, [None]) == []
    assert shop.column(ask, [" \t"]) == ["completeness"]
    assert shop.column(ask, ["x" * 10_001]) == ["range"]


def test_no_secret_and_no_value_is_in_a_statement(shop):
    shop.execute("SET log_statement = 'all'; SET log_min_messages = debug1")
    shop.load(profile(subject=", subject: whose", tables="", version="1"))
    shop.sync()
    log = shop.server.log()
    assert "p17@x.example" not in log and pairs(shop)["p17@x.example"] not in log


@pytest.mark.parametrize("subject", ["", ", subject: whose"])
def test_two_runs_and_batches_at_once_make_one_token_for_each_value(shop, subject):
    shop.execute("CREATE SCHEMA other")
    more = (
        "INSERT INTO prod.people SELECT i, 'p' || i || '@x.example', i / 3"
        " FROM generate_series(3001, 25000) i"
    )
    shop.execute(more)
    shop.load(profile(subject=subject, tables="" if subject else ORDERS))
    values = [f"p{i}@x.example" for i in range(1, 25_001)]
    whose = [str(i // 3) for i in range(1, 25_001)] if subject else None
    back = whose and whose[::-1]
    failed = []

    def act(work):
        session = shop.session()
        try:
            work(session)
        except psycopg.Error as error:
            failed.append(error)

    work = [
        lambda session: session.sync(),
        lambda session: session.sync(target="other"),
        lambda session: tokens(session, values, subjects=whose),
        lambda session: tokens(session, values[::-1], subjects=back),
    ]
    threads = [threading.Thread(target=act, args=[one]) for one in work]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failed == []
    assert shop.value("SELECT count(*) FROM confiture.token") == 25_000
    assert sum(count for _, count in made(shop)) == 25_000
    both = "SELECT count(*) FROM staging.people JOIN other.people USING (id, email)"
    assert shop.value(both) == 25_000


def test_a_batch_is_as_large_as_it_may_be(shop):
    shop.execute(
        "INSERT INTO prod.people SELECT i, 'q' || i FROM generate_series(10001, 35000) i;"
        "INSERT INTO prod.people SELECT i, i || repeat('y', 9000)"
        " FROM generate_series(40001, 42000) i;"
        "ALTER TABLE prod.people DROP CONSTRAINT people_email_key CASCADE"
    )
    shop.load(profile("drawn"))
    shop.sync()
    assert shop.value("SELECT count(DISTINCT email) FROM staging.people") == 30_000
    assert made(shop) == [("drawn", 30_000)]


def most_memory(session, work):
    """The most that a backend had of memory of its own while something ran, in MiB."""
    status, seen, done = Path(f"/proc/{session.pid()}/status"), [0], threading.Event()

    def look():
        while not done.wait(0.01):
            seen.append(int(re.search(r"RssAnon:\s+(\d+)", status.read_text())[1]) >> 10)

    thread = threading.Thread(target=look)
    thread.start()
    try:
        work()
    finally:
        done.set()
        thread.join()
    return max(seen)


@pytest.mark.parametrize("subject", ["", ", subject: whose"])
def test_memory_does_not_grow_with_the_rows(shop, subject):
    found = []
    for rows in (30_000, 120_000):
        shop.execute("TRUNCATE prod.people CASCADE")
        shop.execute(
            "INSERT INTO prod.people SELECT i, 'q' || i, i / 10 FROM generate_series(1, %s::int) i",
            [rows],
        )
        shop.load(profile("drawn", subject=subject, version=rows))
        session = shop.session()
        found.append(most_memory(session, session.sync))
        session.connection.close()
    # 300 bytes a row would be 26 MiB.
    assert found[1] - found[0] < 15, found


def test_a_run_is_canceled_while_it_makes_tokens(shop):
    shop.execute("INSERT INTO prod.people SELECT i, 'q' || i FROM generate_series(10001, 300000) i")
    shop.load(profile())
    session = shop.session()
    session.execute("SET statement_timeout = '700ms'")
    session.sync_refused("57014")
    assert shop.value("SELECT count(*) FROM confiture.token") == 0


def test_a_standby_refuses_the_plan(private_server):
    server = private_server("max_wal_senders=5", "wal_level=replica")
    db = server.create_database()
    db.execute("SELECT confiture.create_domain('mail')")
    db.execute("CREATE SCHEMA prod; CREATE TABLE prod.people (id int, email text)")
    db.load(profile())
    standby = Standby(server)
    try:
        with standby.connect(db.name) as connection:
            ask = "SELECT * FROM confiture.plan('small', 'prod', 'staging')"
            with pytest.raises(psycopg.errors.ReadOnlySqlTransaction):
                connection.execute(ask)
    finally:
        standby.stop()
