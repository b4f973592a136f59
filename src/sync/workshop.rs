//! The masks of a plan, made with keys: each with what is needed to draw its values again.

use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;

use super::plan::{MaskPlan, Plan};
use super::redraw::{Judge, Named, Redraw};
use crate::error::Result;
use crate::keys::store::ActiveKey;
use crate::keys::{self, Secret, Use, subkey};
use crate::strategies::{Mask, Seed, Strategy, Subkeys, ValueType};

/// What masks are made with.
pub struct Workshop<'a> {
    /// The plan.
    pub plan: &'a Plan,
    /// Subkey of the keyed digests.
    pub masking: Secret,
    /// Subkey of format-preserving encryption.
    pub fpe: Secret,
    /// The columns that are judged together.
    pub groups: BTreeMap<Named, BTreeSet<Named>>,
    /// The number of a table whose conditions count, by name.
    pub relation: &'a dyn Fn(&str) -> Option<u32>,
}

/// The subkeys that masks of a plan work with.
///
/// # Errors
/// 55000 where there is no key and a mask needs one.
pub fn subkeys(key: Option<&ActiveKey>, plan: &Plan) -> Result<(Secret, Secret)> {
    match key {
        Some(key) => Ok((
            subkey(&key.secret, Use::Masking),
            subkey(&key.secret, Use::Fpe),
        )),
        // No mask of this run works with it; never one that anybody could know.
        None if !plan.needs_key() => Ok((Secret::random()?, Secret::random()?)),
        None => Err(keys::store::no_key()),
    }
}

/// The keys of one mask, for as long as it may be drawn again.
pub struct Keys {
    /// Subkey of the keyed digests.
    pub masking: Secret,
    /// Subkey of format-preserving encryption.
    pub fpe: Secret,
    /// A stored salt, for the strategy that has one.
    pub salt: Option<Secret>,
}

impl Keys {
    /// Makes a mask.
    ///
    /// # Errors
    /// As [`Strategy::mask`].
    pub fn mask(&self, strategy: &Strategy, seed: Seed, of: ValueType) -> Result<Mask> {
        let keys = Subkeys {
            salt: self.salt.as_ref().map(Secret::expose),
            ..Subkeys::new(self.masking.expose(), self.fpe.expose())
        };
        strategy.mask(&keys, seed, of)
    }
}

impl Workshop<'_> {
    /// Makes a mask.
    ///
    /// # Errors
    /// As [`Strategy::mask`].
    pub fn make(
        &self,
        mask: &MaskPlan<'_>,
        salt: Option<Secret>,
    ) -> Result<(Mask, Option<Redraw>)> {
        let keys = Rc::new(Keys {
            masking: self.masking.clone(),
            fpe: self.fpe.clone(),
            salt,
        });
        let made = keys.mask(mask.strategy, mask.seed, mask.of)?;
        let judges = self.judges(mask);
        let (strategy, of) = (mask.strategy.clone(), mask.of);
        let again = move |seed| keys.mask(&strategy, seed, of);
        Ok((made, Redraw::of(mask, self.plan, judges, again)))
    }

    fn judges(&self, mask: &MaskPlan<'_>) -> Vec<Judge> {
        let place = (mask.place.table.clone(), mask.place.column.clone());
        let Some(group) = self.groups.get(&place) else {
            return Vec::new();
        };
        let judge = |(table, column): &Named| {
            Some(Judge {
                relation: (self.relation)(table)?,
                column: column.clone(),
                is_alone: group.len() == 1,
            })
        };
        group.iter().filter_map(judge).collect()
    }
}
