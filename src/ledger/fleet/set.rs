//! Ledgers held against each other: what the servers of a fleet must have in common.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Map, Value, json};

use super::instant::{length, utc};
use super::member::{Ledger, Member, Run, State};
use super::{Row, shown};
use crate::ledger::anchor::origin;
use crate::ledger::entry::UNSIGNED;
use crate::ledger::verify::AUDIT;

/// What the set is asked.
#[derive(Default)]
pub struct Question {
    /// The one profile that is looked at; else all of them.
    pub profile: Option<String>,
    /// The ids of the logs that belong to the fleet.
    pub expected: Option<Vec<[u8; 16]>>,
    /// How far apart the last runs may have ended, in microseconds; else they are expected to have
    /// gone on at one time.
    pub within: Option<i64>,
}

/// Names that are listed in a sentence; the others are counted.
const MOST_NAMES: usize = 5;

/// Says what holds of the set, then of each server.
pub fn judge(members: &[Member], question: &Question) -> Vec<Row> {
    let mut rows = Vec::new();
    membership(members, question, &mut rows);
    let mut profiles: BTreeSet<&str> = read(members)
        .flat_map(|(_, ledger)| ledger.runs.iter().map(|(profile, _)| &**profile))
        .collect();
    if let Some(profile) = &question.profile {
        profiles = BTreeSet::from([&**profile]);
    } else if profiles.is_empty() {
        rows.push(of_set(
            "F04",
            "fail",
            "No server has a verified run.".into(),
        ));
    }
    for profile in &profiles {
        likeness(members, profile, question.within, &mut rows);
    }
    let mut servers = Vec::new();
    for member in members {
        of_server(member, question.profile.as_deref(), &mut servers);
    }
    rows.extend(servers);
    rows.insert(0, summary(members, &profiles, &rows));
    rows
}

fn read(members: &[Member]) -> impl Iterator<Item = (&str, &Ledger)> {
    members.iter().filter_map(|member| match &member.state {
        State::Read(ledger) => Some((&*member.name, &**ledger)),
        State::Unread(..) => None,
    })
}

/// Who is there, once each, and nobody else.
fn membership(members: &[Member], question: &Question, rows: &mut Vec<Row>) {
    let mut by_log: BTreeMap<[u8; 16], Vec<&str>> = BTreeMap::new();
    for (name, ledger) in read(members) {
        by_log.entry(ledger.log_id).or_default().push(name);
    }
    if let Some(expected) = &question.expected {
        let expected: BTreeSet<_> = expected.iter().collect();
        for log in expected.iter().filter(|log| !by_log.contains_key(**log)) {
            let log = uuid(log);
            rows.push(Row {
                facts: json!({"log": log}),
                ..of_set(
                    "F01",
                    "fail",
                    format!("Log {log} is expected, and none of the ledgers read is it."),
                )
            });
        }
        for (log, names) in by_log.iter().filter(|(log, _)| !expected.contains(log)) {
            let log = uuid(log);
            rows.push(Row {
                facts: json!({"log": log, "servers": names}),
                ..of_set(
                    "F02",
                    "fail",
                    format!(
                        "The ledger of {} is log {log}, which is not expected.",
                        list(names)
                    ),
                )
            });
        }
    }
    for (log, names) in by_log.iter().filter(|(_, names)| names.len() > 1) {
        let log = uuid(log);
        rows.push(Row {
            facts: json!({"log": log, "servers": names}),
            ..of_set(
                "F03",
                "fail",
                format!(
                    "{} have the same ledger, log {log}: one server twice, or a copy of one.",
                    list(names)
                ),
            )
        });
    }
    let mut by_key: BTreeMap<[u8; 32], BTreeSet<&str>> = BTreeMap::new();
    for member in members {
        for key in &member.keys {
            by_key.entry(*key).or_default().insert(&member.name);
        }
    }
    let mut sharing: Vec<Vec<&str>> = by_key
        .into_values()
        .filter(|names| names.len() > 1)
        .map(|names| names.into_iter().collect())
        .collect();
    sharing.dedup();
    for names in sharing {
        rows.push(Row {
            facts: json!({"servers": names}),
            ..of_set(
                "F10",
                "warn",
                format!(
                    "{} sign their ledgers with the same key: each of them could have signed those \
                     of the others.",
                    list(&names)
                ),
            )
        });
    }
}

/// What the last verified runs of a profile have in common.
fn likeness(members: &[Member], profile: &str, within: Option<i64>, rows: &mut Vec<Row>) {
    let mut without = Vec::new();
    let mut runs: Vec<(&str, &Run)> = Vec::new();
    for (name, ledger) in read(members) {
        match ledger.runs.iter().find(|(of, _)| of == profile) {
            Some((_, run)) => runs.push((name, run)),
            None => without.push(name),
        }
    }
    let called = shown(profile);
    let mut add = |code, status, detail, facts: Value| {
        let mut of_profile = Map::from_iter([("profile".to_owned(), json!(profile))]);
        if let Value::Object(facts) = facts {
            of_profile.extend(facts);
        }
        rows.push(Row {
            facts: of_profile.into(),
            ..of_set(code, status, detail)
        });
    };
    if !without.is_empty() {
        add(
            "F04",
            "fail",
            format!(
                "There is no verified run of profile {called} on {}.",
                list(&without)
            ),
            json!({"servers": without}),
        );
    }
    let mut differs = false;
    let mut compare = |code, what: &str, of: &dyn Fn(&Run) -> Option<(String, String)>| {
        let mut groups: BTreeMap<(String, String), Vec<&str>> = BTreeMap::new();
        for (name, run) in &runs {
            if let Some(key) = of(run) {
                groups.entry(key).or_default().push(name);
            }
        }
        if groups.len() < 2 {
            return false;
        }
        let said: Vec<_> = groups
            .iter()
            .map(|((short, _), names)| format!("{short} on {}", list(names)))
            .collect();
        let facts: Vec<_> = groups
            .iter()
            .map(|((_, value), names)| json!({"servers": names, "value": value}))
            .collect();
        add(
            code,
            "fail",
            format!("Of profile {called}, {what}: {}.", said.join("; ")),
            json!({"groups": facts}),
        );
        true
    };
    differs |= compare("F05", "the versions differ", &|run| {
        let hash = hex::encode(&run.hash);
        let short = format!(
            "{} ({}…)",
            shown(&run.version),
            hash.get(..8).unwrap_or(&hash)
        );
        Some((short, hash))
    });
    let strategies = strategies(&runs);
    differs |= compare("F06", "tables, columns or strategies differ", &|run| {
        let short = strategies.get(&run.strategies).cloned();
        Some((short.unwrap_or_default(), run.strategies.clone()))
    });
    differs |= compare("F07", "the masking keys differ", &|run| {
        // A run that claims to need no key is not like one that has one.
        let of = match (&run.key_fingerprint, &run.key) {
            (Some(of), _) => of.clone(),
            (None, None) => "no key".to_owned(),
            (None, Some(_)) => return None,
        };
        Some((shown(&of), of))
    });
    if !differs {
        compare("F08", "the seeds or salts differ", &|run| {
            let of = run.masks_fingerprint.clone()?;
            Some((shown(&of), of))
        });
    }
    let silent: Vec<_> = runs
        .iter()
        .filter(|(_, run)| run.key.is_some() && run.masks_fingerprint.is_none())
        .map(|(name, _)| *name)
        .collect();
    if !silent.is_empty() {
        add(
            "F11",
            "unverifiable",
            format!(
                "The run of profile {called} of {} says nothing that tells keys, seeds and salts \
                 apart: whether its pseudonyms are those of the others is not known.",
                list(&silent)
            ),
            json!({"servers": silent}),
        );
    }
    windows(&runs, &called, within, &mut add);
}

/// Whether the runs were at the same time.
fn windows(
    runs: &[(&str, &Run)],
    called: &str,
    within: Option<i64>,
    add: &mut dyn FnMut(&'static str, &'static str, String, Value),
) {
    let last_begun = runs.iter().max_by_key(|(_, run)| run.window.0);
    let first_ended = runs.iter().min_by_key(|(_, run)| run.window.1);
    let last_ended = runs.iter().max_by_key(|(_, run)| run.window.1);
    let (Some((late, begun)), Some((early, ended)), Some((_, last))) =
        (last_begun, first_ended, last_ended)
    else {
        return;
    };
    let apart = last.window.1.saturating_sub(ended.window.1);
    let (status, is_one) = match within {
        Some(within) => ("fail", apart <= within),
        None => ("warn", begun.window.0 <= ended.window.1),
    };
    if is_one {
        return;
    }
    let (early, late) = (shown(early), shown(late));
    let between = begun.window.0.saturating_sub(ended.window.1);
    add(
        "F09",
        status,
        format!(
            "The last runs of profile {called} do not belong to one time: that of {early} was \
             complete at {}, that of {late} began at {}{}. What moved from one server to another \
             in between may be in both copies, or in none.",
            utc(ended.window.1),
            utc(begun.window.0),
            match between {
                0.. => format!(", {} later", length(between)),
                _ => format!(", and the last one was complete {} later", length(apart)),
            }
        ),
        json!({"first_completed": utc(ended.window.1), "last_began": utc(begun.window.0),
               "last_completed": utc(last.window.1)}),
    );
}

/// For each way in which columns were masked, what of it is not so everywhere: the first column that
/// differs, and how.
fn strategies(runs: &[(&str, &Run)]) -> BTreeMap<String, String> {
    let mut all: BTreeMap<String, BTreeMap<String, String>> = BTreeMap::new();
    for (_, run) in runs {
        let mut columns = BTreeMap::new();
        let of_run: Value = serde_json::from_str(&run.strategies).unwrap_or_default();
        for (table, of) in of_run.as_object().into_iter().flatten() {
            columns.insert(table.clone(), "copied".to_owned());
            for (column, strategy) in of.as_object().into_iter().flatten() {
                let strategy = strategy.as_str().unwrap_or_default().to_owned();
                columns.insert(format!("{table}.{column}"), strategy);
            }
        }
        all.insert(run.strategies.clone(), columns);
    }
    let names: BTreeSet<_> = all.values().flat_map(BTreeMap::keys).cloned().collect();
    let differing = names.into_iter().find(|name| {
        let found: BTreeSet<_> = all.values().map(|columns| columns.get(name)).collect();
        found.len() > 1
    });
    let Some(name) = differing else {
        return BTreeMap::new();
    };
    all.into_iter()
        .map(|(text, columns)| {
            let how = match columns.get(&name) {
                Some(strategy) => format!("{} for {}", shown(strategy), shown(&name)),
                None => format!("no {}", shown(&name)),
            };
            (text, how)
        })
        .collect()
}

fn of_server(member: &Member, profile: Option<&str>, rows: &mut Vec<Row>) {
    let row = |code, status, detail, facts| Row {
        server: Some(member.name.clone()),
        facts,
        ..of_set(code, status, detail)
    };
    let ledger = match &member.state {
        State::Unread(status, why) => {
            rows.push(row("SERVER", status, why.clone(), json!({})));
            return;
        }
        State::Read(ledger) => ledger,
    };
    let has = |status| ledger.findings.iter().any(|found| found.status == status);
    let unsigned = has("unsigned");
    let status = match (has("fail") || ledger.is_another, has("unverifiable")) {
        (true, _) => "fail",
        (false, _) if unsigned => "unsigned",
        (false, true) => "unverifiable",
        (false, false) if ledger.covers == 0 => "unverifiable",
        (false, false) => "ok",
    };
    let (last, covers) = (
        ledger.head.0,
        i64::try_from(ledger.covers).unwrap_or(i64::MAX),
    );
    let log = uuid(&ledger.log_id);
    let detail = match status {
        "fail" if ledger.is_another => format!(
            "Its ledger is {}, and the keys of its anchors are those of another log.",
            origin(&ledger.log_id)
        ),
        "fail" => "Its ledger was changed, or is not the one that was anchored.".to_owned(),
        "unsigned" => format!("Entries name key \"{}\": nobody signed them.", UNSIGNED.0),
        "unverifiable" if covers == 0 => "Its ledger agrees with itself, and no anchor of a key \
            that was pinned covers an entry: whoever handed it in could have made it up."
            .to_owned(),
        "unverifiable" => "Not all of it could be checked.".to_owned(),
        _ => format!(
            "Its ledger holds together and is the one that was anchored, up to entry {covers} of \
             {last}."
        ),
    };
    rows.push(Row {
        chain: Some(AUDIT),
        seq_from: (covers > 0).then_some(1),
        seq_to: (covers > 0).then_some(covers),
        ..row(
            "SERVER",
            status,
            detail,
            json!({"log": log, "entries": last, "head": hex::encode(&ledger.head.1),
                   "anchored": covers}),
        )
    });
    let asked = |of: &str| profile.is_none_or(|profile| profile == of);
    for (profile, run) in ledger.runs.iter().filter(|(of, _)| asked(of)) {
        let covered = run.seq <= covers;
        let holds = match status {
            "ok" if !covered => "unverifiable",
            _ => status,
        };
        let ended = utc(run.window.1);
        let mut detail = format!(
            "Profile {} {}, complete at {ended} by the clock of the server{}",
            shown(profile),
            shown(&run.version),
            match (holds, covered) {
                ("ok", _) | (_, true) => ".",
                _ => "; no good anchor covers it.",
            }
        );
        match run.failed_since {
            0 => {}
            1 => detail.push_str(" One run of it has failed since."),
            many => detail.push_str(&format!(" {many} runs of it have failed since.")),
        }
        rows.push(Row {
            chain: Some(AUDIT),
            seq_from: Some(run.seq),
            seq_to: Some(run.seq),
            ..row("RUN", holds, detail, run.facts(profile))
        });
    }
    if ledger.is_cut {
        rows.push(row(
            "RUN",
            "unverifiable",
            "It has more profiles than are looked at: name the one that matters.".to_owned(),
            json!({}),
        ));
    }
    let said = ledger.findings.iter().filter(|found| found.status != "ok");
    rows.extend(said.map(|found| Row {
        chain: Some(found.chain),
        seq_from: found.seq_from,
        seq_to: found.seq_to,
        ..row(found.code, found.status, found.detail.clone(), json!({}))
    }));
}

/// The first row: the worst of all others, and in a sentence what was looked at.
fn summary(members: &[Member], profiles: &BTreeSet<&str>, rows: &[Row]) -> Row {
    let worst = ["fail", "unsigned", "unverifiable"]
        .into_iter()
        .find(|status| rows.iter().any(|row| row.status == *status))
        .unwrap_or("ok");
    let wrong = rows.iter().filter(|row| row.status == worst).count();
    let (servers, were) = (members.len(), read(members).count());
    let detail = match worst {
        "ok" => format!(
            "The ledgers of {servers} servers hold together, are those that were anchored, and say \
             the same of {}.",
            match profiles.len() {
                1 => "the profile".to_owned(),
                many => format!("{many} profiles"),
            }
        ),
        _ => format!("{were} of {servers} ledgers were read; rows with status {worst}: {wrong}."),
    };
    Row {
        facts: json!({"servers": servers, "read": were, "profiles": profiles}),
        ..of_set("FLEET", worst, detail)
    }
}

fn of_set(code: &'static str, status: &'static str, detail: String) -> Row {
    Row {
        server: None,
        code,
        status,
        chain: None,
        seq_from: None,
        seq_to: None,
        detail,
        facts: json!({}),
    }
}

/// A uuid in its usual form.
pub(super) fn uuid(id: &[u8; 16]) -> String {
    let name = origin(id);
    name.rsplit('/').next().unwrap_or(&name).to_owned()
}

/// Names in a sentence.
fn list(names: &[&str]) -> String {
    let mut said: Vec<_> = names
        .iter()
        .take(MOST_NAMES)
        .map(|name| shown(name))
        .collect();
    let more = names.len().saturating_sub(MOST_NAMES);
    if more > 0 {
        said.push(format!("{more} more"));
    }
    match said.split_last() {
        Some((last, before)) if !before.is_empty() => {
            format!("{} and {last}", before.join(", "))
        }
        Some((only, _)) => only.clone(),
        None => String::new(),
    }
}
