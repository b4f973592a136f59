"""Bad input: one clear error before the first row is read, and nothing changed."""

import psycopg
import pytest

from samples import fill_people, keep_all, make_people, make_small, profile, small


@pytest.fixture
def db(db):
    """A target that was refreshed once, so that every test can see that it stays as it is."""
    make_small(db)
    db.sync()
    return db


def refused_before_it_began(db, sqlstate, **call):
    """The run and its dry run say the same, the target stays, and there is no new entry."""
    before, events = db.content("staging"), db.events()
    report = db.sync_refused(sqlstate, **call)
    planned = db.plan_refused(sqlstate, **call)
    assert planned.message_primary == report.message_primary
    assert db.content("staging") == before
    assert db.events() == events
    # The style of PostgreSQL's messages.
    assert not report.message_primary.endswith(".")
    assert report.message_primary[0].islower() or report.message_primary[0] in "\"'"
    return report


def words(report):
    """All that a client shows of an error."""
    parts = [report.message_primary, report.message_detail, report.message_hint, report.context]
    return " ".join(part for part in parts if part)


def test_a_profile_that_is_not_there(db):
    report = refused_before_it_began(db, "42704", profile="smal")
    assert '"smal"' in report.message_primary


def test_a_version_that_is_not_there(db):
    report = refused_before_it_began(db, "42704", options='{"version": "9"}')
    assert '"9"' in words(report)


def test_a_source_schema_that_is_not_there(db):
    report = refused_before_it_began(db, "3F000", source="prd")
    assert '"prd"' in report.message_primary


def test_a_target_schema_that_is_not_there_is_made_only_if_the_plan_holds(db):
    refused_before_it_began(db, "42704", profile="absent", target="fresh")
    assert not db.value("SELECT EXISTS (SELECT FROM pg_namespace WHERE nspname = 'fresh')")


@pytest.mark.parametrize("name", ["t" * 64, "é" * 32])
def test_a_target_whose_name_the_server_would_cut_short(db, name):
    report = refused_before_it_began(db, "22023", target=name)
    assert report.message_detail == "It has 64 bytes, and may have 63."
    db.refused("22023", "SELECT confiture.create_masked_views('small', 'prod', %s)", [name])
    made = db.value("SELECT count(*) FROM pg_namespace WHERE starts_with(nspname, %s)", [name[:20]])
    assert made == 0
    db.sync(target=name[:-1])


def test_a_table_that_the_source_has_not(db):
    db.load(profile({"people": {"email": "mail"}, "peopel": {"email": "mail"}}, version="2"))
    report = refused_before_it_began(db, "42P01")
    assert "peopel" in report.message_primary


def test_a_column_that_the_source_has_not_with_the_nearest_name(db):
    db.load(profile({"people": {"emial": "mail"}}, version="2"))
    report = refused_before_it_began(db, "42703")
    assert "emial" in report.message_primary and '"email"' in report.message_hint


@pytest.mark.parametrize("key", ["preserve", "exclude"])
def test_a_kept_column_that_the_source_has_not(db, key):
    body = {"rules": [{"column": "email", "strategy": "mail"}], **keep_all()}
    body[key] = [*body.get(key, []), {"column": "nose", "why": "typing error"}]
    db.load(profile({"people": body}, version="2"))
    report = refused_before_it_began(db, "42703")
    assert "nose" in words(report) and '"note"' in report.message_hint


def test_a_filter_on_a_column_that_the_source_has_not(db):
    body = {
        "rules": [{"column": "email", "strategy": "mail"}],
        **keep_all(),
        "where": [["idd", "=", 1]],
    }
    db.load(profile({"people": body}, version="2"))
    assert "idd" in words(refused_before_it_began(db, "42703"))


def test_a_filter_value_that_is_none_of_the_type_is_not_printed(db):
    body = {**keep_all(), "where": [["id", "=", "value-4711"]]}
    body["rules"] = [{"column": "email", "strategy": "mail"}]
    db.load(profile({"people": body}, version="2"))
    before, events = db.content("staging"), db.events()
    report = db.sync_refused({"22P02", "42804", "22023"})
    assert "value-4711" not in words(report)
    assert db.content("staging") == before and db.events() == events


@pytest.mark.parametrize(
    ("type_of", "strategy"),
    [
        ("date", "mail"),
        ("jsonb", "phone"),
        ("boolean", "hash"),
        ("numeric", "mail"),
        ("uuid", "phone"),
        ("integer[]", "mail"),
        ("point", "hash"),
    ],
)
def test_a_strategy_that_does_not_fit_the_type(db, type_of, strategy):
    db.execute(f"ALTER TABLE prod.people ADD extra {type_of}")
    db.load(profile({"people": {"email": "mail", "extra": strategy}}, version="2"))
    report = refused_before_it_began(db, "42804")
    assert "extra" in words(report)


def test_a_pseudonym_that_does_not_fit_the_length(db):
    db.execute("ALTER TABLE prod.people ADD nick varchar(10)")
    db.load(profile({"people": {"email": "mail", "nick": "mail"}}, version="2"))
    report = refused_before_it_began(db, {"22023", "42804", "22001"})
    assert "nick" in words(report)


def test_a_constant_in_a_unique_column(db):
    db.execute("CREATE UNIQUE INDEX ON prod.people (email)")
    db.load(profile({"people": {"email": "redact"}}, version="2"))
    report = refused_before_it_began(db, {"42804", "55000", "23505", "22023", "0A000"})
    assert "email" in words(report)


def test_undecided_columns_are_listed_with_the_yaml_that_decides(db):
    db.execute("ALTER TABLE prod.people ADD phone text, ADD born date")
    body = {
        "rules": [{"column": "email", "strategy": "mail"}],
        "preserve": [{"column": "id", "why": "key"}, {"column": "note", "why": "test"}],
    }
    for version, coverage in (("2", "strict"), ("3", "detect")):
        db.load(profile({"people": body}, version=version, coverage=coverage))
        report = refused_before_it_began(db, "55000")
        assert "phone" in report.message_detail and "born" in report.message_detail
        assert "note" not in report.message_detail
        assert "{column: phone, " in report.message_hint


def test_coverage_copy_only_counts(db):
    db.execute("ALTER TABLE prod.people ADD phone text")
    db.execute("ALTER TABLE staging.people ADD phone text")
    db.execute("UPDATE prod.people SET phone = '12345'")
    db.load(
        profile({"people": [{"column": "email", "strategy": "mail"}]}, version="2", coverage="copy")
    )
    db.sync()
    assert db.column("SELECT DISTINCT phone FROM staging.people") == ["12345"]


def test_a_source_column_that_the_target_has_not(db):
    db.execute("ALTER TABLE prod.people ADD phone text")
    report = refused_before_it_began(db, {"42703", "55000", "42804"})
    assert "phone" in words(report)


def test_a_target_column_that_the_source_has_not_and_that_must_be_filled(db):
    db.execute("ALTER TABLE staging.people ADD extra integer NOT NULL DEFAULT 0")
    db.execute("ALTER TABLE staging.people ALTER extra DROP DEFAULT")
    before = db.content("staging")
    report = db.sync_refused({"42703", "55000", "42804", "23502"})
    assert "extra" in words(report)
    assert db.content("staging") == before


def test_a_target_column_of_another_type(db):
    db.execute("ALTER TABLE staging.people ALTER note TYPE integer USING 0")
    report = refused_before_it_began(db, {"42804", "55000"})
    assert "note" in words(report)


def test_a_table_of_the_target_that_sync_did_not_make(db):
    db.execute("CREATE SCHEMA other")
    db.execute("CREATE TABLE other.people AS SELECT * FROM prod.people")
    before = db.content("other")
    report = refused_before_it_began(db, "55000", target="other")
    assert "people" in words(report)
    assert db.content("other") == before


def test_a_view_in_place_of_the_target_table(db):
    db.execute("CREATE SCHEMA other")
    db.execute("CREATE VIEW other.people AS SELECT * FROM prod.people")
    before = db.content("prod")
    refused_before_it_began(db, {"55000", "42809", "42804"}, target="other")
    refused_before_it_began(
        db, {"55000", "42809", "42804"}, target="other", options='{"adopt": true}'
    )
    assert db.content("prod") == before


@pytest.mark.parametrize("option", ['{"adopt": true}', "{}"])
def test_the_source_as_its_own_target(db, option):
    before = db.content("prod")
    db.sync_refused({"22023", "55000"}, target="prod", options=option)
    assert db.content("prod") == before


@pytest.mark.parametrize("target", ["confiture", "pg_catalog", "information_schema", "pg_temp"])
def test_a_schema_of_the_system_or_of_the_extension_as_target(db, target):
    db.sync_refused(
        {"22023", "55000", "42501", "42939", "3F000"}, target=target, options='{"adopt": true}'
    )
    assert not db.value(
        "SELECT EXISTS (SELECT FROM pg_class WHERE relname = 'people'"
        " AND relnamespace <> ALL (ARRAY['prod', 'staging']::regnamespace[]))"
    )


@pytest.mark.parametrize(
    "options",
    [
        '{"trigger": "fire"}',
        '{"triggers": "maybe"}',
        '{"adopt": "yes"}',
        '{"version": 2}',
        "[]",
        '"x"',
        "null",
    ],
)
def test_options_that_are_not_understood(db, options):
    refused_before_it_began(db, "22023", options=options)


@pytest.mark.parametrize("missing", [0, 1, 2])
def test_null_in_place_of_a_name(db, missing):
    names = ["small", "prod", "staging"]
    names[missing] = None
    db.refused({"22004", "22023"}, "CALL confiture.sync(%s, %s, %s)", names)


def test_a_missing_key_is_said_before_anything_happens(db):
    keyless = db.server.create_database(key=False)
    try:
        make_people(keyless)
        keyless.load(small())
        report = keyless.sync_refused("55000")
        assert "create_key" in words(report)
        assert keyless.content("staging") == {}
    finally:
        keyless.drop()


def test_a_foreign_key_from_outside_is_not_broken(db):
    db.execute("CREATE TABLE public.refers (person integer REFERENCES staging.people)")
    db.execute("INSERT INTO public.refers VALUES (1)")
    fill_people(db, [(9, "nine@mail.example", None)])
    before = db.content("staging")
    try:
        db.sync()
    except psycopg.Error:
        assert db.content("staging") == before
    # Refused, or done with the rows it points to in place: never a dangling reference.
    assert db.column("SELECT person FROM public.refers") == [1]
    assert db.value("SELECT count(*) FROM staging.people WHERE id = 1") == 1
    assert db.value("SELECT convalidated FROM pg_constraint WHERE conname = 'refers_person_fkey'")


def test_an_unlogged_or_temporary_source_is_no_trap(db):
    db.execute("CREATE UNLOGGED TABLE prod.scratch (email text)")
    db.execute("INSERT INTO prod.scratch VALUES ('a@mail.example')")
    db.load(
        profile(
            {"people": {"email": "mail"}, "scratch": [{"column": "email", "strategy": "mail"}]},
            version="2",
        )
    )
    db.sync()
    assert db.value("SELECT email FROM staging.scratch") != "a@mail.example"
