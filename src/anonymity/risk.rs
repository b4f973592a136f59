//! How likely a record is found again by who knows its quasi-identifiers (El Emam 2013): the
//! prosecutor knows that the person is in the table, the journalist that the person is in the
//! population it was taken from, the marketer wants as many as possible.

use std::collections::BTreeMap;

use super::fraction::{Sum, float, quotient};

/// How many classes have how many rows.
pub type Sizes = BTreeMap<u64, u64>;

/// One view of the risk.
#[derive(Clone, Debug, PartialEq)]
pub struct Risk {
    /// `prosecutor`, `journalist` or `marketer`.
    pub model: &'static str,
    /// The risk of the record that is easiest to find.
    pub max: Option<f64>,
    /// The mean over all records.
    pub average: Option<f64>,
    /// The share of records whose risk is above the threshold.
    pub at_risk: Option<f64>,
    /// How many records one would expect to be found.
    pub expected: Option<f64>,
}

/// The classes of a table, by their sizes.
#[derive(Clone, Debug, Default)]
pub struct Records {
    /// Rows of the table, by how many records there are to be told from.
    rows: BTreeMap<u64, u64>,
    classes: u64,
}

impl Records {
    /// Those of a table by itself.
    pub fn of(sizes: &Sizes) -> Self {
        let mut records = Self::default();
        for (size, classes) in sizes {
            records.add(*size, *size, *classes);
        }
        records
    }

    /// Takes in classes of `rows` records each that are `among` records of the population.
    pub fn add(&mut self, rows: u64, among: u64, classes: u64) {
        *self.rows.entry(among).or_default() += rows * classes;
        self.classes += classes;
    }

    /// How many records there are.
    pub fn count(&self) -> u64 {
        self.rows.values().sum()
    }

    fn risk(&self, model: &'static str, threshold: f64) -> Risk {
        let all = self.count();
        if all == 0 {
            return Risk::unknown(model);
        }
        let mut expected = Sum::default();
        let mut above = 0_u64;
        for (among, rows) in &self.rows {
            expected.add(quotient((*rows).into(), (*among).into()));
            if quotient(1, (*among).into()) > threshold {
                above += rows;
            }
        }
        let expected = expected.value();
        let fewest = self.rows.keys().next().copied().unwrap_or(1);
        Risk {
            model,
            max: Some(quotient(1, fewest.into())),
            average: Some(expected / float(all.into())),
            at_risk: Some(quotient(above.into(), all.into())),
            expected: Some(expected),
        }
    }

    /// All three, with the population where it is known; without it nothing is said of what a
    /// journalist knows, and the marketer knows who is in the table.
    pub fn risks(&self, population: Option<&Self>, threshold: f64) -> [Risk; 3] {
        let prosecutor = self.risk("prosecutor", threshold);
        let journalist = match population {
            Some(population) => population.risk("journalist", threshold),
            None => Risk::unknown("journalist"),
        };
        let known = population.map_or(&prosecutor, |_| &journalist);
        let marketer = Risk {
            model: "marketer",
            max: None,
            at_risk: None,
            ..known.clone()
        };
        [prosecutor, journalist, marketer]
    }
}

impl Risk {
    fn unknown(model: &'static str) -> Self {
        Self {
            model,
            max: None,
            average: None,
            at_risk: None,
            expected: None,
        }
    }
}

/// How many rows classes of these sizes have together.
pub fn rows(sizes: &Sizes) -> u64 {
    sizes.iter().map(|(size, classes)| size * classes).sum()
}

/// How many rows are in classes of less than `k`.
pub fn rows_below(sizes: &Sizes, k: u64) -> u64 {
    sizes.range(..k).map(|(size, classes)| size * classes).sum()
}

/// The size of the smallest class; `None` without one.
pub fn smallest(sizes: &Sizes) -> Option<u64> {
    sizes.keys().next().copied()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn risk_of_nothing_is_unknown() {
        let nothing = Records::of(&Sizes::new());
        for risk in nothing.risks(Some(&nothing), 0.2) {
            assert_eq!(risk, Risk::unknown(risk.model));
        }
    }

    #[test]
    fn prosecutor_is_one_over_the_class() {
        // Classes of 1, 1, 2 and 6 rows.
        let sizes = Sizes::from([(1, 2), (2, 1), (6, 1)]);
        let [prosecutor, journalist, marketer] = Records::of(&sizes).risks(None, 0.5);
        assert_eq!(prosecutor.max, Some(1.0));
        assert_eq!(prosecutor.average, Some(0.4));
        assert_eq!(prosecutor.at_risk, Some(0.2));
        assert_eq!(prosecutor.expected, Some(4.0));
        assert_eq!(journalist, Risk::unknown("journalist"));
        assert_eq!((marketer.max, marketer.at_risk), (None, None));
        assert_eq!(
            (marketer.average, marketer.expected),
            (Some(0.4), Some(4.0))
        );
        assert_eq!(
            (rows(&sizes), rows_below(&sizes, 2), smallest(&sizes)),
            (10, 2, Some(1))
        );
    }

    #[test]
    fn journalist_counts_the_population() {
        let mut known = Records::default();
        // One row of 4, two of 8, each a class.
        known.add(1, 4, 1);
        known.add(2, 8, 1);
        let sample = Records::of(&Sizes::from([(1, 1), (2, 1)]));
        let [_, journalist, marketer] = sample.risks(Some(&known), 0.2);
        assert_eq!(journalist.max, Some(0.25));
        assert_eq!(journalist.expected, Some(0.5));
        assert_eq!(marketer.average, Some(0.5 / 3.0));
        assert_eq!(journalist.at_risk, Some(1.0 / 3.0));
    }
}
