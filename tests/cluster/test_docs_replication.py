"""Every SQL block of the page of replication runs, on the server that its first line names.

`CONFITURE_WRITE=1` puts the outputs of this run into the page.
"""

from dataclasses import replace

import doc_blocks
import pytest

from replicas import Pair
from server import ROOT

PAGE = ROOT / "docs" / "replication.md"


@pytest.fixture
def pair(private_server):
    """A publisher with the rows of the first page, and a subscriber with its table."""
    servers = private_server("wal_level=logical", key_file=False), private_server()
    pair = Pair(*servers, "shop")
    sample = doc_blocks.sample()
    rows = sample.index("INSERT INTO prod.users")
    pair.raw.execute(sample[: sample.index(";", rows) + 1])
    pair.here.execute(sample[:rows])
    yield pair
    pair.drop()


def test_every_block_of_the_page_runs_where_it_says(pair):
    outputs = []
    for block in doc_blocks.read(PAGE):
        first, _, sql = block.sql.partition("\n")
        where = pair.raw if first == "-- on the publisher" else pair.here
        sql = sql.replace("host=prod.internal dbname=shop", pair.conninfo)
        outputs.append((block, doc_blocks.printed(where, replace(block, sql=sql))))
        if "SUBSCRIPTION" in sql:
            pair.name = "shop"
            pair.wait_for_copies()
        elif where is pair.raw and "INSERT" in sql:
            pair.catch_up()
    doc_blocks.compare(PAGE, outputs, by=doc_blocks.lines)
    assert "raw" not in str(outputs) and "Work.example" not in str(outputs[-2:])
