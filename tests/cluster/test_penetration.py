"""Attacks that belong to no one room: the clock beside a denial, and roles that may touch files."""

import time

import psycopg

from samples import make_small
from test_vault import REVEAL, WHY, _vault, tokens  # noqa: F401

TURNS = 400
# Six standard deviations of so many tosses of a coin.
LITTLE = 0.15


def took(session, token):
    """How long it takes to be answered."""
    began = time.perf_counter()
    try:
        session.execute(REVEAL, [token, "mail", WHY])
    except psycopg.Error:
        pass
    return time.perf_counter() - began


def slower(session, there, missing):
    """The share of pairs in which the token that is there takes longer."""
    count = 0
    for turn, (one, other) in enumerate(zip(there, missing, strict=True)):
        if turn % 2:
            count += took(session, one) > took(session, other)
        else:
            count += took(session, other) < took(session, one)
    return count / len(there)


def test_the_time_of_a_denial_does_not_tell_whether_a_token_is_there(vault):
    """Who may not reveal asks for tokens that are there and that are not, in turn."""
    made = tokens(vault, [f"v{i}" for i in range(2000)])
    other = vault.session(user=vault.role("other"))
    vault.execute("SELECT confiture.create_domain('theirs')")
    name = other.value("SELECT session_user")
    vault.execute("SELECT confiture.grant_access('revealer', %s, 'theirs')", [name])
    there, missing = made[:TURNS], ["tok_" + token[:3:-1] for token in made[:TURNS]]
    assert not set(there) & set(missing)
    assert abs(slower(other, there, missing) - 0.5) < LITTLE
    count = "SELECT count(*) FROM confiture.journal WHERE event = 'DENIED'"
    assert vault.value(count) == 2 * TURNS
    # The clock is fine enough: who may reveal would be told apart by it.
    assert abs(slower(vault.clerk, there, missing) - 0.5) > LITTLE


def test_roles_that_read_and_write_files_open_no_key_and_choose_none(private_server):
    """They reach the key file, as the page on secrets says. What it opens lies in tables that are
    closed to them, and another key in its place is noticed."""
    server = private_server()
    db = server.create_database()
    make_small(db)
    db.sync()
    pseudonym = db.value("SELECT anon_email('ada@mail.example')")
    role = db.role("files")
    db.execute(f"GRANT pg_read_server_files, pg_write_server_files TO {role}")
    files = db.session(role)
    key_file = str(server.key_file)
    files.execute("CREATE TEMP TABLE line (text text)")
    files.execute(f"COPY line FROM '{key_file}'")
    (digits,) = files.column("SELECT text FROM line")
    for table in ("key_version", "key", "profile", "token", "journal"):
        files.refused("42501", f"SELECT * FROM confiture.{table}")
        files.refused("42501", f"COPY confiture.{table} TO '{server.folder}/keys/{table}'")
    files.refused("42501", "SELECT anon_email('ada@mail.example')")
    files.refused("42501", f"ALTER SYSTEM SET confiture.key_file = '{server.folder}/keys/mine'")
    # Nothing that they could have the server run is code of the library, and no key is shown.
    files.refused("42501", "COPY line FROM PROGRAM 'id'")
    # A key of their own in its place.
    files.execute(f"COPY (SELECT repeat('ab', 32)) TO '{key_file}'")
    session = db.session()
    for call in ("SELECT anon_email('ada@mail.example')", "SELECT confiture.rotate_key('masking')"):
        session.refused({"55000", "XX001"}, call)
    assert session.attempt() in ("55000", "XX001")
    assert "OK" not in session.findings() and "E01" not in session.findings()
    files.execute("TRUNCATE line")
    files.execute(f"COPY (SELECT '{digits}') TO '{key_file}'")
    session = db.session()
    assert session.value("SELECT anon_email('ada@mail.example')") == pseudonym
    assert session.findings().keys() == {"OK", "W01"}
