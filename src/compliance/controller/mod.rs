//! The controller's facts: what no database knows of itself. Who is responsible, for which purposes,
//! on what basis, who receives data, how long they are kept, what was asked for and what went wrong.
//!
//! Each fact has a kind, an id and versions. A version is never changed: a later one takes its
//! place from its own first day on.

pub mod forms;
pub mod happened;
pub mod kinds;
pub mod order;
pub mod read;
pub mod recorded;
pub mod sql;
pub mod store;
pub mod suggest;
pub mod write;

use serde_json::{Map, Value};

use super::place;

/// Keys of a fact that are not fields of its kind.
pub const RESERVED: [&str; 3] = ["source_doc", "valid_from", "valid_to"];

/// A fact, as it holds on some day.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Fact {
    /// Its kind.
    pub kind: &'static str,
    /// Its id, which no other fact of the kind has.
    pub id: String,
    /// The fields that were declared.
    pub fields: Map<String, Value>,
    /// The first day.
    pub valid_from: String,
    /// The first day on which it holds no more.
    pub valid_to: Option<String>,
    /// What it was taken from.
    pub source_doc: Option<String>,
    /// Who entered it.
    pub entered_by: String,
    /// When, in UTC.
    pub entered_at: String,
}

impl Fact {
    /// A field as text; of a list, its items with commas.
    pub fn text(&self, field: &str) -> Option<String> {
        match self.fields.get(field)? {
            Value::String(text) => Some(text.clone()),
            Value::Array(items) => Some(
                items
                    .iter()
                    .filter_map(Value::as_str)
                    .collect::<Vec<_>>()
                    .join(", "),
            ),
            Value::Object(by) => Some(
                by.iter()
                    .filter_map(|(place, text)| Some(format!("{place}: {}", text.as_str()?)))
                    .collect::<Vec<_>>()
                    .join(", "),
            ),
            Value::Null => None,
            other => Some(other.to_string()),
        }
    }

    /// A field as text that is one.
    pub fn word(&self, field: &str) -> Option<&str> {
        self.fields.get(field)?.as_str()
    }

    /// A field as a list of texts; one text is a list of one.
    pub fn list(&self, field: &str) -> Vec<&str> {
        match self.fields.get(field) {
            Some(Value::Array(items)) => items.iter().filter_map(Value::as_str).collect(),
            Some(Value::String(text)) => vec![text],
            _ => Vec::new(),
        }
    }

    /// A field by jurisdiction: what it says of one. A text for all of them is that of the only
    /// jurisdiction that the fact names.
    pub fn of_place(&self, field: &str, jurisdiction: &str) -> Option<&str> {
        match self.fields.get(field)? {
            Value::Object(by) => by.get(jurisdiction)?.as_str(),
            Value::String(one) if self.list("jurisdictions") == [jurisdiction] => Some(one),
            _ => None,
        }
    }

    /// The fact with what its fields by jurisdiction say of this one, which is the only one that it
    /// names from then on. What is said of several at once is said of none of them.
    fn within(&self, jurisdiction: &str) -> Self {
        let named = self.list("jurisdictions");
        let kind = kinds::kind(self.kind);
        let is_by_place = |name: &str| {
            let mut fields = kind.into_iter().flat_map(|kind| kind.fields);
            fields.any(|field| field.name == name && field.form.is_by_place())
        };
        let own = |(name, value): (&String, &Value)| match value {
            Value::Object(by) => Some((name.clone(), by.get(jurisdiction)?.clone())),
            Value::String(_) if named != [jurisdiction] && is_by_place(name) => None,
            Value::Array(_) if name == "jurisdictions" => {
                Some((name.clone(), vec![jurisdiction.to_owned()].into()))
            }
            other => Some((name.clone(), other.clone())),
        };
        Self {
            kind: self.kind,
            id: self.id.clone(),
            fields: self.fields.iter().filter_map(own).collect(),
            valid_from: self.valid_from.clone(),
            valid_to: self.valid_to.clone(),
            source_doc: self.source_doc.clone(),
            entered_by: self.entered_by.clone(),
            entered_at: self.entered_at.clone(),
        }
    }

    /// Whether a flag is set.
    pub fn is(&self, field: &str) -> bool {
        self.fields.get(field).and_then(Value::as_bool) == Some(true)
    }

    /// What a flag says; `None` where nobody has said it.
    pub fn flag(&self, field: &str) -> Option<bool> {
        self.fields.get(field)?.as_bool()
    }

    /// A number of things.
    pub fn count(&self, field: &str) -> Option<i64> {
        self.fields.get(field)?.as_i64()
    }

    /// The jurisdictions that it names; none where it holds in all.
    pub fn places(&self) -> Vec<&str> {
        ["jurisdiction", "jurisdictions"]
            .iter()
            .flat_map(|field| self.list(field))
            .collect()
    }

    /// Whether it means something in a jurisdiction: what goes to a place there leaves nothing, and who
    /// represents somebody elsewhere represents nobody there.
    fn is_of(&self, jurisdiction: &str) -> bool {
        let country = self.word("country");
        let is_within = country.and_then(|country| place::is_within(country, jurisdiction));
        match self.kind {
            "transfer" => is_within != Some(true),
            "organisation" if self.word("role") == Some("representative") => {
                is_within != Some(false)
            }
            _ => true,
        }
    }

    /// Whether a field was declared.
    pub fn has(&self, field: &str) -> bool {
        self.fields.get(field).is_some_and(|value| !value.is_null())
    }
}

/// All facts that hold on a day.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Controller {
    /// By kind and id.
    pub facts: Vec<Fact>,
}

impl Controller {
    /// The facts of a kind.
    pub fn of<'a>(&'a self, kind: &'a str) -> impl Iterator<Item = &'a Fact> {
        self.facts.iter().filter(move |fact| fact.kind == kind)
    }

    /// The facts of a kind of which a field is a word, or holds it.
    pub fn with<'a>(
        &'a self,
        kind: &'a str,
        field: &'a str,
        word: &'a str,
    ) -> impl Iterator<Item = &'a Fact> {
        self.of(kind)
            .filter(move |fact| fact.list(field).contains(&word))
    }

    /// One fact.
    pub fn find(&self, kind: &str, id: &str) -> Option<&Fact> {
        self.facts
            .iter()
            .find(|fact| fact.kind == kind && fact.id == id)
    }

    /// The facts that hold in a jurisdiction: those that name it, and those that name none and are not
    /// about activities of others only. What goes to a place there leaves nothing, and who represents
    /// somebody elsewhere represents nobody there.
    #[must_use]
    pub fn within(&self, jurisdiction: &str) -> Self {
        let facts = self
            .facts
            .iter()
            .filter(|fact| self.holds_in(fact, jurisdiction));
        Self {
            facts: facts.map(|fact| fact.within(jurisdiction)).collect(),
        }
    }

    /// Whether one of the facts holds in a jurisdiction.
    pub fn holds_in(&self, fact: &Fact, jurisdiction: &str) -> bool {
        let is_there = |fact: &Fact| {
            let places = fact.places();
            places.is_empty() || places.contains(&jurisdiction)
        };
        let places = fact.places();
        let is_named = places.contains(&jurisdiction);
        if !(places.is_empty() || is_named) || !fact.is_of(jurisdiction) {
            return false;
        }
        // What names the jurisdiction itself is about it, wherever its activities are.
        if is_named {
            return true;
        }
        let mut about = fact.list("activity");
        about.extend(fact.list("activities"));
        let is_elsewhere = |id: &&str| {
            let activity = self.find("activity", id);
            activity.is_some_and(|activity| !is_there(activity))
        };
        about.is_empty() || !about.iter().all(is_elsewhere)
    }

    /// Recipients in another country that no transfer out of a jurisdiction covers, by itself or by its
    /// country, for all that they receive: their data leave it nevertheless.
    pub fn abroad<'a>(&'a self, jurisdiction: &'a str) -> impl Iterator<Item = &'a Fact> {
        self.of("recipient").filter(move |recipient| {
            let country = recipient.word("country");
            let is_elsewhere = |country| place::is_within(country, jurisdiction) == Some(false);
            let mut transfers = self.of("transfer");
            country.is_some_and(is_elsewhere)
                && self.holds_in(recipient, jurisdiction)
                && !transfers.any(|transfer| {
                    self.holds_in(transfer, jurisdiction) && covers(transfer, recipient)
                })
        })
    }

    /// Whether nothing was declared.
    pub fn is_empty(&self) -> bool {
        self.facts.is_empty()
    }
}

/// Whether a transfer is what takes data to a recipient.
fn covers(transfer: &Fact, recipient: &Fact) -> bool {
    let is_to = match transfer.word("recipient") {
        Some(id) => id == recipient.id,
        None => transfer
            .word("country")
            .zip(recipient.word("country"))
            .is_some_and(|(of, to)| of == to || place::is_within(to, of) == Some(true)),
    };
    let named = transfer.list("activities");
    let received = recipient.list("activities");
    let is_whole = !received.is_empty() && received.iter().all(|id| named.contains(id));
    is_to && (named.is_empty() || is_whole)
}
