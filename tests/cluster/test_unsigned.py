"""Entries without a signature: only where it is allowed and no key was made, and never ok."""

import hashlib
import json
import threading
import time

import pytest

import ledger_check
import ledger_verifier
from samples import keep_all, make_people, profile
from tampering import tamper

ALLOW = "SET confiture.allow_unsigned = on"
PLAIN = profile(
    {"people": {"note": "redact", "email": "fixed"}},
    strategies={"fixed": {"type": "constant", "config": {"replacement": "x@x.example"}}},
)
BEGIN = "SELECT confiture.begin_run('by hand', 'prod', 'staging')"


@pytest.fixture
def db(server):
    """A database without any key, and a table to copy."""
    database = server.create_database(key=False)
    make_people(database)
    yield database
    database.drop()


def declare(db):
    db.execute("CREATE SCHEMA IF NOT EXISTS staging")
    db.execute("CREATE TABLE IF NOT EXISTS staging.by_hand (id integer PRIMARY KEY, note text)")
    db.execute("TRUNCATE staging.by_hand")
    run = db.value(BEGIN)
    db.execute(
        "INSERT INTO staging.by_hand SELECT id,"
        " confiture.track('by_hand', 'note', id::text, note, 'x'::text) FROM prod.people"
    )
    assert db.value("SELECT confiture.end_run()") == "match"
    return run


def keys_of(db):
    return db.rows("SELECT key_name, key_version, signature FROM confiture.audit_log ORDER BY seq")


def test_without_a_key_nothing_is_appended_unless_it_is_allowed(db):
    db.refused("55000", BEGIN)
    db.load(PLAIN)
    db.sync_refused("55000", options='{"lineage": "off"}')
    assert db.value("SELECT count(*) FROM confiture.audit_log") == 0
    db.execute(ALLOW)
    declare(db)
    assert keys_of(db) == [("none", 0, b"")] * 2


def test_what_is_not_signed_is_chained_and_never_ok(db):
    db.execute(ALLOW)
    run = declare(db)
    findings = db.findings()
    assert findings["E12"][0] == "unsigned" and findings["W01"] == ("warn", 1, 2)
    assert set(findings) == {"E12", "W01"}
    chains = db.column("SELECT chain FROM confiture.verify_ledger() WHERE check_code = 'E12'")
    assert set(chains) == {"audit", "lineage"}
    # Counted, and committed to nothing: that would need a key.
    assert db.rows("SELECT rows_seen, commitment, run_key_id FROM confiture.lineage") == [
        (3, "none", None)
    ]
    check = "SELECT confiture.verify_lineage_data(%s, 'by_hand', 'note')"
    assert db.value(check, [run]) == "unverifiable"
    report = json.loads(db.value("SELECT confiture.lineage_report(format => 'json')"))
    assert "unsigned" in json.dumps(report) and '"ok"' not in json.dumps(report)
    tamper(db, "UPDATE confiture.audit_log SET user_name = 'x' WHERE seq = 1")
    assert db.findings()["E01"][0] == "fail"


def test_a_run_whose_masks_need_no_key_goes_through(db):
    db.execute(ALLOW)
    db.load(PLAIN)
    # Commitments of the lineage are made with a key.
    report = db.sync_refused("55000")
    assert "lineage" in report.message_detail
    db.sync(options='{"lineage": "off"}')
    assert db.column("SELECT email FROM staging.people") == ["x@x.example"] * 3
    assert db.events()[-2:] == ["STARTED", "COMPLETED"]
    details = db.value("SELECT details FROM confiture.audit_log ORDER BY seq DESC LIMIT 1")
    assert details["masking_key"] is None
    assert db.plan(options='{"lineage": "off"}')


@pytest.mark.parametrize("mask", ["mail", "hash", "phone"])
def test_a_run_with_a_mask_that_needs_a_key_does_not(db, mask):
    db.execute(ALLOW)
    db.load(profile({"people": {"rules": [{"column": "email", "strategy": mask}], **keep_all()}}))
    db.sync_refused("55000", options='{"lineage": "off"}')
    db.plan_refused("55000", options='{"lineage": "off"}')
    assert db.value("SELECT to_regclass('staging.people')") is None


def test_records_and_anchors_are_signed_or_not_at_all(db):
    db.execute(ALLOW)
    declare(db)
    db.refused("55000", "SELECT anon_fpe_decrypt('12345678')")
    db.refused("55000", "SELECT confiture.export_anchor()")
    assert db.value("SELECT count(*) FROM confiture.journal") == 0


def test_the_first_key_signs_from_then_on_and_what_was_before_stays_unsigned(db):
    db.execute(ALLOW)
    declare(db)
    db.make_key()
    declare(db)
    names = [name for name, *_ in keys_of(db)]
    assert names == ["none"] * 2 + ["masking"] * 3
    assert db.findings()["E12"][0] == "unsigned"
    assert "OK" not in db.findings()
    assert db.findings()["E12"][1:] in ((1, 2), (1, 1))
    # Also where nobody allows it any more.
    db.execute("RESET confiture.allow_unsigned")
    declare(db)
    assert set(db.findings()) == {"E12", "W01"}
    wrong, _ = ledger_check.check(db.column("SELECT confiture.export_ledger()"))
    assert wrong == [("E12", "audit"), ("E12", "lineage"), ("E12", "audit")]


def test_a_key_that_cannot_be_read_is_no_missing_key(db):
    db.make_key()
    broken = db.configure(key_file="/nowhere")
    try:
        broken.execute(ALLOW)
        assert broken.refused({"55000", "58030"}, BEGIN)
        names = {name for name, *_ in keys_of(db)}
        assert names == {"masking"}
    finally:
        db.configure(key_file=str(db.server.key_file))


def test_a_signed_log_whose_keys_are_gone_takes_no_entry(db):
    db.make_key()
    db.execute("TRUNCATE confiture.key_version, confiture.key CASCADE")
    db.execute(ALLOW)
    db.refused("55000", BEGIN)
    assert [name for name, *_ in keys_of(db)] == ["masking"]


@pytest.mark.parametrize("seq", [1, 2, 3])
def test_a_signed_entry_that_was_made_an_unsigned_one_is_a_failure(db, seq):
    db.make_key()
    declare(db)
    # Everything made right that can be made right without the key.
    lines = {
        line["seq"]: line
        for line in map(json.loads, db.column("SELECT confiture.export_ledger()"))
        if line["chain"] == "audit"
    }
    line = lines[seq] | {"key_name": "none", "key_version": 0}
    digest = hashlib.sha256(ledger_verifier.canonical(line)).digest()
    tamper(
        db,
        "UPDATE confiture.audit_log SET key_name = 'none', key_version = 0, signature = '',"
        f" entry_hash = '\\x{digest.hex()}' WHERE seq = {seq}",
    )
    if seq == 3:
        tamper(
            db,
            f"UPDATE confiture.ledger_head SET entry_hash = '\\x{digest.hex()}'"
            " WHERE chain = 'audit'",
        )
    findings = db.findings()
    assert "fail" in {status for status, *_ in findings.values()}
    assert "OK" not in findings


def test_only_a_superuser_may_allow_it(db):
    user = db.role("user")
    db.execute(f"SELECT confiture.grant_access('operator', '{user}')")
    session = db.session(user)
    session.refused("55000", BEGIN)
    session.refused("42501", ALLOW)


def test_no_key_is_called_as_what_is_not_signed(db):
    report = db.refused("22023", "SELECT confiture.create_key('none', 'masking')")
    assert "reserved" in report.message_primary


def test_an_entry_that_waited_for_the_first_key_is_signed_by_it(db):
    db.execute(ALLOW)
    declare(db)
    other = db.session()
    other.execute(ALLOW)
    db.execute("BEGIN")
    db.make_key()
    waiting = threading.Thread(target=other.execute, args=[BEGIN])
    waiting.start()
    watch = db.session()
    for _ in range(500):
        if watch.value(
            "SELECT count(*) FROM pg_stat_activity WHERE pid = %s AND wait_event_type = 'Lock'",
            [other.pid()],
        ):
            break
        time.sleep(0.02)
    db.execute("COMMIT")
    waiting.join()
    assert [name for name, *_ in keys_of(db)] == ["none"] * 2 + ["masking"] * 2
    assert set(db.findings()) == {"E12", "W01", "W03"}
