"""What hooks do to the target and to their own run shows, and none of their words does."""

import pytest

from hook_functions import AFTER, BEFORE, make_hook, register, set_up
from samples import make_small


@pytest.fixture(name="hooked")
def _hooked(db):
    """The small profile, and a schema for hooks."""
    make_small(db)
    set_up(db)
    return db


@pytest.mark.parametrize("sqlstate", ["57014", "40P01", "53100", "53200", "55P03"])
def test_no_sqlstate_lets_the_words_of_a_hook_through(hooked, sqlstate):
    body = f"RAISE EXCEPTION 'secret_4711' USING ERRCODE = '{sqlstate}';"
    make_hook(hooked, "bad", body)
    register(hooked, AFTER, "app.bad")
    report = hooked.sync_refused(sqlstate)
    assert "secret" not in f"{report.message_primary} {report.message_detail} {report.message_hint}"


CHANGES = {
    "DROP SCHEMA staging CASCADE": None,
    "TRUNCATE staging.people": None,
    "DROP TABLE staging.people; CREATE TABLE staging.people (id int)": None,
    "ALTER TABLE staging.people ALTER id TYPE bigint": None,
    "DELETE FROM staging.people WHERE id = 1": ["people"],
    "UPDATE staging.people SET note = 'x' WHERE id = 1": ["people"],
    "CREATE TABLE staging.more (id int)": [],
}


@pytest.mark.parametrize("change", CHANGES)
def test_what_a_hook_does_to_the_target_shows(hooked, change):
    """None of it may pass for what was checked."""
    hooked.sync()
    before = hooked.content("staging")
    make_hook(hooked, "changes", f"{change}; RETURN NULL;")
    register(hooked, AFTER, "app.changes")
    if CHANGES[change] is None:
        report = hooked.sync_refused("55000")
        assert "staging.people" in report.message_primary
        assert hooked.content("staging") == before
        return
    hooked.sync()
    changed = hooked.value(
        "SELECT details -> 'changed_by_hooks' FROM confiture.audit_log"
        " WHERE event = 'COMPLETED' ORDER BY seq DESC LIMIT 1"
    )
    assert (changed or []) == CHANGES[change]


def test_a_run_does_not_go_on_with_a_profile_that_its_hook_retired(hooked):
    make_hook(hooked, "retire", "PERFORM confiture.retire_profile('small', '1'); RETURN NULL;")
    register(hooked, BEFORE, "app.retire")
    report = hooked.sync_refused("55000")
    assert "taken out of use" in report.message_primary and hooked.content("staging") == {}
    # Which was part of the run.
    assert hooked.column("SELECT state FROM confiture.profiles") == ["active"]
    # Told which version, it goes by that one, in use or not.
    hooked.sync(options='{"version": "1"}')
