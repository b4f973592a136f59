//! Evidence: what the facts say for or against a control, by name.
//!
//! The functions are compiled in and see nothing but the facts handed to them: no statement, no
//! name of a function and no condition comes out of a table.

pub mod functions;

use serde_json::Value;

use super::controller::kinds;
use super::doubt::Basis;
use super::inventory::Needs;
use super::{Facts, record};

/// How well a control is borne out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum State {
    /// Wholly.
    Pass,
    /// In part.
    Part,
    /// Not at all, or something speaks against it.
    Fail,
    /// Nothing is known.
    None,
}

impl State {
    /// Its word.
    pub fn name(self) -> &'static str {
        match self {
            Self::Pass => "pass",
            Self::Part => "part",
            Self::Fail => "fail",
            Self::None => "none",
        }
    }
}

/// On what it rests.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Source {
    /// The catalog and the settings of the database.
    Database,
    /// The ledger.
    Ledger,
    /// The controller's word.
    Controller,
    /// The database and the controller's word.
    Both,
}

impl Source {
    /// Whether more stands behind it than the controller's word.
    pub fn is_hard(self) -> bool {
        self != Self::Controller
    }

    /// Its word.
    pub fn name(self) -> &'static str {
        match self {
            Self::Database => "database",
            Self::Ledger => "ledger",
            Self::Controller => "controller",
            Self::Both => "database and controller",
        }
    }
}

/// What a function found.
#[derive(Clone, Debug, PartialEq)]
pub struct Evidence {
    /// How well.
    pub state: State,
    /// Whether it would be borne out better by what is there, were that not too old.
    pub is_stale: bool,
    /// The numbers and names; never a value of a row.
    pub value: Value,
    /// As of which day or moment, in UTC.
    pub as_of: String,
    /// On what it rests.
    pub source: Source,
    /// Where to look it up: a function, a view or facts of the controller.
    pub reference: String,
    /// What closes the gap: a command or a section of the controller's document.
    pub remedy: Option<String>,
}

/// A function: facts and its parameters (an object, or null) in, evidence out.
pub type Function = fn(&Facts, &Value) -> Evidence;

/// The function of a name.
pub fn find(name: &str) -> Option<Function> {
    functions::ALL
        .iter()
        .find(|(known, ..)| *known == name)
        .map(|(_, function, _)| *function)
}

/// What a function looks at beside columns and what is declared.
pub fn needs(name: &str) -> Needs {
    let nothing = Needs::default();
    match name {
        "access_control" | "encryption_in_transit" => Needs {
            access: true,
            ..nothing
        },
        "consent_recorded" | "overdue_rows" => Needs {
            rows: true,
            ..nothing
        },
        "dsar_metrics" => Needs {
            terms: true,
            ..nothing
        },
        "incident_deadlines" => Needs {
            timers: true,
            ..nothing
        },
        "last_verification" | "ledger_verified" => Needs {
            ledger: true,
            ..nothing
        },
        "runs_verified" => Needs {
            runs: true,
            ..nothing
        },
        _ => nothing,
    }
}

/// The declared facts that a function rests on, with its parameters.
pub fn basis(name: &str, parameters: &Value) -> Vec<Basis> {
    let words = |name: &str| functions::words(parameters, name);
    let of_kind = |kind: &'static str, field: &'static str, only: &[&str]| match only.is_empty() {
        true => Basis::all(kind),
        false => Basis::with(kind, field, only),
    };
    let all = |kinds: &[&'static str]| kinds.iter().copied().map(Basis::all).collect();
    match name {
        "access_control" => vec![
            Basis::with("measure", "kind", &["access_control"]),
            Basis::all("columns"),
        ],
        "assessment_fresh" => vec![of_kind("assessment", "kind", &words("kind"))],
        "breach_register" => vec![
            Basis::all("incident"),
            Basis::with("measure", "kind", &["breach_procedure"]),
        ],
        "classified_share" | "mask_coverage" => all(&["columns"]),
        "consent_recorded" => all(&[
            "activity",
            "columns",
            "consent_source",
            "recipient",
            "transfer",
        ]),
        "declared" => {
            let kind = parameters["kind"].as_str().and_then(kinds::kind);
            kind.map(|kind| of_kind(kind.name, "role", &words("role")))
                .into_iter()
                .collect()
        }
        "dsar_metrics" => all(&["rights_request"]),
        "incident_deadlines" => all(&["incident"]),
        "measure_declared" => vec![of_kind("measure", "kind", &words("kind"))],
        "overdue_rows" => all(&["retention_rule"]),
        "recipients_documented" => all(&["activity", "recipient"]),
        "responsible_person" => vec![of_kind("organisation", "role", &words("role"))],
        "retention_documented" => all(&["activity", "columns", "retention_rule"]),
        "ropa_completeness" => vec![
            Basis::with("organisation", "role", &["controller", "joint_controller"]),
            Basis::all("activity"),
            Basis::all("columns"),
            Basis::all("recipient"),
            Basis::all("transfer"),
            Basis::all("retention_rule"),
            Basis::with("measure", "kind", record::SECURITY),
        ],
        "transfers_documented" => all(&["recipient", "transfer"]),
        _ => Vec::new(),
    }
}

/// The names, in order, each with what it looks at.
pub fn names() -> impl Iterator<Item = (&'static str, &'static str)> {
    functions::ALL
        .iter()
        .map(|(name, _, about)| (*name, *about))
}
