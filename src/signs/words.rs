//! The words of a name: `snake_case`, `camelCase`, `Kebab-Case` and words that are written together.

use std::collections::HashSet;
use std::sync::LazyLock;

use unicode_normalization::UnicodeNormalization;

use super::vocabulary;

/// The words of a name, without accents, in small letters. Digits and signs part words and are left
/// out.
pub fn of(name: &str) -> Vec<String> {
    let mut words: Vec<String> = Vec::new();
    for word in plain(name) {
        // e-mail, eMail, e_mail
        if word == "mail" && words.last().is_some_and(|last| last == "e") {
            words.pop();
            words.push("email".to_owned());
        } else if KNOWN.contains(word.as_str()) {
            words.push(word);
        } else {
            match apart(&word) {
                Some(parts) => words.extend(parts),
                None => words.push(word),
            }
        }
    }
    words
}

fn plain(name: &str) -> Vec<String> {
    let mut words = vec![String::new()];
    let chars: Vec<char> = name.chars().take(LONGEST).collect();
    for (at, &c) in chars.iter().enumerate() {
        let before = at.checked_sub(1).map(|at| chars[at]);
        let after = chars.get(at + 1);
        let begins = c.is_uppercase()
            && (before.is_some_and(char::is_lowercase)
                || before.is_some_and(char::is_uppercase)
                    && after.is_some_and(|c| c.is_lowercase()));
        // An accent of its own belongs to the letter before it.
        if matches!(c, '\u{300}'..='\u{36f}') {
            continue;
        }
        if begins || !c.is_alphabetic() {
            words.push(String::new());
        }
        if c.is_alphabetic()
            && let Some(word) = words.last_mut()
        {
            push(c, word);
        }
    }
    words.retain(|word| !word.is_empty());
    words
}

fn push(c: char, word: &mut String) {
    for c in std::iter::once(c).nfd().flat_map(char::to_lowercase) {
        match c {
            'ß' => word.push_str("ss"),
            'œ' => word.push_str("oe"),
            'æ' => word.push_str("ae"),
            'ø' => word.push('o'),
            '\u{300}'..='\u{36f}' => {}
            c => word.push(c),
        }
    }
}

/// Every word of the vocabulary.
static KNOWN: LazyLock<HashSet<&'static str>> = LazyLock::new(|| vocabulary::words().collect());

/// Whether the vocabulary has a word, as written or in the singular.
pub fn is_known(word: &str) -> bool {
    KNOWN.contains(word)
}

/// Takes a word apart into two or three that are known: `handynr`, `dateofbirth`.
fn apart(word: &str) -> Option<Vec<String>> {
    fn split<'a>(word: &'a str, left: usize, parts: &mut Vec<&'a str>) -> bool {
        if KNOWN.contains(word) && word.len() >= SHORTEST {
            parts.push(word);
            return true;
        }
        if left == 0 {
            return false;
        }
        for at in (SHORTEST..word.len().saturating_sub(1)).rev() {
            let Some((head, tail)) = word.split_at_checked(at) else {
                continue;
            };
            if KNOWN.contains(head) {
                parts.push(head);
                if split(tail, left - 1, parts) {
                    return true;
                }
                parts.pop();
            }
        }
        false
    }
    let mut parts = Vec::new();
    // Short words fit into too many others.
    let whole = word.len() >= 6
        && split(word, 2, &mut parts)
        && parts.iter().any(|part| part.len() >= 4)
        && parts.iter().filter(|part| part.len() < 3).count() <= 1;
    whole.then(|| parts.into_iter().map(str::to_owned).collect())
}

/// Names of the server have 63 bytes.
const LONGEST: usize = 200;
const SHORTEST: usize = 2;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_parted_however_a_name_is_written() {
        for (name, words) in [
            ("first_name", "first name"),
            ("firstName", "first name"),
            ("FirstName", "first name"),
            ("FIRST-NAME", "first name"),
            ("eMail2", "email"),
            ("E_MAIL", "email"),
            ("dateNaiss", "date naiss"),
            ("apellido1", "apellido"),
            ("handynr", "handy nr"),
            ("Straße", "strasse"),
            ("prénom", "prenom"),
            ("pre\u{301}nom", "prenom"),
            ("HTTPServer", "http server"),
            ("dateofbirth", "date of birth"),
            ("xyzzy", "xyzzy"),
            ("", ""),
        ] {
            assert_eq!(of(name).join(" "), words, "{name}");
        }
        assert!(of(&"a".repeat(10_000)).len() < 2);
    }
}
