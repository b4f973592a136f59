//! The hooks of one run: judged when it is planned, judged again and called at their moments, their
//! outcome put on record and into the log.

use std::cell::RefCell;
use std::time::Instant;

use serde_json::{Map, Value, json};

use super::landed::Landed;
use super::{Answer, Hook, Moment, landed, merge, misread, store, vetoed};
use crate::error::{Error, Kind, Result};
use crate::ledger::declared::session::InHook;
use crate::ledger::entry::Facts;
use crate::ledger::json::Json;
use crate::pg::report;
use crate::pg::subxact::{Failure, guarded};
use crate::sync::copy::Copied;
use crate::sync::evidence::Evidence;
use crate::sync::log::{Log, field};
use crate::sync::phase::Phase;
use crate::sync::plan::Plan;
use crate::sync::request::pinned;

/// The hooks of a profile, each of which may be called as things are.
///
/// # Errors
/// As [`super::judge`], of the first that may not.
pub fn expected(profile: &str) -> Result<Vec<Hook>> {
    let hooks = store::of_profile(profile)?;
    for hook in &hooks {
        store::function(hook)?;
    }
    Ok(hooks)
}

/// The hooks of a run, and what became of them.
pub struct Round<'a> {
    run: &'a Evidence<'a>,
    run_id: String,
    tables: Vec<String>,
    hooks: &'a [Hook],
    metadata: RefCell<Map<String, Value>>,
    record: RefCell<Vec<Value>>,
    /// The tables that hooks have written after the checks.
    written: RefCell<Vec<String>>,
}

impl<'a> Round<'a> {
    /// Those that were expected when the run was planned.
    pub fn new(run: &'a Evidence<'a>, run_id: String, plan: &Plan, hooks: &'a [Hook]) -> Self {
        Self {
            run,
            run_id,
            tables: plan.tables.iter().map(|t| t.source.name.clone()).collect(),
            hooks,
            metadata: RefCell::default(),
            record: RefCell::default(),
            written: RefCell::default(),
        }
    }

    /// Calls those of before.
    ///
    /// # Errors
    /// As [`super::judge`]; 09000 for a veto; 22023 for an answer that is none. What a hook raises
    /// unwinds.
    pub fn before(&self, phase: &Phase) -> Result<()> {
        self.moment(Moment::Before, phase, &Map::new())
    }

    /// Calls those of after the checks, with what was copied, and has done what they put off.
    ///
    /// # Errors
    /// As [`Round::before`].
    pub fn after(&self, phase: &Phase, copied: &Copied) -> Result<()> {
        if !self.hooks.iter().any(|hook| hook.moment == Moment::After) {
            return Ok(());
        }
        let request = self.run.request;
        let last = store::last_run(&self.run.profile.name, &request.source, &request.target)?;
        let counts: Map<String, Value> = copied
            .tables
            .iter()
            .map(|(name, rows, _)| (name.clone(), json!(rows)))
            .collect();
        let more = Map::from_iter([
            ("counts".to_owned(), Value::Object(counts)),
            ("last_run".to_owned(), last.unwrap_or(Value::Null)),
        ]);
        let names: Vec<_> = copied
            .tables
            .iter()
            .map(|(name, _, _)| name.clone())
            .collect();
        let landed = || landed::tables(&request.target, &names);
        let before = landed()?;
        self.moment(Moment::After, phase, &more)?;
        // Or it would be done at the commit, where the run could no longer be taken back with a
        // word on record. What the caller of a transaction has put off stays his.
        if !self.run.in_transaction {
            store::put_off_is_done()?;
        }
        let after = landed()?;
        // TRUNCATE of a table that this transaction has made empties the file, and the counts.
        let is_gone = |(b, a): &(&Landed, &Landed)| b.files != a.files || a.writes < b.writes;
        if let Some((gone, _)) = before.iter().zip(&after).find(is_gone) {
            return Err(Error::new(
                Kind::NotReady,
                format!(
                    "a hook has dropped, emptied or rewritten table \"{}.{}\"",
                    request.target, gone.name
                ),
            )
            .with_hint("A hook may change rows of the target; its tables stay what was checked."));
        }
        let written = before
            .iter()
            .zip(&after)
            .filter(|(b, a)| b.writes != a.writes);
        for (table, _) in written {
            report::notice(&format!(
                "{}: hooks have changed rows after the checks",
                table.name
            ));
            self.written.borrow_mut().push(table.name.clone());
        }
        Ok(())
    }

    /// Calls those of a failure, each for itself: what one of them raises is a warning, and the
    /// error of the run is the one to be reported.
    pub fn on_error(&self, log: &Log, error: &Map<String, Value>) {
        let names = ["column", "constraint", "hook", "phase", "sqlstate", "table"];
        let error: Map<String, Value> = names
            .into_iter()
            .filter_map(|name| Some((name.to_owned(), error.get(name)?.clone())))
            .collect();
        let more = Map::from_iter([("error".to_owned(), Value::Object(error))]);
        let mine = |hook: &&Hook| hook.moment == Moment::OnError;
        for hook in self.hooks.iter().filter(mine) {
            let began = Instant::now();
            let outcome = guarded(|| {
                self.call(hook, &more)?;
                if self.run.in_transaction {
                    return Ok(());
                }
                store::put_off_is_done()
            });
            let sqlstate = match outcome {
                Ok(()) => None,
                Err(Failure::Own(error)) => Some(error.kind().sqlstate()),
                Err(Failure::Server(error)) => Some(error.sqlstate),
            };
            let Some(sqlstate) = sqlstate else {
                line(log, hook, "ok", began);
                continue;
            };
            line(log, hook, sqlstate.as_str(), began);
            report::warning(
                &format!(
                    "hook {} failed after the run had failed: SQLSTATE {}",
                    hook.shown(),
                    sqlstate.as_str()
                ),
                Some("The error of the run follows."),
            );
            // Whoever cancels wants an end.
            if sqlstate.as_str() == "57014" {
                return;
            }
        }
    }

    /// Adds to the facts of an entry which hooks there are, and what became of those that were
    /// called.
    pub fn describe(&self, facts: &mut Facts) {
        if self.hooks.is_empty() {
            return;
        }
        let called = self.record.borrow();
        let waiting = self.hooks.iter().filter(|hook| {
            let is_it = |entry: &Value| {
                entry["function"] == json!(hook.shown())
                    && entry["phase"] == json!(hook.moment.name())
                    && entry["profile"] == json!(hook.profile)
            };
            !called.iter().any(is_it)
        });
        let hooks: Vec<Value> = called
            .iter()
            .cloned()
            .chain(waiting.map(|hook| entry(hook, "not called", None)))
            .collect();
        let mut more = Map::from_iter([("hooks".to_owned(), Value::Array(hooks))]);
        let written = self.written.borrow();
        if !written.is_empty() {
            more.insert("changed_by_hooks".to_owned(), json!(*written));
        }
        facts.details = Some(Json::merged(facts.details.take(), more));
    }

    fn moment(&self, moment: Moment, phase: &Phase, more: &Map<String, Value>) -> Result<()> {
        for hook in self.hooks.iter().filter(|hook| hook.moment == moment) {
            phase.enter_hook(&hook.shown());
            let began = Instant::now();
            // Until it has answered: an error of it unwinds past here.
            let place = self.record.borrow().len();
            self.record.borrow_mut().push(entry(hook, "failed", None));
            let function = store::function(hook)?;
            self.record.borrow_mut()[place] = entry(hook, "failed", function.definition.as_deref());
            let outcome = self.answered(hook, &function, more);
            let word = match &outcome {
                Ok(()) => "ok",
                Err(error) if error.kind() == Kind::Vetoed => "vetoed",
                Err(_) => "failed",
            };
            self.record.borrow_mut()[place] = entry(hook, word, function.definition.as_deref());
            line(phase.log(), hook, word, began);
            outcome?;
        }
        Ok(())
    }

    fn answered(
        &self,
        hook: &Hook,
        function: &super::Function,
        more: &Map<String, Value>,
    ) -> Result<()> {
        match self.asked(hook, function, more)? {
            Answer::GoOn(metadata) => merge(&mut self.metadata.borrow_mut(), hook, metadata),
            Answer::Veto(reason) => Err(vetoed(hook, &reason)),
        }
    }

    fn call(&self, hook: &Hook, more: &Map<String, Value>) -> Result<()> {
        let function = store::function(hook)?;
        match self.asked(hook, &function, more)? {
            Answer::GoOn(metadata) => merge(&mut self.metadata.borrow_mut(), hook, metadata),
            Answer::Veto(_) => Err(misread(hook, "A run that has failed cannot be vetoed.")),
        }
    }

    /// Calls a hook. Whatever settings it leaves behind, its role too, are put back.
    fn asked(
        &self,
        hook: &Hook,
        function: &super::Function,
        more: &Map<String, Value>,
    ) -> Result<Answer> {
        let context = self.context(hook, more);
        let _in_hook = InHook::begin();
        let returned = pinned(|| store::call(function, &context))?;
        Answer::read(returned.as_deref()).map_err(|why| misread(hook, why))
    }

    fn context(&self, hook: &Hook, more: &Map<String, Value>) -> Value {
        let (run, profile) = (self.run, self.run.profile);
        let mut context = json!({
            "run_id": self.run_id,
            "phase": hook.moment.name(),
            "profile": {"name": profile.name, "version": profile.version},
            "source": run.request.source,
            "target": run.request.target,
            "tables": self.tables,
            "in_transaction": run.in_transaction,
            "metadata": *self.metadata.borrow(),
            "settings": hook.settings,
        });
        if let Value::Object(members) = &mut context {
            members.extend(more.clone());
        }
        context
    }
}

/// What the ledger is told of a hook: no word of its own.
fn entry(hook: &Hook, outcome: &str, definition: Option<&str>) -> Value {
    json!({
        "phase": hook.moment.name(),
        "function": hook.shown(),
        "profile": hook.profile,
        "position": hook.position,
        "outcome": outcome,
        "definition_sha256": definition,
    })
}

fn line(log: &Log, hook: &Hook, outcome: &str, began: Instant) {
    log.line(&format!(
        "{} phase={} outcome={outcome} seconds={:.3}",
        field("hook", &hook.shown()),
        hook.moment.name(),
        began.elapsed().as_secs_f64(),
    ));
}
