//! What a value costs, for estimates without an earlier run: nanoseconds, as measured in
//! `docs/performance.md` on two virtual cores, and in `docs/vault.md` for tokens. What is not measured
//! there counts as what it is made of. On other machines all are as wrong as these are faster or
//! slower; after one run its own figures take their place.

use crate::strategies::{Kind, Strategy};

/// A row that is copied.
pub const ROW: f64 = 365.0;
/// A column of it.
pub const COLUMN: f64 = 25.0;
/// Whole runs take so many times as long as their loads: keys, checks, statistics.
pub const WHOLE: f64 = 1.5;

/// The mask of one value.
pub fn of(strategy: &Strategy) -> f64 {
    match strategy.kind() {
        Kind::Address => 518.0,
        Kind::Choice => 248.0,
        Kind::Company => 262.0,
        Kind::Constant => 78.0,
        Kind::CreditCard => 265.0,
        Kind::DateShift => 218.0,
        Kind::Default => 0.0,
        Kind::DpChoice => 113.0,
        Kind::DpNoise => 106.0,
        Kind::DpNoiseSticky => 302.0,
        Kind::Email => 250.0,
        Kind::Fpe => 355.0,
        Kind::Generalize => 73.0,
        Kind::Geo => 486.0,
        Kind::Hash => 220.0,
        Kind::Iban => 446.0,
        Kind::Ip => 474.0,
        Kind::Job => 224.0,
        Kind::Json => 1_847.0,
        Kind::Lorem => 466.0,
        Kind::Mac => 607.0,
        Kind::Map => 248.0,
        Kind::Mask => 256.0,
        Kind::Name => 262.0,
        Kind::NationalId => 284.0,
        Kind::Noise => 602.0,
        Kind::Null => 44.0,
        Kind::Phone => 319.0,
        Kind::Record => 500.0,
        Kind::Redact => 79.0,
        Kind::Round => 612.0,
        Kind::SaltedHash if is_slow(strategy) => 11_600_000.0,
        Kind::SaltedHash => 222.0,
        // Read once more and sorted.
        Kind::Shuffle => 2_000.0,
        Kind::Text => 984.0,
        // As where all are new.
        Kind::Tokenize => 7_200.0,
        Kind::Url => 747.0,
        Kind::UserAgent => 209.0,
        Kind::Username => 460.0,
        Kind::Uuid => 199.0,
    }
}

fn is_slow(strategy: &Strategy) -> bool {
    use crate::strategies::Value;
    strategy.effective_params().get("algorithm") == Some(&Value::from("argon2id"))
}
