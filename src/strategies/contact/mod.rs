//! Strategies for what reaches somebody: addresses, numbers, machines.

pub mod email;
pub(in crate::strategies) mod format;
pub mod phone;
