"""Five schemas as one meets them in production: the lines of their README, run as a reader would.

`CONFITURE_WRITE=1` puts what they print into `expected.txt`.
"""

import os
import re
import subprocess

import pytest

from catalog import structure
from server import ROOT, Database

EXAMPLES = ROOT / "examples"
LINES = re.compile(r"^```sh\n(.*?)^```\n", re.MULTILINE | re.DOTALL)

# Values that tell who somebody is, long enough that no pseudonym holds one by chance: they are
# nowhere in a dump of the target.
TELLING = {
    "webshop": "SELECT email FROM prod.customers UNION SELECT card_number FROM prod.payments"
    " UNION SELECT session_token::text FROM prod.customers",
    "hospital": "SELECT last_name FROM prod.patients UNION SELECT email FROM prod.patients"
    " UNION SELECT insurance_no FROM prod.patients UNION SELECT phone FROM prod.patients",
    "bank": "SELECT last_name FROM prod.customers UNION SELECT email FROM prod.customers"
    " UNION SELECT iban FROM prod.accounts UNION SELECT number FROM prod.cards"
    " UNION SELECT cvv_hash FROM prod.cards UNION SELECT counterparty_iban FROM prod.transfers"
    " UNION SELECT street FROM prod.customers",
    "saas": "SELECT email FROM prod.users UNION SELECT full_name FROM prod.users"
    " UNION SELECT 'home.' || email FROM prod.users UNION SELECT id::text FROM prod.users"
    " UNION SELECT profile ->> 'recovery_code' FROM prod.users UNION SELECT secret FROM prod.api_keys"
    " UNION SELECT billing_email FROM prod.tenants UNION SELECT company FROM prod.tenants"
    " UNION SELECT jsonb_object_keys(body -> 'shared_with') FROM prod.documents"
    " UNION SELECT slug FROM prod.tenants WHERE slug <> 'northolme'",
    "staff": "SELECT last_name FROM prod.employees UNION SELECT email FROM prod.employees"
    " UNION SELECT iban FROM prod.employees UNION SELECT phone FROM prod.employees",
}
# What stands for one row may be the true value of another: a near value, one of few numbers. These
# are compared row by row.
NEAR = {"noise", "date_shift", "generalize", "round", "map", "fpe"}
# Texts in which there is nothing to find stay as they are.
HARMLESS = re.compile(r"Invoice 2025-\d+")
# What stands for nothing in the original as well.
NEUTRAL = {"{}"}

ORPHANS = """
SELECT format('SELECT count(*) FROM %s AS f WHERE %s AND NOT EXISTS (SELECT FROM %s AS p WHERE %s)',
         k.conrelid::regclass,
         string_agg(format('f.%I IS NOT NULL', a.attname), ' AND '), k.confrelid::regclass,
         string_agg(format('p.%I = f.%I', b.attname, a.attname), ' AND '))
  FROM pg_constraint AS k
 CROSS JOIN LATERAL unnest(k.conkey, k.confkey) AS c (own, other)
  JOIN pg_attribute AS a ON a.attrelid = k.conrelid AND a.attnum = c.own
  JOIN pg_attribute AS b ON b.attrelid = k.confrelid AND b.attnum = c.other
 WHERE k.contype = 'f' AND k.convalidated AND k.conparentid = 0
   AND k.connamespace = 'staging'::regnamespace
 GROUP BY k.oid, k.conrelid, k.confrelid ORDER BY k.oid"""

PRIMARY_KEY = """
SELECT string_agg(quote_ident(a.attname), ', ') FROM pg_index AS i
  JOIN pg_attribute AS a ON a.attrelid = i.indrelid AND a.attnum = ANY (i.indkey)
 WHERE i.indrelid = %s::regclass AND i.indisprimary"""


@pytest.fixture(params=sorted(TELLING), scope="module")
def example(request, server):
    """An example that has run, with the database that it made."""
    if not server.key_file_is_there():
        server.create_database().drop()
    folder = EXAMPLES / request.param
    [lines] = LINES.findall((folder / "README.md").read_text(encoding="utf-8"))
    done = subprocess.run(
        ["bash", "-euo", "pipefail", "-c", lines],
        env={**server.environment, "PSQLRC": "/dev/null"},
        cwd=folder, capture_output=True, text=True, check=False,
    )
    database = Database(server, request.param)
    database.folder, database.done = folder, done
    yield database
    database.drop()


def test_the_lines_of_the_page_print_what_is_expected(example):
    assert example.done.returncode == 0 and "ERROR" not in example.done.stderr, example.done.stderr
    printed = "".join(f"{line.rstrip()}\n" for line in example.done.stdout.splitlines())
    expected = example.folder / "expected.txt"
    if os.environ.get("CONFITURE_WRITE"):
        expected.write_text(printed, encoding="utf-8")
    assert printed == expected.read_text(encoding="utf-8")


def test_it_is_small(example):
    tables = example.column("SELECT relid::regclass::text FROM pg_stat_user_tables"
                            " WHERE schemaname = 'prod'")
    assert sum(example.value(f"SELECT count(*) FROM ONLY {table}") for table in tables) <= 2000


def test_no_masked_column_holds_an_original(example):
    [applied] = example.column("SELECT strategies_applied FROM confiture.get_audit_log(1)")
    held = 0
    for table, columns in applied.items():
        table = table.split(".")[-1]
        for column, strategy in columns.items():
            held += 1
            if strategy.split("/")[0] in NEAR:
                keys = example.value(PRIMARY_KEY, [f"prod.{table}"])
                same = example.value(
                    f"SELECT count(*) FROM prod.{table} AS p JOIN staging.{table} AS s"
                    f" USING ({keys}) WHERE p.{column} = s.{column}"
                )
                assert same == 0, (table, column)
                continue
            survivors = example.column(
                f"SELECT DISTINCT {column}::text FROM prod.{table} WHERE {column} IS NOT NULL"
                f" INTERSECT SELECT {column}::text FROM staging.{table}"
            )
            if strategy.startswith("text/"):
                survivors = [text for text in survivors if not HARMLESS.fullmatch(text)]
            assert set(survivors) <= NEUTRAL, (table, column)
    assert held >= 10


def test_nothing_that_tells_who_it_is_is_in_a_dump(example):
    dump = example.server.run("pg_dump", "-n", "staging", database=example.name).stdout.lower()
    values = [value for value in example.column(TELLING[example.name]) if value]
    assert len(values) > 50 and min(map(len, values)) >= 6
    assert [value for value in values if value.lower() in dump] == []


def test_references_hold_and_the_copy_is_built_like_the_original(example):
    queries = example.column(ORPHANS)
    assert len(queries) >= 3
    assert [example.value(query) for query in queries] == [0] * len(queries)
    source, target = structure(example, "prod"), structure(example, "staging")
    if example.name == "saas":
        # One table is left out on purpose.
        source = {sort: [one for one in rows if "api_keys" not in one]
                  for sort, rows in source.items()}
    assert target == source
