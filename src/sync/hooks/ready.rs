//! The hooks that come with the extension: which there are, when they can be called, and what they
//! can be told.

use serde_json::{Map, Value};

use super::limits::Limits;
use super::reading::{self, invalid, object, unrecognized};
use super::scan::Scan;
use super::{Hook, Moment};
use crate::error::{Error, Kind, Result};

/// Most names of a list in settings.
const MOST_NAMES: usize = 1000;

const A_LIST: &str = "It must be a list of at most 1000 names.";

/// One of them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ready {
    /// Counts the rows of tables for the planner.
    Analyze,
    /// Makes materialized views anew.
    RefreshMaterializedViews,
    /// Looks at how many rows were written.
    RowLimits,
    /// Looks into what the profile lets through.
    ScanSource,
}

impl Ready {
    const ALL: [Self; 4] = [
        Self::Analyze,
        Self::RefreshMaterializedViews,
        Self::RowLimits,
        Self::ScanSource,
    ];

    fn name(self) -> &'static str {
        match self {
            Self::Analyze => "hook_analyze",
            Self::RefreshMaterializedViews => "hook_refresh_materialized_views",
            Self::RowLimits => "hook_row_limits",
            Self::ScanSource => "hook_scan_source",
        }
    }

    /// When it has something to do.
    fn moments(self) -> &'static [Moment] {
        match self {
            Self::Analyze => &[Moment::Before, Moment::After],
            Self::RefreshMaterializedViews | Self::RowLimits => &[Moment::After],
            Self::ScanSource => &[Moment::Before],
        }
    }

    /// Which of them a hook is.
    pub fn of(hook: &Hook) -> Option<Self> {
        let is_it = |ready: &Self| hook.schema == "confiture" && hook.function == ready.name();
        Self::ALL.into_iter().find(is_it)
    }

    /// Whether it can be called then and with these settings.
    ///
    /// # Errors
    /// 22023 where it cannot.
    pub fn check(self, hook: &Hook) -> Result<()> {
        if !self.moments().contains(&hook.moment) {
            let names: Vec<_> = self.moments().iter().map(|moment| moment.name()).collect();
            return Err(Error::new(
                Kind::InvalidParameter,
                format!(
                    "hook {} cannot be called in phase {}",
                    hook.shown(),
                    hook.moment.name()
                ),
            )
            .with_hint(format!("Register it for {}.", names.join(" or "))));
        }
        match self {
            Self::Analyze => Among::parse(&hook.settings, "tables").map(drop),
            Self::RefreshMaterializedViews => Among::parse(&hook.settings, "views").map(drop),
            Self::RowLimits => Limits::parse(&hook.settings).map(drop),
            Self::ScanSource => Scan::parse(&hook.settings).map(drop),
        }
    }
}

/// Objects of a schema: these, or all there are.
#[derive(Debug, PartialEq, Eq)]
pub struct Among {
    /// The schema; without one that which the run reads or writes.
    pub schema: Option<String>,
    /// The names.
    pub names: Option<Vec<String>>,
}

impl Among {
    /// Reads settings with a schema and, as `list`, names.
    ///
    /// # Errors
    /// 22023 for an unrecognized name or value.
    pub fn parse(settings: &Value, list: &'static str) -> Result<Self> {
        let mut found = Self {
            schema: None,
            names: None,
        };
        for (name, value) in object(settings, "settings")? {
            match value {
                _ if name != list && name != "schema" => {
                    return Err(unrecognized(name, &["schema", list]));
                }
                Value::Null => {}
                Value::String(schema) if name == "schema" => found.schema = Some(schema.clone()),
                Value::String(_) => return Err(invalid(name, A_LIST)),
                value if name == list => {
                    let names = reading::names(value, MOST_NAMES);
                    found.names = Some(names.ok_or_else(|| invalid(name, A_LIST))?);
                }
                _ => return Err(invalid(name, "It must be the name of a schema.")),
            }
        }
        Ok(found)
    }
}

/// What a run tells a hook, as far as those of ours read it.
pub struct Told<'a>(&'a Map<String, Value>);

impl<'a> Told<'a> {
    /// Reads the argument of a hook.
    ///
    /// # Errors
    /// 22023 for what no run says.
    pub fn read(context: &'a Value) -> Result<Self> {
        object(context, "context of a hook").map(Self)
    }

    /// The settings of this hook.
    pub fn settings(&self) -> Value {
        let none = || Value::Object(Map::new());
        self.0.get("settings").cloned().unwrap_or_else(none)
    }

    /// A text.
    ///
    /// # Errors
    /// 22023 where it is not said.
    pub fn text(&self, name: &str) -> Result<&'a str> {
        self.0
            .get(name)
            .and_then(Value::as_str)
            .ok_or_else(|| untold(name))
    }

    /// Name and version of the profile.
    ///
    /// # Errors
    /// 22023 where they are not said.
    pub fn profile(&self) -> Result<(&'a str, &'a str)> {
        let profile = self.0.get("profile");
        let said = |name| profile.and_then(|profile| profile.get(name)?.as_str());
        said("name")
            .zip(said("version"))
            .ok_or_else(|| untold("profile"))
    }

    /// The moment.
    ///
    /// # Errors
    /// 22023 where it is not said.
    pub fn moment(&self) -> Result<Moment> {
        Moment::parse(self.text("phase")?)
    }

    /// The tables of the run.
    pub fn tables(&self) -> Vec<String> {
        let tables = self.0.get("tables").and_then(Value::as_array);
        let names = tables.into_iter().flatten();
        names
            .filter_map(|name| name.as_str().map(str::to_owned))
            .collect()
    }

    /// What `hook_row_limits` has to say.
    ///
    /// # Errors
    /// 22023 for other settings, and where no rows were counted.
    pub fn row_limits(&self) -> Result<Option<String>> {
        let limits = Limits::parse(&self.settings())?;
        let counts = self.0.get("counts").and_then(Value::as_object);
        let before = self.0.get("last_run").and_then(|run| run.get("counts"));
        let none = Map::new();
        let problems = limits.judge(
            counts.ok_or_else(|| untold("counts"))?,
            before.and_then(Value::as_object).unwrap_or(&none),
        );
        Ok((!problems.is_empty()).then(|| reading::reason(&problems)))
    }
}

fn untold(name: &str) -> Error {
    Error::new(
        Kind::InvalidParameter,
        format!("context of a hook has no member \"{name}\""),
    )
    .with_hint("A run calls hooks; register this one with confiture.register_hook.")
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::super::tests::hook;
    use super::*;

    fn ready(function: &str, moment: Moment, settings: Value) -> Hook {
        Hook {
            moment,
            schema: "confiture".into(),
            function: function.into(),
            settings,
            ..hook()
        }
    }

    #[test]
    fn ready_made_hooks_are_known_by_name() {
        assert_eq!(Ready::of(&hook()), None);
        let limits = ready("hook_row_limits", Moment::After, json!({"min_rows": 1}));
        assert_eq!(Ready::of(&limits), Some(Ready::RowLimits));
        let planted = Hook {
            schema: "public".into(),
            ..limits
        };
        assert_eq!(Ready::of(&planted), None);
    }

    #[test]
    fn ready_made_hooks_refuse_what_they_could_not_do() {
        let check = |hook: &Hook| Ready::of(hook).unwrap().check(hook);
        let views = "hook_refresh_materialized_views";
        for good in [
            ready("hook_row_limits", Moment::After, json!({"min_rows": 1})),
            ready(views, Moment::After, json!({})),
            ready(views, Moment::After, json!({"schema": "s", "views": ["v"]})),
            ready("hook_analyze", Moment::Before, json!({"tables": ["t"]})),
            ready("hook_analyze", Moment::After, json!({"schema": null})),
            ready("hook_scan_source", Moment::Before, json!({})),
        ] {
            assert!(check(&good).is_ok(), "{good:?}");
        }
        for bad in [
            ready("hook_row_limits", Moment::Before, json!({"min_rows": 1})),
            ready("hook_row_limits", Moment::After, json!({})),
            ready(views, Moment::OnError, json!({})),
            ready(views, Moment::After, json!({"tables": ["v"]})),
            ready(views, Moment::After, json!({"views": "v"})),
            ready(views, Moment::After, json!({"views": [1]})),
            ready("hook_analyze", Moment::After, json!({"schema": 1})),
            ready("hook_analyze", Moment::After, json!([])),
            ready("hook_scan_source", Moment::After, json!({})),
            ready("hook_scan_source", Moment::Before, json!({"sample": 0})),
        ] {
            let error = check(&bad).unwrap_err();
            assert_eq!(error.kind(), Kind::InvalidParameter, "{bad:?}");
        }
    }

    #[test]
    fn row_limits_read_what_a_run_says() {
        let context = json!({
            "counts": {"a": 5}, "last_run": {"counts": {"a": 100}},
            "settings": {"max_change_percent": 50},
        });
        let said = Told::read(&context).unwrap().row_limits().unwrap();
        assert!(said.unwrap().contains("after 100 in the last run"));
        let fine = json!({"counts": {"a": 5}, "last_run": null, "settings": {"min_rows": 5}});
        assert_eq!(Told::read(&fine).unwrap().row_limits().unwrap(), None);
        let other = json!({"settings": {"min_rows": 5}});
        assert!(Told::read(&other).unwrap().row_limits().is_err());
        assert!(Told::read(&json!(1)).is_err());
    }
}
