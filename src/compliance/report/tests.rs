//! What holds for every report, whatever the law.

use super::definition::{Ask, Status};
use super::laws::LAWS;
use super::{Report, fill};
use crate::compliance::Facts;
use crate::compliance::evidence;
use crate::ledger::lineage::report::Format;

fn facts() -> Facts {
    Facts {
        day: "2026-12-09".to_owned(),
        ..Facts::default()
    }
}

fn report<'a>(law: &'static super::definition::Law, facts: &'a Facts) -> Report<'a> {
    fill::fill(law, facts, None, "test".to_owned())
}

#[test]
fn ids_are_told_apart_and_evidence_is_there() {
    for law in LAWS {
        let mut ids: Vec<_> = law
            .sections
            .iter()
            .flat_map(|s| s.lines)
            .map(|l| l.id)
            .collect();
        let count = ids.len();
        ids.sort_unstable();
        ids.dedup();
        assert_eq!(ids.len(), count, "{}", law.code);
        for line in law.sections.iter().flat_map(|section| section.lines) {
            if let Ask::Evidence(name, parameters) = line.ask {
                assert!(evidence::find(name).is_some(), "{name}");
                serde_json::from_str::<serde_json::Value>(parameters).unwrap();
            }
        }
    }
}

#[test]
fn nothing_is_declared_where_nobody_declared_anything() {
    let facts = facts();
    for law in LAWS {
        for field in report(law, &facts).fields() {
            assert_ne!(field.status, Status::Declared, "{}", field.id);
            if field.status == Status::Missing {
                assert!(field.note.is_some(), "{}", field.id);
            }
        }
    }
}

#[test]
fn laws_begin_on_their_day() {
    let status = |day: &str| {
        let mut facts = facts();
        facts.day = day.to_owned();
        let (law, id) = (super::laws::find("privacy_act", None).unwrap(), "au.1.7");
        let report = report(law, &facts);
        report
            .fields()
            .find(|field| field.id == id)
            .map(|field| field.status)
    };
    assert_eq!(status("2026-12-09"), Some(Status::NotApplicable));
    assert_eq!(status("2026-12-10"), Some(Status::Missing));
}

#[test]
fn no_report_gives_a_verdict() {
    let facts = facts();
    for law in LAWS {
        for format in [Format::Json, Format::Markdown, Format::Html] {
            let text = report(law, &facts).render(format).to_lowercase();
            for word in ["compliant\": true", "is compliant", "fully compliant"] {
                assert!(!text.contains(word), "{} {word}", law.code);
            }
        }
    }
}
