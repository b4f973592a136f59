"""A copy of the server's installation whose files of the extension may be others: servers that are
started from it know what lies there, and nothing else on the machine changes."""

import os
import re
import shutil
import subprocess
import tempfile
from pathlib import Path

from server import ROOT

# Where every program finds libraries, wherever it lies itself.
SYSTEM = ("/lib", "/usr/lib")


def asked(pg_config, what):
    """What pg_config says."""
    done = subprocess.run([str(pg_config), what], capture_output=True, text=True, check=True)
    return Path(done.stdout.strip())


def libraries(bindir):
    """Folders of libraries that the server brings along, and finds by where its program lies."""
    programs = [str(bindir / name) for name in ("postgres", "initdb", "psql")]
    done = subprocess.run(["ldd", *programs], capture_output=True, text=True, check=True)
    found = {Path(os.path.realpath(file)).parent for file in re.findall(r"=> (/\S+)", done.stdout)}
    return sorted(folder for folder in found if not str(folder).startswith(SYSTEM))


class ServerCopy:
    """Programs are copied, everything else is linked to; the library and scripts are files of its
    own."""

    def __init__(self):
        found = subprocess.run(
            [str(ROOT / "tools/server"), "pg_config"], capture_output=True, text=True, check=True
        )
        self.original = found.stdout.strip()
        places = {
            what: asked(self.original, what)
            for what in ("--bindir", "--sharedir", "--pkglibdir", "--includedir-server")
        }
        linked = ["--includedir-server"]
        for folder in libraries(places["--bindir"]):
            if folder != places["--pkglibdir"]:
                places[folder] = folder
                linked.append(folder)
        self.root = Path(tempfile.mkdtemp(prefix="confiture-copy-"))
        self.root.chmod(0o755)
        common = Path(os.path.commonpath(places.values()))

        def moved(what):
            place = self.root / places[what].relative_to(common)
            place.parent.mkdir(parents=True, exist_ok=True)
            return place

        # A link would lead the server back to the original.
        shutil.copytree(places["--bindir"], moved("--bindir"), symlinks=False)
        for what in linked:
            moved(what).symlink_to(places[what])
        linked_folder(places["--sharedir"], moved("--sharedir"), but="extension")
        self.extensions = moved("--sharedir") / "extension"
        linked_folder(places["--sharedir"] / "extension", self.extensions, but="confiture")
        linked_folder(places["--pkglibdir"], moved("--pkglibdir"), but="confiture")
        self.library = moved("--pkglibdir") / "confiture.so"
        self.pg_config = moved("--bindir") / "pg_config"
        self._from = places["--sharedir"] / "extension"
        self._library = places["--pkglibdir"] / "confiture.so"
        self.install_original()

    def install_original(self):
        """The files of the extension as they are installed, and no others."""
        for file in self.extensions.glob("confiture*"):
            file.unlink()
        for file in self._from.glob("confiture*"):
            self.write(file.name, file.read_text(encoding="utf-8"))
        self.write_library(self._library.read_bytes())

    def write(self, name, text):
        """A control file or a script."""
        (self.extensions / name).write_text(text, encoding="utf-8")

    def read(self, name):
        """The same, read."""
        return (self.extensions / name).read_text(encoding="utf-8")

    def write_library(self, content):
        """Another library, for sessions that begin from now on."""
        file = self.library.with_suffix(".new")
        file.write_bytes(content)
        file.chmod(0o755)
        file.rename(self.library)

    def remove(self):
        """When its servers have stopped."""
        shutil.rmtree(self.root)


def linked_folder(original, copy, but):
    """A folder of links to what is in another, but for names that begin so."""
    copy.mkdir(parents=True)
    for entry in original.iterdir():
        if not entry.name.startswith(but):
            (copy / entry.name).symlink_to(entry)
