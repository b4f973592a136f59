"""The smallest change of every column of every row of the ledger, with the guards put back."""

import psycopg
import pytest

from many_entries import by_chain, make_entries
from tampering import COMMANDERS

# How a value of each type is changed by as little as there is, and otherwise if that place is taken.
# {0} is the column. A change that a constraint refuses leaves nothing to find.
FLIPS = {
    "bigint": ["{0} # 1", "{0} + 1000", "-{0} - 1"],
    "integer": ["{0} # 1", "-{0} - 1"],
    "smallint": ["{0} # 1::smallint", "-{0} - 1::smallint"],
    "text": [
        "coalesce(nullif(chr(ascii({0}) # 1) || substr({0}, 2), '\x01'), 'x')",
        "{0} || ' '",
        "upper({0}) || lower({0})",
    ],
    "uuid": [
        "encode(set_byte(uuid_send({0}), 15, get_byte(uuid_send({0}), 15) # 1), 'hex')::uuid",
        "encode(set_byte(uuid_send({0}), 0, get_byte(uuid_send({0}), 0) # 128), 'hex')::uuid",
    ],
    "bytea": [
        "set_byte({0}, 0, get_byte({0}, 0) # 1)",
        "set_byte({0}, length({0}) - 1, get_byte({0}, length({0}) - 1) # 128)",
        "{0} || '\\x00'",
        "substr({0}, 2)",
        "''::bytea",
    ],
    "timestamp with time zone": ["{0} + interval '1 microsecond'", "'infinity'"],
    "boolean": ["NOT {0}"],
    "text[]": [
        "{0} || ''::text",
        "{0}[2:]",
        "array_append(array_remove({0}, {0}[1]), {0}[1] || ' ')",
        "ARRAY[array_to_string({0}, ',')] || 'x'::text",
        "{0} || NULL::text",
    ],
    "jsonb": [
        "CASE jsonb_typeof({0}) WHEN 'object' THEN {0} || '{{\"x\": 1}}' ELSE {0} || '[1]' END",
        "replace({0}::text, 'e', 'f')::jsonb",
        "regexp_replace({0}::text, '[0-9]', '7')::jsonb",
        "'{{}}'",
        "'[]'",
        "'null'",
        "to_jsonb({0}::text)",
    ],
}
# What a column that is NULL may become.
SET = {
    "bigint": ["0", "1"],
    "integer": ["0"],
    "text": ["''", "'x'"],
    "uuid": ["'00000000-0000-0000-0000-000000000000'"],
    "bytea": ["''", "sha256('')"],
    "boolean": ["false", "true"],
    "text[]": ["'{}'", "'{\"\"}'"],
    "jsonb": ["'null'", "'{}'", "'[]'"],
}
# The cell of which this is said otherwise than by the hash of its entry.
OTHERWISE = {("audit_log", "signature"): "E02", ("lineage", "signature"): "E02"}
# Never trusted: when the head was moved is in the entry.
FREE = {("ledger_head", "updated_at")}


@pytest.fixture(scope="module")
def full(server):
    """A ledger with every kind of entry, and a session that tampers in transactions."""
    db = server.create_database()
    make_entries(db)
    before = by_chain(db)
    assert ("OK", "ok") in {row[:2] for row in before} and "fail" not in {row[1] for row in before}
    kinds = set(db.events())
    assert kinds >= {
        "KEY_CREATED", "STARTED", "COMPLETED", "FAILED", "KEY_ROTATED", "RUN_KEY_SHREDDED",
        "ANCHORED", "CONFIG",
    }
    assert db.value("SELECT count(*) FROM confiture.lineage") >= 3
    assert db.value("SELECT count(*) FROM confiture.journal") >= 3
    yield db
    db.drop()


def columns(db, table):
    """The columns as the catalog has them: {name: (type, may be NULL)}."""
    rows = db.rows(
        "SELECT attname, format_type(atttypid, atttypmod), NOT attnotnull FROM pg_attribute"
        " WHERE attrelid = %s::regclass AND attnum > 0 AND NOT attisdropped ORDER BY attnum",
        [f"confiture.{table}"],
    )
    return {name: (kind, may) for name, kind, may in rows}


class Tampering:
    """Changes a table behind its guards, looks, and takes the change back."""

    def __init__(self, db, table):
        self.db = db
        events = db.column(COMMANDERS)
        triggers = db.column(
            "SELECT tgname FROM pg_trigger WHERE tgrelid = %s::regclass AND NOT tgisinternal",
            [f"confiture.{table}"],
        )
        assert events and triggers
        self.off = ";".join(
            [f"ALTER EVENT TRIGGER {name} DISABLE" for name in events]
            + [f"ALTER TABLE confiture.{table} DISABLE TRIGGER {name}" for name in triggers]
        )
        self.on = ";".join(
            [f"ALTER TABLE confiture.{table} ENABLE ALWAYS TRIGGER {name}" for name in triggers]
            + [f"ALTER EVENT TRIGGER {name} ENABLE ALWAYS" for name in events]
        )

    def found_after(self, statement, check=True):
        """What verification says then; None where a constraint refused it or nothing changed."""
        try:
            self.db.execute(f"BEGIN; {self.off}")
            if self.db.execute(statement).rowcount == 0 and check:
                return None
            self.db.execute(self.on)
            return by_chain(self.db)
        except psycopg.Error as error:
            # Unique and check constraints, numbers out of range, no JSON, no place in the bytes.
            if error.diag.sqlstate not in {"23505", "23514", "22003", "22P02", "2202E"}:
                raise
            return None
        finally:
            self.db.execute("ROLLBACK")


def changes(kind, may_be_null, is_null, column):
    """The changes of a cell, as expressions."""
    assert kind in FLIPS, f"a column of the type {kind}: say how it is changed"
    if is_null:
        return SET[kind]
    return [flip.format(f'"{column}"') for flip in FLIPS[kind]] + ["NULL"] * may_be_null


def codes(found, chain):
    return {code for code, status, where in found if status == "fail" and where == chain}


def cells(db, table, key):
    """Every cell: (row, column, type, may be NULL, is NULL)."""
    known = columns(db, table)
    is_null = ", ".join(f'"{name}" IS NULL' for name in known)
    for row in db.rows(f"SELECT {key}, {is_null} FROM confiture.{table} ORDER BY {key}"):
        for (name, (kind, may)), null in zip(known.items(), row[1:], strict=True):
            yield row[0], name, kind, may, null


@pytest.mark.parametrize(("table", "chain"), [("audit_log", "audit"), ("lineage", "lineage")])
def test_the_smallest_change_of_any_column_of_any_entry_is_found(full, table, chain):
    tampering = Tampering(full, table)
    unnoticed, unchanged, tried = [], [], 0
    for seq, name, kind, may, null in cells(full, table, "seq"):
        seen = 0
        for change in changes(kind, may, null, name):
            found = tampering.found_after(
                f'UPDATE confiture.{table} SET "{name}" = {change}'
                f' WHERE seq = {seq} AND "{name}" IS DISTINCT FROM {change}'
            )
            if found is None:
                continue
            seen += 1
            expected = OTHERWISE.get((table, name), "E01")
            if expected not in codes(found, chain) or "OK" in {code for code, *_ in found}:
                unnoticed.append((seq, name, change, sorted(found)))
        tried += seen
        if not seen:
            unchanged.append((seq, name, null))
    assert unnoticed == []
    assert unchanged == [], "a cell that no change was tried of"
    assert tried > len(columns(full, table)) * 3


REWRITE = (
    "CREATE TEMP TABLE saved ON COMMIT DROP AS"
    " SELECT row_number() OVER () AS place, j.* FROM confiture.journal j;"
    "{change}"
    "DELETE FROM confiture.journal;"
    "INSERT INTO confiture.journal SELECT {names} FROM saved ORDER BY place"
)


def test_the_smallest_change_of_any_column_of_any_record_of_the_journal_is_found(full):
    tampering = Tampering(full, "journal")
    names = ", ".join(columns(full, "journal"))
    # In their places: a record that was moved shows by that alone.
    untouched = tampering.found_after(REWRITE.format(change="", names=names), check=False)
    assert untouched == by_chain(full), "what is left as it is, is found to be so"
    unnoticed, unchanged = [], []
    for number, name, kind, may, null in cells(full, "journal", "number"):
        seen = 0
        for change in changes(kind, may, null, name):
            where = f'place = {number} AND "{name}" IS DISTINCT FROM {change}'
            if not full.column(
                f"SELECT 1 FROM (SELECT number AS place, j.* FROM confiture.journal j) s WHERE {where}"
            ) and kind not in ("jsonb",):
                continue
            update = f'UPDATE saved SET "{name}" = {change} WHERE {where};'
            found = tampering.found_after(REWRITE.format(change=update, names=names), check=False)
            if found is None:
                continue
            seen += 1
            expected = {"canon_version": {"E01"}, "number": {"E04", "E02"}}.get(name, {"E02"})
            said = codes(found, "journal")
            if name in ("key_name", "key_version"):
                said |= {"E02"} & {"E02" for code, *_ in found if code == "E11"}
            if not expected & said or "OK" in {code for code, *_ in found}:
                unnoticed.append((number, name, change, sorted(found)))
        if not seen:
            unchanged.append((number, name, null))
    assert unnoticed == []
    assert unchanged == [], "a cell that no change was tried of"


def test_the_smallest_change_of_a_head_is_found_but_for_its_time(full):
    tampering = Tampering(full, "ledger_head")
    free = set()
    for chain, name, kind, may, null in cells(full, "ledger_head", "chain"):
        for change in changes(kind, may, null, name):
            found = tampering.found_after(
                f'UPDATE confiture.ledger_head SET "{name}" = {change}'
                f" WHERE chain = '{chain}' AND \"{name}\" IS DISTINCT FROM {change}"
            )
            if found is None:
                continue
            if "fail" not in {status for _, status, _ in found}:
                free.add(("ledger_head", name))
                assert ("ledger_head", name) in FREE, (chain, change, found)
            else:
                assert "OK" not in {code for code, *_ in found}
    assert free == FREE


@pytest.mark.parametrize(
    "change",
    [
        # Another shape with the same texts in the same order.
        ("tables_synced", "ARRAY[tables_synced]", "tables_synced IS NOT NULL"),
        (
            "tables_synced",
            "('[5:' || 4 + cardinality(tables_synced) || ']=' || tables_synced::text)::text[]",
            "tables_synced IS NOT NULL",
        ),
        # The same number, written otherwise.
        (
            "rows_anonymized",
            "regexp_replace(rows_anonymized::text, ': ([0-9]+)', ': \\1.0')::jsonb",
            "rows_anonymized IS NOT NULL",
        ),
        (
            "details",
            "regexp_replace(details::text, ': ([0-9]+)', ': \\1.00')::jsonb",
            "details::text ~ ': [0-9]+'",
        ),
        # A number that no double holds, one that is none.
        ("details", "details || '{\"x\": 9007199254740993.5}'", "details IS NOT NULL"),
        ("details", "details || '{\"x\": 1e300}'", "details IS NOT NULL"),
        ("details", "details || '{\"x\": 1e-7000}'", "details IS NOT NULL"),
        ("details", "jsonb_set(details, '{deep}', (repeat('[', 5000) || repeat(']', 5000))::jsonb)",
         "details IS NOT NULL"),
        ('"timestamp"', "'-infinity'", "true"),
        ("backend_start", "'4714-11-24 00:00:00+00 BC'", "true"),
    ],
    ids=lambda change: f"{change[0]} {change[1][:40]}",
)
def test_another_writing_of_the_same_and_values_at_the_edge_are_found(full, change):
    column, expression, condition = change
    tampering = Tampering(full, "audit_log")
    (seq,) = full.column(
        f"SELECT seq FROM confiture.audit_log WHERE {condition} ORDER BY seq DESC LIMIT 1"
    )
    found = tampering.found_after(
        f"UPDATE confiture.audit_log SET {column} = {expression} WHERE seq = {seq}"
    )
    assert found is not None
    assert "OK" not in {code for code, *_ in found}
    assert "E01" in codes(found, "audit")
