//! Releases: answers about a registered data set for an analyst who may not read it.
//!
//! Everything that a row could decide is fixed before: which columns, between which bounds, in which
//! groups, chosen by which comparisons. A release is charged first, then the server sums exactly, and
//! the noise comes last.

pub mod column;
pub mod dataset;
pub mod filter;
pub mod query;
pub mod question;
pub mod run;
pub mod sql;
