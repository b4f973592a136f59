//! A stored key: the row it is wrapped in.

pub mod store;

use super::envelope::Binding;
use super::provider::Wrapped;

/// A stored key: what it is bound to, its wrapped bytes and their MAC.
pub struct Stored {
    /// Installation, name, version, purpose.
    pub binding: Binding,
    /// The wrapped bytes and who wrapped them.
    pub wrapped: Wrapped,
    /// The binding MAC.
    pub mac: Vec<u8>,
}
