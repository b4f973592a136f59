//! Versions of documents: numbers with points, compared number by number.

use std::cmp::Ordering;
use std::fmt;

/// A version.
#[derive(Clone, Debug, Default)]
pub struct Version(Vec<u32>);

impl Version {
    /// Reads one: up to four numbers, as `2026.1`.
    pub fn parse(text: &str) -> Option<Self> {
        let number = |part: &str| {
            let is_plain = !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit());
            part.parse().ok().filter(|_| is_plain)
        };
        let numbers: Vec<u32> = text.split('.').map(number).collect::<Option<_>>()?;
        (numbers.len() <= 4).then_some(Self(numbers))
    }

    fn trimmed(&self) -> &[u32] {
        let end = self.0.iter().rposition(|&number| number > 0);
        &self.0[..end.map_or(0, |place| place + 1)]
    }
}

impl Ord for Version {
    fn cmp(&self, other: &Self) -> Ordering {
        self.trimmed().cmp(other.trimmed())
    }
}

impl PartialEq for Version {
    fn eq(&self, other: &Self) -> bool {
        self.trimmed() == other.trimmed()
    }
}

impl Eq for Version {}

impl PartialOrd for Version {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl fmt::Display for Version {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let parts: Vec<_> = self.0.iter().map(u32::to_string).collect();
        f.write_str(&parts.join("."))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_are_compared_number_by_number() {
        let version = |text| Version::parse(text).unwrap();
        assert!(version("2026.10") > version("2026.9"));
        assert!(version("2026.9.1") > version("2026.9"));
        assert!(version("2027") > version("2026.12"));
        assert_eq!(version("2026").cmp(&version("2026.0")), Ordering::Equal);
        assert_eq!(version("2026.01").to_string(), "2026.1");
        for wrong in [
            "",
            "1.",
            ".1",
            "1..2",
            "a",
            "-1",
            "1.2.3.4.5",
            "99999999999",
            "１",
        ] {
            assert!(Version::parse(wrong).is_none(), "{wrong}");
        }
    }
}
