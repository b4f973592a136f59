"""Columns that stay unique under masks that draw: job, address, url, user_agent, mac as text."""

import pytest
from samples import keep_all, profile

ROWS = 5000
VALUES = {
    "work": "'Engineer of line ' || i",
    "street": "i || ' High Street'",
    "link": "'https://u' || i || '@shop.example:8443/' || CASE i % 2 WHEN 0 THEN 'a?b=' ELSE '' END || i",
    "agent": "'Mozilla/5.0 (X11; Linux x86_64) Custom/' || i",
    # Of digits alone, with letters and in capitals; in two notations.
    "device": """CASE i % 3
        WHEN 0 THEN regexp_replace(lpad(i::text, 12, '0'), '(..)(?=.)', '\\1:', 'g')
        WHEN 1 THEN lpad(to_hex(i + 700000), 12, '0')
        ELSE upper(regexp_replace(lpad(to_hex(i + 700000), 12, 'a'), '(..)(?=.)', '\\1-', 'g')) END""",
}
MASKS = {
    "work": {"type": "job"},
    "street": {"type": "address", "config": {"part": "line", "country": "gb"}},
    "link": {"type": "url", "config": {"path": "drop"}},
    "agent": {"type": "user_agent", "config": {"keep_family": True}},
    "device": {"type": "mac"},
}


def masks(unique):
    config = {"keep_unique": True} if unique else {}
    return {
        name: {"type": mask["type"], "config": {**mask.get("config", {}), **config}}
        for name, mask in MASKS.items()
    }


@pytest.fixture
def shop(db):
    """Every column unique, and a table that refers to each; devices as macaddr too."""
    columns = ", ".join(f"{name} text UNIQUE" for name in VALUES)
    parents = ", ".join(f"{name} text REFERENCES prod.parent ({name})" for name in VALUES)
    db.execute(
        f"CREATE SCHEMA prod; CREATE TABLE prod.parent (id integer PRIMARY KEY, {columns});"
        f"CREATE TABLE prod.child (id integer PRIMARY KEY, {parents}, seen macaddr UNIQUE);"
        f"INSERT INTO prod.parent SELECT i, {', '.join(VALUES.values())}"
        f" FROM generate_series(1, {ROWS}) AS i;"
        "INSERT INTO prod.child SELECT *, device::macaddr FROM prod.parent WHERE id % 2 = 0"
    )
    return db


def load(db, strategies, version, columns=tuple(VALUES)):
    rules = [{"column": column, "strategy": column} for column in columns]
    seen = [{"column": "seen", "strategy": "device"}] if "device" in columns else []
    tables = {
        "parent": {"rules": rules, **keep_all()},
        "child": {"rules": rules + seen, **keep_all()},
    }
    db.load(profile(tables, strategies=strategies, version=version))


def test_unique_texts_stay_unique_and_joined_over_two_runs(shop):
    load(shop, masks(True), "1")
    shop.sync()
    columns = ", ".join(VALUES)
    first = shop.rows(f"SELECT id, {columns} FROM staging.parent ORDER BY id")
    assert len(first) == ROWS
    for place, name in enumerate(VALUES, 1):
        assert len({row[place] for row in first}) == ROWS, name
        survivors = f"SELECT count(*) FROM prod.parent JOIN staging.parent USING ({name})"
        assert shop.value(survivors) == 0, name
        joined = f"SELECT count(*) FROM staging.child JOIN staging.parent p USING ({name}, id)"
        assert shop.value(joined) == ROWS // 2, name
    assert shop.value("SELECT bool_and(seen = device::macaddr) FROM staging.child")
    # A device is written as it was: with letters of one case, or without any.
    assert shop.value(
        "SELECT bool_and(s.device ~ '[a-f]' = (p.device ~ '[a-f]')"
        " AND s.device ~ '[A-F]' = (p.device ~ '[A-F]'))"
        " FROM prod.parent p JOIN staging.parent s USING (id)"
    )
    shop.sync()
    assert shop.rows(f"SELECT id, {columns} FROM staging.parent ORDER BY id") == first


@pytest.mark.parametrize("column", VALUES)
def test_a_mask_that_may_collide_is_refused_with_the_way_out(shop, column):
    load(shop, masks(False), "1", [column])
    report = shop.plan_refused("22023")
    assert f'column "{column}"' in report.message_primary
    assert 'Add "keep_unique: true"' in report.message_hint
    load(shop, masks(True), "2", [column])
    shop.plan()


def test_a_mask_that_cannot_be_unique_is_not_told_to_be(shop):
    city = {"street": {"type": "address", "config": {"part": "city"}}}
    load(shop, city, "1", ["street"])
    report = shop.plan_refused("22023")
    assert 'Add "keep_unique: true"' not in report.message_hint
    city["street"]["config"]["keep_unique"] = True
    refused = shop.refused(
        "22023",
        "SELECT confiture.load_profile(%s)",
        [profile({"parent": {"street": "street"}}, strategies=city, version="2")],
    )
    assert "keep_unique" in refused.message_primary


def test_a_device_of_mixed_case_is_refused_without_being_shown(shop):
    shop.execute("INSERT INTO prod.parent (id, device) VALUES (0, 'aA00aabbcCdd')")
    load(shop, masks(True), "1", ["device"])
    report = shop.sync_refused("22000")
    assert "aA00" not in str(report.message_primary) + str(report.message_detail)


@pytest.mark.parametrize(
    ("call", "source"),
    [
        (
            "anon_mac(v, keep_unique => true)",
            "(ARRAY['', ' '])[g % 2 + 1] || CASE g % 3 WHEN 0 THEN lpad(g::text, 12, '0')"
            " ELSE 'f' || lpad(to_hex(g), 11, '0') END",
        ),
        ("anon_mac(v, keep_unique => true)", "upper(lpad(to_hex(g), 12, '0'))"),
        ("anon_job(v, keep_unique => true)", "'n' || g"),
        ("anon_address(v, keep_unique => true, part => 'street')", "'n' || g"),
        (
            "anon_url(v, keep_unique => true, path => 'drop')",
            "(ARRAY['https', 'HTTPS', 'odd'])[g % 3 + 1] || '://u' || g % 7 || '@a.b:' || g",
        ),
        ("anon_url(v, keep_unique => true, max_length => 64)", "'https://a.b/c/d/e/f?g=' || g"),
        ("anon_user_agent(v, keep_unique => true)", "'curl/' || g"),
    ],
)
def test_masks_by_hand_give_every_value_its_own(db, call, source):
    assert db.value(
        f"SELECT count(DISTINCT v) = 20000 AND count(DISTINCT {call}) = 20000"
        f" FROM (SELECT {source} AS v FROM generate_series(1, 20000) g) AS s"
    )


NAMES = {
    "hash": {"type": "hash"},
    "letters": {"type": "fpe", "config": {"alphabet": "alpha"}},
    "small": {"type": "fpe", "config": {"alphabet": "lower"}},
    "list": {"type": "map", "config": {"pairs": {"ada": "X", "bob": "x"}}},
}


def make_names(db, column, index=""):
    if "citext" in column:
        if not db.server.has("citext"):
            pytest.skip("this PostgreSQL comes without citext")
        db.execute("CREATE EXTENSION citext")
    db.execute(f"CREATE SCHEMA prod; CREATE TABLE prod.t (id int PRIMARY KEY, e {column}); {index}")
    db.execute(
        "INSERT INTO prod.t SELECT i, translate(lpad(i::text, 6, '0'), '0123456789', 'abcdefghij')"
        " FROM generate_series(1, 3000) AS i"
    )


@pytest.mark.parametrize(
    ("column", "index", "strategy", "goes"),
    [
        ("citext UNIQUE", "", "hash", True),
        ("citext UNIQUE", "", "mail", True),
        ("citext UNIQUE", "", "small", True),
        ("citext UNIQUE", "", "letters", False),
        ("citext UNIQUE", "", "list", False),
        ("text UNIQUE", "", "letters", True),
        ("text", "CREATE UNIQUE INDEX ON prod.t (lower(e))", "hash", True),
        ("text", "CREATE UNIQUE INDEX ON prod.t (lower(e))", "letters", False),
        ("text", "CREATE UNIQUE INDEX ON prod.t (\"left\"(e, 5))", "hash", False),
        ("text", "CREATE UNIQUE INDEX ON prod.t (e, lower(e))", "letters", False),
    ],
)
def test_an_index_that_compares_otherwise_is_kept_or_refused_in_the_plan(
    db, column, index, strategy, goes
):
    if "left" in index:
        index = ""  # The names are equal in their first five letters: made behind the rows.
    make_names(db, column, index)
    if not index and "UNIQUE" not in column:
        db.execute("DELETE FROM prod.t WHERE id % 10 <> 0")
        db.execute("CREATE UNIQUE INDEX ON prod.t (\"left\"(e, 5))")
    rules = {"rules": [{"column": "e", "strategy": strategy}], **keep_all()}
    db.load(profile({"t": rules}, strategies=NAMES))
    if goes:
        db.sync()
        assert db.value("SELECT count(DISTINCT lower(e::text)) FROM staging.t") == 3000
    else:
        report = db.plan_refused("22023")
        assert "unique" in report.message_primary


def test_equal_values_of_citext_share_a_pseudonym(db):
    make_names(db, "citext UNIQUE")
    db.execute("CREATE TABLE prod.u (id int PRIMARY KEY, e citext REFERENCES prod.t (e))")
    db.execute("INSERT INTO prod.u SELECT id, upper(e::text) FROM prod.t")
    db.execute("INSERT INTO prod.t VALUES (0, '\u00c4da'); INSERT INTO prod.u VALUES (0, '\u00e4DA')")
    rules = {"rules": [{"column": "e", "strategy": "hash"}], **keep_all()}
    db.load(profile({"t": rules, "u": rules}, strategies=NAMES))
    db.sync()
    assert db.value("SELECT count(*) FROM staging.t JOIN staging.u USING (id, e)") == 3001
    for kind in ("hash", "email", "name", "phone"):
        given = "+49 30 1234567 Ext" if kind == "phone" else "ADA"
        assert db.value(
            "SELECT anon_apply(%s, %s::citext)::text = anon_apply(%s, lower(%s))",
            [kind, given, kind, given],
        ), kind
    assert db.value("SELECT anon_apply('hash', 'ADA'::text) <> anon_apply('hash', 'ada'::text)")


@pytest.mark.parametrize(
    "key",
    [
        "PRIMARY KEY (id) INCLUDE (v)",
        "UNIQUE (id) INCLUDE (v)",
        "EXCLUDE USING btree (id WITH =) INCLUDE (v)",
    ],
)
def test_a_column_that_an_index_only_includes_is_no_key(db, key):
    db.execute(f"CREATE SCHEMA prod; CREATE TABLE prod.t (id int, v text, {key})")
    db.execute("INSERT INTO prod.t SELECT i, 'v' || i FROM generate_series(1, 50) AS i")
    fixed = {"fixed": {"type": "constant", "config": {"replacement": "x"}}}
    db.load(profile({"t": {"v": "fixed"}}, strategies=fixed))
    db.sync()
    assert db.rows("SELECT v, count(*) FROM staging.t GROUP BY v") == [("x", 50)]
    # In the predicate it decides what must be unique.
    db.execute("CREATE UNIQUE INDEX part ON prod.t (id) INCLUDE (v) WHERE v <> 'v1'")
    assert '"part"' in db.plan_refused("22023").message_detail


GENERATED = "CREATE SCHEMA prod; CREATE TABLE prod.t (id int PRIMARY KEY, v text, {}); "
FILLED = "INSERT INTO prod.t (id, v) SELECT i, lpad(i::text, 4, 'a') FROM generate_series(1, 50) i"


@pytest.mark.parametrize(
    ("computed", "goes"),
    [
        ('g text GENERATED ALWAYS AS ("left"(v, 4)) STORED UNIQUE', False),
        ("g text GENERATED ALWAYS AS (lower(v)) STORED UNIQUE", True),
        ("g text GENERATED ALWAYS AS (v || 'x') STORED, UNIQUE (g)", False),
        ("g int GENERATED ALWAYS AS (id * 2) STORED UNIQUE", True),
        (
            "g int4range GENERATED ALWAYS AS (int4range(id, id + length(v) % 2)) STORED,"
            " EXCLUDE USING gist (g WITH &&)",
            False,
        ),
    ],
)
def test_what_is_computed_from_a_masked_column_is_kept_unique_or_refused(db, computed, goes):
    db.execute(GENERATED.format(computed) + FILLED)
    db.load(profile({"t": {"v": "hash"}}))
    if goes:
        db.sync()
        assert db.value("SELECT count(DISTINCT g) FROM staging.t") == 50
        return
    report = db.plan_refused("22023")
    assert 'column "v"' in report.message_primary
    assert "of what an expression makes of the values" in report.message_detail
    # All of the columns it reads may change places together.
    shuffle = {"deal": {"type": "shuffle", "config": {"group": "g"}}}
    rules = [{"column": "v", "strategy": "deal"}]
    if "int4range" in computed:
        rules.append({"column": "id", "strategy": "deal"})
    db.load(profile({"t": {"rules": rules, **keep_all()}}, strategies=shuffle, version="2"))
    db.sync()
    count = "SELECT count(DISTINCT g) FROM {}.t"
    assert db.value(count.format("staging")) == db.value(count.format("prod"))
