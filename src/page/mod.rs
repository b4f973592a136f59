//! HTML pages that need nothing else: no script, no font, no image, nothing from elsewhere, and a
//! policy in them that keeps a browser from loading any of these. Every report looks alike.

use std::fmt::{Arguments, Write};

use base64::prelude::{BASE64_STANDARD, Engine};
use sha2::{Digest, Sha256};

use crate::value::unseen::is_hidden;

const STYLE: &str = include_str!("style.css");

/// A page as far as it is written.
pub struct Page(String);

impl Page {
    /// Begins a page up to its body. `title` is any text; `style` holds rules of this page alone,
    /// written by us.
    pub fn begin(title: &str, style: &str) -> Self {
        let style = format!("{STYLE}{style}");
        // No style but ours applies (W3C, Content Security Policy Level 3).
        let hash = BASE64_STANDARD.encode(Sha256::digest(&style));
        Self(format!(
            "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n\
             <meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; \
             style-src 'sha256-{hash}'; base-uri 'none'; form-action 'none'\">\n\
             <meta name=\"referrer\" content=\"no-referrer\">\n\
             <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n\
             <title>{}</title>\n<style>{style}</style>\n</head>\n<body>\n",
            escaped(title)
        ))
    }

    /// Writes HTML.
    pub fn put(&mut self, html: Arguments<'_>) {
        // Writing into a string cannot fail.
        let _ = self.0.write_fmt(html);
    }

    /// Opens a table; a region of its own, so that a keyboard reaches what has to be scrolled. Each
    /// head comes with whether numbers are below it.
    pub fn table<'a>(&mut self, caption: &str, heads: impl IntoIterator<Item = (&'a str, bool)>) {
        let caption = escaped(caption);
        self.put(format_args!(
            "<div class=\"scroll\" role=\"region\" tabindex=\"0\" aria-label=\"{caption}\">\n\
             <table>\n<caption>{caption}</caption>\n<thead>\n<tr>"
        ));
        for (head, is_number) in heads {
            let class = if is_number { " class=\"number\"" } else { "" };
            self.put(format_args!(
                "<th scope=\"col\"{class}>{}</th>",
                escaped(head)
            ));
        }
        self.put(format_args!("</tr>\n</thead>\n<tbody>\n"));
    }

    /// Closes it.
    pub fn end_table(&mut self) {
        self.put(format_args!("</tbody>\n</table>\n</div>\n"));
    }

    /// Ends the page.
    pub fn end(mut self) -> String {
        self.put(format_args!("</body>\n</html>\n"));
        self.0
    }
}

/// A text that means nothing to HTML, neither between tags nor in a quoted attribute.
pub fn escaped(text: &str) -> String {
    let text = visible(text);
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&#39;"),
            _ => out.push(c),
        }
    }
    out
}

/// A name that somebody else chose, as HTML: its direction is its own matter.
pub fn name(text: &str) -> String {
    format!("<bdi>{}</bdi>", escaped(text))
}

/// A text with what cannot be seen written out, as `\u{202e}`: line ends, other control characters,
/// and those that turn the direction of the text around it (Unicode, UAX #9) or have no width.
pub fn visible(text: &str) -> String {
    let mut seen = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '\\' => seen.push_str("\\\\"),
            _ if c.is_control() || is_hidden(c) || matches!(c, '\u{2028}' | '\u{2029}') => {
                seen.extend(c.escape_unicode())
            }
            _ => seen.push(c),
        }
    }
    seen
}

/// A whole number with a comma after every three digits.
pub fn grouped(number: impl Into<i128>) -> String {
    let number = number.into();
    let digits = number.unsigned_abs().to_string();
    let mut text = String::new();
    if number < 0 {
        text.push('-');
    }
    for (i, digit) in digits.chars().enumerate() {
        if i > 0 && (digits.len() - i).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pages_hold_one_style_under_their_policy() {
        let page = Page::begin("<t>", ".own { color: red; }\n").end();
        assert_eq!(page.matches("</style>").count(), 1);
        assert!(page.contains("<title>&lt;t&gt;</title>"));
        let style = page
            .split("<style>")
            .nth(1)
            .and_then(|rest| rest.split("</style>").next());
        let hash = BASE64_STANDARD.encode(Sha256::digest(style.unwrap_or_default()));
        assert!(page.contains(&format!("style-src 'sha256-{hash}'")));
        assert!(page.ends_with("</body>\n</html>\n"));
    }

    #[test]
    fn numbers_have_a_comma_after_every_three_digits() {
        assert_eq!(grouped(-1_234_567), "-1,234,567");
        assert_eq!(grouped(0), "0");
        assert_eq!(grouped(999_u64), "999");
    }

    #[test]
    fn what_cannot_be_seen_is_shown() {
        assert_eq!(visible("a\u{202e}b\n"), "a\\u{202e}b\\u{a}");
        // Whoever writes such a sequence into a name does not pass for one of ours.
        assert_eq!(visible("\\u{202e}"), "\\\\u{202e}");
        assert_eq!(visible("Straße 住所 عنوان"), "Straße 住所 عنوان");
    }
}
