//! Runs by month, drawn.

use std::fmt::Write;

use crate::compliance::inventory::Runs;
use crate::page::escaped;

/// The newest months that are drawn.
const MOST: usize = 24;
const HEIGHT: i64 = 120;
const STEP: i64 = 38;

/// The picture; nothing without runs.
pub fn svg(runs: &Runs) -> Option<String> {
    let months = whole(&runs.months);
    let months = &months[months.len().saturating_sub(MOST)..];
    let highest = months.iter().map(|(_, done, failed)| done + failed).max()?;
    let width = i64::try_from(months.len()).unwrap_or(1) * STEP + 20;
    let mut out = String::new();
    let first = &months.first()?.0;
    let last = &months.last()?.0;
    let _ = write!(
        out,
        "<svg class=\"timeline\" viewBox=\"0 0 {width} {}\" width=\"{width}\" height=\"{}\" role=\"img\" \
         aria-labelledby=\"timeline-title timeline-desc\">\n\
         <title id=\"timeline-title\">Runs by month, {} to {}</title>\n\
         <desc id=\"timeline-desc\">{}</desc>\n",
        HEIGHT + 46,
        HEIGHT + 46,
        escaped(first),
        escaped(last),
        escaped(&spoken(months)),
    );
    let _ = writeln!(
        out,
        "<line class=\"axis\" x1=\"10\" y1=\"{0}\" x2=\"{1}\" y2=\"{0}\"/>",
        HEIGHT + 16,
        width - 10
    );
    for (place, (month, done, failed)) in months.iter().enumerate() {
        let x = 10 + i64::try_from(place).unwrap_or(0) * STEP + 6;
        let scaled = |count: i64| {
            if count == 0 {
                0
            } else {
                (count * HEIGHT / highest.max(1)).max(2)
            }
        };
        let (top, base) = (scaled(*done), HEIGHT + 16);
        let _ = writeln!(
            out,
            "<rect class=\"done\" x=\"{x}\" y=\"{}\" width=\"26\" height=\"{top}\"/>",
            base - top
        );
        let bad = scaled(*failed);
        let _ = writeln!(
            out,
            "<rect class=\"failed\" x=\"{x}\" y=\"{}\" width=\"26\" height=\"{bad}\"/>",
            base - top - bad
        );
        if done + failed > 0 {
            let _ = writeln!(
                out,
                "<text x=\"{}\" y=\"{}\">{}</text>",
                x + 13,
                base - top - bad - 4,
                done + failed
            );
        }
        // The year stands under its first month here.
        let is_first = place == 0 || month.ends_with("-01");
        let (year, number) = month.split_once('-').unwrap_or((month, ""));
        let _ = writeln!(
            out,
            "<text x=\"{}\" y=\"{}\">{}</text>",
            x + 13,
            base + 14,
            escaped(number)
        );
        if is_first {
            let _ = writeln!(
                out,
                "<text x=\"{}\" y=\"{}\">{}</text>",
                x + 13,
                base + 28,
                escaped(year)
            );
        }
    }
    out.push_str("</svg>\n");
    Some(out)
}

/// Months without runs stand between those with some.
fn whole(months: &[(String, i64, i64)]) -> Vec<(String, i64, i64)> {
    let mut found: Vec<(String, i64, i64)> = Vec::new();
    for month in months {
        while let Some(next) = found.last().and_then(|(last, ..)| after(last)) {
            if next >= month.0 || found.len() > 1200 {
                break;
            }
            found.push((next, 0, 0));
        }
        found.push(month.clone());
    }
    found
}

fn after(month: &str) -> Option<String> {
    let (year, number) = month.split_once('-')?;
    let (year, number): (i64, i64) = (year.parse().ok()?, number.parse().ok()?);
    Some(match number {
        12 => format!("{:04}-01", year + 1),
        number => format!("{year:04}-{:02}", number + 1),
    })
}

fn spoken(months: &[(String, i64, i64)]) -> String {
    months
        .iter()
        .filter(|(_, done, failed)| done + failed > 0)
        .map(|(month, done, failed)| format!("{month}: {done} completed, {failed} failed"))
        .collect::<Vec<_>>()
        .join("; ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn months_without_runs_have_their_place() {
        let runs = Runs {
            months: vec![("2025-11".to_owned(), 2, 0), ("2026-02".to_owned(), 1, 1)],
            ..Runs::default()
        };
        let months: Vec<_> = whole(&runs.months)
            .into_iter()
            .map(|(month, ..)| month)
            .collect();
        assert_eq!(months, ["2025-11", "2025-12", "2026-01", "2026-02"]);
        let picture = svg(&runs).unwrap();
        assert_eq!(picture.matches("class=\"done\"").count(), 4);
        assert!(picture.contains("2026-02: 1 completed, 1 failed"));
        assert!(svg(&Runs::default()).is_none());
    }
}
