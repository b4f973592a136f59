//! Where a run stands: for the words of a failure, for the log, and for other sessions.

use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use serde_json::Value;

use super::checks::Check;
use super::log::{Log, field};
use super::progress::store::Shown;

/// What a phase works on.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Place {
    /// All of it.
    #[default]
    Run,
    /// A table, quoted.
    Table(String),
    /// A hook, quoted.
    Hook(String),
}

impl Place {
    /// The words behind those of the phase.
    pub fn shown(&self) -> String {
        match self {
            Self::Run => String::new(),
            Self::Table(table) => format!(" table {table}"),
            Self::Hook(hook) => format!(" {hook}"),
        }
    }
}

/// Where a run stands.
pub struct Phase {
    log: Log,
    shown: Shown,
    at: Cell<(&'static str, Place)>,
    since: Cell<Instant>,
    took: RefCell<BTreeMap<&'static str, Duration>>,
    found: RefCell<Vec<Value>>,
}

impl Phase {
    /// Of a run that is about to begin.
    pub fn new(log: Log, shown: Shown) -> Self {
        Self {
            at: Cell::new(("starting", Place::Run)),
            since: Cell::new(log.began()),
            took: RefCell::default(),
            log,
            shown,
            found: RefCell::default(),
        }
    }

    /// The log of the run.
    pub fn log(&self) -> &Log {
        &self.log
    }

    /// What other sessions see of the run.
    pub fn shown(&self) -> &Shown {
        &self.shown
    }

    /// Notes that a phase begins.
    pub fn enter(&self, name: &'static str) {
        self.log.line(&field("phase", name));
        self.shown.enter(name, None);
        self.stand(name, Place::Run);
    }

    fn stand(&self, name: &'static str, place: Place) {
        let now = Instant::now();
        let took = now.duration_since(self.since.replace(now));
        let (before, _) = self.at.replace((name, place));
        *self.took.borrow_mut().entry(before).or_default() += took;
    }

    /// How long each phase has taken that has ended.
    pub fn took(&self) -> BTreeMap<&'static str, Duration> {
        self.took.borrow().clone()
    }

    /// Notes that a phase begins with a table, the one of that place in the order of loads.
    pub fn enter_table(&self, name: &'static str, schema: &str, (place, table): (usize, &str)) {
        self.shown.enter(name, Some(place));
        let table = format!("{schema}.{table}");
        self.log.line(&format!(
            "{} {}",
            field("phase", name),
            field("table", &table)
        ));
        self.stand(name, Place::Table(format!("\"{table}\"")));
    }

    /// Notes that a hook is about to be called; the line comes when it has answered.
    pub fn enter_hook(&self, hook: &str) {
        self.shown.enter("running hook", None);
        self.stand("running hook", Place::Hook(hook.to_owned()));
    }

    /// Notes what checks have found, for the record of a failure.
    pub fn found(&self, checks: &[Check]) {
        *self.found.borrow_mut() = checks.iter().map(Check::entry).collect();
    }

    /// What checks have found, if any were made.
    pub fn report(&self) -> Option<Value> {
        let found = self.found.take();
        (!found.is_empty()).then_some(Value::Array(found))
    }

    /// Where it stands.
    pub fn take(&self) -> (&'static str, Place) {
        self.at.take()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_are_shown_behind_their_phase() {
        assert_eq!(Place::Run.shown(), "");
        assert_eq!(Place::Table("\"s.t\"".into()).shown(), " table \"s.t\"");
        assert_eq!(Place::Hook("\"s\".\"f\"".into()).shown(), " \"s\".\"f\"");
    }
}
