//! What was found, as a query and as a profile that do it.

use std::fmt::Write;

use serde_json::json;

use super::hierarchy::{By, Hierarchy};
use crate::anonymity::relation::{Column, Relation};
use crate::anonymity::tree::Tree;
use crate::pg::ident::quote;

/// A column with its hierarchy and the level that was found for it.
#[derive(Clone, Debug)]
pub struct Leveled {
    /// The column.
    pub column: Column,
    /// Its hierarchy.
    pub hierarchy: Hierarchy,
    /// Its tree, and the name of the relation that holds it, as it is written in SQL.
    pub tree: Option<(Tree, String)>,
    /// The level.
    pub level: usize,
}

impl Leveled {
    fn inner(&self) -> usize {
        let height = self.tree.as_ref().map_or(0, |(tree, _)| tree.height());
        self.hierarchy.inner(height)
    }

    /// How high it goes.
    pub fn height(&self) -> usize {
        self.inner() + usize::from(self.hierarchy.is_suppressed)
    }

    fn is_gone(&self) -> bool {
        self.level > self.inner()
    }

    /// What becomes of a value, as SQL.
    pub fn expression(&self) -> String {
        let value = format!("t.{}", self.column.written());
        if self.level == 0 {
            return value;
        }
        if self.is_gone() {
            return format!("NULL::{}", self.column.type_name);
        }
        if let Some((_, relation)) = &self.tree {
            let mut value = format!("{value}::pg_catalog.text");
            for _ in 0..self.level {
                value = format!(
                    "(SELECT coalesce(h.\"parent\"::pg_catalog.text, h.\"value\"::pg_catalog.text) \
                     FROM {relation} AS h WHERE h.\"value\"::pg_catalog.text = {value})"
                );
            }
            return value;
        }
        let made = self
            .hierarchy
            .expression(self.column.of, self.level, &value);
        made.unwrap_or(value)
    }
}

/// The query that gives the relation with the columns made coarser. Rows of classes of less than `k`
/// are left out, if there are any.
pub fn query(relation: &Relation, columns: &[Leveled], k: u64, suppresses: bool) -> String {
    let made = |column: &Column| {
        let found = columns.iter().find(|leveled| leveled.column == *column);
        match found {
            Some(leveled) if leveled.level > 0 => {
                format!("{} AS {}", leveled.expression(), column.written())
            }
            _ => format!("t.{}", column.written()),
        }
    };
    let all: Vec<_> = relation.columns.iter().map(made).collect();
    let from = relation.written();
    if !suppresses {
        return format!("SELECT {}\n  FROM {from} AS t", all.join(",\n       "));
    }
    let alike = free_name(relation);
    let names: Vec<_> = relation
        .columns
        .iter()
        .map(|column| format!("g.{}", column.written()))
        .collect();
    let keys: Vec<_> = columns.iter().map(Leveled::expression).collect();
    format!(
        "SELECT {}\n  FROM (SELECT {},\n               pg_catalog.count(*) OVER (PARTITION BY {}) AS {alike}\n          \
         FROM {from} AS t) AS g\n WHERE g.{alike} >= {k}",
        names.join(", "),
        all.join(",\n               "),
        keys.join(", ")
    )
}

/// A name that no column has.
fn free_name(relation: &Relation) -> String {
    let mut name = "rows_alike".to_owned();
    while relation.columns.iter().any(|column| column.name == name) {
        name.push('_');
    }
    quote(&name)
}

/// The most characters that the strategy `generalize` keeps.
const MOST_KEPT: u32 = 1000;

/// The most values of a tree that a profile holds.
const MOST_PAIRS: usize = 10_000;

/// The profile that does the same in a run. What no strategy does, and rows that are left out, are
/// named in comments.
pub fn profile(relation: &Relation, columns: &[Leveled], suppressed: u64, k: u64) -> String {
    let mut out = String::new();
    if suppressed > 0 {
        put(
            &mut out,
            format_args!(
                "# A run copies every row. Afterwards, take those away that are in classes of less\n\
                 # than {k}: anon_suppress_below_k.\n"
            ),
        );
    }
    let mut strategies = String::new();
    let (mut rules, mut preserved) = (String::new(), String::new());
    for (place, leveled) in columns.iter().enumerate() {
        let column = json!(leveled.column.name);
        if leveled.level == 0 {
            put(
                &mut preserved,
                format_args!("      - {{column: {column}, why: quasi-identifier at level 0}}\n"),
            );
            continue;
        }
        let Some(strategy) = strategy(leveled) else {
            put(
                &mut out,
                format_args!("# No strategy does what the query does to column {column}.\n"),
            );
            continue;
        };
        let name = format!("coarser_{}", place + 1);
        put(&mut strategies, format_args!("  {name}: {strategy}\n"));
        put(
            &mut rules,
            format_args!("      - {{column: {column}, strategy: {name}}}\n"),
        );
    }
    put(
        &mut out,
        format_args!("name: generalized\nversion: \"1\"\n"),
    );
    if !strategies.is_empty() {
        put(&mut out, format_args!("strategies:\n{strategies}"));
    }
    let is_plain = |c: char| c.is_ascii_alphanumeric() || c == '_';
    let table = match relation.name.chars().all(is_plain) {
        true => json!(relation.name),
        false => json!(quote(&relation.name)),
    };
    put(&mut out, format_args!("tables:\n  {table}:\n"));
    let empty = if rules.is_empty() { " []" } else { "" };
    put(&mut out, format_args!("    rules:{empty}\n{rules}"));
    if !preserved.is_empty() {
        put(&mut out, format_args!("    preserve:\n{preserved}"));
    }
    out
}

fn put(out: &mut String, text: std::fmt::Arguments<'_>) {
    // Writing into a string cannot fail.
    let _ = out.write_fmt(text);
}

fn strategy(leveled: &Leveled) -> Option<String> {
    if leveled.is_gone() {
        return Some("{type: \"null\"}".to_owned());
    }
    let place = leveled.level - 1;
    match &leveled.hierarchy.by {
        By::Steps(steps) => Some(format!(
            "{{type: generalize, config: {{step: {}}}}}",
            steps.get(place)?.text
        )),
        By::Parts(parts) => Some(format!(
            "{{type: generalize, config: {{unit: {}}}}}",
            parts.get(place)?
        )),
        By::Tree(_) => {
            let (tree, _) = leveled.tree.as_ref()?;
            let levels = u32::try_from(leveled.level).ok()?;
            if tree.names().count() > MOST_PAIRS {
                return None;
            }
            let pairs: serde_json::Map<_, _> = tree
                .names()
                .filter_map(|name| {
                    let above = tree.above(tree.place(name)?, levels);
                    Some((name.to_owned(), json!(tree.name(above))))
                })
                .collect();
            Some(format!(
                "{{type: map, config: {{pairs: {}}}}}",
                json!(pairs)
            ))
        }
        By::Prefix(lengths) => Some(format!(
            "{{type: generalize, config: {{method: prefix, keep: {}}}}}",
            lengths.get(place).filter(|length| **length <= MOST_KEPT)?
        )),
        By::Nothing => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::anonymity::relation::Of;
    use crate::anonymity::relation::tests::relation;

    fn leveled(column: &Column, given: serde_json::Value, level: usize) -> Leveled {
        let hierarchy = Hierarchy::parse(column, &given).expect("fine");
        let tree = matches!(hierarchy.by, By::Tree(_)).then(|| {
            let pairs = [("all", None), ("a'b", Some("all"))];
            let pairs = pairs.map(|(v, p)| (v.to_owned(), p.map(str::to_owned)));
            (Tree::new(pairs.to_vec()).expect("a tree"), "s.h".to_owned())
        });
        Leveled {
            column: column.clone(),
            hierarchy,
            tree,
            level,
        }
    }

    #[test]
    fn queries_and_profiles_do_the_same() {
        let relation = relation(&[
            ("id", Of::Integer(8)),
            ("Age", Of::Integer(4)),
            ("born", Of::Date),
            ("zip", Of::Text),
            ("job", Of::Text),
            ("sex", Of::Text),
        ]);
        let columns = &relation.columns;
        let all = [
            leveled(&columns[1], json!({"steps": [5, 10]}), 2),
            leveled(&columns[2], json!({"parts": ["year"]}), 1),
            leveled(&columns[3], json!({"prefix": [3]}), 1),
            leveled(&columns[4], json!({"tree": "s.h"}), 1),
            leveled(&columns[5], json!({}), 1),
        ];
        let query = query(&relation, &all, 5, true);
        for part in [
            "SELECT g.\"id\", g.\"Age\"",
            "pg_catalog.left(t.\"zip\"::pg_catalog.text, 3) AS \"zip\"",
            "NULL::text AS \"sex\"",
            "FROM s.h AS h",
            "WHERE g.\"rows_alike\" >= 5",
        ] {
            assert!(query.contains(part), "{part}\n{query}");
        }
        let profile = profile(&relation, &all, 3, 5);
        for part in [
            "coarser_1: {type: generalize, config: {step: 10}}",
            "coarser_2: {type: generalize, config: {unit: year}}",
            "coarser_3: {type: generalize, config: {method: prefix, keep: 3}}",
            "coarser_4: {type: map, config: {pairs: {\"a'b\":\"all\",\"all\":\"all\"}}}",
            "coarser_5: {type: \"null\"}",
            "- {column: \"Age\", strategy: coarser_1}",
            "anon_suppress_below_k",
        ] {
            assert!(profile.contains(part), "{part}\n{profile}");
        }
    }

    #[test]
    fn what_stays_as_it_is_is_preserved() {
        let relation = relation(&[("rows_alike", Of::Text)]);
        let all = [leveled(&relation.columns[0], json!({}), 0)];
        assert!(!query(&relation, &all, 2, false).contains("WHERE"));
        assert!(query(&relation, &all, 2, true).contains("\"rows_alike_\""));
        let profile = profile(&relation, &all, 0, 2);
        assert!(
            profile.contains("    rules: []\n    preserve:\n"),
            "{profile}"
        );
        assert!(!profile.contains("strategies"), "{profile}");
    }
}
