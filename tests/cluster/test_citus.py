"""A coordinator and two workers of Citus: masks run where the rows are, by one key.

What needs Citus is skipped where the server under test does not have it. `CONFITURE_WRITE=1` puts the
outputs of this run into the page on many servers.
"""

import re

import doc_blocks
import pytest

from server import ROOT

PAGE = ROOT / "docs" / "many-servers.md"
WHERE = "-- on the coordinator\n"
# What wraps the masking key on its way: the same on all nodes.
KEK = "8899aabbccddeeff0011223344556677" * 2
SETTINGS = [
    "shared_preload_libraries=citus",
    "max_prepared_transactions=20",
    "citus.shard_count=4",
    "citus.node_conninfo=sslmode=prefer",
]
ROWS = 200
MASKED = (
    "SELECT id, anon_email(email), anon_name(name), anon_phone(phone),"
    " anon_date_shift(born, entity => id::text) FROM prod.customers"
)
COPY = f"INSERT INTO staging.customers {MASKED}"
STATUS = "SELECT node, status, fingerprint, detail FROM confiture.citus_nodes()"
# Drawn anew for each call, or kept where they are called: in two steps.
VOLATILE = [
    "anon_detokenize",
    "anon_dp_choice",
    "anon_dp_noise",
    "anon_fpe_decrypt",
    "anon_ip_decrypt",
    "anon_tokenize",
]


class Cluster:
    """The nodes, each with a key-encryption key of its own and one that all of them can use."""

    def __init__(self, make):
        servers = [make(*SETTINGS, environment={"CONFITURE_KEK": KEK}) for _ in range(3)]
        self.nodes = [server.create_database(name="shop", extension=False) for server in servers]
        self.coordinator, *self.workers = self.nodes
        for node in self.nodes:
            node.execute("CREATE EXTENSION citus")
        places = [(server.environment["PGHOST"], int(server.environment["PGPORT"])) for server in servers]
        self.names = [f"{host}:{port}" for host, port in places]
        self.coordinator.execute("SELECT citus_set_coordinator_host(%s, %s)", places[0])
        for place in places[1:]:
            self.coordinator.execute("SELECT citus_add_node(%s, %s)", place)

    def fill(self):
        """Two tables, distributed alike, and rows in one of them."""
        self.coordinator.execute(
            "CREATE SCHEMA prod; CREATE SCHEMA staging;"
            " CREATE TABLE prod.customers"
            " (id bigint PRIMARY KEY, email text, name text, phone text, born date);"
            " CREATE TABLE staging.customers (LIKE prod.customers INCLUDING ALL)"
        )
        self.coordinator.execute("SELECT create_distributed_table('prod.customers', 'id')")
        self.coordinator.execute(
            "SELECT create_distributed_table('staging.customers', 'id', colocate_with => 'prod.customers')"
        )
        self.coordinator.execute(
            "INSERT INTO prod.customers SELECT i, 'c' || i || '@mail.example', 'Ann Lee',"
            " '+44 20 7946 0' || 100 + i, '1980-01-01'::date + i FROM generate_series(1, %s) i",
            [ROWS],
        )

    def status(self):
        """What citus_nodes says: {node: (status, fingerprint, detail)}."""
        return {row[0]: row[1:] for row in self.coordinator.rows(STATUS)}

    def said(self, worker):
        """What it says of one worker, by its place in the list."""
        return self.status()[self.names[1 + worker]]

    def set_up(self):
        """The setup, and what it told."""
        self.coordinator.notices.clear()
        self.coordinator.execute("CALL confiture.citus_setup('env')")
        return [notice["message_primary"] for notice in self.coordinator.notices]

    def plan(self, statement):
        """EXPLAIN of a statement, on the coordinator."""
        return "\n".join(self.coordinator.column(f"EXPLAIN (COSTS OFF) {statement}"))

    def events(self):
        """The events of every ledger."""
        return [node.all_events() for node in self.nodes]


@pytest.fixture(scope="module")
def cluster(server, private_server):
    """Two tables that are distributed alike, and keys as the setup leaves them; what it was before."""
    if not server.has("citus"):
        pytest.skip("this PostgreSQL comes without Citus")
    made = Cluster(private_server)
    made.coordinator.execute("CREATE EXTENSION confiture")
    made.fill()
    for node in made.nodes:
        node.execute("SELECT confiture.init_key_file()")
    made.keyless = made.status()
    made.coordinator.execute("SELECT confiture.create_key('masking')")
    made.coordinator.execute("SELECT confiture.create_key('salt-people')")
    # A key of its own, which is another one.
    made.workers[1].execute("SELECT confiture.create_key('masking')")
    made.before = made.status()
    made.events_before = made.events()
    made.refused = made.coordinator.refused("55000", COPY)
    made.told = made.set_up()
    return made


@pytest.fixture
def copied(cluster):
    """As `cluster`, with masked rows."""
    cluster.coordinator.execute("TRUNCATE staging.customers")
    cluster.coordinator.execute(COPY)
    return cluster


# --- The setup -----------------------------------------------------------------------------------


def test_without_citus_there_is_nothing_to_set_up(db):
    for call in ["SELECT * FROM confiture.citus_nodes()", "CALL confiture.citus_setup()"]:
        report = db.refused("0A000", call)
        assert report.message_primary == "Citus is not installed in this database"
        assert "share_key" in report.message_hint


def test_nodes_are_shown_with_what_is_missing(cluster):
    names = ["coordinator", *cluster.names[1:]]
    assert list(cluster.keyless) == names
    assert {row[:2] for row in cluster.keyless.values()} == {("fail", None)}
    assert all("no masking key" in row[2] for row in cluster.keyless.values())
    here, first, second = cluster.before.values()
    assert here[0] == first[0] == second[0] == "to do"
    assert here[2] == "make a key that signs"
    assert first[1:] == (
        None, 'make a key that signs; share the key for "masking"; share the key for "salt-people"'
    )
    assert second[1] not in (None, here[1])
    assert "make a key that signs; share the key for \"masking\", in the place of another;" in second[2]


def test_looking_changes_nothing(cluster):
    """A dry run leaves no entry, no id and no document."""
    assert [len(events) for events in cluster.events_before] == [2, 0, 1]


def test_a_worker_without_the_key_is_a_clear_error(cluster):
    report = cluster.refused
    assert report.message_primary == 'there is no "masking" key'
    assert cluster.before[cluster.names[1]][0] == "to do"


def test_every_node_gets_the_key_and_one_of_its_own_that_signs(cluster):
    status = cluster.status()
    assert [row[0] for row in status.values()] == ["ok"] * 3
    assert len({row[1] for row in status.values()}) == 1
    assert [row[2] for row in status.values()] == [None] * 3
    told = "\n".join(cluster.told)
    assert len(cluster.told) == 3 and told.count("made a key that signs") == 3
    assert told.count('shared the key for "masking"') == told.count('shared the key for "salt-people"') == 2
    assert told.count("in the place of another") == 1
    signing = [node.value("SELECT confiture.anchor_key()") for node in cluster.nodes]
    assert len(set(signing)) == 3


def test_the_setup_is_on_record_on_every_node(cluster):
    here, *workers = cluster.events()
    assert here == ["KEY_CREATED", "KEY_CREATED", "KEY_CREATED", *["KEY_SHARED"] * 4]
    assert workers[0] == ["KEY_CREATED", "KEY_IMPORTED", "KEY_IMPORTED"]
    assert workers[1] == ["KEY_CREATED", "KEY_CREATED", "KEY_IMPORTED", "KEY_IMPORTED"]
    for node in cluster.nodes:
        assert node.findings()["OK"][0] == "ok"
    installations = [str(node.value("SELECT confiture.installation_id()")) for node in cluster.nodes]
    recipients = cluster.coordinator.column(
        "SELECT DISTINCT details ->> 'recipient' FROM confiture.audit_log WHERE event = 'KEY_SHARED'"
    )
    assert set(recipients) == set(installations[1:])


def test_the_setup_does_nothing_twice(cluster):
    before = cluster.events()
    told = cluster.set_up()
    assert all(": ok, " in line and "shared" not in line for line in told), told
    assert cluster.events() == before


def test_what_travels_is_a_wrapped_key(cluster):
    """The statement that brings the document may be in a log; it is as good as the row it lies in."""
    documents = cluster.coordinator.column("SELECT shared::text FROM confiture.shared_key")
    assert len(documents) == 4 and all('"provider": "env"' in text for text in documents)
    for node in cluster.nodes:
        assert KEK not in node.server.log()


def test_a_rotation_is_shared_by_the_next_setup(cluster):
    cluster.coordinator.execute("SELECT confiture.rotate_key('masking')")
    status = cluster.status()
    assert [row[0] for row in status.values()] == ["ok", "to do", "to do"]
    cluster.set_up()
    status = cluster.status()
    assert [row[0] for row in status.values()] == ["ok"] * 3
    assert len({row[1] for row in status.values()}) == 1


def test_the_setup_commits_and_says_where_it_cannot(cluster):
    session = cluster.coordinator.session(autocommit=False)
    report = session.refused("25001", "CALL confiture.citus_setup('env')")
    assert "autocommit" in report.message_hint


def test_a_worker_is_sent_to_the_coordinator(cluster):
    report = cluster.workers[0].refused("55000", "SELECT * FROM confiture.citus_nodes()")
    assert report.message_hint == "Call it on the coordinator."


# --- Nodes that cannot be set up -----------------------------------------------------------------


def refused_setup(cluster, part):
    """The setup goes on with the others, and names the first worker and what is wrong there."""
    assert cluster.said(0)[0] == "fail" and part in cluster.said(0)[2]
    report = cluster.coordinator.refused("55000", "CALL confiture.citus_setup('env')")
    assert report.message_primary == "1 of 3 nodes not set up"
    assert cluster.names[1] in report.message_detail and part in report.message_detail
    assert cluster.said(1)[0] == "ok"


def test_a_node_that_does_not_answer_is_named(cluster):
    update = "UPDATE pg_dist_node SET nodeport = %s WHERE nodeport = %s"
    port = int(cluster.workers[0].server.environment["PGPORT"])
    name = cluster.names[1]
    cluster.coordinator.execute(update, [1, port])
    try:
        cluster.names[1] = name.replace(str(port), "1")
        refused_setup(cluster, "connect")
    finally:
        cluster.names[1] = name
        cluster.coordinator.execute(update, [port, 1])


def test_a_node_with_another_version_is_named(cluster):
    update = "UPDATE pg_extension SET extversion = %s WHERE extname = 'confiture'"
    version = cluster.coordinator.value("SELECT extversion FROM pg_extension WHERE extname = 'confiture'")
    cluster.workers[0].execute(update, ["0.0.1"])
    try:
        refused_setup(cluster, "version 0.0.1 there")
    finally:
        cluster.workers[0].execute(update, [version])


def test_a_node_whose_provider_does_not_work_is_named(cluster):
    worker = cluster.workers[0]
    path = worker.value("SELECT current_setting('confiture.key_file')")
    worker.configure(key_file="/nowhere/confiture.key")
    try:
        refused_setup(cluster, "key file")
    finally:
        worker.configure(key_file=path)


def test_a_node_that_cannot_unwrap_the_key_is_named(cluster):
    """Each node has a key file of its own, so that one of another opens nothing."""
    cluster.coordinator.execute("SELECT confiture.rotate_key('masking')")
    shared = cluster.coordinator.all_events().count("KEY_SHARED")
    report = cluster.coordinator.refused("55000", "CALL confiture.citus_setup('file')")
    assert report.message_primary == "2 of 3 nodes not set up"
    # What was sent stays on record, whatever became of it.
    assert cluster.coordinator.all_events().count("KEY_SHARED") == shared + 2
    assert 'share the key for "masking", in the place of another failed:' in report.message_detail
    cluster.set_up()
    assert [row[0] for row in cluster.status().values()] == ["ok"] * 3


def test_an_admin_sets_up_with_rights_on_every_node(cluster):
    cluster.coordinator.execute("CREATE ROLE steward LOGIN")
    session = cluster.coordinator.session("steward")
    session.refused("42501", "SELECT * FROM confiture.citus_nodes()")
    cluster.coordinator.execute("SELECT confiture.grant_access('admin', 'steward')")
    rows = session.rows(STATUS)
    assert [row[1] for row in rows] == ["ok", "fail", "fail"]
    assert "permission denied" in rows[1][3]
    for worker in cluster.workers:
        worker.execute("SELECT confiture.grant_access('admin', 'steward')")
    assert [row[1] for row in session.rows(STATUS)] == ["ok"] * 3
    session.execute("CALL confiture.citus_setup('env')")


# --- Masks where the rows are --------------------------------------------------------------------


def is_pushed_down(plan):
    """Whether a worker inserts what it selects: one task for each shard, and no other method."""
    return "INSERT/SELECT method" not in plan and "Task Count: 4" in plan and "->  Insert on" in plan


def is_sent_on(plan):
    """Whether the workers select, and send rows to each other."""
    return "INSERT/SELECT method: repartition" in plan and "Task Count: 4" in plan


def test_masks_run_on_the_workers(copied):
    plan = copied.plan(COPY)
    assert is_pushed_down(plan), plan
    assert copied.coordinator.value("SELECT count(*) FROM staging.customers") == ROWS
    # What it looks like where rows come to the coordinator.
    plan = copied.plan(f"{COPY} LIMIT 10")
    assert "INSERT/SELECT method: pull to coordinator" in plan and not is_pushed_down(plan)


def test_a_value_has_the_same_pseudonym_on_every_node(copied):
    """Masked once more on the coordinator, and on each worker by itself."""
    pseudonyms = dict(copied.coordinator.rows("SELECT id, email FROM staging.customers"))
    assert len(set(pseudonyms.values())) == ROWS
    for node in copied.nodes:
        again = node.rows(
            "SELECT i, anon_email('c' || i || '@mail.example') FROM generate_series(1, %s) i", [ROWS]
        )
        assert dict(again) == pseudonyms
    salted = {node.value("SELECT anon_salted_hash('x', salt => 'people')") for node in copied.nodes}
    assert len(salted) == 1
    placed = copied.coordinator.value(
        "SELECT count(DISTINCT nodeport) FROM citus_shards WHERE table_name = 'staging.customers'::regclass"
    )
    assert placed == 2


def test_no_original_is_in_the_copy(copied):
    left = copied.coordinator.value(
        "SELECT count(*) FROM prod.customers p JOIN staging.customers s USING (id)"
        " WHERE p.email = s.email OR p.phone = s.phone OR p.born = s.born"
    )
    assert left < ROWS / 50


def masks(cluster):
    """Every mask: (name, volatility, its declaration as text, argument names, types, needed ones)."""
    return cluster.coordinator.rows(
        "SELECT p.proname, p.provolatile::text, p.oid::regprocedure::text, p.proargnames,"
        "       ARRAY(SELECT format_type(a.type, NULL)"
        "               FROM unnest(p.proargtypes) WITH ORDINALITY a (type, n) ORDER BY a.n),"
        "       p.pronargs - p.pronargdefaults"
        "  FROM pg_proc p"
        "  JOIN pg_depend d ON d.classid = 'pg_proc'::regclass AND d.objid = p.oid AND d.deptype = 'e'"
        "  JOIN pg_extension e ON e.oid = d.refobjid AND e.extname = 'confiture'"
        " WHERE p.proname LIKE 'anon\\_%' AND p.prokind = 'f'"
        "   AND (p.proargnames[1] IN ('value', 'token') OR p.proname = 'anon_apply') ORDER BY 3"
    )


def test_every_mask_that_is_not_volatile_is_pushed_down(cluster):
    concrete = {"anyelement": "text", "anyarray": "text[]", "anyenum": "mood", "\"any\"": "text"}
    found = masks(cluster)
    assert len({name for name, *_ in found}) > 35
    types = sorted({concrete.get(t, t) for *_, args, _ in found for t in args})
    coordinator = cluster.coordinator
    coordinator.execute("CREATE TYPE mood AS ENUM ('glad', 'sad')")
    columns = {type_: f"c{n}" for n, type_ in enumerate(types)}
    listed = ", ".join(f"{column} {type_}" for type_, column in columns.items())
    coordinator.execute(f"CREATE TABLE prod.wide (id bigint, {listed})")
    coordinator.execute("CREATE TABLE staging.wide (id bigint, masked text)")
    for table in ("prod.wide", "staging.wide"):
        coordinator.execute("SELECT create_distributed_table(%s, 'id', colocate_with => 'prod.customers')", [table])
    sent, stayed = set(), set()
    for name, volatility, shown, names, args, needed in found:
        given = []
        for n in range(needed):
            type_ = concrete.get(args[n], args[n])
            value = columns[type_] if names[n] in ("value", "token") else f"NULL::{type_}"
            given.append(f"{names[n]} => {value}")
        plan = cluster.plan(
            f"INSERT INTO staging.wide SELECT id, {name}({', '.join(given)})::text FROM prod.wide"
        )
        if volatility == "v":
            assert is_sent_on(plan), f"{shown}:\n{plan}"
            sent.add(name)
        else:
            assert is_pushed_down(plan), f"{shown}:\n{plan}"
            stayed.add(name)
    assert sorted(sent) == VOLATILE
    assert not sent & stayed


def test_a_volatile_mask_runs_on_the_workers_and_rows_are_sent_on(cluster):
    """What such a function keeps, a record or a token, is kept by the worker."""
    decrypted = (
        "INSERT INTO staging.customers (id, phone)"
        " SELECT id, anon_fpe_decrypt(anon_fpe('10000' || id)) FROM prod.customers"
    )
    assert is_sent_on(cluster.plan(decrypted))
    cluster.coordinator.execute("TRUNCATE staging.customers")
    cluster.coordinator.execute(decrypted)
    assert cluster.coordinator.value(
        "SELECT count(*) FROM staging.customers WHERE phone = '10000' || id"
    ) == ROWS
    records = [node.value("SELECT count(*) FROM confiture.journal") for node in cluster.nodes]
    assert records[0] == 0 and min(records[1:]) > 0
    report = cluster.coordinator.refused(
        "42704", "INSERT INTO staging.customers (id, email) SELECT id, anon_tokenize(email, 'd') FROM prod.customers"
    )
    assert cluster.names[1] in report.context or cluster.names[2] in report.context


def test_a_masked_distribution_column_goes_from_worker_to_worker(cluster):
    """Rows belong to other shards then; they are masked, and sent there."""
    coordinator = cluster.coordinator
    coordinator.execute("CREATE TABLE staging.by_email (email text, name text)")
    coordinator.execute("SELECT create_distributed_table('staging.by_email', 'email')")
    insert = "INSERT INTO staging.by_email SELECT anon_email(email), anon_name(name) FROM prod.customers"
    assert is_sent_on(cluster.plan(insert))
    coordinator.execute(insert)
    here = coordinator.column(
        "SELECT anon_email('c' || i || '@mail.example') FROM generate_series(1, %s) i", [ROWS]
    )
    assert sorted(coordinator.column("SELECT email FROM staging.by_email")) == sorted(here)


def test_a_run_over_distributed_tables_fails_and_changes_nothing(copied):
    """A run masks in its own session; a worker has none."""
    before = copied.coordinator.rows("SELECT * FROM staging.customers ORDER BY id")
    copied.coordinator.load(
        "name: shop\nversion: '1'\nstrategies: {email: {type: email}}\ntables:\n  customers:\n"
        "    rules: [{column: email, strategy: email}]\n    preserve:\n" + "".join(
            f"    - {{column: {column}, why: a test}}\n" for column in ("id", "name", "phone", "born")
        )
    )
    for options in ('{"adopt": true}', '{"adopt": true, "mode": "swap"}'):
        copied.coordinator.sync_refused("55000", "shop", options=options)
        assert copied.coordinator.rows("SELECT * FROM staging.customers ORDER BY id") == before
    copied.coordinator.sync_refused("55000", "shop", target="fresh")


def test_the_masker_needs_the_right_on_every_node(cluster):
    coordinator = cluster.coordinator
    coordinator.execute("CREATE ROLE copyist LOGIN")
    coordinator.execute("GRANT USAGE ON SCHEMA prod, staging TO copyist")
    coordinator.execute("GRANT ALL ON prod.customers, staging.customers TO copyist")
    coordinator.execute("SELECT confiture.grant_access('masker', 'copyist')")
    coordinator.execute("TRUNCATE staging.customers")
    session = coordinator.session("copyist")
    session.refused("42501", COPY)
    for worker in cluster.workers:
        worker.execute("SELECT confiture.grant_access('masker', 'copyist')")
    session.execute(COPY)
    assert session.value("SELECT count(*) FROM staging.customers") == ROWS


# --- The page ------------------------------------------------------------------------------------


def shown(cluster, output):
    """The output with names of nodes as they might be, each column as wide as it must be."""
    for number, name in enumerate(cluster.names):
        host, port = name.rsplit(":", 1)
        output = output.replace(name, f"worker{number}:5432")
        output = output.replace(f"host={host} port={port}", f"host=worker{number} port=5432")
    rows = [line.split("|") for line in output.splitlines()]
    if len(rows[0]) == 1:
        width = max(len(row[0]) for row in rows if not set(row[0]) <= {"-"}) + 1
        rows[1] = ["-" * width]
        rows[0] = [rows[0][0].strip().center(width).rstrip()]
        return "".join(f"{row[0]}\n" for row in rows)
    cells = [[cell.strip() for cell in row] for row in rows if "+" not in row[0]]
    widths = [max(map(len, column)) for column in zip(*cells, strict=True)]
    lines = [" " + " | ".join(c.ljust(w) for c, w in zip(row, widths, strict=True)) for row in cells]
    lines.insert(1, "+".join("-" * (width + 2) for width in widths))
    return "".join(f"{line.rstrip()}\n" for line in lines)


def test_blocks_about_citus_run_as_they_stand(copied):
    copied.coordinator.execute("TRUNCATE staging.customers")
    outputs = [
        (block, shown(copied, output))
        for block in doc_blocks.read(PAGE)
        if block.sql.startswith(WHERE) and (output := doc_blocks.printed(copied.coordinator, block))
    ]
    assert len(outputs) == 2
    drawn = r"[0-9a-f]{32}|_\d+|worker\d"
    doc_blocks.compare(PAGE, outputs, by=lambda text: re.sub(drawn, "…", text))
