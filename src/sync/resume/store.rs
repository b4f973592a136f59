//! Runs that did not come to their end, as the ledger has them.

use pgrx::datum::Uuid;

use super::{Asked, Former};
use crate::error::{Error, Kind, Result};
use crate::pg::{owner, spi};

/// What is on record of a run.
///
/// # Errors
/// 42704 where there is none; as the interface.
pub fn former(run: Uuid) -> Result<Former> {
    let found = owner::acting_as_owner("confiture", || {
        spi::read(
            "SELECT r.run_id::pg_catalog.text, r.origin, r.in_transaction, r.state,
                    s.profile_name, s.profile_version, s.source_schema, s.target_schema,
                    (s.details -> 'options')::pg_catalog.text,
                    EXISTS (SELECT FROM ONLY confiture.audit_log l
                             WHERE l.event = 'COMPLETED' AND l.origin = 'run'
                               AND l.target_schema = s.target_schema AND l.seq > s.seq)
               FROM confiture.runs r
               LEFT JOIN ONLY confiture.audit_log s
                 ON s.run_id = r.run_id AND s.event = 'STARTED'
              WHERE r.run_id = $1",
            &[run.into()],
            |row| {
                let text = |place| row.get::<String>(place);
                let options = text(9)?.and_then(|text| serde_json::from_str(&text).ok());
                let asked = match (text(5)?, text(6)?, text(7)?, text(8)?, options) {
                    (Some(profile), Some(version), Some(source), Some(target), Some(options)) => {
                        Some(Asked {
                            profile,
                            version,
                            source,
                            target,
                            options,
                        })
                    }
                    _ => None,
                };
                Ok(Former {
                    run_id: *run.as_bytes(),
                    shown: row.required(1)?,
                    origin: row.required(2)?,
                    in_transaction: row.required(3)?,
                    state: row.required(4)?,
                    asked,
                    is_overtaken: row.required(10)?,
                })
            },
        )
    })?;
    found.into_iter().next().ok_or_else(|| {
        Error::new(Kind::UndefinedObject, "there is no run of that number")
            .with_hint("See confiture.runs.")
    })
}
