//! `job`: an occupation out of a list.
//!
//! Drawn with the key from a list of the language. In languages that tell men from women the lists
//! hold the masculine form of the dictionary. With `keep_unique` a made-up word of 80 bits follows
//! (`tail.rs`).

use super::dictionary::{LOCALES, Locale, fitting, longest, pick};
use super::draw::{self, LOCALE};
use crate::error::Result;
use crate::strategies::definition::{
    Apply, Definition, ENTITY, Needs, Parsed, Properties, Row, Seed, Subkeys, Survival, mismatch,
};
use crate::strategies::keyed::Keyed;
use crate::strategies::params::{ParamError, ParamKind, ParamSpec, Reader};
use crate::strategies::{Datum, Kind, ValueType, tail};

/// `job` in the list of strategies.
///
/// # Examples
///
/// ```
/// use confiture::strategies::{Kind, Params, Seed, Strategy, Subkeys, Value, ValueType};
///
/// let params = Params::from([("max_length".to_owned(), Value::Int(12))]);
/// let keys = Subkeys::new(&[7; 32], &[8; 32]);
/// let strategy = Strategy::new(Kind::Job, &params)?;
/// let mask = strategy.mask(&keys, Seed::new(1), ValueType::Text)?;
/// assert!(mask.text("Mathematician")?.chars().count() <= 12);
/// # Ok::<(), confiture::error::Error>(())
/// ```
pub const DEFINITION: Definition = Definition {
    name: "job",
    version: 1,
    about: "Occupation out of a list",
    accepts: ValueType::TEXT,
    params: PARAMS,
    inputs: &[ENTITY],
    needs: Needs::Key,
    refuses: false,
    example: "anon_job('Mathematician', locale => 'fr')",
    sample: "{}",
    parse: |reader| Ok(Box::new(Job::new(reader)?)),
};

/// The parameters of `job`, checked.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Job {
    locale: Locale,
    unique: bool,
    max_length: Option<u16>,
}

impl Job {
    fn new(reader: &Reader<'_>) -> Result<Self, ParamError> {
        let max_length = reader.int_if_given("max_length", 1..=255)?;
        let job = Self {
            locale: reader.word("locale", &LOCALES)?,
            unique: reader.bool("keep_unique", false),
            max_length,
        };
        if job.entries().len() < FEWEST {
            let behind = job.behind();
            let detail = format!(
                "Fewer than {FEWEST} occupations have so few characters, beside {behind} that make \
                 one unique."
            );
            return Err(reader.invalid("max_length", detail));
        }
        Ok(job)
    }

    /// Characters that keep occupations apart.
    fn behind(&self) -> usize {
        if self.unique { tail::LENGTH } else { 0 }
    }

    fn entries(&self) -> Vec<&'static str> {
        let most = self.max_length.map_or(usize::MAX, usize::from);
        let limit = most.saturating_sub(self.behind());
        fitting(self.locale.job(), limit)
    }
}

impl Parsed for Job {
    fn properties(&self, _: ValueType) -> Properties {
        let bits = if self.unique {
            tail::BITS
        } else {
            self.entries().len().ilog2()
        };
        Properties {
            folds_spellings: true,
            collision_bits: Some(bits),
            survival: Survival::Bits(bits),
            ..Properties::KEYED
        }
    }

    fn output_limit(&self, _: Option<usize>) -> Option<usize> {
        Some(longest(&self.entries()) + self.behind())
    }

    fn compile(&self, keys: &Subkeys<'_>, seed: Seed, _: ValueType) -> Result<Box<dyn Apply>> {
        Ok(Box::new(Mask {
            keyed: Keyed::new(Kind::Job, keys.masking, seed),
            tail: self
                .unique
                .then(|| Keyed::labeled("job/tail", DEFINITION.version, keys.masking, seed)),
            entries: self.entries(),
        }))
    }
}

/// `job` with its key.
struct Mask {
    keyed: Keyed,
    tail: Option<Keyed>,
    entries: Vec<&'static str>,
}

impl Apply for Mask {
    fn apply<'a>(&self, value: Datum<'a>, row: Row<'_>) -> Result<Option<Datum<'a>>> {
        match value {
            Datum::Text(text) => {
                let of = draw::source(&text, row);
                let [word, ..] = draw::words(&self.keyed, &of);
                let drawn = pick(&self.entries, word);
                let Some(keyed) = &self.tail else {
                    return Ok(Some(Datum::text(drawn)));
                };
                let mut out = String::with_capacity(drawn.len() + tail::LENGTH);
                out.push_str(drawn);
                tail::push(&mut keyed.stream(of.as_bytes()), &mut out);
                Ok(Some(Datum::text(out)))
            }
            _ => Err(mismatch(DEFINITION.name, ValueType::Text)),
        }
    }
}

const FEWEST: usize = 16;

const PARAMS: &[ParamSpec] = &[
    LOCALE,
    ParamSpec::new(
        "keep_unique",
        ParamKind::Bool,
        "false",
        "Appends a made-up word of 80 bits, so that two occupations practically never meet.",
    ),
    ParamSpec::optional(
        "max_length",
        ParamKind::Int,
        "The most characters; only occupations that fit are drawn.",
    ),
];

#[cfg(test)]
mod tests {
    use super::*;
    use crate::strategies::params::Value;

    fn job(params: &[(&str, Value)]) -> Result<Job, ParamError> {
        let params = params.iter().map(|(k, v)| ((*k).to_owned(), v.clone()));
        Job::new(&Reader::new(Kind::Job, &params.collect())?)
    }

    fn mask(job: &Job) -> Box<dyn Apply> {
        let keys = Subkeys::new(&[7; 32], &[7; 32]);
        job.compile(&keys, Seed::new(1), ValueType::Text).unwrap()
    }

    fn text(mask: &dyn Apply, value: &str) -> String {
        match mask.apply(Datum::text(value), Row::NONE) {
            Ok(Some(Datum::Text(text))) => text.into_owned(),
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn job_is_drawn_from_what_fits() {
        let job = job(&[("locale", Value::from("pt")), ("max_length", Value::Int(9))]).unwrap();
        let mask = mask(&job);
        let mut seen = std::collections::BTreeSet::new();
        for n in 0..2000 {
            let out = text(&*mask, &n.to_string());
            assert!(out.chars().count() <= 9 && Locale::Pt.job().contains(&&*out));
            seen.insert(out);
        }
        assert_eq!(seen.len(), job.entries().len());
        assert!(job.output_limit(None).unwrap() <= 9);
    }

    #[test]
    fn job_is_unique_by_a_tail_behind_the_same_occupation() {
        let unique = ("keep_unique", Value::Bool(true));
        for (locale, most) in [("en", 255), ("de", 40), ("fr", 36)] {
            let locale = ("locale", Value::from(locale));
            let plain = [locale.clone(), ("max_length", Value::Int(most - 27))];
            let plain = mask(&job(&plain).unwrap());
            let job = job(&[locale, unique.clone(), ("max_length", Value::Int(most))]).unwrap();
            let properties = job.properties(ValueType::Text);
            assert_eq!(properties.collision_bits, Some(tail::BITS));
            assert_eq!(properties.survival, Survival::Bits(tail::BITS));
            let limit = job.output_limit(None).unwrap();
            assert!(i64::try_from(limit).unwrap() <= most);
            let mask = mask(&job);
            let mut seen = std::collections::HashSet::new();
            for n in 0..20_000 {
                let out = text(&*mask, &n.to_string());
                assert!(out.chars().count() <= limit, "{out}");
                assert_eq!(
                    out[..out.len() - tail::LENGTH],
                    text(&*plain, &n.to_string())
                );
                assert!(seen.insert(out));
            }
        }
    }

    #[test]
    fn job_with_keep_unique_refuses_a_length_that_leaves_no_choice() {
        for length in [27, 30] {
            let params = [
                ("keep_unique", Value::Bool(true)),
                ("max_length", Value::Int(length)),
            ];
            assert_eq!(job(&params).unwrap_err().param, "max_length");
        }
    }

    #[test]
    fn job_refuses_a_length_that_leaves_no_choice() {
        for length in [-1, 0, 3, 256] {
            let refused = job(&[("max_length", Value::Int(length))]).unwrap_err();
            assert_eq!(refused.param, "max_length");
        }
        assert_eq!(
            job(&[]).unwrap().properties(ValueType::Text).collision_bits,
            Some(8)
        );
    }
}
