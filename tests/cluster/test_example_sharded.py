"""The example of shards: names of their own, others who plant, and a run that fails on one of them."""

import pytest

import fleet as fleets

NAMES = ["north", "East-2", "it\'s"]
# They fit what the files of the example say closer than those of PostgreSQL do.
PLANTED = """
CREATE TABLE public.ran (who text);
GRANT INSERT ON public.ran TO PUBLIC;
CREATE FUNCTION public.note(text, integer) RETURNS text LANGUAGE plpgsql AS
  $$ BEGIN INSERT INTO public.ran VALUES (session_user); RETURN concat($1, $2); END $$;
CREATE OPERATOR public.|| (leftarg = text, rightarg = integer, function = public.note);
CREATE FUNCTION public.format(text, text) RETURNS text LANGUAGE plpgsql AS
  $$ BEGIN INSERT INTO public.ran VALUES (session_user); RETURN pg_catalog.format($1, $2); END $$;
CREATE FUNCTION public.array_append(text[], text) RETURNS text[] LANGUAGE plpgsql AS
  $$ BEGIN INSERT INTO public.ran VALUES (session_user); RETURN pg_catalog.array_append($1, $2); END $$;
"""


@pytest.fixture(scope="module")
def fleet(private_server, tmp_path_factory):
    """The example, prepared where mallory was before."""
    made = fleets.Fleet(private_server, tmp_path_factory.mktemp("fleet"), NAMES)
    if not made.office.has("postgres_fdw"):
        pytest.skip("this PostgreSQL comes without postgres_fdw")
    for database in (made.shards[0], made.auditor):
        database.execute("CREATE ROLE mallory LOGIN; GRANT CREATE ON SCHEMA public TO mallory")
        database.session("mallory").execute(PLANTED)
    made.script("prepare")
    return made


def anchors(fleet):
    """How many anchors the auditor has, by shard."""
    return dict(fleet.auditor.rows("SELECT server, cardinality(anchors) FROM fleet"))


def test_where_one_run_fails_the_anchors_of_the_others_are_kept(fleet):
    fleet.script("run")
    assert anchors(fleet) == dict.fromkeys(NAMES, 1)
    shard = fleet.shards[0]
    shard.execute("ALTER TABLE prod.customers RENAME COLUMN email TO mail")
    try:
        done = fleet.script("run", status=2)
    finally:
        shard.execute("ALTER TABLE prod.customers RENAME COLUMN mail TO email")
    assert "the run of north failed" in done.stderr and "East-2 failed" not in done.stderr
    assert anchors(fleet) == {"north": 1, "East-2": 2, "it\'s": 2}


def test_shards_may_have_any_names(fleet):
    fleet.script("run")
    said = fleet.script("verify").stdout
    assert "Visits and the customers whose they are" in said
    numbers = [word.strip() for word in said.strip().splitlines()[-1].split("|")]
    assert numbers == ["6000", "6000", "4286", "900", "0"]


def test_what_others_planted_is_not_called(fleet):
    fleet.script("run")
    fleet.script("verify")
    for database in (fleet.shards[0], fleet.auditor):
        assert database.rows("SELECT * FROM public.ran") == []
