//! The one error type: what went wrong, in PostgreSQL's three parts and with a SQLSTATE.
//!
//! Pure rooms return [`Error`]; `src/pg/report.rs` holds the only conversion into what the server
//! raises. No part of an error ever holds a row value, token, key, seed or provider response:
//! identifiers and words of a profile may be quoted, values are described by length or position.

use std::fmt;

/// The result of everything that can fail.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// One failure. One word wide, so that `Result<T, Error>` stays small.
#[derive(Clone, PartialEq, Eq)]
pub struct Error(Box<Parts>);

#[derive(Clone, PartialEq, Eq)]
struct Parts {
    kind: Kind,
    message: String,
    detail: Option<String>,
    hint: Option<String>,
}

impl Error {
    /// Makes an error from its kind and its primary message: one short fact, lower case first,
    /// no final period.
    pub fn new(kind: Kind, message: impl Into<String>) -> Self {
        Self(Box::new(Parts {
            kind,
            message: message.into(),
            detail: None,
            hint: None,
        }))
    }

    /// Adds the DETAIL: facts, in complete sentences.
    #[must_use]
    pub fn with_detail(mut self, detail: impl Into<String>) -> Self {
        self.0.detail = Some(detail.into());
        self
    }

    /// Adds the HINT: what to do, in complete sentences, only where that is really known.
    #[must_use]
    pub fn with_hint(mut self, hint: impl Into<String>) -> Self {
        self.0.hint = Some(hint.into());
        self
    }

    /// The condition, which decides the SQLSTATE.
    pub fn kind(&self) -> Kind {
        self.0.kind
    }

    /// Whether one value is to blame, and not its type, a parameter or the server.
    pub fn is_about_the_value(&self) -> bool {
        matches!(self.0.kind, Kind::Blank | Kind::Data)
    }

    /// The primary message.
    pub fn message(&self) -> &str {
        &self.0.message
    }

    /// The DETAIL, if there is one.
    pub fn detail(&self) -> Option<&str> {
        self.0.detail.as_deref()
    }

    /// The HINT, if there is one.
    pub fn hint(&self) -> Option<&str> {
        self.0.hint.as_deref()
    }
}

impl fmt::Debug for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Error")
            .field("sqlstate", &self.0.kind.sqlstate())
            .field("message", &self.0.message)
            .field("detail", &self.0.detail)
            .field("hint", &self.0.hint)
            .finish()
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0.message)
    }
}

impl std::error::Error for Error {}

/// The condition behind an error, named after PostgreSQL's own conditions.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// 25001: the statement must be able to commit and cannot.
    ActiveTransaction,
    /// 23514: no value can be made that the constraints of a column accept.
    Check,
    /// 42P17: a definition in the catalog does not allow what was asked.
    Definition,
    /// XX001: a stored record does not pass its own check.
    Corrupt,
    /// 22000: a value says nothing: it is empty or blank, and a strategy needs more.
    Blank,
    /// 22000: a value lies outside what a strategy accepts.
    Data,
    /// 42804: a type does not fit.
    DatatypeMismatch,
    /// 42710: a thing of that name exists already.
    DuplicateObject,
    /// 55006: another run uses it.
    InUse,
    /// 23000: a row would break a constraint of the target.
    IntegrityConstraint,
    /// XX000: a defect of this extension.
    Internal,
    /// 22023: a parameter is not among the accepted ones.
    InvalidParameter,
    /// 22P02: a text does not have the form it should have.
    InvalidText,
    /// 58030: the operating system refused a file operation.
    Io,
    /// 22023: a parameter or an input is not there that is needed for the type at hand.
    MissingParameter,
    /// 55000: something must be set up first.
    NotReady,
    /// 42501: the caller, or the owner of code that would run, lacks the right.
    Permission,
    /// 08P01: an answer from outside the server does not have the form it must have.
    Protocol,
    /// 54000: a built-in limit would be passed.
    ProgramLimit,
    /// 57014: the statement was canceled.
    QueryCanceled,
    /// 28000: credentials shown to something outside the server were not accepted.
    Credentials,
    /// 53400: a limit that somebody has set is reached.
    Exhausted,
    /// 58000: something outside the server failed.
    External,
    /// 25006: nothing can be written here.
    ReadOnly,
    /// What the server reported, for errors of ours that stand in for one of its own.
    Server(Sqlstate),
    /// 53000: something outside the server asks to be called less often.
    Throttled,
    /// 25000: the state of the transaction does not allow what was asked.
    TransactionState,
    /// 42703: a column does not exist.
    UndefinedColumn,
    /// 42P22: it is not certain which collation is meant.
    UndefinedCollation,
    /// 42883: a function does not exist.
    UndefinedFunction,
    /// 42704: a profile, key, run or other object does not exist.
    UndefinedObject,
    /// 3F000: a schema does not exist.
    UndefinedSchema,
    /// 42P01: a table does not exist.
    UndefinedTable,
    /// 08001: something outside the server cannot be reached.
    Unreachable,
    /// 0A000: not offered.
    Unsupported,
    /// 09000: a function that was asked said no.
    Vetoed,
    /// 42809: an object is of another kind than what was asked needs.
    WrongObject,
}

impl Kind {
    /// The five characters of the SQLSTATE (PostgreSQL documentation, appendix A).
    pub fn sqlstate(self) -> Sqlstate {
        let code = match self {
            Self::Server(code) => return code,
            Self::ActiveTransaction => "25001",
            Self::Check => "23514",
            Self::Definition => "42P17",
            Self::Corrupt => "XX001",
            Self::Credentials => "28000",
            Self::Blank | Self::Data => "22000",
            Self::DatatypeMismatch => "42804",
            Self::DuplicateObject => "42710",
            Self::Exhausted => "53400",
            Self::External => "58000",
            Self::InUse => "55006",
            Self::IntegrityConstraint => "23000",
            Self::Internal => "XX000",
            Self::InvalidParameter | Self::MissingParameter => "22023",
            Self::InvalidText => "22P02",
            Self::Io => "58030",
            Self::NotReady => "55000",
            Self::Permission => "42501",
            Self::Protocol => "08P01",
            Self::ProgramLimit => "54000",
            Self::QueryCanceled => "57014",
            Self::ReadOnly => "25006",
            Self::Throttled => "53000",
            Self::TransactionState => "25000",
            Self::UndefinedColumn => "42703",
            Self::UndefinedCollation => "42P22",
            Self::UndefinedFunction => "42883",
            Self::UndefinedObject => "42704",
            Self::UndefinedSchema => "3F000",
            Self::UndefinedTable => "42P01",
            Self::Unreachable => "08001",
            Self::Unsupported => "0A000",
            Self::Vetoed => "09000",
            Self::WrongObject => "42809",
        };
        Sqlstate::new(code)
    }
}

/// Five characters that name a condition.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Sqlstate([u8; 5]);

impl Sqlstate {
    /// Takes the five characters; anything else becomes XX000.
    pub fn new(code: &str) -> Self {
        Self(code.as_bytes().try_into().unwrap_or(*b"XX000"))
    }

    /// The five characters.
    pub fn as_str(&self) -> &str {
        std::str::from_utf8(&self.0).unwrap_or("XX000")
    }

    /// The class: the first two.
    pub fn class(&self) -> &str {
        &self.as_str()[..2]
    }
}

impl fmt::Debug for Sqlstate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// The value of an argument that must not be NULL.
///
/// # Errors
/// 22023 when it is.
pub fn given<T>(argument: &str, value: Option<T>) -> Result<T> {
    value.ok_or_else(|| {
        Error::new(
            Kind::InvalidParameter,
            format!("argument \"{argument}\" must not be null"),
        )
        .with_hint("Pass a value, or leave the argument out where it has a default.")
    })
}

/// A number with its noun: "1 row", "2 rows".
pub fn counted(number: u64, noun: &str) -> String {
    format!("{number} {noun}{}", if number == 1 { "" } else { "s" })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn error_keeps_its_parts() {
        let error = Error::new(Kind::NotReady, "no key")
            .with_detail("There is none.")
            .with_hint("Make one.");
        assert_eq!(error.kind().sqlstate().as_str(), "55000");
        assert_eq!(error.to_string(), "no key");
        assert_eq!(error.detail(), Some("There is none."));
        assert_eq!(error.hint(), Some("Make one."));
    }

    #[test]
    fn error_is_one_word() {
        assert_eq!(size_of::<Error>(), size_of::<usize>());
    }
}
