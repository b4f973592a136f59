"""Anchors checked outside the database, with nothing but Python: what an auditor can do.

Ed25519 by RFC 8032 §5.1 and §6, notes by C2SP signed-note and tlog-checkpoint, trees by RFC 6962
§2.1 and RFC 9162 §2.1.
"""

import base64
import hashlib

# The field, the curve and its base point.
P = 2**255 - 19
L = 2**252 + 27742317777372353535851937790883648493
D = -121665 * pow(121666, P - 2, P) % P


def _recover(y, sign):
    """x of a point, from y and the sign; None where there is none."""
    if y >= P:
        return None
    square = (y * y - 1) * pow(D * y * y + 1, P - 2, P) % P
    x = pow(square, (P + 3) // 8, P)
    if x * x % P != square:
        x = x * pow(2, (P - 1) // 4, P) % P
    if x * x % P != square or (x == 0 and sign):
        return None
    return P - x if x % 2 != sign else x


def _add(a, b):
    """The sum of two points in extended coordinates."""
    e = (a[1] - a[0]) * (b[1] - b[0]) % P
    f = (a[1] + a[0]) * (b[1] + b[0]) % P
    g = 2 * a[3] * b[3] * D % P
    h = 2 * a[2] * b[2] % P
    i, j, k, m = f - e, h - g, h + g, f + e
    return (i * j % P, k * m % P, j * k % P, i * m % P)


def _times(number, point):
    result = (0, 1, 1, 0)
    while number:
        if number & 1:
            result = _add(result, point)
        point = _add(point, point)
        number >>= 1
    return result


def _point(octets):
    number = int.from_bytes(octets, "little")
    y = number & (2**255 - 1)
    x = _recover(y, number >> 255)
    return None if x is None else (x, y, 1, x * y % P)


_BASE_Y = 4 * pow(5, P - 2, P) % P
_BASE_X = _recover(_BASE_Y, 0)
BASE = (_BASE_X, _BASE_Y, 1, _BASE_X * _BASE_Y % P)


def verify(public, text, signature):
    """Whether 64 bytes are the signature of a text under a public key."""
    a, r = _point(public), _point(signature[:32])
    s = int.from_bytes(signature[32:], "little")
    if len(public) != 32 or len(signature) != 64 or a is None or r is None or s >= L:
        return False
    hashed = hashlib.sha512(signature[:32] + public + text).digest()
    left = _times(s, BASE)
    right = _add(r, _times(int.from_bytes(hashed, "little") % L, a))
    return (
        left[0] * right[2] % P == right[0] * left[2] % P
        and left[1] * right[2] % P == right[1] * left[2] % P
    )


def read_key(vkey):
    """Name, id and public key of a verifier key."""
    name, key_id, key = vkey.split("+", 2)
    key = base64.b64decode(key, validate=True)
    expected = hashlib.sha256(name.encode() + b"\n" + key).digest()[:4]
    assert key[0] == 1 and len(key) == 33 and bytes.fromhex(key_id) == expected
    return name, expected, key[1:]


def open_anchor(note, vkey):
    """Origin, size and root of an anchor that this key signed."""
    name, key_id, public = read_key(vkey)
    text, lines = note.rsplit("\n\n", 1)
    text += "\n"
    assert lines.endswith("\n")
    found = []
    for line in lines.removesuffix("\n").split("\n"):
        dash, signer, signature = line.split(" ")
        signature = base64.b64decode(signature, validate=True)
        assert dash == "\u2014"
        if (signer, signature[:4]) == (name, key_id):
            found.append(verify(public, text.encode(), signature[4:]))
    assert found and all(found), "no signature of this key"
    origin, size, root = text.removesuffix("\n").split("\n")
    assert str(int(size)) == size
    root = base64.b64decode(root, validate=True)
    assert len(root) == 32
    return origin, int(size), root


def leaf(data):
    """The hash of a leaf."""
    return hashlib.sha256(b"\0" + data).digest()


def node(left, right):
    """The hash of a node."""
    return hashlib.sha256(b"\1" + left + right).digest()


def root_of(leaves):
    """The root over leaves, by its definition."""
    if not leaves:
        return hashlib.sha256().digest()
    if len(leaves) == 1:
        return leaf(leaves[0])
    k = 1 << (len(leaves) - 1).bit_length() - 1
    return node(root_of(leaves[:k]), root_of(leaves[k:]))


def includes(index, size, leaf_hash, proof, root):
    """Whether a proof shows that a leaf (from 0) is in a tree."""
    at, last, found = index, size - 1, leaf_hash
    for other in proof:
        if last == 0:
            return False
        if at & 1 or at == last:
            found = node(other, found)
            while not at & 1 and at:
                at, last = at >> 1, last >> 1
        else:
            found = node(found, other)
        at, last = at >> 1, last >> 1
    return index < size and last == 0 and found == root


def is_consistent(before, before_root, size, root, proof):
    """Whether a proof shows that a tree begins with a smaller one."""
    if before == size:
        return not proof and before_root == root
    if before & (before - 1) == 0:
        proof = [before_root, *proof]
    if not proof:
        return False
    at, last = before - 1, size - 1
    while at & 1:
        at, last = at >> 1, last >> 1
    old = new = proof[0]
    for other in proof[1:]:
        if last == 0:
            return False
        if at & 1 or at == last:
            old, new = node(other, old), node(other, new)
            while not at & 1 and at:
                at, last = at >> 1, last >> 1
        else:
            new = node(new, other)
        at, last = at >> 1, last >> 1
    return last == 0 and old == before_root and new == root
