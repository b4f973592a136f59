//! What the ledger takes from the keys of the extension: a type and an encoding, no key.

#[path = "../../src/keys/field.rs"]
mod field;
#[path = "../../src/keys/secret.rs"]
mod secret;

pub(crate) use field::push_field;
pub use secret::Secret;
