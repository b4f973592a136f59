"""Masks in runs that draw from other columns, from salts, and into composite values."""

import re

import pytest
from samples import keep_all, profile


@pytest.fixture(autouse=True)
def shop(db):
    """People with an address, and orders that name them."""
    db.execute("CREATE SCHEMA prod")
    db.execute("CREATE TYPE prod.place AS (street text, country text, door_code text, floors integer[])")
    db.execute(
        "CREATE TABLE prod.people (id integer PRIMARY KEY, email text UNIQUE, first_name text,"
        " last_name text, full_name text, home prod.place, ssn text, note varchar(40))"
    )
    db.execute(
        "INSERT INTO prod.people SELECT i, 'p' || i || '@mail.example', 'First' || i, 'Last' || i,"
        " 'First' || i || ' Last' || i, ROW('street ' || i, 'FR', 'code ' || i, ARRAY[i, 2])::prod.place,"
        " '123-45-' || lpad(i::text, 4, '0'), 'note ' || i FROM generate_series(1, 300) AS i"
    )
    db.execute("INSERT INTO prod.people (id) VALUES (301)")


def load(db, rules, strategies, version="1"):
    db.load(
        profile({"people": {"rules": rules, **keep_all()}}, strategies=strategies, version=version)
    )


def test_columns_of_one_entity_show_one_person(db):
    strategies = {
        part: {"type": "name", "config": {"part": part}} for part in ("first", "last", "full")
    }
    address = "{first}.{last}.{hash}@example.com"
    strategies["mail"] = {"type": "email", "config": {"format": address, "hash_length": 16}}
    rules = [
        {"column": "first_name", "strategy": "first", "entity": "id"},
        {"column": "last_name", "strategy": "last", "entity": "id"},
        {"column": "full_name", "strategy": "full", "entity": "id"},
        {"column": "email", "strategy": "mail", "entity": "id"},
    ]
    load(db, rules, strategies)
    db.sync()
    rows = db.rows(
        "SELECT first_name, last_name, full_name, email FROM staging.people WHERE id <= 300"
    )
    for first, last, full, email in rows:
        assert full == f"{first} {last}"
        assert email.startswith(re.sub("[^a-z]", "", first.lower())[:3])
    assert len({row[0] for row in rows}) > 150
    by_hand = db.rows(
        "SELECT bool_and(t.first_name = anon_name(s.first_name, part => 'first', entity => s.id::text))"
        " FROM staging.people t JOIN prod.people s USING (id)"
    )
    assert by_hand == [(True,)]


def test_an_entity_that_is_not_there_is_an_error(db):
    strategies = {"first": {"type": "name", "config": {"part": "first"}}}
    load(db, [{"column": "first_name", "strategy": "first", "entity": "ident"}], strategies)
    db.plan_refused("42703")
    rule = {"column": "note", "strategy": "hash", "entity": "id"}
    report = db.refused(
        "22P02",
        "SELECT confiture.load_profile(%s)",
        [profile({"people": {"rules": [rule], **keep_all()}}, version="2")],
    )
    assert "entity" in report.message_primary


def test_a_unique_column_drawn_from_what_is_not_unique_is_refused(db):
    load(db, [{"column": "email", "strategy": "mail", "entity": "note"}], {})
    report = db.plan_refused("22023")
    assert "email" in report.message_primary


def test_unique_numbers_with_a_check_stay_unique_and_join(db):
    """The plan takes a strategy for a unique column only if it promises that."""
    db.execute(
        "ALTER TABLE prod.people ADD UNIQUE (ssn); ALTER TABLE prod.people ADD iban text UNIQUE;"
        "UPDATE prod.people SET iban = 'DE' || 98 - (lpad(id::text, 18, '0') || '131400')::numeric % 97"
        " || lpad(id::text, 18, '0') WHERE 98 - (lpad(id::text, 18, '0') || '131400')::numeric % 97 > 9;"
        "CREATE TABLE prod.claims (ssn text REFERENCES prod.people (ssn));"
        "INSERT INTO prod.claims SELECT ssn FROM prod.people"
    )
    for version, unique in [("1", False), ("2", True)]:
        strategies = {
            "ssn": {"type": "national_id", "config": {"country": "us", "keep_unique": unique}},
            "iban": {"type": "iban", "config": {"keep_unique": unique}},
        }
        rules = [{"column": column, "strategy": column} for column in ("ssn", "iban")]
        tables = {
            "people": {"rules": rules, **keep_all()},
            "claims": {"rules": rules[:1], **keep_all()},
        }
        db.load(profile(tables, strategies=strategies, version=version))
        if not unique:
            db.plan_refused("22023")
    db.sync()
    same = "SELECT count(*) FROM prod.people p JOIN staging.people s USING (id) WHERE p.{0} = s.{0}"
    assert db.value(same.format("ssn")) == db.value(same.format("iban")) == 0
    assert db.value("SELECT count(*) FROM staging.claims JOIN staging.people USING (ssn)") == 300
    assert db.value(
        "SELECT bool_and((substr(iban, 5) || '1314' || substr(iban, 3, 2))::numeric % 97 = 1)"
        " AND count(*) > 250 FROM staging.people WHERE iban IS NOT NULL"
    )


def test_fields_of_a_composite_are_masked_one_by_one(db):
    fields = {"street": "hash", "country": "keep", "floors": "hash"}
    load(
        db,
        [{"column": "home", "strategy": "home"}],
        {"home": {"type": "record", "config": {"fields": fields}}},
    )
    db.sync()
    assert db.value(
        "SELECT bool_and((t.home).street = anon_hash((s.home).street) AND (t.home).country = 'FR'"
        " AND (t.home).door_code IS NULL AND (t.home).floors[2] = anon_hash(2))"
        " FROM staging.people t JOIN prod.people s USING (id) WHERE id <= 300"
    ), "a field that is not named becomes NULL"
    assert db.value("SELECT home IS NULL FROM staging.people WHERE id = 301")


def test_a_field_that_is_not_there_is_an_error(db):
    config = {"fields": {"strete": "hash"}}
    load(db, [{"column": "home", "strategy": "home"}], {"home": {"type": "record", "config": config}})
    report = db.plan_refused("42703")
    assert "street" in report.message_hint


def test_a_column_has_a_salt_of_its_own_on_record(db):
    rules = [{"column": "ssn", "strategy": "salted"}, {"column": "note", "strategy": "salted"}]
    load(db, rules, {"salted": {"type": "salted_hash"}})
    db.sync()
    first = db.content("staging")
    db.sync()
    assert db.content("staging") == first, "a salt stays until it is rotated"
    names = db.column("SELECT name FROM confiture.key_status WHERE name LIKE 'salt-%' ORDER BY 1")
    assert [re.sub("-[0-9a-f]{8}$", "", name) for name in names] == [
        "salt-small_people_note",
        "salt-small_people_ssn",
    ]
    details = "SELECT details -> 'salts' FROM confiture.audit_log WHERE event = 'COMPLETED'"
    assert list(db.column(f"{details} ORDER BY seq LIMIT 1")[0].values()) == [1, 1]
    db.execute("SELECT confiture.rotate_key(%s)", [names[1]])
    db.sync()
    assert db.content("staging") != first
    assert db.findings()["OK"][0] == "ok"


def test_a_shared_salt_joins_and_a_missing_one_is_refused(db):
    strategies = {"salted": {"type": "salted_hash", "config": {"salt": "people"}}}
    load(db, [{"column": "ssn", "strategy": "salted"}], strategies)
    report = db.sync_refused("55000")
    assert "confiture.create_key('salt-people')" in report.message_hint
    db.execute("SELECT confiture.create_key('salt-people')")
    db.sync()
    assert db.value(
        "SELECT bool_and(t.ssn = anon_salted_hash(s.ssn, salt => 'people'))"
        " FROM staging.people t JOIN prod.people s USING (id)"
    )
    db.refused("22023", "SELECT anon_salted_hash('x')")


def test_what_is_encrypted_comes_back_for_those_who_may(db):
    strategies = {"fpe": {"type": "fpe"}, "number": {"type": "fpe", "config": {"min": 1, "max": 10**9}}}
    load(
        db,
        [{"column": "ssn", "strategy": "fpe"}, {"column": "id", "strategy": "number"}],
        strategies,
    )
    db.sync()
    assert db.value(
        "SELECT count(*) FROM staging.people t JOIN prod.people s"
        " ON anon_fpe_decrypt(t.id, min => 1, max => 1000000000) = s.id"
        " AND anon_fpe_decrypt(t.ssn) IS NOT DISTINCT FROM s.ssn"
    ) == 301
    masker, revealer = db.role("masker"), db.role("revealer")
    for kind, role in (("masker", masker), ("revealer", revealer)):
        db.execute("SELECT confiture.grant_access(%s, %s)", [kind, role])
    secret = db.session(user=masker).value("SELECT anon_fpe('123-45-6789')")
    db.session(user=masker).refused("42501", "SELECT anon_fpe_decrypt(%s::text)", [secret])
    back = db.session(user=revealer).value("SELECT anon_fpe_decrypt(%s::text)", [secret])
    assert back == "123-45-6789"
    db.session(user=revealer).refused("42501", "SELECT anon_fpe('123-45-6789')")


def test_a_rotation_leaves_old_ciphertext_readable(db):
    old = db.value("SELECT anon_fpe('4111111111111111')")
    db.execute("SELECT confiture.rotate_key('masking')")
    new = db.value("SELECT anon_fpe('4111111111111111')")
    assert old != new
    assert db.value("SELECT anon_fpe_decrypt(%s::text, key_version => 1)", [old]) == "4111111111111111"
    assert db.value("SELECT anon_fpe_decrypt(%s::text)", [new]) == "4111111111111111"


def test_a_value_that_is_not_taken_stops_the_run_without_being_shown(db):
    db.execute("UPDATE prod.people SET ssn = '12-sesame' WHERE id = 7")
    load(db, [{"column": "ssn", "strategy": "fpe"}], {"fpe": {"type": "fpe"}})
    report = db.sync_refused("22000")
    said = f"{report.message_primary} {report.message_detail} {report.context}"
    assert "sesame" not in said and "sesame" not in db.server.log()
    # Where it is, by whom and why it is not taken.
    assert 'table "staging.people": column "ssn"' in report.message_primary
    assert 'strategy "fpe"' in report.message_detail and "on_error" in report.message_hint
    details = db.value("SELECT details FROM confiture.audit_log ORDER BY seq DESC LIMIT 1")
    assert (details["table"], details["column"], details["sqlstate"]) == ("people", "ssn", "22000")
    for word, expected in (("null", None), ("redact", "[REDACTED]")):
        rule = {"column": "ssn", "strategy": "fpe", "options": {"on_error": word}}
        load(db, [rule], {"fpe": {"type": "fpe"}}, version=word)
        db.sync()
        assert db.value("SELECT ssn FROM staging.people WHERE id = 7") == expected


def test_null_may_not_go_where_null_is_refused(db):
    db.execute("DELETE FROM prod.people WHERE id = 301")
    db.execute("ALTER TABLE prod.people ALTER ssn SET NOT NULL")
    rule = {"column": "ssn", "strategy": "fpe", "options": {"on_error": "null"}}
    load(db, [rule], {"fpe": {"type": "fpe"}})
    report = db.plan_refused("22023")
    assert "ssn" in report.message_primary


@pytest.mark.parametrize(
    ("part", "inputs", "lacking"),
    [
        ("latitude", {}, "longitude"),
        ("longitude", {"entity": "id"}, "latitude"),
        ("latitude", {"entity": "id"}, None),
        ("longitude", {"latitude": "lat"}, None),
    ],
)
def test_a_point_that_cannot_be_moved_is_refused_in_the_plan(db, part, inputs, lacking):
    column = {"latitude": "lat", "longitude": "lon"}[part]
    db.execute("ALTER TABLE prod.people ADD lat float8 DEFAULT 48.8, ADD lon float8 DEFAULT 2.3")
    rule = {"column": column, "strategy": "move", **inputs}
    move = {"type": "geo", "config": {"part": part, "method": "jitter"}}
    load(db, [rule], {"move": move})
    if lacking:
        report = db.plan_refused("22023")
        assert f'must name the input "{lacking}"' in report.message_primary
    else:
        db.sync()
