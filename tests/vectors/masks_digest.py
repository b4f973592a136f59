"""Writes masks_digest.json: the definition of strategy salted_hash, redone independently of the Rust code.

Standard library only; BLAKE3 is in blake3.py, Argon2id in argon2id.py (checked against RFC 9106).
Run: python3 tests/vectors/masks_digest.py > tests/vectors/masks_digest.json
"""

import hashlib
import hmac
import json

from argon2id import argon2id
from blake3 import blake3_keyed
from keyed import block, field

KEYS = (bytes(range(32)), bytes([0xC0]) * 32)
SALTS = (bytes([0x5A]) * 32, bytes(range(100, 132)))
HASHES = {"sha256": "sha256", "sha384": "sha384", "sha512": "sha512", "sha3-256": "sha3_256"}


def key_of(masking, seed, salt, algorithm):
    return block("salted_hash", masking, seed, field(salt) + field(algorithm.encode()))


def digest(params, masking, seed, salt, value):
    algorithm = params.get("algorithm", "sha256")
    key = key_of(masking, seed, salt, algorithm)
    if algorithm == "blake3":
        return blake3_keyed(key, value)
    if algorithm == "argon2id":
        cost = params.get("memory_kib", 19456), params.get("passes", 2), params.get("lanes", 1)
        return argon2id(hmac.new(key, value, "sha256").digest(), salt, *cost)
    return hmac.new(key, value, HASHES[algorithm]).digest()


def greenmask(params, value):
    function = params.get("compatible_function", "sha3-256").replace("254", "256")
    salted = params.get("compatible_salt", "").encode() + value.encode()
    digits = hashlib.new(function.replace("-", "_"), salted).hexdigest()
    return digits[: params.get("length", len(digits))]


def salted_hash(params, masking, seed, salt, type_, value):
    if params.get("compatible") == "greenmask":
        return greenmask(params, value)
    length = params.get("length", 20)
    if type_ == "bytea":
        made = digest(params, masking, seed, salt, bytes.fromhex(value))
        return made[: (length + 1) // 2].hex()
    made = digest(params, masking, seed, salt, value.encode())
    return params.get("prefix", "") + made.hex()[:length]


def compatible(function=None, salt=None, length=None):
    params = {"compatible": "greenmask"}
    if function:
        params["compatible_function"] = function
    if salt is not None:
        params["compatible_salt"] = salt
    if length:
        params["length"] = length
    return params


QUICK = {"algorithm": "argon2id", "memory_kib": 7168, "passes": 1}
CASES = [
    ({}, 0, "text", "john@example.com"),
    ({}, 12345, "text", "john@example.com"),
    ({}, -1, "text", ""),
    ({"length": 64, "prefix": "usr_"}, 12345, "text", "Zo\xeb \U0001f600"),
    ({"salt": "people", "salt_version": 3, "length": 8}, 12345, "text", "john@example.com"),
    ({"algorithm": "sha384"}, 12345, "text", "john@example.com"),
    ({"algorithm": "sha384", "length": 96}, -(2**63), "text", "x" * 300),
    ({"algorithm": "sha512", "length": 128}, 12345, "text", "john@example.com"),
    ({"algorithm": "sha512"}, 2**63 - 1, "text", ""),
    ({"algorithm": "sha3-256"}, 12345, "text", "john@example.com"),
    ({"algorithm": "sha3-256", "length": 64}, 1, "text", "y" * 136),
    ({"algorithm": "sha3-256", "length": 64}, 1, "text", "y" * 135),
    ({"algorithm": "blake3"}, 12345, "text", "john@example.com"),
    ({"algorithm": "blake3", "length": 64}, 0, "text", "z" * 1000),
    ({}, 12345, "bytea", "00ff"),
    ({"length": 63}, 12345, "bytea", ""),
    ({"algorithm": "sha3-256", "length": 9}, 7, "bytea", "6a6f686e"),
    (QUICK, 12345, "text", "john@example.com"),
    (QUICK | {"lanes": 3, "length": 64}, 0, "text", ""),
    (QUICK | {"passes": 2}, 12345, "bytea", "00ff"),
    (compatible(), 0, "text", "123"),
    (compatible("sha3-254", "12343567baaa"), 1, "text", "Zo\xeb"),
    (compatible("sha1", "12343567baaa", 10), 0, "text", "Research and Development Manager"),
    (compatible("md5", "", 1), 0, "text", ""),
    (compatible("sha256", "s\xe4lt"), 0, "text", "john@example.com"),
    (compatible("sha512", "salt"), 0, "text", "john@example.com"),
    (compatible("sha3-224", "salt"), 0, "text", "john@example.com"),
    (compatible("sha3-384", "salt"), 0, "text", "john@example.com"),
    (compatible("sha3-512", "salt"), 0, "text", "john@example.com"),
]

vectors = []
for key, salt in ((KEYS[0], SALTS[0]), (KEYS[1], SALTS[0]), (KEYS[0], SALTS[1])):
    for params, seed, type_, value in CASES:
        vectors.append({
            "strategy": "salted_hash", "params": params, "key": key.hex(), "salt": salt.hex(),
            "seed": seed, "type": type_, "input": value,
            "output": salted_hash(params, key, seed, salt, type_, value),
        })
print("[\n" + ",\n".join(json.dumps(v, ensure_ascii=False) for v in vectors) + "\n]")
