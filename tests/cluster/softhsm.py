"""A token of SoftHSM that the server's user owns, with all that a test wants to happen to it.

From the packages softhsm2 and opensc. Configuration, token and PIN lie in a folder of their own;
nothing of the system's own tokens is read or changed.
"""

import os
import re
import shutil
import subprocess
import tempfile
from pathlib import Path

MODULES = [
    Path("/usr/lib/softhsm/libsofthsm2.so"),
    Path("/usr/lib64/softhsm/libsofthsm2.so"),
    Path("/usr/lib64/pkcs11/libsofthsm2.so"),
    Path("/usr/local/lib/softhsm/libsofthsm2.so"),
]
PROGRAMS = ["softhsm2-util", "pkcs11-tool"]

LABEL = "confiture"
PIN = "s3cret-87654321"
OFFICER = "12345678"


def missing():
    """Why there is no SoftHSM to test with; None when there is one."""
    absent = [name for name in PROGRAMS if shutil.which(name) is None]
    if not any(module.exists() for module in MODULES):
        absent.insert(0, "libsofthsm2.so")
    if absent:
        return f"there is no SoftHSM: {', '.join(absent)} not found (softhsm2, opensc)"
    return None


class Softhsm:
    """A folder with one token; the calls are those of its owner."""

    def __init__(self):
        self.module = next(module for module in MODULES if module.exists())
        self.folder = Path(tempfile.mkdtemp(prefix="confiture-softhsm-"))
        # As root, the server runs as another user (tools/cluster).
        self._as_server = ["runuser", "-u", "postgres", "--"] if os.geteuid() == 0 else []
        if self._as_server:
            shutil.chown(self.folder, "postgres")
        self._run("mkdir", "-m", "0700", self.folder / "tokens")
        conf = f"directories.tokendir = {self.folder}/tokens\nlog.level = ERROR\n"
        self.write("softhsm2.conf", conf)
        self.environment = {"SOFTHSM2_CONF": str(self.folder / "softhsm2.conf")}
        self.make_token(LABEL)

    def remove(self):
        """Removes everything."""
        shutil.rmtree(self.folder)

    def write(self, name, text):
        """Writes a file as the server's user, readable by nobody else."""
        path = self.folder / name
        self._run("sh", "-c", 'umask 077; cat > "$0"', path, stdin=text)
        return path

    def setting(self, pin=PIN, **options):
        """A value for confiture.key_pkcs11."""
        options = {
            "module": self.module,
            "token": LABEL,
            "key": "kek",
            "pin_file": self.write("pin", f"{pin}\n"),
            **options,
        }
        return " ".join(f"{name}={value}" for name, value in options.items() if value)

    def make_token(self, label):
        """Initializes a token."""
        self._run(
            *("softhsm2-util", "--init-token", "--free", "--label", label),
            *("--so-pin", OFFICER, "--pin", PIN),
        )

    def keys(self, label="kek"):
        """The secret keys of a label: {CKA_ID: what pkcs11-tool says about it}."""
        listed = self._tool("--list-objects", "--type", "secrkey")
        found = {}
        for text in listed.split("Secret Key Object;")[1:]:
            facts = dict(re.findall(r"^\s+(\w+):\s+(.*)$", text, re.MULTILINE))
            if facts.get("label") == label:
                found[facts.get("ID")] = text
        return found

    def plant(self, label, number, *more):
        """Makes a key as somebody else would, with options of pkcs11-tool."""
        wanted = ("--keygen", "--key-type", "AES:32", "--label", label, "--id", number, *more)
        self._tool(*wanted)

    def destroy(self, number, label="kek"):
        """Destroys a key."""
        wanted = ("--delete-object", "--type", "secrkey", "--label", label, "--id", number)
        self._tool(*wanted)

    def change_pin(self, old, new):
        """Gives the token another PIN."""
        # Not --change-pin of pkcs11-tool, which wants to be asked by a person.
        self._tool("--change-pin", "--new-pin", new, pin=old)

    def hide(self):
        """Takes the token away; it comes back with show()."""
        self._run("mv", self.folder / "tokens", self.folder / "elsewhere")
        self._run("mkdir", "-m", "0700", self.folder / "tokens")

    def show(self):
        """Brings the token back."""
        self._run("rm", "-rf", self.folder / "tokens")
        self._run("mv", self.folder / "elsewhere", self.folder / "tokens")

    def _tool(self, *arguments, pin=PIN):
        return self._run(
            *("pkcs11-tool", "--module", self.module, "--token-label", LABEL),
            *("--login", "--pin", pin, *arguments),
        )

    def _run(self, program, *arguments, stdin=None):
        done = subprocess.run(
            [*self._as_server, program, *map(str, arguments)],
            env={**os.environ, **getattr(self, "environment", {})},
            cwd="/",
            input=stdin,
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, f"{program} {arguments}:\n{done.stdout}\n{done.stderr}"
        return done.stdout
