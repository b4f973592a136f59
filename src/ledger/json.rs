//! A document of an entry: JSON in its canonical form (RFC 8785), as it is hashed.
//!
//! Documents speak of every masked column, so verification reads far more of them than of anything
//! else. What the server writes is brought into the canonical form as text, without a tree of values.

use std::cmp::Ordering;

use serde_json::{Map, Value};

use super::canonical;

/// A document in its canonical form.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Json(String);

impl Json {
    /// Brings a text into the canonical form; `None` where it is no JSON, or too deep.
    pub fn parse(text: &str) -> Option<Self> {
        Writer::of(text)
            .or_else(|| {
                let value: Value = serde_json::from_str(text).ok()?;
                Some(canonical::json(&value))
            })
            .map(Self)
    }

    /// The members of a document that is there and is an object, and more.
    pub fn merged(document: Option<Self>, more: Map<String, Value>) -> Self {
        let mut members = match document.map(|document| document.value()) {
            Some(Value::Object(members)) => members,
            _ => Map::new(),
        };
        members.extend(more);
        Value::Object(members).into()
    }

    /// The text.
    pub fn text(&self) -> &str {
        &self.0
    }

    /// The document as a tree.
    pub fn value(&self) -> Value {
        serde_json::from_str(&self.0).unwrap_or_default()
    }
}

impl From<Value> for Json {
    fn from(value: Value) -> Self {
        Self(canonical::json(&value))
    }
}

/// Levels that are followed; deeper documents are left to the parser, which has a limit of its own.
const DEEPEST: usize = 64;

/// Writes one text anew with the members of its objects in order. Scalars are copied: the server
/// escapes in texts what RFC 8785 escapes, in the same way, and writes integers in decimal. What
/// might be written in more than one way it does not take.
struct Writer<'a> {
    rest: &'a str,
    out: String,
}

impl<'a> Writer<'a> {
    fn of(text: &'a str) -> Option<String> {
        let mut writer = Self {
            rest: text,
            out: String::with_capacity(text.len()),
        };
        writer.value(DEEPEST)?;
        writer.space();
        writer.rest.is_empty().then_some(writer.out)
    }

    fn value(&mut self, depth: usize) -> Option<()> {
        self.space();
        match self.rest.as_bytes().first()? {
            b'{' => self.object(depth.checked_sub(1)?),
            b'[' => self.array(depth.checked_sub(1)?),
            b'"' => {
                let text = self.string()?;
                self.out.push_str(text);
                Some(())
            }
            b'-' | b'0'..=b'9' => self.integer(),
            _ => ["true", "false", "null"].into_iter().find_map(|word| {
                self.rest = self.rest.strip_prefix(word)?;
                self.out.push_str(word);
                Some(())
            }),
        }
    }

    fn array(&mut self, depth: usize) -> Option<()> {
        self.take('[')?;
        self.out.push('[');
        if self.take(']').is_none() {
            loop {
                self.value(depth)?;
                if self.take(',').is_none() {
                    self.take(']')?;
                    break;
                }
                self.out.push(',');
            }
        }
        self.out.push(']');
        Some(())
    }

    fn object(&mut self, depth: usize) -> Option<()> {
        self.take('{')?;
        self.out.push('{');
        let first = self.out.len();
        let mut members: Vec<(&'a str, usize)> = Vec::new();
        if self.take('}').is_none() {
            loop {
                self.space();
                members.push((self.string()?, self.out.len()));
                self.out.push_str(members.last()?.0);
                self.take(':')?;
                self.out.push(':');
                self.value(depth)?;
                self.out.push(',');
                if self.take(',').is_none() {
                    self.take('}')?;
                    break;
                }
            }
            self.sort(first, &members)?;
            self.out.pop();
        }
        self.out.push('}');
        Some(())
    }

    /// Brings the members written from `first` on, each with a comma behind it, into order.
    fn sort(&mut self, first: usize, members: &[(&str, usize)]) -> Option<()> {
        if members.is_sorted_by(|a, b| order(a.0, b.0).is_lt()) {
            return Some(());
        }
        let ends = members[1..].iter().map(|(_, start)| *start);
        let mut spans: Vec<_> = members
            .iter()
            .zip(ends.chain([self.out.len()]))
            .map(|((name, start), end)| (*name, *start..end))
            .collect();
        spans.sort_by(|a, b| order(a.0, b.0));
        // A name that stands twice has no place.
        if spans.windows(2).any(|pair| pair[0].0 == pair[1].0) {
            return None;
        }
        let written = self.out.split_off(first);
        for (_, span) in spans {
            self.out
                .push_str(&written[span.start - first..span.end - first]);
        }
        Some(())
    }

    /// A string with its quotes, as it stands.
    fn string(&mut self) -> Option<&'a str> {
        let bytes = self.rest.as_bytes();
        let mut at = 1;
        if bytes.first() != Some(&b'"') {
            return None;
        }
        loop {
            match bytes.get(at)? {
                b'"' => break,
                // One escape has several spellings, of which the server uses one; the solidus and
                // all behind it that has four digits are left to the parser, but for what the
                // server writes so: control characters.
                b'\\' => {
                    at += match bytes.get(at + 1)? {
                        b'"' | b'\\' | b'b' | b'f' | b'n' | b'r' | b't' => 2,
                        b'u' if is_control(bytes.get(at + 2..at + 6)?) => 6,
                        _ => return None,
                    }
                }
                byte if *byte < b' ' => return None,
                _ => at += 1,
            }
        }
        let (string, rest) = self.rest.split_at(at + 1);
        self.rest = rest;
        Some(string)
    }

    fn integer(&mut self) -> Option<()> {
        let digits = self.rest.strip_prefix('-').unwrap_or(self.rest);
        let count = digits.bytes().take_while(u8::is_ascii_digit).count();
        let is_plain = (1..=18).contains(&count)
            && (count == 1 || !digits.starts_with('0'))
            && !digits[count..].starts_with(['.', 'e', 'E'])
            && !self.rest.starts_with("-0");
        if !is_plain {
            return None;
        }
        let (number, rest) = self.rest.split_at(self.rest.len() - digits.len() + count);
        self.out.push_str(number);
        self.rest = rest;
        Some(())
    }

    fn space(&mut self) {
        self.rest = self.rest.trim_start_matches([' ', '\t', '\n', '\r']);
    }

    fn take(&mut self, c: char) -> Option<()> {
        self.space();
        self.rest = self.rest.strip_prefix(c)?;
        Some(())
    }
}

/// Four digits of a control character that has no shorter escape, in small letters.
fn is_control(digits: &[u8]) -> bool {
    let number = std::str::from_utf8(digits)
        .ok()
        .and_then(|digits| u8::from_str_radix(digits, 16).ok());
    let is_short = matches!(number, Some(8 | 9 | 10 | 12 | 13));
    number.is_some_and(|number| number < 0x20)
        && !is_short
        && digits.starts_with(b"00")
        && !digits.iter().any(u8::is_ascii_uppercase)
}

/// By UTF-16 code units; of names with their quotes.
fn order(a: &str, b: &str) -> Ordering {
    let is_plain = |name: &str| name.is_ascii() && !name.contains('\\');
    if is_plain(a) && is_plain(b) {
        return a[1..a.len() - 1].cmp(&b[1..b.len() - 1]);
    }
    let read = |name: &str| serde_json::from_str::<String>(name).unwrap_or_default();
    let (a, b) = (read(a), read(b));
    a.encode_utf16().cmp(b.encode_utf16())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;

    /// As the server writes jsonb: shorter names first, and spaces.
    fn as_jsonb(value: &Value) -> String {
        match value {
            Value::Array(items) => {
                let items: Vec<_> = items.iter().map(as_jsonb).collect();
                format!("[{}]", items.join(", "))
            }
            Value::Object(members) => {
                let mut members: Vec<_> = members.iter().collect();
                members.sort_by_key(|(name, _)| (name.len(), name.as_bytes().to_vec()));
                let member = |(name, item): (&String, &Value)| {
                    format!("{}: {}", Value::from(name.as_str()), as_jsonb(item))
                };
                let members: Vec<_> = members.into_iter().map(member).collect();
                format!("{{{}}}", members.join(", "))
            }
            scalar => scalar.to_string(),
        }
    }

    fn documents() -> impl Strategy<Value = Value> {
        let leaf = prop_oneof![
            Just(Value::Null),
            any::<bool>().prop_map(Value::from),
            any::<i64>().prop_map(Value::from),
            (-1000i64..1000).prop_map(Value::from),
            ".{0,8}".prop_map(Value::from),
            any::<String>().prop_map(Value::from),
        ];
        leaf.prop_recursive(4, 40, 8, |inner| {
            prop_oneof![
                prop::collection::vec(inner.clone(), 0..8).prop_map(Value::Array),
                prop::collection::btree_map(
                    "[a-c\u{e9}\u{ffff}\u{10000}\"\\\\\n]{0,3}",
                    inner,
                    0..8
                )
                .prop_map(|members| Value::Object(members.into_iter().collect())),
            ]
        })
    }

    proptest! {
        #[test]
        fn json_of_the_server_is_what_the_tree_gives(value in documents()) {
            let expected = canonical::json(&value);
            let text = as_jsonb(&value);
            let parsed = Json::parse(&text).unwrap();
            prop_assert_eq!(parsed.text(), &expected);
            prop_assert_eq!(parsed.value(), value.clone());
            prop_assert_eq!(Json::from(value), parsed);
        }

        #[test]
        fn json_takes_what_the_parser_takes(text in "[\\[\\]{}:,\"\\\\ue0123 .a-fnrt/-]{0,24}") {
            let tree = serde_json::from_str::<Value>(&text).ok();
            if let Some(written) = Writer::of(&text) {
                let tree = tree.expect("what is written anew can be read");
                prop_assert_eq!(written, canonical::json(&tree));
            }
        }
    }

    #[test]
    fn json_goes_without_a_tree_where_the_server_wrote_it() {
        let value =
            json!({"bb": {"z": 1, "a": [true, null, -7]}, "a": "x\n\u{1}\"é", "c": {}, "d": []});
        let text = as_jsonb(&value);
        assert_eq!(Writer::of(&text), Some(canonical::json(&value)));
        for other in [
            "1.0",
            "1e3",
            "-0",
            "01",
            "12345678901234567890",
            "\"\\/\"",
            "\"\\u0041\"",
            "\"\\u000A\"",
            "{\"a\": 1, \"a\": 2}",
            "[1] ",
            "nul",
            "[1,]",
            "{\"a\" 1}",
            "\"\u{1}\"",
        ] {
            let written = Writer::of(other);
            assert_eq!(written.is_some(), other == "[1] ", "{other}");
        }
        let deep = "[".repeat(100) + &"]".repeat(100);
        assert!(Writer::of(&deep).is_none() && Json::parse(&deep).is_some());
        assert!(Json::parse(&("[".repeat(200) + &"]".repeat(200))).is_none());
    }
}
