//! Tables of the target before and after hooks: what was checked must still be there.

pub mod store;

pub use store::tables;

/// A table as it lies in the target.
#[derive(Debug, PartialEq, Eq)]
pub struct Landed {
    /// Its name.
    pub name: String,
    /// Its number and its file, and those of its partitions; nothing where it is gone.
    pub files: String,
    /// Rows that this transaction has written, as far as the server counts them.
    pub writes: i64,
}
