"""Every SQL block of the page of the matrix runs and shows what the page shows.

`CONFITURE_WRITE=1` puts the outputs of this run into the page.
"""

import os

import doc_blocks

from server import ROOT

PAGE = ROOT / "docs" / "compliance-matrix.md"


def test_every_block_of_the_page_of_the_matrix_runs(db):
    blocks = doc_blocks.read(ROOT / "docs" / "index.md")
    sample = next(block.sql for block in blocks if "prod.users" in block.sql)
    db.execute(sample[sample.index("CREATE SCHEMA") :])
    outputs = []
    for block in doc_blocks.read(PAGE):
        plain = ("-P", "footer=off", "-P", "pager=off", "-f", "-")
        done = db.psql(*plain, stdin=block.sql, check=False)
        assert done.returncode == 0, f"{block.page} line {block.line}: {done.stderr}"
        shown = done.stdout.rstrip("\n").splitlines()
        outputs.append((block, "".join(f"{line.rstrip()}\n" for line in shown)))
    if os.environ.get("CONFITURE_WRITE"):
        doc_blocks.write(PAGE, outputs)
        return
    for block, output in outputs:
        assert (block.shown or "") == output, f"{block.page} line {block.line}"
