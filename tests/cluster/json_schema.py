"""As much of JSON Schema 2020-12 as the schemas of OpenLineage use.

A keyword that is not known here is an error: nothing passes because it was not looked at.
"""

import json
import re
from datetime import datetime
from uuid import UUID

NOTES = {"$schema", "$id", "$defs", "title", "description", "example", "deprecated"}
TYPES = {
    "object": dict,
    "array": list,
    "string": str,
    "boolean": bool,
    "integer": int,
    "null": type(None),
}
FORMATS = {
    "uri": lambda text: re.fullmatch(r"[a-z][a-z0-9+.-]*:[!-~]+", text) is not None,
    "uuid": lambda text: str(UUID(text)) == text,
    "date-time": lambda text: datetime.fromisoformat(text.replace("Z", "+00:00")).tzinfo,
}


class Schemas:
    """Documents by their $id, which refer to each other."""

    def __init__(self, paths):
        documents = [json.loads(path.read_text(encoding="utf-8")) for path in paths]
        self.documents = {document["$id"]: document for document in documents}

    def problems(self, url, value):
        """What a value breaks in the schema that a URL with a pointer names."""
        return list(self._look(*self._find(url, None), value, "$"))

    def _find(self, url, base):
        name, _, pointer = url.partition("#")
        name = name or base
        schema = self.documents[name]
        for part in pointer.strip("/").split("/") if pointer else []:
            schema = schema[part]
        return schema, name

    def _look(self, schema, base, value, at):
        for keyword, want in schema.items():
            if keyword in NOTES:
                continue
            check = getattr(self, "_" + keyword.strip("$"), None)
            assert check is not None, f"unknown keyword {keyword}"
            yield from check(want, base, value, at, schema)

    def _ref(self, want, base, value, at, _):
        yield from self._look(*self._find(want, base), value, at)

    def _allOf(self, want, base, value, at, _):  # noqa: N802
        for part in want:
            yield from self._look(part, base, value, at)

    def _anyOf(self, want, base, value, at, _):  # noqa: N802
        if all(list(self._look(part, base, value, at)) for part in want):
            yield f"{at}: nothing of anyOf"

    def _oneOf(self, want, base, value, at, _):  # noqa: N802
        if sum(not list(self._look(part, base, value, at)) for part in want) != 1:
            yield f"{at}: not one of oneOf"

    def _not(self, want, base, value, at, _):
        if not list(self._look(want, base, value, at)):
            yield f"{at}: what must not be"

    def _type(self, want, _base, value, at, _):
        names = [want] if isinstance(want, str) else want
        fits = any(
            isinstance(value, TYPES[name]) and (name == "boolean" or not isinstance(value, bool))
            for name in names
        )
        if not fits:
            yield f"{at}: no {want}"

    def _enum(self, want, _base, value, at, _):
        if value not in want:
            yield f"{at}: not among {want}"

    def _format(self, want, _base, value, at, _):
        if isinstance(value, str) and not FORMATS[want](value):
            yield f"{at}: no {want}"

    def _required(self, want, _base, value, at, _):
        for name in want:
            if isinstance(value, dict) and name not in value:
                yield f"{at}: {name} is missing"

    def _properties(self, want, base, value, at, _):
        for name, part in want.items():
            if isinstance(value, dict) and name in value:
                yield from self._look(part, base, value[name], f"{at}.{name}")

    def _additionalProperties(self, want, base, value, at, schema):  # noqa: N802
        others = set(value) - set(schema.get("properties", {})) if isinstance(value, dict) else ()
        for name in others:
            if isinstance(want, dict):
                yield from self._look(want, base, value[name], f"{at}.{name}")
            elif not want:
                yield f"{at}: {name} is not allowed"

    def _items(self, want, base, value, at, _):
        for i, item in enumerate(value if isinstance(value, list) else ()):
            yield from self._look(want, base, item, f"{at}[{i}]")
