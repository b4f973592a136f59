"""Writes masks_measure.json: noise, rounding, coarser units and shifts, redone independently.

Standard library only: exact fractions where the Rust code works in limbs and machine words, the
calendar of `datetime` where it has an algorithm of its own.
Run: python3 tests/vectors/masks_measure.py > tests/vectors/masks_measure.json
"""

import datetime
import json
import struct
from decimal import Decimal
from fractions import Fraction

from keyed import KEY, OTHER_KEY, below_u64, stream_words

SECOND = 10**6
DAY = 86400 * SECOND
DATES = (-2451545, 2145031948)
TIMES = (-2451545 * DAY, 106751983 * DAY - 1)
WIDTHS = {"smallint": 16, "integer": 32, "bigint": 64}
FLOATS = ("real", "double precision")
TIMESTAMPS = ("timestamp without time zone", "timestamp with time zone")
INFINITIES = {"date": (-(2**31), 2**31 - 1)} | {t: (-(2**63), 2**63 - 1) for t in TIMESTAMPS}


def below_long(words, bound):
    """Limb by limb in base 10^18, the least first; again from the beginning if too great."""
    base = 10**18
    if bound < base:
        return below_u64(words, bound)
    limbs = []
    rest = bound
    while rest:
        rest, limb = divmod(rest, base)
        limbs.append(limb)
    while True:
        drawn = [below_u64(words, base) for _ in limbs[:-1]] + [below_u64(words, limbs[-1] + 1)]
        drawn = sum(limb * base**i for i, limb in enumerate(drawn))
        if drawn < bound:
            return drawn


def short(number):
    """A float by its shortest digits."""
    return Fraction(repr(float(number)))


def real(number):
    return struct.unpack("f", struct.pack("f", number))[0]


def shortest_real(number):
    """The shortest digits that give the same number of 32 bits."""
    return next(s for s in (f"{number:.{n}g}" for n in range(1, 18)) if real(float(s)) == number)


def scale_of(text):
    return len(text.partition(".")[2])


def plain(number):
    """A float without an exponent and without zeros at its end, as text."""
    text = format(Decimal(repr(float(number))), "f")
    return text.rstrip("0").rstrip(".") if "." in text else text


def written(units, scale):
    sign = "-" if units < 0 else ""
    digits = str(abs(units)).rjust(scale + 1, "0")
    return sign + (digits[:-scale] + "." + digits[-scale:] if scale else digits)


def floor(fraction):
    return fraction.numerator // fraction.denominator


def ceil(fraction):
    return -floor(-fraction)


def value_bytes(type_, value):
    if type_ == "date":
        return value.to_bytes(4, "big", signed=True)
    if type_ in FLOATS:
        return struct.pack(">d", value + 0.0)
    if type_ == "numeric":
        if "." in value:
            value = value.rstrip("0").rstrip(".")
        return ("0" if value in ("", "-", "-0") else value).encode()
    return value.to_bytes(8, "big", signed=True)


def origin(type_, value, inputs):
    return inputs["entity"].encode() if "entity" in inputs else value_bytes(type_, value)


def instant(text, type_):
    date, _, clock = text.partition(" ")
    days = (datetime.date.fromisoformat(date) - datetime.date(2000, 1, 1)).days
    if type_ == "date":
        return days
    clock = datetime.time.fromisoformat(clock or "00:00")
    return days * DAY + ((clock.hour * 60 + clock.minute) * 60 + clock.second) * SECOND


def extent(type_):
    if type_ in WIDTHS:
        return -(2 ** (WIDTHS[type_] - 1)), 2 ** (WIDTHS[type_] - 1) - 1
    return DATES if type_ == "date" else TIMES


def near(given, least, most, reach, draw):
    center = min(max(given, least), most)
    reach = max(reach, 1)
    low, high = max(least, center - reach), min(most, center + reach)
    count = high - low + 1 - (given == center)
    if count == 0:
        return center
    out = low + draw(count)
    return out + (given == center and out >= center)


def noise(params, key, seed, type_, value, inputs):
    words = stream_words("noise", key, seed, origin(type_, value, inputs))
    ratio = None if "amount" in params else short(params.get("ratio", 0.1))
    amount = short(params["amount"]) if "amount" in params else None

    def reach(center, per_unit=1):
        return floor(abs(center) * ratio if ratio is not None else amount * per_unit)

    if type_ in WIDTHS or type_ == "date" or type_ in TIMESTAMPS:
        least, most = extent(type_)
        if value in INFINITIES.get(type_, ()):
            return value
        if type_ in WIDTHS:
            least = max(least, params.get("min", least))
            most = min(most, params.get("max", most))
        else:
            least = instant(params["earliest"], type_) if "earliest" in params else least
            most = instant(params["latest"], type_) if "latest" in params else most
        unit, per_unit = 1, 1
        if type_ in TIMESTAMPS:
            per_unit = SECOND
            if value % SECOND == 0:
                unit, per_unit = SECOND, 1
        least, most = -(-least // unit), most // unit
        center = min(max(value // unit, least), most)
        drawn = near(value // unit, least, most, reach(center, per_unit), lambda n: below_u64(words, n))
        return drawn * unit
    if type_ == "numeric":
        if value in ("NaN", "Infinity", "-Infinity"):
            return value
        text, scale = value, scale_of(value)
    else:
        text = shortest_real(value) if type_ == "real" else repr(value)
        text = format(Decimal(text), "f")
        text = text.rstrip("0").rstrip(".") if "." in text else text
        far = abs(Fraction(text)) * ratio if ratio is not None else amount
        far = far or ratio
        scale = scale_of(text)
        while floor(far * 10**scale) < 10:
            scale += 1
    unit = 10**scale
    least = ceil(short(params["min"]) * unit) if "min" in params else -(10**2000)
    most = floor(short(params["max"]) * unit) if "max" in params else 10**2000
    given = int(Fraction(text) * unit)
    center = min(max(given, least), most)
    far = reach(center, unit)
    if type_ != "numeric" and ratio is not None and center == 0:
        far = floor(ratio * unit)
    out = near(given, least, most, far, lambda n: below_long(words, n))
    if type_ == "numeric":
        return written(out, scale)
    out = float(Fraction(out, unit))
    assert out != value
    return real(out) if type_ == "real" else out


def coded(fraction, params):
    """What the bounds make of a value, if anything."""
    if "min" in params and fraction <= short(params["min"]):
        return short(params["min"])
    if "max" in params and fraction >= short(params["max"]):
        return short(params["max"])
    return None


def rounded(fraction, step, mode):
    count = floor(fraction / step)
    if mode == "ceil":
        count = ceil(fraction / step)
    if mode == "nearest":
        count = floor(abs(fraction) / step + Fraction(1, 2)) * (-1 if fraction < 0 else 1)
    if mode == "center":
        return (count + Fraction(1, 2)) * step
    return count * step


def round_(params, key, seed, type_, value, inputs):
    step, mode = short(params["step"]), params.get("mode", "floor")

    def bounded(fraction):
        found = coded(fraction, params)
        if found is not None:
            return found
        out = rounded(fraction, step, mode)
        out = max(out, short(params["min"])) if "min" in params else out
        return min(out, short(params["max"])) if "max" in params else out

    if type_ in WIDTHS:
        least, most = extent(type_)
        return min(max(floor(bounded(Fraction(value))), least), most)
    if type_ == "numeric":
        if value in ("NaN", "Infinity", "-Infinity"):
            bound = params.get({"Infinity": "max", "-Infinity": "min"}.get(value))
            return value if bound is None else plain(bound)
        out, scale = bounded(Fraction(value)), scale_of(value)
        while out * 10**scale != int(out * 10**scale):
            scale += 1
        return written(int(out * 10**scale), scale)
    text = shortest_real(value) if type_ == "real" else repr(value)
    out = float(bounded(Fraction(text)))
    return real(out) if type_ == "real" else out


ERA = 146097


def civil(days):
    """Years of `datetime` are few, but every 400 of them are alike."""
    eras = (days + 730000) // ERA
    date = datetime.date(2000, 1, 1) + datetime.timedelta(days - eras * ERA)
    return date.year + 400 * eras, date.month, date.day


def days_of(year, month, day):
    eras = year // 400 - 5
    date = datetime.date(year - 400 * eras, month, day)
    return (date - datetime.date(2000, 1, 1)).days + eras * ERA


def cut(days, unit):
    year, month, day = civil(days)
    if unit == "decade":
        return days_of(year - year % 10, 1, 1)
    if unit == "year":
        return days_of(year, 1, 1)
    if unit == "quarter":
        return days_of(year, month - (month - 1) % 3, 1)
    if unit == "month":
        return days_of(year, month, 1)
    if unit == "week":
        return days - (days - 2) % 7  # 2000-01-03 was a Monday
    return days


def generalize(params, key, seed, type_, value, inputs):
    method, unit = params.get("method", "bucket"), params.get("unit", "year")
    if method == "zip3":
        prefix = value.strip()[:3]
        restricted = params.get("restricted", (
            "036 059 063 102 203 556 692 790 821 823 830 831 878 879 884 890 893"
        ).split())
        return "000" if prefix in restricted else prefix
    if method == "prefix":
        return value[: params["keep"]]
    if type_ == "date" or type_ in TIMESTAMPS:
        if value in INFINITIES[type_]:
            return value
        per_day = 1 if type_ == "date" else DAY
        days = value // per_day
        if unit in ("hour", "minute"):
            length = (3600 if unit == "hour" else 60) * SECOND
            out = value - value % length
        else:
            out = cut(days, unit) * per_day
        if "as_of" in params:
            year, month, day = map(int, params["as_of"].split("-"))
            oldest = days_of(year - 90, 1, 1) * per_day
            out = oldest if days <= days_of(year - 90, month, day) else max(out, oldest)
        least, most = DATES if type_ == "date" else TIMES
        return min(max(out, least), most)
    if method == "age":
        params = {"step": params.get("step", 1), "max": 90}
    return round_(params, key, seed, type_, value, inputs)


def date_shift(params, key, seed, type_, value, inputs):
    if value in INFINITIES[type_]:
        return value
    words = stream_words("date_shift", key, seed, origin(type_, value, inputs))
    length, most = DAY, params.get("max_days", 365)
    if params.get("keep_weekday"):
        length, most = 7 * DAY, most // 7
    if params.get("unit") == "seconds":
        length, most = SECOND, most * 86400
    allowed = {
        "both": [range(-1, -most - 1, -1), range(1, most + 1)],
        "past": [range(-1, -most - 1, -1)],
        "future": [range(1, most + 1)],
    }[params.get("direction", "both")]
    drawn = below_u64(words, sum(map(len, allowed)))
    steps = allowed[drawn // most][drawn % most]
    per = DAY if type_ == "date" else 1
    least, highest = DATES if type_ == "date" else TIMES
    return min(max(value + steps * length // per, least), highest)


INT, BIG, NUM, TXT = "integer", "bigint", "numeric", "text"
REAL, DOUBLE, DATE, TS, TSTZ = *FLOATS, "date", *TIMESTAMPS
LONG = "9" * 1000
NOON = 8825 * DAY + DAY // 2
CASES = [
    (noise, {}, 0, INT, 52000, {}),
    (noise, {}, 12345, INT, 52000, {}),
    (noise, {}, 12345, BIG, 52000, {}),
    (noise, {}, 12345, INT, 0, {}),
    (noise, {"ratio": 0.33}, 12345, INT, 1, {}),
    (noise, {"ratio": 1}, 12345, BIG, -(2**63), {}),
    (noise, {"ratio": 1}, -7, BIG, 2**63 - 1, {}),
    (noise, {"ratio": 0.5, "min": 0, "max": 120}, 12345, "smallint", 80, {}),
    (noise, {"ratio": 0.5, "min": 0, "max": 120}, 12345, "smallint", 300, {}),
    (noise, {"amount": 5}, 12345, INT, -40, {"entity": "17"}),
    (noise, {"amount": 1e30}, 12345, INT, -40, {}),
    (noise, {}, 12345, NUM, "19.99", {}),
    (noise, {}, 12345, NUM, "-19.990", {}),
    (noise, {}, 12345, NUM, "0", {}),
    (noise, {}, 12345, NUM, "0.00", {}),
    (noise, {"amount": 0.5, "min": 0.25}, 12345, NUM, "0.3", {}),
    (noise, {}, 12345, NUM, LONG, {}),
    (noise, {"ratio": 0.123456}, 12345, NUM, "-" + "7" * 40 + "." + "3" * 25, {}),
    (noise, {"amount": 1e25}, 12345, NUM, "1" * 30, {"entity": "Zoë"}),
    (noise, {"ratio": 1}, 12345, NUM, "1" + "0" * 18, {}),
    (noise, {}, 12345, NUM, "NaN", {}),
    (noise, {}, 12345, DOUBLE, 19.99, {}),
    (noise, {}, 12345, DOUBLE, 3.0, {}),
    (noise, {}, 12345, DOUBLE, 0.0, {}),
    (noise, {"amount": 0.001}, 12345, DOUBLE, -12.5, {}),
    (noise, {}, 12345, DOUBLE, 1e22, {}),
    (noise, {"ratio": 0.2, "max": 0.31}, 12345, REAL, real(0.3), {}),
    (noise, {}, 12345, REAL, real(1e-3), {}),
    (noise, {"amount": 30}, 12345, DATE, 8825, {}),
    (noise, {"amount": 3, "earliest": "2024-02-28", "latest": "2024-03-01"}, 1, DATE, 8825, {}),
    (noise, {"amount": 90}, 12345, TS, NOON, {}),
    (noise, {"amount": 90}, 12345, TSTZ, NOON + 1, {"entity": "17"}),
    (noise, {"amount": 1e9, "latest": "2024-02-29 12:00:01"}, 12345, TS, NOON, {}),
    (noise, {"amount": 90}, 12345, TS, 2**63 - 1, {}),
    (round_, {"step": 10}, 0, INT, -5, {}),
    (round_, {"step": 10}, 0, INT, 3000, {}),
    (round_, {"step": 10, "mode": "ceil"}, 0, BIG, 3000000001, {}),
    (round_, {"step": 7, "mode": "nearest"}, 0, BIG, -11, {}),
    (round_, {"step": 5, "mode": "center"}, 0, "smallint", -1, {}),
    (round_, {"step": 1000}, 0, "smallint", -32768, {}),
    (round_, {"step": 10, "min": 18, "max": 90}, 0, INT, 19, {}),
    (round_, {"step": 10, "min": 18, "max": 90}, 0, INT, 97, {}),
    (round_, {"step": 10}, 0, NUM, "9.7", {}),
    (round_, {"step": 0.25, "mode": "nearest"}, 0, NUM, "-12.375", {}),
    (round_, {"step": 0.25, "mode": "center"}, 0, NUM, "12.34", {}),
    (round_, {"step": 1e20}, 0, NUM, "-" + LONG, {}),
    (round_, {"step": 0.3, "mode": "ceil"}, 0, NUM, "1", {}),
    (round_, {"step": 100, "max": 1000}, 0, NUM, "1234.50", {}),
    (round_, {"step": 100, "max": 1000}, 0, NUM, "Infinity", {}),
    (round_, {"step": 0.1}, 0, DOUBLE, 0.3, {}),
    (round_, {"step": 0.1, "mode": "nearest"}, 0, DOUBLE, -0.25, {}),
    (round_, {"step": 0.1}, 0, REAL, real(0.7), {}),
    (generalize, {}, 0, DATE, 8825, {}),
    (generalize, {"unit": "quarter"}, 0, DATE, 8825, {}),
    (generalize, {"unit": "month"}, 0, DATE, -1, {}),
    (generalize, {"unit": "week"}, 0, DATE, -1000000, {}),
    (generalize, {"unit": "decade"}, 0, DATE, -735000, {}),
    (generalize, {"unit": "year"}, 0, DATE, 2145031948, {}),
    (generalize, {"unit": "year"}, 0, DATE, -2451545, {}),
    (generalize, {"unit": "hour"}, 0, TSTZ, -1, {}),
    (generalize, {"unit": "minute"}, 0, TS, NOON + 61 * SECOND, {}),
    (generalize, {"unit": "month"}, 0, TS, -1, {}),
    (generalize, {}, 0, DATE, 2**31 - 1, {}),
    (generalize, {"step": 10}, 0, INT, -5, {}),
    (generalize, {"step": 10}, 0, NUM, "9.7", {}),
    (generalize, {"step": 10}, 0, BIG, 3000000001, {}),
    (generalize, {"method": "age"}, 0, "smallint", 89, {}),
    (generalize, {"method": "age", "step": 5}, 0, INT, 97, {}),
    (generalize, {"method": "age", "as_of": "2025-06-15"}, 0, DATE, -4583, {}),
    (generalize, {"method": "age", "as_of": "2025-06-15"}, 0, DATE, -23574, {}),
    (generalize, {"method": "age", "as_of": "2025-06-15", "unit": "month"}, 0, DATE, -23574, {}),
    (generalize, {"method": "age", "as_of": "2025-06-15", "unit": "month"}, 0, DATE, -23575, {}),
    (generalize, {"method": "age", "as_of": "2025-06-15"}, 0, TS, -30000 * DAY + 5, {}),
    (generalize, {"method": "zip3"}, 0, TXT, "90210", {}),
    (generalize, {"method": "zip3"}, 0, TXT, "03601-1234", {}),
    (generalize, {"method": "zip3", "restricted": ["902"]}, 0, TXT, " 90210", {}),
    (generalize, {"method": "prefix", "keep": 3}, 0, TXT, "LS2 2AB", {}),
    (generalize, {"method": "prefix", "keep": 2}, 0, TXT, "äöü", {}),
    (generalize, {"method": "prefix", "keep": 9}, 0, TXT, "90210", {}),
    (date_shift, {}, 0, DATE, 8825, {}),
    (date_shift, {}, 12345, DATE, 8825, {}),
    (date_shift, {}, 12345, DATE, 8825, {"entity": "17"}),
    (date_shift, {}, 12345, TS, NOON, {"entity": "17"}),
    (date_shift, {}, 12345, TSTZ, NOON + 1, {}),
    (date_shift, {"max_days": 1}, 12345, DATE, -400000, {}),
    (date_shift, {"max_days": 36500, "direction": "past"}, 12345, DATE, 8825, {}),
    (date_shift, {"max_days": 30, "direction": "future"}, 12345, DATE, 8825, {"entity": ""}),
    (date_shift, {"keep_weekday": True, "max_days": 20}, 12345, DATE, 8825, {}),
    (date_shift, {"unit": "seconds", "max_days": 2}, 12345, TSTZ, NOON, {}),
    (date_shift, {"direction": "future"}, 12345, DATE, DATES[1], {}),
    (date_shift, {"direction": "past"}, 12345, TS, TIMES[0], {}),
    (date_shift, {}, 12345, DATE, 2**31 - 1, {}),
    (date_shift, {}, -1, TS, -(2**63), {}),
]


def main(cases):
    vectors = []
    for key in (KEY, OTHER_KEY):
        for strategy, params, seed, type_, value, inputs in cases:
            vectors.append({
                "strategy": strategy.__name__.strip("_"), "params": params, "key": key.hex(),
                "seed": seed, "type": type_, "input": value, "inputs": inputs,
                "output": strategy(params, key, seed, type_, value, inputs),
            })
    print("[\n" + ",\n".join(json.dumps(v, ensure_ascii=False) for v in vectors) + "\n]")


if __name__ == "__main__":
    main(CASES)
