//! What becomes of which part of a document: paths with their actions, the most specific first.
//!
//! The part that a path leads to, and everything below it, has the action of that path; a path
//! that leads further down wins there. Where several lead to the same part, the most specific
//! wins ([`Path::cmp_specific`]); two that nothing tells apart are refused.

use std::collections::BTreeMap;

use super::path::{Label, Path};
use super::spec::{Action, SpecError};
use crate::strategies::ValueType;
use crate::strategies::params::{ParamError, Reader, Value};

/// The parameters `paths` and `unlisted`, checked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Rules {
    paths: Vec<(Path, Action)>,
    unlisted: Action,
}

impl Rules {
    pub(super) fn new(reader: &Reader<'_>) -> Result<Self, ParamError> {
        let word = reader.text(UNLISTED, "redact");
        let within = |refused: &SpecError, param, part: &str| {
            refused.inside(param, reader.kind().name(), part)
        };
        let unlisted = Action::new(&Value::from(word))
            .map_err(|refused| within(&refused, UNLISTED, "every other path"))?;
        let none = BTreeMap::new();
        let written = reader.map(PATHS).unwrap_or(&none);
        if written.len() > MOST_PATHS {
            return Err(reader.invalid(PATHS, format!("It may have {MOST_PATHS} paths at most.")));
        }
        let mut paths = Vec::with_capacity(written.len());
        for (text, action) in written {
            let refuse = |detail| reader.invalid(PATHS, format!("At {}: {detail}", shown(text)));
            let path = Path::parse(text).map_err(refuse)?;
            let action = Action::new(action).map_err(|refused| within(&refused, PATHS, text))?;
            if path.segments().is_empty() && action == Action::Drop {
                return Err(refuse("The root cannot be dropped.".to_owned()));
            }
            if path.leads_to_names() && !fits_names(&action) {
                let detail = "Names of members take keep, or a strategy that takes text.";
                return Err(refuse(detail.to_owned()));
            }
            paths.push((path, action));
        }
        paths.sort_by(|(a, _), (b, _)| {
            b.cmp_specific(a)
                .then_with(|| a.to_string().cmp(&b.to_string()))
        });
        let rules = Self { paths, unlisted };
        if let Some(detail) = rules.conflict() {
            return Err(reader.invalid(PATHS, detail));
        }
        if !rules.paths.is_empty() {
            let paths = rules.paths.iter();
            let paths = paths.map(|(path, action)| (path.to_string(), action.value()));
            reader.note(PATHS, Value::Map(paths.collect()));
        }
        Ok(rules)
    }

    /// What nothing decides: two paths to one part, or a path into a part that is gone.
    fn conflict(&self) -> Option<String> {
        let steps: usize = self
            .paths
            .iter()
            .map(|(path, _)| path.segments().len())
            .sum();
        if steps > MOST_STEPS {
            return Some(format!("Its paths may have {MOST_STEPS} steps in all."));
        }
        for (place, (path, action)) in self.paths.iter().enumerate() {
            let (shown_path, rest) = (shown(&path.to_string()), &self.paths[place + 1..]);
            let same = |other: &&(Path, Action)| {
                path.cmp_specific(&other.0).is_eq() && path.meets(&other.0)
            };
            if let Some((other, _)) = rest.iter().find(same) {
                let other = shown(&other.to_string());
                return Some(format!(
                    "Paths {shown_path} and {other} lead to the same part, and none is more \
                     specific."
                ));
            }
            let whole = matches!(action, Action::Drop | Action::Null);
            let below = self.paths.iter().find(|(other, _)| other.is_below(path));
            if let (true, Some((below, _))) = (whole, below) {
                let below = shown(&below.to_string());
                return Some(format!(
                    "Path {below} lies below {shown_path}, which is taken out."
                ));
            }
        }
        None
    }

    /// The paths with their actions, the most specific first.
    pub(super) fn paths(&self) -> &[(Path, Action)] {
        &self.paths
    }

    /// Every action there is, with the name of its place: that of `unlisted` first, those of the
    /// paths in their order.
    pub(super) fn actions(&self) -> impl Iterator<Item = (String, &Action)> {
        let listed = self
            .paths
            .iter()
            .map(|(path, action)| (path.to_string(), action));
        std::iter::once((UNLISTED.to_owned(), &self.unlisted)).chain(listed)
    }
}

fn fits_names(action: &Action) -> bool {
    match action {
        Action::Keep => true,
        Action::Drop | Action::Null => false,
        Action::Mask(spec) => spec.strategy().accepts(ValueType::Text),
    }
}

/// Which paths lead to a part: by their places among the most specific first.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Arrived {
    /// To its value.
    pub(super) value: Option<usize>,
    /// To its name.
    pub(super) name: Option<usize>,
}

/// How far a walk has come on one path: the segment that waits for the next part.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct State {
    path: u16,
    segment: u16,
}

/// The paths, as a walk follows them: all at once, each part seen once.
pub(super) struct Follower(Vec<Path>);

impl Follower {
    pub(super) fn new(rules: &Rules) -> Self {
        Self(rules.paths.iter().map(|(path, _)| path.clone()).collect())
    }

    /// Pushes the states at the root and returns which path leads there, by its place among the
    /// most specific first.
    pub(super) fn start(&self, states: &mut Vec<State>) -> Option<usize> {
        let mut arrived = None;
        for (place, path) in (0u16..).zip(&self.0) {
            if path.segments().is_empty() {
                arrived = Some(usize::from(place));
            } else {
                states.push(State {
                    path: place,
                    segment: 0,
                });
            }
        }
        arrived
    }

    /// Pushes the states at a part, given those of its container. Returns the most specific paths
    /// that lead to the part.
    pub(super) fn step(
        &self,
        states: &mut Vec<State>,
        from: std::ops::Range<usize>,
        label: Label<'_>,
    ) -> Arrived {
        let mut arrived = Arrived::default();
        let own = states.len();
        for at in from {
            let state = states[at];
            let path = &self.0[usize::from(state.path)];
            let segments = path.segments();
            let segment = &segments[usize::from(state.segment)];
            if segment.descends && !states[own..].contains(&state) {
                states.push(state);
            }
            if !segment.step.leads_to(label) {
                continue;
            }
            let next = State {
                segment: state.segment + 1,
                ..state
            };
            match segments.get(usize::from(next.segment)) {
                None => {
                    let place = usize::from(state.path);
                    let best = if path.leads_to_names() {
                        &mut arrived.name
                    } else {
                        &mut arrived.value
                    };
                    *best = Some(best.map_or(place, |other| other.min(place)));
                }
                // Only a state that stays can be pushed twice.
                Some(segment) if segment.descends && states[own..].contains(&next) => {}
                Some(_) => states.push(next),
            }
        }
        arrived
    }
}

fn shown(path: &str) -> String {
    crate::strategies::params::quote(path)
}

pub(super) const PATHS: &str = "paths";
pub(super) const UNLISTED: &str = "unlisted";
const MOST_PATHS: usize = 256;
const MOST_STEPS: usize = 1024;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::strategies::{Kind, Params};

    fn rules(paths: &[(&str, &str)]) -> Result<Rules, ParamError> {
        let paths = paths.iter().map(|&(k, v)| (k.to_owned(), Value::from(v)));
        let params = Params::from([(PATHS.to_owned(), Value::Map(paths.collect()))]);
        Rules::new(&Reader::new(Kind::Json, &params)?)
    }

    /// Which path decides at a part, by the text of the path.
    fn decides(paths: &[&str], way: &[Label<'_>]) -> Option<String> {
        let written: Vec<_> = paths.iter().map(|path| (*path, "keep")).collect();
        let rules = rules(&written).unwrap();
        let follower = Follower::new(&rules);
        let mut states = Vec::new();
        let mut arrived = follower.start(&mut states);
        let mut from = 0;
        for label in way {
            let end = states.len();
            let step = follower.step(&mut states, from..end, *label);
            arrived = step.value.or(step.name);
            from = end;
        }
        arrived.map(|place| rules.paths()[place].0.to_string())
    }

    #[test]
    fn rules_follow_every_form_of_path() {
        use Label::{Index, Key};
        let decides = |path: &str, way: &[Label<'_>]| decides(&[path], way).is_some();
        assert!(decides("$", &[]));
        assert!(decides("$.a.b", &[Key("a"), Key("b")]));
        assert!(!decides("$.a.b", &[Key("a")]));
        assert!(!decides("$.a.b", &[Key("b"), Key("b")]));
        assert!(!decides("$.a", &[Key("a"), Key("a")]));
        assert!(decides("$[1]", &[Index(1)]));
        assert!(!decides("$[1]", &[Key("1")]));
        assert!(decides("$[*].a", &[Index(7), Key("a")]));
        assert!(decides("$.*.a", &[Key("x"), Key("a")]));
        assert!(decides("$..a", &[Key("a")]));
        assert!(decides("$..a", &[Key("x"), Index(0), Key("a")]));
        assert!(decides("$..a", &[Key("a"), Key("a")]));
        assert!(!decides("$..a", &[Key("a"), Key("b")]));
        assert!(decides("$..a.b", &[Key("a"), Key("a"), Key("b")]));
        assert!(decides("$..a..b", &[Key("a"), Key("x"), Key("b")]));
        assert!(decides("$..*", &[Index(0)]));
        assert!(!decides("$..*", &[]));
        assert!(decides("$.a.*~", &[Key("a"), Key("x")]));
    }

    #[test]
    fn rules_let_the_most_specific_path_decide() {
        use Label::Key;
        let paths = ["$..email", "$.user.email", "$.*.email", "$..*", "$.user"];
        let decides = |way: &[Label<'_>]| decides(&paths, way).unwrap();
        assert_eq!(decides(&[Key("user"), Key("email")]), "$.user.email");
        assert_eq!(decides(&[Key("x"), Key("email")]), "$[*].email");
        assert_eq!(decides(&[Key("x"), Key("y"), Key("email")]), "$..email");
        assert_eq!(decides(&[Key("user")]), "$.user");
        assert_eq!(decides(&[Key("user"), Key("name")]), "$..*");
    }

    #[test]
    fn rules_keep_few_states_in_deep_documents() {
        let rules = rules(&[("$..a..a..b", "keep")]).unwrap();
        let follower = Follower::new(&rules);
        let mut states = Vec::new();
        follower.start(&mut states);
        for _ in 0..1000 {
            let mut next = states.clone();
            follower.step(&mut next, 0..states.len(), Label::Key("a"));
            states = next.split_off(states.len());
            assert!(states.len() <= 3);
        }
    }

    #[test]
    fn rules_refuse_conflicts() {
        for (paths, detail) in [
            (vec![("$.a", "keep"), ("$['a']", "drop")], "$.a"),
            (vec![("a", "keep"), ("$.a", "keep")], "$.a"),
            (vec![("$..a..c", "keep"), ("$..b..c", "keep")], "$..a..c"),
            (vec![("$.a", "drop"), ("$.a.b", "keep")], "$.a.b"),
            (vec![("$.a", "null"), ("$.a..b", "keep")], "$.a..b"),
            (vec![("$", "drop")], "root"),
            (vec![("$.a~", "drop")], "$.a~"),
            (vec![("$.a~", "null")], "$.a~"),
            (vec![("$.a", "emial")], "$.a"),
            (vec![("$.a[", "keep")], "$.a["),
        ] {
            let refused = rules(&paths).unwrap_err();
            assert_eq!(refused.param, "paths", "{paths:?}");
            let told = refused.error.detail().unwrap();
            assert!(told.contains(detail), "{paths:?}: {told}");
        }
        assert!(rules(&[("$..a.c", "keep"), ("$..b.c", "keep")]).is_ok());
        assert!(rules(&[("$.a", "keep"), ("$.a.b", "drop")]).is_ok());
        let refused = rules(&[("$.a", "emial")]).unwrap_err();
        assert!(refused.error.hint().unwrap().contains("\"email\"?"));
    }

    #[test]
    fn rules_are_bounded() {
        let many: Vec<String> = (0..=MOST_PATHS).map(|n| format!("$.a{n}")).collect();
        let paths: Vec<_> = many.iter().map(|path| (path.as_str(), "keep")).collect();
        assert!(rules(&paths).is_err());
        assert!(rules(&paths[1..]).is_ok());
        let many: Vec<String> = (0..40)
            .map(|n| format!("$.a{n}{}", ".b".repeat(30)))
            .collect();
        let paths: Vec<_> = many.iter().map(|path| (path.as_str(), "keep")).collect();
        assert!(rules(&paths).is_err());
    }
}
