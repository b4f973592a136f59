//! The rules of the house, kept by reading its sources: who may use whom, and where what is said.
//!
//! Each rule looks at one file and returns what it has against it. `rules_refuse_what_they_forbid`
//! breaks each rule once, so that none of them passes by never looking.

use std::path::Path;
use std::{fs, io};

#[path = "architecture/conductors.rs"]
mod conductors;

use conductors::CONDUCTORS;

/// The rooms, from the bottom up: a room may use those before it, and what lies below all of them.
#[rustfmt::skip]
const ROOMS: [&str; 20] = [
    "keys", "strategies", "ledger", "profile", "help", "signs", "vault", "privacy", "anonymity", "custody",
    "citus", "access", "watch", "sync", "views", "replication", "detect", "residue", "compliance",
    "migration",
];

/// What lies below the rooms, with what it may use itself.
const BELOW: [(&str, &[&str]); 5] = [
    ("error", &[]),
    ("page", &["value"]),
    ("pg", &["error", "pg", "value"]),
    ("settings", &["pg"]),
    ("value", &[]),
];

const MOST_LINES: usize = 500;

/// Written by a test from a list, so nobody reads them from end to end.
const GENERATED: [&str; 1] = ["sql/strategies.sql"];

/// A rule's name, and what finds everything that breaks it.
type Rule = (&'static str, RuleOf);
type RuleOf = fn(&Source) -> Vec<String>;

const RULES: [Rule; 13] = [
    ("a room uses only rooms before it", room_order),
    ("paths begin at the room", plain_paths),
    ("pgrx is named in few places", pgrx_places),
    ("unsafe stays in src/pg", unsafe_places),
    ("skins do not call each other", skins_apart),
    ("pure files do not speak to the server", pure_files),
    ("surroundings are read in few places", surroundings),
    ("randomness comes from keys", randomness),
    ("files are short", short_files),
    ("names say something", speaking_names),
    ("files begin with what they are for", file_docs),
    ("nothing is left lying around", leftovers),
    ("settings stand in alphabetical order", settings_order),
];

#[test]
fn house_keeps_its_rules() {
    let sources = sources();
    assert!(sources.len() > 80, "{} files", sources.len());
    let mut broken = Vec::new();
    for (name, rule) in RULES {
        for source in &sources {
            for problem in rule(source) {
                broken.push(format!("{}: {problem} ({name})", source.path));
            }
        }
    }
    assert!(broken.is_empty(), "\n{}\n", broken.join("\n"));
}

#[test]
fn exceptions_are_still_needed() {
    let sources = sources();
    let find = |path: &str| sources.iter().find(|source| source.path == path);
    for (path, _) in CONDUCTORS {
        let source = find(path).unwrap_or_else(|| panic!("{path} has gone"));
        assert!(!server_uses(source).is_empty(), "{path}");
    }
}

#[test]
fn rules_refuse_what_they_forbid() {
    let long = "//! x\n".repeat(MOST_LINES + 1);
    let broken: [(RuleOf, &str, &str); 26] = [
        (
            room_order,
            "src/strategies/a.rs",
            "use crate::profile::Profile;",
        ),
        (
            room_order,
            "src/keys/a.rs",
            "fn f() { crate::ledger::store::append() }",
        ),
        (room_order, "src/pg/a.rs", "use crate::keys::Secret;"),
        (room_order, "src/error.rs", "use crate::pg::spi;"),
        (room_order, "src/attic/a.rs", "use crate::error::Error;"),
        (plain_paths, "src/sync/a.rs", "use crate::{keys, ledger};"),
        (
            plain_paths,
            "src/keys/a.rs",
            "use super::super::ledger::store;",
        ),
        (pgrx_places, "src/strategies/a.rs", "use pgrx::prelude::*;"),
        (unsafe_places, "src/keys/store.rs", "unsafe { f() }"),
        (
            skins_apart,
            "src/sync/sql.rs",
            "use crate::keys::sql::create_key;",
        ),
        (
            pure_files,
            "src/ledger/verify.rs",
            "use crate::pg::{ident, spi};",
        ),
        (pure_files, "src/ledger/entry.rs", "use crate::settings;"),
        (
            surroundings,
            "src/strategies/a.rs",
            "let x = std::env::var(\"X\");",
        ),
        (surroundings, "src/ledger/store.rs", "SystemTime::now()"),
        (randomness, "src/sync/a.rs", "getrandom::fill(&mut bytes)"),
        (randomness, "src/strategies/a.rs", "rand::rng()"),
        (short_files, "sql/a.sql", &long),
        (short_files, "tests/cluster/a.py", &long),
        (speaking_names, "src/keys/utils.rs", "//! x"),
        (speaking_names, "src/common/mod.rs", "//! x"),
        (speaking_names, "src/keys/a.rs", "pub mod helpers;"),
        (file_docs, "src/keys/a.rs", "use std::fmt;"),
        (file_docs, "sql/a.sql", "CREATE TABLE t ();"),
        (leftovers, "src/keys/a.rs", "todo!()"),
        (leftovers, "pg_test/a.rs", "dbg!(x)"),
        (
            settings_order,
            "src/settings.rs",
            "c\"confiture.b\", c\"confiture.a\"",
        ),
    ];
    for (rule, path, text) in broken {
        assert!(!rule(&Source::new(path, text)).is_empty(), "{path}: {text}");
    }
    let good = [
        (
            "src/sync/a.rs",
            "//! Says pgrx, unsafe, rand:: and crate::views only.\nuse crate::pg::ident;\n",
        ),
        (
            "src/sync/run.rs",
            "//! x\nuse crate::pg::{ident, spi};\nuse crate::settings;\n",
        ),
        (
            "src/keys/store.rs",
            "//! x\nuse pgrx::Uuid;\nuse crate::pg::spi;\n",
        ),
        (
            "src/strategies/a.rs",
            "//! x\n#[pg_extern(volatile, parallel_unsafe)]\nfn operand() {}\n",
        ),
    ];
    for (path, text) in good {
        let source = Source::new(path, text);
        for (name, rule) in RULES {
            assert_eq!(rule(&source), Vec::<String>::new(), "{path}: {name}");
        }
    }
}

fn room_order(source: &Source) -> Vec<String> {
    let Some(own) = source.room() else {
        return Vec::new();
    };
    let rank = |room: &str| ROOMS.iter().position(|name| *name == room);
    let below = BELOW.iter().find(|(name, _)| *name == own);
    let mut problems = Vec::new();
    for used in paths(&source.code(), "crate::") {
        let used = used.split("::").next().unwrap_or_default();
        let allowed = match (below, rank(own), rank(used)) {
            (Some((_, uses)), ..) => uses.contains(&used) || used == own,
            (None, Some(own), Some(used)) => used <= own,
            (None, Some(_), None) => BELOW.iter().any(|(name, _)| *name == used),
            (None, None, _) => false,
        };
        if !allowed {
            problems.push(format!("{own} uses {used}"));
        }
    }
    if below.is_none() && rank(own).is_none() {
        problems.push(format!("room {own} has no place in the order"));
    }
    problems
}

/// `crate::{a, b}` and `super::super::a` would hide from the rule above.
fn plain_paths(source: &Source) -> Vec<String> {
    if !source.in_src() {
        return Vec::new();
    }
    let code = source.code();
    let mut problems = Vec::new();
    if code.contains("crate::{") {
        problems.push("crate::{…}".to_owned());
    }
    for path in paths(&code, "super::super::") {
        let first = path.split("::").next().unwrap_or_default();
        if ROOMS.contains(&first) || BELOW.iter().any(|(name, _)| *name == first) {
            problems.push(format!("super::super::{first}"));
        }
    }
    problems
}

fn pgrx_places(source: &Source) -> Vec<String> {
    let free = ["src/lib.rs", "src/settings.rs"].contains(&source.path.as_str())
        || source.path.starts_with("src/pg/")
        || source.is_skin();
    refuse(source, source.in_src() && !free, &["pgrx"])
}

fn unsafe_places(source: &Source) -> Vec<String> {
    let here = source.in_src() && !source.path.starts_with("src/pg/")
        || source.path.starts_with("fuzz/") && source.path != "fuzz/coverage.rs";
    refuse(source, here, &["unsafe", "unsafe_code"])
}

fn skins_apart(source: &Source) -> Vec<String> {
    if source.path == "src/lib.rs" || !source.in_src() {
        return Vec::new();
    }
    paths(&source.code(), "crate::")
        .into_iter()
        .filter(|path| path.split("::").nth(1) == Some("sql"))
        .map(|path| format!("crate::{path}"))
        .collect()
}

fn pure_files(source: &Source) -> Vec<String> {
    if CONDUCTORS.iter().any(|(path, _)| *path == source.path) {
        return Vec::new();
    }
    server_uses(source)
}

fn server_uses(source: &Source) -> Vec<String> {
    let in_room = source.room().is_some_and(|room| ROOMS.contains(&room));
    if !in_room || source.is_skin() {
        return Vec::new();
    }
    paths(&source.code(), "crate::")
        .into_iter()
        .filter(|path| {
            let mut words = path.split("::");
            match words.next() {
                Some("pg") => words.next() != Some("ident"),
                Some("settings") => true,
                _ => false,
            }
        })
        .map(|path| format!("crate::{path}"))
        .collect()
}

fn surroundings(source: &Source) -> Vec<String> {
    let free = source.path.starts_with("src/keys/")
        || source.path.starts_with("src/pg/")
        || ["src/profile/store.rs", "src/settings.rs"].contains(&source.path.as_str());
    let here = source.in_src() && !free;
    refuse(source, here, &["env::var", "std::env", "SystemTime"])
}

fn randomness(source: &Source) -> Vec<String> {
    let free = source.path.starts_with("src/keys/") || source.path.starts_with("src/pg/");
    let here = source.in_src() && !free;
    refuse(
        source,
        here,
        &["getrandom", "rand::", "rand_core", "OsRng", "thread_rng"],
    )
}

fn short_files(source: &Source) -> Vec<String> {
    let lines = source.text.lines().count();
    if lines > MOST_LINES && !GENERATED.contains(&source.path.as_str()) {
        return vec![format!("{lines} lines")];
    }
    Vec::new()
}

fn speaking_names(source: &Source) -> Vec<String> {
    const EMPTY: [&str; 6] = ["common", "helper", "helpers", "misc", "util", "utils"];
    let in_path = source
        .path
        .split(['/', '.'])
        .filter(|part| EMPTY.contains(part))
        .map(str::to_owned);
    let code = source.code();
    let in_code = EMPTY
        .into_iter()
        .filter(|name| source.is_rust() && has_word(&code, &format!("mod {name}")))
        .map(str::to_owned);
    in_path.chain(in_code).collect()
}

fn file_docs(source: &Source) -> Vec<String> {
    let begins = |with: &str| source.text.starts_with(with);
    let fine = if source.is_rust() {
        begins("//! ")
    } else if source.path.ends_with(".sql") {
        begins("-- ")
    } else {
        true
    };
    if fine {
        Vec::new()
    } else {
        vec!["has no header".to_owned()]
    }
}

fn leftovers(source: &Source) -> Vec<String> {
    let here = source.in_src() || source.path.starts_with("pg_test/");
    refuse(
        source,
        here,
        &["todo!", "unimplemented!", "dbg!", "println!", "eprintln!"],
    )
}

fn settings_order(source: &Source) -> Vec<String> {
    if source.path != "src/settings.rs" {
        return Vec::new();
    }
    let names = setting_names(&source.text);
    names
        .windows(2)
        .filter(|pair| pair[0] >= pair[1])
        .map(|pair| format!("{} before {}", pair[0], pair[1]))
        .collect()
}

fn setting_names(text: &str) -> Vec<&str> {
    text.split("c\"confiture.")
        .skip(1)
        .filter_map(|rest| rest.split('"').next())
        .collect()
}

fn refuse(source: &Source, here: bool, words: &[&str]) -> Vec<String> {
    if !here {
        return Vec::new();
    }
    let code = source.code();
    words
        .iter()
        .filter(|word| has_word(&code, word))
        .map(|word| format!("says {word}"))
        .collect()
}

/// Whether a word stands in the code on its own, not as a part of another.
fn has_word(code: &str, word: &str) -> bool {
    let part = |c: char| c.is_alphanumeric() || c == '_';
    code.match_indices(word).any(|(at, _)| {
        let open = word.ends_with(part) && code[at + word.len()..].starts_with(part);
        !code[..at].ends_with(part) && !open
    })
}

/// Every path after a prefix, with the first word of a list that ends it: `pg::{ident, spi}` gives
/// `pg::ident` and `pg::spi`.
fn paths(code: &str, prefix: &str) -> Vec<String> {
    let mut found = Vec::new();
    for (at, _) in code.match_indices(prefix) {
        if prefix == "crate::" && code[..at].ends_with('$') {
            continue;
        }
        let rest = &code[at + prefix.len()..];
        let end = rest
            .find(|c: char| !c.is_alphanumeric() && c != '_' && c != ':')
            .unwrap_or(rest.len());
        let path = &rest[..end];
        if let (Some(stem), Some(list)) = (path.strip_suffix("::"), rest[end..].strip_prefix('{')) {
            let list = list.split('}').next().unwrap_or_default();
            found.extend(
                list.split(',')
                    .map(str::trim)
                    .filter(|item| !item.is_empty())
                    .map(|item| format!("{stem}::{item}")),
            );
        } else if !path.is_empty() {
            found.push(path.to_owned());
        }
    }
    found
}

struct Source {
    path: String,
    text: String,
}

impl Source {
    fn new(path: &str, text: &str) -> Self {
        Self {
            path: path.to_owned(),
            text: text.to_owned(),
        }
    }

    fn is_rust(&self) -> bool {
        self.path.ends_with(".rs") && !self.path.starts_with("tests/")
    }

    fn in_src(&self) -> bool {
        self.path.starts_with("src/")
    }

    fn is_skin(&self) -> bool {
        self.path.ends_with("/sql.rs") || self.path.ends_with("/store.rs")
    }

    /// `src/keys/provider/file.rs` and `src/keys/mod.rs` are in room `keys`.
    fn room(&self) -> Option<&str> {
        let inside = self.path.strip_prefix("src/")?;
        let room = inside.split('/').next()?;
        match room.strip_suffix(".rs") {
            Some("lib") => None,
            Some(file) => Some(file),
            None => Some(room),
        }
    }

    /// The text without comment lines.
    fn code(&self) -> String {
        self.text
            .lines()
            .filter(|line| !line.trim_start().starts_with("//"))
            .collect::<Vec<_>>()
            .join("\n")
    }
}

fn sources() -> Vec<Source> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut found = Vec::new();
    for folder in ["fuzz", "pg_test", "sql", "src", "tests", "verify"] {
        collect(root, &root.join(folder), &mut found).expect("the sources can be read");
    }
    found
}

fn collect(root: &Path, folder: &Path, found: &mut Vec<Source>) -> io::Result<()> {
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        let shown = path.strip_prefix(root).unwrap_or(&path).to_string_lossy();
        if path.is_dir() {
            // What was released is kept as it was made.
            let frozen = shown == "sql/released";
            if !frozen && !shown.ends_with("__pycache__") && !shown.contains("/.") {
                collect(root, &path, found)?;
            }
        } else if [".rs", ".sql", ".py"]
            .iter()
            .any(|end| shown.ends_with(end))
        {
            found.push(Source::new(&shown, &fs::read_to_string(&path)?));
        }
    }
    Ok(())
}
