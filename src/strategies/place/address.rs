//! `address`: a made-up address, or a part of one, in a real city.
//!
//! Columns of one row that name the same `entity` describe one place: its city, postal code, region
//! and country agree. Without it each value gets a place of its own. Cities and postal codes are
//! data of GeoNames (CC BY 4.0), streets are put together from words; see `data/README.md`. With
//! `keep_unique` a made-up word of 80 bits stands behind the street's name (`tail.rs`).

use crate::error::Result;
use crate::strategies::canonical;
use crate::strategies::definition::{
    Apply, Definition, ENTITY, Needs, Parsed, Properties, Row, Seed, Subkeys, Survival, mismatch,
};
use crate::strategies::keyed::Keyed;
use crate::strategies::params::{ParamError, ParamKind, ParamSpec, Reader};
use crate::strategies::pause::paced;
use crate::strategies::{Datum, ValueType, tail};

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
    unique: bool,
}

impl Address {
    fn new(reader: &Reader<'_>) -> Result<Self, ParamError> {
        let address = Self {
            part: reader.word("part", &PARTS)?,
            country: reader.word("country", &COUNTRIES)?,
            keep_case: reader.bool("keep_case", false),
            unique: reader.bool("keep_unique", false),
        };
        if address.unique && !address.part.has_street() {
            let detail =
                "A real place cannot be unique: only \"full\", \"line\" and \"street\" can.";
            return Err(reader.invalid("keep_unique", detail));
        }
        Ok(address)
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
            _ if self.unique => tail::BITS,
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
        let longest = countries.map(|country| country.longest(self.part, chars));
        // It is ASCII: capitals or not, it is as long.
        let behind = if self.unique { tail::LENGTH } else { 0 };
        Some(longest.max()? + behind)
    }

    fn compile(&self, keys: &Subkeys<'_>, seed: Seed, _: ValueType) -> Result<Box<dyn Apply>> {
        let field = |label| Keyed::labeled(label, DEFINITION.version, keys.masking, seed);
        Ok(Box::new(Mask {
            keyed: field(LABEL),
            tail: self.unique.then(|| field("place/tail")),
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
    tail: Option<Keyed>,
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
        let mut behind = String::new();
        if let Some(keyed) = &self.tail {
            tail::push(&mut keyed.stream(from.as_bytes()), &mut behind);
        }
        let mut out = String::with_capacity(64 + behind.len());
        if let Some(country) = country {
            country.write(self.address.part, &mut stream, &behind, &mut out);
        }
        out
    }
}

/// Writes a text in capitals or in lower case if a value is.
fn like(value: &str, text: String) -> String {
    let (mut upper, mut lower) = (false, false);
    for c in paced(value.chars()) {
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
    ParamSpec::new(
        "keep_unique",
        ParamKind::Bool,
        "false",
        "Puts a made-up word of 80 bits behind the street's name, so that two addresses practically \
         never meet; for full, line and street.",
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
mod tests;
