"""Whose masked views are, and who may read them, when they are made anew by somebody else."""

import pytest

from samples import make_small, small

CREATE = "SELECT * FROM confiture.create_masked_views('small', 'prod', 'seen', %s)"
REFRESH = "SELECT * FROM confiture.refresh_masked_views('seen')"
OWNER = "SELECT relowner::regrole::text FROM pg_class WHERE oid = 'seen.people'::regclass"
PLAIN = "{}"
ONCE = '{"materialized": true}'
CARRIED = '{"grants": true}'
READ = "SELECT id, email FROM seen.people ORDER BY id"
BOTH = pytest.mark.parametrize("options", [PLAIN, ONCE], ids=["view", "materialized"])


@pytest.fixture
def op(db):
    """An operator who may read the table, and owns the schema of views."""
    make_small(db)
    return operator(db, "op")


def operator(db, stem):
    role = db.role(stem)
    db.execute(f"SELECT confiture.grant_access('operator', '{role}');"
               f"GRANT USAGE ON SCHEMA prod TO {role}; GRANT SELECT ON prod.people TO {role};"
               f"CREATE SCHEMA IF NOT EXISTS seen; GRANT USAGE, CREATE ON SCHEMA seen TO {role}")
    session = db.session(role)
    session.role = role
    return session


def force(db):
    """From now on the view cannot be made anew where it is."""
    db.execute("ALTER TABLE prod.people RENAME COLUMN note TO remark")


@BOTH
def test_a_view_that_is_made_anew_from_nothing_stays_with_its_owner(db, op, options):
    op.rows(CREATE, [options])
    force(db)
    assert db.rows(REFRESH) == [("people", "replaced", 1)]
    assert db.value(OWNER) == op.role
    assert op.rows(READ) == db.rows(READ)
    # It has its owner's right to the table, and no stronger one.
    db.execute(f"REVOKE SELECT ON prod.people FROM {op.role}")
    if options == PLAIN:
        db.refused("42501", READ)
    else:
        db.refused("42501", REFRESH)
    # Another kind of view, too.
    db.execute(f"GRANT SELECT ON prod.people TO {op.role}")
    db.rows(CREATE, [ONCE if options == PLAIN else PLAIN])
    assert db.value(OWNER) == op.role


def test_a_filled_view_that_is_made_anew_is_filled_as_its_owner(db, op):
    op.rows(CREATE, [ONCE])
    force(db)
    db.execute("ALTER TABLE prod.people ENABLE ROW LEVEL SECURITY;"
               "CREATE POLICY two ON prod.people USING (id = 2)")
    # Rows are hidden from the owner, and not from who asks.
    assert "row-level security" in db.refused("42501", REFRESH).message_primary
    db.execute("DROP POLICY two ON prod.people; ALTER TABLE prod.people DISABLE ROW LEVEL SECURITY")
    assert db.rows(REFRESH) == [("people", "replaced", 1)]


@BOTH
def test_who_does_not_own_a_view_does_not_make_it_anew(db, op, options):
    op.rows(CREATE, [options])
    other = operator(db, "other")
    for change in [lambda: None, lambda: force(db)]:
        change()
        report = other.refused("42501", REFRESH)
        assert report.message_primary == 'must be owner of masked view "seen.people"'
        assert op.role in report.message_detail
    # Nor does the owner of the schema, who may drop it.
    db.execute(f"ALTER SCHEMA seen OWNER TO {other.role}")
    other.refused("42501", REFRESH)
    assert db.value(OWNER) == op.role


def test_a_member_of_the_owner_makes_it_anew_for_the_owner(db, op):
    op.rows(CREATE, [PLAIN])
    member = operator(db, "member")
    db.execute(f"GRANT {op.role} TO {member.role}")
    force(db)
    assert member.rows(REFRESH) == [("people", "replaced", 1)]
    assert db.value(OWNER) == op.role


def test_grants_are_carried_over_by_choice(db, op):
    one, some, none = (db.role(stem) for stem in ["one", "some", "none"])
    db.execute(f"GRANT SELECT ON prod.people TO {one};"
               f"GRANT SELECT (id, email) ON prod.people TO {some}")
    op.rows(CREATE, [CARRIED])
    db.execute(f"GRANT USAGE ON SCHEMA seen TO {one}, {some}, {none}")
    for role in [one, some]:
        assert db.session(role).rows(READ) == db.rows(READ)
    db.session(some).refused("42501", "SELECT note FROM seen.people")
    db.session(none).refused("42501", READ)


@BOTH
def test_grants_outlive_a_view_that_is_made_anew_from_nothing(db, op, options):
    op.rows(CREATE, [options])
    reader = db.role("reader")
    db.execute(f"GRANT USAGE ON SCHEMA seen TO {reader};"
               f"GRANT SELECT (id) ON seen.people TO {reader} WITH GRANT OPTION")
    force(db)
    db.rows(REFRESH)
    session = db.session(reader)
    assert session.column("SELECT id FROM seen.people ORDER BY id") == [1, 2, 3]
    session.refused("42501", "SELECT email FROM seen.people")
    assert "r*/" in db.value("SELECT attacl::text FROM pg_attribute WHERE attname = 'id'"
                             " AND attrelid = 'seen.people'::regclass")


@pytest.mark.parametrize("once", [False, True], ids=["view", "materialized"])
@pytest.mark.parametrize("anew", [False, True], ids=["in place", "from nothing"])
def test_grants_that_the_table_has_no_more_are_taken_back(db, op, once, anew):
    names = ["all", "part", "hand", "both", "giver", "friend"]
    role = {stem: db.role(stem) for stem in names}
    every = ", ".join(role.values())
    db.execute(f"GRANT USAGE ON SCHEMA prod, seen TO {every};"
               f"GRANT SELECT ON prod.people TO {role['all']}, {role['both']};"
               f"GRANT SELECT (id, email) ON prod.people TO {role['part']};"
               f"GRANT SELECT ON prod.people TO {role['giver']} WITH GRANT OPTION;"
               f"GRANT SELECT ON prod.people TO PUBLIC")
    # This one may read the view whatever becomes of the table.
    op.rows(CREATE, [ONCE if once else PLAIN])
    op.execute(f"GRANT SELECT ON seen.people TO {role['both']}")
    op.rows(CREATE, ['{"grants": true, "materialized": true}' if once else CARRIED])
    op.execute(f"GRANT SELECT ON seen.people TO {role['hand']};"
               f"GRANT SELECT (id) ON seen.people TO {role['all']}")
    db.session(role["giver"]).execute(f"GRANT SELECT ON seen.people TO {role['friend']}")
    session = {stem: db.session(role[stem]) for stem in names}
    db.execute("REVOKE SELECT ON prod.people FROM PUBLIC")
    db.execute(f"REVOKE SELECT ON prod.people FROM {every}")
    for each in session.values():
        assert len(each.rows(READ)) == 3, "until the view is made anew"
    if anew:
        force(db)
    assert op.rows(REFRESH)[0][1] == (
        "refreshed" if once and not anew else "replaced")
    for stem in ["hand", "both"]:
        assert len(session[stem].rows(READ)) == 3
    assert len(session["all"].rows("SELECT id FROM seen.people")) == 3, "given by hand"
    for stem in ["all", "part", "giver", "friend"]:
        session[stem].refused("42501", READ)
    assert db.value("SELECT carried FROM confiture.masked_view") == []


def test_a_right_that_is_given_again_is_carried_again(db, op):
    reader = db.role("reader")
    give = f"GRANT SELECT ON prod.people TO {reader} WITH GRANT OPTION"
    db.execute(give)
    op.rows(CREATE, [CARRIED])
    db.execute(f"GRANT USAGE ON SCHEMA seen TO {reader}")
    session = db.session(reader)
    shown = session.rows(READ)
    db.execute(f"REVOKE GRANT OPTION FOR SELECT ON prod.people FROM {reader}")
    op.rows(REFRESH)
    assert session.rows(READ) == shown
    session.execute(f"GRANT SELECT ON seen.people TO {op.role}")
    assert not db.value("SELECT has_table_privilege(%s, 'seen.people',"
                        " 'SELECT WITH GRANT OPTION')", [reader])
    db.execute(f"REVOKE SELECT ON prod.people FROM {reader}")
    # Without being asked for grants, nothing new is given, and what has gone goes.
    op.rows(CREATE, [PLAIN])
    session.refused("42501", READ)
    db.execute(give)
    op.rows(REFRESH)
    session.refused("42501", READ)
    op.rows(CREATE, [CARRIED])
    assert session.rows(READ) == shown
    # The owner of the view needs no grant, and loses nothing with one.
    db.execute(f"REVOKE SELECT ON prod.people FROM {op.role};"
               f"GRANT SELECT ON prod.people TO PUBLIC")
    op.rows(REFRESH)
    assert op.rows(READ) == shown


def test_a_view_that_follows_takes_grants_back_too(db, op):
    db.execute(f"GRANT USAGE ON SCHEMA confiture TO {op.role};"
               f"SELECT confiture.grant_access('admin', '{op.role}')")
    reader = db.role("reader")
    db.execute(f"GRANT SELECT ON prod.people TO {reader}; GRANT USAGE ON SCHEMA seen TO {reader}")
    op.rows(CREATE, [CARRIED])
    session = db.session(reader)
    assert len(session.rows(READ)) == 3
    db.execute(f"REVOKE SELECT ON prod.people FROM {reader}")
    op.load(small(version="2", description="the same"))
    session.refused("42501", READ)
