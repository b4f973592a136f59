//! Check digits: Luhn (ISO/IEC 7812-1, annex B), modulo 97 (ISO/IEC 7064), the letter of a Spanish
//! number.

/// Luhn's sum of digits (0 to 9, not their characters): every second one from the last but one
/// counts double, less nine above nine. A number is right if it is a multiple of ten.
pub(super) fn luhn_sum(digits: impl DoubleEndedIterator<Item = u8>) -> u32 {
    let digits = digits.rev().enumerate();
    digits
        .map(|(place, digit)| counted(digit, place % 2 == 1))
        .sum()
}

/// The digit that makes Luhn's sum of the others right, at a place that counts double or not.
pub(super) fn luhn_digit(others: u32, doubled: bool) -> u8 {
    let fits = |digit: &u8| (others + counted(*digit, doubled)).is_multiple_of(10);
    (0..9).find(fits).unwrap_or(9)
}

fn counted(digit: u8, doubled: bool) -> u32 {
    let digit = u32::from(digit);
    match (doubled, digit) {
        (false, digit) => digit,
        (true, ..5) => 2 * digit,
        (true, _) => 2 * digit - 9,
    }
}

/// The remainder modulo 97 of digits and letters, where A is 10 and Z is 35.
pub(super) fn mod_97(signs: impl Iterator<Item = u8>) -> u8 {
    let mut rest = 0u64;
    for sign in signs {
        rest = match sign {
            b'0'..=b'9' => rest * 10 + u64::from(sign - b'0'),
            _ => rest * 100 + u64::from(sign.to_ascii_uppercase().saturating_sub(b'A')) + 10,
        };
        // To divide by 97 at every character takes longer than all the rest.
        if rest > u64::MAX / 1000 {
            rest %= 97;
        }
    }
    u8::try_from(rest % 97).unwrap_or(0)
}

/// The letter of a Spanish DNI or NIE, by the remainder of its number modulo 23.
pub(super) fn spanish_letter(number: u64) -> u8 {
    let place = usize::try_from(number % 23).unwrap_or_default();
    b"TRWAGMYFPDXBNJZSQVHLCKE"[place]
}

#[cfg(test)]
mod tests {
    use super::*;

    fn digits(text: &str) -> Vec<u8> {
        text.bytes().map(|byte| byte - b'0').collect()
    }

    #[test]
    fn checks_take_known_numbers() {
        for (number, valid) in [
            ("4111111111111111", true),
            ("378282246310005", true),
            ("79927398713", true),
            ("0", true),
            ("18", true),
            ("", true),
            ("4111111111111112", false),
            ("79927398710", false),
            ("1", false),
        ] {
            let sum = luhn_sum(digits(number).into_iter());
            assert_eq!(sum.is_multiple_of(10), valid, "{number}");
        }
        assert_eq!(mod_97(b"370400440532013000DE89".iter().copied()), 1);
        assert_eq!(mod_97(b"370400440532013000de88".iter().copied()), 0);
        assert_eq!(spanish_letter(12_345_678), b'Z');
    }

    #[test]
    fn checks_are_met_by_one_digit_at_any_place() {
        let valid = digits("4539148803436467");
        for place in 0..valid.len() {
            let mut without = valid.clone();
            without[place] = 0;
            let doubled = (valid.len() - 1 - place) % 2 == 1;
            let others = luhn_sum(without.into_iter());
            assert_eq!(luhn_digit(others, doubled), valid[place]);
        }
    }

    #[test]
    fn checks_divide_numbers_of_any_length() {
        let nines = |length| std::iter::repeat_n(b'9', length);
        for length in 1..200 {
            let slow = nines(length).fold(0, |rest, _| (rest * 10 + 9) % 97);
            assert_eq!(u32::from(mod_97(nines(length))), slow, "{length}");
        }
    }
}
