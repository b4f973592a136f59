//! One view: registered, made, described, with the rights of the caller.

use pgrx::pg_sys;

use crate::error::{Error, Kind, Result};
use crate::pg::{heap, ident, owner, spi, user};
use crate::profile::Profile;
use crate::sync::facts::Side;
use crate::sync::plan::TablePlan;
use crate::views::definition::{self, Definition, Shape};
use crate::views::grants::store as grants;
use crate::views::grants::{Change, Grant};
use crate::views::list::store as list;
use crate::views::list::store::Listed;
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

/// The view that is there, to be made anew.
struct Former {
    listed: Listed,
    relation: pg_sys::Oid,
    owner: pg_sys::Oid,
}

impl View<'_> {
    /// Makes it, or makes it anew where it is, under the name that it has been given since.
    ///
    /// # Errors
    /// 42710 where a relation of that name is no masked view; 42501 for a view of others; as the
    /// statements.
    pub fn make(&self) -> Result<Made> {
        let Some(former) = self.former()? else {
            return self.make_new();
        };
        let (there, is_once) = (former.relation, self.options.materialized);
        let was_once = former.listed.is_materialized;
        let stays = was_once == is_once
            && match is_once {
                true => self.select(former.listed.id) == former.listed.definition,
                false => self.is_alike(there)?,
            };
        match stays {
            true => self.make_in_place(&former),
            false => self.make_again(&former),
        }
    }

    fn make_new(&self) -> Result<Made> {
        let name = &self.table.source.name;
        let id = self.register(None)?;
        self.create(name, id, None)?;
        let carried = self.regrant(name, &[], self.options.grants)?;
        self.finish(id, name, &carried, "created")
    }

    fn make_in_place(&self, former: &Former) -> Result<Made> {
        let Listed { id, name, .. } = &former.listed;
        let id = self.register(Some(*id))?;
        let action = match self.options.materialized {
            true => {
                let shown = ident::qualified(self.target, name);
                spi::run(&format!("REFRESH MATERIALIZED VIEW {shown}"), &[])?;
                "refreshed"
            }
            false => {
                self.create(name, id, None)?;
                "replaced"
            }
        };
        let carried = self.regrant(name, &former.listed.carried, self.options.grants)?;
        self.finish(id, name, &carried, action)
    }

    /// Makes it from nothing in place of one that cannot become it. Its grants are put back, and it
    /// belongs to whom it belonged: a stronger role's right to the table is nothing to its readers.
    fn make_again(&self, former: &Former) -> Result<Made> {
        let Listed { name, carried, .. } = &former.listed;
        let mut carried = self.regrant(name, carried, false)?;
        let had = grants::of(former.relation)?;
        let kind = kind(former.listed.is_materialized);
        let shown = ident::qualified(self.target, name);
        spi::run(&format!("DROP {kind} {shown}"), &[])?;
        // Its number is that of no other view, ever.
        former.listed.forget()?;
        let id = self.register(None)?;
        let owner = Some(former.owner).filter(|owner| *owner != user::current());
        self.create(name, id, owner)?;
        let had_still = had.iter().map(|(grant, _)| grant);
        grants::give(&shown, had_still.filter(|grant| self.has_column(grant)))?;
        // What others had passed on comes from the owner now.
        carried.retain(|of| had.iter().any(|(grant, by_owner)| grant == of && *by_owner));
        let carried = self.regrant(name, &carried, self.options.grants)?;
        self.finish(id, name, &carried, "replaced")
    }

    /// Runs the statement that makes it, for another owner than the caller where one is given.
    fn create(&self, name: &str, id: i32, owner: Option<pg_sys::Oid>) -> Result<()> {
        let (target, select) = (self.target, self.select(id));
        let is_once = self.options.materialized;
        spi::run(
            &match is_once {
                // What it holds is what its owner may read.
                true => definition::create_materialized(target, name, &select, owner.is_none()),
                false => definition::create_view(target, name, &select),
            },
            &[],
        )?;
        if let Some(owner) = owner {
            let (kind, shown) = (kind(is_once), ident::qualified(target, name));
            let owner = ident::quote(&user::name(owner));
            spi::run(&format!("ALTER {kind} {shown} OWNER TO {owner}"), &[])?;
            if is_once {
                spi::run(&format!("REFRESH MATERIALIZED VIEW {shown}"), &[])?;
            }
        }
        Ok(())
    }

    /// Takes back what the view was `carried` of the grants of its table that the table has no more,
    /// gives it the others where it `carries` them, and returns those that it has from there.
    fn regrant(&self, name: &str, carried: &[Grant], carries: bool) -> Result<Vec<Grant>> {
        let shown = ident::qualified(self.target, name);
        let Some(view) = heap::relation(self.target, name) else {
            return Err(Error::new(Kind::Internal, "a masked view was not made"));
        };
        let owner = user::name(heap::owner(view));
        let gives: Vec<_> = grants::of(pg_sys::Oid::from(self.table.source.oid))?
            .into_iter()
            .map(|(grant, _)| grant)
            .filter(|grant| grant.role.as_ref() != Some(&owner) && self.has_column(grant))
            .collect();
        let has: Vec<_> = grants::of(view)?
            .into_iter()
            .filter_map(|(grant, by_owner)| by_owner.then_some(grant))
            .collect();
        let change = Change::of(carried, &gives, &has, carries);
        grants::take(&shown, &change.take)?;
        grants::give(&shown, &change.give)?;
        if carries {
            grants::open_schema(self.target, &gives)?;
        }
        Ok(change.carried)
    }

    fn has_column(&self, grant: &Grant) -> bool {
        let is_there = |name: &String| self.table.columns.iter().any(|of| of.name == *name);
        grant.column.as_ref().is_none_or(is_there)
    }

    fn finish(&self, id: i32, name: &str, carried: &[Grant], action: &'static str) -> Result<Made> {
        self.note(id, carried)?;
        self.describe(&ident::qualified(self.target, name))?;
        Ok(Made {
            name: name.to_owned(),
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

    /// The view that is there, locked, which must be one of ours and the caller's.
    fn former(&self) -> Result<Option<Former>> {
        let mut before = self.there()?;
        loop {
            let Some((relation, _)) = before else {
                return Ok(None);
            };
            let owner = heap::owner(relation);
            if !user::has_rights_of(user::current(), owner) {
                let Some((_, listed)) = before else {
                    return Ok(None);
                };
                return Err(Error::new(
                    Kind::Permission,
                    format!(
                        "must be owner of masked view \"{}.{}\"",
                        self.target, listed.name
                    ),
                )
                .with_detail(format!("It belongs to role \"{}\".", user::name(owner)))
                .with_hint("Ask that role to make it anew, or a superuser."));
            }
            heap::lock_alone(relation);
            // Until then it could be renamed, dropped or made anew.
            let after = self.there()?;
            match after {
                Some((same, listed)) if same == relation => {
                    return Ok(Some(Former {
                        listed,
                        relation,
                        owner: heap::owner(relation),
                    }));
                }
                _ => before = after,
            }
        }
    }

    /// The view that is listed for the table, or under its name, and the relation that it is.
    fn there(&self) -> Result<Option<(pg_sys::Oid, Listed)>> {
        let source = &self.table.source;
        let mut listed = list::of(self.target, None)?;
        let is_of_it =
            |of: &Listed| of.source_schema == source.schema && of.source_table == source.name;
        let place = listed
            .iter()
            .position(is_of_it)
            .or_else(|| listed.iter().position(|of| of.name == source.name));
        let of = place.map(|place| listed.swap_remove(place));
        let name = of.as_ref().map_or(&source.name, |of| &of.name).clone();
        let Some(relation) = heap::relation(self.target, &name) else {
            return match of {
                // It went unnoticed.
                Some(of) => of.give_up().and_then(|()| self.there()),
                None => Ok(None),
            };
        };
        let is_here = |of: &Listed| of.relation() == Some(relation);
        let detail = match of {
            Some(of) if is_here(&of) && of.source_table == source.name => {
                return Ok(Some((relation, of)));
            }
            Some(of) if is_here(&of) => format!(
                "It is the masked view of table \"{}.{}\".",
                of.source_schema, of.source_table
            ),
            _ => "It is no masked view.".to_owned(),
        };
        Err(Error::new(
            Kind::DuplicateObject,
            format!("relation \"{}.{name}\" already exists", self.target),
        )
        .with_detail(detail)
        .with_hint("Choose another target schema, or rename or drop it."))
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

    /// Lists the view and its masked columns: anew, or in place of what was listed under that number.
    /// The number it has, or gets.
    fn register(&self, id: Option<i32>) -> Result<i32> {
        let source = &self.table.source;
        let masked = definition::masked(self.table);
        let salt = |column: &str| {
            let is_it =
                |salt: &&(String, String, String, i32)| salt.0 == source.name && salt.1 == column;
            self.salts.iter().find(is_it)
        };
        as_owner(|| {
            let id = spi::one::<i32>(
                match id {
                    Some(_) => UPDATE,
                    None => INSERT,
                },
                &[
                    id.into(),
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

    fn note(&self, id: i32, carried: &[Grant]) -> Result<()> {
        as_owner(|| {
            spi::run(
                "UPDATE ONLY confiture.masked_view
                    SET definition = $2, carried = $3::pg_catalog.jsonb WHERE id = $1",
                &[
                    id.into(),
                    self.select(id).into(),
                    Grant::written(carried).into(),
                ],
            )?;
            Ok(())
        })
    }
}

const INSERT: &str = "
    INSERT INTO confiture.masked_view
           (schema_name, view_name, source_schema, source_table, is_materialized, carries_grants,
            profile_name, profile_version, profile_hash, key_name, key_version, definition, made_by)
    SELECT $2, $3, $4, $3, $5, $6, $7, $8, $9, $10, $11, '', $12 WHERE $1::pg_catalog.int4 IS NULL
    RETURNING id";

const UPDATE: &str = "
    UPDATE ONLY confiture.masked_view
       SET source_schema = $4, source_table = $3, is_materialized = $5, carries_grants = $6,
           profile_name = $7, profile_version = $8, profile_hash = $9, key_name = $10,
           key_version = $11, made_by = $12, made_at = pg_catalog.clock_timestamp()
     WHERE id = $1 AND schema_name = $2 RETURNING id";

fn as_owner<T>(work: impl FnOnce() -> Result<T>) -> Result<T> {
    owner::acting_as_owner("confiture", work)
}
