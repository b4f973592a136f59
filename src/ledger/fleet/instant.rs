//! Instants of entries as texts: RFC 3339 in UTC, to the second.

/// Microseconds of a second.
const SECOND: i64 = 1_000_000;

/// Seconds of a day.
const DAY: i64 = 86_400;

/// Days from 0000-03-01, where an era of 400 years begins, to 2000-01-01.
const TO_2000: i64 = 730_425;

/// Days of 400 years.
const ERA: i64 = 146_097;

/// Writes microseconds since 2000-01-01 00:00 UTC. Years count from March on, so that a leap day is
/// the last one of its year.
pub(super) fn utc(micros: i64) -> String {
    let seconds = micros.div_euclid(SECOND);
    let (days, rest) = (seconds.div_euclid(DAY) + TO_2000, seconds.rem_euclid(DAY));
    let (era, day) = (days.div_euclid(ERA), days.rem_euclid(ERA));
    let year = (day - day / 1460 + day / 36_524 - day / 146_096) / 365;
    let day = day - (365 * year + year / 4 - year / 100);
    let month = (5 * day + 2) / 153;
    let day = day - (153 * month + 2) / 5 + 1;
    let month = if month < 10 { month + 3 } else { month - 9 };
    let year = era * 400 + year + i64::from(month <= 2);
    let (hour, minute, second) = (rest / 3600, rest / 60 % 60, rest % 60);
    format!("{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}Z")
}

/// Writes a length of time, to the second.
pub(super) fn length(micros: i64) -> String {
    let seconds = micros.max(0) / SECOND;
    match seconds {
        0..120 => format!("{seconds} s"),
        120..7200 => format!("{} min", seconds / 60),
        7200..172_800 => format!("{} h", seconds / 3600),
        _ => format!("{} days", seconds / DAY),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn instants_are_written_as_postgresql_writes_them() {
        for (micros, expected) in [
            (0, "2000-01-01T00:00:00Z"),
            (-1, "1999-12-31T23:59:59Z"),
            (5_097_600 * SECOND, "2000-02-29T00:00:00Z"),
            (5_184_000 * SECOND, "2000-03-01T00:00:00Z"),
            (849_339_661 * SECOND, "2026-11-30T07:41:01Z"),
            (3_155_760_000 * SECOND, "2100-01-01T00:00:00Z"),
            (-946_684_800 * SECOND, "1970-01-01T00:00:00Z"),
        ] {
            assert_eq!(utc(micros), expected);
        }
        // What a ledger claims may be anything: no overflow.
        assert!(utc(i64::MAX).ends_with('Z') && utc(i64::MIN).ends_with('Z'));
    }

    #[test]
    fn instants_lengths_are_short() {
        let written = [-5, 5, 150, 9000, 200_000].map(|seconds| length(seconds * SECOND));
        assert_eq!(written, ["0 s", "5 s", "2 min", "2 h", "2 days"]);
    }
}
