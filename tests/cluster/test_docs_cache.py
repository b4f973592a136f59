"""The page on the cache runs as it stands, after the sample of the first page."""

import doc_blocks

from server import ROOT

PAGE = ROOT / "docs" / "cache.md"


def test_every_block_of_the_page_runs(db):
    db.psql("-f", "-", stdin=doc_blocks.sample())
    outputs = [(block, doc_blocks.printed(db, block)) for block in doc_blocks.read(PAGE)]
    doc_blocks.compare(PAGE, outputs, by=doc_blocks.lines)
