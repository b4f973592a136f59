"""What the catalog says of a table that is masked where it stands: cleared, taken off, put back."""

import pytest

from relation_files import files_with
from samples import keep_all, make_people, make_small, profile
from test_in_place import ORIGINALS, call, mask, masked, operator


@pytest.fixture
def db(db):
    """A database that says of itself that it is a copy."""
    db.execute("SET confiture.allow_in_place = on")
    return db


def test_values_for_rows_older_than_a_column_leave_the_catalog(db):
    """A default that rows never got a copy of: pg_attribute has it, and everybody reads that."""
    kept = "SELECT attrelid::regclass::text, attname FROM pg_attribute WHERE atthasmissing"
    make_people(db)
    db.execute("""
      CREATE TABLE prod.parted (id integer, region text) PARTITION BY LIST (region);
      CREATE TABLE prod.parted_fr PARTITION OF prod.parted FOR VALUES IN ('fr');
      INSERT INTO prod.parted VALUES (1, 'fr');
    """)
    for table in ("people", "parted"):
        db.execute(f"ALTER TABLE prod.{table} ADD owner text NOT NULL DEFAULT 'ada@work.example',"
                   " ADD plan text DEFAULT 'secret'")
        db.execute(f"ALTER TABLE prod.{table} ALTER owner DROP DEFAULT")
    assert {name for name, _ in db.rows(kept)} == {"prod.people", "prod.parted_fr"}
    db.load(profile({"people": {"owner": "mail"}, "parted": {"owner": "mail"}}))
    mask(db)
    assert db.rows(kept) == []
    assert "ada@work.example" not in db.column("SELECT owner FROM prod.people")
    assert db.column("SELECT DISTINCT plan FROM prod.people") == ["secret"]
    db.execute("VACUUM FULL pg_catalog.pg_attribute")
    assert files_with(db, "ada@work.example") <= {"pg_statistic", "pg_attrdef"}


def test_a_target_that_is_taken_over_loses_them_too(db):
    make_small(db)
    db.execute("CREATE SCHEMA staging")
    db.execute("CREATE TABLE staging.people (LIKE prod.people INCLUDING ALL)")
    for schema in ("prod", "staging"):
        db.execute(f"ALTER TABLE {schema}.people ADD owner text DEFAULT 'ada@work.example'")
    db.load(profile({"people": {"email": "mail", "owner": "mail"}}, version="2"))
    kept = "SELECT attrelid::regclass::text FROM pg_attribute WHERE atthasmissing"
    assert sorted(db.column(kept)) == ["prod.people", "staging.people"]
    db.sync(options='{"adopt": true}')
    assert db.column(kept) == ["prod.people"]
    # One that a run makes never had any.
    db.execute("DROP SCHEMA staging CASCADE")
    db.sync()
    assert db.column(kept) == ["prod.people"]


@pytest.mark.parametrize("schema", ["prod", "shared"])
def test_checks_that_are_not_valid_do_not_bind_what_is_masked(db, schema):
    make_people(db)
    db.execute(f"""
      CREATE SCHEMA IF NOT EXISTS {schema};
      CREATE DOMAIN {schema}.code AS text;
      CREATE DOMAIN {schema}.codes AS {schema}.code[];
      ALTER TABLE prod.people ADD code {schema}.code, ADD more {schema}.codes;
      UPDATE prod.people SET code = 'c' || id, more = ARRAY['c' || id]::{schema}.codes;
      ALTER DOMAIN {schema}.code ADD CONSTRAINT tight CHECK (VALUE = 'nothing') NOT VALID;
      COMMENT ON CONSTRAINT tight ON DOMAIN {schema}.code IS 'from now on';
      ALTER TABLE prod.people ADD CONSTRAINT narrow CHECK (email = 'nothing') NOT VALID;
      COMMENT ON CONSTRAINT narrow ON prod.people IS 'it''s for later';
    """)
    constraints = (
        "SELECT conname, convalidated, pg_get_constraintdef(oid), obj_description(oid)"
        " FROM pg_constraint WHERE conname IN ('tight', 'narrow') ORDER BY 1"
    )
    before = db.rows(constraints)
    db.load(profile({"people": {"email": "mail", "code": "hash", "more": "hash"}}))
    mask(db, '{"dry_run": true}')
    mask(db)
    assert db.rows(constraints) == before
    assert not set(masked(db).values()) & set(ORIGINALS)
    codes = db.column("SELECT code FROM prod.people") + db.column("SELECT more[1] FROM prod.people")
    assert len(codes) == 6 and not {"c1", "c2", "c3"} & set(codes)
    db.refused("23514", "INSERT INTO prod.people (id, email) VALUES (99, 'x')")
    db.refused("23514", f"SELECT 'x'::{schema}.code")


def test_a_domain_of_somebody_else_that_has_to_be_altered_is_said_beforehand(db):
    make_small(db)
    db.execute("CREATE DOMAIN prod.code AS text")
    db.execute("ALTER TABLE prod.people ADD code prod.code")
    role = operator(db)
    db.execute(f"ALTER SCHEMA prod OWNER TO {role}; ALTER TABLE prod.people OWNER TO {role}")
    db.execute("ALTER DOMAIN prod.code ADD CONSTRAINT tight CHECK (VALUE = 'no') NOT VALID")
    db.load(profile({"people": {"email": "mail"}}, version="2"))
    refused = db.session(role).refused("42501", *call('{"dry_run": true}'))
    assert "prod.code" in refused.message_primary
    # That of another schema is in the way of what is made anew only.
    db.execute("CREATE SCHEMA shared; ALTER DOMAIN prod.code SET SCHEMA shared;"
               "GRANT USAGE ON SCHEMA shared TO PUBLIC")
    db.session(role).execute(*call('{"dry_run": true}'))
    db.load(profile({"people": {"email": "mail", "code": "hash"}}, version="3"))
    refused = db.session(role).refused("42501", *call('{"dry_run": true}'))
    assert "shared.code" in refused.message_primary


def test_comments_of_foreign_keys_stay(db):
    """They are dropped and made again, also into a target that stands."""
    make_people(db)
    db.execute("""
      CREATE TABLE prod.orders (id integer PRIMARY KEY,
        buyer integer CONSTRAINT buys REFERENCES prod.people);
      INSERT INTO prod.orders VALUES (7, 1);
      COMMENT ON CONSTRAINT buys ON prod.orders IS 'who buys; it''s \\ known';
    """)
    comments = (
        "SELECT connamespace::regnamespace::text, obj_description(oid, 'pg_constraint')"
        " FROM pg_constraint WHERE conname = 'buys' ORDER BY 1"
    )
    comment = "who buys; it's \\ known"
    db.load(profile({"people": {"email": "mail"}, "orders": keep_all()}))
    db.sync()
    db.execute("COMMENT ON CONSTRAINT buys ON staging.orders IS 'of the target'")
    db.sync()
    mask(db, '{"was_source": true}')
    assert db.rows(comments) == [("prod", comment), ("staging", "of the target")]
