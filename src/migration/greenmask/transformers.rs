//! Transformers of one column, and the strategies that take their place.

use std::collections::BTreeMap;

use super::given::Given;
use super::null;
use crate::migration::catalog::{Facts, Shape};
use crate::migration::{Kind, Mask, Outcome, choice, lenient, spread};
use crate::profile::document::Tree;
use crate::strategies::params::Value;

/// What takes the place of a transformer of a column.
pub fn of(name: &str, params: &Given<'_>, facts: &Facts<'_>) -> Outcome {
    let mask = Mask::new;
    let person = |part: &str| mask(Kind::Name).with("part", part);
    let drawn = |mask: Mask| Outcome::near(mask, why_drawn(params));
    let outcome = match name {
        "SetNull" => return null(),
        "Replace" => return replace(params, facts),
        "Hash" => return hash(params),
        "Dict" => return dict(params, facts),
        "Masking" => return masking(params.text("type").unwrap_or("default")),
        "Json" => return json(params),
        "NoiseDate" => return noise_date(params, facts.shape),
        "NoiseInt" | "NoiseFloat" | "NoiseNumeric" => return noise(params),
        "RandomBool" => drawn(choice(&words("true false"))),
        "RandomChoice" => {
            let values = params.list("values").iter();
            let values: Option<Vec<String>> = values
                .map(|value| value.text().map(str::to_owned))
                .collect();
            match values {
                Some(values) => drawn(choice(&values)),
                None => return Outcome::missing("its values are no constants"),
            }
        }
        "RandomInt" => listed(
            params
                .whole("min")
                .zip(params.whole("max"))
                .and_then(|(a, b)| spread::whole(a, b)),
            params,
        ),
        "RandomFloat" | "RandomNumeric" => {
            let digits = params
                .whole("decimal")
                .and_then(|digits| digits.try_into().ok());
            let range = params.number("min").zip(params.number("max"));
            let values = range.and_then(|(a, b)| spread::decimal(a, b, digits.unwrap_or(4)));
            listed(values, params)
        }
        "RandomLatitude" => listed(spread::decimal(-90.0, 90.0, 4), params),
        "RandomLongitude" => listed(spread::decimal(-180.0, 180.0, 4), params),
        "RandomDate" => {
            let range = params.text("min").zip(params.text("max"));
            let with_time = match facts.shape {
                Shape::Date => false,
                Shape::Unknown => params.text("min").is_some_and(|min| min.contains(':')),
                _ => true,
            };
            listed(
                range.and_then(|(a, b)| spread::days(a, b, with_time)),
                params,
            )
        }
        "RandomString" => {
            let length = params.whole("max_length").unwrap_or(20).clamp(8, 64);
            Outcome::near(
                mask(Kind::Hash).with("length", length),
                "a digest of 8 hexadecimal digits or more; equal values stay equal",
            )
        }
        "RandomPassword" => drawn(mask(Kind::Hash)),
        "RandomUuid" => drawn(lenient(Kind::Uuid)),
        "RandomEmail" => email(params),
        "RandomName" => drawn(mask(Kind::Name)),
        "RandomFirstName" => drawn(person("first")),
        "RandomFirstNameMale" => drawn(person("first").with("gender", "male")),
        "RandomFirstNameFemale" => drawn(person("first").with("gender", "female")),
        "RandomLastName" => drawn(person("last")),
        "RandomUsername" => drawn(mask(Kind::Username)),
        "RandomPhoneNumber" | "RandomE164PhoneNumber" | "RandomTollFreePhoneNumber" => {
            drawn(lenient(Kind::Phone))
        }
        "RandomIp" | "RandomIPv4" | "RandomIPv6" => Outcome::near(
            lenient(Kind::Ip),
            "equal networks stay equal; the subnet is not taken, as addresses come from the key",
        ),
        "RandomMac" | "RandomMacAddress" => {
            let keeps = params.flag("keep_original_vendor", false);
            let mac = lenient(Kind::Mac);
            drawn(if keeps {
                mac.with("keep_vendor", true)
            } else {
                mac
            })
        }
        "RandomDomainName" => drawn(lenient(Kind::Url).with("part", "domain")),
        "RandomURL" => drawn(lenient(Kind::Url)),
        "RandomCCNumber" => drawn(lenient(Kind::CreditCard)),
        "RandomCCType" => drawn(choice(&[
            "Visa".to_owned(),
            "Mastercard".to_owned(),
            "American Express".to_owned(),
            "Discover".to_owned(),
        ])),
        "RandomCurrency" => drawn(choice(&words("EUR USD GBP JPY CHF CAD AUD BRL INR CNY"))),
        "RandomTimezone" => drawn(choice(&words(
            "UTC Europe/Paris Europe/London America/New_York America/Sao_Paulo Asia/Tokyo",
        ))),
        "RandomMonthName" => drawn(choice(&words(
            "January February March April May June July August September October November December",
        ))),
        "RandomDayOfWeek" => drawn(choice(&words(
            "Monday Tuesday Wednesday Thursday Friday Saturday Sunday",
        ))),
        "RandomDayOfMonth" => listed(spread::whole(1, 31), params),
        "RandomYearString" => listed(spread::whole(1970, 2025), params),
        "RandomCentury" => drawn(choice(&words("XV XVI XVII XVIII XIX XX XXI"))),
        "RandomWord" | "RandomSentence" | "RandomParagraph" => Outcome::near(
            mask(Kind::Lorem),
            "in the shape of the text that was there: as long, with as many words",
        ),
        "Cmd" | "RegexpReplace" | "Template" | "TemplateRecord" => {
            return Outcome::missing("no expression, pattern or program of a profile is run");
        }
        _ => return Outcome::missing("no strategy does what this transformer does"),
    };
    if params.flag("keep_null", true) || facts.not_null {
        outcome
    } else {
        outcome.but("NULL stays NULL")
    }
}

/// What differs in everything that is drawn.
fn why_drawn(params: &Given<'_>) -> &'static str {
    match params.text("engine") {
        Some("hash" | "deterministic") => "drawn from the value, by another key than there",
        _ => "drawn by the masking key from the value: equal values stay equal",
    }
}

fn listed(values: Option<Vec<String>>, params: &Given<'_>) -> Outcome {
    match values {
        Some(values) => Outcome::near(
            choice(&values),
            format!(
                "{}; at most a hundred values, spread over the range",
                why_drawn(params)
            ),
        ),
        None => Outcome::missing("its range is not read here"),
    }
}

fn words(text: &str) -> Vec<String> {
    text.split(' ').map(str::to_owned).collect()
}

/// Whether a parameter is a template, which is not computed here.
fn is_template(text: &str) -> bool {
    text.contains("{{")
}

fn replace(params: &Given<'_>, facts: &Facts<'_>) -> Outcome {
    let Some(value) = params.text("value").filter(|value| !is_template(value)) else {
        return Outcome::missing("its value is no constant");
    };
    let outcome = Outcome::exact(Mask::new(Kind::Constant).with("replacement", value));
    if params.flag("keep_null", true) || facts.not_null {
        outcome
    } else {
        outcome.but("NULL stays NULL, where there it became the constant")
    }
}

/// Digests of theirs are no pseudonyms: nothing is secret but the salt, if that is.
fn hash(params: &Given<'_>) -> Outcome {
    let Some(salt) = params
        .text("salt")
        .filter(|salt| !salt.is_empty() && !is_template(salt))
    else {
        return Outcome::near(
            Mask::new(Kind::Hash),
            "a digest under the masking key; the salt there is not in the document",
        );
    };
    let mut mask = Mask::new(Kind::SaltedHash)
        .with("compatible", "greenmask")
        .with("compatible_salt", salt);
    let function = params.text("function");
    if let Some(function) = function {
        mask = mask.with("compatible_function", function);
    }
    if let Some(length) = params.whole("max_length").filter(|length| *length > 0) {
        mask = mask.with("length", length);
    }
    match function {
        Some(_) => Outcome::Masked {
            mask,
            meaning: crate::migration::Meaning::Exact,
            why: "the digits there, without a key: who knows the salt can try values, so take `hash` \
                  where nothing must be joined with what was masked before"
                .to_owned(),
        },
        None => Outcome::near(
            mask,
            "the digits of version 0.2, without a key, if no function is named there by default",
        ),
    }
}

fn dict(params: &Given<'_>, facts: &Facts<'_>) -> Outcome {
    const NULL: &str = "\\N";
    let Some(pairs) = params.pairs("values") else {
        return Outcome::missing("its values are no constants");
    };
    let (of_null, pairs): (Vec<_>, Vec<_>) = pairs.into_iter().partition(|(from, _)| from == NULL);
    let keeps_null = of_null.iter().all(|(_, to)| to == NULL) && !of_null.is_empty();
    let default = params.text("default");
    let to_null = pairs.iter().any(|(_, to)| to == NULL);
    if to_null || default.is_some_and(is_template) {
        return Outcome::missing("`map` writes no NULL for a single value");
    }
    let pairs: BTreeMap<String, Value> = pairs
        .into_iter()
        .map(|(from, to)| (from, Value::from(to)))
        .collect();
    let mask = Mask::new(Kind::Map).with("pairs", Value::Map(pairs));
    let mask = match default {
        Some(NULL) => mask.with("on_miss", "null"),
        Some(default) => mask.with("on_miss", "fallback").with("fallback", default),
        None if params.flag("fail_not_matched", true) => mask,
        None => mask.with("on_miss", "keep"),
    };
    // There values are compared as the server writes them, so `t` is true, and 1.50 is not 1.5.
    let is_written_alike = matches!(
        facts.shape,
        Shape::Text | Shape::Integer | Shape::Uuid | Shape::Enum
    );
    let outcome = Outcome::exact(mask);
    if !is_written_alike {
        outcome.but("values are compared by their type; the same for text, whole numbers and uuids")
    } else if facts.not_null || keeps_null {
        outcome
    } else {
        outcome.but("NULL stays NULL; there it was looked up as \\N")
    }
}

fn masking(kind: &str) -> Outcome {
    let mask = Mask::new(Kind::Mask);
    let mask = match kind {
        "password" => mask.with("pad_to", 12i64),
        "name" => mask.with("keep_first", 1i64),
        "addr" | "id" => mask.with("keep_first", 6i64),
        "email" => mask.with("keep", "email_domain").with("keep_first", 3i64),
        "mobile" | "tel" => mask.with("keep_first", 4i64).with("keep_last", 3i64),
        "credit_card" => mask.with("keep_first", 6i64).with("keep_last", 4i64),
        "url" => mask.with("keep_first", 8i64),
        "default" | "postcode" => mask.with("keep_separators", false),
        _ => return Outcome::missing("no strategy does what this type of masking does"),
    };
    Outcome::near(
        mask,
        "other characters may be shown than there, and never more than half of a value",
    )
}

fn email(params: &Given<'_>) -> Outcome {
    let keeps = params.flag("keep_original_domain", false);
    let mask = Mask::new(Kind::Email);
    let mask = if keeps {
        mask.with("preserve_domain", true)
    } else {
        mask
    };
    Outcome::near(
        mask,
        format!(
            "{}, at a reserved domain unless the domain is kept",
            why_drawn(params)
        ),
    )
}

fn noise(params: &Given<'_>) -> Outcome {
    let ratio = params
        .number("max_ratio")
        .or_else(|| params.number("ratio"));
    let Some(ratio) = ratio.filter(|ratio| ratio.is_finite() && *ratio != 0.0) else {
        return Outcome::missing("its ratio is not read here");
    };
    let mut mask = Mask::new(Kind::Noise).with("ratio", ratio.abs().clamp(0.000_001, 1.0));
    for bound in ["min", "max"] {
        if let Some(number) = params.number(bound).filter(|number| number.is_finite()) {
            mask = mask.with(bound, number);
        }
    }
    Outcome::near(
        mask,
        "equal values move alike, and may move by less than the least there",
    )
}

fn noise_date(params: &Given<'_>, shape: Shape) -> Outcome {
    let distance = params.text("max_ratio").or_else(|| params.text("ratio"));
    let Some(seconds) = distance.and_then(spread::seconds) else {
        return Outcome::missing("its distance is not read here");
    };
    let days = (seconds / 86_400).max(1);
    let why = "equal values move alike; nothing is cut off";
    let noise = |amount: i64| Outcome::near(Mask::new(Kind::Noise).with("amount", amount), why);
    match shape {
        Shape::Date => noise(days),
        Shape::Timestamp => noise(seconds),
        Shape::Unknown => Outcome::near(
            Mask::new(Kind::DateShift).with("max_days", days.min(36_500)),
            "by whole days, as the type of the column is not known here; equal values move alike",
        ),
        _ => Outcome::missing("the column is no date and no timestamp"),
    }
}

/// Operations on a document: `set` and `delete` of plain paths.
fn json(params: &Given<'_>) -> Outcome {
    let mut paths = BTreeMap::new();
    for operation in params.list("operations") {
        let text = |key: &str| operation.get(key).and_then(Tree::text);
        let Some(path) = text("path").and_then(path) else {
            return Outcome::missing("one of its paths is more than names and numbers");
        };
        let action = match text("operation") {
            Some("delete") => Value::from("drop"),
            Some("set") => match text("value") {
                Some(value) if operation.get("value_template").is_none() => Value::Map(
                    [
                        ("type".to_owned(), Value::from("constant")),
                        (
                            "config".to_owned(),
                            Value::Map([("replacement".to_owned(), Value::from(value))].into()),
                        ),
                    ]
                    .into(),
                ),
                _ => return Outcome::missing("it sets what is no constant"),
            },
            _ => return Outcome::missing("it does what is neither set nor delete"),
        };
        paths.insert(path, action);
    }
    if paths.is_empty() {
        return Outcome::missing("it has no operations");
    }
    Outcome::near(
        Mask::new(Kind::Json)
            .with("paths", Value::Map(paths))
            .with("unlisted", "keep"),
        "what is not there is not made, and what is set is a text; everything else stays in clear, as \
         there",
    )
}

/// `a.b.0` as `$.a.b[0]`.
fn path(text: &str) -> Option<String> {
    let mut path = "$".to_owned();
    for part in text.split('.') {
        let is_name = part.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_')
            && part.chars().all(|c| c.is_ascii_alphanumeric() || c == '_');
        if is_name {
            path.push_str(&format!(".{part}"));
        } else {
            path.push_str(&format!("[{}]", part.parse::<u16>().ok()?));
        }
    }
    Some(path)
}
