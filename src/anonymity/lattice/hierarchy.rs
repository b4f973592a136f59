//! How the values of a column become coarser, level by level: multiples of a step, parts of a date,
//! the beginning of a text, the nodes of a tree. Each level tells apart no two values that the level
//! below it holds for the same.

use serde_json::Value;

use crate::anonymity::relation::{Column, Of};
use crate::error::{Error, Kind, Result};
use crate::pg::ident::literal;

/// The hierarchy of a column; level 0 is the value as it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Hierarchy {
    /// How it goes up.
    pub by: By,
    /// Whether the last level is NULL for all.
    pub is_suppressed: bool,
}

/// How values become coarser.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum By {
    /// Not at all.
    Nothing,
    /// The multiple of a step that is not greater.
    Steps(Vec<Step>),
    /// The beginning of a unit of time.
    Parts(Vec<&'static str>),
    /// So many characters.
    Prefix(Vec<u32>),
    /// What is above them in a tree: the name of the relation that holds it.
    Tree(String),
}

/// A step, as it is written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Step {
    /// As it is written.
    pub text: String,
    /// In millionths of millionths.
    units: i128,
}

impl Step {
    fn parse(text: &str) -> Option<Self> {
        const PLACES: usize = 12;
        let (whole, part) = text.split_once('.').unwrap_or((text, ""));
        let is_digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
        if whole.is_empty() || whole.len() > 18 || part.len() > PLACES {
            return None;
        }
        if !is_digits(whole) || !is_digits(part) {
            return None;
        }
        let part = part.trim_end_matches('0');
        let units: i128 = format!("{whole}{part:0<PLACES$}").parse().ok()?;
        let text = match part {
            "" => whole.to_owned(),
            part => format!("{whole}.{part}"),
        };
        (units > 0).then_some(Self { text, units })
    }

    fn is_whole(&self) -> bool {
        !self.text.contains('.')
    }
}

impl Hierarchy {
    /// The hierarchy of a column that none is given for: as it is, or NULL.
    pub const PLAIN: Self = Self {
        by: By::Nothing,
        is_suppressed: true,
    };

    /// Reads the hierarchy of a column.
    ///
    /// # Errors
    /// 22023 for what is none; 42804 where it does not fit the column.
    pub fn parse(column: &Column, given: &Value) -> Result<Self> {
        let wrong = |detail: &str| {
            Error::new(
                Kind::InvalidParameter,
                format!("invalid hierarchy of column \"{}\"", column.name),
            )
            .with_detail(detail)
        };
        let Value::Object(given) = given else {
            return Err(wrong("It must be an object."));
        };
        let mut by = By::Nothing;
        let mut suppress = None;
        for (key, value) in given {
            let read = match key.as_str() {
                "suppress" => {
                    let value = value.as_bool();
                    suppress = Some(value.ok_or_else(|| wrong("suppress is true or false."))?);
                    continue;
                }
                "steps" => steps(column, value),
                "parts" => parts(column, value),
                "prefix" => prefix(value),
                "tree" => tree(value),
                _ => Err("It has steps, parts, prefix or tree, and suppress."),
            };
            if by != By::Nothing {
                return Err(wrong("It has one of steps, parts, prefix and tree."));
            }
            by = read.map_err(wrong)?;
        }
        let fits = match &by {
            By::Nothing | By::Tree(_) => true,
            By::Steps(_) => column.of.is_number(),
            By::Parts(_) => column.of.is_moment(),
            By::Prefix(_) => column.of == Of::Text,
        };
        if !fits {
            return Err(Error::new(
                Kind::DatatypeMismatch,
                format!("the hierarchy of column \"{}\" does not fit", column.name),
            )
            .with_detail(format!(
                "Its type is {}; steps are for numbers, parts for dates and timestamps, prefix for \
                 texts.",
                column.type_name
            )));
        }
        let has_root = matches!(by, By::Tree(_));
        if !has_root && by.levels() > MOST_LEVELS {
            return Err(wrong(&format!("It has more than {MOST_LEVELS} levels.")));
        }
        Ok(Self {
            by,
            is_suppressed: suppress.unwrap_or(!has_root),
        })
    }

    /// What SQL makes of a value at a level, between level 0 and the last that is not NULL for all;
    /// not for trees, which are looked up.
    pub fn expression(&self, of: Of, level: usize, value: &str) -> Option<String> {
        let place = level.checked_sub(1)?;
        match &self.by {
            By::Nothing | By::Tree(_) => None,
            By::Steps(steps) => steps.get(place).map(|step| floor(of, &step.text, value)),
            By::Parts(parts) => parts.get(place).map(|part| cut(of, part, value)),
            By::Prefix(lengths) => lengths
                .get(place)
                .map(|length| format!("pg_catalog.left({value}::pg_catalog.text, {length})")),
        }
    }

    /// How many levels there are above the value as it is and below NULL for all; of a tree of such
    /// a height.
    pub fn inner(&self, height_of_tree: u32) -> usize {
        match &self.by {
            By::Tree(_) => height_of_tree as usize,
            by => by.levels(),
        }
    }
}

/// The most levels of a column, as of a tree.
const MOST_LEVELS: usize = 64;

impl By {
    /// How many levels are named.
    fn levels(&self) -> usize {
        match self {
            Self::Nothing | Self::Tree(_) => 0,
            Self::Steps(steps) => steps.len(),
            Self::Parts(parts) => parts.len(),
            Self::Prefix(lengths) => lengths.len(),
        }
    }
}

/// The multiple below a number, exactly; the infinities and NaN stay as they are.
fn floor(of: Of, step: &str, value: &str) -> String {
    let number = match of {
        Of::Float => format!("{value}::pg_catalog.text::pg_catalog.numeric"),
        _ => format!("{value}::pg_catalog.numeric"),
    };
    let below =
        format!("{number} - pg_catalog.mod(pg_catalog.mod({number}, {step}) + {step}, {step})");
    match of {
        Of::Integer(bytes) => {
            let (least, of) = match bytes {
                2 => ("-32768", "int2"),
                4 => ("-2147483648", "int4"),
                _ => ("-9223372036854775808", "int8"),
            };
            format!("GREATEST({below}, {least})::pg_catalog.{of}")
        }
        Of::Float => format!(
            "CASE WHEN {value} IN ('Infinity', '-Infinity') THEN {value}::pg_catalog.float8 \
             ELSE ({below})::pg_catalog.float8 END"
        ),
        _ => {
            format!("CASE WHEN {value} IN ('Infinity', '-Infinity') THEN {value} ELSE {below} END")
        }
    }
}

/// The beginning of a unit, in UTC where it depends on a zone.
fn cut(of: Of, part: &str, value: &str) -> String {
    let part = literal(part);
    match of {
        Of::Date => {
            format!("pg_catalog.date_trunc({part}, {value}::pg_catalog.timestamp)::pg_catalog.date")
        }
        Of::Timestamptz => format!(
            "pg_catalog.timezone('UTC', pg_catalog.date_trunc({part}, \
             pg_catalog.timezone('UTC', {value})))"
        ),
        _ => format!("pg_catalog.date_trunc({part}, {value})"),
    }
}

type Read = Result<By, &'static str>;

fn steps(column: &Column, value: &Value) -> Read {
    const WRONG: &str = "steps is a list of numbers above 0, without exponents.";
    let Value::Array(given) = value else {
        return Err(WRONG);
    };
    let mut steps: Vec<Step> = Vec::new();
    for number in given {
        let Value::Number(number) = number else {
            return Err(WRONG);
        };
        let step = Step::parse(&number.to_string()).ok_or(WRONG)?;
        if matches!(column.of, Of::Integer(_)) && !step.is_whole() {
            return Err("Steps of integers are whole numbers.");
        }
        if let Some(last) = steps.last()
            && (step.units <= last.units || step.units % last.units != 0)
        {
            return Err("Each step is a multiple of the one before it, and greater.");
        }
        steps.push(step);
    }
    (!steps.is_empty()).then_some(By::Steps(steps)).ok_or(WRONG)
}

/// Units of time, each cut in whole units of those before it, but for weeks.
const PARTS: [&str; 8] = [
    "minute", "hour", "day", "week", "month", "quarter", "year", "decade",
];

fn parts(column: &Column, value: &Value) -> Read {
    const WRONG: &str =
        "parts is a list of minute, hour, day, week, month, quarter, year and decade.";
    let Value::Array(given) = value else {
        return Err(WRONG);
    };
    let mut parts: Vec<&'static str> = Vec::new();
    let place = |word: &str| PARTS.iter().position(|part| *part == word);
    for part in given {
        let found = part.as_str().and_then(place).ok_or(WRONG)?;
        if column.of == Of::Date && found <= 2 {
            return Err("A date has no hours, and is a day already.");
        }
        if let Some(last) = parts.last()
            && place(last) >= Some(found)
        {
            return Err("Each part is greater than the one before it.");
        }
        if parts.last() == Some(&"week") {
            return Err("A week is no part of a month or a year: it is the last.");
        }
        parts.push(PARTS[found]);
    }
    (!parts.is_empty()).then_some(By::Parts(parts)).ok_or(WRONG)
}

fn prefix(value: &Value) -> Read {
    const WRONG: &str = "prefix is a list of lengths, each less than the one before it.";
    let Value::Array(given) = value else {
        return Err(WRONG);
    };
    let mut lengths: Vec<u32> = Vec::new();
    for length in given {
        let length = length
            .as_u64()
            .and_then(|length| u32::try_from(length).ok());
        let length = length.filter(|length| (1..=1000).contains(length));
        let length = length.ok_or(WRONG)?;
        if lengths.last().is_some_and(|last| length >= *last) {
            return Err(WRONG);
        }
        lengths.push(length);
    }
    (!lengths.is_empty())
        .then_some(By::Prefix(lengths))
        .ok_or(WRONG)
}

fn tree(value: &Value) -> Read {
    let name = value.as_str().filter(|name| !name.trim().is_empty());
    let name = name.ok_or("tree is the name of a relation with the columns value and parent.")?;
    Ok(By::Tree(name.to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::anonymity::relation::tests::relation;
    use serde_json::json;

    fn of(of: Of, given: Value) -> Result<Hierarchy, Kind> {
        let column = relation(&[("c", of)]).columns.remove(0);
        Hierarchy::parse(&column, &given).map_err(|error| error.kind())
    }

    #[test]
    fn hierarchies_are_read() {
        let steps = of(Of::Integer(4), json!({"steps": [5, 10, 100]})).expect("fine");
        assert_eq!((steps.inner(0), steps.is_suppressed), (3, true));
        let half = of(Of::Numeric, json!({"steps": [0.5, 1.5], "suppress": false}));
        assert!(!half.expect("fine").is_suppressed);
        let parts = of(Of::Date, json!({"parts": ["month", "year", "decade"]}));
        assert_eq!(parts.expect("fine").inner(0), 3);
        assert!(of(Of::Timestamp, json!({"parts": ["hour", "week"]})).is_ok());
        assert!(of(Of::Text, json!({"prefix": [3, 1]})).is_ok());
        let tree = of(Of::Other, json!({"tree": "s.t"})).expect("fine");
        assert_eq!((tree.inner(4), tree.is_suppressed), (4, false));
        assert_eq!(of(Of::Other, json!({})), Ok(Hierarchy::PLAIN));
    }

    #[test]
    fn what_is_no_hierarchy_is_refused() {
        let wrong = [
            (Of::Text, json!([])),
            (Of::Text, json!({"levels": 1})),
            (Of::Text, json!({"prefix": [3], "tree": "t"})),
            (Of::Text, json!({"prefix": [1, 3]})),
            (Of::Text, json!({"prefix": [0]})),
            (Of::Text, json!({"prefix": 3})),
            (
                Of::Text,
                json!({"prefix": (1..66).rev().collect::<Vec<u32>>()}),
            ),
            (Of::Text, json!({"tree": 3})),
            (Of::Text, json!({"suppress": "yes"})),
            (Of::Integer(4), json!({"steps": []})),
            (Of::Integer(4), json!({"steps": [10, 15]})),
            (Of::Integer(4), json!({"steps": [10, 5]})),
            (Of::Integer(4), json!({"steps": [0]})),
            (Of::Integer(4), json!({"steps": [-5]})),
            (Of::Integer(4), json!({"steps": [2.5]})),
            (Of::Numeric, json!({"steps": [1e30]})),
            (Of::Numeric, json!({"steps": ["1); DROP"]})),
            (Of::Date, json!({"parts": ["hour"]})),
            (Of::Date, json!({"parts": ["week", "month"]})),
            (Of::Date, json!({"parts": ["year", "month"]})),
            (Of::Date, json!({"parts": ["epoch"]})),
        ];
        for (kind, given) in wrong {
            assert_eq!(
                of(kind, given.clone()),
                Err(Kind::InvalidParameter),
                "{given}"
            );
        }
        for (kind, given) in [
            (Of::Text, json!({"steps": [1]})),
            (Of::Integer(4), json!({"parts": ["year"]})),
            (Of::Date, json!({"prefix": [3]})),
        ] {
            assert_eq!(
                of(kind, given.clone()),
                Err(Kind::DatatypeMismatch),
                "{given}"
            );
        }
    }

    #[test]
    fn expressions_name_the_catalog() {
        let hierarchy = of(Of::Integer(2), json!({"steps": [10.0]})).expect("fine");
        assert_eq!(hierarchy.expression(Of::Integer(2), 0, "t.\"c\""), None);
        assert_eq!(
            hierarchy
                .expression(Of::Integer(2), 1, "t.\"c\"")
                .as_deref(),
            Some(
                "GREATEST(t.\"c\"::pg_catalog.numeric - pg_catalog.mod(pg_catalog.mod(\
                 t.\"c\"::pg_catalog.numeric, 10) + 10, 10), -32768)::pg_catalog.int2"
            )
        );
        assert_eq!(hierarchy.expression(Of::Integer(2), 2, "v"), None);
    }
}
