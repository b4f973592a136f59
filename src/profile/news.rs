//! Who wants to know that another version of a profile is in use.
//!
//! Rooms above this one keep things that go by a profile. They are named once per process.

use std::sync::OnceLock;

use crate::error::Result;

/// Is told the name of a profile of which a version was loaded, or taken out of use.
pub type Hear = fn(profile: &str) -> Result<()>;

static HEAR: OnceLock<&[Hear]> = OnceLock::new();

/// Names who wants to know, in this order, once per process.
pub fn register(hear: &'static [Hear]) {
    // The first ones stay: nothing loaded later takes their place.
    HEAR.get_or_init(|| hear);
}

/// Tells them.
///
/// # Errors
/// What one of them returns.
pub fn tell(profile: &str) -> Result<()> {
    let all = HEAR.get().copied().unwrap_or_default();
    all.iter().try_for_each(|hear| hear(profile))
}
