//! The structured `where` of a table: column, operator, value; never SQL text.
//!
//! A value keeps the text and the kind it was written with, so that it can become a parameter of a
//! query. The values of a filter are part of the profile and visible to whoever may read it: a
//! filter is no place for personal data.

use super::Place;
use super::fields::{LONGEST_NAME, Reading};
use super::names::shown;
use super::scalar::ScalarKind;
use super::yaml::{Content, Node};

/// One condition: rows are copied for which it is true.
#[derive(Clone, Debug)]
pub struct Condition {
    /// The column, as in the catalog.
    pub column: String,
    /// The comparison.
    pub op: Op,
    /// What the column is compared with: none for a null test, some for `in`, else one.
    pub values: Vec<Literal>,
    /// Where it is written.
    pub place: Place,
}

/// The comparison of a condition.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Op {
    /// `=`
    Eq,
    /// `<>`
    Ne,
    /// `<`
    Lt,
    /// `<=`
    Le,
    /// `>`
    Gt,
    /// `>=`
    Ge,
    /// `in`
    In,
    /// `is_null`
    IsNull,
    /// `is_not_null`
    IsNotNull,
}

impl Op {
    /// Every comparison.
    pub const ALL: [Self; 9] = [
        Self::Eq,
        Self::Ne,
        Self::Lt,
        Self::Le,
        Self::Gt,
        Self::Ge,
        Self::In,
        Self::IsNull,
        Self::IsNotNull,
    ];

    /// The word used in a profile.
    pub fn name(self) -> &'static str {
        match self {
            Self::Eq => "=",
            Self::Ne => "<>",
            Self::Lt => "<",
            Self::Le => "<=",
            Self::Gt => ">",
            Self::Ge => ">=",
            Self::In => "in",
            Self::IsNull => "is_null",
            Self::IsNotNull => "is_not_null",
        }
    }

    /// Reads the word used in a profile.
    pub fn parse(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|op| op.name() == word)
    }

    /// Whether it compares with nothing.
    pub fn is_null_test(self) -> bool {
        matches!(self, Self::IsNull | Self::IsNotNull)
    }
}

/// A value of a filter, as written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Literal {
    /// The kind.
    pub kind: LiteralKind,
    /// The text, without quotes.
    pub text: String,
}

/// The kind of a value of a filter.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LiteralKind {
    /// `true` or `false`; the text is one of these two.
    Bool,
    /// A decimal integer of any length.
    Int,
    /// A decimal number with a fraction or an exponent.
    Number,
    /// A text.
    Text,
}

impl LiteralKind {
    /// The word used in the canonical form.
    pub fn name(self) -> &'static str {
        match self {
            Self::Bool => "bool",
            Self::Int => "int",
            Self::Number => "number",
            Self::Text => "text",
        }
    }
}

/// Reads the list under `where`.
pub(super) fn read(node: &Node, path: &str, reading: &mut Reading) -> Vec<Condition> {
    let items = reading.list(node, path).iter().enumerate();
    items
        .filter_map(|(i, item)| condition(item, &format!("{path}[{i}]"), reading))
        .collect()
}

fn condition(node: &Node, path: &str, reading: &mut Reading) -> Option<Condition> {
    let (column, op, value) = match reading.list(node, path) {
        [column, op] => (column, op, None),
        [column, op, value] => (column, op, Some(value)),
        items => {
            if matches!(node.content, Content::List(_)) {
                let message = format!(
                    "condition has {} elements, but must be [column, operator, value]",
                    items.len()
                );
                reading.error(node.place, path, "value", message, None);
            }
            return None;
        }
    };
    let column = word(column, "column", path, reading);
    let (op_place, op_word) = (op.place, word(op, "operator", path, reading)?);
    let Some(op) = Op::parse(&op_word) else {
        let message = format!("operator \"{}\" is not allowed", shown(&op_word));
        let hint = reading.suggest(
            &op_word,
            "operator",
            Op::ALL.iter().map(|op| op.name()),
            true,
        );
        reading.error(op_place, path, "value", message, hint);
        return None;
    };
    let values = operand(op, value, node, path, reading)?;
    Some(Condition {
        column: column?,
        op,
        values,
        place: node.place,
    })
}

fn word(node: &Node, what: &str, path: &str, reading: &mut Reading) -> Option<String> {
    if let Content::Scalar(scalar) = &node.content
        && scalar.kind != ScalarKind::Null
        && !scalar.text.trim().is_empty()
        && scalar.text.chars().nth(LONGEST_NAME).is_none()
        && !scalar.text.contains(char::is_control)
    {
        return Some(scalar.text.clone());
    }
    let message = format!("{what} of a condition must be a text of 1 to {LONGEST_NAME} characters");
    reading.error(node.place, path, "value", message, None);
    None
}

fn operand(
    op: Op,
    value: Option<&Node>,
    condition: &Node,
    path: &str,
    reading: &mut Reading,
) -> Option<Vec<Literal>> {
    let name = op.name();
    let (node, message) = match (op, value) {
        (Op::IsNull | Op::IsNotNull, None) => return Some(Vec::new()),
        (Op::IsNull | Op::IsNotNull, Some(node)) if node.is_null() => return Some(Vec::new()),
        (Op::IsNull | Op::IsNotNull, Some(node)) => {
            (node, format!("operator \"{name}\" takes no value"))
        }
        (_, None) => (condition, format!("operator \"{name}\" needs a value")),
        (Op::In, Some(node)) => match &node.content {
            Content::List(items) if !items.is_empty() => {
                let literals: Option<Vec<_>> = items.iter().map(literal).collect();
                if literals.is_some() {
                    return literals;
                }
                (
                    node,
                    "list after operator \"in\" must hold scalars, and no null".to_owned(),
                )
            }
            _ => (
                node,
                "operator \"in\" needs a list of at least one value".to_owned(),
            ),
        },
        (_, Some(node)) => match literal(node) {
            Some(literal) => return Some(vec![literal]),
            None => (
                node,
                format!("operator \"{name}\" needs one scalar that is not null"),
            ),
        },
    };
    let hint = value
        .is_some_and(Node::is_null)
        .then(|| "Use \"is_null\" or \"is_not_null\" to test for null.".to_owned());
    reading.error(node.place, path, "value", message, hint);
    None
}

fn literal(node: &Node) -> Option<Literal> {
    let Content::Scalar(scalar) = &node.content else {
        return None;
    };
    let text = scalar.text.clone();
    Some(match scalar.kind {
        ScalarKind::Null => return None,
        ScalarKind::Bool(value) => Literal {
            kind: LiteralKind::Bool,
            text: value.to_string(),
        },
        ScalarKind::Int => Literal {
            kind: LiteralKind::Int,
            text,
        },
        ScalarKind::Number => Literal {
            kind: LiteralKind::Number,
            text,
        },
        ScalarKind::Text => Literal {
            kind: LiteralKind::Text,
            text,
        },
    })
}
