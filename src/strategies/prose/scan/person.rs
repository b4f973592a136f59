//! Numbers that states give to persons: the French NIR, the Spanish DNI and NIE, the US SSN.

use super::place::{Text, is_space};
use crate::strategies::checks::{mod_97, spanish_letter};

/// The end of the French number that begins at a place: 13 digits and a right key, where 2A and 2B
/// stand for the départements of Corsica.
pub(super) fn nir(text: Text<'_>, start: usize) -> Option<usize> {
    if !matches!(text.byte(start), b'1'..=b'4' | b'7' | b'8') || text.is_joined(start) {
        return None;
    }
    let mut signs = [0; 15];
    let (mut at, mut before) = (start, 0);
    for (place, sign) in signs.iter_mut().enumerate() {
        if place > 0 {
            let between = text.char_at(at)?;
            if is_space(between) || matches!(between, '-' | '.') {
                at += between.len_utf8();
            }
        }
        let byte = text.byte(at).to_ascii_uppercase();
        let is_corsica = place == 6 && before == b'2' && matches!(byte, b'A' | b'B');
        if !byte.is_ascii_digit() && !is_corsica {
            return None;
        }
        (*sign, before) = (byte, byte);
        at += 1;
    }
    if !text.ends(at) {
        return None;
    }
    let two =
        |place: usize| u32::from(signs[place] - b'0') * 10 + u32::from(signs[place + 1] - b'0');
    let month_fits = matches!(two(3), 1..=12 | 20 | 30..=42 | 50..=99);
    // 2A counts as 19, 2B as 18.
    let is_corsica = signs[6].is_ascii_alphabetic();
    let number = signs[..13]
        .iter()
        .enumerate()
        .map(|(place, sign)| match (place, sign) {
            (5, _) if is_corsica => b'1',
            (6, b'A') => b'9',
            (6, b'B') => b'8',
            _ => *sign,
        });
    (month_fits && 97 - u32::from(mod_97(number)) == two(13)).then_some(at)
}

/// The end of the Spanish DNI that begins at a place: up to eight digits, in groups of three or in
/// one, and the letter that checks them.
pub(super) fn dni(text: Text<'_>, start: usize) -> Option<usize> {
    if text.is_joined(start) {
        return None;
    }
    let (mut at, mut digits, mut number) = (start, 0, 0);
    while text.byte(at).is_ascii_digit() && digits < 9 {
        number = number * 10 + u64::from(text.byte(at) - b'0');
        digits += 1;
        at += 1;
        let groups = matches!(digits, 2 | 5) && text.byte(at) == b'.';
        at += usize::from(groups && text.byte(at + 1).is_ascii_digit());
    }
    (digits == 8).then(|| letter(text, at, number))?
}

/// The end of the Spanish NIE that begins at a place: X, Y or Z, seven digits, a letter.
pub(super) fn nie(text: Text<'_>, start: usize) -> Option<usize> {
    let first = match text.byte(start).to_ascii_uppercase() {
        sign @ b'X'..=b'Z' => u64::from(sign - b'X'),
        _ => return None,
    };
    let hyphen = usize::from(text.byte(start + 1) == b'-');
    let digits = start + 1 + hyphen;
    let end = text.digits_end(digits);
    let number = text.text.get(digits..end)?;
    if number.len() != 7 || text.is_joined(start) {
        return None;
    }
    letter(text, end, first * 10_000_000 + number.parse::<u64>().ok()?)
}

fn letter(text: Text<'_>, mut at: usize, number: u64) -> Option<usize> {
    at += usize::from(text.byte(at) == b'-');
    let is_right = text.byte(at).to_ascii_uppercase() == spanish_letter(number);
    (is_right && text.ends(at + 1)).then_some(at + 1)
}

/// The end of the US Social Security number that begins at a place, by its form and by the numbers
/// that are never given.
pub(super) fn ssn(text: Text<'_>, start: usize) -> Option<usize> {
    let bytes = text.bytes.get(start..start + 11)?;
    let is_form = bytes.iter().enumerate().all(|(place, byte)| match place {
        3 | 6 => *byte == bytes[3] && matches!(byte, b'-' | b' '),
        _ => byte.is_ascii_digit(),
    });
    let area_fits = &bytes[..3] != b"000" && &bytes[..3] != b"666" && bytes[0] != b'9';
    let given = area_fits && &bytes[4..6] != b"00" && &bytes[7..] != b"0000";
    let end = start + 11;
    let alone = !text.is_joined(start) && !text.follows_number(start) && !text.goes_on(end);
    (is_form && given && alone).then_some(end)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn person_nir_has_a_month_and_a_key() {
        for text in [
            "1 84 12 76 451 089 46",
            "184127645108946",
            "1841276451089 46",
            "184122B45108960",
            "1 84 12 2A 451 089 33",
        ] {
            let found = nir(Text::new(text), 0);
            assert_eq!(found, Some(text.len()), "{text}");
        }
        for text in [
            "184127645108947",
            "1841376451089 46",
            "18412764510894",
            "1841276451089467",
            "9841276451089 46",
            "1 84 12 3A 451 089 33",
        ] {
            assert_eq!(nir(Text::new(text), 0), None, "{text}");
        }
    }

    #[test]
    fn person_dni_and_nie_have_the_right_letter() {
        for text in ["12345678Z", "12345678-z", "12.345.678-Z"] {
            assert_eq!(dni(Text::new(text), 0), Some(text.len()), "{text}");
        }
        for text in [
            "12345678A",
            "1234567Z",
            "123456789Z",
            "12345678 Z",
            "12345678Za",
            "12.345678.Z",
        ] {
            assert_eq!(dni(Text::new(text), 0), None, "{text}");
        }
        for text in ["X1234567L", "x-1234567-l", "Y1234567X", "Z1234567R"] {
            assert_eq!(nie(Text::new(text), 0), Some(text.len()), "{text}");
        }
        for text in ["X1234567M", "X123456L", "W1234567L"] {
            assert_eq!(nie(Text::new(text), 0), None, "{text}");
        }
    }

    #[test]
    fn person_ssn_is_one_that_could_be_given() {
        assert_eq!(ssn(Text::new("123-45-6789"), 0), Some(11));
        assert_eq!(ssn(Text::new("123 45 6789."), 0), Some(11));
        for text in [
            "000-45-6789",
            "666-45-6789",
            "912-45-6789",
            "123-00-6789",
            "123-45-0000",
            "123-45 6789",
            "123456789",
            "123-45-67890",
            "123-45-6789-1",
        ] {
            assert_eq!(ssn(Text::new(text), 0), None, "{text}");
        }
        assert_eq!(ssn(Text::new("A-123-45-6789"), 2), None);
    }
}
