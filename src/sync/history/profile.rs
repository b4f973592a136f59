//! Where the time of a run went, of what is on record of it.

use serde_json::Value;

/// Seconds of one part of a run.
#[derive(Clone, Debug, PartialEq)]
pub struct Share {
    /// What it is: `read`, `mask`, `commitment`, `leak scan`, `write`, `read and write` where these were
    /// not timed apart, or a phase.
    pub part: String,
    /// The table, where it is of one.
    pub table: Option<String>,
    /// The column, where it is of one.
    pub column: Option<String>,
    /// The strategy of the column.
    pub strategy: Option<String>,
    /// Seconds.
    pub seconds: f64,
}

/// Divides a run: its loads by table and column, the rest by phase. `strategies` and `details` as its
/// entry has them.
pub fn profile(strategies: &Value, details: &Value) -> Vec<Share> {
    let mut shares = Vec::new();
    for (table, took) in members(&details["milliseconds"]) {
        let load = seconds(took);
        let of = |part: &str, seconds: f64| Share {
            part: part.to_owned(),
            table: Some(table.clone()),
            column: None,
            strategy: None,
            seconds,
        };
        let mut known = 0.0;
        for (column, worked) in members(&details["columns"][table]) {
            let number = |name: &str| worked[name].as_f64().unwrap_or(0.0);
            let masking = number("calls") * number("ns") / 1e9;
            known += masking;
            let strategy = strategies[table][column].as_str().unwrap_or_default();
            shares.push(Share {
                column: Some(column.clone()),
                strategy: strategy.split('/').next().map(str::to_owned),
                ..of("mask", masking)
            });
        }
        let divided = &details["loads"][table];
        for (part, name) in [("commitment", "commitment"), ("leak scan", "leak_scan")] {
            let took = seconds(&divided[name]);
            known += took;
            shares.extend((took > 0.0).then(|| of(part, took)));
        }
        if divided["making"].is_number() {
            let (making, writing) = (seconds(&divided["making"]), seconds(&divided["writing"]));
            shares.push(of("read", (making - known).max(0.0)));
            shares.push(of("write", writing));
        } else {
            shares.push(of("read and write", (load - known).max(0.0)));
        }
    }
    let phases = members(&details["phases"]).filter(|(name, _)| *name != "loading");
    shares.extend(phases.map(|(name, took)| Share {
        part: name.clone(),
        table: None,
        column: None,
        strategy: None,
        seconds: seconds(took),
    }));
    shares
}

fn members(object: &Value) -> impl Iterator<Item = (&String, &Value)> {
    object.as_object().into_iter().flatten()
}

fn seconds(milliseconds: &Value) -> f64 {
    milliseconds.as_f64().unwrap_or(0.0) / 1000.0
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_run_is_divided_and_nothing_is_counted_twice() {
        let strategies = json!({"t": {"a": "email/1"}});
        let mut details = json!({
            "milliseconds": {"t": 1000},
            "columns": {"t": {"a": {"calls": 1_000_000, "ns": 300}}},
            "loads": {"t": {"commitment": 100, "leak_scan": 0, "making": 700, "writing": 290}},
            "phases": {"loading": 1000, "checking": 500},
        });
        let parts = |details: &Value| -> Vec<(String, f64)> {
            let shares = profile(&strategies, details).into_iter();
            shares.map(|share| (share.part, share.seconds)).collect()
        };
        let named = |all: &[(&str, f64)]| -> Vec<(String, f64)> {
            all.iter()
                .map(|(part, took)| ((*part).to_owned(), *took))
                .collect()
        };
        assert_eq!(
            profile(&strategies, &details)[0].strategy.as_deref(),
            Some("email")
        );
        let expected = [
            ("mask", 0.3),
            ("commitment", 0.1),
            ("read", 0.7 - (0.3 + 0.1)),
            ("write", 0.29),
            ("checking", 0.5),
        ];
        assert_eq!(parts(&details), named(&expected));
        details["loads"]["t"] = json!({"commitment": 100, "leak_scan": 50});
        let expected = [
            ("mask", 0.3),
            ("commitment", 0.1),
            ("leak scan", 0.05),
            ("read and write", 1.0 - (0.3 + 0.1 + 0.05)),
            ("checking", 0.5),
        ];
        assert_eq!(parts(&details), named(&expected));
        assert!(profile(&json!(null), &json!({})).is_empty());
    }
}
