"""The page on coming from other tools runs as it stands, after the sample of the first page.

Labels are in the catalog, as where the extension of PostgreSQL Anonymizer has set them.
`CONFITURE_WRITE=1` puts the outputs into the page.
"""

import doc_blocks

from anon_labels import label_shop
from server import ROOT

PAGE = ROOT / "docs" / "migration.md"


def test_every_block_of_the_page_runs(db):
    db.execute(doc_blocks.sample())
    label_shop(db)
    outputs = [(block, doc_blocks.printed(db, block)) for block in doc_blocks.read(PAGE)]
    doc_blocks.compare(PAGE, outputs)
