"""What stands in the files of a database, whatever the server would show of it."""

from pathlib import Path


def files_with(db, *values):
    """The files of the database that hold one of these texts, by what they belong to."""
    db.execute("CHECKPOINT")
    folder = Path(db.value("SHOW data_directory"))
    number = db.value("SELECT oid FROM pg_database WHERE datname = current_database()")
    needles = [value.encode() for value in values]
    found = set()
    for path in sorted((folder / "base" / str(number)).iterdir()):
        content = path.read_bytes()
        if any(needle in content for needle in needles):
            file = path.name.split(".")[0].split("_")[0]
            owner = db.rows("SELECT pg_filenode_relation(0, %s)::regclass::text", [file])
            found.add(owner[0][0] or path.name)
    return found
