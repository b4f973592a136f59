//! What of a row the trackers of a run see: the columns of its key as the target stores them, and
//! of each masked column the value as it was and as the target stores it.

use super::fit::How;
use super::leaks;
use super::plan::{ColumnPlan, Decision, Plan, TablePlan};
use crate::ledger::lineage::binding::RowBinding;
use crate::pg::ident::quote;

/// Most pairs of one call: a function takes 100 arguments, and a key may have 32 columns.
const MOST_PAIRS: usize = 32;

/// Most columns of one level of a statement (`MaxTupleAttributeNumber`).
const MOST_COLUMNS: usize = 1664;

/// The columns of a table that are watched.
pub struct Watch<'a> {
    /// The key of a row, where all of it is known before the row is stored.
    key: Option<&'a [String]>,
    /// The masked columns whose values are known.
    pub columns: Vec<&'a str>,
}

impl<'a> Watch<'a> {
    /// What is watched of a table.
    pub fn of(table: &'a TablePlan) -> Self {
        Self {
            key: row_key(table),
            columns: masked(table)
                .filter(|(_, is_known)| *is_known)
                .map(|(column, _)| column.name.as_str())
                .collect(),
        }
    }

    /// What a value is bound to.
    pub fn binding(&self) -> RowBinding {
        self.key
            .map_or(RowBinding::None, |key| RowBinding::Key(key.to_vec()))
    }

    /// Whether the statement needs the value of a column as the target stores it.
    pub fn needs(&self, name: &str) -> bool {
        let in_key = self
            .key
            .is_some_and(|key| key.iter().any(|column| column == name));
        in_key || self.columns.contains(&name)
    }

    /// The calls that show a row to the trackers, whose numbers are taken from `next`. `place` is
    /// where a column stands among those written, and `read` reads an original by its name.
    fn calls(
        &self,
        next: &mut usize,
        place: impl Fn(&str) -> Option<usize>,
        read: impl Fn(&str) -> String,
    ) -> Vec<String> {
        let key: Vec<_> = self
            .key
            .unwrap_or_default()
            .iter()
            .filter_map(|name| place(name))
            .map(|i| format!(", m.c{i}"))
            .collect();
        let pairs: Vec<_> = self
            .columns
            .iter()
            .enumerate()
            .filter_map(|(i, name)| {
                let original = read(&format!("o{i}"));
                Some(format!(", {original}, m.c{}", place(name)?))
            })
            .collect();
        pairs
            .chunks(MOST_PAIRS)
            .map(|pairs| {
                let first = *next;
                *next += pairs.len();
                format!(
                    "confiture._run_track({first}, {}{}{})",
                    key.len(),
                    key.concat(),
                    pairs.concat()
                )
            })
            .collect()
    }
}

/// Who looks at the rows of a table on their way.
pub struct Lookers<'a> {
    /// The trackers.
    pub watch: Option<Watch<'a>>,
    /// The scan for what gives a row away, with the number of the table.
    pub scan: Option<(leaks::Watched<'a>, usize)>,
}

impl Lookers<'_> {
    /// The rows, each shown: `names` and `values` are the columns written, `from` has the source as
    /// `s`. Takes the numbers of the trackers from `next`.
    pub fn select(
        &self,
        names: &[String],
        values: &[String],
        from: &str,
        next: &mut usize,
    ) -> String {
        let place = |name: &str| {
            let name = quote(name);
            names.iter().position(|written| *written == name)
        };
        let mut originals = Vec::new();
        if let Some(watch) = &self.watch {
            let columns = watch.columns.iter().enumerate();
            originals
                .extend(columns.map(|(i, name)| (format!("s.{}", quote(name)), format!("o{i}"))));
        }
        if let Some((scan, _)) = &self.scan {
            originals.extend(scan.columns());
        }
        // A table may be so wide that its originals have no room beside what is written.
        let is_wide = values.len() + originals.len() > MOST_COLUMNS;
        let read = |name: &str| match originals.iter().position(|(_, known)| known == name) {
            Some(i) if is_wide => format!("(m.o).f{}", i + 1),
            _ => format!("m.{name}"),
        };
        let mut calls = Vec::new();
        if let Some(watch) = &self.watch {
            calls.extend(watch.calls(next, place, read));
        }
        if let Some((scan, number)) = &self.scan {
            let written = |name: &str| place(name).map(|i| format!("m.c{i}"));
            calls.extend(scan.calls(*number, written, |i, _| read(&format!("i{i}"))));
        }
        if calls.is_empty() {
            return format!("SELECT {} FROM {from}", values.join(", "));
        }
        let mut inner: Vec<_> = values
            .iter()
            .enumerate()
            .map(|(i, value)| format!("{value} AS c{i}"))
            .collect();
        if is_wide {
            let values: Vec<_> = originals.iter().map(|(value, _)| &**value).collect();
            inner.push(format!("ROW({}) AS o", values.join(", ")));
        } else {
            inner.extend(
                originals
                    .iter()
                    .map(|(value, name)| format!("{value} AS {name}")),
            );
        }
        let outer: Vec<_> = (0..values.len()).map(|i| format!("m.c{i}")).collect();
        // OFFSET 0 keeps the server from mixing the levels: no value is computed twice, and no row
        // is shown that a filter drops.
        format!(
            "SELECT {} FROM (SELECT {} FROM {from} OFFSET 0) AS m WHERE {}",
            outer.join(", "),
            inner.join(", "),
            calls.join(" AND ")
        )
    }
}

/// The masked columns of a table, and whether their new values are known before they are stored.
pub fn masked(table: &TablePlan) -> impl Iterator<Item = (&ColumnPlan, bool)> {
    table
        .columns
        .iter()
        .filter_map(|column| match &column.decision {
            Decision::Masked(masked) => Some((column, masked.how != How::Default)),
            _ => None,
        })
}

/// Table and column behind each tracker, in the order of their numbers.
pub fn trackers(plan: &Plan) -> Vec<(&str, &str)> {
    plan.tables
        .iter()
        .flat_map(|table| {
            let columns = Watch::of(table).columns;
            columns
                .into_iter()
                .map(|column| (table.source.name.as_str(), column))
        })
        .collect()
}

/// The primary key of a table, where the run writes every column of it.
fn row_key(table: &TablePlan) -> Option<&[String]> {
    let written = |name: &String| match table.decision(name) {
        Some(Decision::Copied | Decision::Preserved { .. }) => true,
        Some(Decision::Masked(masked)) => masked.how != How::Default,
        Some(Decision::Excluded { .. } | Decision::Generated) | None => false,
    };
    table
        .source
        .constraints
        .iter()
        .find(|constraint| constraint.kind == 'p' && constraint.columns.iter().all(written))
        .map(|constraint| constraint.columns.as_slice())
}
