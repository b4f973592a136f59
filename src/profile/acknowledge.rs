//! Warnings of a plan that a profile knows of, each with the reason why it may stand.

use super::fields::{Fields, LONGEST_NAME, Reading};
use super::names::shown;
use super::yaml::{Entry, MAX_TEXT};
use super::{Place, Profile};

/// A warning that may be acknowledged, and whether it depends on figures of the day: rows, seconds,
/// bytes.
pub struct Known {
    /// The stable id.
    pub id: &'static str,
    /// Whether it comes and goes with the figures, so that an acknowledgement may meet none today.
    pub is_of_figures: bool,
}

const fn fixed(id: &'static str) -> Known {
    Known {
        id,
        is_of_figures: false,
    }
}

const fn figures(id: &'static str) -> Known {
    Known {
        id,
        is_of_figures: true,
    }
}

/// The warnings that may be acknowledged, by id.
pub const KNOWN: [Known; 13] = [
    fixed("check_constant"),
    fixed("check_not_redrawn"),
    fixed("copied_undecided"),
    figures("double_disk"),
    fixed("foreign_key_left_behind"),
    fixed("literal_seed"),
    figures("lock_readers"),
    figures("long_snapshot"),
    figures("low_entropy"),
    fixed("noise_not_charged"),
    fixed("not_judged"),
    figures("statement_timeout"),
    fixed("tables_not_named"),
];

/// An acknowledgement: of every warning with that id, or of those of one table or column.
#[derive(Clone, Debug)]
pub struct Acknowledged {
    /// The id of the warning.
    pub warning: &'static str,
    /// The table, without its schema.
    pub table: Option<String>,
    /// The column.
    pub column: Option<String>,
    /// The reason.
    pub why: String,
    /// Where it is written.
    pub place: Place,
}

impl Acknowledged {
    /// Whether a warning is meant.
    pub fn means(&self, id: &str, table: Option<&str>, column: Option<&str>) -> bool {
        let is_it = |asked: &Option<String>, there: Option<&str>| {
            asked.is_none() || asked.as_deref() == there
        };
        self.warning == id && is_it(&self.table, table) && is_it(&self.column, column)
    }

    /// Whether it may meet no warning today although nothing has changed.
    pub fn is_of_figures(&self) -> bool {
        let same = |known: &&Known| known.id == self.warning;
        KNOWN.iter().find(same).is_some_and(|of| of.is_of_figures)
    }
}

impl Profile {
    /// The acknowledgement of a warning.
    pub fn acknowledgement(
        &self,
        id: &str,
        table: Option<&str>,
        column: Option<&str>,
    ) -> Option<&Acknowledged> {
        let mut all = self.acknowledge.iter();
        all.find(|acknowledged| acknowledged.means(id, table, column))
    }
}

/// Reads the list under `acknowledge`.
pub(super) fn read(entry: &Entry, reading: &mut Reading) -> Vec<Acknowledged> {
    let mut list = Vec::new();
    for (i, item) in reading.list(&entry.value, "acknowledge").iter().enumerate() {
        let path = format!("acknowledge[{i}]");
        let Some(fields) = Fields::open(item, &path, &KEYS, reading) else {
            continue;
        };
        let warning = warning(&fields, reading);
        let mut name = |key: &str| {
            fields.get(key)?;
            let (name, _) = fields.text(key, LONGEST_NAME, reading)?;
            Some(name.to_owned())
        };
        let (table, column) = (name("table"), name("column"));
        if column.is_some() && table.is_none() && fields.get("table").is_none() {
            let message = "\"column\" needs the \"table\" that it is of";
            reading.error(item.place, &path, "value", message, None);
        }
        let why = fields.text("why", MAX_TEXT, reading);
        if let (Some(warning), Some((why, _))) = (warning, why) {
            list.push(Acknowledged {
                warning,
                table,
                column,
                why: why.to_owned(),
                place: item.place,
            });
        }
    }
    list
}

fn warning(fields: &Fields<'_>, reading: &mut Reading) -> Option<&'static str> {
    let (word, at) = fields.text("warning", LONGEST_NAME, reading)?;
    let known = KNOWN.iter().find(|known| known.id == word);
    if known.is_none() {
        let message = format!("there is no warning \"{}\"", shown(word));
        let ids = KNOWN.iter().map(|known| known.id);
        let hint = reading.suggest(word, "warning", ids, true);
        reading.error(at, &fields.path("warning"), "value", message, hint);
    }
    known.map(|known| known.id)
}

const KEYS: [&str; 4] = ["warning", "why", "table", "column"];

#[cfg(test)]
mod tests {
    use super::*;
    use crate::profile::load;

    fn acknowledging(list: &str) -> Result<Profile, String> {
        let yaml = format!(
            "{{name: p, version: '1', strategies: {{}}, acknowledge: {list}, \
             tables: {{t: {{preserve: [{{column: '*', why: w}}]}}}}}}"
        );
        let loaded = load(yaml.as_bytes());
        loaded.map(|(profile, _)| profile).map_err(|error| {
            let hint = error.hint().unwrap_or_default();
            format!("{} | {hint}", error.message())
        })
    }

    #[test]
    fn acknowledgements_meet_what_they_name() {
        let profile = acknowledging(
            "[{warning: literal_seed, why: test data}, \
              {warning: not_judged, why: short codes, table: t, column: c}]",
        )
        .unwrap();
        let is_met = |id, table, column| profile.acknowledgement(id, table, column).is_some();
        assert!(is_met("literal_seed", Some("t"), Some("c")));
        assert!(is_met("not_judged", Some("t"), Some("c")));
        assert!(!is_met("not_judged", Some("t"), Some("d")));
        assert!(!is_met("not_judged", None, None));
        assert!(!is_met("low_entropy", None, None));
    }

    #[test]
    fn acknowledgements_are_part_of_what_is_hashed_and_absent_ones_are_not() {
        let hash = |list| acknowledging(list).unwrap().profile_hash();
        let plain = "{name: p, version: '1', strategies: {}, \
                     tables: {t: {preserve: [{column: '*', why: w}]}}}";
        let plain = load(plain.as_bytes()).unwrap().0;
        assert_eq!(plain.profile_hash(), hash("[]"));
        assert!(!plain.canonical_json().contains("acknowledge"));
        let one = hash("[{warning: literal_seed, why: w}, {warning: not_judged, why: w}]");
        let other = hash("[{why: w, warning: not_judged}, {warning: literal_seed, why: w}]");
        assert_eq!(one, other);
        assert_ne!(one, hash("[{warning: literal_seed, why: w}]"));
        let why = hash("[{warning: literal_seed, why: v}]");
        assert_ne!(why, hash("[{warning: literal_seed, why: w}]"));
    }

    #[test]
    fn acknowledgements_that_are_not_understood_are_refused() {
        for (list, said) in [
            ("[{warning: litteral_seed, why: w}]", "literal_seed"),
            ("[{warning: literal_seed}]", "\"why\" is missing"),
            (
                "[{warning: literal_seed, why: w, column: c}]",
                "needs the \"table\"",
            ),
            ("[{warning: literal_seed, why: w, tabel: t}]", "tabel"),
            ("[literal_seed]", ""),
            ("{warning: literal_seed, why: w}", ""),
        ] {
            let error = acknowledging(list).unwrap_err();
            assert!(error.contains(said), "{list}: {error}");
        }
    }

    #[test]
    fn known_warnings_are_in_order() {
        assert!(KNOWN.is_sorted_by_key(|known| known.id));
    }
}
