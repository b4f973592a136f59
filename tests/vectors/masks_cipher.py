"""Writes masks_cipher.json: strategy `fpe`, redone independently of the Rust code.

Standard library only. AES is in aes.py; FF1 is written out from NIST SP 800-38G with numbers of any
size, so that no string is too long for it.
Run: python3 tests/vectors/masks_cipher.py > tests/vectors/masks_cipher.json
"""

import datetime
import json
import string

from aes import Aes
from keyed import block, field

KEYS = [(bytes(range(32)), bytes(range(32, 64))), (bytes([0xC0]) * 32, bytes([0x0C]) * 32)]


def number_of(radix, numerals):
    number = 0
    for numeral in numerals:
        number = number * radix + numeral
    return number


def numerals_of(radix, length, number):
    numerals = []
    for _ in range(length):
        number, numeral = divmod(number, radix)
        numerals.append(numeral)
    return numerals[::-1]


def ff1(aes, radix, tweak, x):
    """Algorithm 7 of SP 800-38G."""
    n, t = len(x), len(tweak)
    assert radix**n >= 1_000_000
    u = n // 2
    v = n - u
    a, b_half = x[:u], x[u:]
    b = ((radix**v - 1).bit_length() + 7) // 8
    d = 4 * ((b + 3) // 4) + 4
    p = bytes([1, 2, 1]) + radix.to_bytes(3, "big") + bytes([10, u % 256])
    p += n.to_bytes(4, "big") + t.to_bytes(4, "big")
    for i in range(10):
        q = tweak + bytes((-t - b - 1) % 16) + bytes([i])
        q += number_of(radix, b_half).to_bytes(b, "big")
        r = bytes(16)
        for j in range(0, len(p + q), 16):
            r = aes.encrypt(bytes(m ^ n for m, n in zip(r, (p + q)[j : j + 16])))
        s = r
        for j in range(1, (d + 15) // 16):
            s += aes.encrypt(bytes(m ^ n for m, n in zip(r, j.to_bytes(16, "big"))))
        m = u if i % 2 == 0 else v
        c = (number_of(radix, a) + int.from_bytes(s[:d], "big")) % radix**m
        a, b_half = b_half, numerals_of(radix, m, c)
    return a + b_half


# FF1samples.pdf of NIST, sample 8.
NIST_KEY = bytes.fromhex("2b7e151628aed2a6abf7158809cf4f3cef4359d8d580aa4f7f036d6f04fc6a94")
assert ff1(Aes(NIST_KEY), 10, b"9876543210", list(range(10))) == [1, 0, 0, 1, 6, 2, 3, 4, 6, 3]


TABLES = {}


class Domain:
    """The permutations of one kind of value."""

    def __init__(self, key, seed, what, params):
        self.key, self.seed = key, seed
        self.what = b"".join(field(part.encode()) for part in what)
        self.tweak = field(params.get("tweak", "").encode())
        self.aes = Aes(self.subkey("aes", self.what))
        self.shuffles = params.get("small_domain") == "shuffle"

    def subkey(self, purpose, rest):
        return block("fpe", self.key, self.seed, field(purpose.encode()) + rest)

    def string(self, radix, numerals, kind, kept=b""):
        tweak = self.tweak + field(kind) + kept
        if radix ** len(numerals) >= 1_000_000:
            return ff1(self.aes, radix, tweak, numerals)
        table = self.table(radix ** len(numerals), tweak)
        return numerals_of(radix, len(numerals), table[number_of(radix, numerals)])

    def number(self, size, number, kind, kept=b""):
        tweak = self.tweak + field(kind) + kept
        if size < 1_000_000:
            return self.table(size, tweak)[number]
        bits = (size - 1).bit_length()
        while True:
            number = number_of(2, ff1(self.aes, 2, tweak, numerals_of(2, bits, number)))
            if number < size:
                return number

    def table(self, size, tweak):
        assert self.shuffles
        key = self.subkey("shuffle", self.what + field(tweak) + field(size.to_bytes(16, "big")))
        if (key, size) in TABLES:
            return TABLES[key, size]
        aes = Aes(key)

        def words():
            counter = 0
            while True:
                block = aes.encrypt(counter.to_bytes(16, "big"))
                yield from (int.from_bytes(block[i : i + 4], "big") for i in range(0, 16, 4))
                counter += 1

        source = words()
        table = list(range(size))
        for last in range(size - 1, 0, -1):
            bound = last + 1
            while True:
                product = next(source) * bound
                if product % 2**32 >= 2**32 % bound:
                    break
            other = product >> 32
            table[last], table[other] = table[other], table[last]
        TABLES[key, size] = table
        return table


ALPHABETS = {
    "digits": string.digits,
    "upper": string.ascii_uppercase,
    "lower": string.ascii_lowercase,
    "alpha": string.ascii_uppercase + string.ascii_lowercase,
    "alnum": string.digits + string.ascii_uppercase + string.ascii_lowercase,
    "pattern": string.digits + string.ascii_uppercase + string.ascii_lowercase,
    "hex": "0123456789abcdef",
}


def luhn_valid(digits):
    total = 0
    for place, digit in enumerate(reversed(digits)):
        total += sum(map(int, str(digit * (1 + place % 2))))
    return total % 10 == 0


def text(params, key, seed, value):
    name = params.get("alphabet", "digits")
    symbols = params.get("symbols") or ALPHABETS[name]
    luhn = params.get("preserve_luhn", False)
    what = ["text", name, params.get("symbols", ""), "luhn" if luhn else ""]
    domain = Domain(key, seed, what, params)
    is_upper = name == "hex" and any(c in "ABCDEF" for c in value)
    read = value.lower() if is_upper else value
    places = [i for i, c in enumerate(read) if c in symbols]
    numerals = [symbols.index(read[i]) for i in places]
    prefix, suffix = params.get("keep_prefix", 0), params.get("keep_suffix", 0)
    end = len(numerals) - suffix
    clear = numerals[:prefix] + numerals[end:]
    kept = b"".join(n.to_bytes(2, "big") for n in clear)
    free = numerals[prefix : end - luhn]
    if name == "pattern":
        sets = [next(s for s in (string.digits, string.ascii_uppercase, string.ascii_lowercase)
                     if symbols[n] in s) for n in free]
        rank, size = 0, 1
        for n, of in zip(free, sets):
            rank, size = rank * len(of) + of.index(symbols[n]), size * len(of)
        classes = "".join({"0": "d", "A": "u", "a": "l"}[of[0]] for of in sets)
        rank = domain.number(size, rank, bytes([prefix, suffix]) + classes.encode(), kept)
        out = []
        for of in reversed(sets):
            rank, at = divmod(rank, len(of))
            out.insert(0, symbols.index(of[at]))
        free = out
    else:
        while True:
            free = domain.string(len(symbols), free, bytes([is_upper, prefix, suffix]), kept)
            if not is_upper or any(n > 9 for n in clear + free):
                break
    if luhn:
        tail = numerals[end:]
        free = next(free + [d] for d in range(10)
                    if luhn_valid(numerals[:prefix] + free + [d] + tail))
    chars = list(read)
    for place, n in zip(places, numerals[:prefix] + free + numerals[end:]):
        chars[place] = symbols[n]
    out = "".join(chars)
    return out.upper() if is_upper else out


def interval(domain, first, last, value, kind=0):
    bounds = first.to_bytes(16, "big", signed=True) + last.to_bytes(16, "big", signed=True)
    return first + domain.number(last - first + 1, value - first, bytes([kind]) + bounds)


BITS = {"smallint": 15, "integer": 31, "bigint": 63}


def integer(params, key, seed, type_, value):
    domain = Domain(key, seed, ["integer"], params)
    if "min" in params:
        return interval(domain, params["min"], params["max"], value)
    least, most = -(10**38) + 1, 10**38 - 1
    if type_ in BITS:
        least, most = -(2 ** BITS[type_]), 2 ** BITS[type_] - 1
    power = 10 ** (len(str(abs(value))) - 1)
    if value < 0:
        return interval(domain, max(least, 1 - 10 * power), -power, value)
    return interval(domain, 0 if power == 1 else power, min(most, 10 * power - 1), value)


def numeric(params, key, seed, value):
    whole, point, zeros = value.partition(".")
    return str(integer(params, key, seed, "numeric", int(whole))) + point + zeros


def days(params):
    epoch = datetime.date(2000, 1, 1)
    return [(datetime.date.fromisoformat(params[end]) - epoch).days for end in ("first_date", "last_date")]


def date(params, key, seed, value):
    first, last = days(params)
    return interval(Domain(key, seed, ["date"], params), first, last, value)


def timestamp(params, key, seed, type_, value):
    domain = Domain(key, seed, [type_], params)
    first, last = days(params)
    second, micro = divmod(value, 10**6)
    digits = f"{micro:06}".rstrip("0")
    # Every fraction with so many digits, the last of which is not 0.
    width = len(digits)
    each = 9 * 10 ** (width - 1) if width else 1
    place = 0
    if width:
        place = int(digits) - int(digits) // 10 - 1
    moved = interval(domain, first * 86400 * each, (last + 1) * 86400 * each - 1,
                     second * each + place, width)
    second, place = divmod(moved, each)
    if width:
        micro = (place // 9 * 10 + place % 9 + 1) * 10 ** (6 - width)
    return second * 10**6 + micro


def uuid(params, key, seed, value):
    bits = f"{int(value, 16):0128b}"
    free = bits[:48] + bits[52:64] + bits[66:]
    marks = bytes([int(bits[48:52], 2) << 4, int(bits[64:66], 2) << 6])
    domain = Domain(key, seed, ["uuid"], params)
    free = f"{domain.number(2**122, int(free, 2), marks):0122b}"
    out = free[:48] + bits[48:52] + free[48:60] + bits[64:66] + free[60:]
    return f"{int(out, 2):032x}"


def fpe(params, key, seed, type_, value):
    if type_ == "text":
        return text(params, key, seed, value)
    if type_ == "numeric":
        return numeric(params, key, seed, value)
    if type_ == "date":
        return date(params, key, seed, value)
    if type_.startswith("timestamp"):
        return timestamp(params, key, seed, type_, value)
    if type_ == "uuid":
        return uuid(params, key, seed, value)
    return integer(params, key, seed, type_, value)


GREEK = "αβγδεζηθικλμνξοπρστυφχψω"
SHUFFLE = {"small_domain": "shuffle"}
YEARS = {"first_date": "1995-01-01", "last_date": "2004-12-31"}
CENTURY = {"first_date": "1950-01-01", "last_date": "2049-12-31"}
ID = {"min": 1, "max": 2**31 - 1}
CASES = [
    ({}, 0, "text", "4111111111111111"),
    ({}, 12345, "text", "4111111111111111"),
    ({}, 12345, "text", "4111-1111 1111.1111"),
    ({}, -1, "text", "000000"),
    ({}, 12345, "text", "0123456789" * 3),
    ({}, 12345, "text", "0123456789" * 6),
    ({}, 12345, "text", "9" * 256),
    ({"tweak": "orders.card"}, 12345, "text", "4111111111111111"),
    ({"tweak": "Ünïcode — " * 25}, 12345, "text", "4111111111111111"),
    ({"keep_prefix": 6}, 12345, "text", "4111-1111-1111-1111"),
    ({"keep_prefix": 6, "keep_suffix": 4}, 12345, "text", "4111-1111-1111-1111"),
    ({"keep_suffix": 4, "tweak": "x"}, 12345, "text", "4111-1111-1111-1111"),
    ({"keep_prefix": 40, "keep_suffix": 64}, 12345, "text", "31415926535" * 12),
    ({"preserve_luhn": True}, 12345, "text", "4111 1111 1111 1111"),
    ({"preserve_luhn": True, "keep_prefix": 6}, 12345, "text", "378282246310005"),
    ({"preserve_luhn": True, "keep_prefix": 7, "keep_suffix": 4, **SHUFFLE}, 1, "text",
     "4111 1111 1111 1111"),
    ({"preserve_luhn": True, "keep_prefix": 4, "keep_suffix": 3}, 1, "text", "6011111111111117"),
    ({"alphabet": "upper"}, 12345, "text", "ABCDE"),
    ({"alphabet": "lower"}, 12345, "text", "john.doe"),
    ({"alphabet": "alpha"}, 12345, "text", "John O'Brien"),
    ({"alphabet": "alnum"}, 12345, "text", "Ab3-xY9/0"),
    ({"alphabet": "alnum"}, 12345, "text", "AZaz09" * 12),
    ({"alphabet": "hex"}, 12345, "text", "de:ad:be:ef:00:01"),
    ({"alphabet": "hex"}, 12345, "text", "DE-AD-BE-EF"),
    ({"alphabet": "hex"}, 12345, "text", "1234567890"),
    ({"alphabet": "hex", "keep_prefix": 2}, 12345, "text", "AB1234567"),
    ({"alphabet": "hex", **SHUFFLE}, 12345, "text", "A"),
    ({"alphabet": "hex", **SHUFFLE}, 12345, "text", "1F"),
    ({"alphabet": "pattern"}, 12345, "text", "A123-BC"),
    ({"alphabet": "pattern"}, 12345, "text", "DE89 3704 0044 0532 0130 00"),
    ({"alphabet": "pattern", "keep_prefix": 2, "keep_suffix": 1}, 5, "text", "GB-29-nwbk-6016-X"),
    ({"alphabet": "pattern"}, 12345, "text", "0123456789" * 3 + "01234567"),
    ({"alphabet": "pattern", **SHUFFLE}, 12345, "text", "B-7x"),
    ({"alphabet": "custom", "symbols": GREEK}, 12345, "text", "σοφια και"),
    ({"alphabet": "custom", "symbols": "0123456789ABCDEF"}, 1, "text", "DEADBEEF"),
    ({"alphabet": "custom", "symbols": "01"}, 1, "text", "01100110 01111111 0000"),
    ({"alphabet": "custom", "symbols": "😀😁😂🤣😃😄😅😆"}, 1, "text", "😀😁😂-🤣😃😄😅😆"),
    (SHUFFLE, 12345, "text", "1234"),
    (SHUFFLE, 12345, "text", "7"),
    ({"keep_prefix": 2, **SHUFFLE}, 12345, "text", "75011"),
    ({"tweak": "zip", **SHUFFLE}, -(2**63), "text", "90210"),
    (SHUFFLE, 12345, "smallint", 1234),
    (SHUFFLE, 12345, "smallint", -32768),
    (SHUFFLE, 12345, "smallint", 0),
    (SHUFFLE, 12345, "integer", -9),
    ({"min": -100, "max": 100, **SHUFFLE}, 12345, "smallint", -100),
    ({}, 12345, "integer", 1234567),
    ({}, 12345, "integer", 2**31 - 1),
    ({}, 12345, "integer", -(2**31)),
    (ID, 12345, "integer", 1),
    (ID, 12345, "bigint", 1),
    ({**ID, "tweak": "users.id"}, 12345, "integer", 1),
    ({"min": 1, "max": 1_000_000}, 2**63 - 1, "integer", 42),
    ({}, 12345, "bigint", 12025550123),
    ({}, 12345, "bigint", 2**63 - 1),
    ({}, 12345, "bigint", -(2**63)),
    ({"min": -(2**63), "max": 2**63 - 1}, 12345, "bigint", 0),
    ({}, 12345, "numeric", "1234567"),
    ({}, 12345, "numeric", "-12345678.00"),
    ({}, 12345, "numeric", "9" * 38),
    (ID, 12345, "numeric", "1.0"),
    ({**YEARS, **SHUFFLE}, 12345, "date", 0),
    ({**YEARS, **SHUFFLE}, 12345, "date", -1826),
    ({"first_date": "0001-01-01", "last_date": "9999-12-31"}, 12345, "date", 9000),
    (CENTURY, 12345, "timestamp without time zone", 0),
    (CENTURY, 12345, "timestamp without time zone", 123_456_789_000_000),
    (CENTURY, 12345, "timestamp without time zone", 123_456_789_500_000),
    (CENTURY, 12345, "timestamp without time zone", 123_456_789_120_000),
    (CENTURY, 12345, "timestamp with time zone", 123_456_789_123_456),
    (CENTURY, 12345, "timestamp with time zone", -1),
    ({}, 12345, "uuid", "0190f5e87c3b7a5c9d2e1f3a4b5c6d7e"),
    ({}, 12345, "uuid", "2f1b5a8e0c3d4a619a5e6a1f0d7c9b11"),
    ({"tweak": "x"}, 12345, "uuid", "00" * 16),
]

if __name__ == "__main__":
    vectors = []
    for key, fpe_key in KEYS:
        for params, seed, type_, value in CASES:
            vectors.append({
                "strategy": "fpe", "params": params, "key": key.hex(), "fpe_key": fpe_key.hex(),
                "seed": seed, "type": type_, "input": value,
                "output": fpe(params, fpe_key, seed, type_, value),
            })
    print("[\n" + ",\n".join(json.dumps(v, ensure_ascii=False) for v in vectors) + "\n]")
