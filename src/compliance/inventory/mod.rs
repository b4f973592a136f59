//! What the database shows of itself: its columns and what they look like, what was masked and how,
//! runs, the state of the ledger, who may read, where data may leave to, how old rows are.
//!
//! All of it is read with the rights of the caller. What he may not see is said to be unknown, and
//! never guessed. No value of a row is read but the ends and numbers of dates that a retention rule
//! names.

pub mod access;
pub mod ages;
pub mod class;
pub mod masked;
pub mod store;

use std::collections::{BTreeMap, HashSet};

use self::access::admission::Admission;
use crate::compliance::controller::Fact;
use crate::compliance::request::Term;
use crate::ledger::lineage::report::{Mark, Standing, Step, Verdict};
use crate::ledger::verify::Finding;
use crate::signs::Category;

/// What of the database is looked at beside its columns: each takes its time.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Needs {
    /// The verification of the ledger.
    pub ledger: bool,
    /// The runs on record.
    pub runs: bool,
    /// Who may read, whom the server lets in, and its settings.
    pub access: bool,
    /// The rows that retention rules, consent sources and incidents point at.
    pub rows: bool,
    /// The timers of incidents.
    pub timers: bool,
    /// The terms of requests.
    pub terms: bool,
}

impl Needs {
    /// Everything.
    pub const ALL: Self = Self {
        ledger: true,
        runs: true,
        access: true,
        rows: true,
        timers: true,
        terms: true,
    };

    /// What either needs.
    #[must_use]
    pub fn with(self, other: Self) -> Self {
        Self {
            ledger: self.ledger || other.ledger,
            runs: self.runs || other.runs,
            access: self.access || other.access,
            rows: self.rows || other.rows,
            timers: self.timers || other.timers,
            terms: self.terms || other.terms,
        }
    }
}

/// What the database shows.
#[derive(Clone, Debug, Default)]
pub struct Inventory {
    /// When it was read, in UTC, to the second.
    pub made_at: String,
    /// The role that asked.
    pub made_by: String,
    /// The database.
    pub database: String,
    /// The schemas that are looked at.
    pub schemas: Vec<String>,
    /// Whether only schemas that were asked for are: of others nothing is known then.
    pub is_scoped: bool,
    /// Tables, by schema and name.
    pub tables: Vec<Table>,
    /// Columns that look personal, are declared to be, or were masked; by schema, table and place.
    pub columns: Vec<Column>,
    /// How many columns there are.
    pub columns_total: usize,
    /// Runs.
    pub runs: Runs,
    /// The ledger.
    pub ledger: Ledger,
    /// Roles that may read tables with such columns, but for their owners: role, schema, table.
    pub readers: Vec<(String, String, String)>,
    /// Settings of the server; those that the caller may not see are not there.
    pub settings: BTreeMap<String, String>,
    /// Whom the server lets in without encryption.
    pub admission: Admission,
    /// Where data may leave to.
    pub ways_out: Vec<WayOut>,
    /// What became of the retention rules that name a table.
    pub ages: Vec<Age>,
    /// What became of the consent sources that name a table.
    pub consents: Vec<Consent>,
    /// The timers of incidents: incident, jurisdiction, and what is to be known of each.
    pub timers: Vec<(String, String, serde_json::Value)>,
    /// The terms of requests, under every law.
    pub terms: Vec<Term>,
    /// What protected the tables of incidents when they happened: incident, its steps.
    pub protections: Vec<(String, Vec<Step>)>,
}

/// A table.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Table {
    /// Schema.
    pub schema: String,
    /// Name.
    pub name: String,
    /// The server's estimate of its rows; `None` where it has none.
    pub rows: Option<i64>,
    /// Whether row-level security is on.
    pub row_security: bool,
    /// How many columns it has.
    pub columns: usize,
}

/// What is known of the values of a column.
#[derive(Clone, Debug, Default, PartialEq)]
pub enum Treatment {
    /// No run on record has written it.
    #[default]
    Intact,
    /// The newest run that masked it, of a table that is not known to be as that run left it; and why.
    Unproved(Box<Step>, &'static str),
    /// The newest run that wrote it.
    Masked(Box<Step>),
}

impl Treatment {
    /// Its word.
    pub fn word(&self) -> &'static str {
        match self {
            Self::Intact => "intact",
            Self::Unproved(..) => "unproved",
            Self::Masked(step) => step.standing().word(),
        }
    }

    /// Why.
    pub fn reason(&self) -> &'static str {
        match self {
            Self::Intact => "no run on record has masked it",
            Self::Unproved(_, why) => why,
            Self::Masked(step) => step.standing().reason(),
        }
    }

    /// The entry of the lineage of its name.
    pub fn step(&self) -> Option<&Step> {
        match self {
            Self::Intact => None,
            Self::Unproved(step, _) | Self::Masked(step) => Some(step),
        }
    }

    /// Whether no key of the installation tells of originals.
    pub fn is_anonymised(&self) -> bool {
        matches!(self, Self::Masked(step) if step.standing() == Standing::Anonymised)
    }

    /// Whether it is masked, as far as is known.
    pub fn is_masked(&self) -> bool {
        matches!(self, Self::Masked(_))
    }
}

/// A column that is personal, or may be.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Column {
    /// Schema.
    pub schema: String,
    /// Table.
    pub table: String,
    /// Name.
    pub name: String,
    /// Type.
    pub type_name: String,
    /// What it looks like, by its name and type.
    pub category: Option<Category>,
    /// What the controller declares: the fact, its category and its sensitivity.
    pub declared: Option<Declared>,
    /// What is known of its values.
    pub treatment: Treatment,
}

/// What the controller declares of a column.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Declared {
    /// Id of the fact.
    pub id: String,
    /// Its category.
    pub category: Option<String>,
    /// Its sensitivity.
    pub sensitivity: Option<String>,
    /// Why it is needed.
    pub necessity: Option<String>,
    /// The activities that are there.
    pub activities: Vec<String>,
    /// Whether none of those that it names is there any more.
    pub is_orphan: bool,
    /// Other facts that declare another sensitivity.
    pub against: Vec<String>,
}

impl Declared {
    /// Adds what another fact says of the column. Where facts differ, the most protective class is
    /// taken, and what says otherwise is kept to be told.
    pub fn add(&mut self, fact: &Fact, there: &HashSet<&str>) {
        let own = fact.text("sensitivity");
        let is_first = self.id.is_empty();
        if !is_first && own != self.sensitivity {
            self.against.push(fact.id.clone());
        }
        if is_first || weight(own.as_deref()) > weight(self.sensitivity.as_deref()) {
            let other = std::mem::replace(&mut self.id, fact.id.clone());
            if let Some(place) = self.against.iter().position(|id| *id == fact.id) {
                self.against[place] = other;
            }
            self.sensitivity = own;
            self.category = fact.text("category").or(self.category.take());
            self.necessity = fact.text("necessity").or(self.necessity.take());
        }
        self.category = self.category.take().or_else(|| fact.text("category"));
        self.necessity = self.necessity.take().or_else(|| fact.text("necessity"));
        for activity in fact.list("activity") {
            if there.contains(activity) && !self.activities.iter().any(|known| known == activity) {
                self.activities.push(activity.to_owned());
            }
        }
        self.is_orphan = self.activities.is_empty();
    }
}

/// How much a sensitivity protects. Who says none says that the column is personal.
fn weight(sensitivity: Option<&str>) -> u8 {
    match sensitivity {
        Some("not_personal") => 0,
        None => 1,
        Some("sensitive") => 3,
        Some("criminal") => 4,
        Some("special") => 5,
        Some(_) => 2,
    }
}

impl Column {
    /// `schema.table.column`.
    pub fn shown(&self) -> String {
        format!("{}.{}.{}", self.schema, self.table, self.name)
    }

    /// The category: as declared, else as it looks.
    pub fn category_shown(&self) -> String {
        let declared = self.declared.as_ref();
        declared
            .and_then(|declared| declared.category.clone())
            .or_else(|| self.category.map(|category| category.name().to_owned()))
            .unwrap_or_else(|| "unknown".to_owned())
    }

    /// Whether it holds personal data, as far as is known: what was masked did, whatever it is
    /// called.
    pub fn is_personal(&self) -> bool {
        match self.sensitivity() {
            Some("not_personal") => false,
            Some(_) => true,
            None => {
                self.category.is_some()
                    || self.declared.is_some()
                    || self.treatment.step().is_some()
            }
        }
    }

    /// Whether it was declared sensitive, or looks it.
    pub fn is_sensitive(&self) -> bool {
        match self.sensitivity() {
            Some("sensitive" | "special" | "criminal") => true,
            Some(_) => false,
            None => self.category.is_some_and(class::is_sensitive),
        }
    }

    /// Facts that declare other sensitivities of it than that which is taken.
    pub fn against(&self) -> &[String] {
        self.declared
            .as_ref()
            .map_or(&[], |declared| &declared.against)
    }

    /// Whether the controller says how sensitive it is.
    pub fn is_classed(&self) -> bool {
        self.sensitivity().is_some()
    }

    /// Whether it was declared special, or criminal, or looks special.
    pub fn is_special(&self) -> bool {
        match self.sensitivity() {
            Some(declared) => matches!(declared, "special" | "criminal"),
            None => self.category.is_some_and(class::is_special),
        }
    }

    fn sensitivity(&self) -> Option<&str> {
        self.declared.as_ref()?.sensitivity.as_deref()
    }
}

/// Runs on record.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Runs {
    /// That ended well, but for those of scripts.
    pub completed: i64,
    /// Of scripts, which say themselves what they did and that it is well.
    pub scripts: i64,
    /// That failed.
    pub failed: i64,
    /// That ended well with every check passed.
    pub verified: i64,
    /// By month, as `2026-03`: how many ended well, how many failed.
    pub months: Vec<(String, i64, i64)>,
    /// The newest, newest first.
    pub newest: Vec<Run>,
    /// Those that requests of the controller name and that ended well: id, and the day on which.
    pub named: Vec<(String, String)>,
}

/// A run.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Run {
    /// Its id.
    pub id: String,
    /// Whether it ended well.
    pub is_completed: bool,
    /// `run` or `declared`.
    pub origin: String,
    /// Its profile.
    pub profile: Option<String>,
    /// Schema read.
    pub source: Option<String>,
    /// Schema written.
    pub target: Option<String>,
    /// When it ended, in UTC.
    pub ended_at: String,
    /// Rows written.
    pub rows: Option<i64>,
    /// Whether every check passed; `None` where none was made.
    pub passed: Option<bool>,
}

/// The state of the ledger.
#[derive(Clone, Debug, Default)]
pub struct Ledger {
    /// What its verification found just now.
    pub findings: Vec<Finding>,
    /// Its last entry.
    pub mark: Option<Mark>,
    /// The last verification that was put on record: when, and whether all was well.
    pub verified_at: Option<(String, bool)>,
    /// The day of the oldest entry.
    pub since: Option<String>,
}

impl Ledger {
    /// What the findings come to.
    pub fn verdict(&self) -> Verdict {
        Verdict::of(&self.findings)
    }
}

/// A place where data may leave to.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct WayOut {
    /// What it is.
    pub kind: &'static str,
    /// Its name.
    pub name: String,
    /// Where it leads, as far as the catalog says.
    pub detail: Option<String>,
}

/// What became of a retention rule.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Age {
    /// Id of the rule.
    pub rule: String,
    /// The day of the oldest row.
    pub oldest: Option<String>,
    /// Rows that are older than the rule allows.
    pub overdue: Option<i64>,
    /// Rows that have no day, or none that comes.
    pub undated: Option<i64>,
    /// The rule that holds its rows, whatever their age.
    pub hold: Option<String>,
    /// Why they were not counted, although the oldest was read.
    pub uncounted: Option<String>,
    /// Why nothing was read.
    pub problem: Option<String>,
}

/// What became of a consent source.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Consent {
    /// Id of the source.
    pub source: String,
    /// Rows.
    pub rows: Option<i64>,
    /// Rows without consent.
    pub missing: Option<i64>,
    /// Rows of which consent was withdrawn.
    pub withdrawn: Option<i64>,
    /// Why nothing was read.
    pub problem: Option<String>,
}

impl Inventory {
    /// What is the same for every jurisdiction; nothing of what belongs to some only.
    pub fn of_all(&self) -> Self {
        Self {
            made_at: self.made_at.clone(),
            made_by: self.made_by.clone(),
            database: self.database.clone(),
            schemas: self.schemas.clone(),
            is_scoped: self.is_scoped,
            tables: self.tables.clone(),
            columns: self.columns.clone(),
            columns_total: self.columns_total,
            runs: self.runs.clone(),
            ledger: self.ledger.clone(),
            readers: self.readers.clone(),
            settings: self.settings.clone(),
            admission: self.admission.clone(),
            ways_out: self.ways_out.clone(),
            ages: Vec::new(),
            consents: Vec::new(),
            timers: Vec::new(),
            terms: Vec::new(),
            protections: Vec::new(),
        }
    }

    /// Columns that hold personal data, as far as is known.
    pub fn personal(&self) -> impl Iterator<Item = &Column> {
        self.columns.iter().filter(|column| column.is_personal())
    }

    /// Those of them that are sensitive.
    pub fn sensitive(&self) -> impl Iterator<Item = &Column> {
        self.personal().filter(|column| column.is_sensitive())
    }

    /// Whether a table, as `schema.table`, is among those that are looked at: no other tells what it
    /// holds.
    pub fn has_table(&self, name: &str) -> bool {
        let is_it = |schema: &str, table: &str| {
            name.strip_prefix(schema)
                .and_then(|rest| rest.strip_prefix('.'))
                .is_some_and(|rest| rest == table)
        };
        self.tables.iter().any(|of| is_it(&of.schema, &of.name))
            || self.columns.iter().any(|of| is_it(&of.schema, &of.table))
    }

    /// The schemas that runs have written: those of targets, and those masked in place.
    pub fn targets(&self) -> Vec<&str> {
        let mut found: Vec<&str> = self
            .columns
            .iter()
            .filter(|column| column.treatment.step().is_some())
            .map(|column| column.schema.as_str())
            .collect();
        found.sort_unstable();
        found.dedup();
        found
    }
}
