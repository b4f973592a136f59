//! A person drawn with the key: sex, first name and family name that belong together.
//!
//! The draw is keyed by the label `person`, not by a strategy, so that all columns of one person
//! show the same one: its name, its handle, its address. The digest over the entity (or, without
//! one, over the canonical value) is four words of 64 bits: sex, first name, family name, second
//! part of the family name. Every other field has a label of its own (`person/middle` and so on),
//! so that a field added later shifts no other.

use std::borrow::Cow;

use super::dictionary::{List, Locale, pick};
use super::spelling::push_ascii;
use crate::strategies::Seed;
use crate::strategies::canonical;
use crate::strategies::definition::{InputSpec, Row};
use crate::strategies::keyed::Keyed;
use crate::strategies::params::{ParamKind, ParamSpec};

/// The version of the draw and of the lists it draws from.
pub(crate) const VERSION: u16 = 1;

/// A column that tells the sex of the person, the second input of all that show a name.
pub(crate) const SEX: InputSpec = InputSpec {
    name: "sex",
    many: false,
    required: false,
    about: "The sex or the form of address, so that first names fit: f, m, w, female, 2, Mr, …",
};

/// The parameter `locale` of everything that draws from a list.
pub(crate) const LOCALE: ParamSpec = ParamSpec::new(
    "locale",
    ParamKind::Text,
    "en",
    "The language of what is drawn: en, de, es, fr or pt.",
);

/// The parameter `gender` of everything that shows a first name.
pub(crate) const GENDER: ParamSpec = ParamSpec::new(
    "gender",
    ParamKind::Text,
    "any",
    "Whose first names are drawn: any, female or male; any follows the input sex.",
);

/// The sex of a person.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Sex {
    Female,
    Male,
}

/// Whose first names are drawn.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Gender {
    Any,
    Only(Sex),
}

/// The words of `gender`; the first is the default.
pub(crate) const GENDERS: [(&str, Gender); 3] = [
    ("any", Gender::Any),
    ("female", Gender::Only(Sex::Female)),
    ("male", Gender::Only(Sex::Male)),
];

impl Gender {
    /// The lists that first names may come from.
    pub(crate) fn lists(self, locale: Locale) -> Vec<&'static List> {
        match self {
            Self::Any => vec![locale.female(), locale.male()],
            Self::Only(sex) => vec![sex.list(locale)],
        }
    }
}

impl Sex {
    /// Its first names.
    pub(crate) fn list(self, locale: Locale) -> &'static List {
        match self {
            Self::Female => locale.female(),
            Self::Male => locale.male(),
        }
    }

    /// Reads what a column says: letters, words, forms of address and the numbers of ISO 5218, in
    /// the languages there are. None for anything else.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let word = canonical::text(text);
        let word = word.trim_end_matches('.');
        if FEMALE.contains(&word) {
            Some(Self::Female)
        } else if MALE.contains(&word) {
            Some(Self::Male)
        } else {
            None
        }
    }
}

/// What a person is drawn from: the entity as it is given, else the value in canonical form.
pub(super) fn source<'a>(value: &'a str, row: Row<'a>) -> Cow<'a, str> {
    row.one(0)
        .map_or_else(|| canonical::text(value), Cow::Borrowed)
}

/// The keyed state of one field of a person.
pub(super) fn field(label: &str, key: &[u8; 32], seed: Seed) -> Keyed {
    Keyed::labeled(label, VERSION, key, seed)
}

/// The four words of a digest.
pub(super) fn words(keyed: &Keyed, of: &str) -> [u64; 4] {
    let digest: [u8; 32] = keyed.digest(of.as_bytes()).first();
    let (eights, _) = digest.as_chunks::<8>();
    std::array::from_fn(|n| eights.get(n).map_or(0, |eight| u64::from_be_bytes(*eight)))
}

/// All persons of one key, seed and language.
pub(crate) struct People {
    keyed: Keyed,
    locale: Locale,
    gender: Gender,
}

impl People {
    /// Prepares the draw.
    pub(crate) fn new(key: &[u8; 32], seed: Seed, locale: Locale, gender: Gender) -> Self {
        Self {
            keyed: field("person", key, seed),
            locale,
            gender,
        }
    }

    /// Draws the person that stands for a text; `sex` is what the row says about it.
    pub(crate) fn draw(&self, of: &str, sex: Option<&str>) -> Person {
        let [sexes, first, family, second] = words(&self.keyed, of);
        let drawn = if sexes >> 63 == 0 {
            Sex::Female
        } else {
            Sex::Male
        };
        let sex = match self.gender {
            Gender::Only(sex) => sex,
            Gender::Any => sex.and_then(Sex::parse).unwrap_or(drawn),
        };
        let list = self.locale.family();
        Person {
            sex,
            first: pick(sex.list(self.locale), first),
            family: pick(list, family),
            second: self.locale.doubles_family().then(|| pick(list, second)),
        }
    }
}

/// A person.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Person {
    /// Its sex.
    pub(crate) sex: Sex,
    /// Its first name.
    pub(crate) first: &'static str,
    /// Its family name, or the first part of it.
    pub(crate) family: &'static str,
    /// The second part of its family name, where the language has one.
    pub(crate) second: Option<&'static str>,
}

impl Person {
    /// Appends the whole family name.
    pub(crate) fn push_family(&self, out: &mut String) {
        out.push_str(self.family);
        if let Some(second) = self.second {
            out.push(' ');
            out.push_str(second);
        }
    }

    /// Appends the whole family name in plain small letters.
    pub(crate) fn push_ascii_family(&self, umlauts: bool, out: &mut String) {
        push_ascii(self.family, umlauts, out);
        if let Some(second) = self.second {
            out.push('-');
            push_ascii(second, umlauts, out);
        }
    }
}

const FEMALE: [&str; 24] = [
    "f", "w", "2", "female", "woman", "girl", "mrs", "ms", "miss", "weiblich", "frau", "femme",
    "féminin", "feminin", "madame", "mme", "femenino", "mujer", "señora", "sra", "feminino",
    "mulher", "senhora", "fem",
];
const MALE: [&str; 24] = [
    "m",
    "h",
    "1",
    "male",
    "man",
    "boy",
    "mr",
    "männlich",
    "maennlich",
    "mann",
    "herr",
    "homme",
    "masculin",
    "monsieur",
    "masculino",
    "hombre",
    "varón",
    "varon",
    "señor",
    "sr",
    "homem",
    "senhor",
    "masc",
    "mister",
];

#[cfg(test)]
mod tests {
    use super::*;
    use crate::strategies::Input;
    use crate::strategies::person::dictionary::LOCALES;

    fn people(locale: Locale, gender: Gender) -> People {
        People::new(&[7; 32], Seed::new(1), locale, gender)
    }

    #[test]
    fn person_is_the_same_whenever_it_is_drawn() {
        for (_, locale) in LOCALES {
            let people = people(locale, Gender::Any);
            assert_eq!(people.draw("17", None), people.draw("17", None));
            assert_ne!(people.draw("17", None), people.draw("18", None));
        }
    }

    #[test]
    fn person_keeps_its_sex_in_every_language() {
        for n in 0..100 {
            let sex = |locale| people(locale, Gender::Any).draw(&n.to_string(), None).sex;
            assert!(
                LOCALES
                    .iter()
                    .all(|(_, locale)| sex(*locale) == sex(Locale::En))
            );
        }
    }

    #[test]
    fn person_has_the_sex_of_the_row_unless_it_is_set() {
        let any = people(Locale::En, Gender::Any);
        for n in 0..50 {
            let of = n.to_string();
            for (word, sex) in [
                (" F ", Sex::Female),
                ("Mr.", Sex::Male),
                ("MÄNNLICH", Sex::Male),
            ] {
                let person = any.draw(&of, Some(word));
                assert_eq!(person.sex, sex);
                assert!(sex.list(Locale::En).contains(&person.first));
            }
            for word in ["", "x", "d", "unknown", "0", "9"] {
                assert_eq!(any.draw(&of, Some(word)), any.draw(&of, None));
            }
            let male = people(Locale::En, Gender::Only(Sex::Male));
            assert_eq!(male.draw(&of, Some("f")).sex, Sex::Male);
        }
    }

    #[test]
    fn person_is_a_woman_in_one_case_of_two() {
        let people = people(Locale::De, Gender::Any);
        let is_female = |n: &i32| people.draw(&n.to_string(), None).sex == Sex::Female;
        let women = (0..10_000).filter(is_female).count();
        assert!(women.abs_diff(5000) < 250, "{women}");
    }

    #[test]
    fn person_is_drawn_from_the_entity_as_it_is() {
        let inputs = [Input::One(" Ada ")];
        assert_eq!(source("Bob", Row(&inputs)), " Ada ");
        assert_eq!(source(" Bob ", Row::NONE), "bob");
    }
}
