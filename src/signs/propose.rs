//! What may be done about a column that looks personal: strategies, the best first.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::document::Part;
use super::{Category, Sort};
use crate::profile::written::flow as word;
use crate::strategies::params::{Params, Value};
use crate::strategies::{Kind, Strategy};

/// A strategy with its parameters.
#[derive(Clone, Debug, PartialEq)]
pub struct Proposal {
    /// Which.
    pub kind: Kind,
    /// Its parameters.
    pub params: Params,
}

impl Proposal {
    /// A strategy without parameters.
    pub fn new(kind: Kind) -> Self {
        Self {
            kind,
            params: Params::new(),
        }
    }

    /// The same with one more parameter.
    #[must_use]
    pub fn with(mut self, name: &str, value: impl Into<Value>) -> Self {
        self.params.insert(name.to_owned(), value.into());
        self
    }

    /// As a profile defines it: `{type: email, config: {…}}`.
    pub fn flow(&self) -> String {
        let kind = self.kind.name();
        if self.params.is_empty() {
            return format!("{{type: {}}}", word(kind));
        }
        format!(
            "{{type: {}, config: {}}}",
            word(kind),
            written(&self.params)
        )
    }

    /// Ready for use; `None` where the parameters do not go together.
    pub fn strategy(&self) -> Option<Arc<Strategy>> {
        Strategy::new(self.kind, &self.params).ok().map(Arc::new)
    }
}

/// The strategy to begin with.
pub fn propose(category: Category, sort: Sort, parts: &[Part]) -> Proposal {
    candidates(category, sort, parts, None)
        .into_iter()
        .next()
        .unwrap_or_else(|| Proposal::new(Kind::Redact))
}

/// Everything that may be tried, the best first; `most` is how many characters fit.
pub fn candidates(
    category: Category,
    sort: Sort,
    parts: &[Part],
    most: Option<usize>,
) -> Vec<Proposal> {
    let mut found = match sort {
        Sort::Json => vec![document(parts)],
        Sort::Record if !parts.is_empty() => vec![record(parts)],
        Sort::Record | Sort::Words => vec![Proposal::new(Kind::Null)],
        Sort::Text => of_text(category, most),
        _ => of_others(category, sort),
    };
    found.extend(whatever(category, sort, most));
    found
}

fn of_text(category: Category, most: Option<usize>) -> Vec<Proposal> {
    let new = Proposal::new;
    // A value of another form must neither stop the run nor come through.
    let lenient = |kind| new(kind).with("on_error", "redact");
    let limited = |base: Proposal| {
        let narrow = most.map(|most| base.clone().with("max_length", whole(most)));
        let unique = base.clone().with("keep_unique", true);
        [Some(base), narrow, Some(unique)]
            .into_iter()
            .flatten()
            .collect::<Vec<_>>()
    };
    let address = |part: &str| {
        let base = new(Kind::Address).with("part", part);
        match part {
            "line" => vec![base.clone(), base.with("keep_unique", true)],
            _ => vec![base],
        }
    };
    match category {
        Category::Email => vec![
            new(Kind::Email),
            new(Kind::Email).with("hash_length", 12),
            new(Kind::Email).with("hash_length", 8),
        ],
        Category::Phone => vec![
            lenient(Kind::Phone),
            new(Kind::Phone).with("keep_unique", true),
        ],
        Category::PersonName => limited(new(Kind::Name)),
        Category::GivenName => limited(new(Kind::Name).with("part", "first")),
        Category::FamilyName => limited(new(Kind::Name).with("part", "last")),
        Category::Username => {
            let short = new(Kind::Username).with("keep_unique", false);
            let narrow = most.filter(|most| *most < 40).map(|most| {
                let base = if most < 22 {
                    short
                } else {
                    new(Kind::Username)
                };
                base.with("max_length", whole(most))
            });
            [Some(new(Kind::Username)), narrow]
                .into_iter()
                .flatten()
                .collect()
        }
        Category::Company => limited(new(Kind::Company)),
        Category::Address => address("line"),
        Category::City => address("city"),
        Category::Region => [address("region"), address("region_code")].concat(),
        Category::PostalCode => address("postcode"),
        Category::Iban => vec![
            lenient(Kind::Iban),
            new(Kind::Iban).with("keep_unique", true),
        ],
        Category::CreditCard => vec![
            lenient(Kind::CreditCard),
            new(Kind::Fpe)
                .with("keep_prefix", 6)
                .with("preserve_luhn", true),
        ],
        Category::Ip => vec![lenient(Kind::Ip)],
        Category::Mac => vec![lenient(Kind::Mac)],
        Category::Device => vec![new(Kind::Hash)],
        Category::Url => vec![lenient(Kind::Url)],
        Category::AccountNumber | Category::BankAccount | Category::NationalId => {
            vec![new(Kind::Hash)]
        }
        _ => Vec::new(),
    }
}

fn of_others(category: Category, sort: Sort) -> Vec<Proposal> {
    let new = Proposal::new;
    match (category, sort) {
        (Category::BirthDate, Sort::Date) => vec![new(Kind::Generalize).with("unit", "year")],
        (Category::BirthDate, Sort::Number) => vec![new(Kind::Generalize).with("step", 10)],
        (Category::Ip, Sort::Inet | Sort::Network) => vec![new(Kind::Ip)],
        (Category::Mac, Sort::Mac) => vec![new(Kind::Mac)],
        (Category::Salary, Sort::Number) => vec![new(Kind::Noise)],
        (Category::Phone, Sort::Number) => vec![new(Kind::Phone).with("on_error", "redact")],
        (_, Sort::Uuid) => vec![new(Kind::Uuid)],
        (
            Category::AccountNumber
            | Category::BankAccount
            | Category::CreditCard
            | Category::NationalId
            | Category::PostalCode,
            Sort::Number,
        ) => vec![new(Kind::Hash)],
        (Category::Geo, Sort::Number) => vec![new(Kind::Noise)],
        (Category::Gender | Category::Trait | Category::Health | Category::Belief, _) => {
            vec![new(Kind::Shuffle)]
        }
        _ => Vec::new(),
    }
}

/// What fits many columns.
fn whatever(category: Category, sort: Sort, most: Option<usize>) -> Vec<Proposal> {
    let new = Proposal::new;
    let mut found = Vec::new();
    let hash = |length: i64| new(Kind::Hash).with("length", length);
    if sort == Sort::Text {
        // What is only looked at may become one word; a digest keeps what is joined or unique.
        let redactions = [new(Kind::Redact), new(Kind::Redact).with("style", "length")];
        let digests = [new(Kind::Hash)].into_iter().chain(
            most.filter(|most| (8..20).contains(most))
                .map(|most| hash(whole(most))),
        );
        if is_joined(category) {
            found.extend(digests);
            found.extend(redactions);
        } else {
            found.extend(redactions);
            found.extend(digests);
        }
    } else {
        found.push(new(Kind::Redact));
        if matches!(sort, Sort::Uuid) {
            found.push(new(Kind::Hash));
        }
        found.push(new(Kind::Shuffle));
    }
    found.push(new(Kind::Null));
    found
}

/// Whether equal values should stay equal.
fn is_joined(category: Category) -> bool {
    !matches!(
        category,
        Category::Belief
            | Category::BirthDate
            | Category::FreeText
            | Category::Gender
            | Category::Health
            | Category::Secret
            | Category::Trait
            | Category::Salary
            | Category::Geo
    )
}

/// Known keys by the strategy of what stands below them; everything else is redacted.
fn document(parts: &[Part]) -> Proposal {
    let mut paths = BTreeMap::new();
    for part in parts {
        if let Some(key) = &part.key
            && let Some(action) = action(part.category, Sort::Text)
        {
            paths.insert(format!("$..{key}"), action);
        }
    }
    let json = Proposal::new(Kind::Json);
    if paths.is_empty() {
        json
    } else {
        json.with("paths", Value::Map(paths))
    }
}

fn record(parts: &[Part]) -> Proposal {
    let fields = parts.iter().filter_map(|part| {
        let key = part.key.clone()?;
        Some((
            key,
            action(part.category, Sort::Text).unwrap_or_else(|| Value::from("null")),
        ))
    });
    Proposal::new(Kind::Record)
        .with("fields", Value::Map(fields.collect()))
        .with("unlisted", "keep")
}

/// A strategy inside another.
fn action(category: Category, sort: Sort) -> Option<Value> {
    let proposal = candidates(category, sort, &[], None).into_iter().next()?;
    let kind = Value::from(proposal.kind.name());
    if proposal.params.is_empty() {
        return Some(kind);
    }
    let members = [
        ("type".to_owned(), kind),
        ("config".to_owned(), Value::Map(proposal.params)),
    ];
    Some(Value::Map(members.into()))
}

fn written(params: &Params) -> String {
    let members: Vec<_> = params
        .iter()
        .map(|(name, value)| format!("{}: {}", word(name), value_of(value)))
        .collect();
    format!("{{{}}}", members.join(", "))
}

fn value_of(value: &Value) -> String {
    match value {
        Value::Bool(value) => value.to_string(),
        Value::Int(number) => number.to_string(),
        Value::Number(number) => number.get().to_string(),
        Value::Text(text) => word(text),
        Value::List(values) => {
            let values: Vec<_> = values.iter().map(value_of).collect();
            format!("[{}]", values.join(", "))
        }
        Value::Map(members) => written(members),
    }
}

fn whole(most: usize) -> i64 {
    i64::try_from(most).unwrap_or(i64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn proposals_are_strategies_with_right_parameters() {
        let sorts = [
            Sort::Boolean,
            Sort::Bytes,
            Sort::Date,
            Sort::Enum,
            Sort::Inet,
            Sort::Json,
            Sort::Mac,
            Sort::Network,
            Sort::Number,
            Sort::Point,
            Sort::Text,
            Sort::Uuid,
            Sort::Other,
        ];
        for category in Category::ALL {
            for sort in sorts.into_iter().filter(|sort| category.fits(*sort)) {
                let first = propose(category, sort, &[]);
                assert!(
                    first.strategy().is_some(),
                    "{category:?} {sort:?}: {}",
                    first.flow()
                );
            }
        }
    }

    #[test]
    fn proposals_for_documents_name_known_keys_only() {
        let part = |key: Option<&str>, category| Part {
            key: key.map(str::to_owned),
            category,
            confidence: 0.9,
        };
        let parts = [
            part(Some("mail"), Category::Email),
            part(None, Category::Phone),
        ];
        let proposal = propose(Category::Document, Sort::Json, &parts);
        assert_eq!(
            proposal.flow(),
            r#"{type: json, config: {paths: {"$..mail": email}}}"#
        );
        assert!(proposal.strategy().is_some());
    }
}
