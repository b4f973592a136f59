//! The strength of privacy noise, and what the noise does to statistics.
//!
//! ε is a whole number of millionths, rounded down once, so that what is drawn and what is charged
//! are the same. Formulas: the discrete Laplace distribution P(x) ∝ q^|x| with q = e^(-ε/Δ) has
//! mean 0 and variance 2q/(1-q)² (Inusah and Kozubowski 2006).

use super::grid::Grid;
use crate::error::{Error, Kind, Result};
use crate::strategies::params::{ParamError, Reader};
use crate::strategies::{Strategy, ValueType};

/// The greatest ε there is. The setting `confiture.dp_max_epsilon` is the limit in use, 10 by
/// default: e^10 is 22 026, which is hardly protection.
pub const MAX_EPSILON: f64 = LARGEST;
/// Above it noise is weak: a warning is due.
pub const WEAK_EPSILON: f64 = 5.0;
/// Millionths of 1.
pub const MICRO: u64 = 1_000_000;

/// A strength of privacy: between 0.000001 and a limit, in millionths.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Epsilon(u64);

impl Epsilon {
    /// Takes a number between 0.000001 and `max`, rounded down to millionths.
    pub fn new(number: f64, max: f64) -> Option<Self> {
        let in_bounds = number > 0.0 && number <= max.min(LARGEST);
        // In decimal digits: 0.3 · 10^6 is not 299 999.999….
        let micro = super::decimal::Decimal::of(if in_bounds { number } else { 0.0 }).floor(6);
        match micro.limbs() {
            &[micro] => Some(Self(micro)),
            _ => None,
        }
    }

    /// Takes a number of millionths.
    pub fn of_micro(micro: u64) -> Option<Self> {
        (1..=MOST_MICRO).contains(&micro).then_some(Self(micro))
    }

    /// Reads parameter `epsilon`.
    ///
    /// # Errors
    /// Outside its bounds.
    pub fn read(reader: &Reader<'_>, max: f64) -> Result<Self, ParamError> {
        let number = reader.number("epsilon")?.unwrap_or_default();
        let detail = || format!("It must be between 0.000001 and {max}.");
        let epsilon = Self::new(number, max).ok_or_else(|| reader.invalid("epsilon", detail()))?;
        reader.note("epsilon", epsilon.get());
        Ok(epsilon)
    }

    /// The ε that a strategy spends per value, if it adds noise for privacy.
    pub fn of(strategy: &Strategy) -> Option<Self> {
        match strategy.effective_params().get("epsilon") {
            Some(crate::strategies::Value::Number(number)) => Self::new(number.get(), LARGEST),
            _ => None,
        }
    }

    /// The greatest ε that a strategy or a part of it spends.
    pub fn largest(strategy: &Strategy) -> Option<Self> {
        let all = strategy.with_parts().into_iter();
        all.filter_map(Self::of).max()
    }

    /// Refuses an ε above the limit in use.
    ///
    /// # Errors
    /// `InvalidParameter`.
    pub fn check(self, limit: f64) -> Result<()> {
        if self.get() <= limit {
            return Ok(());
        }
        Err(Error::new(
            Kind::InvalidParameter,
            format!("epsilon must not be greater than {limit}"),
        )
        .with_detail("So much noise as is left hardly protects anybody.")
        .with_hint("A superuser can raise confiture.dp_max_epsilon."))
    }

    /// The number of millionths.
    pub fn micro(self) -> u64 {
        self.0
    }

    /// The number.
    pub fn get(self) -> f64 {
        #[allow(clippy::cast_precision_loss, reason = "far below 2^53")]
        let micro = self.0 as f64;
        micro / 1e6
    }

    /// Whether it is so large that a warning is due.
    pub fn is_weak(self) -> bool {
        self.get() > WEAK_EPSILON
    }
}

/// What noise does: the numbers an analyst needs.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Noise {
    /// Sensitivity divided by ε.
    pub scale: f64,
    /// The standard deviation.
    pub sd: f64,
    /// The variance, which the noise adds to that of the values.
    pub variance: f64,
    /// With 95 % probability the noise is at most this far from 0.
    pub ci95_halfwidth: f64,
}

/// Describes the noise that `dp_noise` adds to values of a type: on its grid, not idealized.
///
/// # Errors
/// `InvalidParameter` for an ε outside its bounds or a sensitivity that does not fit the type.
pub fn noise_params(epsilon: f64, sensitivity: f64, of: ValueType) -> Result<Noise> {
    let epsilon = Epsilon::new(epsilon, LARGEST).ok_or_else(|| {
        let detail = format!("It must be between 0.000001 and {LARGEST}.");
        Error::new(Kind::InvalidParameter, "invalid value for epsilon").with_detail(detail)
    })?;
    let grid = Grid::new(of, sensitivity, &[]).map_err(|detail| {
        let message = "invalid value for sensitivity";
        Error::new(Kind::InvalidParameter, message).with_detail(detail)
    })?;
    let step = grid.step();
    #[allow(clippy::cast_precision_loss, reason = "an estimate")]
    let rate = epsilon.get() / grid.sensitivity as f64;
    // 2q/(1-q)² without the loss of digits near q = 1.
    let variance = (2.0 * (rate / 2.0).sinh().powi(2)).recip() * step * step;
    // P(|x| > w) = 2 q^(w+1) / (1+q).
    let beyond = (0.025 * (1.0 + (-rate).exp())).ln() / -rate;
    Ok(Noise {
        scale: sensitivity / epsilon.get(),
        sd: variance.sqrt(),
        variance,
        ci95_halfwidth: (beyond.ceil() - 1.0).max(0.0) * step,
    })
}

/// Estimates the variance of the values from that of the noisy ones: less that of the noise, and
/// not below 0.
///
/// # Errors
/// As [`noise_params`].
pub fn corrected_variance(
    noisy_variance: f64,
    epsilon: f64,
    sensitivity: f64,
    of: ValueType,
) -> Result<f64> {
    let noise = noise_params(epsilon, sensitivity, of)?;
    Ok((noisy_variance - noise.variance).max(0.0))
}

/// The chances of a randomized response among `choices`: of the truth, and of each other answer.
///
/// # Errors
/// `InvalidParameter` for an ε outside its bounds or fewer than two choices.
pub fn response_params(epsilon: f64, choices: u32) -> Result<(f64, f64)> {
    let epsilon = Epsilon::new(epsilon, LARGEST).filter(|_| choices >= 2);
    let epsilon = epsilon.ok_or_else(|| {
        let detail = format!("It takes an ε from 0.000001 to {LARGEST} and two choices or more.");
        Error::new(Kind::InvalidParameter, "invalid parameters of a response").with_detail(detail)
    })?;
    let lie = (-epsilon.get()).exp();
    let all = 1.0 + f64::from(choices - 1) * lie;
    Ok((1.0 / all, lie / all))
}

/// No caller may ask for more: nothing is protected there, and the sampler counts in 64 bits.
const LARGEST: f64 = 1_000.0;
const MOST_MICRO: u64 = 1_000 * MICRO;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn epsilon_is_counted_in_millionths_and_never_rounded_up() {
        let micro = |number| Epsilon::new(number, MAX_EPSILON).map(Epsilon::micro);
        assert_eq!(micro(1.0), Some(1_000_000));
        assert_eq!(micro(0.1), Some(100_000));
        assert_eq!(micro(0.3), Some(300_000));
        assert_eq!(micro(1e-6), Some(1));
        assert_eq!(micro(0.123_456_9), Some(123_456));
        assert_eq!(micro(10.0), Some(10_000_000));
        for wrong in [
            0.0,
            -0.0,
            -1.0,
            9e-7,
            1_000.000_000_1,
            1e300,
            f64::NAN,
            f64::INFINITY,
            f64::NEG_INFINITY,
            f64::MIN_POSITIVE,
        ] {
            assert_eq!(micro(wrong), None, "{wrong}");
        }
        assert_eq!(Epsilon::new(20.0, 50.0).map(Epsilon::get), Some(20.0));
        assert_eq!(Epsilon::new(2_000.0, 1e9), None);
        assert!(Epsilon(10_000_000).check(10.0).is_ok());
        assert!(Epsilon(10_000_001).check(10.0).is_err());
    }

    #[test]
    fn epsilon_survives_a_round_trip() {
        for micro in [1, 3, 100_000, 333_333, 9_999_999, 10_000_000] {
            let epsilon = Epsilon(micro);
            assert_eq!(Epsilon::new(epsilon.get(), MAX_EPSILON), Some(epsilon));
        }
        assert!(!Epsilon(5_000_000).is_weak() && Epsilon(5_000_001).is_weak());
    }

    #[test]
    fn noise_params_are_those_of_the_distribution() {
        let close = |a: f64, b: f64| assert!((a - b).abs() <= 1e-9 * b.abs(), "{a} {b}");
        for (epsilon, sensitivity) in [(1.0, 1.0), (0.1, 1.0), (1.0, 200.0), (10.0, 3.0)] {
            let noise = noise_params(epsilon, sensitivity, ValueType::Int64).unwrap();
            let q: f64 = f64::exp(-epsilon / sensitivity);
            close(noise.scale, sensitivity / epsilon);
            close(noise.variance, 2.0 * q / (1.0 - q).powi(2));
            close(noise.sd * noise.sd, noise.variance);
            let outside = |w: f64| 2.0 * q.powf(w + 1.0) / (1.0 + q);
            assert!(outside(noise.ci95_halfwidth) <= 0.05);
            assert!(noise.ci95_halfwidth == 0.0 || outside(noise.ci95_halfwidth - 1.0) > 0.05);
        }
        // On a fine grid it is the Laplace distribution: variance 2b², 95 % within b·ln 20.
        let noise = noise_params(0.5, 10.0, ValueType::Float64).unwrap();
        assert!((noise.variance / 800.0 - 1.0).abs() < 1e-6, "{noise:?}");
        assert!((noise.ci95_halfwidth / (20.0 * 20_f64.ln()) - 1.0).abs() < 1e-6);
        // Cents: the grid follows the digits of the sensitivity.
        let cents = noise_params(1.0, 0.01, ValueType::Numeric).unwrap();
        let whole = noise_params(1.0, 1.0, ValueType::Numeric).unwrap();
        close(cents.variance, whole.variance / 1e4);
        let salary = noise_params(1.0, 200_000.0, ValueType::Int32).unwrap();
        assert!((salary.sd - 282_842.712).abs() < 0.01);
    }

    #[test]
    fn noise_params_refuse_what_the_strategy_refuses() {
        for (epsilon, sensitivity) in [
            (0.0, 1.0),
            (f64::NAN, 1.0),
            (1.0, 0.0),
            (1.0, -1.0),
            (1.0, f64::NAN),
            (1.0, 0.5),
            (1.0, f64::INFINITY),
        ] {
            let error = noise_params(epsilon, sensitivity, ValueType::Int32).unwrap_err();
            assert_eq!(error.kind().sqlstate().as_str(), "22023");
        }
    }

    #[test]
    fn corrected_variance_takes_the_noise_out() {
        let noise = noise_params(1.0, 10.0, ValueType::Int32).unwrap();
        let corrected = |noisy| corrected_variance(noisy, 1.0, 10.0, ValueType::Int32).unwrap();
        assert!((corrected(noise.variance + 42.0) - 42.0).abs() < 1e-9);
        assert_eq!(corrected(1.0), 0.0);
    }

    #[test]
    fn response_params_have_the_ratio_and_the_sum() {
        for (epsilon, choices) in [(1.0, 2), (0.1, 7), (5.0, 1000)] {
            let (truth, other) = response_params(epsilon, choices).unwrap();
            assert!((truth / other / f64::exp(epsilon) - 1.0).abs() < 1e-12);
            assert!((truth + f64::from(choices - 1) * other - 1.0).abs() < 1e-12);
        }
        assert!(response_params(1.0, 1).is_err() && response_params(0.0, 2).is_err());
    }
}
