//! Where seeds may stand, and that no message shows one.

use super::*;

#[test]
fn literal_seeds_warn_and_strict_coverage_refuses_them() {
    let yaml = "name: p\nversion: 1\nglobal_seed: 4711\nstrategies:\n  m: {type: email, seed: 4712}\n  \
                n: {type: email, config: {seed: 4713}}\ntables:\n  t:\n    \
                - {column: a, strategy: m, seed: 4714}\n    - {column: b, strategy: n}\n";
    let (profile, problems) = accepted(yaml);
    assert_eq!(codes(&problems), ["literal_seed"; 4]);
    let problems = refused(&format!("coverage: strict\n{yaml}"));
    assert_eq!(codes(&problems), ["literal_seed"; 4]);
    assert_eq!(problems[2].path, "strategies.n.config.seed");
    let shown = format!("{problems:?} {profile:?} {}", profile.canonical_json());
    assert!(!shown.contains("471"), "{shown}");
    let env = "coverage: strict\nglobal_seed_env_var: ANONYMIZATION_SEED\n".to_owned();
    assert_eq!(accepted(&(env + &table("[]"))).0.coverage, Coverage::Strict);
}

#[test]
fn seeds_are_never_shown_when_they_are_wrong() {
    let rule = |seed: &str| table(&format!("[{{column: c, strategy: m, {seed}}}]"));
    for yaml in [
        rule("seed: s3cret"),
        rule("seed: \"471147114711\""),
        rule("seed: 4711471147114711471147114711"),
        rule("seed: 4711.4711"),
        rule("seed: [4711]"),
        rule("seed: {4711: 1}"),
        rule("options: {seed: 4711}"),
        document("{m: {type: email, seed_env_var: 4711}}", "{t: []}"),
        document("{m: {type: email, seed_env_var: s3cret-4711}}", "{t: []}"),
        document("{m: {type: email, config: {sede: 4711}}}", "{t: []}"),
        format!("global_seed: 0x4711\n{}", table("[]")),
        format!("global_seed_env_var: 4711\n{}", table("[]")),
    ] {
        let problems = refused(&yaml);
        let (error, problems) = (load(yaml.as_bytes()).unwrap_err(), format!("{problems:?}"));
        assert!(
            !problems.contains("4711") && !problems.contains("s3cret"),
            "{problems}"
        );
        assert!(!format!("{error:?}").contains("4711"), "{error:?}");
    }
}

#[test]
fn seed_may_stand_in_config_but_not_in_both_places() {
    for body in ["seed_env_var: A_1", "config: {seed_env_var: A_1}"] {
        let (profile, _) = accepted(&document(
            &format!("{{m: {{type: email, {body}}}}}"),
            "{t: []}",
        ));
        assert_eq!(profile.strategies["m"].seed.env_var.as_deref(), Some("A_1"));
        assert!(profile.strategies["m"].params.is_empty());
    }
    for body in [
        "seed: 1, config: {seed: 1}",
        "seed: 1, config: {seed_env_var: A}",
    ] {
        let errors = refused(&document(
            &format!("{{m: {{type: email, {body}}}}}"),
            "{t: []}",
        ));
        assert_eq!(codes(&errors), ["seed"]);
    }
}
