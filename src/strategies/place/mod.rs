//! Strategies for places: addresses and coordinates.

pub mod address;
mod cities;
pub mod geo;
pub mod known;
mod sphere;
mod streets;
