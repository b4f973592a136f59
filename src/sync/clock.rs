//! How long something takes that is called for every row: some calls are timed, and all are counted.

use std::cell::Cell;
use std::time::Instant;

/// One call in so many is timed: two looks at the clock cost as much as a cheap mask.
const ONE_IN: u64 = 64;
/// Which one of them: not the first, which fills caches.
const TIMED: u64 = 8;

/// What was seen of the calls of one place.
#[derive(Debug, Default)]
pub struct Clock {
    calls: Cell<u64>,
    timed: Cell<u64>,
    nanoseconds: Cell<u64>,
}

/// Calls, and what one took.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Timed {
    /// How many there were.
    pub calls: u64,
    /// Nanoseconds of one, the mean of those that were timed; `None` where none was.
    pub nanoseconds: Option<u64>,
}

impl Clock {
    /// Does the work, and counts it.
    #[inline]
    pub fn time<T>(&self, work: impl FnOnce() -> T) -> T {
        let call = self.calls.get();
        self.calls.set(call + 1);
        if call % ONE_IN != TIMED {
            return work();
        }
        let begun = Instant::now();
        let done = work();
        let took = u64::try_from(begun.elapsed().as_nanos()).unwrap_or(0);
        self.timed.set(self.timed.get() + 1);
        self.nanoseconds.set(self.nanoseconds.get() + took);
        done
    }

    /// What was seen. `look` is what a look at the clock takes, which is no part of the calls.
    pub fn seen(&self, look: u64) -> Timed {
        let timed = self.timed.get();
        Timed {
            calls: self.calls.get(),
            nanoseconds: (timed > 0).then(|| (self.nanoseconds.get() / timed).saturating_sub(look)),
        }
    }
}

/// Nanoseconds that a timed call takes too long: those of a look at the clock.
pub fn look() -> u64 {
    let one = || {
        let begun = Instant::now();
        u64::try_from(begun.elapsed().as_nanos()).unwrap_or(0)
    };
    (0..100).map(|_| one()).min().unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn every_call_is_counted_and_some_are_timed() {
        let clock = Clock::default();
        assert_eq!(clock.seen(0), Timed::default());
        for call in 0..TIMED {
            assert_eq!(clock.time(|| call), call);
        }
        assert_eq!(clock.seen(0).nanoseconds, None);
        clock.time(|| std::thread::sleep(Duration::from_millis(2)));
        let seen = clock.seen(look());
        assert_eq!(seen.calls, TIMED + 1);
        assert!(seen.nanoseconds.unwrap() >= 1_900_000);
        for _ in 0..ONE_IN * 9 {
            clock.time(|| ());
        }
        assert_eq!(clock.seen(0).calls, TIMED + 1 + ONE_IN * 9);
        assert!(clock.seen(0).nanoseconds.unwrap() < 1_900_000);
    }
}
