//! The lines of ledgers, read with the rights of the caller from tables that hold them, here or on
//! the servers themselves.

use super::{LONGEST_LINE, Member, Question, Reading, Row, Server, State, judge};
use crate::error::{Error, Kind, Result};
use crate::ledger::export::NO_KEYS;
use crate::pg::ident::qualified;
use crate::pg::subxact::{Failure, tried};
use crate::pg::{guc, server, spi, trusted, user};

/// Reads the ledger of each server, verifies it, and holds them against each other.
///
/// # Errors
/// 22023, 42501, 42703, 42809, 42P01 when a table is none that holds lines. A server that does not
/// answer is a row, not an error.
pub fn verify(servers: &[Server], question: &Question) -> Result<Vec<Row>> {
    let members: Vec<Member> = servers.iter().map(read).collect::<Result<_>>()?;
    Ok(judge(&members, question))
}

/// Lines that are in memory at a time: each may be as long as its ledger made it.
const PAGE: std::ffi::c_long = 16;

fn read(server: &Server) -> Result<Member> {
    let unread = |status, why: String| Member {
        name: server.name.clone(),
        keys: server.keys.iter().map(|key| *key.public()).collect(),
        state: State::Unread(status, why),
    };
    let Some(ledger) = &server.ledger else {
        return Ok(unread(
            "unverifiable",
            "No ledger was handed in.".to_owned(),
        ));
    };
    let table = table_of(ledger)?;
    let mut keys = NO_KEYS;
    let mut reading = Reading::new(server, &mut keys);
    let mut number = 0_u64;
    let outcome = tried(|| {
        // A policy that hides lines must be an error, not a shorter ledger.
        let read = || {
            let lines = format!("SELECT line FROM ONLY {table} ORDER BY n");
            spi::each_of_page(PAGE, &lines, &[], |row| {
                number += 1;
                server::check_for_interrupts();
                let text: Option<&str> = row.get(1)?;
                // psql ends with an empty line.
                match text.map(str::trim_ascii) {
                    Some("") => Ok(()),
                    Some(text) if reading.line(text) => Ok(()),
                    _ => Err(Error::new(Kind::Data, "a line is none of an export")),
                }
            })
        };
        guc::with(&[("row_security", "off")], || trusted::only(read))
    });
    match outcome {
        Ok(()) => Ok(reading.finish()),
        Err(Failure::Own(error)) if error.kind() == Kind::Data => Ok(unread(
            "fail",
            format!(
                "Line {number} of what was handed in is no line of an export, or longer than {} MiB.",
                LONGEST_LINE >> 20
            ),
        )),
        Err(Failure::Own(error)) => Err(error),
        Err(Failure::Server(error)) => Ok(unread(
            "unverifiable",
            format!(
                "Its ledger could not be read (SQLSTATE {}).",
                error.sqlstate.as_str()
            ),
        )),
    }
}

/// The table of that name, quoted: one that holds lines, and runs nobody's code when it is read.
fn table_of(name: &str) -> Result<String> {
    let found = spi::read(
        "SELECT n.nspname::pg_catalog.text, c.relname::pg_catalog.text,
                c.relkind = ANY (ARRAY['r', 'f']::pg_catalog.\"char\"[]),
                o.rolname::pg_catalog.text,
                2 = (SELECT pg_catalog.count(*) FROM pg_catalog.pg_attribute a
                      WHERE a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
                        AND a.attgenerated = ''
                        AND (a.attname = 'n' AND a.atttypid = 'pg_catalog.int8'::pg_catalog.regtype
                          OR a.attname = 'line'
                             AND a.atttypid = 'pg_catalog.text'::pg_catalog.regtype))
           FROM (SELECT pg_catalog.parse_ident($1) AS part) p
           JOIN pg_catalog.pg_namespace n ON n.nspname = p.part[1]::pg_catalog.name
           JOIN pg_catalog.pg_class c
             ON c.relnamespace = n.oid AND c.relname = p.part[2]::pg_catalog.name
           LEFT JOIN pg_catalog.pg_roles o ON o.oid = c.relowner
          WHERE pg_catalog.array_length(p.part, 1) = 2",
        &[name.into()],
        |row| {
            Ok((
                (row.required::<String>(1)?, row.required::<String>(2)?),
                row.required::<bool>(3)?,
                row.get::<String>(4)?,
                row.required::<bool>(5)?,
            ))
        },
    )?;
    let Some(((schema, table), is_table, owner, has_lines)) = found.into_iter().next() else {
        return Err(Error::new(
            Kind::UndefinedTable,
            format!("table {name:?} does not exist"),
        )
        .with_hint(
            "Name the table that holds the lines of a ledger with its schema: schema.table.",
        ));
    };
    let shown = qualified(&schema, &table);
    if !is_table {
        return Err(
            Error::new(Kind::WrongObject, format!("{shown} is no table"))
                .with_detail("Only plain tables and foreign tables are read: views run code."),
        );
    }
    let caller = user::current();
    let trusted = owner
        .as_deref()
        .and_then(user::number)
        .is_some_and(|owner| user::is_superuser(owner) || user::has_rights_of(owner, caller));
    if !trusted {
        return Err(Error::new(
            Kind::Permission,
            format!(
                "table {shown} belongs to role \"{}\"",
                owner.unwrap_or_default()
            ),
        )
        .with_detail("Its owner could have code run with your rights.")
        .with_hint("Read tables of your own, or of a superuser."));
    }
    if !has_lines {
        return Err(Error::new(
            Kind::UndefinedColumn,
            format!("table {shown} does not hold the lines of a ledger"),
        )
        .with_detail("It needs the columns n bigint, which orders the lines, and line text."));
    }
    Ok(shown)
}
