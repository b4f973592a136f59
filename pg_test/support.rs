//! What the tests share: a key, and statements that must be true or must be refused.

use std::path::PathBuf;

use pgrx::datum::{FromDatum, IntoDatum};

use crate::error::{Error, Kind, Result};
use crate::pg::{ident, server, spi};

/// Where the key file lies: beside the data directory that the harness makes. Asked by the test
/// process before the server starts.
pub(crate) fn key_file() -> PathBuf {
    let folder = std::env::var_os("CARGO_PGRX_TEST_PGDATA").map(PathBuf::from);
    // Without that variable the server runs as the user who built the tests.
    let built = || Some(std::env::current_exe().ok()?.parent()?.to_owned());
    let folder = folder.or_else(built).unwrap_or_else(std::env::temp_dir);
    folder.join("confiture-test.key")
}

/// Makes the key "masking" in the test's transaction; tests that need it go one after another.
pub(crate) fn masking_key() -> Result<()> {
    made_key_file()?;
    if !one::<bool>("SELECT EXISTS (SELECT FROM confiture.key)")? {
        run("SELECT confiture.create_key('masking')")?;
    }
    Ok(())
}

/// The key file, made by the first test that needs it.
pub(crate) fn made_key_file() -> Result<String> {
    let path: String = one("SELECT current_setting('confiture.key_file')")?;
    let made = refusal("SELECT confiture.init_key_file()")?;
    if let Some(refused) = made.filter(|refused| refused.sqlstate != "42710") {
        return Err(Error::new(Kind::Internal, format!("{refused:?}")));
    }
    // Another test may be writing it.
    for _ in 0..500 {
        if std::fs::metadata(&path).is_ok_and(|file| file.len() == 65) {
            return Ok(path);
        }
        server::check_for_interrupts();
        std::thread::sleep(std::time::Duration::from_millis(10));
    }
    Err(Error::new(Kind::Internal, "the key file was never written"))
}

/// The single value of a query.
pub(crate) fn one<T: IntoDatum + FromDatum>(sql: &str) -> Result<T> {
    spi::one(sql, &[])?.ok_or_else(|| Error::new(Kind::Internal, format!("no value: {sql}")))
}

/// The first column of a query, as texts.
pub(crate) fn texts(sql: &str) -> Result<Vec<String>> {
    let sql = format!("SELECT q.v::text FROM ({sql}) AS q (v)");
    spi::rows(&sql, &[], |row| row.required::<String>(1))
}

/// Checks a condition in SQL.
#[track_caller]
pub(crate) fn holds(condition: &str) {
    let found = spi::one::<bool>(&format!("SELECT {condition}"), &[]);
    assert_eq!(found, Ok(Some(true)), "{condition}");
}

/// How the server refused a statement.
#[derive(Debug)]
pub(crate) struct Refusal {
    pub(crate) sqlstate: String,
    pub(crate) message: String,
    pub(crate) detail: String,
    pub(crate) hint: String,
}

impl Refusal {
    /// All its words, to search for what must not be there.
    pub(crate) fn words(&self) -> String {
        format!("{} {} {}", self.message, self.detail, self.hint)
    }
}

/// Runs a statement; how it was refused, or `None` when it was done. What a refused statement did
/// is undone.
pub(crate) fn refusal(sql: &str) -> Result<Option<Refusal>> {
    let there = "to_regprocedure('pg_temp.refusal(text)') IS NOT NULL";
    if !one::<bool>(&format!("SELECT {there}"))? {
        run(TRY)?;
    }
    let call = format!("SELECT pg_temp.refusal({})", ident::literal(sql));
    let Some(parts) = spi::one::<Vec<String>>(&call, &[])? else {
        return Ok(None);
    };
    let [sqlstate, message, detail, hint] = <[String; 4]>::try_from(parts)
        .map_err(|_| Error::new(Kind::Internal, "four parts expected"))?;
    Ok(Some(Refusal {
        sqlstate,
        message,
        detail,
        hint,
    }))
}

/// Runs a statement that must be refused with that SQLSTATE.
#[track_caller]
pub(crate) fn refused(sqlstate: &str, sql: &str) -> Refusal {
    match refusal(sql) {
        Ok(Some(refusal)) => {
            assert_eq!(refusal.sqlstate, sqlstate, "{sql}: {refusal:?}");
            refusal
        }
        other => panic!("{sql}: {other:?}"),
    }
}

/// Runs a statement.
pub(crate) fn run(sql: &str) -> Result<()> {
    spi::run(sql, &[]).map(drop)
}

/// Not made anew each time: a test may have become a role that could not.
const TRY: &str = "
    CREATE FUNCTION pg_temp.refusal(statement text) RETURNS text[] LANGUAGE plpgsql AS $$
    DECLARE
      state text; message text; detail text; hint text;
    BEGIN
      EXECUTE statement;
      RETURN NULL;
    EXCEPTION WHEN OTHERS THEN
      GET STACKED DIAGNOSTICS state = RETURNED_SQLSTATE, message = MESSAGE_TEXT,
                              detail = PG_EXCEPTION_DETAIL, hint = PG_EXCEPTION_HINT;
      RETURN ARRAY[state, message, detail, hint];
    END
    $$";

/// What belongs to the extension, without what only the tests bring along.
const MEMBERS: &str = "
    members AS (
      SELECT d.classid, d.objid FROM pg_depend d
        JOIN pg_extension e ON d.refclassid = 'pg_extension'::regclass AND d.refobjid = e.oid
       WHERE e.extname = 'confiture' AND d.deptype = 'e'),
    routines AS (
      SELECT p.*, p.oid::regprocedure::text AS shown FROM pg_proc p
        JOIN members m ON m.classid = 'pg_proc'::regclass AND m.objid = p.oid
       WHERE p.pronamespace <> to_regnamespace('tests')),
    relations AS (
      SELECT c.*, c.oid::regclass::text AS shown FROM pg_class c
        JOIN members m ON m.classid = 'pg_class'::regclass AND m.objid = c.oid)";

pub(super) fn members(query: &str) -> Result<Vec<String>> {
    texts(&format!("WITH {MEMBERS} {query}"))
}

/// What a query finds breaks a rule.
#[track_caller]
pub(super) fn none(query: &str) -> Result<()> {
    assert_eq!(members(query)?, Vec::<String>::new(), "{query}");
    Ok(())
}
