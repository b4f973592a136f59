//! Values that hang in a tree: which is above which, how high, and the earth mover's distance over
//! them (Li, Li and Venkatasubramanian 2007, "hierarchical distance").
//!
//! Two values are as far apart as the node is high under which they first meet, by the height of
//! the tree. A node is as high as the longest way down from it.

use std::collections::HashMap;

use super::fraction::quotient;
use super::whole::{Class, Whole};
use crate::error::{Error, Kind, Result, counted};

/// A tree of texts.
#[derive(Clone, Debug)]
pub struct Tree {
    places: HashMap<String, usize>,
    names: Vec<String>,
    parents: Vec<Option<usize>>,
    heights: Vec<u32>,
    root: usize,
}

impl Tree {
    /// Makes a tree of pairs: a value, and what is above it.
    ///
    /// # Errors
    /// 22023 where it is no tree with one root.
    pub fn new(pairs: Vec<(String, Option<String>)>) -> Result<Self> {
        let mut tree = Self {
            places: HashMap::new(),
            names: Vec::new(),
            parents: Vec::new(),
            heights: Vec::new(),
            root: 0,
        };
        let mut above: Vec<Option<String>> = Vec::new();
        for (value, parent) in pairs {
            if tree.places.insert(value.clone(), above.len()).is_some() {
                return Err(no_tree("A value is there twice."));
            }
            tree.names.push(value);
            above.push(parent);
        }
        let mut roots = Vec::new();
        for (place, parent) in above.into_iter().enumerate() {
            let parent = match parent {
                None => {
                    roots.push(place);
                    None
                }
                Some(parent) => Some(tree.places.get(&parent).copied().ok_or_else(|| {
                    no_tree("A parent is not among the values: the root has the parent NULL.")
                })?),
            };
            tree.parents.push(parent);
        }
        match roots[..] {
            [root] => tree.root = root,
            [] => return Err(no_tree("It has no root: the root has the parent NULL.")),
            _ => {
                return Err(no_tree(
                    "It has more than one root: one parent must be NULL.",
                ));
            }
        }
        tree.heights = tree.measured()?;
        Ok(tree)
    }

    fn measured(&self) -> Result<Vec<u32>> {
        let mut heights = vec![0; self.parents.len()];
        for start in 0..self.parents.len() {
            let (mut node, mut height) = (start, 0);
            while let Some(parent) = self.parents[node] {
                height += 1;
                if height > MOST_LEVELS {
                    let detail = format!("It has a circle, or more than {MOST_LEVELS} levels.");
                    return Err(no_tree(&detail));
                }
                heights[parent] = heights[parent].max(height);
                node = parent;
            }
        }
        Ok(heights)
    }

    /// Where a value is; `None` where it is not.
    pub fn place(&self, value: &str) -> Option<usize> {
        self.places.get(value).copied()
    }

    /// What is `levels` above a place, at most the root.
    pub fn above(&self, place: usize, levels: u32) -> usize {
        let mut node = place;
        for _ in 0..levels {
            match self.parents[node] {
                Some(parent) => node = parent,
                None => break,
            }
        }
        node
    }

    /// The value at a place.
    pub fn name(&self, place: usize) -> &str {
        &self.names[place]
    }

    /// All values, in the order they came.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.names.iter().map(String::as_str)
    }

    /// How high the root is.
    pub fn height(&self) -> u32 {
        self.heights[self.root]
    }
}

/// The most levels that a tree has.
const MOST_LEVELS: u32 = 64;

/// The error for a relation that holds no tree.
pub fn no_tree(detail: &str) -> Error {
    Error::new(Kind::InvalidParameter, "the hierarchy is not a tree").with_detail(detail)
}

/// The distance over a tree, for a table. What is a node and a value too is a leaf of its own below
/// itself.
#[derive(Clone, Debug)]
pub struct Hierarchical {
    /// The node of a value, by its place among the values.
    of_value: Vec<usize>,
    parents: Vec<Option<usize>>,
    heights: Vec<u32>,
    /// How many rows of the table are below a node.
    known: Vec<u64>,
    height: u32,
    /// Scratch: what a class has at and below each node; empty between two classes.
    here: Vec<Below>,
    touched: Vec<usize>,
}

#[derive(Clone, Copy, Debug, Default)]
struct Below {
    /// Rows of the class.
    rows: u64,
    /// What children have more, and less, than in the table.
    more: u128,
    less: u128,
    /// Rows of the table below children that the class has.
    known: u64,
    is_touched: bool,
}

impl Hierarchical {
    /// Prepares a table whose values are these texts.
    ///
    /// # Errors
    /// 22023 where values are not in the tree.
    pub fn new(tree: &Tree, whole: &Whole, values: &[String]) -> Result<Self> {
        let mut parents = tree.parents.clone();
        let mut heights = tree.heights.clone();
        let mut of_value = Vec::with_capacity(values.len());
        let mut strangers = 0;
        for value in values {
            let Some(found) = tree.place(value) else {
                strangers += 1;
                continue;
            };
            if heights[found] == 0 {
                of_value.push(found);
            } else {
                parents.push(Some(found));
                heights.push(0);
                of_value.push(parents.len() - 1);
            }
        }
        if strangers > 0 {
            let error = Error::new(
                Kind::InvalidParameter,
                "the hierarchy does not cover the sensitive column",
            );
            return Err(error.with_detail(format!(
                "{} of the column {} not in it.",
                counted(strangers, "value"),
                if strangers == 1 { "is" } else { "are" },
            )));
        }
        let mut known = vec![0; parents.len()];
        for (node, count) in of_value.iter().zip(whole.counts()) {
            let mut node = Some(*node);
            while let Some(place) = node {
                known[place] += count;
                node = parents[place];
            }
        }
        Ok(Self {
            of_value,
            here: vec![Below::default(); parents.len()],
            parents,
            heights,
            known,
            height: tree.height(),
            touched: Vec::new(),
        })
    }

    /// The distance of a class.
    pub fn distance(&mut self, class: &Class, whole: &Whole) -> f64 {
        if self.height == 0 {
            return 0.0;
        }
        for (place, count) in &class.values {
            let mut node = Some(self.of_value[*place]);
            while let Some(place) = node {
                let below = &mut self.here[place];
                below.rows += count;
                if !below.is_touched {
                    below.is_touched = true;
                    self.touched.push(place);
                }
                node = self.parents[place];
            }
        }
        let (all, rows) = (u128::from(whole.rows()), u128::from(class.rows));
        for place in &self.touched {
            let Some(parent) = self.parents[*place] else {
                continue;
            };
            let (here, there) = (
                u128::from(self.here[*place].rows) * all,
                u128::from(self.known[*place]) * rows,
            );
            let above = &mut self.here[parent];
            above.more += here.saturating_sub(there);
            above.less += there.saturating_sub(here);
            above.known += self.known[*place];
        }
        let mut cost = 0;
        for place in self.touched.drain(..) {
            let below = std::mem::take(&mut self.here[place]);
            if self.heights[place] > 0 {
                let missing = self.known[place].saturating_sub(below.known);
                let less = below.less + u128::from(missing) * rows;
                cost += u128::from(self.heights[place]) * below.more.min(less);
            }
        }
        quotient(cost, u128::from(self.height) * all * rows)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::anonymity::numbers::Numbers;

    fn tree(pairs: &[(&str, Option<&str>)]) -> Result<Tree> {
        Tree::new(
            pairs
                .iter()
                .map(|(value, parent)| ((*value).to_owned(), parent.map(str::to_owned)))
                .collect(),
        )
    }

    /// Diseases of Li et al. 2007, figure 2.
    fn diseases() -> Tree {
        tree(&[
            ("all", None),
            ("respiratory", Some("all")),
            ("infection", Some("respiratory")),
            ("flu", Some("infection")),
            ("pneumonia", Some("infection")),
            ("bronchitis", Some("infection")),
            ("vascular", Some("respiratory")),
            ("edema", Some("vascular")),
            ("embolism", Some("vascular")),
            ("digestive", Some("all")),
            ("stomach", Some("digestive")),
            ("ulcer", Some("stomach")),
            ("dyspepsia", Some("stomach")),
            ("gastritis", Some("stomach")),
            ("colon", Some("digestive")),
            ("colitis", Some("colon")),
            ("cancer", Some("colon")),
        ])
        .expect("a tree")
    }

    #[test]
    fn trees_have_heights() {
        let tree = diseases();
        assert_eq!(tree.height(), 3);
        let flu = tree.place("flu").expect("there");
        assert_eq!(tree.name(tree.above(flu, 1)), "infection");
        assert_eq!(tree.name(tree.above(flu, 2)), "respiratory");
        assert_eq!(tree.name(tree.above(flu, 9)), "all");
        assert_eq!(tree.place("nothing"), None);
        assert_eq!(tree.names().count(), 17);
    }

    #[test]
    fn what_is_no_tree_is_refused() {
        for pairs in [
            &[("a", Some("b"))][..],
            &[("a", None), ("b", None)],
            &[("a", None), ("a", None)],
            &[("a", Some("b")), ("b", Some("a"))],
            &[("a", None), ("b", Some("c")), ("c", Some("b"))],
            &[],
        ] {
            assert_eq!(
                tree(pairs).map(|_| ()).map_err(|error| error.kind()),
                Err(Kind::InvalidParameter),
                "{pairs:?}"
            );
        }
    }

    #[test]
    fn values_that_are_not_in_the_tree_are_counted_not_shown() {
        let whole = [1, 1].into_iter().collect();
        let values = ["SECRET", "other"].map(str::to_owned);
        let error = Hierarchical::new(&diseases(), &whole, &values).expect_err("refused");
        assert_eq!(error.kind(), Kind::InvalidParameter);
        assert!(!format!("{error:?}").contains("SECRET"));
        assert_eq!(
            error.detail(),
            Some("2 values of the column are not in it.")
        );
    }

    #[test]
    fn hierarchical_distance_moves_earth_up_and_down() {
        let tree = diseases();
        let values = ["flu", "pneumonia", "edema", "colitis"].map(str::to_owned);
        let whole: Whole = [1, 1, 1, 1].into_iter().collect();
        let mut over = Hierarchical::new(&tree, &whole, &values).expect("covered");
        // All four quarters to flu: one stays, pneumonia comes over 1, edema over 2, colitis over 3.
        let flu = Class::new(vec![(0, 1)]);
        let wanted = (1.0 + 2.0 + 3.0) / 3.0 / 4.0;
        assert!((over.distance(&flu, &whole) - wanted).abs() < 1e-12);
        let same = Class::new(vec![(0, 2), (1, 2), (2, 2), (3, 2)]);
        assert_eq!(over.distance(&same, &whole).to_bits(), 0.0_f64.to_bits());
        // Nothing is left of one class in the next.
        assert!((over.distance(&flu, &whole) - wanted).abs() < 1e-12);
    }

    /// Moves earth greedily from the lowest meeting points upwards, which is best in a tree.
    fn slowly(tree: &Tree, values: &[String], q: &[f64], p: &[f64]) -> f64 {
        let height = |a: &str, b: &str| {
            let ways = |value: &str| {
                let place = tree.place(value).expect("there");
                (0..=tree.height())
                    .map(|levels| tree.above(place, levels))
                    .collect::<Vec<_>>()
            };
            let (one, other) = (ways(a), ways(b));
            let meeting = one.iter().find(|node| other.contains(node)).expect("root");
            tree.heights[*meeting]
        };
        let mut rest: Vec<f64> = q.iter().zip(p).map(|(q, p)| q - p).collect();
        let mut cost = 0.0;
        for level in 0..=tree.height() {
            for from in 0..values.len() {
                for to in 0..values.len() {
                    if rest[from] > 0.0
                        && rest[to] < 0.0
                        && height(&values[from], &values[to]) == level
                    {
                        let moved = rest[from].min(-rest[to]);
                        rest[from] -= moved;
                        rest[to] += moved;
                        cost += moved * f64::from(level) / f64::from(tree.height());
                    }
                }
            }
        }
        cost
    }

    #[test]
    fn hierarchical_distance_is_that_of_moving_earth() {
        let tree = diseases();
        let leaves: Vec<String> = tree
            .names()
            .filter(|name| tree.heights[tree.place(name).expect("there")] == 0)
            .map(str::to_owned)
            .collect();
        let mut numbers = Numbers::new(11);
        for _ in 0..200 {
            let whole: Whole = leaves.iter().map(|_| numbers.below(5) + 1).collect();
            let mut over = Hierarchical::new(&tree, &whole, &leaves).expect("covered");
            let counts: Vec<u64> = leaves.iter().map(|_| numbers.below(3)).collect();
            let pairs: Vec<_> = counts.iter().copied().enumerate().collect();
            let class = Class::new(pairs.into_iter().filter(|(_, count)| *count > 0).collect());
            if class.rows == 0 {
                continue;
            }
            let share = |counts: &[u64], rows: u64| {
                let of = |count: &u64| quotient((*count).into(), rows.into());
                counts.iter().map(of).collect::<Vec<f64>>()
            };
            let wanted = slowly(
                &tree,
                &leaves,
                &share(&counts, class.rows),
                &share(whole.counts(), whole.rows()),
            );
            let found = over.distance(&class, &whole);
            assert!((found - wanted).abs() < 1e-12, "{found} {wanted}");
        }
    }
}
