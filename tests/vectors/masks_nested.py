"""Writes masks_nested.json: what `json` makes of documents and hstores, redone independently.

Standard library only. The documents are written without white space, or as jsonb writes them.
Run: python3 tests/vectors/masks_nested.py > tests/vectors/masks_nested.json
"""

import json
import re
from fractions import Fraction

from keyed import KEY, OTHER_KEY, block

OUT = object()


class Number(str):
    """A number as it is written."""


class Members(list):
    """The members of an object, in order, duplicates included."""


def digits(strategy, key, seed, value):
    counter = 0
    while True:
        for byte in block(strategy, key, seed, value, counter):
            if byte < 250:
                yield byte % 10
        counter += 1


def email(config, key, seed, value):
    if not isinstance(value, str) or isinstance(value, Number):
        raise ValueError("an e-mail address is a string")
    made = block("email", key, seed, value.strip().lower().encode()).hex()
    return f"user_{made[:config.get('hash_length', 20)]}@example.com"


def hash_(config, key, seed, value):
    if isinstance(value, Number):
        data = int(Fraction(value)).to_bytes(8, "big", signed=True)
        made = block("hash", key, seed, data, algorithm="sha256")
        return Number(int.from_bytes(made[:8], "big") % 2**63)
    made = block("hash", key, seed, value.encode(), algorithm="sha256").hex()
    return config.get("prefix", "") + made[: config.get("length", 20)]


def phone(_, key, seed, value):
    """Of texts that are digits and separators, without a leading 00."""
    source = digits("phone", key, seed, re.sub(r"\D", "", value).encode())
    return re.sub(r"\d", lambda _: str(next(source)), value)


def redact(config, key, seed, value):
    if isinstance(value, Number):
        return Number("0")
    return False if isinstance(value, bool) else config.get("replacement", "[REDACTED]")


def json_(config, key, seed, value):
    if isinstance(value, str) and not isinstance(value, Number):
        return document(config, key, seed, value)
    return masked(config, key, seed, value)


STRATEGIES = {"email": email, "hash": hash_, "phone": phone, "redact": redact, "json": json_}


def segments(path):
    """A path as a list of (descends, step): a step is a name, an index or None for all.

    A "~" at the end is for `renamed`.
    """
    if not path.startswith("$"):
        return [(False, path)]
    found = []
    form = r"(\.\.|\.)?(?:\[(?:'((?:[^'\\]|\\.)*)'|(\d+)|(\*))\]|(\*)|([^\s.\[\]*'-]+))"
    rest = path[1:]
    while rest:
        m = re.match(form, rest)
        dots, quoted, index, star, bare_star, name = m.groups()
        if quoted is not None:
            step = re.sub(r"\\(.)", r"\1", quoted)
        elif index is not None:
            step = int(index)
        else:
            step = None if star or bare_star else name
        found.append((dots == "..", step))
        rest = rest[m.end():]
    return found


def leads(path, way):
    if not path or not way:
        return not path and not way
    (descends, step), label = path[0], way[0]
    here = step is None or type(step) is type(label) and step == label
    return here and leads(path[1:], way[1:]) or descends and leads(path, way[1:])


def rank(path):
    return [{(0, 0): 3, (0, 1): 2, (1, 0): 1, (1, 1): 0}[descends, step is None]
            for descends, step in path]


def decide(config, way):
    """The action for a part, and whether a path leads to it or to something around it."""
    paths = [(segments(path), action) for path, action in config.get("paths", {}).items()
             if not path.endswith("~")]
    for end in range(len(way), -1, -1):
        here = [(rank(path), action) for path, action in paths if leads(path, way[:end])]
        if here:
            return max(here, key=lambda pair: pair[0])[1], True
    return config.get("unlisted", "redact"), False


def renamed(config, key, seed, name, way):
    paths = [(segments(path[:-1]), action) for path, action in config.get("paths", {}).items()
             if path.endswith("~")]
    here = [(rank(path), action) for path, action in paths if leads(path, way)]
    action = max(here, key=lambda pair: pair[0])[1] if here else "keep"
    spec = {"type": action} if isinstance(action, str) else action
    if action == "keep":
        return name
    return STRATEGIES[spec["type"]](spec.get("config", {}), key, spec.get("seed", seed), name)


def masked(config, key, seed, value, way=()):
    action, listed = decide(config, way)
    container = isinstance(value, list)
    if action == "drop" and (listed or not container):
        return OUT if way else None
    if action == "null" and (listed or not container):
        return None
    spec = {"type": action} if isinstance(action, str) else action
    whole = spec["type"] == "json" and listed
    if container and not whole:
        labels = [name for name, _ in value] if isinstance(value, Members) else range(len(value))
        parts = [member[1] for member in value] if isinstance(value, Members) else value
        made = [(label, masked(config, key, seed, part, (*way, label)))
                for label, part in zip(labels, parts)]
        made = [(label, part) for label, part in made if part is not OUT]
        if action == "drop" and not made and way:
            return OUT
        if isinstance(value, Members):
            return Members((renamed(config, key, seed, label, (*way, label)), part)
                           for label, part in made)
        return [part for _, part in made]
    if value is None or action == "keep":
        return value
    strategy = STRATEGIES[spec["type"]]
    return strategy(spec.get("config", {}), key, spec.get("seed", seed), value)


def written(value, comma, colon):
    if isinstance(value, Members):
        inside = comma.join(
            json.dumps(name, ensure_ascii=False) + colon + written(part, comma, colon)
            for name, part in value)
        return "{" + inside + "}"
    if isinstance(value, list):
        return "[" + comma.join(written(part, comma, colon) for part in value) + "]"
    return str(value) if isinstance(value, Number) else json.dumps(value, ensure_ascii=False)


def document(config, key, seed, text):
    read = json.loads(text, object_pairs_hook=Members, parse_int=Number, parse_float=Number)
    spaced = '": ' in text
    made = masked(config, key, seed, read)
    return written(made, ", " if spaced else ",", ": " if spaced else ":")


def hstore(config, key, seed, text):
    quoted = r'"((?:[^"\\]|\\.)*)"'
    out = []
    for name, value in re.findall(quoted + r"=>(NULL|" + quoted.replace("(", "(?:", 1) + ")", text):
        def plain(word):
            return re.sub(r"\\(.)", r"\1", word)
        inside = None if value == "NULL" else plain(value[1:-1])
        made = masked(config, key, seed, Members([(plain(name), inside)]))
        for label, part in made:
            word = "NULL" if part is None else '"' + re.sub(r'(["\\])', r"\\\1", part) + '"'
            out.append('"' + re.sub(r'(["\\])', r"\\\1", label) + '"=>' + word)
    return ", ".join(out)


USER = ('{"id":7,"user":{"email":"Ada@work.example","tel":"12025550123","tags":["x","y"]},'
        '"notes":[{"by":"ada@work.example","n":1.50},{"by":"bob@work.example","n":-2e3}],'
        '"ok":true,"none":null,"empty":{},"user":"again"}')
SPACED = '{"a": {"email": "ada@work.example", "n": 9007199254740993}, "b": [1, "x", false, null]}'
TEXT_IN_TEXT = '{"p":' + json.dumps('{"email":"ada@work.example","n":1}') + ',"q":[1,{"p":5}]}'
HSTORE = r'"email"=>"ada@work.example", "b c"=>"a \"b\" \\ c", "n"=>NULL, "é"=>"ü"'
INNER = {"type": "json", "config": {"paths": {"$.email": "email"}, "unlisted": "keep"}}
SHORT = {"type": "hash", "config": {"length": 8, "prefix": "#"}}
CASES = [
    ("json", {}, USER),
    ("jsonb", {}, SPACED),
    ("text", {"unlisted": "null"}, USER),
    ("json", {"unlisted": "keep"}, USER),
    ("json", {"unlisted": "drop"}, USER),
    ("json", {"unlisted": "keep", "paths": {"$.user.email": "email", "$.user.tel": "phone"}}, USER),
    ("json", {"paths": {"$.user.email": "email", "$.notes[*].by": "email"}}, USER),
    ("json", {"paths": {"$..by": "email", "$.notes[1]": "keep"}}, USER),
    ("json", {"paths": {"$.notes[0]": "drop", "$.user": "null", "$.id": "hash"}}, USER),
    ("json", {"unlisted": "drop", "paths": {"$..by": "email", "$.user.tags[1]": SHORT}}, USER),
    ("json", {"unlisted": "drop", "paths": {"$.*": "keep", "$.user": "drop"}}, USER),
    ("json", {"unlisted": "keep", "paths": {"$..*": "redact", "$.id": "keep", "$.user.*": SHORT}},
     USER),
    ("jsonb", {"paths": {"$['a']['email']": "email", "$.a.n": "hash", "$.b": "keep"}}, SPACED),
    ("jsonb", {"unlisted": "keep", "paths": {"$.a": {"type": "redact", "seed": 5}}}, SPACED),
    ("jsonb", {"paths": {"$.a.email": {"type": "email", "seed": -3}}}, SPACED),
    ("text", {"unlisted": "keep", "paths": {"$.p": INNER, "$.q[*]": INNER}}, TEXT_IN_TEXT),
    ("json", {}, '"Zoë"'),
    ("json", {"paths": {"$": "hash"}}, "[41,[42],\"é\"]"),
    ("json", {"paths": {"$": "hash"}}, "[41,41.0,41.00,410e-1,-2e3]"),
    ("json", {"unlisted": "drop"}, "4"),
    ("json", {"paths": {"$['a b'].*": "keep", "$..['it\\'s']": "email"}},
     '{"a b":{"c":1,"d":[2]},"x":[{"it\'s":"ada@work.example"}]}'),
    ("json", {"paths": {"$.user~": "hash", "$.user.*~": SHORT, "$..n~": "redact"}}, USER),
    ("jsonb", {"unlisted": "keep", "paths": {"$..*~": "hash", "$.a~": "keep", "$.b": "null"}},
     SPACED),
    ("hstore", {}, HSTORE),
    ("hstore", {"paths": {"$.*~": "hash", "email": "email"}}, HSTORE),
    ("hstore", {"paths": {"email": "email", "$['b c']": "keep"}}, HSTORE),
    ("hstore", {"unlisted": "keep", "paths": {"email": "drop", "b c": SHORT}}, HSTORE),
    ("hstore", {"unlisted": "drop", "paths": {"é": "null", "$.n": "keep"}}, HSTORE),
    ("hstore", {"unlisted": "hash"}, ""),
]

vectors = []
for key, seed in ((KEY, 12345), (OTHER_KEY, -1), (KEY, 0)):
    for type_, params, value in CASES:
        make = hstore if type_ == "hstore" else document
        vectors.append({
            "strategy": "json", "params": params, "key": key.hex(), "seed": seed, "type": type_,
            "input": value, "output": make(params, key, seed, value),
        })
print("[\n" + ",\n".join(json.dumps(v, ensure_ascii=False) for v in vectors) + "\n]")
