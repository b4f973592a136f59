//! Days, civil dates and points in time: the proleptic Gregorian calendar over PostgreSQL's range.
//!
//! Years are astronomical: 0 is 1 BC, -4713 is 4714 BC. Days count from 2000-01-01, microseconds
//! from its midnight. Nothing here overflows for any integer of 64 bits that [`TIME_MIN`] and
//! [`TIME_MAX`] allow. Source of the arithmetic: Howard Hinnant, "chrono-Compatible Low-Level Date
//! Algorithms" (`days_from_civil`, `civil_from_days`); of the limits: PostgreSQL, `datetime.h`.

/// The first date: day 0 of the Julian calendar's count, 4714-11-24 BC.
pub const DATE_MIN: i32 = -2_451_545;
/// The last date: 5874897-12-31.
pub const DATE_MAX: i32 = 2_145_031_948;
/// The first point in time: midnight of the first date.
pub const TIME_MIN: i64 = -2_451_545 * DAY;
/// The last point in time: the last microsecond of 294276-12-31.
pub const TIME_MAX: i64 = 106_751_983 * DAY - 1;
/// Microseconds of a second.
pub const SECOND: i64 = 1_000_000;
/// Microseconds of a day.
pub const DAY: i64 = 86_400 * SECOND;

/// A date, by year, month and day.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Civil {
    /// The astronomical year.
    pub year: i64,
    /// 1 to 12.
    pub month: i64,
    /// 1 to 31.
    pub day: i64,
}

impl Civil {
    /// The date of a day.
    pub fn of(days: i64) -> Self {
        let days = days + EPOCH;
        let era = days.div_euclid(DAYS_OF_ERA);
        let of_era = days.rem_euclid(DAYS_OF_ERA);
        let year_of_era =
            (of_era - of_era / 1_460 + of_era / 36_524 - of_era / (DAYS_OF_ERA - 1)) / 365;
        let of_year = of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
        // Months count from March, so that the leap day is the last of its year.
        let from_march = (5 * of_year + 2) / 153;
        let month = (from_march + 2) % 12 + 1;
        Self {
            year: year_of_era + era * 400 + i64::from(month <= 2),
            month,
            day: of_year - (153 * from_march + 2) / 5 + 1,
        }
    }

    /// The day of the date; a day past the end of its month counts on into the next.
    pub fn days(self) -> i64 {
        let year = self.year - i64::from(self.month <= 2);
        let era = year.div_euclid(400);
        let year_of_era = year.rem_euclid(400);
        let from_march = (self.month + 9) % 12;
        let of_year = (153 * from_march + 2) / 5 + self.day - 1;
        let of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + of_year;
        era * DAYS_OF_ERA + of_era - EPOCH
    }
}

/// What a date or a point in time is cut down to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Unit {
    /// The minute.
    Minute,
    /// The hour.
    Hour,
    /// The day.
    Day,
    /// The Monday of the week (ISO 8601).
    Week,
    /// The first of the month.
    Month,
    /// The first of January, April, July or October.
    Quarter,
    /// The first of January.
    Year,
    /// The first of January of a year that 10 divides.
    Decade,
}

impl Unit {
    /// The units and their names, the default first.
    pub const NAMES: [(&'static str, Self); 8] = [
        ("year", Self::Year),
        ("quarter", Self::Quarter),
        ("month", Self::Month),
        ("week", Self::Week),
        ("day", Self::Day),
        ("hour", Self::Hour),
        ("minute", Self::Minute),
        ("decade", Self::Decade),
    ];

    /// The first day of the unit that a day lies in.
    pub fn first_day(self, days: i64) -> i64 {
        let civil = Civil::of(days);
        let start = match self {
            Self::Minute | Self::Hour | Self::Day => return days,
            // 2000-01-01 was a Saturday.
            Self::Week => return days - (days + 5).rem_euclid(7),
            Self::Month => civil,
            Self::Quarter => Civil {
                month: (civil.month - 1) / 3 * 3 + 1,
                ..civil
            },
            Self::Year => Civil { month: 1, ..civil },
            Self::Decade => Civil {
                year: civil.year.div_euclid(10) * 10,
                month: 1,
                ..civil
            },
        };
        Civil { day: 1, ..start }.days()
    }

    /// The first microsecond of the unit that a point in time lies in.
    pub fn first_time(self, time: i64) -> i64 {
        match self {
            Self::Minute => time - time.rem_euclid(60 * SECOND),
            Self::Hour => time - time.rem_euclid(3_600 * SECOND),
            _ => self.first_day(time.div_euclid(DAY)) * DAY,
        }
    }
}

/// Keeps a day among the dates there are.
pub fn date(days: i64) -> i32 {
    let days = days.clamp(DATE_MIN.into(), DATE_MAX.into());
    i32::try_from(days).unwrap_or(DATE_MAX)
}

/// Reads a date as ISO 8601 and PostgreSQL write it: `1999-12-31`, `0044-03-15 BC`.
pub fn parse_date(text: &str) -> Option<i32> {
    let text = text.trim();
    match text {
        "infinity" => return Some(i32::MAX),
        "-infinity" => return Some(i32::MIN),
        _ => {}
    }
    let (text, before_christ) = match text.strip_suffix(" BC") {
        Some(text) => (text, true),
        None => (text, false),
    };
    let mut parts = text.split('-');
    let year = number(parts.next()?, 4..=7)?;
    let month = number(parts.next()?, 2..=2)?;
    let day = number(parts.next()?, 2..=2)?;
    if parts.next().is_some() || year == 0 {
        return None;
    }
    let year = if before_christ { 1 - year } else { year };
    let civil = Civil { year, month, day };
    // A day that its month does not have comes back as another.
    let days = civil.days();
    let real = (1..=12).contains(&month) && Civil::of(days) == civil;
    let days = i32::try_from(days).ok().filter(|_| real)?;
    (DATE_MIN..=DATE_MAX).contains(&days).then_some(days)
}

/// Reads a point in time: a date, or a date and `12:34`, `12:34:56` or `12:34:56.789` after a
/// blank or a `T`, and where `zoned` a zone: `Z`, `+02`, `-03:30`. Without one it is UTC.
pub fn parse_time(text: &str, zoned: bool) -> Option<i64> {
    let text = text.trim();
    match text {
        "infinity" => return Some(i64::MAX),
        "-infinity" => return Some(i64::MIN),
        _ => {}
    }
    let (text, era) = match text.strip_suffix(" BC") {
        Some(text) => (text, " BC"),
        None => (text, ""),
    };
    let (day, clock) = match text.split_once([' ', 'T']) {
        Some((day, clock)) => (day, Some(clock)),
        None => (text, None),
    };
    let days = i64::from(parse_date(&format!("{day}{era}"))?);
    let within = match clock {
        Some(clock) => parse_clock(clock, zoned)?,
        None => 0,
    };
    let time = days.checked_mul(DAY)?.checked_add(within)?;
    (TIME_MIN..=TIME_MAX).contains(&time).then_some(time)
}

/// Microseconds since midnight, less those of the zone.
fn parse_clock(text: &str, zoned: bool) -> Option<i64> {
    let (clock, zone) = match text.find(['Z', '+', '-']) {
        Some(at) => text.split_at(at),
        None => (text, ""),
    };
    let mut parts = clock.splitn(3, ':');
    let hours = number(parts.next()?, 2..=2).filter(|&hours| hours < 24)?;
    let minutes = number(parts.next()?, 2..=2).filter(|&minutes| minutes < 60)?;
    let seconds = parts.next().unwrap_or("00");
    let (seconds, fraction) = seconds.split_once('.').unwrap_or((seconds, "0"));
    let seconds = number(seconds, 2..=2).filter(|&seconds| seconds < 60)?;
    let length = u32::try_from(fraction.len()).ok()?;
    let fraction = number(fraction, 1..=6)? * 10_i64.pow(6 - length);
    let time = ((hours * 60 + minutes) * 60 + seconds) * SECOND + fraction;
    if zone.is_empty() {
        return Some(time);
    }
    Some(time - parse_zone(zone).filter(|_| zoned)?)
}

fn parse_zone(text: &str) -> Option<i64> {
    if text == "Z" {
        return Some(0);
    }
    let (sign, rest) = match text.strip_prefix('-') {
        Some(rest) => (-1, rest),
        None => (1, text.strip_prefix('+')?),
    };
    let (hours, minutes) = rest.split_once(':').unwrap_or((rest, "00"));
    let hours = number(hours, 2..=2).filter(|&hours| hours < 16)?;
    let minutes = number(minutes, 2..=2).filter(|&minutes| minutes < 60)?;
    Some(sign * (hours * 60 + minutes) * 60 * SECOND)
}

fn number(text: &str, length: std::ops::RangeInclusive<usize>) -> Option<i64> {
    let digits = text.bytes().all(|byte| byte.is_ascii_digit());
    let fits = digits && length.contains(&text.len());
    text.parse().ok().filter(|_| fits)
}

/// Days from 0000-03-01 to 2000-01-01.
const EPOCH: i64 = 730_425;
const DAYS_OF_ERA: i64 = 146_097;

#[cfg(test)]
mod tests {
    use super::*;

    fn days(year: i64, month: i64, day: i64) -> i64 {
        Civil { year, month, day }.days()
    }

    #[test]
    fn calendar_knows_known_days() {
        assert_eq!(days(2000, 1, 1), 0);
        assert_eq!(days(1970, 1, 1), -10_957);
        assert_eq!(days(2024, 2, 29), 8825);
        assert_eq!(days(1582, 10, 15), -152_384);
        assert_eq!(days(1, 1, 1), -730_119);
        assert_eq!(days(-4713, 11, 24), i64::from(DATE_MIN));
        assert_eq!(days(5_874_897, 12, 31), i64::from(DATE_MAX));
        assert_eq!(days(294_277, 1, 1) * DAY, TIME_MAX + 1);
        assert_eq!(TIME_MIN, -211_813_488_000_000_000);
        assert_eq!(TIME_MAX, 9_223_371_331_199_999_999);
    }

    #[test]
    fn calendar_inverts_itself_over_the_whole_range() {
        let near = -800_000..800_000;
        let ends = [i64::from(DATE_MIN), i64::from(DATE_MAX)];
        let far = (0..2_000).map(|step| i64::from(DATE_MIN) + step * 1_073_000);
        for day in near.chain(far).chain(ends) {
            let civil = Civil::of(day);
            assert_eq!(civil.days(), day);
            assert!((1..=12).contains(&civil.month) && (1..=31).contains(&civil.day));
        }
        // Consecutive days are consecutive dates.
        let mut before = Civil::of(-800_001);
        for day in -800_000..800_000 {
            let civil = Civil::of(day);
            let next = civil.day == before.day + 1 && civil.month == before.month;
            assert!(next || civil.day == 1, "{civil:?}");
            before = civil;
        }
    }

    #[test]
    fn calendar_cuts_to_every_unit() {
        let day = days(2023, 8, 17);
        let cut = |unit: Unit| Civil::of(unit.first_day(day));
        let civil = |year, month, day| Civil { year, month, day };
        assert_eq!(cut(Unit::Day), civil(2023, 8, 17));
        assert_eq!(cut(Unit::Week), civil(2023, 8, 14));
        assert_eq!(cut(Unit::Month), civil(2023, 8, 1));
        assert_eq!(cut(Unit::Quarter), civil(2023, 7, 1));
        assert_eq!(cut(Unit::Year), civil(2023, 1, 1));
        assert_eq!(cut(Unit::Decade), civil(2020, 1, 1));
        // Before the epoch and before Christ it still goes down.
        assert_eq!(Unit::Week.first_day(-1), -5);
        assert_eq!(Unit::Decade.first_day(days(-1, 5, 5)), days(-10, 1, 1));
        assert_eq!(Unit::Hour.first_time(-1), -3_600 * SECOND);
        assert_eq!(Unit::Minute.first_time(61 * SECOND), 60 * SECOND);
        assert_eq!(Unit::Day.first_time(-1), -DAY);
        assert_eq!(Unit::Year.first_time(DAY), 0);
    }

    #[test]
    fn calendar_reads_dates() {
        assert_eq!(parse_date("2000-01-01"), Some(0));
        assert_eq!(parse_date(" 1999-12-31 "), Some(-1));
        assert_eq!(parse_date("4714-11-24 BC"), Some(DATE_MIN));
        assert_eq!(parse_date("5874897-12-31"), Some(DATE_MAX));
        assert_eq!(parse_date("infinity"), Some(i32::MAX));
        for wrong in [
            "",
            "2000",
            "2000-1-1",
            "99-01-01",
            "2000-13-01",
            "2000-02-30",
            "1900-02-29",
            "2000-01-01-01",
            "+2000-01-01",
            "0000-01-01",
            "4714-11-23 BC",
            "5874898-01-01",
            "2000-00-10",
            "2000-01-00",
            "٢٠٠٠-٠١-٠١",
        ] {
            assert_eq!(parse_date(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn calendar_reads_points_in_time() {
        let zoned = |text| parse_time(text, true);
        assert_eq!(zoned("2000-01-01"), Some(0));
        assert_eq!(zoned("2000-01-01 00:01"), Some(60 * SECOND));
        assert_eq!(zoned("2000-01-01T00:00:01.5"), Some(1_500_000));
        assert_eq!(zoned("2000-01-01 02:00:00+02"), Some(0));
        assert_eq!(zoned("1999-12-31T20:30:00-03:30"), Some(0));
        assert_eq!(zoned("2000-01-01T00:00:00Z"), Some(0));
        assert_eq!(zoned("4714-11-24 00:00:00 BC"), Some(TIME_MIN));
        assert_eq!(zoned("294276-12-31 23:59:59.999999"), Some(TIME_MAX));
        assert_eq!(parse_time("-infinity", false), Some(i64::MIN));
        assert_eq!(parse_time("2000-01-01 00:00:00Z", false), None);
        for wrong in [
            "",
            "2000-01-01 24:00",
            "2000-01-01 00",
            "2000-01-01 00:60",
            "2000-01-01 00:00:60",
            "2000-01-01 00:00:00.1234567",
            "2000-01-01 00:00:00.",
            "2000-01-01 00:00:00+16",
            "2000-01-01 00:00:00+",
            "294277-01-01",
            "2000-01-01 00:00:0",
            "2000-01-01 1:00",
        ] {
            assert_eq!(zoned(wrong), None, "{wrong}");
        }
    }
}
