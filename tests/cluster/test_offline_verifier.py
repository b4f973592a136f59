"""The ledger exported, and checked outside by programs that know nothing of each other."""

import hashlib
import hmac
import json
import os
import subprocess
from pathlib import Path

import anchor_check
import ledger_check
import ledger_verifier
import pytest

from journal_calls import REVEAL
from test_ledger import tamper

ROOT = Path(__file__).parents[2]
VECTORS = json.loads((ROOT / "tests/vectors/ledger.json").read_text(encoding="utf-8"))


@pytest.fixture(scope="session")
def program():
    """The program, built when it is not there."""
    subprocess.run(["cargo", "build", "--quiet", "-p", "confiture-verify"], cwd=ROOT, check=True)
    target = Path(os.environ.get("CARGO_TARGET_DIR", "target"))
    return ROOT / target / "debug" / "confiture-verify"


@pytest.fixture
def verify(program, tmp_path):
    """Runs the program on lines: its exit status and {(code, chain)}, and what Python finds."""

    def run(lines, anchors=(), keys=()):
        return files([lines], anchors, keys)

    def files(parts, anchors=(), keys=()):
        command = [program, "--json"]
        for number, lines in enumerate(parts):
            export = tmp_path / f"{number}.jsonl"
            export.write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")
            command.append(export)
        for number, note in enumerate(anchors):
            file = tmp_path / f"{number}.note"
            file.write_text(note, encoding="utf-8")
            command += ["--anchor", file]
        for key in keys:
            command += ["--key", key]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        assert done.returncode in (0, 1) and not done.stderr, done.stderr
        rows = [json.loads(row) for row in done.stdout.splitlines()]
        found = {(row["check_code"], row["chain"]): row["status"] for row in rows}
        assert (done.returncode == 1) == ("fail" in found.values())
        lines = [line for part in parts for line in part]
        wrong, root = ledger_check.check(lines)
        if not any('"pruned"' in line or '"none"' in line for line in lines):
            assert by_sixty_lines(lines) == (None if wrong else root)
        return done.returncode, found, set(wrong)

    run.files = files
    return run


def by_sixty_lines(lines, key=None):
    """The root that the smallest program finds; None where something is wrong."""
    try:
        return ledger_verifier.verify(lines, key)
    except (AssertionError, AttributeError, LookupError, TypeError, ValueError):
        return None


@pytest.fixture
def db(numbered):
    """Two runs, reveals between them that the chain covers, and one that it does not."""
    numbered.sync()
    numbered.execute(REVEAL)
    numbered.execute(REVEAL)
    numbered.sync()
    numbered.execute(REVEAL)
    return numbered


def export(db):
    return db.column("SELECT confiture.export_ledger()")


def test_both_programs_take_the_published_vectors(verify):
    lines = []
    for record in VECTORS["records"]:
        line = record["line"]
        assert ledger_verifier.canonical(line).hex() == record["canonical"]
        domain = "journal-sig" if line["chain"] == "journal" else "sig"
        signed = f"confiture/{domain}/v1".encode() + bytes.fromhex(record["hash"])
        key = bytes.fromhex(VECTORS["entry_subkey"])
        assert hmac.new(key, signed, hashlib.sha256).hexdigest() == line["signature"]
        lines.append(json.dumps(line, ensure_ascii=False))
    assert ledger_check.check(lines) == ([], bytes.fromhex(VECTORS["root"]))
    key = VECTORS["anchor_key"]
    status, found, _ = verify(lines, [VECTORS["anchor"], VECTORS["anchor_of_all"]], [key])
    assert status == 0 and found[("OK", "audit")] == "ok"
    _, _, root = anchor_check.open_anchor(VECTORS["anchor_of_all"], key)
    assert root.hex() == VECTORS["root"]


def test_sixty_lines_find_every_value_that_was_changed():
    """Of every line of the vectors, every member, one after the other."""
    lines = [record["line"] for record in VECTORS["records"]]
    key = bytes.fromhex(VECTORS["entry_subkey"])
    for place, line in enumerate(lines):
        for name, value in line.items():
            for other in others(value):
                changed = json.dumps(line | {name: other})
                export = [json.dumps(line) for line in lines]
                export[place] = changed
                assert by_sixty_lines(export, key) is None, (place, name)
        export = [json.dumps(other) for other in lines if other is not line]
        # The last records of the journal are covered by their count alone, which is in the database.
        assert by_sixty_lines(export, key) is None or place == len(lines) - 1, place


def others(value):
    """Values that are not this one, of its type or NULL."""
    if value is None:
        return [0, "x", {}]
    if isinstance(value, bool):
        return [not value]
    if isinstance(value, int):
        return [value + 1, -value - 1]
    if isinstance(value, str):
        return [value + "0", value.swapcase() + "!", value[1:]] if value else ["0"]
    return [[*value, "x"]] if isinstance(value, list) else [{"x": 1}]


def test_both_programs_tell_of_entries_that_are_not_signed(verify):
    lines = []
    for record in VECTORS["unsigned_records"]:
        assert ledger_verifier.canonical(record["line"]).hex() == record["canonical"]
        lines.append(json.dumps(record["line"], ensure_ascii=False))
    wrong, _ = ledger_check.check(lines)
    assert set(wrong) == {("E12", "audit"), ("E12", "lineage")}
    status, found, _ = verify(lines)
    assert status == 0 and found[("E12", "audit")] == found[("E12", "lineage")] == "unsigned"
    assert ("OK", "audit") not in found
    # A log that is signed does not go back.
    line = VECTORS["records"][-3]["line"] | {"key_name": "none"}
    signed = [json.dumps(record["line"]) for record in VECTORS["records"][:-3]]
    assert line["chain"] == "audit"
    assert ("E02", "audit") in ledger_check.check([*signed, json.dumps(line)])[0]
    assert verify([*signed, json.dumps(line)])[0] == 1


def test_an_export_holds_all_that_is_hashed(db, verify):
    note = db.value("SELECT confiture.export_anchor()")
    key = db.value("SELECT confiture.anchor_key()")
    lines = export(db)
    status, found, python = verify(lines, [note], [key])
    assert (status, python) == (0, set())
    assert found == {
        ("OK", "audit"): "ok",
        ("W01", "audit"): "warn",
        ("E11", "audit"): "unverifiable",
    }
    # What is exported is what the anchor covers, and the entry that says that it was made.
    _, size, root = anchor_check.open_anchor(note, key)
    entries = [line for line in lines if json.loads(line)["chain"] == "audit"]
    assert len(entries) == size + 1 and ledger_check.check(entries[:size])[1] == root
    counted = {
        chain: sum(json.loads(line)["chain"] == chain for line in lines)
        for chain in ("audit", "lineage", "journal")
    }
    for chain, table in [("audit", "audit_log"), ("lineage", "lineage"), ("journal", "journal")]:
        assert counted[chain] == db.value(f"SELECT count(*) FROM confiture.{table}") > 0
        columns = db.column(
            "SELECT attname FROM pg_attribute WHERE attnum > 0 AND NOT attisdropped"
            " AND attrelid = %s::regclass",
            [f"confiture.{table}"],
        )
        line = next(json.loads(line) for line in lines if json.loads(line)["chain"] == chain)
        assert set(columns) | {"chain", "log_id"} == set(line)


def test_an_export_does_not_depend_on_settings(db):
    lines = export(db)
    for setting in [
        "TimeZone = 'Asia/Kathmandu'",
        "DateStyle = 'German'",
        "IntervalStyle = 'iso_8601'",
        "bytea_output = 'escape'",
        "extra_float_digits = -15",
        "search_path = prod",
        "enable_hashjoin = off",
        "work_mem = '64kB'",
    ]:
        db.execute(f"SET {setting}")
    assert export(db) == lines


def edited(lines, chain, name, value, nth=0):
    """One field of one line changed."""
    places = [i for i, line in enumerate(lines) if json.loads(line)["chain"] == chain]
    line = json.loads(lines[places[nth]])
    assert line[name] != value
    line[name] = value
    return [*lines[: places[nth]], json.dumps(line), *lines[places[nth] + 1 :]]


def without(lines, chain, nth=0):
    places = [i for i, line in enumerate(lines) if json.loads(line)["chain"] == chain]
    return lines[: places[nth]] + lines[places[nth] + 1 :]


def swapped(lines):
    """The first two entries of the audit log changed for each other."""
    return [lines[1], lines[0], *lines[2:]]


ATTACKS = {
    "user": (lambda it: edited(it, "audit", "user_name", "nobody"), ("E01", "audit")),
    "time": (lambda it: edited(it, "audit", "timestamp", 0, 1), ("E01", "audit")),
    "details": (lambda it: edited(it, "audit", "details", {}, 2), ("E01", "audit")),
    "NULL": (lambda it: edited(it, "audit", "profile_name", None, 1), ("E01", "audit")),
    "hash": (lambda it: edited(it, "audit", "entry_hash", "00" * 32, 1), ("E01", "audit")),
    "count": (lambda it: edited(it, "lineage", "rows_seen", 99), ("E06", "audit")),
    "column": (lambda it: edited(it, "lineage", "column_name", "x"), ("E01", "lineage")),
    "reveal": (lambda it: edited(it, "journal", "user_name", "x"), ("E06", "journal")),
    "entry gone": (lambda it: without(it, "audit", 1), ("E04", "audit")),
    "beginning gone": (lambda it: without(it, "audit"), ("E03", "audit")),
    "step gone": (lambda it: without(it, "lineage"), ("E05", "audit")),
    "record gone": (lambda it: without(it, "journal"), ("E04", "journal")),
    "swapped": (swapped, ("E03", "audit")),
}


@pytest.mark.parametrize("attack", ATTACKS)
def test_an_edited_export_shows_to_both_programs(db, verify, attack):
    change, expected = ATTACKS[attack]
    status, found, python = verify(change(export(db)))
    assert (status, found[expected]) == (1, "fail") and expected in python
    assert ("OK", "audit") not in found


def test_a_cut_end_shows_by_an_anchor_only(db, verify):
    note = db.value("SELECT confiture.export_anchor()")
    key = db.value("SELECT confiture.anchor_key()")
    lines = export(db)
    last = max(i for i, line in enumerate(lines) if '"event":"STARTED"' in line)
    status, found, python = verify(lines[:last])
    assert (status, python) == (0, set())
    status, found, _ = verify(lines[:last], [note], [key])
    assert (status, found[("E08", "audit")]) == (1, "fail")
    status, found, _ = verify(lines, [note.replace("confiture/", "confiturf/", 1)], [key])
    assert (status, found[("E09", "audit")]) == (1, "fail")
    # An anchor whose key is not there proves nothing, and no failure.
    status, found, _ = verify(lines, [note])
    assert status == 0 and ("OK", "audit") not in found


def test_what_was_done_behind_the_back_of_the_ledger_shows_outside(db, verify):
    tamper(db, "UPDATE confiture.audit_log SET rows_anonymized = '{}' WHERE seq = 3")
    tamper(db, "UPDATE confiture.lineage SET rows_unchanged = 0, rows_changed = 9 WHERE seq = 1")
    tamper(db, "DELETE FROM confiture.journal WHERE number = 2")
    status, found, python = verify(export(db))
    for expected in [("E01", "audit"), ("E01", "lineage"), ("E04", "journal"), ("E06", "journal")]:
        assert found[expected] == "fail" and expected in python
    assert status == 1


def test_an_auditor_exports_and_nobody_else(db):
    auditor, stranger = db.role("auditor"), db.role("stranger")
    db.execute("SELECT confiture.grant_access('auditor', %s)", [auditor])
    assert db.session(user=auditor).column("SELECT confiture.export_ledger()") == export(db)
    db.session(user=stranger).refused("42501", "SELECT confiture.export_ledger()")
