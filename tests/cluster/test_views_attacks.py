"""What readers of masked views try, and what it gets them."""

import pytest

from samples import make_small, small

CREATE = "SELECT * FROM confiture.create_masked_views('small', 'prod', 'seen')"
PLACE = "SELECT tableoid, ctid FROM prod.people WHERE id = 1"
CALL = "SELECT confiture._mask_row({}, {}, {}::oid, '{}'::tid, NULL::text)"


@pytest.fixture
def views(db):
    """One view, a reader of it, and one who may use our schema but read no view."""
    make_small(db)
    db.rows(CREATE)
    for name in ["reader", "other"]:
        role = db.role(name)
        session = db.session(role)
        session.role = role
        setattr(db, name, session)
    db.execute(f"GRANT USAGE ON SCHEMA seen TO {db.reader.role}, {db.other.role}")
    db.execute(f"GRANT SELECT ON seen.people TO {db.reader.role}")
    db.table, db.ctid = db.rows(PLACE)[0]
    db.view = db.value("SELECT id FROM confiture.masked_view")
    db.number = db.value("SELECT number FROM confiture.masked_column")
    return db


def call(db, **more):
    values = {"view": db.view, "number": db.number, "table": db.table, "ctid": db.ctid, **more}
    return CALL.format(values["view"], values["number"], values["table"], values["ctid"])


def test_without_usage_nobody_names_the_function(views):
    for session in [views.reader, views.other]:
        session.refused("42501", call(views))
        session.refused("42501", "CREATE VIEW pg_temp.v AS " + call(views))


def test_a_direct_call_gives_what_the_view_gives(views):
    views.execute(f"GRANT USAGE ON SCHEMA confiture TO {views.reader.role}, {views.other.role}")
    shown = views.reader.value("SELECT email FROM seen.people WHERE id = 1")
    assert views.reader.value(call(views)) == shown
    # Who may not read the view gets nothing, whoever made the expression.
    report = views.other.refused("42501", call(views))
    assert "masked view" in report.message_primary and "mail.example" not in str(report)
    views.execute(f"GRANT SELECT (id) ON seen.people TO {views.other.role}")
    views.other.refused("42501", call(views))
    views.execute(f"GRANT SELECT (email) ON seen.people TO {views.other.role}")
    assert views.other.value(call(views)) == shown


def test_only_rows_of_the_table_and_registered_columns_are_answered_for(views):
    views.execute(f"GRANT USAGE ON SCHEMA confiture TO {views.reader.role}")
    reader = views.reader
    # A dictionary of the reader's own, in a table of the reader's own.
    reader.execute("CREATE TEMPORARY TABLE people (id integer, email text, note text)")
    reader.execute("INSERT INTO people VALUES (1, 'ann.lee@mail.example', NULL)")
    own, place = reader.rows("SELECT tableoid, ctid FROM people")[0]
    assert "not of the table" in reader.refused(
        "42501", call(views, table=own, ctid=place)).message_primary
    numbers = [{"number": number} for number in [0, 1, 3]]
    for more in [*numbers, {"view": 0}, {"view": views.view + 1}]:
        reader.refused("42704", call(views, **more))
    for ctid in ["(0,0)", "(0,900)", "(4000000,1)", "(4294967295,65535)"]:
        reader.refused("25000", call(views, ctid=ctid))
    for table in ["pg_class", "pg_authid"]:
        reader.refused("42501", call(views, table=f"'{table}'::regclass"))
    reader.refused("42501", call(views, table="1"))
    other = call(views).replace("::text)", "::integer)")
    reader.refused({"55000", "42804"}, other)
    assert reader.rows(call(views).replace(f"'{views.ctid}'", "NULL")) == [(None,)]


def test_a_row_that_is_not_visible_is_not_answered_for(views):
    views.execute(f"GRANT USAGE ON SCHEMA confiture TO {views.reader.role}")
    writer = views.session()
    writer.execute("BEGIN")
    table, ctid = writer.rows(
        "INSERT INTO prod.people VALUES (9, 'new@mail.example', NULL) RETURNING tableoid, ctid")[0]
    views.reader.refused("25000", call(views, table=table, ctid=ctid))
    writer.execute("COMMIT")
    assert views.reader.value(call(views, table=table, ctid=ctid))
    views.execute("DELETE FROM prod.people WHERE id = 9")
    views.reader.refused("25000", call(views, table=table, ctid=ctid))


def test_a_right_that_is_revoked_is_gone_at_the_next_row(views):
    views.execute(f"GRANT USAGE ON SCHEMA confiture TO {views.reader.role}")
    views.reader.execute("BEGIN")
    asked = call(views).removeprefix("SELECT ")
    loop = f"DO $$BEGIN FOR i IN 1..3 LOOP PERFORM ({asked}); END LOOP; END$$"
    views.reader.execute(loop)
    views.reader.execute("COMMIT")
    # In one loop, whose look-ups are kept: the role gives its own right away.
    group = views.role("team")
    views.execute(f"REVOKE SELECT ON seen.people FROM {views.reader.role};"
                  f"GRANT SELECT ON seen.people TO {group}; GRANT {group} TO {views.reader.role}")
    views.reader.execute(loop)
    views.execute(f"REVOKE {group} FROM {views.reader.role}")
    views.reader.refused("42501", loop)


def test_a_view_on_a_masked_view_passes_nobody_s_right_on(views):
    views.execute("CREATE SCHEMA report; CREATE VIEW report.people AS SELECT * FROM seen.people;"
                  f"GRANT USAGE ON SCHEMA report TO {views.other.role};"
                  f"GRANT SELECT ON report.people TO {views.other.role}")
    assert views.other.value("SELECT count(*) FROM report.people") == 3
    report = views.other.refused("42501", "SELECT email FROM report.people")
    assert "Grant SELECT on the masked view itself" in report.message_hint
    views.execute(f"GRANT SELECT ON seen.people TO {views.other.role}")
    assert len(views.other.rows("SELECT email FROM report.people")) == 3


def test_a_view_that_takes_the_name_has_only_its_owner_s_rights(views):
    dev = views.role("dev")
    views.execute(f"GRANT USAGE ON SCHEMA confiture TO {dev}; ALTER SCHEMA seen OWNER TO {dev}")
    views.execute("ALTER EVENT TRIGGER confiture_forget_views DISABLE")
    session = views.session(dev)
    session.refused("42501", call(views))
    session.execute("DROP VIEW seen.people")
    session.execute(
        "CREATE VIEW seen.people AS SELECT 1 AS id, ''::text AS email, ''::text AS note")
    assert "under that name" in session.refused("55000", call(views)).message_primary
    # One that says of itself what ours says.
    views.execute(f"GRANT USAGE ON SCHEMA prod TO {dev}")
    session.execute(
        "DROP VIEW seen.people; CREATE VIEW seen.people AS WITH masked_view AS (SELECT"
        f" confiture._mask_row({views.view}, 0, NULL, NULL, NULL::integer), s.email FROM"
        " ONLY prod.people s) SELECT 1 AS id, ''::text AS email, ''::text AS note")
    assert "owner of the view" in session.refused("42501", call(views)).message_detail


def test_rows_that_row_level_security_hides_are_not_answered_for(views):
    owner = views.role("owner")
    views.execute(f"GRANT USAGE ON SCHEMA prod TO {owner}; GRANT SELECT ON prod.people TO {owner};"
                  f"ALTER VIEW seen.people OWNER TO {owner};"
                  f"GRANT USAGE ON SCHEMA seen, confiture TO {views.reader.role}")
    assert views.reader.value(call(views))
    views.execute("ALTER TABLE prod.people ENABLE ROW LEVEL SECURITY;"
                  "CREATE POLICY two ON prod.people USING (id = 2)")
    assert "Row-level security" in views.reader.refused("42501", call(views)).message_detail
    views.reader.refused("42501", "SELECT email FROM seen.people")


def test_nothing_planted_takes_part(views):
    shown = views.reader.rows("SELECT * FROM seen.people ORDER BY id")
    reader = views.reader
    reader.execute("CREATE TEMPORARY TABLE masked_view (LIKE pg_catalog.pg_class)")
    reader.execute("CREATE TEMPORARY TABLE pg_class (oid oid)")
    reader.execute("SET search_path = pg_temp, pg_catalog")
    assert reader.rows("SELECT * FROM seen.people ORDER BY id") == shown
    views.execute(
        "CREATE FUNCTION prod._mask_row(integer, integer, oid, tid, text) RETURNS text LANGUAGE sql"
        " AS $$SELECT 'planted'$$;"
        "CREATE FUNCTION public._mask_row(integer, integer, oid, tid, text) RETURNS text"
        " LANGUAGE sql AS $$SELECT 'planted'$$")
    views.rows(CREATE)
    assert reader.rows("SELECT * FROM seen.people ORDER BY id") == shown


def test_who_writes_the_source_chooses_the_input(views):
    """The attack that the page names: no view can tell a row that was made for it."""
    writer = views.role("writer")
    views.execute(f"GRANT USAGE ON SCHEMA prod, seen TO {writer};"
                  f"GRANT INSERT ON prod.people TO {writer};"
                  f"GRANT SELECT ON seen.people TO {writer}")
    session = views.session(writer)
    session.execute("INSERT INTO prod.people VALUES (100, 'zoë@mail.example', NULL)")
    found = session.column(
        "SELECT id FROM seen.people WHERE email = (SELECT email FROM seen.people WHERE id = 100)"
        " ORDER BY id")
    assert found == [3, 100]
    assert "chosen input" in views.column("SELECT path FROM confiture.lint_access(%s)", [writer])


def test_a_row_that_changes_while_it_is_locked_is_not_shown_wrong(views):
    writer = views.session()
    writer.execute("BEGIN")
    writer.execute("UPDATE prod.people SET email = 'other@mail.example' WHERE id = 1")
    shown = views.value("SELECT email FROM seen.people WHERE id = 1")
    writer.execute("COMMIT")
    assert views.value("SELECT email FROM seen.people WHERE id = 1") != shown


def test_an_operator_without_more_can_make_views(db):
    make_small(db)
    role = db.role("op")
    db.execute(f"SELECT confiture.grant_access('operator', '{role}')")
    session = db.session(role)
    session.refused("42501", CREATE)
    db.execute(f"GRANT USAGE ON SCHEMA prod TO {role}; GRANT SELECT ON prod.people TO {role};"
               f"GRANT CREATE ON DATABASE {db.name} TO {role}")
    session.rows(CREATE)
    assert len(session.rows("SELECT email FROM seen.people")) == 3
    session.rows("SELECT * FROM confiture.create_masked_views('small', 'prod', 'kept',"
                 " '{\"materialized\": true}')")
    assert session.rows("TABLE kept.people") == session.rows("TABLE seen.people")
    # Its right on the table goes, and the views with it.
    db.execute(f"REVOKE SELECT ON prod.people FROM {role}")
    session.refused("42501", "SELECT email FROM seen.people")
    session.column("SELECT confiture.drop_masked_views('seen')")
    other = db.role("op2")
    db.execute(f"SELECT confiture.grant_access('operator', '{other}')")
    db.session(other).refused("42501", "SELECT confiture.drop_masked_views('kept')")


def test_nobody_but_its_owner_fills_a_materialized_view_by_hand(views):
    views.rows("SELECT * FROM confiture.create_masked_views('small', 'prod', 'kept', %s)",
               ['{"materialized": true}'])
    number = views.rows(
        "SELECT v.id, c.number FROM confiture.masked_view v JOIN confiture.masked_column c"
        " ON c.view_id = v.id WHERE v.schema_name = 'kept' AND v.view_name = 'people'"
        " AND c.column_name = 'email'")[0]
    guess = ["SELECT confiture._mask_value(%s, %s, 'ann.lee@mail.example'::text)", number]
    assert views.value(*guess) == views.value("SELECT email FROM kept.people WHERE id = 1")
    operator = views.role("operator")
    views.execute(f"SELECT confiture.grant_access('operator', '{operator}')")
    session = views.session(operator)
    report = session.refused("42501", *guess)
    assert report.message_primary == 'must be owner of masked view "kept.people"'
    views.execute(f"GRANT SELECT ON prod.people TO {operator};"
                  f"GRANT ALL ON SCHEMA kept TO {operator};"
                  f"ALTER MATERIALIZED VIEW kept.people OWNER TO {operator}")
    views.execute("REFRESH MATERIALIZED VIEW kept.people")
    assert session.value(*guess)


def test_nobody_registers_a_view_by_hand(views):
    role = views.role("op")
    views.execute(f"SELECT confiture.grant_access('operator', '{role}')")
    session = views.session(role)
    for statement in ["INSERT INTO confiture.masked_column VALUES (1, 9, 'x', 'x')",
                      "UPDATE confiture.masked_view SET key_name = NULL, key_version = NULL",
                      "DELETE FROM confiture.masked_column", "SELECT * FROM confiture.masked_view"]:
        session.refused("42501", statement)


def test_a_key_that_was_destroyed_masks_nothing(views):
    views.execute("SELECT confiture.rotate_key('masking')")
    shown = views.reader.rows("SELECT * FROM seen.people ORDER BY id")
    assert len(shown) == 3, "the version that the profile pins"
    views.execute("SELECT confiture.retire_profile('small', '1')")
    views.execute("SELECT confiture.destroy_key_version('masking', 1)")
    views.reader.refused("55000", "SELECT email FROM seen.people")
    views.load(small(version="2"))
    views.rows(CREATE)
    assert views.reader.rows("SELECT * FROM seen.people ORDER BY id") != shown
