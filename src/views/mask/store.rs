//! Who may have which masked value, and how it is made: looked up once per call site.

use std::cell::RefCell;
use std::rc::Rc;

use pgrx::{AnyElement, pg_sys};

use crate::error::{Error, Kind, Result};
use crate::pg::codec::{Codec, Whole};
use crate::pg::heap::{self, Reader, Tid, Unreadable};
use crate::pg::rule::Stated;
use crate::pg::{call, change, spi, user};
use crate::strategies::{Input, Mask, Row, ValueType};
use crate::value::Datum;
use crate::views::list::store as list;
use crate::views::registry::store::{Asked, Registered};

/// The table of the view, where the caller may read the column of the view, and the owner of
/// the view the table: what the server asks of who reads the view, and no less. With it, what the
/// view states of its columns.
fn table(of: &Registered) -> Result<(pg_sys::Oid, Stated)> {
    let (view, stated) = list::found(&of.schema, &of.view, of.id)
        .filter(|(view, _)| heap::kind(*view) == 'v')
        .ok_or_else(|| {
            let what = format!(
                "masked view \"{}.{}\" is not there under that name",
                of.schema, of.view
            );
            stale(what)
        })?;
    let source = heap::relation(&of.source_schema, &of.source_table)
        .filter(|source| *source == stated.table)
        .ok_or_else(|| {
            let what = "has lost its table, which was dropped or renamed";
            stale(format!("masked view \"{}.{}\" {what}", of.schema, of.view))
        })?;
    let denied = || {
        Error::new(
            Kind::Permission,
            format!(
                "permission denied for column \"{}\" of masked view \"{}.{}\"",
                of.column, of.schema, of.view
            ),
        )
    };
    if of.is_materialized || !heap::may_read(view, &of.column, user::current()) {
        return Err(denied().with_hint(
            "Grant SELECT on the masked view itself: a view of somebody else's on it does not \
             pass his right on.",
        ));
    }
    let owner = heap::owner(view);
    if !heap::may_read(source, &of.column, owner) {
        return Err(denied().with_detail("The owner of the view may not read its table."));
    }
    if heap::hides_rows(source, owner) {
        return Err(denied().with_detail(
            "Row-level security hides rows of the table from the owner of the view.",
        ));
    }
    Ok((source, stated))
}

fn stale(what: String) -> Error {
    Error::new(Kind::NotReady, what)
        .with_hint("Make the views again with confiture.create_masked_views.")
}

/// What a call in a view keeps.
pub struct Site {
    asked: Asked,
    /// What was looked up holds for this role, until something was changed.
    user: pg_sys::Oid,
    generation: u64,
    view: Registered,
    source: pg_sys::Oid,
    of: u32,
    mask: Mask,
    /// Whether each input is a list, and where its columns stand among those read.
    inputs: Vec<(bool, Vec<usize>)>,
    /// The column and those of the inputs.
    columns: Vec<String>,
    /// One per table: a partitioned one has several.
    readers: RefCell<Vec<Rc<Reader>>>,
}

impl Site {
    /// Whether it still holds for a call.
    pub fn is_for(&self, asked: Asked) -> bool {
        self.asked == asked
            && self.generation == change::generation()
            && self.user == user::current()
    }

    /// Looks up what a call needs, if the caller may have it at all.
    ///
    /// # Errors
    /// 42501 for who may not; 55000 where the view is not as it was made; as the keys.
    pub fn at(fcinfo: pg_sys::FunctionCallInfo, asked: Asked) -> Result<Self> {
        let generation = change::generation();
        let view = Registered::find(asked)?;
        let (source, stated) = table(&view)?;
        let codec = Codec::at(fcinfo, call::type_of(fcinfo, 4))?;
        let (mask, named) = view.mask(codec.value_type())?;
        let mut columns = vec![view.column.clone()];
        let inputs = named
            .into_iter()
            .map(|named| {
                let from = columns.len();
                columns.extend(named.columns);
                (named.many, (from..columns.len()).collect())
            })
            .collect();
        let site = Self {
            asked,
            user: user::current(),
            generation,
            view,
            source,
            of: codec.oid(),
            mask,
            inputs,
            columns,
            readers: RefCell::default(),
        };
        // What bears a name now need not be what bore it when the view was made, and what the view
        // shows of a row need not be what is masked then.
        for name in &site.columns {
            let now = heap::column(source, name);
            if now.is_none() || now != stated.column(name) {
                return Err(site.stale(name, "was dropped or renamed"));
            }
        }
        Ok(site)
    }

    /// The masked value of a row of the view's table, or of a partition of it.
    ///
    /// # Errors
    /// What the mask returns; 55000 where the row is not one that the statement may see.
    pub fn mask(
        &self,
        fcinfo: pg_sys::FunctionCallInfo,
        relation: pg_sys::Oid,
        tid: Tid,
    ) -> Result<Option<AnyElement>> {
        let reader = self.reader(fcinfo, relation)?;
        let masked = reader.read(tid, |found| {
            let Some(value) = found.column(0) else {
                return Ok(None);
            };
            let texts = (1..self.columns.len())
                .map(|place| found.column(place).map(text_of).transpose())
                .collect::<Result<Vec<_>>>()?;
            let inputs: Vec<_> = self
                .inputs
                .iter()
                .map(|(many, places)| input(*many, places, &texts))
                .collect();
            let row = Row(&inputs);
            let masked = value.each(|value| self.mask.apply(value, row))?;
            reader.codec(0).result(masked)
        })?;
        masked.ok_or_else(|| {
            Error::new(
                Kind::TransactionState,
                format!(
                    "a row of masked view \"{}.{}\" is not one that this statement sees",
                    self.view.schema, self.view.view
                ),
            )
            .with_hint("Read masked views without FOR UPDATE or FOR SHARE.")
        })
    }

    fn reader(
        &self,
        fcinfo: pg_sys::FunctionCallInfo,
        relation: pg_sys::Oid,
    ) -> Result<Rc<Reader>> {
        let mut readers = self.readers.borrow_mut();
        if let Some(place) = readers.iter().position(|r| r.relation() == relation) {
            // The partition that is read at the moment is found first.
            readers.swap(0, place);
            return Ok(Rc::clone(&readers[0]));
        }
        if relation != self.source && !is_partition(relation, self.source)? {
            return Err(Error::new(
                Kind::Permission,
                format!(
                    "the row is not of the table of masked view \"{}.{}\"",
                    self.view.schema, self.view.view
                ),
            ));
        }
        let names: Vec<&str> = self.columns.iter().map(String::as_str).collect();
        let reader = match Reader::at(fcinfo, relation, &names)? {
            Ok(reader) if reader.codec(0).oid() == self.of => Rc::new(reader),
            Ok(_) => return Err(self.stale(&self.view.column, "has another type")),
            Err(Unreadable::Kind) => return Err(self.stale("", "is no table")),
            Err(Unreadable::Column(name)) => {
                return Err(self.stale(&name, "was dropped or renamed"));
            }
        };
        readers.push(Rc::clone(&reader));
        Ok(reader)
    }

    fn stale(&self, column: &str, what: &str) -> Error {
        let table = format!("{}.{}", self.view.source_schema, self.view.source_table);
        let message = match column {
            "" => format!(
                "\"{table}\" behind masked view \"{}.{}\" {what}",
                self.view.schema, self.view.view
            ),
            column => format!(
                "column \"{column}\" of table \"{table}\" {what} since its masked view was made"
            ),
        };
        stale(message)
    }
}

fn is_partition(relation: pg_sys::Oid, of: pg_sys::Oid) -> Result<bool> {
    let root = spi::read(
        "SELECT pg_catalog.pg_partition_root($1::pg_catalog.regclass)::oid",
        &[relation.into()],
        |row| row.get::<pg_sys::Oid>(1),
    )?;
    Ok(root.into_iter().next().flatten() == Some(of))
}

fn input<'a>(many: bool, places: &[usize], texts: &'a [Option<String>]) -> Input<'a> {
    let text = |place: &usize| texts.get(place - 1)?.as_deref();
    match many {
        true => Input::Many(places.iter().filter_map(text).collect()),
        false => places
            .first()
            .and_then(text)
            .map_or(Input::None, Input::One),
    }
}

/// The text form of a value of the types that masks in views may read beside their own.
fn text_of(value: Whole<'_>) -> Result<String> {
    match value {
        Whole::One(Datum::Text(text) | Datum::Numeric(text)) => Ok(text.into_owned()),
        Whole::One(Datum::Int(number)) => Ok(number.to_string()),
        Whole::One(Datum::Uuid(bytes)) => Ok(pgrx::Uuid::from_bytes(bytes).to_string()),
        _ => Err(Error::new(
            Kind::DatatypeMismatch,
            "a column that the mask reads has another type since the masked view was made",
        )),
    }
}

/// What a call in a materialized view keeps: the value comes with the call, as in a run.
pub struct Once {
    asked: Asked,
    codec: Codec,
    mask: Mask,
    /// Whether each input is a list.
    inputs: Vec<bool>,
}

impl Once {
    /// Whether it still holds for a call.
    pub fn is_for(&self, asked: Asked) -> bool {
        self.asked == asked
    }

    /// Looks up what a call needs. The view is filled with the rights of its owner, and for nobody
    /// else is there an answer.
    ///
    /// # Errors
    /// 42704 for a view that is not registered as materialized, or not there; 42501 for others than
    /// its owner; as the keys.
    pub fn at(fcinfo: pg_sys::FunctionCallInfo, asked: Asked) -> Result<Self> {
        let view = Registered::find(asked)?;
        if !view.is_materialized {
            return Err(Error::new(
                Kind::UndefinedObject,
                format!("view \"{}.{}\" is not materialized", view.schema, view.view),
            ));
        }
        let Some((there, stated)) = list::found(&view.schema, &view.view, view.id) else {
            return Err(Error::new(
                Kind::UndefinedObject,
                format!("view \"{}.{}\" does not exist", view.schema, view.view),
            ));
        };
        if !user::has_rights_of(user::current(), heap::owner(there)) {
            return Err(Error::new(
                Kind::Permission,
                format!(
                    "must be owner of masked view \"{}.{}\"",
                    view.schema, view.view
                ),
            )
            .with_detail("The function fills the view, and gives nothing to anybody else."));
        }
        let codec = Codec::at(fcinfo, call::type_of(fcinfo, 2))?;
        // An enum comes as a text.
        let column = stated.column(&view.column);
        let of = match column.is_some_and(|column| heap::is_enum(stated.table, column)) {
            true => ValueType::Enum,
            false => codec.value_type(),
        };
        let (mask, _) = view.mask(of)?;
        let inputs = (3..call::count(fcinfo))
            .map(|place| match call::type_of(fcinfo, place) {
                pg_sys::TEXTOID => Ok(false),
                pg_sys::TEXTARRAYOID => Ok(true),
                _ => Err(Error::new(Kind::DatatypeMismatch, "inputs must be texts")),
            })
            .collect::<Result<_>>()?;
        Ok(Self {
            asked,
            codec,
            mask,
            inputs,
        })
    }

    /// The masked value of the argument.
    ///
    /// # Errors
    /// What the mask returns.
    pub fn mask(&self, fcinfo: pg_sys::FunctionCallInfo) -> Result<Option<AnyElement>> {
        let Some(value) = self.codec.argument(fcinfo, 2) else {
            return Ok(None);
        };
        let inputs: Vec<_> = self
            .inputs
            .iter()
            .zip(3..)
            .map(|(many, place)| match call::input(fcinfo, place, *many) {
                (Some(text), _) => Input::One(text),
                (None, Some(texts)) => Input::Many(texts),
                (None, None) => Input::None,
            })
            .collect();
        let row = Row(&inputs);
        let masked = value.each(|value| self.mask.apply(value, row))?;
        self.codec.result(masked)
    }
}
