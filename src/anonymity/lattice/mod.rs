//! The least generalization that makes a table k-anonymous: a search over the lattice of levels, one
//! level for each column, applied to all of its values (full-domain generalization).
//!
//! Whatever is coarser in every column is at least as anonymous, so one look at a node decides all
//! nodes above it, or all below it: predictive tagging, as in OLA (El Emam et al. 2009) and Flash
//! (Kohlmayer et al. 2012). A search along a path halves it with each look.
//!
//! The loss of a node is the mean of level by height over the columns, 1 − Prec (Sweeney 2002). It
//! grows with every level, so the best node is one of the lowest that hold. Of several with the same
//! loss the one counts that leaves out fewer rows, then the one whose classes are smaller
//! (discernibility, Bayardo and Agrawal 2005), then the first by its levels.
//!
//! Memory goes by the number of combinations of quasi-identifiers, and of nodes.

use std::collections::HashMap;

use crate::error::{Error, Kind, Result};

pub mod described;
pub mod hierarchy;
pub mod sql;
pub mod store;

/// The most nodes of a lattice.
pub const MOST_NODES: usize = 1_000_000;

/// A column: which of its values are the same at which level.
#[derive(Clone, Debug)]
pub struct Axis {
    /// By level, from the values as they are: the group of each value.
    pub levels: Vec<Vec<u32>>,
}

/// The rows, by the combinations of values that occur.
#[derive(Clone, Debug)]
pub struct Table {
    axes: Vec<Axis>,
    /// By level, how many groups there are.
    groups: Vec<Vec<u32>>,
    /// For each combination: by column, the number of its value.
    values: Vec<u32>,
    rows: Vec<u64>,
}

impl Table {
    /// Makes one of columns and combinations.
    pub fn new(axes: Vec<Axis>, combinations: Vec<(Vec<u32>, u64)>) -> Self {
        let groups = axes
            .iter()
            .map(|axis| {
                let most = |level: &Vec<u32>| level.iter().max().map_or(1, |most| most + 1);
                axis.levels.iter().map(most).collect()
            })
            .collect();
        let mut table = Self {
            axes,
            groups,
            values: Vec::new(),
            rows: Vec::new(),
        };
        for (values, rows) in combinations {
            table.values.extend(values);
            table.rows.push(rows);
        }
        table
    }

    /// How many rows there are.
    pub fn count(&self) -> u64 {
        self.rows.iter().sum()
    }

    /// How high the columns go.
    pub fn heights(&self) -> Vec<usize> {
        let height = |axis: &Axis| axis.levels.len().saturating_sub(1);
        self.axes.iter().map(height).collect()
    }

    /// What becomes of the rows at these levels.
    pub fn outcome(&self, levels: &[usize], k: u64) -> Outcome {
        let mut outcome = Outcome::default();
        for size in self.sizes(levels) {
            if size < k {
                outcome.suppressed += size;
            } else {
                outcome.classes += 1;
                outcome.smallest = Some(outcome.smallest.map_or(size, |least| least.min(size)));
                outcome.discernibility += u128::from(size) * u128::from(size);
            }
        }
        outcome.discernibility += u128::from(outcome.suppressed) * u128::from(self.count());
        outcome
    }

    fn sizes(&self, levels: &[usize]) -> Vec<u64> {
        // Groups of several columns as one number, renumbered where it would not fit.
        let mut keys = vec![0_u128; self.rows.len()];
        let mut range = 1_u128;
        for (column, level) in levels.iter().enumerate() {
            let groups = u128::from(self.groups[column][*level]);
            if groups == 1 {
                continue;
            }
            if range.checked_mul(groups).is_none() {
                range = renumber(&mut keys);
            }
            range *= groups;
            let group = &self.axes[column].levels[*level];
            for (key, values) in keys.iter_mut().zip(self.values.chunks(self.axes.len())) {
                *key = *key * groups + u128::from(group[values[column] as usize]);
            }
        }
        let mut sizes: HashMap<u128, u64> = HashMap::with_capacity(keys.len().min(1024));
        for (key, rows) in keys.into_iter().zip(&self.rows) {
            *sizes.entry(key).or_default() += rows;
        }
        sizes.into_values().collect()
    }
}

fn renumber(keys: &mut [u128]) -> u128 {
    let mut numbers: HashMap<u128, u128> = HashMap::new();
    for key in keys {
        let next = numbers.len() as u128;
        *key = *numbers.entry(*key).or_insert(next);
    }
    (numbers.len() as u128).max(1)
}

/// What becomes of the rows at a node.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Outcome {
    /// Rows in classes of less than k, which have to be left out.
    pub suppressed: u64,
    /// The size of the smallest class without them.
    pub smallest: Option<u64>,
    /// How many classes there are without them.
    pub classes: u64,
    /// The sum of the squares of sizes; a row that is left out counts as many as there are rows.
    pub discernibility: u128,
}

/// What was found.
#[derive(Clone, Debug, PartialEq)]
pub struct Found {
    /// By column.
    pub levels: Vec<usize>,
    /// From 0 to 1.
    pub loss: f64,
    /// What becomes of the rows.
    pub outcome: Outcome,
    /// How many nodes the lattice has, and how many of them were looked at.
    pub nodes: usize,
    /// As above.
    pub looks: usize,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Tag {
    Unknown,
    Holds,
    Fails,
}

/// The search over one lattice.
struct Search<'a> {
    table: &'a Table,
    k: u64,
    most_suppressed: u64,
    heights: Vec<usize>,
    /// What one level of a column adds to the loss, as whole numbers, and what all of it is.
    weights: Vec<u128>,
    total: u128,
    tags: Vec<Tag>,
    looks: usize,
}

/// Finds the node of least loss that leaves out no more than so many rows; `None` where there is
/// none. `pause` is called between two looks.
///
/// # Errors
/// 54000 for a lattice of too many nodes.
pub fn least(
    table: &Table,
    k: u64,
    most_suppressed: u64,
    mut pause: impl FnMut(),
) -> Result<Option<Found>> {
    let heights = table.heights();
    let nodes = nodes(&heights)?;
    let mut search = Search::new(table, k, most_suppressed, heights, nodes);
    let mut order: Vec<u32> = (0..nodes)
        .filter_map(|node| u32::try_from(node).ok())
        .collect();
    order.sort_by_cached_key(|node| search.loss(*node as usize));
    let mut best: Option<(u128, Found)> = None;
    for node in order {
        let node = node as usize;
        let loss = search.loss(node);
        if best.as_ref().is_some_and(|(least, _)| loss > *least) {
            break;
        }
        if search.tags[node] == Tag::Unknown {
            search.follow(node, &mut pause);
        }
        if search.tags[node] != Tag::Holds {
            continue;
        }
        pause();
        let found = search.found(node);
        let is_better = best.as_ref().is_none_or(|(_, best)| {
            let rank = |found: &Found| (found.outcome.suppressed, found.outcome.discernibility);
            (rank(&found), &found.levels) < (rank(best), &best.levels)
        });
        if is_better {
            best = Some((loss, found));
        }
    }
    Ok(best.map(|(_, found)| Found {
        looks: search.looks,
        ..found
    }))
}

/// How many nodes a lattice has.
///
/// # Errors
/// 54000 for too many.
pub fn nodes(heights: &[usize]) -> Result<usize> {
    let mut factors = heights.iter();
    factors
        .try_fold(1_usize, |nodes, height| nodes.checked_mul(height + 1))
        .filter(|nodes| *nodes <= MOST_NODES)
        .ok_or_else(|| {
            Error::new(
                Kind::ProgramLimit,
                format!("more than {MOST_NODES} combinations of levels cannot be searched"),
            )
            .with_hint("Give the columns fewer levels.")
        })
}

impl<'a> Search<'a> {
    fn new(
        table: &'a Table,
        k: u64,
        most_suppressed: u64,
        heights: Vec<usize>,
        nodes: usize,
    ) -> Self {
        let high: Vec<u128> = heights
            .iter()
            .filter(|height| **height > 0)
            .map(|height| *height as u128)
            .collect();
        let common = high
            .iter()
            .fold(1, |all, height| all / divisor(all, *height) * height);
        let weights = heights
            .iter()
            .map(|height| common.checked_div(*height as u128).unwrap_or_default())
            .collect();
        Self {
            table,
            k,
            most_suppressed,
            weights,
            total: (common * high.len() as u128).max(1),
            tags: vec![Tag::Unknown; nodes],
            heights,
            looks: 0,
        }
    }

    fn levels(&self, node: usize) -> Vec<usize> {
        let mut rest = node;
        self.heights
            .iter()
            .map(|height| {
                let level = rest % (height + 1);
                rest /= height + 1;
                level
            })
            .collect()
    }

    fn loss(&self, node: usize) -> u128 {
        let levels = self.levels(node);
        let lost = levels.iter().zip(&self.weights);
        lost.map(|(level, weight)| *level as u128 * weight).sum()
    }

    /// Nodes that are one level higher, or lower, in one column.
    fn beside(&self, node: usize, up: bool) -> Vec<usize> {
        let mut step = 1;
        let mut found = Vec::new();
        for (height, level) in self.heights.iter().zip(self.levels(node)) {
            if up && level < *height {
                found.push(node + step);
            } else if !up && level > 0 {
                found.push(node - step);
            }
            step *= height + 1;
        }
        found
    }

    /// Goes up from a node of which nothing is known to one that is known to hold, or to the top, and
    /// looks for the turn between.
    fn follow(&mut self, node: usize, pause: &mut impl FnMut()) {
        let mut path = vec![node];
        let mut last = node;
        while let Some(next) = self
            .beside(last, true)
            .into_iter()
            .filter(|next| self.tags[*next] == Tag::Unknown)
            .min_by_key(|next| (self.loss(*next), *next))
        {
            path.push(next);
            last = next;
        }
        let (mut low, mut high) = (0, path.len());
        while low < high {
            let middle = low + (high - low) / 2;
            pause();
            if self.look(path[middle]) {
                high = middle;
            } else {
                low = middle + 1;
            }
        }
    }

    fn look(&mut self, node: usize) -> bool {
        self.looks += 1;
        let outcome = self.table.outcome(&self.levels(node), self.k);
        let holds = outcome.suppressed <= self.most_suppressed;
        self.spread(node, holds);
        holds
    }

    fn spread(&mut self, node: usize, holds: bool) {
        let tag = if holds { Tag::Holds } else { Tag::Fails };
        let mut open = vec![node];
        while let Some(node) = open.pop() {
            if self.tags[node] == Tag::Unknown {
                self.tags[node] = tag;
                open.extend(self.beside(node, holds));
            }
        }
    }

    fn found(&mut self, node: usize) -> Found {
        self.looks += 1;
        let levels = self.levels(node);
        Found {
            outcome: self.table.outcome(&levels, self.k),
            loss: super::fraction::quotient(self.loss(node), self.total),
            levels,
            nodes: self.tags.len(),
            looks: 0,
        }
    }
}

fn divisor(a: u128, b: u128) -> u128 {
    if b == 0 { a } else { divisor(b, a % b) }
}

#[cfg(test)]
mod tests;
