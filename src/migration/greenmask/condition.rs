//! Conditions in SQL that a profile can hold: columns compared with constants, joined by AND.

use crate::migration::lexer::{Lexer, Token};
use crate::profile::written::{can_be_named, flow};

/// The longest condition that is read, in bytes.
const LONGEST: usize = 10_000;

/// Reads a condition on a table as the conditions of a profile; `None` where it is more than that.
pub fn read(text: &str, table: &str) -> Option<Vec<String>> {
    if text.len() > LONGEST {
        return None;
    }
    let tokens: Vec<Token> = Lexer::new(text).collect();
    let mut reader = Reader {
        tokens: &tokens,
        at: 0,
    };
    let mut found = Vec::new();
    loop {
        found.push(reader.comparison(table)?);
        if reader.at == tokens.len() {
            return Some(found);
        }
        if !reader.word("and") {
            return None;
        }
    }
}

struct Reader<'a> {
    tokens: &'a [Token],
    at: usize,
}

impl Reader<'_> {
    fn next(&mut self) -> Option<&Token> {
        let token = self.tokens.get(self.at);
        self.at += 1;
        token
    }

    fn sign(&mut self, sign: char) -> bool {
        let is_next = self.tokens.get(self.at) == Some(&Token::Sign(sign));
        self.at += usize::from(is_next);
        is_next
    }

    fn word(&mut self, word: &str) -> bool {
        let is_next = self.tokens.get(self.at).is_some_and(|token| token.is(word));
        self.at += usize::from(is_next);
        is_next
    }

    fn comparison(&mut self, table: &str) -> Option<String> {
        let column = self.column(table)?;
        let column = flow(&column);
        if self.word("is") {
            let op = if self.word("not") {
                "is_not_null"
            } else {
                "is_null"
            };
            return self.word("null").then(|| format!("[{column}, {op}]"));
        }
        if self.word("in") {
            if !self.sign('(') {
                return None;
            }
            let mut values = vec![self.value()?];
            while self.sign(',') {
                values.push(self.value()?);
            }
            let values = values.join(", ");
            return self
                .sign(')')
                .then(|| format!("[{column}, in, [{values}]]"));
        }
        let op = self.operator()?;
        let value = self.value()?;
        Some(format!("[{column}, \"{op}\", {value}]"))
    }

    /// A name, behind that of the table and its schema.
    fn column(&mut self, table: &str) -> Option<String> {
        let mut parts = Vec::new();
        loop {
            match self.next()? {
                Token::Word(name) | Token::Quoted(name) => parts.push(name.clone()),
                _ => return None,
            }
            if !self.sign('.') {
                break;
            }
        }
        let column = parts.pop()?;
        let is_own = parts.last().is_none_or(|of| of == table) && parts.len() <= 2;
        (is_own && can_be_named(&column)).then_some(column)
    }

    fn operator(&mut self) -> Option<&'static str> {
        let Token::Sign(first) = *self.next()? else {
            return None;
        };
        Some(match first {
            '=' => "=",
            '!' if self.sign('=') => "<>",
            '<' if self.sign('=') => "<=",
            '<' if self.sign('>') => "<>",
            '<' => "<",
            '>' if self.sign('=') => ">=",
            '>' => ">",
            _ => return None,
        })
    }

    fn value(&mut self) -> Option<String> {
        let is_negative = self.sign('-');
        let found = match self.next()?.clone() {
            Token::Text(text) if !is_negative => flow(&text),
            Token::Number(number) => {
                let is_plain = number.chars().all(|c| c.is_ascii_digit() || c == '.');
                let sign = if is_negative { "-" } else { "" };
                (is_plain && number.matches('.').count() < 2 && !number.ends_with('.'))
                    .then(|| format!("{sign}{number}"))?
            }
            Token::Word(word) if !is_negative && (word == "true" || word == "false") => word,
            _ => return None,
        };
        // A cast says nothing that the column does not.
        if self.tokens.get(self.at) == Some(&Token::Cast) {
            self.at += 2;
        }
        Some(found)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn comparisons_with_constants_are_read() {
        for (text, expected) in [
            ("public.orders.id < 100", r#"[id, "<", 100]"#),
            ("orders.\"Who\" = 'it''s'", r#"[Who, "=", "it's"]"#),
            (
                "a IN (1, -2) AND b IS NOT NULL",
                "[a, in, [1, -2]] [b, is_not_null]",
            ),
            ("day >= '2024-01-01'::date", r#"[day, ">=", "2024-01-01"]"#),
            ("a <> true and a != 'x'", r#"[a, "<>", true] [a, "<>", x]"#),
        ] {
            let found = read(text, "orders").unwrap_or_else(|| panic!("{text}"));
            assert_eq!(found.join(" "), expected, "{text}");
        }
    }

    #[test]
    fn more_than_that_is_not() {
        for text in [
            "",
            "a",
            "a = b",
            "a = 1 OR b = 2",
            "a = (SELECT 1)",
            "other.a = 1",
            "lower(a) = 'x'",
            "a BETWEEN 1 AND 2",
            "a IN (1",
            "a = 1 AND",
            "a = 'x",
            "a = 1e5",
            "a || 'x' = 'y'",
            "a = 1; DROP TABLE x",
        ] {
            assert_eq!(read(text, "orders"), None, "{text}");
        }
    }
}
