//! Which pure files use the server, and why they may.

/// Pure files that use the server all the same, and why.
pub(crate) const CONDUCTORS: &[(&str, &str)] = &[
    ("src/custody/rewrap/mod.rs", "commits after every key"),
    ("src/keys/setup.rs", "opens providers, waits by a latch"),
    ("src/ledger/unprepared.rs", "hears how transactions end"),
    (
        "src/privacy/charge.rs",
        "charges before anything is answered",
    ),
    ("src/privacy/cover.rs", "looks at what is left"),
    ("src/residue/look.rs", "reads pages, can be canceled"),
    (
        "src/sync/copy.rs",
        "runs what the plan compiled, under one snapshot",
    ),
    ("src/sync/evidence.rs", "tells the caller what is on record"),
    (
        "src/sync/failure.rs",
        "turns what the server raised into words without values",
    ),
    (
        "src/sync/frame.rs",
        "locks the target and commits, where that is up to the run",
    ),
    ("src/sync/in_place/replace.rs", "runs what is planned"),
    ("src/sync/recheck.rs", "reads the target as the caller"),
    ("src/sync/forecast/preview.rs", "shows rows"),
    ("src/sync/hooks/round.rs", "calls what is registered"),
    ("src/sync/log.rs", "writes to the log of the server"),
    ("src/sync/rowcheck.rs", "reads the target, row by row"),
    (
        "src/sync/request.rs",
        "plans under pinned settings, with the settings of the server",
    ),
    (
        "src/sync/run.rs",
        "commits, holds the lock, keeps the copy in a subtransaction",
    ),
    ("src/sync/swap/exchange.rs", "locks, renews files, waits"),
    (
        "src/sync/workers/mod.rs",
        "has tables loaded, under settings of its own",
    ),
    ("src/sync/workers/pace.rs", "waits"),
    (
        "src/sync/workers/places.rs",
        "holds locks for workers, waits for them",
    ),
    ("src/sync/tokens.rs", "asks the vault under one snapshot"),
    ("src/sync/verify.rs", "asks both sides under one snapshot"),
    ("src/vault/pending.rs", "hears how transactions end"),
    ("src/vault/rewrap/mod.rs", "commits after every batch"),
];
