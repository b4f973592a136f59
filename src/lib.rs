//! confiture: anonymizes data inside PostgreSQL, and proves it.
//!
//! One noun, one room: `CONTRIBUTING.md` draws the house. Inside a room pure files know nothing of
//! PostgreSQL, `store.rs` holds the SQL text, `sql.rs` is what SQL sees; only `pg` has `unsafe`.

pub mod access;
pub mod anonymity;
pub mod citus;
pub mod compliance;
pub mod custody;
pub mod detect;
pub mod error;
pub mod help;
pub mod keys;
pub mod ledger;
pub mod migration;
pub mod page;
pub mod pg;
pub mod privacy;
pub mod profile;
pub mod replication;
pub mod residue;
pub mod signs;
pub mod strategies;
pub mod sync;
pub mod value;
pub mod vault;
pub mod views;
pub mod watch;

mod settings;

use pgrx::prelude::*;

#[cfg(feature = "pg_test")]
#[path = "../pg_test/mod.rs"]
pub mod pg_test;

pgrx::pg_module_magic!(name, version);

/// Tells pgrx of the schema that `sql/bootstrap.sql` creates before anything else.
#[pg_schema]
mod confiture {}

extension_sql_file!("../sql/bootstrap.sql", name = "bootstrap", bootstrap);
extension_sql_file!("../sql/keys.sql", name = "keys", requires = ["bootstrap"]);
extension_sql_file!(
    "../sql/ledger.sql",
    name = "ledger",
    requires = [
        "keys",
        ledger::guard::sql::ledger_guard,
        ledger::sql::drop_guard
    ]
);
extension_sql_file!(
    "../sql/lineage.sql",
    name = "lineage",
    requires = ["ledger", ledger::sql::verify_ledger]
);
extension_sql_file!(
    "../sql/guard.sql",
    name = "guard",
    requires = ["lineage", ledger::guard::sql::definition_guard]
);
extension_sql_file!(
    "../sql/journal.sql",
    name = "journal",
    requires = ["ledger", ledger::journal::sql::journal_guard]
);
extension_sql_file!(
    "../sql/export.sql",
    name = "export",
    requires = ["lineage", "journal"]
);
extension_sql_file!(
    "../sql/profile.sql",
    name = "profile",
    requires = ["lineage", "journal"]
);
extension_sql_file!(
    "../sql/custody.sql",
    name = "custody",
    requires = ["profile", keys::sql::provider_problem]
);
extension_sql_file!(
    "../sql/strategies.sql",
    name = "strategies",
    requires = ["profile", strategies::listing::sql::strategies]
);
extension_sql_file!(
    "../sql/vault.sql",
    name = "vault",
    requires = ["journal", keys::sql::keys_changed]
);
extension_sql_file!("../sql/privacy.sql", name = "privacy", requires = ["vault"]);
extension_sql_file!(
    "../sql/aggregates.sql",
    name = "aggregates",
    requires = [
        "privacy",
        privacy::aggregate::sql::dp_count,
        privacy::aggregate::sql::dp_sum,
        privacy::aggregate::sql::dp_avg,
        privacy::aggregate::sql::dp_quantile,
        privacy::aggregate::sql::dp_count_end,
        privacy::aggregate::sql::dp_sum_end_bigint,
        privacy::aggregate::sql::dp_sum_end_double,
        privacy::aggregate::sql::dp_sum_end_numeric,
        privacy::aggregate::sql::dp_avg_end,
        privacy::aggregate::sql::dp_quantile_end_bigint,
        privacy::aggregate::sql::dp_quantile_end_double,
        privacy::aggregate::sql::dp_quantile_end_numeric
    ]
);
extension_sql_file!(
    "../sql/anonymity.sql",
    name = "anonymity",
    requires = [
        "privacy",
        anonymity::sensitive::sql::tally_add,
        anonymity::sensitive::sql::tally_combine,
        anonymity::sensitive::sql::tally_bytes,
        anonymity::sensitive::sql::tally_state
    ]
);
extension_sql_file!(
    "../sql/sync.sql",
    name = "sync",
    requires = ["custody", sync::progress::sql::sync_progress]
);
extension_sql_file!(
    "../sql/in_place.sql",
    name = "in_place",
    requires = ["sync", sync::registry::sql::follow_tables]
);
extension_sql_file!(
    "../sql/watch.sql",
    name = "watch",
    requires = ["profile", watch::sql::watch_columns]
);
extension_sql_file!(
    "../sql/views.sql",
    name = "views",
    requires = ["sync", views::sql::follow_views]
);
extension_sql_file!(
    "../sql/replication.sql",
    name = "replication",
    requires = ["sync", replication::sql::follow_replication]
);
extension_sql_file!(
    "../sql/controller.sql",
    name = "controller",
    requires = ["views", compliance::controller::sql::version_guard]
);
extension_sql_file!(
    "../sql/rules.sql",
    name = "rules",
    requires = [
        "views",
        compliance::conflict::sql::decision_guard,
        compliance::controller::sql::version_guard
    ]
);
extension_sql_file!("../sql/grants.sql", name = "grants", finalize);

/// Called once when a backend loads the library. No randomness and no key is touched here: with
/// preloading, every backend is a copy of this process.
#[pg_guard]
pub extern "C-unwind" fn _PG_init() {
    settings::init();
    // The strategies know neither a room above theirs nor the server.
    strategies::witness::register(ledger::journal::store::reveal);
    strategies::pause::register(pg::server::check_for_interrupts);
    profile::news::register(&[watch::store::renew_all, views::following::store::follow]);
}
