"""The example of masked views runs, and prints what its page shows.

`CONFITURE_WRITE=1` puts the output of this run into the page.
"""

import os
import re

from server import ROOT

VIEWS = ROOT / "examples" / "masked-views"


def test_the_example_of_masked_views_prints_what_its_page_shows(db):
    done = db.psql(
        *("-v", f"profile={(VIEWS / 'profile.yaml').read_text(encoding='utf-8')}"),
        *("-f", VIEWS / "views.sql"),
    )
    # psql says in which file and line an error was, and the errors come by a way of their own.
    said = [re.sub(r"^psql:\S+ ", "", line) for line in done.stderr.splitlines() if "ERROR" in line]
    lines = [line.rstrip() for line in done.stdout.strip("\n").splitlines()]
    printed = "\n".join([*lines, "", "What was refused:", *said])
    assert len(said) == 3 and "post.example" not in printed
    page = VIEWS / "README.md"
    text = page.read_text(encoding="utf-8")
    if os.environ.get("CONFITURE_WRITE"):
        block = f"```text\n{printed}\n```"
        page.write_text(re.sub(r"(?s)```text\n.*?```", lambda _: block, text), encoding="utf-8")
        return
    assert re.search(r"(?s)```text\n(.*?)\n```", text)[1] == printed
