//! Reports, made of what the caller may read, and put on record.

use serde_json::{Value, json};

use super::definition::Law;
use super::{Report, fill};
use crate::compliance::calendar::shown;
use crate::compliance::inventory::Needs;
use crate::compliance::matrix::store::zone;
use crate::compliance::rules::Rules;
use crate::compliance::rules::store::Set;
use crate::compliance::{Facts, controller, incident, inventory, request};
use crate::error::{Error, Kind, Result};
use crate::ledger::lineage::report::store::issue;
use crate::pg::server;
use crate::strategies::calendar::{DAY, SECOND, parse_date};

/// The facts of a day, for some schemas or all.
///
/// # Errors
/// As the interface; 42501 from the server where the caller may not read what they are made of.
pub fn facts(day: &str, scope: Option<&[String]>, rules: &Rules) -> Result<Facts> {
    some_facts(day, scope, Needs::ALL, rules)
}

/// The same, of which only so much is read.
///
/// # Errors
/// As [`facts`].
pub fn some_facts(
    day: &str,
    scope: Option<&[String]>,
    needs: Needs,
    rules: &Rules,
) -> Result<Facts> {
    let declared = controller::store::on(day)?.happened(day, moment(day)?);
    server::check_for_interrupts();
    let inventory = inventory::store::read(&declared, day, scope, needs)?;
    let mut facts = Facts {
        day: day.to_owned(),
        controller: declared,
        ended: controller::store::ended(day)?,
        records: controller::recorded::store::read()?,
        inventory,
        jurisdiction: None,
    };
    if needs.timers {
        facts.inventory.timers = timers(&facts, rules)?;
    }
    if needs.terms {
        facts.inventory.terms = request::terms(rules, &facts)?;
    }
    Ok(facts)
}

/// The moment that a day is looked at from: now where it is today, else its last second.
fn moment(day: &str) -> Result<i64> {
    if day == controller::store::today()? {
        return Ok(server::now());
    }
    let day = parse_date(day).map_or_else(|| server::now().div_euclid(DAY), i64::from);
    Ok((day + 1) * DAY - SECOND)
}

/// The timers of every declared incident, under every law.
fn timers(facts: &Facts, rules: &Rules) -> Result<Vec<(String, String, Value)>> {
    let mut found = Vec::new();
    let mut incidents = facts.controller.of("incident").peekable();
    if incidents.peek().is_none() {
        return Ok(found);
    }
    let now = moment(&facts.day)?;
    for fact in incidents {
        for timer in incident::timers(rules, facts, &fact.id, now, &zone)? {
            let there = |moment: Option<i64>| {
                moment
                    .map(|moment| shown(moment, zone(&timer.zone).as_ref()))
                    .transpose()
            };
            let (due, told) = (there(timer.due)?, there(timer.told)?);
            let value = timer.value(&fact.id, json!(due), json!(told));
            found.push((
                fact.id.clone(),
                timer.requirement.jurisdiction.clone(),
                value,
            ));
        }
    }
    Ok(found)
}

/// The rules in one line, with what speaks against them and against the facts that are declared.
pub fn version(set: &Set, facts: &Facts) -> String {
    let mut parts = vec![set.version()];
    parts.extend(facts.records.doubts.iter().cloned());
    parts.join("; ")
}

/// The report of a law.
///
/// # Errors
/// 22023 for the notice of a federal agency of the United States by somebody else.
pub fn report<'a>(
    law: &'static Law,
    facts: &'a Facts,
    scope: Option<Vec<String>>,
    set: &Set,
) -> Result<Report<'a>> {
    if law.variant == Some("US") {
        let mut controllers = facts.controller.with("organisation", "role", "controller");
        if !controllers.any(|of| of.word("sector") == Some("us_federal")) {
            return Err(Error::new(
                Kind::InvalidParameter,
                "the Privacy Act of 1974 is for federal agencies of the United States",
            )
            .with_detail("No organisation with role controller is declared with sector us_federal.")
            .with_hint("Other variants are AU and NZ."));
        }
    }
    let mut report = fill::fill(law, facts, scope, &set.rules);
    report.rules = version(set, facts);
    Ok(report)
}

/// Puts on record that a report was handed out.
///
/// # Errors
/// As the ledger.
pub fn record(report: &Report<'_>, format: &str, text: &str) -> Result<()> {
    let about = json!({
        "report": "compliance_report", "regulation": report.law.code,
        "variant": report.law.variant, "format": format, "as_of": report.facts.day,
        "rules": report.rules,
    });
    let about = match about {
        Value::Object(members) => members,
        _ => serde_json::Map::new(),
    };
    issue(text, None, about)
}
