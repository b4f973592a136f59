//! `address`: a made-up address, or a part of one, in a real city.
//!
//! Columns of one row that name the same `entity` describe one place: its city, postal code, region
//! and country agree. Without it each value gets a place of its own. Cities and postal codes are
//! data of GeoNames (CC BY 4.0), streets are put together from words; see `data/README.md`.

use crate::error::Result;
use crate::strategies::canonical;
use crate::strategies::definition::{
    Apply, Definition, ENTITY, Needs, Parsed, Properties, Row, Seed, Subkeys, Survival, mismatch,
};
use crate::strategies::keyed::Keyed;
use crate::strategies::params::{ParamError, ParamKind, ParamSpec, Reader};
use crate::strategies::{Datum, ValueType};

use super::cities::{self, Country, Part};

/// `address` in the list of strategies.
///
/// # Examples
///
/// ```
/// use confiture::strategies::{Kind, Params, Seed, Strategy, Subkeys, Value, ValueType};
///
/// let params = Params::from([("country".to_owned(), Value::from("gb"))]);
/// let keys = Subkeys::new(&[7; 32], &[8; 32]);
/// let strategy = Strategy::new(Kind::Address, &params)?;
/// let mask = strategy.mask(&keys, Seed::new(1), ValueType::Text)?;
/// let made = mask.text("10 Downing Street, London")?;
/// // Case and white space around it do not count.
/// assert_eq!(made, mask.text(" 10 DOWNING STREET, LONDON ")?);
/// # Ok::<(), confiture::error::Error>(())
/// ```
pub const DEFINITION: Definition = Definition {
    name: "address",
    version: 1,
    about: "Made-up address, or a part of one, in a real city",
    accepts: ValueType::TEXT,
    params: PARAMS,
    inputs: &[ENTITY],
    needs: Needs::Key,
    refuses: false,
    example: "anon_address('10 Downing Street, London', country => 'gb')",
    sample: "{}",
    parse: |reader| Ok(Box::new(Address::new(reader)?)),
};

/// The parameters of `address`, checked.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Address {
    part: Part,
    /// Its place among the countries; none: any of them.
    country: Option<usize>,
    keep_case: bool,
}

impl Address {
    fn new(reader: &Reader<'_>) -> Result<Self, ParamError> {
        Ok(Self {
            part: reader.word("part", &PARTS)?,
            country: reader.word("country", &COUNTRIES)?,
            keep_case: reader.bool("keep_case", false),
        })
    }

    fn countries(&self) -> &'static [Country] {
        let all = cities::countries();
        self.country
            .and_then(|place| all.get(place..=place))
            .unwrap_or(all)
    }

    fn is_constant(&self) -> bool {
        self.country.is_some() && matches!(self.part, Part::Country | Part::CountryCode)
    }
}

impl Parsed for Address {
    fn properties(&self, _: ValueType) -> Properties {
        let bits = match self.part {
            Part::Full => FULL_BITS,
            Part::Line => LINE_BITS,
            _ => 0,
        };
        let constant = self.is_constant();
        Properties {
            // Without it the spelling of the value changes nothing, with it its case does.
            folds_spellings: true,
            keyed: !constant,
            collision_bits: (!constant).then_some(bits),
            survival: match bits {
                0 if constant && !self.keep_case => Survival::Constant,
                // Real cities and regions stay by chance.
                0 => Survival::Unjudged,
                bits => Survival::Bits(bits),
            },
            ..Properties::KEYED
        }
    }

    fn output_limit(&self, _: Option<usize>) -> Option<usize> {
        let chars: fn(&str) -> usize = if self.keep_case {
            |text| text.chars().flat_map(char::to_uppercase).count()
        } else {
            |text| text.chars().count()
        };
        let countries = self.countries().iter();
        countries
            .map(|country| country.longest(self.part, chars))
            .max()
    }

    fn compile(&self, keys: &Subkeys<'_>, seed: Seed, _: ValueType) -> Result<Box<dyn Apply>> {
        Ok(Box::new(Mask {
            keyed: Keyed::labeled(LABEL, DEFINITION.version, keys.masking, seed),
            countries: self.countries(),
            address: self.clone(),
        }))
    }
}

/// `address` with its key.
struct Mask {
    address: Address,
    countries: &'static [Country],
    keyed: Keyed,
}

impl Apply for Mask {
    fn apply<'a>(&self, value: Datum<'a>, row: Row<'_>) -> Result<Option<Datum<'a>>> {
        let Datum::Text(value) = value else {
            return Err(mismatch(DEFINITION.name, ValueType::Text));
        };
        let masked = match row.one(0) {
            Some(entity) => self.drawn(entity),
            None => self.drawn(&canonical::text(&value)),
        };
        Ok(Some(Datum::text(if self.address.keep_case {
            like(&value, masked)
        } else {
            masked
        })))
    }
}

impl Mask {
    fn drawn(&self, from: &str) -> String {
        let mut stream = self.keyed.stream(from.as_bytes());
        let country = match self.countries {
            [country] => Some(country),
            all => {
                let count = u16::try_from(all.len()).unwrap_or(1).max(1);
                all.get(usize::from(stream.below(count)))
            }
        };
        let mut out = String::with_capacity(64);
        if let Some(country) = country {
            country.write(self.address.part, &mut stream, &mut out);
        }
        out
    }
}

/// Writes a text in capitals or in lower case if a value is.
fn like(value: &str, text: String) -> String {
    let (mut upper, mut lower) = (false, false);
    for c in value.chars() {
        upper |= c.is_uppercase();
        lower |= c.is_lowercase();
    }
    match (upper, lower) {
        (true, false) => text.to_uppercase(),
        (false, true) => text.to_lowercase(),
        _ => text,
    }
}

const PARAMS: &[ParamSpec] = &[
    ParamSpec::new(
        "part",
        ParamKind::Text,
        "full",
        "full, line (street and number), street, city, postcode, region, region_code, country or \
         country_code.",
    ),
    ParamSpec::new(
        "country",
        ParamKind::Text,
        "us",
        "The country of the address: br, de, es, fr, gb, pt, us, or any of them.",
    ),
    ParamSpec::new(
        "keep_case",
        ParamKind::Bool,
        "false",
        "Writes in capitals or in lower case what is given so.",
    ),
];

const PARTS: [(&str, Part); 9] = [
    ("full", Part::Full),
    ("line", Part::Line),
    ("street", Part::Street),
    ("city", Part::City),
    ("postcode", Part::Postcode),
    ("region", Part::Region),
    ("region_code", Part::RegionCode),
    ("country", Part::Country),
    ("country_code", Part::CountryCode),
];

/// By place in [`cities::CODES`]; the first is the default.
const COUNTRIES: [(&str, Option<usize>); 8] = [
    ("us", Some(6)),
    ("br", Some(0)),
    ("de", Some(1)),
    ("es", Some(2)),
    ("fr", Some(3)),
    ("gb", Some(4)),
    ("pt", Some(5)),
    ("any", None),
];

/// What places are drawn under, whatever part of them is wanted.
const LABEL: &str = "place";

/// No address is drawn more often than once in 2^bits.
const FULL_BITS: u32 = 25;
const LINE_BITS: u32 = 16;

#[cfg(test)]
mod tests {
    use super::super::streets;
    use super::*;
    use crate::strategies::params::Value;
    use crate::strategies::{Input, Kind};

    fn address(params: &[(&str, Value)]) -> Result<Address, ParamError> {
        let params = params.iter().map(|(k, v)| ((*k).to_owned(), v.clone()));
        Address::new(&Reader::new(Kind::Address, &params.collect())?)
    }

    fn mask(part: &str, country: &str, keep_case: bool) -> Box<dyn Apply> {
        let address = address(&[
            ("part", Value::from(part)),
            ("country", Value::from(country)),
            ("keep_case", Value::Bool(keep_case)),
        ]);
        let keys = Subkeys::new(&[7; 32], &[8; 32]);
        let address = address.unwrap();
        address
            .compile(&keys, Seed::new(1), ValueType::Text)
            .unwrap()
    }

    fn text(mask: &dyn Apply, value: &str, entity: Option<&str>) -> String {
        let input = entity.map_or(Input::None, Input::One);
        match mask.apply(Datum::text(value), Row(&[input])) {
            Ok(Some(Datum::Text(text))) => text.into_owned(),
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn address_parts_of_one_entity_agree() {
        for country in ["us", "fr", "de", "es", "pt", "gb", "br", "any"] {
            let part =
                |part: &str, entity: &str| text(&*mask(part, country, false), "x", Some(entity));
            for n in 0..50 {
                let entity = n.to_string();
                let full = part("full", &entity);
                for name in ["line", "city", "postcode"] {
                    assert!(full.contains(&part(name, &entity)), "{full}: {name}");
                }
                let (line, street) = (part("line", &entity), part("street", &entity));
                assert!(line.contains(&street), "{line}: {street}");
                let code = part("country_code", &entity);
                let all = cities::countries();
                let drawn = all.iter().find(|country| country.code == code).unwrap();
                assert_eq!(part("country", &entity), drawn.name);
                let city = part("city", &entity);
                let region = (part("region_code", &entity), part("region", &entity));
                assert!(
                    drawn.cities.iter().any(|of| of.name == city
                        && (of.region.0, of.region.1) == (&*region.0, &*region.1))
                );
            }
        }
    }

    #[test]
    fn address_is_drawn_from_the_entity_alone() {
        let mask = mask("full", "us", false);
        assert_eq!(text(&*mask, "a", Some("1")), text(&*mask, "b", Some("1")));
        assert_ne!(text(&*mask, "a", Some("1")), text(&*mask, "a", Some(" 1")));
        assert_ne!(text(&*mask, "a", None), text(&*mask, "b", None));
    }

    #[test]
    fn address_unites_spellings_and_masks_the_empty_text() {
        let mask = mask("full", "fr", false);
        assert_eq!(text(&*mask, " PARIS", None), text(&*mask, "paris", None));
        assert_eq!(text(&*mask, "", None), text(&*mask, "  ", None));
        assert!(text(&*mask, "", None).len() > 10);
    }

    #[test]
    fn address_keeps_case_only_when_asked() {
        let plain = text(&*mask("full", "de", false), "KÖLN", None);
        let mask = mask("full", "de", true);
        assert_eq!(text(&*mask, "KÖLN", None), plain.to_uppercase());
        assert_eq!(text(&*mask, "köln", None), plain.to_lowercase());
        assert_eq!(text(&*mask, "Köln", None), plain);
        assert_eq!(text(&*mask, "123", None), text(&*mask, "123", None));
    }

    #[test]
    fn address_countries_are_in_place() {
        for (name, place) in COUNTRIES {
            if let Some(place) = place {
                assert_eq!(cities::CODES[place], name);
            }
        }
    }

    #[test]
    fn address_postal_codes_have_the_shape_of_the_country() {
        let shapes = [
            ("us", "99999"),
            ("fr", "99999"),
            ("de", "99999"),
            ("es", "99999"),
            ("pt", "9999-999"),
            ("br", "99999-999"),
        ];
        for (country, shape) in shapes {
            let mask = mask("postcode", country, false);
            for n in 0..500 {
                let code = text(&*mask, &n.to_string(), None);
                let digits = |c: char| if c.is_ascii_digit() { '9' } else { c };
                assert_eq!(code.chars().map(digits).collect::<String>(), shape);
            }
        }
        let mask = mask("postcode", "gb", false);
        for n in 0..500 {
            let code = text(&*mask, &n.to_string(), None);
            let (out, inward) = code.split_once(' ').unwrap();
            assert!((2..=4).contains(&out.len()), "{code}");
            assert!(out.starts_with(|c: char| c.is_ascii_uppercase()));
            let inward = inward.as_bytes();
            assert!(inward[0].is_ascii_digit() && inward.len() == 3);
            assert!(inward[1..].iter().all(|c| !b"CIKMOV".contains(c)));
        }
    }

    #[test]
    fn address_refuses_words_it_does_not_know() {
        let refused = address(&[("part", Value::from("town"))]).unwrap_err();
        assert_eq!(refused.param, "part");
        let refused = address(&[("country", Value::from("uk"))]).unwrap_err();
        assert_eq!(refused.param, "country");
    }

    #[test]
    fn address_bits_are_below_what_is_drawn() {
        for country in cities::countries() {
            let line = country.line_bits();
            assert!(line >= f64::from(LINE_BITS), "{}: {line}", country.code);
            assert!(line + 400f64.log2() >= f64::from(FULL_BITS));
        }
    }

    /// Whoever changes a file raises the version: other data are other pseudonyms.
    #[test]
    fn address_data_is_what_the_version_says() {
        use sha2::{Digest, Sha256};
        assert_eq!(DEFINITION.version, 1);
        let texts = cities::CODES.iter().zip(cities::TEXTS);
        let texts = texts.chain([(&"streets", streets::TEXT)]);
        for ((name, text), (pinned, hash)) in texts.zip(HASHES) {
            assert_eq!(*name, pinned);
            let found = hex::encode(Sha256::digest(text.as_bytes()));
            assert_eq!(found, hash, "{name}");
        }
    }

    const HASHES: [(&str, &str); 8] = [
        (
            "br",
            "3daea3f2cc6c283c095b88aeb1e69009310e17a061764db8d90ac818cb29eab7",
        ),
        (
            "de",
            "63169769e6f25e0bd4fae193e9afefa894591ed05eb0b335cb6008023b0f0fd0",
        ),
        (
            "es",
            "7a03816da80aa172d8aa078a034e8a49814849089ed4d9956b5c084a5a40040d",
        ),
        (
            "fr",
            "0916e3151cd758868113858f1cfbe72a3b694c7b2ff0523c96f4461368659669",
        ),
        (
            "gb",
            "e699874c8bc84b2534eb888382d19734f7825c6b3f615f9b029f99ffae0817e3",
        ),
        (
            "pt",
            "083940ba845878b3f646fbd009aa8f7d2995d0617bcf939c5f2b490428a71d8c",
        ),
        (
            "us",
            "b3783e8c0fe48e139586304e661d4d1a5e020c74e08305efb8ae0c2bf86fa546",
        ),
        (
            "streets",
            "c33c51180cfcb44738c018ea2b3e9510a8fbc178b39eef6460017f0a4b97b9c2",
        ),
    ];
}
