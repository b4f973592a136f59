"""Keys: the file that wraps them, versions, and what happens when something is amiss."""

import pytest

from samples import make_people, make_small, small


@pytest.fixture(scope="module")
def keyless(private_server):
    """A server without a key file, as it is on the first day."""
    return private_server(key_file=False)


@pytest.fixture
def fresh(keyless):
    """A database on it; the server's setting is taken back afterwards."""
    database = keyless.create_database(key=False)
    yield database
    database.execute("ALTER SYSTEM RESET confiture.key_file")
    database.execute("SELECT pg_reload_conf()")
    database.drop()


def set_key_file(db, path):
    """Points the server to a key file and waits until new sessions see it."""
    return db.configure(key_file=path)


def test_without_a_key_every_keyed_call_says_what_to_do(fresh):
    make_people(fresh)
    fresh.load(small())
    for call in ("anon_hash('x')", "anon_hash(7)", "anon_email('x')", "anon_phone('1')"):
        report = fresh.refused("55000", f"SELECT {call}")
        assert "init_key_file" in report.message_hint and "create_key" in report.message_hint
    for report in (fresh.sync_refused("55000"), fresh.plan_refused("55000")):
        assert "create_key" in report.message_hint
    assert fresh.value("SELECT anon_redact('x')") == "[REDACTED]", "needs no key"
    report = fresh.refused("55000", "SELECT confiture.create_key('masking')")
    assert "init_key_file" in report.message_hint


def test_a_file_a_setting_and_a_call_make_a_key(keyless, fresh):
    wanted = str(keyless.folder / "keys" / "first.key")
    assert fresh.value("SELECT confiture.init_key_file(%s)", [wanted]) == wanted
    # The notice is the recipe: what it says can be pasted.
    recipe = [
        notice["message_primary"]
        for notice in fresh.notices
        if "ALTER SYSTEM" in notice["message_primary"]
    ]
    for line in recipe[0].split("\n")[1:]:
        fresh.execute(line)
        fresh.execute("SELECT pg_sleep(0.3)")
    assert fresh.value("SELECT anon_email('x') IS NOT NULL")
    assert fresh.rows(
        "SELECT name, purpose, version, state, provider FROM confiture.key_status"
    ) == [("masking", "masking", 1, "active", "file")]
    assert fresh.value("SELECT size FROM pg_stat_file(%s)", [wanted]) == 65


def test_a_key_file_is_never_overwritten(keyless, fresh):
    path = str(keyless.folder / "keys" / "kept.key")
    fresh.execute("SELECT confiture.init_key_file(%s)", [path])
    before = fresh.value("SELECT pg_read_file(%s)", [path])
    report = fresh.refused("42710", "SELECT confiture.init_key_file(%s)", [path])
    assert before.strip() not in f"{report.message_primary} {report.message_detail}"
    assert fresh.value("SELECT pg_read_file(%s)", [path]) == before


@pytest.mark.parametrize(
    "path", ["relative.key", "/nowhere/at/all/x.key", "{data}/x.key", "{data}/base/x.key"]
)
def test_a_bad_place_for_a_key_file_is_refused(keyless, fresh, path):
    path = path.format(data=keyless.folder / "data")
    fresh.refused({"55000", "58030"}, "SELECT confiture.init_key_file(%s)", [path])


def test_only_a_superuser_makes_a_key_file_or_sees_where_it_is(keyless, fresh):
    stranger = fresh.session(fresh.role("stranger"))
    stranger.refused(
        "42501", "SELECT confiture.init_key_file(%s)", [str(keyless.folder / "keys/no.key")]
    )
    set_key_file(fresh, keyless.folder / "keys" / "hidden.key")
    stranger = fresh.session(fresh.role("other"))
    role = stranger.value("SELECT current_user")
    fresh.execute(f"SELECT confiture.grant_access('masker', '{role}')")
    # The failing call loads the library, and with it the setting.
    stranger.refused("55000", "SELECT anon_email('x')")
    stranger.refused("42501", "SHOW confiture.key_file")


def test_a_key_is_made_once_and_under_a_plain_name(db):
    db.refused("42710", "SELECT confiture.create_key('masking')")
    db.refused("42710", "SELECT confiture.create_key('other', 'masking')")
    for name in ("", "Masking", "a b", "x" * 64, "1x", "ä"):
        db.refused("22023", "SELECT confiture.create_key(%s)", [name])
    db.refused("42704", "SELECT confiture.rotate_key('absent')")


KEYED = [
    "anon_email('x'{})",
    "anon_hash('x'{})",
    "anon_hash('x'::bytea{})",
    "anon_hash('a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11'::uuid{})",
    "anon_hash(7::smallint{})",
    "anon_hash(7{})",
    "anon_hash(7::bigint{})",
    "anon_phone('+44 20 7946 0958'{})",
    "anon_phone(123456789{})",
    "anon_phone(12345678901::bigint{})",
]


@pytest.mark.parametrize("mask", KEYED)
def test_masks_by_hand_use_the_active_version_unless_they_name_one(db, mask):
    active, one, two = (
        f"SELECT {mask.format(more)}" for more in ("", ", key_version => 1", ", key_version => 2")
    )
    first = db.value(active)
    assert db.value(one) == first
    db.refused("42704", two)
    assert db.value("SELECT confiture.rotate_key('masking')") == 2
    assert db.value(active) == db.value(two) != first
    assert db.value(one) == first


def test_rotation_leaves_runs_of_a_loaded_profile_as_they_were(db):
    make_small(db)
    db.sync()
    before = db.content("staging")
    db.execute("SELECT confiture.rotate_key('masking')")
    db.sync()
    db.sync(target="testing")
    assert list(db.content("staging").values()) == list(before.values())
    assert list(db.content("testing").values()) == list(before.values())
    assert db.rows(
        "SELECT version, state, profiles FROM confiture.key_status ORDER BY version"
    ) == [(1, "decrypt_only", ["small 1"]), (2, "active", [])]


def test_a_version_of_a_profile_loaded_after_a_rotation_has_other_pseudonyms(db):
    make_small(db)
    db.sync()
    before = db.column("SELECT email FROM staging.people")
    db.execute("SELECT confiture.rotate_key('masking')")
    db.load(small(version="2"))
    db.sync()
    after = db.column("SELECT email FROM staging.people")
    assert len(after) == len(before) and not set(after) & set(before)
    assert db.value(
        "SELECT bool_and(s.email = anon_email(p.email))"
        " FROM staging.people s JOIN prod.people p USING (id)"
    )


def test_rotation_keeps_the_evidence(db):
    make_small(db)
    db.sync()
    db.execute("SELECT confiture.rotate_key('masking')")
    db.sync()
    # The old entries were signed by the old version, and still verify; the new one signs the entry
    # about itself, and the runs of a profile that masks with the old one.
    assert db.rows("SELECT event, key_version FROM confiture.audit_log ORDER BY seq") == [
        ("KEY_CREATED", 1),
        ("PROFILE_LOADED", 1),
        ("STARTED", 1),
        ("COMPLETED", 1),
        ("KEY_ROTATED", 2),
        ("STARTED", 2),
        ("COMPLETED", 2),
    ]
    assert db.findings()["OK"] == ("ok", 1, 7)
    assert db.rows("SELECT version, ledger_entries FROM confiture.key_status ORDER BY 1") == [
        (1, 4),
        (2, 3),
    ]


def test_the_entry_of_a_run_names_the_version_that_masked(db):
    make_small(db)
    db.execute("SELECT confiture.rotate_key('masking')")
    db.sync()
    db.load(small(version="2"))
    db.sync()
    masked_with = db.column(
        "SELECT details ->> 'masking_key' FROM confiture.audit_log WHERE event = 'COMPLETED'"
        " ORDER BY seq"
    )
    assert masked_with == ["masking/1", "masking/2"]


def test_rotation_in_one_session_reaches_the_others(db):
    other = db.session()
    before = other.value("SELECT anon_email('x')")
    db.execute("SELECT confiture.rotate_key('masking')")
    assert other.value("SELECT anon_email('x')") == db.value("SELECT anon_email('x')") != before


def test_a_key_that_is_rolled_back_was_never_there(db):
    before = db.value("SELECT anon_email('x')")
    db.execute("BEGIN")
    db.execute("SELECT confiture.rotate_key('masking')")
    assert db.value("SELECT anon_email('x')") != before
    db.execute("ROLLBACK")
    assert db.value("SELECT anon_email('x')") == before
    assert db.events() == ["KEY_CREATED"]


def test_databases_do_not_share_pseudonyms(db):
    other = db.server.create_database()
    try:
        assert other.value("SELECT anon_email('x')") != db.value("SELECT anon_email('x')")
    finally:
        other.drop()


@pytest.mark.parametrize(
    "edit",
    [
        "SET wrapped = set_byte(wrapped, 20, 255 - get_byte(wrapped, 20)) WHERE version = 2",
        "SET wrapped = (SELECT wrapped FROM confiture.key_version WHERE version = 1)"
        " WHERE version = 2",
        "SET binding_mac = set_byte(binding_mac, 0, 255 - get_byte(binding_mac, 0))"
        " WHERE version = 2",
        "SET version = 7 WHERE version = 2",
    ],
    ids=["altered", "another version's", "altered binding", "renumbered"],
)
def test_stored_bytes_that_were_tampered_with_are_refused(db, edit):
    db.execute("SELECT confiture.rotate_key('masking')")
    db.execute("SELECT anon_email('x')")
    db.execute(f"UPDATE confiture.key_version {edit}")
    # A session that has used the key notices as well as a new one.
    for session in (db, db.session()):
        session.refused("XX001", "SELECT anon_email('x')")


def test_the_key_of_another_installation_is_refused(db):
    other = db.server.create_database()
    try:
        (stolen,) = other.rows("SELECT wrapped, binding_mac FROM confiture.key_version")
        db.execute("UPDATE confiture.key_version SET wrapped = %s, binding_mac = %s", stolen)
        db.session().refused("XX001", "SELECT anon_email('x')")
    finally:
        other.drop()


def test_a_key_file_that_changed_or_is_gone_is_said(keyless, fresh):
    folder = keyless.folder / "keys"
    for name in ("a.key", "b.key"):
        fresh.execute("SELECT confiture.init_key_file(%s)", [str(folder / name)])
    session = set_key_file(fresh, folder / "a.key")
    session.execute("SELECT confiture.create_key('masking')")
    masked = session.value("SELECT anon_email('x')")
    report = set_key_file(fresh, folder / "b.key").refused("55000", "SELECT anon_email('x')")
    assert "not the one" in report.message_primary
    report = set_key_file(fresh, folder / "absent.key").refused("55000", "SELECT anon_email('x')")
    assert "absent.key" in report.message_primary
    # The right file heals everything.
    assert set_key_file(fresh, folder / "a.key").value("SELECT anon_email('x')") == masked


def test_a_key_file_that_others_may_read_is_refused(keyless, fresh):
    path = keyless.folder / "keys" / "open.key"
    # The server itself writes it, with the mode of an ordinary file.
    fresh.execute(
        f"COPY (SELECT repeat('0123456789abcdef', 4)) TO PROGRAM 'umask 022; cat > {path}'"
    )
    report = set_key_file(fresh, path).refused("55000", "SELECT confiture.create_key('masking')")
    assert "permissions" in report.message_detail
    fresh.execute(f"COPY (SELECT 1) TO PROGRAM 'cat > /dev/null; chmod 600 {path}'")
    set_key_file(fresh, path).execute("SELECT confiture.create_key('masking')")


def test_nobody_parks_a_secret_in_a_setting_of_the_extension(db):
    if db.server.version < 15:
        pytest.skip("prefixes can be reserved since PostgreSQL 15")
    db.execute("SELECT anon_email('x')")
    db.refused({"42602", "42704"}, "SET confiture.seed = '12345'")
    db.refused("55P02", "SET confiture.key_file = '/tmp/x'")
