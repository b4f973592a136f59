//! What a worker needs to help with the load of one table: its masks with their keys, how values are
//! drawn again, the keys of its trackers, its scan, and which outputs are kept.
//!
//! What is secret stands apart from the rest, in bytes that are wiped: keys, salts and seeds.

use std::collections::BTreeMap;
use std::rc::Rc;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use zeroize::Zeroizing;

use super::super::cache::worth::{Verdict, Worth};
use super::super::cache::{Caching, Verdicts};
use super::super::leaks::running::{Scan, Text};
use super::super::masks::Place;
use super::super::plan::MaskPlan;
use super::super::redraw::{Described, Redraw};
use super::super::trackers::Tracker;
use super::super::workshop::Keys;
use super::report::Shape;
use crate::error::{Error, Kind, Result};
use crate::keys::Secret;
use crate::ledger::lineage::commitment::{ColumnKey, Commitment};
use crate::strategies::params::{from_json, to_json};
use crate::strategies::{self, Mask, Params, Seed, Strategy, ValueType};

/// The whole.
pub struct Kit {
    /// What anybody may know.
    pub about: About,
    /// Subkeys of masking and of format-preserving encryption.
    pub subkeys: [Secret; 2],
    /// The key of the lineage of the run; `None` where there is none.
    pub lineage: Option<Secret>,
    /// Of each mask its seed, and its salt.
    pub masks: Vec<(Seed, Option<Secret>)>,
}

/// What anybody may know.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct About {
    /// Schema written.
    pub schema: String,
    /// The table.
    pub table: String,
    /// Number of its first mask.
    pub first_mask: usize,
    /// Its masks.
    pub masks: Vec<MaskOf>,
    /// Number of its first tracker.
    pub first_tracker: usize,
    /// The columns of its trackers.
    pub tracked: Vec<String>,
    /// The kind of commitment.
    pub commitment: String,
    /// Number of its scan, and the texts of that.
    pub scan: Option<(usize, Vec<Text>)>,
    /// The columns of the run whose outputs are kept.
    pub kept: Vec<(String, String, Worth)>,
    /// Bytes that this may take.
    pub kept_bytes: usize,
}

/// A mask without what is secret.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct MaskOf {
    /// Its column.
    pub place: Place,
    /// The strategy.
    pub kind: String,
    /// With its parameters.
    pub params: Value,
    /// The type of values.
    pub of: String,
    /// The versions of its keys, by name.
    pub keys: Vec<(String, i32)>,
    /// How values are drawn again.
    pub redraw: Option<Described>,
}

impl MaskOf {
    /// Describes a mask of a plan.
    pub fn new(mask: &MaskPlan<'_>, keys: &[(&str, i32)], redraw: Option<&Redraw>) -> Self {
        let params = mask.strategy.effective_params().iter();
        let params: Map<_, _> = params
            .map(|(name, value)| (name.clone(), to_json(value)))
            .collect();
        Self {
            place: mask.place.clone(),
            kind: mask.strategy.kind().name().to_owned(),
            params: params.into(),
            of: mask.of.name().to_owned(),
            keys: keys
                .iter()
                .map(|(name, version)| ((*name).to_owned(), *version))
                .collect(),
            redraw: redraw.map(Redraw::described),
        }
    }

    /// The strategy and the type that were described.
    fn strategy(&self) -> Result<(Strategy, ValueType)> {
        let kind = strategies::Kind::parse(&self.kind).ok_or_else(broken)?;
        let params: Params = from_json(&self.params)?;
        let of = ValueType::ALL.iter().find(|of| of.name() == self.of);
        let of = *of.ok_or_else(broken)?;
        Ok((Strategy::new(kind, &params)?, of))
    }
}

fn broken() -> Error {
    Error::new(Kind::Internal, "what a worker was told cannot be read")
}

/// A mask with its column, and how its values are drawn again.
type Made = (Vec<(Mask, Place)>, Vec<Option<Redraw>>);

impl Kit {
    /// Whose numbers the report of a worker holds.
    pub fn shape(&self) -> Shape {
        let about = &self.about;
        Shape {
            masks: about.first_mask..about.first_mask + about.masks.len(),
            trackers: about.first_tracker..about.first_tracker + about.tracked.len(),
            scan: about.scan.as_ref().map(|(number, _)| *number),
        }
    }

    /// The cache of a process, empty.
    ///
    /// # Errors
    /// XX000 without randomness.
    pub fn caching(&self) -> Result<Caching> {
        let kept =
            self.about.kept.iter().map(|(table, column, worth)| {
                ((table.clone(), column.clone()), Verdict::Kept(*worth))
            });
        Caching::new(&kept.collect::<Verdicts>(), self.about.kept_bytes)
    }

    /// Makes the masks, with the cache in front of them.
    ///
    /// # Errors
    /// As [`Strategy::mask`].
    pub fn make(&self, caching: &Caching) -> Result<Made> {
        let (mut masks, mut redraws) = (Vec::new(), Vec::new());
        for (of, (seed, salt)) in self.about.masks.iter().zip(&self.masks) {
            let (strategy, value) = of.strategy()?;
            let keys: Vec<_> = of.keys.iter().map(|(name, at)| (&**name, *at)).collect();
            let plan = MaskPlan {
                place: of.place.clone(),
                strategy: &strategy,
                seed: *seed,
                of: value,
                salt: None,
            };
            let front = caching.front(&plan, &keys);
            let secrets = Rc::new(Keys {
                masking: self.subkeys[0].clone(),
                fpe: self.subkeys[1].clone(),
                salt: salt.clone(),
            });
            let made = secrets.mask(&strategy, *seed, value)?;
            masks.push((front.of(made, *seed), of.place.clone()));
            redraws.push(of.redraw.clone().map(|redraw| {
                let make = move |seed| {
                    let made = secrets.mask(&strategy, seed, value)?;
                    Ok(front.of(made, seed))
                };
                Redraw::again(redraw, (of.place.clone(), *seed), make)
            }));
        }
        Ok((masks, redraws))
    }

    /// The trackers.
    ///
    /// # Errors
    /// XX000 where the kind of commitment is none.
    pub fn trackers(&self) -> Result<Vec<Tracker>> {
        let Some(key) = &self.lineage else {
            return Ok(Vec::new());
        };
        let commitment = Commitment::of(&self.about.commitment).map_err(|_| broken())?;
        let About { schema, table, .. } = &self.about;
        let columns = self.about.tracked.iter();
        let tracker =
            |column: &String| Tracker::new(ColumnKey::new(key, commitment, schema, table, column));
        Ok(columns.map(tracker).collect())
    }

    /// The scan, with its number.
    pub fn scan(&self) -> Option<(usize, Scan)> {
        let (number, texts) = self.about.scan.clone()?;
        let found = vec![0; texts.len()];
        Some((number, Scan { texts, found }))
    }

    /// All of it as bytes: how many are secret, these, and the rest as JSON.
    pub fn bytes(&self) -> Zeroizing<Vec<u8>> {
        let about = serde_json::to_vec(&self.about).unwrap_or_default();
        // Room for all: a vector that grows would leave secrets behind in freed memory.
        let secret = 3 * 33 + self.masks.len() * (8 + 33);
        let mut out = Zeroizing::new(Vec::with_capacity(8 + secret + about.len()));
        out.extend_from_slice(&[0; 8]);
        let optional = |out: &mut Vec<u8>, secret: Option<&Secret>| {
            out.push(u8::from(secret.is_some()));
            if let Some(secret) = secret {
                out.extend_from_slice(secret.expose());
            }
        };
        for secret in self.subkeys.iter().map(Some).chain([self.lineage.as_ref()]) {
            optional(&mut out, secret);
        }
        for (seed, salt) in &self.masks {
            out.extend_from_slice(&seed.number().to_le_bytes());
            optional(&mut out, salt.as_ref());
        }
        let secret = out.len() as u64 - 8;
        out[..8].copy_from_slice(&secret.to_le_bytes());
        out.extend_from_slice(&about);
        out
    }

    /// Reads [`Self::bytes`].
    ///
    /// # Errors
    /// XX000 for anything else.
    pub fn read(bytes: &[u8]) -> Result<Self> {
        let (length, rest) = bytes.split_first_chunk::<8>().ok_or_else(broken)?;
        let length = usize::try_from(u64::from_le_bytes(*length)).map_err(|_| broken())?;
        let (mut secret, about) = rest.split_at_checked(length).ok_or_else(broken)?;
        let about: About = serde_json::from_slice(about).map_err(|_| broken())?;
        let subkeys = [optional(&mut secret)?, optional(&mut secret)?];
        let [Some(masking), Some(fpe)] = subkeys else {
            return Err(broken());
        };
        let lineage = optional(&mut secret)?;
        let mut masks = Vec::with_capacity(about.masks.len());
        for _ in &about.masks {
            let seed = i64::from_le_bytes(*taken(&mut secret)?);
            masks.push((Seed::new(seed), optional(&mut secret)?));
        }
        Ok(Self {
            about,
            subkeys: [masking, fpe],
            lineage,
            masks,
        })
    }
}

fn taken<'a, const N: usize>(bytes: &mut &'a [u8]) -> Result<&'a [u8; N]> {
    let (first, rest) = bytes.split_first_chunk::<N>().ok_or_else(broken)?;
    *bytes = rest;
    Ok(first)
}

fn optional(bytes: &mut &[u8]) -> Result<Option<Secret>> {
    match taken::<1>(bytes)?[0] {
        0 => Ok(None),
        _ => Ok(Some(Secret::copy_of(taken(bytes)?))),
    }
}

/// The columns whose outputs are kept, as a kit names them.
pub fn kept(verdicts: &Verdicts) -> Vec<(String, String, Worth)> {
    let verdicts: &BTreeMap<_, _> = verdicts;
    let kept = verdicts
        .iter()
        .filter_map(|((table, column), of)| match of {
            Verdict::Kept(worth) => Some((table.clone(), column.clone(), *worth)),
            Verdict::Not(_) => None,
        });
    kept.collect()
}
