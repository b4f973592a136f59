//! `dp_choice`: randomized response over a declared list of values.
//!
//! The truth is told with probability e^ε/(e^ε+k-1), each of the other k-1 values with 1/(e^ε+k-1):
//! ε-local differential privacy, with the truth as likely as it can be (Warner 1965; Kairouz, Oh,
//! Viswanath, "Extremal Mechanisms for Local Differential Privacy", 2014). Exact and without
//! floating point: one of the k values is proposed evenly; the truth is accepted, another with
//! probability e^-ε (`laplace.rs`), and if not all begins anew. A value takes k/(1+(k-1)·e^-ε)
//! proposals on average, which is below both k and e^ε.

use std::collections::BTreeMap;

use super::{EPSILON, Source, Supply};
use crate::error::{self, Error, Result};
use crate::keys::random;
use crate::strategies::definition::{
    Apply, Definition, Needs, Parsed, Properties, Row, Seed, Subkeys, outside,
};
use crate::strategies::literal;
use crate::strategies::measure::epsilon::{Epsilon, MAX_EPSILON, MICRO};
use crate::strategies::measure::laplace::Coins;
use crate::strategies::params::{ParamError, ParamKind, ParamSpec, Reader};
use crate::strategies::{Datum, ValueType};

/// `dp_choice` in the list of strategies.
///
/// # Examples
///
/// ```
/// use confiture::strategies::{Kind, Params, Seed, Strategy, Subkeys, Value, ValueType};
///
/// let params = Params::from([
///     ("epsilon".to_owned(), Value::Int(1)),
///     (
///         "domain".to_owned(),
///         Value::List(vec!["yes".into(), "no".into()]),
///     ),
/// ]);
/// let keys = Subkeys::new(&[7; 32], &[8; 32]);
/// let strategy = Strategy::new(Kind::DpChoice, &params)?;
/// let mask = strategy.mask(&keys, Seed::new(1), ValueType::Text)?;
/// let made = mask.text("yes")?;
/// assert!(made == "yes" || made == "no");
/// assert!(mask.text("maybe").is_err());
/// # Ok::<(), confiture::error::Error>(())
/// ```
pub const DEFINITION: Definition = Definition {
    name: "dp_choice",
    version: 1,
    about: "Value out of a list, by chance another, for differential privacy",
    accepts: &[
        ValueType::Bool,
        ValueType::Enum,
        ValueType::Int16,
        ValueType::Int32,
        ValueType::Int64,
        ValueType::Text,
    ],
    params: &[EPSILON, DOMAIN],
    inputs: &[],
    needs: Needs::Chance,
    refuses: true,
    example: "anon_dp_choice('yes', epsilon => 1, domain => ARRAY['yes', 'no'])",
    sample: r#"{"epsilon": 1, "domain": ["a", "b"]}"#,
    parse: |reader| parse(reader, MAX_EPSILON),
};

/// Reads the parameters under another limit for ε.
///
/// # Errors
/// The first parameter that is refused.
pub fn parse(reader: &Reader<'_>, max_epsilon: f64) -> Result<Box<dyn Parsed>, ParamError> {
    parse_with(reader, max_epsilon, random::words)
}

/// The same with other words than random ones, for tests.
pub(super) fn parse_with(
    reader: &Reader<'_>,
    max_epsilon: f64,
    source: Source,
) -> Result<Box<dyn Parsed>, ParamError> {
    let epsilon = Epsilon::read(reader, max_epsilon)?;
    let domain = reader.texts("domain")?.unwrap_or_default();
    if !(2..=MOST).contains(&domain.len()) {
        let detail = format!("It must have 2 to {MOST} values.");
        return Err(reader.invalid("domain", detail));
    }
    let mut sorted: Vec<&String> = domain.iter().collect();
    sorted.sort_unstable();
    if sorted.windows(2).any(|pair| pair[0] == pair[1]) {
        return Err(reader.invalid("domain", "Each value must stand in it once."));
    }
    Ok(Box::new(Choice {
        epsilon,
        domain,
        source,
    }))
}

/// The parameters of `dp_choice`, checked.
#[derive(Clone, Debug)]
struct Choice {
    epsilon: Epsilon,
    domain: Vec<String>,
    source: Source,
}

impl Parsed for Choice {
    fn properties(&self, of: ValueType) -> Properties {
        Properties {
            keeps_format: self.accepts(of),
            collision_bits: Some(0),
            ..Properties::NONE
        }
    }

    fn output_limit(&self, _: Option<usize>) -> Option<usize> {
        self.domain.iter().map(|text| text.chars().count()).max()
    }

    fn compile(&self, _: &Subkeys<'_>, _: Seed, of: ValueType) -> Result<Box<dyn Apply>> {
        let domain = literal::all(DEFINITION.name, "domain", of, &self.domain)?;
        let places = domain.iter().enumerate();
        let places: BTreeMap<Vec<u8>, usize> = places
            .map(|(at, value)| (value.bytes().into_owned(), at))
            .collect();
        if places.len() < domain.len() {
            let name = DEFINITION.name;
            let message = format!("invalid value for parameter \"domain\" of strategy \"{name}\"");
            let error = Error::new(error::Kind::InvalidParameter, message);
            return Err(error.with_detail("Two of its values are the same for this type."));
        }
        Ok(Box::new(Mask {
            epsilon: self.epsilon,
            domain,
            places,
            supply: Supply::new(self.source),
        }))
    }
}

/// `dp_choice` for values of a type.
struct Mask {
    epsilon: Epsilon,
    domain: Vec<Datum<'static>>,
    places: BTreeMap<Vec<u8>, usize>,
    supply: Supply,
}

impl Apply for Mask {
    fn apply<'a>(&self, value: Datum<'a>, _: Row<'_>) -> Result<Option<Datum<'a>>> {
        let truth = self.places.get(&*value.bytes()).ok_or_else(|| {
            let detail = format!("The domain has {} values.", self.domain.len());
            outside(DEFINITION.name, "outside the domain", detail)
        })?;
        let mut coins = Coins::new(|| self.supply.word());
        loop {
            let proposed = coins.below(self.domain.len() as u64)?;
            let proposed = usize::try_from(proposed).unwrap_or_default();
            if proposed == *truth || coins.exp(self.epsilon.micro(), MICRO)? {
                return Ok(self.domain.get(proposed).cloned());
            }
        }
    }
}

const MOST: usize = 1000;
const DOMAIN: ParamSpec = ParamSpec::required(
    "domain",
    ParamKind::List,
    "All values there may be, 2 to 1000; any other is an error.",
);
