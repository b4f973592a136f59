//! What a run will do: the data the planner makes and everything after it reads.

use std::sync::Arc;

use sha2::{Digest, Sha256};

use super::facts::{Code, Side, Table};
use super::fit::{FieldHow, How};
use super::in_place::Surroundings;
use super::links::Link;
use super::masks::Place;
use super::noise::Price;
use super::options::{Options, Triggers, Unreached};
use super::swap::Key;
use crate::error::Result;
use crate::keys::push_field;
use crate::pg::ident::qualified;
use crate::profile::{self, Profile, SeedOrigin};
use crate::signs::Verdict;
use crate::strategies::token::TokenFormat;
use crate::strategies::{Needs, Seed, Strategy, ValueType};

/// What a run will do.
#[derive(Clone, Debug, PartialEq)]
pub struct Plan {
    /// Schema read.
    pub source: String,
    /// Schema written.
    pub target: String,
    /// The tables, in the order of the profile.
    pub tables: Vec<TablePlan>,
    /// Foreign keys that stay behind, and other things a reader should know.
    pub notes: Vec<Note>,
    /// What a reader is told beside: how many rows are to be expected, what the noise will cost.
    pub remarks: Vec<String>,
    /// What the noise costs, where the profile names a budget.
    pub price: Price,
    /// What the target has and what it lacks.
    pub prepare: Target,
    /// The references between the tables.
    pub links: Vec<Link>,
    /// What becomes of tables that a subset does not reach.
    pub unreached: Unreached,
    /// The tables of the source that are not copied.
    pub outside: Outside,
}

/// The tables of the source that are not copied.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Outside {
    /// How many the profile excludes.
    pub excluded: usize,
    /// Those that the profile does not speak of.
    pub unnamed: Vec<String>,
}

/// Something a reader of the plan should know.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Note {
    /// The id of the warning that it becomes.
    pub warning: &'static str,
    /// The table, where it is about one.
    pub table: Option<String>,
    /// The column, where it is about one.
    pub column: Option<String>,
    /// One short fact.
    pub message: String,
    /// What to do about it.
    pub hint: &'static str,
}

/// One table of a run.
#[derive(Clone, Debug, PartialEq)]
pub struct TablePlan {
    /// The table read.
    pub source: Table,
    /// Its columns, in order.
    pub columns: Vec<ColumnPlan>,
    /// The condition of the rows copied, if not all are.
    pub filter: Option<String>,
    /// The condition of the rows that a subset begins with, if it begins here.
    pub seed: Option<String>,
    /// How many rows are copied at most, but for those that others refer to.
    pub limit: Option<u64>,
    /// How many rows are likely to be copied.
    pub expected: f64,
    /// Upper estimate of its rows, partitions included.
    pub rows: f64,
    /// Whether some of its partitions are foreign tables.
    pub has_foreign_parts: bool,
    /// What user triggers of the target do.
    pub triggers: Triggers,
    /// Whether source or target has an identity that is GENERATED ALWAYS.
    pub overriding: bool,
    /// Where its masked rows wait, in a run in place, until they replace the originals.
    pub waiting: Option<String>,
}

/// A mask the run compiles: its place in the list is its number.
pub struct MaskPlan<'a> {
    /// Whose values it masks.
    pub place: Place,
    /// The strategy with its parameters.
    pub strategy: &'a Strategy,
    /// The seed.
    pub seed: Seed,
    /// The type of the values.
    pub of: ValueType,
    /// The stored salt, and its version where the profile names one.
    pub salt: Option<(String, Option<i32>)>,
}

impl Plan {
    /// The masks in the order of their numbers. `profile` names the salts that the profile does
    /// not name, one per column.
    pub fn masks(&self, profile: &str) -> Vec<MaskPlan<'_>> {
        let mut masks = Vec::new();
        for table in &self.tables {
            for column in &table.columns {
                let Decision::Masked(masked) = &column.decision else {
                    continue;
                };
                let parts: Vec<(&Strategy, Option<Seed>, ValueType)> = match &masked.how {
                    How::Mask(call) => vec![(&masked.strategy, None, call.of)],
                    How::Record(fields) => fields
                        .iter()
                        .filter_map(|field| match &field.how {
                            FieldHow::Mask(spec, call) => {
                                Some((spec.strategy(), spec.seed(), call.of))
                            }
                            FieldHow::Keep | FieldHow::Null => None,
                        })
                        .collect(),
                    How::Constant(_) | How::Default | How::Null | How::Shuffle(_) => Vec::new(),
                };
                masks.extend(parts.into_iter().map(|(strategy, seed, of)| MaskPlan {
                    place: Place {
                        table: table.source.name.clone(),
                        column: column.name.clone(),
                    },
                    strategy,
                    seed: seed.unwrap_or(masked.seed),
                    of,
                    salt: strategy.salt().map(|salt| match salt.name {
                        "" => {
                            let name = salt_name(profile, &table.source.name, &column.name);
                            (name, salt.version)
                        }
                        name => (name.to_owned(), salt.version),
                    }),
                }));
            }
        }
        masks
    }

    /// Whether a column is masked by what works with a key.
    pub fn needs_key(&self) -> bool {
        self.tables
            .iter()
            .flat_map(|table| &table.columns)
            .any(|column| match &column.decision {
                Decision::Masked(masked) => masked.strategy.kind().definition().needs == Needs::Key,
                _ => false,
            })
    }

    /// Whether the rows to copy are chosen along references, before they are copied.
    pub fn is_chosen(&self) -> bool {
        let chosen = |table: &TablePlan| table.seed.is_some() || table.limit.is_some();
        self.tables.iter().any(chosen)
    }

    /// Whether another plan covers the same rows, as far as its statements do not say so.
    pub fn covers_as(&self, other: &Self) -> bool {
        let asked = |plan: &Self| {
            let tables = plan.tables.iter();
            tables
                .map(|table| (table.seed.clone(), table.limit))
                .collect::<Vec<_>>()
        };
        self.links == other.links && asked(self) == asked(other)
    }

    /// Columns that are masked.
    pub fn masked(&self) -> usize {
        self.tables
            .iter()
            .flat_map(|table| &table.columns)
            .filter(|column| matches!(column.decision, Decision::Masked(_)))
            .count()
    }

    /// Columns copied as they are although nobody decided so.
    pub fn copied_unchanged(&self) -> usize {
        self.tables
            .iter()
            .flat_map(|table| &table.columns)
            .filter(|column| column.decision == Decision::Copied)
            .count()
    }
}

impl TablePlan {
    /// Where the masked rows are written to.
    pub fn landing(&self, target: &str) -> String {
        let there = || qualified(target, &self.source.name);
        self.waiting.clone().unwrap_or_else(there)
    }

    /// What happens to a column.
    pub fn decision(&self, name: &str) -> Option<&Decision> {
        self.columns
            .iter()
            .find(|column| column.name == name)
            .map(|column| &column.decision)
    }
}

/// The name of a column's own salt: what can be read of the three names, and a digest that tells
/// apart what reads the same.
fn salt_name(profile: &str, table: &str, column: &str) -> String {
    let parts = [profile, table, column];
    let mut fields = Vec::new();
    for part in parts {
        push_field(&mut fields, part.as_bytes());
    }
    let digest = hex::encode(&Sha256::digest(&fields)[..4]);
    let readable: String = parts
        .join("-")
        .to_lowercase()
        .chars()
        .map(|c| if c.is_ascii_alphanumeric() { c } else { '_' })
        .take(45)
        .collect();
    format!("{readable}-{digest}")
}

/// One column of a run.
#[derive(Clone, Debug, PartialEq)]
pub struct ColumnPlan {
    /// Name.
    pub name: String,
    /// Type as written.
    pub type_name: String,
    /// What happens to it.
    pub decision: Decision,
}

/// What happens to a column.
#[derive(Clone, Debug, PartialEq)]
pub enum Decision {
    /// Copied as it is, because the profile says nothing.
    Copied,
    /// Not copied: NULL, or its default.
    Excluded {
        /// The profile's reason.
        why: String,
    },
    /// Computed by the target from its other columns.
    Generated,
    /// Replaced.
    Masked(Masked),
    /// Copied as it is, with a reason.
    Preserved {
        /// The profile's reason.
        why: String,
    },
}

/// How a column is replaced.
#[derive(Clone, Debug, PartialEq)]
pub struct Masked {
    /// The strategy's name in the profile.
    pub name: String,
    /// The strategy with its parameters.
    pub strategy: Arc<Strategy>,
    /// The seed.
    pub seed: Seed,
    /// Where the seed came from.
    pub origin: SeedOrigin,
    /// What the statement writes.
    pub how: How,
}

impl Decision {
    /// The word for it.
    pub fn name(&self) -> &'static str {
        match self {
            Self::Copied => "copied",
            Self::Excluded { .. } => "excluded",
            Self::Generated => "generated",
            Self::Masked(_) => "masked",
            Self::Preserved { .. } => "preserved",
        }
    }
}

/// What a plan is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Purpose {
    /// To load a target.
    Run,
    /// To show rows as a run would write them, wherever.
    Preview,
    /// To show rows masked while they are read.
    View,
}

/// What the plan is made from.
pub struct Input<'a> {
    /// The profile.
    pub profile: &'a Profile,
    /// The source.
    pub source: &'a Side,
    /// The target.
    pub target: &'a Side,
    /// Names asked for.
    pub source_name: &'a str,
    /// Names asked for.
    pub target_name: &'a str,
    /// The options.
    pub options: &'a Options,
    /// The seed of a rule.
    pub seed_of: &'a dyn Fn(&profile::Rule) -> Result<(Seed, SeedOrigin)>,
    /// The form of the tokens that a strategy has the vault write; `None` of other strategies.
    pub token_of: &'a dyn Fn(&Strategy) -> Result<Option<TokenFormat>>,
    /// Which columns look personal, of those that the profile says nothing about.
    pub personal: &'a dyn Fn(&[TablePlan]) -> Result<Vec<Suspect>>,
    /// Whether the caller may create schemas in this database.
    pub may_create_schema: bool,
    /// Uses of functions of the source schema that the target lacks, by table.
    pub own_functions: &'a [(u32, String)],
    /// Code that would run.
    pub code: &'a [Code],
    /// What the plan is for.
    pub purpose: Purpose,
    /// Set where source and target are one schema, whose tables are rewritten.
    pub in_place: Option<&'a Surroundings>,
    /// Set in mode swap: the valid foreign keys of the target.
    pub swap: Option<&'a [Key]>,
}

/// A column that nobody decided about and that looks personal.
#[derive(Clone, Debug, PartialEq)]
pub struct Suspect {
    /// Its table.
    pub table: String,
    /// Its name.
    pub column: String,
    /// Of what it looks like, and why.
    pub verdict: Verdict,
}

/// The statements around the load, executed with the target as the search path.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Target {
    /// Made first, in place even before rows are read: checks dropped that were never held against
    /// all rows.
    pub unchecked: Vec<String>,
    /// Made before the load: schema, types, sequences, tables; keys dropped, tables emptied.
    pub before: Vec<String>,
    /// Made after it: keys, indexes, sequence values, foreign keys.
    pub after: Vec<String>,
    /// Tables that the target has: they are emptied first; in mode swap, for the run only.
    pub emptied: Vec<String>,
    /// Tables that stay as they are, but for foreign keys that are dropped and added again.
    pub altered: Vec<String>,
    /// Tables, partitions included, that this run makes.
    pub created: Vec<String>,
    /// Foreign keys that the server checks when they are added after the load.
    pub checked: Vec<Checked>,
    /// How many unique indexes the target has: the server keeps them.
    pub unique: usize,
    /// Set in mode swap: the foreign keys that stay, and are held against the new rows.
    pub swap: Option<Vec<Key>>,
}

/// A foreign key that the server checks.
#[derive(Clone, Debug, PartialEq)]
pub struct Checked {
    /// The table that refers.
    pub table: String,
    /// Its columns.
    pub columns: Vec<String>,
    /// The table it points to.
    pub target: String,
    /// The columns there.
    pub target_columns: Vec<String>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn plan_names_salts_readably_and_apart() {
        let name = salt_name("shop", "Customers", "ssn");
        assert!(name.starts_with("shop_customers_ssn-"), "{name}");
        assert_ne!(name, salt_name("shop", "customers", "ssn"));
        assert_ne!(salt_name("a", "b-c", "d"), salt_name("a-b", "c", "d"));
        let long = salt_name(&"p".repeat(63), &"t".repeat(63), "é");
        assert!(long.len() <= 63 - "salt-".len());
    }
}
