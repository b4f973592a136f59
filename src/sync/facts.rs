//! What the catalog says, as far as a run needs it. Filled by `store.rs`, read by pure code.
//!
//! Definitions (`default`, `definition`, `bound`, …) are SQL text in which names of the schema
//! itself stand unqualified: the same text, executed in another schema, means that schema's own.

use serde::Deserialize;

/// One schema, as the caller sees it.
#[derive(Clone, Debug, Deserialize, PartialEq)]
pub struct Schema {
    /// Name.
    pub name: String,
    /// Whether the caller may look into it.
    pub usage: bool,
    /// Whether the caller may create in it.
    pub create: bool,
    /// Roles, or `PUBLIC`, who may create in it and whom the caller has no reason to trust.
    pub strangers: Vec<String>,
    /// Functions, operators, collations and types in it that belong to such roles.
    pub planted: Vec<String>,
}

/// A table with everything that belongs to it.
#[derive(Clone, Debug, Deserialize, PartialEq)]
pub struct Table {
    /// Number in this catalog.
    pub oid: u32,
    /// Schema.
    pub schema: String,
    /// Name.
    pub name: String,
    /// `r` table, `p` partitioned, `f` foreign, `v` view, …
    pub kind: char,
    /// Owner.
    pub owner: String,
    /// Whether the caller is a member of the owner.
    pub owned: bool,
    /// Whether the caller may read it.
    pub can_select: bool,
    /// Whether row-level security would filter what the caller reads.
    pub row_security: bool,
    /// Whether it takes part in inheritance that is no partitioning.
    pub inheritance: bool,
    /// Upper estimate of its rows.
    pub rows: f64,
    /// The partitioned table it is a partition of.
    pub parent: Option<u32>,
    /// `PARTITION BY` what.
    pub partition_key: Option<String>,
    /// Columns of the partition key.
    pub partition_columns: Vec<String>,
    /// `FOR VALUES` what.
    pub bound: Option<String>,
    /// Columns in order, without dropped ones.
    pub columns: Vec<Column>,
    /// Constraints of its own (inherited ones come with the parent).
    pub constraints: Vec<Constraint>,
    /// Indexes of its own that no constraint made.
    pub indexes: Vec<Index>,
    /// Every unique index, with the columns it reads.
    pub unique: Vec<Unique>,
    /// User triggers that are not disabled.
    pub triggers: Vec<Trigger>,
    /// Rewrite rules.
    pub rules: Vec<String>,
    /// Tables elsewhere whose foreign keys point here.
    pub referenced_by: Vec<Reference>,
}

impl Table {
    /// The name with its schema, as messages show it.
    pub fn shown(&self) -> String {
        format!("\"{}.{}\"", self.schema, self.name)
    }
}

/// A column.
#[derive(Clone, Debug, Deserialize, PartialEq)]
pub struct Column {
    /// Name.
    pub name: String,
    /// Type with modifiers, as written in a definition.
    pub type_name: String,
    /// Number of the type.
    pub type_oid: u32,
    /// Most characters it holds, where the type has a limit.
    pub max_chars: Option<usize>,
    /// Whether NULL is refused.
    pub not_null: bool,
    /// Default or generation expression.
    pub default: Option<String>,
    /// Whether the default may be another one in every row.
    pub default_varies: bool,
    /// Whether the default is the next value of the sequence and nothing else.
    pub plain_nextval: bool,
    /// `s` stored, `v` virtual, empty: none.
    pub generated: String,
    /// Generated: the columns it is computed from.
    pub reads: Vec<String>,
    /// `a` always, `d` by default, empty: none.
    pub identity: String,
    /// Collation, where it is not the type's own.
    pub collation: Option<String>,
    /// Whether its collation makes different texts equal.
    pub nondeterministic: bool,
    /// Sequence behind an identity or serial column.
    pub sequence: Option<Sequence>,
}

impl Column {
    /// Whether its value is computed from other columns.
    pub fn is_generated(&self) -> bool {
        !self.generated.is_empty()
    }
}

/// A sequence.
#[derive(Clone, Debug, Deserialize, PartialEq)]
pub struct Sequence {
    /// Schema.
    pub schema: String,
    /// Name.
    pub name: String,
    /// Type.
    pub type_name: String,
    /// First value.
    pub start: i64,
    /// Step.
    pub increment: i64,
    /// Bounds.
    pub min: i64,
    /// Bounds.
    pub max: i64,
    /// Values taken at once.
    pub cache: i64,
    /// Whether it begins again at the end.
    pub cycle: bool,
}

/// A constraint.
#[derive(Clone, Debug, Deserialize, PartialEq)]
pub struct Constraint {
    /// Name.
    pub name: String,
    /// `c` check, `f` foreign key, `p` primary key, `u` unique, `x` exclusion.
    pub kind: char,
    /// Its text behind `CONSTRAINT name`.
    pub definition: String,
    /// Whether all rows were checked.
    pub validated: bool,
    /// Foreign key: whether all of its columns must be NULL where one is (MATCH FULL).
    pub full: bool,
    /// Foreign key: schema, name and number of the table it points to.
    pub target: Option<Reference>,
    /// Its columns.
    pub columns: Vec<String>,
    /// Foreign key: the columns it points to.
    pub target_columns: Vec<String>,
    /// Foreign key: the operators by which it compares, the column it points to on the left.
    pub operators: Vec<String>,
    /// Whether only this run's own statements depend on it.
    pub droppable: bool,
    /// What COMMENT says of it.
    #[serde(default)]
    pub comment: Option<String>,
}

/// A table named from elsewhere.
#[derive(Clone, Debug, Deserialize, PartialEq)]
pub struct Reference {
    /// Number.
    pub oid: u32,
    /// Schema.
    pub schema: String,
    /// Name.
    pub name: String,
}

/// An index that no constraint made.
#[derive(Clone, Debug, Deserialize, PartialEq)]
pub struct Index {
    /// Name.
    pub name: String,
    /// `CREATE INDEX …`.
    pub definition: String,
    /// Whether only this run's own statements depend on it.
    pub droppable: bool,
}

/// A unique index, or that of an exclusion constraint.
#[derive(Clone, Debug, Deserialize, PartialEq)]
pub struct Unique {
    /// Name of the index.
    pub name: String,
    /// Columns it reads, those inside expressions included, and for a generated column those that
    /// it is computed from.
    pub columns: Vec<String>,
    /// Those of which values are equal that differ in case: by their type, or by `lower` or `upper`.
    pub folded: Vec<String>,
    /// Those it compares by a collation that makes different texts equal.
    pub collated: Vec<String>,
    /// Those that it has inside an expression only: of its own, or of a generated column.
    pub computed: Vec<String>,
    /// Those that an exclusion constraint compares otherwise than by equality.
    pub excluded: Vec<String>,
    /// Whether two NULLs are equal to it.
    pub nulls_equal: bool,
}

impl Unique {
    /// Whether another index demands the same.
    pub fn demands_as(&self, other: &Self) -> bool {
        let demand = |of: &Self| Self {
            name: String::new(),
            ..of.clone()
        };
        demand(self) == demand(other)
    }

    /// How it compares a column.
    pub fn compares(&self, column: &str) -> Compared {
        let among = |names: &[String]| names.iter().any(|name| name == column);
        if among(&self.excluded) {
            Compared::Excluded
        } else if among(&self.collated) {
            Compared::Collated
        } else if among(&self.folded) {
            Compared::WithoutCase
        } else if among(&self.computed) {
            Compared::Computed
        } else {
            Compared::AsIs
        }
    }
}

/// How an index compares the values of a column.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Compared {
    /// As they stand there.
    AsIs,
    /// Values that differ in case are equal.
    WithoutCase,
    /// Texts that a collation makes equal are equal.
    Collated,
    /// By what an expression makes of them.
    Computed,
    /// By an operator that is no equality.
    Excluded,
}

/// A trigger.
#[derive(Clone, Debug, Deserialize, PartialEq)]
pub struct Trigger {
    /// Name.
    pub name: String,
    /// `O` origin, `A` always, `R` replica.
    pub enabled: char,
}

/// A type that a column uses, directly or inside another type.
#[derive(Clone, Debug, Deserialize, PartialEq)]
pub struct Type {
    /// Number.
    pub oid: u32,
    /// Schema.
    pub schema: String,
    /// Name.
    pub name: String,
    /// `b` base, `c` composite, `d` domain, `e` enum, `r` range, `m` multirange, `p` pseudo.
    pub kind: char,
    /// Category (`pg_type.typcategory`).
    pub category: char,
    /// Owner.
    pub owner: String,
    /// Whether the caller trusts the owner.
    pub owner_trusted: bool,
    /// Whether the caller may do what the owner may.
    #[serde(default)]
    pub owned: bool,
    /// Domain: what it is over. Array: its elements.
    pub inner: Option<u32>,
    /// Whether it is an array type.
    pub is_array: bool,
    /// Domain: the type it is over, as written.
    pub base_name: Option<String>,
    /// Domain: default.
    pub default: Option<String>,
    /// Domain: whether the default may be another one in every row.
    pub default_varies: bool,
    /// Domain: whether NULL is refused.
    pub not_null: bool,
    /// Domain: most characters, where its base has a limit.
    pub max_chars: Option<usize>,
    /// Domain: checks.
    pub checks: Vec<Check>,
    /// Enum: labels in order.
    pub labels: Vec<String>,
    /// Composite: attributes.
    pub attributes: Vec<Attribute>,
}

/// A check of a domain.
#[derive(Clone, Debug, Deserialize, PartialEq)]
pub struct Check {
    /// Name.
    pub name: String,
    /// `CHECK (…)`.
    pub definition: String,
    /// Whether all values were checked.
    pub validated: bool,
    /// What COMMENT says of it.
    #[serde(default)]
    pub comment: Option<String>,
}

/// An attribute of a composite type.
#[derive(Clone, Debug, Deserialize, PartialEq)]
pub struct Attribute {
    /// Name.
    pub name: String,
    /// Type as written.
    pub type_name: String,
    /// Number of the type.
    pub type_oid: u32,
    /// Most characters, where its type has a limit.
    pub max_chars: Option<usize>,
}

/// Code that a run would execute, and why it may or may not.
#[derive(Clone, Debug, Deserialize, PartialEq)]
pub struct Code {
    /// What it is: `default of column "x" of table "s.t"`.
    pub what: String,
    /// Who may change it.
    pub owner: String,
    /// Whether the caller trusts that owner.
    pub owner_trusted: bool,
    /// The functions in it that are not plainly harmless.
    pub functions: Vec<Function>,
}

/// A function inside such code.
#[derive(Clone, Debug, Deserialize, PartialEq)]
pub struct Function {
    /// Name with schema and arguments.
    pub name: String,
    /// Who may change it.
    pub owner: String,
    /// Whether the caller trusts that owner.
    pub owner_trusted: bool,
    /// Whether it is immutable, or on the list of harmless functions of the server.
    pub harmless: bool,
}

/// Everything known of one side of a run.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Side {
    /// The schema; `None` when it does not exist.
    pub schema: Option<Schema>,
    /// The tables asked for and their partitions.
    pub tables: Vec<Table>,
    /// The types their columns use.
    pub types: Vec<Type>,
    /// Names of all tables in the schema, for hints.
    pub names: Vec<String>,
    /// Tables that earlier runs made.
    pub made: Vec<String>,
}

impl Side {
    /// The table of that name in the schema itself.
    pub fn table(&self, name: &str) -> Option<&Table> {
        let schema = self.schema.as_ref()?;
        self.tables
            .iter()
            .find(|table| table.name == name && table.schema == schema.name)
    }

    /// Whether a type belongs to the schema itself.
    pub fn owns(&self, of: &Type) -> bool {
        self.schema
            .as_ref()
            .is_some_and(|schema| schema.name == of.schema)
    }

    /// The type of that number.
    pub fn type_of(&self, oid: u32) -> Option<&Type> {
        self.types.iter().find(|of| of.oid == oid)
    }

    /// Adds a type and every type inside it that is not there yet.
    pub fn reach(&self, oid: u32, seen: &mut Vec<u32>) {
        // No recursion: types may be nested as deep as their owner likes.
        let mut waiting = vec![oid];
        while let Some(oid) = waiting.pop() {
            let Some(of) = self.type_of(oid).filter(|of| !seen.contains(&of.oid)) else {
                continue;
            };
            seen.push(oid);
            waiting.extend(of.attributes.iter().rev().map(|one| one.type_oid));
            waiting.extend(of.inner);
        }
    }

    /// The type under all domains.
    pub fn base_of(&self, oid: u32) -> Option<&Type> {
        let mut of = self.type_of(oid)?;
        while of.kind == 'd' {
            of = self.type_of(of.inner?)?;
        }
        Some(of)
    }

    /// The partitioned table at the top of a partition, or the table itself.
    pub fn root_of(&self, oid: u32) -> u32 {
        let mut oid = oid;
        while let Some(parent) = self
            .tables
            .iter()
            .find(|table| table.oid == oid)
            .and_then(|table| table.parent)
        {
            oid = parent;
        }
        oid
    }

    /// Partitions of a table, at every level, parents before their children.
    pub fn partitions(&self, root: u32) -> Vec<&Table> {
        let mut found: Vec<&Table> = Vec::new();
        let mut parents = vec![root];
        while let Some(parent) = parents.pop() {
            for table in self.tables.iter().filter(|t| t.parent == Some(parent)) {
                parents.push(table.oid);
                found.push(table);
            }
        }
        found
    }
}
