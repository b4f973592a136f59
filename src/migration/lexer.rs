//! SQL taken apart into words, names, literals and signs, as far as rules of other tools need it:
//! nothing is looked up, computed or executed.

/// One token.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Token {
    /// Two colons.
    Cast,
    /// A number, as written.
    Number(String),
    /// A name in double quotes, without them.
    Quoted(String),
    /// Any other character.
    Sign(char),
    /// What a literal stands for.
    Text(String),
    /// A name or key word without quotes, in lower case as the server takes it.
    Word(String),
}

impl Token {
    /// Whether it is this key word.
    pub fn is(&self, word: &str) -> bool {
        matches!(self, Self::Word(own) if own == word)
    }
}

/// Hands out the tokens of a text. A literal or comment that is never closed ends it.
pub struct Lexer<'a> {
    text: &'a str,
    at: usize,
}

impl<'a> Lexer<'a> {
    /// Begins at the start of a text.
    pub fn new(text: &'a str) -> Self {
        Self { text, at: 0 }
    }

    /// Passes over the rest of the line.
    pub fn skip_line(&mut self) {
        let rest = self.rest();
        self.at += rest.find('\n').map_or(rest.len(), |end| end + 1);
    }

    /// Passes over the rows of a COPY, up to the line that ends them.
    pub fn skip_rows(&mut self) {
        self.skip_line();
        while !self.rest().is_empty() {
            let is_last = self.rest().lines().next() == Some("\\.");
            self.skip_line();
            if is_last {
                return;
            }
        }
    }

    fn rest(&self) -> &'a str {
        &self.text[self.at..]
    }

    /// Passes over white space and comments; false where one is never closed.
    fn skip_blanks(&mut self) -> bool {
        loop {
            let rest = self.rest();
            let blanks = rest.len() - rest.trim_start().len();
            self.at += blanks;
            let rest = self.rest();
            if rest.starts_with("--") {
                self.skip_line();
            } else if rest.starts_with("/*") {
                if !self.skip_comment() {
                    return false;
                }
            } else {
                return true;
            }
        }
    }

    /// Comments may stand in one another.
    fn skip_comment(&mut self) -> bool {
        let mut depth = 0u32;
        loop {
            let rest = self.rest();
            let Some(found) = rest.find(['/', '*']) else {
                self.at = self.text.len();
                return false;
            };
            self.at += found;
            let rest = self.rest();
            let step = if rest.starts_with("/*") {
                depth += 1;
                2
            } else if rest.starts_with("*/") {
                depth = depth.saturating_sub(1);
                2
            } else {
                1
            };
            self.at += step;
            if step == 2 && depth == 0 {
                return true;
            }
        }
    }

    /// What stands up to a quote that is not doubled; `is_escaped` says that a backslash may stand
    /// before one.
    fn quoted(&mut self, quote: char, is_escaped: bool) -> Option<String> {
        let mut found = String::new();
        let mut chars = self.rest().char_indices();
        while let Some((place, c)) = chars.next() {
            if c == '\\' && is_escaped {
                found.push(chars.next()?.1);
            } else if c != quote {
                found.push(c);
            } else if chars.as_str().starts_with(quote) {
                chars.next();
                found.push(quote);
            } else {
                self.at += place + c.len_utf8();
                return Some(found);
            }
        }
        self.at = self.text.len();
        None
    }

    /// What stands between two equal tags, if the text goes on with one.
    fn dollar_quoted(&mut self) -> Option<Option<String>> {
        let rest = self.rest();
        let inside = rest[1..].find('$')?;
        let tag = &rest[..inside + 2];
        let name = &tag[1..tag.len() - 1];
        if !name.chars().all(is_part) || name.starts_with(|c: char| c.is_ascii_digit()) {
            return None;
        }
        let body = &rest[tag.len()..];
        match body.find(tag) {
            Some(end) => {
                self.at += tag.len() + end + tag.len();
                Some(Some(body[..end].to_owned()))
            }
            None => {
                self.at = self.text.len();
                Some(None)
            }
        }
    }

    fn number(&mut self) -> Token {
        let rest = self.rest();
        let mut end = rest
            .find(|c: char| !c.is_ascii_digit() && c != '.')
            .unwrap_or(rest.len());
        let exponent = &rest[end..];
        if exponent.starts_with(['e', 'E']) {
            let digits = exponent[1..].trim_start_matches(['+', '-']);
            let many = digits
                .find(|c: char| !c.is_ascii_digit())
                .unwrap_or(digits.len());
            if many > 0 {
                end += exponent.len() - digits.len() + many;
            }
        }
        self.at += end;
        Token::Number(rest[..end].to_owned())
    }
}

impl Iterator for Lexer<'_> {
    type Item = Token;

    fn next(&mut self) -> Option<Token> {
        if !self.skip_blanks() {
            return None;
        }
        let rest = self.rest();
        let first = rest.chars().next()?;
        match first {
            '\'' => {
                self.at += 1;
                self.quoted('\'', false).map(Token::Text)
            }
            '"' => {
                self.at += 1;
                self.quoted('"', false).map(Token::Quoted)
            }
            'e' | 'E' if rest[1..].starts_with('\'') => {
                self.at += 2;
                self.quoted('\'', true).map(Token::Text)
            }
            '$' => match self.dollar_quoted() {
                Some(text) => text.map(Token::Text),
                None => {
                    self.at += 1;
                    Some(Token::Sign('$'))
                }
            },
            ':' if rest.starts_with("::") => {
                self.at += 2;
                Some(Token::Cast)
            }
            c if c.is_ascii_digit() => Some(self.number()),
            c if c.is_alphabetic() || c == '_' => {
                let end = rest.find(|c: char| !is_part(c)).unwrap_or(rest.len());
                self.at += end;
                Some(Token::Word(rest[..end].to_ascii_lowercase()))
            }
            c => {
                self.at += c.len_utf8();
                Some(Token::Sign(c))
            }
        }
    }
}

fn is_part(c: char) -> bool {
    c.is_alphanumeric() || c == '_'
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tokens(text: &str) -> Vec<Token> {
        Lexer::new(text).collect()
    }

    #[test]
    fn literals_names_and_signs_are_told_apart() {
        let word = |word: &str| Token::Word(word.to_owned());
        let text = |text: &str| Token::Text(text.to_owned());
        assert_eq!(
            tokens(r#"SELECT 'it''s', E'a\'b', $$x'y$$, $q$a$$b$q$, "A ""b""" ,1.5e-3::int -- x"#),
            [
                word("select"),
                text("it's"),
                Token::Sign(','),
                text("a'b"),
                Token::Sign(','),
                text("x'y"),
                Token::Sign(','),
                text("a$$b"),
                Token::Sign(','),
                Token::Quoted("A \"b\"".to_owned()),
                Token::Sign(','),
                Token::Number("1.5e-3".to_owned()),
                Token::Cast,
                word("int"),
            ]
        );
        assert_eq!(tokens("a /* b /* c */ d */ e"), [word("a"), word("e")]);
        assert_eq!(
            tokens("$1"),
            [Token::Sign('$'), Token::Number("1".to_owned())]
        );
    }

    #[test]
    fn what_is_never_closed_ends_the_text() {
        for open in ["'x", "\"x", "$$x", "$a$x$$", "/* x", "/* /* */", "E'x\\"] {
            assert_eq!(tokens(open), [], "{open}");
        }
        assert_eq!(tokens("").len() + tokens("   --").len(), 0);
    }
}
