//! `ip`: an address or network of IPv4 or IPv6 that stands for the given one.
//!
//! Method `prefix` is Crypto-PAn (`pan.rs`): addresses of one network stay in one network, and no
//! two are united. Method `documentation` draws an address out of the ranges that are reserved for
//! examples: 192.0.2.0/24, 198.51.100.0/24 and 203.0.113.0/24 (RFC 5737), 2001:db8::/32 (RFC 3849).
//! The length of the prefix after a slash is kept; the host bits of a network stay zero.

use std::borrow::Cow;
use std::fmt::Write;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use crate::error::Result;
use crate::strategies::definition::{
    Apply, Definition, Needs, Parsed, Properties, Row, Seed, Subkeys, Survival, mismatch, unread,
};
use crate::strategies::keyed::Keyed;
use crate::strategies::params::{ParamError, ParamKind, ParamSpec, Reader};
use crate::strategies::{Datum, Kind, ValueType};

use super::pan::{Pan, leading};

/// `ip` in the list of strategies.
///
/// # Examples
///
/// ```
/// use confiture::strategies::{Kind, Params, Seed, Strategy, Subkeys, ValueType};
///
/// let keys = Subkeys::new(&[7; 32], &[8; 32]);
/// let strategy = Strategy::new(Kind::Ip, &Params::new())?;
/// let mask = strategy.mask(&keys, Seed::new(1), ValueType::Text)?;
/// let network = |address| {
///     mask.text(address)
///         .map(|made| made.rsplitn(2, '.').nth(1).map(str::to_owned))
/// };
/// assert_eq!(network("198.51.100.7")?, network("198.51.100.8")?);
/// # Ok::<(), confiture::error::Error>(())
/// ```
pub const DEFINITION: Definition = Definition {
    name: "ip",
    version: 1,
    about: "Network address that stands for the given one",
    accepts: &[ValueType::Cidr, ValueType::Inet, ValueType::Text],
    params: PARAMS,
    inputs: &[],
    needs: Needs::Key,
    refuses: true,
    example: "anon_ip('198.51.100.7'::inet)",
    sample: "{}",
    parse: |reader| Ok(Box::new(Ip::new(reader)?)),
};

/// The parameters of `ip`, checked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Ip {
    /// With the leading bits that stay, of IPv4 and of IPv6.
    Prefix(u16, u16),
    Documentation,
}

impl Ip {
    fn new(reader: &Reader<'_>) -> Result<Self, ParamError> {
        if reader.word("method", &METHODS)? {
            return Ok(Self::Prefix(
                reader.int("keep_bits", 0, 0..=24)?,
                reader.int("keep_bits_v6", 0, 0..=64)?,
            ));
        }
        let given = ["keep_bits", "keep_bits_v6"].map(|name| reader.is_given(name).then_some(name));
        match given.into_iter().flatten().next() {
            Some(name) => Err(reader.invalid(name, "It belongs to the method prefix.")),
            None => Ok(Self::Documentation),
        }
    }
}

impl Parsed for Ip {
    fn properties(&self, of: ValueType) -> Properties {
        let exact = of != ValueType::Text && *self != Self::Documentation;
        Properties {
            injective: exact,
            reversible: exact,
            keeps_format: true,
            folds_spellings: of == ValueType::Text,
            collision_bits: match self {
                Self::Prefix(..) => Some(128),
                // Of 762 addresses of IPv4.
                Self::Documentation => Some(9),
            },
            // Networks stay together, so survivors come in flocks.
            survival: Survival::Unjudged,
            ..Properties::KEYED
        }
    }

    /// A network of the ranges for documentation would be too small.
    fn accepts(&self, of: ValueType) -> bool {
        *self != Self::Documentation || of != ValueType::Cidr
    }

    fn instead(&self, _: ValueType) -> Option<&'static str> {
        Some("Networks take the method prefix.")
    }

    fn output_limit(&self, _: Option<usize>) -> Option<usize> {
        Some(LONGEST)
    }

    fn compile(&self, keys: &Subkeys<'_>, seed: Seed, of: ValueType) -> Result<Box<dyn Apply>> {
        let keyed = Keyed::new(Kind::Ip, keys.masking, seed);
        Ok(match *self {
            Self::Documentation => Box::new(Documentation { keyed, of }),
            Self::Prefix(v4, v6) => Box::new(Prefix {
                v4: Pan::new(&keyed.digest(b"4").first()),
                v6: Pan::new(&keyed.digest(b"6").first()),
                kept: (u32::from(v4), u32::from(v6)),
                of,
            }),
        })
    }
}

/// Method `prefix` with its keys.
struct Prefix {
    v4: Pan,
    v6: Pan,
    kept: (u32, u32),
    of: ValueType,
}

impl Apply for Prefix {
    fn apply<'a>(&self, value: Datum<'a>, _: Row<'_>) -> Result<Option<Datum<'a>>> {
        self.changed(value, Pan::forward)
    }

    fn reverse<'a>(&self, value: Datum<'a>, _: Row<'_>) -> Result<Option<Datum<'a>>> {
        self.changed(value, Pan::backward)
    }
}

impl Prefix {
    fn changed<'a>(
        &self,
        value: Datum<'a>,
        change: fn(&Pan, u128, u32, u32) -> u128,
    ) -> Result<Option<Datum<'a>>> {
        let mut address = Address::of(&value, self.of)?;
        let width = address.width();
        let (pan, kept) = if width == 32 {
            (&self.v4, self.kept.0)
        } else {
            (&self.v6, self.kept.1)
        };
        let network = leading(address.prefix.unwrap_or(width));
        address.bits = match (self.of, address.prefix) {
            (ValueType::Cidr, Some(prefix)) => change(pan, address.bits, kept, prefix) & network,
            // The network's own address keeps its zeros; the host that would come to be it takes
            // the place that it leaves, so that no two addresses share an output.
            (ValueType::Text, Some(prefix)) if prefix < width => {
                let made = change(pan, address.bits, kept, width);
                if address.bits & !network == 0 {
                    made & network
                } else if made & !network == 0 {
                    made | pan.forward(address.bits & network, kept, width) & !network
                } else {
                    made
                }
            }
            _ => change(pan, address.bits, kept, width),
        };
        Ok(Some(address.written(self.of)))
    }
}

/// Method `documentation` with its key.
struct Documentation {
    keyed: Keyed,
    of: ValueType,
}

impl Apply for Documentation {
    fn apply<'a>(&self, value: Datum<'a>, _: Row<'_>) -> Result<Option<Datum<'a>>> {
        let mut address = Address::of(&value, self.of)?;
        let octets = address.bits.to_be_bytes();
        address.bits = if address.is_v4 {
            let mut stream = self.keyed.stream(&octets[..4]);
            let net = NETS[usize::from(stream.below(3)) % NETS.len()];
            // Not the first and not the last address of the network.
            u128::from(net | u32::from(1 + stream.below(254))) << 96
        } else {
            let mut made: [u8; 16] = self.keyed.digest(&octets).first();
            made[..4].copy_from_slice(&[0x20, 0x01, 0x0d, 0xb8]);
            u128::from_be_bytes(made)
        };
        Ok(Some(address.written(self.of)))
    }
}

/// An address with the length of its prefix, if that is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Address {
    is_v4: bool,
    /// The leading bits.
    bits: u128,
    prefix: Option<u32>,
}

impl Address {
    fn of(value: &Datum<'_>, of: ValueType) -> Result<Self> {
        let text = match value {
            Datum::Inet(text) => text,
            Datum::Text(text) => text,
            _ => return Err(mismatch(DEFINITION.name, of)),
        };
        match Self::read(text.trim()) {
            Some(address) => Ok(address),
            None => {
                let detail = "It must be an address of IPv4 or IPv6, and may have a slash and the \
                              length of its prefix after it.";
                unread(DEFINITION.name, text, "no network address", detail)
            }
        }
    }

    fn read(text: &str) -> Option<Self> {
        let (address, prefix) = match text.split_once('/') {
            Some((address, prefix)) => (address, Some(prefix)),
            None => (text, None),
        };
        let (is_v4, bits) = match address.parse().ok()? {
            IpAddr::V4(address) => (true, u128::from(u32::from(address)) << 96),
            IpAddr::V6(address) => (false, u128::from(address)),
        };
        let width = if is_v4 { 32 } else { 128 };
        let prefix = match prefix {
            None => None,
            Some(text) if text.len() <= 3 && text.bytes().all(|b| b.is_ascii_digit()) => {
                Some(text.parse().ok().filter(|&prefix: &u32| prefix <= width)?)
            }
            Some(_) => return None,
        };
        Some(Self {
            is_v4,
            bits,
            prefix,
        })
    }

    fn width(&self) -> u32 {
        if self.is_v4 { 32 } else { 128 }
    }

    fn written(&self, of: ValueType) -> Datum<'static> {
        let mut out = String::with_capacity(LONGEST);
        let [a, b, c, d, ..] = self.bits.to_be_bytes();
        // Writing into a text cannot fail.
        let _ = if self.is_v4 {
            write!(out, "{}", Ipv4Addr::new(a, b, c, d))
        } else {
            write!(out, "{}", Ipv6Addr::from(self.bits))
        };
        if let Some(prefix) = self.prefix {
            let _ = write!(out, "/{prefix}");
        }
        match of {
            ValueType::Text => Datum::text(out),
            _ => Datum::Inet(Cow::Owned(out)),
        }
    }
}

const PARAMS: &[ParamSpec] = &[
    ParamSpec::new(
        "method",
        ParamKind::Text,
        "prefix",
        "prefix keeps networks together, documentation draws from the ranges for examples.",
    ),
    ParamSpec::new(
        "keep_bits",
        ParamKind::Int,
        "0",
        "Leading bits of IPv4 that stay as they are, 0 to 24.",
    ),
    ParamSpec::new(
        "keep_bits_v6",
        ParamKind::Int,
        "0",
        "Leading bits of IPv6 that stay as they are, 0 to 64.",
    ),
];

const METHODS: [(&str, bool); 2] = [("prefix", true), ("documentation", false)];

/// RFC 5737.
const NETS: [u32; 3] = [0xc000_0200, 0xc633_6400, 0xcb00_7100];

/// Eight groups of four digits, with an address of IPv4 for the last two, and `/128`.
const LONGEST: usize = 49;

#[cfg(test)]
mod tests;
