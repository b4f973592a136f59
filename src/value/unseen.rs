//! Characters that nobody sees, and texts that show nothing.

/// Whether a text shows nothing: it is empty, or made of white space and of characters that nobody
/// sees, such as U+200B, soft hyphens, joiners, and variation selectors.
pub fn is_blank(text: &str) -> bool {
    text.chars()
        .all(|c| c.is_whitespace() || c.is_control() || is_hidden(c))
}

/// Whether a character is drawn as nothing, or only turns the direction of the text around it: what
/// Unicode calls `Default_Ignorable_Code_Point`, marks of annotations, braille without dots, a note
/// without a head.
pub fn is_hidden(c: char) -> bool {
    matches!(c,
        '\u{ad}' | '\u{34f}' | '\u{61c}' | '\u{115f}'..='\u{1160}' | '\u{17b4}'..='\u{17b5}'
        | '\u{180b}'..='\u{180f}' | '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}'
        | '\u{2060}'..='\u{206f}' | '\u{2800}' | '\u{3164}' | '\u{fe00}'..='\u{fe0f}' | '\u{feff}'
        | '\u{ffa0}' | '\u{fff0}'..='\u{fffb}' | '\u{1bca0}'..='\u{1bca3}' | '\u{1d159}'
        | '\u{1d173}'..='\u{1d17a}' | '\u{e0000}'..='\u{e0fff}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn blank_texts_show_nothing() {
        for blank in [
            "",
            " \t\r\n",
            "\0\u{7f}\u{85}",
            "\u{a0}\u{2003}\u{3000}",
            "\u{200b}",
            "\u{ad}\u{ad}",
            "\u{2060} \u{feff}",
            "\u{fe0f}\u{e0100}",
            "\u{202e}\u{2066}\u{2069}",
            "\u{3164}\u{115f}\u{ffa0}",
            "\u{180e}\u{34f}\u{2800}",
            "\u{fff9}\u{e0041}",
        ] {
            assert!(is_blank(blank), "{}", blank.escape_unicode());
        }
        for seen in [
            "7",
            "ticket 4711",
            "\u{200b}x\u{200b}",
            "\u{2764}\u{fe0f}",
            "\u{301}",
            "\u{200e}\u{5d0}",
            "\u{fffd}",
            ".",
        ] {
            assert!(!is_blank(seen), "{}", seen.escape_unicode());
        }
    }
}
