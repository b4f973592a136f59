//! Masked views follow their profile: another version of it is in use, and they are made anew.

pub mod store;
