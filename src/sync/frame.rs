//! How a run lies in transactions: in its own, or in one of the caller's, who ends it.

use super::request::Request;
use super::store;
use crate::error::{Error, Kind, Result};
use crate::ledger::declared::session;
use crate::ledger::entry::{self, Facts};
use crate::ledger::journal::record::Event;
use crate::ledger::store as ledger;
use crate::pg::lock::{self, Class, SessionLock};
use crate::pg::spi::Nonatomic;
use crate::pg::subxact::insisting;
use crate::pg::xact;

/// The transactions of a run, and the lock on its target.
pub enum Frame {
    /// The run commits: that it began, and what came of it.
    Own {
        /// By which it commits.
        connection: Nonatomic,
        /// Dropped after the last commit.
        _lock: SessionLock,
    },
    /// The run commits nothing. That it began, or failed, is in the journal, which stays; that it
    /// is complete is in the chain, and goes with the rows if the caller rolls back.
    Callers,
}

impl Frame {
    /// Commits what came before, where the run may commit, and locks the target against other runs.
    ///
    /// # Errors
    /// 25001 inside a transaction that may not be used; 55000 inside a hook; 55006 while another run
    /// writes the target.
    pub fn open(request: &Request, may_commit: bool) -> Result<Self> {
        session::refuse_in_hook()?;
        let number = lock_number(&request.target);
        if may_commit {
            let connection = Nonatomic::connect()?;
            // What came before this call in its transaction is not part of the run.
            connection.commit()?;
            let lock = SessionLock::try_take(Class::Run, number).ok_or_else(|| taken(request))?;
            return Ok(Self::Own {
                connection,
                _lock: lock,
            });
        }
        if !request.options.in_transaction {
            return Err(within(&format!(
                "{} cannot run inside a transaction block or a function",
                request.procedure()
            ))
            .with_detail("It commits: that it began is on record before the first row is read.")
            .with_hint(
                "Call it on its own, with autocommit on (psql without -1 or BEGIN), or with the \
                 option in_transaction.",
            ));
        }
        if !xact::is_read_committed() {
            return Err(within(
                "a run inside a transaction needs the isolation level READ COMMITTED",
            )
            .with_detail(
                "At another one it would fail at its end if anybody wrote to the ledger \
                         meanwhile.",
            )
            .with_hint("Use BEGIN ISOLATION LEVEL READ COMMITTED."));
        }
        if !lock::try_take_for_transaction(Class::Run, number) {
            return Err(taken(request));
        }
        Ok(Self::Callers)
    }

    /// Whether the caller ends the transaction.
    pub fn is_callers(&self) -> bool {
        matches!(self, Self::Callers)
    }

    /// Where the record of a failure is.
    pub fn record(&self) -> &'static str {
        match self {
            Self::Own { .. } => "confiture.audit_log",
            Self::Callers => "confiture.journal",
        }
    }

    /// Puts on record that the run begins, so that it stays.
    ///
    /// # Errors
    /// As [`ledger::append`] or [`store::keep`].
    pub fn begin(&self, facts: Facts) -> Result<()> {
        match self {
            Self::Own { connection, .. } => {
                ledger::append(entry::Event::Started, facts)?;
                connection.commit()
            }
            Self::Callers => {
                let name = |name: &Option<String>| name.clone().unwrap_or_default();
                let what = format!(
                    "profile {} version {}, from schema {}",
                    name(&facts.profile_name),
                    name(&facts.profile_version),
                    name(&facts.source_schema)
                );
                store::keep(Event::Started, &facts, &what)
            }
        }
    }

    /// Makes the run's rows and entry last, where that is up to the run.
    ///
    /// # Errors
    /// As [`Nonatomic::commit`].
    pub fn end(&self) -> Result<()> {
        match self {
            Self::Own { connection, .. } => connection.commit(),
            Self::Callers => Ok(()),
        }
    }

    /// Puts on record that the run failed, so that it stays, also where the cancel that ended the run
    /// comes twice; `why` without values.
    ///
    /// # Errors
    /// As [`Frame::begin`].
    pub fn fail(&self, facts: &Facts, why: &str) -> Result<()> {
        match self {
            Self::Own { connection, .. } => {
                insisting(|| ledger::append(entry::Event::Failed, facts.clone()))?;
                connection.commit_undisturbed()
            }
            Self::Callers => insisting(|| store::keep(Event::Failed, facts, why)),
        }
    }
}

fn within(message: &str) -> Error {
    Error::new(Kind::ActiveTransaction, message)
}

fn taken(request: &Request) -> Error {
    Error::new(
        Kind::InUse,
        format!("another run is writing schema \"{}\"", request.target),
    )
    .with_hint("Wait for it to end; see pg_stat_activity.")
}

/// One number per target schema: its name, hashed.
fn lock_number(target: &str) -> u64 {
    use sha2::{Digest, Sha256};
    let hash = Sha256::digest(target.as_bytes());
    u64::from_be_bytes(hash[..8].try_into().unwrap_or_default())
}
