"""Runs with the option lineage_rows: the hashes of single rows, and what they tell afterwards."""

import pytest

from samples import profile
from tampering import tamper

ROWS = 5000
OPTION = '{"lineage_rows": true}'


def run_id(db):
    return db.value(
        "SELECT run_id FROM confiture.audit_log WHERE event = 'COMPLETED' ORDER BY seq DESC LIMIT 1"
    )


@pytest.fixture(name="kept")
def _kept(db):
    """More than one chunk of rows, of which some are NULL, and one run that kept them."""
    db.execute(
        "CREATE SCHEMA prod; CREATE TABLE prod.t (a int, b text, email text, note text,"
        " PRIMARY KEY (a, b))"
    )
    db.execute(
        f"INSERT INTO prod.t SELECT i, 'k' || i, nullif('p' || i || '@x.example',"
        f" 'p7@x.example'), 'n' || i % 3 FROM generate_series(1, {ROWS}) i"
    )
    db.load(profile({"t": {"email": "mail", "note": "hash"}}))
    db.sync(options=OPTION)
    return db


def rows(db, column="email", run=None, most=100):
    return db.rows(
        "SELECT * FROM confiture.verify_lineage_rows(%s, 't', %s, %s) ORDER BY 1, 2",
        [run or run_id(db), column, most],
    )


def row(db, key, original, column="email", run=None):
    return db.value(
        "SELECT confiture.verify_lineage_row(%s, 't', %s, %s, %s)",
        [run or run_id(db), column, key, original],
    )


def test_a_run_keeps_the_hashes_of_every_row(kept):
    assert kept.rows(
        "SELECT column_name, chunk, length(original_macs), length(anonymized_macs)"
        " FROM confiture.lineage_row_chunk ORDER BY 1, 2"
    ) == [
        (column, chunk, 32 * count, 32 * count)
        for column in ["email", "note"]
        for chunk, count in [(1, 4096), (2, ROWS - 4096)]
    ]
    assert set(kept.column("SELECT commitment FROM confiture.lineage")) == {"merkle/blake3"}
    details = kept.value("SELECT details FROM confiture.audit_log ORDER BY seq DESC LIMIT 1")
    assert details["lineage_rows"] is True
    assert "OK" in kept.findings()
    assert {
        row[0]
        for row in kept.rows(
            "SELECT confiture.verify_lineage_data(run_id, table_name, column_name)"
            " FROM confiture.lineage"
        )
    } == {"match"}
    # Equal values in other rows have other hashes.
    macs = kept.value(
        "SELECT count(DISTINCT substr(original_macs, 32 * i + 1, 32))"
        " FROM confiture.lineage_row_chunk CROSS JOIN generate_series(0, 4095) i"
        " WHERE column_name = 'note' AND chunk = 1"
    )
    assert macs == 4096


def test_rows_written_later_are_named(kept):
    assert rows(kept) == []
    kept.execute("UPDATE staging.t SET email = 'x@y.example' WHERE a IN (3, 7, 4999)")
    kept.execute("DELETE FROM staging.t WHERE a = 10")
    kept.execute("INSERT INTO staging.t VALUES (9000, 'new', NULL, 'x')")
    assert rows(kept) == [
        ("differs", ["3", "k3"], 1),
        ("differs", ["4999", "k4999"], 1),
        ("differs", ["7", "k7"], 1),
        ("differs", ["9000", "new"], 1),
        ("missing", None, 4),
    ]
    assert len(rows(kept, most=2)) == 3
    assert rows(kept, most=0) == [("missing", None, 4)]
    assert rows(kept, column="note") == [
        ("differs", ["9000", "new"], 1),
        ("missing", None, 1),
    ]
    assert (
        kept.value("SELECT confiture.verify_lineage_data(%s, 't', 'email')", [run_id(kept)])
        == "differs"
    )
    assert "OK" in kept.findings(), "the ledger is whole: the data are not"
    kept.refused(
        "22023", "SELECT confiture.verify_lineage_rows(%s, 't', 'email', -1)", [run_id(kept)]
    )


def test_values_exchanged_between_rows_are_named(kept):
    kept.execute(
        "UPDATE staging.t t SET email = o.email FROM staging.t o"
        " WHERE (t.a, o.a) IN ((20, 21), (21, 20))"
    )
    assert [found[:2] for found in rows(kept)] == [
        ("differs", ["20", "k20"]),
        ("differs", ["21", "k21"]),
        ("missing", None),
    ]


def test_a_value_is_traced_to_its_original_and_that_is_on_record(kept):
    before = kept.value("SELECT count(*) FROM confiture.reveals")
    assert row(kept, ["3", "k3"], "p3@x.example") == "match"
    assert row(kept, ["3", "k3"], "p4@x.example") == "unknown"
    assert row(kept, ["4", "k4"], "p3@x.example") == "unknown"
    assert row(kept, ["7", "k7"], None) == "match"
    assert row(kept, ["999999", "k"], None) == "unknown"
    kept.execute("UPDATE staging.t SET email = 'x@y.example' WHERE a = 3")
    assert row(kept, ["3", "k3"], "p3@x.example") == "differs"
    kept.execute("DELETE FROM staging.t WHERE a = 4")
    assert row(kept, ["4", "k4"], "p4@x.example") == "differs"
    assert kept.value("SELECT count(*) FROM confiture.reveals") == before + 7
    assert set(kept.column("SELECT about FROM confiture.reveals")) == {"verify_lineage_row"}
    call = "SELECT confiture.verify_lineage_row(%s, 't', 'email', %s, 'x')"
    kept.refused("22023", call, [run_id(kept), ["3"]])
    kept.refused("22023", call, [run_id(kept), ["three", "k3"]])
    kept.refused("22023", call, [run_id(kept), ["3", None]])


@pytest.mark.parametrize(
    ("statement", "code"),
    [
        (
            "UPDATE confiture.lineage_row_chunk SET original_macs = set_byte(original_macs, 77,"
            " 255 - get_byte(original_macs, 77)) WHERE chunk = 2 AND column_name = 'note'",
            "E06",
        ),
        (
            "UPDATE confiture.lineage_row_chunk SET anonymized_macs = set_byte(anonymized_macs, 0,"
            " 255 - get_byte(anonymized_macs, 0)) WHERE chunk = 1 AND column_name = 'note'",
            "E06",
        ),
        ("UPDATE confiture.lineage_row_chunk SET chunk = 3 WHERE chunk = 2", "E06"),
        (
            "UPDATE confiture.lineage_row_chunk SET column_name = 'notes'"
            " WHERE column_name = 'note'",
            "E05",
        ),
        ("UPDATE confiture.lineage_row_chunk SET table_name = 's'", "E05"),
        (
            "UPDATE confiture.lineage_row_chunk SET run_id = gen_random_uuid() WHERE chunk = 2",
            "E05",
        ),
        ("DELETE FROM confiture.lineage_row_chunk WHERE chunk = 2 AND column_name = 'note'", "E06"),
        ("TRUNCATE confiture.lineage_row_chunk", "E06"),
        (
            "INSERT INTO confiture.lineage_row_chunk SELECT run_id, table_name, column_name, 3,"
            " original_macs, anonymized_macs FROM confiture.lineage_row_chunk WHERE chunk = 2",
            "E06",
        ),
    ],
)
def test_hashes_that_were_tampered_with_show(kept, statement, code):
    kept.refused("42501", statement)
    tamper(kept, statement)
    found = kept.findings()
    assert found.get(code, (None,))[0] == "fail" and "OK" not in found, found
    if code == "E06":
        assert (
            kept.value("SELECT confiture.verify_lineage_data(%s, 't', 'note')", [run_id(kept)])
            == "unverifiable"
        )


def test_with_the_key_of_its_run_the_hashes_go(kept):
    first = run_id(kept)
    kept.sync(options=OPTION)
    assert kept.value("SELECT confiture.shred_run_key(%s)", [first]) is True
    assert (
        kept.value("SELECT count(*) FROM confiture.lineage_row_chunk WHERE run_id = %s", [first])
        == 0
    )
    assert kept.value("SELECT count(*) FROM confiture.lineage_row_chunk") == 4
    assert "OK" in kept.findings()
    kept.refused("55000", "SELECT confiture.verify_lineage_rows(%s, 't', 'email')", [first])
    assert rows(kept) == []


def test_a_run_that_failed_keeps_none(kept):
    kept.execute(
        "CREATE FUNCTION staging.late() RETURNS trigger LANGUAGE plpgsql AS"
        " $$ BEGIN IF new.a > 4990 THEN RAISE 'too late'; END IF; RETURN new; END $$;"
        "CREATE TRIGGER late BEFORE INSERT ON staging.t"
        " FOR EACH ROW EXECUTE FUNCTION staging.late()"
    )
    kept.sync_refused("P0001", options='{"lineage_rows": true, "triggers": "fire"}')
    assert kept.value("SELECT count(DISTINCT run_id) FROM confiture.lineage_row_chunk") == 1
    assert "OK" in kept.findings()


def test_only_runs_that_ask_for_it_keep_rows(kept):
    kept.sync()
    run = run_id(kept)
    kept.refused("55000", "SELECT confiture.verify_lineage_rows(%s, 't', 'email')", [run])
    kept.refused(
        "55000", "SELECT confiture.verify_lineage_row(%s, 't', 'email', '{1,k1}', 'x')", [run]
    )
    kept.sync(options='{"lineage_rows": true, "lineage": "hmac-sha256"}')
    assert rows(kept) == []
    kept.sync_refused("22023", options='{"lineage_rows": true, "lineage": "off"}')


def test_rows_without_a_key_are_bound_to_the_column_only(db):
    db.execute("CREATE SCHEMA prod; CREATE TABLE prod.t (email text)")
    db.execute("INSERT INTO prod.t VALUES ('a@x.example'), ('a@x.example'), (NULL)")
    db.load(profile({"t": {"email": "mail"}}))
    db.sync(options=OPTION)
    assert rows(db) == []
    db.execute("UPDATE staging.t SET email = 'b@y.example' WHERE email IS NULL")
    assert rows(db) == [("differs", [], 1), ("missing", None, 1)]
    db.refused(
        "55000", "SELECT confiture.verify_lineage_row(%s, 't', 'email', '{}', 'x')", [run_id(db)]
    )


def test_who_may_ask(kept):
    auditor, revealer, nobody = (kept.role(stem) for stem in ("auditor", "revealer", "nobody"))
    kept.execute(f"SELECT confiture.grant_access('auditor', '{auditor}')")
    kept.execute(f"SELECT confiture.grant_access('revealer', '{revealer}')")
    for role in (auditor, revealer):
        kept.execute(f'GRANT USAGE ON SCHEMA staging TO "{role}"')
        kept.execute(f'GRANT SELECT ON staging.t TO "{role}"')
    run = run_id(kept)
    one = "SELECT confiture.verify_lineage_row(%s, 't', 'email', '{3,k3}', 'p3@x.example')"
    many = "SELECT * FROM confiture.verify_lineage_rows(%s, 't', 'email')"
    assert kept.session(auditor).rows(many, [run]) == []
    kept.session(auditor).refused("42501", one, [run])
    assert kept.session(revealer).value(one, [run]) == "match"
    kept.session(revealer).refused("42501", many, [run])
    for statement in (one, many):
        kept.session(nobody).refused("42501", statement, [run])
    kept.execute(f'REVOKE SELECT ON staging.t FROM "{auditor}"')
    kept.session(auditor).refused("42501", many, [run])
    assert kept.value("SELECT user_name FROM confiture.reveals") == revealer
    kept.refused("55000", "SELECT confiture._run_mac(0, 0, 'x'::text)")


def test_a_dump_takes_the_hashes_along(kept, bare, tmp_path):
    path = tmp_path / "dump"
    kept.server.run("pg_dump", "-Fc", "-f", path, database=kept.name)
    kept.server.run("pg_restore", "--exit-on-error", "-d", bare.name, path)
    restored = bare.session()
    assert "OK" in restored.findings()
    assert rows(restored) == []
    assert row(restored, ["3", "k3"], "p3@x.example") == "match"


def test_code_of_whoever_owns_the_target_now_does_not_run(kept):
    dev = kept.role("dev")
    run = run_id(kept)
    kept.execute(f'ALTER SCHEMA staging OWNER TO "{dev}"; ALTER TABLE staging.t OWNER TO "{dev}"')
    kept.execute(f'ALTER ROLE "{dev}" SET search_path = staging')
    session = kept.session(dev)
    calls = (
        "SELECT confiture.verify_lineage_data(%s, 't', 'email')",
        "SELECT confiture.verify_lineage_rows(%s, 't', 'email')",
        "SELECT confiture.verify_lineage_row(%s, 't', 'email', '{3,k3}', 'p3@x.example')",
    )
    for call in calls:
        kept.execute(call, [run])
    session.execute(
        "CREATE FUNCTION staging.evil(int) RETURNS bool LANGUAGE plpgsql IMMUTABLE AS"
        " $$ BEGIN RETURN true; END $$"
    )
    session.execute("CREATE INDEX late ON staging.t (a) WHERE staging.evil(1)")
    for call in calls:
        kept.refused("42501", call, [run])
    session.execute("DROP INDEX staging.late")
    session.execute("CREATE DOMAIN staging.address AS text")
    session.execute("ALTER TABLE staging.t ALTER note TYPE staging.address")
    for call in calls:
        kept.refused("42501", call, [run])


def test_equal_values_without_a_key_are_counted(db):
    db.execute("CREATE SCHEMA prod; CREATE TABLE prod.t (email text)")
    db.execute("INSERT INTO prod.t VALUES ('a@x.example'), ('a@x.example'), ('b@x.example')")
    db.load(profile({"t": {"email": "mail"}}))
    db.sync(options=OPTION)
    db.execute(
        "INSERT INTO staging.t SELECT email FROM staging.t GROUP BY email HAVING count(*) = 2"
    )
    assert rows(db) == [("differs", [], 1)]
    db.execute(
        "DELETE FROM staging.t WHERE email IN"
        " (SELECT email FROM staging.t GROUP BY email HAVING count(*) = 3)"
    )
    assert rows(db) == [("missing", None, 2)]


def test_a_value_is_traced_however_it_is_written(db):
    db.execute(
        "CREATE SCHEMA prod; CREATE TABLE prod.t (a numeric, b interval, email varchar(60),"
        " code char(6), PRIMARY KEY (a, b))"
    )
    db.execute("INSERT INTO prod.t VALUES (1.50, '48 hours', 'ann@x.example', 'ab')")
    db.load(
        profile(
            {"t": {"email": "mail", "code": "list"}},
            strategies={"list": {"type": "choice", "config": {"choices": ["cd"]}}},
        )
    )
    db.sync(options=OPTION)
    for key in (["1.50", "48:00:00"], ["1.5", "2 days"], ["1.500", "48 hours"]):
        assert row(db, key, "ann@x.example") == "match"
        assert row(db, key, "bob@x.example") == "unknown"
    assert row(db, ["1.5", "2 days"], "ab", column="code") == "match"
    assert row(db, ["1.5", "2 days"], "abcdefgh", column="code") == "unknown"
    assert row(db, ["1.5", "2 days"], "ann@x.example" + "n" * 60) == "unknown"
    report = db.refused(
        "22023",
        "SELECT confiture.verify_lineage_row(%s, 't', 'email', '{ann.secret,2 days}', 'x')",
        [run_id(db)],
    )
    assert "secret" not in str(report.message_primary) + str(report.message_detail)
    assert "ann.secret" not in "".join(
        line for line in db.server.log().splitlines() if "STATEMENT" not in line
    )


@pytest.mark.parametrize(
    "key",
    ["", ", PRIMARY KEY (b, a)", ", PRIMARY KEY (a)", ", UNIQUE (b)"],
    ids=["none", "other order", "less", "another constraint"],
)
@pytest.mark.parametrize("options", ["{}", OPTION], ids=["sums", "rows"])
def test_a_target_with_another_key_is_held_by_that_of_the_source(db, key, options):
    db.execute(
        "CREATE SCHEMA prod; CREATE TABLE prod.t (a int, b int, email text, PRIMARY KEY (a, b));"
        " INSERT INTO prod.t SELECT i, 10 * i, 'p' || i || '@x.example'"
        " FROM generate_series(1, 9) i; CREATE SCHEMA staging;"
        f" CREATE TABLE staging.t (a int NOT NULL, b int NOT NULL, email text{key})"
    )
    db.load(profile({"t": {"email": "mail"}}))
    more = options.replace("{", '{"adopt": true, ').replace(", }", "}")
    db.sync(options=more)
    data = "SELECT confiture.verify_lineage_data(%s, 't', 'email')"
    assert db.value(data, [run_id(db)]) == "match"
    if options == OPTION:
        assert rows(db) == []
        assert row(db, ["2", "20"], "p2@x.example") == "match"
        db.execute("UPDATE staging.t SET email = 'x' WHERE a = 3")
        assert rows(db) == [("differs", ["3", "30"], 1), ("missing", None, 1)]


def test_a_key_that_is_altered_later_changes_no_answer(kept):
    kept.execute("ALTER TABLE staging.t DROP CONSTRAINT t_pkey")
    assert rows(kept) == []
    assert row(kept, ["3", "k3"], "p3@x.example") == "match"
    kept.execute("ALTER TABLE staging.t RENAME a TO z")
    kept.refused(
        "42703", "SELECT * FROM confiture.verify_lineage_rows(%s, 't', 'email')", [run_id(kept)]
    )


def test_what_does_not_fit_its_column_is_unknown(db):
    db.execute(
        "CREATE SCHEMA prod; CREATE TABLE prod.t (a varchar(3) PRIMARY KEY, email text,"
        " tags varchar(3)[], bits bit(3), amount numeric(6, 2));"
        " INSERT INTO prod.t VALUES ('abc', 'ann@x.example', '{abc,def}', '101', 1.56)"
    )
    drop = {"type": "null"}
    strategies = {"drop": drop}
    masks = {"email": "mail", "tags": "drop", "bits": "drop", "amount": "drop"}
    db.load(profile({"t": masks}, strategies=strategies))
    db.sync(options=OPTION)
    assert row(db, ["abc"], "ann@x.example") == "match"
    assert row(db, ["abcdef"], "ann@x.example") == "unknown"
    for column, right, wrong in (
        ("tags", "{abc,def}", "{abcXXX,defYYY}"),
        ("bits", "101", "10111"),
        ("amount", "1.56", "1.555"),
    ):
        assert row(db, ["abc"], right, column=column) == "match"
        assert row(db, ["abc"], wrong, column=column) == "unknown"
    db.execute("DELETE FROM staging.t")
    assert row(db, ["abc"], "ann@x.example") == "differs"
    assert row(db, ["abcdef"], "ann@x.example") == "unknown"


def test_who_may_not_read_the_table_is_told_so(kept):
    clerk = kept.session(user=kept.role("clerk"))
    name = clerk.value("SELECT session_user")
    for kind in ("revealer", "auditor"):
        kept.execute("SELECT confiture.grant_access(%s, %s)", [kind, name])
    clerk.refused(
        "42501",
        "SELECT confiture.verify_lineage_row(%s, 't', 'email', '{1,k1}', 'x')",
        [run_id(kept)],
    )
