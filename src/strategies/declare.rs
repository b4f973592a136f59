//! The SQL that declares the masks, written from the list of strategies: `sql/strategies.sql`, and the page that lists them.
//!
//! The files are in the tree so that a change of what SQL sees shows in a review; a test holds them
//! against the list (`CONFITURE_WRITE=1 cargo test declare` writes them anew).

use super::definition::Needs;
use super::params::{ParamKind, ParamSpec, Presence};
use super::{Kind, ValueType};
use crate::strategies::OnError;

/// Writes every declaration.
pub fn sql() -> String {
    let mut out = HEAD.to_owned();
    for kind in Kind::ALL {
        let definition = kind.definition();
        if kind.is_in_runs_only() {
            continue;
        }
        for of in definition.accepts.iter().filter(|of| is_declared(**of)) {
            out.push_str(&function(*kind, *of, "", "mask", definition.about));
            if super::listing::promised(*kind, *of).reversible {
                out.push_str(&function(*kind, *of, "_decrypt", "unmask", BACK));
            }
        }
    }
    out
}

/// hstore may not be there when the extension is installed; runs and `anon_apply` take it.
fn is_declared(of: ValueType) -> bool {
    !matches!(of, ValueType::Hstore | ValueType::Record)
}

/// Writes the reference page of the masks.
pub fn page() -> String {
    let mut out = PAGE.to_owned();
    for kind in Kind::ALL {
        let definition = kind.definition();
        if kind.is_in_runs_only() {
            continue;
        }
        out.push_str(&format!(
            "\n## anon_{}\n\n{}. For example `SELECT {}`.\n\n| signature | types |\n|---|---|\n",
            kind.name(),
            definition.about,
            definition.example
        ));
        for of in definition.accepts.iter().filter(|of| is_declared(**of)) {
            let mut names = vec![format!("anon_{}", kind.name())];
            if super::listing::promised(*kind, *of).reversible {
                names.push(format!("anon_{}_decrypt", kind.name()));
            }
            for name in names {
                let arguments = arguments(*kind, *of).join(", ");
                out.push_str(&format!(
                    "| `{name}({arguments}) → {of}` | {of} |\n",
                    of = of.name()
                ));
            }
        }
        let params = definition.params;
        if params.is_empty() && definition.inputs.is_empty() {
            continue;
        }
        out.push_str("\n| argument | meaning |\n|---|---|\n");
        for input in definition.inputs {
            out.push_str(&format!("| {} | {} |\n", input.name, input.about));
        }
        for spec in params {
            out.push_str(&format!("| {} | {} |\n", spec.name, spec.about));
        }
    }
    out
}

fn arguments(kind: Kind, of: ValueType) -> Vec<String> {
    let definition = kind.definition();
    let mut arguments = vec![format!("value {}", of.name())];
    let applying = || definition.params.iter().filter(|spec| spec.applies_to(of));
    let required = |spec: &&ParamSpec| spec.presence == Presence::Required;
    arguments.extend(applying().filter(required).map(|spec| argument(spec, of)));
    // Positional, so before everything that has a default of its own.
    if definition.needs != Needs::Chance {
        arguments.push("seed bigint DEFAULT 0".to_owned());
    }
    arguments.extend(
        applying()
            .filter(|spec| !required(spec))
            .map(|spec| argument(spec, of)),
    );
    arguments.extend(definition.inputs.iter().map(|input| {
        let of = if input.many { "text[]" } else { "text" };
        format!("{} {of} DEFAULT NULL", input.name)
    }));
    if definition.refuses {
        arguments.push(argument(&OnError::PARAM, of));
    }
    if definition.needs == Needs::Key {
        arguments.push("key_version integer DEFAULT NULL".to_owned());
    }
    arguments
}

fn function(kind: Kind, of: ValueType, suffix: &str, body: &str, about: &str) -> String {
    let definition = kind.definition();
    let arguments = arguments(kind, of);
    let properties = match definition.needs {
        // It leaves a record that stays, which a worker cannot.
        _ if body == "unmask" => "VOLATILE PARALLEL UNSAFE",
        Needs::Vault => "VOLATILE PARALLEL UNSAFE",
        Needs::Chance => "VOLATILE PARALLEL SAFE",
        Needs::Key => "STABLE PARALLEL RESTRICTED",
        Needs::Nothing => "IMMUTABLE PARALLEL SAFE",
    };
    let name = format!("anon_{}{suffix}", kind.name());
    let types: Vec<_> = arguments
        .iter()
        .map(|argument| {
            let rest = argument.split_once(' ').map_or("", |(_, rest)| rest);
            rest.split(" DEFAULT ").next().unwrap_or(rest)
        })
        .collect();
    format!(
        "CREATE FUNCTION {name}({})\n  RETURNS {} LANGUAGE c {properties}\n  \
         AS 'MODULE_PATHNAME', '{body}_wrapper';\n\
         COMMENT ON FUNCTION {name}({}) IS {};\n\n",
        arguments.join(", "),
        of.name(),
        types.join(", "),
        quoted(about),
    )
}

fn argument(spec: &ParamSpec, beside: ValueType) -> String {
    let (name, of) = (spec.name, spec.kind.sql(beside));
    match spec.presence {
        Presence::Required => format!("{name} {of}"),
        Presence::Optional => format!("{name} {of} DEFAULT NULL"),
        Presence::Default(default) => match spec.kind {
            ParamKind::Bigint
            | ParamKind::Bool
            | ParamKind::Int
            | ParamKind::Number
            | ParamKind::Span => {
                format!("{name} {of} DEFAULT {default}")
            }
            ParamKind::List | ParamKind::Map | ParamKind::Text => {
                format!("{name} {of} DEFAULT {}", quoted(default))
            }
        },
    }
}

fn quoted(text: &str) -> String {
    format!("'{}'", text.replace('\'', "''"))
}

const PAGE: &str = "\
# Masks

One function per strategy and type, in the schema the extension was installed into. Written from the
list of strategies; what each does is told on [the pages of the strategies](../strategies.md).

NULL in, NULL out, of the same type. `seed` selects a space of pseudonyms. What has `key_version`
needs the masking key, its active version or the one that `key_version` names: without it 55000, with
a version that does not exist 42704, with a damaged one XX001, and what its provider raises. A wrong
parameter is 22023, a value that the strategy does not take 22000.

| signature | what it does |
|---|---|
| `anon_apply(strategy text, value anyelement, params jsonb DEFAULT '{}', seed bigint DEFAULT 0, \
key_version integer DEFAULT NULL) → anyelement` | any strategy for any value, arrays element by \
element; `params` as in a profile |
";

const BACK: &str = "Value that was encrypted, for those who may see it";

const HEAD: &str = "\
-- strategies: one function per strategy and type, all with the same body.
--
-- Written from the list of strategies in src/strategies/mod.rs; do not edit.

CREATE FUNCTION anon_apply(strategy text, value anyelement, params jsonb DEFAULT '{}', \
seed bigint DEFAULT 0, key_version integer DEFAULT NULL)
  RETURNS anyelement LANGUAGE c STABLE PARALLEL RESTRICTED
  AS 'MODULE_PATHNAME', 'mask_wrapper';
COMMENT ON FUNCTION anon_apply(text, anyelement, jsonb, bigint, integer) IS \
'Any strategy for any value, arrays element by element';

CREATE VIEW confiture.strategies AS SELECT * FROM confiture._strategies();
COMMENT ON VIEW confiture.strategies IS \
'Strategies: parameters, accepted types, what can be relied on with default parameters, and whether the key may be needed';

";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn declare_files_are_current() {
        for (path, current) in [
            ("/sql/strategies.sql", sql()),
            ("/docs/reference/masks.md", page()),
        ] {
            let path = format!("{}{path}", env!("CARGO_MANIFEST_DIR"));
            if option_env!("CONFITURE_WRITE").is_some() {
                std::fs::write(&path, &current).expect("the tree can be written");
            }
            let found = std::fs::read_to_string(&path).unwrap_or_default();
            assert!(
                found == current,
                "run: CONFITURE_WRITE=1 cargo test declare"
            );
        }
    }

    /// They would have to stand in double quotes, in every call.
    #[test]
    fn declare_names_no_argument_by_a_reserved_word() {
        let has_function = |kind: &&Kind| !kind.is_in_runs_only();
        for kind in Kind::ALL.iter().filter(has_function) {
            let definition = kind.definition();
            let inputs = definition.inputs.iter().map(|input| input.name);
            let own = definition.params.iter().map(|spec| spec.name).chain(inputs);
            let mut seen = vec!["value", "seed", "key_version", OnError::PARAM.name];
            for name in own {
                assert!(!RESERVED.contains(&name), "{name} of {}", kind.name());
                assert!(!seen.contains(&name), "{name} of {} twice", kind.name());
                seen.push(name);
            }
        }
    }

    /// Of those of PostgreSQL that could be meant as a name of a parameter (documentation,
    /// appendix C: reserved, or not allowed as the name of a function).
    const RESERVED: [&str; 30] = [
        "all",
        "any",
        "array",
        "between",
        "both",
        "case",
        "check",
        "column",
        "default",
        "distinct",
        "end",
        "from",
        "group",
        "limit",
        "offset",
        "on",
        "only",
        "order",
        "position",
        "precision",
        "primary",
        "row",
        "select",
        "some",
        "table",
        "to",
        "unique",
        "user",
        "values",
        "when",
    ];

    #[test]
    fn declare_gives_each_function_one_order_of_arguments() {
        let phone = function(Kind::Phone, ValueType::Text, "", "mask", "About");
        assert!(phone.starts_with(
            "CREATE FUNCTION anon_phone(value text, seed bigint DEFAULT 0, \
             preserve_country_code boolean DEFAULT false, keep_unique boolean DEFAULT false, \
             on_error text DEFAULT 'error', key_version integer DEFAULT NULL)\n  \
             RETURNS text LANGUAGE c STABLE"
        ));
        let name = function(Kind::Name, ValueType::Text, "", "mask", "About");
        assert!(name.contains("entity text DEFAULT NULL, sex text DEFAULT NULL, key_version"));
        let hash = function(Kind::Hash, ValueType::Int32, "", "mask", "About");
        assert!(hash.contains("anon_hash(value integer, seed bigint DEFAULT 0, key_version"));
    }
}
