//! Tokens that end: by their time, or with their subject.

use serde_json::json;

use super::rows::store;
use crate::error::Result;
use crate::ledger::entry::{Event, Facts};
use crate::ledger::store as ledger;
use crate::vault::domain::{Domain, check_subject};
use crate::vault::record::Finder;

/// Destroys the secret of a subject: from now on none of its tokens can be revealed, or be told from
/// others by whoever knows the value. On record, also where nothing was known of it. Returns how
/// many tokens it had.
///
/// # Errors
/// 22023 for a subject that is blank or has white space at its ends; 25006 on a standby; as [`ledger::append`].
pub fn forget(domain: &Domain, subject: &str) -> Result<i64> {
    check_subject(subject)?;
    let handle = Finder::new(&domain.secret).subject(subject);
    let (is_known, tokens) = store::forget(domain, &handle)?;
    record(
        Event::SubjectForgotten,
        json!({
            "domain": domain.name,
            // Says nothing of the subject to who has not the domain's secret.
            "subject": hex::encode(handle),
            "known": is_known,
            "tokens": tokens,
        }),
    )?;
    Ok(tokens)
}

/// Ends tokens whose time is over, of one domain or of all. Returns how many.
///
/// # Errors
/// 25006 on a standby; as [`ledger::append`].
pub fn clean_up(domain: Option<&Domain>) -> Result<i64> {
    let mut all = 0;
    for (domain, tokens) in store::end_expired(domain.map(|domain| domain.id))? {
        all += tokens;
        let details = json!({"domain": domain, "tokens": tokens});
        record(Event::TokensExpired, details)?;
    }
    Ok(all)
}

fn record(event: Event, details: serde_json::Value) -> Result<()> {
    let facts = Facts {
        details: Some(details.into()),
        ..Facts::default()
    };
    ledger::append(event, facts)?;
    Ok(())
}
