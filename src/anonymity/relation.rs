//! A relation that is measured, and those of its columns that are asked for.

use crate::error::{Error, Kind, Result};
use crate::pg::ident::{qualified, quote};

/// A relation, as the catalog describes it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Relation {
    /// Its number.
    pub oid: u32,
    /// Its schema.
    pub schema: String,
    /// Its name.
    pub name: String,
    /// `r`, `p`, `v`, `m` or `f`.
    pub kind: char,
    /// Its columns, in their order.
    pub columns: Vec<Column>,
}

/// A column.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Column {
    /// Its name.
    pub name: String,
    /// Its type, as it is written; of a domain the one it is over.
    pub type_name: String,
    /// Number of its type.
    pub type_oid: u32,
    /// Number of its collation, 0 for none.
    pub collation: u32,
    /// What its values are.
    pub of: Of,
    /// Whether values can be told apart by a hash.
    pub is_hashed: bool,
}

/// What values are, as far as it matters here; a domain counts as what it is over.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Of {
    /// Integers of so many bytes.
    Integer(u8),
    /// Numeric.
    Numeric,
    /// Floating point.
    Float,
    /// Dates.
    Date,
    /// Timestamps without time zone.
    Timestamp,
    /// Timestamps with time zone.
    Timestamptz,
    /// Times of day, and intervals.
    Duration,
    /// Texts.
    Text,
    /// Anything else.
    Other,
}

impl Of {
    /// By the name of the server's own type.
    pub fn parse(name: &str) -> Self {
        match name {
            "int2" => Self::Integer(2),
            "int4" => Self::Integer(4),
            "int8" => Self::Integer(8),
            "numeric" => Self::Numeric,
            "float4" | "float8" => Self::Float,
            "date" => Self::Date,
            "timestamp" => Self::Timestamp,
            "timestamptz" => Self::Timestamptz,
            "interval" | "time" => Self::Duration,
            "text" | "varchar" | "bpchar" | "citext" => Self::Text,
            _ => Self::Other,
        }
    }

    /// Whether they are numbers.
    pub fn is_number(self) -> bool {
        matches!(self, Self::Integer(_) | Self::Numeric | Self::Float)
    }

    /// Whether they are numbers or points in time: the distance of two of them is one of numbers.
    pub fn is_measured(self) -> bool {
        self.is_number() || self.is_moment() || self == Self::Duration
    }

    /// Whether they are dates or points in time.
    pub fn is_moment(self) -> bool {
        matches!(self, Self::Date | Self::Timestamp | Self::Timestamptz)
    }
}

impl Relation {
    /// As it is written in SQL.
    pub fn written(&self) -> String {
        qualified(&self.schema, &self.name)
    }

    /// As it is shown in messages.
    pub fn shown(&self) -> String {
        format!("{}.{}", self.schema, self.name)
    }

    /// A column that is asked for.
    ///
    /// # Errors
    /// 42703 when there is none of that name.
    pub fn column(&self, name: &str) -> Result<&Column> {
        let found = self.columns.iter().find(|column| column.name == name);
        found.ok_or_else(|| {
            Error::new(
                Kind::UndefinedColumn,
                format!(
                    "column \"{name}\" of relation \"{}\" does not exist",
                    self.shown()
                ),
            )
        })
    }

    /// The quasi-identifiers that are asked for: at least one, each once.
    ///
    /// # Errors
    /// 22023 for none, for NULL among them and for one that is named twice; 42703.
    pub fn keys(&self, names: &[Option<String>]) -> Result<Vec<Column>> {
        self.list("quasi_identifiers", names)
    }

    /// Columns that an argument lists: at least one, each once.
    ///
    /// # Errors
    /// As [`Self::keys`].
    pub fn list(&self, argument: &str, names: &[Option<String>]) -> Result<Vec<Column>> {
        if names.is_empty() {
            return Err(Error::new(
                Kind::InvalidParameter,
                format!("argument \"{argument}\" must name at least one column"),
            ));
        }
        let mut found: Vec<Column> = Vec::with_capacity(names.len());
        for name in names {
            let Some(name) = name else {
                return Err(Error::new(
                    Kind::InvalidParameter,
                    format!("argument \"{argument}\" must not contain null"),
                ));
            };
            let column = self.column(name)?;
            if found.contains(column) {
                return Err(Error::new(
                    Kind::InvalidParameter,
                    format!("argument \"{argument}\" names column \"{name}\" twice"),
                ));
            }
            found.push(column.clone());
        }
        Ok(found)
    }

    /// The sensitive column that is asked for.
    ///
    /// # Errors
    /// 22023 where it is one of the quasi-identifiers; 42703.
    pub fn sensitive(&self, name: &str, keys: &[Column]) -> Result<Column> {
        let column = self.column(name)?;
        if keys.contains(column) {
            return Err(Error::new(
                Kind::InvalidParameter,
                format!("column \"{name}\" is named as quasi-identifier and as sensitive"),
            )
            .with_detail("In a class of equal quasi-identifiers it would have one value."));
        }
        Ok(column.clone())
    }
}

impl Column {
    /// As it is written in SQL.
    pub fn written(&self) -> String {
        quote(&self.name)
    }
}

/// Names of columns, as a sentence lists them.
pub fn shown(columns: &[Column]) -> String {
    let names: Vec<_> = columns.iter().map(|column| column.name.as_str()).collect();
    names.join(", ")
}

/// Splits a list of names written as in SQL: `a, "B, b"`. A name without quotes is folded to lower
/// case, as the server does.
///
/// # Errors
/// 22023 for what is no such list.
pub fn split(list: &str) -> Result<Vec<Option<String>>> {
    let wrong = || {
        Error::new(
            Kind::InvalidParameter,
            "the list of columns is not written as in SQL",
        )
        .with_hint("Write names with commas between them: a, \"B\".")
    };
    let mut names = Vec::new();
    let mut rest = list.trim();
    loop {
        let (name, after) = match rest.strip_prefix('"') {
            Some(quoted) => quoted_name(quoted).ok_or_else(wrong)?,
            None => {
                let end = rest.find(',').unwrap_or(rest.len());
                let name = rest[..end].trim();
                if name.is_empty() || name.contains('"') || name.contains(char::is_whitespace) {
                    return Err(wrong());
                }
                (name.to_lowercase(), &rest[end..])
            }
        };
        if name.is_empty() {
            return Err(wrong());
        }
        names.push(Some(name));
        rest = after.trim_start();
        if rest.is_empty() {
            return Ok(names);
        }
        rest = rest.strip_prefix(',').ok_or_else(wrong)?.trim_start();
    }
}

fn quoted_name(text: &str) -> Option<(String, &str)> {
    let mut name = String::new();
    let mut rest = text;
    loop {
        let end = rest.find('"')?;
        name.push_str(&rest[..end]);
        rest = &rest[end + 1..];
        match rest.strip_prefix('"') {
            Some(more) => {
                name.push('"');
                rest = more;
            }
            None => return Some((name, rest)),
        }
    }
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;

    /// A relation of some columns.
    pub(crate) fn relation(columns: &[(&str, Of)]) -> Relation {
        let column = |(name, of): &(&str, Of)| Column {
            name: (*name).to_owned(),
            type_name: "text".to_owned(),
            type_oid: 25,
            collation: 100,
            of: *of,
            is_hashed: true,
        };
        Relation {
            oid: 1,
            schema: "s".to_owned(),
            name: "t\"x".to_owned(),
            kind: 'r',
            columns: columns.iter().map(column).collect(),
        }
    }

    fn names(names: &[&str]) -> Vec<Option<String>> {
        names.iter().map(|name| Some((*name).to_owned())).collect()
    }

    #[test]
    fn columns_are_there_once_and_not_sensitive_too() {
        let relation = relation(&[("a", Of::Text), ("b", Of::Other)]);
        let kind = |result: Result<Vec<Column>>| result.map(|_| ()).map_err(|e| e.kind());
        assert_eq!(kind(relation.keys(&names(&["a", "b"]))), Ok(()));
        assert_eq!(
            kind(relation.keys(&names(&["a", "c"]))),
            Err(Kind::UndefinedColumn)
        );
        for wrong in [names(&["a", "a"]), vec![None], Vec::new()] {
            assert_eq!(kind(relation.keys(&wrong)), Err(Kind::InvalidParameter));
        }
        let keys = relation.keys(&names(&["a"])).expect("there");
        assert!(relation.sensitive("b", &keys).is_ok());
        assert!(relation.sensitive("a", &keys).is_err());
        assert_eq!(relation.written(), "\"s\".\"t\"\"x\"");
    }

    #[test]
    fn lists_are_split_as_sql_writes_them() {
        let of = |list: &str| split(list).map_err(|error| error.kind());
        assert_eq!(of("a,b"), Ok(names(&["a", "b"])));
        assert_eq!(
            of(" Age , \"Post, \"\"Code\" "),
            Ok(names(&["age", "Post, \"Code"]))
        );
        for wrong in ["", " ", "a,", ",a", "a b", "\"a", "\"\"", "a\"b", "\"a\"b"] {
            assert_eq!(of(wrong), Err(Kind::InvalidParameter), "{wrong}");
        }
    }
}
