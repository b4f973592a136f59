//! The tree against published roots and proofs, against a second implementation by the recursive
//! definition, and against proofs that were tampered with.

use proptest::prelude::*;

use super::*;

/// The leaves of the reference vectors (certificate-transparency, `merkletree/merkle_tree_test`).
const LEAVES: [&str; 8] = [
    "",
    "00",
    "10",
    "2021",
    "3031",
    "40414243",
    "5051525354555657",
    "606162636465666768696a6b6c6d6e6f",
];

/// Their roots, from no leaf to eight.
const ROOTS: [&str; 9] = [
    "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
    "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
    "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
    "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
    "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
    "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
    "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
    "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
];

/// Hashes of complete subtrees, as they occur in the published proofs.
const LEAF_1: &str = "96a296d224f285c67bee93c30f8a309157f0daa35dc5b87e410b78630a09cfc7";
const LEAF_2: &str = "0298d122906dcfc10892cb53a73992fc5b9f493ea4c9badb27b791b4127a7fe7";
const LEAF_4: &str = "bc1a0643b12e4d2d7c77918f44e0f4f79a838b6cf9ec5b5c283e1f4d88599e6b";
const PAIR_23: &str = "5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e";
const PAIR_45: &str = "0ebc5d3437fbe2db158b9f126a1d118e308181031d0a949f8dededebc558ef6a";
const PAIR_67: &str = "ca854ea128ed050b41b35ffc1b87b8eb2bde461e9e3b5596ece6b9d5975a0ae0";
const HALF_47: &str = "6b47aaf29ee3c2af9af889bc1fb9254dabd31177f16232dd6aab035ca39bf6e4";

fn hash(digits: &str) -> Hash {
    hex::decode(digits).unwrap().try_into().unwrap()
}

fn published() -> Vec<Vec<u8>> {
    LEAVES.map(|leaf| hex::decode(leaf).unwrap()).into()
}

fn root(leaves: &[Vec<u8>]) -> Hash {
    let mut frontier = Frontier::default();
    for leaf in leaves {
        frontier.push(leaf);
    }
    frontier.root()
}

fn made(mut proof: Proof, leaves: &[Vec<u8>]) -> Vec<Hash> {
    for leaf in leaves {
        proof.push(leaf);
    }
    proof.finish().unwrap()
}

fn inclusion(index: u64, leaves: &[Vec<u8>]) -> Vec<Hash> {
    made(
        Proof::inclusion(index, leaves.len() as u64).unwrap(),
        leaves,
    )
}

fn consistency(from: u64, leaves: &[Vec<u8>]) -> Vec<Hash> {
    made(
        Proof::consistency(from, leaves.len() as u64).unwrap(),
        leaves,
    )
}

/// The definitions of RFC 6962 §2.1, word by word.
mod naive {
    use super::*;

    fn k(n: usize) -> usize {
        let mut k = 1;
        while k * 2 < n {
            k *= 2;
        }
        k
    }

    pub(super) fn root(d: &[Vec<u8>]) -> Hash {
        match d {
            [] => Sha256::digest([]).into(),
            [one] => leaf(one),
            _ => node(&root(&d[..k(d.len())]), &root(&d[k(d.len())..])),
        }
    }

    pub(super) fn path(m: usize, d: &[Vec<u8>]) -> Vec<Hash> {
        if d.len() == 1 {
            return Vec::new();
        }
        let k = k(d.len());
        let (mut proof, last) = if m < k {
            (path(m, &d[..k]), root(&d[k..]))
        } else {
            (path(m - k, &d[k..]), root(&d[..k]))
        };
        proof.push(last);
        proof
    }

    pub(super) fn proof(m: usize, d: &[Vec<u8>], whole: bool) -> Vec<Hash> {
        if m == d.len() {
            return if whole { Vec::new() } else { vec![root(d)] };
        }
        let k = k(d.len());
        let (mut proof, last) = if m <= k {
            (proof(m, &d[..k], whole), root(&d[k..]))
        } else {
            (proof(m - k, &d[k..], false), root(&d[..k]))
        };
        proof.push(last);
        proof
    }
}

#[test]
fn tree_has_the_published_roots() {
    let leaves = published();
    for (size, expected) in ROOTS.iter().enumerate() {
        assert_eq!(root(&leaves[..size]), hash(expected), "{size}");
    }
}

#[test]
fn tree_gives_the_published_proofs() {
    let leaves = published();
    let hashes = |digits: &[&str]| digits.iter().map(|d| hash(d)).collect::<Vec<_>>();
    for (index, size, expected) in [
        (0, 1, &[][..]),
        (0, 8, &[LEAF_1, PAIR_23, HALF_47]),
        (5, 8, &[LEAF_4, PAIR_67, ROOTS[4]]),
        (2, 3, &[ROOTS[2]]),
        (1, 5, &[ROOTS[1], PAIR_23, LEAF_4]),
    ] {
        assert_eq!(
            inclusion(index, &leaves[..size]),
            hashes(expected),
            "{index} in {size}"
        );
    }
    for (from, size, expected) in [
        (1, 1, &[][..]),
        (1, 8, &[LEAF_1, PAIR_23, HALF_47]),
        (6, 8, &[PAIR_45, PAIR_67, ROOTS[4]]),
        (2, 5, &[PAIR_23, LEAF_4]),
    ] {
        assert_eq!(
            consistency(from, &leaves[..size]),
            hashes(expected),
            "{from} to {size}"
        );
    }
    assert_eq!(leaf(&leaves[2]), hash(LEAF_2));
}

#[test]
fn tree_equals_the_recursive_definition() {
    let leaves: Vec<Vec<u8>> = (0_u8..70).map(|i| vec![i; usize::from(i)]).collect();
    for size in 0..=leaves.len() {
        let leaves = &leaves[..size];
        let now = root(leaves);
        assert_eq!(now, naive::root(leaves), "{size}");
        for at in 0..size {
            let proof = inclusion(at as u64, leaves);
            assert_eq!(proof, naive::path(at, leaves), "{at} in {size}");
            let leaf = leaf(&leaves[at]);
            assert!(includes(at as u64, size as u64, &leaf, &proof, &now));
            let from = at + 1;
            let proof = consistency(from as u64, leaves);
            assert_eq!(proof, naive::proof(from, leaves, true), "{from} to {size}");
            let before = root(&leaves[..from]);
            assert!(is_consistent(
                from as u64,
                &before,
                size as u64,
                &now,
                &proof
            ));
        }
    }
}

#[test]
fn tree_keeps_no_more_than_its_peaks() {
    let mut frontier = Frontier::default();
    for size in 1..=10_000_u64 {
        frontier.push(&size.to_be_bytes());
        assert_eq!(frontier.size(), size);
        assert_eq!(frontier.peaks.len(), size.count_ones() as usize);
    }
}

#[test]
fn tree_proves_nothing_out_of_range() {
    for (index, size) in [(0, 0), (1, 1), (8, 8), (u64::MAX, u64::MAX)] {
        assert!(Proof::inclusion(index, size).is_none(), "{index} in {size}");
        assert!(!includes(index, size, &[0; 32], &[], &[0; 32]));
    }
    for (from, size) in [(0, 0), (0, 1), (2, 1), (u64::MAX, 1)] {
        assert!(Proof::consistency(from, size).is_none(), "{from} to {size}");
        assert!(!is_consistent(from, &[0; 32], size, &[0; 32], &[]));
    }
    // The greatest there is needs no more than a hash for each bit.
    for proof in [
        Proof::inclusion(u64::MAX - 1, u64::MAX).unwrap(),
        Proof::inclusion(0, u64::MAX).unwrap(),
        Proof::consistency(u64::MAX - 1, u64::MAX).unwrap(),
    ] {
        assert!(proof.hashes.len() <= 64);
        assert!(proof.finish().is_none(), "without its leaves");
    }
}

/// Every change of a proof that a forger would try.
fn tampered(proof: &[Hash]) -> Vec<Vec<Hash>> {
    let mut found = Vec::new();
    for at in 0..proof.len() {
        for byte in [0, 31] {
            let mut flipped = proof.to_vec();
            flipped[at][byte] ^= 1;
            found.push(flipped);
        }
        let mut dropped = proof.to_vec();
        dropped.remove(at);
        found.push(dropped);
        let mut doubled = proof.to_vec();
        doubled.insert(at, proof[at]);
        found.push(doubled);
        if at > 0 && proof[at] != proof[at - 1] {
            let mut swapped = proof.to_vec();
            swapped.swap(at - 1, at);
            found.push(swapped);
        }
    }
    for extra in [[0; 32], Sha256::digest([]).into()] {
        for at in [0, proof.len()] {
            let mut longer = proof.to_vec();
            longer.insert(at, extra);
            found.push(longer);
        }
    }
    found
}

#[test]
fn tree_refuses_tampered_inclusion_proofs() {
    let leaves: Vec<Vec<u8>> = (0_u8..19).map(|i| vec![i]).collect();
    for size in 1..=leaves.len() {
        let now = root(&leaves[..size]);
        for at in 0..size {
            let (index, leaf) = (at as u64, leaf(&leaves[at]));
            let proof = inclusion(index, &leaves[..size]);
            let size = size as u64;
            for bad in tampered(&proof) {
                assert!(
                    !includes(index, size, &leaf, &bad, &now),
                    "{index} in {size}"
                );
            }
            for other in (0..2 * size).filter(|other| *other != index) {
                assert!(!includes(other, size, &leaf, &proof, &now));
            }
            let (mut root, mut other) = (now, leaf);
            root[9] ^= 2;
            other[9] ^= 2;
            assert!(!includes(index, size, &leaf, &proof, &root));
            assert!(!includes(index, size, &other, &proof, &now));
            // A node is no leaf: its hash begins with another byte.
            if let [first, rest @ ..] = proof.as_slice() {
                let above = if index & 1 == 1 || index == size - 1 {
                    node(first, &leaf)
                } else {
                    node(&leaf, first)
                };
                assert!(!includes(index, size, &above, rest, &now));
            }
        }
    }
}

#[test]
fn tree_refuses_tampered_consistency_proofs() {
    let leaves: Vec<Vec<u8>> = (0_u8..19).map(|i| vec![i]).collect();
    for size in 1..=leaves.len() {
        let now = root(&leaves[..size]);
        for from in 1..=size {
            let before = root(&leaves[..from]);
            let proof = consistency(from as u64, &leaves[..size]);
            let (from, size) = (from as u64, size as u64);
            for bad in tampered(&proof) {
                assert!(
                    !is_consistent(from, &before, size, &now, &bad),
                    "{from} to {size}"
                );
            }
            let (mut first, mut second) = (before, now);
            first[9] ^= 2;
            second[9] ^= 2;
            assert!(!is_consistent(from, &first, size, &now, &proof));
            assert!(!is_consistent(from, &before, size, &second, &proof));
            if from != size {
                assert!(!is_consistent(from, &now, size, &before, &proof));
                assert!(!is_consistent(from, &before, size, &before, &proof));
            }
            for other in (0..2 * size).filter(|other| *other != from) {
                assert!(!is_consistent(other, &before, size, &now, &proof));
            }
        }
    }
}

#[test]
fn tree_refuses_the_history_of_a_fork() {
    // What immudb's clients let pass: a proof whose ends are right and whose middle is another log.
    let honest: Vec<Vec<u8>> = (0_u8..13).map(|i| vec![i]).collect();
    for at in 0..7 {
        let mut forked = honest.clone();
        forked[at] = vec![99];
        let (before, now) = (root(&honest[..7]), root(&forked));
        for proof in [consistency(7, &honest), consistency(7, &forked)] {
            assert!(!is_consistent(7, &before, 13, &now, &proof), "{at}");
        }
    }
}

proptest! {
    #[test]
    fn tree_of_any_leaves_equals_the_recursive_definition(
        leaves in prop::collection::vec(prop::collection::vec(any::<u8>(), 0..40), 1..150),
        at in any::<prop::sample::Index>(),
    ) {
        let (at, size) = (at.index(leaves.len()), leaves.len() as u64);
        let now = root(&leaves);
        prop_assert_eq!(now, naive::root(&leaves));
        let proof = inclusion(at as u64, &leaves);
        prop_assert_eq!(&proof, &naive::path(at, &leaves));
        prop_assert!(includes(at as u64, size, &leaf(&leaves[at]), &proof, &now));
        let proof = consistency(at as u64 + 1, &leaves);
        prop_assert_eq!(&proof, &naive::proof(at + 1, &leaves, true));
        prop_assert!(is_consistent(at as u64 + 1, &root(&leaves[..=at]), size, &now, &proof));
    }

    #[test]
    fn tree_verifies_nothing_that_was_made_up(
        at in any::<u64>(),
        size in any::<u64>(),
        proof in prop::collection::vec(any::<Hash>(), 0..70),
        a in any::<Hash>(),
        b in any::<Hash>(),
    ) {
        prop_assert!(!includes(at, size, &a, &proof, &b));
        prop_assert!(!is_consistent(at, &a, size, &b, &proof));
    }
}

/// Leaves that differ.
fn many(count: u64) -> Vec<Vec<u8>> {
    (0..count).map(|n| n.to_be_bytes().to_vec()).collect()
}

/// The frontiers of the trees of the first 0, 1, 2, … leaves.
fn frontiers(leaves: &[Vec<u8>]) -> Vec<Frontier> {
    let mut tree = Frontier::default();
    let mut all = vec![tree.clone()];
    for leaf in leaves {
        tree.push(leaf);
        all.push(tree.clone());
    }
    all
}

#[test]
fn tree_goes_on_from_its_peaks_wherever_it_is_cut() {
    let leaves = many(200);
    let whole = frontiers(&leaves);
    for cut in 0..=leaves.len() {
        let mut resumed = Frontier::resume(whole[cut].size(), whole[cut].peaks().to_vec()).unwrap();
        assert_eq!(resumed.root(), whole[cut].root(), "{cut}");
        for (size, leaf) in (cut + 1..).zip(&leaves[cut..]) {
            resumed.push(leaf);
            assert_eq!(resumed.root(), whole[size].root(), "{cut} to {size}");
        }
        assert_eq!(resumed.size(), 200);
    }
}

#[test]
fn tree_goes_on_from_no_other_number_of_peaks() {
    let leaves = many(70);
    for tree in frontiers(&leaves) {
        let mut peaks = tree.peaks().to_vec();
        assert_eq!(peaks.len(), tree.size().count_ones() as usize);
        peaks.push([0; 32]);
        assert!(Frontier::resume(tree.size(), peaks.clone()).is_none());
        peaks.truncate(peaks.len().saturating_sub(2));
        assert!(tree.size() == 0 || Frontier::resume(tree.size(), peaks).is_none());
    }
    assert!(Frontier::resume(u64::MAX, vec![[0; 32]; 64]).is_some());
}

#[test]
fn tree_gives_the_same_proofs_behind_a_cut() {
    const MOST: u64 = 50;
    let leaves = many(MOST);
    let whole = frontiers(&leaves);
    let behind = |proof: Option<Proof>, cut: u64, size: u64| {
        let mut proof = proof
            .unwrap()
            .resume(&whole[usize::try_from(cut).unwrap()])?;
        let gone = usize::try_from(cut).unwrap();
        for leaf in leaves[..usize::try_from(size).unwrap()].iter().skip(gone) {
            proof.push(leaf);
        }
        proof.finish()
    };
    for size in 1..=MOST {
        let some = &leaves[..usize::try_from(size).unwrap()];
        for cut in 0..=MOST {
            for at in 0..size {
                // What is gone may be provable or not; what is given is right.
                let found = behind(Proof::inclusion(at, size), cut, size);
                assert!(found.is_some() || at < cut, "{at} of {size} behind {cut}");
                assert!(found.is_none_or(|found| found == inclusion(at, some)));
                let from = at + 1;
                let found = behind(Proof::consistency(from, size), cut, size);
                assert!(
                    found.is_some() || from < cut,
                    "{from} to {size} behind {cut}"
                );
                assert!(found.is_none_or(|found| found == consistency(from, some)));
            }
        }
    }
    // Inside of a complete subtree nothing is known.
    assert!(behind(Proof::inclusion(0, 9), 8, 9).is_none());
    assert!(behind(Proof::consistency(3, 9), 8, 9).is_none());
}
