//! A made-up word of 80 bits that can be spoken, for names, occupations and streets that must not
//! meet.
//!
//! Twelve syllables of a consonant and a vowel, three times four: `-Kadobafe-Lirenotu-Semigapo`.
//! A syllable is drawn from 108; one that would make an insult with the one before it is drawn
//! again, which leaves at least 102: log2(102) × 12 = 80.07 bits.

use std::sync::LazyLock;

use crate::strategies::keyed::Stream;

/// Characters of a tail, the hyphen before it included.
pub(super) const LENGTH: usize = 27;

/// Two tails are equal with a chance of 2^-80 at most.
pub(super) const BITS: u32 = 80;

/// Appends a tail with the hyphen before it.
pub(super) fn push(stream: &mut Stream<'_>, out: &mut String) {
    let mut before: Option<usize> = None;
    for at in 0..SYLLABLES {
        let number = loop {
            let drawn = usize::from(stream.below(ALL));
            if before.is_none_or(|before| !REFUSALS[before][drawn]) {
                break drawn;
            }
        };
        let [consonant, vowel] = syllable(number);
        if at % WORD == 0 {
            out.push('-');
            out.push(char::from(consonant.to_ascii_uppercase()));
        } else {
            out.push(char::from(consonant));
        }
        out.push(char::from(vowel));
        // A word begins anew.
        before = (at % WORD != WORD - 1).then_some(number);
    }
}

fn syllable(number: usize) -> [u8; 2] {
    [
        CONSONANTS[number / VOWELS.len() % CONSONANTS.len()],
        VOWELS[number % VOWELS.len()],
    ]
}

fn is_refused(before: usize, number: usize) -> bool {
    let ([a, b], [c, d]) = (syllable(before), syllable(number));
    REFUSED.iter().any(|word| [a, b, c, d].starts_with(word))
}

/// By a syllable and the one behind it.
static REFUSALS: LazyLock<Vec<[bool; ALL as usize]>> = LazyLock::new(|| {
    let row = |before: usize| std::array::from_fn(|number| is_refused(before, number));
    (0..usize::from(ALL)).map(row).collect()
});

const SYLLABLES: usize = 12;
const WORD: usize = 4;
const ALL: u16 = 108;
const CONSONANTS: &[u8; 18] = b"bcdfghjklmnprstvwz";
const VOWELS: &[u8; 6] = b"aeiouy";

/// Insults in one of the languages, and what begins like them.
const REFUSED: [&[u8]; 33] = [
    b"caca", b"caga", b"cago", b"cona", b"cula", b"cule", b"culi", b"culo", b"dyke", b"fag",
    b"fuk", b"homo", b"hure", b"jude", b"juda", b"kaka", b"kike", b"naka", b"nazi", b"nega",
    b"nego", b"nig", b"peda", b"pede", b"pedo", b"pene", b"puta", b"pute", b"puto", b"rape",
    b"sida", b"suka", b"teta",
];

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;
    use crate::strategies::Seed;
    use crate::strategies::keyed::Keyed;

    #[test]
    fn tail_keeps_80_bits_whatever_is_refused() {
        let all: HashSet<[u8; 2]> = (0..108).map(syllable).collect();
        assert_eq!(all.len(), 108);
        for before in 0..108 {
            let left = (0..108).filter(|next| !is_refused(before, *next)).count();
            assert!((left as f64).log2() * 12.0 >= f64::from(BITS), "{left}");
        }
    }

    #[test]
    fn tail_can_be_spoken_and_says_nothing_bad() {
        let keyed = Keyed::labeled("test", 1, &[7; 32], Seed::new(1));
        let mut seen = HashSet::new();
        for n in 0..20_000u32 {
            let mut out = String::new();
            push(&mut keyed.stream(&n.to_be_bytes()), &mut out);
            assert_eq!(out.len(), LENGTH);
            let words: Vec<&str> = out.split('-').collect();
            assert!(words[0].is_empty() && words[1..].iter().all(|word| word.len() == 8));
            let lower = out.to_lowercase();
            assert!(!lower.contains("nazi") && !lower.contains("nigo"), "{out}");
            assert!(seen.insert(out));
        }
    }
}
