//! The verdict on a column: what its name, its type and its values say, weighed.

use super::document::Part;
use super::names::{self, Named};
use super::tables::{About, Context};
use super::values::Tally;
use super::{Access, Category, Column, PERSONAL, Sort, Table};
use crate::error::counted;

/// What a column looks like.
#[derive(Clone, Debug, PartialEq)]
pub struct Verdict {
    /// The likeliest category, however unlikely.
    pub category: Option<Category>,
    /// How surely, from 0 to 1.
    pub confidence: f64,
    /// Which signs say so, in words without values.
    pub why: String,
    /// Of a document or a composite value, the parts that look personal.
    pub parts: Vec<Part>,
    /// What sort of values it holds.
    pub sort: Sort,
}

impl Verdict {
    /// Whether the column looks personal.
    pub fn is_personal(&self) -> bool {
        self.category.is_some() && self.confidence >= PERSONAL
    }
}

/// Judges a column of a table; `tally` is what was counted of its values, if any were looked at.
pub fn judge(table: &Table, context: Context, column: &Column, tally: Option<&Tally>) -> Verdict {
    let blind = blindness(table, column, tally);
    match column.sort {
        Sort::Json => document(context, column, tally, blind),
        Sort::Record => record(context, column, tally),
        _ => plain(context, column, tally, blind),
    }
}

/// Why the values of a column were not looked into.
fn blindness(table: &Table, column: &Column, tally: Option<&Tally>) -> &'static str {
    if tally.is_some_and(|tally| tally.seen() > 0) {
        return "";
    }
    match (column.is_readable(), table.access) {
        (false, _) => match column.sort {
            Sort::Bytes | Sort::Other => "values not looked into: their type cannot be read",
            _ => "",
        },
        (true, Access::Denied) => "values not looked into: permission denied",
        (true, Access::Filtered) => "values not looked into: row-level security hides rows",
        (true, Access::Open) if tally.is_some() => "no value found",
        (true, Access::Open) => "values not looked into",
    }
}

fn plain(context: Context, column: &Column, tally: Option<&Tally>, blind: &str) -> Verdict {
    let named = names::read(&column.name, column.sort, context)
        // A key names a row, and the row it refers to is judged itself.
        .filter(|named| !(column.is_key && named.category == Category::AccountNumber));
    let typed = by_type(column.sort, context, &column.name);
    let said = tally.and_then(Tally::said);
    let mut why = Vec::new();
    let mut best: Option<(Category, f64)> = None;
    if let Some(Named {
        category,
        confidence,
        depends_on_table,
    }) = named
    {
        let support = tally.map_or(0.0, |tally| tally.support(category));
        let denied = tally.is_some_and(|tally| tally.deny(category));
        let confirmed = said.filter(|said| said.category == category);
        let sure = if denied {
            confidence * 0.4
        } else if let Some(said) = confirmed {
            either(confidence, said.confidence)
        } else {
            // Support is worth as much as what it supports.
            either(confidence, 0.5 * support * confidence)
        };
        why.push(format!("name says {}", category.name()));
        if depends_on_table && context.about != About::Unknown {
            why.push(match context.about {
                About::People => "table is about persons".to_owned(),
                _ => "table is about things".to_owned(),
            });
        }
        if denied {
            why.push("values are none".to_owned());
        } else if support >= 0.3 {
            why.push(format!("{} of the values bear it out", percent(support)));
        }
        best = Some((category, sure));
    }
    if let Some((category, sure)) = typed {
        why.push("type".to_owned());
        best = stronger(best, category, sure);
    }
    if let Some(said) = said {
        let sure = in_context(said.category, said.confidence, context, column);
        why.push(format!(
            "{} of the values look like {}",
            percent(said.share),
            said.category.name()
        ));
        best = match best {
            // What values say for sure outweighs a name.
            Some((category, _)) if category != said.category && sure >= 0.75 => {
                // A text field may be called by what people write into it.
                Some((said.category, sure))
            }
            best => stronger(best, said.category, sure),
        };
    }
    if !blind.is_empty() {
        why.push(blind.to_owned());
    }
    Verdict {
        category: best.map(|(category, _)| category),
        confidence: best.map_or(0.0, |(_, sure)| sure),
        why: why.join("; "),
        parts: Vec::new(),
        sort: column.sort,
    }
}

/// Words of everyday are names of somebody too, so names and places count by the table.
fn in_context(category: Category, sure: f64, context: Context, column: &Column) -> f64 {
    let names_are_likely = context.is_people();
    match category {
        Category::PersonName if context.about == About::Things => sure * 0.5,
        Category::GivenName if names_are_likely => 0.6,
        Category::City if names_are_likely || context.has_place => 0.5,
        Category::Address if context.about == About::Things => sure * 0.5,
        // Version numbers have the form of addresses.
        Category::Ip if column.name.to_lowercase().contains("version") => 0.1,
        Category::Ip if context.about == About::Things => sure * 0.5,
        _ => sure,
    }
}

/// What the type alone says.
fn by_type(sort: Sort, context: Context, name: &str) -> Option<(Category, f64)> {
    let is_rule = super::words::of(name).iter().any(|word| {
        [
            "allowed", "denied", "blocked", "range", "subnet", "network", "gateway",
        ]
        .contains(&word.as_str())
    });
    let sure = if context.about == About::Things || is_rule {
        0.3
    } else {
        0.75
    };
    match sort {
        Sort::Inet => Some((Category::Ip, sure)),
        Sort::Mac => Some((Category::Mac, sure)),
        _ => None,
    }
}

fn document(context: Context, column: &Column, tally: Option<&Tally>, blind: &str) -> Verdict {
    let documents = tally
        .map(Tally::documents)
        .filter(|documents| documents.read() > 0);
    let Some(documents) = documents else {
        let named = names::read(&column.name, Sort::Json, context);
        let mut why = Vec::new();
        if named.is_some() {
            why.push("name says document");
        }
        if !blind.is_empty() {
            why.push(blind);
        }
        return Verdict {
            category: named.map(|named| named.category),
            confidence: named.map_or(0.0, |named| named.confidence),
            why: why.join("; "),
            parts: Vec::new(),
            sort: column.sort,
        };
    };
    let parts = documents.parts();
    let mut categories: Vec<_> = parts.iter().map(|part| part.category.name()).collect();
    categories.sort_unstable();
    categories.dedup();
    Verdict {
        category: (!parts.is_empty()).then_some(Category::Document),
        confidence: parts.first().map_or(0.0, |part| part.confidence),
        why: if parts.is_empty() {
            "no part of the documents looks personal".to_owned()
        } else {
            format!(
                "{} of the documents look like {}",
                counted(parts.len() as u64, "part"),
                categories.join(", ")
            )
        },
        parts,
        sort: column.sort,
    }
}

fn record(context: Context, column: &Column, tally: Option<&Tally>) -> Verdict {
    let within = names::read(&column.name, Sort::Text, context)
        .is_some_and(|named| named.confidence >= PERSONAL && named.category != Category::FreeText);
    let context = Context {
        has_person: context.has_person || within,
        has_place: context.has_place || within,
        ..context
    };
    let mut parts: Vec<_> = column
        .fields
        .iter()
        .filter_map(|(name, sort)| {
            let named = names::read(name, *sort, context)?;
            (named.confidence >= PERSONAL).then(|| Part {
                key: Some(name.clone()),
                category: named.category,
                confidence: named.confidence,
            })
        })
        .collect();
    parts.sort_by(|one, other| other.confidence.total_cmp(&one.confidence));
    // Its output is a text that others stand in.
    if let (true, Some(said)) = (parts.is_empty(), tally.and_then(Tally::said)) {
        return Verdict {
            category: Some(said.category),
            confidence: said.confidence,
            why: format!(
                "{} of the values look like {}",
                percent(said.share),
                said.category.name()
            ),
            parts,
            sort: column.sort,
        };
    }
    Verdict {
        category: (!parts.is_empty()).then_some(Category::Document),
        confidence: parts.first().map_or(0.0, |part| part.confidence),
        why: match parts.len() {
            0 => String::new(),
            many => format!("names of {} say so", counted(many as u64, "field")),
        },
        parts,
        sort: column.sort,
    }
}

fn stronger(
    best: Option<(Category, f64)>,
    category: Category,
    sure: f64,
) -> Option<(Category, f64)> {
    match best {
        Some((own, confidence)) if own == category => Some((own, confidence.max(sure))),
        Some((_, confidence)) if confidence >= sure => best,
        _ => Some((category, sure)),
    }
}

/// Two signs that say the same.
fn either(one: f64, other: f64) -> f64 {
    1.0 - (1.0 - one) * (1.0 - other)
}

fn percent(share: f64) -> String {
    format!("{:.0} %", share * 100.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn column(name: &str, sort: Sort) -> Column {
        Column {
            name: name.to_owned(),
            sort,
            is_array: false,
            is_key: false,
            is_virtual: false,
            fields: Vec::new(),
        }
    }

    fn verdict(table: &str, column: &Column, values: &[&str]) -> Verdict {
        let of = Table {
            schema: "s".to_owned(),
            name: table.to_owned(),
            access: Access::Open,
            rows: 0.0,
            has_blocks: true,
            columns: vec![column.clone()],
        };
        let context = Context::of(table, &of.columns);
        let mut tally = Tally::default();
        for value in values {
            tally.add(column.sort, value);
        }
        judge(&of, context, column, (!values.is_empty()).then_some(&tally))
    }

    #[test]
    fn judge_weighs_name_and_values() {
        let text = |name| column(name, Sort::Text);
        let mails = ["a@b.example", "c@d.example", "e@f.example"];
        let found = verdict("t", &text("field_1"), &mails);
        assert_eq!(found.category, Some(Category::Email));
        assert!(found.is_personal(), "{found:?}");
        let other: Vec<String> = (0..30).map(|i| format!("word{i}")).collect();
        let other: Vec<&str> = other.iter().map(String::as_str).collect();
        assert!(verdict("t", &text("email"), &[]).is_personal());
        assert!(!verdict("t", &text("email"), &other).is_personal());
        assert!(verdict("t", &text("email"), &mails).confidence > 0.98);
        let product = verdict(
            "products",
            &text("name"),
            &["Emma Wilson", "Hugo Moreau", "x y"],
        );
        assert!(!product.is_personal(), "{product:?}");
    }

    #[test]
    fn judge_looks_into_documents() {
        let document = column("attributes", Sort::Json);
        let harmless = [r#"{"grams": 1}"#, r#"{"organic": true}"#];
        assert!(!verdict("products", &document, &harmless).is_personal());
        let personal = [r#"{"to": "ada@work.example"}"#];
        let found = verdict("t", &document, &personal);
        assert_eq!(found.category, Some(Category::Document));
        assert!(
            found.is_personal() && !found.why.contains("ada"),
            "{found:?}"
        );
    }

    #[test]
    fn judge_takes_addresses_of_machines_by_their_type() {
        assert!(verdict("visits", &column("origin", Sort::Inet), &[]).is_personal());
        assert!(!verdict("firewall_rules", &column("origin", Sort::Inet), &[]).is_personal());
        assert!(!verdict("visits", &column("allowed_range", Sort::Network), &[]).is_personal());
    }

    #[test]
    fn judge_says_what_was_not_looked_into() {
        let photo = verdict("customers", &column("photo", Sort::Bytes), &[]);
        assert!(
            photo.is_personal() && photo.why.contains("not looked into"),
            "{photo:?}"
        );
        let payload = verdict("t", &column("payload", Sort::Bytes), &[]);
        assert!(!payload.is_personal() && payload.why.contains("not looked into"));
    }
}
