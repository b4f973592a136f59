"""Retention: what goes and what does not, who may, and that it verifies before and after."""

import hashlib
import threading
import time

import psycopg
import pytest

import anchor_check
from journal_calls import REVEAL
from retention import (
    details,
    fill,
    forget_directories,
    found,
    is_right,
    left,
    moment,
    prune,
    read,
    set_directories,
    shell,
)
from test_anchors import export, hashes


@pytest.fixture
def db(numbered):
    """Numbers of entries are said here: the first one is about the key."""
    return numbered


@pytest.fixture
def ledger(db):
    """Eight entries, of which an anchor covers five; directories for anchors and archives."""
    set_directories(db)
    fill(db)
    yield db
    forget_directories(db)


ALL = {"audit_log": list(range(1, 9)), "lineage": [1, 2, 3], "journal": [1, 2]}


# The normal way.


def test_what_goes_is_what_an_anchor_covers_and_it_is_in_a_file(ledger):
    assert left(ledger) == ALL
    expected = ledger.column("SELECT confiture.export_ledger(5)")
    row = prune(ledger)
    assert (row["first_seq"], row["last_seq"], row["entries"]) == (1, 5, 5)
    assert (row["lineage"], row["journal"]) == (2, 2)
    log_id = ledger.value("SELECT DISTINCT log_id FROM confiture.ledger_head")
    assert row["file"] == str(ledger.archives / f"{log_id}-{1:020}-{5:020}.jsonl")
    lines = read(ledger, row["file"])
    assert lines == expected and len(lines) == 9
    digest = hashlib.sha256("".join(f"{line}\n" for line in lines).encode()).hexdigest()
    assert row["sha256"] == digest
    assert left(ledger) == {"audit_log": [6, 7, 8, 9], "lineage": [3], "journal": []}
    assert ledger.events() == ["ANCHORED", "STARTED", "COMPLETED", "PRUNED"]
    assert f"confiture pruned log={log_id} first=1 last=5 sha256={digest}" in ledger.server.log()
    status, first, last, detail = is_right(ledger)
    assert (status, first, last) == ("ok", 6, 9)
    assert "Entries up to 5 were pruned, as entry 9 says." in detail
    # It goes on as before.
    ledger.execute(REVEAL)
    ledger.sync()
    assert left(ledger) == {"audit_log": list(range(6, 12)), "lineage": [3, 4], "journal": [3]}
    is_right(ledger)


def test_the_entry_says_how_the_part_ended(ledger):
    leaves = hashes(ledger)
    genesis, step = ledger.rows(
        "SELECT (SELECT previous_entry_hash FROM confiture.audit_log WHERE seq = 1),"
        " (SELECT entry_hash FROM confiture.lineage WHERE seq = 2)"
    )[0]
    row = prune(ledger)
    seq, said = details(ledger)
    peaks = [anchor_check.root_of(leaves[:4]).hex(), anchor_check.leaf(leaves[4]).hex()]
    assert seq == 9 and said == {
        "before": said["before"],
        "file": row["file"].rpartition("/")[2],
        "first_seq": 1,
        "last_seq": 5,
        "count": 5,
        "first_previous": genesis.hex(),
        "last_hash": leaves[4].hex(),
        "frontier": peaks,
        "root": anchor_check.root_of(leaves[:5]).hex(),
        "lineage": {"count": 2, "last": 2, "last_hash": step.hex()},
        "journal": {"count": 2, "last": 2},
        "export_sha256": row["sha256"],
    }


def test_a_dry_run_says_what_would_go_and_changes_nothing(ledger):
    would = prune(ledger, dry_run=True)
    assert would.pop("sha256") is None
    assert left(ledger) == ALL
    assert ledger.column("SELECT pg_ls_dir(%s)", [str(ledger.archives)]) == []
    done = prune(ledger)
    done.pop("sha256")
    assert would == done


def test_what_is_younger_stays(ledger):
    second = ledger.value('SELECT "timestamp" FROM confiture.audit_log WHERE seq = 2')
    # The limit itself is not before the limit.
    assert prune(ledger, second)["last_seq"] == 1
    assert left(ledger) == {**ALL, "audit_log": list(range(2, 10))}
    assert prune(ledger, second) is None
    assert any("nothing to prune" in notice["message_primary"] for notice in ledger.notices)
    is_right(ledger)


def test_a_part_without_lineage_and_records_goes_too(ledger):
    first = ledger.value('SELECT "timestamp" FROM confiture.audit_log WHERE seq = 2')
    assert prune(ledger, first)["lineage"] == 0
    _, said = details(ledger)
    assert said["lineage"]["last"] == said["journal"]["last"] == 0
    is_right(ledger)


def test_a_rolled_back_pruning_gives_all_back(ledger):
    ledger.execute("BEGIN")
    assert prune(ledger)["entries"] == 5
    assert len(left(ledger)["audit_log"]) == 4
    ledger.execute("ROLLBACK")
    assert left(ledger) == ALL
    is_right(ledger)
    # Its file stays, and is the one of the pruning that follows.
    (name,) = ledger.column("SELECT pg_ls_dir(%s)", [str(ledger.archives)])
    assert prune(ledger)["file"].endswith(name)
    assert ledger.column("SELECT pg_ls_dir(%s)", [str(ledger.archives)]) == [name]
    is_right(ledger)


def test_a_savepoint_gives_all_back(ledger):
    ledger.execute("BEGIN; SAVEPOINT s")
    prune(ledger)
    ledger.execute("ROLLBACK TO s")
    assert left(ledger) == ALL
    ledger.execute("COMMIT")
    ledger.refused("42501", "DELETE FROM confiture.audit_log WHERE seq = 1")
    is_right(ledger)


def test_pruning_again_and_again(ledger):
    prune(ledger)
    for number in range(2, 5):
        ledger.execute(REVEAL)
        ledger.sync()
        export(ledger)
        last = max(left(ledger)["audit_log"]) - 1
        assert prune(ledger)["last_seq"] == last
        # The entry about the pruning before is gone itself.
        assert ledger.events() == ["ANCHORED", "PRUNED"]
        is_right(ledger)
        assert len(ledger.column("SELECT pg_ls_dir(%s)", [str(ledger.archives)])) == number
    assert left(ledger)["lineage"] == left(ledger)["journal"] == []
    ledger.execute(REVEAL)
    ledger.sync()
    assert left(ledger)["lineage"] == [7] and left(ledger)["journal"] == [6]
    is_right(ledger)


def test_vacuum_of_every_kind_leaves_numbers_as_they_are(ledger):
    for command in ("VACUUM", "VACUUM FULL"):
        prune(ledger)
        for table in ("audit_log", "lineage", "journal"):
            ledger.execute(f"{command} confiture.{table}")
        ledger.session().execute(REVEAL)
        ledger.sync()
        export(ledger)
        is_right(ledger)
    assert left(ledger)["journal"] == [4]


# What does not go.


def test_a_run_that_is_astride_stays_with_all_that_follows_it(ledger):
    other = ledger.session()
    other.execute("SELECT confiture.begin_run('slow', 'prod', 'staging')")
    ledger.sync()
    export(ledger)
    # Still going, in a session that is there.
    assert prune(ledger, dry_run=True)["last_seq"] == 8
    limit = moment(ledger)
    other.execute("SELECT confiture.fail_run('late')")
    export(ledger)
    # Begun before the limit, and ended after it.
    assert prune(ledger, limit, dry_run=True)["last_seq"] == 8
    assert prune(ledger)["last_seq"] == 13
    is_right(ledger)


def test_runs_that_overlap_stay_together(ledger):
    first, second = ledger.session(), ledger.session()
    first.execute("SELECT confiture.begin_run('a', 'prod', 'staging')")
    second.execute("SELECT confiture.begin_run('b', 'prod', 'staging')")
    first.execute("SELECT confiture.fail_run('x')")
    limit = moment(ledger)
    second.execute("SELECT confiture.fail_run('x')")
    export(ledger)
    assert prune(ledger, limit)["last_seq"] == 8


def test_a_run_whose_session_was_killed_holds_nothing_up(ledger):
    other = ledger.session()
    other.execute("SELECT confiture.begin_run('killed', 'prod', 'staging')")
    export(ledger)
    assert prune(ledger, dry_run=True)["last_seq"] == 8
    pid = other.pid()
    other.connection.close()
    while ledger.value("SELECT count(*) FROM pg_stat_activity WHERE pid = %s", [pid]):
        time.sleep(0.02)
    assert prune(ledger)["last_seq"] == 9
    is_right(ledger)


def test_nothing_above_the_newest_good_anchor_goes(ledger):
    (name,) = ledger.column("SELECT pg_ls_dir(%s)", [str(ledger.anchors)])
    early = ledger.value("SELECT pg_read_file(%s)", [str(ledger.anchors / name)])
    late = export(ledger)
    assert prune(ledger, dry_run=True)["last_seq"] == 8
    # What is handed in counts instead of the directory.
    assert prune(ledger, anchors=[early], dry_run=True)["last_seq"] == 5
    assert prune(ledger, anchors=[early, late])["last_seq"] == 8


def test_without_an_anchor_nothing_goes(ledger):
    limit = moment(ledger)
    call = "SELECT confiture.prune_ledger(%s, anchors => %s)"
    report = ledger.refused("55000", call, [limit, []])
    assert "no anchor" in report.message_primary and "export_anchor" in report.message_hint
    ledger.refused("XX001", call, [limit, ["anything"]])
    ledger.refused("22023", call, [limit, [None]])
    assert left(ledger) == ALL


def test_without_a_directory_nothing_goes(ledger):
    limit = moment(ledger)
    session = ledger.configure(archive_directory=None)
    while session.value("SELECT current_setting('confiture.archive_directory')"):
        session = ledger.session()
        session.execute("LOAD 'confiture'")
    for dry in ("false", "true"):
        report = session.refused("55000", f"SELECT confiture.prune_ledger('{limit}', {dry})")
        assert "confiture.archive_directory" in report.message_hint


def test_a_directory_that_others_write_to_is_refused(ledger):
    limit = moment(ledger)
    shell(ledger, f"chmod 0770 {ledger.archives}")
    report = ledger.refused("55000", "SELECT confiture.prune_ledger(%s)", [limit])
    assert "permissions" in report.message_detail
    assert left(ledger) == ALL


def test_a_file_that_holds_something_else_is_refused(ledger):
    row = prune(ledger, dry_run=True)
    shell(ledger, f"echo half > {row['file']}")
    limit = moment(ledger)
    report = ledger.refused("XX001", "SELECT confiture.prune_ledger(%s)", [limit])
    assert "holds something else" in report.message_primary
    assert left(ledger) == ALL and read(ledger, row["file"]) == ["half"]


def test_times_that_are_none(ledger):
    for before in ("now() + interval '1 hour'", "'infinity'", "NULL"):
        ledger.refused("22023", f"SELECT confiture.prune_ledger({before})")
    ledger.refused("22023", "SELECT confiture.prune_ledger('2000-01-01', NULL)")
    for before in ("-infinity", "2000-01-01"):
        assert prune(ledger, before) is None
    assert left(ledger) == ALL


# Who may.


def test_only_superusers_prune(ledger):
    limit = moment(ledger)
    clerk, admin, boss = (ledger.session(user=ledger.role(stem)) for stem in ("clerk", "admin", "boss"))
    names = {session: session.value("SELECT session_user") for session in (clerk, admin, boss)}
    call = "SELECT entries FROM confiture.prune_ledger(%s, true)"
    clerk.refused("42501", call, [limit])
    ledger.execute(f"SELECT confiture.grant_access('admin', '{names[admin]}')")
    ledger.execute(f"SELECT confiture.grant_access('auditor', '{names[admin]}')")
    admin.refused("42501", call, [limit])
    # The right to call is not enough, nor is to be a member of somebody who may.
    for role in (names[admin], names[boss]):
        ledger.execute(
            "GRANT EXECUTE ON FUNCTION confiture.prune_ledger(timestamptz, boolean, text[])"
            f' TO "{role}"; GRANT USAGE ON SCHEMA confiture TO "{role}"'
        )
    assert "superusers" in admin.refused("42501", call, [limit]).message_primary
    ledger.execute(f'GRANT postgres TO "{names[boss]}"')
    boss.refused("42501", call, [limit])
    boss.execute("SET ROLE postgres")
    assert boss.value(call, [limit]) == 5
    for session in (clerk, admin):
        session.refused("42501", "DELETE FROM confiture.audit_log WHERE seq = 1")


# Only what is being pruned goes, and only then.


DELETES = [
    "DELETE FROM confiture.audit_log WHERE seq = 6",
    "DELETE FROM confiture.audit_log WHERE seq = 1",
    "DELETE FROM confiture.audit_log",
    "DELETE FROM confiture.lineage",
    "DELETE FROM confiture.journal WHERE number = 1",
    "DELETE FROM confiture.ledger_head",
    "TRUNCATE confiture.audit_log",
    "TRUNCATE confiture.journal",
    "UPDATE confiture.audit_log SET user_name = 'x' WHERE seq = 1",
]


def test_nothing_can_be_deleted_after_a_pruning_in_the_same_session(ledger):
    prune(ledger)
    for statement in DELETES:
        ledger.refused("42501", statement)
    ledger.execute("BEGIN")
    export(ledger)
    prune(ledger)
    ledger.execute("SAVEPOINT s")
    for statement in DELETES:
        ledger.refused("42501", statement)
        ledger.execute("ROLLBACK TO s")
    ledger.execute("COMMIT")
    is_right(ledger)


def test_nothing_can_be_deleted_after_a_pruning_that_failed(ledger):
    # A table that somebody else holds: the deletion is canceled while it waits.
    other = ledger.session()
    other.execute("BEGIN; LOCK TABLE confiture.audit_log IN SHARE MODE")
    limit = moment(ledger)
    ledger.execute("SET lock_timeout = '200ms'")
    ledger.refused("55P03", "SELECT confiture.prune_ledger(%s)", [limit])
    other.execute("ROLLBACK")
    for statement in DELETES:
        ledger.refused("42501", statement)
    assert left(ledger) == ALL
    # A row that somebody holds, so that the pruning is at its deletion already.
    other.execute("BEGIN; SELECT FROM confiture.lineage WHERE seq = 1 FOR UPDATE")
    ledger.refused("55P03", "SELECT confiture.prune_ledger(%s)", [limit])
    other.execute("ROLLBACK")
    for statement in DELETES:
        ledger.refused("42501", statement)
    assert left(ledger) == ALL
    assert prune(ledger)["entries"] == 5
    is_right(ledger)


def test_what_was_pruned_does_not_come_back(ledger):
    ledger.execute("CREATE TABLE copy AS TABLE confiture.audit_log")
    ledger.execute("CREATE TABLE steps AS TABLE confiture.lineage")
    prune(ledger)
    for table, copy in (("audit_log", "copy"), ("lineage", "steps")):
        ledger.refused("42501", f"INSERT INTO confiture.{table} SELECT * FROM {copy} WHERE seq = 1")
    is_right(ledger)


# Many at once.


def test_entries_are_appended_while_a_pruning_goes_on(ledger):
    ledger.execute("BEGIN")
    prune(ledger)
    other = ledger.session()
    done = threading.Event()

    def append():
        other.sync()
        done.set()

    thread = threading.Thread(target=append)
    thread.start()
    # It waits for the head, as for every entry that is not committed.
    assert not done.wait(0.5)
    ledger.execute("COMMIT")
    thread.join(30)
    assert done.is_set()
    assert left(ledger)["audit_log"] == list(range(6, 12))
    is_right(ledger)


def test_two_do_not_prune_at_once(ledger):
    ledger.execute("BEGIN")
    prune(ledger)
    other = ledger.session()
    limit = moment(ledger)
    report = other.refused("55006", "SELECT confiture.prune_ledger(%s)", [limit])
    assert "another session" in report.message_primary
    ledger.execute("COMMIT")
    assert prune(other) is None
    is_right(ledger)


def test_a_pruning_under_an_old_snapshot_is_refused(ledger):
    other = ledger.session()
    other.execute("BEGIN ISOLATION LEVEL REPEATABLE READ; SELECT 1")
    limit = moment(ledger)
    prune(ledger)
    other.refused("55006", "SELECT confiture.prune_ledger(%s)", [limit])
    other.execute("ROLLBACK")
    is_right(ledger)


def test_runs_and_prunings_at_the_same_time_leave_dense_chains(ledger):
    stop, problems = threading.Event(), []

    def run(session):
        try:
            while not stop.is_set():
                session.execute("SELECT confiture.begin_run('x', 'prod', 'staging')")
                session.execute(REVEAL)
                session.execute("SELECT confiture.end_run()")
        except psycopg.Error as error:
            problems.append(str(error))

    threads = [threading.Thread(target=run, args=(ledger.session(),)) for _ in range(4)]
    for thread in threads:
        thread.start()
    pruned = 0
    for _ in range(12):
        export(ledger)
        pruned += prune(ledger) is not None
        assert ("OK", "audit") in found(ledger)
    stop.set()
    for thread in threads:
        thread.join(60)
    assert not problems and pruned
    for table, dense in left(ledger).items():
        assert not dense or dense == list(range(dense[0], dense[-1] + 1)), table
    is_right(ledger)


# Keys and what else hangs on entries.


def test_keys_and_their_acts_do_not_need_what_went(ledger):
    (run,) = ledger.column("SELECT run_id FROM confiture.audit_log WHERE seq = 3")
    prune(ledger)
    ledger.execute("SELECT confiture.rotate_key('masking')")
    # The key of a run that went opens what is in the archive, until it is destroyed.
    assert ledger.value("SELECT confiture.shred_run_key(%s)", [run]) is True
    ledger.refused("42704", "SELECT confiture.shred_run_key(%s)", [run])
    ledger.refused("42704", "SELECT confiture.verify_lineage_data(%s, 'people', 'email')", [run])
    ledger.execute("SELECT confiture.retire_profile('small', '1')")
    ledger.execute("SELECT confiture.destroy_key_version('masking', 1)")
    is_right(ledger)
    assert ledger.value("SELECT count(*) FROM confiture.run_report") == 1


def test_hashes_of_rows_go_with_their_entries(db):
    set_directories(db)
    try:
        db.sync(options='{"lineage_rows": true}')
        export(db)
        db.sync(options='{"lineage_rows": true}')
        assert prune(db) is not None
        kept = db.column("SELECT DISTINCT run_id FROM confiture.lineage_row_chunk")
        assert kept == db.column("SELECT DISTINCT run_id FROM confiture.lineage")
        assert len(kept) == 1 and "OK" in db.findings()
    finally:
        forget_directories(db)
