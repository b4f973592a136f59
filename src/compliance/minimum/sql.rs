//! What SQL sees of the least set of controls.

use pgrx::JsonB;
use pgrx::datum::Date;
use pgrx::iter::TableIterator;
use pgrx::pg_sys::panic::ErrorReport;
use pgrx::prelude::*;
use serde_json::Value;

use super::{Least, further, least};
use crate::compliance::matrix;
use crate::compliance::matrix::store::Ground;
use crate::compliance::rules::Requirement;

type Item = (
    String,
    String,
    String,
    Option<i32>,
    JsonB,
    Vec<String>,
    Vec<String>,
);

/// The cheapest controls that cover every requirement that applies, what each is to be set to, what
/// no control covers, and what one jurisdiction more or less changes.
#[pg_extern(schema = "confiture", stable, parallel_unsafe)]
#[search_path(pg_catalog, pg_temp)]
#[allow(clippy::type_complexity, reason = "the shape of the rows")]
fn compliance_minimum(
    jurisdictions: default!(Option<Vec<Option<String>>>, "NULL"),
    as_of: default!(Option<Date>, "NULL"),
) -> Result<
    TableIterator<
        'static,
        (
            name!(item, String),
            name!(id, String),
            name!(detail, String),
            name!(cost, Option<i32>),
            name!(parameters, JsonB),
            name!(forced_by, Vec<String>),
            name!(jurisdictions, Vec<String>),
        ),
    >,
    ErrorReport,
> {
    let depth = matrix::store::Depth::Triggers;
    let ground = matrix::store::ground(jurisdictions, as_of, false, depth)?;
    let asked = if ground.question.jurisdictions.is_empty() {
        let all = ground.rules.jurisdictions();
        all.into_iter().map(str::to_owned).collect()
    } else {
        ground.question.jurisdictions.clone()
    };
    let chosen = of(&ground, &asked)?;
    let mut rows = controls(&ground, &chosen);
    for (id, why) in &chosen.uncovered {
        let requirement = ground.rules.requirement(id);
        rows.push((
            "uncovered".to_owned(),
            id.clone(),
            why.clone(),
            None,
            JsonB(requirement.map_or(Value::Null, |requirement| requirement.params.json())),
            Vec::new(),
            requirement
                .map(|requirement| requirement.jurisdiction.clone())
                .into_iter()
                .collect(),
        ));
    }
    for code in ground.rules.jurisdictions() {
        rows.push(one_more(&ground, &asked, &chosen, code)?);
    }
    Ok(TableIterator::new(rows))
}

/// The least set for some jurisdictions.
fn of(ground: &Ground, jurisdictions: &[String]) -> crate::error::Result<Least> {
    let question = matrix::Question {
        jurisdictions: jurisdictions.to_vec(),
        ..ground.question.clone()
    };
    let applicable = matrix::applicable(&ground.rules, &question, &ground.facts)?;
    let taken: Vec<&Requirement> = applicable
        .iter()
        .filter(|(_, applies)| applies.is_taken)
        .map(|(requirement, _)| *requirement)
        .collect();
    Ok(least(&ground.rules, &taken))
}

fn controls(ground: &Ground, least: &Least) -> Vec<Item> {
    least
        .chosen
        .iter()
        .map(|chosen| {
            let title = ground
                .rules
                .control(&chosen.control)
                .map_or(String::new(), |control| control.title.clone());
            (
                "control".to_owned(),
                chosen.control.clone(),
                title,
                i32::try_from(chosen.cost).ok(),
                JsonB(chosen.params.json()),
                chosen.forced_by.clone(),
                chosen.jurisdictions.clone(),
            )
        })
        .collect()
}

/// What a jurisdiction adds to the others that are asked about.
fn one_more(
    ground: &Ground,
    asked: &[String],
    chosen: &Least,
    code: &str,
) -> crate::error::Result<Item> {
    let is_asked = asked.iter().any(|known| known == code);
    let others: Vec<String> = asked
        .iter()
        .filter(|known| *known != code)
        .cloned()
        .collect();
    let difference = if !is_asked {
        let mut more = asked.to_vec();
        more.push(code.to_owned());
        further(chosen, &of(ground, &more)?)
    } else if others.is_empty() {
        further(&Least::default(), chosen)
    } else {
        further(&of(ground, &others)?, chosen)
    };
    Ok((
        if is_asked { "adds" } else { "would add" }.to_owned(),
        code.to_owned(),
        difference.words(),
        i32::try_from(difference.cost).ok(),
        JsonB(Value::Object(serde_json::Map::new())),
        difference.controls,
        vec![code.to_owned()],
    ))
}
