//! Compliance: what laws ask, held against what the database shows and its controller declares.
//!
//! `controller` is what the controller declares, `inventory` what the database shows; both together
//! are the [`Facts`] that `evidence` and the reports are made of. Nothing here gives a verdict on
//! whether somebody complies: it says what is evidenced, what is declared, and what is missing.

pub mod calendar;
pub mod conflict;
pub mod controller;
pub mod evidence;
pub mod incident;
pub mod inventory;
pub mod matrix;
pub mod minimum;
pub mod report;
pub mod rules;

use controller::Controller;
use inventory::Inventory;

/// Everything that is known on a day.
#[derive(Clone, Debug, Default)]
pub struct Facts {
    /// The day that is asked about, in UTC: facts and law hold on it.
    pub day: String,
    /// What the controller declares.
    pub controller: Controller,
    /// What the database shows, now.
    pub inventory: Inventory,
}
