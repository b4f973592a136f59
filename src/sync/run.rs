//! One run: plan, STARTED, copy, checks, COMPLETED; or, whatever goes wrong, nothing and FAILED.

use std::cell::Cell;
use std::time::Instant;

use serde_json::{Map, Value, json};

use super::checks::{self, Check};
use super::decide::Decision;
use super::facts::Side;
use super::options::Options;
use super::plan::{Input, Plan, TablePlan, first};
use super::{fit, masks, statement, store, target};
use crate::error::{Error, Kind, Result};
use crate::keys::store::ActiveKey;
use crate::keys::{self, Use, random_uuid, subkey};
use crate::ledger::entry::{Event, Facts};
use crate::ledger::store as ledger;
use crate::pg::lock::SessionLock;
use crate::pg::snapshot::Snapshot;
use crate::pg::spi::Nonatomic;
use crate::pg::subxact::{Failure, ServerError, guarded};
use crate::pg::{guc, ident, report, server, spi, user};
use crate::profile::{self, Profile, seed};
use crate::settings;

/// What the caller asked for.
pub struct Request {
    /// Profile's name.
    pub profile: String,
    /// Schema read.
    pub source: String,
    /// Schema written.
    pub target: String,
    /// The rest.
    pub options: Options,
}

/// Carries a run out. The caller has seen that the procedure may commit.
///
/// # Errors
/// Whatever is wrong; the target is unchanged then.
pub fn run(request: &Request) -> Result<()> {
    let connection = Nonatomic::connect()?;
    // What came before this call in its transaction is not part of the run.
    connection.commit()?;
    let Some(_lock) = SessionLock::try_take(lock_number(&request.target)) else {
        return Err(Error::new(
            Kind::InUse,
            format!("another run is writing schema \"{}\"", request.target),
        )
        .with_hint("Wait for it to end; see pg_stat_activity."));
    };
    let started = Instant::now();
    let profile = profile::store::pick(&request.profile, request.options.version.as_deref())?;
    let planned = pinned(|| plan(request, &profile))?;
    for note in &planned.plan.notes {
        report::notice(note);
    }
    let key = keys::store::active(keys::MASKING)?;
    let run_id = random_uuid()?;
    let evidence = Evidence {
        run_id,
        request,
        profile: &profile,
        key: &key,
    };
    ledger::append(Event::Started, evidence.facts(&planned.plan))?;
    connection.commit()?;

    let phase = Phase::default();
    let outcome = guarded(|| {
        pinned(|| {
            let copied = copy(request, &profile, &planned, &key, &phase)?;
            phase.enter("recording");
            let mut facts = evidence.facts(&planned.plan);
            copied.describe(&planned.plan, started, &mut facts);
            ledger::append(Event::Completed, facts)?;
            Ok(copied)
        })
    });
    match outcome {
        Ok(copied) => {
            connection.commit()?;
            copied.announce(started);
            Ok(())
        }
        Err(failure) => {
            let (error, mut details) = explain(failure, &phase);
            details.insert("seconds".to_owned(), seconds(started));
            let mut facts = evidence.facts(&planned.plan);
            facts.details = Some(merged(facts.details, details));
            facts.verification_passed = Some(false);
            ledger::append(Event::Failed, facts)?;
            connection.commit()?;
            Err(error)
        }
    }
}

/// The plan with the catalog it was made from.
pub struct Planned {
    /// The plan.
    pub plan: Plan,
    /// The source.
    pub source: Side,
}

/// Makes the plan of a request, without starting anything.
///
/// # Errors
/// Everything that is wrong.
pub fn plan(request: &Request, profile: &Profile) -> Result<Planned> {
    let names: Vec<String> = profile
        .tables
        .iter()
        .map(|table| table.name.clone())
        .collect();
    let source = store::side(&request.source, &names)?;
    let in_target: Vec<String> = names
        .into_iter()
        .chain(source.tables.iter().map(|table| table.name.clone()))
        .collect();
    let target = store::side(&request.target, &in_target)?;
    let oids = |side: &Side| {
        side.tables
            .iter()
            .map(|table| table.oid)
            .collect::<Vec<_>>()
    };
    let types = source
        .types
        .iter()
        .chain(&target.types)
        .map(|of| of.oid)
        .collect::<Vec<_>>();
    let code = store::code(
        &[oids(&source), oids(&target)].concat(),
        &types,
        &oids(&target),
    )?;
    let allow = settings::seed_env_allow();
    let input = Input {
        profile,
        source: &source,
        target: &target,
        source_name: &request.source,
        target_name: &request.target,
        options: &request.options,
        seed_of: &|rule| {
            profile.seed_of(rule, &profile::store::environment, &|name| {
                seed::env_allowed(&allow, name)
            })
        },
        may_create_schema: store::may_create_schema()?,
        code: &code,
    };
    let plan = Plan::make(&input)?;
    first(bad_constants(&plan, &source))?;
    Ok(Planned { plan, source })
}

/// Settings that change what a statement means, pinned for everything a run does.
///
/// # Errors
/// What `work` returns.
pub fn pinned<T>(work: impl FnOnce() -> Result<T>) -> Result<T> {
    guc::with(
        &[
            ("search_path", "pg_catalog, pg_temp"),
            // A filtered source is an error, not a smaller copy.
            ("row_security", "off"),
            ("DateStyle", "ISO, YMD"),
            ("IntervalStyle", "postgres"),
            ("TimeZone", "UTC"),
            ("bytea_output", "hex"),
            ("extra_float_digits", "1"),
            // Compiling the catalog queries takes far longer than running them.
            ("jit", "off"),
        ],
        work,
    )
}

/// Constants a profile wants written must be input of their column's type.
fn bad_constants(plan: &Plan, source: &Side) -> Vec<Error> {
    let mut problems = Vec::new();
    for table in &plan.tables {
        for (column, facts) in table.columns.iter().zip(&table.source.columns) {
            let Decision::Masked(masked) = &column.decision else {
                continue;
            };
            let fit::How::Constant(text) = &masked.how else {
                continue;
            };
            let expression = statement::constant_of(text, facts.type_oid, source);
            if guarded(|| store::try_literal(&expression)).is_err() {
                problems.push(Error::new(
                    Kind::InvalidParameter,
                    format!(
                        "replacement of strategy \"{}\" is no value of type {}, the type of column \"{}.{}\"",
                        masked.name, column.type_name, table.source.name, column.name
                    ),
                ));
            }
        }
    }
    problems
}

/// What the copy of one table was.
struct Copied {
    tables: Vec<(String, u64, f64)>,
    checks: Vec<Check>,
    created: usize,
}

fn copy(
    request: &Request,
    profile: &Profile,
    planned: &Planned,
    key: &ActiveKey,
    phase: &Phase,
) -> Result<Copied> {
    phase.enter("locking");
    for table in planned
        .plan
        .tables
        .iter()
        .filter(|table| table.source.kind != 'f')
    {
        let name = ident::qualified(&table.source.schema, &table.source.name);
        spi::run(&format!("LOCK TABLE {name} IN ACCESS SHARE MODE"), &[])?;
    }
    // The catalog may have changed since the plan was made; from here on it cannot.
    let again = plan(request, profile)?;
    let loads = statement::loads(&again.plan, &again.source);
    if again.plan.prepare != planned.plan.prepare
        || loads != statement::loads(&planned.plan, &planned.source)
    {
        return Err(Error::new(
            Kind::NotReady,
            "a table of the run was changed since it was planned",
        )
        .with_hint("Run again."));
    }
    let plan = &again.plan;
    // One view of the source for every statement: writers do not tear rows apart.
    let snapshot = Snapshot::now();

    phase.enter("preparing the target");
    in_schema(&plan.target, || all(&plan.prepare.before))?;
    if !plan.prepare.created.is_empty() {
        stands_alone(plan)?;
    }
    let masking = subkey(&key.secret, Use::Masking);
    let compiled = plan
        .masks()
        .into_iter()
        .map(|mask| mask.strategy.clone().mask(masking.expose(), mask.seed))
        .collect();
    let installed = masks::install(compiled);
    let mut tables = Vec::new();
    for (name, load) in &loads {
        phase.enter_table("loading", &plan.target, name);
        let begun = Instant::now();
        let rows = spi::run_under(load, &snapshot)?;
        let seconds = begun.elapsed().as_secs_f64();
        report::notice(&format!("{name}: {rows} rows in {seconds:.1} s"));
        tables.push((name.clone(), rows, seconds));
        server::check_for_interrupts();
    }
    drop(installed);

    phase.enter("adding keys and indexes");
    in_schema(&plan.target, || all(&plan.prepare.after))?;
    spi::run("SET CONSTRAINTS ALL IMMEDIATE", &[])?;
    phase.enter("checking");
    let checks = verify(plan, &again.source, &tables, &snapshot)?;
    phase.enter("analyzing");
    for table in &plan.tables {
        spi::run(
            &format!(
                "ANALYZE {}",
                ident::qualified(&plan.target, &table.source.name)
            ),
            &[],
        )?;
    }
    let taken: Vec<String> = plan
        .prepare
        .created
        .iter()
        .chain(plan.tables.iter().map(|table| &table.source.name))
        .cloned()
        .collect();
    store::remember(&plan.target, &taken, &user::name(user::outer()))?;
    Ok(Copied {
        tables,
        checks,
        created: plan.prepare.created.len(),
    })
}

fn verify(
    plan: &Plan,
    source: &Side,
    loaded: &[(String, u64, f64)],
    snapshot: &Snapshot,
) -> Result<Vec<Check>> {
    let mut found = Vec::new();
    let number = |sql: &str| -> Result<f64> {
        Ok(spi::text_under(sql, snapshot)?
            .and_then(|text| text.parse().ok())
            .unwrap_or(0.0))
    };
    for (table, (_, rows, _)) in plan.tables.iter().zip(loaded) {
        let counts = |sql: &str| -> Result<Vec<u64>> {
            let text = spi::text_under(sql, snapshot)?.unwrap_or_default();
            serde_json::from_str(&text)
                .map_err(|_| Error::new(Kind::Internal, "a check did not return numbers"))
        };
        found.extend(checks::compare_counts(
            table,
            *rows,
            &counts(&checks::counts(table, None))?,
            &counts(&checks::counts(table, Some(&plan.target)))?,
        ));
        for survivors in checks::survivors(table, &plan.target, source) {
            let expected = survivors
                .expected
                .as_deref()
                .map(number)
                .transpose()?
                .unwrap_or(0.0);
            #[allow(
                clippy::cast_possible_truncation,
                clippy::cast_sign_loss,
                reason = "a count"
            )]
            let count = number(&survivors.found)? as u64;
            found.push(checks::judge(
                &table.source.name,
                &survivors.column,
                count,
                expected,
            ));
        }
        server::check_for_interrupts();
    }
    let keys: usize = plan
        .tables
        .iter()
        .map(|table| {
            table
                .source
                .constraints
                .iter()
                .filter(|k| k.kind == 'f' && k.validated)
                .count()
        })
        .sum();
    found.push(Check {
        passed: true,
        report: json!({"check": "foreign keys validated by the server", "count": keys}),
    });
    for key in &plan.prepare.unchecked {
        let whole = |name: &str| {
            plan.tables
                .iter()
                .any(|table| table.source.name == name && table.filter.is_none())
        };
        let after = number(&target::orphans(key, &plan.target))?;
        let before = if whole(&key.table) && whole(&key.target) {
            number(&target::orphans(key, &plan.source))?
        } else {
            after
        };
        found.push(Check {
            passed: before.to_bits() == after.to_bits(),
            report: json!({"check": "orphans of an unchecked foreign key", "table": key.table,
                           "constraint": key.name, "source": before.to_string(), "target": after.to_string()}),
        });
    }
    let failed: Vec<_> = found.iter().filter(|check| !check.passed).collect();
    if failed.is_empty() {
        return Ok(found);
    }
    let lines: Vec<_> = failed
        .iter()
        .map(|check| check.report.to_string())
        .collect();
    Err(Error::new(
        Kind::IntegrityConstraint,
        format!("{} checks of the target failed", failed.len()),
    )
    .with_detail(lines.join("\n"))
    .with_hint("The target is as it was before. Look at the named columns with confiture.plan."))
}

/// A copy that still leads to the source would break without it.
fn stands_alone(plan: &Plan) -> Result<()> {
    let ties = store::ties(&plan.target, &plan.source)?;
    if ties.is_empty() {
        return Ok(());
    }
    Err(Error::new(
        Kind::Definition,
        format!(
            "schema \"{}\" would depend on schema \"{}\"",
            plan.target, plan.source
        ),
    )
    .with_detail(format!("{}.", ties.join(", ")))
    .with_hint(
        "Create what they use in the target schema, or move it to a schema of its own, first.",
    ))
}

fn all(statements: &[String]) -> Result<()> {
    statements
        .iter()
        .try_for_each(|statement| spi::run(statement, &[]).map(drop))
}

/// Unqualified names in catalog definitions mean those of this schema.
fn in_schema(schema: &str, work: impl FnOnce() -> Result<()>) -> Result<()> {
    let path = format!("pg_catalog, {}, pg_temp", ident::quote(schema));
    guc::with(&[("search_path", &path)], work)
}

/// What every entry of a run says.
struct Evidence<'a> {
    run_id: [u8; 16],
    request: &'a Request,
    profile: &'a Profile,
    key: &'a ActiveKey,
}

impl Evidence<'_> {
    fn facts(&self, plan: &Plan) -> Facts {
        let mut names: Vec<_> = plan.tables.iter().map(|t| t.source.name.clone()).collect();
        names.sort();
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
            strategies_applied: Some(Value::Object(strategies)),
            details: Some(json!({
                "mode": "atomic",
                "masking_key": format!("{}/{}", self.key.name, self.key.version),
                "triggers": self.request.options.triggers.name(),
                "copied_unchanged": plan.copied_unchanged(),
            })),
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
    fn describe(&self, plan: &Plan, started: Instant, facts: &mut Facts) {
        let rows: Map<String, Value> = self
            .tables
            .iter()
            .map(|(name, rows, _)| (name.clone(), json!(rows)))
            .collect();
        facts.rows_anonymized = Some(Value::Object(rows));
        facts.verification_passed = Some(true);
        facts.verification_report = Some(
            self.checks
                .iter()
                .map(|check| check.report.clone())
                .collect(),
        );
        let times: Map<String, Value> = self
            .tables
            .iter()
            .map(|(name, _, seconds)| (name.clone(), milliseconds(*seconds)))
            .collect();
        let mut more = Map::new();
        more.insert("milliseconds".to_owned(), Value::Object(times));
        more.insert(
            "tables_created".to_owned(),
            json!(plan.prepare.created.len()),
        );
        more.insert("seconds".to_owned(), seconds(started));
        facts.details = Some(merged(facts.details.take(), more));
    }

    fn announce(&self, started: Instant) {
        let rows: u64 = self.tables.iter().map(|(_, rows, _)| rows).sum();
        report::notice(&format!(
            "{rows} rows in {} tables, {} checks passed, {:.1} s{}",
            self.tables.len(),
            self.checks.len(),
            started.elapsed().as_secs_f64(),
            if self.created > 0 {
                format!("; {} tables created", self.created)
            } else {
                String::new()
            }
        ));
    }
}

/// Documents of the ledger hold whole numbers only: others have no one form.
fn milliseconds(seconds: f64) -> Value {
    #[allow(clippy::cast_possible_truncation, reason = "a duration")]
    Value::from((seconds * 1000.0).round() as i64)
}

fn seconds(started: Instant) -> Value {
    Value::from(started.elapsed().as_secs())
}

fn merged(details: Option<Value>, more: Map<String, Value>) -> Value {
    let mut members = match details {
        Some(Value::Object(members)) => members,
        _ => Map::new(),
    };
    members.extend(more);
    Value::Object(members)
}

/// Where a run stands, for the words of a failure.
#[derive(Default)]
struct Phase(Cell<Option<(&'static str, Option<String>)>>);

impl Phase {
    fn enter(&self, name: &'static str) {
        self.0.set(Some((name, None)));
    }

    fn enter_table(&self, name: &'static str, schema: &str, table: &str) {
        self.0
            .set(Some((name, Some(format!("\"{schema}.{table}\"")))));
    }
}

/// Says what failed, in words of our own: the server's may hold row values (class 22, details of
/// keys, whatever a trigger raises).
fn explain(failure: Failure, phase: &Phase) -> (Error, Map<String, Value>) {
    let (phase, table) = phase.0.take().unwrap_or(("starting", None));
    let mut details = Map::new();
    details.insert("phase".to_owned(), json!(phase));
    let error = match failure {
        Failure::Own(error) => {
            details.insert(
                "sqlstate".to_owned(),
                json!(error.kind().sqlstate().as_str()),
            );
            return (error, details);
        }
        Failure::Server(error) => error,
    };
    details.insert("sqlstate".to_owned(), json!(error.sqlstate.as_str()));
    let mut what = Vec::new();
    for (word, name) in [
        ("constraint", &error.constraint),
        ("column", &error.column),
        ("table", &error.table),
    ] {
        if let Some(name) = name {
            details.insert(word.to_owned(), json!(name));
            what.push(if word == "table" {
                format!(
                    "of table \"{}.{name}\"",
                    error.schema.as_deref().unwrap_or("")
                )
            } else {
                format!("{word} \"{name}\"")
            });
        }
    }
    let place = table.map_or(String::new(), |table| format!(" table {table}"));
    let message = match error.sqlstate.as_str() {
        "57014" => "run canceled".to_owned(),
        _ if what.is_empty() => format!("run failed while {phase}{place}"),
        _ => format!(
            "run failed while {phase}{place}: {} refuses a row",
            what.join(" ")
        ),
    };
    let detail = if speaks_of_no_row(&error) {
        format!("The server says: {}.", error.message)
    } else {
        format!(
            "The server reports SQLSTATE {}; its message is left out because it may hold row values.",
            error.sqlstate.as_str()
        )
    };
    let hint = "Nothing was changed in the target. The failure is in confiture.audit_log.";
    let error = Error::new(Kind::Server(error.sqlstate), message)
        .with_detail(detail)
        .with_hint(hint);
    (error, details)
}

/// Classes of errors about objects, rights, resources and connections; their messages name those.
fn speaks_of_no_row(error: &ServerError) -> bool {
    [
        "08", "25", "3D", "3F", "40", "42", "53", "54", "55", "57", "58",
    ]
    .contains(&error.sqlstate.class())
}

/// One number per target schema: its name, hashed.
fn lock_number(target: &str) -> u64 {
    use sha2::{Digest, Sha256};
    let hash = Sha256::digest(target.as_bytes());
    u64::from_be_bytes(hash[..8].try_into().unwrap_or_default())
}
