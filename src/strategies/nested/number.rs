//! Numbers of a document in the forms that masks read.

use std::borrow::Cow;

use super::token;
use crate::strategies::measure::decimal;

/// Whether a text is a number as JSON writes one.
pub(super) fn is_number(text: &str) -> bool {
    token::number(text.as_bytes(), 0).is_some_and(|number| number.end == text.len())
}

/// Returns a number as type numeric writes it: without exponent, zero without a sign.
pub(super) fn plain(token: &str) -> Option<Cow<'_, str>> {
    let (sign, unsigned) = match token.strip_prefix('-') {
        Some(unsigned) => ("-", unsigned),
        None => ("", token),
    };
    let (mantissa, exponent) = match unsigned.split_once(['e', 'E']) {
        Some((mantissa, exponent)) => (mantissa, exponent.parse::<i64>().ok()?),
        None => (unsigned, 0),
    };
    let is_zero = mantissa.bytes().all(|byte| matches!(byte, b'0' | b'.'));
    let sign = if is_zero { "" } else { sign };
    if mantissa.len() == unsigned.len() {
        let whole = if sign.is_empty() { unsigned } else { token };
        return Some(Cow::Borrowed(whole));
    }
    let (before, after) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    let longest = i64::try_from(LONGEST_NUMBER).ok()?;
    if exponent.abs() > longest || mantissa.len() > LONGEST_NUMBER {
        return None;
    }
    let digits = format!("{before}{after}");
    let point = i64::try_from(before.len()).ok()? + exponent;
    let zeros = |count: i64| "0".repeat(usize::try_from(count.max(0)).unwrap_or_default());
    let length = i64::try_from(digits.len()).ok()?;
    let (whole, fraction) = if point <= 0 {
        ("0".to_owned(), zeros(-point) + &digits)
    } else if point >= length {
        (digits + &zeros(point - length), String::new())
    } else {
        let (whole, fraction) = digits.split_at(usize::try_from(point).ok()?);
        (whole.to_owned(), fraction.to_owned())
    };
    let whole = match whole.trim_start_matches('0') {
        "" => "0",
        whole => whole,
    };
    let dot = if fraction.is_empty() { "" } else { "." };
    Some(Cow::Owned(format!("{sign}{whole}{dot}{fraction}")))
}

/// Returns one text for all numbers that are equal: without exponent and zeros at the end. One whose
/// exponent is too large stays as it is.
pub(super) fn canonical(token: &str) -> Cow<'_, str> {
    match plain(token) {
        Some(Cow::Borrowed(number)) => Cow::Borrowed(decimal::canonical(number)),
        Some(Cow::Owned(number)) => Cow::Owned(decimal::canonical(&number).to_owned()),
        None => Cow::Borrowed(token),
    }
}

/// How far an exponent may stretch a number.
const LONGEST_NUMBER: usize = 1000;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn number_is_written_as_numeric_writes_them() {
        for (token, written) in [
            ("0", "0"),
            ("-0", "0"),
            ("-0.00", "0.00"),
            ("-12.50", "-12.50"),
            ("1e3", "1000"),
            ("1.50e1", "15.0"),
            ("-1.5E+2", "-150"),
            ("1e-2", "0.01"),
            ("0.001e2", "0.1"),
            ("0e5", "000000"),
            ("12e-1", "1.2"),
            ("-0e0", "0"),
        ] {
            let written = if token == "0e5" { "0" } else { written };
            assert_eq!(plain(token).as_deref(), Some(written), "{token}");
        }
        assert_eq!(plain("1e1001"), None);
        assert_eq!(plain("1e-99999999999999999999"), None);
    }

    #[test]
    fn number_has_one_canonical_text() {
        for (token, text) in [
            ("1", "1"),
            ("1.00", "1"),
            ("1e2", "100"),
            ("100e-2", "1"),
            ("-0.0", "0"),
            ("1.50", "1.5"),
            ("1e1001", "1e1001"),
        ] {
            assert_eq!(canonical(token), text, "{token}");
        }
    }
}
