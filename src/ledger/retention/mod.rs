//! Retention: the oldest part of the ledger is taken out, and what is left verifies as before.
//!
//! An audit log holds personal data itself, so it needs a limit. What goes is written to an archive
//! first; an entry `PRUNED` signs how the part that went ended, so that the chains, the tree of the
//! anchors and the journal go on behind it; then the rows are deleted by the one path that the guards
//! let through. See `docs/decisions/0015-pruning-boundary.md`.

pub mod archive;
mod boundary;
pub mod sql;
pub mod store;

#[cfg(test)]
pub(super) use boundary::tests::behind;
pub use boundary::{Boundary, Covered, Mark};
