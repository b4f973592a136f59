//! Strategies for places: addresses and coordinates.

pub mod address;
mod cities;
pub mod geo;
mod sphere;
mod streets;
