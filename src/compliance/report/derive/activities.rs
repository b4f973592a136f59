//! What is said of each activity: whose data, who receives them, where they go, how long they stay.

use serde_json::{Map, Value, json};

use super::columns::groups;
use crate::compliance::Facts;
use crate::compliance::controller::Fact;
use crate::compliance::inventory::{Column, ages};
use crate::compliance::record::{
    about, columns, lacks_columns, lacks_recipients, lacks_retention, lacks_transfers, needed_of,
    own, processing, retention as retention_of,
};
use crate::compliance::report::definition::Found;

/// What is said of an activity: no row, or several.
type Rows = Vec<Map<String, Value>>;

/// Something of each activity, row by row, and what it lacks.
fn each<'a>(
    of: impl Iterator<Item = &'a Fact>,
    say: impl Fn(&'a Fact, &mut Vec<String>) -> Rows,
) -> Found {
    let mut open = Vec::new();
    let mut value = Vec::new();
    for activity in of {
        let mut rows = say(activity, &mut open);
        if rows.is_empty() {
            rows.push(Map::new());
        }
        for row in rows {
            let mut said = Map::new();
            said.insert("activity".to_owned(), activity.id.clone().into());
            said.insert("activity_name".to_owned(), json!(activity.text("name")));
            said.extend(row);
            value.push(Value::Object(said));
        }
    }
    if value.is_empty() {
        return Found::missing(
            "controller",
            "activities",
            "Declare the activities, section activities.",
        );
    }
    let found = Found::declared(value.into(), "activities");
    if open.is_empty() {
        return found;
    }
    let more = open.len().saturating_sub(20);
    open.truncate(20);
    if more > 0 {
        open.push(format!("and {more} more"));
    }
    found.open(format!("Declare {}.", open.join("; ")))
}

/// One row with one member.
fn row(name: &str, value: Value) -> Rows {
    vec![Map::from_iter([(name.to_owned(), value)])]
}

/// The categories of data of each activity, with the columns that hold them.
pub fn data(facts: &Facts) -> Found {
    let found = each(own(facts), |activity, open| {
        let groups = groups(columns(facts, activity), |column| {
            Some(column.category_shown())
        });
        open.extend(lacks_columns(facts, activity));
        let rows = groups.into_iter().filter_map(|group| match group {
            Value::Object(row) => Some(row),
            _ => None,
        });
        rows.collect()
    });
    Found {
        source: "database and controller",
        evidence: "columns, activities".to_owned(),
        ..found
    }
}

/// Fields of a fact, with its id as a member of that name; what it lacks of those that are needed.
fn members(
    name: &str,
    fact: &Fact,
    needed: &[&str],
    shown: &[&str],
    open: &mut Vec<String>,
) -> Map<String, Value> {
    let mut said = Map::new();
    said.insert(name.to_owned(), fact.id.clone().into());
    for field in needed.iter().chain(shown) {
        match fact.fields.get(*field) {
            Some(value) => {
                said.insert((*field).to_owned(), value.clone());
            }
            None if needed.contains(field) => open.push(format!("{field} of {}", fact.id)),
            None => {}
        }
    }
    said
}

/// Who receives the data of each activity.
pub fn recipients(facts: &Facts) -> Found {
    each(own(facts), |activity, open| {
        open.extend(lacks_recipients(facts, activity));
        let of = about(facts, "recipient", activity).map(|recipient| {
            const SHOWN: [&str; 6] = [
                "category",
                "country",
                "name",
                "role",
                "purpose",
                "sold_or_shared",
            ];
            members("recipient", recipient, &[], &SHOWN, &mut Vec::new())
        });
        of.collect()
    })
}

/// Where the data of each activity go, with what safeguards them there.
pub fn transfers(facts: &Facts) -> Found {
    transfers_of(facts, own(facts))
}

/// The same of what is carried out for others.
pub fn transfers_for_others(facts: &Facts) -> Found {
    transfers_of(facts, processing(facts))
}

fn transfers_of<'a>(facts: &'a Facts, of: impl Iterator<Item = &'a Fact>) -> Found {
    each(of, |activity, open| {
        open.extend(lacks_transfers(facts, activity));
        let of = about(facts, "transfer", activity).map(|transfer| {
            let shown = ["recipient", "volume_basis"];
            members(
                "transfer",
                transfer,
                needed_of(transfer),
                &shown,
                &mut Vec::new(),
            )
        });
        of.collect()
    })
}

/// How long the data of each activity are kept: rules that name it, its categories, or all.
pub fn retention(facts: &Facts) -> Found {
    let found = each(own(facts), |activity, open| {
        open.extend(lacks_retention(facts, activity));
        let shown = ["category", "min", "max", "trigger_event", "action"];
        retention_of(facts, activity)
            .into_iter()
            .map(|rule| members("rule", rule, &[], &shown, &mut Vec::new()))
            .collect()
    });
    let found = Found {
        evidence: "retention_rules, activities".to_owned(),
        ..found
    };
    match ages::advice(&facts.inventory.ages) {
        Some(advice) => found.noting(advice),
        None => found,
    }
}

/// For whom each activity of a processor is carried out, with how to reach them.
pub fn controllers(facts: &Facts) -> Found {
    each(processing(facts), |activity, open| {
        let named = activity.list("for");
        if named.is_empty() {
            open.push(format!("for of {}", activity.id));
        }
        let of = named.iter().filter_map(|id| {
            let organisation = facts.controller.find("organisation", id)?;
            let (needed, shown) = (["legal_name", "contact"], ["address", "country"]);
            Some(members("controller", organisation, &needed, &shown, open))
        });
        of.collect()
    })
}

/// Activities in which programs decide in one of these ways.
fn deciding<'a>(facts: &'a Facts, ways: &'a [&str]) -> impl Iterator<Item = &'a Fact> {
    facts.controller.of("activity").filter(|activity| {
        let way = activity.word("automated_decision");
        way.is_some_and(|way| ways.contains(&way))
    })
}

/// The kinds of information that programs decide with.
pub fn decided_with(facts: &Facts) -> Found {
    let found = each(deciding(facts, &["assisted", "sole"]), |activity, open| {
        let mut kinds: Vec<String> = columns(facts, activity)
            .map(Column::category_shown)
            .collect();
        kinds.sort_unstable();
        kinds.dedup();
        if kinds.is_empty() {
            open.push(format!("the columns of {}", activity.id));
        }
        row("information", kinds.into())
    });
    Found {
        source: "database and controller",
        ..found
    }
}

/// The kinds of decisions that programs make alone.
pub fn decided_alone(facts: &Facts) -> Found {
    decisions(facts, "sole")
}

/// Those that programs substantially help to make.
pub fn decided_with_help(facts: &Facts) -> Found {
    decisions(facts, "assisted")
}

fn decisions(facts: &Facts, way: &str) -> Found {
    let ways = [way];
    if deciding(facts, &ways).next().is_none() {
        return Found::not_asked("activities", "No activity is declared to decide so.");
    }
    each(deciding(facts, &ways), |activity, open| {
        if !activity.has("decisions") {
            open.push(format!("decisions of {}", activity.id));
        }
        row("decisions", json!(activity.text("decisions")))
    })
}

/// What is said of data that come from others than those whose data they are.
pub fn indirect(facts: &Facts) -> Found {
    let of = facts.controller.of("activity");
    let of = of.filter(|activity| activity.is("collected_from_others"));
    each(of, |activity, open| {
        let needed = ["sources", "indirect_notice", "purpose", "legal_basis"];
        let mut said = members("activity", activity, &needed, &["impact_notice"], open);
        said.remove("activity");
        vec![said]
    })
}

/// Who processes the data of each activity on behalf of the controller, under which contract.
pub fn operators(facts: &Facts) -> Found {
    each(own(facts), |activity, open| {
        let of = about(facts, "recipient", activity)
            .filter(|recipient| recipient.word("role") == Some("processor"))
            .map(|operator| {
                let needed = ["name", "contract"];
                members("operator", operator, &needed, &["country"], open)
            });
        of.collect()
    })
}
