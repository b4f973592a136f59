"""The masked dump on a server where others plant, wait and stand in the way; and what it leaves there."""

import re

import pytest

from masked_dumps import PROFILE, SCRIPT, dump, name_of, nothing_is_left

MARK = re.search(r"(?m)^mark='(.*)'$", SCRIPT.read_text(encoding="utf-8"))[1]
CUSTOMERS = """
CREATE SCHEMA prod;
CREATE TABLE prod.customers (id integer PRIMARY KEY, email text, name text);
INSERT INTO prod.customers
SELECT i, 'customer' || i || '@secret.example', 'Secret Name ' || i FROM generate_series(1, {rows}) i;
"""
# Operators and functions that fit what the script says closer than those of PostgreSQL do.
PLANTED = """
CREATE TABLE public.ran (who text);
GRANT INSERT ON public.ran TO PUBLIC;
CREATE FUNCTION public.note_name(name, name) RETURNS text LANGUAGE plpgsql AS
  $$ BEGIN INSERT INTO public.ran VALUES (session_user); RETURN concat($1, $2); END $$;
CREATE FUNCTION public.note_text(name, text) RETURNS text LANGUAGE plpgsql AS
  $$ BEGIN INSERT INTO public.ran VALUES (session_user); RETURN concat($1, $2); END $$;
CREATE FUNCTION public.format(text, name, name) RETURNS text LANGUAGE plpgsql AS
  $$ BEGIN INSERT INTO public.ran VALUES (session_user); RETURN ''; END $$;
CREATE FUNCTION public.format(text, name, text) RETURNS text LANGUAGE plpgsql AS
  $$ BEGIN INSERT INTO public.ran VALUES (session_user); RETURN ''; END $$;
CREATE OPERATOR public.|| (leftarg = name, rightarg = name, function = public.note_name);
CREATE OPERATOR public.|| (leftarg = name, rightarg = text, function = public.note_text);
"""


def shop(server, rows=400):
    """A database with customers, one who dumps them and is no superuser, and one who may do nothing."""
    database = server.create_database(name="shop")
    database.execute(CUSTOMERS.format(rows=rows))
    database.load(PROFILE.split("  orders:")[0])
    database.execute("""
        CREATE ROLE dumper LOGIN CREATEDB;
        CREATE ROLE mallory LOGIN;
        GRANT CREATE ON DATABASE shop TO dumper;
        GRANT USAGE ON SCHEMA prod TO dumper;
        GRANT SELECT ON ALL TABLES IN SCHEMA prod TO dumper""")
    database.execute("SELECT confiture.grant_access('operator', 'dumper')")
    return database


@pytest.fixture(scope="module")
def server(private_server):
    """As PostgreSQL 14 makes them: PUBLIC may create in the schema public of a fresh database."""
    server = private_server()
    with server.connect("postgres") as connection:
        connection.execute("ALTER DATABASE template0 ALLOW_CONNECTIONS true")
    with server.connect("template0") as connection:
        connection.execute("GRANT CREATE ON SCHEMA public TO PUBLIC")
    with server.connect("postgres") as connection:
        connection.execute("ALTER DATABASE template0 ALLOW_CONNECTIONS false")
    return server


@pytest.fixture(scope="module")
def production(server):
    return shop(server)


@pytest.fixture
def meanwhile(tmp_path_factory):
    """What happens while the last pg_dump of a call begins: lines for sh; returns a PATH for that."""
    folder = tmp_path_factory.mktemp("bin")

    def happens(production, lines):
        program = folder / "pg_dump"
        real = production.server.bindir / "pg_dump"
        program.write_text(
            f'#!/bin/sh\ncase "$*" in *"-d confiture_dump_"*)\nscratch={name_of(production)}\n'
            f'{lines}\n;;\nesac\nexec "{real}" "$@"\n',
            encoding="utf-8",
        )
        program.chmod(0o755)
        return f"{folder}:{production.server.environment['PATH']}"

    return happens


def test_what_others_planted_in_public_is_not_called(production, tmp_path):
    production.execute("GRANT CREATE ON SCHEMA public TO mallory")
    production.session("mallory").execute(PLANTED)
    try:
        # It is closer than what PostgreSQL has.
        production.execute("BEGIN; SELECT current_database() || '/'")
        assert production.column("SELECT who FROM public.ran") == ["postgres"]
        production.execute("ROLLBACK")
        dump(production, "-n", "shop", "prod", tmp_path / "x")
        dump(production, "shop", "prod", tmp_path / "x")
        assert production.rows("SELECT * FROM public.ran") == []
    finally:
        production.execute("DROP OWNED BY mallory")


@pytest.mark.parametrize(
    "made",
    [
        [],
        ["ALTER DATABASE {name} ALLOW_CONNECTIONS false"],
        ["COMMENT ON DATABASE {name} IS '{mark}'", "ALTER DATABASE {name} OWNER TO mallory"],
    ],
    ids=["without mark", "shut", "of another role"],
)
def test_a_database_that_was_not_made_by_it_stays(production, tmp_path, made):
    name = name_of(production)
    production.execute(f"CREATE DATABASE {name}")
    try:
        for statement in made:
            production.execute(statement.format(name=name, mark=MARK))
        done = dump(production, "shop", "prod", tmp_path / "x", status=1)
        assert f"database {name} is in the way" in done.stderr
        dump(production, "-n", "shop", "prod", tmp_path / "x")
        assert production.value(f"SELECT count(*) FROM pg_database WHERE datname = '{name}'") == 1
    finally:
        production.execute(f"DROP DATABASE {name}")
    assert nothing_is_left(production)


def test_a_schema_that_another_role_marked_stays(production, tmp_path):
    name = name_of(production)
    production.execute(
        f"CREATE SCHEMA {name} AUTHORIZATION mallory; COMMENT ON SCHEMA {name} IS '{MARK}'"
    )
    try:
        done = dump(production, "shop", "prod", tmp_path / "x", status=1)
        assert f"schema {name} is in the way" in done.stderr and not nothing_is_left(production)
    finally:
        production.execute(f"DROP SCHEMA {name}")


def test_a_database_that_was_not_marked_in_time_is_cleared(production, tmp_path):
    """As a call leaves it that is killed while the server makes the database."""
    name = name_of(production)
    production.execute(f"CREATE SCHEMA {name}; COMMENT ON SCHEMA {name} IS '{MARK}'")
    production.execute(f"CREATE DATABASE {name} ALLOW_CONNECTIONS false")
    dump(production, "shop", "prod", tmp_path / "x")
    assert nothing_is_left(production)


def test_a_dry_run_waits_for_nobody_and_drops_nothing(production, tmp_path):
    name = name_of(production)
    production.execute(f"CREATE SCHEMA {name}; COMMENT ON SCHEMA {name} IS '{MARK}'")
    production.execute(f"CREATE DATABASE {name} ALLOW_CONNECTIONS false")
    production.execute("SELECT pg_advisory_lock(hashtext(%s), 1919)", [name])
    try:
        done = dump(production, "-n", "shop", "prod", tmp_path / "x")
        assert done.stdout == "customers: 2 columns masked, 1 copied\n"
        assert production.value(f"SELECT count(*) FROM pg_database WHERE datname = '{name}'") == 1
        assert production.value(f"SELECT count(*) FROM pg_namespace WHERE nspname = '{name}'") == 1
    finally:
        production.execute("SELECT pg_advisory_unlock_all()")
        production.execute(f"DROP SCHEMA {name}")
        production.execute(f"DROP DATABASE {name}")


def test_nobody_else_may_connect_to_what_is_made(production, tmp_path, meanwhile):
    path = meanwhile(production, f"""
        (psql -XAt -U mallory -d $scratch -c 'SELECT pg_sleep(20)' >{tmp_path}/said 2>&1 &)
        sleep 1""")
    dump(production, "shop", "prod", tmp_path / "x", PATH=path, PGUSER="dumper")
    assert "permission denied for database" in (tmp_path / "said").read_text(encoding="utf-8")
    assert nothing_is_left(production)


def test_where_it_cannot_take_its_own_away_there_is_no_output(production, tmp_path, meanwhile):
    """A superuser looks into the database, whom the one who dumps may not send away."""
    path = meanwhile(production, "(psql -Xqd $scratch -U postgres -c 'SELECT pg_sleep(100)' "
                                 ">/dev/null 2>&1 &)\nsleep 1")
    done = dump(production, "shop", "prod", tmp_path / "x", PATH=path, PGUSER="dumper", status=2)
    assert "the next call tries again" in done.stderr
    assert not list(tmp_path.iterdir())
    name = name_of(production)
    # What stays is closed, and the schema with the masked rows is gone.
    assert production.rows("SELECT datallowconn FROM pg_database WHERE datname = %s", [name]) == [(False,)]
    assert production.rows("SELECT FROM pg_namespace WHERE nspname = %s", [name]) == []
    production.execute("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = %s", [name])
    dump(production, "shop", "prod", tmp_path / "x", PGUSER="dumper")
    assert nothing_is_left(production)


def test_a_worker_of_autovacuum_does_not_hold_it_up(private_server, tmp_path, meanwhile):
    """One who dumps and is no superuser may not end it, as DROP DATABASE … WITH (FORCE) would."""
    production = shop(private_server(
        "autovacuum_naptime=1s", "autovacuum_max_workers=20",
        "autovacuum_vacuum_cost_delay=100ms", "autovacuum_vacuum_cost_limit=1",
    ), rows=20000)
    path = meanwhile(production, f"""
        for i in $(seq 300); do
            psql -XAtq -U postgres -d $scratch -c "SELECT backend_type FROM pg_stat_activity WHERE
              datname = '$scratch' AND backend_type LIKE 'autov%'" >{tmp_path}/workers
            [ ! -s {tmp_path}/workers ] || break
            sleep 0.1
        done""")
    dump(production, "shop", "prod", tmp_path / "x", PATH=path, PGUSER="dumper")
    assert (tmp_path / "workers").read_text(encoding="utf-8") == "autovacuum worker\n"
    assert nothing_is_left(production)


def test_nobody_else_plants_into_the_file(production, tmp_path, meanwhile):
    """Where a fresh database lets PUBLIC create in public."""
    production.execute("CREATE DATABASE fresh TEMPLATE template0")
    with production.server.connect("fresh", user="mallory") as connection:
        connection.execute("CREATE TABLE public.planted ()")
    production.execute("DROP DATABASE fresh")
    path = meanwhile(production, f"""
        psql -X -U mallory -d $scratch -c 'CREATE TABLE public.planted ()' >/dev/null 2>&1
        psql -XAt -d $scratch -c "SELECT has_schema_privilege('mallory', 'public', 'CREATE')" >{tmp_path}/may""")
    dump(production, "-F", "plain", "shop", "prod", tmp_path / "x", PATH=path)
    assert "planted" not in (tmp_path / "x").read_text(encoding="utf-8")
    # A second line: neither may whoever comes in all the same.
    assert (tmp_path / "may").read_text(encoding="utf-8") == "f\n"


def test_constants_of_masked_columns_are_warned_of(production, tmp_path):
    """What is acknowledged is in the dump, and what the page names besides."""
    production.execute("""
        CREATE SCHEMA words;
        CREATE TYPE words.kind AS ENUM ('label-of-ada');
        CREATE DOMAIN words.mail AS text DEFAULT 'domain-of-ada';
        CREATE TABLE words.customers (
          id bigint GENERATED BY DEFAULT AS IDENTITY (START WITH 7770000000001), email words.mail,
          name text, pin integer CHECK (pin <> 777123), city text CHECK (city <> 'check-of-ada'),
          kind words.kind DEFAULT 'label-of-ada', CONSTRAINT "name-of-ada" CHECK (id > 0),
          is_ada boolean GENERATED ALWAYS AS (email = 'generated-of-ada') STORED
        ) PARTITION BY LIST (city);
        CREATE TABLE words."part-of-ada" PARTITION OF words.customers FOR VALUES IN ('bound-of-ada');
        INSERT INTO words.customers (email, name, pin, city)
        VALUES ('ada@secret.example', 'Ada', 47114711, 'bound-of-ada')""")
    document = """
name: words
version: "1.0"
coverage: strict
acknowledge: ACKNOWLEDGED
strategies: {email: {type: email}, name: {type: redact}, number: {type: fpe}}
tables:
  customers:
    rules:
      - {column: email, strategy: email}
      - {column: name, strategy: name}
      - {column: id, strategy: number}
      - {column: pin, strategy: number}
    preserve: [{column: "*", why: a test}]
"""
    try:
        production.load(document.replace("ACKNOWLEDGED", "[]"))
        warned = production.column(
            "SELECT column_name FROM confiture.plan_warnings('words', 'words', 'elsewhere')"
            " WHERE id = 'check_constant' ORDER BY 1"
        )
        assert warned == ["email", "id", "is_ada", "pin"]
        dump(production, "-F", "plain", "words", "words", tmp_path / "x", status=1)
        known = "[{warning: check_constant, why: a test}]"
        production.load(document.replace("ACKNOWLEDGED", known).replace('"1.0"', '"1.1"'))
        dump(production, "-F", "plain", "words", "words", tmp_path / "x")
        text = (tmp_path / "x").read_text(encoding="utf-8")
        for constant in (
            "DEFAULT 'domain-of-ada'", "START WITH 7770000000001", "<> 777123", "<> 'check-of-ada'",
            "= 'generated-of-ada'", "IN ('bound-of-ada')", "    'label-of-ada'",
            'CONSTRAINT "name-of-ada"', 'TABLE words."part-of-ada"',
        ):
            assert constant in text, constant
        # The rows and the sequence are masked all the same.
        assert "ada@secret.example" not in text and "47114711" not in text
        assert text.count("7770000000001") == 1
    finally:
        production.execute("DROP SCHEMA words CASCADE")
