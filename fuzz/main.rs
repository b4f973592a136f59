//! Fuzzing: what reads documents, notes, tokens and answers from outside is given mutations of a small
//! corpus, for `FUZZ_SECONDS` a target.
//!
//! `make fuzz` has the compiler count which edges of the library are taken, and keeps what takes new
//! ones; in the other commands the same targets run without, on mutations of the committed corpus. A
//! failure leaves the input, made small, in `target/fuzz/failed`: put it into the corpus of its target
//! with the mend.

mod coverage;
mod engine;
mod mutate;
mod targets {
    pub(crate) mod documents;
    pub(crate) mod keys;
    pub(crate) mod ledger;
    pub(crate) mod masks;
}

use engine::fuzz;
use targets::{documents, keys, ledger, masks};

/// One test for each target, by the name of its corpus.
macro_rules! targets {
    ($($name:ident => $run:path;)*) => {
        $(
            #[test]
            fn $name() {
                fuzz(stringify!($name), $run);
            }
        )*

        const NAMES: &[&str] = &[$(stringify!($name)),*];
    };
}

targets! {
    anchor => ledger::anchor;
    aws => keys::aws;
    azure => keys::azure;
    canonical => ledger::canonical;
    controller => documents::controller;
    entry => ledger::entry;
    fpe => masks::fpe;
    json_path => masks::json_path;
    mask => masks::mask;
    profile => documents::profile;
    rules => documents::rules;
    shared_key => keys::shared;
    text => masks::text;
    token => masks::token;
    vault => keys::vault;
}

#[test]
fn published_export_is_verified_so_that_a_change_would_be_seen() {
    let file = engine::corpus().join("entry/published");
    let export = std::fs::read_to_string(file).expect("an export");
    assert_eq!(ledger::verified(export.as_bytes()), 4);
    let changed = export.replacen("[local]", "[other]", 1);
    assert_eq!(ledger::verified(changed.as_bytes()), 0);
}

#[test]
fn every_corpus_has_a_target() {
    let folder = engine::corpus();
    let found = std::fs::read_dir(&folder).expect("a corpus");
    let mut found: Vec<String> = found
        .map(|entry| entry.expect("an entry").file_name())
        .map(|name| name.into_string().expect("a name in UTF-8"))
        .collect();
    found.sort_unstable();
    assert_eq!(found, NAMES);
}
