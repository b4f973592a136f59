//! One view: registered, made, described, with the rights of the caller.

use pgrx::pg_sys;

use crate::error::{Error, Kind, Result};
use crate::pg::{heap, ident, owner, spi, user};
use crate::profile::Profile;
use crate::sync::facts::Side;
use crate::sync::plan::TablePlan;
use crate::views::definition::{self, Definition, Shape};
use crate::views::grants::store as grants;
use crate::views::options::Options;

/// What became of a view.
pub struct Made {
    /// Its name.
    pub name: String,
    /// `created`, `replaced` or `refreshed`.
    pub action: &'static str,
    /// How many of its columns are masked.
    pub masked: usize,
}

/// The word for it in a statement.
pub fn kind(is_materialized: bool) -> &'static str {
    match is_materialized {
        true => "MATERIALIZED VIEW",
        false => "VIEW",
    }
}

/// A view to be made.
pub struct View<'a> {
    /// The schema it is made in.
    pub target: &'a str,
    /// Its table, as planned.
    pub table: &'a TablePlan,
    /// The columns of the table.
    pub shapes: &'a [Shape],
    /// The schema of the table.
    pub side: &'a Side,
    /// What it masks by.
    pub profile: &'a Profile,
    /// Name and version of the masking key, where a mask needs it.
    pub key: Option<&'a (String, i32)>,
    /// Salts: table, column, name, version.
    pub salts: &'a [(String, String, String, i32)],
    /// What was asked for.
    pub options: &'a Options,
}

impl View<'_> {
    /// Makes it, or makes it anew where it is.
    ///
    /// # Errors
    /// 42710 where a relation of that name is no masked view; as the statements.
    pub fn make(&self) -> Result<Made> {
        let name = &self.table.source.name;
        let shown = ident::qualified(self.target, name);
        let is_once = self.options.materialized;
        let mut action = "created";
        let mut kept = Vec::new();
        if let Some(there) = heap::relation(self.target, name) {
            let (id, definition) = self.former()?;
            let was_once = heap::kind(there) == 'm';
            let stays = was_once == is_once
                && match is_once {
                    true => self.select(id) == definition,
                    false => self.is_alike(there)?,
                };
            action = match (stays, is_once) {
                (true, true) => "refreshed",
                _ => "replaced",
            };
            if !stays {
                kept = grants::of(there)?;
                spi::run(&format!("DROP {} {shown}", kind(was_once)), &[])?;
            }
        }
        let id = self.register()?;
        let select = self.select(id);
        self.note(id, &select)?;
        let make = match (action, is_once) {
            ("refreshed", _) => format!("REFRESH MATERIALIZED VIEW {shown}"),
            (_, true) => definition::create_materialized(self.target, name, &select),
            (_, false) => definition::create_view(self.target, name, &select),
        };
        spi::run(&make, &[])?;
        grants::give(&shown, &kept, self.table)?;
        self.describe(&shown)?;
        if self.options.grants {
            let given = grants::of(pg_sys::Oid::from(self.table.source.oid))?;
            grants::give(&shown, &given, self.table)?;
            grants::open_schema(self.target, &given)?;
        }
        Ok(Made {
            name: name.clone(),
            action,
            masked: definition::masked(self.table).len(),
        })
    }

    fn select(&self, id: i32) -> String {
        Definition {
            id,
            table: self.table,
            shapes: self.shapes,
            side: self.side,
            is_materialized: self.options.materialized,
        }
        .select()
    }

    fn describe(&self, shown: &str) -> Result<()> {
        let source = &self.table.source;
        let comment = format!(
            "Masked view of {}.{} by profile {} version {}",
            source.schema, source.name, self.profile.name, self.profile.version
        );
        let kind = kind(self.options.materialized);
        let comment = ident::literal(&comment);
        spi::run(&format!("COMMENT ON {kind} {shown} IS {comment}"), &[])?;
        Ok(())
    }

    /// Number and text of the view that is there, which must be one of ours.
    fn former(&self) -> Result<(i32, String)> {
        let name = &self.table.source.name;
        let found = as_owner(|| {
            spi::rows(
                "SELECT id, definition FROM ONLY confiture.masked_view
                  WHERE schema_name = $1 AND view_name = $2",
                &[self.target.into(), name.as_str().into()],
                |row| Ok((row.required(1)?, row.required(2)?)),
            )
        })?;
        found.into_iter().next().ok_or_else(|| {
            Error::new(
                Kind::DuplicateObject,
                format!("relation \"{}.{name}\" already exists", self.target),
            )
            .with_detail("It is no masked view.")
            .with_hint("Choose another target schema, or drop it.")
        })
    }

    /// Whether the view has the columns that the table has, and perhaps lacks the last ones: then
    /// what depends on it stays.
    fn is_alike(&self, view: pg_sys::Oid) -> Result<bool> {
        let alike = spi::one::<bool>(
            "WITH mine AS (
               SELECT a.attrelid, a.attname, a.atttypid, a.atttypmod, a.attcollation,
                      pg_catalog.row_number() OVER (PARTITION BY a.attrelid ORDER BY a.attnum) AS n
                 FROM pg_catalog.pg_attribute a
                WHERE a.attrelid = ANY (ARRAY[$1, $2]) AND a.attnum > 0 AND NOT a.attisdropped)
             SELECT NOT EXISTS (
               SELECT FROM mine v
                WHERE v.attrelid = $1 AND NOT EXISTS (
                  SELECT FROM mine t WHERE t.attrelid = $2 AND t.n = v.n AND t.attname = v.attname
                     AND t.atttypid = v.atttypid AND t.atttypmod = v.atttypmod
                     AND t.attcollation = v.attcollation))",
            &[view.into(), pg_sys::Oid::from(self.table.source.oid).into()],
        )?;
        Ok(alike == Some(true))
    }

    /// Registers the view and its masked columns; the number it has, or gets.
    fn register(&self) -> Result<i32> {
        let source = &self.table.source;
        let masked = definition::masked(self.table);
        let salt = |column: &str| {
            let is_it =
                |salt: &&(String, String, String, i32)| salt.0 == source.name && salt.1 == column;
            self.salts.iter().find(is_it)
        };
        as_owner(|| {
            let id = spi::one::<i32>(
                "INSERT INTO confiture.masked_view
                        (schema_name, view_name, source_schema, source_table, is_materialized,
                         carries_grants, profile_name, profile_version, profile_hash, key_name,
                         key_version, definition, made_by)
                 VALUES ($1, $2, $3, $2, $4, $5, $6, $7, $8, $9, $10, '', $11)
                 ON CONFLICT (schema_name, view_name) DO UPDATE
                    SET source_schema = excluded.source_schema, source_table = excluded.source_table,
                        is_materialized = excluded.is_materialized,
                        carries_grants = excluded.carries_grants,
                        profile_name = excluded.profile_name,
                        profile_version = excluded.profile_version,
                        profile_hash = excluded.profile_hash, key_name = excluded.key_name,
                        key_version = excluded.key_version, made_by = excluded.made_by,
                        made_at = excluded.made_at
                 RETURNING id",
                &[
                    self.target.into(),
                    source.name.as_str().into(),
                    source.schema.as_str().into(),
                    self.options.materialized.into(),
                    self.options.grants.into(),
                    self.profile.name.as_str().into(),
                    self.profile.version.as_str().into(),
                    self.profile.profile_hash().to_vec().into(),
                    self.key.map(|(name, _)| name.as_str()).into(),
                    self.key.map(|(_, version)| *version).into(),
                    user::name(user::caller()).into(),
                ],
            )?
            .ok_or_else(|| Error::new(Kind::Internal, "a masked view was not registered"))?;
            spi::run(
                "DELETE FROM ONLY confiture.masked_column WHERE view_id = $1",
                &[id.into()],
            )?;
            for (number, name, of) in masked {
                let salt = salt(name);
                spi::run(
                    "INSERT INTO confiture.masked_column
                            (view_id, number, column_name, strategy, salt_name, salt_version)
                     VALUES ($1, $2, $3, $4, $5, $6)",
                    &[
                        id.into(),
                        number.into(),
                        name.into(),
                        of.strategy.kind().name().into(),
                        salt.map(|salt| salt.2.as_str()).into(),
                        salt.map(|salt| salt.3).into(),
                    ],
                )?;
            }
            Ok(id)
        })
    }

    fn note(&self, id: i32, select: &str) -> Result<()> {
        as_owner(|| {
            spi::run(
                "UPDATE ONLY confiture.masked_view SET definition = $2 WHERE id = $1",
                &[id.into(), select.into()],
            )?;
            Ok(())
        })
    }
}

fn as_owner<T>(work: impl FnOnce() -> Result<T>) -> Result<T> {
    owner::acting_as_owner("confiture", work)
}
