//! Which columns hold values that are masked, and which masked views are not what they are said to be.

pub mod store;
