//! Whether a strategy fits a column: type, length, uniqueness.

use super::facts::{Column, Side, Type};
use crate::error::{Error, Kind, Result};
use crate::strategies::{self, Properties, Strategy, Value, ValueType};

/// How a column's values are replaced.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum How {
    /// By a mask, called with values of that type.
    Mask(ValueType),
    /// By a constant, written as a literal of the column's type.
    Constant(String),
}

/// Finds how a strategy replaces the values of a column.
///
/// `replacement` is the parameter of that name where the profile gives one: a constant for types
/// that are no text.
///
/// # Errors
/// 42804 when the strategy does not fit the type, 22023 when it may write more than fits.
pub fn of(
    strategy: &Strategy,
    replacement: Option<&Value>,
    column: &Column,
    side: &Side,
    place: &str,
) -> Result<How> {
    let Some(base) = side.base_of(column.type_oid) else {
        return Err(Error::new(
            Kind::Internal,
            format!("type of column {place} is not known"),
        ));
    };
    let name = strategy.kind().name();
    if let Some(of) = value_type(base) {
        let constant_redaction =
            strategy.kind() == strategies::Kind::Redact && of != ValueType::Text;
        if !constant_redaction {
            if !strategy.accepts(of) {
                return Err(mismatch(name, column, Some(of), place));
            }
            if of == ValueType::Text {
                fits_length(strategy, column, side, place)?;
            }
            return Ok(How::Mask(of));
        }
    }
    if strategy.kind() != strategies::Kind::Redact {
        return Err(mismatch(name, column, None, place));
    }
    match (replacement, neutral(base)) {
        (Some(Value::Text(text)), _) => Ok(How::Constant(text.clone())),
        (Some(Value::Int(number)), _) => Ok(How::Constant(number.to_string())),
        (Some(Value::Bool(word)), _) => Ok(How::Constant(word.to_string())),
        (None, Some(text)) => Ok(How::Constant(text.to_owned())),
        (None, None) => Err(Error::new(
            Kind::DatatypeMismatch,
            format!(
                "strategy \"redact\" has no neutral value for column {place} of type {}",
                column.type_name
            ),
        )
        .with_hint("Give one with the parameter \"replacement\", or exclude the column.")),
    }
}

/// The bits that two different values of a column collide with, at most 2^-bits: what uniqueness
/// can rest on.
pub fn collision_bits(strategy: &Strategy, how: &How) -> u32 {
    match how {
        How::Constant(_) => 0,
        How::Mask(of) => match (strategy.kind(), of) {
            (strategies::Kind::Hash, ValueType::Int16) => 15,
            (strategies::Kind::Hash, ValueType::Int32) => 31,
            (strategies::Kind::Hash, ValueType::Int64) => 63,
            (strategies::Kind::Hash, ValueType::Uuid) => 122,
            _ => strategy.properties().collision_bits.unwrap_or(0),
        },
    }
}

/// Whether a column stays unique over that many rows with a chance of failure below 2^-40.
pub fn stays_unique(properties: Properties, bits: u32, rows: f64) -> bool {
    properties.injective || 2.0 * rows.max(2.0).log2() + 40.0 <= f64::from(bits)
}

/// What a mask may be called with, for the types it can be called with.
pub fn value_type(base: &Type) -> Option<ValueType> {
    match base.oid {
        17 => Some(ValueType::Bytes),
        20 => Some(ValueType::Int64),
        21 => Some(ValueType::Int16),
        23 => Some(ValueType::Int32),
        2950 => Some(ValueType::Uuid),
        // text, varchar, char(n), name, and what is written like them (citext).
        _ if base.category == 'S' && base.kind == 'b' => Some(ValueType::Text),
        _ => None,
    }
}

/// The literal that says nothing, of a type whose values cannot be replaced by text.
fn neutral(base: &Type) -> Option<&'static str> {
    if base.is_array {
        return Some("{}");
    }
    if base.schema != "pg_catalog" {
        return None;
    }
    match base.name.as_str() {
        "json" | "jsonb" => Some("{}"),
        "inet" => Some("0.0.0.0"),
        "cidr" => Some("0.0.0.0/0"),
        "macaddr" => Some("00:00:00:00:00:00"),
        "macaddr8" => Some("00:00:00:00:00:00:00:00"),
        "uuid" => Some("00000000-0000-0000-0000-000000000000"),
        "bytea" | "tsvector" | "tsquery" => Some(""),
        "date" | "timestamp" => Some("1970-01-01"),
        "timestamptz" => Some("1970-01-01 00:00:00+00"),
        "time" => Some("00:00"),
        "timetz" => Some("00:00+00"),
        "interval" | "money" => Some("0"),
        "bool" => Some("false"),
        "point" => Some("(0,0)"),
        _ if base.category == 'N' && base.kind == 'b' && !base.name.starts_with("reg") => Some("0"),
        _ if base.kind == 'r' => Some("empty"),
        _ if base.kind == 'm' => Some("{}"),
        _ => None,
    }
}

fn fits_length(strategy: &Strategy, column: &Column, side: &Side, place: &str) -> Result<()> {
    let mut limit = column.max_chars;
    let mut of = side.type_of(column.type_oid);
    while let Some(domain) = of.filter(|of| of.kind == 'd') {
        limit = limit.into_iter().chain(domain.max_chars).min();
        of = domain.inner.and_then(|inner| side.type_of(inner));
    }
    let Some(limit) = limit else { return Ok(()) };
    match strategy.output_limit(Some(limit)) {
        Some(longest) if longest <= limit => Ok(()),
        longest => {
            let longest = longest.map_or("any number of".to_owned(), |n| n.to_string());
            Err(Error::new(
                Kind::InvalidParameter,
                format!(
                    "strategy \"{}\" writes more than column {place} holds",
                    strategy.kind().name()
                ),
            )
            .with_detail(format!(
                "It writes up to {longest} characters, the column holds {limit}."
            ))
            .with_hint(
                "Shorten its output with the strategy's parameters, or choose another strategy.",
            ))
        }
    }
}

fn mismatch(strategy: &str, column: &Column, of: Option<ValueType>, place: &str) -> Error {
    let accepting: Vec<_> = strategies::Kind::ALL
        .into_iter()
        .filter(|kind| *kind == strategies::Kind::Redact || of.is_some_and(|of| kind.accepts(of)))
        .map(strategies::Kind::name)
        .collect();
    Error::new(
        Kind::DatatypeMismatch,
        format!(
            "strategy \"{strategy}\" does not fit column {place} of type {}",
            column.type_name
        ),
    )
    .with_hint(format!(
        "Use {}, or exclude the column.",
        accepting.join(" or ")
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fit_uniqueness_needs_twice_the_rows_in_bits_and_forty_more() {
        let properties = Strategy::new(strategies::Kind::Email, &Default::default())
            .unwrap()
            .properties();
        assert!(stays_unique(properties, 80, 1e6));
        assert!(!stays_unique(properties, 80, 2e6));
        assert!(!stays_unique(properties, 32, 10.0));
        assert!(!stays_unique(properties, 0, 1.0));
    }
}
