//! What SQL sees of the vault.

use std::cell::Cell;

use pgrx::datum::Interval;
use pgrx::iter::TableIterator;
use pgrx::pg_sys;
use pgrx::pg_sys::panic::ErrorReport;
use pgrx::prelude::*;

use super::domain::{self, Domain, Terms};
use super::reveal::store as reveals;
use super::rewrap;
use super::tokens::{self, Wanted, ending};
use crate::error::{Error, Kind, Result, given};
use crate::pg::spi::Nonatomic;
use crate::pg::{call, callsite, frozen, server, user, xact};
use crate::strategies::Value;
use crate::strategies::token::TokenFormat;

/// Makes a domain: a space of tokens. `format` is base32, hex, uuid or digits; `prefix` stands
/// before base32 and hex, `keep_last` digits of the value stay in digits. In a deterministic domain
/// a value always has the same token. Of a domain that is `bound`, values open only for who shows
/// the token. On record.
#[pg_extern(schema = "confiture", volatile, parallel_unsafe)]
#[search_path(pg_catalog, pg_temp)]
#[allow(clippy::too_many_arguments, reason = "named in SQL")]
fn create_domain(
    name: Option<&str>,
    format: default!(Option<&str>, "'base32'"),
    prefix: default!(Option<&str>, "NULL"),
    keep_last: default!(Option<i32>, "NULL"),
    deterministic: default!(Option<bool>, "true"),
    bound: default!(Option<bool>, "false"),
    ttl: default!(Option<Interval>, "NULL"),
    reveals_per_hour: default!(Option<i32>, "NULL"),
) -> Result<(), ErrorReport> {
    let mut params = crate::strategies::Params::new();
    params.insert("format".to_owned(), Value::from(given("format", format)?));
    if let Some(prefix) = prefix {
        params.insert("prefix".to_owned(), Value::from(prefix));
    }
    if let Some(kept) = keep_last {
        params.insert("keep_last".to_owned(), Value::Int(kept.into()));
    }
    let terms = Terms {
        format: TokenFormat::new(&params).map_err(|refused| refused.error)?,
        is_deterministic: given("deterministic", deterministic)?,
        is_bound: given("bound", bound)?,
        reveals_per_hour,
    };
    Ok(domain::store::create(
        given("name", name)?,
        &terms,
        ttl.as_ref(),
    )?)
}

/// The tokens of values, in their order, made where they are not there; NULL for NULL. `subjects`
/// says whose each value is. On record with the commit.
#[pg_extern(sql = "
CREATE FUNCTION confiture.tokenize_batch(
  domain text, \"values\" text[], subjects text[] DEFAULT NULL)
  RETURNS text[] LANGUAGE c VOLATILE PARALLEL UNSAFE AS '@MODULE_PATHNAME@', '@FUNCTION_NAME@';
")]
fn tokenize_batch(fcinfo: pg_sys::FunctionCallInfo) -> Result<Vec<Option<String>>, ErrorReport> {
    frozen::writable()?;
    let domain = call::argument::<&str>(fcinfo, 0);
    let values = given("values", call::list(fcinfo, 1, "values")?)?;
    let subjects = call::list(fcinfo, 2, "subjects")?;
    if subjects
        .as_ref()
        .is_some_and(|subjects| subjects.len() != values.len())
    {
        return Err(Error::new(
            Kind::InvalidParameter,
            "there must be as many subjects as values",
        )
        .into());
    }
    let domain = domain::store::get(given("domain", domain)?)?;
    let of = |place: usize| subjects.as_ref().and_then(|all| all[place]);
    let wanted: Vec<_> = values
        .iter()
        .enumerate()
        .map(|(place, value)| {
            value.map(|value| Wanted {
                subject: of(place),
                value,
            })
        })
        .collect();
    Ok(tokens::store::tokens(&domain, &wanted)?)
}

/// What a token stands for, for who may and says why; on record before it is opened, and to stay
/// there after ROLLBACK. NULL for NULL.
#[pg_extern(schema = "confiture", volatile, parallel_unsafe)]
fn reveal(
    token: Option<&str>,
    domain: Option<&str>,
    reason: Option<&str>,
) -> Result<Option<String>, ErrorReport> {
    let right = reveals::right(given("domain", domain)?, given("reason", reason)?)?;
    let Some(token) = token else { return Ok(None) };
    Ok(Some(right.reveal(token)?.to_string()))
}

/// What many tokens stand for, each with what became of it: `revealed`, `unknown`, `expired`,
/// `forgotten`. One record, before the first is opened.
#[pg_extern(schema = "confiture", volatile, parallel_unsafe)]
#[allow(clippy::type_complexity, reason = "the shape of the rows")]
fn reveal_batch(
    tokens: Option<Vec<Option<String>>>,
    domain: Option<&str>,
    reason: Option<&str>,
) -> Result<
    TableIterator<
        'static,
        (
            name!(token, String),
            name!(value, Option<String>),
            name!(status, &'static str),
        ),
    >,
    ErrorReport,
> {
    let right = reveals::right(given("domain", domain)?, given("reason", reason)?)?;
    let tokens: Vec<String> = given("tokens", tokens)?.into_iter().flatten().collect();
    let asked: Vec<&str> = tokens.iter().map(String::as_str).collect();
    let rows: Vec<_> = right
        .reveal_all(&asked)?
        .into_iter()
        .map(|(status, value)| (value.map(|value| value.to_string()), status.name()))
        .collect();
    Ok(TableIterator::new(
        tokens
            .into_iter()
            .zip(rows)
            .map(|(token, (value, status))| (token, value, status)),
    ))
}

/// The token of a value, made where it is not there: for the select list of an INSERT, in
/// deterministic domains. `subject` says whose the value is. NULL for NULL.
#[pg_extern(sql = "
CREATE FUNCTION anon_tokenize(value text, domain text, subject text DEFAULT NULL)
  RETURNS text LANGUAGE c VOLATILE PARALLEL UNSAFE AS '@MODULE_PATHNAME@', '@FUNCTION_NAME@';
")]
fn anon_tokenize(fcinfo: pg_sys::FunctionCallInfo) -> Result<Option<String>, ErrorReport> {
    let Some(value) = call::argument::<&str>(fcinfo, 0) else {
        return Ok(None);
    };
    let name = given("domain", call::argument::<&str>(fcinfo, 1))?;
    frozen::writable()?;
    // What a domain was made with never changes; but a call site outlives a savepoint, and the
    // domain that was made behind it does not.
    let within = xact::current();
    let same = |(domain, of): &(Domain, u32)| domain.name == name && *of == within;
    let (domain, _) = callsite::state(fcinfo, same, |_| {
        Ok::<_, Error>((domain::store::get(name)?, within))
    })?;
    if !domain.terms.is_deterministic {
        return Err(Error::new(
            Kind::Unsupported,
            format!("domain \"{name}\" draws its tokens, and does not give them one by one"),
        )
        .with_detail("Sessions that draw them row by row, in any order, would lock each other out.")
        .with_hint("Use confiture.tokenize_batch, or a domain that is deterministic.")
        .into());
    }
    let wanted = Wanted {
        subject: call::argument(fcinfo, 2),
        value,
    };
    let token = tokens::store::tokens(domain, &[Some(wanted)])?;
    Ok(token.into_iter().next().flatten())
}

/// What a call site that reveals keeps: the right, once it was seen, in a statement of the client.
struct Revealing {
    domain: String,
    reason: String,
    statement: i64,
    /// Who called, and whose rights the call had.
    callers: (pg_sys::Oid, pg_sys::Oid),
    within: u32,
    right: reveals::Right,
    tally: Cell<(i64, i64)>,
}

/// What a token stands for, as `reveal` gives it, row by row: the first value is on record alone,
/// then the next nine together, then the next ninety. NULL for NULL.
#[pg_extern(sql = "
CREATE FUNCTION anon_detokenize(token text, domain text, reason text)
  RETURNS text LANGUAGE c VOLATILE PARALLEL UNSAFE AS '@MODULE_PATHNAME@', '@FUNCTION_NAME@';
")]
fn anon_detokenize(fcinfo: pg_sys::FunctionCallInfo) -> Result<Option<String>, ErrorReport> {
    let domain = given("domain", call::argument::<&str>(fcinfo, 1))?;
    let reason = given("reason", call::argument::<&str>(fcinfo, 2))?;
    let statement = server::statement_start();
    let (callers, within) = ((user::outer(), user::current()), xact::current());
    let same = |site: &Revealing| {
        (&*site.domain, &*site.reason, site.statement) == (domain, reason, statement)
            && (site.callers, site.within) == (callers, within)
    };
    let site = callsite::state(fcinfo, same, |_| {
        Ok::<_, Error>(Revealing {
            domain: domain.to_owned(),
            reason: reason.to_owned(),
            statement,
            callers,
            within,
            right: reveals::right(domain, reason)?,
            tally: Cell::default(),
        })
    })?;
    let Some(token) = call::argument::<&str>(fcinfo, 0) else {
        return Ok(None);
    };
    Ok(Some(
        site.right.reveal_next(token, &site.tally)?.to_string(),
    ))
}

/// Destroys the secret of a subject, so that none of its tokens can ever be revealed. Returns how
/// many it had. On record.
#[pg_extern(schema = "confiture", volatile, parallel_unsafe)]
#[search_path(pg_catalog, pg_temp)]
fn forget_subject(domain: Option<&str>, subject: Option<&str>) -> Result<i64, ErrorReport> {
    let domain = domain::store::get(given("domain", domain)?)?;
    Ok(ending::forget(&domain, given("subject", subject)?)?)
}

/// Ends tokens whose time is over, of one domain or of all. Returns how many. On record.
#[pg_extern(schema = "confiture", volatile, parallel_unsafe)]
#[search_path(pg_catalog, pg_temp)]
fn cleanup_expired_tokens(domain: default!(Option<&str>, "NULL")) -> Result<i64, ErrorReport> {
    let domain = domain.map(domain::store::get).transpose()?;
    Ok(ending::clean_up(domain.as_ref())?)
}

/// Seals what the tokens of a domain stand for anew by the active key. No token changes.
///
/// A procedure that commits after each batch: interrupted, it is called again and goes on.
#[pg_extern(sql = "
CREATE PROCEDURE confiture.rewrap_tokens(domain text, batch_size integer DEFAULT 1000)
  LANGUAGE c AS '@MODULE_PATHNAME@', '@FUNCTION_NAME@';
")]
fn rewrap_tokens(
    domain: Option<&str>,
    batch_size: Option<i32>,
    fcinfo: pg_sys::FunctionCallInfo,
) -> Result<(), ErrorReport> {
    if !call::may_commit(fcinfo) {
        return Err(Error::new(
            Kind::ActiveTransaction,
            "confiture.rewrap_tokens cannot run inside a transaction block or a function",
        )
        .with_detail("It commits after each batch, so that it can be interrupted.")
        .with_hint("Call it on its own, with autocommit on (psql without -1 or BEGIN).")
        .into());
    }
    let connection = Nonatomic::connect()?;
    connection.commit()?;
    let domain = domain::store::get(given("domain", domain)?)?;
    let batch = given("batch_size", batch_size)?;
    Ok(rewrap::rewrap(&domain, batch.into(), &connection)?)
}
