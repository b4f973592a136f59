"""Retention: what goes and what does not, who may, and that it verifies before and after."""

import hashlib
import threading
import time

import psycopg

import anchor_check
from journal_calls import REVEAL
from retention import (
    details,
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


ALL = {"audit_log": list(range(1, 9)), "lineage": [1, 2, 3], "journal": [1, 2]}


# The normal way.


def test_what_goes_is_what_an_anchor_covers_and_it_is_in_a_file(anchored):
    assert left(anchored) == ALL
    expected = anchored.column("SELECT confiture.export_ledger(5)")
    row = prune(anchored)
    assert (row["first_seq"], row["last_seq"], row["entries"]) == (1, 5, 5)
    assert (row["lineage"], row["journal"]) == (2, 2)
    log_id = anchored.value("SELECT DISTINCT log_id FROM confiture.ledger_head")
    assert row["file"] == str(anchored.archives / f"{log_id}-{1:020}-{5:020}.jsonl")
    lines = read(anchored, row["file"])
    assert lines == expected and len(lines) == 9
    digest = hashlib.sha256("".join(f"{line}\n" for line in lines).encode()).hexdigest()
    assert row["sha256"] == digest
    assert left(anchored) == {"audit_log": [6, 7, 8, 9], "lineage": [3], "journal": []}
    assert anchored.events() == ["ANCHORED", "STARTED", "COMPLETED", "PRUNED"]
    assert f"confiture pruned log={log_id} first=1 last=5 sha256={digest}" in anchored.server.log()
    status, first, last, detail = is_right(anchored)
    assert (status, first, last) == ("ok", 6, 9)
    assert "Entries up to 5 were pruned, as entry 9 says." in detail
    # It goes on as before.
    anchored.execute(REVEAL)
    anchored.sync()
    assert left(anchored) == {"audit_log": list(range(6, 12)), "lineage": [3, 4], "journal": [3]}
    is_right(anchored)


def test_the_entry_says_how_the_part_ended(anchored):
    leaves = hashes(anchored)
    genesis, step = anchored.rows(
        "SELECT (SELECT previous_entry_hash FROM confiture.audit_log WHERE seq = 1),"
        " (SELECT entry_hash FROM confiture.lineage WHERE seq = 2)"
    )[0]
    row = prune(anchored)
    seq, said = details(anchored)
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


def test_a_dry_run_says_what_would_go_and_changes_nothing(anchored):
    would = prune(anchored, dry_run=True)
    assert would.pop("sha256") is None
    assert left(anchored) == ALL
    assert anchored.column("SELECT pg_ls_dir(%s)", [str(anchored.archives)]) == []
    done = prune(anchored)
    done.pop("sha256")
    assert would == done


def test_what_is_younger_stays(anchored):
    second = anchored.value('SELECT "timestamp" FROM confiture.audit_log WHERE seq = 2')
    # The limit itself is not before the limit.
    assert prune(anchored, second)["last_seq"] == 1
    assert left(anchored) == {**ALL, "audit_log": list(range(2, 10))}
    assert prune(anchored, second) is None
    assert any("nothing to prune" in notice["message_primary"] for notice in anchored.notices)
    is_right(anchored)


def test_a_part_without_lineage_and_records_goes_too(anchored):
    first = anchored.value('SELECT "timestamp" FROM confiture.audit_log WHERE seq = 2')
    assert prune(anchored, first)["lineage"] == 0
    _, said = details(anchored)
    assert said["lineage"]["last"] == said["journal"]["last"] == 0
    is_right(anchored)


def test_a_rolled_back_pruning_gives_all_back(anchored):
    anchored.execute("BEGIN")
    assert prune(anchored)["entries"] == 5
    assert len(left(anchored)["audit_log"]) == 4
    anchored.execute("ROLLBACK")
    assert left(anchored) == ALL
    is_right(anchored)
    # Its file stays, and is the one of the pruning that follows.
    (name,) = anchored.column("SELECT pg_ls_dir(%s)", [str(anchored.archives)])
    assert prune(anchored)["file"].endswith(name)
    assert anchored.column("SELECT pg_ls_dir(%s)", [str(anchored.archives)]) == [name]
    is_right(anchored)


def test_a_savepoint_gives_all_back(anchored):
    anchored.execute("BEGIN; SAVEPOINT s")
    prune(anchored)
    anchored.execute("ROLLBACK TO s")
    assert left(anchored) == ALL
    anchored.execute("COMMIT")
    anchored.refused("42501", "DELETE FROM confiture.audit_log WHERE seq = 1")
    is_right(anchored)


def test_pruning_again_and_again(anchored):
    prune(anchored)
    for number in range(2, 5):
        anchored.execute(REVEAL)
        anchored.sync()
        export(anchored)
        last = max(left(anchored)["audit_log"]) - 1
        assert prune(anchored)["last_seq"] == last
        # The entry about the pruning before is gone itself.
        assert anchored.events() == ["ANCHORED", "PRUNED"]
        is_right(anchored)
        assert len(anchored.column("SELECT pg_ls_dir(%s)", [str(anchored.archives)])) == number
    assert left(anchored)["lineage"] == left(anchored)["journal"] == []
    anchored.execute(REVEAL)
    anchored.sync()
    assert left(anchored)["lineage"] == [7] and left(anchored)["journal"] == [6]
    is_right(anchored)


def test_vacuum_of_every_kind_leaves_numbers_as_they_are(anchored):
    for command in ("VACUUM", "VACUUM FULL"):
        prune(anchored)
        for table in ("audit_log", "lineage", "journal"):
            anchored.execute(f"{command} confiture.{table}")
        anchored.session().execute(REVEAL)
        anchored.sync()
        export(anchored)
        is_right(anchored)
    assert left(anchored)["journal"] == [4]


# What does not go.


def test_a_run_that_is_astride_stays_with_all_that_follows_it(anchored):
    other = anchored.session()
    other.execute("SELECT confiture.begin_run('slow', 'prod', 'staging')")
    anchored.sync()
    export(anchored)
    # Still going, in a session that is there.
    assert prune(anchored, dry_run=True)["last_seq"] == 8
    limit = moment(anchored)
    other.execute("SELECT confiture.fail_run('late')")
    export(anchored)
    # Begun before the limit, and ended after it.
    assert prune(anchored, limit, dry_run=True)["last_seq"] == 8
    assert prune(anchored)["last_seq"] == 13
    is_right(anchored)


def test_runs_that_overlap_stay_together(anchored):
    first, second = anchored.session(), anchored.session()
    first.execute("SELECT confiture.begin_run('a', 'prod', 'staging')")
    second.execute("SELECT confiture.begin_run('b', 'prod', 'staging')")
    first.execute("SELECT confiture.fail_run('x')")
    limit = moment(anchored)
    second.execute("SELECT confiture.fail_run('x')")
    export(anchored)
    assert prune(anchored, limit)["last_seq"] == 8


def test_a_run_whose_session_was_killed_holds_nothing_up(anchored):
    other = anchored.session()
    other.execute("SELECT confiture.begin_run('killed', 'prod', 'staging')")
    export(anchored)
    assert prune(anchored, dry_run=True)["last_seq"] == 8
    pid = other.pid()
    other.connection.close()
    while anchored.value("SELECT count(*) FROM pg_stat_activity WHERE pid = %s", [pid]):
        time.sleep(0.02)
    assert prune(anchored)["last_seq"] == 9
    is_right(anchored)


def test_nothing_above_the_newest_good_anchor_goes(anchored):
    (name,) = anchored.column("SELECT pg_ls_dir(%s)", [str(anchored.anchors)])
    early = anchored.value("SELECT pg_read_file(%s)", [str(anchored.anchors / name)])
    late = export(anchored)
    assert prune(anchored, dry_run=True)["last_seq"] == 8
    # What is handed in counts instead of the directory.
    assert prune(anchored, anchors=[early], dry_run=True)["last_seq"] == 5
    assert prune(anchored, anchors=[early, late])["last_seq"] == 8


def test_without_an_anchor_nothing_goes(anchored):
    limit = moment(anchored)
    call = "SELECT confiture.prune_ledger(%s, anchors => %s)"
    report = anchored.refused("55000", call, [limit, []])
    assert "no anchor" in report.message_primary and "export_anchor" in report.message_hint
    anchored.refused("XX001", call, [limit, ["anything"]])
    anchored.refused("22023", call, [limit, [None]])
    assert left(anchored) == ALL


def test_without_a_directory_nothing_goes(anchored):
    limit = moment(anchored)
    session = anchored.configure(archive_directory=None)
    while session.value("SELECT current_setting('confiture.archive_directory')"):
        session = anchored.session()
        session.execute("LOAD 'confiture'")
    for dry in ("false", "true"):
        report = session.refused("55000", f"SELECT confiture.prune_ledger('{limit}', {dry})")
        assert "confiture.archive_directory" in report.message_hint


def test_a_directory_that_others_write_to_is_refused(anchored):
    limit = moment(anchored)
    shell(anchored, f"chmod 0770 {anchored.archives}")
    report = anchored.refused("55000", "SELECT confiture.prune_ledger(%s)", [limit])
    assert "permissions" in report.message_detail
    assert left(anchored) == ALL


def test_a_file_that_holds_something_else_is_refused(anchored):
    row = prune(anchored, dry_run=True)
    shell(anchored, f"echo half > {row['file']}")
    limit = moment(anchored)
    report = anchored.refused("XX001", "SELECT confiture.prune_ledger(%s)", [limit])
    assert "holds something else" in report.message_primary
    assert left(anchored) == ALL and read(anchored, row["file"]) == ["half"]


def test_times_that_are_none(anchored):
    for before in ("now() + interval '1 hour'", "'infinity'", "NULL"):
        anchored.refused("22023", f"SELECT confiture.prune_ledger({before})")
    anchored.refused("22023", "SELECT confiture.prune_ledger('2000-01-01', NULL)")
    for before in ("-infinity", "2000-01-01"):
        assert prune(anchored, before) is None
    assert left(anchored) == ALL


# Who may.


def test_only_superusers_prune(anchored):
    limit = moment(anchored)
    clerk, admin, boss = (
        anchored.session(user=anchored.role(stem)) for stem in ("clerk", "admin", "boss")
    )
    names = {session: session.value("SELECT session_user") for session in (clerk, admin, boss)}
    call = "SELECT entries FROM confiture.prune_ledger(%s, true)"
    clerk.refused("42501", call, [limit])
    anchored.execute(f"SELECT confiture.grant_access('admin', '{names[admin]}')")
    anchored.execute(f"SELECT confiture.grant_access('auditor', '{names[admin]}')")
    admin.refused("42501", call, [limit])
    # The right to call is not enough, nor is to be a member of somebody who may.
    for role in (names[admin], names[boss]):
        anchored.execute(
            "GRANT EXECUTE ON FUNCTION confiture.prune_ledger(timestamptz, boolean, text[])"
            f' TO "{role}"; GRANT USAGE ON SCHEMA confiture TO "{role}"'
        )
    assert "superusers" in admin.refused("42501", call, [limit]).message_primary
    anchored.execute(f'GRANT postgres TO "{names[boss]}"')
    boss.refused("42501", call, [limit])
    boss.execute("SET ROLE postgres")
    assert boss.value(call, [limit]) == 5
    # Roles outlive the database.
    anchored.execute(f'REVOKE postgres FROM "{names[boss]}"')
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


def test_nothing_can_be_deleted_after_a_pruning_in_the_same_session(anchored):
    prune(anchored)
    for statement in DELETES:
        anchored.refused("42501", statement)
    anchored.execute("BEGIN")
    export(anchored)
    prune(anchored)
    anchored.execute("SAVEPOINT s")
    for statement in DELETES:
        anchored.refused("42501", statement)
        anchored.execute("ROLLBACK TO s")
    anchored.execute("COMMIT")
    is_right(anchored)


def test_nothing_can_be_deleted_after_a_pruning_that_failed(anchored):
    # A table that somebody else holds: the deletion is canceled while it waits.
    other = anchored.session()
    other.execute("BEGIN; LOCK TABLE confiture.audit_log IN SHARE MODE")
    limit = moment(anchored)
    anchored.execute("SET lock_timeout = '200ms'")
    anchored.refused("55P03", "SELECT confiture.prune_ledger(%s)", [limit])
    other.execute("ROLLBACK")
    for statement in DELETES:
        anchored.refused("42501", statement)
    assert left(anchored) == ALL
    # A row that somebody holds, so that the pruning is at its deletion already.
    other.execute("BEGIN; SELECT FROM confiture.lineage WHERE seq = 1 FOR UPDATE")
    anchored.refused("55P03", "SELECT confiture.prune_ledger(%s)", [limit])
    other.execute("ROLLBACK")
    for statement in DELETES:
        anchored.refused("42501", statement)
    assert left(anchored) == ALL
    assert prune(anchored)["entries"] == 5
    is_right(anchored)


def test_what_was_pruned_does_not_come_back(anchored):
    anchored.execute("CREATE TABLE copy AS TABLE confiture.audit_log")
    anchored.execute("CREATE TABLE steps AS TABLE confiture.lineage")
    prune(anchored)
    for table, copy in (("audit_log", "copy"), ("lineage", "steps")):
        anchored.refused(
            "42501", f"INSERT INTO confiture.{table} SELECT * FROM {copy} WHERE seq = 1"
        )
    is_right(anchored)


# Many at once.


def test_entries_are_appended_while_a_pruning_goes_on(anchored):
    anchored.execute("BEGIN")
    prune(anchored)
    other = anchored.session()
    done = threading.Event()

    def append():
        other.sync()
        done.set()

    thread = threading.Thread(target=append)
    thread.start()
    # It waits for the head, as for every entry that is not committed.
    assert not done.wait(0.5)
    anchored.execute("COMMIT")
    thread.join(30)
    assert done.is_set()
    assert left(anchored)["audit_log"] == list(range(6, 12))
    is_right(anchored)


def test_two_do_not_prune_at_once(anchored):
    anchored.execute("BEGIN")
    prune(anchored)
    other = anchored.session()
    limit = moment(anchored)
    report = other.refused("55006", "SELECT confiture.prune_ledger(%s)", [limit])
    assert "another session" in report.message_primary
    anchored.execute("COMMIT")
    assert prune(other) is None
    is_right(anchored)


def test_a_pruning_under_an_old_snapshot_is_refused(anchored):
    other = anchored.session()
    other.execute("BEGIN ISOLATION LEVEL REPEATABLE READ; SELECT 1")
    limit = moment(anchored)
    prune(anchored)
    other.refused("55006", "SELECT confiture.prune_ledger(%s)", [limit])
    other.execute("ROLLBACK")
    is_right(anchored)


def test_runs_and_prunings_at_the_same_time_leave_dense_chains(anchored):
    stop, problems = threading.Event(), []

    def run(session):
        try:
            while not stop.is_set():
                session.execute("SELECT confiture.begin_run('x', 'prod', 'staging')")
                session.execute(REVEAL)
                session.execute("SELECT confiture.end_run()")
        except psycopg.Error as error:
            problems.append(str(error))

    threads = [threading.Thread(target=run, args=(anchored.session(),)) for _ in range(4)]
    for thread in threads:
        thread.start()
    pruned = 0
    for _ in range(12):
        export(anchored)
        pruned += prune(anchored) is not None
        assert ("OK", "audit") in found(anchored)
    stop.set()
    for thread in threads:
        thread.join(60)
    assert not problems and pruned
    for table, dense in left(anchored).items():
        assert not dense or dense == list(range(dense[0], dense[-1] + 1)), table
    is_right(anchored)


def test_what_another_session_is_about_to_prune_does_not_come_back(anchored):
    anchored.execute("CREATE TABLE copy AS TABLE confiture.audit_log")
    anchored.execute("CREATE TABLE steps AS TABLE confiture.lineage")
    anchored.execute("BEGIN")
    prune(anchored)
    others = []
    for table, copy in (("audit_log", "copy"), ("lineage", "steps")):
        other = anchored.session()
        insert = f"INSERT INTO confiture.{table} SELECT * FROM {copy} WHERE seq = 1"
        other.connection.pgconn.send_query(insert.encode())
        others.append(other)
    waiting = "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND NOT granted"
    for _ in range(200):
        if anchored.value(waiting) == 2:
            break
        time.sleep(0.02)
    anchored.execute("COMMIT")
    for other in others:
        result = other.connection.pgconn.get_result()
        assert result.error_field(psycopg.pq.DiagnosticField.SQLSTATE) == b"42501"
    is_right(anchored)
    anchored.sync()


# Keys and what else hangs on entries.


def test_keys_and_their_acts_do_not_need_what_went(anchored):
    (run,) = anchored.column("SELECT run_id FROM confiture.audit_log WHERE seq = 3")
    prune(anchored)
    anchored.execute("SELECT confiture.rotate_key('masking')")
    # The key of a run that went opens what is in the archive, until it is destroyed.
    assert anchored.value("SELECT confiture.shred_run_key(%s)", [run]) is True
    anchored.refused("42704", "SELECT confiture.shred_run_key(%s)", [run])
    anchored.refused("42704", "SELECT confiture.verify_lineage_data(%s, 'people', 'email')", [run])
    anchored.execute("SELECT confiture.retire_profile('small', '1')")
    anchored.execute("SELECT confiture.destroy_key_version('masking', 1)")
    is_right(anchored)
    assert anchored.value("SELECT count(*) FROM confiture.run_report") == 1


def test_hashes_of_rows_go_with_their_entries(numbered):
    db = numbered
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
