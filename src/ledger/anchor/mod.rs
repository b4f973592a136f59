//! Anchors: signed checkpoints of the log that are kept outside the database.
//!
//! Whoever holds the signing key can write the whole log anew, and whoever can write the tables can
//! set log and head back together. Neither can change what an anchor says that is out of reach.
//! Everything up to the newest anchor is therefore as it was when the anchor was made; what comes
//! after it rests on the signing key only.

mod compare;
pub mod directory;
mod judge;
mod sql;
pub mod store;

pub use compare::{Anchors, Covered};
pub use directory::write_to_directory;
pub use judge::{Anchor, Found, Judge, Signer, is_sealed, origin, seal_of};
use judge::{finding, others, uuid_text};

#[cfg(test)]
mod tests;
