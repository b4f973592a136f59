//! Masked views as they are listed, and which relation each of them is.
//!
//! A relation is a listed view if it bears the name and states the number: a stranger that took the
//! name states nothing, and a copy of the definition bears another name.

use pgrx::pg_sys;

use crate::error::{Error, Kind, Result};
use crate::pg::rule::{self, Stated};
use crate::pg::scan::{Lookup, Table};
use crate::pg::{heap, owner, spi, user};
use crate::views::grants::Grant;

/// What a relation states as a masked view, with its number; `None` for any other.
pub fn stated(relation: pg_sys::Oid) -> Option<Stated> {
    rule::stated(relation).filter(|of| of.schema == "confiture" && of.function == "_mask_row")
}

/// The relation of that name, with what it states, if it is the view of that number.
pub fn found(schema: &str, name: &str, id: i32) -> Option<(pg_sys::Oid, Stated)> {
    let relation = heap::relation(schema, name)?;
    let stated = stated(relation).filter(|of| of.number == id)?;
    Some((relation, stated))
}

/// A masked view as it is listed.
pub struct Listed {
    /// Its number.
    pub id: i32,
    /// Its schema.
    pub schema: String,
    /// Its name.
    pub name: String,
    /// The schema of its table.
    pub source_schema: String,
    /// Its table.
    pub source_table: String,
    /// The profile that it masks by.
    pub profile_name: String,
    /// Whether it is filled once.
    pub is_materialized: bool,
    /// Whether it gets the grants of its table.
    pub carries_grants: bool,
    /// The grants that it has from there.
    pub carried: Vec<Grant>,
    /// What it was made of.
    pub definition: String,
    made_by: String,
}

impl Listed {
    /// The relation that it is; `None` where it is not there under its name.
    pub fn relation(&self) -> Option<pg_sys::Oid> {
        found(&self.schema, &self.name, self.id).map(|found| found.0)
    }

    /// Takes it off the list.
    ///
    /// # Errors
    /// As the interface.
    pub fn forget(&self) -> Result<()> {
        as_owner(|| {
            for table in ["masked_column WHERE view_id", "masked_view WHERE id"] {
                spi::run(
                    &format!("DELETE FROM ONLY confiture.{table} = $1"),
                    &[self.id.into()],
                )?;
            }
            Ok(())
        })
    }

    /// Takes one off the list that is not there under its name: it may bear another, and its readers
    /// are told then that it is none any more. That is for whoever made it to say.
    ///
    /// # Errors
    /// 42501 for others.
    pub fn give_up(&self) -> Result<()> {
        let maker = user::number(&self.made_by);
        if maker.is_none_or(|maker| user::has_rights_of(user::current(), maker)) {
            return self.forget();
        }
        Err(Error::new(
            Kind::Permission,
            format!(
                "masked view \"{}.{}\" is not there under that name, and belongs to others",
                self.schema, self.name
            ),
        )
        .with_detail(format!("It was made by role \"{}\".", self.made_by))
        .with_hint("Ask that role, or a superuser."))
    }
}

/// The masked views of a schema, of one profile or of all.
///
/// # Errors
/// As the interface.
pub fn of(schema: &str, profile: Option<&str>) -> Result<Vec<Listed>> {
    as_owner(|| {
        spi::rows(
            "SELECT id, view_name, source_schema, source_table, profile_name, is_materialized,
                    carries_grants, carried::pg_catalog.text, definition, made_by
               FROM ONLY confiture.masked_view
              WHERE schema_name = $1 AND ($2 IS NULL OR profile_name = $2) ORDER BY id",
            &[schema.into(), profile.into()],
            |row| {
                Ok(Listed {
                    id: row.required(1)?,
                    schema: schema.to_owned(),
                    name: row.required(2)?,
                    source_schema: row.required(3)?,
                    source_table: row.required(4)?,
                    profile_name: row.required(5)?,
                    is_materialized: row.required(6)?,
                    carries_grants: row.required(7)?,
                    carried: Grant::read(&row.required::<String>(8)?)?,
                    definition: row.required(9)?,
                    made_by: row.required(10)?,
                })
            },
        )
    })
}

const LISTED: Lookup = Lookup {
    schema: c"confiture",
    table: c"masked_view",
    index: None,
    columns: &["id"],
};

/// Whether any is listed: no query, since every command asks.
///
/// # Errors
/// As [`Table::open`].
pub fn is_awake() -> Result<bool> {
    let listed = Table::open(&LISTED, None)?.find(&[], |_, _| Ok(()))?;
    Ok(!listed.is_empty())
}

/// Takes those off the list that the command of the running event trigger has dropped.
///
/// # Errors
/// As the interface.
pub fn forget_dropped() -> Result<()> {
    as_owner(|| {
        spi::run(
            "WITH gone AS (
               DELETE FROM ONLY confiture.masked_view v
                USING pg_catalog.pg_event_trigger_dropped_objects() d
                WHERE d.object_type = ANY (ARRAY['view', 'materialized view'])
                  AND d.schema_name = v.schema_name AND d.object_name = v.view_name
               RETURNING v.id)
             DELETE FROM ONLY confiture.masked_column c USING gone g WHERE c.view_id = g.id",
            &[],
        )?;
        Ok(())
    })
}

/// Has the list follow those that the command of the running event trigger has renamed or moved, by
/// themselves or with their schema.
///
/// # Errors
/// As the interface.
pub fn follow() -> Result<()> {
    as_owner(|| {
        let touched = spi::rows(TOUCHED, &[], |row| {
            Ok((
                row.required::<pg_sys::Oid>(1)?,
                row.required::<String>(2)?,
                row.required::<String>(3)?,
            ))
        })?;
        for (relation, schema, name) in touched {
            if let Some(stated) = stated(relation) {
                renamed(stated.number, &schema, &name)?;
            }
        }
        Ok(())
    })
}

const TOUCHED: &str = "
    SELECT c.oid, n.nspname::text, c.relname::text
      FROM pg_catalog.pg_event_trigger_ddl_commands() d
      JOIN pg_catalog.pg_class c
        ON d.classid = 'pg_catalog.pg_class'::pg_catalog.regclass AND c.oid = d.objid
        OR d.classid = 'pg_catalog.pg_namespace'::pg_catalog.regclass AND c.relnamespace = d.objid
           AND EXISTS (SELECT FROM ONLY confiture.masked_view v WHERE v.view_name = c.relname)
      JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
     WHERE c.relkind = ANY (ARRAY['v', 'm']::pg_catalog.\"char\"[])";

fn renamed(id: i32, schema: &str, name: &str) -> Result<()> {
    let listed = spi::rows(
        "SELECT schema_name, view_name FROM ONLY confiture.masked_view WHERE id = $1",
        &[id.into()],
        |row| Ok((row.required::<String>(1)?, row.required::<String>(2)?)),
    )?;
    let is_copy = |(schema, name): &(String, String)| found(schema, name, id).is_some();
    // One that is where it was is the view, and this a copy of its definition, or nothing was renamed.
    if listed.first().is_none_or(is_copy) {
        return Ok(());
    }
    // What is listed under the name that was free until now has gone unnoticed.
    spi::run(
        "WITH gone AS (
           DELETE FROM ONLY confiture.masked_view WHERE schema_name = $1 AND view_name = $2
           RETURNING id)
         DELETE FROM ONLY confiture.masked_column c USING gone g WHERE c.view_id = g.id",
        &[schema.into(), name.into()],
    )?;
    spi::run(
        "UPDATE ONLY confiture.masked_view SET schema_name = $2, view_name = $3 WHERE id = $1",
        &[id.into(), schema.into(), name.into()],
    )?;
    Ok(())
}

fn as_owner<T>(work: impl FnOnce() -> Result<T>) -> Result<T> {
    owner::acting_as_owner("confiture", work)
}
