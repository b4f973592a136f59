//! The statement that sums exactly, in two stages: what each unit has in each group, then what groups
//! have of their units. Nothing in it can fail for a value, and nothing that is not of the server is
//! called.

use super::column::{
    clamped_mean, clamped_total, condition, group, hash, in_keys, is_floating, sums, value,
};
use super::dataset::{Column, Dataset};
use super::filter::Condition;
use super::question::Measure;
use crate::pg::ident::{qualified, quote};
use crate::privacy::answer::quantile::POINTS;
use crate::privacy::answer::range::Range;

/// What is asked, put together.
pub struct Query<'a> {
    /// The data set.
    pub dataset: &'a Dataset,
    /// The columns of the groups.
    pub groups: Vec<&'a Column>,
    /// Which rows it is about.
    pub conditions: Vec<Condition>,
    /// In how many groups a unit counts; none where it may be in all there are.
    pub max_groups: Option<u32>,
    /// By which chance those are taken of a unit that is in more: nobody knows them.
    pub seeds: [u64; 2],
}

impl Query<'_> {
    /// For each group its keys, and of each measure its numbers, in steps: of a mean the sum of twice the
    /// distances from the middle and how many units have a value; the number of units is the first.
    pub fn sums(&self, measures: &[Measure]) -> String {
        let mut numbers = vec!["pg_catalog.count(*)".to_owned()];
        for (at, measure) in measures.iter().enumerate() {
            match measure {
                Measure::Units | Measure::Quantile(..) => {}
                Measure::Rows(most) => numbers.push(format!("pg_catalog.sum(LEAST(k.n, {most}))")),
                Measure::Sum(..) => numbers.push(format!("pg_catalog.sum(k.x{at})")),
                Measure::Mean(_, range) => {
                    let middle = range.lower + range.upper;
                    numbers.push(format!(
                        "pg_catalog.sum(2 OPERATOR(pg_catalog.*) k.x{at} OPERATOR(pg_catalog.-) \
                         ({middle})::bigint)"
                    ));
                    numbers.push(format!("pg_catalog.count(k.x{at})"));
                }
            }
        }
        let texts: Vec<String> = numbers
            .iter()
            .map(|number| format!("(COALESCE({number}, 0))::text"))
            .collect();
        self.grouped(measures, &format!("ARRAY[{}]", texts.join(", ")), None)
    }

    /// For each group and point how many units have their mean there, of one measure: the point is the
    /// last one that is not above the mean.
    pub fn points(&self, measure: &Measure, range: &Range) -> String {
        let last = POINTS - 1;
        let width = range.upper - range.lower;
        let point = format!(
            "((k.x0 OPERATOR(pg_catalog.-) ({})::bigint) OPERATOR(pg_catalog.*) {last}::bigint \
             OPERATOR(pg_catalog./) {width}::bigint)",
            range.lower
        );
        let texts = format!("ARRAY[({point})::text, (pg_catalog.count(*))::text]");
        self.grouped(std::slice::from_ref(measure), &texts, Some(&point))
    }

    /// Of units with a value, a `point` groups too.
    fn grouped(&self, measures: &[Measure], numbers: &str, point: Option<&str>) -> String {
        let unit = quote(&self.dataset.unit);
        let (schema, table) = &self.dataset.table;
        let names: Vec<String> = (0..self.groups.len()).map(|at| format!("g{at}")).collect();
        let mut read = vec![format!("s.{unit} AS u")];
        for (at, column) in self.groups.iter().enumerate() {
            read.push(format!("{} AS g{at}", group(column)));
        }
        let mut totals = vec!["pg_catalog.count(*) AS n".to_owned()];
        let mut within = vec!["t.n".to_owned()];
        // What is used twice is computed once for each row behind it.
        let mut fence = "";
        for (at, measure) in measures.iter().enumerate() {
            let (Measure::Sum(name, range)
            | Measure::Mean(name, range)
            | Measure::Quantile(name, range, _)) = measure
            else {
                continue;
            };
            let Ok(column) = self.dataset.column(name) else {
                continue;
            };
            read.push(format!("{} AS v{at}", value(column, range)));
            totals.extend(sums(column, at));
            if is_floating(column) {
                fence = " OFFSET 0";
            }
            let of_unit = match measure {
                Measure::Sum(..) => clamped_total(column, range, at),
                _ => {
                    totals.push(format!("pg_catalog.count(r.v{at}) AS c{at}"));
                    clamped_mean(column, range, at)
                }
            };
            // Bounds are never what somebody has who has nothing.
            within.push(format!(
                "CASE WHEN t.s{at} IS NOT NULL THEN {of_unit} END AS x{at}"
            ));
        }
        let mut conditions = vec![format!("s.{unit} IS NOT NULL")];
        conditions.extend(self.groups.iter().map(|column| in_keys(column)));
        conditions.extend(self.conditions.iter().map(condition));
        let listed = |alias: &str| -> Vec<String> {
            names.iter().map(|name| format!("{alias}.{name}")).collect()
        };
        let of_unit = [vec!["r.u".to_owned()], listed("r")].concat().join(", ");
        within.extend(listed("t"));
        let mut having = vec![];
        if let Some(most) = self.max_groups {
            within.push(format!("{} AS rank", self.rank()));
            having.push(format!("k.rank OPERATOR(pg_catalog.<=) {most}"));
        }
        if point.is_some() {
            having.push("k.x0 IS NOT NULL".to_owned());
        }
        let filter = match having.is_empty() {
            true => String::new(),
            false => format!(" WHERE {}", having.join(" AND ")),
        };
        let keys: Vec<String> = listed("k")
            .iter()
            .map(|key| format!("({key})::text"))
            .collect();
        let mut grouped = listed("k");
        grouped.extend(point.map(str::to_owned));
        let group_by = match grouped.is_empty() {
            true => String::new(),
            false => format!(" GROUP BY {}", grouped.join(", ")),
        };
        format!(
            "WITH r AS (SELECT {} FROM {} AS s WHERE {}{fence}), \
             t AS (SELECT {of_unit}, {} FROM r GROUP BY {of_unit}), \
             k AS (SELECT {} FROM t) \
             SELECT ARRAY[{}]::text[], {numbers} FROM k{filter}{group_by}",
            read.join(", "),
            qualified(schema, table),
            conditions.join(" AND "),
            totals.join(", "),
            within.join(", "),
            keys.join(", "),
        )
    }

    /// The place of a group among those of its unit, by lot; by its keys where two have drawn the same,
    /// so that it depends on no order of rows.
    fn rank(&self) -> String {
        let [first, second] = self
            .seeds
            .map(|seed| format!("'{}'::bigint", seed.cast_signed()));
        let of_unit = hash("t.u", &self.dataset.unit_type, &first);
        let mut lot = format!("({of_unit} OPERATOR(pg_catalog.#) {second})");
        let mut keys = Vec::new();
        for (at, column) in self.groups.iter().enumerate() {
            let name = format!("t.g{at}");
            lot = hash(&name, &column.of, &lot);
            keys.push(name);
        }
        format!(
            "pg_catalog.row_number() OVER (PARTITION BY t.u ORDER BY {lot}, {})",
            keys.join(", ")
        )
    }
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;
    use crate::privacy::release::dataset::Use;

    pub(in crate::privacy::release) fn dataset() -> Dataset {
        let column = |name: &str, of: &str, uses| Column {
            name: name.into(),
            of: of.into(),
            uses,
        };
        let bounds = |lower: &str, upper: &str| Use::Bounds {
            lower: lower.into(),
            upper: upper.into(),
        };
        Dataset {
            name: "people".into(),
            table: ("app".into(), "people".into()),
            unit: "id".into(),
            unit_type: "integer".into(),
            budget: "research".into(),
            columns: vec![
                column("age", "integer", bounds("0", "120")),
                column("amount", "numeric", bounds("0", "99.5")),
                column("weight", "double precision", bounds("0", "200")),
                column("sex", "text", Use::Keys(vec!["F".into(), "M'".into()])),
                column("city", "text", Use::AnyKeys),
            ],
        }
    }

    #[test]
    fn a_statement_quotes_what_it_names() {
        let mut dataset = dataset();
        dataset.unit = "strange \"unit".into();
        let query = Query {
            groups: vec![dataset.column("sex").unwrap()],
            conditions: vec![],
            max_groups: Some(1),
            seeds: [1, u64::MAX],
            dataset: &dataset,
        };
        let sql = query.sums(&[Measure::Units]);
        assert!(sql.contains("s.\"strange \"\"unit\" AS u"), "{sql}");
        assert!(sql.contains("ARRAY['F', 'M''']::text[]"), "{sql}");
        assert!(sql.contains("'-1'::bigint"), "{sql}");
    }
}
