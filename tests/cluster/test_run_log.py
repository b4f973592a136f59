"""The log of the server: a line for each phase, table and outcome of a run, and no value in any."""

import re

import pytest

from hook_functions import AFTER, BEFORE, make_hook, register, set_up
from samples import PEOPLE, keep_all, make_people, make_small, profile


def lines(db, state="completed"):
    """What the log says of the newest run of a state: the fields of its lines, by name."""
    run = db.value(
        "SELECT run_id::text FROM confiture.runs WHERE state = %s ORDER BY started_at DESC LIMIT 1",
        [state],
    )
    found = re.findall(rf"LOG:  confiture run={run} (.*)", db.server.log())
    assert found, run
    return found


def shape(line):
    """A line without what a clock says."""
    return re.sub(r"(at|seconds)=\d+\.\d{3}", r"\1=…", line)


def test_a_run_leaves_a_line_for_each_phase_table_and_outcome(db):
    make_people(db)
    db.execute("CREATE TABLE prod.orders (id int PRIMARY KEY, note text)")
    db.execute("INSERT INTO prod.orders VALUES (1, 'x')")
    db.load(profile({"people": {"email": "mail"}, "orders": keep_all()}))
    set_up(db)
    make_hook(db, "mine")
    register(db, BEFORE, "app.mine")
    register(db, AFTER, "app.mine")
    db.sync()
    assert [shape(line) for line in lines(db)] == [
        'started profile="small" version="1" source="prod" target="staging" tables=2 masked=1'
        " copied=0 at=…",
        'hook="\\"app\\".\\"mine\\"" phase=BEFORE_ANONYMIZATION outcome=ok seconds=… at=…',
        'phase="locking" at=…',
        'phase="preparing the target" at=…',
        'phase="choosing rows" at=…',
        'phase="making tokens" at=…',
        'phase="loading" table="staging.people" at=…',
        'loaded table="staging.people" rows=3 seconds=… at=…',
        'phase="loading" table="staging.orders" at=…',
        'loaded table="staging.orders" rows=1 seconds=… at=…',
        'phase="adding keys and indexes" at=…',
        'phase="analyzing" at=…',
        'phase="checking" at=…',
        "checked checks=9 at=…",
        'hook="\\"app\\".\\"mine\\"" phase=AFTER_ANONYMIZATION outcome=ok seconds=… at=…',
        'phase="recording" at=…',
        "completed rows=4 tables=2 checks=9 at=…",
    ]


def test_a_failure_is_logged_with_its_phase_and_sqlstate_and_no_value(db):
    make_small(db)
    db.execute("ALTER TABLE prod.people ADD CHECK (email NOT LIKE 'user%')")
    begun = len(db.server.log())
    db.sync_refused("23514")
    found = lines(db, "failed")
    assert shape(found[-1]) == (
        'failed phase="loading" table="people" column="email"'
        ' constraint="people_email_check" sqlstate=23514 at=…'
    )
    assert not [line for line in found if "completed" in line]
    ours = [line for line in db.server.log()[begun:].splitlines() if "confiture run=" in line]
    for _, email, note in PEOPLE:
        assert not [line for line in ours if email in line or (note and note in line)]


def test_the_lines_go_to_the_log_of_the_server_and_to_nobody_else(db):
    make_small(db)
    db.execute("SET client_min_messages = debug1")
    db.sync()
    assert not [n for n in db.notices if "confiture run=" in n["message_primary"]]
    # One line each, without the statement and the place in the code again and again.
    begun = db.server.log()
    run = db.value("SELECT run_id::text FROM confiture.runs LIMIT 1")
    after = [
        following
        for line, following in zip(begun.splitlines(), begun.splitlines()[1:], strict=False)
        if f"confiture run={run}" in line
    ]
    assert not [line for line in after if "STATEMENT:" in line or "CONTEXT:" in line]


@pytest.mark.parametrize(("level", "is_logged"), [("error", True), ("fatal", False)])
def test_who_wants_a_quiet_log_has_one(db, level, is_logged):
    make_small(db)
    db.execute(f"SET log_min_messages = {level}")
    begun = len(db.server.log())
    db.sync()
    assert ("confiture run=" in db.server.log()[begun:]) == is_logged
