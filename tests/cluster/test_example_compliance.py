"""The example of compliance: seven reports of the web shop out of one document.

The samples in docs/samples are what comes out, without times, ids and hashes; CONFITURE_WRITE=1
writes them anew.
"""

import difflib
import itertools
import json
import os
import re

import pytest

from samples import make_small
from server import ROOT

SHOP = ROOT / "examples" / "webshop"
COMPLIANCE = ROOT / "examples" / "compliance"
SAMPLES = ROOT / "docs" / "samples"
REGULATIONS = ["gdpr", "ccpa", "pipeda", "lgpd", "pipl", "privacy_act", "popia"]
DAY = "2026-03-31"


@pytest.fixture(scope="module")
def shop(private_server):
    """The shop, masked into staging, with what its controller declares."""
    # Reports name settings and who may read, which belong to a server: here no test has left any.
    database = private_server().create_database("shop")
    database.psql(
        "-o", "/dev/null", "-v", "customers=300", "-f", SHOP / "schema.sql", "-f", SHOP / "data.sql"
    )
    database.execute("ANALYZE")
    database.load((SHOP / "profile.yaml").read_text(encoding="utf-8"))
    database.sync("webshop")
    database.execute("SELECT confiture.record_verification()")
    return database


def declare(db):
    """Loads the document of the example."""
    yaml = (COMPLIANCE / "controller.yaml").read_text(encoding="utf-8")
    return db.value("SELECT confiture.load_controller(%s)", [yaml])


def stable(text, db):
    """Without what differs from one making to the next."""
    text = re.sub(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", "(id)", text)
    text = re.sub(r"\b[0-9a-f]{64}\b", "(hash)", text)
    # Of the month and the day in which it was made.
    text = re.sub(r'(?s)<svg class="timeline".*?</svg>', "(picture of this month)", text)
    text = re.sub(r'("month"): "[0-9-]+"', r'\1: "(month)"', text)
    # PostgreSQL 18 turns them on by itself.
    text = re.sub(r"(\bdata.checksums(?:\W|</?\w+>)*?)\b(?:on|off)\b", r"\g<1>off", text)
    text = re.sub(r"(\bage.days\W+(?:<\w+>)*)\d+", r"\g<1>0", text)
    # The moments of the declared incident stay.
    for ago in [0, 1]:
        day = db.value("SELECT to_char((now() AT TIME ZONE 'UTC')::date - %s, 'YYYY-MM-DD')", [ago])
        text = re.sub(day + r" \d\d\\?:\d\d\\?:\d\d", "(time)", text).replace(day, "(day)")
    return text


def report(db, regulation, form="json", day=DAY, **more):
    """A report."""
    arguments = "".join(f", {name} => %({name})s" for name in more)
    return db.value(
        f"SELECT confiture.compliance_report(%(regulation)s, %(form)s, %(day)s{arguments})",
        {"regulation": regulation, "form": form, "day": day, **more},
    )


def test_the_example_fills_every_report(shop):
    print(declare(shop))
    rows = shop.rows(
        "SELECT regulation, asked, evidenced, declared, missing, stale, not_applicable, percent"
        " FROM confiture.compliance_coverage(as_of => '2026-03-31') ORDER BY 1"
    )
    for row in rows:
        print("{:<12} asked {:3} evidenced {:3} declared {:3} missing {:3} stale {:3}"
              " not applicable {:3}: {:3} of 100".format(*row))
    assert {row[0] for row in rows} == set(REGULATIONS)
    assert all(row[-1] >= 85 for row in rows), rows


def test_the_document_comes_out_as_it_went_in(shop):
    declare(shop)
    assert "0 facts declared" in declare(shop)
    exported = shop.value("SELECT confiture.export_controller()")
    assert "0 facts declared" in shop.value("SELECT confiture.load_controller(%s)", [exported])


def test_the_samples_are_what_comes_out(shop):
    declare(shop)
    different = []
    for regulation in REGULATIONS:
        for form, end in [("json", "json"), ("markdown", "md"), ("html", "html")]:
            text = stable(report(shop, regulation, form, DAY), shop)
            if form == "json":
                json.loads(text)
            sample = SAMPLES / f"{regulation}.{end}"
            if os.environ.get("CONFITURE_WRITE"):
                sample.write_text(text, encoding="utf-8")
                continue
            before = sample.read_text(encoding="utf-8")
            if before != text:
                different.append(sample.name)
                print(*changes(before, text, sample.name), sep="\n")
    assert not different


def changes(before, now, name):
    """The first lines of what is different, each cut to what a terminal shows."""
    lines = difflib.unified_diff(before.splitlines(), now.splitlines(), name, "now", n=0, lineterm="")
    return [line[:200] for line in itertools.islice(lines, 12)]


def test_the_samples_hold_no_value_of_the_shop(shop):
    declare(shop)
    values = shop.column(
        "SELECT email FROM prod.customers UNION SELECT last_name FROM prod.customers"
        " WHERE length(last_name) > 6 UNION SELECT iban FROM prod.staff WHERE iban IS NOT NULL"
    )
    for regulation in REGULATIONS:
        text = json.dumps(json.loads(report(shop, regulation)), ensure_ascii=False)
        assert not [value for value in values if value in text]


@pytest.fixture(scope="module")
def agency(server):
    """A small database of a federal agency, masked, with what the agency declares."""
    database = server.create_database("agency")
    make_small(database)
    database.execute("ANALYZE")
    database.sync()
    yaml = (COMPLIANCE / "agency.yaml").read_text(encoding="utf-8")
    database.value("SELECT confiture.load_controller(%s)", [yaml])
    yield database
    database.drop()


@pytest.mark.parametrize("variant", ["NZ", "US"])
def test_the_other_privacy_acts_are_as_the_samples_have_them(shop, agency, variant):
    """New Zealand's is that of the shop, that of the United States of an agency."""
    db = {"NZ": shop, "US": agency}[variant]
    declare(shop)
    different = []
    for form, end in [("json", "json"), ("markdown", "md")]:
        text = stable(report(db, "privacy_act", form, DAY, variant=variant), db)
        sample = SAMPLES / f"privacy_act_{variant.lower()}.{end}"
        if os.environ.get("CONFITURE_WRITE"):
            sample.write_text(text, encoding="utf-8")
        elif sample.read_text(encoding="utf-8") != text:
            different.append(sample.name)
    assert not different


def test_the_other_privacy_acts_are_filled_too(shop, agency):
    declare(shop)
    for db, variant in [(shop, "NZ"), (agency, "US")]:
        [(asked, percent)] = db.rows(
            "SELECT asked, percent FROM confiture.compliance_coverage('privacy_act', %s,"
            " variant => %s)",
            [DAY, variant],
        )
        assert asked > 8 and percent >= 85, variant
