//! Rights, records and the values themselves.

use std::cell::Cell;
use std::collections::HashMap;

use pgrx::Uuid;
use pgrx::datum::TimestampWithTimeZone;
use zeroize::Zeroizing;

use super::{Status, denied, limited, next_step};
use crate::error::{Error, Kind, Result};
use crate::keys;
use crate::keys::store::ActiveKey;
use crate::ledger::journal::record::{Event, Record};
use crate::ledger::journal::store as journal;
use crate::pg::lock::{Class, SessionLock};
use crate::pg::row::Row;
use crate::pg::scan::{Key, Lookup, Table};
use crate::pg::snapshot::Snapshot;
use crate::pg::{frozen, server, user};
use crate::value::unseen::is_blank;
use crate::vault::domain::Domain;
use crate::vault::domain::store::{find, subject_by_id};
use crate::vault::record::{Finder, Handle, Place, Seals, base_of_subject};
use crate::vault::rights;

/// An hour, in the count of the server's clock.
const HOUR: i64 = 3_600_000_000;

/// Somebody who may have tokens of a domain back, and why.
pub struct Right {
    domain: Domain,
    /// The key that wraps the domain's secret, and seals most of its tokens.
    key: ActiveKey,
    nobody: Seals,
    finder: Finder,
    reason: String,
}

/// Who calls may have tokens of the domain back. That somebody may not is on record.
///
/// # Errors
/// 22023 without a reason; 42501; as [`journal::write`].
pub fn right(domain: &str, reason: &str) -> Result<Right> {
    frozen::writable()?;
    if is_blank(reason) {
        return Err(Error::new(
            Kind::InvalidParameter,
            "argument \"reason\" must not be blank",
        )
        .with_hint("Say why the value is needed: it is kept on record."));
    }
    // A domain that is not there is asked for as one that is.
    let found = match rights::may(domain)? {
        true => find(domain)?,
        false => None,
    };
    let Some((domain, key)) = found else {
        keep(Event::Denied, "", domain, reason, None)?;
        return Err(denied(domain));
    };
    Ok(Right {
        finder: Finder::new(&domain.secret),
        nobody: Seals::new(&domain.secret),
        domain,
        key,
        reason: reason.to_owned(),
    })
}

impl Right {
    /// What one token stands for; that it is asked for is on record before that is told.
    ///
    /// # Errors
    /// 42704, 55000 as [`Status::error`]; 53000 above the limit; as [`journal::write`]; XX001.
    pub fn reveal(&self, token: &str) -> Result<Zeroizing<String>> {
        self.reveal_by(token, |about| {
            self.charge(Event::Revealed, about, |_| 1)?;
            Ok(())
        })
    }

    /// As [`Right::reveal`], for one of many: `tally` counts those that were given and those on
    /// record, which are ten times as many at each record. Where there is a limit, a tenth of what is
    /// left of it at most: what is on record counts, whether it is given or not.
    ///
    /// # Errors
    /// As [`Right::reveal`].
    pub fn reveal_next(&self, token: &str, tally: &Cell<(i64, i64)>) -> Result<Zeroizing<String>> {
        self.reveal_by(token, |about| {
            let (given, on_record) = tally.get();
            if given < on_record {
                tally.set((given + 1, on_record));
                return Ok(());
            }
            let is_first = on_record == 0;
            let more = self.charge(
                Event::Revealed,
                if is_first { about } else { "anon_detokenize" },
                |left| next_step(on_record, left),
            )?;
            tally.set((given + 1, on_record.saturating_add(more)));
            Ok(())
        })
    }

    fn reveal_by(
        &self,
        token: &str,
        charge: impl FnOnce(&str) -> Result<()>,
    ) -> Result<Zeroizing<String>> {
        let reference = self.finder.reference(token);
        let about = hex::encode(reference);
        let mut found = self.look(&[reference])?;
        let sealed = match found.remove(&reference).unwrap_or(Err(Status::Unknown)) {
            Ok(sealed) => sealed,
            Err(status) => {
                // Which tokens there are is something too.
                self.charge(Event::Denied, &about, |_| 1)?;
                return Err(status.error(&self.domain.name));
            }
        };
        charge(&about)?;
        self.open(&sealed, token, &reference)
    }

    /// What many tokens stand for, each with what became of it. One record for all, of as many as
    /// were asked for: DENIED where none is given.
    ///
    /// # Errors
    /// As [`Right::reveal`], but for those of single tokens.
    pub fn reveal_all(&self, tokens: &[&str]) -> Result<Vec<(Status, Option<Zeroizing<String>>)>> {
        if tokens.is_empty() {
            return Ok(Vec::new());
        }
        let references: Vec<Handle> = tokens
            .iter()
            .map(|token| self.finder.reference(token))
            .collect();
        let found = self.look(&references)?;
        let event = if found.values().any(Result::is_ok) {
            Event::Revealed
        } else {
            Event::Denied
        };
        let asked = i64::try_from(tokens.len()).unwrap_or(i64::MAX);
        self.charge(event, "reveal_batch", |_| asked)?;
        tokens
            .iter()
            .zip(&references)
            .map(|(token, reference)| match found.get(reference) {
                Some(Ok(sealed)) => {
                    let value = self.open(sealed, token, reference)?;
                    Ok((Status::Revealed, Some(value)))
                }
                Some(Err(status)) => Ok((*status, None)),
                None => Ok((Status::Unknown, None)),
            })
            .collect()
    }

    /// Puts on record that tokens are asked for, and whether something is given, within the limit of
    /// who asks: `amount` is told how much of it is left. Returns the amount.
    fn charge(
        &self,
        event: Event,
        about: &str,
        amount: impl FnOnce(Option<i64>) -> i64,
    ) -> Result<i64> {
        let Some(most) = self.domain.terms.reveals_per_hour else {
            let amount = amount(None);
            self.keep(event, about, Some(amount))?;
            return Ok(amount);
        };
        let (role, session) = (user::outer(), user::session());
        // Who asks at the same time is counted one after the other.
        let _turns = turns(self.domain.id, [role.to_u32(), session.to_u32()]);
        let asked = journal::asked_since(
            &self.domain.name,
            (&user::name(role), &user::name(session)),
            server::now() - HOUR,
        )?;
        let left = i64::from(most).saturating_sub(asked);
        let amount = amount(Some(left));
        if amount > left {
            // Without an amount: it does not count.
            self.keep(Event::Denied, about, None)?;
            return Err(limited(&self.domain.name, most));
        }
        self.keep(event, about, Some(amount))?;
        Ok(amount)
    }

    fn keep(&self, event: Event, about: &str, amount: Option<i64>) -> Result<()> {
        keep(event, about, &self.domain.name, &self.reason, amount)
    }

    fn open(&self, sealed: &Sealed, token: &str, reference: &Handle) -> Result<Zeroizing<String>> {
        let domain = &self.domain;
        let (id, of) = match &sealed.subject {
            Some((id, keys)) => (Some(id), keys),
            None => (None, &self.nobody),
        };
        let (name, version) = (&*sealed.key.0, sealed.key.1);
        let other;
        let data_key = if (&*self.key.name, self.key.version) == (name, version) {
            &self.key
        } else {
            other = keys::store::version_cached(name, version)?;
            &other
        };
        let place = Place {
            domain: &domain.name,
            key: (name, version),
            reference,
            subject: id,
        };
        let mut value = of.by(&data_key.secret).open(&sealed.payload, &place)?;
        if domain.terms.is_bound {
            let inner = Place {
                key: ("", 0),
                ..place
            };
            value = of.bound(token).open(&value, &inner)?;
        }
        String::from_utf8(value.to_vec())
            .map(Zeroizing::new)
            .map_err(|_| Error::new(Kind::Corrupt, "the stored value of a token is no text"))
    }

    fn look(&self, references: &[Handle]) -> Result<HashMap<Handle, Result<Sealed, Status>>> {
        let now = Snapshot::latest();
        let tokens = Table::open(&TOKEN, &now)?;
        let mut found = HashMap::new();
        for reference in references {
            server::check_for_interrupts();
            let asked = [
                ("domain", Key::Integer(self.domain.id)),
                ("reference", Key::Bytes(reference)),
            ];
            for one in tokens.find(&asked, |row, _| self.sealed(row))? {
                found.insert(*reference, one);
            }
        }
        Ok(found)
    }

    fn sealed(&self, row: &Row<'_>) -> Result<Result<Sealed, Status>> {
        let subject = match row.get::<Uuid>(3)? {
            None => None,
            Some(id) => {
                let id = *id.as_bytes();
                let Some(subject) = subject_by_id(&self.domain, id)? else {
                    return Ok(Err(Status::Forgotten));
                };
                Some((
                    id,
                    Seals::new(&base_of_subject(&self.domain.secret, &subject.secret)),
                ))
            }
        };
        let ends = row.get::<TimestampWithTimeZone>(5)?.map(i64::from);
        let payload: Option<Vec<u8>> = row.get(4)?;
        let Some(payload) = payload.filter(|_| ends.is_none_or(|ends| ends > server::now())) else {
            return Ok(Err(Status::Expired));
        };
        Ok(Ok(Sealed {
            key: (row.required(1)?, row.required(2)?),
            subject,
            payload,
        }))
    }
}

const TOKEN: Lookup = Lookup {
    schema: c"confiture",
    table: c"token",
    index: Some(c"token_domain_reference_key"),
    columns: &[
        "key_name",
        "key_version",
        "subject",
        "payload",
        "expires_at",
    ],
};

/// A value as it is stored, with what opens it.
struct Sealed {
    key: (String, i32),
    subject: Option<([u8; 16], Seals)>,
    payload: Vec<u8>,
}

fn keep(event: Event, about: &str, domain: &str, reason: &str, amount: Option<i64>) -> Result<()> {
    journal::write(&Record {
        event,
        about,
        domain: Some(domain),
        reason: Some(reason),
        amount,
    })?;
    Ok(())
}

/// The turns of a role and of the session's, always taken in the same order.
fn turns(domain: i32, mut roles: [u32; 2]) -> Vec<SessionLock> {
    roles.sort_unstable();
    let both = if roles[0] == roles[1] { 1 } else { 2 };
    roles[..both]
        .iter()
        .map(|role| {
            let number = u64::from(domain.cast_unsigned()) << 32 | u64::from(*role);
            SessionLock::take(Class::Reveals, number)
        })
        .collect()
}
