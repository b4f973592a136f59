//! Which entries of the lineage still tell of the tables that are there.
//!
//! The lineage holds names. A table that has the name of one that a run wrote need not be that one: it
//! may have been dropped and made again, or another may have been given its name. Only the lists of
//! tables that runs made or masked, which go by the numbers of tables, tell which it is.

pub mod store;

use std::collections::{HashMap, HashSet};

use super::Treatment;
use crate::ledger::lineage::report::Step;

/// A schema and a table.
pub type Name = (String, String);

/// What is known of the tables that runs wrote.
#[derive(Clone, Debug, Default)]
pub struct Traces {
    /// The newest entry of each column, newest first.
    pub steps: Vec<Step>,
    /// Tables that runs made, and that are there.
    pub made: HashSet<Name>,
    /// Tables that were masked in place, and that are there.
    pub masked: HashSet<Name>,
    /// The newest run into each schema, with the tables that it wrote.
    pub newest: HashMap<String, (String, HashSet<String>)>,
}

const UNKNOWN: &str = "a run masked a table of this name, and this one is not known to be that";
const DECLARED: &str = "a script says that it masked the column, and nothing else shows it";
const WRITTEN: &str = "a later run wrote the table, and did not mask the column";

impl Traces {
    /// What became of each column that a run has masked, by schema, table and name.
    pub fn treatments(self) -> HashMap<(String, String, String), Treatment> {
        // The newest run that made each table anew, as far as the lineage tells.
        let mut writers: HashMap<Name, String> = HashMap::new();
        let mut found = HashMap::new();
        for step in self.steps {
            let table = (step.target.clone(), step.table.clone());
            let is_in_place = step.source == step.target;
            let writer = match (is_in_place, writers.get(&table)) {
                (_, Some(writer)) => Some(writer.clone()),
                (true, None) => None,
                (false, None) => {
                    let newest = self.newest.get(&step.target);
                    let newest = newest.filter(|(_, tables)| tables.contains(&step.table));
                    let writer = newest.map_or(&step.run_id, |(run, _)| run).clone();
                    writers.insert(table.clone(), writer.clone());
                    Some(writer)
                }
            };
            let list = if is_in_place {
                &self.masked
            } else {
                &self.made
            };
            let key = (table.0.clone(), table.1.clone(), step.column.clone());
            let treatment = if step.origin == "declared" {
                Treatment::Unproved(Box::new(step), DECLARED)
            } else if !list.contains(&table) {
                Treatment::Unproved(Box::new(step), UNKNOWN)
            } else if writer.is_some_and(|writer| writer != step.run_id) {
                Treatment::Unproved(Box::new(step), WRITTEN)
            } else {
                Treatment::Masked(Box::new(step))
            };
            found.insert(key, treatment);
        }
        found
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn step(run: &str, source: &str, column: &str) -> Step {
        Step {
            run_id: run.into(),
            source: source.into(),
            target: "staging".into(),
            table: "people".into(),
            column: column.into(),
            ..Step::default()
        }
    }

    fn people() -> HashSet<Name> {
        [("staging".to_owned(), "people".to_owned())].into()
    }

    /// What becomes of the columns of the one table, by name.
    fn words(traces: Traces) -> Vec<(String, &'static str)> {
        let found = traces.treatments().into_iter();
        let mut found: Vec<_> = found.map(|((.., name), of)| (name, of.word())).collect();
        found.sort_unstable();
        found
    }

    const MASKED: &str = "anonymised";

    fn strategy(step: Step) -> Step {
        Step {
            strategy: "redact".into(),
            commitment: "none".into(),
            ..step
        }
    }

    fn traces(steps: Vec<Step>) -> Traces {
        Traces {
            steps: steps.into_iter().map(strategy).collect(),
            made: people(),
            ..Traces::default()
        }
    }

    #[test]
    fn a_table_of_the_same_name_is_not_the_one_that_was_masked() {
        let steps = || vec![step("1", "prod", "email")];
        assert_eq!(words(traces(steps())), [("email".into(), MASKED)]);
        let gone = Traces {
            made: HashSet::new(),
            masked: people(),
            ..traces(steps())
        };
        assert_eq!(words(gone), [("email".into(), "unproved")]);
        // What was masked in place is on a list of its own.
        let in_place = |masked| Traces {
            made: HashSet::new(),
            masked,
            ..traces(vec![step("1", "staging", "email")])
        };
        assert_eq!(words(in_place(people())), [("email".into(), MASKED)]);
        let gone = in_place(HashSet::new());
        assert_eq!(words(gone), [("email".into(), "unproved")]);
    }

    #[test]
    fn what_a_script_says_is_not_masked() {
        let declared = Step {
            origin: "declared".into(),
            ..step("2", "staging", "email")
        };
        let found = Traces {
            masked: people(),
            ..traces(vec![declared, step("1", "staging", "name")])
        };
        assert_eq!(
            words(found),
            [("email".into(), "unproved"), ("name".into(), MASKED)]
        );
    }

    #[test]
    fn what_a_later_run_wrote_unmasked_is_masked_no_more() {
        let later = traces(vec![step("2", "prod", "phone"), step("1", "prod", "email")]);
        assert_eq!(
            words(later),
            [("email".into(), "unproved"), ("phone".into(), MASKED)]
        );
        // Also where it masked nothing of the table at all.
        let nothing = Traces {
            newest: [(
                "staging".to_owned(),
                ("2".to_owned(), ["people".to_owned()].into()),
            )]
            .into(),
            ..traces(vec![step("1", "prod", "email")])
        };
        assert_eq!(words(nothing), [("email".into(), "unproved")]);
        // In place each run masks its own columns, and the others stay as they are.
        let both = Traces {
            masked: people(),
            ..traces(vec![
                step("3", "staging", "email"),
                step("2", "staging", "name"),
                step("1", "prod", "phone"),
            ])
        };
        let masked = ["email", "name", "phone"].map(|name| (name.to_owned(), MASKED));
        assert_eq!(words(both), masked);
    }
}
