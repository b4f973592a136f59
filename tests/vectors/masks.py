"""Writes masks.json: the definitions of the strategies, redone independently of the Rust code.

Standard library only; what is keyed is in keyed.py.
Run: python3 tests/vectors/masks.py > tests/vectors/masks.json
"""

import json
import unicodedata

from keyed import KEY, OTHER_KEY, below, block, canonical_text, stream


def hash_(params, key, seed, type_, value):
    length = params.get("length", 20)

    def made(data):
        return block("hash", key, seed, data, algorithm=params.get("algorithm", "sha256"))

    if type_ == "text":
        if params.get("canonical") == "text":
            value = canonical_text(value)
        return params.get("prefix", "") + made(value.encode()).hex()[:length]
    if type_ == "bytea":
        return made(bytes.fromhex(value))[: (length + 1) // 2].hex()
    if type_ == "uuid":
        uuid = bytearray(made(bytes.fromhex(value))[:16])
        uuid[6] = uuid[6] % 16 + 0x80
        uuid[8] = uuid[8] % 64 + 0x80
        return uuid.hex()
    bits = {"smallint": 15, "integer": 31, "bigint": 63}[type_]
    return int.from_bytes(made(value.to_bytes(8, "big", signed=True))[:8], "big") % 2**bits


def email(params, key, seed, _, value):
    canonical = canonical_text(value)
    made = block("email", key, seed, canonical.encode()).hex()[: params.get("hash_length", 20)]
    local, _, domain = params.get("format", "user_{hash}@example.com").partition("@")
    domain = domain or "example.com"
    if params.get("preserve_domain") and "@" in canonical:
        # The vectors keep only domains that are plainly valid.
        domain = canonical.rpartition("@")[2]
    return local.replace("{hash}", made) + "@" + domain


CALLING_CODES = set(
    "1 7 20 27 30 31 32 33 34 36 39 40 41 43 44 45 46 47 48 49 51 52 53 54 55 56 57 58 60 61 62 63 "
    "64 65 66 81 82 84 86 90 91 92 93 94 95 98".split()
)


def phone(params, key, seed, type_, value):
    if type_ != "text":
        text = str(abs(value))
        limit = {"integer": 2**31, "bigint": 2**63}[type_]
        source = stream("phone", key, seed, text.encode())
        while True:
            drawn = str(1 + below(source, 9))
            for _ in text[1:]:
                drawn += str(below(source, 10))
            if int(drawn) < limit:
                return int(drawn) * (-1 if value < 0 else 1)
    folded = unicodedata.normalize("NFKC", value)
    digits = "".join(
        str(unicodedata.decimal(c)) for c in folded if unicodedata.decimal(c, None) is not None
    )
    first = next((i for i, c in enumerate(folded) if unicodedata.decimal(c, None) is not None), 0)
    plus = "+" in folded[:first]
    kept = ""
    if not plus and digits[:2] == "00" and digits[2:3] not in ("", "0"):
        kept, digits = "00", digits[2:]
    source = stream("phone", key, seed, digits.encode())
    made = "".join(str(below(source, 10)) for _ in digits)
    if params.get("preserve_country_code") and (plus or kept) and digits[0] != "0":
        code = next((digits[:n] for n in (1, 2) if digits[:n] in CALLING_CODES), digits[:3])
        made = code + made[len(code) :]
    made = iter(kept + made)
    out = ""
    # "~" stands for a letter of an extension mark; the vectors use ASCII marks only.
    marks = value
    for mark in (" ext. ", " ext ", " x "):
        marks = marks.replace(mark, "~" * len(mark))
    for c, m in zip(value, marks):
        if unicodedata.decimal(c, None) is not None:
            out += next(made)
        elif c.isalpha() and m != "~":
            out += str(below(source, 10))
        else:
            out += c
    return out


def redact(params, key, seed, type_, value):
    if type_ == "uuid":
        return "00" * 16
    if type_ == "bytea":
        return ""
    if type_ != "text":
        return 0
    if params.get("style") == "length":
        return params.get("replacement", "*") * len(value)
    return params.get("replacement", "[REDACTED]")


UUID = "0190f5e87c3b7a5c9d2e1f3a4b5c6d7e"
CASES = [
    (hash_, {}, 0, "text", "john@example.com"),
    (hash_, {}, 12345, "text", "john@example.com"),
    (hash_, {}, -1, "text", ""),
    (hash_, {"length": 64, "prefix": "usr_"}, 12345, "text", "Zoë 😀"),
    (hash_, {"canonical": "text"}, 12345, "text", "\u3000ZOE\u0308 ΟΔΟΣ\u2003"),
    (hash_, {"algorithm": "sha512"}, 12345, "text", "john@example.com"),
    (hash_, {"algorithm": "sha512", "length": 128}, 12345, "text", "x" * 300),
    (hash_, {"algorithm": "blake3"}, 12345, "text", "john@example.com"),
    (hash_, {"algorithm": "blake3", "length": 64}, 12345, "text", "y" * 500),
    (hash_, {}, 12345, "smallint", 1),
    (hash_, {}, 12345, "integer", 1),
    (hash_, {}, 12345, "bigint", 1),
    (hash_, {}, 12345, "bigint", -(2**63)),
    (hash_, {"algorithm": "blake3"}, 12345, "integer", -5),
    (hash_, {}, 12345, "uuid", UUID),
    (hash_, {"algorithm": "sha512"}, 2**63 - 1, "uuid", UUID),
    (hash_, {}, 12345, "bytea", "00ff"),
    (hash_, {"length": 63}, 12345, "bytea", ""),
    (email, {}, 0, "text", "john@example.com"),
    (email, {}, 12345, "text", "john@example.com"),
    (email, {}, 12345, "text", " \u00a0John@Example.COM\n"),
    (email, {}, 12345, "text", "ZOE\u0308@example.com"),
    (email, {}, 12345, "text", "not-an-address"),
    (email, {}, 12345, "text", ""),
    (email, {"hash_length": 59}, 12345, "text", "john@example.com"),
    (email, {"format": "{hash}"}, 12345, "text", "john@example.com"),
    (email, {"format": "u.{hash}+x@mail.test"}, -(2**63), "text", "john@example.com"),
    (email, {"preserve_domain": True}, 12345, "text", "a@b@Corp.Co.UK"),
    (email, {"preserve_domain": True, "format": "u{hash}@a.test"}, 1, "text", "x@xn--mller-kva.de"),
    (phone, {}, 12345, "text", "+1-202-555-0123"),
    (phone, {}, 12345, "text", "+1 (202) 555 0123"),
    (phone, {}, 12345, "text", "0012025550123"),
    (phone, {}, 12345, "text", "12025550123"),
    (phone, {}, 0, "text", "１２０２ ٥٥٥"),
    (phone, {}, 12345, "text", "555-0123 ext. 42"),
    (phone, {}, 12345, "text", "1-800-FLOWERS x 9"),
    (phone, {}, 12345, "text", "0" * 3 + "123456789" * 9),
    (phone, {}, 12345, "text", "—"),
    (phone, {"preserve_country_code": True}, 12345, "text", "+33 6 12 34 56 78"),
    (phone, {"preserve_country_code": True}, 12345, "text", "00420 222 333 444"),
    (phone, {"preserve_country_code": True}, 12345, "text", "+1 202 555 0123"),
    (phone, {"preserve_country_code": True}, 12345, "text", "202 555 0123"),
    (phone, {}, 12345, "bigint", 12025550123),
    (phone, {}, 12345, "bigint", -(2**63)),
    (phone, {}, 12345, "integer", 2025550123),
    (phone, {}, 12345, "integer", -7),
    (redact, {}, 0, "text", "secret"),
    (redact, {"replacement": "■"}, 0, "text", "secret"),
    (redact, {"style": "length"}, 0, "text", "Zoë"),
    (redact, {}, 0, "integer", 42),
    (redact, {}, 0, "uuid", UUID),
    (redact, {}, 0, "bytea", "00ff"),
]

vectors = []
for key in (KEY, OTHER_KEY):
    for strategy, params, seed, type_, value in CASES:
        vectors.append({
            "strategy": strategy.__name__.strip("_"), "params": params, "key": key.hex(),
            "seed": seed, "type": type_, "input": value,
            "output": strategy(params, key, seed, type_, value),
        })
print("[\n" + ",\n".join(json.dumps(v, ensure_ascii=False) for v in vectors) + "\n]")
