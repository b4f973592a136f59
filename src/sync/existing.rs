//! Whether what the target has already may be filled: kind, owner, origin, shape, triggers.

use super::facts::{Reference, Table, Type};
use super::fit::How;
use super::options::Triggers;
use super::plan::{Decision, Input, TablePlan};
use crate::error::{Error, Kind};

/// Adds a problem for everything that keeps a run from filling a table.
pub fn check(input: &Input<'_>, plan: &TablePlan, existing: &Table, problems: &mut Vec<Error>) {
    let mut refuse = |kind, what: &str, hint: &str| {
        problems.push(
            Error::new(kind, format!("target table {} {what}", existing.shown())).with_hint(hint),
        );
    };
    let expected = if plan.source.kind == 'p' { 'p' } else { 'r' };
    if existing.kind != expected {
        refuse(
            Kind::DatatypeMismatch,
            "is not of the kind of its source",
            "Drop it to have it made anew.",
        );
        return;
    }
    if !existing.owned {
        problems.push(belongs(existing));
    }
    let mut refuse = |kind, what: &str, hint: &str| {
        problems.push(
            Error::new(kind, format!("target table {} {what}", existing.shown())).with_hint(hint),
        );
    };
    if input.in_place.is_none()
        && !input.options.adopt
        && !input.target.made.contains(&existing.name)
    {
        refuse(
            Kind::NotReady,
            "was not made by a run",
            "A run empties it. Rename it, or call with options => '{\"adopt\": true}' if it may be overwritten.",
        );
    }
    if existing.row_security {
        refuse(
            Kind::Permission,
            "has row-level security that applies to this role",
            hidden_rows(existing.owned),
        );
    }
    if existing.inheritance || existing.parent.is_some() {
        refuse(
            Kind::Unsupported,
            "takes part in inheritance",
            "Detach it, or drop it to have it made anew.",
        );
    }
    if !existing.rules.is_empty() {
        refuse(
            Kind::Definition,
            "has rewrite rules",
            "Drop them: a rule could swallow or change rows.",
        );
    }
    let parts = input.target.partitions(existing.oid);
    let triggers: Vec<_> = std::iter::once(existing)
        .chain(parts)
        .flat_map(|table| {
            table
                .triggers
                .iter()
                .map(|trigger| format!("\"{}\"", trigger.name))
        })
        .collect();
    if !triggers.is_empty() && input.options.triggers == Triggers::Refuse {
        refuse(
            Kind::NotReady,
            &format!("has triggers: {}", triggers.join(", ")),
            "Say what they shall do with options => '{\"triggers\": \"skip\"}' or '{\"triggers\": \"fire\"}'.",
        );
    }
    for part in input.source.partitions(plan.source.oid) {
        let same = input.target.table(&part.name).is_none_or(|there| {
            there.bound == part.bound
                && there.partition_key == part.partition_key
                && there.parent.is_some()
        });
        if !same {
            refuse(
                Kind::DatatypeMismatch,
                &format!(
                    "has a partition \"{}\" that is not like that of the source",
                    part.name
                ),
                "Detach or drop the partition to have it made anew.",
            );
        }
    }
    let parts = input.target.partitions(existing.oid);
    for other in std::iter::once(existing)
        .chain(parts)
        .flat_map(|table| &table.referenced_by)
        // A key that stays as it is, and is held against the new rows, may come from anywhere.
        .filter(|_| input.swap.is_none())
    {
        refuse(
            Kind::NotReady,
            &format!(
                "is referred to by table \"{}.{}\", which the run does not fill",
                other.schema, other.name
            ),
            "Name that table in the profile, or drop its foreign key.",
        );
    }
    columns(plan, existing, problems);
    keys(input, plan, existing, problems);
}

/// Foreign keys of the table that lead to what the run does not fill.
fn keys(input: &Input<'_>, plan: &TablePlan, existing: &Table, problems: &mut Vec<Error>) {
    let is_filled = |target: &Reference| {
        let root = input.target.root_of(target.oid);
        let tables = input.target.tables.iter();
        tables
            .filter(|table| table.schema == input.target_name)
            .any(|table| table.oid == root)
    };
    let parts = input.target.partitions(existing.oid);
    let all = std::iter::once(existing).chain(parts);
    for key in all.flat_map(|table| &table.constraints) {
        let Some(target) = key.target.as_ref().filter(|of| !is_filled(of)) else {
            continue;
        };
        if target.schema == input.source_name && input.in_place.is_none() {
            problems.push(
                Error::new(
                    Kind::Definition,
                    format!(
                        "foreign key \"{}\" of target table {} leads to the source, table \"{}.{}\"",
                        key.name, existing.shown(), target.schema, target.name
                    ),
                )
                .with_hint("Drop it: nothing in the target may depend on the source."),
            );
        }
        let is_replaced = |name: &&String| match plan.decision(name) {
            Some(Decision::Masked(masked)) => masked.how != How::Null,
            _ => false,
        };
        for name in key.columns.iter().filter(is_replaced) {
            problems.push(
                Error::new(
                    Kind::InvalidParameter,
                    format!(
                        "masked column \"{name}\" of target table {} refers to table \"{}.{}\", which the run does not fill",
                        existing.shown(), target.schema, target.name
                    ),
                )
                .with_hint(format!(
                    "Name that table in the profile, preserve the column with a reason, or drop foreign key \"{}\".",
                    key.name
                )),
            );
        }
    }
}

/// How a run comes to see all rows of a table that the caller owns, or does not.
pub fn hidden_rows(owned: bool) -> &'static str {
    match owned {
        // It applies to owners where it is forced only.
        true => "Run as a role with BYPASSRLS, or say ALTER TABLE … NO FORCE ROW LEVEL SECURITY.",
        false => "Run as its owner or a role with BYPASSRLS.",
    }
}

/// The caller is no member of the role that owns a table.
pub fn belongs(existing: &Table) -> Error {
    Error::new(
        Kind::Permission,
        format!(
            "target table {} belongs to role \"{}\"",
            existing.shown(),
            existing.owner
        ),
    )
    .with_hint("Run as a member of that role.")
}

/// The caller is no member of the role that owns a type whose checks have to go for the load.
pub fn not_owned(of: &Type) -> Error {
    Error::new(
        Kind::Permission,
        format!(
            "type \"{}.{}\" belongs to role \"{}\"",
            of.schema, of.name, of.owner
        ),
    )
    .with_detail("It has a check that is not valid, which has to go while rows are loaded.")
    .with_hint("Validate the check, or run as a member of that role.")
}

fn columns(plan: &TablePlan, existing: &Table, problems: &mut Vec<Error>) {
    for column in &plan.source.columns {
        let found = existing
            .columns
            .iter()
            .find(|other| other.name == column.name);
        let (kind, what) = match found {
            None => (Kind::UndefinedColumn, "does not exist"),
            Some(other) if other.type_name != column.type_name => (
                Kind::DatatypeMismatch,
                "has another type than in the source",
            ),
            Some(other) if other.is_generated() != column.is_generated() => {
                (Kind::DatatypeMismatch, "is generated on one side only")
            }
            Some(_) => continue,
        };
        problems.push(
            Error::new(
                kind,
                format!("column \"{}\" of target table {} {what}", column.name, existing.shown()),
            )
            .with_hint("The source has changed since the table was made: alter the target table, or drop it to have it made anew."),
        );
    }
}

/// What keeps a type of the target from standing in for one of the source.
pub fn differs(of: &Type, existing: &Type) -> Option<Error> {
    let missing: Vec<_> = of
        .labels
        .iter()
        .filter(|label| !existing.labels.contains(label))
        .map(|label| format!("\"{label}\""))
        .collect();
    let detail = if of.kind != existing.kind || of.base_name != existing.base_name {
        "It is of another kind.".to_owned()
    } else if !missing.is_empty() {
        format!("It lacks the labels {}.", missing.join(", "))
    } else if of
        .attributes
        .iter()
        .map(|a| (&a.name, &a.type_name))
        .ne(existing.attributes.iter().map(|a| (&a.name, &a.type_name)))
    {
        "Its attributes differ.".to_owned()
    } else {
        return None;
    };
    Some(
        Error::new(
            Kind::DatatypeMismatch,
            format!(
                "type \"{}.{}\" of the target is not like that of the source",
                existing.schema, existing.name
            ),
        )
        .with_detail(detail)
        .with_hint("Alter it, or drop it together with the tables that use it."),
    )
}
