//! What the controller declares.

use std::collections::{BTreeMap, HashSet};

use serde_json::{Map, Value, json};

use super::{REGISTER, every, evidence, ids, is_stale, is_undated, share, some, words};
use crate::compliance::Facts;
use crate::compliance::calendar::Span;
use crate::compliance::controller::Fact;
use crate::compliance::evidence::{Evidence, Source, State};
use crate::compliance::record;
use crate::compliance::request::is_withdrawn;
use crate::compliance::rules::read::shown_day;
use crate::strategies::calendar::parse_date;

/// Facts of a kind that the controller declares.
pub fn declared(facts: &Facts, parameters: &Value) -> Evidence {
    let kind = parameters["kind"].as_str().unwrap_or_default();
    let wanted = words(parameters, "fields");
    // Of a role, where only those are asked about: who says none may have it.
    let role = parameters["role"].as_str();
    let is_asked = |fact: &&Fact| {
        let own = fact.word("role");
        role.is_none() || own.is_none() || own == role
    };
    let of: Vec<_> = facts.controller.of(kind).filter(is_asked).collect();
    let whole = of
        .iter()
        .filter(|fact| wanted.iter().all(|field| fact.has(field)));
    let met = whole.count();
    let value = json!({"kind": kind, "facts": of.len(), "with_all_fields": met});
    let state = if of.is_empty() && role.is_none() {
        State::Fail
    } else {
        share(met, of.len())
    };
    evidence(facts, state, value, Source::Controller, kind).unless_passed(format!(
        "Declare facts of kind {kind} with {}.",
        wanted.join(", ")
    ))
}

/// Measures of the kinds asked for.
pub fn measure_declared(facts: &Facts, parameters: &Value) -> Evidence {
    let wanted = words(parameters, "kind");
    let mut found = Map::new();
    let (mut fresh, mut known, mut dated) = (0, 0, 0);
    for kind in &wanted {
        let of: Vec<_> = facts.controller.with("measure", "kind", kind).collect();
        let every = every(parameters);
        let is_fresh = |fact: &&&Fact| !is_stale(fact, every, &facts.day);
        let is_dated = |fact: &&Fact| !is_undated(fact, every);
        fresh += usize::from(of.iter().any(|fact| is_fresh(&fact)));
        dated += usize::from(of.iter().filter(is_fresh).any(is_dated));
        known += usize::from(!of.is_empty());
        found.insert((*kind).to_owned(), ids(of.into_iter()));
    }
    let state = match share(dated, wanted.len()) {
        State::Fail if known > 0 => State::Part,
        state => state,
    };
    evidence(
        facts,
        state,
        Value::Object(found),
        Source::Controller,
        "measures",
    )
    .stale_where(fresh < known)
    .unless_passed(format!("Declare measures of kind {}.", wanted.join(", ")))
}

/// Assessments of the kinds asked for, their next review, and whether they say what they must.
pub fn assessment_fresh(facts: &Facts, parameters: &Value) -> Evidence {
    let kinds = words(parameters, "kind");
    let wanted = words(parameters, "fields");
    let of: Vec<_> = facts
        .controller
        .of("assessment")
        .filter(|fact| kinds.is_empty() || fact.word("kind").is_some_and(|of| kinds.contains(&of)))
        .collect();
    let is_whole = |fact: &&&Fact| wanted.iter().all(|field| fact.has(field));
    let is_fresh = |fact: &&&Fact| !is_stale(fact, every(parameters), &facts.day);
    let fresh = of.iter().filter(is_fresh).count();
    let met = of.iter().filter(is_fresh).filter(is_whole).count();
    let state = match (met, of.len()) {
        (_, 0) => State::Fail,
        (0, _) => State::Part,
        _ => State::Pass,
    };
    let value = json!({
        "assessments": ids(of.iter().copied()), "with_review_ahead": fresh,
        "with_all_fields": of.iter().filter(is_whole).count(),
    });
    let mut with = vec!["its next review"];
    with.extend(&wanted);
    evidence(facts, state, value, Source::Controller, "assessments")
        .stale_where(fresh == 0 && !of.is_empty())
        .unless_passed(format!(
            "Declare an assessment of kind {}, with {}.",
            kinds.join(" or "),
            with.join(", ")
        ))
}

/// Whether a role is filled, and what else is asked of who fills it.
pub fn responsible_person(facts: &Facts, parameters: &Value) -> Evidence {
    let roles = words(parameters, "role");
    let mut wanted = vec!["contact"];
    wanted.extend(words(parameters, "fields"));
    let of: Vec<_> = facts
        .controller
        .of("organisation")
        .filter(|fact| fact.word("role").is_some_and(|role| roles.contains(&role)))
        .collect();
    // Where a representative is must be said: elsewhere he is none.
    let is_placed =
        |fact: &Fact| fact.word("role") != Some("representative") || fact.has("country");
    let is_whole = |fact: &&&Fact| wanted.iter().all(|field| fact.has(field)) && is_placed(fact);
    let whole = of.iter().filter(is_whole).count();
    let reachable = of.iter().filter(|fact| fact.has("contact")).count();
    let state = if of.is_empty() {
        State::Fail
    } else {
        share(whole, of.len())
    };
    let value = json!({
        "organisations": ids(of.iter().copied()), "with_contact": reachable,
        "with_all_fields": whole,
    });
    evidence(facts, state, value, Source::Controller, "organisations").unless_passed(format!(
        "Declare an organisation with role {} and {}.",
        roles.join(" or "),
        wanted.join(", ")
    ))
}

/// Recipients, beside the ways out that the catalog shows.
pub fn recipients_documented(facts: &Facts, _: &Value) -> Evidence {
    let of: Vec<_> = facts.controller.of("recipient").collect();
    let whole = of
        .iter()
        .filter(|fact| fact.has("category") && fact.has("country"))
        .count();
    let hints = facts
        .inventory
        .ways_out
        .iter()
        .map(|way| match &way.detail {
            Some(detail) => format!("{} {}: {detail}", way.kind, way.name),
            None => format!("{} {}", way.kind, way.name),
        });
    // Each activity says who receives its data, or that nobody does.
    let activities = record::own(facts).count();
    let silent: Vec<_> = record::own(facts)
        .filter(|activity| !record::lacks_recipients(facts, activity).is_empty())
        .collect();
    let said = activities - silent.len();
    let value = json!({
        "recipients": ids(of.iter().copied()), "with_category_and_country": whole,
        "activities_that_do_not_say": ids(silent.into_iter()),
        "ways_out_in_the_catalog": some(hints),
    });
    let state = if of.is_empty() {
        State::Fail
    } else {
        share(whole + said, of.len() + activities)
    };
    evidence(facts, state, value, Source::Controller, "recipients")
        .unless_passed("Declare the recipients with category and country, section recipients.")
}

/// Transfers with their mechanism and safeguards.
pub fn transfers_documented(facts: &Facts, _: &Value) -> Evidence {
    let of: Vec<_> = facts.controller.of("transfer").collect();
    let whole = of
        .iter()
        .filter(|fact| {
            // Where the protection is found adequate nothing else is needed; none is no mechanism.
            match fact.word("mechanism") {
                Some("adequacy") => true,
                Some("none") | None => false,
                Some(_) => fact.has("safeguard_document"),
            }
        })
        .count();
    let without: Vec<_> = facts.abroad().collect();
    let value = json!({
        "transfers": ids(of.iter().copied()), "with_safeguards": whole,
        "recipients_elsewhere_without_one": ids(without.iter().copied()),
    });
    evidence(
        facts,
        share(whole, of.len() + without.len()),
        value,
        Source::Controller,
        "transfers",
    )
    .unless_passed(
        "Declare the transfers with mechanism and safeguard_document, to each recipient in another \
         country.",
    )
}

/// Retention rules for every category of personal data, for each activity that it serves.
pub fn retention_documented(facts: &Facts, _: &Value) -> Evidence {
    let rules: Vec<_> = facts
        .controller
        .of("retention_rule")
        .filter(|rule| rule.has("max"))
        .collect();
    let covers = |category: &str, activity: Option<&str>| {
        rules.iter().any(|rule| {
            let about = rule.list("activities");
            (rule.word("category") == Some(category) || rule.word("category") == Some("all"))
                && (about.is_empty() || activity.is_some_and(|activity| about.contains(&activity)))
        })
    };
    // Whether every activity of each has its rule; what belongs to none needs one for all.
    let mut categories: BTreeMap<String, bool> = BTreeMap::new();
    for column in facts.inventory.personal() {
        let category = column.category_shown();
        let declared = column.declared.as_ref();
        let activities = declared.map_or(&[][..], |declared| &declared.activities);
        let is_covered = if activities.is_empty() {
            covers(&category, None)
        } else {
            let mut all = activities.iter();
            all.all(|activity| covers(&category, Some(activity)))
        };
        *categories.entry(category).or_insert(true) &= is_covered;
    }
    let met = categories
        .values()
        .filter(|is_covered| **is_covered)
        .count();
    let open = categories.iter().filter(|(_, is_covered)| !**is_covered);
    let value = json!({
        "categories": categories.len(), "with_rule": met,
        "open": some(open.map(|(category, _)| category.clone())),
    });
    evidence(
        facts,
        share(met, categories.len()),
        value,
        Source::Controller,
        "retention_rules",
    )
    .unless_passed("Declare a retention rule with max for each category and activity, or for all.")
}

/// Rights requests that were received or answered in a year, or in the twelve months before the day,
/// and those that are open: whether each has its answer, and had it in the time that every law gives
/// for it. No calendar makes a late answer a good one.
pub fn dsar_metrics(facts: &Facts, parameters: &Value) -> Evidence {
    let year = parameters["year"].as_i64();
    let begin = parse_date(&facts.day).and_then(|day| Span::Months(12).before(day.into()));
    let (begin, end) = match (year, begin) {
        (Some(year), _) => (format!("{year:04}-01-01"), format!("{year:04}-12-31")),
        (None, Some(begin)) => (shown_day(begin), facts.day.clone()),
        (None, None) => (String::new(), facts.day.clone()),
    };
    let is_within =
        |day: Option<&str>| day.is_some_and(|day| day >= begin.as_str() && day <= end.as_str());
    let rights = words(parameters, "rights");
    let of: Vec<_> = facts
        .controller
        .of("rights_request")
        .filter(|fact| {
            rights.is_empty()
                || fact
                    .word("right")
                    .is_some_and(|right| rights.contains(&right))
        })
        .filter(|fact| {
            is_open(fact)
                || is_within(fact.word("received_on"))
                || is_within(fact.word("responded_on"))
        })
        .collect();
    let terms = facts.inventory.terms.iter();
    let missed: HashSet<&str> = terms
        .filter(|term| term.status.is_missed())
        .map(|term| term.request.as_str())
        .collect();
    let is_missed = |fact: &&&Fact| missed.contains(fact.id.as_str());
    let late: Vec<_> = of.iter().filter(is_missed).copied().collect();
    // What the record of a request must say beside its decision and its days.
    let wanted = words(parameters, "fields");
    let is_whole = |fact: &&&Fact| {
        let is_based = wanted.is_empty()
            || fact.word("decision") != Some("denied")
            || fact.has("denial_basis");
        fact.has("decision") && is_based && wanted.iter().all(|field| fact.has(field))
    };
    let answered = of
        .iter()
        .filter(|fact| !is_open(fact))
        .filter(|fact| is_withdrawn(fact) || is_whole(fact))
        .count();
    let open: Vec<_> = of.iter().copied().filter(|fact| is_open(fact)).collect();
    let state = match share(answered + open.len(), of.len()) {
        _ if !late.is_empty() => State::Fail,
        state => state,
    };
    let remedy = match (late.is_empty(), wanted.is_empty()) {
        (true, true) => "Declare the requests with decision and responded_on.".to_owned(),
        (true, false) => format!(
            "Declare the requests with decision, responded_on, {}, and denial_basis of those denied.",
            wanted.join(", ")
        ),
        (false, _) => "Answer the requests whose term has run out; what was late stays so, and is \
                       on record."
            .to_owned(),
    };
    let value = json!({
        "from": begin, "to": end, "requests": of.len(), "answered": answered,
        "open": ids(open.into_iter()), "beyond_their_term": ids(late.into_iter()),
    });
    evidence(facts, state, value, Source::Controller, "rights_requests").unless_passed(remedy)
}

/// Whether somebody still waits for an answer.
fn is_open(request: &Fact) -> bool {
    !request.has("responded_on") && !is_withdrawn(request)
}

/// Incidents, and whether each says what a register must.
pub fn breach_register(facts: &Facts, _: &Value) -> Evidence {
    let of: Vec<_> = facts.controller.of("incident").collect();
    let whole = of
        .iter()
        .filter(|fact| REGISTER.iter().all(|field| fact.has(field)))
        .count();
    let procedure = facts
        .controller
        .with("measure", "kind", "breach_procedure")
        .next()
        .is_some();
    let state = match of.len() {
        0 if procedure => State::Pass,
        0 => State::None,
        all => share(whole, all),
    };
    let value = json!({"incidents": of.len(), "complete": whole, "procedure": procedure});
    evidence(facts, state, value, Source::Controller, "incidents")
        .unless_passed("Declare each incident in full, and a measure of kind breach_procedure.")
}

/// Incidents, and whether authorities and those whose data they are were told in time.
pub fn incident_deadlines(facts: &Facts, _: &Value) -> Evidence {
    let of: Vec<_> = facts.controller.of("incident").collect();
    let timers = |fact: &Fact| {
        let id = fact.id.clone();
        let timers = facts.inventory.timers.iter();
        timers
            .filter(move |(incident, ..)| *incident == id)
            .map(|(.., timer)| timer)
    };
    let is = |timer: &Value, words: &[&str]| {
        let status = timer["status"].as_str();
        status.is_some_and(|status| words.contains(&status))
    };
    // Who has a reason not to tell them somewhere lets no timer run out there.
    let is_missed = |fact: &&&Fact| {
        timers(fact).any(|timer| {
            is(timer, &["late"]) || is(timer, &["overdue"]) && timer["excused"] != true
        })
    };
    let missed: Vec<_> = of.iter().filter(is_missed).copied().collect();
    // Each of those who must be told, and not one for all of them; a complement waits for its notice.
    let is_seen_to =
        |timer: &Value| timer["excused"] == true || is(timer, &["done", "late", "waiting"]);
    let is_told = |fact: &Fact| {
        let mut own = timers(fact).peekable();
        if own.peek().is_none() {
            return fact.has("authority_notified_at") || fact.has("no_authority_notice_reason");
        }
        own.all(is_seen_to)
    };
    let told = of.iter().filter(|fact| is_told(fact)).count();
    // Of others a timer with a number still runs; what has none is planned with it.
    let runs = |fact: &Fact| {
        timers(fact).any(|timer| is(timer, &["open"]) && !timer["due"].is_null())
            && timers(fact).all(|timer| is_seen_to(timer) || is(timer, &["open"]))
    };
    let open: Vec<_> = of.iter().filter(|fact| !is_told(fact)).copied().collect();
    let running = open.iter().filter(|fact| runs(fact)).count();
    let state = match share(told + running, of.len()) {
        _ if !missed.is_empty() => State::Fail,
        state => state,
    };
    let value = json!({
        "incidents": of.len(), "told": told, "open": ids(open.into_iter()),
        "beyond_their_deadline": ids(missed.into_iter()),
    });
    evidence(facts, state, value, Source::Controller, "incidents")
        .unless_passed("SELECT * FROM confiture.incident_deadlines(…); tell the authorities.")
}

/// What Article 30 (1) asks for, letter by letter, of each activity of the controller's own: as the
/// report on it has it.
pub fn ropa_completeness(facts: &Facts, parameters: &Value) -> Evidence {
    let controller = &facts.controller;
    let each = |lacks: &dyn Fn(&Fact) -> bool| {
        let mut own = record::own(facts).peekable();
        own.peek().is_some() && !own.any(lacks)
    };
    let every = |field: &'static str| each(&|activity| !activity.has(field));
    let none = |lacks: fn(&Facts, &Fact) -> Vec<String>| {
        each(&move |activity| !lacks(facts, activity).is_empty())
    };
    let has_org = controller.of("organisation").any(|of| {
        matches!(of.word("role"), Some("controller" | "joint_controller")) && of.has("contact")
    });
    let is_declared = |kind: &&str| controller.with("measure", "kind", kind).next().is_some();
    let letters = [
        ("a", has_org),
        ("b", every("purpose")),
        ("c", every("subjects") && none(record::lacks_columns)),
        ("d", none(record::lacks_recipients)),
        ("e", none(record::lacks_transfers)),
        ("f", none(record::lacks_retention)),
        ("g", record::SECURITY.iter().all(is_declared)),
        ("legal_basis", every("legal_basis")),
    ];
    let asked = words(parameters, "fields");
    let asked: Vec<_> = letters
        .iter()
        .filter(|(letter, _)| {
            if asked.is_empty() {
                letter.len() == 1
            } else {
                asked.contains(letter)
            }
        })
        .collect();
    let met = asked.iter().filter(|(_, is_there)| *is_there).count();
    let value: Map<_, _> = asked
        .iter()
        .map(|(letter, is_there)| ((*letter).to_owned(), json!(is_there)))
        .collect();
    let open: Vec<_> = asked
        .iter()
        .filter(|(_, is_there)| !is_there)
        .map(|(letter, _)| *letter)
        .collect();
    let state = if controller.is_empty() {
        State::Fail
    } else {
        share(met, asked.len())
    };
    evidence(
        facts,
        state,
        Value::Object(value),
        Source::Controller,
        "activities",
    )
    .unless_passed(format!("Declare what is missing for {}.", open.join(", ")))
}
