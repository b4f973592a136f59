"""Keys that are wrong, away or new: what verification says of the entries that they signed."""

import pytest

from many_entries import make_entries


@pytest.fixture(scope="module")
def keyed(private_server):
    """A server whose key file can be exchanged, and a ledger of several key versions in it."""
    server = private_server()
    db = server.create_database()
    make_entries(db)
    db.execute("SELECT confiture.rotate_key('ledger')")
    db.execute("SELECT confiture.export_anchor()")
    yield db


@pytest.fixture(autouse=True)
def back(keyed):
    """Whatever was done to the key file."""
    yield
    keyed.configure(key_file=keyed.server.key_file)


def shell(db, command):
    """Runs a command as the server."""
    db.execute(f"COPY (SELECT 1) TO PROGRAM '{command}'")


def place(keyed, how):
    """Another key file; returns a session that has never seen the right one."""
    path = keyed.server.folder / "keys" / f"{how.replace(' ', '-')}.key"
    if how == "of other bytes":
        keyed.execute("SELECT confiture.init_key_file(%s)", [str(path)])
    elif how == "short":
        shell(keyed, f"cat > /dev/null; umask 077; echo 00112233 > {path}")
    elif how == "empty":
        shell(keyed, f"cat > /dev/null; umask 077; : > {path}")
    elif how == "open to others":
        shell(keyed, f"cat > /dev/null; cp {keyed.server.key_file} {path}; chmod 644 {path}")
    return keyed.configure(key_file=path)


def all_findings(session):
    return session.rows("SELECT check_code, status, seq_from, seq_to, detail, chain FROM"
                        " confiture.verify_ledger()")


@pytest.mark.parametrize("how", ["of other bytes", "missing", "short", "empty", "open to others"])
def test_with_a_key_file_that_is_not_the_right_one_nothing_is_called_tampered(keyed, how):
    found = all_findings(place(keyed, how))
    codes = {(code, status) for code, status, *_ in found}
    assert ("E11", "unverifiable") in codes
    assert "fail" not in {status for _, status in codes}, found
    assert "OK" not in {code for code, _ in codes}, "and nothing is called good either"
    # Of both chains and of the journal.
    assert {row[5] for row in found if row[0] == "E11"} == {"audit", "lineage", "journal"}
    again = all_findings(keyed.configure(key_file=keyed.server.key_file))
    assert {(row[0], row[1]) for row in again} == {("OK", "ok"), ("W01", "warn")}


def test_without_a_key_an_edited_entry_is_called_tampered_all_the_same(keyed):
    from test_ledger_mutations import Tampering

    session = place(keyed, "missing")
    found = Tampering(session, "audit_log").found_after(
        "UPDATE confiture.audit_log SET user_name = 'x' WHERE seq = 2"
    )
    assert {("E01", "fail", "audit"), ("E11", "unverifiable", "audit")} <= found


def test_entries_of_every_version_verify_after_rotations(keyed):
    signed = keyed.rows(
        "SELECT DISTINCT key_name, key_version FROM confiture.audit_log ORDER BY 1, 2"
    )
    assert signed == [("ledger", 1), ("ledger", 2), ("masking", 1), ("masking", 2)]
    assert len(keyed.rows("SELECT DISTINCT key_name, key_version FROM confiture.lineage")) >= 1
    assert "OK" in {row[0] for row in all_findings(keyed.session())}


def test_entries_verify_after_the_key_file_itself_was_rotated(keyed):
    keyed.execute("CALL confiture.rotate_kek()")
    assert keyed.events()[-1] in ("KEK_ROTATED", "KEK_ROTATING")
    assert "OK" in {row[0] for row in all_findings(keyed.session())}


def test_a_version_whose_row_was_removed_is_unverifiable_and_the_rest_holds(keyed):
    keyed.execute("BEGIN")
    keyed.execute("ALTER TABLE confiture.key_version DISABLE TRIGGER ALL")
    keyed.execute(
        "DELETE FROM confiture.key_version WHERE key_name = 'ledger' AND version = 1"
    )
    found = all_findings(keyed)
    keyed.execute("ROLLBACK")
    numbers = keyed.column(
        "SELECT seq FROM confiture.audit_log WHERE (key_name, key_version) = ('ledger', 1)"
    )
    ranges = [row[2:4] for row in found if row[0] == "E11" and row[5] == "audit"]
    assert ranges and all(min(numbers) <= a and b <= max(numbers) for a, b in ranges)
    assert "fail" not in {row[1] for row in found} and "OK" not in {row[0] for row in found}
