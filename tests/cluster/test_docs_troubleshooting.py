"""The page of troubleshooting knows every message that the sources raise, and no other.

Defects (XX000) are one row of the page. Messages are patterns on both sides: `…` is whatever is put in.
"""

import re
from functools import cache

import rust_messages
from server import ROOT

PAGE = ROOT / "docs" / "troubleshooting.md"
# Places whose message is that of another error, or comes from another process.
PASSED_ON = {
    "src/keys/provider/file/mod.rs",
    "src/pg/subxact.rs",
    "src/sync/rowcheck.rs",
    "src/sync/workers/store.rs",
    "src/vault/columns/mod.rs",
    "src/vault/tokens/mod.rs",
}
# Rows about messages of the server itself.
OF_THE_SERVER = {
    'time zone "…" not recognized',
    'schema "confiture" already exists',
    'permission denied to create extension "confiture"',
    'unrecognized configuration parameter "confiture.key_file"',
    'invalid configuration parameter name "confiture.…"',
    "permission denied for function anon_…",
    "function anon_… does not exist",
    "cannot execute INSERT in a read-only transaction",
    "cannot drop view … because other objects depend on it",
    "canceling statement due to user request",
    "… statement timeout",
    'could not access file "$libdir/confiture"',
}


def plain(text):
    """A message with `…` for each name that is put in, whether the sources or its argument quote it."""
    return re.sub(r"…([ .]*…)+", "…", re.sub(r'"?….…"?|"…"', "…", text.replace("...", "…")))


@cache
def pattern(text):
    """A message as a pattern: whatever stands for `…`, also a longer part of the sentence."""
    return re.compile(".*".join(map(re.escape, plain(text).split("…"))), re.DOTALL)


def is_told(text, told):
    """Whether a row is about a message: it generalizes the message, or is one that it may become.

    The latter says something only if the message has words of its own, or is made of parts throughout.
    """
    if any(pattern(row).fullmatch(plain(text)) for row in told):
        return True
    words = [word for word in re.split(r'[…"\s]+', text) if word]
    if len(words) < 3 and text.count("…") < 2:
        return False
    return any(pattern(text).fullmatch(plain(row)) for row in told)


def rows():
    """The messages that the tables of the page are about."""
    found = []
    for line in PAGE.read_text(encoding="utf-8").splitlines():
        if line.startswith("| ") and not line.startswith("| message") and not line.startswith("|--"):
            cell = line[2:].split(" | ")[0]
            found += re.findall(r"`([^`]+)`", cell)
    return found


def test_every_message_is_on_the_page_and_no_other():
    raised, unread = rust_messages.raised()
    assert {place.rsplit(":", 1)[0] for place in unread} <= PASSED_ON, unread
    texts = {message.text: message.place for message in raised}
    assert len(texts) > 400
    told = rows()
    missing = sorted(
        f"{text}  ({place})"
        for text, place in texts.items()
        if not is_told(text, told)
    )
    assert not missing, "\n".join(missing)


def test_no_row_is_about_a_message_that_is_gone():
    texts = {message.text for message in rust_messages.raised()[0]}
    known = [pattern(text) for text in texts]
    sources = "".join(source.rust for source in rust_messages.sources())
    gone = []
    for text in rows():
        if " " not in text or text in OF_THE_SERVER:
            continue
        if any(raised.fullmatch(plain(text)) for raised in known):
            continue
        if any(pattern(text).fullmatch(plain(raised)) for raised in texts):
            continue
        # Notices, warnings, hints and parts of a sentence are literals of the sources as well.
        parts = [part.strip(' "') for part in re.split(r"…", text)]
        if all(part in sources for part in parts):
            continue
        gone.append(text)
    assert not gone, "\n".join(gone)
