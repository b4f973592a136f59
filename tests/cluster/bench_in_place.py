"""How long masking in place takes beside a run into another schema. Ratios of one run only.

python bench_in_place.py [rows]
"""

import sys
import time

from samples import make_many
from server import Server


def seconds(work):
    begun = time.perf_counter()
    work()
    return time.perf_counter() - begun


def main(rows):
    server = Server("benchplace", "confiture.allow_in_place=on")
    try:
        ratios = []
        for _ in range(3):
            db = server.create_database()
            make_many(db, rows)
            db.execute("CREATE INDEX ON prod.people (email)")
            db.sync()
            copied = seconds(db.sync)
            in_place = seconds(
                lambda: db.execute(  # noqa: B023 – called at once
                    "CALL confiture.mask_in_place('small', 'prod', '{\"was_source\": true}')"
                )
            )
            ratios.append(in_place / copied)
            db.drop()
        print(f"{rows} rows: in place / run {sorted(ratios)[1]:.2f} ({ratios})")
    finally:
        server.stop()


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 300_000)
