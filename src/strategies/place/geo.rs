//! `geo`: a coordinate coarsened to the middle of a grid cell, or moved by a keyed distance.
//!
//! The grid has bands of equal latitude, and in each band cells of equal longitude, as many as fit
//! at the band's middle: cells are at least `cell_km` high and wide, at the equator as near the
//! poles. It is a rounding and needs no key. The jitter moves a point by a distance within
//! `radius_km`, uniformly over the disk, along a great circle. The Earth is a sphere of 6371 km.
//! Sines and cosines are those of the platform; what is given has at most six digits.

use std::borrow::Cow;
use std::f64::consts::PI;

use crate::error::Result;
use crate::strategies::definition::{
    Apply, Definition, ENTITY, InputSpec, Needs, Parsed, Properties, Row, Seed, Subkeys, Survival,
    mismatch, outside,
};
use crate::strategies::keyed::Keyed;
use crate::strategies::params::{ParamError, ParamKind, ParamSpec, Reader};
use crate::strategies::{Datum, Kind, ValueType};

use super::sphere::{self, RADIUS_KM, Step};

/// `geo` in the list of strategies.
///
/// # Examples
///
/// ```
/// use confiture::strategies::{
///     Datum, Kind, Params, Row, Seed, Strategy, Subkeys, Value, ValueType,
/// };
///
/// let params = Params::from([
///     ("part".to_owned(), Value::from("latitude")),
///     ("cell_km".to_owned(), Value::Int(50)),
/// ]);
/// let keys = Subkeys::new(&[7; 32], &[8; 32]);
/// let strategy = Strategy::new(Kind::Geo, &params)?;
/// let mask = strategy.mask(&keys, Seed::new(1), ValueType::Float64)?;
/// let Some(Datum::Float(made)) = mask.apply(Datum::Float(48.8584), Row::NONE)? else {
///     panic!("no latitude");
/// };
/// // A degree has about 111 kilometers.
/// assert!((made - 48.8584).abs() <= 25.0 / 111.0);
/// # Ok::<(), confiture::error::Error>(())
/// ```
pub const DEFINITION: Definition = Definition {
    name: "geo",
    version: 1,
    about: "Coordinate in the middle of a grid cell, or moved within a radius",
    accepts: &[ValueType::Float32, ValueType::Float64, ValueType::Numeric],
    params: PARAMS,
    inputs: &[
        InputSpec {
            name: "latitude",
            many: false,
            required: false,
            about: "The latitude of the same point, for a longitude.",
        },
        InputSpec {
            name: "longitude",
            many: false,
            required: false,
            about: "The longitude of the same point, for a latitude that is moved.",
        },
        ENTITY,
    ],
    needs: Needs::Key,
    refuses: true,
    example: "anon_geo(48.8584, part => 'latitude')",
    sample: r#"{"part": "latitude"}"#,
    parse: |reader| Ok(Box::new(Geo::new(reader)?)),
};

/// The parameters of `geo`, checked.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Geo {
    part: Part,
    method: Method,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Part {
    Latitude,
    Longitude,
}

/// The method with its length in kilometers.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Method {
    Grid(f64),
    Jitter(f64),
}

impl Geo {
    fn new(reader: &Reader<'_>) -> Result<Self, ParamError> {
        let is_grid = reader.word("method", &METHODS)?;
        let (ours, other) = if is_grid {
            ("cell_km", "radius_km")
        } else {
            ("radius_km", "cell_km")
        };
        if reader.is_given(other) {
            let method = if is_grid { "jitter" } else { "grid" };
            return Err(reader.invalid(other, format!("It belongs to the method {method}.")));
        }
        let km = reader.number(ours)?.unwrap_or(10.0);
        reader.note(ours, km);
        if !KILOMETERS.contains(&km) {
            return Err(reader.invalid(ours, "It must be between 0.01 and 2000."));
        }
        let method = if is_grid {
            Method::Grid
        } else {
            Method::Jitter
        };
        Ok(Self {
            part: reader.word("part", &PARTS)?,
            method: method(km),
        })
    }
}

impl Parsed for Geo {
    fn properties(&self, of: ValueType) -> Properties {
        Properties {
            keyed: matches!(self.method, Method::Jitter(_)),
            keeps_format: true,
            folds_spellings: true,
            follows_scale: of == ValueType::Numeric,
            survival: Survival::Unjudged,
            ..Properties::KEYED
        }
    }

    fn output_limit(&self, _: Option<usize>) -> Option<usize> {
        None
    }

    fn lacks(&self, given: &dyn Fn(&str) -> bool) -> Option<&'static str> {
        match (self.method, self.part) {
            (Method::Grid(_), _) => None,
            (Method::Jitter(_), Part::Latitude) if given("entity") || given("longitude") => None,
            (Method::Jitter(_), Part::Latitude) => Some("longitude"),
            (Method::Jitter(_), Part::Longitude) => (!given("latitude")).then_some("latitude"),
        }
    }

    fn compile(&self, keys: &Subkeys<'_>, seed: Seed, of: ValueType) -> Result<Box<dyn Apply>> {
        Ok(Box::new(Mask {
            geo: *self,
            keyed: Keyed::new(Kind::Geo, keys.masking, seed),
            of,
        }))
    }
}

/// `geo` with its key.
struct Mask {
    geo: Geo,
    keyed: Keyed,
    of: ValueType,
}

impl Apply for Mask {
    fn apply<'a>(&self, value: Datum<'a>, row: Row<'_>) -> Result<Option<Datum<'a>>> {
        match value {
            Datum::Float(degrees) => {
                let made = self.made(self.read(degrees), row)?;
                Ok(Some(Datum::Float(self.fitted(sphere::rounded(made)))))
            }
            Datum::Numeric(text) => {
                let degrees = text.parse().unwrap_or(f64::NAN);
                let scale = text.split_once('.').map_or(0, |(_, digits)| digits.len());
                let made = self.made(degrees, row)?;
                Ok(Some(Datum::Numeric(Cow::Owned(sphere::numeric(
                    made, scale,
                )))))
            }
            _ => Err(mismatch(DEFINITION.name, self.of)),
        }
    }
}

impl Mask {
    /// A real is what its shortest text says, so that it equals the text of an input.
    fn read(&self, degrees: f64) -> f64 {
        match self.of {
            #[allow(clippy::cast_possible_truncation, reason = "a real holds 24 bits")]
            ValueType::Float32 => (degrees as f32).to_string().parse().unwrap_or(f64::NAN),
            _ => degrees,
        }
    }

    fn fitted(&self, degrees: f64) -> f64 {
        match self.of {
            #[allow(clippy::cast_possible_truncation, reason = "a real holds 24 bits")]
            ValueType::Float32 => f64::from(degrees as f32),
            _ => degrees,
        }
    }

    fn made(&self, degrees: f64, row: Row<'_>) -> Result<f64> {
        let latitude = || given(row.one(0), Part::Latitude);
        match self.geo.part {
            Part::Latitude => {
                let value = within(degrees, Part::Latitude)?;
                Ok(match self.geo.method {
                    Method::Grid(km) => sphere::band(value, km),
                    Method::Jitter(km) => {
                        let (entity, longitude) =
                            (row.one(2), || given(row.one(1), Part::Longitude));
                        let longitude = if entity.is_some() { None } else { longitude()? };
                        self.step(entity, Some(value), longitude, km)?
                            .latitude(value)
                    }
                })
            }
            Part::Longitude => {
                let value = within(degrees, Part::Longitude)?;
                // The two ends are one meridian.
                let value = if value >= 180.0 { -180.0 } else { value };
                Ok(match (self.geo.method, latitude()?) {
                    (Method::Grid(km), latitude) => sphere::cell(
                        value,
                        latitude.map_or(0.0, |latitude| sphere::band(latitude, km)),
                        km,
                    ),
                    (Method::Jitter(km), Some(latitude)) => {
                        let step = self.step(row.one(2), Some(latitude), Some(degrees), km)?;
                        step.longitude(latitude, value)
                    }
                    (Method::Jitter(_), None) => return Err(alone()),
                })
            }
        }
    }

    /// Draws where a point is moved to, from the entity or from both its coordinates.
    fn step(
        &self,
        entity: Option<&str>,
        latitude: Option<f64>,
        longitude: Option<f64>,
        km: f64,
    ) -> Result<Step> {
        if let Some(entity) = entity {
            return Ok(self.drawn(entity.as_bytes(), km));
        }
        let (Some(latitude), Some(longitude)) = (latitude, longitude) else {
            return Err(alone());
        };
        let mut pair = [0; 16];
        // Both zeros are equal.
        pair[..8].copy_from_slice(&(latitude + 0.0).to_bits().to_be_bytes());
        pair[8..].copy_from_slice(&(longitude + 0.0).to_bits().to_be_bytes());
        Ok(self.drawn(&pair, km))
    }

    #[allow(
        clippy::cast_precision_loss,
        reason = "53 bits are what a number holds"
    )]
    fn drawn(&self, from: &[u8], km: f64) -> Step {
        let mut stream = self.keyed.stream(from);
        let mut unit = || (stream.word() >> 11) as f64 / (1u64 << 53) as f64;
        // The root makes every spot of the disk equally likely.
        Step {
            angle: km * unit().sqrt() / RADIUS_KM,
            bearing: 2.0 * PI * unit(),
        }
    }
}

fn within(degrees: f64, part: Part) -> Result<f64> {
    let (limit, what, detail) = match part {
        Part::Latitude => (
            90.0,
            "no latitude",
            "A latitude lies between -90 and 90 degrees.",
        ),
        Part::Longitude => (
            180.0,
            "no longitude",
            "A longitude lies between -180 and 180 degrees.",
        ),
    };
    // Not-a-number is not within.
    if degrees.abs() <= limit {
        Ok(degrees)
    } else {
        Err(outside(DEFINITION.name, what, detail))
    }
}

/// Reads the other coordinate.
fn given(text: Option<&str>, part: Part) -> Result<Option<f64>> {
    let Some(text) = text else {
        return Ok(None);
    };
    let degrees = text.trim().parse().unwrap_or(f64::NAN);
    within(degrees, part).map(Some).map_err(|_| {
        let detail = match part {
            Part::Latitude => "The input \"latitude\" must be a number between -90 and 90.",
            Part::Longitude => "The input \"longitude\" must be a number between -180 and 180.",
        };
        outside(DEFINITION.name, "beside a wrong coordinate", detail)
    })
}

fn alone() -> crate::error::Error {
    let detail = "To move a point takes the input \"latitude\" for a longitude, and the input \
                  \"entity\" or \"longitude\" for a latitude.";
    outside(DEFINITION.name, "without the other coordinate", detail)
}

const PARAMS: &[ParamSpec] = &[
    ParamSpec::required("part", ParamKind::Text, "latitude or longitude."),
    ParamSpec::new(
        "cell_km",
        ParamKind::Number,
        "10",
        "With the method grid, the least height and width of a cell, 0.01 to 2000 kilometers.",
    ),
    ParamSpec::new(
        "method",
        ParamKind::Text,
        "grid",
        "grid gives the middle of a cell, jitter moves by a keyed distance.",
    ),
    ParamSpec::new(
        "radius_km",
        ParamKind::Number,
        "10",
        "With the method jitter, the longest distance, 0.01 to 2000 kilometers.",
    ),
];

const PARTS: [(&str, Part); 2] = [("latitude", Part::Latitude), ("longitude", Part::Longitude)];
const METHODS: [(&str, bool); 2] = [("grid", true), ("jitter", false)];
const KILOMETERS: std::ops::RangeInclusive<f64> = 0.01..=2000.0;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::strategies::Input;
    use crate::strategies::params::Value;

    fn geo(params: &[(&str, Value)]) -> Result<Geo, ParamError> {
        let params = params.iter().map(|(k, v)| ((*k).to_owned(), v.clone()));
        Geo::new(&Reader::new(Kind::Geo, &params.collect())?)
    }

    fn mask(part: &str, method: &str, km: f64, of: ValueType) -> Box<dyn Apply> {
        let length = if method == "grid" {
            "cell_km"
        } else {
            "radius_km"
        };
        let geo = geo(&[
            ("part", Value::from(part)),
            ("method", Value::from(method)),
            (length, Value::from(km)),
        ]);
        let keys = Subkeys::new(&[7; 32], &[8; 32]);
        geo.unwrap().compile(&keys, Seed::new(1), of).unwrap()
    }

    const CORNERS: [(f64, f64); 4] = [(0.0, 0.0), (48.8584, 2.2945), (-90.0, 77.0), (65.0, 180.0)];

    fn float(mask: &dyn Apply, value: f64, inputs: [Option<&str>; 3]) -> Result<f64> {
        let inputs = inputs.map(|input| input.map_or(Input::None, Input::One));
        match mask.apply(Datum::Float(value), Row(&inputs))? {
            Some(Datum::Float(value)) => Ok(value),
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn geo_grid_is_final_and_knows_one_antimeridian() {
        let latitude = mask("latitude", "grid", 10.0, ValueType::Float64);
        let longitude = mask("longitude", "grid", 10.0, ValueType::Float64);
        for (lat, lon) in CORNERS {
            let (once, text) = (float(&*latitude, lat, [None; 3]).unwrap(), lat.to_string());
            assert_eq!(float(&*latitude, once, [None; 3]).unwrap(), once);
            let inputs = [Some(&*text), None, None];
            let once = float(&*longitude, lon, inputs).unwrap();
            assert_eq!(float(&*longitude, once, inputs).unwrap(), once);
        }
        let of = |value| float(&*longitude, value, [None; 3]).unwrap();
        assert_eq!(of(180.0), of(-180.0));
    }

    #[test]
    fn geo_without_latitude_takes_degrees_at_the_equator() {
        let longitude = mask("longitude", "grid", 10.0, ValueType::Float64);
        let plain = float(&*longitude, 12.345, [None; 3]).unwrap();
        let equator = float(&*longitude, 12.345, [Some("0"), None, None]).unwrap();
        let north = float(&*longitude, 12.345, [Some("70"), None, None]).unwrap();
        assert_eq!(plain, equator);
        assert_ne!(plain, north);
    }

    #[test]
    fn geo_numeric_keeps_the_scale() {
        let latitude = mask("latitude", "grid", 10.0, ValueType::Numeric);
        for text in ["48.8584000", "48", "-48.8", "0.0", "90", "-90.000"] {
            let made = latitude.apply(Datum::Numeric(text.into()), Row::NONE);
            let Ok(Some(Datum::Numeric(made))) = made else {
                panic!("{made:?}");
            };
            let scale = |text: &str| text.split_once('.').map_or(0, |(_, digits)| digits.len());
            assert_eq!(scale(&made), scale(text));
        }
    }

    #[test]
    fn geo_refuses_what_is_no_coordinate() {
        for (part, limit) in [("latitude", 90.0), ("longitude", 180.0)] {
            let mask = mask(part, "grid", 10.0, ValueType::Float64);
            for value in [
                limit + 0.001,
                -limit - 0.001,
                f64::NAN,
                f64::INFINITY,
                -1e300,
            ] {
                let refused = float(&*mask, value, [None; 3]).unwrap_err();
                assert!(refused.is_about_the_value());
            }
            assert!(float(&*mask, limit, [None; 3]).is_ok());
        }
        let mask = mask("latitude", "grid", 10.0, ValueType::Numeric);
        for text in ["NaN", "Infinity", "-Infinity", "90.01", "1e9", ""] {
            assert!(mask.apply(Datum::Numeric(text.into()), Row::NONE).is_err());
        }
    }

    #[test]
    fn geo_says_beforehand_what_a_move_lacks() {
        let lacks = |part: &str, method: &str, given: &[&str]| {
            let geo = geo(&[("part", Value::from(part)), ("method", Value::from(method))]);
            geo.unwrap().lacks(&|name| given.contains(&name))
        };
        assert_eq!(lacks("latitude", "grid", &[]), None);
        assert_eq!(lacks("latitude", "jitter", &[]), Some("longitude"));
        assert_eq!(lacks("latitude", "jitter", &["entity"]), None);
        assert_eq!(lacks("latitude", "jitter", &["longitude"]), None);
        assert_eq!(lacks("longitude", "jitter", &["entity"]), Some("latitude"));
        assert_eq!(lacks("longitude", "jitter", &["latitude"]), None);
    }

    #[test]
    fn geo_refuses_a_wrong_or_missing_other_coordinate() {
        let grid = mask("longitude", "grid", 10.0, ValueType::Float64);
        for latitude in ["", "x", "91", "NaN", "inf"] {
            assert!(float(&*grid, 1.0, [Some(latitude), None, None]).is_err());
        }
        let latitude = mask("latitude", "jitter", 10.0, ValueType::Float64);
        let longitude = mask("longitude", "jitter", 10.0, ValueType::Float64);
        assert!(float(&*latitude, 1.0, [None; 3]).is_err());
        assert!(float(&*latitude, 1.0, [Some("1"), None, None]).is_err());
        assert!(float(&*latitude, 1.0, [None, Some("1"), None]).is_ok());
        assert!(float(&*latitude, 1.0, [None, None, Some("e")]).is_ok());
        assert!(float(&*longitude, 1.0, [None, Some("1"), Some("e")]).is_err());
        assert!(float(&*longitude, 1.0, [Some("1"), None, None]).is_ok());
    }

    #[test]
    fn geo_refuses_lengths_out_of_bounds_or_of_the_other_method() {
        let part = ("part", Value::from("latitude"));
        for km in [0.0, -1.0, 0.009, 2000.1, f64::NAN, f64::INFINITY] {
            let refused = geo(&[part.clone(), ("cell_km", Value::from(km))]).unwrap_err();
            assert_eq!(refused.param, "cell_km");
        }
        let refused = geo(&[part.clone(), ("radius_km", Value::Int(5))]).unwrap_err();
        assert_eq!(refused.param, "radius_km");
        let jitter = ("method", Value::from("jitter"));
        let refused = geo(&[part.clone(), jitter, ("cell_km", Value::Int(5))]).unwrap_err();
        assert_eq!(refused.param, "cell_km");
        assert_eq!(geo(&[]).unwrap_err().param, "part");
        assert!(geo(&[part, ("cell_km", Value::Int(5))]).is_ok());
    }
}
