//! The plan: a profile held against the catalog. Everything wrong is said before a row is read.

use std::collections::BTreeMap;

use super::facts::{Column, Side, Table};
use super::fit::How;
use super::plan::{Decision, Input, Plan, TablePlan};
use super::{decide, statement, target, trust, unique};
use crate::error::{Error, Kind, Result, counted};
use crate::pg::ident;
use crate::profile::Coverage;
use crate::strategies::{SaltRef, nearest};

/// Makes the plan.
///
/// # Errors
/// The first thing that is wrong; its DETAIL counts and names the others.
pub fn make(input: &Input<'_>) -> Result<Plan> {
    check_schemas(input)?;
    let mut problems = Vec::new();
    let mut tables = Vec::new();
    let mut seen: BTreeMap<u32, ()> = BTreeMap::new();
    for asked in &input.profile.tables {
        let Some(table) = find(input, asked, &mut problems) else {
            continue;
        };
        if seen.insert(table.oid, ()).is_some() {
            problems.push(Error::new(
                Kind::InvalidParameter,
                format!("table {} stands twice in the profile", table.shown()),
            ));
            continue;
        }
        let columns = decide::columns(input, asked, table, &mut problems);
        let filter = decide::filter(asked, table, input.source, &mut problems);
        let rows = table.rows
            + input
                .source
                .partitions(table.oid)
                .iter()
                .map(|part| part.rows)
                .sum::<f64>();
        tables.push(TablePlan {
            source: table.clone(),
            columns,
            filter,
            rows,
            triggers: input.options.triggers,
        });
    }
    if let Some(error) = undecided(input.profile.coverage, &tables) {
        problems.push(error);
    }
    unique::check(&tables, input.source, &mut problems);
    partition_keys(&tables, &mut problems);
    trust::check_types(input, &tables, &mut problems);
    let mut notes = Vec::new();
    foreign_keys(&tables, input.source, &mut problems, &mut notes);
    trust::check(input.code, &mut problems);
    let prepare = target::prepare(input, &tables, &mut problems);
    first(problems)?;
    Ok(Plan {
        source: input.source_name.to_owned(),
        target: input.target_name.to_owned(),
        tables,
        notes,
        prepare,
    })
}

/// One error out of many: the first, with the others counted and named.
///
/// # Errors
/// That one, if there is any.
pub fn first(problems: Vec<Error>) -> Result<()> {
    const MOST: usize = 10;
    let mut problems = problems.into_iter();
    let Some(error) = problems.next() else {
        return Ok(());
    };
    let others: Vec<_> = problems
        .map(|problem| problem.message().to_owned())
        .collect();
    if others.is_empty() {
        return Err(error);
    }
    let mut detail = error
        .detail()
        .map(|detail| format!("{detail}\n"))
        .unwrap_or_default();
    detail.push_str(&match others.len() {
        1 => "There is 1 more problem:".to_owned(),
        more => format!("There are {more} more problems:"),
    });
    for other in others.iter().take(MOST) {
        detail.push_str("\n  ");
        detail.push_str(other);
    }
    if others.len() > MOST {
        detail.push_str("\n  …");
    }
    Err(error.with_detail(detail))
}

fn check_schemas(input: &Input<'_>) -> Result<()> {
    for name in [input.source_name, input.target_name] {
        if name.starts_with("pg_") || ["information_schema", "confiture"].contains(&name) {
            return Err(Error::new(
                Kind::InvalidParameter,
                format!("schema \"{name}\" cannot take part in a run"),
            ));
        }
    }
    if input.source_name == input.target_name {
        return Err(Error::new(
            Kind::InvalidParameter,
            "source and target are the same schema",
        ));
    }
    let Some(source) = &input.source.schema else {
        return Err(Error::new(
            Kind::UndefinedSchema,
            format!("source schema \"{}\" does not exist", input.source_name),
        ));
    };
    if !source.usage {
        return Err(Error::new(
            Kind::Permission,
            format!("permission denied for schema \"{}\"", source.name),
        )
        .with_hint(format!(
            "Grant USAGE on schema {} to the role that runs.",
            ident::quote(&source.name)
        )));
    }
    match &input.target.schema {
        None if !input.may_create_schema => Err(Error::new(
            Kind::UndefinedSchema,
            format!("target schema \"{}\" does not exist", input.target_name),
        )
        .with_hint("Create it, or grant CREATE on the database to the role that runs.")),
        Some(target) if !target.usage || !target.create => Err(Error::new(
            Kind::Permission,
            format!("permission denied for schema \"{}\"", target.name),
        )
        .with_hint(format!(
            "Grant USAGE and CREATE on schema {} to the role that runs.",
            ident::quote(&target.name)
        ))),
        Some(target) if !target.strangers.is_empty() => Err(Error::new(
            Kind::Permission,
            format!("target schema \"{}\" is open to others", target.name),
        )
        .with_detail(format!(
            "{} may create in it and could plant code that the run would execute.",
            target.strangers.join(", ")
        ))
        .with_hint(format!(
            "Revoke CREATE on schema {} from them, or let its owner run.",
            ident::quote(&target.name)
        ))),
        Some(target) if !target.planted.is_empty() => Err(Error::new(
            Kind::Permission,
            format!("target schema \"{}\" holds things of others", target.name),
        )
        .with_detail(format!(
            "Definitions copied into it could mean {}, whose owner could do anything that you may do.",
            target.planted.join(", ")
        ))
        .with_hint("Drop them, or have them owned by a superuser.")),
        _ => Ok(()),
    }
}

fn find<'a>(
    input: &Input<'a>,
    asked: &crate::profile::Table,
    problems: &mut Vec<Error>,
) -> Option<&'a Table> {
    if let Some(schema) = asked
        .schema
        .as_deref()
        .filter(|schema| *schema != input.source_name)
    {
        problems.push(Error::new(
            Kind::InvalidParameter,
            format!(
                "table \"{schema}.{}\" of the profile is not in the source schema \"{}\"",
                asked.name, input.source_name
            ),
        ));
        return None;
    }
    let Some(table) = input.source.table(&asked.name) else {
        let mut error = Error::new(
            Kind::UndefinedTable,
            format!(
                "table \"{}.{}\" does not exist",
                input.source_name, asked.name
            ),
        );
        if let Some(near) = nearest(&asked.name, input.source.names.iter().map(String::as_str)) {
            error = error.with_hint(format!("Did you mean \"{near}\"?"));
        }
        problems.push(error);
        return None;
    };
    let refused = match table.kind {
        // Definitions out of the catalog could not tell it from the server's own.
        _ if table.name.starts_with("pg_") => Some((
            Kind::Unsupported,
            "has a name that begins with pg_",
            "Rename it.",
        )),
        'r' | 'p' | 'f' if table.parent.is_some() => Some((
            Kind::Unsupported,
            "is a partition",
            "Name the partitioned table in the profile instead.",
        )),
        'r' | 'p' | 'f' if table.inheritance => Some((
            Kind::Unsupported,
            "has inheritance children or parents",
            "Only partitioning is copied as such.",
        )),
        'r' | 'p' | 'f' if !table.can_select => Some((
            Kind::Permission,
            "cannot be read: permission denied",
            "Grant SELECT on it to the role that runs.",
        )),
        'r' | 'p' | 'f' if table.row_security => Some((
            Kind::Permission,
            "has row-level security that would hide rows from this role",
            "Run as its owner or a role with BYPASSRLS: a run never copies less than all rows silently.",
        )),
        'r' | 'p' | 'f' => None,
        _ => Some((
            Kind::Unsupported,
            "is not a table",
            "A view can hide rows and run code; name the tables behind it.",
        )),
    };
    if let Some((kind, what, hint)) = refused {
        problems.push(Error::new(kind, format!("table {} {what}", table.shown())).with_hint(hint));
        return None;
    }
    Some(table)
}

/// Until columns can be told personal by looking, `detect` refuses what `strict` refuses.
fn undecided(coverage: Coverage, tables: &[TablePlan]) -> Option<Error> {
    if coverage == Coverage::Copy {
        return None;
    }
    let mut names = Vec::new();
    let mut yaml = String::new();
    for table in tables {
        let open: Vec<_> = table
            .columns
            .iter()
            .filter(|column| column.decision == Decision::Copied)
            .map(|column| column.name.as_str())
            .collect();
        if open.is_empty() {
            continue;
        }
        yaml.push_str(&format!("  {}:\n    preserve:\n", table.source.name));
        for column in open {
            names.push(format!("{}.{column}", table.source.name));
            yaml.push_str(&format!("      - {{column: {column}, why: …}}\n"));
        }
    }
    if names.is_empty() {
        return None;
    }
    Some(
        Error::new(
            Kind::NotReady,
            format!(
                "the profile says nothing about {}",
                counted(names.len() as u64, "column")
            ),
        )
        .with_detail(format!("Undecided: {}.", names.join(", ")))
        .with_hint(format!(
            "Give each a rule, or say why it may be copied:\n{yaml}Or set coverage: copy."
        )),
    )
}

/// Masked values would lead rows into other partitions, and the bounds of the target's partitions
/// are values of the source.
fn partition_keys(tables: &[TablePlan], problems: &mut Vec<Error>) {
    for table in tables {
        for name in &table.source.partition_columns {
            if matches!(table.decision(name), Some(Decision::Masked(_))) {
                problems.push(
                    Error::new(
                        Kind::InvalidParameter,
                        format!(
                            "column \"{name}\" of table {} is part of the partition key and cannot be masked",
                            table.source.shown()
                        ),
                    )
                    .with_hint("Preserve it with a reason, or copy into a table partitioned by something else."),
                );
            }
        }
    }
}

fn foreign_keys(
    tables: &[TablePlan],
    side: &Side,
    problems: &mut Vec<Error>,
    notes: &mut Vec<String>,
) {
    for table in tables {
        for key in table
            .source
            .constraints
            .iter()
            .filter(|key| key.kind == 'f')
        {
            let Some(target) = &key.target else { continue };
            let Some(other) = tables.iter().find(|other| other.source.oid == target.oid) else {
                notes.push(format!(
                    "foreign key \"{}\" of table {} leads to \"{}.{}\", which the profile does not name: it stays behind",
                    key.name, table.source.shown(), target.schema, target.name
                ));
                continue;
            };
            for (here, there) in key.columns.iter().zip(&key.target_columns) {
                if !alike(table.decision(here), other.decision(there)) {
                    problems.push(
                        Error::new(
                            Kind::InvalidParameter,
                            format!(
                                "columns \"{here}\" and \"{there}\" of foreign key \"{}\" of table {} are not masked alike",
                                key.name,
                                table.source.shown()
                            ),
                        )
                        .with_hint("Give both the same strategy, parameters and seed, a salt with a name if it is salted_hash, or preserve both."),
                    );
                } else if is_drawn(other.decision(there)) {
                    let ends = ((&table.source, &**here), (other, &**there));
                    problems.extend(told_apart(&key.name, ends, side));
                }
            }
        }
    }
}

/// What is wrong with a reference between masked columns whose values are not read alike.
fn told_apart(
    key: &str,
    ((table, here), (plan, there)): ((&Table, &str), (&TablePlan, &str)),
    side: &Side,
) -> Option<Error> {
    let folds = |table: &Table, name: &str| {
        let column = table.columns.iter().find(|column| column.name == name);
        column.is_some_and(|column| statement::folding(column.type_oid, side).is_some())
    };
    let other = &plan.source;
    let (detail, hint) = if is_loose(other, there) {
        (
            format!(
                "Column \"{there}\" of table {} has a nondeterministic collation: texts that are equal there get different pseudonyms.",
                other.shown()
            ),
            "Preserve both columns with a reason, exclude the reference, or give the columns a deterministic collation or type citext.",
        )
    } else if folds(table, here) != folds(other, there) && heeds_case(plan.decision(there)) {
        (
            format!(
                "Only one of it and column \"{there}\" of table {} is of type citext, which is masked in lower case.",
                other.shown()
            ),
            "Preserve both columns with a reason, exclude the reference, or give the columns one type.",
        )
    } else {
        return None;
    };
    let message = format!(
        "foreign key \"{key}\" of table {} may not hold for masked column \"{here}\"",
        table.shown()
    );
    Some(
        Error::new(Kind::InvalidParameter, message)
            .with_detail(detail)
            .with_hint(hint),
    )
}

/// Whether a column's collation, by which the server compares a reference, makes texts equal.
fn is_loose(table: &Table, name: &str) -> bool {
    let named = |column: &&Column| column.name == name;
    table
        .columns
        .iter()
        .find(named)
        .is_some_and(|column| column.nondeterministic)
}

/// Whether a column's values are drawn from what stood there.
fn is_drawn(decision: Option<&Decision>) -> bool {
    matches!(decision, Some(Decision::Masked(masked)) if matches!(masked.how, How::Mask(_)))
}

/// Whether values that differ in case only may get different pseudonyms.
fn heeds_case(decision: Option<&Decision>) -> bool {
    let Some(Decision::Masked(masked)) = decision else {
        return false;
    };
    let How::Mask(call) = &masked.how else {
        return false;
    };
    let promised = masked.strategy.properties(call.of);
    // Without bits it is a constant.
    !promised.folds_spellings && promised.collision_bits.is_some()
}

/// Whether every reference still finds its row.
fn alike(here: Option<&Decision>, there: Option<&Decision>) -> bool {
    match (here, there) {
        (Some(Decision::Masked(here)), Some(Decision::Masked(there))) => {
            let own = |how: &How| match how {
                // Drawn from something else of the row, which differs between the tables.
                How::Mask(call) => {
                    // A salt without a name is that of one column.
                    let salted_alike = |salt: SaltRef<'_>| !salt.name.is_empty();
                    call.inputs.is_empty()
                        && here.strategy.salt().is_none_or(salted_alike)
                        && here.strategy.properties(call.of).deterministic
                }
                How::Constant(_) | How::Null => true,
                How::Default | How::Record(_) | How::Shuffle(_) => false,
            };
            let equal = here.strategy == there.strategy
                && here.seed == there.seed
                && here.how == there.how
                && own(&here.how);
            equal || here.how == How::Null
        }
        // References among each other.
        (Some(Decision::Masked(here)), Some(Decision::Copied | Decision::Preserved { .. })) => {
            matches!(here.how, How::Null | How::Shuffle(_))
        }
        (Some(Decision::Masked(here)), _) => here.how == How::Null,
        (_, Some(Decision::Masked(_))) => false,
        // A reference that is not copied is NULL, which refers to nothing.
        (Some(Decision::Excluded { .. }), _) => true,
        (_, Some(Decision::Excluded { .. })) => false,
        _ => true,
    }
}
