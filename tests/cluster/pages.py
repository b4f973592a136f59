"""What holds for every page that a report makes, in a real browser."""

import json

# How much each text stands out from what is behind it: relative luminance of sRGB and contrast as
# WCAG 2.2 defines them (1.4.3 asks for 4.5).
CONTRAST = """
(() => {
  const light = color => {
    const [r, g, b] = color.match(/[\\d.]+/g).map(Number).map(v => v / 255)
      .map(v => v <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4);
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  };
  const behind = node => {
    for (; node; node = node.parentElement) {
      const color = getComputedStyle(node).backgroundColor;
      if (!color.startsWith('rgba')) return color;
    }
    return 'rgb(255, 255, 255)';
  };
  const texts = 'h1, h2, h3, p, li, a, td, th, dt, dd, small, span, caption, figcaption';
  return [...document.querySelectorAll(texts)].filter(node => node.innerText.trim())
    .map(node => [light(getComputedStyle(node).color), light(behind(node))].sort((a, b) => b - a))
    .map(([a, b]) => (a + 0.05) / (b + 0.05));
})()
"""
BACKGROUND = "getComputedStyle(document.body).backgroundColor"
WIDTHS = (360, 720, 1280)
# A4 on its long side between the margins of the page, 297 mm - 2 x 14 mm, in pixels of CSS.
PAPER = 1016


def loads_nothing(page, file):
    """Opens a page: it asks for nothing, complains of nothing, and would be refused by itself."""
    page.open(file)
    assert page.requests() == [file.as_uri()]
    assert page.complaints() == []
    assert page.value("document.querySelectorAll('script, img, link, iframe').length") == 0
    page.events.clear()
    refused = page.value(
        "new Promise(done => { const image = new Image(); image.onerror = () => done(true);"
        " image.onload = () => done(false); image.src = 'https://example.test/x.png'; })"
    )
    assert refused is True
    assert "Content Security Policy" in json.dumps(page.complaints())


def can_be_read(page):
    """The open page is read in light, in the dark, on paper and at every width."""
    seen = {}
    for scheme, media in [("light", "screen"), ("dark", "screen"), ("dark", "print")]:
        page.media(scheme=scheme, media=media)
        seen[scheme, media] = page.value(BACKGROUND)
        contrast = page.value(CONTRAST)
        assert contrast and min(contrast) >= 4.5, (scheme, media, min(contrast))
    assert seen["light", "screen"] == seen["dark", "print"] == "rgb(255, 255, 255)"
    assert seen["dark", "screen"] != seen["light", "screen"]
    # Wider than paper would be printed smaller, or cut off.
    page.width(PAPER)
    assert page.value("document.documentElement.scrollWidth") <= PAPER
    page.media()
    for pixels in WIDTHS:
        page.width(pixels)
        # Wide tables scroll inside their own region, not the page.
        assert page.value("document.documentElement.scrollWidth") <= pixels, pixels
    printed = page.capture("printToPDF", preferCSSPageSize=True)
    assert printed.startswith("JVBER") and len(printed) > 10_000


def cells_are_whole(page):
    """Every row of every table has a cell for each head."""
    cells = page.value(
        "[...document.querySelectorAll('tbody tr')].map(row => row.cells.length"
        " - row.closest('table').tHead.rows[0].cells.length)"
    )
    assert cells and set(cells) == {0}
    return len(cells)


def is_reached_by_keyboard(page):
    """Everything that scrolls or leads somewhere takes the focus, and shows that it has it."""
    outlines = page.value(
        "[...document.querySelectorAll('.scroll, a')].map(e => { e.focus({focusVisible: true});"
        " return document.activeElement === e && getComputedStyle(e).outlineStyle != 'none'; })"
    )
    assert outlines and all(outlines)
