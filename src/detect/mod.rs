//! Detection: which columns of a schema look personal, and a profile that does something about them.
//!
//! The judgement is that of `signs`, the facts are those of a run, and so a suggested strategy is
//! held against its column exactly as a plan would. No value leaves.

pub mod fitting;
pub mod groups;
pub mod sql;
pub mod suggest;
pub mod survey;
