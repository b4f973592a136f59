//! What keeps a run from masking a schema in place.

use super::super::facts::Table;
use super::super::fit::How;
use super::super::plan::{Decision, Input, TablePlan};
use super::{Surroundings, is_rewritten};
use crate::error::{Error, Kind, Result};

/// What is said before anything is looked at: whether this may be the place for it at all.
///
/// # Errors
/// 55000 where the server does not allow it, or the schema is one that runs read; 42501 where the
/// caller cannot make temporary tables.
pub fn beforehand(input: &Input<'_>, here: &Surroundings) -> Result<()> {
    let schema = input.source_name;
    if !here.is_allowed {
        return Err(Error::new(
            Kind::NotReady,
            "masking in place is not allowed in this database",
        )
        .with_detail("It replaces the only values there are. On production that would be a loss.")
        .with_hint(
            "On a copy, a superuser sets confiture.allow_in_place for its server or database \
             (ALTER DATABASE … SET confiture.allow_in_place = on); or look first, with the option \
             dry_run.",
        ));
    }
    if here.is_source {
        return Err(Error::new(
            Kind::NotReady,
            format!("schema \"{schema}\" is one that runs read as their source"),
        )
        .with_detail("So this looks like production, whose values must not be replaced.")
        .with_hint(
            "If this database is a copy of that one, call with options => '{\"was_source\": true}'.",
        ));
    }
    if !here.may_make_temporary {
        return Err(Error::new(
            Kind::Permission,
            "permission denied to make temporary tables in this database",
        )
        .with_detail("The masked rows wait in one until they replace the originals.")
        .with_hint("Grant TEMPORARY on the database to the role that runs."));
    }
    Ok(())
}

/// Adds a problem for everything that keeps the tables from being rewritten.
pub fn check(
    input: &Input<'_>,
    here: &Surroundings,
    tables: &[TablePlan],
    problems: &mut Vec<Error>,
) {
    if problems.is_empty() && !tables.iter().any(is_rewritten) {
        problems.push(
            Error::new(
                Kind::InvalidParameter,
                format!(
                    "the profile masks nothing in schema \"{}\"",
                    input.source_name
                ),
            )
            .with_hint("Give a column a rule, or exclude it."),
        );
    }
    for table in tables {
        let parts = || {
            let parts = input.source.partitions(table.source.oid);
            std::iter::once(&table.source).chain(parts)
        };
        problems.extend(parts().filter_map(of_kind));
        if !is_rewritten(table) {
            continue;
        }
        problems.extend(parts().filter_map(|part| masked_already(input, here, part)));
        if table.filter.is_some() || table.seed.is_some() || table.limit.is_some() {
            problems.push(
                Error::new(
                    Kind::InvalidParameter,
                    format!(
                        "the profile does not cover every row of table {}",
                        table.source.shown()
                    ),
                )
                .with_detail(
                    "In place every row is masked: one that a condition leaves out would stay as \
                     it is, or be lost.",
                )
                .with_hint(
                    "Use a profile without where, subset and limit, and delete what is not needed \
                     before.",
                ),
            );
        }
        leading_out(table, tables, problems);
    }
}

fn of_kind(table: &Table) -> Option<Error> {
    (!['r', 'p'].contains(&table.kind)).then(|| {
        Error::new(
            Kind::Unsupported,
            format!("table {} is foreign", table.shown()),
        )
        .with_hint("Mask it on the server that holds it.")
    })
}

fn masked_already(input: &Input<'_>, here: &Surroundings, table: &Table) -> Option<Error> {
    let is_it = |(schema, name): &(String, String)| *schema == table.schema && *name == table.name;
    let is_made = table.schema == input.source_name && input.source.made.contains(&table.name);
    let (what, hint) = if here.marked.iter().any(is_it) {
        (
            "was masked in place before",
            "Its values are pseudonyms, which a second time would change: see \
             confiture.masked_in_place. To mask it by another profile, load its originals anew.",
        )
    } else if is_made {
        (
            "was made by a run, and holds masked values",
            "Run confiture.sync again to have it filled anew.",
        )
    } else {
        return None;
    };
    Some(Error::new(Kind::NotReady, format!("table {} {what}", table.shown())).with_hint(hint))
}

/// A reference to a table that is not masked with this one would lead nowhere.
fn leading_out(table: &TablePlan, tables: &[TablePlan], problems: &mut Vec<Error>) {
    let keys = table.source.constraints.iter();
    for key in keys.filter(|key| key.kind == 'f' && key.validated) {
        let Some(target) = &key.target else { continue };
        if tables.iter().any(|other| other.source.oid == target.oid) {
            continue;
        }
        let breaks = |name: &&String| matches!(table.decision(name), Some(Decision::Masked(masked)) if masked.how != How::Null);
        if let Some(column) = key.columns.iter().find(breaks) {
            problems.push(
                Error::new(
                    Kind::InvalidParameter,
                    format!(
                        "masked column \"{column}\" of table {} refers to table \"{}.{}\", which \
                         the run does not mask",
                        table.source.shown(),
                        target.schema,
                        target.name
                    ),
                )
                .with_hint("Preserve it with a reason, or name that table in the profile too."),
            );
        }
    }
}
