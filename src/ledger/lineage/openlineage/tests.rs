//! The event: names, transformations, and what a namespace may not hold. The official schemas are
//! held against it by `tests/cluster/test_openlineage.py`.

use serde_json::json;

use super::*;

fn run() -> Run {
    Run {
        run_id: "6c8b0f0e-0000-4000-8000-000000000001".into(),
        is_complete: true,
        at: "2025-06-01T08:30:00.000000Z".into(),
        profile: Some("orders".into()),
        source: ("shop".into(), "prod".into()),
        target: ("shop".into(), "staging".into()),
        tables: vec!["audit".into(), "orders".into()],
        rows: Some(json!({"audit": 1, "orders": 2})),
        cluster: "7312345".into(),
        columns: vec![Column {
            table: "orders".into(),
            name: "email".into(),
            strategy: "email".into(),
            version: 1,
            original: Some("aa".into()),
            ..Column::default()
        }],
        ..Run::default()
    }
}

#[test]
fn openlineage_names_tables_by_database_schema_and_table() {
    let event = run().event(None);
    assert_eq!(event["inputs"][1]["name"], "shop.prod.orders");
    assert_eq!(event["outputs"][1]["name"], "shop.staging.orders");
    assert_eq!(
        event["outputs"][1]["namespace"],
        "postgres://cluster-7312345"
    );
    let given = Namespace::parse("postgres://db.example:5432").unwrap();
    let event = run().event(Some(&given));
    assert_eq!(
        event["inputs"][0]["namespace"],
        "postgres://db.example:5432"
    );
    assert_eq!(event["job"]["name"], "shop.orders");
}

#[test]
fn openlineage_names_a_declared_run_as_its_script_does() {
    let declared = Run {
        profile: None,
        details: Some(json!({"run": "nightly people"})),
        ..run()
    };
    assert_eq!(declared.event(None)["job"]["name"], "shop.nightly people");
}

#[test]
fn openlineage_says_which_columns_are_masked() {
    let event = run().event(None);
    let facets = &event["outputs"][1]["facets"];
    let input = &facets["columnLineage"]["fields"]["email"]["inputFields"][0];
    assert_eq!(input["name"], "shop.prod.orders");
    assert_eq!(input["transformations"][0]["masking"], true);
    assert_eq!(
        facets["confiture_lineage"]["fields"]["email"]["originalCommitment"],
        "aa"
    );
    // A table without masked columns has a version and its rows, no lineage.
    let other = &event["outputs"][0];
    assert!(other["facets"].get("columnLineage").is_none());
    assert_eq!(other["outputFacets"]["outputStatistics"]["rowCount"], 1);
}

#[test]
fn openlineage_of_a_failure_says_how_and_claims_no_lineage() {
    let failed = Run {
        is_complete: false,
        details: Some(json!({"phase": "copying", "sqlstate": "23505"})),
        ..run()
    };
    let event = failed.event(None);
    assert_eq!(event["eventType"], "FAIL");
    assert_eq!(
        event["run"]["facets"]["errorMessage"]["message"],
        "run failed while copying, SQLSTATE 23505"
    );
    assert!(event["outputs"][1].get("facets").is_none());
}

#[test]
fn openlineage_refuses_a_namespace_with_a_password_and_does_not_repeat_it() {
    for text in [
        "",
        "postgres://",
        "https://db",
        "postgres://me:s3cret@db:5432",
        "postgres://db/s3cret",
        "postgres://db?password=s3cret",
    ] {
        let error = Namespace::parse(text).unwrap_err();
        assert_eq!(error.kind().sqlstate().as_str(), "22023");
        assert!(!format!("{error:?}").contains("s3cret"));
    }
    Namespace::parse("postgres://[2001:db8::1]:5432").unwrap();
}
