"""pg_dump and restore of the whole database: evidence, keys and profiles go on where they were."""

import re

import pytest

from samples import make_small, small


# The key version that signed each of its entries: key, profiles, run; new version of the key, run,
# access.
ENTRIES = [1] * 6 + [2] * 5


@pytest.fixture
def original(db):
    """A database with entries of two key versions, a profile that goes on with the former one, a
    retired profile and granted rights."""
    make_small(db)
    db.load(small(version="0"))
    db.execute("SELECT confiture.retire_profile('small', '0')")
    db.sync()
    db.execute("SELECT confiture.rotate_key('masking')")
    db.sync()
    db.operator = db.role("op")
    db.execute(f"SELECT confiture.grant_access('operator', '{db.operator}')")
    db.execute(f"SELECT confiture.grant_access('auditor', '{db.operator}')")
    assert db.column("SELECT key_version FROM confiture.audit_log ORDER BY seq") == ENTRIES
    return db


def dump_and_restore(db, bare, how, path):
    """Takes the dump one way and puts it into an empty database."""
    server = db.server
    if how == "plain":
        path.write_text(server.run("pg_dump", database=db.name).stdout, encoding="utf-8")
        bare.psql("-f", path)
    elif how == "plain in one transaction":
        path.write_text(server.run("pg_dump", database=db.name).stdout, encoding="utf-8")
        bare.psql("-1", "-f", path)
    else:
        server.run("pg_dump", "-Fc", "-f", path, database=db.name)
        jobs = ["-j", "2"] if how == "custom, two jobs" else []
        server.run("pg_restore", "--exit-on-error", *jobs, "-d", bare.name, path)
    # Another session: the one of the fixture knew the database without the extension.
    return bare.session()


HOW = ["plain", "plain in one transaction", "custom", "custom, two jobs"]


@pytest.mark.parametrize("how", HOW)
def test_a_restored_database_goes_on_where_the_original_stopped(original, bare, tmp_path, how):
    restored = dump_and_restore(original, bare, how, tmp_path / "dump")
    # The evidence.
    assert restored.findings() == original.findings() == {"OK": ("ok", 1, 11), "W01": ("warn", 1, 11)}
    everything = "SELECT a::text FROM confiture.audit_log AS a ORDER BY seq"
    assert restored.rows(everything) == original.rows(everything)
    # The keys.
    masks = (
        "SELECT anon_email('x'), anon_hash(7), anon_phone('123-45'),"
        " anon_email('x', key_version => 1), anon_hash(7, key_version => 1)"
    )
    assert restored.rows(masks) == original.rows(masks)
    status = (
        "SELECT name, version, state, provider, kek_ref, ledger_entries, profiles, wrapped_at,"
        " reachable FROM confiture.key_status ORDER BY version"
    )
    assert restored.rows(status) == original.rows(status)
    # The profiles.
    profiles = "SELECT p::text FROM confiture.profiles AS p ORDER BY version"
    assert restored.rows(profiles) == original.rows(profiles)
    assert restored.column("SELECT key_version FROM confiture.profiles") == [1, 1]
    # And the job: the next run is the next entry, with the same pseudonyms, on the restored target.
    before = bare.content("staging")
    restored.sync()
    assert bare.content("staging") == before
    assert restored.findings()["OK"] == ("ok", 1, 13)


@pytest.mark.parametrize("how", HOW)
def test_a_destroyed_version_stays_destroyed_and_its_evidence_verifiable(
    original, bare, tmp_path, how
):
    for version in ("0", "1"):
        original.execute("SELECT confiture.retire_profile('small', %s)", [version])
    original.execute("SELECT confiture.destroy_key_version('masking', 1)")
    restored = dump_and_restore(original, bare, how, tmp_path / "dump")
    assert restored.findings() == {"OK": ("ok", 1, 14), "W01": ("warn", 1, 14)}
    restored.refused("55000", "SELECT anon_email('x', key_version => 1)")
    # What pins it is not taken up again.
    restored.refused("55000", "SELECT confiture.load_profile(%s)", [small()])


def test_granted_rights_survive(original, bare, tmp_path):
    dump_and_restore(original, bare, "custom", tmp_path / "dump")
    operator = bare.session(original.operator)
    assert operator.column("SELECT version FROM confiture.profiles ORDER BY 1") == ["0", "1"]
    assert len(operator.rows("SELECT * FROM confiture.get_audit_log()")) == len(ENTRIES)
    assert operator.plan_refused("42501"), "prod is still closed to it"
    operator.refused("42501", "SELECT anon_email('x')")


def test_the_guards_survive(original, bare, tmp_path):
    restored = dump_and_restore(original, bare, "custom", tmp_path / "dump")
    restored.execute("SET session_replication_role = replica")
    restored.refused("42501", "DELETE FROM confiture.audit_log")
    restored.refused("42501", "TRUNCATE confiture.audit_log")
    restored.refused("55000", "DROP EXTENSION confiture")


def test_a_dump_of_a_dump_is_the_same(original, bare, tmp_path, server):
    dump_and_restore(original, bare, "plain", tmp_path / "one")
    one = (tmp_path / "one").read_text(encoding="utf-8")
    two = server.run("pg_dump", database=bare.name).stdout
    # Newer versions of pg_dump begin and end with a random word.
    one, two = (re.sub(r"(?m)^\\(un)?restrict .*$", "", text) for text in (one, two))
    assert two == one


def test_without_the_key_file_the_restored_log_is_unverifiable_and_not_called_tampered(
    original, private_server, tmp_path
):
    elsewhere = private_server()
    target = elsewhere.create_database(extension=False)
    target.execute("CREATE ROLE " + original.operator)
    path = tmp_path / "dump"
    path.write_text(original.server.run("pg_dump", database=original.name).stdout, encoding="utf-8")
    target.psql("-f", path)
    session = target.session()
    session.refused("55000", "SELECT anon_email('x')")
    findings = session.findings()
    assert findings["E11"][0] == "unverifiable"
    assert "OK" not in findings and not {"E01", "E02", "E07"} & findings.keys()
