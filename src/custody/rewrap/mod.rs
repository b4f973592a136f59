//! Moving every stored key under another key-encryption key, one transaction per key.
//!
//! What is stored is wrapped anew, opened again as a proof, and only then replaced. A key that is
//! where it should be is left alone, so that a call that was interrupted is simply repeated. The
//! data keys stay what they are: no pseudonym changes.

mod store;

use self::store::Shelf;
use super::record;
use super::store::seal;
use crate::error::{Error, Result, counted};
use crate::keys::provider::{Kek, Provider};
use crate::keys::{self, setup};
use crate::ledger::entry::Event;
use crate::ledger::store as ledger;
use crate::pg::report;
use crate::pg::spi::Nonatomic;

/// Wraps every stored key by a provider's current key-encryption key.
///
/// # Errors
/// What the providers raise; the keys before the failing one stay moved.
pub fn rewrap(provider_name: &str, connection: &Nonatomic) -> Result<()> {
    let provider = setup::provider(provider_name)?;
    let current = provider.current()?;
    let shelves = store::shelves()?;
    connection.commit()?;
    let mut moved = 0;
    for (place, shelf) in shelves.iter().enumerate() {
        let outcome = move_one(shelf, provider_name, &*provider, &current);
        let outcome = outcome.map_err(|error| resumable(error, place, shelves.len()))?;
        connection.commit()?;
        let what = if shelf.is_verifier { " (verifier)" } else { "" };
        report::notice(&format!(
            "{}/{}: key \"{}\" version {}{what}: {outcome}",
            place + 1,
            shelves.len(),
            shelf.name,
            shelf.version,
        ));
        if outcome != KEPT {
            moved += 1;
        }
    }
    report::notice(&format!(
        "{} of {} wrapped anew by provider \"{provider_name}\"",
        moved,
        counted(shelves.len() as u64, "key")
    ));
    Ok(())
}

const KEPT: &str = "is there already";

fn move_one(
    shelf: &Shelf,
    provider_name: &str,
    provider: &dyn Provider,
    current: &Kek,
) -> Result<String> {
    let Some(stored) = store::take_down(shelf)? else {
        return Ok(KEPT.to_owned());
    };
    let former = stored.wrapped.clone();
    // Where a provider does not say its version, it may have rotated in silence.
    let says_version = current.version.is_some() || ["file", "env"].contains(&provider_name);
    if former.provider == provider_name && former.kek() == *current && says_version {
        return Ok(KEPT.to_owned());
    }
    let binding = stored.binding.clone();
    let (key, _) = keys::store::open(stored)?;
    let (wrapped, _) = seal(provider, &key.secret, &binding)?;
    store::put_back(shelf, &wrapped)?;
    let mut details = record::of_key(&shelf.name, shelf.version);
    details.insert("verifier".to_owned(), shelf.is_verifier.into());
    record::place(&mut details, "from", &former);
    record::place(&mut details, "to", &wrapped);
    ledger::append(Event::KeyRewrapped, record::facts(details))?;
    Ok(format!("{} → {}", former.provider, wrapped.provider))
}

fn resumable(error: Error, done: usize, all: usize) -> Error {
    let hint = format!(
        "{}{done} of {} done and committed; call it again to go on.",
        error
            .hint()
            .map(|hint| format!("{hint} "))
            .unwrap_or_default(),
        counted(all as u64, "key"),
    );
    error.with_hint(hint)
}
