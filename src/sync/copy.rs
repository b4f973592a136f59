//! The copy: lock, plan once more, prepare the target, load, finish, check.

use std::time::Instant;

use serde_json::json;

use super::checks::{self, Check};
use super::evidence::Evidence;
use super::facts::Side;
use super::failure::Phase;
use super::options::Lineage;
use super::plan::Plan;
use super::request::{self, Planned};
use super::store::Deferrable;
use super::tokens::{self, Tokens};
use super::{masks, statement, store, target, trackers, tracking};
use crate::error::{Error, Kind, Result, counted};
use crate::keys::{self, Secret, Use, subkey};
use crate::ledger::lineage;
use crate::pg::snapshot::Snapshot;
use crate::pg::{guc, ident, report, server, spi, user};
use crate::strategies::Subkeys;

/// What a copy did.
pub struct Copied {
    /// Each table with its rows and the seconds they took.
    pub tables: Vec<(String, u64, f64)>,
    /// Every check, passed.
    pub checks: Vec<Check>,
    /// Tables made.
    pub created: usize,
    /// The lineage: what became of every masked column.
    pub lineage: Vec<lineage::Facts>,
}

/// Fills the target, adds its keys and indexes, checks it. Runs inside a subtransaction that the
/// caller rolls back on any failure.
///
/// # Errors
/// Whatever is wrong. Server errors unwind.
pub fn copy(run: &Evidence<'_>, planned: &Planned, phase: &Phase) -> Result<Copied> {
    let (request, profile, key) = (run.request, run.profile, run.key);
    phase.enter("locking");
    lock(&planned.plan)?;
    // The catalog may have changed since the plan was made; from here on these tables cannot.
    let again = request::plan(request, profile)?;
    let tracked = request.options.lineage != Lineage::Off;
    let loads = |planned: &Planned| {
        let tokens = tokens::table(run.run_id);
        statement::loads(&planned.plan, &planned.source, tracked, &tokens)
    };
    let is_other = loads(&again) != loads(planned);
    let loads = loads(&again);
    if again.plan.prepare != planned.plan.prepare || is_other {
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
    let (masking, fpe) = match key {
        Some(key) => (
            subkey(&key.secret, Use::Masking),
            subkey(&key.secret, Use::Fpe),
        ),
        // No mask of this run works with it; never one that anybody could know.
        None if !plan.needs_key() => (Secret::random()?, Secret::random()?),
        None => return Err(keys::store::no_key()),
    };
    let tokens = Tokens::of(plan, &again.source, run.run_id)?;
    let mut compiled = plan
        .masks(&profile.name)
        .into_iter()
        .map(|mask| {
            if let Some(key) = tokens.mask(&mask) {
                return Ok((key, mask.place));
            }
            let salt = match &mask.salt {
                // The version that the entry of the run names, whoever has rotated it since.
                Some((name, _)) => {
                    Some(keys::store::salt_now(name, run.salts.get(name).copied())?.0)
                }
                None => None,
            };
            let keys = Subkeys {
                salt: salt.as_ref().map(Secret::expose),
                ..Subkeys::new(masking.expose(), fpe.expose())
            };
            Ok((mask.strategy.mask(&keys, mask.seed, mask.of)?, mask.place))
        })
        .collect::<Result<Vec<_>>>()?;
    let first = compiled.len();
    compiled.extend(tokens.orders()?);
    let installed = masks::install(compiled);
    phase.enter("making tokens");
    tokens.make(first, &snapshot)?;
    let tracking = trackers::install(tracking::trackers(run, plan)?);
    let mut tables = Vec::new();
    for (name, load) in &loads {
        phase.enter_table("loading", &plan.target, name);
        let begun = Instant::now();
        let rows = spi::run_under(load, &snapshot)?;
        let seconds = begun.elapsed().as_secs_f64();
        report::notice(&format!(
            "{name}: {} in {seconds:.1} s",
            counted(rows, "row")
        ));
        tables.push((name.clone(), rows, seconds));
        server::check_for_interrupts();
    }
    drop(installed);
    tokens.end()?;
    let seen = tracking.finish();
    tracking::keep_rest(&seen)?;

    phase.enter("adding keys and indexes");
    let taken: Vec<String> = plan
        .prepare
        .created
        .iter()
        .chain(plan.tables.iter().map(|table| &table.source.name))
        .cloned()
        .collect();
    // What triggers of the target put off must be done before the tables can be altered.
    let put_off = PutOff::of(run, plan, &taken)?;
    put_off.done()?;
    in_schema(&plan.target, || all(&plan.prepare.after))?;
    let put_off = PutOff::of(run, plan, &taken)?;
    put_off.done()?;
    put_off.as_before()?;
    phase.enter("checking");
    let complete = match tracked {
        true => tracking::all_seen(plan, &seen, &tables),
        false => Vec::new(),
    };
    let checks = verify(plan, &again.source, &tables, complete, &snapshot)?;
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
    store::remember(&plan.target, &taken, &user::name(user::outer()))?;
    Ok(Copied {
        lineage: tracking::lineage(run, plan, &seen, &tables),
        tables,
        checks,
        created: plan.prepare.created.len(),
    })
}

/// What constraints and triggers put off until the end of a transaction.
enum PutOff {
    /// Everything: the transaction is the run's.
    All,
    /// That of the target's tables: what the caller's own statements have put off is the caller's,
    /// to be done with the caller's rights when the transaction ends.
    Of(Vec<Deferrable>),
}

impl PutOff {
    fn of(run: &Evidence<'_>, plan: &Plan, tables: &[String]) -> Result<Self> {
        if !run.in_transaction {
            return Ok(Self::All);
        }
        let found = store::deferrable(&plan.target, tables)?;
        if let Some(one) = found.iter().find(|one| one.is_elsewhere) {
            return Err(Error::new(
                Kind::Unsupported,
                format!(
                    "constraint \"{}\" is not the only one of that name in schema \"{}\"",
                    one.name, plan.target
                ),
            )
            .with_detail(
                "Inside a transaction what it puts off could not be told from what another table \
                 has put off.",
            )
            .with_hint("Rename one of them, or call the run on its own."));
        }
        Ok(Self::Of(found))
    }

    /// Has it done now.
    fn done(&self) -> Result<()> {
        match self {
            Self::All => spi::run("SET CONSTRAINTS ALL IMMEDIATE", &[]).map(drop),
            Self::Of(constraints) => set(constraints.iter(), "IMMEDIATE"),
        }
    }

    /// Puts it off again, where it was.
    fn as_before(&self) -> Result<()> {
        match self {
            Self::All => Ok(()),
            Self::Of(constraints) => {
                set(constraints.iter().filter(|one| one.is_deferred), "DEFERRED")
            }
        }
    }
}

fn set<'a>(constraints: impl Iterator<Item = &'a Deferrable>, mode: &str) -> Result<()> {
    let names: Vec<_> = constraints
        .map(|one| ident::qualified(&one.schema, &one.name))
        .collect();
    if names.is_empty() {
        return Ok(());
    }
    spi::run(&format!("SET CONSTRAINTS {} {mode}", names.join(", ")), &[]).map(drop)
}

/// Keeps the tables of the run as they are: the source readable for all, the target for nobody.
fn lock(plan: &Plan) -> Result<()> {
    for table in plan.tables.iter().filter(|table| table.source.kind == 'f') {
        // LOCK TABLE does not take a foreign table; a query that reads nothing holds it as well.
        let name = ident::qualified(&table.source.schema, &table.source.name);
        spi::run(&format!("SELECT FROM {name} WHERE false"), &[])?;
    }
    let source = plan
        .tables
        .iter()
        .filter(|table| table.source.kind != 'f')
        .map(|table| (&table.source.schema, "ACCESS SHARE", &table.source.name));
    let target = plan
        .prepare
        .emptied
        .iter()
        .map(|name| (&plan.target, "ACCESS EXCLUSIVE", name));
    for (schema, mode, name) in source.chain(target) {
        let name = ident::qualified(schema, name);
        spi::run(&format!("LOCK TABLE {name} IN {mode} MODE"), &[])?;
    }
    Ok(())
}

fn verify(
    plan: &Plan,
    source: &Side,
    loaded: &[(String, u64, f64)],
    mut found: Vec<Check>,
    snapshot: &Snapshot,
) -> Result<Vec<Check>> {
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
        format!(
            "{} of the target failed",
            counted(failed.len() as u64, "check")
        ),
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
