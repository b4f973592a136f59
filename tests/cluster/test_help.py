"""Help: its page, and that every call it gives is one that the database understands."""

import re

import doc_blocks
import psycopg
import pytest

from server import ROOT

PAGE = ROOT / "docs" / "help.md"
# What an error must not be of: syntax, a function, column, table or type that is not there.
UNKNOWN = {"42601", "42883", "42703", "42P01", "42704", "3F000"}


def topics(db):
    """The topics by name, each with its lines."""
    names = [re.search(r"'(\w+)'", call)[1] for call in db.column("SELECT call FROM confiture.help()")]
    return {name: db.rows("SELECT * FROM confiture.help(%s)", [name]) for name in names}


def slug(heading):
    """The anchor of a heading."""
    return re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-")


def test_every_block_of_the_page_runs(db):
    outputs = [(block, doc_blocks.printed(db, block)) for block in doc_blocks.read(PAGE)]
    doc_blocks.compare(PAGE, outputs)


@pytest.fixture
def shop(db):
    """The sample of the first page with its profile loaded, and the roles that calls name."""
    db.execute(doc_blocks.sample())
    db.execute("CREATE SCHEMA staging; CREATE SCHEMA masked")
    db.execute("SELECT confiture.load_profile(confiture.suggest_profile('prod', 'production'))")
    roles = {name: db.role(name) for name in ("analyst", "refresher", "officer", "keeper", "helpdesk")}
    return db, roles


def test_every_call_of_help_is_understood(shop):
    db, roles = shop
    run = db.value("SELECT gen_random_uuid()::text")
    asked = 0
    for name, lines in topics(db).items():
        for about, call, _ in lines:
            sql = re.sub(r"\s*\\g.*$", ";", call)
            if sql.startswith("\\"):
                continue
            sql = re.sub(r":'run'", f"'{run}'", sql)
            sql = re.sub(r":'(\w+)'", r"'\1'", sql)
            for role, own in roles.items():
                sql = re.sub(rf"\b{role}\b", own, sql)
            sql = sql.replace("DATABASE copy", f"DATABASE {db.name}")
            with db.server.connect(db.name) as connection:
                try:
                    connection.execute(f"BEGIN; {sql}; ROLLBACK")
                except psycopg.Error as error:
                    message = error.diag.message_primary
                    # What a call names by way of example need not be there.
                    is_example = error.sqlstate in {"42704", "42P01"} and not re.search(
                        r"^(relation|type|role|unrecognized)|^schema .* does not exist", message
                    )
                    assert error.sqlstate not in UNKNOWN or is_example, f"{name}: {call}: {message}"
                    assert error.sqlstate != "XX000", f"{name}: {call}: {message}"
            asked += 1
            assert about
    assert asked > 70


def test_every_page_of_help_is_there(db):
    lines = [line for lines in topics(db).values() for line in lines]
    for _, call, page in [*lines, *db.rows("SELECT * FROM confiture.help()")]:
        file, _, anchor = page.partition("#")
        text = (ROOT / "docs" / file).read_text(encoding="utf-8")
        headings = {slug(heading) for heading in re.findall(r"^#+ (.*)$", text, re.MULTILINE)}
        assert not anchor or anchor in headings, f"{call}: {page}"


def test_a_topic_that_is_not_there_is_refused(db):
    report = db.refused("42704", "SELECT * FROM confiture.help('syncs')")
    assert "keys" in report.message_hint


def test_everybody_with_an_access_may_ask(db):
    role = db.role("somebody")
    session = db.session(role)
    session.refused("42501", "SELECT * FROM confiture.help()")
    db.execute(f"SELECT confiture.grant_access('analyst', '{role}')")
    assert session.rows("SELECT * FROM confiture.help()")
