"""The export for OpenLineage, held against the official schemas (`openlineage/`) and our own."""

import json
from pathlib import Path

from json_schema import Schemas
from samples import make_small, profile, small

HERE = Path(__file__).resolve().parent
SCHEMAS = Schemas(
    [*sorted((HERE / "openlineage").glob("*.json")), HERE.parents[1] / "docs" / "openlineage.json"]
)
EVENT = "https://openlineage.io/spec/2-0-2/OpenLineage.json"


def export(db, run, namespace=None):
    """The event of a run."""
    return db.value("SELECT confiture.export_openlineage(%s, %s)", [run, namespace])


def last_run(db):
    """The newest run."""
    return db.value(
        "SELECT run_id FROM confiture.audit_log WHERE run_id IS NOT NULL ORDER BY seq DESC LIMIT 1"
    )


def every_facet(event):
    """All facets of an event, with their names."""
    yield from event["run"]["facets"].items()
    for dataset in event["inputs"] + event["outputs"]:
        yield from dataset.get("facets", {}).items()
        yield from dataset.get("outputFacets", {}).items()


def assert_valid(event):
    """Holds an event and each of its facets against the schema it names."""
    assert SCHEMAS.problems(EVENT, event) == []
    assert SCHEMAS.problems(event["schemaURL"], event) == []
    for name, facet in every_facet(event):
        assert SCHEMAS.problems(facet["_schemaURL"], facet) == [], name


def test_the_event_of_a_run_is_valid_and_says_what_was_masked(db):
    make_small(db)
    db.sync()
    run = last_run(db)
    event = export(db, run)
    assert_valid(event)
    assert event["eventType"] == "COMPLETE"
    assert event["run"]["runId"] == str(run)
    assert event["job"] == {"namespace": "confiture", "name": f"{db.name}.small"}
    (source,), (target,) = event["inputs"], event["outputs"]
    assert source["name"] == f"{db.name}.prod.people"
    assert target["name"] == f"{db.name}.staging.people"
    fields = target["facets"]["columnLineage"]["fields"]
    assert list(fields) == ["email"]
    (read,) = fields["email"]["inputFields"]
    assert (read["namespace"], read["name"], read["field"]) == (
        *(source["namespace"], source["name"], "email"),
    )
    assert read["transformations"] == [
        {
            "type": "DIRECT",
            "subtype": "TRANSFORMATION",
            "description": "masked by email/1",
            "masking": True,
        }
    ]
    (stored,) = db.rows(
        "SELECT encode(original_hash, 'hex'), encode(anonymized_hash, 'hex') FROM confiture.lineage"
    )
    facts = target["facets"]["confiture_lineage"]["fields"]["email"]
    assert (facts["originalCommitment"], facts["anonymizedCommitment"]) == stored
    assert (facts["rowsSeen"], facts["rowsChanged"], facts["reversible"]) == (3, 3, False)
    assert target["outputFacets"]["outputStatistics"]["rowCount"] == 3
    ledger = event["run"]["facets"]["confiture_ledger"]
    assert ledger["lineageRoot"] == db.value(
        "SELECT encode(lineage_root, 'hex') FROM confiture.audit_log WHERE event = 'COMPLETED'"
    )
    # For ever the same, whatever became of the tables.
    db.execute("DROP SCHEMA staging CASCADE; DROP SCHEMA prod CASCADE")
    assert export(db, run) == event


def test_the_namespace_is_what_the_caller_says_or_the_cluster(db):
    make_small(db)
    db.sync()
    run = last_run(db)
    cluster = db.value("SELECT system_identifier FROM pg_control_system()")
    assert export(db, run)["inputs"][0]["namespace"] == f"postgres://cluster-{cluster}"
    given = "postgres://db.example:5432"
    event = export(db, run, given)
    assert_valid(event)
    assert event["outputs"][0]["namespace"] == given
    report = db.refused(
        "22023", "SELECT confiture.export_openlineage(%s, 'postgres://me:s3cret@db')", [run]
    )
    assert "s3cret" not in f"{report.message_primary}{report.message_detail}{report.message_hint}"


def test_the_event_holds_no_value_and_no_address(db):
    make_small(db)
    db.sync()
    text = json.dumps(export(db, last_run(db)), ensure_ascii=False)
    for word in ["Ann.Lee", "bob@", "zoë", "jam", "nuts", db.server.environment["PGHOST"]]:
        assert word not in text


def test_the_event_of_a_failed_run_is_valid_and_claims_no_lineage(db):
    make_small(db)
    db.sync()
    db.execute(
        "CREATE FUNCTION staging.never() RETURNS trigger LANGUAGE plpgsql AS"
        " $$ BEGIN RAISE 'no'; END $$;"
        "CREATE TRIGGER never BEFORE INSERT ON staging.people"
        " FOR EACH ROW EXECUTE FUNCTION staging.never()"
    )
    assert db.attempt(options='{"triggers": "fire"}') is not None
    event = export(db, last_run(db))
    assert_valid(event)
    assert event["eventType"] == "FAIL"
    assert "SQLSTATE P0001" in event["run"]["facets"]["errorMessage"]["message"]
    assert all("facets" not in dataset for dataset in event["outputs"])


def test_runs_without_commitments_and_hostile_names_are_valid_too(db):
    db.execute("CREATE SCHEMA prod")
    db.execute('CREATE TABLE prod."t.<x>""y" (id int PRIMARY KEY, "a.b" text)')
    db.execute("""INSERT INTO prod."t.<x>""y" VALUES (1, 'ann@x.example')""")
    db.load(profile({'"t.<x>""y"': {"a.b": "mail"}}))
    db.sync(options='{"lineage": "off"}')
    event = export(db, last_run(db))
    assert_valid(event)
    facts = event["outputs"][0]["facets"]["confiture_lineage"]["fields"]["a.b"]
    assert facts["commitment"] == "none" and facts["originalCommitment"] is None


def test_the_schemas_refuse_what_is_wrong():
    # The checker is our own: it must find what it is there for.
    event = {
        "eventType": "COMPLETE",
        "eventTime": "2025-06-01T08:30:00Z",
        "producer": "urn:x:1",
        "schemaURL": "https://openlineage.io/spec/2-0-2/OpenLineage.json#/$defs/RunEvent",
        "run": {"runId": "6c8b0f0e-0000-4000-8000-000000000001"},
        "job": {"namespace": "n", "name": "j"},
    }
    assert SCHEMAS.problems(EVENT, event) == []
    for wrong in [
        {"eventType": "DONE"},
        {"eventTime": "2025-06-01 08:30"},
        {"job": {"name": "j"}},
        {"outputs": [{"name": "x"}]},
        {"run": {**event["run"], "facets": {"x": {"_producer": "urn:x:1"}}}},
    ]:
        assert SCHEMAS.problems(event["schemaURL"], {**event, **wrong}), wrong
    facet = "https://openlineage.io/spec/facets/1-2-0/ColumnLineageDatasetFacet.json"
    wrong = {"_producer": "urn:x:1", "_schemaURL": facet, "fields": {"a": {"inputFields": [{}]}}}
    assert SCHEMAS.problems(f"{facet}#/$defs/ColumnLineageDatasetFacet", wrong)


def test_what_has_no_event(db):
    make_small(db)
    db.sync()
    call = "SELECT confiture.export_openlineage(%s)"
    db.refused("42704", call, ["6c8b0f0e-0000-4000-8000-000000000001"])
    db.refused("22023", call, [None])


def test_an_auditor_exports_and_nobody_else(db):
    make_small(db)
    db.load(small(version="2"))
    db.sync()
    run = last_run(db)
    auditor, caller = db.role("auditor"), db.role("caller")
    db.execute("SELECT confiture.grant_access('auditor', %s)", [auditor])
    db.execute(f'GRANT USAGE ON SCHEMA confiture TO "{caller}"')
    assert export(db.session(auditor), run)["eventType"] == "COMPLETE"
    call = "SELECT confiture.export_openlineage(%s)"
    db.session(caller).refused("42501", call, [run])
    db.execute(
        f'GRANT EXECUTE ON FUNCTION confiture.export_openlineage(uuid, text) TO "{caller}"'
    )
    db.session(caller).refused("42501", call, [run])
