"""A table of an access method that keeps a page when it is emptied: its first page, as those that
store columns do. Compiled here, since the server brings none."""

import subprocess

import pytest

from samples import profile
from test_in_place import call, mask

HANDLER = r"""
#include "postgres.h"
#include "access/heapam.h"
#include "access/tableam.h"
#include "catalog/pg_am.h"
#include "fmgr.h"
#include "storage/smgr.h"
#if PG_VERSION_NUM >= 170000
#include "storage/procnumber.h"
#define NOBODY INVALID_PROC_NUMBER
#else
#include "storage/backendid.h"
#define NOBODY InvalidBackendId
#endif
#if PG_VERSION_NUM >= 160000
#include "storage/relfilelocator.h"
#define LOCATOR RelFileLocator
#define NEW_FILE relation_set_new_filelocator
#else
#include "storage/relfilenode.h"
#define LOCATOR RelFileNode
#define NEW_FILE relation_set_new_filenode
#endif

PG_MODULE_MAGIC;
PG_FUNCTION_INFO_V1(paged_handler);

static TableAmRoutine methods;

static void
new_file(Relation rel, const LOCATOR *file, char persistence, TransactionId *frozen,
         MultiXactId *min)
{
    PGAlignedBlock page;

    GetHeapamTableAmRoutine()->NEW_FILE(rel, file, persistence, frozen, min);
    memset(page.data, 0, BLCKSZ);
    smgrextend(smgropen(*file, NOBODY), MAIN_FORKNUM, 0, page.data, true);
}

static Oid
toast_method(Relation rel)
{
    return HEAP_TABLE_AM_OID;
}

Datum
paged_handler(PG_FUNCTION_ARGS)
{
    methods = *GetHeapamTableAmRoutine();
    methods.NEW_FILE = new_file;
    methods.relation_toast_am = toast_method;
    PG_RETURN_POINTER(&methods);
}
"""

KEPT = "SELECT attname FROM pg_attribute WHERE atthasmissing"


@pytest.fixture
def db(db, tmp_path, server):
    """A database that says of itself that it is a copy, with the access method."""
    config = server.bindir / "pg_config"
    headers = subprocess.run(
        [config, "--includedir-server"], check=True, capture_output=True, text=True
    ).stdout.strip()
    source, library = tmp_path / "paged.c", tmp_path / "paged.so"
    source.write_text(HANDLER)
    subprocess.run(
        ["cc", "-shared", "-fPIC", "-Wall", "-Werror", f"-I{headers}", "-o", library, source],
        check=True,
    )
    for folder in (tmp_path, *list(tmp_path.parents)[:3]):
        folder.chmod(0o755)
    db.execute(f"""
      SET confiture.allow_in_place = on;
      CREATE FUNCTION public.paged_handler(internal) RETURNS table_am_handler LANGUAGE c
        AS '{library}', 'paged_handler';
      CREATE ACCESS METHOD paged TYPE TABLE HANDLER public.paged_handler;
      CREATE SCHEMA prod;
      CREATE TABLE prod.people (id integer, note text) USING paged;
      INSERT INTO prod.people VALUES (1, 'a'), (2, 'b');
      ALTER TABLE prod.people ADD email text DEFAULT 'ada@work.example'""")
    db.load(profile({"people": {"email": "mail"}}))
    return db


def test_values_that_stay_in_the_catalog_stop_it(db):
    assert db.column(KEPT) == ["email"]
    before = db.content("prod")
    said = db.refused("55000", *call())
    assert said.message_primary.endswith(
        'the catalog keeps a value of column "email" of table prod.people'
    )
    assert "everybody may read it" in said.message_detail
    assert (db.content("prod"), db.column(KEPT)) == (before, ["email"])
    # What it says clears them, and then it goes.
    assert said.message_hint.startswith("Run VACUUM FULL prod.people;")
    db.execute("VACUUM FULL prod.people")
    assert db.column(KEPT) == []
    mask(db)
    assert "ada@work.example" not in db.column("SELECT email FROM prod.people")


def test_values_of_a_target_that_is_taken_over_stop_a_run_too(db):
    db.execute("""
      CREATE SCHEMA staging;
      CREATE TABLE staging.people (id integer, note text) USING paged;
      INSERT INTO staging.people VALUES (1, 'a');
      ALTER TABLE staging.people ADD email text DEFAULT 'zoe@work.example'""")
    before = db.content("staging")
    said = db.sync_refused("55000", options='{"adopt": true}')
    assert said.message_hint.startswith("Run VACUUM FULL staging.people;")
    assert db.content("staging") == before
    db.execute("VACUUM FULL staging.people")
    db.sync(options='{"adopt": true}')
    assert db.value("SELECT count(*) FROM staging.people WHERE email ~ '^user_'") == 2
