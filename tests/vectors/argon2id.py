"""Argon2id, version 0x13, written out from RFC 9106 with the standard library. Slow: 3 minutes per GiB.

Run alone, it checks itself against the test vector of RFC 9106, section 5.3.
"""

import hashlib

MASK = 2**64 - 1
LOW = 2**32 - 1
WORDS = 128
SLICES = 4


def number(n):
    return n.to_bytes(4, "little")


def variable_hash(data, length):
    if length <= 64:
        return hashlib.blake2b(number(length) + data, digest_size=length).digest()
    block = hashlib.blake2b(number(length) + data).digest()
    out = block[:32]
    while length - len(out) > 64:
        block = hashlib.blake2b(block).digest()
        out += block[:32]
    return out + hashlib.blake2b(block, digest_size=length - len(out)).digest()


def words(data):
    return [int.from_bytes(data[i : i + 8], "little") for i in range(0, len(data), 8)]


def permute(v, places):
    for a, b, c, d in ((0, 4, 8, 12), (1, 5, 9, 13), (2, 6, 10, 14), (3, 7, 11, 15),
                       (0, 5, 10, 15), (1, 6, 11, 12), (2, 7, 8, 13), (3, 4, 9, 14)):
        ia, ib, ic, id_ = places[a], places[b], places[c], places[d]
        x, y, z, w = v[ia], v[ib], v[ic], v[id_]
        x = (x + y + 2 * (x & LOW) * (y & LOW)) & MASK
        w ^= x
        w = w >> 32 | (w & LOW) << 32
        z = (z + w + 2 * (z & LOW) * (w & LOW)) & MASK
        y ^= z
        y = y >> 24 | (y << 40) & MASK
        x = (x + y + 2 * (x & LOW) * (y & LOW)) & MASK
        w ^= x
        w = w >> 16 | (w << 48) & MASK
        z = (z + w + 2 * (z & LOW) * (w & LOW)) & MASK
        y ^= z
        y = y >> 63 | (y << 1) & MASK
        v[ia], v[ib], v[ic], v[id_] = x, y, z, w


ROWS = [list(range(16 * r, 16 * r + 16)) for r in range(8)]
COLUMNS = [[2 * c + 16 * r + k for r in range(8) for k in (0, 1)] for c in range(8)]


def compress(x, y):
    r = [a ^ b for a, b in zip(x, y)]
    v = list(r)
    for places in ROWS + COLUMNS:
        permute(v, places)
    return [a ^ b for a, b in zip(r, v)]


def argon2id(password, salt, memory, passes, lanes, length=32, secret=b"", data=b""):
    def sized(part):
        return number(len(part)) + part

    h0 = hashlib.blake2b(
        number(lanes) + number(length) + number(memory) + number(passes) + number(0x13) + number(2)
        + sized(password) + sized(salt) + sized(secret) + sized(data)
    ).digest()
    segment = memory // (SLICES * lanes)
    columns = SLICES * segment
    blocks = [[None] * columns for _ in range(lanes)]
    for lane in range(lanes):
        for column in (0, 1):
            blocks[lane][column] = words(variable_hash(h0 + number(column) + number(lane), 1024))
    for at in range(passes):
        for slice_ in range(SLICES):
            for lane in range(lanes):
                fill(blocks, at, slice_, lane, segment, passes)
    last = [0] * WORDS
    for lane in range(lanes):
        last = [a ^ b for a, b in zip(last, blocks[lane][-1])]
    return variable_hash(b"".join(w.to_bytes(8, "little") for w in last), length)


def fill(blocks, at, slice_, lane, segment, passes):
    lanes, columns = len(blocks), len(blocks[0])
    independent = at == 0 and slice_ < 2
    addresses = []
    for i in range(segment):
        if independent and i % WORDS == 0:
            counter = [at, lane, slice_, lanes * columns, passes, 2, i // WORDS + 1]
            counter += [0] * (WORDS - 7)
            addresses = compress([0] * WORDS, compress([0] * WORDS, counter))
        column = slice_ * segment + i
        if at == 0 and column < 2:
            continue
        before = blocks[lane][column - 1]
        drawn = addresses[i % WORDS] if independent else before[0]
        j1, j2 = drawn & LOW, drawn >> 32
        other = lane if at == 0 and slice_ == 0 else j2 % lanes
        # What may be referred to: finished slices, and of the own lane what precedes this block.
        if at == 0:
            area = slice_ * segment
        else:
            area = columns - segment
        if other == lane:
            area += i - 1
        elif i == 0:
            area -= 1
        start = 0 if at == 0 else (slice_ + 1) % SLICES * segment
        z = area - 1 - (area * (j1 * j1 >> 32) >> 32)
        made = compress(before, blocks[other][(start + z) % columns])
        if at > 0:
            made = [a ^ b for a, b in zip(made, blocks[lane][column])]
        blocks[lane][column] = made


if __name__ == "__main__":
    tag = argon2id(b"\1" * 32, b"\2" * 16, 32, 3, 4, 32, b"\3" * 8, b"\4" * 12)
    assert tag.hex() == "0d640df58d78766c08c037a34a8b53c9d01ef0452d75b65eb52520e96b01e659", tag.hex()
    print("RFC 9106 5.3: passed")
