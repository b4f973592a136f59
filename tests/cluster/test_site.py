"""The documentation as a site: built by mdBook, held against its own links, opened in a browser."""

import functools
import http.server
import os
import re
import subprocess
import threading
import time
from html.parser import HTMLParser
from urllib.parse import unquote, urlsplit

import pytest

import links
from server import ROOT


class Page(HTMLParser):
    """What a page of the site leads to, and what can be led to in it."""

    def __init__(self, file):
        super().__init__()
        self.targets, self.ids = [], set()
        self.feed(file.read_text(encoding="utf-8"))

    def handle_starttag(self, tag, attributes):
        """Notes links, sources and ids."""
        for name, value in attributes:
            if name == "id":
                self.ids.add(value)
            elif name in ("href", "src") and value and tag != "base":
                self.targets.append(value)


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    """The folder of a site that was just built."""
    folder = tmp_path_factory.mktemp("site")
    done = subprocess.run([str(ROOT / "tools" / "site"), str(folder)],
                          capture_output=True, text=True, check=False)
    if done.returncode == 3 and os.environ.get("CI") != "true":
        pytest.skip(done.stderr.strip())
    assert done.returncode == 0, done.stderr
    return folder / "html"


@pytest.fixture(scope="module")
def address(site):
    """Where a server of files shows it."""

    class Quiet(http.server.SimpleHTTPRequestHandler):
        def log_message(self, *_):
            pass

    handler = functools.partial(Quiet, directory=str(site))
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_address[1]}/"
    server.shutdown()
    server.server_close()


def test_every_page_has_become_one(site):
    wanted = [page.relative_to(ROOT) for page in links.pages() if page.name != "SUMMARY.md"]
    assert len(wanted) > 80
    missing = [str(page) for page in wanted if not (site / page).with_suffix(".html").is_file()]
    assert missing == []


def test_every_link_of_the_site_leads_somewhere(site):
    # Samples of reports are pages of their own; what is not found is shown anywhere.
    files = [file for file in site.rglob("*.html")
             if file.name != "404.html" and not (ROOT / file.relative_to(site)).exists()]
    pages = {file: Page(file) for file in files}
    lost, held = [], 0
    for file, page in pages.items():
        for target in page.targets:
            parts = urlsplit(target)
            if parts.scheme or parts.netloc:
                continue
            held += 1
            there = (file.parent / unquote(parts.path)).resolve() if parts.path else file
            known = pages.get(there)
            if not there.is_file() or (
                parts.fragment and known and unquote(parts.fragment) not in known.ids
            ):
                lost.append((str(file.relative_to(site)), target))
    assert lost == [] and held > 1000


def wait(page, expression):
    """What an expression gives as soon as it gives something, within ten seconds."""
    end = time.monotonic() + 10
    while time.monotonic() < end:
        try:
            if got := page.value(expression):
                return got
        except AssertionError as error:
            # A page that is left answers nothing.
            if "navigated" not in str(error):
                raise
        time.sleep(0.05)
    return None


def elsewhere(page, address):
    """What was asked for that the site does not have; pictures in style sheets are no request."""
    return [url for url in page.requests() if not url.startswith((address, "data:"))]


# Scripts of mdBook use what browsers advise against; a script that clicks is nobody's gesture.
NOT_OURS = {"DeprecationIssue", "GenericIssue"}


def complaints(page):
    """Errors, warnings, and issues that the site could mend."""
    return [event for event in page.complaints() if event["method"] != "Audits.issueAdded"
            or event["params"]["issue"]["code"] not in NOT_OURS]


def test_the_site_is_read_in_a_browser(chromium, address):
    chromium.open(address)
    assert "confiture" in chromium.value("document.title")
    # A picture of the first page is there.
    assert chromium.value("[...document.querySelectorAll('main img')].every(i => i.naturalWidth > 0)"
                          " && document.querySelectorAll('main img').length > 0")
    entries = wait(chromium, "document.querySelectorAll('nav a[href$=\"profile.html\"]').length")
    assert entries >= 1
    chromium.value("document.querySelector('nav a[href$=\"docs/profile.html\"]').click()")
    assert wait(chromium, "document.querySelector('main h1')?.innerText === 'Profiles'")
    # Code is told apart by kind, and can be copied.
    assert wait(chromium, "document.querySelectorAll('code.language-yaml .hljs-attr').length > 5")
    assert wait(chromium, "document.querySelectorAll('code.language-sql .hljs-keyword').length > 5")
    assert chromium.value("document.querySelectorAll('pre .clip-button').length > 5")
    assert elsewhere(chromium, address) == []
    assert complaints(chromium) == []


def test_what_is_searched_is_found(chromium, address):
    chromium.open(f"{address}docs/index.html")
    chromium.value("document.querySelector('[id$=search-toggle]').click()")
    chromium.value(
        "(() => { const bar = document.querySelector('input[id$=searchbar]'); bar.focus();"
        " bar.value = 'gates quasi-identifiers';"
        " for (const kind of ['keydown', 'keyup']) bar.dispatchEvent(new KeyboardEvent(kind, {key: 's'}));"
        " bar.dispatchEvent(new InputEvent('input', {bubbles: true})); })()"
    )
    found = wait(chromium, "[...document.querySelectorAll('[id$=searchresults] a')].map(a => a.href)"
                           ".join(' ')")
    assert f"{address}docs/anonymity.html" in found, found
    chromium.value("document.querySelector('[id$=searchresults] a[href*=\"docs/anonymity.html\"]').click()")
    assert wait(chromium, "document.querySelector('main h1')?.innerText === 'Anonymity'")
    assert elsewhere(chromium, address) == []
    assert complaints(chromium) == []


def test_no_page_asks_for_anything_elsewhere(site):
    for file in site.rglob("*.html"):
        if (ROOT / file.relative_to(site)).exists():
            continue
        text = file.read_text(encoding="utf-8")
        assert re.findall(r"<(?:script|link|img)[^>]+(?:src|href)=\"(?:https?:)?//[^\"]+", text) == []
