//! The tokens of many values at once.

use std::collections::{BTreeMap, BTreeSet};

use super::rows::{Found, store};
use super::{Ring, Row, Sealer, Wanted, check, salt};
use crate::error::{Error, Kind, Result};
use crate::keys::random_bytes;
use crate::keys::store::ActiveKey;
use crate::pg::{frozen, scratch, server};
use crate::vault::domain::Domain;
use crate::vault::domain::store::{sealing_key, subject};
use crate::vault::pending::{self, Count};
use crate::vault::record::Handle;

/// Rows looked at or written by one statement.
const ROWS: usize = 10_000;

/// How often a token that is taken is drawn again.
const ATTEMPTS: u16 = 64;

/// How many shapes of values are looked at when tokens were taken: those most values have.
const SHAPES: usize = 4;

/// The tokens of values, made where they are not there: one for each, in their order.
///
/// Rows are locked and written in one order, that of their handles, in however many parts: so batches
/// and runs with the same values wait for each other and do not lock each other out.
///
/// # Errors
/// As [`check`]; 54000 where half of the tokens of a form are used; 25006 on a standby; 55000 when
/// a key is not available.
pub fn tokens(domain: &Domain, wanted: &[Option<Wanted<'_>>]) -> Result<Vec<Option<String>>> {
    frozen::writable()?;
    let given = || {
        (1..)
            .zip(wanted)
            .filter_map(|(place, one)| one.map(|one| (place, one)))
    };
    check(domain, given())?;
    let ring = ring(domain, given().map(|(_, one)| one))?;
    let mut batch = Batch::new(domain, &ring, wanted)?;
    batch.fill()?;
    pending::made(&domain.name, batch.count);
    Ok(batch.tokens)
}

/// The keys of a domain and of the subjects of values, held.
fn ring<'a, 'v>(domain: &'a Domain, wanted: impl Iterator<Item = Wanted<'v>>) -> Result<Ring<'a>> {
    let mut ring = Ring::new(domain);
    let subjects: BTreeSet<&str> = wanted.filter_map(|one| one.subject).collect();
    // In the order of their handles, as rows are.
    let subjects: BTreeMap<Handle, &str> = subjects
        .into_iter()
        .map(|name| (ring.finder.subject(name), name))
        .collect();
    for (handle, name) in subjects {
        let found = scratch::with(|| subject(domain, &handle, true))?.ok_or_else(|| {
            Error::new(
                Kind::NotReady,
                "a subject was forgotten while it got tokens",
            )
            .with_hint("Run again.")
        })?;
        ring.add(name, found.id, &found.secret);
    }
    Ok(ring)
}

/// Values and what became of them. Of a million values no more than a handle, a place and the token
/// are kept for each.
struct Batch<'a> {
    domain: &'a Domain,
    ring: &'a Ring<'a>,
    wanted: &'a [Option<Wanted<'a>>],
    /// The handle of each value and its place, in the order of the handles.
    order: Vec<(Handle, u32)>,
    /// The tokens, by place.
    tokens: Vec<Option<String>>,
    count: Count,
}

/// A place in the order, the first of its handle.
type At = usize;

impl<'a> Batch<'a> {
    fn new(
        domain: &'a Domain,
        ring: &'a Ring<'a>,
        wanted: &'a [Option<Wanted<'a>>],
    ) -> Result<Self> {
        let mut order = Vec::with_capacity(wanted.len());
        for (place, one) in (0_u32..).zip(wanted) {
            if let Some(one) = one {
                order.push((ring.handle(one)?, place));
            }
        }
        order.sort_unstable();
        Ok(Self {
            domain,
            ring,
            wanted,
            order,
            tokens: vec![None; wanted.len()],
            count: Count::default(),
        })
    }

    /// The values without a token, each once, in the order of their handles.
    fn missing(&self) -> Vec<At> {
        (0..self.order.len())
            .filter(|&at| {
                let is_first = at == 0 || self.order[at - 1].0 != self.order[at].0;
                is_first && self.lacks(at)
            })
            .collect()
    }

    fn lacks(&self, at: At) -> bool {
        self.tokens[self.order[at].1 as usize].is_none()
    }

    fn value(&self, at: At) -> Result<&'a Wanted<'a>> {
        self.wanted[self.order[at].1 as usize]
            .as_ref()
            .ok_or_else(|| Error::new(Kind::Internal, "a value has gone"))
    }

    fn handles(&self, part: &[At]) -> Vec<Handle> {
        part.iter().map(|&at| self.order[at].0).collect()
    }

    /// Where a handle stands among those asked for.
    fn place(&self, part: &[At], handle: &Handle) -> Result<At> {
        part.binary_search_by_key(handle, |&at| self.order[at].0)
            .map(|found| part[found])
            .map_err(|_| Error::new(Kind::Internal, "a row was found that nobody asked for"))
    }

    /// Gives a value its token, wherever it stands.
    fn give(&mut self, at: At, token: String) {
        let (handle, place) = self.order[at];
        for (of, other) in &self.order[at + 1..] {
            if *of != handle {
                break;
            }
            self.tokens[*other as usize] = Some(token.clone());
        }
        self.tokens[place as usize] = Some(token);
    }

    /// Gives every value its token, part by part: what a part waits for stands before what the next
    /// one does.
    fn fill(&mut self) -> Result<()> {
        let all = self.missing();
        let mut parts = all.chunks(ROWS);
        let (part, late) = loop {
            let Some(part) = parts.next() else {
                return Ok(());
            };
            let late = self.look(part)?;
            if part.iter().any(|&at| self.lacks(at)) {
                break (part, late);
            }
        };
        let key = sealing_key()?;
        let sealer = self.ring.sealer(&key.name, key.version, &key.secret);
        self.make(part, late, &key, &sealer)?;
        for part in parts {
            let late = self.look(part)?;
            self.make(part, late, &key, &sealer)?;
        }
        Ok(())
    }

    /// Finds what is there, and returns those whose time is to be renewed.
    fn look(&mut self, part: &[At]) -> Result<Vec<At>> {
        server::check_for_interrupts();
        let found = scratch::with(|| store::known(self.domain, &self.handles(part)))?;
        let mut late = Vec::new();
        for one in found {
            let at = self.place(part, &one.handle)?;
            if one.is_late || one.is_over {
                late.push(at);
            } else {
                self.give(at, self.ring.token(self.value(at)?, &one.salt)?);
            }
        }
        late.sort_unstable();
        Ok(late)
    }

    /// Gives tokens that have expired, or soon will, their whole time again. What was deleted
    /// meanwhile is missing, and made.
    fn renew(&mut self, late: &[At], key: &ActiveKey, sealer: &Sealer<'_>) -> Result<()> {
        for part in late.chunks(ROWS) {
            server::check_for_interrupts();
            scratch::with(|| {
                let (mut renewed, mut revived) = (Vec::new(), Vec::new());
                for one in store::locked(self.domain, &self.handles(part))? {
                    let at = self.place(part, &one.handle)?;
                    let Found { handle, salt, .. } = one;
                    let token = if one.is_over {
                        let row = self.ring.row(handle, self.value(at)?, salt, sealer)?;
                        let token = row.token.clone();
                        revived.push(row);
                        token
                    } else {
                        renewed.push(handle);
                        self.ring.token(self.value(at)?, &salt)?
                    };
                    self.give(at, token);
                }
                self.count.renewed += number(renewed.len() + revived.len());
                if !renewed.is_empty() {
                    store::renew(self.domain, &renewed)?;
                }
                if !revived.is_empty() {
                    store::revive(self.domain, key, &revived)?;
                }
                Ok::<_, Error>(())
            })?;
        }
        Ok(())
    }

    /// Makes what is missing of a part, and renews what is `late`.
    fn make(
        &mut self,
        part: &[At],
        mut late: Vec<At>,
        key: &ActiveKey,
        sealer: &Sealer<'_>,
    ) -> Result<()> {
        for attempt in 0..ATTEMPTS {
            let missing: Vec<At> = part.iter().copied().filter(|&at| self.lacks(at)).collect();
            if missing.is_empty() {
                return Ok(());
            }
            if attempt > 0 {
                // Their tokens were taken.
                self.refuse_crowded(&missing)?;
            }
            server::check_for_interrupts();
            let left = scratch::with(|| self.write(&missing, &late, attempt, key, sealer))?;
            // Those that are locked, and those of others, who made them meanwhile.
            late = if left.is_empty() {
                Vec::new()
            } else {
                self.look(&left)?
            };
            self.renew(&late, key, sealer)?;
            late.clear();
        }
        Err(used_up(self.domain))
    }

    /// Writes rows, and locks those that are late; returns the values for which none was written.
    fn write(
        &mut self,
        part: &[At],
        late: &[At],
        attempt: u16,
        key: &ActiveKey,
        sealer: &Sealer<'_>,
    ) -> Result<Vec<At>> {
        let is_deterministic = self.domain.terms.is_deterministic;
        let mut rows = part
            .iter()
            .map(|&at| {
                let salt = salt(is_deterministic, attempt)?;
                self.ring
                    .row(self.order[at].0, self.value(at)?, salt, sealer)
            })
            .collect::<Result<Vec<Row>>>()?;
        let is_late: Vec<bool> = part
            .iter()
            .map(|at| late.binary_search(at).is_ok())
            .collect();
        let made = store::write(self.domain, key, &rows, &is_late)?;
        self.count.made += number(made.len());
        let mut made = made.into_iter().peekable();
        let mut left = Vec::new();
        // In the order they were given, which is that of the handles.
        for (&at, row) in part.iter().zip(&mut rows) {
            if made.next_if_eq(&row.handle).is_some() {
                self.give(at, std::mem::take(&mut row.token));
            } else {
                left.push(at);
            }
        }
        match made.next() {
            None => Ok(left),
            Some(_) => Err(Error::new(Kind::Internal, "rows were written out of order")),
        }
    }

    /// Once tokens were taken: whether half of those of a shape are, so that drawing another one
    /// would take longer and longer. Few shapes are looked at, by drawing some tokens of each:
    /// what is stored says nothing of shapes.
    fn refuse_crowded(&self, missing: &[At]) -> Result<()> {
        let mut shapes = BTreeMap::<String, (usize, At)>::new();
        for &at in missing {
            if let Some(shape) = self.domain.terms.format.shape(self.value(at)?.value) {
                shapes.entry(shape).or_insert((0, at)).0 += 1;
            }
        }
        let mut shapes: Vec<(usize, At)> = shapes.into_values().collect();
        shapes.sort_unstable_by(|a, b| b.cmp(a));
        for (_, at) in shapes.into_iter().take(SHAPES) {
            // Most often the first few tell.
            if self.share_taken(at, 64)? > 0.3 && self.share_taken(at, 2048)? > 0.5 {
                return Err(used_up(self.domain));
            }
        }
        Ok(())
    }

    /// How much of the tokens of a value's shape is taken, by so many that are drawn.
    fn share_taken(&self, at: At, draws: u16) -> Result<f64> {
        let value = self.value(at)?.value;
        let drawn = (0..draws)
            .map(|_| {
                let token = self.domain.terms.format.token(value, &random_bytes()?);
                Ok(self.ring.finder.reference(&token))
            })
            .collect::<Result<BTreeSet<Handle>>>()?;
        let drawn: Vec<Handle> = drawn.into_iter().collect();
        let taken = scratch::with(|| store::taken(self.domain, &drawn))?;
        #[allow(clippy::cast_precision_loss, reason = "a few thousand")]
        Ok(taken as f64 / drawn.len() as f64)
    }
}

fn number(count: usize) -> i64 {
    i64::try_from(count).unwrap_or(i64::MAX)
}

fn used_up(domain: &Domain) -> Error {
    Error::new(
        Kind::ProgramLimit,
        format!("domain \"{}\" has used half of its tokens", domain.name),
    )
    .with_detail("They are those of one length and notation, with the same digits kept.")
    .with_hint("Make another domain, with a longer form.")
}
