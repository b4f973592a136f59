//! Running text: replaced as a whole, or scanned for what is personal in it.

pub mod lorem;
pub mod recognize;
mod replace;
mod scan;
pub mod text;
mod words;

use super::InputSpec;

/// The input of names that belong to the row.
pub const NAMES: InputSpec = InputSpec {
    name: "names",
    many: true,
    required: false,
    about: "Names of persons in the row, which are looked for in free text.",
};

/// The input of e-mail addresses that belong to the row.
pub const EMAILS: InputSpec = InputSpec {
    name: "emails",
    many: true,
    required: false,
    about: "Addresses in the row, which are looked for in free text however they are written.",
};
