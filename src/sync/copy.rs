//! The copy: lock, plan once more, prepare the target, load, finish, check.

use std::time::Instant;

use super::cache::Caching;
use super::checks::Check;
use super::evidence::Evidence;
use super::in_place::replace;
use super::log::field;
use super::options::{LeakScan, Lineage, Triggers};
use super::phase::Phase;
use super::plan::Plan;
use super::request::{self, Planned};
use super::store::Deferrable;
use super::swap::exchange::{self, Exchange};
use super::tokens::{self, Tokens};
use super::worked::{Divided, Worked, worked};
use super::workers::{Crew, Member, Tools, places};
use super::workshop::{self, Workshop};
use super::{
    cache, checks, clock, leaks, masks, noise, redraw, scope, statement, store, trackers, tracking,
    verify,
};
use crate::error::{Error, Kind, Result, counted};
use crate::keys;
use crate::ledger::lineage;
use crate::pg::load::Loaded;
use crate::pg::snapshot::Snapshot;
use crate::pg::{guc, ident, report, server, spi, trusted, user};
use crate::profile;

/// What a copy did.
pub struct Copied {
    /// Each table with its rows and the seconds they took.
    pub tables: Vec<(String, u64, f64)>,
    /// Every check, passed.
    pub checks: Vec<Check>,
    /// The seconds that they took, but for those of rows on their way.
    pub checking: f64,
    /// Tables made.
    pub created: usize,
    /// Each masked column with the calls of its masks, and the values that were drawn again.
    pub columns: Vec<Worked>,
    /// Each table with where the time of its load went.
    pub divided: Vec<(String, Divided)>,
    /// The lineage: what became of every masked column.
    pub lineage: Vec<lineage::Facts>,
    /// What became of the values of columns whose outputs were kept.
    pub cached: cache::Seen,
}

/// Fills the target, adds its keys and indexes, checks it. Runs inside a subtransaction that the
/// caller rolls back on any failure.
///
/// # Errors
/// Whatever is wrong. Server errors unwind.
pub fn copy(run: &Evidence<'_>, planned: &Planned, phase: &Phase) -> Result<Copied> {
    let (request, profile, key) = (run.request, run.profile, run.key);
    let _workers = places::take(&request.options, phase)?;
    let as_many = request.options.workers.to_string();
    let in_parallel = [
        "max_parallel_maintenance_workers",
        "max_parallel_workers_per_gather",
    ];
    let _in_parallel = (request.options.workers > 0)
        .then(|| guc::pin(&in_parallel.map(|setting| (setting, &*as_many))));
    phase.enter("locking");
    lock(&planned.plan)?;
    // A run that was told no version goes by one in use; a hook may have retired it, or anybody.
    if request.options.version.is_none() {
        profile::store::require_in_use(profile)?;
    }
    // The catalog may have changed since the plan was made; from here on these tables cannot.
    let mut again = request::plan(request, profile)?;
    let tracked = request.options.lineage != Lineage::Off;
    let scanned = request.options.leak_scan != LeakScan::Off;
    let loads = |planned: &Planned| {
        let (tokens, lookers) = (tokens::table(run.run_id), (tracked, scanned));
        statement::loads(&planned.plan, &planned.source, lookers, &tokens)
    };
    let is_other = loads(&again) != loads(planned) || !again.plan.covers_as(&planned.plan);
    if again.plan.prepare != planned.plan.prepare || is_other {
        return Err(Error::new(
            Kind::NotReady,
            "a table of the run was changed since it was planned",
        )
        .with_hint("Run again."));
    }
    // One view of the source for every statement: writers do not tear rows apart.
    let snapshot = Snapshot::now();

    phase.enter("preparing the target");
    in_schema(&again.plan.target, || all(&again.plan.prepare.unchecked))?;
    in_schema(&again.plan.target, || match request.in_place {
        Some(_) => replace::make_room(&again.plan),
        None => {
            all(&again.plan.prepare.before)?;
            match again.plan.prepare.swap {
                // Their files go, and these values with them.
                Some(_) => Ok(()),
                None => replace::no_missing(&again.plan),
            }
        }
    })?;
    let exchange = Exchange::begin(&again.plan)?;
    if !again.plan.prepare.created.is_empty() {
        stands_alone(&again.plan)?;
        request::look_again(request, &again.plan.prepare.created)?;
    }
    phase.enter("choosing rows");
    let chosen = scope::store::choose(&mut again.plan, run.run_id, &snapshot)?;
    let loads = loads(&again);
    let plan = &again.plan;
    let (masking, fpe) = workshop::subkeys(key, plan)?;
    let tokens = Tokens::of(plan, &again.source, run.run_id)?;
    if !plan.price.is_free() {
        phase.enter("charging");
        noise::store::settle(plan, profile, (request.procedure(), run.run_id), &snapshot)?;
    }
    let relations = store::numbers(&plan.target)?;
    let workshop = Workshop {
        plan,
        masking: masking.clone(),
        fpe: fpe.clone(),
        groups: redraw::groups(plan),
        relation: &|table| relations.get(table).copied(),
    };
    let verdicts = cache::store::verdicts(plan, request.options.cache)?;
    let caching = Caching::new(&verdicts, cache::share(1))?;
    let mut compiled = Vec::new();
    let mut redraws = Vec::new();
    let mut members = Some(Vec::new());
    for mask in plan.masks(&profile.name) {
        if let Some(key) = tokens.mask(&mask) {
            compiled.push((key, mask.place));
            redraws.push(None);
            // They are found in a temporary table, which is this session's own.
            members = None;
            continue;
        }
        let salt = match &mask.salt {
            // The version that the entry of the run names, whoever has rotated it since.
            Some((name, _)) => Some(keys::store::salt_now(name, run.salts.get(name).copied())?.0),
            None => None,
        };
        let (made, redraw) = workshop.make(&mask, salt.clone())?;
        if let Some(members) = &mut members {
            members.push(Member::of(run, &mask, salt, redraw.as_ref()));
        }
        let front = caching.front(&mask, &run.versions(&mask));
        compiled.push((front.of(made, mask.seed), mask.place));
        redraws.push(redraw.map(|redraw| redraw.through(move |made, seed| front.of(made, seed))));
    }
    let first = compiled.len();
    compiled.extend(tokens.orders()?);
    let installed = masks::install(compiled);
    let redrawing = redraw::install(redraws);
    phase.enter("making tokens");
    tokens.make(first, &snapshot)?;
    let (watching, lineage) = tracking::trackers(run, plan)?;
    let tracking = trackers::install(watching);
    let _own = clock::Own::begin();
    let scanning = leaks::running::install(verify::scans(plan, &again.source, scanned));
    let crew = Crew::new(Tools {
        plan,
        options: &request.options,
        masks: members,
        subkeys: [masking, fpe],
        lineage: lineage.zip(request.options.lineage.commitment()),
        caching: &caching,
        kept: &verdicts,
        scans: verify::numbers_of_scans(plan, &again.source, scanned),
    });
    let (mut tables, mut divided) = (Vec::new(), Vec::new());
    for (place, (name, load)) in loads.iter().enumerate() {
        phase.enter_table("loading", &plan.target, (place, name));
        let begun = Instant::now();
        let counting = phase.shown().counting(request.options.profile);
        let Loaded { rows, workers } = crew.load(place, load, &snapshot, phase)?;
        let seconds = begun.elapsed().as_secs_f64();
        let times = counting.and_then(|of| of.times());
        let apart = times.map(|of| (of.making, of.writing));
        divided.push((name.clone(), Divided::taken(apart)));
        phase.shown().loaded(rows);
        let table = field("table", &format!("{}.{name}", plan.target));
        let helped = match request.options.workers {
            0 => String::new(),
            _ => format!(" workers={workers}"),
        };
        phase.log().line(&format!(
            "loaded {table} rows={rows} seconds={seconds:.3}{helped}"
        ));
        report::notice(&format!(
            "{name}: {} in {seconds:.1} s",
            counted(rows, "row")
        ));
        tables.push((name.clone(), rows, seconds));
        if let Some(words) = caching.alarm() {
            report::warning(&words, Some(cache::ALARM_HINT));
        }
        server::check_for_interrupts();
    }
    let redrawn = redrawing.seen();
    let columns = worked(installed.seen(), &redrawn);
    drop(redrawing);
    drop(installed);
    let cached = caching.seen();
    cached.lines().for_each(|line| phase.log().line(&line));
    let leaks = verify::leaks(plan, &again.source, &scanning.finish(), &request.options);
    phase.found(&leaks);
    verify::judged(&leaks)?;
    tokens.end()?;
    let seen = tracking.finish();
    tracking::keep_rest(&seen)?;

    let mut checks = leaks;
    let mut checking = 0.0;
    // What a phase of checks finds is kept for the record, whatever comes of it.
    let mut check = |checks: &mut Vec<Check>, more: &dyn Fn() -> Result<Vec<Check>>| {
        phase.enter("checking");
        let begun = Instant::now();
        checks.extend(more()?);
        checking += begun.elapsed().as_secs_f64();
        phase.found(checks);
        verify::judged(checks)
    };
    let orphans = verify::orphans_before(plan, &snapshot)?;
    let rows = || verify::rows(plan, &again.source, &tables, &redrawn, &snapshot);
    if request.in_place.is_some() {
        // The originals are there only now, and in the next step the masked rows.
        check(&mut checks, &rows)?;
        phase.enter("replacing the originals");
        in_schema(&plan.target, || all(&plan.prepare.before))?;
        replace::no_missing(plan)?;
        replace::put_back(plan, &tables)?;
    }
    phase.enter("adding keys and indexes");
    if let Some(exchange) = exchange {
        exchange.finish();
    }
    let taken: Vec<String> = plan
        .prepare
        .created
        .iter()
        .chain(&plan.prepare.altered)
        .chain(plan.tables.iter().map(|table| &table.source.name))
        .cloned()
        .collect();
    // What triggers of the target put off must be done before the tables can be altered.
    let put_off = PutOff::of(run, plan, &taken)?;
    put_off.done()?;
    in_schema(&plan.target, || all(&plan.prepare.after))?;
    request::look_again(request, &taken)?;
    let put_off = PutOff::of(run, plan, &taken)?;
    put_off.done()?;
    put_off.as_before()?;
    phase.enter("analyzing");
    if request.in_place.is_some() {
        replace::forget_statistics(plan, &again.source)?;
    }
    for table in &plan.tables {
        spi::run(
            &format!(
                "ANALYZE {}",
                ident::qualified(&plan.target, &table.source.name)
            ),
            &[],
        )?;
    }
    check(&mut checks, &|| {
        let mut found = match tracked {
            true => tracking::all_seen(plan, &seen, &tables),
            false => Vec::new(),
        };
        if request.in_place.is_none() {
            found.extend(rows()?);
        }
        if request.options.triggers == Triggers::Fire {
            found.extend(verify::fired(
                plan,
                &again.source,
                &request.options,
                &snapshot,
            )?);
        }
        found.extend(verify::whole_of(run, plan, &orphans, &snapshot)?);
        found.extend(verify::keys(plan, &snapshot)?);
        found.extend(checks::redrawn(&redrawn));
        found.extend(verify::gates(plan, &profile.gates)?);
        Ok(found)
    })?;
    phase
        .log()
        .line(&format!("checked checks={}", checks.len()));
    chosen.end()?;
    match request.in_place {
        Some(_) => replace::mark(run, plan, &again.source)?,
        None => store::remember(&plan.target, &taken, &user::name(user::caller()))?,
    }
    Ok(Copied {
        lineage: tracking::lineage(run, plan, &seen, &tables),
        tables,
        checks,
        checking,
        created: plan.prepare.created.len(),
        columns,
        divided,
        cached,
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
            Self::All => spi::run("SET CONSTRAINTS ALL IMMEDIATE", &[]).map(|_| trusted::settled()),
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

/// Keeps the tables of the run as they are: the source readable for all, the target for nobody, or
/// in mode swap for readers.
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
        .chain(&plan.prepare.altered)
        .map(|name| (&plan.target, "ACCESS EXCLUSIVE", name))
        .filter(|_| plan.prepare.swap.is_none());
    if plan.prepare.swap.is_some() {
        exchange::keep_writers_away(plan)?;
    }
    // Where both are one table, the stronger lock comes first: nobody is waited for in between.
    for (schema, mode, name) in target.chain(source) {
        let name = ident::qualified(schema, name);
        spi::run(&format!("LOCK TABLE {name} IN {mode} MODE"), &[])?;
    }
    Ok(())
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
