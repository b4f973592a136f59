"""The least generalization: what is suggested is done, and measured again."""

import json
import random

import pytest

from adult import make_adult

TREE = """
CREATE TABLE public.jobs (value text, parent text);
INSERT INTO jobs VALUES ('any', NULL), ('care', 'any'), ('craft', 'any'), ('nurse', 'care'),
  ('doctor', 'care'), ('smith', 'craft'), ('baker', 'craft');
"""
PEOPLE = """
CREATE SCHEMA prod;
CREATE TABLE prod.people (id integer PRIMARY KEY, age integer, born date, seen timestamptz,
  zip text, job text, pay numeric, note text);
"""
HIERARCHIES = {
    "age": {"steps": [5, 10, 50]},
    "born": {"parts": ["month", "quarter", "year", "decade"]},
    "seen": {"parts": ["day", "week"]},
    "zip": {"prefix": [3, 1]},
    "job": {"tree": "public.jobs", "suppress": True},
    "pay": {"steps": [0.5, 100, 1000]},
}
OF_KEYS = {key: of for key, of in HIERARCHIES.items() if key != "seen"}
KEYS = ["age", "born", "zip", "job", "pay"]


def make_people(db, seed=1, rows=200):
    draw = random.Random(seed)
    db.execute(TREE)
    db.execute(PEOPLE)
    people = [
        (
            number,
            draw.choice([None, -7, 18, 23, 37, 41, 64]),
            draw.choice([None, "1987-06-05", "1987-12-31", "1990-01-01", "infinity"]),
            draw.choice(["2024-02-29 23:30+00", "2024-03-01 00:30+01", None]),
            draw.choice(["02139", "02140", "90210", None]),
            draw.choice(["nurse", "doctor", "smith", "baker", None]),
            draw.choice([None, "0.25", "99.9", "1000", "-3.5", "NaN", "Infinity"]),
            "kept",
        )
        for number in range(rows)
    ]
    with db.connection.cursor() as cursor:
        cursor.executemany(
            "INSERT INTO prod.people VALUES (%s, %s, %s, %s, %s, %s, %s, %s)", people
        )


def suggested(db, relation, keys, k, hierarchies, most=0.0):
    rows = db.execute(
        "SELECT * FROM anon_suggest_generalization(%s::regclass, %s, %s, %s, %s)",
        [relation, keys, k, json.dumps(hierarchies), most],
    )
    names = [column.name for column in rows.description]
    found = rows.fetchall()
    return dict(zip(names, found[0], strict=True)) if found else None


@pytest.fixture
def db(server):
    """A database without a key."""
    database = server.create_database(key=False)
    yield database
    database.drop()


@pytest.mark.parametrize("k, most", [(1, 0), (2, 0), (5, 0), (5, 0.1), (20, 0.3), (200, 0)])
def test_what_is_suggested_is_as_anonymous_as_it_says(db, k, most):
    make_people(db)
    found = suggested(db, "prod.people", KEYS, k, OF_KEYS, most)
    db.execute(f"CREATE TABLE done AS {found['sql']}")
    assert db.value("SELECT anon_k_anonymity('done', %s)", [KEYS]) == found["k_after"] >= k
    assert db.value("SELECT count(*) FROM done") == 200 - found["suppressed"]
    assert found["suppressed"] <= 200 * most
    assert db.value("SELECT count(*) FROM anon_equivalence_classes('done', %s)", [KEYS]) == (
        found["classes"]
    )
    levels = found["levels"]
    assert found["loss"] == pytest.approx(
        sum(levels[key]["level"] / levels[key]["of"] for key in KEYS) / len(KEYS)
    )
    if k == 1:
        assert found["loss"] == 0
    # What is not named stays as it is.
    assert set(db.column("SELECT note FROM done")) <= {"kept"}


def brute_force(db, keys, k, most):
    """Every combination of levels, each made and measured by SQL of its own."""
    expression = {
        "age": ["age", "floor(age / 5.0) * 5", "floor(age / 10.0) * 10",
                "floor(age / 50.0) * 50", "NULL::int"],
        "zip": ["zip", "left(zip, 3)", "left(zip, 1)", "NULL::text"],
        "job": ["job", "(SELECT parent FROM jobs WHERE value = job)",
                "CASE WHEN job IS NOT NULL THEN 'any' END", "NULL::text"],
    }
    nodes = [()]
    for key in keys:
        nodes = [(*node, level) for node in nodes for level in range(len(expression[key]))]
    best = None
    for node in nodes:
        loss = sum(level / (len(expression[key]) - 1) for key, level in zip(keys, node))
        made = [f"{expression[key][level]} AS {key}" for key, level in zip(keys, node)]
        sizes = db.column(
            f"SELECT count(*) FROM (SELECT {', '.join(made)} FROM prod.people) AS t"
            f" GROUP BY {', '.join(keys)}"
        )
        gone = sum(size for size in sizes if size < k)
        cost = sum(size**2 for size in sizes if size >= k) + gone * sum(sizes)
        if gone <= most * sum(sizes):
            best = min(filter(None, [best, (round(loss / len(keys), 9), gone, cost, node)]))
    return best


@pytest.mark.parametrize("seed, k, most", [(1, 3, 0), (2, 5, 0.05), (3, 10, 0.2), (4, 12, 0.01)])
def test_nothing_is_better_than_what_is_suggested(db, seed, k, most):
    make_people(db, seed, 150)
    keys = ["age", "zip", "job"]
    found = suggested(db, "prod.people", keys, k, {key: HIERARCHIES[key] for key in keys}, most)
    loss, gone, _, node = brute_force(db, keys, k, most)
    assert (round(found["loss"], 9), found["suppressed"]) == (loss, gone)
    assert tuple(found["levels"][key]["level"] for key in keys) == node
    assert found["looks"] < found["nodes"] == 5 * 4 * 4


def test_levels_are_what_the_strategies_do(server):
    db = server.create_database()
    make_people(db)
    for step in (5, 10, 50):
        below = f"(age - mod(mod(age::numeric, {step}) + {step}, {step}))::integer"
        assert db.value(
            f"SELECT bool_and({below} IS NOT DISTINCT FROM anon_generalize(age, step => {step}))"
            " FROM prod.people"
        )
    hierarchies = {key: HIERARCHIES[key] for key in ("age", "born", "seen", "zip", "job", "pay")}
    keys = list(hierarchies)
    found = suggested(db, "prod.people", keys, 3, hierarchies, 0.5)
    db.execute(f"CREATE TABLE done AS {found['sql']}")
    text = found["profile"]
    assert text.startswith("# A run copies every row") or found["suppressed"] == 0
    db.execute("SELECT confiture.load_profile(%s)", [f"{text}coverage: copy\n"])
    db.execute("CREATE SCHEMA staging")
    db.sync("generalized")
    if found["suppressed"]:
        db.execute(
            "SELECT * FROM anon_suppress_below_k('staging.people', %s, 3, dry_run => false)",
            [keys],
        )
    shown = "SELECT to_jsonb(t) - 'pay' || jsonb_build_object('pay', pay::float8) FROM {} t"
    assert db.value("SELECT anon_k_anonymity('staging.people', %s)", [keys]) == found["k_after"]
    assert sorted(map(str, db.column(f"{shown.format('done')} ORDER BY id"))) == sorted(
        map(str, db.column(f"{shown.format('staging.people')} ORDER BY id"))
    )
    db.drop()


def test_adult_is_made_anonymous(db):
    make_adult(db)
    hierarchies = {"age": {"steps": [5, 10, 20, 40]}}
    keys = ["age", "education", "marital_status", "race", "sex"]
    found = suggested(db, "adult.raw", keys, 5, hierarchies, 0.02)
    assert found["nodes"] == 6 * 2 * 2 * 2 * 2 and found["looks"] < found["nodes"]
    db.execute(f"CREATE TABLE done AS {found['sql']}")
    assert db.value("SELECT anon_k_anonymity('done', %s)", [keys]) == found["k_after"] >= 5


def test_domains_that_refuse_null_are_left_out_as_their_type(db):
    db.execute("CREATE DOMAIN word AS varchar(9) NOT NULL")
    db.execute("CREATE TABLE t (a word); INSERT INTO t VALUES ('x'), ('y'), ('z')")
    found = suggested(db, "t", ["a"], 2, {"a": {"prefix": [1]}})
    assert db.column(found["sql"]) == [None] * 3


def test_there_may_be_nothing_to_suggest(db):
    db.execute("CREATE TABLE t AS SELECT i AS a FROM generate_series(1, 3) AS i")
    assert suggested(db, "t", ["a"], 4, {}) is None
    assert suggested(db, "t", ["a"], 2, {"a": {"suppress": False}}) is None
    assert suggested(db, "t", ["a"], 3, {})["levels"] == {"a": {"level": 1, "of": 1}}


def test_wrong_hierarchies_are_errors(db):
    make_people(db, rows=5)
    db.execute("CREATE TABLE circle (value text, parent text)")
    db.execute("INSERT INTO circle VALUES ('SECRET', 'b'), ('b', 'SECRET')")
    for sqlstate, keys, hierarchies in [
        ("22023", ["age"], []),
        ("22023", ["age"], {"age": {"steps": [5, 7]}}),
        ("22023", ["age"], {"age": {"steps": ["1); DROP TABLE jobs; --"]}}),
        ("22023", ["age"], {"zip": {"prefix": [3]}}),
        ("42703", ["age"], {"nobody": {"prefix": [3]}}),
        ("42804", ["age"], {"age": {"prefix": [3]}}),
        ("42P01", ["zip"], {"zip": {"tree": "nobody"}}),
        ("42703", ["zip"], {"zip": {"tree": "prod.people"}}),
        ("22023", ["zip"], {"zip": {"tree": "jobs"}}),
        ("22023", ["zip"], {"zip": {"tree": "circle"}}),
        ("54000", [*KEYS, "id", "seen"], {
            key: {"steps": [2**n for n in range(20)]} for key in ("age", "id", "pay")
        } | {"zip": {"prefix": list(range(60, 1, -1))}}),
        ("22023", ["zip"], {"zip": {"prefix": list(range(900, 1, -1))}}),
    ]:
        report = db.refused(
            sqlstate,
            "SELECT * FROM anon_suggest_generalization('prod.people', %s, 2, %s)",
            [keys, json.dumps(hierarchies)],
        )
        shown = str((report.message_primary, report.message_detail, report.message_hint))
        assert "SECRET" not in shown and "02139" not in shown and "90210" not in shown
    assert db.value("SELECT count(*) FROM jobs") == 7


def test_a_profile_is_one_that_loads(db):
    make_people(db)
    found = suggested(db, "prod.people", KEYS, 2, OF_KEYS, 0.9)
    assert db.rows(
        "SELECT item, name, detail FROM confiture.validate_profile(%s) WHERE item = 'error'",
        [found["profile"]],
    ) == []
