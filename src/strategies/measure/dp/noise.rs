//! `dp_noise`: random noise of the discrete Laplace distribution, drawn anew for every value.
//!
//! Not deterministic: the same value gets other noise each time, and no key, seed or setting can
//! repeat it, for noise that can be repeated can be subtracted. Every reading of a value spends ε
//! once more: draw once and store, or use `dp_noise_sticky` where values are masked as they are
//! read. What is promised, and the source: `dp/mod.rs`, `laplace.rs`.

use super::{
    CLAMP, EARLIEST, EPSILON, LATEST, LOWER, Line, NOISY, SENSITIVITY, Supply, Terms, UPPER,
};
use crate::error::Result;
use crate::keys::random;
use crate::strategies::definition::{
    Apply, Definition, Needs, Parsed, Properties, Row, Seed, Subkeys,
};
use crate::strategies::measure::epsilon::MAX_EPSILON;
use crate::strategies::params::{ParamError, Reader};
use crate::strategies::{Datum, ValueType};

/// `dp_noise` in the list of strategies.
///
/// # Examples
///
/// ```
/// use confiture::strategies::{Kind, Params, Seed, Strategy, Subkeys, Value, ValueType};
///
/// let params = Params::from([
///     ("epsilon".to_owned(), Value::Int(1)),
///     ("sensitivity".to_owned(), Value::Int(100)),
///     ("lower".to_owned(), Value::Int(0)),
///     ("upper".to_owned(), Value::Int(100)),
///     ("clamp".to_owned(), Value::Bool(true)),
/// ]);
/// let keys = Subkeys::new(&[7; 32], &[8; 32]);
/// let strategy = Strategy::new(Kind::DpNoise, &params)?;
/// let mask = strategy.mask(&keys, Seed::new(1), ValueType::Int32)?;
/// assert!((0..=100).contains(&mask.int(42)?));
/// # Ok::<(), confiture::error::Error>(())
/// ```
pub const DEFINITION: Definition = Definition {
    name: "dp_noise",
    version: 1,
    about: "Value with random noise for differential privacy",
    accepts: NOISY,
    params: &[EPSILON, SENSITIVITY, LOWER, UPPER, EARLIEST, LATEST, CLAMP],
    inputs: &[],
    needs: Needs::Chance,
    refuses: false,
    example: "anon_dp_noise(52000, epsilon => 1, sensitivity => 200000, lower => 0, upper => 200000)",
    sample: r#"{"epsilon": 1, "sensitivity": 1}"#,
    parse: |reader| parse(reader, MAX_EPSILON),
};

/// Reads the parameters under another limit for ε.
///
/// # Errors
/// The first parameter that is refused.
pub fn parse(reader: &Reader<'_>, max_epsilon: f64) -> Result<Box<dyn Parsed>, ParamError> {
    let terms = Terms::read(DEFINITION.name, reader, max_epsilon)?;
    Ok(Box::new(Noise { terms }))
}

/// The parameters of `dp_noise`, checked.
#[derive(Clone, Debug, PartialEq)]
struct Noise {
    terms: Terms,
}

impl Parsed for Noise {
    fn properties(&self, of: ValueType) -> Properties {
        Properties {
            collision_bits: Some(0),
            gives_null: self.terms.gives_null(of),
            ..Properties::NONE
        }
    }

    fn output_limit(&self, _: Option<usize>) -> Option<usize> {
        None
    }

    fn compile(&self, _: &Subkeys<'_>, _: Seed, of: ValueType) -> Result<Box<dyn Apply>> {
        Ok(Box::new(Mask {
            line: self.terms.line(of)?,
            supply: Supply::new(random::words),
        }))
    }
}

/// `dp_noise` for values of a type.
struct Mask {
    line: Line,
    supply: Supply,
}

impl Apply for Mask {
    fn apply<'a>(&self, value: Datum<'a>, _: Row<'_>) -> Result<Option<Datum<'a>>> {
        match self.line.place(&value)? {
            Some(at) => self.line.noisy(at, || self.supply.word()).map(Some),
            None => Ok(None),
        }
    }
}
