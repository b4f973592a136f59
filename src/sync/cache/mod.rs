//! The cache of a run: what costly masks have given, for the next time the same value comes.
//!
//! It stands in front of a compiled mask and is one itself, so that nothing else of a run knows of
//! it: [`Caching::front`]. An output is found by a digest of everything that it depends on: strategy
//! and version, parameters, seed, versions of masking key and salt, type, value, and what the mask
//! reads beside it. So columns that are masked alike share their entries. What is stored is not
//! believed, but checked at every use: `table`. Which columns take part is decided beforehand, by
//! cost and by the planner's statistics: `worth`.
//!
//! No value is kept, only its digest under a key that is drawn for the run and forgotten with it;
//! outputs are wiped when they are dropped.

pub mod form;
pub mod store;
pub mod table;
pub mod worth;

use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;
use std::rc::Rc;

use serde_json::{Map, Value, json};
use zeroize::Zeroizing;

use super::log::field;
use super::masks::Place;
use super::options::Cache;
use super::plan::{Decision, MaskPlan, Plan};
use super::redraw::Named;
use super::workers::report::Words;
use crate::error::{Error, Result};
use crate::keys::{Secret, push_field};
use crate::strategies::params::to_json;
use crate::strategies::{Apply, Datum, Input, Mask, Row, Seed, Strategy, ValueType};
use table::{Counts, Table, Tag};
use worth::{Statistics, Verdict, Worth};

/// Bytes that the caches of a run take at most, those of all its processes together.
pub const MOST_BYTES: usize = 32 << 20;

/// What one of so many processes may take of it.
pub fn share(processes: usize) -> usize {
    MOST_BYTES / processes.max(1)
}

/// What to do about entries that were changed from outside.
pub const ALARM_HINT: &str = "The rows are right. See whether somebody writes into the memory of \
                              the server, or whether the memory is faulty.";

/// By column, whether its outputs are kept.
pub type Verdicts = BTreeMap<Named, Verdict>;

/// Judges every masked column of a plan.
pub fn judged(plan: &Plan, statistics: &BTreeMap<Named, Statistics>, asked: Cache) -> Verdicts {
    let mut verdicts = Verdicts::new();
    for table in &plan.tables {
        for column in &table.columns {
            let Decision::Masked(masked) = &column.decision else {
                continue;
            };
            let place = (table.source.name.clone(), column.name.clone());
            let rows = (table.rows, table.expected);
            let verdict = Verdict::of(masked, statistics.get(&place), rows, asked);
            verdicts.insert(place, verdict);
        }
    }
    verdicts
}

/// The cache of one process of a run.
pub struct Caching {
    shared: Option<Rc<Shared>>,
    columns: Vec<(Place, Worth)>,
    /// Poisoned entries that were reported.
    reported: Cell<u64>,
    /// What became of values in other processes of the run.
    others: RefCell<Others>,
}

/// As [`Seen`], by the places of the columns.
#[derive(Default)]
struct Others {
    bytes: usize,
    columns: Vec<(Counts, bool)>,
}

struct Shared {
    /// Under which digests are made.
    key: Secret,
    table: RefCell<Table>,
    /// By column, whether it was given up.
    is_lost: Vec<Cell<bool>>,
}

impl Caching {
    /// An empty cache for the columns that are worth it, of at most so many bytes.
    ///
    /// # Errors
    /// XX000 without randomness.
    pub fn new(verdicts: &Verdicts, most_bytes: usize) -> Result<Self> {
        let columns: Vec<(Place, Worth)> = verdicts
            .iter()
            .filter_map(|((table, column), verdict)| match verdict {
                Verdict::Kept(worth) => {
                    let (table, column) = (table.clone(), column.clone());
                    Some((Place { table, column }, *worth))
                }
                Verdict::Not(_) => None,
            })
            .collect();
        let shared = match columns.is_empty() {
            true => None,
            false => Some(Rc::new(Shared {
                key: Secret::random()?,
                table: RefCell::new(Table::new(Secret::random()?, columns.len(), most_bytes)),
                is_lost: vec![Cell::new(false); columns.len()],
            })),
        };
        Ok(Self {
            shared,
            columns,
            reported: Cell::new(0),
            others: RefCell::default(),
        })
    }

    /// What puts the cache in front of a mask, if its column takes part. `keys` says which versions
    /// of keys the mask is made with.
    pub fn front(&self, mask: &MaskPlan<'_>, keys: &[(&str, i32)]) -> Front {
        let column = self.columns.iter().position(|(of, _)| *of == mask.place);
        Front(match (&self.shared, column) {
            (Some(shared), Some(column)) => Some(Part {
                strategy: mask.strategy.clone(),
                of: mask.of,
                keys: keys
                    .iter()
                    .map(|(name, version)| ((*name).to_owned(), *version))
                    .collect(),
                column,
                worth: self.columns[column].1,
                shared: Rc::clone(shared),
            }),
            _ => None,
        })
    }

    /// How many columns take part.
    pub fn columns(&self) -> usize {
        self.columns.len()
    }

    /// What became of the values of each column in this process, as numbers.
    pub fn report(&self, out: &mut Vec<u64>) {
        let seen = self.seen();
        out.push(seen.bytes as u64);
        for (_, counts, is_lost) in &seen.columns {
            out.extend([counts.hits, counts.misses, counts.evicted, counts.poisoned]);
            out.push(u64::from(*is_lost));
        }
    }

    /// Adds what became of them in another process.
    pub fn merge(&self, words: &mut Words<'_>) {
        let mut others = self.others.borrow_mut();
        others.bytes += usize::try_from(words.take()).unwrap_or(usize::MAX);
        others
            .columns
            .resize(self.columns.len(), Default::default());
        for (counts, is_lost) in &mut others.columns {
            counts.hits += words.take();
            counts.misses += words.take();
            counts.evicted += words.take();
            counts.poisoned += words.take();
            *is_lost |= words.take() != 0;
        }
    }

    /// What became of the values of each column that takes part.
    pub fn seen(&self) -> Seen {
        let Some(shared) = &self.shared else {
            return Seen::default();
        };
        let table = shared.table.borrow();
        let others = self.others.borrow();
        let lost = shared.is_lost.iter().map(Cell::get);
        let columns = self.columns.iter().zip(table.counts()).zip(lost);
        let column =
            |(place, (((of, _), counts), is_lost)): (usize, ((&(Place, _), &Counts), bool))| {
                let (more, was_lost) = others.columns.get(place).copied().unwrap_or_default();
                (of.clone(), counts.plus(&more), is_lost || was_lost)
            };
        Seen {
            bytes: table.peak() + others.bytes,
            columns: columns.enumerate().map(column).collect(),
        }
    }

    /// What is to be said of entries that were poisoned since it was last asked.
    pub fn alarm(&self) -> Option<String> {
        let poisoned = |(_, counts, _): &(Place, Counts, bool)| counts.poisoned;
        let seen = self.seen().columns;
        let all: u64 = seen.iter().map(poisoned).sum();
        let new = all.saturating_sub(self.reported.replace(all));
        (new > 0).then(|| {
            let entries = match new {
                1 => "1 entry of the cache of the run was".to_owned(),
                new => format!("{new} entries of the cache of the run were"),
            };
            format!("{entries} changed from outside, and computed again")
        })
    }
}

/// What became of the values of the columns that take part.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Seen {
    /// The most bytes that were taken.
    pub bytes: usize,
    /// Each column, and whether it was given up.
    pub columns: Vec<(Place, Counts, bool)>,
}

impl Seen {
    /// For the entry of the run; none where no column took part.
    pub fn entry(&self) -> Option<Value> {
        if self.columns.is_empty() {
            return None;
        }
        let mut tables = Map::new();
        for (place, counts, is_lost) in &self.columns {
            let table = tables.entry(&place.table).or_insert_with(|| json!({}));
            table[&place.column] = json!({
                "hits": counts.hits, "misses": counts.misses, "evicted": counts.evicted,
                "poisoned": counts.poisoned, "given_up": is_lost,
            });
        }
        Some(json!({"bytes": self.bytes, "columns": tables}))
    }

    /// For the log, a line for each column.
    pub fn lines(&self) -> impl Iterator<Item = String> {
        self.columns.iter().map(|(place, counts, is_lost)| {
            format!(
                "cached {} hits={} misses={} evicted={} poisoned={} given_up={is_lost}",
                field("column", &format!("{}.{}", place.table, place.column)),
                counts.hits,
                counts.misses,
                counts.evicted,
                counts.poisoned,
            )
        })
    }
}

/// What puts the cache in front of the masks of a column: that of the plan, and those of further
/// draws, which differ by their seed. Or nothing.
pub struct Front(Option<Part>);

/// The part that a column has in the cache.
struct Part {
    strategy: Strategy,
    of: ValueType,
    keys: Vec<(String, i32)>,
    column: usize,
    worth: Worth,
    shared: Rc<Shared>,
}

impl Front {
    /// The same mask, with the cache in front of it where the column takes part.
    pub fn of(&self, made: Mask, seed: Seed) -> Mask {
        let Some(part) = &self.0 else {
            return made;
        };
        let cached = Cached {
            mask: made,
            key: part.key(seed),
            column: part.column,
            worth: part.worth,
            shared: Rc::clone(&part.shared),
        };
        Mask::by(&part.strategy, part.of, Box::new(cached))
    }
}

impl Part {
    /// The key of the digests of one mask: bound to everything but the value.
    fn key(&self, seed: Seed) -> Zeroizing<[u8; 32]> {
        let kind = self.strategy.kind();
        let params = self.strategy.effective_params().iter();
        let params: Map<String, Value> = params
            .map(|(name, value)| (name.clone(), to_json(value)))
            .collect();
        let params = Zeroizing::new(Value::Object(params).to_string());
        // Room for every field: a vector that grows would leave the seed behind in freed memory.
        let names: usize = self.keys.iter().map(|(name, _)| name.len() + 12).sum();
        let mut fields = Zeroizing::new(Vec::with_capacity(256 + params.len() + names));
        push_field(&mut fields, b"confiture/cache/v1");
        push_field(&mut fields, kind.name().as_bytes());
        push_field(&mut fields, &kind.version().to_be_bytes());
        push_field(&mut fields, params.as_bytes());
        push_field(&mut fields, &seed.number().to_be_bytes());
        push_field(&mut fields, self.of.name().as_bytes());
        for (name, version) in &self.keys {
            push_field(&mut fields, name.as_bytes());
            push_field(&mut fields, &version.to_be_bytes());
        }
        Zeroizing::new(*blake3::keyed_hash(self.shared.key.expose(), &fields).as_bytes())
    }
}

/// A mask with the cache before it.
struct Cached {
    mask: Mask,
    key: Zeroizing<[u8; 32]>,
    column: usize,
    worth: Worth,
    shared: Rc<Shared>,
}

impl Cached {
    /// What the output depends on beside the mask itself. Each part says how long it is, so that
    /// none can pass for a part of another.
    fn tag(&self, value: &Datum<'_>, row: Row<'_>) -> Tag {
        let mut digest = blake3::Hasher::new_keyed(&self.key);
        let mut part = |variant: u8, bytes: &[u8]| {
            let mut head = [variant; 9];
            head[1..].copy_from_slice(&(bytes.len() as u64).to_be_bytes());
            digest.update(&head);
            digest.update(bytes);
        };
        form::with(value, &mut part);
        for input in row.0 {
            match input {
                Input::None => part(b'0', &[]),
                Input::One(text) => part(b'1', text.as_bytes()),
                Input::Many(texts) => {
                    part(b'n', &(texts.len() as u64).to_be_bytes());
                    texts.iter().for_each(|text| part(b'1', text.as_bytes()));
                }
            }
        }
        Tag(*digest.finalize().as_bytes())
    }

    /// Gives the column up where it repeats too little.
    fn judge(&self, table: &Table) {
        let counts = table.counts().get(self.column);
        if counts.is_some_and(|counts| self.worth.is_lost(counts)) {
            self.shared.is_lost[self.column].set(true);
        }
    }
}

impl Apply for Cached {
    fn apply<'a>(&self, value: Datum<'a>, row: Row<'_>) -> Result<Option<Datum<'a>>, Error> {
        if self.shared.is_lost[self.column].get() {
            return self.mask.apply(value, row);
        }
        let tag = self.tag(&value, row);
        // Not borrowed while the mask works.
        let kept = self.shared.table.borrow_mut().get(self.column, &tag);
        if let Some(output) = kept {
            return Ok(output);
        }
        let output = self.mask.apply(value, row)?;
        let mut table = self.shared.table.borrow_mut();
        table.put(self.column, tag, output.as_ref());
        self.judge(&table);
        Ok(output)
    }

    fn longest(&self) -> usize {
        // The mask itself says what is too long.
        usize::MAX
    }

    fn reverse<'a>(&self, value: Datum<'a>, row: Row<'_>) -> Result<Option<Datum<'a>>, Error> {
        self.mask.reverse(value, row)
    }
}

#[cfg(test)]
mod tests;
