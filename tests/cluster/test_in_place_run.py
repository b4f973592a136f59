"""A schema masked where it stands is a run: texts are searched, hooks called, warnings heeded."""

import pytest

from hook_functions import make_hook, register, seen, set_up
from samples import make_people, make_small, profile, small
from test_in_place import call, mask, masked


@pytest.fixture
def db(db):
    """A database that says of itself that it is a copy."""
    db.execute("SET confiture.allow_in_place = on")
    return db


def test_a_text_that_gives_its_row_away_stops_it_unless_told_otherwise(db):
    make_people(db, rows=[(1, "ann@mail.example", "wrote from ann@mail.example")])
    db.load(small())
    report = db.refused("23000", *call())
    assert "leak_scan" in report.message_hint and masked(db) == {1: "ann@mail.example"}
    mask(db, '{"leak_scan": "report"}')
    assert masked(db) != {1: "ann@mail.example"}
    assert db.value(
        "SELECT (numbers ->> 'found')::int FROM confiture.verification"
        " WHERE check_name = 'no text holds an identifier of its row' AND passed"
    ) == 1


def test_hooks_are_called_and_may_veto(db):
    make_small(db)
    set_up(db)
    make_hook(db, "look")
    make_hook(db, "no", "RETURN '{\"veto\": \"not now\"}';")
    register(db, "BEFORE_ANONYMIZATION", "app.look")
    register(db, "AFTER_ANONYMIZATION", "app.no")
    before = db.content("prod")
    db.refused("09000", *call())
    assert db.content("prod") == before
    db.execute("SELECT confiture.unregister_hook('AFTER_ANONYMIZATION', 'app.no')")
    mask(db)
    (context,) = seen(db)
    assert (context["source"], context["target"]) == ("prod", "prod")


def test_a_strict_one_ends_at_a_warning(db):
    make_people(db)
    db.load(profile({"people": [{"column": "email", "strategy": "mail"}]}, coverage="copy"))
    report = db.refused("55000", *call('{"strict": true}'))
    assert "warning" in report.message_primary
    mask(db)
