"""Hand-written refresh scripts: the evidence they leave, and that it follows their transactions."""

import pytest


@pytest.fixture
def db(db):
    """Two tables to copy by hand."""
    db.execute(
        "CREATE SCHEMA prod; CREATE SCHEMA staging;"
        "CREATE TABLE prod.users (id int PRIMARY KEY, email text);"
        "INSERT INTO prod.users SELECT i, 'user' || i || '@x.example' FROM generate_series(1, 9) i;"
        "INSERT INTO prod.users VALUES (10, NULL);"
        "CREATE TABLE staging.users (id int PRIMARY KEY, email text)"
    )
    return db


COPY = (
    "INSERT INTO staging.users SELECT id,"
    " confiture.track('users', 'email', id::text, email, anon_email(email)) FROM prod.users"
)


def begin(session, name="nightly"):
    return session.value("SELECT confiture.begin_run(%s, 'prod', 'staging')", [name])


def lineage(db):
    return db.rows(
        "SELECT origin, table_name, column_name, rows_seen, rows_changed, rows_unchanged, nulls,"
        " strategy, reversible FROM confiture.lineage ORDER BY seq"
    )


def test_a_script_leaves_the_evidence_of_a_run(db):
    run = begin(db)
    db.execute(COPY)
    assert db.value("""SELECT confiture.end_run('{"mine": true, "share": 0.5}')""") == "match"
    assert lineage(db) == [("declared", "users", "email", 10, 9, 0, 1, "declared", True)]
    entries = db.rows(
        "SELECT event, origin, run_id, verification_passed FROM confiture.audit_log"
        " WHERE run_id IS NOT NULL ORDER BY seq"
    )
    assert entries == [
        ("STARTED", "declared", run, None),
        ("COMPLETED", "declared", run, True),
    ]
    report = db.value(
        "SELECT verification_report FROM confiture.audit_log ORDER BY seq DESC LIMIT 1"
    )
    assert report[0]["shown"] == report[0]["target"] == 10
    assert report[1] == {"check": "declared", "result": {"mine": True, "share": "0.5"}}
    assert set(db.findings()) == {"OK", "W01"}
    # The masked value is handed on as it is.
    assert db.value("SELECT count(*) FROM staging.users WHERE email LIKE '%@%'") == 9
    check = "SELECT confiture.verify_lineage_data(%s, 'users', 'email')"
    assert db.value(check, [run]) == "match"
    db.execute("UPDATE staging.users SET email = 'x' WHERE id = 3")
    assert db.value(check, [run]) == "differs"


def test_rows_that_were_skipped_show(db):
    begin(db)
    db.execute("INSERT INTO staging.users VALUES (3, 'there before')")
    db.execute(COPY + " WHERE id <> 4 ON CONFLICT DO NOTHING")
    db.execute("DELETE FROM staging.users WHERE id = 5")
    assert db.value("SELECT confiture.end_run()") == "differs"
    assert db.value(
        "SELECT verification_passed FROM confiture.audit_log ORDER BY seq DESC LIMIT 1"
    ) is False


def test_counts_follow_rollback_and_savepoints(db):
    begin(db)
    db.execute("BEGIN")
    db.execute(COPY)
    db.execute("ROLLBACK")
    db.execute("BEGIN")
    db.execute(COPY + " WHERE id <= 2")
    db.execute("SAVEPOINT a")
    db.execute(COPY + " WHERE id BETWEEN 3 AND 5")
    db.execute("SAVEPOINT b")
    db.execute(COPY + " WHERE id = 6")
    db.execute("RELEASE b")
    db.execute("ROLLBACK TO a")
    db.execute(COPY + " WHERE id = 7")
    db.execute("RELEASE a")
    db.execute("COMMIT")
    db.execute(
        "DO $$ BEGIN " + COPY.replace("%", "%%") + " WHERE id = 8; RAISE 'undo';"
        " EXCEPTION WHEN OTHERS THEN NULL; END $$"
    )
    assert db.value("SELECT confiture.end_run()") == "match"
    assert lineage(db)[0][3] == 3


def test_a_statement_that_fails_counts_nothing(db):
    begin(db)
    db.execute(COPY + " WHERE id = 9")
    db.refused("23505", COPY)
    assert db.value("SELECT confiture.end_run()") == "match"
    assert lineage(db)[0][3] == 1


def test_the_end_of_a_run_follows_its_transaction(db):
    begin(db)
    db.execute(COPY)
    db.execute("BEGIN")
    assert db.value("SELECT confiture.end_run()") == "match"
    db.execute("ROLLBACK")
    assert db.events()[-1] == "STARTED"
    assert db.value("SELECT confiture.end_run()") == "match"
    assert db.events()[-1] == "COMPLETED"
    db.execute("BEGIN")
    begin(db)
    db.execute("ROLLBACK")
    db.refused("55000", "SELECT confiture.end_run()")
    assert db.value("SELECT count(*) FROM confiture.run_key") == 1


def test_one_run_at_a_time_and_none_by_accident(db):
    db.refused("55000", COPY)
    db.refused("55000", "SELECT confiture.end_run()")
    db.refused("55000", "SELECT confiture.fail_run('why')")
    begin(db)
    db.refused("55000", "SELECT confiture.begin_run('again', 'prod', 'staging')")
    db.refused("22023", "SELECT confiture.fail_run(repeat('x', 501))")
    db.execute("SELECT confiture.fail_run('disk full')")
    assert db.events()[-1] == "FAILED"
    details = db.value("SELECT details FROM confiture.audit_log ORDER BY seq DESC LIMIT 1")
    assert details == {"run": "nightly", "reason": "disk full"}
    begin(db)
    for bad in ["NULL, 'prod', 'staging'", "'x', NULL, 'staging'", "'x', 'prod', NULL"]:
        db.refused("22023", f"SELECT confiture.begin_run({bad})")


def test_a_run_that_was_forgotten_shows(db):
    other = db.session()
    begin(other)
    other.execute(COPY)
    other.connection.close()
    status, first, last = db.findings()["W03"]
    assert status == "warn" and first == last


def test_a_prepared_transaction_is_refused(private_server):
    server = private_server("max_prepared_transactions=5")
    db = server.create_database()
    db.execute("CREATE SCHEMA prod; CREATE SCHEMA staging")
    db.execute("BEGIN")
    begin(db)
    db.refused("0A000", "PREPARE TRANSACTION 'x'")
    db.execute("ROLLBACK")
    db.refused("55000", "SELECT confiture.end_run()")


def test_a_table_the_script_does_not_own_is_read_as_the_script(db):
    role = db.role("script")
    db.execute(f"SELECT confiture.grant_access('operator', '{role}')")
    db.execute(f"SELECT confiture.grant_access('masker', '{role}')")
    db.execute(f'GRANT USAGE ON SCHEMA prod, staging TO "{role}"')
    db.execute(f'GRANT SELECT ON prod.users TO "{role}"')
    db.execute(f'GRANT INSERT ON staging.users TO "{role}"')
    script = db.session(role)
    begin(script)
    script.execute(COPY)
    script.refused("42501", "SELECT confiture.end_run()")
    db.execute(f'GRANT SELECT ON staging.users TO "{role}"')
    assert script.value("SELECT confiture.end_run()") == "match"
    assert db.value("SELECT user_name FROM confiture.audit_log ORDER BY seq DESC LIMIT 1") == role


def test_a_transaction_that_wrote_to_the_ledger_is_not_prepared(private_server):
    server = private_server("max_prepared_transactions=5")
    db = server.create_database()
    db.execute("BEGIN")
    db.execute("SELECT confiture.rotate_key('masking')")
    db.refused("0A000", "PREPARE TRANSACTION 'x'")
    db.execute("ROLLBACK")
    db.execute("BEGIN")
    db.execute("CREATE TABLE t ()")
    db.execute("PREPARE TRANSACTION 'x'")
    db.execute("COMMIT PREPARED 'x'")
