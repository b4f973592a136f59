"""The web shop of the demo, end to end: 300 customers, refreshed twice."""

import pytest

from catalog import crossings, structure
from server import ROOT

SHOP = ROOT / "examples" / "webshop"

# Columns that a rule masks and whose values are many enough to recognise one.
MASKED = {
    "customers": [
        "customer_no",
        "first_name",
        "last_name",
        "company",
        "email",
        "phone",
        "birth_date",
        "last_ip",
        "preferences",
        "password_hash",
        "search_name",
    ],
    "addresses": ["recipient", "street", "city", "postcode", "delivery_note"],
    "staff": ["first_name", "last_name", "email", "phone", "salary", "iban", "hired_on"],
    "orders": ["contact_email", "client_ip", "gift_message"],
    "payments": ["card_number", "card_holder", "iban"],
    "support_tickets": ["subject", "body", "contact_phone"],
}
COLUMNS = [(table, column) for table, columns in MASKED.items() for column in columns]
# What stands for nothing in the original as well.
NEUTRAL = {"preferences": "{}"}


@pytest.fixture(scope="module")
def shop(server):
    """Schema prod with 300 customers, synced twice into staging."""
    database = server.create_database()
    database.psql(
        "-o", "/dev/null", "-v", "customers=300", "-f", SHOP / "schema.sql", "-f", SHOP / "data.sql"
    )
    database.load((SHOP / "profile.yaml").read_text(encoding="utf-8"))
    database.sequences = sequences(database, "prod")
    database.sync("webshop")
    database.first = database.content("staging")
    database.sync("webshop")
    yield database
    database.drop()


def sequences(db, schema):
    """{sequence: (last value, whether it was called)} read without touching them."""
    names = db.column(
        "SELECT relname FROM pg_class WHERE relkind = 'S' AND relnamespace = %s::regnamespace",
        [schema],
    )
    return {
        name: db.rows(f"SELECT last_value, is_called FROM {schema}.{name}")[0] for name in names
    }


def tables(db, schema="prod"):
    """All tables, partitions too."""
    return db.column(
        "SELECT relname FROM pg_class WHERE relkind IN ('r', 'p')"
        " AND relnamespace = %s::regnamespace ORDER BY 1",
        [schema],
    )


def test_every_table_arrives_with_every_row(shop):
    assert tables(shop, "staging") == tables(shop)
    for table in tables(shop):
        assert shop.value(f"SELECT count(*) FROM staging.{table}") == shop.value(
            f"SELECT count(*) FROM prod.{table}"
        )
    assert shop.value("SELECT count(*) FROM staging.customers") == 300


def test_the_second_run_gives_what_the_first_one_gave(shop):
    assert shop.content("staging") == shop.first


@pytest.mark.parametrize(("table", "column"), COLUMNS)
def test_no_original_survives(shop, table, column):
    originals = set(
        shop.column(f"SELECT lower({column}::text) FROM prod.{table} WHERE {column} IS NOT NULL")
    )
    copies = set(
        shop.column(f"SELECT lower({column}::text) FROM staging.{table} WHERE {column} IS NOT NULL")
    )
    assert len(originals) > 1 or column == "customer_no"
    assert originals & copies <= {NEUTRAL.get(column)}


def test_no_original_address_or_number_survives_anywhere_in_staging(shop):
    dump = shop.server.run("pg_dump", "-n", "staging", database=shop.name).stdout.lower()
    originals = shop.column(
        "SELECT lower(email) FROM prod.customers UNION SELECT card_number FROM prod.payments"
        " WHERE card_number IS NOT NULL UNION SELECT phone FROM prod.customers"
        " WHERE phone IS NOT NULL UNION SELECT password_hash FROM prod.customers"
        " UNION SELECT session_token::text FROM prod.customers WHERE session_token IS NOT NULL"
    )
    assert len(originals) > 900
    assert [value for value in originals if value.lower() in dump] == []


@pytest.mark.parametrize(("table", "column"), COLUMNS)
def test_null_stays_null_and_nothing_becomes_null(shop, table, column):
    assert (
        shop.value(
            f"SELECT count(*) FROM prod.{table} p JOIN staging.{table} s USING (id)"
            f" WHERE (p.{column} IS NULL) <> (s.{column} IS NULL)"
        )
        == 0
    )


def test_the_excluded_column_brings_nothing(shop):
    assert shop.value("SELECT count(*) FROM prod.customers WHERE session_token IS NOT NULL") > 0
    assert shop.column(
        "SELECT DISTINCT to_jsonb(c) ->> 'session_token' FROM staging.customers c"
    ) == [None]


def test_a_join_on_a_pseudonym_finds_as_many_rows(shop):
    ask = "SELECT count(*) FROM {0}.orders o JOIN {0}.customers c ON c.email = o.contact_email"
    assert shop.value(ask.format("staging")) == shop.value(ask.format("prod")) == 900


def test_masks_called_by_hand_give_what_the_run_wrote(shop):
    for column, call in (
        ("email", "anon_email(p.email, seed => 0)"),
        ("first_name", "anon_hash(p.first_name, prefix => 'First-', length => 8)"),
        ("phone", "anon_phone(p.phone, preserve_country_code => true, seed => 0)"),
        ("password_hash", "anon_redact(p.password_hash, replacement => '(no password)')"),
    ):
        assert (
            shop.value(
                "SELECT count(*) FROM prod.customers p JOIN staging.customers s USING (id)"
                f" WHERE {call} IS DISTINCT FROM s.{column}"
            )
            == 0
        )


def test_an_insert_by_hand_equals_staging(shop):
    shop.execute("BEGIN")
    shop.execute("CREATE TABLE public.by_hand (id bigint, email text)")
    shop.execute(
        "INSERT INTO public.by_hand SELECT id, anon_email(email, seed => 0) FROM prod.customers"
    )
    assert (
        shop.rows("SELECT * FROM public.by_hand EXCEPT SELECT id, email FROM staging.customers")
        == []
    )
    shop.execute("ROLLBACK")


def test_the_generated_column_follows_the_masked_ones(shop):
    assert (
        shop.value(
            "SELECT count(*) FROM staging.customers WHERE search_name <>"
            " lower(last_name || coalesce(', ' || first_name, ''))"
        )
        == 0
    )


def test_staging_is_built_like_prod(shop):
    source, target = structure(shop, "prod"), structure(shop, "staging")
    for sort in source:
        assert source[sort], f"prod has no {sort}, so this proves nothing"
        assert target[sort] == source[sort], sort


def test_the_special_foreign_keys_stay_special(shop):
    facts = {
        row[0]: row[1:]
        for row in shop.rows(
            "SELECT conname, convalidated, condeferrable, condeferred FROM pg_constraint"
            " WHERE connamespace = 'staging'::regnamespace AND contype = 'f'"
        )
    }
    assert facts["support_tickets_assigned_to_fkey"] == (False, False, False)
    assert facts["customers_default_address_id_fkey"] == (True, True, True)
    # The two old sins came along.
    assert (
        shop.value(
            "SELECT count(*) FROM staging.support_tickets t LEFT JOIN staging.staff s"
            " ON s.id = t.assigned_to WHERE t.assigned_to IS NOT NULL AND s.id IS NULL"
        )
        == 2
    )


def test_nothing_in_staging_depends_on_prod_or_the_other_way_round(shop):
    assert crossings(shop, "prod", "staging") == []


def test_staging_can_be_dumped_and_restored_alone(shop, bare):
    dump = shop.server.run("pg_dump", "-n", "staging", database=shop.name).stdout
    bare.psql("-f", "-", stdin=dump)
    assert bare.content("staging") == shop.content("staging")
    assert structure(bare, "staging") == structure(shop, "staging")


def test_prod_may_go_and_staging_stays(shop, server):
    shop.execute("BEGIN")
    shop.execute("DROP SCHEMA prod CASCADE")
    assert shop.value("SELECT count(*) FROM staging.customers") == 300
    assert (
        shop.value(
            "INSERT INTO staging.staff (first_name, last_name, email, job_title, hired_on)"
            " VALUES ('a', 'b', 'c@d.example', 'e', now()) RETURNING id"
        )
        == 51
    )
    shop.execute("ROLLBACK")


FIRST_INSERTS = {
    "customers": "(customer_no, last_name, email, password_hash)"
    " VALUES ('C-new', 'New', 'new@x.example', '')",
    "addresses": "(customer_id, recipient, street, city, country)"
    " VALUES (1, 'New', 'Street', 'City', 'DE')",
    "staff": "(first_name, last_name, email, job_title, hired_on)"
    " VALUES ('N', 'N', 'n@x.example', 'J', now())",
    "products": "(sku, name, price) VALUES ('new', 'New jam', 3)",
    "orders": "(ordered_at, customer_id, contact_email, total)"
    " VALUES ('2024-05-05', 1, 'n@x.example', 9)",
    "payments": "(order_id, ordered_at, amount, card_number)"
    " SELECT id, ordered_at, 1, '4' FROM staging.orders LIMIT 1",
    "support_tickets": "(opened_at, subject) VALUES (now(), 'New')",
}


@pytest.mark.parametrize("table", FIRST_INSERTS)
def test_the_first_insert_of_the_application_works(shop, table):
    before = sequences(shop, "prod")
    highest = shop.value(f"SELECT max(id) FROM staging.{table}")
    shop.execute("BEGIN")
    number = shop.value(f"INSERT INTO staging.{table} {FIRST_INSERTS[table]} RETURNING id")
    assert number > highest
    if table == "orders":
        assert shop.value("SELECT count(*) FROM staging.orders_2024 WHERE id = %s", [number]) == 1
    shop.execute("ROLLBACK")
    own = shop.value(f"SELECT pg_get_serial_sequence('staging.{table}', 'id')")
    assert own.startswith("staging.")
    assert sequences(shop, "prod") == before


def test_the_sequences_of_prod_were_not_touched(shop):
    assert shop.sequences and sequences(shop, "prod") == shop.sequences


def test_numbers_that_are_always_generated_are_still_refused_by_hand(shop):
    shop.refused(
        "428C9",
        "INSERT INTO staging.addresses (id, customer_id, recipient, street, city, country)"
        " VALUES (1000000, 1, 'N', 'S', 'C', 'DE')",
    )


def test_checks_domains_and_enums_are_still_enforced(shop):
    shop.refused("23514", "UPDATE staging.customers SET customer_no = 'x' WHERE id = 1")
    shop.refused("23514", "UPDATE staging.addresses SET postcode = '!'")
    shop.refused("22P02", "UPDATE staging.orders SET status = 'eaten'")
    shop.refused("23514", "UPDATE staging.payments SET iban = 'x', card_number = 'y'")


def test_the_report_lists_every_table(shop):
    report = dict(
        shop.rows(
            'SELECT table_name, "rows" FROM confiture.run_report WHERE run_id ='
            " (SELECT run_id FROM confiture.get_audit_log(1))"
        )
    )
    by_name = {name.split(".")[-1]: count for name, count in report.items()}
    assert by_name["customers"] == 300 and by_name["orders"] == 900
    assert shop.findings()["OK"] == ("ok", 1, 6)


def test_the_plan_decides_on_every_column(shop):
    plan = shop.plan("webshop")
    assert {row["decision"] for row in plan.values()} == {
        "masked",
        "preserved",
        "excluded",
        "generated",
    }
    assert plan[("customers", "session_token")]["decision"] == "excluded"
    assert plan[("customers", "search_name")]["decision"] == "generated"
    assert plan[("customers", "id")]["decision"] == "preserved"


def test_the_script_of_the_demo_runs_twice(bare):
    bare.psql(
        "-o", "/dev/null", "-v", "customers=40", "-f", SHOP / "schema.sql", "-f", SHOP / "data.sql"
    )
    if bare.server.version < 15:
        bare.execute("REVOKE CREATE ON SCHEMA public FROM PUBLIC")
    run = ["-v", f"profile_file={SHOP / 'profile.yaml'}", "-f", SHOP / "demo.sql"]
    first, second = bare.psql(*run).stdout, bare.psql(*run).stdout
    assert "made the masking key" in first and "is there already" in second
    for output in (first, second):
        assert "COMPLETED" in output and "orders joined to customers on e-mail" in output
