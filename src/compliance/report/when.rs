//! Conditions of lines.

use super::definition::{Applies, some_activity};
use crate::compliance::Facts;

/// Some activity is carried out for others.
pub fn processor(facts: &Facts) -> Applies {
    some_activity(
        facts,
        |activity| activity.word("role") == Some("processor"),
        "No activity is declared as that of a processor.",
    )
}

/// Some decision is made, or helped, by a program.
pub fn automated(facts: &Facts) -> Applies {
    some_activity(
        facts,
        |activity| {
            matches!(
                activity.word("automated_decision"),
                Some("assisted" | "sole")
            )
        },
        "No activity is declared to decide by a program.",
    )
}

/// Some activity is about minors.
pub fn minors(facts: &Facts) -> Applies {
    some_activity(
        facts,
        |activity| activity.is("minors"),
        "No activity is declared to be about minors.",
    )
}

/// Data are sold or shared.
pub fn sold(facts: &Facts) -> Applies {
    some_activity(
        facts,
        |activity| activity.is("sold_or_shared"),
        "No activity is declared to sell or share data.",
    )
}

/// Data are published or handed on.
pub fn handed_on(facts: &Facts) -> Applies {
    if facts.controller.of("recipient").next().is_some() {
        return Applies::Yes;
    }
    some_activity(
        facts,
        |activity| activity.is("published") || activity.is("sold_or_shared"),
        "No recipient is declared, and no activity that publishes.",
    )
}

/// Data leave the country.
pub fn exported(facts: &Facts) -> Applies {
    if facts.controller.of("transfer").next().is_some() {
        return Applies::Yes;
    }
    if facts.controller.is_empty() {
        return Applies::Unknown("Declare the transfers, section transfers.");
    }
    Applies::No("No transfer is declared.")
}

/// Consent of its own is asked for: for sensitive data, and for those that are handed on or leave the
/// country.
pub fn separate_consent(facts: &Facts) -> Applies {
    let answers = [sensitive(facts), handed_on(facts), exported(facts)];
    let unknown = answers
        .iter()
        .find(|answer| matches!(answer, Applies::Unknown(_)));
    if answers.contains(&Applies::Yes) {
        return Applies::Yes;
    }
    unknown.cloned().unwrap_or(Applies::No(
        "No column is sensitive, nothing is handed on and nothing leaves the country.",
    ))
}

/// Some activity rests on consent.
pub fn consent(facts: &Facts) -> Applies {
    some_activity(
        facts,
        |activity| activity.word("legal_basis") == Some("consent"),
        "No activity is declared to rest on consent.",
    )
}

/// Something went wrong.
pub fn incident(facts: &Facts) -> Applies {
    if facts.controller.of("incident").next().is_some() {
        return Applies::Yes;
    }
    if facts.controller.is_empty() {
        return Applies::Unknown("Declare the incidents, section incidents.");
    }
    Applies::No("No incident is declared.")
}

/// Ten million consumers or more.
pub fn many_consumers(facts: &Facts) -> Applies {
    let counts: Vec<_> = facts
        .controller
        .with("organisation", "role", "controller")
        .filter_map(|of| of.count("consumers_per_year"))
        .collect();
    match counts.iter().max() {
        None => Applies::Unknown("Declare consumers_per_year of the controller."),
        Some(10_000_000..) => Applies::Yes,
        Some(_) => Applies::No("Fewer than 10,000,000 consumers a year are declared."),
    }
}

/// Some column is sensitive.
pub fn sensitive(facts: &Facts) -> Applies {
    if facts.inventory.sensitive().next().is_some() {
        return Applies::Yes;
    }
    Applies::No("No column looks sensitive or is declared to be.")
}

/// The controller is a private body.
pub fn private_body(facts: &Facts) -> Applies {
    let sectors: Vec<_> = facts
        .controller
        .with("organisation", "role", "controller")
        .filter_map(|of| of.word("sector"))
        .collect();
    match sectors.first() {
        None => Applies::Unknown("Declare the sector of the controller."),
        Some(&"private") => Applies::Yes,
        Some(_) => Applies::No("The controller is not declared as a private body."),
    }
}
