"""The installed library with one call of the server taken away, as the control of a test."""

from pathlib import Path

# Of the C library: gives back the whole number that it is given, and does nothing else.
NOTHING = b"labs"


def without(db, function):
    """A copy of the library in which a function of the server, called with one number for what it
    does and not for what it returns, does nothing."""
    place = Path(db.value("SELECT setting FROM pg_config WHERE name = 'PKGLIBDIR'")) / "confiture.so"
    library = place.read_bytes()
    # The name by which the dynamic linker finds it (and a debugger, if it is there twice); what
    # stands in for it takes no more room.
    name = b"\0" + function.encode() + b"\0"
    assert name in library and len(NOTHING) <= len(function)
    copy = db.server.folder / f"without-{function}.so"
    copy.write_bytes(library.replace(name, b"\0" + NOTHING.ljust(len(function) + 1, b"\0")))
    copy.chmod(0o755)
    return copy


def use_library(db, file):
    """Takes the functions of the extension from another file; in sessions that begin after this."""
    db.execute("UPDATE pg_catalog.pg_proc SET probin = %s WHERE probin = '$libdir/confiture'", [str(file)])
