//! Payment cards (ISO/IEC 7812) and IBANs (ISO 13616), both with their check digits.

use super::place::{Text, is_space};
use crate::strategies::checks::{luhn_sum, mod_97};

/// The end of the card number that begins at a place: 13 to 19 digits in one or in the groups that
/// are printed on cards, with the first digits of a network and a right check digit.
pub(super) fn card(text: Text<'_>, start: usize) -> Option<usize> {
    let mut digits = [0; MOST_DIGITS];
    let mut groups = [0; MOST_DIGITS];
    let (mut count, mut group, mut at) = (0, 0, start);
    let mut found = None;
    let mut separator = None;
    loop {
        let end = text.digits_end(at);
        if end == at || count + end - at > MOST_DIGITS {
            break;
        }
        digits[count..count + end - at].copy_from_slice(&text.bytes[at..end]);
        (count, groups[group]) = (count + end - at, end - at);
        group += 1;
        let goes_on = text.goes_on(end);
        if !goes_on && is_card(&digits[..count]) && is_printed(&groups[..group]) {
            found = Some(end);
        }
        let Some(next) = text
            .char_at(end)
            .filter(|c| matches!(c, '-' | '.') || is_space(*c))
        else {
            break;
        };
        if separator.is_some_and(|other| other != next) {
            break;
        }
        separator = Some(next);
        at = end + next.len_utf8();
    }
    found
}

fn is_card(digits: &[u8]) -> bool {
    let first = |length: usize| {
        let digits = digits.iter().take(length);
        digits.fold(0, |number, digit| number * 10 + u32::from(digit - b'0'))
    };
    let lengths = match first(6) {
        340_000..=349_999 | 370_000..=379_999 => 15..=15,
        400_000..=499_999 => 13..=19,
        510_000..=559_999 | 222_100..=272_099 => 16..=16,
        300_000..=305_999 | 360_000..=369_999 | 380_000..=399_999 => 14..=19,
        352_800..=358_999 | 601_100..=601_199 | 644_000..=659_999 => 16..=19,
        620_000..=629_999 | 810_000..=819_999 => 16..=19,
        500_000..=509_999 | 560_000..=699_999 => 13..=19,
        _ => return false,
    };
    let sum = || luhn_sum(digits.iter().map(|digit| digit.wrapping_sub(b'0')));
    lengths.contains(&digits.len()) && sum().is_multiple_of(10)
}

fn is_printed(groups: &[usize]) -> bool {
    match groups {
        [_] | [4, 6, 4 | 5] => true,
        [first @ .., last] => first.iter().all(|length| *length == 4) && (1..=4).contains(last),
        [] => false,
    }
}

/// The end of the IBAN that begins at a place, in one or in groups of four.
pub(super) fn iban(text: Text<'_>, start: usize) -> Option<usize> {
    let head = text.bytes.get(start..start + 4)?;
    if !head[0].is_ascii_alphabetic()
        || !head[1].is_ascii_alphabetic()
        || !head[2].is_ascii_digit()
        || !head[3].is_ascii_digit()
    {
        return None;
    }
    let country = [head[0].to_ascii_uppercase(), head[1].to_ascii_uppercase()];
    let length = iban_length(country)?;
    let mut signs = [0; LONGEST_IBAN];
    let mut at = start;
    for (place, slot) in signs.iter_mut().enumerate().take(length) {
        if place > 0 && place % 4 == 0 {
            let between = text.char_at(at)?;
            if between == '-' || is_space(between) {
                at += between.len_utf8();
            }
        }
        let sign = text.byte(at);
        if !sign.is_ascii_alphanumeric() {
            return None;
        }
        *slot = sign;
        at += 1;
    }
    let signs = &signs[..length];
    let moved = signs[4..].iter().chain(&signs[..4]).copied();
    (text.ends(at) && !text.is_joined(start) && mod_97(moved) == 1).then_some(at)
}

/// The length of an IBAN, by country.
fn iban_length(country: [u8; 2]) -> Option<usize> {
    let countries = IBANS.iter().find(|(_, countries)| {
        countries
            .as_bytes()
            .chunks(3)
            .any(|code| code.starts_with(&country))
    });
    countries.map(|(length, _)| *length)
}

const MOST_DIGITS: usize = 19;
const LONGEST_IBAN: usize = 33;

/// Countries by length (SWIFT, IBAN registry).
const IBANS: [(usize, &str); 18] = [
    (15, "NO"),
    (16, "BE"),
    (18, "DK FI FK FO GL NL SD"),
    (19, "MK SI"),
    (20, "AT BA EE KZ LT LU MN XK"),
    (21, "CH HR LI LV"),
    (22, "BG BH CR DE GB GE IE ME RS VA"),
    (23, "AE GI IL IQ OM SO TL"),
    (24, "AD CZ ES MD PK RO SA SE SK TN VG"),
    (25, "LY PT ST"),
    (26, "IS TR"),
    (27, "BI DJ FR GR IT MC MR SM"),
    (28, "AL AZ BY CY DO GT HU LB NI PL SV"),
    (29, "BR EG PS QA UA"),
    (30, "JO KW MU YE"),
    (31, "MT SC"),
    (32, "LC"),
    (33, "RU"),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn payment_cards_have_a_network_a_form_and_a_check_digit() {
        for text in [
            "4111111111111111",
            "4111 1111 1111 1111",
            "5555-5555-5555-4444",
            "378282246310005",
            "3782 822463 10005",
            "30569309025904",
            "3056 930902 5904",
            "4111.1111.1111.1111",
            "6011111111111117",
            "3530111333300000",
            "4111\u{a0}1111\u{a0}1111\u{a0}1111",
        ] {
            assert_eq!(card(Text::new(text), 0), Some(text.len()), "{text}");
        }
        for text in [
            "4111111111111112",
            "1234567812345670",
            "4111 1111 1111",
            "41111 111 1111 1111",
            "4111 1111-1111 1111",
            "4111.1111-1111.1111",
            "4111.1111.1111.1112",
            "4111111111111111a",
            "4111111111111111-5",
            "411111111111111111111",
        ] {
            assert_eq!(card(Text::new(text), 0), None, "{text}");
        }
        assert_eq!(card(Text::new("4111 1111 1111 1111 2024"), 0), Some(19));
    }

    #[test]
    fn payment_ibans_have_the_length_of_their_country_and_check_digits() {
        for text in [
            "DE89370400440532013000",
            "GB29 NWBK 6016 1331 9268 19",
            "fr1420041010050500013m02606",
            "NO93 8601 1117 947",
            "MT84MALT011000012345MTLCAST001S",
            "ES91-2100-0418-4502-0005-1332",
        ] {
            assert_eq!(iban(Text::new(text), 0), Some(text.len()), "{text}");
        }
        for text in [
            "DE88370400440532013000",
            "DE8937040044053201300",
            "DE893704004405320130001",
            "XX89370400",
            "DE89",
            "D",
            "GB29 NWBK 6016 1331 92 6819",
        ] {
            assert_eq!(iban(Text::new(text), 0), None, "{text}");
        }
    }

    #[test]
    fn payment_ibans_are_known_by_country_once() {
        let all: Vec<_> = IBANS
            .iter()
            .flat_map(|(_, codes)| codes.split(' '))
            .collect();
        let mut once = all.clone();
        once.sort_unstable();
        once.dedup();
        assert_eq!(all.len(), once.len());
        assert!(IBANS.iter().all(|(length, _)| *length <= LONGEST_IBAN));
    }
}
