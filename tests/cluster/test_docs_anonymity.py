"""Every SQL block of the page of anonymity runs, and shows what the page does.

`CONFITURE_WRITE=1` puts the outputs of this run into the page.
"""

import os

import doc_blocks

from server import ROOT

PAGE = ROOT / "docs" / "anonymity.md"


def test_every_block_of_the_page_of_anonymity_runs(server):
    db = server.create_database(key=False)
    outputs = []
    for block in doc_blocks.read(PAGE):
        done = db.psql(
            "-P", "footer=off", "-P", "pager=off", "-f", "-", stdin=block.sql, check=False
        )
        place = f"{block.page} line {block.line}"
        if block.fails:
            assert done.returncode != 0 and "is not" in done.stderr, f"{place}: {done.stderr}"
            continue
        assert done.returncode == 0, f"{place}: {done.stderr}"
        shown = done.stdout.rstrip("\n").splitlines()
        outputs.append((block, "".join(f"{line.rstrip()}\n" for line in shown)))
    db.drop()
    if os.environ.get("CONFITURE_WRITE"):
        doc_blocks.write(PAGE, outputs)
        return
    for block, output in outputs:
        assert (block.shown or "") == output, f"line {block.line}"
