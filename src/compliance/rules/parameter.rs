//! What a requirement asks for in numbers and names, and how that of several is merged: "the
//! strictest wins" is another operator for each.

use std::collections::BTreeSet;

use serde_json::{Map, Value, json};

use crate::compliance::calendar::Span;

/// From when a deadline counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Clock {
    /// When the controller becomes aware of a breach.
    Aware,
    /// When it is known that personal data are affected.
    Knowledge,
    /// When it is determined that there was a breach, or that it has to be told.
    Determination,
    /// When there are reasonable grounds to believe that there was one.
    Grounds,
    /// When a request is received.
    Receipt,
    /// When the authority was told.
    Notice,
    /// When those whose data they are were told.
    Told,
    /// When the processing begins.
    Start,
}

impl Clock {
    /// The words of data.
    pub const NAMES: [(&'static str, Self); 8] = [
        ("aware", Self::Aware),
        ("knowledge", Self::Knowledge),
        ("determination", Self::Determination),
        ("grounds", Self::Grounds),
        ("receipt", Self::Receipt),
        ("notice", Self::Notice),
        ("told", Self::Told),
        ("start", Self::Start),
    ];

    /// Its word.
    pub fn name(self) -> &'static str {
        named(self, &Self::NAMES)
    }

    /// From when, in words.
    pub fn words(self) -> &'static str {
        match self {
            Self::Aware => "from becoming aware of it",
            Self::Knowledge => "from knowledge that personal data are affected",
            Self::Determination => "from the determination of the breach",
            Self::Grounds => "from reasonable grounds to believe it",
            Self::Receipt => "from receipt of the request",
            Self::Notice => "from the notice to the authority",
            Self::Told => "from the notice to those whose data they are",
            Self::Start => "from the beginning of the processing",
        }
    }
}

/// Who must be told until then.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Addressee {
    /// The authority.
    Authority,
    /// Those whose data they are.
    Subjects,
    /// Who asked.
    Requester,
    /// Everybody.
    Public,
    /// Nobody: it must be on record.
    Record,
}

impl Addressee {
    /// The words of data.
    pub const NAMES: [(&'static str, Self); 5] = [
        ("authority", Self::Authority),
        ("subjects", Self::Subjects),
        ("requester", Self::Requester),
        ("public", Self::Public),
        ("record", Self::Record),
    ];

    /// Its word.
    pub fn name(self) -> &'static str {
        named(self, &Self::NAMES)
    }
}

/// What of a request ends a term.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub enum Ends {
    /// The answer.
    #[default]
    Answer,
    /// The word that it was received.
    Acknowledgment,
}

impl Ends {
    /// The words of data.
    pub const NAMES: [(&'static str, Self); 2] = [
        ("answer", Self::Answer),
        ("acknowledgment", Self::Acknowledgment),
    ];

    /// Its word.
    pub fn name(self) -> &'static str {
        named(self, &Self::NAMES)
    }
}

/// Until when.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Deadline {
    /// How long.
    pub span: Span,
    /// From when.
    pub from: Clock,
    /// Who must be told.
    pub to: Addressee,
    /// What of a request ends it.
    pub ends: Ends,
    /// How long it is as a whole where it was extended, for who may do that.
    pub extended: Option<Span>,
}

impl Deadline {
    /// What it is compared by where no moment is known: the least time that it can leave. Without a
    /// number it comes last.
    pub fn rank(&self) -> (u32, String) {
        let least = self.span.least_hours().unwrap_or(u32::MAX);
        (least, self.span.to_string())
    }

    fn json(&self) -> Value {
        let mut found = json!({
            "within": self.span.to_string(),
            "from": self.from.name(),
            "to": self.to.name(),
        });
        if self.ends != Ends::default() {
            found["ends"] = self.ends.name().into();
        }
        if let Some(span) = self.extended {
            found["extended"] = span.to_string().into();
        }
        found
    }
}

/// How long something is kept. Months and business days have no length of their own, so that the
/// strictest ends are held apart: of months, of business days, and of hours and days.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Keep {
    least: [Option<Span>; 3],
    most: [Option<Span>; 3],
}

impl Keep {
    /// At least so long, and at most.
    pub fn between(at_least: Option<Span>, at_most: Option<Span>) -> Self {
        let apart = |end: Option<Span>| match end {
            Some(Span::Months(_)) => [end, None, None],
            Some(Span::BusinessDays(_)) => [None, end, None],
            _ => [None, None, end],
        };
        Self {
            least: apart(at_least),
            most: apart(at_most),
        }
    }

    /// At least so long: of two that differ by when they begin, that which can last longer.
    pub fn at_least(&self) -> Option<Span> {
        let both = self.least.into_iter().flatten();
        both.max_by_key(|span| span.most_hours())
    }

    /// At most so long: of two that differ by when they begin, that which can last less.
    pub fn at_most(&self) -> Option<Span> {
        let both = self.most.into_iter().flatten();
        both.min_by_key(|span| span.least_hours())
    }

    /// Whether no time keeps to both ends, whenever it begins: the lower one by the longest that it
    /// can be, the upper one by the shortest. Months and months begin together.
    pub fn is_empty(&self) -> bool {
        let excluded = |least: Span, most: Span| match (least, most) {
            (Span::Months(least), Span::Months(most))
            | (Span::BusinessDays(least), Span::BusinessDays(most)) => least > most,
            _ => least.most_hours() > most.least_hours(),
        };
        let mut least = self.least.into_iter().flatten();
        least.any(|least| {
            let mut most = self.most.into_iter().flatten();
            most.any(|most| excluded(least, most))
        })
    }

    /// The times that keep to both.
    #[must_use]
    pub fn with(self, other: Self) -> Self {
        // A day is 24 hours: by their words, so that the order of merging is no matter.
        let key = |span: &Span| (span.most_hours(), span.to_string());
        let each = |place: usize| {
            let least = self.least[place].into_iter().chain(other.least[place]);
            let most = self.most[place].into_iter().chain(other.most[place]);
            (least.max_by_key(key), most.min_by_key(key))
        };
        let ends = [each(0), each(1), each(2)];
        Self {
            least: ends.map(|(least, _)| least),
            most: ends.map(|(_, most)| most),
        }
    }

    fn json(&self) -> Value {
        let mut object = Map::new();
        if let Some(span) = self.at_least() {
            object.insert("at_least".to_owned(), span.to_string().into());
        }
        if let Some(span) = self.at_most() {
            object.insert("at_most".to_owned(), span.to_string().into());
        }
        object.into()
    }
}

/// What a requirement asks for, or what a control must be set to.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Params {
    /// Deadlines: one of a requirement; of several, the earliest is the one that counts.
    pub deadlines: Vec<Deadline>,
    /// How long it is kept: times that keep to all.
    pub keep: Option<Keep>,
    /// What it holds: everything that one of them asks for.
    pub fields: BTreeSet<String>,
    /// The age of children: the highest.
    pub age: Option<u32>,
    /// How often: the shortest.
    pub every: Option<Span>,
}

/// The names of parameters.
pub const NAMES: [&str; 5] = ["deadline", "keep", "fields", "age", "every"];

impl Params {
    /// Merges what another requirement asks for.
    pub fn merge(&mut self, other: &Self) {
        for deadline in &other.deadlines {
            if !self.deadlines.contains(deadline) {
                self.deadlines.push(*deadline);
            }
        }
        self.deadlines
            .sort_by_cached_key(|deadline| (deadline.rank(), deadline.to, deadline.from));
        if let Some(keep) = other.keep {
            self.keep = Some(self.keep.unwrap_or_default().with(keep));
        }
        self.fields.extend(other.fields.iter().cloned());
        self.age = self.age.max(other.age);
        self.every = match (self.every, other.every) {
            (Some(a), Some(b)) => Some(std::cmp::min_by_key(a, b, |span| {
                (span.least_hours(), span.to_string())
            })),
            (a, b) => a.or(b),
        };
    }

    /// Whether what is asked for can be kept to at all.
    pub fn is_possible(&self) -> bool {
        !self.keep.is_some_and(|keep| keep.is_empty())
    }

    /// The names of those that are given.
    pub fn given(&self) -> Vec<&'static str> {
        let given = [
            !self.deadlines.is_empty(),
            self.keep.is_some(),
            !self.fields.is_empty(),
            self.age.is_some(),
            self.every.is_some(),
        ];
        NAMES
            .into_iter()
            .zip(given)
            .filter_map(|(name, given)| given.then_some(name))
            .collect()
    }

    /// As an object, without what is not given.
    pub fn json(&self) -> Value {
        let mut object = Map::new();
        match self.deadlines.as_slice() {
            [] => {}
            [one] => {
                object.insert("deadline".to_owned(), one.json());
            }
            [first, ..] => {
                let all: Vec<Value> = self.deadlines.iter().map(Deadline::json).collect();
                object.insert("deadline".to_owned(), first.json());
                object.insert("deadlines".to_owned(), all.into());
            }
        }
        if let Some(keep) = &self.keep {
            object.insert("keep".to_owned(), keep.json());
        }
        if !self.fields.is_empty() {
            object.insert("fields".to_owned(), json!(self.fields));
        }
        if let Some(age) = self.age {
            object.insert("age".to_owned(), age.into());
        }
        if let Some(every) = self.every {
            object.insert("every".to_owned(), every.to_string().into());
        }
        object.into()
    }
}

/// The word of a variant.
pub fn named<T: Copy + PartialEq>(variant: T, names: &[(&'static str, T)]) -> &'static str {
    names
        .iter()
        .find(|(_, other)| *other == variant)
        .map_or("", |(name, _)| name)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn deadline(span: Span, to: Addressee) -> Params {
        Params {
            deadlines: vec![Deadline {
                span,
                from: Clock::Aware,
                to,
                ends: Ends::Answer,
                extended: None,
            }],
            ..Params::default()
        }
    }

    fn keep(at_least: Option<Span>, at_most: Option<Span>) -> Params {
        Params {
            keep: Some(Keep::between(at_least, at_most)),
            ..Params::default()
        }
    }

    #[test]
    fn the_strictest_is_another_operator_for_each() {
        let mut merged = Params::default();
        for params in [
            deadline(Span::Feasible, Addressee::Subjects),
            deadline(Span::Hours(72), Addressee::Authority),
            deadline(Span::Hours(4), Addressee::Authority),
            deadline(Span::BusinessDays(3), Addressee::Authority),
            keep(Some(Span::Months(24)), None),
            keep(Some(Span::Months(60)), None),
            keep(None, Some(Span::Months(120))),
            Params {
                fields: ["a".to_owned()].into(),
                age: Some(13),
                every: Some(Span::Months(12)),
                ..Params::default()
            },
            Params {
                fields: ["b".to_owned()].into(),
                age: Some(18),
                every: Some(Span::Months(6)),
                ..Params::default()
            },
        ] {
            merged.merge(&params);
        }
        assert_eq!(merged.deadlines[0].span, Span::Hours(4));
        assert_eq!(merged.deadlines[3].span, Span::Feasible);
        let json = merged.json();
        assert_eq!(
            json["keep"],
            json!({"at_least": "5 years", "at_most": "10 years"})
        );
        assert_eq!(json["fields"], json!(["a", "b"]));
        assert_eq!(
            (merged.age, merged.every),
            (Some(18), Some(Span::Months(6)))
        );
        assert!(merged.is_possible());
        assert_eq!(merged.given(), NAMES);
        assert!(Params::default().given().is_empty());
    }

    #[test]
    fn times_that_exclude_each_other_cannot_be_kept_to() {
        let mut merged = keep(Some(Span::Months(60)), None);
        merged.merge(&keep(None, Some(Span::Months(24))));
        assert!(!merged.is_possible());
        let mut touching = keep(Some(Span::Months(24)), None);
        touching.merge(&keep(None, Some(Span::Months(24))));
        assert!(touching.is_possible());
    }

    #[test]
    fn ends_are_held_against_each_other_by_the_worst_beginning() {
        let is_possible = |least, most| {
            let read = |text| Some(Span::read(text).unwrap());
            keep(read(least), read(most)).is_possible()
        };
        for (least, most, possible) in [
            // Thirteen months of 28 days would fit into a year.
            ("365 days", "12 months", true),
            ("366 days", "1 year", false),
            ("1 year", "365 days", false),
            ("1 year", "366 days", true),
            ("360 days", "12 months", true),
            ("12 months", "1 year", true),
            ("13 months", "1 year", false),
            ("1 month", "30 days", false),
            ("1 month", "31 days", true),
            ("28 days", "1 month", true),
            ("29 days", "1 month", false),
            ("5 years", "1826 days", false),
            ("5 years", "1827 days", true),
        ] {
            assert_eq!(is_possible(least, most), possible, "{least}, {most}");
        }
        // What months hide from each other, days do not: 30 of them are more than a February.
        let mut merged = keep(Some(Span::Months(1)), Some(Span::Months(1)));
        assert!(merged.is_possible());
        merged.merge(&keep(Some(Span::Days(30)), None));
        assert!(!merged.is_possible());
    }

    #[test]
    fn merging_depends_on_no_order() {
        let parts = [
            deadline(Span::Hours(72), Addressee::Authority),
            deadline(Span::BusinessDays(3), Addressee::Authority),
            keep(Some(Span::Months(36)), Some(Span::Months(600))),
            keep(Some(Span::Months(24)), Some(Span::Months(60))),
            keep(Some(Span::Hours(48)), None),
            keep(Some(Span::Days(2)), Some(Span::Days(1826))),
        ];
        let merge = |order: &[usize]| {
            let mut merged = Params::default();
            order.iter().for_each(|&place| merged.merge(&parts[place]));
            merged
        };
        assert_eq!(merge(&[0, 1, 2, 3, 4, 5]), merge(&[5, 4, 3, 2, 1, 0]));
        assert_eq!(merge(&[0, 1, 2, 3, 4, 0, 2, 5]), merge(&[1, 5, 3, 0, 2, 4]));
    }
}
