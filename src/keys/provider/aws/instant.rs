//! Times as AWS writes them: to the second, in UTC, by the Gregorian calendar.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

const DAY: u64 = 24 * 60 * 60;

/// The basic form that is signed: `20150830T123600Z`.
pub(super) fn stamp(time: SystemTime) -> String {
    // A clock before 1970 signs something that AWS refuses.
    let seconds = time
        .duration_since(UNIX_EPOCH)
        .unwrap_or_default()
        .as_secs();
    let (year, month, day) = date(seconds / DAY);
    let rest = seconds % DAY;
    format!(
        "{year:04}{month:02}{day:02}T{:02}{:02}{:02}Z",
        rest / 3600,
        rest / 60 % 60,
        rest % 60
    )
}

/// Reads the extended form of answers, `2015-08-30T12:36:00Z`; fractions of a second are dropped.
pub(super) fn parse(text: &str) -> Option<SystemTime> {
    let (whole, fraction) = text.strip_suffix('Z')?.split_at_checked(19)?;
    if !fraction.is_empty() {
        let digits = fraction.strip_prefix('.')?;
        if digits.is_empty() || !digits.bytes().all(|c| c.is_ascii_digit()) {
            return None;
        }
    }
    let separators = [(4, b'-'), (7, b'-'), (10, b'T'), (13, b':'), (16, b':')];
    let bytes = whole.as_bytes();
    if separators.iter().any(|(at, c)| bytes[*at] != *c) {
        return None;
    }
    let digits: String = whole.chars().filter(char::is_ascii_digit).collect();
    let number = |from: usize, to: usize| digits.get(from..to)?.parse::<u64>().ok();
    let (year, month, day) = (number(0, 4)?, number(4, 6)?, number(6, 8)?);
    let (hour, minute, second) = (number(8, 10)?, number(10, 12)?, number(12, 14)?);
    if year < 1970 || !(1..=12).contains(&month) || !(1..=31).contains(&day) {
        return None;
    }
    let seconds = days(year, month, day) * DAY + hour * 3600 + minute * 60 + second;
    let time = UNIX_EPOCH + Duration::from_secs(seconds);
    // A day or an hour that does not exist would come back as another one.
    (stamp(time) == format!("{}T{}Z", &digits[..8], &digits[8..])).then_some(time)
}

/// Year, month and day of a day counted from 1970-01-01. The calendar is cut into eras of 400 years
/// that begin on the first of March, so that a leap day is the last one of its year.
fn date(days: u64) -> (u64, u64, u64) {
    let days = days + 719_468;
    let (era, day) = (days / 146_097, days % 146_097);
    let year = (day - day / 1460 + day / 36_524 - day / 146_096) / 365;
    let day = day - (365 * year + year / 4 - year / 100);
    let month = (5 * day + 2) / 153;
    let day = day - (153 * month + 2) / 5 + 1;
    let month = if month < 10 { month + 3 } else { month - 9 };
    (era * 400 + year + u64::from(month <= 2), month, day)
}

/// The inverse of [`date`].
fn days(year: u64, month: u64, day: u64) -> u64 {
    let year = year - u64::from(month <= 2);
    let (era, year) = (year / 400, year % 400);
    let month = if month > 2 { month - 3 } else { month + 9 };
    let day = (153 * month + 2) / 5 + day - 1;
    era * 146_097 + year * 365 + year / 4 - year / 100 + day - 719_468
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn instants_are_written_as_known_ones() {
        for (seconds, expected) in [
            (0, "19700101T000000Z"),
            (951_782_399, "20000228T235959Z"),
            (951_782_400, "20000229T000000Z"),
            (1_440_938_160, "20150830T123600Z"),
            (4_107_542_400, "21000301T000000Z"),
        ] {
            assert_eq!(stamp(UNIX_EPOCH + Duration::from_secs(seconds)), expected);
        }
    }

    #[test]
    fn instants_are_read_as_they_are_written() {
        for day in 0..80_000 {
            let time = UNIX_EPOCH + Duration::from_secs(day * DAY + day % DAY);
            let text = stamp(time);
            let extended = format!(
                "{}-{}-{}T{}:{}:{}Z",
                &text[..4],
                &text[4..6],
                &text[6..8],
                &text[9..11],
                &text[11..13],
                &text[13..15]
            );
            assert_eq!(parse(&extended), Some(time), "{extended}");
        }
        assert_eq!(
            parse("2015-08-30T12:36:00.123Z"),
            parse("2015-08-30T12:36:00Z")
        );
    }

    #[test]
    fn instants_that_are_none_are_refused() {
        for text in [
            "",
            "Z",
            "2015-08-30",
            "2015-08-30T12:36:00",
            "2015-08-30T12:36:00+00:00",
            "2015-08-30T12:36:00.Z",
            "2015-08-30T12:36:00.xZ",
            "2015-02-29T12:36:00Z",
            "2015-08-30T24:00:00Z",
            "2015-13-30T12:36:00Z",
            "2015-00-30T12:36:00Z",
            "1969-12-31T23:59:59Z",
            "2015-08-30T12:36:61Z",
            "20é5-08-30T12:36:00Z",
            "2015-08-30t12:36:00Z",
            "2015-0830-T12:36:00Z",
        ] {
            assert_eq!(parse(text), None, "{text}");
        }
    }
}
