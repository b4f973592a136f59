"""Masks under attack: call sites that change, odd values, strangers, leaks, and promises."""

import json
import re
import time

import psycopg
import pytest
from samples import profile
from test_install import ANSWERS, MEASURES

SECRET = "Zx9SecretValue77"


# Call sites ------------------------------------------------------------------------------------

LOOP = """
DO $$ DECLARE r text; e text; k integer; BEGIN
  FOR i IN 1..8 LOOP
    r := anon_hash('x' || i, (i % 3)::bigint, length => 10 + i);
    EXECUTE format('SELECT anon_hash(%L, %s, length => %s)', 'x' || i, i % 3, 10 + i) INTO e;
    ASSERT r = e, 'seed and length';
    r := anon_apply('hash', 'x' || i, jsonb_build_object('length', 10 + i), (i % 3)::bigint);
    ASSERT r = e, 'params';
    r := anon_apply(CASE i % 2 WHEN 0 THEN 'email' ELSE 'redact' END, 'a@b.example'::text);
    ASSERT (i % 2 = 0) = (r = anon_email('a@b.example')), 'strategy';
    k := CASE WHEN i % 2 = 0 THEN i / 2 END;
    r := anon_hash('x', key_version => k);
    EXECUTE format('SELECT anon_hash(''x'', key_version => %L)', k) INTO e;
    ASSERT r = e, 'key version';
    r := anon_choice('x', ARRAY['a' || i, 'b' || i]);
    ASSERT r IN ('a' || i, 'b' || i), 'list';
    r := anon_name('x', entity => CASE WHEN i > 3 THEN 'e' || i END);
    EXECUTE format('SELECT anon_name(%L, entity => %L)', 'x', CASE WHEN i > 3 THEN 'e' || i END)
      INTO e;
    ASSERT r = e, 'entity';
    r := anon_text('it was Ann ' || i, names => ARRAY['Ann', NULL, 'Lee' || i]);
    ASSERT r NOT LIKE '%Ann%', 'names';
  END LOOP;
END $$
"""


def test_arguments_may_change_in_every_turn_of_a_loop(db):
    for _ in range(3):
        db.value("SELECT confiture.rotate_key('masking')")
    db.execute(LOOP)


def test_a_call_that_fails_leaves_nothing_behind(db):
    db.execute(
        """
        DO $$ DECLARE r text; e text; failed integer := 0; BEGIN
          FOR i IN 1..6 LOOP
            BEGIN
              r := anon_hash('x', i::bigint, length => CASE i WHEN 3 THEN 1 ELSE 10 + i END);
              EXECUTE format('SELECT anon_hash(''x'', %s, length => %s)', i, 10 + i) INTO e;
              ASSERT r = e;
              IF i = 5 THEN RAISE division_by_zero; END IF;
            EXCEPTION WHEN invalid_parameter_value OR division_by_zero THEN failed := failed + 1;
            END;
          END LOOP;
          ASSERT failed = 2;
        END $$
        """
    )


def test_a_rotation_is_seen_by_a_call_site_that_lives_on(db):
    db.execute(
        """
        CREATE PROCEDURE turn() LANGUAGE plpgsql AS $$
        DECLARE before text; after text; plain text; BEGIN
          FOR i IN 1..6 LOOP
            before := anon_hash('x');
            IF i % 2 = 0 THEN PERFORM confiture.rotate_key('masking'); END IF;
            after := anon_hash('x');
            EXECUTE 'SELECT anon_hash(''x'')' INTO plain;
            ASSERT after = plain AND (before = after) = (i % 2 = 1);
            IF i = 3 THEN COMMIT; ELSIF i = 5 THEN ROLLBACK; END IF;
          END LOOP;
        END $$
        """
    )
    db.execute("CALL turn()")


def test_prepared_statements_take_each_value_as_it_comes(db):
    db.execute("PREPARE p(text, bigint, int) AS SELECT anon_hash($1, $2, length => $3)")
    for mode in ("auto", "force_generic_plan"):
        db.execute(f"SET plan_cache_mode = {mode}")
        for i in range(8):
            made = db.value(f"EXECUTE p('x', {i % 2}, {10 + i})")
            assert made == db.value(f"SELECT anon_hash('x', {i % 2}, length => {10 + i})")
    assert db.value("SELECT anon_hash(length => 9, seed => 3, value => 'a') = "
                    "anon_hash('a', 3, length => 9)")


def test_a_variable_of_another_type_is_an_error_and_no_crash(db):
    db.execute(
        """
        DO $$ DECLARE r record; h text; failed integer := 0; BEGIN
          FOR i IN 1..4 LOOP
            IF i % 2 = 1 THEN SELECT 7 AS x INTO r; ELSE SELECT 'seven' AS x INTO r; END IF;
            BEGIN h := anon_apply('hash', r.x)::text;
            EXCEPTION WHEN datatype_mismatch THEN failed := failed + 1; END;
          END LOOP;
          ASSERT failed = 2;
        END $$
        """
    )


def test_functions_of_others_with_our_body_are_refused_or_right(db):
    db.execute("CREATE SCHEMA tst")
    create = "CREATE FUNCTION tst.{} LANGUAGE c AS '$libdir/confiture', 'mask_wrapper'"
    for signature, call, state in [
        ("foo(value text) RETURNS text", "foo('x')", "XX000"),
        ("anon_foo(value text) RETURNS text", "anon_foo('x')", "XX000"),
        ("anon_email(text, text) RETURNS text", "anon_email('x', 'y')", "XX000"),
        ("anon_email(value text) RETURNS text", "anon_email('x')", "XX000"),
        ("anon_hash(value point) RETURNS point", "anon_hash(point '(1,1)')", "42804"),
        ("anon_hash(value anyrange) RETURNS anyrange", "anon_hash('[1,2]'::int4range)", "42804"),
    ]:
        db.execute(create.format(signature))
        db.refused(state, f"SELECT tst.{call}")
    db.execute(create.format("anon_hash(value anyarray) RETURNS anyarray"))
    assert db.value("SELECT tst.anon_hash(ARRAY[1]) = ARRAY[anon_hash(1)]")
    db.execute(create.format("anon_hash(value text, seed bigint) RETURNS text"))
    db.execute(
        "CREATE OPERATOR tst.### (LEFTARG = text, RIGHTARG = bigint, FUNCTION = tst.anon_hash)"
    )
    assert db.value(
        "SELECT bool_and(v OPERATOR(tst.###) s = anon_hash(v, s))"
        " FROM (VALUES ('a'::text, 1::bigint), ('b', 2), ('a', 2)) AS x (v, s)"
    )
    db.execute(
        "CREATE AGGREGATE tst.chain (bigint)"
        " (SFUNC = tst.anon_hash, STYPE = text, INITCOND = 'x')"
    )
    assert db.value(
        "SELECT tst.chain(g::bigint) = anon_hash(anon_hash('x', 1), 2) FROM generate_series(1, 2) g"
    )


@pytest.mark.parametrize(
    "call",
    [
        "anon_hash('x' || g, g, length => 10 + g % 20)",
        "anon_apply('hash', 'x' || g, jsonb_build_object('length', 10 + g % 20))",
        "anon_apply(CASE g % 2 WHEN 0 THEN 'email' ELSE 'name' END, 'x'::text)",
        "anon_apply('hash', ARRAY['x' || g, NULL])",
        "anon_choice('x', ARRAY['a' || g, 'b'])",
        "anon_fpe(g, min => 0, max => 100000000 + g)",
        "anon_text('a@b.example ' || g, names => ARRAY['n' || g])",
    ],
)
def test_arguments_that_change_need_no_growing_memory(db, call):
    held = "SELECT sum(total_bytes) FROM pg_backend_memory_contexts"
    statement = f"SELECT count({call}) FROM generate_series(1, %s) AS g"
    resident = f"/proc/{db.pid()}/status"

    def measured(rows):
        db.execute(statement.replace("%s", str(rows)))
        with open(resident, encoding="utf-8") as file:
            pages = int(re.search(r"VmRSS:\s+(\d+)", file.read()).group(1))
        return db.value(held), pages

    first, last = measured(2_000), measured(20_000)
    assert last[0] < first[0] + (1 << 20)
    assert last[1] < first[1] + (8 << 10)


# Values ----------------------------------------------------------------------------------------


def test_toasted_compressed_and_expanded_values_are_read_whole(db):
    db.execute("CREATE TABLE t (id integer, v text, c text, a text[])")
    db.execute("ALTER TABLE t ALTER v SET STORAGE EXTERNAL")
    db.execute(
        "INSERT INTO t SELECT g, repeat(md5(g::text), 2000), repeat('x', 100000 + g),"
        " ARRAY(SELECT md5((g * i)::text) FROM generate_series(1, 3000) i)"
        " FROM generate_series(1, 3) g"
    )
    assert db.value(
        "SELECT bool_and(anon_hash(v) = anon_hash(repeat(md5(id::text), 2000))"
        " AND anon_apply('hash', c) = anon_hash(repeat('x', 100000 + id))"
        " AND (anon_apply('hash', a))[7] = anon_hash(a[7])"
        " AND cardinality(anon_apply('hash', a)) = 3000) FROM t"
    )
    db.execute(
        "DO $$ DECLARE a text[]; BEGIN FOR i IN 1..50 LOOP a[i] := 'v' || i; END LOOP;"
        " a := anon_apply('hash', a); a[51] := 'z'; ASSERT a[50] = anon_hash('v50'); END $$"
    )
    assert db.value("SELECT anon_apply('hash', ''::bytea) = anon_hash(''::bytea)")


def test_apply_gives_no_value_that_its_domain_refuses(db):
    db.execute("CREATE DOMAIN mail AS text CHECK (VALUE LIKE '%@%')")
    db.execute("CREATE DOMAIN single AS text[] CHECK (cardinality(VALUE) = 1)")
    db.execute("CREATE DOMAIN small AS integer CHECK (VALUE < 5)")
    db.execute("CREATE DOMAIN there AS text NOT NULL")
    assert db.value("SELECT anon_apply('email', 'a@b.example'::mail) LIKE '%@%'")
    assert db.value("SELECT anon_apply('hash', ARRAY['a']::single) = ARRAY[anon_hash('a')]")
    for call in [
        "anon_apply('hash', 'a@b.example'::mail)",
        "anon_apply('hash', 1::small)",
        "anon_apply('hash', ARRAY['a@b.example']::mail[])",
    ]:
        db.refused("23514", f"SELECT {call}")
    db.refused("23502", "SELECT anon_apply('null', 'x'::there)")


def test_apply_reads_padded_texts_as_a_run_does(db):
    assert db.value("SELECT anon_apply('hash', 'a'::char(5)) = anon_hash('a')")
    assert db.value("SELECT anon_apply('hash', ARRAY['a']::char(5)[])::text[] = ARRAY[anon_hash('a')]")


def test_a_value_that_is_drawn_by_chance_is_drawn_once(db):
    """A STABLE call in a view may be computed once for every place its column is named in."""
    for strategy, value, params in [
        ("dp_noise", "1000", '{"epsilon": 0.001, "sensitivity": 1}'),
        ("dp_choice", "g % 1000", '{"epsilon": 0.001, "domain": ["0", "1", "2", "3", "4"]}'),
    ]:
        statement = (
            "SELECT bool_and(a = b) FROM (SELECT x AS a, x AS b FROM (SELECT"
            f" anon_apply('{strategy}', {value}, '{params}') AS x"
            " FROM generate_series(0, 4) AS g) AS s) AS t"
        )
        try:
            assert db.value(statement), strategy
        except psycopg.Error as error:
            assert error.diag.sqlstate == "0A000", error


def test_a_word_that_is_no_hstore_is_refused_as_a_parameter(db):
    db.execute("CREATE EXTENSION hstore")
    params = '{"choices": ["b=>2"]}'
    assert db.value(f"SELECT anon_apply('choice', 'a=>1'::hstore, '{params}') ? 'b'")
    for params in ('{"choices": ["$"]}', '{"choices": ["a=>"]}', '{"choices": ["a=>1 b=>2"]}'):
        db.refused("22023", f"SELECT anon_apply('choice', 'a=>1'::hstore, '{params}')")


# Rights ----------------------------------------------------------------------------------------


def test_each_kind_of_access_calls_its_masks_and_no_others(db):
    roles = {kind: db.role(kind[:3]) for kind in ("masker", "revealer", "operator")}
    for kind, role in roles.items():
        db.execute("SELECT confiture.grant_access(%s, %s)", [kind, role])
    callable_by = {
        kind: set(
            db.column(
                "SELECT proname FROM pg_proc"
                " WHERE (proname LIKE 'anon\\_%%' OR proname = '_run_mask')"
                " AND has_function_privilege(%s, oid, 'EXECUTE')",
                [role],
            )
        )
        for kind, role in roles.items()
    }
    # Of tokens, a revealer is given one domain after the other.
    back, of_domain = {"anon_fpe_decrypt", "anon_ip_decrypt"}, {"anon_detokenize"}
    assert callable_by["revealer"] == back
    # Measures look at tables with the right of who calls them; answers are for analysts.
    measures = {f"anon_{name}" for name in MEASURES}
    assert callable_by["operator"] == {"_run_mask"} | measures
    every = set(db.column("SELECT proname FROM pg_proc WHERE proname LIKE 'anon\\_%%'", []))
    every -= {f"anon_dp_{name}" for name in ANSWERS}
    assert callable_by["masker"] == every - back - of_domain


def test_rights_are_those_of_the_moment_in_views_too(db):
    role = db.role("reader")
    db.execute("CREATE TABLE t (v text)")
    db.execute("INSERT INTO t VALUES ('secret')")
    db.execute("CREATE VIEW v AS SELECT anon_hash(v) AS v FROM t")
    db.execute(f'GRANT SELECT ON v TO "{role}"')
    session = db.session(user=role)
    session.refused("42501", "SELECT * FROM v")
    session.refused("42501", "SELECT anon_apply('hash', 'x'::text)")
    session.refused("42501", "SELECT anon_redact('x')")
    session.refused("42501", "SELECT confiture._run_mask(0, 'x'::text)")
    db.execute("SELECT confiture.grant_access('masker', %s)", [role])
    session.execute("PREPARE p AS SELECT anon_hash('secret')")
    assert session.value("EXECUTE p") == session.value("SELECT v FROM v")
    session.refused("42501", "SELECT anon_fpe_decrypt('1234567')")
    hashes = "SELECT oid::regprocedure::text FROM pg_proc WHERE proname = 'anon_hash'"
    for function in db.column(hashes):
        db.execute(f'REVOKE EXECUTE ON FUNCTION {function} FROM "{role}"')
    session.refused("42501", "EXECUTE p")
    session.refused("42501", "SELECT * FROM v")


def test_masks_of_runs_are_for_runs(db):
    for call, state in [
        ("0, 'x'::text", "55000"),
        ("-1, 'x'::text", "55000"),
        ("2147483647, ARRAY[1]", "55000"),
        ("0, 'x'::text, VARIADIC ARRAY['a']", "55000"),
        ("NULL, 'x'::text", "22023"),
        ("0, 'x'::text, 1", "42804"),
        ("0, point '(1,1)'", "42804"),
    ]:
        db.refused(state, f"SELECT confiture._run_mask({call})")
    assert db.value("SELECT confiture._run_mask(0, NULL::text)") is None


def test_what_each_mask_calls_unique_is_unique(db):
    for call, source in [
        ("anon_ip(v)", "inet '10.0.0.0' + g"),
        ("anon_ip(v)", "network(set_masklen(inet '10.0.0.0' + g * 256, 24))"),
        ("anon_fpe(v)", "1000000 + g"),
        ("anon_fpe(v)", "(1000000 + g) * -1.00"),
        ("anon_fpe(v, min => 1, max => 1000000)", "g"),
        (
            "anon_fpe(v, alphabet => 'hex')",
            "CASE g % 2 WHEN 0 THEN md5(g::text) ELSE upper(md5(g::text)) END",
        ),
        ("anon_fpe(v, small_domain => 'shuffle')", "g::smallint"),
        (
            "anon_phone(v, keep_unique => true)",
            "(ARRAY['+', '00', '', '+44 '])[g % 4 + 1] || (1000000 + g / 4)",
        ),
        (
            "anon_phone(v, keep_unique => true, preserve_country_code => true)",
            "(ARRAY['+', '00', '', '+44'])[g % 4 + 1] || (1000000 + g / 4)",
        ),
        ("anon_national_id(v, country => 'us', keep_unique => true)", "(123010000 + g % 9999 + 1 + g / 9999 * 10000)::text"),
        ("anon_national_id(v, country => 'es', keep_unique => true)", "lpad(g::text, 8, '0')"),
        ("anon_mac(v, keep_unique => true)", "lpad(to_hex(g), 12, '0')::macaddr"),
        ("anon_name(v, keep_unique => true)", "'n' || g"),
        ("anon_email(v)", "'n' || g"),
    ]:
        assert db.value(
            f"SELECT count(DISTINCT v) = count(DISTINCT {call}) AND count(DISTINCT v) > 9000"
            f" FROM (SELECT {source} AS v FROM generate_series(1, 20000) g) AS s"
        ), call


# Leaks and chance --------------------------------------------------------------------------------

REFUSED = {
    "credit_card": ("4111-{}", {}), "iban": ("GB82 {}", {}), "ip": ("10.0.0.{}", {}),
    "mac": ("00:{}", {}), "uuid": ("{}", {}), "fpe": ("12{}", {}), "url": ("{} \x01", {}),
    "national_id": ("{}", {"country": "fr"}), "json": ('{{"a": {}', {}),
    "map": ("{}", {"pairs": {"a": "b"}}), "dp_choice": ("{}", {"epsilon": 1, "domain": ["a", "b"]}),
}


def test_neither_error_nor_log_shows_a_value_or_a_seed(private_server):
    server = private_server(
        "log_statement=none", "log_min_messages=debug5", "log_min_error_statement=panic",
        "log_error_verbosity=verbose", "auto_explain.log_min_duration=0",
        "auto_explain.log_verbose=on", "auto_explain.log_analyze=on",
        "auto_explain.log_nested_statements=on",
        "shared_preload_libraries=auto_explain,pg_stat_statements,confiture",
    )
    db = server.create_database()
    db.execute("CREATE EXTENSION pg_stat_statements; CREATE SCHEMA prod")
    db.execute("CREATE TABLE prod.t (id int PRIMARY KEY, kind text, v text)")
    with db.connection.cursor() as cursor, cursor.copy("COPY prod.t FROM STDIN") as copy:
        for i, (kind, (value, _)) in enumerate(REFUSED.items()):
            copy.write_row((i, kind, value.format(SECRET)))
    seed = 987654321987
    for i, (kind, (_, params)) in enumerate(REFUSED.items()):
        call, given = "anon_apply(kind, v, %s::jsonb, %s)", [json.dumps(params), seed]
        if kind == "dp_choice":
            call, given = "anon_dp_choice(v, %s, %s)", [params["epsilon"], params["domain"]]
        report = db.refused(
            "22000", f"SELECT {call} FROM prod.t WHERE kind = %s", [*given, kind]
        )
        parts = [str(getattr(report, name)) for name in dir(report) if not name.startswith("_")]
        assert SECRET not in " ".join(parts), kind
        strategies = {"x": {"type": kind, "config": params}}
        db.load(profile({"t": {"v": "x"}}, strategies=strategies, version=str(i)))
        db.sync_refused(("22000", "22023"))
    db.load(profile({"t": {"v": "hash"}}, version="good"))
    db.sync()
    assert SECRET not in server.log()
    assert not db.rows("SELECT FROM pg_stat_statements WHERE query LIKE %s", [f"%{SECRET}%"])
    # A library that is loaded before the fork hands no noise down.
    noise = "SELECT array_agg(anon_dp_noise(g::bigint, 1e-6, 1)) FROM generate_series(1, 20) AS g"
    drawn = [tuple(db.session().value(noise)) for _ in range(4)]
    assert len({number for draw in drawn for number in draw}) == 80


def test_noise_has_the_variance_that_it_names(db):
    for of, epsilon, sensitivity in [("integer", 0.5, 1), ("bigint", 0.1, 3)]:
        found, named, mean = db.rows(
            f"SELECT variance(n)::float8, (SELECT variance FROM anon_dp_noise_params({epsilon},"
            f" {sensitivity}, '{of}')), avg(n)::float8 FROM (SELECT anon_dp_noise(1000::{of},"
            f" {epsilon}, {sensitivity}) - 1000 AS n FROM generate_series(1, 200000)) AS s"
        )[0]
        assert abs(found / named - 1) < 0.04
        assert abs(mean) < 6 * (named / 200000) ** 0.5


def test_ciphers_come_back_by_their_own_parameters_only(db):
    for params in ["", ", seed => 5", ", tweak => 'o'", ", keep_prefix => 2", ", keep_suffix => 3"]:
        assert db.value(
            f"SELECT bool_and(anon_fpe_decrypt(anon_fpe(v{params}){params}) = v) FROM (SELECT"
            " lpad(g::text, 10 + g % 9, '7') AS v FROM generate_series(1, 3000) AS g) AS s"
        ), params
    assert db.value("SELECT bool_and(anon_fpe_decrypt(anon_fpe(v), seed => 1) <> v) FROM"
                    " (SELECT (10000000 + g)::text AS v FROM generate_series(1, 500) AS g) AS s")
    db.value("SELECT confiture.rotate_key('masking')")
    assert db.value(
        "SELECT anon_fpe_decrypt(c, key_version => 1) = '12345678'"
        " AND anon_fpe_decrypt(c) ~ '^[0-9]{8}$' AND anon_fpe_decrypt(c) <> '12345678'"
        " FROM anon_fpe('12345678', key_version => 1) AS c"
    )
    db.refused("22000", "SELECT anon_fpe('12345')")
    db.refused("22023", "SELECT anon_fpe(5::smallint)")
    for algorithm in ("ff3", "ff3-1"):
        db.refused("22023", f"SELECT anon_fpe('1234567', algorithm => '{algorithm}')")


NOISE = '{"type": "dp_noise", "config": {"epsilon": 50, "sensitivity": 1}}'


def test_the_limit_of_epsilon_holds_inside_documents_too(db):
    db.execute("LOAD 'confiture'")
    db.execute("SET confiture.dp_max_epsilon = 1")
    db.refused("22023", "SELECT anon_dp_noise(5, 50, 1)")
    paths = f'{{"$.n": {NOISE}}}'
    document = "'{\"n\": 5}'::jsonb"
    db.refused("22023", f"SELECT anon_json({document}, paths => '{paths}')")
    db.refused("22023", f"SELECT anon_apply('json', {document}, '{{\"paths\": {paths}}}')")
    db.execute("CREATE SCHEMA prod; CREATE TYPE prod.pair AS (n integer, m integer)")
    db.execute("CREATE TABLE prod.t (id int PRIMARY KEY, j jsonb, r prod.pair)")
    for version, (column, strategy) in enumerate([
        ("j", {"type": "json", "config": {"paths": {"$.n": json.loads(NOISE)}}}),
        ("r", {"type": "record", "config": {"fields": {"n": json.loads(NOISE), "m": "null"}}}),
    ]):
        db.load(profile({"t": {column: "x"}}, strategies={"x": strategy}, version=str(version)))
        db.plan_refused("22023")


def test_a_salt_is_not_named_inside_a_document(db):
    """Nothing would check there that the caller may use the key of that name."""
    db.execute("SELECT confiture.create_key('salt-a')")
    paths = '{"$.v": {"type": "salted_hash", "config": {"salt": "a"}}}'
    db.refused("22023", f"SELECT anon_json('{{\"v\": \"x\"}}'::jsonb, paths => '{paths}')")


@pytest.mark.parametrize(
    "call",
    [
        "anon_url('http://h.example/' || repeat('a/', {n}))",
        "anon_url('http://h.example/?' || repeat('a=b&', {n}))",
        "anon_phone(repeat('1', {n} * 10))",
        "anon_text(repeat('tel 1 a@b.example ', {n}))",
        "anon_lorem(repeat('word ', {n}))",
        "anon_email('e' || repeat(chr(769), {n}))",
    ],
)
def test_a_long_value_is_refused_or_takes_time_in_proportion(db, call):
    """Nobody can cancel a mask at work on one value."""

    def seconds(n):
        begun = time.monotonic()
        try:
            db.execute("SELECT length(" + call.replace("{n}", str(n)) + ")")
        except psycopg.Error as error:
            assert error.diag.sqlstate == "22000", error
        return time.monotonic() - begun

    assert seconds(40_000) < 8 * seconds(10_000) + 0.2


def test_an_address_with_a_prefix_does_not_show_its_host(db):
    """Hosts with small numbers are routers: 10.0.0.1/8 must not end in 0.0.1 for every seed."""
    for of in ("text", "inet"):
        for value, shown in [("10.0.0.1/8", "%.0.0.1/8"), ("172.16.0.2/12", "%.0.2/12")]:
            assert db.value(
                "SELECT count(*) < 8 FROM generate_series(1, 16) AS g"
                f" WHERE anon_ip('{value}'::{of}, g)::text LIKE '{shown}'"
            ), (of, value)


@pytest.mark.parametrize(
    "call",
    [
        "anon_apply(email, 'hash')",
        "anon_apply('hash', email, jsonb_build_object(email, 1))",
        "anon_apply('generalize', now(), jsonb_build_object('unit', email))",
        "anon_generalize(now(), unit => email)",
        "anon_name('x', locale => email)",
        "anon_choice(7, ARRAY[email])",
        "anon_json('{}'::jsonb, paths => jsonb_build_object('$.a', email))",
    ],
)
def test_an_argument_of_a_row_is_not_repeated_in_an_error(db, call):
    db.execute("CREATE TABLE t AS SELECT 'ada@secret.example'::text AS email")
    report = db.refused({"22023", "42804"}, f"SELECT {call} FROM t")
    parts = [str(getattr(report, name)) for name in dir(report) if not name.startswith("_")]
    assert "ada@" not in " ".join(parts)
