//! A set of rules out of documents: whatever one names must be there, and no two are the same.

use std::collections::BTreeSet;

use sha2::{Digest, Sha256};

use super::{Conflict, Control, Document, Requirement, Rules, Standing};
use crate::error::{Error, Kind, Result};

/// The most controls of a set: what the search for the least set of them is made for.
pub const MOST_CONTROLS: usize = 128;

/// Whether something is there under a name.
pub type Known<'a> = &'a dyn Fn(&str) -> bool;

/// Puts a set together; `is_evidence` says which functions for evidence there are.
///
/// # Errors
/// 22023 for a name that stands for nothing, or for two things.
pub fn set(mut documents: Vec<Document>, is_evidence: Known<'_>) -> Result<Rules> {
    documents.sort_by(|a, b| a.name.cmp(&b.name));
    let hash = hash(
        documents
            .iter()
            .map(|document| (document.name.as_str(), &document.hash)),
    );
    let mut rules = Rules {
        hash,
        ..Rules::default()
    };
    for document in documents {
        rules.documents.push((document.name, document.version));
        rules.calendars.extend(document.calendars);
        rules.instruments.extend(document.instruments);
        rules.requirements.extend(document.requirements);
        rules.controls.extend(document.controls);
        rules.conflicts.extend(document.conflicts);
    }
    sort(&mut rules.calendars, "calendar", |item| &item.code)?;
    sort(&mut rules.instruments, "instrument", |item| &item.code)?;
    sort(&mut rules.requirements, "requirement", |item| &item.id)?;
    sort(&mut rules.controls, "control", |item| &item.id)?;
    sort(&mut rules.conflicts, "conflict", |item| &item.id)?;
    if rules.controls.len() > MOST_CONTROLS {
        return Err(wrong(format!("more than {MOST_CONTROLS} controls")));
    }
    for instrument in &rules.instruments {
        if rules.calendar(&instrument.calendar).is_none() {
            let (code, calendar) = (&instrument.code, &instrument.calendar);
            return Err(wrong(format!(
                "instrument \"{code}\" names calendar \"{calendar}\", which is not there"
            )));
        }
    }
    for control in &rules.controls {
        evidence(control, is_evidence)?;
    }
    for requirement in &rules.requirements {
        references(&rules, requirement)?;
    }
    for conflict in &rules.conflicts {
        sides(&rules, conflict)?;
    }
    let instruments: Vec<_> = rules
        .requirements
        .iter()
        .map(|requirement| {
            let instrument = rules.instrument(&requirement.instrument);
            instrument.map(|instrument| (instrument.jurisdiction.clone(), instrument.from))
        })
        .collect();
    for (requirement, instrument) in rules.requirements.iter_mut().zip(instruments) {
        let (jurisdiction, from) = instrument.unwrap_or_default();
        requirement.jurisdiction = jurisdiction;
        if requirement.standing != Standing::Proposed {
            requirement.from = requirement.from.or(from);
        }
    }
    Ok(rules)
}

/// The hash of a set: over those of its documents, in the order of their names.
pub fn hash<'a>(documents: impl Iterator<Item = (&'a str, &'a [u8; 32])>) -> [u8; 32] {
    let mut documents: Vec<_> = documents.collect();
    documents.sort_unstable();
    let mut hash = Sha256::new();
    for (_, document) in documents {
        hash.update(document);
    }
    hash.finalize().into()
}

fn sort<T>(items: &mut [T], noun: &str, key: impl Fn(&T) -> &String) -> Result<()> {
    items.sort_by(|a, b| key(a).cmp(key(b)));
    match items.windows(2).find(|pair| key(&pair[0]) == key(&pair[1])) {
        Some(pair) => Err(wrong(format!(
            "{noun} \"{}\" is there twice",
            key(&pair[0])
        ))),
        None => Ok(()),
    }
}

fn evidence(control: &Control, is_evidence: Known<'_>) -> Result<()> {
    match control
        .evidence
        .iter()
        .find(|shown| !is_evidence(&shown.name))
    {
        Some(shown) => Err(wrong(format!(
            "control \"{}\" names evidence \"{}\", which is not there",
            control.id, shown.name
        ))),
        None => Ok(()),
    }
}

fn references(rules: &Rules, requirement: &Requirement) -> Result<()> {
    let id = &requirement.id;
    if rules.instrument(&requirement.instrument).is_none() {
        return Err(wrong(format!(
            "requirement \"{id}\" names instrument \"{}\", which is not there",
            requirement.instrument
        )));
    }
    let mut seen = BTreeSet::new();
    let joint = requirement.jointly.iter().flat_map(|joint| &joint.controls);
    for name in requirement
        .mappings
        .iter()
        .map(|mapping| &mapping.control)
        .chain(joint)
    {
        if rules.control(name).is_none() {
            return Err(wrong(format!(
                "requirement \"{id}\" names control \"{name}\", which is not there"
            )));
        }
    }
    for mapping in &requirement.mappings {
        if !seen.insert(&mapping.control) {
            return Err(wrong(format!(
                "requirement \"{id}\" names control \"{}\" twice",
                mapping.control
            )));
        }
        let asked = mapping.with.as_object().into_iter().flatten();
        for (name, _) in asked {
            let control = rules.control(&mapping.control);
            let has = |control: &Control| control.evidence.iter().any(|shown| shown.name == *name);
            if !control.is_some_and(has) {
                return Err(wrong(format!(
                    "requirement \"{id}\" asks evidence \"{name}\", which control \"{}\" has not",
                    mapping.control
                )));
            }
        }
        if mapping.relation.covers() {
            takes(rules, requirement, std::slice::from_ref(&mapping.control))?;
        }
    }
    for joint in &requirement.jointly {
        takes(rules, requirement, &joint.controls)?;
    }
    Ok(())
}

/// Controls cover what asks for something only where one of them can be set to it.
fn takes(rules: &Rules, requirement: &Requirement, controls: &[String]) -> Result<()> {
    for name in requirement.params.given() {
        let takes = |id: &String| {
            let control = rules.control(id);
            control.is_some_and(|control| control.takes.iter().any(|taken| taken == name))
        };
        if !controls.iter().any(takes) {
            return Err(wrong(format!(
                "control \"{}\" does not take parameter \"{name}\" of requirement \"{}\"",
                controls.join("\" with \""),
                requirement.id
            )));
        }
    }
    Ok(())
}

fn sides(rules: &Rules, conflict: &Conflict) -> Result<()> {
    for name in conflict.between.iter().chain(&conflict.against) {
        if rules.requirement(name).is_none() {
            return Err(wrong(format!(
                "conflict \"{}\" names requirement \"{name}\", which is not there",
                conflict.id
            )));
        }
    }
    Ok(())
}

fn wrong(what: String) -> Error {
    Error::new(Kind::InvalidParameter, format!("invalid rules: {what}")).with_detail(
        "A document takes the place of the one of its name, and what the others name must be in it.",
    )
}
