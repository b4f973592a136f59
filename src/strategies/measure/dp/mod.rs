//! Noise for privacy: one value at a time, exact, and metered by ε.
//!
//! With bounds that are at most the sensitivity apart, what comes out is ε-locally private: its
//! chances differ by a factor of at most e^ε between any two values. Without bounds it is metric
//! privacy: e^(ε·|x-y|/Δ) for two values x and y, which between a small and a large value is no
//! protection. Source: Chatzikokolakis et al., "Broadening the Scope of Differential Privacy Using
//! Metrics" (2013). Totals over many rows belong into aggregates, which need far less noise.

pub mod choice;
pub mod noise;
pub mod sticky;

use std::cell::RefCell;

use super::bounds::Bounds;
use super::decimal::Decimal;
use super::epsilon::Epsilon;
use super::grid::{Grid, Place};
use super::laplace::{Coins, Laplace};
use crate::error::{Error, Kind, Result};
use crate::strategies::definition::{mismatch, outside};
use crate::strategies::params::{ParamError, ParamKind, ParamSpec, Reader};
use crate::strategies::{Datum, ValueType};

/// The types that noise is added to.
const NOISY: &[ValueType] = &[
    ValueType::Date,
    ValueType::Float32,
    ValueType::Float64,
    ValueType::Int16,
    ValueType::Int32,
    ValueType::Int64,
    ValueType::Numeric,
    ValueType::Timestamp,
    ValueType::Timestamptz,
];

/// What the noise is made by: strength, sensitivity, bounds.
#[derive(Clone, Debug, PartialEq)]
struct Terms {
    name: &'static str,
    epsilon: Epsilon,
    sensitivity: f64,
    bounds: Bounds,
    clamp: bool,
}

impl Terms {
    /// Whether it gives NULL for not-a-number, which has no place without bounds.
    fn gives_null(&self, of: ValueType) -> bool {
        let has_nan = matches!(
            of,
            ValueType::Float32 | ValueType::Float64 | ValueType::Numeric
        );
        has_nan && self.bounds.is_empty()
    }

    fn read(name: &'static str, reader: &Reader<'_>, max_epsilon: f64) -> Result<Self, ParamError> {
        let sensitivity = reader.number("sensitivity")?.unwrap_or_default();
        if !(1e-100..=1e100).contains(&sensitivity) {
            return Err(reader.invalid("sensitivity", "It must be between 1e-100 and 1e100."));
        }
        let terms = Self {
            name,
            epsilon: Epsilon::read(reader, max_epsilon)?,
            sensitivity,
            bounds: Bounds::read(reader, ["lower", "upper"])?,
            clamp: reader.bool("clamp", false),
        };
        if let Some(missing) = terms.bounds.lonely() {
            let detail = "Both bounds are needed, or none.";
            let message = format!("parameter \"{missing}\" of strategy \"{name}\" is missing");
            let error = Error::new(Kind::InvalidParameter, message).with_detail(detail);
            return Err(reader.error(missing, error));
        }
        if terms.clamp && terms.bounds.is_empty() {
            return Err(reader.invalid("clamp", "It needs bounds."));
        }
        if let [Some(lower), Some(upper)] = terms.bounds.decimals() {
            let scale = lower.scale.max(upper.scale);
            let width = Decimal {
                units: upper.floor(scale).minus(&lower.floor(scale)),
                scale,
            };
            if Decimal::of(sensitivity).compare(&width).is_lt() {
                return Err(reader.invalid("sensitivity", NARROW));
            }
        }
        Ok(terms)
    }

    /// Prepares the noise for a type.
    fn line(&self, of: ValueType) -> Result<Line> {
        let invalid = |detail: &str| {
            let name = self.name;
            let message =
                format!("invalid value for parameter \"sensitivity\" of strategy \"{name}\"");
            Error::new(Kind::InvalidParameter, message).with_detail(detail)
        };
        let numbers: Vec<f64> = self.bounds.numbers.into_iter().flatten().collect();
        let grid = Grid::new(of, self.sensitivity, &numbers).map_err(invalid)?;
        let bounds = if ValueType::TIMES.contains(&of) {
            let [least, most] = self.bounds.given_times(self.name, of)?;
            let place = |value: Option<Datum<'_>>| match grid.place(&value?) {
                Some(Place::At(at)) => Some(at),
                _ => None,
            };
            place(least).zip(place(most))
        } else {
            let place = |number: Option<f64>| grid.place_number(number?);
            let [lower, upper] = self.bounds.numbers;
            place(lower).zip(place(upper))
        };
        if let Some((lower, upper)) = bounds
            && upper - lower > grid.sensitivity.into()
        {
            return Err(invalid(NARROW));
        }
        let laplace = Laplace::new(grid.sensitivity, self.epsilon);
        Ok(Line {
            name: self.name,
            of,
            grid,
            bounds,
            clamp: self.clamp,
            laplace: laplace.ok_or_else(|| invalid("It is too large for this type."))?,
        })
    }
}

/// The noise for one type, ready for values.
struct Line {
    name: &'static str,
    of: ValueType,
    grid: Grid,
    bounds: Option<(i128, i128)>,
    clamp: bool,
    laplace: Laplace,
}

impl Line {
    /// Where a value lies within the bounds; none where not-a-number becomes NULL.
    fn place(&self, value: &Datum<'_>) -> Result<Option<i128>> {
        let place = self.grid.place(value).ok_or_else(|| match value {
            Datum::Numeric(_) => outside(self.name, "not a number", "It must be a numeric."),
            _ => mismatch(self.name, self.of),
        })?;
        Ok(match (place, self.bounds) {
            (Place::At(at), None) => Some(at),
            (Place::At(at), Some((lower, upper))) => Some(at.clamp(lower, upper)),
            // An error would tell that there is such a value, and so would another output.
            (Place::Nowhere, Some((lower, _))) => Some(lower),
            (Place::Nowhere, None) => None,
        })
    }

    /// The value at a place with noise.
    fn noisy<F: FnMut() -> Result<u64>>(&self, at: i128, source: F) -> Result<Datum<'static>> {
        let mut at = at + self.laplace.sample(&mut Coins::new(source))?;
        if let Some((lower, upper)) = self.bounds
            && self.clamp
        {
            at = at.clamp(lower, upper);
        }
        Ok(self.grid.value(at))
    }
}

/// The random words of one mask, several drawn at once: to ask which process this is takes longer
/// than to draw. A mask is made by the process that uses it and does not outlive it, so no two
/// processes have the same ones; a word that was taken is forgotten.
struct Supply {
    source: Source,
    kept: RefCell<Vec<u64>>,
}

impl Supply {
    fn new(source: Source) -> Self {
        Self {
            source,
            kept: RefCell::default(),
        }
    }

    fn word(&self) -> Result<u64> {
        let mut kept = self.kept.borrow_mut();
        if kept.is_empty() {
            kept.extend((self.source)()?);
        }
        let last = kept.len().saturating_sub(1);
        let word = kept.get_mut(last).map(std::mem::take).unwrap_or_default();
        kept.truncate(last);
        Ok(word)
    }
}

/// Where random words come from; a test gives others.
type Source = fn() -> Result<[u64; BATCH]>;

/// Enough for some twenty values.
const BATCH: usize = 64;

const EPSILON: ParamSpec = ParamSpec::required(
    "epsilon",
    ParamKind::Number,
    "Strength, 0.000001 to 10: the smaller, the more noise and the more privacy.",
);
const SENSITIVITY: ParamSpec = ParamSpec::required(
    "sensitivity",
    ParamKind::Span,
    "How far apart two values may be that must not be told apart: days for a date, seconds for a \
     timestamp.",
);
const LOWER: ParamSpec = ParamSpec::optional(
    "lower",
    ParamKind::Number,
    "What a smaller value counts as; with upper, and at most the sensitivity apart.",
)
.only(ValueType::NUMBERS);
const UPPER: ParamSpec = ParamSpec::optional(
    "upper",
    ParamKind::Number,
    "What a greater value counts as.",
)
.only(ValueType::NUMBERS);
const EARLIEST: ParamSpec = ParamSpec::optional(
    "earliest",
    ParamKind::Text,
    "What an earlier date or point in time counts as; with latest.",
)
.only(ValueType::TIMES);
const LATEST: ParamSpec = ParamSpec::optional(
    "latest",
    ParamKind::Text,
    "What a later date or point in time counts as.",
)
.only(ValueType::TIMES);
const CLAMP: ParamSpec = ParamSpec::new(
    "clamp",
    ParamKind::Bool,
    "false",
    "Whether the output is kept within the bounds too, which biases statistics.",
);

const NARROW: &str = "With bounds it must be at least as much as they are apart: less noise would \
                      not cover every value.";

#[cfg(test)]
mod tests;
