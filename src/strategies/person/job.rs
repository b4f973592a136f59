//! `job`: an occupation out of a list.
//!
//! Drawn with the key from a list of the language. In languages that tell men from women the lists
//! hold the masculine form of the dictionary.

use super::dictionary::{LOCALES, Locale, fitting, longest, pick};
use super::draw::{self, LOCALE};
use crate::error::Result;
use crate::strategies::definition::{
    Apply, Definition, ENTITY, Needs, Parsed, Properties, Row, Seed, Subkeys, Survival, mismatch,
};
use crate::strategies::keyed::Keyed;
use crate::strategies::params::{ParamError, ParamKind, ParamSpec, Reader};
use crate::strategies::{Datum, Kind, ValueType};

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
    max_length: Option<u16>,
}

impl Job {
    fn new(reader: &Reader<'_>) -> Result<Self, ParamError> {
        let max_length = reader.int_if_given("max_length", 1..=255)?;
        let job = Self {
            locale: reader.word("locale", &LOCALES)?,
            max_length,
        };
        if job.entries().len() < FEWEST {
            let detail = format!("Fewer than {FEWEST} occupations have so few characters.");
            return Err(reader.invalid("max_length", detail));
        }
        Ok(job)
    }

    fn entries(&self) -> Vec<&'static str> {
        let limit = self.max_length.map_or(usize::MAX, usize::from);
        fitting(self.locale.job(), limit)
    }
}

impl Parsed for Job {
    fn properties(&self, _: ValueType) -> Properties {
        let bits = self.entries().len().ilog2();
        Properties {
            folds_spellings: true,
            collision_bits: Some(bits),
            survival: Survival::Bits(bits),
            ..Properties::KEYED
        }
    }

    fn output_limit(&self, _: Option<usize>) -> Option<usize> {
        Some(longest(&self.entries()))
    }

    fn compile(&self, keys: &Subkeys<'_>, seed: Seed, _: ValueType) -> Result<Box<dyn Apply>> {
        Ok(Box::new(Mask {
            keyed: Keyed::new(Kind::Job, keys.masking, seed),
            entries: self.entries(),
        }))
    }
}

/// `job` with its key.
struct Mask {
    keyed: Keyed,
    entries: Vec<&'static str>,
}

impl Apply for Mask {
    fn apply<'a>(&self, value: Datum<'a>, row: Row<'_>) -> Result<Option<Datum<'a>>> {
        match value {
            Datum::Text(text) => {
                let [word, ..] = draw::words(&self.keyed, &draw::source(&text, row));
                Ok(Some(Datum::text(pick(&self.entries, word))))
            }
            _ => Err(mismatch(DEFINITION.name, ValueType::Text)),
        }
    }
}

const FEWEST: usize = 16;

const PARAMS: &[ParamSpec] = &[
    LOCALE,
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

    #[test]
    fn job_is_drawn_from_what_fits() {
        let job = job(&[("locale", Value::from("pt")), ("max_length", Value::Int(9))]).unwrap();
        let mask = job
            .compile(
                &Subkeys::new(&[7; 32], &[7; 32]),
                Seed::new(1),
                ValueType::Text,
            )
            .unwrap();
        let mut seen = std::collections::BTreeSet::new();
        for n in 0..2000 {
            let out = mask.apply(Datum::text(n.to_string()), Row::NONE).unwrap();
            let Some(Datum::Text(out)) = out else {
                panic!()
            };
            assert!(out.chars().count() <= 9 && Locale::Pt.job().contains(&&*out));
            seen.insert(out.into_owned());
        }
        assert_eq!(seen.len(), job.entries().len());
        assert!(job.output_limit(None).unwrap() <= 9);
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
