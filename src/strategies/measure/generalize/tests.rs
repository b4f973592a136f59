//! What `generalize` promises, on values that are easy to get wrong.

use super::*;
use crate::strategies::params::Value;
use crate::strategies::{Kind, Mask, Strategy};

fn strategy(params: &[(&str, Value)]) -> Result<Strategy, ParamError> {
    let params = params.iter().map(|(k, v)| ((*k).to_owned(), v.clone()));
    Strategy::new(Kind::Generalize, &params.collect())
}

fn mask(params: &[(&str, Value)], of: ValueType) -> Result<Mask> {
    let keys = Subkeys::new(&[7; 32], &[8; 32]);
    strategy(params).unwrap().mask(&keys, Seed::new(1), of)
}

fn day(text: &str) -> i32 {
    calendar::parse_date(text).unwrap()
}

fn date(mask: &Mask, text: &str) -> Datum<'static> {
    mask.apply(Datum::Date(day(text)), Row::NONE)
        .unwrap()
        .unwrap()
}

#[test]
fn generalize_cuts_dates_to_the_year_or_another_unit() {
    let year = mask(&[], ValueType::Date).unwrap();
    assert_eq!(date(&year, "1987-06-05"), Datum::Date(day("1987-01-01")));
    let quarter = mask(&[("unit", "quarter".into())], ValueType::Date).unwrap();
    assert_eq!(date(&quarter, "1987-06-05"), Datum::Date(day("1987-04-01")));
    let infinite = year.apply(Datum::Date(i32::MAX), Row::NONE).unwrap();
    assert_eq!(infinite, Some(Datum::Date(i32::MAX)));
    // The first year of all began before the first date.
    assert_eq!(
        date(&year, "4714-12-01 BC"),
        Datum::Date(calendar::DATE_MIN)
    );
    let hour = mask(&[("unit", "hour".into())], ValueType::Timestamptz).unwrap();
    let out = hour.apply(Datum::Timestamp(-1), Row::NONE).unwrap();
    assert_eq!(out, Some(Datum::Timestamp(-3_600_000_000)));
    let error = mask(&[("unit", "hour".into())], ValueType::Date).unwrap_err();
    assert_eq!(error.detail(), Some("A date has no hours."));
}

#[test]
fn generalize_of_numbers_has_the_value_in_its_bucket() {
    let tens = mask(&[("step", Value::Int(10))], ValueType::Int64).unwrap();
    assert_eq!(tens.int(-5).unwrap(), -10);
    assert_eq!(tens.int(3_000_000_007).unwrap(), 3_000_000_000);
    let numeric = mask(&[("step", Value::Int(10))], ValueType::Numeric).unwrap();
    let out = numeric
        .apply(Datum::Numeric("9.7".into()), Row::NONE)
        .unwrap();
    assert_eq!(out, Some(Datum::Numeric("0.0".into())));
    let error = mask(&[], ValueType::Int32).unwrap_err();
    assert_eq!(
        error.message(),
        "parameter \"step\" of strategy \"generalize\" is missing"
    );
}

#[test]
fn generalize_makes_90_of_every_greater_age() {
    let age = mask(&[("method", "age".into())], ValueType::Int16).unwrap();
    for (value, expected) in [(0, 0), (89, 89), (90, 90), (91, 90), (117, 90)] {
        assert_eq!(age.int(value).unwrap(), expected);
    }
    let five = [("method", "age".into()), ("step", Value::Int(5))];
    let age = mask(&five, ValueType::Int32).unwrap();
    for (value, expected) in [(4, 0), (89, 85), (90, 90), (104, 90)] {
        assert_eq!(age.int(value).unwrap(), expected);
    }
}

#[test]
fn generalize_makes_one_year_of_every_birth_90_years_ago() {
    let params = [("method", "age".into()), ("as_of", "2025-06-15".into())];
    let age = mask(&params, ValueType::Date).unwrap();
    for (birth, expected) in [
        ("1987-06-05", "1987-01-01"),
        ("1936-01-01", "1936-01-01"),
        ("1935-06-16", "1935-01-01"),
        ("1935-06-15", "1935-01-01"),
        ("1901-12-31", "1935-01-01"),
        ("2030-05-05", "2030-01-01"),
    ] {
        assert_eq!(date(&age, birth), Datum::Date(day(expected)), "{birth}");
    }
    let month = [
        params[0].clone(),
        params[1].clone(),
        ("unit", "month".into()),
    ];
    let month = mask(&month, ValueType::Date).unwrap();
    assert_eq!(date(&month, "1935-06-16"), Datum::Date(day("1935-06-01")));
    assert_eq!(date(&month, "1935-06-15"), Datum::Date(day("1935-01-01")));
    let decade = [
        params[0].clone(),
        params[1].clone(),
        ("unit", "decade".into()),
    ];
    let decade = mask(&decade, ValueType::Date).unwrap();
    assert_eq!(date(&decade, "1936-05-05"), Datum::Date(day("1935-01-01")));
    let time = mask(&params, ValueType::Timestamp).unwrap();
    let born = i64::from(day("1901-05-05")) * DAY;
    let out = time.apply(Datum::Timestamp(born), Row::NONE).unwrap();
    assert_eq!(
        out,
        Some(Datum::Timestamp(i64::from(day("1935-01-01")) * DAY))
    );
    let error = mask(&params[..1], ValueType::Date).unwrap_err();
    assert!(error.message().contains("\"as_of\""));
}

#[test]
fn generalize_keeps_three_digits_of_a_zip_code() {
    let zip = mask(&[("method", "zip3".into())], ValueType::Text).unwrap();
    for (code, expected) in [
        ("90210", "902"),
        ("02139-4307", "021"),
        (" 021394307 ", "021"),
        ("021", "021"),
        ("03601", "000"),
        ("893", "000"),
        ("05901-1234", "000"),
    ] {
        assert_eq!(zip.text(code).unwrap(), expected);
    }
    for wrong in [
        "9021",
        "902100",
        "90210-",
        "90210-123",
        "SW1A 1AA",
        "٩٠٢١٠",
        "9021O",
    ] {
        let error = zip.text(wrong).unwrap_err();
        assert_eq!(error.kind(), Fault::Data, "{wrong}");
        assert!(!format!("{error:?}").contains(wrong));
    }
    for blank in ["", "  "] {
        assert_eq!(zip.text(blank).unwrap_err().kind(), Fault::Blank);
    }
    let own = Value::List(vec!["902".into()]);
    let own = [("method", "zip3".into()), ("restricted", own)];
    let own = mask(&own, ValueType::Text).unwrap();
    assert_eq!(own.text("90210").unwrap(), "000");
    assert_eq!(own.text("03601").unwrap(), "036");
}

#[test]
fn generalize_takes_the_types_of_its_method() {
    let accepts = |method: &str, of| strategy(&[("method", method.into())]).unwrap().accepts(of);
    assert!(accepts("bucket", ValueType::Date) && !accepts("bucket", ValueType::Text));
    assert!(accepts("zip3", ValueType::Text) && !accepts("zip3", ValueType::Int32));
    assert!(accepts("age", ValueType::Int16) && !accepts("age", ValueType::Numeric));
}

#[test]
fn generalize_refuses_parameters_that_do_not_fit_together() {
    let param = |params: &[(&str, Value)]| strategy(params).unwrap_err().param;
    assert_eq!(param(&[("method", "zip5".into())]), "method");
    assert_eq!(param(&[("unit", "century".into())]), "unit");
    assert_eq!(param(&[("step", Value::Int(0))]), "step");
    assert_eq!(param(&[("as_of", "2025-01-01".into())]), "as_of");
    let age = ("method", "age".into());
    for wrong in ["today", "2025-02-30", "infinity", ""] {
        assert_eq!(param(&[age.clone(), ("as_of", wrong.into())]), "as_of");
    }
    let zip = ("method", "zip3".into());
    for wrong in ["36", "0365", "abc"] {
        let list = Value::List(vec![wrong.into()]);
        assert_eq!(param(&[zip.clone(), ("restricted", list)]), "restricted");
    }
    assert_eq!(param(&[("restricted", Value::List(vec![]))]), "restricted");
}

#[test]
fn generalize_keeps_the_first_characters_of_a_text() {
    let params = [("method", "prefix".into()), ("keep", Value::Int(3))];
    let prefix = mask(&params, ValueType::Text).unwrap();
    for (text, wanted) in [("02139", "021"), ("ab", "ab"), ("", ""), ("äöüß", "äöü")] {
        assert_eq!(prefix.text(text).unwrap(), wanted);
    }
    assert!(strategy(&[("method", "prefix".into())]).is_err());
    assert!(strategy(&[("keep", Value::Int(3))]).is_err());
    assert!(strategy(&[("method", "prefix".into()), ("keep", Value::Int(0))]).is_err());
    assert!(mask(&params, ValueType::Int32).is_err());
}
