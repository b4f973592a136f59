//! What the name of a column says.

use std::collections::{HashMap, HashSet};
use std::sync::LazyLock;

use super::tables::{About, Context, is_person, is_thing};
use super::vocabulary::{self, SIGNS, Within};
use super::{Category, Sort, words};

/// What a name says.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Named {
    /// Of what.
    pub category: Category,
    /// How surely, from 0 to 1.
    pub confidence: f64,
    /// Whether it would be surer in another table.
    pub depends_on_table: bool,
}

/// A phrase with what it means.
struct Phrase {
    words: Vec<&'static str>,
    category: Category,
    strength: f64,
    within: Within,
}

/// The phrases by their first word.
static PHRASES: LazyLock<HashMap<&'static str, Vec<Phrase>>> = LazyLock::new(|| {
    let mut phrases: HashMap<_, Vec<Phrase>> = HashMap::new();
    for sign in SIGNS {
        for phrase in sign.phrases.split('|') {
            let words: Vec<_> = phrase.split(' ').collect();
            phrases.entry(words[0]).or_default().push(Phrase {
                words,
                category: sign.category,
                strength: f64::from(sign.strength) / 100.0,
                within: sign.within,
            });
        }
    }
    phrases
});

static DENIALS: LazyLock<HashSet<&'static str>> =
    LazyLock::new(|| vocabulary::DENIALS.split('|').collect());

/// What a name says in a table; `None` where it says nothing.
pub fn read(name: &str, sort: Sort, context: Context) -> Option<Named> {
    let words = words::of(name);
    let found = matches(&words, sort).filter_map(|(at, phrase)| {
        let confidence = within(phrase, &words, at, context)?;
        Some((phrase, confidence))
    });
    let (phrase, confidence) = found.max_by(|(one, a), (other, b)| {
        // Longer phrases know more.
        let rank = |phrase: &Phrase, sure: f64| (phrase.words.len(), sure);
        rank(one, *a)
            .partial_cmp(&rank(other, *b))
            .unwrap_or(std::cmp::Ordering::Equal)
    })?;
    Some(Named {
        category: phrase.category,
        confidence,
        depends_on_table: phrase.within != Within::Any,
    })
}

/// The category that a name means in every table, if it means one.
pub fn strongest(name: &str, sort: Sort) -> Option<Category> {
    let words = words::of(name);
    let found = matches(&words, sort).filter(|(at, phrase)| {
        (phrase.within == Within::Any
            || phrase.category == Category::Address && phrase.within == Within::NotThings)
            && !is_denied(&words, *at, phrase)
    });
    found
        .max_by_key(|(_, phrase)| phrase.words.len())
        .map(|(_, phrase)| phrase.category)
}

/// Whether every word of a name is a word of the vocabulary, so that showing it shows no value.
pub fn is_plain(name: &str) -> bool {
    let is_word = |c: char| c.is_ascii_alphanumeric() || c == '_';
    name.len() <= LONGEST_KEY
        && name.chars().all(is_word)
        && name.starts_with(|c: char| c.is_ascii_alphabetic())
        && !name.contains(|c: char| c.is_ascii_digit())
        && words::of(name).iter().all(|word| words::is_known(word))
}

fn matches<'a>(
    words: &'a [String],
    sort: Sort,
) -> impl Iterator<Item = (usize, &'static Phrase)> + 'a {
    words.iter().enumerate().flat_map(move |(at, word)| {
        let phrases = PHRASES.get(word.as_str()).map_or(&[][..], Vec::as_slice);
        phrases
            .iter()
            .filter(move |phrase| phrase.category.fits(sort))
            .filter(move |phrase| {
                let rest = words[at..].iter();
                rest.len() >= phrase.words.len()
                    && phrase.words.iter().zip(rest).all(|(a, b)| a == b)
            })
            .map(move |phrase| (at, phrase))
    })
}

/// Whether a word around a phrase says that it is something else.
fn is_denied(words: &[String], at: usize, phrase: &Phrase) -> bool {
    let around = words
        .iter()
        .enumerate()
        .filter(|(place, _)| *place < at || *place >= at + phrase.words.len());
    let mut denied = around.filter(|(place, word)| {
        DENIALS.contains(word.as_str()) && !(*place < at && is_person(word))
    });
    // A body or note of something is a text all the same.
    phrase.category != Category::FreeText && denied.next().is_some()
}

/// How surely a phrase means what it says here; `None` if it does not.
fn within(phrase: &Phrase, words: &[String], at: usize, context: Context) -> Option<f64> {
    if is_denied(words, at, phrase) {
        return None;
    }
    let around = || {
        let other = |place: usize| place < at || place >= at + phrase.words.len();
        let words = words.iter().enumerate();
        words
            .filter(move |(place, _)| other(*place))
            .map(|(_, word)| word)
    };
    // The name says itself of whom.
    let of_person = around().any(|word| is_person(word));
    let of_thing = around().any(|word| is_thing(word));
    let things = context.about == About::Things;
    let factor = match phrase.within {
        _ if of_thing && !of_person && phrase.within != Within::Any => 0.2,
        Within::Any => 1.0,
        _ if of_person => 1.0,
        Within::People if context.is_people() => 1.0,
        Within::People if things => 0.15,
        Within::People => 0.5,
        Within::NotThings if things => 0.2,
        Within::NotThings => 1.0,
        Within::Places if things => 0.2,
        Within::Places if context.is_people() || context.has_place => 1.0,
        Within::Places => 0.45,
    };
    Some(phrase.strength * factor)
}

const LONGEST_KEY: usize = 40;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::signs::Column;

    fn table(name: &str, columns: &[&str]) -> Context {
        let column = |name: &&str| Column {
            name: (*name).to_owned(),
            sort: Sort::Text,
            is_array: false,
            is_key: false,
            is_virtual: false,
            fields: Vec::new(),
        };
        Context::of(name, &columns.iter().map(column).collect::<Vec<_>>())
    }

    fn says(name: &str, context: Context) -> Option<Category> {
        read(name, Sort::Text, context)
            .filter(|named| named.confidence >= crate::signs::PERSONAL)
            .map(|named| named.category)
    }

    #[test]
    fn names_say_what_they_mean_in_five_languages() {
        for (name, category) in [
            ("email", Category::Email),
            ("contactEmail", Category::Email),
            ("courriel_pro", Category::Email),
            ("correo", Category::Email),
            ("tel_domicile", Category::Phone),
            ("handynr", Category::Phone),
            ("telefone2", Category::Phone),
            ("prénom", Category::GivenName),
            ("Vorname", Category::GivenName),
            ("apellido1", Category::FamilyName),
            ("nachname", Category::FamilyName),
            ("nss", Category::NationalId),
            ("cpf", Category::NationalId),
            ("steuer_id", Category::NationalId),
            ("iban", Category::Iban),
            ("creditCardNo", Category::CreditCard),
            ("lastLoginIp", Category::Ip),
            ("pwdHash", Category::Secret),
            ("user_password", Category::Secret),
            ("dob", Category::BirthDate),
            ("data_nasc", Category::BirthDate),
            ("card_holder", Category::PersonName),
            ("billing_name", Category::PersonName),
            ("bemerkung", Category::FreeText),
        ] {
            assert_eq!(says(name, Context::NONE), Some(category), "{name}");
        }
    }

    #[test]
    fn names_about_a_thing_are_not_the_thing() {
        for name in [
            "email_count",
            "is_email_verified",
            "email_template",
            "phone_type",
            "phone_prefix",
            "ip_allowed",
            "product_name",
            "file_name",
            "table_name",
            "country_code",
            "city_code",
            "quantity",
            "status",
        ] {
            assert_eq!(says(name, table("customers", &["email"])), None, "{name}");
        }
        assert_eq!(read("email_count", Sort::Number, Context::NONE), None);
        assert_eq!(read("is_email", Sort::Boolean, Context::NONE), None);
    }

    #[test]
    fn names_mean_what_their_table_is_about() {
        let person = table("customers", &[]);
        assert_eq!(says("name", person), Some(Category::PersonName));
        assert_eq!(says("name", table("products", &["email"])), None);
        assert_eq!(says("name", table("t", &[])), None);
        assert_eq!(
            says("name", table("t", &["birth_date"])),
            Some(Category::PersonName)
        );
        assert_eq!(says("city", table("departments", &["city"])), None);
        assert_eq!(
            says("city", table("invoice", &["billing_address"])),
            Some(Category::City)
        );
        assert_eq!(
            says("customer_name", table("products", &[])),
            Some(Category::PersonName)
        );
        assert_eq!(says("note", table("firewall_rules", &[])), None);
    }

    #[test]
    fn names_that_may_be_shown_are_of_known_words() {
        assert!(is_plain("phone") && is_plain("homeAddress") && is_plain("first_name"));
        for key in [
            "",
            "ada_lovelace",
            "ada@work.example",
            "phone_of_ada",
            "tel4711",
            "$x",
        ] {
            assert!(!is_plain(key), "{key}");
        }
    }
}
