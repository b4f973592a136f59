"""What a mask may write fits its place: columns, elements of arrays, fields of records, domains."""

import pytest

from samples import keep_all, profile

STRATEGIES = {
    "short": {"type": "hash", "config": {"length": 20}},
    "person": {"type": "record", "config": {"fields": {"a": "email"}}},
    "code": {"type": "record", "config": {"fields": {"d": "hash"}}},
    "fits": {"type": "record", "config": {"fields": {"a": "null", "d": "null"}}},
}


@pytest.mark.parametrize(
    ("column", "strategy"),
    [
        ("varchar(5)", "mail"),
        ("varchar(5)[]", "mail"),
        ("char(5)[]", "hash"),
        ("prod.few", "hash"),
        ("prod.few[]", "hash"),
        ("prod.fews", "hash"),
        ("prod.pair", "person"),
        ("prod.pair", "code"),
    ],
)
def test_a_mask_that_writes_more_than_fits_is_refused(db, column, strategy):
    db.execute(
        "CREATE SCHEMA prod; CREATE TYPE prod.pair AS (a varchar(5), d char(3));"
        "CREATE DOMAIN prod.few AS varchar(5); CREATE DOMAIN prod.fews AS varchar(5)[]"
    )
    db.execute(f"CREATE TABLE prod.t (id int PRIMARY KEY, x {column})")
    rules = {"rules": [{"column": "x", "strategy": strategy}], **keep_all()}
    db.load(profile({"t": rules}, strategies=STRATEGIES))
    report = db.plan_refused("22023")
    assert " writes more than " in report.message_primary, report.message_primary


def test_what_fits_goes_through(db):
    db.execute("CREATE SCHEMA prod; CREATE TYPE prod.pair AS (a varchar(5), d char(3))")
    db.execute("CREATE TABLE prod.t (id int PRIMARY KEY, x prod.pair, y varchar(30)[])")
    db.execute("INSERT INTO prod.t VALUES (1, ('abc', 'de'), ARRAY['a', NULL])")
    rules = [{"column": "x", "strategy": "fits"}, {"column": "y", "strategy": "short"}]
    db.load(profile({"t": {"rules": rules, **keep_all()}}, strategies=STRATEGIES))
    db.sync()
    assert db.value("SELECT length(y[1]) FROM staging.t") == 20
