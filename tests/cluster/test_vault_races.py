"""Attacks on the vault by several sessions at once, and by what a transaction does not see."""

import threading

import psycopg
import pytest

from test_vault import REVEAL, WHY, _vault, reveal, tokens  # noqa: F401

LATE = "UPDATE confiture.token SET expires_at = now() - interval '1 s' WHERE expires_at IS NOT NULL"


def short(vault, *more):
    """A domain whose tokens live for an hour, and one token in it."""
    vault.execute(f"SELECT confiture.create_domain({', '.join(['%s', *more])})", ["short"])
    vault.execute("SELECT confiture.grant_access('revealer', %s, 'short')", [vault.clerk_name])


def impatient(vault):
    session = vault.session()
    session.execute("SET lock_timeout = '300ms'")
    return session


def beside(work):
    """Does the work in another thread; the result is awaited by the function returned."""
    done = []

    def run():
        try:
            done.append(work())
        except psycopg.Error as error:
            done.append(error.diag.sqlstate)

    thread = threading.Thread(target=run)
    thread.start()

    def wait():
        thread.join(60)
        return done[0]

    return wait


def waits(db, number=1):
    """Waits until so many sessions wait for a lock."""
    db.execute("SET statement_timeout = '20s'")
    blocked = "SELECT count(*) FROM pg_locks WHERE NOT granted"
    while db.value(blocked) < number:
        db.execute("SELECT pg_sleep(0.02)")


@pytest.mark.parametrize("how", ["batch", "row", "subject", "renewed"])
def test_a_version_is_not_destroyed_beside_what_it_seals(vault, how):
    short(vault, "ttl => '1 hour'", "format => 'digits'")
    (old,) = tokens(vault, ["123456"], "short")
    vault.execute(LATE)
    vault.execute("SELECT confiture.cleanup_expired_tokens()")
    tokens(vault, ["x"], subjects=["1"])
    maker, other = vault.session(), impatient(vault)
    maker.execute("BEGIN")
    if how == "row":
        token = maker.value("SELECT anon_tokenize('ada', 'mail')")
    elif how == "renewed":
        (token,) = tokens(maker, ["123456"], "short")
        assert token == old
    else:
        (token,) = tokens(maker, ["ada"], subjects=["1" if how == "subject" else None])
    other.execute("SELECT confiture.rotate_key('masking')")
    for domain in ("mail", "short", "drawn"):
        vault.execute("CALL confiture.rewrap_tokens(%s)", [domain])
    destroy = "SELECT confiture.destroy_key_version('masking', 1)"
    other.refused("55P03", destroy)
    maker.execute("COMMIT")
    other.refused("55006", destroy)
    domain = "short" if how == "renewed" else "mail"
    vault.execute("CALL confiture.rewrap_tokens(%s)", [domain])
    other.execute(destroy)
    assert reveal(vault.clerk, token, domain) == ("123456" if how == "renewed" else "ada")


def test_a_token_that_is_renewed_beside_the_clean_up_is_there(vault):
    short(vault, "ttl => '1 hour'")
    (made,) = tokens(vault, ["ada"], "short")
    vault.execute(LATE)
    cleaner, maker = vault.session(), vault.session()
    cleaner.execute("BEGIN")
    assert cleaner.value("SELECT confiture.cleanup_expired_tokens('short')") == 1
    found = beside(lambda: tokens(maker, ["ada"], "short"))
    waits(vault)
    cleaner.execute("COMMIT")
    assert found() == [made] and reveal(vault.clerk, made, "short") == "ada"
    vault.execute(LATE)
    maker.execute("BEGIN")
    tokens(maker, ["ada"], "short")
    assert cleaner.value("SELECT confiture.cleanup_expired_tokens('short')") == 0
    maker.execute("COMMIT")
    assert reveal(vault.clerk, made, "short") == "ada"


def test_sessions_that_renew_the_same_tokens_do_not_lock_each_other_out(vault):
    short(vault, "ttl => '1 hour'")
    make = (
        "SELECT cardinality(confiture.tokenize_batch('short', array_agg('v' || i ORDER BY {})))"
        " FROM generate_series(1, 3000) i"
    )
    vault.execute(make.format("i"))
    sessions = [vault.session() for _ in range(8)]
    for _ in range(4):
        # Rows lie in another order than their handles after each round.
        vault.execute(LATE)
        orders = ["i", "i DESC", "md5(i::text)", "i % 97, i"]
        found = [
            beside(lambda s=session, o=orders[n % 4]: s.value(make.format(o)))
            for n, session in enumerate(sessions)
        ]
        found.append(
            beside(lambda: vault.value("SELECT confiture.cleanup_expired_tokens('short')"))
        )
        assert [wait() for wait in found][:-1] == [3000] * 8
    assert vault.value("SELECT count(*) FROM confiture.token") == 3000


def test_tokens_are_renewed_when_half_of_their_time_is_over_and_on_record(vault):
    short(vault, "ttl => '1 hour'")
    tokens(vault, ["ada"], "short")
    left = "SELECT extract(epoch FROM expires_at - now()) / 60 FROM confiture.token"
    for minutes, after in ((40, 40), (20, 60)):
        vault.execute(
            "UPDATE confiture.token SET expires_at = now() + make_interval(mins => %s)", [minutes]
        )
        tokens(vault, ["ada"], "short")
        assert abs(vault.value(left) - after) < 1
    said = (
        "SELECT (details ->> 'tokens')::int, (details ->> 'renewed')::int"
        " FROM confiture.audit_log WHERE event = 'TOKENIZED' ORDER BY seq"
    )
    assert vault.rows(said) == [(1, None), (0, 1)]


@pytest.mark.parametrize("deterministic", ["true", "false"])
def test_a_value_of_digits_has_the_same_token_after_it_expired(vault, deterministic):
    short(vault, "'digits'", "ttl => '1 hour'", f"deterministic => {deterministic}")
    values = [f"{i:06}" for i in range(5000)]
    made = tokens(vault, values, "short")
    if deterministic == "true":
        assert vault.value("SELECT count(*) FROM confiture.token WHERE salt <> '\\x0000'") > 0
    vault.execute(LATE)
    assert vault.value("SELECT confiture.cleanup_expired_tokens()") == 5000
    assert vault.value("SELECT count(payload) FROM confiture.token") == 0
    assert (
        "expired" in vault.clerk.refused("55000", REVEAL, [made[0], "short", WHY]).message_primary
    )
    again = tokens(vault, values[2500:], "short")
    assert tokens(vault, values[:2500], "short") + again == made
    assert reveal(vault.clerk, made[7], "short") == values[7]
    assert vault.value("SELECT confiture.cleanup_expired_tokens()") == 0


def test_a_subject_that_is_made_meanwhile_is_waited_for(vault):
    maker, other = vault.session(), impatient(vault)
    maker.execute("BEGIN")
    (token,) = tokens(maker, ["ada"], subjects=["9"])
    other.refused("55P03", "SELECT confiture.forget_subject('mail', '9')")
    maker.execute("COMMIT")
    assert other.value("SELECT confiture.forget_subject('mail', '9')") == 1
    vault.clerk.refused("55000", REVEAL, [token, "mail", WHY])
    # The other way round: who makes it waits, and makes it anew.
    other.execute("BEGIN")
    assert other.value("SELECT confiture.forget_subject('mail', '9')") == 0
    found = beside(lambda: tokens(maker, ["ada"], subjects=["9"]))
    waits(vault)
    other.execute("COMMIT")
    (again,) = found()
    assert again != token and reveal(vault.clerk, again) == "ada"
    assert vault.value("SELECT count(*) FROM confiture.token_subject") == 1


def test_rewrapping_follows_a_key_that_is_rotated_meanwhile(vault):
    made = tokens(vault, [f"v{i}" for i in range(20)], subjects=["1"] * 10 + [None] * 10)
    vault.execute("SELECT confiture.rotate_key('masking')")
    holder, caller = vault.session(), vault.session()
    holder.execute("BEGIN")
    holder.execute(
        "SELECT FROM confiture.token ORDER BY handle OFFSET 10 LIMIT 1 FOR NO KEY UPDATE"
    )
    found = beside(lambda: caller.execute("CALL confiture.rewrap_tokens('mail', 1)"))
    waits(vault)
    vault.execute("SELECT confiture.rotate_key('masking')")
    holder.execute("COMMIT")
    assert not isinstance(found(), str)
    for table in ("token", "token_subject"):
        versions = f"SELECT DISTINCT key_version FROM confiture.{table}"
        assert vault.column(versions) == [3]
    assert reveal(vault.clerk, made[3]) == "v3"


def test_commit_waits_for_the_ledger_no_longer_than_lock_timeout(vault):
    maker, other = impatient(vault), vault.session()
    other.execute("BEGIN")
    other.execute("SELECT confiture.create_domain('theirs')")
    maker.execute("BEGIN")
    tokens(maker, ["ada"])
    maker.refused("55P03", "COMMIT")
    other.execute("COMMIT")
    assert vault.value("SELECT count(*) FROM confiture.token") == 0


def test_a_repeatable_read_transaction_fails_at_its_commit(vault):
    maker = vault.session()
    maker.execute("BEGIN ISOLATION LEVEL REPEATABLE READ")
    maker.execute("SELECT 1")
    vault.execute("SELECT confiture.create_domain('theirs')")
    tokens(maker, ["ada"])
    maker.refused("40001", "COMMIT")
    assert vault.value("SELECT count(*) FROM confiture.token") == 0


def test_a_record_names_the_role_that_made_the_tokens(vault):
    role = vault.role("maker")
    vault.execute("SELECT confiture.grant_access('masker', %s)", [role])
    vault.execute("BEGIN")
    vault.execute(f'SET LOCAL ROLE "{role}"')
    tokens(vault, ["ada"])
    vault.execute("RESET ROLE")
    vault.execute("COMMIT")
    said = "SELECT details ->> 'role' FROM confiture.audit_log WHERE event = 'TOKENIZED'"
    assert vault.column(said) == [role]
