//! Numeral strings and the numbers they are.

/// The number that a numeral string is, the first numeral counting most.
pub(super) fn number(numerals: &[u16], radix: u32) -> u128 {
    numerals.iter().fold(0, |number, numeral| {
        number * u128::from(radix) + u128::from(*numeral)
    })
}

/// Writes a number as a numeral string.
pub(super) fn write(number: u128, radix: u32, numerals: &mut [u16]) {
    let mut numerals = numerals.iter_mut().rev();
    let mut wide = number;
    // Words are divided many times faster than double words.
    while wide > u128::from(u64::MAX) {
        let Some(numeral) = numerals.next() else {
            return;
        };
        *numeral = narrow(wide % u128::from(radix));
        wide /= u128::from(radix);
    }
    let mut rest = u64::try_from(wide).unwrap_or(0);
    let radix = u64::from(radix);
    if radix == 10 {
        // Division by a constant is a multiplication.
        for numeral in numerals {
            *numeral = narrow((rest % 10).into());
            rest /= 10;
        }
    } else {
        for numeral in numerals {
            *numeral = narrow((rest % radix).into());
            rest /= radix;
        }
    }
}

#[allow(clippy::cast_possible_truncation, reason = "it is below a radix")]
fn narrow(number: u128) -> u16 {
    number as u16
}
