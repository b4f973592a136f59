"""Attacks on who may have tokens back, and how many."""

import pytest

from test_vault import REVEAL, TOKENS, WHY, _vault, records, reveal, tokens  # noqa: F401

BATCH = "SELECT count(value) FROM confiture.reveal_batch(%s, %s, %s)"


def limited(vault, most, *roles):
    vault.execute("SELECT confiture.create_domain('few', reveals_per_hour => %s)", [most])
    for role in (vault.clerk_name, *roles):
        vault.execute("SELECT confiture.grant_access('revealer', %s, 'few')", [role])


def test_a_batch_of_which_nothing_is_given_is_on_record_and_counts(vault):
    limited(vault, 5)
    assert vault.clerk.value(BATCH, [["tok_1", "tok_2"], "mail", WHY]) == 0
    assert records(vault) == [("DENIED", vault.clerk_name, "mail", WHY, 2)]
    made = tokens(vault, ["a", "b"], "few")
    assert vault.clerk.value(BATCH, [["tok_1", "tok_2"], "few", WHY]) == 0
    vault.clerk.refused("42704", REVEAL, ["tok_3", "few", WHY])
    assert vault.clerk.value(BATCH, [[made[0], "tok_4"], "few", WHY]) == 1
    # Neither what is there nor what is not is told any longer.
    for token in (made[1], "tok_5"):
        vault.clerk.refused("53000", REVEAL, [token, "few", WHY])
        vault.clerk.refused("53000", BATCH, [[token], "few", WHY])
    amounts = [(record[0], record[4]) for record in records(vault)[1:]]
    assert amounts == [("DENIED", 2), ("DENIED", 1), ("REVEALED", 2), *[("DENIED", None)] * 4]
    assert vault.clerk.value(BATCH, [[], "few", WHY]) == 0 and len(records(vault)) == 8


def test_a_limit_holds_for_who_logged_in_and_for_the_role(vault):
    hat, other = vault.role("hat"), vault.role("other")
    limited(vault, 3, hat)
    vault.execute(f'GRANT "{hat}" TO "{vault.clerk_name}", "{other}"')
    made = tokens(vault, ["a", "b", "c", "d"], "few")
    assert reveal(vault.clerk, made[0], "few") == "a"
    vault.clerk.execute(f'SET ROLE "{hat}"')
    assert [reveal(vault.clerk, token, "few") for token in made[1:3]] == ["b", "c"]
    vault.clerk.refused("53000", REVEAL, [made[3], "few", WHY])
    vault.clerk.execute("RESET ROLE")
    vault.clerk.refused("53000", REVEAL, [made[3], "few", WHY])
    # What the role was given to somebody else counts for it too.
    session = vault.session(user=other)
    assert reveal(session, made[3], "few") == "d"
    session.execute(f'SET ROLE "{hat}"')
    vault.execute("SELECT 1")
    session.refused("53000", BATCH, [made[:2], "few", WHY])


def test_row_by_row_a_tenth_of_what_is_left_is_put_on_record_at_once(vault):
    limited(vault, 5)
    vault.execute(
        "CREATE TABLE masked AS SELECT anon_tokenize('v' || i, 'few') AS t"
        " FROM generate_series(1, 5) i; GRANT SELECT ON masked TO PUBLIC"
    )
    back = "SELECT count(anon_detokenize(t, 'few', 'audit')) FROM (SELECT t FROM masked LIMIT %s) t"
    assert vault.clerk.value(back, [2]) == 2
    assert vault.clerk.value(back, [3]) == 3
    vault.clerk.refused("53000", back, [1])
    assert [record[4] for record in records(vault)] == [1, 1, 1, 1, 1, None]


def test_a_role_that_was_made_again_has_not_the_rights_of_the_former(vault):
    (token,) = tokens(vault, ["ada"])
    name = vault.role("gone")
    vault.execute("SELECT confiture.grant_access('revealer', %s, 'mail')", [name])
    vault.execute(f'DROP OWNED BY "{name}"; DROP ROLE "{name}"; CREATE ROLE "{name}" LOGIN')
    vault.execute("SELECT confiture.grant_access('revealer', %s, 'drawn')", [name])
    again = vault.session(user=name)
    again.refused("42501", REVEAL, [token, "mail", WHY])
    # A restore on another server: the name counts, of who was given EXECUTE by itself.
    vault.execute("UPDATE confiture.token_access SET server_number = 7, role_number = 7")
    assert reveal(vault.clerk, token) == "ada"
    vault.execute(f'DROP OWNED BY "{name}"')
    vault.execute("GRANT USAGE ON SCHEMA confiture TO PUBLIC")
    vault.execute("GRANT EXECUTE ON FUNCTION confiture.reveal TO PUBLIC")
    again.refused("42501", REVEAL, [token, "mail", WHY])
    vault.execute("REVOKE ALL ON SCHEMA confiture FROM PUBLIC")
    vault.execute("SELECT confiture.grant_access('revealer', %s, 'mail')", [name])
    assert reveal(again, token) == "ada"


def test_a_renamed_role_is_given_it_again(vault):
    (token,) = tokens(vault, ["ada"])
    clerk = vault.session(user=vault.clerk_name)
    vault.execute(f'ALTER ROLE "{vault.clerk_name}" RENAME TO "{vault.clerk_name}_2"')
    try:
        clerk.refused("42501", REVEAL, [token, "mail", WHY])
        vault.execute(
            "SELECT confiture.grant_access('revealer', %s, 'mail')", [f"{vault.clerk_name}_2"]
        )
        assert reveal(clerk, token) == "ada"
    finally:
        vault.execute(f'ALTER ROLE "{vault.clerk_name}_2" RENAME TO "{vault.clerk_name}"')


def test_revoking_without_a_domain_takes_every_domain(vault):
    (token,) = tokens(vault, ["ada"])
    vault.execute("SELECT confiture.grant_access('revealer', %s)", [vault.clerk_name])
    vault.execute("SELECT confiture.revoke_access('revealer', %s)", [vault.clerk_name])
    assert vault.value("SELECT count(*) FROM confiture.token_access") == 0
    vault.clerk.refused("42501", REVEAL, [token, "mail", WHY])
    assert not vault.value(
        "SELECT has_function_privilege(%s, 'confiture.reveal(text,text,text)', 'EXECUTE')",
        [vault.clerk_name],
    )


def test_revoking_another_kind_leaves_the_domains(vault):
    (token,) = tokens(vault, ["ada"])
    for kind in ("masker", "operator", "auditor"):
        vault.execute("SELECT confiture.grant_access(%s, %s)", [kind, vault.clerk_name])
    for kind in ("masker", "operator", "auditor"):
        vault.execute("SELECT confiture.revoke_access(%s, %s)", [kind, vault.clerk_name])
        assert reveal(vault.clerk, token) == "ada"
    assert vault.clerk.value("SELECT count(*) FROM confiture.vault_domains") == 2


@pytest.mark.parametrize("call", ["grant_access", "revoke_access"])
def test_a_mistyped_domain_is_refused(vault, call):
    ask = f"SELECT confiture.{call}('revealer', %s, 'mial')"
    vault.refused("42704", ask, [vault.clerk_name])
    assert reveal(vault.clerk, tokens(vault, ["ada"])[0]) == "ada"


def test_a_space_is_counted_by_itself(vault):
    vault.execute("SELECT confiture.create_domain('number', 'digits')")
    # As many tokens of another length as would be half of those of this one.
    vault.execute(
        "INSERT INTO confiture.token"
        " (domain, handle, reference, salt, key_name, key_version, payload)"
        " SELECT d.id, substr(sha256(i::text::bytea), 1, 16), substr(sha256(i::text::bytea), 17),"
        "        '\\x0000', 'masking', 1, '\\x00'"
        "   FROM generate_series(1, 500000) i, confiture.token_domain d WHERE d.name = 'number'"
    )
    made = vault.value(
        "SELECT confiture.tokenize_batch('number', array_agg(lpad(i::text, 6, '0')))"
        " FROM generate_series(1, 30000) i"
    )
    assert len(set(made)) == 30_000
    assert vault.value("SELECT count(*) FROM confiture.token WHERE salt > '\\x0001'") > 0


def test_what_has_no_meaning_is_refused(vault):
    for ttl in ("0", "-1 hour", "1 month -29 days", "-1 month 31 days", "2000 years"):
        vault.refused("22023", "SELECT confiture.create_domain('x', ttl => %s)", [ttl])
    for subject in (" 7", "7 ", "7\n", "", "\u200b", "\u00ad\ufeff"):
        vault.refused("22023", "SELECT confiture.tokenize_batch('mail', '{a}', %s)", [[subject]])
        vault.refused("22023", "SELECT confiture.forget_subject('mail', %s)", [subject])
    vault.refused("22023", TOKENS, ["mail", [["a", "b"], ["c", "d"]]])
    vault.refused("22023", "SELECT confiture.tokenize_batch('mail', '{a,b}', '{{1,2}}')")
    assert tokens(vault, []) == []


def test_a_superuser_has_a_right_by_memberships_that_are_inherited(vault):
    (token,) = tokens(vault, ["ada"])
    hat, boss, heir, far = (vault.role(stem) for stem in ("hat", "boss", "heir", "far"))
    vault.execute(f'ALTER ROLE "{boss}" SUPERUSER NOINHERIT; ALTER ROLE "{heir}" SUPERUSER')
    vault.execute(f'ALTER ROLE "{far}" SUPERUSER; ALTER ROLE "{hat}" NOINHERIT')
    vault.execute(f'GRANT "{vault.clerk_name}" TO "{boss}", "{heir}", "{hat}"')
    vault.execute(f'GRANT "{hat}" TO "{far}"')
    # What is not inherited is taken up by SET ROLE, as elsewhere.
    session = vault.session(user=boss)
    session.refused("42501", REVEAL, [token, "mail", WHY])
    session.execute(f'SET ROLE "{vault.clerk_name}"')
    assert reveal(session, token) == "ada"
    assert reveal(vault.session(user=heir), token) == "ada"
    # One that is handed on by a role that does not inherit it, or by a superuser who has it.
    for user in (hat, far):
        vault.session(user=user).refused("42501", REVEAL, [token, "mail", WHY])
    vault.execute(f'ALTER ROLE "{hat}" INHERIT')
    if vault.server.version >= 16:
        # There each membership says so.
        vault.execute(f'GRANT "{vault.clerk_name}" TO "{hat}" WITH INHERIT TRUE')
    assert reveal(vault.session(user=far), token) == "ada"
    vault.execute(f'REVOKE "{hat}" FROM "{far}"')
    vault.session(user=far).refused("42501", REVEAL, [token, "mail", WHY])


def test_a_membership_says_whether_it_is_inherited(vault):
    if vault.server.version < 16:
        pytest.skip("before PostgreSQL 16 the role says so")
    (token,) = tokens(vault, ["ada"])
    for more in ("", "SUPERUSER"):
        role = vault.role(f"member{more.lower()}")
        vault.execute(f'ALTER ROLE "{role}" {more} INHERIT')
        for inherit in ("FALSE", "TRUE"):
            vault.execute(f'GRANT "{vault.clerk_name}" TO "{role}" WITH INHERIT {inherit}')
            session = vault.session(user=role)
            if inherit == "TRUE":
                assert reveal(session, token) == "ada"
            else:
                session.refused("42501", REVEAL, [token, "mail", WHY])
