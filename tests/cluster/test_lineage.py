"""The lineage: counts and commitments of every masked column, and what they tell afterwards."""

import json

import pytest

from samples import keep_all, make_small, profile
from tampering import tamper

COLUMNS = "table_name, column_name, rows_seen, rows_changed, rows_unchanged, nulls"


def run_id(db):
    """The newest run."""
    return db.value(
        "SELECT run_id FROM confiture.audit_log WHERE event = 'COMPLETED' ORDER BY seq DESC LIMIT 1"
    )


def checked(db, column, table="t", run=None):
    """What the live data of a column say."""
    return db.value(
        "SELECT confiture.verify_lineage_data(%s, %s, %s)", [run or run_id(db), table, column]
    )


def make(db, columns, rules, strategies=None, rows=(), **more):
    """A table t in schema prod, a profile that masks it, and one run."""
    db.execute(f"CREATE SCHEMA prod; CREATE TABLE prod.t ({columns})")
    for row in rows:
        db.execute(f"INSERT INTO prod.t VALUES ({row})")
    body = {
        "rules": [
            rule if isinstance(rule, dict) else {"column": rule[0], "strategy": rule[1]}
            for rule in rules
        ],
        **keep_all(),
        **more,
    }
    db.load(profile({"t": body}, strategies=strategies))
    db.sync()


def test_a_run_leaves_an_entry_for_each_masked_column(db):
    make(
        db,
        "id int PRIMARY KEY, email text, code text",
        [("email", "mail"), ("code", "list")],
        {"list": {"type": "choice", "config": {"choices": ["a"]}}},
        ["1, 'ann@x.example', 'a'", "2, NULL, 'b'", "3, 'bob@x.example', 'a'"],
    )
    assert db.rows(f"SELECT {COLUMNS} FROM confiture.lineage ORDER BY seq") == [
        ("t", "email", 3, 2, 0, 1),
        ("t", "code", 3, 1, 2, 0),
    ]
    facts = db.rows(
        "SELECT origin, source_schema, schema_name, commitment, row_binding, strategy, reversible,"
        " run_key_id = run_id, length(original_hash), length(anonymized_hash),"
        " original_hash <> anonymized_hash FROM confiture.lineage"
    )
    assert facts[0] == (
        *("run", "prod", "staging", "sum256/blake3", 'key ["id"]', "email", False),
        *(True, 32, 32, True),
    )
    assert "OK" in db.findings()


def test_an_entry_of_the_audit_log_signs_its_lineage(db):
    make_small(db)
    db.sync()
    db.sync()
    ranges = db.rows(
        "SELECT lineage_first, lineage_last, length(lineage_root) FROM confiture.audit_log"
        " WHERE event = 'COMPLETED' ORDER BY seq"
    )
    (first, last, size), (second, end, _) = ranges
    assert first == 1 and size == 32 and second == last + 1
    assert db.value("SELECT count(*) FROM confiture.lineage") == end
    assert db.column("SELECT seq FROM confiture.lineage ORDER BY seq") == list(range(1, end + 1))


def test_a_failed_run_leaves_no_lineage(db):
    db.execute("CREATE SCHEMA prod; CREATE TABLE prod.t (id int PRIMARY KEY, email text)")
    db.execute("INSERT INTO prod.t VALUES (1, 'ann@x.example')")
    db.load(profile({"t": {"email": "mail"}}))
    db.sync()
    db.execute(
        "CREATE FUNCTION staging.never() RETURNS trigger LANGUAGE plpgsql AS"
        " $$ BEGIN RAISE 'no'; END $$;"
        "CREATE TRIGGER never BEFORE INSERT ON staging.t"
        " FOR EACH ROW EXECUTE FUNCTION staging.never()"
    )
    before = db.value("SELECT count(*) FROM confiture.lineage")
    assert db.attempt(options='{"triggers": "fire"}') is not None
    assert db.events()[-1] == "FAILED"
    assert db.value("SELECT count(*) FROM confiture.lineage") == before
    assert db.value("SELECT count(*) FROM confiture.run_key") == 1


TYPES = """
    a int, b smallint, ref uuid, amount numeric(10, 2), padded char(12), short varchar(40),
    at timestamp(0), born date, tags text[], prices numeric(8, 1)[], doc jsonb, is_on boolean,
    mood mood, address address, ip inet, raw bytea, ratio float8, handle handle, spent money,
    PRIMARY KEY (a, b)
"""


def test_the_target_is_what_was_committed_to_for_every_type(db):
    db.execute(
        """CREATE SCHEMA prod;
        SET search_path = prod, public;
        CREATE TYPE mood AS ENUM ('sad', 'ok');
        CREATE TYPE address AS (street text, zip text);
        CREATE DOMAIN handle AS varchar(30) CHECK (VALUE <> '');
        CREATE TABLE t (%s);
        INSERT INTO t SELECT i, i %% 3, gen_random_uuid(), i * 1.37, 'p' || i, 'short' || i,
          timestamp '2020-02-03 04:05:06.7' + i * interval '1 hour', date '1980-01-01' + i,
          ARRAY['x' || i, 'y'], ARRAY[i * 1.11], jsonb_build_object('email', 'e' || i || '@x.example'),
          i %% 2 = 0, 'sad', ROW('street ' || i, '1000' || i)::address, '10.0.0.1'::inet + i,
          decode(lpad(to_hex(i), 8, '0'), 'hex'), i / 7.0, 'handle' || i, i
          FROM generate_series(1, 20) i;
        RESET search_path""" % TYPES
    )
    strategies = {
        "fpe": {"type": "fpe", "config": {"min": 0, "max": 1999999}},
        "uuid": {"type": "uuid"},
        "noise": {"type": "noise", "config": {"ratio": 0.3}},
        "shift": {"type": "date_shift"},
        "doc": {"type": "json", "config": {"paths": {"$.email": "email"}}},
        "pick": {"type": "choice", "config": {"choices": ["sad", "ok"]}},
        "rec": {"type": "record", "config": {"fields": {"street": "hash", "zip": "keep"}}},
        "ip": {"type": "ip"},
        "null": {"type": "null"},
        "mix": {"type": "shuffle"},
        "salted": {"type": "salted_hash"},
        "h": {"type": "hash", "config": {"length": 20}},
    }
    rules = {
        "a": "fpe",
        "ref": "uuid",
        "amount": "noise",
        "padded": "fixed",
        "short": "h",
        "at": "shift",
        "born": "shift",
        "tags": "h",
        "prices": "noise",
        "doc": "doc",
        "mood": "pick",
        "address": "rec",
        "ip": "ip",
        "raw": "null",
        "ratio": "noise",
        "handle": "h",
        "spent": "mix",
    }
    strategies["fixed"] = {"type": "redact", "config": {"replacement": "x"}}
    db.load(profile({"t": rules}, strategies=strategies))
    db.sync()
    assert db.value("SELECT count(*) FROM confiture.lineage") == len(rules)
    for column in rules:
        assert checked(db, column) == "match", column
    # Another order of the rows on disk is the same data.
    db.execute("ALTER TABLE staging.t ADD COLUMN z float8 DEFAULT random()")
    db.execute("VACUUM FULL staging.t")
    db.execute("CREATE INDEX i ON staging.t (z); CLUSTER staging.t USING i")
    assert checked(db, "ref") == "match"


def test_what_is_written_later_shows(db):
    make(
        db,
        "id int PRIMARY KEY, email text",
        [("email", "mail")],
        rows=["1, 'ann@x.example'", "2, 'bob@x.example'"],
    )
    assert checked(db, "email") == "match"
    before = db.rows("SELECT id, email FROM staging.t")
    for statement in [
        "UPDATE staging.t SET email = email || 'x' WHERE id = 1",
        "UPDATE staging.t SET email = NULL WHERE id = 1",
        "DELETE FROM staging.t WHERE id = 1",
        "INSERT INTO staging.t VALUES (3, 'x')",
        # The same values, each in the other's row.
        "UPDATE staging.t t SET email = o.email FROM staging.t o WHERE o.id <> t.id",
    ]:
        db.execute("BEGIN")
        db.execute(statement)
        assert checked(db, "email") == "differs", statement
        db.execute("ROLLBACK")
    assert db.rows("SELECT id, email FROM staging.t") == before
    assert checked(db, "email") == "match"


def test_without_a_key_values_are_bound_to_the_column_only(db):
    make(
        db,
        "email text",
        [("email", "mail")],
        rows=["'ann@x.example'", "'bob@x.example'", "'bob@x.example'"],
    )
    assert db.column("SELECT row_binding FROM confiture.lineage") == ["none"]
    assert checked(db, "email") == "match"
    db.execute("DELETE FROM staging.t WHERE ctid IN (SELECT min(ctid) FROM staging.t)")
    assert checked(db, "email") == "differs"


def test_a_filter_and_many_columns(db):
    columns = [f"c{i}" for i in range(120)]
    make(
        db,
        "id int PRIMARY KEY, " + ", ".join(f"{name} text" for name in columns),
        [(name, "hash") for name in columns],
        rows=[", ".join([str(i), *(f"'v{i}'" for _ in columns)]) for i in range(1, 6)],
        where=[["id", ">", 2]],
    )
    assert set(db.column("SELECT rows_changed FROM confiture.lineage")) == {3}
    assert {checked(db, name) for name in columns} == {"match"}


def test_equal_values_have_other_commitments_in_other_columns_and_runs(db):
    make(
        db,
        "id int PRIMARY KEY, a text, b text",
        [("a", "mail"), ("b", "mail")],
        rows=["1, 'ann@x.example', 'ann@x.example'"],
    )
    db.sync()
    for kind in ["original_hash", "anonymized_hash"]:
        hashes = db.column(f"SELECT {kind} FROM confiture.lineage")
        assert len(set(hashes)) == 4


def test_a_shredded_run_says_so(db):
    make(db, "id int PRIMARY KEY, email text", [("email", "mail")], rows=["1, 'ann@x.example'"])
    run = run_id(db)
    assert db.value("SELECT commitment_state FROM confiture.lineage_columns") == "verifiable"
    assert db.value("SELECT confiture.shred_run_key(%s)", [run]) is True
    assert db.value("SELECT confiture.shred_run_key(%s)", [run]) is False
    assert db.events()[-1] == "RUN_KEY_SHREDDED"
    assert db.value("SELECT commitment_state FROM confiture.lineage_columns") == "shredded"
    assert checked(db, "email", run=run) == "unverifiable"
    assert "OK" in db.findings()
    db.refused("42704", "SELECT confiture.shred_run_key(gen_random_uuid())")
    db.refused("42704", "SELECT confiture.verify_lineage_data(%s, 't', 'id')", [run])


def test_a_key_that_vanished_shows(db):
    make(db, "id int PRIMARY KEY, email text", [("email", "mail")], rows=["1, 'ann@x.example'"])
    db.refused("42501", "DELETE FROM confiture.run_key")
    tamper(db, "DELETE FROM confiture.run_key")
    assert db.findings()["E13"] == ("unverifiable", 1, 1)
    assert "OK" not in db.findings()


def test_a_key_of_another_run_does_not_open(db):
    make(db, "id int PRIMARY KEY, email text", [("email", "mail")], rows=["1, 'ann@x.example'"])
    db.sync()
    first, second = db.column("SELECT DISTINCT run_id FROM confiture.lineage ORDER BY 1")
    exchange = (
        "UPDATE confiture.run_key k SET wrapped = o.wrapped FROM confiture.run_key o"
        f" WHERE k.run_id = '{first}' AND o.run_id = '{second}'"
    )
    db.refused("42501", exchange)
    tamper(db, exchange)
    db.refused("XX001", "SELECT confiture.verify_lineage_data(%s, 't', 'email')", [first])


@pytest.mark.parametrize("word", ["hmac-sha256", "off"])
def test_other_kinds_of_commitments(db, word):
    db.execute("CREATE SCHEMA prod; CREATE TABLE prod.t (id int PRIMARY KEY, email text)")
    db.execute("INSERT INTO prod.t VALUES (1, 'ann@x.example')")
    db.load(profile({"t": {"email": "mail"}}))
    db.sync(options=json.dumps({"lineage": word}))
    seen = db.rows("SELECT rows_seen, rows_changed, commitment FROM confiture.lineage")
    if word == "off":
        assert seen == [(1, None, "none")]
        assert checked(db, "email") == "unverifiable"
        assert db.value("SELECT count(*) FROM confiture.run_key") == 0
    else:
        assert seen == [(1, 1, "sum256/hmac-sha256")]
        assert checked(db, "email") == "match"
    details = db.value("SELECT details FROM confiture.audit_log ORDER BY seq DESC LIMIT 1")
    assert details["lineage"] == word
    db.sync_refused("22023", options='{"lineage": "md5"}')


@pytest.mark.parametrize(
    ("statement", "codes"),
    [
        ("UPDATE confiture.lineage SET rows_changed = 0 WHERE seq = 2", {"E01"}),
        ("DELETE FROM confiture.lineage WHERE seq = 2", {"E04", "E05", "E06"}),
        ("DELETE FROM confiture.lineage WHERE seq > 2", {"E05", "E07"}),
        ("DELETE FROM confiture.lineage", {"E05", "E07"}),
        ("TRUNCATE confiture.lineage", {"E05", "E07"}),
        (
            "UPDATE confiture.lineage SET signature = set_byte(signature, 0,"
            " 255 - get_byte(signature, 0)) WHERE seq = 1",
            {"E02"},
        ),
    ],
)
def test_lineage_that_was_tampered_with_shows(db, statement, codes):
    names = ["a", "b", "c", "d"]
    make(
        db,
        "id int PRIMARY KEY, a text, b text, c text, d text",
        [(name, "hash") for name in names],
        rows=["1, 'v', 'w', 'x', 'y'"],
    )
    tamper(db, statement)
    found = {code for code, (status, *_) in db.findings().items() if status == "fail"}
    assert codes <= found, found


def test_nobody_changes_the_lineage_not_even_a_superuser(db):
    make_small(db)
    db.sync()
    for statement in [
        "UPDATE confiture.lineage SET strategy = 'none'",
        "DELETE FROM confiture.lineage WHERE false",
        "TRUNCATE confiture.lineage",
    ]:
        db.refused("42501", statement)
        db.execute("SET session_replication_role = replica")
        db.refused("42501", statement)
        db.execute("RESET session_replication_role")
