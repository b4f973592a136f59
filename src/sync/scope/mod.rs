//! Which rows a run copies, where references decide about them: a subset from a seed, and limits.
//!
//! Three steps, each a handful of statements over whole tables, repeated until they add nothing:
//!
//! 1. *Cut*: rows that `where` leaves out, and rows that refer to such rows and to no other.
//! 2. *Kept*: the seeds, and downwards every row that refers to a kept row; never a cut one. A
//!    limit cuts what is beyond it, with all that refers to it.
//! 3. Upwards: every row that a kept row refers to. These bring no rows that refer to them.
//!
//! Rows are kept in mind in temporary tables, by where they lie: in the run's one snapshot no row
//! moves. A foreign table has no such place, so its rows are known by a digest of all they hold.

pub mod estimate;
pub mod statements;
pub mod store;

use self::statements::Names;
use super::links::Link;
use super::options::Unreached;
use super::plan::{Plan, TablePlan};
use crate::error::{Error, Kind, Result};

/// What is copied of a table.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Cover {
    /// No row.
    Empty,
    /// All rows that nothing cuts.
    Uncut,
    /// The rows that were chosen.
    Kept,
}

/// What is copied of the tables of a plan.
#[derive(Clone, Debug, PartialEq)]
pub struct Scope {
    /// By table.
    pub covers: Vec<Cover>,
    /// Whether rows of a table are seeds, or come because they refer to others.
    pub downs: Vec<bool>,
    /// Whether rows of a table are cut otherwise than by a condition on it alone.
    pub cuts: Vec<bool>,
}

impl Scope {
    /// What is copied, as far as the references between tables say it; `None` where they do not
    /// matter.
    pub fn of(plan: &Plan) -> Option<Self> {
        if !plan.is_chosen() {
            return None;
        }
        let count = plan.tables.len();
        let links = &plan.links;
        let (mut covers, mut downs) = (vec![Cover::Uncut; count], vec![false; count]);
        if plan.tables.iter().any(|table| table.seed.is_some()) {
            let seeds = plan.tables.iter().map(|table| table.seed.is_some());
            let down = reached(seeds.collect(), links, |link| (link.parent, link.child));
            downs.clone_from(&down);
            let all = reached(down, links, |link| (link.child, link.parent));
            for (cover, is_reached) in covers.iter_mut().zip(all) {
                *cover = match plan.unreached {
                    _ if is_reached => Cover::Kept,
                    Unreached::Copy => Cover::Uncut,
                    Unreached::Empty => Cover::Empty,
                };
            }
        }
        let referred = |i: usize| links.iter().any(|link| link.parent == i);
        let cut = plan
            .tables
            .iter()
            .enumerate()
            .map(|(i, table)| table.limit.is_some() || table.filter.is_some() && referred(i));
        let mut cuts = reached(cut.collect(), links, |link| (link.parent, link.child));
        for (is_cut, cover) in cuts.iter_mut().zip(&covers) {
            *is_cut &= *cover != Cover::Empty;
        }
        Some(Self {
            covers,
            downs,
            cuts,
        })
    }
}

/// A statement that fills a table of the choice.
pub struct Step {
    /// The statement.
    pub sql: String,
    /// The temporary table that it adds rows to, if it does.
    pub into: Option<String>,
}

/// Chooses the rows: hands every statement to `run`, which says how many rows it touched.
///
/// # Errors
/// What `run` returns.
pub fn choose(
    plan: &Plan,
    scope: &Scope,
    names: &Names,
    run: &mut dyn FnMut(Step) -> Result<u64>,
) -> Result<()> {
    let mut choice = Choice {
        plan,
        scope,
        names,
        run,
        round: 0,
    };
    choice.make_tables()?;
    choice.cut_by_conditions()?;
    choice.go_down()?;
    for i in in_order(&plan.tables, &plan.links) {
        choice.limit(i)?;
    }
    choice.go_up()
}

struct Choice<'a> {
    plan: &'a Plan,
    scope: &'a Scope,
    names: &'a Names,
    run: &'a mut dyn FnMut(Step) -> Result<u64>,
    /// Rows are noted with the round that found them.
    round: u32,
}

impl Choice<'_> {
    fn make_tables(&mut self) -> Result<()> {
        for i in 0..self.plan.tables.len() {
            let table = &self.plan.tables[i];
            if self.scope.cuts[i] {
                let sql = statements::create(&self.names.cut(i), table);
                (self.run)(Step { sql, into: None })?;
            }
            if self.scope.covers[i] == Cover::Kept {
                let sql = statements::create(&self.names.kept(i), table);
                (self.run)(Step { sql, into: None })?;
            }
        }
        Ok(())
    }

    fn cut_by_conditions(&mut self) -> Result<()> {
        let mut fresh = self.none();
        for (i, is_fresh) in fresh.iter_mut().enumerate() {
            let table = &self.plan.tables[i];
            if let Some(filter) = table.filter.as_ref().filter(|_| self.scope.cuts[i]) {
                let conditions = [format!("({filter}) IS NOT TRUE")];
                let into = self.names.cut(i);
                *is_fresh = self.insert(into, i, "s", &conditions)? > 0;
            }
        }
        self.spread_cuts(fresh)
    }

    /// Rows that refer to cut rows, and to no other, are cut.
    fn spread_cuts(&mut self, mut fresh: Vec<bool>) -> Result<()> {
        while fresh.contains(&true) {
            let before = self.round;
            self.round += 1;
            let mut next = self.none();
            for link in &self.plan.links {
                if fresh[link.parent] && self.scope.cuts[link.child] {
                    let conditions = statements::refers_to_cut(self.view(), link, before);
                    let into = self.names.cut(link.child);
                    next[link.child] |= self.insert(into, link.child, "s", &conditions)? > 0;
                }
            }
            fresh = next;
        }
        Ok(())
    }

    fn go_down(&mut self) -> Result<()> {
        self.round += 1;
        let mut fresh = self.none();
        for (i, is_fresh) in fresh.iter_mut().enumerate() {
            let Some(seed) = &self.plan.tables[i].seed else {
                continue;
            };
            let mut conditions = vec![format!("({seed})")];
            conditions.extend(statements::uncut(self.view(), i, "s"));
            *is_fresh = self.insert(self.names.kept(i), i, "s", &conditions)? > 0;
        }
        while fresh.contains(&true) {
            let before = self.round;
            self.round += 1;
            let mut next = self.none();
            for link in &self.plan.links {
                if fresh[link.parent] {
                    let conditions = statements::refers_to_kept(self.view(), link, before);
                    let into = self.names.kept(link.child);
                    next[link.child] |= self.insert(into, link.child, "s", &conditions)? > 0;
                }
            }
            fresh = next;
        }
        Ok(())
    }

    /// What is beyond the limit of a table is cut, with all that refers to it.
    fn limit(&mut self, i: usize) -> Result<()> {
        let Some(limit) = self.plan.tables[i].limit else {
            return Ok(());
        };
        if self.scope.covers[i] == Cover::Empty {
            return Ok(());
        }
        self.round += 1;
        let into = self.names.cut(i);
        let sql = statements::beyond(self.view(), i, limit, self.round);
        let into = Some(into);
        let mut fresh = self.none();
        fresh[i] = (self.run)(Step { sql, into })? > 0;
        if !fresh[i] {
            return Ok(());
        }
        self.spread_cuts(fresh)?;
        for i in 0..self.plan.tables.len() {
            if self.scope.covers[i] == Cover::Kept && self.scope.cuts[i] {
                let sql = statements::drop_cut(self.view(), i);
                (self.run)(Step { sql, into: None })?;
            }
        }
        Ok(())
    }

    fn go_up(&mut self) -> Result<()> {
        // First of all rows there are, then of those that the round before has brought.
        let mut from = None;
        let mut fresh: Vec<bool> = self
            .scope
            .covers
            .iter()
            .map(|c| *c != Cover::Empty)
            .collect();
        while fresh.contains(&true) {
            self.round += 1;
            let mut next = self.none();
            for link in &self.plan.links {
                if fresh[link.child] && self.scope.covers[link.parent] == Cover::Kept {
                    let conditions = statements::is_referred_to(self.view(), link, from);
                    let into = self.names.kept(link.parent);
                    next[link.parent] |= self.insert(into, link.parent, "p", &conditions)? > 0;
                }
            }
            from = Some(self.round);
            fresh = next;
        }
        Ok(())
    }

    fn insert(
        &mut self,
        into: String,
        i: usize,
        alias: &str,
        conditions: &[String],
    ) -> Result<u64> {
        let table = &self.plan.tables[i];
        let sql = statements::insert(&into, table, alias, self.round, conditions);
        let into = Some(into);
        (self.run)(Step { sql, into })
    }

    fn view(&self) -> statements::View<'_> {
        statements::View {
            plan: self.plan,
            scope: self.scope,
            names: self.names,
        }
    }

    fn none(&self) -> Vec<bool> {
        vec![false; self.plan.tables.len()]
    }
}

/// What is wrong with limits.
pub fn check(tables: &[TablePlan], problems: &mut Vec<Error>) {
    for table in tables.iter().filter(|table| table.limit.is_some()) {
        if statements::primary_key(table).is_none() {
            problems.push(
                Error::new(
                    Kind::Definition,
                    format!(
                        "table {} has no primary key for a limit",
                        table.source.shown()
                    ),
                )
                .with_detail(
                    "The rows that come first are copied, in the order of the primary key.",
                )
                .with_hint("Choose its rows by conditions under \"where\" instead."),
            );
        }
    }
}

/// Everything that can be reached, along the links as `ends` gives them.
fn reached(
    mut seen: Vec<bool>,
    links: &[Link],
    ends: impl Fn(&Link) -> (usize, usize),
) -> Vec<bool> {
    loop {
        let before = seen.clone();
        for (from, to) in links.iter().map(&ends) {
            seen[to] |= seen[from];
        }
        if seen == before {
            return seen;
        }
    }
}

/// The tables so that what is referred to comes first, as far as there are no cycles.
fn in_order(tables: &[TablePlan], links: &[Link]) -> Vec<usize> {
    let mut order: Vec<usize> = Vec::new();
    while order.len() < tables.len() {
        let rest: Vec<usize> = (0..tables.len()).filter(|i| !order.contains(i)).collect();
        let waits = |i: &&usize| {
            links
                .iter()
                .any(|link| link.child == **i && link.parent != **i && rest.contains(&link.parent))
        };
        let next = rest.iter().find(|i| !waits(i)).or(rest.first());
        order.extend(next);
    }
    order
}

#[cfg(test)]
mod tests;
