//! Rows joined to their tokens: the FROM clause of a table with columns that the vault replaces.
//!
//! Beside every row stands the key that its value's token is found by, in a temporary table of the
//! run that has each key once. The server joins them as a whole, on disk where memory does not
//! suffice. A row whose token is not there is not copied, and the count of the rows tells.

use super::facts::Side;
use super::fit::{Call, How};
use super::plan::{Decision, Plan, TablePlan};
use super::statement;
use crate::pg::ident::quote;
use crate::strategies::ValueType;
use crate::vault::columns::{KEY_MARK, domain_of};

/// A column that the vault replaces.
pub struct Joined {
    /// The number of its mask, which gives the key.
    number: usize,
    key: String,
}

impl Joined {
    /// The column of that name, whose mask has that number and is called so.
    pub fn new(number: usize, called: &str) -> Self {
        Self {
            number,
            key: key(called),
        }
    }
}

/// The rows of a table as `s`, each with its keys; what joins them to `tokens`.
pub fn parts(table: &TablePlan, columns: &[Joined], tokens: &str) -> (String, String) {
    let rows = statement::rows(table);
    if columns.is_empty() {
        return (rows, String::new());
    }
    let name = |column: &Joined| quote(&unused(table, column.number));
    let keys: Vec<_> = columns
        .iter()
        .map(|column| format!("{} AS {}", column.key, name(column)))
        .collect();
    let joins = columns.iter().map(|column| {
        format!(
            " JOIN {tokens} AS t{number} ON t{number}.key OPERATOR(pg_catalog.=) s.{}",
            name(column),
            number = column.number,
        )
    });
    // A query of its own, as the server joins by columns only: masks are none.
    (
        format!("(SELECT s.*, {} FROM {rows}) AS s", keys.join(", ")),
        joins.collect(),
    )
}

/// The token of the row, of the column whose mask has that number.
pub fn token(number: usize) -> String {
    format!("t{number}.token")
}

/// The tokens of a domain that a run needs.
pub struct Needed {
    /// The domain.
    pub domain: String,
    /// A query for each column: `k` the key, `v` the value, `s` whose it is, of every row.
    rows: Vec<String>,
    has_subjects: bool,
}

/// What a plan needs of each domain.
pub fn needed(plan: &Plan, source: &Side) -> Vec<Needed> {
    let mut all = Vec::<Needed>::new();
    for (number, mask) in plan.masks("").iter().enumerate() {
        let Some(domain) = domain_of(mask.strategy) else {
            continue;
        };
        let found = plan.tables.iter().find_map(|table| {
            let is_it = table.source.name == mask.place.table;
            let call = is_it.then(|| called(table, &mask.place.column)).flatten()?;
            Some((table, call))
        });
        let Some((table, call)) = found else { continue };
        let place = match all.iter().position(|needed| needed.domain == domain) {
            Some(place) => place,
            None => {
                all.push(Needed {
                    domain: domain.to_owned(),
                    rows: Vec::new(),
                    has_subjects: false,
                });
                all.len() - 1
            }
        };
        let subject = call.inputs.first().and_then(|given| given.columns.first());
        all[place].has_subjects |= subject.is_some();
        all[place].rows.push(format!(
            "SELECT {} AS k, {} AS v, {} AS s FROM {}",
            key(&statement::key_of(
                call,
                number,
                &mask.place.column,
                table,
                source,
                &plan.target
            )),
            statement::input(&mask.place.column, &table.source, source),
            subject.map_or("NULL::pg_catalog.text".to_owned(), |name| {
                statement::as_written(name)
            }),
            statement::rows(table),
        ));
    }
    all
}

impl Needed {
    /// Every subject once, in the order that the mask of that number gives; `None` where tokens
    /// are nobody's.
    pub fn subjects(&self, order: usize) -> Option<String> {
        self.has_subjects.then(|| {
            format!(
                "SELECT DISTINCT ON (o) s FROM (SELECT s, {} AS o FROM {} \
                 WHERE s IS NOT NULL OFFSET 0) AS q ORDER BY o",
                key(&format!("confiture._run_mask({order}, s)")),
                self.all(),
            )
        })
    }

    /// Every value once, with its key and whose it is, in the order that the mask of that number
    /// gives.
    pub fn values(&self, order: usize) -> String {
        format!(
            "SELECT k, v, s FROM (SELECT DISTINCT ON (k) k, v, s FROM {} ORDER BY k) AS q \
             ORDER BY {}",
            self.all(),
            key(&format!("confiture._run_mask({order}, v, s)")),
        )
    }

    fn all(&self) -> String {
        format!(
            "(SELECT k, v, s FROM ({}) AS p WHERE pg_catalog.starts_with(k, '{KEY_MARK}')) AS a",
            self.rows.join(" UNION ALL ")
        )
    }
}

/// What a mask gives, as a text that is compared byte by byte; empty for NULL, which joins as well.
fn key(called: &str) -> String {
    format!("coalesce({called}, '') COLLATE pg_catalog.\"C\"")
}

fn called<'a>(table: &'a TablePlan, column: &str) -> Option<&'a Call> {
    let decision = table.decision(column)?;
    match decision {
        Decision::Masked(masked) => match &masked.how {
            How::Mask(call) if call.token.is_some() && call.of == ValueType::Text => Some(call),
            _ => None,
        },
        _ => None,
    }
}

/// A name that no column has.
fn unused(table: &TablePlan, number: usize) -> String {
    let mut name = format!("confiture token {number}");
    while table.columns.iter().any(|column| column.name == name) {
        name.push('_');
    }
    name
}
