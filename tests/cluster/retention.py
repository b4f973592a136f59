"""What the tests of retention ask: directories, parts that went, and what is left of them."""

import json

from journal_calls import REVEAL
from test_anchors import export


def shell(db, command):
    """Runs a command as the server's user."""
    # Whoever does not read what is written to it breaks the pipe.
    db.execute(f"COPY (SELECT) TO PROGRAM 'cat >/dev/null; {command}'")


def set_directories(db):
    """Makes directories of the server's user for anchors and archives, and a session see them."""
    folder = db.server.folder / "keys"
    paths = {what: folder / f"{what}_{db.name}" for what in ("anchor", "archive")}
    for path in paths.values():
        shell(db, f"mkdir -p -m 0750 {path}")
    session = db.configure(**{f"{what}_directory": path for what, path in paths.items()})
    db.connection.close()
    db.connection, db.notices = session.connection, session.notices
    db.archives, db.anchors = paths["archive"], paths["anchor"]
    return db


def forget_directories(db):
    """Takes the settings back, for whoever comes next."""
    db.configure(anchor_directory=None, archive_directory=None)
    for _ in range(200):
        session = db.session()
        session.execute("LOAD 'confiture'")
        names = ("anchor_directory", "archive_directory")
        if not any(session.value(f"SELECT current_setting('confiture.{name}')") for name in names):
            return
        session.execute("SELECT pg_sleep(0.02)")
    raise AssertionError("the server kept the settings")


def fill(db):
    """Two runs and reveals that an anchor covers (entries 1 to 5), its entry, a run after it (8)."""
    db.sync()
    db.execute(REVEAL)
    db.execute(REVEAL)
    db.sync()
    export(db)
    db.sync()


def moment(db):
    """Now: what comes later is younger."""
    return db.value("SELECT clock_timestamp()")


def prune(db, before="infinity", **arguments):
    """Prunes what is older, up to now; the only row as a dictionary, None where nothing went."""
    before = moment(db) if before == "infinity" else before
    given = "".join(f", {name} => %({name})s" for name in arguments)
    cursor = db.execute(
        f"SELECT * FROM confiture.prune_ledger(%(before)s{given})", {"before": before, **arguments}
    )
    names = [column.name for column in cursor.description]
    rows = cursor.fetchall()
    assert len(rows) <= 1
    return dict(zip(names, rows[0], strict=True)) if rows else None


def left(db):
    """Numbers of what is there, by table."""
    tables = {"audit_log": "seq", "lineage": "seq", "journal": "number"}
    return {
        table: db.column(f"SELECT {number} FROM confiture.{table} ORDER BY 1")
        for table, number in tables.items()
    }


def found(db, **arguments):
    """What verification says: {(code, chain): (status, from, to, detail)}."""
    given = ", ".join(f"{name} => %({name})s" for name in arguments)
    rows = db.rows(
        "SELECT check_code, chain, status, seq_from, seq_to, detail"
        f" FROM confiture.verify_ledger({given})",
        arguments,
    )
    return {row[:2]: row[2:] for row in rows}


def is_right(db, **arguments):
    """Nothing is found but what is left to anchors and to the next entry."""
    said = found(db, **arguments)
    assert {code for code, _ in said} <= {"OK", "W01"} and ("OK", "audit") in said, said
    return said[("OK", "audit")]


def failures(db, **arguments):
    """The codes of what failed."""
    return {code for (code, _), row in found(db, **arguments).items() if row[0] == "fail"}


def read(db, path):
    """The lines of an archive."""
    text = db.value("SELECT pg_read_file(%s)", [str(path)])
    assert text.endswith("\n")
    return text.removesuffix("\n").split("\n")


def details(db):
    """What the newest entry about a part that went says."""
    return db.rows(
        "SELECT seq, details FROM confiture.audit_log WHERE event = 'PRUNED'"
        " ORDER BY seq DESC LIMIT 1"
    )[0]


def chains(lines):
    """How many lines there are of each chain."""
    counted = {}
    for line in lines:
        chain = json.loads(line)["chain"]
        counted[chain] = counted.get(chain, 0) + 1
    return counted
