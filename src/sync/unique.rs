//! Whether a masked column stays unique, and what to say where it may not.

use super::facts::{Column, Compared, Side, Unique};
use super::fit::{Call, How};
use super::plan::{Decision, Input, Masked, TablePlan};
use super::{shuffle, statement, stored};
use crate::error::{self, Error};
use crate::strategies::{ENTITY, Kind, Strategy, Value, ValueType};

/// Finds the masked and excluded columns that may not stay unique.
pub fn check(tables: &[TablePlan], input: &Input<'_>, problems: &mut Vec<Error>) {
    let (source, target) = (input.source, input.target);
    for table in tables {
        for index in demanding(table, source, target) {
            for name in &index.columns {
                let demand = Demand {
                    table,
                    index,
                    name,
                    compared: compared(index, name, table, source),
                    source,
                };
                problems.extend(match table.decision(name) {
                    Some(Decision::Masked(masked)) => demand.problem(masked),
                    Some(Decision::Excluded { .. }) => demand.left_out(input),
                    _ => None,
                });
            }
        }
    }
}

/// The indexes that the rows of a table must satisfy: its own, and those that a partition or the
/// table of the target has beside them.
fn demanding<'a>(table: &'a TablePlan, source: &'a Side, target: &'a Side) -> Vec<&'a Unique> {
    let mut all: Vec<&Unique> = table.source.unique.iter().collect();
    let there = target.table(&table.source.name);
    let more = source
        .partitions(table.source.oid)
        .into_iter()
        .chain(there)
        .chain(there.map_or_else(Vec::new, |there| target.partitions(there.oid)));
    for index in more.flat_map(|table| &table.unique) {
        if !all.iter().any(|known| known.demands_as(index)) {
            all.push(index);
        }
    }
    all
}

/// How an index compares a column: as the type does, where it is one that folds.
fn compared(index: &Unique, name: &str, table: &TablePlan, source: &Side) -> Compared {
    match index.compares(name) {
        Compared::AsIs if folds(name, table, source) => Compared::WithoutCase,
        compared => compared,
    }
}

/// Whether values of a column are equal that differ in case.
fn folds(name: &str, table: &TablePlan, source: &Side) -> bool {
    let column = table.source.columns.iter().find(|of| of.name == name);
    column.is_some_and(|column| statement::folding(column.type_oid, source).is_some())
}

/// What an index asks of a column.
struct Demand<'a> {
    table: &'a TablePlan,
    index: &'a Unique,
    name: &'a str,
    compared: Compared,
    source: &'a Side,
}

impl Demand<'_> {
    /// Whether no two rows have the same in a column.
    fn is_distinct(&self, column: &str) -> bool {
        let tells_apart = |of: &Unique| {
            // What is folded on the way to the mask may be told apart by an expression.
            of.columns == [column]
                && of.compares(column) != Compared::Excluded
                && !(of.compares(column) == Compared::Computed
                    && folds(column, self.table, self.source))
        };
        self.table.source.unique.iter().any(tells_apart)
    }

    fn is_met_by(&self, strategy: &Strategy, how: &How) -> bool {
        let (compared, rows) = (self.compared, self.table.rows);
        stays_unique(strategy, how, compared, rows, |of| self.is_distinct(of))
    }

    fn is_met_if_asked(&self, strategy: &Strategy, how: &How) -> bool {
        let (compared, rows) = (self.compared, self.table.rows);
        stays_unique_if_asked(strategy, how, compared, rows, |of| self.is_distinct(of))
    }

    /// Whether another column of the index is kept and tells its rows apart by itself.
    fn is_met_beside(&self) -> bool {
        let is_kept = |name: &&String| {
            let decision = self.table.decision(name);
            matches!(
                decision,
                Some(Decision::Copied | Decision::Preserved { .. })
            )
        };
        let mut kept = self.index.columns.iter().filter(is_kept);
        kept.any(|name| self.index.compares(name) == Compared::AsIs && self.is_distinct(name))
    }

    /// What is wrong with a column that is not written: all rows hold the same.
    fn left_out(&self, input: &Input<'_>) -> Option<Error> {
        let named = |column: &&Column| column.name == self.name;
        let column = self.table.source.columns.iter().find(named)?;
        let stored = stored::as_stored(input, &self.table.source, column);
        let goes = match self.compared {
            // A predicate may turn true, an expression may make something of NULL.
            Compared::Computed => false,
            _ if stored::is_filled(&stored) => !stored.identity.is_empty() || stored.default_varies,
            _ => !self.index.nulls_equal,
        };
        if goes || self.is_met_beside() {
            return None;
        }
        let (name, table) = (self.name, self.table.source.shown());
        let holds = match stored::is_filled(&stored) {
            true => "its default",
            false => "NULL",
        };
        let message = format!("column \"{name}\" of table {table} cannot be excluded");
        Some(
            Error::new(error::Kind::InvalidParameter, message)
                .with_detail(format!(
                    "Every row would hold {holds} there, and index \"{}\" may refuse that.",
                    self.index.name
                ))
                .with_hint(
                    "Use a strategy that keeps the column unique, or preserve it with a reason.",
                ),
        )
    }

    fn problem(&self, masked: &Masked) -> Option<Error> {
        let (strategy, how) = (&*masked.strategy, &masked.how);
        let stays = match how {
            // All of the index's columns move together, so its rows are the same rows.
            How::Shuffle(_) => shuffle::moves_together(self.table, &self.index.columns),
            how => self.is_met_by(strategy, how),
        };
        if stays {
            return None;
        }
        let shared = entities(strategy, how).find(|column| !self.is_distinct(column));
        let message = format!(
            "strategy \"{}\" may not keep column \"{}\" of table {} unique",
            masked.name,
            self.name,
            self.table.source.shown()
        );
        let error = Error::new(error::Kind::InvalidParameter, message);
        Some(
            error
                .with_detail(self.reason(strategy, how, shared))
                .with_hint(self.way_out(strategy, how, shared)),
        )
    }

    fn reason(&self, strategy: &Strategy, how: &How, shared: Option<&str>) -> String {
        let (index, rows) = (&self.index.name, self.table.rows);
        let guarantee = match shared {
            Some(entity) => format!(
                "the output depends on the entity, column \"{entity}\", and not on the value, and \
                 two rows may have the same entity"
            ),
            None => format!(
                "the strategy guarantees {} bits, about {rows:.0} rows need {:.0}",
                collision_bits(strategy, how),
                needed_bits(rows)
            ),
        };
        match self.compared {
            Compared::AsIs => format!("Index \"{index}\" demands it; {guarantee}."),
            Compared::WithoutCase => {
                format!("Index \"{index}\" demands it without regard to case; {guarantee}.")
            }
            Compared::Collated => format!(
                "Index \"{index}\" demands it by a nondeterministic collation: different texts are \
                 equal there, and no strategy writes such that none are."
            ),
            Compared::Excluded => format!(
                "Exclusion constraint \"{index}\" compares its values otherwise than by equality, \
                 and no strategy keeps what it asks of them."
            ),
            Compared::Computed => {
                format!("Index \"{index}\" demands it, of what an expression makes of the values.")
            }
        }
    }

    fn way_out(&self, strategy: &Strategy, how: &How, shared: Option<&str>) -> String {
        const PRESERVE: &str = "preserve the column with a reason";
        match (self.compared, how) {
            (Compared::Collated, _) => {
                return format!(
                    "Use shuffle with all columns of the index in one group, or {PRESERVE}; or give \
                     the column a deterministic collation or type citext."
                );
            }
            (Compared::Computed | Compared::Excluded, _) => {
                return format!(
                    "Use shuffle with all columns of the index in one group, or {PRESERVE}."
                );
            }
            (_, How::Mask(call)) if shared.is_some() => {
                let alone = alone(call);
                let or = if self.is_met_by(strategy, &alone) {
                    ", or no entity"
                } else if self.is_met_if_asked(strategy, &alone) {
                    ", or no entity and \"keep_unique: true\""
                } else {
                    ""
                };
                return format!("Name an entity that is unique itself{or}; or {PRESERVE}.");
            }
            _ => {}
        }
        if self.is_met_if_asked(strategy, how) {
            return format!("Add \"keep_unique: true\" to the strategy; or {PRESERVE}.");
        }
        let of = match how {
            How::Mask(call) => Some(call.of),
            _ => None,
        };
        match (strategy.kind(), of) {
            (Kind::CreditCard, Some(ValueType::Text)) => format!(
                "Use fpe with \"preserve_luhn: true\" and \"keep_prefix: 6\", which gives every card \
                 number a valid one of its own; or {PRESERVE}."
            ),
            (Kind::CreditCard, _) => {
                format!("Use fpe, which gives every number one of its own; or {PRESERVE}.")
            }
            (_, Some(ValueType::Text | ValueType::Bytes)) => format!(
                "Use hash or email with a greater length, fpe, or a variant with \
                 \"keep_unique: true\"; or {PRESERVE}."
            ),
            _ => format!("Use fpe, or {PRESERVE}."),
        }
    }
}

/// The columns that the output is drawn from in place of the value.
fn entities<'a>(strategy: &Strategy, how: &'a How) -> impl Iterator<Item = &'a str> {
    let specs = strategy.kind().definition().inputs;
    let given = match how {
        How::Mask(call) => call.inputs.as_slice(),
        _ => &[],
    };
    let of_entity = specs
        .iter()
        .zip(given)
        .filter(|(spec, _)| spec.name == ENTITY.name);
    of_entity.flat_map(|(_, given)| given.columns.iter().map(String::as_str))
}

/// The same call that reads nothing else of the row.
fn alone(call: &Call) -> How {
    How::Mask(Call {
        inputs: Vec::new(),
        ..call.clone()
    })
}

/// Whether a masked column stays unique over that many rows, with a chance of failure below 2^-40.
///
/// `distinct` tells whether a column has no two equal values: what the pseudonyms are drawn from,
/// where that is another column of the row.
pub fn stays_unique(
    strategy: &Strategy,
    how: &How,
    compared: Compared,
    rows: f64,
    distinct: impl Fn(&str) -> bool,
) -> bool {
    let How::Mask(call) = how else { return false };
    match compared {
        Compared::AsIs => {}
        Compared::WithoutCase if is_told_apart_without_case(strategy) => {}
        Compared::WithoutCase | Compared::Collated | Compared::Computed | Compared::Excluded => {
            return false;
        }
    }
    // What else is read of the row may be the same in others; what the value is drawn from may not.
    let drawn_elsewhere = entities(strategy, how).any(|column| !distinct(column));
    let bits = collision_bits(strategy, how);
    let is_injective = strategy.properties(call.of).injective && call.inputs.is_empty();
    !drawn_elsewhere && (is_injective || needed_bits(rows) <= f64::from(bits))
}

/// Whether it would stay unique if the strategy's parameter `keep_unique` were set: there is one,
/// it goes with the others, and it is enough.
pub fn stays_unique_if_asked(
    strategy: &Strategy,
    how: &How,
    compared: Compared,
    rows: f64,
    distinct: impl Fn(&str) -> bool,
) -> bool {
    let mut params = strategy.effective_params().clone();
    params.insert("keep_unique".to_owned(), true.into());
    Strategy::new(strategy.kind(), &params)
        .is_ok_and(|asked| stays_unique(&asked, how, compared, rows, distinct))
}

/// Whether no two outputs differ in case alone. Most write letters in one case, or in a case that
/// their place decides; a dictionary may hold both, and so may the alphabet of a cipher.
fn is_told_apart_without_case(strategy: &Strategy) -> bool {
    match strategy.kind() {
        Kind::Map => false,
        Kind::Fpe => match strategy.effective_params().get("alphabet") {
            Some(Value::Text(alphabet)) => {
                ["digits", "hex", "lower", "upper"].contains(&alphabet.as_str())
            }
            _ => true,
        },
        _ => true,
    }
}

/// The bits that uniqueness of so many rows needs: their pairs, and 40 more.
pub fn needed_bits(rows: f64) -> f64 {
    2.0 * rows.max(2.0).log2() + 40.0
}

/// The bits that two different values of a column collide with, at most 2^-bits: what uniqueness
/// can rest on.
pub fn collision_bits(strategy: &Strategy, how: &How) -> u32 {
    match how {
        How::Constant(_) | How::Default | How::Null | How::Record(_) | How::Shuffle(_) => 0,
        How::Mask(call) => strategy.properties(call.of).collision_bits.unwrap_or(0),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::strategies::{Params, listing};
    use crate::sync::fit::{Call, Given};

    fn how(of: ValueType, inputs: &[&str]) -> How {
        let given = |column: &&str| Given {
            many: false,
            columns: vec![(*column).to_owned()],
        };
        How::Mask(Call {
            of,
            is_array: false,
            inputs: inputs.iter().map(given).collect(),
            token: None,
        })
    }

    /// What unites values on purpose or is about rows; `credit_card` has `fpe` beside it.
    const ON_PURPOSE: &[&str] = &[
        "choice",
        "constant",
        "credit_card",
        "default",
        "dp_choice",
        "json",
        "lorem",
        "mask",
        "null",
        "redact",
        "shuffle",
        "text",
    ];

    #[test]
    fn unique_has_a_way_in_every_generator_of_texts() {
        let of = ValueType::Text;
        let has_none = |kind: &&Kind| {
            let strategy = Strategy::new(**kind, &listing::sample(**kind)).unwrap();
            strategy.accepts(of)
                && !stays_unique(&strategy, &how(of, &[]), Compared::AsIs, 1e6, |_| true)
                && !stays_unique_if_asked(&strategy, &how(of, &[]), Compared::AsIs, 1e6, |_| true)
        };
        let found = Kind::ALL.iter().filter(has_none);
        let found: Vec<_> = found.map(|kind| kind.name()).collect();
        assert_eq!(found, ON_PURPOSE);
    }

    #[test]
    fn unique_is_asked_for_only_where_it_helps() {
        let asked = |kind, params: &[(&str, Value)], how: &How, rows| {
            let params = params.iter().map(|(k, v)| ((*k).to_owned(), v.clone()));
            let strategy = Strategy::new(kind, &params.collect()).unwrap();
            stays_unique_if_asked(&strategy, how, Compared::AsIs, rows, |column| {
                column == "id"
            })
        };
        let text = how(ValueType::Text, &[]);
        assert!(asked(Kind::Address, &[], &text, 1e6));
        let of = |column| how(ValueType::Text, &[column]);
        assert!(asked(Kind::Job, &[], &of("id"), 1e6));
        assert!(!asked(Kind::Job, &[], &of("city"), 1e6));
        assert!(!asked(Kind::Job, &[], &text, 2e6));
        assert!(asked(Kind::Mac, &[], &text, 1e12));
        // There is none, it does not go with the others, or it is not enough.
        assert!(!asked(Kind::Hash, &[], &text, 10.0));
        let city = [("part", Value::from("city"))];
        assert!(!asked(Kind::Address, &city, &text, 10.0));
        let short = [("max_length", Value::Int(12))];
        assert!(!asked(Kind::Job, &short, &text, 10.0));
        let lenient = [("on_error", Value::from("redact"))];
        assert!(!asked(Kind::Url, &lenient, &text, 10.0));
        assert!(!asked(Kind::Phone, &[], &how(ValueType::Int32, &[]), 10.0));
    }

    #[test]
    fn unique_needs_twice_the_rows_in_bits_and_forty_more() {
        let strategy = |kind| Strategy::new(kind, &Params::new()).unwrap();
        let stays = |kind, how: &How, rows| {
            stays_unique(&strategy(kind), how, Compared::AsIs, rows, |column| {
                column == "id"
            })
        };
        let email = how(ValueType::Text, &[]);
        assert!(stays(Kind::Email, &email, 1e6));
        assert!(!stays(Kind::Email, &email, 2e6));
        assert!(!stays(Kind::Hash, &how(ValueType::Int32, &[]), 10.0));
        assert!(!stays(Kind::Phone, &email, 1.0));
        assert!(stays(Kind::Email, &how(ValueType::Text, &["id"]), 10.0));
        assert!(!stays(Kind::Email, &how(ValueType::Text, &["city"]), 10.0));
        assert!(!stays(Kind::Redact, &How::Constant("0".to_owned()), 1.0));
    }

    #[test]
    fn unique_without_case_needs_outputs_that_do_not_differ_in_it_alone() {
        let strategy = |kind, alphabet: Option<&str>| {
            let params = alphabet.map(|name| ("alphabet".to_owned(), Value::from(name)));
            Strategy::new(kind, &params.into_iter().collect()).unwrap()
        };
        let text = how(ValueType::Text, &[]);
        let stays = |strategy: &Strategy, compared| {
            stays_unique(strategy, &text, compared, 1000.0, |_| true)
        };
        let all = [
            Compared::AsIs,
            Compared::WithoutCase,
            Compared::Collated,
            Compared::Computed,
        ];
        for (kind, alphabet, expected) in [
            (Kind::Email, None, [true, true, false, false]),
            (Kind::Hash, None, [true, true, false, false]),
            (Kind::Fpe, None, [true, true, false, false]),
            (Kind::Fpe, Some("upper"), [true, true, false, false]),
            (Kind::Fpe, Some("alpha"), [true, false, false, false]),
            (Kind::Fpe, Some("alnum"), [true, false, false, false]),
        ] {
            let strategy = strategy(kind, alphabet);
            assert_eq!(
                all.map(|compared| stays(&strategy, compared)),
                expected,
                "{kind:?}"
            );
        }
    }
}
