"""What the triggers of watches and lists add to ALTER TABLE while these are empty: ratios of one run.

Of processor time, as Linux counts it for the server's process: other work on the machine does not
count.

python bench_watch.py
"""

from pathlib import Path

from samples import make_people
from server import Server

SCRIPT = """DO $$ BEGIN FOR i IN 1..300 LOOP
  EXECUTE 'ALTER TABLE prod.people ADD x integer';
  EXECUTE 'ALTER TABLE prod.people DROP COLUMN x';
END LOOP; END $$"""

TRIGGERS = {
    "watch": ["watch_columns"],
    "lists of runs": ["follow_start", "follow_end"],
}

TIMES = 21


def nanoseconds(db):
    return int(Path(f"/proc/{db.pid()}/schedstat").read_text(encoding="ascii").split()[0])


def cost(db):
    db.execute("BEGIN")
    begun = nanoseconds(db)
    db.execute(SCRIPT)
    taken = nanoseconds(db) - begun
    db.execute("ROLLBACK")
    return taken


def switched(db, triggers, how):
    for trigger in triggers:
        db.execute(f"ALTER EVENT TRIGGER confiture_{trigger} {how}")
    # The first one builds the caches anew.
    cost(db)
    return cost(db)


def main():
    server = Server("benchwatch")
    try:
        db = server.create_database()
        make_people(db)
        for what, triggers in TRIGGERS.items():
            asleep, off = [], []
            for _ in range(TIMES):
                asleep.append(switched(db, triggers, "ENABLE ALWAYS"))
                off.append(switched(db, triggers, "DISABLE"))
            for trigger in triggers:
                db.execute(f"ALTER EVENT TRIGGER confiture_{trigger} ENABLE ALWAYS")
            middle = TIMES // 2
            print(f"{what}, asleep / disabled: {sorted(asleep)[middle] / sorted(off)[middle]:.3f}")
    finally:
        server.stop()


if __name__ == "__main__":
    main()
