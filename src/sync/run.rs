//! One run: plan, STARTED, copy, checks, COMPLETED; or, whatever goes wrong, nothing and FAILED.

use std::time::Instant;

use super::copy::copy;
use super::evidence::{Evidence, merged, seconds};
use super::failure::{Phase, explain};
use super::request::{self, Request, pinned};
use crate::error::{Error, Kind, Result};
use crate::keys::random_uuid;
use crate::ledger::entry::Event;
use crate::ledger::store as ledger;
use crate::pg::lock::SessionLock;
use crate::pg::report;
use crate::pg::spi::Nonatomic;
use crate::pg::subxact::guarded;
use crate::profile;

/// Carries a run out. The caller has seen that the procedure may commit.
///
/// # Errors
/// Whatever is wrong; the target is unchanged then.
pub fn run(request: &Request) -> Result<()> {
    let connection = Nonatomic::connect()?;
    // What came before this call in its transaction is not part of the run.
    connection.commit()?;
    let Some(_lock) = SessionLock::try_take(lock_number(&request.target)) else {
        return Err(Error::new(
            Kind::InUse,
            format!("another run is writing schema \"{}\"", request.target),
        )
        .with_hint("Wait for it to end; see pg_stat_activity."));
    };
    let started = Instant::now();
    let profile = profile::store::pick(&request.profile, request.options.version.as_deref())?;
    let planned = pinned(|| request::plan(request, &profile))?;
    for note in &planned.plan.notes {
        report::notice(note);
    }
    let key = profile::store::masking_key(&profile, true)?;
    let run_id = random_uuid()?;
    let evidence = Evidence {
        run_id,
        request,
        profile: &profile,
        key: &key,
    };
    ledger::append(Event::Started, evidence.facts(&planned.plan))?;
    connection.commit()?;

    let phase = Phase::default();
    let outcome = guarded(|| {
        pinned(|| {
            let copied = copy(request, &profile, &planned, &key, &phase)?;
            phase.enter("recording");
            let mut facts = evidence.facts(&planned.plan);
            copied.describe(&planned.plan, started, &mut facts);
            ledger::append(Event::Completed, facts)?;
            Ok(copied)
        })
    });
    match outcome {
        Ok(copied) => {
            connection.commit()?;
            copied.announce(started);
            Ok(())
        }
        Err(failure) => {
            let (error, mut details) = explain(failure, &phase);
            details.insert("seconds".to_owned(), seconds(started));
            let mut facts = evidence.facts(&planned.plan);
            facts.details = Some(merged(facts.details, details));
            facts.verification_passed = Some(false);
            ledger::append(Event::Failed, facts)?;
            connection.commit()?;
            Err(error)
        }
    }
}

/// One number per target schema: its name, hashed.
fn lock_number(target: &str) -> u64 {
    use sha2::{Digest, Sha256};
    let hash = Sha256::digest(target.as_bytes());
    u64::from_be_bytes(hash[..8].try_into().unwrap_or_default())
}
