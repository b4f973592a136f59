"""The main job on small tables: what arrives, what an option does, what is made in the target."""

import pytest

from samples import PEOPLE, fill_people, keep_all, make_people, make_small, profile, small


def test_a_run_masks_what_a_rule_names_and_copies_the_rest(db):
    make_small(db)
    db.sync()
    rows = db.rows("SELECT id, email, note FROM staging.people ORDER BY id")
    assert [(row[0], row[2]) for row in rows] == [(row[0], row[2]) for row in PEOPLE]
    assert all("@example." in row[1] for row in rows)
    assert not {row[1] for row in rows} & {row[1] for row in PEOPLE}


def test_a_second_run_replaces_the_rows_with_the_same_pseudonyms(db):
    make_small(db)
    db.sync()
    first = dict(db.rows("SELECT id, email FROM staging.people"))
    db.execute("DELETE FROM prod.people WHERE id = 2")
    fill_people(db, [(4, "new@mail.example", None)])
    db.sync()
    second = dict(db.rows("SELECT id, email FROM staging.people"))
    assert second.keys() == {1, 3, 4}
    assert second[1] == first[1] and second[3] == first[3]


def test_a_run_leaves_the_source_as_it_is(db):
    make_small(db)
    before = db.content("prod")
    db.sync()
    db.sync()
    assert db.content("prod") == before


def test_a_run_overwrites_what_was_edited_in_the_target(db):
    make_small(db)
    db.sync()
    before = db.content("staging")
    db.execute("UPDATE staging.people SET note = 'edited'")
    db.execute("INSERT INTO staging.people VALUES (99, 'kept@mail.example', NULL)")
    db.sync()
    assert db.content("staging") == before


def test_an_existing_empty_schema_serves_as_target(db):
    make_small(db)
    db.execute("CREATE SCHEMA staging")
    db.sync()
    assert db.value("SELECT count(*) FROM staging.people") == 3


def test_objects_in_the_target_that_no_profile_names_are_left_alone(db):
    make_small(db)
    db.execute("CREATE SCHEMA staging")
    db.execute("CREATE TABLE staging.mine AS SELECT 7 AS x")
    db.sync()
    db.sync()
    assert db.value("SELECT x FROM staging.mine") == 7


def test_views_and_grants_on_target_tables_survive_a_second_run(db):
    make_small(db)
    db.sync()
    reader = db.role("reader")
    db.execute("CREATE VIEW staging.addresses AS SELECT email FROM staging.people")
    db.execute(f"GRANT USAGE ON SCHEMA staging TO {reader}")
    db.execute(f"GRANT SELECT ON staging.people TO {reader}")
    db.sync()
    assert db.value("SELECT count(*) FROM staging.addresses") == 3
    assert db.session(reader).value("SELECT count(*) FROM staging.people") == 3


def test_empty_tables_arrive_empty(db):
    make_people(db, rows=[])
    db.load(small())
    db.sync()
    db.sync()
    assert db.rows("SELECT * FROM staging.people") == []
    assert db.events() == ["KEY_CREATED", *["STARTED", "COMPLETED"] * 2]


def test_a_table_without_primary_key_keeps_its_double_rows(db):
    db.execute("CREATE SCHEMA prod")
    db.execute("CREATE TABLE prod.log (email text, at integer)")
    db.execute(
        "INSERT INTO prod.log VALUES ('a@mail.example', 1), ('a@mail.example', 1), (NULL, 2)"
    )
    db.load(profile({"log": {"email": "mail"}}))
    db.sync()
    rows = db.rows("SELECT email, at FROM staging.log ORDER BY at, email")
    assert len(rows) == 3 and rows[0] == rows[1] and rows[2] == (None, 2)


def test_a_dropped_column_of_the_source_does_not_shift_the_others(db):
    db.execute("CREATE SCHEMA prod")
    db.execute(
        "CREATE TABLE prod.people (gone text, id integer, gone_too text, email text, note text)"
    )
    db.execute("INSERT INTO prod.people VALUES ('x', 1, 'y', 'a@mail.example', 'note')")
    db.execute("ALTER TABLE prod.people DROP COLUMN gone, DROP COLUMN gone_too")
    db.load(small())
    db.sync()
    db.sync()
    (row,) = db.rows("SELECT id, note, email FROM staging.people")
    assert row[:2] == (1, "note") and row[2] != "a@mail.example"


def test_columns_in_another_order_than_in_the_source_get_their_own_values(db):
    make_small(db)
    db.execute("CREATE SCHEMA staging")
    db.execute(
        "CREATE TABLE staging.people (note text, email text NOT NULL, id integer PRIMARY KEY)"
    )
    db.sync(options='{"adopt": true}')
    assert db.rows("SELECT id, note FROM staging.people ORDER BY id") == [
        (p[0], p[2]) for p in PEOPLE
    ]


def test_an_excluded_column_is_not_copied(db):
    make_people(db)
    body = {
        "rules": [{"column": "email", "strategy": "mail"}],
        "exclude": [{"column": "note", "why": "nobody needs it"}],
        "preserve": [{"column": "id", "why": "key"}],
    }
    db.load(profile({"people": body}))
    db.sync()
    # Left out of the table, or there and empty: either way nothing of it arrived.
    assert db.column("SELECT to_jsonb(p) ->> 'note' FROM staging.people AS p") == [None] * 3
    assert db.plan()[("people", "note")]["decision"] == "excluded"


def test_a_filter_limits_the_rows(db):
    make_people(db)
    body = {
        "rules": [{"column": "email", "strategy": "mail"}],
        **keep_all(),
        "where": [["id", ">=", 2], ["note", "is_not_null"]],
    }
    db.load(profile({"people": body}))
    db.sync()
    assert db.column("SELECT id FROM staging.people") == [3]


@pytest.mark.parametrize(
    ("condition", "kept"),
    [
        (["id", "=", 2], [2]),
        (["id", "<>", 2], [1, 3]),
        (["id", "in", [1, 3]], [1, 3]),
        (["note", "is_null"], [2]),
        (["note", "=", "likes jam"], [1]),
        (["note", "=", "x' OR true --"], []),
        (["born", "<", "1980-01-01"], [1]),
        (["share", ">", 0.5], [3]),
    ],
    ids=str,
)
def test_a_filter_compares_as_the_type_of_the_column_does(db, condition, kept):
    make_people(db)
    db.execute("ALTER TABLE prod.people ADD born date, ADD share numeric")
    db.execute("UPDATE prod.people SET born = date '1979-01-01' + id * 200, share = id / 4.0")
    db.execute("UPDATE prod.people SET born = '1990-01-01' WHERE id > 1")
    body = {"rules": [{"column": "email", "strategy": "mail"}], **keep_all(), "where": [condition]}
    db.load(profile({"people": body}))
    db.sync()
    assert db.column("SELECT id FROM staging.people ORDER BY id") == kept


def test_a_filter_that_cuts_a_foreign_key_never_leaves_an_orphan(db):
    make_people(db)
    db.execute(
        "CREATE TABLE prod.orders (id integer PRIMARY KEY, person integer REFERENCES prod.people)"
    )
    db.execute("INSERT INTO prod.orders VALUES (10, 1), (11, 3)")
    people = {
        "rules": [{"column": "email", "strategy": "mail"}],
        **keep_all(),
        "where": [["id", "<", 3]],
    }
    db.load(profile({"people": people, "orders": keep_all()}))
    db.sync_refused({"23503", "23000"})
    assert db.content("staging") == {}
    assert db.events()[-1] == "FAILED"


def test_the_option_version_picks_a_profile(db):
    make_people(db)
    db.load(profile({"people": {"email": "mail"}}))
    db.load(profile({"people": {"email": "redact"}}, version="2"))
    db.sync()
    assert db.column("SELECT DISTINCT email FROM staging.people") == ["[REDACTED]"]
    db.sync(options='{"version": "1"}')
    assert db.value("SELECT count(DISTINCT email) FROM staging.people") == 3


def test_a_table_that_no_run_made_is_taken_over_only_when_asked(db):
    make_small(db)
    db.execute("CREATE SCHEMA staging")
    db.execute("CREATE TABLE staging.people (LIKE prod.people INCLUDING ALL)")
    db.execute("INSERT INTO staging.people VALUES (7, 'precious@mail.example', 'by hand')")
    before = db.content("staging")
    report = db.sync_refused("55000")
    assert "people" in report.message_primary + (report.message_detail or "")
    assert db.content("staging") == before and db.events() == ["KEY_CREATED"]
    db.sync(options='{"adopt": true}')
    assert db.column("SELECT id FROM staging.people ORDER BY id") == [1, 2, 3]
    # Once taken over it is the run's own.
    db.sync()


def test_a_table_that_took_the_name_of_a_renamed_one_is_nobodys(db):
    make_small(db)
    db.sync()
    db.execute("ALTER TABLE staging.people RENAME TO old_people")
    db.execute("CREATE TABLE staging.people (LIKE prod.people INCLUDING ALL)")
    db.execute("INSERT INTO staging.people VALUES (7, 'precious@mail.example', 'by hand')")
    db.sync_refused("55000")
    assert db.column("SELECT id FROM staging.people") == [7]


def test_a_table_that_took_the_name_of_a_dropped_one_is_nobodys(db):
    make_small(db)
    db.sync()
    db.execute("DROP TABLE staging.people")
    db.execute("CREATE TABLE staging.people (LIKE prod.people INCLUDING ALL)")
    db.execute("INSERT INTO staging.people VALUES (7, 'precious@mail.example', 'by hand')")
    db.sync_refused("55000")
    assert db.column("SELECT id FROM staging.people") == [7]


def test_a_table_that_was_dropped_is_made_again(db):
    make_small(db)
    db.sync()
    before = db.content("staging")
    db.execute("DROP TABLE staging.people")
    db.sync()
    assert db.content("staging") == before


def test_a_table_in_a_renamed_schema_of_the_target_is_nobodys(db):
    make_small(db)
    db.sync()
    db.execute("ALTER SCHEMA staging RENAME TO old_staging")
    db.execute("CREATE SCHEMA staging CREATE TABLE people (id integer, email text, note text)")
    db.execute("INSERT INTO staging.people VALUES (7, 'precious@mail.example', 'by hand')")
    db.sync_refused("55000")
    assert db.column("SELECT id FROM staging.people") == [7]


def test_the_report_counts_rows_and_time_per_table(db):
    make_small(db)
    db.sync()
    report = db.value("SELECT to_jsonb(r) FROM confiture.run_report AS r")
    assert (report["profile_name"], report["profile_version"]) == ("small", "1")
    assert (report["source_schema"], report["target_schema"]) == ("prod", "staging")
    assert report["rows"] == 3 and report["seconds"] >= 0
    assert report["started_at"] <= report["finished_at"]


def test_the_report_shows_the_newest_run_first(db):
    make_small(db)
    db.sync()
    db.execute("DELETE FROM prod.people WHERE id > 1")
    db.sync()
    assert db.column('SELECT "rows" FROM confiture.run_report') == [1, 3]


def test_a_run_collects_statistics(db):
    make_small(db)
    db.sync()
    assert db.value("SELECT reltuples FROM pg_class WHERE oid = 'staging.people'::regclass") == 3


def test_two_targets_of_one_source_hold_the_same_pseudonyms(db):
    make_small(db)
    db.sync(target="staging")
    db.sync(target="testing")
    assert list(db.content("staging").values()) == list(db.content("testing").values())
