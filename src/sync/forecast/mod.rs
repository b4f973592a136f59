//! What a run would do, said before it: column by column, with warnings, figures, and a few rows.
//!
//! `warnings` judges, `burden` what the figures of `figures` mean, `described` puts a column into words; `store` reads what
//! they need, and shows rows.

pub mod burden;
pub mod constants;
pub mod costs;
pub mod described;
pub mod figures;
pub mod preview;
pub mod sql;
pub mod store;
pub mod warnings;

use super::cache::Verdicts;
use figures::Figures;
use warnings::Warning;

/// A plan's figures and warnings.
pub struct Forecast {
    /// How long, how much.
    pub figures: Figures,
    /// Everything a reader should know, by id, table and column.
    pub warnings: Vec<Warning>,
    /// Which columns have the outputs of their masks kept.
    pub cached: Verdicts,
}

impl Forecast {
    /// The ids of warnings that the profile acknowledges, each once.
    pub fn acknowledged(&self) -> Vec<&'static str> {
        let known = self.warnings.iter().filter(|warning| warning.acknowledged);
        let ids: std::collections::BTreeSet<_> = known.map(|warning| warning.id).collect();
        ids.into_iter().collect()
    }

    /// The warnings that it does not.
    pub fn open(&self) -> impl Iterator<Item = &Warning> {
        self.warnings.iter().filter(|warning| !warning.acknowledged)
    }
}
