//! The ledger at rest: `confiture.audit_log` and `confiture.ledger_head`.
//!
//! [`append`] is the only writer. It takes the head row last of all locks, so that runs do not
//! wait for each other while they work, and reads back what it wrote, so that a rule or trigger
//! that rewrites an entry is noticed before the transaction commits.

use pgrx::Uuid;
use pgrx::datum::{DatumWithOid, TimestampWithTimeZone};
use serde_json::{Map, Value, json};

use super::entry::{self, CANON_VERSION, Entry, Event, Facts, LineageRange};
use super::json::Json;
use super::signing::{self, Signing};
use super::verify::{AUDIT, Head, LINEAGE, Stored};
use super::{beginning, guard, journal, lineage, unprepared};
use crate::error::{Error, Kind, Result};
use crate::keys;
use crate::pg::{frozen, owner, report, server, spi, user};

/// Whose word an entry is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Origin {
    /// Of a script, about what it did by itself.
    Declared,
    /// Of this extension, about what it did.
    Run,
}

impl Origin {
    /// The word stored.
    pub fn name(self) -> &'static str {
        match self {
            Self::Declared => "declared",
            Self::Run => "run",
        }
    }
}

/// Appends an entry in the current transaction and returns its number.
///
/// # Errors
/// 55000 without a key, and when guards are off; XX001 when the head and the log disagree, when the
/// definition of the ledger is not the extension's, or what was stored is not what was written.
pub fn append(event: Event, facts: Facts) -> Result<i64> {
    append_with(Origin::Run, event, facts, None)
}

/// Appends an entry together with the lineage of its run, which it signs.
///
/// # Errors
/// As [`append`].
pub fn append_with(
    origin: Origin,
    event: Event,
    facts: Facts,
    steps: Option<&[lineage::Facts]>,
) -> Result<i64> {
    guard::store::require_good()?;
    append_anyway(origin, event, facts, steps)
}

/// As [`append_with`], whatever the definition of the ledger is: for entries about just that.
///
/// # Errors
/// As [`append`], but for the definition; 25006 on a standby.
pub fn append_anyway(
    origin: Origin,
    event: Event,
    mut facts: Facts,
    steps: Option<&[lineage::Facts]>,
) -> Result<i64> {
    frozen::writable()?;
    beginning::store::asked_for()?;
    let (user_name, session_user_name) = (user::name(user::outer()), user::name(user::session()));
    if user::caller() != user::outer() {
        // Inside a SECURITY DEFINER function, whose owner chose what is done.
        let role = (
            "with_rights_of".to_owned(),
            json!(user::name(user::caller())),
        );
        facts.details = Some(Json::merged(facts.details.take(), Map::from_iter([role])));
    }
    let mut key = signing::store::signer()?;
    owner::acting_as_owner("confiture", || {
        unprepared::mark();
        make_heads()?;
        // Always in this order, and last of all locks. Both: an entry without lineage may be
        // followed by one with it in the same transaction, while others wait for this one.
        spi::rows(&format!("{HEAD} FOR UPDATE"), &[LINEAGE.into()], head)?;
        if key.is_none() && signing::store::is_signed()? {
            // Somebody has made the first key since.
            key = Some(keys::store::active_now("ledger")?);
        }
        let signing = Signing {
            origin,
            user_name: &user_name,
            session_user_name: &session_user_name,
            key: key.as_ref(),
        };
        if let (Some(steps), Some(run_id)) = (steps, facts.run_id) {
            let head = locked_head(LINEAGE)?;
            let (range, head) = lineage::store::append(&signing, run_id, head, steps)?;
            facts.lineage = range;
            move_head(LINEAGE, &head)?;
        }
        let mut head = locked_head(AUDIT)?;
        if head.seq == 0 {
            beginning::store::found(&mut facts)?;
        }
        if let Some(moved) = incarnation()? {
            let facts = Facts {
                details: Some(moved.into()),
                ..Facts::default()
            };
            head = write(&signing, Event::Incarnation, facts, &head)?;
        }
        let head = write(&signing, event, facts, &head)?;
        move_head(AUDIT, &head)?;
        Ok(head.seq)
    })
}

/// Writes an entry of the audit log behind the head and returns the head that follows.
fn write(signing: &Signing<'_>, event: Event, facts: Facts, head: &Head) -> Result<Head> {
    let database = server::database();
    let (journal_last, journal_root) = journal::store::fold(&head.log_id, head.seq)?;
    let entry = Entry {
        seq: head.seq + 1,
        id: keys::random_uuid()?,
        log_id: head.log_id,
        event: event.name().to_owned(),
        origin: signing.origin.name().to_owned(),
        timestamp: server::now(),
        user_name: signing.user_name.to_owned(),
        session_user_name: signing.session_user_name.to_owned(),
        hostname: server::client_host()?,
        application_name: server::application_name(),
        system_user: server::system_user(),
        backend_pid: server::pid(),
        backend_start: server::session_start(),
        transaction_id: server::transaction_id(),
        system_identifier: server::system_identifier(),
        timeline_id: server::timeline(),
        server_version: server::version_num(),
        extension_version: env!("CARGO_PKG_VERSION").to_owned(),
        source_database: database.clone(),
        target_database: database,
        facts,
        journal_last,
        journal_root: journal_root.map(Into::into),
        key_name: signing.key_name(),
        key_version: signing.key_version(),
        previous_entry_hash: head.entry_hash.clone(),
    };
    let hash = entry.hash();
    let signature = signing.sign(&hash);
    guard::open(|| insert(&entry, &hash, &signature))?;
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
        return Err(not_as_written("confiture.audit_log", entry.seq));
    }
    // An anchor off this machine wherever logs are shipped.
    report::log(&format!(
        "confiture ledger log={} seq={} event={} hash={}",
        Uuid::from_bytes(entry.log_id),
        entry.seq,
        entry.event,
        hex::encode(&hash[..8])
    ));
    Ok(Head {
        log_id: entry.log_id,
        seq: entry.seq,
        entry_hash: hash.to_vec(),
    })
}

/// What was read back is not what was written.
pub fn not_as_written(table: &str, seq: i64) -> Error {
    Error::new(
        Kind::Corrupt,
        format!("ledger entry {seq} was not stored as written"),
    )
    .with_hint(format!(
        "Look for rules or triggers on {table} that are not the extension's."
    ))
}

/// The cluster or its timeline, where the last entry names other ones: as details of an entry.
fn incarnation() -> Result<Option<Value>> {
    let last = spi::rows(
        "SELECT system_identifier, timeline_id FROM ONLY confiture.audit_log
          ORDER BY seq DESC LIMIT 1",
        &[],
        |row| Ok((row.required::<i64>(1)?, row.required::<i32>(2)?)),
    )?;
    let now = (server::system_identifier(), server::timeline());
    Ok(last.first().filter(|before| **before != now).map(|before| {
        json!({
            "system_identifier": before.0.to_string(),
            "timeline_id": before.1,
        })
    }))
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

pub(super) const HEAD: &str =
    "SELECT log_id, seq, entry_hash FROM ONLY confiture.ledger_head WHERE chain = $1";

/// The fields of entries, in the order in which [`stored`] takes them.
pub(super) const SELECT: &str = "
    SELECT seq, id, log_id, event, origin, \"timestamp\", user_name, session_user_name, hostname,
           application_name, system_user_name, backend_pid, backend_start, transaction_id,
           system_identifier, timeline_id, server_version, extension_version, source_database,
           target_database, run_id, source_schema, target_schema, profile_name, profile_version,
           profile_hash, CASE WHEN tables_synced OPERATOR(pg_catalog.=) names THEN names END,
           rows_anonymized::text, strategies_applied::text, verification_passed,
           verification_report::text, details::text, lineage_first, lineage_last, lineage_root, journal_last, journal_root, key_name, key_version,
           previous_entry_hash, canon_version, entry_hash, signature,
           coalesce(tables_synced OPERATOR(pg_catalog.=) names, true)
      FROM ONLY confiture.audit_log CROSS JOIN LATERAL (SELECT ARRAY(
           SELECT n FROM pg_catalog.unnest(tables_synced) AS n WHERE n IS NOT NULL)) AS t (names)";

const INSERT: &str = "
    INSERT INTO confiture.audit_log (
           seq, id, log_id, event, origin, \"timestamp\", user_name, session_user_name, hostname,
           application_name, system_user_name, backend_pid, backend_start, transaction_id,
           system_identifier, timeline_id, server_version, extension_version, source_database,
           target_database, run_id, source_schema, target_schema, profile_name, profile_version,
           profile_hash, tables_synced, rows_anonymized, strategies_applied,
           verification_passed, verification_report, details, lineage_first,
           lineage_last, lineage_root, journal_last, journal_root, key_name, key_version,
           previous_entry_hash, canon_version, entry_hash, signature)
    VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19,
           $20, $21, $22, $23, $24, $25, $26, $27, $28::text::jsonb, $29::text::jsonb, $30,
           $31::text::jsonb, $32::text::jsonb, $33, $34, $35, $36, $37, $38, $39, $40, $41, $42,
           $43)";

fn insert(entry: &Entry, hash: &[u8; 32], signature: &[u8]) -> Result<()> {
    let facts = &entry.facts;
    let time = |at: i64| {
        TimestampWithTimeZone::try_from(at)
            .map_err(|_| Error::new(Kind::Internal, "the clock is out of range"))
    };
    let json = |value: &Option<Json>| value.as_ref().map(|json| json.text().to_owned());
    let args: Vec<DatumWithOid<'_>> = vec![
        entry.seq.into(),
        Uuid::from_bytes(entry.id).into(),
        Uuid::from_bytes(entry.log_id).into(),
        entry.event.as_str().into(),
        entry.origin.as_str().into(),
        time(entry.timestamp)?.into(),
        entry.user_name.as_str().into(),
        entry.session_user_name.as_str().into(),
        entry.hostname.as_str().into(),
        entry.application_name.as_str().into(),
        entry.system_user.as_deref().into(),
        entry.backend_pid.into(),
        time(entry.backend_start)?.into(),
        entry.transaction_id.into(),
        entry.system_identifier.into(),
        entry.timeline_id.into(),
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
        facts.lineage.first.into(),
        facts.lineage.last.into(),
        facts.lineage.root.clone().into(),
        entry.journal_last.into(),
        entry.journal_root.clone().into(),
        entry.key_name.as_str().into(),
        entry.key_version.into(),
        entry.previous_entry_hash.clone().into(),
        CANON_VERSION.into(),
        hash.to_vec().into(),
        signature.to_vec().into(),
    ];
    spi::run(INSERT, &args)?;
    Ok(())
}

/// Both head rows, made with one random log id at the first entry ever.
fn make_heads() -> Result<()> {
    let log_id = keys::random_uuid()?;
    let args = [
        AUDIT.into(),
        LINEAGE.into(),
        Uuid::from_bytes(log_id).into(),
        entry::genesis(&log_id).to_vec().into(),
        lineage::genesis(&log_id).to_vec().into(),
    ];
    let sql = "INSERT INTO confiture.ledger_head (chain, log_id, seq, entry_hash)
               VALUES ($1, $3, 0, $4), ($2, $3, 0, $5) ON CONFLICT DO NOTHING";
    guard::open(|| spi::run(sql, &args))?;
    Ok(())
}

/// Takes the turn to append until the transaction ends, or the subtransaction in vain: for who is about
/// to keep others waiting, and must not wait for the ledger meanwhile. There is an entry already.
///
/// # Errors
/// XX000 when the interface fails.
pub fn take_turn() -> Result<()> {
    owner::acting_as_owner("confiture", || {
        // The first that every append locks.
        spi::rows(&format!("{HEAD} FOR UPDATE"), &[LINEAGE.into()], head).map(drop)
    })
}

/// The head row of a chain, locked.
fn locked_head(chain: &str) -> Result<Head> {
    let head = spi::rows(&format!("{HEAD} FOR UPDATE"), &[chain.into()], head)?
        .into_iter()
        .next()
        .ok_or_else(|| Error::new(Kind::Corrupt, "the ledger has no head row"))?;
    let last = match chain {
        // Where all of it was pruned, an entry that stays says where it ended.
        LINEAGE => {
            "SELECT coalesce(max(seq), (
                      SELECT (details #>> '{lineage,last}')::bigint FROM ONLY confiture.audit_log
                       WHERE event = 'PRUNED' ORDER BY seq DESC LIMIT 1))
               FROM ONLY confiture.lineage"
        }
        _ => "SELECT max(seq) FROM ONLY confiture.audit_log",
    };
    let last = spi::one::<i64>(last, &[])?.unwrap_or(0);
    if last != head.seq {
        return Err(Error::new(
            Kind::Corrupt,
            "the ledger's head and its last entry disagree",
        )
        .with_detail(format!(
            "The head of chain \"{chain}\" stands at entry {}, the last entry is {last}.",
            head.seq
        ))
        .with_hint("Run confiture.verify_ledger."));
    }
    Ok(head)
}

fn move_head(chain: &str, head: &Head) -> Result<()> {
    let sql = "UPDATE confiture.ledger_head
                  SET seq = $2, entry_hash = $3, updated_at = pg_catalog.clock_timestamp()
                WHERE chain = $1";
    let hash = head.entry_hash.clone();
    guard::open(|| spi::run(sql, &[chain.into(), head.seq.into(), hash.into()]))?;
    Ok(())
}

pub(super) fn head(row: &spi::Row<'_>) -> Result<Head> {
    Ok(Head {
        log_id: *row.required::<Uuid>(1)?.as_bytes(),
        seq: row.required(2)?,
        entry_hash: row.required(3)?,
    })
}

/// An entry as read back, from a row of [`SELECT`].
pub(super) fn stored(row: &spi::Row<'_>) -> Result<Stored> {
    // A list of another shape, or a document that is too deep: it was not encoded here.
    let mut is_ours = row.required::<bool>(44)?;
    let mut json = |column: usize| -> Result<Option<Json>> {
        let text = row.get::<String>(column)?;
        let json = text.as_deref().map(Json::parse);
        is_ours &= json.as_ref().is_none_or(Option::is_some);
        Ok(json.flatten())
    };
    let time = |column: usize| -> Result<i64> {
        Ok(row.required::<TimestampWithTimeZone>(column)?.into())
    };
    let lineage = LineageRange {
        first: row.get(33)?,
        last: row.get(34)?,
        root: row.get(35)?,
    };
    Ok(Stored {
        entry: Entry {
            seq: row.required(1)?,
            id: *row.required::<Uuid>(2)?.as_bytes(),
            log_id: *row.required::<Uuid>(3)?.as_bytes(),
            event: row.required(4)?,
            origin: row.required(5)?,
            timestamp: time(6)?,
            user_name: row.required(7)?,
            session_user_name: row.required(8)?,
            hostname: row.required(9)?,
            application_name: row.required(10)?,
            system_user: row.get(11)?,
            backend_pid: row.required(12)?,
            backend_start: time(13)?,
            transaction_id: row.required(14)?,
            system_identifier: row.required(15)?,
            timeline_id: row.required(16)?,
            server_version: row.required(17)?,
            extension_version: row.required(18)?,
            source_database: row.required(19)?,
            target_database: row.required(20)?,
            facts: Facts {
                run_id: row.get::<Uuid>(21)?.map(|id| *id.as_bytes()),
                source_schema: row.get(22)?,
                target_schema: row.get(23)?,
                profile_name: row.get(24)?,
                profile_version: row.get(25)?,
                profile_hash: row.get(26)?,
                tables_synced: row.get(27)?,
                rows_anonymized: json(28)?,
                strategies_applied: json(29)?,
                verification_passed: row.get(30)?,
                verification_report: json(31)?,
                details: json(32)?,
                lineage,
            },
            journal_last: row.required(36)?,
            journal_root: row.get(37)?,
            key_name: row.required(38)?,
            key_version: row.required(39)?,
            previous_entry_hash: row.required(40)?,
        },
        canon_version: if is_ours { row.required(41)? } else { 0 },
        entry_hash: row.required(42)?,
        signature: row.required(43)?,
    })
}
