//! Strategies for who somebody is: names, handles, work, numbers of the state.

pub mod company;
pub(crate) mod dictionary;
pub(crate) mod draw;
pub mod job;
pub mod known;
pub mod name;
pub mod national;
pub(crate) mod spelling;
pub mod username;
