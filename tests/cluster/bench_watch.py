"""What the trigger of watches adds to ALTER TABLE while nothing is watched: a ratio of one run.

python bench_watch.py
"""

import time

from samples import make_people
from server import Server

SCRIPT = """DO $$ BEGIN FOR i IN 1..300 LOOP
  EXECUTE 'ALTER TABLE prod.people ADD x integer';
  EXECUTE 'ALTER TABLE prod.people DROP COLUMN x';
END LOOP; END $$"""


def seconds(db):
    begun = time.perf_counter()
    db.execute("BEGIN")
    db.execute(SCRIPT)
    db.execute("ROLLBACK")
    return time.perf_counter() - begun


def main():
    server = Server("benchwatch")
    try:
        db = server.create_database()
        make_people(db)
        asleep, off = [], []
        seconds(db)
        for _ in range(7):
            asleep.append(seconds(db))
            db.execute("ALTER EVENT TRIGGER confiture_watch_columns DISABLE")
            off.append(seconds(db))
            db.execute("ALTER EVENT TRIGGER confiture_watch_columns ENABLE ALWAYS")
        print(f"asleep / disabled: {sorted(asleep)[3] / sorted(off)[3]:.3f}")
    finally:
        server.stop()


if __name__ == "__main__":
    main()
