//! What the trigger does, in the process that applies the changes of a subscription.
//!
//! What is written where is looked up once for each table, and again when anything was touched.

use std::cell::{Cell, RefCell};
use std::collections::HashMap;

use pgrx::{AnyElement, pg_sys};

use crate::error::{Error, Kind, Result};
use crate::pg::expressions::Expressions;
use crate::pg::subxact::{Failure, tried};
use crate::pg::trigger::{self, Act, Change};
use crate::pg::{change, heap, ident, owner, server, spi};
use crate::replication::registry::store::{Column, Replicated};
use crate::replication::state::store as state;
use crate::sync::masks::{self, Kept, Place};
use crate::sync::request;
use crate::views::registry::store::{made, rule, stored};

thread_local! {
    static SITES: RefCell<HashMap<pg_sys::Oid, Site>> = RefCell::default();
    /// When the step began in which a row of a partition was deleted last: each change that is applied is
    /// a statement of its own to the server, also one that deletes here and inserts there.
    static DELETED: Cell<Option<i64>> = const { Cell::new(None) };
}

/// The row of a change as it is to be stored.
///
/// # Errors
/// 55000 outside of a subscription, and where the table is not as it was when it was set up; 0A000 for a
/// row that moves to another partition; what a mask returns, in words that hold nothing of the row.
pub fn masked(fcinfo: pg_sys::FunctionCallInfo) -> Result<Option<AnyElement>> {
    let Some(change) = Change::of(fcinfo) else {
        return Err(Error::new(
            Kind::Definition,
            "this function must be called by the trigger that confiture.mask_replication makes",
        ));
    };
    if !trigger::is_in_subscription() {
        return Err(Error::new(
            Kind::NotReady,
            format!(
                "table {} takes rows of subscriptions alone where triggers of replication fire",
                shown(change.relation())
            ),
        )
        .with_hint("Leave session_replication_role as it is, or set it to origin."));
    }
    trigger::quote_no_line_of_copy();
    match change.act() {
        Act::Delete => {
            DELETED.set(Some(server::statement_start()));
            return Ok(change.as_it_is());
        }
        Act::Insert
            if change.is_of_partition() && DELETED.get() == Some(server::statement_start()) =>
        {
            return Err(Error::new(
                Kind::Unsupported,
                format!("a row moves to partition {}", shown(change.relation())),
            )
            .with_detail(
                "Values that the publisher did not send cannot be told there from those that it did.",
            )
            .with_hint("Partition the table as the publisher does, which then sends the whole row."));
        }
        Act::Insert | Act::Update => {}
    }
    let relation = change.relation();
    let now = change::generation();
    // Out of the map meanwhile: after an error nothing of it is used again.
    let kept = SITES.with_borrow_mut(|sites| sites.remove(&relation));
    let mut site = match kept {
        Some(site) if site.generation == now => site,
        _ => as_ever(|| Site::at(&change, now))?,
    };
    let row = site.store(&change)?;
    SITES.with_borrow_mut(|sites| sites.insert(relation, site));
    Ok(row)
}

/// With the settings of a run and the rights of the extension's owner: the role that applies changes has
/// none on masks, and need not have any.
fn as_ever<T>(work: impl FnOnce() -> Result<T>) -> Result<T> {
    owner::acting_as_owner("confiture", || request::pinned(work))
}

fn shown(relation: pg_sys::Oid) -> String {
    let name = heap::name(relation);
    name.map_or_else(String::new, |(schema, name)| format!("\"{schema}.{name}\""))
}

/// A column that is written.
struct Put {
    name: String,
    number: pg_sys::AttrNumber,
    /// The expression; none is NULL.
    from: Option<usize>,
    /// Where it stands itself among what the expressions get.
    own: Option<usize>,
    /// The columns that its expression reads besides.
    inputs: Vec<pg_sys::AttrNumber>,
}

/// What is done to the rows of one table.
struct Site {
    generation: u64,
    shown: String,
    masks: Kept,
    expressions: Expressions,
    /// The columns that the expressions get.
    given: Vec<pg_sys::AttrNumber>,
    put: Vec<Put>,
}

impl Site {
    fn at(change: &Change, generation: u64) -> Result<Self> {
        let relation = change.relation();
        let shown = shown(relation);
        let of = registered(change, &shown)?;
        if let Some(problem) = state::of_arrival(relation, &of.schema, &of.table)? {
            return Err(problem.error());
        }
        same_columns(&of, relation, &shown)?;
        let there = change.columns();
        let number = |name: &str| {
            let column = there.iter().find(|column| column.name == name);
            column.ok_or_else(|| altered(&shown, name))
        };
        let (mut names, mut given, mut types) = (Vec::new(), Vec::new(), Vec::new());
        let mut place = |name: &str| -> Result<usize> {
            if let Some(place) = names.iter().position(|known| known == name) {
                return Ok(place);
            }
            let column = number(name)?;
            names.push(name.to_owned());
            given.push(column.number);
            types.push(column.of);
            Ok(names.len() - 1)
        };
        let (mut put, mut list, mut results) = (Vec::new(), Vec::new(), Vec::new());
        for column in of.columns.iter().filter(|column| !column.is_kept()) {
            let here = number(&column.name)?;
            let mut written = Put {
                name: column.name.clone(),
                number: here.number,
                from: None,
                own: None,
                inputs: Vec::new(),
            };
            if let Some(expression) = &column.expression {
                written.from = Some(list.len());
                list.push(expression.as_str());
                results.push(here.of);
                written.own = Some(place(&column.name)?);
                for input in column.inputs.iter().filter(|input| **input != column.name) {
                    place(input)?;
                    written.inputs.push(number(input)?.number);
                }
            }
            put.push(written);
        }
        let row: Vec<_> = (1..)
            .zip(&names)
            .map(|(parameter, name)| format!("${parameter} AS {}", ident::quote(name)))
            .collect();
        let select = format!(
            "SELECT {} FROM (SELECT {}) AS s",
            list.join(", "),
            row.join(", ")
        );
        Ok(Self {
            generation,
            masks: masks_of(&of)?,
            expressions: Expressions::plan(&select, &types, results)?,
            shown,
            given,
            put,
        })
    }

    fn store(&mut self, change: &Change) -> Result<Option<AnyElement>> {
        let mut given: Vec<_> = self.given.iter().copied().map(Some).collect();
        let mut put = Vec::with_capacity(self.put.len());
        for column in &self.put {
            // What the publisher did not send is here already, masked when it came.
            if !change.says(column.number) {
                if !change.is_as_stored(column.number) {
                    return Err(Error::new(
                        Kind::Internal,
                        format!(
                            "column \"{}\" of a row of table {} has arrived unannounced",
                            column.name, self.shown
                        ),
                    ));
                }
                if let Some(own) = column.own {
                    given[own] = None;
                }
                continue;
            }
            let is_gone = |input: &&pg_sys::AttrNumber| {
                !change.says(**input) && self.put.iter().any(|other| other.number == **input)
            };
            if let Some(input) = column.inputs.iter().find(is_gone) {
                let input = self.put.iter().find(|other| other.number == *input);
                let input = input.map_or("", |other| &*other.name);
                return Err(Error::new(
                    Kind::NotReady,
                    format!(
                        "column \"{}\" of a row of table {} cannot be masked",
                        column.name, self.shown
                    ),
                )
                .with_detail(format!(
                    "Its mask reads column \"{input}\", which the publisher did not send because it is long \
                     and did not change, and which is masked here."
                )));
            }
            put.push((column.number, column.from));
        }
        let (masks, expressions) = (&mut self.masks, &self.expressions);
        let done =
            as_ever(
                || Ok(masks.at_work(|| tried(|| change.rewritten(expressions, &given, &put)))),
            )?;
        done.map_err(|failure| failed(failure, &self.shown))
    }
}

/// What the trigger was made for, if that is this table or one that it is a partition of.
fn registered(change: &Change, shown: &str) -> Result<Replicated> {
    let again =
        |error: Error| error.with_hint("Call confiture.mask_replication for its schema again.");
    let id = change.argument().and_then(|id| id.parse().ok());
    let of = match id {
        Some(id) => Replicated::find(id)?,
        None => None,
    };
    let of = of.ok_or_else(|| {
        let message = format!("nothing is known of how rows of table {shown} are masked");
        again(Error::new(Kind::NotReady, message))
    })?;
    let relation = change.relation();
    let is_it = match heap::relation(&of.schema, &of.table) {
        Some(there) if there == relation => true,
        Some(there) => is_partition(relation, there)?,
        None => false,
    };
    if is_it {
        return Ok(of);
    }
    Err(again(Error::new(
        Kind::NotReady,
        format!(
            "table {shown} is not \"{}.{}\", for which its masking was set up",
            of.schema, of.table
        ),
    )))
}

fn is_partition(relation: pg_sys::Oid, of: pg_sys::Oid) -> Result<bool> {
    let found = spi::read(
        "SELECT EXISTS (SELECT FROM pg_catalog.pg_partition_ancestors($1) a WHERE a.relid = $2)",
        &[relation.into(), of.into()],
        |row| row.required::<bool>(1),
    )?;
    Ok(found.contains(&true))
}

/// A column that nobody decided about is not stored as it arrives.
fn same_columns(of: &Replicated, relation: pg_sys::Oid, shown: &str) -> Result<()> {
    let there = spi::read(
        "SELECT a.attname::text, pg_catalog.format_type(a.atttypid, a.atttypmod)
           FROM pg_catalog.pg_attribute a
          WHERE a.attrelid = $1 AND a.attnum > 0 AND NOT a.attisdropped",
        &[relation.into()],
        |row| Ok((row.required::<String>(1)?, row.required::<String>(2)?)),
    )?;
    let is_known = |(name, of_type): &&(String, String)| {
        let known = of.columns.iter().find(|column| column.name == *name);
        known.is_some_and(|column| column.type_name == *of_type)
    };
    if let Some((name, _)) = there.iter().find(|column| !is_known(column)) {
        return Err(altered(shown, name));
    }
    let is_there = |column: &&Column| there.iter().any(|(name, _)| *name == column.name);
    match of.columns.iter().find(|column| !is_there(column)) {
        Some(column) => Err(altered(shown, &column.name)),
        None => Ok(()),
    }
}

fn altered(shown: &str, column: &str) -> Error {
    Error::new(
        Kind::NotReady,
        format!(
            "column \"{column}\" of table {shown} is not as it was when its replication was masked"
        ),
    )
    .with_hint("Decide about it in the profile, and call confiture.mask_replication again.")
}

fn masks_of(of: &Replicated) -> Result<Kept> {
    let mut found = Vec::new();
    let mut first = None;
    let altered = || {
        Error::new(
            Kind::NotReady,
            format!(
                "profile \"{}\" version \"{}\" is not as it was when replication was masked",
                of.profile, of.version
            ),
        )
        .with_hint("Call confiture.mask_replication again.")
    };
    let mut masked: Vec<_> = of
        .columns
        .iter()
        .filter_map(|column| column.mask.map(|(number, takes)| (number, takes, column)))
        .collect();
    masked.sort_by_key(|(number, ..)| *number);
    for (number, takes, column) in masked {
        let profile = stored(&of.profile, &of.version, &of.hash)?.ok_or_else(altered)?;
        let rule = rule(&profile, &of.table, &column.name).ok_or_else(altered)?;
        let first = *first.get_or_insert(number);
        if number != first + found.len() {
            return Err(altered());
        }
        let mask = made(&profile, rule, of.key.as_ref(), column.salt.as_ref(), takes)?;
        let place = Place {
            table: of.table.clone(),
            column: column.name.clone(),
        };
        found.push((mask, place));
    }
    Ok(Kept::new(first.unwrap_or(0), found))
}

/// What failed, in words of our own: the server's may hold values.
fn failed(failure: Failure, shown: &str) -> Error {
    match failure {
        Failure::Own(error) => error,
        Failure::Server(error) => match masks::refusal() {
            Some(refusal) => Error::new(
                Kind::Data,
                format!(
                    "a value of column \"{}\" of table {shown} cannot be masked",
                    refusal.place.column
                ),
            )
            .with_detail(format!("The mask says: {}.", refusal.error.message())),
            None => Error::new(
                Kind::Server(error.sqlstate),
                format!("a row of table {shown} cannot be masked"),
            )
            .with_detail(format!(
                "The server reports SQLSTATE {}; its message is left out because it may hold row values.",
                error.sqlstate.as_str()
            )),
        },
    }
}
