//! Numbers, dates and points in time: noise, rounding, coarser units, shifts.
//!
//! What is keyed and what is random: `noise` and `date_shift` draw from the key, so that equal
//! values stay equal; `dp_noise` and `dp_choice` draw at random, for privacy that can be stated in
//! numbers; `round` and `generalize` draw nothing.

mod bounds;
pub mod decimal;
pub mod dp;
pub mod epsilon;
pub mod generalize;
pub mod grid;
pub mod integer;
pub mod laplace;
pub mod noise;
pub mod origin;
pub mod round;
mod rounder;
pub mod shift;
