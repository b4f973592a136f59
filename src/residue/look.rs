//! The look around: one kind of place after another.

use super::{Finding, Severity, Table, still_held, store};
use crate::error::{Result, counted};
use crate::pg::pages::Remains;
use crate::pg::server;
use crate::pg::subxact::{Failure, tried};

/// Looks at the tables of a schema; of all, without one.
///
/// # Errors
/// 3F000 when there is no such schema; as the interface.
pub fn look(schema: Option<&str>) -> Result<Vec<Finding>> {
    let tables = store::tables(schema)?;
    let mut found = Vec::new();
    let mut has_old_rows = false;
    for table in &tables {
        server::check_for_interrupts();
        if !table.is_owned {
            found.push(Finding::new(
                "table",
                table.shown.clone(),
                Severity::Check,
                "was not looked at: only its owner may",
            ));
            continue;
        }
        let before = found.len();
        let newest = files(table, &mut found);
        has_old_rows |= found.len() > before;
        found.extend(samples_of(table, newest)?);
    }
    if has_old_rows {
        found.extend(store::holders()?);
    }
    catalog(&mut found)?;
    found.extend(store::missing_values(&tables)?);
    found.extend(store::derived(&tables, schema)?);
    found.extend(store::look_alikes()?);
    found.extend(store::large_objects(&tables)?);
    found.extend(store::outside()?);
    Ok(found)
}

/// Old versions of rows in the files of a table. Gives the transaction that was the last to change
/// rows, as far as they show it.
fn files(table: &Table, found: &mut Vec<Finding>) -> Option<u32> {
    // VACUUM FULL keeps the rows that a materialized view has now, whatever they are made of.
    let clear = match table.kind {
        'm' => format!("REFRESH MATERIALIZED VIEW {};", table.shown),
        _ => format!("VACUUM FULL {};", table.shown),
    };
    let places = [("heap", Some(table.oid)), ("toast", table.toast)];
    let mut newest = None;
    for (kind, relation) in places {
        let Some(remains) = relation.and_then(store::remains) else {
            continue;
        };
        if kind == "heap" {
            newest = remains.newest;
        }
        if let Some(text) = told(remains) {
            // What a run wrote is masked; what came afterwards may not be.
            let (severity, text) = match table.is_rewritten {
                true => (
                    Severity::Check,
                    format!("{text}, written or changed since the run"),
                ),
                false => (Severity::Found, text),
            };
            found.push(
                Finding::new(kind, table.shown.clone(), severity, text).cleared_by(clear.clone()),
            );
        }
    }
    newest
}

/// What there is of old rows, in words; `None` where there is nothing.
fn told(remains: Remains) -> Option<String> {
    let places = [
        (remains.old_rows, "old row version", ""),
        (
            remains.with_dropped,
            "row",
            " with values of dropped columns",
        ),
        (
            remains.pages,
            "page",
            " with bytes of rows that were removed",
        ),
    ];
    let there = places.iter().filter(|(number, _, _)| *number > 0);
    let told: Vec<_> = there
        .map(|(number, of, more)| format!("{}{more}", counted(*number, of)))
        .collect();
    (!told.is_empty()).then(|| told.join(", and "))
}

/// What [`samples`] finds; or, where the table cannot be read, that it was not: one table of somebody
/// stops nobody from looking at the others.
fn samples_of(table: &Table, newest: Option<u32>) -> Result<Vec<Finding>> {
    let mut found = Vec::new();
    let Err(failure) = tried(|| samples(table, newest, &mut found)) else {
        return Ok(found);
    };
    let error = match failure {
        Failure::Own(error) => return Err(error),
        Failure::Server(error) => error,
    };
    let why = match error.sqlstate.as_str() {
        "42501" => "code of another role would run with your rights".to_owned(),
        state => format!("the server reports SQLSTATE {state}"),
    };
    found.push(Finding::new(
        "statistics",
        table.shown.clone(),
        Severity::Check,
        format!("were not looked at: {why}"),
    ));
    Ok(found)
}

/// Samples of values, kept for the planner, that the table no longer holds.
fn samples(table: &Table, newest: Option<u32>, found: &mut Vec<Finding>) -> Result<()> {
    let analyze = format!("ANALYZE {};", table.shown);
    let mut is_stale = false;
    for sample in store::samples(table)? {
        let asked = still_held(table, &sample);
        let kept = sample.values.len() as u64;
        let gone = kept.saturating_sub(store::count(&asked, sample.values)?);
        if gone == 0 {
            continue;
        }
        is_stale = true;
        let (kind, object) = match &sample.keeper {
            Some(name) => ("extended statistics", name.clone()),
            None => ("statistics", table.shown.clone()),
        };
        found.push(
            Finding::new(
                kind,
                object,
                Severity::Found,
                format!("{gone} of {kept} sampled values are in no row of the table"),
            )
            .in_column(&sample.column)
            .cleared_by(analyze.clone()),
        );
    }
    // What an expression makes of a row is not computed here: that would run its code.
    for sampled in store::sampled_expressions(table)? {
        if is_stale || sampled.is_older(newest) {
            found.push(
                Finding::new(
                    "expression statistics",
                    sampled.object,
                    Severity::Found,
                    format!(
                        "values of {} were sampled before rows were changed",
                        sampled.what
                    ),
                )
                .cleared_by(analyze.clone()),
            );
        }
    }
    Ok(())
}

/// The catalogs in which such samples, and missing values, are parts of rows, with old versions of their own.
fn catalog(found: &mut Vec<Finding>) -> Result<()> {
    for (name, relations) in store::catalogs()? {
        let mut all = Remains::default();
        for remains in relations.into_iter().filter_map(store::remains) {
            all.old_rows += remains.old_rows;
            all.pages += remains.pages;
        }
        if let Some(text) = told(all) {
            let name = format!("pg_catalog.{name}");
            found.push(
                Finding::new(
                    "catalog",
                    name.clone(),
                    Severity::Check,
                    format!("{text}: values of columns, of any table"),
                )
                .cleared_by(format!("VACUUM FULL {name};")),
            );
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn residue_of_files_is_told_in_words() {
        let of = |old_rows, pages| {
            told(Remains {
                old_rows,
                pages,
                ..Remains::default()
            })
        };
        assert_eq!(of(0, 0), None);
        assert_eq!(
            of(0, 1).unwrap(),
            "1 page with bytes of rows that were removed"
        );
        assert_eq!(
            of(3, 2).unwrap(),
            "3 old row versions, and 2 pages with bytes of rows that were removed"
        );
        let dropped = Remains {
            with_dropped: 1,
            ..Remains::default()
        };
        assert_eq!(
            told(dropped).unwrap(),
            "1 row with values of dropped columns"
        );
    }
}
