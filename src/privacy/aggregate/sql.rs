//! What SQL sees of the aggregates: their steps and their ends.

use pgrx::pg_sys::panic::ErrorReport;
use pgrx::prelude::*;
use pgrx::{AnyNumeric, Internal, pg_sys};

use super::{Answer, Gathered, Question, Terms};
use crate::error::{Error, Kind, Result, given};
use crate::keys::random;
use crate::pg::aggregate::{Aggregate, Argument, Hasher};
use crate::pg::call;
use crate::privacy::answer::quantile::Share;
use crate::privacy::answer::range::Range;
use crate::privacy::answer::units::Units;
use crate::privacy::charge;
use crate::strategies::{Datum, ValueType};

type Call = pg_sys::FunctionCallInfo;

/// Which of the aggregates it is.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Asked {
    Count,
    Sum,
    Mean,
    Quantile,
}

/// What a group keeps: its units, and how they are told apart.
struct Group {
    gathered: Gathered,
    hasher: Hasher,
    number: Number,
}

#[pg_extern(sql = "
CREATE FUNCTION confiture._dp_count(state internal, unit anyelement, epsilon double precision)
  RETURNS internal LANGUAGE c VOLATILE PARALLEL UNSAFE AS '@MODULE_PATHNAME@', '@FUNCTION_NAME@';
CREATE FUNCTION confiture._dp_count(
  state internal, unit anyelement, epsilon double precision, max_rows integer)
  RETURNS internal LANGUAGE c VOLATILE PARALLEL UNSAFE AS '@MODULE_PATHNAME@', '@FUNCTION_NAME@';
")]
fn dp_count(fcinfo: Call) -> Result<Internal, ErrorReport> {
    Ok(take(fcinfo, Asked::Count)?)
}

#[pg_extern(sql = "
CREATE FUNCTION confiture._dp_sum(state internal, unit anyelement, value integer,
  lower integer, upper integer, epsilon double precision)
  RETURNS internal LANGUAGE c VOLATILE PARALLEL UNSAFE AS '@MODULE_PATHNAME@', '@FUNCTION_NAME@';
CREATE FUNCTION confiture._dp_sum(state internal, unit anyelement, value bigint,
  lower bigint, upper bigint, epsilon double precision)
  RETURNS internal LANGUAGE c VOLATILE PARALLEL UNSAFE AS '@MODULE_PATHNAME@', '@FUNCTION_NAME@';
CREATE FUNCTION confiture._dp_sum(state internal, unit anyelement, value double precision,
  lower double precision, upper double precision, epsilon double precision)
  RETURNS internal LANGUAGE c VOLATILE PARALLEL UNSAFE AS '@MODULE_PATHNAME@', '@FUNCTION_NAME@';
CREATE FUNCTION confiture._dp_sum(state internal, unit anyelement, value numeric,
  lower numeric, upper numeric, epsilon double precision)
  RETURNS internal LANGUAGE c VOLATILE PARALLEL UNSAFE AS '@MODULE_PATHNAME@', '@FUNCTION_NAME@';
")]
fn dp_sum(fcinfo: Call) -> Result<Internal, ErrorReport> {
    Ok(take(fcinfo, Asked::Sum)?)
}

#[pg_extern(sql = "
CREATE FUNCTION confiture._dp_avg(state internal, unit anyelement, value integer,
  lower integer, upper integer, epsilon double precision)
  RETURNS internal LANGUAGE c VOLATILE PARALLEL UNSAFE AS '@MODULE_PATHNAME@', '@FUNCTION_NAME@';
CREATE FUNCTION confiture._dp_avg(state internal, unit anyelement, value bigint,
  lower bigint, upper bigint, epsilon double precision)
  RETURNS internal LANGUAGE c VOLATILE PARALLEL UNSAFE AS '@MODULE_PATHNAME@', '@FUNCTION_NAME@';
CREATE FUNCTION confiture._dp_avg(state internal, unit anyelement, value double precision,
  lower double precision, upper double precision, epsilon double precision)
  RETURNS internal LANGUAGE c VOLATILE PARALLEL UNSAFE AS '@MODULE_PATHNAME@', '@FUNCTION_NAME@';
CREATE FUNCTION confiture._dp_avg(state internal, unit anyelement, value numeric,
  lower numeric, upper numeric, epsilon double precision)
  RETURNS internal LANGUAGE c VOLATILE PARALLEL UNSAFE AS '@MODULE_PATHNAME@', '@FUNCTION_NAME@';
")]
fn dp_avg(fcinfo: Call) -> Result<Internal, ErrorReport> {
    Ok(take(fcinfo, Asked::Mean)?)
}

#[pg_extern(sql = "
CREATE FUNCTION confiture._dp_quantile(state internal, unit anyelement, value integer,
  q double precision, lower integer, upper integer, epsilon double precision)
  RETURNS internal LANGUAGE c VOLATILE PARALLEL UNSAFE AS '@MODULE_PATHNAME@', '@FUNCTION_NAME@';
CREATE FUNCTION confiture._dp_quantile(state internal, unit anyelement, value bigint,
  q double precision, lower bigint, upper bigint, epsilon double precision)
  RETURNS internal LANGUAGE c VOLATILE PARALLEL UNSAFE AS '@MODULE_PATHNAME@', '@FUNCTION_NAME@';
CREATE FUNCTION confiture._dp_quantile(state internal, unit anyelement, value double precision,
  q double precision, lower double precision, upper double precision, epsilon double precision)
  RETURNS internal LANGUAGE c VOLATILE PARALLEL UNSAFE AS '@MODULE_PATHNAME@', '@FUNCTION_NAME@';
CREATE FUNCTION confiture._dp_quantile(state internal, unit anyelement, value numeric,
  q double precision, lower numeric, upper numeric, epsilon double precision)
  RETURNS internal LANGUAGE c VOLATILE PARALLEL UNSAFE AS '@MODULE_PATHNAME@', '@FUNCTION_NAME@';
")]
fn dp_quantile(fcinfo: Call) -> Result<Internal, ErrorReport> {
    Ok(take(fcinfo, Asked::Quantile)?)
}

#[pg_extern(sql = "
CREATE FUNCTION confiture._dp_count_end(state internal) RETURNS bigint
  LANGUAGE c VOLATILE PARALLEL UNSAFE AS '@MODULE_PATHNAME@', '@FUNCTION_NAME@';
")]
fn dp_count_end(fcinfo: Call) -> Result<Option<i64>, ErrorReport> {
    Ok(whole(end(fcinfo, Asked::Count)?))
}

#[pg_extern(sql = "
CREATE FUNCTION confiture._dp_sum_end_bigint(state internal) RETURNS bigint
  LANGUAGE c VOLATILE PARALLEL UNSAFE AS '@MODULE_PATHNAME@', '@FUNCTION_NAME@';
")]
fn dp_sum_end_bigint(fcinfo: Call) -> Result<Option<i64>, ErrorReport> {
    Ok(whole(end(fcinfo, Asked::Sum)?))
}

#[pg_extern(sql = "
CREATE FUNCTION confiture._dp_sum_end_double(state internal) RETURNS double precision
  LANGUAGE c VOLATILE PARALLEL UNSAFE AS '@MODULE_PATHNAME@', '@FUNCTION_NAME@';
")]
fn dp_sum_end_double(fcinfo: Call) -> Result<Option<f64>, ErrorReport> {
    Ok(double(end(fcinfo, Asked::Sum)?))
}

#[pg_extern(sql = "
CREATE FUNCTION confiture._dp_sum_end_numeric(state internal) RETURNS numeric
  LANGUAGE c VOLATILE PARALLEL UNSAFE AS '@MODULE_PATHNAME@', '@FUNCTION_NAME@';
")]
fn dp_sum_end_numeric(fcinfo: Call) -> Result<Option<AnyNumeric>, ErrorReport> {
    Ok(numeric(end(fcinfo, Asked::Sum)?))
}

#[pg_extern(sql = "
CREATE FUNCTION confiture._dp_avg_end(state internal) RETURNS double precision
  LANGUAGE c VOLATILE PARALLEL UNSAFE AS '@MODULE_PATHNAME@', '@FUNCTION_NAME@';
")]
fn dp_avg_end(fcinfo: Call) -> Result<Option<f64>, ErrorReport> {
    Ok(double(end(fcinfo, Asked::Mean)?))
}

#[pg_extern(sql = "
CREATE FUNCTION confiture._dp_quantile_end_bigint(state internal) RETURNS bigint
  LANGUAGE c VOLATILE PARALLEL UNSAFE AS '@MODULE_PATHNAME@', '@FUNCTION_NAME@';
")]
fn dp_quantile_end_bigint(fcinfo: Call) -> Result<Option<i64>, ErrorReport> {
    Ok(whole(end(fcinfo, Asked::Quantile)?))
}

#[pg_extern(sql = "
CREATE FUNCTION confiture._dp_quantile_end_double(state internal) RETURNS double precision
  LANGUAGE c VOLATILE PARALLEL UNSAFE AS '@MODULE_PATHNAME@', '@FUNCTION_NAME@';
")]
fn dp_quantile_end_double(fcinfo: Call) -> Result<Option<f64>, ErrorReport> {
    Ok(double(end(fcinfo, Asked::Quantile)?))
}

#[pg_extern(sql = "
CREATE FUNCTION confiture._dp_quantile_end_numeric(state internal) RETURNS numeric
  LANGUAGE c VOLATILE PARALLEL UNSAFE AS '@MODULE_PATHNAME@', '@FUNCTION_NAME@';
")]
fn dp_quantile_end_numeric(fcinfo: Call) -> Result<Option<AnyNumeric>, ErrorReport> {
    Ok(numeric(end(fcinfo, Asked::Quantile)?))
}

/// Takes a row into its group. A row without a unit belongs to nobody and is left out.
fn take(fcinfo: Call, asked: Asked) -> Result<Internal> {
    let aggregate = Aggregate::of(fcinfo)?;
    let group = match aggregate.state::<Group>() {
        Some(group) => group,
        None => {
            let fixed = statement(&aggregate, asked)?;
            let [first, second] = random::words::<2>()?;
            aggregate.keep(Group {
                gathered: Gathered {
                    terms: fixed.terms,
                    seeds: (first, second),
                    units: Units::default(),
                },
                hasher: fixed.hasher,
                number: fixed.number,
            })
        }
    };
    let (first, second) = group.gathered.seeds;
    let key = group
        .hasher
        .hash(fcinfo, 1, first)
        .zip(group.hasher.hash(fcinfo, 1, second));
    if let Some(key) = key {
        let value = match group.gathered.terms.question {
            Question::Units | Question::Rows(_) => None,
            Question::Sum(range) | Question::Mean(range) | Question::Quantile(range, _) => {
                let value = group.number.argument(fcinfo);
                value.and_then(|value| range.place(&value))
            }
        };
        group.gathered.units.take(key, value);
    }
    Ok(Aggregate::give(group))
}

/// Charges, and answers: also for a group that has no rows.
fn end(fcinfo: Call, asked: Asked) -> Result<Answer> {
    let aggregate = Aggregate::of(fcinfo)?;
    let Statement { budget, terms, .. } = statement(&aggregate, asked)?;
    let none = Units::default();
    let units = aggregate
        .state::<Group>()
        .map_or(&none, |group| &group.gathered.units);
    charge::charge(&budget, &terms.bill())?;
    terms.answer(units, random::word)
}

/// All that a statement says, the same for every row.
struct Statement {
    budget: String,
    terms: Terms,
    hasher: Hasher,
    number: Number,
}

/// Reads it in one order, whether there are rows or none: which of two errors came first would tell.
fn statement(aggregate: &Aggregate, asked: Asked) -> Result<Statement> {
    Ok(Statement {
        budget: charge::of_session()?,
        terms: terms(aggregate, asked)?,
        hasher: aggregate.hasher(0)?,
        number: Number::of(aggregate, asked)?,
    })
}

/// Reads what is fixed for the statement.
fn terms(aggregate: &Aggregate, asked: Asked) -> Result<Terms> {
    let fixed = |place: usize, name: &str| -> Result<Argument> {
        aggregate.fixed(place).ok_or_else(|| {
            Error::new(
                Kind::InvalidParameter,
                format!("argument \"{name}\" must be a constant or a parameter of the statement"),
            )
            .with_detail("What a row decides would tell of that row.")
        })
    };
    let (question, last) = match asked {
        Asked::Count => match aggregate.type_of(2).is_some() {
            false => (Question::Units, 1),
            true => {
                let most: i32 = given("max_rows", fixed(2, "max_rows")?.get())?;
                let most = u32::try_from(most).ok().filter(|&most| most > 0);
                let most = most.ok_or_else(|| {
                    Error::new(
                        Kind::InvalidParameter,
                        "argument \"max_rows\" must be at least 1",
                    )
                })?;
                (Question::Rows(most), 1)
            }
        },
        Asked::Sum => (Question::Sum(range(aggregate, asked, 2, &fixed)?), 4),
        Asked::Mean => (Question::Mean(range(aggregate, asked, 2, &fixed)?), 4),
        Asked::Quantile => {
            let q: f64 = given("q", fixed(2, "q")?.get())?;
            (
                Question::Quantile(range(aggregate, asked, 3, &fixed)?, Share::new(q)?),
                5,
            )
        }
    };
    let epsilon: f64 = given("epsilon", fixed(last, "epsilon")?.get())?;
    let terms = Terms {
        question,
        epsilon: charge::strength(epsilon)?,
    };
    terms.check()?;
    Ok(terms)
}

fn range(
    aggregate: &Aggregate,
    asked: Asked,
    place: usize,
    fixed: &dyn Fn(usize, &str) -> Result<Argument>,
) -> Result<Range> {
    let number = Number::of(aggregate, asked)?;
    let bound = |place, name| given(name, number.fixed(fixed(place, name)?));
    let (lower, upper) = (bound(place, "lower")?, bound(place + 1, "upper")?);
    Range::new(number.of_line(), &lower, &upper)
}

/// How numbers of the values' type are read.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Number {
    Int,
    Long,
    Double,
    Numeric,
}

impl Number {
    fn of(aggregate: &Aggregate, asked: Asked) -> Result<Self> {
        Ok(match aggregate.type_of(1) {
            _ if asked == Asked::Count => Self::Int,
            Some(pg_sys::INT4OID) => Self::Int,
            Some(pg_sys::INT8OID) => Self::Long,
            Some(pg_sys::FLOAT8OID) => Self::Double,
            Some(pg_sys::NUMERICOID) => Self::Numeric,
            _ => {
                return Err(Error::new(
                    Kind::DatatypeMismatch,
                    "values of this type cannot be summed",
                ));
            }
        })
    }

    /// The type whose line the values are laid on: sums of integers may be longer than those.
    fn of_line(self) -> ValueType {
        match self {
            Self::Int | Self::Long => ValueType::Int64,
            Self::Double => ValueType::Float64,
            Self::Numeric => ValueType::Numeric,
        }
    }

    fn argument<'a>(self, fcinfo: Call) -> Option<Datum<'a>> {
        match self {
            Self::Int => call::argument::<i32>(fcinfo, 2).map(|number| Datum::Int(number.into())),
            Self::Long => call::argument(fcinfo, 2).map(Datum::Int),
            Self::Double => call::argument(fcinfo, 2).map(Datum::Float),
            Self::Numeric => call::argument(fcinfo, 2).map(text),
        }
    }

    fn fixed<'a>(self, fixed: Argument) -> Option<Datum<'a>> {
        match self {
            Self::Int => fixed.get::<i32>().map(|number| Datum::Int(number.into())),
            Self::Long => fixed.get().map(Datum::Int),
            Self::Double => fixed.get().map(Datum::Float),
            Self::Numeric => fixed.get().map(text),
        }
    }
}

fn text<'a>(number: AnyNumeric) -> Datum<'a> {
    Datum::Numeric(number.to_string().into())
}

fn whole(answer: Answer) -> Option<i64> {
    match answer {
        Answer::Count(number) | Answer::Value(Datum::Int(number)) => Some(number),
        _ => None,
    }
}

fn double(answer: Answer) -> Option<f64> {
    match answer {
        Answer::Double(number) | Answer::Value(Datum::Float(number)) => Some(number),
        _ => None,
    }
}

fn numeric(answer: Answer) -> Option<AnyNumeric> {
    match answer {
        Answer::Value(Datum::Numeric(text)) => AnyNumeric::try_from(&*text).ok(),
        _ => None,
    }
}
