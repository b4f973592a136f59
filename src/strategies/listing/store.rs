//! The type that somebody names, looked up in the catalog.

use super::Held;
use crate::error::{Error, Kind, Result};
use crate::pg::spi;
use crate::pg::types::{self, Named};
use crate::strategies::ValueType;

/// Finds what the values of a type are masked as, as the plan of a run does: a domain as what it is
/// over.
///
/// # Errors
/// 22023 for what is no type, an array, or a type that no mask takes.
pub(super) fn held(name: &str) -> Result<Held> {
    if let Some(of) = ValueType::parse(name) {
        return Ok(Held::plain(of));
    }
    let refused = |message: String, hint: &str| {
        Err(Error::new(Kind::InvalidParameter, message).with_hint(hint))
    };
    let Some(found) = types::named(name)? else {
        let message = format!("type \"{name}\" does not exist");
        return refused(
            message,
            "Name the type as in confiture.strategies, such as text or integer.",
        );
    };
    let (of, oid, folds_case) = match found {
        Named::Scalar {
            of: Some(of),
            oid,
            folds_case,
        } => (of, oid, folds_case),
        Named::Scalar { of: None, .. } => {
            return refused(
                format!("values of type {name} cannot be masked"),
                "In a run, constant, null, default and shuffle replace values of any type.",
            );
        }
        Named::Array(element) => {
            let hint = format!(
                "An array is masked element by element: give one element, and its type {element}."
            );
            return refused(format!("value of type {name} is an array"), &hint);
        }
    };
    let labels = match of {
        ValueType::Enum => Some(spi::read(LABELS, &[oid.into()], |row| row.required(1))?),
        _ => None,
    };
    Ok(Held {
        of,
        name: name.to_owned(),
        labels,
        folds_case,
    })
}

const LABELS: &str = "
    SELECT l.enumlabel::text FROM pg_catalog.pg_enum l WHERE l.enumtypid = $1
     ORDER BY l.enumsortorder";
