//! The statements that measure, as text: names are quoted, functions qualified, and no operator is
//! used whose operands could be somebody else's. What is equal is what the type's own operator class
//! says, with the column's collation, as for GROUP BY.

use super::relation::{Column, Relation};

/// How many classes have how many rows: `(size, classes)`.
pub fn sizes(relation: &Relation, keys: &[Column]) -> String {
    format!(
        "SELECT c.n, pg_catalog.count(*) FROM ({}) AS c GROUP BY c.n ORDER BY c.n",
        counted(relation, keys)
    )
}

fn counted(relation: &Relation, keys: &[Column]) -> String {
    format!(
        "SELECT pg_catalog.count(*) AS n FROM {} AS t GROUP BY {}",
        relation.written(),
        list(keys, |_, name| format!("t.{name}"))
    )
}

/// The values of a column in their order: `(rows, whether NULL)`, and what `more` makes of each.
pub fn values(relation: &Relation, column: &Column, more: Option<&str>) -> String {
    let name = column.written();
    let more = more.map_or_else(String::new, |more| format!(", {more}"));
    format!(
        "SELECT v.n, v.is_null{more} FROM (
           SELECT t.{name} AS v, pg_catalog.count(*) AS n,
                  pg_catalog.num_nulls(t.{name}) > 0 AS is_null
             FROM {} AS t GROUP BY t.{name}) AS v ORDER BY v.v",
        relation.written()
    )
}

/// What of [`values`] is the number that a value is.
pub fn number(column: &Column) -> String {
    match column.of.is_number() {
        true => "v.v::pg_catalog.float8".to_owned(),
        false => "pg_catalog.date_part('epoch', v.v)".to_owned(),
    }
}

/// What of [`values`] is the text of a value; none for NULL.
pub const TEXT: &str = "CASE WHEN NOT v.is_null THEN pg_catalog.format('%s', v.v) END";

/// The classes of a relation, each as arrays: the places of its sensitive values in the order of
/// [`values`], from 1, and how many rows have them.
pub fn classes(relation: &Relation, keys: &[Column], sensitive: &Column) -> String {
    format!(
        "SELECT pg_catalog.array_agg(r.v), pg_catalog.array_agg(r.n) FROM (
           SELECT {}, pg_catalog.dense_rank() OVER (ORDER BY g.s) AS v, g.n FROM ({}) AS g) AS r
          GROUP BY {}",
        list(keys, |place, _| format!("g.k{place}")),
        grouped(relation, keys, sensitive),
        list(keys, |place, _| format!("r.k{place}"))
    )
}

/// As [`classes`], without the values: how many rows have each.
pub fn class_counts(relation: &Relation, keys: &[Column], sensitive: &Column) -> String {
    format!(
        "SELECT pg_catalog.array_agg(g.n) FROM ({}) AS g GROUP BY {}",
        grouped(relation, keys, sensitive),
        list(keys, |place, _| format!("g.k{place}"))
    )
}

fn grouped(relation: &Relation, keys: &[Column], sensitive: &Column) -> String {
    let sensitive = sensitive.written();
    format!(
        "SELECT {}, t.{sensitive} AS s, pg_catalog.count(*) AS n FROM {} AS t
          GROUP BY {}, t.{sensitive}",
        list(keys, |place, name| format!("t.{name} AS k{place}")),
        relation.written(),
        list(keys, |_, name| format!("t.{name}"))
    )
}

/// Every combination of quasi-identifiers: `(rows, numbers of its values with 0 for NULL)`, and the
/// values as a document if asked for.
pub fn combinations(relation: &Relation, keys: &[Column], with_values: bool) -> String {
    let number = |place, _: &str| {
        format!(
            "CASE WHEN pg_catalog.num_nulls(g.k{place}) > 0 THEN 0
                  ELSE pg_catalog.dense_rank() OVER (ORDER BY g.k{place}) END"
        )
    };
    let values = match with_values {
        true => format!(", {}", document(keys, "g")),
        false => String::new(),
    };
    format!(
        "SELECT g.n, ARRAY[{}]::pg_catalog.int8[]{values} FROM ({}) AS g",
        list(keys, number),
        keyed(relation, keys)
    )
}

/// The combinations of quasi-identifiers with their sizes, smallest first: `(values, size)`.
pub fn listed(relation: &Relation, keys: &[Column], max_size: Option<i64>) -> String {
    let most = max_size.map_or_else(String::new, |most| format!(" WHERE g.n <= {most}"));
    format!(
        "SELECT {}, g.n FROM ({}) AS g{most} ORDER BY g.n, {}",
        document(keys, "g"),
        keyed(relation, keys),
        list(keys, |place, _| format!("g.k{place}"))
    )
}

fn keyed(relation: &Relation, keys: &[Column]) -> String {
    format!(
        "SELECT {}, pg_catalog.count(*) AS n FROM {} AS t GROUP BY {}",
        list(keys, |place, name| format!("t.{name} AS k{place}")),
        relation.written(),
        list(keys, |_, name| format!("t.{name}"))
    )
}

fn document(keys: &[Column], from: &str) -> String {
    let pairs = keys.iter().enumerate().map(|(place, column)| {
        let name = crate::pg::ident::literal(&column.name);
        format!("{name}, {from}.k{place}")
    });
    // A function takes at most 100 arguments, 50 pairs.
    let parts: Vec<_> = pairs.collect();
    let objects: Vec<_> = parts
        .chunks(40)
        .map(|chunk| format!("pg_catalog.jsonb_build_object({})", chunk.join(", ")))
        .collect();
    objects.join(" OPERATOR(pg_catalog.||) ")
}

/// The classes of a relation beside those of the one it was taken from: `(rows here, rows there,
/// how many such classes)`.
pub fn beside(relation: &Relation, population: &Relation, keys: &[Column]) -> String {
    let side = |of: &Relation, here: &str, there: &str| {
        format!(
            "SELECT {}, {here} AS here, {there} AS there FROM {} AS t GROUP BY {}",
            list(keys, |place, name| format!("t.{name} AS k{place}")),
            of.written(),
            list(keys, |_, name| format!("t.{name}"))
        )
    };
    let (count, zero) = ("pg_catalog.count(*)", "0::pg_catalog.int8");
    format!(
        "SELECT c.here::pg_catalog.int8, c.there::pg_catalog.int8, pg_catalog.count(*) FROM (
           SELECT pg_catalog.sum(b.here) AS here, pg_catalog.sum(b.there) AS there
             FROM ({} UNION ALL {}) AS b GROUP BY {}) AS c
          GROUP BY c.here, c.there",
        side(relation, count, zero),
        side(population, zero, count),
        list(keys, |place, _| format!("b.k{place}"))
    )
}

/// How many rows have NULL: in any of the columns, and in each.
pub fn nulls(relation: &Relation, columns: &[Column]) -> String {
    let is_null = |name: &str| format!("pg_catalog.num_nulls(t.{name}) > 0");
    let any: Vec<_> = columns.iter().map(|c| is_null(&c.written())).collect();
    let each = list(columns, |_, name| {
        format!("pg_catalog.count(*) FILTER (WHERE {})", is_null(name))
    });
    format!(
        "SELECT pg_catalog.count(*) FILTER (WHERE {}),
                ARRAY[{each}]::pg_catalog.int8[] FROM {} AS t",
        any.join(" OR "),
        relation.written()
    )
}

/// Deletes the rows of classes of less than `k`.
pub fn suppression(relation: &Relation, keys: &[Column], k: i64) -> String {
    let name = relation.written();
    format!(
        "DELETE FROM {name} AS t USING (
           SELECT s.tableoid AS of, s.ctid AS at,
                  pg_catalog.count(*) OVER (PARTITION BY {}) AS n FROM {name} AS s) AS c
          WHERE c.n < {k} AND t.ctid OPERATOR(pg_catalog.=) c.at
            AND t.tableoid OPERATOR(pg_catalog.=) c.of",
        list(keys, |_, name| format!("s.{name}"))
    )
}

/// Writes a list of what is made of each column's place and quoted name.
pub fn list(columns: &[Column], write: impl Fn(usize, &str) -> String) -> String {
    let written: Vec<_> = columns
        .iter()
        .enumerate()
        .map(|(place, column)| write(place, &column.written()))
        .collect();
    written.join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::anonymity::relation::Of;
    use crate::anonymity::relation::tests::relation;

    #[test]
    fn statements_quote_every_name() {
        let relation = relation(&[("a\"; DROP", Of::Text), ("it's", Of::Integer(4))]);
        let (keys, sensitive) = (&relation.columns[..1], &relation.columns[1]);
        let all = [
            sizes(&relation, keys),
            values(&relation, sensitive, Some(&number(sensitive))),
            classes(&relation, keys, sensitive),
            class_counts(&relation, keys, sensitive),
            combinations(&relation, keys, true),
            listed(&relation, &relation.columns, Some(3)),
            beside(&relation, &relation, keys),
            nulls(&relation, keys),
            suppression(&relation, keys, 5),
        ];
        for text in all {
            assert!(text.contains("\"s\".\"t\"\"x\""), "{text}");
            assert!(!text.contains(".\"a\";"), "{text}");
            assert!(!text.contains("'it's'"), "{text}");
        }
    }

    #[test]
    fn statements_hold_many_columns() {
        let names: Vec<String> = (0..120).map(|number| format!("c{number}")).collect();
        let columns: Vec<_> = names.iter().map(|name| (name.as_str(), Of::Text)).collect();
        let relation = relation(&columns);
        let text = listed(&relation, &relation.columns, None);
        assert_eq!(text.matches("jsonb_build_object(").count(), 3);
    }
}
