//! The plan: a profile held against the catalog. Everything wrong is said before a row is read.

use std::collections::BTreeMap;

use super::facts::Table;
use super::links::Link;
use super::plan::{Decision, Input, Note, Outside, Plan, Purpose, TablePlan, Target};
use super::{
    coverage, decide, existing, in_place, links, noise, pairs, scope, swap, target, trust, unique,
};
use crate::error::{Error, Kind, Result, counted};
use crate::pg::ident;
use crate::profile;
use crate::strategies::nearest;

/// Makes the plan.
///
/// # Errors
/// The first thing that is wrong; its DETAIL counts and names the others.
pub fn make(input: &Input<'_>) -> Result<Plan> {
    check_schemas(input)?;
    if let Some(here) = input.in_place {
        in_place::refuse::beforehand(input, here)?;
    }
    let mut problems = Vec::new();
    let tables = tables(input, &mut problems);
    problems.extend(coverage::check(input, &tables)?);
    unique::check(&tables, input, &mut problems);
    let mut notes = Vec::new();
    let links = links::of(input, &tables, &mut problems, &mut notes);
    let more = links::of_target(input, &tables, &links);
    for links in [&links, &more] {
        pairs::check(links, &tables, input, &mut problems);
    }
    scope::check(&tables, &mut problems);
    gates(input, &tables, &mut problems);
    let outside = outside(input, &mut notes, &mut problems);
    // A view moves no row and runs no code but that of its reader's query.
    if input.purpose != Purpose::View {
        partition_keys(&tables, &mut problems);
        trust::check_types(input, &tables, &mut problems);
        trust::check(input.code, &mut problems);
    }
    if let Some(here) = input.in_place {
        in_place::refuse::check(input, here, &tables, &mut problems);
        // No key stays behind: those that lead elsewhere are added again as they were.
        notes.clear();
    }
    let prepare = match input.purpose {
        Purpose::Run => target::prepare(input, &tables, &mut problems),
        Purpose::Preview => {
            trust::check_read(input.source, &mut problems);
            Target::default()
        }
        Purpose::View => Target::default(),
    };
    if let Some(keys) = &prepare.swap {
        swap::refuse::check(input, keys, &tables, &prepare, &mut problems);
    }
    first(problems)?;
    let (tables, links) = match input.in_place {
        Some(_) => only_rewritten(tables, links),
        None => (tables, links),
    };
    Ok(Plan {
        source: input.source_name.to_owned(),
        target: input.target_name.to_owned(),
        tables,
        notes,
        remarks: Vec::new(),
        price: noise::Price::default(),
        prepare,
        links,
        unreached: input.options.subset_unreached,
        outside,
    })
}

/// Those of the tables that a run in place touches, and the references among them.
fn only_rewritten(tables: Vec<TablePlan>, links: Vec<Link>) -> (Vec<TablePlan>, Vec<Link>) {
    let mut next = 0..;
    let places: Vec<Option<usize>> = tables
        .iter()
        .map(|table| in_place::is_rewritten(table).then(|| next.next()).flatten())
        .collect();
    let moved = |mut link: Link| {
        link.child = places[link.child]?;
        link.parent = places[link.parent]?;
        Some(link)
    };
    let links = links.into_iter().filter_map(moved).collect();
    (
        tables.into_iter().filter(in_place::is_rewritten).collect(),
        links,
    )
}

/// The tables of the profile with what happens to their columns.
fn tables(input: &Input<'_>, problems: &mut Vec<Error>) -> Vec<TablePlan> {
    let mut tables = Vec::new();
    let mut seen: BTreeMap<u32, ()> = BTreeMap::new();
    for asked in &input.profile.tables {
        let Some(table) = find(input, asked, problems) else {
            continue;
        };
        if seen.insert(table.oid, ()).is_some() {
            problems.push(Error::new(
                Kind::InvalidParameter,
                format!("table {} stands twice in the profile", table.shown()),
            ));
            continue;
        }
        let columns = decide::columns(input, asked, table, problems);
        let filter = decide::filter(&asked.filter, table, input.source, problems);
        let partitions = input.source.partitions(table.oid);
        let rows = table.rows + partitions.iter().map(|part| part.rows).sum::<f64>();
        tables.push(TablePlan {
            source: table.clone(),
            columns,
            filter,
            seed: seed(input, table, problems),
            limit: asked.limit,
            expected: rows,
            rows,
            has_foreign_parts: partitions.iter().any(|part| part.kind == 'f'),
            triggers: input.options.triggers,
            overriding: input.target.table(&table.name).is_some_and(is_overridden)
                || is_overridden(table),
            waiting: input
                .in_place
                .map(|_| in_place::replace::waiting(tables.len())),
        });
    }
    tables
}

/// Whether the server would rather number the rows itself.
fn is_overridden(table: &Table) -> bool {
    table.columns.iter().any(|column| column.identity == "a")
}

/// The condition of the rows of a table that a subset begins with.
fn seed(input: &Input<'_>, table: &Table, problems: &mut Vec<Error>) -> Option<String> {
    let is_it = |seed: &&profile::scope::Seed| seed.table.may_be(Some(&table.schema), &table.name);
    let seed = input.profile.subset.iter().find(is_it)?;
    let filter = decide::filter(&seed.filter, table, input.source, problems);
    Some(filter.unwrap_or_else(|| "true".to_owned()))
}

/// The columns that gates hold tables to must be there, and be copied.
fn gates(input: &Input<'_>, tables: &[TablePlan], problems: &mut Vec<Error>) {
    for gate in &input.profile.gates {
        let is_it = |table: &&TablePlan| {
            gate.table
                .may_be(Some(&table.source.schema), &table.source.name)
        };
        // Where the table is missing, that is a problem already.
        let Some(table) = tables.iter().find(is_it) else {
            continue;
        };
        for column in &gate.quasi_identifiers {
            let decision = table.decision(column);
            if decision.is_none_or(|decision| matches!(decision, Decision::Excluded { .. })) {
                problems.push(Error::new(
                    Kind::UndefinedColumn,
                    format!(
                        "column \"{column}\" of a gate of table {} is not copied",
                        table.source.shown()
                    ),
                ));
            }
        }
    }
}

/// The tables of the source that are not copied: those excluded must be there, the others are
/// noted.
fn outside(input: &Input<'_>, notes: &mut Vec<Note>, problems: &mut Vec<Error>) -> Outside {
    const MOST: usize = 10;
    let there = &input.source.names;
    for excluded in &input.profile.exclude_tables {
        let name = &excluded.table.name;
        let in_source = excluded.table.may_be(Some(input.source_name), name);
        if in_source && there.contains(name) {
            continue;
        }
        let error = Error::new(
            Kind::UndefinedTable,
            format!(
                "excluded table \"{}.{name}\" does not exist",
                input.source_name
            ),
        );
        problems.push(match nearest(name, there.iter().map(String::as_str)) {
            Some(near) => error.with_hint(format!("Did you mean \"{near}\"?")),
            None => error,
        });
    }
    let is_named = |name: &&String| {
        let profile = input.profile;
        profile.tables.iter().any(|table| table.name == **name)
            || profile
                .exclude_tables
                .iter()
                .any(|one| one.table.name == **name)
    };
    let unnamed: Vec<String> = there
        .iter()
        .filter(|name| !is_named(name))
        .cloned()
        .collect();
    if !unnamed.is_empty() {
        let more = unnamed.len().saturating_sub(MOST);
        let shown = unnamed[..unnamed.len() - more].join(", ");
        let more = if more > 0 {
            format!(" and {more} more")
        } else {
            String::new()
        };
        notes.push(Note {
            warning: "tables_not_named",
            table: None,
            column: None,
            message: format!(
            "{} of schema \"{}\" are neither in the profile nor excluded, and not copied: {shown}{more}",
            counted(unnamed.len() as u64, "table"),
            input.source_name
            ),
            hint: "Name them in the profile, or list them under exclude_tables with a reason.",
        });
    }
    Outside {
        excluded: input.profile.exclude_tables.len(),
        unnamed,
    }
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
    let is_elsewhere = input.purpose == Purpose::Run && input.in_place.is_none();
    if input.source_name == input.target_name && is_elsewhere {
        return Err(Error::new(
            Kind::InvalidParameter,
            "source and target are the same schema",
        ));
    }
    check_source(input)?;
    match &input.target.schema {
        _ if input.purpose != Purpose::Run => Ok(()),
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

fn check_source(input: &Input<'_>) -> Result<()> {
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
    Ok(())
}

fn find<'a>(
    input: &Input<'a>,
    asked: &profile::Table,
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
            existing::hidden_rows(table.owned),
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
