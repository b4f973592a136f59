//! The ledger at rest: `confiture.audit_log` and `confiture.ledger_head`.
//!
//! [`append`] is the only writer. It takes the head row last of all locks, so that runs do not
//! wait for each other while they work, and reads back what it wrote, so that a rule or trigger
//! that rewrites an entry is noticed before the transaction commits.

use pgrx::Uuid;
use pgrx::datum::{DatumWithOid, TimestampWithTimeZone};
use serde_json::Value;

use super::anchor;
use super::canonical;
use super::entry::{self, CANON_VERSION, Entry, Event, Facts};
use super::verify::{Finding, Head, Stored, Verifier};
use crate::error::{Error, Kind, Result};
use crate::keys::{self, Secret, Use, subkey};
use crate::pg::{owner, report, server, spi, user};

/// Id of a chain's row in `confiture.ledger_head`.
pub(super) const AUDIT: &str = "audit";

/// Appends an entry in the current transaction and returns its number.
///
/// # Errors
/// 55000 without a key; XX001 when the head and the log disagree, or what was stored is not what
/// was written.
pub fn append(event: Event, facts: Facts) -> Result<i64> {
    let (user_name, session_user_name) = (user::name(user::outer()), user::name(user::session()));
    let active = keys::store::active_now("ledger")?;
    owner::acting_as_owner("confiture", || {
        let head = locked_head()?;
        let database = server::database();
        let entry = Entry {
            seq: head.seq + 1,
            id: keys::random_uuid()?,
            log_id: head.log_id,
            event: event.name().to_owned(),
            origin: "run".to_owned(),
            timestamp: server::now(),
            user_name,
            session_user_name,
            hostname: server::client_host()?,
            application_name: server::application_name(),
            backend_pid: server::pid(),
            server_version: server::version_num(),
            extension_version: env!("CARGO_PKG_VERSION").to_owned(),
            source_database: database.clone(),
            target_database: database,
            facts,
            key_name: active.name.to_string(),
            key_version: active.version,
            previous_entry_hash: head.entry_hash,
        };
        let hash = entry.hash();
        let signature = entry::sign(&subkey(&active.secret, Use::LedgerEntry), &hash);
        insert(&entry, &hash, &signature)?;
        let written = spi::rows(
            &format!("{SELECT} WHERE seq = $1"),
            &[entry.seq.into()],
            stored,
        )?;
        let intact = written.len() == 1
            && written[0].entry.bytes() == entry.bytes()
            && written[0].entry_hash == hash
            && written[0].signature == signature;
        if !intact {
            return Err(Error::new(
                Kind::Corrupt,
                format!("ledger entry {} was not stored as written", entry.seq),
            )
            .with_hint(
                "Look for rules or triggers on confiture.audit_log that are not the extension's.",
            ));
        }
        spi::run(
            "UPDATE confiture.ledger_head
                SET seq = $2, entry_hash = $3, updated_at = pg_catalog.clock_timestamp()
              WHERE chain = $1",
            &[AUDIT.into(), entry.seq.into(), hash.to_vec().into()],
        )?;
        // An anchor off this machine wherever logs are shipped.
        report::log(&format!(
            "confiture ledger log={} seq={} event={} hash={}",
            Uuid::from_bytes(entry.log_id),
            entry.seq,
            entry.event,
            hex::encode(&hash[..8])
        ));
        Ok(entry.seq)
    })
}

/// Whether the ledger holds entries.
///
/// # Errors
/// As the interface.
pub fn has_entries() -> Result<bool> {
    owner::acting_as_owner("confiture", || {
        let found = spi::read(
            "SELECT EXISTS (SELECT FROM ONLY confiture.audit_log)",
            &[],
            |row| row.required::<bool>(1),
        )?;
        Ok(found.first().copied().unwrap_or(false))
    })
}

/// Whether dropping these schemas would take the extension along: its own schema, or with CASCADE
/// the one its masks live in.
///
/// # Errors
/// As the interface.
pub fn lives_in_any(schemas: &[String], cascade: bool) -> Result<bool> {
    let schema = owner::fact(
        "confiture",
        "SELECT n.nspname::text FROM pg_catalog.pg_extension e
           JOIN pg_catalog.pg_namespace n ON n.oid = e.extnamespace
          WHERE e.extname = 'confiture'",
    )?;
    Ok(schemas
        .iter()
        .any(|name| name == "confiture" || cascade && schema.as_ref() == Some(name)))
}

/// Whether one of these roles owns the extension.
///
/// # Errors
/// As the interface.
pub fn owned_by_any(roles: &[pgrx::pg_sys::Oid]) -> Result<bool> {
    Ok(roles.contains(&owner::owner_of("confiture")?))
}

/// Checks the whole audit log, against these notes or those of the anchor directory.
///
/// # Errors
/// As the interface; findings are rows, not errors.
pub fn verify(notes: Option<Vec<String>>) -> Result<Vec<Finding>> {
    owner::acting_as_owner("confiture", || {
        let mut known: Vec<(String, i32, Option<Secret>)> = Vec::new();
        let mut key = |name: &str, version: i32| {
            if let Some((.., secret)) = known.iter().find(|(n, v, _)| n == name && *v == version) {
                return secret.clone();
            }
            let secret = keys::store::verifier(name, version).ok();
            known.push((name.to_owned(), version, secret.clone()));
            secret
        };
        let anchors = anchor::store::gather(notes)?;
        let mut verifier = Verifier::new(&mut key, anchors);
        let mut after = 0;
        loop {
            // By pages along the primary key: memory stays constant however long the log is.
            let page = spi::read(
                &format!("{SELECT} WHERE seq > $1 ORDER BY seq LIMIT 500"),
                &[after.into()],
                stored,
            )?;
            let Some(last) = page.last() else { break };
            after = last.entry.seq;
            for entry in &page {
                verifier.entry(entry);
            }
            server::check_for_interrupts();
        }
        let head = spi::read(HEAD, &[AUDIT.into()], head)?.into_iter().next();
        Ok(verifier.finish(head.as_ref()))
    })
}

pub(super) const HEAD: &str =
    "SELECT log_id, seq, entry_hash FROM ONLY confiture.ledger_head WHERE chain = $1";

const SELECT: &str = "
    SELECT seq, id, log_id, event, origin, \"timestamp\", user_name, session_user_name, hostname,
           application_name, backend_pid, server_version, extension_version, source_database,
           target_database, run_id, source_schema, target_schema, profile_name, profile_version,
           profile_hash, tables_synced, rows_anonymized::text, strategies_applied::text,
           verification_passed, verification_report::text, details::text, key_name, key_version,
           previous_entry_hash, canon_version, entry_hash, signature
      FROM ONLY confiture.audit_log";

fn insert(entry: &Entry, hash: &[u8; 32], signature: &[u8; 32]) -> Result<()> {
    let facts = &entry.facts;
    let at = TimestampWithTimeZone::try_from(entry.timestamp)
        .map_err(|_| Error::new(Kind::Internal, "the clock is out of range"))?;
    let json = |value: &Option<Value>| value.as_ref().map(canonical::json);
    let args: Vec<DatumWithOid<'_>> = vec![
        entry.seq.into(),
        Uuid::from_bytes(entry.id).into(),
        Uuid::from_bytes(entry.log_id).into(),
        entry.event.as_str().into(),
        entry.origin.as_str().into(),
        at.into(),
        entry.user_name.as_str().into(),
        entry.session_user_name.as_str().into(),
        entry.hostname.as_str().into(),
        entry.application_name.as_str().into(),
        entry.backend_pid.into(),
        entry.server_version.into(),
        entry.extension_version.as_str().into(),
        entry.source_database.as_str().into(),
        entry.target_database.as_str().into(),
        facts.run_id.map(Uuid::from_bytes).into(),
        facts.source_schema.as_deref().into(),
        facts.target_schema.as_deref().into(),
        facts.profile_name.as_deref().into(),
        facts.profile_version.as_deref().into(),
        facts.profile_hash.clone().into(),
        facts.tables_synced.clone().into(),
        json(&facts.rows_anonymized).into(),
        json(&facts.strategies_applied).into(),
        facts.verification_passed.into(),
        json(&facts.verification_report).into(),
        json(&facts.details).into(),
        entry.key_name.as_str().into(),
        entry.key_version.into(),
        entry.previous_entry_hash.clone().into(),
        CANON_VERSION.into(),
        hash.to_vec().into(),
        signature.to_vec().into(),
    ];
    spi::run(
        "INSERT INTO confiture.audit_log (
           seq, id, log_id, event, origin, \"timestamp\", user_name, session_user_name, hostname,
           application_name, backend_pid, server_version, extension_version, source_database,
           target_database, run_id, source_schema, target_schema, profile_name, profile_version,
           profile_hash, tables_synced, rows_anonymized, strategies_applied, verification_passed,
           verification_report, details, key_name, key_version, previous_entry_hash,
           canon_version, entry_hash, signature)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18,
           $19, $20, $21, $22, $23::text::jsonb, $24::text::jsonb, $25, $26::text::jsonb,
           $27::text::jsonb, $28, $29, $30, $31, $32, $33)",
        &args,
    )?;
    Ok(())
}

/// The head row, locked; made with a random log id at the first entry ever.
fn locked_head() -> Result<Head> {
    let log_id = keys::random_uuid()?;
    spi::run(
        "INSERT INTO confiture.ledger_head (chain, log_id, seq, entry_hash)
         VALUES ($1, $2, 0, $3) ON CONFLICT DO NOTHING",
        &[
            AUDIT.into(),
            Uuid::from_bytes(log_id).into(),
            entry::genesis(&log_id).to_vec().into(),
        ],
    )?;
    let head = spi::rows(&format!("{HEAD} FOR UPDATE"), &[AUDIT.into()], head)?
        .into_iter()
        .next()
        .ok_or_else(|| Error::new(Kind::Corrupt, "the ledger has no head row"))?;
    let last = spi::one::<i64>("SELECT max(seq) FROM ONLY confiture.audit_log", &[])?.unwrap_or(0);
    if last != head.seq {
        return Err(Error::new(
            Kind::Corrupt,
            "the ledger's head and its last entry disagree",
        )
        .with_detail(format!(
            "The head stands at entry {}, the last entry is {last}.",
            head.seq
        ))
        .with_hint("Run confiture.verify_ledger."));
    }
    Ok(head)
}

pub(super) fn head(row: &spi::Row<'_>) -> Result<Head> {
    Ok(Head {
        log_id: *row.required::<Uuid>(1)?.as_bytes(),
        seq: row.required(2)?,
        entry_hash: row.required(3)?,
    })
}

fn stored(row: &spi::Row<'_>) -> Result<Stored> {
    let json = |column: usize| -> Result<Option<Value>> {
        row.get::<String>(column)?
            .map(|text| serde_json::from_str(&text))
            .transpose()
            .map_err(|_| {
                Error::new(
                    Kind::Corrupt,
                    "a ledger entry holds a document that is no JSON",
                )
            })
    };
    Ok(Stored {
        entry: Entry {
            seq: row.required(1)?,
            id: *row.required::<Uuid>(2)?.as_bytes(),
            log_id: *row.required::<Uuid>(3)?.as_bytes(),
            event: row.required(4)?,
            origin: row.required(5)?,
            timestamp: row.required::<TimestampWithTimeZone>(6)?.into(),
            user_name: row.required(7)?,
            session_user_name: row.required(8)?,
            hostname: row.required(9)?,
            application_name: row.required(10)?,
            backend_pid: row.required(11)?,
            server_version: row.required(12)?,
            extension_version: row.required(13)?,
            source_database: row.required(14)?,
            target_database: row.required(15)?,
            facts: Facts {
                run_id: row.get::<Uuid>(16)?.map(|id| *id.as_bytes()),
                source_schema: row.get(17)?,
                target_schema: row.get(18)?,
                profile_name: row.get(19)?,
                profile_version: row.get(20)?,
                profile_hash: row.get(21)?,
                tables_synced: row.get(22)?,
                rows_anonymized: json(23)?,
                strategies_applied: json(24)?,
                verification_passed: row.get(25)?,
                verification_report: json(26)?,
                details: json(27)?,
            },
            key_name: row.required(28)?,
            key_version: row.required(29)?,
            previous_entry_hash: row.required(30)?,
        },
        canon_version: row.required(31)?,
        entry_hash: row.required(32)?,
        signature: row.required(33)?,
    })
}
