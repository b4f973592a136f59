"""Acts that are put on record beside runs and keys: profiles, access, verifications, reports."""

import hashlib
import json
import threading

import pytest

from journal_calls import REVEAL
from samples import make_small, small
from tampering import tamper


def entries(db, event):
    """Details and facts of the entries of an event."""
    return db.rows(
        "SELECT details, profile_name, profile_version, encode(profile_hash, 'hex'), run_id"
        " FROM confiture.audit_log WHERE event = %s ORDER BY seq",
        [event],
    )


def hash_of(db, version="1"):
    return db.value(
        "SELECT encode(profile_hash, 'hex') FROM confiture.profile WHERE version = %s", [version]
    )


@pytest.fixture
def keyless(server):
    """A database without any key."""
    database = server.create_database(key=False)
    yield database
    database.drop()


def test_profiles_that_are_stored_or_taken_out_of_use_are_on_record(db):
    db.load(small())
    loaded = (None, "small", "1", hash_of(db), None)
    assert entries(db, "PROFILE_LOADED") == [loaded]
    # Nothing was done.
    db.load(small())
    db.refused("42710", "SELECT confiture.load_profile(%s)", [small(description="other")])
    assert db.all_events() == ["KEY_CREATED", "PROFILE_LOADED"]
    db.execute("SELECT confiture.retire_profile('small', '1')")
    db.load(small())
    db.load(small(version="2"))
    assert db.all_events()[2:] == ["PROFILE_RETIRED", "PROFILE_LOADED", "PROFILE_LOADED"]
    assert entries(db, "PROFILE_RETIRED") == [loaded]
    assert set(db.findings()) == {"OK", "W01"}


def test_a_profile_that_was_rolled_back_left_no_entry(db):
    db.execute("BEGIN")
    db.load(small())
    db.execute("ROLLBACK")
    assert db.all_events() == ["KEY_CREATED"]


def test_access_given_and_taken_is_on_record(db):
    role = db.role("somebody")
    db.execute(f"SELECT confiture.grant_access('auditor', '{role}')")
    session = db.session(role)
    assert session.findings()
    db.execute(f"SELECT confiture.revoke_access('auditor', '{role}')")
    session.refused("42501", "SELECT * FROM confiture.verify_ledger()")
    details = {"kind": "auditor", "role": role}
    assert [row[0] for row in entries(db, "ACCESS_GRANTED")] == [details]
    assert [row[0] for row in entries(db, "ACCESS_REVOKED")] == [details]


def rights(db, role):
    return db.rows(
        "SELECT 'routine', p.oid::regprocedure::text FROM pg_proc p, aclexplode(p.proacl) a"
        " WHERE a.grantee = %(role)s::regrole UNION SELECT 'relation', c.oid::regclass::text"
        " FROM pg_class c, aclexplode(c.relacl) a WHERE a.grantee = %(role)s::regrole"
        " UNION SELECT 'schema', n.nspname FROM pg_namespace n, aclexplode(n.nspacl) a"
        " WHERE a.grantee = %(role)s::regrole ORDER BY 1, 2",
        {"role": role},
    )


def test_what_one_kind_gives_stays_when_another_that_gives_it_too_is_taken(db):
    role = db.role("somebody")
    grant, revoke = (f"SELECT confiture.{act}_access(%s, '{role}')" for act in ("grant", "revoke"))
    kinds = ["masker", "operator", "revealer", "auditor", "admin"]
    for kind in kinds:
        assert rights(db, role) == []
        db.execute(grant, [kind])
        alone = rights(db, role)
        for other in kinds:
            if other != kind:
                db.execute(grant, [other])
                db.execute(revoke, [other])
                assert rights(db, role) == alone, (kind, other)
        db.execute(revoke, [kind])
    assert rights(db, role) == []


def test_who_may_not_give_access_gives_none_and_leaves_no_entry(db):
    clerk, friend = db.role("clerk"), db.role("friend")
    db.execute(f"GRANT USAGE ON SCHEMA confiture TO {clerk}")
    db.execute(f"GRANT EXECUTE ON FUNCTION confiture.grant_access TO {clerk}")
    report = db.session(clerk).refused("42501", f"SELECT confiture.grant_access('admin', '{friend}')")
    assert "access" in report.message_primary
    assert db.all_events() == ["KEY_CREATED"] and rights(db, friend) == []


def test_before_the_first_key_nothing_is_on_record_and_the_first_entry_says_what_stands(keyless):
    db, role = keyless, keyless.role("somebody")
    db.load(small())
    db.execute(f"SELECT confiture.grant_access('masker', '{role}')")
    assert db.all_events() == []
    db.make_key()
    ((details, *_),) = entries(db, "KEY_CREATED")
    assert details["found"] == {
        "profiles": [{"name": "small", "version": "1", "hash": hash_of(db)}],
        "roles": [role],
    }
    db.load(small(version="2"))
    assert db.all_events() == ["KEY_CREATED", "PROFILE_LOADED"]
    db.execute("SELECT confiture.create_key('ledger')")
    assert "found" not in entries(db, "KEY_CREATED")[1][0]


def test_a_log_that_begins_without_a_key_has_an_entry_for_each(keyless):
    db = keyless
    db.load(small())
    db.execute("SET confiture.allow_unsigned = on")
    db.load(small(version="2"))
    db.execute("RESET confiture.allow_unsigned")
    ((details, *_),) = entries(db, "PROFILE_LOADED")
    assert [found["version"] for found in details["found"]["profiles"]] == ["1", "2"]
    # The log has begun: from then on it is an entry or nothing.
    db.refused("55000", "SELECT confiture.load_profile(%s)", [small(version="3")])


@pytest.mark.parametrize("first", ["profile", "key"])
def test_a_profile_beside_the_first_key_is_never_missing(keyless, first):
    db = keyless
    assert db.server.key_file_is_there() or db.execute("SELECT confiture.init_key_file()")
    other = db.session()
    acts = [
        lambda session: session.load(small()),
        lambda session: session.execute("SELECT confiture.create_key('masking')"),
    ]
    if first == "key":
        acts.reverse()
    db.execute("BEGIN")
    acts[0](db)
    waiting = threading.Thread(target=acts[1], args=[other])
    waiting.start()
    waiting.join(0.3)
    assert waiting.is_alive(), "it waits for the other"
    db.execute("COMMIT")
    waiting.join()
    if first == "key":
        assert db.all_events() == ["KEY_CREATED", "PROFILE_LOADED"]
    else:
        assert db.all_events() == ["KEY_CREATED"]
        assert entries(db, "KEY_CREATED")[0][0]["found"]["profiles"][0]["name"] == "small"


def record(session, anchors=None):
    return session.rows("SELECT * FROM confiture.record_verification(%s)", [anchors])


def test_a_verification_is_on_record_with_what_it_found(db):
    make_small(db)
    db.sync()
    plain = db.rows("SELECT * FROM confiture.verify_ledger()")
    assert record(db) == plain
    last, passed, report, details = db.rows(
        "SELECT seq, verification_passed, verification_report, details FROM confiture.audit_log"
        " WHERE event = 'VERIFIED'"
    )[0]
    assert passed is True
    assert details == {"status": "ok", "last": last - 1, "anchors": None, "findings": 2}
    assert report[0] == {
        "check_code": "OK", "status": "ok", "chain": "audit", "seq_from": 1, "seq_to": last - 1,
    }
    assert "OK" in db.findings()


def test_a_verification_that_failed_is_on_record_as_failed(db):
    make_small(db)
    db.sync()
    note = db.value("SELECT confiture.export_anchor()")
    tamper(db, "UPDATE confiture.audit_log SET user_name = 'x' WHERE seq = 2")
    assert "E01" in [row[0] for row in record(db, [note])]
    passed, report, details = db.rows(
        "SELECT verification_passed, verification_report, details FROM confiture.audit_log"
        " ORDER BY seq DESC LIMIT 1"
    )[0]
    assert passed is False and details["status"] == "fail" and details["anchors"] == 1
    assert ("E01", 2) in [(found["check_code"], found["seq_from"]) for found in report]


def test_what_breaks_the_log_cannot_be_put_on_record(db):
    make_small(db)
    db.sync()
    tamper(db, "DELETE FROM confiture.audit_log WHERE seq > 3")
    db.refused("XX001", "SELECT confiture.record_verification()")
    assert db.findings()["E07"][0] == "fail"


def test_a_report_handed_out_can_be_found_by_its_digest(db):
    make_small(db)
    db.sync()
    run = db.value("SELECT run_id FROM confiture.audit_log WHERE event = 'COMPLETED'")
    report = db.value("SELECT confiture.issue_lineage_report('staging', format => 'html')")
    event = db.value("SELECT confiture.issue_openlineage(%s)::text", [run])
    digests = [hashlib.sha256(text.encode()).hexdigest() for text in (report, event)]
    (lineage, openlineage) = entries(db, "REPORT")
    assert lineage[0] == {
        "report": "lineage_report", "format": "html", "schema": "staging", "table": None,
        "sha256": digests[0], "bytes": len(report.encode()),
    }
    assert openlineage[0]["sha256"] == digests[1] and openlineage[-1] == run
    assert json.loads(event) == db.value("SELECT confiture.export_openlineage(%s)", [run])
    # Asked of somebody who shows a copy.
    found = db.column(
        "SELECT seq FROM confiture.audit_log WHERE event = 'REPORT' AND details ->> 'sha256' = %s",
        [hashlib.sha256(report.encode()).hexdigest()],
    )
    assert len(found) == 1
    db.refused("22023", "SELECT confiture.issue_lineage_report(repeat('x', 64))")
    db.refused("22023", "SELECT confiture.issue_lineage_report(format => 'pdf')")


def test_an_auditor_verifies_and_reports_on_record(db):
    make_small(db)
    db.sync()
    auditor = db.role("auditor")
    db.execute(f"SELECT confiture.grant_access('auditor', '{auditor}')")
    session = db.session(auditor)
    assert record(session)
    assert session.value("SELECT confiture.issue_lineage_report()")
    users = db.column(
        "SELECT user_name FROM confiture.audit_log WHERE event = ANY (ARRAY['VERIFIED', 'REPORT'])"
    )
    assert users == [auditor] * 2
    stranger = db.session(db.role("stranger"))
    stranger.refused("42501", "SELECT confiture.record_verification()")


def test_many_acts_at_once_see_no_deadlock(db):
    make_small(db)
    db.sync()
    roles = [db.role(f"r{i}") for i in range(2)]
    acts = [
        "SELECT confiture.rotate_key('masking')",
        "SELECT confiture.record_verification()",
        "SELECT confiture.issue_lineage_report()",
        REVEAL,
    ]
    failures, granting = [], threading.Lock()

    def work(number):
        session = db.session()
        try:
            for turn in range(6):
                session.execute(acts[(number + turn) % len(acts)])
                session.load(small(version=f"{turn // 2}.{number % 3}"))
                if number < len(roles):
                    # The server lets two GRANTs of one function fail: one session at a time.
                    with granting:
                        session.execute(
                            f"SELECT confiture.grant_access('auditor', '{roles[number]}')"
                        )
        except Exception as error:  # noqa: BLE001
            failures.append(error)

    threads = [threading.Thread(target=work, args=[number]) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []
    assert set(db.findings()) <= {"OK", "W01"}
