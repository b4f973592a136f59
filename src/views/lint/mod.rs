//! Every other way to the values behind a mask: what the catalog says a role can reach.

pub mod store;
