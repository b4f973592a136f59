//! Bounds of values, as parameters: `lower` and `upper` or `min` and `max` for numbers, `earliest`
//! and `latest` for dates and points in time.

use super::decimal::{self, Decimal};
use crate::error::{Error, Kind, Result};
use crate::strategies::calendar;
use crate::strategies::params::{ParamError, Reader};
use crate::strategies::{Datum, ValueType};

/// The least and the greatest value, where they are given.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Bounds {
    names: [&'static str; 2],
    /// For numbers.
    pub(super) numbers: [Option<f64>; 2],
    /// For dates and points in time, as written.
    times: [Option<String>; 2],
}

impl Bounds {
    /// Reads them; `names` are those of the bounds for numbers.
    ///
    /// # Errors
    /// The first that is refused, and the second of a pair in the wrong order.
    pub(super) fn read(reader: &Reader<'_>, names: [&'static str; 2]) -> Result<Self, ParamError> {
        let numbers = [reader.number(names[0])?, reader.number(names[1])?];
        if let [Some(least), Some(most)] = numbers
            && least > most
        {
            let detail = format!("It must not be below {}.", names[0]);
            return Err(reader.invalid(names[1], detail));
        }
        let time = |name| {
            let Some(text) = reader.text_if_given(name).map(str::trim) else {
                return Ok(None);
            };
            reader.note(name, text);
            match finite(calendar::parse_time(text, true)) {
                Some(_) => Ok(Some(text.to_owned())),
                None => Err(reader.invalid(name, DATE_OR_TIME)),
            }
        };
        let times = [time(TIMES[0])?, time(TIMES[1])?];
        let parsed = |text: &Option<String>| calendar::parse_time(text.as_ref()?, true);
        if let (Some(least), Some(most)) = (parsed(&times[0]), parsed(&times[1]))
            && least > most
        {
            return Err(reader.invalid(TIMES[1], "It must not be before the earliest."));
        }
        Ok(Self {
            names,
            numbers,
            times,
        })
    }

    /// No value above a number.
    pub(super) fn at_most(number: f64) -> Self {
        Self {
            numbers: [None, Some(number)],
            ..Self::default()
        }
    }

    /// Whether none is given.
    pub(super) fn is_empty(&self) -> bool {
        let times = self.times.iter().all(Option::is_none);
        times && self.numbers.iter().all(Option::is_none)
    }

    /// Whether exactly one of a pair is there, and its missing companion.
    pub(super) fn lonely(&self) -> Option<&'static str> {
        let missing = |given: [bool; 2], names: [&'static str; 2]| match given {
            [true, false] => Some(names[1]),
            [false, true] => Some(names[0]),
            _ => None,
        };
        let times = [self.times[0].is_some(), self.times[1].is_some()];
        missing(self.numbers.map(|number| number.is_some()), self.names)
            .or_else(|| missing(times, TIMES))
    }

    /// The texts as written, of those for a type.
    pub(super) fn texts(&self, of: ValueType) -> [String; 2] {
        if ValueType::TIMES.contains(&of) {
            return self.times.clone().map(Option::unwrap_or_default);
        }
        self.numbers
            .map(|number| number.map_or_else(String::new, |number| number.to_string()))
    }

    /// The numbers, in decimal digits.
    pub(super) fn decimals(&self) -> [Option<Decimal>; 2] {
        self.numbers.map(|number| number.map(Decimal::of))
    }

    /// The whole numbers from the one to the other, for an integer type, dates (days) or points in
    /// time (microseconds); where a bound is not given, that of the type.
    ///
    /// # Errors
    /// `InvalidParameter` for a bound that is none of the type.
    pub(super) fn whole(&self, name: &str, of: ValueType) -> Result<[i64; 2]> {
        let mut found = extent(of);
        for (at, found) in found.iter_mut().enumerate() {
            if !ValueType::TIMES.contains(&of) {
                if let Some(number) = self.numbers[at] {
                    *found = integer(number, of)
                        .ok_or_else(|| misfit(name, self.names[at], of, "a whole number"))?;
                }
            } else if let Some(text) = &self.times[at] {
                let read = match of {
                    ValueType::Date => calendar::parse_date(text).map(i64::from),
                    _ => calendar::parse_time(text, of == ValueType::Timestamptz),
                };
                *found = read.ok_or_else(|| misfit(name, TIMES[at], of, "a value"))?;
            }
        }
        Ok(found)
    }

    /// The same as values.
    ///
    /// # Errors
    /// As [`Self::whole`].
    pub(super) fn given_times(&self, name: &str, of: ValueType) -> Result<[Option<Datum<'_>>; 2]> {
        let [least, most] = self.whole(name, of)?;
        let datum = |given: bool, value: i64| {
            given.then(|| match i32::try_from(value) {
                Ok(days) if of == ValueType::Date => Datum::Date(days),
                _ => Datum::Timestamp(value),
            })
        };
        Ok([
            datum(self.times[0].is_some(), least),
            datum(self.times[1].is_some(), most),
        ])
    }
}

/// The least and the greatest finite value of a type: of integers, dates and points in time.
pub(super) fn extent(of: ValueType) -> [i64; 2] {
    match (of, of.max_int()) {
        (_, Some(max)) => [-max - 1, max],
        (ValueType::Date, _) => [calendar::DATE_MIN.into(), calendar::DATE_MAX.into()],
        _ => [calendar::TIME_MIN, calendar::TIME_MAX],
    }
}

/// A whole number, or the end of the integer type that it is beyond.
fn integer(number: f64, of: ValueType) -> Option<i64> {
    let [least, most] = extent(of);
    let within = decimal::whole(number)?.clamp(least.into(), most.into());
    i64::try_from(within).ok()
}

fn misfit(strategy: &str, param: &str, of: ValueType, what: &str) -> Error {
    let message = format!("invalid value for parameter \"{param}\" of strategy \"{strategy}\"");
    let detail = format!("It must be {what} of type {}.", of.name());
    Error::new(Kind::InvalidParameter, message).with_detail(detail)
}

fn finite(time: Option<i64>) -> Option<i64> {
    time.filter(|time| (calendar::TIME_MIN..=calendar::TIME_MAX).contains(time))
}

const TIMES: [&str; 2] = ["earliest", "latest"];
const DATE_OR_TIME: &str = "It must be a date or a point in time, such as 2024-12-31.";
