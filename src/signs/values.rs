//! What the values of a column say. They are tallied as they go by; none is kept.

use std::collections::HashSet;
use std::hash::{DefaultHasher, Hash, Hasher};

use crate::strategies::person::known::{self as person, Known};
use crate::strategies::place::known as place;
use crate::strategies::prose::recognize::{Form, Recognized, recognize};

use super::document::Documents;
use super::{Category, Sort};

/// What was counted of the values of a column.
#[derive(Clone, Debug, Default)]
pub struct Tally {
    /// Values that were looked at.
    seen: u32,
    /// Those that are nothing but this.
    all: [u32; Form::ALL.len()],
    /// Those that have this among other words.
    within: [u32; Form::ALL.len()],
    /// Those that hold an "@".
    at_signs: u32,
    /// Those with six digits or more.
    numbers: u32,
    /// First and family name.
    full_names: u32,
    first_names: u32,
    family_names: u32,
    cities: u32,
    /// How many different ones of these there are, as digests that no seed makes secret and nobody
    /// is shown; a column of one or two words is a category.
    different: HashSet<u64>,
    /// A number and a word that streets are called by.
    streets: u32,
    /// Five words or more.
    prose: u32,
    /// What was counted of documents.
    documents: Documents,
}

/// What the values of a column say.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Said {
    /// Of what they are.
    pub category: Category,
    /// How surely, from 0 to 1.
    pub confidence: f64,
    /// The share of the values that say so.
    pub share: f64,
}

impl Tally {
    /// Looks at a value: of a document, its text; of an array, one element.
    pub fn add(&mut self, sort: Sort, value: &str) {
        if value.trim().is_empty() {
            return;
        }
        self.seen = self.seen.saturating_add(1);
        if sort == Sort::Json {
            self.documents.add(value);
            return;
        }
        match recognize(value) {
            Recognized::All(form) => self.all[place_of(form)] += 1,
            Recognized::Within(form) => self.within[place_of(form)] += 1,
            Recognized::Nothing => {}
        }
        self.at_signs += u32::from(value.contains('@'));
        let digits = value.bytes().filter(u8::is_ascii_digit).count();
        self.numbers += u32::from(digits >= 6);
        let named = person::look_up(value);
        match named {
            Some(Known::Full) => self.full_names += 1,
            Some(Known::First) => self.first_names += 1,
            Some(Known::Family) => self.family_names += 1,
            None => {}
        }
        let is_city = place::is_city(value);
        self.cities += u32::from(is_city);
        if (is_city || named.is_some()) && self.different.len() < MANY {
            let mut digest = DefaultHasher::new();
            value.trim().to_lowercase().hash(&mut digest);
            self.different.insert(digest.finish());
        }
        self.streets += u32::from(is_street(value));
        self.prose += u32::from(value.split_whitespace().nth(4).is_some());
    }

    /// How many values were looked at.
    pub fn seen(&self) -> u32 {
        self.seen
    }

    /// What was counted of documents.
    pub fn documents(&self) -> &Documents {
        &self.documents
    }

    /// What the values say by themselves. Too few say nothing.
    pub fn said(&self) -> Option<Said> {
        let whole = Form::ALL.into_iter().filter_map(|form| {
            let (category, sure) = match form {
                Form::Email => (Category::Email, 0.97),
                Form::Iban => (Category::Iban, 0.97),
                Form::Card => (Category::CreditCard, 0.93),
                Form::NationalId => (Category::NationalId, 0.9),
                Form::Ip => (Category::Ip, 0.85),
                Form::Phone => (Category::Phone, 0.8),
                Form::Url => return None,
            };
            // What has a check digit or an "@" is what it is, even alone.
            let fewest = match form {
                Form::Ip | Form::Phone => FEWEST,
                _ => 1,
            };
            let count = self.all[place_of(form)];
            (self.seen >= fewest).then_some((category, sure, count, 0.6))
        });
        let names = self.full_names + self.first_names;
        // Single words that are family names are everything else as well: colors, trades, places.
        let others = [
            (Category::PersonName, 0.8, self.full_names, 0.4, SOME),
            (Category::Address, 0.75, self.streets, 0.6, 0),
            (Category::GivenName, 0.45, names, 0.8, MANY),
            (Category::City, 0.4, self.cities, 0.8, MANY),
        ];
        let others = others
            .into_iter()
            .filter_map(|(category, sure, count, least, different)| {
                let is_said = self.seen >= FEWEST && self.different.len() >= different;
                is_said.then_some((category, sure, count, least))
            });
        let said = |(category, confidence, count, least): (_, _, u32, f64)| {
            let share = self.share(count);
            (share >= least).then_some(Said {
                category,
                confidence,
                share,
            })
        };
        whole
            .filter_map(said)
            .chain(self.running_text())
            .chain(others.filter_map(said))
            .max_by(|one, other| one.confidence.total_cmp(&other.confidence))
    }

    /// Text that people write, with what leads to a person in it.
    fn running_text(&self) -> Option<Said> {
        let personal = |form: &Form| *form != Form::Url;
        let within = Form::ALL.iter().filter(|form| personal(form));
        let within: u32 = within.map(|form| self.within[place_of(*form)]).sum();
        let whole = Form::ALL.iter().filter(|form| personal(form));
        let whole: u32 = whole.map(|form| self.all[place_of(*form)]).sum();
        let share = self.share(within + whole);
        let is_prose = self.share(self.prose) >= 0.3;
        (self.seen >= FEWEST && within >= 2 && share >= if is_prose { 0.02 } else { 0.2 })
            .then_some(Said {
                category: Category::FreeText,
                confidence: 0.78,
                share,
            })
    }

    /// Whether enough values were seen, and next to none could be of that category.
    pub fn deny(&self, category: Category) -> bool {
        let least = match category {
            Category::Email => self.at_signs,
            Category::Phone | Category::CreditCard | Category::Iban => self.numbers,
            Category::Ip => self.all[place_of(Form::Ip)] + self.within[place_of(Form::Ip)],
            _ => return false,
        };
        self.seen >= ENOUGH && self.share(least) < 0.05
    }

    /// Whether values bear out what a name says, although they could not say it alone.
    pub fn support(&self, category: Category) -> f64 {
        let count = match category {
            Category::GivenName => self.first_names + self.full_names,
            Category::FamilyName => self.family_names + self.first_names + self.full_names,
            Category::PersonName => self.full_names + self.first_names + self.family_names,
            Category::City => self.cities,
            Category::Address => self.streets,
            Category::FreeText => self.prose,
            _ => 0,
        };
        if self.seen < FEWEST {
            0.0
        } else {
            self.share(count)
        }
    }

    fn share(&self, count: u32) -> f64 {
        f64::from(count) / f64::from(self.seen.max(1))
    }
}

fn place_of(form: Form) -> usize {
    Form::ALL
        .iter()
        .position(|other| *other == form)
        .unwrap_or(0)
}

/// A number, and a word that streets are called by in front, at the end, or as the end of a word.
fn is_street(value: &str) -> bool {
    if value.len() > LONGEST_STREET || !value.bytes().any(|byte| byte.is_ascii_digit()) {
        return false;
    }
    let value = value.to_lowercase();
    let mut words = value
        .split(|c: char| !c.is_alphabetic())
        .filter(|word| !word.is_empty());
    words.any(|word| {
        STREETS.contains(&word)
            || STREET_ENDS
                .iter()
                .any(|end| word.len() > end.len() && word.ends_with(end))
    })
}

const STREETS: [&str; 41] = [
    "street",
    "st",
    "road",
    "rd",
    "avenue",
    "ave",
    "av",
    "lane",
    "ln",
    "drive",
    "dr",
    "boulevard",
    "blvd",
    "bd",
    "court",
    "ct",
    "square",
    "terrace",
    "highway",
    "parkway",
    "way",
    "rue",
    "impasse",
    "allée",
    "chemin",
    "quai",
    "calle",
    "avenida",
    "paseo",
    "plaza",
    "carrera",
    "rua",
    "travessa",
    "praça",
    "alameda",
    "straße",
    "strasse",
    "str",
    "weg",
    "platz",
    "place",
];
const STREET_ENDS: [&str; 7] = [
    "straße", "strasse", "weg", "platz", "allee", "gasse", "ring",
];

/// Fewer values say nothing by themselves.
const FEWEST: u32 = 3;
/// As many must be seen before what none of them is counts against a name.
const ENOUGH: u32 = 20;
/// So many different names are no category.
const SOME: usize = 3;
/// So many different words that are names as well.
const MANY: usize = 8;
const LONGEST_STREET: usize = 120;

#[cfg(test)]
mod tests {
    use super::*;

    fn said(values: &[&str]) -> Option<Category> {
        let mut tally = Tally::default();
        for value in values {
            tally.add(Sort::Text, value);
        }
        tally.said().map(|said| said.category)
    }

    #[test]
    fn values_say_what_they_are() {
        for (values, category) in [
            (
                ["ada@work.example", "b@b.example", "", "c@c.example"],
                Category::Email,
            ),
            (
                [
                    "4111111111111111",
                    "5555555555554444",
                    "x",
                    "378282246310005",
                ],
                Category::CreditCard,
            ),
            (
                [
                    "GB82WEST12345698765432",
                    "DE89370400440532013000",
                    "y",
                    "FR1420041010050500013M02606",
                ],
                Category::Iban,
            ),
            (
                [
                    "+44 20 7946 0958",
                    "+49 30 90182012",
                    "-",
                    "+33 1 42 68 53 00",
                ],
                Category::Phone,
            ),
            (
                ["198.51.100.7", "203.0.113.9", "?", "2001:db8::1"],
                Category::Ip,
            ),
            (
                ["Emma Wilson", "Hugo Moreau", "?", "Lucía García"],
                Category::PersonName,
            ),
            (
                ["12 rue des Lilas", "Gartenweg 3", "?", "7 Elm Street"],
                Category::Address,
            ),
            (
                [
                    "Please call me at +44 20 7946 0958.",
                    "My mail is ada@work.example now.",
                    "All is well here, thank you.",
                    "Thanks for the very nice jam.",
                ],
                Category::FreeText,
            ),
        ] {
            assert_eq!(said(&values), Some(category));
        }
        assert_eq!(said(&["ada@work.example"]), Some(Category::Email));
        assert_eq!(said(&["rose", "red", "rose", "Violet", "Rose"]), None);
        for values in [
            ["new", "paid", "shipped", "open"],
            ["SKU-1", "SKU-2", "SKU-3", "SKU-4"],
            ["Screws of steel", "Nails", "A box of nuts", "Bolts"],
            [
                "8412345678001",
                "8412345678002",
                "8412345678003",
                "8412345678004",
            ],
        ] {
            assert_eq!(said(&values), None, "{values:?}");
        }
    }

    #[test]
    fn values_deny_what_none_of_them_can_be() {
        let mut tally = Tally::default();
        for i in 0..ENOUGH {
            tally.add(Sort::Text, &format!("v{i}"));
        }
        assert!(tally.deny(Category::Email) && tally.deny(Category::Phone));
        assert!(!tally.deny(Category::PersonName));
        tally.add(Sort::Text, "a@b.example");
        tally.add(Sort::Text, "c@b.example");
        assert!(!tally.deny(Category::Email));
    }
}
