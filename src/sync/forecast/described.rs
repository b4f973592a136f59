//! A column of a plan in words: what can be relied on, and what was held against what.

use super::warnings::conditions;
use crate::strategies::{Properties, Strategy};
use crate::sync::facts::{Column, Side};
use crate::sync::fit::{Call, How};
use crate::sync::plan::{Masked, TablePlan};
use crate::sync::{redraw, unique};

/// What can be relied on, for the values of a masked column.
pub fn properties(masked: &Masked) -> Vec<String> {
    let How::Mask(call) = &masked.how else {
        return match masked.how {
            How::Constant(_) | How::Null => vec!["constant".to_owned()],
            _ => Vec::new(),
        };
    };
    let of = masked.strategy.properties(call.of);
    let Properties {
        deterministic,
        injective,
        reversible,
        keeps_length,
        keeps_format,
        keyed,
        folds_spellings,
        gives_null,
        follows_scale,
        ..
    } = of;
    let words = [
        (deterministic, "deterministic"),
        (keyed, "keyed"),
        (injective, "injective"),
        (reversible, "reversible"),
        (keeps_length, "keeps_length"),
        (keeps_format, "keeps_format"),
        (folds_spellings, "folds_spellings"),
        (follows_scale, "follows_scale"),
        (gives_null, "gives_null"),
    ];
    let held = words.into_iter().filter(|(holds, _)| *holds);
    held.map(|(_, word)| word.to_owned()).collect()
}

/// What of the column was held against what of the strategy: the plan would have been refused where
/// one does not fit.
pub fn fit(table: &TablePlan, column: &Column, masked: &Masked, side: &Side) -> String {
    let strategy = &*masked.strategy;
    let mut parts = vec![taken(column, masked)];
    if let How::Mask(call) = &masked.how
        && let Some(limit) = limit(column, side)
    {
        parts.push(length(strategy, call, limit));
    }
    if column.not_null {
        parts.push("not null: writes no NULL".to_owned());
    }
    let indexes = table.source.unique.iter();
    for index in indexes.filter(|index| index.columns.contains(&column.name)) {
        parts.push(format!(
            "unique \"{}\": {}",
            index.name,
            uniqueness(table, masked)
        ));
    }
    let conditions = conditions(&table.source, column, side);
    let again = match redraw::style(masked) {
        Some(_) => "drawn again where refused",
        None => "not drawn again",
    };
    for name in &conditions.own {
        parts.push(format!("check \"{name}\": {again}"));
    }
    for name in &conditions.several {
        parts.push(format!(
            "check \"{name}\" of several columns: not drawn again"
        ));
    }
    parts.join("; ")
}

fn taken(column: &Column, masked: &Masked) -> String {
    let what = match &masked.how {
        How::Mask(call) if call.token.is_some() => "a token of the vault",
        How::Mask(call) if call.is_array => "each element masked",
        How::Mask(_) => "masked",
        How::Constant(_) => "a constant of its type",
        How::Default => "its default",
        How::Null => "NULL",
        How::Record(_) => "each field masked",
        How::Shuffle(_) => "the value of another row",
    };
    format!("{}: {what}", column.type_name)
}

/// The most characters of a column, where it has a limit; of an array, of each element.
fn limit(column: &Column, side: &Side) -> Option<usize> {
    let mut limit = column.max_chars;
    let mut of = side.type_of(column.type_oid);
    while let Some(around) = of.filter(|of| of.kind == 'd' || of.is_array) {
        limit = limit.into_iter().chain(around.max_chars).min();
        of = around.inner.and_then(|inner| side.type_of(inner));
    }
    limit
}

fn length(strategy: &Strategy, call: &Call, limit: usize) -> String {
    let longest = match &call.token {
        Some(form) => Some(form.longest(limit)),
        None => strategy.output_limit(Some(limit)),
    };
    match longest {
        Some(longest) => format!("at most {limit} characters: writes up to {longest}"),
        None => format!("at most {limit} characters"),
    }
}

fn uniqueness(table: &TablePlan, masked: &Masked) -> String {
    match &masked.how {
        How::Shuffle(_) => "its columns move together".to_owned(),
        How::Mask(call) if masked.strategy.properties(call.of).injective => "one to one".to_owned(),
        how => format!(
            "{} bits, {:.0} rows need {:.0}",
            unique::collision_bits(&masked.strategy, how),
            table.rows,
            unique::needed_bits(table.rows)
        ),
    }
}
