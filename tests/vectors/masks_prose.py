"""Writes masks_prose.json: `lorem` and `text`, redone independently of the Rust code.

Standard library only. The list of words is read from the source; the rest is written again. What
`text` finds is told by plain patterns here, which fit the sentences below and not every text; what
it writes are the pseudonyms of masks_network.py, masks_payment.py and masks_person.py.
Run: python3 tests/vectors/masks_prose.py > tests/vectors/masks_prose.json
"""

import json
import pathlib
import re
import unicodedata

import masks_network
import masks_payment
import masks_person
from keyed import KEY, OTHER_KEY, below, block, stream

SOURCE = pathlib.Path(__file__).parents[2] / "src/strategies/prose/words.rs"
WORDS = re.findall(r'"([a-z]+)"', SOURCE.read_text().split("mod tests")[0])
PUNCTUATION = "¡§«·»¿£¥€°‐–—‘’“”…、。"


def sort(c):
    category = unicodedata.category(c)
    if category[0] in "LM":
        return "letter"
    if category in ("Nd", "No"):
        return "digit"
    if c.isspace():
        return "space"
    return "kept" if c in PUNCTUATION or c.isascii() and c.isprintable() else "letter"


def runs(text):
    run = ""
    for c in text:
        kind = sort(c)
        if run and (kind != sort(run[0]) or kind in ("digit", "kept")):
            yield sort(run[0]), run
            run = ""
        run += c
    if run:
        yield sort(run[0]), run


def lorem(params, key, seed, text, _):
    source = stream("lorem", key, seed, block("lorem", key, seed, text.encode()))
    words, lines = params.get("unit") == "words", params.get("keep_lines", True)
    out = ""
    for kind, run in runs(text):
        breaks = set(run) & set("\n\v\f\r\x85\u2028\u2029")
        if kind == "digit":
            out += str(below(source, 10))
        elif kind == "kept" or kind == "space" and (lines or not breaks):
            out += run
        elif kind == "space":
            out += " " if words else "".join(" " if c in breaks else c for c in run)
        elif words:
            word = WORDS[below(source, len(WORDS))]
            if len(run) > 1 and run[0].isupper() and not any(c.islower() for c in run):
                word = word.upper()
            out += word.capitalize() if run[0].isupper() and word.islower() else word
        else:
            made = ""
            while len(made) < len(run):
                left = len(run) - len(made)
                fitting = [w for w in WORDS if len(w) == (left if left <= 12 else 8)]
                made += fitting[below(source, len(fitting))]
            out += "".join(m.upper() if c.isupper() else m for m, c in zip(made, run))
    return out


def email(key, seed, found):
    made = block("email", key, seed, found.lower().encode()).hex()[:20]
    return f"user_{made}@example.com"


def digits(label, key, seed, found):
    plain = re.sub(r"\D", "", found)
    dialed = plain.startswith("00") and not found.startswith("+")
    source = stream(label, key, seed, plain[2:].encode() if dialed else plain.encode())
    return ("00" if dialed else "") + "".join(
        str(below(source, 10)) for _ in plain[2 if dialed else 0:])


def in_place(found, made):
    made = iter(made)
    return re.sub(r"\d", lambda _: next(made), found)


def phone(key, seed, found):
    return in_place(found, digits("phone", key, seed, found))


def card(key, seed, found):
    return masks_payment.credit_card({}, key, seed, "text", found)


def iban(key, seed, found):
    return masks_payment.iban({}, key, seed, "text", found)


def ip(key, seed, found):
    return masks_network.ip({}, key, seed, "text", found)


def url(key, seed, found):
    return masks_network.url({}, key, seed, "text", found)


def national_id(key, seed, found):
    country = "us" if found[-5:-4] in "- " else "fr" if found[-1].isdigit() else "es"
    return masks_person.national_id({"country": country}, key, seed, found, {})


def named(name, part):
    def make(key, seed, found):
        made = masks_person.name({"part": part, "keep_case": False}, key, seed, name, {})
        return masks_person.cased(found, made)

    return make


def words(names):
    """The words of names, and what each becomes."""
    for number, name in enumerate(names):
        parts = name.split()
        for place, word in enumerate(parts):
            part = "first" if place == 0 else "last" if word == parts[-1] else "middle"
            if len(parts) == 1 and 0 < number == len(names) - 1:
                part = "last"
            yield word, named(name, part)


PATTERNS = [
    ("url", "[URL]", url, r"\b(?:https?://|www\.)[^\s<>]*[^\s<>.,;)]"),
    ("email", "[EMAIL]", email, r"[\w.+-]+@[\w-]+(?:\.[\w-]+)*\.[a-z]{2,}"),
    ("iban", "[IBAN]", iban, r"\b[A-Z]{2}\d\d(?:(?: [A-Z\d]{4})+(?: [A-Z\d]{1,3})?|[A-Z\d]{11,29})\b"),
    ("card", "[CARD]", card, r"\b\d{4}([ -]?)\d{4}\1\d{4}\1\d{4}\b|\b\d{4} \d{6} \d{5}\b"),
    ("national_id", "[ID]", national_id,
     r"\b[12] \d\d \d\d \d[\dAB] \d{3} \d{3} \d\d\b|\b(?:\d\d\.\d{3}\.\d{3}-|\d{8})[A-Z]\b|"
     r"\b[XYZ]\d{7}[A-Z]\b|\b\d{3}([- ])\d\d\1\d{4}\b"),
    ("ip", "[IP]", ip, r"\b\d{1,3}(?:\.\d{1,3}){3}\b|\b[\da-f]{1,4}(?::[\da-f]{0,4}){2,7}"),
    ("phone", "[PHONE]", phone,
     r"\+\d{2}(?: \(0\))?(?:[ -]?\d+)+|\b00[1-9]\d[ \d]+\d|\b0\d(?:[ .]\d\d){4}|"
     r"(?:\(\d{3}\) |\b\d{3}-)\d{3}-\d{4}"),
]


def text(params, key, seed, value, names):
    kinds = params.get("find", [kind for kind, *_ in PATTERNS] + ["name"])
    found = []
    for kind, label, make, pattern in PATTERNS:
        if kind in kinds:
            found += [(m.start(), m.end(), label, make) for m in re.finditer(pattern, value)]
    if "name" in kinds:
        for word, make in words(names):
            make = None if params.get("on_name") == "redact" else make
            found += [(m.start(), m.end(), "[NAME]", make)
                      for m in re.finditer(rf"\b{word}\b", value, re.I)]
    out, at = "", 0
    for start, end, label, make in sorted(found, key=lambda f: (f[0], -f[1])):
        if start < at:
            continue
        labels = params.get("style") == "label" or make is None
        out += value[at:start] + (label if labels else make(key, seed, value[start:end]))
        at = end
    out = (out + value[at:]).replace("[NAME] [NAME]", "[NAME]")
    return out[: params.get("max_length")]


LETTER = """Dear Ada,

I met ZOE on 5 May 2024: she's well (really!) – “très bien”, she said.
Internationalization-and-antidisestablishmentarianism; 12.50 €

iPhone\tx"""
MAILS = "Ada.Lovelace@Work.example, cc <bob+1@mail.work.example>; not @work or a@b."
CALLS = "Call +44 20 7946 0958, 06 12 34 56 78 or (202) 555-0143; dial 0033 6 12 34 56 78."
CARDS = "Cards 4111 1111 1111 1111, 5555-5555-5555-4444 and 3782 822463 10005 on 2024-01-15."
PLAIN = "Version 2.14.7 of 2024-01-15, order 20240115, 1,299.00 and 10 000 000 rows."
BANKS = "Refund GB29 NWBK 6016 1331 9268 19 or FR1420041010050500013M02606, BE68 5390 0754 7034."
HOSTS = "Seen 198.51.100.7 and 10.0.0.1 at https://Work.example/ada?tab=1#top, (2001:db8::1)."
LINKS = "See www.work.example/a/b, http://u:p@work.example:8080/x. Or ftp?"
STATES = "NIR 1 84 12 76 451 089 46, 1 84 12 2A 451 089 33; 12345678Z, 12.345.678-Z, X1234567L."
SOCIAL = "SSN 123-45-6789 or 219 09 9999 of Mary."
PARTS = "Ada King LOVELACE, king; Grace HOPPER"
NAMED = "Ada met ADA LOVELACE and Adam; lovelace left."
CASES = [
    (lorem, {}, LETTER, []),
    (lorem, {"unit": "words"}, LETTER, []),
    (lorem, {"keep_lines": False}, LETTER, []),
    (lorem, {"unit": "words", "keep_lines": False}, LETTER, []),
    (lorem, {}, "", []),
    (lorem, {}, " \n ", []),
    (lorem, {}, "a", []),
    (lorem, {}, "ZOE\u0308 Straße 日本語。 x²", []),
    (lorem, {"unit": "words"}, "ZOE\u0308 Straße 日本語。 x² A", []),
    (lorem, {}, "x" * 45 + " " + "Y" * 13, []),
    (lorem, {}, "Lorem ipsum. " * 40, []),
    (lorem, {"unit": "words"}, "one two, " * 60, []),
    (text, {}, MAILS, []),
    (text, {}, CALLS, []),
    (text, {}, CARDS, []),
    (text, {}, PLAIN, ["Ada"]),
    (text, {}, "", []),
    (text, {}, BANKS, []),
    (text, {}, HOSTS, []),
    (text, {}, LINKS, []),
    (text, {}, STATES, []),
    (text, {}, SOCIAL, ["Mary"]),
    (text, {}, NAMED, ["Ada Lovelace"]),
    (text, {}, NAMED, ["Ada", "Lovelace"]),
    (text, {}, PARTS, ["Ada King Lovelace", "Grace", "Hopper"]),
    (text, {"find": ["iban", "url", "ip"]}, " ".join([BANKS, HOSTS, STATES]), []),
    (text, {"style": "label"}, " ".join([BANKS, HOSTS, LINKS, STATES, SOCIAL]), []),
    (text, {"style": "label"}, " ".join([MAILS, CALLS, CARDS]), []),
    (text, {"find": ["email"]}, " ".join([MAILS, CALLS, CARDS]), []),
    (text, {"find": ["card", "phone"]}, " ".join([MAILS, CALLS, CARDS]), []),
    (text, {"find": ["email", "name"], "on_name": "redact"}, NAMED + MAILS, ["Ada Lovelace"]),
    (text, {"style": "label"}, NAMED, ["Ada Lovelace", "Bob"]),
    (text, {"max_length": 30}, MAILS, []),
    (text, {"max_length": 5}, PLAIN, []),
]

vectors = []
for key, seed in ((KEY, 12345), (OTHER_KEY, -1), (KEY, 0)):
    for strategy, params, value, names in CASES:
        vector = {
            "strategy": strategy.__name__, "params": params, "key": key.hex(), "seed": seed,
            "type": "text", "input": value, "output": strategy(params, key, seed, value, names),
        }
        if names:
            vector["inputs"] = {"names": names}
        vectors.append(vector)
print("[\n" + ",\n".join(json.dumps(v, ensure_ascii=False) for v in vectors) + "\n]")
