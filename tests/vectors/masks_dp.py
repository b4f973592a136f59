"""Writes masks_dp.json: noise that stays the same for a row, redone independently.

The sampler is that of laplace.py, on the keyed stream of masks_measure.py; the grids are exact
fractions.
Run: python3 tests/vectors/masks_dp.py > tests/vectors/masks_dp.json
"""

import sys
from fractions import Fraction

sys.dont_write_bytecode = True

from keyed import field
from laplace import discrete_laplace
from masks_measure import (
    BIG,
    DATE,
    DOUBLE,
    FLOATS,
    INT,
    NOON,
    NUM,
    REAL,
    SECOND,
    TIMES,
    TIMESTAMPS,
    TS,
    TSTZ,
    WIDTHS,
    ceil,
    extent,
    floor,
    instant,
    main,
    plain,
    real,
    scale_of,
    short,
    stream,
    written,
)

MOST = 2**63 // 10**6


def dp_noise_sticky(params, key, seed, type_, value, inputs):
    delta = short(params["sensitivity"])
    bounds = [params[name] for name in ("lower", "upper") if name in params]
    times = [params[name] for name in ("earliest", "latest") if name in params]
    extra = 0
    if type_ in WIDTHS:
        step, delta = Fraction(1), Fraction(float(params["sensitivity"]))
        while ceil(delta / step) > MOST:
            step *= 2
    elif type_ == "date":
        step = Fraction(1)
    elif type_ in FLOATS:
        step = Fraction(1, 2**400)
        while step * 2**32 < Fraction(params["sensitivity"]):
            step *= 2
        delta, extra = Fraction(params["sensitivity"]), 1
    else:
        places = max(scale_of(plain(n)) for n in [params["sensitivity"], *bounds])
        step = Fraction(1, 10 ** (min(places, 6) if type_ in TIMESTAMPS else places))
        while ceil(delta / step) > MOST:
            step *= 10

    def place(number):
        return floor(Fraction(number) / step + Fraction(1, 2))

    at = place(Fraction(value, SECOND) if type_ in TIMESTAMPS else value)
    if bounds:
        exact = Fraction if type_ in FLOATS else short
        at = min(max(at, place(exact(bounds[0]))), place(exact(bounds[1])))
    if times:
        unit = SECOND if type_ in TIMESTAMPS else 1
        low, high = (place(Fraction(instant(text, type_), unit)) for text in times)
        at = min(max(at, low), high)
    micro = floor(short(params["epsilon"]) * 10**6)
    texts = times or [plain(bound) for bound in bounds] or ["", ""]
    message = b"".join(map(field, [
        params.get("label", "").encode(),
        micro.to_bytes(8, "big"),
        plain(params["sensitivity"]).encode(),
        *(text.encode() for text in texts),
        inputs["row_key"].encode(),
        at.to_bytes(16, "big", signed=True),
    ]))
    scale = Fraction((ceil(delta / step) + extra) * 10**6, micro)
    out = at + discrete_laplace(stream("dp_noise_sticky", key, seed, message), scale)
    if params.get("clamp"):
        out = min(max(out, place(bounds[0])), place(bounds[1]))
    out *= step
    if type_ == "numeric":
        scale = 0
        while step * 10**scale != int(step * 10**scale):
            scale += 1
        return written(int(out * 10**scale), scale)
    if type_ in FLOATS:
        return real(float(out)) if type_ == "real" else float(out)
    if type_ in TIMESTAMPS:
        return min(max(int(out * SECOND), TIMES[0]), TIMES[1])
    least, most = extent(type_)
    return min(max(int(out), least), most)


CASES = [
    (dp_noise_sticky, {"epsilon": 1, "sensitivity": 1}, 0, INT, 7, {"row_key": "17"}),
    (dp_noise_sticky, {"epsilon": 1, "sensitivity": 1}, 12345, INT, 7, {"row_key": "17"}),
    (dp_noise_sticky, {"epsilon": 1, "sensitivity": 1}, 12345, INT, 7, {"row_key": ""}),
    (dp_noise_sticky, {"epsilon": 0.1, "sensitivity": 200000, "lower": 0, "upper": 200000}, 12345,
     INT, 520000, {"row_key": "17"}),
    (dp_noise_sticky, {"epsilon": 10, "sensitivity": 3, "label": "age"}, 1, "smallint", -40,
     {"row_key": "x" * 100}),
    (dp_noise_sticky, {"epsilon": 1e-6, "sensitivity": 2**63}, 1, BIG, 12345, {"row_key": "1"}),
    (dp_noise_sticky, {"epsilon": 0.123457, "sensitivity": 1e13}, 1, BIG, -987654321987,
     {"row_key": "1"}),
    (dp_noise_sticky, {"epsilon": 0.5, "sensitivity": 10, "lower": 0, "upper": 10, "clamp": True},
     12345, INT, 5, {"row_key": "17"}),
    (dp_noise_sticky, {"epsilon": 1, "sensitivity": 0.01}, 12345, NUM, "-12.345",
     {"row_key": "17"}),
    (dp_noise_sticky, {"epsilon": 2, "sensitivity": 100, "lower": 0, "upper": 99.5}, 12345, NUM,
     "50.25", {"row_key": "17"}),
    (dp_noise_sticky, {"epsilon": 1, "sensitivity": 1e20}, 12345, NUM, "123456789012345678901234",
     {"row_key": "17"}),
    (dp_noise_sticky, {"epsilon": 1, "sensitivity": 4096}, 12345, REAL, real(1.5e6),
     {"row_key": "17"}),
    (dp_noise_sticky, {"epsilon": 1, "sensitivity": 2**31, "lower": -7, "upper": 1e6}, 12345,
     DOUBLE, 123.75, {"row_key": "17"}),
    (dp_noise_sticky, {"epsilon": 1, "sensitivity": 365}, 12345, DATE, 8825, {"row_key": "17"}),
    (dp_noise_sticky, {"epsilon": 1, "sensitivity": 400, "earliest": "2023-03-01",
                       "latest": "2024-03-01"}, 12345, DATE, 9000, {"row_key": "17"}),
    (dp_noise_sticky, {"epsilon": 1, "sensitivity": 86400}, 12345, TS, NOON + 500000,
     {"row_key": "17"}),
    (dp_noise_sticky, {"epsilon": 1, "sensitivity": 0.25}, 12345, TSTZ, NOON + 1234,
     {"row_key": "17"}),
]

if __name__ == "__main__":
    main(CASES)
