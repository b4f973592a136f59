//! Warnings of a plan: each with a stable id, so that a profile can say why it may stand.

use std::collections::BTreeMap;

use super::figures::Figures;
use super::{burden, constants};
use crate::error::{Error, Kind, Result, counted};
use crate::profile::{Profile, SeedOrigin};
use crate::sync::checks;
use crate::sync::facts::{Column, Side, Table};
use crate::sync::fit::How;
use crate::sync::plan::{Decision, Masked, Plan, TablePlan};
use crate::sync::{noise, pairs, redraw, unique};

/// How much a warning weighs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Severity {
    /// Something is less safe than it could be, or the run may fail.
    Warning,
    /// Something that surprises whoever does not expect it.
    Notice,
}

impl Severity {
    /// The word for it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Warning => "warning",
            Self::Notice => "notice",
        }
    }
}

/// One warning.
#[derive(Clone, Debug, PartialEq)]
pub struct Warning {
    /// The stable id.
    pub id: &'static str,
    /// How much it weighs.
    pub severity: Severity,
    /// The table it is about.
    pub table: Option<String>,
    /// The column it is about.
    pub column: Option<String>,
    /// One short fact.
    pub message: String,
    /// What to do, in a sentence.
    pub hint: &'static str,
    /// Whether the profile says why it may stand.
    pub acknowledged: bool,
}

/// Everything worth a warning.
pub fn of(profile: &Profile, plan: &Plan, source: &Side, figures: &Figures) -> Vec<Warning> {
    let mut found = Found(Vec::new());
    for note in &plan.notes {
        found.add(
            note.warning,
            Severity::Notice,
            (note.table.as_deref(), note.column.as_deref()),
            note.message.clone(),
            note.hint,
        );
    }
    for table in &plan.tables {
        of_table(table, plan, source, &mut found);
        if profile.privacy.is_none() {
            not_charged(table, &mut found);
        }
    }
    burden::warn(plan, figures, &mut found);
    let mut warnings = found.0;
    for warning in &mut warnings {
        let (table, column) = (warning.table.as_deref(), warning.column.as_deref());
        let acknowledgement = profile.acknowledgement(warning.id, table, column);
        warning.acknowledged = acknowledgement.is_some();
    }
    warnings.extend(unmatched(profile, &warnings));
    warnings.sort_by(|a, b| (a.id, &a.table, &a.column).cmp(&(b.id, &b.table, &b.column)));
    warnings
}

/// The error of a strict plan.
///
/// # Errors
/// 55000 where a warning is not acknowledged.
pub fn strict<'a>(open: impl Iterator<Item = &'a Warning>) -> Result<()> {
    const MOST: usize = 10;
    let mut places: BTreeMap<&str, Vec<String>> = BTreeMap::new();
    let mut count = 0;
    for warning in open {
        count += 1;
        places.entry(warning.id).or_default().push(warning.place());
    }
    if places.is_empty() {
        return Ok(());
    }
    let lines = places.iter().map(|(id, of)| {
        let shown: Vec<_> = of.iter().filter(|place| !place.is_empty()).collect();
        let more = if shown.len() > MOST { ", …" } else { "" };
        let shown: Vec<_> = shown.into_iter().take(MOST).cloned().collect();
        match shown.as_slice() {
            [] => (*id).to_owned(),
            shown => format!("{id}: {}{more}", shown.join(", ")),
        }
    });
    let detail = lines.collect::<Vec<_>>().join("\n");
    let yaml: String = places
        .keys()
        .filter(|id| **id != UNMATCHED)
        .map(|id| format!("  - {{warning: {id}, why: …}}\n"))
        .collect();
    let hint = match yaml.as_str() {
        "" => "Take the acknowledgements out that meet nothing.".to_owned(),
        yaml => format!(
            "See confiture.plan_warnings. Change what they are about, or say in the profile why \
             they may stand:\nacknowledge:\n{yaml}"
        ),
    };
    Err(Error::new(
        Kind::NotReady,
        format!(
            "the plan has {} that the profile does not acknowledge",
            counted(count, "warning")
        ),
    )
    .with_detail(detail)
    .with_hint(hint))
}

impl Warning {
    /// Table and column, as far as it is about one.
    pub fn place(&self) -> String {
        let parts = [self.table.as_deref(), self.column.as_deref()];
        parts.into_iter().flatten().collect::<Vec<_>>().join(".")
    }
}

impl Warning {
    /// Whether a run says it while it begins: what is about this very run, not about the profile.
    pub fn is_told(&self) -> bool {
        [
            "double_disk",
            "foreign_key_left_behind",
            "lock_readers",
            "long_snapshot",
            "statement_timeout",
            "tables_not_named",
        ]
        .contains(&self.id)
    }
}

const UNMATCHED: &str = "unmatched_acknowledgement";

/// Those found so far.
pub struct Found(Vec<Warning>);

impl Found {
    /// Adds one.
    pub fn add(
        &mut self,
        id: &'static str,
        severity: Severity,
        (table, column): (Option<&str>, Option<&str>),
        message: String,
        hint: &'static str,
    ) {
        self.0.push(Warning {
            id,
            severity,
            table: table.map(str::to_owned),
            column: column.map(str::to_owned),
            message,
            hint,
            acknowledged: false,
        });
    }
}

fn of_table(table: &TablePlan, plan: &Plan, source: &Side, found: &mut Found) {
    for (column, facts) in table.columns.iter().zip(&table.source.columns) {
        let place = (Some(&*table.source.name), Some(&*column.name));
        let masked = match &column.decision {
            Decision::Copied => {
                found.add(
                    "copied_undecided",
                    Severity::Warning,
                    place,
                    format!("column {} is copied, and nobody decided so", shown(place)),
                    "Give it a rule, or preserve it with a reason.",
                );
                continue;
            }
            Decision::Masked(masked) => masked,
            Decision::Generated => {
                if pairs::is_recomputed(table, &column.name) {
                    let Conditions { own, several } = conditions(&table.source, facts, source);
                    not_redrawn(&[own, several].concat(), place, found);
                }
                continue;
            }
            Decision::Excluded { .. } => {
                // A CHECK takes NULL, unless it asks for it.
                let is_filled = facts.default.is_some();
                let heeds = |text: &str| {
                    is_filled || text.contains("COALESCE") || text.to_uppercase().contains("NULL")
                };
                let Conditions { own, several } = heeding(&table.source, facts, source, &heeds);
                not_redrawn(&[own, several].concat(), place, found);
                continue;
            }
            Decision::Preserved { .. } => continue,
        };
        of_mask(table, facts, masked, place, source, found);
        if !checks::is_judged(&column.name, masked, table, &plan.target, source) {
            found.add(
                "not_judged",
                Severity::Notice,
                place,
                format!(
                    "no check after the run can tell whether values of column {} came through",
                    shown(place)
                ),
                "The strategy keeps part of a value or draws from few: look at some rows with \
                 confiture.preview.",
            );
        }
    }
    constants::of(table, source, found);
}

fn of_mask(
    table: &TablePlan,
    facts: &Column,
    masked: &Masked,
    place: (Option<&str>, Option<&str>),
    source: &Side,
    found: &mut Found,
) {
    let is_literal = matches!(
        masked.origin,
        SeedOrigin::GlobalLiteral | SeedOrigin::RuleLiteral | SeedOrigin::StrategyLiteral
    );
    if is_literal {
        found.add(
            "literal_seed",
            Severity::Warning,
            place,
            format!("the seed of column {} stands in the profile", shown(place)),
            "Name an environment variable with seed_env_var instead.",
        );
    }
    let bits = unique::collision_bits(&masked.strategy, &masked.how);
    let needed = unique::needed_bits(table.rows);
    if bits > 0 && f64::from(bits) < needed && !is_one_to_one(masked) {
        found.add(
            "low_entropy",
            Severity::Notice,
            place,
            format!(
                "pseudonyms of column {} have {bits} bits, and {:.0} rows need {needed:.0} for \
                 different values to stay different",
                shown(place),
                table.rows
            ),
            "Give the strategy a greater length, or join by nothing that it masks.",
        );
    }
    let conditions = conditions(&table.source, facts, source);
    match is_redrawn(masked) {
        true => not_redrawn(&conditions.several, place, found),
        false => not_redrawn(&[conditions.own, conditions.several].concat(), place, found),
    }
}

/// Noise that no budget knows of.
fn not_charged(table: &TablePlan, found: &mut Found) {
    for column in &table.columns {
        let Decision::Masked(masked) = &column.decision else {
            continue;
        };
        if noise::is_noisy(masked) {
            let place = (Some(&*table.source.name), Some(&*column.name));
            found.add(
                "noise_not_charged",
                Severity::Warning,
                place,
                format!(
                    "the noise of column {} is charged to no privacy budget",
                    shown(place)
                ),
                "Name a budget under \"privacy\": every run tells a little more about the values.",
            );
        }
    }
}

/// Conditions that a value may not meet, for which it is not drawn again.
fn not_redrawn(names: &[String], place: (Option<&str>, Option<&str>), found: &mut Found) {
    if names.is_empty() {
        return;
    }
    found.add(
        "check_not_redrawn",
        Severity::Warning,
        place,
        format!(
            "the run fails if {} what is written into column {}",
            refuse(names),
            shown(place)
        ),
        "See that no value of the strategy is refused: values are drawn again only by keyed \
         strategies, and only for conditions of the column alone.",
    );
}

/// Whether different values stay different whatever they are.
fn is_one_to_one(masked: &Masked) -> bool {
    match &masked.how {
        How::Mask(call) => masked.strategy.properties(call.of).injective,
        _ => false,
    }
}

fn is_redrawn(masked: &Masked) -> bool {
    redraw::style(masked).is_some()
}

fn refuse(names: &[String]) -> String {
    let quoted: Vec<_> = names.iter().map(|name| format!("\"{name}\"")).collect();
    match quoted.as_slice() {
        [one] => format!("constraint {one} refuses"),
        many => format!("constraints {} refuse", many.join(", ")),
    }
}

/// The conditions that a column's values must meet.
#[derive(Default)]
pub struct Conditions {
    /// CHECKs of this column alone, and those of its domains.
    pub own: Vec<String>,
    /// CHECKs that read other columns too.
    pub several: Vec<String>,
}

/// What the catalog asks of the values of a column.
pub fn conditions(table: &Table, column: &Column, source: &Side) -> Conditions {
    heeding(table, column, source, &|_| true)
}

/// Those of which the definition is as asked for.
fn heeding(
    table: &Table,
    column: &Column,
    source: &Side,
    is_meant: &dyn Fn(&str) -> bool,
) -> Conditions {
    let mut found = Conditions::default();
    for check in table.constraints.iter().filter(|of| of.kind == 'c') {
        let reads = check.columns.contains(&column.name);
        if !check.validated || !reads || !is_meant(&check.definition) {
            continue;
        }
        match check.columns.len() {
            1 => found.own.push(check.name.clone()),
            _ => found.several.push(check.name.clone()),
        }
    }
    let mut of = source.type_of(column.type_oid);
    while let Some(around) = of.filter(|of| of.kind == 'd' || of.is_array) {
        let all = around.checks.iter().filter(|check| check.validated);
        let checks = all.filter(|check| is_meant(&check.definition));
        found.own.extend(checks.map(|check| check.name.clone()));
        of = around.inner.and_then(|inner| source.type_of(inner));
    }
    found
}

/// Acknowledgements that meet no warning.
fn unmatched(profile: &Profile, warnings: &[Warning]) -> Vec<Warning> {
    let meets = |warning: &Warning, of: &crate::profile::Acknowledged| {
        of.means(
            warning.id,
            warning.table.as_deref(),
            warning.column.as_deref(),
        )
    };
    profile
        .acknowledge
        .iter()
        .filter(|of| !of.is_of_figures() && !warnings.iter().any(|one| meets(one, of)))
        .map(|of| Warning {
            id: UNMATCHED,
            severity: Severity::Notice,
            table: of.table.clone(),
            column: of.column.clone(),
            message: format!(
                "the profile acknowledges \"{}\" at {}, and there is no such warning",
                of.warning, of.place
            ),
            hint: "Take it out of the profile.",
            acknowledged: false,
        })
        .collect()
}

fn shown((table, column): (Option<&str>, Option<&str>)) -> String {
    format!("\"{}.{}\"", table.unwrap_or(""), column.unwrap_or(""))
}
