"""What is left of a pruned ledger: on standbys, in dumps, held against anchors, in proofs."""

import time

import psycopg
import pytest

import anchor_check
from journal_calls import REVEAL
from retention import (
    fill,
    found,
    is_right,
    left,
    prune,
    set_directories,
)
from samples import make_small
from standby import Standby
from test_anchors import export, hashes
from test_ledger_copies import count, publisher, start, stop, subscribe, wait  # noqa: F401


def test_a_standby_refuses_and_says_what_would_go(private_server):
    server = private_server("wal_level=replica")
    db = server.create_database(key=False)
    make_small(db)
    db.make_key()
    anchored = set_directories(db)
    fill(anchored)
    standby = Standby(server, name="follower")
    try:
        with standby.connect(db.name) as connection:
            for _ in range(200):
                if connection.execute("SELECT count(*) FROM confiture.audit_log").fetchone() == (
                    8,
                ):
                    break
                time.sleep(0.05)
            call = "SELECT first_seq, last_seq, sha256 FROM confiture.prune_ledger(now(), {})"
            with pytest.raises(psycopg.Error) as refused:
                connection.execute(call.format("false"))
            assert refused.value.diag.sqlstate == "25006"
            assert connection.execute(call.format("true")).fetchone() == (1, 5, None)
            prune(anchored)
            for _ in range(200):
                rows = connection.execute(
                    "SELECT check_code, seq_from FROM confiture.verify_ledger()"
                ).fetchall()
                if ("OK", 6) in rows:
                    break
                time.sleep(0.05)
            assert ("OK", 6) in rows
    finally:
        standby.stop()


@pytest.mark.parametrize("way", ["plain", "custom", "inserts", "two jobs"])
def test_a_dump_of_a_pruned_ledger_verifies_and_goes_on(anchored, bare, tmp_path, way):
    note = export(anchored)
    prune(anchored)
    assert left(anchored)["journal"] == [] and left(anchored)["lineage"] == []
    run, path = anchored.server.run, tmp_path / "dump"
    if way in ("plain", "inserts"):
        more = ["--inserts"] if way == "inserts" else []
        path.write_text(run("pg_dump", *more, database=anchored.name).stdout, encoding="utf-8")
        bare.psql("-f", path)
    else:
        form, jobs = ("-Fc", []) if way == "custom" else ("-Fd", ["-j", "2"])
        run("pg_dump", form, *jobs, "-f", path, database=anchored.name)
        run("pg_restore", "--exit-on-error", *jobs, "-d", bare.name, path)
    restored = bare
    assert left(restored) == left(anchored)
    codes = {code for code, _ in found(restored, anchors=[note])}
    # The count of the journal is no part of a dump.
    assert codes == {"OK", "W01", "W08"}
    restored.execute(REVEAL)
    assert left(restored)["journal"] == [3], "the numbers of those that went are taken"
    restored.sync()
    assert {code for code, _ in found(restored, anchors=[note])} == {"OK", "W01"}
    assert left(restored)["lineage"] == [4]


def test_a_subscriber_keeps_what_was_pruned_and_says_so(publisher):  # noqa: F811
    source, target, slot = subscribe(publisher, "confiture.audit_log, confiture.lineage")
    set_directories(source)
    start(publisher, source, target, slot)
    try:
        export(source)
        before = count(source, "audit_log")
        wait(lambda: count(target, "audit_log") == before)
        assert prune(source)["last_seq"] == before - 1
        wait(lambda: count(target, "audit_log") == before + 1)
        rows = target.rows(
            "SELECT check_code, seq_from, seq_to FROM confiture.verify_ledger()"
            " WHERE chain = 'audit'"
        )
        assert ("E04", 1, before - 1) in rows
    finally:
        stop(source, target, slot)


# Anchors and proofs behind a boundary.


def test_anchors_go_on_to_be_checked_and_made(anchored):
    anchors = [export(anchored)]
    prune(anchored, anchored.value('SELECT "timestamp" FROM confiture.audit_log WHERE seq = 6'))
    said = found(anchored, anchors=anchors)
    assert "Verified to entry 8" in said[("OK", "audit")][3]
    anchored.sync()
    anchors.append(export(anchored))
    said = found(anchored)
    assert "Verified to entry 12" in said[("OK", "audit")][3]
    prune(anchored)
    # Anchors that are about what went only are said, and are no failure.
    is_right(anchored)
    said = found(anchored, anchors=anchors)
    assert "1 anchor speaks of those only" in said[("OK", "audit")][3]
    said = found(anchored, anchors=anchors[:1])
    assert said[("W01", "audit")][:3] == ("warn", 13, 14)


def test_proofs_behind_a_boundary(anchored):
    for _ in range(3):
        anchored.sync()
    export(anchored)
    all_leaves = hashes(anchored)
    prune(anchored, anchored.value('SELECT "timestamp" FROM confiture.audit_log WHERE seq = 7'))
    (gone,) = anchored.column(
        "SELECT (details ->> 'last_seq')::int FROM confiture.audit_log WHERE event = 'PRUNED'"
    )
    leaves = all_leaves + hashes(anchored)[len(all_leaves) - gone :]
    assert (gone, len(leaves)) == (6, 16)
    proof = "SELECT hash FROM confiture.{}_proof(%s, %s) ORDER BY n"
    for size in range(gone, 17):
        root = anchor_check.root_of(leaves[:size])
        for at in range(gone + 1, size + 1):
            given = anchored.column(proof.format("inclusion"), [at, size])
            assert anchor_check.includes(
                at - 1, size, anchor_check.leaf(leaves[at - 1]), given, root
            )
        for at in range(gone, size + 1):
            given = anchored.column(proof.format("consistency"), [at, size])
            before = anchor_check.root_of(leaves[:at])
            assert anchor_check.is_consistent(at, before, size, root, given)
    for call in (
        "inclusion_proof(1)",
        "inclusion_proof(2, 16)",
        "consistency_proof(3)",
        "inclusion_proof(2, 4)",
        "consistency_proof(2, 4)",
    ):
        report = anchored.refused("55000", f"SELECT confiture.{call}")
        assert "pruned" in report.message_primary and "6" in report.message_detail
    for numbers in ("0", "17", "8, 7"):
        anchored.refused("22023", f"SELECT confiture.inclusion_proof({numbers})")
