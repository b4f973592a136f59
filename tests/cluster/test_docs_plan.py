"""The page on plans runs as it stands, after the sample of the first page."""

import os

import doc_blocks
from test_docs_strategies import output

from server import ROOT

PAGE = ROOT / "docs" / "plan.md"


def test_every_block_of_the_page_runs(db):
    [sample] = doc_blocks.read(ROOT / "docs" / "index.md")
    db.psql("-f", "-", stdin=sample.sql.replace("SELECT confiture.create_key('masking');", ""))
    outputs = [(block, output(db, block)) for block in doc_blocks.read(PAGE)]
    if os.environ.get("CONFITURE_WRITE"):
        doc_blocks.write(PAGE, outputs)
        return
    for block, printed in outputs:
        shown = block.shown or ""
        assert len(shown.splitlines()) == len(printed.splitlines()), (
            f"{block.page} line {block.line} prints:\n{printed}"
        )
