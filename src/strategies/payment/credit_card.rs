//! `credit_card`: a card number of the same length and brand, with a valid check digit.
//!
//! A number is 12 to 19 digits, the last of which makes it valid by Luhn's rule (ISO/IEC 7812-1,
//! annex B). It begins with six digits that processors publish for tests, or with 9999: a first
//! digit of 9 leaves the numbers to a country, and no country has the code 999 (ISO 3166-1 leaves
//! 900 to 999 to users). The digits after that are drawn with the key.

use std::borrow::Cow;

use crate::error::Result;
use crate::strategies::definition::{
    Apply, Definition, Needs, Parsed, Properties, Row, Seed, Subkeys, Survival, mismatch, outside,
    unread,
};
use crate::strategies::keyed::Keyed;
use crate::strategies::params::{ParamError, ParamKind, ParamSpec, Reader};
use crate::strategies::{Datum, Kind, ValueType};

use super::brand::{Brand, RESERVED};
use super::luhn::Number;

/// `credit_card` in the list of strategies.
///
/// # Examples
///
/// ```
/// use confiture::strategies::{Kind, Params, Seed, Strategy, Subkeys, ValueType};
///
/// let keys = Subkeys::new(&[7; 32], &[8; 32]);
/// let strategy = Strategy::new(Kind::CreditCard, &Params::new())?;
/// let mask = strategy.mask(&keys, Seed::new(1), ValueType::Text)?;
/// let made = mask.text("4012-8888-8888-1881")?;
/// assert!(made.starts_with('4') && made.len() == 19);
/// assert!(mask.text("4012-8888-8888-1882").is_err());
/// # Ok::<(), confiture::error::Error>(())
/// ```
pub const DEFINITION: Definition = Definition {
    name: "credit_card",
    version: 1,
    about: "Card number for tests that stands for the given one",
    accepts: &[ValueType::Int64, ValueType::Numeric, ValueType::Text],
    params: PARAMS,
    inputs: &[],
    needs: Needs::Key,
    refuses: true,
    example: "anon_credit_card('4012-8888-8888-1881')",
    sample: "{}",
    parse: |reader| Ok(Box::new(CreditCard::new(reader)?)),
};

/// The parameters of `credit_card`, checked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct CreditCard {
    /// None: that of the value.
    brand: Option<Brand>,
    test_bin: bool,
    keep_last4: bool,
    require_luhn: bool,
}

impl CreditCard {
    fn new(reader: &Reader<'_>) -> Result<Self, ParamError> {
        let card = Self {
            brand: reader.word("brand", &BRANDS)?,
            test_bin: reader.bool("test_bin", true),
            keep_last4: reader.bool("keep_last4", false),
            require_luhn: reader.bool("require_luhn", true),
        };
        if card.brand.is_some() && !card.test_bin {
            let detail = "It must be true if a brand is named: only the range of the value itself \
                          can be kept.";
            return Err(reader.invalid("test_bin", detail));
        }
        Ok(card)
    }

    /// The digits at the start that are not drawn from all.
    fn begun(&self) -> u32 {
        match self.brand {
            Some(Brand::Reserved) => 4,
            _ => 6,
        }
    }
}

impl Parsed for CreditCard {
    fn properties(&self, of: ValueType) -> Properties {
        let last = if self.keep_last4 { 4 } else { 0 };
        // One digit follows from the others.
        let kept = self.begun() + 1 + last;
        // Of the shortest number.
        let free = 12 - kept;
        Properties {
            keeps_length: true,
            keeps_format: true,
            folds_spellings: of != ValueType::Int64,
            collision_bits: Some(10u64.pow(free).ilog2()),
            survival: Survival::Digits { kept },
            ..Properties::KEYED
        }
    }

    fn output_limit(&self, input_max_chars: Option<usize>) -> Option<usize> {
        input_max_chars
    }

    fn compile(&self, keys: &Subkeys<'_>, seed: Seed, of: ValueType) -> Result<Box<dyn Apply>> {
        Ok(Box::new(Mask {
            keyed: Keyed::new(Kind::CreditCard, keys.masking, seed),
            card: *self,
            of,
        }))
    }
}

/// `credit_card` with its key.
struct Mask {
    keyed: Keyed,
    card: CreditCard,
    of: ValueType,
}

impl Apply for Mask {
    fn apply<'a>(&self, value: Datum<'a>, _: Row<'_>) -> Result<Option<Datum<'a>>> {
        Ok(Some(match value {
            Datum::Text(text) => {
                let made = self.made(&text, MARKS)?;
                let mut digits = made.as_bytes().iter();
                let put = |c: char| match c {
                    '0'..='9' => digits.next().copied().map_or(c, char::from),
                    _ => c,
                };
                let mut out = String::with_capacity(text.len());
                out.extend(text.chars().map(put));
                Datum::text(out)
            }
            Datum::Int(number) => {
                let made = self.made(&number.to_string(), &[])?;
                let digits = made.as_bytes().iter();
                let add =
                    |sum: i64, digit: &u8| sum.checked_mul(10)?.checked_add((digit - b'0').into());
                match digits.copied().try_fold(0, |sum, digit| add(sum, &digit)) {
                    Some(number) => Datum::Int(number),
                    None => {
                        let detail = "A number of 19 digits that is of no brand becomes one that \
                                      is too large for bigint.";
                        return Err(outside(DEFINITION.name, "too long", detail));
                    }
                }
            }
            Datum::Numeric(text) => {
                let whole = match text.split_once('.') {
                    Some((whole, rest)) if rest.bytes().all(|b| b == b'0') => whole,
                    _ => &text,
                };
                let mut out = String::with_capacity(text.len());
                let made = self.made(whole, &[])?;
                out.extend(made.as_bytes().iter().copied().map(char::from));
                out.push_str(&text[whole.len()..]);
                Datum::Numeric(Cow::Owned(out))
            }
            _ => return Err(mismatch(DEFINITION.name, self.of)),
        }))
    }
}

impl Mask {
    /// Draws the number that stands for another.
    fn made(&self, text: &str, marks: &[char]) -> Result<Number> {
        let Some(given) = Number::read(text, marks) else {
            let detail = "It must have 12 to 19 digits; a text may have spaces, hyphens or dots \
                          between them.";
            return unread(DEFINITION.name, text, "no card number", detail);
        };
        if self.card.require_luhn && given.sum() % 10 != 0 {
            let detail = "Its check digit is wrong; with require_luhn false it is masked.";
            return Err(outside(DEFINITION.name, "no card number", detail));
        }
        let mut stream = self.keyed.stream(given.as_bytes());
        let mut made = given;
        let mut begun = 6;
        if self.card.test_bin {
            let brand = self.card.brand.unwrap_or_else(|| Brand::of(&given));
            let bins = brand.bins();
            let count = u16::try_from(bins.len()).unwrap_or(1).max(1);
            let bin = bins.get(usize::from(stream.below(count)));
            let bin = bin.copied().unwrap_or(RESERVED);
            made.digits[..bin.len()].copy_from_slice(bin.as_bytes());
            begun = bin.len();
        }
        // The last one drawn makes the number valid.
        let last = if self.card.keep_last4 { 5 } else { 1 };
        let free = made.length - last;
        for digit in &mut made.digits[begun..free] {
            *digit = b'0' + stream.below(10);
        }
        made.make_valid(free);
        Ok(made)
    }
}

const PARAMS: &[ParamSpec] = &[
    ParamSpec::new(
        "brand",
        ParamKind::Text,
        "keep",
        "keep, or amex, diners, discover, jcb, maestro, mastercard, unionpay, visa, or reserved.",
    ),
    ParamSpec::new(
        "keep_last4",
        ParamKind::Bool,
        "false",
        "Keeps the last four digits.",
    ),
    ParamSpec::new(
        "test_bin",
        ParamKind::Bool,
        "true",
        "Begins with digits for tests; otherwise the first six digits stay, and a real card can be \
         hit.",
    ),
    ParamSpec::new(
        "require_luhn",
        ParamKind::Bool,
        "true",
        "Refuses a number whose check digit is wrong.",
    ),
];

const BRANDS: [(&str, Option<Brand>); 10] = [
    ("keep", None),
    ("amex", Some(Brand::Amex)),
    ("diners", Some(Brand::Diners)),
    ("discover", Some(Brand::Discover)),
    ("jcb", Some(Brand::Jcb)),
    ("maestro", Some(Brand::Maestro)),
    ("mastercard", Some(Brand::Mastercard)),
    ("reserved", Some(Brand::Reserved)),
    ("unionpay", Some(Brand::UnionPay)),
    ("visa", Some(Brand::Visa)),
];

const MARKS: &[char] = &[' ', '-', '.'];
#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::Kind as Error;
    use crate::strategies::params::Value;

    fn card(params: &[(&str, Value)]) -> Result<CreditCard, ParamError> {
        let params = params.iter().map(|(k, v)| ((*k).to_owned(), v.clone()));
        CreditCard::new(&Reader::new(Kind::CreditCard, &params.collect())?)
    }

    fn mask(params: &[(&str, Value)], of: ValueType) -> Box<dyn Apply> {
        let keys = Subkeys::new(&[7; 32], &[8; 32]);
        let card = card(params).unwrap();
        card.compile(&keys, Seed::new(1), of).unwrap()
    }

    fn text(mask: &dyn Apply, value: &str) -> String {
        match mask.apply(Datum::text(value), Row::NONE) {
            Ok(Some(Datum::Text(text))) => text.into_owned(),
            other => panic!("{other:?}"),
        }
    }

    /// Luhn's rule, written another way.
    fn is_valid(digits: &str) -> bool {
        let worth = |(at, c): (usize, char)| {
            let digit = c.to_digit(10).unwrap() * if at % 2 == 0 { 1 } else { 2 };
            digit / 10 + digit % 10
        };
        digits.chars().rev().enumerate().map(worth).sum::<u32>() % 10 == 0
    }

    const NUMBERS: [(&str, Brand); 12] = [
        ("378734493671000", Brand::Amex),
        ("36227206271667", Brand::Diners),
        ("6011000990139424", Brand::Discover),
        ("6500000000000002", Brand::Discover),
        ("3566002020360505", Brand::Jcb),
        ("6759649826438453", Brand::Maestro),
        ("2720999999999996", Brand::Mastercard),
        ("5105105105105100", Brand::Mastercard),
        ("6200000000000005", Brand::UnionPay),
        ("4222222222222", Brand::Visa),
        ("4000000000000000006", Brand::Visa),
        ("1000000000000008", Brand::Reserved),
    ];

    #[test]
    fn credit_card_keeps_brand_and_length_and_is_valid() {
        let mask = mask(&[], ValueType::Text);
        for (number, brand) in NUMBERS {
            assert!(is_valid(number), "{number}");
            let made = text(&*mask, number);
            assert_eq!(made.len(), number.len());
            assert!(is_valid(&made), "{made}");
            assert!(
                brand.bins().iter().any(|bin| made.starts_with(bin)),
                "{made}"
            );
            let made = Number::read(&made, &[]).unwrap();
            assert_eq!(Brand::of(&made), brand);
        }
    }

    #[test]
    fn credit_card_brand_can_be_named() {
        for (name, brand) in BRANDS {
            let Some(brand) = brand else { continue };
            let mask = mask(&[("brand", Value::from(name))], ValueType::Text);
            let made = text(&*mask, "4111 1111 1111 1111");
            let digits = made.replace(' ', "");
            assert!(is_valid(&digits));
            assert!(
                brand.bins().iter().any(|bin| digits.starts_with(bin)),
                "{made}"
            );
        }
    }

    #[test]
    fn credit_card_keeps_the_last_four_only_when_asked() {
        let kept = mask(&[("keep_last4", Value::Bool(true))], ValueType::Text);
        for (number, _) in NUMBERS {
            let made = text(&*kept, number);
            assert_eq!(made[made.len() - 4..], number[number.len() - 4..]);
            assert!(is_valid(&made));
        }
        let mask = mask(&[], ValueType::Text);
        let same = |(number, _): &&(&str, Brand)| {
            text(&*mask, number)[number.len() - 4..] == number[number.len() - 4..]
        };
        assert!(NUMBERS.iter().filter(same).count() < 2);
    }

    #[test]
    fn credit_card_keeps_the_range_only_when_asked() {
        let mask = mask(&[("test_bin", Value::Bool(false))], ValueType::Text);
        for (number, _) in NUMBERS {
            let made = text(&*mask, number);
            assert_eq!(made[..6], number[..6]);
            assert!(made != number && is_valid(&made));
        }
    }

    #[test]
    fn credit_card_keeps_marks_and_is_one_whatever_the_type() {
        let mask_of = |of| mask(&[], of);
        let plain = text(&*mask_of(ValueType::Text), "4012888888881881");
        let made = text(&*mask_of(ValueType::Text), " 4012-8888.8888 1881");
        let bare: String = made.chars().filter(char::is_ascii_digit).collect();
        assert_eq!((bare, made.len()), (plain.clone(), 20));
        assert_eq!(made.replace(|c: char| c.is_ascii_digit(), ""), " -. ");
        let int = mask_of(ValueType::Int64).apply(Datum::Int(4_012_888_888_881_881), Row::NONE);
        assert_eq!(int, Ok(Some(Datum::Int(plain.parse().unwrap()))));
        let value = Datum::Numeric("4012888888881881.00".into());
        let numeric = mask_of(ValueType::Numeric).apply(value, Row::NONE);
        assert_eq!(
            numeric,
            Ok(Some(Datum::Numeric(format!("{plain}.00").into())))
        );
    }

    #[test]
    fn credit_card_refuses_what_is_none() {
        let mask_of = |of| mask(&[], of);
        let texts = mask_of(ValueType::Text);
        for value in [
            "41111111111",
            "41111111111111111111",
            "4111111111111112",
            "4111/1111/1111/1111",
            "XXXX XXXX XXXX 1111",
            "４111111111111111",
            "+4111111111111111",
        ] {
            let refused = texts.apply(Datum::text(value), Row::NONE).unwrap_err();
            assert_eq!(refused.kind(), Error::Data, "{value}");
        }
        for value in ["", " "] {
            let refused = texts.apply(Datum::text(value), Row::NONE).unwrap_err();
            assert_eq!(refused.kind(), Error::Blank);
        }
        for value in [0, -4_111_111_111_111_111, 7, i64::MIN, i64::MAX] {
            assert!(
                mask_of(ValueType::Int64)
                    .apply(Datum::Int(value), Row::NONE)
                    .is_err()
            );
        }
        for value in [
            "NaN",
            "-4111111111111111",
            "4111111111111111.5",
            "Infinity",
            "4e15",
            "",
        ] {
            let value = Datum::Numeric(value.into());
            assert!(mask_of(ValueType::Numeric).apply(value, Row::NONE).is_err());
        }
    }

    #[test]
    fn credit_card_that_outgrows_bigint_is_refused() {
        let mask = mask(&[], ValueType::Int64);
        // Valid by Luhn's rule and of no brand.
        let refused = mask.apply(Datum::Int(1_000_000_000_000_000_008), Row::NONE);
        assert!(refused.is_err_and(|error| error.is_about_the_value()));
        let visa = mask.apply(Datum::Int(4_000_000_000_000_000_006), Row::NONE);
        assert!(visa.is_ok());
    }

    #[test]
    fn credit_card_check_digit_need_not_be_right_when_so_asked() {
        let mask = mask(&[("require_luhn", Value::Bool(false))], ValueType::Text);
        assert!(is_valid(&text(&*mask, "4111111111111112")));
    }

    #[test]
    fn credit_card_refuses_a_brand_without_test_digits() {
        let params = [
            ("brand", Value::from("visa")),
            ("test_bin", Value::Bool(false)),
        ];
        assert_eq!(card(&params).unwrap_err().param, "test_bin");
        assert_eq!(
            card(&[("brand", Value::from("bank"))]).unwrap_err().param,
            "brand"
        );
    }
}
