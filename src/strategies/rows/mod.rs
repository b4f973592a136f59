//! Strategies that are about rows, not values: they exist in runs only.

pub mod default;
pub mod record;
pub mod shuffle;

use crate::error::{Error, Kind as Fault};
use crate::strategies::Kind;

/// What asking one of them for a single value gives: a run never does.
pub fn only_in_runs(kind: Kind) -> Error {
    let instead = match kind {
        Kind::Record => "mask each field by the function of its strategy",
        Kind::Shuffle => "anon_choice draws from a list of values",
        Kind::Tokenize => "anon_tokenize gives the same tokens",
        _ => "write DEFAULT in its place",
    };
    let message = format!(
        "strategy \"{}\" works in a run only, not value by value",
        kind.name()
    );
    Error::new(Fault::NotReady, message).with_hint(format!(
        "Name it in a rule of a profile and call confiture.sync; by hand, {instead}."
    ))
}
