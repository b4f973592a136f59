//! What the ledger is told of a run: names and numbers, no value, no seed.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use serde_json::{Map, Value, json};

use super::checks::Check;
use super::copy::Copied;
use super::plan::{Decision, MaskPlan, Plan, TablePlan};
use super::request::Request;
use super::{store, worked};
use crate::error::counted;
use crate::keys::{self, store::ActiveKey};
use crate::ledger::entry::Facts;
use crate::ledger::json::Json;
use crate::pg::report;
use crate::profile::Profile;

/// What every entry of a run says.
pub struct Evidence<'a> {
    /// The run.
    pub run_id: [u8; 16],
    /// What was asked for.
    pub request: &'a Request,
    /// The profile used.
    pub profile: &'a Profile,
    /// The masking key used; `None` where no key was made and no mask needs one.
    pub key: Option<&'a ActiveKey>,
    /// The versions of the salts it uses, by name.
    pub salts: BTreeMap<String, i32>,
    /// What tells everything apart that its pseudonyms come from; `None` without a key.
    pub masks: Option<String>,
    /// Whether it is part of a transaction that the caller ends.
    pub in_transaction: bool,
    /// The warnings that the profile acknowledges.
    pub acknowledged: Vec<&'static str>,
}

impl Evidence<'_> {
    /// The versions of the keys that a mask is made with.
    pub fn versions(&self, mask: &MaskPlan<'_>) -> Vec<(&str, i32)> {
        let key = self.key.map(|key| (&*key.name, key.version));
        let salt = mask.salt.as_ref();
        let salt = salt.and_then(|(name, _)| self.salts.get_key_value(name));
        key.into_iter()
            .chain(salt.map(|(name, version)| (name.as_str(), *version)))
            .collect()
    }

    /// What the first entry of the run says beyond the others: by what it can be made again.
    pub fn ask(&self, facts: &mut Facts) {
        let mut asked = Map::new();
        if let Some(options) = &self.request.given {
            asked.insert("options".to_owned(), options.clone());
        }
        if let Some(former) = self.request.resumes {
            asked.insert("resumes".to_owned(), json!(store::shown_id(former)));
        }
        facts.details = Some(Json::merged(facts.details.take(), asked));
    }

    /// What every entry of the run says.
    pub fn facts(&self, plan: &Plan) -> Facts {
        let mut names: Vec<_> = plan.tables.iter().map(|t| t.source.name.clone()).collect();
        names.sort();
        let mut more = Map::new();
        if !self.acknowledged.is_empty() {
            more.insert("acknowledged".to_owned(), json!(self.acknowledged));
        }
        if let Some(privacy) = self
            .profile
            .privacy
            .as_ref()
            .filter(|_| !plan.price.is_free())
        {
            let epsilon = plan.price.epsilon.to_string();
            let noise = json!({"budget": privacy.budget, "epsilon": epsilon});
            more.insert("noise".to_owned(), noise);
        }
        let strategies: Map<String, Value> = plan
            .tables
            .iter()
            .map(|table| (table.source.name.clone(), strategies_of(table)))
            .collect();
        Facts {
            run_id: Some(self.run_id),
            source_schema: Some(self.request.source.clone()),
            target_schema: Some(self.request.target.clone()),
            profile_name: Some(self.profile.name.clone()),
            profile_version: Some(self.profile.version.clone()),
            profile_hash: Some(self.profile.profile_hash().to_vec()),
            tables_synced: Some(names),
            strategies_applied: Some(Value::Object(strategies).into()),
            details: Some(Json::merged(
                Some(
                    json!({
                        "mode": match self.request.in_place {
                            Some(_) => "in_place",
                            None => self.request.options.mode.name(),
                        },
                        "in_transaction": self.in_transaction,
                        "masking_key": self.key.map(|key| format!("{}/{}", key.name, key.version)),
                        "masking_key_fingerprint":
                            self.key.map(|key| keys::fingerprint(&key.secret)),
                        "masks_fingerprint": self.masks,
                        "salts": self.salts,
                        "triggers": self.request.options.triggers.name(),
                        "lineage": self.request.options.lineage.name(),
                        "lineage_rows": self.request.options.lineage.is_row_by_row(),
                        "copied_unchanged": plan.copied_unchanged(),
                        "tables_excluded": plan.outside.excluded,
                        "tables_unnamed": plan.outside.unnamed.len(),
                        "chosen": plan.is_chosen(),
                        "subset_unreached": self.request.options.subset_unreached.name(),
                        "leak_scan": self.request.options.leak_scan.name(),
                        "cache": self.request.options.cache.name(),
                    })
                    .into(),
                ),
                more,
            )),
            ..Facts::default()
        }
    }
}

fn strategies_of(table: &TablePlan) -> Value {
    table
        .columns
        .iter()
        .filter_map(|column| match &column.decision {
            Decision::Masked(masked) => {
                let kind = masked.strategy.kind();
                Some((
                    column.name.clone(),
                    json!(format!("{}/{}", kind.name(), kind.version())),
                ))
            }
            _ => None,
        })
        .collect::<Map<_, _>>()
        .into()
}

impl Copied {
    /// Adds what the copy did to the facts of its entry.
    pub fn describe(
        &self,
        plan: &Plan,
        started: Instant,
        phases: &BTreeMap<&'static str, Duration>,
        facts: &mut Facts,
    ) {
        let rows: Map<String, Value> = self
            .tables
            .iter()
            .map(|(name, rows, _)| (name.clone(), json!(rows)))
            .collect();
        facts.rows_anonymized = Some(Value::Object(rows).into());
        facts.verification_passed = Some(true);
        let checks: Value = self.checks.iter().map(Check::entry).collect();
        facts.verification_report = Some(checks.into());
        let times: Map<String, Value> = self
            .tables
            .iter()
            .map(|(name, _, seconds)| (name.clone(), milliseconds(*seconds)))
            .collect();
        let mut more = Map::new();
        more.insert("milliseconds".to_owned(), Value::Object(times));
        let phases = phases.iter();
        let phases =
            phases.map(|(name, took)| ((*name).to_owned(), milliseconds(took.as_secs_f64())));
        more.insert("phases".to_owned(), phases.collect::<Map<_, _>>().into());
        more.insert("columns".to_owned(), worked::entry(&self.columns));
        let loads = self.divided.iter();
        let loads = loads.map(|(name, of)| (name.clone(), of.entry(milliseconds)));
        more.insert("loads".to_owned(), loads.collect::<Map<_, _>>().into());
        more.insert(
            "tables_created".to_owned(),
            json!(plan.prepare.created.len()),
        );
        more.insert(
            "milliseconds_checking".to_owned(),
            milliseconds(self.checking),
        );
        if let Some(cached) = self.cached.entry() {
            more.insert("cached".to_owned(), cached);
        }
        more.insert("seconds".to_owned(), seconds(started));
        facts.details = Some(Json::merged(facts.details.take(), more));
    }

    /// What the log says of a run that is complete.
    pub fn outcome(&self) -> String {
        let rows: u64 = self.tables.iter().map(|(_, rows, _)| rows).sum();
        let (tables, checks) = (self.tables.len(), self.checks.len());
        format!("completed rows={rows} tables={tables} checks={checks}")
    }

    /// Tells the caller.
    pub fn announce(&self, started: Instant) {
        let rows: u64 = self.tables.iter().map(|(_, rows, _)| rows).sum();
        report::notice(&format!(
            "{} in {}, {} passed, {:.1} s{}",
            counted(rows, "row"),
            counted(self.tables.len() as u64, "table"),
            counted(self.checks.len() as u64, "check"),
            started.elapsed().as_secs_f64(),
            match self.created {
                0 => String::new(),
                created => format!("; {} created", counted(created as u64, "table")),
            }
        ));
    }
}

/// Documents of the ledger hold whole numbers only: others have no one form.
fn milliseconds(seconds: f64) -> Value {
    #[allow(clippy::cast_possible_truncation, reason = "a duration")]
    Value::from((seconds * 1000.0).round() as i64)
}

/// Whole seconds since the run began.
pub fn seconds(started: Instant) -> Value {
    Value::from(started.elapsed().as_secs())
}
