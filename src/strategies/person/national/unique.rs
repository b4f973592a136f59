//! `keep_unique`: a number for each number, by format-preserving encryption (NIST SP 800-38G).
//!
//! The numbers that a state may give are counted, the count is encrypted within how many there are,
//! and what comes out is written as a number again. So no two share an output; but a number that
//! came out may be somebody's.

use super::{Country, DEFINITION, Signs};
use crate::error::{Error, Result};
use crate::strategies::Seed;
use crate::strategies::cipher::ff1::Way;
use crate::strategies::cipher::permutation::{Part, Permutation, Recipe};
use crate::strategies::definition::outside;

/// The numbers of one country, permuted by a key.
pub(super) struct Unique {
    permutation: Permutation,
    country: Country,
    keep_birth: bool,
}

impl Unique {
    /// # Errors
    /// None that is known: the radix is one that the cipher has.
    pub(super) fn new(
        key: &[u8; 32],
        seed: Seed,
        country: Country,
        keep_birth: bool,
    ) -> Result<Self> {
        let recipe = Recipe {
            what: &[DEFINITION.name, country.name()],
            radix: 2,
            tweak: "",
            kept: 0,
            shuffle: false,
        };
        Ok(Self {
            permutation: Permutation::new(key, seed, &recipe)?,
            country,
            keep_birth,
        })
    }

    /// Turns the signs before the check into others.
    ///
    /// # Errors
    /// `Data` for a number that the state gives to nobody.
    pub(super) fn moved(&self, given: &Signs) -> Result<Signs> {
        let refused = || self.refused();
        let (class, mut digits) = self.read(given).ok_or_else(refused)?;
        let size = digits
            .iter()
            .map(|digit| u128::from(digit.size))
            .product::<u128>();
        let number = digits.iter().fold(0, |number, digit| {
            number * u128::from(digit.size) + u128::from(digit.value)
        });
        let part = Part {
            class: &class,
            kept: &[],
        };
        let moved = self.permutation.number(Way::Forth, number, size, part);
        let mut rest = moved.map_err(|_| refused())?;
        for digit in digits.iter_mut().rev() {
            let size = u128::from(digit.size);
            digit.value = u64::try_from(rest % size).unwrap_or(0);
            rest /= size;
        }
        Ok(self.written(given, &digits))
    }

    /// What stays, and the rest as digits of a number with a base for each place.
    fn read(&self, given: &Signs) -> Option<(Vec<u8>, Vec<Digit>)> {
        let signs = given.signs();
        let digit = |value: u64, size| (value < size).then_some(Digit { value, size });
        let from = |number: u64, first: u64, size| digit(number.checked_sub(first)?, size);
        let digits = match self.country {
            Country::Es if signs[0].is_ascii_digit() => vec![digit(given.number(0, 8), DNI)],
            Country::Es => vec![
                digit(u64::from(signs[0] - b'X'), 3),
                digit(given.number(1, 8), NIE),
            ],
            Country::Us => {
                let area = match given.number(0, 3) {
                    666 => None,
                    area @ ..666 => from(area, 1, AREAS),
                    area => from(area, 2, AREAS),
                };
                vec![
                    area,
                    from(given.number(3, 5), 1, 99),
                    from(given.number(5, 9), 1, 9999),
                ]
            }
            Country::Fr => {
                let mut digits = vec![];
                if !self.keep_birth {
                    digits.push(from(given.number(0, 1), 1, 2));
                    digits.push(digit(given.number(1, 3), 100));
                    digits.push(from(given.number(3, 5), 1, 12));
                }
                if !is_corsican(signs) {
                    digits.push(digit(given.number(5, 7), 100));
                }
                digits.push(digit(given.number(7, 13), 1_000_000));
                digits
            }
        };
        let digits = digits.into_iter().collect::<Option<Vec<_>>>()?;
        Some((self.kept(signs).concat(), digits))
    }

    /// What stays of a number: letters, and the birth if that is asked for.
    fn kept<'a>(&self, signs: &'a [u8]) -> [&'a [u8]; 2] {
        match self.country {
            Country::Es if signs[0].is_ascii_digit() => [b"DNI", b""],
            Country::Es => [b"NIE", b""],
            Country::Us => [b"", b""],
            Country::Fr => [
                if self.keep_birth { &signs[..5] } else { b"" },
                if is_corsican(signs) {
                    &signs[5..7]
                } else {
                    b""
                },
            ],
        }
    }

    fn written(&self, given: &Signs, digits: &[Digit]) -> Signs {
        let mut made = Signs::NONE;
        let mut values = digits.iter().map(|digit| digit.value);
        let mut next = || values.next().unwrap_or(0);
        match self.country {
            Country::Es if given.signs()[0].is_ascii_digit() => made.push_number(next(), 8),
            Country::Es => {
                made.push(b'X' + u8::try_from(next()).unwrap_or(0));
                made.push_number(next(), 7);
            }
            Country::Us => {
                let area = 1 + next();
                made.push_number(if area < 666 { area } else { area + 1 }, 3);
                made.push_number(1 + next(), 2);
                made.push_number(1 + next(), 4);
            }
            Country::Fr => {
                let [birth, department] = self.kept(given.signs());
                if self.keep_birth {
                    birth.iter().for_each(|sign| made.push(*sign));
                } else {
                    made.push_number(1 + next(), 1);
                    made.push_number(next(), 2);
                    made.push_number(1 + next(), 2);
                }
                if department.is_empty() {
                    made.push_number(next(), 2);
                } else {
                    department.iter().for_each(|sign| made.push(*sign));
                }
                made.push_number(next(), 6);
            }
        }
        made
    }

    fn refused(&self) -> Error {
        let detail = match self.country {
            Country::Es => "With \"keep_unique\" it must be one that the state may give.",
            Country::Fr => {
                "With \"keep_unique\" it must begin with 1 or 2 and have a month from 01 to 12, or \
                 \"keep_birth\" must be true."
            }
            Country::Us => {
                "With \"keep_unique\" its area must be 001 to 899 and not 666, its group not 00 \
                 and its serial not 0000."
            }
        };
        outside(DEFINITION.name, "no number of a person", detail)
    }
}

/// One place of a number.
struct Digit {
    value: u64,
    /// How many values it may have.
    size: u64,
}

/// Whether 2A or 2B stands for the département.
pub(super) fn is_corsican(signs: &[u8]) -> bool {
    matches!(signs.get(5..7), Some(b"2A" | b"2B"))
}

const DNI: u64 = 100_000_000;
const NIE: u64 = 10_000_000;
/// 001 to 899 without 666.
const AREAS: u64 = 898;
