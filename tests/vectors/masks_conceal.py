"""Writes masks_conceal.json: the definition of strategy mask, redone independently of the Rust code.

Standard library only. Of the rules for grapheme clusters (Unicode UAX #29) it knows those that the
cases need: CR LF, combining marks, joiners between emoji, skin tones and flags.
Run: python3 tests/vectors/masks_conceal.py > tests/vectors/masks_conceal.json
"""

import json
import re
import unicodedata

KEYS = (bytes(range(32)), bytes([0xC0]) * 32)
SEEDS = (0, 12345, -(2**63))

LISTED = set("\xa1\xa7\xab\xb6\xb7\xbb\xbf")
for low, high in ((0x21, 0x2F), (0x3A, 0x40), (0x5B, 0x60), (0x7B, 0x7E)):
    LISTED |= {chr(c) for c in range(low, high + 1)}
    LISTED |= {chr(c - 0x20 + 0xFF00) for c in range(low, high + 1)}
for low, high in ((0x2010, 0x2027), (0x2030, 0x205E), (0x3001, 0x3003), (0x3008, 0x3011)):
    LISTED |= {chr(c) for c in range(low, high + 1)}
SPACES = set("\t\n\v\f\r \x85\xa0\u1680\u2028\u2029\u202f\u205f\u3000")
SPACES |= {chr(c) for c in range(0x2000, 0x200B)}
SEPARATORS = LISTED | SPACES

TWO_DIGIT_CODES = set(
    "20 27 30 31 32 33 34 36 39 40 41 43 44 45 46 47 48 49 51 52 53 54 55 56 57 58 60 61 62 63 "
    "64 65 66 81 82 84 86 90 91 92 93 94 95 98".split()
)


def clusters(text):
    made = []
    for c in text:
        last = made[-1] if made else ""
        joins = (
            last[-1:] not in ("\r", "\n", "") and unicodedata.category(c) in ("Mn", "Me", "Mc")
            or last[-1:] not in ("\r", "\n", "") and c == "\u200d"
            or last[-1:] == "\r" and len(last) == 1 and c == "\n"
            or "\u2600" <= last[:1] and last[-1:] == "\u200d" and unicodedata.category(c) == "So"
            or "\u2600" <= last[:1] and "\U0001f3fb" <= c <= "\U0001f3ff"
            or len(last) == 1 and all("\U0001f1e6" <= x <= "\U0001f1ff" for x in last + c)
        )
        if joins:
            made[-1] += c
        else:
            made.append(c)
    return made


def digit(c):
    folded = unicodedata.normalize("NFKC", c)
    return unicodedata.decimal(folded, None) if len(folded) == 1 else None


def is_separator(cluster):
    return all(c in SEPARATORS for c in cluster)


def is_host(domain):
    labels = domain.split(".")
    good = all(re.fullmatch("[A-Za-z0-9]([A-Za-z0-9-]{0,61}[A-Za-z0-9])?", x) for x in labels)
    return good and len(labels) > 1 and len(domain) <= 253 and not re.fullmatch("[0-9]+", labels[-1])


def split(keep, value):
    """Returns what is shown before, what is masked, what is shown after; None if malformed."""
    if keep == "email_domain":
        if value.count("@") != 1:
            return None
        local, domain = value.split("@")
        name, host = local.lstrip("".join(SPACES)), domain.rstrip("".join(SPACES))
        if not 0 < len(name.encode()) < 65 or any(c in SPACES for c in name) or not is_host(host):
            return None
        return "", local, "@" + domain
    digits = [(at, digit(c)) for at, c in enumerate(value) if digit(c) is not None]
    plus = [at for at, c in enumerate(value) if c in "+\uff0b"]
    if not digits or len(plus) > 1 or plus and plus[0] > digits[0][0]:
        return None
    if any(c not in SEPARATORS and digit(c) is None for c in value):
        return None
    number = "".join(str(d) for _, d in digits)
    skip = 0
    if not plus and re.match("00[1-9]", number):
        skip = 2
    number = number[skip:]
    if not plus and not skip or number[0] == "0":
        return "", value, ""
    code = 1 if number[0] in "17" else 2 if number[:2] in TWO_DIGIT_CODES else 3
    if code >= len(number):
        return "", value, ""
    end = digits[skip + code - 1][0] + 1
    return value[:end], value[end:], ""


def of_class(name, cluster):
    c = cluster[0]
    return {
        "none": False, "digits": digit(c) is not None, "letters": c.isalpha(),
        "upper": c.isupper(), "lower": c.islower(),
    }[name]


def mask(params, value):
    star, pad = params.get("mask_char", "*"), params.get("pad_to", 0)
    parts = ("", value, "")
    if params.get("keep", "none") != "none":
        parts = split(params["keep"], value)
        if parts is None:
            return star * (pad or len(clusters(value)))
    head, text, tail = parts
    text = clusters(text)
    content = [g for g in text if not is_separator(g)]
    apart = params.get("keep_separators", True) and len(content) > len(text) / 2
    if not apart:
        content = text
    most = len(content) // 2 if len(content) > 2 else 0
    first, last = params.get("keep_first", 0), params.get("keep_last", 0)
    if pad and first + last > most:
        first = last = 0
    while first + last > most:
        if first >= last:
            first -= 1
        else:
            last -= 1
    shown = set(range(first)) | set(range(len(content) - last, len(content)))
    left = most - first - last
    for at, g in enumerate(content):
        if left and at not in shown and of_class(params.get("keep_class", "none"), g):
            shown.add(at)
            left -= 1
    if pad:
        end = len(content) - last
        return head + "".join(content[:first]) + star * pad + "".join(content[end:]) + tail
    out, at = "", 0
    for g in text:
        if apart and is_separator(g):
            out += g
        else:
            out += g if at in shown else star
            at += 1
    return head + out + tail


FAMILY = "\U0001f468\u200d\U0001f469\u200d\U0001f467"
CASES = [
    ({}, "secret"),
    ({}, ""),
    ({}, "a"),
    ({}, "a-"),
    ({}, "---"),
    ({}, "john@example.com"),
    ({}, "4111 1111 1111 1111"),
    ({}, "Zoe\u0308 M\xfcller"),
    ({}, "a\r\nbc"),
    ({}, FAMILY + "\U0001f1e9\U0001f1ea\u2764\ufe0f"),
    ({"keep_first": 3, "keep_last": 3}, "secret"),
    ({"keep_first": 2, "keep_last": 4}, "12345"),
    ({"keep_first": 1, "keep_last": 3}, "abcd"),
    ({"keep_first": 2, "keep_last": 2}, "0611"),
    ({"keep_first": 1000, "keep_last": 1}, "abcdefgh"),
    ({"keep_first": 1, "keep_last": 1000}, "abcdefgh"),
    ({"keep_first": 7, "keep_last": 9}, "abcdefghijklm"),
    ({"keep_last": 4}, "4111-1111-1111-1234"),
    ({"keep_last": 4, "keep_separators": False}, "4111-1111-1111-1234"),
    ({"keep_first": 1, "keep_last": 1}, "Zoe\u0308s"),
    ({"keep_first": 1}, "\u6771\u4eac\u3001\u65e5\u672c"),
    ({"keep_first": 2, "mask_char": "\u2588"}, "\u041c\u043e\u0441\u043a\u0432\u0430"),
    ({"keep_first": 1, "mask_char": FAMILY}, "abc"),
    ({"keep_class": "digits"}, "AB-1234-CDEF"),
    ({"keep_class": "digits"}, "12345678"),
    ({"keep_class": "upper"}, "Ada Lovelace"),
    ({"keep_class": "upper", "keep_last": 2}, "ABcdeF"),
    ({"keep_class": "letters"}, "1\xe92a"),
    ({"keep_class": "lower", "keep_first": 1}, "Augusta Ada King"),
    ({"keep": "email_domain"}, "john@example.com"),
    ({"keep": "email_domain"}, " j.doe+x@Example.co.uk\n"),
    ({"keep": "email_domain", "keep_first": 1}, "john@example.com"),
    ({"keep": "email_domain", "keep_first": 1}, "jo@example.com"),
    ({"keep": "email_domain", "keep_last": 9}, "foo"),
    ({"keep": "email_domain", "keep_last": 9}, "al@me"),
    ({"keep": "email_domain"}, "a@b@example.com"),
    ({"keep": "email_domain"}, "a@1.2.3.4"),
    ({"keep": "email_domain", "pad_to": 4}, "john.doe@example.com"),
    ({"keep": "email_domain", "pad_to": 4}, "john.doe"),
    ({"keep": "phone"}, "+44 20 7946 0958"),
    ({"keep": "phone"}, "0044-20-7946-0958"),
    ({"keep": "phone", "keep_last": 2}, "(+420) 222 333 444"),
    ({"keep": "phone"}, "+\u0663\u0663 6 12 34 56 78"),
    ({"keep": "phone"}, "202-555-0123"),
    ({"keep": "phone"}, "+44"),
    ({"keep": "phone"}, "1-800-FLOWERS"),
    ({"keep": "phone", "keep_separators": False}, "+1 202-555"),
    ({"keep": "phone", "pad_to": 3}, "+1 202-555-0123"),
    ({"pad_to": 8}, "x" * 300),
    ({"pad_to": 8}, ""),
    ({"pad_to": 3, "keep_last": 4}, "4111-1111-1111-12-34"),
    ({"pad_to": 3, "keep_last": 4}, "1234567"),
]

vectors = []
for key in KEYS:
    for n, (params, value) in enumerate(CASES):
        vectors.append({
            "strategy": "mask", "params": params, "key": key.hex(), "seed": SEEDS[n % 3],
            "type": "text", "input": value, "output": mask(params, value),
        })
print("[\n" + ",\n".join(json.dumps(v, ensure_ascii=False) for v in vectors) + "\n]")
