//! The boundary: what an entry `PRUNED` says of the part that is gone, which is all that it takes to
//! go on behind it.

use serde_json::{Value, json};

use super::super::entry::{Entry, Event};
use super::super::tree::{Frontier, Hash};

/// Where a log goes on, by the entry that says that its oldest part was pruned.
#[derive(Clone, Debug)]
pub struct Boundary {
    /// The first entry that went.
    pub first: i64,
    /// The last one.
    pub last: i64,
    /// What the first one followed.
    pub first_previous: Hash,
    /// The hash of the last one: what the next entry follows.
    pub last_hash: Hash,
    /// The tree over all entries up to the last one, those included that went before.
    pub tree: Frontier,
    /// The lineage that they covered.
    pub lineage: Mark,
    /// The records of the journal that they covered. Records do not follow each other by hashes:
    /// the entries behind cover those behind.
    pub journal: Covered,
    /// SHA-256 of the archive that the part was written to.
    pub archive: Hash,
}

/// The end of the part of the lineage that went.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Mark {
    /// How many and up to which number.
    pub covered: Covered,
    /// The hash of the last one; the genesis of the lineage where there never was one.
    pub hash: Hash,
}

/// How many rows went.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Covered {
    /// Their number.
    pub count: i64,
    /// The number of the last one, gone now or before; 0 where there never was one.
    pub last: i64,
}

impl Boundary {
    /// What an entry says; `None` where it is not about a part that was pruned, or says something
    /// that cannot be.
    pub fn of(entry: &Entry) -> Option<Self> {
        let details = entry.facts.details.as_ref()?;
        (entry.event == Event::Pruned.name())
            .then(|| Self::parse(&details.value()))?
            .filter(|boundary| boundary.last < entry.seq)
    }

    /// The members of `details` that say it.
    pub fn details(&self) -> Value {
        let peaks: Vec<_> = self.tree.peaks().iter().map(hex::encode).collect();
        json!({
            "first_seq": self.first,
            "last_seq": self.last,
            "count": self.count(),
            "first_previous": hex::encode(self.first_previous),
            "last_hash": hex::encode(self.last_hash),
            "frontier": peaks,
            "root": hex::encode(self.tree.root()),
            "lineage": {
                "count": self.lineage.covered.count,
                "last": self.lineage.covered.last,
                "last_hash": hex::encode(self.lineage.hash),
            },
            "journal": {
                "count": self.journal.count,
                "last": self.journal.last,
            },
            "export_sha256": hex::encode(self.archive),
        })
    }

    /// How many entries went: they had no gaps.
    pub fn count(&self) -> i64 {
        self.last - self.first + 1
    }

    fn parse(details: &Value) -> Option<Self> {
        let first = number(details, "first_seq").filter(|first| *first > 0)?;
        let last = number(details, "last_seq").filter(|last| *last >= first)?;
        let peaks = details.get("frontier")?.as_array()?;
        let peaks = peaks.iter().map(digits).collect::<Option<_>>()?;
        let lineage = details.get("lineage")?;
        let found = Self {
            first,
            last,
            first_previous: hash(details, "first_previous")?,
            last_hash: hash(details, "last_hash")?,
            tree: Frontier::resume(last.unsigned_abs(), peaks)?,
            lineage: Mark {
                covered: covered(lineage)?,
                hash: hash(lineage, "last_hash")?,
            },
            journal: covered(details.get("journal")?)?,
            archive: hash(details, "export_sha256")?,
        };
        let agrees = number(details, "count") == Some(found.count())
            && hash(details, "root") == Some(found.tree.root());
        agrees.then_some(found)
    }
}

fn covered(details: &Value) -> Option<Covered> {
    let found = Covered {
        count: number(details, "count")?,
        last: number(details, "last")?,
    };
    (found.count >= 0 && found.last >= found.count).then_some(found)
}

fn number(details: &Value, name: &str) -> Option<i64> {
    details.get(name)?.as_i64()
}

fn hash(details: &Value, name: &str) -> Option<Hash> {
    digits(details.get(name)?)
}

fn digits(value: &Value) -> Option<Hash> {
    hex::decode(value.as_str()?).ok()?.try_into().ok()
}

#[cfg(test)]
pub(in crate::ledger) mod tests {
    use super::*;
    use crate::ledger::entry::tests::sample;

    /// A boundary behind leaves with these hashes.
    pub(in crate::ledger) fn behind(hashes: &[Hash], first: i64, lineage: Mark) -> Boundary {
        let mut tree = Frontier::default();
        hashes.iter().for_each(|hash| tree.push(hash));
        Boundary {
            first,
            last: i64::try_from(hashes.len()).unwrap(),
            first_previous: [1; 32],
            last_hash: *hashes.last().unwrap(),
            tree,
            lineage,
            journal: Covered { count: 2, last: 7 },
            archive: [3; 32],
        }
    }

    fn some() -> Boundary {
        let mark = Mark {
            covered: Covered { count: 1, last: 4 },
            hash: [2; 32],
        };
        behind(&[[5; 32], [6; 32], [7; 32], [8; 32], [9; 32]], 3, mark)
    }

    fn entry(details: Value) -> Entry {
        let mut entry = sample(9, [0; 32]);
        entry.event = Event::Pruned.name().into();
        entry.facts.details = Some(details.into());
        entry
    }

    #[test]
    fn boundary_is_read_as_it_was_written() {
        let details = some().details();
        let found = Boundary::of(&entry(details.clone())).unwrap();
        assert_eq!(found.details(), details);
        assert_eq!((found.first, found.last, found.count()), (3, 5, 3));
        assert_eq!(found.tree.root(), some().tree.root());
        let mut more = details.clone();
        more["file"] = "x".into();
        assert!(Boundary::of(&entry(more)).is_some());
        let mut other = entry(details);
        other.event = Event::Config.name().into();
        assert!(Boundary::of(&other).is_none());
    }

    #[test]
    fn boundary_that_cannot_be_is_none() {
        let good = some().details();
        type Edit = fn(&mut Value);
        let edits: &[Edit] = &[
            |d| d["last_seq"] = 6.into(),
            |d| d["last_seq"] = 9.into(),
            |d| d["first_seq"] = 0.into(),
            |d| d["first_seq"] = 4.into(),
            |d| d["count"] = 5.into(),
            |d| d["root"] = "00".repeat(32).into(),
            |d| d["frontier"][0] = "00".repeat(32).into(),
            |d| d["frontier"] = json!([]),
            |d| d["frontier"][1] = "0".into(),
            |d| d["last_hash"] = Value::Null,
            |d| d["first_previous"] = "xx".into(),
            |d| d["lineage"]["last"] = 0.into(),
            |d| d["lineage"]["count"] = (-1).into(),
            |d| d["journal"] = json!({}),
            |d| d["export_sha256"] = 3.into(),
            |d| *d = json!([]),
        ];
        for (i, edit) in edits.iter().enumerate() {
            let mut edited = good.clone();
            edit(&mut edited);
            assert!(Boundary::of(&entry(edited)).is_none(), "edit {i}");
        }
        // Nothing prunes itself.
        let mut early = entry(good);
        early.seq = 5;
        assert!(Boundary::of(&early).is_none());
    }
}
