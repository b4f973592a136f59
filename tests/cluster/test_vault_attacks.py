"""Attacks on the vault: many at once, stolen tables, restores, and what leaks on the way."""

import re
import threading
from pathlib import Path

import psycopg
import pytest

from test_vault import REVEAL, TOKENS, WHY, _vault, reveal, tokens  # noqa: F401


def test_sixteen_sessions_make_one_token_for_each_value(vault):
    values, problems, found = 20_000, [], []
    make = (
        "SELECT confiture.tokenize_batch('{}', array_agg('v' || i ORDER BY {}))"
        f" FROM generate_series(1, {values}) i"
    )
    orders = ["i", "i DESC", "md5(i::text)", "i % 97, i"]

    def work(number):
        session = vault.session()
        try:
            session.execute("SET statement_timeout = 0")
            domain = ("mail", "drawn")[number % 2]
            made = session.value(make.format(domain, orders[number // 2 % 4]))
            found.append((domain, frozenset(made)))
        except psycopg.Error as error:
            problems.append(error.diag.sqlstate)

    threads = [threading.Thread(target=work, args=(number,)) for number in range(16)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(300)
    assert problems == [] and len(found) == 16
    for domain in ("mail", "drawn"):
        (made,) = {made for of, made in found if of == domain}
        assert len(made) == values
    assert vault.value("SELECT count(*) FROM confiture.token") == 2 * values
    assert vault.findings().keys() == {"OK", "W01"}


def test_a_subject_that_is_forgotten_meanwhile_gets_no_tokens_of_the_former_secret(vault):
    tokens(vault, ["a"], subjects=["7"])
    vault.execute("BEGIN")
    tokens(vault, ["b"], subjects=["7"])
    other = vault.session()
    other.execute("SET lock_timeout = '200ms'")
    other.refused("55P03", "SELECT confiture.forget_subject('mail', '7')")
    vault.execute("COMMIT")
    assert other.value("SELECT confiture.forget_subject('mail', '7')") == 2


@pytest.mark.parametrize("how", ["plain", "custom"])
def test_a_restored_vault_reveals(vault, bare, tmp_path, how):
    made = tokens(vault, ["ada.lovelace", "bob.ross"], subjects=[None, "8"])
    path = tmp_path / "dump"
    if how == "custom":
        vault.server.run("pg_dump", "-Fc", "-f", path, database=vault.name)
        vault.server.run("pg_restore", "--exit-on-error", "-j", "2", "-d", bare.name, path)
    else:
        path.write_text(vault.server.run("pg_dump", database=vault.name).stdout, encoding="utf-8")
        bare.psql("-f", path)
    for text in ("ada.lovelace", "bob.ross", *made):
        if how == "plain":
            assert text not in path.read_text(encoding="utf-8")
    clerk = bare.session(user=vault.clerk_name)
    assert [reveal(clerk, token) for token in made] == ["ada.lovelace", "bob.ross"]
    assert tokens(bare.session(), ["ada.lovelace", "bob.ross"], subjects=[None, "8"]) == made


@pytest.mark.parametrize(
    "tampering",
    [
        """UPDATE confiture.token a SET payload = b.payload FROM confiture.token b
            WHERE a.salt = b.salt AND a.handle <> b.handle""",
        "UPDATE confiture.token SET reference = reference || '\\x00' WHERE false",
        "UPDATE confiture.token SET payload = set_byte(payload, 20, get_byte(payload, 20) # 1)",
        "UPDATE confiture.token SET key_version = 2",
        """UPDATE confiture.token_domain a SET wrapped = b.wrapped FROM confiture.token_domain b
            WHERE a.name <> b.name""",
    ],
)
def test_rows_that_were_changed_or_moved_give_nothing(vault, tampering):
    made = tokens(vault, ["ada", "bob"])
    vault.execute("SELECT confiture.rotate_key('masking')")
    changed = vault.execute(tampering).rowcount
    for token in made:
        if changed:
            vault.clerk.refused(["XX001", "42704"], REVEAL, [token, "mail", WHY])
        else:
            assert reveal(vault.clerk, token) in ("ada", "bob")


def test_neither_value_nor_token_is_in_log_or_statistics(vault):
    admin = vault.session()
    admin.execute("SET log_statement = 'none'; SET log_min_messages = debug1")
    made = admin.value(
        "SELECT confiture.tokenize_batch('mail', array_agg('ada.' || i || '@secret.example'))"
        " FROM generate_series(1, 3) i"
    )
    vault.clerk.value("SELECT count(*) FROM confiture.reveal_batch(%s, 'mail', 'audit')", [made])
    vault.execute("ANALYZE confiture.token")
    log = vault.server.log()
    assert "@secret.example" not in log.replace("'@secret.example'", "")
    statistics = vault.value(
        "SELECT string_agg(s::text, '') FROM pg_stats s WHERE tablename = 'token'"
    )
    for token in made:
        assert token not in (statistics or "") and token not in log


def test_a_standby_neither_makes_nor_reveals(vault):
    vault.execute("SET default_transaction_read_only = on")
    vault.refused("25006", "SELECT confiture.tokenize_batch('mail', '{a}')")


def test_a_large_batch_takes_bounded_memory(vault):
    session, values = vault.session(), 300_000
    session.execute("SET statement_timeout = 0")
    ask = (
        "SELECT cardinality({}array_agg('person.' || i || '@work.example'){})"
        f" FROM generate_series(1, {values}) i"
    )
    status = Path(f"/proc/{session.value('SELECT pg_backend_pid()')}/status")

    def most():
        return int(re.search(r"VmHWM:\s+(\d+)", status.read_text())[1]) * 1024

    session.execute(ask.format("", ""))
    before = most()
    session.execute(ask.format("confiture.tokenize_batch('mail', ", ")"))
    assert (most() - before) / values < 700


def test_a_wait_for_the_same_tokens_is_canceled_as_every_other(vault):
    """What fails because somebody writes the same is tried again; nothing else is."""
    values, other = [f"{i}@work.example" for i in range(100)], vault.session()
    vault.execute("BEGIN")
    made = tokens(vault, values)
    other.execute("SET statement_timeout = '300ms'")
    other.refused("57014", TOKENS, ["mail", values])
    other.refused("57014", TOKENS, ["mail", values[50:]])
    vault.execute("COMMIT")
    assert tokens(other, values) == made
    assert vault.value("SELECT count(*) FROM confiture.token") == 100
