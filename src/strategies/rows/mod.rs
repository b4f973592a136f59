//! Strategies that are about rows, not values: they exist in runs only.

pub mod default;
pub mod record;
pub mod shuffle;

use crate::error::{Error, Kind, Result};
use crate::strategies::definition::Apply;

/// What compiling one of them gives: a run never asks for it.
fn only_in_runs(name: &str) -> Result<Box<dyn Apply>> {
    Err(Error::new(
        Kind::NotReady,
        format!("strategy \"{name}\" works inside a run only"),
    )
    .with_hint("Name it in a profile and call confiture.sync."))
}
