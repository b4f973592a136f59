"""Rules of other tools: what becomes of them, in the catalog and in a run."""

import hashlib

import doc_blocks
import pytest

from anon_labels import SHOP, label_shop, set_label

CONFIG = """
common: {pg_bin_path: /usr/lib/postgresql/15/bin}
storage: {type: directory, directory: {path: /tmp/dumps}}
dump:
  pg_dump_options: {dbname: "host=playground-db"}
  transformation:
    - schema: prod
      name: users
      transformers:
        - name: Hash
          params: {column: email, function: sha256, salt: "12ab", max_length: 30}
        - name: Replace
          params: {column: phone, value: "+1 555 0100"}
        - name: SetNull
          params: {column: note}
        - name: Dict
          params: {column: plan, values: {basic: B, plus: P}, default: Z}
    - schema: prod
      name: orders
      subset_conds: ["prod.orders.placed_on >= '2024-01-01'"]
      transformers:
        - {name: RandomEmail, params: {column: user_email, engine: hash}}
"""


@pytest.fixture
def shop(db):
    """The sample of the first page."""
    db.execute(doc_blocks.sample())
    return db


def meanings(rows):
    """What becomes of each column: {(object, column): meaning}."""
    return {(row[0], row[1]): row[4] for row in rows}


def test_labels_of_the_catalog_become_a_profile_that_runs(shop):
    label_shop(shop)
    shop.load(shop.value("SELECT confiture.import_anon_labels('prod', 'moved')"))
    shop.sync("moved")
    assert shop.value("SELECT count(*) FROM staging.users WHERE note IS NOT NULL") == 0
    # What was drawn from one value there is drawn from one here: orders find their users.
    assert shop.value("SELECT count(*) FROM staging.orders o JOIN staging.users u ON o.user_email = u.email") == 2
    assert shop.rows("SELECT email FROM staging.users INTERSECT SELECT email FROM prod.users") == []
    assert shop.value("SELECT count(*) FROM staging.users WHERE phone ~ '^\\d\\d\\*{6}\\d\\d$'") == 2


def test_the_report_has_a_row_for_every_label(shop):
    label_shop(shop)
    role = shop.role("skynet")
    shop.execute(
        "INSERT INTO pg_shseclabel (objoid, classoid, provider, label)"
        f" VALUES ('{role}'::regrole, 'pg_authid'::regclass, 'anon', 'MASKED')"
    )
    try:
        found = meanings(shop.rows("SELECT * FROM confiture.import_anon_report('prod')"))
    finally:
        shop.execute("DELETE FROM pg_shseclabel WHERE provider = 'anon'")
    assert len(found) == len(SHOP) + 1
    assert found["users", "note"] == "exact" and found["orders", "total"] == "exact"
    assert found["users", "email"] == "approximate"
    assert found["users", None] == "missing" and found[f"role {role}", None] == "missing"


def test_the_catalog_decides_what_is_exact(shop):
    set_label(shop, "prod.users.email", "MASKED WITH VALUE 'x'")
    set_label(shop, "prod.users.phone", "MASKED WITH VALUE 'x'")
    set_label(shop, "prod.orders.placed_on", "MASKED WITH FUNCTION anon.date_trunc('month', placed_on)")
    found = meanings(shop.rows("SELECT * FROM confiture.import_anon_report('prod')"))
    # Of what may be NULL, a constant there takes the place of NULL as well.
    assert found["users", "email"] == "exact" and found["users", "phone"] == "approximate"
    assert found["orders", "placed_on"] == "exact"


def test_labels_of_another_policy_are_its_own(shop):
    set_label(shop, "prod.users.email", "MASKED WITH VALUE NULL", provider="analytics")
    assert shop.rows("SELECT * FROM confiture.import_anon_report('prod')") == []
    shop.refused("42704", "SELECT confiture.import_anon_labels('prod')")
    assert len(shop.rows("SELECT * FROM confiture.import_anon_report('prod', policy => 'analytics')")) == 1


def test_the_text_of_a_dump_gives_the_same_profile(shop, server):
    label_shop(shop)
    here = shop.value("SELECT confiture.import_anon_labels('prod', 'moved')")
    dump = server.run("pg_dump", "--schema=prod", shop.name).stdout
    assert "SECURITY LABEL FOR anon" in dump
    shop.execute("DELETE FROM pg_seclabel WHERE provider = 'anon'")
    call = "SELECT confiture.import_anon_labels('prod', 'moved', dump => %s)"
    moved = shop.value(call, [dump])
    assert sorted(moved.splitlines()) == sorted(here.splitlines())
    # Where the tables are not, less is known of them, and the profile loads all the same.
    shop.execute("DROP SCHEMA prod CASCADE")
    shop.load(shop.value(call, [dump]))


def test_a_column_without_a_counterpart_is_left_out(shop):
    set_label(shop, "prod.users.phone", "MASKED WITH FUNCTION public.mine(phone)")
    set_label(shop, "prod.users.email", "MASKED WITH FUNCTION anon.fake_email()")
    set_label(shop, "prod.orders.user_email", "MASKED WITH FUNCTION anon.fake_email()")
    set_label(shop, "prod.users.note", "MASKED WITH FUNCTION anon.lorem_ipsum()")
    shop.load(shop.value("SELECT confiture.import_anon_labels('prod', 'moved')"))
    shop.sync("moved")
    assert shop.column("SELECT phone FROM staging.users") == [None, None]


def test_exact_rules_write_what_greenmask_writes(shop):
    shop.execute("ALTER TABLE prod.users ADD plan text NOT NULL DEFAULT 'basic'")
    shop.execute("UPDATE prod.users SET plan = 'gold' WHERE id = 2")
    found = meanings(shop.rows("SELECT * FROM confiture.import_greenmask_report(%s)", [CONFIG]))
    exact = {("users", column) for column in ("email", "phone", "note", "plan")}
    assert {key for key, meaning in found.items() if meaning == "exact"} == exact
    shop.load(shop.value("SELECT confiture.import_greenmask(%s, name => 'moved')", [CONFIG]))
    shop.sync("moved")

    def digest(value):
        return hashlib.sha256(f"12ab{value}".encode()).hexdigest()[:30]

    raw = shop.rows("SELECT id, email, phone, plan FROM prod.users ORDER BY id")
    expected = [
        (number, digest(email), phone and "+1 555 0100", None, {"basic": "B"}.get(plan, "Z"))
        for number, email, phone, plan in raw
    ]
    moved = shop.rows("SELECT id, email, phone, note, plan FROM staging.users ORDER BY id")
    assert moved == expected
    assert shop.column("SELECT placed_on::text FROM staging.orders") == ["2024-03-01"]


def test_what_is_cut_off_is_what_the_server_cuts_off(db):
    db.execute("CREATE TABLE cut (t text, d date)")
    db.execute(
        "INSERT INTO cut SELECT t, d FROM unnest(ARRAY['', 'é', 'abcdef', E'e\\u0301x12']) t,"
        " generate_series('0500-01-01 BC'::timestamp, '0020-01-01', '97 days') d"
    )
    assert db.value(
        "SELECT bool_and(left(t, 3) = anon_generalize(t, method => 'prefix', keep => 3)) FROM cut"
    )
    for unit in ("day", "week", "month", "quarter", "year", "decade"):
        assert db.value(
            "SELECT bool_and(date_trunc(%s, d)::date = anon_generalize(d, unit => %s)) FROM cut",
            [unit, unit],
        ), unit


def test_columns_of_one_person_stay_together(db):
    db.execute("CREATE SCHEMA prod")
    db.execute("CREATE TABLE prod.t (id integer PRIMARY KEY, first text, last text)")
    db.execute("INSERT INTO prod.t SELECT i, 'Ada' || i, 'King' FROM generate_series(1, 50) i")
    columns = "{name: first, template: '{{ .FirstName }}', hashing: true}, {name: last, template: '{{ .LastName }}'}"
    config = (
        "dump: {transformation: [{schema: prod, name: t, transformers: [{name: RandomPerson,"
        f" params: {{engine: hash, columns: [{columns}]}}}}]}}]}}"
    )
    db.load(db.value("SELECT confiture.import_greenmask(%s, name => 'moved')", [config]))
    db.sync("moved")
    assert db.value(
        "SELECT bool_and(m.last = anon_name('x', entity => t.first, part => 'last')"
        " AND m.first = anon_name('x', entity => t.first, part => 'first'))"
        " FROM prod.t t JOIN staging.t m USING (id)"
    )


def test_what_cannot_be_imported_is_refused(shop):
    shop.refused("3F000", "SELECT confiture.import_anon_labels('elsewhere')")
    shop.refused("22023", "SELECT confiture.import_anon_labels(NULL)")
    shop.refused("22023", "SELECT * FROM confiture.import_anon_report('prod', policy => NULL)")
    shop.refused("22023", "SELECT confiture.import_greenmask(NULL)")
    report = shop.refused("22P02", "SELECT confiture.import_greenmask('dump: {}')")
    assert "transformation" in report.message_primary
    shop.refused("22P02", "SELECT confiture.import_greenmask('dump: !!python/object/apply:os.system [x]')")
    shop.refused("42704", "SELECT confiture.import_greenmask('dump: {transformation: []}')")
    several = "dump: {transformation: [{schema: a, name: t}, {schema: b, name: t}]}"
    report = shop.refused("22023", f"SELECT * FROM confiture.import_greenmask_report('{several}')")
    assert report.message_detail == "They are a, b."
    name = "SELECT confiture.import_greenmask('dump: {transformation: [{name: t}]}', name => %s)"
    shop.refused("22023", name, ["no name"])
    shop.refused("22023", name, ["x\ncoverage: copy"])


def test_only_an_operator_imports(shop):
    role = shop.role("op")
    session = shop.session(role)
    call = "SELECT * FROM confiture.import_anon_report('prod')"
    shop.execute(f"SELECT confiture.grant_access('masker', '{role}')")
    session.refused("42501", call)
    shop.execute(f"SELECT confiture.grant_access('operator', '{role}')")
    assert session.rows(call) == []


def test_what_stands_nearer_takes_no_part(shop):
    label_shop(shop)
    expected = shop.rows("SELECT * FROM confiture.import_anon_report('prod')")
    session = shop.session()
    session.execute(
        "CREATE TEMP VIEW pg_seclabel AS SELECT 1/0 AS objoid; CREATE TEMP VIEW pg_class AS SELECT 1/0 AS oid"
    )
    session.execute("SET search_path = pg_temp, prod, public")
    assert session.rows("SELECT * FROM confiture.import_anon_report('prod')") == expected


PREDECESSOR = [
    # The example that it shipped, but for the form of telephone numbers.
    """
name: production
version: "1.0"
global_seed: 12345
strategies:
  user_key:  {type: hash,  config: {algorithm: sha256, length: 16, prefix: "user_"}, seed_env_var: ANONYMIZATION_SEED}
  mail:      {type: email, config: {preserve_domain: true}, seed_env_var: ANONYMIZATION_SEED}
  tel:       {type: phone, config: {preserve_country_code: true}}
  wipe:      {type: redact, config: {replacement: "[REDACTED]"}}
tables:
  users:
    rules:
      - {column: email, strategy: mail}
      - {column: api_token, strategy: user_key, seed: 99999}
      - {column: phone, strategy: tel, options: {}}
  orders:
    rules:
      - {column: customer_email, strategy: mail}
""",
    # The forms of its plans: a version that is a number, seeds inside config, lists of rules.
    """
name: production
version: 1.0
global_seed: 12345
strategies:
  email_mask:
    type: email
    config:
      format: "user_{hash}@example.com"
      hash_length: 8
      seed_env_var: ANONYMIZATION_SEED
  key: {type: hash, config: {seed: 7}}
tables:
  users:
    - column: email
      strategy: email_mask
    - column: code
      strategy: key
""",
]


@pytest.mark.parametrize("yaml", PREDECESSOR, ids=["shipped", "planned"])
def test_profiles_of_the_predecessor_load(db, yaml):
    assert "was loaded" in db.value("SELECT confiture.load_profile(%s)", [yaml])
    problems = db.rows("SELECT item, name FROM confiture.validate_profile(%s) WHERE item = 'error'", [yaml])
    assert problems == []
