//! The search, held against trying every node.

use super::*;
use crate::anonymity::numbers::Numbers;

fn width(axis: &Axis) -> u32 {
    u32::try_from(axis.levels[0].len()).unwrap_or_default()
}

/// A table of some columns whose levels merge groups at random.
fn table(numbers: &mut Numbers) -> Table {
    let columns = numbers.small(3) + 1;
    let axes: Vec<Axis> = (0..columns)
        .map(|_| {
            let mut groups = numbers.small(5) + 1;
            let mut levels: Vec<Vec<u32>> = vec![(0..groups).collect()];
            for _ in 0..numbers.small(4) {
                let fewer = numbers.small(groups) + 1;
                let merge: Vec<u32> = (0..groups)
                    .map(|group| match group < fewer {
                        true => group,
                        false => numbers.small(fewer),
                    })
                    .collect();
                let next = levels[levels.len() - 1].iter();
                levels.push(next.map(|group| merge[*group as usize]).collect());
                groups = fewer;
            }
            Axis { levels }
        })
        .collect();
    let combinations = (0..numbers.below(20) + 1)
        .map(|_| {
            let value = |axis: &Axis| numbers.small(width(axis));
            let values: Vec<u32> = axes.iter().map(value).collect();
            (values, 1)
        })
        .collect();
    Table::new(axes, combinations)
}

fn all_levels(heights: &[usize]) -> Vec<Vec<usize>> {
    let mut all = vec![Vec::new()];
    for height in heights {
        all = all
            .into_iter()
            .flat_map(|levels: Vec<usize>| {
                (0..=*height).map(move |level| {
                    let mut longer = levels.clone();
                    longer.push(level);
                    longer
                })
            })
            .collect();
    }
    all
}

fn loss(levels: &[usize], heights: &[usize]) -> f64 {
    let parts: Vec<f64> = levels
        .iter()
        .zip(heights)
        .filter(|(_, height)| **height > 0)
        .map(|(level, height)| *level as f64 / *height as f64)
        .collect();
    parts.iter().sum::<f64>() / (parts.len().max(1) as f64)
}

#[test]
fn search_finds_what_trying_all_finds() {
    let mut numbers = Numbers::new(5);
    for round in 0..2000 {
        let table = table(&mut numbers);
        let (k, most) = (numbers.below(6) + 1, numbers.below(5));
        let found = least(&table, k, most, || ()).expect("small");
        let heights = table.heights();
        let holding = all_levels(&heights).into_iter().filter_map(|levels| {
            let outcome = table.outcome(&levels, k);
            (outcome.suppressed <= most).then_some((levels, outcome))
        });
        let best = holding.min_by(|(a, one), (b, other)| {
            let difference = loss(a, &heights) - loss(b, &heights);
            let by_loss = match difference.abs() < 1e-9 {
                true => std::cmp::Ordering::Equal,
                false => difference.total_cmp(&0.0),
            };
            by_loss
                .then(one.suppressed.cmp(&other.suppressed))
                .then(one.discernibility.cmp(&other.discernibility))
                .then(a.cmp(b))
        });
        let wanted = best;
        if let (Some(found), Some((levels, _))) = (&found, &wanted) {
            assert!((found.loss - loss(levels, &heights)).abs() < 1e-12);
            assert!(found.looks <= 2 * found.nodes, "{found:?}");
        }
        let found = found.map(|found| (found.levels, found.outcome));
        assert_eq!(found, wanted, "round {round}");
    }
}

#[test]
fn coarser_is_at_least_as_anonymous() {
    let mut numbers = Numbers::new(9);
    for _ in 0..300 {
        let table = table(&mut numbers);
        let all = all_levels(&table.heights());
        for one in &all {
            for other in &all {
                if one.iter().zip(other).all(|(a, b)| a <= b) {
                    let [low, high] = [one, other].map(|l| table.outcome(l, 3).suppressed);
                    assert!(high <= low);
                }
            }
        }
    }
}

#[test]
fn search_looks_at_few_nodes_of_many() {
    // Ten columns of 4 values each, merged two by two and then all: 59 049 nodes.
    let levels = vec![vec![0, 1, 2, 3], vec![0, 0, 1, 1], vec![0; 4]];
    let axes = vec![Axis { levels }; 10];
    let mut numbers = Numbers::new(1);
    let combinations = (0..200)
        .map(|_| ((0..10).map(|_| numbers.small(4)).collect(), 1))
        .collect();
    let table = Table::new(axes, combinations);
    let found = least(&table, 5, 0, || ())
        .expect("fits")
        .expect("the top holds");
    assert_eq!(found.nodes, 59_049);
    assert!(found.looks < found.nodes / 10, "{}", found.looks);
    assert!(found.outcome.smallest >= Some(5));
}

#[test]
fn a_lattice_has_a_limit() {
    let axis = Axis {
        levels: vec![vec![0]; 11],
    };
    let table = Table::new(vec![axis; 6], vec![(vec![0; 6], 1)]);
    let error = least(&table, 1, 0, || ()).expect_err("1 771 561 nodes");
    assert_eq!(error.kind(), Kind::ProgramLimit);
}

#[test]
fn many_columns_do_not_run_out_of_numbers() {
    // 40 columns of 1000 values each: 10^120 combinations.
    let axis = Axis {
        levels: vec![(0..1000).collect()],
    };
    let combinations: Vec<(Vec<u32>, u64)> = (0..1000)
        .map(|value| (vec![value; 40], 2))
        .chain([(vec![7; 40], 1)])
        .collect();
    let table = Table::new(vec![axis; 40], combinations);
    let outcome = table.outcome(&[0; 40], 2);
    assert_eq!((outcome.classes, outcome.smallest), (1000, Some(2)));
    assert_eq!(table.outcome(&[0; 40], 3).suppressed, 1998);
}
