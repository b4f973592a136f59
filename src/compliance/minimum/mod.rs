//! The least that meets requirements: which controls, set to what, and what one more jurisdiction
//! adds.

pub mod bound;
pub mod cover;
pub mod sql;

use std::collections::BTreeMap;

use super::rules::parameter::Params;
use super::rules::{Requirement, Review, Rules};
use cover::{Need, Set};

/// What was found.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Least {
    /// The controls, by id.
    pub chosen: Vec<Chosen>,
    /// Requirements that no control covers, by id, with the reason.
    pub uncovered: Vec<(String, String)>,
    /// What the controls cost together.
    pub cost: u32,
}

/// A control that is needed.
#[derive(Clone, Debug, PartialEq)]
pub struct Chosen {
    /// Its id.
    pub control: String,
    /// What it is set to, so that it covers all that it can.
    pub params: Params,
    /// The requirements that would be uncovered without it.
    pub forced_by: Vec<String>,
    /// Their jurisdictions.
    pub jurisdictions: Vec<String>,
    /// What it costs.
    pub cost: u32,
}

/// What another jurisdiction changes.
#[derive(Clone, Debug, PartialEq)]
pub struct Further {
    /// Controls that are needed beside the others.
    pub controls: Vec<String>,
    /// What they cost.
    pub cost: i64,
    /// Controls that are needed anyway and set otherwise.
    pub tightened: Vec<String>,
    /// Requirements that no control covers.
    pub uncovered: Vec<String>,
}

/// Finds the least set of controls for requirements that apply.
pub fn least(rules: &Rules, applicable: &[&Requirement]) -> Least {
    let merged = merged(rules, applicable);
    let mut uncovered = Vec::new();
    let mut needs: Vec<Need> = Vec::new();
    let mut covered = Vec::new();
    for requirement in applicable {
        let need = alternatives(rules, requirement, &merged);
        if need.is_empty() {
            uncovered.push((requirement.id.clone(), why_uncovered(requirement, &merged)));
        } else {
            needs.push(need);
            covered.push(*requirement);
        }
    }
    uncovered.sort();
    let costs: Vec<u32> = rules.controls.iter().map(|control| control.cost).collect();
    let set = cover::cheapest(&needs, &costs).unwrap_or_default();
    let chosen: Vec<Chosen> = cover::members(set)
        .filter_map(|place| {
            let control = rules.controls.get(place)?;
            let without = set & !(1 << place);
            let mut forcing: Vec<&Requirement> = needs
                .iter()
                .zip(&covered)
                .filter(|(need, _)| need.iter().all(|other| other & !without != 0))
                .map(|(_, requirement)| *requirement)
                .collect();
            forcing.sort_by(|a, b| a.id.cmp(&b.id));
            let mut jurisdictions: Vec<String> = forcing
                .iter()
                .map(|requirement| requirement.jurisdiction.clone())
                .collect();
            jurisdictions.sort_unstable();
            jurisdictions.dedup();
            Some(Chosen {
                control: control.id.clone(),
                params: merged.get(control.id.as_str()).cloned().unwrap_or_default(),
                forced_by: forcing
                    .iter()
                    .map(|requirement| requirement.id.clone())
                    .collect(),
                jurisdictions,
                cost: control.cost,
            })
        })
        .collect();
    Least {
        cost: chosen.iter().map(|chosen| chosen.cost).sum(),
        chosen,
        uncovered,
    }
}

/// What the second set needs beyond the first.
pub fn further(less: &Least, more: &Least) -> Further {
    let find = |id: &str| less.chosen.iter().find(|chosen| chosen.control == id);
    let is_known = |id: &String| less.uncovered.iter().any(|(known, _)| known == id);
    Further {
        controls: more
            .chosen
            .iter()
            .filter(|chosen| find(&chosen.control).is_none())
            .map(|chosen| chosen.control.clone())
            .collect(),
        cost: i64::from(more.cost) - i64::from(less.cost),
        tightened: more
            .chosen
            .iter()
            .filter(|chosen| find(&chosen.control).is_some_and(|old| old.params != chosen.params))
            .map(|chosen| chosen.control.clone())
            .collect(),
        uncovered: more
            .uncovered
            .iter()
            .map(|(id, _)| id.clone())
            .filter(|id| !is_known(id))
            .collect(),
    }
}

impl Further {
    /// In words.
    pub fn words(&self) -> String {
        let part = |what: &str, ids: &[String]| {
            (!ids.is_empty()).then(|| format!("{what} {}", ids.join(", ")))
        };
        let parts: Vec<_> = [
            part("needs", &self.controls),
            part("tightens", &self.tightened),
            part("leaves uncovered", &self.uncovered),
        ]
        .into_iter()
        .flatten()
        .collect();
        if parts.is_empty() {
            return "nothing".to_owned();
        }
        parts.join("; ")
    }
}

/// What each control must be set to, for all that it covers.
fn merged<'a>(rules: &'a Rules, applicable: &[&'a Requirement]) -> BTreeMap<&'a str, Params> {
    let mut found: BTreeMap<&str, Params> = BTreeMap::new();
    for requirement in applicable {
        for control in covering(requirement).into_iter().flatten() {
            let takes = rules.control(control).map(|control| &control.takes);
            let taken = takes.is_some_and(|takes| {
                let given = requirement.params.given();
                given
                    .iter()
                    .any(|name| takes.iter().any(|taken| taken == name))
            });
            if taken {
                found.entry(control).or_default().merge(&requirement.params);
            }
        }
    }
    found
}

/// The sets of controls that cover a requirement as far as data say.
fn covering(requirement: &Requirement) -> Vec<Vec<&str>> {
    let alone = requirement
        .mappings
        .iter()
        .filter(|mapping| mapping.relation.covers())
        .map(|mapping| vec![mapping.control.as_str()]);
    let together = requirement
        .jointly
        .iter()
        .filter(|joint| joint.review == Review::Reviewed)
        .map(|joint| joint.controls.iter().map(String::as_str).collect());
    alone.chain(together).collect()
}

fn alternatives(rules: &Rules, requirement: &Requirement, merged: &BTreeMap<&str, Params>) -> Need {
    covering(requirement)
        .into_iter()
        .filter(|controls| {
            controls
                .iter()
                .all(|id| is_possible(requirement, id, merged))
        })
        .map(|controls| {
            controls.iter().fold(0, |set: Set, id| {
                let place = rules.controls.iter().position(|control| control.id == **id);
                set | place.map_or(0, |place| 1 << place)
            })
        })
        .collect()
}

/// A control that cannot be kept to covers nothing that asks how long.
fn is_possible(requirement: &Requirement, control: &str, merged: &BTreeMap<&str, Params>) -> bool {
    requirement.params.keep.is_none() || merged.get(control).is_none_or(Params::is_possible)
}

fn why_uncovered(requirement: &Requirement, merged: &BTreeMap<&str, Params>) -> String {
    let impossible = covering(requirement)
        .into_iter()
        .flatten()
        .find(|id| !is_possible(requirement, id, merged));
    if let Some(id) = impossible {
        return format!("no time keeps to all that {id} would have to keep to: decide");
    }
    if let Some(joint) = requirement.jointly.first() {
        let controls = joint.controls.join(" with ");
        return format!("{controls} would cover it, once a reviewer has said that they suffice");
    }
    match requirement.mappings.as_slice() {
        [] => "no control is mapped to it".to_owned(),
        mappings => {
            let names: Vec<_> = mappings
                .iter()
                .map(|mapping| mapping.control.as_str())
                .collect();
            let verb = if names.len() == 1 { "covers" } else { "cover" };
            format!("{} {verb} only a part of it", names.join(", "))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::compliance::rules::Joint;
    use crate::compliance::rules::tests::shipped;

    /// The ten requirements of the design, with the register of five years that goes with them.
    const SEED: [&str; 14] = [
        "CCPA-7102-A",
        "CN-INCIDENT-4H",
        "GDPR-30-1",
        "GDPR-32-1-A",
        "GDPR-32-1-D",
        "LGPD-15/2024-6",
        "LGPD-37",
        "PIPEDA-4.5.3",
        "PIPL-51-II",
        "PIPL-51-III",
        "PIPL-56",
        "PIPL-56-RECORD",
        "POPIA-17",
        "POPIA-17-PAIA",
    ];

    fn taken<'a>(rules: &'a Rules, ids: &[&str]) -> Vec<&'a Requirement> {
        ids.iter()
            .map(|id| rules.requirement(id).unwrap())
            .collect()
    }

    fn ids(least: &Least) -> Vec<&str> {
        least
            .chosen
            .iter()
            .map(|chosen| chosen.control.as_str())
            .collect()
    }

    #[test]
    fn the_seed_needs_what_the_design_says() {
        let mut rules = shipped();
        // As once a reviewer has agreed.
        for requirement in &mut rules.requirements {
            for joint in &mut requirement.jointly {
                joint.review = Review::Reviewed;
            }
        }
        let found = least(&rules, &taken(&rules, &SEED));
        assert_eq!(
            ids(&found),
            [
                "C-ASSESS",
                "C-BREACH",
                "C-CLASSIFY",
                "C-DSAR-LOG",
                "C-LEDGER",
                "C-MASK",
                "C-PAIA",
                "C-RETENTION",
                "C-ROPA",
            ]
        );
        let of = |id: &str| {
            found
                .chosen
                .iter()
                .find(|chosen| chosen.control == id)
                .unwrap()
        };
        assert_eq!(
            of("C-BREACH").params.json()["deadline"]["within"],
            "4 hours"
        );
        assert_eq!(of("C-LEDGER").params.json()["keep"]["at_least"], "3 years");
        assert!(of("C-ROPA").params.fields.contains("legal_basis"));
        // What is covered in part only is covered by nothing.
        let uncovered: Vec<_> = found.uncovered.iter().map(|(id, _)| id.as_str()).collect();
        assert_eq!(uncovered, ["GDPR-32-1-A", "GDPR-32-1-D"]);
    }

    #[test]
    fn controls_that_suffice_together_count_once_reviewed() {
        let mut rules = shipped();
        let alone = least(&rules, &taken(&rules, &["PIPL-56-RECORD"]));
        assert!(alone.chosen.is_empty());
        assert!(
            alone.uncovered[0].1.contains("once a reviewer has said"),
            "{:?}",
            alone.uncovered
        );
        let place = rules
            .requirements
            .iter()
            .position(|r| r.id == "PIPL-56-RECORD")
            .unwrap();
        rules.requirements[place].jointly = vec![Joint {
            controls: vec!["C-LEDGER".into(), "C-ROPA".into()],
            rationale: "both".into(),
            review: Review::Reviewed,
        }];
        let both = least(&rules, &taken(&rules, &["PIPL-56-RECORD"]));
        assert_eq!(ids(&both), ["C-LEDGER", "C-ROPA"]);
        assert_eq!(both.cost, 5);
    }

    #[test]
    fn another_jurisdiction_adds_what_only_it_asks_for() {
        let rules = shipped();
        let (less, more) = (
            least(&rules, &taken(&rules, &["GDPR-30-1", "GDPR-33-1"])),
            least(
                &rules,
                &taken(
                    &rules,
                    &[
                        "GDPR-30-1",
                        "GDPR-33-1",
                        "POPIA-17",
                        "POPIA-55",
                        "CN-INCIDENT-4H",
                    ],
                ),
            ),
        );
        let added = further(&less, &more);
        assert_eq!(added.controls, ["C-IO-REG"]);
        assert_eq!(
            (added.cost, added.tightened),
            (1, vec!["C-BREACH".to_owned()])
        );
        assert_eq!(
            further(&less, &more).words(),
            "needs C-IO-REG; tightens C-BREACH"
        );
        assert_eq!(further(&more, &more).words(), "nothing");
    }

    #[test]
    fn times_that_exclude_each_other_leave_both_uncovered() {
        let mut rules = shipped();
        let place = rules
            .requirements
            .iter()
            .position(|r| r.id == "PIPEDA-10.3")
            .unwrap();
        rules.requirements[place].params.keep =
            Some(crate::compliance::rules::parameter::Keep::between(
                None,
                crate::compliance::calendar::Span::of(24, "month"),
            ));
        let found = least(&rules, &taken(&rules, &["LGPD-15/2024-10", "PIPEDA-10.3"]));
        assert_eq!(found.uncovered.len(), 2);
        assert!(
            found.uncovered[0].1.contains("decide"),
            "{:?}",
            found.uncovered
        );
    }

    #[test]
    fn everything_shipped_is_solved() {
        let rules = shipped();
        let all: Vec<_> = rules.requirements.iter().collect();
        let found = least(&rules, &all);
        assert!(found.chosen.len() > 25, "{:?}", ids(&found));
        for chosen in &found.chosen {
            assert!(!chosen.forced_by.is_empty(), "{}", chosen.control);
        }
    }
}
