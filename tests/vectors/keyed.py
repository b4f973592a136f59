"""What the programs for vectors share: the keys, what is drawn from them, canonical text.

The definitions are those of src/strategies/keyed.rs and canonical.rs, written again.
"""

import hashlib
import hmac
import unicodedata

from blake3 import blake3_keyed

KEY = bytes(range(32))
OTHER_KEY = bytes([0xC0]) * 32
WHITE_SPACE = (
    "\t\n\v\f\r \x85\xa0\u1680\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2007\u2008\u2009\u200a"
    "\u2028\u2029\u202f\u205f\u3000"
)


def field(data):
    """Bytes behind their length."""
    return len(data).to_bytes(4, "big") + data


def subkey(label, key, seed, algorithm=None):
    """The key of one strategy (or of what several draw together) under one seed."""
    fields = [b"confiture/mask/v1", label.encode(), b"\0\1", seed.to_bytes(8, "big", signed=True)]
    fields += [algorithm.encode()] if algorithm else []
    return hmac.new(key, b"".join(map(field, fields)), hashlib.sha256).digest()


def block(label, key, seed, value, counter=0, algorithm=None):
    """One block: of 32 bytes, of 64 with sha512."""
    message = field(value) + (field(counter.to_bytes(4, "big")) if counter else b"")
    own = subkey(label, key, seed, algorithm)
    if algorithm == "blake3":
        return blake3_keyed(own, message)
    return hmac.new(own, message, algorithm or "sha256").digest()


def stream(label, key, seed, value):
    """Bytes without end."""
    counter = 0
    while True:
        yield from block(label, key, seed, value, counter)
        counter += 1


def below(source, bound):
    return next(b % bound for b in source if b < 256 - 256 % bound)


def stream_words(label, key, seed, value):
    """Words of 64 bits without end."""
    counter = 0
    while True:
        data = block(label, key, seed, value, counter)
        yield from (int.from_bytes(data[i : i + 8], "big") for i in range(0, 32, 8))
        counter += 1


def below_u64(source, bound):
    """Out of words; Lemire 2019, by rejection."""
    while True:
        high, low = divmod(next(source) * bound, 2**64)
        if low >= 2**64 % bound:
            return high


CONSONANTS, VOWELS = "bcdfghjklmnprstvwz", "aeiouy"
INSULTS = (
    "caca caga cago cona cula cule culi culo dyke fag fuk homo hure jude juda kaka kike naka nazi "
    "nega nego nig peda pede pedo pene puta pute puto rape sida suka teta"
).split()


def tail(source):
    """The made-up word of src/strategies/tail.rs."""
    made = ""
    for _ in range(3):
        word = ""
        while len(word) < 8:
            number = below(source, 108)
            more = CONSONANTS[number // 6] + VOWELS[number % 6]
            if not any((word[-2:] + more).startswith(insult) for insult in INSULTS if word):
                word += more
        made += "-" + word.capitalize()
    return made


def canonical_text(value):
    value = unicodedata.normalize("NFC", value.strip(WHITE_SPACE))
    return unicodedata.normalize("NFC", value.lower())
