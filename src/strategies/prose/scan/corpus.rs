//! How much is found: sentences in five languages with what a reader would mark in them.
//!
//! What the scanner misses or takes for something else stays in the list.
//! `docs/strategies/prose.md` shows the figures.

use std::collections::BTreeMap;

use super::names::Names;
use super::{Found, Kinds, Scanner};

struct Sentence {
    language: String,
    names: Vec<String>,
    text: String,
    expected: Vec<(Found, usize, usize)>,
}

fn sentences() -> Vec<Sentence> {
    let lines = include_str!("corpus.txt").lines();
    lines
        .filter(|line| !line.starts_with('#'))
        .map(sentence)
        .collect()
}

fn sentence(line: &str) -> Sentence {
    let (language, rest) = line.split_once(" [").unwrap();
    let (names, marked) = rest.split_once("] ").unwrap();
    let (mut text, mut expected) = (String::new(), Vec::new());
    let mut rest = marked;
    while let Some((before, after)) = rest.split_once('⟦') {
        let (finding, after) = after.split_once('⟧').unwrap();
        let (kind, found) = finding.split_once('|').unwrap();
        let kind = Found::ALL
            .into_iter()
            .find(|found| found.name() == kind)
            .unwrap();
        text.push_str(before);
        expected.push((kind, text.len(), text.len() + found.len()));
        text.push_str(found);
        rest = after;
    }
    text.push_str(rest);
    Sentence {
        language: language.to_owned(),
        names: names.split("; ").map(str::to_owned).collect(),
        text,
        expected,
    }
}

/// Marked, found of them, found in all.
#[derive(Clone, Copy, Default)]
struct Score(u32, u32, u32);

impl Score {
    fn recall(self) -> f64 {
        f64::from(self.1) / f64::from(self.0)
    }

    fn precision(self) -> f64 {
        f64::from(self.1) / f64::from(self.2)
    }
}

fn scores(key: impl Fn(&Sentence, Found) -> String) -> (BTreeMap<String, Score>, Vec<String>) {
    let mut scores: BTreeMap<String, Score> = BTreeMap::new();
    let mut wrong = Vec::new();
    for sentence in sentences() {
        let names: Vec<&str> = sentence.names.iter().map(String::as_str).collect();
        let names = Names::new(&names);
        let findings = Scanner::new(&sentence.text, Kinds::EVERY, &names, &[]);
        let found: Vec<_> = findings
            .map(|f| (f.what, f.span.start, f.span.end))
            .collect();
        for mark in &sentence.expected {
            let score = scores.entry(key(&sentence, mark.0)).or_default();
            score.0 += 1;
            score.1 += u32::from(found.contains(mark));
            if !found.contains(mark) {
                wrong.push(format!(
                    "missed {}: {}",
                    &sentence.text[mark.1..mark.2],
                    sentence.text
                ));
            }
        }
        for mark in &found {
            scores.entry(key(&sentence, mark.0)).or_default().2 += 1;
            if !sentence.expected.contains(mark) {
                wrong.push(format!(
                    "mistook {}: {}",
                    &sentence.text[mark.1..mark.2],
                    sentence.text
                ));
            }
        }
    }
    (scores, wrong)
}

#[test]
fn corpus_has_sentences_of_five_languages() {
    let sentences = sentences();
    assert!(sentences.len() >= 100);
    for language in ["de", "en", "es", "fr", "pt"] {
        let own = sentences
            .iter()
            .filter(|sentence| sentence.language == language);
        let (with, without): (Vec<_>, Vec<_>) = own.partition(|own| !own.expected.is_empty());
        assert!(with.len() >= 8 && without.len() >= 6, "{language}");
    }
}

#[test]
fn corpus_is_found_to_the_documented_part() {
    let (all, wrong) = scores(|_, _| "all".to_owned());
    let wrong = wrong.join("\n");
    assert!(
        all["all"].recall() >= 0.95,
        "{}\n{wrong}",
        all["all"].recall()
    );
    assert!(
        all["all"].precision() >= 0.95,
        "{}\n{wrong}",
        all["all"].precision()
    );
    for (language, score) in scores(|sentence, _| sentence.language.clone()).0 {
        assert!(
            score.recall() >= 0.9 && score.precision() >= 0.9,
            "{language}\n{wrong}"
        );
    }
    for (kind, score) in scores(|_, found| found.name().to_owned()).0 {
        assert!(
            score.recall() >= 0.85 && score.precision() >= 0.95,
            "{kind}\n{wrong}"
        );
    }
}

#[test]
fn corpus_of_other_numbers_mostly_survives() {
    let sentences = sentences();
    let plain = sentences
        .iter()
        .filter(|sentence| sentence.expected.is_empty());
    let none = Names::default();
    let untouched = plain.clone().filter(|sentence| {
        Scanner::new(&sentence.text, Kinds::EVERY, &none, &[])
            .next()
            .is_none()
    });
    assert!(untouched.count() * 100 >= plain.count() * 92);
}
