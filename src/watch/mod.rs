//! The watch on the tables of a profile: a column that comes or changes is undecided until the
//! profile says what becomes of it.
//!
//! It is noticed when the command ends that made it, whoever gave that command. In mode `mark` it
//! is put on the list `confiture.undecided_column`; in mode `enforce` the command is refused.

use crate::error::{Error, Kind, counted};

pub mod sql;
pub mod store;

/// What happens when an undecided column comes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mode {
    /// It is marked.
    Mark,
    /// The command is refused, and so is every run until the column is decided.
    Enforce,
}

impl Mode {
    /// The word for it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Mark => "mark",
            Self::Enforce => "enforce",
        }
    }

    /// Reads the word.
    ///
    /// # Errors
    /// 22023 for another one.
    pub fn parse(word: &str) -> Result<Self, Error> {
        [Self::Mark, Self::Enforce]
            .into_iter()
            .find(|mode| mode.name() == word)
            .ok_or_else(|| {
                Error::new(Kind::InvalidParameter, "invalid mode of a watch")
                    .with_detail("It must be mark or enforce.")
            })
    }
}

/// A column that a profile says nothing about.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Undecided {
    /// The profile.
    pub profile: String,
    /// The table's schema.
    pub schema: String,
    /// The table.
    pub table: String,
    /// The column.
    pub column: String,
    /// What was seen of it: `present`, `added`, `type altered`.
    pub event: String,
    /// What is to happen.
    pub is_enforced: bool,
}

impl Undecided {
    fn shown(&self) -> String {
        format!("\"{}.{}.{}\"", self.schema, self.table, self.column)
    }

    /// One fact, as the first part of an error or a warning.
    pub fn fact(&self) -> String {
        let (column, profile) = (self.shown(), &self.profile);
        match self.event.as_str() {
            "type altered" => {
                format!("column {column} has another type than profile \"{profile}\" was made for")
            }
            _ => format!("profile \"{profile}\" says nothing about column {column}"),
        }
    }
}

/// What to put into the profile for these columns, all of one profile or of several.
pub fn to_paste(columns: &[Undecided]) -> String {
    let mut text = String::from(
        "Load a version of the profile that gives each a rule, or says why it may be copied:\n",
    );
    let mut last = None;
    for column in columns {
        let table = (&column.profile, &column.schema, &column.table);
        if last != Some(table) {
            text.push_str(&format!("  {}:\n    preserve:\n", yaml(&column.table)));
            last = Some(table);
        }
        text.push_str(&format!(
            "      - {{column: {}, why: …}}\n",
            yaml(&column.column)
        ));
    }
    text.push_str("Or end the watch with confiture.unwatch.");
    text
}

/// A name in YAML: plain where nobody could read it otherwise.
fn yaml(name: &str) -> String {
    const WORDS: [&str; 9] = ["true", "false", "null", "yes", "no", "on", "off", "y", "n"];
    let is_word = name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_')
        && name.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_');
    if is_word && !WORDS.contains(&name.to_ascii_lowercase().as_str()) {
        name.to_owned()
    } else {
        serde_json::Value::from(name).to_string()
    }
}

/// The refusal of what left these columns undecided.
pub fn refusal(columns: &[Undecided]) -> Option<Error> {
    let first = columns.first()?;
    let mut error = Error::new(Kind::NotReady, first.fact()).with_hint(to_paste(columns));
    if columns.len() > 1 {
        let names: Vec<_> = columns.iter().map(Undecided::shown).collect();
        error = error.with_detail(format!(
            "{} are undecided: {}.",
            counted(columns.len() as u64, "column"),
            names.join(", ")
        ));
    }
    Some(error)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn column(name: &str, event: &str) -> Undecided {
        Undecided {
            profile: "shop".into(),
            schema: "prod".into(),
            table: "people".into(),
            column: name.into(),
            event: event.into(),
            is_enforced: true,
        }
    }

    #[test]
    fn watch_says_what_to_paste() {
        let columns = [
            column("phone", "added"),
            column("Fax: 1", "added"),
            column("No", "added"),
        ];
        let error = refusal(&columns).unwrap();
        assert_eq!(error.kind(), Kind::NotReady);
        assert_eq!(
            error.message(),
            "profile \"shop\" says nothing about column \"prod.people.phone\""
        );
        let hint = error.hint().unwrap();
        assert!(hint.contains("  people:\n    preserve:\n      - {column: phone, why: …}\n"));
        assert!(
            hint.contains("      - {column: \"Fax: 1\", why: …}\n"),
            "{hint}"
        );
        assert!(
            hint.contains("      - {column: \"No\", why: …}\n"),
            "{hint}"
        );
        assert_eq!(hint.matches("people:").count(), 1);
        assert!(refusal(&[]).is_none());
    }

    #[test]
    fn watch_has_two_modes() {
        assert_eq!(Mode::parse("enforce").unwrap(), Mode::Enforce);
        assert_eq!(Mode::parse("mark").unwrap().name(), "mark");
        assert_eq!(
            Mode::parse("Mark").unwrap_err().kind(),
            Kind::InvalidParameter
        );
    }
}
