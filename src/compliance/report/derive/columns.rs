//! What the columns say: categories, strategies, what is declared and what is not.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value, json};

use super::some;
use crate::compliance::Facts;
use crate::compliance::inventory::{Column, Treatment, class};
use crate::compliance::report::definition::Found;

const CATALOG: &str = "the catalog, and columns";

/// Categories of personal data, each with its columns and how they are treated.
pub fn categories(facts: &Facts) -> Found {
    grouped(facts, |column| Some(column.category_shown()))
}

/// The same by the categories of the California Civil Code.
pub fn categories_of_california(facts: &Facts) -> Found {
    grouped(facts, |column| {
        let known = column.category.map(class::of_california);
        Some(known.map_or_else(|| column.category_shown(), str::to_owned))
    })
}

/// Sensitive columns, by the kinds of PIPL Article 28.
pub fn sensitive_of_china(facts: &Facts) -> Found {
    grouped(facts, |column| {
        let known = column.category.and_then(class::of_china);
        known
            .map(str::to_owned)
            .or_else(|| column.is_sensitive().then(|| column.category_shown()))
    })
}

/// Special categories: of GDPR Articles 9 and 10, and of laws like it.
pub fn special(facts: &Facts) -> Found {
    let is_special = |column: &Column| {
        let declared = column
            .declared
            .as_ref()
            .and_then(|declared| declared.sensitivity.as_deref());
        matches!(declared, Some("special" | "criminal"))
            || declared.is_none() && column.category.is_some_and(class::is_special)
    };
    grouped(facts, |column| {
        is_special(column).then(|| column.category_shown())
    })
}

fn grouped(facts: &Facts, of: impl Fn(&Column) -> Option<String>) -> Found {
    let mut groups: BTreeMap<String, Vec<&Column>> = BTreeMap::new();
    for column in facts.inventory.personal() {
        if let Some(category) = of(column) {
            groups.entry(category).or_default().push(column);
        }
    }
    let value: Vec<_> = groups
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
                "anonymised": count("anonymised"),
                "names": some(columns.iter().map(|column| column.shown()), 12),
            })
        })
        .collect();
    Found::evidenced(value.into(), "database and controller", CATALOG)
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
        .filter(|column| column.declared.is_none())
        .map(Column::shown);
    let there: BTreeSet<String> = facts.inventory.columns.iter().map(Column::shown).collect();
    let gone = facts.controller.of("columns").flat_map(|fact| {
        let table = fact.word("table").unwrap_or_default();
        fact.list("columns")
            .into_iter()
            .map(move |column| format!("{table}.{column}"))
    });
    let gone: Vec<_> = gone.filter(|column| !there.contains(column)).collect();
    let value = json!({
        "not_declared": some(open, 50), "declared_but_not_there": some(gone.into_iter(), 50),
    });
    Found::evidenced(value, "database and controller", CATALOG)
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
    let audit = get("shared_preload_libraries").map(|list| list.contains("pgaudit"));
    let with_policies = facts
        .inventory
        .tables
        .iter()
        .filter(|table| table.row_security)
        .count();
    let value = json!({
        "ssl": get("ssl"), "password_encryption": get("password_encryption"),
        "log_connections": get("log_connections"), "data_checksums": get("data_checksums"),
        "pgaudit_preloaded": audit, "tables_with_row_level_security": with_policies,
        "masking": strategies(facts).value,
        "ledger": facts.inventory.ledger.verdict().status(),
        "runs_verified": facts.inventory.runs.verified,
    });
    Found::evidenced(
        value,
        "database and ledger",
        "pg_settings, confiture.verify_ledger()",
    )
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
    let mut found = irreversible(facts);
    found.value = json!({
        "columns": found.value, "public_commitment": public.id, "recipients_bound_by": bound.id,
    });
    found.source = "ledger and controller";
    found
}
