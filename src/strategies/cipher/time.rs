//! Dates and points in time: each is one number of a declared interval, encrypted as such.

use super::ff1::Way;
use super::number::Interval;
use super::permutation::Permutation;
use super::text::{HINT, NAME};
use crate::error::{Error, Result};
use crate::strategies::calendar;
use crate::strategies::definition::outside;

/// The strategy for dates and points in time, with its key.
pub(super) struct Times {
    pub(super) permutation: Permutation,
    /// Days since 2000-01-01.
    pub(super) days: Interval,
}

pub(super) const SECONDS_A_DAY: i128 = 86_400;
const MICROSECONDS: i128 = 1_000_000;

impl Times {
    /// Encrypts or decrypts a date.
    ///
    /// # Errors
    /// `Data` for a date outside the declared interval, the infinities included.
    pub(super) fn date(&self, way: Way, day: i32) -> Result<i32> {
        if !self.days.contains(day.into()) {
            return Err(out_of_range());
        }
        let moved = self.days.permute(&self.permutation, way, day.into(), 0);
        let moved = moved.map_err(|_| too_small(self.days.size()))?;
        i32::try_from(moved).map_err(|_| out_of_range())
    }

    /// Encrypts or decrypts a point in time, which keeps the number of digits of its fraction of a
    /// second: with `p` of them it is one of 9 * 10^(p-1) in its second, with none the only one.
    ///
    /// # Errors
    /// As [`Self::date`].
    pub(super) fn timestamp(&self, way: Way, microseconds: i64) -> Result<i64> {
        let (first, last) = (
            self.days.0 * SECONDS_A_DAY,
            (self.days.1 + 1) * SECONDS_A_DAY - 1,
        );
        let second = i128::from(microseconds).div_euclid(MICROSECONDS);
        let mut fraction = i128::from(microseconds).rem_euclid(MICROSECONDS);
        if !Interval(first, last).contains(second) {
            return Err(out_of_range());
        }
        let mut digits = 6;
        while digits > 0 && fraction % 10 == 0 {
            fraction /= 10;
            digits -= 1;
        }
        let (each, place) = match digits {
            0 => (1, 0),
            _ => (
                9 * 10_i128.pow(u32::from(digits) - 1),
                fraction - fraction / 10 - 1,
            ),
        };
        let interval = Interval(first * each, (last + 1) * each - 1);
        let moved = interval
            .permute(&self.permutation, way, second * each + place, digits)
            .map_err(|_| too_small(interval.size()))?;
        let (second, place) = (moved.div_euclid(each), moved.rem_euclid(each));
        let fraction = match digits {
            0 => 0,
            _ => (place + place / 9 + 1) * 10_i128.pow(6 - u32::from(digits)),
        };
        i64::try_from(second * MICROSECONDS + fraction).map_err(|_| out_of_range())
    }
}

fn out_of_range() -> Error {
    outside(
        NAME,
        "out of range",
        "It is not between first_date and last_date.",
    )
}

fn too_small(size: u128) -> Error {
    let detail = format!("The declared range has {size} values, and 1000000 are needed.");
    outside(NAME, "of too small a range", detail).with_hint(HINT)
}

/// Reads a date as YYYY-MM-DD, of the years 1 to 9999, as days since 2000-01-01.
pub(super) fn day(text: &str) -> Option<i32> {
    (text.len() == 10).then(|| calendar::parse_date(text))?
}

#[cfg(test)]
mod tests {
    use super::super::permutation::Recipe;
    use super::*;
    use crate::strategies::Seed;

    fn times(from: &str, to: &str, shuffle: bool) -> Times {
        let recipe = Recipe {
            what: &["date"],
            radix: 2,
            tweak: "",
            kept: 0,
            shuffle,
        };
        Times {
            permutation: Permutation::new(&[7; 32], Seed::new(1), &recipe).unwrap(),
            days: Interval(day(from).unwrap().into(), day(to).unwrap().into()),
        }
    }

    #[test]
    fn fpe_permutes_the_declared_dates() {
        let times = times("1970-01-01", "1999-12-31", true);
        let mut moved: Vec<i32> = (-10_957..0)
            .map(|day| times.date(Way::Forth, day).unwrap())
            .collect();
        assert_eq!(times.date(Way::Back, moved[0]).unwrap(), -10_957);
        moved.sort_unstable();
        assert!(moved.into_iter().eq(-10_957..0));
        for day in [i32::MIN, -10_958, 0, i32::MAX] {
            assert!(times.date(Way::Forth, day).is_err());
            assert!(times.date(Way::Back, day).is_err());
        }
    }

    #[test]
    fn fpe_keeps_the_digits_of_a_fraction_of_a_second() {
        let times = times("1990-01-01", "2010-12-31", false);
        let fraction = |time: i64| format!("{:06}", time.rem_euclid(1_000_000));
        let digits = |time| fraction(time).trim_end_matches('0').len();
        for time in [
            0, 500_000, 120_000, 999_000, 1_200, 123_450, 1, 999_999, -1, -1_000_000,
        ] {
            let moved = times.timestamp(Way::Forth, time).unwrap();
            assert_eq!(digits(moved), digits(time), "{time}");
            assert_eq!(times.timestamp(Way::Back, moved).unwrap(), time);
        }
        let day = 86_400_000_000;
        let (first, end) = (-3652 * day, 4018 * day);
        for time in [first, first + 1, end - 1, end - 1_000_000] {
            let moved = times.timestamp(Way::Forth, time).unwrap();
            assert!((first..end).contains(&moved));
        }
        for time in [i64::MIN, first - 1, end, i64::MAX] {
            assert!(times.timestamp(Way::Forth, time).is_err());
        }
    }

    #[test]
    fn fpe_permutes_every_tenth_of_two_days() {
        let times = times("1999-12-31", "2000-01-01", true);
        let tenths = (-86_400..86_400).flat_map(|second| (1..10).map(move |tenth| (second, tenth)));
        let mut moved: Vec<i64> = tenths
            .map(|(second, tenth)| second * 1_000_000 + tenth * 100_000)
            .map(|time| times.timestamp(Way::Forth, time).unwrap())
            .collect();
        moved.sort_unstable();
        moved.dedup();
        assert_eq!(moved.len(), 172_800 * 9);
        assert!(
            moved
                .iter()
                .all(|time| time % 100_000 == 0 && time % 1_000_000 != 0)
        );
    }

    #[test]
    fn day_counts_as_the_server_does() {
        for (text, expected) in [
            ("2000-01-01", 0),
            ("1999-12-31", -1),
            ("1970-01-01", -10_957),
            ("2000-02-29", 59),
            ("2000-12-31", 365),
            ("2001-01-01", 366),
            ("1900-03-01", -36_465),
            ("2024-02-29", 8825),
            ("0001-01-01", -730_119),
            ("9999-12-31", 2_921_939),
        ] {
            assert_eq!(day(text), Some(expected), "{text}");
        }
        for text in [
            "",
            "2000-1-1",
            "2000-00-01",
            "2000-13-01",
            "2000-01-00",
            "2000-01-32",
            "1900-02-29",
            "2001-02-29",
            "0000-01-01",
            "-001-01-01",
            "+200-01-01",
            "2000/01/01",
            "20000-01-01",
            "2000-01-01 ",
            "２０００-01-01",
            "200é-01-0",
        ] {
            assert_eq!(day(text), None, "{text}");
        }
    }
}
