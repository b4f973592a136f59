//! Columns that a profile says nothing about: refused, or counted, as its coverage says.

use super::described;
use super::facts::Side;
use super::plan::{Decision, Input, Suspect, TablePlan};
use crate::error::{Error, Kind, Result, counted};
use crate::profile::Coverage;
use crate::profile::written::{flow, table_key};
use crate::signs;
use crate::signs::definitions::Definitions;
use crate::signs::propose::propose;

/// What is wrong with the undecided columns of a plan.
///
/// # Errors
/// XX000 when they cannot be looked at.
pub fn check(input: &Input<'_>, tables: &[TablePlan]) -> Result<Option<Error>> {
    Ok(match input.profile.coverage {
        Coverage::Copy => None,
        Coverage::Strict => strict(tables),
        Coverage::Detect => detected(&(input.personal)(tables)?),
    })
}

/// Those of the undecided columns that look personal.
///
/// # Errors
/// As [`signs::look()`].
pub fn suspects(tables: &[TablePlan], side: &Side, sample: u32) -> Result<Vec<Suspect>> {
    let open: Vec<_> = tables
        .iter()
        .filter_map(|table| {
            let columns: Vec<usize> = table
                .columns
                .iter()
                .enumerate()
                .filter(|(_, column)| column.decision == Decision::Copied)
                .map(|(place, _)| place)
                .collect();
            (!columns.is_empty()).then(|| (described::table(&table.source, side), columns))
        })
        .collect();
    let verdicts = signs::look(&open, sample)?;
    Ok(open
        .into_iter()
        .zip(verdicts)
        .flat_map(|((table, columns), verdicts)| {
            columns
                .into_iter()
                .zip(verdicts)
                .filter(|(_, verdict)| verdict.is_personal())
                .map(|(place, verdict)| Suspect {
                    table: table.name.clone(),
                    column: table.columns[place].name.clone(),
                    verdict,
                })
                .collect::<Vec<_>>()
        })
        .collect())
}

/// Whatever nobody decided about.
fn strict(tables: &[TablePlan]) -> Option<Error> {
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
        yaml.push_str(&format!(
            "  {}:\n    preserve:\n",
            table_key(&table.source.name)
        ));
        for column in open {
            names.push(format!("{}.{column}", table.source.name));
            yaml.push_str(&format!("      - {{column: {}, why: …}}\n", flow(column)));
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

/// What looks personal, and the rules to paste.
fn detected(suspects: &[Suspect]) -> Option<Error> {
    if suspects.is_empty() {
        return None;
    }
    let mut detail = String::from("Undecided:");
    let mut strategies = Definitions::default();
    let mut yaml = String::from("tables:\n");
    let mut last = None;
    for Suspect {
        table,
        column,
        verdict,
    } in suspects
    {
        let Some(category) = verdict.category else {
            continue;
        };
        detail.push_str(&format!(
            "\n  {table}.{column}: {} ({:.2}; {})",
            category.name(),
            verdict.confidence,
            verdict.why
        ));
        let proposal = propose(category, verdict.sort, &verdict.parts);
        let strategy = strategies.name(Some(category), &proposal);
        if last != Some(table) {
            yaml.push_str(&format!("  {}:\n    rules:\n", table_key(table)));
            last = Some(table);
        }
        yaml.push_str(&format!(
            "      - {{column: {}, strategy: {strategy}}}\n",
            flow(column)
        ));
    }
    let strategies = strategies.written();
    Some(
        Error::new(
            Kind::NotReady,
            format!(
                "the profile says nothing about {} that look{} personal",
                counted(suspects.len() as u64, "column"),
                if suspects.len() == 1 { "s" } else { "" }
            ),
        )
        .with_detail(detail)
        .with_hint(format!(
            "Give each a rule, or preserve it with a reason:\nstrategies:\n{strategies}{yaml}\
             confiture.suggest_profile writes a whole profile."
        )),
    )
}
