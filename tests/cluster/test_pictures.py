"""The pictures of the pages: read in light and dark, whole, and made of nothing from elsewhere."""

import re
import xml.etree.ElementTree as ET

import pytest

import links
from server import ROOT

PICTURES = sorted((ROOT / "docs" / "pictures").glob("*.svg"))
SVG = "{http://www.w3.org/2000/svg}"

# Each text, the last shape before it that it lies in, and how much it stands out from that.
TEXTS = """
(() => {
  const light = color => {
    const [r, g, b] = color.match(/[\\d.]+/g).map(Number).map(v => v / 255)
      .map(v => v <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4);
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  };
  const shapes = [...document.querySelectorAll('svg > rect, g > rect')];
  return [...document.querySelectorAll('text')].map(text => {
    const box = text.getBBox(), x = box.x + box.width / 2, y = box.y + box.height / 2;
    const behind = shapes.filter(shape => shape.compareDocumentPosition(text) & 4)
      .filter(({x: {baseVal: l}, y: {baseVal: t}, width: {baseVal: w}, height: {baseVal: h}}) =>
        l.value <= x && x <= l.value + w.value && t.value <= y && y <= t.value + h.value).pop();
    const own = text.parentNode.querySelector(':scope > rect');
    const hold = (text.parentNode.nodeName === 'g' ? own : behind).getBBox();
    const [a, b] = [light(getComputedStyle(text).fill), light(getComputedStyle(behind).fill)]
      .sort((one, other) => other - one);
    return {text: text.textContent, box: [box.x, box.y, box.width, box.height],
      inside: box.x >= hold.x && box.y >= hold.y && box.x + box.width <= hold.x + hold.width
        && box.y + box.height <= hold.y + hold.height,
      contrast: (a + 0.05) / (b + 0.05)};
  });
})()
"""
PAGE = "getComputedStyle(document.querySelector('.page')).fill"


@pytest.mark.parametrize("picture", PICTURES, ids=lambda path: path.stem)
def test_a_picture_says_what_it_shows_and_loads_nothing(picture):
    text = picture.read_text(encoding="utf-8")
    root = ET.fromstring(text)
    assert root.find(f"{SVG}title").text and root.find(f"{SVG}desc").text
    assert root.get("role") == "img" and root.get("aria-labelledby") == "title desc"
    assert {element.tag for element in root.iter()} & {f"{SVG}script", f"{SVG}image", f"{SVG}use"} == set()
    outside = re.findall(r"(?:href|src|url\()[\"'=(]*([^\"')]+)", text)
    assert [each for each in outside if not each.startswith("#")] == []
    assert "@import" not in text


@pytest.mark.parametrize("picture", PICTURES, ids=lambda path: path.stem)
def test_a_picture_is_read_in_light_and_in_the_dark(chromium, picture):
    pages = {}
    for scheme in ("light", "dark"):
        chromium.media(scheme=scheme)
        chromium.open(picture)
        pages[scheme] = chromium.value(PAGE)
        texts = chromium.value(TEXTS)
        assert len(texts) > 15
        assert [(each["text"], each["contrast"]) for each in texts if each["contrast"] < 4.5] == []
        assert [each["text"] for each in texts if not each["inside"]] == []
        assert list(overlapping(texts)) == []
        assert chromium.requests() == [picture.as_uri()]
    chromium.media()
    assert pages["light"] != pages["dark"]


def overlapping(texts):
    """Pairs of texts of which one is written over the other."""
    for at, one in enumerate(texts):
        x, y, width, height = one["box"]
        for other in texts[at + 1 :]:
            left, top, wide, high = other["box"]
            if x < left + wide and left < x + width and y + 2 < top + high and top + 2 < y + height:
                yield one["text"], other["text"]


def test_every_picture_is_on_a_page():
    shown = set()
    for page in links.pages():
        shown |= {links.led_to(page, target)[0]
                  for _, target in links.links(page.read_text(encoding="utf-8"))}
    assert PICTURES and set(PICTURES) <= shown
