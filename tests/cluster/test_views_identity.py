"""Which relation is a masked view, and which columns it masks, whatever is renamed around it."""

import pytest

from samples import keep_all, make_small, profile

CREATE = "SELECT * FROM confiture.create_masked_views('small', 'prod', 'seen', %s)"
REFRESH = "SELECT * FROM confiture.refresh_masked_views('seen')"
DROP = "SELECT confiture.drop_masked_views('seen')"
LISTED = "SELECT schema_name, view_name FROM confiture.masked_views ORDER BY 1, 2"
READ = "SELECT * FROM {} ORDER BY id"
WORK = "CREATE VIEW seen.people AS SELECT 'important work'::text AS w"


@pytest.fixture(params=["{}", '{"materialized": true}'], ids=["view", "materialized"])
def views(db, request):
    """One view, and what is to be called what it is."""
    make_small(db)
    db.rows(CREATE, [request.param])
    db.options = request.param
    db.kind = "VIEW" if request.param == "{}" else "MATERIALIZED VIEW"
    db.shown = db.rows(READ.format("seen.people"))
    return db


def operator(db):
    """A session of an operator who may read the table and make objects in the target."""
    role = db.role("op")
    db.execute(f"SELECT confiture.grant_access('operator', '{role}');"
               f"GRANT USAGE ON SCHEMA prod TO {role}; GRANT SELECT ON prod.people TO {role};"
               f"GRANT USAGE, CREATE ON SCHEMA seen TO {role}")
    session = db.session(role)
    session.role = role
    return session


def unnoticed(db):
    """From now on the list does not hear of commands."""
    for trigger in ["follow", "forget"]:
        db.execute(f"ALTER EVENT TRIGGER confiture_{trigger}_views DISABLE")


def test_a_view_that_is_renamed_or_moved_is_the_same_view(views):
    for command, name in [
        (f"ALTER {views.kind} seen.people RENAME TO others", "seen.others"),
        ("ALTER TABLE seen.others RENAME TO more", "seen.more"),
        ("ALTER SCHEMA seen RENAME TO shown", "shown.more"),
        ("CREATE SCHEMA elsewhere", "shown.more"),
        (f"ALTER {views.kind} shown.more SET SCHEMA elsewhere", "elsewhere.more"),
    ]:
        views.execute(command)
        assert views.rows(LISTED) == [tuple(name.split("."))]
        assert views.rows(READ.format(name)) == views.shown
    # It is made anew where it is, and goes from there.
    again = "SELECT * FROM confiture.refresh_masked_views('elsewhere')"
    done = "replaced" if views.kind == "VIEW" else "refreshed"
    assert views.rows(again) == [("more", done, 1)]
    assert views.column("SELECT confiture.drop_masked_views('elsewhere')") == ["more"]
    assert views.value("SELECT to_regclass('elsewhere.more')") is None
    assert views.rows(LISTED) == []


@pytest.mark.parametrize("make", [WORK, "CREATE TABLE seen.people (w text)"])
def test_a_stranger_that_took_the_name_of_a_view_is_left_alone(views, make):
    views.execute(f"ALTER {views.kind} seen.people RENAME TO people_old")
    views.execute(make)
    kept = views.rows("SELECT * FROM seen.people")
    # The view is another one by now, and so is what is dropped.
    assert [row[0] for row in views.rows(REFRESH)] == ["people_old"]
    assert views.rows(READ.format("seen.people_old")) == views.shown
    assert views.column(DROP) == ["people_old"]
    assert views.rows("SELECT * FROM seen.people") == kept
    report = views.refused("42710", CREATE, [views.options])
    assert report.message_detail == "It is no masked view."
    views.execute("DROP TABLE seen.people" if "TABLE" in make else "DROP VIEW seen.people")
    assert views.rows(CREATE, [views.options])[0][:2] == ("people", "created")


@pytest.mark.parametrize("make", [WORK, "CREATE TABLE seen.people (w text)"])
def test_a_stranger_is_left_alone_where_nobody_heard_of_the_renaming(views, make):
    unnoticed(views)
    views.execute(f"ALTER {views.kind} seen.people RENAME TO people_old")
    views.execute(make)
    kept = views.rows("SELECT * FROM seen.people")
    for statement in [REFRESH, CREATE]:
        parameters = [views.options] if statement == CREATE else None
        report = views.refused("42710", statement, parameters)
        assert report.message_detail == "It is no masked view."
    assert views.rows("SELECT * FROM seen.people") == kept
    if views.kind == "VIEW":
        assert "not there under that name" in views.refused(
            "55000", READ.format("seen.people_old")).message_primary
    # Under its name again it is what it was.
    views.execute("DROP TABLE seen.people" if "TABLE" in make else "DROP VIEW seen.people")
    views.execute(f"ALTER {views.kind} seen.people_old RENAME TO people")
    assert views.rows(READ.format("seen.people")) == views.shown
    assert [row[0] for row in views.rows(REFRESH)] == ["people"]


def test_who_did_not_make_a_view_that_has_gone_does_not_take_it_off_the_list(views):
    session = operator(views)
    unnoticed(views)
    views.execute(f"ALTER {views.kind} seen.people RENAME TO people_old")
    for statement in [DROP, REFRESH]:
        assert "belongs to others" in session.refused("42501", statement).message_primary
    assert views.rows(LISTED) == [("seen", "people")]
    assert views.column(DROP) == ["people"]
    assert views.rows(LISTED) == []
    assert views.value("SELECT count(*) FROM confiture.masked_column") == 0
    assert views.value("SELECT to_regclass('seen.people_old')") is not None


def test_who_made_a_view_that_has_gone_makes_another_with_a_number_of_its_own(views):
    numbers = "SELECT array_agg(id) FROM confiture.masked_view"
    before = views.value(numbers)
    unnoticed(views)
    views.execute(f"ALTER {views.kind} seen.people RENAME TO people_old")
    assert views.rows(CREATE, [views.options]) == [("people", "created", 1)]
    assert views.rows(READ.format("seen.people")) == views.shown
    after = views.value(numbers)
    assert len(after) == 1 and after != before
    # The other is no masked view any more, and masks nothing.
    if views.kind == "VIEW":
        views.refused("42704", READ.format("seen.people_old"))


def test_who_does_not_own_a_view_does_not_drop_it_or_make_it_anew(views):
    session = operator(views)
    views.execute(f"ALTER {views.kind} seen.people RENAME TO people_old")
    session.refused("42501", DROP)
    report = session.refused("42501", REFRESH)
    assert report.message_primary == 'must be owner of masked view "seen.people_old"'
    assert views.rows(LISTED) == [("seen", "people_old")]
    assert views.rows(READ.format("seen.people_old")) == views.shown


def test_a_copy_of_a_definition_is_no_masked_view(views):
    text = views.value("SELECT pg_get_viewdef('seen.people'::regclass)")
    views.execute(f"CREATE VIEW public.copy AS {text}; ALTER VIEW public.copy RENAME TO twin")
    assert views.rows(LISTED) == [("seen", "people")]
    views.execute("DROP VIEW public.twin")
    assert views.rows(LISTED) == [("seen", "people")]
    views.execute(f"CREATE VIEW public.copy AS {text}")
    views.execute(f"DROP {views.kind} seen.people")
    assert views.rows(LISTED) == []
    assert views.value("SELECT count(*) FROM confiture.masked_column") == 0
    views.execute(f"CREATE VIEW seen.people AS {text}")
    views.refused("42710", CREATE, [views.options])


def test_a_view_that_its_owner_has_written_anew_is_none_any_more(views):
    if views.kind != "VIEW":
        pytest.skip("there is no OR REPLACE")
    views.execute("CREATE OR REPLACE VIEW seen.people AS"
                  " SELECT 1 AS id, 'mine'::text AS email, NULL::text AS note")
    views.refused("42710", REFRESH)
    assert views.rows(READ.format("seen.people")) == [(1, "mine", None)]


def test_a_view_that_bears_the_name_of_another_table_is_not_taken_for_its_own(db):
    make_small(db)
    db.execute("CREATE TABLE prod.orders (id integer, email text)")
    db.load(profile({"people": {"email": "mail"}, "orders": {"email": "mail"}}, version="2"))
    db.rows(CREATE, ["{}"])
    db.execute("DROP VIEW seen.orders; ALTER VIEW seen.people RENAME TO orders")
    report = db.refused("42710", CREATE, ["{}"])
    assert report.message_detail == 'It is the masked view of table "prod.people".'
    db.execute("ALTER VIEW seen.orders RENAME TO customers")
    assert db.rows(CREATE, ["{}"]) == [("customers", "replaced", 1), ("orders", "created", 1)]


def test_whoever_renames_a_view_is_followed(db):
    make_small(db)
    owner = db.role("owner")
    db.rows(CREATE, ["{}"])
    db.execute(f"GRANT USAGE ON SCHEMA prod, seen TO {owner};"
               f"GRANT CREATE ON SCHEMA seen TO {owner};"
               f"GRANT SELECT ON prod.people TO {owner}; ALTER VIEW seen.people OWNER TO {owner}")
    session = db.session(owner)
    shown = session.rows(READ.format("seen.people"))
    session.execute("CREATE TEMPORARY TABLE masked_view (id integer, schema_name text);"
                    "SET search_path = pg_temp, pg_catalog;"
                    "ALTER VIEW seen.people RENAME TO others")
    assert session.rows(READ.format("seen.others")) == shown
    assert db.rows(LISTED) == [("seen", "others")]
    session.execute("DROP VIEW seen.others")
    assert db.rows(LISTED) == []


def test_whatever_drops_a_view_takes_it_off_the_list(server, db):
    if not server.has("citext"):
        pytest.skip("there is no citext")
    db.execute("CREATE EXTENSION citext; CREATE SCHEMA prod;"
               "CREATE TABLE prod.people (id integer, email citext)")
    db.load(profile({"people": {"email": "mail"}}))
    for options in ["{}", '{"materialized": true}']:
        db.rows(CREATE, [options])
        db.execute("DROP EXTENSION citext CASCADE")
        assert db.rows(LISTED) == []
        db.execute("DROP TABLE prod.people; CREATE EXTENSION citext;"
                   "CREATE TABLE prod.people (id integer, email citext)")
    db.rows(CREATE, ["{}"])
    db.execute("DROP SCHEMA prod CASCADE")
    assert db.rows(LISTED) == []


ENTITY = {"people": {
    "rules": [{"column": "born", "strategy": "shift", "entity": "id"}], **keep_all()}}


@pytest.mark.parametrize("command", [
    "ALTER TABLE prod.people RENAME email TO e2;"
    "ALTER TABLE prod.people ADD email text DEFAULT 'oops'",
    # Both are columns that the view reads.
    "ALTER TABLE prod.people RENAME email TO e2; ALTER TABLE prod.people RENAME note TO email;"
    "ALTER TABLE prod.people RENAME e2 TO note",
])
def test_a_column_that_took_the_name_is_not_masked_in_its_place(views, command):
    views.execute(command)
    if views.kind == "VIEW":
        report = views.refused("55000", READ.format("seen.people"))
        assert 'column "email"' in report.message_primary
        assert "create_masked_views" in report.message_hint
        # A call by hand is a call of the view.
        place = views.rows("SELECT tableoid, ctid::text FROM prod.people WHERE id = 1")[0]
        views.refused("55000", "SELECT confiture._mask_row("
                      "(SELECT id FROM confiture.masked_view), 2, %s, %s::tid, NULL::text)", place)
    else:
        # It goes on with the columns that it was made of.
        views.execute("REFRESH MATERIALIZED VIEW seen.people")
        assert views.rows(READ.format("seen.people")) == views.shown
    views.rows(CREATE, [views.options])
    shown = set(views.column("SELECT email FROM seen.people WHERE email IS NOT NULL"))
    assert shown and not shown & set(views.column("SELECT email FROM prod.people"))


def test_an_input_that_took_the_name_is_not_read_in_its_place(db):
    db.execute("CREATE SCHEMA prod; CREATE TABLE prod.people (id integer, born date);"
               "INSERT INTO prod.people VALUES (1, '1980-02-29'), (2, '1970-01-01')")
    db.load(profile(ENTITY, strategies={"shift": {"type": "date_shift"}}))
    db.rows(CREATE, ["{}"])
    shown = db.rows(READ.format("seen.people"))
    db.refused("2BP01", "ALTER TABLE prod.people DROP COLUMN id")
    session = db.session()
    session.execute("BEGIN")
    assert session.rows(READ.format("seen.people")) == shown
    session.execute("COMMIT")
    db.execute("ALTER TABLE prod.people RENAME id TO old;"
               "ALTER TABLE prod.people ADD id integer DEFAULT 7")
    for each in [db, session]:
        report = each.refused("55000", READ.format("seen.people"))
        assert 'column "id"' in report.message_primary
    db.execute("ALTER TABLE prod.people DROP COLUMN id; ALTER TABLE prod.people RENAME old TO id")
    assert db.rows(READ.format("seen.people")) == shown


def test_a_table_that_took_the_name_is_not_read_in_its_place(views):
    views.execute("ALTER TABLE prod.people RENAME TO persons;"
                  "CREATE TABLE prod.people (LIKE prod.persons);"
                  "INSERT INTO prod.people VALUES (1, 'oops', NULL)")
    if views.kind == "VIEW":
        report = views.refused("55000", READ.format("seen.people"))
        assert "has lost its table" in report.message_primary
    else:
        views.execute("REFRESH MATERIALIZED VIEW seen.people")
        assert views.rows(READ.format("seen.people")) == views.shown


def test_a_partition_has_its_columns_where_it_has_them(db):
    db.execute(
        "CREATE SCHEMA prod;"
        "CREATE TABLE prod.people (id integer, email text, note text) PARTITION BY RANGE (id);"
        "CREATE TABLE prod.high (note text, x integer, email text, id integer);"
        "ALTER TABLE prod.high DROP COLUMN x;"
        "ALTER TABLE prod.people ATTACH PARTITION prod.high FOR VALUES FROM (10) TO (20);"
        "INSERT INTO prod.people VALUES (11, 'b@x.example', 'note')")
    db.load(profile({"people": {"email": "mail"}}))
    db.rows(CREATE, ["{}"])
    shown = db.rows(READ.format("seen.people"))
    assert shown[0][2] == "note"
    db.execute("ALTER TABLE prod.people RENAME email TO e2;"
               "ALTER TABLE prod.people RENAME note TO email")
    db.refused("55000", READ.format("seen.people"))


def test_a_masked_view_whose_masks_need_no_call_is_known_too(db):
    """No value of it is asked of the extension."""
    db.execute("CREATE SCHEMA prod; CREATE TABLE prod.people (id integer, note text, gone text)")
    db.load(profile({"people": {
        "rules": [{"column": "note", "strategy": "nothing"}],
        "exclude": [{"column": "gone", "why": "of no use"}], **keep_all()}},
        strategies={"nothing": {"type": "null"}}))
    db.rows(CREATE, ["{}"])
    db.execute("ALTER VIEW seen.people RENAME TO others")
    assert db.rows(REFRESH) == [("others", "replaced", 1)]
    db.execute("SET confiture.allow_drop = on")
    db.refused("2BP01", "DROP EXTENSION confiture")
    db.execute("DROP EXTENSION confiture CASCADE")
    assert db.value("SELECT to_regclass('seen.others')") is None
