"""The ledger checked by its documentation alone, also where it was pruned or begins unsigned.

ledger_verifier.py is all that a whole and signed export needs; this follows docs/verifier.md further.
Of a ledger that was pruned: its archives, oldest first, and the export; or the export alone.
Usage: ledger_check.py EXPORT...
"""

import fileinput
import hashlib
import json
import sys

from anchor_check import leaf, node, root_of
from ledger_verifier import GENESIS, canonical


class Tree:
    """A tree that grows: the roots of its complete subtrees, the greatest first."""

    def __init__(self, size=0, peaks=()):
        self.size, self.peaks = size, list(peaks)

    def push(self, data):
        found = leaf(data)
        for _ in range((self.size ^ self.size + 1).bit_length() - 1):
            found = node(self.peaks.pop(), found)
        self.peaks.append(found)
        self.size += 1

    def root(self):
        if not self.peaks:
            return root_of([])
        found = self.peaks[-1]
        for peak in self.peaks[-2::-1]:
            found = node(peak, found)
        return found


def check(lines):
    """What is wrong, and the Merkle root over the audit log."""
    wrong, tree, steps, records, last, at = [], Tree(), [], b"", {}, 0
    said, signed = {}, set()
    part, first = hashlib.sha256(), True
    for text in filter(str.strip, lines):
        line = json.loads(text)
        if line["chain"] == "pruned":
            gone = line["details"]
            ends = {"audit": gone, "lineage": gone["lineage"]}
            ends = {
                chain: (end.get("last_seq", end.get("last")), bytes.fromhex(end["last_hash"]))
                for chain, end in ends.items()
            }
            there = Tree(gone["last_seq"], map(bytes.fromhex, gone["frontier"]))
            if there.root().hex() != gone["root"] or there.size.bit_count() != len(there.peaks):
                wrong.append(("E03", "audit"))
            if first:
                tree, last, at = there, ends, gone["journal"]["last"]
            else:
                log = bytes.fromhex(line["log_id"].replace("-", ""))
                last.setdefault("lineage", (0, hashlib.sha256(GENESIS["lineage"] + log).digest()))
                if (last["audit"], tree.root()) != (ends["audit"], there.root()):
                    wrong.append(("E03", "audit"))
                elif last["lineage"] != ends["lineage"]:
                    wrong.append(("E03", "lineage"))
                elif part.hexdigest() != gone["export_sha256"]:
                    wrong.append(("W09", "audit"))
                if at != gone["journal"]["last"]:
                    wrong.append(("E04", "journal"))
            said[line["seq"]] = hashlib.sha256(canonical(line | {"chain": "audit"})).digest()
            part = hashlib.sha256()
        part.update(text.rstrip("\n").encode() + b"\n")
        first = False
        if line["chain"] == "pruned":
            continue
        chain, digest = line["chain"], hashlib.sha256(canonical(line)).digest()
        if line["canon_version"] != 1 or chain != "journal" and line["entry_hash"] != digest.hex():
            wrong.append(("E01", chain))
        if line["key_name"] != "none":
            signed |= {chain, "lineage"} if chain == "audit" else {chain}
        elif (line["key_version"], line["signature"]) != (0, "") or chain in signed | {"journal"}:
            wrong.append(("E02", chain))
        else:
            wrong.append(("E12", chain))
        if chain == "journal":
            if line["number"] != at + 1:
                wrong.append(("E04", chain))
            at = line["number"]
            records += digest + hashlib.sha256(bytes.fromhex(line["signature"])).digest()
            continue
        log = bytes.fromhex(line["log_id"].replace("-", ""))
        seq, before = last.get(chain, (0, hashlib.sha256(GENESIS[chain] + log).digest()))
        if line["previous_entry_hash"] != before.hex():
            wrong.append(("E03", chain))
        if line["seq"] != seq + 1:
            wrong.append(("E04", chain))
        last[chain] = line["seq"], digest
        if chain == "lineage":
            steps.append((line["seq"], digest))
            continue
        if said.pop(line["seq"], digest) != digest:
            wrong.append(("E03", chain))
        tree.push(bytes.fromhex(line["entry_hash"]))
        root = records and hashlib.sha256(b"confiture/journal-root/v1" + records).hexdigest()
        if (root or None, at) != (line["journal_root"], line["journal_last"]):
            wrong.append(("E06", "journal"))
        records = b""
        if line["lineage_first"] is not None:
            claimed = list(range(line["lineage_first"], line["lineage_last"] + 1))
            if [step for step, _ in steps] != claimed:
                wrong.append(("E05", chain))
            if root_of([step for _, step in steps]).hex() != line["lineage_root"]:
                wrong.append(("E06", chain))
            steps = []
    wrong += [("E05", "lineage")] * bool(steps) + [("E03", "audit")] * bool(said)
    return wrong, tree.root()


if __name__ == "__main__":
    problems, top = check(fileinput.input(encoding="utf-8"))
    print(*(f"{code} {chain}" for code, chain in problems), top.hex(), sep="\n")
    sys.exit(bool(problems))
