//! `fpe`: format-preserving encryption, which the key can undo.
//!
//! FF1 of NIST SP 800-38G with AES-256, in domains of a million values at least, as the second
//! public draft of Revision 1 (3 February 2025) demands; smaller ones are refused, or permuted by
//! a drawn table on request. Two values never share an output. A text keeps its length and whatever
//! stands between its symbols; a number stays in its declared range, or keeps its sign and its
//! number of digits.

use super::arguments::{Days, PARAMS, algorithm, days, range, reading, shuffle, tweak};
use super::ff1::{LEAST, Way};
use super::number::{Interval, Numbers, uuid};
use super::permutation::{Permutation, Recipe};
use super::text::{HINT, Reading, Texts};
use super::time::{SECONDS_A_DAY, Times};
use crate::error::{self, Error, Result};
use crate::strategies::definition::{
    Apply, Definition, Needs, Parsed, Properties, Row, Seed, Subkeys, Survival, mismatch,
};
use crate::strategies::params::{ParamError, Reader};
use crate::strategies::{Datum, ValueType};

/// `fpe` in the list of strategies.
///
/// # Examples
///
/// ```
/// use confiture::strategies::{Datum, Kind, Params, Row, Seed, Strategy, Subkeys, ValueType};
///
/// let keys = Subkeys::new(&[7; 32], &[8; 32]);
/// let strategy = Strategy::new(Kind::Fpe, &Params::new())?;
/// let mask = strategy.mask(&keys, Seed::new(1), ValueType::Text)?;
/// let made = mask.text("4111-1111")?;
/// assert!(made.len() == 9 && made.contains('-'));
/// let back = mask.reverse(Datum::Text(made), Row::NONE)?;
/// assert_eq!(back, Some(Datum::text("4111-1111")));
/// # Ok::<(), confiture::error::Error>(())
/// ```
pub const DEFINITION: Definition = Definition {
    name: "fpe",
    version: 1,
    about: "Encryption of a value into another of the same form",
    accepts: &[
        ValueType::Date,
        ValueType::Int16,
        ValueType::Int32,
        ValueType::Int64,
        ValueType::Numeric,
        ValueType::Text,
        ValueType::Timestamp,
        ValueType::Timestamptz,
        ValueType::Uuid,
    ],
    params: PARAMS,
    inputs: &[],
    needs: Needs::Key,
    refuses: true,
    example: "anon_fpe('4111-1111-1111-1111', preserve_luhn => true)",
    sample: "{}",
    parse: |reader| Ok(Box::new(Fpe::new(reader)?)),
};

/// The parameters of `fpe`, checked.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Fpe {
    reading: Reading,
    /// The alphabet, if it is the user's own.
    symbols: Option<String>,
    range: Option<(i64, i64)>,
    days: Option<Days>,
    shuffle: bool,
    tweak: String,
}

impl Fpe {
    fn new(reader: &Reader<'_>) -> Result<Self, ParamError> {
        algorithm(reader)?;
        let symbols = reader.text_if_given("symbols");
        Ok(Self {
            reading: reading(reader, symbols)?,
            symbols: symbols.map(str::to_owned),
            range: range(reader)?,
            days: days(reader)?,
            shuffle: shuffle(reader)?,
            tweak: tweak(reader)?.to_owned(),
        })
    }

    fn declared(&self) -> Option<Interval> {
        let (min, max) = self.range?;
        Some(Interval(min.into(), max.into()))
    }

    /// How likely a value of an interval is to become a given one.
    fn chance(size: u128) -> Survival {
        match size.ilog2() {
            0..16 => Survival::Unjudged,
            bits => Survival::Bits(bits),
        }
    }

    fn survival(&self, of: ValueType) -> Survival {
        let large = if self.shuffle {
            Survival::Unjudged
        } else {
            Self::chance(LEAST)
        };
        match of {
            ValueType::Text if self.reading.name == "digits" => {
                let kept = self.reading.prefix + self.reading.suffix;
                let kept = kept + usize::from(self.reading.luhn);
                Survival::Digits {
                    kept: kept.try_into().unwrap_or(u32::MAX),
                }
            }
            ValueType::Uuid => Survival::Bits(122),
            ValueType::Date | ValueType::Timestamp | ValueType::Timestamptz => {
                let days = self.days.as_ref().map_or(1, |days| days.interval.size());
                let each = if of == ValueType::Date {
                    1
                } else {
                    SECONDS_A_DAY
                };
                Self::chance(days * each.unsigned_abs())
            }
            ValueType::Text => large,
            _ => match self.declared() {
                Some(declared) => Self::chance(declared.size()),
                // The first digit is not 0, and there are 9 of 10 numbers of any length at least.
                None if of != ValueType::Numeric => Survival::Digits { kept: 1 },
                None => large,
            },
        }
    }

    /// Refuses what these parameters say too little or too much about.
    fn fits(&self, of: ValueType) -> Result<()> {
        let refuse = |message: &str, detail: String| {
            let message = format!("strategy \"{}\" {message} {}", DEFINITION.name, of.name());
            Error::new(error::Kind::InvalidParameter, message).with_detail(detail)
        };
        let size = match of {
            ValueType::Text | ValueType::Uuid => LEAST,
            ValueType::Date | ValueType::Timestamp | ValueType::Timestamptz => {
                let Some(days) = &self.days else {
                    let detail = "They say which dates there can be, as YYYY-MM-DD, both included.";
                    let needs = "needs parameters \"first_date\" and \"last_date\" for type";
                    return Err(refuse(needs, detail.to_owned()));
                };
                let days = days.interval.size();
                let each = if of == ValueType::Date {
                    1
                } else {
                    SECONDS_A_DAY
                };
                days * each.unsigned_abs()
            }
            _ => {
                let all = Interval::of(of);
                match self.declared() {
                    Some(declared) if all.contains(declared.0) && all.contains(declared.1) => {
                        declared.size()
                    }
                    Some(_) => {
                        let detail = "Parameters \"min\" and \"max\" must be values of the type.";
                        let message = "cannot keep its range within type";
                        return Err(refuse(message, detail.to_owned()));
                    }
                    None => all.size(),
                }
            }
        };
        if size < LEAST && !self.shuffle {
            let detail =
                format!("There are {size} values in range, and FF1 needs {LEAST} of them.");
            return Err(refuse("has too small a range for type", detail).with_hint(HINT));
        }
        Ok(())
    }
}

impl Parsed for Fpe {
    fn properties(&self, of: ValueType) -> Properties {
        let is_number = matches!(
            of,
            ValueType::Int16 | ValueType::Int32 | ValueType::Int64 | ValueType::Numeric
        );
        Properties {
            injective: true,
            reversible: true,
            keeps_length: !is_number || self.range.is_none(),
            keeps_format: true,
            // They never collide.
            collision_bits: Some(128),
            survival: self.survival(of),
            ..Properties::KEYED
        }
    }

    fn output_limit(&self, input_max_chars: Option<usize>) -> Option<usize> {
        input_max_chars
    }

    fn compile(&self, keys: &Subkeys<'_>, seed: Seed, of: ValueType) -> Result<Box<dyn Apply>> {
        self.fits(of)?;
        let symbols = self.symbols.as_deref().unwrap_or_default();
        let (shuffle, tweak) = (self.shuffle, &*self.tweak);
        // Integers of every width and numeric share their permutations, so that keys join.
        let permutation = |what: &str| {
            let recipe = Recipe {
                what: &[what],
                radix: 2,
                tweak,
                kept: 0,
                shuffle,
            };
            Permutation::new(keys.fpe, seed, &recipe)
        };
        let work = match of {
            ValueType::Text => {
                let reading = self.reading.clone();
                let texts = Texts::new(reading, symbols, keys.fpe, seed, tweak, shuffle)?;
                Work::Texts(Box::new(texts))
            }
            ValueType::Uuid => Work::Uuids(Box::new(permutation("uuid")?)),
            ValueType::Date | ValueType::Timestamp | ValueType::Timestamptz => {
                let days = self.days.as_ref().map(|days| days.interval);
                Work::Times(Box::new(Times {
                    permutation: permutation(of.name())?,
                    days: days.ok_or_else(|| mismatch(DEFINITION.name, of))?,
                }))
            }
            _ => Work::Numbers(Box::new(Numbers {
                permutation: permutation("integer")?,
                all: Interval::of(of),
                declared: self.declared(),
            })),
        };
        Ok(Box::new(Mask { of, work }))
    }
}

/// `fpe` with its key.
struct Mask {
    of: ValueType,
    work: Work,
}

enum Work {
    Numbers(Box<Numbers>),
    Texts(Box<Texts>),
    Times(Box<Times>),
    Uuids(Box<Permutation>),
}

impl Apply for Mask {
    fn apply<'a>(&self, value: Datum<'a>, _: Row<'_>) -> Result<Option<Datum<'a>>> {
        self.go(Way::Forth, value)
    }

    fn reverse<'a>(&self, value: Datum<'a>, _: Row<'_>) -> Result<Option<Datum<'a>>> {
        self.go(Way::Back, value)
    }
}

impl Mask {
    fn go<'a>(&self, way: Way, value: Datum<'a>) -> Result<Option<Datum<'a>>> {
        Ok(Some(match (&self.work, value) {
            (Work::Texts(texts), Datum::Text(text)) => Datum::text(texts.text(way, &text)?),
            (Work::Numbers(numbers), Datum::Int(number)) => {
                let moved = numbers.number(way, number.into())?;
                // Both intervals are within the type.
                Datum::Int(i64::try_from(moved).map_err(|_| mismatch(DEFINITION.name, self.of))?)
            }
            (Work::Numbers(numbers), Datum::Numeric(text)) => {
                Datum::Numeric(numbers.numeric(way, &text)?.into())
            }
            (Work::Times(times), Datum::Date(day)) => Datum::Date(times.date(way, day)?),
            (Work::Times(times), Datum::Timestamp(time)) => {
                Datum::Timestamp(times.timestamp(way, time)?)
            }
            (Work::Uuids(permutation), Datum::Uuid(bits)) => {
                Datum::Uuid(uuid(permutation, way, bits)?)
            }
            _ => return Err(mismatch(DEFINITION.name, self.of)),
        }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::strategies::params::Value;
    use crate::strategies::{Kind, Strategy};

    fn strategy(params: &[(&str, Value)]) -> Result<Strategy, ParamError> {
        let params = params.iter().map(|(k, v)| ((*k).to_owned(), v.clone()));
        Strategy::new(Kind::Fpe, &params.collect())
    }

    fn compiled(params: &[(&str, Value)], of: ValueType) -> Result<crate::strategies::Mask> {
        let keys = Subkeys::new(&[1; 32], &[2; 32]);
        strategy(params).unwrap().mask(&keys, Seed::new(1), of)
    }

    fn text(word: &str) -> Value {
        Value::from(word)
    }

    fn years(from: &str, to: &str) -> [(&'static str, Value); 2] {
        [("first_date", text(from)), ("last_date", text(to))]
    }

    #[test]
    fn fpe_says_what_a_type_lacks_before_a_value_is_seen() {
        let int = Value::Int;
        let shuffle = ("small_domain", text("shuffle"));
        let range = |min, max| [("min", int(min)), ("max", int(max))];
        for (params, of, message) in [
            (
                &[][..],
                ValueType::Int16,
                "has too small a range for type smallint",
            ),
            (
                &range(1, 999_999),
                ValueType::Int32,
                "has too small a range for type integer",
            ),
            (
                &range(1, 40_000),
                ValueType::Int16,
                "cannot keep its range within type smallint",
            ),
            (
                &range(i64::MIN, 0),
                ValueType::Int32,
                "cannot keep its range within type integer",
            ),
            (
                &[],
                ValueType::Date,
                "needs parameters \"first_date\" and \"last_date\" for type date",
            ),
            (
                std::slice::from_ref(&shuffle),
                ValueType::Timestamptz,
                "needs parameters \"first_date\" and \"last_date\" for \
                type timestamp with time zone",
            ),
            (
                &years("1900-01-01", "2099-12-31"),
                ValueType::Date,
                "has too small a range for type \
                date",
            ),
            (
                &years("2024-01-01", "2024-01-11"),
                ValueType::Timestamp,
                "has too small a range for \
                type timestamp without time zone",
            ),
        ] {
            let error = compiled(params, of).unwrap_err();
            assert_eq!(error.message(), format!("strategy \"fpe\" {message}"));
            assert_eq!(error.kind(), error::Kind::InvalidParameter);
        }
        let century = years("1900-01-01", "2099-12-31");
        let mut shuffled = century.to_vec();
        shuffled.push(shuffle.clone());
        for (params, of) in [
            (&[shuffle][..], ValueType::Int16),
            (&range(1, 1_000_000), ValueType::Int32),
            (&range(i64::MIN, i64::MAX), ValueType::Int64),
            (&range(i64::MIN, i64::MAX), ValueType::Numeric),
            (&century, ValueType::Timestamp),
            (&years("2024-01-01", "2024-01-12"), ValueType::Timestamp),
            (&years("0001-01-01", "9999-12-31"), ValueType::Date),
            (&shuffled, ValueType::Date),
            (&[], ValueType::Uuid),
            (&[], ValueType::Text),
        ] {
            assert!(compiled(params, of).is_ok(), "{of:?}");
        }
    }

    #[test]
    fn fpe_numbers_of_one_range_join_across_types() {
        let range = [("min", Value::Int(0)), ("max", Value::Int(2_000_000))];
        let mask = |of| compiled(&range, of).unwrap();
        let four = mask(ValueType::Int32).int(42).unwrap();
        assert_eq!(mask(ValueType::Int64).int(42).unwrap(), four);
        let numeric = mask(ValueType::Numeric)
            .apply(Datum::Numeric("42".into()), Row::NONE)
            .unwrap();
        assert_eq!(numeric, Some(Datum::Numeric(four.to_string().into())));
        let plain = |of| compiled(&[], of).unwrap().int(12_345_678).unwrap();
        assert_eq!(plain(ValueType::Int32), plain(ValueType::Int64));
    }

    #[test]
    fn fpe_uses_its_own_subkey() {
        let mask = |masking: u8, fpe: u8| {
            let keys = ([masking; 32], [fpe; 32]);
            let keys = Subkeys::new(&keys.0, &keys.1);
            let mask = strategy(&[])
                .unwrap()
                .mask(&keys, Seed::new(1), ValueType::Text);
            mask.unwrap().text("4111111111111111").unwrap().into_owned()
        };
        assert_eq!(mask(1, 2), mask(3, 2));
        assert_ne!(mask(1, 2), mask(1, 3));
    }

    #[test]
    fn fpe_promises_what_holds_for_every_value() {
        let properties = |params: &[(&str, Value)], of| strategy(params).unwrap().properties(of);
        for of in DEFINITION.accepts {
            let of = properties(&[], *of);
            assert!(of.injective && of.reversible && of.keyed && of.deterministic);
            assert!(of.keeps_length && of.keeps_format && !of.folds_spellings);
        }
        let range = [("min", Value::Int(1)), ("max", Value::Int(1 << 31))];
        assert!(!properties(&range, ValueType::Int64).keeps_length);
        let null = properties(&[("on_error", text("null"))], ValueType::Text);
        assert!(!null.injective);

        let shuffle = ("small_domain", text("shuffle"));
        let kept = [
            ("keep_prefix", Value::Int(6)),
            ("keep_suffix", Value::Int(3)),
            ("preserve_luhn", Value::Bool(true)),
        ];
        let hex = ("alphabet", text("hex"));
        let days = years("1900-01-01", "2099-12-31");
        for (params, of, survival) in [
            (&[][..], ValueType::Text, Survival::Digits { kept: 0 }),
            (&kept, ValueType::Text, Survival::Digits { kept: 10 }),
            (
                std::slice::from_ref(&hex),
                ValueType::Text,
                Survival::Bits(19),
            ),
            (
                &[hex.clone(), shuffle.clone()],
                ValueType::Text,
                Survival::Unjudged,
            ),
            (&[], ValueType::Int64, Survival::Digits { kept: 1 }),
            (&[], ValueType::Numeric, Survival::Bits(19)),
            (&[shuffle], ValueType::Numeric, Survival::Unjudged),
            (&range, ValueType::Int64, Survival::Bits(31)),
            (&[], ValueType::Uuid, Survival::Bits(122)),
            (&days, ValueType::Date, Survival::Bits(16)),
            (&days, ValueType::Timestamp, Survival::Bits(32)),
            (
                &years("1990-01-01", "1999-12-31"),
                ValueType::Date,
                Survival::Unjudged,
            ),
        ] {
            assert_eq!(properties(params, of).survival, survival, "{of:?}");
        }
    }
}
