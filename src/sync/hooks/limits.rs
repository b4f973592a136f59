//! The ready-made hook that looks at how many rows a run has written.

use serde_json::{Map, Value};

use super::reading::{invalid, object, unrecognized};
use crate::error::{Error, Kind, Result, counted};

/// What is allowed of a table; what is not given is not judged.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Limit {
    min_rows: Option<u64>,
    max_rows: Option<u64>,
    max_change_percent: Option<u64>,
}

/// The settings of `hook_row_limits`.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Limits {
    every: Limit,
    tables: Vec<(String, Limit)>,
}

const NAMES: [&str; 4] = ["max_change_percent", "max_rows", "min_rows", "tables"];

impl Limits {
    /// Reads the settings.
    ///
    /// # Errors
    /// 22023 for an unrecognized name or value, and where nothing is limited.
    pub fn parse(settings: &Value) -> Result<Self> {
        let members = object(settings, "settings")?;
        let every = Limit::default().and(members, true)?;
        let mut tables = Vec::new();
        if let Some(of) = members.get("tables") {
            for (name, limit) in object(of, "setting tables")? {
                tables.push((name.clone(), every.and(object(limit, name)?, false)?));
            }
        }
        if every == Limit::default() && tables.iter().all(|(_, limit)| *limit == every) {
            return Err(
                Error::new(Kind::InvalidParameter, "hook_row_limits has no limits")
                    .with_hint("Give min_rows, max_rows or max_change_percent in its settings."),
            );
        }
        Ok(Self { every, tables })
    }

    /// What is wrong with the numbers of rows, each with the table; `before` are those of the last
    /// run.
    pub fn judge(&self, counts: &Map<String, Value>, before: &Map<String, Value>) -> Vec<String> {
        let mut problems = Vec::new();
        for (table, rows) in counts {
            let own = self.tables.iter().find(|(name, _)| name == table);
            let limit = own.map_or(self.every, |(_, limit)| *limit);
            let Some(rows) = rows.as_u64() else {
                continue;
            };
            let has = format!("table \"{table}\" has {}", counted(rows, "row"));
            if let Some(min) = limit.min_rows.filter(|min| rows < *min) {
                problems.push(format!("{has}, fewer than {min}"));
            }
            if let Some(max) = limit.max_rows.filter(|max| rows > *max) {
                problems.push(format!("{has}, more than {max}"));
            }
            let before = before.get(table).and_then(Value::as_u64);
            // Of nothing there is no percentage.
            let before = before.filter(|before| *before > 0);
            if let Some((percent, before)) = limit.max_change_percent.zip(before) {
                let change = u128::from(rows.abs_diff(before)) * 100;
                if change > u128::from(before) * u128::from(percent) {
                    problems.push(format!(
                        "{has} after {before} in the last run, a change of more than {percent} percent"
                    ));
                }
            }
        }
        for (name, _) in &self.tables {
            if !counts.contains_key(name) {
                problems.push(format!("table \"{name}\" is not part of the run"));
            }
        }
        problems
    }
}

impl Limit {
    /// With what is given in these members, in place of what was.
    fn and(mut self, members: &Map<String, Value>, with_tables: bool) -> Result<Self> {
        for (name, value) in members {
            let place = match name.as_str() {
                "min_rows" => &mut self.min_rows,
                "max_rows" => &mut self.max_rows,
                "max_change_percent" => &mut self.max_change_percent,
                "tables" if with_tables => continue,
                _ => return Err(unrecognized(name, &NAMES)),
            };
            *place =
                match value {
                    Value::Null => None,
                    value => Some(value.as_u64().ok_or_else(|| {
                        invalid(name, "It must be a whole number, 0 or greater.")
                    })?),
                };
        }
        Ok(self)
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::super::reading::reason;
    use super::*;

    fn problems(settings: Value, counts: Value, before: Value) -> Vec<String> {
        let map = |value: Value| value.as_object().unwrap().clone();
        Limits::parse(&settings)
            .unwrap()
            .judge(&map(counts), &map(before))
    }

    #[test]
    fn rows_are_held_against_their_limits() {
        let limits = json!({"min_rows": 2, "max_rows": 5});
        let none = json!({});
        assert!(problems(limits.clone(), json!({"a": 2, "b": 5}), none.clone()).is_empty());
        assert_eq!(
            problems(limits, json!({"a": 1, "b": 6}), none),
            [
                "table \"a\" has 1 row, fewer than 2",
                "table \"b\" has 6 rows, more than 5"
            ]
        );
    }

    #[test]
    fn a_change_is_counted_from_the_last_run() {
        let limits = json!({"max_change_percent": 10});
        let change = |rows: u64, before: Value| {
            problems(limits.clone(), json!({"a": rows}), json!({"a": before})).len()
        };
        assert_eq!(change(110, json!(100)), 0);
        assert_eq!(change(90, json!(100)), 0);
        assert_eq!(change(111, json!(100)), 1);
        assert_eq!(change(89, json!(100)), 1);
        assert_eq!(change(u64::MAX, json!(u64::MAX)), 0);
        // Nothing to compare with.
        assert_eq!(change(7, json!(0)), 0);
        assert!(problems(limits, json!({"a": 7}), json!({"b": 1})).is_empty());
    }

    #[test]
    fn a_table_may_have_limits_of_its_own() {
        let limits = json!({"min_rows": 10, "tables": {"log": {"min_rows": 0, "max_rows": 3}}});
        let none = json!({});
        assert!(problems(limits.clone(), json!({"a": 10, "log": 3}), none.clone()).is_empty());
        assert_eq!(
            problems(limits.clone(), json!({"a": 9, "log": 4}), none.clone()).len(),
            2
        );
        assert_eq!(
            problems(limits, json!({"a": 10}), none),
            ["table \"log\" is not part of the run"]
        );
    }

    #[test]
    fn limits_that_are_none_are_refused() {
        for bad in [
            json!({}),
            json!([]),
            json!({"min_rows": null}),
            json!({"min_rows": -1}),
            json!({"min_rows": 1.5}),
            json!({"min_rows": "1"}),
            json!({"rows": 1}),
            json!({"tables": []}),
            json!({"tables": {"a": {}}}),
            json!({"tables": {"a": {"tables": {}}}}),
        ] {
            let error = Limits::parse(&bad).unwrap_err();
            assert_eq!(error.kind(), Kind::InvalidParameter, "{bad}");
        }
        let near = Limits::parse(&json!({"min_row": 1})).unwrap_err();
        assert_eq!(near.hint(), Some("Did you mean \"min_rows\"?"));
    }

    #[test]
    fn a_reason_names_few() {
        let many: Vec<String> = (0..7).map(|n| format!("p{n}")).collect();
        assert_eq!(reason(&many), "p0; p1; p2; p3; p4; and 2 more");
        assert_eq!(reason(&many[..1]), "p0");
    }
}
