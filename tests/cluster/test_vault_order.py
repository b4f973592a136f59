"""Rows of tokens are taken in one order by batches and runs: new tokens and those that are late."""

import random

import pytest

from test_run_tokens import profile
from test_vault import _vault, tokens  # noqa: F401
from test_vault_races import LATE, beside, short, waits

# More than a run makes at once.
MANY = 12_000
ALL = "SELECT confiture.tokenize_batch('short', array_agg(email)) FROM prod.people"
AGE = "UPDATE confiture.token SET expires_at = now() - interval '1 s' WHERE handle = ANY (%s)"
DROP = "DELETE FROM confiture.token WHERE handle = ANY (%s)"


@pytest.fixture(name="crowd")
def _crowd(vault):
    """Enough people for a run to make their tokens in two parts; the tokens expire."""
    short(vault, "ttl => '1 hour'")
    vault.execute(
        "CREATE SCHEMA prod; CREATE SCHEMA staging; CREATE SCHEMA other;"
        "CREATE TABLE prod.people (id int PRIMARY KEY, email text)"
    )
    people = "INSERT INTO prod.people SELECT i, 'p' || i FROM generate_series(1, %s::int) i"
    vault.execute(people, [MANY])
    vault.load(profile("short"))
    return vault


def found_by(db, count):
    """{handle: value} of some values, in the order of the handles."""
    found = {}
    for value in (f"p{i}" for i in range(1, count + 1)):
        tokens(db, [value], "short")
        (new,) = set(db.column("SELECT handle FROM confiture.token")) - found.keys()
        found[new] = value
    return dict(sorted(found.items()))


def test_a_batch_that_makes_and_renews_does_not_lock_out_a_run(crowd):
    found = found_by(crowd, 100)
    (first, *_, late, last) = found
    crowd.execute(ALL)
    # One part of the run ends between them.
    rank = "SELECT count(*) FROM confiture.token WHERE handle < %s"
    assert crowd.value(rank, [first]) < 10_000 < crowd.value(rank, [late])
    crowd.execute(DROP, [[first]])
    crowd.execute(AGE, [[late, last]])
    holder, batch, run = crowd.session(), crowd.session(), crowd.session()
    holder.execute("BEGIN")
    holder.execute("SELECT FROM confiture.token WHERE handle = %s FOR UPDATE", [last])
    wanted = [found[handle] for handle in (first, late, last)]
    made = beside(lambda: tokens(batch, wanted, "short"))
    waits(crowd)
    ran = beside(lambda: run.sync())
    waits(crowd, 2)
    holder.execute("COMMIT")
    assert ran() is None
    assert made() == tokens(crowd, wanted, "short")
    written = "SELECT count(DISTINCT email) FROM staging.people"
    assert crowd.value(written) == MANY == crowd.value("SELECT count(*) FROM confiture.token")


def test_a_batch_takes_new_rows_and_late_ones_in_one_order(crowd):
    found = found_by(crowd, 3)
    first, middle, last = found
    values = list(found.values())
    holder, one, other = crowd.session(), crowd.session(), crowd.session()
    other.execute("SET lock_timeout = '300ms'")
    for new, late in ((first, middle), (middle, first)):
        crowd.execute(DROP, [[new]])
        crowd.execute(AGE, [[late, last]])
        holder.execute("BEGIN")
        holder.execute("SELECT FROM confiture.token WHERE handle = %s FOR UPDATE", [last])
        all_three = beside(lambda: tokens(one, values, "short"))
        waits(crowd)
        # Both are held before the last is waited for.
        for handle in (new, late):
            call = "SELECT confiture.tokenize_batch('short', %s)"
            other.refused("55P03", call, [[found[handle]]])
        holder.execute("COMMIT")
        assert len(set(all_three())) == 3


def test_runs_and_batches_that_make_and_renew_many_do_not_lock_each_other_out(crowd):
    crowd.execute(ALL)
    handles = crowd.column("SELECT handle FROM confiture.token")
    chance = random.Random(4711)
    runs, sessions = [crowd.session(), crowd.session()], [crowd.session() for _ in range(4)]
    begun = (
        "SELECT count(*) FROM pg_locks WHERE relation = 'confiture.token'::regclass"
        " AND mode = 'RowExclusiveLock'"
    )

    def some(session):
        # Not before a run has some of them: else all are made and renewed when it comes.
        while session.value(begun) == 0:
            pass
        for count in (4, 300) * 10:
            values = [f"p{i}" for i in chance.sample(range(1, MANY + 1), count)]
            assert len(set(tokens(session, values, "short"))) == count

    for _ in range(6):
        crowd.execute(AGE, [chance.sample(handles, MANY // 3)])
        crowd.execute(DROP, [chance.sample(handles, MANY // 3)])
        work = [beside(lambda s=session: some(s)) for session in sessions]
        work.append(beside(lambda: runs[0].attempt()))
        work.append(beside(lambda: runs[1].attempt(target="other")))
        assert [wait() for wait in work] == [None] * 6
        assert crowd.value("SELECT count(*) FROM confiture.token") == MANY


def test_a_token_that_goes_while_it_is_waited_for_is_made_in_its_place(crowd):
    found = found_by(crowd, 3)
    crowd.execute(LATE)
    cleaner, maker = crowd.session(), crowd.session()
    cleaner.execute("BEGIN")
    cleaner.execute(DROP, [list(found)[:1]])
    made = beside(lambda: tokens(maker, list(found.values()), "short"))
    waits(crowd)
    cleaner.execute("COMMIT")
    assert made() == tokens(crowd, list(found.values()), "short")
    said = (
        "SELECT details ->> 'tokens', details ->> 'renewed' FROM confiture.audit_log"
        " WHERE event = 'TOKENIZED' ORDER BY seq DESC LIMIT 1"
    )
    assert crowd.rows(said) == [("1", "2")]
