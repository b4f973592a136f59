"""The example of anonymity runs, and what it says of its table holds."""

import re

from server import ROOT

SHOP = ROOT / "examples" / "webshop"
EXAMPLE = ROOT / "examples" / "anonymity"
KEYS = "'{birth_date,postcode}'"


def test_the_example_of_anonymity_does_what_it_says(db, tmp_path):
    db.psql("-o", "/dev/null", "-v", "customers=3000",
            "-f", SHOP / "schema.sql", "-f", SHOP / "data.sql")
    report = tmp_path / "report.html"
    profile = (EXAMPLE / "profile.yaml").read_text(encoding="utf-8")
    done = db.psql("-v", f"profile={profile}", "-v", f"report={report}",
                   "-f", EXAMPLE / "anonymity.sql")
    said = done.stdout
    refused = [line for line in done.stderr.splitlines() if "ERROR" in line]
    assert len(refused) == 2, done.stderr
    assert '"found":1' in done.stderr and '"k":5' in done.stderr
    assert '"released.members" is not 5-anonymous' in refused[1]
    assert re.search(r" 2913 \| +97\n", said), said
    # What was suggested is what the profile does.
    assert '"postcode": {"of": 4, "level": 3}, "birth_date": {"of": 4, "level": 3}' in said
    assert re.search(r"k_after \| 6\n.*classes \| 95\n.*nodes +\| 25\n", said, re.S), said
    for part in ("{type: generalize, config: {unit: decade}}",
                 "{type: generalize, config: {method: prefix, keep: 1}}"):
        assert part in said and part in profile.replace(":   ", ": ")
    assert re.search(r"large enough \| t\n", said), said
    assert re.search(r"study\.members +\| 1 \| +0\.9797 \| 1 \|", said), said
    assert re.search(r"released\.members \| 6 \| +0\.0317 \| 1 \|", said), said
    assert db.value(f"SELECT anon_k_anonymity('released.members', {KEYS})") == 6
    assert db.value("SELECT count(*) FROM released.members") == 3000
    assert db.value("SELECT count(customer) FROM released.members") == 0
    page = report.read_text(encoding="utf-8")
    assert page.startswith("<!DOCTYPE html>") and "6-anonymous" in page
