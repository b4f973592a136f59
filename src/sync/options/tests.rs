//! What is understood of the options, and what is refused.

use serde_json::json;

use super::*;

#[test]
fn options_are_read() {
    let options = Options::parse(&json!({
        "version": "1.0", "triggers": "skip", "adopt": true, "in_transaction": true,
        "subset_unreached": "empty", "leak_scan": "report",
        "strict": true,
        "sample": 0,
        "progress": 0,
        "profile": true,
        "cache": "off",
    }));
    assert_eq!(
        options.unwrap(),
        Options {
            version: Some("1.0".into()),
            triggers: Triggers::Skip,
            adopt: true,
            lineage: Lineage::default(),
            in_transaction: true,
            subset_unreached: Unreached::Empty,
            leak_scan: LeakScan::Report,
            strict: true,
            sample: 0,
            progress: 0,
            profile: true,
            cache: Cache::Off,
            mode: Mode::Atomic,
            workers: 0,
            max_rows_per_second: None,
        }
    );
    assert_eq!(Options::parse(&json!({})).unwrap(), Options::default());
    assert_eq!(
        Options::parse(&json!({"lineage": "off"})).unwrap().lineage,
        Lineage::Off
    );
    let rows = json!({"lineage_rows": true, "lineage": "hmac-sha256"});
    let lineage = Options::parse(&rows).unwrap().lineage;
    assert!(lineage.is_row_by_row() && lineage.name() == "hmac-sha256");
    let sums = json!({"lineage_rows": false});
    assert_eq!(Options::parse(&sums).unwrap(), Options::default());
    assert_eq!(
        Options::parse(&json!({"version": null})).unwrap(),
        Options::default()
    );
}

#[test]
fn options_of_mode_swap_are_read() {
    let options = json!({"mode": "swap", "workers": 2, "max_rows_per_second": 1000});
    let options = Options::parse(&options).unwrap();
    assert_eq!(
        (options.workers, options.max_rows_per_second),
        (2, Some(1000))
    );
    assert!(Options::parse(&json!({"workers": 0})).is_ok());
}

#[test]
fn options_that_are_not_understood_are_refused() {
    for bad in [
        json!([]),
        json!({"tirggers": "skip"}),
        json!({"triggers": "no"}),
        json!({"adopt": 1}),
        json!({"in_transaction": "on"}),
        json!({"strict": "yes"}),
        json!({"lineage": "md5"}),
        json!({"leak_scan": true}),
        json!({"cache": false}),
        json!({"cache": "on"}),
        json!({"mode": "fast"}),
        json!({"mode": "swap", "lock_timeout": 0}),
        json!({"mode": "swap", "in_transaction": true}),
        json!({"lock_attempts": 3}),
        json!({"workers": 2}),
        json!({"max_rows_per_second": 5}),
        json!({"mode": "swap", "workers": 65}),
        json!({"mode": "swap", "workers": 1.5}),
        json!({"mode": "swap", "workers": 2, "lineage_rows": true}),
        json!({"mode": "swap", "max_rows_per_second": 0}),
        json!({"leak_scan": "on"}),
        json!({"subset_unreached": "drop"}),
        json!({"sample": -1}),
        json!({"sample": 100_001}),
        json!({"sample": "all"}),
        json!({"progress": 3601}),
        json!({"progress": "on"}),
        json!({"lineage": false}),
        json!({"lineage_rows": "on"}),
        json!({"lineage": "off", "lineage_rows": true}),
    ] {
        assert_eq!(
            Options::parse(&bad).unwrap_err().kind(),
            Kind::InvalidParameter
        );
    }
    let error = Options::parse(&json!({"tirggers": "skip"})).unwrap_err();
    assert_eq!(error.hint(), Some("Did you mean \"triggers\"?"));
}
