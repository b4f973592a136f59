//! The scan of the run in progress, by number of the table: how many rows have a text that gives
//! them away.
//!
//! As with masks and trackers, statements name numbers, and nobody can ask outside of a run. Only
//! counts are kept.

use std::cell::RefCell;

use super::super::workers::report::Words;
use super::escapes::Escapes;
use super::identifiers::Identifier;
use super::needle::Haystack;
use crate::error::{Error, Kind, Result};

/// A text of a table: its column, how it is written, whether it is masked.
pub type Text = (String, Escapes, bool);

/// What is kept of one table.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Scan {
    /// Its texts: their columns, how they are written, whether they are masked.
    pub texts: Vec<Text>,
    /// By text: how many rows it gives away.
    pub found: Vec<u64>,
}

/// The scans, and the number of the first.
#[derive(Default)]
struct Scans {
    first: usize,
    running: Vec<Scan>,
}

impl Scans {
    fn get(&mut self, number: usize) -> Option<&mut Scan> {
        self.running.get_mut(number.checked_sub(self.first)?)
    }
}

thread_local! {
    static RUNNING: RefCell<Scans> = RefCell::default();
    static ROOM: RefCell<Haystack> = RefCell::default();
}

/// Makes scans callable until the guard is dropped, whatever way that happens.
#[must_use]
pub fn install(scans: Vec<Scan>) -> Installed {
    install_from(0, scans)
}

/// As [`install`], where the first of them has that number.
#[must_use]
pub fn install_from(first: usize, running: Vec<Scan>) -> Installed {
    Installed(RUNNING.replace(Scans { first, running }))
}

/// What the scan of that number has found in this process, as numbers.
pub fn report(number: usize, out: &mut Vec<u64>) {
    RUNNING.with_borrow_mut(|running| {
        out.extend(running.get(number).into_iter().flat_map(|scan| &scan.found));
    });
}

/// Adds what it has found in another process.
pub fn merge(number: usize, words: &mut Words<'_>) {
    RUNNING.with_borrow_mut(|running| {
        let found = running.get(number).into_iter();
        found
            .flat_map(|scan| &mut scan.found)
            .for_each(|count| *count += words.take());
    });
}

/// The texts of the scan of that number.
pub fn texts(number: usize) -> Option<Vec<Text>> {
    RUNNING.with_borrow_mut(|running| Some(running.get(number)?.texts.clone()))
}

/// Takes the scans away when dropped, and puts those of a run back that this one ran in.
pub struct Installed(Scans);

impl Installed {
    /// What they have found, by number.
    pub fn finish(self) -> Vec<Scan> {
        RUNNING.with_borrow_mut(|running| std::mem::take(&mut running.running))
    }
}

impl Drop for Installed {
    fn drop(&mut self) {
        RUNNING.set(std::mem::take(&mut self.0));
    }
}

/// Shows a row to the scan of that number: identifiers with what was written in their place, and
/// texts from the `first` on.
///
/// # Errors
/// 55000 outside of a run.
pub fn show<'a>(
    number: usize,
    first: usize,
    identifiers: &[Identifier<'a>],
    texts: impl Iterator<Item = Option<&'a str>>,
) -> Result<()> {
    RUNNING.with_borrow_mut(|running| {
        let scan = running
            .get(number)
            .ok_or_else(|| Error::new(Kind::NotReady, "this function works inside a run only"))?;
        let read: Vec<_> = identifiers.iter().map(Identifier::texts).collect();
        let sought: Vec<_> = identifiers
            .iter()
            .zip(&read)
            .flat_map(|(identifier, texts)| identifier.sought(texts))
            .collect();
        ROOM.with_borrow_mut(|room| {
            for (place, text) in (first..).zip(texts) {
                let (Some(text), Some((_, escapes, is_masked))) = (text, scan.texts.get(place))
                else {
                    continue;
                };
                room.take(text, *escapes);
                let gives_away = |sought| room.gives_away(sought, !is_masked);
                if sought.iter().any(gives_away)
                    && let Some(found) = scan.found.get_mut(place)
                {
                    *found += 1;
                }
            }
        });
        Ok(())
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn scans_exist_only_while_installed_and_count_rows() {
        let row = |note: &'static str| {
            let identifiers = ["ada@post.example", "Anna Berg"].map(|original| Identifier {
                original,
                written: Some("x"),
                is_document: false,
                is_name: original == "Anna Berg",
            });
            show(0, 0, &identifiers, [Some(note), Some(note)].into_iter())
        };
        assert!(row("x").is_err());
        let installed = install(vec![Scan {
            texts: vec![
                ("note".to_owned(), Escapes::None, false),
                ("prose".to_owned(), Escapes::None, true),
            ],
            found: vec![0, 0],
        }]);
        row("ada@post.example and anna").unwrap();
        row("nobody on the berg").unwrap();
        row("Mrs Berg").unwrap();
        assert_eq!(installed.finish()[0].found, [2, 1]);
        assert!(row("x").is_err());
    }
}
