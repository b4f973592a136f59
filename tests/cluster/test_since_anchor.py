"""Verification since the newest anchor: what it finds as before, what it does not look at, and why."""

import pytest

from journal_calls import REVEAL
from retention import failures, found, prune
from tampering import tamper
from test_anchors import export


@pytest.fixture
def ledger(anchored):
    """Anchors of 5 and of 8 entries, and three entries after them."""
    export(anchored)
    anchored.execute(REVEAL)
    anchored.sync()
    return anchored


def since(db, **more):
    return found(db, since_anchor=True, **more)


def test_it_says_how_far_only_hashes_were_compared(ledger):
    said = since(ledger)
    assert {code for code, _ in said} == {"OK", "W01"}
    status, first, last, detail = said[("OK", "audit")]
    assert (status, first, last) == ("ok", 1, 11)
    assert detail.startswith("3 entries of the audit log and 1 of the lineage have")
    for code in ("OK", "W01"):
        assert "Of entries up to 8 only the stored hashes" in said[(code, "audit")][3]
        assert "Verified to entry 8 by the anchor" in said[(code, "audit")][3]
    assert said[("W01", "audit")][1:3] == (9, 11)


def test_it_verifies_everything_where_there_is_no_anchor(ledger):
    said = since(ledger, anchors=[])
    assert said == found(ledger, anchors=[])
    assert said[("OK", "audit")][3].startswith("11 entries of the audit log and 4 of the lineage")
    ledger.refused("22023", "SELECT confiture.verify_ledger(since_anchor => NULL)")


def test_it_goes_on_behind_a_boundary(ledger):
    limit = ledger.value('SELECT "timestamp" FROM confiture.audit_log WHERE seq = 4')
    assert prune(ledger, limit)["last_seq"] == 3
    said = since(ledger)
    assert said[("OK", "audit")][1:3] == (4, 12)
    assert (
        "Entries up to 3 were pruned, as entry 12 says. Of entries up to 8 only"
        in (said[("OK", "audit")][3])
    )
    # Where nothing that is left is anchored, everything is checked.
    assert prune(ledger)["last_seq"] == 8
    said = since(ledger)
    assert "only the stored hashes" not in said[("OK", "audit")][3]
    assert said[("OK", "audit")][1:3] == (9, 13)


# What is found as before, whatever it was.


FOUND = {
    "a new field": ("UPDATE confiture.audit_log SET user_name = 'x' WHERE seq = 10", "E01"),
    "a new entry that is missing": ("DELETE FROM confiture.audit_log WHERE seq = 10", "E04"),
    "new lineage": ("UPDATE confiture.lineage SET rows_seen = 9 WHERE seq = 4", "E01"),
    "new lineage that is missing": ("DELETE FROM confiture.lineage WHERE seq = 4", "E05"),
    "a new record": ("UPDATE confiture.journal SET user_name = 'x' WHERE number = 3", "E02"),
    "a new record that is missing": ("DELETE FROM confiture.journal WHERE number = 3", "E06"),
    "an old entry that is missing": ("DELETE FROM confiture.audit_log WHERE seq = 3", "E04"),
    "an old hash": ("UPDATE confiture.audit_log SET entry_hash = sha256('x') WHERE seq = 3", "E01"),
    "an old link": (
        "UPDATE confiture.audit_log SET previous_entry_hash = sha256('x') WHERE seq = 3",
        "E03",
    ),
    "two old hashes exchanged": (
        "UPDATE confiture.audit_log SET entry_hash = sha256('x') WHERE seq = 2;"
        " UPDATE confiture.audit_log SET entry_hash = (SELECT entry_hash FROM confiture.audit_log"
        " WHERE seq = 3), seq = 2 WHERE seq = 99; UPDATE confiture.audit_log"
        " SET entry_hash = sha256('y') WHERE seq = 3",
        "E09",
    ),
    "the entry that the anchor ends with": (
        "UPDATE confiture.audit_log SET journal_last = 1 WHERE seq = 8",
        "E01",
    ),
    "what the last entry with lineage says": (
        "UPDATE confiture.audit_log SET lineage_last = 4 WHERE seq = 8",
        "E01",
    ),
    "that an old entry has no lineage": (
        "UPDATE confiture.audit_log SET lineage_last = NULL WHERE seq = 8",
        "E01",
    ),
    "the hash of the lineage that new one follows": (
        "UPDATE confiture.lineage SET entry_hash = sha256('x') WHERE seq = 3",
        "E03",
    ),
    "the head": ("UPDATE confiture.ledger_head SET seq = 10 WHERE chain = 'audit'", "E07"),
    "the end": ("DELETE FROM confiture.audit_log WHERE seq > 6", "E08"),
}


@pytest.mark.parametrize("what", FOUND)
def test_it_finds(ledger, what):
    statement, code = FOUND[what]
    tamper(ledger, statement)
    said = failures(ledger, since_anchor=True)
    assert code in said, said
    assert ("OK", "audit") not in since(ledger)


# What it does not look at: fields before the anchor whose stored hash was left alone.


UNSEEN = {
    "an old field": "UPDATE confiture.audit_log SET user_name = 'x' WHERE seq = 3",
    "an old signature": "UPDATE confiture.audit_log SET signature = sha256('x') WHERE seq = 3",
    "old lineage": "UPDATE confiture.lineage SET rows_seen = 9 WHERE seq = 1",
    "that an old entry has later lineage": (
        "UPDATE confiture.audit_log SET lineage_first = 4, lineage_last = 4 WHERE seq = 7"
    ),
    "an old record that is missing": "DELETE FROM confiture.journal WHERE number = 1",
    "old lineage that is missing": "DELETE FROM confiture.lineage WHERE seq = 1",
}


@pytest.mark.parametrize("what", UNSEEN)
def test_it_does_not_look_at(ledger, what):
    tamper(ledger, UNSEEN[what])
    assert failures(ledger, since_anchor=True) == set()
    assert "only the stored hashes" in since(ledger)[("OK", "audit")][3]
    # It is found by a whole verification, at any time.
    assert failures(ledger)


def test_a_view_of_the_log_from_before_an_anchor_is_no_alarm(ledger):
    old = ledger.session()
    old.execute("BEGIN ISOLATION LEVEL REPEATABLE READ")
    old.execute("SELECT 1 FROM pg_class LIMIT 1")
    ledger.sync()
    export(ledger)
    for whole in (False, True):
        said = found(old, since_anchor=whole)
        assert said[("OK", "audit")][2] == 11, "as of then"
    assert prune(old, "1 January 2000") is None
    old.execute("COMMIT")
    assert found(old)[("OK", "audit")][2] > 11
    # Entries that are not there for anybody are missing all the same.
    tamper(ledger, "DELETE FROM confiture.audit_log WHERE seq > 11")
    assert ("E08", "audit") in found(ledger)


def test_a_first_entry_that_is_only_said_to_be_signed_is_looked_at(ledger):
    tamper(ledger, "UPDATE confiture.audit_log SET key_version = 7 WHERE seq = 1")
    assert ("OK", "audit") not in since(ledger)
