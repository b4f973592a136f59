//! Compliance: what laws ask, held against what the database shows and its controller declares.
//!
//! `controller` is what the controller declares, `inventory` what the database shows; both together
//! are the [`Facts`] that `evidence` and the reports are made of; `record` says of each activity what
//! the record of processing lacks. Nothing here gives a verdict on
//! whether somebody complies: it says what is evidenced, what is declared, and what is missing.

pub mod calendar;
pub mod conflict;
pub mod consent;
pub mod controller;
pub mod doubt;
pub mod evidence;
pub mod incident;
pub mod inventory;
pub mod matrix;
pub mod minimum;
pub mod place;
pub mod record;
pub mod report;
pub mod request;
pub mod rules;

use controller::recorded::Records;
use controller::{Controller, Fact};
use inventory::Inventory;

/// Everything that is known on a day.
#[derive(Clone, Debug, Default)]
pub struct Facts {
    /// The day that is asked about, in UTC: facts and law hold on it.
    pub day: String,
    /// What the controller declares.
    pub controller: Controller,
    /// What he declared, and what has ended by that day.
    pub ended: Controller,
    /// What the ledger says of that.
    pub records: Records,
    /// What the database shows, now.
    pub inventory: Inventory,
    /// The jurisdiction that they are about; `None` where they are about all.
    pub jurisdiction: Option<String>,
}

impl Facts {
    /// What of it is about a jurisdiction: declared facts that name others only are left out, with
    /// all that rests on them. Columns are of the whole database.
    #[must_use]
    pub fn within(&self, jurisdiction: &str) -> Self {
        let controller = self.controller.within(jurisdiction);
        let is_there = |kind: &str, id: &str| controller.find(kind, id).is_some();
        let all = &self.inventory;
        let inventory = Inventory {
            ages: kept(&all.ages, |age| is_there("retention_rule", &age.rule)),
            consents: kept(&all.consents, |consent| {
                is_there("consent_source", &consent.source)
            }),
            protections: kept(&all.protections, |(incident, _)| {
                is_there("incident", incident)
            }),
            timers: kept(&all.timers, |(_, of, _)| of == jurisdiction),
            terms: kept(&all.terms, |term| term.jurisdiction == jurisdiction),
            ..all.of_all()
        };
        Self {
            day: self.day.clone(),
            controller,
            ended: self.ended.within(jurisdiction),
            records: self.records.clone(),
            inventory,
            jurisdiction: Some(jurisdiction.to_owned()),
        }
    }

    /// Whether the day that is asked about was over when the database was looked at: what it shows is not
    /// of that day.
    pub fn is_before_catalog(&self) -> bool {
        let seen_on = self.inventory.made_at.get(..10);
        seen_on.is_some_and(|seen_on| self.day.as_str() < seen_on)
    }

    /// Recipients elsewhere whose data no declared transfer covers.
    pub fn abroad(&self) -> impl Iterator<Item = &Fact> {
        let place = self.jurisdiction.as_deref();
        place
            .into_iter()
            .flat_map(|place| self.controller.abroad(place))
    }
}

/// Copies of what is kept only: of ten thousand requests each jurisdiction has its own.
fn kept<T: Clone>(all: &[T], is_kept: impl Fn(&T) -> bool) -> Vec<T> {
    all.iter().filter(|one| is_kept(one)).cloned().collect()
}
