//! Keys on their way between two installations.

pub mod bundle;
pub mod store;
