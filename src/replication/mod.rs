//! Logical replication that masks before it stores: a trigger on each table of the subscriber, which is
//! called for what a subscription brings and for nothing else.
//!
//! `store` sets it up out of the plan of a profile, `registry` holds what was set up, `arrival` masks a row
//! that arrives, and `state` says where rows could arrive unmasked, or could not be found again.

pub mod arrival;
pub mod registry;
pub mod sql;
pub mod state;
pub mod store;
pub mod unfit;

/// The trigger. Its name decides when it is called: before those whose names come later.
pub const TRIGGER: &str = "confiture_mask";
