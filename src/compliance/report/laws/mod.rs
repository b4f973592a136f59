//! The laws, each with the lines of its report.
//!
//! What a line asks for follows the acts as they are cited; nobody has held these lists against the
//! official texts yet, which every report says.

pub mod ccpa;
pub mod gdpr;
pub mod lgpd;
pub mod pipeda;
pub mod pipl;
pub mod popia;
pub mod privacy_act;

use super::definition::Law;
use crate::error::{Error, Kind, Result};

/// Every law.
pub const LAWS: [&Law; 9] = [
    &ccpa::LAW,
    &gdpr::LAW,
    &lgpd::LAW,
    &pipeda::LAW,
    &pipl::LAW,
    &popia::LAW,
    &privacy_act::australia::LAW,
    &privacy_act::new_zealand::LAW,
    &privacy_act::united_states::LAW,
];

/// The law of a code; of several acts of that name, the variant asked for or the first.
///
/// # Errors
/// 22023 for a code or a variant that there is none of.
pub fn find(code: &str, variant: Option<&str>) -> Result<&'static Law> {
    let mut of = LAWS.into_iter().filter(|law| law.code == code).peekable();
    if of.peek().is_none() {
        let mut codes: Vec<_> = LAWS.iter().map(|law| law.code).collect();
        codes.dedup();
        return Err(Error::new(
            Kind::InvalidParameter,
            format!(
                "unrecognized regulation \"{}\"",
                crate::profile::document::word(code)
            ),
        )
        .with_hint(format!("Available regulations are {}.", codes.join(", "))));
    }
    let variants: Vec<_> = of.clone().filter_map(|law| law.variant).collect();
    let Some(wanted) = variant else {
        return of
            .next()
            .ok_or_else(|| Error::new(Kind::Internal, "a regulation has gone"));
    };
    of.find(|law| law.variant == Some(wanted)).ok_or_else(|| {
        let error = Error::new(
            Kind::InvalidParameter,
            format!(
                "regulation \"{code}\" has no variant \"{}\"",
                crate::profile::document::word(wanted)
            ),
        );
        if variants.is_empty() {
            return error.with_hint("Leave the variant out.");
        }
        error.with_hint(format!("Available variants are {}.", variants.join(", ")))
    })
}
