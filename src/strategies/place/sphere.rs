//! Points on a sphere in degrees: a grid of cells, a step along a great circle, and how degrees are
//! written.

use std::f64::consts::PI;

/// A way along a great circle.
pub(super) struct Step {
    /// Its length, as an angle.
    pub(super) angle: f64,
    /// Its direction: 0 is north.
    pub(super) bearing: f64,
}

impl Step {
    pub(super) fn latitude(&self, from: f64) -> f64 {
        let from = from.to_radians();
        let sine =
            from.sin() * self.angle.cos() + from.cos() * self.angle.sin() * self.bearing.cos();
        sine.clamp(-1.0, 1.0).asin().to_degrees()
    }

    pub(super) fn longitude(&self, latitude: f64, from: f64) -> f64 {
        let to = self.latitude(latitude).to_radians();
        let latitude = latitude.to_radians();
        let east = self.bearing.sin() * self.angle.sin() * latitude.cos();
        let north = self.angle.cos() - latitude.sin() * to.sin();
        let moved = from + east.atan2(north).to_degrees();
        // -180 to 180.
        (moved + 540.0).rem_euclid(360.0) - 180.0
    }
}

/// The middle of the band that a latitude lies in.
pub(super) fn band(latitude: f64, km: f64) -> f64 {
    let bands = (180.0 * KM_PER_DEGREE / km).floor().max(1.0);
    middle(latitude + 90.0, 180.0, bands) - 90.0
}

/// The middle of the cell that a longitude lies in, in the band around a latitude.
pub(super) fn cell(longitude: f64, band: f64, km: f64) -> f64 {
    let around = 360.0 * KM_PER_DEGREE * band.to_radians().cos();
    let cells = (around / km).floor().max(1.0);
    middle(longitude + 180.0, 360.0, cells) - 180.0
}

/// The middle of the one of `count` equal parts of a length in which a position lies.
fn middle(position: f64, length: f64, count: f64) -> f64 {
    let part = (position / length * count).floor().clamp(0.0, count - 1.0);
    (part + 0.5) * length / count
}

/// Degrees with at most six digits.
pub(super) fn rounded(degrees: f64) -> f64 {
    (degrees * POWERS[MOST_DIGITS]).round() / POWERS[MOST_DIGITS]
}

/// Writes degrees with a scale; after six digits there are zeros.
pub(super) fn numeric(degrees: f64, scale: usize) -> String {
    let digits = scale.min(MOST_DIGITS);
    // To the nearest, away from zero between two; no number here has a negative zero.
    let units = (degrees * POWERS[digits]).round() + 0.0;
    let mut out = format!("{:.digits$}", units / POWERS[digits]);
    out.extend(std::iter::repeat_n('0', scale - digits));
    out
}

/// The mean radius of the Earth.
pub(super) const RADIUS_KM: f64 = 6371.0;
const KM_PER_DEGREE: f64 = RADIUS_KM * PI / 180.0;
/// A millionth of a degree is eleven centimeters.
const MOST_DIGITS: usize = 6;
const POWERS: [f64; MOST_DIGITS + 1] = [1.0, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cells_are_as_wide_as_asked_for() {
        for km in [1.0, 10.0, 500.0] {
            for latitude in [0.0, 30.0, 60.0, 80.0, 89.0, -45.0] {
                let middle = band(latitude, km);
                let around = 360.0 * KM_PER_DEGREE * middle.to_radians().cos();
                let mut cells = std::collections::BTreeSet::new();
                for n in 0..=3600 {
                    let made = cell(f64::from(n) / 10.0 - 180.0, middle, km);
                    cells.insert(made.to_bits());
                }
                assert!(
                    (cells.len() as f64) <= (around / km).max(1.0),
                    "{km} {latitude}"
                );
            }
        }
    }

    #[test]
    pub(super) fn numeric_bounds_the_digits_and_keeps_the_scale() {
        assert_eq!(numeric(-0.000_000_1, 3), "0.000");
        assert_eq!(numeric(-12.5, 0), "-13");
        assert_eq!(numeric(12.345_678_9, 2), "12.35");
        assert_eq!(numeric(-0.05, 9), "-0.050000000");
    }
}
