"""The matrix over real facts: requirements, gaps, conflicts, the least set, timers, rights."""

import json
import os

import pytest

from samples import make_small
from server import ROOT

GOLDEN = ROOT / "tests" / "data" / "matrix.json"

SHOP = """
organisations:
  shop: {role: controller, legal_name: Shop, contact: a@example.org, country: EU, sector: private,
         consumers_per_year: 5000}
activities:
  orders: {name: Orders, purpose: selling, legal_basis: contract, subjects: [customers],
           automated_decision: none, minors: false, sold_or_shared: false, role: controller}
columns:
  mail: {activity: orders, table: staging.people, columns: [email], category: contact,
         sensitivity: ordinary}
measures:
  manual: {kind: paia_manual, description: the manual}
"""


@pytest.fixture
def shop(db):
    """A small schema that was masked, and its controller."""
    make_small(db)
    db.sync()
    db.value("SELECT confiture.load_controller(%s)", [SHOP])
    return db


def statuses(db, jurisdictions=None, as_of=None):
    rows = db.rows(
        "SELECT requirement, status FROM confiture.compliance_matrix(%s, %s)",
        [jurisdictions, as_of],
    )
    return dict(rows)


def test_the_matrix_holds_laws_against_the_database(shop):
    rows = shop.rows(
        "SELECT requirement, status, controls, text_checked_on FROM confiture.compliance_matrix()"
    )
    assert len(rows) > 100
    assert {row[3] for row in rows} == {None}
    by_id = {row[0]: row for row in rows}
    assert by_id["POPIA-17-PAIA"][1] == "declared"
    assert by_id["GDPR-30-2"][1] == "n/a"
    # What covers a part only never meets.
    assert by_id["GDPR-32-1-A"][1] in ("partly", "gap")
    evidence = by_id["PIPL-51-III"][2][0]["evidence"]
    assert [found["evidence"] for found in evidence] == ["mask_coverage", "runs_verified"]
    assert evidence[1]["state"] == "pass"


def test_the_matrix_is_as_the_golden_file_has_it(shop):
    """`CONFITURE_WRITE=1` writes the file; its changes are to be read."""
    rows = shop.rows(
        "SELECT requirement, status, reason FROM confiture.compliance_matrix(NULL, '2099-01-01')"
    )
    found = {row[0]: f"{row[1]}: {row[2]}" for row in rows}
    if os.environ.get("CONFITURE_WRITE"):
        GOLDEN.write_text(json.dumps(found, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    assert found == json.loads(GOLDEN.read_text(encoding="utf-8"))


def test_law_switches_on_its_day(shop):
    before = statuses(shop, ["AU"], "2026-12-09")
    after = statuses(shop, ["AU"], "2026-12-10")
    assert set(after) - set(before) == {"AU-APP-1.7"}
    assert set(before) <= set(after)


def test_proposals_count_only_when_asked_for(shop):
    count = "SELECT count(*) FROM confiture.compliance_matrix(ARRAY['EU'], NULL, %s) WHERE law = %s"
    assert shop.value(count, [False, "proposed"]) == 0
    assert shop.value(count, [True, "proposed"]) == 3


def test_gaps_say_what_closes_them(shop):
    rows = shop.rows(
        "SELECT rank, id, problem, penalty_class, closes"
        " FROM confiture.compliance_gaps() ORDER BY 1"
    )
    assert [row[0] for row in rows] == list(range(1, len(rows) + 1))
    classes = [row[3] for row in rows if row[2] != "unverified text"]
    order = ["turnover", "millions", "each", "fixed", "none"]
    assert classes == sorted(classes, key=order.index)
    by_id = {row[1]: row for row in rows}
    assert by_id["X01"][2] == "undecided"
    assert by_id["POPIA-17-PAIA"][2] == "unverified text"
    assert all(row[4] for row in rows)
    # The command that is named closes it.
    command = by_id["X01"][4]
    filled = command.replace("decision => …", "decision => 'restrict'")
    filled = filled.replace("legal_basis => …", "legal_basis => 'Art. 17'")
    shop.execute(filled.replace("expires => …", "expires => 'tomorrow'"))
    assert "X01" not in dict(shop.rows("SELECT id, problem FROM confiture.compliance_gaps()"))


def test_conflicts_are_computed_and_decided(shop):
    ask = "SELECT status, outcome FROM confiture.compliance_conflicts() WHERE conflict = %s"
    status, outcome = shop.rows(ask, ["X03"])[0]
    assert status == "resolved" and outcome.startswith("4 hours of CN")
    shop.value(
        "SELECT confiture.load_controller(%s)",
        [
            "retention_rules:\n"
            "  erase: {category: it's \"odd\", jurisdiction: EU, max: 2 years}\n"
            "  tax: {category: it's \"odd\", jurisdiction: CN, min: 10 years}\n"
        ],
    )
    scopes = shop.rows(
        "SELECT scope, status FROM confiture.compliance_conflicts() WHERE conflict = 'X01'"
    )
    assert scopes == [("it's \"odd\"", "gap")]
    decide = "SELECT confiture.decide_conflict('X01', %s, %s, %s, %s)"
    shop.execute(decide, ["it's \"odd\"", "keep sealed", "PIPL 47", "2099-12-31"])
    assert shop.rows(ask, ["X01"]) == [("decided", "keep sealed")]
    later = "SELECT status FROM confiture.compliance_conflicts(NULL, '2100-01-01')"
    assert shop.value(f"{later} WHERE conflict = 'X01'") == "gap"


def test_decisions_are_added_and_never_changed(shop):
    decide = "SELECT confiture.decide_conflict(%s, %s, %s, %s, %s)"
    shop.execute(decide, ["X01", "*", "restrict", "Art. 17", "2099-12-31"])
    for change in (
        "UPDATE confiture.conflict_decision SET decision = 'none'",
        "DELETE FROM confiture.conflict_decision",
        "TRUNCATE confiture.conflict_decision",
    ):
        shop.refused("42501", change)
        shop.refused("42501", f"SET session_replication_role = replica; {change}")
        shop.execute("RESET session_replication_role")
    details = shop.value(
        "SELECT details FROM confiture.audit_log WHERE event = 'CONFLICT_DECIDED'"
    )
    assert details["conflict"] == "X01" and len(details["sha256"]) == 64
    assert "restrict" not in json.dumps(details)
    for wrong in (
        ["X99", "*", "a", "b", "2099-12-31"],
        ["X01", "", "a", "b", "2099-12-31"],
        ["X01", "*", " ", "b", "2099-12-31"],
        ["X01", "*", "a", "b\x07", "2099-12-31"],
        ["X01", "*", "a", "b", "2001-01-01"],
        ["X01", "*", "a", "b", "infinity"],
        ["X01", "*", "a", None, "2099-12-31"],
    ):
        shop.refused(("22023", "42704"), decide, wrong)


def test_the_least_set_is_exact_and_says_what_a_jurisdiction_adds(shop):
    rows = shop.rows(
        "SELECT item, id, detail, cost, parameters, forced_by FROM"
        " confiture.compliance_minimum(ARRAY['EU', 'CN'])"
    )
    controls = {row[1]: row for row in rows if row[0] == "control"}
    assert controls["C-BREACH"][4]["deadline"]["within"] == "4 hours"
    assert "GDPR-30-1" in controls["C-ROPA"][5]
    uncovered = {row[1] for row in rows if row[0] == "uncovered"}
    assert {"GDPR-32-1-A", "GDPR-32-1-D"} <= uncovered
    adds = {row[1]: row for row in rows if row[0] == "would add"}
    assert set(adds) == {"AU", "BR", "CA", "NZ", "US", "US-CA", "ZA"}
    assert "C-IO-REG" in adds["ZA"][2] and adds["ZA"][3] > 0
    again = shop.rows("SELECT * FROM confiture.compliance_minimum(ARRAY['CN', 'EU'])")
    assert [row[1] for row in again if row[0] == "control"] == sorted(controls)


def test_one_incident_has_one_set_of_timers(shop):
    shop.value(
        "SELECT confiture.load_controller(%s)",
        [
            "incidents:\n  leak: {known_at: '2026-11-27T18:00:00-03:00',"
            " jurisdictions: [BR, CN, EU, ZA]}"
        ],
    )
    rows = shop.rows(
        "SELECT requirement, due_there, due AT TIME ZONE 'UTC', status"
        " FROM confiture.incident_deadlines('leak')"
    )
    by_id = {row[0]: row for row in rows}
    assert rows[0][0] == "CN-INCIDENT-4H"
    assert rows[0][1] == "2026-11-28 09:00:00 +08:00"
    assert by_id["GDPR-33-1"][1] == "2026-11-30 22:00:00 +01:00"
    assert by_id["LGPD-15/2024-6"][1] == "2026-12-02 23:59:59 -03:00"
    assert by_id["POPIA-22"][1] is None
    assert str(by_id["GDPR-33-1"][2]) == "2026-11-30 21:00:00"
    shop.refused("42704", "SELECT confiture.incident_deadlines('other')")
    shop.refused("22023", "SELECT confiture.incident_deadlines(NULL)")


def test_each_authority_is_told_at_its_own_moment(shop):
    load = "SELECT confiture.load_controller(%s)"
    bare = (
        "incidents:\n  leak: {known_at: '2026-11-20T18:00:00-03:00', jurisdictions: [BR, EU],"
        " authority_notified_at: '2026-11-24T09:00:00-03:00'}"
    )
    error = shop.refused("22023", load, [bare])
    assert "jurisdiction is missing" in error.message_primary
    shop.value(load, [bare.replace(
        "'2026-11-24T09:00:00-03:00'",
        "{EU: '2026-11-24T09:00:00+01:00', BR: '2026-11-24T09:00:00-03:00'}",
    )])
    rows = dict(shop.rows(
        "SELECT requirement, status FROM confiture.incident_deadlines('leak')"
    ))
    assert (rows["GDPR-33-1"], rows["LGPD-15/2024-6"]) == ("late", "done")
    exported = shop.value("SELECT confiture.export_controller()")
    assert "0 facts declared" in shop.value(load, [exported])


def test_no_run_is_stopped_by_a_request_or_a_hold(shop):
    """What X09 and X13 say: they are duties of somebody, and gaps until he has decided."""
    shop.value(
        "SELECT confiture.load_controller(%s)",
        [
            "rights_requests: {r: {right: access, received_on: 2026-11-20, jurisdiction: EU}}\n"
            "retention_rules: {hold: {category: all, legal_hold: true}}"
        ],
    )
    shop.sync()
    ask = "SELECT conflict, status, residual FROM confiture.compliance_conflicts()"
    rows = shop.rows(f"{ask} WHERE conflict IN ('X09', 'X13') ORDER BY 1")
    assert [row[:2] for row in rows] == [("X09", "gap"), ("X13", "gap")]
    assert all("none is stopped by one" in row[2] for row in rows)


def test_law_is_told_by_the_day_and_what_was_assumed_says_so(shop):
    rows = shop.rows(
        "SELECT requirement, law, status, reason"
        " FROM confiture.compliance_matrix(NULL, '2026-12-10')"
    )
    assert {row[1] for row in rows} == {"in_force"}
    assert "AU-APP-1.7" in {row[0] for row in rows}
    for requirement, _, status, reason in rows:
        assert status != "n/a" or "taken to apply" not in reason, requirement
    assert any("taken to apply" in row[3] for row in rows)


def test_clock_changes_of_the_server_s_zones_are_kept(shop):
    shop.value(
        "SELECT confiture.load_controller(%s)",
        ["incidents: {leak: {known_at: '2027-03-26T18:00:00+01:00', jurisdictions: [EU]}}"],
    )
    shop.execute("SET TimeZone = 'Asia/Tokyo'; SET DateStyle = 'German'")
    shop.execute("SET IntervalStyle = 'iso_8601'")
    there = shop.column(
        "SELECT due_there FROM confiture.incident_deadlines('leak') WHERE requirement = 'GDPR-33-1'"
    )
    assert there == ["2027-03-29 19:00:00 +02:00"], "72 hours, of which the clock skips one"


@pytest.mark.parametrize(
    "call",
    [
        "compliance_matrix(ARRAY['XX'])",
        "compliance_matrix(ARRAY[NULL]::text[])",
        "compliance_gaps(ARRAY['eu'])",
        "compliance_conflicts(ARRAY[''])",
        "compliance_minimum(ARRAY['EU; DROP TABLE x'])",
        "compliance_matrix(NULL, 'infinity')",
        "compliance_matrix(NULL, '-infinity')",
        "compliance_matrix(NULL, '10000-01-01')",
        "compliance_matrix(NULL, '0044-03-15 BC')",
    ],
)
def test_questions_that_say_nothing_are_refused(shop, call):
    shop.refused("22023", f"SELECT * FROM confiture.{call}")


def test_an_auditor_reads_the_matrix_without_a_row(shop):
    role = shop.role("auditor")
    shop.execute(f"SELECT confiture.grant_access('auditor', '{role}')")
    session = shop.session(role)
    assert len(statuses(session)) > 100
    assert session.rows("SELECT * FROM confiture.compliance_gaps()")
    assert session.rows("SELECT * FROM confiture.compliance_conflicts()")
    assert session.rows("SELECT * FROM confiture.compliance_minimum()")
    assert session.rows("SELECT * FROM confiture.rules_in_use()")
    session.refused("42501", "SELECT * FROM prod.people")
    session.refused(
        "42501",
        "SELECT confiture.decide_conflict('X01', '*', 'a', 'b', '2099-12-31')",
    )
    session.refused("42501", "INSERT INTO confiture.conflict_decision (conflict) VALUES ('X')")


def test_an_officer_decides(shop):
    role = shop.role("officer")
    shop.execute(f"SELECT confiture.grant_access('officer', '{role}')")
    session = shop.session(role)
    session.execute(
        "SELECT confiture.decide_conflict('X01', '*', 'restrict', 'Art. 17', '2099-12-31')"
    )
    assert shop.value("SELECT decided_by FROM confiture.conflict_decision") == role
    ask = "SELECT status FROM confiture.compliance_conflicts() WHERE conflict = 'X01'"
    assert session.value(ask) == "decided"
    session.refused("42501", "DELETE FROM confiture.conflict_decision")
    session.refused("42501", "SELECT * FROM prod.people")


def test_others_read_nothing(shop):
    role = shop.role("nobody")
    session = shop.session(role)
    for call in (
        "compliance_matrix()", "compliance_gaps()", "compliance_conflicts()",
        "compliance_minimum()", "incident_deadlines('x')", "rules_in_use()",
        "decide_conflict('X01', '*', 'a', 'b', '2099-12-31')", "load_rules('x')",
    ):
        session.refused("42501", f"SELECT * FROM confiture.{call}")


def test_planted_operators_and_functions_take_no_part(shop):
    shop.execute(
        """
        CREATE SCHEMA evil;
        CREATE FUNCTION evil.timezone(text, timestamptz) RETURNS timestamp LANGUAGE sql
          AS $$ SELECT '1999-01-01'::timestamp $$;
        CREATE FUNCTION evil.minus(timestamp, timestamp) RETURNS interval LANGUAGE sql
          AS $$ SELECT '1 second'::interval $$;
        CREATE OPERATOR evil.- (FUNCTION = evil.minus, LEFTARG = timestamp, RIGHTARG = timestamp);
        SET search_path = evil, pg_catalog;
        """
    )
    outcome = shop.value(
        "SELECT outcome FROM confiture.compliance_conflicts(ARRAY['BR', 'EU'])"
        " WHERE conflict = 'X03'"
    )
    assert outcome.startswith("72 hours of EU") and "1999" not in outcome
