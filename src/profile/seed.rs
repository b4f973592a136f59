//! Which seed a rule uses, and where it came from.
//!
//! The order: rule, strategy (environment, then literal), profile (environment, then literal), 0.
//! An environment variable that is named and not set is an error unless a literal stands beside it;
//! a variable that is not allowed is an error always. No message holds the value of a seed.

use std::fmt;

use crate::error::{Error, Kind, Result};
use crate::strategies::Seed;

use super::{Profile, Rule, SeedSource};

/// Where a seed came from; shown by name, never with the value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SeedOrigin {
    /// Nothing names a seed: 0.
    Default,
    /// The environment variable that the profile names.
    GlobalEnv(String),
    /// The literal of the profile.
    GlobalLiteral,
    /// The literal of the rule.
    RuleLiteral,
    /// The environment variable that the strategy names.
    StrategyEnv(String),
    /// The literal of the strategy.
    StrategyLiteral,
}

impl fmt::Display for SeedOrigin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Default => f.write_str("default"),
            Self::GlobalEnv(name) => write!(f, "profile, environment variable {name}"),
            Self::GlobalLiteral => f.write_str("profile, literal"),
            Self::RuleLiteral => f.write_str("rule, literal"),
            Self::StrategyEnv(name) => write!(f, "strategy, environment variable {name}"),
            Self::StrategyLiteral => f.write_str("strategy, literal"),
        }
    }
}

impl Profile {
    /// Returns the seed of one of the profile's rules; see [`resolve`].
    ///
    /// # Errors
    /// Those of [`resolve`], and [`Kind::Internal`] for the rule of another profile.
    pub fn seed_of(
        &self,
        rule: &Rule,
        lookup: &dyn Fn(&str) -> Option<String>,
        allowed: &dyn Fn(&str) -> bool,
    ) -> Result<(Seed, SeedOrigin)> {
        let strategy = self.strategies.get(&rule.strategy).ok_or_else(|| {
            Error::new(
                Kind::Internal,
                "rule uses a strategy that its profile does not define",
            )
        })?;
        resolve(
            rule.seed,
            &strategy.seed,
            &self.global_seed,
            lookup,
            allowed,
        )
    }
}

/// Returns the seed that wins, and its origin. `lookup` reads an environment variable, `allowed`
/// says whether one may be read.
///
/// # Errors
/// [`Kind::Permission`] for a variable that is not allowed, [`Kind::NotReady`] for one that is not
/// set, [`Kind::InvalidParameter`] for one that does not hold an integer.
pub fn resolve(
    rule: Option<Seed>,
    strategy: &SeedSource,
    global: &SeedSource,
    lookup: &dyn Fn(&str) -> Option<String>,
    allowed: &dyn Fn(&str) -> bool,
) -> Result<(Seed, SeedOrigin)> {
    if let Some(seed) = rule {
        return Ok((seed, SeedOrigin::RuleLiteral));
    }
    type FromEnv = fn(String) -> SeedOrigin;
    let levels: [(_, FromEnv, _); 2] = [
        (
            strategy,
            SeedOrigin::StrategyEnv,
            SeedOrigin::StrategyLiteral,
        ),
        (global, SeedOrigin::GlobalEnv, SeedOrigin::GlobalLiteral),
    ];
    for (source, from_env, from_literal) in levels {
        if let Some(name) = &source.env_var {
            if let Some(seed) = from_environment(name, lookup, allowed)? {
                return Ok((seed, from_env(name.clone())));
            }
            if source.literal.is_none() {
                let message = format!("environment variable \"{name}\" is not set");
                return Err(Error::new(Kind::NotReady, message)
                    .with_detail("The profile takes a seed from it, and names no other.")
                    .with_hint(
                        "Set it in the environment of the server, and restart the server.",
                    ));
            }
        }
        if let Some(seed) = source.literal {
            return Ok((seed, from_literal));
        }
    }
    Ok((Seed::new(0), SeedOrigin::Default))
}

/// Whether a list such as `ANONYMIZATION_*, CONFITURE_*` allows a variable; `*` stands for any
/// characters, and upper and lower case differ.
pub fn env_allowed(list: &str, name: &str) -> bool {
    list.split(',')
        .map(str::trim)
        .any(|pattern| matches(pattern.as_bytes(), name.as_bytes()))
}

/// Whether a text can be the name of an environment variable.
pub fn is_env_name(text: &str) -> bool {
    !text.starts_with(|c: char| c.is_ascii_digit())
        && (1..=LONGEST_ENV_NAME).contains(&text.len())
        && text.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_')
}

fn from_environment(
    name: &str,
    lookup: &dyn Fn(&str) -> Option<String>,
    allowed: &dyn Fn(&str) -> bool,
) -> Result<Option<Seed>> {
    if !allowed(name) {
        let message = format!("environment variable \"{name}\" may not be used for a seed");
        return Err(Error::new(Kind::Permission, message)
            .with_hint("A superuser allows names in \"confiture.seed_env_allow\"."));
    }
    let Some(value) = lookup(name).filter(|value| !value.is_empty()) else {
        return Ok(None);
    };
    // The standard parser takes ASCII digits with an optional sign, and nothing else.
    match value.parse() {
        Ok(number) => Ok(Some(Seed::new(number))),
        Err(_) => {
            let message = format!("environment variable \"{name}\" does not hold an integer");
            Err(Error::new(Kind::InvalidParameter, message).with_detail(
                "A seed is a decimal integer of 64 bits, without blanks or separators.",
            ))
        }
    }
}

/// Matches a pattern in linear memory, going back to the last `*` only.
fn matches(pattern: &[u8], name: &[u8]) -> bool {
    let (mut p, mut n) = (0, 0);
    let mut star: Option<(usize, usize)> = None;
    while n < name.len() {
        if pattern.get(p) == Some(&b'*') {
            star = Some((p, n));
            p += 1;
        } else if pattern.get(p) == Some(&name[n]) {
            p += 1;
            n += 1;
        } else if let Some((at, from)) = star {
            star = Some((at, from + 1));
            p = at + 1;
            n = from + 1;
        } else {
            return false;
        }
    }
    !name.is_empty() && pattern[p..].iter().all(|&b| b == b'*')
}

/// The longest name of an environment variable, in bytes.
const LONGEST_ENV_NAME: usize = 255;

#[cfg(test)]
mod tests {
    use super::*;

    fn source(env_var: Option<&str>, literal: Option<i64>) -> SeedSource {
        SeedSource {
            literal: literal.map(Seed::new),
            env_var: env_var.map(str::to_owned),
        }
    }

    fn environment(name: &str) -> Option<String> {
        let value = match name {
            "GOOD" => "42",
            "GLOBAL" => "7",
            "EMPTY" => "",
            "SECRET" => "my-top-secret-passphrase",
            _ => return None,
        };
        Some(value.to_owned())
    }

    fn run(
        rule: Option<i64>,
        strategy: SeedSource,
        global: SeedSource,
    ) -> Result<(i64, SeedOrigin)> {
        let allowed = |name: &str| name != "FORBIDDEN";
        resolve(
            rule.map(Seed::new),
            &strategy,
            &global,
            &environment,
            &allowed,
        )
        .map(|(seed, origin)| (seed.number(), origin))
    }

    #[test]
    fn resolution_follows_the_order_of_the_levels() {
        let none = || source(None, None);
        let env = |name: &str| source(Some(name), None);
        let global = || source(Some("GLOBAL"), Some(5));
        let good = SeedOrigin::StrategyEnv("GOOD".to_owned());
        assert_eq!(
            run(Some(1), env("GOOD"), global()),
            Ok((1, SeedOrigin::RuleLiteral))
        );
        assert_eq!(
            run(None, source(Some("GOOD"), Some(9)), global()),
            Ok((42, good))
        );
        let literal = SeedOrigin::StrategyLiteral;
        assert_eq!(run(None, source(None, Some(9)), global()), Ok((9, literal)));
        let origin = SeedOrigin::GlobalEnv("GLOBAL".to_owned());
        assert_eq!(run(None, none(), global()), Ok((7, origin)));
        let literal = SeedOrigin::GlobalLiteral;
        assert_eq!(run(None, none(), source(None, Some(-5))), Ok((-5, literal)));
        assert_eq!(run(None, none(), none()), Ok((0, SeedOrigin::Default)));
    }

    #[test]
    fn an_unset_variable_is_an_error_and_never_zero() {
        for name in ["UNSET", "EMPTY"] {
            let error = run(None, source(Some(name), None), source(None, Some(5))).unwrap_err();
            assert_eq!(error.kind(), Kind::NotReady);
            let message = format!("environment variable \"{name}\" is not set");
            assert_eq!(error.message(), message);
        }
    }

    #[test]
    fn a_literal_beside_an_unset_variable_serves() {
        for name in ["UNSET", "EMPTY"] {
            let both = source(Some(name), Some(99_999));
            let expected = Ok((99_999, SeedOrigin::StrategyLiteral));
            assert_eq!(run(None, both, source(None, None)), expected);
        }
    }

    #[test]
    fn a_value_that_is_no_integer_is_not_printed() {
        let error = run(None, source(Some("SECRET"), Some(1)), source(None, None)).unwrap_err();
        assert_eq!(error.kind(), Kind::InvalidParameter);
        assert!(!format!("{error:?}").contains("passphrase"));
    }

    #[test]
    fn a_value_is_an_ascii_decimal_of_64_bits() {
        let read = |value: &str| {
            from_environment("X", &|_| Some(value.to_owned()), &|_| true)
                .map(|seed| seed.map(Seed::number))
        };
        assert_eq!(read("+7"), Ok(Some(7)));
        assert_eq!(read("-9223372036854775808"), Ok(Some(i64::MIN)));
        for wrong in [
            "1_000",
            " 42 ",
            "42\n",
            "١٢",
            "0x10",
            "1e3",
            "12.0",
            "9223372036854775808",
            "-",
        ] {
            assert_eq!(
                read(wrong).unwrap_err().kind(),
                Kind::InvalidParameter,
                "{wrong}"
            );
        }
    }

    #[test]
    fn a_variable_that_is_not_allowed_is_refused_even_beside_a_literal() {
        let error = run(None, source(Some("FORBIDDEN"), Some(1)), source(None, None)).unwrap_err();
        assert_eq!(error.kind(), Kind::Permission);
    }

    #[test]
    fn allowed_lists_match_whole_names() {
        let list = "ANONYMIZATION_*, CONFITURE_*";
        assert!(env_allowed(list, "ANONYMIZATION_SEED"));
        assert!(env_allowed(list, "CONFITURE_"));
        assert!(env_allowed("A*C*E", "ABCBCDE"));
        assert!(env_allowed("*", "PATH"));
        assert!(env_allowed("EXACT", "EXACT"));
        for (list, name) in [
            (list, "MY_ANONYMIZATION_SEED"),
            (list, "anonymization_seed"),
            ("", "PATH"),
            (",, ,", "PATH"),
            ("", ""),
            ("*", ""),
            ("EXACT", "EXACTLY"),
            ("A*C*E", "ACD"),
        ] {
            assert!(!env_allowed(list, name), "{list} {name}");
        }
    }

    #[test]
    fn origins_have_names_without_values() {
        let origin = SeedOrigin::StrategyEnv("ANONYMIZATION_SEED".to_owned());
        assert_eq!(
            origin.to_string(),
            "strategy, environment variable ANONYMIZATION_SEED"
        );
    }
}
