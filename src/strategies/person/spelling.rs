//! How a name is written: in capitals or small letters like the value, or in plain ASCII.

use unicode_normalization::UnicodeNormalization;

use crate::strategies::pause::paced;

/// How the letters of a value are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Shape {
    /// Two or more, all small.
    Lower,
    /// Anything else: as in the dictionary.
    Title,
    /// Two or more, all capitals.
    Upper,
}

impl Shape {
    /// Reads the shape of a value. One letter alone says nothing.
    pub(crate) fn of(value: &str) -> Self {
        let (mut lower, mut upper) = (0u8, 0u8);
        for c in paced(value.chars()) {
            if c.is_lowercase() {
                lower = lower.saturating_add(1);
            } else if c.is_uppercase() {
                upper = upper.saturating_add(1);
            }
            if lower > 0 && upper > 0 {
                return Self::Title;
            }
        }
        match (lower, upper) {
            (2.., 0) => Self::Lower,
            (0, 2..) => Self::Upper,
            _ => Self::Title,
        }
    }

    /// Writes a name in that shape.
    pub(crate) fn write(self, name: String) -> String {
        match self {
            Self::Lower => name.to_lowercase(),
            Self::Title => name,
            Self::Upper => name.to_uppercase(),
        }
    }
}

/// Appends a name in small letters a to z, with hyphens in place of spaces and without other
/// signs. `umlauts` writes ä, ö and ü as two letters, as German does.
pub(crate) fn push_ascii(name: &str, umlauts: bool, out: &mut String) {
    for c in name.chars() {
        match c {
            'a'..='z' => out.push(c),
            'A'..='Z' => out.push(c.to_ascii_lowercase()),
            ' ' | '-' => out.push('-'),
            'ä' | 'Ä' if umlauts => out.push_str("ae"),
            'ö' | 'Ö' if umlauts => out.push_str("oe"),
            'ü' | 'Ü' if umlauts => out.push_str("ue"),
            'æ' | 'Æ' => out.push_str("ae"),
            'œ' | 'Œ' => out.push_str("oe"),
            'ß' | 'ẞ' => out.push_str("ss"),
            'ø' | 'Ø' => out.push('o'),
            'ł' | 'Ł' => out.push('l'),
            'đ' | 'Đ' | 'ð' | 'Ð' => out.push('d'),
            'ı' => out.push('i'),
            'þ' | 'Þ' => out.push_str("th"),
            _ if c.is_ascii() => (),
            _ => {
                let letters = std::iter::once(c).nfd().filter(char::is_ascii_alphabetic);
                out.extend(letters.map(|letter| letter.to_ascii_lowercase()));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::strategies::person::dictionary::LOCALES;

    #[test]
    fn spelling_reads_the_shape_of_a_value() {
        for (value, shape) in [
            ("SMITH", Shape::Upper),
            ("O'BRIEN-LÉVY", Shape::Upper),
            ("smith", Shape::Lower),
            ("élan vital", Shape::Lower),
            ("Smith", Shape::Title),
            ("McDONALD", Shape::Title),
            ("J.", Shape::Title),
            ("j", Shape::Title),
            ("李明", Shape::Title),
            ("1234", Shape::Title),
            ("", Shape::Title),
        ] {
            assert_eq!(Shape::of(value), shape, "{value}");
        }
        assert_eq!(Shape::of(&"X".repeat(100_000)), Shape::Upper);
        assert_eq!(Shape::Upper.write("Weiß".to_owned()), "WEISS");
    }

    #[test]
    fn spelling_folds_to_ascii() {
        let ascii = |name: &str, umlauts| {
            let mut out = String::new();
            push_ascii(name, umlauts, &mut out);
            out
        };
        assert_eq!(ascii("Jürgen Groß", true), "juergen-gross");
        assert_eq!(ascii("Jürgen", false), "jurgen");
        assert_eq!(ascii("O'Brien", false), "obrien");
        assert_eq!(ascii("Cœur-Łukasz Ørsted", false), "coeur-lukasz-orsted");
    }

    #[test]
    fn spelling_leaves_something_of_every_name() {
        for (_, locale) in LOCALES {
            for name in locale
                .female()
                .iter()
                .chain(locale.male())
                .chain(locale.family())
            {
                let mut out = String::new();
                push_ascii(name, true, &mut out);
                let inner = out.bytes().all(|b| b.is_ascii_lowercase() || b == b'-');
                let ends = out.starts_with(|c: char| c != '-') && !out.ends_with('-');
                assert!(out.len() > 1 && inner && ends, "{name} {out}");
            }
        }
    }
}
