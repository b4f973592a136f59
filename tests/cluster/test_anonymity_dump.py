"""pg_dump and restore of a table that is held to k, and of a profile with gates."""

import pytest

from samples import keep_all, profile

TABLE = """
CREATE SCHEMA prod; CREATE SCHEMA staging; CREATE SCHEMA "odd one";
CREATE TABLE prod.people (id integer PRIMARY KEY, age integer, "Post Code" text);
INSERT INTO prod.people SELECT i, 20 + i % 20, '9021' || i % 2 FROM generate_series(1, 40) AS i;
CREATE TABLE "odd one".released AS SELECT age / 10 AS age, "Post Code" FROM prod.people;
CREATE CONSTRAINT TRIGGER released_k AFTER INSERT OR UPDATE OR DELETE ON "odd one".released
  DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION anon_enforce_k('5', 'age, "Post Code"');
ALTER TABLE "odd one".released ENABLE ALWAYS TRIGGER released_k;
CREATE TABLE parts (a text, b integer) PARTITION BY LIST (b);
CREATE TABLE parts_1 PARTITION OF parts FOR VALUES IN (1);
CREATE TRIGGER parts_k AFTER INSERT OR UPDATE OR DELETE ON parts
  FOR EACH ROW EXECUTE FUNCTION anon_enforce_k('2', 'a');
INSERT INTO parts VALUES ('x', 1), ('x', 1);
"""
COLUMNS = ["age", "Post Code"]


def gated(version, k, rules):
    gate = {"table": "people", "quasi_identifiers": COLUMNS, "k": k}
    tens = {"tens": {"type": "generalize", "config": {"step": 10}}}
    return profile({"people": rules}, version=version, strategies=tens, gates=[gate])


@pytest.fixture
def original(server):
    database = server.create_database()
    database.execute(TABLE)
    database.load(gated("1", 5, keep_all()))
    yield database
    database.drop()


FORMATS = {
    "plain": ([], None),
    "plain in one transaction": ([], None),
    "plain as INSERT": (["--inserts"], None),
    "custom": (["-Fc"], []),
    "custom, two jobs": (["-Fc"], ["-j", "2"]),
    "custom, in one transaction": (["-Fc"], ["-1"]),
    "directory": (["-Fd"], ["-j", "2"]),
    "tar": (["-Ft"], []),
}


def restored(original, bare, how, path):
    """The database that comes out of a dump."""
    server = original.server
    made, restore = FORMATS[how]
    if restore is None:
        text = server.run("pg_dump", *made, database=original.name).stdout
        path.write_text(text, encoding="utf-8")
        bare.psql(*(["-1"] if "one" in how else []), "-f", path)
    else:
        # The server's own user writes it.
        server.run("pg_dump", *made, "-f", path, database=original.name)
        server.run("pg_restore", "--exit-on-error", *restore, "-d", bare.name, path)
    return bare.session()


@pytest.mark.parametrize("how", FORMATS)
def test_a_gate_means_the_same_after_a_dump_and_a_restore(original, bare, tmp_path, how):
    db = restored(original, bare, how, tmp_path / "dump")
    triggers = (
        "SELECT tgrelid::regclass::text, tgname, tgenabled, tgdeferrable, tginitdeferred, tgargs,"
        " tgfoid::regprocedure::text FROM pg_trigger WHERE NOT tgisinternal AND tgname LIKE '%\\_k'"
        " ORDER BY 1"
    )
    assert db.rows(triggers) == original.rows(triggers)
    assert len(db.rows(triggers)) == 3
    table = '"odd one".released'
    assert db.value(f"SELECT anon_k_anonymity('{table}', %s)", [COLUMNS]) == 10
    # Six of ten may go in one transaction only together with the other four.
    db.refused("23514", f"DELETE FROM {table} WHERE ctid IN (SELECT ctid FROM {table}"
                        " WHERE age = 2 AND \"Post Code\" = '90210' LIMIT 6)")
    db.execute(f"DELETE FROM {table} WHERE age = 2 AND \"Post Code\" = '90210'")
    db.refused("23514", "INSERT INTO parts VALUES ('y', 1)")
    # And the gate of the profile: the table is not 5-anonymous as it is, and is in tens.
    report = db.sync_refused("23000")
    assert '"found":2' in report.message_detail
    db.load(gated("2", 5, {"age": "tens"}))
    db.sync()
    assert db.value("SELECT anon_k_anonymity('staging.people', %s)", [COLUMNS]) == 10


def test_data_that_break_the_gate_are_not_restored(original, bare, tmp_path):
    restored(original, bare, "plain", tmp_path / "dump")
    path = tmp_path / "data"
    path.write_text("COPY \"odd one\".released FROM stdin;\n99\t90210\n\\.\n", encoding="utf-8")
    done = bare.psql("-f", path, check=False)
    assert "is not 5-anonymous" in done.stderr and "99" not in done.stderr
