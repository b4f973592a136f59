//! What an action makes of one scalar of a document.
//!
//! A string is masked as text, a number as bigint, else numeric, else double precision, a boolean
//! as boolean; what a strategy does not take in that form it gets as text. So a value in a document
//! and the same value in a column share one pseudonym. A strategy of dates, which takes no text,
//! gets strings that are written like dates (`instant.rs`). Null stays null. The type in the
//! document stays as well: an output that cannot be written as a number or a boolean is an error,
//! or what `on_error` of the strategy says; only `constant` may put a string in the place of a
//! number.

use std::borrow::Cow;
use std::fmt::Write;

use super::instant::Instant;
use super::number;
use super::spec::{Action, Spec};
use super::token;
use crate::error::{self, Error, Result};
use crate::strategies::definition::{Input, InputSpec, mismatch, outside};
use crate::strategies::mask::{OnError, REDACTED};
use crate::strategies::{Datum, Kind, Mask, Row, Seed, Subkeys, ValueType};

/// An action with its keys.
pub(super) enum Act {
    Keep,
    Drop,
    Null,
    Mask(Box<Masks>),
}

impl Act {
    /// Adds the keys; `outer` is what the document's strategy reads of the row.
    pub(super) fn new(
        action: &Action,
        outer: &[InputSpec],
        keys: &Subkeys<'_>,
        seed: Seed,
    ) -> Result<Self> {
        Ok(match action {
            Action::Keep => Self::Keep,
            Action::Drop => Self::Drop,
            Action::Null => Self::Null,
            Action::Mask(spec) => Self::Mask(Box::new(Masks::new(spec, outer, keys, seed)?)),
        })
    }

    /// Picks what the strategy reads of the row out of what is given for the document.
    pub(super) fn inputs<'a>(&self, row: Row<'a>) -> Vec<Input<'a>> {
        let Self::Mask(masks) = self else {
            return Vec::new();
        };
        let pick = |place: &Option<usize>| {
            let input = place.and_then(|place| row.0.get(place));
            input.cloned().unwrap_or(Input::None)
        };
        masks.inputs.iter().map(pick).collect()
    }
}

/// The types a scalar may be masked as.
pub(super) const TYPES: [ValueType; 9] = [
    ValueType::Text,
    ValueType::Int64,
    ValueType::Numeric,
    ValueType::Float64,
    ValueType::Bool,
    ValueType::Jsonb,
    ValueType::Date,
    ValueType::Timestamp,
    ValueType::Timestamptz,
];

/// One strategy, for each type it takes.
pub(super) struct Masks {
    name: &'static str,
    on_error: OnError,
    /// Has something neutral for every type.
    redacts: bool,
    /// May change the type.
    free: bool,
    /// Writes as many digits after the point as it reads.
    follows_scale: bool,
    text: Option<Mask>,
    int: Option<Mask>,
    numeric: Option<Mask>,
    float: Option<Mask>,
    bool: Option<Mask>,
    /// Takes objects and arrays as a whole.
    json: Option<Mask>,
    /// Dates and points in time, where there is none for texts.
    instants: Vec<Mask>,
    inputs: Vec<Option<usize>>,
}

impl Masks {
    fn new(spec: &Spec, outer: &[InputSpec], keys: &Subkeys<'_>, seed: Seed) -> Result<Self> {
        let kind = spec.strategy().kind();
        let mut refused = None;
        let mut of = |of: ValueType| {
            if !spec.strategy().accepts(of) || of == ValueType::Jsonb && kind != Kind::Json {
                return Ok(None);
            }
            match spec.mask(keys, seed, of) {
                Ok(mask) => Ok(Some(mask)),
                Err(error) if error.kind() == error::Kind::NotReady => Err(error),
                Err(error) => {
                    refused.get_or_insert(error);
                    Ok(None)
                }
            }
        };
        let text = of(ValueType::Text)?;
        let mut instants = Vec::new();
        if text.is_none() {
            for one in ValueType::TIMES {
                instants.extend(of(*one)?);
            }
        }
        let place = |spec: &InputSpec| outer.iter().position(|outer| outer.name == spec.name);
        let masks = Self {
            name: kind.name(),
            on_error: spec.strategy().on_error,
            redacts: kind == Kind::Redact,
            free: kind.name() == "constant",
            follows_scale: spec.strategy().properties(ValueType::Numeric).follows_scale,
            text,
            int: of(ValueType::Int64)?,
            numeric: of(ValueType::Numeric)?,
            float: of(ValueType::Float64)?,
            bool: of(ValueType::Bool)?,
            json: of(ValueType::Jsonb)?,
            instants,
            inputs: kind.definition().inputs.iter().map(place).collect(),
        };
        let some = [
            &masks.text,
            &masks.int,
            &masks.numeric,
            &masks.float,
            &masks.bool,
            &masks.json,
        ];
        if masks.instants.is_empty() && some.iter().all(|mask| mask.is_none()) {
            return Err(refused.unwrap_or_else(|| mismatch(masks.name, ValueType::Json)));
        }
        Ok(masks)
    }

    pub(super) fn takes_text(&self) -> bool {
        self.text.is_some() || !self.instants.is_empty()
    }

    pub(super) fn takes_documents(&self) -> bool {
        self.json.is_some()
    }

    /// Masks a text; `None` stands for null.
    pub(super) fn text<'a>(&self, value: &'a str, row: Row<'_>) -> Result<Option<Cow<'a, str>>> {
        let Some(mask) = &self.text else {
            return self.instant(value, row);
        };
        match mask.apply(Datum::text(value), row)? {
            Some(Datum::Text(text)) => Ok(Some(text)),
            None => Ok(None),
            Some(_) => Err(wrong_type(self.name)),
        }
    }

    /// Masks a text that says a date or a point in time.
    fn instant<'a>(&self, value: &'a str, row: Row<'_>) -> Result<Option<Cow<'a, str>>> {
        let read = Instant::read(value);
        let mask = |of: ValueType| self.instants.iter().find(|mask| mask.value_type() == of);
        if let Some(read) = &read
            && let Some(mask) = mask(read.of)
        {
            match mask
                .apply(read.value.clone(), row)?
                .map(|masked| read.write(&masked))
            {
                None => return Ok(None),
                Some(Some(written)) => return Ok(Some(written)),
                Some(None) => {}
            }
        }
        let what = match (self.instants.is_empty(), read) {
            (true, _) => "takes no string",
            (false, None) => {
                "takes no string but dates in the form 2024-02-29 or \
                              2024-02-29T13:05:00Z"
            }
            (false, Some(_)) => "takes no such date",
        };
        Ok(match self.misfit(what)? {
            OnError::Redact => Some(Cow::Borrowed(REDACTED)),
            OnError::Error | OnError::Null => None,
        })
    }

    /// Masks a string and writes it; false if it stays as it is and nothing was written.
    pub(super) fn string(&self, value: &str, row: Row<'_>, out: &mut String) -> Result<bool> {
        match self.text(value, row)? {
            Some(masked) if masked == value => return Ok(false),
            Some(masked) => token::push_string(&masked, out),
            None => out.push_str("null"),
        }
        Ok(true)
    }

    /// Masks the name of a member and writes it, as [`Self::string`].
    pub(super) fn name(&self, value: &str, row: Row<'_>, out: &mut String) -> Result<bool> {
        let masked = self.text(value, row)?.ok_or_else(nameless)?;
        if masked == value {
            return Ok(false);
        }
        token::push_string(&masked, out);
        Ok(true)
    }

    /// Masks a number and writes it.
    pub(super) fn number(&self, value: &str, row: Row<'_>, out: &mut String) -> Result<()> {
        if let (Some(mask), Some(number)) = (&self.int, self.whole(value)) {
            return self.write_number(mask.apply(Datum::Int(number), row)?, out);
        }
        if let (Some(mask), Some(number)) = (&self.numeric, number::plain(value)) {
            return self.write_number(mask.apply(Datum::Numeric(number), row)?, out);
        }
        let float = || {
            value
                .parse::<f64>()
                .ok()
                .filter(|number| number.is_finite())
        };
        if let (Some(mask), Some(number)) = (&self.float, float()) {
            return self.write_number(mask.apply(Datum::Float(number), row)?, out);
        }
        if self.json.is_some() {
            return self.document(value, row, out);
        }
        match &self.text {
            Some(mask) if !self.redacts => {
                let text = number::canonical(value);
                self.write_number(mask.apply(Datum::text(&*text), row)?, out)
            }
            _ => self.unfit("takes no such number", "0", out),
        }
    }

    /// The integer that a number is masked as. 1.00 is 1, and jsonb holds the two to be equal; but
    /// what writes as many digits as it reads gets them as they are.
    fn whole(&self, value: &str) -> Option<i64> {
        if let Ok(number) = value.parse() {
            return Some(number);
        }
        let as_written = self.numeric.is_some() && self.follows_scale;
        (!as_written)
            .then(|| number::canonical(value).parse().ok())
            .flatten()
    }

    fn write_number(&self, masked: Option<Datum<'_>>, out: &mut String) -> Result<()> {
        const WHAT: &str = "gives no number";
        // Writing into a string does not fail.
        let _ = match masked {
            None => write!(out, "null"),
            Some(Datum::Int(number)) => write!(out, "{number}"),
            Some(Datum::Float(number)) if number.is_finite() => write!(out, "{number}"),
            Some(Datum::Numeric(text) | Datum::Text(text)) if number::is_number(&text) => {
                write!(out, "{text}")
            }
            Some(Datum::Text(text)) if self.free => {
                token::push_string(&text, out);
                Ok(())
            }
            Some(_) => return self.unfit(WHAT, "0", out),
        };
        Ok(())
    }

    /// Masks a boolean and writes it.
    pub(super) fn boolean(&self, value: bool, row: Row<'_>, out: &mut String) -> Result<()> {
        let text = if value { "true" } else { "false" };
        let masked = if let Some(mask) = &self.bool {
            mask.apply(Datum::Bool(value), row)?
        } else if self.json.is_some() {
            return self.document(text, row, out);
        } else {
            match &self.text {
                Some(mask) if !self.redacts => mask.apply(Datum::text(text), row)?,
                _ => return self.unfit("takes no boolean", "false", out),
            }
        };
        match masked {
            None => out.push_str("null"),
            Some(Datum::Bool(true)) => out.push_str("true"),
            Some(Datum::Bool(false)) => out.push_str("false"),
            Some(Datum::Text(text)) if text == "true" || text == "false" => out.push_str(&text),
            Some(Datum::Text(text)) if self.free => token::push_string(&text, out),
            Some(_) => return self.unfit("gives no boolean", "false", out),
        }
        Ok(())
    }

    /// Masks a part as a document of its own.
    pub(super) fn document(&self, value: &str, row: Row<'_>, out: &mut String) -> Result<()> {
        let masked = match &self.json {
            Some(mask) => mask.apply(Datum::Json(Cow::Borrowed(value)), row)?,
            None => return self.unfit("takes no document", "null", out),
        };
        match masked {
            None => out.push_str("null"),
            Some(Datum::Json(text)) => out.push_str(&text),
            Some(_) => return Err(wrong_type(self.name)),
        }
        Ok(())
    }

    /// Writes what stands in place of a scalar that the strategy has nothing for.
    fn unfit(&self, what: &str, neutral: &str, out: &mut String) -> Result<()> {
        out.push_str(match self.misfit(what)? {
            OnError::Redact => neutral,
            OnError::Error | OnError::Null => "null",
        });
        Ok(())
    }

    fn misfit(&self, what: &str) -> Result<OnError> {
        if self.redacts {
            return Ok(OnError::Redact);
        }
        if self.on_error != OnError::Error {
            return Ok(self.on_error);
        }
        let detail = format!("Strategy \"{}\" {what}.", self.name);
        let error = outside(
            Kind::Json.name(),
            "of a type that its part cannot have",
            detail,
        );
        Err(error.with_hint("Choose another strategy for the part, or give this one \"on_error\"."))
    }
}

/// A name cannot be null.
pub(super) fn nameless() -> Error {
    let detail = "The strategy for the names of its members gave null.";
    outside(Kind::Json.name(), "without a name for a member", detail)
}

fn wrong_type(name: &str) -> Error {
    let message = format!("strategy \"{name}\" gave a value of another type");
    Error::new(error::Kind::Internal, message)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::strategies::{Strategy, Value, listing};

    fn masks(kind: &str) -> Masks {
        masks_with(kind, &[])
    }

    fn masks_with(kind: &str, config: &[(&str, Value)]) -> Masks {
        let config = config.iter().map(|(k, v)| ((*k).to_owned(), v.clone()));
        let spec = Value::Map(
            [
                ("type".to_owned(), Value::from(kind)),
                ("config".to_owned(), Value::Map(config.collect())),
            ]
            .into(),
        );
        let keys = Subkeys::new(&[7; 32], &[8; 32]);
        Masks::new(&Spec::new(&spec).unwrap(), &[], &keys, Seed::new(1)).unwrap()
    }

    fn made(masks: &Masks, value: &str) -> Result<String> {
        let mut out = String::new();
        masks.number(value, Row::NONE, &mut out)?;
        Ok(out)
    }

    fn boolean(masks: &Masks, value: bool) -> Result<String> {
        let mut out = String::new();
        masks.boolean(value, Row::NONE, &mut out)?;
        Ok(out)
    }

    #[test]
    fn scalar_numbers_are_masked_as_columns_are() {
        let keys = Subkeys::new(&[7; 32], &[8; 32]);
        let hash = Spec::new(&"hash".into()).unwrap();
        let column = hash.mask(&keys, Seed::new(1), ValueType::Int64).unwrap();
        let masked = made(&masks("hash"), "42").unwrap();
        assert_eq!(masked, column.int(42).unwrap().to_string());
        assert_eq!(
            made(&masks("hash"), "-0").unwrap(),
            column.int(0).unwrap().to_string()
        );
    }

    #[test]
    fn scalar_numbers_that_are_equal_are_masked_equally() {
        let keys = Subkeys::new(&[7; 32], &[8; 32]);
        let equal = [
            ["1", "1.0", "1.00", "1e0", "10e-1"],
            ["0", "-0", "0.0", "-0.00", "0e7"],
            ["-20", "-20.000", "-2e1", "-2.0E+1", "-200e-1"],
            ["1.5", "1.50", "15e-1", "0.15e1", "1.500"],
        ];
        for kind in Kind::ALL {
            let strategy = Strategy::new(*kind, &listing::sample(*kind)).unwrap();
            let params = Value::Map(strategy.effective_params().clone());
            let spec = [("type", kind.name().into()), ("config", params)];
            let spec = spec.map(|(name, value)| (name.to_owned(), value));
            // Some are no part of a document, and some take nothing that it has.
            let spec = Spec::new(&Value::Map(spec.into()));
            let masks = spec.map(|spec| Masks::new(&spec, &[], &keys, Seed::new(1)));
            let Ok(Ok(masks)) = masks else {
                continue;
            };
            let properties = strategy.properties(ValueType::Numeric);
            if properties.follows_scale || !properties.deterministic {
                continue;
            }
            for spellings in equal {
                let made = spellings.map(|number| {
                    made(&masks, number).map(|made| number::canonical(&made).into_owned())
                });
                assert!(
                    made.iter().all(|other| *other == made[0]),
                    "{kind:?} {made:?}"
                );
            }
        }
        let masks = masks_with("noise", &[]);
        assert!(made(&masks, "1200.00").unwrap().contains('.'));
    }

    #[test]
    fn scalar_types_stay() {
        let email = masks("email");
        for value in ["42", "1.5", "1e400"] {
            let refused = made(&email, value).unwrap_err();
            assert_eq!(
                refused.detail(),
                Some("Strategy \"email\" gives no number.")
            );
            assert!(refused.is_about_the_value());
        }
        assert!(boolean(&email, true).is_err());
        let null = masks_with("email", &[("on_error", "null".into())]);
        assert_eq!(made(&null, "42").unwrap(), "null");
        assert_eq!(boolean(&null, true).unwrap(), "null");
        let redact = masks_with("email", &[("on_error", "redact".into())]);
        assert_eq!(made(&redact, "42").unwrap(), "0");
        assert_eq!(boolean(&redact, true).unwrap(), "false");
    }

    #[test]
    fn scalar_redact_has_something_for_every_type() {
        let redact = masks("redact");
        let mut out = String::new();
        assert!(redact.string("Ada", Row::NONE, &mut out).unwrap());
        assert_eq!(out, "\"[REDACTED]\"");
        for value in ["42", "1.5", "1e400", "99999999999999999999"] {
            assert_eq!(made(&redact, value).unwrap(), "0");
        }
        assert_eq!(boolean(&redact, true).unwrap(), "false");
    }

    #[test]
    fn scalar_documents_are_taken_by_json_alone() {
        assert!(masks("json").takes_documents());
        for kind in Kind::ALL.iter().filter(|kind| **kind != Kind::Json) {
            let spec = Spec::new(&kind.name().into());
            let keys = Subkeys::new(&[7; 32], &[8; 32]);
            let masks = spec.map(|spec| Masks::new(&spec, &[], &keys, Seed::new(1)));
            assert!(!matches!(masks, Ok(Ok(masks)) if masks.takes_documents()));
        }
        assert_eq!(made(&masks("json"), "42").unwrap(), "0");
        assert_eq!(boolean(&masks("json"), true).unwrap(), "false");
    }
}
