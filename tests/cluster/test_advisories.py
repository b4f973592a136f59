"""Every published advisory of PostgreSQL Anonymizer, and holes of its releases that have none,
replayed: the same attack by the ways that there are here. Each test is named for its advisory."""

import base64
import hashlib
import hmac

import psycopg
import pytest

from samples import keep_all, make_small, profile, small
from swapping import swap
from test_hostile import SOURCE, mallory, people_of, ran  # noqa: F401

RAW = ["Ann.Lee@Mail.example", "ann.lee@mail.example", "bob@mail.example", "zoë@mail.example"]
SEED = 987_654_321_987


def nothing_raw(said):
    text = "\n".join(map(str, said))
    assert not [value for value in RAW if value in text]


@pytest.fixture(name="shop", scope="module")
def _shop(server):
    """A masked view, and a role that may read it and nothing else."""
    db = server.create_database()
    make_small(db)
    db.load(small(version="2", global_seed=SEED, coverage="copy"))
    db.execute("SELECT * FROM confiture.create_masked_views('small', 'prod', 'seen')")
    db.execute("ANALYZE")
    db.reader_name = db.role("reader")
    db.execute(f"GRANT USAGE ON SCHEMA seen, confiture TO {db.reader_name}")
    db.execute(f"GRANT SELECT ON seen.people TO {db.reader_name}")
    db.reader = db.session(db.reader_name)
    yield db
    db.drop()


INJECTED = [
    "x' || evil.text('x') || '",
    "(SELECT evil.text('x'))",
    "$$; SELECT evil.note(); $$",
    "x'); SELECT evil.note(); --",
    "evil.text(email)",
]


def test_cve_2024_2338_a_mask_is_a_value_and_never_an_expression(db, mallory):
    """A complex expression was spliced into the view that a superuser made of the rule."""
    make_small(db)
    db.execute(f"SELECT confiture.grant_access('operator', '{mallory.role}')")
    for number, text in enumerate(INJECTED):
        fixed = {"fixed": {"type": "constant", "config": {"replacement": text}}}
        version = {"version": f"{number}"}
        mallory.load(profile({"people": {"email": "fixed"}}, name="hers", strategies=fixed, **version))
        db.rows("SELECT * FROM confiture.create_masked_views('hers', 'prod', 'seen')")
        db.sync("hers")
        for schema in ("seen", "staging"):
            assert set(db.column(f"SELECT email FROM {schema}.people")) == {text}
        for name, table, column in (("column", "people", text), ("table", text, "email")):
            mallory.load(profile({table: {column: "mail"}}, name=name, **version))
            for call in ("create_masked_views", "plan"):
                db.refused({"22023", "42703", "42P01"},
                           f"SELECT * FROM confiture.{call}(%s, 'prod', 'odd')", [name])
        where = {"where": [["note", text, "x"]], **keep_all()}
        mallory.refused({"22P02", "22023"}, "SELECT confiture.load_profile(%s)",
                        [profile({"people": where}, name="chosen")])
    assert not ran(db)


def test_cve_2024_2339_the_function_of_an_owner_is_no_mask_of_who_runs(db, mallory):
    """The owner of a table had a function of hers run by the superuser who masks it."""
    people_of(mallory)
    named = {"own": {"type": "evil.text"}}
    report = db.refused({"22P02", "22023", "42704"}, "SELECT confiture.load_profile(%s)",
                        [profile({"people": {"email": "own"}}, strategies=named)])
    assert "is not allowed" in report.message_primary
    db.load(small())
    for event in ("INSERT", "UPDATE"):
        mallory.execute(f"CREATE TRIGGER t{event} BEFORE {event} ON prod.people FOR EACH ROW"
                        " EXECUTE FUNCTION evil.trigger()")
    mallory.execute("CREATE FUNCTION evil.hook(c jsonb) RETURNS jsonb LANGUAGE plpgsql AS"
                    " $$ BEGIN PERFORM evil.note(); RETURN NULL; END $$")
    db.refused("42501", "SELECT confiture.register_hook('AFTER_ANONYMIZATION', 'evil.hook')")
    assert db.attempt() in (None, "42501")
    mallory.execute("ALTER TABLE prod.people ALTER note SET DEFAULT evil.text('x')")
    db.sync_refused("42501")
    db.execute("SET confiture.allow_in_place = on")
    try:
        db.execute("CALL confiture.mask_in_place('small', 'prod')")
    except psycopg.Error as error:
        assert error.diag.sqlstate in ("42501", "55000")
    assert not ran(db)


# The last statement of each is the one that would show something.
WAYS = [
    ("SELECT p, row_to_json(p), p.* FROM ONLY seen.people p",),
    ("BEGIN", "DECLARE c CURSOR FOR SELECT * FROM seen.people", "FETCH ALL FROM c"),
    ("COMMIT", "CREATE TEMP TABLE kept AS SELECT * FROM seen.people", "SELECT * FROM kept"),
    ("SELECT * INTO TEMP into_it FROM seen.people", "SELECT * FROM into_it"),
    ("CREATE FUNCTION pg_temp.atomic() RETURNS SETOF text BEGIN ATOMIC"
     " SELECT email FROM seen.people; END", "SELECT * FROM pg_temp.atomic()"),
    ("CREATE FUNCTION pg_temp.inlined() RETURNS SETOF text LANGUAGE sql AS"
     " 'SELECT email FROM seen.people'", "SELECT * FROM pg_temp.inlined()"),
    ("PREPARE p AS SELECT * FROM seen.people", "EXECUTE p"),
    ("CREATE TEMP VIEW w AS SELECT * FROM seen.people", "SELECT * FROM w"),
    ("CREATE TEMP TABLE o (email text)", "INSERT INTO o SELECT email FROM seen.people", "TABLE o"),
    ("EXPLAIN (ANALYZE, VERBOSE) SELECT * FROM seen.people WHERE email <> ''",),
    ("SELECT count(*), string_agg(s::text, '') FROM pg_stats s WHERE tablename = 'people'",),
    ("SELECT definition FROM pg_views WHERE schemaname = 'seen'",),
]
REFUSED = [
    "SELECT * FROM prod.people",
    "SELECT stavalues1::text FROM pg_statistic",
    "UPDATE seen.people SET note = 'x'",
    "INSERT INTO seen.people VALUES (9, 'x', 'x')",
    "CREATE FUNCTION pg_temp.h() RETURNS SETOF text BEGIN ATOMIC SELECT email FROM prod.people; END;"
    " SELECT * FROM pg_temp.h()",
]


def test_release_2_2_no_kind_of_statement_goes_around_the_mask(shop):
    """DECLARE CURSOR, CREATE TABLE AS, bodies in standard SQL, statistics and `pg_dump --inserts`
    showed clear values."""
    member = shop.role("member")
    shop.execute(f"GRANT {shop.reader_name} TO {member}")
    for who in (shop.reader_name, member):
        session = shop.session(who)
        for *before, last in WAYS:
            for statement in before:
                session.execute(statement)
            said = session.rows(last)
            assert said, last
            nothing_raw(said)
        with session.connection.cursor().copy("COPY (TABLE seen.people) TO STDOUT") as copy:
            nothing_raw([bytes(part).decode() for part in copy])
        for way in REFUSED:
            session.refused({"42501", "0A000", "55000"}, way)
        for notice in session.notices:
            nothing_raw([notice])
    for more in (["-t", "prod.people"], ["-t", "seen.people"], ["-n", "seen"]):
        done = shop.server.run("pg_dump", "--inserts", *more, database=shop.name,
                               user=shop.reader_name, check=False)
        nothing_raw([done.stdout, done.stderr])


OPERATORS = [("*", "bigint", "double precision"), ("+", "bigint", "double precision"),
             ("/", "bigint", "double precision"), ("||", "text", "name"), ("=", "text", "name"),
             ("<", "integer", "double precision"), ("->", "jsonb", "name")]


def test_cve_2026_2360_an_operator_planted_before_the_installation_is_not_called(bare):
    """`public.*(bigint, double precision)` ran as the superuser who said CREATE EXTENSION."""
    role = bare.role("mallory")
    bare.execute(f"GRANT CREATE ON SCHEMA public TO {role}; CREATE SEQUENCE ran")
    bare.execute("GRANT ALL ON SEQUENCE ran TO PUBLIC")
    mallory = bare.session(role)
    for number, (operator, left, right) in enumerate(OPERATORS):
        mallory.execute(
            f"CREATE FUNCTION public.f{number}({left}, {right}) RETURNS boolean LANGUAGE plpgsql"
            f" AS $$ BEGIN PERFORM nextval('public.ran'); RETURN true; END $$; CREATE OPERATOR"
            f" public.{operator} (LEFTARG = {left}, RIGHTARG = {right}, FUNCTION = public.f{number})")
    bare.execute("SELECT 2::bigint * 2::double precision")
    assert bare.value("SELECT is_called FROM ran"), "the plant is alive"
    bare.execute("SELECT setval('ran', 1, false)")
    bare.execute("CREATE EXTENSION confiture")
    bare.make_key()
    make_small(bare)
    bare.sync()
    for call in (
        "SELECT * FROM confiture.create_masked_views('small', 'prod', 'seen')",
        "SELECT * FROM seen.people",
        "SELECT * FROM confiture.plan('small', 'prod', 'staging')",
        "SELECT * FROM confiture.verify_ledger()",
        "SELECT * FROM confiture.run_report",
        "SELECT * FROM confiture.runs",
        "SELECT * FROM confiture.detect('prod')",
        "SELECT anon_k_anonymity('staging.people', '{note}')",
        "SELECT anon_privacy_report('staging.people', '{note}')",
    ):
        bare.rows(call)
    assert not bare.value("SELECT is_called FROM ran")


def test_cve_2026_2361_a_temporary_view_in_the_place_of_a_catalog_is_not_read(db, mallory):
    """A function with the rights of its owner read an unqualified `pg_database`, and met the
    view of that name in the temporary schema of its caller."""
    make_small(db)
    for kind in ("operator", "auditor", "officer", "masker", "analyst"):
        db.execute(f"SELECT confiture.grant_access('{kind}', '{mallory.role}')")
    db.execute(f"GRANT USAGE ON SCHEMA prod TO {mallory.role};"
               f" GRANT SELECT ON prod.people TO {mallory.role}")
    mallory.execute("""
        DO $$ DECLARE name text; BEGIN
          FOR name IN SELECT relname FROM pg_catalog.pg_class WHERE relkind IN ('r', 'v')
              AND relnamespace IN ('pg_catalog'::regnamespace, 'confiture'::regnamespace) LOOP
            EXECUTE format('CREATE TEMP VIEW %I AS SELECT evil.text(''x'')', name);
          END LOOP;
        END $$""")
    mallory.execute("SET search_path = pg_temp, public, evil")
    mallory.execute("CREATE SCHEMA staging")
    mallory.sync()
    for call in (
        "SELECT * FROM confiture.plan('small', 'prod', 'staging')",
        "SELECT * FROM confiture.verify_ledger()",
        "SELECT * FROM confiture.get_audit_log()",
        "SELECT * FROM confiture.runs",
        "SELECT * FROM confiture.detect('prod')",
        "SELECT confiture.suggest_profile('prod')",
        "SELECT * FROM confiture.key_status",
        "SELECT confiture.compliance_report('gdpr')",
        "SELECT anon_email('x'), anon_k_anonymity('prod.people', '{note}')",
    ):
        mallory.rows(call)
    assert not ran(db)
    assert db.value(
        "SELECT count(*) FROM pg_depend d JOIN pg_proc p ON p.oid = d.objid AND p.prosecdef"
        " WHERE d.classid = 'pg_proc'::regclass AND d.deptype = 'e' AND d.refobjid ="
        " (SELECT oid FROM pg_extension WHERE extname = 'confiture')"
    ) == 0


def digests(value, seed):
    """What anybody can compute of a value and a seed, without a key."""
    mixed = [value, f"{seed}{value}", f"{value}{seed}", f"{seed}:{value}"]
    for name in ("md5", "sha1", "sha224", "sha256", "sha384", "sha512", "sha3_256", "blake2b"):
        for text in mixed:
            yield hashlib.new(name, text.encode()).digest()
        for key in (str(seed).encode(), seed.to_bytes(8, "little"), seed.to_bytes(8, "big"), b"\0" * 32):
            yield hmac.new(key, value.encode(), name).digest()


def test_cve_2026_13455_pairs_of_values_and_pseudonyms_give_no_salt_away(shop):
    """Whoever was masked could call the hash, collect pairs, and try salts at home."""
    reader, masks = shop.reader, shop.column(
        "SELECT p.oid::regprocedure::text FROM pg_proc p JOIN pg_depend d ON d.objid = p.oid"
        " AND d.classid = 'pg_proc'::regclass AND d.deptype = 'e' WHERE p.proname ~ '^anon_'"
    )
    assert len(masks) > 60
    allowed = "SELECT count(*) FROM unnest(%s::regprocedure[]) f WHERE has_function_privilege(f, 'EXECUTE')"
    assert reader.value(allowed, [masks]) == 0
    for call in ("anon_hash('x')", "anon_email('x')", f"anon_hash('x', seed => {SEED})"):
        reader.refused("42501", f"SELECT {call}")
    # Given a pair, the algorithm and the seed, what is missing is the key.
    value = "ann.lee@mail.example"
    pseudonyms = [
        shop.value(f"SELECT anon_{mask}(%s::text, seed => {SEED})", [value]) for mask in ("hash", "email")
    ]
    for digest in digests(value, SEED):
        for shown in (digest.hex(), base64.b32encode(digest).decode().lower(),
                      base64.b64encode(digest).decode()):
            assert not [word for word in pseudonyms if shown[:8] in word]


UNTRUSTED = ["'a' OPERATOR(evil.===) 'b'", "'a'::evil.d", "(SELECT note FROM evil.v)"]


def test_cve_2026_19633_operators_casts_and_subqueries_of_a_mask_are_words(db, mallory):
    """They were evaluated as whoever masks: an operator, the check of a domain, a view."""
    people_of(mallory)
    mallory.execute("CREATE DOMAIN evil.d AS text CHECK (evil.yes(VALUE));"
                    " CREATE VIEW evil.v AS SELECT evil.text('x') AS note")
    for number, expression in enumerate(UNTRUSTED):
        fixed = {"fixed": {"type": "constant", "config": {"replacement": expression}}}
        db.load(profile({"people": {"email": "fixed"}}, strategies=fixed, version=f"{number}"))
        db.sync()
        assert set(db.column("SELECT email FROM staging.people")) == {expression}
    # The same by what is hers: the type of a column.
    mallory.execute("ALTER TABLE prod.people ADD d evil.d")
    db.load(profile({"people": {"d": "fixed"}}, strategies=fixed, version="of her type"))
    db.sync_refused("42501")
    db.refused("0A000", "SELECT * FROM confiture.create_masked_views('small', 'prod', 'seen')")
    assert not ran(db)


ODD = ['x" = evil.text(\'x\') --', "x\\", "$label_test$", "$$", "a'b", '"; SELECT evil.note(); --']


def test_cve_2026_19634_names_are_quoted_when_rules_leave_and_come_back(db, mallory, bare, tmp_path):
    """Quotes and a dollar tag in the names of objects got out of the generated statements.

    So did names in the static masking of an earlier release, and in its measure of anonymity."""
    quoted = ['"' + name.replace('"', '""') + '"' for name in ODD]
    for number, table in enumerate(quoted[:3]):
        if number == 0:
            mallory.execute("CREATE SCHEMA prod")
        columns = ", ".join(f"{name} text" for name in quoted)
        mallory.execute(f"CREATE TABLE prod.{table} (id int PRIMARY KEY, email text, {columns})")
        mallory.execute(f"INSERT INTO prod.{table} (id, email) VALUES (1, 'bob@mail.example')")
    text = db.value("SELECT confiture.suggest_profile('prod', 'odd')")
    db.load(text)
    db.sync("odd")
    db.rows("SELECT * FROM confiture.create_masked_views('odd', 'prod', 'seen')")
    for table, name in zip(quoted[:3], ODD, strict=False):
        for schema in ("staging", "seen"):
            (said,) = db.column(f"SELECT email FROM {schema}.{table}")
            assert said and said != "bob@mail.example"
        db.value("SELECT anon_k_anonymity(%s::regclass, %s)", [f"prod.{table}", [name]])
    path = tmp_path / "dump"
    path.write_text(db.server.run("pg_dump", database=db.name).stdout, encoding="utf-8")
    bare.psql("-f", path)
    restored = bare.session()
    assert restored.value("SELECT document = %s FROM confiture.profile", [
        db.value("SELECT document FROM confiture.profile")])
    restored.sync("odd")
    for here in (db, restored):
        assert not ran(here)


def test_cve_2026_83534_workers_run_nothing_of_the_owner_of_a_table(db, mallory):
    """Masking in parallel ran the code of a table's owner with the rights of a superuser."""
    people_of(mallory)
    mallory.execute("INSERT INTO prod.people SELECT i, i || '@mail.example', 'note ' || i"
                    " FROM generate_series(3, 60000) i")
    for function in ("note()", "text(text)", "yes(text)", "same(text, text)"):
        mallory.execute(f"ALTER FUNCTION evil.{function} PARALLEL SAFE")
    db.load(small())
    db.execute("ANALYZE prod.people")
    db.sync()
    mallory.execute("CREATE POLICY p ON prod.people USING (evil.yes(note));"
                    " CREATE TRIGGER t BEFORE INSERT ON prod.people FOR EACH ROW"
                    " EXECUTE FUNCTION evil.trigger()")
    db.sync(options=swap(workers=2))
    workers = db.server.log().rpartition('loaded table="staging.people"')[2].split("workers=")[1]
    assert int(workers.split()[0]) > 0, "workers made the rows"
    for plant in ("check", "generated column", "expression index", "domain"):
        mallory.execute("BEGIN")
        mallory.execute(SOURCE[plant])
        mallory.execute("COMMIT")
        db.sync_refused("42501", options=swap(workers=2))
    assert not ran(db)


HIDDEN = [
    "SELECT (SELECT anon_hash('x'))",
    "WITH h AS (SELECT anon_hash('x') AS v) SELECT v FROM h",
    "SELECT v FROM seen.people, LATERAL (SELECT anon_hash(email) AS v) l",
    "SELECT 1 WHERE EXISTS (SELECT FROM seen.people WHERE anon_hash(email) <> '')",
    "SELECT count(*) FILTER (WHERE anon_hash(email) <> '') FROM seen.people",
    "SELECT array(SELECT anon_hash(email) FROM seen.people)",
    "CREATE TEMP TABLE t (a text DEFAULT anon_hash('x')); INSERT INTO t DEFAULT VALUES",
    "CREATE TEMP TABLE t (a text CHECK (anon_hash(a) <> '')); INSERT INTO t VALUES ('x')",
    "CREATE TEMP VIEW v AS SELECT anon_hash('x'); SELECT * FROM v",
    "CREATE FUNCTION pg_temp.f() RETURNS text LANGUAGE sql AS $$ SELECT anon_hash('x') $$;"
    " SELECT pg_temp.f()",
    "DO $$ BEGIN PERFORM (SELECT anon_hash('x')); END $$",
    "SELECT CASE WHEN id > 0 THEN (SELECT max(anon_hash(note)) FROM seen.people) END FROM seen.people",
]


@pytest.mark.parametrize("statement", HIDDEN)
def test_cve_2026_97469_a_mask_in_a_subquery_is_refused_as_everywhere(shop, statement):
    """The check for functions that are closed to masked roles did not look into subqueries."""
    shop.reader.refused("42501", statement)


def test_release_3_3_who_is_masked_finds_neither_seed_nor_key(shop):
    """A masked role could obtain the secret salt; an earlier one was printed by
    `pg_db_role_setting`, where the documented command had put it."""
    folder = shop.server.key_file
    key = shop.value("SELECT encode(pg_read_binary_file(%s), 'escape')", [str(folder)]).strip()
    shop.refused({"42501", "55P02", "22023", "42704", "42602"},
                 f"ALTER DATABASE {shop.name} SET confiture.salt = 'secret'")
    for whose in (f"DATABASE {shop.name}", f"ROLE {shop.reader_name}"):
        shop.refused("55P02", f"ALTER {whose} SET confiture.key_file = '/tmp/x'")
    said = []
    for query in (
        "SELECT * FROM pg_settings",
        "SELECT * FROM pg_db_role_setting",
        "SELECT * FROM pg_views",
        "SELECT * FROM pg_rules",
        "SELECT description FROM pg_description",
        "SELECT prosrc, prosqlbody, proconfig FROM pg_proc",
        "SELECT adbin FROM pg_attrdef",
        "SELECT * FROM pg_stats",
        "SELECT * FROM pg_stat_activity WHERE pid <> pg_backend_pid()",
        "SELECT pg_get_viewdef('seen.people'::regclass)",
    ):
        said += shop.reader.rows(query)
    text = "\n".join(map(str, said))
    assert str(SEED) not in text and key not in text and str(folder) not in text
    for table in ("key_version", "profile", "installation", "masked_column"):
        shop.reader.refused("42501", f"SELECT * FROM confiture.{table}")


def test_setseed_takes_no_noise_away(shop):
    """In release 2.2 a masked role set the seed of the server's random numbers, and divided the
    noise out."""
    call = "SELECT anon_dp_noise({}::double precision, epsilon => 1, sensitivity => 100) - {}"
    drawn = []
    for value in (1000, 5000, 1000, 5000):
        shop.execute("SELECT setseed(0.42), random()")
        shop.execute("SELECT setseed(0.42)")
        drawn.append(round(shop.value(call.format(value, value)), 6))
    assert len(set(drawn)) == 4


def test_statistics_of_what_was_masked_hold_no_original(db):
    """In release 2.2 `pg_stats` went on showing originals after the table was masked."""
    make_small(db)
    db.execute("INSERT INTO prod.people SELECT i, 'bob@mail.example', 'x' FROM generate_series(10, 500) i")
    db.execute("ANALYZE")
    shown = "SELECT string_agg(s::text, '') FROM pg_stats s WHERE schemaname = '{}'"
    assert "bob@mail.example" in db.value(shown.format("prod")), "the look is a good one"
    db.sync()
    nothing_raw([db.value(shown.format("staging"))])
    db.execute("SET confiture.allow_in_place = on")
    db.execute("CALL confiture.mask_in_place('small', 'prod', '{\"was_source\": true}')")
    nothing_raw([db.value(shown.format("prod"))])
