//! Which rows a release is about: comparisons with constants, of which no value makes an error.

use serde_json::Value;

use super::dataset::{COMPARED, Dataset, scalar};
use crate::error::{Error, Kind, Result};

/// How a column is compared.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Comparison {
    /// With one of the six operators of an order.
    By(&'static str),
    /// With several values.
    In,
}

/// One condition; all of them must hold.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Condition {
    /// The column.
    pub column: String,
    /// Its type.
    pub of: String,
    /// How it is compared.
    pub by: Comparison,
    /// With what: one text, or several.
    pub with: Vec<String>,
}

const OPERATORS: [&str; 6] = ["=", "<>", "<", "<=", ">", ">="];
const MOST_VALUES: usize = 10_000;

/// Reads a filter: `[["age", ">=", 18], ["sex", "in", ["F"]]]`.
///
/// # Errors
/// 22023 for another form; 42703 for a column that is not registered; 0A000 for one whose type has
/// comparisons that can fail.
pub fn conditions(dataset: &Dataset, document: &Value) -> Result<Vec<Condition>> {
    let form = || {
        Error::new(
            Kind::InvalidParameter,
            "invalid value for argument \"filter\"",
        )
        .with_detail("It must be a list of conditions, each [column, operator, value].")
        .with_hint("Operators are =, <>, <, <=, >, >= and in, which takes a list.")
    };
    let all = document.as_array().ok_or_else(form)?;
    all.iter()
        .map(|condition| {
            let [column, by, with] = condition.as_array().map(Vec::as_slice).ok_or_else(form)?
            else {
                return Err(form());
            };
            let (column, by) = column.as_str().zip(by.as_str()).ok_or_else(form)?;
            let column = dataset.column(column)?;
            if !COMPARED.contains(&column.of.as_str()) {
                return Err(Error::new(
                    Kind::Unsupported,
                    format!("column \"{}\" cannot choose rows", column.name),
                )
                .with_detail(format!(
                    "Comparisons of type {} may fail for some values, which would tell of them.",
                    column.of
                )));
            }
            let (by, with) = match (by.to_lowercase().as_str(), with) {
                ("in", Value::Array(values)) => {
                    let values: Option<Vec<String>> = values.iter().map(scalar).collect();
                    let values = values.filter(|values| (1..=MOST_VALUES).contains(&values.len()));
                    (Comparison::In, values.ok_or_else(form)?)
                }
                (by, value) => {
                    let by = OPERATORS.into_iter().find(|known| *known == by);
                    let by = Comparison::By(by.ok_or_else(form)?);
                    (by, vec![scalar(value).ok_or_else(form)?])
                }
            };
            Ok(Condition {
                column: column.name.clone(),
                of: column.of.clone(),
                by,
                with,
            })
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::super::query::tests::dataset;
    use super::*;
    use serde_json::json;

    #[test]
    fn a_filter_is_a_list_of_comparisons() {
        let found = conditions(
            &dataset(),
            &json!([["age", ">=", 18], ["sex", "IN", ["F", "M"]]]),
        )
        .unwrap();
        assert_eq!(found[0].by, Comparison::By(">="));
        assert_eq!(found[0].with, ["18"]);
        assert_eq!((found[1].by, found[1].with.len()), (Comparison::In, 2));
    }

    #[test]
    fn a_filter_takes_no_code_no_other_column_and_no_type_that_fails() {
        let refused = |filter| conditions(&dataset(), &filter).unwrap_err().kind();
        for bad in [
            json!("age > 3"),
            json!([["age", "~", "3"]]),
            json!([["age", ">", null]]),
            json!([["age", ">", [1]]]),
            json!([["age", ">"]]),
            json!([["sex", "in", []]]),
        ] {
            assert_eq!(refused(bad), Kind::InvalidParameter);
        }
        assert_eq!(refused(json!([["salary", "=", 1]])), Kind::UndefinedColumn);
        assert_eq!(refused(json!([["amount", ">", 1]])), Kind::Unsupported);
    }
}
