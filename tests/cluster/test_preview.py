"""Rows as they are and as a run would write them."""

import pytest

from samples import keep_all, make_people, profile

CALL = "SELECT row_number, column_name, before, after, note FROM confiture.preview("


def preview(session, table="people", n=5, source="prod", profile="small", options="{}"):
    return session.rows(
        CALL + "%s, %s, %s, %s, %s)", [profile, source, table, n, options]
    )


def after(session, **call):
    """{row: {column: after}}"""
    rows = {}
    for number, column, _, text, _ in preview(session, **call):
        rows.setdefault(number, {})[column] = text
    return rows


WIDE = (
    "CREATE SCHEMA prod; CREATE TYPE prod.mood AS ENUM ('sad', 'glad');"
    "CREATE DOMAIN prod.code AS varchar(40) CHECK (VALUE ~ '^[0-9]');"
    "CREATE TABLE prod.wide (id integer PRIMARY KEY, code prod.code UNIQUE, mail text,"
    " mood prod.mood, tags text[], salary numeric(10,2), born date, ip inet, doc jsonb,"
    " pan char(20) CHECK (pan < '8'), kept prod.mood, total numeric GENERATED ALWAYS AS"
    " (salary * 2) STORED, secret text, other text);"
    "INSERT INTO prod.wide (id, code, mail, mood, tags, salary, born, ip, doc, pan, kept, secret)"
    " SELECT i, i || 'x', 'm' || i || '@x.example', 'sad',"
    " ARRAY['t' || i, NULL], i * 10.5, date '1990-01-01' + i, '10.0.0.1'::inet + i,"
    " jsonb_build_object('mail', 'm' || i), lpad(i::text, 16, '4'),"
    " 'glad', 's' FROM generate_series(1, 20) AS i"
)
STRATEGIES = {
    "mood": {"type": "choice", "config": {"choices": ["sad", "glad"]}},
    "noise": {"type": "noise", "config": {"ratio": 0.2}},
    "shift": {"type": "date_shift"},
    "ip": {"type": "ip"},
    "doc": {"type": "json", "config": {"paths": {"$.mail": "hash"}}},
    "fpe": {"type": "fpe"},
}
RULES = {
    "code": "hash40",
    "mail": "mail",
    "mood": "mood",
    "tags": "hash",
    "salary": "noise",
    "born": "shift",
    "ip": "ip",
    "doc": "doc",
    "pan": "fpe",
    "other": "redact",
}


def test_a_preview_is_what_a_run_writes(db):
    db.execute(WIDE)
    strategies = {**STRATEGIES, "hash40": {"type": "hash", "config": {"length": 40}}}
    rules = [{"column": column, "strategy": name} for column, name in RULES.items()]
    excluded = [{"column": "secret", "why": "nobody needs it"}]
    body = {"rules": rules, "exclude": excluded, **keep_all("not personal")}
    db.load(profile({"wide": body}, strategies=strategies))
    shown = after(db, table="wide", n=20)
    notes = {(column, note) for _, column, _, _, note in preview(db, table="wide", n=1)}
    before = {column: text for _, column, text, _, _ in preview(db, table="wide", n=1)}
    assert db.events() == ["KEY_CREATED"]
    db.sync()
    columns = [*RULES, "id", "kept"]
    select = ", ".join(f"format('%s', {c})" for c in columns)
    for row in db.rows(f"SELECT {select} FROM staging.wide ORDER BY id"):
        written = dict(zip(columns, row, strict=True))
        told = shown[int(written["id"])]
        assert {c: told[c] or "" for c in columns} == written
    assert {
        ("total", "computed by the target"),
        ("secret", "not copied: NULL, or its default"),
        ("kept", "not personal"),
        ("mail", None),
    } <= notes
    assert before["mail"] == "m1@x.example" and before["secret"] == "s"
    # The run after a preview is the one before it.
    assert after(db, table="wide", n=20) == shown


def test_both_ends_of_a_reference_are_previewed_as_they_are_written(db):
    db.execute(
        "CREATE SCHEMA prod;"
        "CREATE TABLE prod.a (c text PRIMARY KEY CHECK (c ~ '^[0-9]'));"
        "CREATE TABLE prod.b (c text PRIMARY KEY REFERENCES prod.a);"
        "INSERT INTO prod.a SELECT i || 'f' FROM generate_series(1, 30) AS i;"
        "INSERT INTO prod.b SELECT c FROM prod.a"
    )
    db.load(profile({name: {"c": "hash"} for name in "ab"}))
    shown = [row["c"] for row in after(db, table="b", n=30).values()]
    db.sync()
    assert sorted(db.column("SELECT c FROM staging.b")) == sorted(shown)


def test_what_only_a_run_can_tell_is_said(db):
    make_people(db)
    db.execute("SELECT confiture.create_domain('d')")
    db.load(
        profile(
            {"people": {"rules": [
                {"column": "email", "strategy": "token"},
                {"column": "note", "strategy": "shuffle"},
            ], **keep_all()}},
            strategies={
                "token": {"type": "tokenize", "config": {"domain": "d"}},
                "shuffle": {"type": "shuffle"},
            },
        )
    )
    rows = {row[1]: row[2:] for row in preview(db, n=1)}
    assert rows["email"][1:] == (None, "a token, which the run makes")
    assert rows["note"][1:] == (None, "the value of another row, drawn by the run")
    assert db.value("SELECT count(*) FROM confiture.token") == 0
    db.load(
        profile(
            {"people": {"email": "salted"}},
            strategies={"salted": {"type": "salted_hash"}},
            version="2",
        )
    )
    [row] = [row for row in preview(db, n=1) if row[1] == "email"]
    assert row[3:] == (None, "the first run makes its salt")
    assert db.value("SELECT count(*) FROM confiture.key") == 1
    db.sync()
    shown = after(db)
    assert db.value("SELECT email FROM staging.people WHERE id = 1") == shown[1]["email"]


def test_nothing_is_written_and_a_read_only_transaction_suffices(db):
    make_people(db)
    db.load(profile({"people": {"email": "mail"}}))
    before = db.all_events()
    with db.connection.transaction():
        db.execute("SET TRANSACTION READ ONLY")
        assert len(preview(db, n=2)) == 6
    assert db.all_events() == before


def test_a_pseudonym_is_shown_beside_its_original_on_record(db):
    """Also where the transaction is rolled back; what shows no way back leaves nothing."""
    make_people(db)
    rules = [{"column": "email", "strategy": "mail"}, {"column": "note", "strategy": "redact"}]
    db.load(profile({"people": {"rules": rules, "preserve": [{"column": "id", "why": "key"}]}}))
    operator = db.role("op")
    db.value("SELECT confiture.grant_access('operator', %s)::text", [operator])
    db.execute(f'GRANT USAGE ON SCHEMA prod TO "{operator}"')
    db.execute(f'GRANT SELECT ON prod.people TO "{operator}"')
    session = db.session(operator)
    session.execute("BEGIN")
    session.rows(CALL + "'small', 'prod', 'people', 2)")
    session.execute("ROLLBACK")
    reveals = "SELECT user_name, about, amount, granted FROM confiture.reveals"
    # Two addresses, and of the notes one that is not NULL.
    assert db.rows(reveals) == [(operator, "preview", 3, True)]
    session.refused("42P01", CALL + "'small', 'prod', 'persons')")
    db.load(profile({"people": keep_all()}, version="2"))
    preview(db)
    assert len(db.rows(reveals)) == 1
    assert "OK" in db.findings()


def test_only_who_may_read_the_source_sees_rows(db):
    make_people(db)
    db.load(profile({"people": {"email": "mail"}}))
    operator = db.role("op")
    db.value("SELECT confiture.grant_access('operator', %s)::text", [operator])
    session = db.session(operator)
    ask = CALL + "'small', 'prod', 'people')"
    session.refused("42501", ask)
    db.execute(f'GRANT USAGE ON SCHEMA prod TO "{operator}"')
    db.execute(f'GRANT SELECT (id, email) ON prod.people TO "{operator}"')
    session.refused("42501", ask)
    db.execute(f'GRANT SELECT ON prod.people TO "{operator}"')
    assert len(session.rows(ask)) == 9
    db.execute("ALTER TABLE prod.people ENABLE ROW LEVEL SECURITY")
    session.refused("42501", ask)
    reader = db.role("reader")
    db.execute(f'GRANT USAGE ON SCHEMA prod TO "{reader}"')
    db.execute(f'GRANT SELECT ON prod.people TO "{reader}"')
    db.session(reader).refused("42501", ask)


def test_code_of_weaker_roles_is_not_run(db):
    weak = db.role("weak")
    db.execute(
        f'CREATE SCHEMA prod; GRANT CREATE, USAGE ON SCHEMA prod TO "{weak}"; SET ROLE "{weak}";'
        "CREATE FUNCTION prod.f(t text) RETURNS boolean LANGUAGE plpgsql AS"
        " $$ BEGIN RAISE NOTICE 'ran'; RETURN true; END $$;"
        "CREATE DOMAIN prod.d AS text;"
        "CREATE TABLE prod.people (id integer PRIMARY KEY, c text CHECK (prod.f(c)));"
        "CREATE TABLE prod.others (id integer PRIMARY KEY, c prod.d);"
        "INSERT INTO prod.people VALUES (1, 'x'); RESET ROLE"
    )
    db.load(profile({"people": {"c": "hash"}}))
    db.notices.clear()
    db.refused("42501", CALL + "'small', 'prod', 'people')")
    db.load(profile({"others": {"c": "hash"}}, version="2"))
    db.refused("42501", CALL + "'small', 'prod', 'others')")
    assert not any(notice["message_primary"] == "ran" for notice in db.notices)


def test_labels_of_somebody_else_are_shown_and_a_cast_of_his_is_not_called(db):
    role = db.role("owner")
    db.execute(f"CREATE SCHEMA prod AUTHORIZATION {role}")
    owner = db.session(role)
    owner.execute("""
        CREATE TYPE prod.mood AS ENUM ('sad', 'glad'); CREATE TYPE prod.pair AS (a integer, b prod.mood);
        CREATE SEQUENCE prod.called;
        CREATE TABLE prod.people (id integer PRIMARY KEY, email text, mood prod.mood, moods prod.mood[],
          pair prod.pair);
        INSERT INTO prod.people VALUES (1, 'a@b.example', 'sad', '{glad}', '(1,sad)')""")
    db.load(profile({"people": {"email": "mail"}}))
    assert {"sad", "{glad}", "(1,sad)"} <= set(after(db)[1].values())
    owner.execute("""
        CREATE FUNCTION prod.f(v prod.mood) RETURNS text LANGUAGE plpgsql AS
          $$ BEGIN PERFORM nextval('prod.called'); RETURN 'x'; END $$;
        CREATE CAST (prod.mood AS text) WITH FUNCTION prod.f(prod.mood) AS IMPLICIT""")
    db.refused("42501", "SELECT * FROM confiture.preview('small', 'prod', 'people', 1)")
    assert db.value("SELECT is_called FROM prod.called") is False


def test_planted_objects_take_no_part(db):
    make_people(db)
    db.load(profile({"people": {"email": "mail"}}))
    clean = preview(db)
    db.execute(
        "CREATE FUNCTION public.format(text, anyelement) RETURNS text LANGUAGE sql AS"
        " $$ SELECT 'planted' $$;"
        "CREATE FUNCTION public.num_nulls(text) RETURNS integer LANGUAGE sql AS $$ SELECT 1 $$;"
        "CREATE TEMPORARY TABLE people (id integer, email text, note text);"
        "SET search_path = pg_temp, public, pg_catalog"
    )
    assert preview(db) == clean


def test_words_that_are_not_understood(db):
    make_people(db)
    db.load(profile({"people": {"email": "mail"}}))
    db.refused("22023", CALL + "'small', 'prod', 'people', 0)")
    db.refused("22023", CALL + "'small', 'prod', 'people', 1001)")
    db.refused("22023", CALL + "'small', 'prod', NULL)")
    assert '"persons"' in db.refused("42P01", CALL + "'small', 'prod', 'persons')").message_primary
    db.refused("3F000", CALL + "'small', 'prd', 'people')")
    assert preview(db, table="prod.people", n=1) == preview(db, n=1)


def test_a_value_that_is_refused_is_not_shown(db):
    db.execute(
        "CREATE SCHEMA prod; CREATE TABLE prod.people (id integer PRIMARY KEY, pan text);"
        "INSERT INTO prod.people VALUES (1, 'abc-secret')"
    )
    db.load(
        profile({"people": {"pan": "card"}}, strategies={"card": {"type": "credit_card"}})
    )
    said = db.refused("22000", CALL + "'small', 'prod', 'people')")
    assert said.message_primary == 'column "pan" has a value that is not masked'
    assert "secret" not in str(said.message_detail)
    assert "abc-secret" not in db.server.log().split("CREATE SCHEMA prod; CREATE TABLE")[-1][-2000:]


@pytest.mark.parametrize("columns", [1500])
def test_a_table_of_many_columns(db, columns):
    names = ", ".join(f"c{i} text" for i in range(columns))
    db.execute(f"CREATE SCHEMA prod; CREATE TABLE prod.people (id integer PRIMARY KEY, {names})")
    db.execute("INSERT INTO prod.people (id, c0, c1499) VALUES (1, 'a', 'b')")
    rules = [{"column": f"c{i}", "strategy": "hash"} for i in range(columns)]
    db.load(profile({"people": {"rules": rules, **keep_all()}}))
    shown = after(db)
    db.sync(options='{"lineage": "off"}')
    assert db.value("SELECT c1499 FROM staging.people") == shown[1]["c1499"]
