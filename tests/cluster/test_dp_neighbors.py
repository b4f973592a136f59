"""Whether neighbors can be told apart better than epsilon says: exact tests of answers that came by SQL.

Two databases that one unit tells apart are asked the same 20,000 times each. Of every event, an answer
up to a number or from it on, the chances on both sides are bounded by Clopper and Pearson (1934), and
the lower bound of the one must not be beyond e^epsilon times the upper bound of the other. A right
mechanism fails once in a million runs, whichever the event. Each test is made with noise that is too
small as well, which it must find.
"""

import json
import math

import pytest

from test_budget import ready
from test_dp_aggregates import is_reachable, textbook

DRAWS = 20_000
ALPHA = 1e-6

# Units with their rows, for each trial. The neighbor has one more, with rows of every kind.
BASE = "(VALUES (1, 5.0), (1, 0.0), (2, 5.0), (3, 5.0)) AS v (who, x)"
MORE = """(VALUES (1, 5.0), (1, 0.0), (2, 5.0), (3, 5.0), (4, 5.0), (4, 'Infinity'), (4, 1e300),
                  (4, NULL), (4, 'NaN'), (4, 3.0)) AS v (who, x)"""
NOBODY = "(SELECT 1 AS who, NULL::float8 AS x WHERE false) AS v (who, x)"
ONE_ABOVE = "(VALUES (1, 10.0), (1, 50.0)) AS v (who, x)"
ONE_ON_TOP = "(VALUES (1, 10.0)) AS v (who, x)"
BOTH_ENDS = "(VALUES (1, 10.0), (2, 0.0)) AS v (who, x)"


def beta(x, a, b):
    """The regularized incomplete beta function, by its continued fraction (Lentz's algorithm)."""
    if x <= 0 or x >= 1:
        return float(x >= 1)
    if x > (a + 1) / (a + b + 2):
        return 1 - beta(1 - x, b, a)
    front = math.exp(
        math.lgamma(a + b) - math.lgamma(a) - math.lgamma(b)
        + a * math.log(x) + b * math.log1p(-x)) / a
    c, d, value, tiny = 1.0, 0.0, 1.0, 1e-300
    for i in range(2000):
        m = i // 2
        if i == 0:
            numerator = 1.0
        elif i % 2 == 0:
            numerator = m * (b - m) * x / ((a + 2 * m - 1) * (a + 2 * m))
        else:
            numerator = -(a + m) * (a + b + m) * x / ((a + 2 * m) * (a + 2 * m + 1))
        d = 1 / (1 + numerator * d or tiny)
        c = 1 + numerator / c or tiny
        value *= c * d
        if abs(1 - c * d) < 1e-13:
            break
    return front * (value - 1)


def solve(rises, goal):
    """Where an increasing function of a chance reaches a goal."""
    low, high = 0.0, 1.0
    for _ in range(60):
        middle = (low + high) / 2
        low, high = (middle, high) if rises(middle) < goal else (low, middle)
    return low


def lowest(k, n, alpha):
    """No smaller chance gives k of n or more with probability alpha."""
    return 0.0 if k == 0 else solve(lambda p: beta(p, k, n - k + 1), alpha)


def highest(k, n, alpha):
    """No greater chance gives k of n or fewer with probability alpha."""
    return 1.0 if k == n else solve(lambda p: beta(p, k + 1, n - k), 1 - alpha)


def told_apart(one, other, epsilon, points):
    """The events by which two lists of answers differ by more than epsilon."""
    events = [*((lambda x, p=p: x <= p) for p in points), *((lambda x, p=p: x >= p) for p in points)]
    alpha = ALPHA / (4 * len(events))
    found = []
    for at, event in enumerate(events):
        counts = sum(map(event, one)), sum(map(event, other))
        for a, b in (counts, counts[::-1]):
            if lowest(a, len(one), alpha) > math.exp(epsilon) * highest(b, len(other), alpha):
                found.append((at, a, b))
    return found


def test_the_bounds_are_those_of_the_binomial_distribution():
    def tail(k, n, p):
        return sum(math.comb(n, i) * p**i * (1 - p) ** (n - i) for i in range(k, n + 1))

    for k, n, alpha in ((3, 20, 0.05), (19, 20, 1e-6), (500, 1000, 1e-9)):
        assert tail(k, n, lowest(k, n, alpha)) == pytest.approx(alpha, rel=1e-6)
        assert 1 - tail(k + 1, n, highest(k, n, alpha)) == pytest.approx(alpha, rel=1e-4)
    assert lowest(0, 9, 0.1) == 0 and highest(9, 9, 0.1) == 1
    # The rule of three, and the other end of it.
    assert highest(0, 1000, 0.05) == pytest.approx(1 - 0.05 ** (1 / 1000), rel=1e-9)


@pytest.fixture(name="asked")
def _asked(db):
    """A session that may ask a lot, and the databases, each 20,000 times over."""
    ready(db, "1000000000")
    db.execute("SET confiture.dp_max_epsilon = 100")
    return db


def trials(db, name, rows):
    """A table of one database for every trial; nobody is in two of them."""
    db.execute(f"CREATE TABLE {name} AS SELECT trial, trial * 10 + v.who AS who, v.x::float8 AS x"
               f" FROM generate_series(0, {DRAWS - 1}) AS trial CROSS JOIN {rows}")


# The aggregate; how many times the epsilon of the control is too great; the databases; where to look.
COUNT = [x + 0.5 for x in range(-8, 16)]
SUM = [x / 2 for x in range(-60, 130, 3)]
MEAN = [x / 4 for x in range(0, 41)]
QUANTILE = [0, 0.5, 2, 5, 8, 9.5, 10]
AGGREGATES = [
    ("anon_dp_count(who, {})", 2, BASE, MORE, COUNT),
    ("anon_dp_count(who, {}, 2)", 2, BASE, MORE, COUNT),
    ("anon_dp_sum(who, x, 0, 10, {})", 2, BASE, MORE, SUM),
    ("anon_dp_sum(who, x::numeric, -3, 7.5, {})", 2, BASE, MORE, SUM),
    ("anon_dp_avg(who, x, 0, 10, {})", 4, NOBODY, ONE_ABOVE, MEAN),
    ("anon_dp_quantile(who, x, 0.5, 0, 10, {})", 4, ONE_ON_TOP, BOTH_ENDS, QUANTILE),
]


@pytest.mark.parametrize(("call", "times", "without", "with_one", "points"), AGGREGATES)
def test_neighbors_are_told_apart_by_no_aggregate(asked, call, times, without, with_one, points):
    epsilon = 2.5 if "quantile" in call else 1.0
    trials(asked, "without", without)
    trials(asked, "with_one", with_one)

    def draw(table, strength):
        # Also a trial of which there are no rows is asked about.
        return [float(x) for x in asked.column(
            f"SELECT {call.format(strength)} FROM generate_series(0, {DRAWS - 1}) AS n"
            f" LEFT JOIN {table} ON trial = n GROUP BY n")]

    one, other = draw("without", epsilon), draw("with_one", epsilon)
    assert len(one) == len(other) == DRAWS
    assert told_apart(one, other, epsilon, points) == []
    control = draw("without", epsilon * times), draw("with_one", epsilon * times)
    assert told_apart(*control, epsilon, points), "the control must be caught"


MEASURES = [{"count": "*"}, {"rows": 2}, {"sum": "x"}, {"avg": "x"}, {"quantile": "x", "q": 0.5}]
LOOKED_AT = {"count": COUNT, "rows": COUNT, "sum(x)": SUM, "avg(x)": MEAN,
             "quantile(x, 0.5)": QUANTILE}


def test_neighbors_are_told_apart_by_no_release(asked):
    # Each trial is a group, and a release answers for 10,000 of them at once.
    batch = 10_000
    for name, rows in (("without", BASE), ("with_one", MORE), ("top", ONE_ON_TOP),
                       ("ends", BOTH_ENDS)):
        trials(asked, name, rows)
        for at in range(DRAWS // batch):
            columns = {"x": {"lower": 0, "upper": 10},
                       "trial": {"keys": list(range(at * batch, (at + 1) * batch))}}
            asked.execute("SELECT anon_dp_register(%s, %s, 'who', 'research', %s)",
                          [f"{name} {at}", name, json.dumps(columns)])

    def draw(name, strength):
        found = {}
        for at in range(DRAWS // batch):
            for measure, value in asked.rows(
                "SELECT measure, value::float8 FROM anon_dp_release(%s, %s, %s, '{trial}')",
                [f"{name} {at}", json.dumps(MEASURES), strength * len(MEASURES)],
            ):
                found.setdefault(measure, []).append(value)
        return found

    def differences(pair, strength, claimed, measures):
        one, other = (draw(name, strength) for name in pair)
        for measure in measures:
            assert len(one[measure]) == DRAWS
        return {measure for measure in measures
                if told_apart(one[measure], other[measure], claimed, LOOKED_AT[measure])}

    assert differences(("without", "with_one"), 1, 1, LOOKED_AT) == set()
    assert differences(("without", "with_one"), 2, 1, LOOKED_AT) >= {"count", "rows", "sum(x)"}
    assert differences(("top", "ends"), 2.5, 2.5, LOOKED_AT) == set()
    assert differences(("top", "ends"), 10, 2.5, ["quantile(x, 0.5)"]) == {"quantile(x, 0.5)"}


def test_a_threshold_shows_one_unit_as_seldom_as_delta_says(asked):
    # A group of one unit: shown at most once in 50 times, where noise alone would show it half the time.
    delta = 0.02
    trials(asked, "alone", "(VALUES (1, 1.0)) AS v (who, x)")
    asked.execute("SELECT anon_dp_budget_create('loose', 1000, 0.9)")
    asked.execute("SELECT anon_dp_budget_grant('loose', session_user::text)")
    asked.execute("SELECT anon_dp_register('alone', 'alone', 'who', 'loose', %s)",
                  [json.dumps({"trial": {"keys": None}})])
    shown = asked.value("SELECT count(*) FROM anon_dp_release('alone', '[{\"count\": \"*\"}]', 2,"
                        " '{trial}', delta => %s)", [delta])
    assert lowest(shown, DRAWS, ALPHA) <= delta
    # It is no threshold that shows nothing.
    assert highest(shown, DRAWS, ALPHA) > delta / 8


@pytest.mark.parametrize(("upper", "exponent"), [(1, -32), (10, -28), (0.3, -33)])
def test_sums_of_real_numbers_lie_on_one_grid(asked, upper, exponent):
    # Numbers that no grid has, near a power of two, below every step, and the least there is.
    asked.execute("""
        CREATE TABLE real (who integer, x float8);
        INSERT INTO real VALUES (1, 0.1), (1, 1e-17), (2, 1.0 / 3), (3, 0.7 * 0.1), (4, 5e-324),
          (5, 0.2999999999999999889), (6, 2.718281828459045 / 9)""")
    asked.execute("SELECT anon_dp_register('real', 'real', 'who', 'research', %s)",
                  [json.dumps({"x": {"lower": 0, "upper": upper}})])
    for without in range(7):
        for answer in asked.column(
            f"SELECT (SELECT anon_dp_sum(who, x, 0, {upper}, 1) FROM real WHERE who <> {without}"
            " AND who <> -i) FROM generate_series(1, 500) AS i"
        ):
            assert (answer * 2.0**-exponent).is_integer()
    asked.execute("DELETE FROM real WHERE who = 2")
    for answer in asked.column("SELECT anon_dp_release_sum('real', 'x', 1 + i * 0) FROM"
                               " generate_series(1, 500) AS i"):
        assert (float(answer) * 2.0**-exponent).is_integer()


def test_the_last_digits_tell_no_database_from_another(asked):
    # What a database could not have answered with textbook noise is held against it. Of textbook noise
    # that is the truth nearly always; of ours it says the same of both databases.
    def verdicts(answers):
        return sum(is_reachable(x, 0.0, 1.0) and not is_reachable(x, 1.0, 1.0) for x in answers)

    book = [0.0 + noise for noise in textbook(1000)]
    assert all(is_reachable(x, 0.0, 1.0) for x in book), "nobody is accused falsely"
    assert verdicts(book) > 500
    asked.execute("CREATE TABLE zero AS SELECT 1 AS who, 0.0::float8 AS x;"
                  " CREATE TABLE one AS SELECT 1 AS who, 1.0::float8 AS x")
    held = [
        verdicts(asked.column(
            f"SELECT (SELECT anon_dp_sum(who, x, 0, 1, 1) FROM {table} WHERE who <> -i)"
            " FROM generate_series(1, 4000) AS i"))
        for table in ("zero", "one")
    ]
    alpha = ALPHA / 4
    assert lowest(max(held), 4000, alpha) <= math.e * highest(min(held), 4000, alpha), held
