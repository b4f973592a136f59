"""The primary messages that the sources raise: what `Error::new` is given, and RAISE in SQL.

A message is read as a pattern, with `…` for what is put in. Where it is not written at the call, it
is looked for at the `let` of its name, at the callers of the function whose parameter it is, or in
the method that words it.
"""

import re
from bisect import bisect_right
from collections import defaultdict
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from server import ROOT

TOKEN = re.compile(
    r"""(?P<comment>//[^\n]*|/\*.*?\*/)
      | (?P<raw>b?r(?P<marks>\#*)".*?"(?P=marks))
      | (?P<text>b?"(?:[^"\\]|\\.)*")
      | (?P<char>'(?:[^'\\\n]|\\[^']*)')
      | (?P<word>[A-Za-z_]\w*!?|\d\w*)
      | (?P<mark>::|=>|->|\S)""",
    re.DOTALL | re.VERBOSE,
)
OPEN, CLOSE = set("([{"), set(")]}")
# Defects, which have one row for all of them.
DEFECTS = ("Internal",)


@dataclass(frozen=True)
class Message:
    """One message, and where it is raised."""

    text: str
    place: str


@dataclass(frozen=True)
class Token:
    """A piece of Rust: "text" for a literal, "word", "mark" or "char"."""

    kind: str
    text: str
    at: int


class Source:
    """A file of Rust without its comments and tests."""

    def __init__(self, path: Path):
        self.path = path.relative_to(ROOT)
        self.rust = path.read_text(encoding="utf-8")
        self.tokens = _without_tests(list(_tokens(self.rust)))
        self._places = defaultdict(list)
        for i, token in enumerate(self.tokens):
            if token.kind == "word":
                self._places[token.text].append(i)
        # Not the types of functions, which have no name.
        self._functions = [i for i in self._places["fn"] if self.tokens[i + 1].kind == "word"]

    def place(self, index):
        """Where a token stands."""
        return f"{self.path}:{self.rust.count(chr(10), 0, self.tokens[index].at) + 1}"

    def calls(self, *words):
        """Where these tokens stand, one after the other."""
        for i in self._places.get(words[0], ()):
            if [token.text for token in self.tokens[i : i + len(words)]] == list(words):
                yield i

    def function_of(self, index):
        """The function around a token: its name, its parameters and where it begins."""
        number = bisect_right(self._functions, index)
        if number == 0:
            return None, [], 0
        at = self._functions[number - 1]
        start = at + 2
        if self.tokens[start].text == "<":
            start = _behind_generics(self.tokens, start)
        names = [part[0].text if part[0].text != "mut" else part[1].text
                 for part in arguments(self.tokens, start)[0]
                 if not any(token.text == "self" for token in part[:4])]
        return self.tokens[at + 1].text, names, at

    def is_public(self, at):
        """Whether other files can call the function that begins there."""
        return any(token.text == "pub" for token in self.tokens[max(at - 6, 0) : at])

    def mentions(self, word):
        """Whether a word stands in it."""
        return word in self._places

    def body(self, index):
        """The tokens of the function that begins at `index`."""
        while self.tokens[index].text not in "{;":
            index += 1
        return self.tokens[index : closing(self.tokens, index)]


def _tokens(rust):
    for match in TOKEN.finditer(rust):
        if match["comment"]:
            continue
        if match["raw"]:
            yield Token("text", re.sub(r'^b?r#*"|"#*$', "", match["raw"]), match.start())
        elif match["text"]:
            yield Token("text", _unescaped(match["text"]), match.start())
        elif match["char"]:
            yield Token("char", match["char"], match.start())
        elif match["word"]:
            yield Token("word", match["word"], match.start())
        else:
            yield Token("mark", match["mark"], match.start())


def _unescaped(literal):
    text = literal[literal.index('"') + 1 : -1]
    text = re.sub(r"\\\n\s*", "", text)
    return text.replace('\\"', '"').replace("\\n", "\n").replace("\\\\", "\\")


def closing(tokens, index):
    """Where the bracket at `index` is closed."""
    depth = 0
    for i in range(index, len(tokens)):
        if tokens[i].kind == "mark" and tokens[i].text in OPEN:
            depth += 1
        elif tokens[i].kind == "mark" and tokens[i].text in CLOSE:
            depth -= 1
            if depth == 0:
                return i
    return len(tokens) - 1


def _behind_generics(tokens, index):
    depth = 0
    for i in range(index, len(tokens)):
        depth += {"<": 1, ">": -1}.get(tokens[i].text, 0)
        if depth == 0:
            return i + 1
    return index


def _without_tests(tokens):
    kept, i = [], 0
    while i < len(tokens):
        if [token.text for token in tokens[i : i + 7]] == list("#[") + ["cfg", "(", "test", ")", "]"]:
            while not (tokens[i].kind == "mark" and tokens[i].text in "{;"):
                i += 1
            i = (closing(tokens, i) if tokens[i].text == "{" else i) + 1
        else:
            kept.append(tokens[i])
            i += 1
    return kept


def arguments(tokens, index):
    """The arguments in the bracket at `index`, each a list of tokens, and where it is closed."""
    end, depth, parts = closing(tokens, index), 0, [[]]
    for token in tokens[index + 1 : end]:
        if token.kind == "mark":
            depth += (token.text in OPEN) - (token.text in CLOSE)
            if depth == 0 and token.text == ",":
                parts.append([])
                continue
        parts[-1].append(token)
    return [part for part in parts if part], end


def literals(tokens):
    """The texts that an expression may be: the first of each `format!`, and those that are no argument."""
    i = 0
    while i < len(tokens):
        token = tokens[i]
        if token.text == "format!" and i + 1 < len(tokens):
            given, end = arguments(tokens, i + 1)
            if given and given[0][0].kind == "text":
                yield re.sub(r"\{[^{}]*\}", "…", given[0][0].text)
            i = end + 1
            continue
        if token.kind == "mark" and token.text == "." and i + 2 < len(tokens):
            # What a method is given is no message: join(", "), with_detail("…").
            if tokens[i + 2].text == "(":
                i = closing(tokens, i + 2) + 1
                continue
        # Nor is what something is compared with, or the pattern of a match.
        compared = i > 0 and tokens[i - 1].text in {"=", "|"} or tokens[i + 1 : i + 2] and tokens[
            i + 1
        ].text in {"=>", "|"}
        if token.kind == "text" and not compared:
            yield token.text
        i += 1


@cache
def sources():
    """Every file of the library, without tests."""
    paths = sorted((ROOT / "src").rglob("*.rs"))
    # Files of tests say so where they are declared.
    declared = re.compile(r"#\[cfg\(test\)\]\s*(?:pub(?:\([a-z]+\))? )?mod (\w+);")
    tests = set()
    for path in paths:
        folder = path.parent if path.stem in {"mod", "lib"} else path.with_suffix("")
        for name in declared.findall(path.read_text(encoding="utf-8")):
            tests |= {folder / f"{name}.rs", folder / name}
    return [Source(path) for path in paths if not tests & {path, *path.parents}]


def _assigned(source, name, start, index):
    """The expression of the last `let name =` between two places."""
    found = None
    for i in range(start, index):
        if source.tokens[i].text != "let":
            continue
        k, part = i + 1 + (source.tokens[i + 1].text == "mut"), None
        if source.tokens[k].text == "(":
            parts, _ = arguments(source.tokens, k)
            bound = [[token.text for token in one] for one in parts]
            if [name] not in bound:
                continue
            part = bound.index([name]), len(bound)
        elif source.tokens[k].text != name:
            continue
        while source.tokens[k].text not in {"=", ";"}:
            k += 1
        expression, depth = [], 0
        for token in source.tokens[k + 1 :]:
            if token.kind == "mark":
                depth += (token.text in OPEN) - (token.text in CLOSE)
                if depth == 0 and token.text == ";":
                    break
            expression.append(token)
        found = _parts(expression, *part) if part else expression
    return found


def _parts(expression, number, of):
    """One part of every tuple of so many in an expression."""
    found = []
    for i, token in enumerate(expression):
        if token.kind == "mark" and token.text == "(":
            given, _ = arguments(expression, i)
            if len(given) == of:
                found += given[number]
    return found


def _closure(source, name, start, index):
    """The name of the closure whose parameter that is, and which one it is."""
    for i in range(index, start, -1):
        if source.tokens[i].text != "let":
            continue
        k = i + 3 + (source.tokens[i + 3].text == "move")
        if source.tokens[i + 2].text == "=" and source.tokens[k].text == "|":
            names, depth = [], 0
            for token in source.tokens[k + 1 :]:
                if token.text == "|":
                    break
                depth += (token.text in OPEN | {"<"}) - (token.text in CLOSE | {">"})
                names.append(token.text)
            if name in names:
                before = names[: names.index(name)]
                return source.tokens[i + 1].text, before.count(",")
    return None, 0


def texts(source, expression, index, depth=0):
    """The messages that an expression may be; None where that cannot be read."""
    found = [text for text in literals(expression) if " " in text]
    if found or depth > 4:
        return found or None
    words = [token.text for token in expression if token.text not in {"&", "*", "mut"}]
    start = source.function_of(index)[2]
    if words[1:] == [".", "fact", "(", ")"]:
        near = [other for other in sources() if other.path.parent == source.path.parent]
        return [
            text
            for other in near
            for at in other.calls("fn", "fact")
            for text in literals(other.body(at))
        ] or None
    while words[1:2] == ["."] and words[-2:] == ["(", ")"]:
        words = words[:-4] or words[:1]
    if len(words) != 1:
        return None
    name = words[0]
    if (assigned := _assigned(source, name, start, index)) is not None:
        return texts(source, assigned, index, depth + 1)
    called, number = _closure(source, name, start, index)
    if called is not None:
        return _given(source, [source], called, number, start, depth)
    called, names, at = source.function_of(index)
    if name in names:
        return _of_callers(source, called, names.index(name), source.is_public(at), depth)
    return None


_asked = {}


def _of_callers(source, called, number, public, depth):
    """What all callers of a function give for a parameter, looked for once."""
    key = (source.path, called, number)
    if key not in _asked:
        # Whoever calls itself gives nothing new.
        _asked[key] = None
        where = [other for other in sources() if other.mentions(called)] if public else [source]
        _asked[key] = _given(source, where, called, number, 0, depth)
    return _asked[key]


def _given(source, where, called, number, start, depth):
    """What callers give for a parameter."""
    found = []
    for other in where:
        for at in other.calls(called, "("):
            if other is source and at < start or at and other.tokens[at - 1].text == "fn":
                continue
            given = arguments(other.tokens, at + 1)[0]
            if number < len(given):
                found += texts(other, given[number], at, depth + 1) or []
    return found or None


@cache
def raised():
    """Every message, and the places whose message cannot be read."""
    found, unread = [], []
    for source in sources():
        for at in source.calls("Error", "::", "new", "("):
            given, _ = arguments(source.tokens, at + 3)
            if len(given) < 2 or any(token.text in DEFECTS for token in given[0]):
                continue
            said = texts(source, given[1], at)
            if said is None:
                unread.append(source.place(at))
            found += [Message(text, source.place(at)) for text in said or []]
    for path in sorted((ROOT / "sql").glob("*.sql")):
        for match in re.finditer(r"RAISE EXCEPTION '((?:[^']|'')*)'", path.read_text(encoding="utf-8")):
            found.append(Message(match[1].replace("''", "'").replace("%", "…"), f"sql/{path.name}"))
    return found, unread
