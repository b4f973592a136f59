"""A root of its own, with PostgreSQL as Debian has installed it, and nothing else that it can do without.

What the server and its tools need is copied, with the database of `dpkg`, so that a package is
installed there by `dpkg` itself and its dependencies are held against what is installed. The server
runs by `chroot`, as its own user. No network, no mounts; root is needed.
"""

import os
import pwd
import shutil
import signal
import stat
import subprocess
import tempfile
import time
from pathlib import Path

import psycopg

LONGEST = 60
# Just-in-time compilation would bring a compiler along.
LEFT_OUT = shutil.ignore_patterns("confiture*", "llvmjit*", "bitcode", "pgxs", "man")


def missing():
    """Why there can be none; None when there can."""
    if os.geteuid() != 0:
        return "a root of its own takes root"
    for program in ("dpkg", "dpkg-deb", "chroot", "ldd"):
        if shutil.which(program) is None:
            return f"there is no {program}"
    if subprocess.run(["chroot", "/", "true"], capture_output=True, check=False).returncode != 0:
        return "chroot is not allowed here"
    return None


class FreshRoot:
    """A folder that is a root, with a server in it."""

    def __init__(self, major, server=True):
        self.folder = Path(tempfile.mkdtemp(prefix="confiture-root.", dir="/tmp"))
        self.folder.chmod(0o755)
        self.bindir = Path(f"/usr/lib/postgresql/{major}/bin")
        self._user = pwd.getpwnam("postgres")
        self._server = None
        try:
            self._fill_packages()
            if server:
                self._fill_server(major)
        except BaseException:
            self.remove()
            raise

    def _fill_server(self, major):
        for tree in (f"/usr/lib/postgresql/{major}", f"/usr/share/postgresql/{major}",
                     "/usr/share/zoneinfo/Etc", "/usr/lib/locale/C.utf8"):
            if Path(tree).exists():
                shutil.copytree(tree, self.at(tree), symlinks=True, ignore=LEFT_OUT)
        programs = [str(path) for path in Path(self.at(self.bindir)).parent.rglob("*")
                    if path.is_file() and path.parent.name in ("bin", "lib")]
        # initdb calls the server by way of a shell.
        for path in {"/bin/sh", *needed([*programs, "/bin/sh"])}:
            self._copy(path)
        for path in ("/etc/passwd", "/etc/group", "/usr/share/zoneinfo/UTC", "/usr/share/zoneinfo/GMT"):
            self._copy(path)
        for path, mode in (("/tmp", 0o1777), ("/dev/shm", 0o1777), ("/data", 0o700), ("/keys", 0o700)):
            self.at(path).mkdir(parents=True)
            self.at(path).chmod(mode)
            if mode == 0o700:
                os.chown(self.at(path), self._user.pw_uid, self._user.pw_gid)
        try:
            os.mknod(self.at("/dev/null"), stat.S_IFCHR | 0o666, os.makedev(1, 3))
        except PermissionError:
            self.at("/dev/null").touch()
        self.at("/dev/null").chmod(0o666)

    def _fill_packages(self):
        """What is installed, as dpkg knows it."""
        self._links()
        known = Path("/var/lib/dpkg")
        for name in ("status", "info/format", "triggers", "arch"):
            if (known / name).is_dir():
                shutil.copytree(known / name, self.at(known / name))
            elif (known / name).exists():
                self._copy(known / name)
        for name in ("info", "updates", "parts"):
            self.at(known / name).mkdir(exist_ok=True)
        for listed in (known / "info").glob("*.list"):
            shutil.copy(listed, self.at(listed))
        self.at("/var/log").mkdir(parents=True, exist_ok=True)

    def at(self, path):
        """Where a path of this root is."""
        return self.folder / str(path).lstrip("/")

    def _links(self):
        """Folders at the top are links into /usr where the system has it so."""
        for name in ("bin", "sbin", "lib", "lib64"):
            top = Path("/") / name
            if top.is_symlink():
                (self.folder / "usr" / name).mkdir(parents=True, exist_ok=True)
                (self.folder / name).symlink_to(os.readlink(top).lstrip("/"))

    def _copy(self, path):
        target = self.at(path)
        target.parent.mkdir(parents=True, exist_ok=True)
        if not target.exists():
            shutil.copy(path, target)

    def dpkg(self, *arguments):
        """Runs dpkg on this root. Triggers would call programs that are not there."""
        return subprocess.run(
            ["dpkg", f"--root={self.folder}", "--no-triggers", "--force-bad-path",
             "--force-unsafe-io", *map(str, arguments)],
            env={"PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "LC_ALL": "C",
                 "DEBIAN_FRONTEND": "noninteractive"},
            capture_output=True, text=True, check=False,
        )

    def _inside(self, program, *arguments):
        return [shutil.which("chroot"), f"--userspec={self._user.pw_uid}:{self._user.pw_gid}", str(self.folder),
                str(self.bindir / program), *arguments]

    def start(self, *settings):
        """Makes a cluster and starts its server."""
        clean = {"PATH": "/usr/bin:/bin", "LC_ALL": "C.UTF-8"}
        done = subprocess.run(
            self._inside("initdb", "-D", "/data", "-U", "postgres", "--encoding=UTF8",
                         "--locale=C.UTF-8", "--auth=trust", "--no-sync"),
            env=clean, capture_output=True, text=True, check=False,
        )
        assert done.returncode == 0, done.stdout + done.stderr
        options = ["listen_addresses=", "unix_socket_directories=/tmp", "unix_socket_permissions=0700",
                   "port=5432", "jit=off", "fsync=off", *settings]
        with open(self.folder / "log", "wb") as log:
            self._server = subprocess.Popen(
                self._inside("postgres", "-D", "/data",
                             *(word for option in options for word in ("-c", option))),
                env=clean, stdin=subprocess.DEVNULL, stdout=log, stderr=log,
            )
        end = time.monotonic() + LONGEST
        while True:
            try:
                self.connect().close()
                return
            except psycopg.OperationalError:
                assert self._server.poll() is None, (self.folder / "log").read_text()
                assert time.monotonic() < end, "the server does not answer"
                time.sleep(0.1)

    def connect(self, database="postgres"):
        """A connection by the socket of this root."""
        return psycopg.connect(host=str(self.at("/tmp")), port=5432, user="postgres",
                               dbname=database, autocommit=True)

    def remove(self):
        """Stops the server and removes the folder."""
        if self._server is not None and self._server.poll() is None:
            # chroot has become the server; SIGINT ends sessions too.
            self._server.send_signal(signal.SIGINT)
            try:
                self._server.wait(timeout=LONGEST)
            except subprocess.TimeoutExpired:
                self._server.kill()
                self._server.wait()
        shutil.rmtree(self.folder, ignore_errors=True)


def needed(programs):
    """Every shared library that programs and libraries load, and the loader."""
    done = subprocess.run(["ldd", *programs], capture_output=True, text=True, check=False)
    words = (word for line in done.stdout.splitlines() if not line.endswith(":") for word in line.split())
    return {word for word in words if word.startswith("/") and Path(word).exists()}
