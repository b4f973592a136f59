"""Every SQL block of the page of the matrix runs and shows what the page shows.

`CONFITURE_WRITE=1` puts the outputs of this run into the page.
"""

import doc_blocks

from server import ROOT

PAGE = ROOT / "docs" / "compliance-matrix.md"


def test_every_block_of_the_page_of_the_matrix_runs(db):
    db.execute(doc_blocks.sample())
    blocks = doc_blocks.read(PAGE)
    doc_blocks.compare(PAGE, [(block, doc_blocks.printed(db, block)) for block in blocks])
