//! A request and the plan made of it: the catalog read, the profile held against it.

use serde_json::Value;

use super::facts::Side;
use super::fit::How;
use super::in_place::{self, InPlace};
use super::options::Options;
use super::plan::{Decision, Input, Plan, Purpose};
use super::planner::{self, first};
use super::swap::{self, Mode};
use super::{coverage, noise, scope, statement, store, trust};
use crate::error::{Error, Kind, Result};
use crate::pg::guc;
use crate::pg::subxact::guarded;
use crate::pg::trusted;
use crate::profile::{self, Profile, seed};
use crate::settings;
use crate::strategies::measure::epsilon::Epsilon;
use crate::vault::columns;
use crate::watch;

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
    /// Set where the target is the source: its tables are rewritten.
    pub in_place: Option<InPlace>,
    /// The options as they were given, by which the run can be made again.
    pub given: Option<Value>,
    /// The run that this one is made again for.
    pub resumes: Option<[u8; 16]>,
}

impl Request {
    /// The procedure that was called.
    pub fn procedure(&self) -> &'static str {
        match self.in_place {
            Some(_) => "confiture.mask_in_place",
            None => "confiture.sync",
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
    made(request, profile, Purpose::Run)
}

/// Makes the plan of a request as far as it is about the source: what would be written, wherever.
///
/// # Errors
/// Everything that is wrong there.
pub fn preview(request: &Request, profile: &Profile) -> Result<Planned> {
    made(request, profile, Purpose::Preview)
}

/// Makes the plan of what shows a schema masked and loads nothing.
///
/// # Errors
/// Everything that is wrong with the tables read.
pub fn plan_for_reading(schema: &str, profile: &Profile) -> Result<Planned> {
    let request = Request {
        profile: profile.name.clone(),
        source: schema.to_owned(),
        target: schema.to_owned(),
        options: Options::default(),
        in_place: None,
        given: None,
        resumes: None,
    };
    made(&request, profile, Purpose::View)
}

fn made(request: &Request, profile: &Profile, purpose: Purpose) -> Result<Planned> {
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
    let is_run = purpose == Purpose::Run;
    let target = match is_run {
        true => store::side(&request.target, &in_target)?,
        false => Side::default(),
    };
    let oids = |side: &Side| {
        side.tables
            .iter()
            .map(|table| table.oid)
            .collect::<Vec<_>>()
    };
    let mut types = source
        .types
        .iter()
        .chain(&target.types)
        .map(|of| of.oid)
        .collect::<Vec<_>>();
    let surroundings = match &request.in_place {
        Some(asked) => Some(in_place::store::surroundings(&request.source, *asked)?),
        None => None,
    };
    let keys = match request.options.mode {
        Mode::Swap(_) if is_run => Some(swap::store::keys(&oids(&target))?),
        Mode::Swap(_) | Mode::Atomic => None,
    };
    // The rows of neighbors are held against the new ones.
    types.extend(keys.iter().flatten().flat_map(swap::Key::types));
    let code = match purpose {
        Purpose::View => Vec::new(),
        Purpose::Run | Purpose::Preview => {
            // In place both sides are one.
            let read = match request.in_place {
                Some(_) => oids(&target),
                None => [oids(&source), oids(&target)].concat(),
            };
            store::code(&request.source, &read, &types, &oids(&target))?
        }
    };
    let own_functions = match is_run {
        true => store::own_functions(&request.source, &oids(&source), &request.target)?,
        false => Vec::new(),
    };
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
        token_of: &columns::store::form,
        personal: &|tables| coverage::suspects(tables, &source, request.options.sample),
        may_create_schema: store::may_create_schema()?,
        own_functions: &own_functions,
        code: &code,
        purpose,
        in_place: surroundings.as_ref(),
        swap: keys.as_deref(),
    };
    let mut plan = planner::make(&input)?;
    let mut problems = match purpose {
        // Whose types they are of is asked there first.
        Purpose::View => Vec::new(),
        Purpose::Run | Purpose::Preview => bad_constants(&plan, &source),
    };
    if purpose != Purpose::View {
        let undecided = watch::store::enforced(&profile.name, &request.source)?;
        problems.extend(watch::refusal(&undecided));
    }
    let limit = settings::dp_max_epsilon();
    problems.extend(
        plan.masks(&profile.name)
            .iter()
            .filter_map(|mask| Epsilon::largest(mask.strategy)?.check(limit).err()),
    );
    if let Some(privacy) = profile.privacy.as_ref().filter(|_| is_run) {
        plan.price = noise::price(&plan, privacy, &mut problems);
    }
    first(problems)?;
    if is_run {
        let foreseen = noise::store::foresee(&plan.price, profile, request.procedure())?;
        plan.remarks.extend(foreseen);
    }
    // Readers of a view wait for it.
    if purpose != Purpose::View {
        scope::store::expect(&mut plan)?;
    }
    Ok(Planned { plan, source })
}

/// Tries the constants and filter values of a plan for reading.
///
/// # Errors
/// Everything that is no input of its column's type.
pub fn check_constants(planned: &Planned) -> Result<()> {
    first(bad_constants(&planned.plan, &planned.source))
}

/// Adds a problem for every type of a table that is read, and for what its checks use, whose owner
/// is not trusted.
///
/// # Errors
/// As the interface.
pub fn trust_types(side: &Side, problems: &mut Vec<Error>) -> Result<()> {
    let mut types = Vec::new();
    for column in side.tables.iter().flat_map(|table| &table.columns) {
        side.reach(column.type_oid, &mut types);
    }
    trust::check_read(side, problems);
    // No schema's own types are copied.
    trust::check(&store::code("", &[], &types, &[])?, problems);
    Ok(())
}

/// Looks once more at the code in tables of the target that a run has made, or given indexes, checks and
/// triggers: their definitions have names of functions in them, and a name may lead elsewhere by the time
/// that it is executed.
///
/// # Errors
/// 42501 for code of a role that is not trusted; as the interface.
pub fn look_again(request: &Request, tables: &[String]) -> Result<()> {
    let side = store::side(&request.target, tables)?;
    let tables: Vec<_> = side.tables.iter().map(|table| table.oid).collect();
    let types: Vec<_> = side.types.iter().map(|of| of.oid).collect();
    let mut problems = Vec::new();
    trust::check(
        &store::code(&request.source, &tables, &types, &tables)?,
        &mut problems,
    );
    first(problems)
}

/// Settings that change what a statement means, pinned for everything a run does; and no function of
/// a role that could not act as the caller runs ([`trusted`]).
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
        || trusted::only(work),
    )
}

/// Constants and filter values of a profile must be input of their column's type.
fn bad_constants(plan: &Plan, source: &Side) -> Vec<Error> {
    let mut problems = Vec::new();
    for table in &plan.tables {
        let conditions = table.filter.iter().chain(&table.seed);
        for filter in conditions {
            if guarded(|| store::try_filter(&statement::from(&table.source), filter)).is_ok() {
                continue;
            }
            problems.push(Error::new(
                Kind::InvalidParameter,
                format!(
                    "a condition on table {} has a value that is not of its column's type",
                    table.source.shown()
                ),
            ));
        }
        for (column, facts) in table.columns.iter().zip(&table.source.columns) {
            let Decision::Masked(masked) = &column.decision else {
                continue;
            };
            let How::Constant(text) = &masked.how else {
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
