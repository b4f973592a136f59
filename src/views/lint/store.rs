//! The catalog, read for ways around a mask.

use super::Way;
use super::known::store::{self as known, Known};
use crate::error::{Error, Kind, Result};
use crate::pg::{report, spi};
use crate::sync::request::pinned;

/// Every way of a role to the masked columns, of the tables of masked views; of a schema also to
/// those that a profile has rules for. The worst come first.
///
/// # Errors
/// 42704 without such a role; 3F000 without such a schema.
pub fn find(role: &str, source: Option<&str>) -> Result<Vec<Way>> {
    check(role, source)?;
    let known = pinned(|| known::find(source))?;
    if known.raw.is_empty() {
        let of = source.map_or_else(String::new, |schema| format!(" of schema \"{schema}\""));
        report::notice(&format!(
            "no masked column{of} is known: nothing was looked for"
        ));
        return Ok(known.stale);
    }
    let mut ways = pinned(|| ways(role, &known))?;
    ways.extend(known.stale);
    let rank = |way: &Way| {
        ["high", "medium", "low"]
            .iter()
            .position(|of| way.severity == **of)
    };
    ways.sort_by(|one, other| {
        let of = |way: &Way| (rank(way), way.path.clone(), way.object.clone());
        let rest = |way: &Way| (way.column.clone(), way.detail.clone(), way.remedy.clone());
        of(one)
            .cmp(&of(other))
            .then_with(|| rest(one).cmp(&rest(other)))
    });
    Ok(ways)
}

fn check(role: &str, source: Option<&str>) -> Result<()> {
    let there = spi::read(
        "SELECT EXISTS (SELECT FROM pg_catalog.pg_roles r
                         WHERE r.rolname OPERATOR(pg_catalog.=) $1::pg_catalog.text::pg_catalog.name),
                EXISTS (SELECT FROM pg_catalog.pg_namespace n
                         WHERE n.nspname OPERATOR(pg_catalog.=) $2::pg_catalog.text::pg_catalog.name)",
        &[role.into(), source.into()],
        |row| Ok((row.required::<bool>(1)?, row.required::<bool>(2)?)),
    )?;
    match (there.first(), source) {
        (Some((true, true)), _) | (Some((true, _)), None) => Ok(()),
        (Some((true, false)), Some(schema)) => Err(Error::new(
            Kind::UndefinedSchema,
            format!("schema \"{schema}\" does not exist"),
        )),
        _ => Err(Error::new(
            Kind::UndefinedObject,
            format!("role \"{role}\" does not exist"),
        )),
    }
}

fn ways(role: &str, known: &Known) -> Result<Vec<Way>> {
    let of = |place: u32| i64::from(place);
    let raw = &known.raw;
    let used = &known.used;
    spi::read(
        PATHS,
        &[
            role.into(),
            raw.iter()
                .map(|raw| of(raw.place.0))
                .collect::<Vec<_>>()
                .into(),
            raw.iter().map(|raw| raw.place.1).collect::<Vec<_>>().into(),
            raw.iter().map(|raw| raw.kind).collect::<Vec<_>>().into(),
            raw.iter()
                .map(|raw| raw.note.clone())
                .collect::<Vec<_>>()
                .into(),
            used.iter().map(|used| used.0).collect::<Vec<_>>().into(),
            used.iter()
                .map(|used| of(used.1.0))
                .collect::<Vec<_>>()
                .into(),
            used.iter().map(|used| used.1.1).collect::<Vec<_>>().into(),
            used.iter().map(|used| used.2).collect::<Vec<_>>().into(),
        ],
        |row| {
            Ok(Way {
                severity: row.required(1)?,
                path: row.required(2)?,
                object: row.required(3)?,
                column: row.get(4)?,
                detail: row.required(5)?,
                remedy: row.required(6)?,
            })
        },
    )
}

const PATHS: &str = concat!(
    include_str!("reach.sql"),
    include_str!("rights.sql"),
    include_str!("writes.sql"),
    include_str!("code.sql"),
    include_str!("server.sql"),
    include_str!("order.sql")
);
