"""Texts that hold an identifier of their own row, and the checks of a run as rows."""

import json

import pytest

from samples import keep_all, profile

ROWS = """
    CREATE SCHEMA prod;
    CREATE TABLE prod.ticket (id int PRIMARY KEY, email text, name varchar(80), phone text,
      account bigint, note text, data jsonb, tags text[], secret text);
    INSERT INTO prod.ticket (id, email, name, phone, account) SELECT i,
      'person' || i || '@mail.example', 'Person Number' || i, '+49 30 ' || 1000000 + i,
      9876543210 + i FROM generate_series(1, 20) i"""

RULES = {"email": "mail", "name": "redact", "phone": "phone", "account": "hash"}


def ticket(**more):
    return profile({"ticket": RULES}, **more)


def found(db):
    """What the checks of the newest run say of texts: {column: (passed, rows)}."""
    rows = db.rows(
        "SELECT column_name, passed, (numbers ->> 'found')::int FROM confiture.verification"
        " WHERE check_name = 'no text holds an identifier of its row'"
        " AND seq = (SELECT max(seq) FROM confiture.verification)"
    )
    return {column: (passed, count) for column, passed, count in rows}


CLEAN = {name: (True, 0) for name in ("note", "data", "tags", "secret")}


def test_clean_texts_pass(db):
    db.execute(ROWS)
    db.execute("""
        UPDATE prod.ticket SET note = 'Personnumber1 wrote to person99@mail.example',
          data = '{"mail": "x@mail.example"}', tags = '{a,b}', secret = 'in person'""")
    db.load(ticket())
    db.sync()
    assert found(db) == CLEAN


@pytest.mark.parametrize(
    ("column", "text"),
    [
        ("note", "'write to PERSON7@Mail.Example.'"),
        ("note", "'Mr person  number7 called'"),
        ("note", "'call 030/1000007 again'"),
        ("note", "'account 9876543217'"),
        ("data", """'{"by": {"mail": "person7@mail.example"}}'"""),
        ("data", r"""'["he said \"Person\u0020Number7\""]'"""),
        ("data", """'{"account": 9876543217}'"""),
        ("tags", "ARRAY['x', 'Person Number7']"),
    ],
)
def test_a_text_that_gives_its_row_away_stops_the_run(db, column, text):
    db.execute(ROWS)
    db.execute(f"UPDATE prod.ticket SET {column} = {text} WHERE id = 7")
    db.load(ticket())
    report = db.sync_refused("23000")
    detail = json.loads(report.message_detail)
    assert (detail["table"], detail["column"], detail["found"]) == ("ticket", column, 1)
    said = " ".join(map(str, [report.message_primary, report.message_detail, report.message_hint]))
    assert "person7" not in said.lower() and "number7" not in said.lower()
    assert db.content("staging") == {}
    # The failure is on record with what was found.
    assert found(db) == {**CLEAN, column: (False, 1)}
    assert "number7" not in str(db.rows("SELECT * FROM confiture.audit_log")).lower()


WRITTEN = {
    "xml": """'<p name="Person Number&#55;"/>'""",
    "xml element": """'<p>O&apos;Person&apos; &lt;person7&#64;mail.example&gt;</p>'""",
    "tsvector": "to_tsvector('simple', 'wrote to person7@mail.example')",
    "prod.pair": """ROW('call "Person Number7"', 1)""",
    "prod.pair[]": """ARRAY[ROW('call "Person Number7"', 1)]::prod.pair[]""",
    "text[]": """ARRAY['call "person7@mail.example"']""",
    "jsonb[]": """ARRAY['{"a": "person7@mail.example"}'::jsonb]""",
    "jsonpath": """'$.a == "person7@mail.example"'""",
}


@pytest.mark.parametrize("kind", WRITTEN)
def test_every_type_that_holds_texts_is_read(db, kind):
    if kind.startswith("xml"):
        db.needs_xml()
    db.execute(ROWS)
    db.execute("CREATE TYPE prod.pair AS (say text, number integer)")
    db.execute(f"ALTER TABLE prod.ticket ADD more {kind.split()[0]}")
    db.load(ticket())
    db.sync()
    db.execute(f"UPDATE prod.ticket SET more = {WRITTEN[kind]} WHERE id = 7")
    report = db.sync_refused("23000")
    assert json.loads(report.message_detail)["column"] == "more"


MORE = {
    "a masked list": (
        "ALTER TABLE prod.ticket ADD mails text[];"
        "UPDATE prod.ticket SET mails = ARRAY['x', 'old' || id || '@mail.example']",
        {"rules": [{"column": "mails", "strategy": "hash"}], "preserve": [
            {"column": "*", "why": "made up"}]},
        "was old7@mail.example",
    ),
    "an excluded document": (
        "ALTER TABLE prod.ticket ADD about jsonb;"
        "UPDATE prod.ticket SET about = jsonb_build_object('mail', 'old' || id || '@mail.example',"
        " 'state', 'shipping')",
        {"exclude": [{"column": "about", "why": "not needed"}], "preserve": [
            {"column": "*", "why": "made up"}]},
        "was old7@mail.example",
    ),
}


@pytest.mark.parametrize("what", MORE)
def test_lists_and_documents_hold_identifiers_too(db, what):
    change, body, note = MORE[what]
    db.execute(ROWS)
    db.execute(change)
    # Words of everyday in a document are in texts, too.
    db.execute("UPDATE prod.ticket SET note = 'shipping tomorrow'")
    db.load(profile({"ticket": body}))
    db.sync()
    db.execute("UPDATE prod.ticket SET note = %s WHERE id = 7", [note])
    report = db.sync_refused("23000")
    assert json.loads(report.message_detail)["column"] == "note"


def test_identifiers_of_other_rows_are_no_leak_and_short_ones_say_nothing(db):
    db.execute(ROWS)
    db.execute("""
        UPDATE prod.ticket SET name = 'Ann', note = 'Ann and person8@mail.example' WHERE id = 7;
        UPDATE prod.ticket SET name = '[REDACTED]', note = '[REDACTED]' WHERE id = 9""")
    db.load(ticket())
    db.sync()
    assert found(db) == CLEAN


def test_it_can_be_reported_or_left_out(db):
    db.execute(ROWS)
    db.execute("UPDATE prod.ticket SET note = email WHERE id < 5")
    db.load(ticket())
    notices = []
    db.connection.add_notice_handler(lambda notice: notices.append(notice.message_primary))
    db.sync(options='{"leak_scan": "report"}')
    assert found(db) == {**CLEAN, "note": (True, 4)}
    assert "ticket.note: 4 rows hold an identifier of the same row" in notices
    for lineage in ("blake3", "off"):
        db.sync_refused("23000", options=json.dumps({"lineage": lineage}))
    db.sync(options='{"leak_scan": "off"}')
    assert found(db) == {}
    assert db.value(
        "SELECT details ->> 'leak_scan' FROM confiture.audit_log ORDER BY seq DESC LIMIT 1"
    ) == "off"


def test_what_text_and_json_leave_behind_is_seen(db):
    db.execute(ROWS)
    db.execute("""UPDATE prod.ticket SET note = 'Person Number7, person7@mail.example',
                  data = '{"mail": "person7@mail.example", "who": "Person Number7"}'
                  WHERE id = 7""")
    strategies = {
        "prose": {"type": "text"},
        "doc": {"type": "json", "config": {"unlisted": "keep", "paths": {"$.mail": "email"}}},
    }
    rules = {**RULES, "note": "prose", "data": "doc"}
    db.load(profile({"ticket": rules}, strategies=strategies))
    report = db.sync_refused("23000")
    columns = {json.loads(line)["column"] for line in report.message_detail.splitlines()}
    assert columns == {"note", "data"}


PARTS = {
    "a family name": ("name", "Mrs LOVELACE called", True),
    "a first name": ("name", "spoke to (Augusta) again", True),
    "a name that is a word": ("name", "a lovelace as others are", False),
    "a particle": ("name", "Von now on", False),
    "a part of a word": ("name", "Lovelaces", False),
    "a name in a column that is called so": ("hash", "Mrs Lovelace called", True),
    "what stands before the at": ("name", "as Ada.Lovelace@other.example", True),
    "what is before the at of many": ("name", "ada, contact and 42", False),
}


@pytest.mark.parametrize("what", PARTS)
def test_parts_that_lead_to_a_person_give_a_row_away_too(db, what):
    """The words of a name, as names are written; what somebody has put together before an @."""
    strategy, note, is_found = PARTS[what]
    db.execute("""
        CREATE SCHEMA prod;
        CREATE TABLE prod.members (id int PRIMARY KEY, full_name text, mail text, old text, note text);
        INSERT INTO prod.members VALUES
          (1, 'Augusta Ada von Lovelace', 'ada.lovelace@work.example', 'contact@work.example', 'x'),
          (2, 'Charles Babbage', 'c.babbage@work.example', '42@work.example', 'Mrs Lovelace, Ada')""")
    rules = {"full_name": strategy, "mail": "mail", "old": "mail"}
    db.load(profile({"members": rules}, strategies={"name": {"type": "name"}}))
    db.sync()
    db.execute("UPDATE prod.members SET note = %s WHERE id = 1", [note])
    if is_found:
        detail = json.loads(db.sync_refused("23000").message_detail)
        assert (detail["column"], detail["found"]) == ("note", 1)
    else:
        db.sync()


def test_words_of_what_names_nobody_are_no_parts(db):
    db.execute("""
        CREATE SCHEMA prod;
        CREATE TABLE prod.parcels (id int PRIMARY KEY, label text, note text);
        INSERT INTO prod.parcels VALUES (1, 'Heavy Goods', 'Goods from Lyon')""")
    db.load(profile({"parcels": {"label": "redact"}}))
    db.sync()


def test_a_made_up_name_is_no_leak(db):
    """Strategy `text` writes names from a list, and a few of so many are the row's own ones."""
    db.execute("""
        CREATE SCHEMA prod;
        CREATE TABLE prod.members (id int PRIMARY KEY, full_name text, kin text, note text)""")
    strategies = {"name": {"type": "name"}, "first": {"type": "name", "config": {"part": "first"}},
                  "prose": {"type": "text"}}
    rules = [{"column": "full_name", "strategy": "first"},
             {"column": "note", "strategy": "prose", "names": ["full_name"]}]
    db.load(profile({"members": {"rules": rules, **keep_all()}}, strategies=strategies))
    db.execute("""
        INSERT INTO prod.members VALUES (1, 'Zebedee', 'x', 'Zebedee called'),
          (2, 'Mordecai', 'x', 'Mordecai called'), (3, 'Hezekiah', 'x', 'Hezekiah called')""")
    db.sync()
    # What was written in place of each becomes the name of whoever is called.
    made_up = dict(db.rows("SELECT id, split_part(note, ' called', 1) FROM staging.members"))
    for number, name in made_up.items():
        db.execute("UPDATE prod.members SET kin = %s WHERE id = %s", [name + " Dupont", number])
    rules.append({"column": "kin", "strategy": "name"})
    body = {"rules": rules, **keep_all()}
    db.load(profile({"members": body}, strategies=strategies, version="2"))
    db.sync()
    notes = dict(db.rows("SELECT id, note FROM staging.members"))
    assert notes == {number: name + " called" for number, name in made_up.items()}


def test_an_excluded_column_is_an_identifier_too(db):
    db.execute(ROWS)
    db.execute("UPDATE prod.ticket SET secret = 'hunter2-token', note = 'HUNTER2-TOKEN'")
    body = {
        "rules": [{"column": "email", "strategy": "mail"}],
        "exclude": [{"column": "secret", "why": "must not reach a test system"}],
        **keep_all(),
    }
    db.load(profile({"ticket": body}))
    report = db.sync_refused("23000")
    assert json.loads(report.message_detail)["found"] == 20


def test_a_table_with_many_columns(db):
    many = range(120)
    columns = ", ".join(f"m{i} text, k{i} text" for i in many)
    db.execute(f"CREATE SCHEMA prod; CREATE TABLE prod.wide (id int PRIMARY KEY, {columns})")
    db.execute("INSERT INTO prod.wide (id, m119, k119) VALUES (1, 'somebody', 'by somebody')")
    db.load(profile({"wide": {f"m{i}": "hash" for i in many}}))
    report = db.sync_refused("23000")
    detail = json.loads(report.message_detail)
    assert (detail["column"], detail["found"]) == ("k119", 1)


def test_nobody_scans_outside_of_a_run(db):
    db.refused("55000", "SELECT confiture._run_scan(0, 0, 1, 0, 'a'::text, 'b'::text, 'c'::text)")
    db.refused("42804", "SELECT confiture._run_scan(0, 0, 1, 0, 1, 2, 3)")


def test_checks_are_rows_for_the_auditor(db):
    db.execute(ROWS)
    db.load(ticket())
    db.sync()
    db.execute(f"""
        CREATE ROLE "auditor_{db.name}" LOGIN;
        CREATE ROLE "nobody_{db.name}" LOGIN;
        SELECT confiture.grant_access('auditor', 'auditor_{db.name}')""")
    auditor = db.session(f"auditor_{db.name}")
    rows = auditor.rows(
        "SELECT check_name, table_name, column_name, numbers FROM confiture.verification"
        " WHERE passed ORDER BY number"
    )
    names = [row[0] for row in rows]
    for name in (
        "rows",
        "nulls kept",
        "no value survived",
        "lineage covers every row",
        "foreign keys validated by the server",
        "unique indexes kept by the server",
        "every column is decided",
        "no text holds an identifier of its row",
    ):
        assert name in names, name
    assert ("rows", "ticket", None, {"source": 20, "target": 20}) in rows
    decided = next(row[3] for row in rows if row[0] == "every column is decided")
    assert decided["masked"] == 4 and decided["preserved"] == 5 and decided["undecided"] == 0
    assert auditor.value("SELECT count(*) FROM confiture.verification WHERE NOT passed") == 0
    nobody = db.session(f"nobody_{db.name}")
    nobody.refused("42501", "SELECT * FROM confiture.verification")


def test_a_reference_that_the_target_lacks_is_checked_all_the_same(db):
    """A table that was taken over may have no foreign key where the source has one."""
    db.execute("""
        CREATE SCHEMA prod;
        CREATE TABLE prod.a (id int PRIMARY KEY);
        CREATE TABLE prod.b (id int PRIMARY KEY, a int REFERENCES prod.a);
        INSERT INTO prod.a VALUES (1), (2);
        INSERT INTO prod.b VALUES (1, 1), (2, 2);
        CREATE SCHEMA staging;
        CREATE TABLE staging.a (id int PRIMARY KEY);
        CREATE TABLE staging.b (id int PRIMARY KEY, a int)""")
    db.load(profile({"a": keep_all(), "b": keep_all()}))
    db.sync(options='{"adopt": true}')
    checks = dict(
        db.rows(
            "SELECT check_name, numbers FROM confiture.verification WHERE check_name ~ 'foreign'"
        )
    )
    assert checks["foreign keys validated by the server"] == {"count": 0}
    orphans = checks["orphans of an unchecked foreign key"]
    assert (orphans["source"], orphans["target"]) == (0, 0)
    # One that a condition cuts is told, not copied: as many as in what is copied of the source.
    body = {**keep_all(), "where": [["id", "=", 1]]}
    db.load(profile({"a": body, "b": keep_all()}, version="2"))
    db.sync()
    assert db.value(
        "SELECT numbers ->> 'target' FROM confiture.verification WHERE check_name ~ 'orphans'"
        " ORDER BY seq DESC LIMIT 1"
    ) == "1"
