//! Signs that a column is personal: what its name, its type, its table and its values say.
//!
//! `names` and `tables` read names by a vocabulary of five languages, `values` tallies values as
//! they go by and keeps none, `judge` weighs both. Everything here is pure but `store`, which reads
//! planner statistics and samples with the rights of the caller. No result holds a value.

pub mod category;
pub mod definitions;
pub mod document;
pub mod judge;
pub mod look;
pub mod names;
pub mod propose;
pub mod store;
pub mod tables;
pub mod values;
pub mod vocabulary;
pub mod words;

pub use category::Category;
pub use judge::{Verdict, judge};
pub use look::{look, look_at_values};

/// From here on a column looks personal.
pub const PERSONAL: f64 = 0.5;

/// A table, as far as its columns are judged.
#[derive(Clone, Debug)]
pub struct Table {
    /// Schema.
    pub schema: String,
    /// Name.
    pub name: String,
    /// Whether its rows can be sampled, and if not, why.
    pub access: Access,
    /// Estimate of its rows.
    pub rows: f64,
    /// Whether it can be sampled by blocks.
    pub has_blocks: bool,
    /// Its columns.
    pub columns: Vec<Column>,
}

/// Whether rows of a table may be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Access {
    /// They may.
    Open,
    /// The caller lacks SELECT.
    Denied,
    /// Row-level security would hide some.
    Filtered,
}

/// A column.
#[derive(Clone, Debug)]
pub struct Column {
    /// Name.
    pub name: String,
    /// What sort of values it holds; for an array, its elements.
    pub sort: Sort,
    /// Whether it holds arrays of them.
    pub is_array: bool,
    /// Whether it is (part of) a primary key, or refers to another table.
    pub is_key: bool,
    /// Whether its value is computed when it is read.
    pub is_virtual: bool,
    /// Names and sorts of the fields of a composite type.
    pub fields: Vec<(String, Sort)>,
}

/// What sort of values a type has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sort {
    /// Yes or no.
    Boolean,
    /// Bytes.
    Bytes,
    /// Days and points in time.
    Date,
    /// One of some labels.
    Enum,
    /// Network addresses.
    Inet,
    /// Documents.
    Json,
    /// Machine addresses.
    Mac,
    /// Networks.
    Network,
    /// Numbers.
    Number,
    /// Points on a plane.
    Point,
    /// Values made of fields.
    Record,
    /// Texts.
    Text,
    /// Uuids.
    Uuid,
    /// What is written with words in it but is no text: markup, lexemes, paths.
    Words,
    /// Anything else.
    Other,
}

impl Column {
    /// The column, as far as nobody calls it anything.
    fn nameless(&self) -> Self {
        Self {
            name: String::new(),
            fields: Vec::new(),
            ..*self
        }
    }

    /// Whether its values can be looked into.
    pub fn is_readable(&self) -> bool {
        !self.is_virtual
            && match self.sort {
                Sort::Record | Sort::Text | Sort::Words => true,
                Sort::Json => !self.is_array,
                _ => false,
            }
    }
}
