"""Every SQL block of the page of compliance runs, on what the page declares, and shows what it says.

`CONFITURE_WRITE=1` puts the outputs of this run into the page.
"""

import re

import doc_blocks

from server import ROOT

PAGE = ROOT / "docs" / "compliance.md"


def test_every_block_of_the_page_of_compliance_runs(db):
    db.execute(doc_blocks.sample())
    [yaml] = re.findall(r"```yaml\n(.*?)```", PAGE.read_text(encoding="utf-8"), re.DOTALL)
    assert "4 facts declared" in db.value("SELECT confiture.load_controller(%s)", [yaml])
    blocks = doc_blocks.read(PAGE)
    doc_blocks.compare(PAGE, [(block, doc_blocks.printed(db, block)) for block in blocks])
