//! Which roles may have which tokens back.

mod store;

pub use store::{give, may, take};
