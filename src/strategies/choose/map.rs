//! `map`: a dictionary from values to values, and what becomes of a value that is not in it.
//!
//! What is in the dictionary is written down in the profile, so it is no secret and depends on no
//! key. A value outside it is an error unless `on_miss` says otherwise; `keep` is the one case in
//! which a value passes unmasked, and must be written out. With `on_miss` `hash` the pseudonym is
//! exactly that of strategy `hash` with its defaults under the same key and seed.

use std::borrow::Cow;
use std::collections::BTreeMap;

use crate::error::{self, Error, Result};
use crate::strategies::canonical;
use crate::strategies::definition::{
    Apply, Definition, Needs, Parsed, Properties, Row, Seed, Subkeys, outside,
};
use crate::strategies::literal;
use crate::strategies::measure::origin::key;
use crate::strategies::params::{ParamError, ParamKind, ParamSpec, Params, Reader, Value};
use crate::strategies::{Datum, Kind, Mask as Nested, Strategy, ValueType};

/// `map` in the list of strategies.
///
/// # Examples
///
/// ```
/// use confiture::strategies::{Kind, Params, Seed, Strategy, Subkeys, Value, ValueType};
///
/// let params = Params::from([(
///     "pairs".to_owned(),
///     Value::Map([("gold".to_owned(), "A".into())].into()),
/// )]);
/// let keys = Subkeys::new(&[7; 32], &[8; 32]);
/// let strategy = Strategy::new(Kind::Map, &params)?;
/// let mask = strategy.mask(&keys, Seed::new(1), ValueType::Text)?;
/// assert_eq!(mask.text("gold")?, "A");
/// assert!(mask.text("bronze").is_err());
/// # Ok::<(), confiture::error::Error>(())
/// ```
pub const DEFINITION: Definition = Definition {
    name: "map",
    version: 1,
    about: "Value of a dictionary",
    accepts: &[
        ValueType::Bool,
        ValueType::Date,
        ValueType::Enum,
        ValueType::Int16,
        ValueType::Int32,
        ValueType::Int64,
        ValueType::Numeric,
        ValueType::Text,
        ValueType::Uuid,
    ],
    params: PARAMS,
    inputs: &[],
    needs: Needs::Key,
    refuses: true,
    example: "anon_map('gold', pairs => '{\"gold\": \"A\", \"silver\": \"B\"}')",
    sample: r#"{"pairs": {"a": "b"}}"#,
    parse: |reader| Ok(Box::new(Map::new(reader)?)),
};

/// The parameters of `map`, checked.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Map {
    values: BTreeMap<String, String>,
    on_miss: OnMiss,
    default: Option<String>,
    folds: bool,
    hash: Option<Strategy>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum OnMiss {
    Error,
    Null,
    Keep,
    Default,
    Hash,
}

impl Map {
    fn new(reader: &Reader<'_>) -> Result<Self, ParamError> {
        let on_miss = reader.word("on_miss", &ON_MISS)?;
        let default = reader.text_if_given("fallback");
        match (on_miss, default) {
            (OnMiss::Default, None) => {
                let detail = "With on_miss fallback it must be given.";
                return Err(reader.invalid("fallback", detail));
            }
            (OnMiss::Default, Some(_)) | (_, None) => {}
            (_, Some(_)) => {
                let detail = "It has a meaning with on_miss fallback alone.";
                return Err(reader.invalid("fallback", detail));
            }
        }
        let folds = reader.word("canonical", &CANONICALS)?;
        let given = reader
            .map("pairs")
            .map(BTreeMap::iter)
            .into_iter()
            .flatten();
        let mut values = BTreeMap::new();
        for (from, to) in given {
            let to = match to {
                Value::Bool(value) => value.to_string(),
                Value::Int(value) => value.to_string(),
                Value::Number(value) => value.get().to_string(),
                Value::Text(value) => value.clone(),
                Value::List(_) | Value::Map(_) => {
                    return Err(reader.invalid("pairs", "It must map texts to texts."));
                }
            };
            values.insert(from.clone(), to);
        }
        if !(1..=MOST).contains(&values.len()) {
            let detail = format!("It must have 1 to {MOST} entries.");
            return Err(reader.invalid("pairs", detail));
        }
        let pairs = values.iter();
        let pairs = pairs.map(|(from, to)| (from.clone(), Value::from(&**to)));
        reader.note("pairs", Value::Map(pairs.collect()));
        if folds {
            let mut folded = BTreeMap::new();
            for (from, to) in &values {
                let before = folded.insert(canonical::text(from), to);
                if before.is_some_and(|before| before != to) {
                    let detail = "Two spellings of one value lead to different values.";
                    return Err(reader.invalid("pairs", detail));
                }
            }
        }
        let hash = match on_miss {
            OnMiss::Hash => Some(Strategy::new(Kind::Hash, &Params::new())?),
            _ => None,
        };
        Ok(Self {
            values,
            on_miss,
            default: default.map(str::to_owned),
            folds,
            hash,
        })
    }

    /// The dictionary for values of a type.
    fn table(&self, of: ValueType) -> Result<BTreeMap<Vec<u8>, Datum<'static>>> {
        let mut table = BTreeMap::new();
        for (from, to) in &self.values {
            let mut from = literal::one(DEFINITION.name, "pairs", of, from)?;
            if let Datum::Text(text) = &from
                && self.folds
            {
                from = Datum::Text(Cow::Owned(canonical::text(text).into_owned()));
            }
            let to = literal::one(DEFINITION.name, "pairs", of, to)?;
            let before = table.insert(key(&from).into_owned(), to.clone());
            if before.is_some_and(|before| before != to) {
                let name = DEFINITION.name;
                let message =
                    format!("invalid value for parameter \"pairs\" of strategy \"{name}\"");
                let detail = "Two entries for the same value lead to different values.";
                let error = Error::new(error::Kind::InvalidParameter, message);
                return Err(error.with_detail(detail));
            }
        }
        Ok(table)
    }
}

impl Parsed for Map {
    fn properties(&self, of: ValueType) -> Properties {
        // One to one only where nothing but the dictionary answers, and no two answers are equal.
        let one_to_one = self.on_miss == OnMiss::Error
            && self.table(of).is_ok_and(|table| {
                let mut answers: Vec<_> = table.values().map(|to| key(to).into_owned()).collect();
                answers.sort_unstable();
                answers.windows(2).all(|pair| pair[0] != pair[1])
            });
        let folds = self.folds && matches!(of, ValueType::Enum | ValueType::Text);
        Properties {
            deterministic: true,
            injective: one_to_one && !folds,
            keyed: self.on_miss == OnMiss::Hash,
            folds_spellings: folds,
            collision_bits: Some(0),
            gives_null: self.on_miss == OnMiss::Null,
            ..Properties::NONE
        }
    }

    fn accepts(&self, of: ValueType) -> bool {
        self.hash.as_ref().is_none_or(|hash| hash.accepts(of))
    }

    fn instead(&self, _: ValueType) -> Option<&'static str> {
        Some("With on_miss hash it takes texts, integers and uuid; choose another on_miss.")
    }

    fn output_limit(&self, input_max_chars: Option<usize>) -> Option<usize> {
        let length = |text: &String| text.chars().count();
        let longest = self.values.values().map(length).max().unwrap_or(0);
        Some(match self.on_miss {
            OnMiss::Error | OnMiss::Null => longest,
            OnMiss::Keep => longest.max(input_max_chars?),
            OnMiss::Default => longest.max(self.default.as_ref().map_or(0, length)),
            OnMiss::Hash => longest.max(self.hash.as_ref()?.output_limit(input_max_chars)?),
        })
    }

    fn parts(&self) -> Vec<&Strategy> {
        self.hash.iter().collect()
    }

    fn compile(&self, keys: &Subkeys<'_>, seed: Seed, of: ValueType) -> Result<Box<dyn Apply>> {
        let default = self.default.as_ref();
        let default = default.map(|text| literal::one(DEFINITION.name, "fallback", of, text));
        let hash = self.hash.as_ref().map(|hash| hash.mask(keys, seed, of));
        Ok(Box::new(Mask {
            table: self.table(of)?,
            on_miss: self.on_miss,
            default: default.transpose()?,
            folds: self.folds,
            hash: hash.transpose()?,
        }))
    }
}

/// `map` for values of a type.
struct Mask {
    table: BTreeMap<Vec<u8>, Datum<'static>>,
    on_miss: OnMiss,
    default: Option<Datum<'static>>,
    folds: bool,
    hash: Option<Nested>,
}

impl Apply for Mask {
    fn apply<'a>(&self, value: Datum<'a>, row: Row<'_>) -> Result<Option<Datum<'a>>> {
        let found = match &value {
            Datum::Text(text) if self.folds => self.table.get(canonical::text(text).as_bytes()),
            value => self.table.get(&*key(value)),
        };
        if let Some(found) = found {
            return Ok(Some(found.clone()));
        }
        match (self.on_miss, &self.hash) {
            (OnMiss::Null, _) => Ok(None),
            (OnMiss::Keep, _) => Ok(Some(value)),
            (OnMiss::Default, _) => Ok(self.default.clone()),
            (OnMiss::Hash, Some(hash)) => hash.apply(value, row),
            (OnMiss::Error | OnMiss::Hash, _) => {
                let detail = format!("The dictionary has {} entries.", self.table.len());
                Err(outside(DEFINITION.name, "not in the dictionary", detail))
            }
        }
    }
}

const MOST: usize = 10_000;
const ON_MISS: [(&str, OnMiss); 5] = [
    ("error", OnMiss::Error),
    ("null", OnMiss::Null),
    ("keep", OnMiss::Keep),
    ("fallback", OnMiss::Default),
    ("hash", OnMiss::Hash),
];
const CANONICALS: [(&str, bool); 2] = [("exact", false), ("text", true)];

const PARAMS: &[ParamSpec] = &[
    ParamSpec::required(
        "pairs",
        ParamKind::Map,
        "What becomes of which value, 1 to 10000 entries in the text form of the type.",
    ),
    ParamSpec::new(
        "on_miss",
        ParamKind::Text,
        "error",
        "What becomes of any other value: error, null, keep (it stays in clear), fallback or hash.",
    ),
    ParamSpec::optional(
        "fallback",
        ParamKind::Text,
        "What is written with on_miss fallback.",
    ),
    ParamSpec::new(
        "canonical",
        ParamKind::Text,
        "exact",
        "exact looks a text up as it is, text trims, composes and lower-cases it first.",
    )
    .only(&[ValueType::Enum, ValueType::Text]),
];

#[cfg(test)]
mod tests {
    use super::*;

    fn dictionary(pairs: &[(&str, &str)]) -> (&'static str, Value) {
        let pairs = pairs
            .iter()
            .map(|&(from, to)| (from.to_owned(), Value::from(to)));
        ("pairs", Value::Map(pairs.collect()))
    }

    fn map(params: &[(&str, Value)]) -> Result<Strategy, ParamError> {
        let params = params.iter().map(|(k, v)| ((*k).to_owned(), v.clone()));
        Strategy::new(Kind::Map, &params.collect())
    }

    fn apply(
        params: &[(&str, Value)],
        of: ValueType,
        value: Datum<'static>,
    ) -> Result<Option<Datum<'static>>> {
        let keys = Subkeys::new(&[7; 32], &[8; 32]);
        map(params)?
            .mask(&keys, Seed::new(1), of)?
            .apply(value, Row::NONE)
    }

    const MEDALS: [(&str, &str); 2] = [("gold", "A"), ("silver", "B")];

    #[test]
    fn map_answers_from_the_dictionary() {
        let out = |value| apply(&[dictionary(&MEDALS)], ValueType::Text, Datum::text(value));
        assert_eq!(out("gold"), Ok(Some(Datum::text("A"))));
        assert_eq!(out("silver"), Ok(Some(Datum::text("B"))));
        for miss in ["", "Gold", " gold", "bronze"] {
            let error = out(miss).unwrap_err();
            assert_eq!(error.kind(), error::Kind::Data);
            assert_eq!(
                error.message(),
                "value for strategy \"map\" is not in the dictionary"
            );
            assert_eq!(error.detail(), Some("The dictionary has 2 entries."));
        }
    }

    #[test]
    fn map_does_with_a_miss_what_it_was_told() {
        let out = |more: &[(&str, Value)]| {
            let params = [&[dictionary(&MEDALS)], more].concat();
            apply(&params, ValueType::Text, Datum::text("bronze")).unwrap()
        };
        assert_eq!(out(&[("on_miss", "null".into())]), None);
        assert_eq!(
            out(&[("on_miss", "keep".into())]),
            Some(Datum::text("bronze"))
        );
        let default = [("on_miss", "fallback".into()), ("fallback", "Z".into())];
        assert_eq!(out(&default), Some(Datum::text("Z")));
        let hashed = apply(&[], ValueType::Text, Datum::text("bronze"));
        assert!(hashed.is_err());
        let hash = Strategy::new(Kind::Hash, &Params::new()).unwrap();
        let keys = Subkeys::new(&[7; 32], &[8; 32]);
        let hash = hash.mask(&keys, Seed::new(1), ValueType::Text).unwrap();
        let expected = hash.text("bronze").unwrap().into_owned();
        assert_eq!(
            out(&[("on_miss", "hash".into())]),
            Some(Datum::text(expected))
        );
    }

    #[test]
    fn map_reads_entries_for_the_type() {
        let values = dictionary(&[("1", "10"), ("02", "20")]);
        let values = [values];
        let out = |value| apply(&values, ValueType::Int16, Datum::Int(value));
        assert_eq!(out(1), Ok(Some(Datum::Int(10))));
        assert_eq!(out(2), Ok(Some(Datum::Int(20))));
        let numeric = |text| Datum::Numeric(Cow::Borrowed(text));
        let out = apply(
            &[dictionary(&[("1.5", "0")])],
            ValueType::Numeric,
            numeric("1.50"),
        );
        assert_eq!(out, Ok(Some(numeric("0"))));
        let error = apply(&[dictionary(&MEDALS)], ValueType::Int32, Datum::Int(1)).unwrap_err();
        assert_eq!(error.detail(), Some("It must be of type integer."));
        let twice = dictionary(&[("1", "10"), ("01", "20")]);
        let error = apply(&[twice], ValueType::Int32, Datum::Int(1)).unwrap_err();
        assert!(
            error
                .detail()
                .is_some_and(|detail| detail.contains("same value"))
        );
    }

    #[test]
    fn map_folds_spellings_only_when_asked() {
        let folded = [dictionary(&[("Zoë", "x")]), ("canonical", "text".into())];
        let out = apply(&folded, ValueType::Text, Datum::text(" ZOE\u{308}"));
        assert_eq!(out, Ok(Some(Datum::text("x"))));
        let refused = map(&[
            dictionary(&[("A", "x"), ("a", "y")]),
            ("canonical", "text".into()),
        ]);
        assert_eq!(refused.unwrap_err().param, "pairs");
        assert!(map(&[dictionary(&[("A", "x"), ("a", "y")])]).is_ok());
    }

    #[test]
    fn map_is_one_to_one_only_if_its_answers_differ() {
        let injective =
            |params: &[(&str, Value)], of| map(params).unwrap().properties(of).injective;
        assert!(injective(&[dictionary(&MEDALS)], ValueType::Text));
        assert!(!injective(
            &[dictionary(&[("a", "x"), ("b", "x")])],
            ValueType::Text
        ));
        let numbers = [dictionary(&[("1", "5"), ("2", "05")])];
        assert!(injective(&numbers, ValueType::Text));
        assert!(!injective(&numbers, ValueType::Int32));
        for on_miss in ["null", "keep", "hash"] {
            let params = [dictionary(&MEDALS), ("on_miss", on_miss.into())];
            assert!(!injective(&params, ValueType::Text));
        }
        let folded = [dictionary(&MEDALS), ("canonical", "text".into())];
        assert!(!injective(&folded, ValueType::Text));
    }

    #[test]
    fn map_refuses_parameters_that_do_not_fit_together() {
        let param = |params: &[(&str, Value)]| map(params).unwrap_err().param;
        let medals = dictionary(&MEDALS);
        assert_eq!(param(&[]), "pairs");
        assert_eq!(param(&[dictionary(&[])]), "pairs");
        assert_eq!(
            param(&[medals.clone(), ("on_miss", "fallback".into())]),
            "fallback"
        );
        assert_eq!(
            param(&[medals.clone(), ("fallback", "Z".into())]),
            "fallback"
        );
        assert_eq!(
            param(&[medals.clone(), ("on_miss", "ignore".into())]),
            "on_miss"
        );
        let nested = Value::Map([("a".to_owned(), Value::List(vec![]))].into());
        assert_eq!(param(&[("pairs", nested)]), "pairs");
        let hashed = map(&[medals, ("on_miss", "hash".into())]).unwrap();
        assert!(hashed.accepts(ValueType::Uuid) && !hashed.accepts(ValueType::Enum));
        assert_eq!(hashed.parts().len(), 1);
    }
}
