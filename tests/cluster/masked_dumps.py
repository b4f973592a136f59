"""The script of the masked dump, as its tests call it, and what they ask of what it leaves."""

import subprocess

from server import ROOT

SCRIPT = ROOT / "examples" / "dump" / "dump"
PROFILE = """
name: shop
version: "1.0"
coverage: strict
strategies:
  email: {type: email}
  name:  {type: redact}
tables:
  customers:
    rules: [{column: email, strategy: email}, {column: name, strategy: name}]
    preserve: [{column: "*", why: numbers and kinds name nobody}]
  orders:
    rules: [{column: customer_email, strategy: email}, {column: note, strategy: name}]
    preserve: [{column: "*", why: dates and amounts name nobody}]
"""


def dump(production, *arguments, status=0, **more):
    """Runs the script."""
    done = subprocess.run(
        [SCRIPT, *map(str, arguments)],
        env={**production.server.environment, "PGDATABASE": production.name, **more},
        capture_output=True, text=True, check=False,
    )
    assert done.returncode == status, f"{done.returncode}:\n{done.stdout}\n{done.stderr}"
    return done


def name_of(production, schema="prod"):
    """What the script calls the schema and the database that it makes."""
    return production.value(
        "SELECT 'confiture_dump_' || substr(md5(current_database() || '/' || %s), 1, 16)", [schema]
    )


def nothing_is_left(production):
    """Neither schema nor database of a dump."""
    return production.rows(
        "SELECT nspname FROM pg_namespace WHERE nspname LIKE 'confiture_dump%'"
        " UNION ALL SELECT datname FROM pg_database WHERE datname LIKE 'confiture_dump%'"
    ) == []


def bytes_of(path):
    """Every byte of a file or of all files of a folder."""
    files = sorted(path.iterdir()) if path.is_dir() else [path]
    return b"".join(file.read_bytes() for file in files)


def restore(elsewhere, path, form):
    """Restores into a fresh database."""
    database = elsewhere.create_database(extension=False)
    if form == "plain":
        database.psql("-f", path)
    else:
        elsewhere.run("pg_restore", "--exit-on-error", "-d", database.name, path)
    return database
