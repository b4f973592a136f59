//! What masked views call: the masked value of a registered column of a row.
//!
//! A view is read with the rights of its reader as far as functions go, so every reader may call
//! this one. It takes no value: it finds the row by itself, among those that the running statement
//! may see, and answers for a registered column of the table of a registered view, to whom that
//! column may be read by.

pub mod store;
