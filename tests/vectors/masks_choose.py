"""Writes masks_choose.json: choices, dictionaries and constants, redone independently.

Standard library only.
Run: python3 tests/vectors/masks_choose.py > tests/vectors/masks_choose.json
"""

import datetime
import json
import math
from fractions import Fraction

from keyed import KEY, OTHER_KEY, below_u64, block, canonical_text, stream_words

EPOCH = datetime.datetime(2000, 1, 1)


def read(type_, text):
    """The value that a text stands for, as the vectors write it."""
    if type_ in ("smallint", "integer", "bigint"):
        return int(text)
    if type_ == "boolean":
        return text.strip().lower() in ("t", "true", "y", "yes", "on", "1")
    if type_ == "date":
        return (datetime.date.fromisoformat(text) - EPOCH.date()).days
    if type_ == "timestamp without time zone":
        return (datetime.datetime.fromisoformat(text) - EPOCH) // datetime.timedelta(microseconds=1)
    if type_ == "double precision":
        return float(text)
    if type_ == "uuid":
        return text.replace("-", "")
    if type_ == "bytea":
        return text[2:]
    return text


def value_bytes(type_, value):
    widths = {"smallint": 8, "integer": 8, "bigint": 8, "date": 4, "timestamp without time zone": 8}
    if type_ in widths:
        return value.to_bytes(widths[type_], "big", signed=True)
    if type_ == "boolean":
        return bytes([value])
    if type_ in ("uuid", "bytea"):
        return bytes.fromhex(value)
    if type_ == "numeric":
        return trimmed(value).encode()
    return value.encode()


def trimmed(numeric):
    return numeric.rstrip("0").rstrip(".") if "." in numeric else numeric


def text_of(parameter):
    if isinstance(parameter, bool):
        return "true" if parameter else "false"
    return str(parameter)


def choice(params, key, seed, type_, value, inputs):
    origin = inputs["entity"].encode() if "entity" in inputs else value_bytes(type_, value)
    values = [text_of(v) for v in params["choices"]]
    source = stream_words("choice", key, seed, origin)
    if "weights" not in params:
        return read(type_, values[below_u64(source, len(values))])
    weights = [Fraction(text_of(w)) for w in params["weights"]]
    # Decimal places: a common power of ten, not the least common denominator.
    unit = 1
    while any((w * unit).denominator != 1 for w in weights):
        unit *= 10
    drawn = below_u64(source, int(sum(weights) * unit))
    for text, weight in zip(values, weights):
        drawn -= weight * unit
        if drawn < 0:
            return read(type_, text)


def map_(params, key, seed, type_, value, inputs):
    folds = params.get("canonical") == "text"

    def form(v):
        return canonical_text(v) if folds else trimmed(v) if type_ == "numeric" else v

    table = {form(read(type_, k)): text_of(v) for k, v in params["pairs"].items()}
    if form(value) in table:
        return read(type_, table[form(value)])
    miss = params["on_miss"]
    if miss == "keep":
        return value
    if miss == "fallback":
        return read(type_, params["fallback"])
    if miss == "null":
        return None
    data = value_bytes(type_, value)
    digest = block("hash", key, seed, data, algorithm="sha256")
    if type_ == "text":
        return digest.hex()[:20]
    if type_ == "uuid":
        uuid = bytearray(digest[:16])
        uuid[6], uuid[8] = uuid[6] % 16 + 0x80, uuid[8] % 64 + 0x80
        return uuid.hex()
    bits = {"smallint": 15, "integer": 31, "bigint": 63}[type_]
    return int.from_bytes(digest[:8], "big") % 2**bits


def constant(params, key, seed, type_, value, inputs):
    return read(type_, params["replacement"])


def null(params, key, seed, type_, value, inputs):
    return None


TS = "timestamp without time zone"
UUID = "0190f5e87c3b7a5c9d2e1f3a4b5c6d7e"
MANY = [f"v{n}" for n in range(300)]
ABC = {"choices": ["a", "b", "c", "d", "e", "f", "g"]}
WEIGHTED = {"choices": ["a", "b", "c"], "weights": [0.5, 1, "2.25"]}
MEDALS = {"gold": "A", "silver": "B"}
CASES = [
    (choice, ABC, 0, "text", "x", {}),
    (choice, ABC, 12345, "text", "x", {}),
    (choice, ABC, 12345, "text", "", {}),
    (choice, ABC, 12345, "text", "Zoë 😀", {}),
    (choice, ABC, 12345, "text", "x", {"entity": "17"}),
    (choice, ABC, 12345, "anyenum", "a", {"entity": ""}),
    (choice, {"choices": MANY}, -1, "text", "x", {}),
    (choice, WEIGHTED, 12345, "text", "1", {}),
    (choice, WEIGHTED, 12345, "text", "2", {}),
    (choice, WEIGHTED, 12345, "text", "3", {}),
    (choice, WEIGHTED, 12345, "text", "4", {}),
    (choice, {"choices": ["1", "2"], "weights": ["499999999999999999", "3"]}, 1, "text", "x", {}),
    (choice, {"choices": [10, 20, 30]}, 12345, "integer", 7, {}),
    (choice, {"choices": [-1, "32767"]}, 12345, "smallint", -7, {}),
    (choice, {"choices": ["0.5", "1.25", "-3"]}, 12345, "numeric", "12.50", {}),
    (choice, {"choices": ["0.5", "1.25", "-3"]}, 12345, "numeric", "12.5", {}),
    (choice, {"choices": [True, False]}, 12345, "boolean", True, {}),
    (choice, {"choices": ["yes", "off"], "weights": [3, 7]}, 12345, "boolean", False, {}),
    (choice, {"choices": ["2024-02-29", "1970-01-01"]}, 12345, "date", 1, {}),
    (choice, {"choices": ["2024-02-29 12:00:00", "1970-01-01"]}, 12345, TS, 1, {}),
    (choice, {"choices": ["00000000-0000-0000-0000-000000000001", UUID]}, 1, "uuid", UUID, {}),
    (choice, {"choices": ["\\x00ff", "\\x"]}, 1, "bytea", "0102", {}),
    (choice, {"choices": ["only"]}, 1, "text", "x", {}),
    (map_, {"pairs": MEDALS}, 0, "text", "gold", {}),
    (map_, {"pairs": MEDALS}, 0, "anyenum", "silver", {}),
    (map_, {"pairs": MEDALS, "on_miss": "keep"}, 0, "text", "bronze", {}),
    (map_, {"pairs": MEDALS, "on_miss": "fallback", "fallback": ""}, 0, "text", "bronze", {}),
    (map_, {"pairs": MEDALS, "on_miss": "null"}, 0, "text", "Gold", {}),
    (map_, {"pairs": MEDALS, "on_miss": "hash"}, 0, "text", "bronze", {}),
    (map_, {"pairs": MEDALS, "on_miss": "hash"}, 12345, "text", "bronze", {}),
    (map_, {"pairs": MEDALS, "canonical": "text"}, 0, "text", " GOLD\u3000", {}),
    (map_, {"pairs": {"ZOË": "x"}, "canonical": "text"}, 0, "text", "Zoe\u0308", {}),
    (map_, {"pairs": {"1": 10, "02": 20}}, 0, "integer", 2, {}),
    (map_, {"pairs": {"1": 10}, "on_miss": "hash"}, 12345, "integer", 3, {}),
    (map_, {"pairs": {"1": 10}, "on_miss": "hash"}, 12345, "smallint", -3, {}),
    (map_, {"pairs": {"1": 10}, "on_miss": "hash"}, 12345, "bigint", -(2**63), {}),
    (map_, {"pairs": {"1.50": "0.00"}}, 0, "numeric", "1.5", {}),
    (map_, {"pairs": {"2024-02-29": "2024-01-01"}}, 0, "date", 8825, {}),
    (map_, {"pairs": {"true": False, "f": True}}, 0, "boolean", True, {}),
    (map_, {"pairs": {UUID: "0" * 32}, "on_miss": "hash"}, 12345, "uuid", "1" * 32, {}),
    (constant, {"replacement": "x"}, 0, "text", "secret", {}),
    (constant, {"replacement": ""}, 0, "text", "secret", {}),
    (constant, {"replacement": "0"}, 0, "integer", 42, {}),
    (constant, {"replacement": "-12.50"}, 0, "numeric", "1", {}),
    (constant, {"replacement": "on"}, 0, "boolean", False, {}),
    (constant, {"replacement": "1970-01-01"}, 0, "date", 1, {}),
    (constant, {"replacement": "1969-12-31 23:59:59.500000"}, 0, TS, 1, {}),
    (constant, {"replacement": "0.1"}, 0, "double precision", math.pi, {}),
    (constant, {"replacement": UUID}, 0, "uuid", "0" * 32, {}),
    (constant, {"replacement": "\\x00ff"}, 0, "bytea", "", {}),
    (constant, {"replacement": "{}"}, 0, "jsonb", '{"a": 1}', {}),
    (constant, {"replacement": "10.0.0.0/8"}, 0, "cidr", "192.168.0.0/16", {}),
    (constant, {"replacement": "10.0.0.1"}, 0, "inet", "192.168.0.1", {}),
    (constant, {"replacement": "00:00:5e:00:53:01"}, 0, "macaddr", "08:00:2b:01:02:03", {}),
    (null, {}, 0, "text", "secret", {}),
    (null, {}, 0, "integer", 42, {}),
    (null, {}, 0, "date", 1, {}),
    (null, {}, 0, "uuid", UUID, {}),
    (null, {}, 0, "jsonb", "{}", {}),
    (null, {}, 0, "boolean", True, {}),
    (null, {}, 0, "anyenum", "a", {}),
    (null, {}, 0, "hstore", "a=>1", {}),
    (null, {}, 0, "numeric", "NaN", {}),
    (null, {}, 0, "bytea", "", {}),
    (null, {}, 0, TS, 0, {}),
    (null, {}, 0, "real", 0.5, {}),
]

vectors = []
for key in (KEY, OTHER_KEY):
    for strategy, params, seed, type_, value, inputs in CASES:
        vectors.append({
            "strategy": strategy.__name__.strip("_"), "params": params, "key": key.hex(),
            "seed": seed, "type": type_, "input": value, "inputs": inputs,
            "output": strategy(params, key, seed, type_, value, inputs),
        })
print("[\n" + ",\n".join(json.dumps(v, ensure_ascii=False) for v in vectors) + "\n]")
