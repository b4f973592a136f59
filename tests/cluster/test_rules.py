"""Rules of law are data: documents are loaded, kept, in use by the highest version, on record."""

import hashlib
import json

import pytest

from server import ROOT

LAW = """
rules: mars
version: "{version}"
title: Mars
author: nobody
calendars:
  - {{code: MARS, title: Mars, zone: {zone}, weekend: [sunday]}}
instruments:
  - {{code: M-LAW, title: Law of Mars, jurisdiction: MARS, citation: Law 1}}
requirements:
  - id: M-1
    instrument: M-LAW
    cite: s. 1
    title: {title}
    kind: record
    origin: knowledge
    mappings:
      - {{control: C-ROPA, rel: superset, rationale: The record has every operation}}
"""


def law(version="1", title="Keep a record", zone="UTC"):
    return LAW.format(version=version, title=title, zone=zone)


def load(db, document):
    return db.value("SELECT confiture.load_rules(%s)", [document])


def titles(db):
    return db.column("SELECT title FROM confiture.compliance_matrix(ARRAY['MARS'])")


def test_shipped_rules_are_in_use_without_loading(db):
    rows = db.rows(
        "SELECT rules, version, texts_checked, loaded_by FROM confiture.rules_in_use() ORDER BY 1"
    )
    assert [row[0] for row in rows] == [
        "calendars", "ccpa", "conflicts", "controls", "gdpr", "lgpd", "pipeda", "pipl", "popia",
        "privacy_act",
    ]
    assert {row[2] for row in rows} == {0}, "nobody has checked a text"
    assert {row[3] for row in rows} == {None}
    assert db.value("SELECT count(*) FROM confiture.rules_document") == 0


def test_a_law_is_loaded_without_a_new_library(db):
    db.refused("22023", "SELECT confiture.compliance_matrix(ARRAY['MARS'])")
    said = load(db, law())
    assert said == 'rules "mars" version 1 loaded with 1 requirement, 0 controls and 0 conflicts'
    assert titles(db) == ["Keep a record"]
    version = db.value("SELECT DISTINCT rules_version FROM confiture.compliance_matrix()")
    assert "mars 1" in version and "gdpr 2026.1" in version
    digest = db.value("SELECT sha256 FROM confiture.rules_in_use() WHERE rules = 'mars'")
    assert digest == hashlib.sha256(law().encode()).hexdigest()


def test_the_highest_version_is_in_use_and_every_one_is_kept(db):
    load(db, law("1.9"))
    load(db, law("1.10", "Keep two records"))
    assert titles(db) == ["Keep two records"]
    assert db.column("SELECT version FROM confiture.rules_document ORDER BY loaded_at") == [
        "1.9", "1.10",
    ]
    assert load(db, law("1.9")).endswith("known before")
    error = db.refused("55000", "SELECT confiture.load_rules(%s)", [law("1.8")])
    assert "older than version 1.10" in error.message_primary
    error = db.refused("42710", "SELECT confiture.load_rules(%s)", [law("1.10", "Other")])
    assert "already exist with other content" in error.message_primary


def test_a_document_takes_the_place_of_a_shipped_one(db):
    db.refused("55000", "SELECT confiture.load_rules(%s)", [law("1").replace("mars", "gdpr")])
    # What the others name must be in it.
    document = law("2030.1").replace("mars", "gdpr")
    error = db.refused("22023", "SELECT confiture.load_rules(%s)", [document])
    assert 'requirement "GDPR-' in error.message_primary
    assert "which is not there" in error.message_primary
    # A newer one with everything in it does.
    shipped = (ROOT / "rules" / "gdpr.yaml").read_text(encoding="utf-8")
    newer = shipped.replace('version: "2026.1"', 'version: "2026.2"').replace("n: 72,", "n: 96,")
    load(db, newer)
    deadline = db.value(
        "SELECT parameters->'deadline'->>'within' FROM confiture.compliance_matrix(ARRAY['EU'])"
        " WHERE requirement = 'GDPR-33-1'"
    )
    assert deadline == "96 hours"


def test_loading_is_on_record(db):
    load(db, law())
    load(db, law())
    entries = db.rows(
        "SELECT details->>'rules', details->>'version', details->>'sha256' FROM confiture.audit_log"
        " WHERE event = 'RULES_LOADED'"
    )
    assert entries == [("mars", "1", hashlib.sha256(law().encode()).hexdigest())]


@pytest.mark.parametrize(
    ("document", "sqlstate", "said"),
    [
        (law().replace("kind: record", "kind: recrod"), "22023", 'word "record" was meant'),
        (law().replace("kind: record", "kind: recrod"), "22023", "requirements[0].kind"),
        (law().replace("C-ROPA", "C-NONE"), "22023", 'control "C-NONE", which is not there'),
        (law("one"), "22023", "version must be numbers with points at line 3 column 10"),
        (law() + "sql: DROP TABLE x\n", "22P02", 'unrecognized key "sql"'),
        (law() + "extra: !!python/object/apply:os.system [ls]\n", "22P02", "tag"),
        (law(zone="Mars/Olympus"), "22023", "Mars/Olympus"),
        ("rules: [" * 100, "22P02", "deep"),
        (None, "22023", '"yaml" must not be null'),
    ],
)
def test_documents_that_are_no_rules_are_refused(db, document, sqlstate, said):
    error = db.refused(sqlstate, "SELECT confiture.load_rules(%s)", [document])
    parts = [error.message_primary, error.message_detail, error.message_hint]
    shown = " ".join(filter(None, parts))
    assert said in shown
    assert db.value("SELECT count(*) FROM confiture.rules_document") == 0


def unguarded(db, *statements):
    """What a superuser can do all the same."""
    table = "ALTER TABLE confiture.rules_document"
    db.execute(f"{table} DISABLE TRIGGER ALL")
    for statement in statements:
        db.execute(statement)
    db.execute(f"{table} ENABLE ALWAYS TRIGGER rules_document_append_only")


def test_stored_rules_are_added_and_never_changed(db):
    load(db, law())
    for change in (
        "UPDATE confiture.rules_document SET document = ''",
        "UPDATE confiture.rules_document SET document = '' WHERE false",
        "DELETE FROM confiture.rules_document",
        "TRUNCATE confiture.rules_document",
    ):
        error = db.refused("42501", change)
        assert error.message_primary == "stored rules are never changed"
        assert "confiture.load_rules" in error.message_hint
        db.refused("42501", f"SET session_replication_role = replica; {change}")
        db.execute("RESET session_replication_role")


def test_stored_rules_that_were_changed_are_told(db):
    load(db, law())
    unguarded(
        db, "UPDATE confiture.rules_document SET document = replace(document, 'Keep', 'Burn')"
    )
    fresh = db.session()
    error = fresh.refused("XX001", "SELECT confiture.compliance_matrix()")
    assert "are not what was loaded" in error.message_primary
    # What the hint says helps.
    assert "loaded with 1 requirement" in load(fresh, law("2"))
    assert titles(fresh) == ["Keep a record"]


def test_rules_that_the_ledger_does_not_know_are_told_by_every_report(db):
    def doubts(session):
        ask = "SELECT doubt FROM confiture.rules_in_use() WHERE doubt IS NOT NULL"
        return session.column(ask)

    load(db, law())
    assert doubts(db) == []
    # With another hash that fits, nothing but the ledger knows better.
    unguarded(
        db,
        "UPDATE confiture.rules_document SET document = replace(document, 'Keep', 'Burn')",
        "UPDATE confiture.rules_document SET document_hash = sha256(convert_to(document, 'UTF8'))",
    )
    fresh = db.session()
    altered = 'rules "mars" version 1 are not those that the ledger says were loaded'
    assert doubts(fresh) == [altered]
    version = "SELECT DISTINCT rules_version FROM confiture.compliance_matrix()"
    assert fresh.value(version).endswith(f"; {altered}")
    for regulation in ("gdpr", "popia"):
        report = "SELECT confiture.compliance_report(%s, %s)"
        shown = fresh.value(report, [regulation, "json"])
        assert json.loads(shown)["rules"]["version"].endswith(f"; {altered}")
        for form in ("html", "markdown"):
            assert "are not those that the ledger says were loaded" in fresh.value(
                report, [regulation, form]
            )
    # One that nobody loaded has no entry.
    db.execute(
        "INSERT INTO confiture.rules_document (name, version, title, document, document_hash,"
        " loaded_by) SELECT name, '2', title, t, sha256(convert_to(t, 'UTF8')), loaded_by"
        " FROM confiture.rules_document, replace(document, 'version: \"1\"', 'version: \"2\"') t"
    )
    assert doubts(db.session()) == [
        'no entry of the ledger says that rules "mars" version 2 were loaded'
    ]


def test_a_dump_keeps_rules_and_decisions(db, server):
    load(db, law())
    db.execute("SELECT confiture.decide_conflict('X01', '*', 'restrict', 'art. 17', '2099-12-31')")
    dump = server.run("pg_dump", "--no-owner", database=db.name).stdout
    other = server.create_database(extension=False)
    try:
        server.psql(other.name, "-v", "ON_ERROR_STOP=1", "-f", "-", stdin=dump)
        assert titles(other) == ["Keep a record"]
        assert other.value(
            "SELECT status FROM confiture.compliance_conflicts() WHERE conflict = 'X01'"
        ) == "decided"
        other.execute(
            "SELECT confiture.decide_conflict('X02', '*', 'apart', 'art. 44', '2099-12-31')"
        )
    finally:
        other.drop()


def test_only_an_officer_or_an_admin_loads_rules(db):
    for kind in ("auditor", "operator"):
        role = db.role(kind)
        db.execute(f"SELECT confiture.grant_access('{kind}', '{role}')")
        session = db.session(role)
        session.refused("42501", "SELECT confiture.load_rules('x')")
        session.refused("42501", "INSERT INTO confiture.rules_document VALUES ('a')")
        session.refused("42501", "UPDATE confiture.rules_document SET version = '9'")
    for version, kind in enumerate(("officer", "admin"), 1):
        role = db.role(kind)
        db.execute(f"SELECT confiture.grant_access('{kind}', '{role}')")
        session = db.session(role)
        assert "loaded with 1 requirement" in load(session, law(version))
        session.refused("42501", "DELETE FROM confiture.rules_document")
        by = "SELECT loaded_by FROM confiture.rules_document WHERE version = %s"
        assert db.value(by, [str(version)]) == role
