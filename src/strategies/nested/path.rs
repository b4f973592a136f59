//! Paths into a document: a subset of JSONPath (RFC 9535).
//!
//! `$.a.b`, `$['odd key']`, `$.items[0]`, `$.items[*]`, `$.*`, `$..email`, `$..*`. No filters, no
//! slices, no unions, no negative index. A text that does not begin with `$` is the name of one
//! member of the root, which is how a key of an hstore is written. A `~` at the end, which is no
//! part of the standard, leads to the names of the members in place of their values: `$.users.*~`.

use std::cmp::Ordering;
use std::fmt;

use super::token;

/// A path, from the root down.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Path {
    segments: Vec<Segment>,
    /// Whether it leads to the name of a member.
    names: bool,
}

/// One step of a path.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Segment {
    /// Whether it may be taken at any depth below: `..`.
    pub(super) descends: bool,
    /// Where it leads.
    pub(super) step: Step,
}

/// Where a step leads.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Step {
    /// To every member and element.
    Any,
    /// To one element of an array.
    Index(usize),
    /// To the members of one name.
    Key(String),
}

/// What leads from a container to a part of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Label<'a> {
    Index(usize),
    Key(&'a str),
}

impl Step {
    pub(super) fn leads_to(&self, label: Label<'_>) -> bool {
        match (self, label) {
            (Self::Any, _) => true,
            (Self::Index(own), Label::Index(index)) => *own == index,
            (Self::Key(own), Label::Key(key)) => own == key,
            _ => false,
        }
    }
}

impl Path {
    /// Reads a path.
    ///
    /// # Errors
    /// What is wrong with it, as a sentence.
    pub(super) fn parse(text: &str) -> Result<Self, String> {
        if text.chars().count() > LONGEST {
            return Err(format!("It must have at most {LONGEST} characters."));
        }
        let Some(rest) = text.strip_prefix('$') else {
            return Ok(Self {
                segments: vec![Segment {
                    descends: false,
                    step: Step::Key(text.to_owned()),
                }],
                names: false,
            });
        };
        let mut segments = Vec::new();
        let mut rest = rest;
        let mut names = false;
        while !rest.is_empty() {
            if rest == "~" && !segments.is_empty() {
                names = true;
                break;
            }
            let at = text.len() - rest.len();
            let segment;
            (segment, rest) = next(rest).map_err(|what| {
                let place = text[..at].chars().count() + 1;
                format!("{what} is expected at character {place} of the path. {FORMS}")
            })?;
            segments.push(segment);
            if segments.len() > MOST_SEGMENTS {
                return Err(format!("It must have at most {MOST_SEGMENTS} steps."));
            }
        }
        Ok(Self { segments, names })
    }

    pub(super) fn segments(&self) -> &[Segment] {
        &self.segments
    }

    /// Whether it leads to the name of a member in place of its value.
    pub(super) fn leads_to_names(&self) -> bool {
        self.names
    }

    /// Whether it leads to something below another path only.
    pub(super) fn is_below(&self, other: &Self) -> bool {
        self.segments.len() > other.segments.len() && self.segments.starts_with(&other.segments)
    }

    /// The more specific of two paths is the greater: segment by segment a name or an index beats
    /// a wildcard, and both beat a descent; if all are alike, the longer one is greater.
    pub(super) fn cmp_specific(&self, other: &Self) -> Ordering {
        let ranks = |path: &Self| path.segments.iter().map(Segment::rank).collect::<Vec<_>>();
        ranks(self).cmp(&ranks(other))
    }

    /// Whether some part of some document lies on both paths.
    pub(super) fn meets(&self, other: &Self) -> bool {
        let (own, other) = match self.names == other.names {
            true => (&self.segments, &other.segments),
            false => return false,
        };
        // Pairs of places on the two paths that one and the same way leads to.
        let width = other.len() + 1;
        let mut seen = vec![false; (own.len() + 1) * width];
        let mut open = vec![(0, 0)];
        while let Some((i, j)) = open.pop() {
            if std::mem::replace(&mut seen[i * width + j], true) {
                continue;
            }
            match (own.get(i), other.get(j)) {
                (None, None) => return true,
                (Some(a), Some(b)) => {
                    if a.step.is_compatible(&b.step) {
                        open.push((i + 1, j + 1));
                    }
                    if a.descends {
                        open.push((i, j + 1));
                    }
                    if b.descends {
                        open.push((i + 1, j));
                    }
                }
                _ => {}
            }
        }
        false
    }
}

impl Segment {
    fn rank(&self) -> u8 {
        match (self.descends, &self.step) {
            (false, Step::Index(_) | Step::Key(_)) => 3,
            (false, Step::Any) => 2,
            (true, Step::Index(_) | Step::Key(_)) => 1,
            (true, Step::Any) => 0,
        }
    }
}

impl Step {
    fn is_compatible(&self, other: &Self) -> bool {
        *self == Self::Any || *other == Self::Any || self == other
    }
}

impl fmt::Display for Path {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("$")?;
        for segment in &self.segments {
            let dots = if segment.descends { ".." } else { "" };
            match &segment.step {
                Step::Any if segment.descends => write!(f, "..*")?,
                Step::Any => write!(f, "[*]")?,
                Step::Index(index) => write!(f, "{dots}[{index}]")?,
                Step::Key(key) if is_plain(key) && segment.descends => write!(f, "..{key}")?,
                Step::Key(key) if is_plain(key) => write!(f, ".{key}")?,
                Step::Key(key) => {
                    write!(f, "{dots}['")?;
                    for c in key.chars() {
                        match c {
                            '\'' | '\\' => write!(f, "\\{c}")?,
                            c if c.is_control() => write!(f, "\\u{:04x}", u32::from(c))?,
                            c => write!(f, "{c}")?,
                        }
                    }
                    write!(f, "']")?;
                }
            }
        }
        f.write_str(if self.names { "~" } else { "" })
    }
}

/// Reads one segment and returns what follows it, or else what is expected.
fn next(text: &str) -> Result<(Segment, &str), &'static str> {
    let (descends, rest) = match text.strip_prefix("..") {
        Some(rest) => (true, rest),
        None => (false, text),
    };
    let after_dot = if descends {
        (!rest.starts_with('[')).then_some(rest)
    } else {
        rest.strip_prefix('.')
    };
    let (step, rest) = if let Some(rest) = after_dot {
        if let Some(rest) = rest.strip_prefix('*') {
            (Step::Any, rest)
        } else {
            let end = rest.find(|c| !is_name_char(c)).unwrap_or(rest.len());
            let (name, rest) = rest.split_at(end);
            if !is_plain(name) {
                return Err("A name after the dot");
            }
            (Step::Key(name.to_owned()), rest)
        }
    } else {
        let rest = rest.strip_prefix('[').ok_or("A dot or a bracket")?;
        let (step, rest) = bracket(rest)?;
        (step, rest.strip_prefix(']').ok_or("A closing bracket")?)
    };
    Ok((Segment { descends, step }, rest))
}

/// Reads what stands in brackets.
fn bracket(text: &str) -> Result<(Step, &str), &'static str> {
    const WANTED: &str = "A quoted name, an index or \"*\" in brackets";
    if let Some(rest) = text.strip_prefix('*') {
        return Ok((Step::Any, rest));
    }
    let quote = text.chars().next().ok_or(WANTED)?;
    if quote == '\'' || quote == '"' {
        let inside = &text[1..];
        let mut escaped = false;
        let end = inside
            .find(|c| {
                let closes = c == quote && !escaped;
                escaped = c == '\\' && !escaped;
                closes
            })
            .ok_or("A closing quote")?;
        let name = token::unescape(&inside[..end]).ok_or("A name with valid escapes")?;
        if name.contains('\0') {
            return Err("A name without zero bytes");
        }
        return Ok((Step::Key(name.into_owned()), &inside[end + 1..]));
    }
    let end = text
        .find(|c: char| !c.is_ascii_digit())
        .unwrap_or(text.len());
    let (digits, rest) = text.split_at(end);
    let is_canonical = digits == "0" || !digits.starts_with('0');
    let index = digits.parse::<u32>().ok().filter(|_| is_canonical);
    let index = index.and_then(|index| usize::try_from(index).ok());
    Ok((Step::Index(index.ok_or(WANTED)?), rest))
}

/// A name that needs no brackets: a letter, `_` or a character outside ASCII, and digits.
fn is_plain(name: &str) -> bool {
    !name.starts_with(|c: char| c.is_ascii_digit())
        && !name.is_empty()
        && name.chars().all(is_name_char)
}

fn is_name_char(c: char) -> bool {
    c.is_ascii_alphanumeric() || c == '_' || !c.is_ascii() && !c.is_control()
}

const LONGEST: usize = 1024;
const MOST_SEGMENTS: usize = 32;
const FORMS: &str = "Paths are like $.a.b, $['odd key'], $.list[0], $.list[*].name, $..name.";

#[cfg(test)]
mod tests {
    use super::*;

    fn path(text: &str) -> Path {
        Path::parse(text).unwrap()
    }

    #[test]
    fn path_reads_the_forms_it_names() {
        let key = |name: &str| Step::Key(name.to_owned());
        let steps = |text: &str| {
            let segments = path(text).segments.into_iter();
            segments.map(|s| (s.descends, s.step)).collect::<Vec<_>>()
        };
        assert_eq!(steps("$"), []);
        assert_eq!(steps("$.a.b"), [(false, key("a")), (false, key("b"))]);
        assert_eq!(steps("$.é_1"), [(false, key("é_1"))]);
        assert_eq!(steps("$['a b']"), [(false, key("a b"))]);
        assert_eq!(steps("$[\"it's\"]"), [(false, key("it's"))]);
        assert_eq!(steps(r"$['it\'s']"), [(false, key("it's"))]);
        assert_eq!(steps(r"$['\\']"), [(false, key("\\"))]);
        assert_eq!(steps(r"$['\u00e9']"), [(false, key("é"))]);
        assert_eq!(steps("$['']"), [(false, key(""))]);
        assert_eq!(steps("$[10]"), [(false, Step::Index(10))]);
        assert_eq!(steps("$[*].*"), [(false, Step::Any), (false, Step::Any)]);
        assert_eq!(steps("$..a"), [(true, key("a"))]);
        assert_eq!(steps("$..*"), [(true, Step::Any)]);
        assert_eq!(
            steps("$..[0]..['x']"),
            [(true, Step::Index(0)), (true, key("x"))]
        );
        assert_eq!(steps("first name"), [(false, key("first name"))]);
        assert_eq!(steps("a.b"), [(false, key("a.b"))]);
        assert_eq!(steps(""), [(false, key(""))]);
    }

    #[test]
    fn path_refuses_everything_else_with_the_place() {
        for (text, place) in [
            ("$a", 2),
            ("$.", 2),
            ("$.a.", 4),
            ("$..", 2),
            ("$...a", 2),
            ("$.1", 2),
            ("$.a-b", 4),
            ("$.a b", 4),
            ("$[", 2),
            ("$[]", 2),
            ("$[-1]", 2),
            ("$[01]", 2),
            ("$[1:2]", 2),
            ("$[0,1]", 2),
            ("$[99999999999]", 2),
            ("$[?(@.a)]", 2),
            ("$['a]", 2),
            ("$['a'", 2),
            (r"$['\x']", 2),
            (r"$['\ud800']", 2),
            (r"$['\u0000']", 2),
            ("$é", 2),
            ("$~", 2),
            ("$.a~~", 4),
            ("$.a~.b", 4),
        ] {
            let refused = Path::parse(text).unwrap_err();
            let at = format!("at character {place} of the path.");
            assert!(refused.contains(&at), "{text}: {refused}");
        }
        assert!(Path::parse(&format!("${}", ".a".repeat(33))).is_err());
        assert!(Path::parse(&"a".repeat(1025)).is_err());
    }

    #[test]
    fn path_written_and_read_again_is_equal() {
        for text in [
            "$",
            "$.a.b",
            "$['a b']",
            r"$['it\'s \\']",
            "$[10]",
            "$[*].*",
            "$..a..*",
            "$..[0]",
            "$..['x y']",
            "name",
            "",
            "$['$a']",
            r"$['\u0001\u0085']",
            "$['1']",
            "$..a~",
        ] {
            let read = path(text);
            assert_eq!(path(&read.to_string()), read, "{text}");
        }
        assert_eq!(path("first name").to_string(), "$['first name']");
        assert_eq!(path("$.*").to_string(), "$[*]");
        assert_eq!(path("$.a.*~").to_string(), "$.a[*]~");
        assert!(path("$..*~").leads_to_names() && !path("a~").leads_to_names());
    }

    #[test]
    fn path_prefers_the_more_specific() {
        let ordered = [
            "$..*", "$..*.a", "$..a", "$..a.b", "$[*]", "$[*][*]", "$[*].a", "$.a", "$.a..b",
            "$.a[*]", "$.a.b",
        ];
        for pair in ordered.windows(2) {
            let order = path(pair[0]).cmp_specific(&path(pair[1]));
            assert_eq!(order, Ordering::Less, "{pair:?}");
        }
        assert_eq!(path("$.a").cmp_specific(&path("$[0]")), Ordering::Equal);
    }

    #[test]
    fn path_meets_another_where_a_document_can() {
        for (a, b, meet) in [
            ("$.a", "$['a']", true),
            ("$.a", "$.b", false),
            ("$.a", "$[0]", false),
            ("$.a", "$.a.b", false),
            ("$.*", "$[0]", true),
            ("$..a..b", "$..c..b", true),
            ("$..a.b", "$..c.b", false),
            ("$..a", "$.x.y.a", true),
            ("$..a", "$.x.y.b", false),
            ("$..a.b", "$..b", true),
            ("$", "$..*", false),
            ("$", "$", true),
            ("$.a~", "$.a", false),
            ("$.a~", "$.*~", true),
        ] {
            assert_eq!(path(a).meets(&path(b)), meet, "{a} {b}");
            assert_eq!(path(b).meets(&path(a)), meet, "{a} {b}");
        }
    }

    #[test]
    fn path_knows_what_lies_below_it() {
        assert!(path("$.a.b").is_below(&path("$.a")));
        assert!(!path("$.a").is_below(&path("$.a")));
        assert!(!path("$.a[*]").is_below(&path("$.b")));
    }
}
