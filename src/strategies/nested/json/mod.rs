//! `json`: strategies for the parts of a document, by path.
//!
//! Every path names what becomes of the part it leads to; what no path leads to is replaced by a
//! neutral value of its type, or dropped, unless the parameter `unlisted` says otherwise. A value
//! in a document gets the pseudonym that it has in a column. Names of members are structure and
//! stay, unless a path leads to them. Paths are a subset of JSONPath (RFC 9535), documents are those
//! of RFC 8259 and hstore.

use std::borrow::Cow;

use crate::error::{self, Error, Result};
use crate::strategies::definition::{
    Apply, Definition, ENTITY, InputSpec, LONGEST_READ, Needs, Parsed, Properties, Row, Seed,
    Subkeys, mismatch, outside,
};
use crate::strategies::nested::path::{Label, Step};
use crate::strategies::nested::rules::{Follower, PATHS, Rules, UNLISTED};
use crate::strategies::nested::scalar::{Act, TYPES, nameless};
use crate::strategies::nested::walk::walk;
use crate::strategies::nested::{Spec, hstore};
use crate::strategies::params::{ParamError, ParamKind, ParamSpec, Reader};
use crate::strategies::pause::paced;
use crate::strategies::prose::{EMAILS, NAMES};
use crate::strategies::{Datum, Strategy, ValueType};

/// `json` in the list of strategies.
///
/// # Examples
///
/// ```
/// use confiture::strategies::{Kind, Params, Seed, Strategy, Subkeys, Value, ValueType};
///
/// let params = Params::from([
///     (
///         "paths".to_owned(),
///         Value::Map([("$.email".to_owned(), "email".into())].into()),
///     ),
///     ("unlisted".to_owned(), Value::from("keep")),
/// ]);
/// let keys = Subkeys::new(&[7; 32], &[8; 32]);
/// let strategy = Strategy::new(Kind::Json, &params)?;
/// let mask = strategy.mask(&keys, Seed::new(1), ValueType::Text)?;
/// let made = mask.text(r#"{"email": "ada@work.example", "visits": 7}"#)?;
/// assert!(made.contains("@example.com") && made.contains(r#""visits": 7"#));
/// # Ok::<(), confiture::error::Error>(())
/// ```
pub const DEFINITION: Definition = Definition {
    name: "json",
    version: 1,
    about: "Document whose parts are masked by path",
    accepts: &[
        ValueType::Hstore,
        ValueType::Json,
        ValueType::Jsonb,
        ValueType::Text,
    ],
    params: PARAMS,
    inputs: INPUTS,
    needs: Needs::Key,
    refuses: true,
    example: r#"anon_json('{"email": "ada@work.example"}', paths => '{"$.email": "email"}')"#,
    sample: r#"{"paths": {"$.a": "redact"}}"#,
    parse: |reader| Ok(Box::new(Json::new(reader)?)),
};

/// The parameters of `json`, checked.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Json {
    rules: Rules,
}

impl Json {
    fn new(reader: &Reader<'_>) -> Result<Self, ParamError> {
        let rules = Rules::new(reader)?;
        for (place, action) in rules.actions() {
            let Some(spec) = action.spec() else { continue };
            if spec.strategy().salt().is_some() {
                let param = if place == UNLISTED { UNLISTED } else { PATHS };
                let detail = format!("At {place}: a part of a document has no salt; use hash.");
                return Err(reader.invalid(param, detail));
            }
            if !TYPES.iter().any(|of| spec.strategy().accepts(*of)) {
                let name = spec.strategy().kind().name();
                let param = if place == UNLISTED { UNLISTED } else { PATHS };
                let detail =
                    format!("At {place}: strategy \"{name}\" takes nothing that JSON has.");
                return Err(reader.invalid(param, detail));
            }
        }
        Ok(Self { rules })
    }

    fn specs(&self) -> impl Iterator<Item = &Spec> {
        self.rules.actions().filter_map(|(_, action)| action.spec())
    }

    /// Whether something holds of a part, for some type of its values.
    fn any(&self, has: impl Fn(Properties) -> bool) -> bool {
        self.specs().any(|spec| {
            let strategy = spec.strategy();
            let mut types = TYPES.iter().filter(|of| strategy.accepts(**of));
            types.any(|of| has(strategy.properties(*of)))
        })
    }
}

impl Parsed for Json {
    fn properties(&self, _: ValueType) -> Properties {
        Properties {
            deterministic: !self.any(|part| !part.deterministic),
            keyed: self.any(|part| part.keyed),
            folds_spellings: self.any(|part| part.folds_spellings),
            keeps_format: true,
            collision_bits: Some(0),
            ..Properties::NONE
        }
    }

    fn output_limit(&self, _: Option<usize>) -> Option<usize> {
        None
    }

    fn parts(&self) -> Vec<&Strategy> {
        self.specs().map(Spec::strategy).collect()
    }

    fn compile(&self, keys: &Subkeys<'_>, seed: Seed, of: ValueType) -> Result<Box<dyn Apply>> {
        let acts = self
            .rules
            .actions()
            .map(|(_, action)| Act::new(action, INPUTS, keys, seed))
            .collect::<Result<Vec<_>>>()?;
        if of == ValueType::Hstore {
            self.check_hstore(&acts)?;
        }
        Ok(Box::new(Mask {
            follower: Follower::new(&self.rules),
            acts,
            of,
        }))
    }
}

impl Json {
    /// An hstore is flat, and its values are texts.
    fn check_hstore(&self, acts: &[Act]) -> Result<()> {
        let refuse = |place: &str, what: &str| {
            let message = format!("path {place} does not fit type hstore");
            Err(Error::new(error::Kind::InvalidParameter, message).with_detail(what))
        };
        for (path, _) in self.rules.paths() {
            if !matches!(path.segments(), [one] if !matches!(one.step, Step::Index(_))) {
                return refuse(
                    &path.to_string(),
                    "An hstore has keys and nothing below them.",
                );
            }
        }
        for ((place, _), act) in self.rules.actions().zip(acts) {
            if matches!(act, Act::Mask(masks) if !masks.takes_text()) {
                return refuse(
                    &place,
                    "The values of an hstore are texts, which its strategy does not take.",
                );
            }
        }
        Ok(())
    }
}

/// `json` with its keys.
struct Mask {
    follower: Follower,
    acts: Vec<Act>,
    of: ValueType,
}

impl Apply for Mask {
    fn longest(&self) -> usize {
        LONGEST_READ
    }

    fn apply<'a>(&self, value: Datum<'a>, row: Row<'_>) -> Result<Option<Datum<'a>>> {
        Ok(Some(match value {
            Datum::Json(text) => Datum::Json(self.document(text, row)?),
            Datum::Text(text) => Datum::Text(self.document(text, row)?),
            Datum::Hstore(text) => Datum::Hstore(self.hstore(&text, row)?.into()),
            _ => return Err(mismatch(DEFINITION.name, self.of)),
        }))
    }
}

impl Mask {
    fn document<'a>(&self, text: Cow<'a, str>, row: Row<'_>) -> Result<Cow<'a, str>> {
        if text.trim_ascii().is_empty() {
            let message = format!("value for strategy \"{}\" is blank", DEFINITION.name);
            return Err(Error::new(error::Kind::Blank, message).with_detail("It is no document."));
        }
        match text {
            Cow::Borrowed(text) => walk(text, &self.follower, &self.acts, row),
            Cow::Owned(text) => {
                let walked = walk(&text, &self.follower, &self.acts, row)?;
                Ok(Cow::Owned(walked.into_owned()))
            }
        }
    }

    fn hstore(&self, text: &str, row: Row<'_>) -> Result<String> {
        let pairs = hstore::read(text).ok_or_else(|| {
            outside(
                DEFINITION.name,
                "not an hstore",
                "It is not in the text form of hstore.",
            )
        })?;
        let inputs: Vec<_> = self.acts.iter().map(|act| act.inputs(row)).collect();
        let mut states = Vec::new();
        self.follower.start(&mut states);
        let root = states.len();
        let mut out = String::with_capacity(text.len());
        for pair in paced(pairs.into_iter()) {
            let label = Label::Key(&pair.key);
            let arrived = self.follower.step(&mut states, 0..root, label);
            states.truncate(root);
            let act = arrived.value.map_or(0, |place| place + 1);
            let value = match (&self.acts[act], pair.value) {
                (Act::Drop, _) => continue,
                (Act::Null, _) | (Act::Mask(_), None) => None,
                (Act::Keep, value) => value,
                (Act::Mask(masks), Some(value)) => {
                    let masked = masks.text(&value, Row(&inputs[act]))?;
                    masked.map(|masked| Cow::Owned(masked.into_owned()))
                }
            };
            let name = arrived.name.map(|place| place + 1);
            let key = match name.map(|act| (&self.acts[act], &inputs[act])) {
                Some((Act::Mask(masks), inputs)) => {
                    masks.text(&pair.key, Row(inputs))?.ok_or_else(nameless)?
                }
                _ => Cow::Borrowed(&*pair.key),
            };
            hstore::push_pair(&key, value.as_deref(), &mut out);
        }
        Ok(out)
    }
}

const INPUTS: &[InputSpec] = &[ENTITY, NAMES, EMAILS];

const PARAMS: &[ParamSpec] = &[
    ParamSpec::optional(
        PATHS,
        ParamKind::Map,
        "What becomes of the parts: by path keep, drop, null or a strategy.",
    ),
    ParamSpec::new(
        UNLISTED,
        ParamKind::Text,
        "redact",
        "What becomes of every other scalar: keep, drop, null or the type of a strategy.",
    ),
];

#[cfg(test)]
mod tests;
