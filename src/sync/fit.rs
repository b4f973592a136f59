//! Whether a strategy fits a column: type, length, uniqueness.

use super::facts::{Attribute, Column, Side, Type};
use crate::error::{Error, Kind, Result};
use crate::profile::Rule;
use crate::strategies::nested::{Action, Spec};
use crate::strategies::rows::record::Record;
use crate::strategies::token::TokenFormat;
use crate::strategies::{self, InputSpec, Strategy, Value, ValueType};

/// How a column's values are replaced.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum How {
    /// By a mask, called with every value.
    Mask(Call),
    /// By a constant, written as a literal of the column's type.
    Constant(String),
    /// By the default of the column.
    Default,
    /// By NULL.
    Null,
    /// Field by field.
    Record(Vec<Field>),
    /// By another row's value; columns of one group move together.
    Shuffle(Option<String>),
}

/// What becomes of a field of a composite value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Field {
    /// Its name.
    pub name: String,
    /// Number of its type.
    pub type_oid: u32,
    /// What becomes of it.
    pub how: FieldHow,
}

/// How a field is replaced.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum FieldHow {
    /// Not at all.
    Keep,
    /// By a mask.
    Mask(Spec, Call),
    /// By NULL.
    Null,
}

/// How a mask is called.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Call {
    /// What it is called with; for an array, the type of its elements.
    pub of: ValueType,
    /// Whether it is called for every element of an array.
    pub is_array: bool,
    /// What else of the row it reads, in the order of the strategy's definition.
    pub inputs: Vec<Given>,
    /// The form of the tokens, where it is the vault that replaces the values.
    pub token: Option<TokenFormat>,
}

/// An input of a mask.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Given {
    /// Whether it is a list of columns.
    pub many: bool,
    /// The columns; none when the rule does not name any.
    pub columns: Vec<String>,
}

/// Finds how a rule replaces the values of a column.
///
/// `replacement` is the parameter of that name where the profile gives one: a constant for types
/// that are no text.
///
/// # Errors
/// 42804 when the strategy does not fit the type, 22023 when it may write more than fits, or NULL
/// where NULL is refused.
pub fn of(
    rule: &Rule,
    replacement: Option<&Value>,
    token: Option<TokenFormat>,
    column: &Column,
    side: &Side,
    place: &str,
) -> Result<How> {
    let strategy = rule.resolved.as_ref();
    let Some(base) = side.base_of(column.type_oid) else {
        return Err(Error::new(
            Kind::Internal,
            format!("type of column {place} is not known"),
        ));
    };
    let how = match strategy.kind() {
        strategies::Kind::Constant => match strategy.effective_params().get("replacement") {
            Some(Value::Text(text)) => Some(How::Constant(text.clone())),
            _ => None,
        },
        strategies::Kind::Null => Some(How::Null),
        strategies::Kind::Default => Some(default(column, place)?),
        strategies::Kind::Record => Some(record(strategy, base, column, side, place)?),
        strategies::Kind::Redact => redaction(strategy, replacement, base, column, place)?,
        strategies::Kind::Shuffle => Some(How::Shuffle(
            match strategy.effective_params().get("group") {
                Some(Value::Text(group)) if !group.is_empty() => Some(group.clone()),
                _ => None,
            },
        )),
        _ => None,
    };
    let how = match how {
        Some(how) => how,
        None => How::Mask(call(rule, token, base, column, side, place)?),
    };
    let gives_null = match &how {
        How::Mask(call) => !call.is_array && strategy.properties(call.of).gives_null,
        How::Null => true,
        How::Constant(_) | How::Default | How::Record(_) | How::Shuffle(_) => false,
    };
    if gives_null && column.not_null {
        return Err(Error::new(
            Kind::InvalidParameter,
            format!(
                "strategy \"{}\" may write NULL into column {place}, which must not be null",
                strategy.kind().name()
            ),
        ));
    }
    Ok(how)
}

fn default(column: &Column, place: &str) -> Result<How> {
    if column.not_null && column.default.is_none() && column.identity.is_empty() {
        return Err(Error::new(
            Kind::Definition,
            format!("column {place} has no default and must not be null"),
        )
        .with_hint("Redact it instead."));
    }
    Ok(How::Default)
}

/// Every field of the type, as the strategy says; a field it names must be there.
fn record(
    strategy: &Strategy,
    base: &Type,
    column: &Column,
    side: &Side,
    place: &str,
) -> Result<How> {
    if base.kind != 'c' {
        return Err(mismatch(strategy.kind().name(), column, None, place));
    }
    let record = Record::of(strategy.effective_params())?;
    let names = || base.attributes.iter().map(|field| field.name.as_str());
    if let Some(missing) = record
        .names()
        .find(|name| names().all(|field| field != *name))
    {
        let error = Error::new(
            Kind::UndefinedColumn,
            format!("field \"{missing}\" of column {place} does not exist"),
        );
        return Err(match strategies::nearest(missing, names()) {
            Some(near) => error.with_hint(format!("Did you mean \"{near}\"?")),
            None => error,
        });
    }
    let field = |field: &Attribute| {
        let how = match record.action(&field.name) {
            Action::Keep => FieldHow::Keep,
            Action::Null | Action::Drop => FieldHow::Null,
            Action::Mask(spec) => {
                let of = side.base_of(field.type_oid);
                let element = of.filter(|of| of.is_array).and_then(|of| of.inner);
                let element = element.and_then(|inner| side.base_of(inner));
                let taken = element.or(of).and_then(value_type);
                let Some(taken) = taken.filter(|of| spec.strategy().accepts(*of)) else {
                    return Err(Error::new(
                        Kind::DatatypeMismatch,
                        format!(
                            "strategy \"{}\" does not fit field \"{}\" of column {place} of type {}",
                            spec.strategy().kind().name(),
                            field.name,
                            field.type_name
                        ),
                    ));
                };
                let call = Call {
                    of: taken,
                    is_array: element.is_some(),
                    inputs: Vec::new(),
                    token: None,
                };
                if taken == ValueType::Text {
                    // A field is cast to its type, which would cut it off.
                    let longest = |most| spec.strategy().output_limit(Some(most));
                    fits_length(
                        (spec.strategy().kind().name(), &longest),
                        (field.type_oid, field.max_chars),
                        side,
                        &format!("field \"{}\" of column {place}", field.name),
                    )?;
                }
                FieldHow::Mask(spec, call)
            }
        };
        Ok(Field {
            name: field.name.clone(),
            type_oid: field.type_oid,
            how,
        })
    };
    let fields = base.attributes.iter().map(field);
    Ok(How::Record(fields.collect::<Result<_>>()?))
}

fn call(
    rule: &Rule,
    token: Option<TokenFormat>,
    base: &Type,
    column: &Column,
    side: &Side,
    place: &str,
) -> Result<Call> {
    let strategy = rule.resolved.as_ref();
    let name = strategy.kind().name();
    let element = match base.inner {
        Some(inner) if base.is_array => side.base_of(inner),
        _ => None,
    };
    let of = value_type(element.unwrap_or(base));
    let Some(of) = of.filter(|of| strategy.accepts(*of)) else {
        let error = mismatch(name, column, of, place);
        return Err(match of.and_then(|of| strategy.instead(of)) {
            Some(hint) => error.with_hint(hint),
            None => error,
        });
    };
    if let Some(parameter) = strategy.misplaced(of, &rule.options) {
        return Err(Error::new(
            Kind::InvalidParameter,
            format!(
                "parameter \"{parameter}\" of strategy \"{name}\" has no meaning for column {place} of type {}",
                column.type_name
            ),
        ));
    }
    if of == ValueType::Enum {
        has_labels(strategy, element.unwrap_or(base), place)?;
    }
    if token.is_some() && element.is_some() {
        return Err(mismatch_of_parts(name, column, place));
    }
    if of == ValueType::Text {
        let longest = |most| match &token {
            Some(form) => Some(form.longest(most)),
            None => strategy.output_limit(Some(most)),
        };
        fits_length(
            (name, &longest),
            (column.type_oid, column.max_chars),
            side,
            &format!("column {place}"),
        )?;
    }
    let definition = strategy.kind().definition();
    let lacking = strategy.lacks(|name| rule.inputs.contains_key(name));
    let named = |spec: &&InputSpec| Some(spec.name) == lacking;
    if let Some(spec) = definition.inputs.iter().find(named) {
        return Err(Error::new(
            Kind::InvalidParameter,
            format!(
                "rule of column {place} must name the input \"{}\" of strategy \"{name}\"",
                spec.name
            ),
        )
        .with_detail(spec.about));
    }
    let inputs = if rule.inputs.is_empty() {
        Vec::new()
    } else {
        definition
            .inputs
            .iter()
            .map(|spec| Given {
                many: spec.many,
                columns: rule.inputs.get(spec.name).cloned().unwrap_or_default(),
            })
            .collect()
    };
    Ok(Call {
        of,
        is_array: element.is_some(),
        inputs,
        token,
    })
}

/// Whatever an enum may become must be one of its labels, or a row would be the first to tell.
fn has_labels(strategy: &Strategy, of: &Type, place: &str) -> Result<()> {
    if strategy.writes_only(&of.labels) {
        return Ok(());
    }
    Err(Error::new(
        Kind::InvalidParameter,
        format!(
            "strategy \"{}\" may write what is no label of column {place}",
            strategy.kind().name()
        ),
    )
    .with_detail(match of.labels.as_slice() {
        [] => "Its type has no labels.".to_owned(),
        labels => format!("The labels are {}.", labels.join(", ")),
    }))
}

/// Redacting means a constant, but for texts, where it may keep the length.
fn redaction(
    strategy: &Strategy,
    replacement: Option<&Value>,
    base: &Type,
    column: &Column,
    place: &str,
) -> Result<Option<How>> {
    if value_type(base) == Some(ValueType::Text) {
        return Ok(None);
    }
    match (replacement, neutral(base)) {
        (Some(Value::Text(text)), _) => Ok(Some(How::Constant(text.clone()))),
        (Some(Value::Int(number)), _) => Ok(Some(How::Constant(number.to_string()))),
        (Some(Value::Bool(word)), _) => Ok(Some(How::Constant(word.to_string()))),
        (_, Some(text)) => Ok(Some(How::Constant(text.to_owned()))),
        (_, None) => Err(Error::new(
            Kind::DatatypeMismatch,
            format!(
                "strategy \"{}\" has no neutral value for column {place} of type {}",
                strategy.kind().name(),
                column.type_name
            ),
        )
        .with_hint("Give one with the parameter \"replacement\", or exclude the column.")),
    }
}

/// What a mask may be called with, for the types it can be called with.
pub fn value_type(base: &Type) -> Option<ValueType> {
    match base.oid {
        16 => Some(ValueType::Bool),
        17 => Some(ValueType::Bytes),
        20 => Some(ValueType::Int64),
        21 => Some(ValueType::Int16),
        23 => Some(ValueType::Int32),
        114 => Some(ValueType::Json),
        650 => Some(ValueType::Cidr),
        700 => Some(ValueType::Float32),
        701 => Some(ValueType::Float64),
        774 => Some(ValueType::Mac8),
        829 => Some(ValueType::Mac),
        869 => Some(ValueType::Inet),
        1082 => Some(ValueType::Date),
        1114 => Some(ValueType::Timestamp),
        1184 => Some(ValueType::Timestamptz),
        1700 => Some(ValueType::Numeric),
        2950 => Some(ValueType::Uuid),
        3802 => Some(ValueType::Jsonb),
        _ if base.kind == 'c' => Some(ValueType::Record),
        _ if base.kind == 'e' => Some(ValueType::Enum),
        _ if base.kind == 'b' && base.name == "hstore" => Some(ValueType::Hstore),
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

/// A mask writes no more than its place holds: an array no more into each element.
fn fits_length(
    (strategy, longest): (&str, &dyn Fn(usize) -> Option<usize>),
    (type_oid, mut limit): (u32, Option<usize>),
    side: &Side,
    place: &str,
) -> Result<()> {
    let mut of = side.type_of(type_oid);
    while let Some(around) = of.filter(|of| of.kind == 'd' || of.is_array) {
        limit = limit.into_iter().chain(around.max_chars).min();
        of = around.inner.and_then(|inner| side.type_of(inner));
    }
    let Some(limit) = limit else { return Ok(()) };
    match longest(limit) {
        Some(longest) if longest <= limit => Ok(()),
        longest => {
            let longest = longest.map_or("any number of".to_owned(), |n| n.to_string());
            Err(Error::new(
                Kind::InvalidParameter,
                format!("strategy \"{strategy}\" writes more than {place} holds"),
            )
            .with_detail(format!(
                "It writes up to {longest} characters, and {limit} fit."
            ))
            .with_hint(
                "Shorten its output with the strategy's parameters, or choose another strategy.",
            ))
        }
    }
}

fn mismatch(strategy: &str, column: &Column, of: Option<ValueType>, place: &str) -> Error {
    let accepting: Vec<_> = strategies::Kind::ALL
        .iter()
        .filter(|kind| ANY_TYPE.contains(kind) || of.is_some_and(|of| kind.accepts(of)))
        .map(|kind| kind.name())
        .collect();
    Error::new(
        Kind::DatatypeMismatch,
        format!(
            "strategy \"{strategy}\" does not fit column {place} of type {}",
            column.type_name
        ),
    )
    .with_hint(format!(
        "Use one of {}, or exclude the column.",
        accepting.join(", ")
    ))
}

/// A token stands for a whole value.
fn mismatch_of_parts(strategy: &str, column: &Column, place: &str) -> Error {
    Error::new(
        Kind::DatatypeMismatch,
        format!(
            "strategy \"{strategy}\" does not fit column {place} of type {}",
            column.type_name
        ),
    )
    .with_detail("A run makes the tokens of whole values, not of the elements of an array.")
    .with_hint("Use another strategy, or a table that has the elements in rows.")
}

/// The strategies that fit every column.
const ANY_TYPE: [strategies::Kind; 5] = [
    strategies::Kind::Constant,
    strategies::Kind::Default,
    strategies::Kind::Null,
    strategies::Kind::Redact,
    strategies::Kind::Shuffle,
];
