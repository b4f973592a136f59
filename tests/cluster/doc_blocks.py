"""The blocks of a page: SQL, and the output shown below it."""

import os
import re
from dataclasses import dataclass
from pathlib import Path

from server import ROOT

FENCE = re.compile(r"^```(\w*)\n(.*?)^```\n", re.MULTILINE | re.DOTALL)


@dataclass
class Block:
    """One SQL block of a page."""

    page: str
    line: int
    sql: str
    shown: str | None
    start: int
    end: int

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
