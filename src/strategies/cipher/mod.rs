//! Strategies that encrypt: what they write can be computed back with the key.

mod alphabet;
mod arguments;
pub(in crate::strategies) mod ff1;
pub mod fpe;
mod modulus;
mod number;
mod numeral;
mod pattern;
pub(in crate::strategies) mod permutation;
mod shuffle;
mod text;
mod time;
