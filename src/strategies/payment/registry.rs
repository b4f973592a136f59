//! The countries of the IBAN registry: how long their numbers are and which characters stand where.

use std::sync::LazyLock;

use super::national::Rule;

/// What may stand in one place.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Class {
    /// A capital letter.
    Letter,
    /// A digit.
    Digit,
    /// Either.
    Either,
}

impl Class {
    /// Whether a character may stand there.
    pub(super) fn holds(self, character: u8) -> bool {
        match self {
            Self::Letter => character.is_ascii_uppercase(),
            Self::Digit => character.is_ascii_digit(),
            Self::Either => character.is_ascii_uppercase() || character.is_ascii_digit(),
        }
    }
}

/// One country.
#[derive(Debug)]
pub(super) struct Country {
    /// Its code.
    pub(super) code: &'static str,
    /// What stands after the check digits.
    pub(super) places: Vec<Class>,
    /// How its own check digits are made.
    pub(super) rule: Option<Rule>,
}

impl Country {
    /// Whether a place holds a check digit of the country's own.
    pub(super) fn is_check(&self, place: usize) -> bool {
        self.rule
            .is_some_and(|rule| rule.places(self.places.len()).contains(&place))
    }

    /// The bits that are drawn, where a place for either holds a digit.
    pub(super) fn bits(&self) -> f64 {
        let drawn = self.places.iter().enumerate();
        let bits = drawn.map(|(place, class)| match class {
            _ if self.is_check(place) => 0.0,
            Class::Letter => 26f64.log2(),
            Class::Digit | Class::Either => 10f64.log2(),
        });
        bits.sum()
    }
}

/// The source.
pub(super) const TEXT: &str = include_str!("data/iban.txt");

static COUNTRIES: LazyLock<Vec<Country>> = LazyLock::new(|| {
    let lines = TEXT.lines().filter(|line| !line.starts_with('#'));
    lines.filter_map(read).collect()
});

/// The countries, by code.
pub(super) fn countries() -> &'static [Country] {
    &COUNTRIES
}

/// Finds a country by its code.
pub(super) fn country(code: &str) -> Option<&'static Country> {
    let place = COUNTRIES.binary_search_by(|country| country.code.cmp(code));
    place.ok().and_then(|place| COUNTRIES.get(place))
}

fn read(line: &'static str) -> Option<Country> {
    let mut fields = line.split(' ');
    let (code, structure) = (fields.next()?, fields.next()?);
    let (mut places, mut count) = (Vec::new(), 0);
    for c in structure.bytes() {
        let class = match c {
            b'0'..=b'9' => {
                count = count * 10 + usize::from(c - b'0');
                continue;
            }
            b'a' => Class::Letter,
            b'n' => Class::Digit,
            b'c' => Class::Either,
            _ => return None,
        };
        places.extend(std::iter::repeat_n(class, count));
        count = 0;
    }
    Some(Country {
        code,
        places,
        rule: fields.next().and_then(Rule::parse),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_line_of_the_registry_is_read() {
        let lines: Vec<_> = TEXT.lines().filter(|line| !line.starts_with('#')).collect();
        assert_eq!(lines.len(), countries().len());
        assert!(countries().is_sorted_by_key(|country| country.code));
        for (line, of) in lines.iter().zip(countries()) {
            assert_eq!(line.split(' ').count() == 3, of.rule.is_some(), "{line}");
            assert!((11..=30).contains(&of.places.len()), "{line}");
            assert_eq!(country(of.code).map(|found| found.code), Some(of.code));
        }
        assert!(country("XX").is_none());
    }
}
