"""Every SQL block of the pages of the strategies runs, and shows as many lines as the page does.

Pseudonyms come from a random key, so what they are differs. `CONFITURE_WRITE=1` puts the outputs
of this run into the pages.
"""

import os

import doc_blocks
import pytest

from server import ROOT

PAGES = sorted((ROOT / "docs" / "strategies").glob("*.md"))


@pytest.fixture(scope="module")
def db(server):
    """A database with a key."""
    database = server.create_database()
    yield database
    database.drop()


def output(db, block):
    """What psql prints for a block."""
    done = db.psql("-P", "footer=off", "-P", "pager=off", "-f", "-", stdin=block.sql, check=False)
    place = f"{block.page} line {block.line}"
    if block.fails:
        assert done.returncode != 0 and "ERROR" in done.stderr, f"{place} went through"
        return ""
    assert done.returncode == 0, f"{place}: {done.stderr}"
    lines = [line.rstrip() for line in done.stdout.rstrip("\n").splitlines()]
    return "".join(f"{line}\n" for line in lines)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_every_block_of_a_page_runs(db, page):
    blocks = doc_blocks.read(page)
    outputs = [(block, output(db, block)) for block in blocks]
    if os.environ.get("CONFITURE_WRITE"):
        doc_blocks.write(page, outputs)
        return
    for block, printed in outputs:
        shown = block.shown or ""
        assert len(shown.splitlines()) == len(printed.splitlines()), (
            f"{block.page} line {block.line} prints:\n{printed}"
        )


def test_every_strategy_has_an_example_that_runs(db):
    if not db.value("SELECT EXISTS (SELECT FROM confiture.key WHERE name = 'salt-people')"):
        db.execute("SELECT confiture.create_key('salt-people')")
    for name, example in db.rows("SELECT name, example FROM confiture.strategies"):
        if example is None:
            assert name in {"default", "shuffle", "record", "tokenize"}, f"{name} has no example"
            continue
        assert db.value(f"SELECT count({example}) = 1 OR {example} IS NULL"), name


def test_every_strategy_has_its_section(db):
    text = "".join(page.read_text(encoding="utf-8") for page in PAGES)
    for name in db.column("SELECT name FROM confiture.strategies"):
        assert f"\n## {name}\n" in text, f"{name} has no section"
