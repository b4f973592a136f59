//! Values drawn again, where a constraint of the column refuses what its mask wrote.
//!
//! The first draw is that of any statement that calls the mask. Another one depends on the value
//! and the number of the attempt alone, so that equal values go on to share a pseudonym: the mask
//! with another seed ([`Seed::redrawn`]) takes the same value. A mask that is one to one would lose
//! that, as two of its seeds may give one output; it takes its own output once more instead. Such
//! walking along a permutation until it is back among the values accepted (Black and Rogaway 2002,
//! "cycle walking") is one to one on these values; an original outside of them may meet another's
//! pseudonym, which a unique index then refuses.
//!
//! Columns that references join, those that the profile declares too, are judged by the conditions
//! of all of them, so that both ends of a reference are drawn alike.

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;

use serde::{Deserialize, Serialize};

use super::fit::{Call, How};
use super::masks::{self, Place};
use super::plan::{Decision, MaskPlan, Masked, Plan, TablePlan};
use super::workers::report::Words;
use crate::error::{Error, Kind, Result};
use crate::strategies::measure::epsilon::Epsilon;
use crate::strategies::{Datum, Mask, Row, Seed};

/// How often a value is drawn again. Where a tenth of what a mask writes is accepted, one in 10^11
/// values is refused as often.
pub const MOST: u32 = 256;

/// How another value is drawn.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Style {
    /// By the same mask with another seed.
    Draw,
    /// By the same mask, out of what it wrote.
    Walk,
}

/// How values of a masked column are drawn again; `None` where that cannot help or may not be.
pub fn style(masked: &Masked) -> Option<Style> {
    match &masked.how {
        How::Mask(call) => style_of(masked, call),
        // Fields of a record share one value, and nothing else is drawn.
        How::Constant(_) | How::Default | How::Null | How::Record(_) | How::Shuffle(_) => None,
    }
}

fn style_of(masked: &Masked, call: &Call) -> Option<Style> {
    // Elements of an array are pseudonyms of their own, and a token is the vault's.
    if call.is_array || call.token.is_some() {
        return None;
    }
    // To draw noise until it suits gives away more than its epsilon says.
    if Epsilon::largest(&masked.strategy).is_some() {
        return None;
    }
    let promised = masked.strategy.properties(call.of);
    match (promised.keyed, promised.injective) {
        (false, _) => None,
        (true, true) => Some(Style::Walk),
        (true, false) => Some(Style::Draw),
    }
}

/// A column whose conditions a value must meet.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Judge {
    /// Number of its table.
    pub relation: u32,
    /// Its name.
    pub column: String,
    /// Whether it is the only one, so that the value is judged as it is stored there. Columns of a
    /// foreign key may round and pad differently, and must judge alike.
    pub is_alone: bool,
}

/// What another process is told of how values are drawn again.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Described {
    strategy: String,
    style: Style,
    /// The columns whose conditions a value must meet.
    pub judges: Vec<Judge>,
}

/// What is needed to draw the values of one mask again.
pub struct Redraw {
    place: Place,
    strategy: String,
    style: Style,
    seed: Seed,
    judges: Vec<Judge>,
    make: Box<dyn Fn(Seed) -> Result<Mask>>,
    /// Masks of further attempts, made when they are first needed.
    made: Vec<Mask>,
    seen: Seen,
}

/// What became of the values of a mask.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Seen {
    /// Values judged.
    pub values: u64,
    /// Those drawn again.
    pub redrawn: u64,
    /// How often all of them together.
    pub attempts: u64,
}

impl Seen {
    /// How many draws a value took on average.
    pub fn draws(&self) -> f64 {
        #[allow(clippy::cast_precision_loss, reason = "a ratio")]
        let ratio = self.attempts as f64 / self.values.max(1) as f64;
        1.0 + ratio
    }

    /// Values drawn again, of a million.
    pub fn per_million(&self) -> u64 {
        let of = u128::from(self.values.max(1));
        u64::try_from(u128::from(self.redrawn) * 1_000_000 / of).unwrap_or(u64::MAX)
    }
}

impl Redraw {
    /// For a mask of a plan; `None` where its values are not drawn again. `make` gives the mask
    /// with another seed.
    pub fn of(
        mask: &MaskPlan<'_>,
        plan: &Plan,
        judges: Vec<Judge>,
        make: impl Fn(Seed) -> Result<Mask> + 'static,
    ) -> Option<Self> {
        let masked = masked_of(plan, &mask.place)?;
        Some(Self {
            place: mask.place.clone(),
            strategy: masked.name.clone(),
            style: style(masked)?,
            seed: mask.seed,
            judges,
            make: Box::new(make),
            made: Vec::new(),
            seen: Seen::default(),
        })
    }

    /// What is told to another process of it.
    pub fn described(&self) -> Described {
        Described {
            strategy: self.strategy.clone(),
            style: self.style,
            judges: self.judges.clone(),
        }
    }

    /// The same in another process. `make` gives the mask with another seed.
    pub fn again(
        of: Described,
        (place, seed): (Place, Seed),
        make: impl Fn(Seed) -> Result<Mask> + 'static,
    ) -> Self {
        Self {
            place,
            strategy: of.strategy,
            style: of.style,
            seed,
            judges: of.judges,
            make: Box::new(make),
            made: Vec::new(),
            seen: Seen::default(),
        }
    }

    /// The same, with every further mask led through `front`, which is told its seed.
    #[must_use]
    pub fn through(self, front: impl Fn(Mask, Seed) -> Mask + 'static) -> Self {
        let make = self.make;
        Self {
            make: Box::new(move |seed| Ok(front(make(seed)?, seed))),
            ..self
        }
    }

    fn exhausted(&self, constraint: &str) -> Error {
        Error::new(
            Kind::Check,
            format!(
                "strategy \"{}\" finds no value for column \"{}\" of table \"{}\" that constraint \
                 \"{constraint}\" accepts",
                self.strategy, self.place.column, self.place.table
            ),
        )
        .with_detail(format!("It has drawn {} times.", MOST + 1))
    }
}

/// The redraws of a run, and the number of the first.
#[derive(Default)]
struct Redraws {
    first: usize,
    running: Vec<Option<Redraw>>,
}

impl Redraws {
    fn get(&mut self, number: usize) -> Option<&mut Redraw> {
        let place = number.checked_sub(self.first)?;
        self.running.get_mut(place)?.as_mut()
    }
}

thread_local! {
    static RUNNING: RefCell<Redraws> = RefCell::default();
}

/// Lets the values of masks be drawn again until the guard is dropped; by the numbers of the masks.
#[must_use]
pub fn install(redraws: Vec<Option<Redraw>>) -> Installed {
    install_from(0, redraws)
}

/// As [`install`], where the first of them has that number.
#[must_use]
pub fn install_from(first: usize, running: Vec<Option<Redraw>>) -> Installed {
    Installed(RUNNING.replace(Redraws { first, running }))
}

/// Puts back what was there before when dropped.
pub struct Installed(Redraws);

impl Installed {
    /// What became of the values of each mask so far, by its place.
    pub fn seen(&self) -> BTreeMap<(String, String), Seen> {
        RUNNING.with_borrow(|running| {
            let all = running.running.iter().flatten();
            all.filter(|redraw| redraw.seen.values > 0)
                .map(|redraw| {
                    let Place { table, column } = redraw.place.clone();
                    ((table, column), redraw.seen)
                })
                .collect()
        })
    }
}

impl Drop for Installed {
    fn drop(&mut self) {
        RUNNING.set(std::mem::take(&mut self.0));
    }
}

/// The columns whose conditions the values of a mask must meet; none outside of a run.
pub fn judges(number: i32) -> Vec<Judge> {
    with(number, |redraw| redraw.judges.clone()).unwrap_or_default()
}

/// Counts a value that was accepted, after so many further attempts.
pub fn accept(number: i32, attempts: u32) {
    with(number, |redraw| {
        redraw.seen.values += 1;
        redraw.seen.redrawn += u64::from(attempts > 0);
        redraw.seen.attempts += u64::from(attempts);
    });
}

/// Draws again: for the attempt of that number, what `original` becomes in place of `refused`.
///
/// # Errors
/// 23514 where that was done often enough; what the mask returns.
pub fn again<'a>(
    number: i32,
    attempt: u32,
    original: Datum<'a>,
    refused: Option<Datum<'a>>,
    row: Row<'_>,
    constraint: &str,
) -> Result<Option<Datum<'a>>> {
    let Some(style) = with(number, |redraw| redraw.style) else {
        return Err(Error::new(Kind::Internal, "a mask of a run has gone"));
    };
    match (style, refused) {
        (Style::Walk, Some(refused)) if attempt <= MOST => {
            masks::apply(number, |mask| mask.apply(refused, row))
        }
        (Style::Draw, _) if attempt <= MOST => with(number, |redraw| {
            while redraw.made.len() < attempt as usize {
                let next = u32::try_from(redraw.made.len() + 1).unwrap_or(MOST);
                redraw.made.push((redraw.make)(redraw.seed.redrawn(next))?);
            }
            match redraw.made.get(attempt as usize - 1) {
                Some(mask) => mask.apply(original, row),
                None => Err(Error::new(Kind::Internal, "a mask of a run has gone")),
            }
        })
        .unwrap_or(Ok(None)),
        _ => {
            let failed = with(number, |redraw| {
                (redraw.place.clone(), redraw.exhausted(constraint))
            });
            let Some((place, error)) = failed else {
                return Ok(None);
            };
            masks::refuse(place, Some(constraint.to_owned()), error.clone());
            Err(error)
        }
    }
}

fn with<T>(number: i32, work: impl FnOnce(&mut Redraw) -> T) -> Option<T> {
    RUNNING.with_borrow_mut(|running| {
        let number = usize::try_from(number).ok()?;
        running.get(number).map(work)
    })
}

/// What became in this process of the values of the masks of those numbers, as numbers.
pub fn report(numbers: &Range<usize>, out: &mut Vec<u64>) {
    RUNNING.with_borrow_mut(|running| {
        for number in numbers.clone() {
            let seen = running.get(number).map(|of| of.seen).unwrap_or_default();
            out.extend([seen.values, seen.redrawn, seen.attempts]);
        }
    });
}

/// Adds what became of them in another process.
pub fn merge(numbers: &Range<usize>, words: &mut Words<'_>) {
    RUNNING.with_borrow_mut(|running| {
        for number in numbers.clone() {
            let more = [words.take(), words.take(), words.take()];
            if let Some(of) = running.get(number) {
                of.seen.values += more[0];
                of.seen.redrawn += more[1];
                of.seen.attempts += more[2];
            }
        }
    });
}

/// Table and column.
pub type Named = (String, String);

/// For each column that is drawn again, those whose conditions count: its own, and those of the
/// columns that foreign keys of the plan join with it.
pub fn groups(plan: &Plan) -> BTreeMap<Named, BTreeSet<Named>> {
    let mut joined = Joined::default();
    let place = |table: &TablePlan, column: &str| (table.source.name.clone(), column.to_owned());
    let is_drawn = |table: &TablePlan, column: &str| match table.decision(column) {
        Some(Decision::Masked(masked)) => style(masked).is_some(),
        _ => false,
    };
    for table in &plan.tables {
        for column in &table.columns {
            if is_drawn(table, &column.name) {
                joined.number(place(table, &column.name));
            }
        }
    }
    for link in &plan.links {
        let (table, other) = (&plan.tables[link.child], &plan.tables[link.parent]);
        for (here, there) in link.columns.iter().zip(&link.parent_columns) {
            if is_drawn(table, here) && is_drawn(other, there) {
                joined.join(place(table, here), place(other, there));
            }
        }
    }
    joined.groups()
}

/// Places that are joined, as a forest: each leads to another of its group, or to itself.
#[derive(Default)]
struct Joined {
    numbers: BTreeMap<Named, usize>,
    leads_to: Vec<usize>,
}

impl Joined {
    fn number(&mut self, place: Named) -> usize {
        let next = self.leads_to.len();
        let number = *self.numbers.entry(place).or_insert(next);
        if number == next {
            self.leads_to.push(next);
        }
        number
    }

    fn root(&self, mut number: usize) -> usize {
        while self.leads_to[number] != number {
            number = self.leads_to[number];
        }
        number
    }

    fn join(&mut self, one: Named, other: Named) {
        let (one, other) = (self.number(one), self.number(other));
        let (one, other) = (self.root(one), self.root(other));
        self.leads_to[one] = other;
    }

    fn groups(self) -> BTreeMap<Named, BTreeSet<Named>> {
        let mut by_root: BTreeMap<usize, BTreeSet<Named>> = BTreeMap::new();
        for (place, number) in &self.numbers {
            let members = by_root.entry(self.root(*number)).or_default();
            members.insert(place.clone());
        }
        let places = self.numbers.iter();
        places
            .map(|(place, number)| (place.clone(), by_root[&self.root(*number)].clone()))
            .collect()
    }
}

fn masked_of<'a>(plan: &'a Plan, place: &Place) -> Option<&'a Masked> {
    let table = plan
        .tables
        .iter()
        .find(|table| table.source.name == place.table)?;
    match table.decision(&place.column)? {
        Decision::Masked(masked) => Some(masked),
        _ => None,
    }
}

#[cfg(test)]
mod tests;
