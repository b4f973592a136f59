//! Transformers of several columns: one draw fills them all, as `entity` has it here.

use super::given::Given;
use crate::migration::{Kind, Mask, Outcome};
use crate::profile::document::{Content, Entry, Tree};

/// What becomes of each column of a transformer of several; empty for any other.
pub fn of(name: &str, params: &Given<'_>) -> Vec<(String, Outcome)> {
    let part: fn(&str) -> Option<Mask> = match name {
        "RandomPerson" => person,
        "RandomCompany" => company,
        "RealAddress" => address,
        _ => return Vec::new(),
    };
    let columns: Vec<(String, &Tree)> = match params.get("columns").map(|tree| &tree.content) {
        Some(Content::List(items)) => items
            .iter()
            .filter_map(|item| Some((item.get("name")?.text()?.to_owned(), item)))
            .collect(),
        Some(Content::Map(entries)) => entries.iter().map(named).collect(),
        _ => Vec::new(),
    };
    let is_hashed = |item: &Tree| item.get("hashing").and_then(Tree::text) == Some("true");
    let mut hashed = columns.iter().filter(|(_, item)| is_hashed(item));
    // What is drawn from one column is drawn from it here too; from several, each from its own.
    let entity = match (hashed.next(), hashed.next()) {
        (Some((column, _)), None) => Some(column.clone()),
        _ => None,
    };
    let sex = match params.text("gender") {
        Some("Male") => Some("male"),
        Some("Female") => Some("female"),
        _ => None,
    };
    columns
        .iter()
        .map(|(column, item)| {
            let template = item.get("template").and_then(Tree::text).unwrap_or("");
            let Some(mut mask) = part(&plain(template)) else {
                let why = "no strategy writes this template";
                return (column.clone(), Outcome::missing(why));
            };
            if let (Some(sex), Kind::Name) = (sex, mask.proposal.kind) {
                mask = mask.with("gender", sex);
            }
            let outcome = match &entity {
                Some(entity) => Outcome::near(
                    mask.drawn_from(entity),
                    "drawn by the masking key from the column that was hashed there",
                ),
                None => Outcome::near(
                    mask,
                    "each column is drawn from its own value; name an `entity`, such as the primary \
                     key, for those that belong together",
                ),
            };
            (column.clone(), outcome)
        })
        .collect()
}

fn named(entry: &Entry) -> (String, &Tree) {
    (entry.key.clone(), &entry.value)
}

/// A template without blanks and braces: `.FirstName.LastName`.
fn plain(template: &str) -> String {
    let is_part = |c: &char| !c.is_whitespace() && !"{}".contains(*c);
    template.chars().filter(is_part).collect()
}

fn person(template: &str) -> Option<Mask> {
    let name = Mask::new(Kind::Name);
    Some(match template {
        ".FirstName" => name.with("part", "first"),
        ".LastName" => name.with("part", "last"),
        ".FirstName.LastName" | ".Title.FirstName.LastName" => name,
        _ => return None,
    })
}

fn company(template: &str) -> Option<Mask> {
    let company = Mask::new(Kind::Company);
    Some(match template {
        ".CompanyName.CompanySuffix" => company,
        ".CompanyName" => company.with("suffix", false),
        _ => return None,
    })
}

fn address(template: &str) -> Option<Mask> {
    let part = match template {
        ".Address" => "line",
        ".City" => "city",
        ".State" => "region_code",
        ".PostalCode" => "postcode",
        _ => return None,
    };
    Some(Mask::new(Kind::Address).with("part", part))
}
