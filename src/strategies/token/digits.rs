//! Tokens of digits in the notation of a value, none of which is a card number.
//!
//! Every drawn digit but the last is uniform; the last is uniform among the nine with which the
//! digits fail the check of Luhn (ISO/IEC 7812-1, annex B), which every card number passes. For
//! every choice of the others exactly one digit passes, so that all tokens are equally likely.

use super::Stream;
use crate::error::{Error, Kind, Result};
use crate::strategies::canonical::{self, Class};
use crate::strategies::checks::{luhn_digit, luhn_sum};

pub(super) fn check(value: &str, keep_last: usize) -> Result<()> {
    let mut digits = 0;
    for c in value.chars() {
        match canonical::classify(c, |_| ()) {
            Class::Digit => digits += 1,
            _ if canonical::is_separator(c) => {}
            _ => return Err(refuse("It has characters besides digits and separators.")),
        }
    }
    if digits < FEWEST_DRAWN + keep_last {
        let detail = format!(
            "It has {digits} digits, of at least {}: there would be too few tokens.",
            FEWEST_DRAWN + keep_last
        );
        return Err(refuse(detail));
    }
    Ok(())
}

/// Makes a token in the notation of a value that was checked.
pub(super) fn token(value: &str, keep_last: usize, stream: &mut Stream) -> String {
    let mut digits = digits_of(value);
    let drawn = digits.len().saturating_sub(keep_last);
    for digit in &mut digits[..drawn] {
        *digit = stream.below(10);
    }
    if let Some(last) = drawn.checked_sub(1) {
        let passing = passing(&mut digits, last);
        digits[last] = (passing + 1 + stream.below(9)) % 10;
    }
    written(value, &mut digits.into_iter())
}

/// Other digits in the notation of a value.
fn written(value: &str, digits: &mut dyn Iterator<Item = u8>) -> String {
    value
        .chars()
        .map(|c| match canonical::classify(c, |_| ()) {
            Class::Digit => digits.next().map_or('0', |digit| char::from(b'0' + digit)),
            _ => c,
        })
        .collect()
}

/// The notation of a value, with the digits it keeps.
pub(super) fn shape(value: &str, keep_last: usize) -> String {
    let digits = digits_of(value);
    let drawn = digits.len().saturating_sub(keep_last);
    let mut digits = (0..drawn).map(|_| 0).chain(digits[drawn..].iter().copied());
    written(value, &mut digits)
}

pub(super) fn looks_like(text: &str, keep_last: usize) -> bool {
    let is_token = |c: char| c.is_ascii_digit() || canonical::is_separator(c);
    let digits = digits_of(text);
    text.chars().all(is_token) && digits.len() >= FEWEST_DRAWN + keep_last && !passes(&digits)
}

/// Nine of ten for the last drawn digit, ten for each of the others.
pub(super) fn space(value: &str, keep_last: usize) -> u128 {
    let drawn = digits_of(value).len().saturating_sub(keep_last);
    (1..drawn).fold(9, |space: u128, _| space.saturating_mul(10))
}

fn digits_of(value: &str) -> Vec<u8> {
    let mut digits = Vec::with_capacity(value.len());
    for c in value.chars() {
        let mut read = None;
        if canonical::classify(c, |digit| read = Some(digit)) == Class::Digit {
            digits.extend(read);
        }
    }
    digits
}

fn passes(digits: &[u8]) -> bool {
    luhn_sum(digits.iter().copied()).is_multiple_of(10)
}

/// The one digit at a place with which the whole passes: doubling permutes the ten digits.
fn passing(digits: &mut [u8], at: usize) -> u8 {
    digits[at] = 0;
    let doubled = (digits.len() - at).is_multiple_of(2);
    luhn_digit(luhn_sum(digits.iter().copied()), doubled)
}

fn refuse(detail: impl Into<String>) -> Error {
    Error::new(Kind::Data, "value for a token is not a number").with_detail(detail)
}

/// 900 000 tokens at least.
const FEWEST_DRAWN: usize = 6;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn token_luhn_knows_card_numbers() {
        for number in ["4111111111111111", "5555555555554444", "79927398713", "0"] {
            assert!(passes(&digits_of(number)), "{number}");
        }
        for number in ["4111111111111112", "79927398710", "1"] {
            assert!(!passes(&digits_of(number)), "{number}");
        }
    }

    #[test]
    fn token_luhn_has_one_passing_digit_at_every_place() {
        for at in 0..12 {
            let mut digits = digits_of("490154203237");
            let expected = passing(&mut digits, at);
            for digit in 0..10 {
                digits[at] = digit;
                assert_eq!(passes(&digits), digit == expected);
            }
        }
    }

    #[test]
    fn token_digits_keep_notation_and_last_digits() {
        let token = |value, kept| token(value, kept, &mut Stream::new("digits", &[7; 32]));
        for value in [
            "4111-1111-1111-1234",
            "(20) 79.46/09 58",
            "+49 30 123456",
            "１２３ ٤٥٦",
        ] {
            let (out, digits) = (token(value, 0), digits_of(value).len());
            assert_eq!(out.chars().filter(char::is_ascii_digit).count(), digits);
            let separators = |text: &str| -> Vec<(usize, char)> {
                let separates = |c: &(usize, char)| canonical::is_separator(c.1);
                text.chars().enumerate().filter(separates).collect()
            };
            assert_eq!(separators(&out), separators(value));
        }
        assert!(token("4111-1111-1111-12-34", 4).ends_with("-12-34"));
        assert!(token("111111 ٣٤", 2).ends_with(" 34"));
    }

    #[test]
    fn token_digits_of_one_shape_share_their_tokens() {
        assert_eq!(shape("4111-1111-1111-1234", 4), "0000-0000-0000-1234");
        assert_eq!(shape("(20) 79.46", 0), "(00) 00.00");
        for value in ["4111-1111-1111-1234", "５５５５ ٤٥٦"] {
            let token = token(value, 4, &mut Stream::new("digits", &[7; 32]));
            assert_eq!(shape(&token, 4), shape(value, 4));
        }
    }

    #[test]
    fn token_digits_need_enough_to_draw() {
        for (value, keep_last, is_taken) in [
            ("123456", 0, true),
            ("12345", 0, false),
            ("1-2-3-4-5-6", 0, true),
            ("1234567890", 4, true),
            ("123456789", 4, false),
            ("1234567x", 0, false),
            ("IBAN 123456", 0, false),
            ("123456\u{200b}", 0, false),
        ] {
            assert_eq!(check(value, keep_last).is_ok(), is_taken, "{value}");
        }
        let error = check("12345", 0).unwrap_err();
        assert_eq!(error.kind(), Kind::Data);
        assert!(!format!("{error:?}").contains("12345"));
    }

    #[test]
    fn token_digits_are_uniform() {
        let mut counts = [[0u32; 10]; 6];
        for n in 0..20_000u32 {
            let mut random = [0; 32];
            random[..4].copy_from_slice(&n.to_be_bytes());
            let token = token("000000", 0, &mut Stream::new("digits", &random));
            for (at, digit) in token.bytes().enumerate() {
                counts[at][usize::from(digit - b'0')] += 1;
            }
        }
        // 2000 are expected of each; the standard deviation is 42.
        assert!(
            counts.as_flattened().iter().all(|n| n.abs_diff(2000) < 250),
            "{counts:?}"
        );
    }
}
