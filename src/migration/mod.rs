//! Rules of other tools, as a profile, and as a report that says of each rule how much of it is kept.
//!
//! What is read was written for another program: it is taken apart within bounds and never executed.
//! A rule without a counterpart never lets its column through: the profile leaves the column out.

pub mod anon;
pub mod catalog;
pub mod greenmask;
pub mod lexer;
pub mod rules;
pub mod spread;
pub mod sql;
pub mod store;
mod written;

use crate::signs::propose::Proposal;
use crate::strategies::params::Value;
use crate::strategies::{Kind, Strategy};

pub use rules::Rules;

/// How much of a rule is kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Meaning {
    /// Every value becomes what it became there.
    Exact,
    /// The column is masked to the same end, and values become others.
    Approximate,
    /// Nothing here does it.
    Missing,
}

impl Meaning {
    /// The word in a report.
    pub fn name(self) -> &'static str {
        match self {
            Self::Exact => "exact",
            Self::Approximate => "approximate",
            Self::Missing => "missing",
        }
    }
}

/// What became of one rule.
#[derive(Clone, Debug, PartialEq)]
pub struct Finding {
    /// What it is about: a table, or `role x`, `database x`.
    pub object: String,
    /// The column, of a rule about one.
    pub column: Option<String>,
    /// The rule, as it stands there.
    pub rule: String,
    /// What takes its place in the profile.
    pub strategy: Option<String>,
    /// How much of it is kept.
    pub meaning: Meaning,
    /// What differs, or what to do.
    pub why: String,
}

/// What takes the place of a rule about a column.
#[derive(Clone, Debug, PartialEq)]
pub enum Outcome {
    /// A strategy.
    Masked {
        /// Which.
        mask: Mask,
        /// How near it comes.
        meaning: Meaning,
        /// What differs.
        why: String,
    },
    /// The column is copied, as there.
    Preserved,
    /// Nothing: the column is left out.
    Missing {
        /// Why, and what may be done.
        why: String,
    },
}

impl Outcome {
    /// A strategy by which every value becomes what it became there.
    pub fn exact(mask: Mask) -> Self {
        Self::Masked {
            mask,
            meaning: Meaning::Exact,
            why: "every value becomes what it became there".to_owned(),
        }
    }

    /// A strategy to the same end.
    pub fn near(mask: Mask, why: impl Into<String>) -> Self {
        Self::Masked {
            mask,
            meaning: Meaning::Approximate,
            why: why.into(),
        }
    }

    /// Nothing that does it.
    pub fn missing(why: impl Into<String>) -> Self {
        Self::Missing { why: why.into() }
    }

    /// The same with one more difference: it is exact no longer.
    #[must_use]
    pub fn but(self, difference: &str) -> Self {
        match self {
            Self::Masked { mask, meaning, why } => Self::near(
                mask,
                match meaning {
                    Meaning::Exact => difference.to_owned(),
                    _ => format!("{why}; {difference}"),
                },
            ),
            other => other,
        }
    }

    /// The same, refused where the strategy does not take its own parameters.
    #[must_use]
    fn checked(self) -> Self {
        match self {
            Self::Masked { mask, .. } if !mask.is_right() => Self::missing(format!(
                "strategy {} does not take these parameters",
                mask.proposal.kind.name()
            )),
            other => other,
        }
    }
}

/// A strategy with the columns that it reads beside the value.
#[derive(Clone, Debug, PartialEq)]
pub struct Mask {
    /// The strategy.
    pub proposal: Proposal,
    /// The column that the pseudonym is drawn from, where it is another.
    pub entity: Option<String>,
}

impl Mask {
    /// A strategy without parameters.
    pub fn new(kind: Kind) -> Self {
        Self {
            proposal: Proposal::new(kind),
            entity: None,
        }
    }

    /// The same with one more parameter.
    #[must_use]
    pub fn with(mut self, name: &str, value: impl Into<Value>) -> Self {
        self.proposal = self.proposal.with(name, value);
        self
    }

    /// The same, drawn from another column, if the strategy knows how.
    #[must_use]
    pub fn drawn_from(mut self, column: &str) -> Self {
        let inputs = self.proposal.kind.definition().inputs;
        if inputs.iter().any(|input| input.name == "entity") {
            self.entity = Some(column.to_owned());
        }
        self
    }

    fn is_right(&self) -> bool {
        Strategy::new(self.proposal.kind, &self.proposal.params).is_ok()
    }

    /// As a report shows it.
    pub fn shown(&self) -> String {
        let strategy = self.proposal.flow();
        match &self.entity {
            Some(column) => format!("{strategy}, entity: {column}"),
            None => strategy,
        }
    }
}

/// A strategy that takes only what has its form; anything else becomes a constant, as a run must not
/// stop at what the other tool never looked at.
pub fn lenient(kind: Kind) -> Mask {
    Mask::new(kind).with("on_error", "redact")
}

/// One of a list of values.
pub fn choice(values: &[String]) -> Mask {
    Mask::new(Kind::Choice).with("choices", values)
}
