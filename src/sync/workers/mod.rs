//! Workers of a run: parallel workers of the server, which make the masked rows of a table while the run
//! itself writes them. For mode swap, where nothing but rows is written.
//!
//! The server starts them, gives them the run's snapshot, role and settings, hands the pages of the
//! source out to whoever is free, and ends all of them with the run (decision 0036). What is ours: each
//! gets a kit ([`kit`]) by which it makes the masks of the table, and what it has seen comes back as
//! numbers ([`report`]), by memory that both share ([`board`]).

pub mod board;
pub mod kit;
pub mod pace;
pub mod places;
pub mod report;
pub mod store;

use std::ops::Range;

use super::cache::{self, Caching, Verdicts};
use super::evidence::Evidence;
use super::leaks::running as scans;
use super::masks::Place;
use super::options::Options;
use super::phase::Phase;
use super::plan::Plan;
use super::redraw::Redraw;
use super::swap::Mode;
use super::watch;
use crate::error::Result;
use crate::keys::Secret;
use crate::ledger::lineage::commitment::Commitment;
use crate::pg::load::{self, Loaded};
use crate::pg::snapshot::Snapshot;
use crate::pg::{guc, spi};
use crate::strategies::Seed;
use kit::{About, Kit, MaskOf};
use pace::Pace;

pub use store::{join, tell, tell_raised};

/// How a run loads its tables.
pub struct Crew<'a>(Tools<'a>);

/// A mask as workers are told of it.
pub struct Member {
    of: MaskOf,
    seed: Seed,
    salt: Option<Secret>,
}

impl Member {
    /// Notes a mask of the plan.
    pub fn of(
        run: &Evidence<'_>,
        mask: &super::plan::MaskPlan<'_>,
        salt: Option<Secret>,
        redraw: Option<&Redraw>,
    ) -> Self {
        Self {
            of: MaskOf::new(mask, &run.versions(mask), redraw),
            seed: mask.seed,
            salt,
        }
    }
}

/// What a crew is made of.
pub struct Tools<'a> {
    /// The plan.
    pub plan: &'a Plan,
    /// What was asked for.
    pub options: &'a Options,
    /// The masks in the order of their numbers; none where the run alone can make some.
    pub masks: Option<Vec<Member>>,
    /// Subkeys of masking and of format-preserving encryption.
    pub subkeys: [Secret; 2],
    /// The key of the lineage.
    pub lineage: Option<(Secret, Commitment)>,
    /// The cache of this process.
    pub caching: &'a Caching,
    /// The columns whose outputs are kept.
    pub kept: &'a Verdicts,
    /// Of each table the number of its scan.
    pub scans: Vec<Option<usize>>,
}

impl<'a> Crew<'a> {
    /// Gets ready.
    pub fn new(tools: Tools<'a>) -> Self {
        Self(tools)
    }

    /// The masks of all tables, in the order of their numbers.
    fn members(&self) -> &[Member] {
        self.0.masks.as_deref().unwrap_or_default()
    }

    /// How many workers are asked for; none where they could not make every mask.
    fn workers(&self) -> u32 {
        self.0.masks.as_ref().map_or(0, |_| self.0.options.workers)
    }

    /// Loads the table of that place by its statement.
    ///
    /// # Errors
    /// As the server.
    pub fn load(
        &self,
        place: usize,
        sql: &str,
        snapshot: &Snapshot,
        phase: &Phase,
    ) -> Result<Loaded> {
        let by_run = || {
            let rows = spi::run_under(sql, snapshot)?;
            Ok(Loaded { rows, workers: 0 })
        };
        if matches!(self.0.options.mode, Mode::Atomic) {
            return by_run();
        }
        let mut pace = Pace::of(self.0.options, phase);
        let mut keep = |rows| pace.keep(rows);
        if self.workers() == 0 || !self.may_help(place) {
            let loaded = load::load(sql, snapshot, false, &mut keep)?;
            return loaded.map_or_else(by_run, Ok);
        }
        let kit = self.kit(place);
        let board = store::Shared::new(&kit, self.workers(), self.0.caching)?;
        let settings = self.settings(&board);
        let settings: Vec<_> = settings
            .iter()
            .map(|(name, value)| (*name, &**value))
            .collect();
        // A worker writes its errors to the log of the server itself, with the statement, before the
        // run can find words for them that hold no value.
        let _silent = [
            guc::pin_where_known(c"log_min_messages", "log"),
            guc::pin_where_known(c"log_min_error_statement", "panic"),
        ];
        let loaded = guc::with(&settings, || load::load(sql, snapshot, true, &mut keep))?;
        board.collect(&kit, self.0.caching)?;
        loaded.map_or_else(by_run, Ok)
    }

    /// The settings under which the server plans a load: workers are worth it whatever it costs to start
    /// them, and take rows by a queue that is cheaper than their masks.
    fn settings(&self, board: &store::Shared) -> [(&'static str, String); 6] {
        [
            (
                "max_parallel_workers_per_gather",
                self.workers().to_string(),
            ),
            ("min_parallel_table_scan_size", "1MB".to_owned()),
            ("parallel_leader_participation", "on".to_owned()),
            ("parallel_setup_cost", "0".to_owned()),
            ("parallel_tuple_cost", "0".to_owned()),
            ("confiture.kit", board.handle().to_string()),
        ]
    }

    /// Whether what decides on values of the table may run in a worker.
    fn may_help(&self, place: usize) -> bool {
        let members = &self.members()[self.numbers(place)];
        let judges = members.iter().filter_map(|of| of.of.redraw.as_ref());
        judges
            .flat_map(|redraw| &redraw.judges)
            .all(|judge| load::checks_are_safe(judge.relation))
    }

    /// The numbers of the masks of a table.
    fn numbers(&self, place: usize) -> Range<usize> {
        let name = &self.0.plan.tables[place].source.name;
        let is_its = |place: &Place| place.table == *name;
        range(self.members().iter().map(|of| is_its(&of.of.place)))
    }

    fn kit(&self, place: usize) -> Kit {
        let name = &self.0.plan.tables[place].source.name;
        let numbers = self.numbers(place);
        let all = watch::trackers(self.0.plan);
        let tracked = range(all.iter().map(|(table, _)| table == name));
        let columns = all[tracked.clone()].iter();
        let members = &self.members()[numbers.clone()];
        let is_tracked = self.0.lineage.is_some();
        Kit {
            about: About {
                schema: self.0.plan.target.clone(),
                table: name.clone(),
                first_mask: numbers.start,
                masks: members.iter().map(|of| of.of.clone()).collect(),
                first_tracker: tracked.start,
                tracked: columns
                    .filter(|_| is_tracked)
                    .map(|(_, column)| (*column).to_owned())
                    .collect(),
                commitment: match &self.0.lineage {
                    Some((_, commitment)) => commitment.name().to_owned(),
                    None => String::new(),
                },
                scan: self.0.scans[place].and_then(|number| Some((number, scans::texts(number)?))),
                kept: kit::kept(self.0.kept),
                kept_bytes: cache::share(self.workers() as usize + 1),
            },
            subkeys: self.0.subkeys.clone(),
            lineage: self.0.lineage.as_ref().map(|(key, _)| key.clone()),
            masks: members
                .iter()
                .map(|of| (of.seed, of.salt.clone()))
                .collect(),
        }
    }
}

/// Does `work`, in whose statements no worker helps: what masks, trackers and scans of this process are
/// called by is there for workers too, but only those of [`Crew::load`] have any.
pub fn alone<T>(work: impl FnOnce() -> T) -> T {
    guc::with(&[("max_parallel_workers_per_gather", "0")], work)
}

/// Where those stand that are wanted, which are next to each other.
fn range(wanted: impl Iterator<Item = bool>) -> Range<usize> {
    let mut places = wanted
        .enumerate()
        .filter(|(_, is_it)| *is_it)
        .map(|(place, _)| place);
    match places.next() {
        Some(first) => first..first + 1 + places.count(),
        None => 0..0,
    }
}

#[cfg(test)]
mod tests;
