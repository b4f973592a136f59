//! Deadlines: hours, days, business days, months and fixed dates, from a moment, in the time zone of
//! an authority.
//!
//! * Hours are elapsed time: a clock that is changed meanwhile neither lengthens nor shortens them.
//! * Days, business days and months begin with the day after that of the moment, and end with the
//!   last second of their last day, by the authority's clock.
//! * A month ends on the day of the same number; where the month has no such day, on its last.
//! * What falls on a weekend or a holiday is not moved, unless business days are counted: the
//!   earlier end is the safe one.
//! * "As soon as feasible" is no number, and gets none.
//!
//! Moments are microseconds since 2000-01-01 UTC, as in the server; days count from that date.

pub mod holidays;
pub mod store;
#[cfg(test)]
mod tests;

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::fmt;

use crate::error::{Error, Kind, Result, counted};
use crate::strategies::calendar::{Civil, DAY, SECOND};
use crate::strategies::pause;

pub use holidays::{Holiday, Observed, On};

/// How long something may take.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Span {
    /// Elapsed hours.
    Hours(u32),
    /// Calendar days.
    Days(u32),
    /// Days that are neither of a weekend nor holidays.
    BusinessDays(u32),
    /// Calendar months.
    Months(u32),
    /// The next day of this month and number.
    Yearly {
        /// 1 to 12.
        month: u8,
        /// 1 to 31.
        day: u8,
    },
    /// As soon as feasible: no number.
    Feasible,
}

impl Span {
    /// The largest count of hours, days or months.
    pub const MOST: u32 = 10_000;

    /// The span of a count and its unit; `None` for a unit that is none, or a count out of bounds.
    pub fn of(count: u32, unit: &str) -> Option<Self> {
        if count == 0 || count > Self::MOST {
            return None;
        }
        Some(match unit {
            "hour" => Self::Hours(count),
            "day" => Self::Days(count),
            "business_day" => Self::BusinessDays(count),
            "month" => Self::Months(count),
            "year" if count <= Self::MOST / 12 => Self::Months(count * 12),
            _ => return None,
        })
    }

    /// The units that [`Span::of`] takes.
    pub const UNITS: [&'static str; 5] = ["hour", "day", "business_day", "month", "year"];

    /// The least time it can last, in hours, whenever it begins: what spans are compared by where no
    /// moment is known. `None` where there is no number.
    pub fn least_hours(self) -> Option<u32> {
        match self {
            Self::Hours(hours) => Some(hours),
            Self::Days(days) | Self::BusinessDays(days) => Some(days * 24),
            Self::Months(months) => Some(days_of_months(months).0 * 24),
            Self::Yearly { .. } | Self::Feasible => None,
        }
    }

    /// The most time it can last, in hours, whenever it begins. `None` where there is no number.
    pub fn most_hours(self) -> Option<u32> {
        match self {
            Self::Hours(hours) => Some(hours),
            Self::Days(days) => Some(days * 24),
            // Nothing rests for longer between two of them.
            Self::BusinessDays(days) => Some(days * (MOST_IDLE + 1) * 24),
            Self::Months(months) => Some(days_of_months(months).1 * 24),
            Self::Yearly { .. } | Self::Feasible => None,
        }
    }

    /// Reads one as people declare it: `6 months`, `2 weeks`.
    pub fn read(text: &str) -> Option<Self> {
        let (count, unit) = text.split_once(' ')?;
        let is_plain = count.bytes().all(|byte| byte.is_ascii_digit()) && !count.starts_with('0');
        let count: u32 = count.parse().ok().filter(|_| is_plain)?;
        match unit.strip_suffix('s').unwrap_or(unit) {
            "week" => Self::of(count.checked_mul(7)?, "day"),
            unit @ ("day" | "month" | "year") => Self::of(count, unit),
            _ => None,
        }
    }

    /// The day that lies so much before another; `None` for what is counted in neither days nor
    /// months.
    pub fn before(self, day: i64) -> Option<i64> {
        match self {
            Self::Days(days) => Some(day - i64::from(days)),
            Self::Months(months) => Some(months_from(day, -i64::from(months))),
            _ => None,
        }
    }
}

impl fmt::Display for Span {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let text = match *self {
            Self::Hours(count) => counted(count.into(), "hour"),
            Self::Days(count) => counted(count.into(), "day"),
            Self::BusinessDays(count) => counted(count.into(), "business day"),
            Self::Months(count) if count % 12 == 0 => counted((count / 12).into(), "year"),
            Self::Months(count) => counted(count.into(), "month"),
            Self::Yearly { month, day } => format!("each year by {month:02}-{day:02}"),
            Self::Feasible => "as soon as feasible".to_owned(),
        };
        f.write_str(&text)
    }
}

/// What turns moments into wall clock time and back. The server knows the zones.
pub trait Zone {
    /// The wall clock at a moment.
    ///
    /// # Errors
    /// 22023 when there is no such zone.
    fn wall(&self, moment: i64) -> Result<i64>;

    /// The moment of a wall clock; where the clock skips it, or shows it twice, that of standard
    /// time.
    ///
    /// # Errors
    /// 22023 when there is no such zone.
    fn moment(&self, wall: i64) -> Result<i64>;
}

/// Which days are worked, and by which clock.
#[derive(Clone, Debug, PartialEq)]
pub struct Calendar {
    /// Its code: that of a jurisdiction.
    pub code: String,
    /// What it is.
    pub title: String,
    /// The time zone of the authority.
    pub zone: String,
    /// The days of the week that are not worked, Monday being 0.
    pub weekend: Vec<u8>,
    /// The holidays.
    pub holidays: Vec<Holiday>,
    /// Days that are worked although they are of a weekend.
    pub workdays: Vec<i64>,
}

impl Calendar {
    /// Whether a day is worked.
    pub fn is_business_day(&self, day: i64) -> bool {
        if self.workdays.contains(&day) {
            return true;
        }
        let is_free = self.weekend.contains(&weekday(day));
        !is_free && self.holiday(day).is_none()
    }

    /// The holiday, as observed, that closes a day.
    pub fn holiday(&self, day: i64) -> Option<&Holiday> {
        // A holiday may be observed in the year before, or after.
        let year = Civil::of(day).year;
        self.holidays
            .iter()
            .filter(|holiday| holiday.closes)
            .find(|holiday| (year - 1..=year + 1).any(|year| holiday.falls_on(year, day)))
    }

    /// The end of a span that begins at a moment; `None` where the span has no number.
    ///
    /// # Errors
    /// 22023 for a moment far from now, 55000 for a calendar of holidays only, what the
    /// zone returns.
    pub fn due(&self, from: i64, span: Span, zone: &dyn Zone) -> Result<Option<i64>> {
        if !MOMENTS.contains(&from) {
            return Err(Error::new(
                Kind::InvalidParameter,
                "a deadline cannot begin before 1900 or after 2200",
            )
            .with_hint("Declare moments of the years 1900 to 2200."));
        }
        let last_day = match span {
            Span::Feasible => return Ok(None),
            Span::Hours(hours) => return Ok(Some(from + i64::from(hours) * 3_600 * SECOND)),
            Span::Days(days) => wall_day(from, zone)? + i64::from(days),
            Span::BusinessDays(days) => self.business_day_after(wall_day(from, zone)?, days)?,
            Span::Months(months) => months_after(wall_day(from, zone)?, months),
            Span::Yearly { month, day } => next_of_year(wall_day(from, zone)?, month, day),
        };
        // Where midnight is skipped, the last second is still one before it.
        Ok(Some(zone.moment((last_day + 1) * DAY)? - SECOND))
    }

    /// The `count`-th business day after a day.
    fn business_day_after(&self, day: i64, count: u32) -> Result<i64> {
        let (mut day, mut left, mut idle) = (day, count, 0_u32);
        while left > 0 {
            pause::now();
            day += 1;
            idle += 1;
            if self.is_business_day(day) {
                left -= 1;
                idle = 0;
            }
            if idle > MOST_IDLE {
                return Err(Error::new(
                    Kind::NotReady,
                    format!("calendar \"{}\" has no business day", self.code),
                ));
            }
        }
        Ok(day)
    }
}

/// The day of the week, Monday being 0.
pub fn weekday(day: i64) -> u8 {
    // 2000-01-01 was a Saturday.
    u8::try_from((day + 5).rem_euclid(7)).unwrap_or_default()
}

/// The days of a week, by the names of data.
pub const WEEKDAYS: [&str; 7] = [
    "monday",
    "tuesday",
    "wednesday",
    "thursday",
    "friday",
    "saturday",
    "sunday",
];

/// A moment as a wall clock shows it: `2026-12-02 23:59:59 -03:00`.
///
/// # Errors
/// What the zone returns.
pub fn shown(moment: i64, zone: &dyn Zone) -> Result<String> {
    let wall = zone.wall(moment)?;
    let (civil, second) = (
        Civil::of(wall.div_euclid(DAY)),
        wall.rem_euclid(DAY) / SECOND,
    );
    let minutes = (wall - moment) / SECOND / 60;
    Ok(format!(
        "{:04}-{:02}-{:02} {:02}:{:02}:{:02} {}{:02}:{:02}",
        civil.year,
        civil.month,
        civil.day,
        second / 3_600,
        second / 60 % 60,
        second % 60,
        if minutes < 0 { '-' } else { '+' },
        minutes.abs() / 60,
        minutes.abs() % 60,
    ))
}

fn wall_day(moment: i64, zone: &dyn Zone) -> Result<i64> {
    Ok(zone.wall(moment)?.div_euclid(DAY))
}

/// The day of the same number that many months later, or the last of its month.
pub fn months_after(day: i64, months: u32) -> i64 {
    months_from(day, months.into())
}

fn months_from(day: i64, months: i64) -> i64 {
    let from = Civil::of(day);
    let counted = from.year * 12 + from.month - 1 + months;
    let (year, month) = (counted.div_euclid(12), counted.rem_euclid(12) + 1);
    let day = from.day.min(days_of_month(year, month));
    Civil { year, month, day }.days()
}

/// The fewest and the most days that so many months have, over the 400 years after which the calendar
/// is the same again: the most from the first of a month, the fewest from the last of one.
fn days_of_months(months: u32) -> (u32, u32) {
    thread_local! {
        static KNOWN: RefCell<BTreeMap<u32, (u32, u32)>> = const { RefCell::new(BTreeMap::new()) };
    }
    if let Some(known) = KNOWN.with_borrow(|known| known.get(&months).copied()) {
        return known;
    }
    let mut found = (u32::MAX, 0);
    for (year, month) in (2000..2400).flat_map(|year| (1..=12).map(move |month| (year, month))) {
        let first = Civil {
            year,
            month,
            day: 1,
        }
        .days();
        let last = first + days_of_month(year, month) - 1;
        let length = |day| u32::try_from(months_after(day, months) - day).unwrap_or_default();
        found = (found.0.min(length(last)), found.1.max(length(first)));
    }
    KNOWN.with_borrow_mut(|known| known.insert(months, found));
    found
}

/// The next day of that number and month; the 29th of February is the 28th in other years.
fn next_of_year(after: i64, month: u8, day: u8) -> i64 {
    let of = |year: i64| {
        let month = i64::from(month);
        let day = i64::from(day).min(days_of_month(year, month));
        Civil { year, month, day }.days()
    };
    let year = Civil::of(after).year;
    let this = of(year);
    if this >= after { this } else { of(year + 1) }
}

fn days_of_month(year: i64, month: i64) -> i64 {
    let first = |year, month| {
        Civil {
            year,
            month,
            day: 1,
        }
        .days()
    };
    match month {
        12 => 31,
        _ => first(year, month + 1) - first(year, month),
    }
}

/// The years that days and moments can be declared of: no law of these reaches further.
pub const YEARS: std::ops::RangeInclusive<i64> = 1900..=2200;

/// Their moments, wherever on earth.
pub const MOMENTS: std::ops::RangeInclusive<i64> = -36_525 * DAY..=73_416 * DAY;

/// No country rests for longer.
const MOST_IDLE: u32 = 60;
