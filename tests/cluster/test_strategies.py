"""The masks as SQL sees them: types, parameters, NULL, seeds, and where they may stand."""

import re

import pytest

# Every mask with the types it takes and the shape of what it gives.
MASKS = [
    ("anon_hash", "text", "'Ann'", r"[0-9a-f]{20}"),
    ("anon_hash", "smallint", "7", r"\d{1,5}"),
    ("anon_hash", "integer", "7", r"\d{1,10}"),
    ("anon_hash", "bigint", "7", r"\d{1,19}"),
    (
        "anon_hash",
        "uuid",
        "'a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11'",
        r"[0-9a-f-]{14}8[0-9a-f-]{21}",
    ),
    ("anon_hash", "bytea", r"'\xdeadbeef'", r"\\x[0-9a-f]{20}"),
    ("anon_email", "text", "'Ann@Mail.example'", r"[a-z_]*[0-9a-f]{20}@example\.[a-z]+"),
    ("anon_phone", "text", "'+49 (30) 123-45 67'", r"\+\d\d \(\d\d\) \d{3}-\d\d \d\d"),
    ("anon_phone", "integer", "1234567", r"\d{1,7}"),
    ("anon_phone", "bigint", "491234567890", r"\d{1,12}"),
    ("anon_redact", "text", "'Ann'", r"\[REDACTED\]"),
    ("anon_redact", "smallint", "7", "0"),
    ("anon_redact", "integer", "7", "0"),
    ("anon_redact", "bigint", "7", "0"),
    ("anon_redact", "uuid", "'a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11'", r"[0-]{36}"),
    ("anon_redact", "bytea", r"'\xdeadbeef'", r"\\x"),
]
NAMES = [f"{mask}({of})" for mask, of, *_ in MASKS]
# A constant has no space of pseudonyms to choose.
SEEDED = [row for row in MASKS if row[0] != "anon_redact"]


@pytest.fixture(scope="module")
def db(server):
    """One database for all: the masks change nothing."""
    database = server.create_database()
    yield database
    database.drop()


@pytest.mark.parametrize(("mask", "of", "value", "shape"), MASKS, ids=NAMES)
def test_a_mask_gives_the_type_it_takes(db, mask, of, value, shape):
    call = f"{mask}({value}::{of})"
    masked, returned = db.rows(f"SELECT {call}::text, pg_typeof({call})::text")[0]
    assert returned == of
    assert re.fullmatch(shape, masked), masked


@pytest.mark.parametrize(("mask", "of", "value", "shape"), MASKS, ids=NAMES)
def test_a_mask_gives_null_for_null_only(db, mask, of, value, shape):
    assert db.value(f"SELECT {mask}(NULL::{of}) IS NULL AND {mask}({value}::{of}) IS NOT NULL")


@pytest.mark.parametrize(("mask", "of", "value", "shape"), MASKS, ids=NAMES)
def test_a_mask_is_stable_in_a_session_and_across_sessions(db, mask, of, value, shape):
    ask = f"SELECT {mask}({value}::{of})::text"
    assert db.value(ask) == db.value(ask) == db.session().value(ask)


@pytest.mark.parametrize(("mask", "of", "value", "shape"), SEEDED, ids=NAMES[: len(SEEDED)])
def test_a_seed_selects_another_space(db, mask, of, value, shape):
    call = f"{mask}({value}::{of}"
    (masked,) = db.rows(
        f"SELECT {call})::text, {call}, seed => 0)::text, {call}, seed => 1)::text,"
        f" {call}, seed => -1)::text"
    )
    assert masked[0] == masked[1], "the seed is 0 unless told"
    assert len(set(masked)) == 3


@pytest.mark.parametrize("of", ["text", "varchar(40)", "char(20)", "name"])
def test_types_that_are_read_as_text_need_no_cast(db, of):
    db.execute("BEGIN")
    db.execute(f"CREATE TABLE t (email {of})")
    db.execute("INSERT INTO t VALUES ('Ann@mail.example')")
    assert db.value("SELECT anon_email(email) = anon_email('ann@mail.example') FROM t")
    assert db.value("SELECT anon_redact(email) FROM t") == "[REDACTED]"
    db.execute("ROLLBACK")


def test_a_bare_literal_is_a_text(db):
    assert db.value("SELECT anon_hash('x') = anon_hash('x'::text)")
    assert db.value("SELECT anon_redact('x')") == "[REDACTED]"


def test_integer_pseudonyms_stay_in_their_width(db):
    for of, limit in (("smallint", 2**15), ("integer", 2**31), ("bigint", 2**63)):
        for value in (-limit, -1, 0, limit - 1):
            masked = db.value(f"SELECT anon_hash(({value})::{of})")
            assert 0 <= masked < limit


def test_spellings_of_one_address_are_one_pseudonym(db):
    spellings = ["Ann@Mail.example", " ann@mail.example ", "ANN@MAIL.EXAMPLE"]
    assert len({db.value("SELECT anon_email(%s)", [text]) for text in spellings}) == 1
    # Composed and decomposed é.
    assert db.value("SELECT anon_email('caf\u00e9@x.example') = anon_email('cafe\u0301@x.example')")


def test_hash_is_exact_unless_asked(db):
    assert db.value("SELECT anon_hash('Ann') <> anon_hash('ann')")
    assert db.value(
        "SELECT anon_hash('Ann ', canonical => 'text') = anon_hash('ann', canonical => 'text')"
    )


def test_spellings_of_one_number_share_their_digits(db):
    digits = "SELECT regexp_replace(anon_phone(%s), '[^0-9]', '', 'g')"
    assert db.value(digits, ["+49 30 1234567"]) == db.value(digits, ["+49-30-123 45 67"])


@pytest.mark.parametrize(
    ("call", "shape"),
    [
        ("anon_hash('x', length => 64)", r"[0-9a-f]{64}"),
        ("anon_hash('x', algorithm => 'sha512', length => 128)", r"[0-9a-f]{128}"),
        ("anon_hash('x', algorithm => 'blake3', length => 8)", r"[0-9a-f]{8}"),
        ("anon_hash('x', prefix => 'User-', length => 8)", r"User-[0-9a-f]{8}"),
        (r"anon_hash('\x00'::bytea, length => 64)::text", r"\\x[0-9a-f]{64}"),
        ("anon_email('a@corp.example', preserve_domain => true)", r".*[0-9a-f]{20}@corp\.example"),
        ("anon_email('a@corp.example', hash_length => 32)", r".*[0-9a-f]{32}@example\.[a-z]+"),
        (
            "anon_email('a@corp.example', format => 'u-{hash}@example.org')",
            r"u-[0-9a-f]{20}@example\.org",
        ),
        ("anon_phone('+33 6 12', preserve_country_code => true)", r"\+33 \d \d\d"),
        ("anon_redact('secret', style => 'length')", r"\*{6}"),
        ("anon_redact('secret', replacement => 'gone')", "gone"),
        ("anon_redact('secret', style => 'length', replacement => 'x')", "x{6}"),
    ],
    ids=lambda text: text[:50],
)
def test_parameters_shape_the_pseudonym(db, call, shape):
    masked = db.value(f"SELECT {call}")
    assert re.fullmatch(shape, masked), masked


@pytest.mark.parametrize(
    ("call", "parameter"),
    [
        ("anon_hash('x', algorithm => 'md5')", "md5"),
        ("anon_hash('x', algorithm => 'rot13')", "algorithm"),
        ("anon_hash('x', length => 7)", "length"),
        ("anon_hash('x', length => 65)", "length"),
        ("anon_hash('x', canonical => 'maybe')", "canonical"),
        ("anon_email('x', hash_length => 4)", "hash_length"),
        ("anon_email('x', format => 'no hash here@example.com')", "format"),
        ("anon_email('x', format => '{hash}@real-company.com')", "format"),
        ("anon_redact('x', style => 'short')", "style"),
        ("anon_redact('x', style => 'length', replacement => 'two')", "replacement"),
    ],
)
def test_a_wrong_parameter_is_named(db, call, parameter):
    report = db.refused("22023", f"SELECT {call}")
    assert parameter in f"{report.message_primary} {report.message_detail}"


def test_a_mask_does_not_print_the_value_it_fails_on(db):
    report = db.refused(
        "22023", "SELECT anon_hash(v, length => 7) FROM (VALUES ('secret-4711')) AS t (v)"
    )
    assert "secret-4711" not in f"{report.message_primary} {report.message_detail} {report.context}"


def test_the_seed_may_differ_from_row_to_row(db):
    masked = db.column(
        "SELECT anon_hash('x', seed => s) FROM generate_series(1, 50) AS s ORDER BY s"
    )
    assert len(set(masked)) == 50
    assert masked == [
        db.value("SELECT anon_hash('x', seed => %s::bigint)", [seed]) for seed in range(1, 51)
    ]


def test_parallel_workers_give_the_same_pseudonyms(db):
    db.execute(
        "CREATE TABLE IF NOT EXISTS many AS SELECT 'p' || i AS v FROM generate_series(1, 20000) i"
    )
    ask = "SELECT md5(string_agg(h, '' ORDER BY h)) FROM (SELECT anon_hash(v) AS h FROM many) AS t"
    alone = db.value(ask)
    for name, value in (
        ("parallel_setup_cost", 0),
        ("parallel_tuple_cost", 0),
        ("min_parallel_table_scan_size", 0),
    ):
        db.execute(f"SET {name} = {value}")
    assert db.value(ask) == alone
    assert db.value("SELECT count(*) FROM many WHERE anon_email(v) IS NOT NULL") == 20000


def test_a_view_shows_masked_rows(db):
    db.execute("CREATE SCHEMA app")
    db.execute("CREATE TABLE app.users AS SELECT 1 AS id, 'ann@mail.example' AS email")
    db.execute("CREATE VIEW app.masked AS SELECT id, anon_email(email) AS email FROM app.users")
    assert "ann" not in db.value("SELECT email FROM app.masked")


def test_a_million_different_rows_need_no_growing_memory(db):
    # Rows are masked one by one: what is left behind per row would show here.
    before = db.value("SELECT sum(total_bytes) FROM pg_backend_memory_contexts")
    db.execute(
        "SELECT count(anon_email('u' || i || '@mail.example')) FROM generate_series(1, 300000) i"
    )
    assert db.value("SELECT sum(total_bytes) FROM pg_backend_memory_contexts") < before + 8 * 2**20
