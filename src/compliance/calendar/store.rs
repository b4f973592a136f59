//! Time zones as the server has them.

use super::Zone;
use crate::error::{Error, Kind, Result};
use crate::pg::spi;

/// A zone of the server, by its name.
#[derive(Clone, Debug)]
pub struct ServerZone(pub String);

impl Zone for ServerZone {
    fn wall(&self, moment: i64) -> Result<i64> {
        self.ask(WALL, moment)
    }

    fn moment(&self, wall: i64) -> Result<i64> {
        self.ask(MOMENT, wall)
    }
}

impl ServerZone {
    /// The server raises 22023 for a zone that it does not know.
    fn ask(&self, sql: &'static str, at: i64) -> Result<i64> {
        let args = [self.0.as_str().into(), at.into()];
        let found = spi::read_as_caller(sql, &args, |row| row.required::<i64>(1))?;
        found
            .into_iter()
            .next()
            .ok_or_else(|| Error::new(Kind::Internal, "a time zone gave no answer"))
    }
}

// Offsets are whole seconds; what is less goes by.
const WALL: &str = "
    SELECT extract(epoch FROM pg_catalog.timezone($1::text,
             '2000-01-01 00:00:00+00'::timestamptz + ($2 / 1000000) * '1 second'::interval)
             - '2000-01-01 00:00:00'::timestamp)::bigint * 1000000 + $2 % 1000000";

const MOMENT: &str = "
    SELECT extract(epoch FROM pg_catalog.timezone($1::text,
             '2000-01-01 00:00:00'::timestamp + ($2 / 1000000) * '1 second'::interval)
             - '2000-01-01 00:00:00+00'::timestamptz)::bigint * 1000000 + $2 % 1000000";
