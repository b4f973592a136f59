"""What a plan says beside its decisions: fit, warnings with stable ids, figures, strict runs."""

import pytest

from samples import keep_all, make_people, profile

CHECKED = {
    "rules": [
        {"column": "email", "strategy": "mail"},
        {"column": "code", "strategy": "short"},
        {"column": "note", "strategy": "redact"},
    ],
    **keep_all(),
}
SHORT = {"short": {"type": "hash", "config": {"length": 8}}}


@pytest.fixture
def shop(db):
    """One table with everything a plan can say something about."""
    db.execute(
        "CREATE SCHEMA prod; CREATE TABLE prod.shops (id integer PRIMARY KEY);"
        "CREATE TABLE prod.people (id integer PRIMARY KEY, email varchar(60) NOT NULL UNIQUE"
        " CHECK (email ~ '@'), code text, note text DEFAULT 'ask Ada',"
        " shop integer REFERENCES prod.shops, CHECK (code <> note));"
        "CREATE INDEX people_vip ON prod.people (id) WHERE email = 'ada@work.example';"
        "INSERT INTO prod.people SELECT i, i || '@x.example', 'c' || i, 'n' || i, NULL"
        " FROM generate_series(1, 3000) AS i; ANALYZE prod.people"
    )
    return db


def load(db, body=CHECKED, version="1", strategies=SHORT, **more):
    db.load(profile({"people": body}, version=version, strategies=strategies, **more))


def warnings(db, options="{}", **more):
    call = {"profile": "small", "source": "prod", "target": "staging", **more}
    rows = db.rows(
        "SELECT id, table_name, column_name, severity, message, hint, acknowledged"
        " FROM confiture.plan_warnings(%s, %s, %s, %s)",
        [call["profile"], call["source"], call["target"], options],
    )
    return {(row[0], row[1], row[2]): row[3:] for row in rows}


def open_ids(db, **more):
    return {key[0] for key, row in warnings(db, **more).items() if not row[3]}


def test_a_plan_says_what_was_held_against_what(shop):
    load(shop)
    rows = shop.plan()
    email = rows["people", "email"]
    assert email["properties"] == ["deterministic", "keyed", "keeps_format", "folds_spellings"]
    fit = email["fit"].split("; ")
    assert fit[0] == "character varying(60): masked"
    assert fit[1].startswith("at most 60 characters: writes up to ")
    assert fit[2] == "not null: writes no NULL"
    assert fit[3] == 'unique "people_email_key": 80 bits, 3000 rows need 63'
    assert fit[4] == 'check "people_email_check": drawn again where refused'
    assert rows["people", "code"]["fit"].endswith(
        'check "people_check" of several columns: not drawn again'
    )
    assert rows["people", "id"]["fit"] is None and rows["people", "id"]["properties"] is None
    assert {row["estimated_rows"] for row in rows.values()} == {3000}


def test_warnings_have_stable_ids(shop):
    load(
        shop,
        {"rules": [*CHECKED["rules"][:1], {"column": "code", "strategy": "short", "seed": 5},
                   CHECKED["rules"][2]]},
        coverage="copy",
    )
    found = warnings(shop)
    assert {key for key in found if key[1] is not None} == {
        ("check_constant", "people", "email"),
        ("check_constant", "people", "note"),
        ("check_not_redrawn", "people", "code"),
        ("check_not_redrawn", "people", "note"),
        ("copied_undecided", "people", "id"),
        ("copied_undecided", "people", "shop"),
        ("foreign_key_left_behind", "people", "shop"),
        ("literal_seed", "people", "code"),
        ("low_entropy", "people", "code"),
    }
    severity, message, hint, acknowledged = found["check_constant", "people", "email"]
    assert (severity, acknowledged) == ("warning", False)
    assert message == (
        'index "people_vip" of table "prod.people" holds a constant, which is copied as it is'
    )
    assert hint.endswith(".")
    words = " ".join(str(row) for row in found.values())
    assert "ada@work" not in words and "Ada" not in words
    rows = shop.plan()
    assert rows["people", "code"]["warnings"] == [
        "check_not_redrawn",
        "literal_seed",
        "low_entropy",
    ]
    assert rows["people", "email"]["warnings"] == ["check_constant"]


def test_what_no_check_can_judge_is_said(shop):
    load(shop, {"rules": [{"column": "code", "strategy": "m"}], **keep_all()},
         strategies={"m": {"type": "mask", "config": {"keep_first": 1}}})
    assert ("not_judged", "people", "code") in warnings(shop)


def test_a_strict_run_needs_every_warning_acknowledged(shop):
    strict = '{"strict": true}'
    load(shop)
    for said in (
        shop.plan_refused("55000", options=strict),
        shop.sync_refused("55000", options=strict),
    ):
        assert said.message_primary == (
            "the plan has 7 warnings that the profile does not acknowledge"
        )
        assert "check_constant: people.email, people.note" in said.message_detail
        assert "  - {warning: low_entropy, why: …}\n" in said.message_hint
    assert shop.events() == ["KEY_CREATED"]
    known = [
        {"warning": warning, "why": "looked at"}
        for warning in (
            "check_constant", "foreign_key_left_behind", "low_entropy", "tables_not_named"
        )
    ]
    known.append(
        {"warning": "check_not_redrawn", "why": "different", "table": "people", "column": "code"}
    )
    load(shop, version="2", acknowledge=known)
    assert open_ids(shop) == {"check_not_redrawn"}
    shop.sync_refused("55000", options=strict)
    load(shop, version="3", acknowledge=[*known[:4], {"warning": "check_not_redrawn", "why": "w"}])
    assert open_ids(shop) == set()
    assert shop.plan(options=strict)["people", "email"]["warnings"] == []
    shop.notices.clear()
    shop.sync(options=strict)
    assert not any("stays behind" in notice["message_primary"] for notice in shop.notices)
    details = shop.value("SELECT details FROM confiture.get_audit_log(1)")
    assert details["acknowledged"] == [
        "check_constant",
        "check_not_redrawn",
        "foreign_key_left_behind",
        "low_entropy",
        "tables_not_named",
    ]
    # The newest version is the strict one; what nobody acknowledged is not on record.
    shop.sync(options='{"version": "1"}')
    assert "acknowledged" not in shop.value("SELECT details FROM confiture.get_audit_log(1)")
    assert any("stays behind" in notice["message_primary"] for notice in shop.notices)


def test_an_acknowledgement_that_meets_nothing_is_a_warning(shop):
    load(
        shop,
        acknowledge=[
            {"warning": "literal_seed", "why": "w"},
            {"warning": "check_constant", "why": "w", "table": "people", "column": "code"},
            # Comes and goes with the session.
            {"warning": "statement_timeout", "why": "w"},
        ],
    )
    found = [key for key in warnings(shop) if key[0] == "unmatched_acknowledgement"]
    assert sorted(found, key=str) == [
        ("unmatched_acknowledgement", "people", "code"),
        ("unmatched_acknowledgement", None, None),
    ]
    assert "unmatched" not in shop.plan_refused("55000", options='{"strict": true}').message_hint


def pretend_many_rows(db, rows):
    db.execute("UPDATE pg_class SET reltuples = %s WHERE oid = 'prod.people'::regclass", [rows])


def test_figures_of_a_long_run_are_said_before_it(db):
    make_people(db)
    db.load(profile({"people": {"email": "mail"}}))
    db.sync()
    db.execute("SET statement_timeout = '1min'")
    assert open_ids(db) == set()
    # Unique nowhere, so that many rows need no bits.
    pretend_many_rows(db, 1e9)
    found = warnings(db)
    seconds = db.plan()["people", "email"]["estimated_seconds"]
    assert 400 < seconds < 20_000
    assert found["statement_timeout", None, None][1].endswith(
        "and statement_timeout of this session ends it after 60 s"
    )
    assert "vacuum removes no row" in found["long_snapshot", None, None][1]
    assert found["lock_readers", None, None][1].startswith("readers of 1 table of the target wait")
    db.execute("SET statement_timeout = 0")
    assert "statement_timeout" not in open_ids(db)


def test_seconds_come_from_the_last_run_where_there_is_one(db):
    db.execute(
        "CREATE SCHEMA prod; CREATE TABLE prod.people (id integer PRIMARY KEY, email text);"
        "INSERT INTO prod.people SELECT i, 'e' || i FROM generate_series(1, 20000) AS i;"
        "ANALYZE prod.people"
    )
    db.load(profile({"people": {"email": "mail"}}))
    before = db.plan()["people", "email"]
    assert before["estimated_from"] == "measured costs per value"
    db.sync()
    after = db.plan()["people", "email"]
    assert after["estimated_from"].startswith("run of 20")
    took = db.value(
        "SELECT (details #>> '{milliseconds,people}')::float8 / 1000"
        " FROM confiture.get_audit_log(1)"
    )
    assert after["estimated_seconds"] == pytest.approx(took, abs=0.01)
    pretend_many_rows(db, 200_000)
    assert db.plan()["people", "email"]["estimated_seconds"] == pytest.approx(10 * took, abs=0.01)


def test_an_operator_without_other_rights_is_told_the_same(shop):
    load(shop)
    operator = shop.role("op")
    shop.execute(
        f'GRANT USAGE ON SCHEMA prod TO "{operator}"; GRANT CREATE ON DATABASE "{shop.name}"'
        f' TO "{operator}"; GRANT SELECT ON ALL TABLES IN SCHEMA prod TO "{operator}"'
    )
    shop.value("SELECT confiture.grant_access('operator', %s)::text", [operator])
    session = shop.session(operator)
    assert warnings(session) == warnings(shop)
    nobody = shop.session(shop.role("nobody"))
    nobody.refused("42501", "SELECT confiture.plan_warnings('small', 'prod', 'staging')")


def test_exclusion_constraints_are_kept_or_refused_in_the_plan(db):
    db.execute("CREATE EXTENSION btree_gist" if db.server.has("btree_gist") else "SELECT")
    if not db.server.has("btree_gist"):
        pytest.skip("the server has no btree_gist")
    db.execute(
        "CREATE SCHEMA prod; CREATE TABLE prod.people (id integer PRIMARY KEY, room text,"
        " during int4range, EXCLUDE USING gist (room WITH =, during WITH &&));"
        "INSERT INTO prod.people SELECT i, 'r' || i % 100, int4range(i, i + 100)"
        " FROM generate_series(1, 2000) AS i; ANALYZE prod.people"
    )
    load(db, {"rules": [{"column": "room", "strategy": "short"}], **keep_all()})
    assert "people_room_during_excl" in db.plan_refused("22023").message_detail
    load(db, {"rules": [{"column": "room", "strategy": "hash"}], **keep_all()}, version="2")
    db.sync()
    load(
        db,
        {"rules": [{"column": "during", "strategy": "s"}], **keep_all()},
        version="3",
        strategies={"s": {"type": "shuffle"}},
    )
    said = db.plan_refused("22023")
    assert "otherwise than by equality" in said.message_detail


def test_unique_indexes_of_partitions_and_of_the_target_count(db):
    db.execute(
        "CREATE SCHEMA prod; CREATE TABLE prod.people (id integer, code text)"
        " PARTITION BY RANGE (id);"
        "CREATE TABLE prod.first PARTITION OF prod.people FOR VALUES FROM (1) TO (5000);"
        "INSERT INTO prod.people SELECT i, 'c' || i FROM generate_series(1, 4000) AS i"
    )
    load(db, {"rules": [{"column": "code", "strategy": "short"}], **keep_all()})
    db.sync()
    db.execute("CREATE UNIQUE INDEX more ON staging.first (code)")
    assert '"more"' in db.plan_refused("22023").message_detail
    db.execute("DROP INDEX staging.more; CREATE UNIQUE INDEX own ON prod.first (code)")
    assert '"own"' in db.plan_refused("22023").message_detail


def test_a_profile_with_unknown_warnings_is_refused(db):
    document = profile({"people": {"email": "mail"}}, acknowledge=[{"warning": "x", "why": "w"}])
    said = db.refused("22023", "SELECT confiture.load_profile(%s)", [document])
    assert 'there is no warning "x"' in said.message_primary


def test_a_check_of_a_generated_column_is_warned_of(db):
    db.execute(
        "CREATE SCHEMA prod; CREATE TABLE prod.people (id int PRIMARY KEY, code text, g text"
        " GENERATED ALWAYS AS (lower(code)) STORED CONSTRAINT few CHECK (g ~ '^c'),"
        " h int GENERATED ALWAYS AS (id * 2) STORED CHECK (h > 0))"
    )
    load(db, {"rules": [{"column": "code", "strategy": "hash"}], **keep_all()})
    found = {key: row for key, row in warnings(db).items() if key[0] == "check_not_redrawn"}
    assert list(found) == [("check_not_redrawn", "people", "g")]
    assert 'constraint "few" refuses' in found["check_not_redrawn", "people", "g"][1]
