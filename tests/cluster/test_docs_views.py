"""Every SQL block of the page of masked views runs, and shows as many lines as the page does.

`CONFITURE_WRITE=1` puts the outputs of this run into the page.
"""

import doc_blocks

from server import ROOT

PAGE = ROOT / "docs" / "views.md"


def test_every_block_of_the_page_of_masked_views_runs(db):
    db.execute(doc_blocks.sample())
    # Roles belong to the server, which other tests use too.
    role = db.role("analyst")
    db.execute(f'DROP ROLE "{role}"')
    outputs = []
    for block in doc_blocks.read(PAGE):
        sql = block.sql.replace("analyst", role)
        # The role is set in one block for the next ones.
        if block.fails:
            sql = f"SET ROLE {role};\n{sql}"
        done = db.psql("-P", "footer=off", "-P", "pager=off", "-f", "-", stdin=sql, check=False)
        place = f"{block.page} line {block.line}"
        if block.fails:
            assert done.returncode != 0 and "permission denied" in done.stderr, place
            continue
        assert done.returncode == 0, f"{place}: {done.stderr}"
        shown = done.stdout.replace(role, "analyst").rstrip("\n").splitlines()
        outputs.append((block, "".join(f"{line.rstrip()}\n" for line in shown)))
    doc_blocks.compare(PAGE, outputs, by=doc_blocks.lines)
    db.execute(f'DROP OWNED BY "{role}"; DROP ROLE "{role}"')
