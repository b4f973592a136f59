"""Values at the edges of every type that a function of the extension takes, in text form.

A text that stands for a value holds `MARK`, one that stands for a name `NAME`: messages quote names,
and never a value.
"""

import json

MARK = "Zq7Wx"
NAME = "Nq7Vy"
LONG = 1_000_000

# Beyond what functions accept anywhere: the server takes it, and readers of documents must not fall.
DEEP = 4000


def texts(mark):
    """Texts with a mark in them, and such as have no room for one."""
    return [
        "",
        " ",
        "-1",
        "1e400",
        mark,
        # Messages quote names: the log is to stay small.
        (mark + " ") * (LONG // 6 if mark == MARK else 2000),
        mark * 14,
        f"\u202e{mark}\u0301\u200d\U0001f469\u200d\U0001f467\ufffe\U0010ffff\xa0",
        f"{mark}\x01\x1b[2J\x7f\r\n\t",
        "[" * 50_000,
        '{"a":' * DEEP + f'"{mark}"' + "}" * DEEP,
        f'";\'$$\\{mark}%s%n{{first}}',
        f"&a [*a, !!python/object {mark}]",
        f"pg_catalog.pg_class, public.{mark}",
    ]


def documents(mark):
    """JSON documents that the server takes."""
    return [
        "null",
        "[]",
        "0",
        '""',
        "-1e400",
        '{"": {"": null}}',
        f'{{"{mark}": ["{mark}", null, {{}}], "version": "{mark}", "tables": []}}',
        json.dumps({"a": f"{mark} " * (LONG // 6)}),
        '{"a":' * DEEP + "{}" + "}" * DEEP,
        "[" * DEEP + f'"{mark}"' + "]" * DEEP,
        json.dumps([f"{mark}{i}" for i in range(20_000)]),
        json.dumps({f"{mark}\u202e\U0001f980": {"$..*": None, "type": [1e308, True]}}),
    ]


def lists(mark):
    """Arrays of texts or names."""
    return [
        "{}",
        "{NULL}",
        '{""}',
        f"{{{mark},NULL,{mark}}}",
        f"{{{{{mark},b}},{{c,NULL}}}}",
        f"[-5:-4]={{{mark},b}}",
        '{"\U0001f980\u202e","\x01","\'\\\\"}',
        "{" + ",".join([mark] * 20_000) + "}",
    ]


TIMES = [
    "infinity",
    "-infinity",
    "4714-11-24 00:00:00 BC",
    "294276-12-31 23:59:59.999999",
    "0001-01-01 00:00:00",
    "2024-02-29 23:59:60",
]
FLOATS = ["NaN", "Infinity", "-Infinity", "0", "-0", "-1", "5e-324", "1.7976931348623157e308"]
IDENTIFIERS = ["00000000-0000-0000-0000-000000000000", "ffffffff-ffff-ffff-ffff-ffffffffffff"]

# By the name of the type; a function of the mark where the values may hold one.
VALUES = {
    "smallint": ["-32768", "32767", "0"],
    "integer": ["-2147483648", "2147483647", "0", "-1"],
    "bigint": ["-9223372036854775808", "9223372036854775807", "0", "-1"],
    "numeric": ["NaN", "Infinity", "-Infinity", "0", "-1", "1e131071", "1e-16383", "9" * 999 + ".9"],
    "real": [*FLOATS[:6], "1e-45", "3.4028235e38"],
    "double precision": FLOATS,
    "boolean": ["true", "false"],
    "text": texts,
    "name": lambda mark: [text.encode()[:60].decode(errors="ignore") for text in texts(mark)[:9]],
    "json": lambda mark: [*documents(mark), '"\\u0000\\ud800"', '{"a": 1, "a": 2}'],
    "jsonb": documents,
    "text[]": lists,
    "name[]": lists,
    "uuid[]": ["{}", "{NULL}", f"{{{IDENTIFIERS[0]},NULL}}", f"{{{{{IDENTIFIERS[1]}}}}}"],
    "bytea": lambda mark: ["\\x", "\\x00", "\\x" + mark.encode().hex(), "\\x" + "ff" * LONG],
    "date": ["infinity", "-infinity", "4714-11-24 BC", "5874897-12-31", "0001-01-01", "2024-02-29"],
    "timestamp without time zone": TIMES,
    "timestamp with time zone": TIMES,
    "interval": ["0", "-1 day", "1 month", "178000000 years", "-178000000 years", "1 microsecond"],
    "uuid": IDENTIFIERS,
    "inet": ["0.0.0.0", "255.255.255.255/0", "::", "ffff::/0"],
    "cidr": ["0.0.0.0/0", "255.255.255.255/32", "::/0"],
    "macaddr": ["00:00:00:00:00:00", "ff:ff:ff:ff:ff:ff"],
    "macaddr8": ["00:00:00:00:00:00:00:00", "ff:ff:ff:ff:ff:ff:ff:ff"],
    "oid": ["0", "4294967295", "1259"],
    "tid": ["(0,0)", "(4294967295,65535)", "(0,65535)"],
    # No relation, one of the catalog, an index, a sequence, a view, a partitioned table, one of the
    # extension, a composite type.
    "regclass": ["-", "4294967295", "pg_class", "pg_class_oid_index", "world.numbers",
                 "pg_views", "world.parts", "confiture.audit_log", "world.pair"],
    # The server makes no value of it.
    "internal": [],
}  # fmt: skip

# What is given where a function takes whatever there is, with the type to cast to.
ANY = [
    (None, "text"), (MARK, "text"), (f"{MARK} " * 100_000, "text"), (MARK, "varchar"),
    ("-32768", "smallint"), ("2147483647", "integer"), ("NaN", "numeric"), ("-Infinity", "real"),
    ("\\x00ff", "bytea"), ("infinity", "date"), ("-infinity", "timestamptz"), ("1 mon", "interval"),
    ("{NULL,1}", "integer[]"), (f"[0:1]={{{MARK},NULL}}", "text[]"), (f"(1,{MARK})", "world.pair"),
    (f'{{"(1,{MARK})",NULL}}', "world.pair[]"), (MARK, "world.short"), ("glad", "world.mood"),
    (f'{{"a": "{MARK}"}}', "jsonb"), (f'{{"a": "\\ud800{MARK}"}}', "json"), ("(1,2)", "point"),
    ("101", "bit varying"), ("[1,5)", "int4range"), ("00:00:00", "time"), ("pg_class", "regclass"),
    ("(0,1)", "tid"), ("'a':1", "tsvector"), ("$1", "money"), (MARK[:1], '"char"'),
    (MARK, "name"), (None, "world.pair"), (None, "integer[]"), ("{}", "world.mood[]"),
]  # fmt: skip


def of(kind, mark):
    """[(text or None, type to cast to)] for an argument of a type."""
    if kind in ('"any"', "anyelement"):
        return ANY
    if kind == "anyenum":
        return [(None, "world.mood"), ("sad", "world.mood"), ("glad", "world.mood")]
    values = VALUES[kind]
    return [(value, kind) for value in (None, *(values(mark) if callable(values) else values))]
