//! The cheapest set of controls by which every need is met, exactly: branch and bound.
//!
//! A need is met by any one of its alternatives, each of which is a set of controls. Of sets that
//! cost the same, the one wins that does without the later controls; so there is one answer, and it
//! depends on no order.

use crate::strategies::pause;

/// A set of controls, by their numbers.
pub type Set = u128;

/// What is needed: any one of some sets.
pub type Need = Vec<Set>;

/// Finds the set; `costs` are those of the controls, by number. `None` when a need has no
/// alternative.
pub fn cheapest(needs: &[Need], costs: &[u32]) -> Option<Set> {
    let needs = reduced(needs);
    let mut best = search(&needs, costs, 0, u64::MAX)?;
    let least = cost(best, costs);
    // Of those that cost as much, the one without the later controls, one after the other.
    let mut barred: Set = 0;
    for place in (0..costs.len()).rev() {
        let bit: Set = 1 << place;
        if best & bit == 0 {
            barred |= bit;
        } else if let Some(other) = search(&needs, costs, barred | bit, least) {
            barred |= bit;
            best = other;
        }
    }
    Some(best)
}

/// The cheapest set without barred controls, or one that costs no more than `enough`, where there is
/// one; with a bound of `enough`, none that costs more.
fn search(needs: &[Need], costs: &[u32], barred: Set, enough: u64) -> Option<Set> {
    let mut search = Search {
        costs,
        best: None,
        below: enough.saturating_add(1),
        is_any_enough: enough < u64::MAX,
    };
    search.branch(0, barred, needs);
    search.best
}

struct Search<'a> {
    costs: &'a [u32],
    best: Option<Set>,
    /// What a better set costs less than.
    below: u64,
    is_any_enough: bool,
}

impl Search<'_> {
    fn branch(&mut self, chosen: Set, barred: Set, needs: &[Need]) {
        pause::now();
        let mut chosen = chosen;
        // What can only be met in one way is no choice.
        let open = loop {
            let Some(open) = open(needs, chosen, barred) else {
                return;
            };
            match open.iter().find(|need| need.len() == 1) {
                Some(need) => chosen |= need[0],
                None => break open,
            }
        };
        if cost(chosen, self.costs) + self.bound(chosen, &open) >= self.below {
            return;
        }
        let Some(need) = open.iter().min_by_key(|need| need.len()) else {
            self.below = cost(chosen, self.costs);
            self.best = Some(chosen);
            return;
        };
        let mut alternatives = need.clone();
        alternatives.sort_by_key(|&set| (cost(set & !chosen, self.costs), set));
        let mut barred = barred;
        for set in alternatives {
            self.branch(chosen | set, barred, &open);
            if self.is_any_enough && self.best.is_some() {
                return;
            }
            // What follows goes without it; of several controls any one may still be there.
            let rest = set & !chosen;
            if rest.count_ones() == 1 {
                barred |= rest;
            }
        }
    }

    /// What the open needs cost at least. Each pays as much as it can towards all of its
    /// alternatives; together they pay no more for a control than it costs.
    fn bound(&self, chosen: Set, open: &[Need]) -> u64 {
        let mut left: Vec<u64> = self.costs.iter().map(|&cost| cost.into()).collect();
        let mut paid = 0;
        for need in open {
            // Of several controls, the dearest stands for all: whoever takes them takes it.
            let places: Vec<usize> = need
                .iter()
                .filter_map(|set| members(set & !chosen).max_by_key(|&place| left[place]))
                .collect();
            let pays = places.iter().map(|&place| left[place]).min().unwrap_or(0);
            paid += pays;
            let mut charged: Set = 0;
            for place in places {
                if charged >> place & 1 == 0 {
                    left[place] -= pays;
                    charged |= 1 << place;
                }
            }
        }
        paid
    }
}

/// The needs that a set does not meet, without alternatives that are barred; `None` where one has no
/// other.
fn open(needs: &[Need], chosen: Set, barred: Set) -> Option<Vec<Need>> {
    needs
        .iter()
        .filter(|need| !is_met(need, chosen))
        .map(|need| {
            let left: Need = need
                .iter()
                .filter(|&set| set & !chosen & barred == 0)
                .copied()
                .collect();
            (!left.is_empty()).then_some(left)
        })
        .collect()
}

fn is_met(need: &Need, chosen: Set) -> bool {
    need.iter().any(|set| set & !chosen == 0)
}

/// The needs without what changes no answer: an alternative that holds another one, and a need that
/// is met whenever another one is.
fn reduced(needs: &[Need]) -> Vec<Need> {
    let mut kept: Vec<Need> = needs.iter().map(|need| least(need)).collect();
    kept.sort_unstable();
    kept.dedup();
    let follows = |need: &Need, from: &Need| {
        need != from
            && from
                .iter()
                .all(|set| need.iter().any(|own| own & !set == 0))
    };
    let dropped: Vec<bool> = kept
        .iter()
        .map(|need| {
            kept.iter()
                .any(|other| !other.is_empty() && follows(need, other))
        })
        .collect();
    // Two needs that follow from each other are equal after `least`, so one of them is still there.
    kept.into_iter()
        .zip(dropped)
        .filter_map(|(need, dropped)| (!dropped).then_some(need))
        .collect()
}

fn least(need: &[Set]) -> Need {
    let mut sets: Need = need
        .iter()
        .filter(|&&set| !need.iter().any(|&other| other != set && other & !set == 0))
        .copied()
        .collect();
    sets.sort_unstable();
    sets.dedup();
    sets
}

fn cost(set: Set, costs: &[u32]) -> u64 {
    members(set)
        .map(|place| u64::from(costs.get(place).copied().unwrap_or_default()))
        .sum()
}

/// The numbers in a set, in order.
pub fn members(set: Set) -> impl Iterator<Item = usize> {
    let mut left = set;
    std::iter::from_fn(move || {
        let place = (left != 0).then(|| left.trailing_zeros() as usize)?;
        left &= left - 1;
        Some(place)
    })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// Every set, one after the other.
    fn brute_force(needs: &[Need], costs: &[u32]) -> Option<Set> {
        (0..1_u128 << costs.len())
            .filter(|&chosen| needs.iter().all(|need| is_met(need, chosen)))
            .min_by_key(|&chosen| (cost(chosen, costs), chosen))
    }

    #[test]
    fn the_cheapest_set_is_found() {
        let costs = [3, 1, 1, 5];
        let (a, b, c, d) = (1, 2, 4, 8);
        // Two cheap ones, though one dear one would do.
        assert_eq!(cheapest(&[vec![a, b], vec![a, c]], &costs), Some(b | c));
        // What is needed alone is taken, and then serves others too.
        assert_eq!(cheapest(&[vec![d], vec![d, a]], &costs), Some(d));
        // Two together may be cheaper than one.
        assert_eq!(cheapest(&[vec![d, b | c]], &costs), Some(b | c));
        assert_eq!(cheapest(&[], &costs), Some(0));
        assert_eq!(cheapest(&[vec![a], Vec::new()], &costs), None);
        // Of equals, the earlier.
        assert_eq!(cheapest(&[vec![c, b]], &costs), Some(b));
    }

    #[test]
    fn many_controls_are_no_problem() {
        // Sixty controls and sixty needs, each with three alternatives.
        let costs: Vec<u32> = (0..60).map(|place| place % 7 + 1).collect();
        let need = |place: usize| {
            [place, place * 7 + 3, place * 11 + 5]
                .map(|place| 1_u128 << (place % 60))
                .to_vec()
        };
        let needs: Vec<_> = (0..60).map(need).collect();
        let chosen = cheapest(&needs, &costs).unwrap();
        assert!(needs.iter().all(|need| is_met(need, chosen)));
        let reversed: Vec<_> = needs.iter().rev().cloned().collect();
        assert_eq!(cheapest(&reversed, &costs), Some(chosen));
    }

    fn sets(controls: usize) -> impl Strategy<Value = Set> {
        proptest::collection::vec(0..controls, 1..4)
            .prop_map(|places| places.iter().fold(0, |set, place| set | 1_u128 << place))
    }

    fn problems() -> impl Strategy<Value = (Vec<Need>, Vec<u32>)> {
        (1..=15_usize).prop_flat_map(|controls| {
            let need = proptest::collection::vec(sets(controls), 1..5);
            (
                proptest::collection::vec(need, 0..12),
                proptest::collection::vec(1..5_u32, controls),
            )
        })
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(100))]

        #[test]
        fn branch_and_bound_equals_brute_force((needs, costs) in problems()) {
            prop_assert_eq!(cheapest(&needs, &costs), brute_force(&needs, &costs));
        }

        #[test]
        fn the_answer_depends_on_no_order((needs, costs) in problems(), turn in 0..12_usize) {
            let mut turned = needs.clone();
            turned.rotate_left(turn % needs.len().max(1));
            for need in &mut turned {
                need.reverse();
            }
            prop_assert_eq!(cheapest(&turned, &costs), cheapest(&needs, &costs));
        }
    }
}
