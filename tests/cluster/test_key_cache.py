"""Opened keys: kept for a while, noticed when they change, wiped, never a way around a right."""

import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from samples import make_many


@pytest.fixture(scope="module")
def movable(private_server):
    """A server whose key file the tests take away."""
    return private_server()


@pytest.fixture
def fresh(movable):
    """A database on it, with the key file back in its place afterwards."""
    database = movable.create_database()
    yield database
    shell(database, f"[ -e {away(database)} ] && mv {away(database)} {movable.key_file} || true")
    database.drop()


def away(db):
    return f"{db.server.key_file}.away"


def shell(db, command):
    """Runs a command as the server's user."""
    db.execute(f"COPY (SELECT) TO PROGRAM $run$cat > /dev/null; {command}$run$")


def take_away(db):
    """Makes the provider unreachable."""
    shell(db, f"mv {db.server.key_file} {away(db)}")


def test_a_warm_session_needs_no_provider_until_the_time_is_over(fresh):
    warm, cold = fresh.session(), fresh.session()
    masked = warm.value("SELECT anon_email('x')")
    take_away(fresh)
    assert warm.value("SELECT anon_email('x')") == masked
    assert warm.value("SELECT anon_email('x')") == masked
    cold.refused("55000", "SELECT anon_email('x')")
    warm.execute("SET confiture.key_cache_ttl = '1s'")
    time.sleep(1.2)
    warm.refused("55000", "SELECT anon_email('x')")


def test_without_a_time_nothing_is_kept(fresh):
    fresh.execute("SELECT confiture.forget_keys()")
    fresh.execute("SET confiture.key_cache_ttl = 0")
    assert fresh.value("SELECT anon_email('x')")
    assert fresh.value("SELECT confiture.forget_keys()") == 0
    take_away(fresh)
    fresh.refused("55000", "SELECT anon_email('x')")


def test_load_keys_warms_a_session_and_forget_keys_cools_it(fresh):
    fresh.execute("SELECT confiture.rotate_key('masking')")
    session = fresh.session()
    assert session.value("SELECT confiture.load_keys()") == 2
    take_away(fresh)
    assert session.value("SELECT anon_email('x') <> anon_email('x', key_version => 1)")
    assert session.value("SELECT confiture.forget_keys()") == 2
    assert session.value("SELECT confiture.forget_keys()") == 0
    session.refused("55000", "SELECT anon_email('x')")
    session.refused("55000", "SELECT confiture.load_keys()")


def test_a_warm_session_gives_nobody_a_right(fresh):
    role = fresh.role("stranger")
    assert fresh.value("SELECT anon_email('x')")
    fresh.execute(f'SET ROLE "{role}"')
    fresh.refused("42501", "SELECT anon_email('x')")
    fresh.execute("RESET ROLE")
    fresh.execute(f"SELECT confiture.grant_access('masker', '{role}')")
    fresh.execute(f'SET ROLE "{role}"')
    assert fresh.value("SELECT anon_email('x')")
    fresh.execute("RESET ROLE")
    fresh.execute(f'REVOKE ALL ON ALL FUNCTIONS IN SCHEMA public FROM "{role}"')
    fresh.execute(f'SET ROLE "{role}"')
    fresh.refused("42501", "SELECT anon_email('x')")
    fresh.execute("RESET ROLE")


def test_one_client_statement_sees_the_rotation_it_makes(fresh):
    # Until there was a stamp of keys, call sites went on with the key they had begun with.
    fresh.execute(
        """
        DO $$
        DECLARE
          masked text[] := '{}';
        BEGIN
          FOR i IN 1..3 LOOP
            masked := masked || anon_email('x');
            PERFORM confiture.rotate_key('masking');
          END LOOP;
          IF (SELECT count(DISTINCT m) FROM unnest(masked) m) <> 3 THEN
            RAISE EXCEPTION 'stale';
          END IF;
        END
        $$
        """
    )


def test_a_change_by_hand_is_noticed_by_other_sessions(fresh):
    other = fresh.session()
    other.execute("BEGIN")
    assert other.value("SELECT anon_email('x')")
    fresh.execute("UPDATE confiture.key_version SET state = 'decrypt_only'")
    other.refused("55000", "SELECT anon_email('x')")


def test_a_snapshot_keeps_its_key(fresh):
    other = fresh.session()
    other.execute("BEGIN ISOLATION LEVEL REPEATABLE READ")
    masked = other.value("SELECT anon_email('x')")
    fresh.execute("SELECT confiture.rotate_key('masking')")
    assert other.value("SELECT anon_email('x')") == masked
    other.execute("COMMIT")
    assert other.value("SELECT anon_email('x')") != masked


def test_one_statement_uses_one_key_whatever_happens_meanwhile(fresh):
    make_many(fresh, 30000)
    other = fresh.session()
    with ThreadPoolExecutor(1) as pool:
        # Slow enough that the rotation comes in the middle; each row takes messages in, as the
        # name of a table that nobody asked for yet is looked up in the catalog.
        masked = pool.submit(
            other.column,
            "SELECT anon_email('x') FROM prod.people WHERE id <= 300"
            " AND id::oid::regclass::text IS NOT NULL AND pg_sleep(0.004) IS NOT NULL",
        )
        time.sleep(0.4)
        fresh.execute("SELECT confiture.rotate_key('masking')")
        assert not masked.done()
        assert len(set(masked.result())) == 1


def test_a_destroyed_version_leaves_the_memory_of_a_warm_session(fresh):
    fresh.execute("SELECT confiture.rotate_key('masking')")
    other = fresh.session()
    assert other.value("SELECT confiture.load_keys()") == 2
    fresh.execute("SELECT confiture.destroy_key_version('masking', 1)")
    other.execute("SELECT anon_email('x')")
    # The version that is left, and what verifies the ledger was never opened here.
    assert other.value("SELECT confiture.forget_keys()") == 1


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE prod.people SET note = anon_email('x') {slowly}",
        "INSERT INTO made SELECT anon_email('x') FROM prod.people {slowly}",
        "CREATE TABLE more AS SELECT anon_email('x') AS note FROM prod.people {slowly}",
    ],
    ids=["update", "insert", "create table as"],
)
def test_one_writing_statement_uses_one_key_whatever_happens_meanwhile(fresh, statement):
    make_many(fresh, 1000)
    fresh.execute("CREATE TABLE made (note text)")
    # Each row takes in what other sessions have said, by locking a table.
    slowly = (
        "WHERE id <= 300 AND id::oid::regclass::text IS NOT NULL"
        " AND pg_sleep(0.003) IS NOT NULL"
    )
    other = fresh.session()
    with ThreadPoolExecutor(1) as pool:
        done = pool.submit(other.execute, statement.format(slowly=slowly))
        time.sleep(0.4)
        fresh.execute("SELECT confiture.rotate_key('masking')")
        assert not done.done()
        done.result()
    if "more" in statement:
        fresh.execute("INSERT INTO made SELECT note FROM more")
    found = fresh.column(
        "SELECT DISTINCT note FROM prod.people WHERE note LIKE 'user_%'"
        " UNION SELECT note FROM made"
    )
    assert len(found) == 1


def test_whoever_destroys_a_version_forgets_it_at_once(fresh):
    fresh.execute("SELECT confiture.rotate_key('masking')")
    session = fresh.session()
    assert session.value("SELECT confiture.load_keys()") == 2
    session.execute("SELECT confiture.destroy_key_version('masking', 1)")
    # The active version, and the subkey that was kept to verify.
    assert session.value("SELECT confiture.forget_keys()") <= 2
    assert session.value("SELECT confiture.load_keys()") == 1
    assert session.value("SELECT confiture.forget_keys()") == 1


def test_a_cursor_keeps_the_version_it_began_with(fresh):
    session = fresh.session()
    session.execute("BEGIN")
    session.execute(
        "DECLARE c CURSOR FOR SELECT anon_hash('1') FROM generate_series(1, 5)"
    )
    first = session.value("FETCH 1 FROM c")
    fresh.execute("SELECT confiture.rotate_key('masking')")
    between, second = _both(session)
    assert second == first != between


def _both(session):
    """A query of its own and the next row of the cursor, in one statement of the client."""
    session.execute(
        "CREATE FUNCTION pg_temp.both(c refcursor) RETURNS text[] LANGUAGE plpgsql AS"
        " 'DECLARE x text; y text; BEGIN"
        "  SELECT anon_hash($t$1$t$) INTO y; FETCH c INTO x; RETURN ARRAY[y, x]; END'"
    )
    return session.value("SELECT pg_temp.both('c')")
