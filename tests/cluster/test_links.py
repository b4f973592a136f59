"""Every link between pages leads somewhere, and the contents name every page.

`CONFITURE_WRITE=1` puts the list of decisions into the contents and into their own page.
"""

import os
import re

import pytest

import links
from server import ROOT

DOCS = ROOT / "docs"
SUMMARY = DOCS / "SUMMARY.md"
DECISIONS = DOCS / "decisions" / "README.md"
PAGES = {str(page.relative_to(ROOT)): page for page in links.pages()}


def broken(page, text):
    """(line, target, why) of every link that leads nowhere."""
    found = []
    for line, target in links.links(text):
        if links.is_elsewhere(target):
            continue
        file, anchor = links.led_to(page, target)
        if not file.is_file():
            # A folder is shown by hosts of repositories, and not by a site.
            found.append((line, target, "is a folder" if file.is_dir() else "is not there"))
        elif ROOT not in file.parents:
            found.append((line, target, "leaves the project"))
        elif anchor and file.suffix == ".md":
            if anchor not in links.anchors(file.read_text(encoding="utf-8")):
                found.append((line, target, "has no such heading"))
    return found


@pytest.mark.parametrize("name", PAGES)
def test_every_link_leads_somewhere(name):
    assert broken(PAGES[name], PAGES[name].read_text(encoding="utf-8")) == []


def test_what_is_broken_is_found():
    page = DOCS / "keys.md"
    text = (
        "[a](keys/aws.md) [b](nothing.md)\n[c](#rotate) [d](#nowhere) [e](keys/)\n"
        "`[f](nothing.md)`\n```text\n[g](nothing.md)\n```\n[`h`](sync.md#no-such-place \"t\")\n"
        "[i](https://example.com/nothing.md) ![j](pictures/none.svg) [k](/etc/passwd)\n"
    )
    assert [(line, target) for line, target, _ in broken(page, text)] == [
        (1, "nothing.md"), (2, "#nowhere"), (2, "keys/"), (7, "sync.md#no-such-place"),
        (8, "pictures/none.svg"), (8, "/etc/passwd"),
    ]


@pytest.mark.parametrize(("heading", "anchor"), [
    ("Mode swap", "mode-swap"),
    ("`date_shift`", "date_shift"),
    ("What it *does* not", "what-it-does-not"),
    ("A [link](x.md), and more", "a-link-and-more"),
    ("k-anonymity: 5 % of all", "k-anonymity-5--of-all"),
])
def test_anchors_are_those_of_headings(heading, anchor):
    assert links.slugged(heading) == anchor


def test_a_heading_that_comes_again_is_numbered():
    assert links.anchors("# A\n## B\n```\n# C\n```\n## B\n") == {"a", "b", "b-1"}


def decisions(prefix):
    """A line for each decision."""
    lines = []
    for path in sorted(DECISIONS.parent.glob("[0-9]*.md")):
        title = re.sub(r"^# (\d+[.:] )?", "", path.read_text(encoding="utf-8").split("\n", 1)[0])
        number = path.name.split("-")[0]
        lines.append(f"- [{number} {title[0].upper()}{title[1:]}]({prefix}{path.name})\n")
    return lines


def test_the_contents_name_every_page_once():
    contents = SUMMARY.read_text(encoding="utf-8")
    head, mark, listed = contents.partition("- [Decisions](decisions/README.md)\n")
    expected = "".join(f"  {line}" for line in decisions("decisions/"))
    if os.environ.get("CONFITURE_WRITE"):
        SUMMARY.write_text(head + mark + expected, encoding="utf-8")
        listed = expected
    assert mark and listed == expected
    named = [links.led_to(SUMMARY, target)[0] for _, target in links.links(head + mark + listed)]
    assert len(named) == len(set(named))
    wanted = {page for page in DOCS.rglob("*.md") if page != SUMMARY}
    wanted |= set((ROOT / "examples").glob("*/README.md"))
    assert {str(page.relative_to(ROOT)) for page in wanted - set(named)} == set()


def test_the_page_of_decisions_lists_them():
    text = DECISIONS.read_text(encoding="utf-8")
    intro = text[: text.index("\n- [")] if "\n- [" in text else text.rstrip("\n") + "\n"
    expected = intro + "\n" + "".join(decisions(""))
    if os.environ.get("CONFITURE_WRITE"):
        DECISIONS.write_text(expected, encoding="utf-8")
        text = expected
    assert text == expected
