"""Facts of a controller as they are declared: days, versions, arguments, odd texts."""

import json
import re

from samples import make_small
from test_compliance import REGULATIONS, SMALL, fields, load, quoted, report


def test_days_that_no_law_reaches_are_refused(db):
    for yaml in [
        "incidents: {i: {known_at: '3026-03-01T12:00:00Z'}}",
        "incidents: {i: {known_at: '1899-12-31T12:00:00Z'}}",
        "valid_from: 2201-01-01\nmeasures: {m: {kind: training, description: x}}",
        "assessments: {a: {kind: dpia, date: 9999-01-01}}",
    ]:
        error = db.refused("22023", "SELECT confiture.load_controller(%s)", [yaml])
        assert "day is out of range" in error.message_primary
        assert error.message_hint == "Days and moments are those of the years 1900 to 2200."
    declare = "SELECT confiture.declare_fact('incident', 'i', %s, %s)"
    error = db.refused("22023", declare, ['{"known_at": "3026-03-01T12:00:00Z"}', None])
    assert "1900 to 2200" in error.message_hint
    known = '{"known_at": "2026-03-01T12:00:00Z"}'
    for day in ["2201-01-01", "1899-12-31", "0044-03-15 BC", "-infinity"]:
        assert "1900 to 2200" in db.refused("22023", declare, [known, day]).message_hint
    assert db.value("SELECT count(*) FROM confiture.controller_fact") == 0


def test_numbers_of_a_year_are_those_of_no_other(db):
    load(db, """
valid_from: 2026-02-01
organisations: {o: {role: controller, legal_name: O, critical_infrastructure: false}}
activities: {a: {name: A}}
transfers:
  t: {country: US, mechanism: exempt, subjects_this_year: 9, sensitive_subjects_this_year: 0}
""")
    assert fields(db, "pipl", "2026-12-31")["pipl.38.volume"][0] == "declared"
    status, value, note = fields(db, "pipl", "2027-01-01")["pipl.38.volume"]
    assert status == "missing" and "subjects_this_year of t" in note
    assert value["subjects_this_year"] is None and value["route_asked_for"] is None
    # What is stored stays, and goes out again.
    assert "subjects_this_year: 9" in db.value("SELECT confiture.export_controller('2027-01-01')")


def test_no_stored_fact_breaks_a_report(db):
    """As another version of the library, or a superuser, may have stored them."""
    make_small(db)
    db.sync()
    load(db, SMALL)
    db.execute("""
        INSERT INTO confiture.controller_fact (kind, id, fields, valid_from, entered_by) VALUES
          ('incident', 'far', '{"known_at": "3026-03-01T12:00:00Z", "jurisdictions": ["EU"]}',
           '2026-01-01', 'x'),
          ('incident', 'odd', '{"known_at": 7, "occurred_from": "soon", "tables": ["a"],
           "authority_notified_at": {"EU": [1]}, "subjects_affected": "many"}', '2026-01-01', 'x'),
          ('incident', 'eternal', '{"known_at": "infinity", "occurred_from": "-infinity",
           "tables": ["staging.people"]}', '2026-01-01', 'x'),
          ('retention_rule', 'long', '{"category": 3, "max": "9999 years", "min": "moon",
           "table": "prod.people", "column": "id"}', '2026-01-01', 'x'),
          ('retention_rule', 'odd', '{"table": "x", "column": ""}', '2026-01-01', 'x'),
          ('rights_request', 'r', '{"right": 1, "received_on": "0000-99-99"}', '2026-01-01', 'x'),
          ('consent_source', 'c', '{"table": "", "given_column": "x"}', '2026-01-01', 'x'),
          ('measure', 'm', '[1]', '2026-01-01', 'x'),
          ('columns', 'c', '{"table": "p", "columns": {"a": 1}, "activity": 1}', '2026-01-01', 'x'),
          ('organisation', 'o', '"text"', '2026-01-01', 'x'),
          ('king', 'k', '{}', '2026-01-01', 'x')
    """)
    for regulation in REGULATIONS:
        for form in ["json", "markdown", "html"]:
            assert report(db, regulation, form)
    assert len(db.rows("SELECT * FROM confiture.compliance_coverage()")) == 7
    for call in ["matrix", "gaps", "conflicts", "minimum"]:
        assert db.rows(f"SELECT * FROM confiture.compliance_{call}()")
    assert db.rows("SELECT * FROM confiture.retention_overdue()")
    for incident in ["far", "odd", "eternal"]:
        rows = db.rows("SELECT status, due, note FROM confiture.incident_deadlines(%s)", [incident])
        assert {row[:2] for row in rows} == {("unknown", None)}
        assert all("known_at" in row[2] for row in rows)


def test_versions_of_facts_are_added_and_never_changed(db):
    load(db, SMALL)
    for change in [
        "UPDATE confiture.controller_fact SET fields = '{}'",
        "UPDATE confiture.controller_fact SET fields = '{}' WHERE false",
        "DELETE FROM confiture.controller_fact",
        "TRUNCATE confiture.controller_fact",
    ]:
        error = db.refused("42501", change)
        assert error.message_primary == "versions of declared facts are never changed"
        assert "confiture.withdraw_fact" in error.message_hint
        db.refused("42501", f"SET session_replication_role = replica; {change}")
        db.execute("RESET session_replication_role")
    assert load(db, SMALL) == "0 facts declared, 4 known before"


def test_a_dump_keeps_what_is_declared(db, server):
    load(db, SMALL)
    dump = server.run("pg_dump", "--no-owner", database=db.name).stdout
    other = server.create_database(extension=False)
    try:
        server.psql(other.name, "-v", "ON_ERROR_STOP=1", "-f", "-", stdin=dump)
        assert load(other, SMALL) == "0 facts declared, 4 known before"
        assert load(other, SMALL.replace("Selling", "Jam")) == "1 fact declared, 3 known before"
        other.refused("42501", "DELETE FROM confiture.controller_fact")
    finally:
        other.drop()


MEASURE = """'measure', 'a', '{"kind": "audit", "description": "x"}'"""
SAYS_NOTHING = [
    "load_controller(NULL)", "load_controller('')", "load_controller('[1]')",
    "load_controller(repeat('a', 2000000))",
    "export_controller('infinity')", "export_controller('1899-12-31')",
    "suggest_controller(NULL)", "suggest_controller('no id')", "suggest_controller('')",
    "suggest_controller('a', '{}')", "suggest_controller('a', '{NULL}')",
    "suggest_controller('a', ARRAY[repeat('x', 64)])",
    "declare_fact(NULL, 'a', '{}')", "declare_fact('king', 'a', '{}')",
    "declare_fact('measure', NULL, '{}')", "declare_fact('measure', 'a b', '{}')",
    "declare_fact('measure', 'a', NULL)", "declare_fact('measure', 'a', '{\"king\": 1}')",
    "declare_fact('measure', 'a', '{\"kind\": \"king\", \"description\": \"x\"}')",
    f"declare_fact({MEASURE}, 'infinity')",
    f"declare_fact({MEASURE}, NULL, '3026-01-01')",
    f"declare_fact({MEASURE}, source_doc => '')",
    f"declare_fact({MEASURE}, source_doc => repeat('a', 4001))",
    f"declare_fact({MEASURE}, source_doc => E'a\\x07')",
    "withdraw_fact('measure', 'a', source_doc => ' ')", "withdraw_fact('measure', E'a\\n')",
    "withdraw_fact(NULL, 'a')", "withdraw_fact('king', 'a')", "withdraw_fact('measure', NULL)",
    "withdraw_fact('measure', 'a')", "withdraw_fact('measure', 'a', '-infinity')",
    "compliance_report(NULL)", "compliance_report('hipaa')", "compliance_report('GDPR')",
    "compliance_report('gdpr', NULL)", "compliance_report('gdpr', 'pdf')",
    "compliance_report('gdpr', 'json', 'infinity')",
    "compliance_report('gdpr', 'json', '3026-01-01')",
    "compliance_report('gdpr', scope => '{}')", "compliance_report('gdpr', scope => '{NULL}')",
    "compliance_report('gdpr', scope => '{\"\"}')", "compliance_report('gdpr', variant => 'AU')",
    "compliance_report('privacy_act', variant => 'UK')",
    "compliance_report('privacy_act', variant => 'US')",
    "issue_compliance_report(NULL)", "issue_compliance_report('hipaa')",
    "issue_compliance_report('gdpr', NULL)", "issue_compliance_report('gdpr', 'pdf')",
    "issue_compliance_report('gdpr', 'json', '0044-03-15 BC')",
    "compliance_fields(NULL)", "compliance_fields('hipaa')",
    "compliance_fields('gdpr', 'infinity')", "compliance_fields('gdpr', scope => '{}')",
    "compliance_coverage('hipaa')", "compliance_coverage(variant => 'UK')",
    "compliance_coverage(as_of => 'infinity')", "compliance_coverage(scope => '{}')",
    "retention_overdue('infinity')", "retention_overdue('1899-12-31')",
    "load_rules(NULL)", "load_rules('')", "load_rules('rules: x')",
    "compliance_matrix('{}')", "compliance_matrix('{NULL}')", "compliance_matrix('{XX}')",
    "compliance_matrix(as_of => '3026-01-01')", "compliance_matrix(include_proposed => NULL)",
    "compliance_gaps('{}')", "compliance_gaps('{XX}')", "compliance_gaps(as_of => 'infinity')",
    "compliance_conflicts('{}')", "compliance_conflicts('{XX}')",
    "compliance_conflicts(as_of => '1899-12-31')",
    "compliance_minimum('{}')", "compliance_minimum('{XX}')",
    "compliance_minimum(as_of => '-infinity')",
    "incident_deadlines(NULL)", "incident_deadlines('none')",
    "decide_conflict(NULL, '*', 'a', 'b', '2099-12-31')",
    "decide_conflict('X99', '*', 'a', 'b', '2099-12-31')",
    "decide_conflict('X01', NULL, 'a', 'b', '2099-12-31')",
    "decide_conflict('X01', '', 'a', 'b', '2099-12-31')",
    "decide_conflict('X01', '*', repeat('a', 5000), 'b', '2099-12-31')",
    "decide_conflict('X01', '*', 'a', E'b\\x07', '2099-12-31')",
    "decide_conflict('X01', '*', 'a', 'b', NULL)",
    "decide_conflict('X01', '*', 'a', 'b', 'infinity')",
    "decide_conflict('X01', '*', 'a', 'b', '3026-01-01')",
    "decide_conflict('X01', '*', 'a', 'b', '2001-01-01')",
]


def test_arguments_that_say_nothing_are_refused_with_what_to_do(db):
    for call in SAYS_NOTHING:
        error = db.refused(("22023", "22P02", "42704"), f"SELECT * FROM confiture.{call}")
        assert error.message_hint, (call, error.message_primary)
        assert error.message_primary.isprintable(), call
    assert not db.rows("SELECT 1 FROM confiture.controller_fact")


# What means something to pages, to readers of JSON, or to nobody's eyes.
ODD = [
    "\t\n\xa0\xad\u200b\u202a\u202e\u2028\u2066\ufeff\ufffe",
    "]]></style></svg></title><script>alert(1)</script><!--",
    "&#x3c;script&#x3e; javascript:alert(1) {{C:gdpr.30.1.a}}",
    "\n# head\n---\n| a | b |\n`${x}` **b** [c](d) \\| \\",
    "\U0001F468\u200d\U0001F469 \U000e0041",
]
UNSEEN = re.compile("[\x00-\x09\x0b-\x1f\x7f-\x9f\xad\u200b-\u200f\u2028-\u202e\u2066\ufeff]")


def test_odd_texts_and_names_are_shown_and_come_back(db):
    for number, text in enumerate(ODD):
        said = f"x{text}"
        for kind, declared in [
            ("organisation", {"role": "controller", "legal_name": said, "contact": said}),
            ("activity", {"name": said, "purpose": said, "subjects": [said]}),
            ("measure", {"kind": "training", "description": said}),
            ("recipient", {"name": said, "category": said, "purpose": said}),
        ]:
            db.value(
                "SELECT confiture.declare_fact(%s, %s, %s)",
                [kind, f"n{number}", json.dumps(declared)],
            )
        name = quoted(f"{text[:30]}{number} email")
        db.execute(f"CREATE SCHEMA {name}; CREATE TABLE {name}.{name} ({name} text)")
    # Names with control characters can be seen, and not be declared.
    db.execute('CREATE TABLE public."a.b" (email text)')
    db.execute('CREATE TABLE public.c ("e\x07 email" text, " email" text)')
    for regulation in REGULATIONS:
        json.loads(report(db, regulation))
        for form in ["json", "markdown", "html"]:
            text = report(db, regulation, form)
            assert not UNSEEN.search(text), (regulation, form)
            assert form != "html" or not re.search("<script|<img|onerror=", text)
            assert form != "markdown" or not re.search("^(# head|---)", text, re.M)
    load(db, "activities: {a: {name: A}}")
    suggested = db.value("SELECT confiture.suggest_controller('a')")
    assert suggested.count("# cannot be declared: ") == 5
    assert "facts declared" in load(db, suggested)
    assert db.value("SELECT confiture.suggest_controller('a')").endswith("columns: {}\n")
    exported = db.value("SELECT confiture.export_controller()")
    assert load(db, exported).startswith("0 facts declared")
    # What no document can say is not declared in another way either.
    declare = "SELECT confiture.declare_fact('activity', 'x', %s)"
    error = db.refused("22023", declare, [json.dumps({"name": "a\x07"})])
    assert "must not contain control characters" in error.message_primary
