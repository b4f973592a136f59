//! Incidents: what a notice or a register says of each, and what protected the data then.

use serde_json::{Map, Value, json};

use crate::compliance::Facts;
use crate::compliance::controller::Fact;
use crate::compliance::evidence::functions::REGISTER;
use crate::compliance::inventory::class;
use crate::compliance::report::definition::{Applies, Found, Status};
use crate::compliance::report::when;

/// These fields of each incident; missing where one lacks one. `field.BR` is what a field says of one
/// jurisdiction.
pub fn fields(facts: &Facts, asked: &[&str]) -> Found {
    if let Applies::Unknown(why) | Applies::No(why) = when::incident(facts) {
        return Found::missing("controller", "incidents", why);
    }
    let mut open = Vec::new();
    let mut value = Map::new();
    for incident in facts.controller.of("incident") {
        let mut own = Map::new();
        for field in asked {
            let (name, found) = match field.split_once('.') {
                Some((name, place)) => (name, incident.of_place(name, place).map(Value::from)),
                None => (*field, incident.fields.get(*field).cloned()),
            };
            match found {
                Some(found) => {
                    own.insert(name.to_owned(), found);
                }
                None => open.push(format!("{} of {}", field, incident.id)),
            }
        }
        value.insert(incident.id.clone(), Value::Object(own));
    }
    let mut found = Found::declared(Value::Object(value), "incidents");
    if !open.is_empty() {
        found.status = Status::Missing;
        open.truncate(20);
        found.note = Some(format!("Declare {}.", open.join(", ")));
    }
    found
}

/// The timers of incidents in Brazil.
pub fn deadlines_of_brazil(facts: &Facts) -> Found {
    deadlines(facts, "BR")
}

/// In Canada.
pub fn deadlines_of_canada(facts: &Facts) -> Found {
    deadlines(facts, "CA")
}

/// In China.
pub fn deadlines_of_china(facts: &Facts) -> Found {
    deadlines(facts, "CN")
}

/// In the Union.
pub fn deadlines_of_union(facts: &Facts) -> Found {
    deadlines(facts, "EU")
}

/// In South Africa.
pub fn deadlines_of_south_africa(facts: &Facts) -> Found {
    deadlines(facts, "ZA")
}

/// Until when authorities and persons had to be told, computed from the moments that were declared.
fn deadlines(facts: &Facts, jurisdiction: &str) -> Found {
    let timers: Vec<_> = facts
        .inventory
        .timers
        .iter()
        .filter(|(_, of, _)| of == jurisdiction)
        .map(|(.., timer)| timer.clone())
        .collect();
    if timers.is_empty() {
        return Found {
            status: Status::NotApplicable,
            ..Found::missing(
                "rules and controller",
                "confiture.incident_deadlines()",
                "No declared incident starts a timer here.",
            )
        };
    }
    let late = timers
        .iter()
        .any(|timer| matches!(timer["status"].as_str(), Some("overdue" | "late")));
    let found = Found::evidenced(
        timers.into(),
        "rules and controller",
        "confiture.incident_deadlines()",
    );
    if late {
        return found.noting("A deadline has passed, or had when they were told.");
    }
    found
}

/// What protected the tables of each incident when it happened: the entries of the ledger before it.
pub fn protection(facts: &Facts) -> Found {
    let protections = &facts.inventory.protections;
    if protections.is_empty() {
        return Found::missing(
            "ledger and controller",
            "incidents, confiture.lineage",
            "Declare the tables of each incident, and when it happened.",
        );
    }
    let mut value = Map::new();
    for (incident, steps) in protections {
        let tables = facts
            .controller
            .find("incident", incident)
            .map(|fact| fact.list("tables"))
            .unwrap_or_default();
        let masked: Vec<_> = steps
            .iter()
            .map(|step| {
                json!({
                    "column": format!("{}.{}.{}", step.target, step.table, step.column),
                    "strategy": format!("{} {}", step.strategy, step.version),
                    "standing": step.standing().word(), "reason": step.standing().reason(),
                    "run": step.run_id, "at": step.finished_at,
                })
            })
            .collect();
        let is_masked = |name: &str| {
            steps
                .iter()
                .any(|step| format!("{}.{}.{}", step.target, step.table, step.column) == name)
        };
        let bare = facts
            .inventory
            .personal()
            .filter(|column| {
                tables.contains(&format!("{}.{}", column.schema, column.table).as_str())
                    && !is_masked(&column.shown())
            })
            .map(|column| column.shown());
        value.insert(
            incident.clone(),
            json!({"masked_before": masked, "readable": super::some(bare, 50)}),
        );
    }
    Found::evidenced(
        Value::Object(value),
        "ledger and controller",
        "confiture.lineage, confiture.verify_ledger()",
    )
    .noting(
        "Masked columns were unintelligible to whoever had the tables and not the keys; readable \
         ones were not.",
    )
}

/// The test of Resolution CD/ANPD 15/2024, Article 5: a significant effect, and one of six marks.
pub fn brazilian_test(facts: &Facts) -> Found {
    if let Applies::Unknown(why) | Applies::No(why) = when::incident(facts) {
        return Found::missing("controller", "incidents", why);
    }
    let mut value = Map::new();
    for incident in facts.controller.of("incident") {
        let columns: Vec<_> = facts
            .inventory
            .personal()
            .filter(|column| {
                incident
                    .list("tables")
                    .contains(&format!("{}.{}", column.schema, column.table).as_str())
            })
            .collect();
        let any = |is: fn(crate::signs::Category) -> bool| {
            columns.iter().any(|column| column.category.is_some_and(is))
        };
        let some = |field: &str| incident.count(field).is_some_and(|count| count > 0);
        let marks = [
            (
                "sensitive",
                columns.iter().any(|column| column.is_sensitive()),
            ),
            (
                "children_adolescents_elderly",
                some("minors_affected") || some("elderly_affected"),
            ),
            ("financial", any(class::is_financial)),
            (
                "authentication",
                any(|category| category == crate::signs::Category::Secret),
            ),
            ("large_scale", incident.is("large_scale")),
        ];
        let marked: Vec<_> = marks
            .iter()
            .filter(|(_, is)| *is)
            .map(|(name, _)| *name)
            .collect();
        let effect = incident.fields.get("significant_effect");
        let asked = effect
            .and_then(Value::as_bool)
            .map(|effect| effect && !marked.is_empty());
        value.insert(
            incident.id.clone(),
            json!({"significant_effect": effect, "marks": marked, "notice_asked_for": asked}),
        );
    }
    let found = Found::declared(Value::Object(value), "incidents");
    found.noting(
        "Professional secrecy, the sixth mark, is not told by any column: declare it as a category.",
    )
}

/// The register of every incident.
pub fn register(facts: &Facts) -> Found {
    let procedure = facts
        .controller
        .with("measure", "kind", "breach_procedure")
        .next();
    let of: Vec<_> = facts.controller.of("incident").collect();
    if of.is_empty() {
        return match procedure {
            Some(procedure) => Found::declared(
                json!({"incidents": 0, "procedure": procedure.id}),
                "incidents, measures",
            ),
            None => Found::missing(
                "controller",
                "incidents, measures",
                "Declare the incidents, or a measure of kind breach_procedure where there was none.",
            ),
        };
    }
    let open = |fact: &Fact| {
        REGISTER
            .iter()
            .copied()
            .filter(|field| !fact.has(field))
            .collect()
    };
    let incidents: Vec<_> = of
        .iter()
        .map(|fact| {
            let open: Vec<&str> = open(fact);
            json!({"incident": fact.id, "known_at": fact.word("known_at"), "not_declared": open})
        })
        .collect();
    Found::declared(json!({"incidents": incidents}), "incidents")
}
