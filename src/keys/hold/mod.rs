//! Versions of keys that are held: who seals something by one keeps it from being destroyed until
//! what is sealed is committed, and seen by who destroys.

pub mod store;

/// Two versions that share a number wait for each other, and nothing else.
fn number(name: &str, version: i32) -> u64 {
    let mut hasher = blake3::Hasher::new();
    hasher.update(&version.to_be_bytes());
    hasher.update(name.as_bytes());
    let hash = *hasher.finalize().as_bytes();
    u64::from_be_bytes(std::array::from_fn(|i| hash[i]))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hold_numbers_versions_apart() {
        let all = [("a", 1), ("a", 2), ("b", 1), ("", 1)].map(|(name, of)| number(name, of));
        let distinct: std::collections::BTreeSet<_> = all.into_iter().collect();
        assert_eq!(distinct.len(), all.len());
    }
}
