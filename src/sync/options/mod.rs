//! The options of a run.

use serde_json::Value;

use super::swap::{Mode, Patience};
use crate::error::{Error, Kind, Result};
use crate::ledger::lineage::commitment::{Algorithm, Commitment, Shape};
use crate::strategies::nearest;

/// What a caller asks for beyond profile, source and target.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Options {
    /// Version of the profile; the newest that is not retired without it.
    pub version: Option<String>,
    /// What happens to user triggers of the target.
    pub triggers: Triggers,
    /// Whether tables that no run made may be overwritten.
    pub adopt: bool,
    /// What the lineage of the run commits to its values with.
    pub lineage: Lineage,
    /// Whether the run may be part of a transaction that somebody else ends.
    pub in_transaction: bool,
    /// What becomes of tables that a subset does not reach.
    pub subset_unreached: Unreached,
    /// What becomes of texts that hold identifiers of their own row.
    pub leak_scan: LeakScan,
    /// Whether a warning that the profile does not acknowledge is an error.
    pub strict: bool,
    /// The most rows of a table that are read to tell undecided columns personal.
    pub sample: u32,
    /// Seconds between two notices of how far the load of a table is; 0 for none.
    pub progress: u32,
    /// Whether reading and writing are timed apart, which costs each row some looks at the clock.
    pub profile: bool,
    /// Whether outputs of costly masks are kept for values that repeat.
    pub cache: Cache,
    /// How the rows of the target are replaced.
    pub mode: Mode,
    /// Parallel workers that make rows, beside the run itself.
    pub workers: u32,
    /// The most rows that are loaded in a second; `None` for as many as can be.
    pub max_rows_per_second: Option<u32>,
}

/// Whether outputs of costly masks are kept for values that repeat.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Cache {
    /// Where it pays.
    #[default]
    Auto,
    /// Nowhere.
    Off,
}

impl Cache {
    /// Every choice.
    const ALL: [Self; 2] = [Self::Auto, Self::Off];

    /// The word used in options.
    pub fn name(self) -> &'static str {
        match self {
            Self::Auto => "auto",
            Self::Off => "off",
        }
    }
}

/// What becomes of tables that a subset does not reach.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Unreached {
    /// They are copied whole.
    #[default]
    Copy,
    /// They are empty.
    Empty,
}

impl Unreached {
    /// Every choice.
    const ALL: [Self; 2] = [Self::Copy, Self::Empty];

    /// The word used in options.
    pub fn name(self) -> &'static str {
        match self {
            Self::Copy => "copy",
            Self::Empty => "empty",
        }
    }
}

/// What becomes of texts that hold identifiers of their own row.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum LeakScan {
    /// Nobody looks for them.
    Off,
    /// The run fails.
    #[default]
    Refuse,
    /// They are counted and reported.
    Report,
}

impl LeakScan {
    /// Every choice.
    const ALL: [Self; 3] = [Self::Refuse, Self::Report, Self::Off];

    /// The word used in options.
    pub fn name(self) -> &'static str {
        match self {
            Self::Off => "off",
            Self::Refuse => "refuse",
            Self::Report => "report",
        }
    }
}

impl Default for Options {
    fn default() -> Self {
        Self {
            version: None,
            triggers: Triggers::default(),
            adopt: false,
            lineage: Lineage::default(),
            in_transaction: false,
            subset_unreached: Unreached::default(),
            leak_scan: LeakScan::default(),
            strict: false,
            sample: SAMPLE,
            progress: PROGRESS,
            profile: false,
            cache: Cache::default(),
            mode: Mode::default(),
            workers: 0,
            max_rows_per_second: None,
        }
    }
}

/// The most workers of one run.
const MOST_WORKERS: u32 = 64;

/// Seconds between two notices of progress, unless a number is given.
const PROGRESS: u32 = 10;
const LONGEST_PROGRESS: u32 = 3600;

/// Rows that are read to tell columns personal, unless a number is given.
pub const SAMPLE: u32 = 1000;
/// The most that may be given.
pub const MOST_SAMPLED: u32 = 100_000;

/// What the lineage of a run says of the values of its masked columns.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Lineage {
    /// Counts and commitments, made while the rows are copied.
    Committed(Commitment),
    /// Nothing: strategies and the number of rows are on record all the same.
    Off,
}

impl Default for Lineage {
    fn default() -> Self {
        Self::Committed(Commitment::default())
    }
}

impl Lineage {
    const WORDS: [(&str, Option<Algorithm>); 3] = [
        ("blake3", Some(Algorithm::Blake3)),
        ("hmac-sha256", Some(Algorithm::HmacSha256)),
        ("off", None),
    ];

    fn of(word: &str) -> Option<Self> {
        let (_, algorithm) = Self::WORDS.into_iter().find(|(name, _)| *name == word)?;
        Some(algorithm.map_or(Self::Off, |algorithm| {
            Self::Committed(Commitment {
                algorithm,
                shape: Shape::Sum,
            })
        }))
    }

    /// The word used in options.
    pub fn name(self) -> &'static str {
        let algorithm = match self {
            Self::Committed(commitment) => Some(commitment.algorithm),
            Self::Off => None,
        };
        let word = Self::WORDS.into_iter().find(|(_, of)| *of == algorithm);
        word.map_or("", |(name, _)| name)
    }

    /// How they are committed to; `None` where they are not.
    pub fn commitment(self) -> Option<Commitment> {
        match self {
            Self::Committed(commitment) => Some(commitment),
            Self::Off => None,
        }
    }

    /// Whether the values can be told apart row by row.
    pub fn is_row_by_row(self) -> bool {
        matches!(self, Self::Committed(commitment) if commitment.shape == Shape::Rows)
    }

    /// The same, row by row.
    fn row_by_row(self) -> Option<Self> {
        match self {
            Self::Committed(commitment) => Some(Self::Committed(Commitment {
                shape: Shape::Rows,
                ..commitment
            })),
            Self::Off => None,
        }
    }
}

/// What happens to user triggers of the target while rows are loaded.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Triggers {
    /// They run, as for any INSERT.
    Fire,
    /// The run refuses to start.
    #[default]
    Refuse,
    /// They are disabled for the load and enabled again with it.
    Skip,
}

impl Triggers {
    /// The word used in options.
    pub fn name(self) -> &'static str {
        match self {
            Self::Fire => "fire",
            Self::Refuse => "refuse",
            Self::Skip => "skip",
        }
    }
}

const NAMES: [&str; 18] = [
    "adopt",
    "cache",
    "in_transaction",
    "leak_scan",
    "lineage",
    "lineage_rows",
    "lock_attempts",
    "lock_timeout",
    "max_rows_per_second",
    "mode",
    "profile",
    "progress",
    "sample",
    "strict",
    "subset_unreached",
    "triggers",
    "version",
    "workers",
];

impl Options {
    /// Reads the options: a JSON object.
    ///
    /// # Errors
    /// 22023 for an unrecognized name or value.
    pub fn parse(options: &Value) -> Result<Self> {
        let Value::Object(members) = options else {
            return Err(Error::new(
                Kind::InvalidParameter,
                "options must be a JSON object",
            ));
        };
        let mut parsed = Self::default();
        let mut row_by_row = false;
        let (mut timeout, mut attempts) = (None, None);
        for (name, value) in members {
            match (name.as_str(), value) {
                (_, Value::Null) if NAMES.contains(&name.as_str()) => {}
                ("version", Value::String(version)) => parsed.version = Some(version.clone()),
                ("adopt", Value::Bool(adopt)) => parsed.adopt = *adopt,
                ("strict", Value::Bool(strict)) => parsed.strict = *strict,
                ("profile", Value::Bool(profile)) => parsed.profile = *profile,
                ("in_transaction", Value::Bool(within)) => parsed.in_transaction = *within,
                ("triggers", Value::String(word)) => {
                    parsed.triggers = [Triggers::Fire, Triggers::Refuse, Triggers::Skip]
                        .into_iter()
                        .find(|triggers| triggers.name() == word)
                        .ok_or_else(|| invalid(name, "It must be refuse, fire or skip."))?;
                }
                ("lineage", Value::String(word)) => {
                    parsed.lineage =
                        Lineage::of(word).ok_or_else(|| invalid(name, LINEAGE_WORDS))?;
                }
                ("lineage_rows", Value::Bool(rows)) => row_by_row = *rows,
                ("cache", word) => {
                    parsed.cache = Cache::ALL
                        .into_iter()
                        .find(|cache| word == cache.name())
                        .ok_or_else(|| invalid(name, "It must be auto or off."))?;
                }
                ("mode", word) => {
                    let mode = word.as_str().and_then(Mode::of);
                    parsed.mode = mode.ok_or_else(|| invalid(name, Mode::WORDS))?;
                }
                ("lock_timeout", value) => {
                    timeout = Some(positive(name, value, Patience::LONGEST)?)
                }
                ("workers", value) => {
                    parsed.workers = whole(value, MOST_WORKERS)
                        .ok_or_else(|| invalid(name, "It must be an integer from 0 to 64."))?;
                }
                ("max_rows_per_second", value) => {
                    parsed.max_rows_per_second = Some(positive(name, value, u32::MAX)?);
                }
                ("lock_attempts", value) => attempts = Some(positive(name, value, Patience::MOST)?),
                ("leak_scan", word) => {
                    parsed.leak_scan =
                        LeakScan::ALL
                            .into_iter()
                            .find(|scan| word == scan.name())
                            .ok_or_else(|| invalid(name, "It must be refuse, report or off."))?;
                }
                ("subset_unreached", word) => {
                    parsed.subset_unreached = Unreached::ALL
                        .into_iter()
                        .find(|unreached| word == unreached.name())
                        .ok_or_else(|| invalid(name, "It must be copy or empty."))?;
                }
                ("sample", value) => {
                    parsed.sample =
                        whole(value, MOST_SAMPLED).ok_or_else(|| invalid(name, SAMPLES))?;
                }
                ("progress", value) => {
                    parsed.progress = whole(value, LONGEST_PROGRESS)
                        .ok_or_else(|| invalid(name, "It must be an integer from 0 to 3600."))?;
                }
                ("lineage", _) => return Err(invalid(name, LINEAGE_WORDS)),
                ("version", _) => return Err(invalid(name, "It must be a text.")),
                ("adopt" | "in_transaction" | "lineage_rows" | "profile" | "strict", _) => {
                    return Err(invalid(name, "It must be true or false."));
                }
                ("triggers", _) => return Err(invalid(name, "It must be refuse, fire or skip.")),
                _ => return Err(unrecognized(name, &NAMES)),
            }
        }
        if row_by_row {
            parsed.lineage = parsed
                .lineage
                .row_by_row()
                .ok_or_else(|| invalid("lineage_rows", "Option lineage is off."))?;
        }
        parsed.mode = parsed.mode.settled((timeout, attempts), &parsed)?;
        if parsed.workers > 0 && parsed.lineage.is_row_by_row() {
            return Err(invalid(
                "workers",
                "With lineage_rows the rows are taken in one order: it must be 0.",
            ));
        }
        Ok(parsed)
    }
}

fn positive(name: &str, value: &Value, most: u32) -> Result<u32> {
    let found = whole(value, most).filter(|number| *number > 0);
    found.ok_or_else(|| invalid(name, &format!("It must be an integer from 1 to {most}.")))
}

fn whole(value: &Value, most: u32) -> Option<u32> {
    let number = value.as_u64().and_then(|of| u32::try_from(of).ok())?;
    (number <= most).then_some(number)
}

const SAMPLES: &str = "It must be an integer from 0 to 100000.";
const LINEAGE_WORDS: &str = "It must be blake3, hmac-sha256 or off.";

/// An option that is not among those there are.
pub fn unrecognized(name: &str, known: &[&'static str]) -> Error {
    let hint = match nearest(name, known.iter().copied()) {
        Some(near) => format!("Did you mean \"{near}\"?"),
        None => format!("Available options are {}.", known.join(", ")),
    };
    Error::new(
        Kind::InvalidParameter,
        format!("unrecognized option \"{name}\""),
    )
    .with_hint(hint)
}

/// An option with a value that it does not take.
pub fn invalid(name: &str, detail: &str) -> Error {
    Error::new(
        Kind::InvalidParameter,
        format!("invalid value for option \"{name}\""),
    )
    .with_detail(detail)
}

#[cfg(test)]
mod tests;
