//! YAML in, checked profile out; and from a profile, the seed of every rule.
//!
//! A profile comes from whoever may load one, so it is read as hostile input: bounded in size,
//! depth and nodes, never executed, and refused with a line and a column for anything that is not
//! understood. Reading collects every problem it can; only a document without errors becomes a
//! [`Profile`]. No problem ever holds a seed, the value of an environment variable or a value of a
//! filter.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

use crate::error::{Error, Kind as ErrorKind, Result};
use crate::strategies::params::Params;
use crate::strategies::{Kind, Seed, Strategy};

pub mod acknowledge;
pub mod canonical;
pub mod document;
mod fields;
pub mod filter;
mod names;
pub mod news;
mod parse;
pub mod privacy;
mod scalar;
pub mod scope;
pub mod seed;
pub mod sql;
pub mod store;
mod tables;
#[cfg(test)]
mod tests;
pub mod written;
mod yaml;

pub use acknowledge::Acknowledged;
pub use filter::{Condition, Literal, LiteralKind, Op};
pub use parse::read;
pub use seed::SeedOrigin;
pub use yaml::{Bounds, MAX_ALIASES, MAX_BYTES, MAX_DEPTH, MAX_NODES, MAX_TEXT};

/// Reads a profile that must be right; also returns its warnings.
///
/// # Errors
/// The first error of the document: [`ErrorKind::InvalidText`] if it is not the YAML accepted here,
/// [`ErrorKind::InvalidParameter`] if a word or value in it is refused.
pub fn load(yaml: &[u8]) -> Result<(Profile, Vec<Problem>)> {
    let (profile, problems) = read(yaml);
    if let Some(profile) = profile {
        return Ok((profile, problems));
    }
    let errors = problems
        .iter()
        .filter(|p| p.severity == Severity::Error)
        .count();
    let Some(first) = problems.into_iter().find(|p| p.severity == Severity::Error) else {
        return Err(Error::new(
            ErrorKind::Internal,
            "profile was refused without a problem",
        ));
    };
    Err(first.into_error(errors - 1))
}

/// A checked profile.
#[derive(Clone, Debug)]
pub struct Profile {
    /// The name under which it is stored.
    pub name: String,
    /// The version, as written.
    pub version: String,
    /// What it is for, in the words of its author.
    pub description: Option<String>,
    /// The seed of every rule that has none of its own.
    pub global_seed: SeedSource,
    /// What happens to columns that no rule names.
    pub coverage: Coverage,
    /// The strategies, by the name that rules use.
    pub strategies: BTreeMap<String, StrategyRef>,
    /// The tables, in the order of the document.
    pub tables: Vec<Table>,
    /// What a subset begins with; empty when no subset is taken.
    pub subset: Vec<scope::Seed>,
    /// Foreign keys that the catalog does not know.
    pub foreign_keys: Vec<scope::ForeignKey>,
    /// Tables that are left out on purpose.
    pub exclude_tables: Vec<scope::Excluded>,
    /// What tables of the target must hold to.
    pub gates: Vec<scope::Gate>,
    /// The budget that its noise is charged to.
    pub privacy: Option<privacy::Privacy>,
    /// Warnings of a plan that may stand.
    pub acknowledge: Vec<Acknowledged>,
}

/// What happens to columns that a profile does not name.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Coverage {
    /// Copied and counted.
    Copy,
    /// Refused if they look personal, else copied and counted.
    #[default]
    Detect,
    /// Refused.
    Strict,
}

impl Coverage {
    /// Every coverage, by name.
    pub const ALL: [Self; 3] = [Self::Copy, Self::Detect, Self::Strict];

    /// The word used in a profile.
    pub fn name(self) -> &'static str {
        match self {
            Self::Copy => "copy",
            Self::Detect => "detect",
            Self::Strict => "strict",
        }
    }

    /// Reads the word used in a profile.
    pub fn parse(word: &str) -> Option<Self> {
        Self::ALL
            .into_iter()
            .find(|coverage| coverage.name() == word)
    }
}

/// Where a seed comes from: the environment first, else the literal, which is for tests.
#[derive(Clone, Debug, Default)]
pub struct SeedSource {
    /// A seed written into the profile.
    pub literal: Option<Seed>,
    /// The name of the environment variable that holds the seed.
    pub env_var: Option<String>,
}

/// A strategy as a profile defines it.
#[derive(Clone, Debug)]
pub struct StrategyRef {
    /// The kind of transformation.
    pub kind: Kind,
    /// The parameters, as written.
    pub params: Params,
    /// The transformation, ready for use.
    pub strategy: Arc<Strategy>,
    /// The seed of every rule that uses it and has none of its own.
    pub seed: SeedSource,
    /// Where it is defined.
    pub place: Place,
}

/// What a profile says about one table.
#[derive(Clone, Debug)]
pub struct Table {
    /// The schema, if the profile names one.
    pub schema: Option<String>,
    /// The name, as in the catalog.
    pub name: String,
    /// The columns to mask.
    pub rules: Vec<Rule>,
    /// The columns copied as they are, with the reason.
    pub preserve: Vec<Cached>,
    /// The columns not copied, with the reason.
    pub exclude: Vec<Cached>,
    /// Which rows are copied: those for which every condition holds.
    pub filter: Vec<Condition>,
    /// How many rows are copied at most.
    pub limit: Option<u64>,
    /// Where it is written.
    pub place: Place,
}

impl Table {
    /// The name as a profile shows it: with its schema, if it names one.
    pub fn shown(&self) -> String {
        match &self.schema {
            Some(schema) => format!("{schema}.{}", self.name),
            None => self.name.clone(),
        }
    }

    /// What it says about a column: its name wins over `*`.
    pub fn says_of(&self, column: &str) -> Said<'_> {
        if let Some(rule) = self.rules.iter().find(|rule| rule.column == column) {
            return Said::Mask(rule);
        }
        [column, "*"]
            .into_iter()
            .find_map(|name| {
                let named = |kept: &&Cached| kept.column == name;
                let preserved = self.preserve.iter().find(named).map(Said::Preserve);
                preserved.or_else(|| self.exclude.iter().find(named).map(Said::Exclude))
            })
            .unwrap_or(Said::Nothing)
    }
}

/// What a profile says about one column.
#[derive(Clone, Copy, Debug)]
pub enum Said<'a> {
    /// That it is masked.
    Mask(&'a Rule),
    /// That it is copied as it is.
    Preserve(&'a Cached),
    /// That it is not copied.
    Exclude(&'a Cached),
    /// Nothing.
    Nothing,
}

/// One column to mask.
#[derive(Clone, Debug)]
pub struct Rule {
    /// The column, as in the catalog.
    pub column: String,
    /// The strategy, by its name in the profile.
    pub strategy: String,
    /// A seed written at the rule, which wins over all others.
    pub seed: Option<Seed>,
    /// Parameters that replace those of the strategy, as written.
    pub options: Params,
    /// Columns of the same row that the strategy reads beside the value, by the name of the input.
    pub inputs: BTreeMap<String, Vec<String>>,
    /// The strategy with the options laid over it, ready for use.
    pub resolved: Arc<Strategy>,
    /// Where it is written.
    pub place: Place,
}

/// A column that is not masked, and why.
#[derive(Clone, Debug)]
pub struct Cached {
    /// The column, as in the catalog; `*` stands for every column that is named nowhere else.
    pub column: String,
    /// The reason.
    pub why: String,
    /// Where it is written.
    pub place: Place,
}

/// A position in a document; both numbers begin at 1, columns count characters.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Place {
    /// The line.
    pub line: u32,
    /// The column.
    pub column: u32,
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "line {} column {}", self.line, self.column)
    }
}

/// Whether a problem stops the profile.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Severity {
    /// It does.
    Error,
    /// It does not.
    Warning,
}

/// One thing that is wrong with a document, or doubtful.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    /// Where; absent if the document as a whole is meant.
    pub place: Option<Place>,
    /// Where, in words: `tables.users.rules[0].column`; empty for the document as a whole.
    pub path: String,
    /// Whether it stops the profile.
    pub severity: Severity,
    /// A word for programs.
    pub code: &'static str,
    /// One short fact.
    pub message: String,
    /// What to do about it.
    pub hint: Option<String>,
}

impl Problem {
    /// Turns the problem into an error; `others` is the number of further errors.
    fn into_error(self, others: usize) -> Error {
        self.into_error_of("profile", others)
    }

    /// As above, of a document of some kind.
    fn into_error_of(self, noun: &str, others: usize) -> Error {
        let kind = match self.code {
            "parameter" | "seed" | "strategy_type" | "undefined_strategy" | "undefined_table"
            | "value" => ErrorKind::InvalidParameter,
            "literal_seed" => ErrorKind::InvalidParameter,
            _ => ErrorKind::InvalidText,
        };
        let place = self
            .place
            .map(|place| format!(" at {place}"))
            .unwrap_or_default();
        let mut error = Error::new(kind, format!("invalid {noun}: {}{place}", self.message));
        let mut detail = match self.path.as_str() {
            "" => Vec::new(),
            path => vec![format!("The place is {path}.")],
        };
        match others {
            0 => {}
            1 => detail.push("There is 1 more error.".to_owned()),
            _ => detail.push(format!("There are {others} more errors.")),
        }
        if !detail.is_empty() {
            error = error.with_detail(detail.join(" "));
        }
        match self.hint {
            Some(hint) => error.with_hint(hint),
            None => error,
        }
    }
}

/// The problems of one document, in bounded memory.
#[derive(Debug, Default)]
struct Problems {
    list: Vec<Problem>,
    errors: usize,
    left_out: usize,
}

impl Problems {
    fn error(
        &mut self,
        place: impl Into<Option<Place>>,
        path: &str,
        code: &'static str,
        message: impl Into<String>,
        hint: Option<String>,
    ) {
        self.errors += 1;
        self.push(
            place.into(),
            path,
            Severity::Error,
            code,
            message.into(),
            hint,
        );
    }

    fn warning(
        &mut self,
        place: Place,
        path: &str,
        code: &'static str,
        message: impl Into<String>,
        hint: &str,
    ) {
        let hint = Some(hint.to_owned());
        self.push(
            Some(place),
            path,
            Severity::Warning,
            code,
            message.into(),
            hint,
        );
    }

    fn push(
        &mut self,
        place: Option<Place>,
        path: &str,
        severity: Severity,
        code: &'static str,
        message: String,
        hint: Option<String>,
    ) {
        // The first error always finds room, however many warnings came before it.
        if self.is_full() && (severity == Severity::Warning || self.errors > 1) {
            self.left_out += 1;
            return;
        }
        let path = path.to_owned();
        self.list.push(Problem {
            place,
            path,
            severity,
            code,
            message,
            hint,
        });
    }

    /// Whether a further problem is not worth a search for the word that was meant.
    fn is_full(&self) -> bool {
        self.list.len() >= MAX_PROBLEMS
    }

    fn into_list(mut self) -> Vec<Problem> {
        self.list.sort_by_key(|problem| problem.place);
        if self.left_out > 0 {
            self.list.push(Problem {
                place: None,
                path: String::new(),
                severity: Severity::Warning,
                code: "too_many",
                message: format!("{} more problems are not shown", self.left_out),
                hint: None,
            });
        }
        self.list
    }
}

/// Problems beyond this number are counted, not kept.
const MAX_PROBLEMS: usize = 100;
