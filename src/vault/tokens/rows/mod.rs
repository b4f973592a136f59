//! Rows of tokens.

pub mod store;

use crate::vault::record::Handle;

/// A row of a value.
pub struct Found {
    /// What the value is found by.
    pub handle: Handle,
    /// What the token was drawn with.
    pub salt: Vec<u8>,
    /// Whether half of its time is over, or all of it.
    pub is_late: bool,
    /// Whether it holds no value any more.
    pub is_over: bool,
}
