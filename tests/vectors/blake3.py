"""BLAKE3 with a key, for at most one chunk (1024 bytes), written out from its specification."""

import struct


def rotate(x, n):
    return (x >> n | x << (32 - n)) & 0xFFFFFFFF


def blake3_keyed(key, data):
    assert len(data) <= 1024
    iv = [0x6A09E667, 0xBB67AE85, 0x3C6EF372, 0xA54FF53A]
    permutation = [2, 6, 3, 10, 7, 0, 4, 13, 1, 11, 12, 5, 9, 14, 15, 8]
    chain = list(struct.unpack("<8I", key))
    blocks = [data[i : i + 64] for i in range(0, len(data), 64)] or [b""]
    for i, block in enumerate(blocks):
        last = i == len(blocks) - 1
        flags = 16 | (1 if i == 0 else 0) | (2 | 8 if last else 0)
        words = list(struct.unpack("<16I", block.ljust(64, b"\0")))
        v = chain + iv + [0, 0, len(block), flags]

        def g(a, b, c, d, x, y):
            v[a] = (v[a] + v[b] + x) & 0xFFFFFFFF
            v[d] = rotate(v[d] ^ v[a], 16)
            v[c] = (v[c] + v[d]) & 0xFFFFFFFF
            v[b] = rotate(v[b] ^ v[c], 12)
            v[a] = (v[a] + v[b] + y) & 0xFFFFFFFF
            v[d] = rotate(v[d] ^ v[a], 8)
            v[c] = (v[c] + v[d]) & 0xFFFFFFFF
            v[b] = rotate(v[b] ^ v[c], 7)

        for _ in range(7):
            for n in range(4):
                g(n, n + 4, n + 8, n + 12, words[2 * n], words[2 * n + 1])
            for n in range(4):
                g(n, (n + 1) % 4 + 4, (n + 2) % 4 + 8, (n + 3) % 4 + 12,
                  words[2 * n + 8], words[2 * n + 9])
            words = [words[p] for p in permutation]
        chain = [v[n] ^ v[n + 8] for n in range(8)]
    return struct.pack("<8I", *chain)
