//! Three acts have the name Privacy Act.

pub mod australia;
pub mod new_zealand;
pub mod united_states;
