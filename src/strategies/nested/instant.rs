//! Dates and points in time as documents write them: ISO 8601, in the profile of RFC 3339.
//!
//! JSON has no dates, so a strategy that takes dates and no text gets a string of this form as what
//! it says, and its output is written in the same notation: `2024-02-29`, `2024-02-29T13:05:00Z`,
//! `2024-02-29 13:05`, `2024-02-29T13:05:00.250+01:00`. Years 0001 to 9999, proleptic Gregorian.

use std::borrow::Cow;
use std::fmt::Write;

use crate::strategies::calendar::{Civil, DAY, SECOND};
use crate::strategies::{Datum, ValueType};

/// A date or a point in time, and how it was written.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Instant<'a> {
    /// The value, as a column of that type has it.
    pub(super) value: Datum<'static>,
    pub(super) of: ValueType,
    time: Option<Time>,
    /// The offset as written, and in seconds.
    offset: Option<(&'a str, i64)>,
}

/// The notation of a time of day.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Time {
    separator: char,
    has_seconds: bool,
    /// Digits after the seconds.
    fraction: usize,
}

impl<'a> Instant<'a> {
    /// Reads one; none if the text has another form, or if there is no such day or time.
    pub(super) fn read(text: &'a str) -> Option<Self> {
        let (year, rest) = number(text, 4)?;
        let (month, rest) = number(rest.strip_prefix('-')?, 2)?;
        let (day, rest) = number(rest.strip_prefix('-')?, 2)?;
        if year == 0 || !(1..=12).contains(&month) || day == 0 {
            return None;
        }
        let civil = Civil { year, month, day };
        let days = civil.days();
        // A day that its month does not have comes back as another.
        if Civil::of(days) != civil {
            return None;
        }
        let Some(separator) = rest.chars().next() else {
            return Some(Self {
                value: Datum::Date(i32::try_from(days).ok()?),
                of: ValueType::Date,
                time: None,
                offset: None,
            });
        };
        let rest = rest.strip_prefix(['T', 't', ' '])?;
        let (hour, rest) = number(rest, 2)?;
        let (minute, rest) = number(rest.strip_prefix(':')?, 2)?;
        let (second, rest) = match rest.strip_prefix(':') {
            Some(rest) => number(rest, 2).map(|(second, rest)| (Some(second), rest))?,
            None => (None, rest),
        };
        let (fraction, rest) = match rest.strip_prefix('.') {
            Some(rest) if second.is_some() => {
                let end = rest
                    .find(|c: char| !c.is_ascii_digit())
                    .unwrap_or(rest.len());
                let (fraction, rest) = rest.split_at(end);
                if !(1..=6).contains(&fraction.len()) {
                    return None;
                }
                (fraction, rest)
            }
            Some(_) => return None,
            None => ("", rest),
        };
        if hour > 23 || minute > 59 || second.unwrap_or(0) > 59 {
            return None;
        }
        let micros: i64 = format!("{fraction:0<6}").parse().ok()?;
        let seconds = ((days * 24 + hour) * 60 + minute) * 60 + second.unwrap_or(0);
        let offset = match rest {
            "" => None,
            _ => Some((rest, offset_of(rest)?)),
        };
        let shift = offset.map_or(0, |(_, seconds)| seconds);
        Some(Self {
            value: Datum::Timestamp((seconds - shift) * SECOND + micros),
            of: match offset {
                Some(_) => ValueType::Timestamptz,
                None => ValueType::Timestamp,
            },
            time: Some(Time {
                separator,
                has_seconds: second.is_some(),
                fraction: fraction.len(),
            }),
            offset,
        })
    }

    /// Writes another value in the notation of this one; none if it has no such form.
    pub(super) fn write(&self, value: &Datum<'_>) -> Option<Cow<'static, str>> {
        let (days, micros) = match value {
            Datum::Date(days) => (i64::from(*days), 0),
            Datum::Timestamp(micros) => {
                let shift = self.offset.map_or(0, |(_, seconds)| seconds);
                let local = micros.checked_add(shift * SECOND)?;
                (local.div_euclid(DAY), local.rem_euclid(DAY))
            }
            _ => return None,
        };
        let Civil { year, month, day } = Civil::of(days);
        if !(1..=9999).contains(&year) {
            return None;
        }
        let mut out = format!("{year:04}-{month:02}-{day:02}");
        if let Some(time) = self.time {
            let seconds = micros / SECOND;
            let (hour, minute) = (seconds / 3600, seconds / 60 % 60);
            // Writing into a string does not fail.
            let _ = write!(out, "{}{hour:02}:{minute:02}", time.separator);
            if time.has_seconds {
                let _ = write!(out, ":{:02}", seconds % 60);
            }
            if time.fraction > 0 {
                let fraction = format!("{:06}", micros % SECOND);
                let _ = write!(out, ".{}", &fraction[..time.fraction]);
            }
        }
        if let Some((written, _)) = self.offset {
            out.push_str(written);
        }
        Some(Cow::Owned(out))
    }
}

/// Reads a number of so many digits.
fn number(text: &str, digits: usize) -> Option<(i64, &str)> {
    let (number, rest) = text.split_at_checked(digits)?;
    let are_digits = number.bytes().all(|byte| byte.is_ascii_digit());
    Some((number.parse().ok().filter(|_| are_digits)?, rest))
}

/// Reads `Z`, `+hh`, `+hhmm` or `+hh:mm` as seconds.
fn offset_of(text: &str) -> Option<i64> {
    if text == "Z" || text == "z" {
        return Some(0);
    }
    let sign = match text.as_bytes().first()? {
        b'+' => 1,
        b'-' => -1,
        _ => return None,
    };
    let (hours, rest) = number(&text[1..], 2)?;
    let (minutes, rest) = match rest {
        "" => (0, ""),
        _ => number(rest.strip_prefix(':').unwrap_or(rest), 2)?,
    };
    let fits = rest.is_empty() && hours <= 15 && minutes <= 59;
    fits.then_some(sign * (hours * 60 + minutes) * 60)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn instant_reads_what_columns_hold() {
        let value = |text: &str| Instant::read(text).unwrap().value;
        assert_eq!(value("2000-01-01"), Datum::Date(0));
        assert_eq!(value("1999-12-31"), Datum::Date(-1));
        assert_eq!(value("1970-01-01"), Datum::Date(-10_957));
        assert_eq!(value("2024-02-29"), Datum::Date(8825));
        assert_eq!(value("0001-01-01"), Datum::Date(-730_119));
        assert_eq!(value("9999-12-31"), Datum::Date(2_921_939));
        assert_eq!(value("2000-01-01 00:00:01.5"), Datum::Timestamp(1_500_000));
        assert_eq!(value("2000-01-01T01:00:00+01:00"), Datum::Timestamp(0));
        assert_eq!(value("1999-12-31T23:00-0100"), Datum::Timestamp(0));
        let of = |text: &str| Instant::read(text).unwrap().of;
        assert_eq!(of("2000-01-01"), ValueType::Date);
        assert_eq!(of("2000-01-01 00:00"), ValueType::Timestamp);
        assert_eq!(of("2000-01-01t00:00z"), ValueType::Timestamptz);
    }

    #[test]
    fn instant_keeps_the_notation() {
        for text in [
            "2024-02-29",
            "2024-02-29T13:05:59Z",
            "2024-02-29 13:05",
            "2024-02-29T00:00:00.25",
            "1969-12-31t23:59:59.999999-11:30",
            "2024-02-29T13:05+0100",
            "2024-02-29 13:05:00+02",
        ] {
            let read = Instant::read(text).unwrap();
            assert_eq!(read.write(&read.value).as_deref(), Some(text));
        }
        let read = Instant::read("2024-02-29T00:30:00+01:00").unwrap();
        let Datum::Timestamp(micros) = read.value else {
            panic!("a point in time");
        };
        let next = read.write(&Datum::Timestamp(micros + DAY)).unwrap();
        assert_eq!(next, "2024-03-01T00:30:00+01:00");
    }

    #[test]
    fn instant_refuses_everything_else() {
        for text in [
            "",
            "2024",
            "2024-02",
            "2023-02-29",
            "2024-00-10",
            "2024-13-10",
            "2024-01-32",
            "0000-01-01",
            "24-01-01",
            "2024-1-1",
            "2024-01-01T",
            "2024-01-01T1",
            "2024-01-01T24:00",
            "2024-01-01 10:60",
            "2024-01-01 10:00:60",
            "2024-01-01 10:00:00.",
            "2024-01-01 10:00.5",
            "2024-01-01 10:00:00.1234567",
            "2024-01-01 10:00+",
            "2024-01-01 10:00+1",
            "2024-01-01 10:00+01:",
            "2024-01-01 10:00+16:00",
            "2024-01-01 10:00+01:60",
            "2024-01-01 10:00 UTC",
            "2024-01-01Z",
            "+024-01-01",
            "2024-01-01é",
            "é024-01-01",
            "2024-01-01 10:00:00.Z",
        ] {
            assert_eq!(Instant::read(text), None, "{text}");
        }
        let read = Instant::read("2024-02-29").unwrap();
        assert_eq!(read.write(&Datum::Date(i32::MAX)), None);
        assert_eq!(read.write(&Datum::Timestamp(i64::MIN)), None);
        assert_eq!(read.write(&Datum::Bool(true)), None);
    }
}
