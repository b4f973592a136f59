//! Card brands: their ranges, and the first digits of numbers for tests.
//!
//! The ranges are those that the networks publish. The digits for tests are those of the numbers
//! that PayPal, Stripe, Braintree and other processors give out for their sandboxes; no network
//! reserves a range for tests in public, so they are a custom, not a guarantee. [`RESERVED`] is one.

use super::luhn::Number;

/// Whose numbers they are, by the first digits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Brand {
    Amex,
    Diners,
    Discover,
    Jcb,
    Maestro,
    Mastercard,
    /// Nobody's.
    Reserved,
    UnionPay,
    Visa,
}

impl Brand {
    /// Tells the brand; reserved if it is none.
    pub(super) fn of(number: &Number) -> Self {
        match number.first(4) {
            3400..=3499 | 3700..=3799 => Self::Amex,
            3000..=3059 | 3095 | 3600..=3699 | 3800..=3999 => Self::Diners,
            6011 | 6440..=6599 => Self::Discover,
            3528..=3589 => Self::Jcb,
            5018 | 5020 | 5038 | 5893 | 6304 | 6759 | 6761..=6763 => Self::Maestro,
            2221..=2720 | 5100..=5599 => Self::Mastercard,
            6200..=6299 | 8100..=8199 => Self::UnionPay,
            4000..=4999 => Self::Visa,
            _ => Self::Reserved,
        }
    }

    /// The first digits of numbers that processors publish for tests.
    pub(super) fn bins(self) -> &'static [&'static str] {
        match self {
            Self::Amex => &["371449", "378282"],
            Self::Diners => &["305693", "362596", "385200"],
            Self::Discover => &["601100", "601111"],
            Self::Jcb => &["353011", "356600"],
            Self::Maestro => &["630400", "675964"],
            Self::Mastercard => &["222300", "510510", "555555"],
            Self::Reserved => &[RESERVED],
            Self::UnionPay => &["620000", "624303"],
            Self::Visa => &["401288", "411111", "424242"],
        }
    }
}

/// A country's numbers (9), of a country that is none (999).
pub(super) const RESERVED: &str = "9999";
