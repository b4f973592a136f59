//! `text`: free text in which what looks personal is replaced and the rest is kept.
//!
//! A scanner looks for e-mail addresses, telephone and card numbers, IBANs, addresses of machines,
//! URLs, numbers of persons, and the names and e-mail addresses of the row. What it finds becomes
//! the pseudonym it would have in a column (`replace.rs`). It knows forms and not meanings, so it
//! misses things; a text that must say nothing belongs to `lorem` or `redact`.

use std::borrow::Cow;

use super::replace::Table;
use super::scan::names::Names;
use super::scan::{Finding, Found, Kinds, Scanner};
use super::{EMAILS, NAMES};
use crate::error::Result;
use crate::strategies::definition::{
    Apply, Definition, LONGEST_READ, Needs, Parsed, Properties, Row, Seed, Subkeys, mismatch,
};
use crate::strategies::params::{ParamError, ParamKind, ParamSpec, Reader, Value};
use crate::strategies::{Datum, ValueType};

/// `text` in the list of strategies.
///
/// # Examples
///
/// ```
/// use confiture::strategies::{Kind, Params, Seed, Strategy, Subkeys, ValueType};
///
/// let keys = Subkeys::new(&[7; 32], &[8; 32]);
/// let strategy = Strategy::new(Kind::Text, &Params::new())?;
/// let mask = strategy.mask(&keys, Seed::new(1), ValueType::Text)?;
/// let email = Strategy::new(Kind::Email, &Params::new())?;
/// let email = email.mask(&keys, Seed::new(1), ValueType::Text)?;
/// let expected = format!("Write to {}.", email.text("ada@work.example")?);
/// assert_eq!(mask.text("Write to ada@work.example.")?, expected);
/// # Ok::<(), confiture::error::Error>(())
/// ```
pub const DEFINITION: Definition = Definition {
    name: "text",
    version: 1,
    about: "Free text with pseudonyms for the addresses, numbers and names found in it",
    accepts: ValueType::TEXT,
    params: PARAMS,
    inputs: &[NAMES, EMAILS],
    needs: Needs::Key,
    refuses: true,
    example: "anon_text('Ada called from +44 20 7946 0958.', names => ARRAY['Ada Lovelace'])",
    sample: "{}",
    parse: |reader| Ok(Box::new(FreeText::new(reader)?)),
};

/// The parameters of `text`, checked.
#[derive(Clone, Debug, PartialEq, Eq)]
struct FreeText {
    find: Option<Vec<Found>>,
    style: Style,
    on_name: OnName,
    max_length: Option<u16>,
}

/// What stands in place of a finding.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Style {
    Label,
    Pseudonym,
}

/// What stands in place of a name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum OnName {
    Pseudonym,
    Redact,
}

impl FreeText {
    fn new(reader: &Reader<'_>) -> Result<Self, ParamError> {
        Ok(Self {
            find: find(reader)?,
            style: reader.word("style", &STYLES)?,
            on_name: reader.word("on_name", &ON_NAMES)?,
            max_length: reader.int_if_given("max_length", 1..=u16::MAX)?,
        })
    }

    fn kinds(&self) -> Kinds {
        let Some(find) = &self.find else {
            return Kinds::EVERY;
        };
        find.iter()
            .fold(Kinds::NONE, |kinds, found| kinds.with(*found))
    }

    fn labels(&self, found: Found) -> bool {
        self.style == Style::Label || found == Found::Name && self.on_name == OnName::Redact
    }
}

fn find(reader: &Reader<'_>) -> Result<Option<Vec<Found>>, ParamError> {
    let Some(words) = reader.texts("find")? else {
        return Ok(None);
    };
    let all = || Found::ALL.into_iter();
    for word in &words {
        if !all().any(|found| found.name() == word) {
            let known: Vec<_> = all().map(Found::name).collect();
            let detail = format!("It must be a list of these: {}.", known.join(", "));
            return Err(reader.invalid("find", detail));
        }
    }
    if words.is_empty() {
        return Err(reader.invalid("find", "It must name one kind at least."));
    }
    let found = all().filter(|found| words.iter().any(|word| word == found.name()));
    let found: Vec<Found> = found.collect();
    let names = found.iter().map(|found| Value::from(found.name()));
    reader.note("find", Value::List(names.collect()));
    Ok(Some(found))
}

impl Parsed for FreeText {
    fn properties(&self, _: ValueType) -> Properties {
        let kinds = self.kinds();
        let keyed = Found::ALL
            .iter()
            .any(|found| kinds.has(*found) && !self.labels(*found));
        Properties {
            keeps_format: true,
            keyed,
            // Spellings of one number or address in a text share their pseudonym.
            folds_spellings: true,
            ..Properties::KEYED
        }
    }

    fn output_limit(&self, _: Option<usize>) -> Option<usize> {
        self.max_length.map(usize::from)
    }

    fn compile(&self, keys: &Subkeys<'_>, seed: Seed, _: ValueType) -> Result<Box<dyn Apply>> {
        Ok(Box::new(Mask {
            kinds: self.kinds(),
            text: self.clone(),
            table: Table::new(keys, seed)?,
        }))
    }
}

/// `text` with its keys.
struct Mask {
    text: FreeText,
    kinds: Kinds,
    table: Table,
}

impl Apply for Mask {
    fn longest(&self) -> usize {
        LONGEST_READ
    }

    fn apply<'a>(&self, value: Datum<'a>, row: Row<'_>) -> Result<Option<Datum<'a>>> {
        let Datum::Text(text) = value else {
            return Err(mismatch(DEFINITION.name, ValueType::Text));
        };
        let masked = self.masked(&text, row)?;
        Ok(Some(Datum::Text(match (masked, self.text.max_length) {
            (None, None) => text,
            (Some(masked), None) => Cow::Owned(masked),
            (masked, Some(most)) => cut(masked.map_or(text, Cow::Owned), most.into()),
        })))
    }
}

impl Mask {
    /// Replaces the findings; none if there are none.
    fn masked(&self, text: &str, row: Row<'_>) -> Result<Option<String>> {
        let given = row.many(0);
        let names = if self.kinds.has(Found::Name) {
            Names::new(given)
        } else {
            Names::default()
        };
        let mut scanner = Scanner::new(text, self.kinds, &names, row.many(1));
        let Some(first) = scanner.next() else {
            return Ok(None);
        };
        let mut out = String::with_capacity(text.len() + text.len() / 4);
        let mut copied = 0;
        let mut before: Option<Finding> = None;
        for finding in std::iter::once(first).chain(scanner) {
            let between = &text[copied..finding.span.start];
            let labels = self.text.labels(finding.what);
            // Words of one name have one label; Jean-Pierre has one pseudonym.
            let goes_on = matches!(between, " " | "-" | "\u{a0}")
                && finding.what == Found::Name
                && before.is_some_and(|before| match (before.word, finding.word) {
                    (Some(before), Some(word)) => labels || names.are_one(before, word),
                    _ => false,
                });
            if !goes_on {
                out.push_str(between);
                if labels {
                    out.push_str(finding.what.label());
                } else {
                    self.table.push(text, &finding, &names, given, &mut out);
                }
            }
            copied = finding.span.end;
            before = Some(finding);
        }
        out.push_str(&text[copied..]);
        Ok(Some(out))
    }
}

/// Cuts a text to a number of characters.
fn cut(text: Cow<'_, str>, most: usize) -> Cow<'_, str> {
    match (text.char_indices().nth(most), text) {
        (None, text) => text,
        (Some((end, _)), Cow::Borrowed(text)) => Cow::Borrowed(&text[..end]),
        (Some((end, _)), Cow::Owned(mut text)) => {
            text.truncate(end);
            Cow::Owned(text)
        }
    }
}

const PARAMS: &[ParamSpec] = &[
    ParamSpec::optional(
        "find",
        ParamKind::List,
        "What is looked for: url, email, iban, card, national_id, ip, phone, name; by default all.",
    ),
    ParamSpec::new(
        "style",
        ParamKind::Text,
        "pseudonym",
        "pseudonym writes what stands for the finding, label says what was there: [EMAIL].",
    ),
    ParamSpec::new(
        "on_name",
        ParamKind::Text,
        "pseudonym",
        "pseudonym writes another name, redact writes [NAME].",
    ),
    ParamSpec::optional(
        "max_length",
        ParamKind::Int,
        "The most characters of the output, 1 to 65535; what is longer is cut.",
    ),
];

const STYLES: [(&str, Style); 2] = [("pseudonym", Style::Pseudonym), ("label", Style::Label)];
const ON_NAMES: [(&str, OnName); 2] =
    [("pseudonym", OnName::Pseudonym), ("redact", OnName::Redact)];

#[cfg(test)]
mod tests {
    use super::*;
    use crate::strategies::params::Params;
    use crate::strategies::{self, Input, Kind, Strategy};

    fn mask(params: &[(&str, Value)]) -> strategies::Mask {
        let params = params.iter().map(|(k, v)| ((*k).to_owned(), v.clone()));
        let strategy = Strategy::new(Kind::Text, &params.collect()).unwrap();
        strategy
            .mask(
                &Subkeys::new(&[7; 32], &[8; 32]),
                Seed::new(1),
                ValueType::Text,
            )
            .unwrap()
    }

    fn out(params: &[(&str, Value)], text: &str, names: &[&str], emails: &[&str]) -> String {
        let inputs = [Input::Many(names.to_vec()), Input::Many(emails.to_vec())];
        match mask(params).apply(Datum::text(text), Row(&inputs)) {
            Ok(Some(Datum::Text(text))) => text.into_owned(),
            other => panic!("{other:?}"),
        }
    }

    fn column(kind: Kind, value: &str) -> String {
        let strategy = Strategy::new(kind, &Params::new()).unwrap();
        let keys = Subkeys::new(&[7; 32], &[8; 32]);
        let mask = strategy.mask(&keys, Seed::new(1), ValueType::Text).unwrap();
        mask.text(value).unwrap().into_owned()
    }

    fn label() -> [(&'static str, Value); 1] {
        [("style", Value::from("label"))]
    }

    #[test]
    fn text_gives_addresses_and_numbers_the_pseudonyms_of_their_columns() {
        let text = "Write to Ada@Work.example or call +44 20 7946 0958, today.";
        let email = column(Kind::Email, "ada@work.example");
        let phone = column(Kind::Phone, "+44 20 7946 0958");
        let expected = format!("Write to {email} or call {phone}, today.");
        assert_eq!(out(&[], text, &[], &[]), expected);
    }

    #[test]
    fn text_labels_what_it_finds() {
        let text = "ada@work.example, +44 20 7946 0958, 4111 1111 1111 1111, \
                    GB29NWBK60161331926819, 192.0.2.7, https://work.example/ada, 123-45-6789, Ada";
        let labels = "[EMAIL], [PHONE], [CARD], [IBAN], [IP], [URL], [ID], [NAME]";
        assert_eq!(out(&label(), text, &["Ada"], &[]), labels);
        let found = out(&[], text, &["Ada"], &[]);
        for part in text.split(", ") {
            assert!(!found.contains(part), "{part}: {found}");
        }
        assert_eq!(found.split(", ").count(), 8);
    }

    #[test]
    fn text_finds_only_what_it_is_asked_for() {
        let find = Value::List(vec!["phone".into(), "email".into()]);
        let params = [("find", find), ("style", Value::from("label"))];
        let text = "ada@work.example 020 7946 0958 192.0.2.7 Ada";
        let found = out(&params, text, &["Ada"], &[]);
        assert_eq!(found, "[EMAIL] [PHONE] 192.0.2.7 Ada");
        let strategy = Strategy::new(
            Kind::Text,
            &Params::from([(
                "find".to_owned(),
                Value::List(vec!["phone".into(), "email".into(), "phone".into()]),
            )]),
        )
        .unwrap();
        let listed = Value::List(vec!["email".into(), "phone".into()]);
        assert_eq!(strategy.effective_params()["find"], listed);
    }

    #[test]
    fn text_replaces_names_word_by_word() {
        let names = ["Ada Lovelace"];
        let made = out(&[], "Ada met ADA LOVELACE; lovelace's", &names, &[]);
        let words: Vec<_> = made.split([' ', ';', '\'']).collect();
        assert_eq!(words[0].to_uppercase(), words[2]);
        assert_eq!(words[3].to_lowercase(), words[5]);
        let redact = [("on_name", Value::from("redact"))];
        let text = "Ada Lovelace and Ada-Lovelace, ada@work.example";
        let email = column(Kind::Email, "ada@work.example");
        assert_eq!(
            out(&redact, text, &names, &[]),
            format!("[NAME] and [NAME], {email}")
        );
    }

    #[test]
    fn text_finds_odd_addresses_of_the_row() {
        let odd = "\"Ada L\"@work.example";
        let text = format!("from {odd} to x");
        assert_eq!(out(&label(), &text, &[], &[odd]), "from [EMAIL] to x");
        let email = column(Kind::Email, odd);
        assert_eq!(
            out(&[], &text.to_uppercase(), &[], &[odd]),
            format!("FROM {email} TO X")
        );
        assert_eq!(out(&label(), "n/a", &[], &["n/a", ""]), "n/a");
    }

    #[test]
    fn text_keeps_what_it_does_not_find() {
        for text in [
            "",
            " \n",
            "Nothing here.",
            "v1.2.3 on 2024-01-15 for 12.50 €",
            "日本語",
        ] {
            assert_eq!(out(&[], text, &["Ada"], &[]), text);
            let nothing = mask(&[]).apply(Datum::text(text), Row::NONE).unwrap();
            assert!(matches!(nothing, Some(Datum::Text(Cow::Borrowed(_)))));
        }
    }

    #[test]
    fn text_is_cut_to_its_length() {
        let most = |most: i64| [("max_length", Value::Int(most))];
        assert_eq!(out(&most(3), "éàü!", &[], &[]), "éàü");
        assert_eq!(out(&most(9), "to a@b.example", &[], &[]).chars().count(), 9);
        let strategy = Strategy::new(
            Kind::Text,
            &Params::from([("max_length".to_owned(), Value::Int(9))]),
        );
        assert_eq!(strategy.unwrap().output_limit(Some(5)), Some(9));
        for bad in [0, 65_536] {
            let params = Params::from([("max_length".to_owned(), Value::Int(bad))]);
            assert_eq!(
                Strategy::new(Kind::Text, &params).unwrap_err().param,
                "max_length"
            );
        }
    }

    #[test]
    fn text_refuses_kinds_it_does_not_know() {
        for bad in [
            Value::List(vec!["mail".into()]),
            Value::List(vec![]),
            Value::from("email"),
        ] {
            let params = Params::from([("find".to_owned(), bad)]);
            assert_eq!(
                Strategy::new(Kind::Text, &params).unwrap_err().param,
                "find"
            );
        }
    }

    #[test]
    fn text_needs_the_key_only_for_pseudonyms() {
        let keyed = |params: &[(&str, Value)]| {
            let params = params.iter().map(|(k, v)| ((*k).to_owned(), v.clone()));
            let strategy = Strategy::new(Kind::Text, &params.collect()).unwrap();
            strategy.properties(ValueType::Text).keyed
        };
        assert!(keyed(&[]));
        assert!(!keyed(&label()));
        let names = ("find", Value::List(vec!["name".into()]));
        assert!(!keyed(&[names, ("on_name", Value::from("redact"))]));
    }
}
