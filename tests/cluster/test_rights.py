"""Who may do what: PUBLIC nothing, and each kind of access what it is for and no more."""

import pytest

from samples import make_people, make_small, small

MEMBERS = """
    SELECT d.objid FROM pg_depend d JOIN pg_extension e ON e.oid = d.refobjid
     WHERE d.refclassid = 'pg_extension'::regclass AND d.deptype = 'e'
       AND e.extname = 'confiture' AND d.classid = '{}'::regclass"""

MASKS = ["anon_hash('x')", "anon_email('x')", "anon_phone('1')", "anon_redact('x')"]
AUDITS = [
    "SELECT * FROM confiture.audit_log",
    "SELECT * FROM confiture.get_audit_log()",
    "SELECT * FROM confiture.verify_ledger()",
    "SELECT * FROM confiture.run_report",
    "SELECT confiture.audit_entry_json('a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11')",
    "SELECT confiture.anchor_key()",
    "SELECT * FROM confiture.inclusion_proof(1)",
    "SELECT * FROM confiture.consistency_proof(1)",
]

ACTS = [
    "SELECT confiture.create_key('other')",
    "SELECT confiture.rotate_key('masking')",
    "CALL confiture.rotate_kek()",
    "CALL confiture.rewrap_keys()",
    "SELECT confiture.destroy_key_version('masking', 1)",
    "CALL confiture.share_key('masking', gen_random_uuid())",
    "SELECT confiture.import_key('{}')",
    "SELECT confiture.installation_id()",
]
USERS = (
    "SELECT event, user_name, session_user_name FROM confiture.audit_log"
    " WHERE event NOT IN ('ACCESS_GRANTED', 'PROFILE_LOADED') ORDER BY seq"
)
STORED = [
    "SELECT * FROM confiture.key",
    "SELECT * FROM confiture.key_version",
    "SELECT * FROM confiture.key_verifier",
    "SELECT * FROM confiture.installation",
]
KEYS_IN_USE = ["SELECT confiture.load_keys()", "SELECT confiture.forget_keys()"]
STATE = ["SELECT confiture.provider_problem('file')", "SELECT * FROM confiture.key_status"]


@pytest.fixture
def operator(db):
    """A session of an operator who may read prod and make schemas, and nothing else."""
    make_people(db)
    role = db.role("op")
    db.execute(f"SELECT confiture.grant_access('operator', '{role}')")
    db.execute(f"GRANT USAGE ON SCHEMA prod TO {role}")
    db.execute(f"GRANT SELECT ON ALL TABLES IN SCHEMA prod TO {role}")
    db.execute(f"GRANT CREATE ON DATABASE {db.name} TO {role}")
    session = db.session(role)
    session.role = role
    session.load(small())
    return session


def test_public_can_call_nothing_and_read_nothing(db):
    callable_ = db.column(
        f"SELECT oid::regprocedure::text FROM pg_proc WHERE oid IN ({MEMBERS.format('pg_proc')})"
        " AND has_function_privilege('public', oid, 'EXECUTE')"
    )
    # It takes no value, and asks by itself who may read: docs/views.md.
    assert callable_ == ["confiture._mask_row(integer,integer,oid,tid,anyelement)"]
    rights = "SELECT, INSERT, UPDATE, DELETE, TRUNCATE, REFERENCES, TRIGGER"
    readable = db.column(
        f"SELECT oid::regclass::text FROM pg_class WHERE oid IN ({MEMBERS.format('pg_class')})"
        f" AND relkind <> 'S' AND (has_table_privilege('public', oid, '{rights}')"
        "  OR has_any_column_privilege('public', oid, 'SELECT, INSERT, UPDATE'))"
    )
    assert readable == []
    counters = db.column(
        f"SELECT oid::regclass::text FROM pg_class WHERE oid IN ({MEMBERS.format('pg_class')})"
        " AND CASE relkind WHEN 'S'"
        "     THEN has_sequence_privilege('public', oid, 'USAGE, SELECT, UPDATE') END"
    )
    assert counters == []
    assert not db.value("SELECT has_schema_privilege('public', 'confiture', 'CREATE')")


def test_the_walk_over_the_catalog_saw_the_objects(db):
    # So that the test above cannot pass by looking at nothing.
    assert db.value(f"SELECT count(*) FROM ({MEMBERS.format('pg_proc')}) AS m") > 20
    assert db.value(f"SELECT count(*) FROM ({MEMBERS.format('pg_class')}) AS m") > 5


def test_no_function_of_the_extension_appends_to_the_ledger_or_takes_key_bytes(db):
    names = db.column(f"SELECT proname FROM pg_proc WHERE oid IN ({MEMBERS.format('pg_proc')})")
    assert not [name for name in names if "append" in name or "insert" in name]
    # A mask takes and gives values, _run_mac gives hashes; bytea in any other place could be a key.
    takes_bytes = db.column(
        f"SELECT proname FROM pg_proc WHERE oid IN ({MEMBERS.format('pg_proc')})"
        " AND 'bytea'::regtype = ANY (CASE WHEN proname LIKE 'anon\\_%'"
        " AND proargnames[1] = 'value'"
        " THEN (string_to_array(proargtypes::text, ' ')::oid[])[2:]"
        " ELSE string_to_array(proargtypes::text, ' ')::oid[] || prorettype END)"
    )
    # What _tally has counted travels as bytes between the processes of a query.
    tally = {"_tally", "_tally_bytes", "_tally_state"}
    assert set(takes_bytes) <= {"_run_mac", "_run_mask", "anon_constant", "anon_choice"} | tally


def test_a_stranger_is_refused_everywhere(db):
    make_small(db)
    db.sync()
    stranger = db.session(db.role("stranger"))
    for mask in MASKS:
        stranger.refused("42501", f"SELECT {mask}")
    for query in [
        *AUDITS,
        *ACTS,
        *STORED,
        *KEYS_IN_USE,
        *STATE,
        "SELECT * FROM confiture.profiles",
        "SELECT * FROM confiture.plan('small', 'prod', 'x')",
        "SELECT confiture.init_key_file('/tmp/x')",
        "SELECT confiture.load_profile('')",
        "SELECT confiture.validate_profile('')",
        "SELECT confiture.retire_profile('small', '1')",
        "SELECT confiture.resolve_seed('small', 'people', 'email')",
        "SELECT confiture.grant_access('auditor', current_user)",
        "INSERT INTO confiture.ledger_head VALUES ('x')",
        "UPDATE confiture.audit_log SET event = ''",
    ]:
        stranger.refused("42501", query)
    stranger.sync_refused("42501")


def test_a_masker_masks_and_no_more(db):
    make_small(db)
    db.sync()
    role = db.role("masker")
    db.execute(f"SELECT confiture.grant_access('masker', '{role}')")
    masker = db.session(role)
    for mask in MASKS:
        assert masker.value(f"SELECT {mask} IS NOT NULL")
    for query in KEYS_IN_USE:
        assert masker.value(query) == 1
    for query in [
        *AUDITS,
        *ACTS,
        *STORED,
        *STATE,
        "SELECT * FROM confiture.profiles",
    ]:
        masker.refused("42501", query)
    masker.sync_refused("42501")


def test_an_auditor_reads_the_evidence_and_no_more(db):
    make_small(db)
    db.sync()
    role = db.role("auditor")
    db.execute(f"SELECT confiture.grant_access('auditor', '{role}')")
    auditor = db.session(role)
    for query in [*AUDITS, *STATE]:
        auditor.rows(query)
    assert auditor.findings()["OK"][0] == "ok"
    assert len(auditor.rows("SELECT * FROM confiture.get_audit_log()")) == 5
    for query in [
        *ACTS,
        *STORED,
        *KEYS_IN_USE,
        "DELETE FROM confiture.audit_log",
        "SELECT anon_email('x')",
        "SELECT confiture.load_profile('')",
    ]:
        auditor.refused("42501", query)
    auditor.sync_refused("42501")


def test_an_operator_without_superuser_does_the_whole_job(operator, db):
    assert operator.plan()[("people", "email")]["decision"] == "masked"
    operator.sync()
    operator.sync()
    assert operator.value("SELECT count(*) FROM staging.people") == 3
    assert operator.column("SELECT version FROM confiture.profiles") == ["1"]
    assert operator.value("SELECT confiture.resolve_seed('small', 'people', 'email')")
    owner = db.value(
        "SELECT relowner::regrole::text FROM pg_class WHERE oid = 'staging.people'::regclass"
    )
    assert owner == operator.role
    for query in STATE:
        operator.rows(query)
    assert [operator.value(query) for query in KEYS_IN_USE] == [1, 1]
    assert db.rows(USERS) == [
        ("KEY_CREATED", "postgres", "postgres"),
        *[("STARTED", *[operator.role] * 2), ("COMPLETED", *[operator.role] * 2)] * 2,
    ]


def test_an_operator_sees_no_evidence_no_key_and_calls_no_mask(operator):
    operator.sync()
    for query in [
        *ACTS,
        *STORED,
        "SELECT anon_email('x')",
        "SELECT confiture._run_mask(0, 'x'::text)",
        "TRUNCATE confiture.audit_log",
        "SELECT confiture.grant_access('auditor', current_user)",
    ]:
        operator.refused({"42501", "42883", "55000"}, query)


def test_whoever_changes_the_role_runs_with_its_rights(operator, db):
    db.execute(f"SET ROLE {operator.role}")
    db.sync()
    db.execute("RESET ROLE")
    assert db.rows(USERS) == [
        ("KEY_CREATED", "postgres", "postgres"),
        ("STARTED", operator.role, "postgres"),
        ("COMPLETED", operator.role, "postgres"),
    ]


@pytest.mark.parametrize("kind", ["masker", "operator", "auditor", "admin"])
def test_access_can_be_granted_twice_and_only_by_who_may(db, kind):
    role = db.role("somebody")
    for _ in range(2):
        db.execute(f"SELECT confiture.grant_access('{kind}', '{role}')")
    db.refused("42704", f"SELECT confiture.grant_access('{kind}', 'nobody at all')")
    db.session(role).refused("42501", f"SELECT confiture.grant_access('{kind}', '{role}')")


def test_a_kind_of_access_that_is_not_there_is_refused(db):
    db.refused("22023", "SELECT confiture.grant_access('god', 'postgres')")


def test_a_role_with_an_odd_name_is_granted_access(db):
    db.execute(f"""CREATE ROLE "o'dd ""{db.name}" LOGIN""")
    db.execute("SELECT confiture.grant_access('auditor', %s)", [f"o'dd \"{db.name}"])
    db.session(f"o'dd \"{db.name}").rows("SELECT * FROM confiture.get_audit_log()")


def test_a_missing_right_to_read_is_said_before_the_run(operator, db):
    db.execute(f"REVOKE SELECT ON prod.people FROM {operator.role}")
    report = operator.sync_refused("42501")
    assert "people" in report.message_primary + (report.message_detail or "")
    operator.plan_refused("42501")
    assert db.content("staging") == {} and db.events() == ["KEY_CREATED"]


def test_a_right_to_read_some_columns_is_not_enough(operator, db):
    db.execute(f"REVOKE SELECT ON prod.people FROM {operator.role}")
    db.execute(f"GRANT SELECT (id, email) ON prod.people TO {operator.role}")
    operator.sync_refused("42501")
    assert db.events() == ["KEY_CREATED"]


def test_a_missing_right_to_make_the_schema_is_said_before_the_run(operator, db):
    db.execute(f"REVOKE CREATE ON DATABASE {db.name} FROM {operator.role}")
    operator.sync_refused({"42501", "3F000"})
    assert db.events() == ["KEY_CREATED"]
    db.execute("CREATE SCHEMA staging")
    operator.sync_refused("42501")
    db.execute(f"GRANT ALL ON SCHEMA staging TO {operator.role}")
    operator.sync()


def test_a_target_table_of_somebody_else_is_refused(operator, db):
    operator.sync()
    db.execute("ALTER TABLE staging.people OWNER TO postgres")
    db.execute(f"GRANT ALL ON staging.people TO {operator.role}")
    before, events = db.content("staging"), db.events()
    for options in ("{}", '{"adopt": true}'):
        operator.sync_refused("42501", options=options)
    assert db.content("staging") == before and db.events() == events


def test_a_target_schema_in_which_everybody_may_create_is_refused(operator, db):
    operator.sync()
    before, events = db.content("staging"), db.events()
    db.execute("GRANT CREATE ON SCHEMA staging TO PUBLIC")
    assert operator.sync_refused("42501").message_hint
    db.sync_refused("42501")
    assert db.content("staging") == before and db.events() == events


def test_row_security_cannot_make_the_copy_smaller(operator, db):
    operator.sync()
    before, events = db.content("staging"), db.events()
    db.execute("ALTER TABLE prod.people ENABLE ROW LEVEL SECURITY")
    db.execute("CREATE POLICY few ON prod.people USING (id < 2)")
    report = operator.sync_refused("42501")
    assert "people" in report.message_primary + (report.message_detail or "")
    assert db.content("staging") == before and db.events() == events
    # Whoever sees all rows copies all rows.
    db.sync(target="everything")
    assert db.value("SELECT count(*) FROM everything.people") == 3


def test_row_security_that_is_forced_on_the_owner_counts_too(operator, db):
    db.execute(f"ALTER TABLE prod.people OWNER TO {operator.role}")
    db.execute("ALTER TABLE prod.people ENABLE ROW LEVEL SECURITY")
    operator.sync()
    assert db.value("SELECT count(*) FROM staging.people") == 3
    db.execute("ALTER TABLE prod.people FORCE ROW LEVEL SECURITY")
    operator.sync_refused("42501")


def test_row_security_with_row_security_off_is_no_way_out(operator, db):
    db.execute("ALTER TABLE prod.people ENABLE ROW LEVEL SECURITY")
    for value in ("on", "off"):
        operator.execute(f"SET row_security = {value}")
        operator.sync_refused("42501")
    assert db.content("staging") == {}
