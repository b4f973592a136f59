//! One masked view, made or made anew.

pub mod store;
