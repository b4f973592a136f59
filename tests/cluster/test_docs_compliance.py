"""Every SQL block of the page of compliance runs, on what the page declares, and shows what it says.

`CONFITURE_WRITE=1` puts the outputs of this run into the page.
"""

import os
import re

import doc_blocks

from server import ROOT

PAGE = ROOT / "docs" / "compliance.md"


def test_every_block_of_the_page_of_compliance_runs(db):
    blocks = doc_blocks.read(ROOT / "docs" / "index.md")
    sample = next(block.sql for block in blocks if "prod.users" in block.sql)
    db.execute(sample[sample.index("CREATE SCHEMA") :])
    [yaml] = re.findall(r"```yaml\n(.*?)```", PAGE.read_text(encoding="utf-8"), re.DOTALL)
    assert "4 facts declared" in db.value("SELECT confiture.load_controller(%s)", [yaml])
    outputs = []
    for block in doc_blocks.read(PAGE):
        done = db.psql("-P", "footer=off", "-P", "pager=off", "-f", "-", stdin=block.sql)
        shown = done.stdout.rstrip("\n").splitlines()
        outputs.append((block, "".join(f"{line.rstrip()}\n" for line in shown)))
    if os.environ.get("CONFITURE_WRITE"):
        doc_blocks.write(PAGE, outputs)
        return
    for block, output in outputs:
        assert (block.shown or "") == output, block.line
