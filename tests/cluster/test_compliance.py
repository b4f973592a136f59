"""What a controller declares, and the reports made of it: versions, rights, escaping."""

import json
import re

import pages
import pytest

from samples import make_small, small
from server import ROOT

REGULATIONS = ["gdpr", "ccpa", "pipeda", "lgpd", "pipl", "privacy_act", "popia"]
HOSTILE = "x\"'><img src=x onerror=alert(1)>|\u202e[y](javascript:z) `${7*7}`"

SMALL = """
valid_from: 2026-01-01
organisations:
  shop: {role: controller, legal_name: Shop Ltd., contact: a@shop.example}
activities:
  orders: {name: Orders, purpose: Selling, subjects: [customers]}
columns:
  mail:
    {activity: orders, table: prod.people, columns: [email], category: contact,
     sensitivity: ordinary}
retention_rules:
  all: {category: all, max: 2 years, table: prod.visits, column: at}
"""


def load(db, yaml):
    """Loads a document."""
    return db.value("SELECT confiture.load_controller(%s)", [yaml])


def fields(db, regulation, day=None, variant=None):
    """{field: (status, value, note)} of a report."""
    rows = db.rows(
        "SELECT field, status, value, note FROM confiture.compliance_fields(%s, %s, NULL, %s)",
        [regulation, day, variant],
    )
    return {field: (status, value, note) for field, status, value, note in rows}


def report(db, regulation, form="json", day=None):
    """A report."""
    return db.value("SELECT confiture.compliance_report(%s, %s, %s)", [regulation, form, day])


def test_a_new_version_closes_the_old_one_and_changes_nothing(db):
    assert load(db, SMALL) == "4 facts declared, 0 known before"
    assert load(db, SMALL) == "0 facts declared, 4 known before"
    changed = SMALL.replace("Selling", "Selling jam").replace("2026-01-01", "2026-02-01", 1)
    # Every fact of the document holds from another day on.
    assert load(db, changed) == "4 facts declared, 0 known before"
    versions = db.rows(
        "SELECT fields ->> 'purpose', valid_from::text FROM confiture.controller_fact"
        " WHERE kind = 'activity' ORDER BY number"
    )
    assert versions == [("Selling", "2026-01-01"), ("Selling jam", "2026-02-01")]
    purposes = [
        fields(db, "gdpr", day)["gdpr.30.1.b"][1][0]["purpose"]
        for day in ["2026-01-31", "2026-02-01"]
    ]
    assert purposes == ["Selling", "Selling jam"]
    assert fields(db, "gdpr", "2025-12-31")["gdpr.30.1.b"][0] == "missing"


def test_single_facts_are_declared_and_withdrawn(db):
    declare = "SELECT confiture.declare_fact('measure', 'm', %s, '2026-01-01')"
    measure = json.dumps({"kind": "training", "description": "every year"})
    assert db.value(declare, [measure]) is True
    assert db.value(declare, [measure]) is False
    assert fields(db, "popia", "2026-01-02")["popia.reg4.1.e"][0] == "declared"
    withdraw = "SELECT confiture.withdraw_fact('measure', 'm', '2026-03-01')"
    assert [db.value(withdraw), db.value(withdraw)] == [True, False]
    assert fields(db, "popia", "2026-02-28")["popia.reg4.1.e"][0] == "declared"
    assert fields(db, "popia", "2026-03-01")["popia.reg4.1.e"][0] == "missing"
    db.refused("42704", "SELECT confiture.withdraw_fact('measure', 'other')")
    db.refused("22023", "SELECT confiture.declare_fact('king', 'k', '{}')")
    db.refused("22P02", "SELECT confiture.declare_fact('measure', 'k', '{\"kindd\": 1}')")
    db.refused("22023", "SELECT confiture.declare_fact('measure', 'm', %s, 'infinity')", [measure])


def test_a_fact_that_names_what_nobody_declared_is_refused(db):
    error = db.refused("22023", "SELECT confiture.load_controller(%s)", [
        "columns:\n  c: {activity: none, table: a.b, columns: x}\n"
    ])
    assert 'there is no activity "none" at line 2' in error.message_primary
    assert db.value("SELECT count(*) FROM confiture.controller_fact") == 0


def test_declared_facts_are_on_record_without_what_they_say(db):
    load(db, SMALL)
    event, details = db.rows("SELECT event, details FROM confiture.get_audit_log(1)")[0]
    assert event == "CONTROLLER_DECLARED"
    assert details["facts"] == {
        "activity": 1, "columns": 1, "organisation": 1, "retention_rule": 1,
    }
    assert len(details["sha256"]) == 64
    assert "Selling" not in json.dumps(details)
    assert db.value("SELECT status FROM confiture.verify_ledger() WHERE check_code = 'OK'") == "ok"


def test_nothing_is_declared_where_nobody_declared_anything(db):
    make_small(db)
    for regulation in REGULATIONS:
        found = fields(db, regulation)
        assert not [name for name, (status, *_) in found.items() if status == "declared"]
        sources = dict(db.rows("SELECT field, source FROM confiture.compliance_fields(%s)",
                               [regulation]))
        for name, (status, value, note) in found.items():
            if status == "missing":
                assert note, name
                # What a controller would have said is not made up: of each letter of the record of
                # processing it is said that it is not there.
                if sources[name] == "controller" and value:
                    assert value["state"] in {"fail", "part"}, name
                    found_there = {key: of for key, of in value["found"].items()
                                   if key not in {"columns", "open"}}
                    assert not any(found_there.values()), name
    assert fields(db, "gdpr")["gdpr.30.1.b"][0] == "missing"
    # A processor's record is asked for or not: nobody has said.
    assert fields(db, "gdpr")["gdpr.30.2.a.processor"][0] == "missing"


def test_laws_begin_on_their_day(db):
    load(db, SMALL)
    assert fields(db, "privacy_act", "2026-12-09")["au.1.7"][0] == "not_applicable"
    assert fields(db, "privacy_act", "2026-12-10")["au.1.7"][0] == "missing"
    assert fields(db, "privacy_act", "2026-04-30", "NZ")["nz.3a"][0] == "not_applicable"
    assert fields(db, "privacy_act", "2026-05-01", "NZ")["nz.3a"][0] == "missing"


def test_newer_rules_move_a_field_too(db):
    load(db, "activities: {orders: {name: Orders, automated_decision: sole, decisions: credit}}")
    text = (ROOT / "rules" / "privacy_act.yaml").read_text(encoding="utf-8")
    text = text.replace('version: "2026.1"', 'version: "2027.1"', 1)
    text = text.replace("valid: {from: 2026-12-10}", "valid: {from: 2027-06-01}\n"
                        "    text_checked_on: 2026-11-30\n    text_checked_by: Ada", 1)
    ask = (
        "SELECT status, note, requirement, text_checked_on FROM confiture.compliance_fields("
        "'privacy_act', %s) WHERE field = 'au.1.7'"
    )
    assert db.rows(ask, ["2026-12-10"]) == [("declared", None, "AU-APP-1.7", None)]
    db.value("SELECT confiture.load_rules(%s)", [text])
    moved = "The law asks for it from 2027-06-01 on."
    checked = "2026-11-30"
    assert db.rows(ask, ["2027-05-31"]) == [("not_applicable", moved, "AU-APP-1.7", checked)]
    assert db.rows(ask, ["2027-06-01"]) == [("declared", None, "AU-APP-1.7", checked)]
    matrix = "SELECT text_checked_on FROM confiture.compliance_matrix(ARRAY['AU'], %s)"
    row = matrix + " WHERE requirement = 'AU-APP-1.7'"
    assert db.rows(row, ["2027-05-31"]) == []
    assert db.column(row, ["2027-06-01"]) == [checked]


def test_the_notice_of_a_federal_agency_is_for_one(db):
    call = "SELECT count(*) FROM confiture.compliance_fields('privacy_act', variant => 'US')"
    db.refused("22023", call)
    load(db, "organisations: {a: {role: controller, legal_name: Agency, sector: us_federal}}")
    assert db.value(call) == 12
    db.refused("22023", "SELECT confiture.compliance_report('privacy_act', variant => 'UK')")
    db.refused("22023", "SELECT confiture.compliance_report('gdpr', variant => 'AU')")
    db.refused("22023", "SELECT confiture.compliance_report('hipaa')")
    db.refused("22023", "SELECT confiture.compliance_report('gdpr', 'pdf')")
    db.refused("22023", "SELECT confiture.compliance_report('gdpr', scope => '{}')")


def test_rows_past_their_time_are_counted_and_their_values_are_not_shown(db):
    make_small(db)
    db.execute("CREATE TABLE prod.visits (id int, at timestamptz, note text)")
    db.execute(
        "INSERT INTO prod.visits VALUES (1, '2023-05-06', 'a'), (2, '2023-06-07', 'b'),"
        " (3, now(), 'c')"
    )
    load(db, SMALL)
    status, value, note = fields(db, "gdpr")["gdpr.30.1.f.overdue"]
    # They speak against it.
    assert status == "missing" and "erase or anonymise them" in note
    assert value == [{
        "rule": "all", "oldest_row": "2023-05-06", "overdue_rows": 2, "rows_without_a_day": 0,
        "held_by": None, "not_read": None,
    }]
    assert db.rows("SELECT rule, oldest, overdue, problem FROM confiture.retention_overdue()") == [
        ("all", "2023-05-06", 2, None)
    ]
    # Policies that hide rows, and columns of other types, are said and not read.
    for change, reason in [
        ("ALTER TABLE prod.visits ALTER at TYPE text", "holds neither days nor moments"),
        ("ALTER TABLE prod.visits DROP at", "no such column"),
        ("DROP TABLE prod.visits; CREATE VIEW prod.visits AS SELECT now() AS at",
         "no such plain table"),
    ]:
        db.execute(change)
        status, _, note = fields(db, "gdpr")["gdpr.30.1.f.overdue"]
        assert status == "missing" and reason in note, change


def test_reports_show_what_became_of_columns(db):
    make_small(db)
    db.sync()
    load(db, SMALL)
    found = json.loads(report(db, "gdpr"))
    columns = {(of["schema"], of["column"]): of for of in found["columns"]}
    assert columns["prod", "email"]["state"] == "intact"
    assert columns["prod", "email"]["declared_by"] == "mail"
    assert columns["staging", "email"]["state"] == "pseudonymised"
    assert columns["staging", "email"]["strategy"].startswith("email ")
    assert found["ledger"]["status"] == "ok"
    assert found["rules"]["text_checked_on"] is None
    assert found["draft"] is True and found["missing"]
    assert "compliant" not in json.dumps(found)
    coverage = found["coverage"]
    statuses = [field["status"] for section in found["sections"] for field in section["fields"]]
    for status in ["evidenced", "declared", "missing", "stale", "not_applicable"]:
        assert coverage[status] == statuses.count(status)


def test_the_ledger_shows_what_protected_data_when_they_were_lost(db):
    make_small(db)
    before = db.value("SELECT to_char(now() AT TIME ZONE 'UTC', 'YYYY-MM-DD\"T\"HH24:MI:SS\"Z\"')")
    db.execute("SELECT pg_sleep(1.1)")
    db.sync()
    db.execute("SELECT pg_sleep(1.1)")
    after = db.value("SELECT to_char(now() AT TIME ZONE 'UTC', 'YYYY-MM-DD\"T\"HH24:MI:SS\"Z\"')")
    load(db, f"""
incidents:
  early: {{known_at: '{before}', occurred_from: '{before}', tables: [staging.people]}}
  late: {{known_at: '{after}', occurred_from: '{after}', tables: [staging.people]}}
""")
    status, value, note = fields(db, "lgpd")["lgpd.48.3"]
    # Of one of them the ledger shows nothing that protected it.
    assert status == "missing" and "nothing that protected the tables of early" in note
    assert value["early"]["masked_before"] == []
    assert "staging.people.email" in value["early"]["readable"]
    [masked] = value["late"]["masked_before"]
    assert masked["column"] == "staging.people.email"
    assert masked["standing"] == "pseudonymised" and masked["strategy"].startswith("email ")
    assert "staging.people.email" not in value["late"]["readable"]
    db.execute("SELECT confiture.withdraw_fact('incident', 'early')")
    status, value, note = fields(db, "lgpd")["lgpd.48.3"]
    # A note that nobody masked could be read, unless it is about nobody.
    assert status == "missing" and list(value) == ["late"]
    assert "could be read: 1 column of late" in note
    load(db, """
activities: {a: {name: A}}
columns: {n: {activity: a, table: prod.people, columns: [note], sensitivity: not_personal}}
""")
    status, value, _ = fields(db, "lgpd")["lgpd.48.3"]
    assert status == "evidenced" and value["late"]["readable"] == []


def test_a_copy_belongs_to_what_its_source_belongs_to(db):
    make_small(db)
    db.execute("ALTER TABLE prod.people ADD phone text")
    load(db, SMALL)
    db.load(small(version="2"))
    db.sync()
    columns = {
        (of["schema"], of["column"]): of["declared_by"]
        for of in json.loads(report(db, "gdpr"))["columns"]
    }
    assert columns["prod", "email"] == columns["staging", "email"] == "mail"
    # What nobody declares of the source, nobody declares of the copy.
    assert columns["staging", "phone"] is None


def test_requests_count_where_they_were_made(db):
    # Ten each: of fewer no metric tells.
    requests = "".join(
        f"  {name}{turn}: {{right: delete, received_on: 2025-02-03, jurisdiction: {place}}}\n"
        for name, place in (("california", "US-CA"), ("union", "EU")) for turn in range(10)
    )
    load(db, f"valid_from: 2025-01-01\nrights_requests:\n{requests}")
    california, union = ([f"{name}{turn}" for turn in range(10)] for name in ("california", "union"))
    found = fields(db, "ccpa", "2026-03-31")
    assert found["ccpa.7102.a.1"][1]["delete"]["received"] == 10
    status, value, note = found["ccpa.130.a.2"]
    assert status == "missing" and value[0]["missed"] == california
    assert "has run out of california0" in note
    # The log serves every law, and of each those terms speak against it that ran out under it.
    for place, requirement, late in [
        ("EU", "GDPR-12-3", union), ("US-CA", "CCPA-130-A2", california),
    ]:
        rows = db.rows(
            "SELECT controls FROM confiture.compliance_matrix(%s, '2026-03-31')"
            " WHERE requirement = %s",
            [[place], requirement],
        )
        [evidence] = rows[0][0][0]["evidence"]
        assert evidence["state"] == "fail"
        assert evidence["value"]["beyond_their_term"] == late


def test_issued_reports_are_on_record(db):
    load(db, SMALL)
    text = db.value("SELECT confiture.issue_compliance_report('popia', 'markdown', '2026-03-01')")
    event, details = db.rows("SELECT event, details FROM confiture.get_audit_log(1)")[0]
    assert event == "REPORT"
    assert details["regulation"] == "popia" and details["as_of"] == "2026-03-01"
    digest = db.value("SELECT encode(sha256(convert_to(%s, 'UTF8')), 'hex')", [text])
    assert details["sha256"] == digest


def test_an_auditor_makes_every_report_and_reads_no_value(db):
    make_small(db)
    db.execute("CREATE TABLE prod.visits (at timestamptz)")
    db.sync()
    load(db, SMALL)
    auditor = db.role("auditor")
    db.execute("SELECT confiture.grant_access('auditor', %s)", [auditor])
    session = db.session(auditor)
    for regulation in REGULATIONS:
        for form in ["json", "markdown", "html"]:
            text = session.value(
                "SELECT confiture.issue_compliance_report(%s, %s)", [regulation, form]
            )
            assert len(text) > 2000
            assert "mail.example" not in text and "allergic" not in text
    status, _, note = session.rows(
        "SELECT status, value, note FROM confiture.compliance_fields('gdpr')"
        " WHERE field = 'gdpr.30.1.f.overdue'"
    )[0]
    assert status == "missing" and "may not read the column" in note
    for call in ["load_controller('{}')", "withdraw_fact('measure', 'x')"]:
        session.refused("42501", f"SELECT confiture.{call}")
    session.refused("42501", "SELECT count(*) FROM prod.people")
    session.refused("42501", "DELETE FROM confiture.controller_fact")


def test_an_officer_declares_and_reports(db):
    officer = db.role("officer")
    db.execute("SELECT confiture.grant_access('officer', %s)", [officer])
    session = db.session(officer)
    assert "4 facts declared" in session.value("SELECT confiture.load_controller(%s)", [SMALL])
    assert session.value("SELECT confiture.compliance_report('gdpr')")
    session.refused("42501", "UPDATE confiture.controller_fact SET id = 'x'")
    session.refused("42501", "INSERT INTO confiture.controller_fact (kind, id, valid_from,"
                             " entered_by) VALUES ('measure', 'x', now(), 'x')")
    assert set(db.column("SELECT entered_by FROM confiture.controller_fact")) == {officer}


def test_suggestions_can_be_declared(db):
    make_small(db)
    load(db, "activities: {a: {name: A}}")
    yaml = db.value("SELECT confiture.suggest_controller('a', '{prod}')")
    assert "table: \"prod.people\"" in yaml
    assert "2 facts declared" in load(db, yaml)
    assert db.value("SELECT confiture.suggest_controller('a', '{prod}')") == "columns: {}\n"


def quoted(name):
    """A name for a statement."""
    return '"' + name.replace('"', '""') + '"'


@pytest.fixture
def hostile(db):
    """Names and facts that mean something to HTML and Markdown."""
    schema, table, column = HOSTILE[:20], HOSTILE[:40], HOSTILE + " email"
    db.execute(f"CREATE SCHEMA {quoted(schema)}")
    name = f"{quoted(schema)}.{quoted(table)}"
    db.execute(f"CREATE TABLE {name} (id int, {quoted(column[:60])} text)")
    text, other = json.dumps(HOSTILE), json.dumps("no." + HOSTILE.replace(".", ""))
    load(db, f"""
organisations: {{a: {{role: controller, legal_name: {text}, contact: {text}}}}}
activities: {{a: {{name: {text}, purpose: {text}, subjects: [{text}]}}}}
measures: {{a: {{kind: training, description: {text}}}}}
recipients: {{a: {{name: {text}, category: {text}, country: DE, purpose: {text}}}}}
columns: {{a: {{activity: a, table: {other}, columns: [{text}]}}}}
""")
    return db


def test_hostile_names_mean_nothing_to_markdown(hostile):
    for regulation in REGULATIONS:
        text = report(hostile, regulation, "markdown")
        assert "\u202e" not in text
        assert "<img" not in text
        # Punctuation behind a backslash is itself.
        assert not re.search(r"(?<!\\)\]\(|(?<!\\)`\$", text)


@pytest.mark.parametrize("regulation", REGULATIONS)
def test_hostile_names_mean_nothing_to_a_browser(hostile, chromium, tmp_path, regulation):
    page = tmp_path / f"{regulation}.html"
    page.write_text(report(hostile, regulation, "html"), encoding="utf-8")
    pages.loads_nothing(chromium, page)
    ids = chromium.value("[...document.querySelectorAll('[id]')].map(e => e.id)")
    assert len(ids) == len(set(ids))
    links = chromium.value("[...document.links].map(e => e.getAttribute('href').slice(1))")
    assert set(links) <= set(ids)
    pages.cells_are_whole(chromium)
    # What a reader of screens needs: one title, headings without gaps, pictures with names.
    assert chromium.value("document.querySelectorAll('h1').length") == 1
    heads = "[...document.querySelectorAll('h1,h2,h3')]"
    levels = chromium.value(f"{heads}.map(e => +e.tagName[1])")
    assert all(b - a <= 1 for a, b in zip(levels, levels[1:], strict=False))
    unnamed = chromium.value(
        "[...document.querySelectorAll('svg')].filter(e => e.getAttribute('role') != 'img'"
        " || !(e.getAttribute('aria-label') || e.getAttribute('aria-labelledby'))).length"
    )
    assert unnamed == 0
    pages.can_be_read(chromium)
    pages.is_reached_by_keyboard(chromium)


@pytest.mark.parametrize("yaml", [
    "!!python/object/apply:os.system ['x']",
    "organisations: &a [*a]",
    "organisations: {a: {role: controller, legal_name: x}}\norganisations: {}",
    "activities: {a: {name: \"a\\0b\"}}",
    "activities: {'a; DROP TABLE x': {name: x}}",
    "activities:\n" + "".join(f"  {'[' * 70}\n" for _ in range(1)),
    "measures: {a: {kind: training, description: " + "x" * 5000 + "}}",
    # What expands, what is large, what looks like something else.
    "x: &x y\nactivities: {" + ", ".join(f"a{n}: {{name: *x}}" for n in range(99)) + "}",
    "activities: {a: {<<: {name: x}}}",
    "activities: {a: {name: x, name: y}}",
    "measures: {" + ", ".join(f"m{n}: {{kind: audit}}" for n in range(70000)) + "}",
    "columns: {a: {activity: b, table: c.d, columns: [" + "x, " * 1001 + "x]}}",
    "%YAML 1.1\n---\nactivities: {a: {name: x}}",
    "--- {}\n--- {}",
    "activities: {'\u0430': {name: x}}",
    "activit\u200bies: {a: {name: x}}",
    "valid_from: \uff12\uff10\uff12\uff16-01-01\nactivities: {a: {name: x}}",
    "retention_rules: {a: {category: x, table: " + "a" * 64 + ".b, column: c}}",
])
def test_hostile_documents_are_refused_with_a_state(db, yaml):
    with pytest.raises(Exception) as error:
        load(db, yaml)
    assert error.value.sqlstate in {"22P02", "22023"}, error.value
    assert db.value("SELECT count(*) FROM confiture.controller_fact") == 0


def test_planted_objects_take_no_part(db):
    make_small(db)
    db.execute("CREATE TABLE prod.visits (at timestamptz)")
    load(db, SMALL)
    db.execute("""
        CREATE SCHEMA evil;
        CREATE TABLE evil.hit (at text);
        CREATE FUNCTION evil.lt(timestamptz, timestamp) RETURNS boolean LANGUAGE plpgsql AS
          $$ BEGIN INSERT INTO evil.hit VALUES ('lt'); RETURN true; END $$;
        CREATE OPERATOR evil.< (LEFTARG = timestamptz, RIGHTARG = timestamp, FUNCTION = evil.lt);
        CREATE FUNCTION evil.to_char(timestamptz, text) RETURNS text LANGUAGE sql AS
          $$ INSERT INTO evil.hit VALUES ('to_char'); SELECT '' $$;
        CREATE FUNCTION evil.count(text) RETURNS text LANGUAGE sql AS
          $$ INSERT INTO evil.hit VALUES ('count'); SELECT '' $$;
    """)
    db.execute("SET search_path = evil, pg_catalog")
    assert report(db, "gdpr")
    assert db.value("SELECT pg_catalog.count(*) FROM evil.hit") == 0
    db.execute("RESET search_path")
