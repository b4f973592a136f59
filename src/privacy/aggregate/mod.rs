//! Aggregates for an analyst who is trusted with the rows: the answer is private, the way to it is not.
//!
//! ε, bounds and the rest must be the same for every row, and are read from the plan and not from the
//! rows: an ε that a row could choose would tell of that row. So errors are the same for an empty
//! input and for any other, and a group without rows is answered as well.

pub mod sql;

use super::amount::{Delta, Epsilon};
use super::answer::mean::mean;
use super::answer::quantile::{Share, quantile};
use super::answer::range::Range;
use super::answer::units::{Key, Units};
use super::answer::{laplace, noisy};
use super::charge::Bill;
use crate::error::{Error, Kind, Result};
use crate::strategies::Datum;
use crate::strategies::measure::laplace::Coins;

/// What an aggregate computes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Question {
    /// How many units.
    Units,
    /// How many rows, of each unit at most so many.
    Rows(u32),
    /// The sum of what units have in all, each within the range.
    Sum(Range),
    /// The mean of the units' means, each within the range.
    Mean(Range),
    /// That share of the units' means is below it.
    Quantile(Range, Share),
}

/// An aggregate with all that is fixed for a statement.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Terms {
    /// What is asked.
    pub question: Question,
    /// What it costs.
    pub epsilon: Epsilon,
}

/// What comes out.
#[derive(Clone, Debug, PartialEq)]
pub enum Answer {
    /// A whole number.
    Count(i64),
    /// A value of the type.
    Value(Datum<'static>),
    /// A double.
    Double(f64),
}

impl Terms {
    /// Checks that there is noise for them: before anything is read or charged.
    ///
    /// # Errors
    /// 22023.
    pub fn check(&self) -> Result<()> {
        match self.question {
            Question::Units => laplace(1, self.epsilon).map(drop),
            Question::Rows(most) => laplace(most.into(), self.epsilon).map(drop),
            Question::Sum(range) => laplace(range.reach(), self.epsilon).map(drop),
            Question::Mean(range) => {
                if self.epsilon.units() < 2 {
                    return Err(Error::new(
                        Kind::InvalidParameter,
                        "epsilon of a mean must be at least 0.000002",
                    ));
                }
                laplace(range.width(), self.epsilon).map(drop)
            }
            Question::Quantile(range, _) => range.check_apart(),
        }
    }

    /// What is charged for one answer.
    pub fn bill(&self) -> Bill<'static> {
        let (about, how) = match self.question {
            Question::Units => ("anon_dp_count", "laplace, of units".to_owned()),
            Question::Rows(most) => (
                "anon_dp_count",
                format!("laplace, of rows, at most {most} of a unit"),
            ),
            Question::Sum(range) => (
                "anon_dp_sum",
                format!(
                    "laplace, sensitivity {} steps of {}",
                    range.reach(),
                    range.step()
                ),
            ),
            Question::Mean(range) => (
                "anon_dp_avg",
                format!("laplace, width {} steps of {}", range.width(), range.step()),
            ),
            Question::Quantile(..) => ("anon_dp_quantile", "permute-and-flip".to_owned()),
        };
        Bill {
            about,
            how,
            epsilon: self.epsilon,
            delta: Delta::ZERO,
        }
    }

    /// The answer about units, with noise.
    ///
    /// # Errors
    /// What the source of words reports.
    pub fn answer<F: FnMut() -> Result<u64>>(&self, units: &Units, words: F) -> Result<Answer> {
        let coins = &mut Coins::new(words);
        let epsilon = self.epsilon;
        let count = |exact, sensitivity, coins: &mut Coins<F>| {
            let count = noisy(exact, sensitivity, epsilon, coins)?;
            let count = count.clamp(i64::MIN.into(), i64::MAX.into());
            Ok::<_, Error>(Answer::Count(i64::try_from(count).unwrap_or(0)))
        };
        Ok(match self.question {
            Question::Units => count(units.count(), 1, coins)?,
            Question::Rows(most) => count(units.rows(most.into()), most.into(), coins)?,
            Question::Sum(range) => {
                let sum = noisy(units.sum(&range), range.reach(), epsilon, coins)?;
                Answer::Value(range.value(sum))
            }
            Question::Mean(range) => Answer::Double(mean(units, &range, epsilon, coins)?.value),
            Question::Quantile(range, share) => {
                Answer::Value(range.value(quantile(units, share, &range, epsilon, coins)?))
            }
        })
    }
}

/// A group as it is gathered.
pub struct Gathered {
    /// What is asked of it.
    pub terms: Terms,
    /// The seeds under which its units are told apart.
    pub seeds: Key,
    /// Its units.
    pub units: Units,
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::strategies::ValueType;
    use crate::strategies::measure::laplace::tests::words;

    fn terms(question: Question, epsilon: &str) -> Terms {
        Terms {
            question,
            epsilon: Epsilon::parse("epsilon", epsilon).unwrap(),
        }
    }

    fn range(lower: i64, upper: i64) -> Range {
        Range::new(ValueType::Int64, &Datum::Int(lower), &Datum::Int(upper)).unwrap()
    }

    fn units(count: u64, value: i128) -> Units {
        let mut units = Units::default();
        for key in 0..count {
            units.take((key, key), Some(value));
        }
        units
    }

    #[test]
    fn answers_are_near_the_truth() {
        let mut words = words(3);
        let units = units(10_000, 40);
        let mut answer = |question| terms(question, "1").answer(&units, &mut words).unwrap();
        assert!(matches!(
            answer(Question::Units),
            Answer::Count(9_950..=10_050)
        ));
        assert!(matches!(
            answer(Question::Rows(3)),
            Answer::Count(9_900..=10_100)
        ));
        let Answer::Value(Datum::Int(sum)) = answer(Question::Sum(range(0, 100))) else {
            panic!("a whole number");
        };
        assert!((395_000..405_000).contains(&sum));
        let Answer::Double(mean) = answer(Question::Mean(range(0, 100))) else {
            panic!("a double");
        };
        assert!((mean - 40.0).abs() < 1.0);
    }

    #[test]
    fn nobody_is_answered_too() {
        let mut words = words(4);
        let none = Units::default();
        for question in [
            Question::Units,
            Question::Sum(range(-5, 5)),
            Question::Mean(range(1, 9)),
        ] {
            let answer = terms(question, "0.5").answer(&none, &mut words).unwrap();
            if let Answer::Double(mean) = answer {
                assert!((1.0..=9.0).contains(&mean));
            }
        }
    }

    #[test]
    fn terms_without_noise_are_refused() {
        assert!(terms(Question::Rows(0), "1").check().is_err());
        assert!(terms(Question::Mean(range(4, 4)), "1").check().is_err());
        assert!(
            terms(Question::Mean(range(1, 4)), "0.000001")
                .check()
                .is_err()
        );
        assert!(terms(Question::Units, "0").check().is_err());
        terms(Question::Units, "0.000001").check().unwrap();
    }
}
