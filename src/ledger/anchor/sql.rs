//! What SQL sees of anchors. The one entry that is appended here says that an anchor was made.

use pgrx::iter::TableIterator;
use pgrx::pg_sys::panic::ErrorReport;
use pgrx::prelude::*;

use super::store;
use crate::error::given;
use crate::ledger::tree::Hash;

/// Signs a checkpoint of the whole audit log: its size and the root over its entry hashes.
///
/// Returns a signed note (C2SP tlog-checkpoint), to be kept outside the database, and writes it into
/// `confiture.anchor_directory` if that is set. On record.
#[pg_extern(schema = "confiture", volatile, parallel_unsafe)]
fn export_anchor() -> Result<String, ErrorReport> {
    Ok(store::export()?)
}

/// The public key that verifies anchors signed now: `name+id+base64`. Keep it where anchors are
/// kept.
#[pg_extern(schema = "confiture", stable, parallel_unsafe)]
fn anchor_key() -> Result<String, ErrorReport> {
    Ok(store::public_key()?.to_string())
}

/// The hashes that lead from entry `seq` to the root of the log of `size` entries (RFC 9162
/// §2.1.3), nearest to the entry first.
#[pg_extern(schema = "confiture", stable, parallel_unsafe)]
fn inclusion_proof(
    seq: Option<i64>,
    size: default!(Option<i64>, "NULL"),
) -> Result<TableIterator<'static, (name!(n, i32), name!(hash, Vec<u8>))>, ErrorReport> {
    Ok(numbered(store::inclusion(given("seq", seq)?, size)?))
}

/// The hashes that lead from the root of the log of `from_size` entries to that of `to_size` (RFC
/// 9162 §2.1.4).
#[pg_extern(schema = "confiture", stable, parallel_unsafe)]
fn consistency_proof(
    from_size: Option<i64>,
    to_size: default!(Option<i64>, "NULL"),
) -> Result<TableIterator<'static, (name!(n, i32), name!(hash, Vec<u8>))>, ErrorReport> {
    let from = given("from_size", from_size)?;
    Ok(numbered(store::consistency(from, to_size)?))
}

fn numbered(hashes: Vec<Hash>) -> TableIterator<'static, (name!(n, i32), name!(hash, Vec<u8>))> {
    TableIterator::new((1..).zip(hashes.into_iter().map(Vec::from)))
}
