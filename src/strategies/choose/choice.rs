//! `choice`: one value out of a list, by chance of the key, in fixed proportions if asked.
//!
//! Equal values, or equal entities, get the same choice; which one, nobody can tell without the
//! key. Weights are exact: they are brought to whole numbers, and a number below their sum is drawn
//! evenly (Lemire 2019).

use std::cmp::Ordering;

use crate::error::Result;
use crate::strategies::definition::{
    Apply, Definition, ENTITY, Needs, Parsed, Properties, Row, Seed, Subkeys,
};
use crate::strategies::keyed::Keyed;
use crate::strategies::literal;
use crate::strategies::measure::decimal::Decimal;
use crate::strategies::measure::integer::BASE;
use crate::strategies::measure::origin::drawn_from;
use crate::strategies::params::{ParamError, ParamKind, ParamSpec, Reader};
use crate::strategies::{Datum, Kind, ValueType};

/// `choice` in the list of strategies.
///
/// # Examples
///
/// ```
/// use confiture::strategies::{Kind, Params, Seed, Strategy, Subkeys, Value, ValueType};
///
/// let params = Params::from([(
///     "choices".to_owned(),
///     Value::List(vec!["basic".into(), "plus".into()]),
/// )]);
/// let keys = Subkeys::new(&[7; 32], &[8; 32]);
/// let strategy = Strategy::new(Kind::Choice, &params)?;
/// let mask = strategy.mask(&keys, Seed::new(1), ValueType::Text)?;
/// let made = mask.text("gold")?;
/// assert!(made == "basic" || made == "plus");
/// # Ok::<(), confiture::error::Error>(())
/// ```
pub const DEFINITION: Definition = Definition {
    name: "choice",
    version: 1,
    about: "One of a list of values",
    accepts: ValueType::ANY,
    params: PARAMS,
    inputs: &[ENTITY],
    needs: Needs::Key,
    refuses: false,
    example: "anon_choice('gold', choices => ARRAY['basic', 'plus'], weights => ARRAY['3', '1'])",
    sample: r#"{"choices": ["a", "b"]}"#,
    parse: |reader| Ok(Box::new(Choice::new(reader)?)),
};

/// The parameters of `choice`, checked.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Choice {
    values: Vec<String>,
    weights: Option<Weights>,
}

/// Proportions.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Weights {
    /// As numbers, canonical.
    texts: Vec<String>,
    /// The sum of all up to and with each, in whole numbers.
    sums: Vec<u64>,
}

impl Choice {
    fn new(reader: &Reader<'_>) -> Result<Self, ParamError> {
        let values = reader.texts("choices")?.unwrap_or_default();
        if !(1..=MOST).contains(&values.len()) {
            let detail = format!("It must have 1 to {MOST} values.");
            return Err(reader.invalid("choices", detail));
        }
        let weights = match reader.texts("weights")? {
            Some(texts) if texts.len() != values.len() => {
                let detail = "It must have one weight for each of the values.";
                return Err(reader.invalid("weights", detail));
            }
            Some(texts) => {
                let weights = Weights::new(&texts);
                let weights = weights.ok_or_else(|| reader.invalid("weights", POSITIVE))?;
                reader.note("weights", weights.texts.as_slice());
                Some(weights)
            }
            None => None,
        };
        Ok(Self { values, weights })
    }
}

impl Weights {
    fn new(texts: &[String]) -> Option<Self> {
        let numbers: Vec<Decimal> = texts
            .iter()
            .map(|text| Some(Decimal::parse(text.trim())?.trimmed(0)))
            .collect::<Option<_>>()?;
        let scale = numbers.iter().map(|number| number.scale).max()?;
        let mut sum: u64 = 0;
        let mut sums = Vec::with_capacity(numbers.len());
        for number in &numbers {
            let units = number.floor(scale);
            let weight = match (units.limbs(), units.is_negative()) {
                (&[weight], false) => weight,
                _ => return None,
            };
            sum = sum.checked_add(weight).filter(|&sum| sum < BASE)?;
            sums.push(sum);
        }
        Some(Self {
            texts: numbers.iter().map(Decimal::to_string).collect(),
            sums,
        })
    }
}

impl Parsed for Choice {
    fn properties(&self, _: ValueType) -> Properties {
        Properties::KEYED
    }

    fn output_limit(&self, _: Option<usize>) -> Option<usize> {
        self.values.iter().map(|text| text.chars().count()).max()
    }

    fn compile(&self, keys: &Subkeys<'_>, seed: Seed, of: ValueType) -> Result<Box<dyn Apply>> {
        Ok(Box::new(Mask {
            keyed: Keyed::new(Kind::Choice, keys.masking, seed),
            values: literal::all(DEFINITION.name, "choices", of, &self.values)?,
            sums: self.weights.as_ref().map(|weights| weights.sums.clone()),
        }))
    }
}

/// `choice` with its key.
struct Mask {
    keyed: Keyed,
    values: Vec<Datum<'static>>,
    sums: Option<Vec<u64>>,
}

impl Apply for Mask {
    fn apply<'a>(&self, value: Datum<'a>, row: Row<'_>) -> Result<Option<Datum<'a>>> {
        let origin = drawn_from(&value, row);
        let mut stream = self.keyed.stream(&origin);
        let at = match &self.sums {
            Some(sums) => {
                let drawn = stream.below_u64(sums.last().copied().unwrap_or(1));
                sums.partition_point(|sum| sum.cmp(&drawn) != Ordering::Greater)
            }
            None => {
                let drawn = stream.below_u64(self.values.len() as u64);
                usize::try_from(drawn).unwrap_or_default()
            }
        };
        Ok(self.values.get(at).cloned())
    }
}

const MOST: usize = 10_000;
const POSITIVE: &str = "It must be a list of numbers above 0, of which the sum is below 10^18 when \
                        they are brought to whole numbers.";

const PARAMS: &[ParamSpec] = &[
    ParamSpec::required(
        "choices",
        ParamKind::List,
        "What is chosen from, 1 to 10000 values in the text form of the type.",
    ),
    ParamSpec::optional(
        "weights",
        ParamKind::List,
        "How often each is chosen in proportion to the others; by default all are equal.",
    ),
];

#[cfg(test)]
mod tests {
    use super::*;
    use crate::strategies::params::Value;
    use crate::strategies::{Input, Strategy};

    fn list(values: &[&str]) -> Value {
        Value::List(values.iter().map(|value| Value::from(*value)).collect())
    }

    fn choice(params: &[(&str, Value)]) -> Result<Strategy, ParamError> {
        let params = params.iter().map(|(k, v)| ((*k).to_owned(), v.clone()));
        Strategy::new(Kind::Choice, &params.collect())
    }

    fn mask(strategy: &Strategy, of: ValueType) -> crate::strategies::Mask {
        let keys = Subkeys::new(&[7; 32], &[8; 32]);
        strategy.mask(&keys, Seed::new(1), of).unwrap()
    }

    #[test]
    fn choice_is_one_of_the_values_and_the_same_each_time() {
        let values = ["a", "b", "c"];
        let strategy = choice(&[("choices", list(&values))]).unwrap();
        let mask = mask(&strategy, ValueType::Text);
        for value in ["", " ", "x", "longer", "a"] {
            let out = mask.text(value).unwrap().into_owned();
            assert!(values.contains(&&*out));
            assert_eq!(mask.text(value).unwrap(), out);
        }
    }

    #[test]
    fn choice_keeps_the_proportions_of_its_weights() {
        let weights = ("weights", list(&["0.5", "1.5", "2"]));
        let strategy = choice(&[("choices", list(&["1", "2", "3"])), weights]).unwrap();
        let mask = mask(&strategy, ValueType::Int32);
        let mut counts = [0_i32; 3];
        for value in 0..40_000 {
            counts[usize::try_from(mask.int(value).unwrap() - 1).unwrap()] += 1;
        }
        // The standard deviation is at most 100.
        for (count, expected) in counts.into_iter().zip([5_000, 15_000, 20_000]) {
            assert!((count - expected).abs() < 600, "{counts:?}");
        }
    }

    #[test]
    fn choice_follows_the_entity() {
        let strategy = choice(&[("choices", list(&["a", "b", "c", "d", "e"]))]).unwrap();
        let mask = mask(&strategy, ValueType::Text);
        let out = |value: &'static str, entity| {
            let row = [Input::One(entity)];
            mask.apply(Datum::text(value), Row(&row)).unwrap()
        };
        assert_eq!(out("x", "17"), out("y", "17"));
        assert_eq!(
            out("17", "17"),
            mask.apply(Datum::text("17"), Row::NONE).unwrap()
        );
        let all: Vec<_> = ["1", "2", "3", "4", "5", "6"]
            .map(|entity| out("x", entity))
            .into();
        assert!(all.iter().any(|other| *other != all[0]));
    }

    #[test]
    fn choice_refuses_wrong_lists() {
        let refused = |params: &[(&str, Value)]| choice(params).unwrap_err();
        assert_eq!(refused(&[]).param, "choices");
        assert_eq!(refused(&[("choices", list(&[]))]).param, "choices");
        let many: Vec<&str> = std::iter::repeat_n("a", 10_001).collect();
        assert_eq!(refused(&[("choices", list(&many))]).param, "choices");
        let two = ("choices", list(&["a", "b"]));
        for weights in [
            &["1"][..],
            &["1", "0"],
            &["1", "-1"],
            &["1", "x"],
            &["1", ""],
            &["1", "NaN"],
            &["999999999999999999", "1"],
            &["1", "99999999999999999999"],
        ] {
            let refused = refused(&[two.clone(), ("weights", list(weights))]);
            assert_eq!(refused.param, "weights");
        }
        let nested = Value::List(vec![list(&["a"])]);
        assert_eq!(refused(&[("choices", nested)]).param, "choices");
    }

    #[test]
    fn choice_values_must_be_of_the_type() {
        let strategy = choice(&[("choices", list(&["1", "two"]))]).unwrap();
        let keys = Subkeys::new(&[7; 32], &[8; 32]);
        let error = strategy
            .mask(&keys, Seed::new(1), ValueType::Int16)
            .unwrap_err();
        assert_eq!(error.detail(), Some("It must be of type smallint."));
        assert!(strategy.mask(&keys, Seed::new(1), ValueType::Text).is_ok());
    }

    #[test]
    fn choice_takes_numbers_as_weights() {
        let values = (
            "choices",
            Value::List(vec![Value::Int(1), Value::from(2.5)]),
        );
        let weights = Value::List(vec![Value::Int(3), Value::from(0.5)]);
        let strategy = choice(&[values, ("weights", weights)]).unwrap();
        assert_eq!(strategy.effective_params()["weights"], list(&["3", "0.5"]));
        assert_eq!(strategy.effective_params()["choices"], list(&["1", "2.5"]));
    }
}
