//! Looks at columns: names and types first, planner statistics where they leave a doubt, samples
//! where statistics leave one too.

use super::tables::Context;
use super::values::Tally;
use super::{Access, Sort, Table, Verdict, judge, store};
use crate::error::Result;

/// Judges columns of tables, named by their places; `sample` is the most rows of a table that are
/// read, and 0 reads none. Values are read with the rights of the caller, under pinned settings.
///
/// # Errors
/// XX000 when the interface fails.
pub fn look(tables: &[(Table, Vec<usize>)], sample: u32) -> Result<Vec<Vec<Verdict>>> {
    listen(tables, sample, To::Everything)
}

/// As [`look`], but no name says anything: neither that of a table nor that of a column.
///
/// # Errors
/// XX000 when the interface fails.
pub fn look_at_values(tables: &[(Table, Vec<usize>)], sample: u32) -> Result<Vec<Vec<Verdict>>> {
    listen(tables, sample, To::Values)
}

/// What is listened to.
#[derive(Clone, Copy, PartialEq, Eq)]
enum To {
    Everything,
    Values,
}

fn listen(tables: &[(Table, Vec<usize>)], sample: u32, to: To) -> Result<Vec<Vec<Verdict>>> {
    let contexts: Vec<_> = tables
        .iter()
        .map(|(table, _)| match to {
            To::Everything => Context::of(&table.name, &table.columns),
            To::Values => Context::NONE,
        })
        .collect();
    let mut tallies: Vec<Vec<Option<Tally>>> = tables
        .iter()
        .map(|(_, columns)| vec![None; columns.len()])
        .collect();
    let verdict = |place: usize, of: usize, tally: Option<&Tally>| {
        let (table, columns) = &tables[place];
        let column = &table.columns[columns[of]];
        match to {
            To::Everything => judge(table, contexts[place], column, tally),
            To::Values => judge(table, contexts[place], &column.nameless(), tally),
        }
    };
    let mut wanted = Vec::new();
    for (place, (table, columns)) in tables.iter().enumerate() {
        for (of, column) in columns.iter().enumerate() {
            if table.columns[*column].is_readable() && verdict(place, of, None).confidence < SURE {
                wanted.push((place, of));
            }
        }
    }
    let named: Vec<_> = wanted
        .iter()
        .map(|(place, of)| {
            let (table, columns) = &tables[*place];
            (table, &table.columns[columns[*of]])
        })
        .collect();
    store::statistics(&named, |at, sort, value| {
        let (place, of) = wanted[at];
        let tally = tallies[place][of].get_or_insert_default();
        tally.add(sort, value);
    })?;
    if sample > 0 {
        for (place, (table, columns)) in tables.iter().enumerate() {
            if table.access != Access::Open {
                continue;
            }
            let doubtful: Vec<_> = columns
                .iter()
                .enumerate()
                .filter(|(of, column)| {
                    let column = &table.columns[**column];
                    let tally = tallies[place][*of].as_ref();
                    column.is_readable()
                        && (column.sort == Sort::Json
                            || verdict(place, *of, tally).confidence < SURE)
                })
                .map(|(of, column)| (of, *column))
                .collect();
            if doubtful.is_empty() {
                continue;
            }
            let read: Vec<_> = doubtful
                .iter()
                .map(|(_, column)| &table.columns[*column])
                .collect();
            let own = &mut tallies[place];
            let was_read = store::sample(table, &read, sample, |at, sort, value| {
                own[doubtful[at].0].get_or_insert_default().add(sort, value);
            })?;
            if was_read {
                for (of, _) in doubtful {
                    own[of].get_or_insert_default();
                }
            }
        }
    }
    Ok(tables
        .iter()
        .enumerate()
        .map(|(place, (_, columns))| {
            (0..columns.len())
                .map(|of| verdict(place, of, tallies[place][of].as_ref()))
                .collect()
        })
        .collect())
}

/// A column that is surer than this without a sample needs none.
const SURE: f64 = 0.85;
