"""What rows of gaps, conflicts and timers say of the facts behind them, and what encryption shows."""

import os
import subprocess
import time
from pathlib import Path

import pytest

from samples import make_small
from test_compliance import SMALL, fields, load


def doubts(db, call, where, *values):
    """The doubts of the one row of a call that is asked for."""
    [found] = db.column(f"SELECT doubts FROM confiture.{call} WHERE {where}", list(values))
    return found


LEAK = """
incidents:
  leak: {known_at: '2026-03-02T12:00:00Z', jurisdictions: [EU, ZA]}
  next: {known_at: '2199-03-02T12:00:00Z', jurisdictions: [EU]}
"""


def test_each_row_says_what_it_rests_on(db):
    load(db, SMALL)
    load(db, LEAK)
    load(db, "rights_requests: {q: {right: access, received_on: 2026-01-20, jurisdiction: EU}}")
    load(db, "measures: {m: {kind: audit, description: d, next_review: 2026-02-01}}")
    asked = "requirement = 'GDPR-33-1'"
    assert doubts(db, "incident_deadlines('leak')", asked) == ["declared: incident leak"]
    assert doubts(db, "incident_deadlines('next')", asked) == [
        "not in force: known_at of incident next is yet to come", "declared: incident next",
    ]
    found = doubts(db, "compliance_conflicts()", "conflict = 'X09'")
    assert "declared: rights request q" in found
    found = doubts(db, "compliance_gaps()", "id = 'PIPL-54'")
    assert found[0] == "stale: the review of measure m was due on 2026-02-01"
    assert "declared: measure m" in found
    # The matrix has the same of the same requirement.
    assert doubts(db, "compliance_matrix()", "requirement = 'PIPL-54'") == found
    # A fact that has ended is named where nothing is in its place.
    db.execute("SELECT confiture.withdraw_fact('measure', 'm')")
    [held] = doubts(db, "compliance_gaps()", "id = 'PIPL-54'")
    today = db.value("SELECT (now() AT TIME ZONE 'UTC')::date::text")
    assert held == f"not in force: measure m held until {today}"
    db.execute(
        "SELECT confiture.declare_fact('measure', 'n', '{\"kind\": \"audit\", \"description\": \"d\"}')"
    )
    assert doubts(db, "compliance_gaps()", "id = 'PIPL-54'") == ["declared: measure n"]


def test_a_version_that_ended_by_its_own_day_is_named_as_it_was_at_last(db):
    load(db, "valid_from: 2026-01-01\nmeasures: {m: {kind: audit, description: d, valid_to: 2026-03-01}}")
    found = doubts(db, "compliance_gaps(as_of => '2026-04-01')", "id = 'PIPL-54'")
    assert found == ["not in force: measure m held until 2026-03-01"]
    # On a day on which it held it is no such thing; what the catalog shows is of today there.
    found = doubts(db, "compliance_gaps(as_of => '2026-02-01')", "id = 'PIPL-54'")
    assert found == ["declared: measure m"]


def test_facts_that_the_ledger_does_not_know_are_doubted_where_they_count(db):
    load(db, SMALL)
    load(db, LEAK)
    db.execute(
        "INSERT INTO confiture.controller_fact (kind, id, fields, valid_from, entered_by) VALUES"
        " ('incident', 'forged', '{\"known_at\": \"2026-03-02T12:00:00Z\", \"jurisdictions\": [\"EU\"]}',"
        "  '2026-01-01', 'x'),"
        " ('measure', 'forged', '{\"kind\": \"audit\", \"description\": \"d\"}', '2026-01-01', 'x'),"
        " ('retention_rule', 'forged', '{\"category\": \"x\", \"legal_hold\": true}', '2026-01-01',"
        "  'x')"
    )
    why = "no entry of the ledger says that it was declared as it is stored"
    asked = "requirement = 'GDPR-33-1'"
    found = doubts(db, "incident_deadlines('forged')", asked)
    assert found == [f"unrecorded: incident forged: {why}", "declared: incident forged"]
    assert doubts(db, "incident_deadlines('leak')", asked) == ["declared: incident leak"]
    found = doubts(db, "compliance_gaps()", "id = 'PIPL-54'")
    assert f"unrecorded: measure forged: {why}" in found
    found = doubts(db, "compliance_conflicts()", "conflict = 'X13'")
    assert f"unrecorded: retention rule forged: {why}" in found


def test_the_catalog_of_today_is_not_that_of_an_earlier_day(db):
    make_small(db)
    db.sync()
    load(db, SMALL.replace("prod.people", "staging.people"))
    load(db, """
valid_from: 2026-01-01
incidents:
  leak: {known_at: '2026-03-02T12:00:00Z', occurred_from: '2026-03-01T12:00:00Z',
         jurisdictions: [BR, EU], tables: [staging.people]}
""")
    status, value, note = fields(db, "lgpd", "2026-03-31")["lgpd.48.3"]
    made = value["leak"]["readable_as_of"]
    assert f"as of {made} UTC, and not of 2026-03-31" in note and status != "evidenced"
    [as_of] = db.column(
        "SELECT as_of FROM confiture.compliance_fields('lgpd', '2026-03-31')"
        " WHERE field = 'lgpd.48.3'"
    )
    assert as_of == made
    status, _, note = fields(db, "lgpd")["lgpd.48.3"]
    assert "and not of" not in note
    stale = doubts(db, "compliance_gaps(as_of => '2026-03-31')", "id = 'PIPL-51-III'")
    assert any(line.startswith("stale: what mask_coverage shows is as of") for line in stale)


def test_one_reason_for_authority_and_persons_is_refused_with_what_it_is_now(db):
    yaml = "incidents:\n  i: {known_at: '2026-03-02T12:00:00Z', jurisdictions: EU, no_notice_reason: x}"
    error = db.refused("22P02", "SELECT confiture.load_controller(%s)", [yaml])
    assert (
        'field "no_notice_reason" is "no_authority_notice_reason" and "no_subjects_notice_reason" now'
    ) in error.message_primary
    fact = '{"known_at": "2026-03-02T12:00:00Z", "jurisdictions": ["EU"], "no_notice_reason": "x"}'
    error = db.refused("22P02", "SELECT confiture.declare_fact('incident', 'i', %s)", [fact])
    assert "no_subjects_notice_reason" in error.message_primary
    load(db, yaml.replace("no_notice", "no_authority_notice"))
    rows = dict(db.rows("SELECT addressee, note FROM confiture.incident_deadlines('i')"
                        " WHERE requirement IN ('GDPR-33-1', 'GDPR-34')"))
    assert "the law lets that be where" in rows["authority"]
    assert "a reason" not in rows["subjects"]


@pytest.fixture(scope="module")
def encrypted(private_server):
    """A database on a server that offers encryption, and the file of its rules."""
    server = private_server()
    data = server.folder / "data"
    owner = data.stat()
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1",
         "-nodes", "-days", "2", "-subj", "/CN=localhost",
         "-keyout", data / "server.key", "-out", data / "server.crt"],
        check=True, capture_output=True,
    )
    for name in ["server.key", "server.crt"]:
        os.chown(data / name, owner.st_uid, owner.st_gid)
        (data / name).chmod(0o600)
    db = server.create_database()
    if not db.value("SELECT setting FROM pg_settings WHERE name = 'ssl_library'"):
        pytest.skip("this server was built without TLS")
    make_small(db)
    db.sync()
    db.execute("ALTER SYSTEM SET ssl = on")
    db.value("SELECT pg_reload_conf()")
    for _ in range(100):
        if db.value("SELECT setting FROM pg_settings WHERE name = 'ssl'") == "on":
            break
        time.sleep(0.1)
    return db, Path(db.value("SHOW hba_file"))


def transit(db):
    """What the evidence of encryption comes to: its state, and whether others are let in without."""
    [controls] = db.column(
        "SELECT controls FROM confiture.compliance_matrix(ARRAY['NZ'])"
        " WHERE requirement = 'NZ-IPP-5'"
    )
    [found] = [of for of in controls[0]["evidence"] if of["evidence"] == "encryption_in_transit"]
    assert found["value"]["ssl"] == "on"
    return found["state"], found["value"]["lets_in_without_encryption"]


def test_encryption_that_is_offered_is_not_encryption_that_is_asked_for(encrypted):
    db, rules = encrypted
    auditor = db.role("auditor")
    db.execute("SELECT confiture.grant_access('auditor', %s)", [auditor])
    session = db.session(auditor)
    local = "local all all trust\n"
    for line, state in [
        ("host all all 0.0.0.0/0 scram-sha-256", ("part", True)),
        ("host all all 127.0.0.1/32 trust\nhostssl all all all scram-sha-256", ("pass", False)),
        ("hostnossl all all all reject\nhost all all all scram-sha-256", ("pass", False)),
        ("host all all nonsense/99 md5", ("part", None)),
    ]:
        rules.write_text(f"{local}{line}\n", encoding="utf-8")
        assert transit(db) == state, line
        # Who may not read the rules is told no more than that encryption is offered.
        assert transit(session) == ("part", None), line
    rules.write_text(f"{local}hostssl all all all scram-sha-256\n", encoding="utf-8")
    status, value, note = fields(session, "popia")["popia.19"]
    assert value["lets_in_without_encryption"] is None
    assert "whether clients must encrypt is not known" in note
    db.execute(f"GRANT EXECUTE ON FUNCTION pg_hba_file_rules() TO {auditor}")
    assert transit(session) == ("pass", False)
