//! The statements that measure, as text: names are quoted, functions qualified, and no operator is
//! used whose operands could be somebody else's. What is equal is what the type's own operator class
//! says, with the column's collation, as for GROUP BY.

use super::relation::{Column, Of, Relation};
use super::whole::Coding;

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

/// The values of a column, in their order if asked: `(rows, number it is written as)`, and what `more`
/// makes of each. NULL is written as none.
pub fn values(
    relation: &Relation,
    column: &Column,
    coding: Coding,
    in_order: bool,
    more: Option<&str>,
) -> String {
    let name = column.written();
    let more = more.map_or_else(String::new, |more| format!(", {more}"));
    let order = if in_order { " ORDER BY v.v" } else { "" };
    format!(
        "SELECT v.n, {}{more} FROM (
           SELECT t.{name} AS v, pg_catalog.count(*) AS n FROM {} AS t GROUP BY t.{name}) AS v{order}",
        code(column, coding, "v.v"),
        relation.written()
    )
}

/// The number that a value is written as. What is equal for the type is written alike.
fn code(column: &Column, coding: Coding, value: &str) -> String {
    let seed = coding.seed();
    let hash = match column.of {
        _ if coding == Coding::Rank => None,
        Of::Integer(_) => return format!("{value}::pg_catalog.int8"),
        Of::Numeric => Some(format!("pg_catalog.hash_numeric_extended({value}, {seed})")),
        Of::Float => Some(format!(
            "pg_catalog.hashfloat8extended({value}::pg_catalog.float8, {seed})"
        )),
        Of::Text => Some(format!(
            "pg_catalog.hashtextextended({value}::pg_catalog.text, {seed})"
        )),
        _ => column.is_hashed.then(|| {
            format!(
                "CASE WHEN pg_catalog.num_nulls({value}) = 0
                      THEN pg_catalog.hash_record_extended(ROW({value}), {seed}) END"
            )
        }),
    };
    hash.unwrap_or_else(|| {
        format!(
            "CASE WHEN pg_catalog.num_nulls({value}) = 0
                  THEN pg_catalog.dense_rank() OVER (ORDER BY {value}) END"
        )
    })
}

/// What of [`values`] is the number that a value is, in the same order as the values.
pub fn number(column: &Column) -> String {
    let epoch = "pg_catalog.date_part('epoch', v.v)";
    match column.of {
        // There are dates that are no timestamps, of which the epoch is taken.
        Of::Date => "CASE WHEN pg_catalog.isfinite(v.v)
                 THEN (v.v - '2000-01-01'::pg_catalog.date)::pg_catalog.float8
                 WHEN pg_catalog.num_nulls(v.v) = 0 THEN 'Infinity'::pg_catalog.float8 END"
            .to_owned(),
        // In its epoch a year has 365.25 days; where intervals are compared, 360.
        Of::Duration if column.type_name.starts_with("interval") => {
            format!("{epoch} - pg_catalog.date_part('year', v.v) * 453600")
        }
        of if of.is_number() => "v.v::pg_catalog.float8".to_owned(),
        _ => epoch.to_owned(),
    }
}

/// What of [`values`] is the text of a value; none for NULL.
pub const TEXT: &str =
    "CASE WHEN pg_catalog.num_nulls(v.v) = 0 THEN pg_catalog.format('%s', v.v) END";

/// The classes of a relation, each as how often its sensitive values come, as they are written: one
/// look at the rows, whatever they are. With `is_bounded`, 54000 where the classes that are kept at
/// the same time take too much memory.
pub fn classes(
    relation: &Relation,
    keys: &[Column],
    sensitive: &Column,
    coding: Coding,
    is_bounded: bool,
) -> String {
    format!(
        "SELECT confiture._tally(r.c, {is_bounded}) FROM ({}) AS r GROUP BY {}",
        coded(relation, keys, sensitive, coding),
        list(keys, |place, _| format!("r.k{place}"))
    )
}

/// As [`classes`] that are bounded, each with the numbers of its quasi-identifiers, 0 for NULL.
pub fn numbered_classes(
    relation: &Relation,
    keys: &[Column],
    sensitive: &Column,
    coding: Coding,
) -> String {
    format!(
        "SELECT ARRAY[{}]::pg_catalog.int8[], g.c FROM (
           SELECT {}, confiture._tally(r.c, true) AS c FROM ({}) AS r GROUP BY {}) AS g",
        list(keys, number_of),
        list(keys, |place, _| format!("r.k{place}")),
        coded(relation, keys, sensitive, coding),
        list(keys, |place, _| format!("r.k{place}"))
    )
}

fn coded(relation: &Relation, keys: &[Column], sensitive: &Column, coding: Coding) -> String {
    let value = format!("t.{}", sensitive.written());
    format!(
        "SELECT {}, {} AS c FROM {} AS t",
        list(keys, |place, name| format!("t.{name} AS k{place}")),
        code(sensitive, coding, &value),
        relation.written()
    )
}

/// The number of a quasi-identifier among its values, 0 for NULL.
fn number_of(place: usize, _: &str) -> String {
    format!(
        "CASE WHEN pg_catalog.num_nulls(g.k{place}) > 0 THEN 0
              ELSE pg_catalog.dense_rank() OVER (ORDER BY g.k{place}) END"
    )
}

/// Every combination of quasi-identifiers: `(rows, numbers of its values with 0 for NULL)`, and the
/// values as a document if asked for.
pub fn combinations(relation: &Relation, keys: &[Column], with_values: bool) -> String {
    let values = match with_values {
        true => format!(", {}", document(keys, "g")),
        false => String::new(),
    };
    format!(
        "SELECT g.n, ARRAY[{}]::pg_catalog.int8[]{values} FROM ({}) AS g",
        list(keys, number_of),
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
    format!(
        "SELECT g.here, g.there, pg_catalog.count(*) FROM ({}) AS g GROUP BY g.here, g.there",
        both(relation, population, keys)
    )
}

/// As [`beside`], class by class: `(rows here, rows there, numbers of its quasi-identifiers with 0 for
/// NULL)`.
pub fn numbered_beside(relation: &Relation, population: &Relation, keys: &[Column]) -> String {
    format!(
        "SELECT g.here, g.there, ARRAY[{}]::pg_catalog.int8[] FROM ({}) AS g",
        list(keys, number_of),
        both(relation, population, keys)
    )
}

fn both(relation: &Relation, population: &Relation, keys: &[Column]) -> String {
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
        "SELECT {0}, pg_catalog.sum(b.here)::pg_catalog.int8 AS here,
                pg_catalog.sum(b.there)::pg_catalog.int8 AS there
           FROM ({1} UNION ALL {2}) AS b GROUP BY {0}",
        list(keys, |place, _| format!("b.k{place}")),
        side(relation, count, zero),
        side(population, zero, count)
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
    use crate::anonymity::relation::tests::relation;

    #[test]
    fn statements_quote_every_name() {
        let relation = relation(&[("a\"; DROP", Of::Text), ("it's", Of::Integer(4))]);
        let (keys, sensitive) = (&relation.columns[..1], &relation.columns[1]);
        let all = [
            sizes(&relation, keys),
            values(
                &relation,
                sensitive,
                Coding::Plain,
                true,
                Some(&number(sensitive)),
            ),
            values(&relation, sensitive, Coding::Rank, false, None),
            classes(&relation, keys, sensitive, Coding::Again, true),
            numbered_classes(&relation, keys, sensitive, Coding::Rank),
            numbered_beside(&relation, &relation, keys),
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
