//! Exact sampling of the discrete Laplace distribution, in whole numbers only.
//!
//! P(x) ∝ e^(-|x|·s/t) with scale t/s = Δ·10^6 / micro-ε, reduced. No floating point: added noise
//! has no holes that would tell two values apart (Mironov 2012), and no probability is rounded.
//! Source: Canonne, Kamath, Steinke, "The Discrete Gaussian for Differential Privacy" (2020),
//! algorithms 1 and 2; uniform numbers by rejection (Lemire 2019). How long a draw takes depends on
//! what is drawn: nothing is promised against somebody who measures time inside the server.

use super::epsilon::{Epsilon, MICRO};
use crate::error::{Error, Kind, Result};

/// The greatest sensitivity: times 10^6 it stays below 2^63.
pub const MAX_SENSITIVITY: u64 = (1 << 63) / MICRO;

/// The distribution of one sensitivity and one ε.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Laplace {
    t: u64,
    s: u64,
}

impl Laplace {
    /// Makes the distribution for whole numbers of which two neighbors differ by at most
    /// `sensitivity`, 1 to [`MAX_SENSITIVITY`]; none outside that.
    pub fn new(sensitivity: u64, epsilon: Epsilon) -> Option<Self> {
        if !(1..=MAX_SENSITIVITY).contains(&sensitivity) {
            return None;
        }
        let (t, s) = (sensitivity * MICRO, epsilon.micro());
        let divisor = greatest_common_divisor(t, s);
        Some(Self {
            t: t / divisor,
            s: s / divisor,
        })
    }

    /// Draws a number.
    ///
    /// # Errors
    /// What the source of words reports; `Internal` for a source that is stuck.
    pub fn sample<F: FnMut() -> Result<u64>>(&self, coins: &mut Coins<F>) -> Result<i128> {
        loop {
            let u = coins.below(self.t)?;
            if !coins.exp_of_fraction(u, self.t)? {
                continue;
            }
            let mut v: u64 = 0;
            while coins.exp_of_fraction(1, 1)? {
                v += 1;
            }
            // v is below 2^32, for a source gives no more words for one draw.
            let x = u128::from(u) + u128::from(self.t) * u128::from(v);
            let y = match u64::try_from(x) {
                Ok(x) => u128::from(x / self.s),
                Err(_) => x / u128::from(self.s),
            };
            let y = y.cast_signed();
            // Zero counts once, not once per sign.
            match coins.flip()? {
                false => return Ok(y),
                true if y != 0 => return Ok(-y),
                true => {}
            }
        }
    }
}

/// Fair decisions made from words of 64 random bits, for one draw.
pub struct Coins<F> {
    source: F,
    words: u32,
    pool: u64,
    left: u32,
}

impl<F: FnMut() -> Result<u64>> Coins<F> {
    /// Makes decisions from a source of independent uniform words.
    pub fn new(source: F) -> Self {
        Self {
            source,
            words: 0,
            pool: 0,
            left: 0,
        }
    }

    /// Draws a number below `bound` (at least 1), each equally likely.
    ///
    /// # Errors
    /// As [`Laplace::sample`].
    pub fn below(&mut self, bound: u64) -> Result<u64> {
        match bound {
            0 | 1 => Ok(0),
            2..=BYTES => {
                let fair = BYTES - BYTES % bound;
                loop {
                    let byte = self.take(8)?;
                    if byte < fair {
                        return Ok(byte % bound);
                    }
                }
            }
            257..=HALF => loop {
                let product = self.take(32)? * bound;
                let low = product % HALF;
                // The remainder costs a division: it matters only where `low` is that small.
                if low >= bound || low >= HALF % bound {
                    return Ok(product / HALF);
                }
            },
            _ => loop {
                let product = u128::from(self.word()?) * u128::from(bound);
                let [high, low] = [product >> 64, product & u128::from(u64::MAX)]
                    .map(|half| u64::try_from(half).unwrap_or(u64::MAX));
                if low >= bound || low >= bound.wrapping_neg() % bound {
                    return Ok(high);
                }
            },
        }
    }

    /// Decides with probability e^(-numerator/denominator) for yes.
    ///
    /// # Errors
    /// As [`Laplace::sample`].
    pub fn exp(&mut self, numerator: u64, denominator: u64) -> Result<bool> {
        for _ in 0..numerator / denominator.max(1) {
            if !self.exp_of_fraction(1, 1)? {
                return Ok(false);
            }
        }
        self.exp_of_fraction(numerator % denominator.max(1), denominator)
    }

    /// The same for a fraction of at most 1: how long a run of decisions with probability
    /// fraction/1, fraction/2, fraction/3 … lasts is even or odd with the right chances, for the
    /// sum is the series of the exponential function.
    fn exp_of_fraction(&mut self, numerator: u64, denominator: u64) -> Result<bool> {
        if numerator == 0 {
            return Ok(true);
        }
        let mut k: u64 = 1;
        // Probability fraction/k as two independent decisions, so that 64 bits are enough.
        while self.below(k)? == 0
            && (numerator == denominator || self.below(denominator)? < numerator)
        {
            k += 1;
        }
        Ok(k % 2 == 1)
    }

    /// Decides evenly.
    fn flip(&mut self) -> Result<bool> {
        Ok(self.take(1)? == 1)
    }

    /// Takes a few bits, the lowest of a word first; what is left of a word and too short is
    /// dropped.
    fn take(&mut self, bits: u32) -> Result<u64> {
        if self.left < bits {
            self.pool = self.word()?;
            self.left = 64;
        }
        let taken = self.pool & ((1 << bits) - 1);
        self.pool >>= bits;
        self.left -= bits;
        Ok(taken)
    }

    fn word(&mut self) -> Result<u64> {
        if self.words == MOST_WORDS {
            let message = "the source of random words is stuck";
            return Err(Error::new(Kind::Internal, message));
        }
        self.words += 1;
        (self.source)()
    }
}

fn greatest_common_divisor(mut a: u64, mut b: u64) -> u64 {
    while b != 0 {
        (a, b) = (b, a % b);
    }
    a
}

/// A draw takes five words or so. Needing so many has a probability below 2^-1000 with a source
/// that works, and would otherwise be an endless loop with one that does not.
const MOST_WORDS: u32 = 1 << 22;
const BYTES: u64 = 1 << 8;
const HALF: u64 = 1 << 32;

#[cfg(test)]
pub(crate) mod tests {
    use super::*;
    use crate::strategies::measure::epsilon::MAX_EPSILON;

    fn laplace(sensitivity: u64, epsilon: f64) -> Laplace {
        Laplace::new(sensitivity, Epsilon::new(epsilon, MAX_EPSILON).unwrap()).unwrap()
    }

    /// SplitMix64: a fixed stream of words.
    pub(crate) fn words(mut state: u64) -> impl FnMut() -> Result<u64> {
        move || {
            state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
            let mut word = state;
            word = (word ^ (word >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
            word = (word ^ (word >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
            Ok(word ^ (word >> 31))
        }
    }

    #[test]
    fn laplace_scale_is_reduced() {
        assert_eq!(laplace(1, 1.0), Laplace { t: 1, s: 1 });
        assert_eq!(laplace(1, 0.1), Laplace { t: 10, s: 1 });
        assert_eq!(laplace(3, 10.0), Laplace { t: 3, s: 10 });
        assert_eq!(
            laplace(1, 0.123_457),
            Laplace {
                t: 1_000_000,
                s: 123_457
            }
        );
        let epsilon = Epsilon::new(1.0, MAX_EPSILON).unwrap();
        assert_eq!(Laplace::new(0, epsilon), None);
        assert_eq!(Laplace::new(MAX_SENSITIVITY + 1, epsilon), None);
    }

    #[test]
    fn laplace_extremes_neither_overflow_nor_loop() {
        for (sensitivity, epsilon) in [
            (MAX_SENSITIVITY, 1e-6),
            (MAX_SENSITIVITY, 10.0),
            (1, 1e-6),
            (1, 10.0),
            (MAX_SENSITIVITY - 1, 0.999_999),
        ] {
            let laplace = laplace(sensitivity, epsilon);
            let mut source = words(1);
            let mut largest = 0;
            for _ in 0..2_000 {
                let drawn = laplace.sample(&mut Coins::new(&mut source)).unwrap();
                largest = largest.max(drawn.unsigned_abs());
            }
            let scale = u128::from(sensitivity) * 1_000_000 / u128::from(laplace.s.max(1));
            assert!(largest < 40 * scale.max(1), "{largest} {scale}");
        }
    }

    #[test]
    fn laplace_reports_a_stuck_source() {
        for word in [0, 1, u64::MAX, 0x5555_5555_5555_5555, 1 << 63] {
            for (sensitivity, epsilon) in [(1, 1.0), (1_000, 0.3), (MAX_SENSITIVITY, 1e-6)] {
                let drawn = laplace(sensitivity, epsilon).sample(&mut Coins::new(|| Ok(word)));
                if let Err(error) = drawn {
                    assert_eq!(error.message(), "the source of random words is stuck");
                }
            }
        }
        let broken = || Err(Error::new(Kind::Internal, "no words"));
        assert!(laplace(1, 1.0).sample(&mut Coins::new(broken)).is_err());
    }

    #[test]
    fn coins_are_even_below_every_bound() {
        for bound in [
            2,
            3,
            7,
            255,
            256,
            257,
            1_000,
            HALF - 1,
            HALF,
            HALF + 1,
            u64::MAX,
        ] {
            let mut coins = Coins::new(words(bound));
            let mut counts = [0_u32; 4];
            for _ in 0..4_000 {
                let drawn = coins.below(bound).unwrap();
                assert!(drawn < bound);
                let quarter = u128::from(drawn) * 4 / u128::from(bound);
                counts[usize::try_from(quarter).unwrap()] += 1;
            }
            let spread = |low: u64, high: u64| {
                let share = |n: u64| (u128::from(n) * u128::from(bound)).div_ceil(4);
                4_000.0 * (share(high) - share(low)) as f64 / bound as f64
            };
            for (quarter, count) in (0..4).zip(counts) {
                let expected = spread(quarter, quarter + 1);
                // Seven standard deviations and a little.
                assert!(
                    (f64::from(count) - expected).abs() < 200.0,
                    "{bound} {counts:?}"
                );
            }
        }
    }

    #[test]
    fn coins_decide_by_the_exponential_function() {
        for (numerator, denominator) in [(0, 5), (1, 10), (1, 1), (7, 3), (5_000_000, MICRO)] {
            let mut coins = Coins::new(words(numerator));
            let rounds = 100_000;
            // Every decision is a draw of its own, as far as the limit on words goes.
            let yes = (0..rounds)
                .filter(|_| coins.exp(numerator, denominator).unwrap())
                .count();
            let expected = (-(numerator as f64) / denominator as f64).exp();
            let share = yes as f64 / f64::from(rounds);
            assert!(
                (share - expected).abs() < 0.01,
                "{numerator}/{denominator}: {share}"
            );
        }
    }
}
