"""A publisher with raw rows, and a subscriber that stores them masked: two servers of this machine."""

import random
import re
import subprocess
import time

import psycopg
import pytest

from samples import profile

TABLE = """
CREATE SCHEMA shop;
CREATE TABLE shop.people (
  id integer PRIMARY KEY,
  email text NOT NULL,
  phone text,
  note text,
  bio text,
  age integer,
  plan text DEFAULT 'free'
);
"""
PARTS = """
CREATE TABLE shop.visits (id integer, day date, email text, PRIMARY KEY (id, day)) PARTITION BY RANGE (day);
CREATE TABLE shop.visits_old PARTITION OF shop.visits FOR VALUES FROM ('2000-01-01') TO ('2020-01-01');
CREATE TABLE shop.visits_new (gone text, too text, day date NOT NULL, id integer NOT NULL, email text);
ALTER TABLE shop.visits_new DROP gone, DROP too;
ALTER TABLE shop.visits ATTACH PARTITION shop.visits_new FOR VALUES FROM ('2020-01-01') TO ('2030-01-01');
"""
RULES = {
    "email": "mail",
    "phone": "phone",
    "note": "redact",
    "bio": "cipher",
    "age": "bucket",
}
STRATEGIES = {
    "cipher": {"type": "fpe", "config": {"alphabet": "alnum"}},
    "bucket": {"type": "generalize", "config": {"step": 10}},
}


def shop(version="1", rules=None, name="shop", **more):
    """The profile of the table."""
    return profile(
        {"people": rules or RULES}, name=name, version=version, strategies=STRATEGIES, **more
    )


class Pair:
    """Two databases, of which one subscribes to the other."""

    def __init__(self, publisher, subscriber, name):
        self.raw = publisher.create_database(name=name, extension=False)
        self.here = subscriber.create_database(name=name)
        self.name = f"sub_{name}"
        where = publisher.environment
        self.conninfo = (
            f"host={where['PGHOST']} port={where['PGPORT']} dbname={name} user=postgres"
            " application_name=applies"
        )

    def both(self, sql):
        """The same statements on both sides."""
        self.raw.execute(sql)
        self.here.execute(sql)

    def publish(self, tables="shop.people", more=""):
        """What is sent."""
        self.raw.execute(f"CREATE PUBLICATION pub FOR TABLE {tables} {more}")

    def mask(self, document=None, schema="shop", name="shop"):
        """Loads a profile and masks by it what arrives."""
        self.here.load(document or shop())
        return self.here.rows("SELECT * FROM confiture.mask_replication(%s, %s)", [name, schema])

    def subscribe(self, options="streaming = off", wait=True):
        """Begins to receive."""
        self.here.execute(
            f"CREATE SUBSCRIPTION {self.name} CONNECTION '{self.conninfo}' PUBLICATION pub"
            f" WITH ({options})"
        )
        if wait:
            self.wait_for_copies()

    def wait_for_copies(self):
        """Until every table was copied."""
        wait(lambda: self.here.value(
            "SELECT bool_and(srsubstate = 'r') FROM pg_subscription_rel") is not False)
        self.catch_up()

    def catch_up(self):
        """Until what was written so far has been applied."""
        lsn = self.raw.value("SELECT pg_current_wal_lsn()")
        wait(lambda: self.raw.value(
            "SELECT count(*) > 0 AND bool_and(replay_lsn >= %s) FROM pg_stat_replication"
            " WHERE application_name = 'applies' OR application_name = %s", [lsn, self.name]))

    def stuck(self, log_from=0):
        """Waits for an error of a worker and returns what the server's log says of it."""
        found = []

        def look():
            log = self.here.server.log()[log_from:]
            found[:] = [log]
            # Newer servers say which of them it is.
            return "ERROR:" in log and re.search("logical replication (apply |tablesync )?worker", log)

        wait(look)
        return found[0]

    def mark(self):
        """Where the server's log ends now."""
        return len(self.here.server.log())

    def drop(self):
        """Ends it, also where it is stuck."""
        names = self.here.column(
            "SELECT subname FROM pg_subscription WHERE subdbid ="
            " (SELECT oid FROM pg_database WHERE datname = current_database())")
        for name in names:
            self.here.execute(f"ALTER SUBSCRIPTION {name} DISABLE")
            wait(lambda: self.here.value(
                "SELECT count(*) = 0 FROM pg_stat_activity WHERE datname = current_database()"
                " AND backend_type LIKE 'logical replication%%'", []))
            self.here.execute(f"ALTER SUBSCRIPTION {name} SET (slot_name = NONE)")
            self.here.execute(f"DROP SUBSCRIPTION {name}")
        self.here.drop()
        for slot in self.raw.column(
            "SELECT slot_name FROM pg_replication_slots WHERE database = current_database()"
        ):
            wait(lambda slot=slot: self.raw.value(
                "SELECT NOT active FROM pg_replication_slots WHERE slot_name = %s", [slot]))
            self.raw.execute("SELECT pg_drop_replication_slot(%s)", [slot])
        self.raw.drop()


def wait(condition, seconds=60):
    """Until it holds."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        try:
            if condition():
                return
        except psycopg.errors.OperationalError:
            pass
        time.sleep(0.05)
    raise AssertionError("waited in vain")


@pytest.fixture(scope="module")
def servers(private_server):
    """The publisher and the subscriber."""
    settings = ["wal_level=logical", "logical_decoding_work_mem=64kB", "max_replication_slots=20",
                "max_wal_senders=20", "wal_retrieve_retry_interval=200ms"]
    publisher = private_server(*settings, key_file=False)
    subscriber = private_server(*settings, "max_logical_replication_workers=12",
                                "max_worker_processes=24")
    return publisher, subscriber


@pytest.fixture
def pair(servers, request):
    """Two databases with one table, empty."""
    pair = Pair(*servers, f"p{abs(hash(request.node.name)) % 10**9}")
    pair.both(TABLE)
    yield pair
    pair.drop()


@pytest.fixture
def both(pair):
    """As `pair`, published, masked and subscribed to."""
    pair.publish()
    pair.mask()
    pair.subscribe()
    return pair


def words(count, seed=1):
    """Running text that does not compress away."""
    draw = random.Random(seed)
    letters = "abcdefghijklmnopqrstuvwxyz"
    return " ".join("".join(draw.choices(letters, k=draw.randint(3, 9))) for _ in range(count))


def kinds(pair, slot="peek"):
    """How the columns of the updates since the last call were sent: t text, n null, u unchanged."""
    found = []
    messages = pair.raw.column(
        "SELECT data FROM pg_logical_slot_get_binary_changes(%s, NULL, NULL,"
        " 'proto_version', '1', 'publication_names', 'pub')", [slot])
    for data in map(bytes, messages):
        if data[:1] != b"U":
            continue
        assert data[5:6] == b"N"
        at, sent = 8, ""
        for _ in range(int.from_bytes(data[6:8], "big")):
            kind = data[at:at + 1].decode()
            at += 1
            if kind == "t":
                at += 4 + int.from_bytes(data[at:at + 4], "big")
            sent += kind
        found.append(sent)
    return found


def by_a_run(pair, name="shop", schema="shop", table="people"):
    """What a run writes of the publisher's rows as they are now, read from there."""
    here = pair.here
    if not here.server.has("postgres_fdw"):
        pytest.skip("this PostgreSQL comes without postgres_fdw")
    where = pair.raw.server.environment
    here.execute(f"""
      CREATE EXTENSION IF NOT EXISTS postgres_fdw;
      DROP SERVER IF EXISTS far CASCADE; DROP SCHEMA IF EXISTS source, run CASCADE;
      CREATE SERVER far FOREIGN DATA WRAPPER postgres_fdw OPTIONS
        (host '{where["PGHOST"]}', port '{where["PGPORT"]}', dbname '{pair.raw.name}');
      CREATE USER MAPPING FOR postgres SERVER far OPTIONS (user 'postgres', password_required 'false');
      CREATE SCHEMA source; IMPORT FOREIGN SCHEMA {schema} LIMIT TO ({table}) FROM SERVER far INTO source""")
    here.sync(name, "source", "run")
    return here.rows(f"SELECT * FROM run.{table} ORDER BY 1")


def stored(pair, table="shop.people"):
    """What the subscriber holds."""
    return pair.here.rows(f"SELECT * FROM {table} ORDER BY 1")


def fill(pair, first, last):
    """Rows of the publisher."""
    pair.raw.execute(
        "INSERT INTO shop.people SELECT i, 'ORIGINAL-mail' || i || '@raw.example', 'ORIGINAL-phone 555' || i,"
        " 'ORIGINAL-note ' || i, 'Met Ada on the ' || i || 'th of May', i, 'gold'"
        " FROM generate_series(%s::int, %s::int) i", [first, last])


def with_lorem(version="1", rules=None, **more):
    """A profile that puts running text, of the same length, in the place of texts."""
    return profile(
        {"people": rules}, name="shop", version=version,
        strategies={"lorem": {"type": "lorem"}, "bucket": {"type": "generalize", "config": {"step": 10}}},
        **more)


def files_with(server, *texts):
    """Files of a server, its log and its write-ahead log among them, that hold one of the texts."""
    server.run("psql", "-X", "-c", "CHECKPOINT", database="postgres")
    patterns = "\n".join(texts)
    done = subprocess.run(
        ["grep", "-r", "-l", "-a", "-F", "-f", "-", str(server.folder)],
        input=patterns, text=True, capture_output=True, check=False)
    assert done.returncode in (0, 1), done.stderr
    return done.stdout.splitlines()


def triggers(here):
    """How many triggers the tables have that rows arrive in."""
    return here.value("SELECT count(*) FROM pg_trigger WHERE tgname = 'confiture_mask'")
