//! Whether a requirement applies, by the fact that decides it.

use crate::compliance::Facts;
use crate::compliance::controller::Fact;
use crate::compliance::inventory::Column;
use crate::compliance::place::is_within;
use crate::compliance::rules::{Requirement, Trigger};

/// Whether a requirement applies.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Applies {
    /// Whether it is taken to.
    pub is_taken: bool,
    /// Whether a fact decided it.
    pub is_known: bool,
    /// The fact, or what is missing.
    pub why: String,
}

impl Applies {
    /// Whether it is taken to although no fact decided it.
    pub fn is_assumed(&self) -> bool {
        self.is_taken && !self.is_known
    }
}

/// Decides for a requirement.
pub fn decide(requirement: &Requirement, facts: &Facts) -> Applies {
    let place = &requirement.jurisdiction;
    answer(requirement.trigger, requirement.at_least, place, facts)
}

/// Whether what a word of rules stands for is so in a jurisdiction.
pub fn holds(trigger: Trigger, jurisdiction: &str, facts: &Facts) -> Applies {
    answer(trigger, None, jurisdiction, facts)
}

fn answer(trigger: Trigger, at_least: Option<i64>, jurisdiction: &str, facts: &Facts) -> Applies {
    let scope = Scope {
        facts,
        jurisdiction,
    };
    let (known, why) = match trigger {
        Trigger::Always => (Some(true), String::new()),
        Trigger::Processor => scope.some_activity("role", &["processor"], "processing for others"),
        Trigger::AutomatedDecision => scope.some_activity(
            "automated_decision",
            &["assisted", "sole"],
            "decisions by programs",
        ),
        Trigger::Consent => scope.some_activity("legal_basis", &["consent"], "consent as a basis"),
        Trigger::Interests => scope.some_activity(
            "legal_basis",
            &["legitimate_interests"],
            "legitimate interests as a basis",
        ),
        Trigger::Children => scope.some_flag("minors", "data of children"),
        Trigger::Sale => scope.some_flag("sold_or_shared", "sale or sharing"),
        Trigger::HandedOn => scope.handed_on(),
        Trigger::Affected => scope.affected(at_least.unwrap_or(1)),
        Trigger::Research => {
            scope.some_flag("research_without_consent", "research without consent")
        }
        Trigger::Indirect => scope.some_flag("collected_from_others", "data from others"),
        Trigger::Sensitive => scope.column(Column::is_sensitive, "sensitive"),
        Trigger::Special => scope.column(Column::is_special, "special"),
        Trigger::Recipients => scope.recipients(),
        Trigger::Transfers => scope.transfers(),
        Trigger::Incident => scope.incidents(),
        Trigger::Volume => scope.volume(at_least),
        Trigger::Abroad => scope.abroad(),
        Trigger::Critical => scope.organisation_is(
            |fact| scope.may_be_there(fact) && fact.is("critical_infrastructure"),
            "an operator of critical infrastructure",
        ),
        Trigger::PublicBody => scope.organisation_is(
            |fact| {
                let is_public = matches!(fact.word("sector"), Some("public" | "us_federal"));
                is_public && scope.may_be_there(fact)
            },
            "a public body",
        ),
        Trigger::PrivateBody => scope.private_body(),
        Trigger::FederalAgency => scope.organisation_is(
            |fact| fact.word("sector") == Some("us_federal"),
            "a federal agency",
        ),
    };
    Applies {
        is_taken: known.unwrap_or_else(|| is_assumed(trigger)),
        is_known: known.is_some(),
        why,
    }
}

/// Whether it is taken to apply while nobody says so: all do, but those that depend on what few
/// organisations are.
fn is_assumed(trigger: Trigger) -> bool {
    !matches!(
        trigger,
        Trigger::Critical | Trigger::FederalAgency | Trigger::PublicBody | Trigger::Volume
    )
}

/// Yes, no or unknown, and why.
type Answer = (Option<bool>, String);

struct Scope<'a> {
    facts: &'a Facts,
    jurisdiction: &'a str,
}

impl<'a> Scope<'a> {
    /// The facts of a kind that hold in the jurisdiction.
    fn of(&self, kind: &'static str) -> impl Iterator<Item = &'a Fact> {
        let (controller, place) = (&self.facts.controller, self.jurisdiction);
        let of = controller.of(kind);
        of.filter(move |fact| controller.holds_in(fact, place))
    }

    /// The activities of the jurisdiction: those that name it, or none.
    fn activities(&self) -> Vec<&'a Fact> {
        self.of("activity").collect()
    }

    fn some_activity(&self, field: &str, words: &[&str], what: &str) -> Answer {
        self.some(field, what, |fact| {
            fact.word(field).is_some_and(|word| words.contains(&word))
        })
    }

    fn some_flag(&self, field: &str, what: &str) -> Answer {
        self.some(field, what, |fact| fact.is(field))
    }

    /// Yes where an activity says so, no where every one says otherwise.
    fn some(&self, field: &str, what: &str, is_so: impl Fn(&Fact) -> bool) -> Answer {
        let activities = self.activities();
        if let Some(activity) = activities.iter().find(|activity| is_so(activity)) {
            return (Some(true), format!("activity {} has {what}", activity.id));
        }
        match activities.iter().find(|activity| !activity.has(field)) {
            Some(silent) => (
                None,
                format!("activity {} does not say whether it has {what}", silent.id),
            ),
            None if activities.is_empty() => (None, "no activity is declared".to_owned()),
            None => (Some(false), format!("no activity has {what}")),
        }
    }

    fn handed_on(&self) -> Answer {
        let recipients = || self.of("recipient");
        let decides = |fact: &&Fact| fact.word("role").is_some_and(|role| role != "processor");
        if let Some(recipient) = recipients().find(decides) {
            return (
                Some(true),
                format!("recipient {} receives data", recipient.id),
            );
        }
        for (field, what) in [
            ("published", "publication"),
            ("sold_or_shared", "sale or sharing"),
        ] {
            match self.some_flag(field, what) {
                (Some(false), _) => {}
                other => return other,
            }
        }
        match recipients().find(|fact| !fact.has("role")) {
            Some(silent) => (
                None,
                format!("recipient {} does not say its role", silent.id),
            ),
            None => (
                Some(false),
                "no recipient decides for itself, and no activity publishes".to_owned(),
            ),
        }
    }

    fn column(&self, is_so: fn(&Column) -> bool, what: &str) -> Answer {
        let mut personal = self.facts.inventory.personal();
        if let Some(column) = personal.find(|column| is_so(column)) {
            return (Some(true), format!("column {} is {what}", column.shown()));
        }
        if self.facts.inventory.columns_total == 0 {
            return (None, "no column can be seen".to_owned());
        }
        if self.facts.inventory.is_scoped {
            return (
                None,
                format!("no column of the scope is {what}, and others are not looked at"),
            );
        }
        // Names alone do not tell: no is what the controller says of each column.
        let mut personal = self.facts.inventory.personal();
        match personal.find(|column| !column.is_classed()) {
            Some(silent) => (
                None,
                format!("column {} has no declared sensitivity", silent.shown()),
            ),
            None => (Some(false), format!("no column is {what}, or looks it")),
        }
    }

    fn recipients(&self) -> Answer {
        if let Some(recipient) = self.of("recipient").next() {
            return (
                Some(true),
                format!("recipient {} is declared", recipient.id),
            );
        }
        let activities = self.activities();
        let is_so = |fact: &&&Fact| fact.is("published") || fact.is("sold_or_shared");
        if let Some(activity) = activities.iter().find(is_so) {
            let why = format!("activity {} hands data on", activity.id);
            return (Some(true), why);
        }
        // Who says of each activity that nobody receives its data has said it.
        let says = |fact: &&&Fact| fact.has("disclosed") && !fact.is("disclosed");
        match activities.iter().find(|fact| !says(fact)) {
            Some(silent) => (
                None,
                format!("activity {} does not say who receives its data", silent.id),
            ),
            None if activities.is_empty() => (None, "no activity is declared".to_owned()),
            None => (Some(false), "no activity hands data on".to_owned()),
        }
    }

    fn transfers(&self) -> Answer {
        // What goes to a place of the jurisdiction leaves nothing: it is no transfer there.
        if let Some(transfer) = self.of("transfer").next() {
            return (Some(true), format!("transfer {} is declared", transfer.id));
        }
        let controller = &self.facts.controller;
        if let Some(recipient) = controller.abroad(self.jurisdiction).next() {
            let country = recipient.word("country").unwrap_or_default();
            return (
                Some(true),
                format!("recipient {} is in {country}", recipient.id),
            );
        }
        if let Some(silent) = self.of("recipient").find(|of| !of.has("country")) {
            let why = format!("recipient {} does not say its country", silent.id);
            return (None, why);
        }
        if let Some(way) = self.facts.inventory.ways_out.first() {
            return (None, format!("data may leave by {} {}", way.kind, way.name));
        }
        if self.activities().is_empty() {
            return (None, "no activity is declared".to_owned());
        }
        let why = "no transfer is declared, and the catalog shows no way out";
        (Some(false), why.to_owned())
    }

    fn incidents(&self) -> Answer {
        match self.of("incident").next() {
            Some(incident) => (Some(true), format!("incident {} is declared", incident.id)),
            None if self.facts.controller.is_empty() => (None, "nothing is declared".to_owned()),
            None => (Some(false), "no incident is declared".to_owned()),
        }
    }

    /// Yes where a declared incident is as large. That none has been is no answer: the next may be, and
    /// who must be told of it in hours prepares for that.
    fn affected(&self, at_least: i64) -> Answer {
        let largest = self
            .of("incident")
            .filter_map(|incident| Some((incident.count("subjects_affected")?, &incident.id)))
            .max();
        match largest {
            Some((count, id)) if count >= at_least => {
                (Some(true), format!("incident {id} affects {count} people"))
            }
            _ => (
                None,
                format!("no declared incident affects {at_least} people or more"),
            ),
        }
    }

    fn volume(&self, at_least: Option<i64>) -> Answer {
        let Some(at_least) = at_least else {
            return self.some_flag("large_scale", "a large scale");
        };
        let most = self
            .controllers()
            .filter_map(|fact| fact.count("consumers_per_year"))
            .max();
        match most {
            Some(count) => (
                Some(count >= at_least),
                format!("{count} consumers a year are declared, {at_least} is the threshold"),
            ),
            None => (None, "consumers_per_year is not declared".to_owned()),
        }
    }

    /// Who answers for the data is there or not; a processor is asked about only where nobody else does.
    fn abroad(&self) -> Answer {
        let of = |roles: &[&str]| -> Vec<&Fact> {
            let of = self.facts.controller.of("organisation");
            of.filter(|fact| fact.word("role").is_some_and(|role| roles.contains(&role)))
                .collect()
        };
        let mut own = of(&["controller", "joint_controller"]);
        if own.is_empty() {
            own = of(&["processor"]);
        }
        let mut unknown = true;
        for fact in own {
            let country = fact.word("country");
            match country.and_then(|country| is_within(country, self.jurisdiction)) {
                Some(true) => return (Some(false), format!("organisation {} is there", fact.id)),
                Some(false) => unknown = false,
                None => {}
            }
        }
        if unknown {
            return (None, "no organisation says its country".to_owned());
        }
        (Some(true), "no organisation is declared there".to_owned())
    }

    fn private_body(&self) -> Answer {
        let of = || {
            let controllers = self.facts.controller.of("organisation");
            controllers.filter(|fact| fact.word("role") == Some("controller"))
        };
        if let Some(fact) = of().find(|fact| fact.word("sector") == Some("private")) {
            return (
                Some(true),
                format!("organisation {} is a private body", fact.id),
            );
        }
        match of().find(|fact| fact.has("sector")) {
            Some(fact) => (
                Some(false),
                format!("organisation {} is no private body", fact.id),
            ),
            None => (None, "no controller says its sector".to_owned()),
        }
    }

    /// Whether an organisation is there, or does not say where: what one country calls it is nothing to
    /// another.
    fn may_be_there(&self, fact: &Fact) -> bool {
        let country = fact.word("country");
        country.is_none_or(|country| is_within(country, self.jurisdiction) != Some(false))
    }

    fn organisation_is(&self, is_so: impl Fn(&Fact) -> bool, what: &str) -> Answer {
        let mut some = false;
        for fact in self.controllers() {
            some = true;
            if is_so(fact) {
                return (Some(true), format!("organisation {} is {what}", fact.id));
            }
        }
        let known = some.then_some(false);
        (known, format!("no organisation is declared as {what}"))
    }

    fn controllers(&self) -> impl Iterator<Item = &'a Fact> {
        self.facts.controller.of("organisation").filter(|fact| {
            matches!(
                fact.word("role"),
                Some("controller" | "joint_controller" | "processor")
            )
        })
    }
}
