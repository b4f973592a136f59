//! Classes in which NULL stands for any value, as in sdcMicro (Templ, Kowarik and Meindl 2015): a
//! record is told from those that have another value where both have one.

use std::collections::{BTreeMap, HashMap};

/// A combination of values: the number of each, none for NULL, and how many rows have it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Combination {
    /// By column.
    pub values: Vec<Option<u64>>,
    /// Rows.
    pub rows: u64,
}

/// How many rows match each combination, itself included.
pub fn matches(combinations: &[Combination]) -> Vec<u64> {
    let mut found = vec![0; combinations.len()];
    each(combinations, |place, others| {
        found[place] = others.iter().map(|other| combinations[*other].rows).sum();
    });
    found
}

/// Goes over the combinations, each with the places of all that match it, itself included.
///
/// Combinations with the same columns NULL are looked up together, so that the time goes by how many
/// such patterns there are and by how many match, and not by pairs of combinations.
pub fn each(combinations: &[Combination], mut take: impl FnMut(usize, &[usize])) {
    let mut patterns: BTreeMap<Vec<bool>, Vec<usize>> = BTreeMap::new();
    for (place, combination) in combinations.iter().enumerate() {
        let pattern = combination.values.iter().map(Option::is_none).collect();
        patterns.entry(pattern).or_default().push(place);
    }
    for (mine, places) in &patterns {
        let tables: Vec<Table> = patterns
            .iter()
            .map(|(theirs, others)| Table::new(combinations, mine, theirs, others))
            .collect();
        let mut found = Vec::new();
        for place in places {
            found.clear();
            for table in &tables {
                found.extend_from_slice(table.get(&combinations[*place]));
            }
            take(*place, &found);
        }
    }
}

/// Combinations of one pattern, by their values in the columns where another pattern has values too.
struct Table {
    both: Vec<usize>,
    places: HashMap<Vec<Option<u64>>, Vec<usize>>,
}

impl Table {
    fn new(all: &[Combination], mine: &[bool], theirs: &[bool], others: &[usize]) -> Self {
        let mut table = Self {
            both: (0..mine.len())
                .filter(|column| !mine[*column] && !theirs[*column])
                .collect(),
            places: HashMap::new(),
        };
        for other in others {
            let key = table.key(&all[*other]);
            table.places.entry(key).or_default().push(*other);
        }
        table
    }

    fn key(&self, combination: &Combination) -> Vec<Option<u64>> {
        self.both
            .iter()
            .map(|column| combination.values[*column])
            .collect()
    }

    fn get(&self, combination: &Combination) -> &[usize] {
        self.places
            .get(&self.key(combination))
            .map_or(&[], Vec::as_slice)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::anonymity::numbers::Numbers;

    /// `test_freqCalc.R` of sdcMicro, three columns of eight records.
    const A: [u64; 8] = [2, 3, 2, 2, 3, 3, 1, 2];
    const B: [u64; 8] = [3, 3, 3, 3, 3, 3, 4, 3];
    const C: [u64; 8] = [1, 3, 1, 2, 1, 1, 1, 1];

    fn fixture(is_null: impl Fn(usize) -> bool) -> Vec<Combination> {
        (0..8)
            .map(|row| Combination {
                values: vec![
                    Some(A[row]),
                    Some(B[row]),
                    (!is_null(row)).then_some(C[row]),
                ],
                rows: 1,
            })
            .collect()
    }

    #[test]
    fn wildcards_match_as_in_sdcmicro() {
        assert_eq!(matches(&fixture(|_| false)), [3, 1, 3, 1, 2, 2, 1, 3]);
        let third_and_seventh = |row| row == 2 || row == 6;
        assert_eq!(
            matches(&fixture(third_and_seventh)),
            [3, 1, 4, 2, 2, 2, 1, 3]
        );
    }

    #[test]
    fn wildcards_match_as_pair_by_pair() {
        let mut numbers = Numbers::new(3);
        for _ in 0..200 {
            let columns = numbers.below(4) + 1;
            let combinations: Vec<Combination> = (0..numbers.below(20))
                .map(|_| Combination {
                    values: (0..columns)
                        .map(|_| numbers.below(4).checked_sub(1))
                        .collect(),
                    rows: numbers.below(5) + 1,
                })
                .collect();
            let slowly: Vec<u64> = combinations
                .iter()
                .map(|one| {
                    let matching = combinations.iter().filter(|other| {
                        let mut pairs = one.values.iter().zip(&other.values);
                        pairs.all(|(a, b)| a.is_none() || b.is_none() || a == b)
                    });
                    matching.map(|other| other.rows).sum()
                })
                .collect();
            assert_eq!(matches(&combinations), slowly);
        }
    }
}
