//! One run: plan, STARTED, copy, checks, COMPLETED; or, whatever goes wrong, nothing and FAILED.

use std::collections::BTreeMap;
use std::time::Instant;

use serde_json::{Map, Value};

use super::alike;
use super::copy::copy;
use super::evidence::{Evidence, seconds};
use super::failure::explain;
use super::forecast::{self, warnings};
use super::frame::Frame;
use super::hooks::round::{self, Round};
use super::log::{Log, field};
use super::options::Lineage;
use super::phase::Phase;
use super::plan::Plan;
use super::progress::About;
use super::progress::store::Shown;
use super::request::{self, Request, pinned};
use super::{store, swap};
use crate::custody;
use crate::error::Result;
use crate::keys::store::ActiveKey;
use crate::keys::{self, SALT_PREFIX, Secret, random_uuid};
use crate::ledger::entry::Event;
use crate::ledger::json::Json;
use crate::ledger::signing;
use crate::ledger::store::{self as ledger, Origin};
use crate::pg::report;
use crate::pg::subxact::guarded;
use crate::pg::user;
use crate::profile::{self, Profile};
use crate::vault::pending;
use crate::watch;

/// Carries a run out, in transactions of its own where the procedure may commit.
///
/// # Errors
/// Whatever is wrong; the target is unchanged then.
pub fn run(request: &Request, may_commit: bool) -> Result<()> {
    let frame = Frame::open(request, may_commit)?;
    let started = Instant::now();
    let profile = profile::store::pick(&request.profile, request.options.version.as_deref())?;
    let (planned, forecast) = pinned(|| {
        let planned = request::plan(request, &profile)?;
        let forecast = forecast::store::make(request, &profile, &planned)?;
        Ok((planned, forecast))
    })?;
    if request.options.strict {
        warnings::strict(forecast.open())?;
    }
    let hooks = round::expected(&profile.name)?;
    for remark in &planned.plan.remarks {
        report::notice(remark);
    }
    for warning in forecast.open().filter(|warning| warning.is_told()) {
        report::notice(&warning.message);
    }
    let key = masking_key(&planned.plan, request, &profile, true)?;
    let (salts, salted) = salts(&planned.plan, &profile.name)?;
    let masks = key
        .as_ref()
        .map(|key| alike::fingerprint(&key.secret, &planned.plan, &profile.name, &salted));
    drop(salted);
    let run_id = random_uuid()?;
    let evidence = Evidence {
        run_id,
        request,
        profile: &profile,
        key: key.as_ref(),
        salts,
        masks,
        in_transaction: frame.is_callers(),
        acknowledged: forecast.acknowledged(),
    };
    let shown = store::shown_id(run_id);
    let hooks = Round::new(&evidence, shown.clone(), &planned.plan, &hooks);
    let mut facts = evidence.facts(&planned.plan);
    hooks.describe(&mut facts);
    evidence.ask(&mut facts);
    frame.begin(facts)?;

    let user = user::name(user::caller());
    let about = About::of(&evidence, &planned.plan, &forecast.figures, user);
    let standing = Shown::begin(about, request.options.progress);
    let phase = Phase::new(Log::new(shown, started), standing);
    phase.log().line(&begun(&evidence, &planned.plan));
    let outcome = guarded(|| {
        pinned(|| {
            hooks.before(&phase)?;
            let copied = copy(&evidence, &planned, &phase)?;
            hooks.after(&phase, &copied)?;
            // Behind hooks, which may take their time; the turn to write to the ledger comes with it.
            swap::exchange::keep_readers_away(&planned.plan, request.options.mode, &phase)?;
            phase.enter("recording");
            pending::settle(run_id)?;
            let mut facts = evidence.facts(&planned.plan);
            hooks.describe(&mut facts);
            copied.describe(&planned.plan, started, &phase.took(), &mut facts);
            ledger::append_with(Origin::Run, Event::Completed, facts, Some(&copied.lineage))?;
            // Behind the ledger, for the order of locks.
            watch::store::renew(&request.source)?;
            Ok(copied)
        })
    });
    match outcome {
        Ok(copied) => {
            frame.end()?;
            phase.log().line(&copied.outcome());
            copied.announce(started);
            Ok(())
        }
        Err(failure) => {
            let (error, mut details) = explain(failure, &phase, frame.record());
            let sqlstate = error.kind().sqlstate();
            let stood = details.get("phase").and_then(Value::as_str).unwrap_or("");
            let why = format!("{}, phase: {stood}", sqlstate.as_str());
            let line = failed(&details);
            details.insert("seconds".to_owned(), seconds(started));
            let mut facts = evidence.facts(&planned.plan);
            facts.details = Some(Json::merged(facts.details, details.clone()));
            facts.verification_passed = Some(false);
            facts.verification_report = phase.report().map(Json::from);
            hooks.describe(&mut facts);
            frame.fail(&facts, &why)?;
            phase.log().line(&line);
            hooks.on_error(phase.log(), &details);
            frame.end()?;
            Err(error)
        }
    }
}

/// What the log says of a run that failed.
fn failed(details: &Map<String, Value>) -> String {
    let words = ["phase", "hook", "table", "column", "constraint", "sqlstate"];
    let said = words.into_iter().filter_map(|name| {
        let word = details.get(name)?.as_str()?;
        Some(match name {
            "sqlstate" => format!("{name}={word}"),
            _ => field(name, word),
        })
    });
    format!("failed {}", said.collect::<Vec<_>>().join(" "))
}

/// What the log says of a run that begins.
fn begun(run: &Evidence<'_>, plan: &Plan) -> String {
    format!(
        "started {} {} {} {} tables={} masked={} copied={}",
        field("profile", &run.profile.name),
        field("version", &run.profile.version),
        field("source", &run.request.source),
        field("target", &run.request.target),
        plan.tables.len(),
        plan.masked(),
        plan.copied_unchanged(),
    )
}

/// The masking key of a run; `None` where no key was made, the ledger may do without, and nothing
/// in the run needs one.
///
/// # Errors
/// As [`profile::store::masking_key`].
pub fn masking_key(
    plan: &Plan,
    request: &Request,
    profile: &Profile,
    pin: bool,
) -> Result<Option<ActiveKey>> {
    if signing::store::is_unsigned()? && !plan.needs_key() {
        if request.options.lineage == Lineage::Off {
            return Ok(None);
        }
        return Err(keys::store::no_key()
            .with_detail("The commitments of the lineage need one, though no mask does.")
            .with_hint("Make one with confiture.create_key, or run with the option lineage off."));
    }
    profile::store::masking_key(profile, pin).map(Some)
}

/// The versions of the salts of a run, and the salts; a column's own salt is made when a run first
/// needs it.
fn salts(plan: &Plan, profile: &str) -> Result<(BTreeMap<String, i32>, BTreeMap<String, Secret>)> {
    let (mut salts, mut salted) = (BTreeMap::new(), BTreeMap::new());
    for mask in plan.masks(profile) {
        let Some((name, version)) = mask.salt else {
            continue;
        };
        let is_own = mask
            .strategy
            .salt()
            .is_some_and(|salt| salt.name.is_empty());
        if is_own && version.is_none() {
            custody::store::ensure(&format!("{SALT_PREFIX}{name}"))?;
        }
        let (salt, version) = keys::store::salt_now(&name, version)?;
        salted.insert(name.clone(), salt);
        salts.insert(name, version);
    }
    Ok((salts, salted))
}
