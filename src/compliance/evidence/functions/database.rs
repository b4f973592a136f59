//! What the database and the ledger show.

use serde_json::{Value, json};

use super::{days_between, evidence, share, some, words};
use crate::compliance::Facts;
use crate::compliance::evidence::{Evidence, Source, State};
use crate::compliance::inventory::access::admission::Admission;
use crate::compliance::inventory::{Column, ages};
use crate::ledger::lineage::report::Verdict;

/// Personal columns of schemas that runs write: `class: sensitive` asks for those only, `schemas`
/// for other schemas, and `state: anonymised` for what no key tells anything of.
pub fn mask_coverage(facts: &Facts, parameters: &Value) -> Evidence {
    let only_sensitive = parameters["class"] == "sensitive";
    let asked = words(parameters, "schemas");
    let targets = facts.inventory.targets();
    let schemas = if asked.is_empty() { &targets } else { &asked };
    let columns: Vec<_> = facts
        .inventory
        .personal()
        .filter(|column| schemas.contains(&column.schema.as_str()))
        .filter(|column| !only_sensitive || column.is_sensitive())
        .collect();
    let only_anonymised = parameters["state"] == "anonymised";
    let is_met = |column: &&&Column| match only_anonymised {
        true => column.treatment.is_anonymised(),
        false => column.treatment.is_masked(),
    };
    let masked = columns.iter().filter(is_met).count();
    let bare = columns.iter().filter(|column| !is_met(column));
    let (met, open) = match only_anonymised {
        true => ("anonymised", "not_anonymised"),
        false => ("masked", "not_masked"),
    };
    let value = json!({
        "schemas": schemas, "columns": columns.len(), met: masked,
        open: some(bare.map(|column| column.shown())),
    });
    let remedy = match only_anonymised {
        true => {
            "Give these columns strategies that need no key, CALL confiture.sync, and shred the keys \
             of its runs."
        }
        false => "Add rules for these columns to the profile and CALL confiture.sync.",
    };
    evidence(
        facts,
        share(masked, columns.len()),
        value,
        Source::Both,
        "confiture.lineage",
    )
    .unless_passed(remedy)
}

/// Personal columns with a declared sensitivity.
pub fn classified_share(facts: &Facts, _: &Value) -> Evidence {
    let columns: Vec<_> = facts.inventory.personal().collect();
    let is_classified = |column: &&&Column| column.is_classed();
    let classified = columns.iter().filter(is_classified).count();
    let open = columns.iter().filter(|column| !is_classified(column));
    // Of what facts declare otherwise the most protective class is taken, and somebody must settle it.
    let against: Vec<_> = facts
        .inventory
        .columns
        .iter()
        .filter(|column| !column.against().is_empty())
        .map(|column| column.shown())
        .collect();
    let state = match share(classified, columns.len()) {
        State::Pass if !against.is_empty() => State::Part,
        state => state,
    };
    let remedy = if against.is_empty() {
        "Declare these columns with their sensitivity, section columns.".to_owned()
    } else {
        let first: Vec<_> = against.iter().take(10).cloned().collect();
        format!(
            "Declare each column with one sensitivity, section columns; facts differ about {}.",
            first.join(", ")
        )
    };
    let value = json!({
        "columns": columns.len(), "classified": classified,
        "open": some(open.map(|column| column.shown())),
        "declared_otherwise_too": some(against.into_iter()),
    });
    // What class a column has is the controller's word, whatever the catalog holds.
    evidence(facts, state, value, Source::Controller, "columns").unless_passed(remedy)
}

/// What the verification of the ledger finds now.
pub fn ledger_verified(facts: &Facts, _: &Value) -> Evidence {
    let ledger = &facts.inventory.ledger;
    let verdict = ledger.verdict();
    let state = match verdict {
        // What holds nothing is whole, and shows nothing.
        Verdict::Ok if ledger.since.is_none() => State::None,
        Verdict::Ok => State::Pass,
        Verdict::Unsigned => State::Part,
        Verdict::Unverifiable => State::None,
        Verdict::Fail => State::Fail,
    };
    let value = json!({"status": verdict.status(), "since": ledger.since});
    evidence(
        facts,
        state,
        value,
        Source::Ledger,
        "confiture.verify_ledger()",
    )
    .unless_passed("SELECT * FROM confiture.verify_ledger() says what is wrong.")
}

/// When the ledger was verified last, on record.
pub fn last_verification(facts: &Facts, parameters: &Value) -> Evidence {
    let most = parameters["max_age_days"].as_i64().unwrap_or(30);
    let remedy = "SELECT * FROM confiture.record_verification();";
    let Some((at, passed)) = &facts.inventory.ledger.verified_at else {
        let value = json!({"max_age_days": most});
        return evidence(
            facts,
            State::None,
            value,
            Source::Ledger,
            "confiture.audit_log",
        )
        .unless_passed(remedy);
    };
    // The ledger is that of now: what was verified since the day that is asked about is not old.
    let age = days_between(at, &facts.day).map(|age| age.max(0));
    let is_fresh = age.is_some_and(|age| age <= most);
    let state = match (passed, is_fresh) {
        (true, true) => State::Pass,
        (true, false) => State::Part,
        (false, _) => State::Fail,
    };
    let value = json!({"at": at, "passed": passed, "age_days": age, "max_age_days": most});
    evidence(
        facts,
        state,
        value,
        Source::Ledger,
        "confiture.record_verification()",
    )
    .stale_where(*passed && !is_fresh)
    .unless_passed(remedy)
}

/// Runs whose checks all passed.
pub fn runs_verified(facts: &Facts, _: &Value) -> Evidence {
    let runs = &facts.inventory.runs;
    let count = |number: i64| usize::try_from(number).unwrap_or_default();
    let value = json!({
        "completed": runs.completed, "verified": runs.verified, "failed": runs.failed,
        "of_scripts": runs.scripts,
    });
    let state = share(count(runs.verified), count(runs.completed));
    evidence(
        facts,
        state,
        value,
        Source::Ledger,
        "confiture.verification",
    )
    .unless_passed("CALL confiture.sync, whose checks go on record.")
}

/// Who may read personal columns, and what is declared of it.
pub fn access_control(facts: &Facts, _: &Value) -> Evidence {
    let readers = &facts.inventory.readers;
    let open: Vec<_> = readers
        .iter()
        .filter(|(role, ..)| role == "PUBLIC")
        .map(|(_, schema, table)| format!("{schema}.{table}"))
        .collect();
    // As publications copy what nobody reads here, they are said too.
    let published = facts
        .inventory
        .ways_out
        .iter()
        .filter(|way| way.kind == "publication")
        .map(|way| match &way.detail {
            Some(detail) => format!("{}: {detail}", way.name),
            None => way.name.clone(),
        });
    let mut roles: Vec<_> = readers.iter().map(|(role, ..)| role.as_str()).collect();
    roles.dedup();
    let declared = facts
        .controller
        .with("measure", "kind", "access_control")
        .next()
        .is_some();
    let is_seen = facts.inventory.personal().next().is_some();
    let state = match (open.is_empty(), declared) {
        // Of no column nobody can say who reads it.
        _ if !is_seen => State::None,
        (false, _) => State::Fail,
        (true, true) => State::Pass,
        (true, false) => State::Part,
    };
    let value = json!({
        "roles_that_read": some(roles.into_iter().map(str::to_owned)),
        "open_to_everybody": some(open.into_iter()), "published": some(published),
        "declared": declared,
    });
    evidence(
        facts,
        state,
        value,
        Source::Both,
        "pg_class.relacl, pg_auth_members, pg_publication",
    )
    .unless_passed(
        "Revoke SELECT on these tables and views from PUBLIC; declare a measure of kind \
         access_control.",
    )
}

/// Whether who connects from elsewhere must encrypt. That the server offers it is a part of that.
pub fn encryption_in_transit(facts: &Facts, _: &Value) -> Evidence {
    let settings = &facts.inventory.settings;
    let (lets_in, lines, told) = match &facts.inventory.admission {
        Admission::Plain(lines) if lines.is_empty() => (json!(false), None, ""),
        Admission::Plain(lines) => (
            json!(true),
            Some(lines),
            "Make the lines of pg_hba.conf that let clients in without encryption hostssl.",
        ),
        Admission::Unclear => (
            Value::Null,
            None,
            "Correct the lines of pg_hba.conf that the server does not understand.",
        ),
        Admission::Unseen => (
            Value::Null,
            None,
            "Have a role ask that may execute pg_hba_file_rules(): seen is that the server offers \
             encryption, and not whether clients must use it.",
        ),
    };
    let (state, remedy) = match settings.get("ssl").map(String::as_str) {
        Some("on") if lets_in == false => (State::Pass, ""),
        Some("on") => (State::Part, told),
        Some(_) => (State::Fail, "Set ssl = on, with a certificate."),
        None => (State::None, "Set ssl = on, with a certificate."),
    };
    let value = json!({
        "ssl": settings.get("ssl"),
        "ssl_min_protocol_version": settings.get("ssl_min_protocol_version"),
        "password_encryption": settings.get("password_encryption"),
        "lets_in_without_encryption": lets_in, "lines_that_let_in_without": lines,
    });
    let reference = "pg_settings, pg_hba_file_rules()";
    evidence(facts, state, value, Source::Database, reference).unless_passed(remedy)
}

/// Rows that are older than a retention rule allows, or have no day to tell it by. What a legal hold
/// keeps speaks for nothing: it is to be decided about.
pub fn overdue_rows(facts: &Facts, _: &Value) -> Evidence {
    let ages = &facts.inventory.ages;
    let read: Vec<_> = ages.iter().filter(|age| age.problem.is_none()).collect();
    let late = |is_held: bool| {
        let late = read.iter().filter(|age| age.is_overdue());
        late.filter(|age| age.hold.is_some() == is_held).count()
    };
    let undated = read.iter().filter(|age| age.has_undated()).count();
    let state = match (read.len(), late(false), late(true) + undated) {
        (0, ..) => State::None,
        (_, 1.., _) => State::Fail,
        (_, _, 1..) => State::Part,
        (read, ..) if read < ages.len() => State::Part,
        _ => State::Pass,
    };
    let rules: Vec<_> = ages
        .iter()
        .map(|age| {
            json!({
                "rule": age.rule, "oldest": age.oldest, "overdue": age.overdue,
                "without_a_day": age.undated, "held_by": age.hold, "problem": age.problem,
            })
        })
        .collect();
    let mut remedies: Vec<_> = ages::advice(ages).into_iter().collect();
    remedies.extend(ages::without_day(ages));
    if read.len() < ages.len() || ages.is_empty() {
        remedies.push("Name table and column in each retention rule.".to_owned());
    }
    evidence(
        facts,
        state,
        json!({"rules": rules}),
        Source::Both,
        "retention_rules",
    )
    .unless_passed(remedies.join(" "))
}
