//! `dp_noise_sticky`: the noise of `dp_noise`, but the same each time for one row and value.
//!
//! For values that are masked as they are read: fresh noise would be averaged away by reading
//! often. The words of the sampler are a keyed stream over label, row key, place of the value on
//! the grid and parameters, each of a length that is part of the input. The row key keeps equal
//! values of two rows apart, the value keeps two values of one row apart (their noise would cancel
//! in the difference), the label keeps two columns apart. Whoever holds the key can take the noise
//! off, so this is privacy only against everybody else.

use super::{CLAMP, EARLIEST, EPSILON, LATEST, LOWER, Line, NOISY, SENSITIVITY, Terms, UPPER};
use crate::error::{Error, Kind as Fault, Result};
use crate::keys::push_field;
use crate::strategies::definition::{
    Apply, Definition, InputSpec, Needs, Parsed, Properties, Row, Seed, Subkeys,
};
use crate::strategies::keyed::Keyed;
use crate::strategies::measure::epsilon::MAX_EPSILON;
use crate::strategies::params::{ParamError, ParamKind, ParamSpec, Reader};
use crate::strategies::{Datum, Kind, ValueType};

/// `dp_noise_sticky` in the list of strategies.
///
/// # Examples
///
/// ```
/// use confiture::strategies::{
///     Datum, Input, Kind, Params, Row, Seed, Strategy, Subkeys, Value, ValueType,
/// };
///
/// let params = Params::from([
///     ("epsilon".to_owned(), Value::Int(1)),
///     ("sensitivity".to_owned(), Value::Int(100)),
/// ]);
/// let keys = Subkeys::new(&[7; 32], &[8; 32]);
/// let strategy = Strategy::new(Kind::DpNoiseSticky, &params)?;
/// let mask = strategy.mask(&keys, Seed::new(1), ValueType::Int32)?;
/// let row = [Input::One("17")];
/// let made = || mask.apply(Datum::Int(42), Row(&row));
/// // The noise of a row is always the same.
/// assert_eq!(made()?, made()?);
/// # Ok::<(), confiture::error::Error>(())
/// ```
pub const DEFINITION: Definition = Definition {
    name: "dp_noise_sticky",
    version: 1,
    about: "Value with noise for differential privacy that stays the same for its row",
    accepts: NOISY,
    params: &[
        EPSILON,
        SENSITIVITY,
        LOWER,
        UPPER,
        EARLIEST,
        LATEST,
        CLAMP,
        LABEL,
    ],
    inputs: &[ROW_KEY],
    needs: Needs::Key,
    refuses: false,
    example: "anon_dp_noise_sticky(52000, epsilon => 1, sensitivity => 200000, lower => 0, upper => 200000, row_key => '17')",
    sample: r#"{"epsilon": 1, "sensitivity": 1}"#,
    parse: |reader| parse(reader, MAX_EPSILON),
};

/// Reads the parameters under another limit for ε.
///
/// # Errors
/// The first parameter that is refused.
pub fn parse(reader: &Reader<'_>, max_epsilon: f64) -> Result<Box<dyn Parsed>, ParamError> {
    let label = reader.text("label", "");
    if label.len() > 255 {
        return Err(reader.invalid("label", "It must have at most 255 bytes."));
    }
    Ok(Box::new(Sticky {
        terms: Terms::read(DEFINITION.name, reader, max_epsilon)?,
        label: label.to_owned(),
    }))
}

/// The parameters of `dp_noise_sticky`, checked.
#[derive(Clone, Debug, PartialEq)]
struct Sticky {
    terms: Terms,
    label: String,
}

impl Parsed for Sticky {
    fn properties(&self, of: ValueType) -> Properties {
        Properties {
            gives_null: self.terms.gives_null(of),
            ..Properties::KEYED
        }
    }

    fn output_limit(&self, _: Option<usize>) -> Option<usize> {
        None
    }

    fn compile(&self, keys: &Subkeys<'_>, seed: Seed, of: ValueType) -> Result<Box<dyn Apply>> {
        let mut head = Vec::new();
        push_field(&mut head, self.label.as_bytes());
        push_field(&mut head, &self.terms.epsilon.micro().to_be_bytes());
        push_field(&mut head, self.terms.sensitivity.to_string().as_bytes());
        for bound in self.terms.bounds.texts(of) {
            push_field(&mut head, bound.as_bytes());
        }
        Ok(Box::new(Mask {
            line: self.terms.line(of)?,
            keyed: Keyed::new(Kind::DpNoiseSticky, keys.masking, seed),
            head,
        }))
    }
}

/// `dp_noise_sticky` with its key.
struct Mask {
    line: Line,
    keyed: Keyed,
    /// Label and parameters, each with its length.
    head: Vec<u8>,
}

impl Apply for Mask {
    fn apply<'a>(&self, value: Datum<'a>, row: Row<'_>) -> Result<Option<Datum<'a>>> {
        let Some(at) = self.line.place(&value)? else {
            return Ok(None);
        };
        let row_key = row.one(0).ok_or_else(|| {
            let name = DEFINITION.name;
            let message = format!("input \"row_key\" of strategy \"{name}\" is missing");
            Error::new(Fault::MissingParameter, message).with_detail(ROW_KEY.about)
        })?;
        let mut fields = Vec::with_capacity(self.head.len() + row_key.len() + 24);
        fields.extend_from_slice(&self.head);
        push_field(&mut fields, row_key.as_bytes());
        push_field(&mut fields, &at.to_be_bytes());
        let mut stream = self.keyed.stream(&fields);
        self.line.noisy(at, || Ok(stream.word())).map(Some)
    }
}

const ROW_KEY: InputSpec = InputSpec {
    name: "row_key",
    many: false,
    required: true,
    about: "What tells the row from all others, such as its primary key. It must be given.",
};
const LABEL: ParamSpec = ParamSpec::new(
    "label",
    ParamKind::Text,
    "",
    "What tells the column from others of the same row, such as its name.",
);
