//! Holidays as data: on a date, on all days from one date to another, so many days from Easter, on the
//! n-th weekday of a month, or on days that are announced year by year.

use crate::strategies::calendar::Civil;

use super::weekday;

/// One holiday.
#[derive(Clone, Debug, PartialEq)]
pub struct Holiday {
    /// Its name.
    pub name: String,
    /// When it is.
    pub on: On,
    /// Where it is kept when it falls on a weekend.
    pub observed: Observed,
    /// Whether it closes the day. One that does not, such as a day on which leave is optional, is
    /// named so that nobody misses it; to count its day gives the earlier deadline.
    pub closes: bool,
    /// The first year of it.
    pub from: Option<i64>,
    /// The last year of it.
    pub until: Option<i64>,
}

/// When a holiday is.
#[derive(Clone, Debug, PartialEq)]
pub enum On {
    /// On the same date every year.
    Date {
        /// 1 to 12.
        month: i64,
        /// 1 to 31.
        day: i64,
    },
    /// From one date to another of every year, both of them closed; over the end of the year where the
    /// other comes first in it.
    Period {
        /// Month and day of the first.
        first: (i64, i64),
        /// Of the last.
        last: (i64, i64),
    },
    /// So many days after Easter Sunday, or before it.
    Easter(i64),
    /// On the n-th of a weekday in a month; from its end where negative.
    Weekday {
        /// 1 to 12.
        month: i64,
        /// Monday being 0.
        weekday: u8,
        /// 1 to 5, or -1 to -5.
        nth: i64,
    },
    /// On days that were announced.
    Days(Vec<i64>),
}

/// Where a holiday of a weekend is kept.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Observed {
    /// There.
    #[default]
    There,
    /// On the Friday before, or the Monday after: whichever is next to it.
    Nearest,
    /// On the Monday after, if it falls on a Sunday.
    AfterSunday,
    /// On the Monday after.
    After,
}

impl Observed {
    /// The ways, by the names of data.
    pub const NAMES: [(&'static str, Self); 4] = [
        ("there", Self::There),
        ("nearest_weekday", Self::Nearest),
        ("monday_after_sunday", Self::AfterSunday),
        ("monday_after", Self::After),
    ];

    /// The day on which a holiday of this day is kept.
    pub fn of(self, day: i64) -> i64 {
        match (self, weekday(day)) {
            (Self::Nearest, 5) => day - 1,
            (Self::After, 5) => day + 2,
            (Self::Nearest | Self::After | Self::AfterSunday, 6) => day + 1,
            _ => day,
        }
    }
}

impl Holiday {
    /// Whether the holiday of a year closes this day.
    pub fn falls_on(&self, year: i64, day: i64) -> bool {
        if self.from.is_some_and(|from| year < from) || self.until.is_some_and(|last| year > last) {
            return false;
        }
        match &self.on {
            On::Days(days) => days
                .iter()
                .any(|&held| Civil::of(held).year == year && self.observed.of(held) == day),
            On::Period { first, last } => period(year, *first, *last).contains(&day),
            _ => self
                .day_of(year)
                .is_some_and(|held| self.observed.of(held) == day),
        }
    }

    /// Its day in a year, before it is moved off a weekend.
    fn day_of(&self, year: i64) -> Option<i64> {
        match self.on {
            On::Date { month, day } => {
                let civil = Civil { year, month, day };
                // The 29th of February is not kept in other years.
                Some(civil.days()).filter(|&days| Civil::of(days) == civil)
            }
            On::Easter(offset) => Some(easter(year) + offset),
            On::Weekday {
                month,
                weekday,
                nth,
            } => nth_weekday(year, month, weekday, nth),
            On::Days(_) | On::Period { .. } => None,
        }
    }
}

/// The days of a period that begins in a year.
fn period(year: i64, first: (i64, i64), last: (i64, i64)) -> std::ops::RangeInclusive<i64> {
    let of = |year, (month, day)| Civil { year, month, day }.days();
    of(year, first)..=of(year + i64::from(last < first), last)
}

/// Easter Sunday of the Gregorian calendar (Meeus, Astronomical Algorithms, chapter 8).
pub fn easter(year: i64) -> i64 {
    let (a, b, c) = (
        year.rem_euclid(19),
        year.div_euclid(100),
        year.rem_euclid(100),
    );
    let (d, e) = (b / 4, b % 4);
    let f = (b + 8) / 25;
    let g = (b - f + 1) / 3;
    let h = (19 * a + b - d - g + 15).rem_euclid(30);
    let (i, k) = (c / 4, c % 4);
    let l = (32 + 2 * e + 2 * i - h - k).rem_euclid(7);
    let m = (a + 11 * h + 22 * l) / 451;
    let n = h + l - 7 * m + 114;
    let (month, day) = (n / 31, n % 31 + 1);
    Civil { year, month, day }.days()
}

fn nth_weekday(year: i64, month: i64, wanted: u8, nth: i64) -> Option<i64> {
    let first = Civil {
        year,
        month,
        day: 1,
    }
    .days();
    let to_first = i64::from((wanted + 7 - weekday(first)) % 7);
    let day = if nth > 0 {
        first + to_first + (nth - 1) * 7
    } else {
        // From the last one of the month backwards.
        let fifth = first + to_first + 28;
        let last = if Civil::of(fifth).month == month {
            fifth
        } else {
            fifth - 7
        };
        last + (nth + 1) * 7
    };
    Some(day).filter(|&day| Civil::of(day).month == month)
}
