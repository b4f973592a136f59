//! What the catalog of this database says of the tables that rules are about: nothing, where they
//! are not here.

use std::collections::BTreeMap;

/// The tables of one schema, by name.
#[derive(Clone, Debug, Default)]
pub struct Catalog {
    tables: BTreeMap<String, Table>,
}

/// A table.
#[derive(Clone, Debug, Default)]
pub struct Table {
    /// Whether a run can copy it: no view.
    pub is_table: bool,
    /// The partitioned table that it is a part of.
    pub root: Option<String>,
    /// Its columns, by name.
    pub columns: BTreeMap<String, Column>,
}

/// A column.
#[derive(Clone, Debug, Default)]
pub struct Column {
    /// Its type, or that which its domain is over.
    pub type_name: String,
    /// Whether NULL is refused.
    pub not_null: bool,
    /// Labels, of an enum.
    pub labels: Vec<String>,
}

/// What values of a column are like.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Shape {
    /// `boolean`.
    Boolean,
    /// `date`.
    Date,
    /// An enum.
    Enum,
    /// `real` and `double precision`.
    Float,
    /// `smallint`, `integer`, `bigint`.
    Integer,
    /// `numeric`.
    Numeric,
    /// Any other type.
    Other,
    /// `text` and `character varying`.
    Text,
    /// `timestamp`, without or with time zone.
    Timestamp,
    /// The column is not here.
    Unknown,
    /// `uuid`.
    Uuid,
}

impl Catalog {
    /// Takes a table in.
    pub fn insert(&mut self, name: String, table: Table) {
        self.tables.insert(name, table);
    }

    /// The table of a name.
    pub fn table(&self, name: &str) -> Option<&Table> {
        self.tables.get(name)
    }

    /// Takes a column of a table in.
    pub fn add_column(&mut self, table: &str, name: String, column: Column) {
        if let Some(table) = self.tables.get_mut(table) {
            table.columns.insert(name, column);
        }
    }

    /// The column of a table.
    pub fn column(&self, table: &str, column: &str) -> Option<&Column> {
        self.table(table)?.columns.get(column)
    }

    /// What a run can copy by name: tables that are part of no other.
    pub fn whole(&self) -> impl Iterator<Item = &str> {
        let whole = |table: &Table| table.is_table && table.root.is_none();
        self.tables
            .iter()
            .filter(move |(_, table)| whole(table))
            .map(|(name, _)| name.as_str())
    }

    /// Whether a table is part of another.
    pub fn is_part(&self, table: &str) -> bool {
        self.table(table).is_some_and(|table| table.root.is_some())
    }
}

impl Column {
    /// What its values are like.
    pub fn shape(&self) -> Shape {
        if !self.labels.is_empty() {
            return Shape::Enum;
        }
        match self.type_name.as_str() {
            "boolean" => Shape::Boolean,
            "date" => Shape::Date,
            "real" | "double precision" => Shape::Float,
            "smallint" | "integer" | "bigint" => Shape::Integer,
            "numeric" => Shape::Numeric,
            "text" | "character varying" => Shape::Text,
            "timestamp without time zone" | "timestamp with time zone" => Shape::Timestamp,
            "uuid" => Shape::Uuid,
            _ => Shape::Other,
        }
    }
}

/// What a rule must know of its column.
#[derive(Clone, Copy, Debug)]
pub struct Facts<'a> {
    /// What its values are like.
    pub shape: Shape,
    /// Whether NULL is refused, for certain.
    pub not_null: bool,
    /// Labels, of an enum.
    pub labels: &'a [String],
}

impl<'a> Facts<'a> {
    /// Of a column, or of one that is not here.
    pub fn of(column: Option<&'a Column>) -> Self {
        column.map_or(Self::UNKNOWN, |column| Self {
            shape: column.shape(),
            not_null: column.not_null,
            labels: &column.labels,
        })
    }

    /// Of a column that is not here.
    pub const UNKNOWN: Self = Self {
        shape: Shape::Unknown,
        not_null: false,
        labels: &[],
    };
}
