//! How controls stand by what is said, and by what the database shows.

use super::super::Standing;
use super::*;

/// How a control stands.
fn standing(facts: &Facts, control: &Control) -> Standing {
    let mut bench = Bench {
        facts: facts.clone(),
        found: BTreeMap::new(),
    };
    let asked = question(&facts.day, &[]);
    stand(control, &Value::Null, None, &asked, &mut bench)
}

#[test]
fn words_alone_meet_nothing() {
    let rules = shipped();
    let mut without_incidents = said();
    let facts = &mut without_incidents.controller.facts;
    facts.retain(|fact| fact.kind != "incident");
    for facts in [said(), without_incidents] {
        for control in &rules.controls {
            let found = standing(&facts, control);
            assert_ne!(found.status, Status::Met, "{}", control.id);
        }
        let rows = fill(&rules, &question(&facts.day, &[]), &facts).unwrap();
        for row in rows {
            assert_ne!(row.status, Status::Met, "{}", row.requirement.id);
        }
        // Without incidents a procedure is all that there is.
        for id in ["GDPR-33-1", "GDPR-33-5", "GDPR-12-3"] {
            assert_eq!(status(&facts, id).0, Status::Declared, "{id}");
        }
    }
}

#[test]
fn what_the_database_shows_meets() {
    let rules = shipped();
    let facts = shown();
    for control in &rules.controls {
        let found = standing(&facts, control);
        let rests_on_facts = found
            .found
            .iter()
            .any(|(_, evidence)| evidence.source.is_hard());
        assert_eq!(
            found.status == Status::Met,
            rests_on_facts && control.id != "C-LEDGER",
            "{}: {:?}",
            control.id,
            found.found
        );
    }
}

#[test]
fn documents_of_rules_say_of_evidence_what_its_function_says() {
    let facts = shown();
    for control in &shipped().controls {
        for (shown, found) in standing(&facts, control).found {
            assert_eq!(
                matches!(shown.kind, Proof::Db | Proof::Ledger),
                found.source.is_hard(),
                "{} of {}",
                shown.name,
                control.id
            );
        }
    }
}
