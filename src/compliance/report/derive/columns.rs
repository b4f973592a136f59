//! What the columns say: categories, strategies, what is declared and what is not.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value, json};

use super::some;
use crate::compliance::Facts;
use crate::compliance::evidence::State;
use crate::compliance::evidence::functions::database::encryption_in_transit;
use crate::compliance::inventory::{Column, Treatment, class};
use crate::compliance::report::definition::{Found, Status};
use crate::ledger::lineage::report::Verdict;

const CATALOG: &str = "the catalog, and columns";

/// Categories of personal data, each with its columns and how they are treated.
pub fn categories(facts: &Facts) -> Found {
    some_or_open(grouped(facts, |column| Some(column.category_shown())))
}

/// No column at all that is personal says nothing.
fn some_or_open(found: Found) -> Found {
    if is_empty(&found) {
        return found.open(
            "No column looks personal or is declared to be: declare the columns, section columns.",
        );
    }
    found
}

/// None of a kind is an answer where the controller has classed every column, and nothing is known
/// where he has not: names alone do not tell.
fn none_or_open(facts: &Facts, found: Found, kind: &str) -> Found {
    if !is_empty(&found) {
        return found;
    }
    let mut personal = facts.inventory.personal().peekable();
    let is_seen = personal.peek().is_some();
    if is_seen && !facts.inventory.is_scoped && personal.all(Column::is_classed) {
        return Found {
            status: Status::Declared,
            ..found
        }
        .noting(format!(
            "Every personal column is classed, and none as {kind}."
        ));
    }
    found.open(format!(
        "No column looks {kind}: declare the sensitivity of each personal column, section columns."
    ))
}

fn is_empty(found: &Found) -> bool {
    found.value.as_array().is_some_and(Vec::is_empty)
}

/// The same by the categories of the California Civil Code.
pub fn categories_of_california(facts: &Facts) -> Found {
    some_or_open(grouped(facts, |column| {
        let known = column.category.map(class::of_california);
        Some(known.map_or_else(|| column.category_shown(), str::to_owned))
    }))
}

/// Sensitive columns, by the kinds of PIPL Article 28.
pub fn sensitive_of_china(facts: &Facts) -> Found {
    let found = grouped(facts, |column| {
        let known = column.category.and_then(class::of_china);
        known
            .map(str::to_owned)
            .or_else(|| column.is_sensitive().then(|| column.category_shown()))
    });
    none_or_open(facts, found, "sensitive")
}

/// Special categories: of GDPR Articles 9 and 10, and of laws like it.
pub fn special(facts: &Facts) -> Found {
    let found = grouped(facts, |column| {
        column.is_special().then(|| column.category_shown())
    });
    none_or_open(facts, found, "special")
}

/// Why each sensitive column is needed: by the fact that declares it, or each activity that it
/// belongs to.
pub fn justified(facts: &Facts) -> Found {
    let mut open = Vec::new();
    let value: Vec<_> = facts
        .inventory
        .sensitive()
        .filter(|column| is_here(facts, column))
        .map(|column| {
            let declared = column.declared.as_ref();
            let own = declared.and_then(|declared| declared.necessity.clone());
            let activities: Vec<_> = declared
                .into_iter()
                .flat_map(|declared| &declared.activities)
                .filter_map(|id| facts.controller.find("activity", id))
                .collect();
            let is_said = own.is_some()
                || !activities.is_empty()
                    && activities.iter().all(|activity| activity.has("necessity"));
            if !is_said {
                open.push(column.shown());
            }
            let of: Vec<_> = activities
                .iter()
                .map(|activity| {
                    json!({"activity": activity.id, "purpose": activity.text("purpose"),
                           "necessity": activity.text("necessity")})
                })
                .collect();
            json!({"column": column.shown(), "necessity": own, "activities": of,
                   "state": column.treatment.word()})
        })
        .collect();
    let found = Found {
        source: "database and controller",
        ..Found::declared(value.into(), "columns, activities")
    };
    if is_empty(&found) && facts.inventory.sensitive().next().is_some() {
        let why = "Every sensitive column belongs to activities elsewhere.";
        return Found::not_asked("columns, activities", why);
    }
    if open.is_empty() {
        return none_or_open(facts, found, "sensitive");
    }
    open.truncate(20);
    found.open(format!("Declare the necessity of {}.", open.join(", ")))
}

/// Whether a column belongs to some activity of the facts, or to none that is there at all: only what
/// belongs to activities elsewhere is not here.
fn is_here(facts: &Facts, column: &Column) -> bool {
    column.declared.as_ref().is_none_or(|declared| {
        let of = &declared.activities;
        let mut ids = of.iter();
        of.is_empty() || ids.any(|id| facts.controller.find("activity", id).is_some())
    })
}

fn grouped(facts: &Facts, of: impl Fn(&Column) -> Option<String>) -> Found {
    let value = groups(facts.inventory.personal(), of);
    Found::evidenced(value.into(), "database and controller", CATALOG)
}

/// Columns in groups, each with how they are treated.
pub(super) fn groups<'a>(
    columns: impl Iterator<Item = &'a Column>,
    of: impl Fn(&Column) -> Option<String>,
) -> Vec<Value> {
    let mut groups: BTreeMap<String, Vec<&Column>> = BTreeMap::new();
    for column in columns {
        if let Some(category) = of(column) {
            groups.entry(category).or_default().push(column);
        }
    }
    groups
        .iter()
        .map(|(category, columns)| {
            let count = |word: &str| {
                columns
                    .iter()
                    .filter(|column| column.treatment.word() == word)
                    .count()
            };
            json!({
                "category": category, "columns": columns.len(),
                "intact": count("intact"), "pseudonymised": count("pseudonymised"),
                "anonymised": count("anonymised"), "unproved": count("unproved"),
                "names": some(columns.iter().map(|column| column.shown()), 12),
            })
        })
        .collect()
}

/// The strategies in force, by how many columns they mask.
pub fn strategies(facts: &Facts) -> Found {
    let mut counts: BTreeMap<(&str, i32, &str), usize> = BTreeMap::new();
    for column in &facts.inventory.columns {
        if let Treatment::Masked(step) = &column.treatment {
            let key = (
                step.strategy.as_str(),
                step.version,
                column.treatment.word(),
            );
            *counts.entry(key).or_default() += 1;
        }
    }
    if counts.is_empty() {
        return Found::missing(
            "ledger",
            "confiture.lineage",
            "No run is on record: CALL confiture.sync.",
        );
    }
    let value: Vec<_> = counts
        .into_iter()
        .map(|((strategy, version, standing), columns)| {
            json!({"strategy": format!("{strategy} {version}"), "columns": columns,
                   "standing": standing})
        })
        .collect();
    Found::evidenced(value.into(), "ledger", "confiture.lineage")
}

/// Columns that look personal and belong to no declared activity, and declared ones that are not
/// there.
pub fn undeclared(facts: &Facts) -> Found {
    if facts.controller.of("columns").next().is_none() {
        return Found::missing(
            "database and controller",
            CATALOG,
            "Declare which columns belong to which activity, section columns; \
             confiture.suggest_controller writes a beginning.",
        );
    }
    let open = facts
        .inventory
        .personal()
        .filter(|column| column.declared.as_ref().is_none_or(|of| of.is_orphan))
        .map(Column::shown);
    let there: BTreeSet<String> = facts.inventory.columns.iter().map(Column::shown).collect();
    let gone = facts.controller.of("columns").flat_map(|fact| {
        let table = fact.word("table").unwrap_or_default();
        fact.list("columns")
            .into_iter()
            .map(move |column| format!("{table}.{column}"))
    });
    // What the scope leaves out may well be there.
    let is_looked_at = |column: &String| {
        let inventory = &facts.inventory;
        let mut schemas = inventory.schemas.iter();
        !inventory.is_scoped || schemas.any(|schema| column.starts_with(&format!("{schema}.")))
    };
    let gone = gone.filter(|column| is_looked_at(column) && !there.contains(column));
    let gone: Vec<_> = gone.collect();
    let open: Vec<_> = open.collect();
    let is_open = !open.is_empty() || !gone.is_empty();
    let value = json!({
        "not_declared": some(open.into_iter(), 50),
        "declared_but_not_there": some(gone.into_iter(), 50),
    });
    let found = Found::evidenced(value, "database and controller", CATALOG);
    if is_open {
        return found.open(
            "Declare the columns that belong to an activity, and class as not_personal those that \
             are not; withdraw those that are gone.",
        );
    }
    found
}

/// Where data may go, by the catalog: a hint, no proof.
pub fn ways_out(facts: &Facts) -> Found {
    let inventory = &facts.inventory;
    let mut readers: BTreeMap<&str, usize> = BTreeMap::new();
    for (role, ..) in &inventory.readers {
        *readers.entry(role.as_str()).or_default() += 1;
    }
    let ways: Vec<_> = inventory
        .ways_out
        .iter()
        .map(|way| json!({"kind": way.kind, "name": way.name, "leads_to": way.detail}))
        .collect();
    let readers: Vec<_> = readers
        .into_iter()
        .map(|(role, tables)| json!({"role": role, "tables": tables}))
        .collect();
    Found::evidenced(
        json!({"ways_out": ways, "roles_that_read_personal_tables": readers}),
        "database",
        "pg_foreign_server, pg_publication, pg_subscription, pg_replication_slots, relacl",
    )
}

/// Estimates of rows of tables with personal columns: how many persons, only the controller knows.
pub fn volumes(facts: &Facts) -> Found {
    let personal: BTreeSet<_> = facts
        .inventory
        .personal()
        .map(|column| (&column.schema, &column.table))
        .collect();
    let tables: Vec<Value> = facts
        .inventory
        .tables
        .iter()
        .filter(|table| personal.contains(&(&table.schema, &table.name)))
        .take(100)
        .map(|table| {
            json!({"table": format!("{}.{}", table.schema, table.name), "rows_estimate": table.rows})
        })
        .collect();
    Found::evidenced(
        json!({"tables_with_personal_columns": personal.len(), "tables": tables}),
        "database",
        "pg_class.reltuples",
    )
}

/// Technical measures, as the server and the ledger show them.
pub fn safeguards(facts: &Facts) -> Found {
    let settings = &facts.inventory.settings;
    let get = |name: &str| settings.get(name).cloned();
    // An empty list of what is logged, as server 18 has it, is what older ones call off.
    let log_connections = get("log_connections").map(|what| match what.as_str() {
        "" => "off".to_owned(),
        _ => what,
    });
    let audit = get("shared_preload_libraries").map(|list| list.contains("pgaudit"));
    let with_policies = facts
        .inventory
        .tables
        .iter()
        .filter(|table| table.row_security)
        .count();
    // That the server offers encryption protects nobody who connects without.
    let transit = encryption_in_transit(facts, &Value::Null);
    let value = json!({
        "ssl": get("ssl"), "lets_in_without_encryption": transit.value["lets_in_without_encryption"],
        "password_encryption": get("password_encryption"),
        "log_connections": log_connections, "data_checksums": get("data_checksums"),
        "pgaudit_preloaded": audit, "tables_with_row_level_security": with_policies,
        "masking": strategies(facts).value,
        "ledger": facts.inventory.ledger.verdict().status(),
        "runs_verified": facts.inventory.runs.verified,
    });
    // Passwords are hashed on every server, and a ledger is whole where nothing was ever written:
    // neither alone is a safeguard of data.
    let in_force = [
        (
            match (
                value["ssl"] == "on",
                value["lets_in_without_encryption"].is_null(),
            ) {
                (false, _) => "connections are not encrypted",
                (true, true) => "whether clients must encrypt is not known",
                (true, false) => "clients are let in without encryption",
            },
            transit.state == State::Pass,
        ),
        ("no column is masked", !value["masking"].is_null()),
        ("no table has policies", with_policies > 0),
    ];
    let off = in_force.iter().filter(|(_, is)| !is);
    let mut words: Vec<_> = off.map(|(words, _)| *words).collect();
    let is_bare = words.len() == in_force.len();
    let verdict = facts.inventory.ledger.verdict();
    if verdict != Verdict::Ok {
        words.push("the ledger is not proved whole");
    }
    let found = Found::evidenced(
        value,
        "database and ledger",
        "pg_settings, pg_hba_file_rules(), confiture.verify_ledger()",
    );
    if facts.inventory.columns_total == 0 {
        return found.open("No table was looked at.");
    }
    match words.len() {
        0 => found,
        _ if is_bare || verdict == Verdict::Fail => found.open(format!(
            "The database shows no safeguard that stands: {}.",
            words.join(", ")
        )),
        _ => found.noting(format!("Not in force: {}.", words.join(", "))),
    }
}

/// Whether what stands for destroyed data can be undone: masked columns whose originals a key gives
/// back.
pub fn irreversible(facts: &Facts) -> Found {
    let masked: Vec<_> = facts
        .inventory
        .columns
        .iter()
        .filter(|column| column.treatment.is_masked())
        .collect();
    if masked.is_empty() {
        return Found::missing(
            "ledger",
            "confiture.lineage",
            "No run is on record: CALL confiture.sync.",
        );
    }
    let by = |word: &str, reason: &str| {
        let of = masked.iter().filter(|column| {
            column.treatment.word() == word
                && (reason.is_empty() || column.treatment.reason() == reason)
        });
        some(of.map(|column| column.shown()), 50)
    };
    let value = json!({
        "not_reconstructable": by("anonymised", ""),
        "guesses_can_be_confirmed": by("pseudonymised", "a key confirms guesses"),
        "originals_can_be_given_back": by("pseudonymised", "a key gives originals back"),
    });
    Found::evidenced(value, "ledger", "confiture.lineage")
        .noting("Only what is not reconstructable counts as destroyed or de-identified for good.")
}

/// Columns that were de-identified for good: where none was, what a key gives back is no answer.
pub fn destroyed(facts: &Facts) -> Found {
    let found = irreversible(facts);
    let mut columns = facts.inventory.columns.iter();
    if found.status == Status::Missing || columns.any(|column| column.treatment.is_anonymised()) {
        return found;
    }
    found.open("No column was de-identified for good.")
}

/// Claims of deidentification: measures, and the commitments without which nothing is deidentified.
pub fn deidentified(facts: &Facts) -> Found {
    let commitment = |kind| facts.controller.with("measure", "kind", kind).next();
    let (public, bound) = (
        commitment("reidentification_commitment"),
        commitment("recipient_obligations"),
    );
    let (Some(public), Some(bound)) = (public, bound) else {
        return Found::missing(
            "ledger and controller",
            "measures",
            "Without a measure of kind reidentification_commitment and one of kind \
             recipient_obligations no data are reported as deidentified.",
        );
    };
    let mut found = destroyed(facts);
    found.value = json!({
        "columns": found.value, "public_commitment": public.id, "recipients_bound_by": bound.id,
    });
    found.source = "ledger and controller";
    found
}
