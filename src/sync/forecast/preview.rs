//! A few rows as they are and as a run would write them. No table is written; that pseudonyms were
//! shown beside originals is on record in the journal.

use super::store::{self, Texts};
use crate::error::{Error, Kind, Result};
use crate::keys;
use crate::ledger::journal;
use crate::pg::ident::quote;
use crate::pg::subxact::{Failure, guarded};
use crate::profile::Profile;
use crate::strategies::{Kind as StrategyKind, Mask, Params, Seed, Strategy, Subkeys, ValueType};
use crate::sync::fit::How;
use crate::sync::masks::{self, Place};
use crate::sync::plan::{Decision, MaskPlan, Plan, TablePlan};
use crate::sync::redraw;
use crate::sync::request::{self, Planned, Request};
use crate::sync::workshop::{self, Workshop};
use crate::sync::{run, statement};

/// The most rows that are shown.
pub const MOST: i32 = 1000;

/// A column of a row.
pub struct Shown {
    /// The row, from 1.
    pub row: i64,
    /// The column.
    pub column: String,
    /// What stands there.
    pub before: Option<String>,
    /// What a run would write.
    pub after: Option<String>,
    /// What to know of it.
    pub note: Option<String>,
    /// Whether it shows a pseudonym beside the value that it stands for.
    pub is_way_back: bool,
}

/// Puts on record how many pseudonyms are shown beside what they stand for, before they are.
///
/// # Errors
/// As [`journal::store::write()`].
pub fn record(cells: &[Shown]) -> Result<()> {
    let given = cells.iter().filter(|cell| cell.is_way_back).count();
    match i64::try_from(given) {
        Ok(0) => Ok(()),
        given => journal::store::reveal("preview", given.unwrap_or(i64::MAX)),
    }
}

/// Shows the first rows of a table, in the order of its primary key.
///
/// # Errors
/// What is wrong with the plan; 42P01 for a table that the profile does not name; 22000 for a value
/// that a mask refuses.
pub fn preview(request: &Request, profile: &Profile, table: &str, most: i32) -> Result<Vec<Shown>> {
    if !(1..=MOST).contains(&most) {
        return Err(Error::new(
            Kind::InvalidParameter,
            format!("\"n\" must be between 1 and {MOST}"),
        ));
    }
    let first = request::preview(request, profile)?;
    let held = named(&first.plan, table, profile)?;
    let groups = redraw::groups(&first.plan);
    let joined = groups
        .iter()
        .filter(|((of, _), _)| *of == held.source.name)
        .flat_map(|(_, group)| group.iter().map(|(table, _)| table.as_str()));
    let mut names: Vec<&str> = joined.chain([&*held.source.name]).collect();
    names.sort_unstable();
    names.dedup();
    let tables = first.plan.tables.iter();
    let tables = tables.filter(|of| of.source.kind != 'f' && names.contains(&&*of.source.name));
    store::hold(tables.map(|of| (&*of.source.schema, &*of.source.name)))?;
    // The code of a condition is looked at once more, now that nobody can change it.
    let planned = request::preview(request, profile)?;
    shown(request, profile, &planned, table, most)
}

fn shown(
    request: &Request,
    profile: &Profile,
    planned: &Planned,
    table: &str,
    most: i32,
) -> Result<Vec<Shown>> {
    let plan = &planned.plan;
    let table = named(plan, table, profile)?;
    let key = run::masking_key(plan, request, profile, false)?;
    let (masking, fpe) = workshop::subkeys(key.as_ref(), plan)?;
    let numbers: Vec<(&str, u32)> = plan
        .tables
        .iter()
        .map(|of| (&*of.source.name, of.source.oid))
        .collect();
    let workshop = Workshop {
        plan,
        masking,
        fpe,
        groups: redraw::groups(plan),
        relation: &|name| {
            let found = numbers.iter().find(|(table, _)| *table == name);
            found.map(|(_, number)| *number)
        },
    };
    let mut compiled = Vec::new();
    let mut redraws = Vec::new();
    let mut unsalted: Vec<Place> = Vec::new();
    for mask in plan.masks(&profile.name) {
        let is_shown = mask.place.table == table.source.name && !is_token(table, &mask);
        let salt = match &mask.salt {
            Some((name, version)) if is_shown => match keys::store::salt_now(name, *version) {
                Ok((salt, _)) => Some(Some(salt)),
                // A column's own salt is made when a run first needs it.
                Err(error) if error.kind() == Kind::NotReady && has_own_salt(&mask) => None,
                Err(error) => return Err(error),
            },
            _ => Some(None),
        };
        let (made, redraw) = match (is_shown, salt) {
            (true, Some(salt)) => workshop.make(&mask, salt)?,
            (true, None) => {
                unsalted.push(mask.place.clone());
                (nothing()?, None)
            }
            // Of another table, or the vault's: its number must be taken, and nobody calls it.
            (false, _) => (nothing()?, None),
        };
        compiled.push((made, mask.place));
        redraws.push(redraw);
    }
    let columns: Vec<Column<'_>> = columns(plan, table, planned, &unsalted);
    let query = query(&columns, table, planned, most);
    let _masks = masks::install(compiled);
    let _redraws = redraw::install(redraws);
    let rows = guarded(|| store::rows(&query)).map_err(|failure| failed(failure, table))?;
    Ok((1..)
        .zip(rows)
        .flat_map(|(row, texts)| cells(row, texts, &columns))
        .collect())
}

fn named<'a>(plan: &'a Plan, table: &str, profile: &Profile) -> Result<&'a TablePlan> {
    let found = plan.tables.iter().find(|of| {
        of.source.name == table || format!("{}.{}", of.source.schema, of.source.name) == table
    });
    found.ok_or_else(|| {
        Error::new(
            Kind::UndefinedTable,
            format!("profile \"{}\" names no table \"{table}\"", profile.name),
        )
    })
}

fn is_token(table: &TablePlan, mask: &MaskPlan<'_>) -> bool {
    match table.decision(&mask.place.column) {
        Some(Decision::Masked(masked)) => {
            matches!(&masked.how, How::Mask(call) if call.token.is_some())
        }
        _ => false,
    }
}

fn has_own_salt(mask: &MaskPlan<'_>) -> bool {
    let salt = mask.strategy.salt();
    salt.is_some_and(|salt| salt.name.is_empty() && salt.version.is_none())
}

/// A mask that gives nothing away.
fn nothing() -> Result<Mask> {
    let strategy = Strategy::new(StrategyKind::Redact, &Params::new())?;
    let keys = Subkeys::new(&[0; 32], &[0; 32]);
    strategy.mask(&keys, Seed::new(0), ValueType::Text)
}

/// A column of the table.
struct Column<'a> {
    name: &'a str,
    /// What a run would write, as an expression over the row `s`; `None` where only a run can tell.
    written: Option<String>,
    note: Option<String>,
    is_masked: bool,
}

fn columns<'a>(
    plan: &Plan,
    table: &'a TablePlan,
    planned: &Planned,
    unsalted: &[Place],
) -> Vec<Column<'a>> {
    let written = statement::written(plan, table, &planned.source);
    let all = table.columns.iter().zip(written);
    all.map(|(column, written)| {
        let is_unsalted = unsalted.iter().any(|place| place.column == column.name);
        let (is_told, note) = match &column.decision {
            _ if is_unsalted => (false, Some("the first run makes its salt")),
            Decision::Masked(masked) => match &masked.how {
                How::Mask(call) if call.token.is_some() => {
                    (false, Some("a token, which the run makes"))
                }
                How::Shuffle(_) => (false, Some("the value of another row, drawn by the run")),
                How::Default => (false, Some("its default in the target")),
                How::Mask(_) | How::Constant(_) | How::Null | How::Record(_) => (true, None),
            },
            Decision::Copied => (true, Some("undecided: copied unchanged")),
            Decision::Preserved { why } => (true, Some(&**why)),
            Decision::Excluded { .. } => (false, Some("not copied: NULL, or its default")),
            Decision::Generated => (false, Some("computed by the target")),
        };
        Column {
            name: &column.name,
            written: written.filter(|_| is_told),
            note: note.map(str::to_owned),
            is_masked: matches!(column.decision, Decision::Masked(_)),
        }
    })
    .collect()
}

fn query(columns: &[Column<'_>], table: &TablePlan, planned: &Planned, most: i32) -> String {
    let text = |value: &str| {
        // By the output function: a cast to text could be somebody's own. A row of NULLs is none.
        format!(
            "CASE WHEN pg_catalog.num_nulls({value}) = 0 THEN pg_catalog.format('%s', {value}) END"
        )
    };
    let before = columns
        .iter()
        .map(|of| text(&format!("s.{}", quote(of.name))));
    let before: Vec<_> = before.collect();
    let mut after = Vec::new();
    let mut written = Vec::new();
    for (place, column) in columns.iter().enumerate() {
        match &column.written {
            Some(expression) => {
                written.push(format!("{expression} AS a{place}"));
                after.push(text(&format!("x.a{place}")));
            }
            None => after.push("NULL".to_owned()),
        }
    }
    let rows = statement::rows(table);
    format!(
        "SELECT ARRAY[{}]::pg_catalog.text[], ARRAY[{}]::pg_catalog.text[] \
         FROM (SELECT s.* FROM {rows}{} LIMIT {most}) AS s \
         CROSS JOIN LATERAL (SELECT {} OFFSET 0) AS x",
        before.join(", "),
        after.join(", "),
        order(table, planned),
        written.join(", "),
    )
}

/// By the primary key, where its types compare as the server says.
fn order(table: &TablePlan, planned: &Planned) -> String {
    let is_plain = |name: &String| {
        let column = table.source.columns.iter().find(|of| of.name == *name);
        let base = column.and_then(|of| planned.source.base_of(of.type_oid));
        base.is_some_and(|base| base.schema == "pg_catalog" && base.kind == 'b')
    };
    let mut keys = table.source.constraints.iter();
    let key = keys.find(|of| of.kind == 'p' && of.columns.iter().all(is_plain));
    key.map_or(String::new(), |key| {
        let names: Vec<_> = key
            .columns
            .iter()
            .map(|name| format!("s.{}", quote(name)))
            .collect();
        format!(" ORDER BY {}", names.join(", "))
    })
}

fn cells<'a>(
    row: i64,
    (before, after): (Texts, Texts),
    columns: &'a [Column<'_>],
) -> impl Iterator<Item = Shown> + 'a {
    let texts = before.into_iter().zip(after);
    columns
        .iter()
        .zip(texts)
        .map(move |(column, (before, after))| Shown {
            row,
            column: column.name.to_owned(),
            is_way_back: column.is_masked && before.is_some() && after.is_some(),
            before,
            after,
            note: column.note.clone(),
        })
}

/// In words of our own, as a log may keep them: the server's may hold row values.
fn failed(failure: Failure, table: &TablePlan) -> Error {
    let error = match failure {
        Failure::Own(error) => return error,
        Failure::Server(error) => error,
    };
    let sqlstate = error.sqlstate.as_str().to_owned();
    let is_this = |refusal: &masks::Refusal| refusal.error.kind().sqlstate().as_str() == sqlstate;
    if let Some(refusal) = masks::refusal().filter(is_this) {
        let (place, error) = (refusal.place, refusal.error);
        let why = error
            .detail()
            .map_or(String::new(), |why| format!(" {why}"));
        let message = match error.kind() {
            Kind::Check => error.message().to_owned(),
            _ => format!("column \"{}\" has a value that is not masked", place.column),
        };
        return Error::new(error.kind(), message)
            .with_detail(format!("The strategy says: {}.{why}", error.message()));
    }
    let rows = format!("rows of table {} cannot be shown", table.source.shown());
    let message = match masks::raised() {
        Some(raised) => format!("{rows}: {} raises an error", raised.what()),
        None => rows,
    };
    Error::new(Kind::Server(error.sqlstate), message).with_detail(format!(
        "The server reports SQLSTATE {sqlstate}; its message is left out because it may hold row \
         values."
    ))
}
