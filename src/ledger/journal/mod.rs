//! The journal: what must be on record before an answer leaves, and must stay there when the
//! transaction is rolled back: reveals, denials, charges.
//!
//! A record is a signed row of a fixed shape, written as [`crate::pg::frozen`] says, counted by a
//! sequence, and folded into the chain of the audit log by its next entry. What that withstands and
//! what it does not: `docs/journal.md`; why it is so: `docs/decisions/0014-journal.md`.

pub mod record;
pub mod sql;
pub mod store;
pub mod verify;
