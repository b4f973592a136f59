//! `date_shift`: a date or a point in time, moved by a keyed number of days.
//!
//! All dates of one entity move by the same distance, so that what lies between them stays true;
//! without an entity each value decides for itself, and nothing between two values is kept. The
//! distance is never 0. The time of day stays, unless the shift is counted in seconds. Infinities
//! stay: they are nobody's date. Beyond the type's range the last value there is stands.
//! Source of the idea: MIMIC's de-identification (Neamatullah et al. 2008) shifts per patient.

use super::origin::drawn_from;
use crate::error::{Error, Kind as Fault, Result};
use crate::strategies::calendar::{self, DAY, SECOND, TIME_MAX, TIME_MIN};
use crate::strategies::definition::{
    Apply, Definition, ENTITY, Needs, Parsed, Properties, Row, Seed, Subkeys, mismatch,
};
use crate::strategies::keyed::Keyed;
use crate::strategies::params::{ParamError, ParamKind, ParamSpec, Reader};
use crate::strategies::{Datum, Kind, ValueType};

/// `date_shift` in the list of strategies.
///
/// # Examples
///
/// ```
/// use confiture::strategies::{
///     Datum, Input, Kind, Params, Row, Seed, Strategy, Subkeys, Value, ValueType,
/// };
///
/// let params = Params::from([("max_days".to_owned(), Value::Int(30))]);
/// let keys = Subkeys::new(&[7; 32], &[8; 32]);
/// let strategy = Strategy::new(Kind::DateShift, &params)?;
/// let mask = strategy.mask(&keys, Seed::new(1), ValueType::Date)?;
/// let row = [Input::One("17")];
/// let shifted = |day| match mask.apply(Datum::Date(day), Row(&row)) {
///     Ok(Some(Datum::Date(made))) => made - day,
///     other => panic!("{other:?}"),
/// };
/// // All dates of one entity move together.
/// assert!(shifted(8_000) == shifted(9_000) && shifted(8_000).abs() <= 30);
/// # Ok::<(), confiture::error::Error>(())
/// ```
pub const DEFINITION: Definition = Definition {
    name: "date_shift",
    version: 1,
    about: "Date moved by a keyed distance, the same for all dates of an entity",
    accepts: ValueType::TIMES,
    params: PARAMS,
    inputs: &[ENTITY],
    needs: Needs::Key,
    refuses: false,
    example: "anon_date_shift(DATE '1987-06-05', entity => '17', max_days => 30)",
    sample: "{}",
    parse: |reader| Ok(Box::new(Shift::new(reader)?)),
};

/// The parameters of `date_shift`, checked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Shift {
    max_days: u16,
    direction: Direction,
    keep_weekday: bool,
    in_seconds: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Direction {
    Both,
    Past,
    Future,
}

impl Shift {
    fn new(reader: &Reader<'_>) -> Result<Self, ParamError> {
        let shift = Self {
            max_days: reader.int("max_days", 365, 1..=36_500)?,
            direction: reader.word("direction", &DIRECTIONS)?,
            keep_weekday: reader.bool("keep_weekday", false),
            in_seconds: reader.word("unit", &UNITS)?,
        };
        if shift.keep_weekday && shift.in_seconds {
            let detail = "A shift in seconds does not keep the weekday.";
            return Err(reader.invalid("keep_weekday", detail));
        }
        if shift.keep_weekday && shift.max_days < 7 {
            return Err(reader.invalid("max_days", "To keep the weekday it must be at least 7."));
        }
        Ok(shift)
    }

    /// The length of a step in microseconds, and the most steps in one direction.
    fn steps(self) -> (i64, u64) {
        let days = u64::from(self.max_days);
        match (self.in_seconds, self.keep_weekday) {
            (true, _) => (SECOND, days * 86_400),
            (false, true) => (7 * DAY, days / 7),
            (false, false) => (DAY, days),
        }
    }
}

impl Parsed for Shift {
    fn properties(&self, _: ValueType) -> Properties {
        Properties {
            keeps_format: true,
            ..Properties::KEYED
        }
    }

    fn output_limit(&self, _: Option<usize>) -> Option<usize> {
        None
    }

    fn compile(&self, keys: &Subkeys<'_>, seed: Seed, of: ValueType) -> Result<Box<dyn Apply>> {
        if of == ValueType::Date && self.in_seconds {
            let message = "invalid value for parameter \"unit\" of strategy \"date_shift\"";
            let error = Error::new(Fault::InvalidParameter, message);
            return Err(error.with_detail("A date has no seconds."));
        }
        let (step, steps) = self.steps();
        Ok(Box::new(Mask {
            keyed: Keyed::new(Kind::DateShift, keys.masking, seed),
            direction: self.direction,
            step,
            steps,
            of,
        }))
    }
}

/// `date_shift` with its key.
struct Mask {
    keyed: Keyed,
    direction: Direction,
    step: i64,
    steps: u64,
    of: ValueType,
}

impl Mask {
    /// The distance in microseconds: at most 36 500 days.
    fn distance(&self, origin: &[u8]) -> i64 {
        let mut stream = self.keyed.stream(origin);
        let (past, drawn) = match self.direction {
            Direction::Past => (true, stream.below_u64(self.steps)),
            Direction::Future => (false, stream.below_u64(self.steps)),
            Direction::Both => {
                let drawn = stream.below_u64(2 * self.steps);
                (drawn < self.steps, drawn % self.steps)
            }
        };
        let steps = i64::try_from(drawn + 1).unwrap_or(1);
        self.step * if past { -steps } else { steps }
    }
}

impl Apply for Mask {
    fn apply<'a>(&self, value: Datum<'a>, row: Row<'_>) -> Result<Option<Datum<'a>>> {
        Ok(Some(match value {
            Datum::Date(i32::MIN | i32::MAX) | Datum::Timestamp(i64::MIN | i64::MAX) => value,
            Datum::Date(days) => {
                let distance = self.distance(&drawn_from(&value, row)) / DAY;
                Datum::Date(calendar::date(i64::from(days) + distance))
            }
            Datum::Timestamp(time) => {
                let distance = self.distance(&drawn_from(&value, row));
                Datum::Timestamp(time.saturating_add(distance).clamp(TIME_MIN, TIME_MAX))
            }
            _ => return Err(mismatch(DEFINITION.name, self.of)),
        }))
    }
}

const DIRECTIONS: [(&str, Direction); 3] = [
    ("both", Direction::Both),
    ("past", Direction::Past),
    ("future", Direction::Future),
];
const UNITS: [(&str, bool); 2] = [("days", false), ("seconds", true)];

const PARAMS: &[ParamSpec] = &[
    ParamSpec::new(
        "max_days",
        ParamKind::Int,
        "365",
        "The farthest a date moves, 1 to 36500 days.",
    ),
    ParamSpec::new(
        "direction",
        ParamKind::Text,
        "both",
        "both, past or future.",
    ),
    ParamSpec::new(
        "keep_weekday",
        ParamKind::Bool,
        "false",
        "Whether it moves by whole weeks, so that a Monday stays a Monday.",
    ),
    ParamSpec::new(
        "unit",
        ParamKind::Text,
        "days",
        "days keeps the time of day, seconds changes it too.",
    )
    .only(&[ValueType::Timestamp, ValueType::Timestamptz]),
];

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;
    use crate::strategies::params::Value;
    use crate::strategies::{Input, Strategy};

    fn strategy(params: &[(&str, Value)]) -> Result<Strategy, ParamError> {
        let params = params.iter().map(|(k, v)| ((*k).to_owned(), v.clone()));
        Strategy::new(Kind::DateShift, &params.collect())
    }

    fn mask(params: &[(&str, Value)], of: ValueType) -> crate::strategies::Mask {
        let keys = Subkeys::new(&[7; 32], &[8; 32]);
        strategy(params)
            .unwrap()
            .mask(&keys, Seed::new(1), of)
            .unwrap()
    }

    fn date(mask: &crate::strategies::Mask, days: i32, entity: Option<&str>) -> i64 {
        let inputs = entity.map(|entity| [Input::One(entity)]);
        let row = inputs.as_ref().map_or(Row::NONE, |inputs| Row(inputs));
        match mask.apply(Datum::Date(days), row).unwrap() {
            Some(Datum::Date(days)) => days.into(),
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn date_shift_never_stays_and_reaches_every_distance() {
        for (direction, expected) in [
            ("both", vec![-3, -2, -1, 1, 2, 3]),
            ("past", vec![-3, -2, -1]),
            ("future", vec![1, 2, 3]),
        ] {
            let params = [
                ("max_days", Value::Int(3)),
                ("direction", Value::from(direction)),
            ];
            let mask = mask(&params, ValueType::Date);
            let seen: BTreeSet<i64> = (0..500)
                .map(|day| date(&mask, day, None) - i64::from(day))
                .collect();
            assert_eq!(seen.into_iter().collect::<Vec<_>>(), expected);
        }
    }

    #[test]
    fn date_shift_moves_an_entity_as_a_whole() {
        let dates = mask(&[], ValueType::Date);
        let times = mask(&[], ValueType::Timestamptz);
        let distance = date(&dates, 0, Some("17"));
        assert_ne!(distance, 0);
        assert_eq!(date(&dates, 5_000, Some("17")), 5_000 + distance);
        let row = [Input::One("17")];
        let noon = DAY / 2 + 1;
        assert_eq!(
            times.apply(Datum::Timestamp(noon), Row(&row)).unwrap(),
            Some(Datum::Timestamp(noon + distance * DAY))
        );
        let others: BTreeSet<i64> = (0..50)
            .map(|n| date(&dates, 0, Some(&n.to_string())))
            .collect();
        assert!(others.len() > 40);
    }

    #[test]
    fn date_shift_keeps_the_weekday_when_asked() {
        let params = [
            ("keep_weekday", Value::Bool(true)),
            ("max_days", Value::Int(20)),
        ];
        let mask = mask(&params, ValueType::Date);
        let seen: BTreeSet<i64> = (0..200)
            .map(|day| date(&mask, day, None) - i64::from(day))
            .collect();
        assert_eq!(seen.into_iter().collect::<Vec<_>>(), [-14, -7, 7, 14]);
    }

    #[test]
    fn date_shift_in_seconds_changes_the_time_of_day() {
        let params = [
            ("unit", Value::from("seconds")),
            ("max_days", Value::Int(1)),
        ];
        let mask = mask(&params, ValueType::Timestamp);
        let moved = (0..100).map(|day| {
            let time = day * DAY;
            match mask.apply(Datum::Timestamp(time), Row::NONE).unwrap() {
                Some(Datum::Timestamp(moved)) => moved - time,
                other => panic!("{other:?}"),
            }
        });
        let moved: Vec<i64> = moved.collect();
        assert!(
            moved
                .iter()
                .all(|by| *by != 0 && by.abs() <= DAY && by % SECOND == 0)
        );
        assert!(moved.iter().any(|by| by % DAY != 0));
    }

    #[test]
    fn date_shift_keeps_infinities_and_stops_at_the_ends() {
        let dates = mask(&[("direction", Value::from("future"))], ValueType::Date);
        assert_eq!(date(&dates, i32::MAX, None), i64::from(i32::MAX));
        assert_eq!(date(&dates, i32::MIN, Some("17")), i64::from(i32::MIN));
        assert_eq!(
            date(&dates, calendar::DATE_MAX, None),
            i64::from(calendar::DATE_MAX)
        );
        let past = mask(&[("direction", Value::from("past"))], ValueType::Timestamp);
        for time in [i64::MIN, i64::MAX, TIME_MIN] {
            let out = past.apply(Datum::Timestamp(time), Row::NONE).unwrap();
            assert_eq!(out, Some(Datum::Timestamp(time)));
        }
    }

    #[test]
    fn date_shift_refuses_parameters_that_do_not_fit_together() {
        let param = |params: &[(&str, Value)]| strategy(params).unwrap_err().param;
        for days in [0, -1, 36_501] {
            assert_eq!(param(&[("max_days", Value::Int(days))]), "max_days");
        }
        assert_eq!(param(&[("direction", Value::from("up"))]), "direction");
        let weekday = ("keep_weekday", Value::Bool(true));
        assert_eq!(
            param(&[weekday.clone(), ("max_days", Value::Int(6))]),
            "max_days"
        );
        assert_eq!(
            param(&[weekday, ("unit", Value::from("seconds"))]),
            "keep_weekday"
        );
        let seconds = strategy(&[("unit", Value::from("seconds"))]).unwrap();
        let keys = Subkeys::new(&[7; 32], &[8; 32]);
        let error = seconds
            .mask(&keys, Seed::new(1), ValueType::Date)
            .unwrap_err();
        assert_eq!(error.detail(), Some("A date has no seconds."));
    }
}
