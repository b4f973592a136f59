//! Every other way to the values behind a mask: what the catalog says a role can reach.
//!
//! `known` says which columns hold such values, and where what is registered is not what is there;
//! `tree` reads the rules of views; the rest is one query.

pub mod known;
pub mod store;
pub mod tree;

/// A way to a value.
pub struct Way {
    /// `high`: it reads values; `medium`: it may, or guesses them; `low`: somebody must help.
    pub severity: String,
    /// What kind of way it is.
    pub path: String,
    /// The object it leads through.
    pub object: String,
    /// The column it leads to; `None` for all of them.
    pub column: Option<String>,
    /// How.
    pub detail: String,
    /// What closes it.
    pub remedy: String,
}
