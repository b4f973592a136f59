//! Strategies that write a digest.

pub mod hash;
pub mod salted;
