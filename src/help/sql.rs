//! What SQL sees of help.

use pgrx::iter::TableIterator;
use pgrx::pg_sys::panic::ErrorReport;
use pgrx::prelude::*;

use super::{Line, lines};

/// What to call for what, and the page that tells more; without a topic, the topics.
#[pg_extern(schema = "confiture", immutable, parallel_safe)]
fn help(
    topic: default!(Option<&str>, "NULL"),
) -> Result<
    TableIterator<
        'static,
        (
            name!(about, String),
            name!(call, String),
            name!(page, String),
        ),
    >,
    ErrorReport,
> {
    let rows = lines(topic)?;
    Ok(TableIterator::new(
        rows.into_iter()
            .map(|Line { about, call, page }| (about, call, page)),
    ))
}
