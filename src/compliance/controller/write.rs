//! A controller's facts as a document, so that reading it again changes nothing.

use std::fmt::Write;

use serde_json::Value;

use super::kinds::KINDS;
use super::{Controller, Fact};
use crate::profile::written::flow;

/// The document.
pub fn document(controller: &Controller) -> String {
    let mut out = String::new();
    for kind in &KINDS {
        let mut facts = controller.of(kind.name).peekable();
        if facts.peek().is_none() {
            continue;
        }
        line(&mut out, format_args!("{}:", kind.section));
        for fact in facts {
            line(&mut out, format_args!("  {}:", flow(&fact.id)));
            for field in kind.fields {
                if let Some(value) = fact.fields.get(field.name) {
                    line(
                        &mut out,
                        format_args!("    {}: {}", field.name, scalar(value)),
                    );
                }
            }
            ends(&mut out, fact);
        }
    }
    if out.is_empty() {
        out.push_str("{}\n");
    }
    out
}

fn ends(out: &mut String, fact: &Fact) {
    let ends = [
        ("source_doc", fact.source_doc.as_ref()),
        ("valid_from", Some(&fact.valid_from)),
        ("valid_to", fact.valid_to.as_ref()),
    ];
    for (name, value) in ends {
        if let Some(value) = value {
            line(out, format_args!("    {name}: {}", flow(value)));
        }
    }
}

fn scalar(value: &Value) -> String {
    match value {
        Value::String(text) => flow(text),
        Value::Array(items) => {
            let items: Vec<_> = items.iter().map(scalar).collect();
            format!("[{}]", items.join(", "))
        }
        Value::Object(members) => {
            let members: Vec<_> = members
                .iter()
                .map(|(name, value)| format!("{}: {}", flow(name), scalar(value)))
                .collect();
            format!("{{{}}}", members.join(", "))
        }
        other => other.to_string(),
    }
}

fn line(out: &mut String, text: std::fmt::Arguments<'_>) {
    // Writing into a string cannot fail.
    let _ = out.write_fmt(text);
    out.push('\n');
}

#[cfg(test)]
mod tests {
    use super::super::read::{self, NOUN};
    use super::*;
    use crate::profile::document;

    #[test]
    fn documents_that_are_written_are_read_back() {
        let yaml = "
organisations:
  shop: {role: controller, legal_name: 'Shop: \"no\" | <b> # 1', employees: 3, country: 'NO',
         address: 'no'}
activities:
  a-1.x: {name: \"two\\nlines \\u202e\", minors: true, subjects: ['true', '1', x]}
incidents:
  i: {known_at: '2026-03-06T18:00:00Z', jurisdictions: [BR, EU],
      authority_notified_at: {EU: '2026-03-06T19:00:00Z', BR: '2026-03-07T19:00:00Z'}}
";
        let read =
            |yaml: &str| read::document(&document::read(NOUN, yaml.as_bytes()).unwrap()).unwrap();
        let first = read(yaml);
        let controller = Controller {
            facts: first
                .iter()
                .map(|declared| Fact {
                    kind: declared.kind.name,
                    id: declared.id.clone(),
                    fields: declared.fields.clone(),
                    valid_from: "2026-01-01".to_owned(),
                    source_doc: Some("x: y".to_owned()),
                    ..Fact::default()
                })
                .collect(),
        };
        let again = read(&document(&controller));
        assert_eq!(again.len(), 3);
        for (one, other) in first.iter().zip(&again) {
            assert_eq!((&one.id, &one.fields), (&other.id, &other.fields));
            assert_eq!(other.valid_from.as_deref(), Some("2026-01-01"));
            assert_eq!(other.source_doc.as_deref(), Some("x: y"));
        }
        assert_eq!(read(&document(&Controller::default())), []);
    }
}
