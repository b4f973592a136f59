//! Inputs out of other inputs.

/// A generator of numbers that need not be secret, by George Marsaglia.
pub(crate) struct Xorshift(u64);

impl Xorshift {
    /// Begins with a number.
    pub(crate) fn new(seed: u64) -> Self {
        Self(seed | 1)
    }

    fn next(&mut self) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0
    }

    /// A number below a bound; 0 where that is 0.
    pub(crate) fn below(&mut self, bound: usize) -> usize {
        usize::try_from(self.next() % bound.max(1) as u64).unwrap_or_default()
    }
}

/// The longest input, in bytes: what is large is looked at by tests of its own.
pub(crate) const LONGEST: usize = 16 * 1024;

/// What readers of text trip over.
#[rustfmt::skip]
const PIECES: &[&[u8]] = &[
    b"", b"\0", b"\n", b"\r\n", b"\t", b" ", b"\"", b"'", b"\\", b"/", b":", b",", b".", b"-", b"+",
    b"{", b"}", b"[", b"]", b"(", b")", b"$", b"*", b"&a ", b"*a", b"<<: ", b"!!str ", b"? ", b"- ",
    b"|\n", b"#", b"---\n", b"\n\n", b"\n====\n", b"..", b"[*]", b"~", b"@", b"%00", b"%s", b"==",
    b"null", b"true", b"NaN", b"0", b"00", b"-1", b"1e400", b"1.5", b"255", b"256", b"65536",
    b"2147483648", b"9223372036854775807", b"-9223372036854775808", b"18446744073709551616",
    b"2024-02-30", b"infinity", b"\\u0000", b"\\ud800", b"\xff", b"\xed\xa0\x80", b"\xc0\x80",
    "\u{feff}".as_bytes(), "\u{202e}".as_bytes(), "\u{301}".as_bytes(), "\u{200d}".as_bytes(),
    "\u{1f980}".as_bytes(), "\u{10ffff}".as_bytes(), "é".as_bytes(), "ß".as_bytes(),
    "İ".as_bytes(), "ﬁ".as_bytes(), "٤".as_bytes(), "\u{2028}".as_bytes(), "\u{a0}".as_bytes(),
];

/// Changes one to eight places of an input; `other` lends parts of itself, `words` stand in some input.
pub(crate) fn mutate(
    base: &[u8],
    other: &[u8],
    words: &[Vec<u8>],
    random: &mut Xorshift,
) -> Vec<u8> {
    let mut made = base.to_vec();
    // Mostly few.
    let most = 1 + random.below(8);
    for _ in 0..=random.below(most) {
        change(&mut made, other, words, random);
    }
    made.truncate(LONGEST);
    made
}

fn change(made: &mut Vec<u8>, other: &[u8], words: &[Vec<u8>], random: &mut Xorshift) {
    let at = random.below(made.len() + 1);
    match random.below(11) {
        0 if at < made.len() => made[at] ^= 1 << random.below(8),
        1 if at < made.len() => made[at] = random.next().to_le_bytes()[0],
        2 => {
            let end = (at + 1 + random.below(24)).min(made.len());
            made.drain(at..end);
        }
        3 => {
            let piece = PIECES[random.below(PIECES.len())];
            made.splice(at..at, piece.iter().copied());
        }
        4 if !words.is_empty() => {
            let word = &words[random.below(words.len())];
            let end = (at + random.below(2) * word.len()).min(made.len());
            made.splice(at..end, word.iter().copied());
        }
        5 => {
            let (from, to) = range(made, random, 64);
            let copy = made[from..to].to_vec();
            made.splice(at..at, copy);
        }
        6 => {
            let (from, to) = range(other, random, 256);
            made.splice(at..at, other[from..to].iter().copied());
        }
        7 => {
            // Many of the same.
            let (from, to) = range(made, random, 8);
            let copy = made[from..to].repeat(1 + random.below(200));
            made.splice(at..at, copy.into_iter().take(LONGEST));
        }
        8 => {
            // The end of another one behind the beginning of this one.
            made.truncate(at);
            made.extend_from_slice(&other[random.below(other.len() + 1)..]);
        }
        9 => number(made, at, random),
        _ => {
            let (from, to) = range(made, random, 16);
            made[from..to].reverse();
        }
    }
}

/// A part of an input, at most so long.
fn range(of: &[u8], random: &mut Xorshift, most: usize) -> (usize, usize) {
    let from = random.below(of.len() + 1);
    (from, (from + 1 + random.below(most)).min(of.len()))
}

/// Another number in place of the next one.
fn number(made: &mut Vec<u8>, at: usize, random: &mut Xorshift) {
    let is_digit = |byte: &u8| byte.is_ascii_digit();
    let Some(from) = made[at..].iter().position(is_digit).map(|found| at + found) else {
        return;
    };
    let length = made[from..]
        .iter()
        .take_while(|byte| is_digit(byte))
        .count();
    let bits = random.below(64);
    let text = (random.next() >> bits).to_string();
    made.splice(from..from + length, text.into_bytes());
}
