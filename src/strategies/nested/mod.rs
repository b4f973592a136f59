//! Values inside values: documents (json, jsonb, hstore), and strategies written in a parameter.

pub(in crate::strategies) mod hstore;
mod instant;
pub mod json;
mod number;
mod path;
mod rules;
mod scalar;
mod spec;
mod token;
mod walk;

pub use spec::{Action, Spec, SpecError, holds_seed};
