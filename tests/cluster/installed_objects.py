"""What an installed extension has made of a database, independent of numbers and of when."""

import re

# What only says which number, file or transaction something has.
PASSING = re.compile(r"binary_upgrade_|^SET relfrozenxid|^WHERE oid = |^\\(un)?restrict |^--")
CONFIGURED = """
SELECT 'dumped ' || t.config::regclass, coalesce(t.condition, '')
  FROM pg_extension e, unnest(e.extconfig, e.extcondition) AS t (config, condition)
 WHERE e.extname = 'confiture'"""
FIRST_RIGHTS = """
SELECT 'first rights of ' || o.type || ' ' || o.identity, array(SELECT unnest(p.initprivs)::text ORDER BY 1)::text
  FROM pg_init_privs p, pg_identify_object(p.classoid, p.objoid, p.objsubid) o
 WHERE p.privtype = 'e'"""


def objects(server, database):
    """{object: its definition}, as pg_upgrade would carry them over: members one by one."""
    text = server.run("pg_dump", "--binary-upgrade", "--schema-only", database=database).stdout
    found = {}
    for entry in re.split(r"(?m)^--\n(?=-- Name: )", text)[1:]:
        header, _, body = entry.partition("\n--\n")
        lines = [line for line in body.splitlines() if line and not PASSING.search(line)]
        found[header.removeprefix("-- Name: ")] = "\n".join(lines)
    with server.connect(database) as connection:
        for query in (CONFIGURED, FIRST_RIGHTS):
            found.update(connection.execute(query).fetchall())
    assert len(found) > 500, "the look has found too little to mean anything"
    return found


def differences(one, other):
    """What is not the same in both, by object."""
    return sorted(
        f"{name}: {one.get(name)!r} and {other.get(name)!r}"
        for name in one.keys() | other.keys()
        if one.get(name) != other.get(name)
    )
