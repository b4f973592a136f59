//! Arithmetic modulo the number of values that a half of a string has.

/// Addition modulo the number of values of a half, as cheap as that number allows.
#[derive(Clone, Copy)]
pub(super) enum Modulus {
    /// A power of two, less one.
    Mask(u128),
    /// At most 2^32, of numbers of 64 bits.
    Narrow(u64),
    Wide(u128),
}

impl Modulus {
    pub(super) fn new(modulus: u128, d: u32) -> Self {
        match u64::try_from(modulus) {
            _ if modulus.is_power_of_two() => Self::Mask(modulus - 1),
            Ok(narrow) if d <= 8 => Self::Narrow(narrow),
            _ => Self::Wide(modulus),
        }
    }

    #[inline(always)]
    pub(super) fn add(self, half: u128, y: u128) -> u128 {
        match self {
            Self::Mask(mask) => half.wrapping_add(y) & mask,
            Self::Narrow(modulus) => {
                let sum = low(half) + low(y) % modulus;
                u128::from(if sum >= modulus { sum - modulus } else { sum })
            }
            Self::Wide(modulus) => {
                let sum = half + y % modulus;
                if sum >= modulus { sum - modulus } else { sum }
            }
        }
    }

    #[inline(always)]
    pub(super) fn sub(self, half: u128, y: u128) -> u128 {
        match self {
            Self::Mask(mask) => half.wrapping_sub(y) & mask,
            Self::Narrow(modulus) => {
                let (half, y) = (low(half), low(y) % modulus);
                u128::from(if half < y {
                    half + modulus - y
                } else {
                    half - y
                })
            }
            Self::Wide(modulus) => {
                let y = y % modulus;
                if half < y {
                    half + modulus - y
                } else {
                    half - y
                }
            }
        }
    }
}

#[allow(clippy::cast_possible_truncation, reason = "it is below 2^64")]
fn low(number: u128) -> u64 {
    number as u64
}
