//! Who may read a table, and so its view, where that is asked for.

pub mod store;
