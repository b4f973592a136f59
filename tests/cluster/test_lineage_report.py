"""Reports of the lineage: history, Markdown, JSON, and the HTML page in a real browser."""

import json

import pages

from samples import keep_all, make_small, profile
from tampering import tamper

TABLE = "orders <script>alert(1)</script>|`"
COLUMN = "mail\"'><img src=x onerror=alert(1)>\u202e[x](javascript:y)"
SHOWN = COLUMN.replace("\u202e", "\\u{202e}")
CALLS = [
    "SELECT confiture.lineage_report()",
    "SELECT confiture.lineage_report(NULL, NULL, 'html')",
    "SELECT * FROM confiture.lineage_history()",
]


def quoted(name):
    """A name for a statement."""
    return '"' + name.replace('"', '""') + '"'


def make_hostile(db):
    """A run over a table and a column whose names mean something to HTML and Markdown."""
    db.execute("CREATE SCHEMA prod")
    db.execute(
        f"CREATE TABLE prod.{quoted(TABLE)} (id int PRIMARY KEY, {quoted(COLUMN)} text, code text,"
        " card text)"
    )
    db.execute(
        f"INSERT INTO prod.{quoted(TABLE)} VALUES (1, 'ann@x.example', 'a', '4111111111'),"
        " (2, NULL, 'b', '4222222222'), (3, 'bob@x.example', 'a', '4333333333')"
    )
    strategies = {
        "list": {"type": "choice", "config": {"choices": ["a"]}},
        "digits": {"type": "fpe", "config": {"alphabet": "digits"}},
        "gone": {"type": "null"},
    }
    rules = {COLUMN: "mail", "code": "list", "card": "digits"}
    # A name that is no plain word stands in double quotes.
    db.load(profile({quoted(TABLE): rules}, strategies=strategies))
    db.sync()


def report(db, form="markdown", schema=None, table=None):
    """The report in a format."""
    return db.value("SELECT confiture.lineage_report(%s, %s, %s)", [schema, table, form])


def document(db, **more):
    """The report as JSON, read."""
    return json.loads(report(db, "json", **more))


def test_the_history_says_what_happened_run_by_run(db):
    make_small(db)
    db.sync()
    db.load(profile({"people": {"email": "mail", "note": "redact"}}, version="2"))
    db.sync()
    rows = db.rows(
        "SELECT profile_version, target_column, strategy, rows_seen, rows_changed, rows_unchanged,"
        " nulls, reversible, commitment_state, origin, source_schema, target_schema, target_table"
        " FROM confiture.lineage_history()"
    )
    same = ("prod", "staging", "people")
    assert rows == [
        ("2", "email", "email", 3, 3, 0, 0, False, "verifiable", "run", *same),
        ("2", "note", "redact", 3, 2, 0, 1, False, "verifiable", "run", *same),
        ("1", "email", "email", 3, 3, 0, 0, False, "verifiable", "run", *same),
    ]
    facts = db.rows(
        "SELECT DISTINCT h.who, h.profile, h.finished_at = e.timestamp"
        " FROM confiture.lineage_history() h JOIN confiture.audit_log e"
        " ON e.run_id = h.run_id AND e.event = 'COMPLETED'"
    )
    assert facts == [("postgres", "small", True)]
    count = "SELECT count(*) FROM confiture.lineage_history(%s, %s)"
    assert db.value(count, ["staging", None]) == 3
    assert db.value(count, [None, "people"]) == 3
    assert db.value(count, ["prod", None]) == 0
    assert db.value(count, ["staging", "others"]) == 0


def test_the_report_counts_and_names_the_state_of_the_ledger(db):
    make_hostile(db)
    db.sync()
    found = document(db)
    assert found["verification"]["status"] == "ok"
    last = db.value("SELECT max(seq) FROM confiture.audit_log")
    assert found["verification"]["entries_without_anchor"] == last
    assert found["verification"]["last_entry"]["seq"] == last
    assert found["verification"]["last_entry"]["entry_hash"] == db.value(
        "SELECT encode(entry_hash, 'hex') FROM confiture.audit_log ORDER BY seq DESC LIMIT 1"
    )
    summary = found["summary"]
    assert (summary["tables"], summary["columns"]) == (1, 3)
    assert summary["columns_with_unchanged_values"] == 1
    assert summary["columns_reversible"] == 1
    columns = {column["column_name"]: column for column in found["columns"]}
    assert columns[COLUMN]["runs"] == 2 and columns[COLUMN]["rows_changed"] == 2
    assert columns["code"]["rows_unchanged"] == 2
    assert columns["card"]["reason"] == "a key gives originals back"
    assert [len(run["columns"]) for run in found["runs"]] == [3, 3]
    assert found["entries_left_out"] == 0
    assert document(db, table="others")["columns"] == []
    assert len(document(db, schema="staging", table=TABLE)["columns"]) == 3


def test_a_column_is_anonymised_only_when_no_key_tells_of_it(db):
    db.execute("CREATE SCHEMA prod")
    db.execute("CREATE TABLE prod.t (id int PRIMARY KEY, a text, b text, c text)")
    db.execute("INSERT INTO prod.t VALUES (1, '4111111111', 'ann@x.example', 'note')")
    strategies = {"digits": {"type": "fpe", "config": {"alphabet": "digits"}}}
    rules = {"a": "digits", "b": "mail", "c": "redact"}
    db.load(profile({"t": rules}, strategies=strategies))
    db.sync()

    def standings():
        return [column["standing"] for column in document(db)["columns"]]

    assert standings() == ["pseudonymised"] * 3
    db.value("SELECT confiture.shred_run_key(run_id) FROM confiture.lineage LIMIT 1")
    assert standings() == ["pseudonymised", "pseudonymised", "anonymised"]


def test_a_report_of_a_ledger_that_was_tampered_with_says_so(db):
    make_small(db)
    db.sync()
    tamper(db, "UPDATE confiture.lineage SET rows_unchanged = 0, rows_changed = 99")
    assert document(db)["verification"]["status"] == "fail"
    assert "**fail**" in report(db)
    assert "<strong>Ledger: fail.</strong>" in report(db, "html")


def test_markdown_of_hostile_names_is_a_table_still(db):
    make_hostile(db)
    text = report(db)
    assert "<script" not in text and "<img" not in text and "\u202e" not in text
    rows = [line for line in text.splitlines() if "\\u\\{202e\\}" in line]
    assert len(rows) == 2
    for row in rows:
        cells = row.replace("\\|", "").strip("|").split("|")
        assert len(cells) in (10, 11), row


def test_what_a_report_refuses(db):
    for arguments in ["NULL, NULL, 'pdf'", "NULL, NULL, NULL"]:
        db.refused("22023", f"SELECT confiture.lineage_report({arguments})")
    # An empty ledger has a report too.
    assert "No masked column is on record." in report(db)
    assert "No masked column is on record." in report(db, "html")


def test_an_auditor_may_and_nobody_else(db):
    make_small(db)
    db.sync()
    auditor, stranger, caller = (db.role(stem) for stem in ["auditor", "stranger", "caller"])
    db.execute("SELECT confiture.grant_access('auditor', %s)", [auditor])
    # EXECUTE alone is not enough: the functions read with the rights of the caller.
    db.execute(f'GRANT USAGE ON SCHEMA confiture TO "{stranger}", "{caller}"')
    db.execute(
        "GRANT EXECUTE ON FUNCTION confiture.lineage_report(text, text, text),"
        f' confiture.lineage_history(text, text) TO "{caller}"'
    )
    auditor, stranger, caller = (db.session(role) for role in [auditor, stranger, caller])
    for call in CALLS:
        assert auditor.rows(call)
        stranger.refused("42501", call)
        caller.refused("42501", call)


def test_objects_of_the_caller_do_not_get_into_a_report(db):
    make_small(db)
    db.sync()
    role = db.role("auditor")
    db.execute("SELECT confiture.grant_access('auditor', %s)", [role])
    auditor = db.session(role)
    auditor.execute(
        "CREATE FUNCTION pg_temp.encode(bytea, text) RETURNS text LANGUAGE sql"
        " AS $$ SELECT 'planted' $$"
    )
    auditor.execute("CREATE TEMPORARY TABLE lineage_columns (seq bigint)")
    auditor.execute("SET search_path = pg_temp, pg_catalog")
    assert "planted" not in report(auditor, "json")
    assert len(document(auditor)["columns"]) == 1


def test_the_page_opens_in_a_browser_without_a_complaint_or_a_request(db, chromium, tmp_path):
    make_hostile(db)
    file = tmp_path / "lineage.html"
    file.write_text(report(db, "html"), encoding="utf-8")
    pages.loads_nothing(chromium, file)
    shown = chromium.value("document.body.innerText")
    for words in [
        "Lineage of masked columns",
        "Ledger: ok.",
        TABLE,
        SHOWN,
        "a key gives originals back",
        "verifiable",
    ]:
        assert words in shown, words
    assert chromium.value("document.links.length") == 0
    # Both tables of columns have every row, with as many cells as heads.
    rows = pages.cells_are_whole(chromium)
    assert chromium.value("document.querySelectorAll('tbody th[scope=row]').length") == rows
    assert chromium.value("document.documentElement.lang") == "en"


def test_the_page_can_be_read_in_light_dark_on_paper_and_on_a_phone(db, chromium, tmp_path):
    make_hostile(db)
    file = tmp_path / "lineage.html"
    file.write_text(report(db, "html"), encoding="utf-8")
    chromium.open(file)
    pages.can_be_read(chromium)
    pages.is_reached_by_keyboard(chromium)


def test_a_page_of_many_columns_prints(db, chromium, tmp_path):
    names = [f"c{i}" for i in range(60)]
    columns = ", ".join(f"{name} text" for name in names)
    db.execute(f"CREATE SCHEMA prod; CREATE TABLE prod.t (id int PRIMARY KEY, {columns})")
    db.execute("INSERT INTO prod.t (id) VALUES (1)")
    rules = [{"column": name, "strategy": "hash"} for name in names]
    db.load(profile({"t": {"rules": rules, **keep_all()}}))
    db.sync()
    file = tmp_path / "lineage.html"
    file.write_text(report(db, "html"), encoding="utf-8")
    chromium.open(file)
    chromium.width(1280)
    assert chromium.value("document.querySelectorAll('tbody tr').length") >= 120
    assert len(chromium.capture("printToPDF", preferCSSPageSize=True)) > 10_000
