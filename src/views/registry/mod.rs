//! Which column of which view is masked how.

pub mod store;
