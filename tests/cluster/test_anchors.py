"""Anchors: what they find that nothing else does, and that anybody can check them outside."""

import anchor_check
import pytest

from tampering import tamper


@pytest.fixture
def db(numbered):
    """After a run: three entries, the first one about the key."""
    numbered.sync()
    return numbered


def export(db):
    """An anchor of the log as it is."""
    return db.value("SELECT confiture.export_anchor()")


def verified(db, anchors):
    """What verification by these anchors says: {code: (status, seq_from, seq_to, detail)}."""
    rows = db.rows(
        "SELECT check_code, status, seq_from, seq_to, detail"
        " FROM confiture.verify_ledger(%s::text[])",
        [anchors],
    )
    assert len({row[0] for row in rows}) == len(rows), rows
    return {row[0]: row[1:] for row in rows}


def cut(db, seq):
    """Cuts both chains off after an entry and sets the heads back: consistent, and signed."""
    steps = f"(SELECT max(lineage_last) FROM confiture.audit_log WHERE seq <= {seq})"
    head = "UPDATE confiture.ledger_head SET (seq, entry_hash) ="
    tamper(
        db,
        f"DELETE FROM confiture.lineage WHERE seq > {steps};"
        f" DELETE FROM confiture.audit_log WHERE seq > {seq};"
        f" {head} (SELECT seq, entry_hash FROM confiture.audit_log ORDER BY seq DESC LIMIT 1)"
        " WHERE chain = 'audit';"
        f" {head} (SELECT seq, entry_hash FROM confiture.lineage ORDER BY seq DESC LIMIT 1)"
        " WHERE chain = 'lineage'",
    )


def destroy(db):
    """Destroys the version of the key that has signed so far."""
    db.execute("SELECT confiture.rotate_key('masking')")
    db.execute("SELECT confiture.retire_profile('small', '1')")
    db.execute("SELECT confiture.destroy_key_version('masking', 1)")


def hashes(db):
    """The leaves of the tree."""
    return db.column("SELECT entry_hash FROM confiture.audit_log ORDER BY seq")


def restored(db, bare, path):
    """Puts a dump into an empty database."""
    bare.psql("-f", path)
    return bare.session()


def dump(db, path):
    """Dumps a database."""
    path.write_text(db.server.run("pg_dump", database=db.name).stdout, encoding="utf-8")
    return path


# What an anchor is.


def test_an_anchor_can_be_checked_with_nothing_but_its_key(db):
    log_id = db.value("SELECT DISTINCT log_id FROM confiture.ledger_head")
    vkey = db.value("SELECT confiture.anchor_key()")
    note = export(db)
    origin, size, root = anchor_check.open_anchor(note, vkey)
    assert (origin, size) == (f"confiture/{log_id}", 3)
    assert root == anchor_check.root_of(hashes(db)[:3])
    assert vkey.split("+")[0] == origin
    for changed in (note.replace("\n3\n", "\n4\n"), note.replace(origin, origin[:-1] + "x", 1)):
        with pytest.raises(AssertionError):
            anchor_check.open_anchor(changed, vkey)


def test_making_an_anchor_is_on_record_and_covered_by_the_next(db):
    first, second = export(db), export(db)
    assert db.events()[3:] == ["ANCHORED", "ANCHORED"]
    details = db.column("SELECT details FROM confiture.audit_log WHERE seq > 3 ORDER BY seq")
    key = db.value("SELECT confiture.anchor_key()")
    for note, detail, expected in zip([first, second], details, [3, 4], strict=True):
        _, size, root = anchor_check.open_anchor(note, key)
        assert detail == {"size": size, "root": root.hex()} and size == expected
    found = verified(db, [first, second])
    assert found["OK"][:3] == ("ok", 1, 5)
    assert found["W01"][:3] == ("warn", 5, 5)


def test_an_anchor_that_a_shell_stored_is_as_good(db):
    printed = db.psql("-At", "-c", "SELECT confiture.export_anchor()").stdout
    vkey = db.value("SELECT confiture.anchor_key()")
    assert printed.endswith("=\n\n")
    anchor_check.open_anchor(printed.removesuffix("\n"), vkey)
    for stored in (printed, printed.rstrip("\n"), printed.removesuffix("\n")):
        assert verified(db, [stored])["OK"][0] == "ok"


def test_the_log_of_the_server_names_each_anchor(db):
    note = export(db)
    origin, size, root = anchor_check.open_anchor(note, db.value("SELECT confiture.anchor_key()"))
    log_id = origin.removeprefix("confiture/")
    line = f"confiture anchor log={log_id} size={size} root={root.hex()}"
    assert line in db.server.log()


def test_the_key_of_anchors_changes_with_the_key_that_signs(db):
    before = db.value("SELECT confiture.anchor_key()")
    assert before == db.value("SELECT confiture.anchor_key()")
    first = export(db)
    db.execute("SELECT confiture.rotate_key('masking')")
    after = db.value("SELECT confiture.anchor_key()")
    assert before != after and before.split("+")[0] == after.split("+")[0]
    second = export(db)
    anchor_check.open_anchor(second, after)
    with pytest.raises(AssertionError):
        anchor_check.open_anchor(second, before)
    found = verified(db, [first, second])
    assert "by the anchor of key masking/2; 1 later entry rests" in found["OK"][3]
    db.execute("SELECT confiture.create_key('ledger')")
    third = export(db)
    assert "by the anchor of key ledger/1" in verified(db, [first, second, third])["OK"][3]


def test_an_anchor_of_a_destroyed_version_still_verifies(db):
    note = export(db)
    destroy(db)
    other = db.session()
    found = verified(other, [note])
    assert found["OK"][0] == "ok" and "entry 3 by the anchor of key masking/1" in found["OK"][3]
    cut(db, 2)
    assert verified(db, [note])["E08"][:3] == ("fail", 3, 3)


def test_the_kept_key_of_a_destroyed_version_cannot_be_exchanged(db):
    note = export(db)
    destroy(db)
    db.execute("UPDATE confiture.key_verifier SET anchor_key = sha256('another')")
    found = verified(db, [note])
    assert found["E11"][0] == "unverifiable" and "OK" not in found


# What anchors find.


def test_without_an_anchor_everything_is_said_to_rest_on_the_key(db):
    found = verified(db, [])
    assert found["OK"][:3] == ("ok", 1, 3)
    assert found["W01"][:3] == ("warn", 1, 3)


def test_an_anchor_says_how_far_it_reaches(db):
    note = export(db)
    db.sync()
    found = verified(db, [note])
    assert found.keys() == {"OK", "W01"}
    sentence = (
        "Verified to entry 3 by the anchor of key masking/1;"
        " 3 later entries rest on the signing key only."
    )
    assert found["OK"][3].endswith(sentence)
    assert found["W01"] == ("warn", 4, 6, sentence)


def test_a_cut_end_with_the_head_set_back_shows_by_its_anchor(db):
    db.sync()
    note = export(db)
    cut(db, 3)
    # Nothing else finds it.
    assert verified(db, []).keys() == {"OK", "W01"}
    found = verified(db, [note])
    assert found["E08"][:3] == ("fail", 4, 5)
    assert "OK" not in found


def test_an_older_head_that_is_played_back_shows_also_after_further_runs(db):
    early = export(db)
    end = db.value("SELECT seq FROM confiture.ledger_head WHERE chain = 'audit'")
    db.sync()
    late = export(db)
    cut(db, end)
    assert verified(db, [early, late])["E08"][:3] == ("fail", 5, 6)
    for _ in range(3):
        db.sync()
    found = verified(db, [early, late])
    # Grown beyond the anchor by honest entries, it is another log all the same.
    assert found["E09"][:3] == ("fail", 4, 6)
    assert found["W01"][3].startswith("Verified to entry 3")
    assert verified(db, [early]).keys() == {"OK", "W01"}


def test_a_fork_of_an_older_dump_shows(db, bare, tmp_path):
    early = export(db)
    path = dump(db, tmp_path / "dump")
    db.sync()
    late = export(db)
    other = restored(db, bare, path)
    assert verified(other, [early]).keys() == {"OK", "W01"}
    assert verified(other, [early, late])["E08"][:3] == ("fail", 5, 6)
    for _ in range(2):
        other.sync()
    # Every entry is signed by the right key, in both.
    for each in (db, other):
        assert verified(each, [early]).keys() == {"OK", "W01"}
    assert verified(other, [early, late])["E09"][:3] == ("fail", 4, 6)
    assert verified(db, [early, late]).keys() == {"OK", "W01"}
    # Both histories were anchored: that shows in either.
    forked = export(other)
    found = verified(other, [late, forked])
    assert found["E09"][0] == "fail"


def test_two_anchors_of_one_size_are_a_fork_by_themselves(db, bare, tmp_path):
    path = dump(db, tmp_path / "dump")
    db.sync()
    other = restored(db, bare, path)
    other.sync()
    notes = [export(db), export(other)]
    for each in (db, other):
        rows = each.rows(
            "SELECT check_code, status, seq_from, seq_to FROM confiture.verify_ledger(%s)"
            " WHERE check_code = 'E09'",
            [notes],
        )
        assert ("E09", "fail", 5, 5) in rows


def test_a_log_begun_anew_does_not_pass_for_the_old_one(db, bare):
    note = export(db)
    # No log at all, then another one under the same server's key.
    bare.execute("CREATE EXTENSION confiture")
    found = verified(bare, [note])
    assert found["E09"][0] == "fail" and "no log here" in found["E09"][3]
    bare.make_key()
    found = verified(bare, [note])
    assert found["E09"][0] == "fail" and "of log" in found["E09"][3] and "OK" not in found


def test_an_anchor_that_was_changed_is_no_anchor(db):
    note = export(db)
    for changed in (
        note.replace("\n3\n", "\n2\n"),
        note.replace("\n3\n", "\n03\n"),
        note + "x",
        note[:-3] + "\n",
        "anything",
        "",
        "\n\n\u2014 a b\n",
    ):
        found = verified(db, [changed])
        assert found["E02"][0] == "fail" and "anchor no. 1" in found["E02"][3], changed
        assert "OK" not in found
    found = verified(db, [note, "anything"])
    assert "anchor no. 2" in found["E02"][3]
    assert found["W01"][3].startswith("Verified to entry 3")
    db.refused("22023", "SELECT confiture.verify_ledger(ARRAY[NULL])")


def test_an_anchor_whose_key_is_not_at_hand_proves_nothing(db):
    note = export(db)
    db.execute("DELETE FROM confiture.key_version")
    rows = db.rows("SELECT check_code, status, detail FROM confiture.verify_ledger(%s)", [[note]])
    assert {row[0] for row in rows} == {"E11", "W01"}
    assert any(row[1] == "unverifiable" and "The anchor no. 1" in row[2] for row in rows)


@pytest.mark.parametrize(
    "settings",
    [
        {"TimeZone": "Asia/Kathmandu", "DateStyle": "German"},
        {"search_path": "", "bytea_output": "escape"},
        {"client_encoding": "UTF8", "default_transaction_read_only": "on"},
        {"extra_float_digits": "-3", "IntervalStyle": "iso_8601"},
        {"default_transaction_isolation": "serializable", "row_security": "off"},
    ],
    ids=str,
)
def test_anchors_do_not_depend_on_settings(db, settings):
    note = export(db)
    other = db.session()
    for name, value in settings.items():
        other.execute("SELECT set_config(%s, %s, false)", [name, value])
    assert verified(other, [note]).keys() == {"OK", "W01"}
    if settings.get("default_transaction_read_only") != "on":
        again = export(other)
        assert verified(db, [note, again])["W01"][:3] == ("warn", 5, 5)


# Making one.


def test_an_anchor_speaks_of_no_entry_that_may_be_rolled_back(db):
    other = db.session()
    other.connection.autocommit = False
    other.execute("SELECT confiture.create_key('other')")
    report = other.refused("25001", "SELECT confiture.export_anchor()")
    assert "Commit" in report.message_hint
    other.connection.rollback()
    # In a transaction of its own it is an entry like any other, and goes with it.
    note = export(other)
    other.refused("25001", "SELECT confiture.export_anchor()")
    other.connection.rollback()
    assert db.events()[3:] == []
    assert verified(db, [note]).keys() == {"OK"}
    # A savepoint is no way round it.
    other.execute("SAVEPOINT a")
    other.execute("SELECT confiture.create_key('other')")
    other.execute("RELEASE a")
    other.refused("25001", "SELECT confiture.export_anchor()")
    other.connection.rollback()


def test_a_log_that_is_no_chain_gets_no_anchor(db, bare):
    db.sync()
    for change in (
        "DELETE FROM confiture.audit_log WHERE seq = 2",
        "DELETE FROM confiture.audit_log WHERE seq = 5",
        "UPDATE confiture.audit_log SET entry_hash = sha256('x') WHERE seq = 2",
        "UPDATE confiture.ledger_head SET entry_hash = sha256('x')",
        "DELETE FROM confiture.audit_log",
    ):
        db.execute("BEGIN")
        tamper(db, change)
        db.refused("55000", "SELECT confiture.export_anchor()")
        db.execute("ROLLBACK")
    bare.execute("CREATE EXTENSION confiture")
    for call in ("export_anchor()", "anchor_key()", "inclusion_proof(1)", "consistency_proof(1)"):
        bare.refused("55000", f"SELECT confiture.{call}")


def test_anchors_are_made_while_runs_go_on(db):
    others = [db.session() for _ in range(3)]
    notes = [export(other) for other in others for _ in range(3)]
    db.sync()
    found = verified(db, notes)
    assert found["OK"][:3] == ("ok", 1, 14)
    assert found["W01"][:3] == ("warn", 12, 14)


# Proofs.


def test_proofs_hold_outside_the_database(db):
    for _ in range(3):
        db.sync()
    leaves = hashes(db)
    assert len(leaves) == 9
    proof = "SELECT hash FROM confiture.{}_proof(%s, %s) ORDER BY n"
    for size in range(1, 10):
        root = anchor_check.root_of(leaves[:size])
        for at in range(1, size + 1):
            inclusion = db.column(proof.format("inclusion"), [at, size])
            leaf = anchor_check.leaf(leaves[at - 1])
            assert anchor_check.includes(at - 1, size, leaf, inclusion, root)
            assert not anchor_check.includes(at - 1, size, leaf, [*inclusion, leaf], root)
            consistency = db.column(proof.format("consistency"), [at, size])
            before = anchor_check.root_of(leaves[:at])
            assert anchor_check.is_consistent(at, before, size, root, consistency)
    assert db.column("SELECT n FROM confiture.inclusion_proof(1)") == [1, 2, 3, 4]
    everything = db.column("SELECT hash FROM confiture.inclusion_proof(4)")
    assert everything == db.column(proof.format("inclusion"), [4, 9])


def test_there_are_no_proofs_beyond_the_log(db):
    for numbers in ("0", "4", "-1", "1, 4", "3, 2", "1, 0", "1, -1", "9223372036854775807"):
        for proof in ("inclusion", "consistency"):
            db.refused("22023", f"SELECT confiture.{proof}_proof({numbers})")
    for proof in ("inclusion", "consistency"):
        db.refused("22023", f"SELECT confiture.{proof}_proof(NULL)")
