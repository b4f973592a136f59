"""The memory of a backend, searched for keys: one place while they are in use, none afterwards."""

import re
import struct
import subprocess
from pathlib import Path

import pytest

from azure_setup import PYTHON

# Another implementation of what opens a stored key (RFC 8452), in the environment that has one.
UNWRAP = """
import sys
from cryptography.hazmat.primitives.ciphers.aead import AESGCMSIV
kek, nonce, sealed, bound = map(bytes.fromhex, sys.argv[1:])
print(AESGCMSIV(kek).decrypt(nonce, sealed, bound).hex())
"""


@pytest.fixture
def keys(db):
    """The key-encryption key and the masking key of a database, as bytes."""
    if not PYTHON.exists():
        pytest.skip("there is no .venv-key-servers (tools/key-servers-env makes it)")
    digits = db.value("SELECT trim(pg_read_file(%s), E'\\n')", [str(db.server.key_file)])
    installation, wrapped = db.rows(
        "SELECT i.id, v.wrapped FROM confiture.installation i, confiture.key_version v"
    )[0]
    fields = [b"confiture/key/v1", installation.bytes, b"masking", struct.pack(">i", 1), b"masking"]
    bound = b"".join(struct.pack(">I", len(field)) + field for field in fields)
    arguments = [bytes.fromhex(digits), wrapped[1:13], wrapped[13:], bound]
    done = subprocess.run(
        [str(PYTHON), "-c", UNWRAP, *(argument.hex() for argument in arguments)],
        capture_output=True,
        text=True,
        check=True,
    )
    return {
        "key-encryption key": bytes.fromhex(digits),
        "its digits": digits.encode(),
        "masking key": bytes.fromhex(done.stdout),
    }


def found(session, keys):
    """How often each key lies in the memory of a session's backend; absent where nowhere."""
    process = Path(f"/proc/{session.pid()}")
    counts = {}
    for line in (process / "maps").read_text().splitlines():
        start, end, rights, name = re.match(
            r"(\w+)-(\w+) (\S+) \S+ \S+ \d+\s*(.*)", line
        ).groups()
        if "r" not in rights or name in ("[vvar]", "[vvar_vclock]", "[vsyscall]"):
            continue
        try:
            with (process / "mem").open("rb") as memory:
                memory.seek(int(start, 16))
                content = memory.read(int(end, 16) - int(start, 16))
        except PermissionError:
            pytest.skip("this user may not read the memory of the server's processes")
        for name, key in keys.items():
            if count := content.count(key):
                counts[name] = counts.get(name, 0) + count
    return counts


@pytest.mark.parametrize(
    "use",
    [
        "SELECT anon_hash('v')",
        "SELECT confiture.load_keys()",
        "SELECT * FROM confiture.verify_ledger()",
        "SELECT confiture.rotate_key('masking'), anon_hash('v', key_version => 1)",
    ],
)
def test_a_key_lies_in_one_place_while_open_and_in_none_when_forgotten(db, keys, use):
    session = db.session()
    session.execute(use)
    counts = found(session, keys)
    assert counts.keys() <= {"masking key"} and counts.get("masking key", 0) <= 1
    session.execute("SELECT confiture.forget_keys()")
    assert found(session, keys) == {}


def test_the_search_finds_what_is_there(db, keys):
    session = db.session()
    session.execute("SELECT anon_hash('v')")
    assert found(session, keys) == {"masking key": 1}
