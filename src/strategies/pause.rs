//! Work on a long value pauses now and then, so that a cancel request takes effect.
//!
//! What a pause does is said by the skin, once per process, and may end the work by unwinding;
//! without it a pause does nothing. Only what costs time per character pauses: what runs at the
//! speed of memory is over before anybody waits.

use std::cell::Cell;
use std::sync::OnceLock;

static LOOK: OnceLock<fn()> = OnceLock::new();

/// Names what a pause does, once per process.
pub fn register(look: fn()) {
    // The first one stays: nothing loaded later takes its place.
    LOOK.get_or_init(|| look);
}

/// Pauses.
pub fn now() {
    if let Some(look) = LOOK.get() {
        look();
    }
}

/// Counts steps of work and pauses after many of them.
pub(super) struct Pace(Cell<u32>);

impl Pace {
    pub(super) const fn new() -> Self {
        Self(Cell::new(STEPS))
    }

    /// One more step was made.
    pub(super) fn step(&self) {
        match self.0.get() {
            0 => {
                self.0.set(STEPS);
                now();
            }
            left => self.0.set(left - 1),
        }
    }
}

/// The same items, with pauses between them.
pub(super) fn paced<I: Iterator>(items: I) -> impl Iterator<Item = I::Item> {
    let pace = Pace::new();
    items.inspect(move |_| pace.step())
}

/// A value in pieces with pauses between them, for what takes in bytes.
pub(super) fn pieces(value: &[u8]) -> impl Iterator<Item = &[u8]> {
    value.chunks(PIECE).enumerate().map(|(place, piece)| {
        if place > 0 {
            now();
        }
        piece
    })
}

/// Whether a value is one piece: nearly all are, and need no walk over pieces.
pub(super) fn is_one_piece(value: &[u8]) -> bool {
    value.len() <= PIECE
}

/// A step is some nanoseconds for a character, some microseconds for a finding in a text.
const STEPS: u32 = 4096;
/// In bytes: some milliseconds of a slow digest.
const PIECE: usize = 1 << 20;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::strategies::{Datum, Kind, Row, Seed, Strategy, Subkeys, Value, ValueType, listing};

    thread_local! {
        static LOOKED: Cell<usize> = const { Cell::new(0) };
    }

    fn looks_at(work: impl FnOnce()) -> usize {
        register(|| LOOKED.set(LOOKED.get() + 1));
        LOOKED.set(0);
        work();
        LOOKED.get()
    }

    #[test]
    fn pause_comes_after_many_steps() {
        assert_eq!(looks_at(|| assert_eq!(paced(0..4096).count(), 4096)), 0);
        assert_eq!(looks_at(|| assert_eq!(paced(0..9000).count(), 9000)), 2);
        let value = vec![7; 2 * PIECE + 1];
        let whole = || assert_eq!(pieces(&value).collect::<Vec<_>>().concat(), value);
        assert_eq!(looks_at(whole), 2);
        assert_eq!(pieces(&[]).count(), 0);
    }

    /// For each strategy the texts that cost it most, of a few megabytes.
    #[test]
    fn pause_comes_in_every_strategy_that_is_slow_on_a_long_text() {
        let long = |part: &str| part.repeat((3 << 20) / part.len());
        let accents = long("E\u{301}");
        let list = format!("[{}1]", long("\"ab\","));
        let cards = long("4111 1111 1111 1111 ");
        let signs = long("\u{1f469}\u{200d}");
        for (kind, param, text) in [
            (Kind::Address, None, &accents),
            (Kind::Company, None, &accents),
            (Kind::Email, None, &accents),
            (Kind::Fpe, None, &signs),
            (Kind::Hash, None, &accents),
            (Kind::Job, None, &accents),
            (Kind::Json, None, &list),
            (Kind::Lorem, None, &accents),
            (Kind::Lorem, None, &cards),
            (Kind::Mask, None, &accents),
            (Kind::Mask, None, &cards),
            (Kind::Mask, Some(("keep", "phone")), &cards),
            (Kind::Name, None, &accents),
            (Kind::Phone, None, &accents),
            (Kind::Phone, None, &cards),
            (Kind::Phone, None, &signs),
            (Kind::Text, None, &cards),
            (Kind::Username, None, &accents),
        ] {
            let mut params = listing::sample(kind);
            params.extend(param.map(|(name, word)| (name.to_owned(), Value::from(word))));
            let strategy = Strategy::new(kind, &params).unwrap();
            let keys = Subkeys::new(&[7; 32], &[8; 32]);
            let mask = strategy.mask(&keys, Seed::new(1), ValueType::Text).unwrap();
            let looked = looks_at(|| {
                // Refused or not, it is read to its end.
                drop(mask.apply(Datum::text(text.as_str()), Row::NONE));
            });
            assert!(looked > 0, "{kind:?} {:?}", text.chars().next());
        }
    }
}
