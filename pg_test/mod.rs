//! In-database tests: one file per room, each test in a transaction that is rolled back.

/// Called by pgrx before the first test.
pub fn setup(_: Vec<&str>) {}

/// Settings of the test server.
#[must_use]
pub fn postgresql_conf_options() -> Vec<&'static str> {
    vec![]
}
