"""The audit log: what is written, that it cannot be changed, and that changing it shows."""

import re
import uuid
from datetime import datetime, timezone

import pytest

from tampering import commands_unguarded, tamper

# The fields of the plan's AuditEntry, under its names.
FIELDS = {
    "id",
    "timestamp",
    "user",
    "hostname",
    "source_database",
    "target_database",
    "profile_name",
    "profile_version",
    "profile_hash",
    "tables_synced",
    "rows_anonymized",
    "strategies_applied",
    "verification_passed",
    "verification_report",
    "signature",
}


# What only a run has; in an entry about a key it is null.
RUN_ONLY = FIELDS - {
    "id",
    "timestamp",
    "user",
    "hostname",
    "source_database",
    "target_database",
    "signature",
}


@pytest.fixture
def db(numbered):
    """After two runs: five entries, the first one about the key that signs them."""
    numbered.sync()
    numbered.sync()
    return numbered


def entry(db, nth=1):
    """The nth newest entry as JSON."""
    found = db.column("SELECT id FROM confiture.get_audit_log()")[nth - 1]
    return db.value("SELECT confiture.audit_entry_json(%s)", [found])


def test_each_run_leaves_its_beginning_and_its_end(db):
    assert db.events() == ["KEY_CREATED", "STARTED", "COMPLETED", "STARTED", "COMPLETED"]
    runs = db.column("SELECT run_id FROM confiture.audit_log ORDER BY seq")
    assert runs[0] is None and None not in runs[1:]
    assert runs[1] == runs[2] != runs[3] == runs[4]


def test_the_making_of_a_key_is_signed_by_it(db):
    made = entry(db, 5)
    assert made.keys() == entry(db).keys(), "the same fields as a run's"
    assert (made["event"], made["user"], made["key"]) == ("KEY_CREATED", "postgres", "masking/1")
    assert made["source_database"] == made["target_database"] == db.name
    details = made["details"]
    assert (details["key"], details["version"], details["purpose"]) == ("masking", 1, "masking")
    assert details["wrapped_by"]["provider"] == "file"
    assert [name for name in RUN_ONLY if made[name] is not None] == []


def test_an_entry_has_every_field_of_the_plan(db):
    newest = entry(db)
    assert newest.keys() >= FIELDS
    assert newest["user"] == "postgres" and newest["hostname"] == "[local]"
    assert newest["source_database"] == newest["target_database"] == db.name
    assert (newest["profile_name"], newest["profile_version"]) == ("small", "1")
    assert (newest["source_schema"], newest["target_schema"]) == ("prod", "staging")
    assert len(newest["tables_synced"]) == 1 and "people" in newest["tables_synced"][0]
    assert list(newest["rows_anonymized"].values()) == [3]
    assert newest["verification_passed"] is True and newest["verification_report"]
    assert re.fullmatch("[0-9a-f]{64}", newest["signature"])
    uuid.UUID(newest["id"])
    assert (
        abs(
            (
                datetime.now(timezone.utc) - datetime.fromisoformat(newest["timestamp"])
            ).total_seconds()
        )
        < 60
    )
    stored = db.value("SELECT encode(profile_hash, 'hex') FROM confiture.profiles")
    assert newest["profile_hash"] == stored


def test_strategies_are_listed_per_table_and_column(db):
    (columns,) = entry(db)["strategies_applied"].values()
    assert set(columns) >= {"email"} and "email" in str(columns["email"])


def test_the_report_of_the_verification_names_its_checks(db):
    report = str(entry(db)["verification_report"])
    assert "people" in report or "rows" in report


def test_the_log_is_read_newest_first_up_to_a_limit(db):
    assert db.column("SELECT seq FROM confiture.get_audit_log()") == [5, 4, 3, 2, 1]
    assert db.column("SELECT seq FROM confiture.get_audit_log(2)") == [5, 4]
    assert db.column('SELECT seq FROM confiture.get_audit_log("limit" => 0)') == []


def test_an_entry_that_is_not_there_is_null(db):
    assert db.column("SELECT confiture.audit_entry_json(%s)", [uuid.uuid4()]) in ([], [None])


def test_an_intact_log_is_ok_and_says_what_it_rests_on(db):
    assert db.findings() == {"OK": ("ok", 1, 5), "W01": ("warn", 1, 5)}


def test_an_empty_log_is_ok(server):
    empty = server.create_database(key=False)
    try:
        assert empty.findings() == {"OK": ("ok", None, None)}
        for table in ("audit_log", "ledger_head", "lineage", "journal"):
            empty.refused("42501", f"TRUNCATE confiture.{table}")
        empty.make_key()
        assert empty.findings() == {"OK": ("ok", 1, 1), "W01": ("warn", 1, 1)}
    finally:
        empty.drop()


CHANGES = [
    "UPDATE confiture.audit_log SET user_name = 'somebody'",
    "UPDATE confiture.audit_log SET user_name = user_name WHERE false",
    "DELETE FROM confiture.audit_log",
    "DELETE FROM ONLY confiture.audit_log WHERE seq = 5",
    "TRUNCATE confiture.audit_log",
    "TRUNCATE confiture.audit_log CASCADE",
    "DELETE FROM confiture.ledger_head",
    "TRUNCATE confiture.ledger_head",
    "UPDATE confiture.ledger_head SET seq = seq",
    "UPDATE confiture.ledger_head SET seq = 1 WHERE false",
    "INSERT INTO confiture.audit_log SELECT * FROM confiture.audit_log"
    " ON CONFLICT (seq) DO UPDATE SET user_name = 'x'",
    "WITH gone AS (DELETE FROM confiture.audit_log RETURNING 1) SELECT * FROM gone",
]


@pytest.mark.parametrize("change", CHANGES)
@pytest.mark.parametrize("role", ["origin", "replica", "local"])
def test_nobody_changes_the_log_not_even_a_superuser(db, change, role):
    before = db.rows("SELECT * FROM confiture.audit_log")
    db.execute(f"SET session_replication_role = {role}")
    db.refused("42501", change)
    assert db.rows("SELECT * FROM confiture.audit_log") == before


def test_merge_changes_the_log_as_little(db):
    if db.server.version < 15:
        pytest.skip("MERGE came with PostgreSQL 15")
    db.refused(
        "42501",
        "MERGE INTO confiture.audit_log a USING (VALUES (1::bigint)) v (s) ON a.seq = v.s"
        " WHEN MATCHED THEN UPDATE SET user_name = 'x'",
    )


@pytest.mark.parametrize(
    "edit",
    [
        "user_name = 'somebody'",
        '"timestamp" = "timestamp" - interval \'1 day\'',
        "hostname = '10.0.0.1'",
        "verification_passed = NOT verification_passed",
        "verification_passed = NULL",
        "tables_synced = '{}'",
        "tables_synced = NULL",
        "rows_anonymized = '{\"people\": 4}'",
        "strategies_applied = '{}'",
        "profile_version = '9'",
        "profile_hash = '\\x00'",
        "verification_report = verification_report || '[1]'",
        "event = 'FAILED'",
        "details = '{\"edited\": true}'",
        "run_id = gen_random_uuid()",
        "id = gen_random_uuid()",
        "origin = 'declared'",
    ],
)
def test_an_edited_field_shows(db, edit):
    tamper(db, f"UPDATE confiture.audit_log SET {edit} WHERE seq = 3")
    findings = db.findings()
    assert findings["E01"] == ("fail", 3, 3) and findings["E02"] == ("fail", 3, 3)
    assert "OK" not in findings


@pytest.mark.parametrize(
    "edit",
    [
        "event = 'KEY_ROTATED'",
        "details = jsonb_set(details, '{version}', '2')",
        "user_name = 'somebody'",
        "key_version = 2",
        "run_id = gen_random_uuid()",
    ],
)
def test_an_edited_entry_about_a_key_shows(db, edit):
    tamper(db, f"UPDATE confiture.audit_log SET {edit} WHERE seq = 1")
    findings = db.findings()
    assert findings["E01"] == ("fail", 1, 1)
    assert "OK" not in findings


def test_a_changed_signature_shows(db):
    tamper(db, "UPDATE confiture.audit_log SET signature = sha256('x') WHERE seq = 4")
    assert db.findings()["E02"] == ("fail", 4, 4)


def test_a_removed_end_shows(db):
    tamper(db, "DELETE FROM confiture.audit_log WHERE seq > 3")
    assert db.findings()["E07"][0] == "fail"


def test_an_emptied_log_shows(db):
    tamper(db, "TRUNCATE confiture.audit_log")
    assert db.findings()["E07"][0] == "fail"


def test_a_removed_middle_shows(db):
    tamper(db, "DELETE FROM confiture.audit_log WHERE seq = 3")
    findings = db.findings()
    assert findings["E04"][0] == findings["E03"][0] == "fail"


def test_a_removed_beginning_shows(db):
    # The entry about the key, which no run needs.
    tamper(db, "DELETE FROM confiture.audit_log WHERE seq = 1")
    findings = db.findings()
    assert findings["E04"][0] == findings["E03"][0] == "fail"


def test_two_entries_changed_for_each_other_show(db):
    tamper(
        db,
        "UPDATE confiture.audit_log SET seq = CASE seq WHEN 2 THEN 100 ELSE 2 END"
        " WHERE seq IN (2, 4);"
        " UPDATE confiture.audit_log SET seq = 4 WHERE seq = 100",
    )
    assert {"E01", "E03"} <= db.findings().keys()


def test_an_entry_made_up_by_hand_shows(db):
    db.execute("CREATE TEMP TABLE forged AS SELECT * FROM confiture.audit_log WHERE seq = 5")
    db.execute(
        "UPDATE forged SET previous_entry_hash = entry_hash, seq = 6, id = gen_random_uuid(),"
        " entry_hash = sha256('x'), user_name = 'somebody'"
    )
    db.refused("42501", "INSERT INTO confiture.audit_log SELECT * FROM forged")
    tamper(db, "INSERT INTO confiture.audit_log SELECT * FROM forged")
    findings = db.findings()
    assert {"E01", "E02", "E07"} <= findings.keys()


def test_a_log_that_was_cut_takes_no_further_entry(db):
    # Else the gap would grow over.
    tamper(db, "DELETE FROM confiture.audit_log WHERE seq = 5")
    before = db.content("staging")
    db.sync_refused("XX001")
    db.refused("XX001", "SELECT confiture.rotate_key('masking')")
    assert db.content("staging") == before


def test_a_head_set_back_to_hide_a_cut_is_all_that_is_left_to_anchors(db):
    tamper(db, "DELETE FROM confiture.audit_log WHERE seq > 3")
    tamper(
        db,
        "UPDATE confiture.ledger_head SET seq = 3, entry_hash ="
        " (SELECT entry_hash FROM confiture.audit_log WHERE seq = 3)",
    )
    findings = db.findings()
    # Honest about it: without an anchor outside, nobody can tell, and the result says so.
    assert findings["W01"] == ("warn", 1, 3)


@pytest.mark.parametrize(
    "settings",
    [
        {"TimeZone": "Asia/Kathmandu"},
        {"DateStyle": "German"},
        {"DateStyle": "SQL, DMY"},
        {"search_path": "''"},
        {"bytea_output": "escape"},
        {"extra_float_digits": "-3"},
        {"IntervalStyle": "iso_8601"},
        {"client_encoding": "LATIN1"},
        {"lc_messages": "'C'"},
        {"standard_conforming_strings": "off"},
        {"default_transaction_read_only": "on"},
        {"row_security": "off"},
        {"default_transaction_isolation": "serializable"},
    ],
    ids=str,
)
def test_verification_does_not_depend_on_settings(db, settings):
    other = db.session()
    for name, value in settings.items():
        other.execute(f"SET {name} = {value}" if value[0] in "'" else f"SET {name} = '{value}'")
    assert other.findings() == {"OK": ("ok", 1, 5), "W01": ("warn", 1, 5)}


def test_entries_written_under_odd_settings_verify(db):
    other = db.session()
    for name, value in (
        ("TimeZone", "Asia/Kathmandu"),
        ("DateStyle", "German"),
        ("bytea_output", "escape"),
        ("application_name", 'its "x" \\ \u00fc'),
        ("search_path", ""),
    ):
        other.execute("SELECT set_config(%s, %s, false)", [name, value])
    other.sync()
    assert db.findings()["OK"] == ("ok", 1, 7)


def test_verification_works_on_a_log_of_many_entries(db):
    for _ in range(15):
        db.sync()
    assert db.findings()["OK"] == ("ok", 1, 35)


def test_the_log_of_the_server_names_each_entry(db):
    seq, digest = db.rows(
        "SELECT seq, encode(entry_hash, 'hex') FROM confiture.audit_log WHERE seq = 5"
    )[0]
    assert re.search(
        rf"confiture ledger log=\S+ seq={seq} event=COMPLETED hash={digest[:16]}", db.server.log()
    )
    (digest,) = db.column(
        "SELECT encode(entry_hash, 'hex') FROM confiture.audit_log WHERE event = 'KEY_CREATED'"
    )
    assert re.search(
        rf"confiture ledger log=\S+ seq=1 event=KEY_CREATED hash={digest[:16]}", db.server.log()
    )


def test_a_rule_that_would_swallow_an_entry_stops_the_run(db):
    before = db.content("staging")
    with commands_unguarded(db):
        db.execute("CREATE RULE swallow AS ON INSERT TO confiture.audit_log DO INSTEAD NOTHING")
    db.sync_refused("XX001")
    assert db.content("staging") == before
