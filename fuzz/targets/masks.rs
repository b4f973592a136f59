//! Values and parameters of strategies: what refuses must say so, what masks must keep its promises.

use std::cell::Cell;

use confiture::strategies::params::from_json;
use confiture::strategies::token::{TokenFormat, tokenize};
use confiture::strategies::{
    Datum, Input, Kind, Mask, Params, Row, Seed, Strategy, Subkeys, ValueType,
};

use super::documents::decent;

const KEY: [u8; 32] = [0x5a; 32];

/// A text and parameters in JSON before it, divided by a line.
fn parts<const N: usize>(input: &[u8]) -> Option<[&str; N]> {
    let text = std::str::from_utf8(input).ok()?;
    let mut parts = text.splitn(N, "\n====\n");
    let mut found = [""; N];
    for part in &mut found {
        *part = parts.next()?;
    }
    Some(found)
}

fn params(text: &str) -> Option<Params> {
    from_json(&serde_json::from_str(text).ok()?).ok()
}

/// A strategy; its effective parameters make it again.
fn strategy(kind: Kind, text: &str) -> Option<Strategy> {
    let strategy = Strategy::new(kind, &params(text)?).ok()?;
    let again = Strategy::new(kind, strategy.effective_params());
    assert!(again.is_ok_and(|again| again == strategy), "{strategy:?}");
    Some(strategy)
}

fn compile(strategy: &Strategy, of: ValueType) -> Option<Mask> {
    let keys = Subkeys {
        salt: Some(&KEY),
        ..Subkeys::new(&KEY, &KEY)
    };
    match strategy.mask(&keys, Seed::new(7), of) {
        Ok(mask) => Some(mask),
        Err(error) => {
            decent(&error);
            None
        }
    }
}

/// Any strategy on a text: a longest output that was promised is kept.
pub(crate) fn mask(input: &[u8]) {
    let Some([name, text, value]) = parts(input) else {
        return;
    };
    let Some(kind) = Kind::parse(name) else {
        return;
    };
    // Slow by intent: what a digest costs is a parameter.
    if text.contains("argon2") {
        return;
    }
    let Some(strategy) = strategy(kind, text) else {
        return;
    };
    for of in [ValueType::Text, ValueType::Json] {
        if !strategy.accepts(of) {
            continue;
        }
        let Some(mask) = compile(&strategy, of) else {
            continue;
        };
        match mask.apply(Datum::text(value), Row::NONE) {
            Ok(Some(Datum::Text(made))) => {
                let most = strategy.output_limit(Some(value.chars().count()));
                let length = made.chars().count();
                let is_kept = of != ValueType::Text || most.is_none_or(|most| length <= most);
                assert!(is_kept, "{length} > {most:?}");
            }
            Ok(_) => {}
            Err(error) => decent(&error),
        }
    }
}

/// Format-preserving encryption: what was encrypted is decrypted, and looks alike.
pub(crate) fn fpe(input: &[u8]) {
    let Some([text, value]) = parts(input) else {
        return;
    };
    let Some(strategy) = strategy(Kind::Fpe, text) else {
        return;
    };
    let Some(mask) = compile(&strategy, ValueType::Text) else {
        return;
    };
    // A value that is refused may have become another one, or NULL.
    let is_strict = !strategy
        .effective_params()
        .get("on_error")
        .is_some_and(|word| *word != "error".into());
    match mask.apply(Datum::text(value), Row::NONE) {
        Ok(Some(made)) if is_strict => {
            let length = |of: &Datum<'_>| match of {
                Datum::Text(text) => text.chars().count(),
                _ => 0,
            };
            assert_eq!(length(&made), value.chars().count());
            let back = mask.reverse(made, Row::NONE).expect("a ciphertext");
            assert_eq!(back, Some(Datum::text(value)));
        }
        Ok(_) => {}
        Err(error) => decent(&error),
    }
    if let Err(error) = mask.reverse(Datum::text(value), Row::NONE) {
        decent(&error);
    }
}

/// Paths into a document: what comes out is a document.
pub(crate) fn json_path(input: &[u8]) {
    let Some([text, value]) = parts(input) else {
        return;
    };
    if text.contains("argon2") {
        return;
    }
    let Some(strategy) = strategy(Kind::Json, text) else {
        return;
    };
    for of in [ValueType::Jsonb, ValueType::Json, ValueType::Text] {
        let Some(mask) = compile(&strategy, of) else {
            continue;
        };
        let made = match mask.apply(Datum::text(value), Row::NONE) {
            Ok(Some(Datum::Text(made))) => made.into_owned(),
            Ok(_) => continue,
            Err(error) => {
                decent(&error);
                continue;
            }
        };
        // A text that is refused need not become a document.
        let is_document =
            of != ValueType::Text && serde_json::from_str::<serde_json::Value>(value).is_ok();
        let stays_one = serde_json::from_str::<serde_json::Value>(&made).is_ok();
        assert!(!is_document || stays_one, "{made}");
    }
}

/// Free text: equal texts become equal, and nothing that was named is left.
pub(crate) fn text(input: &[u8]) {
    let Some([text, names, value]) = parts(input) else {
        return;
    };
    let Some(strategy) = strategy(Kind::Text, text) else {
        return;
    };
    let Some(mask) = compile(&strategy, ValueType::Text) else {
        return;
    };
    let names: Vec<&str> = names.lines().take(8).collect();
    let inputs = [Input::Many(names.clone()), Input::Many(names)];
    let made = Cell::new(None);
    for _ in 0..2 {
        match mask.apply(Datum::text(value), Row(&inputs)) {
            Ok(Some(Datum::Text(text))) => {
                let before = made.replace(Some(text.clone().into_owned()));
                assert!(before.is_none_or(|before| before == *text));
            }
            Ok(_) => {}
            Err(error) => decent(&error),
        }
    }
}

/// Tokens: each has the form that it is known by, and a form is made again by its parameters.
pub(crate) fn token(input: &[u8]) {
    let Some([text, value]) = parts(input) else {
        return;
    };
    if let Some(why) = tokenize::invalid_domain(value) {
        assert!(!why.contains(char::is_control), "{why:?}");
    }
    let Some(params) = params(text) else {
        return;
    };
    let Ok(format) = TokenFormat::new(&params) else {
        return;
    };
    let again = TokenFormat::new(&format.params());
    assert!(again.is_ok_and(|again| again.params() == format.params()));
    let _ = (
        format.looks_like(value),
        format.shape(value),
        format.space(value),
    );
    match format.check(value) {
        Ok(()) => {
            let token = format.token(value, &KEY);
            assert!(format.looks_like(&token), "{token}");
            let most = format.output_limit(Some(value.chars().count()));
            let length = token.chars().count();
            assert!(
                most.is_none_or(|most| length <= most),
                "{length} > {most:?}"
            );
            assert_eq!(token, format.token(value, &KEY));
        }
        Err(error) => decent(&error),
    }
}
