//! Properties of lorem and text: the shape is kept, and what is found equals the column.

use std::net::{Ipv4Addr, Ipv6Addr};

use confiture::strategies::{Datum, Input, Kind, Mask, Params, Row, Strategy, Value, ValueType};
use proptest::collection::vec;
use proptest::prelude::{Strategy as Generator, any, prop_assert, prop_assert_eq};
use proptest::prelude::{TestCaseError, prop_assert_ne, prop_oneof, proptest};

use crate::masks::{KEY, SEED, compile_with, strategy};

/// Findings of four kinds.
const FINDING: &str = "[a-z]{3,9}@[a-z]{3,9}\\.example|\\+44 20 7946 0[0-9]{3}|\
    192\\.0\\.2\\.[1-9]|219-09-999[1-9]";

/// Telephone numbers of four countries.
const NUMBER: &str = "\\+33 [67]( [0-9]{2}){4}|0[1-9]( [0-9]{2}){4}|\\+4930[0-9]{6}|\
    [2-9][0-9]{2}-[2-9][0-9]{2}-[0-9]{4}";

fn mask_with(kind: Kind, pairs: &[(&str, Value)], key: [u8; 32], seed: i64) -> Mask {
    compile_with(&strategy(kind, pairs), key, seed, ValueType::Text)
}

fn mask(kind: Kind, pairs: &[(&str, Value)]) -> Mask {
    mask_with(kind, pairs, KEY, SEED)
}

fn out(mask: &Mask, text: &str, names: &[&str], emails: &[&str]) -> String {
    let inputs = [Input::Many(names.to_vec()), Input::Many(emails.to_vec())];
    match mask.apply(Datum::text(text), Row(&inputs)) {
        Ok(Some(Datum::Text(text))) => text.into_owned(),
        other => panic!("{other:?}"),
    }
}

/// Checks that a text writes for a finding what the column of that kind writes.
fn same_as_column(kind: Kind, params: &[(&str, Value)], found: &str) -> Result<(), TestCaseError> {
    let column = mask(kind, params);
    let column = column.text(found).expect("a value of the column");
    let made = out(&mask(Kind::Text, &[]), &format!("<{found}>, x"), &[], &[]);
    prop_assert_eq!(made, format!("<{column}>, x"));
    Ok(())
}

/// Appends Luhn's digit.
fn with_luhn(digits: &str) -> String {
    let worth = |(at, c): (usize, char)| {
        let digit = c.to_digit(10).expect("a digit") * if at % 2 == 0 { 2 } else { 1 };
        digit / 10 + digit % 10
    };
    let sum: u32 = digits.chars().rev().enumerate().map(worth).sum();
    format!("{digits}{}", (10 - sum % 10) % 10)
}

/// Puts the check digits behind the country.
fn with_97(country_and_account: &str) -> String {
    let (country, account) = country_and_account.split_at(2);
    let digits = format!("{account}{country}00");
    let rest = digits.chars().fold(0, |rest, c| {
        let value = c.to_digit(36).expect("a digit or a letter");
        (rest * if value < 10 { 10 } else { 100 } + value) % 97
    });
    format!("{country}{:02}{account}", 98 - rest)
}

/// Text in which forms of numbers and addresses come up often.
fn tangled() -> impl Generator<Value = String> {
    let piece = prop_oneof![
        "[0-9]{1,5}",
        "[-+./:() @_#,x]{1,2}",
        "[a-zA-Z]{1,4}",
        "www\\.|https?://|tel: |é|\u{a0}|田中",
        "[0-9a-f:]{2,12}",
        "[A-Z]{2}[0-9]{2}",
        any::<char>().prop_map(String::from),
    ];
    vec(piece, 0..24).prop_map(|pieces| pieces.concat())
}

proptest! {
    #[test]
    fn lorem_keeps_length_and_layout(text in "\\PC*|[a-zA-Z0-9 \n.,é]*", seed in any::<i64>()) {
        let made = mask_with(Kind::Lorem, &[], KEY, seed).text(&text).unwrap().into_owned();
        prop_assert_eq!(made.chars().count(), text.chars().count());
        for (from, to) in text.chars().zip(made.chars()) {
            match from {
                '0'..='9' => prop_assert!(to.is_ascii_digit()),
                'a'..='z' => prop_assert!(to.is_ascii_lowercase()),
                'A'..='Z' => prop_assert!(to.is_ascii_uppercase()),
                _ if from.is_whitespace() || from.is_ascii_punctuation() => {
                    prop_assert_eq!(from, to);
                }
                _ if from.is_alphanumeric() => prop_assert!(to.is_ascii_alphanumeric()),
                _ => prop_assert!(from == to || to.is_ascii_lowercase()),
            }
        }
    }

    #[test]
    fn lorem_by_words_keeps_their_number(text in "([a-zA-Zé]{1,9}[ ,.\n]{1,3}){0,9}") {
        let words = mask(Kind::Lorem, &[("unit", "words".into())]);
        let words = words.text(&text).unwrap().into_owned();
        let shape = |text: &str| -> String {
            let mut shape = String::new();
            for c in text.chars() {
                match c.is_alphabetic() {
                    true if shape.ends_with('w') => {}
                    true => shape.push('w'),
                    false => shape.push(c),
                }
            }
            shape
        };
        prop_assert_eq!(shape(&words), shape(&text));
    }

    #[test]
    fn lorem_never_panics_and_stays_within_its_limit(
        text in any::<String>(), unit in "words|characters", lines in any::<bool>(),
    ) {
        let params = [("unit", Value::from(&*unit)), ("keep_lines", Value::Bool(lines))];
        let of = params.iter().map(|(k, v)| ((*k).to_owned(), v.clone())).collect();
        let strategy = Strategy::new(Kind::Lorem, &of).unwrap();
        let made = mask(Kind::Lorem, &params).text(&text).unwrap().into_owned();
        let limit = strategy.output_limit(Some(text.chars().count())).unwrap();
        prop_assert!(made.chars().count() <= limit);
        let has_break = made.contains(['\n', '\r', '\u{2028}']);
        prop_assert!(lines || !has_break);
        let again = Strategy::new(Kind::Lorem, strategy.effective_params()).unwrap();
        prop_assert_eq!(strategy, again);
    }

    #[test]
    fn lorem_depends_on_key_and_seed(
        text in "[a-z]{5}( [a-z]{5}){9}", seeds in any::<(i64, i64)>(), key in any::<[u8; 32]>(),
    ) {
        let made = |key, seed| {
            let mask = mask_with(Kind::Lorem, &[], key, seed);
            mask.text(&text).unwrap().into_owned()
        };
        if seeds.0 != seeds.1 {
            prop_assert_ne!(made(KEY, seeds.0), made(KEY, seeds.1));
        }
        if key != KEY {
            prop_assert_ne!(made(KEY, seeds.0), made(key, seeds.0));
        }
    }

    #[test]
    fn text_never_panics(text in tangled(), name in any::<String>(), email in any::<String>()) {
        let names = [name.as_str(), "Ada Lovelace", "田中"];
        let emails = [email.as_str(), "\"a b\"@c"];
        for params in [&[][..], &[("style", "label".into())], &[("on_name", "redact".into())]] {
            let mask = mask(Kind::Text, params);
            let made = out(&mask, &text, &names, &emails);
            prop_assert_eq!(out(&mask, &text, &names, &emails), made);
        }
    }

    #[test]
    fn text_keeps_everything_around_a_finding(
        before in "[a-zA-Z ,;]{0,20}", after in "[a-zA-Z ,;]{0,20}",
        finding in FINDING,
    ) {
        // Behind "v" four numbers are a version.
        let text = format!("{before}; {finding}, {after}");
        let labeled = out(&mask(Kind::Text, &[("style", "label".into())]), &text, &[], &[]);
        let start = format!("{before}; [");
        let end = format!("], {after}");
        let is_kept = labeled.starts_with(&start) && labeled.ends_with(&end);
        prop_assert!(is_kept || text.contains("http") || text.contains("www"), "{labeled}");
        prop_assert!(!labeled.contains(&finding));
    }

    #[test]
    fn text_gives_an_address_the_pseudonym_of_its_column(
        local in "[a-zA-Z0-9_][a-zA-Z0-9_%+'-]{0,9}(\\.[a-z0-9]{1,5})?",
        domain in "[a-z0-9]{1,9}(\\.[a-z]{2,5}){1,2}",
    ) {
        let address = format!("{local}@{domain}");
        let email = mask(Kind::Email, &[]).text(&address).unwrap().into_owned();
        // An address that begins with "_" is found from its first letter on.
        if !local.starts_with('_') {
            let made = out(&mask(Kind::Text, &[]), &format!("<{address}>, x"), &[], &[]);
            prop_assert_eq!(made, format!("<{email}>, x"));
        }
    }

    #[test]
    fn text_gives_a_number_the_pseudonym_of_its_column(number in NUMBER) {
        let phone = mask(Kind::Phone, &[]).text(&number).unwrap().into_owned();
        let made = out(&mask(Kind::Text, &[]), &format!("at {number}."), &[], &[]);
        prop_assert_eq!(made, format!("at {phone}."));
    }

    #[test]
    fn text_gives_a_card_the_pseudonym_of_its_column(
        start in "4[0-9]{14}|5[1-5][0-9]{13}|3[47][0-9]{12}", spaced in any::<bool>(),
    ) {
        let grouped = start.len() == 15 && spaced;
        let place = |(place, digit)| match place % 4 {
            0 if grouped && place > 0 => format!(" {digit}"),
            _ => format!("{digit}"),
        };
        let number = with_luhn(&start);
        let number: String = number.chars().enumerate().map(place).collect();
        same_as_column(Kind::CreditCard, &[], &number)?;
    }

    #[test]
    fn text_gives_an_iban_the_pseudonym_of_its_column(
        country in "DE[0-9]{18}|GB[A-Z]{4}[0-9]{14}|NL[A-Z]{4}[0-9]{10}|FR[0-9]{10}[A-Z0-9]{11}[0-9]{2}",
        spaced in any::<bool>(), lower in any::<bool>(),
    ) {
        let place = |(place, sign)| match place % 4 {
            0 if spaced && place > 0 => format!(" {sign}"),
            _ => format!("{sign}"),
        };
        let number: String = with_97(&country).chars().enumerate().map(place).collect();
        let number = if lower { number.to_lowercase() } else { number };
        same_as_column(Kind::Iban, &[], &number)?;
    }

    #[test]
    fn text_gives_an_ip_the_pseudonym_of_its_column(v4 in any::<[u8; 4]>(), v6 in any::<[u16; 8]>()) {
        same_as_column(Kind::Ip, &[], &Ipv4Addr::from(v4).to_string())?;
        let v6 = Ipv6Addr::from(v6).to_string();
        // One that ends with a colon ends before it.
        if v6.bytes().any(|byte| byte.is_ascii_digit()) && !v6.ends_with(':') {
            same_as_column(Kind::Ip, &[], &v6)?;
        }
    }

    #[test]
    fn text_gives_a_url_the_pseudonym_of_its_column(
        url in "(https?|HTTPS|ftp)://([a-z]{1,5}:[a-z]{1,5}@)?[a-z][a-z0-9-]{0,5}[a-z](\\.[a-zé]{2,4}){1,2}\
            (:[1-9][0-9]{0,3})?(/[a-zA-Z0-9%_-]{0,6}[a-z]){0,3}(\\?[a-z]=[a-z0-9]{0,4}x)?(#[a-z]{1,4})?",
    ) {
        same_as_column(Kind::Url, &[], &url)?;
    }

    #[test]
    fn text_gives_a_national_number_the_pseudonym_of_its_column(
        nir in "[12] [0-9]{2} (0[1-9]|1[0-2]) ([013-8][0-9]|2[AB1-9]) [0-9]{3} [0-9]{3}",
        dni in "[XYZ][0-9]{7}|[0-9]{8}", ssn in "[1-5][0-9]{2}-0[1-9]-[0-9]{3}[1-9]",
    ) {
        let corsica = nir.replace(' ', "").replace("2A", "19").replace("2B", "18");
        let nir = format!("{nir} {:02}", 97 - corsica.parse::<u64>().unwrap() % 97);
        same_as_column(Kind::NationalId, &[("country", "fr".into())], &nir)?;
        let number = dni.replace('X', "0").replace('Y', "1").replace('Z', "2");
        let letter = usize::try_from(number.parse::<u32>().unwrap() % 23).unwrap();
        let dni = format!("{dni}{}", &"TRWAGMYFPDXBNJZSQVHLCKE"[letter..=letter]);
        same_as_column(Kind::NationalId, &[("country", "es".into())], &dni)?;
        same_as_column(Kind::NationalId, &[("country", "us".into())], &ssn)?;
    }

    #[test]
    fn text_gives_a_name_the_pseudonym_of_its_column(
        first in "[A-ZÉ][a-zéü]{3,9}", last in "[A-Z][a-zéü]{3,9}", case in 0..3,
    ) {
        let cased = |text: &str| match case {
            0 => text.to_uppercase(),
            1 => text.to_lowercase(),
            _ => text.to_owned(),
        };
        let (first, last) = (cased(&first), cased(&last));
        let whole = format!("{first} {last}");
        let column = |part: &str, value: &str| {
            let mask = mask(Kind::Name, &[("part", part.into())]);
            mask.text(value).unwrap().into_owned()
        };
        let text = mask(Kind::Text, &[]);
        let spoken = format!("1: {whole}, 2: {first}.");
        if first.to_lowercase() != last.to_lowercase() {
            let (full, alone) = (column("full", &whole), column("first", &whole));
            let made = out(&text, &spoken, &[&whole], &[]);
            prop_assert_eq!(made, format!("1: {full}, 2: {alone}."));
            let (one, two) = (column("first", &first), column("last", &last));
            let made = out(&text, &spoken, &[&first, &last], &[]);
            prop_assert_eq!(made, format!("1: {one} {two}, 2: {one}."));
            let made = out(&text, &format!("1: {first}-{last}"), &[&format!("{first}-{last}")], &[]);
            prop_assert_eq!(made, format!("1: {}", column("first", &format!("{first}-{last}"))));
        }
    }

    #[test]
    fn text_replaces_every_word_of_a_name(
        first in "[A-Z][a-z]{3,9}", last in "[A-Z][a-zéü]{3,9}", upper in any::<bool>(),
    ) {
        let name = format!("{first} {last}");
        let shown = if upper { name.to_uppercase() } else { name.to_lowercase() };
        let label = mask(Kind::Text, &[("style", "label".into())]);
        let made = out(&label, &format!("to {shown}."), &[&name], &[]);
        prop_assert!(!made.to_lowercase().contains(&last.to_lowercase()), "{made}");
        prop_assert!(made == "to [NAME]." || first == last || made.starts_with("[NAME]"), "{made}");
    }

    #[test]
    fn text_params_round_trip(
        find in vec("email|phone|name|url|ip|card|iban|national_id", 0..4), label in any::<bool>(),
        most in 1..=65_535i64,
    ) {
        let mut params = Params::from([("max_length".to_owned(), Value::Int(most))]);
        if !find.is_empty() {
            let find = find.iter().map(|word| Value::from(word.as_str()));
            params.insert("find".to_owned(), Value::List(find.collect()));
        }
        if label {
            params.insert("style".to_owned(), "label".into());
        }
        let strategy = Strategy::new(Kind::Text, &params).unwrap();
        let again = Strategy::new(Kind::Text, strategy.effective_params()).unwrap();
        prop_assert_eq!(&strategy, &again);
    }
}

#[test]
fn text_inside_a_document_reads_the_names_of_the_row() {
    let paths = Value::Map([("$..note".to_owned(), Value::from("text"))].into());
    let json = mask(Kind::Json, &[("paths", paths), ("unlisted", "keep".into())]);
    let inputs = [Input::None, Input::Many(vec!["Ada"]), Input::None];
    let document = r#"{"note": "Ada came", "by": "Ada"}"#;
    let made = json.apply(Datum::text(document), Row(&inputs)).unwrap();
    let name = out(&mask(Kind::Text, &[]), "Ada came", &["Ada"], &[]);
    let expected = format!(r#"{{"note": "{name}", "by": "Ada"}}"#);
    assert_eq!(made, Some(Datum::text(expected)));
    assert_ne!(name, "Ada came");
}

#[test]
fn text_takes_time_linear_in_the_text() {
    // Each of these would take minutes if what is read ahead were read again from every place.
    let hostile = [
        "http://-",
        "www.a-",
        "a.",
        "a@",
        "@",
        "1 ",
        "1-",
        "1.",
        "(1",
        "+1",
        "DE89 ",
        "1:",
        "::1",
        "田",
        "'",
        "a.a@b.",
        "06 12 ",
        "tel ",
        "12345678",
        "2001:db8:",
    ];
    let odd = ["\"aaaaaaaaaaaaaaaaaaaa\"@b", "a@"];
    let mask = mask(Kind::Text, &[]);
    for piece in hostile {
        let text = piece.repeat(300_000 / piece.len());
        out(&mask, &text, &["Ada Lovelace", "田中"], &odd);
        out(
            &mask,
            &format!("1 1 1 1 {}", text.replace([' ', '-'], "")),
            &[],
            &[],
        );
    }
}
