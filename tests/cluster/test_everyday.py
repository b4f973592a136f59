"""Everyday commands: `make help` has every one, CONTRIBUTING speaks of those there are, and what is
about to be committed is looked at."""

import re
import shutil
import subprocess

import pytest

from server import ROOT

MAKEFILE = (ROOT / "Makefile").read_text(encoding="utf-8")
CONTRIBUTING = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
PHONY = re.findall(r"^\.PHONY: (\S+)$", MAKEFILE, re.MULTILINE)


def test_help_says_a_line_of_every_command():
    done = subprocess.run(["make", "help"], cwd=ROOT, capture_output=True, text=True, check=True)
    said = dict(line.split(maxsplit=1) for line in done.stdout.splitlines())
    # `all` is `build`.
    assert set(said) == set(PHONY) - {"all"}
    assert all(len(line) > 8 and not line.endswith(".") for line in said.values())
    # On a terminal of usual width each is a line.
    assert max(map(len, done.stdout.splitlines())) <= 120


def test_commands_that_pages_name_are_there():
    called = set()
    for page in [*ROOT.glob("*.md"), *(ROOT / "docs").glob("*.md"), *(ROOT / "examples").rglob("*.md")]:
        text = page.read_text(encoding="utf-8")
        called |= set(re.findall(r"`(?:[A-Z_]+=\S* )*make ([a-z][a-z0-9-]*)", text))
        for block in re.findall(r"^```\w*\n(.*?)^```", text, re.MULTILINE | re.DOTALL):
            called |= set(re.findall(r"^make ([a-z][a-z0-9-]*)", block, re.MULTILINE))
    assert len(called) > 10 and called - set(PHONY) == set()


def test_every_command_is_on_the_page_of_contributors():
    table = CONTRIBUTING[CONTRIBUTING.index("## Everyday commands"):CONTRIBUTING.index("\n## A change")]
    named = set(re.findall(r"`make ([a-z0-9-]+)", table))
    assert set(PHONY) - named - {"all", "build", "setup", "clean"} == set()


def test_every_tool_says_what_it_is_for():
    for tool in sorted((ROOT / "tools").iterdir()):
        lines = tool.read_text(encoding="utf-8").splitlines()
        assert lines[0].startswith("#!/usr/bin/env "), tool.name
        assert re.match(r'(# |""")[A-Z]', lines[1]), tool.name
        assert tool.stat().st_mode & 0o111, tool.name


@pytest.fixture
def repository(tmp_path):
    """A repository with a file of each kind, and what looks at a commit."""
    if shutil.which("git") is None:
        pytest.skip("there is no git")

    def git(*arguments, check=True):
        return subprocess.run(["git", "-c", "user.name=x", "-c", "user.email=x@example.test", *arguments],
                              cwd=tmp_path, capture_output=True, text=True, check=check)

    git("init", "-q")
    (tmp_path / "tools").mkdir()
    shutil.copy(ROOT / "tools" / "pre-commit", tmp_path / "tools" / "pre-commit")
    shutil.copy(ROOT / "META.json", tmp_path / "META.json")
    (tmp_path / "Cargo.toml").write_text(
        '[package]\nname = "x"\nversion = "0.1.0"\nedition = "2024"\n[lib]\npath = "x.rs"\n')
    (tmp_path / "x.rs").write_text("fn x() {}\n")
    git("add", "-A")
    git("commit", "-q", "-m", "Begin")
    hook = tmp_path / git("rev-parse", "--git-path", "hooks").stdout.strip() / "pre-commit"
    hook.parent.mkdir(exist_ok=True)
    hook.symlink_to("../../tools/pre-commit")

    def commit(name, text):
        (tmp_path / name).write_text(text)
        git("add", "-A")
        done = git("commit", "-q", "-m", "Change", check=False)
        git("reset", "-q", "--hard")
        return done

    return commit


@pytest.mark.parametrize(("name", "text", "why"), [
    ("a.txt", "a \n", "white space"),
    ("a.txt", "<<<<<<< ours\n", "merge"),
    ("key.pem", "-----BEGIN PRIVATE" + " KEY-----\nMIIEvQ\n", "private key"),
    ("a.bin", "a" * 1_000_001, "larger than a megabyte"),
    ("run", "#!/usr/bin/env bash\nif true\n", "no shell script"),
    ("x.rs", "fn  x( ) {}\n", "cargo fmt"),
    ("META.json", '{\n  "version": "0.2.0",\n}\n', "two versions"),
])
def test_a_commit_is_looked_at(repository, name, text, why):
    if name.endswith(".rs") and shutil.which("cargo") is None:
        pytest.skip("there is no cargo")
    done = repository(name, text)
    assert done.returncode != 0 and why in done.stderr, done.stderr


def test_a_commit_that_is_well_goes_through(repository):
    for name, text in [("a.txt", "a\n"), ("run", "#!/usr/bin/env bash\ntrue\n"), ("x.rs", "fn y() {}\n")]:
        done = repository(name, text)
        assert done.returncode == 0, done.stderr
