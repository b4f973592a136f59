//! `default`: the column's own default in place of every value, NULL where it has none.

use super::only_in_runs;
use crate::error::Result;
use crate::strategies::definition::{Apply, Definition, Needs, Parsed, Properties, Seed, Subkeys};
use crate::strategies::{Kind, ValueType};

/// `default` in the list of strategies.
///
/// # Examples
///
/// ```
/// use confiture::strategies::{Kind, Params, Strategy, ValueType};
///
/// let strategy = Strategy::new(Kind::Default, &Params::new())?;
/// assert!(strategy.properties(ValueType::Text).gives_null);
/// # Ok::<(), confiture::error::Error>(())
/// ```
pub const DEFINITION: Definition = Definition {
    name: "default",
    version: 1,
    about: "Default of the column in place of a value",
    accepts: ValueType::ANY,
    params: &[],
    inputs: &[],
    needs: Needs::Nothing,
    refuses: false,
    example: "",
    sample: "{}",
    parse: |_| Ok(Box::new(Default)),
};

#[derive(Clone, Debug)]
struct Default;

impl Parsed for Default {
    fn properties(&self, _: ValueType) -> Properties {
        Properties {
            gives_null: true,
            ..Properties::NONE
        }
    }

    fn output_limit(&self, input_max_chars: Option<usize>) -> Option<usize> {
        input_max_chars
    }

    fn compile(&self, _: &Subkeys<'_>, _: Seed, _: ValueType) -> Result<Box<dyn Apply>> {
        Err(only_in_runs(Kind::Default))
    }
}
