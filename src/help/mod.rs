//! Help: what to call for what, and where it is written. All of it is data, in `topics.yaml`.

pub mod sql;

use crate::error::{Error, Kind, Result};
use crate::profile::document::{self, Content, Tree, word};
use crate::strategies::nearest;

const TOPICS: &str = include_str!("topics.yaml");

/// One line of help.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Line {
    /// What it is for.
    pub about: String,
    /// What to call.
    pub call: String,
    /// The page that tells more.
    pub page: String,
}

/// The lines of a topic; without one, a line for each topic.
///
/// # Errors
/// 42704 when there is no such topic.
pub fn lines(topic: Option<&str>) -> Result<Vec<Line>> {
    let root = document::read("help", TOPICS.as_bytes())?;
    let Content::Map(topics) = &root.content else {
        return Err(broken());
    };
    let Some(asked) = topic else {
        return topics
            .iter()
            .map(|entry| {
                Ok(Line {
                    about: text(&entry.value, "about")?,
                    call: format!("SELECT * FROM confiture.help('{}') \\gx", entry.key),
                    page: text(&entry.value, "page")?,
                })
            })
            .collect();
    };
    let names = || topics.iter().map(|entry| entry.key.as_str());
    let found = topics
        .iter()
        .find(|entry| entry.key == asked.trim().to_lowercase());
    let Some(found) = found else {
        let list = names().collect::<Vec<_>>().join(", ");
        let hint = match nearest(asked, names()) {
            Some(near) => format!("Did you mean \"{near}\"? Topics are {list}."),
            None => format!("Topics are {list}."),
        };
        let message = format!("help topic \"{}\" does not exist", word(asked));
        return Err(Error::new(Kind::UndefinedObject, message).with_hint(hint));
    };
    let page = text(&found.value, "page")?;
    let Some(Content::List(steps)) = found.value.get("calls").map(|calls| &calls.content) else {
        return Err(broken());
    };
    steps
        .iter()
        .map(|step| {
            Ok(Line {
                about: text(step, "about")?,
                call: text(step, "call")?,
                page: step
                    .get("page")
                    .and_then(Tree::text)
                    .unwrap_or(&page)
                    .to_owned(),
            })
        })
        .collect()
}

fn text(tree: &Tree, key: &str) -> Result<String> {
    let text = tree.get(key).and_then(Tree::text);
    text.map(str::to_owned).ok_or_else(broken)
}

fn broken() -> Error {
    Error::new(
        Kind::Internal,
        "the topics of help are not as they should be",
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_topic_is_one_screen() {
        let topics = lines(None).unwrap();
        assert!(topics.len() > 12);
        for topic in &topics {
            let name = topic.call.split('\'').nth(1).unwrap();
            let lines = lines(Some(name)).unwrap();
            // Four lines each, as \gx shows them.
            assert!((2..=6).contains(&lines.len()), "{name}: {}", lines.len());
            for line in lines.iter().chain([topic]) {
                assert!(
                    line.call.len() <= 110 && !line.call.contains('\n'),
                    "{}",
                    line.call
                );
                assert!(line.about.len() <= 110, "{}", line.about);
            }
        }
    }

    #[test]
    fn a_topic_that_is_not_there_names_those_that_are() {
        let error = lines(Some("kyes")).unwrap_err();
        assert_eq!(error.kind(), Kind::UndefinedObject);
        assert!(
            error.hint().unwrap().starts_with("Did you mean \"keys\"?"),
            "{error:?}"
        );
        assert!(
            lines(Some(&"x".repeat(10_000)))
                .unwrap_err()
                .message()
                .len()
                < 200
        );
        assert_eq!(lines(Some(" Keys ")), lines(Some("keys")));
    }
}
