//! What is on the lists, and how they follow their tables.

use std::collections::HashSet;

use pgrx::pg_sys::Oid;

use super::super::in_place::store::reaches;
use super::{Registry, Standing};
use crate::error::Result;
use crate::pg::scan::{Lookup, Table};
use crate::pg::subxact::{Failure, tried};
use crate::pg::{heap, owner, report, spi};

const NAMES: &[&str] = &["schema_name", "table_name"];

const MADE: Lookup = Lookup {
    schema: c"confiture",
    table: c"target_table",
    index: None,
    columns: NAMES,
};

const MASKED: Lookup = Lookup {
    schema: c"confiture",
    table: c"masked_in_place",
    index: None,
    columns: NAMES,
};

const NUMBERS: Lookup = Lookup {
    schema: c"confiture",
    table: c"table_number",
    index: None,
    columns: &["registry", "schema_name", "table_name", "relation"],
};

const UNREFRESHED: Lookup = Lookup {
    schema: c"confiture",
    table: c"unrefreshed_view",
    index: None,
    columns: &["relation"],
};

/// A list, a schema and a table.
type Named = (&'static str, String, String);

/// What stands on the lists, read without a query: every command asks.
struct Lists {
    listed: Vec<Named>,
    numbers: Vec<(Named, Oid)>,
}

impl Lists {
    fn read() -> Result<Self> {
        let mut listed = Vec::new();
        for (registry, place) in [(Registry::Made, &MADE), (Registry::Masked, &MASKED)] {
            listed.extend(Table::open(place, None)?.find(&[], |row, _| {
                Ok((registry.name(), row.required(1)?, row.required(2)?))
            })?);
        }
        if listed.is_empty() {
            return Ok(Self {
                listed,
                numbers: Vec::new(),
            });
        }
        let numbers = Table::open(&NUMBERS, None)?.find(&[], |row, _| {
            let registry = Registry::of(&row.required::<String>(1)?);
            let registry = registry.map_or("", Registry::name);
            let named = (registry, row.required(2)?, row.required(3)?);
            Ok((named, row.required::<Oid>(4)?))
        })?;
        Ok(Self { listed, numbers })
    }

    /// Those that are known by name only.
    fn unnumbered(&self) -> impl Iterator<Item = &Named> {
        let known: HashSet<&Named> = self.numbers.iter().map(|(named, _)| named).collect();
        let is_unknown = move |named: &&Named| !known.contains(named);
        self.listed.iter().filter(is_unknown)
    }

    fn have(&self, registry: Registry) -> bool {
        self.listed.iter().any(|(of, ..)| *of == registry.name())
    }

    /// Whether every number leads to a table that is called as it says, and is on a list.
    fn are_settled(&self) -> bool {
        let listed: HashSet<&Named> = self.listed.iter().collect();
        self.numbers.iter().all(|(named, relation)| {
            listed.contains(named)
                && heap::name(*relation)
                    .is_some_and(|(schema, name)| schema == named.1 && name == named.2)
        })
    }
}

/// Gives what a restore has put on the lists its numbers, while its names are still right: the running
/// command may change some.
pub fn before_command() {
    warned(|| {
        if Lists::read()?.unnumbered().next().is_some() {
            numbered(&[ADOPT])?;
        }
        Ok(())
    });
}

/// Has the lists follow what the running command made of their tables; `refreshed` is the
/// materialized view that it has filled anew.
pub fn after_command(refreshed: Option<Oid>) {
    warned(|| {
        let lists = Lists::read()?;
        if !lists.are_settled() {
            written(|| SETTLE.iter().try_for_each(|statement| run(statement)))?;
        }
        if lists.unnumbered().next().is_some() {
            numbered(&[ADOPT, FORGET[0], FORGET[1]])?;
        }
        if refreshed.is_some() || lists.have(Registry::Masked) {
            refresh(refreshed)?;
        }
        Ok(())
    });
}

/// A view that was filled anew is clean, unless it reads another one that was not.
fn refresh(refreshed: Option<Oid>) -> Result<()> {
    let views = Table::open(&UNREFRESHED, None)?.find(&[], |row, _| row.required::<Oid>(1))?;
    let mut gone: Vec<i64> = Vec::new();
    for view in &views {
        let is_clean = || -> Result<bool> {
            if heap::kind(*view) != 'm' {
                return Ok(true);
            }
            if refreshed != Some(*view) {
                return Ok(false);
            }
            let others = views.iter().filter(|other| *other != view);
            let others: Vec<_> = others.map(|other| other.to_u32()).collect();
            let reached = owner::acting_as_owner("confiture", || reaches(&others, false))?;
            Ok(reached.iter().all(|other| other.oid != view.to_u32()))
        };
        if is_clean()? {
            gone.push(i64::from(view.to_u32()));
        }
    }
    if gone.is_empty() {
        return Ok(());
    }
    written(|| {
        spi::run(
            "DELETE FROM confiture.unrefreshed_view
              WHERE relation = ANY ($1::pg_catalog.int8[]::pg_catalog.oid[])",
            &[gone.into()],
        )?;
        Ok(())
    })
}

fn run(statement: &str) -> Result<()> {
    spi::run(statement, &[])?;
    Ok(())
}

/// Writes to our own tables; what the server refuses leaves them as they were.
fn written(work: impl FnOnce() -> Result<()>) -> Result<()> {
    match tried(|| owner::acting_as_owner("confiture", work)) {
        Ok(()) => Ok(()),
        Err(Failure::Own(error)) => Err(error),
        Err(Failure::Server(error)) => {
            told(&format!("SQLSTATE {}", error.sqlstate.as_str()));
            Ok(())
        }
    }
}

/// As [`written`], by one session at a time: the others do not wait, but leave it to that one.
fn numbered(statements: &[&str]) -> Result<()> {
    const ALONE: &str =
        "LOCK TABLE ONLY confiture.table_number IN SHARE UPDATE EXCLUSIVE MODE NOWAIT";
    match tried(|| owner::acting_as_owner("confiture", || run(ALONE))) {
        Ok(()) => written(|| statements.iter().try_for_each(|statement| run(statement))),
        Err(Failure::Own(error)) => Err(error),
        Err(Failure::Server(_)) => Ok(()),
    }
}

/// No command fails because of these lists.
fn warned(work: impl FnOnce() -> Result<()>) {
    if let Err(error) = work() {
        told(&error.to_string());
    }
}

fn told(reason: &str) {
    report::warning(
        &format!(
            "the lists of tables that runs made or masked were not brought up to date: {reason}"
        ),
        None,
    );
}

/// The tables that are on a list, as they are called now.
///
/// # Errors
/// As the interface.
pub fn standing(registry: Registry) -> Result<Vec<Standing>> {
    let statement = STANDING.replace("{list}", registry.table());
    owner::acting_as_owner("confiture", || {
        spi::read(&statement, &[registry.name().into()], |row| {
            Ok(Standing {
                schema: row.required(1)?,
                name: row.required(2)?,
                oid: u32::try_from(row.required::<i64>(3)?).unwrap_or_default(),
            })
        })
    })
}

/// Notes the numbers of tables that were put on a list.
///
/// # Errors
/// As the interface.
pub fn number(registry: Registry, schema: &str, tables: &[String]) -> Result<()> {
    let args = [
        registry.name().into(),
        schema.into(),
        tables.to_vec().into(),
    ];
    owner::acting_as_owner("confiture", || {
        // What had the name before has gone, or is called otherwise.
        for statement in [
            "DELETE FROM confiture.table_number
              WHERE registry = $1 AND schema_name = $2 AND table_name = ANY ($3::pg_catalog.text[])",
            "INSERT INTO confiture.table_number (registry, schema_name, table_name, relation)
             SELECT $1, $2, c.relname, c.oid
               FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
              WHERE n.nspname = $2 AND c.relname = ANY ($3::pg_catalog.text[])
                 ON CONFLICT (registry, relation) DO UPDATE
                SET schema_name = excluded.schema_name, table_name = excluded.table_name",
        ] {
            spi::run(statement, &args)?;
        }
        Ok(())
    })
}

/// First of all those that have gone, so that no two are of one name.
const SETTLE: [&str; 6] = [
    "DELETE FROM confiture.masked_in_place m USING confiture.table_number t
      WHERE t.registry = 'masked' AND t.schema_name = m.schema_name AND t.table_name = m.table_name
        AND NOT EXISTS (SELECT FROM pg_catalog.pg_class c WHERE c.oid = t.relation)",
    "DELETE FROM confiture.target_table m USING confiture.table_number t
      WHERE t.registry = 'made' AND t.schema_name = m.schema_name AND t.table_name = m.table_name
        AND NOT EXISTS (
          SELECT FROM pg_catalog.pg_class c
            JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
           WHERE c.oid = t.relation AND n.nspname = t.schema_name AND c.relname = t.table_name)",
    "UPDATE confiture.masked_in_place m SET schema_name = n.nspname, table_name = c.relname
       FROM confiture.table_number t
       JOIN pg_catalog.pg_class c ON c.oid = t.relation
       JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
      WHERE t.registry = 'masked' AND t.schema_name = m.schema_name AND t.table_name = m.table_name
        AND (n.nspname <> m.schema_name OR c.relname <> m.table_name)",
    "DELETE FROM confiture.table_number t
      WHERE NOT EXISTS (SELECT FROM pg_catalog.pg_class c WHERE c.oid = t.relation)",
    "UPDATE confiture.table_number t SET schema_name = n.nspname, table_name = c.relname
       FROM pg_catalog.pg_class c
       JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
      WHERE c.oid = t.relation AND t.registry = 'masked'
        AND (n.nspname <> t.schema_name OR c.relname <> t.table_name)",
    "DELETE FROM confiture.table_number t
      WHERE NOT EXISTS (SELECT FROM confiture.target_table m
                         WHERE t.registry = 'made' AND m.schema_name = t.schema_name
                           AND m.table_name = t.table_name)
        AND NOT EXISTS (SELECT FROM confiture.masked_in_place m
                         WHERE t.registry = 'masked' AND m.schema_name = t.schema_name
                           AND m.table_name = t.table_name)",
];

/// What came from a dump without its table.
const FORGET: [&str; 2] = [
    "DELETE FROM confiture.target_table m
      WHERE NOT EXISTS (SELECT FROM confiture.table_number t
                         WHERE t.registry = 'made' AND t.schema_name = m.schema_name
                           AND t.table_name = m.table_name)",
    "DELETE FROM confiture.masked_in_place m
      WHERE NOT EXISTS (SELECT FROM confiture.table_number t
                         WHERE t.registry = 'masked' AND t.schema_name = m.schema_name
                           AND t.table_name = m.table_name)",
];

const ADOPT: &str = include_str!("adopt.sql");
const STANDING: &str = include_str!("standing.sql");
