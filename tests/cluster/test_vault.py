"""The vault: tokens are made, kept and given back only to those who may, on record."""

import psycopg
import pytest

TOKENS = "SELECT confiture.tokenize_batch(%s, %s)"
REVEAL = "SELECT confiture.reveal(%s, %s, %s)"
WHY = "ticket 4711"


@pytest.fixture(name="vault")
def _vault(db):
    """A deterministic domain and one that draws, and a role that may have both back."""
    db.execute("SELECT confiture.create_domain('mail')")
    db.execute("SELECT confiture.create_domain('drawn', deterministic => false)")
    db.clerk = db.session(user=db.role("clerk"))
    db.clerk_name = db.clerk.value("SELECT session_user")
    for domain in ("mail", "drawn"):
        db.execute("SELECT confiture.grant_access('revealer', %s, %s)", [db.clerk_name, domain])
    return db


def tokens(db, values, domain="mail", subjects=None):
    if subjects is None:
        return db.value(TOKENS, [domain, values])
    call = "SELECT confiture.tokenize_batch(%s, %s, %s)"
    return db.value(call, [domain, values, subjects])


def reveal(session, token, domain="mail"):
    return session.value(REVEAL, [token, domain, WHY])


def records(db):
    return db.rows(
        "SELECT event, user_name, domain, reason, amount FROM confiture.journal ORDER BY number"
    )


@pytest.mark.parametrize("domain", ["mail", "drawn"])
def test_tokens_come_back_to_who_may(vault, domain):
    values = ["lovelace@work.example", None, "bob@work.example", "lovelace@work.example", "ä"]
    made = tokens(vault, values, domain)
    assert made[1] is None and made[0] == made[3] and len(set(made)) == 4
    assert tokens(vault, values[::-1], domain) == made[::-1]
    assert [reveal(vault.clerk, token, domain) for token in made[2:]] == values[2:]
    assert vault.clerk.value(REVEAL, [None, domain, WHY]) is None
    assert vault.value("SELECT count(*) FROM confiture.token") == 3
    stored = vault.value("SELECT string_agg(t::text, '') FROM confiture.token t")
    assert "lovelace" not in stored and made[0] not in stored


def test_domains_have_nothing_in_common(vault):
    vault.execute("SELECT confiture.create_domain('other')")
    assert tokens(vault, ["ada"], "other") != tokens(vault, ["ada"], "mail")
    for token in tokens(vault, ["ada"], "mail"):
        vault.clerk.refused("42704", REVEAL, [token, "drawn", WHY])


def test_making_them_is_on_record_once_for_each_transaction(vault):
    tokens(vault, ["a", "b", "a"])
    tokens(vault, ["a", "b"])
    vault.execute("BEGIN")
    tokens(vault, ["c"])
    tokens(vault, ["d", "e"], "drawn")
    vault.execute("SAVEPOINT s")
    tokens(vault, ["x", "y"])
    vault.execute("ROLLBACK TO s")
    tokens(vault, ["f"])
    vault.execute("COMMIT")
    vault.execute("BEGIN")
    tokens(vault, ["z"])
    vault.execute("ROLLBACK")
    said = (
        "SELECT details ->> 'domain', (details ->> 'tokens')::int FROM confiture.audit_log"
        " WHERE event = 'TOKENIZED' ORDER BY seq"
    )
    assert vault.rows(said) == [("mail", 2), ("drawn", 2), ("mail", 2)]
    assert vault.findings().keys() == {"OK", "W01"}
    vault.execute("BEGIN")
    tokens(vault, ["q"])
    vault.refused("0A000", "PREPARE TRANSACTION 'p'")


def test_row_by_row_in_deterministic_domains(vault):
    vault.execute(
        "CREATE TABLE people AS SELECT i, 'p' || i % 50 || '@x.example' AS email"
        " FROM generate_series(1, 200) i; INSERT INTO people VALUES (0, NULL)"
    )
    vault.execute(
        "CREATE TABLE masked AS SELECT i, anon_tokenize(email, 'mail') AS email FROM people"
    )
    assert vault.value("SELECT count(DISTINCT email) FROM masked") == 50
    assert vault.value("SELECT count(*) FROM masked WHERE email IS NULL") == 1
    assert vault.events()[-1] == "TOKENIZED"
    assert tokens(vault, ["p7@x.example"]) == vault.column("SELECT email FROM masked WHERE i = 7")
    report = vault.refused("0A000", "SELECT anon_tokenize('a', 'drawn')")
    assert "tokenize_batch" in report.message_hint


def test_a_reveal_is_on_record_whatever_follows(vault):
    (token,) = tokens(vault, ["ada"])
    vault.clerk.execute("BEGIN")
    assert reveal(vault.clerk, token) == "ada"
    vault.clerk.execute("ROLLBACK")
    assert records(vault) == [("REVEALED", vault.clerk_name, "mail", WHY, 1)]
    shown = vault.rows("SELECT user_name, domain, reason, granted FROM confiture.reveals")
    assert shown == [(vault.clerk_name, "mail", WHY, True)]
    about = vault.value("SELECT about FROM confiture.journal")
    assert about == vault.value("SELECT encode(reference, 'hex') FROM confiture.token")
    assert vault.findings().keys() == {"OK", "W01"}


def test_who_may_not_is_told_nothing_and_that_is_on_record(vault):
    (token,) = tokens(vault, ["ada"])
    other = vault.session(user=vault.role("other"))
    name = other.value("SELECT session_user")
    vault.execute("SELECT confiture.create_domain('theirs')")
    vault.execute("SELECT confiture.grant_access('revealer', %s, 'theirs')", [name])
    said = set()
    for asked, domain in ((token, "mail"), ("tok_nothing", "mail"), (token, "nowhere")):
        report = other.refused("42501", REVEAL, [asked, domain, WHY])
        said.add((report.message_primary.replace(domain, "…"), report.message_detail))
    assert len(said) == 1
    assert [record[:3] for record in records(vault)] == [
        ("DENIED", name, "mail"),
        ("DENIED", name, "mail"),
        ("DENIED", name, "nowhere"),
    ]
    # Nor has a superuser, until it is given.
    vault.refused("42501", REVEAL, [token, "mail", WHY])
    vault.execute("SELECT confiture.grant_access('revealer', session_user::text, 'mail')")
    assert reveal(vault, token) == "ada"
    # Nor whoever calls it through somebody else's function.
    vault.execute(
        "CREATE FUNCTION public.back(t text) RETURNS text LANGUAGE sql SECURITY DEFINER AS"
        " $$ SELECT confiture.reveal(t, 'mail', 'none of your business') $$"
    )
    other.refused("42501", "SELECT public.back(%s)", [token])
    for relation in ("token", "token_domain", "token_subject", "token_access", "vault_domains"):
        if relation != "vault_domains":
            other.refused("42501", f"SELECT * FROM confiture.{relation}")


def test_a_right_by_membership_and_taken_again(vault):
    (token,) = tokens(vault, ["ada"])
    member = vault.session(user=vault.role("member"))
    name = member.value("SELECT session_user")
    vault.execute(f'GRANT "{vault.clerk_name}" TO "{name}"')
    assert reveal(member, token) == "ada"
    vault.execute("SELECT confiture.revoke_access('revealer', %s, 'mail')", [vault.clerk_name])
    member.refused("42501", REVEAL, [token, "mail", WHY])
    vault.clerk.refused("42501", REVEAL, [token, "mail", WHY])
    said = "SELECT details ->> 'domain' FROM confiture.audit_log WHERE event = 'ACCESS_REVOKED'"
    assert vault.column(said) == ["mail"]
    vault.refused("22023", "SELECT confiture.grant_access('masker', 'postgres', 'mail')")
    vault.refused("42704", "SELECT confiture.grant_access('revealer', 'postgres', 'nowhere')")


@pytest.mark.parametrize("reason", ["", " \t\n", "\u200b\ufeff", None])
def test_a_reason_is_needed(vault, reason):
    (token,) = tokens(vault, ["ada"])
    vault.clerk.refused("22023", REVEAL, [token, "mail", reason])
    assert records(vault) == []


def test_many_at_once_are_one_record(vault):
    made = tokens(vault, ["a", "b", "c"])
    call = "SELECT * FROM confiture.reveal_batch(%s, 'mail', %s)"
    found = vault.clerk.rows(call, [[made[2], "tok_0", made[0], None], WHY])
    assert found == [
        (made[2], "c", "revealed"),
        ("tok_0", None, "unknown"),
        (made[0], "a", "revealed"),
    ]
    assert records(vault) == [("REVEALED", vault.clerk_name, "mail", WHY, 3)]


def test_row_by_row_records_grow_tenfold(vault):
    vault.execute(
        "SELECT confiture.tokenize_batch('mail', array_agg('v' || i)) FROM generate_series(1, 30) i"
    )
    vault.execute(
        "CREATE TABLE masked AS SELECT anon_tokenize('v' || i, 'mail') AS t"
        " FROM generate_series(1, 30) i; GRANT SELECT ON masked TO PUBLIC"
    )
    back = "SELECT count(DISTINCT anon_detokenize(t, 'mail', 'audit')) FROM masked"
    assert vault.clerk.value(back) == 30
    assert [record[4] for record in records(vault)] == [1, 9, 90]
    vault.refused("42501", back)


def test_a_role_is_given_so_many_in_an_hour(vault):
    vault.execute("SELECT confiture.create_domain('few', reveals_per_hour => 3)")
    vault.execute("SELECT confiture.grant_access('revealer', %s, 'few')", [vault.clerk_name])
    made = tokens(vault, ["a", "b", "c", "d"], "few")
    call = "SELECT count(value) FROM confiture.reveal_batch(%s, 'few', %s)"
    vault.clerk.refused("53000", call, [made, WHY])
    assert [reveal(vault.clerk, token, "few") for token in made[:3]] == ["a", "b", "c"]
    vault.clerk.refused("53000", REVEAL, [made[3], "few", WHY])
    events = [record[0] for record in records(vault)]
    assert events == ["DENIED", *["REVEALED"] * 3, "DENIED"]


def test_a_subject_is_forgotten_for_good(vault):
    values = ["ada@x.example", "Ada", "bob@x.example"]
    made = tokens(vault, values, subjects=["7", "7", "8"])
    alone = tokens(vault, ["Ada"])
    assert made[1] != alone[0]
    assert tokens(vault, ["Ada"], subjects=["7"]) == [made[1]]
    assert vault.value("SELECT confiture.forget_subject('mail', '7')") == 2
    for token in made[:2]:
        report = vault.clerk.refused("55000", REVEAL, [token, "mail", WHY])
        assert "forgotten" in report.message_primary
    assert (
        reveal(vault.clerk, made[2]) == "bob@x.example" and reveal(vault.clerk, alone[0]) == "Ada"
    )
    again = tokens(vault, ["Ada"], subjects=["7"])
    assert again != [made[1]] and reveal(vault.clerk, again[0]) == "Ada"
    assert vault.value("SELECT confiture.forget_subject('mail', 'nobody')") == 0
    said = (
        "SELECT details ->> 'known', details ->> 'tokens' FROM confiture.audit_log"
        " WHERE event = 'SUBJECT_FORGOTTEN' ORDER BY seq"
    )
    assert vault.rows(said) == [("true", "2"), ("false", "0")]


def test_tokens_expire_and_are_cleaned_up(vault):
    vault.execute("SELECT confiture.create_domain('short', ttl => '1 hour')")
    vault.execute("SELECT confiture.grant_access('revealer', %s, 'short')", [vault.clerk_name])
    made = tokens(vault, ["a", "b"], "short")
    assert reveal(vault.clerk, made[0], "short") == "a"
    late = (
        "UPDATE confiture.token SET expires_at = now() - interval '1 s'"
        " WHERE expires_at IS NOT NULL"
    )
    vault.execute(late)
    vault.clerk.refused("55000", REVEAL, [made[0], "short", WHY])
    # Asked for again, it begins anew.
    assert tokens(vault, ["a"], "short") == made[:1]
    assert reveal(vault.clerk, made[0], "short") == "a"
    assert vault.value("SELECT confiture.cleanup_expired_tokens('short')") == 1
    vault.clerk.refused("42704", REVEAL, [made[1], "short", WHY])
    assert vault.value("SELECT confiture.cleanup_expired_tokens()") == 0
    assert vault.events()[-1] == "TOKENS_EXPIRED"


def test_a_bound_domain_needs_the_token(vault):
    vault.execute("SELECT confiture.create_domain('bound', bound => true)")
    vault.execute("SELECT confiture.grant_access('revealer', %s, 'bound')", [vault.clerk_name])
    made = tokens(vault, ["ada", "bob"], "bound")
    vault.execute("SELECT confiture.rotate_key('masking')")
    vault.execute("CALL confiture.rewrap_tokens('bound')")
    assert [reveal(vault.clerk, token, "bound") for token in made] == ["ada", "bob"]


@pytest.mark.parametrize("batch", [1, 2, 1000])
def test_rotation_leaves_tokens_and_rewrapping_frees_the_key(vault, batch):
    made = tokens(vault, ["a", "b", "c", "d", "e"], subjects=[None, "1", None, "2", "1"])
    vault.execute("SELECT confiture.rotate_key('masking')")
    assert [reveal(vault.clerk, token) for token in made] == ["a", "b", "c", "d", "e"]
    assert tokens(vault, ["a", "b"], subjects=[None, "1"]) == made[:2]
    vault.execute("SELECT confiture.forget_subject('mail', '2')")
    vault.execute("SELECT confiture.retire_profile(name, version) FROM confiture.profiles")
    destroy = "SELECT confiture.destroy_key_version('masking', 1)"
    report = vault.refused("55006", destroy)
    assert "rewrap_tokens" in report.message_hint
    for domain in ("mail", "drawn"):
        vault.execute("CALL confiture.rewrap_tokens(%s, %s)", [domain, batch])
    vault.execute(destroy)
    assert [reveal(vault.clerk, token) for token in made[:3]] == ["a", "b", "c"]
    vault.clerk.refused("55000", REVEAL, [made[3], "mail", WHY])
    sums = (
        "SELECT sum((details ->> 'tokens')::int), sum((details ->> 'secrets')::int)"
        " FROM confiture.audit_log WHERE event = 'TOKENS_REWRAPPED'"
    )
    assert vault.rows(sums) == [(4, 3)]
    vault.execute("BEGIN")
    vault.refused("25001", "CALL confiture.rewrap_tokens('mail')")
    vault.execute("ROLLBACK")


def test_values_that_get_no_token(vault):
    for value in ("", "  \n", "\u200b", "x" * 10_001):
        report = vault.refused("22000", TOKENS, ["mail", ["a", value]])
        assert "value 2" in report.message_detail and "xxx" not in str(report.message_detail)
        vault.refused("22000", "SELECT anon_tokenize(%s, 'mail')", [value])
    vault.refused("22023", "SELECT confiture.tokenize_batch('mail', '{a}', '{1,2}')")
    vault.refused("22023", "SELECT confiture.tokenize_batch('mail', '{a}', '{\" \"}')")
    vault.refused("42704", TOKENS, ["nowhere", ["a"]])
    vault.refused("42710", "SELECT confiture.create_domain('mail')")
    vault.refused("22023", "SELECT confiture.create_domain(' x')")
    vault.refused("22023", "SELECT confiture.create_domain('x', 'luhn')")
    vault.refused("22023", "SELECT confiture.create_domain('x', 'uuid', prefix => 'a')")
    vault.refused("22023", "SELECT confiture.create_domain('x', reveals_per_hour => 0)")
    assert tokens(vault, ["x" * 10_000]) and tokens(vault, []) == []


def test_tokens_keep_the_form_of_cards(vault):
    vault.execute("SELECT confiture.create_domain('cards', 'digits', keep_last => 4)")
    vault.execute("SELECT confiture.grant_access('revealer', %s, 'cards')", [vault.clerk_name])
    (token,) = tokens(vault, ["4111-1111-1111-1234"], "cards")
    assert token[-4:] == "1234" and [len(part) for part in token.split("-")] == [4] * 4
    assert reveal(vault.clerk, token, "cards") == "4111-1111-1111-1234"


def test_a_small_space_is_used_up_to_its_half(vault):
    vault.execute("SELECT confiture.create_domain('tiny', 'digits')")
    six = "SELECT array_agg(lpad(i::text, 6, '0')) FROM generate_series(%s::int, %s::int) i"
    made = tokens(vault, vault.value(six, [0, 20_000]), "tiny")
    assert len(set(made)) == 20_001
    vault.execute("SET statement_timeout = 0")
    refused = None
    for start in range(20_001, 920_001, 100_000):
        try:
            tokens(vault, vault.value(six, [start, start + 99_999]), "tiny")
        except psycopg.Error as error:
            refused = error.diag.sqlstate
            break
    assert refused == "54000"
    assert vault.value("SELECT count(*) FROM confiture.token") > 300_000
