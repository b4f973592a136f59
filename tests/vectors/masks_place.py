"""Writes masks_place.json: strategies address and geo, redone independently of the Rust code.

Standard library only; reads the data files of src/strategies/place/data/.
Run: python3 tests/vectors/masks_place.py > tests/vectors/masks_place.json
"""

import json
import math
import re
import struct
from pathlib import Path

from keyed import KEY, OTHER_KEY, below, canonical_text, stream, tail

DATA = Path(__file__).resolve().parent.parent.parent / "src/strategies/place/data"


def word(source):
    return int.from_bytes(bytes(next(source) for _ in range(8)), "big")


def below_word(source, bound):
    while True:
        product = word(source) * bound
        if product % 2**64 >= 2**64 % bound:
            return product >> 64


NUMBERS = {
    "br": (10, 3900), "de": (1, 160), "es": (1, 220), "fr": (1, 190), "gb": (1, 240),
    "pt": (1, 320), "us": (100, 9999),
}
NAMES = {
    "br": "Brazil", "de": "Germany", "es": "Spain", "fr": "France", "gb": "United Kingdom",
    "pt": "Portugal", "us": "United States",
}


def cities(country):
    regions, found = {}, []
    for line in (DATA / f"{country}.txt").read_text(encoding="utf-8").splitlines():
        if line.startswith("="):
            code, _, name = line[1:].partition("|")
            regions[code] = name
        elif not line.startswith("#"):
            name, region, codes = line.split("|")
            found.append((name, region, regions[region], codes.split(",")))
    return found


def streets(country):
    text = (DATA / "streets.txt").read_text(encoding="utf-8")
    section = re.search(rf"^\[{country}\]\n(.*?)(?=^\[|\Z)", text, re.M | re.S)[1]
    forms, words = [], {}
    for line in section.splitlines():
        if "=" in line:
            name, _, value = line.partition("=")
            if name == "form":
                forms.append(value)
            else:
                words[name] = value.split("|")
    return forms, words


def address(params, key, seed, _, value, inputs):
    part = params.get("part", "full")
    country = params.get("country", "us")
    origin = inputs.get("entity", canonical_text(value)).encode()
    source = stream("place", key, seed, origin)
    word = tail(stream("place/tail", key, seed, origin)) if params.get("keep_unique") else ""
    if country == "any":
        country = sorted(NAMES)[below(source, 7)]
    made = place(part, country, source, word)
    if params.get("keep_case"):
        upper, lower = any(map(str.isupper, value)), any(map(str.islower, value))
        if upper != lower:
            made = made.upper() if upper else made.lower()
    return made


def place(part, country, source, word):
    if part == "country":
        return NAMES[country]
    if part == "country_code":
        return country.upper()
    known = cities(country)
    city, code, region, codes = known[below_word(source, len(known))]
    postcode = ""
    for c in codes[below(source, len(codes))]:
        if c == "#":
            c = str(below(source, 10))
        elif c == "@":
            c = "ABDEFGHJLNPQRSTUWXYZ"[below(source, 20)]
        postcode += c
    forms, words = streets(country)
    form = forms[below(source, len(forms))]
    street = re.sub("<(.*?)>", lambda m: words[m[1]][below(source, len(words[m[1]]))], form)
    street += word
    low, high = NUMBERS[country]
    number = low + below_word(source, high - low + 1)
    line = {
        "br": f"{street}, {number}", "de": f"{street} {number}", "es": f"{street}, {number}",
        "fr": f"{number} {street}", "gb": f"{number} {street}", "pt": f"{street}, {number}",
        "us": f"{number} {street}",
    }[country]
    full = {
        "br": f"{line}, {city} - {code}, {postcode}", "gb": f"{line}, {city}, {postcode}",
        "us": f"{line}, {city}, {code} {postcode}",
    }.get(country, f"{line}, {postcode} {city}")
    return {
        "full": full, "line": line, "street": street, "city": city, "postcode": postcode,
        "region": region, "region_code": code,
    }[part]


PER_DEGREE = 6371.0 * math.pi / 180


def nearest(x):
    """To the nearest integer, away from zero between two."""
    whole = math.trunc(x)
    return whole + int(math.copysign(1, x)) if abs(x - whole) >= 0.5 else whole


def middle(position, length, count):
    part = min(max(math.floor(position / length * count), 0.0), count - 1.0)
    return (part + 0.5) * length / count


def band(latitude, km):
    return middle(latitude + 90, 180, max(math.floor(180 * PER_DEGREE / km), 1)) - 90


def cell(longitude, at, km):
    around = 360 * PER_DEGREE * math.cos(math.radians(at))
    return middle(longitude + 180, 360, max(math.floor(around / km), 1)) - 180


def geo(params, key, seed, type_, value, inputs):
    degrees = float(value)
    if type_ == "real":
        degrees = float(f"{degrees:.7g}")
    made = coordinate(params, key, seed, degrees, inputs)
    if type_ == "numeric":
        scale = len(value.partition(".")[2])
        digits = min(scale, 6)
        units = nearest(made * 10**digits)
        whole, rest = divmod(abs(units), 10**digits)
        text = ("-" if units < 0 else "") + str(whole)
        return text + ("." + str(rest).zfill(digits) + "0" * (scale - digits) if scale else "")
    made = nearest(made * 1e6) / 1e6
    return struct.unpack("<f", struct.pack("<f", made))[0] if type_ == "real" else made


def coordinate(params, key, seed, degrees, inputs):
    is_latitude = params["part"] == "latitude"
    latitude = degrees if is_latitude else inputs.get("latitude")
    wrapped = -180.0 if not is_latitude and degrees == 180 else degrees
    if params.get("method", "grid") == "grid":
        km = params.get("cell_km", 10)
        if is_latitude:
            return band(degrees, km)
        return cell(wrapped, 0.0 if latitude is None else band(float(latitude), km), km)
    latitude = float(latitude)
    if "entity" in inputs:
        origin = inputs["entity"].encode()
    else:
        longitude = float(inputs["longitude"]) if is_latitude else degrees
        origin = struct.pack(">dd", latitude + 0.0, longitude + 0.0)
    source = stream("geo", key, seed, origin)
    unit = [(word(source) >> 11) / 2**53 for _ in range(2)]
    angle = params.get("radius_km", 10) * math.sqrt(unit[0]) / 6371.0
    bearing = 2 * math.pi * unit[1]
    start = math.radians(latitude)
    sine = math.sin(start) * math.cos(angle) + math.cos(start) * math.sin(angle) * math.cos(bearing)
    end = math.asin(max(-1.0, min(1.0, sine)))
    if is_latitude:
        return math.degrees(end)
    east = math.sin(bearing) * math.sin(angle) * math.cos(start)
    north = math.cos(angle) - math.sin(start) * math.sin(end)
    return (wrapped + math.degrees(math.atan2(east, north)) + 540) % 360 - 180


ADA = {"entity": "4711"}
AT = {"latitude": "-33.8568", "longitude": "151.2153"}
PARIS = {"latitude": "48.8584", "longitude": "2.2945"}
LAT, LON = {"part": "latitude"}, {"part": "longitude"}
JITTER = {"method": "jitter"}
CASES = [
    (address, {}, 0, "text", "10 Downing Street", {}),
    (address, {}, 12345, "text", "", {}),
    (address, {}, 12345, "text", "\u3000ZOE\u0308 Street ", {}),
    (address, {"country": "any"}, -1, "text", "anywhere", {}),
    (address, {"country": "any", "part": "country"}, -1, "text", "anywhere", {}),
    (address, {"part": "country_code", "country": "gb"}, 1, "text", "x", {}),
    (address, {"country": "de", "keep_case": True}, 5, "text", "MUSTERSTRASSE 1", {}),
    (address, {"country": "br", "keep_case": True}, 5, "text", "rua a", {}),
    (address, {"country": "fr", "keep_case": True}, 5, "text", "Rue A", {}),
    *[
        (address, {"part": part, "country": country}, 12345, "text", "x", ADA)
        for country in ["us", "br", "de", "es", "fr", "gb", "pt", "any"]
        for part in ["full", "line", "street", "city", "postcode", "region", "region_code"]
    ],
    (address, {"country": "gb"}, 2**63 - 1, "text", "x", {"entity": ""}),
    *[
        (address, {"part": part, "country": country, "keep_unique": True}, 12345, "text", "x", ADA)
        for country in ["us", "br", "de", "es", "fr", "gb", "pt", "any"]
        for part in ["full", "line", "street"]
    ],
    (address, {"keep_unique": True}, 12345, "text", " Zoe\u0308 Street", {}),
    (address, {"keep_case": True, "keep_unique": True}, 12345, "text", "ELM ST", {}),
    (geo, LAT, 0, "double precision", 48.8584, {}),
    (geo, LON, 0, "double precision", 2.2945, {}),
    (geo, LON, 0, "double precision", 2.2945, PARIS),
    (geo, LON | {"cell_km": 0.5}, 0, "double precision", -0.000001, {"latitude": "65"}),
    (geo, LON | {"cell_km": 100}, 0, "double precision", 180.0, {"latitude": "-65.25"}),
    (geo, LON, 0, "double precision", 77.0, {"latitude": "90"}),
    (geo, LAT | {"cell_km": 2000}, 0, "double precision", -90.0, {}),
    (geo, LAT, 0, "numeric", "48.8584", {}),
    (geo, LAT, 0, "numeric", "-33.856800000", {}),
    (geo, LAT, 0, "numeric", "0", {}),
    (geo, LON, 0, "numeric", "-179.9", {"latitude": "10"}),
    (geo, LAT, 0, "real", 48.5, {}),
    (geo, LON, 0, "real", -122.25, {"latitude": "37.75"}),
    (geo, LAT | JITTER, 12345, "double precision", 48.8584, PARIS),
    (geo, LON | JITTER, 12345, "double precision", 2.2945, PARIS),
    (geo, LAT | JITTER, 12345, "double precision", -33.8568, AT | ADA),
    (geo, LON | JITTER, 12345, "double precision", 151.2153, AT | ADA),
    (geo, LAT | JITTER | {"radius_km": 500}, -7, "numeric", "89.9", {"longitude": "10"}),
    (geo, LON | JITTER | {"radius_km": 500}, -7, "numeric", "10.0000", {"latitude": "89.9"}),
    (geo, LON | JITTER | {"radius_km": 0.25}, -7, "numeric", "180.000000", {"latitude": "0"}),
    (geo, LAT | JITTER, 1, "real", 48.5, {"longitude": "2.25"}),
    (geo, LON | JITTER, 1, "real", 2.25, {"latitude": "48.5"}),
]

vectors = []
for key in (KEY, OTHER_KEY):
    for strategy, params, seed, type_, value, inputs in CASES:
        vectors.append({
            "strategy": strategy.__name__, "params": params, "key": key.hex(), "seed": seed,
            "type": type_, "input": value, "inputs": inputs,
            "output": strategy(params, key, seed, type_, value, inputs),
        })
print("[\n" + ",\n".join(json.dumps(v, ensure_ascii=False) for v in vectors) + "\n]")
