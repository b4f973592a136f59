//! Exports, and the route that China's law wants for their numbers.

use serde_json::json;

use crate::compliance::Facts;
use crate::compliance::controller::Fact;
use crate::compliance::record::lacks_transfer;
use crate::compliance::report::definition::Found;

/// The route that a number of persons asks for: Articles 38 to 40, and the provisions of March 2024.
fn route(persons: i64, sensitive: i64, is_critical: bool) -> &'static str {
    if is_critical || persons > 1_000_000 || sensitive > 10_000 {
        ASSESSMENT
    } else if persons >= 100_000 || sensitive > 0 {
        "standard contract or certification"
    } else {
        "exempt"
    }
}

const ASSESSMENT: &str = "security assessment";

/// Whether a declared mechanism is that route, or more.
fn keeps(mechanism: &str, route: &str) -> bool {
    match route {
        ASSESSMENT => mechanism == "security_assessment",
        "standard contract or certification" => matches!(
            mechanism,
            "security_assessment" | "standard_contract" | "certification"
        ),
        _ => true,
    }
}

/// The numbers of all exports since 1 January, the route that they ask for, and that of each.
pub fn routes(facts: &Facts) -> Found {
    let of: Vec<&Fact> = facts.controller.of("transfer").collect();
    if of.is_empty() {
        return Found::missing(
            "controller",
            "transfers",
            "Declare the transfers, section transfers.",
        );
    }
    let sum = |field: &str| -> i64 {
        let counts = of.iter().filter_map(|fact| fact.count(field));
        counts.fold(0, i64::saturating_add)
    };
    let (persons, sensitive) = (
        sum("subjects_this_year"),
        sum("sensitive_subjects_this_year"),
    );
    let controllers = || facts.controller.with("organisation", "role", "controller");
    let is_critical = controllers().any(|fact| fact.is("critical_infrastructure"));
    let route = route(persons, sensitive, is_critical);
    let mut open = Vec::new();
    if !controllers().any(|fact| fact.has("critical_infrastructure")) {
        open.push("critical_infrastructure of the controller".to_owned());
    }
    open.extend(facts.abroad().map(lacks_transfer));
    let each: Vec<_> = of
        .iter()
        .map(|fact| {
            for field in ["subjects_this_year", "sensitive_subjects_this_year"] {
                if !fact.has(field) {
                    open.push(format!("{field} of {}", fact.id));
                }
            }
            let mechanism = fact.word("mechanism").unwrap_or_default();
            if !keeps(mechanism, route) {
                open.push(format!("{route} as mechanism of {}", fact.id));
            }
            json!({
                "transfer": fact.id, "country": fact.text("country"), "mechanism": mechanism,
                "subjects_this_year": fact.count("subjects_this_year"),
                "sensitive_subjects_this_year": fact.count("sensitive_subjects_this_year"),
                "volume_basis": fact.text("volume_basis"),
            })
        })
        .collect();
    // Of what nobody has counted no sum is known, nor the route, unless what is known is enough.
    let known = |field: &str, sum: i64| of.iter().all(|fact| fact.has(field)).then_some(sum);
    let (persons, sensitive) = (
        known("subjects_this_year", persons),
        known("sensitive_subjects_this_year", sensitive),
    );
    let is_told = persons.is_some() && sensitive.is_some() || route == ASSESSMENT;
    let value = json!({
        "subjects_this_year": persons, "sensitive_subjects_this_year": sensitive,
        "critical_infrastructure": is_critical, "route_asked_for": is_told.then_some(route),
        "transfers": each,
    });
    let found = Found::declared(value, "transfers");
    if open.is_empty() {
        return found.noting("Who is counted twice in two transfers counts twice.");
    }
    open.truncate(20);
    found.open(format!("Declare {}.", open.join(", ")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_ask_for_a_route() {
        for (persons, sensitive, is_critical, asked) in [
            (99_999, 0, false, "exempt"),
            (100_000, 0, false, "standard contract or certification"),
            (
                1_000_000,
                10_000,
                false,
                "standard contract or certification",
            ),
            (1_000_001, 0, false, "security assessment"),
            (5, 10_001, false, "security assessment"),
            (5, 1, false, "standard contract or certification"),
            (5, 0, true, "security assessment"),
        ] {
            assert_eq!(route(persons, sensitive, is_critical), asked, "{persons}");
        }
        assert!(keeps("certification", "standard contract or certification"));
        assert!(!keeps("standard_contract", "security assessment"));
        assert!(keeps("none", "exempt"));
    }
}
