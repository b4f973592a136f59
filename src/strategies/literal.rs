//! Reads a value that was written as text, for each type, as the server would read it.
//!
//! Stricter where the server is lenient (one way to write a date, no exponents in a numeric), so
//! that a slip is found when a strategy is compiled and not at the first row. Dates and addresses
//! as ISO 8601 and RFC 5952 write them; a point in time with zone is UTC if it names none.

use std::borrow::Cow;
use std::net::IpAddr;

use serde::de::IgnoredAny;

use crate::error::{Error, Kind, Result};
use crate::strategies::calendar;
use crate::strategies::measure::decimal::{Decimal, narrow};
use crate::strategies::nested::hstore;
use crate::strategies::{Datum, ValueType};

/// Reads a value of a type.
///
/// # Errors
/// A sentence that says what it must be.
pub fn parse(of: ValueType, text: &str) -> Result<Datum<'static>, String> {
    let owned = || Cow::Owned(text.to_owned());
    let trimmed = text.trim();
    let read = match of {
        ValueType::Bool => boolean(trimmed).map(Datum::Bool),
        ValueType::Bytes => bytes(trimmed).map(|bytes| Datum::Bytes(Cow::Owned(bytes))),
        ValueType::Cidr | ValueType::Inet => {
            address(trimmed, of == ValueType::Cidr).map(|text| Datum::Inet(Cow::Owned(text)))
        }
        ValueType::Date => calendar::parse_date(trimmed).map(Datum::Date),
        ValueType::Enum | ValueType::Text => Some(Datum::Text(owned())),
        ValueType::Float32 | ValueType::Float64 => {
            float(trimmed, of == ValueType::Float32).map(Datum::Float)
        }
        ValueType::Hstore => hstore::read(text).map(|_| Datum::Hstore(owned())),
        ValueType::Int16 | ValueType::Int32 | ValueType::Int64 => {
            let number = trimmed.parse().ok().map(Datum::Int);
            number.filter(|number| of.holds(number))
        }
        ValueType::Json | ValueType::Jsonb => {
            let valid = serde_json::from_str::<IgnoredAny>(text).is_ok();
            valid.then(|| Datum::Json(owned()))
        }
        ValueType::Mac => mac(trimmed, 6).map(|text| Datum::Mac(Cow::Owned(text))),
        ValueType::Mac8 => mac(trimmed, 8).map(|text| Datum::Mac(Cow::Owned(text))),
        ValueType::Numeric => numeric(trimmed).map(|text| Datum::Numeric(Cow::Owned(text))),
        ValueType::Timestamp | ValueType::Timestamptz => {
            calendar::parse_time(trimmed, of == ValueType::Timestamptz).map(Datum::Timestamp)
        }
        ValueType::Record => None,
        ValueType::Uuid => uuid(trimmed).map(Datum::Uuid),
    };
    read.ok_or_else(|| match form(of) {
        "" => format!("It must be of type {}.", of.name()),
        form => format!("It must be of type {}, such as {form}.", of.name()),
    })
}

/// Whether a text is a number, but none that its type holds.
pub fn overflows(of: ValueType, text: &str) -> bool {
    let text = text.trim();
    let digits = text.strip_prefix(['-', '+']).unwrap_or(text);
    let is_number = match of {
        ValueType::Float32 => text.parse::<f64>().is_ok_and(f64::is_finite),
        _ if of.max_int().is_some() => {
            !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit())
        }
        _ => false,
    };
    is_number && parse(of, text).is_err()
}

/// Reads the values of a parameter.
///
/// # Errors
/// `InvalidParameter` with the parameter's name for the first that is not of the type.
pub fn all(
    strategy: &str,
    param: &str,
    of: ValueType,
    texts: &[String],
) -> Result<Vec<Datum<'static>>> {
    texts
        .iter()
        .map(|text| one(strategy, param, of, text))
        .collect()
}

/// Reads the value of a parameter.
///
/// # Errors
/// As [`all`].
pub fn one(strategy: &str, param: &str, of: ValueType, text: &str) -> Result<Datum<'static>> {
    parse(of, text).map_err(|detail| {
        let message = format!("invalid value for parameter \"{param}\" of strategy \"{strategy}\"");
        Error::new(Kind::InvalidParameter, message).with_detail(detail)
    })
}

fn boolean(text: &str) -> Option<bool> {
    match &*text.to_ascii_lowercase() {
        "true" | "t" | "yes" | "y" | "on" | "1" => Some(true),
        "false" | "f" | "no" | "n" | "off" | "0" => Some(false),
        _ => None,
    }
}

fn bytes(text: &str) -> Option<Vec<u8>> {
    hex::decode(text.strip_prefix("\\x")?).ok()
}

fn address(text: &str, network: bool) -> Option<String> {
    let (address, bits) = match text.split_once('/') {
        Some((address, bits)) => (address, Some(bits)),
        None => (text, None),
    };
    let address: IpAddr = address.parse().ok()?;
    let all = if address.is_ipv4() { 32 } else { 128 };
    let bits = match bits {
        Some(bits) => bits
            .parse()
            .ok()
            .filter(|bits| *bits <= all && bits_are_plain(text))?,
        None => all,
    };
    if !network {
        let suffix = if bits == all {
            String::new()
        } else {
            format!("/{bits}")
        };
        return Some(format!("{address}{suffix}"));
    }
    let host = match address {
        IpAddr::V4(address) => u128::from(address.to_bits()),
        IpAddr::V6(address) => address.to_bits(),
    };
    // What stands to the right of the network must be zero.
    let mask = 1_u128
        .checked_shl(all - bits)
        .map_or(u128::MAX, |power| power - 1);
    (host & mask == 0).then(|| format!("{address}/{bits}"))
}

/// Numbers of Rust may carry a plus sign.
fn bits_are_plain(text: &str) -> bool {
    !text.contains('+')
}

fn float(text: &str, single: bool) -> Option<f64> {
    let number: f64 = text.parse().ok()?;
    if !single || !number.is_finite() {
        return Some(number);
    }
    (number.abs() <= f32::MAX.into()).then(|| narrow(number).into())
}

fn mac(text: &str, length: usize) -> Option<String> {
    let digits = text.replace([':', '-'], "");
    let bytes = hex::decode(digits)
        .ok()
        .filter(|bytes| bytes.len() == length)?;
    let pairs: Vec<String> = bytes
        .into_iter()
        .map(|byte| format!("{byte:02x}"))
        .collect();
    Some(pairs.join(":"))
}

fn numeric(text: &str) -> Option<String> {
    match text {
        "NaN" | "Infinity" | "-Infinity" => Some(text.to_owned()),
        _ => Decimal::parse(text).map(|number| number.to_string()),
    }
}

fn uuid(text: &str) -> Option<[u8; 16]> {
    let inner = text
        .strip_prefix('{')
        .and_then(|text| text.strip_suffix('}'));
    let digits = inner.unwrap_or(text).replace('-', "");
    hex::decode(digits).ok()?.try_into().ok()
}

/// How a value of a type is written.
fn form(of: ValueType) -> &'static str {
    match of {
        ValueType::Bool => "true",
        ValueType::Bytes => "\\x00ff",
        ValueType::Cidr => "10.0.0.0/8",
        ValueType::Date => "2024-12-31",
        ValueType::Inet => "10.0.0.1",
        ValueType::Json | ValueType::Jsonb => "{}",
        ValueType::Mac => "00:00:5e:00:53:01",
        ValueType::Mac8 => "00:00:5e:ff:fe:00:53:01",
        ValueType::Float32 | ValueType::Float64 | ValueType::Numeric => "12.50",
        ValueType::Timestamp => "2024-12-31 23:59:59",
        ValueType::Timestamptz => "2024-12-31 23:59:59+00",
        ValueType::Uuid => "00000000-0000-0000-0000-000000000000",
        _ => "",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(of: ValueType, text: &str) -> Option<String> {
        match parse(of, text).ok()? {
            Datum::Inet(text) | Datum::Mac(text) | Datum::Numeric(text) => Some(text.into_owned()),
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn literals_of_every_type_are_read() {
        for (of, text, expected) in [
            (ValueType::Bool, " Yes", Datum::Bool(true)),
            (
                ValueType::Bytes,
                "\\x00FF",
                Datum::Bytes(Cow::Borrowed(&[0, 255])),
            ),
            (ValueType::Date, "2000-01-02", Datum::Date(1)),
            (ValueType::Enum, " a ", Datum::text(" a ")),
            (ValueType::Float32, "0.1", Datum::Float(f64::from(0.1_f32))),
            (ValueType::Float64, "-1e3", Datum::Float(-1000.0)),
            (ValueType::Int16, "-32768", Datum::Int(-32_768)),
            (ValueType::Json, "[1]", Datum::Json(Cow::Borrowed("[1]"))),
            (
                ValueType::Timestamptz,
                "2000-01-01 01:00+01",
                Datum::Timestamp(0),
            ),
            (
                ValueType::Uuid,
                "{0190F5E8-7c3b-7a5c-9d2e-1f3a4b5c6d7e}",
                Datum::Uuid([
                    0x01, 0x90, 0xf5, 0xe8, 0x7c, 0x3b, 0x7a, 0x5c, 0x9d, 0x2e, 0x1f, 0x3a, 0x4b,
                    0x5c, 0x6d, 0x7e,
                ]),
            ),
            (ValueType::Text, "", Datum::text("")),
            (
                ValueType::Hstore,
                "a=>1",
                Datum::Hstore(Cow::Borrowed("a=>1")),
            ),
        ] {
            assert_eq!(parse(of, text), Ok(expected));
        }
    }

    #[test]
    fn literals_of_addresses_and_numbers_become_canonical() {
        let same = |of, given: &str, expected: &str| {
            assert_eq!(text(of, given).as_deref(), Some(expected), "{given}");
        };
        same(ValueType::Inet, "10.0.0.1/32", "10.0.0.1");
        same(ValueType::Inet, "10.0.0.1/8", "10.0.0.1/8");
        same(ValueType::Inet, "2001:DB8::0:1", "2001:db8::1");
        same(ValueType::Cidr, "10.0.0.0/8", "10.0.0.0/8");
        same(ValueType::Cidr, "::/0", "::/0");
        same(ValueType::Cidr, "10.0.0.1", "10.0.0.1/32");
        same(ValueType::Mac, "00-00-5E-00-53-01", "00:00:5e:00:53:01");
        same(ValueType::Numeric, "007.50", "7.50");
    }

    #[test]
    fn literals_of_the_wrong_form_are_refused_with_an_example() {
        for (of, wrong) in [
            (ValueType::Bool, "maybe"),
            (ValueType::Bytes, "00ff"),
            (ValueType::Bytes, "\\x0"),
            (ValueType::Cidr, "10.0.0.1/8"),
            (ValueType::Cidr, "0.0.0.1/0"),
            (ValueType::Date, "31.12.2024"),
            (ValueType::Float32, "1e39"),
            (ValueType::Float64, "one"),
            (ValueType::Inet, "10.0.0.1/33"),
            (ValueType::Inet, "10.0.0.1/+8"),
            (ValueType::Inet, "10.0.0"),
            (ValueType::Int16, "32768"),
            (ValueType::Int32, "1.0"),
            (ValueType::Jsonb, "{"),
            (ValueType::Mac, "00:00:5e:00:53"),
            (ValueType::Numeric, "1e5"),
            (ValueType::Timestamp, "2024-12-31 23:59:59Z"),
            (ValueType::Uuid, "0190f5e8"),
        ] {
            let detail = parse(of, wrong).unwrap_err();
            assert!(detail.starts_with("It must be of type ") && detail.ends_with('.'));
        }
        assert_eq!(
            parse(ValueType::Int32, "x"),
            Err("It must be of type integer.".to_owned())
        );
        let error = one("constant", "value", ValueType::Bool, "x").unwrap_err();
        assert_eq!(error.kind().sqlstate().as_str(), "22023");
    }
}
