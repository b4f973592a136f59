"""Measures of anonymity: published numbers, and a second implementation on random tables."""

import math

import pytest

import anonymity_again as again
from adult import ARX, A, B, D, E, make_adult
from server import Server

INFINITE = math.inf


@pytest.fixture(scope="module")
def adult():
    """A database with Adult, which no test changes but for the class suppression below."""
    server = Server("adult")
    db = server.create_database(key=False)
    make_adult(db)
    # C: the classes of B with less than 5 rows are left out.
    db.execute("CREATE TABLE adult.c AS SELECT * FROM adult.coarse")
    assert db.rows("SELECT * FROM anon_suppress_below_k('adult.c', %s, 5)", [B]) == [(371, 5)]
    assert db.value("SELECT count(*) FROM adult.c") == 32561
    assert db.rows(
        "SELECT * FROM anon_suppress_below_k('adult.c', %s, 5, dry_run => false)", [B]
    ) == [(371, 5)]
    yield db
    server.stop()


# n, classes, k, uniques, average risk, highest risk, share of records above 0.2
SHAPES = {
    ("raw", tuple(A)): (32561, 15093, 1, 10154, 0.463530, 1, 0.587543),
    ("coarse", tuple(B)): (32561, 434, 1, 80, 0.013329, 1, 0.011394),
    ("c", tuple(B)): (32190, 250, 5, 0, 0.007766, 0.2, 0),
    ("coarse", tuple(D)): (32561, 132, 1, 8, 0.004054, 1, 0.001075),
    ("coarse", tuple(E)): (32561, 10, 109, 0, 0.000307, 0.009174, 0),
}

# l, entropy l, alpha, c (and its l), t equal, ordered, numeric, delta, beta
VALUES = [
    ("coarse", B, "salary", 1, 1.0, 1.0, INFINITE, 2, 0.759190, None, None, 3.869556, 3.152659),
    ("coarse", B, "occupation", 1, 1.0, 1.0, INFINITE, 2, 0.995424, None, None, 5.708739,
     300.490741),
    ("coarse", B, "hours_per_week", 1, 1.0, 1.0, INFINITE, 2, 0.999570, 0.423419, 0.402423,
     7.751813, 2324.785714),
    ("c", B, "salary", 1, 1.0, 1.0, INFINITE, 2, 0.758465, None, None, 3.872562, 3.140193),
    ("c", B, "occupation", 2, 1.569193, 0.833333, 5.0, 2, 0.871917, None, None, 5.697280,
     297.055556),
    ("c", B, "hours_per_week", 1, 1.0, 1.0, INFINITE, 2, 0.891426, 0.286754, 0.272732, 5.913503,
     369.0),
    ("coarse", D, "occupation", 1, 1.0, 1.0, INFINITE, 2, 0.943399, None, None, 4.182951,
     64.559060),
    ("coarse", D, "hours_per_week", 1, 1.0, 1.0, INFINITE, 2, 0.997359, 0.313140, 0.322067,
     6.864510, 956.676471),
    ("coarse", E, "salary", 2, 1.237524, 0.944954, 17.166667, 2, 0.185764, None, None, 1.475840,
     0.396204),
    ("coarse", E, "occupation", 11, 8.528791, 0.239884, 10.375, 11, 0.322205, None, None,
     3.166950, 17.843171),
    ("coarse", E, "hours_per_week", 23, 6.640265, 0.599108, 60.0, 23, 0.258317, 0.049618,
     0.047693, 3.060465, 20.337484),
]


def near(found, wanted, places=6):
    """Equal as far as the published number has digits."""
    return found == wanted or abs(found - wanted) <= 0.5000001 * 10**-places


def test_risks_are_those_of_arx_to_the_last_digit(adult):
    assert adult.value("SELECT count(*) FROM adult.complete") == 30162
    risks = adult.rows("SELECT * FROM anon_reid_risk('adult.complete', %s)", [ARX])
    assert risks[0][:3] == ("prosecutor", 1.0, 0.6465751607983555)
    assert risks[0][4] == 19502
    unique = adult.value(
        "SELECT count(*)::float8 / 30162 FROM anon_equivalence_classes('adult.complete', %s, 1)",
        [ARX],
    )
    assert unique == 0.5142895033485844
    above = adult.value(
        "SELECT records_at_risk FROM anon_reid_risk('adult.complete', %s, threshold => 0.5)"
        " WHERE model = 'prosecutor'",
        [ARX],
    )
    assert above == 0.5142895033485844


@pytest.mark.parametrize("table, keys", SHAPES)
def test_classes_of_adult_are_as_published(adult, table, keys):
    rows, classes, k, unique, average, highest, above = SHAPES[table, keys]
    call = [f"adult.{table}", list(keys)]
    assert adult.value("SELECT anon_k_anonymity(%s, %s)", call) == k
    sizes = adult.column("SELECT size FROM anon_equivalence_classes(%s, %s)", call)
    assert (sum(sizes), len(sizes), sizes[0], sizes.count(1)) == (rows, classes, k, unique)
    assert sizes == sorted(sizes)
    prosecutor, journalist, marketer = adult.rows("SELECT * FROM anon_reid_risk(%s, %s)", call)
    assert near(prosecutor[1], highest) and near(prosecutor[2], average)
    assert near(prosecutor[3], above) and prosecutor[4] == classes
    assert journalist == ("journalist", None, None, None, None)
    assert marketer == ("marketer", None, classes / rows, None, classes)


@pytest.mark.parametrize("case", VALUES, ids=lambda case: f"{case[0]}{len(case[1])}-{case[2]}")
def test_sensitive_values_of_adult_are_as_published(adult, case):
    table, keys, sensitive, l, entropy, alpha, c, used, equal, ordered, numeric, delta, beta = case
    call = [f"adult.{table}", keys, sensitive]
    diversity = "SELECT anon_l_diversity(%s, %s, %s"
    assert adult.value(f"{diversity})", call) == l
    assert near(adult.value(f"{diversity}, 'entropy')", call), entropy)
    assert near(adult.value(f"{diversity}, 'recursive')", call), c)
    assert near(adult.value(f"{diversity}, 'recursive', {used})", call), c)
    k = adult.value("SELECT anon_k_anonymity(%s, %s)", call[:2])
    found = adult.rows("SELECT * FROM anon_alpha_k(%s, %s, %s)", call)
    assert near(found[0][0], alpha) and found[0][1] == k
    closeness = "SELECT anon_t_closeness(%s, %s, %s"
    assert near(adult.value(f"{closeness}, 'equal')", call), equal)
    if ordered is None:
        assert adult.value(f"{closeness})", call) == adult.value(f"{closeness}, 'equal')", call)
    else:
        assert near(adult.value(f"{closeness})", call), ordered)
        assert near(adult.value(f"{closeness}, 'numeric')", call), numeric)
    with_missing, without = adult.rows("SELECT * FROM anon_delta_disclosure(%s, %s, %s)", call)[0]
    assert near(without, delta)
    missing = adult.value(f"{diversity})", call) < adult.value(
        f"SELECT count(DISTINCT {sensitive}) FROM adult.{table}"
    )
    assert with_missing == (INFINITE if missing else without)
    assert near(adult.rows("SELECT * FROM anon_beta_likeness(%s, %s, %s)", call)[0][0], beta)


TREE = [("all", None), ("low", "all"), ("high", "all"), ("a", "low"), ("b", "low"),
        ("c", "high"), ("d", "high"), ("e", "high")]


def make_random(db, rows):
    """The table of a second implementation, and a tree over its values."""
    db.execute("DROP TABLE IF EXISTS r, tree")
    db.execute("CREATE TABLE r (p text, q integer, s text, n integer)")
    db.execute("CREATE TABLE tree (value text, parent text)")
    with db.connection.cursor() as cursor:
        cursor.executemany("INSERT INTO r VALUES (%s, %s, %s, %s)", rows)
        cursor.executemany("INSERT INTO tree VALUES (%s, %s)", TREE)


def held_against_a_second(db, rows, keys, null_matches):
    """Every measure but the one over a tree, with or without wildcards."""
    groups = again.groups(rows, 2, null_matches)
    last = f"null_matches => {null_matches}"
    of = [len(group) for group in groups]
    k = db.value(f"SELECT anon_k_anonymity('r', %s, {last})", [keys])
    assert k == min(of)
    prosecutor, _, marketer = db.rows(
        f"SELECT max_risk, avg_risk FROM anon_reid_risk('r', %s, {last})", [keys]
    )
    # A class stands for all of its rows, which is 1 risk; what one row agrees with for this row.
    expected = sum(1 / size for size in of) if null_matches else len(of)
    assert prosecutor == (1 / k, pytest.approx(expected / len(rows)))
    assert marketer == (None, prosecutor[1])
    for name, place in (("s", 2), ("n", 3)):
        want = again.measures(rows, 2, place, null_matches)
        diversity = f"SELECT anon_l_diversity('r', %s, '{name}', {last}"
        found = {
            "distinct": db.value(f"{diversity})", [keys]),
            "entropy": db.value(f"{diversity}, variant => 'entropy')", [keys]),
            "c": [
                db.value(f"{diversity}, variant => 'recursive', l => {l})", [keys])
                for l in (1, 2, 3)
            ],
        }
        for measure, call in {
            "alpha": f"alpha FROM anon_alpha_k('r', %s, '{name}', {last})",
            "equal": f"anon_t_closeness('r', %s, '{name}', 'equal', {last})",
        }.items():
            found[measure] = db.value(f"SELECT {call}", [keys])
        for measure in ("delta_disclosure", "beta_likeness"):
            found[measure.split("_")[0]] = db.rows(
                f"SELECT * FROM anon_{measure}('r', %s, '{name}', {last})", [keys]
            )[0]
        assert found.keys() == want.keys()
        for measure, value in want.items():
            assert found[measure] == pytest.approx(value, abs=1e-12), measure
    for distance in ("ordered", "numeric"):
        found = db.value(f"SELECT anon_t_closeness('r', %s, 'n', %s, {last})", [keys, distance])
        again_found = again.along(rows, 2, 3, distance, null_matches)
        assert found == pytest.approx(again_found, abs=1e-12)
    report = db.value(f"SELECT anon_privacy_report('r', %s, '{{s,n}}', {last})", [keys])
    assert report["sensitive"][1]["t_closeness"]["numeric"] == pytest.approx(found, abs=1e-12)
    assert report["risk"]["models"][0]["avg_risk"] == prosecutor[1]


@pytest.mark.parametrize("seed", range(40))
def test_random_tables_are_measured_as_a_second_implementation_does(db, seed):
    rows = again.table(seed)
    make_random(db, rows)
    keys = ["p", "q"]
    for null_matches in (False, True):
        held_against_a_second(db, rows, keys, null_matches)
    found = db.value("SELECT anon_t_closeness('r', %s, 's', hierarchy => 'tree')", [keys])
    assert found == pytest.approx(again.over_tree(rows, 2, 2, dict(TREE)), abs=1e-12)
