//! Where the part of a text begins and ends that may be written over.

use crate::strategies::canonical::{self, Class};
use crate::strategies::contact::format::is_host_name;
use crate::strategies::pause::paced;

/// Splits an address into nothing, the local part, and the rest from its one "@" on. White space
/// around the address is left where it is.
pub(super) fn split_address(value: &str) -> Option<(&str, &str, &str)> {
    let (local, domain) = value.split_once('@')?;
    let name = local.trim_start();
    let is_name = (1..=64).contains(&name.len())
        && !name.contains(|c: char| c.is_whitespace() || c.is_control());
    let host = domain.trim_end();
    let fits = name.len() + 1 + host.len() <= 254;
    (is_name && fits && is_host_name(host)).then(|| ("", local, &value[local.len()..]))
}

/// Splits a telephone number behind its calling code, if it was written with + or 00. A number
/// consists of digits of any script, separators, and at most one plus sign before the digits.
pub(super) fn split_number(value: &str) -> Option<(&str, &str, &str)> {
    let (mut digits, mut has_plus) = (0, false);
    for c in paced(value.chars()) {
        match canonical::classify(c, |_| ()) {
            Class::Digit => digits += 1,
            Class::Plus if digits == 0 && !has_plus => has_plus = true,
            Class::Separator if canonical::is_separator(c) => (),
            _ => return None,
        }
    }
    if digits == 0 {
        return None;
    }
    let number = canonical::phone(value);
    let mut left = match canonical::calling_code(number.digits.as_bytes()) {
        code if code > 0 && number.is_international => code + 2 * usize::from(number.had_00),
        _ => 0,
    };
    let end = paced(value.char_indices()).find(|&(_, c)| {
        let is_end = left == 0;
        left -= usize::from(!is_end && canonical::classify(c, |_| ()) == Class::Digit);
        is_end
    });
    let (code, rest) = value.split_at(end.map_or(value.len(), |(at, _)| at));
    Some((code, rest, ""))
}
