//! The pure part of the ledger, as the program `confiture-verify` has it: the same files, without
//! those that speak to the server. The extension knows nothing of this file.

pub mod canonical;
pub mod checkpoint;
pub mod entry;
pub mod export;
pub mod json;
pub mod tree;
pub mod verify;

/// As in the extension, without the directory and the server.
pub mod anchor {
    mod compare;
    mod judge;

    pub use compare::{Anchors, Covered};
    pub use judge::{Anchor, Judge, Signer, origin};
    use judge::{finding, others};
}

/// As in the extension, without the server.
pub mod journal {
    pub mod record;
    pub mod verify;
}

/// As in the extension, without the archive and the server.
pub mod retention {
    mod boundary;

    pub use boundary::Boundary;
}

/// As in the extension, without commitments and reports.
pub mod lineage {
    pub mod entry;

    pub use entry::{Entry, Facts, genesis};
}
