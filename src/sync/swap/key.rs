//! Foreign keys held against the new rows: nothing drops and adds them again, so that the server
//! does not look.

use super::super::checks::numbers;
use super::{End, Key};
use crate::pg::ident::{qualified, quote};

impl Key {
    /// The queries that count the rows that the key does not allow.
    pub fn violations(&self) -> Vec<String> {
        let columns: Vec<_> = self
            .child
            .columns
            .iter()
            .map(|column| format!("c.{}", quote(column)))
            .collect();
        let nulls = format!("pg_catalog.num_nulls({})", columns.join(", "));
        let child = from(&self.child);
        let count = ["pg_catalog.count(*)".to_owned()];
        let orphans = format!(
            "{child} AS c WHERE {nulls} = 0 AND NOT EXISTS (SELECT FROM {} AS p WHERE {})",
            from(&self.parent),
            self.meets(&columns)
        );
        let mut queries = vec![numbers(&count, &orphans)];
        if self.full && columns.len() > 1 {
            let partly = format!(
                "{child} AS c WHERE {nulls} BETWEEN 1 AND {}",
                columns.len() - 1
            );
            queries.push(numbers(&count, &partly));
        }
        queries
    }

    fn meets(&self, columns: &[String]) -> String {
        let pairs = self.parent.columns.iter().zip(columns);
        let by = self.operators.iter().zip(&self.collations);
        let pairs: Vec<_> = pairs
            .zip(by)
            .map(|((there, here), (operator, collation))| {
                // The server compares by the collation of the column referred to.
                let collation = collation.as_ref();
                let collation = collation.map_or(String::new(), |name| format!(" COLLATE {name}"));
                format!("p.{} {operator} ({here}){collation}", quote(there))
            })
            .collect();
        pairs.join(" AND ")
    }

    /// The types of the columns at both ends, by whose casts they are compared.
    pub fn types(&self) -> impl Iterator<Item = u32> {
        let ends = [&self.child, &self.parent];
        ends.into_iter().flat_map(|end| end.types.iter().copied())
    }

    /// The columns that refer, as reports show them.
    pub fn columns(&self) -> String {
        self.child.columns.join(", ")
    }
}

/// A key is one of its table, and of its partitions, but not of tables that inherit from it.
fn from(end: &End) -> String {
    let name = qualified(&end.schema, &end.name);
    match end.kind {
        'p' => name,
        _ => format!("ONLY {name}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn end(name: &str, columns: &[&str]) -> End {
        End {
            schema: "s".to_owned(),
            name: name.to_owned(),
            kind: 'r',
            columns: columns.iter().map(|&name| name.to_owned()).collect(),
            types: Vec::new(),
            filled: true,
            owner: "o".to_owned(),
            owned: true,
            can_select: true,
            row_security: false,
        }
    }

    #[test]
    fn keys_count_what_they_do_not_allow() {
        let mut key = Key {
            name: "k".to_owned(),
            child: end("c", &["A", "b"]),
            parent: end("p", &["x", "y"]),
            operators: vec!["OPERATOR(pg_catalog.=)".to_owned(); 2],
            collations: vec![None, Some("pg_catalog.\"C\"".to_owned())],
            full: false,
            period: false,
        };
        let queries = key.violations();
        assert_eq!(queries.len(), 1);
        assert!(
            queries[0].ends_with(
                "FROM ONLY \"s\".\"c\" AS c WHERE pg_catalog.num_nulls(c.\"A\", c.\"b\") = 0 AND NOT \
                 EXISTS (SELECT FROM ONLY \"s\".\"p\" AS p WHERE \
                 p.\"x\" OPERATOR(pg_catalog.=) (c.\"A\") AND \
                 p.\"y\" OPERATOR(pg_catalog.=) (c.\"b\") COLLATE pg_catalog.\"C\")"
            ),
            "{}",
            queries[0]
        );
        key.full = true;
        key.child.kind = 'p';
        let queries = key.violations();
        assert!(queries[1].ends_with(
            "FROM \"s\".\"c\" AS c WHERE pg_catalog.num_nulls(c.\"A\", c.\"b\") BETWEEN 1 AND 1"
        ));
    }
}
