"""Attacks on the hashes of rows and on the keys of runs: what does not come back, and what shows."""

import time

import pytest

from tampering import tamper
from test_lineage_rows import OPTION, ROWS, _kept, run_id  # noqa: F401


def test_what_was_destroyed_and_is_put_back_shows(kept):
    run = run_id(kept)
    kept.execute("CREATE TABLE chunks AS TABLE confiture.lineage_row_chunk")
    kept.execute("CREATE TABLE keys AS TABLE confiture.run_key")
    kept.execute("SELECT confiture.shred_run_key(%s)", [run])
    assert "OK" in kept.findings()
    for table, copy in (("run_key", "keys"), ("lineage_row_chunk", "chunks")):
        # Left out, so that the rest of a restore goes on.
        kept.notices.clear()
        kept.execute(f"INSERT INTO confiture.{table} TABLE {copy}")
        assert "destroyed" in kept.notices[0]["message_primary"]
        assert kept.value(f"SELECT count(*) FROM confiture.{table}") == 0
        made_up = f"UPDATE {copy} SET run_id = gen_random_uuid()"
        kept.execute(f"BEGIN; {made_up}")
        kept.refused("42501", f"INSERT INTO confiture.{table} TABLE {copy}")
        kept.execute("ROLLBACK")
    tamper(kept, "INSERT INTO confiture.run_key TABLE keys")
    assert kept.findings()["E13"][0] == "fail"
    tamper(kept, "DELETE FROM confiture.run_key")
    assert "OK" in kept.findings()
    tamper(kept, "INSERT INTO confiture.lineage_row_chunk TABLE chunks")
    assert kept.findings()["E05"][0] == "fail"


def test_what_another_session_is_about_to_destroy_does_not_come_back(kept):
    run = run_id(kept)
    kept.execute("CREATE TABLE chunks AS TABLE confiture.lineage_row_chunk")
    kept.execute("CREATE TABLE keys AS TABLE confiture.run_key")
    kept.execute("BEGIN")
    kept.execute("SELECT confiture.shred_run_key(%s)", [run])
    others = []
    for table, copy in (("run_key", "keys"), ("lineage_row_chunk", "chunks")):
        other = kept.session()
        other.connection.pgconn.send_query(f"INSERT INTO confiture.{table} TABLE {copy}".encode())
        others.append(other)
    waiting = "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND NOT granted"
    for _ in range(200):
        if kept.value(waiting) == 2:
            break
        time.sleep(0.02)
    assert kept.value(waiting) == 2
    kept.execute("COMMIT")
    for other in others:
        while other.connection.pgconn.get_result():
            pass
    for table in ("run_key", "lineage_row_chunk"):
        assert kept.value(f"SELECT count(*) FROM confiture.{table}") == 0
    assert "OK" in kept.findings()


def test_keys_that_no_run_had_are_refused(kept):
    kept.sync_refused("22023", options='{"lineage": "md5"}')
    kept.sync(options='{"lineage": "off"}')
    kept.refused(
        "42501",
        "INSERT INTO confiture.run_key SELECT run_id, 'masking', 1, 'junk' FROM confiture.audit_log"
        " WHERE event = 'COMPLETED' ORDER BY seq DESC LIMIT 1",
    )
    kept.refused(
        "42501", "INSERT INTO confiture.run_key VALUES (gen_random_uuid(), 'masking', 1, 'junk')"
    )


def test_hashes_that_were_cut_are_no_answer(kept):
    run = run_id(kept)
    tamper(
        kept,
        "UPDATE confiture.lineage_row_chunk SET original_macs = substr(original_macs, 33),"
        " anonymized_macs = substr(anonymized_macs, 33)",
    )
    kept.execute("DELETE FROM staging.t WHERE a = 1")
    kept.refused("XX001", "SELECT * FROM confiture.verify_lineage_rows(%s, 't', 'email')", [run])
    kept.refused(
        "XX001",
        "SELECT confiture.verify_lineage_row(%s, 't', 'email', '{1,k1}', 'p1@x.example')",
        [run],
    )


@pytest.mark.parametrize("options", ["{}", OPTION], ids=["sums", "rows"])
def test_what_a_trigger_of_the_target_asks_leaves_the_run_its_lineage(kept, options):
    kept.execute(
        "CREATE FUNCTION public.asks() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN"
        " PERFORM confiture.verify_lineage_data(run_id, table_name, column_name)"
        " FROM confiture.lineage WHERE column_name = 'note' LIMIT 1; RETURN NULL; END $$;"
        " CREATE TRIGGER asks AFTER INSERT ON staging.t EXECUTE FUNCTION public.asks()"
    )
    kept.sync(options=options.replace("{", '{"triggers": "fire", ').replace(", }", "}"))
    changed = "SELECT rows_changed + nulls FROM confiture.lineage WHERE run_id = %s"
    assert kept.column(changed, [run_id(kept)]) == [ROWS, ROWS]
    assert "OK" in kept.findings()
    data = "SELECT confiture.verify_lineage_data(%s, 't', 'email')"
    assert kept.value(data, [run_id(kept)]) == "match"
