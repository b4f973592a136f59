//! Properties of mask.

use confiture::strategies::canonical::{self, Class};
use confiture::strategies::{Kind, Mask, Params, Seed, Strategy, Subkeys, Value, ValueType};
use proptest::prelude::{Just, Strategy as Generator, any, prop_assert, prop_assert_eq};
use proptest::prelude::{prop_oneof, proptest};
use unicode_segmentation::UnicodeSegmentation;

/// A mask character that no generated value holds.
const BLOCK: char = '\u{2588}';

fn mask(params: &Params) -> Mask {
    let strategy = Strategy::new(Kind::Mask, params).expect("valid parameters");
    let keys = Subkeys::new(&[7; 32], &[8; 32]);
    strategy
        .mask(&keys, Seed::new(1), ValueType::Text)
        .expect("text is accepted")
}

fn text(mask: &Mask, value: &str) -> String {
    mask.text(value).expect("every text is taken").into_owned()
}

/// Valid parameters without padding, with [`BLOCK`] as the mask character.
fn params() -> impl Generator<Value = Params> {
    let words = |words: &'static [&'static str]| proptest::sample::select(words);
    let count = || prop_oneof![0..6i64, 0..=1000i64];
    let sorts = words(&["none", "digits", "letters", "upper", "lower"]);
    let keeps = words(&["none", "none", "email_domain", "phone"]);
    (count(), count(), keeps, sorts, any::<bool>()).prop_map(
        |(first, last, keep, sort, separators)| {
            Params::from([
                ("keep_first".to_owned(), Value::Int(first)),
                ("keep_last".to_owned(), Value::Int(last)),
                ("keep".to_owned(), Value::from(keep)),
                ("keep_class".to_owned(), Value::from(sort)),
                ("keep_separators".to_owned(), Value::Bool(separators)),
                ("mask_char".to_owned(), Value::from(&*BLOCK.to_string())),
            ])
        },
    )
}

/// Texts of every kind: arbitrary ones, addresses, numbers, short ones, ones with many marks.
fn value() -> impl Generator<Value = String> {
    prop_oneof![
        any::<String>(),
        "[ -~]{0,40}",
        "[a-z0-9]{0,5}",
        "[a-zA-Z.+ ]{0,12}@[a-z0-9.-]{0,20}",
        "[a-z]{1,9}@[a-z]{2,9}\\.(com|co\\.uk)",
        "(\\+|00)?[0-9٠-٩]{1,4}[ ().-]{0,2}[0-9]{0,9}",
        "[a-e\u{301}\u{200d}👩🇩\r\n]{0,12}",
    ]
}

/// Whether a character is punctuation or white space, of those that may be shown.
fn is_separator(character: &str) -> bool {
    character.chars().all(|c| {
        let full_width = u32::from(c)
            .checked_sub(0xfee0)
            .and_then(char::from_u32)
            .is_some_and(|c| c.is_ascii_punctuation());
        c.is_ascii_punctuation()
            || c.is_whitespace()
            || full_width
            || "¡§«¶·»¿、。〃〈〉《》「」『』【】".contains(c)
            || ('\u{2010}'..='\u{205e}').contains(&c)
                && !"\u{2028}\u{2029}".contains(c)
                && !('\u{202a}'..='\u{202f}').contains(&c)
    })
}

fn covered(text: &str) -> usize {
    text.chars().filter(|c| *c == BLOCK).count()
}

proptest! {
    #[test]
    fn mask_hides_at_least_half(params in params(), value in value()) {
        let out = text(&mask(&params), &value);
        let hidden = covered(&out);
        let part = match &params["keep"] {
            // What follows the local part is there unchanged, or it was no address.
            Value::Text(keep) if keep == "email_domain" => {
                let local = value.split('@').next().unwrap_or_default();
                let is_kept = out.ends_with(&value[local.len()..]) && value.contains('@');
                if is_kept { local } else { &value }
            }
            _ => &value,
        };
        let part: Vec<&str> = part.graphemes(true).collect();
        let separators = part.iter().filter(|c| is_separator(c)).count();
        let all = params["keep_separators"] == Value::Bool(false) || separators * 2 >= part.len();
        let mut maskable = if all { part.len() } else { part.len() - separators };
        if params["keep"] == Value::from("phone") {
            // 00 and a calling code are open, with what stands between them.
            let is_digit = |c: &char| canonical::classify(*c, |_| ()) == Class::Digit;
            maskable = value.chars().filter(is_digit).count().saturating_sub(5);
        }
        prop_assert!(hidden * 2 >= maskable, "{out}: {hidden} of {maskable}");
        prop_assert!(part.len() > 2 || hidden >= maskable, "{out}: {hidden} of {maskable}");
        prop_assert!(hidden <= value.graphemes(true).count());
        prop_assert!(value.is_empty() || hidden > 0);
    }

    #[test]
    fn mask_shows_nothing_but_what_the_value_holds(params in params(), value in value()) {
        let out = text(&mask(&params), &value);
        let mut rest = value.chars();
        for c in out.chars().filter(|c| *c != BLOCK) {
            prop_assert!(rest.any(|from| from == c), "{out}");
        }
    }

    #[test]
    fn mask_of_malformed_addresses_shows_nothing(
        params in params(), value in "[a-z]{1,9}(@[a-z]{1,9})?|@[a-z]{1,9}\\.com|[a-z]@[a-z]@b\\.com",
    ) {
        let mut params = params;
        params.insert("keep".to_owned(), Value::from("email_domain"));
        let out = text(&mask(&params), &value);
        prop_assert_eq!(covered(&out), out.chars().count());
        prop_assert_eq!(covered(&out), value.chars().count());
    }

    #[test]
    fn mask_padding_has_one_length(
        params in params(), values in (value(), value()), pad in 1..=256i64,
    ) {
        let mut params = params;
        params.remove("keep_class");
        params.insert("pad_to".to_owned(), Value::Int(pad));
        let mask = mask(&params);
        let pad = usize::try_from(pad).unwrap();
        for value in [&values.0, &values.1] {
            prop_assert_eq!(covered(&text(&mask, value)), pad);
        }
    }

    #[test]
    fn mask_stays_within_its_limit(
        params in params(), value in value(), pad in prop_oneof![Just(0), 0..=256i64],
        star in proptest::sample::select(&["*", "e\u{301}", "👨‍👩‍👧‍👦"][..]),
    ) {
        let mut params = params;
        if pad > 0 {
            params.remove("keep_class");
        }
        params.insert("pad_to".to_owned(), Value::Int(pad));
        params.insert("mask_char".to_owned(), Value::from(star));
        let strategy = Strategy::new(Kind::Mask, &params).unwrap();
        let again = Strategy::new(Kind::Mask, strategy.effective_params()).unwrap();
        prop_assert_eq!(&strategy, &again);
        let limit = strategy.output_limit(Some(value.chars().count())).unwrap();
        let out = text(&mask(&params), &value);
        prop_assert!(out.chars().count() <= limit, "{} of {limit}", out.chars().count());
    }

    #[test]
    fn mask_counts_alike_in_ascii_and_beside_it(params in params(), value in "[ -~\t]{0,30}z") {
        let mut params = params;
        params.insert("keep".to_owned(), Value::from("none"));
        let mask = mask(&params);
        let wide = text(&mask, &value.replace('z', "\u{17c}"));
        prop_assert_eq!(wide.replace('\u{17c}', "z"), text(&mask, &value));
    }
}

#[test]
fn mask_takes_a_huge_text() {
    let params = Params::from([("keep_last".to_owned(), Value::Int(1000))]);
    let mask = mask(&params);
    let out = text(&mask, &"a".repeat(1_000_000));
    assert_eq!(out.bytes().filter(|b| *b == b'a').count(), 1000);
    let marks = format!("a{}", "\u{301}".repeat(1_000_000));
    assert_eq!(text(&mask, &marks), "*");
}
