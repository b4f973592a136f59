//! Masked views made, made anew and dropped, with the rights of the caller.

use pgrx::pg_sys;
use serde_json::json;

use super::checks;
use super::definition::Shape;
use super::list::store as list;
use super::list::store::Listed;
use super::making::store::{Made, View, kind};
use super::options::Options;
use super::unfit;
use crate::custody;
use crate::error::{Error, Kind, Result};
use crate::keys::{self, SALT_PREFIX};
use crate::ledger::beginning;
use crate::ledger::entry::{Event, Facts};
use crate::ledger::store as ledger;
use crate::pg::{heap, ident, report, spi};
use crate::profile::{self, Profile};
use crate::sync::plan::{Plan, TablePlan};
use crate::sync::planner::first;
use crate::sync::request::{self, Planned};

/// Makes the masked views of a profile, or makes them anew; those that the profile does not ask for
/// any more are dropped.
///
/// # Errors
/// Everything that is wrong: nothing is changed then.
pub fn create(profile: &str, source: &str, target: &str, options: &Options) -> Result<Vec<Made>> {
    // First of all, for the order of locks.
    let is_recorded = beginning::store::must_record()?;
    let profile = profile::store::pick(profile, options.version.as_deref())?;
    let planned = request::pinned(|| request::plan_for_reading(source, &profile))?;
    for note in &planned.plan.notes {
        report::notice(&note.message);
    }
    let key = if planned.plan.needs_key() {
        let key = profile::store::masking_key(&profile, true)?;
        Some((key.name.to_string(), key.version))
    } else {
        None
    };
    let salts = salts(&planned.plan, &profile)?;
    let made = request::pinned(|| {
        let shapes = fitting(&planned, &profile, options)?;
        make_schema(source, target)?;
        let mut made = Vec::new();
        for (table, shapes) in planned.plan.tables.iter().zip(&shapes) {
            let view = View {
                target,
                table,
                shapes,
                side: &planned.source,
                profile: &profile,
                key: key.as_ref(),
                salts: &salts,
                options,
            };
            made.push(view.make()?);
        }
        let wanted: Vec<String> = made.iter().map(|view| view.name.clone()).collect();
        for old in list::of(target, Some(&profile.name))? {
            if old.source_schema == source && !wanted.contains(&old.name) {
                drop_one(&old, false)?;
                report::notice(&format!("masked view \"{target}.{}\" is dropped", old.name));
            }
        }
        Ok(made)
    })?;
    if is_recorded {
        let names: Vec<_> = made.iter().map(|view| view.name.as_str()).collect();
        let facts = Facts {
            source_schema: Some(source.to_owned()),
            target_schema: Some(target.to_owned()),
            profile_name: Some(profile.name.clone()),
            profile_version: Some(profile.version.clone()),
            profile_hash: Some(profile.profile_hash().to_vec()),
            details: Some(json!({"views": names, "materialized": options.materialized}).into()),
            ..Facts::default()
        };
        ledger::append(Event::ViewsCreated, facts)?;
    }
    Ok(made)
}

/// Makes the views of a schema anew by the newest versions of their profiles, and fills those anew
/// that are materialized.
///
/// # Errors
/// As [`create`]; 42704 where there are none.
pub fn refresh(target: &str, profile: Option<&str>) -> Result<Vec<Made>> {
    let asked = groups(&list::of(target, profile)?);
    if asked.is_empty() {
        return Err(none_there(target));
    }
    let mut made = Vec::new();
    for (profile, source, options) in asked {
        made.extend(create(&profile, &source, target, &options)?);
    }
    Ok(made)
}

/// What to ask for so that these views are made anew: profile, source and options of each call.
pub fn groups(views: &[Listed]) -> Vec<(String, String, Options)> {
    let mut asked = Vec::new();
    for view in views {
        let options = Options {
            grants: view.carries_grants,
            materialized: view.is_materialized,
            version: None,
        };
        let one = (
            view.profile_name.clone(),
            view.source_schema.clone(),
            options,
        );
        if !asked.contains(&one) {
            asked.push(one);
        }
    }
    asked
}

/// Drops the masked views of a schema, of one profile or of all; with `cascade` what depends on them
/// goes too. Returns their names.
///
/// # Errors
/// 42704 where there are none; 42501 for one of others that is not there under its name; as DROP
/// VIEW.
pub fn drop_views(target: &str, profile: Option<&str>, cascade: bool) -> Result<Vec<String>> {
    let is_recorded = beginning::store::must_record()?;
    let views = list::of(target, profile)?;
    if views.is_empty() {
        return Err(none_there(target));
    }
    for view in &views {
        drop_one(view, cascade)?;
    }
    let names: Vec<String> = views.into_iter().map(|view| view.name).collect();
    if is_recorded {
        let facts = Facts {
            target_schema: Some(target.to_owned()),
            profile_name: profile.map(str::to_owned),
            details: Some(json!({"views": names}).into()),
            ..Facts::default()
        };
        ledger::append(Event::ViewsDropped, facts)?;
    }
    Ok(names)
}

fn none_there(target: &str) -> Error {
    Error::new(
        Kind::UndefinedObject,
        format!("schema \"{target}\" has no such masked views"),
    )
    .with_hint("See confiture.masked_views; make some with confiture.create_masked_views.")
}

fn drop_one(view: &Listed, cascade: bool) -> Result<()> {
    let Some(relation) = view.relation() else {
        return view.give_up();
    };
    let kind = kind(heap::kind(relation) == 'm');
    let name = ident::qualified(&view.schema, &view.name);
    let rest = if cascade { " CASCADE" } else { "" };
    spi::run(&format!("DROP {kind} {name}{rest}"), &[])?;
    view.forget()
}

/// The columns of every table, where each can have a view.
fn fitting(planned: &Planned, profile: &Profile, options: &Options) -> Result<Vec<Vec<Shape>>> {
    let side = &planned.source;
    let mut found = Vec::new();
    let mut problems = Vec::new();
    let checked = match options.materialized {
        // They run once, for the owner of the view.
        true => Vec::new(),
        false => checks::store::of(&side.types)?,
    };
    for table in &planned.plan.tables {
        let shapes = shapes(table)?;
        problems.extend(unfit::problems(table, &shapes, side, options.materialized));
        problems.extend(unfit::uncharged(table, profile));
        if !options.materialized {
            problems.extend(checks::problems(table, &shapes, side, &checked));
        }
        found.push(shapes);
    }
    if options.materialized {
        request::trust_types(side, &mut problems)?;
    }
    first(problems)?;
    // Types of others take part in that.
    request::check_constants(planned)?;
    Ok(found)
}

fn shapes(table: &TablePlan) -> Result<Vec<Shape>> {
    spi::rows(
        "SELECT pg_catalog.format_type(a.atttypid, a.atttypmod),
                CASE WHEN a.attgenerated <> ''::\"char\" THEN pg_catalog.pg_get_expr(d.adbin, d.adrelid) END,
                NOT EXISTS (SELECT FROM pg_catalog.pg_depend e
                             WHERE e.classid = 'pg_catalog.pg_attrdef'::pg_catalog.regclass
                               AND e.objid = d.oid
                               AND (e.refclassid <> 'pg_catalog.pg_class'::pg_catalog.regclass
                                    OR e.refobjid <> a.attrelid))
           FROM pg_catalog.pg_attribute a
           LEFT JOIN pg_catalog.pg_attrdef d ON d.adrelid = a.attrelid AND d.adnum = a.attnum
          WHERE a.attrelid = $1 AND a.attnum > 0 AND NOT a.attisdropped ORDER BY a.attnum",
        &[pg_sys::Oid::from(table.source.oid).into()],
        |row| {
            Ok(Shape {
                type_name: row.required(1)?,
                expression: row.get(2)?,
                is_plain: row.required(3)?,
            })
        },
    )
}

/// The salts of the masked columns, with the versions in use now: table, column, name, version. A
/// column's own salt is made when it is first needed.
///
/// # Errors
/// As the keys.
pub fn salts(plan: &Plan, profile: &Profile) -> Result<Vec<(String, String, String, i32)>> {
    let mut salts = Vec::new();
    for mask in plan.masks(&profile.name) {
        let Some((name, version)) = mask.salt else {
            continue;
        };
        let salt = mask.strategy.salt();
        if salt.is_some_and(|salt| salt.name.is_empty()) && version.is_none() {
            custody::store::ensure(&format!("{SALT_PREFIX}{name}"))?;
        }
        let (_, version) = keys::store::salt_now(&name, version)?;
        salts.push((mask.place.table, mask.place.column, name, version));
    }
    Ok(salts)
}

fn make_schema(source: &str, target: &str) -> Result<()> {
    if target.starts_with("pg_") || ["information_schema", "confiture"].contains(&target) {
        return Err(Error::new(
            Kind::InvalidParameter,
            format!("schema \"{target}\" cannot hold masked views"),
        ));
    }
    if source == target {
        return Err(Error::new(
            Kind::InvalidParameter,
            "source and target are the same schema",
        ));
    }
    let is_there = spi::one::<bool>(
        "SELECT EXISTS (SELECT FROM pg_catalog.pg_namespace n WHERE n.nspname = $1)",
        &[target.into()],
    )?;
    if is_there != Some(true) {
        ident::check_schema(target)?;
        spi::run(&format!("CREATE SCHEMA {}", ident::quote(target)), &[])?;
    }
    Ok(())
}
