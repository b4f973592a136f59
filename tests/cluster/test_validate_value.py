"""What is said of a value, a type or a strategy that do not go together, before a run and by hand."""

import json

import pytest

from samples import profile


@pytest.fixture(scope="module")
def db(server):
    """A database with types of its own."""
    database = server.create_database()
    database.execute("CREATE EXTENSION IF NOT EXISTS citext SCHEMA public")
    database.execute("CREATE TYPE mood AS ENUM ('sad', 'ok')")
    database.execute("CREATE DOMAIN nick AS citext")
    database.execute("CREATE DOMAIN small AS smallint CHECK (VALUE > 0)")
    database.execute("CREATE TYPE place AS (street text)")
    yield database
    database.drop()


def reasons(db, strategy, params, value, of):
    return db.column(
        "SELECT reason FROM confiture.validate_value(%s, %s, %s, %s)", [strategy, params, value, of]
    )


OK = '{"choices": ["ok"]}'
GOLD = '{"pairs": {"gold": "A"}}'


@pytest.mark.parametrize(
    ("strategy", "params", "value", "of", "expected"),
    [
        ("hash", "{}", "x", "citext", []),
        ("hash", "{}", "x", "public.nick", []),
        ("hash", "{}", "x", "varchar(10)", []),
        ("hash", "{}", "x", "name", []),
        ("hash", "{}", "7", "int4", []),
        ("hash", "{}", "7", "small", []),
        ("hash", "{}", "40000", "small", ["range"]),
        ("hash", "{}", "x", "small", ["type"]),
        ("map", GOLD, "GOLD", "nick", []),
        ("map", GOLD, "GOLD", "text", ["range"]),
        ("choice", OK, "sad", "mood", []),
        ("choice", OK, "glad", "mood", ["type"]),
        ("choice", '{"choices": ["glad"]}', "sad", "mood", ["type"]),
        ("hash", "{}", "sad", "mood", ["type"]),
        ("hash", "{}", None, "place", ["type"]),
        ("record", '{"fields": {"street": "hash"}}', None, "place", []),
        ("shuffle", "{}", "7", "integer", []),
        ("dp_noise_sticky", '{"epsilon": 1, "sensitivity": 1}', "7", "integer", ["completeness"]),
        ("generalize", "{}", "7", "integer", ["completeness"]),
    ],
)
def test_validate_value_judges_a_type_as_the_plan_does(db, strategy, params, value, of, expected):
    assert reasons(db, strategy, params, value, of) == expected


def test_validate_value_calls_an_enum_by_words_that_a_reader_knows(db):
    message = db.value("SELECT message FROM confiture.validate_value('hash', '{}', 'ok', 'mood')")
    assert message == 'strategy "hash" does not accept an enum type'
    messages = db.column(
        "SELECT message FROM confiture.validate_value('choice', %s, 'glad', 'mood')", [OK]
    )
    assert messages == ["value is not of type mood"]


@pytest.mark.parametrize(
    ("of", "message", "hint"),
    [
        ("text[]", "value of type text[] is an array", "its type text"),
        ("interval", "values of type interval cannot be masked", "shuffle"),
        ("texts", 'type "texts" does not exist', "confiture.strategies"),
    ],
)
def test_validate_value_says_how_to_ask_of_other_types(db, of, message, hint):
    report = db.refused(
        "22023", "SELECT * FROM confiture.validate_value('hash', '{}', 'x', %s)", [of]
    )
    assert report.message_primary == message
    assert hint in report.message_hint


@pytest.mark.parametrize(
    ("strategy", "value"),
    [
        ("shuffle", "'x'::text"),
        ("default", "'x'::text"),
        ("record", "'x'::text"),
        ("record", "ROW('x')::place"),
        ("record", "ROW(1, 2)"),
    ],
)
def test_a_strategy_about_rows_says_what_to_do_by_hand(db, strategy, value):
    report = db.refused("55000", f"SELECT anon_apply('{strategy}', {value})")
    assert report.message_primary == (
        f'strategy "{strategy}" works in a run only, not value by value'
    )
    assert "confiture.sync; by hand, " in report.message_hint


def test_a_parameter_of_a_strategy_that_takes_none_is_refused_with_that_word(db):
    for strategy in ("null", "default"):
        report = db.refused(
            "22023",
            f"SELECT * FROM confiture.validate_value('{strategy}', '{{\"value\": 1}}', 'x')",
        )
        assert report.message_hint == f'Strategy "{strategy}" takes no parameters.'


def test_generalize_says_which_method_a_text_takes(db):
    report = db.refused("42804", "SELECT anon_generalize('10001'::text)")
    assert "zip3" in report.message_hint
    db.execute("CREATE SCHEMA codes; CREATE TABLE codes.people (id int PRIMARY KEY, zip text)")
    loaded = profile(
        {"people": {"zip": "coarse"}}, name="codes", strategies={"coarse": {"type": "generalize"}}
    )
    db.execute("SELECT confiture.load_profile(%s)", [loaded])
    report = db.refused("42804", "SELECT * FROM confiture.plan('codes', 'codes', 'masked')")
    assert "zip3" in report.message_hint


def test_what_is_no_label_of_an_enum_is_refused_in_the_plan(db):
    db.execute("CREATE SCHEMA moods; CREATE TYPE moods.mood AS ENUM ('sad', 'ok')")
    db.execute("CREATE TABLE moods.people (id int PRIMARY KEY, mood moods.mood)")
    chosen = {
        "choice": {"choices": ["glad"]},
        "map": {"pairs": {"ok": "glad"}},
        "dp_choice": {"domain": ["ok", "glad"], "epsilon": 1},
    }
    for strategy, config in chosen.items():
        loaded = profile(
            {"people": {"mood": "other"}},
            name=strategy,
            strategies={"other": {"type": strategy, "config": config}},
        )
        db.execute("SELECT confiture.load_profile(%s)", [loaded])
        report = db.refused(
            "22023", "SELECT * FROM confiture.plan(%s, 'moods', 'masked')", [strategy]
        )
        assert "no label" in report.message_primary
        assert report.message_detail == "The labels are sad, ok."


@pytest.mark.parametrize("other", ["1.0", "1.00"])
@pytest.mark.parametrize(
    "strategy",
    ["hash", {"type": "choice", "config": {"choices": list(range(100))}}],
    ids=["hash", "choice"],
)
def test_equal_numbers_of_jsonb_are_masked_equally(db, strategy, other):
    paths = json.dumps({"$.n": strategy})
    ask = "SELECT anon_json(jsonb_build_object('n', %s::numeric), paths => %s) ->> 'n'"
    made = [db.value(ask, [number, paths]) for number in ("1", other)]
    assert made[0] == made[1]
