"""What tables, rows, roles and stored facts bear out, and what they do not."""

import json

import pytest

from samples import keep_all, make_small, profile
from test_compliance import SMALL, fields, load, report
from test_in_place import mask


def states(db):
    """{schema.table.column: state} of the columns of a report."""
    columns = json.loads(report(db, "gdpr"))["columns"]
    return {f"{of['schema']}.{of['table']}.{of['column']}": of["state"] for of in columns}


def matrix(db, *requirements):
    """Statuses of requirements."""
    rows = dict(db.rows("SELECT requirement, status FROM confiture.compliance_matrix()"))
    return [rows[requirement] for requirement in requirements]


def not_masked(db):
    """What the evidence of masks names as not masked."""
    controls = db.value(
        "SELECT controls FROM confiture.compliance_matrix(ARRAY['CN'])"
        " WHERE requirement = 'PIPL-51-III'"
    )
    return controls[0]["evidence"][0]["value"]["not_masked"]


def test_a_table_that_took_the_name_of_a_masked_one_is_not_masked(db):
    make_small(db)
    db.sync()
    mail = "staging.people.email"
    assert states(db)[mail] == "pseudonymised"
    assert mail not in not_masked(db)
    db.execute("DROP TABLE staging.people; CREATE TABLE staging.people AS TABLE prod.people")
    assert states(db)[mail] == "unproved"
    assert mail in not_masked(db)
    [reason] = {
        of["reason"] for of in json.loads(report(db, "gdpr"))["columns"]
        if (of["schema"], of["column"]) == ("staging", "email")
    }
    assert reason == "a run masked a table of this name, and this one is not known to be that"
    # The next run proves it again.
    db.sync(options='{"adopt": true}')
    assert states(db)[mail] == "pseudonymised"


def test_renamed_schemas_and_tables_are_not_masked(db):
    make_small(db)
    db.sync()
    db.execute("DROP SCHEMA staging CASCADE; ALTER SCHEMA prod RENAME TO staging")
    assert states(db)["staging.people.email"] == "unproved"
    assert "staging.people.email" in not_masked(db)


def test_what_a_later_run_does_not_mask_is_not_masked(db):
    make_small(db)
    db.sync()
    db.load(profile({"people": keep_all()}, version="2"))
    db.sync()
    assert states(db)["staging.people.email"] == "unproved"
    assert "staging.people.email" in not_masked(db)


def test_a_table_masked_in_place_keeps_its_state_by_its_number(db):
    make_small(db)
    db.execute("SET confiture.allow_in_place = on")
    mask(db, '{"was_source": true}')
    assert states(db)["prod.people.email"] == "pseudonymised"
    db.execute("ALTER TABLE prod.people RENAME TO old; CREATE TABLE prod.people AS TABLE prod.old")
    assert states(db)["prod.people.email"] == "unproved"


def moment(db):
    """Now, as facts have it, and a moment later."""
    db.execute("SELECT pg_sleep(1.1)")
    now = db.value("SELECT to_char(now() AT TIME ZONE 'UTC', 'YYYY-MM-DD\"T\"HH24:MI:SS\"Z\"')")
    db.execute("SELECT pg_sleep(1.1)")
    return now


def lost(db, at):
    """What protected the table that was lost at a moment: status, and what is said of it."""
    incident = f"{{known_at: '{at}', jurisdictions: [BR], tables: [staging.people]}}"
    load(db, f"incidents: {{i: {incident}}}")
    status, value, _ = fields(db, "lgpd")["lgpd.48.3"]
    return status, value["i"]


def test_what_a_script_says_of_itself_is_evidence_of_nothing(db):
    make_small(db)
    db.execute("CREATE SCHEMA staging; CREATE TABLE staging.people AS TABLE prod.people")
    operator = db.role("operator")
    db.execute(f"SELECT confiture.grant_access('operator', '{operator}');"
               f" GRANT USAGE ON SCHEMA prod, staging TO {operator};"
               f" GRANT SELECT ON prod.people, staging.people TO {operator}")
    session = db.session(operator)
    # It masks nothing, and says that it has.
    session.execute("SELECT confiture.begin_run('script', 'prod', 'staging')")
    session.rows(
        "SELECT confiture.track('people', 'email', id::text, email, 'x'::text) FROM prod.people"
    )
    assert session.value("SELECT confiture.end_run('{\"passed\": true}')") == "match"
    status, value, _ = fields(db, "gdpr")["gdpr.32.1.d.runs"]
    assert (status, value) == ("missing", None)
    assert states(db)["staging.people.email"] == "unproved"
    assert "staging.people.email" in not_masked(db)
    status, value = lost(db, moment(db))
    assert status == "missing" and value["masked_before"] == []
    assert value["masked_as_a_script_says"] == ["staging.people.email"]
    assert "staging.people.email" in value["readable"]


def test_what_a_later_run_wrote_unmasked_protected_nothing(db):
    make_small(db)
    db.sync()
    before = moment(db)
    db.load(profile({"people": keep_all()}, version="2"))
    db.sync()
    after = moment(db)
    status, value = lost(db, before)
    assert [of["column"] for of in value["masked_before"]] == ["staging.people.email"]
    status, value = lost(db, after)
    assert status == "missing" and value["masked_before"] == []


def test_a_ledger_that_is_empty_proves_nothing(server):
    other = server.create_database(key=False)
    try:
        assert fields(other, "pipl")["pipl.56.record"][0] == "missing"
        other.make_key()
        load(other, SMALL)
        assert fields(other, "pipl")["pipl.56.record"][0] == "evidenced"
    finally:
        other.drop()


VISITS = """
activities: {a: {name: A, legal_basis: consent}}
measures: {m: {kind: consent_withdrawal, description: d}}
consent_sources:
  s: {activity: a, form: separate, notice_version: "1", notice_date: 2026-01-02, withdrawal: by mail,
      table: prod.visits, given_column: given}
"""


def test_rows_without_consent_do_not_bear_it_out(db):
    make_small(db)
    db.execute("CREATE TABLE prod.visits (given timestamptz)")
    db.execute("INSERT INTO prod.visits SELECT now() FROM generate_series(1, 9)")
    load(db, VISITS)
    assert matrix(db, "GDPR-6", "PIPEDA-4.3") == ["met", "met"]
    assert fields(db, "pipeda")["pipeda.4.3"][0] == "declared"
    db.execute("INSERT INTO prod.visits VALUES (NULL)")
    assert matrix(db, "GDPR-6", "PIPEDA-4.3") == ["partly", "partly"]
    status, _, note = fields(db, "pipeda")["pipeda.4.3"]
    assert status == "missing" and "no consent on record, by source s" in note
    db.execute("UPDATE prod.visits SET given = NULL")
    assert matrix(db, "GDPR-6") == ["partly"]
    closes = db.value("SELECT closes FROM confiture.compliance_gaps() WHERE id = 'GDPR-6'")
    assert closes.startswith("Record the consent of the rows that lack it")


RULE = """
retention_rules: {r: {category: all, max: 2 years, table: prod.visits, column: at, action: erase}}
"""


@pytest.mark.parametrize("kind", ["date", "timestamp", "timestamptz"])
def test_rows_without_a_day_are_counted_and_said(db, kind):
    make_small(db)
    db.execute(f"CREATE TABLE prod.visits (at {kind})")
    load(db, RULE)
    ask = "SELECT oldest, overdue, problem FROM confiture.retention_overdue()"
    db.execute("INSERT INTO prod.visits VALUES (now()), (now() - interval '3 years')")
    oldest = db.value("SELECT to_char(now() - interval '3 years', 'YYYY-MM-DD')")
    assert db.rows(ask) == [(oldest, 1, None)]
    db.execute("TRUNCATE prod.visits; INSERT INTO prod.visits VALUES (now())")
    assert matrix(db, "PIPEDA-4.5.3") == ["met"]
    db.execute("INSERT INTO prod.visits VALUES (NULL), ('infinity'), ('-infinity')")
    today = db.value("SELECT to_char(now(), 'YYYY-MM-DD')")
    assert db.rows(ask) == [(today, 0, "3 rows without a day")]
    assert matrix(db, "PIPEDA-4.5.3") == ["partly"]
    status, value, note = fields(db, "pipeda")["pipeda.4.5.3"]
    assert status == "missing" and "Rows have no day" in note
    assert value[0]["rows_without_a_day"] == 3


def test_what_a_legal_hold_keeps_is_not_to_be_erased(db):
    make_small(db)
    db.execute("CREATE TABLE prod.visits (at date); INSERT INTO prod.visits VALUES ('2020-01-01')")
    load(db, RULE)
    ask = "SELECT overdue, action, problem FROM confiture.retention_overdue()"
    assert db.rows(ask) == [(1, "erase", None)]
    assert "erase or anonymise them" in fields(db, "pipeda")["pipeda.4.5.3"][2]
    load(db, "retention_rules: {court: {category: all, legal_hold: true}}")
    said = "kept by legal hold court: nothing is to be erased"
    assert db.rows(ask) == [(1, None, said)]
    for field in ["pipeda.4.5.3", "pipeda.4.5"]:
        note = fields(db, "pipeda")[field][2]
        assert "kept by legal hold court" in note and "anonymise" not in note, field
    gaps = dict(db.rows("SELECT id, closes FROM confiture.compliance_gaps()"))
    assert "decide conflict X13" in gaps["PIPEDA-4.5.3"]
    assert "anonymise them" not in gaps["PIPEDA-4.5.3"]


def test_readers_of_views_and_members_of_roles_are_seen(db):
    make_small(db)
    owner, member, group, inside = (db.role(name) for name in ["owner", "member", "group", "in"])
    db.execute(f"""
        GRANT {owner} TO {member}; GRANT {group} TO {inside};
        GRANT USAGE, CREATE ON SCHEMA prod TO {owner};
        ALTER TABLE prod.people OWNER TO {owner};
        CREATE VIEW prod.ids AS SELECT id FROM prod.people;
        CREATE VIEW prod.mails AS SELECT id, email FROM prod.people;
        CREATE VIEW prod.again AS SELECT id FROM prod.mails;
        CREATE MATERIALIZED VIEW prod.kept AS SELECT email FROM prod.people;
        GRANT SELECT ON prod.ids TO public;
        GRANT SELECT ON prod.mails TO {group};
    """)
    load(db, "measures: {m: {kind: access_control, description: d}}")

    def found():
        [controls] = db.column(
            "SELECT controls FROM confiture.compliance_matrix(ARRAY['AU'])"
            " WHERE requirement = 'AU-APP-11.1'"
        )
        [control] = [of for of in controls if of["control"] == "C-SECURITY"]
        [found] = [of for of in control["evidence"] if of["evidence"] == "access_control"]
        return found

    seen = found()
    assert {member, group, inside} <= set(seen["value"]["roles_that_read"])
    assert owner not in seen["value"]["roles_that_read"]
    # What shows no personal column opens none.
    assert seen["value"]["open_to_everybody"] == [] and seen["state"] == "pass"
    db.execute("GRANT SELECT ON prod.mails, prod.kept TO public")
    seen = found()
    assert seen["value"]["open_to_everybody"] == ["prod.kept", "prod.mails"]
    assert seen["state"] == "fail"
    assert states(db)["prod.kept.email"] == "intact"
    if db.value("SELECT current_setting('server_version_num')::int") >= 150000:
        db.execute("ALTER VIEW prod.mails SET (security_invoker = true)")
        assert found()["value"]["open_to_everybody"] == ["prod.kept"]


def test_masked_views_open_nothing(db):
    make_small(db)
    db.execute("CREATE SCHEMA shown")
    db.rows("SELECT * FROM confiture.create_masked_views('small', 'prod', 'shown')")
    db.execute("GRANT SELECT ON shown.people TO public")
    ways = fields(db, "gdpr")["gdpr.30.1.d.hints"][1]
    assert "PUBLIC" not in {of["role"] for of in ways["roles_that_read_personal_tables"]}


def test_where_nothing_is_looked_at_nothing_is_evidenced(db):
    make_small(db)
    load(db, "measures: {m: {kind: access_control, description: d}}")
    ask = "SELECT status FROM confiture.compliance_fields('privacy_act', scope => %s)"
    ask += " WHERE field = 'au.11.1'"
    assert db.value(ask, [["prod"]]) == "evidenced"
    assert db.value(ask, [["nosuch"]]) == "missing"


def holding(db, kind, day):
    """{id: fields} of the facts of a kind that hold on a day."""
    text = db.value("SELECT confiture.export_controller(%s)", [day])
    return text[text.find(f"{kind}:"):] if f"{kind}:" in text else ""


def test_facts_of_later_days_stay_when_a_document_is_loaded_again(db):
    document = (
        "valid_from: 2026-01-01\nactivities: {a: {name: Old}}\n"
        "measures: {m: {kind: audit, description: d}}"
    )
    load(db, document)
    declare = "SELECT confiture.declare_fact('activity', 'a', '{\"name\": \"New\"}', '2027-01-01')"
    assert db.value(declare) is True
    withdraw = "SELECT confiture.withdraw_fact('measure', 'm', %s)"
    assert db.value(withdraw, ["2027-01-01"]) is True
    assert load(db, document) == "0 facts declared, 2 known before"
    assert "New" in holding(db, "activities", "2027-06-01")
    assert holding(db, "measures", "2027-06-01") == ""
    # The document of an earlier day puts nothing in the place of later versions.
    for day in ["2026-02-01", "2027-06-01"]:
        exported = db.value("SELECT confiture.export_controller(%s)", [day])
        assert load(db, exported).startswith("0 facts declared")
    assert "Old" in holding(db, "activities", "2026-12-31")
    assert "New" in holding(db, "activities", "2027-06-01")
    # An earlier end takes the place of a later one.
    assert db.value(withdraw, ["2026-06-01"]) is True
    assert db.value(withdraw, ["2026-06-01"]) is False
    assert "audit" in holding(db, "measures", "2026-05-31")
    assert holding(db, "measures", "2026-06-01") == ""
    # What was corrected for a day holds until the next version.
    corrected = document.replace("Old", "Older").replace("2026-01-01", "2026-03-01")
    load(db, corrected)
    assert "Older" in holding(db, "activities", "2026-12-31")
    assert "New" in holding(db, "activities", "2027-06-01")
    today = db.value("SELECT fields ->> 'name' FROM confiture.controller_facts WHERE id = 'a'")
    assert today in {"Older", "New"}


def test_a_fact_can_be_ended_before_the_end_that_was_set(db):
    load(db, "valid_from: 2026-01-01\nmeasures: {m: {kind: audit, description: d}}")
    assert db.value("SELECT confiture.withdraw_fact('measure', 'm', '2099-01-01')") is True
    assert db.value("SELECT confiture.withdraw_fact('measure', 'm')") is True
    assert db.rows("SELECT * FROM confiture.controller_facts") == []


def version(db):
    """What the matrix says of the rules and the facts."""
    return db.value("SELECT DISTINCT rules_version FROM confiture.compliance_matrix(ARRAY['ZA'])")


def test_facts_that_the_ledger_does_not_know_are_told_by_every_report(db, server):
    load(db, SMALL)
    db.execute("SELECT confiture.withdraw_fact('activity', 'orders', '2099-01-01')")
    assert "ledger" not in version(db)
    dump = server.run("pg_dump", "--no-owner", database=db.name).stdout
    forged = (
        "INSERT INTO confiture.controller_fact (kind, id, fields, valid_from, entered_by) VALUES"
        " ('measure', 'x', '{\"kind\": \"breach_procedure\", \"description\": \"d\"}',"
        " '2026-01-01', 'x')"
    )
    told = "no entry of the ledger says that 1 version of declared facts were declared"
    for change, doubt in [
        (forged, told),
        (
            "ALTER TABLE confiture.controller_fact DISABLE TRIGGER ALL;"
            " UPDATE confiture.controller_fact SET fields = jsonb_set(fields, '{name}', '\"X\"')"
            " WHERE kind = 'activity' AND fields IS NOT NULL",
            "versions 1 to 4 of declared facts are not those that the ledger says were declared",
        ),
    ]:
        other = server.create_database(extension=False)
        try:
            server.psql(other.name, "-v", "ON_ERROR_STOP=1", "-f", "-", stdin=dump)
            assert "ledger" not in version(other)
            other.execute(change)
            assert version(other).endswith(f"; {doubt}")
            for form in ["json", "markdown", "html"]:
                assert doubt in report(other, "popia", form)
        finally:
            other.drop()


def test_decisions_that_the_ledger_does_not_know_are_gaps(db):
    load(db, "retention_rules: {h: {category: all, legal_hold: true}}")
    ask = "SELECT status, outcome FROM confiture.compliance_conflicts() WHERE conflict = 'X13'"
    db.execute(
        "INSERT INTO confiture.conflict_decision (conflict, scope, decision, legal_basis, expires,"
        " rules_version, decided_by)"
        " VALUES ('X13', 'h', 'erase', 'x', '2099-12-31', 'x', 'officer')"
    )
    [(status, outcome)] = db.rows(ask)
    assert status == "gap" and "no entry of the ledger says" in outcome
    assert "X13" in db.column("SELECT id FROM confiture.compliance_gaps()")
    db.execute("SELECT confiture.decide_conflict('X13', 'h', 'keep', 'a court', '2099-12-31')")
    assert db.rows(ask) == [("decided", "keep")]


def test_no_text_is_checked_in_the_future(db):
    law = """
rules: mars
version: "1"
title: Mars
author: nobody
calendars: [{code: MARS, title: Mars, zone: UTC, weekend: [sunday]}]
instruments: [{code: M-LAW, title: Law, jurisdiction: MARS, citation: Law 1}]
requirements:
  - {id: M-1, instrument: M-LAW, cite: s. 1, title: Keep, kind: record, origin: knowledge,
     text_checked_on: %s, text_checked_by: somebody,
     mappings: [{control: C-ROPA, rel: superset, rationale: The record has it}]}
"""
    error = db.refused("22023", "SELECT confiture.load_rules(%s)", [law % "2199-01-01"])
    assert error.message_primary == '"text_checked_on" of requirement "M-1" is in the future'
    assert error.message_hint
    today = db.value("SELECT (now() AT TIME ZONE 'UTC')::date::text")
    assert "loaded with 1 requirement" in db.value("SELECT confiture.load_rules(%s)", [law % today])


def test_a_log_of_ten_thousand_requests_is_exported_and_taken_again(db):
    requests = "".join(
        f"  r-{number}: {{right: access, received_on: 2026-01-05, jurisdiction: EU, manner: e-mail,"
        " acknowledged_on: 2026-01-06, responded_on: 2026-01-20, decision: complied,"
        " response: A copy of all that is held was sent by mail}\n"
        for number in range(10_000)
    )
    half = len(requests) // 2 + requests[len(requests) // 2:].index("\n") + 1
    for part in [requests[:half], requests[half:]]:
        assert "facts declared" in load(db, f"valid_from: 2026-01-01\nrights_requests:\n{part}")
    exported = db.value("SELECT confiture.export_controller()")
    assert len(exported) > 1024 * 1024
    assert load(db, exported) == "0 facts declared, 10000 known before"
    assert len(db.rows("SELECT * FROM confiture.compliance_matrix()")) > 100
