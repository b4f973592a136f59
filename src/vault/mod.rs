//! The vault: tokens, and what they stand for; given back only to those who may, always on record.
//!
//! `record` is the cryptography of one row, `domain` a space of tokens, `tokens` makes them,
//! `reveal` takes them back. Which mechanism keeps what: `docs/vault.md`.

pub mod columns;
pub mod domain;
pub mod pending;
pub mod record;
pub mod reveal;
pub mod rewrap;
pub mod rights;
pub mod sql;
pub mod tokens;
