//! Consent: where it is kept, and whether the rows there have it.

use serde_json::{Value, json};

use super::{evidence, some, words};
use crate::compliance::Facts;
use crate::compliance::consent::{self, Need};
use crate::compliance::controller::Fact;
use crate::compliance::evidence::{Evidence, Source, State};
use crate::compliance::inventory::Consent;
use crate::compliance::record;

/// Activities that rest on consent, and where it is kept: of the rows that were read, none may lack it.
pub fn consent_recorded(facts: &Facts, parameters: &Value) -> Evidence {
    let forms = words(parameters, "form");
    let wanted = words(parameters, "fields");
    let covers = words(parameters, "covers");
    // Separate consent is that of the activities which need it, for what each of them does.
    let needs = consent::needs(facts, &covers);
    let resting: Vec<(&Fact, Vec<&str>)> = match covers.is_empty() {
        true => facts
            .controller
            .with("activity", "legal_basis", "consent")
            .map(|activity| (activity, Vec::new()))
            .collect(),
        false => of_each(&needs),
    };
    let held: Vec<_> = resting
        .iter()
        .map(|(activity, covers)| held(facts, activity, &forms, &wanted, covers))
        .collect();
    let count = |state: State| held.iter().filter(|held| held.state == state).count();
    let (whole, none) = (count(State::Pass), count(State::Fail));
    let is_orphaned = covers.contains(&"sensitive") && consent::orphans(facts).next().is_some();
    // Where the facts say of every activity that it needs none, the controller has said it.
    let needs_none = !covers.is_empty() && record::own(facts).next().is_some();
    let state = match held.len() {
        0 if needs_none && !is_orphaned => State::Pass,
        0 => State::None,
        all if whole == all && is_orphaned => State::Part,
        all if whole == all => State::Pass,
        all if none == all => State::Fail,
        _ => State::Part,
    };
    // Where consent is kept is the controller's word until rows of it were counted.
    let is_read = !held.is_empty() && held.iter().all(|held| held.is_read);
    let source = if is_read {
        Source::Both
    } else {
        Source::Controller
    };
    let lacking: Vec<&str> = held.iter().flat_map(|held| held.lacking.clone()).collect();
    let consents: Vec<_> = facts
        .inventory
        .consents
        .iter()
        .map(|consent| {
            json!({
                "source": consent.source, "rows": consent.rows, "missing": consent.missing,
                "withdrawn": consent.withdrawn, "problem": consent.problem,
            })
        })
        .collect();
    let value = json!({
        "activities": resting.len(),
        "with_source": held.iter().filter(|held| held.has_source).count(),
        "sources_with_rows_that_lack_it": some(lacking.iter().map(|id| (*id).to_owned())),
        "sources": consents,
    });
    let open = needs.iter().filter(|need| need.sources.is_empty());
    let mut open: Vec<_> = open
        .map(|need| format!("{} of {}", need.what, need.activity.id))
        .collect();
    open.truncate(20);
    let remedy = if is_orphaned && open.is_empty() {
        "Declare to which activities columns belong and how sensitive they are, section columns."
            .to_owned()
    } else if lacking.is_empty() && !covers.is_empty() {
        format!(
            "Declare consent sources of form {} that cover {}.",
            forms.join(" or "),
            open.join(", ")
        )
    } else if lacking.is_empty() && wanted.is_empty() {
        "Declare where consent is kept for each activity that rests on it.".to_owned()
    } else if lacking.is_empty() {
        format!(
            "Declare where consent is kept for each activity that rests on it, with {}.",
            wanted.join(", ")
        )
    } else {
        format!(
            "Record the consent of the rows that lack it, or take them out of what rests on it; by \
             source {}.",
            lacking.join(", ")
        )
    };
    evidence(facts, state, value, source, "consent_sources").unless_passed(remedy)
}

/// The activities, each with all that it needs separate consent for.
fn of_each<'a>(needs: &[Need<'a>]) -> Vec<(&'a Fact, Vec<&'static str>)> {
    let mut found: Vec<(&Fact, Vec<&str>)> = Vec::new();
    for need in needs {
        match found.last_mut().filter(|(of, _)| of.id == need.activity.id) {
            Some((_, whats)) => whats.push(need.what),
            None => found.push((need.activity, vec![need.what])),
        }
    }
    found
}

/// How the consent of one activity is held.
struct Held<'a> {
    state: State,
    has_source: bool,
    /// Whether every source of it was read, and had rows.
    is_read: bool,
    /// Sources with rows that lack it.
    lacking: Vec<&'a str>,
}

fn held<'a>(
    facts: &'a Facts,
    activity: &Fact,
    forms: &[&str],
    wanted: &[&str],
    covers: &[&str],
) -> Held<'a> {
    let sources: Vec<_> = facts
        .controller
        .of("consent_source")
        .filter(|source| {
            source.list("activity").contains(&activity.id.as_str())
                && (forms.is_empty() || source.word("form").is_some_and(|of| forms.contains(&of)))
                && (source.has("kept_in") || source.has("table"))
        })
        .collect();
    let read = |source: &&Fact| {
        let mut all = facts.inventory.consents.iter();
        all.find(|consent| consent.source == source.id)
    };
    let is_counted =
        |consent: &&Consent| consent.problem.is_none() && consent.rows.is_some_and(|rows| rows > 0);
    let counted: Vec<_> = sources.iter().filter_map(read).filter(is_counted).collect();
    let lacks = |consent: &&&Consent| consent.missing.is_some_and(|rows| rows > 0);
    let lacking: Vec<_> = counted.iter().filter(lacks).collect();
    // Where a source has not one row with consent, and there is no other.
    let is_bare = !lacking.is_empty()
        && lacking.len() == sources.len()
        && lacking
            .iter()
            .all(|consent| consent.missing >= consent.rows);
    let says = |source: &&Fact| wanted.iter().all(|field| source.has(field));
    let covered: Vec<&str> = sources.iter().flat_map(|of| of.list("covers")).collect();
    let is_covered = covers.iter().all(|what| covered.contains(what));
    let state = if sources.is_empty() || is_bare {
        State::Fail
    } else if lacking.is_empty() && is_covered && sources.iter().all(says) {
        State::Pass
    } else {
        State::Part
    };
    Held {
        state,
        has_source: !sources.is_empty(),
        is_read: !sources.is_empty() && counted.len() == sources.len(),
        lacking: lacking
            .iter()
            .map(|consent| consent.source.as_str())
            .collect(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::compliance::matrix::tests::facts as made_up;

    const SHOP: &str = "
activities:
  a: {name: A, legal_basis: consent}
  b: {name: B, legal_basis: consent}
consent_sources:
  s: {activity: a, form: separate, table: prod.users, given_column: at}
  t: {activity: b, form: implied, kept_in: there, table: prod.other, given_column: at}
";

    fn of(rows: &[(&str, i64, i64)], parameters: &Value) -> Evidence {
        let mut facts = made_up("2026-03-31", SHOP);
        facts.inventory.consents = rows
            .iter()
            .map(|(source, rows, missing)| Consent {
                source: (*source).into(),
                rows: Some(*rows),
                missing: Some(*missing),
                ..Consent::default()
            })
            .collect();
        consent_recorded(&facts, parameters)
    }

    #[test]
    fn rows_without_consent_speak_against_its_record() {
        let all = |rows: &[_]| {
            let found = of(rows, &Value::Null);
            (found.state, found.source)
        };
        assert_eq!(all(&[]), (State::Pass, Source::Controller));
        let (both, one) = (Source::Both, Source::Controller);
        assert_eq!(all(&[("s", 9, 0), ("t", 9, 0)]), (State::Pass, both));
        assert_eq!(all(&[("s", 9, 1), ("t", 9, 0)]), (State::Part, both));
        assert_eq!(all(&[("s", 9, 9), ("t", 9, 0)]), (State::Part, both));
        assert_eq!(all(&[("s", 9, 9), ("t", 9, 9)]), (State::Fail, both));
        // What was read of another activity, or is empty, bears nothing out.
        assert_eq!(all(&[("s", 9, 0)]), (State::Pass, one));
        assert_eq!(all(&[("s", 9, 0), ("t", 0, 0)]), (State::Pass, one));
        let found = of(&[("s", 9, 9)], &json!({"form": ["separate"]}));
        assert_eq!(found.state, State::Fail);
        assert!(found.remedy.unwrap().contains("by source s"));
    }
}
