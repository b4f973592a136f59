"""Runs under attack: hostile names, odd types, filters, settings of the session."""

from samples import keep_all, profile


def q(name):
    """A name in double quotes."""
    return '"' + name.replace('"', '""') + '"'


def load(db, rules, strategies, table="t", version="1", **more):
    """Loads a profile of one table: {column: strategy}, or rules."""
    if isinstance(rules, dict):
        rules = [{"column": column, "strategy": strategy} for column, strategy in rules.items()]
    body = {"rules": rules, **keep_all(), **more}
    db.load(profile({table: body}, strategies=strategies, version=version))


NASTY = ['a"b', "c'd", "e\\f", "$$g", "s", "s0", "s1", "confiture row", "confiture row_", "n%s",
         "{0}", "ü\u202eX", "select", "t", ":x", "/* c */ -- d"]


def test_hostile_names_are_names(db):
    table, count = "x\"y'z\\ $$", 200
    columns = ", ".join(f"{q(name)} text" for name in NASTY)
    values = ", ".join(f"'v{i}-' || g" for i in range(len(NASTY)))
    db.connection.execute("CREATE SCHEMA prod")
    db.connection.execute(f"CREATE TABLE prod.{q(table)} (id int PRIMARY KEY, {columns})".encode())
    insert = f"INSERT INTO prod.{q(table)} SELECT g, {values} FROM generate_series(1, {count}) g"
    db.connection.execute(insert.encode())
    words = ["hash", "alone", "person", "group", "same"]
    constant = "it's \\ $$ \"x\""
    strategies = {
        "alone": {"type": "shuffle"},
        "group": {"type": "shuffle", "config": {"group": "g'\"$$;\\"}},
        "person": {"type": "name"},
        "same": {"type": "constant", "config": {"replacement": constant}},
    }
    rules = []
    for i, name in enumerate(NASTY):
        rules.append({"column": name, "strategy": words[i % 5]})
        if words[i % 5] == "person":
            rules[-1]["entity"] = NASTY[(i + 1) % len(NASTY)]
    db.execute("SET standard_conforming_strings = off")
    load(db, rules, strategies, table=q(table))
    db.sync()
    db.execute("SET standard_conforming_strings = on")
    masked = f"SELECT * FROM staging.{q(table)} ORDER BY id"
    rows = db.connection.execute(masked.encode()).fetchall()
    for i, name in enumerate(NASTY):
        now = [row[i + 1] for row in rows]
        was = [f"v{i}-{g}" for g in range(1, count + 1)]
        kept = sum(a == b for a, b in zip(now, was, strict=True))
        if words[i % 5] in ("alone", "group"):
            assert sorted(now) == sorted(was) and kept < 15, name
        elif words[i % 5] == "same":
            assert set(now) == {constant}, name
        else:
            assert not set(now) & set(was), name


def test_shuffles_respect_filters_generated_columns_and_partners(db):
    db.execute("CREATE SCHEMA prod")
    db.execute("CREATE TABLE prod.t (id int, k int, a text, b int, n text, UNIQUE (k, a, b),"
               " twice int GENERATED ALWAYS AS (b * 2) STORED, PRIMARY KEY (id, k))"
               " PARTITION BY LIST (k)")
    for k in (0, 1):
        db.execute(f"CREATE TABLE prod.t{k} PARTITION OF prod.t FOR VALUES IN ({k})")
    db.execute("INSERT INTO prod.t SELECT g, g % 2, 'a' || g, g FROM generate_series(1, 100) g")
    together = {"g": {"type": "shuffle", "config": {"group": "g"}}}
    load(db, {"a": "g", "n": "g"}, together)
    db.sync_refused("22023")
    db.execute("DROP INDEX IF EXISTS x; ALTER TABLE prod.t DROP CONSTRAINT t_k_a_b_key")
    load(db, {"a": "g", "b": "g", "n": "g"}, together, version="2", where=[["id", "<=", 50]])
    db.sync()
    assert db.rows(
        "SELECT count(*), bool_and(twice = b * 2 AND a = 'a' || b AND b <= 50 AND n IS NULL),"
        " count(*) FILTER (WHERE b = id) < 12 FROM staging.t"
    ) == [(50, True, True)]


def test_composites_enums_and_domains_are_masked_where_they_are(db):
    db.execute("CREATE SCHEMA prod")
    db.execute("CREATE TYPE prod.mood AS ENUM ('a', 'c, x', '\"q\"')")
    db.execute("CREATE DOMAIN prod.moods AS prod.mood[]")
    db.execute("CREATE TYPE prod.deep AS (\"x y\" text, z int)")
    db.execute("CREATE TYPE prod.home AS (\"Str\"\"eet\" text, gone text, d prod.deep, k int[])")
    db.execute("ALTER TYPE prod.home DROP ATTRIBUTE gone")
    db.execute("CREATE DOMAIN prod.checked AS prod.home")
    db.execute(
        "CREATE TABLE prod.t (id int PRIMARY KEY, m prod.moods, h prod.home, c prod.checked)"
    )
    home = "ROW('st' || g, ROW('in' || g, g)::prod.deep, ARRAY[g, NULL])::prod.home"
    db.execute(
        f"INSERT INTO prod.t SELECT g, ARRAY['a', NULL]::prod.mood[], {home}, {home}"
        " FROM generate_series(1, 20) g"
    )
    db.execute("INSERT INTO prod.t VALUES (21, NULL, NULL, ROW(NULL, NULL, NULL)),"
               " (22, '{}', NULL, NULL)")
    fields = {"Str\"eet": "hash", "k": "hash"}
    strategies = {
        "home": {"type": "record", "config": {"fields": fields, "unlisted": "keep"}},
        "mood": {"type": "choice", "config": {"choices": ["c, x", '"q"']}},
    }
    load(db, {"m": "mood", "h": "home", "c": "home"}, strategies)
    db.sync()
    assert db.value(
        "SELECT bool_and((h).\"Str\"\"eet\" = anon_hash('st' || id) AND (c).k[1] = anon_hash(id)"
        " AND (h).d::text = format('(in%s,%s)', id, id) AND m[1]::text IN ('c, x', '\"q\"')"
        " AND m[2] IS NULL) FROM staging.t WHERE id <= 20"
    )
    rows = db.rows("SELECT h IS NULL, c::text, m::text FROM staging.t WHERE id > 20 ORDER BY id")
    assert rows == [(True, "(,,)", None), (True, None, "{}")]


def test_a_label_that_an_enum_does_not_have_is_refused_by_the_plan(db):
    db.execute("CREATE SCHEMA prod")
    db.execute("CREATE TYPE prod.mood AS ENUM ('happy', 'sad')")
    db.execute("CREATE TABLE prod.t (id int PRIMARY KEY, m prod.mood, l prod.mood[])")
    for version, (column, strategy) in enumerate([
        ("m", {"type": "choice", "config": {"choices": ["sad", "mad"]}}),
        ("l", {"type": "choice", "config": {"choices": ["sad", "mad"]}}),
        ("m", {"type": "map", "config": {"pairs": {"happy": "mad"}}}),
        ("m", {"type": "map", "config": {"pairs": {"happy": "sad"}, "on_miss": "fallback",
                                         "fallback": "mad"}}),
    ]):
        load(db, {column: "x"}, {"x": strategy}, version=str(version))
        db.plan_refused("22023")


def test_inputs_read_the_same_whatever_the_session_says(db):
    db.execute("CREATE SCHEMA prod")
    db.execute("CREATE TABLE prod.t (id int PRIMARY KEY, a text, e bytea, f float8, d timestamptz)")
    db.execute("INSERT INTO prod.t SELECT g, 'N', sha256(g::text::bytea), g / 3.0::float8,"
               " timestamptz '2020-01-01 00:00Z' + g * interval '1 h'"
               " FROM generate_series(1, 50) AS g")
    for entity in ("e", "f", "d"):
        seen = []
        for settings in ("DateStyle = ISO", "DateStyle = German; SET TimeZone = 'Asia/Tokyo';"
                         " SET bytea_output = escape; SET extra_float_digits = -10"):
            db.execute(f"SET {settings}")
            rules = [{"column": "a", "strategy": "person", "entity": entity}]
            load(db, rules, {"person": {"type": "name"}}, version=f"{entity}{len(seen)}")
            db.execute("DROP SCHEMA IF EXISTS staging CASCADE")
            db.sync()
            seen.append(db.column("SELECT a FROM staging.t ORDER BY id"))
        db.execute("RESET ALL")
        assert seen[0] == seen[1] and len(set(seen[0])) > 25, entity
