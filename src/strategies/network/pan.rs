//! Crypto-PAn: prefix-preserving anonymization of addresses.
//!
//! Xu, Fan, Ammar, Moon: Prefix-Preserving IP Address Anonymization, ICNP 2002. Whether bit n is
//! flipped depends on the key and the n bits before it. So two addresses that share exactly k
//! leading bits share exactly k leading bits afterwards, and none are united. The function is
//! AES-128 of the leading bits, filled up with a secret pad; its first bit decides.
//!
//! An address is the leading bits of a number of 128, so one form serves both families.

use aes::Aes128Enc;
use aes::cipher::{Array, BlockCipherEncrypt, KeyInit};
use zeroize::Zeroizing;

/// The key in use.
pub(super) struct Pan {
    cipher: Aes128Enc,
    pad: Zeroizing<u128>,
}

impl Pan {
    /// Takes the key of the cipher and what the pad is made of.
    pub(super) fn new(key: &[u8; 32]) -> Self {
        let (key, pad) = key.split_at(16);
        let mut block = [0; 16];
        let mut half = Zeroizing::new([0; 16]);
        half.copy_from_slice(key);
        block.copy_from_slice(pad);
        let cipher = Aes128Enc::new(&(*half).into());
        let mut block = block.into();
        cipher.encrypt_block(&mut block);
        Self {
            cipher,
            pad: Zeroizing::new(u128::from_be_bytes(block.into())),
        }
    }

    /// Anonymizes the bits from `kept` up to `bits`; the others are left as they are.
    pub(super) fn forward(&self, address: u128, kept: u32, bits: u32) -> u128 {
        let mut flips = 0;
        let mut at = kept;
        while at < bits {
            let mut blocks = [Array::from([0; 16]); BATCH as usize];
            let count = (bits - at).min(BATCH);
            let batch = &mut blocks[..count as usize];
            for (block, bit) in batch.iter_mut().zip(at..) {
                *block = self.input(address, bit).into();
            }
            self.cipher.encrypt_blocks(batch);
            for (block, bit) in batch.iter().zip(at..) {
                flips |= u128::from(block[0] >> 7) << (127 - bit);
            }
            at += count;
        }
        address ^ flips
    }

    /// Computes the address back.
    pub(super) fn backward(&self, masked: u128, kept: u32, bits: u32) -> u128 {
        let mut address = masked;
        for bit in kept..bits {
            let mut block = self.input(address, bit).into();
            self.cipher.encrypt_block(&mut block);
            address ^= u128::from(block[0] >> 7) << (127 - bit);
        }
        address
    }

    fn input(&self, address: u128, bit: u32) -> [u8; 16] {
        let known = leading(bit);
        (address & known | *self.pad & !known).to_be_bytes()
    }
}

/// A number whose first bits are ones.
pub(super) fn leading(bits: u32) -> u128 {
    !u128::MAX.checked_shr(bits).unwrap_or(0)
}

/// Blocks that are encrypted at a time: those of one address of IPv4.
const BATCH: u32 = 32;

#[cfg(test)]
mod tests {
    use super::*;
    use std::net::Ipv4Addr;

    /// The key of the sample that accompanies the authors' implementation.
    const KEY: [u8; 32] = [
        21, 34, 23, 141, 51, 164, 207, 128, 19, 10, 91, 22, 73, 144, 125, 16, 216, 152, 143, 131,
        121, 121, 101, 39, 98, 87, 76, 45, 42, 132, 34, 2,
    ];

    #[test]
    fn pan_matches_the_sample_of_its_authors() {
        let pan = Pan::new(&KEY);
        for (raw, masked) in [
            ("128.11.68.132", "135.242.180.132"),
            ("129.118.74.4", "134.136.186.123"),
            ("130.132.252.244", "133.68.164.234"),
            ("141.223.7.43", "141.167.8.160"),
            ("141.233.145.108", "141.129.237.235"),
            ("152.163.225.39", "151.140.114.167"),
            ("156.29.3.236", "147.225.12.42"),
            ("165.247.96.84", "162.9.99.234"),
        ] {
            let bits = |text: &str| {
                let address: Ipv4Addr = text.parse().unwrap();
                u128::from(u32::from(address)) << 96
            };
            assert_eq!(pan.forward(bits(raw), 0, 32), bits(masked), "{raw}");
            assert_eq!(pan.backward(bits(masked), 0, 32), bits(raw));
        }
    }

    #[test]
    fn pan_keeps_prefixes_exactly() {
        let pan = Pan::new(&KEY);
        let address = 0x2001_0db8_1234_5678_9abc_def0_1357_9bdf_u128;
        for bit in 0..128 {
            let other = address ^ (1 << (127 - bit)) ^ (0x5555_5555 & !leading(bit + 1));
            let (a, b) = (pan.forward(address, 0, 128), pan.forward(other, 0, 128));
            assert_eq!((a ^ b).leading_zeros(), bit);
            assert_eq!(pan.backward(b, 0, 128), other);
        }
    }

    #[test]
    fn pan_touches_only_the_bits_between() {
        let pan = Pan::new(&KEY);
        let address = 0x0a01_0203_u128 << 96;
        for (kept, bits) in [(0, 0), (8, 8), (8, 24), (24, 32), (100, 3)] {
            let changed = pan.forward(address, kept, bits) ^ address;
            assert_eq!(changed & leading(kept), 0);
            assert_eq!(changed & !leading(bits.max(kept)), 0);
        }
    }
}
