//! Which tables were made of which, drawn: sources on the left, what runs wrote on the right.

use std::collections::BTreeMap;
use std::fmt::Write;

use crate::compliance::inventory::{Inventory, Treatment};
use crate::error::counted;
use crate::page::escaped;

/// Tables that are drawn; how many are not is said below.
const MOST: usize = 30;
const ROW: usize = 52;
const BOX: usize = 300;
const GAP: usize = 260;
/// Characters of a name that fit into a box.
const FIT: usize = 40;

/// What became of the columns of one table.
#[derive(Clone, Copy, Debug, Default)]
struct Counts {
    anonymised: u64,
    pseudonymised: u64,
}

/// The picture, and how many tables it leaves out; nothing without lineage.
pub fn svg(inventory: &Inventory) -> Option<(String, usize)> {
    let mut tables: BTreeMap<(String, String, String), Counts> = BTreeMap::new();
    for column in &inventory.columns {
        if let Treatment::Masked(step) = &column.treatment {
            let key = (step.source.clone(), step.target.clone(), step.table.clone());
            let counts = tables.entry(key).or_default();
            if column.treatment.is_anonymised() {
                counts.anonymised += 1;
            } else {
                counts.pseudonymised += 1;
            }
        }
    }
    if tables.is_empty() {
        return None;
    }
    let left_out = tables.len().saturating_sub(MOST);
    let shown = tables.len().min(MOST);
    let (width, height) = (2 * BOX + GAP + 4, shown * ROW + 4);
    let mut out = String::new();
    let _ = write!(
        out,
        "<svg class=\"lineage\" viewBox=\"0 0 {width} {height}\" role=\"img\" \
         aria-labelledby=\"lineage-title lineage-desc\">\n\
         <title id=\"lineage-title\">Tables that runs have read and written</title>\n\
         <desc id=\"lineage-desc\">"
    );
    for ((source, target, table), counts) in tables.iter().take(MOST) {
        let _ = write!(
            out,
            "{} to {}: {}. ",
            escaped(&format!("{source}.{table}")),
            escaped(&format!("{target}.{table}")),
            words(*counts)
        );
    }
    out.push_str("</desc>\n");
    for (place, ((source, target, table), counts)) in tables.iter().take(MOST).enumerate() {
        let top = place * ROW + 6;
        node(&mut out, 2, top, "source", &format!("{source}.{table}"));
        node(
            &mut out,
            BOX + GAP + 2,
            top,
            "target",
            &format!("{target}.{table}"),
        );
        let (from, to, middle) = (BOX + 2, BOX + GAP + 2, top + 20);
        let class = if counts.pseudonymised > 0 {
            "some"
        } else {
            "all"
        };
        let _ = writeln!(
            out,
            "<path class=\"flow {class}\" d=\"M {from} {middle} H {} m -7 -5 l 7 5 l -7 5\"/>",
            to - 2
        );
        let _ = writeln!(
            out,
            "<text class=\"label\" x=\"{}\" y=\"{}\">{}</text>",
            BOX + GAP / 2 + 2,
            middle - 7,
            words(*counts)
        );
    }
    out.push_str("</svg>\n");
    Some((out, left_out))
}

fn node(out: &mut String, x: usize, y: usize, class: &str, name: &str) {
    let _ = writeln!(
        out,
        "<g class=\"{class}\"><title>{}</title>\
         <rect x=\"{x}\" y=\"{y}\" width=\"{BOX}\" height=\"40\" rx=\"4\"/>\
         <text x=\"{}\" y=\"{}\">{}</text></g>",
        escaped(name),
        x + 12,
        y + 25,
        escaped(&short(name))
    );
}

/// A name that fits into its box.
fn short(name: &str) -> String {
    let count = name.chars().count();
    if count <= FIT {
        return name.to_owned();
    }
    let begin: String = name.chars().take(FIT / 2 - 1).collect();
    let end: String = name.chars().skip(count - FIT / 2).collect();
    format!("{begin}…{end}")
}

fn words(counts: Counts) -> String {
    let total = counted(counts.anonymised + counts.pseudonymised, "column");
    match (counts.anonymised, counts.pseudonymised) {
        (_, 0) => format!("{total} anonymised"),
        (0, _) => format!("{total} pseudonymised"),
        (one, other) => format!("{one} anonymised, {other} pseudonymised"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn long_names_are_cut_in_the_middle() {
        let name = "a".repeat(30) + &"b".repeat(30);
        let cut = short(&name);
        assert_eq!(cut.chars().count(), FIT);
        assert!(cut.starts_with("aaa") && cut.ends_with("bbb") && cut.contains('…'));
        assert_eq!(short("shop.customers"), "shop.customers");
    }
}
