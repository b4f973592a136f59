//! Differential privacy: what is answered about many says little about any one of them, and how
//! much has been said is counted where nobody can take it back.
//!
//! A budget counts in whole millionths of ε, and of δ in units of 10^-15. Who answers charges it
//! first: the meters go up, the journal says who, when and for what, both are on disk, and only then
//! is noise drawn. Why a meter is a sequence: `docs/decisions/0030-meters.md`.

pub mod accounting;
pub mod aggregate;
pub mod amount;
pub mod answer;
pub mod budget;
pub mod charge;
pub mod cover;
pub mod release;
