//! Whose code a run would execute.
//!
//! A run has the caller's rights. Where a weaker role owns code that would run, a trigger, a
//! default, a check, an index expression, a domain, it would get those rights for a moment. So
//! code runs only if its owner and the owner of every function in it are the caller, a superuser,
//! or a role that may become the caller anyway; or if it does nothing but compute: immutable
//! functions of trusted owners, and a short list of the server's own.

use super::facts::{Code, Column, Side, Table, Type};
use super::plan::{Input, TablePlan};
use crate::error::{Error, Kind};
use crate::pg::ident::quote;

/// Adds a problem for every piece of code that may not run.
pub fn check(code: &[Code], problems: &mut Vec<Error>) {
    for code in code {
        if let Some(error) = refuse(code) {
            problems.push(error);
        }
    }
}

/// Adds a problem for every type that the target would share with somebody who is not trusted:
/// its owner could give it checks and casts while rows are on their way.
pub fn check_types(input: &Input<'_>, tables: &[TablePlan], problems: &mut Vec<Error>) {
    let (source, target) = (input.source, input.target);
    let copied = tables.iter().flat_map(|table| &table.source.columns);
    // Also of columns that are not copied: the check of a domain runs for the NULL in them.
    let there = target.tables.iter().flat_map(|table| &table.columns);
    let shared = reached(source, copied)
        .into_iter()
        .filter(|of| !source.owns(of))
        .chain(reached(target, there));
    let mut named = Vec::new();
    for of in shared {
        if of.schema == "pg_catalog" || of.owner_trusted || named.contains(&of.oid) {
            continue;
        }
        named.push(of.oid);
        problems.push(
            Error::new(
                Kind::Permission,
                format!("type \"{}.{}\" belongs to role \"{}\"", of.schema, of.name, of.owner),
            )
            .with_detail("The target would use it, and its owner could have code run with your rights.")
            .with_hint("Move it to the source schema, where a run makes a copy of it, or have it owned by a superuser."),
        );
    }
}

/// Adds a problem for every type of a table that is read whose owner is not trusted: checks of his would
/// run. Labels, and the parts of a row or an array, are no code, and what casts them is held back where it
/// is called.
pub fn check_read(side: &Side, problems: &mut Vec<Error>) {
    let columns = side.tables.iter().flat_map(|table| &table.columns);
    for of in reached(side, columns) {
        let is_plain = of.is_array || matches!(of.kind, 'e' | 'c');
        if of.schema != "pg_catalog" && !of.owner_trusted && !is_plain {
            problems.push(
                Error::new(
                    Kind::Permission,
                    format!(
                        "type \"{}.{}\" belongs to role \"{}\"",
                        of.schema, of.name, of.owner
                    ),
                )
                .with_detail("Its owner could have code run with your rights.")
                .with_hint("Have it owned by a superuser, or ask as its owner."),
            );
        }
    }
}

fn reached<'a>(side: &'a Side, columns: impl Iterator<Item = &'a Column>) -> Vec<&'a Type> {
    let mut seen = Vec::new();
    for column in columns {
        side.reach(column.type_oid, &mut seen);
    }
    seen.into_iter()
        .filter_map(|oid| side.type_of(oid))
        .collect()
}

fn refuse(code: &Code) -> Option<Error> {
    let stranger = code
        .functions
        .iter()
        .find(|function| !function.owner_trusted);
    let unsafe_here = code.functions.iter().find(|function| !function.harmless);
    let detail = match (stranger, unsafe_here) {
        (Some(function), _) => format!(
            "It uses {}, which belongs to role \"{}\".",
            function.name, function.owner
        ),
        (None, Some(function)) if !code.owner_trusted => format!(
            "It belongs to role \"{}\" and uses {}.",
            code.owner, function.name
        ),
        _ => return None,
    };
    Some(
        Error::new(
            Kind::Permission,
            format!("{} would run with your rights", code.what),
        )
        .with_detail(format!(
            "{detail} Whoever may change it could do anything that you may do."
        ))
        .with_hint(
            "Run as a role that the owner is a member of, or have the code owned by a superuser.",
        ),
    )
}

/// Functions, operators and collations are not made again: they could lead anywhere.
pub fn lacks_functions(input: &Input<'_>, table: &Table, problems: &mut Vec<Error>) {
    for (_, what) in input
        .own_functions
        .iter()
        .filter(|(oid, _)| *oid == table.oid)
    {
        problems.push(
            Error::new(
                Kind::Definition,
                format!(
                    "table {} uses something of its schema that the target lacks",
                    table.shown()
                ),
            )
            .with_detail(format!("The {what}."))
            .with_hint(format!(
                "Move it to a schema that both sides use; a function may also be created in schema {} first.",
                quote(input.target_name)
            )),
        );
    }
}

#[cfg(test)]
mod tests {
    use super::super::facts::Function;
    use super::*;

    fn code(owner_trusted: bool, function: Option<(bool, bool)>) -> Code {
        Code {
            what: "default of column \"c\" of table \"s.t\"".into(),
            owner: "app".into(),
            owner_trusted,
            functions: function
                .map(|(owner_trusted, harmless)| Function {
                    name: "f()".into(),
                    owner: "app".into(),
                    owner_trusted,
                    harmless,
                })
                .into_iter()
                .collect(),
        }
    }

    #[test]
    fn trust_lets_code_run_only_where_nobody_gains_rights() {
        // (owner of the expression trusted, function: (owner trusted, harmless)) → may run
        let cases = [
            (true, None, true),
            (false, None, true),
            (true, Some((true, false)), true),
            (true, Some((true, true)), true),
            (false, Some((true, true)), true),
            (false, Some((true, false)), false),
            (true, Some((false, true)), false),
            (false, Some((false, true)), false),
        ];
        for (owner, function, may) in cases {
            assert_eq!(
                refuse(&code(owner, function)).is_none(),
                may,
                "{owner} {function:?}"
            );
        }
    }
}
