//! Who wants to know that another version of a profile is in use.
//!
//! Rooms above this one have made things by a profile. They say so once per process.

use std::sync::OnceLock;

use crate::error::Result;

/// Is told the name of a profile of which a version was loaded, or taken out of use.
pub type Hear = fn(profile: &str) -> Result<()>;

static HEAR: OnceLock<Hear> = OnceLock::new();

/// Names who wants to know, once per process.
pub fn register(hear: Hear) {
    // The first one stays: nothing loaded later takes its place.
    HEAR.get_or_init(|| hear);
}

/// Tells it.
///
/// # Errors
/// What whoever hears it returns.
pub fn tell(profile: &str) -> Result<()> {
    HEAR.get().map_or(Ok(()), |hear| hear(profile))
}
