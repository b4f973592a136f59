//! The cheapest set of controls by which every need is met, exactly: branch and bound.
//!
//! A need is met by any one of its alternatives, each of which is a set of controls. Of sets that
//! cost the same, the one wins that does without the later controls; so there is one answer, and it
//! depends on no order.

use super::bound::Bound;
use crate::strategies::pause;

/// A set of controls, by their numbers.
pub type Set = u128;

/// What is needed: any one of some sets.
pub type Need = Vec<Set>;

/// Finds the set; `costs` are those of the controls, by number. `None` when a need has no
/// alternative.
pub fn cheapest(needs: &[Need], costs: &[u32]) -> Option<Set> {
    let needs = reduced(needs);
    let mut best = search(&needs, costs, 0, None)?;
    let least = cost(best, costs);
    // Of those that cost as much, the one without the later controls, one after the other.
    let mut barred: Set = 0;
    for place in (0..costs.len()).rev() {
        let bit: Set = 1 << place;
        if best & bit == 0 {
            barred |= bit;
        } else if let Some(other) = search(&needs, costs, barred | bit, Some(least)) {
            barred |= bit;
            best = other;
        }
    }
    Some(best)
}

/// The cheapest set without barred controls, or one that costs no more than `enough`, where there is
/// one; with a bound of `enough`, none that costs more.
fn search(needs: &[Need], costs: &[u32], barred: Set, enough: Option<u64>) -> Option<Set> {
    // Whatever meets the needs is a bound to begin with.
    let most = match enough {
        Some(enough) => enough,
        None => cost(greedy(needs, costs)?, costs),
    };
    let mut search = Search {
        costs,
        best: None,
        below: most.saturating_add(1),
        is_any_enough: enough.is_some(),
    };
    let open = needs.iter().map(|need| (need.clone(), 0)).collect();
    search.branch(0, barred, open, AT_FIRST);
    search.best
}

/// Turns in which the bound is made better: of the whole, and of each part.
const AT_FIRST: u32 = 300;
const LATER: u32 = 30;

/// A set that meets the needs, by what costs least for each need that it meets; `None` when one has no
/// alternative.
fn greedy(needs: &[Need], costs: &[u32]) -> Option<Set> {
    let mut chosen: Set = 0;
    loop {
        let left: Vec<&Need> = needs.iter().filter(|need| !is_met(need, chosen)).collect();
        if left.is_empty() {
            return Some(chosen);
        }
        let price = |set: Set| {
            let with = chosen | set;
            let met = left.iter().filter(|need| is_met(need, with)).count() as u64;
            cost(set & !chosen, costs) * 1_000 / met.max(1)
        };
        let sets = left.iter().copied().flatten();
        chosen |= sets.min_by_key(|&&set| (price(set), set))?;
    }
}

struct Search<'a> {
    costs: &'a [u32],
    best: Option<Set>,
    /// What a better set costs less than.
    below: u64,
    is_any_enough: bool,
}

/// A need with what it pays towards its alternatives.
type Open = (Need, i64);

impl Search<'_> {
    fn branch(&mut self, chosen: Set, barred: Set, needs: Vec<Open>, turns: u32) {
        let (mut chosen, mut barred, mut needs) = (chosen, barred, needs);
        let bound = loop {
            pause::now();
            // What can only be met in one way is no choice.
            loop {
                let Some(left) = open(&needs, chosen, barred) else {
                    return;
                };
                needs = left;
                match needs.iter().find(|(need, _)| need.len() == 1) {
                    Some((need, _)) => chosen |= need[0],
                    None => break,
                }
            }
            let spent = cost(chosen, self.costs);
            if spent >= self.below {
                return;
            }
            if needs.is_empty() {
                self.below = spent;
                self.best = Some(chosen);
                return;
            }
            let room = self.below - 1 - spent;
            let (sets, mut pays): (Vec<Need>, Vec<i64>) = needs.into_iter().unzip();
            let bound = Bound::find(&sets, &mut pays, chosen, self.costs, room, turns);
            if bound.exceeds(room) {
                return;
            }
            let named = sets.iter().flatten().fold(0, |all, set| all | set);
            needs = sets.into_iter().zip(pays).collect();
            let (must, never) = bound.settled(room, named & !chosen & !barred);
            if must | never == 0 {
                break bound;
            }
            chosen |= must;
            barred |= never;
        };
        let Some((need, _)) = needs.iter().min_by_key(|(need, pay)| (need.len(), -pay)) else {
            return;
        };
        let mut alternatives = need.clone();
        alternatives.sort_by_key(|&set| (bound.left(set & !chosen), set));
        for set in alternatives {
            self.branch(chosen | set, barred, needs.clone(), LATER);
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
}

/// The needs that a set does not meet, without alternatives that are barred; `None` where one has no
/// other.
fn open(needs: &[Open], chosen: Set, barred: Set) -> Option<Vec<Open>> {
    needs
        .iter()
        .filter(|(need, _)| !is_met(need, chosen))
        .map(|(need, pay)| {
            let left: Need = need
                .iter()
                .filter(|&set| set & !chosen & barred == 0)
                .copied()
                .collect();
            (!left.is_empty()).then_some((left, *pay))
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

    /// So many controls and needs that nothing forces, as of a made-up law.
    fn hard(controls: u64, needs: u64, mut seed: u64) -> (Vec<Need>, Vec<u32>) {
        let mut below = |most: u64| {
            seed ^= seed << 13;
            seed ^= seed >> 7;
            seed ^= seed << 17;
            seed % most
        };
        let costs = (0..controls).map(|_| u32::try_from(below(5) + 1).unwrap());
        let costs: Vec<u32> = costs.collect();
        let mut need = || {
            let count = 2 + below(3);
            (0..count).map(|_| 1 << below(controls)).collect()
        };
        ((0..needs).map(|_| need()).collect(), costs)
    }

    #[test]
    fn three_hundred_needs_that_nothing_forces_are_no_problem() {
        // The answers of a search without multipliers, which took up to a minute for each.
        for (seed, least, set) in [
            (20_261_130, 114, 0x0007_32f4_f325_48e9_020b_bfee),
            (20_261_131, 116, 0x0005_3cee_afbc_3f9d_13d2_9c6c),
        ] {
            let (needs, costs) = hard(84, 300, seed);
            let chosen = cheapest(&needs, &costs).unwrap();
            assert!(needs.iter().all(|need| is_met(need, chosen)));
            assert_eq!((cost(chosen, &costs), chosen), (least, set));
        }
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
