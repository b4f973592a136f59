//! What was spent of budgets, as their meters and the journal say.

pub mod store;
