//! What is masked by name, found again in the catalog as it is now.

use std::collections::{BTreeMap, BTreeSet};

use crate::error::Result;
use crate::pg::{ident, owner, spi};
use crate::profile::{self, Profile, Said};
use crate::views::lint::Way;
use crate::views::lint::tree::{self, Place, Uses};

/// A column in which masked values stand as they are.
pub struct Raw {
    /// Its relation and number.
    pub place: Place,
    /// 1: the table, a partition or a child; 2: a parent; 3: a foreign table.
    pub kind: i32,
    /// What to say of it, to be put behind something.
    pub note: String,
}

/// What is known of a source.
pub struct Known {
    /// The columns, in order.
    pub raw: Vec<Raw>,
    /// The rules that use them: rule, column, whether they write it.
    pub used: Vec<(i64, Place, bool)>,
    /// Masked views that are not what they are said to be, in the words of the lint.
    pub stale: Vec<Way>,
}

/// A masked view as it is registered, with the rule that its name has now.
struct View {
    id: i32,
    schema: String,
    /// Its name, and that of its table, as SQL writes them.
    shown: String,
    table: String,
    source: (String, String),
    profile: (String, String),
    /// Whether its text called a mask when it was made.
    has_calls: bool,
    columns: Vec<String>,
    relation: Option<i64>,
    is_filled: bool,
    rule: Option<String>,
}

/// Columns of a table as of now: relation, number, name.
type Columns = Vec<(i64, i32, String)>;

/// Columns that are masked, and what to say of them.
type Seeds = BTreeMap<Place, String>;

const EXCLUDED: &str = "; the profile excludes it";

/// The columns that masked views mask or leave out, of a schema also those of the profiles in use.
///
/// # Errors
/// As the interface.
pub fn find(source: Option<&str>) -> Result<Known> {
    let views = registered(source)?;
    let masks = masks()?;
    let mut profiles = BTreeMap::new();
    for view in &views {
        let (name, version) = &view.profile;
        if !profiles.contains_key(&view.profile) {
            let read = profile::store::pick(name, Some(version)).ok();
            profiles.insert(view.profile.clone(), read);
        }
    }
    let in_use = match source {
        Some(_) => profiles_in_use()?,
        None => Vec::new(),
    };
    let mut names: BTreeSet<(String, String)> =
        views.iter().map(|view| view.source.clone()).collect();
    if let Some(schema) = source {
        let tables = in_use.iter().flat_map(|profile| &profile.tables);
        let here = tables.filter(|table| table.schema.as_deref().is_none_or(|of| of == schema));
        names.extend(here.map(|table| (schema.to_owned(), table.name.clone())));
    }
    let tables = columns(&names)?;
    let mut seeds = Seeds::new();
    for ((schema, table), columns) in &tables {
        for profile in &in_use {
            let _ = by_profile(&mut seeds, profile, (schema, table), columns);
        }
    }
    let mut stale = Vec::new();
    for view in &views {
        let none = Columns::new();
        let columns = tables.get(&view.source).unwrap_or(&none);
        let profile = profiles.get(&view.profile).and_then(Option::as_ref);
        stale.extend(look(&mut seeds, view, profile, columns, &masks));
    }
    let raw = raw(&seeds)?;
    let (used, shown) = used(&raw, &views, &masks)?;
    for view in &views {
        if let Some(place) = view.relation.and_then(|relation| shown.get(&relation)) {
            let name = name_of(*place)?;
            let detail = format!("It was replaced: it reads {name} unmasked");
            stale.push(view.way(detail, view.replace()));
        }
    }
    Ok(Known { raw, used, stale })
}

impl View {
    fn refresh(&self) -> String {
        let schema = ident::literal(&self.schema);
        format!("SELECT * FROM confiture.refresh_masked_views({schema})")
    }

    /// What stands under the name is a stranger, which making views leaves alone.
    fn replace(&self) -> String {
        let kind = if self.is_filled {
            "MATERIALIZED VIEW"
        } else {
            "VIEW"
        };
        let names = [&self.profile.0, &self.source.0, &self.schema];
        format!(
            "DROP {kind} {}; SELECT * FROM confiture.create_masked_views({})",
            self.shown,
            names.map(|name| ident::literal(name)).join(", ")
        )
    }

    fn way(&self, detail: String, remedy: String) -> Way {
        Way {
            severity: "medium".to_owned(),
            path: "stale view".to_owned(),
            object: self.shown.clone(),
            column: None,
            detail,
            remedy,
        }
    }
}

/// Adds what a profile says of a table; the columns that it names and that are not there.
fn by_profile(
    seeds: &mut Seeds,
    profile: &Profile,
    (schema, name): (&str, &str),
    columns: &Columns,
) -> Vec<String> {
    let is_it = |table: &&profile::Table| {
        table.name == name && table.schema.as_deref().is_none_or(|of| of == schema)
    };
    let Some(table) = profile.tables.iter().find(is_it) else {
        return Vec::new();
    };
    for (relation, number, column) in columns {
        let note = match table.says_of(column) {
            Said::Mask(_) => "",
            Said::Exclude(_) => EXCLUDED,
            _ => continue,
        };
        add(seeds, (*relation, *number), note);
    }
    let masked = table.rules.iter().map(|rule| &rule.column);
    let named = masked.chain(table.exclude.iter().map(|kept| &kept.column));
    let missing = named.filter(|named| {
        named.as_str() != "*" && !columns.iter().any(|(_, _, column)| column == *named)
    });
    missing.cloned().collect()
}

fn add(seeds: &mut Seeds, (relation, number): (i64, i32), note: &str) {
    let Ok(relation) = u32::try_from(relation) else {
        return;
    };
    let there = seeds
        .entry((relation, number))
        .or_insert_with(|| note.to_owned());
    // Masked by one and left out by another: masked.
    if note.is_empty() {
        there.clear();
    }
}

/// Adds what a view masks, by name and by its rule; what is wrong with it.
fn look(
    seeds: &mut Seeds,
    view: &View,
    profile: Option<&Profile>,
    columns: &Columns,
    masks: &[u32],
) -> Vec<Way> {
    let mut stale = Vec::new();
    let (schema, table) = &view.source;
    let mut missing: BTreeSet<String> = profile
        .map(|profile| by_profile(seeds, profile, (schema, table), columns))
        .unwrap_or_default()
        .into_iter()
        .collect();
    for name in &view.columns {
        match columns.iter().find(|(_, _, column)| column == name) {
            Some((relation, number, _)) => add(seeds, (*relation, *number), ""),
            None => {
                missing.insert(name.clone());
            }
        }
    }
    let shown = &view.table;
    let lost = if columns.is_empty() {
        Some(format!("Its table {shown} is not there"))
    } else if missing.is_empty() {
        None
    } else {
        let named: Vec<_> = missing.iter().map(|name| format!("\"{name}\"")).collect();
        Some(format!(
            "Its table {shown} has no column {}",
            named.join(", ")
        ))
    };
    if let Some(lost) = lost {
        let detail = format!("{lost} under that name: it is looked for by the view alone");
        let remedy = format!(
            "Load a version of profile \"{}\" with the names of now, then {}",
            view.profile.0,
            view.refresh()
        );
        stale.push(view.way(detail, remedy));
    }
    let Some(rule) = &view.rule else {
        let detail = "It is not there under that name".to_owned();
        stale.push(view.way(detail, view.refresh()));
        return stale;
    };
    let found = tree::uses(rule, masks).unwrap_or_default();
    let is_called = found.numbers.contains(&view.id);
    if is_called || !view.has_calls {
        // Whatever its columns are called now.
        for (relation, number) in found.masked {
            add(seeds, (relation.into(), number), "");
        }
    }
    if view.has_calls && !is_called {
        let detail = "It was replaced: it does not call the masks that are registered for it";
        stale.push(view.way(detail.to_owned(), view.replace()));
    }
    stale
}

fn raw(seeds: &Seeds) -> Result<Vec<Raw>> {
    let relations: Vec<i64> = seeds
        .keys()
        .map(|(relation, _)| i64::from(*relation))
        .collect();
    let numbers: Vec<i32> = seeds.keys().map(|(_, number)| *number).collect();
    let notes: Vec<String> = seeds.values().cloned().collect();
    spi::read(
        include_str!("../raw.sql"),
        &[relations.into(), numbers.into(), notes.into()],
        |row| {
            Ok(Raw {
                place: (oid(row.required(1)?), row.required(2)?),
                kind: row.required(3)?,
                note: row.required(4)?,
            })
        },
    )
}

type Used = Vec<(i64, Place, bool)>;

/// The rules that use such columns for more than a mask; and the first column of each registered
/// view that does so.
fn used(raw: &[Raw], views: &[View], masks: &[u32]) -> Result<(Used, BTreeMap<i64, Place>)> {
    let places: BTreeSet<Place> = raw.iter().map(|raw| raw.place).collect();
    let mut ours = BTreeMap::new();
    for view in views {
        ours.extend(view.relation.map(|relation| (relation, view.is_filled)));
    }
    let relations: Vec<i64> = raw.iter().map(|raw| raw.place.0.into()).collect();
    let mut used = Vec::new();
    let mut shown = BTreeMap::new();
    spi::each(include_str!("../rules.sql"), &[relations.into()], |row| {
        let rule: i64 = row.required(1)?;
        let relation: i64 = row.required(2)?;
        let kind: String = row.required(3)?;
        let text: String = row.required(5)?;
        let mut found = match tree::uses(&text, masks) {
            Some(found) => found,
            // What is not understood reads all that there is.
            None => Uses {
                read: whole(&row.required::<Vec<i64>>(4)?),
                ..Uses::default()
            },
        };
        let our = ours.get(&relation).filter(|_| kind == "1");
        // Which rows are filled in is chosen by the profile, not by a reader.
        if our != Some(&true) {
            found.read.append(&mut found.chosen_by);
        }
        let read = among(&found.read, &places);
        if let (Some(_), Some(first)) = (our, read.first()) {
            shown.insert(relation, *first);
        }
        used.extend(read.into_iter().map(|place| (rule, place, false)));
        let written = among(&found.written, &places);
        used.extend(written.into_iter().map(|place| (rule, place, true)));
        Ok(())
    })?;
    Ok((used, shown))
}

fn whole(relations: &[i64]) -> BTreeSet<Place> {
    relations
        .iter()
        .map(|relation| (oid(*relation), 0))
        .collect()
}

/// Those of the columns that are wanted; a whole row is all of them.
fn among(met: &BTreeSet<Place>, wanted: &BTreeSet<Place>) -> BTreeSet<Place> {
    let of = |place: &Place| match *place {
        (relation, 0) => (relation, 1)..=(relation, i32::MAX),
        place => place..=place,
    };
    met.iter()
        .flat_map(|place| wanted.range(of(place)))
        .copied()
        .collect()
}

fn oid(number: i64) -> u32 {
    u32::try_from(number).unwrap_or_default()
}

fn registered(source: Option<&str>) -> Result<Vec<View>> {
    as_owner(|| {
        spi::read(
            "SELECT v.id, v.schema_name,
                    pg_catalog.format('%I.%I', v.schema_name, v.view_name),
                    pg_catalog.format('%I.%I', v.source_schema, v.source_table),
                    v.source_schema, v.source_table,
                    v.profile_name, v.profile_version,
                    pg_catalog.strpos(v.definition, 'confiture._mask_') > 0,
                    ARRAY(SELECT c.column_name FROM ONLY confiture.masked_column c
                           WHERE c.view_id = v.id ORDER BY c.number),
                    r.oid::bigint, coalesce(r.relkind = 'm'::\"char\", false), r.rule
               FROM ONLY confiture.masked_view v
               LEFT JOIN (SELECT n.nspname, c.relname, c.relkind, c.oid, w.ev_action::text AS rule
                            FROM pg_catalog.pg_class c
                            JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
                            JOIN pg_catalog.pg_rewrite w ON w.ev_class = c.oid
                             AND w.ev_type = '1'::\"char\"
                           WHERE c.relkind IN ('v'::\"char\", 'm'::\"char\")) r
                 ON r.nspname = v.schema_name::name AND r.relname = v.view_name::name
              WHERE $1 IS NULL OR v.source_schema = $1 ORDER BY v.id",
            &[source.into()],
            |row| {
                Ok(View {
                    id: row.required(1)?,
                    schema: row.required(2)?,
                    shown: row.required(3)?,
                    table: row.required(4)?,
                    source: (row.required(5)?, row.required(6)?),
                    profile: (row.required(7)?, row.required(8)?),
                    has_calls: row.required(9)?,
                    columns: row.required(10)?,
                    relation: row.get(11)?,
                    is_filled: row.required(12)?,
                    rule: row.get(13)?,
                })
            },
        )
    })
}

/// The numbers of the functions that masked views call.
fn masks() -> Result<Vec<u32>> {
    spi::read(
        "SELECT p.oid::bigint
           FROM pg_catalog.pg_proc p
           JOIN pg_catalog.pg_namespace n ON n.oid = p.pronamespace
          WHERE n.nspname = 'confiture' AND p.proname IN ('_mask_row', '_mask_value')",
        &[],
        |row| Ok(oid(row.required(1)?)),
    )
}

fn profiles_in_use() -> Result<Vec<Profile>> {
    let names = as_owner(|| {
        spi::read(
            "SELECT DISTINCT name FROM ONLY confiture.profile WHERE retired_at IS NULL ORDER BY name",
            &[],
            |row| row.required::<String>(1),
        )
    })?;
    names
        .iter()
        .map(|name| profile::store::pick(name, None))
        .collect()
}

fn columns(names: &BTreeSet<(String, String)>) -> Result<BTreeMap<(String, String), Columns>> {
    let names: Vec<_> = names.iter().collect();
    let schemas: Vec<String> = names.iter().map(|(schema, _)| schema.clone()).collect();
    let tables: Vec<String> = names.iter().map(|(_, table)| table.clone()).collect();
    let mut found: BTreeMap<_, Columns> = BTreeMap::new();
    spi::each(
        include_str!("../columns.sql"),
        &[schemas.into(), tables.into()],
        |row| {
            let place = usize::try_from(row.required::<i64>(1)?).unwrap_or_default();
            if let Some(name) = place.checked_sub(1).and_then(|at| names.get(at)) {
                let column = (row.required(2)?, row.required(3)?, row.required(4)?);
                found.entry((*name).clone()).or_default().push(column);
            }
            Ok(())
        },
    )?;
    Ok(found)
}

/// The name of a column, with that of its relation.
fn name_of((relation, number): Place) -> Result<String> {
    let found = spi::read(
        "SELECT pg_catalog.format('%I.%I.%I', n.nspname, c.relname, a.attname)
           FROM pg_catalog.pg_attribute a
           JOIN pg_catalog.pg_class c ON c.oid = a.attrelid
           JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
          WHERE a.attrelid = $1::pg_catalog.oid AND a.attnum = $2",
        &[i64::from(relation).into(), number.into()],
        |row| row.required(1),
    )?;
    Ok(found.into_iter().next().unwrap_or_default())
}

fn as_owner<T>(work: impl FnOnce() -> Result<T>) -> Result<T> {
    owner::acting_as_owner("confiture", work)
}
