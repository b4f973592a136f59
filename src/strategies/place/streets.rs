//! Names of streets, put together from the words of `data/streets.txt`.

use std::collections::HashMap;

use crate::strategies::keyed::Stream;

/// The source of the words.
pub(super) const TEXT: &str = include_str!("data/streets.txt");

/// How streets are named in one country.
#[derive(Debug, Default)]
pub(super) struct Streets {
    forms: Vec<Vec<Piece>>,
}

/// A part of a form.
#[derive(Clone, Debug)]
enum Piece {
    Literal(&'static str),
    OneOf(Vec<&'static str>),
}

impl Streets {
    /// Reads the words of one country. A form that does not fit its words is left out.
    pub(super) fn read(country: &str) -> Self {
        let head = format!("[{country}]");
        let mut lines = TEXT.lines().skip_while(|line| **line != *head).skip(1);
        let section = lines.by_ref().take_while(|line| !line.starts_with('['));
        let (mut forms, mut words) = (Vec::new(), HashMap::new());
        for (name, value) in section.filter_map(|line| line.split_once('=')) {
            if name == "form" {
                forms.push(value);
            } else {
                words.insert(name, value.split('|').collect::<Vec<_>>());
            }
        }
        let forms = forms.into_iter().filter_map(|form| pieces(form, &words));
        Self {
            forms: forms.collect(),
        }
    }

    /// Draws a name and appends it.
    pub(super) fn write(&self, stream: &mut Stream<'_>, out: &mut String) {
        let Some(form) = pick(stream, &self.forms) else {
            return;
        };
        for piece in form {
            match piece {
                Piece::Literal(text) => out.push_str(text),
                Piece::OneOf(words) => out.push_str(pick(stream, words).copied().unwrap_or("")),
            }
        }
    }

    /// The most characters of a name, by a measure of its parts.
    pub(super) fn longest(&self, chars: impl Fn(&str) -> usize) -> usize {
        let piece = |piece: &Piece| match piece {
            Piece::Literal(text) => chars(text),
            Piece::OneOf(words) => words.iter().map(|word| chars(word)).max().unwrap_or(0),
        };
        let form = |form: &Vec<Piece>| form.iter().map(piece).sum();
        self.forms.iter().map(form).max().unwrap_or(0)
    }

    /// Every name there is, with its chance.
    #[cfg(test)]
    pub(super) fn all(&self) -> HashMap<String, f64> {
        let mut all = HashMap::new();
        let mut open: Vec<(String, &[Piece], f64)> = Vec::new();
        let chance = 1.0 / self.forms.len() as f64;
        open.extend(
            self.forms
                .iter()
                .map(|form| (String::new(), &form[..], chance)),
        );
        while let Some((begun, pieces, chance)) = open.pop() {
            match pieces {
                [] => *all.entry(begun).or_insert(0.0) += chance,
                [Piece::Literal(text), rest @ ..] => open.push((begun + text, rest, chance)),
                [Piece::OneOf(words), rest @ ..] => {
                    let chance = chance / words.len() as f64;
                    open.extend(
                        words
                            .iter()
                            .map(|word| (begun.clone() + word, rest, chance)),
                    );
                }
            }
        }
        all
    }
}

fn pieces(form: &'static str, words: &HashMap<&str, Vec<&'static str>>) -> Option<Vec<Piece>> {
    let mut pieces = Vec::new();
    let mut rest = form;
    while let Some((before, after)) = rest.split_once('<') {
        let (name, after) = after.split_once('>')?;
        if !before.is_empty() {
            pieces.push(Piece::Literal(before));
        }
        pieces.push(Piece::OneOf(words.get(name)?.clone()));
        rest = after;
    }
    if !rest.is_empty() {
        pieces.push(Piece::Literal(rest));
    }
    Some(pieces)
}

/// Draws one of at most 256.
fn pick<'a, T>(stream: &mut Stream<'_>, list: &'a [T]) -> Option<&'a T> {
    let count = u16::try_from(list.len())
        .ok()
        .filter(|n| (1..=256).contains(n))?;
    list.get(usize::from(stream.below(count)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn street_forms_are_read_to_the_end() {
        let words = HashMap::from([("a", vec!["x"]), ("b", vec!["y", "z"])]);
        let read = pieces("In <a><b>!", &words).unwrap();
        assert_eq!(read.len(), 4);
        assert!(pieces("<c>", &words).is_none());
        assert!(pieces("<a", &words).is_none());
    }

    #[test]
    fn street_words_fit_one_byte() {
        for line in TEXT.lines().filter(|line| !line.starts_with(['#', '['])) {
            assert!(line.split('|').count() <= 256);
            assert_eq!(line.trim(), line);
            assert!(!line.contains("||") && !line.ends_with('|'));
        }
    }

    #[test]
    fn streets_do_not_run_out() {
        for country in ["us", "fr", "de", "es", "pt", "gb", "br"] {
            let count = Streets::read(country).all().len();
            assert!(count > 40_000, "{country}: {count}");
        }
        assert!(Streets::read("xx").all().is_empty());
    }
}
