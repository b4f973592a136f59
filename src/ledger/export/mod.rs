//! An export of the ledger, read line by line and verified on the way: memory does not grow with it.

mod line;
mod reader;

pub use line::Line;
pub use reader::{NO_KEYS, NoKey, Reader};
