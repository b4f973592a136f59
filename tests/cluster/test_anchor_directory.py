"""The anchor directory: what lands there, what is found by it, and where it may not lie."""

import pytest

from test_anchors import cut, export, verified


@pytest.fixture
def db(numbered):
    """After a run: three entries, the first one about the key."""
    numbered.sync()
    return numbered


@pytest.fixture
def directory(db):
    """An anchor directory of the server's user; yields its path, for the server's eyes only."""
    path = db.server.folder / "keys" / f"anchors_{db.name}"
    shell(db, f"mkdir -m 0750 {path}")
    session = db.configure(anchor_directory=path)
    session.path = path
    yield session
    forget_directory(db)


def forget_directory(db):
    """Takes the setting back, for whoever comes next."""
    db.configure(anchor_directory=None)
    for _ in range(200):
        session = db.session()
        session.execute("LOAD 'confiture'")
        if not session.value("SELECT current_setting('confiture.anchor_directory')"):
            return
        session.execute("SELECT pg_sleep(0.02)")
    raise AssertionError("the server kept the setting")


def shell(db, command):
    """Runs a command as the server's user."""
    db.execute(f"COPY (SELECT) TO PROGRAM '{command}'")


def files(db, path):
    """The names in a directory."""
    return sorted(db.column("SELECT pg_ls_dir(%s)", [str(path)]))


def test_an_anchor_lands_in_the_directory(directory):
    note = export(directory)
    log_id = directory.value("SELECT DISTINCT log_id FROM confiture.ledger_head")
    assert files(directory, directory.path) == [f"{log_id}-{3:020}.note"]
    path = str(directory.path / f"{log_id}-{3:020}.note")
    assert directory.value("SELECT pg_read_file(%s)", [path]) == note
    directory.sync()
    found = verified(directory, None)
    assert found.keys() == {"OK", "W01"}
    assert "Verified to entry 3 by the anchor of key masking/1" in found["OK"][3]
    # What is handed in counts instead of it.
    assert verified(directory, [])["W01"][:3] == ("warn", 1, 6)


def test_the_directory_finds_what_was_cut_off(directory):
    export(directory)
    directory.sync()
    export(directory)
    cut(directory, 3)
    assert verified(directory, None)["E08"][:3] == ("fail", 4, 6)
    # Such a log gets no further anchor, also not when it has grown over the gap.
    report = directory.refused("XX001", "SELECT confiture.export_anchor()")
    assert "newest anchor" in report.message_primary
    for _ in range(3):
        directory.sync()
    directory.refused("XX001", "SELECT confiture.export_anchor()")
    assert verified(directory, None)["E09"][:3] == ("fail", 4, 6)


def test_a_second_anchor_of_one_size_is_refused_unless_it_is_the_same(directory):
    directory.execute("BEGIN")
    export(directory)
    directory.execute("ROLLBACK")
    # The file stays, and is right.
    assert len(files(directory, directory.path)) == 1
    export(directory)
    (name,) = files(directory, directory.path)
    cut(directory, 3)
    shell(directory, f"rm -f {directory.path / name}; echo other > {directory.path / name}")
    report = directory.refused("XX001", "SELECT confiture.export_anchor()")
    assert "holds another anchor" in report.message_primary
    assert directory.events()[3:] == [], "and nothing says that one was made"
    assert verified(directory, None)["E02"][0] == "fail"


def test_anchors_of_other_logs_in_the_directory_are_no_concern(directory, bare):
    export(directory)
    other = bare.session()
    other.execute("CREATE EXTENSION confiture")
    other.execute("SELECT confiture.create_key('masking')")
    export(other)
    assert len(files(directory, directory.path)) == 2
    for each in (directory, other):
        assert verified(each, None).keys() == {"OK", "W01"}


def test_a_directory_that_others_write_to_is_refused_and_said(directory):
    export(directory)
    for mode in ("0770", "0757", "1777"):
        shell(directory, f"chmod {mode} {directory.path}")
        report = directory.refused("55000", "SELECT confiture.export_anchor()")
        assert "permissions" in report.message_detail
        found = verified(directory, None)
        assert found["W07"][0] == "warn" and "permissions" in found["W07"][3]
        assert found["OK"][0] == "ok"
    shell(directory, f"chmod 0750 {directory.path}")
    assert "W07" not in verified(directory, None)
    shell(directory, f"mv {directory.path} {directory.path}_away")
    found = verified(directory, None)
    assert found["W07"][0] == "warn"
    assert found["W01"][:3] == ("warn", 1, 4)
    directory.refused("55000", "SELECT confiture.export_anchor()")


def test_a_directory_inside_the_data_directory_is_refused(db):
    path = db.value("SELECT current_setting('data_directory')") + f"/anchors_{db.name}"
    shell(db, f"mkdir -m 0700 {path}")
    session = db.configure(anchor_directory=path)
    try:
        report = session.refused("55000", "SELECT confiture.export_anchor()")
        assert "data directory" in report.message_detail
        assert session.events()[3:] == []
        assert "data directory" in verified(session, None)["W07"][3]
    finally:
        forget_directory(db)
        shell(db, f"rmdir {path}")


def test_the_directory_is_shown_to_superusers_only(directory, db):
    role = db.role("auditor")
    db.execute(f"SELECT confiture.grant_access('auditor', '{role}')")
    auditor = db.session(role)
    note = export(auditor)
    assert note.startswith("confiture/")
    auditor.refused("42501", "SHOW confiture.anchor_directory")
    auditor.refused({"42501", "55P02"}, "SET confiture.anchor_directory = '/tmp'")
    directory.refused("55P02", "SET confiture.anchor_directory = '/tmp'")
    shown = db.column("SELECT name FROM pg_settings WHERE name ~ 'anchor'")
    assert shown == []
    assert verified(auditor, None).keys() == {"OK", "W01"}
