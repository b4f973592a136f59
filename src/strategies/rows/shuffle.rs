//! `shuffle`: the values of a column dealt out anew among its rows; columns of one group move
//! together.
//!
//! Every value stays in the column, NULLs included: what is hidden is only whose it is. Totals,
//! distributions and foreign keys hold. A value that names somebody by itself goes on naming them,
//! and a row may get its own value back. The order comes from the server's strong randomness at
//! each run; there is no seed.

use super::only_in_runs;
use crate::error::Result;
use crate::strategies::definition::{Apply, Definition, Needs, Parsed, Properties, Seed, Subkeys};
use crate::strategies::params::{ParamKind, ParamSpec};
use crate::strategies::{Kind, ValueType};

/// `shuffle` in the list of strategies.
///
/// # Examples
///
/// ```
/// use confiture::strategies::{Kind, Params, Strategy, Value};
///
/// let params = Params::from([("group".to_owned(), Value::from("person"))]);
/// let strategy = Strategy::new(Kind::Shuffle, &params)?;
/// assert_eq!(*strategy.effective_params(), params);
/// # Ok::<(), confiture::error::Error>(())
/// ```
pub const DEFINITION: Definition = Definition {
    name: "shuffle",
    version: 1,
    about: "Values of a column dealt out anew among its rows",
    accepts: ValueType::ANY,
    params: PARAMS,
    inputs: &[],
    needs: Needs::Chance,
    refuses: false,
    example: "",
    sample: "{}",
    parse: |reader| {
        reader.text("group", "");
        Ok(Box::new(Shuffle))
    },
};

#[derive(Clone, Debug)]
struct Shuffle;

impl Parsed for Shuffle {
    fn properties(&self, _: ValueType) -> Properties {
        Properties {
            keeps_format: true,
            ..Properties::NONE
        }
    }

    fn output_limit(&self, input_max_chars: Option<usize>) -> Option<usize> {
        input_max_chars
    }

    fn compile(&self, _: &Subkeys<'_>, _: Seed, _: ValueType) -> Result<Box<dyn Apply>> {
        Err(only_in_runs(Kind::Shuffle))
    }
}

const PARAMS: &[ParamSpec] = &[ParamSpec::new(
    "group",
    ParamKind::Text,
    "",
    "Columns of a table that name the same group move together; without it a column moves alone.",
)];
