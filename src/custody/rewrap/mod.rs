//! Moving every stored key under another key-encryption key, one transaction per key.
//!
//! What is stored is wrapped anew, opened again as a proof, and only then replaced. A key that is
//! where it should be is left alone, so that a call that was interrupted is simply repeated. The
//! data keys stay what they are: no pseudonym changes.

mod store;

use self::store::Shelf;
use super::record;
use super::store::seal;
use crate::error::{Error, Kind, Result, counted};
use crate::keys::provider::{Kek, Provider};
use crate::keys::{self, setup};
use crate::ledger::entry::Event;
use crate::ledger::store as ledger;
use crate::pg::report;
use crate::pg::spi::Nonatomic;

/// Wraps every stored key by a provider's current key-encryption key.
///
/// # Errors
/// What the providers raise; keys that were moved before stay moved. A stored key that cannot be
/// opened is left as it is, and said in the end.
pub fn rewrap(provider_name: &str, connection: &Nonatomic) -> Result<()> {
    let provider = setup::provider(provider_name)?;
    let current = provider.current()?;
    let shelves = store::shelves()?;
    connection.commit()?;
    let mut moved = 0;
    let mut failed: Option<Error> = None;
    let mut failures = 0;
    for (place, shelf) in shelves.iter().enumerate() {
        let outcome = move_one(shelf, provider_name, &*provider, &current)
            .map_err(|error| resumable(error, moved))?;
        connection.commit()?;
        let what = if shelf.is_verifier { " (verifier)" } else { "" };
        let said = match outcome {
            Outcome::Cached => "is there already".to_owned(),
            Outcome::Moved { from } => {
                moved += 1;
                format!("{from} → {provider_name}")
            }
            Outcome::Unopened(error) => {
                let said = format!("was left as it is: {}", error.message());
                failures += 1;
                failed.get_or_insert(error);
                said
            }
        };
        report::notice(&format!(
            "{}/{}: key \"{}\" version {}{what} {said}",
            place + 1,
            shelves.len(),
            shelf.name,
            shelf.version,
        ));
    }
    if let Some(first) = failed {
        let all = counted(shelves.len() as u64, "key");
        let error = Error::new(
            first.kind(),
            format!("{failures} of {all} could not be opened, and were left as they are"),
        );
        let detail = first.detail().unwrap_or_default();
        let error = error.with_detail(format!("The first one: {}. {detail}", first.message()));
        return Err(resumable(error, moved));
    }
    report::notice(&format!(
        "{} of {} wrapped anew by provider \"{provider_name}\"",
        moved,
        counted(shelves.len() as u64, "key")
    ));
    Ok(())
}

/// What became of one stored key.
enum Outcome {
    /// It was under that key-encryption key before, or is gone.
    Cached,
    /// It was wrapped anew.
    Moved {
        /// The provider it came from.
        from: String,
    },
    /// What wraps it cannot open it; the others need not wait for that.
    Unopened(Error),
}

fn move_one(
    shelf: &Shelf,
    provider_name: &str,
    provider: &dyn Provider,
    current: &Kek,
) -> Result<Outcome> {
    let Some(stored) = store::take_down(shelf)? else {
        return Ok(Outcome::Cached);
    };
    let (former, binding) = (stored.wrapped.clone(), stored.binding.clone());
    // Also what is left where it is: a key that cannot be opened is better known today.
    let key = match keys::store::open(stored) {
        Ok((key, _)) => key,
        Err(error) if error.kind() == Kind::QueryCanceled => return Err(error),
        Err(error) => return Ok(Outcome::Unopened(error)),
    };
    // Where a provider does not say its version, it may have rotated in silence.
    let says_version = current.version.is_some() || ["file", "env"].contains(&provider_name);
    if former.provider == provider_name && former.kek() == *current && says_version {
        return Ok(Outcome::Cached);
    }
    let (wrapped, _) = seal(provider, &key.secret, &binding)?;
    store::put_back(shelf, &wrapped)?;
    let mut details = record::of_key(&shelf.name, shelf.version);
    details.insert("verifier".to_owned(), shelf.is_verifier.into());
    record::place(&mut details, "from", &former);
    record::place(&mut details, "to", &wrapped);
    ledger::append(Event::KeyRewrapped, record::facts(details))?;
    Ok(Outcome::Moved {
        from: former.provider,
    })
}

fn resumable(error: Error, moved: u64) -> Error {
    let hint = format!(
        "{}{} moved, and committed; call it again to go on.",
        error
            .hint()
            .map(|hint| format!("{hint} "))
            .unwrap_or_default(),
        match moved {
            1 => "1 key was".to_owned(),
            _ => format!("{moved} keys were"),
        }
    );
    error.with_hint(hint)
}
