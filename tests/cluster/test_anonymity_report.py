"""The report on anonymity as a page, in a real browser."""

import json
import os

import browser
import pytest

NAME = "\"</title><script>alert('1')</script><img src=x onerror=f()>"
COLUMN = "a&b\"'><b>\u202etxt"


def quoted(name):
    return '"' + name.replace('"', '""') + '"'


@pytest.fixture(scope="module")
def chromium():
    """A browser."""
    if why := browser.missing():
        if os.environ.get("CI") == "true":
            pytest.fail(why)
        pytest.skip(why)
    page = browser.Browser()
    yield page
    page.stop()


@pytest.fixture
def db(server):
    """A table of hostile names, whose sensitive column has a class of one value."""
    database = server.create_database(key=False)
    database.execute(
        f"CREATE TABLE {quoted(NAME)} ({quoted(COLUMN)} text, age integer, disease text, stay float8)"
    )
    database.execute(
        f"INSERT INTO {quoted(NAME)} SELECT nullif('<i>' || i % 3, '<i>2'), i % 7 * 10,"
        " CASE WHEN i % 7 = 0 THEN 'SECRET' ELSE 'd' || i % 11 END, i % 13"
        " FROM generate_series(1, 12000) AS i"
    )
    database.execute(f"INSERT INTO {quoted(NAME)} VALUES ('<b>', 1, NULL, NULL), ('x', 2, 'y', 3)")
    yield database
    database.drop()


def page(db, path, **more):
    call = "SELECT anon_privacy_report_html(%s::regclass, %s, %s, null_matches => %s)"
    arguments = [quoted(NAME), [COLUMN, "age"], ["disease", "stay"], more.get("null_matches", False)]
    path.write_text(db.value(call, arguments), encoding="utf-8")
    return path


def test_the_report_opens_in_a_browser_without_a_complaint_or_a_request(db, chromium, tmp_path):
    file = page(db, tmp_path / "report.html")
    chromium.open(file)
    assert chromium.requests() == [file.as_uri()]
    assert chromium.complaints() == []
    shown = chromium.value("document.body.innerText")
    for words in ["Not anonymous: there are 2 rows", NAME, "txt", "12\u202f002", "disease:",
                  "all have the same value", "Small and large classes", "prosecutor",
                  "entropy l-diversity", "What these numbers do not say"]:
        assert words in shown, words
    assert "SECRET" not in file.read_text(encoding="utf-8")
    # One of each, so that a name is text and nothing else.
    for element, count in {"script": 0, "img": 0, "a": 0, "link": 0, "i": 0, "b": 0, "title": 1,
                           "style": 1, "h1": 1}.items():
        assert chromium.value(f"document.querySelectorAll('{element}').length") == count, element
    cells = chromium.value(
        "[...document.querySelectorAll('tbody tr')].map(row => row.cells.length"
        " - row.closest('table').tHead.rows[0].cells.length)"
    )
    assert cells and set(cells) == {0}
    # The bars are as long as the shares they stand for.
    bars = chromium.value(
        "[...document.querySelectorAll('.bars rect:not(.track)')].map(r => r.width.baseVal.value)"
    )
    assert len(bars) == 6 and sum(bars) == pytest.approx(100, abs=0.05)
    # What a page would load is refused by its own policy.
    chromium.events.clear()
    refused = chromium.value(
        "new Promise(done => { const image = new Image(); image.onerror = () => done(true);"
        " image.onload = () => done(false); image.src = 'https://example.test/x.png'; })"
    )
    assert refused is True
    assert "Content Security Policy" in json.dumps(chromium.complaints())


@pytest.mark.parametrize("width", [1280, 720, 360])
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_the_report_is_read_at_every_width_in_light_and_in_the_dark(
    db, chromium, tmp_path, width, scheme
):
    file = page(db, tmp_path / "report.html")
    chromium.open(file)
    chromium.media(scheme=scheme)
    chromium.width(width)
    # Wide tables scroll by themselves, and the page does not.
    assert chromium.value("document.documentElement.scrollWidth <= innerWidth")
    contrast = chromium.value(CONTRAST)
    assert contrast and min(contrast) >= 4.5, contrast
    chromium.media()
    chromium.width(1280)


# How much texts stand out from what is behind them (WCAG 2.2, 1.4.3).
CONTRAST = """
(() => {
  const light = colour => {
    const [r, g, b] = colour.match(/[\\d.]+/g).map(Number).map(v => v / 255)
      .map(v => v <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4);
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  };
  const behind = element => {
    for (let at = element; at; at = at.parentElement) {
      const colour = getComputedStyle(at).backgroundColor;
      if (!/, 0\\)$|transparent/.test(colour)) return colour;
    }
    return 'rgb(255, 255, 255)';
  };
  return [...document.querySelectorAll('h1, h2, p, li, th, td, dt, dd, small, caption')].map(e => {
    const [a, b] = [light(getComputedStyle(e).color), light(behind(e))];
    return (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05);
  });
})()
"""


def test_the_report_prints_on_a_few_pages(db, chromium, tmp_path):
    chromium.open(page(db, tmp_path / "report.html", null_matches=True))
    chromium.media(media="print", scheme="dark")
    assert chromium.value("getComputedStyle(document.body).backgroundColor") == "rgb(255, 255, 255)"
    printed = chromium.capture("printToPDF", printBackground=False)
    assert printed.startswith("JVBER") and len(printed) > 10_000
    chromium.media()
