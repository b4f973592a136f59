//! Parts of identifiers that lead to a person by themselves: the words of a name, and what stands
//! before the `@` of an address where somebody put it together.

use super::needle::FEWEST_CHARACTERS;

/// The words of a person's name that say who it is. Those written small beside capitals (`von`,
/// `della`) do not, nor do short ones.
pub fn of_name(name: &str) -> impl Iterator<Item = &str> {
    let has_capitals = name.chars().any(char::is_uppercase);
    words(name).filter(move |word| {
        word.chars().all(char::is_alphabetic)
            && word.chars().nth(FEWEST_CHARACTERS - 1).is_some()
            && !(has_capitals && word.starts_with(char::is_lowercase))
    })
}

/// What stands before the `@` of an e-mail address; `None` where it is one word, as everybody's
/// `info` is, or says too little.
pub fn of_address(address: &str) -> Option<&str> {
    let (local, host) = address.trim().split_once('@')?;
    let is_local = |c: char| c.is_alphanumeric() || matches!(c, '.' | '_' | '-' | '+');
    if host.is_empty() || host.contains(['@', ' ']) || !local.chars().all(is_local) {
        return None;
    }
    let is_made_of_several = local.contains(|c: char| !c.is_alphabetic());
    let letters = local.chars().filter(|c| c.is_alphabetic());
    (is_made_of_several && letters.count() >= FEWEST_CHARACTERS).then_some(local)
}

/// Whether a text has a word as names are written: not small. Case does not count otherwise.
pub fn is_named(text: &str, word: &str) -> bool {
    words(text).any(|found| {
        !found.starts_with(char::is_lowercase)
            && found
                .chars()
                .flat_map(char::to_lowercase)
                .eq(word.chars().flat_map(char::to_lowercase))
    })
}

fn words(text: &str) -> impl Iterator<Item = &str> {
    text.split(|c: char| !c.is_alphanumeric())
        .filter(|word| !word.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_of_a_name_are_its_words_without_particles() {
        let parts = |name| of_name(name).collect::<Vec<_>>();
        assert_eq!(parts("Ada Lovelace"), ["Lovelace"]);
        assert_eq!(
            parts("Anna-Maria von der Leyen"),
            ["Anna", "Maria", "Leyen"]
        );
        assert_eq!(parts("Luca della Robbia"), ["Luca", "Robbia"]);
        assert_eq!(parts("grace hopper"), ["grace", "hopper"]);
        assert_eq!(parts("Conan O'Brien"), ["Conan", "Brien"]);
        assert_eq!(parts("Bob Lee 2nd"), [""; 0]);
    }

    #[test]
    fn parts_of_an_address_are_made_of_several() {
        assert_eq!(
            of_address("ada.lovelace@work.example"),
            Some("ada.lovelace")
        );
        assert_eq!(of_address("person7@mail.example"), Some("person7"));
        for none in [
            "info@work.example",
            "a.b@work.example",
            "12.34@work.example",
            "@work.example",
            "ada.lovelace@",
            "no address",
            "postgres://me.too@host@other",
        ] {
            assert_eq!(of_address(none), None, "{none}");
        }
    }

    #[test]
    fn parts_are_found_as_names_are_written() {
        assert!(is_named("Mrs LOVELACE, again", "Lovelace"));
        assert!(is_named("(Zoë)", "zoë"));
        assert!(is_named("Mrs Lovelace's order", "Lovelace"));
        assert!(!is_named("as a king would", "King"));
        assert!(!is_named("Kingdom", "King"));
    }
}
