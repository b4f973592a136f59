//! In-database tests: one file per room, each test in a transaction that is rolled back.
//!
//! All run in one database at once. The first lock a test takes is the one on key "masking"
//! ([`support::masking_key`]), or it takes none that another test holds: so they may wait for each
//! other and never in a circle.

mod access;
mod anchors;
mod bench;
mod catalog;
mod journal;
mod keys;
mod ledger;
mod privacy;
mod profile;
mod retention;
mod strategies;
mod support;
mod sync;

/// Called by pgrx before the first test.
pub fn setup(_: Vec<&str>) {}

/// Settings of the test server.
#[must_use]
pub fn postgresql_conf_options() -> Vec<&'static str> {
    let key_file = support::key_file();
    // Beside it lies what tests take out of the ledger.
    let folder = key_file.parent().unwrap_or(&key_file).display();
    let archives = format!("confiture.archive_directory = '{folder}'");
    let key_file = format!("confiture.key_file = '{}'", key_file.display());
    vec![key_file.leak(), archives.leak()]
}
