"""The page on refresh pipelines runs: the script, pg_cron where it is installed, and a file for tests.

The job of pg_cron is due at the next full minute; the script runs before it is scheduled, so that
neither finds the other at work.
"""

import subprocess
import time
from pathlib import Path

import doc_blocks
import pytest

from server import CLUSTER, PREFIX, ROOT, Database, Server
from test_docs_pages import EXAMPLES, Desk, Page, Site, compare, profile

PAGE = ROOT / "docs" / "refresh.md"
CRON = "-- with pg_cron"
AFTER = "-- with pg_cron, after"


def has_cron():
    """Whether the server that is tested has it."""
    config = subprocess.check_output([ROOT / "tools" / "server", "pg_config"], text=True).strip()
    shared = subprocess.check_output([config, "--sharedir"], text=True).strip()
    return (Path(shared) / "extension" / "pg_cron.control").exists()


@pytest.fixture(scope="module")
def server():
    """A server that preloads pg_cron, if it is there, and lets its jobs in by its socket."""
    folder = subprocess.check_output([CLUSTER, "dir", f"{PREFIX}refresh"], text=True).strip()
    settings = [
        "shared_preload_libraries=pg_cron", "cron.database_name=postgres", f"cron.host={folder}/socket"
    ]
    made = Server("refresh", *(settings if has_cron() else []))
    yield made
    made.stop()


@pytest.fixture(scope="module")
def desk(server, tmp_path_factory):
    """A database with the rows of the first page and a profile."""
    database = Database(server, "postgres")
    database.execute("CREATE EXTENSION confiture")
    database.make_key()
    database.execute(doc_blocks.sample())
    database.psql("-f", "-", stdin=profile())
    page = Page(swap={"15 2 * * *": "* * * * *", "'shop'": "'postgres'"})
    made = Desk(Site(server, server.folder / "keys", None, None), PAGE.name, page,
                tmp_path_factory.mktemp("refresh"))
    made.environment |= {
        "PGDATABASE": "postgres", "PATH": f"{EXAMPLES / 'refresh'}:{made.environment['PATH']}"
    }
    run(made, lambda block: "CREATE ROLE" in block.sql)
    return made


def run(desk, wanted):
    """Runs the blocks of the page that are wanted."""
    for block in doc_blocks.typed(PAGE):
        if wanted(block):
            output, said = desk.run(block)
            if block.shown is not None:
                compare(block, output, said)


def test_the_page_runs_but_for_pg_cron(desk):
    run(desk, lambda block: not block.sql.startswith(CRON) and "CREATE ROLE" not in block.sql)


def test_a_job_of_pg_cron_refreshes(desk, server):
    if not has_cron():
        pytest.skip("this PostgreSQL comes without pg_cron")
    run(desk, lambda block: block.sql.startswith(CRON) and not block.sql.startswith(AFTER))
    with server.connect("postgres") as connection:
        for _ in range(900):
            ended = connection.execute(
                "SELECT status FROM cron.job_run_details WHERE status IN ('succeeded', 'failed')"
            ).fetchall()
            if ended:
                break
            time.sleep(0.1)
        else:
            raise AssertionError("pg_cron has run nothing")
    run(desk, lambda block: block.sql.startswith(AFTER))
