"""Guards put down and taken up again, and dumps restored with and without that."""

import re

import pytest

from server import ROOT
from tampering import commands_unguarded, unguarded

OK = {"OK": ("ok", 1, 3), "W01": ("warn", 1, 3)}
DISABLE = "ALTER TABLE confiture.audit_log DISABLE TRIGGER ALL"
ENABLE = "ALTER TABLE confiture.audit_log ENABLE TRIGGER ALL"


@pytest.fixture
def db(numbered):
    """Three entries."""
    numbered.sync()
    return numbered


def details(db):
    """What the newest entry says."""
    return db.rows("SELECT event, details FROM confiture.audit_log ORDER BY seq DESC LIMIT 1")[0]


def test_disarming_is_on_record_and_lasts_in_every_session_until_rearming(db):
    db.execute("SELECT confiture.disarm('restore of tuesday')")
    event, said = details(db)
    assert event == "CONFIG"
    assert said == {"guards": "disarmed", "reason": "restore of tuesday", "differences": []}
    other = db.session()
    other.execute(DISABLE)
    other.execute(ENABLE)
    db.refused("55000", "SELECT confiture.rotate_key('masking')")
    findings = db.findings()
    assert findings["E10"][0] == "fail" and findings["W05"][0] == "warn"
    assert "OK" not in findings
    other.execute("SELECT confiture.rearm()")
    event, said = details(db)
    assert event == "CONFIG" and said["guards"] == "armed"
    assert "event trigger confiture_definition_end is disabled" in said["differences"]
    assert (
        "trigger audit_log_append_only_row on audit_log does not fire always" in said["differences"]
    )
    assert db.findings() == {"OK": ("ok", 1, 5), "W01": ("warn", 1, 5)}
    db.refused("42501", DISABLE)
    other.refused("42501", DISABLE)
    db.sync()


def test_both_can_be_said_twice(db):
    for _ in range(2):
        db.execute("SELECT confiture.rearm()")
    assert "armed already" in db.notices[-1]["message_primary"]
    for _ in range(2):
        db.execute("SELECT confiture.disarm('x')")
    assert "disarmed already" in db.notices[-1]["message_primary"]
    assert db.events()[3:] == ["CONFIG"]
    for _ in range(2):
        db.execute("SELECT confiture.rearm()")
    assert db.events()[3:] == ["CONFIG", "CONFIG"]
    assert db.findings()["OK"] == ("ok", 1, 5)


def test_a_rolled_back_disarming_leaves_nothing(db):
    db.execute("BEGIN")
    db.execute("SELECT confiture.disarm('x')")
    db.execute(DISABLE)
    db.execute("ROLLBACK")
    assert db.findings() == OK
    db.refused("42501", DISABLE)


def test_disarming_and_rearming_in_one_transaction(db):
    db.execute("BEGIN")
    db.execute("SELECT confiture.disarm('x')")
    db.execute(DISABLE)
    db.execute("SELECT confiture.rearm()")
    db.execute("CREATE TABLE t ()")
    db.execute("COMMIT")
    assert db.findings()["OK"] == ("ok", 1, 5)
    db.refused("42501", DISABLE)


def test_only_superusers_say_so(db):
    stranger = db.session(db.role("stranger"))
    name = stranger.value("SELECT current_user")
    db.execute(f"GRANT USAGE ON SCHEMA confiture TO {name}")
    for call in ("disarm('x')", "rearm()"):
        stranger.refused("42501", f"SELECT confiture.{call}")
    db.execute(f"GRANT EXECUTE ON FUNCTION confiture.disarm(text), confiture.rearm() TO {name}")
    for call in ("disarm('x')", "rearm()"):
        report = stranger.refused("42501", f"SELECT confiture.{call}")
        assert "only superusers" in report.message_primary
    assert db.findings() == OK


@pytest.mark.parametrize("reason", ["NULL", "''", "E' \\t\\n'", "repeat('x', 1001)"])
def test_a_reason_says_something(db, reason):
    db.refused("22023", f"SELECT confiture.disarm({reason})")
    assert db.findings() == OK


def test_what_firing_guards_do_not_mend_is_named(db):
    db.execute("SELECT confiture.disarm('x')")
    db.execute("CREATE RULE r AS ON UPDATE TO confiture.audit_log DO INSTEAD NOTHING")
    db.execute(DISABLE)
    report = db.refused("55000", "SELECT confiture.rearm()")
    assert report.message_detail == "There is a rule r on audit_log."
    # Nothing half done: it is still disarmed, and can be repaired.
    db.execute("DROP RULE r ON confiture.audit_log")
    db.execute("SELECT confiture.rearm()")
    assert db.findings()["OK"] == ("ok", 1, 5)


def test_a_repair_begins_with_a_record_of_what_is_wrong(db):
    with commands_unguarded(db):
        db.execute("ALTER TABLE confiture.audit_log ADD COLUMN note text")
        db.execute("CREATE POLICY p ON confiture.audit_log")
    # One of two is not enough to be good again.
    db.refused("42501", "DROP POLICY p ON confiture.audit_log")
    db.execute("SELECT confiture.disarm('repair')")
    _, said = details(db)
    assert said["differences"] == [
        "column note of audit_log does not belong there",
        "there is a policy p on audit_log",
    ]
    db.execute("DROP POLICY p ON confiture.audit_log")
    db.execute("ALTER TABLE confiture.audit_log DROP COLUMN note")
    report = db.refused("55000", "SELECT confiture.rearm()")
    # A dropped column stays in the catalog: the table is not what it was made as.
    assert re.fullmatch(r"Column number \d+ of audit_log was dropped\.", report.message_detail)


def test_guards_put_down_by_hand_are_taken_up_again(db):
    for name in db.column("SELECT evtname FROM pg_event_trigger WHERE evtname ~ 'definition'"):
        db.execute(f"ALTER EVENT TRIGGER {name} DISABLE")
    db.execute("ALTER EVENT TRIGGER confiture_drop_guard ENABLE")
    db.execute("SELECT confiture.rearm()")
    _, said = details(db)
    assert "event trigger confiture_drop_guard does not fire always" in said["differences"]
    assert db.findings()["OK"] == ("ok", 1, 4)


def test_rearming_needs_no_key_and_warns(db):
    with unguarded(db):
        db.execute("DELETE FROM confiture.audit_log WHERE seq = 3")
    with commands_unguarded(db):
        db.execute(ENABLE)
    # The log was cut: it takes no entry, and is armed all the same.
    db.execute("SELECT confiture.rearm()")
    assert "not on record" in db.notices[-1]["message_primary"]
    assert {"E10", "W05"} & db.findings().keys() == set()
    assert db.findings()["E07"][0] == "fail"


def dump(db, path, *options):
    """Takes a dump in the custom format."""
    db.server.run("pg_dump", "-Fc", "-f", path, *options, database=db.name)
    return path


def restore(bare, path, *options, check=True):
    """Restores it, or a part of it."""
    options = ["--exit-on-error", *options] if check else options
    return bare.server.run("pg_restore", "-d", bare.name, *options, path, check=check)


WAYS = {
    "plain": ["-Fp"],
    "plain, with INSERT": ["-Fp", "--inserts"],
    "plain, with INSERT of columns": ["-Fp", "--column-inserts", "--rows-per-insert=2"],
    "custom": ["-Fc"],
    "custom, with INSERT": ["-Fc", "--inserts"],
}


@pytest.mark.parametrize("way", WAYS)
def test_a_dump_of_each_kind_comes_back(db, bare, tmp_path, way):
    path = tmp_path / "dump"
    db.server.run("pg_dump", "-f", path, *WAYS[way], database=db.name)
    if "-Fp" in WAYS[way]:
        bare.psql("-f", path)
    else:
        restore(bare, path)
    restored = bare.session()
    assert restored.findings() == OK
    restored.refused("42501", DISABLE)
    restored.refused("42501", "UPDATE confiture.ledger_head SET seq = 1")
    restored.sync()
    assert restored.findings()["OK"] == ("ok", 1, 5)


def test_data_restored_without_triggers_needs_rearming(db, bare, tmp_path):
    path = dump(db, tmp_path / "dump")
    restore(bare, path, "--section=pre-data")
    bare.execute("SELECT confiture.disarm('restore')")
    assert "nothing on record" in bare.notices[-1]["message_primary"]
    restore(bare, path, "--data-only", "--disable-triggers")
    restore(bare, path, "--section=post-data")
    restored = bare.session()
    codes = {(row[0], row[1]) for row in restored.rows("SELECT * FROM confiture.verify_ledger()")}
    assert {("E10", "fail"), ("W05", "warn")} <= codes
    restored.execute("SELECT confiture.rearm()")
    assert restored.findings() == {"OK": ("ok", 1, 4), "W01": ("warn", 1, 4)}
    assert details(restored)[1]["guards"] == "armed"


def test_data_restored_without_triggers_comes_in_also_where_guards_are_up(db, bare, tmp_path):
    path = dump(db, tmp_path / "dump")
    restore(bare, path, "--section=pre-data")
    done = restore(bare, path, "--data-only", "--disable-triggers", check=False)
    assert "the definition of the ledger is guarded" in done.stderr
    assert bare.session().findings() == OK


def test_a_dump_does_not_come_into_a_ledger_in_use(db, server, tmp_path):
    path = dump(db, tmp_path / "dump", "--data-only")
    used = server.create_database()
    try:
        done = restore(used, path, check=False)
        assert "the ledger is append-only" in done.stderr
        assert used.events() == ["KEY_CREATED"]
        assert used.findings()["OK"] == ("ok", 1, 1)
    finally:
        used.drop()


def test_a_dump_of_a_tampered_log_comes_back_as_tampered(db, bare, tmp_path):
    with unguarded(db):
        db.execute("UPDATE confiture.audit_log SET hostname = 'x' WHERE seq = 2")
        db.execute("DELETE FROM confiture.audit_log WHERE seq = 3")
    restore(bare, dump(db, tmp_path / "dump"))
    assert bare.session().findings() == db.findings()
    assert {"E01", "E07"} <= db.findings().keys()


def test_the_example_shows_what_a_superuser_cannot_hide(db):
    script = ROOT / "examples" / "tamper.sql"
    shown = db.psql("-f", script).stdout
    assert "E01" in shown and "E02" in shown and "The fields do not give the stored hash" in shown
    findings = db.findings()
    assert findings["E01"] == ("fail", 2, 2) and findings["E02"] == ("fail", 2, 2)
    # Put back as it was, so that only the entry itself tells.
    assert "E10" not in findings and "W05" not in findings
    assert "OK" not in findings
