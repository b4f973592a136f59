//! What a report asks the database.

use super::{Report, Sensitive, bands};
use crate::anonymity::closeness::{Farthest, Numeric, Ordered};
use crate::anonymity::disclosure::Disclosure;
use crate::anonymity::diversity::Diversity;
use crate::anonymity::relation::{Column, Relation};
use crate::anonymity::risk::{self, Records};
use crate::anonymity::sensitive::Ready;
use crate::anonymity::sensitive::store::{Asked, each_class, numbers, whole};
use crate::anonymity::statement;
use crate::anonymity::store::{Matched, matched, risks, sizes};
use crate::error::{Error, Kind, Result};
use crate::pg::spi;

/// The share above which a record counts as at risk.
const THRESHOLD: f64 = 0.2;

/// Measures everything.
///
/// # Errors
/// 54000 for too many rows; as the interface.
pub fn report(
    relation: &Relation,
    keys: &[Column],
    sensitive: &[Column],
    population: Option<&Relation>,
    null_matches: bool,
) -> Result<Report> {
    let sizes = sizes(relation, keys, None)?;
    let (rows_with_nulls, nulls) = nulls(relation, keys)?;
    let k = risk::smallest(&sizes);
    let matched = match rows_with_nulls {
        0 => None,
        _ => Some(matched(relation, keys)?),
    };
    let k_null_matches = matched.as_ref().map_or(k, Matched::smallest);
    let null_matches = null_matches && rows_with_nulls > 0;
    let records = match &matched {
        Some(matched) if null_matches => matched.records(),
        _ => Records::of(&sizes),
    };
    let risks = risks(
        &records,
        (relation, keys),
        population,
        THRESHOLD,
        null_matches,
    )?;
    let names = keys.iter().map(|column| column.name.clone());
    Ok(Report {
        relation: relation.shown(),
        keys: names.zip(nulls).collect(),
        rows_with_nulls,
        rows: risk::rows(&sizes),
        classes: sizes.values().sum(),
        k,
        k_null_matches,
        unique: sizes.get(&1).copied().unwrap_or_default(),
        largest: sizes.keys().next_back().copied(),
        bands: bands(&sizes),
        null_matches,
        population: population.map(Relation::shown),
        risks: risks
            .into_iter()
            .filter(|risk| population.is_some() || risk.model != "journalist")
            .collect(),
        threshold: THRESHOLD,
        sensitive: sensitive
            .iter()
            .map(|column| {
                described(&Asked {
                    relation,
                    keys,
                    sensitive: column,
                    null_matches,
                })
            })
            .collect::<Result<_>>()?,
    })
}

fn nulls(relation: &Relation, keys: &[Column]) -> Result<(u64, Vec<u64>)> {
    let found = spi::read(&statement::nulls(relation, keys), &[], |row| {
        let each: Vec<i64> = row.required(2)?;
        let each = each.into_iter().map(i64::unsigned_abs).collect();
        Ok((row.required::<i64>(1)?.unsigned_abs(), each))
    })?;
    let found = found.into_iter().next();
    found.ok_or_else(|| Error::new(Kind::Internal, "a count gave no row"))
}

/// All that one look at the classes tells of a column. A distance that its values do not have is
/// left out: of what has no numbers, and of what is not finite.
fn described(asked: &Asked<'_>) -> Result<Sensitive> {
    let is_measured = asked.sensitive.of.is_measured();
    let (whole, numbers) = match is_measured {
        true => numbers(asked)?,
        false => (whole(asked, false)?, Vec::new()),
    };
    let mut distances = [Some(Ready::Equal), None, None];
    if is_measured {
        let present = whole.present();
        if let Some(numeric) = Numeric::new(&present, &numbers) {
            distances[2] = Some(Ready::Numeric(Some(numeric), present.clone()));
        }
        distances[1] = Some(Ready::Ordered(Ordered::new(&present), present));
    }
    let mut seen = (Diversity::new(), Disclosure::new());
    let mut farthest = [Farthest::default(); 3];
    each_class(asked, &whole, |class| {
        seen.0.add(&mut class.counts());
        seen.1.add(class, &whole);
        for (distance, farthest) in distances.iter_mut().zip(&mut farthest) {
            if let Some(distance) = distance {
                farthest.take(distance.of(class, &whole));
            }
        }
    })?;
    let (diversity, disclosure) = seen;
    let [equal, ordered, numeric] = farthest.map(Farthest::value);
    Ok(Sensitive {
        column: asked.sensitive.name.clone(),
        values: whole.values(),
        nulls: whole.nulls(),
        distinct: diversity.distinct(),
        entropy: diversity.entropy(),
        recursive: diversity
            .usual_l()
            .and_then(|l| Some((l, diversity.recursive(l)?))),
        alpha: diversity.alpha(),
        equal,
        ordered,
        numeric,
        delta: disclosure.delta(),
        delta_finite: disclosure.delta_finite(),
        beta: disclosure.beta(),
        beta_enhanced: disclosure.enhanced_beta(),
    })
}
