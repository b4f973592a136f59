//! What needs cost at least, by multipliers: each need pays for its alternatives, and a control that is
//! paid more than it costs counts as taken. The multipliers are made better turn by turn (the
//! subgradient method of Held and Karp for a Lagrangian relaxation). All of it is in whole numbers, so
//! that no rounding ever cuts off an answer, and the same comes out everywhere.

use super::cover::{Need, Set, members};

/// The parts of a unit of cost in which bounds are reckoned.
const SCALE: i64 = 1 << 16;
/// Turns without a better bound after which steps become shorter.
const PATIENCE: u32 = 10;

/// A bound.
#[derive(Clone, Debug)]
pub struct Bound {
    /// At least so much, in parts.
    least: i64,
    /// What each control costs beyond what is paid for it, in parts.
    left: Vec<i64>,
}

/// What each open need is paid for by, and what it can pay.
struct Payers {
    sets: Vec<Set>,
    most: Vec<i64>,
}

impl Payers {
    fn of(needs: &[Need], chosen: Set, costs: &[u32]) -> Self {
        let cost = |place: usize| costs.get(place).copied().unwrap_or_default();
        // Of several controls the dearest stands for all: whoever takes them takes it.
        let sets: Vec<Set> = needs
            .iter()
            .map(|need| {
                need.iter()
                    .filter_map(|set| members(set & !chosen).max_by_key(|&place| cost(place)))
                    .fold(0, |all, place| all | 1 << place)
            })
            .collect();
        // What pays more than its cheapest alternative costs pays too much.
        let most = sets.iter().map(|set| members(*set).map(cost).min());
        Self {
            most: most.map(|most| parts(most.unwrap_or(0).into())).collect(),
            sets,
        }
    }
}

impl Bound {
    /// Finds one in so many turns; `pays` are the multipliers to begin with, and the best ones
    /// afterwards. It stops once nothing is left that costs no more than `room`.
    pub fn find(
        needs: &[Need],
        pays: &mut [i64],
        chosen: Set,
        costs: &[u32],
        room: u64,
        turns: u32,
    ) -> Self {
        let payers = Payers::of(needs, chosen, costs);
        let target = parts(room) + SCALE;
        let mut best = Self::by(&payers, pays, costs);
        let (mut own, mut now) = (pays.to_vec(), best.clone());
        let (mut step, mut idle) = (2 * SCALE, 0);
        for _ in 0..turns {
            if best.exceeds(room) || step < SCALE / 500 {
                break;
            }
            let short: Vec<i64> = payers.sets.iter().map(|set| now.short(*set)).collect();
            let norm: i64 = short.iter().map(|short| short * short).sum();
            if norm == 0 {
                break;
            }
            let length = ((target - now.least) / norm).saturating_mul(step) / SCALE;
            for (place, short) in short.into_iter().enumerate() {
                let most = payers.most[place];
                let change = length.clamp(1, most.max(1)) * short;
                own[place] = (own[place] + change).clamp(0, most);
            }
            now = Self::by(&payers, &own, costs);
            if now.least > best.least {
                pays.copy_from_slice(&own);
                best = now.clone();
                idle = 0;
                continue;
            }
            idle += 1;
            if idle == PATIENCE {
                (step, idle) = (step / 2, 0);
                own.copy_from_slice(pays);
                now = best.clone();
            }
        }
        best
    }

    fn by(payers: &Payers, pays: &[i64], costs: &[u32]) -> Self {
        let mut left: Vec<i64> = costs.iter().map(|&cost| parts(cost.into())).collect();
        for (set, pay) in payers.sets.iter().zip(pays) {
            if *pay > 0 {
                members(*set).for_each(|place| left[place] -= pay);
            }
        }
        let over: i64 = left.iter().filter(|left| **left < 0).sum();
        Self {
            least: pays.iter().sum::<i64>() + over,
            left,
        }
    }

    /// By how many controls a need is short of one among those that count as taken.
    fn short(&self, set: Set) -> i64 {
        members(set).fold(1, |short, place| short - i64::from(self.left[place] < 0))
    }

    /// Whether whatever meets the needs costs more.
    pub fn exceeds(&self, room: u64) -> bool {
        self.least > parts(room)
    }

    /// Of these controls, those that are in everything which costs no more, and those that are in none
    /// of it.
    pub fn settled(&self, room: u64, among: Set) -> (Set, Set) {
        let room = parts(room);
        let of = |is: &dyn Fn(i64) -> bool| {
            let settled = members(among).filter(|&place| is(self.left[place]));
            settled.fold(0, |all, place| all | 1 << place)
        };
        (
            of(&|left| left < 0 && self.least - left > room),
            of(&|left| left >= 0 && self.least + left > room),
        )
    }

    /// What controls cost beyond what is paid for them.
    pub fn left(&self, set: Set) -> i64 {
        members(set).map(|place| self.left[place]).sum()
    }
}

fn parts(cost: u64) -> i64 {
    const MOST: i64 = i64::MAX >> 8;
    let cost = i64::try_from(cost).unwrap_or(MOST);
    cost.saturating_mul(SCALE).min(MOST)
}
