//! The masking of what subscriptions bring, set up and taken away with the rights of the caller.

use pgrx::pg_sys;
use serde_json::json;

use super::TRIGGER;
use super::registry::store as registry;
use super::registry::store::{Column, Listed, Replicated};
use super::state::store as state;
use super::state::{Code, Problem};
use super::unfit;
use crate::error::{Error, Kind, Result};
use crate::ledger::beginning;
use crate::ledger::entry::{Event, Facts};
use crate::ledger::store as ledger;
use crate::pg::{heap, ident, report, server, spi, user};
use crate::profile::{self, Profile};
use crate::strategies::ValueType;
use crate::sync::fit::How;
use crate::sync::plan::{ColumnPlan, Decision, TablePlan};
use crate::sync::planner::first;
use crate::sync::request::{self, Planned};
use crate::sync::statement;
use crate::views::store::salts;

/// What became of a table.
pub struct Made {
    /// Its name.
    pub table: String,
    /// `masked`, or `masked anew`.
    pub action: &'static str,
    /// How many of its columns are masked.
    pub columns: usize,
}

/// Has what subscriptions bring to the tables of a profile, in a schema, masked before it is stored.
///
/// # Errors
/// Everything that is wrong: nothing is changed then.
pub fn mask(profile: &str, target: &str, version: Option<&str>) -> Result<Vec<Made>> {
    // First of all, for the order of locks.
    let is_recorded = beginning::store::must_record()?;
    let profile = profile::store::pick(profile, version)?;
    let planned = request::pinned(|| request::plan_for_reading(target, &profile))?;
    for note in &planned.plan.notes {
        report::notice(&note.message);
    }
    fitting(&planned)?;
    let key = match planned.plan.needs_key() {
        true => {
            let key = profile::store::masking_key(&profile, true)?;
            Some((key.name.to_string(), key.version))
        }
        false => None,
    };
    let salts = salts(&planned.plan, &profile)?;
    registry::lock()?;
    let before = registry::of(target, None)?;
    let mut made = Vec::new();
    let mut late = Vec::new();
    for table in &planned.plan.tables {
        let name = &table.source.name;
        let there = before.iter().find(|of| of.table == *name);
        if let Some(other) = there.filter(|of| of.profile != profile.name) {
            return Err(Error::new(
                Kind::DuplicateObject,
                format!(
                    "replication of table {} is masked by profile \"{}\"",
                    table.source.shown(),
                    other.profile
                ),
            )
            .with_hint("Call confiture.unmask_replication for that profile first."));
        }
        if there.is_none() && !state::subscriptions(target, name)?.is_empty() {
            late.push(table.source.shown());
        }
        let of = replicated(table, &planned, &profile, key.clone(), &salts)?;
        let columns = of
            .columns
            .iter()
            .filter(|column| column.decision == "masked");
        made.push(Made {
            table: name.clone(),
            action: if there.is_some() {
                "masked anew"
            } else {
                "masked"
            },
            columns: columns.count(),
        });
        request::pinned(|| state::setting_up(|| arm(&of)))?;
    }
    let (refused, unmasked): (Vec<_>, Vec<_>) = state::problems(Some(target))?
        .into_iter()
        .filter(Problem::is_refused)
        .partition(|problem| problem.code != Code::Unmasked);
    first(refused.iter().map(Problem::error).collect())?;
    for problem in unmasked {
        report::warning(&problem.fact(), Some(&problem.remedy()));
    }
    if !late.is_empty() {
        report::warning(
            &format!(
                "rows that subscriptions have brought before are not masked: {}",
                late.join(", ")
            ),
            Some("Empty these tables, and have the subscription copy them again."),
        );
    }
    if server::version_num() >= 180_000 {
        report::warning(
            "the server logs conflicts with the rows that were sent, before they are masked",
            Some(
                "Let the role that owns the subscription log nothing below log_min_messages = fatal, or keep \
                 the log where raw rows may be.",
            ),
        );
    }
    if is_recorded {
        let names: Vec<_> = made.iter().map(|of| of.table.as_str()).collect();
        let facts = Facts {
            target_schema: Some(target.to_owned()),
            profile_name: Some(profile.name.clone()),
            profile_version: Some(profile.version.clone()),
            profile_hash: Some(profile.profile_hash().to_vec()),
            details: Some(json!({"tables": names}).into()),
            ..Facts::default()
        };
        ledger::append(Event::ReplicationMasked, facts)?;
    }
    Ok(made)
}

/// Everything that a plan has and no row that arrives can have.
fn fitting(planned: &Planned) -> Result<()> {
    let side = &planned.source;
    let tables = planned.plan.tables.iter();
    let mut problems: Vec<_> = tables
        .flat_map(|table| unfit::problems(table, side))
        .collect();
    request::pinned(|| {
        request::trust_types(side, &mut problems)?;
        first(problems)?;
        // Types of others take part in that.
        request::check_constants(planned)
    })
}

/// A table as it is written down.
fn replicated(
    table: &TablePlan,
    planned: &Planned,
    profile: &Profile,
    key: Option<(String, i32)>,
    salts: &[(String, String, String, i32)],
) -> Result<Replicated> {
    let (plan, source) = (&planned.plan, &table.source);
    let masks = plan.masks(&profile.name);
    let number = |column: &str| {
        masks
            .iter()
            .position(|mask| mask.place.table == source.name && mask.place.column == column)
    };
    let written = statement::written(plan, table, &planned.source);
    let types = request::pinned(|| types(source.oid))?;
    let mut columns = Vec::new();
    for (column, expression) in table.columns.iter().zip(written) {
        let of = types.iter().find(|(name, _)| *name == column.name);
        let (_, type_name) = of.ok_or_else(|| {
            Error::new(Kind::NotReady, "the table has changed meanwhile").with_hint("Call again.")
        })?;
        let salt = salts
            .iter()
            .find(|salt| salt.0 == source.name && salt.1 == column.name);
        let (mask, inputs) = match called(column) {
            Some((of, inputs)) => (number(&column.name).map(|number| (number, of)), inputs),
            None => (None, Vec::new()),
        };
        let is_masked = matches!(column.decision, Decision::Masked(_));
        columns.push(Column {
            name: column.name.clone(),
            type_name: type_name.clone(),
            decision: column.decision.name().to_owned(),
            expression: expression.filter(|_| is_masked),
            inputs,
            mask,
            salt: salt.map(|salt| (salt.2.clone(), salt.3)),
        });
    }
    Ok(Replicated {
        id: None,
        schema: source.schema.clone(),
        table: source.name.clone(),
        profile: profile.name.clone(),
        version: profile.version.clone(),
        hash: profile.profile_hash().to_vec(),
        key,
        columns,
    })
}

/// What the mask of a column takes, and the other columns that it reads.
fn called(column: &ColumnPlan) -> Option<(ValueType, Vec<String>)> {
    let Decision::Masked(masked) = &column.decision else {
        return None;
    };
    let How::Mask(call) = &masked.how else {
        return None;
    };
    let inputs = call.inputs.iter().flat_map(|input| input.columns.clone());
    Some((call.of, inputs.collect()))
}

/// The columns of a table with their types, as they are compared later.
fn types(table: u32) -> Result<Vec<(String, String)>> {
    spi::rows(
        "SELECT a.attname::text, pg_catalog.format_type(a.atttypid, a.atttypmod)
           FROM pg_catalog.pg_attribute a
          WHERE a.attrelid = $1 AND a.attnum > 0 AND NOT a.attisdropped",
        &[pg_sys::Oid::from(table).into()],
        |row| Ok((row.required(1)?, row.required(2)?)),
    )
}

/// Makes the trigger of a table, in place of the one that is there.
fn arm(of: &Replicated) -> Result<()> {
    let table = ident::qualified(&of.schema, &of.table);
    let relation = heap::hold(&of.schema, &of.table).ok_or_else(|| {
        Error::new(
            Kind::UndefinedTable,
            format!("table \"{}.{}\" does not exist", of.schema, of.table),
        )
    })?;
    if !drop_trigger(relation, &table)? {
        return Err(Error::new(
            Kind::DuplicateObject,
            format!(
                "trigger \"{TRIGGER}\" of table \"{}.{}\" already exists",
                of.schema, of.table
            ),
        )
        .with_detail("It is none of this extension.")
        .with_hint("Rename or drop it."));
    }
    let id = of.register()?;
    // Of a partitioned table, rows that move are deleted in one partition and inserted in another.
    let acts = match heap::kind(relation) {
        'p' => "INSERT OR UPDATE OR DELETE",
        _ => "INSERT OR UPDATE",
    };
    spi::run(
        &format!(
            "CREATE TRIGGER {TRIGGER} BEFORE {acts} ON {table} FOR EACH ROW
               EXECUTE FUNCTION confiture._mask_replicated('{id}')"
        ),
        &[],
    )?;
    // For who applies changes of elsewhere: a run that writes here masks by itself.
    spi::run(
        &format!("ALTER TABLE {table} ENABLE REPLICA TRIGGER {TRIGGER}"),
        &[],
    )?;
    Ok(())
}

/// Drops the trigger of a table, if there is one; whether none of that name is left.
fn drop_trigger(relation: pg_sys::Oid, table: &str) -> Result<bool> {
    let ours = spi::rows(
        "SELECT g.tgfoid = 'confiture._mask_replicated()'::pg_catalog.regprocedure
           FROM pg_catalog.pg_trigger g WHERE g.tgrelid = $1 AND g.tgname = $2",
        &[relation.into(), TRIGGER.into()],
        |row| row.required::<bool>(1),
    )?;
    if ours.contains(&true) {
        spi::run(&format!("DROP TRIGGER {TRIGGER} ON {table}"), &[])?;
    }
    Ok(!ours.contains(&false))
}

/// Drops the trigger, for who owns the table; where that has gone, for who set it up.
fn disarm(target: &str, of: &Listed) -> Result<()> {
    let (role, whose) = match heap::hold(target, &of.table) {
        Some(relation) => {
            let owner = heap::owner(relation);
            if user::has_rights_of(user::current(), owner) {
                drop_trigger(relation, &ident::qualified(target, &of.table))?;
            }
            (Some(owner), "owner of")
        }
        None => (user::number(&of.made_by), "who masked"),
    };
    if role.is_none_or(|role| user::has_rights_of(user::current(), role)) {
        return Ok(());
    }
    Err(Error::new(
        Kind::Permission,
        format!("must be {whose} table \"{target}.{}\"", of.table),
    ))
}

/// Takes the masking away, of the tables of one profile or of all. Returns their names.
///
/// # Errors
/// 42704 where there are none; 55000 while a subscription brings rows there.
pub fn unmask(target: &str, profile: Option<&str>) -> Result<Vec<String>> {
    let is_recorded = beginning::store::must_record()?;
    registry::lock()?;
    let tables = registry::of(target, profile)?;
    if tables.is_empty() {
        return Err(Error::new(
            Kind::UndefinedObject,
            format!("schema \"{target}\" has no tables whose replication is masked"),
        )
        .with_hint("See confiture.masked_replication."));
    }
    for of in &tables {
        if let Some(name) = state::subscriptions(target, &of.table)?.first() {
            return Err(Error::new(
                Kind::NotReady,
                format!(
                    "subscription \"{name}\" brings rows to table \"{target}.{}\"",
                    of.table
                ),
            )
            .with_detail("They would be stored unmasked.")
            .with_hint(
                "Drop the subscription, or have its publication leave the table out, first.",
            ));
        }
    }
    request::pinned(|| {
        state::setting_up(|| {
            for of in &tables {
                disarm(target, of)?;
                registry::forget(of.id)?;
            }
            Ok(())
        })
    })?;
    let names: Vec<String> = tables.into_iter().map(|of| of.table).collect();
    if is_recorded {
        let facts = Facts {
            target_schema: Some(target.to_owned()),
            profile_name: profile.map(str::to_owned),
            details: Some(json!({"tables": names}).into()),
            ..Facts::default()
        };
        ledger::append(Event::ReplicationUnmasked, facts)?;
    }
    Ok(names)
}
