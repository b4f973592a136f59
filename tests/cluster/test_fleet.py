"""Three servers that mask with one key: the same pseudonyms, and ledgers that verify as a set.

`CONFITURE_WRITE=1` puts the output of the example into its page.
"""

import hashlib
import json
import os
import re

import psycopg
import pytest

import fleet as fleets
from ledger_verifier import canonical
from server import ROOT
from tampering import tamper

HERE = ROOT / "examples" / "sharded"
PROFILE = (HERE / "profile.yaml").read_text(encoding="utf-8")


@pytest.fixture(scope="module")
def fleet(private_server, tmp_path_factory):
    """The example, as far as its script has prepared and run it."""
    made = fleets.Fleet(private_server, tmp_path_factory.mktemp("fleet"))
    if not made.office.has("postgres_fdw"):
        pytest.skip("this PostgreSQL comes without postgres_fdw")
    made.printed = [made.script("prepare").stdout, made.script("run").stdout]
    return made


@pytest.fixture
def kept(fleet):
    """As `fleet`, for a test that changes what the auditor has."""
    rows = fleet.auditor.rows("SELECT * FROM fleet")
    yield fleet
    fleet.auditor.execute("DELETE FROM fleet")
    for row in rows:
        fleet.auditor.execute("INSERT INTO fleet VALUES (%s, %s, %s, %s)", row)


def lines(shard):
    """The lines of its ledger, in order."""
    return shard.column("SELECT confiture.export_ledger()")


def hand_in(fleet, name, content):
    """A ledger as lines in a table of the auditor, in the place of the one that is asked for."""
    table = f"public.{name}_lines"
    fleet.auditor.execute(f"DROP TABLE IF EXISTS {table}")
    fleet.auditor.execute(f"CREATE TABLE {table} (n bigint, line text)")
    with (
        fleet.auditor.connection.cursor() as cursor,
        cursor.copy(f"COPY {table} FROM STDIN") as copy,
    ):
        for row in enumerate(content, 1):
            copy.write_row(row)
    fleet.auditor.execute("UPDATE fleet SET ledger = %s WHERE server = %s", [table, name])


# --- What holds of an honest fleet ---------------------------------------------------------------


def test_the_example_masks_three_shards_and_verifies_them(fleet):
    shown = fleet.script("verify").stdout
    printed = "\n".join(
        line.rstrip() for line in ("".join(fleet.printed) + "\n" + shown).strip("\n").splitlines()
    )
    page = HERE / "README.md"
    text = page.read_text(encoding="utf-8")
    if os.environ.get("CONFITURE_WRITE"):
        block = f"```text\n{printed}\n```"
        page.write_text(re.sub(r"(?s)```text\n.*?```", lambda _: block, text), encoding="utf-8")
        return
    assert re.search(r"(?s)```text\n(.*?)\n```", text)[1] == printed


def test_a_value_has_the_same_pseudonym_on_every_server(fleet):
    """Joined over postgres_fdw: every visit finds its customer, wherever he is."""
    joined = fleet.auditor.rows("""
        SELECT v.shard, c.shard, count(*)
          FROM (SELECT 1 AS shard, * FROM shard1.visits UNION ALL SELECT 2, * FROM shard2.visits
                UNION ALL SELECT 3, * FROM shard3.visits) v
          JOIN (SELECT 1 AS shard, * FROM shard1.customers UNION ALL
                SELECT 2, * FROM shard2.customers UNION ALL SELECT 3, * FROM shard3.customers) c
            ON c.email = v.customer_email
         GROUP BY 1, 2 ORDER BY 1, 2""")
    assert [pair[:2] for pair in joined] == [(a, b) for a in (1, 2, 3) for b in (1, 2, 3)]
    assert sum(count for *_, count in joined) == 6000
    # And by value: what one shard makes of an address, the others make of it.
    made = [
        shard.value("SELECT anon_email('somebody@else.example', seed => 7)") for shard in fleet.shards
    ]
    assert len(set(made)) == 1


def test_each_server_is_verified_to_what_its_anchor_covers(fleet):
    rows = fleet.found()
    [summary] = [row for row in rows if row["check_code"] == "FLEET"]
    assert summary["status"] == "ok" and summary["server"] is None
    assert summary["facts"] == {"servers": 3, "read": 3, "profiles": ["shop"]}
    servers = [row for row in rows if row["check_code"] == "SERVER"]
    for row, shard in zip(servers, fleet.shards, strict=True):
        head = shard.rows(
            "SELECT log_id::text, seq, encode(entry_hash, 'hex') FROM confiture.audit_log"
            " ORDER BY seq DESC LIMIT 1"
        )[0]
        facts = row["facts"]
        assert (facts["log"], facts["entries"], facts["head"]) == head
        # The entry about the anchor itself comes after it.
        assert facts["anchored"] == head[1] - 1 == row["seq_to"]
    runs = [row["facts"] for row in rows if row["check_code"] == "RUN"]
    assert len(runs) == 3
    assert len({run["masking_key_fingerprint"] for run in runs}) == 1
    assert len({run["masks_fingerprint"] for run in runs}) == 1
    assert len({run["profile_hash"] for run in runs}) == 1
    assert sum(run["rows"] for run in runs) == 6900


def test_ledgers_handed_in_as_text_say_the_same(kept):
    before = kept.found()
    for number, shard in enumerate(kept.shards, 1):
        # psql ends with an empty line.
        hand_in(kept, f"shard{number}", [*lines(shard), ""])
    assert kept.found() == before


# --- What is told apart ---------------------------------------------------------------------------


def edit(content, event, change):
    """The lines with the last entry of that event changed."""
    entries = [json.loads(line) for line in content]
    entry = [e for e in entries if e.get("event") == event][-1]
    change(entry)
    return [json.dumps(entry) for entry in entries]


def test_a_tampered_ledger_is_named(kept):
    honest = lines(kept.shards[1])
    hand_in(kept, "shard2", edit(honest, "COMPLETED", lambda e: e.update(user_name="somebody")))
    status, _ = kept.of_set()
    assert status == "fail"
    assert ("SERVER", "fail") in kept.server("shard2") and ("E01", "fail") in kept.server("shard2")
    assert kept.server("shard1") == [("SERVER", "ok"), ("RUN", "ok")]
    # The end cut off: the anchor knows.
    hand_in(kept, "shard2", honest[:-6])
    assert ("E08", "fail") in kept.server("shard2")
    # A line that says that something was pruned, and not what.
    forged = json.dumps({**json.loads(honest[-1]), "chain": "pruned"})
    hand_in(kept, "shard2", [forged, *honest])
    assert ("SERVER", "fail") in kept.server("shard2")
    # An entry left out.
    hand_in(kept, "shard2", honest[:3] + honest[4:])
    assert ("SERVER", "fail") in kept.server("shard2")
    hand_in(kept, "shard2", honest)
    assert kept.of_set() == ("ok", [])


def test_a_ledger_tampered_with_on_its_server_is_named(kept):
    """By its superuser, who puts the guards down: what is read over postgres_fdw shows it."""
    shard = kept.shards[2]
    edit = "UPDATE confiture.audit_log SET user_name = '{}' WHERE seq = 3"
    before = shard.value("SELECT user_name FROM confiture.audit_log WHERE seq = 3")
    tamper(shard, edit.format("somebody"))
    assert ("SERVER", "fail") in kept.server("shard3") and ("E01", "fail") in kept.server("shard3")
    assert kept.server("shard2") == [("SERVER", "ok"), ("RUN", "ok")]
    assert kept.of_set() == ("fail", [])
    tamper(shard, edit.format(before))
    assert kept.of_set() == ("ok", [])


def test_another_key_is_told_apart_whatever_it_is_called(kept):
    shard = kept.shards[2]
    shard.execute("SELECT confiture.rotate_key('masking')")
    shard.load(PROFILE.replace('"1.0"', '"1.1"'))
    for number in (1, 2):
        kept.shards[number - 1].load(PROFILE.replace('"1.0"', '"1.1"'))
        kept.sync(number)
    kept.sync(3)
    status, rows = kept.of_set()
    assert (status, rows) == ("fail", ["F07 fail"])
    [row] = [row for row in kept.found() if row["check_code"] == "F07"]
    assert [group["servers"] for group in row["facts"]["groups"]] in (
        [["shard1", "shard2"], ["shard3"]], [["shard3"], ["shard1", "shard2"]]
    )
    # The name of the version is that of the others once theirs is rotated too; the key is not.
    for number in (1, 2):
        shard = kept.shards[number - 1]
        shard.execute("SELECT confiture.rotate_key('masking')")
        shard.load(PROFILE.replace('"1.0"', '"1.2"'))
        kept.sync(number)
    kept.shards[2].load(PROFILE.replace('"1.0"', '"1.2"'))
    kept.sync(3)
    names = {row["facts"]["masking_key"] for row in kept.found() if row["check_code"] == "RUN"}
    assert names == {"masking/2"}
    assert kept.of_set() == ("fail", ["F07 fail"])


def test_another_seed_is_told_apart(kept):
    """Same profile but for nothing that its hash holds: seeds of the environment differ by server."""
    give_one_key(kept)
    for number, shard in enumerate(kept.shards, 1):
        seed = 5 if number == 2 else 4
        shard.load(PROFILE.replace('"1.0"', '"2.0"').replace(
            "coverage: strict", f"coverage: detect\nglobal_seed: {seed}"
        ))
        kept.sync(number)
    status, rows = kept.of_set()
    assert status == "fail" and "F08 fail" in rows, rows


def test_a_stale_profile_is_told_apart(kept):
    give_one_key(kept)
    for number, shard in enumerate(kept.shards, 1):
        shard.load(PROFILE.replace('"1.0"', '"3.0"'))
        kept.sync(number)
    assert kept.of_set() == ("ok", [])
    # One of them goes on with what was before.
    for number in (1, 2):
        kept.shards[number - 1].load(
            PROFILE.replace('"1.0"', '"3.1"').replace("why: surrogate key", "why: a number")
        )
        kept.sync(number)
    assert kept.of_set() == ("fail", ["F05 fail"])
    [row] = [row for row in kept.found() if row["check_code"] == "F05"]
    assert row["detail"].count('"3.0" (') == 1 and 'on "shard3"' in row["detail"]
    # Another strategy in it as well.
    kept.shards[2].load(PROFILE.replace('"1.0"', '"3.2"').replace("type: redact", "type: hash"))
    kept.sync(3)
    status, rows = kept.of_set()
    assert (status, rows) == ("fail", ["F05 fail", "F06 fail"])


def give_one_key(kept):
    """The key of the first shard becomes the active one of all, once more."""
    first = kept.shards[0]
    first.execute("SELECT confiture.rotate_key('masking')")
    for shard in kept.shards[1:]:
        recipient = shard.value("SELECT confiture.installation_id()")
        first.execute("CALL confiture.share_key('masking', %s, provider => 'env')", [recipient])
        shared = first.value("SELECT shared::text FROM confiture.shared_key ORDER BY id DESC LIMIT 1")
        shard.execute("SELECT confiture.import_key(%s)", [shared])


def test_a_run_that_no_anchor_covers_is_not_taken_for_verified(kept):
    kept.shards[0].sync("shop")
    assert kept.server("shard1") == [("SERVER", "ok"), ("RUN", "unverifiable")]
    kept.auditor.execute("UPDATE fleet SET anchors = '{}' WHERE server = 'shard2'")
    assert kept.server("shard2") == [("SERVER", "unverifiable"), ("RUN", "unverifiable")]
    kept.auditor.execute("UPDATE fleet SET anchor_keys = '{}' WHERE server = 'shard3'")
    assert kept.server("shard3")[0] == ("SERVER", "unverifiable")


def test_a_made_up_ledger_needs_more_than_agreement_with_itself(kept):
    """Another database with the masking key makes a ledger of its own: its anchors are not those."""
    other = kept.servers[0].create_database()
    try:
        other.execute("CREATE SCHEMA prod; CREATE SCHEMA staging")
        other.execute("CREATE TABLE prod.customers (id integer PRIMARY KEY, email text, name text,"
                      " country text); CREATE TABLE prod.visits (id integer PRIMARY KEY,"
                      " customer_email text, day date, pages integer)")
        other.load(PROFILE)
        other.sync("shop")
        anchor = other.value("SELECT confiture.export_anchor()")
        hand_in(kept, "shard1", lines(other))
        kept.auditor.execute(
            "UPDATE fleet SET anchors = ARRAY[%s] WHERE server = 'shard1'", [anchor]
        )
    finally:
        other.drop()
    status, rows = kept.of_set()
    # The one that is expected is missing, and this one is a stranger.
    assert status == "fail" and rows[:2] == ["F01 fail", "F02 fail"]
    assert kept.server("shard1")[0] == ("SERVER", "fail")


def test_one_server_twice_and_one_that_is_missing(kept):
    honest = lines(kept.shards[0])
    hand_in(kept, "shard2", honest)
    kept.auditor.execute(
        "UPDATE fleet SET anchor_keys = f.anchor_keys, anchors = f.anchors"
        " FROM fleet f WHERE f.server = 'shard1' AND fleet.server = 'shard2'"
    )
    status, rows = kept.of_set()
    assert status == "fail"
    assert {"F01 fail", "F03 fail", "F10 warn"} <= set(rows), rows
    kept.auditor.execute("DELETE FROM fleet WHERE server = 'shard2'")
    status, rows = kept.of_set()
    assert status == "fail" and "F01 fail" in rows


def test_windows_that_do_not_overlap_are_said(kept):
    kept.sync(1)
    status, rows = kept.of_set(within="NULL")
    assert "F09 warn" in rows and "F09 fail" not in rows
    _, rows = kept.of_set(within="interval '1 day'")
    assert "F09 warn" not in rows
    _, rows = kept.of_set(within="interval '0'")
    assert "F09 fail" in rows


def longer(content, number):
    """The ledger with so many entries more, as whoever has no key can add them: without an anchor."""
    entry = json.loads(content[-1])
    more = []
    for _ in range(number):
        entry["seq"] += 1
        entry["previous_entry_hash"] = entry["entry_hash"]
        entry["entry_hash"] = hashlib.sha256(canonical(entry)).hexdigest()
        more.append(json.dumps(entry))
    return [*content, *more]


def test_memory_does_not_grow_with_a_ledger(kept):
    """The most that a session has in memory of its own, for a ledger and for one 20 times as long."""
    honest = lines(kept.shards[0])
    assert json.loads(honest[-1])["event"] == "ANCHORED"
    most = {}
    for number in (1000, 20_000):
        hand_in(kept, "shard1", longer(honest, number))
        [one] = kept.auditor.column("SELECT to_jsonb(f)::text FROM fleet f WHERE server = 'shard1'")
        most[number], [(status, _, entries)] = kept.peak(f"[{one}]")
        assert status == "ok" and int(entries) > number
    assert most[20_000] - most[1000] < 16 * 1024, most


def test_memory_does_not_grow_with_a_hostile_ledger(kept):
    """Long lines, and as many findings as lines."""
    honest = lines(kept.shards[0])
    entry = json.loads(next(line for line in honest if json.loads(line).get("event") == "COMPLETED"))
    long = {**entry, "strategies_applied": {"t": [0] * 1_300_000}}
    kept.auditor.execute("CREATE TABLE public.hostile (n bigint, line text)")
    with kept.auditor.connection.cursor().copy("COPY public.hostile FROM STDIN") as copy:
        for number in range(20):
            copy.write_row((number, json.dumps({**long, "profile_name": f"p{number}"})))
    one = """[{"server": "a", "ledger": "public.hostile"}]"""
    few, _ = kept.peak(one)
    kept.auditor.execute("DELETE FROM public.hostile WHERE n > 0")
    kept.auditor.execute("UPDATE public.hostile SET line = '{' || repeat(' ', 4 << 20) || substr(line, 2)")
    _, [(status, detail, _)] = kept.peak(one)
    assert status == "fail" and "longer than 4 MiB" in detail
    # The same entry again and again.
    kept.auditor.execute("TRUNCATE public.hostile")
    with kept.auditor.connection.cursor().copy("COPY public.hostile FROM STDIN") as copy:
        for number in range(100_000):
            copy.write_row((number, honest[0]))
    many, rows = kept.peak(one)
    assert rows[0][0] == "fail"
    findings = "SELECT count(*), bool_or(detail LIKE '%%more of this kind%%') FROM confiture.verify_fleet(%s)"
    [(count, are_counted)] = kept.auditor.rows(findings, [one])
    assert count < 10_000 and are_counted
    kept.auditor.execute("DROP TABLE public.hostile")
    # A page of long lines and one of them taken apart; before, each was kept taken apart.
    assert few < 600 * 1024 and many < 100 * 1024, (few, many)


# --- Servers that do not answer, and hostile ones -------------------------------------------------


def test_a_server_that_does_not_answer_is_a_row(kept):
    auditor = kept.auditor
    auditor.execute(
        "CREATE SERVER nowhere FOREIGN DATA WRAPPER postgres_fdw OPTIONS (host '/nowhere');"
        "CREATE USER MAPPING FOR CURRENT_USER SERVER nowhere OPTIONS (user 'fleet');"
        "CREATE FOREIGN TABLE public.nowhere (n bigint, line text) SERVER nowhere"
    )
    try:
        auditor.execute("UPDATE fleet SET ledger = 'public.nowhere' WHERE server = 'shard2'")
        rows = [row for row in kept.found() if row["server"] == "shard2"]
        assert [(row["check_code"], row["status"]) for row in rows] == [("SERVER", "unverifiable")]
        assert "08001" in rows[0]["detail"] and "/nowhere" not in rows[0]["detail"]
        # The others were verified all the same, and the transaction goes on.
        assert kept.server("shard3")[0] == ("SERVER", "ok")
        status, rows = kept.of_set()
        assert status == "fail" and "F01 fail" in rows
    finally:
        auditor.execute("DROP SERVER nowhere CASCADE")


def test_lines_that_are_none_are_a_failure_and_are_not_shown(kept):
    for content in (["S3CRET"], ["{}"], [None], [*lines(kept.shards[0])[:2], '{"chain": "S3CRET"}']):
        hand_in(kept, "shard1", content)
        [row] = [row for row in kept.found() if row["server"] == "shard1"]
        assert (row["check_code"], row["status"]) == ("SERVER", "fail")
        assert f"Line {len(content)} " in row["detail"] and "S3CRET" not in row["detail"]
    hand_in(kept, "shard1", [])
    [row] = [row for row in kept.found() if row["server"] == "shard1"]
    assert row["status"] == "fail"


def test_tables_are_read_and_nothing_that_runs_code(kept):
    auditor = kept.auditor
    lines_of = "SELECT n, line FROM shard1.ledger"
    role = auditor.role("weak")
    auditor.execute(f"""
        CREATE TABLE public.good (n bigint, line text);
        CREATE VIEW public.seen AS {lines_of};
        CREATE MATERIALIZED VIEW public.kept AS SELECT 1::bigint AS n, ''::text AS line;
        CREATE TABLE public.bare (n integer, line text);
        CREATE TABLE public.weak (n bigint, line text);
        ALTER TABLE public.weak OWNER TO {role};
        CREATE TABLE public."odd ""one""; DROP" (n bigint, line text)""")
    try:
        for table, sqlstate in [
            ("public.absent", "42P01"), ("good", "42P01"), ("public.seen", "42809"),
            ("public.kept", "42809"), ("public.bare", "42703"), ("public.weak", "42501"),
            ("public.good; DROP TABLE public.good", "22023"),
        ]:
            auditor.execute("UPDATE fleet SET ledger = %s WHERE server = 'shard1'", [table])
            with pytest.raises(psycopg.Error) as raised:
                kept.found()
            assert raised.value.sqlstate == sqlstate, table
        auditor.execute(
            "UPDATE fleet SET ledger = %s WHERE server = 'shard1'", ['public."odd ""one""; DROP"']
        )
        assert kept.server("shard1") == [("SERVER", "fail")]
        assert auditor.value("SELECT count(*) FROM public.good") == 0
    finally:
        auditor.execute(f"""
            DROP VIEW public.seen; DROP MATERIALIZED VIEW public.kept;
            DROP TABLE public.good, public.bare, public.weak, public."odd ""one""; DROP";
            DROP ROLE {role}""")


def test_policies_hide_no_line_and_rights_are_the_callers(kept):
    auditor = kept.auditor
    role = auditor.role("inspector")
    auditor.execute(f"SELECT confiture.grant_access('auditor', '{role}')")
    hand_in(kept, "shard1", lines(kept.shards[0]))
    auditor.execute(f"""
        ALTER TABLE public.shard1_lines ENABLE ROW LEVEL SECURITY;
        CREATE POLICY a_few ON public.shard1_lines TO {role} USING (n < 3);
        GRANT SELECT ON public.shard1_lines TO {role}""")
    session = auditor.session(role)
    asked = (
        "SELECT status, detail FROM confiture.verify_fleet("
        """'[{"server": "one", "ledger": "public.shard1_lines"}]') WHERE check_code = 'SERVER'"""
    )
    [(status, detail)] = session.rows(asked)
    assert status == "unverifiable" and "42501" in detail
    auditor.execute("ALTER TABLE public.shard1_lines DISABLE ROW LEVEL SECURITY")
    [(status, detail)] = session.rows(asked)
    assert status == "unverifiable" and "agrees with itself" in detail
    auditor.execute(f"REVOKE SELECT ON public.shard1_lines FROM {role}")
    [(status, detail)] = session.rows(asked)
    assert status == "unverifiable" and "42501" in detail
    nobody = auditor.role("nobody")
    auditor.session(nobody).refused("42501", asked)


def test_questions_that_are_none_are_refused(fleet):
    for servers, more in [
        ("NULL", {}), ("'{}'", {}), ("'[]'", {}), ("""'[{"ledger": "a.b"}]'""", {}),
        ("""'[{"server": "a"}, {"server": "a"}]'""", {}),
        ("""'[{"server": "a", "anchor_keys": ["x"]}]'""", {}),
        ("""'[{"server": "a"}]'""", {"expected": "ARRAY[NULL]::uuid[]"}),
        ("""'[{"server": "a"}]'""", {"within": "interval '1 month'"}),
        ("""'[{"server": "a"}]'""", {"within": "interval '-1 second'"}),
    ]:
        with pytest.raises(psycopg.Error) as raised:
            fleet.found(servers=servers, **more)
        assert raised.value.sqlstate == "22023", (servers, more)


def test_the_script_says_how_it_ended(fleet, tmp_path):
    assert "SHARDS" in fleet.script("unknown", status=64).stderr
    assert "SHARDS" in fleet.script("verify", status=64, AUDITOR="").stderr
    empty = tmp_path / "empty"
    empty.write_text("# nobody\n", encoding="utf-8")
    assert "there is no shard" in fleet.script("run", status=64, SHARDS=str(empty)).stderr
    lost = tmp_path / "lost"
    lost.write_text("shard1 host=/nowhere dbname=shop\n", encoding="utf-8")
    assert "the run of shard1 failed" in fleet.script("run", status=2, SHARDS=str(lost)).stderr


def test_the_script_ends_with_1_where_the_set_does_not_verify(kept):
    hand_in(kept, "shard1", lines(kept.shards[1]))
    assert "fail" in kept.script("verify", status=1).stdout
