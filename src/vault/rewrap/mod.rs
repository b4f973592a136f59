//! What tokens stand for is sealed anew by the active key, batch by batch, while readers go on.

mod store;

use super::domain::Domain;
use super::domain::store::sealing_key;
use crate::error::{Error, Kind, Result, counted};
use crate::keys::store::ActiveKey;
use crate::ledger::entry::{Event, Facts};
use crate::ledger::store as ledger;
use crate::pg::report;
use crate::pg::spi::Nonatomic;

/// Seals every value of a domain anew, and wraps its secrets anew, by the active key. What is there
/// already is left alone, so that a call that was interrupted is simply repeated. No token changes.
/// A key that is rotated meanwhile is followed, and what others sealed by the former one meanwhile
/// is looked for: the last round finds nothing.
///
/// # Errors
/// What keys raise; batches that were done before stay done.
pub fn rewrap(domain: &Domain, batch: i64, connection: &Nonatomic) -> Result<()> {
    if batch < 1 {
        return Err(Error::new(
            Kind::InvalidParameter,
            "argument \"batch_size\" must be at least 1",
        ));
    }
    let (mut secrets, mut all) = (0, 0);
    let mut former = None;
    let key = loop {
        let key = sealing_key()?;
        let wrapped = store::secrets(domain, &key)?;
        record(domain, &key, "secrets", wrapped)?;
        connection.commit()?;
        let sealed = round(domain, &key, batch, &mut all, connection)?;
        secrets += wrapped;
        let by = (key.name.to_string(), key.version);
        if (wrapped, sealed) == (0, 0) && former.as_ref() == Some(&by) {
            break key;
        }
        former = Some(by);
    };
    report::notice(&format!(
        "{} and {} of domain \"{}\" are under version {} of key \"{}\" now",
        counted(all.unsigned_abs(), "token"),
        counted(secrets.unsigned_abs(), "secret"),
        domain.name,
        key.version,
        key.name,
    ));
    Ok(())
}

/// One way through the values, until there are no more or the key is another one. Returns how many
/// were sealed; `all` counts them too.
fn round(
    domain: &Domain,
    key: &ActiveKey,
    batch: i64,
    all: &mut i64,
    connection: &Nonatomic,
) -> Result<i64> {
    let (mut last, mut sealed) = (None, 0);
    loop {
        // Held in each of the transactions: see `sealing_key`.
        let now = sealing_key()?;
        if (&now.name, now.version) != (&key.name, key.version) {
            return Ok(sealed);
        }
        let (done, end) = store::values(domain, key, last, batch)?;
        record(domain, key, "tokens", done)?;
        connection.commit()?;
        sealed += done;
        *all += done;
        let Some(end) = end else { return Ok(sealed) };
        last = Some(end);
        if done > 0 {
            report::notice(&format!(
                "{} sealed anew",
                counted(all.unsigned_abs(), "token")
            ));
        }
    }
}

fn record(domain: &Domain, key: &ActiveKey, what: &str, count: i64) -> Result<()> {
    if count == 0 {
        return Ok(());
    }
    let mut details = serde_json::Map::new();
    details.insert("domain".to_owned(), domain.name.as_str().into());
    details.insert(
        "key".to_owned(),
        format!("{}/{}", key.name, key.version).into(),
    );
    details.insert(what.to_owned(), count.into());
    let facts = Facts {
        details: Some(serde_json::Value::Object(details).into()),
        ..Facts::default()
    };
    ledger::append(Event::TokensRewrapped, facts)?;
    Ok(())
}
