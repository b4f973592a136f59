"""The report on anonymity as a page, in a real browser."""

import pages
import pytest

NAME = "\"</title><script>alert('1')</script><img src=x onerror=f()>"
COLUMN = "a&b\"'><b>\u202etxt"


def quoted(name):
    return '"' + name.replace('"', '""') + '"'


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
    pages.loads_nothing(chromium, file)
    shown = chromium.value("document.body.innerText")
    for words in ["Not anonymous: there are 2 rows", NAME, "txt", "12,002", "disease:",
                  "all have the same value", "Small and large classes", "prosecutor",
                  "entropy l-diversity", "What these numbers do not say"]:
        assert words in shown, words
    assert "SECRET" not in file.read_text(encoding="utf-8")
    # One of each, so that a name is text and nothing else.
    for element, count in {"script": 0, "img": 0, "a": 0, "link": 0, "i": 0, "b": 0, "title": 1,
                           "style": 1, "h1": 1}.items():
        assert chromium.value(f"document.querySelectorAll('{element}').length") == count, element
    pages.cells_are_whole(chromium)
    # The bars are as long as the shares they stand for.
    bars = chromium.value(
        "[...document.querySelectorAll('.bars rect:not(.track)')].map(r => r.width.baseVal.value)"
    )
    assert len(bars) == 6 and sum(bars) == pytest.approx(100, abs=0.05)


@pytest.mark.parametrize("null_matches", [False, True])
def test_the_report_is_read_in_light_in_the_dark_on_paper_and_at_every_width(
    db, chromium, tmp_path, null_matches
):
    chromium.open(page(db, tmp_path / "report.html", null_matches=null_matches))
    pages.can_be_read(chromium)
    pages.is_reached_by_keyboard(chromium)
