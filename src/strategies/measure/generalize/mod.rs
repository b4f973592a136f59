//! `generalize`: the same type, less of it: dates to a unit, postal codes to three digits, texts to
//! their first characters, ages to at most 90, numbers to a step.
//!
//! Draws nothing and needs no key. For numbers it is `round` with mode `floor`; what begins a
//! bucket stands for all of it, and the value is always in it. `zip3` and `age` are two rules of
//! HIPAA's Safe Harbor (45 CFR 164.514(b)(2)(i)(B) and (C)); a person's dates need `unit` `year`
//! for the second.

use super::bounds::Bounds;
use super::round::read_step;
use super::rounder::{Mode, Rounder};
use crate::error::{Error, Kind as Fault, Result};
use crate::strategies::calendar::{self, Civil, DAY, Unit};
use crate::strategies::definition::{
    Apply, Definition, Needs, Parsed, Properties, Row, Seed, Subkeys, mismatch, outside,
};
use crate::strategies::params::{ParamError, ParamKind, ParamSpec, Reader};
use crate::strategies::{Datum, ValueType};

/// `generalize` in the list of strategies.
///
/// # Examples
///
/// ```
/// use confiture::strategies::{Kind, Params, Seed, Strategy, Subkeys, Value, ValueType};
///
/// let params = Params::from([("step".to_owned(), Value::Int(1000))]);
/// let keys = Subkeys::new(&[7; 32], &[8; 32]);
/// let strategy = Strategy::new(Kind::Generalize, &params)?;
/// let mask = strategy.mask(&keys, Seed::new(1), ValueType::Int32)?;
/// assert_eq!(mask.int(52_734)?, 52_000);
/// # Ok::<(), confiture::error::Error>(())
/// ```
pub const DEFINITION: Definition = Definition {
    name: "generalize",
    version: 1,
    about: "Coarser value of the same type",
    accepts: &[
        ValueType::Date,
        ValueType::Float32,
        ValueType::Float64,
        ValueType::Int16,
        ValueType::Int32,
        ValueType::Int64,
        ValueType::Numeric,
        ValueType::Text,
        ValueType::Timestamp,
        ValueType::Timestamptz,
    ],
    params: PARAMS,
    inputs: &[],
    needs: Needs::Nothing,
    refuses: true,
    example: "anon_generalize(DATE '1987-06-05', unit => 'quarter')",
    sample: r#"{"unit": "year"}"#,
    parse: |reader| Ok(Box::new(Generalize::new(reader)?)),
};

/// The parameters of `generalize`, checked.
#[derive(Clone, Debug, PartialEq)]
struct Generalize {
    method: Method,
    unit: Unit,
    step: Option<f64>,
    /// A date, and how it was written.
    as_of: Option<(i32, String)>,
    restricted: Option<Vec<String>>,
    keep: Option<u16>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Method {
    Bucket,
    Age,
    Zip3,
    Prefix,
}

impl Generalize {
    fn new(reader: &Reader<'_>) -> Result<Self, ParamError> {
        let method = reader.word("method", &METHODS)?;
        let as_of = match reader.text_if_given("as_of").map(str::trim) {
            Some(_) if method != Method::Age => {
                return Err(reader.invalid("as_of", "It has a meaning with method age alone."));
            }
            Some(text) => {
                let days = calendar::parse_date(text).filter(|days| days.abs() < i32::MAX);
                let days = days.ok_or_else(|| reader.invalid("as_of", "It must be a date."))?;
                reader.note("as_of", text);
                Some((days, text.to_owned()))
            }
            None => None,
        };
        let restricted = reader.texts("restricted")?;
        if let Some(prefixes) = &restricted {
            let digits =
                |text: &String| text.len() == 3 && text.bytes().all(|byte| byte.is_ascii_digit());
            if method != Method::Zip3 {
                let detail = "It has a meaning with method zip3 alone.";
                return Err(reader.invalid("restricted", detail));
            }
            if prefixes.len() > 1000 || !prefixes.iter().all(digits) {
                let detail = "It must be a list of at most 1000 prefixes of three digits.";
                return Err(reader.invalid("restricted", detail));
            }
        }
        let keep = reader.int_if_given("keep", 1..=MOST_KEPT)?;
        if keep.is_some() != (method == Method::Prefix) {
            let detail = "It has a meaning with method prefix alone, which needs it.";
            return Err(reader.invalid("keep", detail));
        }
        Ok(Self {
            method,
            unit: reader.word("unit", &Unit::NAMES)?,
            step: read_step(reader)?,
            as_of,
            restricted,
            keep,
        })
    }
}

impl Parsed for Generalize {
    fn properties(&self, _: ValueType) -> Properties {
        Properties {
            deterministic: true,
            collision_bits: Some(0),
            ..Properties::NONE
        }
    }

    fn accepts(&self, of: ValueType) -> bool {
        match self.method {
            Method::Bucket => of != ValueType::Text,
            Method::Prefix => of == ValueType::Text,
            Method::Age => of.max_int().is_some() || ValueType::TIMES.contains(&of),
            Method::Zip3 => of == ValueType::Text,
        }
    }

    fn instead(&self, of: ValueType) -> Option<&'static str> {
        Some(match of {
            ValueType::Text => {
                "Texts take the methods prefix, and zip3 for ZIP codes of the United States."
            }
            ValueType::Float32 | ValueType::Float64 | ValueType::Numeric => {
                "Numbers that are not integers take the method bucket, with a step."
            }
            _ => "Integers, dates and timestamps take the methods bucket and age.",
        })
    }

    fn output_limit(&self, input: Option<usize>) -> Option<usize> {
        match self.method {
            Method::Zip3 => Some(3),
            _ => self.keep.map(|keep| {
                let keep = usize::from(keep);
                input.map_or(keep, |most| most.min(keep))
            }),
        }
    }

    fn compile(&self, _: &Subkeys<'_>, _: Seed, of: ValueType) -> Result<Box<dyn Apply>> {
        if self.method == Method::Zip3 {
            let restricted = self.restricted.clone();
            let standard = || RESTRICTED.map(str::to_owned).to_vec();
            return Ok(Box::new(Zip3(restricted.unwrap_or_else(standard))));
        }
        if let Some(keep) = self.keep {
            return Ok(Box::new(Prefix(keep.into())));
        }
        let missing = |param: &str, detail: &str| {
            let message = format!("parameter \"{param}\" of strategy \"generalize\" is missing");
            Error::new(Fault::MissingParameter, message).with_detail(detail)
        };
        if !ValueType::TIMES.contains(&of) {
            let (step, bounds) = match self.method {
                Method::Age => (self.step.unwrap_or(1.0), Bounds::at_most(90.0)),
                _ => {
                    let step = self
                        .step
                        .ok_or_else(|| missing("step", "Numbers need it."))?;
                    (step, Bounds::default())
                }
            };
            let rounder = Rounder::new(DEFINITION.name, of, step, Mode::Floor, &bounds)?;
            return Ok(Box::new(rounder));
        }
        if of == ValueType::Date && self.unit < Unit::Day {
            let message = "invalid value for parameter \"unit\" of strategy \"generalize\"";
            let error = Error::new(Fault::InvalidParameter, message);
            return Err(error.with_detail("A date has no hours."));
        }
        let oldest = match (self.method, &self.as_of) {
            (Method::Age, None) => {
                return Err(missing(
                    "as_of",
                    "With method age a date of birth needs it.",
                ));
            }
            (_, Some((as_of, _))) => Some(Oldest::new(*as_of)),
            _ => None,
        };
        Ok(Box::new(Cut {
            unit: self.unit,
            oldest,
            of,
        }))
    }
}

/// Dates of birth of those who are 90 or older.
#[derive(Clone, Copy)]
struct Oldest {
    /// The last of them.
    birthday: i64,
    /// What stands for all.
    year: i64,
}

impl Oldest {
    fn new(as_of: i32) -> Self {
        let as_of = Civil::of(as_of.into());
        let birthday = Civil {
            year: as_of.year - 90,
            ..as_of
        };
        let year = Civil {
            month: 1,
            day: 1,
            ..birthday
        };
        Self {
            birthday: birthday.days(),
            year: year.days(),
        }
    }

    fn code(self, days: i64, cut: i64) -> i64 {
        // A cut may lead below the last birthday too: whoever is younger joins the oldest then.
        if days <= self.birthday {
            self.year
        } else {
            cut.max(self.year)
        }
    }
}

/// Dates and points in time cut to a unit.
struct Cut {
    unit: Unit,
    oldest: Option<Oldest>,
    of: ValueType,
}

impl Apply for Cut {
    fn apply<'a>(&self, value: Datum<'a>, _: Row<'_>) -> Result<Option<Datum<'a>>> {
        Ok(Some(match value {
            Datum::Date(i32::MIN | i32::MAX) | Datum::Timestamp(i64::MIN | i64::MAX) => value,
            Datum::Date(days) => {
                let days = i64::from(days);
                let cut = self.unit.first_day(days);
                let coded = self.oldest.map_or(cut, |oldest| oldest.code(days, cut));
                Datum::Date(calendar::date(coded))
            }
            Datum::Timestamp(time) => {
                let time = time.clamp(calendar::TIME_MIN, calendar::TIME_MAX);
                let cut = self.unit.first_time(time);
                let coded = match self.oldest {
                    Some(oldest) if time.div_euclid(DAY) <= oldest.birthday => oldest.year * DAY,
                    Some(oldest) => cut.max(oldest.year.saturating_mul(DAY)),
                    None => cut,
                };
                Datum::Timestamp(coded.clamp(calendar::TIME_MIN, calendar::TIME_MAX))
            }
            _ => return Err(mismatch(DEFINITION.name, self.of)),
        }))
    }
}

/// Postal codes of the United States, less those of few people.
struct Zip3(Vec<String>);

impl Apply for Zip3 {
    fn apply<'a>(&self, value: Datum<'a>, _: Row<'_>) -> Result<Option<Datum<'a>>> {
        let Datum::Text(text) = &value else {
            return Err(mismatch(DEFINITION.name, ValueType::Text));
        };
        let text = text.trim();
        if text.is_empty() {
            let message = "value for strategy \"generalize\" is empty or blank";
            return Err(Error::new(Fault::Blank, message).with_detail(ZIP));
        }
        let digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
        let well_formed = match text.split_once('-') {
            Some((code, more)) => {
                code.len() == 5 && more.len() == 4 && digits(code) && digits(more)
            }
            None => matches!(text.len(), 3 | 5 | 9) && digits(text),
        };
        let prefix = text.get(..3).filter(|_| well_formed);
        let prefix = prefix.ok_or_else(|| outside(DEFINITION.name, "not a ZIP code", ZIP))?;
        let restricted = self.0.iter().any(|other| other == prefix);
        let prefix = if restricted { "000" } else { prefix };
        Ok(Some(Datum::text(prefix.to_owned())))
    }
}

/// The first characters of a text, as `left` of SQL counts them.
struct Prefix(usize);

impl Apply for Prefix {
    fn apply<'a>(&self, value: Datum<'a>, _: Row<'_>) -> Result<Option<Datum<'a>>> {
        let Datum::Text(text) = value else {
            return Err(mismatch(DEFINITION.name, ValueType::Text));
        };
        let cut = text.char_indices().nth(self.0).map(|(place, _)| place);
        Ok(Some(match cut {
            Some(place) => Datum::text(text[..place].to_owned()),
            None => Datum::Text(text),
        }))
    }
}

/// The most characters of a text that are kept.
const MOST_KEPT: u16 = 1000;

/// Three-digit ZIP code areas of 20 000 people or fewer by the census of 2000: U.S. Department of
/// Health and Human Services, "Guidance Regarding Methods for De-identification of Protected Health
/// Information" (2012). Whoever has newer figures gives parameter `restricted`.
const RESTRICTED: [&str; 17] = [
    "036", "059", "063", "102", "203", "556", "692", "790", "821", "823", "830", "831", "878",
    "879", "884", "890", "893",
];
const ZIP: &str = "A ZIP code has 5 or 9 digits, the last 4 of 9 after a hyphen or not.";

const METHODS: [(&str, Method); 4] = [
    ("bucket", Method::Bucket),
    ("age", Method::Age),
    ("zip3", Method::Zip3),
    ("prefix", Method::Prefix),
];

const PARAMS: &[ParamSpec] = &[
    ParamSpec::new(
        "unit",
        ParamKind::Text,
        "year",
        "What a date is cut to: minute, hour, day, week, month, quarter, year or decade.",
    )
    .only(ValueType::TIMES),
    ParamSpec::optional(
        "step",
        ParamKind::Number,
        "What a number is a multiple of, the next one below.",
    )
    .only(ValueType::NUMBERS),
    ParamSpec::new(
        "method",
        ParamKind::Text,
        "bucket",
        "bucket uses unit or step; age makes 90 of all that is more; zip3 keeps three digits; prefix \
         keeps the first characters.",
    ),
    ParamSpec::optional(
        "as_of",
        ParamKind::Text,
        "With method age for a date of birth: the date at which the age counts.",
    )
    .only(ValueType::TIMES),
    ParamSpec::optional(
        "restricted",
        ParamKind::List,
        "With method zip3: prefixes that become 000, by default 17 of the census of 2000.",
    )
    .only(ValueType::TEXT),
    ParamSpec::optional(
        "keep",
        ParamKind::Int,
        "With method prefix: how many characters stay, 1 to 1000.",
    )
    .only(ValueType::TEXT),
];

#[cfg(test)]
mod tests;
