"""The example of differential privacy runs, and what it says of its answers holds."""

import os
import re
import shutil
import xml.etree.ElementTree as ElementTree

from server import ROOT

SHOP = ROOT / "examples" / "webshop"
PRIVACY = ROOT / "examples" / "privacy"


def test_the_example_of_privacy_keeps_what_it_says(db, tmp_path):
    customers = 3000
    db.psql("-o", "/dev/null", "-v", f"customers={customers}",
            "-f", SHOP / "schema.sql", "-f", SHOP / "data.sql")
    plot = tmp_path / "histogram.svg"
    done = db.psql("-v", f"svg={plot}", "-f", PRIVACY / "privacy.sql")
    refused = [line for line in done.stderr.splitlines() if "ERROR" in line]
    assert len(refused) == 2, done.stderr
    assert 'the share of role "analyst" in privacy budget "study" is exhausted' in refused[0]
    assert "permission denied" in refused[1]
    said = done.stdout
    told = re.search(r"count +\| +([\d.-]+) +\| +([\d.]+)", said)
    assert abs(float(told[1]) - float(told[2])) < 60
    # Three intervals of 95 %: all three miss once in 8,000 runs.
    assert len(re.findall(r"^ (?:count|sum|avg).* t$", said, re.M)) >= 1
    assert re.search(r"the shape is there \n-+\n t\n", said), said
    assert re.search(r" 1\.8 +\| +3\.2 +\| +2\n", said), said
    assert re.search(r"\| t +\| t\n", said), said
    root = ElementTree.parse(plot).getroot()
    bars = root.findall(".//{http://www.w3.org/2000/svg}rect")
    assert len(bars) == 3 + 2 * 20
    assert all(float(bar.get("height")) >= 0 for bar in bars)
    if os.environ.get("CONFITURE_WRITE"):
        shutil.copy(plot, PRIVACY / "histogram.svg")
