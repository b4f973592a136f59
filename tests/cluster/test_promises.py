"""What the pages promise: each names the test that keeps it, and there is such a test."""

import re

import pytest

from server import ROOT

PAGES = sorted([*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md"), *ROOT.glob("examples/*/README.md")])
# Every line of their tables is a claim. (That of secrets says where nothing is tested.)
CLAIMS = [ROOT / f"docs/security/{name}.md" for name in ("threat-model", "test-evidence")]
# Where functions are that a page may name as the test of something.
TESTS = [
    *ROOT.glob("tests/cluster/test_*.py"),
    *ROOT.glob("tests/**/*.rs"),
    *ROOT.glob("pg_test/*.rs"),
    *ROOT.glob("src/**/*.rs"),
    *ROOT.glob("verify/**/*.rs"),
]
RUST_TEST = re.compile(r"#\[(?:test|pg_test)\b[^\]]*\](?:\s*#\[[^\]]*\])*\s*fn (\w+)\(")
QUOTED = re.compile(r"`([^`\n]+)`")
# A test's name is a sentence; `test_bin` is a parameter of a mask.
NAMED = re.compile(r"`(test_\w+_\w+)`")


def found_in(path):
    """The tests of a file: those that its runner finds."""
    text = path.read_text(encoding="utf-8")
    if path.suffix == ".py":
        return set(re.findall(r"^def (test_\w+)\(", text, re.MULTILINE))
    return set(RUST_TEST.findall(text))


@pytest.fixture(name="tests", scope="module")
def _tests():
    found = set().union(*map(found_in, TESTS))
    assert len(found) > 2000, "the search has found too little to mean anything"
    return found


def rows(page):
    """The tables of a page that have a column "test": (line, words of that column)."""
    header = None
    for number, line in enumerate(page.read_text(encoding="utf-8").splitlines(), 1):
        if not line.startswith("|"):
            header = None
            continue
        cells = [cell.strip() for cell in re.split(r"(?<!\\)\|", line.strip())[1:-1]]
        if header is None:
            header = cells
        elif set(line) - set("|-: ") and header[-1] == "test":
            yield number, QUOTED.findall(cells[-1])


def test_every_test_that_a_page_names_is_there(tests):
    missing = [
        f"{page.relative_to(ROOT)}: {word}"
        for page in PAGES
        for word in NAMED.findall(page.read_text(encoding="utf-8"))
        if word not in tests
    ]
    assert missing == []


def test_every_claim_of_the_threat_model_names_its_test(tests):
    claims = [(page.name, *row) for page in CLAIMS for row in rows(page)]
    assert len(claims) > 100
    assert [claim for claim in claims if not claim[2]] == [], "lines without a test"
    named = {word for *_, words in claims for word in words}
    assert sorted(named - tests) == []
