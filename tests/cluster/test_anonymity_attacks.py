"""Measures of anonymity against hostile values, types and relations: they count what SQL counts."""

import math
import time

import pytest

KEYS = "'{a}'"


@pytest.fixture
def db(server):
    """A database without a key."""
    database = server.create_database(key=False)
    yield database
    database.drop()


# A type, and values of which some are equal although they are written differently.
TYPES = {
    "float8": ["'NaN'", "'NaN'", "'-0'", "'0'", "'Infinity'", "'-Infinity'", "1e-320", "NULL"],
    "float4": ["'NaN'", "'-0'", "'0'", "1.5", "NULL", "NULL", "2", "3"],
    "numeric": ["1.0", "1.00", "1", "'NaN'", "'NaN'", "1e100", "-1", "NULL"],
    "smallint": ["1", "-1", "1", "NULL", "32767", "0", "0", "5"],
    "bigint": ["1", "-1", "9223372036854775807", "-9223372036854775808", "0", "0", "NULL", "1"],
    "char(4)": ["'a'", "'a  '", "'a '", "'b'", "''", "'    '", "NULL", "'ab'"],
    "varchar(9)": ["'a'", "'a '", "'A'", "''", "''", "NULL", "'ä'", "U&'a\\0308'"],
    "text[]": ["'{}'", "'{a}'", "'{a}'", "'{NULL}'", "'{NULL}'", "NULL", "'{a,b}'", "'{b,a}'"],
    "numeric[]": ["'{1.0}'", "'{1.00}'", "'{1}'", "'{2}'", "NULL", "'{}'", "'{}'", "'{1,1}'"],
    "jsonb": ["'1'", "'1.0'", "'null'", "NULL", "'{}'", "'{}'", "'[1]'", "'[1.00]'"],
    "interval": ["'1 mon'", "'30 days'", "'720:00'", "'1 day'", "'24:00'", "NULL", "'0'", "'-1 s'"],
    "timetz": ["'12:00+00'", "'13:00+01'", "'12:00+00'", "'12:00+02'", "NULL", "'0:0+0'", "'1:0+0'",
               "'1:0+0'"],
    "timestamptz": ["'2024-01-01 00:00+00'", "'2024-01-01 01:00+01'", "'infinity'", "'infinity'",
                    "'-infinity'", "NULL", "'2024-01-02+00'", "'2024-01-03+00'"],
    "timestamp": ["'2024-01-01'", "'2024-01-01 00:00'", "'infinity'", "'-infinity'", "NULL",
                  "'2024-01-02'", "'2024-01-02'", "'epoch'"],
    "date": ["'2024-01-01'", "'Jan 1 2024'", "'infinity'", "'-infinity'", "NULL", "'5874897-12-31'",
             "'4713-01-01 BC'", "'4713-01-01 BC'"],
    "inet": ["'10.0.0.1'", "'10.0.0.1/32'", "'10.0.0.1/24'", "'::1'", "NULL", "'::1'", "'10.0.0.0/8'",
             "'10.1.0.0/8'"],
    "int4range": ["'[1,3)'", "'[1,2]'", "'empty'", "'(5,5)'", "NULL", "'[1,)'", "'[1,)'", "'(,)'"],
    "boolean": ["true", "'t'", "'yes'", "false", "NULL", "NULL", "false", "true"],
    "bytea": ["'\\x00'", "'\\000'", "''", "''", "NULL", "'\\xff'", "'\\xff'", "'\\x01'"],
    # No hash function, or a name of a type that is not the server's own.
    "money": ["1", "1.00", "2", "NULL", "NULL", "-1", "0", "0"],
    "bit varying(4)": ["B'1'", "B'10'", "B'1'", "NULL", "B''", "B''", "B'0'", "B'00'"],
    "tsvector": ["'a b'", "'b a'", "'a'", "NULL", "''", "''", "'c'", "'d'"],
    "mood": ["'sad'", "'ok'", "'sad'", "NULL", "'ok'", "'happy'", "NULL", "'happy'"],
    "place": ["ROW(1, 'x')", "ROW(1, 'x')", "ROW(NULL, NULL)", "NULL", "ROW(1, NULL)", "ROW(1, NULL)",
              "ROW(2, 'x')", "ROW(2, 'y')"],
    "word": ["'x'", "'X'", "'x'", "NULL", "''", "''", "'y'", "'z'"],
    "evil.text": ["'x'", "'X'", "'x'", "NULL", "'y'", "'y'", "NULL", "'z'"],
}


@pytest.mark.parametrize("of", TYPES)
def test_values_are_equal_as_group_by_says(db, of):
    db.execute("CREATE SCHEMA evil; CREATE TYPE evil.text AS ENUM ('x', 'X', 'y', 'z')")
    db.execute("CREATE TYPE mood AS ENUM ('sad', 'ok', 'happy')")
    db.execute("CREATE TYPE place AS (x integer, y text)")
    db.execute("CREATE DOMAIN word AS varchar(9) CHECK (length(VALUE) < 3)")
    rows = ", ".join(f"({place % 3}, {value})" for place, value in enumerate(TYPES[of]))
    db.execute(f"CREATE TABLE h (a integer, s {of}); INSERT INTO h VALUES {rows}")
    # By a GROUP BY of its own.
    counted = db.rows(
        "SELECT a, array_agg(n ORDER BY place), sum(n) FROM (SELECT a, s, count(*) AS n,"
        " (SELECT count(*) FROM (SELECT s FROM h GROUP BY s) v WHERE v.s < h.s) AS place"
        " FROM h GROUP BY a, s) g GROUP BY a"
    )
    assert db.value(f"SELECT anon_l_diversity('h', {KEYS}, 's')") == min(
        len(counts) for _, counts, _ in counted
    )
    assert db.value(f"SELECT alpha FROM anon_alpha_k('h', {KEYS}, 's')") == max(
        max(counts) / int(rows) for _, counts, rows in counted
    )
    equal = db.value(
        "SELECT max(d) FROM (SELECT sum(abs(coalesce(q, 0) - p)) / 2 AS d FROM"
        " (SELECT DISTINCT a FROM h) c CROSS JOIN (SELECT s, count(*)::float8 / 8 AS p FROM h"
        " GROUP BY s) v LEFT JOIN (SELECT a, s, count(*)::float8 / sum(count(*)) OVER"
        " (PARTITION BY a) AS q FROM h GROUP BY a, s) g ON g.a = c.a AND g.s IS NOT DISTINCT FROM"
        " v.s AND (g.s IS NULL) = (v.s IS NULL) GROUP BY c.a) d"
    )
    found = db.value(f"SELECT anon_t_closeness('h', {KEYS}, 's', 'equal')")
    assert found == pytest.approx(equal, abs=1e-12)
    ordered = db.value(f"SELECT anon_t_closeness('h', {KEYS}, 's', 'ordered')")
    assert 0 <= ordered <= found
    # As quasi-identifier, too.
    sizes = db.column("SELECT count(*) FROM h GROUP BY s ORDER BY 1")
    assert db.value("SELECT anon_k_anonymity('h', '{s}')") == sizes[0]
    assert db.column("SELECT size FROM anon_equivalence_classes('h', '{s}')") == sizes
    assert db.value("SELECT max_risk FROM anon_reid_risk('h', '{s}', 'h') LIMIT 1") == 1 / sizes[0]
    report = db.value("SELECT anon_privacy_report('h', '{a}', '{s}', null_matches => true)")
    assert report["sensitive"][0]["t_closeness"]["equal"] == found


def test_citext_is_equal_whatever_the_case(db):
    if not db.server.has("citext"):
        pytest.skip("there is no citext here")
    db.execute("CREATE EXTENSION citext; CREATE TABLE h (a citext, s citext)")
    db.execute("INSERT INTO h VALUES ('x', 'p'), ('X', 'P'), ('y', 'p'), ('Y', 'q')")
    assert db.value("SELECT anon_k_anonymity('h', '{a}')") == 2
    assert db.value("SELECT anon_l_diversity('h', '{a}', 's')") == 1
    assert db.value("SELECT anon_t_closeness('h', '{a}', 's')") == 0.25


def test_a_view_that_changes_is_told_from_one_that_does_not(db):
    db.execute("CREATE VIEW v AS SELECT 1 AS a, random() AS s FROM generate_series(1, 50)")
    for call in ("anon_l_diversity", "anon_t_closeness"):
        report = db.refused("55000", f"SELECT {call}('v', '{{a}}', 's')")
        assert report.message_primary == "the relation has other values each time it is read"


def test_classes_of_many_values_take_little_memory(db):
    db.execute(
        "CREATE TABLE h AS SELECT i % 40 AS a, i / 40 AS s FROM generate_series(0, 199999) AS i;"
        " ANALYZE h"
    )
    calls = [
        "SELECT anon_t_closeness('h', '{a}', 's')",
        "SELECT anon_l_diversity('h', '{a}', 's', 'entropy')",
        "SELECT delta FROM anon_delta_disclosure('h', '{a}', 's')",
    ]
    wanted = [db.value(call) for call in calls]
    assert wanted == [0, pytest.approx(5000), pytest.approx(0, abs=1e-9)]
    # Together the classes have 200,000 values: more than the states of an aggregate may take. So the
    # classes come one after the other.
    db.execute("SET work_mem = '64kB'; SET max_parallel_workers_per_gather = 0")
    direct = (
        "SELECT count(length(c)) FROM (SELECT confiture._tally(s, {}) AS c FROM h GROUP BY a) AS c"
    )
    db.execute("SET enable_sort = off")
    db.refused("54000", direct.format("true"))
    assert db.value(direct.format("false")) == 40
    db.execute("RESET enable_sort")
    assert [db.value(call) for call in calls] == wanted
    report = db.refused("54000", "SELECT anon_t_closeness('h', '{a}', 's', null_matches => true)")
    assert report.message_hint == 'Raise "work_mem", or leave null_matches out.'
    # Also where the server never holds many of them at a time.
    db.execute("CREATE TABLE many AS SELECT i / 10 AS a, i AS s FROM generate_series(0, 499999) AS i")
    db.execute("SET enable_hashagg = off")
    db.refused("54000", "SELECT anon_l_diversity('many', '{a}', 's', null_matches => true)")
    db.execute("RESET enable_hashagg")
    # What workers have counted is put together in one process, where a class alone may take more.
    db.execute(
        "SET parallel_setup_cost = 0; SET parallel_tuple_cost = 0;"
        " SET min_parallel_table_scan_size = 0; SET max_parallel_workers_per_gather = 2;"
        " UPDATE h SET s = a + 40 * s; UPDATE h SET a = 1"
    )
    assert db.value("SELECT anon_l_diversity('h', '{a}', 's')") == 200000
    assert db.value(calls[0]) == 0


def test_time_of_null_that_matches_goes_by_classes_and_can_be_canceled(db):
    db.execute(
        "CREATE TABLE w AS SELECT i AS a, NULL::integer AS b, i % 5 AS s"
        " FROM generate_series(1, 100000) AS i UNION ALL SELECT NULL, i, 0"
        " FROM generate_series(1, 100000) AS i; SET statement_timeout = '50s'"
    )
    # Each row of the one half matches all of the other: ten billion pairs, which nobody counts.
    assert db.value("SELECT anon_k_anonymity('w', '{a,b}', null_matches => true)") == 100001
    report = db.value("SELECT anon_privacy_report('w', '{a,b}')")
    assert report["k_anonymity"]["k_null_matches"] == 100001
    # The values of all that match must be looked at one by one.
    db.execute("SET statement_timeout = '1s'")
    begun = time.monotonic()
    db.refused("57014", "SELECT anon_l_diversity('w', '{a,b}', 's', null_matches => true)")
    assert time.monotonic() - begun < 20


def test_the_tally_is_an_aggregate_and_nothing_else(db):
    counted = db.value(
        "SELECT confiture._tally(v, true) FROM unnest('{5,NULL,-7,5,9,1,2,3,4,6,8,10,NULL}'::bigint[]) v"
    )
    numbers = [
        int.from_bytes(counted[place : place + 8], "little", signed=True)
        for place in range(0, len(counted), 8)
    ]
    pairs = dict(zip(numbers[1::2], numbers[2::2], strict=True))
    assert numbers[0] == 2
    assert pairs == {5: 2, **dict.fromkeys([-7, 9, 1, 2, 3, 4, 6, 8, 10], 1)}
    assert db.value("SELECT confiture._tally(1, true) WHERE false") is None
    # Nothing is of the type internal but what the server hands over.
    for call in ("_tally_bytes(NULL)", "_tally_state('', NULL)", "_tally_combine(NULL, NULL)"):
        db.refused("42883", f"SELECT confiture.{call}")
    db.refused("0A000", "SELECT confiture._tally(1, true) OVER ()")
    nobody = db.session(user=db.role("nobody"))
    nobody.refused("42501", "SELECT confiture._tally(1, true)")


def test_workers_count_as_one_process_does(db):
    db.execute(
        "CREATE TABLE h AS SELECT i % 7 AS a, CASE WHEN i % 11 > 0 THEN i % 300 END AS s"
        " FROM generate_series(1, 100000) AS i; ANALYZE h"
    )
    db.execute(
        "SET parallel_setup_cost = 0; SET parallel_tuple_cost = 0; SET jit = off;"
        " SET min_parallel_table_scan_size = 0"
    )
    call = "SELECT md5(anon_privacy_report('h', '{a}', '{s}')::text)"
    query = "EXPLAIN SELECT confiture._tally(s, true) FROM h GROUP BY a"
    assert "Partial" in str(db.rows(query))
    many = db.value(call)
    db.execute("SET max_parallel_workers_per_gather = 0")
    assert db.value(call) == many


HOSTILE = ['"', "'", "</title><script>", "a\\b", "\u202eevil", "x" * 63, "%s", "$1", "é\n\t", "--"]


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_names_are_only_names(db, name):
    def quoted(text):
        return '"' + text.replace('"', '""') + '"'

    db.execute(f"CREATE SCHEMA {quoted(name)}")
    relation = f"{quoted(name)}.{quoted(name)}"
    other = name[:60] + "2"
    db.connection.execute(
        f"CREATE TABLE {relation} ({quoted(name)} integer, {quoted(other)} integer)".replace("%", "%%"),
        [],
    )
    db.execute(f"INSERT INTO {relation} SELECT i % 3, i % 2 FROM generate_series(1, 12) AS i")
    call = [relation, [name], other]
    assert db.value("SELECT anon_l_diversity(%s::regclass, %s, %s)", call) == 2
    assert db.value("SELECT anon_t_closeness(%s::regclass, %s, %s)", call) == 0
    document = db.value("SELECT anon_privacy_report(%s::regclass, %s, ARRAY[%s])", call)
    assert document["quasi_identifiers"] == [name] and document["sensitive"][0]["column"] == other
    page = db.value("SELECT anon_privacy_report_html(%s::regclass, %s, ARRAY[%s])", call)
    assert "<script" not in page and page.count("</title>") == 1
    found = db.rows(
        "SELECT sql, profile FROM anon_suggest_generalization(%s::regclass, %s, 6)", call[:2]
    )
    assert len(db.rows(found[0][0].replace("%", "%%"), [])) == 12
    literal = quoted(name).replace("'", "''")
    db.connection.execute(
        f"CREATE TRIGGER k AFTER DELETE ON {relation} FOR EACH ROW"
        f" EXECUTE FUNCTION anon_enforce_k('4', '{literal}')".replace("%", "%%"), [],
    )
    db.refused("23514", f"DELETE FROM {relation} WHERE ctid = '(0,1)'".replace("%", "%%"), [])


def test_partial_rights_measure_what_they_may_read(db):
    db.execute("CREATE TABLE h (a integer, b integer, s integer, secret text)")
    db.execute("INSERT INTO h SELECT i % 2, i, i % 3, 'SECRET' FROM generate_series(1, 12) AS i")
    reader = db.role("reader")
    db.execute(f"SELECT confiture.grant_access('masker', '{reader}')")
    db.execute(f'GRANT SELECT (a, s) ON h TO "{reader}"')
    session = db.session(user=reader)
    assert session.value("SELECT anon_l_diversity('h', '{a}', 's')") == 3
    assert session.value("SELECT anon_l_diversity('h', '{a}', 's', null_matches => true)") == 3
    assert session.value("SELECT anon_reid_risk('h', '{a}', 'h') IS NOT NULL LIMIT 1")
    assert session.value("SELECT anon_privacy_report('h', '{a}', '{s}')")["rows"] == 12
    for keys, sensitive in (("{a,b}", "s"), ("{a}", "secret"), ("{b}", "s")):
        report = session.refused("42501", f"SELECT anon_l_diversity('h', '{keys}', '{sensitive}')")
        assert "SECRET" not in str(report.message_primary)
    # The population is read with the same rights.
    db.execute("CREATE TABLE everybody AS SELECT * FROM h")
    session.refused("42501", "SELECT * FROM anon_reid_risk('h', '{a}', 'everybody')")
    session.refused("42501", "SELECT anon_privacy_report('h', '{a}', population => 'everybody')")


def test_the_population_makes_a_journalist_of_the_report(db):
    db.execute("CREATE TABLE everybody (a text, b integer, s text)")
    db.execute(
        "INSERT INTO everybody SELECT 'x', 1 FROM generate_series(1, 4) UNION ALL"
        " SELECT 'y', 1 FROM generate_series(1, 8) UNION ALL SELECT NULL, 1"
    )
    db.execute("CREATE TABLE h AS SELECT * FROM everybody WHERE false")
    db.execute("INSERT INTO h VALUES ('x', 1), ('y', 1), ('y', 1), (NULL, 1)")
    report = db.value("SELECT anon_privacy_report('h', '{a,b}', population => 'everybody')")
    assert report["risk"]["population"] == "public.everybody"
    by_model = {risk["model"]: risk for risk in report["risk"]["models"]}
    assert list(by_model) == ["prosecutor", "journalist", "marketer"]
    assert by_model["journalist"]["max_risk"] == 1
    # NULL stands for any value: the row with it is one of 13, the others of one more than before.
    risks = db.rows(
        "SELECT model, max_risk, expected_reidentified FROM anon_reid_risk('h', '{a,b}',"
        " 'everybody', null_matches => true)"
    )
    assert risks[1] == ("journalist", 1 / 5, pytest.approx(1 / 5 + 2 / 9 + 1 / 13))
    assert risks[0][1] == 1 / 2
    found = db.rows(
        "SELECT * FROM anon_delta_presence('h', 'everybody', '{a,b}', null_matches => true)"
    )
    # x: 2 of 5, y: 3 of 9, NULL: 4 of 13.
    assert found == [(pytest.approx(4 / 13), pytest.approx(2 / 5))]
    report = db.value(
        "SELECT anon_privacy_report('h', '{a,b}', '{s}', 'everybody', null_matches => true)"
    )
    assert report["nulls"]["policy"].startswith("NULL in a quasi-identifier stands for any value")
    assert report["risk"]["models"][1]["max_risk"] == 1 / 5
    page = db.value("SELECT anon_privacy_report_html('h', '{a,b}', population => 'everybody')")
    assert "journalist" in page and "public.everybody" in page


def test_infinite_and_far_numbers_have_an_order(db):
    db.execute("CREATE TABLE h (a integer, s float8)")
    db.execute(
        "INSERT INTO h VALUES (1, '-Infinity'), (1, -1.7e308), (2, 1.7e308), (2, 'Infinity'),"
        " (2, 'NaN'), (1, 0)"
    )
    ordered = db.value("SELECT anon_t_closeness('h', '{a}', 's')")
    assert ordered == pytest.approx(0.3) and math.isfinite(ordered)
    db.refused("22023", "SELECT anon_t_closeness('h', '{a}', 's', 'numeric')")
    report = db.value("SELECT anon_privacy_report('h', '{a}', '{s}')")
    assert report["sensitive"][0]["t_closeness"]["numeric"] is None


def test_intervals_are_as_long_as_where_they_are_compared(db):
    db.execute("CREATE TABLE h (a integer, s interval)")
    # A year is 360 days, and so before 361 days.
    db.execute("INSERT INTO h VALUES (1, '0'), (1, '1 year'), (2, '361 days'), (2, '720 days')")
    # F of class 1 minus F of all: ¼, ½, ¼ over 360, 1 and 359 days.
    found = db.value("SELECT anon_t_closeness('h', '{a}', 's', 'numeric')")
    assert found == pytest.approx((360 / 4 + 1 / 2 + 359 / 4) / 720)
    db.execute("ALTER TABLE h ALTER s TYPE time USING '12:00'::time + s")
    assert db.value("SELECT anon_t_closeness('h', '{a}', 's', 'numeric')") == 0
    db.execute("ALTER TABLE h ALTER s TYPE date USING CASE a WHEN 1 THEN '2024-01-01'::date"
               " ELSE '5874897-12-31' END")
    assert db.value("SELECT anon_t_closeness('h', '{a}', 's', 'numeric')") == 0.5
