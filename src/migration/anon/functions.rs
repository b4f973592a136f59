//! Functions of PostgreSQL Anonymizer, and the strategies that take their place.
//!
//! Most of theirs draw anew at each call. Strategies draw by the masking key from the value, so nothing
//! that draws is exact.

use super::expression::Expression;
use super::generators;
use crate::migration::catalog::{Facts, Shape};
use crate::migration::{Kind, Mask, Outcome, choice, spread};

/// What takes the place of a function, called for a column.
pub fn of(name: &str, arguments: &[Expression], column: &str, facts: &Facts<'_>) -> Outcome {
    let text = |place: usize| arguments.get(place).and_then(as_text);
    let number = |place: usize| text(place).and_then(|text| text.parse::<f64>().ok());
    let whole = |place: usize| text(place).and_then(|text| text.parse::<i64>().ok());
    let drawn = |values: Option<Vec<String>>| match values.filter(|values| !values.is_empty()) {
        Some(values) => Outcome::near(choice(&values), DRAWN),
        None => Outcome::missing("its range is not read here"),
    };
    match name {
        "partial" => partial(arguments, column),
        "partial_email" => Outcome::near(
            Mask::new(Kind::Mask).with("keep_first", 2i64),
            "the domain is written over too, and at most half of a value is shown",
        ),
        "hash" | "digest" | "md5" | "random_hash" => digest(name, arguments, column),
        "noise" => match number(1) {
            Some(ratio) if own(arguments, 0, column) => Outcome::near(
                Mask::new(Kind::Noise).with("ratio", ratio.abs().clamp(0.000_001, 1.0)),
                "equal values move alike; a small whole number moves as well",
            ),
            _ => unread(),
        },
        "dnoise" => match text(1).and_then(|text| spread::seconds(&text)) {
            Some(seconds) if own(arguments, 0, column) => moved(seconds, facts.shape),
            _ => unread(),
        },
        "left" => match whole(1) {
            Some(keep @ 1..=1000) if own(arguments, 0, column) => {
                let mask = Mask::new(Kind::Generalize)
                    .with("method", "prefix")
                    .with("keep", keep);
                if facts.shape == Shape::Text {
                    Outcome::exact(mask)
                } else {
                    Outcome::near(
                        mask,
                        "the same for text; the type of the column is not known here",
                    )
                }
            }
            _ => unread(),
        },
        "date_trunc" => match text(0).filter(|unit| UNITS.contains(&unit.as_str())) {
            Some(unit) if own(arguments, 1, column) => {
                let mask = Mask::new(Kind::Generalize).with("unit", unit);
                if facts.shape == Shape::Date {
                    Outcome::exact(mask)
                } else {
                    Outcome::near(
                        mask,
                        "points in time are cut in UTC, not in the zone of the session",
                    )
                }
            }
            _ => unread(),
        },
        "ternary" => ternary(arguments, column, facts),
        "random_in" => drawn(arguments.first().and_then(listed)),
        "random_in_enum" => {
            if facts.labels.is_empty() {
                Outcome::near(
                    Mask::new(Kind::Shuffle),
                    "the labels of the enum are not known here; the values are dealt out anew",
                )
            } else {
                Outcome::near(choice(facts.labels), DRAWN)
            }
        }
        "random_int_between" | "random_bigint_between" => drawn(
            whole(0)
                .zip(whole(1))
                .and_then(|(first, last)| spread::whole(first, last)),
        ),
        "random_double_precision" | "random_real" => drawn(spread::decimal(0.0, 1.0, 4)),
        "random_date_between" | "random_date" => {
            let first = text(0).unwrap_or_else(|| "1900-01-01".to_owned());
            // now() is no literal.
            let last = text(1).unwrap_or_else(|| "2025-12-31".to_owned());
            let with_time = !matches!(facts.shape, Shape::Date | Shape::Unknown);
            drawn(spread::days(&first, &last, with_time))
        }
        "random_string" => Outcome::near(
            Mask::new(Kind::Hash).with("length", whole(0).unwrap_or(20).clamp(8, 64)),
            "a digest of 8 hexadecimal digits or more; equal values stay equal",
        ),
        "random_phone" | "random_phone_with_format" => made_up("phone", arguments, column),
        "random_zip" => made_up("postcode", arguments, column),
        "random_id" | "random_id_int" | "random_id_smallint" => Outcome::near(
            Mask::new(Kind::Hash),
            "a digest of the value; on a unique column of integers take fpe with min and max",
        ),
        _ => {
            let noun = GENERATORS
                .iter()
                .find_map(|prefix| name.strip_prefix(prefix))
                .unwrap_or(if name == "lorem_ipsum" { name } else { "" });
            made_up(noun, arguments, column)
        }
    }
}

/// What is made up by a function whose name says what.
fn made_up(noun: &str, arguments: &[Expression], column: &str) -> Outcome {
    let (noun, locale) = match noun.strip_suffix("_locale") {
        Some(noun) => (noun, arguments.first().and_then(as_text)),
        None => (noun, None),
    };
    let Some(mut mask) = generators::of(noun) else {
        return Outcome::missing("no strategy does what this function does");
    };
    if let Some(locale) = locale {
        mask = generators::in_locale(mask, &locale);
    }
    // Pseudonyms there are drawn from a seed, which may be any column of the row.
    match arguments.first() {
        Some(Expression::Column(from)) if from != column => {
            let drawn = mask.drawn_from(from);
            match drawn.entity {
                Some(_) => Outcome::near(drawn, "drawn from the same column, by the masking key"),
                None => Outcome::near(drawn, "drawn from the value, not from another column"),
            }
        }
        _ => Outcome::near(mask, DRAWN),
    }
}

fn partial(arguments: &[Expression], column: &str) -> Outcome {
    let [value, prefix, padding, suffix] = arguments else {
        return unread();
    };
    let number = |of: &Expression| as_text(of).and_then(|text| text.parse::<i64>().ok());
    let (Some(prefix), Some(padding), Some(suffix)) =
        (number(prefix), as_text(padding), number(suffix))
    else {
        return unread();
    };
    if *value != Expression::Column(column.to_owned()) {
        return unread();
    }
    let keeps = |name: &str, count: i64, mask: Mask| match count.clamp(0, 1000) {
        0 => mask,
        count => mask.with(name, count),
    };
    let mut mask = keeps("keep_first", prefix, Mask::new(Kind::Mask));
    mask = keeps("keep_last", suffix, mask);
    let first = padding.chars().next();
    let is_one = first.is_some_and(|first| padding.chars().all(|c| c == first));
    let length = i64::try_from(padding.chars().count()).unwrap_or(i64::MAX);
    if let (Some(sign), true, 1..=256) = (first, is_one, length) {
        if sign != '*' {
            mask = mask.with("mask_char", sign.to_string());
        }
        return Outcome::near(
            mask.with("pad_to", length),
            "the same without separators, if the ends are half of it at most; else they are not shown",
        );
    }
    Outcome::near(
        mask,
        "at most half of a value is shown, the rest becomes stars, and separators stay",
    )
}

fn digest(name: &str, arguments: &[Expression], column: &str) -> Outcome {
    if name != "random_hash" && !own(arguments, 0, column) {
        return unread();
    }
    let is_short = name == "md5" || arguments.get(2).and_then(as_text).as_deref() == Some("md5");
    let mask = Mask::new(Kind::Hash).with("length", if is_short { 32i64 } else { 64 });
    Outcome::near(
        mask,
        "a digest under the masking key, so that nobody can try values",
    )
}

/// A date or a point in time, moved by up to so many seconds.
fn moved(seconds: i64, shape: Shape) -> Outcome {
    let days = (seconds / 86_400).max(1);
    match shape {
        Shape::Date => Outcome::near(Mask::new(Kind::Noise).with("amount", days), MOVED),
        Shape::Timestamp => Outcome::near(Mask::new(Kind::Noise).with("amount", seconds), MOVED),
        Shape::Unknown => Outcome::near(
            Mask::new(Kind::DateShift).with("max_days", days.min(36_500)),
            "by whole days, as the type of the column is not known here; equal values move alike",
        ),
        _ => Outcome::missing("the column is no date and no timestamp"),
    }
}

/// A condition: whether the value is NULL, which it stays here without being asked.
fn ternary(arguments: &[Expression], column: &str, facts: &Facts<'_>) -> Outcome {
    let [Expression::IsNull(asked), Expression::Null, otherwise] = arguments else {
        return Outcome::missing("a condition on the row: a strategy sees the value alone");
    };
    if **asked != Expression::Column(column.to_owned()) {
        return Outcome::missing("a condition on another column");
    }
    match otherwise {
        Expression::Call { name, .. } if name == "ternary" => {
            Outcome::missing("a condition within a condition")
        }
        call @ Expression::Call { .. } => super::masked(call, column, facts),
        // NULL stays NULL, as the condition says.
        constant => super::value(
            constant,
            &Facts {
                not_null: true,
                ..*facts
            },
        ),
    }
}

/// Whether an argument is the column itself.
fn own(arguments: &[Expression], place: usize, column: &str) -> bool {
    matches!(arguments.get(place), Some(Expression::Column(name)) if name == column)
}

fn as_text(of: &Expression) -> Option<String> {
    match of {
        Expression::Text(text) | Expression::Number(text) => Some(text.clone()),
        Expression::Bool(value) => Some(value.to_string()),
        _ => None,
    }
}

/// The values of an array: `ARRAY['a', 'b']`, or `'{a,b}'` without quotes inside.
fn listed(of: &Expression) -> Option<Vec<String>> {
    match of {
        Expression::List(values) => values.iter().map(as_text).collect(),
        Expression::Text(text) => {
            let inside = text.strip_prefix('{')?.strip_suffix('}')?;
            let is_plain = !inside.is_empty() && !inside.contains(['"', '\\', '{']);
            is_plain.then(|| {
                inside
                    .split(',')
                    .map(|part| part.trim().to_owned())
                    .collect()
            })
        }
        _ => None,
    }
}

fn unread() -> Outcome {
    Outcome::missing("it is called with something else than the column and constants")
}

/// What differs in everything that is drawn.
const DRAWN: &str =
    "drawn by the masking key from the value: equal values stay equal, NULL stays NULL";
const MOVED: &str = "equal values move alike";

/// How the names of functions begin that make something up.
const GENERATORS: [&str; 4] = ["fake_", "dummy_", "pseudo_", "seeded_"];

/// What a date is cut to here too.
const UNITS: [&str; 8] = [
    "minute", "hour", "day", "week", "month", "quarter", "year", "decade",
];
