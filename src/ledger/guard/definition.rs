//! The good definition of the ledger's tables, and what differs from it.
//!
//! The good definition is text in this library, one file for each version of the extension, written
//! by a test from a fresh installation and reviewed like code. Nothing in the database can change
//! it: there is no pinned value to forge, and no call that pins anew (decision 0013).

use std::cmp::Reverse;

/// Tables of the ledger that must be as they were made.
pub const TABLES: [&str; 6] = [
    "audit_log",
    "journal",
    "ledger_head",
    "lineage",
    "lineage_row_chunk",
    "run_key",
];

/// Functions that guard the ledger or read it for somebody.
pub const FUNCTIONS: [&str; 30] = [
    "_definition_guard",
    "_drop_guard",
    "_journal_guard",
    "_ledger_guard",
    "anchor_key",
    "audit_entry_json",
    "begin_run",
    "consistency_proof",
    "disarm",
    "end_run",
    "export_anchor",
    "export_ledger",
    "export_openlineage",
    "fail_run",
    "get_audit_log",
    "inclusion_proof",
    "issue_lineage_report",
    "issue_openlineage",
    "lineage_history",
    "lineage_report",
    "prune_ledger",
    "rearm",
    "record_verification",
    "shred_run_key",
    "track",
    "verify_ledger",
    "verify_lineage_data",
    "verify_lineage_integrity",
    "verify_lineage_row",
    "verify_lineage_rows",
];

/// What the fact is called that names the version.
const VERSION: &str = "version of the extension";

/// Good definitions by version of the extension.
const GOOD: [(&str, &str); 1] = [("0.1.0", include_str!("definition/0.1.0.txt"))];

/// One object and its state, in words.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fact {
    /// What it is: "column seq of audit_log", or a sentence about what must not be there.
    pub object: String,
    /// How it is; empty for a sentence.
    pub state: String,
}

/// How much a difference matters, from little to much.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Weight {
    /// A trigger fires, and not always: `rearm` puts that right.
    Loose,
    /// A trigger is disabled: `rearm` puts that right.
    Off,
    /// Something is not as it was made.
    Changed,
    /// As [`Weight::Changed`], and the entries cannot be read, or others would be.
    Unreadable,
}

/// One difference from the good definition.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Difference {
    /// What differs, without a final period: "trigger x on audit_log is disabled".
    pub what: String,
    /// How much it matters.
    pub weight: Weight,
}

/// A guard: a trigger of a table, or an event trigger.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Guard {
    /// Its name.
    pub name: String,
    /// Its table; `None` for an event trigger.
    pub table: Option<String>,
}

/// What differs from the good definition of the version that the facts name, the worst first.
pub fn differences(found: &[Fact]) -> Vec<Difference> {
    let version = state(found, VERSION).unwrap_or("none");
    let Some((_, good)) = GOOD.iter().find(|(name, _)| *name == version) else {
        return vec![Difference {
            what: format!("version {version} of the extension is not known to this library"),
            weight: Weight::Changed,
        }];
    };
    compare(&parse(good), found)
}

/// The triggers and event triggers of the library's own version.
pub fn guards() -> Vec<Guard> {
    let (_, good) = GOOD[GOOD.len() - 1];
    parse(good)
        .iter()
        .filter_map(|fact| {
            if let Some(name) = fact.object.strip_prefix("event trigger ") {
                return Some(Guard {
                    name: name.to_owned(),
                    table: None,
                });
            }
            let (name, table) = fact.object.strip_prefix("trigger ")?.split_once(" on ")?;
            Some(Guard {
                name: name.to_owned(),
                table: Some(table.to_owned()),
            })
        })
        .collect()
}

/// The tables and indexes of the library's own version.
pub fn relations() -> Vec<String> {
    let (_, good) = GOOD[GOOD.len() - 1];
    good.lines()
        .filter_map(|line| {
            let index = line.strip_prefix("index ")?;
            Some(index.split_once(" of ")?.0.to_owned())
        })
        .chain(TABLES.iter().map(|&table| table.to_owned()))
        .collect()
}

/// Sentences for a DETAIL: the first ones, and how many more there are.
pub fn sentences(differences: &[Difference]) -> String {
    const SHOWN: usize = 8;
    let mut text: Vec<_> = differences
        .iter()
        .take(SHOWN)
        .map(|difference| sentence(&difference.what))
        .collect();
    if differences.len() > SHOWN {
        text.push(format!("There are {} more.", differences.len() - SHOWN));
    }
    text.join(" ")
}

/// A difference as a sentence.
pub fn sentence(what: &str) -> String {
    let mut letters = what.chars();
    letters.next().map_or_else(String::new, |first| {
        format!("{}{}.", first.to_uppercase(), letters.as_str())
    })
}

/// The file of a good definition, as a test writes it.
pub fn print(facts: &[Fact]) -> String {
    let mut lines: Vec<_> = facts
        .iter()
        .map(|fact| format!("{}: {}\n", fact.object, fact.state))
        .collect();
    lines.sort();
    lines.concat()
}

fn parse(text: &str) -> Vec<Fact> {
    text.lines()
        .filter_map(|line| line.split_once(": "))
        .map(|(object, state)| Fact {
            object: object.to_owned(),
            state: state.to_owned(),
        })
        .collect()
}

fn compare(good: &[Fact], found: &[Fact]) -> Vec<Difference> {
    let mut all = Vec::new();
    let lost: Vec<_> = TABLES
        .iter()
        .filter(|table| state(found, &format!("table {table}")).is_none())
        .collect();
    for fact in good {
        // A table that is not there is told of once.
        if lost.iter().any(|table| is_part_of(&fact.object, table)) {
            continue;
        }
        match state(found, &fact.object) {
            Some(state) if state == fact.state => {}
            Some(state) => all.push(changed(fact, state)),
            None if with_its_object(&fact.object, found) => {}
            None => all.push(Difference {
                weight: weight(&fact.object),
                what: format!("{} is missing", fact.object),
            }),
        }
    }
    for fact in found {
        if state(good, &fact.object).is_some() || with_its_object(&fact.object, good) {
            continue;
        }
        all.push(Difference {
            what: if fact.state.is_empty() {
                fact.object.clone()
            } else {
                format!("{} does not belong there", fact.object)
            },
            weight: if fact.object.starts_with("column number ")
                || fact.object.ends_with(" is not the one of the extension")
            {
                Weight::Unreadable
            } else {
                Weight::Changed
            },
        });
    }
    // A definition that was changed is often the consequence of something else.
    all.sort_by_key(|difference| {
        let later = difference.what.starts_with("definition of ");
        (Reverse(difference.weight), later)
    });
    all
}

fn is_part_of(object: &str, table: &str) -> bool {
    ["of", "on"]
        .iter()
        .any(|word| object.ends_with(&format!(" {word} {table}")))
}

fn state<'a>(facts: &'a [Fact], object: &str) -> Option<&'a str> {
    facts
        .iter()
        .find(|fact| fact.object == object)
        .map(|fact| fact.state.as_str())
}

/// Whether this is what is said of an object that is only on the other side: the object itself is
/// reported, and that is enough.
fn with_its_object(object: &str, other: &[Fact]) -> bool {
    ["definition of ", "row-level security of "]
        .iter()
        .find_map(|aspect| object.strip_prefix(aspect))
        .is_some_and(|of| {
            state(other, of).is_none() && state(other, &format!("table {of}")).is_none()
        })
}

fn changed(good: &Fact, state: &str) -> Difference {
    let trigger = good.object.starts_with("trigger ") || good.object.starts_with("event trigger ");
    Difference {
        what: if trigger && state == "disabled" {
            format!("{} is disabled", good.object)
        } else if trigger {
            format!("{} does not fire always", good.object)
        } else if good.state.len() + state.len() > 200 {
            format!("{} was changed", good.object)
        } else {
            format!(
                "{} is \"{state}\" instead of \"{}\"",
                good.object, good.state
            )
        },
        weight: match (trigger, state) {
            (true, "disabled" | "replica only") => Weight::Off,
            (true, _) => Weight::Loose,
            (false, _) => weight(&good.object),
        },
    }
}

fn weight(object: &str) -> Weight {
    if object.starts_with("table ") || object.starts_with("column ") {
        Weight::Unreadable
    } else {
        Weight::Changed
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn facts(pairs: &[(&str, &str)]) -> Vec<Fact> {
        pairs
            .iter()
            .map(|(object, state)| Fact {
                object: (*object).to_owned(),
                state: (*state).to_owned(),
            })
            .collect()
    }

    const SMALL: [(&str, &str); 6] = [
        (VERSION, "0.1.0"),
        ("table t", "ordinary, permanent, in schema s"),
        ("row-level security of t", "off"),
        ("column a of t", "number 1, bigint, not null"),
        ("trigger g on t", "always"),
        ("definition of trigger g on t", "CREATE TRIGGER g"),
    ];

    fn said(change: impl FnOnce(&mut Vec<Fact>)) -> Vec<(String, Weight)> {
        let good = facts(&SMALL);
        let mut found = good.clone();
        change(&mut found);
        compare(&good, &found)
            .into_iter()
            .map(|difference| (difference.what, difference.weight))
            .collect()
    }

    #[test]
    fn definition_of_this_version_is_there_and_good() {
        let (version, good) = GOOD[GOOD.len() - 1];
        assert_eq!(version, env!("CARGO_PKG_VERSION"));
        let good = parse(good);
        assert!(good.len() > 50, "{} facts", good.len());
        assert_eq!(differences(&good), []);
        for table in TABLES {
            assert!(state(&good, &format!("table {table}")).is_some(), "{table}");
        }
        // Nothing that must not be there has got in, and every guard fires always.
        assert!(good.iter().all(|fact| !fact.state.is_empty()));
        assert!(good.iter().all(|fact| {
            !(fact.object.starts_with("trigger ") || fact.object.starts_with("event trigger "))
                || fact.state == "always"
        }));
        assert!(guards().len() >= 12, "{:?}", guards());
        assert!(relations().contains(&"audit_log_pkey".to_owned()));
    }

    #[test]
    fn differences_name_the_object() {
        use Weight::{Changed, Loose, Off, Unreadable};
        assert_eq!(said(|_| {}), []);
        for (at, state, what, weight) in [
            (4, "disabled", "trigger g on t is disabled", Off),
            (
                4,
                "replica only",
                "trigger g on t does not fire always",
                Off,
            ),
            (
                4,
                "not always",
                "trigger g on t does not fire always",
                Loose,
            ),
            (
                2,
                "on",
                "row-level security of t is \"on\" instead of \"off\"",
                Changed,
            ),
            (
                3,
                "number 1, text, not null",
                "column a of t is \"number 1, text, not null\" instead of \
                 \"number 1, bigint, not null\"",
                Unreadable,
            ),
        ] {
            assert_eq!(
                said(|found| state.clone_into(&mut found[at].state)),
                [(what.to_owned(), weight)]
            );
        }
        let gone = |at: usize| {
            said(|found| {
                found.remove(at);
            })
        };
        assert_eq!(
            gone(3),
            [("column a of t is missing".to_owned(), Unreadable)]
        );
        // A trigger that was dropped is told of once.
        assert_eq!(
            said(|found| found.truncate(4)),
            [("trigger g on t is missing".to_owned(), Changed)]
        );
        let more =
            |object: &str, state: &str| said(|found| found.extend(facts(&[(object, state)])));
        assert_eq!(
            more("there is a rule r on t", ""),
            [("there is a rule r on t".to_owned(), Changed)]
        );
        assert_eq!(
            more("trigger x on t", "always"),
            [("trigger x on t does not belong there".to_owned(), Changed)]
        );
        assert_eq!(
            more("table s.t is not the one of the extension", "")[0].1,
            Unreadable
        );
    }

    #[test]
    fn differences_say_that_a_version_is_not_known() {
        let other = facts(&[(VERSION, "99.0")]);
        assert!(differences(&other)[0].what.contains("version 99.0"));
        assert!(differences(&[])[0].what.contains("version none"));
    }

    #[test]
    fn definition_survives_printing() {
        let good = facts(&SMALL);
        let printed = print(&good);
        assert_eq!(compare(&parse(&printed), &good), []);
    }

    #[test]
    fn sentences_are_complete_and_few() {
        let many: Vec<_> = (0..10)
            .map(|i| Difference {
                what: format!("table {i} is gone"),
                weight: Weight::Changed,
            })
            .collect();
        let text = sentences(&many);
        assert!(text.starts_with("Table 0 is gone. Table 1 is gone."));
        assert!(text.ends_with("There are 2 more."));
    }
}
