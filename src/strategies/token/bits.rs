//! Tokens that are random bits in text form, and the recognition of that form.

/// 26 characters, most significant first.
pub(super) fn base32(bytes: [u8; 16]) -> String {
    let number = u128::from_be_bytes(bytes);
    let symbol = |shift: u32| {
        let [.., low] = (number >> shift).to_be_bytes();
        char::from(BASE32[usize::from(low & 31)])
    };
    (0..26).rev().map(|place| symbol(5 * place)).collect()
}

/// 32 digits in lower case.
pub(super) fn hex(bytes: [u8; 16]) -> String {
    format!("{:032x}", u128::from_be_bytes(bytes))
}

/// A uuid of version 4 (RFC 9562 §5.4).
pub(super) fn uuid(mut bytes: [u8; 16]) -> String {
    bytes[6] = bytes[6] & 0x0f | 0x40;
    bytes[8] = bytes[8] & 0x3f | 0x80;
    let digits = hex(bytes);
    let (a, b, c) = (&digits[..8], &digits[8..12], &digits[12..16]);
    format!("{a}-{b}-{c}-{}-{}", &digits[16..20], &digits[20..])
}

/// 26 characters hold 130 bits: the first two are zero.
pub(super) fn is_base32(text: &str) -> bool {
    text.len() == 26
        && text.bytes().all(|byte| BASE32.contains(&byte))
        && text.starts_with(|first| first <= '7')
}

pub(super) fn is_hex(text: &str) -> bool {
    text.len() == 32 && text.bytes().all(is_hex_digit)
}

pub(super) fn is_uuid(text: &str) -> bool {
    let is_in_place = |(at, byte)| match at {
        8 | 13 | 18 | 23 => byte == b'-',
        14 => byte == b'4',
        19 => b"89ab".contains(&byte),
        _ => is_hex_digit(byte),
    };
    text.len() == 36 && text.bytes().enumerate().all(is_in_place)
}

fn is_hex_digit(byte: u8) -> bool {
    byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte)
}

/// Crockford's alphabet: without I, L, O and U.
const BASE32: &[u8; 32] = b"0123456789ABCDEFGHJKMNPQRSTVWXYZ";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn token_base32_is_crockford() {
        assert_eq!(base32([0; 16]), "0".repeat(26));
        assert_eq!(base32(31u128.to_be_bytes()), format!("{}Z", "0".repeat(25)));
        assert_eq!(
            base32(32u128.to_be_bytes()),
            format!("{}10", "0".repeat(24))
        );
        assert_eq!(base32([0xff; 16]), format!("7{}", "Z".repeat(25)));
        let alphabet: String = BASE32.iter().map(|byte| char::from(*byte)).collect();
        assert!(!alphabet.contains(['I', 'L', 'O', 'U']) && alphabet.is_ascii());
    }
}
