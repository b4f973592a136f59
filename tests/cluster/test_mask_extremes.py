"""Every declared mask on extreme values and parameters: a value of its type, or an error that says
nothing of the value. What there is to call is read from the catalog."""

import json
import time

import psycopg
import pytest

MEGABYTE = 1_000_000
# Stands in every text that may be refused, so that a message that shows a value is seen.
MARK = "Zq7Wx"

TEXTS = [
    "",
    " ",
    "\t\n",
    "a",
    "0",
    "-",
    "@",
    "/",
    "a" * MEGABYTE,
    "7" * 20_000,
    "[" * 100_000,
    '{"a":' * 100_000,
    f"{MARK}@" * 50_000,
    f"{MARK} " * 100_000,
    "+33 6 12 34 56 78 " * 5_000,
    MARK,
    f"{MARK} né à Łódź",
    f"{MARK}\u0301\u0301\u0301",
    f"\u202e{MARK}\u200f",
    f"{MARK}\x01\x7f\x9f",
    f"\U0001f980{MARK}\U0001f469\u200d\U0001f469\u200d\U0001f467",
    f"\ufffe\uffff\U0010ffff{MARK}",
    f"{MARK}-4111-1111-1111-1111",
    f"http://{MARK}.example:99999/../..?=&&#",
    f"http://[{MARK}",
    f"{MARK}::::",
    f"::ffff:1.2.3.4/{MARK}",
    f'{{"{MARK}": "{MARK}"',
    f'{{"a": "\\ud800{MARK}"}}',
    f'[1e400, -0, 1e-400, "{MARK}"]',
    "null",
    "NaN",
    "4" * 19,
    "FR" + "0" * 25,
    "٤١١١١١١١١١١١١١١١",
]
DAYS = ["infinity", "-infinity", "2000-01-01", "0001-01-01", "1970-01-01", "9999-12-31"]
TIMES = [*DAYS, "4714-11-24 00:00:00 BC", "294276-12-31 23:59:59.999999", "2024-02-29 23:59:59.9"]
FLOATS = ["NaN", "Infinity", "-Infinity", "0", "-0", "1", "-1", "0.1", "90.5"]

EXTREMES = {
    "text": TEXTS,
    "smallint": ["-32768", "32767", "0", "-1"],
    "integer": ["-2147483648", "2147483647", "0", "-1"],
    "bigint": ["-9223372036854775808", "9223372036854775807", "0", "-1", "4111111111111111"],
    "numeric": [
        *FLOATS,
        "1e131071",
        "-1e131071",
        "1e-16383",
        "-9.9e-16383",
        "1." + "0" * 16383,
        "9" * 1000 + "." + "9" * 1000,
        "4111111111111111",
    ],
    "real": [*FLOATS, "3.4028235e38", "-3.4028235e38", "1e-45"],
    "double precision": [*FLOATS, "1.7976931348623157e308", "-1.7976931348623157e308", "5e-324"],
    "boolean": ["true", "false"],
    "bytea": ["\\x", "\\x00", "\\xff", "\\x" + "00" * MEGABYTE],
    "date": [*DAYS, "4714-11-24 BC", "5874897-12-31"],
    "timestamp without time zone": TIMES,
    "timestamp with time zone": TIMES,
    "uuid": ["00000000-0000-0000-0000-000000000000", "ffffffff-ffff-ffff-ffff-ffffffffffff"],
    "inet": ["0.0.0.0", "255.255.255.255/0", "::", "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff/0"],
    "cidr": ["0.0.0.0/0", "255.255.255.255/32", "::/0", "::ffff:1.2.3.4/128"],
    "macaddr": ["00:00:00:00:00:00", "ff:ff:ff:ff:ff:ff"],
    "macaddr8": ["00:00:00:00:00:00:00:00", "ff:ff:ff:ff:ff:ff:ff:ff"],
    "json": ["null", "{}", "[]", '""', "0", "1e400", '{"a": 1, "a": 2}', "[" * 500 + "]" * 500,
             '"' + "x" * MEGABYTE + '"', '"\\ud800"', f'{{"{MARK}": ["{MARK}"]}}'],
    "jsonb": ["null", "{}", "[]", '""', "0", "1e400", '{"": {"": ""}}', "[" * 500 + "]" * 500,
              '"' + "x" * MEGABYTE + '"', f'{{"{MARK}": ["{MARK}"]}}'],
    "mood": ["happy", "sad"],
}  # fmt: skip

# One value of each type, in text form, for parameters that hold such.
ONE = {
    "text": "x",
    "boolean": "true",
    "bytea": "\\x00ff",
    "date": "2024-12-31",
    "timestamp without time zone": "2024-12-31 23:59:59",
    "timestamp with time zone": "2024-12-31 23:59:59+00",
    "uuid": "2f1b5a8e-0c3d-4a61-9a5e-6a1f0d7c9b11",
    "inet": "192.0.2.1",
    "cidr": "192.0.2.0/24",
    "macaddr": "08:00:2b:01:02:03",
    "macaddr8": "08:00:2b:01:02:03:04:05",
    "json": "{}",
    "jsonb": "{}",
    "mood": "sad",
    "hstore": '"a"=>"b"',
}
TWO = {"boolean": "false", "mood": "happy", "text": "y"}
TIMED = {"date", "timestamp without time zone", "timestamp with time zone"}
# Further arguments, beside those that are required; one that a function lacks is left out.
VARIANTS = {
    "fpe": [
        {"first_date": "1900-01-01", "last_date": "2099-12-31", "small_domain": "shuffle"},
        {"min": "-9223372036854775808", "max": "9223372036854775807", "alphabet": "pattern",
         "first_date": "0001-01-01", "last_date": "9999-12-31"},
        {"alphabet": "alnum", "keep_prefix": "2", "small_domain": "shuffle",
         "first_date": "1900-01-01", "last_date": "2099-12-31"},
    ],
    "dp_noise": [{}, {"epsilon": "0.000001", "sensitivity": "1e15"}],
    "dp_noise_sticky": [{"row_key": "1"}, {"row_key": ""}],
    "salted_hash": [{"salt": "people"}, {"salt": "people", "algorithm": "blake3"}],
    "json": [{}, {"paths": '{"$..*": "hash", "$": "null"}', "unlisted": "drop"}],
    "map": [{"on_miss": "null"}, {"on_miss": "keep"}, {}],
    "geo": [{}, {"method": "jitter", "entity": "1"}, {"part": "longitude", "latitude": "90"}],
    "generalize": [{}, {"method": "age"}, {"step": "7"}, {"method": "zip3"}, {"unit": "decade"}],
    "noise": [{}, {"amount": "1e18"}, {"ratio": "1"}],
    "phone": [{}, {"keep_unique": "true"}, {"preserve_country_code": "true"}],
    "address": [{}, {"keep_unique": "true", "country": "any", "keep_case": "true"}],
    "job": [{}, {"keep_unique": "true"}],
    "mac": [{}, {"keep_unique": "true"}, {"keep_unique": "true", "keep_vendor": "true"}],
    "url": [{}, {"keep_unique": "true"}, {"keep_unique": "true", "max_length": "64"}],
    "user_agent": [{}, {"keep_unique": "true"}],
    "email": [{}, {"preserve_domain": "true"}, {"format": "{first}.{last}.{hash}@example.com"}],
    "date_shift": [{}, {"max_days": "36500", "entity": "1"}],
    "text": [{}, {"style": "label", "names": f"{{{MARK},a}}"}, {"max_length": "1"}],
    "mask": [{}, {"keep_first": "1000", "keep_last": "1000"}, {"keep": "email_domain"}],
}  # fmt: skip


@pytest.fixture(scope="module")
def db(server):
    """A database with a key, a salt and an enum."""
    database = server.create_database()
    database.execute("CREATE TYPE public.mood AS ENUM ('happy', 'sad')")
    database.execute("CREATE EXTENSION hstore")
    database.execute("SELECT confiture.create_key('salt-people')")
    # What differential privacy warns of is not looked at here.
    database.execute("SET client_min_messages = error")
    database.masks = masks(database)
    yield database
    database.drop()


def masks(db):
    """Every declared mask: (function, strategy, type of the value, {argument: (type, required)})."""
    rows = db.rows(
        "SELECT proname, proargnames, pronargs, pronargdefaults,"
        " (SELECT array_agg(format_type(t, NULL) ORDER BY n)"
        "  FROM unnest(proargtypes::oid[]) WITH ORDINALITY AS a (t, n))"
        " FROM pg_proc WHERE proname LIKE 'anon\\_%' AND proargnames[1] = 'value'"
        " AND proname <> 'anon_tokenize' ORDER BY 1, 5"
    )
    names = set(db.column("SELECT name FROM confiture.strategies"))
    found = []
    for function, arguments, count, defaults, types in rows:
        strategy = function.removeprefix("anon_").removesuffix("_decrypt")
        assert strategy in names, function
        of = "mood" if types[0] == "anyenum" else types[0]
        required = count - defaults
        arguments = arguments[:count]
        more = {a: (t, i < required) for i, (a, t) in enumerate(zip(arguments, types, strict=True))}
        del more["value"]
        found.append((function, strategy, of, more))
    return found


def sample(strategy, name, of):
    """A value for a required argument, in text form."""
    one = ONE.get(of, "1")
    two = TWO.get(of, "2" if of not in ONE else one)
    return {
        "choices": "{%s}" % ",".join(json.dumps(v) for v in dict.fromkeys((one, two))),
        "domain": "{%s}" % ",".join(json.dumps(v) for v in (one, two)),
        "pairs": json.dumps({one: one}),
        "replacement": one,
        "country": "fr",
        "part": "latitude",
        "step": "10",
        "epsilon": "1",
        "sensitivity": "1",
    }[name]


def calls(mask):
    """The argument lists of a mask to try: {argument: text}."""
    function, strategy, of, arguments = mask
    given = {n: sample(strategy, n, of) for n, (_, required) in arguments.items() if required}
    if strategy == "national_id" and of == "integer":
        given["country"] = "us"
    if strategy == "noise" and of in TIMED:
        given["amount"] = "30"
    if strategy == "generalize" and "step" in arguments:
        given["step"] = "7"
    if strategy == "generalize" and of == "text":
        given["method"] = "zip3"
    for more in VARIANTS.get(strategy, [{}]):
        if of == "numeric" and strategy == "fpe" and "min" in more:
            continue
        yield {**given, **{n: v for n, v in more.items() if n in arguments}}


def sql(mask, of, given):
    """The call, with everything as a parameter of its type; the value is the first."""
    function, _, _, arguments = mask
    listed = "".join(f", {name} => %s::{arguments[name][0]}" for name in given)
    return f"{function}(%s::{of}{listed})"


def fault(db, call, of, value, parameters):
    """What is wrong with the outcome of a call; None if nothing is."""
    ask = (
        f"SELECT pg_typeof(x)::text, x IS NULL, octet_length(x::text), x::text::{of} IS NULL"
        f" FROM (SELECT {call} AS x OFFSET 0) AS t"
    )
    try:
        name, is_null, _, again = db.rows(ask, parameters)[0]
    except psycopg.Error as error:
        report = error.diag
        if db.connection.closed:
            pytest.fail(f"the session is gone: {call} of {str(parameters)[:200]}")
        said = " ".join(
            str(part)
            for part in (report.message_primary, report.message_detail, report.message_hint)
        )
        shown = f"{report.sqlstate} {said}"[:200]
        # A salt that nobody made is not ready.
        ready = report.sqlstate == "55000" and "salt =>" in call
        if (report.sqlstate or "XX")[:2] not in ("22", "42") and not ready:
            return shown
        if value is not None and (MARK in said or (len(value) > 7 and value in said)):
            return f"shows the value: {shown}"
        return None
    if name not in (of, f"public.{of}"):
        return f"is a {name}"
    if value is None and not is_null:
        return "NULL became a value"
    return None if is_null == again else "does not read what it wrote"


def test_every_type_that_a_mask_takes_has_extremes(db):
    assert {of for _, _, of, _ in db.masks} == set(EXTREMES)
    declared = {strategy for _, strategy, _, _ in db.masks}
    assert declared == set(
        db.column("SELECT name FROM confiture.strategies WHERE example IS NOT NULL")
    )
    assert len(db.masks) > 150


@pytest.mark.parametrize("of", EXTREMES)
def test_extreme_values_are_masked_or_refused_with_decency(db, of):
    faults = []
    for mask in db.masks:
        if mask[2] != of:
            continue
        for given in calls(mask):
            call = sql(mask, of, given)
            for value in [None, *EXTREMES[of]]:
                wrong = fault(db, call, of, value, [value, *given.values()])
                if wrong:
                    faults.append((mask[0], given, (value or "NULL")[:30], wrong))
    assert not faults, '\n'.join(map(str, faults))


def test_time_grows_with_a_text_and_not_with_its_square(db):
    # SHOWS A FAULT: anon_phone hashes the whole number again for every few digits it draws, and a
    # cancel is not heeded meanwhile: a million digits take minutes.
    slow = []
    for mask in db.masks:
        if mask[2] != "text":
            continue
        given = next(calls(mask))
        for piece in ("7", "+33 6 12 34 56 78 ", "a.", f"{MARK} "):
            seconds = []
            for length in (40_000, 160_000):
                text = (piece * length)[:length]
                started = time.monotonic()
                fault(db, sql(mask, "text", given), "text", text, [text, *given.values()])
                seconds.append(time.monotonic() - started)
            if seconds[1] > 0.2 and seconds[1] > 9 * seconds[0]:
                slow.append((mask[0], piece, seconds))
    assert not slow, slow


# What may be given for a parameter of a type; None is NULL.
EXTREME_PARAMETERS = {
    "bigint": [None, "-9223372036854775808", "9223372036854775807"],
    "boolean": [None, "true", "false"],
    "double precision": [None, "NaN", "Infinity", "-Infinity", "0", "-1", "5e-324", "1e308"],
    "integer": [None, "-2147483648", "-1", "0", "1", "2147483647"],
    "interval": [None, "0", "-1 day", "178000000 years", "1 month", "1 microsecond"],
    "jsonb": [None, "null", "{}", "[]", "0", '""', '{"": null}', '{"$": {"type": {}}}'],
    "text": [None, "", " ", "x" * MEGABYTE, "\U0001f980", "'", "{first}", "2024-13-45"],
    "text[]": [None, "{}", "{NULL}", "{''}", "{{a,b},{c,d}}", "[5:6]={a,b}", '{"\U0001f980"}'],
}  # fmt: skip


def test_every_type_of_a_parameter_has_extremes(db):
    types = {of for *_, arguments in db.masks for of, _ in arguments.values()}
    assert types == set(EXTREME_PARAMETERS)


@pytest.mark.parametrize("of", EXTREMES)
def test_extreme_parameters_are_taken_or_refused_with_decency(db, of):
    # An ordinary value, so that it is the parameter that decides.
    ordinary = {of: "2019-03-04" for of in TIMED} | {"text": "4111111111111111"}
    value = ordinary.get(of, ONE.get(of, "7"))
    faults = []
    for mask in db.masks:
        if mask[2] != of:
            continue
        base = next(calls(mask))
        for name, (kind, _) in mask[3].items():
            for extreme in EXTREME_PARAMETERS[kind]:
                given = {**base, name: extreme}
                wrong = fault(db, sql(mask, of, given), of, value, [value, *given.values()])
                if wrong:
                    faults.append((mask[0], name, (extreme or "NULL")[:30], wrong))
    assert not faults, '\n'.join(map(str, faults))


def parameters(mask):
    """The parameters of the first call of a mask, as anon_apply takes them."""
    inputs = {"entity", "sex", "names", "emails", "latitude", "longitude", "row_key"}
    words = {}
    for name, text in next(calls(mask)).items():
        of = mask[3][name][0]
        if name in inputs:
            continue
        if of == "text[]":
            words[name] = [json.loads(word) for word in text[1:-1].split(",")]
        else:
            words[name] = text if of == "text" else json.loads(text)
    return json.dumps(words)


@pytest.mark.parametrize("of", EXTREMES)
def test_arrays_are_masked_or_refused_with_decency(db, of):
    faults = []
    seen = 0
    for mask in db.masks:
        function, strategy, taken, _ = mask
        if taken != of or function.endswith("_decrypt") or strategy.startswith("dp_"):
            continue
        seen += 1
        params = parameters(mask)
        ask = f"anon_apply('{strategy}', %s::{of}[], %s::jsonb)"
        one = EXTREMES[of][0]
        for array in ("{}", "{NULL,NULL}", "[-5:-4]={NULL,NULL}", None):
            try:
                kept = db.value(f"SELECT {ask} IS NOT DISTINCT FROM %s::{of}[]"
                                if of != "json" else f"SELECT {ask}::text IS NOT DISTINCT FROM %s",
                                [array, params, array])  # fmt: skip
            except psycopg.Error as error:
                kept = error.diag.message_primary
            if kept is not True:
                faults.append((strategy, array, kept))
        for value in EXTREMES[of][:40]:
            call = f"anon_apply('{strategy}', ARRAY[[%s::{of}, NULL], [NULL, NULL]], %s::jsonb)"
            wrong = fault(db, call, f"{of}[]", value, [value, params])
            if wrong:
                faults.append((strategy, value[:30], wrong))
    assert seen and one is not None
    assert not faults, '\n'.join(map(str, faults))


def test_what_only_a_run_can_do_is_refused_by_hand(db):
    for name in db.column("SELECT name FROM confiture.strategies WHERE example IS NULL"):
        params = '{"fields": {"a": "hash"}}' if name == "record" else "{}"
        for value in ("'x'::text", "ROW(1, 2)", "NULL::text"):
            call = f"SELECT anon_apply('{name}', {value}, '{params}')"
            db.refused({"0A000", "22023", "42804", "55000"}, call)


@pytest.mark.parametrize("strategy", ["", "HASH", "hash\n", "x" * MEGABYTE, "\U0001f980"])
def test_a_strategy_that_is_not_there_is_refused(db, strategy):
    db.refused("22023", "SELECT anon_apply(%s::text, 'x'::text)", [strategy])
    db.refused("22023", "SELECT * FROM confiture.validate_value(%s::text, '{}', 'x')", [strategy])


@pytest.mark.parametrize("document", ['{"a": ' * 500 + "1" + "}" * 500, '{"a": 1e400}'])
@pytest.mark.parametrize(
    "call",
    [
        "anon_map('x', pairs => %s)",
        "anon_json('{}'::jsonb, paths => %s)",
        "anon_apply('hash', 'x'::text, %s)",
        "(SELECT count(*) FROM confiture.validate_value('hash', %s, 'x'))",
        "(SELECT count(*) FROM confiture.plan('none', 'a', 'b', %s))",
    ],
)
def test_a_document_that_is_odd_is_refused_as_a_parameter(db, call, document):
    # SHOWS A FAULT: XX000, for what is valid jsonb is too deep or too large for its reader.
    db.refused({"22023", "22P02", "42704"}, f"SELECT {call}", [document])
