//! Runs that are over, measured against each other: what became slower.
//!
//! One run says little: the machine was busy, the cache was cold. So the newest is held against the
//! median of those before it, and counts as slower where it is off by more than they are among
//! themselves.
//!
//! F. R. Hampel, The Influence Curve and its Role in Robust Estimation, J. Am. Stat. Assoc. 69 (1974):
//! the median absolute deviation, times 1.4826 for normal errors.

pub mod profile;
pub mod sql;
pub mod store;

use std::collections::BTreeMap;

/// What a number of a run is about.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Part {
    /// All of it.
    Run,
    /// A phase.
    Phase(String),
    /// The load of a table.
    Table(String),
    /// The masks of a column, by a strategy.
    Column {
        /// Its table.
        table: String,
        /// The column.
        column: String,
        /// The strategy.
        strategy: String,
    },
}

/// A run that is complete: nanoseconds per row, or per call of a mask, of each part of it.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Measured {
    /// Its rows.
    pub rows: f64,
    /// Each part.
    pub parts: BTreeMap<Part, Figure>,
}

/// What a part took.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Figure {
    /// Nanoseconds of each.
    pub nanoseconds: f64,
    /// How many rows or calls there were.
    pub times: f64,
}

/// How a part does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// Too few runs to tell.
    Unknown,
    /// Within what is usual.
    Usual,
    /// Slower than that.
    Slower,
    /// Faster than that.
    Faster,
}

impl Verdict {
    /// The word that is shown.
    pub fn name(self) -> &'static str {
        match self {
            Self::Unknown => "unknown",
            Self::Usual => "usual",
            Self::Slower => "slower",
            Self::Faster => "faster",
        }
    }
}

/// What came of a part.
#[derive(Clone, Debug, PartialEq)]
pub struct Found {
    /// The part.
    pub part: Part,
    /// Nanoseconds of the newest run.
    pub now: f64,
    /// The median of those before; `None` where there are none.
    pub median: Option<f64>,
    /// How far they are from it, as a standard deviation.
    pub deviation: Option<f64>,
    /// How many there were.
    pub runs: usize,
    /// What follows.
    pub verdict: Verdict,
}

/// Fewer runs before tell nothing.
const FEWEST: usize = 3;
/// Deviations that a run may be off.
const DEVIATIONS: f64 = 3.0;
/// And the share of the median that it may be off in any case: no machine is that quiet.
const SHARE: f64 = 0.2;
/// And so many nanoseconds in all: what is on record is in whole milliseconds, and what a busy machine
/// does meanwhile is no news.
const LEAST: f64 = 5e7;
const NORMAL: f64 = 1.4826;

/// Holds the newest run against those before it of its size: up to twice, and down to half its rows.
pub fn compare(newest: &Measured, before: &[Measured]) -> Vec<Found> {
    let alike: Vec<_> = before
        .iter()
        .filter(|run| run.rows <= newest.rows * 2.0 && run.rows * 2.0 >= newest.rows)
        .collect();
    let parts = newest.parts.iter();
    parts
        .map(|(part, figure)| {
            let now = figure.nanoseconds;
            let of: Vec<f64> = alike
                .iter()
                .filter_map(|run| run.parts.get(part))
                .map(|figure| figure.nanoseconds)
                .collect();
            let least = LEAST / figure.times.max(1.0);
            let median = median(of.clone());
            let deviation = median.and_then(|middle| {
                Some(NORMAL * self::median(of.iter().map(|one| (one - middle).abs()).collect())?)
            });
            let verdict = match (median, deviation) {
                (Some(median), Some(deviation)) if of.len() >= FEWEST => {
                    let off = (DEVIATIONS * deviation).max(SHARE * median).max(least);
                    match now - median {
                        more if more > off => Verdict::Slower,
                        more if more < -off => Verdict::Faster,
                        _ => Verdict::Usual,
                    }
                }
                _ => Verdict::Unknown,
            };
            Found {
                part: part.clone(),
                now,
                median,
                deviation,
                runs: of.len(),
                verdict,
            }
        })
        .collect()
}

fn median(mut numbers: Vec<f64>) -> Option<f64> {
    numbers.sort_by(f64::total_cmp);
    let middle = numbers.len() / 2;
    match numbers.len() {
        0 => None,
        odd if odd % 2 == 1 => Some(numbers[middle]),
        _ => Some(f64::midpoint(numbers[middle - 1], numbers[middle])),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn run(rows: f64, nanoseconds: f64) -> Measured {
        Measured {
            rows,
            parts: BTreeMap::from([(
                Part::Run,
                Figure {
                    nanoseconds,
                    times: 1e9,
                },
            )]),
        }
    }

    fn verdict(now: f64, before: &[f64]) -> Verdict {
        let before: Vec<_> = before.iter().map(|of| run(100.0, *of)).collect();
        compare(&run(100.0, now), &before)[0].verdict
    }

    #[test]
    fn medians_are_those_of_the_books() {
        assert_eq!(median(vec![]), None);
        assert_eq!(median(vec![3.0, 1.0, 2.0]), Some(2.0));
        assert_eq!(median(vec![4.0, 1.0, 2.0, 3.0]), Some(2.5));
        let before = [1.0, 1.0, 2.0, 2.0, 4.0, 6.0, 9.0].map(|of| run(1.0, of));
        let found = &compare(&run(1.0, 2.0), &before)[0];
        assert_eq!((found.median, found.runs), (Some(2.0), 7));
        assert!((found.deviation.unwrap() - 1.4826).abs() < 1e-12);
    }

    #[test]
    fn a_run_is_slower_than_those_before_differ_among_themselves() {
        assert_eq!(verdict(100.0, &[100.0, 100.0]), Verdict::Unknown);
        assert_eq!(verdict(119.0, &[100.0, 100.0, 100.0]), Verdict::Usual);
        assert_eq!(verdict(121.0, &[100.0, 100.0, 100.0]), Verdict::Slower);
        assert_eq!(verdict(79.0, &[100.0, 100.0, 100.0]), Verdict::Faster);
        // One that was far off changes nothing.
        assert_eq!(
            verdict(121.0, &[100.0, 100.0, 101.0, 900.0]),
            Verdict::Slower
        );
        // Where they differ much, more is usual.
        assert_eq!(
            verdict(150.0, &[80.0, 100.0, 120.0, 100.0, 140.0]),
            Verdict::Usual
        );
    }

    #[test]
    fn milliseconds_are_no_news() {
        let of = |nanoseconds, rows| Measured {
            rows,
            parts: BTreeMap::from([(
                Part::Run,
                Figure {
                    nanoseconds,
                    times: rows,
                },
            )]),
        };
        let verdict =
            |now, before, rows| compare(&of(now, rows), &vec![of(before, rows); 5])[0].verdict;
        // One millisecond more for 3000 rows, and a second more for three million.
        assert_eq!(verdict(667.0, 333.0, 3e3), Verdict::Usual);
        assert_eq!(verdict(667.0, 0.0, 3e3), Verdict::Usual);
        assert_eq!(verdict(667.0, 333.0, 3e6), Verdict::Slower);
        assert_eq!(verdict(667.0, 0.0, 3e6), Verdict::Slower);
    }

    #[test]
    fn runs_of_another_size_are_left_out() {
        let before = [
            run(40.0, 1.0),
            run(201.0, 1.0),
            run(50.0, 7.0),
            run(200.0, 7.0),
        ];
        let found = &compare(&run(100.0, 7.0), &before)[0];
        assert_eq!((found.runs, found.median), (2, Some(7.0)));
    }
}
