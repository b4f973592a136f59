"""What the triggers of watches and lists add to ALTER TABLE while these are empty: ratios of one run.

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


TRIGGERS = {
    "watch": ["watch_columns"],
    "lists of runs": ["follow_start", "follow_end"],
}


def switch(db, triggers, how):
    for trigger in triggers:
        db.execute(f"ALTER EVENT TRIGGER confiture_{trigger} {how}")


def main():
    server = Server("benchwatch")
    try:
        db = server.create_database()
        make_people(db)
        for what, triggers in TRIGGERS.items():
            asleep, off = [], []
            seconds(db)
            for _ in range(15):
                asleep.append(seconds(db))
                switch(db, triggers, "DISABLE")
                off.append(seconds(db))
                switch(db, triggers, "ENABLE ALWAYS")
            print(f"{what}, asleep / disabled: {sorted(asleep)[7] / sorted(off)[7]:.3f}")
    finally:
        server.stop()


if __name__ == "__main__":
    main()
