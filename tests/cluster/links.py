"""Links of Markdown pages: where they lead, and what can be led to."""

import re
import unicodedata
from pathlib import Path
from urllib.parse import unquote

from server import ROOT

# What a reader of the repository meets; the rest is code.
TOP = ["README.md", "CONTRIBUTING.md", "CHANGELOG.md", "SECURITY.md"]

FENCE = re.compile(r"^(```+|~~~+).*?^\1[ \t]*$", re.MULTILINE | re.DOTALL)
CODE = re.compile(r"(`+)(?!`).*?(?<!`)\1(?!`)", re.DOTALL)
LINK = re.compile(r"!?\[(?:[^][]|\[[^]]*\])*\]\(\s*<?([^)\s>]+)>?(?:\s+\"[^\"]*\")?\s*\)")
HEADING = re.compile(r"^#{1,6}[ \t]+(.*?)[ \t]*#*$", re.MULTILINE)


def pages():
    """Every Markdown page."""
    found = [ROOT / name for name in TOP]
    for folder in ("docs", "examples", "verify"):
        found += sorted((ROOT / folder).rglob("*.md"))
    return found


def links(text):
    """(line, target) of every link of a page, those in code left out."""
    blank = FENCE.sub(lambda part: re.sub(r"[^\n]", " ", part[0]), text)
    # A link may have code for its text, so the code goes and its place stays.
    blank = CODE.sub(lambda part: re.sub(r"[^\n]", "x", part[0]), blank)
    return [(blank.count("\n", 0, link.start()) + 1, link[1]) for link in LINK.finditer(blank)]


def anchors(text):
    """Every anchor that the headings of a page make."""
    seen, found = {}, set()
    for heading in HEADING.findall(FENCE.sub("", text)):
        slug = slugged(heading)
        times = seen.get(slug, 0)
        seen[slug] = times + 1
        found.add(f"{slug}-{times}" if times else slug)
    return found


def slugged(heading):
    """The anchor of a heading, as hosts of repositories and mdBook make it."""
    text = re.sub(r"!?\[([^]]*)\]\([^)]*\)", r"\1", heading).replace("`", "").replace("*", "")
    kept = [c for c in unicodedata.normalize("NFC", text).lower() if c.isalnum() or c in " -_"]
    return "".join(kept).replace(" ", "-")


def is_elsewhere(target):
    """Whether a link leaves the project."""
    return re.match(r"[a-z][a-z0-9+.-]*:", target) is not None


def led_to(page: Path, target):
    """The file and the anchor that a link of a page leads to."""
    path, _, anchor = unquote(target).partition("#")
    return ((page.parent / path).resolve() if path else page), anchor
