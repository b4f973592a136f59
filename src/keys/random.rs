//! Random words for noise: fast, unpredictable, never shared by two processes.
//!
//! ChaCha12 (`StdRng` of `rand` 0.10), seeded by the operating system. Every backend is a fork of
//! the postmaster, and a generator that was made before a fork gives both processes the same
//! words; so the generator remembers its process and is made anew in another one. There is no way
//! to seed it: noise that can be repeated can be subtracted.

use std::array;
use std::cell::RefCell;
use std::process;

use rand::rngs::StdRng;
use rand::{Rng, SeedableRng};
use zeroize::Zeroize;

use crate::error::{Error, Kind, Result};

thread_local! {
    static GENERATOR: RefCell<Option<(u32, StdRng)>> = const { RefCell::new(None) };
}

/// Draws 64 random bits.
///
/// # Errors
/// XX000 when the operating system has no randomness to seed with.
pub fn word() -> Result<u64> {
    words().map(|[word]| word)
}

/// Draws several times 64 random bits. The process is asked for once, which takes longer than
/// drawing does.
///
/// # Errors
/// As [`word`].
pub fn words<const N: usize>() -> Result<[u64; N]> {
    GENERATOR.with_borrow_mut(|kept| {
        let pid = process::id();
        if let Some((of, generator)) = kept
            && *of == pid
        {
            return Ok(array::from_fn(|_| generator.next_u64()));
        }
        let mut seed = [0; 32];
        getrandom::fill(&mut seed)
            .map_err(|_| Error::new(Kind::Internal, "could not draw random bytes for noise"))?;
        let (_, generator) = kept.insert((pid, StdRng::from_seed(seed)));
        seed.zeroize();
        Ok(array::from_fn(|_| generator.next_u64()))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn random_words_do_not_repeat() {
        let several = (0..2_500).flat_map(|_| words::<4>().unwrap());
        let mut words: Vec<u64> = (0..10_000)
            .map(|_| word().unwrap())
            .chain(several)
            .collect();
        words.sort_unstable();
        words.dedup();
        assert_eq!(words.len(), 20_000);
    }

    #[test]
    fn random_generator_of_another_process_is_not_used() {
        let inherited = || StdRng::from_seed([7; 32]);
        GENERATOR.with_borrow_mut(|kept| {
            *kept = Some((process::id().wrapping_add(1), inherited()));
        });
        assert_ne!(word().unwrap(), inherited().next_u64());
    }
}
