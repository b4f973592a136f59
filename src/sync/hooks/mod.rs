//! Hooks: functions of the user that a run calls before it reads, after its checks, and when it has
//! failed.
//!
//! A hook has the rights of whoever runs, so it must belong to somebody who has them anyway
//! (decision 0026). It is known by name, looked up and judged anew before every call, and called by
//! the number found. What it answers goes to the hooks behind it and to nobody else.

pub mod landed;
pub mod limits;
pub mod reading;
pub mod ready;
pub mod round;
pub mod scan;

pub mod sql;
pub mod store;

use serde::Deserialize;
use serde_json::{Map, Value, json};

use self::ready::Ready;
use crate::error::{Error, Kind, Result};
use crate::pg::ident::qualified;

/// When a hook is called.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Moment {
    /// The run is on record, and no row has been read.
    Before,
    /// Every check has passed, and nothing is committed.
    After,
    /// The run has failed, and that is on record.
    OnError,
}

impl Moment {
    const ALL: [Self; 3] = [Self::Before, Self::After, Self::OnError];

    /// The word for it in SQL.
    pub fn name(self) -> &'static str {
        match self {
            Self::Before => "BEFORE_ANONYMIZATION",
            Self::After => "AFTER_ANONYMIZATION",
            Self::OnError => "ON_ANONYMIZATION_ERROR",
        }
    }

    /// Reads the word, in any case.
    ///
    /// # Errors
    /// 22023 for another one.
    pub fn parse(word: &str) -> Result<Self> {
        let named = |moment: &Self| moment.name().eq_ignore_ascii_case(word);
        Self::ALL.into_iter().find(named).ok_or_else(|| {
            Error::new(
                Kind::InvalidParameter,
                format!("unrecognized phase \"{word}\""),
            )
            .with_hint(format!(
                "Available phases are {}.",
                Self::ALL.map(Self::name).join(", ")
            ))
        })
    }
}

/// A hook as it is registered.
#[derive(Clone, Debug, PartialEq)]
pub struct Hook {
    /// When it is called.
    pub moment: Moment,
    /// The schema of the function.
    pub schema: String,
    /// Its name.
    pub function: String,
    /// The profile whose runs call it; all of them without one.
    pub profile: Option<String>,
    /// Hooks of a moment are called in the order of their positions, then of their names.
    pub position: i32,
    /// What it is told of how to work: an object.
    pub settings: Value,
    /// Who chose all that.
    pub registered_by: String,
}

impl Hook {
    /// The function, quoted.
    pub fn shown(&self) -> String {
        qualified(&self.schema, &self.function)
    }

    /// What a caller should know of it before a run.
    pub fn note(&self) -> String {
        format!(
            "hook {} is called in phase {}, position {}",
            self.shown(),
            self.moment.name(),
            self.position
        )
    }
}

/// A function of the name of a hook that takes one jsonb, as the catalog has it and as the caller
/// sees it.
#[derive(Clone, Debug, Deserialize, PartialEq)]
pub struct Function {
    /// Its number.
    pub oid: u32,
    /// Whether it is a plain function, not a procedure or an aggregate, and returns one jsonb.
    pub fits: bool,
    /// Whether it runs with the rights of its owner.
    pub definer: bool,
    /// Its owner.
    pub owner: String,
    /// Whether that is the caller, a superuser, or a role that may become the caller.
    pub owner_trusted: bool,
    /// Whether the caller may call it.
    pub callable: bool,
    /// Whether whoever registered it is trusted as its owner must be.
    pub registrar_trusted: bool,
    /// SHA-256 of its definition, in hexadecimal digits.
    pub definition: Option<String>,
}

/// The function of a hook, if it may be called.
///
/// # Errors
/// 42883 without one; 42P17 for one that does not fit; 42501 for one that belongs to, or was
/// registered by, somebody who is not trusted, has the rights of its owner, or may not be called.
pub fn judge<'a>(hook: &Hook, found: Option<&'a Function>) -> Result<&'a Function> {
    let name = hook.shown();
    let Some(function) = found else {
        return Err(Error::new(
            Kind::UndefinedFunction,
            format!("function {name}(jsonb) does not exist"),
        )
        .with_detail("A hook takes one argument of type jsonb, and returns jsonb."));
    };
    if !function.fits {
        return Err(Error::new(
            Kind::Definition,
            format!("function {name}(jsonb) cannot be a hook"),
        )
        .with_detail("A hook is a function that returns one value of type jsonb."));
    }
    if function.definer {
        return Err(
            Error::new(Kind::Permission, format!("hook {name} is SECURITY DEFINER"))
                .with_detail("A hook runs with the rights of whoever runs.")
                .with_hint("Let it call a SECURITY DEFINER function for what needs other rights."),
        );
    }
    if !function.owner_trusted {
        return Err(Error::new(
            Kind::Permission,
            format!("hook {name} would run with your rights"),
        )
        .with_detail(format!(
            "It belongs to role \"{}\". Whoever may change it could do anything that you may do.",
            function.owner
        ))
        .with_hint(
            "Run as a role that the owner is a member of, or have it owned by a superuser.",
        ));
    }
    // Those of ours do nothing that a stranger could gain by, whatever he has them told.
    if !function.registrar_trusted && Ready::of(hook).is_none() {
        return Err(Error::new(
            Kind::Permission,
            format!(
                "hook {name} was registered by role \"{}\"",
                hook.registered_by
            ),
        )
        .with_detail(
            "It would run with your rights, and that role chose which function it is and what \
             it is told.",
        )
        .with_hint("Look at it in confiture.hooks; if it is wanted, register it yourself."));
    }
    if !function.callable {
        return Err(Error::new(
            Kind::Permission,
            format!("permission denied for hook {name}"),
        )
        .with_hint("Grant USAGE on its schema, and EXECUTE on the function."));
    }
    Ok(function)
}

/// What a hook has answered.
#[derive(Debug, PartialEq)]
pub enum Answer {
    /// Nothing against the run, and this for the hooks behind it.
    GoOn(Map<String, Value>),
    /// The run must not go on, because of this.
    Veto(String),
}

/// Longest reason that is shown, in characters.
const LONGEST_REASON: usize = 300;
/// Most bytes of all metadata, and of settings.
pub const MOST_BYTES: usize = 64 << 10;

impl Answer {
    /// Reads what a hook returned: NULL, or an object with `veto`, `metadata` or nothing.
    ///
    /// # Errors
    /// What is wrong with it.
    pub fn read(returned: Option<&str>) -> Result<Self, &'static str> {
        const SHAPE: &str = "It must be NULL or an object with members veto and metadata.";
        let Some(text) = returned else {
            return Ok(Self::GoOn(Map::new()));
        };
        let Ok(Value::Object(mut members)) = serde_json::from_str(text) else {
            return Err(SHAPE);
        };
        let (veto, metadata) = (members.remove("veto"), members.remove("metadata"));
        if !members.is_empty() {
            return Err(SHAPE);
        }
        let metadata = match metadata {
            None | Some(Value::Null) => Map::new(),
            Some(Value::Object(metadata)) => metadata,
            Some(_) => return Err("Its member metadata must be an object."),
        };
        match veto {
            None | Some(Value::Null) => Ok(Self::GoOn(metadata)),
            Some(Value::String(reason)) => Ok(Self::Veto(reason)),
            Some(_) => Err("Its member veto must be a text, the reason."),
        }
    }
}

/// A run stops because a hook said so. The reason is the hook's own text: it goes to the caller, with
/// the error into the log of the server, and never into the ledger.
pub fn vetoed(hook: &Hook, reason: &str) -> Error {
    let mut shown: String = reason
        .chars()
        .map(|c| if c.is_control() { ' ' } else { c })
        .take(LONGEST_REASON)
        .collect();
    if reason.chars().count() > LONGEST_REASON {
        shown.push('…');
    }
    let error = Error::new(
        Kind::Vetoed,
        format!("hook {} vetoed the run", hook.shown()),
    );
    match shown.trim() {
        "" => error.with_detail("It gives no reason."),
        reason => error.with_detail(format!("Its reason: {reason}")),
    }
}

/// An answer that is none.
pub fn misread(hook: &Hook, why: &str) -> Error {
    Error::new(
        Kind::InvalidParameter,
        format!("hook {} returned no answer that a run knows", hook.shown()),
    )
    .with_detail(why)
}

/// Adds what a hook hands on to what was handed on before; the later one wins.
///
/// # Errors
/// 54000 when it is too much.
pub fn merge(all: &mut Map<String, Value>, hook: &Hook, more: Map<String, Value>) -> Result<()> {
    all.extend(more);
    if json!(all).to_string().len() > MOST_BYTES {
        return Err(Error::new(
            Kind::ProgramLimit,
            format!("hook {} hands on too much metadata", hook.shown()),
        )
        .with_detail(format!(
            "All hooks of a run may hand on {MOST_BYTES} bytes."
        ))
        .with_hint("Keep it in a table, and hand on where."));
    }
    Ok(())
}

/// Reads `schema.function`, with `(jsonb)` behind it or not, as SQL reads names.
///
/// # Errors
/// 22023 for anything else, a name without a schema above all.
pub fn parse_name(text: &str) -> Result<(String, String)> {
    let trimmed = text.trim();
    let trimmed = trimmed
        .strip_suffix(')')
        .and_then(|rest| rest.trim_end().strip_suffix("jsonb"))
        .and_then(|rest| rest.trim_end().strip_suffix('('))
        .map_or(trimmed, str::trim_end);
    let wrong = || {
        Error::new(
            Kind::InvalidParameter,
            "function of a hook must be named with its schema",
        )
        .with_hint("Write it as schema.function, quoted where SQL would have it quoted.")
    };
    let (schema, rest) = part(trimmed).ok_or_else(wrong)?;
    let rest = rest.trim_start().strip_prefix('.').ok_or_else(wrong)?;
    match part(rest.trim_start()) {
        Some((function, "")) => Ok((schema, function)),
        _ => Err(wrong()),
    }
}

/// One name at the beginning of a text, and what follows it.
fn part(text: &str) -> Option<(String, &str)> {
    const LONGEST: usize = 63;
    let (name, rest) = match text.strip_prefix('"') {
        Some(quoted) => {
            let (mut name, mut left) = (String::new(), quoted);
            loop {
                let (before, after) = left.split_once('"')?;
                name.push_str(before);
                match after.strip_prefix('"') {
                    Some(more) => {
                        name.push('"');
                        left = more;
                    }
                    None => break (name, after),
                }
            }
        }
        None => {
            let is_part = |c: char| c.is_alphanumeric() || c == '_' || c == '$' || !c.is_ascii();
            let end = text.find(|c| !is_part(c)).unwrap_or(text.len());
            let (name, rest) = text.split_at(end);
            if name.starts_with(|c: char| c.is_ascii_digit() || c == '$') {
                return None;
            }
            (name.to_ascii_lowercase(), rest)
        }
    };
    let fits = !name.is_empty() && name.len() <= LONGEST && !name.contains('\0');
    fits.then_some((name, rest))
}

#[cfg(test)]
mod tests {
    use super::*;

    pub(in crate::sync) fn hook() -> Hook {
        Hook {
            moment: Moment::Before,
            schema: "app".into(),
            function: "look".into(),
            profile: None,
            position: 100,
            settings: json!({}),
            registered_by: "dba".into(),
        }
    }

    fn function() -> Function {
        Function {
            oid: 20_000,
            fits: true,
            definer: false,
            owner: "dba".into(),
            owner_trusted: true,
            callable: true,
            registrar_trusted: true,
            definition: None,
        }
    }

    #[test]
    fn hooks_are_called_only_where_nobody_gains_rights() {
        assert!(judge(&hook(), Some(&function())).is_ok());
        let kind = |edit: fn(&mut Function)| {
            let mut edited = function();
            edit(&mut edited);
            judge(&hook(), Some(&edited)).unwrap_err().kind()
        };
        assert_eq!(kind(|f| f.fits = false), Kind::Definition);
        assert_eq!(kind(|f| f.definer = true), Kind::Permission);
        assert_eq!(kind(|f| f.owner_trusted = false), Kind::Permission);
        assert_eq!(kind(|f| f.callable = false), Kind::Permission);
        assert_eq!(kind(|f| f.registrar_trusted = false), Kind::Permission);
        let gone = judge(&hook(), None).unwrap_err();
        assert_eq!(gone.kind(), Kind::UndefinedFunction);
        assert_eq!(
            gone.message(),
            "function \"app\".\"look\"(jsonb) does not exist"
        );
    }

    #[test]
    fn hooks_of_ours_may_be_registered_by_anybody_who_may_register() {
        let limits = Hook {
            schema: "confiture".into(),
            function: "hook_row_limits".into(),
            ..hook()
        };
        let strange = Function {
            registrar_trusted: false,
            ..function()
        };
        assert!(judge(&limits, Some(&strange)).is_ok());
        assert!(judge(&hook(), Some(&strange)).is_err());
    }

    #[test]
    fn answers_are_nothing_metadata_or_a_veto() {
        let metadata = json!({"a": 1}).as_object().unwrap().clone();
        let cases = [
            (None, Answer::GoOn(Map::new())),
            (Some("{}"), Answer::GoOn(Map::new())),
            (Some(r#"{"veto": null}"#), Answer::GoOn(Map::new())),
            (
                Some(r#"{"veto": null, "metadata": {"a": 1}}"#),
                Answer::GoOn(metadata),
            ),
            (
                Some(r#"{"veto": "not today", "metadata": {"a": 1}}"#),
                Answer::Veto("not today".into()),
            ),
            (Some(r#"{"veto": ""}"#), Answer::Veto(String::new())),
        ];
        for (returned, meant) in cases {
            assert_eq!(Answer::read(returned).unwrap(), meant, "{returned:?}");
        }
        for bad in [
            "null",
            "[]",
            "true",
            "\"no\"",
            r#"{"vote": "no"}"#,
            r#"{"veto": true}"#,
            r#"{"metadata": [1]}"#,
        ] {
            assert!(Answer::read(Some(bad)).is_err(), "{bad}");
        }
    }

    #[test]
    fn reasons_are_one_short_line() {
        let detail = |reason: &str| vetoed(&hook(), reason).detail().unwrap().to_owned();
        assert_eq!(detail("no\nrows"), "Its reason: no rows");
        assert_eq!(detail(" "), "It gives no reason.");
        assert!(detail(&"x".repeat(9999)).len() < 330);
    }

    #[test]
    fn metadata_has_a_bound_and_the_later_one_wins() {
        let map = |value: Value| value.as_object().unwrap().clone();
        let mut all = map(json!({"a": 1, "b": 1}));
        merge(&mut all, &hook(), map(json!({"b": 2}))).unwrap();
        assert_eq!(all, map(json!({"a": 1, "b": 2})));
        let much = map(json!({"c": "x".repeat(MOST_BYTES)}));
        let error = merge(&mut all, &hook(), much).unwrap_err();
        assert_eq!(error.kind(), Kind::ProgramLimit);
    }

    #[test]
    fn names_are_read_as_sql_reads_them() {
        let two = |schema: &str, name: &str| (schema.to_owned(), name.to_owned());
        for (text, meant) in [
            ("app.look", two("app", "look")),
            (" App . Look (jsonb) ", two("app", "look")),
            (r#""My.Schema"."a""b"(jsonb)"#, two("My.Schema", "a\"b")),
            ("größe.zähle", two("größe", "zähle")),
            (r#"app."look(jsonb)""#, two("app", "look(jsonb)")),
        ] {
            assert_eq!(parse_name(text).unwrap(), meant, "{text}");
        }
        for bad in [
            "",
            "look",
            "look(jsonb)",
            ".look",
            "app.",
            "a.b.c",
            "app.look(json)",
            "app.look(jsonb, jsonb)",
            "app.look; DROP TABLE x",
            r#""app.look"#,
            r#""".look"#,
            "app.1look",
        ] {
            assert!(parse_name(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn phases_are_read_in_any_case() {
        assert_eq!(
            Moment::parse("before_anonymization").unwrap(),
            Moment::Before
        );
        let error = Moment::parse("DURING").unwrap_err();
        assert!(error.hint().unwrap().contains("ON_ANONYMIZATION_ERROR"));
    }
}
