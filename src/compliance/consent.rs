//! Separate consent, as the law of China wants one: which activities need it for what, and which have
//! it. One that covers an activity covers no other.

use super::Facts;
use super::controller::Fact;
use super::inventory::Column;
use super::record::{about, columns, own};

/// The forms of it.
pub const FORMS: [&str; 2] = ["separate", "written"];

/// An activity, and something for which its data need separate consent.
#[derive(Clone, Debug, PartialEq)]
pub struct Need<'a> {
    /// The activity.
    pub activity: &'a Fact,
    /// For what, as `covers` of a consent source has it.
    pub what: &'static str,
    /// Whether the facts say that it is done; what nobody has said is taken to be.
    pub is_known: bool,
    /// The sources that cover it.
    pub sources: Vec<&'a Fact>,
}

/// What `covers` can name.
const ALL: [&str; 4] = ["sensitive", "provision", "publication", "export"];

/// What activities need separate consent for, of what is asked: all that do it, or of which nobody has said
/// that they do not, and that rest on no other basis than consent.
pub fn needs<'a>(facts: &'a Facts, asked: &[&str]) -> Vec<Need<'a>> {
    let mut found = Vec::new();
    for activity in own(facts).filter(|activity| !rests_elsewhere(activity)) {
        for what in ALL.into_iter().filter(|what| asked.contains(what)) {
            let done = is_done(facts, activity, what);
            // That an activity publishes is said; silence is for the trigger of the requirement.
            let is_needed = match what {
                "publication" => done == Some(true),
                _ => done != Some(false),
            };
            if is_needed {
                found.push(Need {
                    activity,
                    what,
                    is_known: done.is_some(),
                    sources: sources(facts, activity)
                        .filter(|source| source.list("covers").contains(&what))
                        .collect(),
                });
            }
        }
    }
    found
}

/// The separate and written consent of an activity, where it is said where it is kept.
pub fn sources<'a>(facts: &'a Facts, activity: &'a Fact) -> impl Iterator<Item = &'a Fact> {
    facts
        .controller
        .with("consent_source", "activity", &activity.id)
        .filter(|source| {
            let form = source.word("form");
            form.is_some_and(|form| FORMS.contains(&form))
                && (source.has("kept_in") || source.has("table"))
        })
}

/// Whether an activity rests on a basis with which no consent is needed, Article 13 (2) to (7): neither the
/// interests of its handler nor silence is one.
pub fn rests_elsewhere(activity: &Fact) -> bool {
    matches!(
        activity.word("legal_basis"),
        Some("contract" | "legal_obligation" | "public_task" | "vital_interests")
    )
}

/// Columns that are sensitive, or may be, and belong to no activity: nobody can say whose consent they need.
pub fn orphans(facts: &Facts) -> impl Iterator<Item = &Column> {
    facts.inventory.personal().filter(|column| {
        let declared = column.declared.as_ref();
        let is_orphan = declared.is_none_or(|declared| declared.activities.is_empty());
        is_orphan && (column.is_sensitive() || !column.is_classed())
    })
}

/// Whether something is done with the data of an activity; `None` where nobody has said.
fn is_done(facts: &Facts, activity: &Fact, what: &str) -> Option<bool> {
    match what {
        "sensitive" => has_sensitive(facts, activity),
        "provision" => is_provided(facts, activity),
        "publication" => activity.flag("published"),
        _ => is_exported(facts, activity),
    }
}

fn has_sensitive(facts: &Facts, activity: &Fact) -> Option<bool> {
    let of: Vec<&Column> = columns(facts, activity).collect();
    if of.iter().any(|column| column.is_sensitive()) {
        return Some(true);
    }
    // Names alone do not tell: no is what the controller says of each column.
    let is_classed = !of.is_empty() && of.iter().all(|column| column.is_classed());
    is_classed.then_some(false)
}

/// Who is entrusted, Article 21, is provided with nothing: he decides nothing himself.
fn is_provided(facts: &Facts, activity: &Fact) -> Option<bool> {
    if activity.is("sold_or_shared") {
        return Some(true);
    }
    let of: Vec<&Fact> = about(facts, "recipient", activity).collect();
    let role = |fact: &&Fact| fact.word("role").map(|role| role != "processor");
    if of.iter().any(|fact| role(fact) == Some(true)) {
        return Some(true);
    }
    match of.is_empty() {
        true => activity.flag("disclosed"),
        false => of.iter().all(|fact| role(fact).is_some()).then_some(false),
    }
}

fn is_exported(facts: &Facts, activity: &Fact) -> Option<bool> {
    let is_of = |fact: &&Fact| {
        let named = fact.list("activities");
        named.is_empty() || named.contains(&activity.id.as_str())
    };
    let transfers = || facts.controller.of("transfer");
    if transfers().any(|transfer| is_of(&transfer)) || facts.abroad().any(|to| is_of(&to)) {
        return Some(true);
    }
    // Who says of others that their data leave has said it of this one.
    let some = transfers().next().is_some() || facts.abroad().next().is_some();
    some.then_some(false)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::compliance::inventory::Declared;
    use crate::compliance::matrix::tests::facts as made_up;

    /// What needs separate consent, and whether it has it.
    fn of(yaml: &str, asked: &[&str]) -> Vec<(String, &'static str, bool)> {
        let facts = made_up("2026-03-31", yaml).within("CN");
        needs(&facts, asked)
            .into_iter()
            .map(|need| {
                let has = !need.sources.is_empty();
                (need.activity.id.clone(), need.what, has)
            })
            .collect()
    }

    fn need(id: &str, what: &'static str, has: bool) -> (String, &'static str, bool) {
        (id.to_owned(), what, has)
    }

    #[test]
    fn one_consent_covers_one_activity() {
        let yaml = "
activities:
  a: {name: A, legal_basis: consent}
  b: {name: B, legal_basis: consent}
  c: {name: C, legal_basis: contract}
  d: {name: D, legal_basis: legitimate_interests}
  e: {name: E}
transfers: {t: {country: US}}
consent_sources: {s: {activity: a, form: separate, covers: export, kept_in: there}}
";
        // A contract needs none; interests are no basis in China, and silence is none anywhere.
        assert_eq!(
            of(yaml, &["export"]),
            [
                need("a", "export", true),
                need("b", "export", false),
                need("d", "export", false),
                need("e", "export", false)
            ]
        );
        // Only what leaves needs it.
        let some = yaml.replace("{country: US}", "{country: US, activities: [b, c]}");
        assert_eq!(of(&some, &["export"]), [need("b", "export", false)]);
        // Not by another form, not for something else, and not where nobody says where it is.
        for other in [
            ("form: separate", "form: express"),
            ("covers: export", "covers: provision"),
            (", kept_in: there", ""),
        ] {
            let found = of(&yaml.replace(other.0, other.1), &["export"]);
            assert_eq!(found[0], need("a", "export", false), "{other:?}");
        }
    }

    #[test]
    fn an_activity_needs_it_for_what_the_facts_do_not_deny() {
        let with = |recipients: &str, more: &str| {
            let yaml = format!(
                "activities: {{a: {{name: A, legal_basis: consent{more}}}}}\n\
                 recipients: {{{recipients}}}"
            );
            let found = of(&yaml, &["provision", "publication"]);
            found
                .into_iter()
                .map(|(_, what, _)| what)
                .collect::<Vec<_>>()
        };
        assert_eq!(with("", ""), ["provision"]);
        assert_eq!(with("", ", disclosed: false"), [""; 0]);
        assert_eq!(
            with("", ", disclosed: false, published: true"),
            ["publication"]
        );
        assert_eq!(
            with("", ", disclosed: false, sold_or_shared: true"),
            ["provision"]
        );
        let host = "r: {name: R, role: processor}";
        assert_eq!(with(host, ""), [""; 0]);
        assert_eq!(with("r: {name: R, role: third_party}", ""), ["provision"]);
        assert_eq!(with("r: {name: R}", ""), ["provision"]);
        let both = format!("{host}, s: {{name: S, role: controller}}");
        assert_eq!(with(&both, ""), ["provision"]);
    }

    #[test]
    fn sensitive_columns_are_those_of_the_activity() {
        let yaml =
            "activities: {a: {name: A, legal_basis: consent}, b: {name: B, legal_basis: consent}}";
        let of = |sensitivity: Option<&str>, activities: &[&str]| {
            let mut facts = made_up("2026-03-31", yaml);
            facts.inventory.columns[0].declared = Some(Declared {
                sensitivity: sensitivity.map(str::to_owned),
                activities: activities.iter().map(|id| (*id).to_owned()).collect(),
                ..Declared::default()
            });
            let needs = needs(&facts, &["sensitive"]);
            let ids: String = needs.iter().map(|need| need.activity.id.as_str()).collect();
            (
                ids,
                needs.iter().all(|need| need.is_known),
                orphans(&facts).count(),
            )
        };
        // Of an activity without a column nobody has said what it handles.
        assert_eq!(of(Some("sensitive"), &["a"]), ("ab".into(), false, 0));
        assert_eq!(of(Some("sensitive"), &["a", "b"]), ("ab".into(), true, 0));
        assert_eq!(of(Some("ordinary"), &["a", "b"]), (String::new(), true, 0));
        assert_eq!(of(None, &["a", "b"]), ("ab".into(), false, 0));
        assert_eq!(of(Some("sensitive"), &[]).2, 1);
        assert_eq!((of(None, &[]).2, of(Some("ordinary"), &[]).2), (1, 0));
    }
}
