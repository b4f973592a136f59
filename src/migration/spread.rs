//! Ranges as lists: a value is drawn out of a list, so a range becomes values spread evenly over it.
//! And distances in time, as they are written for the server.

use crate::strategies::calendar::{Civil, parse_date};

/// The most values that a range becomes.
pub const MOST: i64 = 100;

/// Whole numbers from one to another, both included: all of them, or a hundred spread evenly.
pub fn whole(first: i64, last: i64) -> Option<Vec<String>> {
    let places = i128::from(last) - i128::from(first);
    if places < 0 {
        return None;
    }
    let steps = places.min(i128::from(MOST) - 1);
    let value = |step: i128| i128::from(first) + places * step / steps.max(1);
    Some((0..=steps).map(|step| value(step).to_string()).collect())
}

/// Numbers with that many digits after the point, spread evenly.
#[allow(
    clippy::cast_possible_truncation,
    reason = "whole numbers that a float holds"
)]
pub fn decimal(first: f64, last: f64, digits: u32) -> Option<Vec<String>> {
    let digits = digits.min(9);
    let scale = 10f64.powi(digits.try_into().ok()?);
    let units = |number: f64| {
        let scaled = (number * scale).round();
        // Beyond this, a float does not tell whole numbers apart.
        (scaled.abs() < 9e15).then_some(scaled as i64)
    };
    let values = whole(units(first)?, units(last)?)?;
    let digits = digits as usize;
    Some(
        values
            .into_iter()
            .map(|units| {
                if digits == 0 {
                    return units;
                }
                let sign = if units.starts_with('-') { "-" } else { "" };
                let padded = format!("{:0>1$}", units.trim_start_matches('-'), digits + 1);
                let (whole, fraction) = padded.split_at(padded.len() - digits);
                format!("{sign}{whole}.{fraction}")
            })
            .collect(),
    )
}

/// Days from one to another, spread evenly; `with_time` writes them as points in time.
pub fn days(first: &str, last: &str, with_time: bool) -> Option<Vec<String>> {
    let day = |text: &str| parse_date(text.trim().get(..10)?).map(i64::from);
    let values = whole(day(first)?, day(last)?)?;
    values
        .into_iter()
        .map(|days| {
            let Civil { year, month, day } = Civil::of(days.parse().ok()?);
            let time = if with_time { " 00:00:00" } else { "" };
            (1..=9999)
                .contains(&year)
                .then(|| format!("{year:04}-{month:02}-{day:02}{time}"))
        })
        .collect()
}

/// Seconds of a distance such as `2 years 3 days` or `1 day 02:00:00`. A month has 30 days and a
/// year 365.
#[allow(
    clippy::cast_possible_truncation,
    reason = "a whole number that a float holds"
)]
pub fn seconds(text: &str) -> Option<i64> {
    let mut total = 0f64;
    let mut amount = None;
    let spaced = spaced(text);
    for word in spaced.split_whitespace() {
        if word.contains(':') {
            total += clock(word)?;
        } else if let Ok(number) = word.parse::<f64>() {
            if amount.replace(number).is_some() {
                return None;
            }
        } else if word != "@" {
            total += amount.take()? * unit(word)?;
        }
    }
    let is_whole = amount.is_none() && total.is_finite() && total.abs() < 1e15;
    (is_whole && total.abs() >= 1.0).then_some(total.abs().round() as i64)
}

/// With a blank between a number and the unit that follows it.
fn spaced(text: &str) -> String {
    let mut spaced = String::new();
    let mut before = ' ';
    for c in text.to_ascii_lowercase().chars() {
        if c.is_alphabetic() && before.is_ascii_digit() {
            spaced.push(' ');
        }
        spaced.push(c);
        before = c;
    }
    spaced
}

fn clock(word: &str) -> Option<f64> {
    let parts: Vec<f64> = word
        .split(':')
        .map(|part| part.parse().ok())
        .collect::<Option<_>>()?;
    match parts[..] {
        [hours, minutes] => Some(hours * 3600.0 + minutes * 60.0),
        [hours, minutes, seconds] => Some(hours * 3600.0 + minutes * 60.0 + seconds),
        _ => None,
    }
}

fn unit(word: &str) -> Option<f64> {
    const DAY: f64 = 86_400.0;
    Some(match word.trim_end_matches('s') {
        "" | "sec" | "second" => 1.0,
        "m" | "min" | "minute" => 60.0,
        "h" | "hr" | "hour" => 3600.0,
        "d" | "day" => DAY,
        "w" | "week" => 7.0 * DAY,
        "mon" | "month" => 30.0 * DAY,
        "y" | "yr" | "year" => 365.0 * DAY,
        "decade" => 3650.0 * DAY,
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranges_become_lists_that_reach_both_ends() {
        assert_eq!(whole(1, 3).unwrap(), ["1", "2", "3"]);
        assert_eq!(whole(5, 5).unwrap(), ["5"]);
        assert_eq!(whole(3, 1), None);
        for (first, last) in [(0, 1_000_000), (i64::MIN, i64::MAX), (-7, 400)] {
            let values = whole(first, last).unwrap();
            assert_eq!(values.len(), 100);
            assert_eq!(values[0], first.to_string());
            assert_eq!(values[99], last.to_string());
        }
        assert_eq!(decimal(-0.5, 0.5, 1).unwrap()[4..7], ["-0.1", "0.0", "0.1"]);
        assert_eq!(decimal(f64::NAN, 1.0, 2), None);
        assert_eq!(decimal(0.0, 1e300, 2), None);
        let days = days("2024-02-28", "2024-03-01 12:00:00", true).unwrap();
        assert_eq!(days[1], "2024-02-29 00:00:00");
    }

    #[test]
    fn distances_are_read_as_the_server_writes_them() {
        for (text, expected) in [
            ("2 days", 172_800),
            ("1 year 2 mons", 365 * 86_400 + 60 * 86_400),
            ("1 day 02:00:01", 86_400 + 7201),
            ("90m", 5400),
            ("-3 days", 259_200),
        ] {
            assert_eq!(seconds(text), Some(expected), "{text}");
        }
        for text in [
            "",
            "days",
            "1",
            "1 2 days",
            "1 parsec",
            "x:y",
            "0 days",
            "1e300 years",
        ] {
            assert_eq!(seconds(text), None, "{text}");
        }
    }
}
