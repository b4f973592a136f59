//! Values that somebody wrote down: out of a list, by a dictionary, a constant, NULL.

pub mod choice;
pub mod constant;
pub mod map;
pub mod null;
