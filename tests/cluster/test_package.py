"""The packages: one of Debian that is installed, used and purged in a root of its own; one for PGXN."""

import copy
import gzip
import json
import os
import re
import shutil
import subprocess
import zipfile

import psycopg
import pytest

import fresh_root
import pgxn_meta
from samples import make_small
from server import ROOT, Session

META = json.loads((ROOT / "META.json").read_text(encoding="utf-8"))


def tool(name, *arguments, **more):
    """What a tool of the project prints."""
    done = subprocess.run([str(ROOT / "tools" / name), *arguments], capture_output=True, text=True,
                          check=False, **more)
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


def packed(deb, what, *more):
    """What dpkg-deb says of a package."""
    return subprocess.run(["dpkg-deb", what, str(deb), *more], capture_output=True, text=True,
                          check=True).stdout


@pytest.fixture(scope="module")
def major():
    """The version of a PostgreSQL that is one of Debian."""
    pg_config = tool("server", "pg_config")
    version = tool("server", "major")
    library = subprocess.run([pg_config, "--pkglibdir"], capture_output=True, text=True, check=True)
    if library.stdout.strip() != f"/usr/lib/postgresql/{version}/lib":
        pytest.skip("this PostgreSQL is not one of Debian or Ubuntu")
    return version


@pytest.fixture(scope="module")
def deb(major):
    """The package, made of the release that is built already: nothing is built twice."""
    done = subprocess.run([str(ROOT / "tools" / "package-deb"), "--built"], capture_output=True,
                          text=True, check=False)
    if done.returncode == 3 and os.environ.get("CI") != "true":
        pytest.skip(done.stderr.strip())
    assert done.returncode == 0, done.stderr
    return ROOT / done.stdout.strip()


@pytest.fixture(scope="module")
def archive():
    """The archive for PGXN."""
    return ROOT / tool("package-pgxn")


def test_the_package_says_what_it_is_and_needs(deb, major):
    fields = dict(line.split(": ", 1) for line in packed(deb, "--field").splitlines()
                  if not line.startswith(" "))
    assert fields["Package"] == f"postgresql-{major}-confiture"
    assert fields["Version"] == META["version"]
    assert fields["Depends"].startswith(f"postgresql-{major}, ") and "libc6 (>= " in fields["Depends"]
    assert int(fields["Installed-Size"]) > 1000


def test_the_package_holds_library_control_sql_pages_and_licenses(deb, major, tmp_path):
    packed(deb, "--extract", str(tmp_path))
    extension = tmp_path / f"usr/share/postgresql/{major}/extension"
    doc = tmp_path / f"usr/share/doc/postgresql-{major}-confiture"
    assert (tmp_path / f"usr/lib/postgresql/{major}/lib/confiture.so").stat().st_size > 1_000_000
    version = META["version"]
    assert f"default_version = '{version}'" in (extension / "confiture.control").read_text()
    assert "CREATE" in (extension / f"confiture--{version}.sql").read_text()
    assert (doc / "README.md").is_file() and (doc / "docs/keys.md").is_file()
    assert (doc / "examples/webshop/profile.yaml").is_file()
    changes = gzip.decompress((doc / "changelog.gz").read_bytes()).decode()
    assert changes == (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")
    terms = (doc / "copyright").read_text()
    assert "PostgreSQL License" in terms or "Permission to use, copy, modify" in terms
    # Every crate that the library is linked with has its license there.
    listed = dict(re.findall(r"^ (\S+) \S+: (.+)$", terms, re.MULTILINE))
    assert listed["pgrx"] == "MIT" and "Apache-2.0" in listed["ureq"] and len(listed) > 80
    assert "criterion" not in listed


def test_all_of_it_belongs_to_root_and_is_written_by_nobody_else(deb):
    for line in packed(deb, "--contents").splitlines():
        mode, owner = line.split()[:2]
        assert owner == "root/root", line
        assert mode[0] == "l" or mode[1:] in ("rwxr-xr-x", "rw-r--r--"), line


def test_the_same_release_is_the_same_package(deb):
    before = deb.read_bytes()
    again = tool("package-deb", "--built", env={**os.environ, "TZ": "Asia/Tokyo"}, umask=0o077)
    assert (ROOT / again).read_bytes() == before


@pytest.fixture
def root(deb, major):
    """A root of its own, where nothing of the extension is."""
    if why := fresh_root.missing():
        pytest.skip(why)
    root = fresh_root.FreshRoot(major)
    yield root
    root.remove()


def test_the_package_is_installed_used_and_purged(deb, root, major):
    root.start("confiture.key_file=/keys/confiture.key")
    db = Session(root.connect())
    assert db.value("SELECT count(*) FROM pg_available_extensions WHERE name = 'confiture'") == 0

    done = root.dpkg("--install", deb)
    assert done.returncode == 0, done.stderr
    # What it depends on was looked for, and found.
    assert "dependency problems" not in done.stderr
    db.execute("CREATE EXTENSION confiture")
    db.execute("SELECT confiture.init_key_file()")
    db.execute("SELECT confiture.create_key('masking')")
    make_small(db)
    db.sync()
    masked = db.column("SELECT email FROM staging.people")
    assert len(masked) == 3 and all(re.fullmatch(r"user_\w{20}@example\.com", m) for m in masked)
    assert db.events()[-1] == "COMPLETED"
    assert db.findings()["OK"][0] == "ok"

    package = f"postgresql-{major}-confiture"
    assert package in root.at("/var/lib/dpkg/status").read_text(encoding="utf-8")
    files = [line.split()[5].lstrip(".") for line in packed(deb, "--contents").splitlines()
             if not line.startswith("d")]
    assert len(files) > 100 and all(os.path.lexists(root.at(file)) for file in files)
    done = root.dpkg("--purge", package)
    assert done.returncode == 0, done.stderr
    assert [file for file in files if os.path.lexists(root.at(file))] == []
    assert not root.at(f"/usr/share/doc/{package}").exists()
    assert package not in root.at("/var/lib/dpkg/status").read_text(encoding="utf-8")
    # PostgreSQL stays, and knows the extension no longer.
    db.execute("CREATE DATABASE another")
    with pytest.raises(psycopg.Error, match="confiture"), root.connect("another") as other:
        other.execute("CREATE EXTENSION confiture")


def test_what_it_depends_on_must_be_there(deb, major):
    if why := fresh_root.missing():
        pytest.skip(why)
    root = fresh_root.FreshRoot(major, server=False)
    try:
        status = root.at("/var/lib/dpkg/status")
        stanzas = status.read_text(encoding="utf-8").split("\n\n")
        kept = [one for one in stanzas if not one.startswith(f"Package: postgresql-{major}\n")]
        assert len(kept) == len(stanzas) - 1
        status.write_text("\n\n".join(kept), encoding="utf-8")
        done = root.dpkg("--install", deb)
        assert done.returncode != 0 and f"depends on postgresql-{major}" in done.stderr
    finally:
        root.remove()


def test_the_metadata_are_what_pgxn_asks_for():
    assert pgxn_meta.violations(META) == []
    assert META["release_status"] in ("testing", "unstable") or not META["version"].startswith("0.")
    for about in META["provides"].values():
        assert (ROOT / about["file"]).is_file() and (ROOT / about["docfile"]).is_file()


@pytest.mark.parametrize("change", [
    *({key: None} for key in sorted(pgxn_meta.REQUIRED)),
    {"version": "0.1"}, {"license": "mine"}, {"maintainer": []}, {"release_status": "new"},
    {"provides": {"confiture": {"file": "confiture.control"}}}, {"tags": ["a/b"]}, {"more": 1},
    {"meta-spec": {"version": "2.0.0"}}, {"prereqs": {"runtime": {"needs": {"PostgreSQL": "14.0.0"}}}},
], ids=str)
def test_metadata_that_are_wrong_are_told(change):
    meta = copy.deepcopy(META)
    for key, value in change.items():
        if value is None:
            del meta[key]
        else:
            meta[key] = value
    assert len(pgxn_meta.violations(meta)) == 1


def test_the_archive_holds_the_project_and_nothing_that_was_made(archive, tmp_path):
    stem = f"{META['name']}-{META['version']}"
    assert archive.name == f"{stem}.zip"
    with zipfile.ZipFile(archive) as zipped:
        names = zipped.namelist()
        assert zipped.testzip() is None
        assert json.loads(zipped.read(f"{stem}/META.json")) == META
        for entry in zipped.infolist():
            path = zipped.extract(entry, tmp_path)
            os.chmod(path, entry.external_attr >> 16)
    assert all(name.startswith(f"{stem}/") and ".." not in name for name in names)
    for wanted in ("Makefile", "Cargo.lock", "confiture.control", "src/lib.rs", "sql/grants.sql",
                   "rules", "tools/install", "README.md", "LICENSE"):
        assert any(name == f"{stem}/{wanted}" or name.startswith(f"{stem}/{wanted}/") for name in names)
    assert [name for name in names if re.match(rf"{stem}/(target|\.venv|\.git)(/|-|$)", name)] == []
    # Everything that cargo reads is there, as the lock file has it.
    if shutil.which("cargo"):
        done = subprocess.run(["cargo", "metadata", "--offline", "--locked", "--format-version", "1"],
                              cwd=tmp_path / stem, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr
    # What is unpacked can be worked with: its tools run, and its Makefile has what PGXN's client calls.
    folder = tmp_path / stem
    said = subprocess.run(["make", "help"], cwd=folder, capture_output=True, text=True, check=True)
    assert "install" in said.stdout
    server = subprocess.run([folder / "tools" / "server", "major"], capture_output=True, text=True,
                            check=True)
    assert server.stdout.strip() == tool("server", "major")


def test_the_same_sources_are_the_same_archive(archive):
    before = archive.read_bytes()
    again = tool("package-pgxn", env={**os.environ, "TZ": "Asia/Tokyo"}, umask=0o077)
    assert (ROOT / again).read_bytes() == before


def test_the_container_file_fits_the_project():
    text = (ROOT / "Dockerfile").read_text(encoding="utf-8")
    cargo = (ROOT / "Cargo.toml").read_text(encoding="utf-8")
    rust = re.search(r'^rust-version = "(.*)"', cargo, re.MULTILINE)[1]
    assert f"FROM rust:{rust}-" in text
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    called = re.findall(r"\bmake ([a-z-]+)", text)
    assert called and all(f"\n{target}:" in makefile for target in called)
    assert "/source/target/package/*.deb" in text
    default = re.search(r"^ARG POSTGRES=(\d+)", text, re.MULTILINE)[1]
    assert f" {default} " in f" {re.search(r'supported=.(.*).$', (ROOT / 'tools/server').read_text(), re.M)[1]} "
    settings = (ROOT / "docs/reference.md").read_text(encoding="utf-8")
    for setting in re.findall(r"confiture\.(\w+)=", text):
        assert f"`confiture.{setting}`" in settings, setting
