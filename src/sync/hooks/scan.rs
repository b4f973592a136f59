//! The ready-made hook that looks into what the profile lets through.

use std::collections::BTreeMap;

use serde_json::{Map, Value};

use super::reading::{invalid, names, object, unrecognized};
use crate::error::Result;
use crate::profile::{self, Said};
use crate::signs::{self, Access, PERSONAL, Verdict};
use crate::sync::facts::Table;
use crate::sync::options::MOST_SAMPLED;

/// Most columns of a table that may be named.
const MOST_NAMES: usize = 1600;

const NAMES: [&str; 3] = ["allow", "min_confidence", "sample"];

/// The settings of `hook_scan_source`.
#[derive(Debug, PartialEq)]
pub struct Scan {
    /// Rows of each table that are looked at, at most.
    pub sample: u32,
    /// From here on a column is a problem, 0 to 1.
    min_confidence: f64,
    /// Columns that may look personal, by table.
    allow: BTreeMap<String, Vec<String>>,
}

impl Scan {
    /// Reads the settings.
    ///
    /// # Errors
    /// 22023 for an unrecognized name or value.
    pub fn parse(settings: &Value) -> Result<Self> {
        let mut scan = Self {
            sample: 1000,
            min_confidence: PERSONAL,
            allow: BTreeMap::new(),
        };
        for (name, value) in object(settings, "settings")? {
            match name.as_str() {
                _ if value.is_null() => {}
                "sample" => {
                    let rows = value.as_u64().and_then(|rows| u32::try_from(rows).ok());
                    scan.sample = rows
                        .filter(|rows| (1..=MOST_SAMPLED).contains(rows))
                        .ok_or_else(|| {
                            invalid(
                                name,
                                &format!("It must be an integer from 1 to {MOST_SAMPLED}."),
                            )
                        })?;
                }
                "min_confidence" => {
                    scan.min_confidence = value
                        .as_f64()
                        .filter(|sure| (0.0..=1.0).contains(sure))
                        .ok_or_else(|| invalid(name, "It must be a number from 0 to 1."))?;
                }
                "allow" => scan.allow = allowed(object(value, "setting allow")?)?,
                _ => return Err(unrecognized(name, &NAMES)),
            }
        }
        Ok(scan)
    }

    /// The places of the columns of a table that go to the target with the values they have; not
    /// those that may look personal.
    pub fn open(&self, asked: Option<&profile::Table>, table: &Table) -> Vec<usize> {
        let allowed = self.allow.get(&table.name);
        let is_open = |name: &String| {
            let said = asked.map_or(Said::Nothing, |asked| asked.says_of(name));
            let goes_across = matches!(said, Said::Preserve(_) | Said::Nothing);
            goes_across && !allowed.is_some_and(|names| names.contains(name))
        };
        let columns = table.columns.iter().enumerate();
        columns
            .filter(|(_, column)| !column.is_generated() && is_open(&column.name))
            .map(|(place, _)| place)
            .collect()
    }

    /// What is wrong with a table, given the verdicts on its open columns.
    pub fn judge(
        &self,
        table: &signs::Table,
        columns: &[usize],
        verdicts: &[Verdict],
    ) -> Vec<String> {
        let blind = match table.access {
            Access::Open => None,
            Access::Denied => Some("permission denied"),
            Access::Filtered => Some("row-level security hides rows"),
        };
        let readable = |place: &usize| table.columns[*place].is_readable();
        if let Some(why) = blind.filter(|_| columns.iter().any(readable)) {
            return vec![format!(
                "table \"{}\" cannot be looked into: {why}",
                table.name
            )];
        }
        columns
            .iter()
            .zip(verdicts)
            .filter(|(place, verdict)| readable(place) && verdict.confidence >= self.min_confidence)
            .filter_map(|(place, verdict)| {
                Some(format!(
                    "values of \"{}\".\"{}\" look like {} ({:.2})",
                    table.name,
                    table.columns[*place].name,
                    verdict.category?.name(),
                    verdict.confidence
                ))
            })
            .collect()
    }
}

fn allowed(tables: &Map<String, Value>) -> Result<BTreeMap<String, Vec<String>>> {
    tables
        .iter()
        .map(|(table, columns)| {
            let columns = names(columns, MOST_NAMES);
            let must = "It must be an object of tables, each with a list of its columns.";
            Ok((
                table.clone(),
                columns.ok_or_else(|| invalid("allow", must))?,
            ))
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::error::Kind;

    #[test]
    fn settings_of_a_scan_are_read() {
        let scan = Scan::parse(&json!({"sample": 5, "allow": {"a": ["b"]}, "min_confidence": 0.8}));
        let scan = scan.unwrap();
        assert_eq!((scan.sample, scan.min_confidence), (5, 0.8));
        assert_eq!(scan.allow["a"], ["b"]);
        let usual = Scan::parse(&json!({"sample": null})).unwrap();
        assert_eq!((usual.sample, usual.min_confidence), (1000, PERSONAL));
        for bad in [
            json!(1),
            json!({"sample": 0}),
            json!({"sample": 100_001}),
            json!({"sample": 1.5}),
            json!({"min_confidence": 2}),
            json!({"min_confidence": "high"}),
            json!({"allow": ["a.b"]}),
            json!({"allow": {"a": "b"}}),
            json!({"allowed": {}}),
        ] {
            assert_eq!(
                Scan::parse(&bad).unwrap_err().kind(),
                Kind::InvalidParameter,
                "{bad}"
            );
        }
    }
}
