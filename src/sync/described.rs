//! Tables as the signs of personal data see them.

use super::facts::{Column, Side, Table};
use super::fit;
use crate::signs::{self, Access, Sort};
use crate::strategies::ValueType;

/// What the signs need of a table.
pub fn table(table: &Table, side: &Side) -> signs::Table {
    let parts = side.partitions(table.oid);
    signs::Table {
        schema: table.schema.clone(),
        name: table.name.clone(),
        access: if !table.can_select {
            Access::Denied
        } else if table.row_security {
            Access::Filtered
        } else {
            Access::Open
        },
        rows: table.rows + parts.iter().map(|part| part.rows).sum::<f64>(),
        // A foreign partition has no blocks here.
        has_blocks: table.kind != 'f' && parts.iter().all(|part| part.kind != 'f'),
        columns: table
            .columns
            .iter()
            .map(|of| column(of, table, side))
            .collect(),
    }
}

fn column(column: &Column, table: &Table, side: &Side) -> signs::Column {
    let (sort, is_array) = sort(column.type_oid, side);
    let fields = side.base_of(column.type_oid).map_or(Vec::new(), |base| {
        base.attributes
            .iter()
            .map(|field| (field.name.clone(), self::sort(field.type_oid, side).0))
            .collect()
    });
    let is_key = table.constraints.iter().any(|constraint| {
        matches!(constraint.kind, 'p' | 'f') && constraint.columns.contains(&column.name)
    });
    signs::Column {
        name: column.name.clone(),
        sort,
        is_array,
        is_key,
        is_virtual: column.generated == "v",
        fields,
    }
}

/// The sort of a type, for an array that of its elements, and whether it is one.
fn sort(type_oid: u32, side: &Side) -> (Sort, bool) {
    let Some(base) = side.base_of(type_oid) else {
        return (Sort::Other, false);
    };
    if base.is_array {
        let inner = base.inner.and_then(|inner| side.base_of(inner));
        // Arrays of domains are read as what they are over.
        return match inner {
            Some(inner) if !inner.is_array => (sort(inner.oid, side).0, true),
            _ => (Sort::Other, true),
        };
    }
    let sort = match fit::value_type(base) {
        Some(ValueType::Text) => Sort::Text,
        Some(ValueType::Json | ValueType::Jsonb | ValueType::Hstore) => Sort::Json,
        Some(ValueType::Bool) => Sort::Boolean,
        Some(ValueType::Bytes) => Sort::Bytes,
        Some(ValueType::Date | ValueType::Timestamp | ValueType::Timestamptz) => Sort::Date,
        Some(ValueType::Enum) => Sort::Enum,
        Some(ValueType::Inet) => Sort::Inet,
        Some(ValueType::Cidr) => Sort::Network,
        Some(ValueType::Mac | ValueType::Mac8) => Sort::Mac,
        Some(ValueType::Uuid) => Sort::Uuid,
        Some(ValueType::Record) => Sort::Record,
        Some(
            ValueType::Int16
            | ValueType::Int32
            | ValueType::Int64
            | ValueType::Float32
            | ValueType::Float64
            | ValueType::Numeric,
        ) => Sort::Number,
        None if base.schema == "pg_catalog" && base.name == "point" => Sort::Point,
        None if base.schema == "pg_catalog"
            && ["jsonpath", "tsvector", "xml"].contains(&base.name.as_str()) =>
        {
            Sort::Words
        }
        None if base.category == 'D' || base.category == 'T' => Sort::Date,
        None => Sort::Other,
    };
    (sort, false)
}
