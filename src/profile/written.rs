//! Names as a profile writes them, so that what is read back is the name.

/// A text as a value inside YAML: plain where that is safe, in double quotes elsewhere.
pub fn flow(text: &str) -> String {
    let plain = text.len() <= 63
        && text.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_')
        && text.chars().all(|c| c.is_ascii_alphanumeric() || c == '_')
        && !RESERVED.contains(&text.to_ascii_lowercase().as_str());
    if plain { text.to_owned() } else { quoted(text) }
}

/// The name of a table as a key: a period in it is not one between schema and table.
pub fn table_key(name: &str) -> String {
    if name.contains(['.', '"']) || name.trim() != name {
        flow(&format!("\"{}\"", name.replace('"', "\"\"")))
    } else {
        flow(name)
    }
}

/// Whether a profile can name it: no control character, and not the word for all others.
pub fn can_be_named(name: &str) -> bool {
    !name.contains(char::is_control) && !name.trim().is_empty() && name != "*"
}

fn quoted(text: &str) -> String {
    let mut out = String::from("\"");
    for c in text.chars() {
        match c {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            // What YAML counts as no printable character, or as the end of a line.
            '\u{0}'..='\u{1f}'
            | '\u{7f}'..='\u{a0}'
            | '\u{2028}'
            | '\u{2029}'
            | '\u{feff}'
            | '\u{fffe}'
            | '\u{ffff}' => out.push_str(&format!("\\u{:04x}", u32::from(c))),
            c => out.push(c),
        }
    }
    out.push('"');
    out
}

/// Words that some reader of YAML takes for something else than a text.
const RESERVED: [&str; 9] = ["false", "no", "null", "off", "on", "true", "y", "n", "yes"];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn written_names_are_read_back() {
        for name in [
            "users",
            "Order",
            "null",
            "a: b",
            "- x",
            "a.b",
            "{x}",
            "# no",
            "it's",
            r#"say "hi""#,
            r"back\slash",
            "é",
            "🎂",
            " blank ",
            "a\u{2028}b",
            "1e5",
            "~",
            "*x",
            "&a",
            "!t",
            "%",
            "@",
        ] {
            let yaml = format!(
                "name: x\nversion: '1'\nstrategies: {{r: {{type: redact}}}}\ntables:\n  {}:\n    rules:\n      - {{column: {}, strategy: r}}\n",
                table_key(name),
                flow(name)
            );
            let (profile, _) = crate::profile::load(yaml.as_bytes())
                .unwrap_or_else(|error| panic!("{yaml}: {error}"));
            assert_eq!(profile.tables[0].name, name, "{yaml}");
            assert_eq!(profile.tables[0].schema, None, "{yaml}");
            assert_eq!(profile.tables[0].rules[0].column, name, "{yaml}");
        }
        assert!(!can_be_named("a\nb") && !can_be_named("*") && can_be_named("a*"));
    }
}
