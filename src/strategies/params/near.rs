//! What was probably meant by a wrong word, and how one is quoted.

/// Returns the allowed word nearest to `word`, if it is near enough to be a slip of the pen.
pub fn nearest<'a>(word: &str, allowed: impl Iterator<Item = &'a str>) -> Option<&'a str> {
    let length = word.chars().count();
    if length > LONGEST_QUOTE {
        return None;
    }
    let word = word.to_lowercase();
    allowed
        .map(|candidate| (distance(&word, candidate), candidate))
        .filter(|&(distance, _)| distance <= 2 && distance * 2 <= length)
        .min_by_key(|&(distance, _)| distance)
        .map(|(_, candidate)| candidate)
}

/// Lists the allowed words, the nearest one first.
pub(super) fn hint<'a>(
    what: &str,
    word: &str,
    allowed: impl Iterator<Item = &'a str> + Clone,
) -> String {
    let list: Vec<String> = allowed.clone().map(quote).collect();
    let list = list.join(", ");
    match nearest(word, allowed) {
        Some(near) => format!("Did you mean \"{near}\"? Available {what} are {list}."),
        None => format!("Available {what} are {list}."),
    }
}

/// Quotes a word of a profile, cut to a length that a log line can bear.
pub(in crate::strategies) fn quote(word: &str) -> String {
    let word: String = word
        .chars()
        .take(LONGEST_QUOTE)
        .filter(|c| !c.is_control())
        .collect();
    format!("\"{word}\"")
}

/// Optimal string alignment: insertions, deletions, substitutions, swaps of neighbors.
fn distance(a: &str, b: &str) -> usize {
    let (a, b): (Vec<char>, Vec<char>) = (a.chars().collect(), b.chars().collect());
    let mut before = vec![0; b.len() + 1];
    let mut above: Vec<usize> = (0..=b.len()).collect();
    for i in 1..=a.len() {
        let mut row = vec![i; b.len() + 1];
        for j in 1..=b.len() {
            let substitute = above[j - 1] + usize::from(a[i - 1] != b[j - 1]);
            row[j] = substitute.min(above[j] + 1).min(row[j - 1] + 1);
            if i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1] {
                row[j] = row[j].min(before[j - 2] + 1);
            }
        }
        before = std::mem::replace(&mut above, row);
    }
    above[b.len()]
}

const LONGEST_QUOTE: usize = 64;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nearest_forgives_a_slip_and_no_more() {
        let names = ["email", "hash", "phone", "redact"];
        assert_eq!(nearest("hsah", names.into_iter()), Some("hash"));
        assert_eq!(nearest("Emial", names.into_iter()), Some("email"));
        assert_eq!(nearest("fone", names.into_iter()), Some("phone"));
        assert_eq!(nearest("tokenize", names.into_iter()), None);
        assert_eq!(nearest("x", names.into_iter()), None);
        assert_eq!(nearest("", names.into_iter()), None);
        assert_eq!(nearest(&"h".repeat(100_000), names.into_iter()), None);
    }
}
