"""Acts on keys: rotated, pinned, wrapped anew, shared, destroyed, each one on record."""

import json
from concurrent.futures import ThreadPoolExecutor

import psycopg
import pytest

from samples import make_people, make_small, small

KEK = "00112233445566778899aabbccddeeff" * 2
FORMER = "ffeeddccbbaa99887766554433221100" * 2


@pytest.fixture(scope="module")
def two(private_server):
    """A server with two providers: the file and the environment."""
    return private_server(environment={"CONFITURE_KEK": KEK})


@pytest.fixture
def fresh(two):
    """A database on it."""
    database = two.create_database()
    yield database
    database.drop()


def wrapped(db):
    """Which provider wraps which version."""
    return db.rows(
        "SELECT key_name, version, provider FROM confiture.key_version"
        " WHERE state <> 'destroyed' ORDER BY 1, 2"
    )


def acts(db):
    """The acts on record, oldest first."""
    return db.column("SELECT event FROM confiture.audit_log WHERE run_id IS NULL ORDER BY seq")


def share(db, recipient):
    """What the recipient is to import."""
    db.execute("CALL confiture.share_key('masking', %s)", [recipient])
    return db.value(
        "SELECT shared FROM confiture.shared_key WHERE recipient = %s ORDER BY id DESC LIMIT 1",
        [recipient],
    )


def test_every_act_is_on_record_and_names_no_secret(fresh):
    fresh.execute("SELECT confiture.rotate_key('masking')")
    fresh.execute("CALL confiture.rotate_kek('file')")
    fresh.execute("CALL confiture.rewrap_keys('file')")
    fresh.execute("SELECT confiture.destroy_key_version('masking', 1)")
    assert acts(fresh) == [
        "KEY_CREATED",
        "KEY_ROTATED",
        "KEK_ROTATING",
        "KEK_ROTATED",
        "KEY_REWRAPPED",
        "KEY_REWRAPPED",
        "KEY_DESTROYED",
    ]
    documents = " ".join(
        fresh.column("SELECT details::text FROM confiture.audit_log ORDER BY seq")
    )
    for secret in fresh.column(
        "SELECT encode(wrapped, 'hex') FROM confiture.key_version WHERE wrapped IS NOT NULL"
    ):
        assert secret not in documents
    assert fresh.findings()["OK"][0] == "ok"


def test_a_rolled_back_act_leaves_no_trace(fresh):
    fresh.execute("BEGIN")
    fresh.execute("SELECT confiture.rotate_key('masking')")
    fresh.execute("SELECT confiture.create_key('other')")
    fresh.execute("ROLLBACK")
    assert acts(fresh) == ["KEY_CREATED"]
    assert wrapped(fresh) == [("masking", 1, "file")]
    assert fresh.value("SELECT anon_email('x') = anon_email('x', key_version => 1)")


def test_a_profile_keeps_the_version_that_was_active_when_it_was_loaded(fresh):
    make_small(fresh)
    fresh.sync()
    before = fresh.content("staging")
    fresh.execute("SELECT confiture.rotate_key('masking')")
    fresh.sync()
    assert fresh.content("staging") == before
    # The same document again changes nothing; a new version of it moves on.
    fresh.load(small())
    fresh.sync()
    assert fresh.content("staging") == before
    fresh.load(small(version="2"))
    fresh.sync()
    assert fresh.content("staging") != before
    assert fresh.rows("SELECT version, key_version FROM confiture.profiles ORDER BY 1") == [
        ("1", 1),
        ("2", 2),
    ]
    # Old data stays reachable by the old version of the profile, and by hand.
    fresh.sync(options='{"version": "1"}')
    assert fresh.content("staging") == before
    assert fresh.value(
        "SELECT bool_and(s.email = anon_email(p.email, key_version => 1))"
        " FROM staging.people s JOIN prod.people p USING (id)"
    )


def test_a_profile_loaded_before_the_first_key_pins_it_at_its_first_run(two):
    db = two.create_database(key=False)
    try:
        make_small(db)
        assert db.value("SELECT key_version FROM confiture.profiles") is None
        db.make_key()
        db.sync()
        assert db.value("SELECT key_version FROM confiture.profiles") == 1
    finally:
        db.drop()


def test_a_version_that_does_not_exist_is_said(fresh):
    report = fresh.refused("42704", "SELECT anon_email('x', key_version => 7)")
    assert report.message_primary == 'version 7 of key "masking" does not exist'
    fresh.refused("42704", "SELECT anon_hash(7, key_version => 0)")


def test_rewrapping_moves_every_key_and_changes_no_pseudonym(fresh):
    fresh.execute("SELECT confiture.rotate_key('masking')")
    fresh.execute("SELECT confiture.create_key('vault')")
    masked = fresh.value("SELECT anon_email('x') || anon_email('x', key_version => 1)")
    fresh.execute("CALL confiture.rewrap_keys('env')")
    assert {row[2] for row in wrapped(fresh)} == {"env"}
    session = fresh.session()
    assert session.value("SELECT anon_email('x') || anon_email('x', key_version => 1)") == masked
    assert session.value("SELECT confiture.load_keys()") == 3
    # Again: nothing is left to do, and nothing is done.
    count = len(acts(fresh))
    fresh.execute("CALL confiture.rewrap_keys('env')")
    assert len(acts(fresh)) == count
    assert any("0 of 3 keys" in notice["message_primary"] for notice in fresh.notices)
    fresh.execute("CALL confiture.rewrap_keys('file')")
    assert fresh.value("SELECT anon_email('x') || anon_email('x', key_version => 1)") == masked


def test_rewrapping_commits_by_key_and_says_what_it_could_not_open(fresh):
    fresh.execute("SELECT confiture.rotate_key('masking')")
    fresh.execute("SELECT confiture.rotate_key('masking')")
    good = fresh.value("SELECT kek_ref FROM confiture.key_version WHERE version = 3")
    # The second one cannot be opened: the others are moved all the same.
    fresh.execute(
        "UPDATE confiture.key_version SET kek_ref = 'ffffffffffffffff' WHERE version = 2"
    )
    session = fresh.session()
    report = session.refused("55000", "CALL confiture.rewrap_keys('env')")
    assert "1 of 3 keys" in report.message_primary and "2 keys were moved" in report.message_hint
    assert [row[2] for row in wrapped(fresh)] == ["env", "file", "env"]
    fresh.execute("UPDATE confiture.key_version SET kek_ref = %s WHERE version = 2", [good])
    session.execute("CALL confiture.rewrap_keys('env')")
    assert {row[2] for row in wrapped(fresh)} == {"env"}


def test_rewrapping_needs_to_commit(fresh):
    fresh.execute("BEGIN")
    fresh.refused("25001", "CALL confiture.rewrap_keys('env')")
    fresh.execute("ROLLBACK")
    body = "$$ BEGIN CALL confiture.rewrap_keys('env'); END $$"
    fresh.execute(f"CREATE FUNCTION f() RETURNS void LANGUAGE plpgsql AS {body}")
    fresh.refused("25001", "SELECT f()")
    fresh.refused("25001", "DO $$ BEGIN PERFORM f(); END $$")
    fresh.execute("BEGIN")
    fresh.refused("25001", f"DO {body}")
    fresh.execute("ROLLBACK")
    assert wrapped(fresh) == [("masking", 1, "file")] and acts(fresh) == ["KEY_CREATED"]
    # A DO block outside a transaction may commit.
    fresh.execute(f"DO {body}")
    assert wrapped(fresh) == [("masking", 1, "env")]
    fresh.refused("22023", "CALL confiture.rewrap_keys('gpg')")
    fresh.refused("55000", "CALL confiture.rewrap_keys('vault')")


def test_rotating_the_key_file_keeps_the_former_key_beside_it(fresh):
    masked = fresh.value("SELECT anon_email('x')")
    (former,) = fresh.column("SELECT kek_ref FROM confiture.key_version")
    fresh.execute("CALL confiture.rotate_kek()")
    assert fresh.session().value("SELECT anon_email('x')") == masked
    path = fresh.value("SELECT current_setting('confiture.key_file')")
    assert fresh.value("SELECT size FROM pg_stat_file(%s)", [f"{path}.{former}"]) == 65
    fresh.execute("CALL confiture.rewrap_keys()")
    assert fresh.column("SELECT kek_ref FROM confiture.key_version") != [former]
    report = fresh.refused("0A000", "CALL confiture.rotate_kek('env')")
    assert "CONFITURE_KEK_PREVIOUS" in report.message_hint


def test_a_version_in_use_is_not_destroyed(fresh):
    make_small(fresh)
    report = fresh.refused("55000", "SELECT confiture.destroy_key_version('masking', 1)")
    assert "rotate_key" in report.message_hint
    fresh.execute("SELECT confiture.rotate_key('masking')")
    report = fresh.refused("55006", "SELECT confiture.destroy_key_version('masking', 1)")
    assert '"small" version "1"' in report.message_detail
    fresh.execute("SELECT confiture.retire_profile('small', '1')")
    fresh.execute("SELECT confiture.destroy_key_version('masking', 1)")
    fresh.refused("55000", "SELECT confiture.destroy_key_version('masking', 1)")
    fresh.refused("42704", "SELECT confiture.destroy_key_version('masking', 9)")
    # Nobody takes the profile up again: what it pins is gone.
    report = fresh.refused("55000", "SELECT confiture.load_profile(%s)", [small()])
    assert "was destroyed" in report.message_primary and "new version" in report.message_hint
    fresh.load(small(version="2"))


def test_a_destroyed_version_is_gone_for_every_session_and_its_evidence_stays(fresh):
    other = fresh.session()
    assert other.value("SELECT anon_email('x')")
    fresh.execute("SELECT confiture.rotate_key('masking')")
    fresh.execute("SELECT confiture.destroy_key_version('masking', 1)")
    other.refused("55000", "SELECT anon_email('x', key_version => 1)")
    assert fresh.rows(
        "SELECT wrapped, binding_mac FROM confiture.key_version WHERE version = 1"
    ) == [(None, None)]
    for session in (fresh, other, fresh.session()):
        assert session.findings()["OK"][0] == "ok"
    # What is kept moves with the rest, and still derives no pseudonym.
    fresh.execute("CALL confiture.rewrap_keys('env')")
    assert fresh.column("SELECT provider FROM confiture.key_verifier") == ["env"]
    assert fresh.session().findings()["OK"][0] == "ok"
    fresh.execute("DELETE FROM confiture.key_verifier")
    assert fresh.session().findings()["E11"][0] == "unverifiable"


def test_what_is_kept_of_a_destroyed_version_cannot_be_put_in_its_place(fresh):
    fresh.execute("SELECT confiture.rotate_key('masking')")
    fresh.execute("SELECT confiture.destroy_key_version('masking', 1)")
    fresh.execute(
        "UPDATE confiture.key_version v SET state = 'decrypt_only', wrapped = k.wrapped,"
        " binding_mac = k.binding_mac FROM confiture.key_verifier k WHERE v.version = 1"
    )
    fresh.session().refused("XX001", "SELECT anon_email('x', key_version => 1)")


def test_a_key_is_shared_with_one_other_installation(fresh):
    other = fresh.server.create_database()
    try:
        recipient = other.value("SELECT confiture.installation_id()")
        shared = json.dumps(share(fresh, recipient))
        # For nobody else, not even for the sender.
        fresh.refused("22023", "SELECT confiture.import_key(%s)", [shared])
        assert other.value("SELECT confiture.import_key(%s)", [shared]) == 2
        assert other.value("SELECT anon_email('x')") == fresh.value("SELECT anon_email('x')")
        report = other.refused("42710", "SELECT confiture.import_key(%s)", [shared])
        assert "as version 2" in report.message_primary
        assert acts(fresh)[-1] == "KEY_SHARED" and acts(other)[-1] == "KEY_IMPORTED"
        fresh.refused(
            "22023", "CALL confiture.share_key('masking', confiture.installation_id())"
        )
        fresh.refused("42704", "CALL confiture.share_key('absent', %s)", [recipient])
    finally:
        other.drop()


@pytest.mark.parametrize(
    "member", ["wrapped", "binding_mac", "name", "purpose", "version", "sender"]
)
def test_a_shared_key_that_was_altered_is_refused(fresh, member):
    other = fresh.server.create_database()
    try:
        recipient = other.value("SELECT confiture.installation_id()")
        shared = share(fresh, recipient)
        value = shared[member]
        if member == "version":
            shared[member] = value + 1
        elif member == "sender":
            shared[member] = "00000000-0000-0000-0000-000000000000"
        elif member in ("wrapped", "binding_mac"):
            shared[member] = value[:24] + ("A" if value[24] != "A" else "B") + value[25:]
        else:
            shared[member] = "another"
        other.refused("XX001", "SELECT confiture.import_key(%s)", [json.dumps(shared)])
        assert acts(other) == ["KEY_CREATED"]
    finally:
        other.drop()


def test_a_former_key_of_the_environment_only_unwraps(private_server):
    server = private_server(
        "confiture.key_provider=env",
        environment={"CONFITURE_KEK": KEK, "CONFITURE_KEK_PREVIOUS": FORMER},
        key_file=False,
    )
    db = server.create_database(key=False)
    db.execute("SELECT confiture.create_key('masking')")
    masked = db.value("SELECT anon_email('x')")
    assert wrapped(db) == [("masking", 1, "env")]
    dump = server.run("pg_dump", database=db.name).stdout
    assert KEK not in dump and FORMER not in dump
    # The same keys the other way round: the environment after a rotation.
    rotated = private_server(
        "confiture.key_provider=env",
        environment={"CONFITURE_KEK": FORMER, "CONFITURE_KEK_PREVIOUS": KEK},
        key_file=False,
    )
    restored = rotated.create_database(extension=False)
    rotated.run("psql", "-X", "-q", "-v", "ON_ERROR_STOP=1", database=restored.name, stdin=dump)
    assert restored.value("SELECT anon_email('x')") == masked
    (before,) = restored.column("SELECT kek_ref FROM confiture.key_version")
    restored.execute("CALL confiture.rewrap_keys()")
    assert restored.column("SELECT kek_ref FROM confiture.key_version") != [before]
    assert restored.session().value("SELECT anon_email('x')") == masked


@pytest.mark.parametrize("kek", [None, "", "beef", "07" * 32, KEK + "00"])
def test_an_environment_without_a_good_key_is_said_without_a_digit(private_server, kek):
    environment = {} if kek is None else {"CONFITURE_KEK": kek}
    server = private_server(
        "confiture.key_provider=env", environment=environment, key_file=False
    )
    db = server.create_database(key=False)
    report = db.refused("55000", "SELECT confiture.create_key('masking')")
    assert "CONFITURE_KEK" in f"{report.message_primary} {report.message_detail}"
    assert not kek or kek not in server.log()


def test_two_sessions_that_rotate_at_once_make_two_versions(fresh):
    other = fresh.session()
    other.execute("BEGIN")
    assert other.value("SELECT confiture.rotate_key('masking')") == 2
    fresh.execute("SET lock_timeout = '200ms'")
    fresh.refused("55P03", "SELECT confiture.rotate_key('masking')")
    # Readers are not held up.
    assert fresh.value("SELECT anon_email('x') = anon_email('x', key_version => 1)")
    other.execute("COMMIT")
    assert fresh.value("SELECT confiture.rotate_key('masking')") == 3


def test_an_admin_does_all_of_it_and_reads_no_key(fresh):
    role = fresh.role("keeper")
    fresh.execute(f"SELECT confiture.grant_access('admin', '{role}')")
    make_people(fresh)
    keeper = fresh.session(role)
    keeper.execute("SELECT confiture.rotate_key('masking')")
    keeper.execute("CALL confiture.rewrap_keys('env')")
    keeper.execute("SELECT confiture.destroy_key_version('masking', 1)")
    assert keeper.value("SELECT count(*) FROM confiture.key_status WHERE reachable") == 1
    keeper.refused("42501", "SELECT wrapped FROM confiture.key_version")
    keeper.refused("42501", "SELECT anon_email('x')")
    keeper.refused("42501", "SHOW confiture.key_file")
    assert fresh.rows(
        "SELECT DISTINCT user_name FROM confiture.audit_log WHERE event LIKE 'KE%'"
        " AND event <> 'KEY_CREATED'"
    ) == [(role,)]


@pytest.mark.parametrize(
    "call", ["share_key('masking', gen_random_uuid())", "rotate_kek('file')"]
)
def test_what_cannot_be_rolled_back_is_refused_where_it_could_be(fresh, call):
    fresh.execute("BEGIN")
    fresh.refused("25001", f"CALL confiture.{call}")
    fresh.execute("ROLLBACK")
    fresh.refused("25001", f"BEGIN; CALL confiture.{call}")
    fresh.execute("ROLLBACK")
    assert acts(fresh) == ["KEY_CREATED"]
    assert fresh.value("SELECT count(*) FROM confiture.shared_key") == 0


def test_destroying_a_version_takes_what_was_shared_of_it_too(fresh):
    share(fresh, "11111111-2222-4333-8444-555555555555")
    fresh.execute("SELECT confiture.rotate_key('masking')")
    fresh.execute("SELECT confiture.destroy_key_version('masking', 1)")
    assert fresh.column("SELECT shared FROM confiture.shared_key") == [None]


def test_a_version_that_a_load_is_about_to_pin_is_not_destroyed(fresh):
    make_people(fresh)
    fresh.load(small())
    fresh.execute("SELECT confiture.rotate_key('masking')")
    fresh.execute("SELECT confiture.retire_profile('small', '1')")
    loader = fresh.session()
    loader.execute("BEGIN")
    loader.load(small())
    rotator = fresh.session()
    rotator.execute("SET lock_timeout = '500ms'")
    rotator.refused("55P03", "SELECT confiture.destroy_key_version('masking', 1)")
    # As for every entry, the next one waits for its transaction.
    rotator.refused("55P03", "SELECT confiture.rotate_key('masking')")
    loader.execute("COMMIT")
    assert fresh.value("SELECT key_version FROM confiture.profiles") == 1
    rotator.refused("55006", "SELECT confiture.destroy_key_version('masking', 1)")


def test_the_first_key_is_one_that_can_sign(two):
    db = two.create_database(key=False)
    try:
        report = db.refused("55000", "SELECT confiture.create_key('vault')")
        assert "signs the record" in report.message_detail
        db.execute("SELECT confiture.create_key('ledger')")
        db.execute("SELECT confiture.create_key('vault')")
        assert acts(db) == ["KEY_CREATED", "KEY_CREATED"]
    finally:
        db.drop()


def test_a_rotation_of_the_file_that_fails_is_on_record_and_changes_nothing(fresh):
    (kek,) = fresh.column("SELECT kek_ref FROM confiture.key_version")
    former = f"{fresh.server.key_file}.{kek}"
    fresh.execute(f"COPY (SELECT) TO PROGRAM 'cat > {former}'")
    fresh.refused("55000", "CALL confiture.rotate_kek('file')")
    assert acts(fresh)[-1] == "KEK_ROTATING"
    fresh.execute("CALL confiture.rewrap_keys('file')")
    assert fresh.column("SELECT kek_ref FROM confiture.key_version") == [kek]
    fresh.execute(f"COPY (SELECT) TO PROGRAM 'cat > /dev/null; rm {former}'")


def test_nothing_is_rotated_that_cannot_be_put_on_record(fresh):
    (kek,) = fresh.column("SELECT kek_ref FROM confiture.key_version")
    session = fresh.session()
    session.execute("SET default_transaction_read_only = on")
    session.refused("25006", "CALL confiture.rotate_kek('file')")
    holder, waiter = fresh.session(), fresh.session()
    holder.execute("BEGIN")
    holder.execute("SELECT confiture.create_key('vault')")
    waiter.execute("SET lock_timeout = '300ms'")
    waiter.refused("55P03", "CALL confiture.rotate_kek('file')")
    holder.execute("ROLLBACK")
    other = fresh.server.create_database(key=False)
    other.refused("55000", "CALL confiture.rotate_kek('file')")
    other.drop()
    fresh.execute("CALL confiture.rewrap_keys('file')")
    assert fresh.column("SELECT kek_ref FROM confiture.key_version") == [kek]


def test_rotations_of_the_file_side_by_side_lose_no_key(fresh):
    def rotate(session):
        done = 0
        for _ in range(15):
            try:
                session.execute("CALL confiture.rotate_kek('file')")
                done += 1
            except psycopg.errors.ObjectInUse:
                pass
        return done

    other = fresh.server.create_database()
    sessions = [fresh.session(), other.session(), other.session()]
    with ThreadPoolExecutor(4) as pool:
        running = [pool.submit(rotate, session) for session in sessions]
        for _ in range(15):
            fresh.execute("SELECT confiture.rotate_key('masking')")
        assert sum(run.result() for run in running) > 2
    for db in (fresh, other):
        cold = db.session()
        versions = cold.value("SELECT count(*) FROM confiture.key_version")
        assert cold.value("SELECT confiture.load_keys()") == versions
        assert cold.findings()["OK"][0] == "ok"
    other.drop()


def test_a_former_key_that_is_away_shows_in_the_status(fresh):
    (kek,) = fresh.column("SELECT kek_ref FROM confiture.key_version")
    fresh.execute("CALL confiture.rotate_kek('file')")
    fresh.execute("SELECT confiture.rotate_key('masking')")
    former = f"{fresh.server.key_file}.{kek}"
    fresh.execute(f"COPY (SELECT) TO PROGRAM 'cat > /dev/null; chmod 640 {former}'")
    rows = fresh.rows("SELECT reachable, problem FROM confiture.key_status ORDER BY version")
    assert [reachable for reachable, _ in rows] == [False, True]
    assert "permissions" in rows[0][1]
    report = fresh.session().refused("55000", "SELECT anon_email('x', key_version => 1)")
    assert "permissions" in report.message_detail
    fresh.execute(f"COPY (SELECT) TO PROGRAM 'cat > /dev/null; chmod 600 {former}'")


@pytest.mark.parametrize("purpose", ["health", "verifier"])
def test_purposes_that_keys_are_bound_to_internally_are_reserved(fresh, purpose):
    fresh.refused("22023", "SELECT confiture.create_key('mine', %s)", [purpose])


@pytest.mark.parametrize("text", ["", "[" * 500, "1e400", '{"form": 1}', "null"])
def test_what_is_no_shared_key_is_refused(fresh, text):
    fresh.refused("22023", "SELECT confiture.import_key(%s)", [text])
