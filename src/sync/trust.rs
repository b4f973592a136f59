//! Whose code a run would execute.
//!
//! A run has the caller's rights. Where a weaker role owns code that would run, a trigger, a
//! default, a check, an index expression, a domain, it would get those rights for a moment. So
//! code runs only if its owner and the owner of every function in it are the caller, a superuser,
//! or a role that may become the caller anyway; or if it does nothing but compute: immutable
//! functions of trusted owners, and a short list of the server's own.

use super::facts::Code;
use crate::error::{Error, Kind};

/// Adds a problem for every piece of code that may not run.
pub fn check(code: &[Code], problems: &mut Vec<Error>) {
    for code in code {
        if let Some(error) = refuse(code) {
            problems.push(error);
        }
    }
}

fn refuse(code: &Code) -> Option<Error> {
    let stranger = code
        .functions
        .iter()
        .find(|function| !function.owner_trusted);
    let unsafe_here = code.functions.iter().find(|function| !function.harmless);
    let detail = match (stranger, unsafe_here) {
        (Some(function), _) => format!(
            "It calls {}, which belongs to role \"{}\".",
            function.name, function.owner
        ),
        (None, Some(function)) if !code.owner_trusted => format!(
            "It belongs to role \"{}\" and calls {}.",
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
