//! The tokens of a run, made before its rows are copied: each value once, in one order.

use std::rc::Rc;

use super::facts::Side;
use super::joined::{self, Needed};
use super::masks::Place;
use super::plan::{MaskPlan, Plan};
use super::store;
use crate::error::Result;
use crate::keys::Secret;
use crate::pg::snapshot::Snapshot;
use crate::pg::{scratch, server};
use crate::strategies::{Apply, Kind, Mask, Params, Strategy, Value, ValueType};
use crate::vault::columns::store::{self as columns, SubjectOrder, ValueOrder};
use crate::vault::columns::{Lookup, domain_of};
use crate::vault::domain::Domain;

/// What is made at once: so many values, or so many bytes of them.
const VALUES: usize = 10_000;
const BYTES: usize = 8 << 20;

/// The tokens of a run: in which domains, and where its rows find them.
pub struct Tokens {
    domains: Vec<Rc<Domain>>,
    needed: Vec<Needed>,
    secret: Secret,
    /// The temporary table, qualified.
    pub table: String,
}

impl Tokens {
    /// What a plan needs.
    ///
    /// # Errors
    /// 42704 when a domain has gone; 55000 when its key is not available.
    pub fn of(plan: &Plan, source: &Side, run_id: [u8; 16]) -> Result<Self> {
        let needed = joined::needed(plan, source);
        Ok(Self {
            domains: columns::open(needed.iter().map(|needed| &*needed.domain))?,
            needed,
            secret: Secret::random()?,
            table: table(run_id),
        })
    }

    /// The mask that gives the key of a value; `None` of other strategies.
    pub fn mask(&self, mask: &MaskPlan<'_>) -> Option<Mask> {
        let name = domain_of(mask.strategy)?;
        let domain = self.domains.iter().find(|domain| domain.name == name)?;
        let lookup = Lookup::new(domain, &self.secret);
        Some(Mask::by(mask.strategy, mask.of, Box::new(lookup)))
    }

    /// The masks that give the orders: for each domain that of subjects, then that of values.
    ///
    /// # Errors
    /// XX000 where the name of a domain is none.
    pub fn orders(&self) -> Result<Vec<(Mask, Place)>> {
        let mut masks = Vec::new();
        for domain in &self.domains {
            let params = Params::from([("domain".to_owned(), Value::from(&*domain.name))]);
            let strategy = Strategy::new(Kind::Tokenize, &params)?;
            let orders: [Box<dyn Apply>; 2] = [
                Box::new(SubjectOrder::new(domain)),
                Box::new(ValueOrder::new(domain)),
            ];
            let nowhere = || Place {
                table: String::new(),
                column: String::new(),
            };
            let masks_of = orders.map(|order| Mask::by(&strategy, ValueType::Text, order));
            masks.extend(masks_of.map(|mask| (mask, nowhere())));
        }
        Ok(masks)
    }

    /// Makes them, and the table. `first` is the number of the first order.
    ///
    /// # Errors
    /// As the vault; what a mask refuses.
    pub fn make(&self, first: usize, snapshot: &Snapshot) -> Result<()> {
        if self.needed.is_empty() {
            return Ok(());
        }
        let place = store::make_tokens(&self.table)?;
        for (turn, domain) in self.domains.iter().enumerate() {
            let needed = self
                .needed
                .iter()
                .find(|needed| needed.domain == domain.name);
            let Some(needed) = needed else { continue };
            let order = first + 2 * turn;
            if let Some(query) = needed.subjects(order) {
                store::subjects(&query, snapshot, |names| {
                    server::check_for_interrupts();
                    scratch::with(|| columns::subjects(domain, &names))
                })?;
            }
            let mut batch = Batch::default();
            store::values(&needed.values(order + 1), snapshot, |page| {
                server::check_for_interrupts();
                for (key, value, subject) in page {
                    batch.add(key, value, subject);
                    if batch.is_full() {
                        batch.flush(domain, place)?;
                    }
                }
                Ok(())
            })?;
            batch.flush(domain, place)?;
        }
        store::analyze(&self.table)
    }

    /// Takes the table away.
    ///
    /// # Errors
    /// As the interface.
    pub fn end(&self) -> Result<()> {
        match self.needed.is_empty() {
            true => Ok(()),
            false => store::drop_tokens(&self.table),
        }
    }
}

/// Where the rows of a run find their tokens.
pub fn table(run_id: [u8; 16]) -> String {
    format!("pg_temp.confiture_tokens_{}", hex::encode(run_id))
}

#[derive(Default)]
struct Batch {
    keys: Vec<String>,
    values: Vec<(String, Option<String>)>,
    bytes: usize,
}

impl Batch {
    fn add(&mut self, key: String, value: String, subject: Option<String>) {
        self.bytes += value.len() + subject.as_ref().map_or(0, String::len);
        self.keys.push(key);
        self.values.push((value, subject));
    }

    fn is_full(&self) -> bool {
        self.keys.len() >= VALUES || self.bytes >= BYTES
    }

    fn flush(&mut self, domain: &Domain, place: store::Place) -> Result<()> {
        let batch = std::mem::take(self);
        if batch.keys.is_empty() {
            return Ok(());
        }
        scratch::with(|| {
            let tokens = columns::tokens(domain, &batch.values)?;
            store::put_tokens(place, &batch.keys, &tokens)
        })
    }
}
