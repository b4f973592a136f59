"""Aggregates of differential privacy: what they answer, what they refuse, what they charge."""

import math
import random
import struct

import pytest

from test_budget import ready


@pytest.fixture(name="rich")
def _rich(db):
    """A budget that lasts, and people with purchases."""
    ready(db, "1000000")
    db.execute("SET confiture.dp_max_epsilon = 1000")
    db.execute("""
        CREATE TABLE purchase AS
        SELECT i % 500 AS person, i % 40 AS day, (i % 97)::numeric(8, 2) AS amount,
               (i % 97)::float8 AS weight, i::bigint AS big
          FROM generate_series(1, 5000) i""")
    return db


def spent(db):
    return db.value("SELECT epsilon_spent FROM anon_dp_budget_status('research')")


def test_answers_are_the_truth_but_for_a_little_noise(rich):
    # With much epsilon hardly any noise is left.
    assert rich.value("SELECT anon_dp_count(person, 900) FROM purchase") == 500
    assert rich.value("SELECT anon_dp_count(person, 900, 3) FROM purchase") == 1500
    total = rich.value("SELECT sum(t) FROM (SELECT least(sum(amount), 400) t FROM purchase"
                       " GROUP BY person) t")
    answer = rich.value("SELECT anon_dp_sum(person, amount, 0, 400, 900) FROM purchase")
    assert abs(answer - total) < 10
    mean = rich.value("SELECT avg(m) FROM (SELECT avg(weight) m FROM purchase GROUP BY person) m")
    answer = rich.value("SELECT anon_dp_avg(person, weight, 0, 97, 900) FROM purchase")
    assert abs(answer - mean) < 0.1
    median = rich.value("SELECT percentile_cont(0.5) WITHIN GROUP (ORDER BY m) FROM"
                        " (SELECT avg(weight) m FROM purchase GROUP BY person) m")
    answer = rich.value(
        "SELECT anon_dp_quantile(person, weight, 0.5, 0, 97, 900) FROM purchase")
    assert abs(answer - median) < 1


def test_every_type_of_numbers_has_its_own(rich):
    for column, bounds, of in (
        ("day", "0, 40", "bigint"),
        ("big", "0, 40", "bigint"),
        ("amount", "0, 40", "numeric"),
        ("weight", "0, 40", "double precision"),
        ("weight::real", "0, 40", "double precision"),
        ("day::smallint", "0, 40", "bigint"),
    ):
        found = rich.value(
            f"SELECT pg_typeof(anon_dp_sum(person, {column}, {bounds}, 1)) FROM purchase")
        assert found == of, column


def test_a_unit_counts_once_however_it_is_written(rich):
    rich.execute("CREATE TABLE spelled AS SELECT unnest(ARRAY[1.0, 1.00, 1.000]) AS who")
    assert rich.value("SELECT anon_dp_count(who, 900) FROM spelled") == 1
    rich.execute("CREATE TABLE lists AS SELECT ARRAY[i % 3, 1] AS who FROM generate_series(1, 9) i")
    assert rich.value("SELECT anon_dp_count(who, 900) FROM lists") == 3
    rich.refused("42883", "SELECT anon_dp_count('(1,2)'::point, 1)")
    rich.refused("42883", "SELECT anon_dp_count(p, 1) FROM (SELECT '(1,2)'::point p) t WHERE false")


def test_what_belongs_to_nobody_or_is_no_number_contributes_nothing(rich):
    rich.execute("""
        CREATE TABLE odd (who integer, x float8);
        INSERT INTO odd VALUES (NULL, 5), (1, NULL), (2, 'NaN'), (3, 'Infinity'),
          (4, '-Infinity'), (5, 7)""")
    assert rich.value("SELECT anon_dp_count(who, 900) FROM odd") == 5
    answer = rich.value("SELECT anon_dp_sum(who, x, 0, 10, 900) FROM odd")
    assert abs(answer - 17) < 0.5


@pytest.mark.parametrize("where", ["", " WHERE false"])
@pytest.mark.parametrize(("call", "sqlstate"), [
    ("anon_dp_count(person, day)", "22023"),
    ("anon_dp_count(person, 0)", "22023"),
    ("anon_dp_count(person, -1)", "22023"),
    ("anon_dp_count(person, 'NaN')", "22023"),
    ("anon_dp_count(person, 'Infinity')", "22023"),
    ("anon_dp_count(person, 1e9)", "22023"),
    ("anon_dp_count(person, NULL)", "22023"),
    ("anon_dp_count(person, (SELECT 1.0))", "22023"),
    ("anon_dp_count(person, CASE WHEN person = 7 THEN 900 ELSE 0.1 END)", "22023"),
    ("anon_dp_count(person, 1, 0)", "22023"),
    ("anon_dp_count(person, 1, day)", "22023"),
    ("anon_dp_sum(person, day, 5, 1, 1)", "22023"),
    ("anon_dp_sum(person, day, 0, 0, 1)", "22023"),
    ("anon_dp_sum(person, day, 0, day, 1)", "22023"),
    ("anon_dp_sum(person, weight, 0, 'NaN', 1)", "22023"),
    ("anon_dp_sum(person, weight, '-Infinity', 1, 1)", "22023"),
    ("anon_dp_sum(person, big, 0, 9223372036854775807, 1)", "ok"),
    ("anon_dp_sum(person, amount, 0, 'Infinity', 1)", "22023"),
    ("anon_dp_avg(person, day, 4, 4, 1)", "22023"),
    ("anon_dp_quantile(person, day, 1.5, 0, 10, 1)", "22023"),
    ("anon_dp_quantile(person, day, 0.12345, 0, 10, 1)", "22023"),
    ("anon_dp_quantile(person, day, 'NaN', 0, 10, 1)", "22023"),
    ("anon_dp_quantile(person, day, 'Infinity', 0, 10, 1)", "22023"),
    ("anon_dp_quantile(person, day, 0.5, 4, 4, 1)", "22023"),
    ("anon_dp_quantile(person, weight, 0.5, 0, 1e308, 1)", "22023"),
    ("anon_dp_count(person, '-Infinity')", "22023"),
    ("anon_dp_count(person, '-0')", "22023"),
    ("anon_dp_count(person, 5e-324)", "22023"),
    ("anon_dp_count(person, 9.99e-7)", "22023"),
    ("anon_dp_count(person, 1e308)", "22023"),
    ("anon_dp_count(person, 1, -2147483648)", "22023"),
    ("anon_dp_count(person, 1, 2147483647)", "ok"),
    ("anon_dp_sum(person, weight, 0, 1e308, 1)", "22023"),
    ("anon_dp_sum(person, weight, -1e308, 1e308, 1)", "22023"),
    ("anon_dp_sum(person, weight, 0, 5e-324, 1)", "22023"),
    ("anon_dp_sum(person, weight, 0, 2.2e-308, 1)", "22023"),
    ("anon_dp_sum(person, weight, 0, 1e100, 1)", "ok"),
    ("anon_dp_sum(person, weight, '-0', 0, 1)", "22023"),
    ("anon_dp_sum(person, day, -2147483648, 2147483647, 1)", "ok"),
    ("anon_dp_sum(person, big, -9223372036854775808, 9223372036854775807, 1)", "ok"),
    ("anon_dp_sum(person, amount, 0, 1e300, 1)", "22023"),
    ("anon_dp_sum(person, amount, 0, 18446744073709551616, 1)", "ok"),
    ("anon_dp_sum(person, amount, 0, 1e-300, 1)", "22023"),
    ("anon_dp_avg(person, weight, 'NaN', 1, 1)", "22023"),
    ("anon_dp_avg(person, weight, -1e308, 1, 1)", "22023"),
    ("anon_dp_avg(person, big, 0, 9223372036854775807, 0.000001)", "22023"),
    ("anon_dp_count(ROW(person, '(1,2)'::point), 1)", "42883"),
    ("anon_dp_count(person::text COLLATE \"C\" || 'x', 1)", "ok"),
])
def test_errors_are_the_same_for_no_rows_and_for_many(rich, call, sqlstate, where):
    before = spent(rich)
    if sqlstate == "ok":
        rich.value(f"SELECT {call} FROM purchase{where}")
        return
    rich.refused(sqlstate, f"SELECT {call} FROM purchase{where}")
    assert spent(rich) == before


def test_of_two_errors_the_same_one_comes_first(rich):
    # Without a budget, and with an epsilon that is none: which it is must not tell of rows.
    rich.execute("RESET confiture.dp_budget;"
                 " CREATE TABLE spelled (a text COLLATE \"C\", b text COLLATE \"POSIX\");"
                 " INSERT INTO spelled VALUES ('x', 'y')")
    for call in ("anon_dp_count(person, 'NaN')", "anon_dp_count('(1,2)'::point, 1)",
                 "anon_dp_sum(person, weight, 5, 1, 1)"):
        for where in ("", " WHERE false"):
            rich.refused("55000", f"SELECT {call} FROM purchase{where}")
    rich.execute("SET confiture.dp_budget = 'research'")
    for where in ("", " WHERE false"):
        rich.refused("42P22", f"SELECT anon_dp_count(a || b, 1) FROM spelled{where}")


def test_each_answer_is_charged_and_nothing_else_is(rich):
    def charged(sql, parameters=None):
        before = spent(rich)
        rich.execute(sql, parameters)
        return spent(rich) - before

    one = "anon_dp_count(person, 1)"
    assert charged(f"SELECT {one}, {one} FROM purchase") == 1
    assert charged(f"SELECT {one}, anon_dp_count(person, 2) FROM purchase") == 3
    assert charged(f"SELECT {one} FROM purchase HAVING {one} > 0 ORDER BY {one}") == 1
    assert charged(f"SELECT day, {one} FROM purchase GROUP BY day") == 40
    assert charged(f"SELECT {one} FROM purchase WHERE day < 2 GROUP BY ROLLUP (day)") == 3
    assert charged(f"EXPLAIN SELECT {one} FROM purchase") == 0
    assert charged(f"EXPLAIN ANALYZE SELECT {one} FROM purchase") == 1
    assert charged(f"SELECT 1 FROM (SELECT {one} FROM purchase) t") == 0
    assert charged(f"WITH t AS (SELECT {one} n FROM purchase) SELECT n, n FROM t") == 1
    assert charged(f"SELECT {one} FROM purchase WHERE false") == 1
    assert charged(f"SELECT (SELECT {one} FROM purchase WHERE day = d) FROM"
                   " generate_series(1, 3) d") == 3
    rich.execute("PREPARE p AS SELECT anon_dp_count(person, $1) FROM purchase")
    for _ in range(7):
        assert charged("EXECUTE p (2)") == 2
    assert charged("SELECT anon_dp_count(person, %s) FROM purchase", [3]) == 3
    rich.execute(f"BEGIN; DECLARE c SCROLL CURSOR FOR SELECT {one} FROM purchase")
    before = spent(rich)
    first = rich.value("FETCH FIRST FROM c")
    assert rich.value("FETCH FIRST FROM c") == first and spent(rich) - before == 1
    rich.execute("COMMIT")
    rich.execute(f"CREATE MATERIALIZED VIEW shown AS SELECT {one} AS n FROM purchase")
    assert charged("SELECT * FROM shown") == 0


def test_variables_of_a_function_are_parameters(rich):
    rich.execute("""
        CREATE FUNCTION ask(strength float8, top integer) RETURNS bigint LANGUAGE plpgsql AS $$
        DECLARE answer bigint; BEGIN
          SELECT anon_dp_sum(person, day, 0, top, strength) INTO answer FROM purchase WHERE person = 0;
          RETURN answer; END $$""")
    before = spent(rich)
    for top in (5, 30, 5, 30, 30, 30, 30):
        assert abs(rich.value("SELECT ask(900, %s)", [top]) - top) < 2
    assert spent(rich) - before == 7 * 900
    rich.refused("22023", "SELECT ask(NULL, 5)")


def test_windows_and_direct_calls_are_refused(rich):
    for over in ("()", "(ORDER BY day)", "(PARTITION BY day ROWS 3 PRECEDING)"):
        rich.refused("0A000", f"SELECT anon_dp_count(person, 1) OVER {over} FROM purchase")
    assert rich.value("SELECT count(*) FROM pg_aggregate WHERE aggfnoid::text LIKE 'anon\\_dp%'"
                      " AND aggfinalmodify <> 'w'") == 0
    assert rich.value("SELECT count(*) FROM pg_proc WHERE proname LIKE 'anon\\_dp\\_%'"
                      " AND prokind = 'a' AND proparallel <> 'u'") == 0


def test_the_order_of_rows_and_workers_change_nothing(rich):
    # With so much epsilon the sums are exact, so an order that mattered would show.
    rich.execute("SET parallel_setup_cost = 0; SET parallel_tuple_cost = 0;"
                 " SET min_parallel_table_scan_size = 0")
    query = "SELECT anon_dp_sum(person, big, 0, 3, 1000) FROM (SELECT * FROM purchase ORDER BY {}) t"
    found = {rich.value(query.format(order)) for order in ("1, 5", "5", "5 DESC", "random()")}
    assert found == {1500}


def variance(draws):
    mean = sum(draws) / len(draws)
    return sum((x - mean) ** 2 for x in draws) / (len(draws) - 1)


def draw(db, count, table, epsilon="0.5"):
    """Many answers about one small table."""
    return db.column(
        f"SELECT (SELECT anon_dp_count(who, {epsilon}) FROM {table} WHERE who <> -i)"
        f" FROM generate_series(1, {count}) i")


def test_noise_has_the_variance_that_is_promised(rich):
    rich.execute("CREATE TABLE three AS SELECT generate_series(1, 3) AS who")
    rich.execute("SET synchronous_commit = off")
    draws = draw(rich, 10_000, "three")
    q = math.exp(-0.5)
    wanted, fourth = 2 * q / (1 - q) ** 2, 2 * q * (1 + 10 * q + q * q) / (1 - q) ** 4
    z = (sum((x - 3) ** 2 for x in draws) / len(draws) - wanted) / math.sqrt(
        (fourth - wanted**2) / len(draws))
    assert abs(z) < 5
    assert abs(sum(draws) / len(draws) - 3) < 5 * math.sqrt(wanted / len(draws))


def test_neighbors_cannot_be_told_apart_by_more_than_epsilon(rich):
    # Of 10,000 answers each; a ratio beyond e^0.5 by chance has a probability below 1e-6.
    rich.execute("CREATE TABLE three AS SELECT generate_series(1, 3) AS who;"
                 " CREATE TABLE four AS SELECT generate_series(1, 4) AS who")
    one, two = draw(rich, 10_000, "three"), draw(rich, 10_000, "four")
    for low, high in ((one, two), (two, one)):
        for bound in range(-2, 9):
            for event in (lambda x, b=bound: x >= b, lambda x, b=bound: x <= b):
                a, b = sum(map(event, low)), sum(map(event, high))
                if min(a, b) > 200:
                    slack = 5 * math.sqrt(1 / a + 1 / b)
                    assert abs(math.log(a / b)) < 0.5 + slack


def is_reachable(answer, value, scale):
    """Whether textbook noise can give an answer for a value: some uniform number leads to it."""
    noise = answer - value
    u = math.copysign(1 - math.exp(-abs(noise) / scale), noise)
    return any(
        value + math.copysign(-scale * math.log1p(-abs(v)), v) == answer
        for v in near(u)
    )


def near(number, steps=64):
    """Floats around one."""
    bits = struct.unpack("<q", struct.pack("<d", number))[0]
    return [struct.unpack("<d", struct.pack("<q", bits + i))[0] for i in range(-steps, steps + 1)
            if abs(struct.unpack("<d", struct.pack("<q", bits + i))[0]) < 1]


def textbook(count):
    """Noise as textbooks make it of a uniform number, of scale 1."""
    dice = random.Random(7)
    return [math.copysign(-math.log1p(-dice.random()), dice.random() - 0.5) for _ in range(count)]


def test_no_answer_excludes_a_neighbor_by_its_last_digits(rich):
    # Mironov 2012. Textbook noise gives its value away by which floats can come out at all.
    answers = [0.0 + noise for noise in textbook(300)]
    assert all(is_reachable(x, 0.0, 1.0) for x in answers), "nobody is accused falsely"
    told = sum(not is_reachable(x, 1.0, 1.0) for x in answers)
    assert told > 150, "the control must be caught"
    # Ours lie on one line of steps, whatever the value is.
    rich.execute("CREATE TABLE zero AS SELECT 1 AS who, 0.0::float8 AS x;"
                 " CREATE TABLE one AS SELECT 1 AS who, 1.0::float8 AS x")
    step = 2.0 ** -32
    for table in ("zero", "one"):
        answers = rich.column(
            f"SELECT (SELECT anon_dp_sum(who, x, 0, 1, 1) FROM {table} WHERE who <> -i)"
            " FROM generate_series(1, 2000) i")
        assert len(set(answers)) > 1900
        assert all((x / step).is_integer() for x in answers)


def test_backends_of_a_preloading_server_never_share_noise(private_server):
    db = private_server("shared_preload_libraries=confiture").create_database()
    ready(db, "1000")
    db.execute("CREATE TABLE one AS SELECT 1 AS who")
    streams = []
    for _ in range(2):
        session = db.session()
        session.execute("SET confiture.dp_budget = 'research'")
        streams.append(tuple(draw(session, 60, "one", "0.01")))
    assert streams[0] != streams[1]
