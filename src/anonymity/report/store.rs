//! What a report asks the database.

use super::{Report, Sensitive};
use crate::anonymity::closeness::{Farthest, Numeric, Ordered, equal};
use crate::anonymity::disclosure::Disclosure;
use crate::anonymity::diversity::Diversity;
use crate::anonymity::relation::{Column, Relation};
use crate::anonymity::risk::{self, Records};
use crate::anonymity::statement;
use crate::anonymity::store::{each_class, numbers, sizes, smallest, whole};
use crate::error::{Error, Kind, Result};
use crate::pg::spi;

/// The share above which a record counts as at risk.
const THRESHOLD: f64 = 0.2;

/// Measures everything.
///
/// # Errors
/// 54000 for too many rows; as the interface.
pub fn report(relation: &Relation, keys: &[Column], sensitive: &[Column]) -> Result<Report> {
    let sizes = sizes(relation, keys, None)?;
    let (rows_with_nulls, nulls) = nulls(relation, keys)?;
    let k = risk::smallest(&sizes);
    let k_null_matches = match rows_with_nulls {
        0 => k,
        _ => smallest(relation, keys, true)?,
    };
    let [prosecutor, _, marketer] = Records::of(&sizes).risks(None, THRESHOLD);
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
        risks: vec![prosecutor, marketer],
        threshold: THRESHOLD,
        sensitive: sensitive
            .iter()
            .map(|column| described(relation, keys, column))
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
/// left out: of what has no numbers, of NULL, of what is not finite.
fn described(relation: &Relation, keys: &[Column], column: &Column) -> Result<Sensitive> {
    let (whole, numbers) = match column.of.is_measured() {
        true => numbers(relation, column)?,
        false => (whole(relation, column, None, |_| Ok(()))?, Vec::new()),
    };
    let is_in_order = column.of.is_measured() && whole.nulls() == 0;
    let ordered = is_in_order.then(|| Ordered::new(&whole));
    let numeric = match is_in_order {
        true => Numeric::new(&whole, &numbers),
        false => None,
    };
    let mut seen = (Diversity::new(), Disclosure::new());
    let mut farthest = [Farthest::default(); 3];
    each_class(relation, keys, column, |class| {
        let mut counts: Vec<u64> = class.values.iter().map(|(_, count)| *count).collect();
        seen.0.add(&mut counts);
        seen.1.add(&class, &whole);
        farthest[0].take(equal(&class, &whole));
        if let Some(ordered) = &ordered {
            farthest[1].take(ordered.distance(&class, &whole));
        }
        if let Some(numeric) = &numeric {
            farthest[2].take(numeric.distance(&class, &whole));
        }
    })?;
    let (diversity, disclosure) = seen;
    let [equal, ordered, numeric] = farthest.map(Farthest::value);
    Ok(Sensitive {
        column: column.name.clone(),
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
