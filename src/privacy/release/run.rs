//! One release, from the question to the noisy rows.

use std::collections::BTreeMap;

use serde_json::{Map, Value};

use super::dataset::{Dataset, Use, store};
use super::filter::{Condition, conditions};
use super::query::Query;
use super::question::{Measure, measures, parts};
use crate::error::{Error, Kind, Result};
use crate::keys::random;
use crate::privacy::amount::{Delta, Epsilon};
use crate::privacy::answer::interval::{half_width, threshold};
use crate::privacy::answer::mean::{halves, mean_of};
use crate::privacy::answer::quantile::choose;
use crate::privacy::answer::{laplace, noisy};
use crate::privacy::charge::{self, Bill};
use crate::strategies::Datum;
use crate::strategies::measure::laplace::Coins;

/// What is asked.
pub struct Asked<'a> {
    /// The measures, as a document.
    pub measures: &'a Value,
    /// The price of all of it.
    pub epsilon: Epsilon,
    /// The columns of the groups.
    pub group_by: Vec<String>,
    /// Which rows it is about, as a document.
    pub filter: Option<&'a Value>,
    /// In how many groups a unit counts.
    pub max_groups: u32,
    /// The price in δ of groups that are not known beforehand.
    pub delta: Delta,
    /// Whether only the costs are asked for.
    pub is_dry: bool,
}

/// A measure of a group, with noise.
pub struct Answer {
    /// The keys of the group, by column.
    pub keys: Value,
    /// Which measure.
    pub measure: String,
    /// The noisy value; none in a dry run.
    pub value: Option<String>,
    /// The ends of its interval of 95 %, where there is one; in a dry run as from 0.
    pub interval: Option<(String, String)>,
    /// What the measure cost, of all groups together.
    pub epsilon: Epsilon,
}

/// Answers a question about a data set: charged first.
///
/// # Errors
/// 42704 without such a data set; 22023, 42703, 0A000 for what cannot be asked; as
/// [`charge::charge`]; 55000 when the table is not the one that was registered.
pub fn release(name: &str, asked: &Asked<'_>) -> Result<Vec<Answer>> {
    let (dataset, owner) = store::find(name)?;
    let measures = measures(&dataset, asked.measures)?;
    let conditions = match asked.filter {
        Some(filter) => conditions(&dataset, filter)?,
        None => Vec::new(),
    };
    let plan = Plan::new(&dataset, asked, &measures)?;
    store::check_literals(&conditions)?;
    if asked.is_dry {
        return Ok(plan.costs());
    }
    charge::charge(
        &dataset.budget,
        &Bill {
            about: name,
            how: plan.how(),
            epsilon: asked.epsilon,
            delta: plan.delta,
        },
    )?;
    plan.answer(conditions, owner)
}

/// A question that can be answered: which groups, and how much of ε is for what.
struct Plan<'a> {
    dataset: &'a Dataset,
    measures: &'a [Measure],
    groups: Vec<&'a super::dataset::Column>,
    /// All groups that there can be; none where they are not known.
    keys: Option<Vec<Vec<String>>>,
    max_groups: u32,
    shares: Vec<Epsilon>,
    of_threshold: Epsilon,
    delta: Delta,
}

impl<'a> Plan<'a> {
    fn new(dataset: &'a Dataset, asked: &Asked<'_>, measures: &'a [Measure]) -> Result<Self> {
        let groups = asked
            .group_by
            .iter()
            .map(|name| dataset.column(name))
            .collect::<Result<Vec<_>>>()?;
        let invalid = |argument: &str, detail: &str| {
            let message = format!("invalid value for argument \"{argument}\"");
            Error::new(Kind::InvalidParameter, message).with_detail(detail)
        };
        let mut keys = Some(vec![Vec::new()]);
        for (at, group) in groups.iter().enumerate() {
            if groups[..at].contains(group) {
                return Err(invalid("group_by", "A column stands there twice."));
            }
            keys = match (&group.uses, keys) {
                (Use::Bounds { .. }, _) => {
                    return Err(invalid(
                        "group_by",
                        "It takes columns that were registered with keys.",
                    ));
                }
                (Use::Keys(of), Some(before)) => Some(product(&before, of)),
                _ => None,
            };
            if keys.as_ref().is_some_and(|keys| keys.len() > MOST_GROUPS) {
                return Err(invalid(
                    "group_by",
                    "There would be more than 100,000 groups.",
                ));
            }
        }
        let (delta, count) = match (&keys, asked.delta > Delta::ZERO) {
            (Some(_), false) => (Delta::ZERO, measures.len()),
            (None, true) => (asked.delta, measures.len() + 1),
            (Some(_), true) => {
                return Err(invalid("delta", "Groups with public keys need none."));
            }
            (None, false) => {
                return Err(invalid(
                    "delta",
                    "Groups by keys that are not public need a delta above 0.",
                ));
            }
        };
        let known = keys.as_ref().map_or(usize::MAX, Vec::len);
        let known = u32::try_from(known).unwrap_or(u32::MAX);
        let max_groups = asked.max_groups.min(known);
        if max_groups == 0 {
            return Err(invalid("max_groups", "It must be at least 1."));
        }
        let mut shares = parts(asked.epsilon, count);
        let of_threshold = match keys {
            Some(_) => Epsilon::ZERO,
            None => shares.pop().unwrap_or_default(),
        };
        let plan = Self {
            dataset,
            measures,
            groups,
            keys,
            max_groups,
            shares,
            of_threshold,
            delta,
        };
        plan.check()?;
        Ok(plan)
    }

    /// Whether there is noise for every part: known before anything is charged.
    fn check(&self) -> Result<()> {
        for (measure, &share) in self.measures.iter().zip(&self.shares) {
            match measure {
                Measure::Quantile(_, range, _) => range.check_apart()?,
                Measure::Mean(..) => {
                    let [of_sum, of_count] = halves(share);
                    laplace(self.reach(measure.sensitivity()), of_sum)?;
                    laplace(self.reach(1), of_count)?;
                }
                _ => {
                    laplace(self.reach(measure.sensitivity()), share)?;
                }
            }
        }
        if self.keys.is_none() {
            laplace(self.reach(1), self.of_threshold)?;
        }
        Ok(())
    }

    /// The sensitivity of a measure over all groups that a unit may be in.
    fn reach(&self, sensitivity: u64) -> u64 {
        sensitivity.saturating_mul(self.max_groups.into())
    }

    /// Whether a unit may be in more groups than it counts in.
    fn is_bounded(&self) -> bool {
        let count = self.keys.as_ref().map(Vec::len);
        count.is_none_or(|count| u32::try_from(count).is_ok_and(|count| count > self.max_groups))
    }

    /// The part of an ε for one of those groups.
    fn of_group(&self, epsilon: Epsilon) -> Epsilon {
        Epsilon::of_units(epsilon.units() / i64::from(self.max_groups)).unwrap_or_default()
    }

    /// What the journal keeps.
    fn how(&self) -> String {
        let shown: Vec<String> = self.measures.iter().map(Measure::shown).collect();
        format!(
            "release of {}; a unit in at most {} groups{}",
            shown.join(", "),
            self.max_groups,
            match self.keys {
                Some(_) => String::new(),
                None => format!("; delta {}", self.delta),
            }
        )
    }

    fn costs(&self) -> Vec<Answer> {
        let measures = self.measures.iter().zip(&self.shares);
        measures
            .map(|(measure, &share)| Answer {
                keys: Value::Object(Map::new()),
                measure: measure.shown(),
                value: None,
                interval: self.half(measure, share).map(|half| {
                    let half = half.to_string();
                    (format!("-{half}"), half)
                }),
                epsilon: share,
            })
            .collect()
    }

    /// Half the width of the interval of a count or a sum, in units of the type.
    fn half(&self, measure: &Measure, share: Epsilon) -> Option<f64> {
        let steps = || half_width(self.reach(measure.sensitivity()), share, 0.95);
        match measure {
            Measure::Units | Measure::Rows(_) => Some(steps()),
            Measure::Sum(_, range) => Some(steps() * range.step()),
            Measure::Mean(..) | Measure::Quantile(..) => None,
        }
    }

    fn answer(&self, conditions: Vec<Condition>, owner: store::Owner) -> Result<Vec<Answer>> {
        let [first, second] = random::words::<2>()?;
        let query = Query {
            dataset: self.dataset,
            groups: self.groups.clone(),
            conditions,
            max_groups: self.is_bounded().then_some(self.max_groups),
            seeds: [first, second],
        };
        let sums: BTreeMap<_, _> = owner
            .sums(&query.sums(self.measures))?
            .into_iter()
            .collect();
        // Of each column once, however many quantiles of it are asked for.
        let mut points = BTreeMap::new();
        for measure in self.measures {
            if let Measure::Quantile(column, range, _) = measure
                && !points.contains_key(column.as_str())
            {
                points.insert(
                    column.as_str(),
                    owner.points(&query.points(measure, range))?,
                );
            }
        }
        let mut answers = Vec::new();
        for keys in self.shown(&sums)? {
            let none = Vec::new();
            let mut numbers = sums.get(&keys).unwrap_or(&none).iter().copied();
            let units = numbers.next().unwrap_or(0);
            for (measure, &share) in self.measures.iter().zip(&self.shares) {
                let (value, interval) = match measure {
                    Measure::Quantile(column, range, of) => {
                        let none = Vec::new();
                        let of_column = points.get(column.as_str());
                        let counts = of_column.and_then(|points| points.get(&keys));
                        let counts = counts.unwrap_or(&none);
                        let coins = &mut Coins::new(random::word);
                        let at = choose(counts, *of, range, self.of_group(share), coins)?;
                        (shown(&range.value(at)), None)
                    }
                    Measure::Mean(_, range) => {
                        let (sum, count) = (numbers.next(), numbers.next());
                        let sums = (sum.unwrap_or(0), count.unwrap_or(0));
                        let coins = &mut Coins::new(random::word);
                        let mean = mean_of(sums, range, self.max_groups, share, coins)?;
                        (
                            mean.value.to_string(),
                            Some((mean.low.to_string(), mean.high.to_string())),
                        )
                    }
                    _ => {
                        let exact = match measure {
                            Measure::Units => units,
                            _ => numbers.next().unwrap_or(0),
                        };
                        self.sum(measure, exact, share)?
                    }
                };
                answers.push(Answer {
                    keys: self.named(&keys),
                    measure: measure.shown(),
                    value: Some(value),
                    interval,
                    epsilon: share,
                });
            }
        }
        Ok(answers)
    }

    fn sum(
        &self,
        measure: &Measure,
        exact: i128,
        share: Epsilon,
    ) -> Result<(String, Option<(String, String)>)> {
        let sensitivity = self.reach(measure.sensitivity());
        let noisy = noisy(exact, sensitivity, share, &mut Coins::new(random::word))?;
        #[allow(clippy::cast_possible_truncation, reason = "far below 2^127")]
        let half = half_width(sensitivity, share, 0.95) as i128;
        let text = |at: i128| match measure {
            Measure::Sum(_, range) => shown(&range.value(at)),
            _ => at.to_string(),
        };
        Ok((
            text(noisy),
            Some((
                text(noisy.saturating_sub(half)),
                text(noisy.saturating_add(half)),
            )),
        ))
    }

    /// The groups that are shown: all that can be, or those in which enough units are.
    fn shown(&self, sums: &BTreeMap<Vec<String>, Vec<i128>>) -> Result<Vec<Vec<String>>> {
        if let Some(keys) = &self.keys {
            return Ok(keys.clone());
        }
        let least = threshold(self.max_groups, self.of_threshold, self.delta);
        let mut shown = Vec::new();
        for (keys, numbers) in sums {
            let units = numbers.first().copied().unwrap_or(0);
            let coins = &mut Coins::new(random::word);
            let count = noisy(units, self.reach(1), self.of_threshold, coins)?;
            #[allow(clippy::cast_precision_loss, reason = "counts are far below 2^53")]
            if count as f64 >= least {
                shown.push(keys.clone());
            }
        }
        Ok(shown)
    }

    fn named(&self, keys: &[String]) -> Value {
        let names = self.groups.iter().map(|group| group.name.clone());
        let keys = keys.iter().map(|key| Value::from(key.as_str()));
        Value::Object(names.zip(keys).collect())
    }
}

fn product(before: &[Vec<String>], keys: &[String]) -> Vec<Vec<String>> {
    before
        .iter()
        .flat_map(|first| {
            keys.iter()
                .map(|key| [first.clone(), vec![key.clone()]].concat())
        })
        .take(MOST_GROUPS + 1)
        .collect()
}

fn shown(value: &Datum<'_>) -> String {
    match value {
        Datum::Int(number) => number.to_string(),
        Datum::Float(number) => number.to_string(),
        Datum::Numeric(text) => text.to_string(),
        _ => String::new(),
    }
}

const MOST_GROUPS: usize = 100_000;
