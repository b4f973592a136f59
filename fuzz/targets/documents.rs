//! Documents that people write: profiles, what a controller declares, rules of law.

use confiture::compliance::controller::read as controller_facts;
use confiture::compliance::rules::read as rules_of_law;
use confiture::error::{Error, Kind};
use confiture::profile::{self, Severity, document};

/// A profile, or problems each of which says where it is, in one line.
pub(crate) fn profile(input: &[u8]) {
    let (profile, problems) = profile::read(input);
    let is_refused = problems.iter().any(|p| p.severity == Severity::Error);
    assert_eq!(profile.is_none(), is_refused, "{problems:?}");
    for problem in &problems {
        // That there are more of them is said of the document.
        let has_place = problem.place.is_some() || problem.code == "too_many";
        assert!(has_place, "{problem:?}");
        assert!(!problem.message.contains(char::is_control), "{problem:?}");
    }
    match (profile::load(input), profile) {
        // What is loaded has one hash, however often it is read.
        (Ok((loaded, _)), Some(read)) => assert_eq!(loaded.profile_hash(), read.profile_hash()),
        (Err(error), None) => decent(&error),
        _ => panic!("a profile is accepted by one of two readers"),
    }
}

/// Facts of a controller, or an error.
pub(crate) fn controller(input: &[u8]) {
    let read = document::read_within(controller_facts::BOUNDS, "controller", input);
    if let Err(error) = read.and_then(|tree| controller_facts::document(&tree)) {
        decent(&error);
    }
}

/// Rules of law, or an error.
pub(crate) fn rules(input: &[u8]) {
    let Ok(text) = std::str::from_utf8(input) else {
        return;
    };
    if let Err(error) = rules_of_law::document(text) {
        decent(&error);
    }
}

/// What every error keeps: it is one line, no sentence, and no defect of ours.
pub(crate) fn decent(error: &Error) {
    assert_ne!(error.kind(), Kind::Internal, "{error:?}");
    assert!(!error.message().contains(char::is_control), "{error:?}");
    assert!(!error.message().ends_with('.'), "{error:?}");
}
