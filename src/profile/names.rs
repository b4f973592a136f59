//! Names: how a table key is read, and how a word of a document is shown in a message.

use super::fields::LONGEST_NAME;

/// A word of the document for a message: without control characters and not long.
pub(super) fn shown(word: &str) -> String {
    let mut text: String = word
        .chars()
        .take(MAX_SHOWN)
        .map(|c| if c.is_control() { '\u{fffd}' } else { c })
        .collect();
    if word.chars().nth(MAX_SHOWN).is_some() {
        text.push('…');
    }
    text
}

/// Reads `table` or `schema.table`. A part in double quotes may hold any character, a double quote
/// being written twice; any other part is taken exactly as written.
pub(super) fn table(key: &str) -> Result<(Option<String>, String), &'static str> {
    let (first, rest) = part(key)?;
    let Some(rest) = rest else {
        return Ok((None, first));
    };
    match part(rest)? {
        (second, None) => Ok((Some(first), second)),
        _ => Err("table name has more than two parts"),
    }
}

/// As [`table`], with parts that can be names.
pub(super) fn checked(key: &str) -> Result<(Option<String>, String), &'static str> {
    let (schema, name) = table(key)?;
    let is_long = |part: &str| part.chars().nth(LONGEST_NAME).is_some();
    if key.contains(char::is_control) {
        Err("table name contains a control character")
    } else if is_long(&name) || schema.as_deref().is_some_and(is_long) {
        Err("table name is too long")
    } else {
        Ok((schema, name))
    }
}

/// How a table is written.
pub(super) const HINT: &str = "Write table or schema.table, with double quotes around a part that \
                               holds a period.";

/// One part, and what follows its period.
fn part(text: &str) -> Result<(String, Option<&str>), &'static str> {
    let (name, rest) = match text.strip_prefix('"') {
        Some(quoted) => quoted_part(quoted)?,
        None => {
            let end = text.find('.').unwrap_or(text.len());
            let (name, rest) = text.split_at(end);
            if name.contains('"') {
                return Err("table name has a double quote inside an unquoted part");
            }
            if name.trim() != name {
                return Err("table name has blanks around an unquoted part");
            }
            (name.to_owned(), rest)
        }
    };
    if name.is_empty() {
        return Err("table name has an empty part");
    }
    match rest.strip_prefix('.') {
        Some(rest) => Ok((name, Some(rest))),
        None if rest.is_empty() => Ok((name, None)),
        None => Err("table name goes on after its closing double quote"),
    }
}

/// The inside of a quoted part, and what follows the closing quote.
fn quoted_part(quoted: &str) -> Result<(String, &str), &'static str> {
    let mut name = String::new();
    let mut rest = quoted;
    loop {
        let (inside, after) = rest
            .split_once('"')
            .ok_or("table name lacks its closing double quote")?;
        name.push_str(inside);
        match after.strip_prefix('"') {
            Some(after) => {
                name.push('"');
                rest = after;
            }
            None => return Ok((name, after)),
        }
    }
}

/// The most characters of a word that a message shows: those of the longest PostgreSQL name.
const MAX_SHOWN: usize = 63;

#[cfg(test)]
mod tests {
    use super::*;

    fn two(schema: &str, name: &str) -> Result<(Option<String>, String), &'static str> {
        Ok((Some(schema.to_owned()), name.to_owned()))
    }

    #[test]
    fn table_reads_plain_and_quoted_parts() {
        assert_eq!(table("Users"), Ok((None, "Users".to_owned())));
        assert_eq!(table("app.users"), two("app", "users"));
        assert_eq!(table("\"Weird.Name\""), Ok((None, "Weird.Name".to_owned())));
        assert_eq!(table("app.\"say \"\"x\"\"\""), two("app", "say \"x\""));
        assert_eq!(table("\"a.b\".\"c d\""), two("a.b", "c d"));
        assert_eq!(table("order items"), Ok((None, "order items".to_owned())));
    }

    #[test]
    fn table_refuses_what_is_not_a_name() {
        for key in [
            "", ".", "a.", ".a", "a.b.c", "\"a", "\"a\"b", "a\"b", "\"\"", " a", "a. b",
        ] {
            assert!(table(key).is_err(), "{key}");
        }
    }

    #[test]
    fn shown_words_are_short_and_printable() {
        assert_eq!(shown("a\nb"), "a\u{fffd}b");
        assert_eq!(shown(&"x".repeat(64)), format!("{}…", "x".repeat(63)));
    }
}
