//! Masked views: tables of a schema as other roles see them, masked as a profile says at the moment
//! they are read, or once.
//!
//! `definition` writes the text of a view out of the plan of a profile; `mask` is what the views
//! call; `lint` looks for every other way to the values behind them.

pub mod checks;
pub mod definition;
pub mod following;
pub mod grants;
pub mod lint;
pub mod list;
pub mod making;
pub mod mask;
pub mod options;
pub mod registry;
pub mod sql;
pub mod store;
pub mod unfit;
