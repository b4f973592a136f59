//! What SQL sees of the strategies: one function `anon_…` per strategy and type, all with the same
//! body, declared by `sql/strategies.sql`.
//!
//! The body finds out from the catalog which function it is and what its arguments are called, once
//! per call site; per row there is the keyed function and nothing else. NULL in, NULL out. A keyed
//! mask uses the active masking key, or the version that `key_version` names, so it is STABLE, and
//! PARALLEL RESTRICTED because a worker would have to ask the provider for the key again. The way
//! back leaves a record that stays, so it is VOLATILE PARALLEL UNSAFE.

use std::borrow::Cow;
use std::cell::Cell;
use std::rc::Rc;

use pgrx::AnyElement;
use pgrx::iter::TableIterator;
use pgrx::pg_sys;
use pgrx::pg_sys::panic::ErrorReport;
use pgrx::prelude::*;

use super::listing::named;
use super::measure::epsilon::{Epsilon, corrected_variance, noise_params};
use super::params::from_json;
use super::rows::only_in_runs;
use super::witness::Tally;
use super::{
    Datum, Input, Kind, Mask, Needs, ParamKind, Params, Presence, Row, SaltRef, Seed, Strategy,
    Subkeys, Value, ValueType,
};
use crate::error::{self, Error, Result, given};
use crate::keys::{self, Use, subkey};
use crate::pg::argument::Document;
use crate::pg::codec::Codec;
use crate::pg::{call, callsite, report, server};
use crate::settings;

type Call = pg_sys::FunctionCallInfo;

/// The body of every mask.
#[pg_extern(sql = false)]
fn mask(fcinfo: Call) -> Result<Option<AnyElement>, ErrorReport> {
    Ok(run(fcinfo, |_| Ok(()), Mask::apply)?)
}

/// The body of the way back from a mask that has one. What it gives is on record before.
#[pg_extern(sql = false)]
fn unmask(fcinfo: Call) -> Result<Option<AnyElement>, ErrorReport> {
    let given = |site: &Site| {
        let mut tally = site.tally.get();
        tally.give(&site.fixed.name, server::statement_start())?;
        site.tally.set(tally);
        Ok(())
    };
    Ok(run(fcinfo, given, Mask::reverse)?)
}

/// What noise for differential privacy does to values of a type: scale, standard deviation,
/// variance, and half the width of the interval that holds 95 of 100 noisy values of one value.
#[pg_extern(immutable, parallel_safe)]
#[allow(clippy::type_complexity, reason = "the shape of the rows")]
fn anon_dp_noise_params(
    epsilon: Option<f64>,
    sensitivity: Option<f64>,
    value_type: default!(Option<&str>, "'double precision'"),
) -> Result<
    TableIterator<
        'static,
        (
            name!(scale, f64),
            name!(sd, f64),
            name!(variance, f64),
            name!(ci95_halfwidth, f64),
        ),
    >,
    ErrorReport,
> {
    let noise = noise_params(
        given("epsilon", epsilon)?,
        given("sensitivity", sensitivity)?,
        value_type_of(value_type)?,
    )?;
    Ok(TableIterator::once((
        noise.scale,
        noise.sd,
        noise.variance,
        noise.ci95_halfwidth,
    )))
}

/// The variance of values, from that of their noisy ones.
#[pg_extern(immutable, parallel_safe)]
fn anon_dp_correct_variance(
    noisy_var: Option<f64>,
    epsilon: Option<f64>,
    sensitivity: Option<f64>,
    value_type: default!(Option<&str>, "'double precision'"),
) -> Result<Option<f64>, ErrorReport> {
    let Some(noisy_var) = noisy_var else {
        return Ok(None);
    };
    Ok(Some(corrected_variance(
        noisy_var,
        given("epsilon", epsilon)?,
        given("sensitivity", sensitivity)?,
        value_type_of(value_type)?,
    )?))
}

fn value_type_of(name: Option<&str>) -> Result<ValueType> {
    let name = given("value_type", name)?;
    ValueType::parse(name).ok_or_else(|| {
        Error::new(
            error::Kind::InvalidParameter,
            format!("values of type {name} cannot be masked"),
        )
        .with_hint("Name the type as in confiture.strategies, such as text or integer.")
    })
}

/// What a call site keeps.
struct Site {
    fixed: Rc<Fixed>,
    /// Arguments that are no constants, as they were when the mask was made.
    kept: Vec<Cached>,
    /// A function look-up can outlive a statement (PL/pgSQL keeps expressions for a transaction),
    /// and a key can be rotated within one: the active key may be another one then.
    stamp: keys::store::Stamp,
    mask: Mask,
    /// What was given back here.
    tally: Cell<Tally>,
}

/// What never changes at a call site.
struct Fixed {
    /// The name of the function.
    name: String,
    kind: Option<Kind>,
    value: usize,
    codec: Codec,
    arguments: Vec<String>,
    /// Where the inputs of the strategy stand, and whether each is a list.
    inputs: Vec<(usize, bool)>,
}

/// An argument that may differ from row to row.
struct Cached {
    place: usize,
    bytes: Option<Vec<u8>>,
}

fn run(
    fcinfo: Call,
    before: impl Fn(&Site) -> Result<()>,
    work: impl for<'a> Fn(&Mask, Datum<'a>, Row<'_>) -> Result<Option<Datum<'a>>>,
) -> Result<Option<AnyElement>> {
    // The value comes first, but for the function that takes the strategy's name before it.
    if call::is_null(fcinfo, 0) {
        return Ok(None);
    }
    let site = callsite::state(
        fcinfo,
        |site| is_same(fcinfo, site),
        |former| make(fcinfo, former),
    )?;
    let fixed = &site.fixed;
    let Some(value) = fixed.codec.argument(fcinfo, fixed.value) else {
        return Ok(None);
    };
    before(site)?;
    let inputs = inputs(fcinfo, fixed);
    let row = Row(&inputs);
    let masked = value.each(|value| work(&site.mask, value, row))?;
    fixed.codec.result(masked)
}

fn is_same(fcinfo: Call, site: &Site) -> bool {
    let unchanged =
        |kept: &Cached| call::bytes(fcinfo, kept.place).as_deref() == kept.bytes.as_deref();
    site.stamp == keys::store::stamp() && site.kept.iter().all(unchanged)
}

/// The inputs of this row; none for most strategies.
fn inputs<'a>(fcinfo: Call, fixed: &Fixed) -> Vec<Input<'a>> {
    let read = |&(place, many): &(usize, bool)| match call::input(fcinfo, place, many) {
        (Some(text), _) => Input::One(text),
        (None, Some(texts)) => Input::Many(texts),
        (None, None) => Input::None,
    };
    fixed.inputs.iter().map(read).collect()
}

fn make(fcinfo: Call, former: Option<&Site>) -> Result<Site> {
    let fixed = match former {
        Some(former) => Rc::clone(&former.fixed),
        None => Rc::new(fix(fcinfo)?),
    };
    let varying = varying(fcinfo, &fixed);
    let mask = compile(fcinfo, &fixed).map_err(|error| {
        if varying.is_empty() {
            error
        } else {
            without_words(error)
        }
    });
    keys::scrub();
    let kept = varying.into_iter().map(|place| Cached {
        place,
        bytes: call::bytes(fcinfo, place).map(Cow::into_owned),
    });
    Ok(Site {
        kept: kept.collect(),
        // As it is now: looking the key up may have taken in news of it.
        stamp: keys::store::stamp(),
        mask: mask?,
        tally: Cell::new(former.map(|site| site.tally.get()).unwrap_or_default()),
        fixed,
    })
}

/// The arguments that are no constants, without the value and the inputs.
fn varying(fcinfo: Call, fixed: &Fixed) -> Vec<usize> {
    let is_input = |place: usize| fixed.inputs.iter().any(|(input, _)| *input == place);
    (0..call::count(fcinfo))
        .filter(|&place| {
            place != fixed.value && !is_input(place) && !call::is_constant(fcinfo, place)
        })
        .collect()
}

/// Errors repeat the words of a parameter, and an argument that is no constant may hold the value
/// of a row.
fn without_words(error: Error) -> Error {
    if error.kind() != error::Kind::InvalidParameter {
        return error;
    }
    Error::new(error.kind(), "invalid argument of a mask")
        .with_detail("It is not shown because its arguments are no constants of the statement.")
        .with_hint("Call the mask with constants to see which of them is refused, and why.")
}

fn compile(fcinfo: Call, fixed: &Fixed) -> Result<Mask> {
    let at = |name: &str| fixed.arguments.iter().position(|argument| argument == name);
    let seed = match at("seed") {
        Some(place) => given("seed", call::argument::<i64>(fcinfo, place))?,
        None => 0,
    };
    let key_version = at("key_version").and_then(|place| call::argument::<i32>(fcinfo, place));
    let (kind, params) = match fixed.kind {
        Some(kind) => (kind, own_params(fcinfo, kind, fixed)?),
        None => {
            let kind = named(given("strategy", call::argument::<&str>(fcinfo, 0))?)?;
            if kind.is_in_runs_only() {
                return Err(only_in_runs(kind));
            }
            let json = at("params").and_then(|place| call::argument::<Document>(fcinfo, place));
            let json = given("params", json)?.read()?;
            (kind, from_json(&json)?)
        }
    };
    let strategy = Strategy::new(kind, &params)?;
    let of = fixed.codec.value_type();
    if let Some(epsilon) = Epsilon::largest(&strategy) {
        epsilon.check(settings::dp_max_epsilon())?;
        // Once per call site and set of arguments.
        if epsilon.is_weak() {
            report::warning(
                "epsilon is so large that the noise hardly protects anybody",
                None,
            );
        }
    }
    // A function that is not VOLATILE may be called once more for one and the same value.
    let draws = |of: &Strategy| of.kind().definition().needs == Needs::Chance;
    let declared = fixed.kind.map(|kind| kind.definition().needs);
    if declared != Some(Needs::Chance) && strategy.with_parts().into_iter().any(draws) {
        return Err(Error::new(
            error::Kind::Unsupported,
            "a strategy that draws by chance has a function of its own",
        )
        .with_hint("Call anon_dp_noise or anon_dp_choice, or name it in a profile."));
    }
    if strategy
        .kind()
        .definition()
        .inputs
        .iter()
        .any(|input| input.required)
        && fixed.inputs.is_empty()
    {
        let name = strategy.kind().name();
        return Err(Error::new(
            error::Kind::Unsupported,
            format!("strategy \"{name}\" reads other columns, which anon_apply cannot give it"),
        )
        .with_hint(format!("Call anon_{name}.")));
    }
    if strategy.is_keyed() {
        let key = match key_version {
            Some(version) => keys::store::version_for(keys::MASKING, version)?,
            None => keys::store::active(keys::MASKING)?,
        };
        let (masking, fpe) = (
            subkey(&key.secret, Use::Masking),
            subkey(&key.secret, Use::Fpe),
        );
        let salt = strategy.salt().map(salt).transpose()?;
        let keys = Subkeys {
            salt: salt.as_ref().map(keys::Secret::expose),
            ..Subkeys::new(masking.expose(), fpe.expose())
        };
        strategy.mask(&keys, Seed::new(seed), of)
    } else {
        // A strategy without a key ignores it.
        let nobody = [0; keys::KEY_LEN];
        strategy.mask(&Subkeys::new(&nobody, &nobody), Seed::new(seed), of)
    }
}

fn salt(of: SaltRef<'_>) -> Result<keys::Secret> {
    if of.name.is_empty() {
        return Err(Error::new(
            error::Kind::InvalidParameter,
            "argument \"salt\" must name a salt",
        )
        .with_hint(
            "Make one with confiture.create_key('salt-…') and name what follows the dash.",
        ));
    }
    keys::store::salt(of.name, of.version)
}

fn fix(fcinfo: Call) -> Result<Fixed> {
    let unknown = || {
        Error::new(error::Kind::Internal, "a mask does not know itself")
            .with_hint("A function of confiture was renamed: install the extension again.")
    };
    let signature = call::signature(fcinfo).ok_or_else(unknown)?;
    let name = signature.name.as_str();
    let kind = match name.strip_prefix("anon_").ok_or_else(unknown)? {
        "apply" => None,
        name => {
            let name = name.strip_suffix("_decrypt").unwrap_or(name);
            Some(Kind::parse(name).ok_or_else(unknown)?)
        }
    };
    let at = |name: &str| {
        signature
            .arguments
            .iter()
            .position(|argument| argument == name)
    };
    let value = at("value").ok_or_else(unknown)?;
    if kind.is_none()
        && let Some(kind) = call::argument::<&str>(fcinfo, 0).and_then(Kind::parse)
        && kind.is_in_runs_only()
    {
        // Before the type of the value is looked at: a composite is none that a mask takes.
        return Err(only_in_runs(kind));
    }
    let inputs = kind.map_or(&[][..], |kind| kind.definition().inputs);
    let inputs = inputs
        .iter()
        .map(|spec| Ok((at(spec.name).ok_or_else(unknown)?, spec.many)))
        .collect::<Result<_>>()?;
    Ok(Fixed {
        kind,
        value,
        codec: Codec::at(fcinfo, call::type_of(fcinfo, value))?,
        inputs,
        name: signature.name,
        arguments: signature.arguments,
    })
}

/// The parameters of the strategy, from the arguments of the same names.
fn own_params(fcinfo: Call, kind: Kind, fixed: &Fixed) -> Result<Params> {
    let mut params = Params::new();
    let own = kind.params().iter().chain([&super::OnError::PARAM]);
    for spec in own {
        let Some(place) = fixed.arguments.iter().position(|name| name == spec.name) else {
            continue;
        };
        let value = match spec.kind {
            ParamKind::Bigint => call::argument::<i64>(fcinfo, place).map(Value::Int),
            ParamKind::Bool => call::argument::<bool>(fcinfo, place).map(Value::Bool),
            ParamKind::Int => {
                call::argument::<i32>(fcinfo, place).map(|value| Value::Int(value.into()))
            }
            ParamKind::List => list(fcinfo, place, spec.name)?,
            ParamKind::Map => call::argument::<Document>(fcinfo, place)
                .map(|document| Ok::<_, Error>(Value::Map(from_json(&document.read()?)?)))
                .transpose()?,
            ParamKind::Span if call::type_of(fcinfo, place) == pg_sys::INTERVALOID => {
                call::seconds(fcinfo, place)?.map(Value::from)
            }
            ParamKind::Number | ParamKind::Span => {
                call::argument::<f64>(fcinfo, place).map(Value::from)
            }
            ParamKind::Text => call::argument::<&str>(fcinfo, place).map(Value::from),
        };
        match value {
            // As good as not given, and some parameters have no meaning beside others.
            Some(value) if spec.is_default(&value) => {}
            Some(value) => {
                params.insert(spec.name.to_owned(), value);
            }
            None if spec.presence == Presence::Optional => {}
            None => {
                given::<()>(spec.name, None)?;
            }
        }
    }
    Ok(params)
}

fn list(fcinfo: Call, place: usize, name: &str) -> Result<Option<Value>> {
    let Some(texts) = call::texts(fcinfo, place) else {
        return Ok(None);
    };
    let texts = texts
        .into_iter()
        .map(|text| Ok(Value::from(given(name, text)?)));
    Ok(Some(Value::List(texts.collect::<Result<_>>()?)))
}
