"""The reference says of every setting what the server says: its default, and who may set it.

That every function, table, view and setting has its line, with the arguments that it takes, is held
against the catalog inside a server (`catalog_reference_page_lists_every_public_object`).
"""

import re

from server import ROOT

PAGE = ROOT / "docs" / "reference.md"
WHO = {
    "superuser": "superusers",
    "suset": "superusers",
    "sighup": "configuration file or ALTER SYSTEM",
    "user": "everybody",
}


def documented():
    """The lines of the settings: {name: (default, text)}."""
    text = PAGE.read_text(encoding="utf-8").split("\n## Settings\n")[1].split("\n## ")[0]
    lines = re.findall(r"^\| `(confiture\.\w+)` \| (.+?) \| (.+) \|$", text, re.MULTILINE)
    return {name: (default.strip("`"), rest) for name, default, rest in lines}


def test_defaults_of_settings_and_who_may_set_them_are_those_of_the_server(db):
    db.execute("LOAD 'confiture'")
    said = documented()
    seen = {
        name: (value, unit, context)
        for name, value, unit, context in db.rows(
            "SELECT name, boot_val, unit, context FROM pg_settings WHERE name LIKE 'confiture.%%'"
        )
    }
    for name, (value, unit, context) in seen.items():
        default, text = said[name]
        expected = " ".join(part for part in (value or "none", unit) if part)
        assert default == expected, f"{name}: {default} instead of {expected}"
        who = "nobody" if text.startswith("nobody") else WHO[context]
        assert text.startswith(who), f"{name}: {context}"
    # Those of which pg_settings tells nobody anything are on the page as well.
    hidden = set(said) - set(seen) - {"confiture.kit"}
    assert all(said[name][1].startswith("configuration file") for name in hidden), hidden


def test_comments_say_in_one_line_what_everything_is(db):
    # Sequences stand behind columns, whose tables say what they are.
    silent = db.column(
        "SELECT pg_describe_object(classid, objid, objsubid) FROM pg_depend"
        " WHERE refclassid = 'pg_extension'::regclass AND deptype = 'e'"
        " AND refobjid = (SELECT oid FROM pg_extension WHERE extname = 'confiture')"
        " AND classid IN ('pg_proc'::regclass, 'pg_class'::regclass)"
        " AND NOT (classid = 'pg_class'::regclass"
        " AND objid IN (SELECT oid FROM pg_class WHERE relkind = 'S'))"
        " AND coalesce(obj_description(objid, classid::regclass::name), '') = ''"
    )
    assert not silent, silent
