//! The profile of what was gathered, as text that loads.

use super::rules::{Rules, Said, Table};
use crate::error::{Error, Kind, Result};
use crate::profile;
use crate::profile::written::{flow, table_key};
use crate::signs::propose::Proposal;
use crate::strategies::params::Value;

impl Rules<'_> {
    /// Writes the profile; `origin` says what it was made of.
    ///
    /// # Errors
    /// 22023 when it cannot have that name, or is larger than a profile may be; 42704 when there is
    /// no rule that a profile can hold.
    pub fn profile(&self, name: &str, origin: &str) -> Result<String> {
        let tables: Vec<&Table> = self.named().collect();
        if tables.is_empty() {
            return Err(Error::new(
                Kind::UndefinedObject,
                format!(
                    "there are no rules for tables of schema \"{}\"",
                    self.schema
                ),
            )
            .with_hint("The report lists every rule, and what became of it."));
        }
        let mut strategies = Strategies::default();
        let mut body = String::new();
        for table in &tables {
            write_table(&mut body, table, &mut strategies);
        }
        let begun: Vec<_> = tables
            .iter()
            .filter(|table| !table.conditions.is_empty())
            .collect();
        if !begun.is_empty() {
            body.push_str("\nsubset:\n");
            for table in begun {
                let conditions = table.conditions.join(", ");
                body.push_str(&format!("  {}: [{conditions}]\n", table_key(&table.name)));
            }
        }
        let yaml = format!(
            "# Made of {}, for schema {}.\n\
             # Read it with its report before you load it. Columns that had no rule there are copied, but\n\
             # for those that look personal: these stop the run until you decide.\n\
             name: {}\nversion: \"1\"\ncoverage: detect\n\n{}\ntables:\n{body}",
            comment(origin),
            comment(&flow(&self.schema)),
            flow(name),
            strategies.written()
        );
        // What is handed out can be loaded, or is not handed out.
        profile::load(yaml.as_bytes()).map_err(|error| {
            Error::new(Kind::InvalidParameter, "the rules make no profile")
                .with_detail(format!("{}.", error.message()))
        })?;
        Ok(yaml)
    }
}

fn write_table(out: &mut String, table: &Table, strategies: &mut Strategies) {
    let (mut rules, mut preserve, mut exclude) = (String::new(), String::new(), String::new());
    for column in &table.columns {
        let name = flow(&column.name);
        match &column.said {
            Said::Mask { mask, note } => {
                let strategy = flow(&strategies.name(&mask.proposal));
                let entity = mask.entity.as_ref().map_or(String::new(), |entity| {
                    format!(", entity: {}", flow(entity))
                });
                rules.push_str(&format!(
                    "      - {{column: {name}, strategy: {strategy}{entity}}}  # {}\n",
                    comment(note)
                ));
            }
            Said::Preserve => preserve.push_str(&format!(
                "      - {{column: {name}, why: \"not masked there, on purpose\"}}\n"
            )),
            Said::Exclude { why } => exclude.push_str(&format!(
                "      - {{column: {name}, why: {}}}  # missing: decide what to do about it\n",
                flow(why)
            )),
        }
    }
    out.push_str(&format!("  {}:", table_key(&table.name)));
    if table.columns.is_empty() {
        out.push_str(" []\n");
        return;
    }
    out.push('\n');
    for (word, list) in [
        ("rules", rules),
        ("preserve", preserve),
        ("exclude", exclude),
    ] {
        if !list.is_empty() {
            out.push_str(&format!("    {word}:\n{list}"));
        }
    }
}

/// Words of a comment: on one line.
fn comment(words: &str) -> String {
    let is_plain = |c: &char| !c.is_control() && !"\u{2028}\u{2029}\u{feff}".contains(*c);
    words.chars().filter(is_plain).collect()
}

/// The strategies of the profile, each once and under a name of its own.
#[derive(Default)]
struct Strategies {
    named: Vec<(String, Proposal)>,
}

impl Strategies {
    /// The name of a strategy: its type, with the part that it draws, and a number where others have
    /// taken that.
    fn name(&mut self, proposal: &Proposal) -> String {
        if let Some((name, _)) = self.named.iter().find(|(_, known)| known == proposal) {
            return name.clone();
        }
        let kind = proposal.kind.name();
        let base = match proposal.params.get("part") {
            Some(Value::Text(part)) => format!("{kind}_{part}"),
            _ => kind.to_owned(),
        };
        let taken = |name: &str| self.named.iter().any(|(other, _)| other == name);
        let mut name = base.clone();
        let mut number = 2;
        while taken(&name) {
            name = format!("{base}_{number}");
            number += 1;
        }
        self.named.push((name.clone(), proposal.clone()));
        name
    }

    fn written(&self) -> String {
        if self.named.is_empty() {
            return "strategies: {}\n".to_owned();
        }
        let line = |(name, proposal): &(String, Proposal)| {
            format!("  {}: {}\n", flow(name), proposal.flow())
        };
        let lines: String = self.named.iter().map(line).collect();
        format!("strategies:\n{lines}")
    }
}
