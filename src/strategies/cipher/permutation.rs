//! One keyed permutation per domain: FF1 where it has a million values, a drawn table below.
//!
//! Two domains never share a permutation: what the values are (their type, their alphabet) is part
//! of the key; the tweak of the user, the part of the type that a value belongs to (its number of
//! digits, say) and what is left clear of it are the tweak of FF1, each behind its length.

use std::cell::RefCell;

use aes::Aes256;
use aes::cipher::KeyInit;
use fpe::ff1::{FF1, FlexibleNumeralString};
use zeroize::Zeroizing;

use super::ff1::{Ff1, LEAST, Refusal, Shape, Way};
use super::numeral::{number, write};
use super::shuffle::Tables;
use crate::error::{self, Error, Result};
use crate::keys::push_field;
use crate::strategies::keyed::Keyed;
use crate::strategies::{Kind, Seed};

/// Permutations of strings of one radix, or of numbers (radix 2), with their key.
pub(in crate::strategies) struct Permutation {
    radix: u32,
    ff1: Ff1<Aes256>,
    /// For strings beyond the halves of `ff1`.
    long: FF1<Aes256>,
    keyed: Keyed,
    /// What the values are, as fields.
    what: Vec<u8>,
    /// The tweak of the user, as a field.
    tweak: Vec<u8>,
    /// Bytes of `Part::kept`.
    kept: usize,
    shapes: RefCell<Shapes>,
    tables: Option<RefCell<Tables>>,
}

/// Which of the domains a value belongs to.
#[derive(Clone, Copy)]
pub(in crate::strategies) struct Part<'a> {
    /// What is the same for many values.
    pub(in crate::strategies) class: &'a [u8],
    /// What is left clear of this one, always of the same length.
    pub(in crate::strategies) kept: &'a [u8],
}

/// A domain has fewer than a million values, and tables were not asked for.
#[derive(Debug, PartialEq, Eq)]
pub(in crate::strategies) struct TooFew;

/// What a permutation is made of beside the key.
pub(in crate::strategies) struct Recipe<'a> {
    /// What the values are.
    pub(in crate::strategies) what: &'a [&'a str],
    pub(in crate::strategies) radix: u32,
    pub(in crate::strategies) tweak: &'a str,
    /// Bytes of `Part::kept`.
    pub(in crate::strategies) kept: usize,
    /// Whether domains of fewer than a million values are permuted by tables.
    pub(in crate::strategies) shuffle: bool,
}

impl Permutation {
    /// # Errors
    /// XX000 for a radix that FF1 does not have.
    pub(in crate::strategies) fn new(
        key: &[u8; 32],
        seed: Seed,
        recipe: &Recipe<'_>,
    ) -> Result<Self> {
        let keyed = Keyed::new(Kind::Fpe, key, seed);
        let mut what = Vec::new();
        for field in recipe.what {
            push_field(&mut what, field.as_bytes());
        }
        let mut tweak = Vec::new();
        push_field(&mut tweak, recipe.tweak.as_bytes());
        let cipher_key = subkey(&keyed, "aes", &[&what]);
        let long = FF1::new(&*cipher_key, recipe.radix).map_err(|_| defect())?;
        Ok(Self {
            radix: recipe.radix,
            ff1: Ff1::new(Aes256::new((&*cipher_key).into())),
            long,
            keyed,
            what,
            tweak,
            kept: recipe.kept,
            shapes: RefCell::default(),
            tables: recipe.shuffle.then(RefCell::default),
        })
    }

    /// Permutes the strings of one length.
    ///
    /// # Errors
    /// [`TooFew`].
    pub(in crate::strategies) fn string(
        &self,
        way: Way,
        numerals: &mut [u16],
        part: Part<'_>,
    ) -> Result<(), TooFew> {
        let mut shapes = self.shapes.borrow_mut();
        let halves = numerals.len() / 2;
        match shapes.find(self, numerals.len(), part.class) {
            Ok(shape) => {
                let (left, right) = numerals.split_at_mut(halves);
                let before = (number(left, self.radix), number(right, self.radix));
                let after = self.ff1.halves(way, shape, part.kept, before);
                write(after.0, self.radix, left);
                write(after.1, self.radix, right);
                Ok(())
            }
            Err(Refusal::TooMany) => {
                let tweak = self.tweak(part);
                let string = FlexibleNumeralString::from(numerals.to_vec());
                let string = match way {
                    Way::Forth => self.long.encrypt(&tweak, &string),
                    Way::Back => self.long.decrypt(&tweak, &string),
                };
                numerals.copy_from_slice(&Vec::from(string.map_err(|_| TooFew)?));
                Ok(())
            }
            Err(Refusal::TooFew | Refusal::Radix) => {
                let length = u32::try_from(numerals.len()).map_err(|_| TooFew)?;
                let size = u128::from(self.radix).checked_pow(length).ok_or(TooFew)?;
                let moved = self.shuffled(way, number(numerals, self.radix), size, part)?;
                write(moved, self.radix, numerals);
                Ok(())
            }
        }
    }

    /// Permutes the numbers below `size`, which is at most 2^127.
    ///
    /// # Errors
    /// [`TooFew`], also for a number that is not below `size`.
    pub(in crate::strategies) fn number(
        &self,
        way: Way,
        number: u128,
        size: u128,
        part: Part<'_>,
    ) -> Result<u128, TooFew> {
        if number >= size {
            return Err(TooFew);
        }
        if size < LEAST {
            return self.shuffled(way, number, size, part);
        }
        let bits = u128::BITS - (size - 1).leading_zeros();
        let mut shapes = self.shapes.borrow_mut();
        let shape = shapes
            .find(self, bits as usize, part.class)
            .map_err(|_| TooFew)?;
        Ok(self.ff1.number(way, shape, part.kept, number, size))
    }

    /// Whether domains of that size are permuted.
    pub(super) fn takes(&self, size: u128) -> bool {
        size >= LEAST || self.tables.is_some()
    }

    fn shuffled(&self, way: Way, number: u128, size: u128, part: Part<'_>) -> Result<u128, TooFew> {
        let mut tables = self.tables.as_ref().ok_or(TooFew)?.borrow_mut();
        let tweak = self.tweak(part);
        let size_field = size.to_be_bytes();
        let mut name = Vec::with_capacity(tweak.len() + 17);
        name.push(u8::from(way == Way::Back));
        name.extend_from_slice(&size_field);
        name.extend_from_slice(&tweak);
        let key = || {
            let mut fields = self.what.clone();
            push_field(&mut fields, &tweak);
            push_field(&mut fields, &size_field);
            subkey(&self.keyed, "shuffle", &[&fields])
        };
        tables.look_up(way, &name, number, size, key).ok_or(TooFew)
    }

    /// The tweak of FF1.
    fn tweak(&self, part: Part<'_>) -> Vec<u8> {
        let mut tweak = self.tweak.clone();
        push_field(&mut tweak, part.class);
        tweak.extend_from_slice(part.kept);
        tweak
    }
}

/// A key for one purpose: HMAC-SHA256 over strategy, version, seed, purpose and what the values
/// are.
fn subkey(keyed: &Keyed, purpose: &str, fields: &[&[u8]]) -> Zeroizing<[u8; 32]> {
    let mut value = Vec::new();
    push_field(&mut value, purpose.as_bytes());
    for field in fields {
        value.extend_from_slice(field);
    }
    Zeroizing::new(keyed.digest(&value).first())
}

fn defect() -> Error {
    Error::new(error::Kind::Internal, "an alphabet has no radix of FF1")
}

/// The shapes last seen: a column holds few lengths.
#[derive(Default)]
struct Shapes {
    shapes: Vec<(usize, Vec<u8>, Shape)>,
    next: usize,
}

const SHAPES: usize = 8;

impl Shapes {
    fn find(&mut self, of: &Permutation, length: usize, class: &[u8]) -> Result<&Shape, Refusal> {
        let known = |(l, c, _): &(usize, Vec<u8>, Shape)| *l == length && c == class;
        if let Some(at) = self.shapes.iter().position(known) {
            return Ok(&self.shapes[at].2);
        }
        let tweak = of.tweak(Part { class, kept: &[] });
        let shape = of.ff1.shape(of.radix, length, &tweak, of.kept)?;
        let entry = (length, class.to_vec(), shape);
        let at = self.next;
        self.next = (at + 1) % SHAPES;
        match self.shapes.get_mut(at) {
            Some(place) => *place = entry,
            None => self.shapes.push(entry),
        }
        Ok(&self.shapes[at].2)
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use aes::cipher::BlockCipherEncrypt;
    use zeroize::ZeroizeOnDrop;

    use super::*;

    const RECIPE: Recipe<'_> = Recipe {
        what: &["text", "digits"],
        radix: 10,
        tweak: "",
        kept: 2,
        shuffle: true,
    };
    const PART: Part<'_> = Part {
        class: b"",
        kept: &[0, 1],
    };

    fn made(key: u8, seed: i64, recipe: &Recipe<'_>) -> Permutation {
        Permutation::new(&[key; 32], Seed::new(seed), recipe).unwrap()
    }

    fn string(permutation: &Permutation, length: usize, part: Part<'_>) -> Vec<u16> {
        let mut numerals = vec![1; length];
        permutation.string(Way::Forth, &mut numerals, part).unwrap();
        let moved = numerals.clone();
        permutation.string(Way::Back, &mut numerals, part).unwrap();
        assert_eq!(numerals, vec![1; length]);
        moved
    }

    #[test]
    fn permutations_of_two_domains_are_never_the_same() {
        let what = |what: &'static [&'static str]| Recipe { what, ..RECIPE };
        let tweak = |tweak: &'static str| Recipe { tweak, ..RECIPE };
        let part = |class, kept| Part { class, kept };
        let cases = [
            (made(1, 1, &RECIPE), PART),
            (made(2, 1, &RECIPE), PART),
            (made(1, 2, &RECIPE), PART),
            (made(1, -1, &RECIPE), PART),
            (made(1, 1, &what(&["text", "digit", "s"])), PART),
            (made(1, 1, &what(&["textdigits"])), PART),
            (made(1, 1, &what(&["text", "digits", ""])), PART),
            (made(1, 1, &tweak("a")), PART),
            (made(1, 1, &tweak("b")), PART),
            (made(1, 1, &RECIPE), part(b"a", &[0, 1])),
            (made(1, 1, &tweak("a")), part(b"a", &[0, 1])),
            (made(1, 1, &RECIPE), part(b"aa", &[0, 1])),
            (made(1, 1, &RECIPE), part(b"", &[1, 0])),
            (made(1, 1, &RECIPE), part(b"\0", &[0, 1])),
        ];
        // A table, FF1, and FF1 of the crate.
        for length in [5, 16, 60] {
            let outputs = cases
                .iter()
                .map(|(permutation, part)| string(permutation, length, *part));
            assert_eq!(
                outputs.collect::<HashSet<_>>().len(),
                cases.len(),
                "{length}"
            );
        }
    }

    #[test]
    fn permutations_do_not_depend_on_what_came_before() {
        let lengths: Vec<usize> = (1..70).collect();
        let permutation = made(1, 1, &RECIPE);
        let all = || {
            lengths
                .iter()
                .map(|length| string(&permutation, *length, PART))
        };
        let before: Vec<_> = all().collect();
        assert!(permutation.shapes.borrow().shapes.len() <= SHAPES);
        assert!(before.iter().eq(all().collect::<Vec<_>>().iter()));
        for (length, moved) in lengths.iter().zip(before) {
            assert_eq!(string(&made(1, 1, &RECIPE), *length, PART), moved);
        }
    }

    #[test]
    fn small_domains_need_the_tables() {
        let recipe = Recipe {
            shuffle: false,
            ..RECIPE
        };
        let permutation = made(1, 1, &recipe);
        let five = permutation.string(Way::Forth, &mut [1; 5], PART);
        assert_eq!(five, Err(TooFew));
        assert_eq!(permutation.string(Way::Forth, &mut [], PART), Err(TooFew));
        assert!(permutation.string(Way::Forth, &mut [1; 6], PART).is_ok());
        let numbers = made(1, 1, &Recipe { radix: 2, ..recipe });
        assert_eq!(numbers.number(Way::Forth, 0, LEAST - 1, PART), Err(TooFew));
        assert_eq!(numbers.number(Way::Forth, LEAST, LEAST, PART), Err(TooFew));
        assert!(numbers.number(Way::Forth, 0, LEAST, PART).is_ok());
        assert!(!numbers.takes(LEAST - 1) && numbers.takes(LEAST));
    }

    #[test]
    fn permutations_of_numbers_stay_below_their_size() {
        let numbers = made(1, 1, &Recipe { radix: 2, ..RECIPE });
        for size in [
            1,
            2,
            999_999,
            LEAST,
            (1 << 20) + 1,
            (1 << 64) + 1,
            1 << 122,
            1 << 127,
        ] {
            for number in [0, size / 3, size - 1] {
                let moved = numbers.number(Way::Forth, number, size, PART).unwrap();
                assert!(moved < size);
                assert_eq!(numbers.number(Way::Back, moved, size, PART), Ok(number));
            }
        }
    }

    #[test]
    fn keys_are_wiped_on_drop() {
        fn wipes<T: ZeroizeOnDrop + BlockCipherEncrypt>() {}
        wipes::<Aes256>();
        assert!(std::mem::needs_drop::<Ff1<Aes256>>());
        assert!(std::mem::needs_drop::<FF1<Aes256>>());
    }
}
