//! The guards at work: the catalog compared with the good definition, the rows of a restore, and
//! the guards put down and taken up again.

use std::cell::{Cell, RefCell};

use pgrx::pg_sys::{FunctionCallInfo, Oid};
use serde_json::json;

use super::definition::{self, Difference, Fact, Guard, Weight};
use super::open;
use crate::error::{Error, Kind, Result};
use crate::ledger::entry::{Event, Facts};
use crate::ledger::signing;
use crate::ledger::store::{self, Origin};
use crate::ledger::verify::{AUDIT, Finding, LINEAGE};
use crate::pg::{ddl, ident, owner, report, server, spi, subxact, watch};
use crate::value::unseen::is_blank;

const EXTENSION: &str = "confiture";

const DEFINITION: &str = include_str!("catalog/definition.sql");
const STAMP: &str = include_str!("catalog/stamp.sql");
const MEMBER: &str = "
    SELECT FROM pg_catalog.pg_class c
      JOIN pg_catalog.pg_depend d
        ON d.classid = 'pg_catalog.pg_class'::pg_catalog.regclass AND d.objid = c.oid
       AND d.refclassid = 'pg_catalog.pg_extension'::pg_catalog.regclass AND d.deptype = 'e'
      JOIN pg_catalog.pg_extension e ON e.oid = d.refobjid
     WHERE c.oid = $1 AND e.extname = $2 AND c.relname::text = ANY ($3)";

/// What the catalog says of the ledger at this moment, in the order of words.
///
/// # Errors
/// As [`owner::acting_as_owner`].
pub fn facts() -> Result<Vec<Fact>> {
    owner::acting_as_owner(EXTENSION, || {
        let mut found = spi::read_now(
            DEFINITION,
            &[EXTENSION.into(), tables().into(), functions().into()],
            |row| {
                Ok(Fact {
                    object: row.required(1)?,
                    state: row.required(2)?,
                })
            },
        )?;
        found.sort_by(|a, b| a.object.cmp(&b.object));
        Ok(found)
    })
}

/// What differs from the good definition at this moment.
///
/// # Errors
/// As [`facts`].
pub fn differences() -> Result<Vec<Difference>> {
    Ok(definition::differences(&facts()?))
}

/// Makes sure that the definition is good, before an entry is written.
///
/// # Errors
/// 55000 when guards are off, which `rearm` puts right; XX001 when something else differs.
pub fn require_good() -> Result<()> {
    let state = state()?;
    if GOOD.with_borrow(|good| good.as_ref() == Some(&state)) {
        return Ok(());
    }
    let differences = differences()?;
    if differences.is_empty() {
        // As it was before it was compared: what has changed since is compared again.
        GOOD.replace(Some(state));
        return Ok(());
    }
    let (kind, message, hint) = if differences.iter().all(can_be_armed) {
        (
            Kind::NotReady,
            "guards of the ledger are off",
            "A superuser puts them right with SELECT confiture.rearm().",
        )
    } else {
        (
            Kind::Corrupt,
            "the definition of the ledger is not the extension's",
            "See docs/guards.md, repairing.",
        )
    };
    Err(Error::new(kind, message)
        .with_detail(definition::sentences(&differences))
        .with_hint(hint))
}

/// What verification says of the definition, and whether the entries can be read as they are.
///
/// # Errors
/// As [`facts`].
pub fn findings() -> Result<(Vec<Finding>, bool)> {
    let differences = differences()?;
    let readable = !differences
        .iter()
        .any(|difference| difference.weight == Weight::Unreadable);
    let findings = differences
        .iter()
        .map(|difference| {
            let loose = difference.weight == Weight::Loose;
            Finding {
                code: if loose { "W05" } else { "E10" },
                status: if loose { "warn" } else { "fail" },
                chain: chain_of(&difference.what),
                seq_from: None,
                seq_to: None,
                detail: definition::sentence(&difference.what),
            }
        })
        .collect();
    Ok((findings, readable))
}

/// The chain that a difference is about: where none is named, that of the audit log.
fn chain_of(what: &str) -> &'static str {
    if format!("{what} ").contains(" lineage ") {
        LINEAGE
    } else {
        AUDIT
    }
}

/// Everything that the comparison with the good definition depends on: numbers that grow with what
/// the server tells caches, and the rows of catalogs of which it tells none. A superuser who writes
/// to a catalog by hand changes one or the other.
#[derive(PartialEq, Eq)]
struct State {
    generation: u64,
    surroundings: u64,
    rows: Option<String>,
}

thread_local! {
    /// The state in which this session has last found the definition good.
    static GOOD: RefCell<Option<State>> = const { RefCell::new(None) };
}

fn state() -> Result<State> {
    watch::receive();
    if WATCHED.get() != Some(watch::generation()) {
        look_up();
    }
    // Numbers first: rows that are read after them are at least as new.
    let (generation, surroundings) = (watch::generation(), watch::surroundings());
    let rows = owner::acting_as_owner(EXTENSION, || {
        spi::read_now(
            STAMP,
            &[EXTENSION.into(), tables().into(), functions().into()],
            |row| row.get::<String>(1),
        )
    })?;
    Ok(State {
        generation,
        surroundings,
        rows: rows.into_iter().next().flatten(),
    })
}

thread_local! {
    /// The generation for which what to watch was looked up.
    static WATCHED: Cell<Option<u64>> = const { Cell::new(None) };
    /// The generation up to which this transaction has left the definition good.
    static GOOD_AT: Cell<u64> = const { Cell::new(0) };
    /// The transaction of which that is said, by its beginning.
    static TRANSACTION: Cell<i64> = const { Cell::new(0) };
}

/// Before a command: from here on it is noticed when the definition is touched.
///
/// A definition that was touched before this transaction is not its business: a ledger that is in
/// disorder must not stop the work of others.
pub fn before_command() {
    if ddl::runs_script_of(c"confiture") {
        WATCHED.set(None);
        return;
    }
    watch::receive();
    if WATCHED.get() != Some(watch::generation()) {
        look_up();
    }
    let transaction = server::transaction_start();
    if TRANSACTION.replace(transaction) != transaction {
        GOOD_AT.set(watch::generation());
    }
}

/// After a command: an error if it has touched the definition and left it other than good.
/// `unnoticed` says whether it may have done so without a trace in the caches.
///
/// # Errors
/// 42501 naming what differs; as [`facts`].
pub fn after_command(unnoticed: &dyn Fn() -> bool) -> Result<()> {
    if ddl::runs_script_of(c"confiture") || ddl::is_binary_upgrade() {
        WATCHED.set(None);
        return Ok(());
    }
    if super::is_open() {
        return Ok(());
    }
    if WATCHED.get().is_none() {
        // The script has just run to its end, or nobody was asked before the command.
        look_up();
        GOOD_AT.set(watch::generation());
    }
    if watch::generation() == GOOD_AT.get() && !unnoticed() {
        return Ok(());
    }
    let differences = differences()?;
    if differences.is_empty() {
        GOOD_AT.set(watch::generation());
        return Ok(());
    }
    Err(
        Error::new(Kind::Permission, "the definition of the ledger is guarded")
            .with_detail(definition::sentences(&differences))
            .with_hint(
                "A superuser who must change it, for a restore with --disable-triggers or for a \
                 repair, calls confiture.disarm before and confiture.rearm afterwards.",
            ),
    )
}

/// Whether the command of the running event trigger is of a kind that changes the definition
/// without invalidating anything in the caches: members of the extension, what a table of ours
/// inherits from, a new function beside one of ours.
pub fn may_pass_unnoticed(fcinfo: FunctionCallInfo) -> bool {
    ddl::alters_extension(fcinfo, EXTENSION)
        || ddl::altered_table(fcinfo).is_some_and(watch::is_watched)
        || match ddl::made_function(fcinfo).as_slice() {
            [schema, name] => schema == EXTENSION && is_ours(name),
            [name] => is_ours(name),
            _ => false,
        }
}

fn is_ours(function: &str) -> bool {
    definition::FUNCTIONS.contains(&function)
}

/// Whether a table is one of the ledger, which it is as a member of the extension.
///
/// # Errors
/// As [`owner::acting_as_owner`].
pub fn is_of_ledger(table: Oid) -> Result<bool> {
    owner::acting_as_owner(EXTENSION, || {
        let found = spi::read_now(
            MEMBER,
            &[table.into(), EXTENSION.into(), tables().into()],
            |_| Ok(()),
        )?;
        Ok(!found.is_empty())
    })
}

/// The table that the command of the running event trigger is about to write anew.
///
/// # Errors
/// As [`spi::read`].
pub fn rewritten_table() -> Result<Option<Oid>> {
    let found = spi::read(
        "SELECT pg_catalog.pg_event_trigger_table_rewrite_oid()",
        &[],
        |row| row.get::<Oid>(1),
    )?;
    Ok(found.into_iter().next().flatten())
}

/// By name, as in the good definition: while it is good, these are the members of the extension.
fn look_up() {
    let relations = definition::relations();
    watch::watch(EXTENSION, &relations, &definition::FUNCTIONS);
    WATCHED.set(Some(watch::generation()));
}

/// Whether dropping these schemas would take the extension along: its own schema, or with CASCADE
/// the one its masks live in.
///
/// # Errors
/// As the interface.
pub fn lives_in_any(schemas: &[String], cascade: bool) -> Result<bool> {
    let schema = owner::fact(
        EXTENSION,
        "SELECT n.nspname::text FROM pg_catalog.pg_extension e
           JOIN pg_catalog.pg_namespace n ON n.oid = e.extnamespace
          WHERE e.extname = 'confiture'",
    )?;
    Ok(schemas
        .iter()
        .any(|name| name == EXTENSION || cascade && schema.as_ref() == Some(name)))
}

/// Whether one of these roles owns the extension.
///
/// # Errors
/// As the interface.
pub fn owned_by_any(roles: &[Oid]) -> Result<bool> {
    Ok(roles.contains(&owner::owner_of(EXTENSION)?))
}

/// Lets commands change the definition of the ledger, in every session, until [`rearm`]; on record.
///
/// # Errors
/// 22023 for a reason that says nothing; as [`store::append_anyway`].
pub fn disarm(reason: &str) -> Result<()> {
    const LONGEST: usize = 1000;
    if is_blank(reason) || reason.chars().count() > LONGEST {
        return Err(Error::new(
            Kind::InvalidParameter,
            format!("a reason has 1 to {LONGEST} characters"),
        ));
    }
    let found = differences()?;
    let armed: Vec<_> = commanders()
        .filter(|guard| !found.iter().any(|difference| is_off(difference, guard)))
        .collect();
    if armed.is_empty() {
        report::notice("the guards of the ledger are disarmed already");
        return Ok(());
    }
    if store::has_entries()? {
        let details = json!({"guards": "disarmed", "reason": reason, "differences": words(&found)});
        record(details)?;
    } else {
        report::notice("the ledger is empty, so there is nothing on record");
    }
    report::log("confiture ledger guards disarmed");
    owner::acting_as_owner(EXTENSION, || {
        open(|| {
            for guard in &armed {
                let name = ident::quote(&guard.name);
                spi::run(&format!("ALTER EVENT TRIGGER {name} DISABLE"), &[])?;
            }
            Ok(())
        })
    })
}

/// Has every guard fire always, makes sure that the definition is good, and puts that on record.
///
/// Without a key that signs it arms all the same, and warns: an armed ledger is worth more than a
/// line about it.
///
/// # Errors
/// 55000 when something differs that firing guards do not put right.
pub fn rearm() -> Result<()> {
    let before = differences()?;
    if before.is_empty() {
        report::notice("the guards of the ledger are armed already");
        return Ok(());
    }
    owner::acting_as_owner(EXTENSION, || {
        open(|| {
            for guard in definition::guards() {
                if before.iter().any(|difference| is_about(difference, &guard)) {
                    arm(&guard)?;
                }
            }
            Ok(())
        })
    })?;
    let left = differences()?;
    if !left.is_empty() {
        return Err(Error::new(
            Kind::NotReady,
            "the definition of the ledger is not the extension's",
        )
        .with_detail(definition::sentences(&left))
        .with_hint("Nothing was armed. See docs/guards.md, repairing."));
    }
    report::log("confiture ledger guards armed");
    let details = json!({"guards": "armed", "differences": words(&before)});
    if subxact::guarded(|| record(details)).is_err() {
        report::warning(
            "the guards are armed, and that is not on record",
            Some(
                "No entry could be written: see confiture.verify_ledger and confiture.key_status.",
            ),
        );
    }
    Ok(())
}

fn record(details: serde_json::Value) -> Result<()> {
    // Asked before anything is changed: a key that is out of reach stops the act.
    signing::store::signer()?;
    let facts = Facts {
        details: Some(details.into()),
        ..Facts::default()
    };
    store::append_anyway(Origin::Run, Event::Config, facts, None)?;
    Ok(())
}

fn arm(guard: &Guard) -> Result<()> {
    let name = ident::quote(&guard.name);
    let sql = match &guard.table {
        Some(table) => format!(
            "ALTER TABLE confiture.{} ENABLE ALWAYS TRIGGER {name}",
            ident::quote(table)
        ),
        None => format!("ALTER EVENT TRIGGER {name} ENABLE ALWAYS"),
    };
    spi::run(&sql, &[])?;
    Ok(())
}

/// The event triggers that guard the definition; the one before DROP EXTENSION stays.
fn commanders() -> impl Iterator<Item = Guard> {
    definition::guards()
        .into_iter()
        .filter(|guard| guard.table.is_none() && guard.name != "confiture_drop_guard")
}

fn can_be_armed(difference: &Difference) -> bool {
    matches!(difference.weight, Weight::Loose | Weight::Off)
}

fn is_about(difference: &Difference, guard: &Guard) -> bool {
    let object = match &guard.table {
        Some(table) => format!("trigger {} on {table} ", guard.name),
        None => format!("event trigger {} ", guard.name),
    };
    can_be_armed(difference) && difference.what.starts_with(&object)
}

fn is_off(difference: &Difference, guard: &Guard) -> bool {
    difference.weight == Weight::Off && is_about(difference, guard)
}

fn words(differences: &[Difference]) -> Vec<&str> {
    differences
        .iter()
        .map(|difference| difference.what.as_str())
        .collect()
}

fn tables() -> Vec<&'static str> {
    definition::TABLES.to_vec()
}

fn functions() -> Vec<&'static str> {
    definition::FUNCTIONS.to_vec()
}
