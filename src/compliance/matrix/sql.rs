//! What SQL sees of the matrix.

use pgrx::JsonB;
use pgrx::datum::Date;
use pgrx::iter::TableIterator;
use pgrx::pg_sys::panic::ErrorReport;
use pgrx::prelude::*;
use serde_json::{Value, json};

use super::store::Depth;
use super::{Row, gaps, store};
use crate::compliance::rules::parameter::named;
use crate::compliance::rules::read::shown_day;
use crate::compliance::rules::{Kind, Relation, Review, Standing};
use crate::compliance::{conflict, doubt};
use crate::error::given;

/// The requirements of laws as they are on a day, each with its controls, what shows that they are
/// in place, and how it stands.
#[pg_extern(schema = "confiture", stable, parallel_unsafe)]
#[search_path(pg_catalog, pg_temp)]
#[allow(clippy::type_complexity, reason = "the shape of the rows")]
fn compliance_matrix(
    jurisdictions: default!(Option<Vec<Option<String>>>, "NULL"),
    as_of: default!(Option<Date>, "NULL"),
    include_proposed: default!(Option<bool>, "false"),
) -> Result<
    TableIterator<
        'static,
        (
            name!(jurisdiction, String),
            name!(requirement, String),
            name!(cite, String),
            name!(title, String),
            name!(kind, String),
            name!(status, String),
            name!(reason, String),
            name!(controls, JsonB),
            name!(parameters, JsonB),
            name!(law, String),
            name!(valid_from, Option<String>),
            name!(valid_to, Option<String>),
            name!(penalty, Option<String>),
            name!(text_checked_on, Option<String>),
            name!(rules_version, String),
            name!(doubts, Vec<String>),
        ),
    >,
    ErrorReport,
> {
    let ground = store::ground(
        jurisdictions,
        as_of,
        given("include_proposed", include_proposed)?,
        Depth::Evidence,
    )?;
    let version = ground.version();
    let mut rows = super::fill(&ground.rules, &ground.question, &ground.facts)?;
    rows.sort_by(|a, b| {
        let key = |row: &Row<'_>| {
            (
                row.requirement.jurisdiction.clone(),
                row.requirement.id.clone(),
            )
        };
        key(a).cmp(&key(b))
    });
    let rows: Vec<_> = rows
        .into_iter()
        .map(|row| {
            let requirement = row.requirement;
            let reason = match row.applies.is_assumed() {
                false => row.reason.clone(),
                true => format!("{}; taken to apply: {}", row.reason, row.applies.why),
            };
            (
                requirement.jurisdiction.clone(),
                requirement.id.clone(),
                requirement.cite.clone(),
                requirement.title.clone(),
                named(requirement.kind, &Kind::NAMES).to_owned(),
                row.status.name().to_owned(),
                reason,
                JsonB(controls(&row)),
                JsonB(requirement.params.json()),
                named(
                    requirement.standing_on(ground.question.day),
                    &Standing::NAMES,
                )
                .to_owned(),
                requirement.from.map(shown_day),
                requirement.until.map(shown_day),
                requirement
                    .penalty
                    .as_ref()
                    .and_then(|penalty| penalty.on(ground.question.day)),
                requirement
                    .text_checked
                    .as_ref()
                    .map(|(day, _)| day.clone()),
                version.clone(),
                doubt::lines(row.doubts()),
            )
        })
        .collect();
    Ok(TableIterator::new(rows))
}

fn controls(row: &Row<'_>) -> Value {
    row.controls
        .iter()
        .map(|held| {
            json!({
                "control": held.control.id,
                "relation": named(held.relation, &Relation::NAMES),
                "review": named(held.review, &Review::NAMES),
                "status": held.standing.status.name(),
                "evidence": held.standing.json(),
            })
        })
        .collect()
}

/// What is missing, the dearest first: by penalty, then by deadline, each with what closes it.
#[pg_extern(schema = "confiture", stable, parallel_unsafe)]
#[search_path(pg_catalog, pg_temp)]
#[allow(clippy::type_complexity, reason = "the shape of the rows")]
fn compliance_gaps(
    jurisdictions: default!(Option<Vec<Option<String>>>, "NULL"),
    as_of: default!(Option<Date>, "NULL"),
) -> Result<
    TableIterator<
        'static,
        (
            name!(rank, i32),
            name!(id, String),
            name!(jurisdictions, Vec<String>),
            name!(cite, String),
            name!(problem, String),
            name!(penalty_class, String),
            name!(deadline, Option<String>),
            name!(closes, String),
            name!(detail, String),
            name!(penalty, Option<String>),
            name!(doubts, Vec<String>),
        ),
    >,
    ErrorReport,
> {
    let ground = store::ground(jurisdictions, as_of, false, Depth::Evidence)?;
    let rows = super::fill(&ground.rules, &ground.question, &ground.facts)?;
    let gaps = conflict::store::find(&ground, |conflicts| {
        gaps::list(&ground.rules, &rows, &conflicts, ground.question.day)
    })?;
    let rows: Vec<_> = (1..)
        .zip(gaps)
        .map(|(rank, gap)| {
            (
                rank,
                gap.id.clone(),
                gap.jurisdictions.clone(),
                gap.cite.clone(),
                gap.problem.to_owned(),
                gap.class().to_owned(),
                gap.deadline.clone(),
                gap.closes.clone(),
                gap.detail.clone(),
                gap.penalty,
                gap.doubts,
            )
        })
        .collect();
    Ok(TableIterator::new(rows))
}
