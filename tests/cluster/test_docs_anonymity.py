"""Every SQL block of the page of anonymity runs, and shows what the page does.

`CONFITURE_WRITE=1` puts the outputs of this run into the page.
"""

import doc_blocks

from server import ROOT

PAGE = ROOT / "docs" / "anonymity.md"


def test_every_block_of_the_page_of_anonymity_runs(server):
    db = server.create_database(key=False)
    outputs = [(block, doc_blocks.printed(db, block, "is not")) for block in doc_blocks.read(PAGE)]
    db.drop()
    doc_blocks.compare(PAGE, outputs)
