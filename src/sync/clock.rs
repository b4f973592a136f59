//! How long something takes that is called for every row: some calls are timed, and all are counted.

use std::cell::Cell;
use std::time::Instant;

use super::workers::report::Words;

/// One call in so many is timed: two looks at the clock cost as much as a cheap mask.
const ONE_IN: u64 = 64;
/// Which one of them: not the first, which fills caches.
const TIMED: u64 = 8;

/// Timed calls are put together by the power of two of their nanoseconds: up to half a minute.
const SIZES: usize = 36;
/// Calls that took so many powers of two more than half of them are none of the work's: the process was
/// not running meanwhile.
const TOO_LONG: usize = 5;

/// What was seen of the calls of one place.
#[derive(Debug)]
pub struct Clock {
    calls: Cell<u64>,
    /// Of each size how many, and their nanoseconds.
    timed: [Cell<(u64, u64)>; SIZES],
}

/// Calls, and what one took.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Timed {
    /// How many there were.
    pub calls: u64,
    /// Nanoseconds of one, the mean of those that were timed and not held up; `None` where none was.
    pub nanoseconds: Option<u64>,
}

impl Default for Clock {
    fn default() -> Self {
        Self::new()
    }
}

impl Clock {
    /// Nothing seen yet.
    pub const fn new() -> Self {
        Self {
            calls: Cell::new(0),
            timed: [const { Cell::new((0, 0)) }; SIZES],
        }
    }

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
        self.add(u64::try_from(begun.elapsed().as_nanos()).unwrap_or(0));
        done
    }

    /// All that was seen, as numbers that [`Self::merge`] adds in another process.
    pub fn report(&self, out: &mut Vec<u64>) {
        out.push(self.calls.get());
        out.extend(self.timed.iter().map(Cell::get).flat_map(|of| [of.0, of.1]));
    }

    /// Adds what another process has seen.
    pub fn merge(&self, words: &mut Words<'_>) {
        self.calls.set(self.calls.get() + words.take());
        for of in &self.timed {
            let (count, sum) = of.get();
            of.set((count + words.take(), sum + words.take()));
        }
    }

    fn add(&self, took: u64) {
        let size = (took | 1).ilog2() as usize;
        let of = &self.timed[size.min(SIZES - 1)];
        let (count, sum) = of.get();
        of.set((count + 1, sum + took));
    }

    /// What was seen. `look` is what a look at the clock takes, which is no part of the calls.
    pub fn seen(&self, look: u64) -> Timed {
        let all: u64 = self.timed.iter().map(|of| of.get().0).sum();
        let mut so_far = 0;
        let middle = self.timed.iter().position(|of| {
            so_far += of.get().0;
            so_far * 2 >= all
        });
        let until = middle.map_or(0, |size| (size + TOO_LONG).min(SIZES));
        let (count, sum) = self.timed[..until]
            .iter()
            .map(Cell::get)
            .fold((0, 0), |(count, sum), of| (count + of.0, sum + of.1));
        Timed {
            calls: self.calls.get(),
            nanoseconds: (count > 0).then(|| (sum / count).saturating_sub(look)),
        }
    }

    /// What was seen, of which nothing stays here.
    fn take(&self) -> Self {
        let taken = Self::new();
        taken.put_back(self);
        self.forget();
        taken
    }

    fn put_back(&self, before: &Self) {
        self.calls.set(before.calls.get());
        for (of, before) in self.timed.iter().zip(&before.timed) {
            of.set(before.get());
        }
    }

    fn forget(&self) {
        self.calls.set(0);
        self.timed.iter().for_each(|of| of.set((0, 0)));
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

/// What a row is looked at for beside its masks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Beside {
    /// The commitments of the lineage.
    Commitment,
    /// The scan for what gives it away.
    LeakScan,
}

thread_local! {
    static BESIDE: [Clock; 2] = const { [const { Clock::new() }, const { Clock::new() }] };
}

impl Beside {
    /// Does the work, and counts it.
    #[inline]
    pub fn time<T>(self, work: impl FnOnce() -> T) -> T {
        BESIDE.with(|clocks| clocks[self as usize].time(work))
    }

    /// What was seen, as numbers, of both.
    pub fn report(out: &mut Vec<u64>) {
        BESIDE.with(|clocks| clocks.iter().for_each(|clock| clock.report(out)));
    }

    /// Adds what another process has seen.
    pub fn merge(words: &mut Words<'_>) {
        BESIDE.with(|clocks| clocks.iter().for_each(|clock| clock.merge(words)));
    }

    /// What was seen since it was asked before.
    pub fn taken(self) -> Timed {
        BESIDE.with(|clocks| {
            let clock = &clocks[self as usize];
            let seen = clock.seen(look());
            clock.forget();
            seen
        })
    }
}

/// What a run sees beside its masks is its own, until dropped: not what is left of one that failed, and
/// of a run inside of which it is called, it takes nothing.
pub struct Own([Clock; 2]);

impl Own {
    /// Begins with nothing seen.
    pub fn begin() -> Self {
        Self(BESIDE.with(|clocks| clocks.each_ref().map(Clock::take)))
    }
}

impl Drop for Own {
    fn drop(&mut self) {
        BESIDE.with(|clocks| {
            for (clock, before) in clocks.iter().zip(&self.0) {
                clock.put_back(before);
            }
        });
    }
}

impl Timed {
    /// Seconds of all calls together.
    #[allow(clippy::cast_precision_loss, reason = "a duration")]
    pub fn seconds(self) -> f64 {
        self.calls as f64 * self.nanoseconds.unwrap_or(0) as f64 / 1e9
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn every_call_is_counted_and_some_are_timed() {
        let clock = Clock::new();
        assert_eq!(clock.seen(0), Timed::default());
        for call in 0..TIMED {
            assert_eq!(clock.time(|| call), call);
        }
        assert_eq!(clock.seen(0).nanoseconds, None);
        clock.time(|| std::thread::sleep(Duration::from_millis(2)));
        let seen = clock.seen(look());
        assert_eq!(seen.calls, TIMED + 1);
        assert!(seen.nanoseconds.unwrap() >= 1_900_000);
        assert!(seen.seconds() >= 0.0019 * 9.0);
        clock.forget();
        assert_eq!(clock.seen(0), Timed::default());
    }

    #[test]
    fn what_processes_have_seen_adds_up() {
        let clocks = [Clock::new(), Clock::new()];
        for (clock, took) in clocks.iter().zip([100, 300]) {
            (0..=TIMED).for_each(|_| clock.time(|| ()));
            clock.forget();
            clock.time(|| ());
            clock.add(took);
        }
        let mut words = Vec::new();
        clocks[0].report(&mut words);
        let mut words = Words::of(&words);
        clocks[1].merge(&mut words);
        assert!(words.is_at_end());
        let seen = Timed {
            calls: 2,
            nanoseconds: Some(200),
        };
        assert_eq!(clocks[1].seen(0), seen);
    }

    #[test]
    fn a_call_that_was_held_up_counts_for_nothing() {
        let clock = Clock::new();
        for took in [100, 120, 140, 1_000, 0] {
            clock.add(took);
        }
        assert_eq!(clock.seen(2).nanoseconds, Some(270));
        clock.add(4_000_000);
        clock.add(u64::MAX >> 8);
        assert_eq!(clock.seen(0).nanoseconds, Some(272));
    }

    #[test]
    fn what_is_beside_masks_is_counted_until_it_is_taken() {
        Beside::Commitment.time(|| Beside::LeakScan.time(|| ()));
        Beside::LeakScan.time(|| ());
        assert_eq!(Beside::LeakScan.taken().calls, 2);
        assert_eq!(Beside::LeakScan.taken().calls, 0);
        assert_eq!(Beside::Commitment.taken().calls, 1);
        Beside::LeakScan.time(|| ());
        let own = Own::begin();
        assert_eq!(Beside::LeakScan.taken().calls, 0);
        Beside::Commitment.time(|| ());
        drop(own);
        assert_eq!(Beside::LeakScan.taken().calls, 1);
        assert_eq!(Beside::Commitment.taken().calls, 0);
    }
}
