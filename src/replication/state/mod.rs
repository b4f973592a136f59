//! What is wrong with the masking of what subscriptions bring: rows that could arrive unmasked, rows that
//! could not be found again, and what has changed since it was set up.

pub mod store;

use crate::error::{Error, Kind};
use crate::pg::ident;

/// What is wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Code {
    /// A column came, went or changed its type.
    Column,
    /// Somebody's trigger is shown the row before it is masked.
    Earlier,
    /// The table has gone.
    Gone,
    /// Rows are looked up by a masked column.
    Identity,
    /// Rows cannot be looked up.
    NoIdentity,
    /// Rows find their partition by a masked column.
    PartitionKey,
    /// The subscription writes changes into files before they are applied.
    Streaming,
    /// The trigger is not as it was made.
    Trigger,
    /// A table of a subscription is not masked at all.
    Unmasked,
    /// The profile has another version in use.
    Version,
}

const WORDS: [(Code, &str); 10] = [
    (Code::Column, "column"),
    (Code::Earlier, "earlier"),
    (Code::Gone, "gone"),
    (Code::Identity, "identity"),
    (Code::NoIdentity, "no identity"),
    (Code::PartitionKey, "partition key"),
    (Code::Streaming, "streaming"),
    (Code::Trigger, "trigger"),
    (Code::Unmasked, "unmasked"),
    (Code::Version, "version"),
];

impl Code {
    /// Reads the word for it.
    pub fn read(word: &str) -> Option<Self> {
        let found = WORDS.iter().find(|(_, known)| *known == word);
        found.map(|(code, _)| *code)
    }

    /// The word for it.
    pub fn name(self) -> &'static str {
        let found = WORDS.iter().find(|(code, _)| *code == self);
        found.map_or("", |(_, word)| word)
    }
}

/// A problem with a table.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    /// What is wrong.
    pub code: Code,
    /// The table's schema.
    pub schema: String,
    /// The table.
    pub table: String,
    /// Of what: a column, a trigger, a subscription, a version.
    pub what: String,
    /// Whether a subscription brings rows there.
    pub is_reached: bool,
}

impl Problem {
    /// The table, as messages show it.
    pub fn shown(&self) -> String {
        format!("\"{}.{}\"", self.schema, self.table)
    }

    /// Whether the server could not do what replication asks of it, or a row would be stored unmasked. The
    /// rest is noticed when a row arrives.
    pub fn is_refused(&self) -> bool {
        !matches!(self.code, Code::Column | Code::Gone | Code::Version)
    }

    /// `high` where a row may be stored or read unmasked, `medium` where changes stop or are lost, `low`
    /// where somebody should know.
    pub fn severity(&self) -> &'static str {
        match self.code {
            Code::Earlier | Code::Streaming | Code::Trigger | Code::Unmasked => "high",
            Code::Column | Code::Identity | Code::NoIdentity | Code::PartitionKey => "medium",
            Code::Gone | Code::Version => "low",
        }
    }

    /// One fact.
    pub fn fact(&self) -> String {
        let (table, what) = (self.shown(), &self.what);
        match self.code {
            Code::Column => format!(
                "column \"{what}\" of table {table} is not as it was when its replication was masked"
            ),
            Code::Earlier => {
                format!("trigger \"{what}\" of table {table} is shown rows before they are masked")
            }
            Code::Gone => format!("table {table} is not there under that name"),
            Code::Identity => format!(
                "column \"{what}\" of table {table} is masked, and subscriptions look rows up by it"
            ),
            Code::NoIdentity => format!(
                "table {table} has neither a primary key nor a replica identity that is an index"
            ),
            Code::PartitionKey => format!(
                "column \"{what}\" of table {table} is masked, and rows find their partition by it"
            ),
            Code::Streaming => format!(
                "subscription \"{what}\" may write changes of table {table} into files before they are masked"
            ),
            Code::Trigger => {
                format!(
                    "the trigger that masks what arrives in table {table} is missing or altered"
                )
            }
            Code::Unmasked => {
                format!(
                    "subscription \"{what}\" brings rows to table {table}, which are not masked"
                )
            }
            Code::Version if what.is_empty() => {
                format!("table {table} is masked by a profile of which no version is in use")
            }
            Code::Version => {
                format!(
                    "table {table} is masked by another version than \"{what}\", which is in use"
                )
            }
        }
    }

    /// What to do about it.
    pub fn remedy(&self) -> String {
        let again = || {
            format!(
                "Call confiture.mask_replication for schema {} again.",
                ident::quote(&self.schema)
            )
        };
        match self.code {
            Code::Column | Code::Trigger => again(),
            Code::Earlier => format!(
                "Give trigger {} a name that comes after \"{}\", or disable it.",
                ident::quote(&self.what),
                super::TRIGGER
            ),
            Code::Gone => format!(
                "Call confiture.unmask_replication for schema {}, and mask what is there again.",
                ident::quote(&self.schema)
            ),
            Code::Identity | Code::NoIdentity => {
                "Give the table a primary key, or a replica identity, of columns that are preserved."
                    .to_owned()
            }
            Code::PartitionKey => "Partition the table by columns that are preserved.".to_owned(),
            Code::Streaming => format!(
                "ALTER SUBSCRIPTION {} SET (streaming = off);",
                ident::quote(&self.what)
            ),
            Code::Unmasked => format!(
                "Name the table in the profile, and call confiture.mask_replication for schema {} before the \
                 subscription takes it.",
                ident::quote(&self.schema)
            ),
            Code::Version => format!(
                "Call confiture.mask_replication again, and have the rows copied again that are there: {}",
                "they are masked by the former version."
            ),
        }
    }

    /// The error that it is.
    pub fn error(&self) -> Error {
        let kind = match self.code {
            Code::Identity | Code::NoIdentity | Code::PartitionKey => Kind::Unsupported,
            _ => Kind::NotReady,
        };
        Error::new(kind, self.fact()).with_hint(self.remedy())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn replication_problems_have_words_and_say_what_to_do() {
        for (code, word) in WORDS {
            assert_eq!((Code::read(word), code.name()), (Some(code), word));
            let problem = Problem {
                code,
                schema: "staging".into(),
                table: "people".into(),
                what: "it".into(),
                is_reached: true,
            };
            let error = problem.error();
            assert!(error.message().contains("\"staging.people\""), "{error}");
            assert!(!error.message().ends_with('.'), "{error}");
            assert!(error.hint().is_some_and(|hint| hint.ends_with(['.', ';'])));
            let is_raw = problem.severity() == "high";
            assert!(!is_raw || problem.is_refused(), "{word}");
        }
        assert_eq!(Code::read("else"), None);
    }
}
