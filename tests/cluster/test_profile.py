"""Profiles: what is accepted and refused, versions, and the seed each rule gets."""

import json
import re

import pytest

from samples import make_people, profile, small
from server import ROOT

VALIDATE = ROOT / "examples" / "validate-profile"

# The profiles of the original plan (week 0), word for word.
PRODUCTION = """\
# production.yaml
name: production
version: 1.0
global_seed: 12345  # ALL columns use this seed unless overridden

strategies:
  email_mask:
    type: email
  phone_mask:
    type: phone

tables:
  users:
    rules:
      - column: email
        strategy: email_mask
        # Uses global_seed (12345)

      - column: phone
        strategy: phone_mask
        # Uses global_seed (12345)

  orders:
    rules:
      - column: user_email
        strategy: email_mask
        # Uses global_seed (12345) - SAME AS users.email!

      - column: special_code
        strategy: email_mask
        seed: 99999  # Override with column-specific seed
"""
VALID = """
    name: test
    version: 1.0
    strategies:
      email:
        type: email
    tables:
      users:
        - column: email
          strategy: email
    """
FRAGMENT = """\
# db/anonymization-profiles/production.yaml
strategies:
  email_mask:
    type: email
    config:
      seed_env_var: ANONYMIZATION_SEED  # Load from environment

  # OR hardcoded (testing only):
  # seed: 12345
"""
MALICIOUS = """
    strategies:
      evil:
        type: !!python/object/apply:os.system
        args: ['rm -rf /']
    """
UNKNOWN = """
    name: test
    version: 1.0
    strategies:
      fake:
        type: unknown_strategy
    """


def validate(db, yaml):
    """The rows of validate_profile, as dictionaries."""
    rows = db.execute("SELECT * FROM confiture.validate_profile(%s)", [yaml])
    names = [column.name for column in rows.description]
    assert names == ["item", "name", "detail", "line", "column", "hint"]
    return [dict(zip(names, row, strict=True)) for row in rows]


def named(rows, item):
    """The names of one sort of rows."""
    return [row["name"] for row in rows if row["item"] == item]


def test_the_production_profile_of_the_plan_loads(db):
    rows = validate(db, PRODUCTION)
    assert named(rows, "profile") == ["production"] and named(rows, "version") == ["1.0"]
    assert sorted(named(rows, "strategy")) == ["email_mask", "phone_mask"]
    assert sorted(named(rows, "table")) == ["orders", "users"]
    assert named(rows, "error") == []
    # Literal seeds are for tests: said, with their place, and never shown.
    warnings = [row for row in rows if row["item"] == "warning"]
    assert [(row["name"], row["line"]) for row in warnings] == [
        ("literal_seed", 4),
        ("literal_seed", 31),
    ]
    assert not re.search("12345|99999", json.dumps(rows))
    db.load(PRODUCTION)
    found = db.rows("SELECT name, version, state, tables FROM confiture.profiles")
    assert [(*row[:3], sorted(row[3])) for row in found] == [
        ("production", "1.0", "active", ["orders", "users"])
    ]


def test_the_list_form_of_the_plan_loads(db):
    assert named(validate(db, VALID), "error") == []
    db.load(VALID)
    assert db.rows("SELECT name, version, tables FROM confiture.profiles") == [
        ("test", "1.0", ["users"])
    ]


@pytest.mark.parametrize(
    ("yaml", "codes"),
    [(FRAGMENT, {"missing_key"}), (MALICIOUS, None), (UNKNOWN, {"strategy_type", "missing_key"})],
    ids=["fragment", "malicious", "unknown strategy"],
)
def test_the_refused_documents_of_the_plan_are_refused(db, yaml, codes):
    errors = [row for row in validate(db, yaml) if row["item"] == "error"]
    assert errors and all(row["detail"] for row in errors)
    if codes:
        assert {row["name"] for row in errors} == codes
    db.refused({"22023", "22P02"}, "SELECT confiture.load_profile(%s)", [yaml])
    assert db.rows("SELECT * FROM confiture.profiles") == []


def test_an_unknown_strategy_is_named_with_the_allowed_ones_and_its_place(db):
    (error,) = [row for row in validate(db, UNKNOWN) if row["name"] == "strategy_type"]
    assert error["detail"].startswith('strategy type "unknown_strategy" is not allowed')
    assert all(word in error["hint"] for word in ("email", "hash", "phone", "redact"))
    assert (error["line"], error["column"]) == (6, 15)


@pytest.mark.parametrize(
    "yaml",
    [
        "",
        "- a",
        "a: [",
        "\t",
        "name: x\nname: y",
        "&a [*a, *a]",
        "%YAML 9.9\n---\nname: x",
        "name: !!binary aGVsbG8=",
        "x: " + "[" * 200,
        "--- {}\n--- {}",
        "\ufeff",
        "\x01",
        "a: &a [x]\n" + "".join(f"b{i}: [{', '.join(['*a'] * 50)}]\n" for i in range(100)),
        "<<: {name: x}",
        "name: " + "x" * 2_000_000,
    ],
    ids=lambda yaml: repr(yaml[:16]),
)
def test_no_hostile_document_gets_further_than_an_error(db, yaml):
    assert named(validate(db, yaml), "error")
    db.refused({"22023", "22P02"}, "SELECT confiture.load_profile(%s)", [yaml])
    assert db.value("SELECT 1") == 1


@pytest.mark.parametrize(
    ("change", "word"),
    [
        ({"tabels": {}}, "tabels"),
        ({"coverage": "loose"}, "loose"),
        ({"version": ""}, "version"),
        ({"name": "a b"}, "a b"),
        ({"global_seed": "secret"}, "global_seed"),
        ({"global_seed_env_var": "99887766"}, "global_seed_env_var"),
        ({"tables": {"t": [{"column": "c", "strategy": "nail"}]}}, "nail"),
        ({"strategies": {"mail": {"type": "email", "config": {"hash_lenght": 9}}}}, "hash_lenght"),
        ({"strategies": {"mail": {"type": "email", "config": {"hash_length": 2}}}}, "hash_length"),
        ({"tables": {"people": {"where": "id > 1; DROP TABLE x"}}}, "where"),
        ({"tables": {"people": {"where": [["id", "~", "x"]]}}}, "~"),
    ],
    ids=str,
)
def test_a_wrong_word_is_named_with_its_place(db, change, word):
    document = {**json.loads(small()), **change}
    errors = [row for row in validate(db, json.dumps(document)) if row["item"] == "error"]
    assert any(word in f"{row['detail']} {row['name']}" for row in errors), errors
    assert all(row["line"] and row["column"] for row in errors)
    assert "99887766" not in str(errors) and "DROP TABLE" not in str(errors)


def test_strict_coverage_refuses_a_literal_seed(db):
    rows = validate(db, small(global_seed=778899))
    assert named(rows, "error") == ["literal_seed"] and "778899" not in str(rows)


def test_the_same_version_with_other_content_is_refused_and_the_old_stays(db):
    db.load(small())
    before = db.rows("SELECT * FROM confiture.profiles")
    db.refused(
        "42710", "SELECT confiture.load_profile(%s)", [profile({"people": {"email": "hash"}})]
    )
    assert db.rows("SELECT * FROM confiture.profiles") == before


def test_the_same_content_in_other_spelling_is_no_change(db):
    first = db.load(small())
    before = db.rows("SELECT * FROM confiture.profiles")
    again = db.load("# a comment\n" + json.dumps(json.loads(small()), indent=3))
    assert again and again != first
    assert db.rows("SELECT * FROM confiture.profiles") == before


def test_a_profile_has_a_hash_that_follows_its_content(db):
    db.load(small())
    db.load(small(version="2"))
    hashes = db.column("SELECT profile_hash FROM confiture.profiles")
    assert len(set(hashes)) == 2 and all(len(value) == 32 for value in hashes)


def test_the_newest_version_that_is_not_retired_is_used(db):
    make_people(db)
    db.load(small())
    db.load(profile({"people": {"email": "redact"}}, version="2"))
    assert "redact" in db.plan()[("people", "email")]["strategy"]
    db.execute("SELECT confiture.retire_profile('small', '2')")
    assert "mail" in db.plan()[("people", "email")]["strategy"]
    states = dict(db.rows("SELECT version, state FROM confiture.profiles"))
    assert states == {"1": "active", "2": "retired"}
    assert db.value("SELECT retired_by FROM confiture.profiles WHERE version = '2'") == "postgres"
    db.execute("SELECT confiture.retire_profile('small', '1')")
    db.plan_refused("42704")


def test_versions_are_text_and_kept_as_written(db):
    db.load(small(version="1").replace('"1"', "1.10"))
    assert db.column("SELECT version FROM confiture.profiles") == ["1.10"]


def test_retiring_what_is_not_there_is_an_error(db):
    db.refused("42704", "SELECT confiture.retire_profile('small', '1')")


def test_resolve_seed_names_the_source_and_never_the_value(db):
    db.load(PRODUCTION)
    ask = "SELECT confiture.resolve_seed('production', %s, %s)"
    from_global = db.value(ask, ["users", "email"])
    assert from_global == db.value(ask, ["orders", "user_email"])
    from_rule = db.value(ask, ["orders", "special_code"])
    db.load(VALID)
    nowhere = db.value("SELECT confiture.resolve_seed('test', 'users', 'email', '1.0')")
    assert len({from_global, from_rule, nowhere}) == 3
    assert not re.search("12345|99999", from_global + from_rule)
    assert "rule" in from_rule and "default" in nowhere


@pytest.mark.parametrize(
    "arguments",
    [
        ("absent", "users", "email", None),
        ("production", "absent", "email", None),
        ("production", "users", "absent", None),
        ("production", "users", "email", "9"),
    ],
)
def test_resolve_seed_says_what_is_not_there(db, arguments):
    db.load(PRODUCTION)
    db.refused(
        {"42704", "42P01", "42703"}, "SELECT confiture.resolve_seed(%s, %s, %s, %s)", arguments
    )


def test_a_variable_that_is_not_set_is_an_error_and_not_zero(db):
    make_people(db)
    db.load(small(global_seed_env_var="ANONYMIZATION_UNSET"))
    report = db.sync_refused("55000")
    assert "ANONYMIZATION_UNSET" in report.message_primary
    db.refused("55000", "SELECT confiture.resolve_seed('small', 'people', 'email')")


def test_a_variable_outside_the_allowed_ones_is_refused(db):
    make_people(db)
    db.load(small(global_seed_env_var="PATH"))
    db.sync_refused("42501")


@pytest.mark.parametrize(
    ("content", "status"),
    [
        (PRODUCTION.encode(), 0),
        (VALID.encode(), 0),
        (FRAGMENT.encode(), 1),
        (MALICIOUS.encode(), 1),
        (b"", 1),
        (b"name: \xff\xfe", 1),
        (b"name: a\0b", 1),
        (b"name: it's $1 \\ '' \\\\ $$;", 1),
    ],
    ids=["production", "list form", "fragment", "malicious", "empty", "no UTF-8", "NUL", "quotes"],
)
def test_the_command_that_validates_a_file(db, tmp_path, content, status):
    file = tmp_path / "it's a profile.yaml"
    file.write_bytes(content)
    done = db.server.run(VALIDATE, file, database=db.name, check=False)
    assert done.returncode == status, done
    if status == 0:
        assert "version   1.0" in done.stdout and "table     users" in done.stdout
    else:
        assert "error" in done.stdout and str(file) in done.stdout
    assert not re.search("12345|99999", done.stdout + done.stderr)


def test_the_command_that_validates_passes_the_examples(db):
    for file in sorted(ROOT.glob("examples/*/profile.yaml")):
        done = db.server.run(VALIDATE, file, database=db.name)
        assert "warning" not in done.stdout, done.stdout


def test_the_command_that_validates_ends_with_2_where_it_cannot_ask(db, bare, tmp_path):
    file = tmp_path / "p.yaml"
    file.write_text(VALID)
    for arguments, database in (
        ([tmp_path / "absent"], db.name),
        ([file], bare.name),
        ([file], "absent"),
        ([], db.name),
    ):
        assert db.server.run(VALIDATE, *arguments, database=database, check=False).returncode == 2
