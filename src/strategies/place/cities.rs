//! The countries, with their cities and the way an address is written.
//!
//! Data: GeoNames (CC BY 4.0), see `data/README.md`. Read once in a process. What is drawn, in this
//! order: the city, one of its postal codes, the digits it leaves open, the street, the number.

use std::sync::LazyLock;

use super::streets::Streets;
use crate::strategies::keyed::Stream;

/// The countries, by code.
pub(super) const CODES: [&str; 7] = ["br", "de", "es", "fr", "gb", "pt", "us"];

/// The files of the cities, in the order of the codes.
pub(super) const TEXTS: [&str; 7] = [
    include_str!("data/br.txt"),
    include_str!("data/de.txt"),
    include_str!("data/es.txt"),
    include_str!("data/fr.txt"),
    include_str!("data/gb.txt"),
    include_str!("data/pt.txt"),
    include_str!("data/us.txt"),
];

static COUNTRIES: LazyLock<Vec<Country>> = LazyLock::new(|| {
    let countries = CODES.iter().zip(TEXTS).zip(STYLES);
    countries
        .map(|((code, text), style)| Country::read(code, text, style))
        .collect()
});

/// The countries, in the order of their codes.
pub(super) fn countries() -> &'static [Country] {
    &COUNTRIES
}

/// One country.
#[derive(Debug)]
pub(super) struct Country {
    /// Its name in English.
    pub(super) name: &'static str,
    /// Its code, ISO 3166-1.
    pub(super) code: &'static str,
    /// Its cities, the largest first.
    pub(super) cities: Vec<City>,
    streets: Streets,
    style: Style,
}

/// One city.
#[derive(Debug)]
pub(super) struct City {
    /// Its name in the language of the country.
    pub(super) name: &'static str,
    /// The code of its region and its name.
    pub(super) region: (&'static str, &'static str),
    codes: Vec<&'static str>,
}

/// How an address is written.
#[derive(Clone, Copy, Debug)]
struct Style {
    name: &'static str,
    code: &'static str,
    numbers: (u16, u16),
    /// With `{n}` and `{s}` for number and street.
    line: &'static str,
    /// With `{l}`, `{c}`, `{p}` and `{r}` for line, city, postal code and code of the region.
    full: &'static str,
}

const STYLES: [Style; 7] = [
    Style {
        name: "Brazil",
        code: "BR",
        numbers: (10, 3900),
        line: "{s}, {n}",
        full: "{l}, {c} - {r}, {p}",
    },
    Style {
        name: "Germany",
        code: "DE",
        numbers: (1, 160),
        line: "{s} {n}",
        full: "{l}, {p} {c}",
    },
    Style {
        name: "Spain",
        code: "ES",
        numbers: (1, 220),
        line: "{s}, {n}",
        full: "{l}, {p} {c}",
    },
    Style {
        name: "France",
        code: "FR",
        numbers: (1, 190),
        line: "{n} {s}",
        full: "{l}, {p} {c}",
    },
    Style {
        name: "United Kingdom",
        code: "GB",
        numbers: (1, 240),
        line: "{n} {s}",
        full: "{l}, {c}, {p}",
    },
    Style {
        name: "Portugal",
        code: "PT",
        numbers: (1, 320),
        line: "{s}, {n}",
        full: "{l}, {p} {c}",
    },
    Style {
        name: "United States",
        code: "US",
        numbers: (100, 9999),
        line: "{n} {s}",
        full: "{l}, {c}, {r} {p}",
    },
];

/// A part of an address.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Part {
    Full,
    Line,
    Street,
    City,
    Postcode,
    Region,
    RegionCode,
    Country,
    CountryCode,
}

impl Part {
    /// Whether the name of a street is in it.
    pub(super) fn has_street(self) -> bool {
        matches!(self, Self::Full | Self::Line | Self::Street)
    }
}

impl Country {
    fn read(code: &str, text: &'static str, style: Style) -> Self {
        let mut regions = Vec::new();
        let mut cities = Vec::new();
        for line in text.lines().filter(|line| !line.starts_with('#')) {
            if let Some(region) = line.strip_prefix('=') {
                regions.extend(region.split_once('|'));
                continue;
            }
            let mut fields = line.split('|');
            if let (Some(name), Some(region), Some(codes)) =
                (fields.next(), fields.next(), fields.next())
                && let Some(region) = regions.iter().find(|(code, _)| *code == region)
            {
                cities.push(City {
                    name,
                    region: *region,
                    codes: codes.split(',').collect(),
                });
            }
        }
        Self {
            name: style.name,
            code: style.code,
            cities,
            streets: Streets::read(code),
            style,
        }
    }

    /// Draws a place and appends a part of its address. `tail` stands behind the street's name.
    pub(super) fn write(&self, part: Part, stream: &mut Stream<'_>, tail: &str, out: &mut String) {
        match part {
            Part::Country => return out.push_str(self.name),
            Part::CountryCode => return out.push_str(self.code),
            _ => {}
        }
        let city = usize::try_from(stream.below_u64(self.cities.len().max(1) as u64));
        let Some(city) = city.ok().and_then(|city| self.cities.get(city)) else {
            return;
        };
        match part {
            Part::City => return out.push_str(city.name),
            Part::Region => return out.push_str(city.region.1),
            Part::RegionCode => return out.push_str(city.region.0),
            _ => {}
        }
        let mut postcode = String::new();
        city.write_postcode(stream, &mut postcode);
        match part {
            Part::Postcode => out.push_str(&postcode),
            Part::Street => {
                self.streets.write(stream, out);
                out.push_str(tail);
            }
            Part::Line => self.write_line(stream, tail, out),
            _ => fill(self.style.full, out, |name, out| match name {
                "l" => self.write_line(stream, tail, out),
                "c" => out.push_str(city.name),
                "p" => out.push_str(&postcode),
                _ => out.push_str(city.region.0),
            }),
        }
    }

    /// The street is drawn before the number, wherever it is written.
    fn write_line(&self, stream: &mut Stream<'_>, tail: &str, out: &mut String) {
        let mut street = String::new();
        self.streets.write(stream, &mut street);
        let (least, most) = self.style.numbers;
        let number = u64::from(least) + stream.below_u64(u64::from(most - least) + 1);
        fill(self.style.line, out, |name, out| match name {
            "n" => out.push_str(&number.to_string()),
            _ => {
                out.push_str(&street);
                out.push_str(tail);
            }
        });
    }

    /// The most characters of a part, by a measure of texts.
    pub(super) fn longest(&self, part: Part, chars: impl Fn(&str) -> usize + Copy) -> usize {
        let city = |of: fn(&City) -> &str| {
            let cities = self.cities.iter();
            cities.map(|city| chars(of(city))).max().unwrap_or(0)
        };
        // Four digits, and what stands between the parts.
        let line = self.streets.longest(chars) + 4 + chars(self.style.line);
        let codes = self.cities.iter().flat_map(|city| &city.codes);
        let postcode = codes.map(|code| chars(code)).max().unwrap_or(0);
        match part {
            Part::Country => chars(self.name),
            Part::CountryCode => chars(self.code),
            Part::City => city(|city| city.name),
            Part::Region => city(|city| city.region.1),
            Part::RegionCode => city(|city| city.region.0),
            Part::Postcode => postcode,
            Part::Street => self.streets.longest(chars),
            Part::Line => line,
            Part::Full => {
                let parts = city(|city| city.name) + city(|city| city.region.0) + postcode;
                line + parts + chars(self.style.full)
            }
        }
    }

    /// The likeliest street and number comes once in 2^bits.
    #[cfg(test)]
    pub(super) fn line_bits(&self) -> f64 {
        let (least, most) = self.style.numbers;
        let streets = self.streets.all();
        let likeliest = streets.values().copied().fold(0.0, f64::max);
        f64::from(most - least + 1).log2() - likeliest.log2()
    }
}

impl City {
    fn write_postcode(&self, stream: &mut Stream<'_>, out: &mut String) {
        let count = u16::try_from(self.codes.len()).unwrap_or(1).clamp(1, 256);
        let pattern = self.codes.get(usize::from(stream.below(count)));
        for c in pattern.copied().unwrap_or("").chars() {
            out.push(match c {
                '#' => char::from(b'0' + stream.below(10)),
                '@' => char::from(LETTERS[usize::from(stream.below(20)) % LETTERS.len()]),
                _ => c,
            });
        }
    }
}

/// The letters of the second half of a British postcode.
const LETTERS: &[u8; 20] = b"ABDEFGHJLNPQRSTUWXYZ";

/// Appends a template, with what `write` appends in place of each name in braces.
fn fill(template: &str, out: &mut String, mut write: impl FnMut(&str, &mut String)) {
    let mut rest = template;
    while let Some((before, after)) = rest.split_once('{') {
        let (name, after) = after.split_once('}').unwrap_or((after, ""));
        out.push_str(before);
        write(name, out);
        rest = after;
    }
    out.push_str(rest);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_country_has_400_cities_in_a_region() {
        for (country, text) in countries().iter().zip(TEXTS) {
            let lines = text.lines().filter(|line| !line.starts_with(['#', '=']));
            assert_eq!(country.cities.len(), lines.count(), "{}", country.code);
            assert_eq!(country.cities.len(), 400);
            assert!(country.cities.iter().all(|city| !city.codes.is_empty()));
        }
    }

    #[test]
    fn styles_stand_in_the_order_of_the_codes() {
        assert!(CODES.is_sorted());
        for (code, country) in CODES.iter().zip(countries()) {
            assert_eq!(code.to_ascii_uppercase(), country.code);
            assert!(country.style.numbers.0 < country.style.numbers.1);
        }
    }

    #[test]
    fn templates_are_filled_to_the_end() {
        let mut out = String::new();
        fill("a{x}b{y}c", &mut out, |name, out| {
            out.push_str(&name.repeat(2));
        });
        assert_eq!(out, "axxbyyc");
    }
}
