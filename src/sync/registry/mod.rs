//! The lists of tables that runs made or masked in place, kept as the tables are.
//!
//! A list holds names, which a dump carries. Beside it stand the numbers of the tables, which no dump
//! carries: in this database a table is the one of that number, whatever it is called.

pub mod sql;
pub mod store;

/// Which list.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Registry {
    /// Tables that runs made or took over. One that is renamed is forgotten: a run empties what is
    /// on this list.
    Made,
    /// Tables that were masked in place. One that is renamed stays: it would be masked again.
    Masked,
}

impl Registry {
    /// The word for it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Made => "made",
            Self::Masked => "masked",
        }
    }

    /// The list of that word.
    pub fn of(word: &str) -> Option<Self> {
        [Self::Made, Self::Masked]
            .into_iter()
            .find(|registry| registry.name() == word)
    }

    /// The table that is the list.
    pub fn table(self) -> &'static str {
        match self {
            Self::Made => "confiture.target_table",
            Self::Masked => "confiture.masked_in_place",
        }
    }
}

/// A table that is on a list now, by the name it has now.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Standing {
    /// Its schema.
    pub schema: String,
    /// Its name.
    pub name: String,
    /// Its number.
    pub oid: u32,
}
