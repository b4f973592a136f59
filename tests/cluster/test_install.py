"""CREATE EXTENSION: where it goes, and where it refuses to go."""

import pytest

from samples import make_small


def nothing_is_left(db):
    """A refused installation leaves no trace."""
    return db.value(
        "SELECT NOT EXISTS (SELECT FROM pg_extension WHERE extname = 'confiture')"
        " AND NOT EXISTS (SELECT FROM pg_event_trigger)"
        " AND to_regproc('public.anon_email') IS NULL"
    )


def test_a_schema_in_which_everybody_may_create_is_refused(bare):
    bare.execute("GRANT CREATE ON SCHEMA public TO PUBLIC")
    report = bare.refused("55000", "CREATE EXTENSION confiture")
    assert "REVOKE CREATE" in report.message_hint
    assert nothing_is_left(bare)
    bare.execute("REVOKE CREATE ON SCHEMA public FROM PUBLIC")
    bare.execute("CREATE EXTENSION confiture")


def test_an_existing_schema_of_its_name_is_an_error_and_stays_as_it_is(bare):
    bare.execute("CREATE SCHEMA confiture CREATE TABLE mine ()")
    bare.refused("42P06", "CREATE EXTENSION confiture")
    assert nothing_is_left(bare)
    assert bare.value("SELECT to_regclass('confiture.mine') IS NOT NULL")


def test_a_database_in_another_encoding_is_refused(server):
    options = "ENCODING 'LATIN1' LOCALE 'C' TEMPLATE template0"
    latin = server.create_database(options=options, extension=False)
    try:
        latin.refused("0A000", "CREATE EXTENSION confiture")
        assert nothing_is_left(latin)
    finally:
        latin.drop()


def test_only_a_superuser_installs(bare):
    role = bare.role("somebody")
    bare.execute(
        f"GRANT ALL ON DATABASE {bare.name} TO {role}; GRANT ALL ON SCHEMA public TO {role}"
    )
    bare.session(role).refused("42501", "CREATE EXTENSION confiture")


def test_the_masks_go_where_they_are_told_and_everything_works(bare):
    bare.execute("CREATE SCHEMA masks")
    bare.execute("CREATE EXTENSION confiture SCHEMA masks")
    bare.make_key()
    assert bare.value("SELECT masks.anon_email('x') IS NOT NULL")
    make_small(bare)
    bare.sync()
    assert bare.findings()["OK"][0] == "ok"
    bare.refused("55000", "DROP SCHEMA masks CASCADE")


def test_a_schema_with_an_odd_name_takes_the_masks(bare):
    bare.execute('CREATE SCHEMA "it\'s ""here"""')
    bare.execute('CREATE EXTENSION confiture SCHEMA "it\'s ""here"""')
    bare.make_key()
    make_small(bare)
    bare.sync()


def test_operators_planted_in_the_schema_of_the_masks_are_taken_by_nothing(bare):
    """Every operator, with other argument types, which the closest of the server's would lose to."""
    bare.execute("CREATE SCHEMA masks")
    planted = bare.value("""
      WITH types (name) AS (VALUES ('integer'), ('bigint'), ('numeric'), ('text'), ('name'),
        ('smallint'), ('float8'), ('oid'), ('jsonb'), ('bytea'), ('interval'), ('timestamptz'),
        ('uuid'), ('boolean'), ('"char"'), ('regclass'), ('varchar'))
      SELECT string_agg(format('CREATE FUNCTION masks.f(%1$s, %2$s) RETURNS %3$s LANGUAGE plpgsql'
               ' AS $f$ BEGIN RAISE EXCEPTION ''planted''; END $f$;', l.name, r.name,
               CASE WHEN l.name = r.name THEN 'boolean' ELSE 'text' END), ' ')
        FROM types l CROSS JOIN types r""")
    bare.execute(planted)
    bare.execute("""
      DO $$
      DECLARE
        of record;
      BEGIN
        FOR of IN
          SELECT DISTINCT o.oprname, p.proargtypes[0]::regtype AS l, p.proargtypes[1]::regtype AS r
            FROM pg_proc p CROSS JOIN (SELECT DISTINCT oprname FROM pg_operator
                                        WHERE oprnamespace = 'pg_catalog'::regnamespace
                                          AND oprkind = 'b') o
           WHERE p.pronamespace = 'masks'::regnamespace
             AND NOT EXISTS (SELECT FROM pg_operator t WHERE t.oprname = o.oprname
                AND t.oprleft = p.proargtypes[0] AND t.oprright = p.proargtypes[1])
        LOOP
          BEGIN
            EXECUTE format('CREATE OPERATOR masks.%s (LEFTARG = %s, RIGHTARG = %s, FUNCTION = masks.f)',
                           of.oprname, of.l, of.r);
          EXCEPTION WHEN OTHERS THEN NULL;
          END;
        END LOOP;
      END $$""")
    assert bare.value("SELECT count(*) FROM pg_operator WHERE oprnamespace = 'masks'::regnamespace") > 5000
    bare.execute("CREATE EXTENSION confiture SCHEMA masks")
    taken = bare.column("""
      SELECT DISTINCT pg_describe_object(d.classid, d.objid, d.objsubid)
             || ' takes ' || pg_describe_object(d.refclassid, d.refobjid, 0)
        FROM pg_depend d
       WHERE d.refclassid IN ('pg_operator'::regclass, 'pg_proc'::regclass) AND d.deptype = 'n'
         AND d.refobjid IN (SELECT oid FROM pg_operator WHERE oprnamespace = 'masks'::regnamespace
                            UNION SELECT oid FROM pg_proc WHERE pronamespace = 'masks'::regnamespace
                                             AND proname = 'f')
         AND d.classid <> 'pg_operator'::regclass""")
    assert taken == []
    bare.make_key()
    make_small(bare)
    bare.sync()
    assert len(bare.rows("SELECT * FROM confiture.run_report")) == 1
    assert bare.findings()["OK"][0] == "ok"


def test_the_extension_stays_where_it_is(db):
    db.execute("CREATE SCHEMA elsewhere")
    db.refused("0A000", "ALTER EXTENSION confiture SET SCHEMA elsewhere")


MEASURES = [
    "k_anonymity", "l_diversity", "alpha_k", "t_closeness", "delta_disclosure", "beta_likeness",
    "delta_presence", "reid_risk", "equivalence_classes", "privacy_report", "privacy_report_html",
    "suggest_generalization", "suppress_below_k", "assert_k", "enforce_k",
]


ANSWERS = [
    "count", "sum", "avg", "quantile", "register", "unregister", "release", "release_count",
    "release_sum", "release_avg", "release_quantile", "budget_create", "budget_grant",
    "budget_revoke", "budget_raise", "budget_retire", "budget_status", "budget_report",
]


def test_masks_are_in_one_schema_and_everything_else_in_the_other(db):
    members = db.rows("""
        SELECT n.nspname, p.proname FROM pg_depend d
          JOIN pg_proc p ON p.oid = d.objid JOIN pg_namespace n ON n.oid = p.pronamespace
         WHERE d.classid = 'pg_proc'::regclass AND d.deptype = 'e'
           AND d.refobjid = (SELECT oid FROM pg_extension WHERE extname = 'confiture')""")
    masks = {name for schema, name in members if schema == "public"}
    strategies = db.column("SELECT name FROM confiture.strategies WHERE example IS NOT NULL")
    masks -= {"anon_fpe_decrypt", "anon_ip_decrypt"}
    masks -= {"anon_dp_noise_params", "anon_dp_correct_variance"}
    masks -= {"anon_tokenize", "anon_detokenize"}
    masks -= {f"anon_{name}" for name in MEASURES}
    masks -= {f"anon_dp_{name}" for name in ANSWERS}
    assert masks == {f"anon_{name}" for name in [*strategies, "apply"]}
    assert {schema for schema, _ in members} == {"public", "confiture"}
    tables = db.column("""
        SELECT DISTINCT c.relnamespace::regnamespace::text
          FROM pg_depend d JOIN pg_class c ON c.oid = d.objid
         WHERE d.classid = 'pg_class'::regclass AND d.deptype = 'e'
           AND d.refobjid = (SELECT oid FROM pg_extension WHERE extname = 'confiture')""")
    assert tables == ["confiture"]


def test_installing_makes_no_role_and_fills_no_table(bare):
    roles = bare.value("SELECT count(*) FROM pg_roles")
    bare.execute("CREATE EXTENSION confiture")
    assert bare.value("SELECT count(*) FROM pg_roles") == roles
    for table in bare.content("confiture"):
        assert bare.value(f"SELECT count(*) FROM {table}") == 0


def test_every_table_with_state_is_dumped(db):
    # What pg_extension_config_dump does not name would be gone after a restore.
    missing = db.column("""
        SELECT c.relname FROM pg_class c
         WHERE c.relnamespace = 'confiture'::regnamespace AND c.relkind IN ('r', 'p', 'S')
           -- Read at another moment than its table; the next record counts on from the last.
           AND c.relname <> 'journal_count'
           -- Numbers of tables mean nothing in another database.
           AND c.relname NOT IN ('table_number', 'unrefreshed_view')
           AND c.oid <> ALL (SELECT unnest(coalesce(extconfig, '{}')) FROM pg_extension
                              WHERE extname = 'confiture')""")
    assert missing == []


def test_no_table_that_is_dumped_stores_object_identifiers(db):
    # They would name other objects where the dump is restored.
    found = db.rows("""
        SELECT attrelid::regclass::text, attname
          FROM pg_attribute a JOIN pg_class c ON c.oid = attrelid
         WHERE relnamespace = 'confiture'::regnamespace AND relkind = 'r' AND attnum > 0
           AND attrelid = ANY (SELECT unnest(extconfig) FROM pg_extension
                                WHERE extname = 'confiture')
           AND (atttypid::regtype::text LIKE 'reg%' OR atttypid = 'oid'::regtype)""")
    assert found == []


def test_the_library_needs_no_preloading(db):
    assert "confiture" not in db.value("SHOW shared_preload_libraries")
    assert db.session().value("SELECT anon_email('x') IS NOT NULL")


def test_the_library_may_be_preloaded(private_server):
    server = private_server("shared_preload_libraries=confiture")
    db = server.create_database()
    make_small(db)
    db.sync()
    assert db.findings()["OK"][0] == "ok"


@pytest.mark.parametrize("name", ["confiture", "anon"])
def test_every_object_has_a_comment(db, name):
    # psql's \\dx+ and \\df are the manual that everybody has at hand.
    bare_ones = db.column(
        """
        SELECT p.oid::regprocedure::text FROM pg_depend d JOIN pg_proc p ON p.oid = d.objid
         WHERE d.classid = 'pg_proc'::regclass AND d.deptype = 'e'
           AND NOT starts_with(p.proname, '_')
           AND d.refobjid = (SELECT oid FROM pg_extension WHERE extname = 'confiture')
           AND obj_description(p.oid, 'pg_proc') IS NULL
           AND (p.pronamespace = 'confiture'::regnamespace) = %s""",
        [name == "confiture"],
    )
    assert bare_ones == []
