"""The blocks of a page: SQL, and the output shown below it."""

import os
import re
import textwrap
from dataclasses import dataclass
from pathlib import Path

from server import ROOT

FENCE = re.compile(r"^```(\w*)\n(.*?)^```\n", re.MULTILINE | re.DOTALL)


# As FENCE, but also in a list, and with the comment that says how it is to be taken.
TYPED = re.compile(
    r"^(?P<indent> *)(?:<!-- (?P<how>not run: [^\n]+?|output differs) -->\n(?P=indent))?"
    r"```(?P<kind>\w+)\n(?P<text>.*?)^(?P=indent)```\n",
    re.MULTILINE | re.DOTALL,
)
SHELL = ("sh", "shell", "bash", "console")
# What is another one each time: ids, hashes, tokens, moments, durations.
UNSTEADY = [
    (re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}"), "ID"),
    (re.compile(r"tok_[0-9A-Z]{26}"), "TOKEN"),
    (re.compile(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d(\.\d+)?([+-]\d\d)?"), "MOMENT"),
    (re.compile(r"(?<![0-9A-Za-z])[0-9a-f]{8,}(?![0-9A-Za-z])"), "HEX"),
    (re.compile(r"\b\d+\.\d+ s\b"), "TIME"),
    (re.compile(r"-{2,}"), "-"),
    (re.compile(r" +"), " "),
]


@dataclass
class Block:
    """One block of a page: SQL, or what is typed into a shell."""

    page: str
    line: int
    sql: str
    shown: str | None
    start: int
    end: int
    kind: str = "sql"
    how: str = ""

    @property
    def place(self):
        """Where it stands."""
        return f"{self.page} line {self.line}"

    @property
    def why_not(self):
        """Why it is not run; empty where it is."""
        return self.how.removeprefix("not run: ") if self.how.startswith("not run: ") else ""

    @property
    def fails(self):
        """Whether the page says that it does."""
        return self.sql.lstrip().startswith("-- fails")


def read(path: Path):
    """Every SQL block of a page, with the text block that follows it, if one does."""
    text = path.read_text(encoding="utf-8")
    fences = list(FENCE.finditer(text))
    blocks = []
    for i, fence in enumerate(fences):
        if fence[1] != "sql":
            continue
        shown, end = None, fence.end()
        if i + 1 < len(fences) and fences[i + 1][1] == "text":
            following = fences[i + 1]
            if not text[fence.end() : following.start()].strip():
                shown, end = following[2], following.end()
        line = text.count("\n", 0, fence.start()) + 1
        blocks.append(Block(path.name, line, fence[2], shown, fence.end(), end))
    return blocks


def typed(path: Path):
    """Every block of SQL or for a shell, in lists too, with what the page says of it."""
    text = path.read_text(encoding="utf-8")
    fences = list(TYPED.finditer(text))
    blocks = []
    for i, fence in enumerate(fences):
        if fence["kind"] != "sql" and fence["kind"] not in SHELL:
            continue
        shown, end = None, fence.end()
        if i + 1 < len(fences) and fences[i + 1]["kind"] == "text":
            following = fences[i + 1]
            if not text[fence.end() : following.start()].strip():
                shown, end = following["text"], following.end()
        line = text.count("\n", 0, fence.start("indent")) + 1
        source = textwrap.dedent(fence["text"])
        blocks.append(Block(path.name, line, source, shown, fence.end(), end, fence["kind"],
                            fence["how"] or ""))
    return blocks


def steady(text):
    """A text without what is another one each time, and without the widths of its columns."""
    for pattern, word in UNSTEADY:
        text = pattern.sub(word, text)
    return [line.strip() for line in text.splitlines()]


def write(path: Path, outputs):
    """Puts outputs below the blocks of a page; `outputs` are (block, text) in order."""
    text = path.read_text(encoding="utf-8")
    for block, output in reversed(outputs):
        shown = f"```text\n{output}```\n" if output else ""
        text = text[: block.start] + shown + text[block.end :]
    path.write_text(text, encoding="utf-8")


def sample():
    """The SQL of the first page, but for its key."""
    [block] = read(ROOT / "docs" / "index.md")
    return block.sql[block.sql.index("CREATE SCHEMA") :]


def printed(db, block, says="ERROR"):
    """What psql prints for a block; nothing for one that fails, as the page says, with those words."""
    done = db.psql("-P", "footer=off", "-P", "pager=off", "-f", "-", stdin=block.sql, check=False)
    place = f"{block.page} line {block.line}"
    if block.fails:
        assert done.returncode != 0 and says in done.stderr, f"{place}: {done.stderr}"
        return ""
    assert done.returncode == 0, f"{place}: {done.stderr}"
    lines = [line.rstrip() for line in done.stdout.rstrip("\n").splitlines()]
    return "".join(f"{line}\n" for line in lines)


def compare(path: Path, outputs, by=str):
    """Holds a page to its outputs, (block, text) in order; CONFITURE_WRITE=1 puts them there.

    `by` is what is compared of both, where not all of it is the same each time.
    """
    if os.environ.get("CONFITURE_WRITE"):
        write(path, outputs)
        return
    for block, output in outputs:
        assert by(block.shown or "") == by(output), f"{block.page} line {block.line}:\n{output}"


def lines(text):
    """How many lines a text has, for `compare`."""
    return len(text.splitlines())
