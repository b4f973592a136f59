"""ALTER EXTENSION UPDATE, from every released version and to one that is made up here, and the way
back: what the former release's files do with data that were kept."""

import re

import pytest

from installed_objects import differences, objects
from many_entries import SPENT, VALUE_OF, make_budget_and_token
from samples import make_small
from server import ROOT, Server
from server_copy import ServerCopy

RELEASED = {file.stem: file for file in sorted((ROOT / "sql/released").glob("*.sql"))}

# What the made-up release adds: one of each kind of thing that a release may.
ADDED = {
    "a function": """
CREATE FUNCTION confiture.next_word() RETURNS text LANGUAGE sql STABLE RETURN 'next'""",
    "its rights": """
REVOKE ALL ON FUNCTION confiture.next_word() FROM PUBLIC""",
    "its comment": """
COMMENT ON FUNCTION confiture.next_word() IS 'a word of the next version'""",
    "a table": """
CREATE TABLE confiture.next_table (id integer PRIMARY KEY, word text NOT NULL)""",
    "its check": """
ALTER TABLE confiture.next_table ADD CONSTRAINT next_table_word_check CHECK (word <> '')""",
    "its index": """
CREATE INDEX next_table_word_idx ON confiture.next_table (word)""",
    "that it is dumped": """
SELECT pg_catalog.pg_extension_config_dump('confiture.next_table', '')""",
    "a column": """
ALTER TABLE confiture.profile ADD COLUMN next_column text""",
    "the comment of a column": """
COMMENT ON COLUMN confiture.profile.next_column IS 'a column of the next version'""",
    "a view": """
CREATE VIEW confiture.next_view AS SELECT word FROM confiture.next_table""",
    "a right": """
GRANT SELECT ON confiture.next_view TO PUBLIC""",
    "a trigger": """
CREATE TRIGGER next_trigger BEFORE UPDATE ON confiture.next_table FOR EACH ROW
  EXECUTE FUNCTION pg_catalog.suppress_redundant_updates_trigger()""",
    "another form of a function": """
ALTER FUNCTION confiture.installation_id() COST 7""",
}
# Left out by a careless author, with what shows it.
FORGOTTEN = {
    "its rights": "first rights of function confiture.next_word()",
    "its comment": "FUNCTION next_word()",
    "its check": "next_table",
    "its index": "next_table_word_idx",
    "that it is dumped": "dumped confiture.next_table",
    "a column": "profile",
    "a right": "first rights of view confiture.next_view",
    "a trigger": "next_trigger",
    "another form of a function": "installation_id()",
}
# The library of the made-up release: it knows the ledger under that version, too.
ASKS = b"SELECT 'version of the extension', e.extversion FROM extension e"


def script(but=()):
    """The statements of the made-up release."""
    return "".join(f"{sql};\n" for name, sql in ADDED.items() if name not in but)


def control(text, version):
    return re.sub(r"default_version = '.*'", f"default_version = '{version}'", text)


class Files(ServerCopy):
    """The installation before and after the made-up release."""

    def __init__(self):
        super().__init__()
        self.version = re.search(r"default_version = '(.*)'", self.read("confiture.control"))[1]
        *first, last = self.version.split(".")
        self.next = ".".join([*first, str(int(last) + 1)])
        self.careless = f"{self.next}.careless"

    def install_next(self):
        """What a package of the made-up release brings."""
        now, to = self.version, self.next
        self.write("confiture.control", control(self.read("confiture.control"), to))
        self.write(f"confiture--{to}.sql", self.read(f"confiture--{now}.sql") + script())
        self.write(f"confiture--{now}--{to}.sql", script())
        self.write(f"confiture--{now}--{self.careless}.sql", script([*FORGOTTEN, "the comment of a column"]))
        library = self.library.read_bytes()
        assert ASKS in library
        known = f"'{now}'".encode().ljust(len(b"e.extversion"))
        self.write_library(library.replace(ASKS, ASKS.replace(b"e.extversion", known)))


@pytest.fixture(name="files", scope="module")
def _files():
    files = Files()
    yield files
    files.remove()


@pytest.fixture(name="own", scope="module")
def _own(files):
    own = Server("update", environment={"PG_CONFIG": str(files.pg_config)})
    yield own
    own.stop()


@pytest.fixture(name="before")
def _before(files):
    files.install_original()
    return files


def installed(own, version, update=None):
    """What a database holds after an installation of a version, and an update."""
    db = own.create_database(extension=False)
    db.execute(f"CREATE EXTENSION confiture VERSION '{version}'")
    if update:
        db.execute(f"ALTER EXTENSION confiture UPDATE TO '{update}'")
    found = objects(own, db.name)
    db.drop()
    return found


@pytest.mark.parametrize("version", RELEASED)
def test_an_update_from_a_released_version_ends_where_an_installation_does(own, before, version):
    """The script of the version that is installed here says the same as its frozen one."""
    before.write(f"confiture--{version}.sql", RELEASED[version].read_text(encoding="utf-8"))
    update = before.version if version != before.version else None
    updated = installed(own, version, update)
    before.install_original()
    assert differences(updated, installed(own, before.version)) == []


def test_an_update_to_the_next_version_ends_where_an_installation_does(own, before):
    before.install_next()
    fresh = installed(own, before.next)
    assert differences(installed(own, before.version, before.next), fresh) == []
    shown = differences(installed(own, before.version, before.careless), fresh)
    for name, word in FORGOTTEN.items():
        assert any(word in line for line in shown), f"{name}: {shown}"


def full(own):
    """Keys, profiles, a run, tokens, a budget, reveals."""
    db = own.create_database()
    make_small(db)
    db.sync()
    db.token = make_budget_and_token(db)
    reveals(db, db.token)
    return db


def reveals(db, token):
    assert db.value(VALUE_OF, [token]) == "ada"


def state(db):
    """What must not change by an update or a restore."""
    return (
        db.rows("SELECT a::text FROM confiture.audit_log a ORDER BY seq"),
        db.rows("SELECT j::text FROM confiture.journal j ORDER BY number"),
        db.rows("SELECT name, version, profile_hash, key_version FROM confiture.profile"),
        db.rows(SPENT),
        db.rows("SELECT anon_email('ada@mail.example'), anon_hash(7)"),
        db.rows("SELECT * FROM staging.people ORDER BY id"),
    )


def test_data_go_through_an_update_and_work_goes_on(own, before):
    db = full(own)
    was = state(db)
    before.install_next()
    session = db.session()
    session.execute("ALTER EXTENSION confiture UPDATE")
    assert session.value("SELECT confiture.next_word()") == "next"
    assert state(session) == was
    assert session.findings().keys() == {"OK", "W01"}
    reveals(session, db.token)
    session.execute("SELECT confiture.rotate_key('masking')")
    session.sync()
    assert session.findings().keys() == {"OK", "W01"}
    # A session that has the former library loaded.
    db.refused("XX001", "SELECT confiture.rotate_key('masking')")
    session.refused("42501", "DELETE FROM confiture.audit_log")
    session.refused("55000", "DROP EXTENSION confiture")
    db.drop()


def test_a_release_is_rolled_back_by_its_former_files_and_the_backup(own, before, tmp_path):
    """The drill: backup, update, work, back to the former files, restore."""
    db = full(own)
    was = state(db)
    own.run("pg_dump", "-Fc", "-f", tmp_path / "backup", database=db.name)
    before.install_next()
    session = db.session()
    session.execute("ALTER EXTENSION confiture UPDATE")
    session.sync()
    anchor = session.value("SELECT confiture.export_anchor()")

    before.install_original()
    # The database that was updated: the former library knows that it does not know it.
    session = db.session()
    report = session.refused("XX001", "SELECT confiture.rotate_key('masking')")
    assert f"version {before.next} of the extension is not known" in report.message_detail.lower()
    assert "OK" not in session.findings()
    # Another one, from the backup.
    bare = own.create_database(extension=False)
    own.run("pg_restore", "--exit-on-error", "-d", bare.name, tmp_path / "backup")
    restored = bare.session()
    version = "SELECT extversion FROM pg_extension WHERE extname = 'confiture'"
    assert restored.value(version) == before.version
    assert state(restored) == was
    assert {"OK", "W01"} <= restored.findings().keys() <= {"OK", "W01", "W08"}
    reveals(restored, db.token)
    # What was done since the backup is gone, and the anchor that was kept says so: at once, and when
    # other entries have come in the place of those.
    held = "SELECT check_code FROM confiture.verify_ledger(ARRAY[%s])"
    assert "E08" in restored.column(held, [anchor])
    restored.sync()
    assert restored.findings().keys() == {"OK", "W01"}
    assert "E09" in restored.column(held, [anchor])
    db.drop()
    bare.drop()
