//! The list of masked views, kept right whatever becomes of the views.

pub mod store;
