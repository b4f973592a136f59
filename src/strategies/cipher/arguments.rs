//! The parameters of `fpe` as they are written, and the rules for each.

use super::alphabet::{self, Alphabet};
use super::number::Interval;
use super::text::{LONGEST_KEPT, Reading};
use super::time::day;
use crate::error::{self, Error};
use crate::strategies::ValueType;
use crate::strategies::params::{ParamError, ParamKind, ParamSpec, Reader};

/// Reads the algorithm, of which there is one.
pub(super) fn algorithm(reader: &Reader<'_>) -> Result<(), ParamError> {
    let word = reader.text("algorithm", "ff1").to_ascii_lowercase();
    if ["ff3", "ff31"].contains(&&*word.replace(['-', '_'], "")) {
        let message = "algorithms \"ff3\" and \"ff3-1\" are not supported for strategy \"fpe\"";
        let error = Error::new(error::Kind::InvalidParameter, message)
            .with_detail(
                "NIST dropped FF3 in the second public draft of SP 800-38G Revision 1 \
                 (3 February 2025). Nothing is put in its place silently.",
            )
            .with_hint("Use \"ff1\".");
        return Err(reader.error("algorithm", error));
    }
    reader.word("algorithm", &[("ff1", ())])
}

/// Reads how texts are read.
pub(super) fn reading(reader: &Reader<'_>, symbols: Option<&str>) -> Result<Reading, ParamError> {
    let name = reader.word("alphabet", &ALPHABETS)?;
    let alphabet = match (name, symbols) {
        ("custom", Some(symbols)) => Alphabet::new(symbols),
        ("custom", None) => {
            let detail = "With alphabet \"custom\" it must be given.";
            return Err(reader.invalid("symbols", detail));
        }
        (_, Some(_)) => {
            let detail = "It may be given with alphabet \"custom\" only.";
            return Err(reader.invalid("symbols", detail));
        }
        ("alpha", _) => Alphabet::new(alphabet::ALPHA),
        ("lower", _) => Alphabet::new(alphabet::LOWER),
        ("upper", _) => Alphabet::new(alphabet::UPPER),
        ("alnum" | "pattern", _) => Alphabet::new(alphabet::ALNUM),
        ("hex", _) => Alphabet::hex(),
        _ => Alphabet::new(alphabet::DIGITS),
    };
    let luhn = reader.bool("preserve_luhn", false);
    if luhn && name != "digits" {
        let detail = "Only numbers of alphabet \"digits\" have a check digit of Luhn.";
        return Err(reader.invalid("preserve_luhn", detail));
    }
    #[allow(clippy::cast_possible_truncation, reason = "it is 64")]
    let side = |side| reader.int(side, 0, 0..=LONGEST_KEPT as u16);
    Ok(Reading {
        name,
        alphabet: alphabet.map_err(|detail| reader.invalid("symbols", detail))?,
        pattern: name == "pattern",
        hex: name == "hex",
        luhn,
        prefix: side("keep_prefix")?.into(),
        suffix: side("keep_suffix")?.into(),
    })
}

/// Reads the declared range of numbers.
pub(super) fn range(reader: &Reader<'_>) -> Result<Option<(i64, i64)>, ParamError> {
    match (reader.integer("min"), reader.integer("max")) {
        (None, None) => Ok(None),
        (Some(min), Some(max)) if min < max => Ok(Some((min, max))),
        (Some(_), Some(_)) => Err(reader.invalid("max", "It must be greater than min.")),
        (Some(_), None) => Err(reader.invalid("min", "It needs parameter \"max\" beside it.")),
        (None, Some(_)) => Err(reader.invalid("max", "It needs parameter \"min\" beside it.")),
    }
}

/// Days from the first to the last, as written and since 2000-01-01.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Days {
    pub(super) from: String,
    pub(super) to: String,
    pub(super) interval: Interval,
}

/// Reads the declared range of dates.
pub(super) fn days(reader: &Reader<'_>) -> Result<Option<Days>, ParamError> {
    let read = |name| {
        if !reader.is_given(name) {
            return Ok(None);
        }
        let text = reader.text(name, "");
        let detail = "It must be a date of the years 1 to 9999, as YYYY-MM-DD.";
        let day = day(text).ok_or_else(|| reader.invalid(name, detail))?;
        Ok(Some((text.to_owned(), i128::from(day))))
    };
    match (read("first_date")?, read("last_date")?) {
        (None, None) => Ok(None),
        (Some((from, first)), Some((to, last))) if first < last => Ok(Some(Days {
            from,
            to,
            interval: Interval(first, last),
        })),
        (Some(_), Some(_)) => Err(reader.invalid("last_date", "It must be later than first_date.")),
        (Some(_), None) => {
            Err(reader.invalid("first_date", "It needs parameter \"last_date\" beside it."))
        }
        (None, Some(_)) => {
            Err(reader.invalid("last_date", "It needs parameter \"first_date\" beside it."))
        }
    }
}

/// Reads whether small domains are permuted by a table.
pub(super) fn shuffle(reader: &Reader<'_>) -> Result<bool, ParamError> {
    reader.word("small_domain", &[("error", false), ("shuffle", true)])
}

/// Reads the tweak.
pub(super) fn tweak<'a>(reader: &Reader<'a>) -> Result<&'a str, ParamError> {
    let tweak = reader.text("tweak", "");
    if tweak.chars().count() > LONGEST_TWEAK {
        let detail = format!("It must have at most {LONGEST_TWEAK} characters.");
        return Err(reader.invalid("tweak", detail));
    }
    Ok(tweak)
}

const NUMBERS: &[ValueType] = &[
    ValueType::Int16,
    ValueType::Int32,
    ValueType::Int64,
    ValueType::Numeric,
];

/// What the strategy says about its parameters.
pub(super) const PARAMS: &[ParamSpec] = &[
    ParamSpec::new(
        "alphabet",
        ParamKind::Text,
        "digits",
        "What is encrypted: digits, alpha, lower, upper, alnum, hex, pattern or custom.",
    )
    .only(ValueType::TEXT),
    ParamSpec::optional(
        "symbols",
        ParamKind::Text,
        "The alphabet custom: 2 to 65536 distinct characters.",
    )
    .only(ValueType::TEXT),
    ParamSpec::new(
        "keep_prefix",
        ParamKind::Int,
        "0",
        "Symbols left clear at the start, 0 to 64; the rest depends on them.",
    )
    .only(ValueType::TEXT),
    ParamSpec::new(
        "keep_suffix",
        ParamKind::Int,
        "0",
        "Symbols left clear at the end, 0 to 64; the rest depends on them.",
    )
    .only(ValueType::TEXT),
    ParamSpec::new(
        "preserve_luhn",
        ParamKind::Bool,
        "false",
        "Takes numbers with a check digit of Luhn, and gives such.",
    )
    .only(ValueType::TEXT),
    ParamSpec::optional(
        "min",
        ParamKind::Bigint,
        "The least number there is; the output is one of min to max.",
    )
    .only(NUMBERS),
    ParamSpec::optional("max", ParamKind::Bigint, "The greatest number there is.").only(NUMBERS),
    ParamSpec::optional(
        "first_date",
        ParamKind::Text,
        "The first date there is, as YYYY-MM-DD; the output is one of from to to.",
    )
    .only(ValueType::TIMES),
    ParamSpec::optional(
        "last_date",
        ParamKind::Text,
        "The last date there is, included.",
    )
    .only(ValueType::TIMES),
    ParamSpec::new(
        "small_domain",
        ParamKind::Text,
        "error",
        "error refuses domains of fewer than a million values, shuffle permutes them by a table.",
    ),
    ParamSpec::new(
        "tweak",
        ParamKind::Text,
        "",
        "Selects another permutation, for a table or a column, at most 256 characters.",
    ),
    ParamSpec::new(
        "algorithm",
        ParamKind::Text,
        "ff1",
        "ff1 (NIST SP 800-38G) is the only one.",
    ),
];

const LONGEST_TWEAK: usize = 256;
const ALPHABETS: [(&str, &str); 8] = [
    ("digits", "digits"),
    ("alpha", "alpha"),
    ("lower", "lower"),
    ("upper", "upper"),
    ("alnum", "alnum"),
    ("hex", "hex"),
    ("pattern", "pattern"),
    ("custom", "custom"),
];

#[cfg(test)]
mod tests {
    use super::*;
    use crate::strategies::params::Value;
    use crate::strategies::{Kind, Strategy};

    fn strategy(params: &[(&str, Value)]) -> Result<Strategy, ParamError> {
        let params = params.iter().map(|(k, v)| ((*k).to_owned(), v.clone()));
        Strategy::new(Kind::Fpe, &params.collect())
    }

    fn text(word: &str) -> Value {
        Value::from(word)
    }

    fn years(from: &str, to: &str) -> [(&'static str, Value); 2] {
        [("first_date", text(from)), ("last_date", text(to))]
    }

    #[test]
    fn fpe_refuses_ff3_with_the_reason() {
        for word in ["ff3", "FF3", "ff3-1", "FF3_1", "ff31"] {
            let refused = strategy(&[("algorithm", text(word))]).unwrap_err();
            assert_eq!(refused.param, "algorithm");
            let detail = refused.error.detail().unwrap();
            assert!(detail.contains("SP 800-38G Revision 1") && detail.contains("2025"));
        }
        let refused = strategy(&[("algorithm", text("aes"))]).unwrap_err();
        assert!(refused.error.hint().unwrap().contains("\"ff1\""));
        assert!(strategy(&[("algorithm", text("ff1"))]).is_ok());
    }

    #[test]
    fn fpe_refuses_parameters_that_do_not_go_together() {
        let (custom, int) = (("alphabet", text("custom")), Value::Int);
        let long = "x".repeat(257);
        let cases: [(&[(&str, Value)], &str); 22] = [
            (std::slice::from_ref(&custom), "symbols"),
            (&[("symbols", text("abc"))], "symbols"),
            (&[custom.clone(), ("symbols", text("a"))], "symbols"),
            (&[custom.clone(), ("symbols", text("aba"))], "symbols"),
            (&[custom.clone(), ("symbols", text("a b"))], "symbols"),
            (&[("alphabet", text("digit"))], "alphabet"),
            (
                &[
                    ("alphabet", text("hex")),
                    ("preserve_luhn", Value::Bool(true)),
                ],
                "preserve_luhn",
            ),
            (&[("keep_prefix", int(65))], "keep_prefix"),
            (&[("keep_prefix", int(-1))], "keep_prefix"),
            (&[("keep_suffix", int(i64::MAX))], "keep_suffix"),
            (&[("min", int(1))], "min"),
            (&[("max", int(1))], "max"),
            (&[("min", int(1)), ("max", int(1))], "max"),
            (&[("min", int(2)), ("max", int(1))], "max"),
            (&[("first_date", text("2000-01-01"))], "first_date"),
            (&[("last_date", text("2000-01-01"))], "last_date"),
            (&years("2000-01-01", "2000-01-01"), "last_date"),
            (&years("2000-01-01", "1999-12-31"), "last_date"),
            (&years("2000-01-01", "2000-02-30"), "last_date"),
            (&years("yesterday", "2000-02-28"), "first_date"),
            (&[("small_domain", text("ignore"))], "small_domain"),
            (&[("tweak", text(&long))], "tweak"),
        ];
        for (params, param) in cases {
            assert_eq!(strategy(params).unwrap_err().param, param, "{params:?}");
        }
    }
}
