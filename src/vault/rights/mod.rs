//! Which roles may have which tokens back.

mod store;

pub use store::{Given, give, is_given, may, take};
