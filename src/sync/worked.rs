//! What the masks of a run have cost, column by column, for the record.

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

use super::clock::{Beside, Timed};
use super::masks::Place;
use super::redraw::Seen;

/// What the masks of a column have cost.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Worked {
    /// The column.
    pub place: Place,
    /// Calls, and what one took.
    pub timed: Timed,
    /// Values that were drawn again.
    pub redrawn: u64,
}

/// Where the time of the load of a table went, beside its masks.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Divided {
    /// Seconds of the commitments of its lineage.
    pub commitment: f64,
    /// Seconds of the scan for what gives rows away.
    pub leak_scan: f64,
    /// Seconds of making the rows and of writing them, where they were timed apart.
    pub apart: Option<(f64, f64)>,
}

impl Divided {
    /// That of the load that has just ended.
    pub fn taken(apart: Option<(f64, f64)>) -> Self {
        Self {
            commitment: Beside::Commitment.taken().seconds(),
            leak_scan: Beside::LeakScan.taken().seconds(),
            apart,
        }
    }

    /// As the ledger has it, in milliseconds: `commitment`, `leak_scan`, and where it was asked for
    /// `making` the rows and `writing` them.
    pub fn entry(&self, milliseconds: impl Fn(f64) -> Value) -> Value {
        let mut of = Map::from_iter([
            ("commitment".to_owned(), milliseconds(self.commitment)),
            ("leak_scan".to_owned(), milliseconds(self.leak_scan)),
        ]);
        if let Some((making, writing)) = self.apart {
            of.insert("making".to_owned(), milliseconds(making));
            of.insert("writing".to_owned(), milliseconds(writing));
        }
        of.into()
    }
}

/// Adds up the masks of each column; what orders tokens is none.
pub fn worked(
    masks: Vec<(Place, Timed)>,
    redrawn: &BTreeMap<(String, String), Seen>,
) -> Vec<Worked> {
    let mut columns: Vec<Worked> = Vec::new();
    for (place, timed) in masks
        .into_iter()
        .filter(|(place, _)| !place.column.is_empty())
    {
        match columns.iter_mut().find(|of| of.place == place) {
            Some(of) => of.timed = both(of.timed, timed),
            None => {
                let named = (place.table.clone(), place.column.clone());
                let redrawn = redrawn.get(&named).map_or(0, |seen| seen.redrawn);
                columns.push(Worked {
                    place,
                    timed,
                    redrawn,
                });
            }
        }
    }
    columns
}

/// Two masks of one column: a call of both is one of each.
fn both(one: Timed, other: Timed) -> Timed {
    let calls = one.calls + other.calls;
    let sum = |timed: Timed| timed.nanoseconds.map(|of| of.saturating_mul(timed.calls));
    let all = match (sum(one), sum(other)) {
        (None, None) => None,
        (a, b) => Some(a.unwrap_or(0).saturating_add(b.unwrap_or(0))),
    };
    Timed {
        calls,
        nanoseconds: all.and_then(|all| all.checked_div(calls)),
    }
}

/// The columns of each table as the ledger has them: `calls`, `ns` of one where it is known, and
/// `redrawn` where there are some.
pub fn entry(columns: &[Worked]) -> Value {
    let mut tables: Map<String, Value> = Map::new();
    for Worked {
        place,
        timed,
        redrawn,
    } in columns
    {
        let mut of = Map::from_iter([("calls".to_owned(), json!(timed.calls))]);
        if let Some(nanoseconds) = timed.nanoseconds {
            of.insert("ns".to_owned(), json!(nanoseconds));
        }
        if *redrawn > 0 {
            of.insert("redrawn".to_owned(), json!(redrawn));
        }
        let table = tables.entry(&*place.table).or_insert_with(|| json!({}));
        table[&*place.column] = of.into();
    }
    tables.into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn masks_of_a_column_are_added_up() {
        let place = |table: &str, column: &str| Place {
            table: table.to_owned(),
            column: column.to_owned(),
        };
        let timed = |calls, nanoseconds| Timed { calls, nanoseconds };
        let seen = Seen {
            values: 10,
            redrawn: 3,
            attempts: 4,
        };
        let redrawn = BTreeMap::from([(("t".to_owned(), "b".to_owned()), seen)]);
        let masks = vec![
            (place("t", "a"), timed(10, Some(100))),
            (place("t", "a"), timed(30, Some(20))),
            (place("t", "b"), timed(10, None)),
            (place("", ""), timed(99, Some(1))),
        ];
        let worked = worked(masks, &redrawn);
        assert_eq!(
            entry(&worked),
            json!({"t": {"a": {"calls": 40, "ns": 40}, "b": {"calls": 10, "redrawn": 3}}})
        );
        assert_eq!(both(timed(0, None), timed(0, None)), timed(0, None));
    }
}
