"""What is left of a pruned ledger and its archives, checked outside by two programs."""

import json

import pytest

from journal_calls import REVEAL
from retention import chains, prune, read
from test_anchors import export
from test_offline_verifier import edited, program, verify, without  # noqa: F401


@pytest.fixture
def pruned(anchored):
    """The lines of two archives and of the rest, with the newest anchor and its key."""
    anchored.parts = [read(anchored, prune(anchored)["file"])]
    anchored.execute(REVEAL)
    anchored.sync()
    export(anchored)
    anchored.parts.append(read(anchored, prune(anchored)["file"]))
    anchored.execute(REVEAL)
    anchored.sync()
    anchored.note, anchored.key = export(anchored), anchored.value("SELECT confiture.anchor_key()")
    anchored.parts.append(anchored.column("SELECT confiture.export_ledger()"))
    return anchored


HONEST = {("OK", "audit"), ("W01", "audit"), ("E11", "audit")}


def test_parts_begin_with_what_says_that_others_went(pruned):
    first, second, rest = pruned.parts
    assert chains(first) == {"audit": 5, "lineage": 2, "journal": 2}
    assert chains(second) == {"pruned": 1, "audit": 6, "lineage": 2, "journal": 1}
    assert chains(rest) == {"pruned": 1, "audit": 5, "lineage": 1, "journal": 1}
    for part in (second, rest):
        line = json.loads(part[0])
        assert (line["chain"], line["event"]) == ("pruned", "PRUNED")
        repeated = [
            x
            for x in part[1:]
            if json.loads(x)["seq" if "seq" in x else "number"] == line["seq"]
            and json.loads(x)["chain"] == "audit"
        ]
        assert [json.loads(x) for x in repeated] == [{**line, "chain": "audit"}]


def test_the_rest_verifies_by_itself(pruned, verify):  # noqa: F811
    rest = pruned.parts[2]
    status, found, python = verify(rest)
    assert (status, python) == (0, set()) and found.keys() == HONEST
    status, found, _ = verify(rest, [pruned.note], [pruned.key])
    assert (status, found[("OK", "audit")]) == (0, "ok")


def test_archives_and_the_rest_verify_as_one(pruned, verify):  # noqa: F811
    lines = [line for part in pruned.parts for line in part]
    status, found, python = verify(lines, [pruned.note], [pruned.key])
    assert (status, python) == (0, set()) and found.keys() == HONEST
    # And so they do file by file.
    status, found, python = verify.files(pruned.parts)
    assert (status, python) == (0, set()) and found.keys() == HONEST
    # A part verifies as far as it goes: that it begins rightly rests on what follows it.
    for parts in (pruned.parts[:1], pruned.parts[:2], pruned.parts[1:]):
        status, found, python = verify.files(parts)
        assert (status, python) == (0, set()) and found.keys() == HONEST
    for line in pruned.parts[0]:
        assert json.loads(line)["chain"] != "pruned"


def test_every_anchor_is_held_against_parts_that_are_complete(pruned, verify):  # noqa: F811
    names = pruned.column("SELECT pg_ls_dir(%s)", [str(pruned.anchors)])
    notes = [
        pruned.value("SELECT pg_read_file(%s)", [str(pruned.anchors / name)]) for name in names
    ]
    assert len(notes) == 3
    lines = [line for part in pruned.parts for line in part]
    status, found, _ = verify(lines, notes, [pruned.key])
    assert (status, found.keys()) == (0, HONEST)
    status, found, _ = verify(pruned.parts[2], notes, [pruned.key])
    assert (status, found.keys()) == (0, HONEST)


def test_a_part_whose_boundary_is_not_there_says_so(pruned, verify):  # noqa: F811
    second = pruned.parts[1]
    at = max(i for i, line in enumerate(second) if '"event":"PRUNED"' in line)
    _, found, python = verify(second[:at])
    assert found[("E03", "audit")] == "unverifiable" and ("OK", "audit") not in found
    assert ("E03", "audit") in python


ATTACKS = {
    "an archive that is missing": (lambda it: [it[0], it[2]], ("E03", "audit")),
    "archives exchanged": (lambda it: [it[1], it[0], it[2]], ("E04", "audit")),
    "an archive twice": (lambda it: [it[0], it[0], it[1], it[2]], ("E04", "audit")),
    "an archive cut": (lambda it: [it[0][:-1], it[1], it[2]], ("E03", "audit")),
    "lineage of an archive cut": (
        lambda it: [without(it[0], "lineage"), *it[1:]],
        ("E05", "audit"),
    ),
    "a record of an archive cut": (
        lambda it: [without(it[0], "journal"), *it[1:]],
        ("E04", "journal"),
    ),
    "an entry of an archive": (
        lambda it: [edited(it[0], "audit", "user_name", "x"), *it[1:]],
        ("E01", "audit"),
    ),
    "lineage of an archive": (
        lambda it: [it[0], edited(it[1], "lineage", "rows_seen", 9), it[2]],
        ("E01", "lineage"),
    ),
    "a record of an archive": (
        lambda it: [edited(it[0], "journal", "about", "x"), *it[1:]],
        ("E06", "journal"),
    ),
    "what says that something went": (
        lambda it: [it[0], it[1], edited(it[2], "pruned", "user_name", "x")],
        ("E03", "audit"),
    ),
    "where the rest goes on": (lambda it: [it[0], it[1], moved(it[2])], ("E03", "audit")),
    "the first entry of the rest": (
        lambda it: [it[0], it[1], without(it[2], "audit")],
        ("E04", "audit"),
    ),
}


def moved(part):
    """The line that begins a part says another hash."""
    line = json.loads(part[0])
    line["details"]["last_hash"] = "00" * 32
    return [json.dumps(line), *part[1:]]


@pytest.mark.parametrize("attack", ATTACKS)
def test_parts_that_were_changed_show_to_both_programs(pruned, verify, attack):  # noqa: F811
    change, expected = ATTACKS[attack]
    status, found, python = verify.files(change(pruned.parts))
    assert (status, found.get(expected)) == (1, "fail"), found
    assert expected in python, python


def test_the_rest_with_a_forged_beginning_shows_by_its_anchor(pruned, verify):  # noqa: F811
    rest = pruned.parts[2]
    line = json.loads(rest[0])
    line["details"]["frontier"][0] = "00" * 32
    status, found, python = verify([json.dumps(line), *rest[1:]], [pruned.note], [pruned.key])
    # What cannot be is no boundary, so that the log seems to have lost its beginning.
    assert status == 1 and ("E03", "audit") in found and ("E03", "audit") in python


def test_an_archive_in_other_bytes_is_a_warning(pruned, verify):  # noqa: F811
    first, *more = pruned.parts
    other = [json.dumps(json.loads(first[0])), *first[1:]]
    assert other != first
    status, found, python = verify.files([other, *more])
    assert (status, found[("W09", "audit")], python) == (0, "warn", {("W09", "audit")})
