//! What tells runs apart whose pseudonyms differ: one keyed fingerprint over everything that they come
//! from, which can stand in the ledger.
//!
//! Two runs with the same fingerprint masked the same columns with the same strategies, versions,
//! parameters, seeds, salts and key, on whatever servers. Without the key nothing follows from it:
//! not even a guessed seed can be tried.

use std::collections::BTreeMap;

use zeroize::Zeroizing;

use super::plan::{MaskPlan, Plan};
use crate::keys::{Secret, keyed_fingerprint, push_field};
use crate::profile::canonical::params_hash;

/// The fingerprint of the masks of a plan. `salts` are those it uses, by name.
pub fn fingerprint(
    key: &Secret,
    plan: &Plan,
    profile: &str,
    salts: &BTreeMap<String, Secret>,
) -> String {
    let mut masks = plan.masks(profile);
    // Plans list tables as each catalog does; the parts of one column stay in their order.
    masks.sort_by(|a, b| {
        let name = |mask: &MaskPlan<'_>| (mask.place.table.clone(), mask.place.column.clone());
        name(a).cmp(&name(b))
    });
    // Salts stand in it.
    let mut all = Zeroizing::new(Vec::with_capacity(256 * (masks.len() + 1)));
    push_field(&mut all, b"confiture/masks/v1");
    for mask in &masks {
        let kind = mask.strategy.kind();
        let salt = mask.salt.as_ref().and_then(|(name, _)| salts.get(name));
        push_field(&mut all, mask.place.table.as_bytes());
        push_field(&mut all, mask.place.column.as_bytes());
        push_field(&mut all, kind.name().as_bytes());
        push_field(&mut all, &kind.version().to_be_bytes());
        push_field(&mut all, &params_hash(mask.strategy.effective_params()));
        push_field(&mut all, &mask.seed.number().to_be_bytes());
        push_field(&mut all, salt.map_or(&[], |salt| salt.expose()));
    }
    keyed_fingerprint(key, &all)
}
