//! What a release asks: measures of the units, in groups, for an ε.

use serde_json::Value;

use super::dataset::{Column, Dataset, SUMMED, Use};
use crate::error::{Error, Kind, Result};
use crate::privacy::amount::Epsilon;
use crate::privacy::answer::quantile::Share;
use crate::privacy::answer::range::Range;
use crate::strategies::{Datum, ValueType};

/// One measure of a group.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Measure {
    /// How many units.
    Units,
    /// How many rows, at most so many of a unit.
    Rows(u32),
    /// The sum of what units have in all.
    Sum(String, Range),
    /// The mean of the units' means.
    Mean(String, Range),
    /// A quantile of the units' means.
    Quantile(String, Range, Share),
}

impl Measure {
    /// What it is called in the answer.
    pub fn shown(&self) -> String {
        match self {
            Self::Units => "count".to_owned(),
            Self::Rows(_) => "rows".to_owned(),
            Self::Sum(column, _) => format!("sum({column})"),
            Self::Mean(column, _) => format!("avg({column})"),
            Self::Quantile(column, _, share) => format!("quantile({column}, {})", share.get()),
        }
    }

    /// The most that a unit changes it by in one group, in steps.
    pub fn sensitivity(&self) -> u64 {
        match self {
            Self::Units => 1,
            Self::Rows(most) => (*most).into(),
            Self::Sum(_, range) => range.reach(),
            Self::Mean(_, range) => range.width(),
            Self::Quantile(_, _, share) => share.sensitivity(),
        }
    }
}

/// Reads measures: `[{"count": "*"}, {"rows": 5}, {"sum": "amount"}, {"quantile": "age", "q": 0.5}]`.
///
/// # Errors
/// 22023 for another form, and for columns without bounds; 42703 for columns that are not registered.
pub fn measures(dataset: &Dataset, document: &Value) -> Result<Vec<Measure>> {
    let form = || {
        Error::new(
            Kind::InvalidParameter,
            "invalid value for argument \"measures\"",
        )
        .with_detail("It must be a list of 1 to 20 measures.")
        .with_hint(
            "Measures are {\"count\": \"*\"}, {\"rows\": most}, {\"sum\": column}, {\"avg\": column} and \
             {\"quantile\": column, \"q\": number}.",
        )
    };
    let all = document.as_array().ok_or_else(form)?;
    if !(1..=MOST_MEASURES).contains(&all.len()) {
        return Err(form());
    }
    all.iter()
        .map(|measure| {
            let members = measure.as_object().ok_or_else(form)?;
            let only = |count: usize| (members.len() == count).then_some(()).ok_or_else(form);
            let bounded = |key: &str| -> Result<Option<(String, Range)>> {
                match members.get(key).map(Value::as_str) {
                    None => Ok(None),
                    Some(None) => Err(form()),
                    Some(Some(name)) => {
                        let column = dataset.column(name)?;
                        Ok(Some((name.to_owned(), range(column)?)))
                    }
                }
            };
            if let Some((column, range)) = bounded("sum")? {
                only(1)?;
                return Ok(Measure::Sum(column, range));
            }
            if let Some((column, range)) = bounded("avg")? {
                only(1)?;
                return Ok(Measure::Mean(column, range));
            }
            if let Some((column, range)) = bounded("quantile")? {
                only(2)?;
                let q = members.get("q").and_then(Value::as_f64).ok_or_else(form)?;
                return Ok(Measure::Quantile(column, range, Share::new(q)?));
            }
            only(1)?;
            if let Some(most) = members.get("rows") {
                let most = most.as_u64().and_then(|most| u32::try_from(most).ok());
                let most = most.filter(|&most| most > 0).ok_or_else(form)?;
                return Ok(Measure::Rows(most));
            }
            match members.get("count").and_then(Value::as_str) {
                Some("*") => Ok(Measure::Units),
                _ => Err(form()),
            }
        })
        .collect()
}

/// The range of a column with bounds.
///
/// # Errors
/// 22023 for one without.
pub fn range(column: &Column) -> Result<Range> {
    let Use::Bounds { lower, upper } = &column.uses else {
        return Err(Error::new(
            Kind::InvalidParameter,
            format!("column \"{}\" was registered without bounds", column.name),
        ));
    };
    let datum = |text: &str| -> Option<Datum<'static>> {
        Some(match line(&column.of)? {
            ValueType::Int64 => Datum::Int(text.parse().ok()?),
            ValueType::Float64 => Datum::Float(text.parse().ok()?),
            _ => Datum::Numeric(text.to_owned().into()),
        })
    };
    let bounds = datum(lower).zip(datum(upper));
    let (lower, upper) = bounds.ok_or_else(|| {
        Error::new(
            Kind::InvalidParameter,
            format!("bounds of column \"{}\" are not of its type", column.name),
        )
    })?;
    Range::new(
        line(&column.of).unwrap_or(ValueType::Numeric),
        &lower,
        &upper,
    )
}

/// The type of the line on which values of a type are summed.
pub fn line(of: &str) -> Option<ValueType> {
    SUMMED.contains(&of).then_some(match of {
        "smallint" | "integer" | "bigint" => ValueType::Int64,
        "real" | "double precision" => ValueType::Float64,
        _ => ValueType::Numeric,
    })
}

/// ε in equal parts; what is left over by rounding goes to the last.
pub fn parts(epsilon: Epsilon, count: usize) -> Vec<Epsilon> {
    let count = count.max(1);
    let divisor = i64::try_from(count).unwrap_or(i64::MAX);
    let each = Epsilon::of_units(epsilon.units() / divisor).unwrap_or_default();
    let mut parts = vec![each; count];
    if let Some(last) = parts.last_mut() {
        *last = epsilon.minus(each.times(u64::try_from(count - 1).unwrap_or(u64::MAX)));
    }
    parts
}

const MOST_MEASURES: usize = 20;

#[cfg(test)]
mod tests {
    use super::super::query::tests::dataset;
    use super::*;
    use serde_json::json;

    #[test]
    fn measures_are_of_registered_columns_with_bounds() {
        let found = measures(
            &dataset(),
            &json!([{"count": "*"}, {"rows": 3}, {"sum": "amount"}, {"avg": "age"},
                    {"quantile": "age", "q": 0.5}]),
        )
        .unwrap();
        let shown: Vec<String> = found.iter().map(Measure::shown).collect();
        assert_eq!(
            shown,
            [
                "count",
                "rows",
                "sum(amount)",
                "avg(age)",
                "quantile(age, 0.5)"
            ]
        );
        for bad in [
            json!([]),
            json!({"count": "*"}),
            json!([{"count": "age"}]),
            json!([{"rows": 0}]),
            json!([{"sum": "sex"}]),
            json!([{"sum": "age", "q": 1}]),
            json!([{"quantile": "age"}]),
            json!([{"max": "age"}]),
        ] {
            assert_eq!(
                measures(&dataset(), &bad).unwrap_err().kind(),
                Kind::InvalidParameter,
                "{bad}"
            );
        }
    }

    #[test]
    fn parts_make_up_the_whole() {
        let epsilon = Epsilon::parse("epsilon", "1").unwrap();
        for count in 1..9 {
            let sum = parts(epsilon, count)
                .into_iter()
                .fold(Epsilon::ZERO, Epsilon::plus);
            assert_eq!(sum, epsilon);
        }
    }
}
