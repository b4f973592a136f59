//! Who may read personal columns: of their tables, and of views that show them.

pub mod admission;
pub mod store;
