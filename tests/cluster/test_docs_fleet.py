"""Every SQL block of the page on many servers runs, where its first line says.

The shards are databases of one server here. `CONFITURE_WRITE=1` puts the outputs of this run into the
page.
"""

import json
from dataclasses import replace

import doc_blocks
import pytest

from server import ROOT

PAGE = ROOT / "docs" / "many-servers.md"
RECIPIENT = "11111111-2222-4333-8444-555555555555"
BUNDLE = "{\"form\": \"confiture/shared-key/v1\", …}"


@pytest.fixture
def shards(server):
    """Three shards with a few rows, and no key yet; and the database of an auditor."""
    if not server.has("postgres_fdw"):
        pytest.skip("this PostgreSQL comes without postgres_fdw")
    made = [server.create_database(key=False) for _ in range(3)]
    auditor = server.create_database(key=False)
    if not server.key_file_is_there():
        made[0].execute("SELECT confiture.init_key_file()")
    for number, shard in enumerate(made):
        shard.execute("CREATE SCHEMA prod; CREATE SCHEMA staging;"
                      " CREATE TABLE prod.customers (id integer PRIMARY KEY, email text, name text)")
        shard.execute("INSERT INTO prod.customers SELECT i, 'c' || i || '@mail.example', 'Ann Lee'"
                      " FROM generate_series(1, 9) i WHERE i %% 3 = %s", [number])
    yield made, auditor
    for database in [*made, auditor]:
        database.drop()


def test_every_block_of_the_page_runs_where_it_says(shards, server):
    shards, auditor = shards
    role = auditor.role("inspector")
    auditor.execute(f'DROP ROLE "{role}"')
    environment = server.environment
    shared, anchors, keys = {}, {}, {}
    outputs = []
    for block in doc_blocks.read(PAGE):
        first, _, sql = block.sql.partition("\n")
        if first == "-- on the coordinator":
            # Of Citus: test_citus.py runs it.
            continue
        sql = sql.replace("inspector", role)
        where = first.removeprefix("-- on ").removeprefix("-- ")
        if where == "at the auditor's":
            sql = sql.replace("host 'shard1.internal', dbname 'shop'",
                              f"host '{environment['PGHOST']}', port '{environment['PGPORT']}',"
                              f" dbname '{shards[0].name}'")
            sql = sql.replace("confiture/9c154a19-…+5c2e5a0f+AcZ…", keys.get(0, ""))
            sql = sql.replace("the anchor of shard1", anchors.get(0, ""))
            output = doc_blocks.printed(auditor, replace(block, sql=sql))
            if "verify_fleet" in sql:
                assert [line.split("|")[1:3] for line in output.splitlines()[2:]] == [
                    [" FLEET      ", " ok     "], [" SERVER     ", " ok     "],
                    [" RUN        ", " ok     "],
                ], output
                outputs.append((block, output))
        elif where.startswith("the first shard"):
            for number in (1, 2):
                recipient = shards[number].value("SELECT confiture.installation_id()")
                doc_blocks.printed(
                    shards[0], replace(block, sql=sql.replace(RECIPIENT, str(recipient)))
                )
                shared[number] = shards[0].value(
                    "SELECT shared FROM confiture.shared_key ORDER BY id DESC LIMIT 1"
                )
        else:
            for number, shard in enumerate(shards):
                if number == 0 and where == "every other shard":
                    continue
                here = sql.replace(BUNDLE, json.dumps(shared.get(number)))
                if number > 0:
                    # Roles belong to the server, which these shards share.
                    here = here.replace(f"CREATE ROLE {role} LOGIN;", "")
                output = doc_blocks.printed(shard, replace(block, sql=here))
                if "export_anchor" in here:
                    anchors[number] = shard.value("SELECT confiture.export_anchor()")
                if "anchor_key" in here:
                    keys[number] = shard.value("SELECT confiture.anchor_key()")
    assert len(anchors) == len(keys) == 3
    # One value, one pseudonym.
    assert len({shard.value("SELECT anon_email('x@mail.example')") for shard in shards}) == 1
    doc_blocks.compare(PAGE, outputs)
    for database in [*shards, auditor]:
        database.execute(f'DROP OWNED BY "{role}"')
    auditor.execute(f'DROP ROLE "{role}"')
