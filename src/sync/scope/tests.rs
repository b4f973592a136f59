//! The order of the statements, and what they are about; what they find is seen in a server.

use serde_json::{Value, json};

use super::*;
use crate::sync::facts::Table;
use crate::sync::options::Triggers;
use crate::sync::plan::{Outside, Target};

fn table(name: &str) -> TablePlan {
    let facts = json!({
        "oid": 1, "schema": "prod", "name": name, "kind": "r", "owner": "o", "owned": true,
        "can_select": true, "row_security": false, "inheritance": false, "rows": 100.0,
        "parent": Value::Null, "partition_key": Value::Null, "partition_columns": [],
        "bound": Value::Null, "columns": [], "constraints": [], "indexes": [], "unique": [],
        "triggers": [], "rules": [], "referenced_by": [],
    });
    let source: Table = serde_json::from_value(facts).unwrap();
    TablePlan {
        rows: source.rows,
        expected: source.rows,
        source,
        columns: Vec::new(),
        filter: None,
        seed: None,
        limit: None,
        has_foreign_parts: false,
        triggers: Triggers::Refuse,
        overriding: false,
        waiting: None,
    }
}

/// Tables by name, and who refers to whom.
fn plan(names: &[&str], links: &[(usize, usize)]) -> Plan {
    Plan {
        source: "prod".to_owned(),
        target: "staging".to_owned(),
        tables: names.iter().map(|name| table(name)).collect(),
        notes: Vec::new(),
        remarks: Vec::new(),
        price: crate::sync::noise::Price::default(),
        prepare: Target::default(),
        links: links
            .iter()
            .map(|(child, parent)| Link::bare(*child, *parent))
            .collect(),
        unreached: Unreached::Copy,
        outside: Outside::default(),
    }
}

/// The tables that statements add rows to, of which each finds as many as told, then none.
fn filled(plan: &Plan, mut rows: Vec<(&str, u64)>) -> Vec<String> {
    let scope = Scope::of(plan).unwrap();
    let mut order = Vec::new();
    choose(plan, &scope, &Names::of([0; 16]), &mut |step| {
        let Some(into) = step.into else { return Ok(0) };
        let into = into.replace(&format!("{}_", "0".repeat(32)), "");
        let into = into.replace("pg_temp.confiture_", "");
        let found = rows.iter().position(|(name, _)| *name == into);
        let count = found.map_or(0, |place| rows.remove(place).1);
        order.push(format!("{into}+{count}"));
        Ok(count)
    })
    .unwrap();
    order
}

#[test]
fn scope_is_nothing_where_no_row_is_chosen() {
    let mut plan = plan(&["a", "b"], &[(1, 0)]);
    assert_eq!(Scope::of(&plan), None);
    plan.tables[0].filter = Some("x".to_owned());
    assert_eq!(Scope::of(&plan), None);
}

#[test]
fn scope_goes_down_from_the_seed_and_up_from_there() {
    // customer <- order -> product -> kind; product <- review; setting.
    let names = ["customer", "orders", "product", "kind", "review", "setting"];
    let mut plan = plan(&names, &[(1, 0), (1, 2), (2, 3), (4, 2)]);
    plan.tables[0].seed = Some("true".to_owned());
    use Cover::{Kept, Uncut};
    let scope = Scope::of(&plan).unwrap();
    assert_eq!(scope.covers, [Kept, Kept, Kept, Kept, Uncut, Uncut]);
    assert!(!scope.cuts.contains(&true));
    let rows = vec![("kept_0", 5), ("kept_1", 9), ("kept_2", 3), ("kept_3", 1)];
    assert_eq!(
        filled(&plan, rows),
        [
            "kept_0+5", "kept_1+9", // down
            "kept_0+0", "kept_2+3", "kept_3+1", "kept_2+0", // up, first of all rows
            "kept_3+0", // then of the new ones
        ]
    );
    plan.unreached = Unreached::Empty;
    let scope = Scope::of(&plan).unwrap();
    assert_eq!(scope.covers[4..], [Cover::Empty, Cover::Empty]);
}

#[test]
fn scope_of_a_cycle_ends() {
    let mut plan = plan(&["a", "b"], &[(0, 1), (1, 0), (0, 0)]);
    plan.tables[0].seed = Some("true".to_owned());
    let rows = vec![("kept_0", 1), ("kept_1", 1), ("kept_0", 1), ("kept_0", 1)];
    let order = filled(&plan, rows);
    assert!(order.len() < 20, "{order:?}");
}

#[test]
fn scope_cuts_what_refers_to_what_a_limit_cuts() {
    let mut plan = plan(&["c", "b", "a"], &[(0, 1), (1, 2)]);
    plan.tables[1].limit = Some(10);
    plan.tables[2].limit = Some(10);
    let scope = Scope::of(&plan).unwrap();
    assert_eq!(scope.cuts, [true; 3]);
    // First of what is referred to, so that the limit of the other counts what is left.
    let order = filled(&plan, vec![("cut_2", 4), ("cut_1", 2), ("cut_0", 7)]);
    assert_eq!(order[..3], ["cut_2+4", "cut_1+2", "cut_0+7"]);
    // A condition on a table that nothing refers to stays a condition.
    let mut plan = self::plan(&["c", "b"], &[(0, 1)]);
    plan.tables[0].filter = Some("x".to_owned());
    plan.tables[1].seed = Some("true".to_owned());
    assert_eq!(Scope::of(&plan).unwrap().cuts, [false; 2]);
    plan.tables[1].filter = Some("x".to_owned());
    assert_eq!(Scope::of(&plan).unwrap().cuts, [true; 2]);
}

#[test]
fn scope_is_estimated_along_references() {
    use estimate::{Expected, rows};
    let mut plan = plan(&["customer", "orders", "product"], &[(1, 0), (1, 2)]);
    plan.tables[0].seed = Some("true".to_owned());
    plan.tables[1].rows = 1000.0;
    let expected = |seeds| Expected {
        filtered: None,
        seeds,
    };
    let expected = [expected(Some(5.0)), expected(None), expected(None)];
    let scope = Scope::of(&plan);
    assert_eq!(rows(&plan, scope.as_ref(), &expected), [5.0, 50.0, 50.0]);
    assert_eq!(rows(&plan, None, &expected), [100.0, 1000.0, 100.0]);
}
