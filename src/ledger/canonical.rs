//! Canonical bytes: one value, one encoding, whatever the session's settings are.
//!
//! A record is `text(domain) ‖ u16 field count ‖ fields`, a field `0x00` for NULL or
//! `0x01 ‖ u32 length ‖ bytes`, all numbers big-endian. Times are microseconds since
//! 2000-01-01 UTC, text is UTF-8 as stored (normalizing would hide an edit), documents are JSON in
//! the canonical form of RFC 8785 with integers, strings and booleans only.

use serde::Serialize;
use serde_json::Value;

use crate::keys::push_field;

/// Writes one record.
pub struct Record {
    bytes: Vec<u8>,
    fields: u16,
    count_at: usize,
}

impl Record {
    /// Begins a record of a domain, which names its type and version.
    pub fn new(domain: &str) -> Self {
        let mut record = Self {
            bytes: Vec::with_capacity(1024),
            fields: 0,
            count_at: 0,
        };
        record.put(Some(domain.as_bytes()));
        record.count_at = record.bytes.len();
        record.bytes.extend_from_slice(&[0, 0]);
        record.fields = 0;
        record
    }

    /// Appends bytes or NULL.
    pub fn bytes(&mut self, value: Option<&[u8]>) -> &mut Self {
        self.put(value);
        self
    }

    /// Appends text or NULL.
    pub fn text(&mut self, value: Option<&str>) -> &mut Self {
        self.bytes(value.map(str::as_bytes))
    }

    /// Appends a 64-bit integer or NULL.
    pub fn int(&mut self, value: Option<i64>) -> &mut Self {
        self.bytes(
            value
                .map(i64::to_be_bytes)
                .as_ref()
                .map(<[u8; 8]>::as_slice),
        )
    }

    /// Appends a boolean or NULL.
    pub fn bool(&mut self, value: Option<bool>) -> &mut Self {
        self.bytes(
            value
                .map(|value| [u8::from(value)])
                .as_ref()
                .map(<[u8; 1]>::as_slice),
        )
    }

    /// Appends a list of texts or NULL: `u32 count`, then each as a field of its own.
    pub fn texts(&mut self, value: Option<&[String]>) -> &mut Self {
        let list = value.map(|texts| {
            let mut list = Vec::new();
            let count = u32::try_from(texts.len()).unwrap_or(u32::MAX);
            list.extend_from_slice(&count.to_be_bytes());
            for text in texts {
                field(&mut list, Some(text.as_bytes()));
            }
            list
        });
        self.bytes(list.as_deref())
    }

    /// Appends a JSON document in canonical form, or NULL.
    pub fn json(&mut self, value: Option<&Value>) -> &mut Self {
        let text = value.map(json);
        self.text(text.as_deref())
    }

    /// Ends the record.
    pub fn finish(mut self) -> Vec<u8> {
        let count = self.fields.to_be_bytes();
        self.bytes[self.count_at..self.count_at + 2].copy_from_slice(&count);
        self.bytes
    }

    fn put(&mut self, value: Option<&[u8]>) {
        field(&mut self.bytes, value);
        self.fields += 1;
    }
}

/// JSON in the canonical form of RFC 8785: no white space, keys sorted by their UTF-16 code units,
/// shortest escapes. Numbers here are integers; any other would not have one form everywhere, so
/// none is ever put into a document (checked in tests).
pub fn json(value: &Value) -> String {
    let mut out = Vec::new();
    write(&mut out, value);
    String::from_utf8(out).unwrap_or_else(|_| unreachable!("texts are UTF-8"))
}

fn write(out: &mut Vec<u8>, value: &Value) {
    match value {
        Value::Array(items) => {
            out.push(b'[');
            for (i, item) in items.iter().enumerate() {
                if i > 0 {
                    out.push(b',');
                }
                write(out, item);
            }
            out.push(b']');
        }
        Value::Object(members) => {
            let mut members: Vec<_> = members.iter().collect();
            // They come in the order of their bytes, which mostly is that order.
            let before = |a: &str, b: &str| a.encode_utf16().cmp(b.encode_utf16());
            if !members.is_sorted_by(|(a, _), (b, _)| before(a, b).is_le()) {
                members.sort_by(|(a, _), (b, _)| before(a, b));
            }
            out.push(b'{');
            for (i, (key, item)) in members.into_iter().enumerate() {
                if i > 0 {
                    out.push(b',');
                }
                scalar(out, key);
                out.push(b':');
                write(out, item);
            }
            out.push(b'}');
        }
        value => scalar(out, value),
    }
}

/// serde_json writes strings with RFC 8785's escapes, and integers in decimal.
fn scalar<T: Serialize + ?Sized>(out: &mut Vec<u8>, value: &T) {
    if serde_json::to_writer(out, value).is_err() {
        unreachable!("memory takes all that is written");
    }
}

fn field(out: &mut Vec<u8>, value: Option<&[u8]>) {
    match value {
        None => out.push(0),
        Some(bytes) => {
            out.push(1);
            push_field(out, bytes);
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn canonical_fields_do_not_run_together() {
        let two = |a: &str, b: &str| {
            let mut record = Record::new("t");
            record.text(Some(a)).text(Some(b));
            record.finish()
        };
        assert_ne!(two("ab", "c"), two("a", "bc"));
        let mut null = Record::new("t");
        null.text(None).text(Some(""));
        let mut empty = Record::new("t");
        empty.text(Some("")).text(None);
        assert_ne!(null.finish(), empty.finish());
        let list = |texts: &[&str]| {
            let texts: Vec<String> = texts.iter().map(|t| (*t).to_owned()).collect();
            let mut record = Record::new("t");
            record.texts(Some(&texts));
            record.finish()
        };
        assert_ne!(list(&["users", "orders"]), list(&["users,orders"]));
        assert_ne!(list(&[]), list(&[""]));
    }

    #[test]
    fn canonical_record_has_the_documented_bytes() {
        let mut record = Record::new("d");
        record.int(Some(1)).bool(Some(true)).text(None);
        assert_eq!(
            hex::encode(record.finish()),
            concat!(
                "010000000164",
                "0003",
                "01000000080000000000000001",
                "010000000101",
                "00"
            )
        );
    }

    #[test]
    fn canonical_json_sorts_by_utf16_and_drops_space() {
        let value = json!({"b": 1, "a": [true, null, "é\n\""], "\u{10000}": 0, "\u{ffff}": 0});
        assert_eq!(
            json(&value),
            "{\"a\":[true,null,\"é\\n\\\"\"],\"b\":1,\"\u{10000}\":0,\"\u{ffff}\":0}"
        );
    }
}
