//! What the noise of a run costs: each noisy value spends ε, and a person has so many of them as
//! rows are about him, times the noisy columns (basic composition).

use super::fit::{Call, FieldHow, How};
use super::plan::{Decision, Masked, Plan, TablePlan};
use crate::error::{Error, Kind, counted};
use crate::privacy::amount::Epsilon;
use crate::profile::privacy::Privacy;
use crate::strategies::Strategy;
use crate::strategies::measure::epsilon::Epsilon as Strength;

pub mod store;

/// What a run costs, and whose rows it counts.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Price {
    /// What one person loses at most.
    pub epsilon: Epsilon,
    /// The number of noisy columns.
    pub columns: u64,
    /// The number of tables that have one.
    pub tables: u64,
    /// What is to be counted before.
    pub counts: Vec<Count>,
}

/// A table in which no person may have more rows than the profile says.
#[derive(Clone, Debug, PartialEq)]
pub struct Count {
    /// Its number in the plan.
    pub table: usize,
    /// The column that says whom a row is about.
    pub unit: String,
    /// The most rows.
    pub most: u32,
}

/// Adds up what a run costs. What cannot be added up is a problem.
pub fn price(plan: &Plan, privacy: &Privacy, problems: &mut Vec<Error>) -> Price {
    let mut price = Price::default();
    for (number, table) in plan.tables.iter().enumerate() {
        let (schema, name) = (table.source.schema.as_str(), table.source.name.as_str());
        let own = privacy.of(Some(schema), name);
        if let Some(unit) = own.and_then(|of| of.unit.as_ref())
            && !table.source.columns.iter().any(|of| of.name == *unit)
        {
            problems.push(Error::new(
                Kind::UndefinedColumn,
                format!(
                    "column \"{unit}\", the unit of table {} under \"privacy\", does not exist",
                    table.source.shown()
                ),
            ));
        }
        let (each, columns) = spent(table, problems);
        if columns == 0 {
            continue;
        }
        let Some(most) = privacy.rows_of(Some(schema), name) else {
            // That of a table of the same name in another schema was meant: said below.
            continue;
        };
        price.epsilon = price.epsilon.plus(each.times(most.into()));
        price.columns += columns;
        price.tables += 1;
        price
            .counts
            .extend(own.and_then(|of| of.unit.clone()).map(|unit| Count {
                table: number,
                unit,
                most,
            }));
    }
    for of in &privacy.tables {
        let is_it = |table: &TablePlan| {
            of.table
                .may_be(Some(&table.source.schema), &table.source.name)
        };
        if !plan.tables.iter().any(is_it) {
            problems.push(Error::new(
                Kind::UndefinedTable,
                format!(
                    "table \"{}\" under \"privacy\" is none of the run",
                    of.table
                ),
            ));
        }
    }
    price
}

/// What one row of a table costs, and how many of its columns have noise.
fn spent(table: &TablePlan, problems: &mut Vec<Error>) -> (Epsilon, u64) {
    let (mut each, mut columns) = (Epsilon::ZERO, 0);
    for column in &table.columns {
        let Decision::Masked(masked) = &column.decision else {
            continue;
        };
        let mut is_noisy = false;
        for (strategy, call) in calls(masked) {
            let Some(most) = Strength::largest(strategy) else {
                continue;
            };
            is_noisy = true;
            match Strength::of(strategy).filter(|_| !call.is_array) {
                Some(strength) => each = each.plus(units(strength)),
                None => problems.push(
                    Error::new(
                        Kind::Unsupported,
                        format!(
                            "noise in column \"{}.{}\" cannot be charged to a budget",
                            table.source.name, column.name
                        ),
                    )
                    .with_detail(format!(
                        "How many values of epsilon {} a row has there is not known.",
                        most.get()
                    ))
                    .with_hint("Add noise to columns of one value, or mask it otherwise."),
                ),
            }
        }
        columns += u64::from(is_noisy);
    }
    (each, columns)
}

/// Whether a column is masked with noise, wherever in its values.
pub fn is_noisy(masked: &Masked) -> bool {
    calls(masked).any(|(strategy, _)| Strength::largest(strategy).is_some())
}

fn calls(masked: &Masked) -> impl Iterator<Item = (&Strategy, &Call)> {
    let (one, many) = match &masked.how {
        How::Mask(call) => (Some((&*masked.strategy, call)), &[][..]),
        How::Record(fields) => (None, fields.as_slice()),
        How::Constant(_) | How::Default | How::Null | How::Shuffle(_) => (None, &[][..]),
    };
    let fields = many.iter().filter_map(|field| match &field.how {
        FieldHow::Mask(spec, call) => Some((spec.strategy(), call)),
        FieldHow::Keep | FieldHow::Null => None,
    });
    one.into_iter().chain(fields)
}

fn units(strength: Strength) -> Epsilon {
    let units = i64::try_from(strength.micro()).unwrap_or(i64::MAX);
    Epsilon::of_units(units).unwrap_or_default()
}

impl Price {
    /// Whether there is anything to charge.
    pub fn is_free(&self) -> bool {
        self.columns == 0
    }

    /// For the record: what it is for. No value.
    pub fn described(&self, profile: &str, version: &str, run: &str) -> String {
        format!(
            "local: {} in {}, run {run}, profile {profile} version {version}",
            counted(self.columns, "noisy column"),
            counted(self.tables, "table"),
        )
    }
}
