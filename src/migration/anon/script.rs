//! Labels out of the text of a dump or of a script of rules: `SECURITY LABEL FOR anon ON … IS '…'`.
//!
//! The text is taken apart into tokens, so that what stands in literals, comments, bodies of functions
//! and rows of COPY is no statement. Everything else in it is passed over.

use super::{Label, MOST, Object, too_many};
use crate::error::{Error, Kind, Result};
use crate::migration::lexer::{Lexer, Token};

/// The longest text that is read, in bytes.
pub const LONGEST: usize = 64 << 20;

/// The labels of a provider, in the order of the text; `schema` is that of names without one. A later
/// label of an object takes the place of an earlier one, and NULL takes it away.
///
/// # Errors
/// 54000 for a text that is too long, or has too many labels.
pub fn labels(text: &str, provider: &str, schema: &str) -> Result<Vec<Label>> {
    if text.len() > LONGEST {
        return Err(Error::new(Kind::ProgramLimit, "the dump is too long")
            .with_detail(format!("At most {LONGEST} bytes are read."))
            .with_hint("Leave the rows out: pg_dump --schema-only."));
    }
    let mut found: Vec<Label> = Vec::new();
    let mut lexer = Lexer::new(text);
    while let Some(first) = lexer.next() {
        match &first {
            // A command of psql.
            Token::Sign('\\') => lexer.skip_line(),
            Token::Word(word) if word == "security" || word == "copy" => {
                let is_copy = word == "copy";
                let statement = statement(&mut lexer, is_copy);
                if is_copy {
                    let from = |pair: &[Token]| pair[0].is("from") && pair[1].is("stdin");
                    if statement.windows(2).any(from) {
                        lexer.skip_rows();
                    }
                } else if let Some((object, text)) = label(&statement, provider, schema) {
                    found.retain(|other| other.object != object);
                    found.extend(text.map(|text| Label { object, text }));
                    if found.len() > MOST {
                        return Err(too_many());
                    }
                }
            }
            Token::Sign(';') => {}
            _ => pass(&mut lexer),
        }
    }
    Ok(found)
}

/// Passes over a statement.
fn pass(lexer: &mut Lexer<'_>) {
    for token in lexer {
        if token == Token::Sign(';') {
            return;
        }
    }
}

/// The tokens up to the end of a statement; of a long one, as many as a label has.
fn statement(lexer: &mut Lexer<'_>, is_copy: bool) -> Vec<Token> {
    const MOST: usize = 64;
    let mut tokens = Vec::new();
    for token in lexer {
        if token == Token::Sign(';') {
            break;
        }
        // Of a COPY with many columns, the end says where its rows come from.
        if is_copy && tokens.len() == MOST {
            tokens.remove(0);
        }
        if tokens.len() < MOST {
            tokens.push(token);
        }
    }
    tokens
}

/// `LABEL FOR provider ON kind name IS 'text'`, behind the word SECURITY.
fn label(tokens: &[Token], provider: &str, schema: &str) -> Option<(Object, Option<String>)> {
    let mut tokens = tokens.iter();
    let mut next_is = |word: &str| tokens.next().is_some_and(|token| token.is(word));
    if !next_is("label") || !next_is("for") {
        return None;
    }
    let is_own = match tokens.next()? {
        Token::Word(name) | Token::Quoted(name) | Token::Text(name) => name == provider,
        _ => false,
    };
    if !is_own || !tokens.next()?.is("on") {
        return None;
    }
    let Token::Word(mut kind) = tokens.next()?.clone() else {
        return None;
    };
    let mut parts: Vec<String> = Vec::new();
    loop {
        match tokens.next()? {
            Token::Word(word) if word == "is" => break,
            // FOREIGN TABLE, MATERIALIZED VIEW.
            Token::Word(word)
                if parts.is_empty() && ["foreign", "materialized"].contains(&kind.as_str()) =>
            {
                kind.clone_from(word);
            }
            Token::Word(name) | Token::Quoted(name) => parts.push(name.clone()),
            Token::Sign('.') => {}
            // The arguments of a function.
            Token::Sign('(') => {
                for token in tokens.by_ref() {
                    if *token == Token::Sign(')') {
                        break;
                    }
                }
            }
            _ => return None,
        }
    }
    let text = match tokens.next()? {
        Token::Text(text) => Some(text.clone()),
        Token::Word(word) if word == "null" => None,
        _ => return None,
    };
    Some((object(&kind, parts, schema)?, text))
}

fn object(kind: &str, mut parts: Vec<String>, schema: &str) -> Option<Object> {
    let own = || schema.to_owned();
    match kind {
        "column" => {
            let column = parts.pop()?;
            let table = parts.pop()?;
            Some(Object::Column {
                schema: parts.pop().unwrap_or_else(own),
                table,
                column,
            })
        }
        "table" | "view" => {
            let table = parts.pop()?;
            Some(Object::Table {
                schema: parts.pop().unwrap_or_else(own),
                table,
            })
        }
        _ if parts.is_empty() => None,
        _ => Some(Object::Other {
            kind: kind.to_owned(),
            name: parts.join("."),
        }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(text: &str) -> Vec<(String, String)> {
        let labels = labels(text, "anon", "public").unwrap();
        labels
            .into_iter()
            .map(|label| {
                let object = match label.object {
                    Object::Column {
                        schema,
                        table,
                        column,
                    } => format!("{schema}|{table}|{column}"),
                    Object::Table { schema, table } => format!("{schema}|{table}"),
                    Object::Other { kind, name } => format!("{kind}:{name}"),
                };
                (object, label.text)
            })
            .collect()
    }

    #[test]
    fn labels_of_a_dump_are_found_and_nothing_else() {
        let dump = r#"
-- SECURITY LABEL FOR anon ON COLUMN public.a.comment IS 'NOT MASKED';
\restrict abc; SECURITY LABEL FOR anon ON COLUMN public.a.psql IS 'NOT MASKED';
SET standard_conforming_strings = on;
CREATE FUNCTION public.f() RETURNS text LANGUAGE sql
    AS $$ SELECT 'x'; SECURITY LABEL FOR anon ON COLUMN public.a.body IS 'NOT MASKED'; $$;
COPY public.users (id, email) FROM stdin;
1	SECURITY LABEL FOR anon ON COLUMN public.a.row IS 'NOT MASKED';
2	it's ; '
\.

SECURITY LABEL FOR anon ON TABLE public.users IS 'TABLESAMPLE BERNOULLI(10)';
SECURITY LABEL FOR anon ON COLUMN public.users.email IS 'MASKED WITH FUNCTION anon.partial(email,2,''**'',2)';
SECURITY LABEL FOR "anon" ON COLUMN "Odd.Schema"."T ""x"""."is" IS $$MASKED WITH VALUE 'x'$$ ;
security label for anon on column player.name is 'NOT MASKED';
SECURITY LABEL FOR other ON COLUMN public.users.id IS 'x';
SECURITY LABEL FOR anon ON COLUMN public.users.gone IS 'NOT MASKED';
SECURITY LABEL FOR anon ON COLUMN public.users.gone IS NULL;
SECURITY LABEL FOR anon ON ROLE skynet IS 'MASKED';
SECURITY LABEL FOR anon ON FUNCTION public.mine(integer, text) IS 'TRUSTED';
SECURITY LABEL ON ROLE x IS 'y';
SECURITY LABEL FOR anon ON COLUMN public.users.open IS 'never closed;
"#;
        let expected = [
            ("public|users", "TABLESAMPLE BERNOULLI(10)"),
            (
                "public|users|email",
                "MASKED WITH FUNCTION anon.partial(email,2,'**',2)",
            ),
            ("Odd.Schema|T \"x\"|is", "MASKED WITH VALUE 'x'"),
            ("public|player|name", "NOT MASKED"),
            ("role:skynet", "MASKED"),
            ("function:public.mine", "TRUSTED"),
        ];
        let expected = expected.map(|(object, text)| (object.to_owned(), text.to_owned()));
        assert_eq!(found(dump), expected);
    }

    #[test]
    fn a_long_copy_is_passed_over_whole() {
        let columns: Vec<_> = (0..400).map(|n| format!("c{n}")).collect();
        let dump = format!(
            "COPY public.t ({}) FROM stdin;\n';SECURITY LABEL FOR anon ON ROLE a IS 'MASKED';\n\\.\n\
             SECURITY LABEL FOR anon ON ROLE b IS 'MASKED';",
            columns.join(", ")
        );
        assert_eq!(found(&dump), [("role:b".to_owned(), "MASKED".to_owned())]);
    }

    #[test]
    fn labels_are_counted() {
        let text = |many: usize| -> String {
            (0..many)
                .map(|n| format!("SECURITY LABEL FOR anon ON ROLE r{n} IS 'MASKED';"))
                .collect()
        };
        assert_eq!(labels(&text(MOST), "anon", "s").unwrap().len(), MOST);
        let error = labels(&text(MOST + 1), "anon", "s").unwrap_err();
        assert_eq!(error.kind(), Kind::ProgramLimit);
    }

    #[test]
    fn odd_statements_are_no_labels() {
        for odd in [
            "SECURITY",
            "SECURITY LABEL FOR anon ON",
            "SECURITY LABEL FOR anon ON COLUMN IS 'x'",
            "SECURITY LABEL FOR anon ON COLUMN email IS 'x'",
            "SECURITY LABEL FOR anon ON COLUMN a.b IS 4",
            "SECURITY LABEL FOR anon ON COLUMN a.b",
        ] {
            assert_eq!(found(odd), [], "{odd}");
        }
    }
}
