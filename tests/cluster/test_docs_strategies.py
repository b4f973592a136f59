"""Every SQL block of the pages of the strategies runs, and shows as many lines as the page does.

Pseudonyms come from a random key, so what they are differs. `CONFITURE_WRITE=1` puts the outputs
of this run into the pages.
"""

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


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_every_block_of_a_page_runs(db, page):
    outputs = [(block, doc_blocks.printed(db, block)) for block in doc_blocks.read(page)]
    doc_blocks.compare(page, outputs, by=doc_blocks.lines)


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
