//! Sums of floating point inside a server, held against whole numbers that are long enough for all of them.

#[pgrx::pg_schema]
#[allow(
    clippy::cast_possible_truncation,
    reason = "whole numbers below 2^53, and words of which any part will do"
)]
mod tests {
    use std::collections::BTreeMap;

    use pgrx::prelude::*;

    use crate::error::{Error, Kind, Result};
    use crate::pg::spi;
    use crate::pg_test::support::run;
    use crate::privacy::answer::range::Range;
    use crate::privacy::release::column::{clamped_mean, clamped_total};
    use crate::privacy::release::dataset::{Column, Dataset, Use};
    use crate::privacy::release::query::Query;
    use crate::privacy::release::question::Measure;
    use crate::strategies::{Datum, ValueType};

    fn range(lower: f64, upper: f64) -> Result<Range> {
        Range::new(
            ValueType::Float64,
            &Datum::Float(lower),
            &Datum::Float(upper),
        )
    }

    fn not_whole(number: &str) -> Error {
        Error::new(Kind::Internal, format!("no whole number: {number}"))
    }

    fn weight() -> Column {
        Column {
            name: "weight".into(),
            of: "double precision".into(),
            uses: Use::Bounds {
                lower: "0".into(),
                upper: "1".into(),
            },
        }
    }

    /// A value in whole steps: the nearest, the even one of two, and far is far.
    fn place(value: f64, step: f64) -> Option<i128> {
        let far = (1_u64 << 52) as f64;
        match value {
            _ if value.is_nan() => None,
            _ if value.abs() <= far * step => Some((value / step).round_ties_even() as i128),
            _ => Some(far.copysign(value) as i128),
        }
    }

    /// What a release would say before the noise, computed from rows.
    fn expected(rows: &[(i32, f64)], range: &Range) -> Vec<i128> {
        let mut units: BTreeMap<i32, Vec<i128>> = BTreeMap::new();
        for &(unit, value) in rows {
            let values = units.entry(unit).or_default();
            values.extend(place(value, range.step()));
        }
        let count = units.len() as i128;
        units.retain(|_, values| !values.is_empty());
        let totals = units.values().map(|values| values.iter().sum::<i128>());
        let sum = totals.map(|total| range.clamp(total)).sum();
        let means = units.values().map(|values| {
            let mean = values.iter().sum::<i128>().div_euclid(values.len() as i128);
            2 * range.clamp(mean) - (range.lower + range.upper)
        });
        vec![count, sum, means.sum(), units.len() as i128]
    }

    /// What it says.
    fn found(rows: &[(i32, f64)], range: Range) -> Result<Vec<i128>> {
        run("CREATE TEMP TABLE weighed (id integer, weight double precision)")?;
        for some in rows.chunks(500) {
            let rows: Vec<_> = some
                .iter()
                .map(|(unit, value)| format!("({unit}, '{value:e}')"))
                .collect();
            run(&format!("INSERT INTO weighed VALUES {}", rows.join(", ")))?;
        }
        let dataset = Dataset {
            name: "weighed".into(),
            table: ("pg_temp".into(), "weighed".into()),
            unit: "id".into(),
            unit_type: "integer".into(),
            budget: "research".into(),
            columns: vec![weight()],
        };
        let query = Query {
            dataset: &dataset,
            groups: Vec::new(),
            conditions: Vec::new(),
            max_groups: None,
            seeds: [1, 2],
        };
        let measures = [
            Measure::Units,
            Measure::Sum("weight".into(), range),
            Measure::Mean("weight".into(), range),
        ];
        let numbers = spi::rows(&query.sums(&measures), &[], |row| {
            row.required::<Vec<String>>(2)
        })?;
        run("DROP TABLE weighed")?;
        let numbers = numbers.iter().flatten();
        let number = |number: &String| number.parse().map_err(|_| not_whole(number));
        numbers.map(number).collect()
    }

    /// Rows of units that have one or many, of numbers of every size, and of what is none.
    fn rows(range: &Range) -> Vec<(i32, f64)> {
        let mut word = 0x9e37_79b9_7f4a_7c15_u64;
        let mut next = || {
            word ^= word << 13;
            word ^= word >> 7;
            word ^= word << 17;
            word
        };
        let step = range.step();
        let far = step * (1_u64 << 52) as f64;
        let some = [
            f64::NAN,
            f64::INFINITY,
            f64::NEG_INFINITY,
            f64::MAX,
            f64::MIN,
            f64::MIN_POSITIVE,
            -5e-324,
            -0.0,
            step / 2.0,
            -step / 2.0,
            step * 1.5,
            step * -2.5,
            far,
            -far,
            far * 2.0,
            -far * 2.0,
            step * (1_u64 << 26) as f64,
            -step,
        ];
        let mut rows = Vec::new();
        for at in 0..6_000 {
            let unit = (next() % 500) as i32;
            // Some have thousands of rows that are far.
            let (unit, kind) = match at % 3 {
                0 => (unit % 3, next() % 2),
                _ => (unit, next() % 5),
            };
            let value = match kind {
                0 => some[(next() % some.len() as u64) as usize],
                1 => far * ((next() >> 11) as f64 / (1_u64 << 53) as f64 - 0.5),
                2 => f64::from_bits(next()),
                _ => step * (next() as i32) as f64 * 0.3,
            };
            rows.push((unit, value));
        }
        rows
    }

    #[pg_test]
    fn sums_of_floating_point_are_those_of_whole_numbers_in_any_order() -> Result<()> {
        for (lower, upper) in [
            (0.0, 200.0),
            (-0.001, 5.0),
            (-3e12, 1e10),
            (-2e-90, -1e-90),
            (0.0, 1e90),
        ] {
            let range = range(lower, upper)?;
            let mut rows = rows(&range);
            let expected = expected(&rows, &range);
            assert_eq!(found(&rows, range)?, expected, "{lower} to {upper}");
            rows.reverse();
            assert_eq!(found(&rows, range)?, expected, "{lower} to {upper}");
        }
        Ok(())
    }

    #[pg_test]
    fn whatever_two_parts_add_up_to_is_no_error() -> Result<()> {
        let highs: Vec<i64> = [
            0,
            1,
            7,
            1 << 18,
            1 << 26,
            1 << 36,
            1 << 61,
            1 << 62,
            i64::MAX,
        ]
        .into_iter()
        .flat_map(|at| {
            [
                at,
                -at,
                at.wrapping_add(1),
                at.wrapping_neg().wrapping_sub(1),
            ]
        })
        .collect();
        let lows = [
            0,
            1,
            (1 << 26) - 1,
            1 << 26,
            1 << 50,
            1 << 62,
            i64::MAX,
            i64::MIN,
            -1,
        ];
        let counts = [
            1,
            2,
            3,
            1000,
            1 << 35,
            (1 << 36) - 1,
            1 << 36,
            1 << 37,
            i64::MAX,
        ];
        let mut values = Vec::new();
        for &high in &highs {
            for low in lows {
                for count in counts {
                    // So many rows have an upper part of so much at most, and few have no sum that wraps.
                    let few = i128::from(count) <= 1 << 36;
                    let most = i128::from(count) << 26;
                    let fits = i128::from(high).abs() <= most && (0..most).contains(&low.into());
                    if fits || !few {
                        values.push((high, low, count, fits && few));
                    }
                }
            }
        }
        let listed: Vec<_> = values
            .iter()
            .map(|(high, low, count, _)| {
                format!("('{high}'::bigint, '{low}'::bigint, '{count}'::bigint)")
            })
            .collect();
        for (lower, upper) in [(0.0, 200.0), (-3e12, 1e10), (-1.0, 1.0)] {
            let range = range(lower, upper)?;
            let found = spi::rows(
                &format!(
                    "SELECT {}, {} FROM (VALUES {}) AS t (h0, s0, c0)",
                    clamped_total(&weight(), &range, 0),
                    clamped_mean(&weight(), &range, 0),
                    listed.join(", ")
                ),
                &[],
                |row| Ok((row.required::<i64>(1)?, row.required::<i64>(2)?)),
            )?;
            assert_eq!(found.len(), values.len());
            for (&(high, low, count, is_exact), (total, mean)) in values.iter().zip(found) {
                let (total, mean) = (i128::from(total), i128::from(mean));
                assert!(range.clamp(total) == total && range.clamp(mean) == mean);
                let sum = (i128::from(high) << 26) + i128::from(low);
                if is_exact {
                    assert_eq!(total, range.clamp(sum), "{high} {low}");
                    let exact = range.clamp(sum.div_euclid(count.into()));
                    assert_eq!(mean, exact, "{high} {low} {count}");
                }
            }
        }
        Ok(())
    }
}
