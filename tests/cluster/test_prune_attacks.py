"""Attacks on a ledger that was pruned: what a superuser with every guard off cannot hide."""

import hashlib
import json

import pytest

from journal_calls import REVEAL
from ledger_check import Tree
from ledger_verifier import canonical
from retention import (
    details,
    failures,
    found,
    is_right,
    left,
    moment,
    prune,
)
from tampering import commands_unguarded, tamper
from test_anchors import cut, export


@pytest.fixture
def ledger(anchored):
    """Five of them went, said by entry 9; a run and a record came later, and an anchor of 11."""
    anchored.execute("CREATE TABLE entries AS TABLE confiture.audit_log")
    anchored.execute("CREATE TABLE steps AS TABLE confiture.lineage")
    anchored.execute("CREATE TABLE records AS TABLE confiture.journal")
    assert prune(anchored)["last_seq"] == 5
    anchored.execute(REVEAL)
    anchored.sync()
    export(anchored)
    is_right(anchored)
    return anchored


def edited(member, value):
    """A statement that edits what the entry says that something went."""
    path, value = "{" + member.replace(".", ",") + "}", json.dumps(value)
    return (
        f"UPDATE confiture.audit_log SET details = jsonb_set(details, '{path}', '{value}')"
        " WHERE event = 'PRUNED'"
    )


# The entry says what went, and is signed.


MEMBERS = {
    "first_seq": 2,
    "last_seq": 6,
    "count": 4,
    "first_previous": "00" * 32,
    "last_hash": "00" * 32,
    "root": "00" * 32,
    "frontier": [],
    "lineage.count": 1,
    "lineage.last": 3,
    "lineage.last_hash": "00" * 32,
    "journal.count": 0,
    "journal.last": 3,
    "export_sha256": "00" * 32,
    "before": "1970-01-01",
    "file": "another",
}


@pytest.mark.parametrize("member", MEMBERS)
def test_an_edited_boundary_shows(ledger, member):
    _, said = details(ledger)
    for step in member.split("."):
        said = said[step]
    assert said != MEMBERS[member]
    tamper(ledger, edited(member, MEMBERS[member]))
    assert "E01" in failures(ledger)
    # Whoever relies on it without verifying everything refuses.
    for call in ("export_anchor()", "inclusion_proof(7)"):
        ledger.refused("55000", f"SELECT confiture.{call}")
    ledger.refused("XX001", "SELECT confiture.prune_ledger(%s)", [moment(ledger)])


def test_a_forged_frontier_shows_by_signature_and_anchors(ledger):
    _, said = details(ledger)
    # One that fits its root, with the hash of the entry computed anew over it.
    forged = ["11" * 32, *said["frontier"][1:]]
    root = root_over(forged)
    tamper(ledger, edited("frontier", forged))
    tamper(ledger, edited("root", root))
    assert {"E01", "E09"} <= failures(ledger)
    line = next(
        line for line in ledger.column("SELECT confiture.export_ledger()") if '"pruned"' in line
    )
    digest = hash_of(line)
    tamper(
        ledger,
        "SET bytea_output = hex;"
        f" UPDATE confiture.audit_log SET entry_hash = '\\x{digest}' WHERE seq = 9;"
        f" UPDATE confiture.audit_log SET previous_entry_hash = '\\x{digest}' WHERE seq = 10",
    )
    assert {"E01", "E02", "E09"} <= failures(ledger)
    assert "E02" in failures(ledger, anchors=[])
    ledger.refused("55000", "SELECT confiture.export_anchor()")


def root_over(peaks):
    """The root over complete subtrees."""
    return Tree(5, map(bytes.fromhex, peaks)).root().hex()


def hash_of(line):
    """The hash of an entry from its exported line."""
    return hashlib.sha256(canonical(json.loads(line) | {"chain": "audit"})).hexdigest()


def test_a_boundary_that_was_removed_shows(ledger):
    tamper(ledger, "DELETE FROM confiture.audit_log WHERE event = 'PRUNED'")
    assert {"E03", "E04"} <= failures(ledger)


def test_another_entry_does_not_pass_for_a_boundary(anchored):
    # Entries are removed, and one that is left is made to say that they were pruned.
    prune(anchored)
    _, said = details(anchored)
    said = json.dumps({**said, "last_seq": 6, "count": 6})
    tamper(
        anchored,
        "DELETE FROM confiture.audit_log WHERE seq = 6;"
        f" UPDATE confiture.audit_log SET details = '{said}' WHERE seq = 9",
    )
    assert "E01" in failures(anchored)
    tamper(
        anchored,
        "DELETE FROM confiture.audit_log WHERE seq = 7;"
        f" UPDATE confiture.audit_log SET event = 'PRUNED', details = '{said}' WHERE seq = 8",
    )
    assert {"E01", "E04"} <= failures(anchored)


def test_entries_removed_without_a_boundary_show(anchored):
    tamper(anchored, "DELETE FROM confiture.audit_log WHERE seq <= 5")
    assert {"E03", "E04"} <= failures(anchored)


# More or less is there than it says.


MORE = {
    "the next entry": ("DELETE FROM confiture.audit_log WHERE seq = 6", {"E03", "E04"}),
    "several": ("DELETE FROM confiture.audit_log WHERE seq < 9", {"E03", "E04"}),
    "the next of the lineage": (
        "DELETE FROM confiture.lineage WHERE seq = 3",
        {"E03", "E04", "E05"},
    ),
    "all of the lineage": ("DELETE FROM confiture.lineage", {"E05", "E06", "E07"}),
    "the next record": ("DELETE FROM confiture.journal WHERE number = 3", {"E06"}),
    "what came back": (
        "INSERT INTO confiture.audit_log SELECT * FROM entries WHERE seq <= 5",
        {"E04"},
    ),
    "one that came back": (
        "INSERT INTO confiture.audit_log SELECT * FROM entries WHERE seq = 3",
        {"E04"},
    ),
    "lineage that came back": (
        "INSERT INTO confiture.lineage SELECT * FROM steps WHERE seq = 1",
        {"E04"},
    ),
    "records that came back": ("INSERT INTO confiture.journal SELECT * FROM records", {"E04"}),
}


# Lineage and records that the newest anchor covers.
UNSEEN = {"the next of the lineage", "the next record"}


@pytest.mark.parametrize("what", MORE)
def test_more_or_less_than_was_pruned_shows(ledger, what):
    statement, codes = MORE[what]
    tamper(ledger, statement)
    said = failures(ledger)
    assert codes <= said, said
    assert ("OK", "audit") not in found(ledger)
    # Nor does it hide from a look at what is new, unless that does not look there.
    assert failures(ledger, since_anchor=True) or what in UNSEEN


def test_what_came_back_is_named(ledger):
    tamper(ledger, "INSERT INTO confiture.audit_log SELECT * FROM entries WHERE seq IN (2, 3)")
    status, first, last, detail = found(ledger)[("E04", "audit")]
    assert (status, first, last) == ("fail", 2, 3) and "pruned" in detail
    # Nothing else is called wrong by it.
    assert failures(ledger) == {"E04"}


def test_a_cut_end_shows_by_the_anchors_behind_the_boundary(ledger):
    cut(ledger, 9)
    assert failures(ledger, anchors=[]) == set()
    assert failures(ledger) == {"E08"}


def test_a_ledger_without_lineage_takes_no_further_entry_if_it_should_have_some(ledger):
    tamper(ledger, "DELETE FROM confiture.lineage")
    ledger.sync_refused("XX001")


# Only what verifies goes.


WRONG = {
    "a field": "UPDATE confiture.audit_log SET user_name = 'x' WHERE seq = 2",
    "a field of what stays": "UPDATE confiture.audit_log SET user_name = 'x' WHERE seq = 8",
    "an entry that is missing": "DELETE FROM confiture.audit_log WHERE seq = 2",
    "lineage": "UPDATE confiture.lineage SET rows_seen = 99 WHERE seq = 1",
    "a record": "UPDATE confiture.journal SET user_name = 'x' WHERE number = 1",
    "a record that is missing": "DELETE FROM confiture.journal WHERE number = 1",
    "the head": "UPDATE confiture.ledger_head SET entry_hash = sha256('x') WHERE chain = 'audit'",
}


@pytest.mark.parametrize("what", WRONG)
def test_what_does_not_verify_is_not_pruned(anchored, what):
    tamper(anchored, WRONG[what])
    before = left(anchored)
    for dry in (True, False):
        report = anchored.refused(
            "XX001", "SELECT confiture.prune_ledger(%s, %s)", [moment(anchored), dry]
        )
        assert "does not verify" in report.message_primary and report.message_detail[:1] == "E"
    assert left(anchored) == before
    assert anchored.column("SELECT pg_ls_dir(%s)", [str(anchored.archives)]) == []


def test_what_cannot_be_verified_is_not_pruned(anchored):
    limit = moment(anchored)
    (run,) = anchored.column("SELECT run_id FROM confiture.audit_log WHERE seq = 3")
    tamper(anchored, f"DELETE FROM confiture.run_key WHERE run_id = '{run}'")
    report = anchored.refused("55000", "SELECT confiture.prune_ledger(%s)", [limit])
    assert "E13" in report.message_detail


def test_guards_that_are_off_let_nothing_be_pruned(anchored):
    anchored.execute("SELECT confiture.disarm('a test')")
    anchored.refused("XX001", "SELECT confiture.prune_ledger(%s)", [moment(anchored)])
    anchored.execute("SELECT confiture.rearm()")
    assert prune(anchored)


def test_a_rule_that_swallows_the_deletion_lets_nothing_be_pruned(anchored):
    with commands_unguarded(anchored):
        anchored.execute("CREATE RULE r AS ON DELETE TO confiture.lineage DO INSTEAD NOTHING")
    anchored.refused("XX001", "SELECT confiture.prune_ledger(%s)", [moment(anchored)])
    assert len(left(anchored)["audit_log"]) == 8
