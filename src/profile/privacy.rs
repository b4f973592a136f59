//! What a profile says of the budget that its noise is charged to: a person has so many rows in a
//! table, and every noisy value of them tells a little.

use super::fields::{Fields, LONGEST_NAME, Reading, entries, join};
use super::names::shown;
use super::scope::{TableName, must_be_named, natural, table};
use super::yaml::Entry;
use super::{Place, Table};
use crate::strategies::measure::epsilon::Epsilon;

/// The budget, and how many rows of a table are about one person.
#[derive(Clone, Debug)]
pub struct Privacy {
    /// The name of the budget.
    pub budget: String,
    /// How many rows of a table are about one person at most, where it is not named below.
    pub rows_per_unit: Option<u32>,
    /// Tables with a number of their own.
    pub tables: Vec<Units>,
    /// Where it is written.
    pub place: Place,
}

/// Whom the rows of a table are about.
#[derive(Clone, Debug)]
pub struct Units {
    /// The table.
    pub table: TableName,
    /// The column that says whom a row is about, where the number is to be checked.
    pub unit: Option<String>,
    /// How many rows are about one person at most.
    pub rows_per_unit: u32,
    /// Where it is written.
    pub place: Place,
}

impl Privacy {
    /// What is said of a table by its name.
    pub fn of(&self, schema: Option<&str>, name: &str) -> Option<&Units> {
        self.tables.iter().find(|of| of.table.may_be(schema, name))
    }

    /// How many rows of a table are about one person at most.
    pub fn rows_of(&self, schema: Option<&str>, name: &str) -> Option<u32> {
        let own = self.of(schema, name).map(|of| of.rows_per_unit);
        own.or(self.rows_per_unit)
    }
}

/// Reads the key `privacy`; `tables` are those of the document.
pub(super) fn read(
    fields: &Fields<'_>,
    tables: &[Table],
    reading: &mut Reading,
) -> Option<Privacy> {
    let entry = fields.get("privacy")?;
    let place = entry.value.place;
    let fields = Fields::open(&entry.value, "privacy", &KEYS, reading)?;
    let budget = fields.text("budget", LONGEST_NAME, reading);
    let privacy = Privacy {
        rows_per_unit: rows(&fields, reading),
        tables: match fields.get("tables") {
            Some(entry) => units(entry, tables, reading),
            None => Vec::new(),
        },
        budget: budget?.0.to_owned(),
        place,
    };
    for table in tables.iter().filter(|table| is_noisy(table)) {
        if privacy
            .rows_of(table.schema.as_deref(), &table.name)
            .is_none()
        {
            let message = format!(
                "table \"{}\" has a column with noise, and how many of its rows are about one \
                 person is not said",
                shown(&table.name)
            );
            let hint = "Write \"rows_per_unit\" under \"privacy\", for all tables or for this one.";
            let hint = Some(hint.to_owned());
            reading.error(place, "privacy", "missing_key", message, hint);
        }
    }
    Some(privacy)
}

fn is_noisy(table: &Table) -> bool {
    let noisy = |rule: &super::Rule| Epsilon::largest(&rule.resolved).is_some();
    table.rules.iter().any(noisy)
}

fn units(entry: &Entry, tables: &[Table], reading: &mut Reading) -> Vec<Units> {
    let mut all: Vec<Units> = Vec::new();
    for entry in entries(&entry.value, "privacy.tables", reading).unwrap_or_default() {
        let path = join("privacy.tables", &entry.key);
        let name = table(&entry.key, entry.place, &path, reading);
        let Some(fields) = Fields::open(&entry.value, &path, &TABLE_KEYS, reading) else {
            continue;
        };
        let unit = match fields.get("unit") {
            Some(_) => fields.text("unit", LONGEST_NAME, reading),
            None => None,
        };
        fields.require("rows_per_unit", reading);
        let (Some(name), Some(rows_per_unit)) = (name, rows(&fields, reading)) else {
            continue;
        };
        must_be_named(&name, tables, entry.place, &path, reading);
        let same = |of: &&Units| of.table.may_be(name.schema.as_deref(), &name.name);
        if let Some(earlier) = all.iter().find(same) {
            let message = format!(
                "table \"{}\" is already named at {}",
                shown(&entry.key),
                earlier.place
            );
            reading.error(entry.place, &path, "duplicate_table", message, None);
        }
        all.push(Units {
            table: name,
            unit: unit.map(|(text, _)| text.to_owned()),
            rows_per_unit,
            place: entry.place,
        });
    }
    all
}

fn rows(fields: &Fields<'_>, reading: &mut Reading) -> Option<u32> {
    let entry = fields.get("rows_per_unit")?;
    let number = natural(entry).and_then(|number| u32::try_from(number).ok());
    let number = number.filter(|number| (1..=MOST_ROWS).contains(number));
    if number.is_none() {
        let message = format!("\"rows_per_unit\" must be an integer from 1 to {MOST_ROWS}");
        let path = fields.path("rows_per_unit");
        reading.error(entry.value.place, &path, "value", message, None);
    }
    number
}

const KEYS: [&str; 3] = ["budget", "rows_per_unit", "tables"];
const TABLE_KEYS: [&str; 2] = ["unit", "rows_per_unit"];

/// Beyond it nothing is private.
const MOST_ROWS: u32 = 1_000_000_000;
