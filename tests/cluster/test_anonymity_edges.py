"""Measures of anonymity: NULLs, empty relations, hostile names, planted objects, weak roles."""

import math

import psycopg
import pytest

MEASURES = [
    "SELECT anon_k_anonymity({rel}, {keys})",
    "SELECT anon_k_anonymity({rel}, {keys}, true)",
    "SELECT anon_l_diversity({rel}, {keys}, {s})",
    "SELECT anon_l_diversity({rel}, {keys}, {s}, 'entropy')",
    "SELECT anon_l_diversity({rel}, {keys}, {s}, 'recursive')",
    "SELECT anon_t_closeness({rel}, {keys}, {s})",
    "SELECT anon_t_closeness({rel}, {keys}, {s}, 'equal')",
    "SELECT alpha FROM anon_alpha_k({rel}, {keys}, {s})",
    "SELECT k FROM anon_alpha_k({rel}, {keys}, {s})",
    "SELECT delta FROM anon_delta_disclosure({rel}, {keys}, {s})",
    "SELECT delta_finite FROM anon_delta_disclosure({rel}, {keys}, {s})",
    "SELECT beta FROM anon_beta_likeness({rel}, {keys}, {s})",
    "SELECT max_risk FROM anon_reid_risk({rel}, {keys}) WHERE model = 'prosecutor'",
    "SELECT avg_risk FROM anon_reid_risk({rel}, {keys}) WHERE model = 'marketer'",
    "SELECT delta_min FROM anon_delta_presence({rel}, {rel}, {keys})",
    "SELECT anon_assert_k({rel}, {keys}, 5)",
    "SELECT k_after FROM anon_suppress_below_k({rel}, {keys}, 5)",
]
REPORTS = [
    "SELECT anon_privacy_report({rel}, {keys}, ARRAY[{s}])",
    "SELECT anon_privacy_report_html({rel}, {keys}, ARRAY[{s}])",
]


def filled(text, rel="'t'", keys="'{a,b}'", s="'s'"):
    return text.format(rel=rel, keys=keys, s=s)


@pytest.fixture
def db(server):
    """A database with a table and without rows."""
    database = server.create_database(key=False)
    database.execute("CREATE TABLE t (a text, b integer, s text)")
    yield database
    database.drop()


def test_a_relation_without_rows_has_no_measure(db):
    for text in MEASURES:
        assert db.value(filled(text)) is None, text
    assert db.rows("SELECT * FROM anon_equivalence_classes('t', '{a}')") == []
    assert db.rows("SELECT * FROM anon_suggest_generalization('t', '{a}', 2)") == []
    report = db.value(filled(REPORTS[0]))
    assert report["rows"] == 0 and report["k_anonymity"]["k"] is None
    assert report["sensitive"][0]["l_diversity"]["distinct"] is None
    assert "There are no rows to measure" in db.value(filled(REPORTS[1]))


def test_null_is_a_value_unless_it_matches(db):
    db.execute(
        "INSERT INTO t VALUES ('x', 1, 's'), ('x', 1, 's'), (NULL, 1, 's'), ('y', 1, NULL),"
        " ('y', 1, 's')"
    )
    assert db.value("SELECT anon_k_anonymity('t', '{a,b}')") == 1
    assert db.value("SELECT anon_k_anonymity('t', '{a,b}', null_matches => true)") == 3
    with pytest.raises(AssertionError):
        db.refused("00000", "SELECT anon_assert_k('t', '{a,b}', 3)")
    assert db.value("SELECT anon_assert_k('t', '{a,b}', 3, null_matches => true)") == 3
    found = db.rows("SELECT keys, size FROM anon_equivalence_classes('t', '{a,b}')")
    assert found[0] == ({"a": None, "b": 1}, 1)
    report = db.value("SELECT anon_privacy_report('t', '{a,b}', '{s}')")
    assert report["nulls"]["rows"] == 1 and report["nulls"]["columns"] == {"a": 1, "b": 0}
    assert report["k_anonymity"]["k_null_matches"] == 3
    # NULL is a sensitive value too: class (y, 1) has two.
    assert report["sensitive"][0]["nulls"] == 1 and report["sensitive"][0]["values"] == 2


def test_wildcards_match_as_in_sdcmicro(db):
    db.execute(
        "CREATE TABLE f AS SELECT * FROM unnest(ARRAY[2,3,2,2,3,3,1,2], ARRAY[3,3,3,3,3,3,4,3],"
        " ARRAY[1,3,1,2,1,1,1,1]) WITH ORDINALITY AS f (a, b, c, n)"
    )
    sizes = (
        "SELECT e.size FROM f JOIN anon_equivalence_classes('f', '{a,b,c}', null_matches => %s) e"
        " ON (e.keys->'a')::text = f.a::text AND (e.keys->'b')::text = f.b::text"
        " AND e.keys->>'c' IS NOT DISTINCT FROM f.c::text ORDER BY f.n"
    )
    assert db.column(sizes % "false") == [3, 1, 3, 1, 2, 2, 1, 3]
    assert db.column(sizes % "true") == [3, 1, 3, 1, 2, 2, 1, 3]
    db.execute("UPDATE f SET c = NULL WHERE n IN (3, 7)")
    assert db.column(sizes % "true") == [3, 1, 4, 2, 2, 2, 1, 3]


def test_null_sensitive_values_are_one_value_and_as_far_as_values_can_be(db):
    db.execute("CREATE TABLE n (a integer, s integer)")
    db.execute("INSERT INTO n VALUES (1, 1), (1, NULL), (1, NULL), (2, 1), (2, 2), (2, NULL)")
    assert db.value("SELECT anon_l_diversity('n', '{a}', 's')") == 2
    assert db.value("SELECT alpha FROM anon_alpha_k('n', '{a}', 's')") == 2 / 3
    # p of 1, 2, NULL is 1/3, 1/6, 1/2: class 1 has (1/3, 0, 2/3), class 2 a third of each.
    assert db.value("SELECT anon_t_closeness('n', '{a}', 's', 'equal')") == pytest.approx(1 / 6)
    assert db.rows("SELECT * FROM anon_delta_disclosure('n', '{a}', 's')")[0] == (
        math.inf, pytest.approx(math.log(2)),
    )
    for distance in ("auto", "ordered", "numeric"):
        found = db.value(f"SELECT anon_t_closeness('n', '{{a}}', 's', '{distance}')")
        assert found == pytest.approx(1 / 6)
    db.execute("DELETE FROM n; INSERT INTO n SELECT a, s FROM (VALUES (1, 0), (1, 10), (1, NULL),"
               " (2, 0), (2, 1), (2, NULL)) v (a, s), generate_series(1, 5)")
    # No class has more NULLs than another: what is left is moved as without them, in 2/3 of the rows.
    rest = db.value("SELECT anon_t_closeness('n', '{a}', 's', 'numeric')")
    db.execute("CREATE VIEW present AS SELECT * FROM n WHERE s IS NOT NULL")
    alone = db.value("SELECT anon_t_closeness('present', '{a}', 's', 'numeric')")
    assert rest == pytest.approx(alone * 2 / 3) and alone > 0.2
    report = db.value("SELECT anon_privacy_report('n', '{a}', '{s}')")
    assert report["sensitive"][0]["t_closeness"]["numeric"] == rest
    db.execute("UPDATE n SET s = NULL")
    for distance in ("ordered", "numeric"):
        assert db.value(f"SELECT anon_t_closeness('n', '{{a}}', 's', '{distance}')") == 0


def test_values_that_are_not_finite_have_no_numeric_distance(db):
    db.execute("CREATE TABLE n AS SELECT 1 AS a, s::float8 FROM unnest('{1,2,Infinity}'::text[]) s")
    assert db.value("SELECT anon_t_closeness('n', '{a}', 's')") == 0
    db.refused("22023", "SELECT anon_t_closeness('n', '{a}', 's', 'numeric')")
    db.execute("ALTER TABLE n ALTER s TYPE date USING '2024-01-01'::date + (random() * 9)::int")
    assert db.value("SELECT anon_t_closeness('n', '{a}', 's', 'numeric')") == 0
    db.execute("UPDATE n SET s = 'infinity'")
    db.refused("22023", "SELECT anon_t_closeness('n', '{a}', 's', 'numeric')")


WRONG = [
    ("42703", "'{a,nobody}'"),
    ("42703", "'{ctid}'"),
    ("22023", "'{a,b,a}'"),
    ("22023", "'{}'"),
    ("22023", "'{a,NULL}'"),
    ("22023", "NULL"),
]


@pytest.mark.parametrize("sqlstate, keys", WRONG)
def test_wrong_columns_are_errors(db, sqlstate, keys):
    db.execute("INSERT INTO t VALUES ('SECRET', 1, 'SECRET')")
    for text in MEASURES + REPORTS:
        report = db.refused(sqlstate, filled(text, keys=keys))
        assert "SECRET" not in str((report.message_primary, report.message_detail))


def test_wrong_arguments_are_errors(db):
    for sqlstate, call in [
        ("22023", "anon_l_diversity('t', '{a}', 's', 'most')"),
        ("22023", "anon_l_diversity('t', '{a}', 's', 'distinct', 2)"),
        ("22023", "anon_l_diversity('t', '{a}', 's', 'recursive', 0)"),
        ("22023", "anon_l_diversity('t', '{a}', 'a')"),
        ("42703", "anon_l_diversity('t', '{a}', 'nobody')"),
        ("22023", "anon_l_diversity('t', '{a}', NULL)"),
        ("22023", "anon_t_closeness('t', '{a}', 's', 'far')"),
        ("42804", "anon_t_closeness('t', '{a}', 's', 'numeric')"),
        ("22023", "anon_t_closeness('t', '{a}', 's', 'hierarchical')"),
        ("22023", "anon_t_closeness('t', '{a}', 's', 'equal', 't')"),
        ("42703", "anon_t_closeness('t', '{a}', 's', hierarchy => 't')"),
        ("22023", "anon_reid_risk('t', '{a}', threshold => 1.5)"),
        ("22023", "anon_reid_risk('t', '{a}', threshold => 'NaN')"),
        ("22023", "anon_assert_k('t', '{a}', 0)"),
        ("22023", "anon_suppress_below_k('t', '{a}', -1)"),
        ("22023", "anon_suppress_below_k('t', '{a}', NULL)"),
        ("42P01", "anon_k_anonymity('4000000000'::oid, '{a}')"),
        ("42809", "anon_k_anonymity('pg_class_oid_index', '{a}')"),
        ("42809", "anon_suppress_below_k('v', '{a}', 2)"),
    ]:
        db.execute("CREATE OR REPLACE VIEW v AS SELECT * FROM t")
        db.refused(sqlstate, f"SELECT {call}")


def test_every_kind_of_relation_is_measured(db):
    db.execute(
        "INSERT INTO t SELECT (ARRAY['x', 'y'])[i % 2 + 1], i % 3, i::text"
        " FROM generate_series(1, 60) AS i"
    )
    db.execute("CREATE VIEW v AS SELECT * FROM t")
    db.execute("CREATE MATERIALIZED VIEW m AS SELECT * FROM t")
    db.execute("CREATE TABLE p (LIKE t) PARTITION BY LIST (b)")
    db.execute("CREATE TABLE p0 PARTITION OF p FOR VALUES IN (0)")
    db.execute("CREATE TABLE p1 PARTITION OF p DEFAULT")
    db.execute("INSERT INTO p SELECT * FROM t")
    db.execute("CREATE TEMP TABLE temporary AS SELECT * FROM t")
    kinds = ["t", "v", "m", "p", "temporary"]
    if db.server.has("postgres_fdw"):
        db.execute("CREATE EXTENSION postgres_fdw")
        settings = db.server.environment
        db.execute(
            "CREATE SERVER here FOREIGN DATA WRAPPER postgres_fdw OPTIONS"
            f" (host '{settings['PGHOST']}', port '{settings['PGPORT']}', dbname '{db.name}')"
        )
        db.execute("CREATE USER MAPPING FOR CURRENT_USER SERVER here OPTIONS (user 'postgres')")
        db.execute(
            "CREATE FOREIGN TABLE f (a text, b integer, s text) SERVER here"
            " OPTIONS (table_name 't')"
        )
        kinds.append("f")
    for kind in kinds:
        assert db.value(f"SELECT anon_k_anonymity('{kind}', '{{a,b}}')") == 10, kind
        assert db.value(f"SELECT anon_l_diversity('{kind}', '{{a,b}}', 's')") == 10, kind


def test_types_without_equality_are_refused_by_the_server(db):
    db.execute("CREATE TABLE j (a json, s text)")
    db.refused("42883", "SELECT anon_k_anonymity('j', '{a}')")


def test_names_are_names_whatever_they_hold(db):
    name = 'a"; DROP TABLE t; --'
    quoted = name.replace('"', '""')
    db.execute(f"""CREATE SCHEMA "S x"; CREATE TABLE "S x"."T'y" ("{quoted}" text, "s'" text)""")
    db.execute("""INSERT INTO "S x"."T'y" SELECT 'v', 'w' FROM generate_series(1, 6)""")
    relation = """"S x"."T'y\""""
    for text in MEASURES:
        db.execute(filled(text, "%s::regclass", "%s", "'s'''"), _fitting(text, relation, [name]))
    found = db.rows(
        "SELECT * FROM anon_equivalence_classes(%s::regclass, %s)", [relation, [name]]
    )
    assert found == [({name: "v"}, 6)]
    sql, profile = db.rows(
        "SELECT sql, profile FROM anon_suggest_generalization(%s::regclass, %s, 3,"
        " max_suppression => 1)", [relation, [name, "s'"]],
    )[0]
    assert len(db.rows(sql)) == 6
    assert db.value("SELECT count(*) FROM t") == 0 and profile


def _fitting(text, relation, keys):
    """Values for the placeholders of a measure, which may name its relation twice."""
    return [relation] * text.count("{rel}") + [keys]


PLANTED = """
CREATE SCHEMA evil;
CREATE FUNCTION evil.told(a {0}, b {0}) RETURNS boolean LANGUAGE plpgsql AS
  $$ BEGIN RAISE EXCEPTION 'planted'; END $$;
CREATE OPERATOR evil.= (LEFTARG = {0}, RIGHTARG = {0}, FUNCTION = evil.told);
CREATE OPERATOR evil.< (LEFTARG = {0}, RIGHTARG = {0}, FUNCTION = evil.told);
CREATE OPERATOR evil.> (LEFTARG = {0}, RIGHTARG = {0}, FUNCTION = evil.told);
CREATE FUNCTION evil.count(text) RETURNS bigint LANGUAGE sql AS 'SELECT 1/0::bigint';
CREATE FUNCTION evil.format(text, text) RETURNS text LANGUAGE sql AS 'SELECT (1/0)::text';
CREATE FUNCTION evil.num_nulls(text) RETURNS integer LANGUAGE sql AS 'SELECT 1/0';
SET search_path = evil, public, pg_catalog;
"""


@pytest.mark.parametrize("of", ["text", "bigint"])
def test_nothing_planted_takes_part(db, of):
    db.execute(f"CREATE TABLE n (a {of}, b {of}, s {of})")
    db.execute("INSERT INTO n SELECT i % 2, i % 3, i % 4 FROM generate_series(1, 48) AS i")
    db.execute(PLANTED.format(of))
    for text in MEASURES + REPORTS:
        text = text.replace(" = '", " OPERATOR(pg_catalog.=) '")
        assert db.value(filled(text, rel="'public.n'")) is not None
    assert db.value(
        "SELECT k_after FROM anon_suggest_generalization('public.n', '{a,b}', 9,"
        " max_suppression => 0.5)"
    ) >= 9


def test_measures_have_the_rights_of_the_caller(db):
    db.execute("INSERT INTO t VALUES ('x', 1, 's')")
    auditor = db.role("auditor")
    db.execute(f"SELECT confiture.grant_access('masker', '{auditor}')")
    session = db.session(user=auditor)
    for text in MEASURES + REPORTS:
        session.refused("42501", filled(text))
    db.execute(f'GRANT SELECT (a) ON t TO "{auditor}"')
    assert session.value("SELECT anon_k_anonymity('t', '{a}')") == 1
    session.refused("42501", "SELECT anon_k_anonymity('t', '{a,b}')")
    session.refused("42501", "SELECT anon_l_diversity('t', '{a}', 's')")
    # A part of the rows is not the table.
    db.execute(f'GRANT SELECT ON t TO "{auditor}"')
    db.execute("ALTER TABLE t ENABLE ROW LEVEL SECURITY; CREATE POLICY p ON t USING (b > 5)")
    for text in MEASURES + REPORTS:
        session.refused("42501", filled(text))
    nobody = db.session(user=db.role("nobody"))
    nobody.refused("42501", "SELECT anon_k_anonymity('t', '{a}')")


def test_an_auditor_and_an_operator_may_measure(db):
    db.execute("INSERT INTO t VALUES ('x', 1, 's')")
    for kind in ("auditor", "operator"):
        role = db.role(kind)
        db.execute(f"SELECT confiture.grant_access('{kind}', '{role}')")
        db.execute(f'GRANT SELECT ON t TO "{role}"')
        session = db.session(user=role)
        for text in MEASURES[:-1] + REPORTS:
            if "assert" not in text:
                session.value(filled(text))
    session.refused("23514", "SELECT anon_assert_k('t', '{a}', 5)")


def test_domains_and_numbers_say_what_is_equal(db):
    db.execute("CREATE DOMAIN word AS text CHECK (VALUE <> '')")
    db.execute("CREATE TABLE d (a word, b numeric)")
    db.execute("INSERT INTO d VALUES ('x', 1.0), ('x', 1.00), ('X', 1)")
    assert db.value("SELECT anon_k_anonymity('d', '{b}')") == 3
    assert db.value("SELECT anon_k_anonymity('d', '{a}')") == 1


def test_texts_are_equal_where_their_collation_says_so(db):
    try:
        db.execute(
            "CREATE COLLATION folded (provider = icu, locale = 'und-u-ks-level2',"
            " deterministic = false)"
        )
    except psycopg.errors.FeatureNotSupported:
        pytest.skip("this PostgreSQL comes without ICU")
    db.execute("CREATE TABLE c (a text COLLATE folded, s text COLLATE folded)")
    db.execute("INSERT INTO c VALUES ('x', 'p'), ('X', 'P'), ('y', 'q'), ('Y', 'p')")
    assert db.value("SELECT anon_k_anonymity('c', '{a}')") == 2
    assert db.value("SELECT anon_l_diversity('c', '{a}', 's')") == 1
    # p of p is 3/4: class x has it always, class y half of the time.
    assert db.value("SELECT anon_t_closeness('c', '{a}', 's')") == 0.25


def test_presence_and_journalist_ask_the_population(db):
    db.execute("CREATE TABLE everybody (a text, b integer, s text)")
    db.execute(
        "INSERT INTO everybody SELECT 'x', 1 FROM generate_series(1, 4) UNION ALL"
        " SELECT 'y', 1 FROM generate_series(1, 8) UNION ALL SELECT 'z', 1"
    )
    db.execute("INSERT INTO t VALUES ('x', 1), ('y', 1), ('y', 1)")
    presence = "SELECT * FROM anon_delta_presence('t', 'everybody', '{a,b}')"
    assert db.rows(presence) == [(0, 0.25)]
    risks = db.rows("SELECT * FROM anon_reid_risk('t', '{a,b}', 'everybody')")
    assert risks[0][:2] == ("prosecutor", 1)
    assert risks[1] == ("journalist", 0.25, 0.5 / 3, 1 / 3, 0.5)
    assert risks[2] == ("marketer", None, 0.5 / 3, None, 0.5)
    db.execute("INSERT INTO t VALUES ('SECRET', 1)")
    report = db.refused("22023", presence)
    assert "SECRET" not in str(report.message_primary) + str(report.message_detail)
    db.execute("ALTER TABLE t ALTER b TYPE bigint")
    db.refused("42804", presence)
    db.execute("ALTER TABLE t DROP b; ALTER TABLE everybody DROP b")
    db.refused("42703", presence)


def test_a_report_is_a_page_that_loads_nothing(db):
    db.execute("""CREATE TABLE "<img src=x>" ("<script>" text, "a&b" text)""")
    db.execute("""INSERT INTO "<img src=x>" VALUES ('SECRET', 'SECRET'), ('SECRET', 'other')""")
    page = db.value(
        """SELECT anon_privacy_report_html('"<img src=x>"', '{<script>}', '{a&b}')"""
    )
    assert page.startswith("<!DOCTYPE html>") and page.endswith("</html>\n")
    assert "<img" not in page and "<script" not in page and "SECRET" not in page
    assert "public.&lt;img src=x&gt;" in page and "a&amp;b" in page
    document = db.value(
        """SELECT anon_privacy_report('"<img src=x>"', '{<script>}', '{a&b}')"""
    )
    assert "SECRET" not in str(document)
    assert document["risk"]["models"][0]["max_risk"] == 0.5


def test_measures_are_the_same_with_and_without_parallel_workers(db):
    db.execute(
        "INSERT INTO t SELECT md5((i % 7)::text), i % 11, md5((i % 13)::text)"
        " FROM generate_series(1, 20000) AS i"
    )
    db.execute("ANALYZE t")
    seen = []
    for workers in (0, 2):
        db.execute(
            f"SET max_parallel_workers_per_gather = {workers}; SET parallel_setup_cost = 0;"
            "SET parallel_tuple_cost = 0; SET min_parallel_table_scan_size = 0"
        )
        seen.append([str(db.rows(filled(text))) for text in MEASURES[:-2] + REPORTS])
        db.execute("SET enable_hashagg = off")
        seen.append([str(db.rows(filled(text))) for text in MEASURES[:-2] + REPORTS])
        db.execute("RESET enable_hashagg")
    assert all(one == seen[0] for one in seen)
