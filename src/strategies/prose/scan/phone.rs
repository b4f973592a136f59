//! Telephone numbers as they stand in text.
//!
//! With a plus sign or 00 by the lengths of the country's numbers (ITU-T E.164 and the national
//! plans); without, by the forms in which numbers are written in Europe and in America: a trunk
//! zero, an area code in parentheses, groups of three, three and four, or nine digits in groups. A
//! word such as "tel" before it makes any number of six digits one.

use super::digits::{Group, Groups};
use super::place::Text;

/// The end of the telephone number that begins at a place.
pub(super) fn end(text: Text<'_>, start: usize) -> Option<usize> {
    let (plus, opened) = match text.byte(start) {
        b'+' => (true, false),
        b'(' => (false, true),
        _ => (false, false),
    };
    let first = start + usize::from(plus || opened);
    if !text.byte(first).is_ascii_digit() {
        return None;
    }
    let groups = Groups::read(text, first);
    let digits = groups.digits();
    if digits.len() < FEWEST || text.is_joined(start) {
        return None;
    }
    let is_dialed = digits.starts_with(b"00") && digits.get(2) != Some(&b'0');
    let found = if plus {
        international(&groups, 0).or_else(|| longest(&groups))
    } else if is_dialed && !opened {
        international(&groups, 2)
    } else {
        national(text, start, opened, &groups)
    };
    found.or_else(|| labeled(text, start, &groups))
}

/// Written with a plus sign and a calling code, but of a length that its country does not have:
/// everything up to the fifteen digits of ITU-T E.164, so that no end of it stays in clear. In North
/// America all numbers have one length, and anything else is another sort of number.
fn longest(groups: &Groups) -> Option<usize> {
    let digits = groups.digits();
    plan(digits)?;
    if digits.starts_with(b"1") {
        return None;
    }
    let fits = |group: &&Group| (10..=15).contains(&group.total);
    groups.all().iter().rev().find(fits).map(|group| group.end)
}

/// With a calling code: the longest groups that have as many digits as the country's numbers.
fn international(groups: &Groups, skip: usize) -> Option<usize> {
    let digits = groups.digits().get(skip..)?;
    let (code, least, most) = plan(digits)?;
    let rest = digits.get(code..)?;
    if code == 1 && !is_american(rest) {
        return None;
    }
    // A trunk zero is written in spite of the calling code: +44 (0)20.
    let zero = usize::from(rest.first() == Some(&b'0'));
    let fits = |group: &&Group| {
        let Some(length) = group.total.checked_sub(skip + code) else {
            return false;
        };
        (least..=most + zero).contains(&length)
    };
    groups.all().iter().rev().find(fits).map(|group| group.end)
}

fn national(text: Text<'_>, start: usize, opened: bool, groups: &Groups) -> Option<usize> {
    let (digits, all) = (groups.digits(), groups.all());
    let first = all.first()?;
    let closed = all.get(1).is_some_and(|group| group.separator == b')');
    if opened && !(closed && (2..=5).contains(&first.length)) {
        return None;
    }
    let end_of = |count: usize| all.get(count - 1).map(|group| group.end);
    let whole = |count: usize| end_of(count).filter(|end| !text.goes_on(*end));
    let follows = text.follows_number(start);
    if digits.starts_with(b"0") {
        if groups.begin_with(&TOLL_FREE) && digits[1] == b'8' && !opened {
            return whole(TOLL_FREE.len());
        }
        if digits[1] == b'0' || first.length < 2 {
            return None;
        }
        if groups.begin_with(&FRENCH) {
            return end_of(FRENCH.len());
        }
        if follows && first.length < 9 {
            return None;
        }
        let form = TRUNK.iter().find(|form| groups.begin_with(form));
        if let Some(end) = form.and_then(|form| whole(form.len())) {
            return Some(end);
        }
        let fits = |group: &&Group| {
            let count = all
                .iter()
                .take_while(|other| other.total <= group.total)
                .count();
            let most = if count <= 2 { 12 } else { 11 };
            let least = if count == 1 { 10 } else { 9 };
            let points = all[..count]
                .iter()
                .skip(1)
                .all(|group| group.separator == b'.');
            (least..=most).contains(&group.total)
                && group.length > 1
                && (first.length <= 5 || count == 1)
                && !(points && count == 2)
                && !text.goes_on(group.end)
        };
        return all.iter().rev().find(fits).map(|group| group.end);
    }
    if follows {
        return None;
    }
    if groups.begin_with(&[3, 3, 4]) && is_american(digits) {
        return whole(3);
    }
    if groups.begin_with(&[1, 3, 3, 4]) && digits[0] == b'1' && is_american(&digits[1..]) {
        return whole(4);
    }
    let brazilian = [[2, 5, 4], [2, 4, 4]]
        .iter()
        .any(|form| groups.begin_with(form));
    if brazilian
        && all[2].separator == b'-'
        && matches!(all[1].separator, b' ' | b')')
        && digits[0] > b'0'
    {
        return whole(3);
    }
    let form = NINE.iter().find(|form| groups.begin_with(form))?;
    let separator = all[1].separator;
    let is_spaced = matches!(separator, b' ' | b'-')
        && all[1..form.len()]
            .iter()
            .all(|group| group.separator == separator);
    let is_first = matches!(digits[0], b'2' | b'6'..=b'9');
    let end = whole(form.len())?;
    // The number of a company goes on after nine digits.
    let is_longer = all.get(form.len()).is_some_and(|next| next.length > 3);
    (is_spaced && is_first && !is_longer && !opened && !is_amount(text, start, end)).then_some(end)
}

/// Any number after a word that announces one.
fn labeled(text: Text<'_>, start: usize, groups: &Groups) -> Option<usize> {
    let all = groups.all();
    let mut found = None;
    for group in all {
        if found.is_some() && group.separator == b' ' {
            break;
        }
        if (FEWEST..=15).contains(&group.total) {
            found = Some(group.end);
        }
    }
    let end = found?;
    let is_opened =
        text.byte(start) == b'(' && all.get(1).is_none_or(|group| group.separator != b')');
    if is_opened || !text.ends(end) {
        return None;
    }
    // "call me at", "unter der Nummer".
    let mut at = start;
    for _ in 0..MOST_WORDS {
        let (word, before) = text.word_before(at);
        if LABELS.contains(&word.as_str()) {
            return Some(end);
        }
        if !LINKS.contains(&word.as_str()) {
            return None;
        }
        at = before;
    }
    None
}

/// Whether a currency or a unit says that a number is an amount.
fn is_amount(text: Text<'_>, start: usize, end: usize) -> bool {
    let is_sign = |c: char| matches!(c, '€' | '$' | '£' | '¥' | '%' | '₹' | '≈' | '=');
    let rest = text.text[end..].trim_start_matches(super::place::is_space);
    let word: String = rest
        .chars()
        .take(5)
        .take_while(|c| c.is_alphanumeric())
        .collect();
    text.sign_before(start).is_some_and(is_sign)
        || rest.starts_with(is_sign)
        || UNITS.contains(&word.to_lowercase().as_str())
}

/// Area and exchange of the North American plan begin with 2 to 9.
fn is_american(digits: &[u8]) -> bool {
    digits.len() >= 10 && digits[0] >= b'2' && digits[3] >= b'2'
}

/// The length of the calling code, and the least and the most digits after it.
fn plan(digits: &[u8]) -> Option<(usize, usize, usize)> {
    for length in 1..=3 {
        let code = digits.get(..length)?;
        let number = code
            .iter()
            .fold(0, |number, digit| number * 10 + u16::from(digit - b'0'));
        if let Ok(place) = PLANS.binary_search_by_key(&number, |(code, ..)| *code) {
            let (_, least, most) = PLANS[place];
            return Some((length, least, most));
        }
    }
    (digits[0] != b'0').then_some((3, 7, 12))
}

const FEWEST: usize = 6;
const MOST_WORDS: usize = 4;
const FRENCH: [usize; 5] = [2, 2, 2, 2, 2];
/// French numbers that cost the caller nothing: 0 800 123 456.
const TOLL_FREE: [usize; 4] = [1, 3, 3, 3];
const TRUNK: [&[usize]; 6] = [
    &[3, 4, 4],
    &[4, 3, 4],
    &[5, 3, 3],
    &[4, 3, 3],
    &[5, 6],
    &[3, 3, 2, 2],
];
const NINE: [&[usize]; 4] = [&[3, 3, 3], &[3, 2, 2, 2], &[2, 3, 2, 2], &[2, 3, 4]];

#[rustfmt::skip]
const LABELS: [&str; 40] = [
    "anrufen", "appel", "appelez", "call", "cel", "cell", "celular", "fax", "fono", "gsm", "handy",
    "ligar", "ligue", "llamar", "llame", "mob", "mobil", "mobile", "móvil", "movil", "numéro",
    "número", "nummer", "phone", "portable", "ring", "rufnummer", "sms", "tel", "tél", "telefax",
    "telefon", "telefone", "telefono", "teléfono", "telemóvel", "telemovel", "telephone",
    "téléphone", "whatsapp",
];

/// Words that may stand between such a word and the number.
#[rustfmt::skip]
const LINKS: [&str; 20] = [
    "al", "at", "au", "der", "el", "is", "ist", "le", "me", "moi", "n", "no", "nr", "number", "o",
    "on", "para", "the", "unter", "us",
];

#[rustfmt::skip]
const UNITS: [&str; 21] = [
    "ares", "b", "brl", "bytes", "chf", "eur", "euro", "euros", "gb", "gbp", "kb", "kg", "km", "m",
    "mb", "mm", "ms", "px", "rows", "t", "usd",
];

/// Calling codes with the least and the most digits of a national number.
#[rustfmt::skip]
const PLANS: [(u16, usize, usize); 79] = [
    (1, 10, 10), (7, 10, 10), (20, 8, 10), (27, 9, 9), (30, 10, 10), (31, 9, 9), (32, 8, 9),
    (33, 9, 9), (34, 9, 9), (36, 8, 9), (39, 6, 11), (40, 9, 9), (41, 9, 9), (43, 6, 13),
    (44, 9, 10), (45, 8, 8), (46, 7, 9), (47, 8, 8), (48, 9, 9), (49, 6, 11), (51, 8, 9),
    (52, 10, 10), (54, 10, 11), (55, 10, 11), (56, 9, 9), (57, 8, 10), (58, 10, 10), (60, 7, 10),
    (61, 9, 9), (62, 8, 12), (63, 8, 10), (64, 8, 10), (65, 8, 8), (66, 8, 9), (81, 9, 10),
    (82, 8, 11), (84, 9, 10), (86, 10, 11), (90, 10, 10), (91, 10, 10), (92, 9, 10), (93, 9, 9),
    (94, 9, 9), (95, 7, 10), (98, 10, 10), (212, 9, 9), (213, 8, 9), (216, 8, 8), (221, 9, 9),
    (225, 10, 10), (234, 8, 10), (254, 9, 9), (351, 9, 9), (352, 6, 9), (353, 7, 9), (354, 7, 7),
    (355, 8, 9), (356, 8, 8), (357, 8, 8), (358, 6, 10), (359, 7, 9), (370, 8, 8), (371, 8, 8),
    (372, 7, 8), (373, 8, 8), (374, 8, 8), (375, 9, 9), (380, 9, 9), (381, 8, 9), (385, 8, 9),
    (386, 8, 8), (387, 8, 8), (389, 8, 8), (420, 9, 9), (421, 9, 9), (423, 7, 7), (886, 8, 9),
    (971, 8, 9), (972, 8, 9),
];

#[cfg(test)]
mod tests {
    use super::*;

    fn found(text: &str) -> Option<&str> {
        let starts = text.find(|c: char| c.is_ascii_digit() || matches!(c, '+' | '('))?;
        end(Text::new(text), starts).map(|end| &text[starts..end])
    }

    #[test]
    fn phone_takes_the_forms_of_many_countries() {
        for text in [
            "+33 6 12 34 56 78",
            "+33612345678",
            "+1 202-555-0143",
            "+1 (202) 555-0143",
            "+44 20 7946 0958",
            "+44 (0)20 7946 0958",
            "+49 (0) 30 123456",
            "+49 151 23456789",
            "+351 912 345 678",
            "+55 11 91234-5678",
            "0033 6 12 34 56 78",
            "0049-30-123456",
            "06 12 34 56 78",
            "06.12.34.56.78",
            "06-12-34-56-78",
            "0612345678",
            "01 42 68 53 00",
            "020 7946 0958",
            "07700 900123",
            "07700 900 123",
            "030 1234567",
            "0151 23456789",
            "0151/23456789",
            "030 / 123 45 67",
            "(030) 1234567",
            "(0151) 234567",
            "(202) 555-0143",
            "202-555-0143",
            "202.555.0143",
            "1-202-555-0143",
            "612 345 678",
            "91 234 56 78",
            "912 345 678",
            "(11) 91234-5678",
            "11 91234-5678",
            "044 668 18 00",
            "+33\u{a0}6\u{a0}12\u{a0}34\u{a0}56\u{a0}78",
            "+420 222 333 444",
        ] {
            assert_eq!(found(text), Some(text));
        }
    }

    #[test]
    fn phone_ends_where_the_number_does() {
        for (text, number) in [
            ("06 12 34 56 78 30 juin", "06 12 34 56 78"),
            ("+33 6 12 34 56 78 30 juin", "+33 6 12 34 56 78"),
            ("0612345678 0687654321", "0612345678"),
            ("202-555-0143 x12", "202-555-0143"),
            ("+1 202 555 0143. 5 times", "+1 202 555 0143"),
            ("06 12 34 56 78, 9", "06 12 34 56 78"),
        ] {
            assert_eq!(found(text), Some(number), "{text}");
        }
    }

    #[test]
    fn phone_takes_any_number_that_is_announced() {
        for text in [
            "Tel: 555 0143",
            "tél. 5550143",
            "Handy 1761234567",
            "fax: 123/4567",
            "Telemóvel 912345678",
        ] {
            assert!(found(text).is_some(), "{text}");
        }
        for text in ["Call me at 2025550143", "ligue para o 912345678"] {
            assert!(found(text).is_some(), "{text}");
        }
        assert_eq!(found("mobile (07700900789)"), None);
        assert_eq!(found("call him at 2025550143"), None);
        assert_eq!(found("call 555-0143 12 times"), Some("555-0143"));
        assert_eq!(found("room 555 0143"), None);
        assert_eq!(found("tel 12345"), None);
    }

    #[test]
    fn phone_leaves_other_numbers_alone() {
        for text in [
            "20240115",
            "2024 01 15",
            "1 234 567 890",
            "12345678",
            "1234567890123",
            "0.123456789",
            "3.14159265358",
            "1,234,567.89",
            "978-3-16-148410-0",
            "10 000 000",
            "612 345 678 €",
            "$ 612 345 678",
            "612345678 rows",
            "000 123 456 789",
            "ORD-0612345678",
            "A_0612345678",
            "#0612345678",
            "0612345678901",
            "0612345678-1",
            "v2.0.612345678",
            "123-456-7890",
            "912.345.678",
            "1970-01-01 00:00",
            "+12",
            "+1 102 555 0143",
            "0012",
            "1/2/3/4/5/6/7",
            "555-0143",
        ] {
            assert_eq!(found(text), None, "{text}");
        }
    }

    #[test]
    fn phone_plans_are_in_order() {
        assert!(PLANS.is_sorted_by_key(|(code, ..)| *code));
    }

    #[test]
    fn phone_words_are_in_lower_case() {
        let words = LABELS.iter().chain(&LINKS).chain(&UNITS);
        assert!(words.clone().all(|word| *word == word.to_lowercase()));
    }
}
