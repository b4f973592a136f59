//! The checks of a run, made: every one must hold, or the run is taken back.

use std::collections::BTreeMap;

use serde_json::json;

use super::checks::{self, Check, Counted, whole};
use super::evidence::Evidence;
use super::facts::Side;
use super::fired;
use super::leaks;
use super::leaks::running::Scan;
use super::links::Link;
use super::options::{LeakScan, Options};
use super::plan::{Checked, Decision, Plan};
use super::redraw::{Named, Seen};
use super::workers;
use crate::anonymity;
use crate::error::{Error, Kind, Result, counted};
use crate::pg::argument::Relation;
use crate::pg::snapshot::Snapshot;
use crate::pg::{heap, report, server, spi};
use crate::profile::Coverage;
use crate::profile::scope::Gate;

/// Holds the rows written against those read, table by table.
///
/// # Errors
/// As the interface. Server errors unwind.
pub fn rows(
    plan: &Plan,
    source: &Side,
    loaded: &[(String, u64, f64)],
    redrawn: &BTreeMap<Named, Seen>,
    snapshot: &Snapshot,
) -> Result<Vec<Check>> {
    let numbers = |sql: &str| numbers(sql, snapshot);
    let mut found = Vec::new();
    for (table, (_, rows, _)) in plan.tables.iter().zip(loaded) {
        let mut survivors = Vec::new();
        for query in checks::survivors(table, &plan.target, source) {
            survivors.extend(numbers(&query)?);
        }
        let counted = Counted {
            loaded: *rows,
            source: numbers(&checks::source_counts(table))?,
            target: numbers(&checks::target_counts(table, &plan.target, source))?,
            survivors,
            draws: checks::draws(table, redrawn),
        };
        found.extend(checks::compare(table, &plan.target, source, &counted));
    }
    Ok(found)
}

/// How many references of the source find nothing, of each that the server does not check.
///
/// # Errors
/// As [`rows`].
pub fn orphans_before(plan: &Plan, snapshot: &Snapshot) -> Result<Vec<f64>> {
    unchecked(plan)
        .map(|link| orphans_of(link, plan, false, snapshot))
        .collect()
}

/// Holds the references of the target against those of the source, as counted by
/// [`orphans_before`], and says what else is known of the whole.
///
/// # Errors
/// As [`rows`].
pub fn whole_of(
    run: &Evidence<'_>,
    plan: &Plan,
    before: &[f64],
    snapshot: &Snapshot,
) -> Result<Vec<Check>> {
    let mut found = vec![Check {
        passed: true,
        report: json!({"check": "foreign keys validated by the server", "count": plan.prepare.checked.len()}),
    }];
    for (link, before) in unchecked(plan).zip(before) {
        let after = orphans_of(link, plan, true, snapshot)?;
        found.push(orphans(link, plan, *before, after));
    }
    found.push(Check {
        passed: true,
        report: json!({"check": "unique indexes kept by the server", "count": plan.prepare.unique}),
    });
    found.push(coverage(plan, run.profile.coverage));
    Ok(found)
}

/// Holds the foreign keys that mode swap leaves in their place against the new rows.
///
/// # Errors
/// As the interface.
pub fn keys(plan: &Plan, snapshot: &Snapshot) -> Result<Vec<Check>> {
    let mut checks = Vec::new();
    for key in plan.prepare.swap.iter().flatten() {
        let mut found = 0.0;
        for query in key.violations() {
            found += numbers(&query, snapshot)?.into_iter().sum::<f64>();
        }
        checks.push(Check {
            passed: found == 0.0,
            report: json!({"check": "rows that a foreign key does not allow",
                           "table": key.child.name, "column": key.columns(),
                           "constraint": key.name, "found": whole(found)}),
        });
    }
    Ok(checks)
}

/// Holds tables of the target to the gates of the profile: every class of equal quasi-identifiers is
/// as large as is asked for.
///
/// # Errors
/// As the interface.
pub fn gates(plan: &Plan, gates: &[Gate]) -> Result<Vec<Check>> {
    gates.iter().map(|gate| gated(plan, gate)).collect()
}

fn gated(plan: &Plan, gate: &Gate) -> Result<Check> {
    server::check_for_interrupts();
    let name = &gate.table.name;
    let number = heap::relation(&plan.target, name)
        .ok_or_else(|| Error::new(Kind::Internal, "a table of a gate has gone"))?;
    let table = anonymity::store::relation(Relation(number.to_u32()))?;
    let names: Vec<_> = gate.quasi_identifiers.iter().cloned().map(Some).collect();
    let sizes = anonymity::store::sizes(&table, &table.keys(&names)?, Some(&Snapshot::latest()))?;
    let found = anonymity::risk::smallest(&sizes);
    Ok(Check {
        passed: found.is_none_or(|found| found >= gate.k),
        report: json!({"check": GATE, "table": name, "column": gate.quasi_identifiers.join(", "),
                       "k": gate.k, "found": found}),
    })
}

const GATE: &str = "classes of equal quasi-identifiers are large enough";

fn numbers(sql: &str, snapshot: &Snapshot) -> Result<Vec<f64>> {
    server::check_for_interrupts();
    let text = spi::text_under(sql, snapshot)?.unwrap_or_default();
    serde_json::from_str(&text)
        .map_err(|_| Error::new(Kind::Internal, "a check did not return numbers"))
}

fn unchecked(plan: &Plan) -> impl Iterator<Item = &Link> {
    plan.links.iter().filter(|link| !is_checked(link, plan))
}

fn orphans_of(link: &Link, plan: &Plan, in_target: bool, snapshot: &Snapshot) -> Result<f64> {
    let counted = numbers(&checks::orphans(link, plan, in_target), snapshot)?;
    Ok(counted.first().copied().unwrap_or(f64::NAN))
}

/// Whether the server has checked a reference when the foreign key was added, or [`keys`] does.
fn is_checked(link: &Link, plan: &Plan) -> bool {
    let name = |i: usize, part: &Option<String>| {
        let whole = || plan.tables[i].source.name.clone();
        part.clone().unwrap_or_else(whole)
    };
    let child = name(link.child, &link.child_part);
    let parent = name(link.parent, &link.parent_part);
    let (mine, theirs) = (&link.columns, &link.parent_columns);
    let mut pairs: Vec<_> = mine.iter().zip(theirs).collect();
    pairs.sort();
    let kept = plan.prepare.swap.iter().flatten().any(|key| {
        let (here, there) = (&key.child, &key.parent);
        let mut other: Vec<_> = here.columns.iter().zip(&there.columns).collect();
        other.sort();
        let is_in_target = here.schema == plan.target && there.schema == plan.target;
        is_in_target && here.name == child && there.name == parent && other == pairs
    });
    kept || plan.prepare.checked.iter().any(|key: &Checked| {
        let mut other: Vec<_> = key.columns.iter().zip(&key.target_columns).collect();
        other.sort();
        key.table == child && key.target == parent && other == pairs
    })
}

/// A reference that finds nothing in the source finds nothing in the target, and no other.
fn orphans(link: &Link, plan: &Plan, before: f64, after: f64) -> Check {
    let child = &plan.tables[link.child];
    let may_be_null = link.columns.iter().any(|column| {
        child
            .decision(column)
            .is_some_and(|decision| match decision {
                Decision::Excluded { .. } => true,
                Decision::Masked(masked) => checks::gives_null(masked),
                Decision::Copied | Decision::Generated | Decision::Preserved { .. } => false,
            })
    });
    let check = match link.name {
        Some(_) => "orphans of an unchecked foreign key",
        None => "orphans of a declared foreign key",
    };
    Check {
        passed: before.to_bits() == after.to_bits() || may_be_null && after < before,
        report: json!({"check": check, "table": child.source.name, "column": link.columns.join(", "),
                       "constraint": link.name, "source": whole(before), "target": whole(after)}),
    }
}

fn coverage(plan: &Plan, asked: Coverage) -> Check {
    let columns = || plan.tables.iter().flat_map(|table| &table.columns);
    let count = |word: &str| {
        let decided = columns().filter(|column| column.decision.name() == word);
        decided.count()
    };
    Check {
        passed: count("copied") == 0 || asked != Coverage::Strict,
        report: json!({"check": "every column is decided", "columns": columns().count(),
                       "masked": count("masked"), "preserved": count("preserved"),
                       "excluded": count("excluded"), "generated": count("generated"),
                       "undecided": count("copied")}),
    }
}

/// The scans of a run; none where nobody looks.
pub fn scans(plan: &Plan, source: &Side, scanned: bool) -> Vec<Scan> {
    if !scanned {
        return Vec::new();
    }
    leaks::watched(plan, source)
        .into_iter()
        .map(|(_, watched)| Scan {
            texts: watched
                .texts
                .iter()
                .map(|text| (text.name.to_owned(), text.escapes, text.is_masked))
                .collect(),
            found: vec![0; watched.texts.len()],
        })
        .collect()
}

/// Of each table of a plan the number of its scan, where it has one.
pub fn numbers_of_scans(plan: &Plan, source: &Side, scanned: bool) -> Vec<Option<usize>> {
    let watched = match scanned {
        true => leaks::watched(plan, source),
        false => Vec::new(),
    };
    let number = |name: &str| watched.iter().position(|(of, _)| *of == name);
    let names = plan.tables.iter().map(|table| &*table.source.name);
    names.map(number).collect()
}

/// Looks at what user triggers of the target may have written: texts once more, in the target, and
/// what is kept.
///
/// # Errors
/// As [`rows`].
pub fn fired(
    plan: &Plan,
    source: &Side,
    options: &Options,
    snapshot: &Snapshot,
) -> Result<Vec<Check>> {
    let scanned = options.leak_scan != LeakScan::Off;
    let installed = leaks::running::install(scans(plan, source, scanned));
    let mut found = Vec::new();
    let mut seen = Vec::new();
    let mut number = 0;
    for table in &plan.tables {
        if let Some(watched) = leaks::Watched::of(table, source).filter(|_| scanned) {
            if let Some(sql) = fired::scan(table, &plan.target, source, &watched, number) {
                server::check_for_interrupts();
                workers::alone(|| spi::text_under(&sql, snapshot))?;
                seen.push(json!(table.source.name));
            }
            number += 1;
        }
        if let Some((sql, columns)) = fired::changed(table, &plan.target, source) {
            found.extend(fired::seen(table, &columns, &numbers(&sql, snapshot)?));
        }
    }
    let leaks = leaks(plan, source, &installed.finish(), options);
    let leaks = leaks
        .into_iter()
        .filter(|check| seen.contains(&check.report["table"]));
    found.extend(leaks.map(|mut check| {
        // The same was said of the rows on their way.
        check.report["after"] = json!("triggers");
        check
    }));
    Ok(found)
}

/// What the scans have found.
pub fn leaks(plan: &Plan, source: &Side, scans: &[Scan], options: &Options) -> Vec<Check> {
    let refuses = options.leak_scan == LeakScan::Refuse;
    let tables = leaks::watched(plan, source);
    let mut checks = Vec::new();
    for ((table, _), scan) in tables.into_iter().zip(scans) {
        for ((column, _, _), found) in scan.texts.iter().zip(&scan.found) {
            if *found > 0 && !refuses {
                report::notice(&format!(
                    "{table}.{column}: {} an identifier of the same row",
                    match found {
                        1 => "1 row holds".to_owned(),
                        many => format!("{many} rows hold"),
                    }
                ));
            }
            checks.push(Check {
                passed: *found == 0 || !refuses,
                report: json!({"check": LEAK, "table": table, "column": column, "found": found}),
            });
        }
    }
    checks
}

/// Every check must hold.
///
/// # Errors
/// 23000 with the checks that do not.
pub fn judged(found: &[Check]) -> Result<()> {
    let failed: Vec<_> = found.iter().filter(|check| !check.passed).collect();
    if failed.is_empty() {
        return Ok(());
    }
    let lines: Vec<_> = failed
        .iter()
        .map(|check| check.report.to_string())
        .collect();
    let all = |what: &str| failed.iter().all(|check| check.report["check"] == what);
    let hint = match all(LEAK) {
        _ if all(GATE) => {
            "The target is as it was before. anon_suggest_generalization tells which generalization \
             of the source is enough."
        }
        true => {
            "The target is as it was before. Mask these columns, by \"text\" or \"json\" with the \
             identifiers of the row as input, or otherwise; the option leak_scan report lets them \
             through and counts them."
        }
        false => "The target is as it was before. Look at the named columns with confiture.plan.",
    };
    Err(Error::new(
        Kind::IntegrityConstraint,
        format!(
            "{} of the target failed",
            counted(failed.len() as u64, "check")
        ),
    )
    .with_detail(lines.join("\n"))
    .with_hint(hint))
}

const LEAK: &str = "no text holds an identifier of its row";
