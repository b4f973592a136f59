//! Patterns: texts of symbols that stay a digit, an upper-case or a lower-case letter each.
//!
//! All symbols together are one number of mixed radix, so that a short group of them does not make
//! a small domain of its own. Symbols are places in the alphabet `alnum`.

use super::alphabet::ALNUM;

/// Patterns have fewer values than this.
const WIDEST: u128 = 1 << 127;

/// Reads symbols as a number below the size that is returned beside it, and writes the class of
/// each. None if the size would be too great.
pub(super) fn read(symbols: &[u16], classes: &mut [u8]) -> Option<(u128, u128)> {
    let (mut number, mut size) = (0, 1_u128);
    for (symbol, class) in symbols.iter().zip(classes) {
        let (letter, first, radix) = class_of(*symbol);
        *class = letter;
        size = size.saturating_mul(radix.into());
        if size >= WIDEST {
            return None;
        }
        number = number * u128::from(radix) + u128::from(*symbol - first);
    }
    Some((number, size))
}

/// Writes a number as symbols of the classes that the present ones have.
pub(super) fn write(number: u128, symbols: &mut [u16]) {
    let mut rest = number;
    for symbol in symbols.iter_mut().rev() {
        let (_, first, radix) = class_of(*symbol);
        *symbol = first + u16::try_from(rest % u128::from(radix)).unwrap_or(0);
        rest /= u128::from(radix);
    }
}

/// The class of a symbol, the place of the first of it, and how many there are.
fn class_of(symbol: u16) -> (u8, u16, u16) {
    match symbol {
        0..10 => (b'd', 0, 10),
        10..36 => (b'u', 10, 26),
        _ => (b'l', 36, 26),
    }
}

const _: () = assert!(ALNUM.len() == 62);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pattern_is_a_number_of_mixed_radix() {
        // b7Z: 1, 7 and 25 of 26, 10 and 26.
        let mut classes = [0; 3];
        let mut symbols = [37, 7, 35];
        let (number, size) = read(&symbols, &mut classes).unwrap();
        assert_eq!(
            (number, size, &classes),
            ((10 + 7) * 26 + 25, 26 * 10 * 26, b"ldu")
        );
        write(0, &mut symbols);
        assert_eq!(symbols, [36, 0, 10]);
        write(number, &mut symbols);
        assert_eq!(symbols, [37, 7, 35]);
        write(size - 1, &mut symbols);
        assert_eq!(symbols, [61, 9, 35]);
    }

    #[test]
    fn pattern_has_a_greatest_size() {
        for (symbol, most) in [(0, 38), (10, 27), (36, 27)] {
            assert!(read(&vec![symbol; most], &mut [0; 64]).is_some());
            assert!(read(&vec![symbol; most + 1], &mut [0; 64]).is_none());
        }
        assert_eq!(read(&[], &mut []), Some((0, 1)));
    }
}
