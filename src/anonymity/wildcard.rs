//! Classes in which NULL stands for any value, as in sdcMicro (Templ, Kowarik and Meindl 2015): a
//! record is told from those that have another value where both have one.

use std::collections::{BTreeMap, HashMap};

use crate::strategies::pause;

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
    let sums = sums(combinations, |place| [combinations[place].rows]);
    sums.into_iter().map(|[rows]| rows).collect()
}

/// For each combination the sums of what belongs to all that match it, itself included.
///
/// Combinations with the same columns NULL are looked up together, so that the time goes by how many
/// combinations and patterns of NULL there are, and not by pairs of combinations.
pub fn sums<const N: usize>(
    combinations: &[Combination],
    of: impl Fn(usize) -> [u64; N],
) -> Vec<[u64; N]> {
    let mut sums = vec![[0_u64; N]; combinations.len()];
    let patterns = patterns(combinations);
    for (mine, places) in &patterns {
        for (theirs, others) in &patterns {
            let both = both(mine, theirs);
            let mut table: HashMap<Vec<Option<u64>>, [u64; N]> = HashMap::new();
            for other in others {
                pause::now();
                let sum = table
                    .entry(key(&both, &combinations[*other]))
                    .or_insert([0; N]);
                add(sum, of(*other));
            }
            for place in places {
                pause::now();
                if let Some(sum) = table.get(&key(&both, &combinations[*place])) {
                    add(&mut sums[*place], *sum);
                }
            }
        }
    }
    sums
}

fn add<const N: usize>(sum: &mut [u64; N], more: [u64; N]) {
    for (sum, more) in sum.iter_mut().zip(more) {
        *sum = sum.saturating_add(more);
    }
}

/// Goes over the combinations, each with the places of all that match it, itself included. The time
/// goes by how many match.
pub fn each(combinations: &[Combination], mut take: impl FnMut(usize, &[usize])) {
    let patterns = patterns(combinations);
    for (mine, places) in &patterns {
        let tables: Vec<_> = patterns
            .iter()
            .map(|(theirs, others)| {
                let both = both(mine, theirs);
                let mut table: HashMap<_, Vec<usize>> = HashMap::new();
                for other in others {
                    let key = key(&both, &combinations[*other]);
                    table.entry(key).or_default().push(*other);
                }
                (both, table)
            })
            .collect();
        let mut found = Vec::new();
        for place in places {
            pause::now();
            found.clear();
            for (both, table) in &tables {
                let matching = table.get(&key(both, &combinations[*place]));
                found.extend(matching.into_iter().flatten());
            }
            take(*place, &found);
        }
    }
}

/// The places of the combinations, by the columns in which they are NULL.
fn patterns(combinations: &[Combination]) -> BTreeMap<Vec<bool>, Vec<usize>> {
    let mut patterns: BTreeMap<Vec<bool>, Vec<usize>> = BTreeMap::new();
    for (place, combination) in combinations.iter().enumerate() {
        let pattern = combination.values.iter().map(Option::is_none).collect();
        patterns.entry(pattern).or_default().push(place);
    }
    patterns
}

/// The columns in which combinations of either pattern have values.
fn both(mine: &[bool], theirs: &[bool]) -> Vec<usize> {
    let is_there = |column: &usize| !mine[*column] && !theirs[*column];
    (0..mine.len()).filter(is_there).collect()
}

fn key(columns: &[usize], combination: &Combination) -> Vec<Option<u64>> {
    columns
        .iter()
        .map(|column| combination.values[*column])
        .collect()
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
            each(&combinations, |place, others| {
                let rows: u64 = others.iter().map(|other| combinations[*other].rows).sum();
                assert_eq!(rows, slowly[place]);
            });
        }
    }
}
