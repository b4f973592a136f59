"""AES, written out from FIPS 197."""


def times_two(x):
    return (x << 1) ^ (0x11B if x & 0x80 else 0)


def times(x, y):
    product = 0
    while y:
        if y & 1:
            product ^= x
        x, y = times_two(x), y >> 1
    return product


def s_box():
    box = []
    for x in range(256):
        inverse = next((y for y in range(256) if times(x, y) == 1), 0)
        out = 0x63
        for shift in range(5):
            out ^= (inverse << shift | inverse >> (8 - shift)) & 0xFF
        box.append(out)
    return box


S_BOX = s_box()
TWO = [times(x, 2) for x in range(256)]
THREE = [times(x, 3) for x in range(256)]


class Aes:
    def __init__(self, key):
        words, n, constant = [list(key[i : i + 4]) for i in range(0, len(key), 4)], len(key) // 4, 1
        for i in range(n, 4 * (n + 7)):
            word = list(words[-1])
            if i % n == 0:
                word = [S_BOX[b] for b in word[1:] + word[:1]]
                word[0] ^= constant
                constant = times_two(constant)
            elif n > 6 and i % n == 4:
                word = [S_BOX[b] for b in word]
            words.append([a ^ b for a, b in zip(word, words[-n])])
        self.keys = [sum(words[i : i + 4], []) for i in range(0, len(words), 4)]

    def encrypt(self, block):
        state = [a ^ b for a, b in zip(block, self.keys[0])]
        for key in self.keys[1:]:
            state = [S_BOX[state[(i + 4 * (i % 4)) % 16]] for i in range(16)]
            if key is not self.keys[-1]:
                mixed = []
                for c in range(0, 16, 4):
                    for r in range(4):
                        a, b, d, e = (state[c + (r + k) % 4] for k in range(4))
                        mixed.append(TWO[a] ^ THREE[b] ^ d ^ e)
                state = mixed
            state = [a ^ b for a, b in zip(state, key)]
        return bytes(state)


# FIPS 197, appendices C.1 and C.3.
assert Aes(bytes(range(16))).encrypt(bytes.fromhex("00112233445566778899aabbccddeeff")).hex() == (
    "69c4e0d86a7b0430d8cdb78070b4c55a"
)
assert Aes(bytes(range(32))).encrypt(bytes.fromhex("00112233445566778899aabbccddeeff")).hex() == (
    "8ea2b7ca516745bfeafc49904b496089"
)
