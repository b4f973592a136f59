"""What a session keeps between reveals, and that it never gives more by it than it would anew."""

import pytest

from test_ledger_copies import count, publisher, start, stop, wait  # noqa: F401
from test_vault import REVEAL, WHY, _vault, reveal, tokens  # noqa: F401

SIGNED = "SELECT key_version FROM confiture.journal ORDER BY number DESC LIMIT 1"
ROTATE = "SELECT confiture.rotate_key('masking')"


@pytest.fixture(name="warm")
def _warm(vault):
    """A token, and a clerk's session that has revealed it before."""
    (vault.token,) = tokens(vault, ["ada"])
    assert reveal(vault.clerk, vault.token) == "ada"
    assert vault.value(SIGNED) == 1
    return vault


def test_a_record_is_signed_by_the_key_that_is_active_now(warm):
    warm.execute(ROTATE)
    assert reveal(warm.clerk, warm.token) == "ada"
    assert warm.value(SIGNED) == 2
    assert warm.findings().keys() == {"OK", "W01"}


def test_a_key_that_is_rotated_back_by_rollback_signs_again(warm):
    warm.execute("SELECT confiture.grant_access('revealer', session_user::text, 'mail')")
    for end, version in (("ROLLBACK", 1), ("COMMIT", 2)):
        warm.execute("BEGIN")
        warm.execute(ROTATE)
        warm.execute("SAVEPOINT before")
        warm.refused("55000", REVEAL, [warm.token, "mail", WHY])
        warm.execute("ROLLBACK TO before")
        warm.execute(end)
        assert reveal(warm, warm.token) == "ada"
        assert warm.value(SIGNED) == version


def test_a_transaction_with_an_old_view_signs_by_the_key_of_now(warm):
    warm.clerk.execute("BEGIN ISOLATION LEVEL REPEATABLE READ")
    assert warm.clerk.value("SELECT 1") == 1
    warm.execute(ROTATE)
    assert reveal(warm.clerk, warm.token) == "ada"
    warm.clerk.execute("COMMIT")
    assert warm.value(SIGNED) == 2
    assert warm.findings().keys() == {"OK", "W01"}


def test_a_rewrapped_domain_is_read_anew(warm):
    warm.execute(ROTATE)
    for domain in ("mail", "drawn"):
        warm.execute("CALL confiture.rewrap_tokens(%s)", [domain])
    warm.execute("SELECT confiture.destroy_key_version('masking', 1)")
    assert reveal(warm.clerk, warm.token) == "ada"


def test_a_right_that_is_taken_is_gone_at_the_next_statement(warm):
    warm.execute("SELECT confiture.revoke_access('revealer', %s, 'mail')", [warm.clerk_name])
    warm.clerk.refused("42501", REVEAL, [warm.token, "mail", WHY])


def test_who_deletes_the_row_of_a_right_takes_the_right(warm):
    warm.execute("DELETE FROM confiture.token_access")
    warm.clerk.refused("42501", REVEAL, [warm.token, "mail", WHY])


@pytest.mark.parametrize(
    "constraint",
    [
        "token DROP CONSTRAINT token_domain_reference_key",
        "token_domain DROP CONSTRAINT token_domain_pkey",
        "token_access DROP CONSTRAINT token_access_pkey",
        "key DROP CONSTRAINT key_purpose_key",
        "key_version DROP CONSTRAINT key_version_pkey",
    ],
)
def test_without_an_index_the_table_is_read(warm, constraint):
    warm.execute(f"ALTER TABLE confiture.{constraint}")
    for session in (warm.clerk, warm.session(user=warm.clerk_name)):
        assert reveal(session, warm.token) == "ada"
        session.refused("42704", REVEAL, ["tok_none", "mail", WHY])


def test_an_index_of_that_name_on_another_table_is_not_read(warm):
    warm.execute(
        """ALTER TABLE confiture.token DROP CONSTRAINT token_domain_reference_key;
           CREATE INDEX token_domain_reference_key ON confiture.profile (name)"""
    )
    assert reveal(warm.clerk, warm.token) == "ada"


def test_a_table_without_its_column_is_refused(warm):
    warm.execute("ALTER TABLE confiture.token RENAME COLUMN reference TO other")
    warm.clerk.refused("42P17", REVEAL, [warm.token, "mail", WHY])


def test_a_right_that_is_taken_by_replication_is_gone_too(publisher):  # noqa: F811
    """What is applied to a subscriber fires triggers of rows only."""
    source, target = publisher.create_database(), publisher.create_database()
    clerk = target.session(user=source.role("clerk"))
    name = clerk.value("SELECT session_user")
    for db in (source, target):
        db.execute("SELECT confiture.create_domain('mail')")
        db.execute("SELECT confiture.grant_access('revealer', %s, 'mail')", [name])
    (token,) = tokens(target, ["ada"])
    source.execute(
        "CREATE PUBLICATION copies FOR TABLE confiture.token_access WITH (publish = 'delete')"
    )
    slot = f"s_{target.name}"
    source.execute(f"SELECT pg_create_logical_replication_slot('{slot}', 'pgoutput')")
    start(publisher, source, target, slot, copy_data=False)
    try:
        assert reveal(clerk, token) == "ada"
        source.execute("SELECT confiture.revoke_access('revealer', %s, 'mail')", [name])
        wait(lambda: count(target, "token_access") == 0)
        clerk.refused("42501", REVEAL, [token, "mail", WHY])
    finally:
        stop(source, target, slot)
