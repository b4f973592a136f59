//! Opened data keys of this process, by their wrapped bytes: no two keys share those, not even
//! keys of two installations that one process sees in turn.
//!
//! The bytes lie in memory that the caller provides. A key is wiped at the first use of any key
//! after its time, which counts from opening it; what was wiped once is never handed out.

use std::time::Duration;

use zeroize::Zeroize;

use super::{KEY_LEN, Secret};

/// Where an opened key lies; worthless once the key was wiped.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Handle {
    slot: usize,
    serial: u64,
}

struct Entry {
    wrapped: Vec<u8>,
    opened: Duration,
    serial: u64,
}

/// The cache; `M` is the memory for the keys. Times are counted from any fixed moment.
pub struct Cache<M> {
    memory: M,
    entries: Vec<Option<Entry>>,
    serial: u64,
}

impl<M: AsRef<[[u8; KEY_LEN]]> + AsMut<[[u8; KEY_LEN]]>> Cache<M> {
    /// An empty cache with as many places as the memory has.
    pub fn new(memory: M) -> Self {
        let entries = memory.as_ref().iter().map(|_| None).collect();
        Self {
            memory,
            entries,
            serial: 0,
        }
    }

    /// The memory of the keys.
    pub fn memory(&self) -> &M {
        &self.memory
    }

    /// Where the key with these wrapped bytes lies, if it was opened no longer than `ttl` ago.
    pub fn find(&mut self, wrapped: &[u8], ttl: Duration, now: Duration) -> Option<Handle> {
        self.sweep(|entry| now.saturating_sub(entry.opened) < ttl);
        self.entries.iter().enumerate().find_map(|(slot, entry)| {
            entry
                .as_ref()
                .filter(|entry| entry.wrapped == wrapped)
                .map(|entry| Handle {
                    slot,
                    serial: entry.serial,
                })
        })
    }

    /// The key at a handle, unless it was wiped or is older than `ttl`.
    pub fn secret(&self, handle: Handle, ttl: Duration, now: Duration) -> Option<Secret> {
        let entry = self.entries.get(handle.slot)?.as_ref()?;
        let fresh = now.saturating_sub(entry.opened) < ttl;
        (entry.serial == handle.serial && fresh)
            .then(|| Secret::copy_of(&self.memory.as_ref()[handle.slot]))
    }

    /// What stands for a key that is not kept: never found.
    pub fn nowhere() -> Handle {
        Handle { slot: 0, serial: 0 }
    }

    /// Keeps an opened key, in the oldest one's place when there is no other.
    pub fn keep(&mut self, wrapped: Vec<u8>, secret: &Secret, now: Duration) -> Handle {
        self.sweep(|entry| entry.wrapped != wrapped);
        let slot = self
            .entries
            .iter()
            .enumerate()
            .min_by_key(|(_, entry)| entry.as_ref().map(|entry| entry.serial))
            .map_or(0, |(slot, _)| slot);
        self.serial += 1;
        self.memory.as_mut()[slot].copy_from_slice(secret.expose());
        self.entries[slot] = Some(Entry {
            wrapped,
            opened: now,
            serial: self.serial,
        });
        Handle {
            slot,
            serial: self.serial,
        }
    }

    /// Wipes every key whose wrapped bytes are not among those given.
    pub fn retain(&mut self, wrapped: &[Vec<u8>]) {
        self.sweep(|entry| wrapped.contains(&entry.wrapped));
    }

    /// Wipes everything. Returns how many keys there were.
    pub fn clear(&mut self) -> usize {
        let before = self.len();
        self.sweep(|_| false);
        before
    }

    /// How many keys there are.
    pub fn len(&self) -> usize {
        self.entries.iter().flatten().count()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    fn sweep(&mut self, keep: impl Fn(&Entry) -> bool) {
        for (slot, entry) in self.entries.iter_mut().enumerate() {
            if entry.as_ref().is_some_and(|entry| !keep(entry)) {
                *entry = None;
                self.memory.as_mut()[slot].zeroize();
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TTL: Duration = Duration::from_secs(300);

    fn cache() -> Cache<Vec<[u8; KEY_LEN]>> {
        Cache::new(vec![[0; KEY_LEN]; 4])
    }

    fn key(byte: u8) -> Secret {
        Secret::take(&mut [byte; KEY_LEN])
    }

    #[test]
    fn cache_gives_back_what_it_keeps() {
        let (mut cache, now) = (cache(), Duration::from_secs(1000));
        let a = cache.keep(b"a".to_vec(), &key(1), now);
        let b = cache.keep(b"b".to_vec(), &key(2), now);
        assert_eq!(cache.find(b"a", TTL, now), Some(a));
        assert_eq!(cache.secret(b, TTL, now).unwrap().expose(), &[2; KEY_LEN]);
        assert_eq!(cache.find(b"c", TTL, now), None);
        assert_eq!(cache.len(), 2);
    }

    #[test]
    fn cache_wipes_what_is_too_old_gone_or_forgotten() {
        let (mut cache, now) = (cache(), Duration::from_secs(1000));
        let later = now + TTL;
        let a = cache.keep(b"a".to_vec(), &key(1), now);
        assert!(cache.secret(a, TTL, later).is_none());
        assert_eq!(cache.find(b"b", TTL, later), None);
        assert_eq!(
            cache.memory()[a.slot],
            [0; KEY_LEN],
            "wiped by the next use"
        );
        let a = cache.keep(b"a".to_vec(), &key(1), now);
        let b = cache.keep(b"b".to_vec(), &key(2), now);
        cache.retain(&[b"b".to_vec()]);
        assert!(cache.secret(a, TTL, now).is_none());
        assert!(cache.secret(b, TTL, now).is_some());
        assert_eq!(cache.clear(), 1);
        assert!(cache.memory().iter().all(|slot| *slot == [0; KEY_LEN]));
        assert!(cache.secret(b, TTL, now).is_none());
    }

    #[test]
    fn cache_without_time_keeps_nothing() {
        let (mut cache, now) = (cache(), Duration::from_secs(1000));
        let a = cache.keep(b"a".to_vec(), &key(1), now);
        assert!(cache.secret(a, Duration::ZERO, now).is_none());
        assert_eq!(cache.find(b"a", Duration::ZERO, now), None);
    }

    #[test]
    fn cache_gives_the_oldest_place_away_and_never_an_old_handle() {
        let (mut cache, now) = (cache(), Duration::from_secs(1000));
        let first = cache.keep(b"0".to_vec(), &key(0), now);
        for i in 1..5 {
            cache.keep(vec![b'0' + i], &key(i), now);
        }
        assert_eq!(cache.len(), 4);
        assert!(cache.secret(first, TTL, now).is_none());
        let again = cache.keep(b"4".to_vec(), &key(9), now);
        assert_eq!(cache.len(), 4, "one place for one key");
        assert_eq!(
            cache.secret(again, TTL, now).unwrap().expose(),
            &[9; KEY_LEN]
        );
    }
}
