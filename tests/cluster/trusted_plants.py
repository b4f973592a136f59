"""What a weaker owner plants to have code run by whoever reads his tables, for the tests of that.

`theirs.called` tells whether anything of it ran for a superuser; a sequence keeps that after ROLLBACK.
"""

from samples import make_small
from test_concurrency import Background, wait_until

# Why these rows: the planner calls the difference of a range type for a constant between two bounds that
# it has a sample of.
DIFFERENCE = """
CREATE FUNCTION theirs.diff(a float8, b float8) RETURNS float8 LANGUAGE plpgsql IMMUTABLE AS $$
BEGIN
  IF current_setting('is_superuser') = 'on' THEN PERFORM nextval('theirs.called'); END IF;
  RETURN a - b;
END $$;
CREATE TYPE theirs.r AS RANGE (SUBTYPE = float8, SUBTYPE_DIFF = theirs.diff);
CREATE TABLE theirs.ranges AS SELECT theirs.r(i, i + 3) AS r FROM generate_series(1, 500) i;
ANALYZE theirs.ranges;
ALTER FUNCTION theirs.diff VOLATILE;
"""
IN_RANGES = "EXISTS (SELECT FROM theirs.ranges WHERE r && '[17.5,33.25)'::theirs.r)"

# Functions in SQL, which the server puts in line: they call the server's own, which do harm.
CAST = """
CREATE TYPE theirs.t AS (v text);
CREATE FUNCTION theirs.f(theirs.t) RETURNS text LANGUAGE sql AS
  $$ SELECT current_user || length(pg_read_file('/etc/passwd')) || nextval('theirs.called') $$;
CREATE CAST (theirs.t AS text) WITH FUNCTION theirs.f(theirs.t) AS IMPLICIT;
CREATE FUNCTION theirs.i(theirs.t) RETURNS integer LANGUAGE sql AS
  $$ SELECT (length(pg_read_file('/etc/passwd')) + nextval('theirs.called'))::int $$;
CREATE CAST (theirs.t AS integer) WITH FUNCTION theirs.i(theirs.t) AS IMPLICIT;
CREATE TABLE theirs.cast_trap (id {id}, email theirs.t, note theirs.t);
INSERT INTO theirs.cast_trap
SELECT {value}, '(a@b.example)'::theirs.t, '(n)'::theirs.t FROM generate_series(1, 30) i;
"""
IDS = {"integer": "i", "theirs.t": "(('(' || i || ')')::text)::theirs.t"}

# A server that leads back here, as whoever asks: in that session nobody holds anything back.
FOREIGN = """
CREATE FUNCTION theirs.ev(v text) RETURNS text LANGUAGE plpgsql AS $$
BEGIN
  IF current_setting('is_superuser') = 'on' THEN PERFORM nextval('theirs.called'); END IF;
  RETURN v;
END $$;
CREATE VIEW theirs.rows AS SELECT i AS id, theirs.ev('a@b.example') AS email, 'n'::text AS note,
       ('2020-01-01' || left(theirs.ev('x'), 0))::date AS at FROM generate_series(1, 30) i;
CREATE SERVER loop FOREIGN DATA WRAPPER postgres_fdw OPTIONS (host '{host}', port '{port}', dbname '{name}');
CREATE USER MAPPING FOR PUBLIC SERVER loop;
CREATE FOREIGN TABLE theirs.foreign_trap (id integer, email text, note text, at date)
  SERVER loop OPTIONS (schema_name 'theirs', table_name 'rows');
"""


def make_owner(db, schemas=("prod", "staging")):
    """A role that owns schemas, their tables and a schema `theirs`: a session of it, in a transaction."""
    role = db.role("owner")
    db.execute(f"CREATE SCHEMA theirs AUTHORIZATION {role}")
    for schema in schemas:
        db.execute(f"ALTER SCHEMA {schema} OWNER TO {role}")
        for table in db.column("SELECT tablename FROM pg_tables WHERE schemaname = %s", [schema]):
            db.execute(f"ALTER TABLE {schema}.{table} OWNER TO {role}")
    session = db.session(role, autocommit=False)
    session.execute("CREATE SEQUENCE theirs.called")
    session.connection.commit()
    return session


def plant(db, owner, what, id_type="integer"):
    """Makes what will stand in the place of a table: its name in `theirs`, and whether it is a view."""
    if what == "cast":
        owner.execute(CAST.format(id=id_type, value=IDS[id_type]))
    elif what == "range":
        owner.execute(DIFFERENCE)
    else:
        db.execute("CREATE EXTENSION postgres_fdw")
        role = owner.value("SELECT session_user")
        owner.connection.commit()
        db.execute(f"GRANT USAGE ON FOREIGN DATA WRAPPER postgres_fdw TO {role}")
        at = db.server.environment
        owner.execute(FOREIGN.format(host=at["PGHOST"], port=at["PGPORT"], name=db.name))
    owner.connection.commit()


def swap(owner, what, table, columns="id, email, note"):
    """Puts it there, in the transaction of the owner."""
    schema, name = table.split(".")
    owner.execute(f"ALTER TABLE {table} RENAME TO {name}_was")
    if what == "range":
        owner.execute(f"CREATE VIEW {table} AS SELECT {columns} FROM {schema}.{name}_was WHERE {IN_RANGES}")
        return
    kind = {"cast": "TABLE", "foreign": "FOREIGN TABLE"}[what]
    owner.execute(f"ALTER {kind} theirs.{what}_trap SET SCHEMA {schema}")
    owner.execute(f"ALTER {kind} {schema}.{what}_trap RENAME TO {name}")


def was_called(db):
    return db.value("SELECT is_called FROM theirs.called")


def while_waiting(db, owner, table, change, ask):
    """Asks, waits for the owner of the table, who makes a change; the error."""
    owner.execute(f"LOCK TABLE {table} IN ACCESS EXCLUSIVE MODE")
    asking = db.session()
    asked = Background(lambda: asking.rows(ask))
    wait_until(lambda: asked.error or db.value("SELECT cardinality(pg_blocking_pids(%s)) > 0", [asking.pid()]))
    change()
    owner.connection.commit()
    return asked.result()


def verify_a_fleet(db, owner):
    """Looks at `theirs.ledger` while the owner makes something else of it, which is not read."""
    asking, found = db.session(), []
    ask = """SELECT status, detail FROM confiture.verify_fleet('[{"server": "a", "ledger": "theirs.ledger"}]')
             WHERE check_code = 'SERVER'"""
    asked = Background(lambda: found.extend(asking.rows(ask)))
    wait_until(lambda: db.value("SELECT cardinality(pg_blocking_pids(%s)) > 0", [asking.pid()]))
    owner.connection.commit()
    assert asked.result() is None
    assert found == [("unverifiable", "Its ledger could not be read (SQLSTATE 42501).")]


def make_synced(db, rows=False):
    """The small sample, copied to `staging`; with a commitment to each row on request."""
    make_small(db)
    db.sync(options='{"lineage_rows": true}' if rows else None)
