//! The expression of a label: a call of a function, a constant, a column. Never computed.

use crate::migration::lexer::Token;

/// One expression.
#[derive(Clone, Debug, PartialEq)]
pub enum Expression {
    /// `true` or `false`.
    Bool(bool),
    /// A call of a function.
    Call {
        /// Its schema, where it is named.
        schema: Option<String>,
        /// Its name.
        name: String,
        /// What it is called with.
        arguments: Vec<Self>,
    },
    /// A column; the last part of its name.
    Column(String),
    /// Whether something is NULL.
    IsNull(Box<Self>),
    /// `ARRAY[…]`.
    List(Vec<Self>),
    /// NULL.
    Null,
    /// A number, as written.
    Number(String),
    /// Anything else: operators, subqueries, CASE.
    Other,
    /// A text, or a literal of any type.
    Text(String),
}

/// How deep calls may stand in one another.
const DEEPEST: u32 = 16;

/// Reads tokens that are one expression; `None` where they are not.
pub fn read(tokens: &[Token]) -> Option<Expression> {
    let mut reader = Reader { tokens, at: 0 };
    let found = reader.argument(DEEPEST)?;
    (reader.at == tokens.len()).then_some(found)
}

struct Reader<'a> {
    tokens: &'a [Token],
    at: usize,
}

impl Reader<'_> {
    fn peek(&self) -> Option<&Token> {
        self.tokens.get(self.at)
    }

    fn take(&mut self, sign: char) -> bool {
        let is_next = self.peek() == Some(&Token::Sign(sign));
        self.at += usize::from(is_next);
        is_next
    }

    fn take_word(&mut self, word: &str) -> bool {
        let is_next = self.peek().is_some_and(|token| token.is(word));
        self.at += usize::from(is_next);
        is_next
    }

    fn is_at_end(&self) -> bool {
        matches!(self.peek(), None | Some(Token::Sign(',' | ')' | ']')))
    }

    /// One expression, up to a comma or what closes the list it stands in.
    fn argument(&mut self, depth: u32) -> Option<Expression> {
        let mut found = self.primary(depth.checked_sub(1)?)?;
        loop {
            if self.peek() == Some(&Token::Cast) {
                self.at += 1;
                self.type_name()?;
            } else if self.take_word("is") {
                if !self.take_word("null") {
                    return self.rest();
                }
                found = Expression::IsNull(Box::new(found));
            } else if self.is_at_end() {
                return Some(found);
            } else {
                return self.rest();
            }
        }
    }

    /// Passes over what is not understood.
    fn rest(&mut self) -> Option<Expression> {
        let mut open = 0u32;
        while let Some(token) = self.peek() {
            match token {
                Token::Sign('(' | '[') => open += 1,
                Token::Sign(')' | ']' | ',') if open == 0 => break,
                Token::Sign(')' | ']') => open -= 1,
                _ => {}
            }
            self.at += 1;
        }
        (open == 0).then_some(Expression::Other)
    }

    fn primary(&mut self, depth: u32) -> Option<Expression> {
        let token = self.peek()?.clone();
        self.at += 1;
        match token {
            Token::Text(text) => Some(Expression::Text(text)),
            Token::Number(number) => Some(Expression::Number(number)),
            Token::Sign('-') => match self.peek()?.clone() {
                Token::Number(number) => {
                    self.at += 1;
                    Some(Expression::Number(format!("-{number}")))
                }
                _ => self.rest(),
            },
            Token::Sign('(') => {
                let inner = self.argument(depth)?;
                if self.take(')') {
                    return Some(inner);
                }
                None
            }
            Token::Word(word) => self.named(word, false, depth),
            Token::Quoted(name) => self.named(name, true, depth),
            Token::Sign(',' | ')' | ']') | Token::Cast => None,
            Token::Sign(_) => self.rest(),
        }
    }

    /// What begins with a name: a key word, a literal with its type before it, a call, a column.
    fn named(&mut self, first: String, is_quoted: bool, depth: u32) -> Option<Expression> {
        if !is_quoted {
            match first.as_str() {
                "null" => return Some(Expression::Null),
                "true" => return Some(Expression::Bool(true)),
                "false" => return Some(Expression::Bool(false)),
                "array" if self.take('[') => {
                    return Some(Expression::List(self.list(']', depth)?));
                }
                "case" | "select" | "not" | "exists" => return self.rest(),
                _ => {}
            }
            if let Some(Token::Text(text)) = self.peek() {
                let text = text.clone();
                self.at += 1;
                return Some(Expression::Text(text));
            }
        }
        let mut parts = vec![first];
        while self.take('.') {
            match self.peek()?.clone() {
                Token::Word(name) | Token::Quoted(name) => parts.push(name),
                _ => return None,
            }
            self.at += 1;
        }
        let name = parts.pop()?;
        if self.take('(') {
            return Some(Expression::Call {
                schema: parts.pop(),
                name,
                arguments: self.list(')', depth)?,
            });
        }
        Some(Expression::Column(name))
    }

    fn list(&mut self, close: char, depth: u32) -> Option<Vec<Expression>> {
        let mut found = Vec::new();
        if self.take(close) {
            return Some(found);
        }
        loop {
            found.push(self.argument(depth)?);
            if self.take(close) {
                return Some(found);
            }
            if !self.take(',') {
                return None;
            }
        }
    }

    /// Passes over the name of a type, which says nothing that the column does not.
    fn type_name(&mut self) -> Option<()> {
        match self.peek()? {
            Token::Word(_) | Token::Quoted(_) => self.at += 1,
            _ => return None,
        }
        loop {
            if self.take('.') {
                self.at += 1;
            } else if self.take('(') {
                while !self.take(')') {
                    self.peek()?;
                    self.at += 1;
                }
            } else if self.take('[') {
                if !self.take(']') {
                    return None;
                }
            } else if !(TYPE_WORDS.iter().any(|word| self.take_word(word))) {
                return Some(());
            }
        }
    }
}

/// Words that go on the name of a type.
const TYPE_WORDS: [&str; 6] = ["precision", "varying", "with", "without", "time", "zone"];

#[cfg(test)]
mod tests {
    use super::*;
    use crate::migration::lexer::Lexer;

    fn of(text: &str) -> Option<Expression> {
        let tokens: Vec<Token> = Lexer::new(text).collect();
        read(&tokens)
    }

    #[test]
    fn expressions_are_read_with_their_arguments() {
        let call = |name: &str, arguments: Vec<Expression>| Expression::Call {
            schema: Some("anon".to_owned()),
            name: name.to_owned(),
            arguments,
        };
        let text = |text: &str| Expression::Text(text.to_owned());
        let number = |text: &str| Expression::Number(text.to_owned());
        assert_eq!(
            of("anon.partial(\"Phone\", 2, $$*-***$$::varchar(9), -2)"),
            Some(call(
                "partial",
                vec![
                    Expression::Column("Phone".to_owned()),
                    number("2"),
                    text("*-***"),
                    number("-2")
                ]
            ))
        );
        assert_eq!(
            of("anon.ternary(t.email IS NULL, NULL::text, anon.fake_email())"),
            Some(call(
                "ternary",
                vec![
                    Expression::IsNull(Box::new(Expression::Column("email".to_owned()))),
                    Expression::Null,
                    call("fake_email", vec![])
                ]
            ))
        );
        assert_eq!(
            of("anon.random_in(ARRAY['a', 'b']::text[])"),
            Some(call(
                "random_in",
                vec![Expression::List(vec![text("a"), text("b")])]
            ))
        );
        assert_eq!(
            of("anon.dnoise(born, INTERVAL '2 days')"),
            Some(call(
                "dnoise",
                vec![Expression::Column("born".to_owned()), text("2 days")]
            ))
        );
        assert_eq!(
            of("anon.f(a || 'x', CASE WHEN a THEN b END, (SELECT 1))"),
            Some(call(
                "f",
                vec![Expression::Other, Expression::Other, Expression::Other]
            ))
        );
    }

    #[test]
    fn what_is_no_expression_is_refused_in_bounded_depth() {
        for broken in [
            "", "f(", "f(a", "f(,)", "a,b", "f(a)) b", "a::", "'x", "f(a b]",
        ] {
            assert_eq!(of(broken), None, "{broken}");
        }
        let deep = format!("{}a{}", "f(".repeat(5000), ")".repeat(5000));
        assert_eq!(of(&deep), None);
    }
}
