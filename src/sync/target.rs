//! The statements around the load: what the target lacks is made, what it has is emptied.

use std::collections::BTreeMap;

use super::facts::{Constraint, Reference, Sequence, Side, Table, Type};
use super::options::Triggers;
use super::plan::{Checked, Input, TablePlan, Target};
use super::swap::Key;
use super::{ddl, existing, in_place, links, trust};
use crate::error::{Error, Kind};
use crate::pg::ident::{check_schema, literal, qualified, quote};

/// Holds the target against the tables of the plan.
pub fn prepare(input: &Input<'_>, tables: &[TablePlan], problems: &mut Vec<Error>) -> Target {
    let mut work = Work {
        input,
        target: input.target_name,
        prepare: Target {
            swap: input.swap.map(<[Key]>::to_vec),
            ..Target::default()
        },
        before: Steps::default(),
        after: Steps::default(),
        sequences: BTreeMap::new(),
        owned: Vec::new(),
    };
    if input.target.schema.is_none() {
        problems.extend(check_schema(work.target).err());
        work.before
            .schema
            .push(format!("CREATE SCHEMA {}", quote(work.target)));
    }
    match input.in_place {
        None => types(&mut work, tables, problems),
        Some(_) => domains(&mut work, tables, problems),
    }
    for table in tables {
        match input.target.table(&table.source.name) {
            Some(existing) if input.in_place.is_some() => {
                work.rewrite(table, existing, tables, problems);
            }
            Some(existing) => {
                existing::check(input, table, existing, problems);
                work.prepare.emptied.push(existing.name.clone());
                work.reuse(table, existing, tables, problems);
            }
            None => {
                trust::lacks_functions(input, &table.source, problems);
                work.create(&table.source, tables, problems);
            }
        }
    }
    if !work.prepare.emptied.is_empty() && input.swap.is_none() {
        // One statement: tables that refer to each other can only be emptied together.
        let names: Vec<_> = work
            .prepare
            .emptied
            .iter()
            .map(|name| qualified(work.target, name))
            .collect();
        work.before
            .truncate
            .push(format!("TRUNCATE {}", names.join(", ")));
    }
    work.finish()
}

/// Statements by the order in which they must come.
#[derive(Default)]
struct Steps {
    unchecked: Vec<String>,
    schema: Vec<String>,
    types: Vec<String>,
    tables: Vec<String>,
    foreign_keys: Vec<String>,
    truncate: Vec<String>,
    keys: Vec<String>,
    indexes: Vec<String>,
    triggers: Vec<String>,
}

/// A sequence of the target.
struct Served {
    sequence: Sequence,
    /// Tables and columns that hold its values.
    columns: Vec<(String, String)>,
    /// The sequence of the source, where a column holds its values as parts of something else.
    follows: Option<Sequence>,
}

struct Work<'a> {
    input: &'a Input<'a>,
    target: &'a str,
    prepare: Target,
    before: Steps,
    after: Steps,
    /// By name.
    sequences: BTreeMap<String, Served>,
    owned: Vec<String>,
}

impl Work<'_> {
    /// A table that the target lacks, with its partitions.
    fn create(&mut self, table: &Table, tables: &[TablePlan], problems: &mut Vec<Error>) {
        let mut copy = table.clone();
        for column in &mut copy.columns {
            let Some(sequence) = &column.sequence else {
                continue;
            };
            if sequence.schema != table.schema {
                if !column.plain_nextval {
                    problems.push(shares_sequence(table, &column.name, sequence));
                    continue;
                }
                let name = literal(&qualified(self.target, &sequence.name));
                column.default = Some(format!("nextval({name}::regclass)"));
            }
            let own = Sequence {
                schema: self.target.to_owned(),
                ..sequence.clone()
            };
            let numeric = is_numeric(self.input.source, column.type_oid);
            let fresh = self.serve(own, &table.name, &column.name, numeric, Some(sequence));
            if fresh && column.identity.is_empty() {
                self.before.types.push(ddl::sequence(sequence, self.target));
                self.owned.push(format!(
                    "ALTER SEQUENCE {} OWNED BY {}.{}",
                    qualified(self.target, &sequence.name),
                    qualified(self.target, &table.name),
                    quote(&column.name)
                ));
            }
        }
        self.before
            .tables
            .push(ddl::table(&copy, None, self.target));
        self.prepare.created.push(table.name.clone());
        self.after_load(table, &table.name, tables);
        self.missing_partitions(table, tables, problems);
    }

    /// Partitions of the source that the target lacks.
    fn missing_partitions(
        &mut self,
        table: &Table,
        tables: &[TablePlan],
        problems: &mut Vec<Error>,
    ) {
        let source = self.input.source;
        for partition in source.partitions(table.oid) {
            let parent = source
                .tables
                .iter()
                .find(|t| Some(t.oid) == partition.parent);
            let Some(parent) = parent else { continue };
            if self.input.target.table(&partition.name).is_some() {
                continue;
            }
            trust::lacks_functions(self.input, partition, problems);
            self.before
                .tables
                .push(ddl::table(partition, Some(&parent.name), self.target));
            self.before
                .tables
                .extend(ddl::partition_columns(partition, parent, self.target));
            self.prepare.created.push(partition.name.clone());
            self.after_load(partition, &partition.name, tables);
        }
    }

    /// Constraints and indexes of a new table come after its rows: built once, not row by row.
    fn after_load(&mut self, table: &Table, name: &str, tables: &[TablePlan]) {
        let source = self.input.source;
        let is_there = |target: &Reference| links::place(target, tables, source).is_some();
        let keeps = |key: &Constraint| key.target.as_ref().is_some_and(is_there);
        let name = qualified(self.target, name);
        let is_partition = table.parent.is_some();
        self.prepare.unique += table.unique.len();
        for constraint in &table.constraints {
            let add = format!(
                "ALTER TABLE {name} ADD CONSTRAINT {} {}",
                quote(&constraint.name),
                constraint.definition
            );
            match constraint.kind {
                'p' | 'u' | 'x' => self.after.keys.push(add),
                'f' if keeps(constraint) => {
                    self.checked(&table.name, constraint);
                    self.after.foreign_keys.push(add);
                }
                // Those checked are part of the table from the start; a partition gets its own.
                'c' if !constraint.validated => self.after.foreign_keys.push(add),
                'c' if is_partition => self.after.keys.push(add),
                _ => {}
            }
        }
        self.after
            .indexes
            .extend(table.indexes.iter().map(|index| index.definition.clone()));
    }

    /// A table whose rows are replaced by masked ones; or, where none of its columns is masked, one
    /// that only refers to such tables.
    fn rewrite(
        &mut self,
        plan: &TablePlan,
        existing: &Table,
        tables: &[TablePlan],
        problems: &mut Vec<Error>,
    ) {
        if in_place::is_rewritten(plan) {
            existing::check(self.input, plan, existing, problems);
            self.prepare.emptied.push(existing.name.clone());
            self.take_down(plan, existing);
            return;
        }
        let is_emptied = |key: &&Constraint| {
            let place = |target| links::place(target, tables, self.input.source);
            let parent = key.target.as_ref().and_then(place);
            parent.is_some_and(|parent| in_place::is_rewritten(&tables[parent]))
        };
        let parts = self.input.target.partitions(existing.oid);
        for table in std::iter::once(existing).chain(parts) {
            for key in table.constraints.iter().filter(is_emptied) {
                if !existing.owned {
                    problems.push(existing::belongs(existing));
                }
                self.prepare.altered.push(existing.name.clone());
                let (drop, add) = ddl::around(&qualified(self.target, &table.name), key);
                self.checked(&table.name, key);
                self.before.foreign_keys.push(drop);
                self.after.foreign_keys.extend(add);
            }
        }
    }

    /// A table that the target has: emptied, loaded without its keys and indexes, given them back.
    fn reuse(
        &mut self,
        plan: &TablePlan,
        existing: &Table,
        tables: &[TablePlan],
        problems: &mut Vec<Error>,
    ) {
        let target = self.input.target;
        match self.input.swap {
            None => self.take_down(plan, existing),
            // Nothing of it is touched but the sequences.
            Some(_) => self.keep(existing),
        }
        for column in &existing.columns {
            if let Some(sequence) = column.sequence.clone().filter(|s| s.schema == self.target) {
                let numeric = is_numeric(target, column.type_oid);
                let source = plan.source.columns.iter().find(|c| c.name == column.name);
                let other = source.and_then(|column| column.sequence.as_ref());
                if !numeric && other.is_none() {
                    // Nothing says where it should stand.
                    continue;
                }
                // New storage, so that a rollback takes back what the load takes from it.
                self.before.triggers.push(ddl::restart_sequence(&sequence));
                self.serve(sequence, &existing.name, &column.name, numeric, other);
            }
        }
        self.missing_partitions(&plan.source, tables, problems);
    }

    /// A table that keeps its keys and indexes.
    fn keep(&mut self, existing: &Table) {
        let mut all = vec![existing];
        all.extend(self.input.target.partitions(existing.oid));
        self.prepare.unique += all.iter().map(|table| table.unique.len()).sum::<usize>();
        let unchecked = |key: &&Constraint| key.kind == 'c' && !key.validated;
        for table in all {
            let name = qualified(self.target, &table.name);
            for key in table.constraints.iter().filter(unchecked) {
                self.before.unchecked.push(ddl::around(&name, key).0);
            }
        }
    }

    /// Takes the keys and indexes of a table down for the load, and its triggers where they are to
    /// be skipped.
    fn take_down(&mut self, plan: &TablePlan, existing: &Table) {
        let target = self.input.target;
        let mut all = vec![existing];
        all.extend(target.partitions(existing.oid));
        for table in all {
            let name = qualified(self.target, &table.name);
            self.prepare.unique += table.unique.len();
            for constraint in &table.constraints {
                let (drop, add) = ddl::around(&name, constraint);
                match constraint.kind {
                    'f' => {
                        self.checked(&table.name, constraint);
                        self.before.foreign_keys.push(drop);
                        self.after.foreign_keys.extend(add);
                    }
                    'p' | 'u' | 'x' if constraint.droppable => {
                        self.before.keys.push(drop);
                        self.after.keys.extend(add);
                    }
                    // Enforced for new rows, so it must not stand while they are loaded.
                    'c' if !constraint.validated => {
                        self.before.unchecked.push(drop);
                        self.after.foreign_keys.extend(add);
                    }
                    _ => {}
                }
            }
            for index in table.indexes.iter().filter(|index| index.droppable) {
                self.before.indexes.push(format!(
                    "DROP INDEX {}",
                    qualified(self.target, &index.name)
                ));
                self.after.indexes.push(index.definition.clone());
            }
            if plan.triggers == Triggers::Skip {
                for trigger in &table.triggers {
                    let word = match trigger.enabled {
                        'A' => "ENABLE ALWAYS",
                        'R' => "ENABLE REPLICA",
                        _ => "ENABLE",
                    };
                    let alter = |word: &str| {
                        format!("ALTER TABLE {name} {word} TRIGGER {}", quote(&trigger.name))
                    };
                    self.before.triggers.push(alter("DISABLE"));
                    self.after.triggers.push(alter(word));
                }
            }
        }
    }

    /// Notes that a sequence serves a column; whether it is seen for the first time.
    fn serve(
        &mut self,
        sequence: Sequence,
        table: &str,
        column: &str,
        numeric: bool,
        source: Option<&Sequence>,
    ) -> bool {
        let fresh = !self.sequences.contains_key(&sequence.name);
        let served = self
            .sequences
            .entry(sequence.name.clone())
            .or_insert_with(|| Served {
                sequence,
                columns: Vec::new(),
                follows: None,
            });
        if numeric {
            served.columns.push((table.to_owned(), column.to_owned()));
        } else {
            served.follows = source.cloned();
        }
        fresh
    }

    fn checked(&mut self, table: &str, key: &Constraint) {
        if let Some(target) = key.target.as_ref().filter(|_| key.validated) {
            self.prepare.checked.push(Checked {
                table: table.to_owned(),
                columns: key.columns.clone(),
                target: target.name.clone(),
                target_columns: key.target_columns.clone(),
            });
        }
    }

    fn finish(self) -> Target {
        let mut prepare = self.prepare;
        let (before, after) = (self.before, self.after);
        prepare.unchecked = before.unchecked;
        prepare.before = [
            before.schema,
            before.types,
            // Before the TRUNCATE, which has triggers too.
            before.triggers,
            before.foreign_keys,
            // Emptied before its keys go: no index is left to be rebuilt empty.
            before.truncate,
            before.tables,
            self.owned,
            before.keys,
            before.indexes,
        ]
        .concat();
        let sequences = self
            .sequences
            .values()
            .filter_map(
                |served| match (&served.follows, served.columns.as_slice()) {
                    (Some(other), _) => Some(ddl::follow_sequence(&served.sequence, other)),
                    (None, []) => None,
                    (None, columns) => {
                        Some(ddl::set_sequence(&served.sequence, self.target, columns))
                    }
                },
            )
            .collect();
        prepare.after = [
            after.keys,
            after.indexes,
            sequences,
            after.foreign_keys,
            after.triggers,
        ]
        .concat();
        prepare
    }
}

fn types(work: &mut Work<'_>, tables: &[TablePlan], problems: &mut Vec<Error>) {
    let source = work.input.source;
    let columns = tables.iter().flat_map(|table| &table.source.columns);
    for of in ddl::needed_types(columns, source) {
        let existing = work
            .input
            .target
            .types
            .iter()
            .find(|other| other.schema == work.target && other.name == of.name);
        match (existing, ddl::type_of(of, work.target)) {
            (Some(existing), _) => {
                if let Some(error) = existing::differs(of, existing) {
                    problems.push(error);
                }
                unchecked_domains(work, existing, work.target, true);
            }
            (None, Some(create)) => {
                work.before.types.push(create);
                unchecked_domains(work, of, work.target, false);
            }
            (None, None) => problems.push(
                Error::new(
                    Kind::Unsupported,
                    format!("type \"{}.{}\" cannot be made again in the target", of.schema, of.name),
                )
                .with_detail("Only enums, domains and composite types are.")
                .with_hint("Keep it in a schema that both sides use, for an extension with ALTER EXTENSION … SET SCHEMA."),
            ),
        }
    }
}

/// The domains of tables that are rewritten; of other schemas those whose values are made anew.
fn domains(work: &mut Work<'_>, tables: &[TablePlan], problems: &mut Vec<Error>) {
    let source = work.input.source;
    let rewritten = || tables.iter().filter(|table| in_place::is_rewritten(table));
    let own = ddl::needed_types(rewritten().flat_map(|table| &table.source.columns), source);
    let lost = ddl::all_types(rewritten().flat_map(in_place::lost), source);
    let others = lost.into_iter().filter(|of| !source.owns(of));
    for of in own.into_iter().chain(others) {
        if !of.owned && of.checks.iter().any(|check| !check.validated) {
            problems.push(existing::not_owned(of));
        }
        unchecked_domains(work, of, &of.schema, true);
    }
}

/// Whether values of a type are numbers.
fn is_numeric(side: &Side, type_oid: u32) -> bool {
    side.base_of(type_oid)
        .is_some_and(|base| base.category == 'N')
}

fn shares_sequence(table: &Table, column: &str, sequence: &Sequence) -> Error {
    Error::new(
        Kind::Definition,
        format!(
            "default of column \"{column}\" of table {} uses sequence \"{}.{}\" of another schema",
            table.shown(),
            sequence.schema,
            sequence.name
        ),
    )
    .with_detail("The target would take its values from the same sequence.")
    .with_hint("Move the sequence to the schema of the table, or create the target table yourself and adopt it.")
}

/// Domains whose checks were never held against all values: those checks come after the load.
fn unchecked_domains(work: &mut Work<'_>, of: &Type, schema: &str, exists: bool) {
    let (drop, add) = ddl::around_domain(of, schema, exists);
    work.before.unchecked.extend(drop);
    work.after.foreign_keys.extend(add);
}
