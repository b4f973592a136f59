"""A cancel request takes effect while a mask works on one very long value."""

import contextlib
import time

import psycopg
import pytest

# What costs each strategy most; every one takes several seconds as a whole.
ACCENTS = "repeat(E'E\\u0301', 21000000)"
WORDS = "repeat('Ada Lovelace ', 10000000)"
SIGNS = "repeat(E'\\U0001F469\\u200d', 8000000)"
CARDS = "repeat('4111 1111 1111 1111 ', 3000000)"
MARKS = "'a' || repeat(E'\\u0301\\u0323', 15000000)"
LIST = "'[' || repeat('\"ab\",', 12000000) || '1]'"


@pytest.mark.parametrize(
    ("call", "value"),
    [
        ("anon_address({})", ACCENTS),
        ("anon_company({})", ACCENTS),
        ("anon_email({})", ACCENTS),
        ("anon_email({})", MARKS),
        ("anon_fpe({}, on_error => 'redact')", SIGNS),
        ("anon_hash({}, canonical => 'text')", ACCENTS),
        ("anon_job({})", ACCENTS),
        ("anon_json({}, unlisted => 'hash')", LIST),
        ("anon_lorem({})", ACCENTS),
        ("anon_map({}, pairs => '{{\"a\": \"b\"}}', canonical => 'text', on_miss => 'null')", ACCENTS),
        ("anon_mask({})", WORDS),
        ("anon_mask({})", ACCENTS),
        ("anon_mask({})", MARKS),
        ("anon_mask({}, keep => 'phone')", CARDS),
        ("anon_name({})", ACCENTS),
        ("anon_phone({})", ACCENTS),
        ("anon_phone({})", SIGNS),
        ("anon_text({})", CARDS),
        ("anon_username({})", ACCENTS),
    ],
)
def test_a_mask_of_a_long_value_is_canceled_soon(db, call, value):
    db.execute(f"CREATE TEMP TABLE long AS SELECT {value} AS v")
    db.execute("SET statement_timeout = '500ms'")
    started = time.monotonic()
    # On a fast machine it may be done before that.
    with contextlib.suppress(psycopg.errors.QueryCanceled):
        db.execute(f"SELECT length({call.format('v')}) FROM long")
    took = time.monotonic() - started
    assert took < 1.5, f"{took:.1f} s"
