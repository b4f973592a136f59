"""What reports read, what they show of it, and whose code does not run for them."""

from samples import make_small
from test_compliance import REGULATIONS, SMALL, fields, load, report
from test_concurrency import Background, wait_until


def test_a_rule_without_an_end_counts_nothing_and_says_so(db):
    make_small(db)
    db.execute("CREATE TABLE prod.visits (at timestamptz)")
    db.execute("INSERT INTO prod.visits VALUES ('1950-05-06'), (now())")
    load(db, SMALL.replace("max: 2 years", "min: 2 years"))
    ask = "SELECT longest, oldest, overdue, problem FROM confiture.retention_overdue()"
    why = "the rule has no max, so that no row is too old"
    assert db.rows(ask) == [(None, "1950-05-06", None, why)]
    assert fields(db, "gdpr")["gdpr.30.1.f.overdue"][1] == [{
        "rule": "all", "oldest_row": "1950-05-06", "overdue_rows": f"not counted: {why}",
        "rows_without_a_day": 0, "held_by": None, "not_read": None,
    }]
    # The longest time that can be declared is counted.
    load(db, SMALL.replace("2 years", "833 years"))
    assert db.rows(ask) == [("833 years", "1950-05-06", 0, None)]


def test_metrics_of_requests_do_not_tell_of_few(db):
    requests = "".join(
        f"  r{number}: {{right: delete, received_on: 2025-05-01, responded_on: 2025-05-11,"
        f" jurisdiction: US-CA, decision: {decision}{basis}}}\n"
        for number, (decision, basis) in enumerate(
            [("complied", "")] * 31 + [("complied_in_part", "")] * 14
            + [("denied", ", denial_basis: exempt")] * 9
        )
    )
    load(db, f"valid_from: 2026-01-01\nrights_requests:\n{requests}"
             "  k: {right: know, received_on: 2025-06-01, jurisdiction: US-CA,"
             " responded_on: 2025-06-09, decision: complied}\n")
    found = fields(db, "ccpa", "2026-03-31")
    counts = found["ccpa.7102.a.1"][1]
    # 54 less 31 and 14 would be 9.
    assert counts["delete"] == {
        "received": 54, "complied": 31, "complied_in_part": "left out", "denied": "below 10",
    }
    assert set(counts["know"].values()) == {"below 10"}
    days = found["ccpa.7102.a.1.F"][1]
    assert days["delete"] == {"responses": 54, "median": "10.0", "mean": "10.0"}
    assert days["know"] == {
        "responses": "below 10", "median": "left out", "mean": "left out",
    }
    assert found["ccpa.7102.a.2"][1]["exempt"] == "below 10"
    assert "below 10 are not published" in found["ccpa.7102.a.1"][2]


def test_rights_to_limit_and_consents_are_asked_for_where_their_law_does(db):
    make_small(db)
    load(db, """
activities: {a: {name: A, sold_or_shared: false, published: false, legal_basis: contract}}
columns: {c: {activity: a, table: prod.people, columns: [email], sensitivity: sensitive}}
""")
    # Sensitive data are limited although none are sold, and want a consent of their own although no
    # activity rests on consent.
    found = fields(db, "ccpa")
    assert found["ccpa.120"][0] == "not_applicable"
    assert found["ccpa.121"][0] == "missing"
    assert fields(db, "pipl")["pipl.29"][0] == "missing"


def test_publications_and_who_reads_everything_are_seen(db):
    make_small(db)
    db.execute("CREATE TABLE prod.plain (n int)")
    reader, member = db.role("reader"), db.role("member")
    db.execute(f"GRANT pg_read_all_data TO {reader}; GRANT {reader} TO {member}")
    db.execute("CREATE PUBLICATION everything FOR ALL TABLES")
    db.execute("CREATE PUBLICATION one FOR TABLE prod.plain")
    in_schemas = db.value("SELECT current_setting('server_version_num')::int") >= 150000
    if in_schemas:
        db.execute("CREATE PUBLICATION schemas FOR TABLES IN SCHEMA prod")
    ways = fields(db, "gdpr")["gdpr.30.1.d.hints"][1]
    leads = {way["name"]: way["leads_to"] for way in ways["ways_out"]}
    personal = int(leads["everything"].split()[-4])
    assert leads["everything"].startswith("every table: ") and personal > 0
    assert leads["one"] == "some tables: 1 now, 0 with personal columns"
    if in_schemas:
        count = db.value("SELECT count(*) FROM pg_tables WHERE schemaname = 'prod'")
        assert leads["schemas"] == (
            f"every table of prod: {count} now, {personal} with personal columns"
        )
    roles = {role["role"]: role["tables"] for role in ways["roles_that_read_personal_tables"]}
    assert roles[reader] == roles[member] > 0
    assert "pg_read_all_data" not in roles
    found = fields(db, "pipl")["pipl.51.4"][1]["found"]
    assert {reader, member} <= set(found["roles_that_read"])
    assert any(text.startswith("everything: every table") for text in found["published"])
    controls = db.value(
        "SELECT controls FROM confiture.compliance_matrix(ARRAY['EU'])"
        " WHERE requirement = 'GDPR-30-1'"
    )
    [recipients] = [of for of in controls if of["control"] == "C-RECIPIENTS"]
    ways = recipients["evidence"][0]["value"]["ways_out_in_the_catalog"]
    assert any(way.startswith("publication everything: every table") for way in ways)


def test_code_of_a_table_s_owner_does_not_run_for_a_report(db):
    """Planning a query evaluates constants in the expressions of its tables' indexes and checks."""
    owner = db.role("owner")
    db.execute(f"CREATE SCHEMA theirs AUTHORIZATION {owner}")
    session = db.session(owner)
    session.execute("""
        CREATE TABLE theirs.hit (who text);
        CREATE FUNCTION theirs.note() RETURNS int LANGUAGE plpgsql AS
          $$ BEGIN INSERT INTO theirs.hit VALUES (current_user); RETURN 1; END $$;
        CREATE FUNCTION theirs.one(int) RETURNS int IMMUTABLE LANGUAGE plpgsql AS
          $$ BEGIN RETURN theirs.note(); END $$;
        CREATE TABLE theirs.visits (at timestamptz, given timestamptz);
        INSERT INTO theirs.visits VALUES (now(), now());
        CREATE INDEX ON theirs.visits (at) WHERE theirs.one(1) > 0;
        CREATE TABLE theirs.plain (at timestamptz);
        CREATE INDEX ON theirs.plain (date_trunc('day', at AT TIME ZONE 'UTC'));
        CREATE TABLE theirs.parts (at timestamptz) PARTITION BY RANGE (at);
        CREATE TABLE theirs.part PARTITION OF theirs.parts DEFAULT;
        ALTER TABLE theirs.part ADD CHECK (theirs.one(2) > 0);
    """)
    session.execute("DELETE FROM theirs.hit")
    load(db, """
activities: {a: {name: A}}
retention_rules:
  index: {category: a, max: 1 year, table: theirs.visits, column: at}
  check: {category: b, max: 1 year, table: theirs.parts, column: at}
  plain: {category: c, max: 1 year, table: theirs.plain, column: at}
consent_sources: {c: {activity: a, table: theirs.visits, given_column: given}}
""")
    ask = "SELECT rule, problem FROM confiture.retention_overdue()"
    why = "its indexes, statistics or checks call functions of another role"
    assert dict(db.rows(ask)) == {"index": why, "check": why, "plain": None}
    for regulation in REGULATIONS:
        assert report(db, regulation)
    assert db.rows("SELECT * FROM theirs.hit") == []
    # Its owner has nothing to fear of himself.
    db.execute(f"SELECT confiture.grant_access('auditor', '{owner}')")
    assert dict(session.rows(ask)) == {"index": None, "check": None, "plain": None}


def test_a_table_that_changes_while_a_report_waits_for_it_runs_no_code(db):
    owner = db.role("owner")
    db.execute(f"CREATE SCHEMA theirs AUTHORIZATION {owner}")
    session = db.session(owner, autocommit=False)
    session.execute("""
        CREATE TABLE theirs.hit (who text);
        CREATE FUNCTION theirs.note() RETURNS date LANGUAGE plpgsql AS
          $$ BEGIN INSERT INTO theirs.hit VALUES (current_user); RETURN '2020-01-01'; END $$;
        CREATE FUNCTION theirs.day() RETURNS date LANGUAGE plpgsql IMMUTABLE AS
          $$ BEGIN RETURN theirs.note(); END $$;
        CREATE TABLE theirs.visits (at date);
        INSERT INTO theirs.visits VALUES ('2020-01-01')
    """)
    session.connection.commit()
    load(db, """
retention_rules:
  old: {category: a, max: 1 year, table: theirs.visits, column: at}
""")
    ask = "SELECT rule, problem, overdue FROM confiture.retention_overdue()"
    assert db.rows(ask) == [("old", None, 1)]
    for change in (
        "CREATE INDEX ON theirs.visits (at) WHERE theirs.day() IS NOT NULL",
        "ALTER TABLE theirs.visits RENAME TO were;"
        "CREATE VIEW theirs.visits AS SELECT theirs.day() AS at;"
        "GRANT SELECT ON theirs.visits TO PUBLIC",
    ):
        session.execute("LOCK TABLE theirs.visits IN ACCESS EXCLUSIVE MODE")
        asking, found = db.session(), []
        asked = Background(lambda asking=asking, found=found: found.extend(asking.rows(ask)))
        wait_until(lambda asking=asking: db.value(
            "SELECT cardinality(pg_blocking_pids(%s)) > 0", [asking.pid()]))
        session.execute(change)
        session.execute("DELETE FROM theirs.hit")
        session.connection.commit()
        assert asked.result() is None
        assert [(rule, overdue) for rule, _, overdue in found] == [("old", None)]
        assert found[0][1]
        assert db.rows("SELECT * FROM theirs.hit") == []


def test_nothing_outside_the_scope_is_read_or_evidence(db):
    make_small(db)
    db.sync()
    db.execute("CREATE TABLE prod.visits (at timestamptz); INSERT INTO prod.visits VALUES (now())")
    resting = SMALL.replace("purpose: Selling", "purpose: Selling, legal_basis: consent")
    load(db, resting + "consent_sources:\n"
             "  c: {activity: orders, table: prod.people, given_column: note}\n")
    ask = (
        "SELECT status, value, note FROM confiture.compliance_fields(%s, NULL, %s) WHERE field = %s"
    )
    status, value, _ = db.rows(ask, ["gdpr", ["prod"], "gdpr.30.1.f.overdue"])[0]
    assert status == "evidenced" and value[0]["overdue_rows"] == 0
    why = "its table is outside the scope of this report"
    status, value, note = db.rows(ask, ["gdpr", ["staging"], "gdpr.30.1.f.overdue"])[0]
    assert status == "missing" and why in note
    [consent] = db.rows(ask, ["popia", ["staging"], "popia.11"])[0][1]
    assert consent["not_read"] == why
    # Where nothing is looked at, there is no safeguard, and nobody knows what is sensitive.
    assert db.rows(ask, ["popia", ["nosuch"], "popia.19"])[0][0] == "missing"
    assert db.rows(ask, ["gdpr", ["staging"], "gdpr.9"])[0][0] == "missing"


def test_what_is_yet_to_come_fills_no_field(db):
    load(db, """
valid_from: 2026-01-01
activities: {a: {name: A}}
rights_requests:
  late: {right: know, received_on: 2026-01-05, responded_on: 2026-02-20, decision: complied,
         jurisdiction: CA}
  later: {right: know, received_on: 2026-02-20, jurisdiction: CA}
incidents:
  i: {known_at: '2026-02-10T12:00:00Z', jurisdictions: [EU],
      authority_notified_at: '2026-02-11T12:00:00Z'}
assessments: {a: {kind: dpia, date: 2026-02-15}}
""")
    terms = fields(db, "pipeda", "2026-02-10")["pipeda.4.9"]
    assert terms[0] == "missing" and "has run out of late" in terms[2]
    assert terms[1][0]["requests"] == 1 and terms[1][0]["in_time"] == 0
    assert fields(db, "pipeda", "2026-02-20")["pipeda.4.9"][1][0]["late"] == 1
    told = [
        fields(db, "gdpr", day)["gdpr.33.1"][1][0]["told"] is not None
        for day in ["2026-02-10", "2026-02-11"]
    ]
    assert told == [False, True]
    assert fields(db, "gdpr", "2026-02-09")["gdpr.33.1"][0] == "not_applicable"
    statuses = [fields(db, "gdpr", day)["gdpr.35"][0] for day in ["2026-02-14", "2026-02-15"]]
    assert statuses == ["missing", "declared"]
    # A day to come has its timers; its incident is declared.
    load(db, "incidents: {next: {known_at: '2199-02-10T12:00:00Z', jurisdictions: [EU]}}")
    assert db.rows("SELECT * FROM confiture.incident_deadlines('next')")
    exported = db.value("SELECT confiture.export_controller()")
    assert "2199-02-10" in exported


def test_deletions_are_those_of_runs_on_record(db):
    make_small(db)
    db.sync()
    run = db.value("SELECT run_id::text FROM confiture.audit_log WHERE event = 'COMPLETED'")
    load(db, f"""
rights_requests:
  r: {{right: delete, received_on: 2026-01-05, jurisdiction: US-CA, run_id: {run.upper()}}}
  s: {{right: delete, received_on: 2026-01-05, jurisdiction: US-CA, run_id: banana}}
""")
    status, value, note = fields(db, "ccpa")["ccpa.105.runs"]
    assert status == "missing" and "carried out s:" in note
    assert (value["carried_out_by_runs"], value["not_on_record"]) == (1, ["s"])


def test_columns_of_a_withdrawn_activity_belong_to_nothing(db):
    make_small(db)
    load(db, """
activities: {a: {name: A}, b: {name: B}}
columns:
  a: {activity: [a, b], table: prod.people, columns: [note], sensitivity: ordinary}
  b: {activity: b, table: prod.people, columns: [email], sensitivity: sensitive}
""")
    assert fields(db, "pipeda")["pipeda.4.4"][0] == "evidenced"
    db.execute("SELECT confiture.withdraw_fact('activity', 'b')")
    status, value, _ = fields(db, "pipeda")["pipeda.4.4"]
    assert status == "missing" and value["not_declared"] == ["prod.people.email"]
    status, value, note = fields(db, "pipl")["pipl.28.columns"]
    assert status == "missing" and "necessity of prod.people.email" in note
