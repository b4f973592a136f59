"""The example of a subset runs, and prints what its page shows.

`CONFITURE_WRITE=1` puts the output of this run into the page.
"""

import os
import re

from server import ROOT

SUBSET = ROOT / "examples" / "subset"


def test_the_example_prints_what_its_page_shows(db):
    done = db.psql(
        *("-v", f"profile={(SUBSET / 'profile.yaml').read_text(encoding='utf-8')}"),
        *("-f", SUBSET / "subset.sql"),
    )
    assert "ERROR" not in done.stderr
    lines = [line.rstrip() for line in done.stdout.strip("\n").splitlines()]
    printed = "\n".join(lines)
    page = SUBSET / "README.md"
    text = page.read_text(encoding="utf-8")
    if os.environ.get("CONFITURE_WRITE"):
        block = f"```text\n{printed}\n```"
        page.write_text(re.sub(r"(?s)```text\n.*?```", lambda _: block, text), encoding="utf-8")
        return
    assert re.search(r"(?s)```text\n(.*?)\n```", text)[1] == printed
