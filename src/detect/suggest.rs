//! A profile for a whole schema, as text: what looks personal is masked by what fits, everything else
//! is listed with what it looks like, so that a reader can say otherwise.

use std::collections::HashMap;

use super::fitting::{can_be_excluded, fitting, harmless};
use super::groups::{Place, groups};
use super::survey::Survey;
use crate::error::{Error, Kind, Result};
use crate::profile;
use crate::profile::written::{can_be_named, flow, table_key};
use crate::signs::Verdict;
use crate::signs::definitions::Definitions;
use crate::sync::facts::{Column, Table};

/// What is said of a column.
enum Decision {
    /// It follows from others.
    Generated,
    Masked {
        strategy: String,
        note: String,
    },
    Excluded {
        why: String,
    },
    Preserved {
        why: String,
        note: Option<String>,
    },
}

/// Writes the profile.
///
/// # Errors
/// 22023 when no profile can have that name; 42P01 when the schema has no table to copy.
pub fn suggest(survey: &Survey, schema: &str, name: &str) -> Result<String> {
    if !is_name(name) {
        return Err(Error::new(Kind::InvalidParameter, "invalid name of a profile").with_detail(
            "It takes ASCII letters, digits, \"_\", \".\" and \"-\", a letter or digit first, at most 63.",
        ));
    }
    let tables: Vec<&Table> = survey.tables.iter().map(|of| &of.table).collect();
    let mut strategies = Definitions::default();
    let mut decisions: HashMap<Place, Decision> = HashMap::new();
    for group in groups(&tables) {
        decide(survey, &group, &mut strategies, &mut decisions);
    }
    let mut body = String::new();
    let mut left_out = String::new();
    for (place, table) in tables.iter().enumerate() {
        match refusal(table) {
            Some(why) => left_out.push_str(&format!("# left out: {}, {why}\n", flow(&table.name))),
            None => write_table(&mut body, place, table, &decisions),
        }
    }
    if body.is_empty() {
        return Err(Error::new(
            Kind::UndefinedTable,
            format!("schema \"{schema}\" has no table that a run could copy"),
        ));
    }
    let mut yaml = format!(
        "# Suggested for schema {}. Read it before you load it: signs are not certainty.\n\
         # The number behind a rule says how sure they are, from 0 to 1.\n\
         name: {}\nversion: \"1\"\ncoverage: strict\n\n",
        flow(schema),
        flow(name)
    );
    yaml.push_str(&match strategies.written() {
        none if none.is_empty() => "strategies: {}\n\n".to_owned(),
        written => format!("strategies:\n{written}\n"),
    });
    yaml.push_str("tables:\n");
    yaml.push_str(&body);
    yaml.push_str(&left_out);
    // What is handed out can be loaded, or is not handed out.
    profile::load(yaml.as_bytes()).map_err(|error| {
        Error::new(Kind::Internal, "the suggested profile cannot be loaded")
            .with_detail(format!("{}.", error.message()))
    })?;
    Ok(yaml)
}

/// The name of a schema as the name of a profile.
pub fn profile_name(schema: &str) -> String {
    let name: String = schema
        .chars()
        .map(|c| {
            if c.is_ascii_alphanumeric() || "_.-".contains(c) {
                c
            } else {
                '_'
            }
        })
        .take(63)
        .collect();
    if is_name(&name) {
        name
    } else {
        "suggested".to_owned()
    }
}

fn is_name(name: &str) -> bool {
    name.len() <= 63
        && name.starts_with(|c: char| c.is_ascii_alphanumeric())
        && name
            .chars()
            .all(|c| c.is_ascii_alphanumeric() || "_.-".contains(c))
}

/// Why a run would not take a table.
fn refusal(table: &Table) -> Option<&'static str> {
    if table.name.starts_with("pg_") {
        Some("whose name begins with pg_")
    } else if table.inheritance {
        Some("which has inheritance children or parents")
    } else if !table.can_select {
        Some("which you may not read")
    } else if table.row_security {
        Some("of which row-level security would hide rows from you")
    } else if !can_be_named(&table.name) {
        Some("whose name a profile cannot hold")
    } else {
        None
    }
}

/// Decides about columns that foreign keys tie together.
fn decide(
    survey: &Survey,
    group: &[Place],
    strategies: &mut Definitions,
    decisions: &mut HashMap<Place, Decision>,
) {
    let of = |(table, column): Place| {
        let surveyed = &survey.tables[table];
        (
            &surveyed.table,
            &surveyed.table.columns[column],
            &surveyed.verdicts[column],
        )
    };
    let taken: Vec<Place> = group
        .iter()
        .copied()
        .filter(|place| refusal(of(*place).0).is_none() && can_be_named(&of(*place).1.name))
        .collect();
    // A reference is as personal as the surest of what it is tied to.
    let personal = taken
        .iter()
        .map(|place| of(*place).2)
        .filter(|verdict| verdict.is_personal())
        .max_by(|one, other| one.confidence.total_cmp(&other.confidence));
    let fits = personal.and_then(|verdict| fitting(survey, &taken, verdict));
    for place in taken {
        let (table, column, verdict) = of(place);
        let decision = if column.is_generated() {
            Decision::Generated
        } else {
            match (personal, &fits) {
                (None, _) => Decision::Preserved {
                    why: reason(table, column, verdict),
                    note: None,
                },
                (Some(personal), Some(proposal)) => Decision::Masked {
                    strategy: strategies.name(personal.category, proposal),
                    note: note(table, column, personal),
                },
                (Some(personal), None) => unfit(table, column, personal, group.len() > 1),
            }
        };
        decisions.insert(place, decision);
    }
}

/// What looks personal, and no strategy fits it.
fn unfit(table: &Table, column: &Column, verdict: &Verdict, is_tied: bool) -> Decision {
    let category = verdict.category.map_or("", |category| category.name());
    let is_kept = table.partition_columns.contains(&column.name);
    let is_unique = table
        .unique
        .iter()
        .any(|of| of.columns.contains(&column.name));
    if can_be_excluded(column) && !is_tied && !is_kept && !is_unique {
        return Decision::Excluded {
            why: format!("looks like {category}, and no strategy fits it"),
        };
    }
    Decision::Preserved {
        why: format!("looks like {category}, but no strategy fits it"),
        note: Some(if is_kept {
            "PERSONAL, and kept: it is part of the partition key".to_owned()
        } else {
            "PERSONAL, and kept: decide what to do about it".to_owned()
        }),
    }
}

fn reason(table: &Table, column: &Column, verdict: &Verdict) -> String {
    let is_of = |kind: char| {
        let mut keys = table.constraints.iter().filter(|key| key.kind == kind);
        keys.any(|key| key.columns.contains(&column.name))
    };
    if is_of('f') {
        "refers to another row".to_owned()
    } else if is_of('p') {
        "key".to_owned()
    } else if verdict.why.contains("not looked into") {
        format!(
            "{}, by its name; its values were not looked into",
            harmless(verdict.sort)
        )
    } else {
        harmless(verdict.sort).to_owned()
    }
}

fn note(table: &Table, column: &Column, verdict: &Verdict) -> String {
    let mut note = format!("{:.2} {}", verdict.confidence, verdict.why);
    let mut checks = table
        .constraints
        .iter()
        .filter(|check| check.kind == 'c' && check.columns.contains(&column.name));
    if let Some(check) = checks.next() {
        note.push_str(&format!(
            "; CHECK {} must hold of the pseudonyms too",
            flow(&check.name)
        ));
    }
    note
}

fn write_table(
    out: &mut String,
    place: usize,
    table: &Table,
    decisions: &HashMap<Place, Decision>,
) {
    let (mut rules, mut preserve, mut exclude) = (String::new(), String::new(), String::new());
    let mut is_rest_kept = false;
    for (at, column) in table.columns.iter().enumerate() {
        let name = flow(&column.name);
        match decisions.get(&(place, at)) {
            Some(Decision::Generated) => {}
            Some(Decision::Masked { strategy, note }) => {
                rules.push_str(&format!(
                    "      - {{column: {name}, strategy: {strategy}}}  # {note}\n"
                ));
            }
            Some(Decision::Excluded { why }) => {
                exclude.push_str(&format!("      - {{column: {name}, why: {}}}\n", flow(why)));
            }
            Some(Decision::Preserved { why, note }) => {
                let note = note
                    .as_ref()
                    .map_or(String::new(), |note| format!("  # {note}"));
                preserve.push_str(&format!(
                    "      - {{column: {name}, why: {}}}{note}\n",
                    flow(why)
                ));
            }
            None => is_rest_kept = true,
        }
    }
    if is_rest_kept {
        preserve.push_str(
            "      - {column: \"*\", why: \"columns whose names a profile cannot hold\"}  # PERSONAL, perhaps\n",
        );
    }
    out.push_str(&format!("  {}:", table_key(&table.name)));
    let lists = [
        ("rules", rules),
        ("preserve", preserve),
        ("exclude", exclude),
    ];
    if lists.iter().all(|(_, list)| list.is_empty()) {
        out.push_str(" []\n");
        return;
    }
    out.push('\n');
    for (word, list) in lists {
        if !list.is_empty() {
            out.push_str(&format!("    {word}:\n{list}"));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn suggested_profiles_have_names_that_a_profile_may_have() {
        assert_eq!(profile_name("prod"), "prod");
        assert_eq!(profile_name("My Schema"), "My_Schema");
        assert_eq!(profile_name("_x"), "suggested");
        assert_eq!(profile_name("é"), "suggested");
        assert_eq!(profile_name(&"x".repeat(200)).len(), 63);
    }
}
