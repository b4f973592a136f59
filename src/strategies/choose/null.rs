//! `null`: NULL in place of every value.
//!
//! Needs no key and gives nothing away but that there is a row. In a profile the name stands in
//! quotes, for a bare `null` in YAML is no text.

use crate::error::Result;
use crate::strategies::definition::{
    Apply, Definition, Needs, Parsed, Properties, Row, Seed, Subkeys, Survival,
};
use crate::strategies::{Datum, ValueType};

/// `null` in the list of strategies.
///
/// # Examples
///
/// ```
/// use confiture::strategies::{Datum, Kind, Params, Row, Seed, Strategy, Subkeys, ValueType};
///
/// let keys = Subkeys::new(&[7; 32], &[8; 32]);
/// let strategy = Strategy::new(Kind::Null, &Params::new())?;
/// let mask = strategy.mask(&keys, Seed::new(1), ValueType::Text)?;
/// assert_eq!(mask.apply(Datum::text("Ada"), Row::NONE)?, None);
/// # Ok::<(), confiture::error::Error>(())
/// ```
pub const DEFINITION: Definition = Definition {
    name: "null",
    version: 1,
    about: "NULL for every row",
    accepts: ValueType::ANY,
    params: &[],
    inputs: &[],
    needs: Needs::Nothing,
    refuses: false,
    example: "anon_null('secret'::text)",
    sample: "{}",
    parse: |_| Ok(Box::new(Null)),
};

/// `null`, which has no parameters.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Null;

impl Parsed for Null {
    fn properties(&self, _: ValueType) -> Properties {
        Properties {
            deterministic: true,
            gives_null: true,
            survival: Survival::Constant,
            ..Properties::NONE
        }
    }

    fn output_limit(&self, _: Option<usize>) -> Option<usize> {
        Some(0)
    }

    fn compile(&self, _: &Subkeys<'_>, _: Seed, _: ValueType) -> Result<Box<dyn Apply>> {
        Ok(Box::new(*self))
    }
}

impl Apply for Null {
    fn apply<'a>(&self, _: Datum<'a>, _: Row<'_>) -> Result<Option<Datum<'a>>> {
        Ok(None)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::strategies::params::Params;
    use crate::strategies::{Kind, Strategy};

    #[test]
    fn null_leaves_nothing_of_any_type() {
        let strategy = Strategy::new(Kind::Null, &Params::new()).unwrap();
        for (of, value) in [
            (ValueType::Text, Datum::text("secret")),
            (ValueType::Int32, Datum::Int(7)),
            (ValueType::Uuid, Datum::Uuid([7; 16])),
        ] {
            let keys = Subkeys::new(&[7; 32], &[7; 32]);
            let mask = strategy.mask(&keys, Seed::new(1), of).unwrap();
            assert_eq!(mask.apply(value, Row::NONE), Ok(None));
        }
    }
}
