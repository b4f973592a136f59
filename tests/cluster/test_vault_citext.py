"""Runs that tokenize columns of citext: whose values are, what they become, what refers to them."""

import pytest

from test_run_tokens import profile
from test_vault import REVEAL, WHY, _vault, reveal, tokens  # noqa: F401

FORGET = "SELECT confiture.forget_subject('mail', %s)"


TOKENIZE = "{type: tokenize, config: {domain: mail}}"
REFERS = profile(tables="  orders: {rules: [{column: email, strategy: mail}]}")
JOINED = "SELECT count(*) FROM staging.orders JOIN staging.people USING (email)"


@pytest.fixture(name="shop")
def _shop(vault):
    if not vault.server.has("citext"):
        pytest.skip("this PostgreSQL comes without citext")
    vault.execute(
        "CREATE SCHEMA prod; CREATE SCHEMA staging; CREATE EXTENSION citext SCHEMA public;"
        "CREATE DOMAIN public.nick AS public.citext"
    )
    return vault


@pytest.mark.parametrize("of", ["public.citext", "public.nick", 'public.citext COLLATE "C"'])
def test_a_subject_is_the_text_as_it_is_written(shop, of):
    shop.execute(
        f"CREATE TABLE prod.people (id int PRIMARY KEY, email text, whose {of});"
        "INSERT INTO prod.people VALUES (1, 'a@x.example', 'Ada'), (2, 'a@x.example', 'ada'),"
        " (3, 'b@x.example', 'Ada'), (4, 'b@x.example', NULL)"
    )
    shop.load(profile(subject=", subject: whose"))
    shop.sync()
    written = shop.column("SELECT email FROM staging.people ORDER BY id")
    by_batch = (
        "SELECT confiture.tokenize_batch('mail', array_agg(email ORDER BY id),"
        " array_agg(whose::text ORDER BY id)) FROM prod.people"
    )
    by_row = "SELECT anon_tokenize(email, 'mail', whose::text) FROM prod.people ORDER BY id"
    assert shop.value(by_batch) == written == shop.column(by_row) and len(set(written)) == 4
    # By the name that one sees.
    assert shop.value(FORGET, ["Ada"]) == 2
    for token in (written[0], written[2]):
        shop.clerk.refused("55000", REVEAL, [token, "mail", WHY])
    assert reveal(shop.clerk, written[1]) == "a@x.example"
    # Who is written in two ways is forgotten by both.
    assert shop.value(FORGET, ["ada"]) == 1
    shop.clerk.refused("55000", REVEAL, [written[1], "mail", WHY])
    assert reveal(shop.clerk, written[3]) == "b@x.example"


def test_values_that_are_equal_have_one_token_of_the_value_in_lower_case(shop):
    shop.execute(
        "CREATE TABLE prod.people (id int PRIMARY KEY, email public.citext UNIQUE);"
        "CREATE TABLE prod.orders (id int, email public.nick REFERENCES prod.people (email));"
        "INSERT INTO prod.people VALUES (1, 'Ada@x.example'), (2, 'BOB@x.example');"
        "INSERT INTO prod.orders VALUES (1, 'ada@X.example'), (1, 'ADA@x.example')"
    )
    shop.load(REFERS)
    shop.sync()
    (ada, bob) = tokens(shop, ["ada@x.example", "bob@x.example"])
    assert shop.column("SELECT email FROM staging.people ORDER BY id") == [ada, bob]
    assert shop.column("SELECT email FROM staging.orders") == [ada, ada]
    assert reveal(shop.clerk, ada) == "ada@x.example"
    # By hand a value is what it is written as, until one writes it otherwise.
    by_hand = "SELECT anon_tokenize({}, 'mail') FROM prod.people ORDER BY id"
    assert shop.column(by_hand.format("email::text")) != [ada, bob]
    assert shop.column(by_hand.format("lower(email::text)")) == [ada, bob]


def refer(shop, of):
    """A column of another type that refers to one of text."""
    shop.execute(
        "CREATE TABLE prod.people (id int PRIMARY KEY, email text UNIQUE);"
        f"CREATE TABLE prod.orders (id int, email {of} REFERENCES prod.people (email));"
        "INSERT INTO prod.people VALUES (1, 'Ada@x.example');"
        "INSERT INTO prod.orders VALUES (1, 'Ada@x.example')"
    )


@pytest.mark.parametrize("strategy", [TOKENIZE, "{type: hash}"])
@pytest.mark.parametrize("of", ["public.citext", "public.nick"])
def test_a_reference_of_citext_to_a_text_is_refused_by_the_plan(shop, of, strategy):
    refer(shop, of)
    shop.load(REFERS.replace(TOKENIZE, strategy))
    for report in (shop.plan_refused("22023"), shop.sync_refused("22023")):
        assert report.message_primary == (
            'foreign key "orders_email_fkey" of table "prod.orders" may not hold for masked column'
            ' "email"'
        )
        assert "citext" in report.message_detail and "lower case" in report.message_detail
        assert "one type" in report.message_hint and "Ada" not in str(report.message_detail)
    assert shop.value("SELECT count(*) FROM confiture.token") == 0
    shop.execute("ALTER TABLE prod.people ALTER email TYPE public.citext")
    shop.sync()
    assert shop.value(JOINED) == 1


def test_a_mask_to_which_spellings_are_one_value_keeps_such_a_reference(shop):
    refer(shop, "public.citext")
    shop.load(REFERS.replace(TOKENIZE, "{type: email}"))
    shop.sync()
    assert shop.value(JOINED) == 1
