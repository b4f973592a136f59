//! The statement that sums exactly, in two stages: what each unit has in each group, then what groups
//! have of their units. Nothing in it can fail for a value, and nothing that is not of the server is
//! called.

use super::dataset::{Column, Dataset, Use};
use super::filter::{Comparison, Condition};
use super::question::Measure;
use crate::pg::ident::{literal, qualified, quote};
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
    /// In how many groups a unit counts.
    pub max_groups: u32,
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
                Measure::Sum(_, range) => numbers.push(format!(
                    "pg_catalog.sum({}) FILTER (WHERE k.c{at} OPERATOR(pg_catalog.>) 0)",
                    clamped(&format!("k.s{at}"), range)
                )),
                Measure::Mean(_, range) => {
                    let has = format!("FILTER (WHERE k.c{at} OPERATOR(pg_catalog.>) 0)");
                    let mean = mean(at, range);
                    let middle = range.lower + range.upper;
                    numbers.push(format!(
                        "pg_catalog.sum(2 OPERATOR(pg_catalog.*) {mean} OPERATOR(pg_catalog.-) \
                         ({middle})::numeric) {has}"
                    ));
                    numbers.push(format!("pg_catalog.count(*) {has}"));
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
            "pg_catalog.floor(({} OPERATOR(pg_catalog.-) ({})::numeric) OPERATOR(pg_catalog.*) \
             {last} OPERATOR(pg_catalog./) {width})",
            mean(0, range),
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
        for (at, group) in self.groups.iter().enumerate() {
            read.push(format!("{} AS g{at}", typed(group)));
        }
        let mut totals = vec!["pg_catalog.count(*) AS n".to_owned()];
        for (at, measure) in measures.iter().enumerate() {
            let (Measure::Sum(column, range)
            | Measure::Mean(column, range)
            | Measure::Quantile(column, range, _)) = measure
            else {
                continue;
            };
            if let Ok(column) = self.dataset.column(column) {
                read.push(format!("{} AS v{at}", steps(column, range)));
                totals.push(format!("pg_catalog.sum(r.v{at}) AS s{at}"));
                totals.push(format!("pg_catalog.count(r.v{at}) AS c{at}"));
            }
        }
        let mut conditions = vec![format!("s.{unit} IS NOT NULL")];
        conditions.extend(self.groups.iter().map(|group| in_keys(group)));
        conditions.extend(self.conditions.iter().map(condition));
        let by: Vec<String> = names.iter().map(|name| format!("r.{name}")).collect();
        let of_unit = [vec!["r.u".to_owned()], by.clone()].concat().join(", ");
        let rank = if names.is_empty() {
            "1".to_owned()
        } else {
            self.rank(&names)
        };
        let shown: Vec<String> = names.iter().map(|name| format!("k.{name}")).collect();
        let keys: Vec<String> = shown.iter().map(|name| format!("({name})::text")).collect();
        let mut grouped = shown.clone();
        grouped.extend(point.map(str::to_owned));
        let group_by = match grouped.is_empty() {
            true => String::new(),
            false => format!(" GROUP BY {}", grouped.join(", ")),
        };
        let valued = match point {
            Some(_) => "k.c0 OPERATOR(pg_catalog.>) 0 AND ",
            None => "",
        };
        format!(
            "WITH r AS (SELECT {} FROM {} AS s WHERE {}), \
             t AS (SELECT {of_unit}, {} FROM r GROUP BY {of_unit}), \
             k AS (SELECT t.*, {rank} AS rank FROM t) \
             SELECT ARRAY[{}]::text[], {numbers} FROM k WHERE {valued}k.rank OPERATOR(pg_catalog.<=) {}{group_by}",
            read.join(", "),
            qualified(schema, table),
            conditions.join(" AND "),
            totals.join(", "),
            keys.join(", "),
            self.max_groups
        )
    }

    /// The place of a group among those of its unit, by lot.
    fn rank(&self, names: &[String]) -> String {
        let keys: Vec<String> = names.iter().map(|name| format!("t.{name}::text")).collect();
        let [first, second] = self
            .seeds
            .map(|seed| format!("'{}'::bigint", seed.cast_signed()));
        format!(
            "pg_catalog.row_number() OVER (PARTITION BY t.u ORDER BY pg_catalog.hashtextextended(\
             pg_catalog.concat_ws('/', {}), pg_catalog.hashtextextended(t.u::text, {first}) \
             OPERATOR(pg_catalog.#) {second}))",
            keys.join(", ")
        )
    }
}

/// A column below its domain.
fn typed(column: &Column) -> String {
    format!("(s.{})::{}", quote(&column.name), column.of)
}

fn in_keys(column: &Column) -> String {
    let typed = typed(column);
    match &column.uses {
        Use::Keys(keys) => {
            let keys: Vec<String> = keys.iter().map(|key| literal(key)).collect();
            format!(
                "{typed} OPERATOR(pg_catalog.=) ANY (ARRAY[{}]::{}[])",
                keys.join(", "),
                column.of
            )
        }
        _ => format!("{typed} IS NOT NULL"),
    }
}

fn condition(condition: &Condition) -> String {
    let typed = format!("(s.{})::{}", quote(&condition.column), condition.of);
    let with: Vec<String> = condition.with.iter().map(|text| literal(text)).collect();
    match condition.by {
        Comparison::By(operator) => format!(
            "{typed} OPERATOR(pg_catalog.{operator}) {}::{}",
            with.join(""),
            condition.of
        ),
        Comparison::In => format!(
            "{typed} OPERATOR(pg_catalog.=) ANY (ARRAY[{}]::{}[])",
            with.join(", "),
            condition.of
        ),
    }
}

/// A value in whole steps, NULL for what is no number. Values far beyond the bounds are taken for
/// nearer ones that are still far beyond, so that no step of the arithmetic can fail.
fn steps(column: &Column, range: &Range) -> String {
    let value = typed(column);
    let step = range.step();
    match column.of.as_str() {
        "smallint" | "integer" | "bigint" if (step - 1.0).abs() < f64::EPSILON => {
            format!("{value}::bigint")
        }
        "smallint" | "integer" | "bigint" => format!(
            "pg_catalog.floor({value}::numeric OPERATOR(pg_catalog./) {step} \
             OPERATOR(pg_catalog.+) 0.5)"
        ),
        "numeric" => {
            let far = FAR * step;
            format!(
                "CASE WHEN {value} OPERATOR(pg_catalog.=) 'NaN'::numeric THEN NULL ELSE \
                 pg_catalog.round(LEAST(GREATEST({value}, '-{far}'::numeric), '{far}'::numeric) \
                 OPERATOR(pg_catalog./) '{step}'::numeric) END"
            )
        }
        _ => {
            let (value, far, half) = (format!("{value}::double precision"), FAR * step, step / 2.0);
            format!(
                "CASE WHEN {value} OPERATOR(pg_catalog.=) 'NaN'::double precision THEN NULL \
                 WHEN pg_catalog.abs({value}) OPERATOR(pg_catalog.<) '{half:e}'::double precision \
                 THEN 0 ELSE pg_catalog.round(LEAST(GREATEST({value}, '-{far:e}'::double precision), \
                 '{far:e}'::double precision) OPERATOR(pg_catalog./) '{step:e}'::double precision)\
                 ::bigint END"
            )
        }
    }
}

fn clamped(total: &str, range: &Range) -> String {
    format!(
        "LEAST(GREATEST({total}::numeric, ({})::numeric), ({})::numeric)",
        range.lower, range.upper
    )
}

fn mean(at: usize, range: &Range) -> String {
    clamped(
        &format!("pg_catalog.floor(k.s{at}::numeric OPERATOR(pg_catalog./) k.c{at}::numeric)"),
        range,
    )
}

/// So many steps are beyond all bounds, and their sums are whole numbers still.
const FAR: f64 = (1_u64 << 52) as f64;

#[cfg(test)]
pub(super) mod tests {
    use super::*;

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
            max_groups: 1,
            seeds: [1, u64::MAX],
            dataset: &dataset,
        };
        let sql = query.sums(&[Measure::Units]);
        assert!(sql.contains("s.\"strange \"\"unit\" AS u"), "{sql}");
        assert!(sql.contains("ARRAY['F', 'M''']::text[]"), "{sql}");
        assert!(sql.contains("'-1'::bigint"), "{sql}");
    }
}
