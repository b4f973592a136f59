//! `name`: the name of a person that does not exist.
//!
//! Drawn with the key from dictionaries of real first and family names (`dictionary.rs`), whole or
//! in parts. Columns of one person that name the same entity show parts of the same name
//! (`draw.rs`); a column with `part: first` and one with `part: full` agree. With `keep_unique` a
//! made-up word of 80 bits follows (`tail.rs`). Spellings of one value share a name: white space
//! around it, case and composition do not count, but capitals stay capitals (`keep_case`).

use super::dictionary::{LOCALES, List, Locale, fitting, longest, pick, width};
use super::draw::{self, GENDER, GENDERS, Gender, LOCALE, People, Person, SEX, Sex};
use super::spelling::Shape;
use crate::error::Result;
use crate::strategies::definition::{
    Apply, Definition, ENTITY, Needs, Parsed, Properties, Row, Seed, Subkeys, Survival, mismatch,
};
use crate::strategies::keyed::Keyed;
use crate::strategies::params::{ParamError, ParamKind, ParamSpec, Reader};
use crate::strategies::{Datum, ValueType, tail};

/// `name` in the list of strategies.
///
/// # Examples
///
/// ```
/// use confiture::strategies::{Kind, Params, Seed, Strategy, Subkeys, Value, ValueType};
///
/// let keys = Subkeys::new(&[7; 32], &[8; 32]);
/// let strategy = Strategy::new(Kind::Name, &Params::new())?;
/// let mask = strategy.mask(&keys, Seed::new(1), ValueType::Text)?;
/// let full = mask.text("Ada Lovelace")?;
/// let params = Params::from([("part".to_owned(), Value::from("last"))]);
/// let last = Strategy::new(Kind::Name, &params)?.mask(&keys, Seed::new(1), ValueType::Text)?;
/// assert!(full.ends_with(&*last.text("Ada Lovelace")?));
/// # Ok::<(), confiture::error::Error>(())
/// ```
pub const DEFINITION: Definition = Definition {
    name: "name",
    version: draw::VERSION,
    about: "Name of a person that does not exist, or a part of it",
    accepts: ValueType::TEXT,
    params: PARAMS,
    inputs: &[ENTITY, SEX],
    needs: Needs::Key,
    refuses: false,
    example: "anon_name('Ada Lovelace', part => 'last')",
    sample: "{}",
    parse: |reader| Ok(Box::new(Name::new(reader)?)),
};

/// The parameters of `name`, checked.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Name {
    part: Part,
    locale: Locale,
    gender: Gender,
    keep_case: bool,
    unique: bool,
    max_length: Option<u16>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Part {
    First,
    Full,
    Initials,
    Last,
    Middle,
    Second,
}

impl Part {
    fn has_first(self) -> bool {
        matches!(self, Self::First | Self::Full | Self::Middle)
    }

    fn has_family(self) -> bool {
        matches!(self, Self::Full | Self::Last | Self::Second)
    }

    /// The label of the field that the part, or what is drawn in place of it, comes from.
    fn label(self) -> &'static str {
        match self {
            Self::Middle => "person/middle",
            Self::Second => "person/second",
            _ => "person/again",
        }
    }
}

impl Name {
    fn new(reader: &Reader<'_>) -> Result<Self, ParamError> {
        let max_length = reader.int_if_given("max_length", 1..=255)?;
        let name = Self {
            part: reader.word("part", &PARTS)?,
            locale: reader.word("locale", &LOCALES)?,
            gender: reader.word("gender", &GENDERS)?,
            keep_case: reader.bool("keep_case", true),
            unique: reader.bool("keep_unique", false),
            max_length,
        };
        if name.part == Part::Initials && name.unique {
            return Err(reader.invalid("keep_unique", "Initials cannot be unique."));
        }
        let short = name.short();
        let too_few = match name.part {
            Part::Initials => max_length.is_some_and(|most| most < 2),
            _ => short
                .as_ref()
                .is_some_and(|short| short.fewest(&name) < FEWEST),
        };
        if too_few {
            let behind = if name.unique { tail::LENGTH } else { 0 };
            let detail = format!(
                "It leaves too few names of language \"{}\" to draw from: each part needs {FEWEST} \
                 that fit, beside {behind} characters that make a name unique.",
                name.locale.name()
            );
            return Err(reader.invalid("max_length", detail));
        }
        Ok(name)
    }

    /// The names that fit where not all do.
    fn short(&self) -> Option<Short> {
        let most = usize::from(self.max_length?);
        let limit = most.saturating_sub(if self.unique { tail::LENGTH } else { 0 });
        let first = match self.part {
            // The space between them takes one.
            Part::Full => limit.saturating_sub(1) / 2,
            _ => limit,
        };
        let family = match self.part {
            Part::Full => limit.saturating_sub(1 + first),
            _ => limit,
        };
        let of = |is_shown: bool, list, limit| {
            if is_shown {
                fitting(list, limit)
            } else {
                Vec::new()
            }
        };
        (limit < self.longest()).then(|| Short {
            limit,
            first,
            family,
            female: of(self.part.has_first(), self.locale.female(), first),
            male: of(self.part.has_first(), self.locale.male(), first),
            families: of(self.part.has_family(), self.locale.family(), family),
        })
    }

    /// The most characters of the name itself, whatever `max_length` says.
    fn longest(&self) -> usize {
        let lists = self.gender.lists(self.locale);
        let first = lists.iter().map(|list| longest(list)).max().unwrap_or(0);
        let single = longest(self.locale.family());
        let family = if self.locale.doubles_family() {
            2 * single + 1
        } else {
            single
        };
        match self.part {
            Part::First | Part::Middle => first,
            Part::Full => first + 1 + family,
            Part::Initials => 2,
            Part::Last => family,
            Part::Second => single,
        }
    }

    /// How many bits the choice among names has at least.
    fn bits(&self) -> u32 {
        let short = self.short();
        let count = |sex: Sex| match &short {
            Some(short) => short.firsts(sex).len(),
            None => sex.list(self.locale).len(),
        };
        let first = match self.gender {
            Gender::Any => count(Sex::Female).min(count(Sex::Male)),
            Gender::Only(sex) => count(sex),
        };
        let single = self.locale.family().len();
        let family = match &short {
            Some(short) => short.families.len(),
            None if self.locale.doubles_family() && self.part != Part::Second => single * single,
            None => single,
        };
        match self.part {
            Part::First | Part::Middle => first.ilog2(),
            Part::Full => (first * family).ilog2(),
            Part::Initials => 0,
            Part::Last | Part::Second => family.ilog2(),
        }
    }
}

impl Parsed for Name {
    fn properties(&self, _: ValueType) -> Properties {
        let bits = if self.unique { tail::BITS } else { self.bits() };
        Properties {
            folds_spellings: true,
            collision_bits: Some(bits),
            survival: match self.part {
                Part::Initials => Survival::Unjudged,
                _ => Survival::Bits(bits),
            },
            ..Properties::KEYED
        }
    }

    fn output_limit(&self, _: Option<usize>) -> Option<usize> {
        let longest = self.longest() + if self.unique { tail::LENGTH } else { 0 };
        Some(
            self.max_length
                .map_or(longest, |most| longest.min(most.into())),
        )
    }

    fn compile(&self, keys: &Subkeys<'_>, seed: Seed, _: ValueType) -> Result<Box<dyn Apply>> {
        let field = |label| draw::field(label, keys.masking, seed);
        let short = self.short();
        let is_drawn = matches!(self.part, Part::Middle | Part::Second);
        Ok(Box::new(Mask {
            people: People::new(keys.masking, seed, self.locale, self.gender),
            other: (is_drawn || short.is_some()).then(|| field(self.part.label())),
            tail: self.unique.then(|| field("person/tail")),
            short,
            name: self.clone(),
        }))
    }
}

/// The names that fit into `max_length`.
struct Short {
    /// Characters of the name as a whole.
    limit: usize,
    /// Of a first name, if the whole is too long.
    first: usize,
    /// Of a family name, if the whole is too long.
    family: usize,
    female: Vec<&'static str>,
    male: Vec<&'static str>,
    families: Vec<&'static str>,
}

impl Short {
    fn firsts(&self, sex: Sex) -> &List {
        match sex {
            Sex::Female => &self.female,
            Sex::Male => &self.male,
        }
    }

    /// How many there are of what there are fewest of.
    fn fewest(&self, name: &Name) -> usize {
        let firsts = match name.gender {
            Gender::Any => self.female.len().min(self.male.len()),
            Gender::Only(sex) => self.firsts(sex).len(),
        };
        let first = if name.part.has_first() {
            firsts
        } else {
            usize::MAX
        };
        let family = if name.part.has_family() {
            self.families.len()
        } else {
            usize::MAX
        };
        first.min(family)
    }

    /// Draws anew what is too long.
    fn fit(&self, person: &mut Person, part: Part, again: [u64; 2]) {
        let first = if part.has_first() {
            width(person.first)
        } else {
            0
        };
        let whole = |person: &Person| {
            width(person.family) + person.second.map_or(0, |second| 1 + width(second))
        };
        let family = if part.has_family() { whole(person) } else { 0 };
        let between = usize::from(part == Part::Full);
        if first + between + family <= self.limit {
            return;
        }
        if first > self.first {
            person.first = pick(self.firsts(person.sex), again[0]);
        }
        if family > self.family {
            person.second = None;
        }
        if part.has_family() && width(person.family) > self.family {
            person.family = pick(&self.families, again[1]);
        }
    }
}

/// `name` with its key.
struct Mask {
    name: Name,
    people: People,
    other: Option<Keyed>,
    tail: Option<Keyed>,
    short: Option<Short>,
}

impl Apply for Mask {
    fn apply<'a>(&self, value: Datum<'a>, row: Row<'_>) -> Result<Option<Datum<'a>>> {
        match value {
            Datum::Text(text) => Ok(Some(Datum::text(self.text(&text, row)))),
            _ => Err(mismatch(DEFINITION.name, ValueType::Text)),
        }
    }
}

impl Mask {
    fn text(&self, value: &str, row: Row<'_>) -> String {
        let of = draw::source(value, row);
        let mut person = self.people.draw(&of, row.one(1));
        let part = self.name.part;
        if let Some(other) = &self.other {
            let [_, first, second, third] = draw::words(other, &of);
            let again = match part {
                Part::Middle => {
                    person.first = pick(person.sex.list(self.name.locale), first);
                    [second, third]
                }
                Part::Second => {
                    person.family = pick(self.name.locale.family(), first);
                    person.second = None;
                    [second, third]
                }
                _ => [first, second],
            };
            if let Some(short) = &self.short {
                short.fit(&mut person, part, again);
            }
        }
        let mut out = String::with_capacity(72);
        match part {
            Part::First | Part::Middle => out.push_str(person.first),
            Part::Full => {
                out.push_str(person.first);
                out.push(' ');
                person.push_family(&mut out);
            }
            Part::Initials => {
                out.extend(person.first.chars().take(1));
                out.extend(person.family.chars().take(1));
            }
            Part::Last | Part::Second => person.push_family(&mut out),
        }
        if let Some(keyed) = &self.tail {
            tail::push(&mut keyed.stream(of.as_bytes()), &mut out);
        }
        if self.name.keep_case {
            Shape::of(value).write(out)
        } else {
            out
        }
    }
}

const FEWEST: usize = 64;

const PARAMS: &[ParamSpec] = &[
    ParamSpec::new(
        "part",
        ParamKind::Text,
        "full",
        "full, first, last, middle, second (a second family name) or initials.",
    ),
    LOCALE,
    GENDER,
    ParamSpec::new(
        "keep_case",
        ParamKind::Bool,
        "true",
        "Writes capitals for a value in capitals and small letters for one in small letters.",
    ),
    ParamSpec::new(
        "keep_unique",
        ParamKind::Bool,
        "false",
        "Appends a made-up word of 80 bits, so that two names practically never meet.",
    ),
    ParamSpec::optional(
        "max_length",
        ParamKind::Int,
        "The most characters; names that are too long are drawn again among those that fit.",
    ),
];

const PARTS: [(&str, Part); 6] = [
    ("full", Part::Full),
    ("first", Part::First),
    ("last", Part::Last),
    ("middle", Part::Middle),
    ("second", Part::Second),
    ("initials", Part::Initials),
];

#[cfg(test)]
mod tests;
