"""Replication that masks: what is refused when it is set up, by commands later, and when a row arrives."""

import pytest

from replicas import (
    PARTS,
    both,
    by_a_run,
    fill,
    pair,
    servers,
    shop,
    stored,
    triggers,
    words,
)
from samples import keep_all, profile

__all__ = ["both", "pair", "servers"]


def test_a_mask_that_reads_a_masked_column_that_was_not_sent_stops(pair):
    entity = {"name": {"type": "name", "config": {}}}
    rules = [{"column": "phone", "strategy": "name", "entity": "note"},
             {"column": "note", "strategy": "redact"}]
    pair.raw.execute("ALTER TABLE shop.people ALTER note SET STORAGE EXTERNAL;"
                     " ALTER TABLE shop.people SET (toast_tuple_target = 128)")
    pair.publish()
    pair.mask(profile({"people": {"rules": rules, **keep_all()}}, name="shop", strategies=entity))
    pair.subscribe()
    pair.raw.execute("INSERT INTO shop.people VALUES (1, 'a', 'Ada', %s, 'b', 3)", [words(900)])
    pair.catch_up()
    assert stored(pair) == by_a_run(pair)
    before = stored(pair)
    mark = pair.mark()
    pair.raw.execute("UPDATE shop.people SET age = 4")
    log = pair.stuck(mark)
    assert 'column "phone" of a row of table "shop.people" cannot be masked' in log
    assert stored(pair) == before
    # The publisher sends it with the next change of it; the one before has to be skipped or repeated.
    pair.here.execute(f"ALTER SUBSCRIPTION {pair.name} DISABLE")


REFUSED = {
    "a masked key": (
        "ALTER TABLE shop.people DROP CONSTRAINT people_pkey, ADD PRIMARY KEY (email)", {"email": "mail"},
        'column "email" of table "shop.people" is masked, and subscriptions look rows up by it'),
    "a masked replica identity": (
        "CREATE UNIQUE INDEX by_mail ON shop.people (email, id);"
        "ALTER TABLE shop.people REPLICA IDENTITY USING INDEX by_mail", {"email": "mail"},
        'column "email" of table "shop.people" is masked, and subscriptions look rows up by it'),
    "no key": (
        "ALTER TABLE shop.people DROP CONSTRAINT people_pkey", {"email": "mail"},
        'table "shop.people" has neither a primary key nor a replica identity that is an index'),
    "noise": ("", {"age": {"type": "dp_noise", "config": {"epsilon": 1.0, "sensitivity": 1}}},
              'strategy "dp_noise" cannot mask column "age" of table "shop.people" while rows arrive'),
    "a shuffle": ("", {"phone": {"type": "shuffle"}},
                  'strategy "shuffle" cannot mask column "phone" of table "shop.people" while rows arrive'),
    "a default": ("", {"plan": {"type": "default"}},
                  'strategy "default" cannot mask column "plan" of table "shop.people" while rows arrive'),
}


@pytest.mark.parametrize("what", REFUSED)
def test_what_cannot_work_is_refused(pair, what):
    prepared, rules, message = REFUSED[what]
    pair.here.execute(prepared) if prepared else None
    rules = {column: rule if isinstance(rule, str) else f"s_{column}" for column, rule in rules.items()}
    strategies = {f"s_{column}": rule for column, rule in REFUSED[what][1].items() if isinstance(rule, dict)}
    pair.here.load(profile({"people": rules}, name="shop", strategies=strategies))
    report = pair.here.refused("0A000", "SELECT * FROM confiture.mask_replication('shop', 'shop')")
    assert report.message_primary == message
    assert triggers(pair.here) == 0
    assert pair.here.rows("SELECT * FROM confiture.masked_replication") == []


def test_rows_and_columns_that_a_run_leaves_out_are_refused(pair):
    where = {"rules": [{"column": "email", "strategy": "mail"}], **keep_all(), "where": [["age", ">", 17]]}
    pair.here.load(profile({"people": where}, name="shop"))
    report = pair.here.refused("0A000", "SELECT * FROM confiture.mask_replication('shop', 'shop')")
    assert "cannot be left out while they arrive" in report.message_primary
    gone = {"rules": [{"column": "email", "strategy": "mail"}], "exclude": [{"column": "plan", "why": "test"}],
            "preserve": [{"column": "*", "why": "test"}]}
    pair.here.load(profile({"people": gone}, name="shop", version="2"))
    report = pair.here.refused("0A000", "SELECT * FROM confiture.mask_replication('shop', 'shop')")
    assert report.message_primary == (
        'column "plan" of table "shop.people" cannot be left out while rows arrive')


def test_a_trigger_that_would_be_shown_raw_rows_is_refused(pair):
    pair.here.execute("""
      CREATE FUNCTION public.look() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END';
      CREATE TRIGGER before_all BEFORE INSERT ON shop.people FOR EACH ROW EXECUTE FUNCTION public.look()""")
    pair.publish()
    # It fires for what is written here only.
    pair.mask()
    pair.subscribe()
    for command in ("ALTER TABLE shop.people ENABLE ALWAYS TRIGGER before_all",
                    "ALTER TABLE shop.people ENABLE REPLICA TRIGGER before_all"):
        report = pair.here.refused("55000", command)
        assert report.message_primary == (
            'trigger "before_all" of table "shop.people" is shown rows before they are masked')
    pair.here.execute("ALTER TRIGGER before_all ON shop.people RENAME TO later;"
                      "ALTER TABLE shop.people ENABLE ALWAYS TRIGGER later")
    pair.here.refused("55000", "ALTER TRIGGER later ON shop.people RENAME TO before_all")
    # What no event trigger has seen is seen when a row arrives.
    pair.here.execute("ALTER EVENT TRIGGER confiture_follow_replication DISABLE;"
                      "ALTER TRIGGER later ON shop.people RENAME TO before_all")
    mark = pair.mark()
    fill(pair, 1, 2)
    assert "is shown rows before they are masked" in pair.stuck(mark)
    assert stored(pair) == []


def test_commands_that_would_let_rows_in_unmasked_are_refused(both):
    both.both("CREATE TABLE shop.other (id integer PRIMARY KEY, secret text)")
    refused = [
        ("ALTER TABLE shop.people DISABLE TRIGGER confiture_mask", "is missing or altered"),
        ("ALTER TABLE shop.people ENABLE TRIGGER confiture_mask", "is missing or altered"),
        ("ALTER TABLE shop.people DISABLE TRIGGER ALL", "is missing or altered"),
        ("DROP TRIGGER confiture_mask ON shop.people", "is missing or altered"),
        ("ALTER TRIGGER confiture_mask ON shop.people RENAME TO other", "is missing or altered"),
        ("CREATE OR REPLACE TRIGGER confiture_mask BEFORE INSERT OR UPDATE ON shop.people FOR EACH ROW"
         " WHEN (false) EXECUTE FUNCTION confiture._mask_replicated('1')", "is missing or altered"),
        ("ALTER TABLE shop.people DROP CONSTRAINT people_pkey", "has neither a primary key"),
        ("ALTER TABLE shop.people DROP CONSTRAINT people_pkey, ADD PRIMARY KEY (email)",
         "subscriptions look rows up by it"),
        ("ALTER TABLE shop.people RENAME TO persons", "which are not masked"),
        (f"ALTER SUBSCRIPTION {both.name} SET (streaming = on)", "before they are masked"),
    ]
    for command, message in refused:
        report = both.here.refused(("55000", "0A000"), command)
        assert message in report.message_primary, command
        assert report.message_hint, command
    both.raw.execute("ALTER PUBLICATION pub ADD TABLE shop.other")
    both.raw.execute("INSERT INTO shop.other VALUES (1, 'ORIGINAL-note')")
    report = both.here.refused("55000", f"ALTER SUBSCRIPTION {both.name} REFRESH PUBLICATION")
    assert report.message_primary == (
        f'subscription "{both.name}" brings rows to table "shop.other", which are not masked')
    assert both.here.rows("SELECT * FROM shop.other") == []
    both.here.refused("55000", "SELECT confiture.unmask_replication('shop')")
    # Masked as well, it may come.
    both.mask(profile({"people": {"email": "mail"}, "other": {"secret": "redact"}}, name="shop", version="2"))
    both.here.execute(f"ALTER SUBSCRIPTION {both.name} REFRESH PUBLICATION")
    both.wait_for_copies()
    assert both.here.rows("SELECT * FROM shop.other") == [(1, "[REDACTED]")]
    assert both.here.rows("SELECT * FROM confiture.lint_replication('shop')") == []


def test_a_subscription_that_streams_is_refused(pair):
    """It writes changes into files before they are applied, and no trigger is asked."""
    pair.publish()
    pair.mask()
    report = pair.here.refused(
        "55000", f"CREATE SUBSCRIPTION {pair.name} CONNECTION '{pair.conninfo}' PUBLICATION pub"
        " WITH (streaming = on)")
    assert "before they are masked" in report.message_primary
    assert "streaming = off" in report.message_hint
    # The publisher keeps the slot that the command had it make.
    pair.raw.execute("SELECT pg_drop_replication_slot(%s)", [pair.name])
    pair.subscribe()
    # Where no event trigger was asked, it is noticed when the first row arrives.
    pair.here.execute("ALTER EVENT TRIGGER confiture_follow_replication DISABLE;"
                      f"ALTER SUBSCRIPTION {pair.name} SET (streaming = on)")
    mark = pair.mark()
    fill(pair, 1, 3000)
    assert "may write changes of table" in pair.stuck(mark)
    assert stored(pair) == []
    found = pair.here.rows("SELECT severity, problem FROM confiture.lint_replication('shop')")
    assert found == [("high", "streaming")]


def test_a_column_that_nobody_decided_about_stops_what_arrives(both):
    fill(both, 1, 1)
    both.catch_up()
    both.here.execute("ALTER TABLE shop.people ADD diagnosis text")
    both.raw.execute("ALTER TABLE shop.people ADD diagnosis text")
    mark = both.mark()
    both.raw.execute("INSERT INTO shop.people (id, email, diagnosis) VALUES (2, 'a', 'ORIGINAL-note')")
    log = both.stuck(mark)
    assert ('column "diagnosis" of table "shop.people" is not as it was when its replication was masked') in log
    assert both.here.rows("SELECT severity, problem, object FROM confiture.lint_replication()") == [
        ("medium", "column", "shop.people")]
    assert both.here.value("SELECT count(*) FROM shop.people") == 1
    assert both.mask(shop("2", {**{"email": "mail"}, "diagnosis": "redact"})) == [
        ("people", "masked anew", 2)]
    both.catch_up()
    assert both.here.value("SELECT diagnosis FROM shop.people WHERE id = 2") == "[REDACTED]"


def test_whoever_plays_the_replica_is_refused(both):
    """To mask what a session writes would mask a second time what a run or a dump brings."""
    session = both.here.session()
    session.execute("SET session_replication_role = replica")
    report = session.refused("55000", "INSERT INTO shop.people (id, email) VALUES (1, 'raw')")
    assert "takes rows of subscriptions alone" in report.message_primary
    session.execute("SET session_replication_role = origin")
    session.execute("INSERT INTO shop.people (id, email) VALUES (1, 'here')")
    assert both.here.value("SELECT email FROM shop.people") == "here"
    both.here.refused("42P17", "CREATE TABLE mine (id integer);"
                      "CREATE TRIGGER t AFTER INSERT ON mine FOR EACH ROW"
                      " EXECUTE FUNCTION confiture._mask_replicated('1'); INSERT INTO mine VALUES (1)")


def test_the_publisher_may_send_whole_rows_as_identity_and_no_masked_column_alone(both):
    """Rows are looked up here by the primary key, whatever else is sent."""
    both.raw.execute("ALTER TABLE shop.people REPLICA IDENTITY FULL")
    fill(both, 1, 20)
    both.raw.execute("UPDATE shop.people SET email = 'new' || email; DELETE FROM shop.people WHERE id > 10")
    both.catch_up()
    assert len(stored(both)) == 10 and stored(both) == by_a_run(both)
    before = stored(both)
    both.raw.execute("CREATE UNIQUE INDEX by_mail ON shop.people (email);"
                     "ALTER TABLE shop.people REPLICA IDENTITY USING INDEX by_mail")
    mark = both.mark()
    both.raw.execute("UPDATE shop.people SET age = 1 WHERE id = 5")
    log = both.stuck(mark)
    assert "did not send replica identity column" in log
    assert stored(both) == before


def test_it_is_on_record_and_for_who_owns_the_tables(pair):
    here = pair.here
    owner, other = here.role("owner"), here.role("other")
    here.load(shop())
    for role in (owner, other):
        here.execute("SELECT confiture.grant_access('operator', %s)", [role])
        here.execute(f'GRANT USAGE ON SCHEMA shop TO "{role}"; GRANT SELECT, TRIGGER ON shop.people TO "{role}"')
    here.execute(f'ALTER TABLE shop.people OWNER TO "{owner}"')
    call = "SELECT * FROM confiture.mask_replication('shop', 'shop')"
    here.session(other).refused("42501", call)
    here.session(owner).execute(call)
    here.session(other).refused("42501", "SELECT confiture.unmask_replication('shop')")
    assert here.session(owner).column("SELECT confiture.unmask_replication('shop')") == ["people"]
    here.session(owner).refused("42704", "SELECT confiture.unmask_replication('shop')")
    assert here.events()[-2:] == ["REPLICATION_MASKED", "REPLICATION_UNMASKED"]
    facts = here.rows("SELECT target_schema, profile_name, profile_version, details -> 'tables'"
                      " FROM confiture.audit_log WHERE event = 'REPLICATION_MASKED'")
    assert facts == [("shop", "shop", "1", ["people"])]
    assert triggers(here) == 0
    assert here.findings()["OK"][0] == "ok"
    # Rows that the owner's subscription brings are masked without a right of its own on masks.
    here.session(owner).execute(call)
    pair.publish()
    pair.subscribe()
    fill(pair, 1, 3)
    pair.catch_up()
    assert stored(pair) == by_a_run(pair)


def test_a_row_that_moves_to_another_partition_here_alone_stops(pair):
    """Behind it nobody can tell what the publisher has sent."""
    pair.raw.execute("CREATE TABLE shop.visits (id integer, day date, email text, PRIMARY KEY (id, day))")
    pair.here.execute(PARTS)
    pair.publish("shop.visits")
    pair.mask(profile({"visits": {"email": "mail"}}, name="shop"))
    pair.subscribe()
    pair.raw.execute("INSERT INTO shop.visits VALUES (1, '2019-01-01', 'a@raw.example'),"
                     " (2, '2019-01-01', 'b@raw.example')")
    # A deletion and an insertion of their own are none.
    pair.raw.execute("BEGIN; DELETE FROM shop.visits WHERE id = 2;"
                     "INSERT INTO shop.visits VALUES (2, '2025-01-01', 'c@raw.example'); COMMIT")
    pair.catch_up()
    assert sorted(stored(pair, "shop.visits")) == sorted(by_a_run(pair, table="visits"))
    before = stored(pair, "shop.visits")
    mark = pair.mark()
    pair.raw.execute("UPDATE shop.visits SET day = '2025-01-01' WHERE id = 1")
    assert 'a row moves to partition "shop.visits_new"' in pair.stuck(mark)
    assert stored(pair, "shop.visits") == before


def test_a_masked_partition_key_is_refused(pair):
    pair.here.execute("CREATE TABLE shop.parts (id integer, email text, PRIMARY KEY (id))")
    pair.here.execute("CREATE TABLE shop.lists (id integer, kind text, email text) PARTITION BY LIST (lower(email));"
                      "CREATE TABLE shop.lists_all PARTITION OF shop.lists DEFAULT;"
                      "ALTER TABLE shop.lists_all ADD PRIMARY KEY (id)")
    pair.here.load(profile({"lists": {"email": "mail"}}, name="shop"))
    report = pair.here.refused("0A000", "SELECT * FROM confiture.mask_replication('shop', 'shop')")
    assert report.message_primary == (
        'column "email" of table "shop.lists" is masked, and rows find their partition by it')


def test_a_key_that_was_destroyed_lets_nothing_in(both):
    fill(both, 1, 1)
    both.catch_up()
    both.here.execute("SELECT confiture.rotate_key('masking')")
    both.here.load(shop("2"))
    both.here.execute("SELECT confiture.retire_profile('shop', '1')")
    both.here.execute("SELECT confiture.destroy_key_version('masking', 1)")
    mark = both.mark()
    fill(both, 2, 2)
    log = both.stuck(mark)
    assert "masking" in log and both.here.value("SELECT count(*) FROM shop.people") == 1


def test_rows_that_came_before_are_warned_of(pair):
    pair.publish()
    fill(pair, 1, 2)
    pair.subscribe()
    pair.mask()
    assert any("rows that subscriptions have brought before are not masked" in notice["message_primary"]
               for notice in pair.here.notices)
    fill(pair, 3, 3)
    pair.catch_up()
    assert "ORIGINAL" not in pair.here.value("SELECT note FROM shop.people WHERE id = 3")

